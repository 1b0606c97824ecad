/*
 * subscriptions_outbox.c - what waits for each subscription, and when one stops: see subscriptions.h. All of it happens
 * on the recorder's thread.
 *
 * Counts follow what the store says of each step (was this delivery waiting?), and are taken anew from the store where
 * something depends on them. Erasures are not heard of here: until then a count may be too high by what they took,
 * never too low.
 */
#include "app/subscriptions_parts.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { REASON_MAX = 200 };

enum lf_status
lf_subscriptions_recount(struct lf_store *store, struct lf_subscription_entry *entry, struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;
    int64_t waiting = 0, oldest_ms = 0;
    enum lf_status status = lf_store_reader_open(store, &reader, error);

    if (status != LF_OK)
        return status;
    status = lf_store_outbox(reader, entry->item.id, &waiting, &oldest_ms, error);
    lf_store_reader_close(reader);
    if (status == LF_OK)
        atomic_store(&entry->item.waiting, waiting);
    return status;
}

/* Commits the new state, then has it here. */
static enum lf_status
set_state(struct lf_subscriptions *subscriptions, struct lf_store *store, struct lf_subscription_entry *entry,
          enum lf_subscription_state state, const char *reason, struct lf_error *error)
{
    const struct lf_change change = {.by = "leadfit", .key_id = "", .note = reason, .at_ms = lf_time_now_ms()};
    enum lf_status status = lf_store_stop_subscription(store, entry->item.id, state, reason, &change, error);

    if (status != LF_OK)
        return status;
    (void)pthread_mutex_lock(&subscriptions->lock);
    atomic_store(&entry->item.state, (int)state);
    lf_subscriptions_find_wanted(subscriptions);
    (void)pthread_mutex_unlock(&subscriptions->lock);
    lf_log(LF_LOG_WARN, state == LF_SUBSCRIPTION_PAUSED ? "subscription_paused" : "subscription_disabled",
           lf_log_text("subscription", entry->item.key), lf_log_text("reason", reason));
    return LF_OK;
}

/* A number as people read it: 100,000. */
static void
put_grouped(struct lf_buf *buf, int64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)number);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            lf_buf_lit(buf, ",");
        lf_buf_char(buf, digits[i]);
    }
}

/* Disables a subscription for which as much waits as may, if that is still so. */
static enum lf_status
disable_full(struct lf_subscriptions *subscriptions, struct lf_store *store, struct lf_subscription_entry *entry,
             struct lf_error *error)
{
    struct lf_buf reason;
    const char *text = NULL;
    enum lf_status status = lf_subscriptions_recount(store, entry, error);

    if (status != LF_OK || atomic_load(&entry->item.waiting) < entry->limit)
        return status;
    lf_buf_init(&reason, NULL, REASON_MAX);
    put_grouped(&reason, atomic_load(&entry->item.waiting));
    lf_buf_lit(&reason,
               " events wait for it: no more may (outbox_max). Nothing is gathered or sent until it is put again.");
    text = lf_buf_terminate(&reason);
    status = text != NULL ? set_state(subscriptions, store, entry, LF_SUBSCRIPTION_DISABLED, text, error)
                          : lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while disabling a subscription");
    lf_buf_finish(&reason);
    return status;
}

static bool
is_full(const struct lf_subscription_entry *entry)
{
    return atomic_load(&entry->item.waiting) >= entry->limit &&
           atomic_load(&entry->item.state) != LF_SUBSCRIPTION_DISABLED;
}

enum lf_status
lf_subscriptions_tend(struct lf_subscriptions *subscriptions, struct lf_store *store, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (!subscriptions->full)
        return LF_OK;
    for (size_t i = 0; status == LF_OK && i < subscriptions->count; i++)
        if (is_full(subscriptions->items[i]))
            status = disable_full(subscriptions, store, subscriptions->items[i], error);
    if (status == LF_OK)
        subscriptions->full = false;
    return status;
}

/* ---- counting ---- */

void
lf_subscriptions_committed(struct lf_subscriptions *subscriptions, const struct lf_new_delivery *deliveries,
                           size_t count)
{
    struct lf_subscription_entry *entry = NULL;

    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (entry == NULL || entry->item.id != deliveries[i].subscription_id)
            entry = lf_subscriptions_find(subscriptions, deliveries[i].subscription_id);
        if (entry == NULL) /* deleted meanwhile */
            continue;
        (void)atomic_fetch_add(&entry->item.waiting, 1);
        if (is_full(entry))
            subscriptions->full = true;
    }
    lf_subscriptions_wake(subscriptions);
}

static void
count_attempt(struct lf_subscription *item, const struct lf_attempt *attempt, bool waited)
{
    bool delivered = attempt->state == LF_DELIVERY_DELIVERED;
    int64_t none = 0;

    if (waited && attempt->state != LF_DELIVERY_RETRYING)
        (void)atomic_fetch_sub(&item->waiting, 1);
    if (delivered) {
        (void)atomic_fetch_add(&item->delivered, 1);
        atomic_store(&item->failing_since_ms, 0);
        if (atomic_load(&item->delivered_at_ms) < attempt->at_ms)
            atomic_store(&item->delivered_at_ms, attempt->at_ms);
        return;
    }
    (void)atomic_fetch_add(&item->failed_attempts, 1);
    (void)atomic_compare_exchange_strong(&item->failing_since_ms, &none, attempt->at_ms);
    if (waited && attempt->state == LF_DELIVERY_FAILED)
        (void)atomic_fetch_add(&item->given_up, 1);
}

enum lf_status
lf_subscriptions_note(struct lf_subscriptions *subscriptions, struct lf_store *store, const struct lf_attempt *attempts,
                      size_t count, struct lf_error *error)
{
    bool *waited = calloc(count + 1, sizeof *waited);
    enum lf_status status = LF_OK;

    if (waited == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while noting what was delivered");
    status = lf_store_note_attempts(store, attempts, count, waited, error);
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        struct lf_subscription_entry *entry = lf_subscriptions_find(subscriptions, attempts[i].subscription_id);

        if (entry != NULL)
            count_attempt(&entry->item, &attempts[i], waited[i]);
    }
    free(waited);
    return status;
}

enum lf_status
lf_subscriptions_give_up(struct lf_subscriptions *subscriptions, struct lf_store *store, int64_t id, int64_t at_ms,
                         const char *reason, size_t limit, bool *ret_more, struct lf_error *error)
{
    struct lf_subscription_entry *entry = lf_subscriptions_find(subscriptions, id);
    int64_t before = 0;
    enum lf_status status = entry != NULL ? lf_subscriptions_recount(store, entry, error) : LF_OK;

    if (status == LF_OK)
        status = lf_store_fail_deliveries(store, id, at_ms, reason, limit, ret_more, error);
    if (status != LF_OK || entry == NULL)
        return status;
    before = atomic_load(&entry->item.waiting);
    (void)lf_subscriptions_recount(store, entry, NULL);
    (void)atomic_fetch_add(&entry->item.given_up, before - atomic_load(&entry->item.waiting));
    return LF_OK;
}

enum lf_status
lf_subscriptions_retry(struct lf_subscriptions *subscriptions, struct lf_store *store, int64_t id, int64_t delivery_id,
                       int64_t at_ms, struct lf_error *error)
{
    struct lf_subscription_entry *entry = lf_subscriptions_find(subscriptions, id);
    bool waited = false;
    enum lf_status status = lf_store_retry_delivery(store, id, delivery_id, at_ms, &waited, error);

    if (status != LF_OK)
        return status;
    if (entry != NULL && !waited)
        (void)atomic_fetch_add(&entry->item.waiting, 1);
    lf_subscriptions_wake(subscriptions);
    return LF_OK;
}

/* ---- stopped by itself ---- */

struct stopping {
    struct lf_subscriptions *subscriptions;
    const struct lf_subscription *subscription;
    enum lf_subscription_state state;
    const char *reason;
};

static enum lf_status
stop(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct stopping *stopping = argument;
    struct lf_subscription_entry *entry = lf_subscriptions_find(stopping->subscriptions, stopping->subscription->id);

    if (entry == NULL || &entry->item != stopping->subscription ||
        atomic_load(&entry->item.state) >= (int)stopping->state)
        return LF_OK;
    return set_state(stopping->subscriptions, store, entry, stopping->state, stopping->reason, error);
}

enum lf_status
lf_subscriptions_stop(struct lf_subscriptions *subscriptions, struct lf_recorder *recorder,
                      struct lf_subscription *subscription, enum lf_subscription_state state, const char *reason,
                      struct lf_error *error)
{
    struct stopping stopping = {subscriptions, subscription, state, reason};

    return lf_recorder_run(recorder, stop, &stopping, error);
}
