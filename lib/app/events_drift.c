/*
 * events_drift.c - watches how far scores move, and has a shift told once; see events.h.
 *
 * What was found last is noted for each version. Scores rise to a level when the last day has moved so far from a
 * complete baseline, and further than chance moves so few scores (as the notes of GET /v1/stats have it); of too
 * few nothing is said, and what was noted stays. What has shifted stays so until it is stable again: a value that
 * trembles about the edge of a band is one shift, not many.
 */
#include "app/events.h"

#include "app/ledger.h"
#include "app/live.h"
#include "app/recorder.h"
#include "app/stats.h"
#include "app/trends.h"
#include "base/time.h"
#include "core/statistics.h"

enum { CHUNK = 1 << 14, ARENA_MAX = 64 << 20 };

/* ---- levels ---- */

enum lf_drift_level
lf_events_drift_level(const struct lf_trend *trend, enum lf_drift_level noted)
{
    enum lf_drift_level found = lf_drift_level(trend->psi);

    if (trend->baseline < LF_BASELINE_SCORES || trend->scored < LF_STATS_SCORES_LEAST)
        return noted;
    if (found > noted)
        return trend->psi > trend->by_chance ? found : noted;
    return noted == LF_DRIFT_SHIFTED && found != LF_DRIFT_STABLE ? noted : found;
}

/* ---- noting ---- */

struct noting {
    struct lf_subscriptions *subscriptions;
    struct lf_arena *arena;
    const struct lf_trend *trend;
    enum lf_drift_level from, to;
};

/* What is told of a change; only a shift is. */
static enum lf_status
gather(const struct noting *noting, int64_t at_ms, struct lf_event_batch *batch, struct lf_error *error)
{
    const struct lf_event event = {
        .type = LF_EVENT_DRIFT_SHIFTED,
        .at_ms = at_ms,
        .icp = noting->trend->icp,
        .version = noting->trend->version,
        .from = lf_drift_word(noting->from),
        .to = lf_drift_word(noting->to),
        .psi = noting->trend->psi,
    };
    enum lf_status status = LF_OK;

    if (noting->to != LF_DRIFT_SHIFTED)
        return LF_OK;
    status = lf_event_batch_begin(noting->subscriptions, noting->arena, batch, error);
    return status == LF_OK ? lf_event_add(batch, &event, error) : status;
}

/* On the recorder's thread. */
static enum lf_status
note(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct noting *noting = argument;
    struct lf_event_batch batch = {.arena = noting->arena};
    int64_t now_ms = lf_time_now_ms();
    enum lf_status status = gather(noting, now_ms, &batch, error);

    if (status == LF_OK)
        status = lf_store_note_drift(store, noting->trend->version_id, (int)noting->to, now_ms, batch.items,
                                     batch.count, error);
    if (status == LF_OK && batch.count > 0)
        lf_subscriptions_committed(noting->subscriptions, batch.items, batch.count);
    lf_event_batch_end(noting->subscriptions, &batch);
    return status;
}

/* ---- watching ---- */

static enum lf_status
look_at(struct lf_service *service, struct lf_store_reader *reader, struct lf_arena *arena,
        const struct lf_trend *trend, struct lf_error *error)
{
    struct noting noting = {.subscriptions = lf_service_subscriptions(service), .arena = arena, .trend = trend};
    int noted = 0;
    enum lf_status status = lf_store_drift(reader, trend->version_id, &noted, error);

    if (status != LF_OK)
        return status;
    noting.from = (enum lf_drift_level)noted;
    noting.to = lf_events_drift_level(trend, noting.from);
    if (noting.to == noting.from)
        return LF_OK;
    return lf_recorder_run(lf_service_recorder(service), note, &noting, error);
}

static enum lf_status
look_at_all(struct lf_service *service, struct lf_store_reader *reader, struct lf_arena *arena, struct lf_error *error)
{
    struct lf_live *live = lf_service_live(service);
    struct lf_live_set *set = lf_live_acquire(live);
    struct lf_trend *trends = NULL;
    size_t count = 0;
    enum lf_status status = lf_trends_read(lf_service_trends(service), reader, lf_service_catalog(service),
                                           set->profiles, arena, &trends, &count, error);

    lf_live_release(live, set);
    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = look_at(service, reader, arena, &trends[i], error);
    return status;
}

enum lf_status
lf_events_watch_drift(struct lf_service *service, struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;
    struct lf_arena *arena = NULL;
    enum lf_status status = LF_OK;

    if ((lf_subscriptions_wanted(lf_service_subscriptions(service)) & 1U << LF_EVENT_DRIFT_SHIFTED) == 0)
        return LF_OK;
    arena = lf_arena_create(CHUNK, ARENA_MAX);
    if (arena == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for shifts of scores");
    status = lf_service_borrow_reader(service, &reader, error);
    if (status == LF_OK) {
        status = look_at_all(service, reader, arena, error);
        lf_service_return_reader(service, reader);
    }
    lf_arena_destroy(arena);
    return status;
}
