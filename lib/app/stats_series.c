/*
 * stats_series.c - a point for each hour or day between the first and the last score of the window.
 *
 * Days in UTC are read from the roll-ups of days, those of other zones from hours: an hour belongs to the day in which
 * it begins. Of each roll-up only its head is read.
 */
#include "app/stats_parts.h"

#include <string.h>

enum { S_PER_HOUR = 3600, HOURS_PER_DAY = 24 };

struct series {
    struct lf_stats_run *run;
    struct lf_stats_point *points;
    int64_t (*sums)[2]; /* of score and coverage, by point */
    int64_t *grades;    /* by point and told grade */
    size_t count, grade_count;

    /* Of the version at hand: */
    const size_t *map;
    struct lf_tally tally; /* of one roll-up */
    size_t at;             /* the point that the last one fell into */
    struct lf_error *error;
};

/* ---- the points ---- */

/* Between which hours the scores of the window lie; false: there is none. */
static bool
find_ends(const struct lf_stats_run *run, int64_t *ret_first, int64_t *ret_last)
{
    bool found = false;

    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_tally *tally = &run->versions[run->order[i]].tally;
        int64_t first = lf_window_hour(tally->first_ms), last = lf_window_hour(tally->last_ms);

        if (tally->scored == 0)
            continue;
        *ret_first = found && *ret_first < first ? *ret_first : first;
        *ret_last = found && *ret_last > last ? *ret_last : last;
        found = true;
    }
    return found;
}

static enum lf_status
too_many(bool by_hour, struct lf_error *error)
{
    return lf_fail(error, LF_INVALID_PARAMETER,
                   "the series would have more than %d %s: %snarrow the window with from and to", LF_STATS_POINTS_MAX,
                   by_hour ? "hours" : "days", by_hour ? "ask for bucket=day, or " : "");
}

/* Makes the points, all empty. */
static enum lf_status
make_points(struct series *series, int64_t first, int64_t last, struct lf_error *error)
{
    const struct lf_stats_query *query = series->run->query;
    struct lf_arena *arena = series->run->arena;
    int64_t begin = first * S_PER_HOUR, end = begin + S_PER_HOUR;
    size_t most = (size_t)((last - first) / (query->by_hour ? 1 : HOURS_PER_DAY - 2) + 3);

    if (most > LF_STATS_POINTS_MAX + 1)
        most = LF_STATS_POINTS_MAX + 1; /* one more than may be, to find that out */
    series->points = lf_arena_calloc(arena, most, sizeof *series->points);
    if (series->points == NULL)
        return lf_stats_no_memory(error);
    for (int64_t at = begin; at <= last * S_PER_HOUR && series->count < most; at = end) {
        end = at + S_PER_HOUR;
        begin = at;
        if (!query->by_hour)
            lf_stats_day(query->zone, at, &begin, &end);
        series->points[series->count++].start_ms = begin * 1000;
    }
    if (series->count > LF_STATS_POINTS_MAX)
        return too_many(query->by_hour, error);
    series->sums = lf_arena_calloc(arena, series->count, sizeof *series->sums);
    series->grades = lf_arena_calloc(arena, series->count * series->grade_count, sizeof *series->grades);
    return series->sums == NULL || series->grades == NULL ? lf_stats_no_memory(error) : LF_OK;
}

/* ---- filling them ---- */

static void
clear_head(struct lf_tally *tally)
{
    tally->scored = tally->leads = tally->qualified = 0;
    tally->first_ms = tally->last_ms = 0;
    tally->score_sum = tally->coverage_sum = tally->engagement_sum = 0;
    memset(tally->grades, 0, (tally->icp->grade_count + 1) * sizeof *tally->grades);
}

static enum lf_status
add_one(void *context, const struct lf_stored_rollup *rollup)
{
    struct series *series = context;
    struct lf_tally *tally = &series->tally;
    int64_t start_ms = rollup->start_hour * S_PER_HOUR * 1000;
    enum lf_status status = LF_OK;

    clear_head(tally);
    status = lf_tally_add_head(tally, rollup->body, rollup->body_len, series->error);
    if (status != LF_OK)
        return status;
    while (series->at + 1 < series->count && series->points[series->at + 1].start_ms <= start_ms)
        series->at++;
    series->points[series->at].scored += tally->scored;
    series->sums[series->at][0] += tally->score_sum;
    series->sums[series->at][1] += tally->coverage_sum;
    for (size_t g = 0; g <= tally->icp->grade_count; g++)
        if (tally->grades[g] > 0 && series->map[g] != SIZE_MAX)
            series->grades[series->at * series->grade_count + series->map[g]] += tally->grades[g];
    return LF_OK;
}

/* The window, cut to where the version has scores: whole days where days are read. */
static struct lf_window
cut_window(struct lf_window window, const struct lf_tally *tally, enum lf_rollup_span span)
{
    int64_t first = lf_window_span_start(span, lf_window_hour(tally->first_ms));
    int64_t last = lf_window_span_start(span, lf_window_hour(tally->last_ms));

    last += span == LF_SPAN_DAY ? HOURS_PER_DAY : 1;
    return (struct lf_window){
        .from_hour = first > window.from_hour ? first : window.from_hour,
        .to_hour = last < window.to_hour ? last : window.to_hour,
    };
}

static enum lf_status
add_version(struct series *series, const struct lf_window_version *version, struct lf_error *error)
{
    const struct lf_stats_query *query = series->run->query;
    enum lf_rollup_span span = query->by_hour || query->zone != NULL ? LF_SPAN_HOUR : LF_SPAN_DAY;

    if (version->tally.scored == 0)
        return LF_OK;
    if (!lf_tally_init(&series->tally, series->run->arena, version->entry->icp))
        return lf_stats_no_memory(error);
    series->at = 0;
    return lf_window_each(series->run->reader, version->version_id, LF_ROLLUP_TALLY,
                          cut_window(query->window, &version->tally, span), span, add_one, series, error);
}

enum lf_status
lf_stats_series(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error)
{
    struct series series = {.run = run, .grade_count = stats->grade_count, .error = error};
    int64_t first = 0, last = 0;
    enum lf_status status = LF_OK;

    if (!find_ends(run, &first, &last))
        return LF_OK;
    status = make_points(&series, first, last, error);
    for (size_t i = 0; i < run->order_count && status == LF_OK; i++) {
        series.map = run->grades[run->order[i]];
        status = add_version(&series, &run->versions[run->order[i]], error);
    }
    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < series.count; i++) {
        struct lf_stats_point *point = &series.points[i];

        point->mean = (int)lf_stats_mean(series.sums[i][0], point->scored);
        point->coverage_mean = (int)lf_stats_mean(series.sums[i][1], point->scored);
        point->grades = &series.grades[i * series.grade_count];
    }
    stats->points = series.points;
    stats->point_count = series.count;
    return LF_OK;
}
