/* trends.c - see trends.h. */
#include "app/trends.h"

#include "app/window.h"
#include "base/time.h"
#include "core/statistics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOURS = 24,
    BINS = 20, /* of the score, as in GET /v1/stats */
    KEPT_TIMES = 20,
    CHUNK = 65536,
    ARENA_MAX = 64 << 20, /* a tally is some kilobytes, a trend some hundred bytes */
};

#define KEPT_MAX_NS (INT64_C(15) * 1000000000)

struct lf_trends {
    pthread_mutex_t lock; /* over what follows, also while it is found */
    struct lf_arena *arena;
    struct lf_trend *items;
    size_t count;
    int64_t until_ns; /* what was found is told until then; 0: nothing was */
};

struct lf_trends *
lf_trends_create(void)
{
    struct lf_trends *trends = calloc(1, sizeof *trends);

    if (trends == NULL)
        return NULL;
    trends->arena = lf_arena_create(CHUNK, ARENA_MAX);
    if (trends->arena == NULL) {
        free(trends);
        return NULL;
    }
    (void)pthread_mutex_init(&trends->lock, NULL); /* cannot fail with default attributes */
    return trends;
}

void
lf_trends_destroy(struct lf_trends *trends)
{
    if (trends == NULL)
        return;
    (void)pthread_mutex_destroy(&trends->lock);
    lf_arena_destroy(trends->arena);
    free(trends);
}

/* ---- finding ---- */

static void
fold_bins(const struct lf_tally *tally, int64_t bins[BINS])
{
    for (int i = 0; i < BINS; i++)
        bins[i] = 0;
    for (int i = 0; i < LF_TALLY_BINS; i++)
        bins[i * BINS / LF_TALLY_BINS] += tally->bins[i];
}

/* The version is held, and its tally that of the window. */
static enum lf_status
compare(struct lf_store_reader *reader, const struct lf_window_version *version, struct lf_arena *arena,
        struct lf_trend *trend, struct lf_error *error)
{
    const struct lf_icp *icp = version->entry->icp;
    struct lf_tally baseline;
    int64_t before[BINS], now[BINS];
    enum lf_status status = LF_OK;

    if (!lf_tally_init(&baseline, arena, icp))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while summing up");
    status = lf_window_sum_baseline(reader, version->version_id, &baseline, error);
    if (status != LF_OK)
        return status;
    fold_bins(&baseline, before);
    fold_bins(&version->tally, now);
    trend->scored = version->tally.scored;
    for (size_t i = 0; i < icp->grade_count && i < 2; i++)
        trend->best += version->tally.grades[i];
    trend->baseline = baseline.scored;
    trend->psi = lf_psi(before, now, BINS);
    trend->by_chance = lf_psi_by_chance(before, now, BINS);
    return LF_OK;
}

/* scratch: for the sums of one version. */
static enum lf_status
find_one(struct lf_trends *trends, struct lf_store_reader *reader, struct lf_catalog *catalog,
         const struct lf_profile *profile, struct lf_window window, struct lf_arena *scratch,
         struct lf_trend *ret_trend, struct lf_error *error)
{
    const struct lf_icp *icp = profile->icp;
    struct lf_window_version version = {.version_id = profile->version_id};
    struct lf_trend trend = {.icp = lf_arena_copy(trends->arena, icp->key, strlen(icp->key)),
                             .purpose = lf_purpose_word(icp->purpose),
                             .version = profile->version,
                             .version_id = profile->version_id};
    enum lf_status status = LF_OK;

    if (trend.icp == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while summing up");
    status = lf_window_hold(catalog, reader, scratch, &version, error);
    if (status == LF_OK)
        status = lf_window_sum(catalog, reader, scratch, window, false, &version, error);
    if (status == LF_OK)
        status = compare(reader, &version, scratch, &trend, error);
    if (version.entry != NULL)
        lf_catalog_release(catalog, version.entry);
    *ret_trend = trend;
    return status;
}

static enum lf_status
find(struct lf_trends *trends, struct lf_store_reader *reader, struct lf_catalog *catalog,
     const struct lf_profiles *profiles, struct lf_error *error)
{
    int64_t began_ns = lf_time_monotonic_ns(), hour = lf_window_hour(lf_time_now_ms()), took_ns = 0;
    struct lf_window window = {.from_hour = hour - HOURS, .to_hour = hour + 1};
    struct lf_arena *scratch = lf_arena_create(CHUNK, ARENA_MAX);
    enum lf_status status = LF_OK;

    lf_arena_reset(trends->arena);
    trends->until_ns = 0;
    trends->count = profiles->count;
    trends->items = lf_arena_calloc(trends->arena, profiles->count, sizeof *trends->items);
    if (scratch == NULL || trends->items == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while summing up");
    for (size_t i = 0; i < profiles->count && status == LF_OK; i++) {
        lf_arena_reset(scratch);
        status = find_one(trends, reader, catalog, &profiles->items[i], window, scratch, &trends->items[i], error);
    }
    lf_arena_destroy(scratch);
    took_ns = (lf_time_monotonic_ns() - began_ns) * KEPT_TIMES;
    if (status == LF_OK)
        trends->until_ns = began_ns + (took_ns < KEPT_MAX_NS ? took_ns : KEPT_MAX_NS);
    return status;
}

/* ---- telling ---- */

static enum lf_status
copy_items(const struct lf_trends *trends, struct lf_arena *arena, struct lf_trend **ret_trends, struct lf_error *error)
{
    struct lf_trend *items = lf_arena_calloc(arena, trends->count, sizeof *items);

    for (size_t i = 0; i < trends->count && items != NULL; i++) {
        items[i] = trends->items[i];
        items[i].icp = lf_arena_copy(arena, items[i].icp, strlen(items[i].icp));
        if (items[i].icp == NULL)
            items = NULL;
    }
    if (items == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while summing up");
    *ret_trends = items;
    return LF_OK;
}

enum lf_status
lf_trends_read(struct lf_trends *trends, struct lf_store_reader *reader, struct lf_catalog *catalog,
               const struct lf_profiles *profiles, struct lf_arena *arena, struct lf_trend **ret_trends,
               size_t *ret_count, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    (void)pthread_mutex_lock(&trends->lock);
    if (lf_time_monotonic_ns() >= trends->until_ns)
        status = find(trends, reader, catalog, profiles, error);
    if (status == LF_OK)
        status = copy_items(trends, arena, ret_trends, error);
    if (status == LF_OK)
        *ret_count = trends->count;
    (void)pthread_mutex_unlock(&trends->lock);
    return status;
}
