/*
 * test_store_erase.c - a lead is erased: from the blocks with its scores, and from what is known of it. With each
 * allocation failing in turn, SQLite's own as well, when it is erased, when its scores are read, and when old ones are
 * taken away. That nothing of it is left in the bytes of the files: test_store_traces.c.
 */
#include "lead_fixture.h"

#include "sqlite_faults.h"

/* ---- what is erased, and what stays ---- */

static void
test_erase(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 11);
    size_t leads = 0;

    for (int i = 0; i < 30; i++) {
        model_record(m, 1 + chance(m, 20), -2, i == 7 ? 300000 : 0);
        if (i % 3 == 0)
            model_put_outcome(m, (int)chance(m, MODEL_LEADS));
        if (i % 5 == 0)
            model_settle(m, 1 + chance(m, 5));
    }
    model_settle(m, 100);
    for (int lead = 0; lead < MODEL_LEADS; lead++) {
        if (!model_knows(m, lead))
            continue;
        leads++;
        (void)model_erase(m, lead, 1 + chance(m, 8));
        if (lead % 6 == 0)
            assert_model(m);
    }
    assert_true(leads > MODEL_LEADS / 2);
    close_store(f);
    open_store(f);
    assert_model(m);
    free(m);
}

/* A block keeps its place: only its bytes are others. */
static void
test_blocks_keep_their_place(void **state)
{
    static const char SUM[] = "SELECT sum(id * 7 + count * 11 + position * 13) + sum(unicode(hex(first_id)) +"
                              " unicode(substr(hex(last_id), 20))) FROM score_block";
    struct fixture *f = *state;
    struct model *m = model_create(f, 12);
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    int64_t before = 0, after = 0, bytes = 0, fewer = 0;

    for (int i = 0; i < 6; i++)
        model_record(m, 5, i % 2 == 0 ? 4 : -2, 400);
    model_settle(m, 100);
    OK(lf_sqlite_int(writer, SUM, &before, &f->error));
    OK(lf_sqlite_int(writer, "SELECT sum(length(body)) FROM score_block", &bytes, &f->error));
    assert_true(model_erase(m, 4, 1) >= 3);
    OK(lf_sqlite_int(writer, SUM, &after, &f->error));
    OK(lf_sqlite_int(writer, "SELECT sum(length(body)) FROM score_block", &fewer, &f->error));
    assert_int_equal(before, after);
    assert_true(fewer <= bytes - 15 * 400 + 15 * (int64_t)sizeof NAMELESS);
    assert_model(m);
    free(m);
}

static void
assert_traces(struct fixture *f, size_t count)
{
    struct lf_audit_entry *entries = NULL;
    size_t there = 0;

    OK(lf_store_audit(f->reader, f->arena, NULL, MODEL_VERSIONS, 100, &entries, &there,
                      &f->error)); /* not publishing */
    assert_int_equal(there, count);
    for (size_t i = 0; i < there; i++) {
        assert_string_equal(entries[i].action, "lead.erase");
        assert_string_equal(entries[i].subject, "");
        assert_string_equal(entries[i].icp, "");
        assert_string_equal(entries[i].by, "ops");
        assert_string_equal(entries[i].note, "a note");
        assert_string_equal(entries[i].before, "");
        assert_string_equal(entries[i].after, "");
        assert_int_equal(entries[i].version, 0);
    }
}

static void
test_it_is_noted_once(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 13);
    struct lf_change change = by_ops(5);
    size_t len = 0;
    const char *id = model_id(4, &len);
    bool more = true;

    for (int i = 0; i < 3; i++)
        model_record(m, 2, 4, 10);
    FAILS(lf_store_erase_lead(f->store, id, len, 1, anonymise, m, &change, &more, &f->error), LF_LEAD_NOT_FOUND);
    assert_null(strstr(f->error.detail, "eeee")); /* errors are logged: they name nobody */
    model_settle(m, 100);
    OK(lf_store_erase_lead(f->store, id, len, 0, anonymise, m, &change, &more, &f->error)); /* nothing, by and by */
    assert_true(more);
    for (int left = 2; left >= 0; left--) {
        assert_traces(f, 0);
        OK(lf_store_erase_lead(f->store, id, len, 1, anonymise, m, &change, &more, &f->error));
        assert_int_equal(more, left > 0);
    }
    assert_traces(f, 1);
    FAILS(lf_store_erase_lead(f->store, id, len, 1, anonymise, m, &change, &more, &f->error), LF_LEAD_NOT_FOUND);
    assert_traces(f, 1);
    model_forget(m, 4);
    assert_model(m);

    model_record(m, 2, 4, 10); /* whoever comes again is somebody new */
    model_settle(m, 100);
    assert_model(m);
    (void)model_erase(m, 4, 10);
    assert_traces(f, 2);
    assert_model(m);
    free(m);
}

static void
test_only_an_outcome(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 14);
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    int64_t rows = 9;

    model_put_outcome(m, 4);
    model_put_outcome(m, 3); /* whose id has a NUL in it */
    assert_model(m);
    assert_int_equal(model_erase(m, 4, 10), 1);
    assert_int_equal(model_erase(m, 3, 10), 1);
    assert_model(m);
    OK(lf_sqlite_int(writer, "SELECT count(*) FROM lead", &rows, &f->error));
    assert_int_equal(rows, 0);
    assert_traces(f, 2);
    free(m);
}

/* An erasure that was cut off goes on where it was. */
static void
test_cut_off(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 15);
    struct lf_change change = by_ops(5);
    struct lf_stored_lead lead;
    size_t len = 0, count = 0;
    const char *id = model_id(4, &len);
    bool more = true;

    for (int i = 0; i < 10; i++)
        model_record(m, 3, i % 3 == 2 ? -2 : 4, 100);
    model_put_outcome(m, 4);
    model_settle(m, 8);
    for (; more; count++) {
        OK(lf_store_erase_lead(f->store, id, len, 2, anonymise, m, &change, &more, &f->error));
        close_store(f);
        open_store(f);
        if (count == 0) { /* what comes meanwhile is erased with the rest */
            OK(lf_store_lead(f->reader, f->arena, id, len, &lead, &f->error));
            assert_true(lead.has_outcome);
            model_settle(m, 100);
        }
    }
    assert_true(count >= 4);
    model_forget(m, 4);
    assert_model(m);
    free(m);
}

static enum lf_status
cannot_anonymise(void *context, const struct lf_stored_score *score, struct lf_buf *body, struct lf_error *error)
{
    int *left = context;

    if ((*left)-- == 0)
        return lf_fail(error, LF_STORAGE_CORRUPT, "this one cannot be read");
    return anonymise(NULL, score, body, error);
}

static void
test_a_failure_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 16);
    struct lf_change change = by_ops(5);
    size_t len = 0;
    const char *id = model_id(4, &len);
    bool more = false;

    for (int i = 0; i < 3; i++)
        model_record(m, 3, 4, 100);
    model_settle(m, 100);
    for (int at = 0; at < 9; at++) {
        int left = at;

        FAILS(lf_store_erase_lead(f->store, id, len, 9, cannot_anonymise, &left, &change, &more, &f->error),
              LF_STORAGE_CORRUPT);
        assert_string_equal(f->error.detail, "this one cannot be read");
    }
    assert_model(m);
    assert_traces(f, 0);
    (void)model_erase(m, 4, 9);
    assert_model(m);
    free(m);
}

static void
test_reading_only(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 17);
    struct lf_change change = by_ops(5);
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_store *second = NULL;
    bool more = false;

    model_put_outcome(m, 4);
    OK(lf_store_open(&options, &second, &f->error));
    FAILS(lf_store_erase_lead(second, "x", 1, 9, anonymise, m, &change, &more, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_prune(second, 1, 9, &more, &f->error), LF_STORAGE_FAILED);
    lf_store_close(second);
    free(m);
}

/* ---- allocations ---- */

/* Tries until no allocation fails any more: each time all is as it was, and the status says why. */
static void
test_allocations(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 18);
    struct lf_change change = by_ops(5);
    size_t len = 0;
    const char *id = model_id(4, &len);
    bool more = false, failed = true;
    long n = 0;

    for (int i = 0; i < 4; i++)
        model_record(m, 3, i == 2 ? -2 : 4, i == 1 ? 50000 : 100);
    model_put_outcome(m, 4);
    model_settle(m, 100);
    for (; failed; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_store_erase_lead(f->store, id, len, 9, anonymise, NULL, &change, &more, &f->error);
        failed = disarm();
        if (status == LF_OK)
            break; /* nothing failed, or nothing that matters */
        assert_true(failed);
        assert_int_equal(status, LF_OUT_OF_MEMORY);
        if (n % 20 == 0)
            assert_lead_scores(m, 4, m->scores[m->count - 1].id);
    }
    assert_true(n > 20);
    assert_false(more);
    model_forget(m, 4);
    assert_model(m);
    assert_traces(f, 1);
    free(m);
}

static void
test_allocations_of_pruning_and_walks(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 19);
    bool more = true, failed = true;
    size_t len = 0;
    const char *id = model_id(5, &len);
    long n = 0;

    for (int i = 0; i < 6; i++)
        model_record(m, 3, i == 2 ? -2 : 3 + i, i == 1 ? 50000 : 100);
    model_settle(m, 100);
    (void)model_erase(m, 4, 9);
    close_store(f);
    open_store(f); /* no statement is prepared */
    for (failed = true, n = 0; failed; n++) {
        struct beside b = {.m = m, .lead = 5, .to = INT64_MAX, .at = m->count};
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_store_each_lead_score(f->reader, f->arena, id, len, m->scores[m->count - 1].id, beside_back, &b,
                                          &f->error);
        failed = disarm();
        assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY));
    }
    assert_true(n > 20);
    for (failed = true, n = 0; failed; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_store_prune(f->store, lf_ulid_ms(m->scores[12].id), 9, &more, &f->error);
        failed = disarm();
        if (status == LF_OK)
            break;
        assert_true(failed);
        assert_int_equal(status, LF_OUT_OF_MEMORY);
    }
    assert_true(n > 20);
    assert_false(more);
    (void)model_forget_before(m, lf_ulid_ms(m->scores[12].id));
    assert_model(m);
    free(m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_erase),
        TEST(test_blocks_keep_their_place),
        TEST(test_it_is_noted_once),
        TEST(test_only_an_outcome),
        TEST(test_cut_off),
        TEST(test_a_failure_leaves_all_as_it_was),
        TEST(test_reading_only),
        TEST(test_allocations),
        TEST(test_allocations_of_pruning_and_walks),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
