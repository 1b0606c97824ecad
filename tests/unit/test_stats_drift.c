/*
 * test_stats_drift.c - drift: its numbers against a count by hand, its sentences word for word.
 */
#include "stats_fixture.h"

enum { SIZE, TITLE };

static const char DEFINITION[] =
    "'attributes':[{'key':'size','label':'Company size','category':'firmographic','weight':70,'rules':["
    "{'when':{'field':'company.employees','between':[500,5000]},'label':'500-5,000 people'},"
    "{'when':{'field':'company.employees','gte':200},'fit':0.5}]},"
    "{'key':'title','label':'Title','category':'decision_maker','weight':30,'rules':["
    "{'when':{'field':'title','is':'vp'},'label':'VP'}]}]";

static struct world
one_version(struct fixture *f)
{
    publish_icp(f, "main", "core", DEFINITION, 1);
    return make_world(f, "main");
}

/* A score: by its size's rule (2: no rule, 3: unknown), and whether it is a VP. */
static void
score_at(struct world *world, int64_t at_ms, int size, bool vp)
{
    const struct lf_icp *icp = world->entries[0]->icp;
    struct lf_outcome *outcome = plain_outcome(world->f->arena, icp);

    set_attribute(icp, outcome, SIZE,
                  size < 2    ? LF_ATTRIBUTE_MATCHED
                  : size == 2 ? LF_ATTRIBUTE_UNMATCHED
                              : LF_ATTRIBUTE_UNKNOWN,
                  size < 2 ? size : 0);
    if (size == 3)
        set_missing(outcome, 0);
    set_attribute(icp, outcome, TITLE, vp ? LF_ATTRIBUTE_MATCHED : LF_ATTRIBUTE_UNMATCHED, 0);
    (void)add_event(world, 0, at_ms, outcome, NO_LEAD);
}

/* So many scores from that moment on, a minute apart, of which `of_100` in 100 have the first size, the others the
 * second. */
static int64_t
score_many(struct world *world, int64_t at_ms, int count, int of_100, int first, int second)
{
    for (int i = 0; i < count; i++)
        score_at(world, at_ms + (int64_t)i * 60000, i * 37 % 100 < of_100 ? first : second, i % 2 == 0);
    return at_ms + (int64_t)count * 60000;
}

/* The notes, each on a line. */
static const char *
notes_of(struct world *world, const struct lf_stats *stats)
{
    const char *text = "";

    for (size_t i = 0; i < stats->drift.note_count; i++)
        text = lf_arena_printf(world->f->arena, "%s%s%s", text, i > 0 ? "\n" : "", stats->drift.notes[i]);
    return text;
}

/* ---- numbers ---- */

static void
test_numbers(void **state)
{
    struct fixture *f = *state;
    struct world world = one_version(f);
    const struct lf_icp *icp = world.entries[0]->icp;
    int64_t at = support_ms("2026-05-01T00:00:00Z");
    struct lf_stats_query query = all_of("main");

    for (int i = 0; i < 3000; i++) {
        struct lf_outcome *outcome = random_outcome(&world, icp);

        if (i > 1500 && outcome->attributes[SIZE].status == LF_ATTRIBUTE_UNMATCHED) /* something has to move */
            set_attribute(icp, outcome, SIZE, LF_ATTRIBUTE_MATCHED, 1);
        (void)add_event(&world, 0, at, outcome, NO_LEAD);
        at += support_random(&world.random, 1500000);
    }
    put_world(&world);
    for (int i = 0; i < 20; i++) {
        int64_t first = lf_window_hour(world.events[0].at_ms), baseline[20] = {0}, window[20] = {0};
        int64_t sizes[2][4] = {{0}}, scored[2] = {0}, from_ms = INT64_MAX, to_ms = 0;
        struct lf_stats stats;

        if (i > 0) {
            query.window.from_hour = first + support_random(&world.random, 400);
            query.window.to_hour = query.window.from_hour + 1 + support_random(&world.random, 500);
        }
        query.has_baseline = i % 3 == 2;
        query.baseline.from_hour = first + support_random(&world.random, 300);
        query.baseline.to_hour = query.baseline.from_hour + 1 + support_random(&world.random, 300);
        stats = ask(&world, &query);
        for (size_t e = 0; e < world.count; e++) {
            const struct event *event = &world.events[e];
            const struct lf_attribute_outcome *size = &event->outcome->attributes[SIZE];
            int64_t hour = lf_window_hour(event->at_ms);
            bool in[2] = {query.has_baseline ? hour >= query.baseline.from_hour && hour < query.baseline.to_hour
                                             : e < BASELINE,
                          hour >= query.window.from_hour && hour < query.window.to_hour};

            for (int side = 0; side < 2; side++) {
                int bin = event->brief.score == 10000 ? 19 : event->brief.score / 500;

                if (!in[side])
                    continue;
                scored[side]++;
                (side == 0 ? baseline : window)[bin]++;
                sizes[side][size->status == LF_ATTRIBUTE_MATCHED ? size->rule : 1 + (int)size->status]++;
            }
            from_ms = in[0] && event->at_ms < from_ms ? event->at_ms : from_ms;
            to_ms = in[0] ? event->at_ms : to_ms;
        }
        assert_int_equal(stats.drift.version, 1);
        assert_int_equal(stats.drift.baseline.scored, scored[0]);
        assert_int_equal(stats.drift.window.scored, scored[1]);
        assert_true(stats.drift.psi == lf_psi(baseline, window, 20));
        assert_int_equal(stats.drift.attribute_count, 2);
        assert_string_equal(stats.drift.attributes[SIZE].key, "size");
        assert_true(stats.drift.attributes[SIZE].psi == lf_psi(sizes[0], sizes[1], 4));
        assert_int_equal(stats.drift.baseline.from_ms,
                         query.has_baseline ? query.baseline.from_hour * 3600000 : from_ms);
        assert_int_equal(stats.drift.baseline.to_ms, query.has_baseline ? query.baseline.to_hour * 3600000 : to_ms);
        assert_int_equal(stats.drift.window.from_ms, i == 0 ? INT64_MIN : (int64_t)(query.window.from_hour * 3600000));
    }
    end_world(&world);
}

/* ---- a field that stopped coming ---- */

/* A baseline in October with 4 % without a size, then 61 % from that moment on, 700 scores. */
static struct world
stopped_field(struct fixture *f, const char *since)
{
    struct world world = one_version(f);
    int64_t at = support_ms(since);

    (void)score_many(&world, at - 2000 * INT64_C(60000), 2000, 4, 3, 0);
    (void)score_many(&world, at, 700, 61, 3, 0);
    put_world(&world);
    return world;
}

static void
test_since_a_day(void **state)
{
    struct fixture *f = *state;
    struct world world = stopped_field(f, "2026-11-03T00:00:00Z");
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;

    query.window.from_hour = hours("2026-11-02T12:00:00Z");
    stats = ask(&world, &query);
    assert_int_equal(stats.drift.field_count, 1);
    assert_string_equal(stats.drift.fields[0].path, "company.employees");
    assert_int_equal(stats.drift.fields[0].missing_pct, 6100);
    assert_int_equal(stats.drift.fields[0].baseline_pct, 400);
    assert_int_equal(stats.drift.fields[0].since_ms, support_ms("2026-11-03T00:00:00Z"));
    assert_string_equal(stats.drift.notes[0], "company.employees is missing in 61 % of leads since 3 Nov (was 4 %)");
    query.now_ms = support_ms("2027-01-01T00:00:00Z");
    assert_string_equal(ask(&world, &query).drift.notes[0],
                        "company.employees is missing in 61 % of leads since 3 Nov 2026 (was 4 %)");
    end_world(&world);
}

/* The day is the zone's, and so is this year. */
static void
test_since_a_local_day(void **state)
{
    static const struct {
        const char *zone, *begin, *note;
    } ROWS[] = {
        {"Europe/Berlin", "2026-12-31T23:00:00Z",
         "company.employees is missing in 61 % of leads since 1 Jan (was 4 %)"},
        {"UTC", "2027-01-01T00:00:00Z", "company.employees is missing in 61 % of leads since 1 Jan 2027 (was 4 %)"},
        {"America/New_York", "2027-01-01T05:00:00Z",
         "company.employees is missing in 61 % of leads since 1 Jan 2027 (was 4 %)"},
    };
    struct fixture *f = *state;
    struct world world = stopped_field(f, "2026-12-31T23:00:00Z");

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        struct lf_stats_query query = all_of("main");
        struct lf_stats stats;

        query.zone = zone_of(f, ROWS[r].zone);
        query.now_ms = support_ms("2026-12-31T23:30:00Z");
        query.window.from_hour = hours("2026-12-31T11:00:00Z");
        stats = ask(&world, &query);
        assert_int_equal(stats.drift.field_count, 1);
        assert_int_equal(stats.drift.fields[0].since_ms, support_ms(ROWS[r].begin));
        assert_string_equal(stats.drift.notes[0], ROWS[r].note);
    }
    end_world(&world);
}

static void
test_no_day_splits(void **state)
{
    struct fixture *f = *state;
    struct world world = stopped_field(f, "2026-11-03T00:00:00Z");
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;
    int missing = 0;

    for (int i = 0; i < 660; i++)
        missing += i * 37 % 100 < 61;
    query.window.from_hour = hours("2026-11-03");
    query.window.to_hour = hours("2026-11-03T11:00:00Z");
    stats = ask(&world, &query);
    assert_int_equal(stats.drift.field_count, 1);
    assert_int_equal(stats.drift.fields[0].since_ms, INT64_MIN);
    assert_int_equal(stats.drift.fields[0].missing_pct, lf_percent(missing, 660));
    assert_string_equal(stats.drift.notes[0], "company.employees is missing in 61 % of leads in this window (was 4 %)");
    end_world(&world);
}

/* 20 points are told and less is not; 50 scores of each are needed. */
static void
test_when_a_field_is_told(void **state)
{
    static const struct {
        int before, missing_before, after, missing_after;
        bool told;
        const char *why;
    } ROWS[] = {
        {100, 10, 100, 30, true, "20 points more"},
        {100, 10, 100, 29, false, "19 points more"},
        {100, 30, 100, 10, false, "less"},
        {50, 0, 50, 50, true, "just enough scores"},
        {49, 0, 50, 50, false, "too few in the baseline"},
        {50, 0, 49, 49, false, "too few in the window"},
        {70, 7, 70, 21, true, "20 points more of another number"},
    };
    struct fixture *f = *state;
    struct world world = one_version(f);
    int64_t day = support_ms("2026-06-01T00:00:00Z");

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        for (int i = 0; i < ROWS[r].before; i++)
            score_at(&world, day + i, i < ROWS[r].missing_before ? 3 : 0, true);
        for (int i = 0; i < ROWS[r].after; i++)
            score_at(&world, day + 3600000 + i, i < ROWS[r].missing_after ? 3 : 0, true);
        day += 86400000;
    }
    put_world(&world);
    day = support_ms("2026-06-01T00:00:00Z");
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        struct lf_stats_query query = all_of("main");
        int64_t hour = lf_window_hour(day) + 24 * (int64_t)r;

        query.has_baseline = true;
        query.baseline = (struct lf_window){hour, hour + 1};
        query.window = (struct lf_window){hour + 1, hour + 2};
        if ((ask(&world, &query).drift.field_count == 1) != ROWS[r].told)
            fail_msg("%s", ROWS[r].why);
    }
    end_world(&world);
}

/* ---- what moved ---- */

static void
test_sentences(void **state)
{
    static const struct {
        int then[4], now[4]; /* of 1,000: by size's rule, none, unknown */
        const char *notes;
    } ROWS[] = {
        {{250, 250, 250, 250}, {250, 250, 250, 250}, ""},
        {{250, 250, 250, 250}, {230, 270, 240, 260}, ""},
        {{600, 200, 200, 0},
         {200, 600, 200, 0},
         "score has shifted (PSI 0.87): fewer leads score 70-100 (20 %, was 60 %)\n"
         "Company size has shifted (PSI 0.88): more leads match \"company.employees at least 200\" (60 %, was 20 %)"},
        {{500, 200, 200, 100},
         {300, 200, 400, 100},
         "score is shifting (PSI 0.20): fewer leads score 70-100 (30 %, was 50 %)\n"
         "Company size is shifting (PSI 0.24): more leads match no rule (40 %, was 20 %)"},
        {{500, 100, 300, 100},
         {250, 200, 350, 200},
         "score has shifted (PSI 0.29): fewer leads score 70-100 (25 %, was 50 %)\n"
         "Company size has shifted (PSI 0.32): fewer leads match \"500-5,000 people\" (25 %, was 50 %)"},
        {{450, 100, 450, 0},
         {100, 800, 100, 0},
         "score has shifted (PSI 2.47): more leads score 35-70 (80 %, was 10 %)\n"
         "Company size has shifted (PSI 2.50): more leads match \"company.employees at least 200\" (80 %, was 10 %)"},
        {{900, 0, 100, 0},
         {100, 0, 0, 900},
         "company.employees is missing in 90 % of leads in this window (was 0 %)\n"
         "score has shifted (PSI 3.47): fewer leads score 70-100 (10 %, was 90 %)\n"
         "Company size has shifted (PSI 9.01): more leads leave it unknown (90 %, was 0 %)"},
        {{0, 0, 4, 996},
         {0, 0, 996, 4},
         "Company size has shifted (PSI 10.69): more leads match no rule (99.6 %, was 0.4 %)"},
    };
    struct fixture *f = *state;
    struct world world = one_version(f);
    int64_t begin = support_ms("2026-06-01T00:00:00Z");

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++)
        for (int side = 0; side < 2; side++) {
            const int *counts = side == 0 ? ROWS[r].then : ROWS[r].now;

            for (int size = 0, i = 0; size < 4; size++)
                for (int k = 0; k < counts[size]; k++, i++)
                    score_at(&world, begin + (int64_t)(2 * r + (size_t)side) * 3600000 + i, size, i % 2 == 0);
        }
    put_world(&world);
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        struct lf_stats_query query = all_of("main");
        int64_t hour = lf_window_hour(begin) + 2 * (int64_t)r;
        struct lf_stats stats;

        query.has_baseline = true;
        query.baseline = (struct lf_window){hour, hour + 1};
        query.window = (struct lf_window){hour + 1, hour + 2};
        stats = ask(&world, &query);
        assert_string_equal(notes_of(&world, &stats), ROWS[r].notes);
    }
    end_world(&world);
}

/* What does not move is not said to: with a hundred scores over 20 bins chance alone makes a PSI above the first band.
 * What does move is told with as few. */
static void
test_chance(void **state)
{
    enum { WINDOWS = 40 };
    struct fixture *f = *state;
    struct world world = one_version(f);
    struct lf_stats_query query = all_of("main");
    int64_t begin = support_ms("2026-06-01T00:00:00Z");
    struct lf_stats stats;
    size_t above = 0;

    for (int i = 0; i < 1000; i++)
        score_at(&world, begin + i, (int)support_random(&world.random, 4), support_random(&world.random, 2) == 0);
    for (int w = 1; w <= WINDOWS; w++)
        for (int i = 0; i < 100; i++)
            score_at(&world, begin + w * 3600000 + i, (int)support_random(&world.random, 4),
                     support_random(&world.random, 2) == 0);
    for (int i = 0; i < 100; i++)
        score_at(&world, begin + (WINDOWS + 1) * 3600000 + i, 0, support_random(&world.random, 2) == 0);
    put_world(&world);
    for (int w = 1; w <= WINDOWS + 1; w++) {
        query.window = (struct lf_window){lf_window_hour(begin) + w, lf_window_hour(begin) + w + 1};
        stats = ask(&world, &query);
        above += w <= WINDOWS && lf_drift_level(stats.drift.psi) != LF_DRIFT_STABLE;
        if (w <= WINDOWS)
            assert_string_equal(notes_of(&world, &stats), "");
    }
    assert_true(above > WINDOWS / 4);
    assert_int_equal(stats.drift.note_count, 2); /* the score, and the size */
    end_world(&world);
}

static void
test_too_few(void **state)
{
    struct fixture *f = *state;
    struct world world = one_version(f);
    struct lf_stats_query query = all_of("main");
    int64_t at = support_ms("2026-06-01T00:00:00Z");
    struct lf_stats stats = ask(&world, &query);

    assert_string_equal(notes_of(&world, &stats),
                        "no scores in the window\nthe baseline is not complete yet: 0 of 1,000 scores");
    assert_int_equal(stats.drift.baseline.from_ms, INT64_MIN);
    at = score_many(&world, at, 240, 100, 0, 0);
    at = support_ms("2026-07-01T00:00:00Z");
    at = score_many(&world, at, 1, 100, 2, 0);
    at = support_ms("2026-07-02T00:00:00Z");
    at = score_many(&world, at, 99, 100, 2, 0);
    at = support_ms("2026-07-05T00:00:00Z");
    (void)score_many(&world, at, 1060, 100, 2, 0);
    put_world(&world);

    query.window.to_hour = hours("2026-07-02");
    query.window.from_hour = hours("2026-07-01");
    stats = ask(&world, &query);
    assert_string_equal(notes_of(&world, &stats), "only 1 score in the window: too few to say much");
    query.window = (struct lf_window){hours("2026-07-02"), hours("2026-07-03")};
    stats = ask(&world, &query);
    assert_string_equal(notes_of(&world, &stats), "only 99 scores in the window: too few to say much");
    query.window.to_hour = INT64_MAX;
    query.has_baseline = true;
    query.baseline = (struct lf_window){hours("2026-07-01"), hours("2026-07-02")};
    stats = ask(&world, &query);
    assert_string_equal(notes_of(&world, &stats), "only 1 score in the baseline: too few to say much");
    query.baseline = (struct lf_window){hours("2026-01-01"), hours("2026-01-02")};
    stats = ask(&world, &query);
    assert_string_equal(notes_of(&world, &stats), "no scores in the baseline");
    assert_true(stats.drift.psi == 0);
    end_world(&world);
}

static void
test_baseline_that_is_not_complete(void **state)
{
    struct fixture *f = *state;
    struct world world = one_version(f);
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;

    (void)score_many(&world, support_ms("2026-06-01T00:00:00Z"), 240, 50, 0, 2);
    put_world(&world);
    stats = ask(&world, &query);
    assert_string_equal(notes_of(&world, &stats), "the baseline is not complete yet: 240 of 1,000 scores");
    assert_true(stats.drift.psi == 0);
    assert_int_equal(stats.drift.baseline.from_ms, world.events[0].at_ms);
    assert_int_equal(stats.drift.baseline.to_ms, world.events[239].at_ms);
    end_world(&world);
}

/* Of the version that is named, else of the active one, whatever else scored. */
static void
test_whose_drift(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(1780000000002);
    struct lf_stats_query query = all_of("main");
    bool unchanged = false;
    struct world world;

    publish_icp(f, "main", "core", DEFINITION, 1);
    publish_icp(f, "main", "core",
                "'attributes':[{'key':'title','label':'Title','category':'need','weight':1,'rules':["
                "{'when':{'field':'title','is':'vp'}}]}]",
                2);
    OK(lf_store_activate(f->store, "main", 1, &change, &unchanged, &f->error));
    world = make_world(f, "main");
    for (int i = 0; i < 300; i++)
        (void)add_event(&world, (size_t)(i % 3 == 0), support_ms("2026-06-01T00:00:00Z") + i,
                        random_outcome(&world, world.entries[i % 3 == 0]->icp), NO_LEAD);
    put_world(&world);
    assert_int_equal(ask(&world, &query).drift.version, 1);
    assert_int_equal(ask(&world, &query).drift.window.scored, 200);
    query.version = 2;
    assert_int_equal(ask(&world, &query).drift.version, 2);
    assert_int_equal(ask(&world, &query).drift.baseline.scored, 100);
    assert_int_equal(ask(&world, &query).drift.attribute_count, 1);
    end_world(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_numbers),
        STORE_TEST(test_since_a_day),
        STORE_TEST(test_since_a_local_day),
        STORE_TEST(test_no_day_splits),
        STORE_TEST(test_when_a_field_is_told),
        STORE_TEST(test_sentences),
        STORE_TEST(test_chance),
        STORE_TEST(test_too_few),
        STORE_TEST(test_baseline_that_is_not_complete),
        STORE_TEST(test_whose_drift),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
