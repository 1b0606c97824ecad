/*
 * test_stats_allocation.c - statistics, penetration and unmatched values while each allocation fails in turn
 * (faults.h): nothing crashes, nothing leaks or stays held, and the status says OUT_OF_MEMORY.
 */
#include "api/stats_put.h"
#include "app/penetration.h"
#include "app/unmatched.h"
#include "app/versions.h"
#include "replay_fixture.h"
#include "stats_fixture.h"

#include "faults.h"

/* What is tried, each time with a fresh arena and, where it is asked for, with an empty catalog. */
struct trial {
    struct fixture *f;
    struct lf_arena *arena;
    struct lf_catalog *catalog;
    const struct lf_icp *icp;
    const struct lf_zone *zone;
};

static void
try_each(struct trial *trial, const char *what, enum lf_status (*run)(struct trial *trial, struct lf_error *error))
{
    for (long n = 0;; n++) {
        struct lf_error error = {.status = LF_OK};
        enum lf_status status = LF_OK;
        bool failed = false;

        trial->arena = lf_arena_create(64, 1 << 26);
        trial->catalog = lf_catalog_create();
        assert_true(trial->arena != NULL && trial->catalog != NULL);
        arm(n);
        status = run(trial, &error);
        failed = disarm();
        lf_catalog_destroy(trial->catalog);
        lf_arena_destroy(trial->arena);
        if (!failed) {
            if (status != LF_OK)
                fail_msg("%s: %s", what, error.detail);
            assert_true(n > 0);
            return;
        }
        if (status != LF_OUT_OF_MEMORY)
            fail_msg("%s, allocation %ld: %s: %s", what, n, lf_status_word(status), error.detail);
        assert_int_equal(error.status, LF_OUT_OF_MEMORY);
        assert_true(strlen(error.detail) > 0);
    }
}

#define TRY(trial, run) try_each(trial, #run, run)

static enum lf_status
statistics(struct trial *trial, struct lf_error *error)
{
    struct lf_stats_query query = all_of("main");
    struct lf_stats stats;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    query.zone = trial->zone;
    query.has_baseline = true; /* before a field stopped coming */
    query.baseline.from_hour = hours("2026-06-01");
    query.baseline.to_hour = hours("2026-06-08");
    status = lf_stats_compute(trial->f->reader, trial->catalog, trial->arena, &query, &stats, error);
    if (status != LF_OK)
        return status;
    lf_buf_init(&body, trial->arena, 1 << 24);
    lf_api_put_stats(&body, trial->arena, &query, "Europe/Berlin", &stats);
    assert_int_equal(stats.scored, 400);
    assert_int_equal(stats.drift.field_count, 1);
    lf_stats_finish(trial->catalog, &stats);
    return lf_buf_failed(&body) ? lf_fail(error, LF_OUT_OF_MEMORY, "telling") : LF_OK;
}

static enum lf_status
penetration(struct trial *trial, struct lf_error *error)
{
    struct lf_icp_penetration *icps = NULL;
    size_t count = 0;

    return lf_penetration_compute(trial->f->reader, trial->catalog, trial->arena,
                                  (struct lf_window){INT64_MIN, INT64_MAX}, &icps, &count, error);
}

static enum lf_status
unmatched(struct trial *trial, struct lf_error *error)
{
    struct lf_unmatched_options options = {.limit = 10, .leads = 100};
    struct lf_unmatched told;
    enum lf_status status =
        lf_unmatched_find(trial->f->reader, trial->arena, trial->icp, NULL, NULL, &options, &told, error);

    if (status == LF_OK)
        assert_int_equal(told.count, 2);
    return status;
}

static const char FIRST[] =
    "'attributes':[{'key':'size','label':'Size','category':'firmographic','weight':20,'rules':["
    "{'when':{'field':'n','gte':100},'label':'large'},{'when':{'field':'n','gte':50},'fit':0.5}]},"
    "{'key':'title','label':'Title','category':'need','weight':9,'rules':[{'when':{'field':'title','is':'chief'}}]}],"
    "'disqualifiers':[{'key':'no','reason':'No','when':{'field':'no','is':true}}]";

static void
test_sums(void **state)
{
    struct fixture *f = *state;
    struct trial trial = {.f = f, .zone = zone_of(f, "Europe/Berlin")};
    struct lf_change change = by_ops(1780000000002);
    bool unchanged = false;
    struct world world;

    publish_icp(f, "main", "core", FIRST, 1);
    publish_icp(f, "main", "core",
                "'attributes':[{'key':'size','label':'Size','category':'need','weight':20,'rules':["
                "{'when':{'field':'n','gte':7}}]}],'grades':[{'grade':'Only','min':0}]",
                2);
    OK(lf_store_activate(f->store, "main", 1, &change, &unchanged, &f->error));
    world = make_world(f, "main");
    for (int i = 0; i < 400; i++) {
        size_t version = (size_t)(i % 5 == 0);
        struct lf_outcome *outcome = random_outcome(&world, world.entries[version]->icp);
        struct event *event = NULL;

        if (i > 250 && version == 0 && outcome->missing != NULL)
            set_missing(outcome, 0); /* a field that stops coming */
        event = add_event(&world, version, support_ms("2026-06-01T00:00:00Z") + i * INT64_C(3600000), outcome, i % 90);
        event->fate = (enum lf_fate)(i % 90 % 4);
    }
    put_world(&world);
    end_world(&world);
    TRY(&trial, statistics);
    TRY(&trial, penetration);
}

static void
test_unmatched(void **state)
{
    struct fixture *f = *state;
    struct trial trial = {.f = f};
    struct lf_stored_version version;
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "main", "core", FIRST, 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, "{'id':'a','title':'Chef','n':500}", "", NOW_MS, true);
    (void)record_lead(f, profiles, "{'id':'b','n':'many'}", "", NOW_MS + 1, false);
    (void)record_lead(f, profiles, "{'id':'c','title':'CHIEF','n':500}", "", NOW_MS + 2, true);
    lf_profiles_destroy(profiles);
    OK(lf_store_version(f->reader, f->arena, "main", 1, &version, &f->error));
    OK(lf_version_parse(f->arena, &version, &trial.icp, &f->error));
    TRY(&trial, unmatched);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_sums),
        STORE_TEST(test_unmatched),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
