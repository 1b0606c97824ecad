/*
 * courier_note.c - see courier_parts.h: how attempts ended is noted, many in one commit, and what follows from it: a
 * target that is gone is given up, one that does nothing but fail is paused.
 *
 * While the storage refuses, attempts stay where they are and are noted later: nothing that was delivered is sent again
 * for that, and once a route has LF_COURIER_UNNOTED of them, none begins.
 */
#include "app/courier_parts.h"

#include "base/log.h"
#include "base/time.h"

#include <stdio.h>

enum {
    GATHER_MS = 50,      /* between two commits: scores are recorded with the same disk */
    AGAIN_MS = 250,      /* after one that failed */
    GIVE_UP_SLICE = 500, /* deliveries in one commit: some milliseconds, which a score may have to wait for */
    REASON_MAX = 400,
    WARN_EVERY_MS = 3600000,
    EYES = 72, /* pause_after by the clock on the wall, and a part of that by the other: an hour */
};

static const char GONE_REASON[] = "the target said 410 Gone";

/* ---- the storage's part, on the recorder's thread ---- */

struct note_task {
    struct lf_courier *courier;
    size_t count;
};

static enum lf_status
note(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct note_task *task = argument;

    return lf_subscriptions_note(task->courier->subscriptions, store, task->courier->attempts, task->count, error);
}

struct give_up_task {
    struct lf_courier *courier;
    const struct lf_subscription *subscription;
    bool more;
};

/* Whether a subscription is still the one that is held, and disabled. *ret_fine false: no memory to look. */
static bool
is_still_disabled(struct lf_courier *courier, const struct lf_subscription *subscription, bool *ret_fine)
{
    struct lf_subscription **items = NULL;
    size_t count = 0;
    bool still = false;

    *ret_fine = lf_subscriptions_hold(courier->subscriptions, courier->arena, &items, &count);
    if (!*ret_fine)
        return false;
    for (size_t i = 0; i < count; i++)
        still = still || items[i] == subscription;
    still = still && atomic_load(&subscription->state) == LF_SUBSCRIPTION_DISABLED;
    lf_subscriptions_release(courier->subscriptions, items, count);
    return still;
}

static enum lf_status
give_up(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct give_up_task *task = argument;
    bool fine = true;

    task->more = false;
    if (!is_still_disabled(task->courier, task->subscription, &fine)) /* somebody has put it again: it is theirs */
        return fine ? LF_OK : lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while giving up events");
    return lf_subscriptions_give_up(task->courier->subscriptions, store, task->subscription->id, lf_time_now_ms(),
                                    GONE_REASON, GIVE_UP_SLICE, &task->more, error);
}

/* ---- targets that are gone, or fail ---- */

void
lf_route_say_farewell(struct lf_courier *courier, struct lf_route *route)
{
    struct give_up_task task = {.courier = courier, .subscription = route->subscription};
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (route->farewell == LF_FAREWELL_DISABLE) {
        status = lf_subscriptions_stop(courier->subscriptions, courier->recorder, route->subscription,
                                       LF_SUBSCRIPTION_DISABLED, GONE_REASON, &error);
        task.more = true;
    } else {
        lf_arena_reset(courier->arena);
        status = lf_recorder_run(courier->recorder, give_up, &task, &error);
    }
    if (status != LF_OK) {
        lf_route_rest(route, "giving_up_failed", &error);
        return;
    }
    route->failed = false;
    route->farewell = task.more ? LF_FAREWELL_GIVE_UP : LF_FAREWELL_DONE;
}

/* Pauses a subscription that has had nothing but failures for too long. By the clock on the wall, which may jump and
 * goes on while the program does not run, and therefore also for some while before our eyes. */
static void
pause_if_hopeless(struct lf_courier *courier, struct lf_route *route, const struct lf_attempt *attempt)
{
    int64_t since_ms = atomic_load(&route->subscription->failing_since_ms), after_ms = courier->options.pause_after_ms;
    int64_t now_ns = lf_time_monotonic_ns();
    char since[LF_TIME_TEXT_MAX], reason[REASON_MAX], status_text[32];
    struct lf_error error;

    if (since_ms == 0 || lf_time_now_ms() - since_ms < after_ms ||
        now_ns - route->failing_ns < after_ms / EYES * LF_COURIER_NS_PER_MS || now_ns < route->rests_until_ns ||
        atomic_load(&route->subscription->state) != LF_SUBSCRIPTION_ACTIVE)
        return;
    (void)lf_time_format_ms(since_ms, since);
    (void)snprintf(status_text, sizeof status_text, "HTTP status %d", attempt->http_status);
    (void)snprintf(reason, sizeof reason, "nothing but failures since %s; the last one: %s", since,
                   attempt->http_status != 0 ? status_text : attempt->error);
    if (lf_subscriptions_stop(courier->subscriptions, courier->recorder, route->subscription, LF_SUBSCRIPTION_PAUSED,
                              reason, &error) != LF_OK)
        lf_route_rest(route, "pausing_failed", &error); /* then the next failure tries again */
}

/* Once in a while, for a target that fails now and then. */
static void
warn(struct lf_route *route, const struct lf_attempt *attempt)
{
    int64_t now_ns = lf_time_monotonic_ns();

    if (route->warned || (route->warned_ns != 0 && now_ns - route->warned_ns < WARN_EVERY_MS * LF_COURIER_NS_PER_MS))
        return;
    route->warned = true;
    route->warned_ns = now_ns;
    lf_log(LF_LOG_WARN, "subscription_failing", lf_log_text("subscription", route->subscription->key),
           lf_log_int("status", attempt->http_status), lf_log_text("error", attempt->error));
}

/* What follows from an attempt that was noted. */
static void
conclude(struct lf_courier *courier, const struct lf_parcel *parcel)
{
    struct lf_route *route = parcel->route;
    const struct lf_attempt *attempt = &parcel->attempt;

    if (attempt->state == LF_DELIVERY_RETRYING && attempt->due_ms < route->due_ms)
        route->due_ms = attempt->due_ms;
    if (route->subscription == NULL || parcel->version != route->version)
        return;
    if (attempt->state == LF_DELIVERY_DELIVERED) {
        if (route->warned)
            lf_log(LF_LOG_INFO, "subscription_recovered", lf_log_text("subscription", route->subscription->key));
        route->warned = false;
        route->failing_ns = 0;
        return;
    }
    if (route->failing_ns == 0)
        route->failing_ns = lf_time_monotonic_ns();
    warn(route, attempt);
    pause_if_hopeless(courier, route, attempt);
}

/* ---- noting ---- */

bool
lf_courier_note(struct lf_courier *courier)
{
    struct note_task task = {.courier = courier};
    struct lf_error error;
    enum lf_status status = LF_OK;

    for (const struct lf_parcel *parcel = courier->first_ended; parcel != NULL && task.count < LF_COURIER_NOTED;
         parcel = parcel->next_ended)
        courier->attempts[task.count++] = parcel->attempt;
    status = lf_recorder_run(courier->recorder, note, &task, &error);
    if (status != LF_OK && !courier->note_failed)
        lf_log(LF_LOG_WARN, "deliveries_not_noted", lf_log_text("error", error.detail));
    courier->note_failed = status != LF_OK;
    courier->note_ns = lf_time_monotonic_ns() + (status == LF_OK ? GATHER_MS : AGAIN_MS) * LF_COURIER_NS_PER_MS;
    if (status != LF_OK)
        return false;
    for (size_t i = 0; i < task.count; i++) {
        struct lf_parcel *parcel = courier->first_ended;

        courier->first_ended = parcel->next_ended;
        conclude(courier, parcel);
        lf_parcel_destroy(parcel);
    }
    return true;
}
