/* test_store_leads.c - leads in the store: settled and listed page by page beside a naive model. What is refused or
 * fails: test_store_settle.c; erasing and pruning: test_store_erase.c; a lead's scores: test_store_walk.c. */
#include "listing_fixture.h"

/* ---- settling and listing ---- */

static void
test_as_the_model(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct fixture *f = *state;
        struct model *m = model_create(f, seed);
        char command[2 * PATH_SIZE];

        assert_model(m); /* nobody yet */
        for (int step = 0; step < 60; step++) {
            if (chance(m, 4) == 0)
                put_outcome(m);
            else
                settle_some(m, 1 + chance(m, 12));
            if (chance(m, 10) == 0) {
                close_store(f);
                open_store(f);
            }
            if (step % 6 == 0)
                assert_model(m);
        }
        assert_model(m);
        assert_int_equal(check(f, false, NULL), 0);
        free(m);
        close_store(f);
        (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
        assert_int_equal(system(command), 0);
        f->mint = (struct lf_ulid_mint){0};
        open_store(f);
    }
}

/* While leads are scored between two pages, those that are not come once, and none comes in a wrong place. */
static void
test_pages_stay_right(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 9);

    for (int i = 0; i < 20; i++)
        settle_some(m, 10);
    for (int round = 0; round < 20; round++) {
        struct lf_lead_query query = {.qualified = -1, .by_time = round % 2 == 0, .limit = 1 + chance(m, 12)};
        struct entry before[LEADS * ICPS], last = {.lead = -1};
        struct lf_stored_lead_score old[LEADS * ICPS], shown;
        size_t count = list_model(m, &query, before), pages = 0, found = 1;
        unsigned char times[LEADS][ICPS + 1] = {{0}};

        for (size_t i = 0; i < count; i++)
            old[i] = *before[i].score;
        for (found = query.limit; found == query.limit; pages++) {
            struct lf_listed_lead *leads = NULL;

            OK(lf_store_leads(f->reader, f->arena, &query, &leads, &found, &f->error));
            for (size_t i = 0; i < found; i++) {
                int lead = 0;
                struct entry now = {.score = &leads[i].score};

                while (strcmp(id_of(lead), leads[i].lead_id) != 0)
                    lead++;
                times[lead][leads[i].score.icp_id]++;
                by_time = query.by_time;
                assert_true(last.lead == -1 || compare(&last, &now) < 0);
                shown = leads[i].score;
                last = (struct entry){.score = &shown, .lead = lead};
            }
            if (found > 0)
                go_behind(&query, &leads[found - 1]);
            if (pages % 3 == 0)
                settle_some(m, 1);
        }
        for (size_t i = 0; i < count; i++) {
            bool same = memcmp(old[i].score_id.bytes, before[i].score->score_id.bytes, LF_ULID_SIZE) == 0 &&
                        before[i].score->latest;

            if (same)
                assert_int_equal(times[before[i].lead][old[i].icp_id], 1);
        }
        lf_arena_reset(f->arena);
    }
    free(m);
}

static void
test_queries(void **state)
{
    static const struct {
        const char *what;
        struct lf_lead_query query;
        size_t count;
        const char *first;
    } ROWS[] = {
        {"all", {.qualified = -1, .limit = 10}, 4, "c"},
        {"of equal ones the newest, then by key", {.qualified = -1, .limit = 10, .min_score = 5000}, 4, "c"},
        {"newest first", {.qualified = -1, .limit = 10, .by_time = true}, 4, "c"},
        {"one ICP", {.icp = "maker", .qualified = -1, .limit = 10}, 3, "c"},
        {"nothing is wanted", {.qualified = -1, .limit = 0}, 0, ""},
        {"a grade", {.grade = "B", .qualified = -1, .limit = 10}, 1, "b"},
        {"a grade that is part of another", {.grade = "", .qualified = -1, .limit = 10}, 0, ""},
        {"a label", {.label = "B1", .qualified = -1, .limit = 10}, 1, "b"},
        {"qualified", {.qualified = 1, .limit = 10}, 3, "c"},
        {"not qualified", {.qualified = 0, .limit = 10}, 1, "b"},
        {"just that score", {.qualified = -1, .min_score = 7000, .limit = 10}, 2, "c"},
        {"one more", {.qualified = -1, .min_score = 7001, .limit = 10}, 0, ""},
        {"just that score, newest first", {.qualified = -1, .min_score = 7000, .by_time = true, .limit = 10}, 2, "c"},
        {"more than there are", {.qualified = -1, .limit = 5000}, 4, "c"},
    };
    static const struct {
        const char *lead_id, *grade, *label;
        int64_t icp_id, version_id;
        int score;
        bool qualified;
    } SCORES[] = {
        {"a", "A", "A1", 1, 1, 5000, true},
        {"b", "B", "B1", 1, 1, 6000, false},
        {"c", "A", "A2", 1, 1, 7000, true},
        {"c", "A", "A1", 2, 2, 7000, true}, /* the same score, under "bank" */
    };
    struct fixture *f = *state;
    struct lf_ulid id = {{1}};
    struct lf_listed_lead *leads = NULL;
    size_t count = 9;

    publish(f, "maker", "{}", 1, 1, 1);
    publish(f, "bank", "{}", 2, 1, 1);
    for (size_t i = 0; i < sizeof SCORES / sizeof *SCORES; i++) {
        struct lf_stored_lead_score score = {.icp_id = SCORES[i].icp_id,
                                             .version_id = SCORES[i].version_id,
                                             .latest = true,
                                             .qualified = SCORES[i].qualified,
                                             .score = SCORES[i].score,
                                             .grade = SCORES[i].grade,
                                             .label = SCORES[i].label,
                                             .result = ""};
        struct lf_settled_lead lead = {
            .lead_id = SCORES[i].lead_id, .lead_id_len = 1, .scores = &score, .score_count = 1};

        if (i < 3)
            id.bytes[1]++;
        score.score_id = id;
        OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error));
    }
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        print_message("%s\n", ROWS[row].what);
        OK(lf_store_leads(f->reader, f->arena, &ROWS[row].query, &leads, &count, &f->error));
        assert_int_equal(count, ROWS[row].count);
        assert_string_equal(count > 0 ? leads[0].lead_id : "", ROWS[row].first);
        if (count == 4) {
            assert_string_equal(leads[0].score.icp, "bank"); /* by key */
            assert_string_equal(leads[1].score.icp, "maker");
            assert_memory_equal(leads[0].score.score_id.bytes, leads[1].score.score_id.bytes, LF_ULID_SIZE);
        }
    }
    {
        struct lf_lead_query nobody = {.icp = "nobody", .qualified = -1, .limit = 10}, behind = {.limit = 10};

        FAILS(lf_store_leads(f->reader, f->arena, &nobody, &leads, &count, &f->error), LF_ICP_NOT_FOUND);
        /* Behind a place where nothing stands. */
        behind.qualified = -1;
        behind.has_after = true;
        behind.after_score = 6500;
        behind.after_icp = "gone";
        OK(lf_store_leads(f->reader, f->arena, &behind, &leads, &count, &f->error));
        assert_int_equal(count, 2);
        assert_string_equal(leads[0].lead_id, "b");
    }
}

/* ICPs out of service and those that were never published have their leads, or none. */
static void
test_other_icps(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 4);
    struct lf_new_draft draft = {.icp = "aaa", .name = "N", .purpose = "core", .document = "{}", .document_len = 2};
    struct lf_precondition nothing_said = {.any = false};
    struct lf_change change = by_ops(1);
    struct lf_lead_query query = {.icp = "aaa", .qualified = -1, .limit = 10};
    struct lf_listed_lead *leads = NULL;
    char etag[LF_ETAG_MAX];
    size_t count = 9;
    bool created = false;

    settle_some(m, 30);
    OK(lf_store_put_draft(f->store, &draft, &nothing_said, &change, etag, &created, &f->error));
    OK(lf_store_set_archived(f->store, "maker", true, &change, &f->error));
    OK(lf_store_leads(f->reader, f->arena, &query, &leads, &count, &f->error));
    assert_int_equal(count, 0);
    assert_model(m);
    free(m);
}

static void
test_nameless_leads_never_show(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 5);
    struct lf_stored_lead lead;
    bool known = true;

    settle_some(m, 40);
    put_outcome(m);
    for (int which = 0; which < LEADS; which += 2) {
        char sql[128];

        (void)snprintf(sql, sizeof sql, "UPDATE lead SET lead_id = NULL WHERE lead_id = '%.40s'", id_of(which));
        run_sql(f->path, sql);
        m->leads[which] = (struct model_lead){.there = false};
    }
    assert_model(m);
    FAILS(lf_store_lead(f->reader, f->arena, "", 0, &lead, &f->error), LF_LEAD_NOT_FOUND);
    OK(lf_store_knows_lead(f->reader, "", 0, 1, &known, &f->error));
    assert_false(known);
    settle_some(m, 40); /* who comes again is somebody new */
    assert_model(m);
    assert_int_equal(check(f, false, NULL), 0);
    free(m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_as_the_model), TEST(test_pages_stay_right),          TEST(test_queries),
        TEST(test_other_icps),   TEST(test_nameless_leads_never_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
