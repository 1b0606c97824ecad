/* test_ledger_check.c - whatever is altered in what scores add up to, lf_ledger_check finds it, and nothing else. */
#include "ledger_fixture.h"

/* Scores of several versions over some weeks, with outcomes, all settled. */
static void
fill(struct world *w)
{
    struct fixture *f = w->f;

    for (int i = 0; i < 25; i++) {
        OK(record_some(w, 20, support_random(&w->random, 3 * HOUR_MS)));
        OK(say_some(w, 4));
    }
    for (int i = 0; i < 12; i++) /* the last hour has scores of each version */
        OK(record_leads(w, (size_t)i % SETS, (const int[]){i, i + 1, -1}, 3, 1000));
    settle_now(w);
}

/* ---- alterations ---- */

/* The earliest roll-up of a kind and span, and the latest. */
#define ROW(kind, span, order)                                                                      \
    "(version_id, kind, span, start_hour) = (SELECT version_id, kind, span, start_hour FROM rollup" \
    " WHERE kind = " #kind " AND span = " #span " ORDER BY start_hour " order ", version_id LIMIT 1)"
#define FIRST(kind, span) ROW(kind, span, "ASC")
#define LAST(kind, span) ROW(kind, span, "DESC")

struct alteration {
    const char *what, *sql;
    const char *says;   /* stands in the first finding */
    size_t least, most; /* findings */
};

/* kind 0: scores, 1: leads, 2: leads by their latest score; span 0: baseline, 1: hour, 2: day, 3: month. */
static const struct alteration ALTERATIONS[] = {
    {"an hour is gone", "DELETE FROM rollup WHERE " FIRST(0, 1), "is missing", 1, 1},
    {"a day is gone", "DELETE FROM rollup WHERE " LAST(0, 2), "is missing", 1, 1},
    {"the baselines are gone", "DELETE FROM rollup WHERE span = 0", "is missing", 3, 3},
    {"an hour of leads is gone", "DELETE FROM rollup WHERE " FIRST(1, 1), "is", 0, 1},
    {"all rows of leads are gone", "DELETE FROM rollup WHERE kind > 0", "is missing", 10, 10000},
    {"a month has the counts of an hour",
     "UPDATE rollup SET body = (SELECT body FROM rollup r WHERE r.version_id = rollup.version_id AND r.kind = 0 AND"
     " r.span = 1 LIMIT 1) WHERE " LAST(0, 3),
     "and it should be", 1, 1},
    {"an hour counts another time's scores",
     "INSERT INTO rollup (version_id, kind, span, start_hour, body)"
     " SELECT version_id, kind, span, start_hour - 1000, body FROM rollup WHERE kind = 0 AND span = 1 LIMIT 1",
     "no score was recorded then", 1, 1},
    {"an hour to come",
     "INSERT INTO rollup (version_id, kind, span, start_hour, body)"
     " SELECT version_id, kind, span, start_hour + 100000, body FROM rollup WHERE kind = 0 AND span = 1 LIMIT 1",
     "no score was recorded then", 1, 1},
    {"leads counted where there are none",
     "INSERT INTO rollup (version_id, kind, span, start_hour, body)"
     " SELECT version_id, kind, span, start_hour + 100000, body FROM rollup WHERE kind = 2 AND span = 3 LIMIT 1",
     "leads", 1, 1},
    {"rows that cannot be read", "UPDATE rollup SET body = x'ff' WHERE kind = 0 AND span = 3", "cannot be read", 3,
     100},
    {"rows of leads that cannot be read", "UPDATE rollup SET body = x'ff' WHERE kind = 2 AND span = 3",
     "cannot be read", 2, 100},
    {"an outcome changed behind their back", "UPDATE lead SET outcome = 'won' WHERE outcome = 'lost'", "ones", 3,
     10000},
    {"a value", "UPDATE lead SET value = value + 1 WHERE outcome = 'won'", "attribute, score or value", 3, 10000},
    {"a lead that is gone", "DELETE FROM lead WHERE id = (SELECT min(lead) FROM lead_score)", "leads", 3, 100},
    {"a better score", "UPDATE lead_score SET score = score + 1 WHERE lead = (SELECT max(lead) FROM lead_score)",
     "is not what its result says", 1, 3},
    {"another label", "UPDATE lead_score SET label = 'A9' WHERE lead = (SELECT max(lead) FROM lead_score)",
     "is not what its result says", 1, 3},
    {"nothing is the latest", "UPDATE lead_score SET latest = 0 WHERE lead = (SELECT max(lead) FROM lead_score)",
     "is the latest under the ICP", 1, 100},
    {"everything is the latest", "UPDATE lead_score SET latest = 1", "is not the latest under the ICP", 1, 10000},
    {"a result that cannot be read",
     "UPDATE lead_score SET result = x'00' WHERE lead = (SELECT max(lead) FROM lead_score)", "cannot be read", 1, 100},
};

static void
test_alterations(void **state)
{
    struct world *w = *state;
    char saved[PATH_SIZE + 8], command[4 * PATH_SIZE];

    fill(w);
    check_fine(w);
    (void)snprintf(saved, sizeof saved, "%s.saved", w->f->path);
    close_ledger(w);
    close_store(w->f);
    (void)snprintf(command, sizeof command, "cp '%s' '%s'", w->f->path, saved);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof ALTERATIONS / sizeof ALTERATIONS[0]; i++) {
        const struct alteration *alteration = &ALTERATIONS[i];
        const char *first = NULL;
        size_t found = 0;

        run_sql(w->f->path, alteration->sql);
        open_store(w->f);
        w->catalog = lf_catalog_create();
        found = check_ledger(w, &first, NULL);
        if (found < alteration->least || found > alteration->most ||
            (found > 0 && strstr(first, alteration->says) == NULL))
            fail_msg("%s: %zu findings, the first: %s", alteration->what, found, first);
        lf_catalog_destroy(w->catalog);
        w->catalog = NULL;
        close_store(w->f);
        (void)snprintf(command, sizeof command, "cp '%s' '%s'", saved, w->f->path);
        assert_int_equal(system(command), 0);
    }
    open_store(w->f);
    open_ledger(w);
    check_fine(w);
}

/* ---- what is no fault ---- */

static void
test_number(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    int64_t rollups = -1;

    assert_int_equal(check_ledger(w, NULL, &rollups), 0);
    assert_int_equal(rollups, 0);
    OK(record_leads(w, 0, (const int[]){1, 2}, 2, 1));
    assert_int_equal(check_ledger(w, NULL, &rollups), 0);
    assert_int_equal(rollups, 4); /* baseline, hour, day, month of the one version; no lead is settled */
    settle_now(w);
    assert_int_equal(check_ledger(w, NULL, &rollups), 0);
    assert_int_equal(rollups, 10);
}

/* Whatever waits, has been erased, or is older than what is kept. */
static void
test_what_is_due(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    int64_t pruned_ms = 0;
    bool more = true;

    fill(w);
    OK(record_some(w, 20, 1000));
    check_fine(w);
    reopen(w);
    check_fine(w);
    settle_now(w);
    pruned_ms = BEGIN_MS + (w->now_ms - BEGIN_MS) / 2;
    while (more)
        OK(lf_store_prune(f->store, pruned_ms, 4, &more, &f->error));
    check_fine(w);
    OK(record_some(w, 30, 1000)); /* leads that were forgotten are new again */
    settle_now(w);
    check_fine(w);
    close_ledger(w);
    close_store(f);
    run_sql(f->path, "DELETE FROM rollup WHERE " LAST(0, 1));
    open_store(f);
    open_ledger(w);
    assert_int_equal(check_ledger(w, NULL, NULL), 1); /* what is there still is looked at */
}

/* Counting that an upgrade left half done. */
static void
test_half_counted(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    int64_t rollups = -1;

    fill(w);
    close_ledger(w);
    close_store(f);
    run_sql(f->path, "DELETE FROM rollup; DELETE FROM lead_score; DELETE FROM lead_blocks;"
                     "UPDATE meta SET value = 0 WHERE name IN ('settled_block', 'rolled_block');"
                     "UPDATE meta SET value = (SELECT max(id) FROM score_block) WHERE name = 'due_block'");
    open_store(f);
    w->catalog = lf_catalog_create();
    assert_int_equal(check_ledger(w, NULL, &rollups), 0);
    assert_int_equal(rollups, 0);
    lf_catalog_destroy(w->catalog);
    open_ledger(w);
    agree(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_alterations),
        WORLD_TEST(test_number),
        WORLD_TEST(test_what_is_due),
        WORLD_TEST(test_half_counted),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
