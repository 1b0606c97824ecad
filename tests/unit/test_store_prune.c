/*
 * test_store_prune.c - old blocks of recorded scores are taken away: which, how far, what goes with them, and what
 * stays. Beside a model through all that can happen: test_store_walk.c; allocations: test_store_erase.c.
 */
#include "lead_fixture.h"

enum { DAY_MS = 86400000 };
#define BEGIN_MS INT64_C(1700000000000)

static struct lf_connection *
writer_of(struct fixture *f)
{
    return &((struct lf_sqlite_store *)f->store)->writer;
}

static int64_t
number_of(struct fixture *f, const char *sql)
{
    int64_t value = -1;

    OK(lf_sqlite_int(writer_of(f), sql, &value, &f->error));
    return value;
}

static struct lf_store_progress
progress_of(struct fixture *f)
{
    struct lf_store_progress progress;

    OK(lf_store_progress(f->reader, &progress, &f->error));
    return progress;
}

/* Seven blocks, a day apart, of one score each. */
static struct model *
make_week(struct fixture *f, int lead)
{
    struct model *m = model_create(f, 31);

    for (int day = 0; day < 7; day++) {
        m->now_ms = BEGIN_MS + day * (int64_t)DAY_MS;
        model_record(m, 1, lead, 10);
        m->last_block = m->scores[m->count - 1].block;
    }
    return m;
}

/* ---- how far ---- */

static void
test_how_far(void **state)
{
    static const struct {
        const char *what;
        int64_t settled, before_ms, add_ms; /* settled: blocks; before: the time of that block, and more */
        size_t gone;
    } ROWS[] = {
        {"nothing is so old", 7, 1, 0, 0},
        {"just one", 7, 1, 1, 1},
        {"a block stays when its last score is not older", 7, 4, 0, 3},
        {"and goes when it is", 7, 4, 1, 4},
        {"only what is settled", 3, 7, 1, 3},
        {"nothing is settled", 0, 7, 1, 0},
        {"all", 7, 7, 1, 7},
        {"the beginning of time", 7, 1, -BEGIN_MS, 0},
        {"before it", 7, 1, INT64_MIN / 2, 0},
        {"the end of time", 7, 7, INT64_MAX / 2, 7},
    };

    (void)state;
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        for (size_t slice = 1; slice <= 8; slice += slice == 1 ? 2 : 5) {
            struct fixture *f = NULL;
            struct model *m = NULL;
            struct lf_store_progress progress;
            void *anew = NULL;
            int64_t before_ms = 0;
            size_t gone = 0;
            bool more = true;

            print_message("%s, %zu at a time\n", ROWS[row].what, slice);
            assert_int_equal(setup(&anew), 0);
            f = anew;
            m = make_week(f, 4);
            model_settle(m, ROWS[row].settled);
            before_ms = lf_ulid_ms(m->scores[ROWS[row].before_ms - 1].id) + ROWS[row].add_ms;
            while (more) {
                OK(lf_store_prune(f->store, before_ms, slice, &more, &f->error));
                gone = 7 - (size_t)number_of(f, "SELECT count(*) FROM score_block");
                assert_true(gone <= ROWS[row].gone);
                assert_int_equal(more, gone < ROWS[row].gone);
            }
            assert_int_equal(model_forget_before(m, before_ms), (int64_t)ROWS[row].gone);
            assert_model(m);
            progress = progress_of(f);
            assert_int_equal(progress.pruned_ms, gone == 0 ? 0 : lf_ulid_ms(m->scores[gone - 1].id) + 1);
            OK(lf_store_prune(f->store, before_ms, 9, &more, &f->error)); /* once more changes nothing */
            assert_false(more);
            assert_model(m);
            free(m);
            assert_int_equal(teardown(&anew), 0);
        }
    }
}

/* Blocks that are still to be counted stay, settled or not. */
static void
test_only_what_is_counted(void **state)
{
    struct fixture *f = *state;
    struct model *m = make_week(f, 4);
    bool more = true;

    model_settle(m, 7);
    OK(lf_sqlite_exec(writer_of(f), "UPDATE meta SET value = 5 WHERE name = 'due_block'", &f->error));
    OK(lf_store_prune(f->store, INT64_MAX, 9, &more, &f->error));
    assert_false(more);
    assert_int_equal(count_scores(f), 7);
    OK(lf_store_settle(f->store, NULL, 0, NULL, 0, 0, 2, &f->error));
    OK(lf_store_prune(f->store, INT64_MAX, 9, &more, &f->error));
    assert_int_equal(count_scores(f), 5);
    OK(lf_store_settle(f->store, NULL, 0, NULL, 0, 0, 5, &f->error));
    OK(lf_store_prune(f->store, INT64_MAX, 9, &more, &f->error));
    assert_int_equal(count_scores(f), 0);
    free(m);
}

static void
test_nothing_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct model *m = make_week(f, 4);
    bool more = false;

    model_settle(m, 7);
    OK(lf_store_prune(f->store, INT64_MAX, 0, &more, &f->error));
    assert_true(more);
    assert_model(m);
    assert_int_equal(progress_of(f).pruned_ms, 0);
    free(m);
}

/* ---- what comes after ---- */

/* Where all is gone, ids of scores and of blocks go on behind those that were there, also after a restart. */
static void
test_ids_go_on(void **state)
{
    struct fixture *f = *state;
    struct model *m = make_week(f, 4);
    struct lf_ulid last, before = m->scores[6].id;
    struct lf_stored_score old = {.id = before, .lead_id = "", .body = "b", .body_len = 1};
    const struct lf_stored_score *scores[] = {&old};
    int64_t count = -1;

    model_settle(m, 7);
    model_prune(m, INT64_MAX, 3);
    for (int turn = 0; turn < 2; turn++) {
        OK(lf_store_last_score(f->reader, &last, &count, &f->error));
        assert_int_equal(count, 0);
        assert_true(memcmp(last.bytes, before.bytes, LF_ULID_SIZE) > 0);
        assert_int_equal(lf_ulid_ms(last), lf_ulid_ms(before) + 1);
        FAILS(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error), LF_INTERNAL);
        close_store(f);
        open_store(f);
    }
    lf_ulid_mint_init(&f->mint, last);
    m->now_ms = 5; /* the clock was set back */
    model_record(m, 3, 4, 10);
    assert_int_equal(m->last_block, 8);
    assert_model(m);
    model_settle(m, 9);
    model_record(m, 3, 4, 10);
    close_store(f);
    open_store(f);
    model_record(m, 3, 4, 10);
    assert_int_equal(m->last_block, 10);
    assert_model(m);
    free(m);
}

/* ---- what goes with them ---- */

static void
test_leads(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 32);

    model_record(m, 1, 4, 10); /* only old */
    model_record(m, 1, 5, 10); /* only old, won */
    model_record(m, 1, 6, 10); /* old and new */
    model_record(m, 1, 7, 10); /* old and new, erased in between */
    model_record(m, 1, 8, 10); /* only old, erased */
    m->now_ms += DAY_MS;
    model_settle(m, 9);
    model_record(m, 1, 6, 10);
    model_record(m, 1, 7, 10);
    model_record(m, 1, 9, 10);
    model_settle(m, 9);
    model_put_outcome(m, 5);
    model_put_outcome(m, 6);
    model_put_outcome(m, 7);
    model_put_outcome(m, 10); /* never scored */
    (void)model_erase(m, 7, 1);
    (void)model_erase(m, 8, 1);
    assert_int_equal(m->ghost_count, 2);
    assert_model(m);
    assert_int_equal(number_of(f, "SELECT count(*) FROM lead"), 7);
    model_prune(m, BEGIN_MS + DAY_MS / 2, 2);
    assert_model(m);
    assert_int_equal(number_of(f, "SELECT count(*) FROM lead"), 4); /* 6, 9, 10 and the nameless 7 */
    assert_int_equal(number_of(f, "SELECT count(*) FROM lead WHERE outcome = 'won'"), 3);
    assert_true(model_knows(m, 6) && model_knows(m, 9) && model_knows(m, 10) && m->ghost_count == 1);
    m->now_ms += DAY_MS;
    model_prune(m, m->now_ms, 2);
    assert_model(m);
    assert_int_equal(number_of(f, "SELECT count(*) FROM lead"), 0); /* who was never scored has an old outcome now */
    assert_int_equal(number_of(f, "SELECT count(*) FROM lead_score"), 0);
    assert_int_equal(number_of(f, "SELECT count(*) FROM lead_blocks"), 0);
    free(m);
}

/* Should the latest score be among those that go, and another not: that one is the latest then. */
static void
test_the_latest_is_found_anew(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 33);
    struct lf_stored_lead_score scores[2] = {{.latest = true, .grade = "A", .label = "A", .result = "", .score = 1},
                                             {.latest = false, .grade = "B", .label = "B", .result = "", .score = 2}};
    struct lf_settled_lead lead = {.scores = scores, .score_count = 2};
    struct lf_stored_lead stored;
    int64_t blocks[2];
    bool more = true;

    model_record(m, 1, 4, 10);
    m->now_ms += 10;
    model_record(m, 1, 4, 10);
    for (int i = 0; i < 2; i++) {
        blocks[i] = m->scores[i].block;
        scores[i].score_id = m->scores[i].id;
        scores[i].icp_id = m->icp_ids[i];
        scores[i].version_id = m->version_ids[i];
    }
    lead.lead_id = model_id(4, &lead.lead_id_len);
    lead.blocks = blocks;
    lead.block_count = 2;
    OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 2, 0, &f->error));
    assert_int_equal(check(f, false, NULL), 1); /* another than the newest counts as the latest */
    OK(lf_store_prune(f->store, lf_ulid_ms(m->scores[1].id), 9, &more, &f->error));
    OK(lf_store_lead(f->reader, f->arena, lead.lead_id, lead.lead_id_len, &stored, &f->error));
    assert_int_equal(stored.score_count, 1);
    assert_int_equal(stored.scores[0].score, 2);
    assert_true(stored.scores[0].latest);
    assert_int_equal(check(f, false, NULL), 0);
    free(m);
}

static enum lf_status
see_rollup(void *context, const struct lf_stored_rollup *rollup)
{
    int *seen = context;

    assert_int_equal(rollup->body_len, 5);
    ++*seen;
    return LF_OK;
}

static void
test_rollups_and_the_rest_stay(void **state)
{
    struct fixture *f = *state;
    struct model *m = make_week(f, 4);
    struct lf_stored_rollup rollup = {.version_id = m->version_ids[0],
                                      .kind = LF_ROLLUP_TALLY,
                                      .span = LF_SPAN_HOUR,
                                      .start_hour = BEGIN_MS / 3600000,
                                      .body = "tally",
                                      .body_len = 5};
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;
    int seen = 0;

    OK(lf_store_append_scores(f->store, NULL, 0, &rollup, 1, NULL, &f->error));
    model_settle(m, 9);
    model_prune(m, INT64_MAX, 2);
    OK(lf_store_each_rollup(f->reader, rollup.version_id, rollup.kind, rollup.span, INT64_MIN, INT64_MAX, see_rollup,
                            &seen, &f->error));
    assert_int_equal(seen, 1);
    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 100, &entries, &count, &f->error));
    assert_int_equal(count, MODEL_VERSIONS); /* what is done by itself leaves no trace */
    free(m);
}

/* ---- what fails ---- */

static void
test_a_damaged_block(void **state)
{
    static const char *const DAMAGES[] = {
        "UPDATE score_block SET body = zeroblob(50) WHERE id = 3",
        "UPDATE score_block SET last_id = zeroblob(16), body = x'' WHERE id = 3",
        "UPDATE lead_blocks SET body = x'81'",
    };

    (void)state;
    for (size_t row = 0; row < sizeof DAMAGES / sizeof *DAMAGES; row++) {
        struct fixture *f = NULL;
        struct model *m = NULL;
        void *anew = NULL;
        bool more = false;

        print_message("%s\n", DAMAGES[row]);
        assert_int_equal(setup(&anew), 0);
        f = anew;
        m = make_week(f, 4);
        model_settle(m, 9);
        run_sql(f->path, DAMAGES[row]);
        FAILS(lf_store_prune(f->store, lf_ulid_ms(m->scores[4].id), 9, &more, &f->error), LF_STORAGE_CORRUPT);
        assert_int_equal(count_scores(f), 7); /* nothing was taken */
        assert_int_equal(progress_of(f).pruned_ms, 0);
        free(m);
        assert_int_equal(teardown(&anew), 0);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_how_far),
        TEST(test_only_what_is_counted),
        TEST(test_nothing_at_a_time),
        TEST(test_ids_go_on),
        TEST(test_leads),
        TEST(test_the_latest_is_found_anew),
        TEST(test_rollups_and_the_rest_stay),
        TEST(test_a_damaged_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
