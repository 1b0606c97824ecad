/*
 * courier_parts.h - the inside of the courier, shared by the courier*.c files and nobody else.
 *
 * A route is one subscription on its way: which deliveries come next (ids alone: what is sent is read when it is sent,
 * so that what was erased meanwhile is not), and the parcels that are out. A parcel is one attempt, from the beginning
 * of its post until it has been noted in the store. All of this belongs to the courier's thread.
 */
#ifndef LF_APP_COURIER_PARTS_H
#define LF_APP_COURIER_PARTS_H

#include "app/courier.h"
#include "base/buf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_COURIER_WINDOW = 512, /* first attempts that are looked through for a lane that is free */
    LF_COURIER_RETRIES = 64, /* retries that are read at a time */
    LF_COURIER_UNNOTED = 64, /* attempts of one route that may wait to be noted: then no further ones begin */
    LF_COURIER_NOTED = 512,  /* attempts in one commit */
};

#define LF_COURIER_NS_PER_MS INT64_C(1000000)

/* One attempt. */
struct lf_parcel {
    struct lf_parcel *next; /* of its route */
    struct lf_courier *courier;
    struct lf_route *route;
    int64_t id;
    int64_t lane;     /* of a first attempt; 0: none, and of a retry */
    size_t attempts;  /* before this one */
    uint64_t version; /* of the subscription, as it began */
    struct lf_buf body;
    bool ended;
    struct lf_parcel *next_ended; /* of all routes, as they ended */
    struct lf_attempt attempt;    /* once it has ended */
    char error[LF_POST_ERROR_MAX];
};

/* A first attempt that has not begun. */
struct lf_first {
    int64_t id, lane;
};

/* After the target said 410. */
enum lf_farewell {
    LF_FAREWELL_NONE,
    LF_FAREWELL_DISABLE, /* the subscription is to be disabled */
    LF_FAREWELL_GIVE_UP, /* it is; what waits for it is to be given up */
    LF_FAREWELL_DONE,
};

struct lf_route {
    struct lf_route *next;
    int64_t id;                           /* the subscription's */
    struct lf_subscription *subscription; /* as it was held last; NULL: it is gone */
    uint64_t version;                     /* goes up when it is put anew */

    struct lf_first first[LF_COURIER_WINDOW]; /* in the order of events */
    size_t first_count;
    int64_t read_up_to; /* the id of the last one */
    bool more_first;    /* there may be more behind it */

    int64_t retries[LF_COURIER_RETRIES]; /* that are due, the earliest first */
    size_t retry_count;
    int64_t due_ms; /* when to read the next ones; INT64_MAX: when somebody wakes us */
    bool retry_is_next;

    struct lf_parcel *parcels;
    size_t posting, ended;
    int64_t rests_until_ns; /* after something failed here: memory, the storage */
    bool failed;            /* the last time: it has been logged */

    enum lf_farewell farewell;
    int64_t failing_ns; /* since when it fails before our eyes, by the monotonic clock; 0: it does not */
    int64_t warned_ns;  /* when that was logged last; 0: never */
    bool warned;        /* and not that it is over */
};

struct lf_courier {
    struct lf_store_reader *reader;
    struct lf_recorder *recorder;
    struct lf_subscriptions *subscriptions;
    struct lf_courier_options options;
    int64_t longest_ms; /* what is due later than in this time was noted by another clock */
    struct lf_poster *poster;
    struct lf_arena *arena; /* of one reading, or one attempt */

    /* What is held: the last look's, and room for the next one's. */
    struct lf_arena *held_arena, *next_arena;
    struct lf_subscription **held;
    size_t held_count;
    struct lf_route *routes;

    struct lf_parcel *first_ended, *last_ended; /* and not noted */
    struct lf_attempt attempts[LF_COURIER_NOTED];
    int64_t look_ns, note_ns; /* not before then */
    int64_t heard_ns;         /* a wake is heard from then on */
    bool note_failed;         /* the last time: it has been logged */

    atomic_bool woken, stopping;
    pthread_t thread;
};

/* ---- courier.c ---- */

/* Something failed on this side: the first of several is logged, and the route rests. */
void lf_route_rest(struct lf_route *route, const char *event, const struct lf_error *error);

/* ---- courier_queue.c: what comes next ---- */

/* The delivery that a route attempts next, its rows read into the courier's arena. *ret_found false: there is none now.
 * It stays next until lf_route_drop_next. */
struct lf_next {
    struct lf_stored_delivery delivery;
    bool retry;
    size_t at; /* among the first ones */
};
enum lf_status lf_route_next(struct lf_courier *courier, struct lf_route *route, struct lf_next *ret_next,
                             bool *ret_found, struct lf_error *error) LF_MUST_CHECK;
void lf_route_drop_next(struct lf_route *route, const struct lf_next *next);

/* Forgets what it has read; it will be read again. */
void lf_route_forget(struct lf_route *route);

/* ---- courier_send.c: one attempt ---- */

/* Begins the post of a delivery. */
enum lf_status lf_parcel_start(struct lf_courier *courier, struct lf_route *route, const struct lf_next *next,
                               struct lf_error *error) LF_MUST_CHECK;

/* Takes it off its route and frees it. */
void lf_parcel_destroy(struct lf_parcel *parcel);

/* ---- courier_note.c: how attempts ended ---- */

/* Notes what has ended, up to LF_COURIER_NOTED attempts, and what follows from it. false: the storage refuses. */
bool lf_courier_note(struct lf_courier *courier);

/* Goes on with the farewell of a route whose target is gone, a step at a time. */
void lf_route_say_farewell(struct lf_courier *courier, struct lf_route *route);

#endif
