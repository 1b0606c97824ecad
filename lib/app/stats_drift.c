/*
 * stats_drift.c - what has moved since the version's baseline: the score, each attribute, and fields that no longer
 * come. In numbers; the sentences are in stats_notes.c.
 */
#include "app/stats_parts.h"

#include "app/stats_notes.h"
#include "core/shift.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIELD_SCORES_LEAST = 50, /* below, a share says little */
    FIELD_RISE = 20,         /* points by which a missing share has to rise */
    HOURS_PER_DAY = 24,
    S_PER_HOUR = 3600,
    MS_PER_S = 1000,
    DAYS_LEAST = 32,
};

__extension__ typedef __int128 wide;

/* ---- fields ---- */

/* Whether the share of the window is at least FIELD_RISE points above that of the baseline. */
static bool
has_risen(int64_t missing, int64_t known, int64_t missing_then, int64_t known_then)
{
    if (known < FIELD_SCORES_LEAST || known_then < FIELD_SCORES_LEAST)
        return false;
    return 100 * ((wide)missing * known_then - (wide)missing_then * known) >= FIELD_RISE * (wide)known * known_then;
}

/* What the scores of each local day say, in the order of time. */
struct days {
    struct lf_stats_run *run;
    const size_t *fields; /* of interest */
    size_t field_count;
    struct lf_tally sum; /* up to now */
    int64_t *begins_s;
    int64_t *known;    /* up to the end of each day, as is: */
    int64_t **missing; /* by field of interest */
    size_t count, room;
    int64_t end_s; /* of the last one */
    struct lf_error *error;
};

static bool
copy_numbers(struct lf_arena *arena, int64_t **numbers, size_t count, size_t room)
{
    int64_t *grown = lf_arena_calloc(arena, room, sizeof *grown);

    if (grown == NULL)
        return false;
    if (count > 0)
        memcpy(grown, *numbers, count * sizeof *grown);
    *numbers = grown;
    return true;
}

static bool
make_room(struct days *days)
{
    struct lf_arena *arena = days->run->arena;
    size_t room = days->room == 0 ? DAYS_LEAST : 2 * days->room;

    if (days->count < days->room)
        return true;
    if (!copy_numbers(arena, &days->begins_s, days->count, room) ||
        !copy_numbers(arena, &days->known, days->count, room))
        return false;
    for (size_t f = 0; f < days->field_count; f++)
        if (!copy_numbers(arena, &days->missing[f], days->count, room))
            return false;
    days->room = room;
    return true;
}

static enum lf_status
add_day(void *context, const struct lf_stored_rollup *rollup)
{
    struct days *days = context;
    int64_t start_s = rollup->start_hour * S_PER_HOUR;
    enum lf_status status = lf_tally_add(&days->sum, rollup->body, rollup->body_len, days->error);

    if (status != LF_OK)
        return status;
    if (days->count == 0 || start_s >= days->end_s) {
        if (!make_room(days))
            return lf_stats_no_memory(days->error);
        lf_stats_day(days->run->query->zone, start_s, &days->begins_s[days->count], &days->end_s);
        days->count++;
    }
    days->known[days->count - 1] = days->sum.fields_known;
    for (size_t f = 0; f < days->field_count; f++)
        days->missing[f][days->count - 1] = days->sum.missing[days->fields[f]];
    return LF_OK;
}

static enum lf_status
gather_days(struct days *days, const struct lf_window_version *version, struct lf_error *error)
{
    const struct lf_stats_query *query = days->run->query;
    enum lf_rollup_span span = query->zone != NULL ? LF_SPAN_HOUR : LF_SPAN_DAY;

    days->missing = lf_arena_calloc(days->run->arena, days->field_count, sizeof *days->missing);
    if (days->missing == NULL || !lf_tally_init(&days->sum, days->run->arena, version->entry->icp))
        return lf_stats_no_memory(error);
    return lf_window_each(days->run->reader, version->version_id, LF_ROLLUP_TALLY, query->window, span, add_day, days,
                          error);
}

/* Since when a field is missing more often, and how often since. */
static enum lf_status
tell_since(const struct days *days, size_t f, struct lf_field_drift *told, struct lf_error *error)
{
    int64_t *missing = lf_arena_calloc(days->run->arena, days->count, sizeof *missing);
    int64_t *known = lf_arena_calloc(days->run->arena, days->count, sizeof *known);
    size_t day = 0;

    if (missing == NULL || known == NULL)
        return lf_stats_no_memory(error);
    for (size_t i = 0; i < days->count; i++) {
        missing[i] = days->missing[f][i] - (i > 0 ? days->missing[f][i - 1] : 0);
        known[i] = days->known[i] - (i > 0 ? days->known[i - 1] : 0);
    }
    if (!lf_shift_find(missing, known, days->count, &day))
        return LF_OK;
    told->since_ms = days->begins_s[day] * MS_PER_S;
    told->missing_pct = lf_percent(days->missing[f][days->count - 1] - days->missing[f][day - 1],
                                   days->known[days->count - 1] - days->known[day - 1]);
    return LF_OK;
}

static enum lf_status
tell_fields(struct lf_stats_run *run, const struct lf_tally *baseline, struct lf_drift *told, struct lf_error *error)
{
    const struct lf_window_version *version = &run->versions[run->reference];
    const struct lf_tally *window = &version->tally;
    size_t most = window->icp->fields.count, count = 0;
    struct lf_field_drift *fields = lf_arena_calloc(run->arena, most, sizeof *fields);
    size_t *risen = lf_arena_calloc(run->arena, most, sizeof *risen);
    struct days days = {.run = run, .fields = risen, .error = error};
    enum lf_status status = LF_OK;

    if (fields == NULL || risen == NULL)
        return lf_stats_no_memory(error);
    for (size_t f = 0; f < most; f++) {
        if (!has_risen(window->missing[f], window->fields_known, baseline->missing[f], baseline->fields_known))
            continue;
        risen[count] = f;
        fields[count++] = (struct lf_field_drift){
            .path = window->icp->fields.paths[f],
            .missing_pct = lf_percent(window->missing[f], window->fields_known),
            .baseline_pct = lf_percent(baseline->missing[f], baseline->fields_known),
            .since_ms = INT64_MIN,
        };
    }
    days.field_count = count;
    if (count > 0)
        status = gather_days(&days, version, error);
    for (size_t f = 0; f < count && status == LF_OK; f++)
        status = tell_since(&days, f, &fields[f], error);
    told->fields = fields;
    told->field_count = count;
    return status;
}

/* ---- score and attributes ---- */

/* An attribute's outcomes: its rules, unmatched, unknown. */
static void
list_cells(const struct lf_attribute_tally *tally, size_t rules, int64_t *cells)
{
    memcpy(cells, tally->rules, rules * sizeof *cells);
    cells[rules] = tally->unmatched;
    cells[rules + 1] = tally->unknown;
}

static bool
tell_attributes(struct lf_stats_run *run, const struct lf_tally *baseline, struct lf_drift *told,
                struct lf_stats_moves *moves)
{
    const struct lf_tally *window = &run->versions[run->reference].tally;
    const struct lf_icp *icp = window->icp;
    struct lf_attribute_drift *attributes = lf_arena_calloc(run->arena, icp->attribute_count, sizeof *attributes);

    moves->attributes = lf_arena_calloc(run->arena, icp->attribute_count, sizeof *moves->attributes);
    if (attributes == NULL || moves->attributes == NULL)
        return false;
    for (size_t a = 0; a < icp->attribute_count; a++) {
        size_t rules = icp->attributes[a].rule_count;
        struct lf_stats_cells *cells = &moves->attributes[a];

        cells->count = rules + 2;
        cells->baseline = lf_arena_calloc(run->arena, cells->count, sizeof *cells->baseline);
        cells->window = lf_arena_calloc(run->arena, cells->count, sizeof *cells->window);
        if (cells->baseline == NULL || cells->window == NULL)
            return false;
        list_cells(&baseline->attributes[a], rules, cells->baseline);
        list_cells(&window->attributes[a], rules, cells->window);
        attributes[a] = (struct lf_attribute_drift){
            .key = icp->attributes[a].key,
            .psi = lf_psi(cells->baseline, cells->window, cells->count),
        };
    }
    told->attributes = attributes;
    told->attribute_count = icp->attribute_count;
    return true;
}

static bool
tell_score(struct lf_stats_run *run, const struct lf_tally *baseline, struct lf_drift *told,
           struct lf_stats_moves *moves)
{
    struct lf_stats_cells *cells = &moves->score;

    cells->count = LF_STATS_BUCKETS;
    cells->baseline = lf_arena_calloc(run->arena, cells->count, sizeof *cells->baseline);
    cells->window = lf_arena_calloc(run->arena, cells->count, sizeof *cells->window);
    if (cells->baseline == NULL || cells->window == NULL)
        return false;
    lf_stats_histogram(baseline->bins, cells->baseline);
    lf_stats_histogram(run->versions[run->reference].tally.bins, cells->window);
    told->psi = lf_psi(cells->baseline, cells->window, cells->count);
    return true;
}

/* ---- all of it ---- */

static int64_t
hour_ms(int64_t hour)
{
    return hour == INT64_MIN || hour == INT64_MAX ? hour : hour * S_PER_HOUR * MS_PER_S;
}

static enum lf_status
sum_baseline(struct lf_stats_run *run, struct lf_window_version *baseline, struct lf_drift_span *told,
             struct lf_error *error)
{
    const struct lf_stats_query *query = run->query;
    const struct lf_window_version *version = &run->versions[run->reference];
    enum lf_status status = LF_OK;

    *baseline = (struct lf_window_version){.version_id = version->version_id, .entry = version->entry};
    if (!lf_tally_init(&baseline->tally, run->arena, version->entry->icp))
        return lf_stats_no_memory(error);
    if (query->has_baseline)
        status = lf_window_sum(run->catalog, run->reader, run->arena, query->baseline, false, baseline, error);
    else
        status = lf_window_sum_baseline(run->reader, version->version_id, &baseline->tally, error);
    *told = (struct lf_drift_span){INT64_MIN, INT64_MAX, baseline->tally.scored};
    if (query->has_baseline) {
        told->from_ms = hour_ms(query->baseline.from_hour);
        told->to_ms = hour_ms(query->baseline.to_hour);
    } else if (told->scored > 0) {
        told->from_ms = baseline->tally.first_ms;
        told->to_ms = baseline->tally.last_ms;
    }
    return status;
}

enum lf_status
lf_stats_drift(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error)
{
    struct lf_drift *told = &stats->drift;
    struct lf_stats_moves moves = {.attributes = NULL};
    struct lf_window_version baseline;
    enum lf_status status = LF_OK;

    told->window = told->baseline = (struct lf_drift_span){INT64_MIN, INT64_MAX, 0};
    told->window.from_ms = hour_ms(run->query->window.from_hour);
    told->window.to_ms = hour_ms(run->query->window.to_hour);
    if (run->version_count == 0)
        return LF_OK;
    told->version = run->versions[run->reference].entry->version;
    told->window.scored = run->versions[run->reference].tally.scored;
    status = sum_baseline(run, &baseline, &told->baseline, error);
    if (status != LF_OK)
        return status;
    if (!tell_score(run, &baseline.tally, told, &moves) || !tell_attributes(run, &baseline.tally, told, &moves))
        return lf_stats_no_memory(error);
    status = tell_fields(run, &baseline.tally, told, error);
    if (status == LF_OK && !lf_stats_notes(run, &moves, told))
        status = lf_stats_no_memory(error);
    return status;
}
