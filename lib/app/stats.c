/* stats.c - see stats.h: which versions there are, and what they scored. The rest is in stats_*.c. */
#include "app/stats_parts.h"

enum { S_PER_DAY = 86400 };

enum lf_status
lf_stats_no_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading statistics");
}

int64_t
lf_stats_mean(int64_t sum, int64_t count)
{
    int64_t whole = 0, rest = 0;

    if (count <= 0)
        return 0;
    whole = sum / count - (sum % count < 0);
    rest = sum - whole * count;
    return whole + (rest >= count - rest);
}

void
lf_stats_histogram(const int64_t bins[LF_TALLY_BINS], int64_t ret_buckets[LF_STATS_BUCKETS])
{
    enum { WIDTH = LF_TALLY_BINS / LF_STATS_BUCKETS };

    for (size_t i = 0; i < LF_STATS_BUCKETS; i++) {
        ret_buckets[i] = 0;
        for (size_t j = 0; j < WIDTH; j++)
            ret_buckets[i] += bins[i * WIDTH + j];
    }
}

void
lf_stats_day(const struct lf_zone *zone, int64_t unix_s, int64_t *ret_begin_s, int64_t *ret_end_s)
{
    int64_t day = unix_s / S_PER_DAY - (unix_s % S_PER_DAY < 0);

    if (zone != NULL) {
        lf_zone_day(zone, unix_s, ret_begin_s, ret_end_s);
        return;
    }
    *ret_begin_s = day * S_PER_DAY;
    *ret_end_s = *ret_begin_s + S_PER_DAY;
}

/* ---- which versions ---- */

/* The active one, else the latest. */
static size_t
choose_reference(const struct lf_stored_version *versions, size_t count, int active)
{
    for (size_t i = 0; i < count; i++)
        if (versions[i].version == active)
            return i;
    return count > 0 ? count - 1 : 0;
}

static enum lf_status
find_versions(struct lf_stats_run *run, struct lf_error *error)
{
    const struct lf_stats_query *query = run->query;
    struct lf_stored_version *stored = NULL;
    struct lf_stored_icp icp;
    size_t count = 0, first = 0;
    enum lf_status status = lf_store_icp(run->reader, run->arena, query->icp, &icp, error);

    if (status == LF_OK)
        status = lf_store_versions(run->reader, run->arena, query->icp, &stored, &count, error);
    if (status != LF_OK)
        return status;
    while (query->version != 0 && first < count && stored[first].version != query->version)
        first++;
    if (query->version != 0 && first == count)
        return lf_fail(error, LF_VERSION_NOT_FOUND, "ICP \"%s\" has no version %d; it has %zu", query->icp,
                       query->version, count);
    if (query->version != 0)
        count = 1;
    run->versions = lf_arena_calloc(run->arena, count, sizeof *run->versions);
    run->order = lf_arena_calloc(run->arena, count, sizeof *run->order);
    if (run->versions == NULL || run->order == NULL)
        return lf_stats_no_memory(error);
    for (size_t i = 0; i < count; i++)
        run->versions[i].version_id = stored[first + i].id;
    run->version_count = count;
    run->reference = choose_reference(stored + first, count, icp.active_version);
    return LF_OK;
}

static enum lf_status
sum_versions(struct lf_stats_run *run, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < run->version_count && status == LF_OK; i++)
        status =
            lf_window_sum(run->catalog, run->reader, run->arena, run->query->window, false, &run->versions[i], error);
    if (status != LF_OK || run->version_count == 0)
        return status;
    status = lf_window_hold(run->catalog, run->reader, run->arena, &run->versions[run->reference], error);
    run->order[run->order_count++] = run->reference;
    for (size_t i = run->version_count; i-- > 0;)
        if (i != run->reference && run->versions[i].entry != NULL && run->versions[i].tally.scored > 0)
            run->order[run->order_count++] = i;
    return status;
}

/* ---- all of it ---- */

static enum lf_status
compute(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error)
{
    enum lf_status status = find_versions(run, error);

    if (status == LF_OK)
        status = sum_versions(run, error);
    if (status == LF_OK)
        status = lf_stats_merge(run, stats, error);
    if (status == LF_OK)
        status = lf_stats_series(run, stats, error);
    if (status == LF_OK)
        status = lf_stats_drift(run, stats, error);
    if (status == LF_OK)
        status = lf_stats_outcomes(run, stats, error);
    return status;
}

enum lf_status
lf_stats_compute(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_arena *arena,
                 const struct lf_stats_query *query, struct lf_stats *ret_stats, struct lf_error *error)
{
    struct lf_stats_run run = {.reader = reader, .catalog = catalog, .arena = arena, .query = query};
    struct lf_stats stats = {.scored = 0};
    enum lf_status status = lf_store_hold(reader, error);

    if (status != LF_OK)
        return status;
    status = compute(&run, &stats, error);
    lf_store_let_go(reader);
    stats.held = run.versions;
    stats.held_count = run.version_count;
    if (status == LF_OK)
        *ret_stats = stats;
    else
        lf_stats_finish(catalog, &stats);
    return status;
}

void
lf_stats_finish(struct lf_catalog *catalog, struct lf_stats *stats)
{
    for (size_t i = 0; i < stats->held_count; i++)
        lf_catalog_release(catalog, stats->held[i].entry);
    stats->held_count = 0;
}
