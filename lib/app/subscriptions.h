/*
 * subscriptions.h - who wants to be told of events: which, where to, and how far that is.
 *
 * The registry keeps all subscriptions in memory, with a count of what waits for each. A subscription is immutable but
 * for its state and its counts; a put makes another one. Changes happen on the recorder's thread, in the task that
 * commits them, so that what is recorded next goes by them already.
 *
 * Thread-safe; what says "on the recorder's thread" is called there and nowhere else.
 */
#ifndef LF_APP_SUBSCRIPTIONS_H
#define LF_APP_SUBSCRIPTIONS_H

#include "app/service.h"
#include "base/arena.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/status.h"
#include "store/exchange.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_subscription {
    int64_t id;
    const char *key, *url;
    const void *secret;
    size_t secret_len;
    uint32_t events;           /* bits 1 << enum lf_event_type */
    const char *icp;           /* "" for all */
    const char *const *grades; /* none: all */
    size_t grade_count;
    int64_t created_at_ms, updated_at_ms;
    /* Kept by the functions below alone; of one that was put anew or deleted since it was held they stand still. */
    _Atomic int state;                                    /* enum lf_subscription_state */
    _Atomic int64_t waiting;                              /* deliveries pending or retrying */
    _Atomic int64_t delivered, failed_attempts, given_up; /* since the start */
    _Atomic int64_t failing_since_ms, delivered_at_ms;
};

struct lf_subscriptions;

/* All of the store. outbox_max: of what may wait for one. */
enum lf_status lf_subscriptions_load(struct lf_store_reader *reader, int64_t outbox_max,
                                     struct lf_subscriptions **ret_subscriptions, struct lf_error *error) LF_MUST_CHECK;
void lf_subscriptions_destroy(struct lf_subscriptions *subscriptions); /* NULL is fine */

int64_t lf_subscriptions_outbox_max(const struct lf_subscriptions *subscriptions);

/* Which events anybody gathers: bits. One atomic load. */
uint32_t lf_subscriptions_wanted(const struct lf_subscriptions *subscriptions);

/* All of them, by key, as they are now: an array in the arena of subscriptions that stay until release. false: out of
 * memory. */
bool lf_subscriptions_hold(struct lf_subscriptions *subscriptions, struct lf_arena *arena,
                           struct lf_subscription ***ret_items, size_t *ret_count) LF_MUST_CHECK;
void lf_subscriptions_release(struct lf_subscriptions *subscriptions, struct lf_subscription **items, size_t count);

/* The id of the subscription of that key; 0: there is none. */
int64_t lf_subscriptions_id(struct lf_subscriptions *subscriptions, const char *key);

/* Whether a subscription gathers such an event: type, ICP, grade (NULL or "" where the event has none), state. */
bool lf_subscription_takes(const struct lf_subscription *subscription, enum lf_event_type type, const char *icp,
                           const char *grade);

/* On the recorder's thread: counts deliveries that were committed, and wakes who delivers. */
void lf_subscriptions_committed(struct lf_subscriptions *subscriptions, const struct lf_new_delivery *deliveries,
                                size_t count);

/* On the recorder's thread, after each round of its work (lf_ledger_tend): disables those for which as much waits as
 * may, here and in the store. Takes no time where there is none. */
enum lf_status lf_subscriptions_tend(struct lf_subscriptions *subscriptions, struct lf_store *store,
                                     struct lf_error *error) LF_MUST_CHECK;

/* On the recorder's thread: notes how attempts ended (lf_store_note_attempts), in the store and in the counts. */
enum lf_status
lf_subscriptions_note(struct lf_subscriptions *subscriptions, struct lf_store *store, const struct lf_attempt *attempts,
                      size_t count, struct lf_error *error) LF_MUST_CHECK;

/* On the recorder's thread: gives up what waits for a subscription, up to `limit` (lf_store_fail_deliveries), in the
 * store and in the counts. */
enum lf_status
lf_subscriptions_give_up(struct lf_subscriptions *subscriptions, struct lf_store *store, int64_t id, int64_t at_ms,
                         const char *reason, size_t limit, bool *ret_more, struct lf_error *error) LF_MUST_CHECK;

/* On the recorder's thread: has a delivery tried again (lf_store_retry_delivery), and wakes who delivers. */
enum lf_status lf_subscriptions_retry(struct lf_subscriptions *subscriptions, struct lf_store *store, int64_t id,
                                      int64_t delivery_id, int64_t at_ms, struct lf_error *error) LF_MUST_CHECK;

/* Who is woken when something is to be done (new deliveries, a change of subscriptions, a retry by hand); NULL: nobody.
 * wake is called on any thread; it must be quick and call nothing here. None is under way when this returns. */
void lf_subscriptions_set_waker(struct lf_subscriptions *subscriptions, void (*wake)(void *context), void *context);
void lf_subscriptions_wake(struct lf_subscriptions *subscriptions);

/* Pauses or disables one by itself: commits, notes, logs. One that was put anew or deleted since it was held, or is
 * stopped at least as much, stays as it is. Waits; not on the recorder's thread. */
enum lf_status lf_subscriptions_stop(struct lf_subscriptions *subscriptions, struct lf_recorder *recorder,
                                     struct lf_subscription *subscription, enum lf_subscription_state state,
                                     const char *reason, struct lf_error *error) LF_MUST_CHECK;

/* A put in two steps, so that nothing is committed and then not in place: prepare makes what will be held (its id does
 * not count), place puts it in place of the one of its key, on the recorder's thread in the task that commits it. What
 * is not placed is dropped. */
enum lf_status lf_subscriptions_prepare(const struct lf_stored_subscription *stored,
                                        struct lf_subscription **ret_prepared, struct lf_error *error) LF_MUST_CHECK;
void lf_subscriptions_place(struct lf_subscriptions *subscriptions, struct lf_store *store,
                            struct lf_subscription *prepared, const struct lf_stored_subscription *stored);
void lf_subscriptions_drop(struct lf_subscription *prepared); /* NULL is fine */

/* On the recorder's thread, in the task that deletes it. */
void lf_subscriptions_remove(struct lf_subscriptions *subscriptions, const char *key);

/* ---- changes; they wait for the disk ---- */

/* Reads a subscription as it is put: {"url", "secret", "events", "icp", "grades"}; every fault goes into findings
 * (INVALID_REQUEST), a private target among them (code private_target). An absent secret is that of the subscription
 * there was; for a new one it is made, and ret_secret gets its text ("whsec_…"), else "". */
enum { LF_SUBSCRIPTION_SECRET_TEXT_MAX = 96 };
enum lf_status
lf_edit_put_subscription(struct lf_service *service, struct lf_arena *arena, const char *key,
                         const struct lf_json *body, const struct lf_change *change, struct lf_findings *findings,
                         struct lf_stored_subscription *ret_subscription, bool *ret_created,
                         char ret_secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX], struct lf_error *error) LF_MUST_CHECK;

/* SUBSCRIPTION_NOT_FOUND. */
enum lf_status lf_edit_delete_subscription(struct lf_service *service, const char *key, const struct lf_change *change,
                                           struct lf_error *error) LF_MUST_CHECK;

/* Has a delivery tried again. SUBSCRIPTION_NOT_FOUND, DELIVERY_NOT_FOUND, ERASED. */
enum lf_status lf_edit_retry_delivery(struct lf_service *service, const char *subscription, int64_t delivery_id,
                                      struct lf_error *error) LF_MUST_CHECK;

/* ---- the webhook-id ---- */

/* "msg_" and 26 characters that are made of a delivery's id and time: the same for every attempt. */
enum { LF_WEBHOOK_ID_MAX = 32 };
void lf_webhook_id_put(int64_t delivery_id, int64_t at_ms, char ret_text[LF_WEBHOOK_ID_MAX]);

/* The delivery's id in it; 0 where it is none. */
int64_t lf_webhook_id_read(const char *text, int64_t *ret_at_ms);

#endif
