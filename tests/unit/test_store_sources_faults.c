/*
 * test_store_sources_faults.c - each allocation and each write to the disk fails in turn while sources are put, deleted
 * and read, and refusals noted: the store holds what it held, or all that is new.
 */
#include "source_store_fixture.h"

#include "disk_faults.h"
#include "sqlite_faults.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What is tried: puts a new one, puts it again, notes what was refused, deletes it. */
enum { PUT, CHANGE, REFUSE, DELETE, STEPS };

static enum lf_status
take_step(struct fixture *f, struct source_model *model, int step, unsigned number)
{
    switch (step) {
    case PUT:
    case CHANGE:
        return put_source(f, model, 2, number, LF_SOURCE_SECRETS_MAX);
    case REFUSE:
        return put_refusals(f, model, 2, number, 3);
    default:
        return delete_source(f, model, 2);
    }
}

/* The model after a failure that left the store in doubt: what a restart finds is what was, or what should be. */
static void
settle_doubt(struct fixture *f, struct source_model *model, const struct source_model *after)
{
    int64_t audit = 0;
    struct lf_stored_refusal *refusals = NULL;
    size_t count = 0;

    OK(lf_store_last_audit(f->reader, &audit, &f->error));
    OK(lf_store_refusals(f->reader, f->arena, model->sources[2].id, &refusals, &count, &f->error));
    if (audit == after->audit && after->audit != model->audit)
        *model = *after;
    else if (audit == model->audit && after->sources[2].there && after->audit == model->audit && count > 0 &&
             refusals[0].bytes == refusal_of(f, after->sources[2].refused, 0).bytes)
        *model = *after;
}

/* The model as it would be, if the step went well. */
static struct source_model
expect_step(const struct source_model *model, int step, unsigned number)
{
    struct source_model after = *model;
    struct modelled *source = &after.sources[2];

    if (step == PUT || step == CHANGE) {
        if (!source->there)
            *source = (struct modelled){
                .there = true, .id = ++after.last_id, .created_at_ms = 1700000000000 + (int64_t)number};
        source->document = source->secrets = number;
        source->secret_count = LF_SOURCE_SECRETS_MAX;
        source->updated_at_ms = 1700000000000 + (int64_t)number;
    } else if (step == REFUSE) {
        source->refused = number;
        source->refusal_count = 3;
        return after;
    } else {
        *source = (struct modelled){.there = false};
    }
    after.audit++;
    return after;
}

static void
test_disk(void **state)
{
    static const struct {
        int reason;
        enum lf_status status;
    } ROWS[] = {{EIO, LF_STORAGE_FAILED}, {ENOSPC, LF_STORAGE_FULL}};
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    unsigned number = 0;

    OK(put_source(f, &model, 0, ++number, 1)); /* a neighbour, which stays as it is */
    assert_true(let_disk_fail());
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        for (int step = 0; step < STEPS; step++) {
            size_t failures = 0;
            bool failed = true;

            for (long n = 0; failed; n++) {
                struct source_model after = expect_step(&model, step, ++number);
                enum lf_status status = LF_OK;

                lf_arena_reset(f->arena);
                disk_arm(n, ROWS[row].reason);
                status = take_step(f, &model, step, number);
                failed = disk_disarm();
                failures += status != LF_OK ? 1 : 0;
                assert_true(status == LF_OK || failed);
                if (status != LF_OK && status != LF_STORAGE_FAILED) /* a flush that failed for want of room, too */
                    assert_int_equal(status, ROWS[row].status);
                close_store(f);
                open_store(f);
                if (status == LF_STORAGE_FAILED)
                    settle_doubt(f, &model, &after);
                assert_model(f, &model);
                if (step == DELETE && !model.sources[2].there)
                    break; /* a second one would find nothing */
            }
            assert_true(failures > 0);
        }
    }
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    struct lf_connection *writer = lf_sqlite_writer(f->store, "testing", &f->error);

    OK(put_source(f, &model, 2, 1, 2));
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(put_source(f, &model, 1, 7, 2), LF_STORAGE_FULL);             /* its document takes pages */
    FAILS(put_source(f, &model, 2, 14, 2), LF_STORAGE_FULL);
    FAILS(put_refusals(f, &model, 2, 1, LF_REFUSALS_KEPT), LF_STORAGE_FULL);
    assert_model(f, &model);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(put_source(f, &model, 1, 7, 2)); /* it goes on by itself */
    OK(put_refusals(f, &model, 2, 1, LF_REFUSALS_KEPT));
    assert_model(f, &model);
    assert_int_equal(check(f, false, NULL), 0);
}

static long fail_at;
static bool has_failed;

static void
arm_verb(void)
{
    arm(fail_at);
}

static void
disarm_verb(void)
{
    has_failed = disarm();
}

/* Each allocation fails in turn, SQLite's own as well; with the statements at hand, and without. */
static void
test_allocations_of_changes(void **state)
{
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    unsigned number = 0;

    OK(put_source(f, &model, 0, ++number, 1));
    for (int cold = 0; cold < 2; cold++) {
        for (int step = 0; step < STEPS; step++) {
            size_t failures = 0;

            has_failed = true;
            for (fail_at = 0; has_failed; fail_at++) {
                enum lf_status status = LF_OK;

                lf_arena_reset(f->arena);
                if (cold == 1) {
                    close_store(f);
                    open_store(f);
                }
                before_verb = arm_verb;
                after_verb = disarm_verb;
                status = take_step(f, &model, step, ++number);
                before_verb = after_verb = NULL;
                failures += status != LF_OK ? 1 : 0;
                assert_true(status == LF_OK || (has_failed && status == LF_OUT_OF_MEMORY));
                assert_model(f, &model);
                if (step == DELETE && status == LF_OK)
                    break; /* a second one would find nothing */
            }
            assert_true(failures > 0);
        }
        assert_false(model.sources[2].there);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_allocations_of_reading(void **state)
{
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    bool failed = true;

    OK(put_source(f, &model, 0, 1, 2));
    OK(put_source(f, &model, 3, 7, 1));
    OK(put_refusals(f, &model, 3, 2, 20));
    for (long n = 0; failed; n++) {
        struct lf_stored_source *sources = NULL;
        struct lf_stored_refusal *refusals = NULL;
        size_t count = 99, refused = 99;
        enum lf_status status = LF_OK;

        close_store(f);
        open_store(f);
        arm(n);
        status = lf_store_sources(f->reader, f->arena, &sources, &count, &f->error);
        if (status == LF_OK)
            status = lf_store_refusals(f->reader, f->arena, model.sources[3].id, &refusals, &refused, &f->error);
        failed = disarm();
        assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY));
        assert_true(sources != NULL || count == 99);
        assert_true(status != LF_OK || (count == 2 && refused == 20));
    }
    assert_model(f, &model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_full),
        TEST(test_disk),
        TEST(test_allocations_of_changes),
        TEST(test_allocations_of_reading),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
