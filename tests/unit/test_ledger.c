/*
 * test_ledger.c - what scores add up to, and what is known of leads: by time, over restarts and failures, with
 * outcomes; a model that counts the long way agrees each time, and so does the check.
 */
#include "ledger_fixture.h"

/* ---- by time ---- */

/* Hours, days, months and a year turn, within a batch and between batches. */
static void
test_spans(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    static const int64_t STEPS_MS[] = {60000, 1, HOUR_MS / 3, 0, 5 * HOUR_MS, 24 * HOUR_MS, 10 * 24 * HOUR_MS, 1};

    for (size_t i = 0; i < sizeof STEPS_MS / sizeof STEPS_MS[0]; i++)
        OK(record_some(w, 20, STEPS_MS[i]));
    tallies_agree(w);
    check_fine(w); /* nothing is settled yet */
    agree(w);
}

/* Of February, and of the last day of a leap year. */
static void
test_leap_years(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;

    for (int year = 2027; year < 2030; year++) {
        w->now_ms = support_ms(lf_arena_printf(f->arena, "%d-02-28T22:30:00Z", year));
        OK(record_some(w, 10, HOUR_MS));
        w->now_ms += 36 * HOUR_MS;
        OK(record_some(w, 10, HOUR_MS));
        w->now_ms = support_ms(lf_arena_printf(f->arena, "%d-12-31T22:30:00Z", year));
        OK(record_some(w, 10, HOUR_MS));
    }
    agree(w);
}

/* The baseline ends with the thousandth score, within a batch, over a restart and after a failure. */
static void
test_baseline(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    int leads[BATCH];

    for (int i = 0; i < BATCH; i++)
        leads[i] = i % LEADS;
    for (int i = 0; i < 17; i++) { /* 1,088 scores */
        if (i == 10)
            reopen(w);
        if (i == 15) {
            trouble.record = LF_STORAGE_FULL;
            FAILS(record_leads(w, 1, leads, BATCH, 1000), LF_STORAGE_FULL);
        }
        OK(record_leads(w, 1, leads, BATCH, 1000));
    }
    agree(w);
    reopen(w);
    OK(record_leads(w, 1, leads, BATCH, 1000));
    agree(w);
}

/* ---- first scores ---- */

static int64_t
leads_of(struct world *w, size_t version)
{
    int64_t count = 0;

    for (size_t i = 0; i < w->told_count; i++)
        count += w->told[i].version_id == w->versions[version] && w->told[i].first;
    return count;
}

/* A lead's first score under an ICP, whatever version: twice in one batch, while it waits, settled, after a restart. */
static void
test_firsts(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;

    OK(record_leads(w, 0, (const int[]){1, 1, 2, -1}, 4, 1));
    assert_int_equal(leads_of(w, 0), 2);
    OK(record_leads(w, 0, (const int[]){1, 3}, 2, 1));
    settle_now(w);
    OK(record_leads(w, 2, (const int[]){1, 2, 4}, 3, 1)); /* the ICP's second version, and another ICP */
    assert_int_equal(leads_of(w, 1), 1);
    assert_int_equal(leads_of(w, 2), 3);
    reopen(w); /* what waits is read again */
    OK(record_leads(w, 2, (const int[]){4, 5, 1}, 3, 1));
    assert_int_equal(leads_of(w, 1), 2);
    agree(w);
}

/* ---- outcomes ---- */

static void
test_outcomes(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    const struct said won = {.any = true, .outcome = LF_OUTCOME_WON, .value = 2500000, .at_ms = 1000},
                      lost = {.any = true, .outcome = LF_OUTCOME_LOST, .at_ms = 2000},
                      open = {.any = true, .outcome = LF_OUTCOME_OPEN, .at_ms = 500};

    OK(say_outcomes(w, (const int[]){9}, &won, 1)); /* nobody has scored it */
    OK(record_leads(w, 1, (const int[]){1, 2, 3}, 3, 1));
    OK(say_outcomes(w, (const int[]){1, 2}, (const struct said[]){won, lost}, 2)); /* while they wait */
    assert_int_equal(lf_ledger_depth(w->ledger), 1);
    agree(w);
    OK(say_outcomes(w, (const int[]){2, 1, 1}, (const struct said[]){won, lost, won}, 3)); /* earlier words lose */
    agree(w);
    OK(say_outcomes(w, (const int[]){1, 3}, (const struct said[]){open, open}, 2));
    OK(record_leads(w, 2, (const int[]){1, 2, 9}, 3, 30 * HOUR_MS)); /* counted anew, elsewhere */
    agree(w);
    OK(record_leads(w, 0, (const int[]){1, 2, 9}, 3, 30 * HOUR_MS)); /* back to the version before */
    OK(say_outcomes(w, (const int[]){1}, (const struct said[]){{true, LF_OUTCOME_WON, 1, 2000}}, 1)); /* as late */
    agree(w);
}

/* ---- failures ---- */

/* A commit that failed has not happened, whatever of it; and the next one counts right. */
static void
test_failed_commits(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    const struct said won = {.any = true, .outcome = LF_OUTCOME_WON, .value = 1, .at_ms = 5};
    bool more = false;

    OK(record_some(w, 30, 1000));
    trouble.record = LF_STORAGE_FULL;
    FAILS(record_some(w, 30, HOUR_MS), LF_STORAGE_FULL);
    tallies_agree(w);
    OK(record_some(w, 30, 1000));
    trouble.settle = LF_STORAGE_FULL;
    trouble.settles_left = 0;
    FAILS(lf_ledger_tend(w->ledger, f->store, true, &more, &f->error), LF_STORAGE_FULL);
    assert_true(lf_ledger_depth(w->ledger) > 0);
    OK(record_some(w, 30, 1000)); /* while a round is stuck */
    trouble.outcomes = LF_STORAGE_FULL;
    FAILS(say_outcomes(w, (const int[]){1}, &won, 1), LF_STORAGE_FULL);
    agree(w);
    OK(say_outcomes(w, (const int[]){1}, &won, 1));
    agree(w);
}

/* A score that is none of ours is refused, and nothing else suffers. */
static void
test_bad_record(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct lf_stored_score score = {
        .as_of_ms = w->now_ms, .lead_id = "L1", .lead_id_len = 2, .body = "no", .body_len = 2};
    const struct lf_stored_score *scores[] = {&score};
    const struct lf_recording recording = {.scores = scores, .count = 1}, nothing = {.count = 0};

    OK(record_some(w, 5, 1));
    assert_true(lf_ulid_next(&f->mint, w->now_ms, &score.id));
    FAILS(lf_ledger_record(w->ledger, f->store, &recording, &f->error), LF_INTERNAL);
    OK(lf_ledger_record(w->ledger, f->store, &nothing, &f->error));
    OK(record_some(w, 5, 1));
    agree(w);
}

/* ---- by chance ---- */

static void
test_by_chance(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    bool more = false;

    for (int i = 0; i < 250; i++) {
        switch (support_random(&w->random, 12)) {
        case 0:
        case 1:
        case 2:
        case 3:
            OK(record_some(w, 1 + support_random(&w->random, 30), support_random(&w->random, 3000)));
            break;
        case 4:
            OK(record_some(w, 1 + support_random(&w->random, 5), support_random(&w->random, 20 * HOUR_MS)));
            break;
        case 5:
        case 6:
            OK(say_some(w, 1 + support_random(&w->random, 6)));
            break;
        case 7:
            OK(lf_ledger_tend(w->ledger, f->store, support_random(&w->random, 2) == 0, &more, &f->error));
            break;
        case 8:
            trouble.record = LF_STORAGE_FULL;
            assert_int_equal(record_some(w, 3, 1000), LF_STORAGE_FULL);
            break;
        case 9:
            trouble.settle = LF_STORAGE_FULL;
            trouble.settles_left = 0;
            if (lf_ledger_tend(w->ledger, f->store, true, &more, &f->error) != LF_OK) /* else nothing waited */
                assert_int_equal(f->error.status, LF_STORAGE_FULL);
            trouble.settle = LF_OK;
            break;
        case 10:
            if (support_random(&w->random, 3) == 0)
                reopen(w);
            break;
        case 11:
            if (support_random(&w->random, 4) == 0)
                agree(w);
            else
                check_fine(w);
            break;
        }
    }
    agree(w);
    reopen(w);
    agree(w);
}

/* ---- many leads ---- */

enum { MANY = 50000, MANY_BATCH = 1000 };

/* Many leads at a time: more wait than may, so recording settles some itself; and it goes on after a crash. */
static void
test_many_leads(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct prepared prepared;
    struct lf_stored_score *scores = calloc(MANY_BATCH, sizeof *scores);
    const struct lf_stored_score **pointers = calloc(MANY_BATCH, sizeof(struct lf_stored_score *));
    const struct lf_recording recording = {.scores = pointers, .count = MANY_BATCH};
    char(*ids)[16] = calloc(MANY_BATCH, sizeof *ids);
    struct lf_stored_lead lead;
    size_t most = 0;

    assert_non_null(scores);
    assert_non_null(pointers);
    assert_non_null(ids);
    prepare_score(w, 1, 0, &prepared); /* all with the same fields */
    for (int at = 0; at < MANY; at += MANY_BATCH) {
        for (int i = 0; i < MANY_BATCH; i++) {
            scores[i] = prepared.score;
            (void)snprintf(ids[i], sizeof ids[i], "M%d", (at + i) % (MANY - 5));
            scores[i].lead_id = ids[i];
            scores[i].lead_id_len = strlen(ids[i]);
            assert_true(lf_ulid_next(&f->mint, BEGIN_MS + at + i, &scores[i].id));
            pointers[i] = &scores[i];
        }
        OK(lf_ledger_record(w->ledger, f->store, &recording, &f->error));
        most = lf_ledger_depth(w->ledger) > most ? lf_ledger_depth(w->ledger) : most;
        if (at == MANY / 2)
            reopen(w);
    }
    assert_in_range(most, 20000, 20000 + MANY_BATCH);
    settle_now(w);
    check_fine(w);
    for (int i = 0; i < 8; i++) {
        (void)snprintf(ids[0], sizeof ids[0], "M%d", i < 5 ? i : MANY - 1 - i);
        OK(lf_store_lead(f->reader, f->arena, ids[0], strlen(ids[0]), &lead, &f->error));
        assert_int_equal(lead.score_count, 2);
        assert_int_equal(lf_ulid_ms(lead.scores[0].score_id) - BEGIN_MS, i < 5 ? MANY - 5 + i : MANY - 1 - i);
    }
    free(ids);
    free(pointers);
    free(scores);
}

/* ---- what was recorded before there was a ledger ---- */

/* As a migration leaves it: recorded, and all of it due. */
static void
make_due(struct world *w)
{
    close_ledger(w);
    close_store(w->f);
    run_sql(w->f->path, "DELETE FROM rollup; DELETE FROM lead_score; DELETE FROM lead_blocks;"
                        "DELETE FROM lead WHERE outcome = '';"
                        "UPDATE meta SET value = 0 WHERE name IN ('settled_block', 'rolled_block');"
                        "UPDATE meta SET value = (SELECT max(id) FROM score_block) WHERE name = 'due_block'");
    open_store(w->f);
}

static struct {
    int64_t last, of;
    int count;
} heard;

static void
hear(int64_t done, int64_t of)
{
    assert_true(done > heard.last && done <= of);
    heard.last = done;
    heard.of = of;
    heard.count++;
}

static void
sum_up(void *context, const char *icp, int version, const char *grade, int64_t count)
{
    (void)icp;
    (void)version;
    (void)grade;
    *(int64_t *)context += count;
}

static void
test_catch_up(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    size_t told = 0;
    int64_t sum = 0;

    for (int i = 0; i < 120; i++) { /* some 5,000 scores, in three stretches */
        OK(record_some(w, 20 + support_random(&w->random, BATCH - 20), support_random(&w->random, HOUR_MS)));
        if (i % 10 == 0)
            OK(say_some(w, 5));
    }
    for (int failing = 0; failing < 2; failing++) {
        make_due(w);
        f->store->backend = &w->backend;
        heard.last = heard.count = 0;
        for (int attempt = 0; failing == 1 && attempt < 3; attempt++) { /* each gets one stretch further */
            w->catalog = lf_catalog_create();
            trouble.settle = LF_STORAGE_FULL;
            trouble.settles_left = 1;
            OK(lf_ledger_create(f->store, w->catalog, &w->ledger, &f->error));
            if (lf_ledger_catch_up(w->ledger, hear, &f->error) == LF_OK)
                assert_int_equal(attempt, 2);
            trouble.settle = LF_OK;
            close_ledger(w);
        }
        w->catalog = lf_catalog_create();
        OK(lf_ledger_create(f->store, w->catalog, &w->ledger, &f->error));
        OK(lf_ledger_catch_up(w->ledger, hear, &f->error));
        assert_true(heard.count > 0);
        assert_int_equal(heard.last, heard.of);
        agree(w);
        told = w->told_count;
        OK(record_some(w, 30, 1000)); /* and it goes on from there */
        agree(w);
        sum = 0;
        lf_ledger_each_count(w->ledger, sum_up, &sum);
        assert_int_equal(sum, w->told_count - told); /* what was counted afterwards was not recorded since the start */
    }
}

/* ---- since the start ---- */

static void
add_up(void *context, const char *icp, int version, const char *grade, int64_t count)
{
    struct world *w = context;
    size_t v = strcmp(icp, "other") == 0 ? 2 : (size_t)version - 1;
    int64_t expected = 0;

    for (size_t i = 0; i < w->told_count; i++)
        expected += w->told[i].version_id == w->versions[v] && strcmp(grade_of(w, &w->told[i]), grade) == 0;
    assert_int_equal(count, expected);
    w->said[0].value++; /* how often it was called */
}

static void
test_each_count(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;

    lf_ledger_each_count(w->ledger, add_up, w);
    assert_int_equal(w->said[0].value, 0);
    OK(record_some(w, 40, 1));
    OK(record_some(w, 40, 1));
    trouble.record = LF_STORAGE_FULL;
    FAILS(record_some(w, 40, 1), LF_STORAGE_FULL);
    OK(record_leads(w, 1, (const int[]){1}, 1, 1));
    OK(record_leads(w, 2, (const int[]){1}, 1, 1));
    OK(record_leads(w, 0, (const int[]){1}, 1, 1));
    lf_ledger_each_count(w->ledger, add_up, w);
    assert_int_equal(w->said[0].value, 5 + 4 + 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_spans),      WORLD_TEST(test_leap_years), WORLD_TEST(test_baseline),
        WORLD_TEST(test_firsts),     WORLD_TEST(test_outcomes),   WORLD_TEST(test_failed_commits),
        WORLD_TEST(test_bad_record), WORLD_TEST(test_by_chance),  WORLD_TEST(test_many_leads),
        WORLD_TEST(test_catch_up),   WORLD_TEST(test_each_count),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
