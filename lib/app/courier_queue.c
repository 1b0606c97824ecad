/*
 * courier_queue.c - see courier_parts.h: which delivery a route attempts next.
 *
 * First attempts are read by ascending id into a window. The first of them whose lane is free goes: one of a lane is
 * out at a time, and those behind it wait, while other lanes go on. (A lane that fills the whole window holds up what
 * is behind it: what is kept in memory has to end somewhere.) Retries are read by the time when they are due. The two
 * take turns where both have something.
 *
 * Only ids are kept. A delivery is read again when its turn has come: by then it may have been erased, given up, or
 * tried by hand.
 */
#include "app/courier_parts.h"

#include "base/time.h"

#include <string.h>

enum {
    SLICE = 128, /* first attempts in one reading */
    LOW = 32,    /* fewer in the window: more are read */
};

void
lf_route_forget(struct lf_route *route)
{
    route->first_count = route->retry_count = 0;
    route->read_up_to = 0;
    route->more_first = true;
    route->due_ms = 0;
}

static bool
is_out(const struct lf_route *route, int64_t id)
{
    for (const struct lf_parcel *parcel = route->parcels; parcel != NULL; parcel = parcel->next) {
        if (parcel->id == id)
            return true;
    }
    return false;
}

static bool
is_lane_free(const struct lf_route *route, int64_t lane)
{
    if (lane == 0)
        return true;
    for (const struct lf_parcel *parcel = route->parcels; parcel != NULL; parcel = parcel->next) {
        if (parcel->lane == lane && !parcel->ended)
            return false;
    }
    return true;
}

/* ---- reading ---- */

/* Reads further first attempts, as many as there is room for. */
static enum lf_status
read_first(struct lf_courier *courier, struct lf_route *route, struct lf_error *error)
{
    size_t room = LF_COURIER_WINDOW - route->first_count, limit = room < SLICE ? room : SLICE, count = 0;
    struct lf_stored_delivery *deliveries = NULL;
    enum lf_status status = lf_store_deliveries(courier->reader, courier->arena, route->id, LF_DELIVERIES_PENDING,
                                                route->read_up_to, limit, &deliveries, &count, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        route->read_up_to = deliveries[i].id;
        if (!is_out(route, deliveries[i].id)) /* after it forgot, one that is out is read again */
            route->first[route->first_count++] = (struct lf_first){deliveries[i].id, deliveries[i].lane};
    }
    route->more_first = count == limit;
    return LF_OK;
}

/* What is due in a time that is longer than any was noted while the clock went ahead, and has been set back since. */
static bool
is_due(const struct lf_courier *courier, int64_t due_ms, int64_t now_ms)
{
    return due_ms <= now_ms || due_ms > now_ms + courier->longest_ms;
}

/* Reads the retries that are due, and when the next one is. */
static enum lf_status
read_retries(struct lf_courier *courier, struct lf_route *route, struct lf_error *error)
{
    size_t limit = LF_COURIER_RETRIES + route->posting + route->ended, count = 0;
    int64_t now_ms = lf_time_now_ms(), later_ms = INT64_MAX;
    struct lf_stored_delivery *deliveries = NULL;
    bool more = false;
    enum lf_status status = lf_store_deliveries(courier->reader, courier->arena, route->id, LF_DELIVERIES_DUE,
                                                INT64_MAX, limit, &deliveries, &count, error);

    if (status != LF_OK)
        return status;
    route->retry_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_out(route, deliveries[i].id))
            continue;
        if (!is_due(courier, deliveries[i].due_ms, now_ms))
            later_ms = deliveries[i].due_ms < later_ms ? deliveries[i].due_ms : later_ms;
        else if (route->retry_count < LF_COURIER_RETRIES)
            route->retries[route->retry_count++] = deliveries[i].id;
        else
            more = true;
    }
    more = more || (count == limit && later_ms == INT64_MAX);
    route->due_ms = more ? 0 : later_ms;
    return LF_OK;
}

/* ---- the next one ---- */

/* Takes it out of what comes next. */
static void
drop(struct lf_route *route, const struct lf_next *next)
{
    if (next->retry) {
        route->retry_count--;
        memmove(route->retries, route->retries + 1, route->retry_count * sizeof route->retries[0]);
    } else {
        route->first_count--;
        memmove(route->first + next->at, route->first + next->at + 1,
                (route->first_count - next->at) * sizeof route->first[0]);
    }
}

/* Reads a delivery anew. *ret_found false: it is no longer what it was taken for. */
static enum lf_status
read_delivery(struct lf_courier *courier, struct lf_route *route, int64_t id, struct lf_next *next, bool *ret_found,
              struct lf_error *error)
{
    enum lf_status status = lf_store_delivery(courier->reader, courier->arena, route->id, id, &next->delivery, error);

    *ret_found = status == LF_OK && next->delivery.state == (next->retry ? LF_DELIVERY_RETRYING : LF_DELIVERY_PENDING);
    return status == LF_DELIVERY_NOT_FOUND ? LF_OK : status;
}

/* The first one whose lane is free. */
static enum lf_status
next_first(struct lf_courier *courier, struct lf_route *route, struct lf_next *next, bool *ret_found,
           struct lf_error *error)
{
    size_t at = 0;
    enum lf_status status = LF_OK;

    next->retry = false;
    *ret_found = false;
    while (status == LF_OK && !*ret_found) {
        if (route->more_first && (route->first_count < LOW || at == route->first_count) &&
            route->first_count < LF_COURIER_WINDOW) {
            status = read_first(courier, route, error);
            continue;
        }
        if (at == route->first_count)
            break;
        if (!is_lane_free(route, route->first[at].lane)) {
            at++;
            continue;
        }
        next->at = at;
        status = read_delivery(courier, route, route->first[at].id, next, ret_found, error);
        if (status == LF_OK && !*ret_found)
            drop(route, next);
    }
    return status;
}

static enum lf_status
next_retry(struct lf_courier *courier, struct lf_route *route, struct lf_next *next, bool *ret_found,
           struct lf_error *error)
{
    enum lf_status status = LF_OK;

    next->retry = true;
    *ret_found = false;
    while (status == LF_OK && !*ret_found) {
        if (route->retry_count == 0 && route->due_ms > lf_time_now_ms())
            break;
        if (route->retry_count == 0) {
            status = read_retries(courier, route, error);
            if (route->retry_count == 0)
                break;
            continue;
        }
        status = read_delivery(courier, route, route->retries[0], next, ret_found, error);
        if (status == LF_OK && !*ret_found)
            drop(route, next);
    }
    return status;
}

enum lf_status
lf_route_next(struct lf_courier *courier, struct lf_route *route, struct lf_next *ret_next, bool *ret_found,
              struct lf_error *error)
{
    enum lf_status status = LF_OK;
    bool retry = route->retry_is_next;

    *ret_found = false;
    for (int i = 0; status == LF_OK && !*ret_found && i < 2; i++) {
        status = (retry ? next_retry : next_first)(courier, route, ret_next, ret_found, error);
        retry = !retry;
    }
    return status;
}

void
lf_route_drop_next(struct lf_route *route, const struct lf_next *next)
{
    drop(route, next);
    route->retry_is_next = !next->retry;
}
