/*
 * test_stats.c - statistics over random scores of four versions that differ in everything, against a count by hand: all
 * windows, zones and buckets. What the formulas give is tested with them (test_statistics.c).
 */
#include "app/penetration.h"
#include "stats_model.h"

/* Versions of one ICP: attributes come, go and change places; rules and grades are called otherwise; one rule's label
 * stands twice; engagement and its levels only here and there. */
static const char *const VERSIONS[] = {
    "'attributes':[{'key':'size','label':'Size','category':'firmographic','weight':20,'rules':["
    "{'when':{'field':'n','gte':100},'label':'large'},{'when':{'field':'n','gte':50},'fit':0.5,'label':'middling'},"
    "{'when':{'field':'m','gte':50},'fit':0.25,'label':'large'}],'otherwise':-0.1},"
    "{'key':'title','label':'Title','category':'decision_maker','weight':10,'rules':["
    "{'when':{'field':'title','is':'vp'},'label':'VP'}],'missing':'skip'},"
    "{'key':'visit','label':'Visit','category':'behavioral','axis':'engagement','weight':30,'rules':["
    "{'when':{'field':'visits','gte':3},'label':'often'}]}],"
    "'disqualifiers':[{'key':'rival','reason':'Rival','when':{'field':'rival','is':true}},"
    "{'key':'tiny','reason':'Tiny','when':{'field':'n','lt':2}}]",

    "'attributes':[{'key':'title','label':'Job title','category':'demographic','weight':15,'rules':["
    "{'when':{'field':'title','is':'chief'},'label':'Chief'},{'when':{'field':'title','is':'vp'},'label':'VP'}],"
    "'missing':'skip'},"
    "{'key':'need','label':'Need','category':'need','weight':7,'rules':[{'when':{'field':'need','is':'yes'}}],"
    "'missing':0.3}],"
    "'disqualifiers':[{'key':'tiny','reason':'Too small','when':{'field':'n','lt':2}}],"
    "'grades':[{'grade':'Gold','min':70},{'grade':'B','min':30},{'grade':'Rest','min':0}]",

    "'attributes':[{'key':'size','label':'Company size','category':'firmographic','weight':25,'rules':["
    "{'when':{'field':'n','gte':100},'label':'huge'},{'when':{'field':'n','gte':50},'fit':0.5,'label':'middling'}]},"
    "{'key':'visit','label':'Visits','category':'behavioral','axis':'engagement','weight':30,'rules':["
    "{'when':{'field':'visits','gte':3},'label':'often'},{'when':{'field':'visits','gte':1},'fit':0.4}]}],"
    "'levels':[{'level':1,'min':90},{'level':2,'min':0}],'disqualifiers':[]",

    ("'attributes':[{'key':'size','label':'Size','category':'firmographic','weight':20,'rules':["
     "{'when':{'field':'n','gte':100}}]}],'grades':[{'grade':'Only','min':0}]"),
};

enum { VERSION_COUNT = sizeof VERSIONS / sizeof *VERSIONS, EVENT_COUNT = 3000, LEADS = 700 };

/* Scores from 20 February to 20 April 2026, both clocks' changes of Europe within; versions follow each other and come
 * back. The third one is active, the last one never scores. */
static struct world
random_world(struct fixture *f)
{
    int64_t at = support_ms("2026-02-20T13:37:00Z"), end = support_ms("2026-04-20T00:00:00Z");
    struct world world;
    enum lf_fate fates[LEADS] = {LF_FATE_UNKNOWN};
    int64_t values[LEADS] = {0};
    struct lf_change change = by_ops(1780000000002);
    bool unchanged = false;

    for (int v = 0; v < VERSION_COUNT; v++)
        publish_icp(f, "main", "core", VERSIONS[v], v + 1);
    publish_icp(f, "other", "experimental", VERSIONS[0], 1);
    OK(lf_store_activate(f->store, "main", 3, &change, &unchanged, &f->error));
    world = make_world(f, "main");
    world.active = 2;
    for (int i = 0; i < LEADS; i++) {
        fates[i] = (enum lf_fate)support_random(&world.random, 4);
        values[i] = fates[i] == LF_FATE_WON ? support_random(&world.random, 2000000000) : 0;
    }
    for (int i = 0; i < EVENT_COUNT; i++) {
        uint32_t phase = (uint32_t)i * 3 / EVENT_COUNT, draw = support_random(&world.random, 10);
        size_t version = draw < 7 ? phase : draw < 8 ? 0 : draw < 9 ? 1 : 2;
        int lead = support_random(&world.random, 5) == 0 ? NO_LEAD : (int)support_random(&world.random, LEADS);
        struct event *event = add_event(&world, version, at, random_outcome(&world, world.entries[version]->icp), lead);

        event->fate = lead == NO_LEAD ? LF_FATE_UNKNOWN : fates[lead];
        event->value = lead == NO_LEAD ? 0 : values[lead];
        at += support_random(&world.random, 2) == 0 ? support_random(&world.random, 1000)
                                                    : support_random(&world.random, 2500000);
        if (support_random(&world.random, 100) == 0)
            at += 86400000; /* a day or so without scores */
        if (at >= end)
            break;
    }
    put_world(&world);
    return world;
}

/* ---- tests ---- */

static void
test_all_of_time(void **state)
{
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_stats_query query = all_of("main");

    assert_true(world.count > 2000);
    for (query.version = 0; query.version <= VERSION_COUNT; query.version++)
        check_all(&world, &query, "UTC");
    end_world(&world);
}

static void
test_windows_and_zones(void **state)
{
    static const char *const ZONES[] = {"UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"};
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_arena *keep = f->arena;
    int64_t first = lf_window_hour(world.events[0].at_ms);

    for (int i = 0; i < 60; i++) {
        const char *zone = ZONES[i % 5];
        struct lf_stats_query query = all_of("main");

        f->arena = lf_arena_create(1 << 16, 1 << 28);
        assert_non_null(f->arena);
        query.version = (int)support_random(&world.random, 3);
        query.by_hour = support_random(&world.random, 3) == 0;
        query.zone = zone_of(f, zone);
        if (support_random(&world.random, 5) > 0)
            query.window.from_hour = first - 50 + support_random(&world.random, 1500);
        if (support_random(&world.random, 5) > 0)
            query.window.to_hour = (query.window.from_hour == INT64_MIN ? first : query.window.from_hour) + 1 +
                                   support_random(&world.random, i % 2 == 0 ? 30 : 1200);
        check_all(&world, &query, zone);
        lf_arena_destroy(f->arena);
        f->arena = keep;
    }
    end_world(&world);
}

/* Both days on which the clocks change, by name and length. */
static void
test_days_of_clock_changes(void **state)
{
    static const struct {
        const char *from, *to, *starts[3];
    } ROWS[] = {
        {"2026-03-28", "2026-03-31", {"2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}},
        {"2026-10-24", "2026-10-27", {"2026-10-23T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}},
    };
    struct fixture *f = *state;
    struct world world;

    publish_icp(f, "main", "core", VERSIONS[0], 1);
    world = make_world(f, "main");
    for (size_t r = 0; r < 2; r++)
        for (int64_t hour = hours(ROWS[r].from) - 24; hour < hours(ROWS[r].to) + 24; hour++)
            (void)add_event(&world, 0, hour * 3600000 + 1234, random_outcome(&world, world.entries[0]->icp), NO_LEAD);
    put_world(&world);
    for (size_t r = 0; r < 2; r++) {
        struct lf_stats_query query = all_of("main");
        struct lf_stats stats;

        query.zone = zone_of(f, "Europe/Berlin");
        query.window.from_hour = hours(ROWS[r].starts[0]);
        query.window.to_hour = hours(ROWS[r].starts[2]) + 24;
        stats = ask(&world, &query);
        assert_int_equal(stats.point_count, 3);
        for (int i = 0; i < 3; i++)
            assert_int_equal(stats.points[i].start_ms, support_ms(ROWS[r].starts[i]));
        assert_int_equal(stats.points[0].scored, 24);
        assert_int_equal(stats.points[1].scored, r == 0 ? 23 : 25);
        assert_int_equal(stats.points[2].scored, 24);
    }
    end_world(&world);
}

static void
test_labels_in_order(void **state)
{
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats = ask(&world, &query);
    const char *text = "";

    /* The active version's grades, the others' of the latest first; without engagement in front of level 1. */
    for (size_t g = 0; g < stats.grade_count; g++)
        text = lf_arena_printf(f->arena, "%s %s", text, stats.grades[g].name);
    assert_string_equal(text, " A B C D Gold Rest DQ");
    text = "";
    for (size_t l = 0; l < stats.label_count; l++)
        text = lf_arena_printf(f->arena, "%s %s", text, stats.labels[l].name);
    assert_string_equal(text, " A1 A2 A3 B B1 B3 C1 C2 C3 D1 D2 D3 Gold Rest DQ");
    assert_string_equal(stats.attributes[0].label, "Company size"); /* the active version's words */
    assert_string_equal(stats.attributes[2].label, "Job title");    /* version 2's: the latest that has it */
    end_world(&world);
}

static void
test_nothing_scored(void **state)
{
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;

    query.window = (struct lf_window){0, 24};
    stats = ask(&world, &query);
    assert_int_equal(stats.scored, 0);
    assert_int_equal(stats.grade_count, 5);
    assert_int_equal(stats.label_count, 0);
    assert_int_equal(stats.version_count, 0);
    assert_int_equal(stats.point_count, 0);
    assert_int_equal(stats.attribute_count, 2);
    assert_int_equal(stats.outcomes.grade_count, 5);
    assert_int_equal(stats.drift.version, 3);
    assert_true(stats.drift.psi == 0);

    query = all_of("other"); /* published, and never asked */
    stats = ask(&world, &query);
    assert_int_equal(stats.scored, 0);
    assert_int_equal(stats.penetration.pct, 0);
    end_world(&world);
}

static void
test_never_published(void **state)
{
    struct fixture *f = *state;
    const char *text = definition(f, "idea", "core", VERSIONS[0]);
    const struct lf_icp *icp = support_icp(f->arena, text);
    struct lf_new_draft draft = {
        .icp = "idea", .name = "x", .purpose = "core", .document = text, .document_len = strlen(text)};
    struct lf_precondition nothing_said = {.any = false};
    struct lf_change change = by_ops(1780000000000);
    struct world world = {.f = f, .catalog = lf_catalog_create()};
    struct lf_stats_query query = all_of("idea");
    struct lf_icp_penetration *icps = NULL;
    struct lf_stats stats;
    char etag[LF_ETAG_MAX];
    bool created = false;
    size_t count = 9;

    memcpy(draft.hash, icp->hash, sizeof draft.hash);
    OK(lf_store_put_draft(f->store, &draft, &nothing_said, &change, etag, &created, &f->error));
    stats = ask(&world, &query);
    assert_int_equal(stats.scored, 0);
    assert_int_equal(stats.grade_count, 0);
    assert_int_equal(stats.drift.version, 0);
    assert_int_equal(stats.outcomes.grade_count, 0);
    OK(lf_penetration_compute(f->reader, world.catalog, f->arena, query.window, &icps, &count, &f->error));
    assert_int_equal(count, 0);
    query.version = 1;
    FAILS(lf_stats_compute(f->reader, world.catalog, f->arena, &query, &stats, &f->error), LF_VERSION_NOT_FOUND);
    query.icp = "nobody";
    FAILS(lf_stats_compute(f->reader, world.catalog, f->arena, &query, &stats, &f->error), LF_ICP_NOT_FOUND);
    end_world(&world);
}

static void
test_too_many_points(void **state)
{
    struct fixture *f = *state;
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;
    struct world world;
    int64_t hour = hours("2001-01-01");

    publish_icp(f, "main", "core", VERSIONS[0], 1);
    world = make_world(f, "main");
    (void)add_event(&world, 0, hour * 3600000, random_outcome(&world, world.entries[0]->icp), NO_LEAD);
    (void)add_event(&world, 0, (hour + 4999) * 3600000, random_outcome(&world, world.entries[0]->icp), NO_LEAD);
    (void)add_event(&world, 0, (hour + 5000) * 3600000, random_outcome(&world, world.entries[0]->icp), NO_LEAD);
    (void)add_event(&world, 0, (hour + 24 * 4999) * 3600000, random_outcome(&world, world.entries[0]->icp), NO_LEAD);
    (void)add_event(&world, 0, (hour + 24 * 5000) * 3600000, random_outcome(&world, world.entries[0]->icp), NO_LEAD);
    put_world(&world);

    query.by_hour = true;
    query.window.to_hour = hour + 5000;
    assert_int_equal(ask(&world, &query).point_count, 5000);
    query.window.to_hour++;
    FAILS(lf_stats_compute(f->reader, world.catalog, f->arena, &query, &stats, &f->error), LF_INVALID_PARAMETER);
    assert_non_null(strstr(f->error.detail, "more than 5000 hours: ask for bucket=day"));
    query.by_hour = false;
    assert_int_equal(ask(&world, &query).point_count, 209);
    query.window.to_hour = hour + 24 * 5000;
    assert_int_equal(ask(&world, &query).point_count, 5000);
    query.zone = zone_of(f, "Europe/Berlin");
    assert_int_equal(ask(&world, &query).point_count, 5000);
    query.window.to_hour++;
    FAILS(lf_stats_compute(f->reader, world.catalog, f->arena, &query, &stats, &f->error), LF_INVALID_PARAMETER);
    assert_non_null(strstr(f->error.detail, "more than 5000 days: narrow"));
    query.zone = NULL;
    FAILS(lf_stats_compute(f->reader, world.catalog, f->arena, &query, &stats, &f->error), LF_INVALID_PARAMETER);
    end_world(&world);
}

/* A definition is read once, and a failure on the way holds nothing back: the catalog can be destroyed (ASan sees). */
static void
test_damaged_rollup(void **state)
{
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;

    run_sql(f->path, "UPDATE rollup SET body = x'00' WHERE span = 3 AND kind = 0");
    FAILS(lf_stats_compute(f->reader, world.catalog, f->arena, &query, &stats, &f->error), LF_STORAGE_CORRUPT);
    /* The reader is let go: what is written afterwards is seen. */
    run_sql(f->path, "DELETE FROM rollup");
    assert_int_equal(ask(&world, &query).scored, 0);
    end_world(&world);
}

static void
test_archived_and_reference(void **state)
{
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_stats_query query = all_of("main");

    archive_icp(f, "main");
    check_all(&world, &query, "UTC");
    end_world(&world);
}

static void
test_penetration(void **state)
{
    struct fixture *f = *state;
    struct world world = random_world(f);
    struct lf_window window = {hours("2026-03-01"), hours("2026-03-20") + 5};
    struct lf_stats_query query = all_of("main");
    struct lf_icp_penetration *icps = NULL;
    struct lf_stats stats;
    size_t count = 0;

    publish_icp(f, "a-bet", "experimental", VERSIONS[3], 1);
    publish_icp(f, "z-core", "core", VERSIONS[0], 1);
    query.window = window;
    stats = ask(&world, &query);
    assert_true(stats.penetration.count > 0);
    OK(lf_penetration_compute(f->reader, world.catalog, f->arena, window, &icps, &count, &f->error));
    assert_int_equal(count, 4);
    assert_string_equal(icps[0].icp, "main");
    assert_string_equal(icps[1].icp, "z-core");
    assert_string_equal(icps[2].icp, "a-bet");
    assert_string_equal(icps[3].icp, "other");
    assert_string_equal(icps[0].name, "Name of main");
    assert_int_equal(icps[0].state, LF_ICP_STATE_ACTIVE);
    assert_int_equal(icps[0].scored, stats.scored);
    assert_int_equal(icps[0].leads, stats.leads);
    assert_int_equal(icps[0].penetration.count, stats.penetration.count);
    assert_int_equal(icps[0].penetration.pct, stats.penetration.pct);
    assert_string_equal(icps[0].penetration.grades[1], "B");
    assert_int_equal(icps[2].penetration.grade_count, 1);
    assert_string_equal(icps[2].penetration.grades[0], "Only");
    assert_int_equal(icps[3].scored, 0);
    assert_int_equal(icps[3].penetration.pct, 0);
    end_world(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_all_of_time),     STORE_TEST(test_windows_and_zones), STORE_TEST(test_days_of_clock_changes),
        STORE_TEST(test_labels_in_order), STORE_TEST(test_nothing_scored),    STORE_TEST(test_never_published),
        STORE_TEST(test_too_many_points), STORE_TEST(test_damaged_rollup),    STORE_TEST(test_archived_and_reference),
        STORE_TEST(test_penetration),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
