/*
 * courier.h - delivers the outbox: a thread that posts what waits to its subscription's target, by Standard Webhooks.
 *
 * First attempts go out in the order of events, those of one lead one after the other; a retry holds nothing back. Each
 * subscription has its own few posts under way, so that a slow target holds up nobody else. An attempt succeeds with
 * any 2xx; the others are tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h with a jitter of a
 * tenth, or later where the target asks for it (Retry-After, a day at most), then given up. 410 disables the
 * subscription, three days of nothing but failures pause it. How attempts end is committed many at a time; what is not
 * is tried again, under the same webhook-id.
 *
 * Thread-safe but for start and stop.
 */
#ifndef LF_APP_COURIER_H
#define LF_APP_COURIER_H

#include "app/post.h"
#include "app/recorder.h"
#include "app/subscriptions.h"
#include "base/status.h"
#include "store/exchange.h"

struct lf_courier;

struct lf_courier_options {
    struct lf_poster_options poster;
    size_t each;                /* posts under way for one subscription */
    const int64_t *schedule_ms; /* pauses before the second attempt and so on; NULL: as above */
    size_t schedule_count;
    int64_t pause_after_ms; /* of nothing but failures; 0: three days */
};

/* Starts the thread. store, recorder and subscriptions stay until it is stopped. */
enum lf_status lf_courier_start(struct lf_store *store, struct lf_recorder *recorder,
                                struct lf_subscriptions *subscriptions, const struct lf_courier_options *options,
                                struct lf_courier **ret_courier, struct lf_error *error) LF_MUST_CHECK;

/* Cuts what is under way (it is delivered after the next start), notes what has ended, stops. NULL is fine. */
void lf_courier_stop(struct lf_courier *courier);

#endif
