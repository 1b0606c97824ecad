/*
 * events.h - what is worth telling, and to whom: the deliveries that a recorded score, a publication or a shift of
 * scores puts into the outbox.
 *
 * data is {"lead_id", "icp", "version", "score_id", "score", "from", "to", "psi"}; every member is always there. The
 * whole that is sent is made of it at each attempt, and is the same each time (lf_event_put).
 */
#ifndef LF_APP_EVENTS_H
#define LF_APP_EVENTS_H

#include "app/subscriptions.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/statistics.h"
#include "store/exchange.h"

#include <stddef.h>
#include <stdint.h>

struct lf_trend; /* app/trends.h */

/* Deliveries that are gathered for one commit. */
struct lf_event_batch {
    struct lf_arena *arena;
    struct lf_subscription **subscriptions; /* held; as of the batch's begin */
    size_t subscription_count;
    struct lf_new_delivery *items;
    size_t count, cap;
};

/* What happened. Absent: NULL or "", 0 and all zeros. */
struct lf_event {
    enum lf_event_type type;
    int64_t at_ms;
    const char *lead_id;
    size_t lead_id_len;
    const char *icp;
    int version;
    struct lf_ulid score_id;
    int score; /* hundredths */
    const char *from, *to;
    double psi;
};

/* "score.recorded" … */
const char *lf_event_word(enum lf_event_type type);

/* Begins a batch with the subscriptions of now. OUT_OF_MEMORY. */
enum lf_status lf_event_batch_begin(struct lf_subscriptions *subscriptions, struct lf_arena *arena,
                                    struct lf_event_batch *ret_batch, struct lf_error *error) LF_MUST_CHECK;

/* Appends a delivery for each subscription that takes the event; what is of one lead is of one lane. OUT_OF_MEMORY:
 * the batch is not to be used then, only to be ended. */
enum lf_status
lf_event_add(struct lf_event_batch *batch, const struct lf_event *event, struct lf_error *error) LF_MUST_CHECK;

/* Appends what is sent: {"type", "timestamp", "sequence", "data"}. */
void lf_event_put(struct lf_buf *buf, const struct lf_stored_delivery *delivery);

/* The events of a version that is about to be published, for struct lf_change. To be ended in any case once it has
 * worked. */
enum lf_status
lf_events_of_publication(struct lf_subscriptions *subscriptions, struct lf_arena *arena, const char *icp, int version,
                         int64_t at_ms, struct lf_event_batch *ret_batch, struct lf_error *error) LF_MUST_CHECK;

/* Gives the batch's subscriptions back; fine on one of all zeros. Its deliveries stay in the arena. */
void lf_event_batch_end(struct lf_subscriptions *subscriptions, struct lf_event_batch *batch);

/* Where the scores of a version stand now, which stood at `noted` before. Pure. */
enum lf_drift_level lf_events_drift_level(const struct lf_trend *trend, enum lf_drift_level noted);

/* Looks whether the scores of an active ICP have shifted since they were looked at last, and tells whoever wants to
 * know. Waits; for the keeper. Does nothing while nobody wants to know. */
enum lf_status lf_events_watch_drift(struct lf_service *service, struct lf_error *error) LF_MUST_CHECK;

#endif
