/* test_store_settle.c - leads are settled whole or not at all; what is wrong with them is found; each allocation fails
 * in turn. */
#include "listing_fixture.h"
#include "sqlite_faults.h"

/* ---- what is refused ---- */

/* What cannot be settled leaves everything as it was. */
static void
test_refused(void **state)
{
    static const struct {
        const char *what, *lead_id;
        int64_t icp_id, version_id, blocks[2];
        size_t block_count;
    } ROWS[] = {
        {"a lead without an id", "", 1, 1, {1}, 1},
        {"no such version", "x", 1, 99, {1}, 1},
        {"no such ICP", "x", 99, 1, {1}, 1},
        {"the same block twice", "x", 1, 1, {1, 1}, 2},
        {"blocks that do not ascend", "x", 1, 1, {2, 1}, 2},
        {"blocks begin with 1", "x", 1, 1, {0}, 1},
        {"none is negative", "x", 1, 1, {-1, 1}, 2},
    };
    struct fixture *f = *state;
    struct model *m = model_create(f, 6);

    settle_some(m, 20);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_stored_lead_score score = {.icp_id = ROWS[row].icp_id,
                                             .version_id = ROWS[row].version_id,
                                             .latest = true,
                                             .grade = "A",
                                             .label = "A",
                                             .result = ""},
                                    good = {.icp_id = 1,
                                            .version_id = 1,
                                            .latest = true,
                                            .grade = "A",
                                            .label = "A",
                                            .result = ""};
        struct lf_settled_lead leads[] = {
            {.lead_id = "y", .lead_id_len = 1, .scores = &good, .score_count = 1},
            {.lead_id = ROWS[row].lead_id,
             .lead_id_len = strlen(ROWS[row].lead_id),
             .scores = &score,
             .score_count = 1,
             .blocks = ROWS[row].blocks,
             .block_count = ROWS[row].block_count},
        };
        struct lf_store_progress progress;

        print_message("%s\n", ROWS[row].what);
        FAILS(lf_store_settle(f->store, leads, 2, NULL, 0, 1000, 0, &f->error), LF_INTERNAL);
        OK(lf_store_progress(f->reader, &progress, &f->error));
        assert_int_equal(progress.settled_block, m->last_block);
    }
    assert_model(m);
    assert_int_equal(check(f, false, NULL), 0);
    free(m);
}

static void
test_reading_only(void **state)
{
    struct fixture *f = *state;
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_store *second = NULL;

    OK(lf_store_open(&options, &second, &f->error));
    FAILS(lf_store_settle(second, NULL, 0, NULL, 0, 1, 0, &f->error), LF_STORAGE_FAILED);
    lf_store_close(second);
}

/* ---- checks ---- */

static void
test_check_finds(void **state)
{
    static const struct {
        const char *what, *sql;
        size_t findings;
        const char *code;
    } ROWS[] = {
        {"none is the latest", "UPDATE lead_score SET latest = 0 WHERE version_id = 2", 1, "damaged_lead"},
        {"two are", "UPDATE lead_score SET latest = 1", 1, "damaged_lead"},
        {"another than the newest", "UPDATE lead_score SET latest = 1 - latest WHERE icp_id = 1", 1, "damaged_lead"},
        {"both at the same time are well", "UPDATE lead_score SET score_id = x'01000000000000000000000000000009'", 0,
         ""},
        {"a block that is not there", "UPDATE lead_blocks SET first_block = 4, last_block = 5, body = x'0401'", 1,
         "damaged_lead"},
        {"one that was taken away",
         "DELETE FROM score_block WHERE id < 3; UPDATE meta SET value = 1 WHERE name = 'pruned_ms'", 0, ""},
        {"one that was not", "DELETE FROM score_block WHERE id < 3", 1, "damaged_lead"},
        {"all were", "DELETE FROM score_block; UPDATE meta SET value = 1 WHERE name = 'pruned_ms'", 0, ""},
        {"one in the middle is gone", "DELETE FROM score_block WHERE id = 3", 2, "damaged_block"},
        {"bytes that say nothing", "UPDATE lead_blocks SET body = x'0180'", 1, "damaged_lead"},
        {"none at all", "UPDATE lead_blocks SET body = x''", 1, "damaged_lead"},
        {"another first one", "UPDATE lead_blocks SET body = x'0202'", 1, "damaged_lead"},
        {"another last one", "UPDATE lead_blocks SET body = x'0101'", 1, "damaged_lead"},
        {"rows that overlap", "INSERT INTO lead_blocks (lead, first_block, last_block, body) VALUES (1, 3, 4, x'0301')",
         1, "damaged_lead"},
        {"rows that do not", "INSERT INTO lead_blocks (lead, first_block, last_block, body) VALUES (1, 4, 4, x'04')", 0,
         ""},
        {"scores of no lead", "PRAGMA foreign_keys = OFF; DELETE FROM lead", 3, "broken_reference"},
    };
    static const int64_t BLOCKS[] = {1, 3};
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_stored_lead_score scores[] = {
            {.icp_id = 1, .version_id = 1, .score_id = {{1}}, .grade = "A", .label = "A", .result = ""},
            {.icp_id = 1, .version_id = 2, .score_id = {{2}}, .latest = true, .grade = "A", .label = "A", .result = ""},
        };
        struct lf_settled_lead lead = {
            .lead_id = "x", .lead_id_len = 1, .scores = scores, .score_count = 2, .blocks = BLOCKS, .block_count = 2};
        const char *code = NULL;
        char command[2 * PATH_SIZE];

        print_message("%s\n", ROWS[row].what);
        publish(f, "maker", "{\"v\":1}", 1, 1, 1);
        publish(f, "maker", "{\"v\":2}", 2, 1, 2);
        for (int i = 0; i < 4; i++)
            OK(append(f, 2, 10, NULL));
        OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 3, 0, &f->error));
        assert_int_equal(check(f, false, NULL), 0);
        run_sql(f->path, ROWS[row].sql);
        assert_int_equal(check(f, false, &code), ROWS[row].findings);
        assert_string_equal(code, ROWS[row].code);
        assert_int_equal(check(f, true, NULL), 0); /* a quick one does not look so far */
        close_store(f);
        (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
        assert_int_equal(system(command), 0);
        open_store(f);
    }
}

/* ---- what fails ---- */

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    struct model *m = model_create(f, 8);
    char *large = malloc(200000);
    struct lf_stored_lead_score score = {.icp_id = 1,
                                         .version_id = 1,
                                         .latest = true,
                                         .grade = "A",
                                         .label = "A",
                                         .result = large,
                                         .result_len = 200000};
    struct lf_settled_lead lead = {.lead_id = "y", .lead_id_len = 1, .scores = &score, .score_count = 1};
    struct lf_stored_lead found;

    assert_non_null(large);
    memset(large, 'x', 200000);
    settle_some(m, 20);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error), LF_STORAGE_FULL);
    assert_model(m);
    FAILS(lf_store_lead(f->reader, f->arena, "y", 1, &found, &f->error), LF_LEAD_NOT_FOUND);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error));
    OK(lf_store_lead(f->reader, f->arena, "y", 1, &found, &f->error));
    assert_int_equal(found.scores[0].result_len, 200000);
    assert_int_equal(check(f, false, NULL), 0);
    free(large);
    free(m);
}

/* Each allocation of settling fails in turn: nothing is settled then, and all of it in the end. */
static void
test_allocations_of_writing(void **state)
{
    static const int64_t FIRST[] = {1, 3}, SECOND[] = {2, 3, 4};
    struct fixture *f = *state;
    struct model *m = model_create(f, 10);
    struct lf_stored_rollup row = {
        .version_id = 1, .kind = LF_ROLLUP_WINS, .span = LF_SPAN_DAY, .start_hour = 24, .body = "w", .body_len = 1};
    struct lf_stored_lead_score scores[VERSIONS];
    struct lf_settled_lead lead = {.lead_id = id_of(7), .lead_id_len = strlen(id_of(7)), .scores = scores};
    struct lf_store_progress progress;
    bool failed = true;

    for (int i = 0; i < 5; i++)
        (void)record(m);
    lead.score_count = score_lead(m, 7, scores);
    lead.blocks = FIRST;
    lead.block_count = 2;
    OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 1, 0, &f->error));
    lead.blocks = SECOND; /* one of them between: its row is written anew */
    lead.block_count = 3;
    close_store(f); /* the statements are prepared anew */
    open_store(f);
    for (long n = 0; failed; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_store_settle(f->store, &lead, 1, &row, 1, 6, 6, &f->error);
        failed = disarm();
        if (status == LF_OK)
            break; /* nothing failed, or nothing that matters */
        assert_true(failed);
        assert_int_equal(status, LF_OUT_OF_MEMORY);
        OK(lf_store_progress(f->reader, &progress, &f->error));
        assert_int_equal(progress.settled_block, 1);
    }
    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.settled_block, 6);
    assert_model(m);
    assert_int_equal(check(f, false, NULL), 0);
    free(m);
}

static enum lf_status
pass_over(void *context, const struct lf_stored_rollup *found)
{
    (void)context;
    (void)found;
    return LF_OK;
}

/* And each of reading: the answer is whole or says that memory is out, and the next is right. */
static void
test_allocations_of_reading(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 11);
    struct lf_stored_rollup row = {
        .version_id = 1, .kind = LF_ROLLUP_WINS, .span = LF_SPAN_DAY, .start_hour = 24, .body = "w", .body_len = 1};

    settle_some(m, 60);
    OK(lf_store_settle(f->store, NULL, 0, &row, 1, 0, 0, &f->error));
    for (int verb = 0; verb < 7; verb++) {
        bool failed = true;

        lf_store_reader_close(f->reader); /* the statements are prepared anew */
        OK(lf_store_reader_open(f->store, &f->reader, &f->error));
        for (long n = 0; failed; n++) {
            struct lf_lead_query query = {.qualified = -1, .limit = 20, .by_time = verb == 3};
            struct lf_stored_lead lead;
            struct lf_listed_lead *leads = NULL;
            struct lf_store_progress progress;
            uint8_t key[LF_SHA256_SIZE];
            enum lf_status status = LF_OK;
            size_t count = 0;
            bool known = false;

            lf_arena_reset(f->arena);
            arm(n);
            switch (verb) {
            case 0:
                status = lf_store_lead(f->reader, f->arena, id_of(1), strlen(id_of(1)), &lead, &f->error);
                break;
            case 1:
                status = lf_store_knows_lead(f->reader, id_of(1), strlen(id_of(1)), 1, &known, &f->error);
                break;
            case 2:
            case 3:
                status = lf_store_leads(f->reader, f->arena, &query, &leads, &count, &f->error);
                break;
            case 4:
                status = lf_store_progress(f->reader, &progress, &f->error);
                break;
            case 5:
                status = lf_store_hash_key(f->reader, key, &f->error);
                break;
            default:
                status =
                    lf_store_each_rollup(f->reader, 1, LF_ROLLUP_WINS, LF_SPAN_DAY, 0, 99, pass_over, NULL, &f->error);
            }
            failed = disarm();
            if (status == LF_OK)
                break;
            if (status != LF_LEAD_NOT_FOUND) {
                assert_true(failed);
                assert_int_equal(status, LF_OUT_OF_MEMORY);
            }
        }
    }
    assert_model(m);
    free(m);
}

/* Where memory runs out while a reader is held it can be let go, and is well again. */
static void
test_allocations_of_holding(void **state)
{
    struct fixture *f = *state;
    struct lf_store_progress progress;
    bool failed = true;

    OK(append(f, 1, 10, NULL));
    for (long n = 0; failed; n++) {
        enum lf_status status = LF_OK;

        lf_store_reader_close(f->reader);
        OK(lf_store_reader_open(f->store, &f->reader, &f->error));
        arm(n);
        status = lf_store_hold(f->reader, &f->error);
        if (status == LF_OK) {
            status = lf_store_progress(f->reader, &progress, &f->error);
            lf_store_let_go(f->reader);
        }
        failed = disarm();
        if (status != LF_OK)
            assert_int_equal(status, LF_OUT_OF_MEMORY);
        OK(append(f, 1, 10, NULL));
        OK(lf_store_progress(f->reader, &progress, &f->error));
        assert_int_equal(progress.last_block, n + 2); /* it sees what is new */
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_refused),
        TEST(test_reading_only),
        TEST(test_check_finds),
        TEST(test_full),
        TEST(test_allocations_of_writing),
        TEST(test_allocations_of_reading),
        TEST(test_allocations_of_holding),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
