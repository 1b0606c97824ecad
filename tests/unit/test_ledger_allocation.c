/*
 * test_ledger_allocation.c - the ledger while each allocation fails in turn (faults.h): what fails has not happened,
 * what does not is counted, and nothing is lost of what waits.
 */
#include "faults.h"

/* The allocation that fails during the next call; whether it came to it. */
static struct {
    long next;
    bool failed;
    enum lf_status status;
} trial;

#define AROUND(call) (arm(trial.next), trial.status = (call), trial.failed = disarm(), trial.status)

#include "ledger_fixture.h"

/* One call with its n-th allocation failing. Returns whether that was one allocation too many: then it worked. */
static bool
was_last(const struct fixture *f, enum lf_status status)
{
    if (!trial.failed) {
        if (status != LF_OK)
            fail_msg("allocation %ld: %s", trial.next, f->error.detail);
        return true;
    }
    if (status != LF_OK && status != LF_OUT_OF_MEMORY) /* what fails behind the commit is mended at the next call */
        fail_msg("allocation %ld: %s: %s", trial.next, lf_status_word(status), f->error.detail);
    return false;
}

static void
test_recording(void **state)
{
    struct world *w = *state;
    size_t refused = 0;

    for (trial.next = 0;; trial.next++) {
        enum lf_status status = record_leads(w, (size_t)trial.next % SETS, (const int[]){1, 2, -1, 1}, 4, HOUR_MS);

        refused += status != LF_OK;
        if (was_last(w->f, status))
            break;
        if (trial.next % 10 == 0)
            reopen(w); /* with nothing open at first */
        if (trial.next % 25 == 0)
            agree(w);
    }
    assert_true(trial.next > 20);
    assert_in_range(refused, 10, trial.next - 1);
    agree(w);
}

static void
test_settling(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    bool more = false;

    for (trial.next = 0;; trial.next++) {
        enum lf_status status = LF_OK;
        long next = trial.next;

        trial.next = 1 << 30;
        OK(record_some(w, 2, HOUR_MS));
        if (next % 3 == 0)
            reopen(w); /* what waits has been read again */
        trial.next = next;
        status = AROUND(lf_ledger_tend(w->ledger, f->store, true, &more, &f->error));
        if (was_last(f, status))
            break;
        assert_int_equal(status, LF_OUT_OF_MEMORY);
        if (trial.next % 20 == 0)
            agree(w);
    }
    assert_true(trial.next > 20);
    agree(w);
}

static void
test_outcomes(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;

    trial.next = 1 << 30;
    OK(record_leads(w, 1, (const int[]){1, 2, 3}, 3, HOUR_MS));
    for (trial.next = 0;; trial.next++) {
        const struct said said = {true, trial.next % 2 == 0 ? LF_OUTCOME_WON : LF_OUTCOME_LOST, 1000000, trial.next};
        long next = trial.next;
        enum lf_status status = LF_OK;

        trial.next = 1 << 30;
        OK(record_leads(w, (size_t)next % SETS, (const int[]){1, 2}, 2, 1000));
        trial.next = next;
        status = say_outcomes(w, (const int[]){1, 3}, (const struct said[]){said, said}, 2);
        if (was_last(f, status))
            break;
        assert_int_equal(status, LF_OUT_OF_MEMORY);
        if (trial.next % 20 == 0)
            agree(w);
    }
    assert_true(trial.next > 20);
    agree(w);
}

static void
test_starting(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;

    trial.next = 1 << 30;
    OK(record_leads(w, 1, (const int[]){1, 2}, 2, HOUR_MS));
    OK(record_leads(w, 2, (const int[]){1}, 1, HOUR_MS));
    for (int due = 0; due < 2; due++) {
        if (due == 1) {
            close_ledger(w);
            close_store(f);
            run_sql(f->path, "DELETE FROM rollup; DELETE FROM lead_score; DELETE FROM lead_blocks;"
                             "UPDATE meta SET value = 0 WHERE name IN ('settled_block', 'rolled_block');"
                             "UPDATE meta SET value = (SELECT max(id) FROM score_block) WHERE name = 'due_block'");
            open_store(f);
        }
        for (trial.next = 0;; trial.next++) {
            enum lf_status status = LF_OK;

            close_ledger(w);
            status = AROUND((w->catalog = lf_catalog_create()) == NULL
                                ? LF_OUT_OF_MEMORY
                                : lf_ledger_create(f->store, w->catalog, &w->ledger, &f->error));
            if (status == LF_OK && !trial.failed)
                status = AROUND(lf_ledger_catch_up(w->ledger, NULL, &f->error));
            if (was_last(f, status))
                break;
            assert_int_equal(status, LF_OUT_OF_MEMORY);
        }
        agree(w);
    }
}

static void
test_checking(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;

    trial.next = 1 << 30;
    OK(record_some(w, 5, 10 * HOUR_MS));
    OK(record_some(w, 5, 10 * HOUR_MS));
    OK(say_some(w, 10));
    settle_now(w);
    for (trial.next = 0;; trial.next++) {
        struct lf_catalog *catalog = lf_catalog_create();
        struct lf_findings findings;
        int64_t rollups = 0;
        enum lf_status status = LF_OK;

        assert_non_null(catalog);
        lf_findings_init(&findings, f->arena);
        status = AROUND(lf_ledger_check(f->reader, catalog, &findings, &rollups, &f->error));
        lf_catalog_destroy(catalog);
        assert_int_equal(findings.count, 0);
        if (was_last(f, status))
            break;
        if (status == LF_OK) /* the set of first scores alone may do without */
            assert_true(rollups > 0);
    }
    assert_true(trial.next > 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_recording), WORLD_TEST(test_settling), WORLD_TEST(test_outcomes),
        WORLD_TEST(test_starting),  WORLD_TEST(test_checking),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
