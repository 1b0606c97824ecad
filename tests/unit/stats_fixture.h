/*
 * stats_fixture.h - for the tests of statistics: scores made up at chosen times, and the roll-ups that they add up to
 * in a real store. Nothing is evaluated or recorded: outcomes are drawn at random or given.
 */
#ifndef LF_TESTS_STATS_FIXTURE_H
#define LF_TESTS_STATS_FIXTURE_H

#include "app/catalog.h"
#include "app/stats.h"
#include "app/window.h"
#include "app_fixture.h"

#include <time.h>

enum { VERSIONS_MAX = 8, EVENTS_MAX = 20000, ROLLUPS_MAX = 40000, BASELINE = 1000, NO_LEAD = -1 };

/* One score. */
struct event {
    size_t version; /* of the world's */
    int64_t at_ms;
    const struct lf_outcome *outcome;
    struct lf_brief brief;
    int lead;
    bool first;
    enum lf_fate fate; /* of its lead */
    int64_t value;
};

struct world {
    struct fixture *f;
    struct lf_catalog *catalog;
    const struct lf_cataloged *entries[VERSIONS_MAX];
    size_t version_count, active;
    struct event *events; /* by time */
    size_t count;
    struct lf_stored_rollup *rollups; /* while they are written */
    size_t rollup_count;
    struct support_random random;
};

/* All versions of the ICP, held. */
static inline struct world
make_world(struct fixture *f, const char *icp)
{
    struct world world = {.f = f, .catalog = lf_catalog_create(), .random = {5}};
    struct lf_stored_version *versions = NULL;

    assert_non_null(world.catalog);
    world.events = lf_arena_calloc(f->arena, EVENTS_MAX, sizeof *world.events);
    assert_non_null(world.events);
    OK(lf_store_versions(f->reader, f->arena, icp, &versions, &world.version_count, &f->error));
    assert_true(world.version_count <= VERSIONS_MAX);
    for (size_t i = 0; i < world.version_count; i++)
        OK(lf_catalog_hold(world.catalog, f->reader, versions[i].id, &world.entries[i], &f->error));
    return world;
}

static inline void
end_world(struct world *world)
{
    for (size_t i = 0; i < world->version_count; i++)
        lf_catalog_release(world->catalog, world->entries[i]);
    lf_catalog_destroy(world->catalog);
}

/* An outcome under the definition in which nothing matched, nothing is missing and no disqualifier is true. */
static inline struct lf_outcome *
plain_outcome(struct lf_arena *arena, const struct lf_icp *icp)
{
    struct lf_outcome *outcome = lf_arena_calloc(arena, 1, sizeof *outcome);

    assert_non_null(outcome);
    outcome->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *outcome->attributes);
    outcome->disqualifiers = lf_arena_calloc(arena, icp->disqualifier_count, 1);
    outcome->missing = lf_arena_calloc(arena, (icp->fields.count + 7) / 8, 1);
    assert_true(outcome->attributes != NULL && outcome->disqualifiers != NULL && outcome->missing != NULL);
    for (size_t a = 0; a < icp->attribute_count; a++)
        outcome->attributes[a] = (struct lf_attribute_outcome){
            .status = LF_ATTRIBUTE_UNMATCHED,
            .rule = LF_NO_RULE,
            .fit = icp->attributes[a].otherwise,
            .missing = LF_NO_FIELD,
        };
    return outcome;
}

static inline void
set_attribute(const struct lf_icp *icp, struct lf_outcome *outcome, size_t a, enum lf_attribute_status status, int rule)
{
    const struct lf_attribute *attribute = &icp->attributes[a];
    struct lf_attribute_outcome *at = &outcome->attributes[a];

    *at = (struct lf_attribute_outcome){.status = status, .rule = LF_NO_RULE, .missing = LF_NO_FIELD};
    if (status == LF_ATTRIBUTE_MATCHED) {
        at->rule = rule;
        at->fit = attribute->rules[rule].fit;
    } else if (status == LF_ATTRIBUTE_UNMATCHED) {
        at->fit = attribute->otherwise;
    } else {
        at->fit = attribute->skip_missing ? 0 : attribute->missing;
    }
}

static inline void
set_missing(struct lf_outcome *outcome, size_t field)
{
    outcome->missing[field / 8] |= (uint8_t)(1u << field % 8);
}

static inline bool
is_missing(const struct lf_outcome *outcome, size_t field)
{
    return (outcome->missing[field / 8] >> field % 8 & 1) != 0;
}

static inline struct lf_outcome *
random_outcome(struct world *world, const struct lf_icp *icp)
{
    struct support_random *random = &world->random;
    struct lf_outcome *outcome = plain_outcome(world->f->arena, icp);

    for (size_t a = 0; a < icp->attribute_count; a++) {
        uint32_t status = support_random(random, 4);

        set_attribute(icp, outcome, a,
                      status < 2    ? LF_ATTRIBUTE_MATCHED
                      : status == 2 ? LF_ATTRIBUTE_UNMATCHED
                                    : LF_ATTRIBUTE_UNKNOWN,
                      (int)support_random(random, (uint32_t)icp->attributes[a].rule_count));
    }
    for (size_t d = 0; d < icp->disqualifier_count; d++)
        outcome->disqualifiers[d] = support_random(random, 8) == 0 ? LF_VERDICT_TRUE : LF_VERDICT_FALSE;
    for (size_t f = 0; f < icp->fields.count; f++)
        if (support_random(random, 5) == 0)
            set_missing(outcome, f);
    if (support_random(random, 10) == 0)
        outcome->missing = NULL; /* as early records have it */
    return outcome;
}

/* Adds a score; times ascend. */
static inline struct event *
add_event(struct world *world, size_t version, int64_t at_ms, const struct lf_outcome *outcome, int lead)
{
    struct event *event = &world->events[world->count++];

    assert_true(world->count <= EVENTS_MAX);
    assert_true(world->count == 1 || at_ms >= event[-1].at_ms);
    *event = (struct event){.version = version, .at_ms = at_ms, .outcome = outcome, .lead = lead};
    lf_score_brief(world->entries[version]->scorer, outcome, &event->brief);
    event->first = lead != NO_LEAD;
    for (size_t i = 0; i + 1 < world->count && event->first; i++)
        event->first = world->events[i].lead != lead;
    return event;
}

/* Whether no later score of its lead is there, under the same version (or under any). */
static inline bool
is_latest(const struct world *world, size_t at, bool same_version)
{
    const struct event *event = &world->events[at];

    for (size_t i = at + 1; i < world->count; i++)
        if (world->events[i].lead == event->lead && (!same_version || world->events[i].version == event->version))
            return false;
    return event->lead != NO_LEAD;
}

/* ---- the roll-ups ---- */

/* Notes a roll-up, to be written with the others. */
static inline void
put_rollup(struct world *world, size_t version, enum lf_rollup_kind kind, enum lf_rollup_span span, int64_t start,
           const struct lf_tally *tally, const struct lf_wins *wins)
{
    struct lf_stored_rollup *rollup = &world->rollups[world->rollup_count++];
    struct lf_buf buf;

    assert_true(world->rollup_count <= ROLLUPS_MAX);
    *rollup = (struct lf_stored_rollup){
        .version_id = world->entries[version]->version_id, .kind = kind, .span = span, .start_hour = start};
    lf_buf_init(&buf, world->f->arena, 1 << 24);
    if (tally != NULL)
        lf_tally_put(&buf, tally);
    else
        lf_wins_put(&buf, wins);
    assert_false(lf_buf_failed(&buf));
    rollup->body = buf.data;
    rollup->body_len = buf.len;
}

/* Writes a version's roll-ups of one kind and span. */
static inline void
put_rollups(struct world *world, size_t version, enum lf_rollup_kind kind, enum lf_rollup_span span)
{
    const struct lf_icp *icp = world->entries[version]->icp;
    struct fixture *f = world->f;
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 26);
    struct lf_tally tally;
    struct lf_wins wins;
    int64_t start = 0;
    size_t counted = 0;

    assert_non_null(arena);
    for (size_t i = 0; i < world->count; i++) {
        const struct event *event = &world->events[i];
        int64_t own = span == LF_SPAN_BASELINE ? 0 : lf_window_span_start(span, lf_window_hour(event->at_ms));

        if (event->version != version || (kind != LF_ROLLUP_TALLY && !is_latest(world, i, kind == LF_ROLLUP_WINS)))
            continue;
        if (counted > 0 && own != start)
            put_rollup(world, version, kind, span, start, kind == LF_ROLLUP_TALLY ? &tally : NULL, &wins);
        if (counted == 0 || own != start) {
            lf_arena_reset(arena);
            assert_true(lf_tally_init(&tally, arena, icp));
            assert_true(lf_wins_init(&wins, arena, icp));
        }
        start = own;
        counted++;
        if (span == LF_SPAN_BASELINE && counted > BASELINE)
            break;
        if (kind == LF_ROLLUP_TALLY)
            lf_tally_count(&tally, event->outcome, &event->brief, event->at_ms, event->first);
        else
            OK(lf_wins_count(&wins, event->outcome, &event->brief, event->fate, event->value, 1, &f->error));
    }
    if (counted > 0)
        put_rollup(world, version, kind, span, start, kind == LF_ROLLUP_TALLY ? &tally : NULL, &wins);
    lf_arena_destroy(arena);
}

/* Writes all that the scores add up to. */
static inline void
put_world(struct world *world)
{
    struct fixture *f = world->f;

    world->rollups = lf_arena_calloc(f->arena, ROLLUPS_MAX, sizeof *world->rollups);
    assert_non_null(world->rollups);
    world->rollup_count = 0;
    for (size_t v = 0; v < world->version_count; v++) {
        put_rollups(world, v, LF_ROLLUP_TALLY, LF_SPAN_BASELINE);
        for (enum lf_rollup_span span = LF_SPAN_HOUR; span <= LF_SPAN_MONTH; span++) {
            put_rollups(world, v, LF_ROLLUP_TALLY, span);
            put_rollups(world, v, LF_ROLLUP_WINS, span);
            put_rollups(world, v, LF_ROLLUP_ICP_WINS, span);
        }
    }
    OK(lf_store_settle(f->store, NULL, 0, world->rollups, world->rollup_count, 0, 0, &f->error));
}

/* ---- asking ---- */

static inline struct lf_stats_query
all_of(const char *icp)
{
    return (struct lf_stats_query){
        .icp = icp, .window = {INT64_MIN, INT64_MAX}, .now_ms = support_ms("2026-11-22T12:00:00Z")};
}

static inline struct lf_stats
ask(struct world *world, const struct lf_stats_query *query)
{
    struct fixture *f = world->f;
    struct lf_stats stats;

    OK(lf_stats_compute(f->reader, world->catalog, f->arena, query, &stats, &f->error));
    lf_stats_finish(world->catalog, &stats); /* the world holds the versions as well: names stay */
    return stats;
}

static inline const struct lf_zone *
zone_of(struct fixture *f, const char *name)
{
    const struct lf_zone *zone = NULL;

    if (strcmp(name, "UTC") != 0)
        OK(lf_zone_open(f->arena, name, &zone, &f->error));
    return zone;
}

static inline int64_t
hours(const char *time)
{
    return lf_window_hour(support_ms(time));
}

#endif
