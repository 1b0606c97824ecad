/*
 * test_compare.c - two ICPs over the leads that both have scored: by hand, and against the answers that were given.
 */
#include "app/compare.h"
#include "base/hash.h"
#include "core/record.h"
#include "replay_fixture.h"

/* Members of a definition that scores by one number, and is disqualified by not_<field>; `more` behind them. */
static const char *
by(struct fixture *f, const char *field, const char *more)
{
    return lf_arena_printf(f->arena,
                           "'attributes':[{'key':'a','label':'A','category':'need','weight':10,'rules':["
                           "{'when':{'field':'%s','gte':90},'fit':0.9},{'when':{'field':'%s','gte':60},'fit':0.6},"
                           "{'when':{'field':'%s','gte':30},'fit':0.3}]}],"
                           "'disqualifiers':[{'key':'no','reason':'No','when':{'field':'not_%s','is':true}}]%s",
                           field, field, field, field, more);
}

static void
say_outcome(struct fixture *f, const char *lead_id, enum lf_outcome_word word)
{
    struct lf_stored_outcome outcome = {
        .lead_id = lead_id, .lead_id_len = strlen(lead_id), .outcome = word, .at_ms = NOW_MS};

    OK(lf_store_put_outcomes(f->store, &outcome, 1, NULL, 0, &f->error));
}

static struct lf_comparison
compare_within(struct fixture *f, int64_t from_ms, int64_t to_ms)
{
    struct lf_comparison comparison;

    OK(lf_compare(f->reader, f->arena, "core-x", "bet-y", from_ms, to_ms, &comparison, &f->error));
    return comparison;
}

static struct lf_comparison
compare(struct fixture *f)
{
    return compare_within(f, INT64_MIN, INT64_MAX);
}

/* "A/B 3 (1 won, 2 lost), …". */
static const char *
cells(struct fixture *f, const struct lf_comparison *comparison)
{
    const char *text = "";

    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct lf_compare_cell *cell = &comparison->cells[i];

        text = lf_arena_printf(f->arena, "%s%s%s/%s %zu", text, i > 0 ? ", " : "", cell->grade, cell->with_grade,
                               cell->count.leads);
        if (cell->count.won + cell->count.lost > 0)
            text = lf_arena_printf(f->arena, "%s (%zu won, %zu lost)", text, cell->count.won, cell->count.lost);
    }
    return text;
}

/* "id A/B 90/60 won; …". */
static const char *
tops(struct fixture *f, const struct lf_compare_lead *leads, size_t count)
{
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = lf_arena_printf(f->arena, "%s%s%s %s/%s %d/%d%s%s", text, i > 0 ? "; " : "", leads[i].lead_id,
                               leads[i].grade, leads[i].with_grade, leads[i].score, leads[i].with_score,
                               leads[i].outcome[0] != '\0' ? " " : "", leads[i].outcome);
    return text;
}

static void
assert_count(struct lf_compare_count count, size_t leads, size_t won, size_t lost)
{
    assert_int_equal(count.leads, leads);
    assert_int_equal(count.won, won);
    assert_int_equal(count.lost, lost);
}

/* core-x by x, bet-y by y; both live. */
static struct lf_profiles *
publish_both(struct fixture *f)
{
    publish_icp(f, "core-x", "core", by(f, "x", ""), 1);
    publish_icp(f, "bet-y", "experimental", by(f, "y", ""), 1);
    publish_icp(f, "third", "core", by(f, "z", ""), 1);
    return load_profiles(f);
}

static void
test_by_hand(void **state)
{
    static const char *const LEADS[] = {
        "{'id':'both-high','x':95,'y':95}",
        "{'id':'x-likes','x':95,'y':65}",
        "{'id':'x-likes-more','x':95,'y':1}",
        "{'id':'y-likes','x':1,'y':65}",
        "{'id':'y-alone','x':95,'y':35,'not_x':true}",
        "{'id':'nobody','x':35,'y':95,'not_x':true,'not_y':true}",
        "{'x':35,'y':65}",
        "{'id':'both-low','x':1,'y':1}",
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_both(f);

    for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++)
        (void)record_lead(f, profiles, LEADS[i], "", NOW_MS + (int64_t)i, i % 2 == 0);
    (void)record_lead(f, profiles, "{'id':'without-y','x':95,'y':95}", "'core-x'", NOW_MS + 100, true);
    say_outcome(f, "x-likes", LF_OUTCOME_WON);
    say_outcome(f, "x-likes-more", LF_OUTCOME_OPEN);
    say_outcome(f, "y-likes", LF_OUTCOME_LOST);
    say_outcome(f, "y-alone", LF_OUTCOME_LOST);
    say_outcome(f, "both-high", LF_OUTCOME_WON);
    say_outcome(f, "both-low", LF_OUTCOME_LOST);
    say_outcome(f, "without-y", LF_OUTCOME_WON);

    struct lf_comparison comparison = compare(f);
    assert_int_equal(comparison.leads, 8);
    assert_string_equal(cells(f, &comparison),
                        "A/A 1 (1 won, 0 lost), A/B 1 (1 won, 0 lost), A/D 1, D/B 2 (0 won, 1 lost), "
                        "D/D 1 (0 won, 1 lost), DQ/D 1 (0 won, 1 lost), DQ/DQ 1");
    assert_int_equal(comparison.agreed, 3);
    /* 0 + 30 + 90 - 60 + 60 - 60 - 30 + 0 over eight. */
    assert_int_equal(comparison.mean_difference, 375);
    assert_count(comparison.preferred, 2, 1, 0);
    assert_count(comparison.with_preferred, 4, 0, 2);
    assert_count(comparison.tied, 2, 1, 1);
    assert_string_equal(tops(f, comparison.tops, comparison.top_count),
                        "x-likes-more A/D 9000/0 open; x-likes A/B 9000/6000 won");
    /* Of equal differences the newer lead stands first; one that only the other disqualifies may have the higher
     * score. */
    assert_string_equal(tops(f, comparison.with_tops, comparison.with_top_count),
                        "nobody DQ/DQ 3000/9000; y-likes D/B 0/6000 lost;  D/B 3000/6000; "
                        "y-alone DQ/D 9000/3000 lost");
    lf_profiles_destroy(profiles);
}

/* Each lead by its latest score that both gave; a later one of another ICP alone does not hide it. */
static void
test_latest_of_both(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_both(f);
    struct lf_comparison comparison;

    (void)record_lead(f, profiles, "{'id':'a','x':95,'y':1}", "", NOW_MS, true);
    (void)record_lead(f, profiles, "{'id':'a','x':95,'y':65}", "", NOW_MS + 1, true);
    (void)record_lead(f, profiles, "{'id':'a','x':1,'y':1}", "'core-x'", NOW_MS + 2, true);
    comparison = compare(f);
    assert_string_equal(cells(f, &comparison), "A/B 1");
    /* A window that ends before the second score has the first. */
    comparison = compare_within(f, NOW_MS, NOW_MS + 1);
    assert_string_equal(cells(f, &comparison), "A/D 1");
    comparison = compare_within(f, NOW_MS + 2, INT64_MAX);
    assert_int_equal(comparison.leads, 0);
    assert_int_equal(comparison.cell_count, 0);
    assert_int_equal(comparison.mean_difference, 0);
    lf_profiles_destroy(profiles);
}

/* Each score is what its own version says; grades that older versions had stand behind those of the newest, DQ last. */
static void
test_versions(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_both(f);
    struct lf_comparison comparison;

    (void)record_lead(f, profiles, "{'id':'a','x':35,'y':1}", "", NOW_MS, true);
    (void)record_lead(f, profiles, "{'id':'b','x':65,'y':1}", "", NOW_MS + 1, true);
    (void)record_lead(f, profiles, "{'id':'c','x':65,'y':1,'not_x':true}", "", NOW_MS + 2, true);
    lf_profiles_destroy(profiles);
    publish_icp(f, "core-x", "core",
                by(f, "x", ",'grades':[{'grade':'Hot','min':90},{'grade':'B','min':20},{'grade':'Cold','min':0}]"), 2);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, "{'id':'d','x':1,'y':1}", "", NOW_MS + 3, true);
    (void)record_lead(f, profiles, "{'id':'e','x':35,'y':1}", "", NOW_MS + 4, true);
    comparison = compare(f);
    assert_string_equal(cells(f, &comparison), "B/D 2, Cold/D 1, D/D 1, DQ/D 1");
    lf_profiles_destroy(profiles);
}

/* More versions than are kept at a time, in turns. */
static void
test_many_versions(void **state)
{
    enum { VERSIONS = 20 };
    struct fixture *f = *state;
    struct lf_profiles *sets[VERSIONS];
    struct lf_comparison comparison;

    for (int v = 0; v < VERSIONS; v++) {
        publish_icp(
            f, "core-x", "core",
            by(f, "x", lf_arena_printf(f->arena, ",'grades':[{'grade':'A','min':%d},{'grade':'D','min':0}]", 50 + v)),
            v + 1);
        if (v == 0)
            publish_icp(f, "bet-y", "core", by(f, "y", ""), 1);
        sets[v] = load_profiles(f);
    }
    for (int i = 0; i < 3 * VERSIONS; i++)
        (void)record_lead(f, sets[i % VERSIONS], "{'x':65,'y':95}", "", NOW_MS + i, true);
    comparison = compare(f);
    /* A score of 60 is an A up to version 11, whose A begins at 60. */
    assert_string_equal(cells(f, &comparison), "A/A 33, D/A 27");
    for (int v = 0; v < VERSIONS; v++)
        lf_profiles_destroy(sets[v]);
}

static void
test_top_ten(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_both(f);
    struct lf_comparison comparison;

    for (int i = 0; i < 15; i++)
        (void)record_lead(f, profiles, lf_arena_printf(f->arena, "{'id':'L%d','x':95,'y':%d}", i, i % 3 * 30 + 5), "",
                          NOW_MS + i, true);
    comparison = compare(f);
    assert_int_equal(comparison.top_count, LF_COMPARE_TOP);
    assert_int_equal(comparison.with_top_count, 0);
    assert_int_equal(comparison.preferred.leads, 15);
    assert_string_equal(
        tops(f, comparison.tops, 6),
        "L12 A/D 9000/0; L9 A/D 9000/0; L6 A/D 9000/0; L3 A/D 9000/0; L0 A/D 9000/0; L13 A/D 9000/3000");
    lf_profiles_destroy(profiles);
}

static void
test_unknown(void **state)
{
    struct fixture *f = *state;
    struct lf_comparison comparison;

    lf_profiles_destroy(publish_both(f));
    FAILS(lf_compare(f->reader, f->arena, "core-x", "none", INT64_MIN, INT64_MAX, &comparison, &f->error),
          LF_ICP_NOT_FOUND);
    FAILS(lf_compare(f->reader, f->arena, "none", "core-x", INT64_MIN, INT64_MAX, &comparison, &f->error),
          LF_ICP_NOT_FOUND);
    FAILS(lf_compare(f->reader, f->arena, "core-x", "core-x", INT64_MIN, INT64_MAX, &comparison, &f->error),
          LF_INVALID_PARAMETER);
}

/* A score whose version is not there, or which does not belong to it. */
static void
test_damaged(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_both(f);
    struct lf_stored_score score;
    struct lf_comparison comparison;
    char *body = NULL;

    struct lf_ulid id = record_lead(f, profiles, "{'id':'a','x':95,'y':1}", "", NOW_MS, true);
    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error));
    /* Each byte in turn: whatever it was, this ends well or says what it is. */
    for (size_t i = 0; i < score.body_len; i++) {
        enum lf_status status = LF_OK;
        void *own = NULL;
        struct fixture *g = NULL;

        if (i > 60)
            break;
        assert_int_equal(setup(&own), 0);
        g = own;
        lf_profiles_destroy(publish_both(g));
        body = lf_arena_copy(f->arena, score.body, score.body_len);
        body[i] = (char)(body[i] ^ 0x55);
        record_bytes(g, "b", body, score.body_len, NOW_MS + 1);
        status = lf_compare(g->reader, g->arena, "core-x", "bet-y", INT64_MIN, INT64_MAX, &comparison, &g->error);
        assert_true(status == LF_OK || status == LF_STORAGE_CORRUPT);
        (void)teardown(&own);
    }
    lf_profiles_destroy(profiles);
}

/* ---- by chance ---- */

struct told {
    char id[16];
    struct lf_score score, with;
};

static void
test_by_chance(void **state)
{
    enum { LEADS = 300, IDS = 120 };
    static const int VALUES[] = {1, 35, 65, 95};
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_both(f);
    struct told *told = calloc(LEADS, sizeof *told);
    struct support_random random = {99};
    size_t preferred = 0, tied = 0, agreed = 0, counted = 0;
    int64_t sum = 0;

    assert_non_null(told);
    for (int i = 0; i < LEADS; i++) {
        char lead[128];
        unsigned id = support_random(&random, IDS);
        struct lf_scoring scoring;

        (void)snprintf(told[i].id, sizeof told[i].id, "L%u", id);
        (void)snprintf(lead, sizeof lead, "{'id':'L%u','x':%d,'y':%d,'not_x':%s,'not_y':%s}", id,
                       VALUES[support_random(&random, 4)], VALUES[support_random(&random, 4)],
                       support_random(&random, 5) == 0 ? "true" : "false",
                       support_random(&random, 5) == 0 ? "true" : "false");
        (void)record_lead(f, profiles, lead, "", NOW_MS + i, support_random(&random, 2) == 0);
        struct lf_score_request request =
            request_of(f, lf_arena_printf(f->arena, "{'lead':%s,'icps':['core-x','bet-y']}", lead));
        OK(lf_scoring_run(f->arena, profiles, &request, NOW_MS + i, &scoring, &f->error));
        for (size_t r = 0; r < 2; r++) {
            bool core = strcmp(scoring.results[r].score.icp->key, "core-x") == 0;

            *(core ? &told[i].score : &told[i].with) = scoring.results[r].score;
        }
    }
    for (int i = LEADS; i-- > 0;) {
        const struct lf_score *a = &told[i].score, *b = &told[i].with;
        int left = a->axes[LF_AXIS_FIT].score, right = b->axes[LF_AXIS_FIT].score;
        bool latest = true;

        for (int j = i + 1; j < LEADS; j++)
            latest = latest && strcmp(told[i].id, told[j].id) != 0;
        if (!latest)
            continue;
        counted++;
        sum += left - right;
        agreed += strcmp(lf_score_grade(a), lf_score_grade(b)) == 0;
        preferred += (a->qualified && !b->qualified) || (a->qualified == b->qualified && left > right);
        tied += a->qualified == b->qualified && left == right;
    }
    struct lf_comparison comparison = compare(f);
    double mean = (double)sum / (double)counted;
    size_t in_cells = 0;

    assert_int_equal(comparison.leads, counted);
    assert_int_equal(comparison.agreed, agreed);
    assert_int_equal(comparison.preferred.leads, preferred);
    assert_int_equal(comparison.tied.leads, tied);
    assert_int_equal(comparison.with_preferred.leads, counted - preferred - tied);
    assert_int_equal(comparison.mean_difference, (int)(mean < 0 ? mean - 0.5 : mean + 0.5));
    for (size_t c = 0; c < comparison.cell_count; c++)
        in_cells += comparison.cells[c].count.leads;
    assert_int_equal(in_cells, counted);
    lf_profiles_destroy(profiles);
    free(told);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_by_hand),       STORE_TEST(test_latest_of_both), STORE_TEST(test_versions),
        STORE_TEST(test_many_versions), STORE_TEST(test_top_ten),        STORE_TEST(test_unknown),
        STORE_TEST(test_damaged),       STORE_TEST(test_by_chance),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
