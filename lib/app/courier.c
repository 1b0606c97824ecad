/*
 * courier.c - see courier.h: the thread, and what it does in one turn.
 *
 * A turn looks who is subscribed (when it was woken, and once a minute), begins what posts it may, notes what has ended
 * and lets the poster go on. It waits for the disk while it notes, and for nobody else. The clock on the wall says when
 * a retry is due, for it outlives the process; the monotonic one paces the turns, so that no jump of the other can
 * stall them.
 */
#include "app/courier_parts.h"

#include "base/log.h"
#include "base/time.h"

#include <signal.h>
#include <stdlib.h>

enum {
    LOOK_AGAIN_MS = 20,    /* of a crowd of wakes; the first one is heard at once */
    LOOK_EVERY_MS = 60000, /* without any */
    REST_MS = 100,         /* after something failed here */
    ARENA_CHUNK = 1 << 16,
    ARENA_MAX = 16 << 20, /* of one slice of deliveries: far above what they take */
    HELD_CHUNK = 4096,
    HELD_MAX = 1 << 20,
    DAY_MS = 86400000,
    PAUSE_AFTER_MS = 3 * DAY_MS,
};

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)

/* Standard Webhooks'. */
static const int64_t SCHEDULE_MS[] = {5000,         5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS,
                                      10 * HOUR_MS, 14 * HOUR_MS,  20 * HOUR_MS,   24 * HOUR_MS};

/* ---- who is subscribed ---- */

/* A subscription as it is now, or NULL. */
static void
give_subscription(struct lf_route *route, struct lf_subscription *subscription)
{
    if (route->subscription == subscription)
        return;
    route->subscription = subscription;
    route->version++;
    route->farewell = LF_FAREWELL_NONE;
    route->failing_ns = 0;
    route->rests_until_ns = 0;
}

static struct lf_route *
find_route(struct lf_courier *courier, int64_t id)
{
    struct lf_route *route = courier->routes;

    while (route != NULL && route->id != id)
        route = route->next;
    return route;
}

/* Whether there is a route for it; false: no memory. */
static bool
add_route(struct lf_courier *courier, struct lf_subscription *subscription)
{
    struct lf_route *route = find_route(courier, subscription->id);

    if (route == NULL) {
        route = calloc(1, sizeof *route);
        if (route == NULL)
            return false;
        route->id = subscription->id;
        route->next = courier->routes;
        courier->routes = route;
    }
    give_subscription(route, subscription);
    route->more_first = true;
    route->due_ms = 0;
    return true;
}

/* Routes of subscriptions that are gone stay while posts of theirs are out. */
static void
drop_routes(struct lf_courier *courier)
{
    for (struct lf_route **at = &courier->routes; *at != NULL;) {
        struct lf_route *route = *at;

        if (route->subscription != NULL || route->parcels != NULL) {
            at = &route->next;
            continue;
        }
        *at = route->next;
        free(route);
    }
}

static bool
is_held(struct lf_subscription *const *items, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i]->id == id)
            return true;
    }
    return false;
}

/* Takes in who is subscribed now. false: no memory; who was there before goes on. */
static bool
look(struct lf_courier *courier)
{
    struct lf_arena *arena = courier->next_arena;
    struct lf_subscription **items = NULL, **before = courier->held;
    size_t count = 0, before_count = courier->held_count;
    bool fine = true;

    lf_arena_reset(arena);
    if (!lf_subscriptions_hold(courier->subscriptions, arena, &items, &count))
        return false;
    for (struct lf_route *route = courier->routes; route != NULL; route = route->next) {
        if (!is_held(items, count, route->id))
            give_subscription(route, NULL);
    }
    for (size_t i = 0; i < count; i++)
        fine = add_route(courier, items[i]) && fine;
    drop_routes(courier);
    courier->held = items;
    courier->held_count = count;
    courier->next_arena = courier->held_arena;
    courier->held_arena = arena;
    lf_subscriptions_release(courier->subscriptions, before, before_count);
    return fine;
}

/* ---- a turn ---- */

static bool
is_active(const struct lf_route *route)
{
    return route->subscription != NULL && route->farewell == LF_FAREWELL_NONE &&
           atomic_load(&route->subscription->state) == LF_SUBSCRIPTION_ACTIVE;
}

static bool
is_leaving(const struct lf_route *route)
{
    return route->subscription != NULL &&
           (route->farewell == LF_FAREWELL_DISABLE || route->farewell == LF_FAREWELL_GIVE_UP);
}

static bool
has_room(const struct lf_courier *courier, const struct lf_route *route)
{
    return route->posting < courier->options.each && route->ended < LF_COURIER_UNNOTED;
}

void
lf_route_rest(struct lf_route *route, const char *event, const struct lf_error *error)
{
    if (!route->failed)
        lf_log(LF_LOG_WARN, event, lf_log_text("subscription", route->subscription->key),
               lf_log_text("error", error->detail));
    route->failed = true;
    route->rests_until_ns = lf_time_monotonic_ns() + REST_MS * LF_COURIER_NS_PER_MS;
}

/* Begins the posts that a route may begin now. What fails here is tried again after a rest. */
static void
serve(struct lf_courier *courier, struct lf_route *route)
{
    while (has_room(courier, route)) {
        struct lf_next next;
        struct lf_error error;
        bool found = false;
        enum lf_status status = LF_OK;

        lf_arena_reset(courier->arena);
        status = lf_route_next(courier, route, &next, &found, &error);
        if (status == LF_OK && !found)
            return;
        if (status == LF_OK)
            status = lf_parcel_start(courier, route, &next, &error);
        if (status != LF_OK) {
            lf_route_rest(route, "delivering_failed", &error);
            return;
        }
        route->failed = false;
        lf_route_drop_next(route, &next);
    }
}

/* Rounded up: so that a wait ends when the moment has come. */
static int64_t
ms_between(int64_t from_ns, int64_t to_ns)
{
    return (to_ns - from_ns) / LF_COURIER_NS_PER_MS + 1;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long nothing is to be done for a route but to let the poster go on. */
static int64_t
idle_ms(const struct lf_courier *courier, const struct lf_route *route, int64_t now_ns, int64_t now_ms)
{
    if (is_leaving(route))
        return route->rests_until_ns > now_ns ? ms_between(now_ns, route->rests_until_ns) : 0;
    if (!is_active(route) || !has_room(courier, route))
        return LOOK_EVERY_MS;
    if (route->rests_until_ns > now_ns)
        return ms_between(now_ns, route->rests_until_ns);
    return route->due_ms > now_ms ? route->due_ms - now_ms : 0;
}

/* How long the poster may wait. */
static int64_t
wait_ms(const struct lf_courier *courier)
{
    int64_t now_ns = lf_time_monotonic_ns(), now_ms = lf_time_now_ms(), ns = courier->look_ns, ms = LOOK_EVERY_MS;

    if (courier->first_ended != NULL)
        ns = earlier(ns, courier->note_ns);
    ms = ns > now_ns ? ms_between(now_ns, ns) : 0;
    for (const struct lf_route *route = courier->routes; route != NULL; route = route->next)
        ms = earlier(ms, idle_ms(courier, route, now_ns, now_ms));
    return ms;
}

static void
look_if_due(struct lf_courier *courier)
{
    int64_t now_ns = lf_time_monotonic_ns();
    bool fine = true;

    if (now_ns < courier->look_ns)
        return;
    atomic_store(&courier->woken, false); /* before the look: what comes now may be seen twice, and is not missed */
    fine = look(courier);
    courier->look_ns = lf_time_monotonic_ns() + (fine ? LOOK_EVERY_MS : REST_MS) * LF_COURIER_NS_PER_MS;
    courier->heard_ns = now_ns + LOOK_AGAIN_MS * LF_COURIER_NS_PER_MS;
}

static void
turn(struct lf_courier *courier)
{
    int64_t now_ns = 0;

    if (atomic_load(&courier->woken))
        courier->look_ns = earlier(courier->look_ns, courier->heard_ns);
    look_if_due(courier);
    if (courier->first_ended != NULL && lf_time_monotonic_ns() >= courier->note_ns)
        (void)lf_courier_note(courier); /* before posts begin: it makes room for them. It says when to try again */
    now_ns = lf_time_monotonic_ns();
    for (struct lf_route *route = courier->routes; route != NULL; route = route->next) {
        if (route->rests_until_ns > now_ns)
            continue;
        if (is_leaving(route))
            lf_route_say_farewell(courier, route);
        else if (is_active(route))
            serve(courier, route);
        else
            lf_route_forget(route);
    }
    lf_poster_run(courier->poster, wait_ms(courier));
}

static void *
courier_main(void *argument)
{
    struct lf_courier *courier = argument;

    while (!atomic_load(&courier->stopping))
        turn(courier);
    while (courier->first_ended != NULL && lf_courier_note(courier))
        ;
    return NULL;
}

static void
wake(void *context)
{
    struct lf_courier *courier = context;

    if (!atomic_exchange(&courier->woken, true))
        lf_poster_wake(courier->poster);
}

/* ---- life ---- */

/* The thread leaves all signals to others, SIGPIPE among them. */
static bool
start_thread(struct lf_courier *courier)
{
    sigset_t all, before;
    int rc = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&courier->thread, NULL, courier_main, courier);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(courier->thread, "lf-courier"); /* for whoever looks at the process; may be lacking */
    return rc == 0;
}

static void
destroy(struct lf_courier *courier)
{
    lf_poster_destroy(courier->poster); /* before what it posts */
    while (courier->routes != NULL) {
        struct lf_route *route = courier->routes;

        courier->routes = route->next;
        while (route->parcels != NULL)
            lf_parcel_destroy(route->parcels);
        free(route);
    }
    lf_subscriptions_release(courier->subscriptions, courier->held, courier->held_count);
    lf_store_reader_close(courier->reader);
    lf_arena_destroy(courier->arena);
    lf_arena_destroy(courier->held_arena);
    lf_arena_destroy(courier->next_arena);
    free(courier);
}

static void
take_options(struct lf_courier *courier, const struct lf_courier_options *options)
{
    int64_t longest_ms = DAY_MS;

    courier->options = *options;
    if (options->schedule_ms == NULL) {
        courier->options.schedule_ms = SCHEDULE_MS;
        courier->options.schedule_count = sizeof SCHEDULE_MS / sizeof SCHEDULE_MS[0];
    }
    if (options->pause_after_ms == 0)
        courier->options.pause_after_ms = PAUSE_AFTER_MS;
    for (size_t i = 0; i < courier->options.schedule_count; i++)
        longest_ms = longest_ms > courier->options.schedule_ms[i] ? longest_ms : courier->options.schedule_ms[i];
    courier->longest_ms = longest_ms + longest_ms / 10 + MINUTE_MS;
}

enum lf_status
lf_courier_start(struct lf_store *store, struct lf_recorder *recorder, struct lf_subscriptions *subscriptions,
                 const struct lf_courier_options *options, struct lf_courier **ret_courier, struct lf_error *error)
{
    struct lf_courier *courier = calloc(1, sizeof *courier);
    enum lf_status status = LF_OK;

    if (courier == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while starting");
    courier->recorder = recorder;
    courier->subscriptions = subscriptions;
    take_options(courier, options);
    courier->arena = lf_arena_create(ARENA_CHUNK, ARENA_MAX);
    courier->held_arena = lf_arena_create(HELD_CHUNK, HELD_MAX);
    courier->next_arena = lf_arena_create(HELD_CHUNK, HELD_MAX);
    if (courier->arena == NULL || courier->held_arena == NULL || courier->next_arena == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while starting");
    if (status == LF_OK)
        status = lf_store_reader_open(store, &courier->reader, error);
    if (status == LF_OK)
        status = lf_poster_create(&options->poster, &courier->poster, error);
    if (status == LF_OK && !start_thread(courier))
        status = lf_fail(error, LF_INTERNAL, "cannot start the courier's thread");
    if (status != LF_OK) {
        destroy(courier);
        return status;
    }
    lf_subscriptions_set_waker(subscriptions, wake, courier);
    wake(courier); /* for what happened before */
    *ret_courier = courier;
    return LF_OK;
}

void
lf_courier_stop(struct lf_courier *courier)
{
    if (courier == NULL)
        return;
    lf_subscriptions_set_waker(courier->subscriptions, NULL, NULL);
    atomic_store(&courier->stopping, true);
    lf_poster_wake(courier->poster);
    (void)pthread_join(courier->thread, NULL);
    destroy(courier);
}
