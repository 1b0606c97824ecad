/*
 * test_store_walk.c - walks over recorded scores from the oldest on, over one lead's scores, and over all leads: beside
 * a model in plain arrays, through erasures and pruning, and on damaged bytes.
 */
#include "lead_fixture.h"

#include "store/sqlite/lead_blocks.h"

static const struct lf_ulid ALL = {
    {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};

/* ---- beside the model ---- */

static void
test_empty(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 1);

    assert_model(m);
    free(m);
}

static void
reopen(struct fixture *f)
{
    close_store(f);
    open_store(f);
}

/* One of the things that happen to a store. */
static void
happen(struct model *m)
{
    int lead = (int)chance(m, MODEL_LEADS);

    switch (chance(m, 12)) {
    case 0:
    case 1:
    case 2:
        model_record(m, 1 + chance(m, 3), -2, 0);
        break;
    case 3:
    case 4:
        model_record(m, 1 + chance(m, 30), -2, 0);
        break;
    case 5:
        model_record(m, 1 + chance(m, 5), lead, 10);
        break;
    case 6:
    case 7:
        model_settle(m, 1 + chance(m, 20));
        break;
    case 8:
        model_put_outcome(m, lead);
        break;
    case 9:
        if (model_knows(m, lead))
            (void)model_erase(m, lead, 1 + chance(m, 4));
        break;
    case 10:
        if (m->count > 0 && chance(m, 3) == 0)
            model_prune(m, lf_ulid_ms(m->scores[chance(m, (uint32_t)m->count)].id), 1 + chance(m, 4));
        break;
    default:
        if (chance(m, 4) == 0)
            reopen(m->f);
        break;
    }
}

static void
test_as_the_model(void **state)
{
    struct fixture *f = *state;

    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct model *m = NULL;

        if (seed > 1) {
            void *anew = NULL;

            assert_int_equal(setup(&anew), 0);
            f = anew;
        }
        m = model_create(f, seed);
        for (int i = 0; i < 400 && m->count + 100 < MODEL_SCORES; i++) {
            happen(m);
            if (i % 20 == 0)
                assert_model(m);
        }
        model_settle(m, INT64_MAX / 2);
        assert_model(m);
        reopen(f);
        assert_model(m);
        free(m);
        if (seed > 1) {
            void *used = f;

            assert_int_equal(teardown(&used), 0);
        }
    }
}

/* More blocks than go into one row, with gaps of every width. */
static void
test_a_lead_with_many_blocks(void **state)
{
    enum { BLOCKS = 2500 };
    struct fixture *f = *state;
    struct model *m = model_create(f, 7);
    int64_t rows = 0;

    for (int i = 0; i < BLOCKS; i++)
        model_record(m, 1, i % 3 == 0 ? 4 : i % 500 == 1 ? 5 : 6, 20);
    model_settle(m, INT64_MAX / 2);
    OK(lf_sqlite_int(&((struct lf_sqlite_store *)f->store)->writer,
                     "SELECT max(n) FROM (SELECT count(*) AS n FROM"
                     " lead_blocks GROUP BY lead)",
                     &rows, &f->error));
    assert_true(rows >= 2);
    assert_lead_scores(m, 4, ALL);
    assert_lead_scores(m, 5, ALL);
    assert_lead_scores(m, 6, ALL);
    for (int i = 0; i < 40; i++)
        assert_lead_scores(m, 6, m->scores[chance(m, BLOCKS)].id);
    assert_int_equal(model_erase(m, 6, 100), 17); /* 1,661 blocks */
    model_prune(m, lf_ulid_ms(m->scores[BLOCKS / 2].id), 300);
    assert_model(m);
    free(m);
}

/* ---- being ended ---- */

static void
test_ends_when_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 3);
    size_t len = 0;
    const char *id = model_id(4, &len);

    for (int i = 0; i < 5; i++)
        model_record(m, 4, 4, 50);
    model_settle(m, INT64_MAX / 2);
    for (size_t stop_at = 1; stop_at <= 20; stop_at++) {
        struct beside back = {.m = m, .lead = 4, .to = INT64_MAX, .at = m->count, .stop_at = stop_at},
                      forward = {.m = m, .lead = -2, .to = INT64_MAX, .stop_at = stop_at};

        assert_int_equal(lf_store_each_lead_score(f->reader, f->arena, id, len, ALL, beside_back, &back, &f->error),
                         LF_CONFLICT);
        assert_int_equal(back.count, stop_at);
        assert_int_equal(
            lf_store_each_score_behind(f->reader, f->arena, 0, INT64_MAX, beside_forward, &forward, &f->error),
            LF_CONFLICT);
        assert_int_equal(forward.count, stop_at);
    }
    free(m);
}

static void
test_a_service_that_stops(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 3);
    struct beside b = {.m = m, .lead = 4, .to = INT64_MAX};
    size_t len = 0;
    const char *id = model_id(4, &len);

    model_record(m, 4, 4, 50);
    model_settle(m, 10);
    lf_store_read_until(f->store, 1);
    FAILS(lf_store_each_lead_score(f->reader, f->arena, id, len, ALL, beside_back, &b, &f->error), LF_NOT_READY);
    FAILS(lf_store_each_score_behind(f->reader, f->arena, 0, INT64_MAX, beside_forward, &b, &f->error), LF_NOT_READY);
    assert_int_equal(b.count, 0);
    lf_store_read_until(f->store, 0);
    assert_model(m);
    free(m);
}

/* What a callback does to the store while the walk goes on. */
struct meanwhile {
    struct model *m;
    int what;
    size_t count;
};

static void
do_meanwhile(struct meanwhile *meanwhile)
{
    if (meanwhile->count++ != 2)
        return;
    if (meanwhile->what == 0)
        model_record(meanwhile->m, 1, 4, 50);
    else if (meanwhile->what == 1)
        (void)model_erase(meanwhile->m, 4, 2);
    else
        model_prune(meanwhile->m, INT64_MAX, 2);
}

static enum lf_status
meanwhile_back(void *context, const struct lf_stored_score *score)
{
    (void)score;
    do_meanwhile(context);
    return LF_OK;
}

static enum lf_status
meanwhile_forward(void *context, int64_t block, const struct lf_stored_score *score)
{
    (void)block;
    (void)score;
    do_meanwhile(context);
    return LF_OK;
}

/* No walk holds anything: writing goes on, the log can be emptied, and what is gone is not met any more. */
static void
test_others_write_meanwhile(void **state)
{
    static const struct {
        const char *what;
        int does;
        size_t back, forward;
    } ROWS[] = {
        {"a score is recorded", 0, 10, 11},
        {"the lead is erased: its other blocks are not met", 1, 4, 10},
        {"all is pruned", 2, 4, 4},
    };

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        for (int forward = 0; forward < 2; forward++) {
            struct meanwhile meanwhile = {.what = ROWS[row].does};
            struct fixture *f = *state;
            void *anew = NULL;
            size_t len = 0;
            const char *id = model_id(4, &len);

            print_message("%s\n", ROWS[row].what);
            assert_int_equal(setup(&anew), 0);
            f = anew;
            meanwhile.m = model_create(f, 3);
            for (int i = 0; i < 5; i++)
                model_record(meanwhile.m, 2, 4, 50);
            model_settle(meanwhile.m, 10);
            if (forward == 1)
                OK(lf_store_each_score_behind(f->reader, f->arena, 0, INT64_MAX, meanwhile_forward, &meanwhile,
                                              &f->error));
            else
                OK(lf_store_each_lead_score(f->reader, f->arena, id, len, ALL, meanwhile_back, &meanwhile, &f->error));
            assert_int_equal(meanwhile.count, forward == 1 ? ROWS[row].forward : ROWS[row].back);
            assert_model(meanwhile.m);
            free(meanwhile.m);
            assert_int_equal(teardown(&anew), 0);
        }
    }
}

/* ---- little memory ---- */

static enum lf_status
tell_nothing(void *context, const struct lf_stored_lead *lead)
{
    (void)context;
    (void)lead;
    return LF_OK;
}

static void
test_arena_too_small(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 3);
    struct beside b = {.m = m, .lead = 2, .to = INT64_MAX};
    struct lf_arena *small = lf_arena_create(64, 256);
    size_t len = 0;
    const char *id = model_id(2, &len);

    assert_non_null(small);
    model_record(m, 4, 2, 1000);
    model_settle(m, 10);
    FAILS(lf_store_each_lead_score(f->reader, small, id, len, ALL, beside_back, &b, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_each_score_behind(f->reader, small, 0, 9, beside_forward, &b, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_each_lead(f->reader, small, tell_nothing, NULL, &f->error), LF_OUT_OF_MEMORY);
    assert_int_equal(b.count, 0);
    assert_model(m); /* the reader is none the worse for it */
    lf_arena_destroy(small);
    free(m);
}

/* ---- damage ---- */

static enum lf_status
count_back(void *context, const struct lf_stored_score *score)
{
    size_t *count = context;

    (void)score;
    ++*count;
    return LF_OK;
}

static enum lf_status
count_forward(void *context, int64_t block, const struct lf_stored_score *score)
{
    (void)block;
    return count_back(context, score);
}

/* A store in which lead 4 has scores in blocks 1 to 5 and 7. */
static struct model *
make_seven(struct fixture *f)
{
    struct model *m = model_create(f, 3);

    for (int i = 1; i <= 7; i++)
        model_record(m, 2, i == 6 ? 5 : 4, 50);
    model_settle(m, 10);
    return m;
}

static void
test_damage(void **state)
{
    static const struct {
        const char *what, *sql;
        enum lf_status back, forward, erased, pruned;
    } ROWS[] = {
        {"nothing", "SELECT 1", LF_OK, LF_OK, LF_OK, LF_OK},
        {"an empty row", "UPDATE lead_blocks SET body = x''", LF_STORAGE_CORRUPT, LF_OK, LF_STORAGE_CORRUPT, LF_OK},
        {"it ends within a number", "UPDATE lead_blocks SET body = CAST(body || x'80' AS BLOB)", LF_STORAGE_CORRUPT,
         LF_OK, LF_STORAGE_CORRUPT, LF_OK},
        {"a block twice", "UPDATE lead_blocks SET body = CAST(body || x'00' AS BLOB)", LF_STORAGE_CORRUPT, LF_OK,
         LF_STORAGE_CORRUPT, LF_OK},
        {"a number without an end", "UPDATE lead_blocks SET body = x'ffffffffffffffffffffffffff01'", LF_STORAGE_CORRUPT,
         LF_OK, LF_STORAGE_CORRUPT, LF_OK},
        {"a number past all", "UPDATE lead_blocks SET body = x'01ffffffffffffffff7f'", LF_STORAGE_CORRUPT, LF_OK,
         LF_STORAGE_CORRUPT, LF_OK},
        {"it ends elsewhere than its row says", "UPDATE lead_blocks SET last_block = last_block + 1",
         LF_STORAGE_CORRUPT, LF_OK, LF_STORAGE_CORRUPT, LF_STORAGE_CORRUPT},
        {"it begins elsewhere than its row says", "UPDATE lead_blocks SET first_block = 7 WHERE lead = 1",
         LF_STORAGE_CORRUPT, LF_OK, LF_OK, LF_OK},
        {"a block behind all there are",
         "UPDATE lead_blocks SET body = CAST(body || x'09' AS BLOB), last_block = last_block + 9", LF_OK, LF_OK, LF_OK,
         LF_OK},
        {"a block's bytes", "UPDATE score_block SET body = zeroblob(100) WHERE id = 3", LF_STORAGE_CORRUPT,
         LF_STORAGE_CORRUPT, LF_STORAGE_CORRUPT, LF_STORAGE_CORRUPT},
        {"a block that is gone", "DELETE FROM score_block WHERE id = 3", LF_STORAGE_CORRUPT, LF_OK, LF_OK, LF_OK},
    };

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct fixture *f = NULL;
        struct model *m = NULL;
        struct lf_change change = by_ops(1);
        void *anew = NULL;
        size_t len = 0, count = 0;
        const char *id = model_id(4, &len);
        bool more = false;

        print_message("%s\n", ROWS[row].what);
        for (int prunes = 0; prunes < 2; prunes++) {
            assert_int_equal(setup(&anew), 0);
            f = anew;
            m = make_seven(f);
            run_sql(f->path, ROWS[row].sql);
            assert_int_equal(lf_store_each_lead_score(f->reader, f->arena, id, len, ALL, count_back, &count, &f->error),
                             ROWS[row].back);
            assert_int_equal(
                lf_store_each_score_behind(f->reader, f->arena, 0, INT64_MAX, count_forward, &count, &f->error),
                ROWS[row].forward);
            if (prunes == 0)
                assert_int_equal(
                    lf_store_erase_lead(f->store, id, len, 100, anonymise, NULL, &change, &more, &f->error),
                    ROWS[row].erased);
            else
                assert_int_equal(lf_store_prune(f->store, INT64_MAX, 100, &more, &f->error), ROWS[row].pruned);
            free(m);
            assert_int_equal(teardown(&anew), 0);
        }
    }
    (void)state;
}

/* Whatever the bytes are: a status, and never a crash nor a loop without an end. */
static void
test_any_bytes(void **state)
{
    struct fixture *f = *state;
    struct model *m = make_seven(f);
    struct lf_change change = by_ops(1);
    size_t len = 0, count = 0;
    const char *id = model_id(4, &len);

    for (int i = 0; i < 600; i++) {
        char sql[512], hex[64] = "";
        size_t size = chance(m, 14);
        bool more = false;
        enum lf_status status = LF_OK;

        for (size_t b = 0; b < size; b++)
            (void)snprintf(hex + 2 * b, sizeof hex - 2 * b, "%02x",
                           chance(m, 3) == 0 ? 0x80 | chance(m, 128) : chance(m, 9));
        (void)snprintf(sql, sizeof sql,
                       "DELETE FROM lead_blocks WHERE lead = 1; INSERT INTO lead_blocks VALUES (1, %u, %u, x'%s')",
                       1 + chance(m, 5), chance(m, 12), hex);
        OK(lf_sqlite_exec(&((struct lf_sqlite_store *)f->store)->writer, sql, &f->error));
        status = lf_store_each_lead_score(f->reader, f->arena, id, len, ALL, count_back, &count, &f->error);
        assert_true(status == LF_OK || status == LF_STORAGE_CORRUPT);
        /* Which of these it is, the bytes say; the lead's name stays as long as it fails. */
        for (int slices = 0; slices < 20; slices++) {
            status = lf_store_erase_lead(f->store, id, len, 1, anonymise, NULL, &change, &more, &f->error);
            assert_true(status == LF_OK || status == LF_STORAGE_CORRUPT);
            if (status != LF_OK || !more)
                break;
        }
        assert_true(status != LF_OK || !more);
        (void)snprintf(sql, sizeof sql, "UPDATE lead SET lead_id = '%.200s' WHERE id = 1", id);
        OK(lf_sqlite_exec(&((struct lf_sqlite_store *)f->store)->writer, sql, &f->error));
    }
    free(m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_as_the_model),
        TEST(test_a_lead_with_many_blocks),
        TEST(test_ends_when_it_is_told),
        TEST(test_a_service_that_stops),
        TEST(test_others_write_meanwhile),
        TEST(test_arena_too_small),
        TEST(test_damage),
        TEST(test_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
