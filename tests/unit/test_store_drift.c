/*
 * test_store_drift.c - what events are about: a lead's last grade under an ICP, and how far the scores of a version
 * have moved; while allocations and the disk fail, too.
 */
#include "disk_faults.h"
#include "sqlite_faults.h"
#include "store_fixture.h"

enum { SUBSCRIPTION = 7 /* nobody's: the store does not ask */ };

/* ---- last grades ---- */

/* A lead's score under a version; ids ascend with `at`. */
static struct lf_stored_lead_score
score_of(int64_t icp_id, int64_t version_id, uint8_t at, bool latest, const char *grade)
{
    return (struct lf_stored_lead_score){.icp_id = icp_id,
                                         .version_id = version_id,
                                         .score_id = {{1, at}},
                                         .latest = latest,
                                         .qualified = strcmp(grade, "DQ") != 0,
                                         .grade = grade,
                                         .label = "label",
                                         .result = "result",
                                         .result_len = 6};
}

static void
settle(struct fixture *f, const char *lead_id, const struct lf_stored_lead_score *scores, size_t count)
{
    const struct lf_settled_lead lead = {
        .lead_id = lead_id, .lead_id_len = strlen(lead_id), .scores = scores, .score_count = count};

    OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error));
}

/* "-" where there is none. */
static const char *
last_grade(struct fixture *f, const char *lead_id, int64_t icp_id)
{
    const char *grade = "not written";
    bool known = false;

    OK(lf_store_last_grade(f->reader, f->arena, lead_id, strlen(lead_id), icp_id, &known, &grade, &f->error));
    return known ? grade : "-";
}

/* Two ICPs, the first of which has two versions: 1 and 2, the other 3. */
static void
publish_three(struct fixture *f)
{
    publish(f, "one", "{}", 1, 1, 1);
    publish(f, "one", "{ }", 2, 2, 2);
    publish(f, "two", "{}", 3, 3, 1);
}

static void
test_last_grade(void **state)
{
    struct fixture *f = *state;
    const struct lf_stored_lead_score first[] = {score_of(1, 1, 1, true, "B")};
    const struct lf_stored_lead_score second[] = {score_of(1, 1, 1, false, "B"), score_of(1, 2, 2, true, "DQ")};
    const struct lf_stored_lead_score third[] = {score_of(1, 1, 3, true,
                                                          "Gr\xC3\xBC\xC3\x9F"
                                                          "e"),
                                                 score_of(1, 2, 2, false, "DQ"), score_of(2, 3, 3, true, "A")};
    const struct lf_stored_lead_score other[] = {score_of(2, 3, 4, true, "C")};

    publish_three(f);
    assert_string_equal(last_grade(f, "lead", 1), "-");
    settle(f, "lead", first, 1);
    assert_string_equal(last_grade(f, "lead", 1), "B");
    assert_string_equal(last_grade(f, "lead", 2), "-");
    settle(f, "lead", second, 2);
    assert_string_equal(last_grade(f, "lead", 1), "DQ");
    settle(f, "lead", third, 3);
    settle(f, "another", other, 1);
    assert_string_equal(last_grade(f, "lead", 1), "Gr\xC3\xBC\xC3\x9F"
                                                  "e");
    assert_string_equal(last_grade(f, "lead", 2), "A");
    assert_string_equal(last_grade(f, "another", 1), "-");
    assert_string_equal(last_grade(f, "another", 2), "C");
    assert_string_equal(last_grade(f, "lea", 1), "-");
    assert_string_equal(last_grade(f, "LEAD", 1), "-");
    assert_string_equal(last_grade(f, "", 1), "-");
    assert_string_equal(last_grade(f, "lead", 99), "-");
}

/* Who holds a reader sees one moment; an outcome alone is no score; who is erased is not known. */
static void
test_last_grade_of_then(void **state)
{
    struct fixture *f = *state;
    const struct lf_stored_lead_score first[] = {score_of(1, 1, 1, true, "B")};
    const struct lf_stored_lead_score second[] = {score_of(1, 1, 2, true, "A")};
    const struct lf_stored_outcome won = {.lead_id = "won", .lead_id_len = 3, .outcome = LF_OUTCOME_WON};

    publish_three(f);
    settle(f, "lead", first, 1);
    OK(lf_store_put_outcomes(f->store, &won, 1, NULL, 0, &f->error));
    assert_string_equal(last_grade(f, "won", 1), "-");
    OK(lf_store_hold(f->reader, &f->error));
    assert_string_equal(last_grade(f, "lead", 1), "B");
    settle(f, "lead", second, 1);
    assert_string_equal(last_grade(f, "lead", 1), "B");
    lf_store_let_go(f->reader);
    assert_string_equal(last_grade(f, "lead", 1), "A");
    run_sql(f->path, "UPDATE lead SET lead_id = NULL WHERE lead_id = 'lead'");
    assert_string_equal(last_grade(f, "lead", 1), "-");
}

/* It is one look at the key, however many leads there are. */
static void
test_last_grade_is_quick(void **state)
{
    static const char *const SQL[] = {
#define LF_X(name, sql) sql,
        LF_SQL_LIST(LF_X)
#undef LF_X
    };
    struct fixture *f = *state;
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    char plan[1024] = "";

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, lf_arena_printf(f->arena, "EXPLAIN QUERY PLAN %s", SQL[LF_SQL_LAST_GRADE]),
                                        -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        (void)snprintf(plan + strlen(plan), sizeof plan - strlen(plan), "%s\n",
                       (const char *)sqlite3_column_text(statement, 3));
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    print_message("%s", plan);
    assert_non_null(strstr(plan, "SEARCH lead_score USING PRIMARY KEY (lead=? AND icp_id=?)"));
    assert_null(strstr(plan, "SCAN lead"));
}

/* ---- drift ---- */

static int
level_of(struct fixture *f, int64_t version_id)
{
    int level = -1;

    OK(lf_store_drift(f->reader, version_id, &level, &f->error));
    return level;
}

/* What waits for the subscription: data, each with a comma. */
static const char *
outbox(struct fixture *f)
{
    struct lf_stored_delivery *deliveries = NULL;
    const char *text = "";
    size_t count = 0;

    OK(lf_store_deliveries(f->reader, f->arena, SUBSCRIPTION, LF_DELIVERIES_PENDING, 0, 1000, &deliveries, &count,
                           &f->error));
    for (size_t i = 0; i < count; i++)
        text = lf_arena_printf(f->arena, "%s%.*s,", text, (int)deliveries[i].data_len, deliveries[i].data);
    return text;
}

/* Notes a level with one delivery that says so. */
static enum lf_status
note(struct fixture *f, int64_t version_id, int level, int64_t at_ms)
{
    const char *data = lf_arena_printf(f->arena, "%d", (int)at_ms);
    const struct lf_new_delivery delivery = {.subscription_id = SUBSCRIPTION,
                                             .type = LF_EVENT_DRIFT_SHIFTED,
                                             .at_ms = at_ms,
                                             .data = data,
                                             .data_len = strlen(data)};

    return lf_store_note_drift(f->store, version_id, level, at_ms, &delivery, 1, &f->error);
}

static void
test_drift(void **state)
{
    struct fixture *f = *state;

    publish_three(f);
    assert_int_equal(level_of(f, 1), 0);
    OK(lf_store_note_drift(f->store, 1, 1, 10, NULL, 0, &f->error));
    OK(note(f, 2, 2, 11));
    assert_int_equal(level_of(f, 1), 1);
    assert_int_equal(level_of(f, 2), 2);
    assert_int_equal(level_of(f, 3), 0);
    assert_string_equal(outbox(f), "11,");
    OK(note(f, 1, 2, 12));
    OK(lf_store_note_drift(f->store, 2, 0, 13, NULL, 0, &f->error));
    close_store(f);
    open_store(f);
    assert_int_equal(level_of(f, 1), 2);
    assert_int_equal(level_of(f, 2), 0);
    assert_string_equal(outbox(f), "11,12,");
    assert_int_equal(check(f, false, NULL), 0);
}

/* What cannot be noted is not told either. */
static void
test_refused(void **state)
{
    struct fixture *f = *state;
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_store *second = NULL;

    publish_three(f);
    OK(note(f, 1, 1, 10));
    assert_int_not_equal(note(f, 99, 1, 11), LF_OK); /* no such version */
    assert_int_not_equal(note(f, 1, 3, 12), LF_OK);  /* nor level */
    assert_int_not_equal(note(f, 1, -1, 13), LF_OK);
    OK(lf_store_open(&options, &second, &f->error));
    FAILS(lf_store_note_drift(second, 1, 2, 14, NULL, 0, &f->error), LF_STORAGE_FAILED);
    lf_store_close(second);
    assert_int_equal(level_of(f, 1), 1);
    assert_string_equal(outbox(f), "10,");
}

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    static char data[100000];
    const struct lf_new_delivery large = {.subscription_id = SUBSCRIPTION,
                                          .type = LF_EVENT_DRIFT_SHIFTED,
                                          .at_ms = 11,
                                          .data = data,
                                          .data_len = sizeof data};

    memset(data, '1', sizeof data);
    publish_three(f);
    OK(note(f, 1, 1, 10));
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(lf_store_note_drift(f->store, 1, 2, 11, &large, 1, &f->error), LF_STORAGE_FULL);
    assert_int_equal(level_of(f, 1), 1);
    assert_string_equal(outbox(f), "10,");
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(note(f, 1, 2, 12)); /* it goes on by itself */
    assert_int_equal(level_of(f, 1), 2);
    assert_string_equal(outbox(f), "10,12,");
}

/* Each write and each flush fails in turn: level and delivery are there together after a restart, or not at all. */
static void
test_disk(void **state)
{
    static const struct {
        int reason;
        enum lf_status status;
    } ROWS[] = {{EIO, LF_STORAGE_FAILED}, {ENOSPC, LF_STORAGE_FULL}};
    struct fixture *f = *state;
    const char *there = "";
    int64_t at_ms = 0;
    int level = 0;

    publish_three(f);
    assert_true(let_disk_fail());
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        size_t failures = 0;
        bool failed = true;

        for (long n = 0; failed; n++) {
            enum lf_status status = LF_OK;
            const char *told = NULL;
            bool noted = false;

            at_ms++;
            disk_arm(n, ROWS[row].reason);
            status = note(f, 1, 1 + (int)at_ms % 2, at_ms);
            failed = disk_disarm();
            failures += status != LF_OK;
            assert_true(status == LF_OK || failed);
            if (status != LF_OK && status != LF_STORAGE_FAILED)
                assert_int_equal(status, ROWS[row].status);
            close_store(f);
            open_store(f);
            told = outbox(f);
            noted = strcmp(told, there) != 0;
            assert_true(noted || status != LF_OK);
            if (noted) {
                assert_string_equal(told, lf_arena_printf(f->arena, "%s%d,", there, (int)at_ms));
                there = told;
                level = 1 + (int)at_ms % 2;
            }
            assert_int_equal(level_of(f, 1), level);
        }
        print_message("%zu failures with reason %d\n", failures, ROWS[row].reason);
        assert_true(failures > 2);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* A database that somebody has broken is no crash. */
static void
test_broken(void **state)
{
    struct fixture *f = *state;
    const char *grade = "as before";
    int level = 5;
    bool known = true;

    publish_three(f);
    close_store(f);
    run_sql(f->path, "DROP TABLE drift; DROP TABLE lead_blocks; DROP TABLE lead_score");
    open_store(f);
    assert_int_not_equal(lf_store_drift(f->reader, 1, &level, &f->error), LF_OK);
    assert_int_not_equal(lf_store_last_grade(f->reader, f->arena, "lead", 4, 1, &known, &grade, &f->error), LF_OK);
    assert_int_not_equal(note(f, 1, 1, 10), LF_OK);
    assert_int_equal(level, 5);
    assert_string_equal(grade, "as before");
    assert_true(known);
}

/* ---- allocations ---- */

static void
test_allocations(void **state)
{
    struct fixture *f = *state;
    const struct lf_stored_lead_score score[] = {score_of(1, 1, 1, true, "B")};
    int64_t at_ms = 0;

    publish_three(f);
    settle(f, "lead", score, 1);
    for (int verb = 0; verb < 3; verb++) {
        size_t failures = 0;
        bool failed = true;

        close_store(f);
        open_store(f); /* the statements are prepared anew */
        for (long n = 0; failed; n++) {
            const char *data = "{}", *grade = NULL, *before = NULL;
            const struct lf_new_delivery delivery = {
                .subscription_id = SUBSCRIPTION, .type = LF_EVENT_DRIFT_SHIFTED, .data = data, .data_len = 2};
            enum lf_status status = LF_OK;
            bool known = false;
            int level = -1, level_before = 0;

            lf_arena_reset(f->arena);
            if (verb == 2) {
                before = outbox(f);
                level_before = level_of(f, 1);
            }
            at_ms++;
            arm(n);
            switch (verb) {
            case 0:
                status = lf_store_last_grade(f->reader, f->arena, "lead", 4, 1, &known, &grade, &f->error);
                break;
            case 1:
                status = lf_store_drift(f->reader, 1, &level, &f->error);
                break;
            default:
                status = lf_store_note_drift(f->store, 1, 1 + (int)at_ms % 2, at_ms, &delivery, 1, &f->error);
            }
            failed = disarm();
            failures += status != LF_OK;
            assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY));
            if (verb == 0 && status == LF_OK)
                assert_string_equal(grade, "B");
            if (verb == 1 && status == LF_OK)
                assert_int_equal(level, 0);
            if (verb == 2) {
                assert_int_equal(level_of(f, 1), status == LF_OK ? 1 + (int)at_ms % 2 : level_before);
                assert_string_equal(outbox(f), status == LF_OK ? lf_arena_printf(f->arena, "%s{},", before) : before);
            }
        }
        print_message("verb %d: %zu failures\n", verb, failures);
        assert_true(failures > 3);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_last_grade),
        TEST(test_last_grade_of_then),
        TEST(test_last_grade_is_quick),
        TEST(test_drift),
        TEST(test_refused),
        TEST(test_full),
        TEST(test_disk),
        TEST(test_broken),
        TEST(test_allocations),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
