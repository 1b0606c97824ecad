/*
 * metrics_exchange.c - the part of GET /metrics about CRMs: their webhooks, what was answered again, and the events on
 * their way out. Labels are keys that an administrator chose, at most a hundred of them.
 */
#include "api/metrics_put.h"

#include "app/idempotency.h"
#include "app/sources.h"
#include "app/subscriptions.h"
#include "base/time.h"

#include <stdatomic.h>

/* ---- in ---- */

static void
put_webhooks(struct lf_buf *buf, const struct lf_metrics *metrics)
{
#define LF_X(name, word) [LF_CRM_##name] = (word),
    static const char *const KINDS[] = {LF_CRM_LIST(LF_X)};
#undef LF_X
#define LF_X(name, word) [LF_WEBHOOK_##name] = (word),
    static const char *const RESULTS[] = {LF_WEBHOOK_RESULT_LIST(LF_X)};
#undef LF_X

    lf_metric_put_family(buf, "leadfit_webhooks_total", "counter",
                         "Webhooks of CRMs by kind of source and by what became of them: scored, repeated (the answer "
                         "of before was given again), unscored (no lead in it that can be scored), refused (signature, "
                         "rights, not JSON), failed (busy, or the disk).");
    for (int kind = 0; kind < LF_CRM_COUNT; kind++)
        for (int result = 0; result < LF_WEBHOOK_RESULT_COUNT; result++)
            lf_buf_printf(buf, "leadfit_webhooks_total{kind=\"%s\",result=\"%s\"} %lld\n", KINDS[kind], RESULTS[result],
                          (long long)lf_metrics_webhooks(metrics, (enum lf_crm)kind, (enum lf_webhook_result)result));
}

static void
put_sources(struct lf_buf *buf, struct lf_arena *scratch, struct lf_sources *sources)
{
    const char *const *keys = NULL;
    size_t count = 0;

    if (lf_sources_keys(sources, scratch, &keys, &count))
        lf_metric_put_single(buf, "leadfit_sources", "gauge", "Sources that may send webhooks.", (int64_t)count, 0);
    else
        buf->failed = true;
}

/* ---- out ---- */

static void
put_sample(struct lf_buf *buf, const char *name, const char *subscription, const char *label, const char *value,
           int64_t number)
{
    lf_buf_printf(buf, "%s{", name);
    lf_metric_put_label(buf, true, "subscription", subscription);
    lf_metric_put_label(buf, false, label, value);
    lf_buf_printf(buf, "} %lld\n", (long long)number);
}

static void
put_subscriptions(struct lf_buf *buf, struct lf_subscription **items, size_t count)
{
    static const char *const STATES[] = {[LF_SUBSCRIPTION_ACTIVE] = "active",
                                         [LF_SUBSCRIPTION_PAUSED] = "paused",
                                         [LF_SUBSCRIPTION_DISABLED] = "disabled"};

    lf_metric_put_family(buf, "leadfit_subscription_state", "gauge",
                         "1 for the state that a subscription is in. Paused: nothing is sent, events are gathered. "
                         "Disabled: nor gathered.");
    for (size_t i = 0; i < count; i++)
        for (int state = 0; state < (int)(sizeof STATES / sizeof *STATES); state++)
            put_sample(buf, "leadfit_subscription_state", items[i]->key, "state", STATES[state],
                       atomic_load(&items[i]->state) == state);
    lf_metric_put_family(buf, "leadfit_outbox_deliveries_total", "counter",
                         "How attempts to deliver events ended, since the start: delivered, failed_attempt; and "
                         "given_up, the events that nobody will try again.");
    for (size_t i = 0; i < count; i++) {
        put_sample(buf, "leadfit_outbox_deliveries_total", items[i]->key, "result", "delivered",
                   atomic_load(&items[i]->delivered));
        put_sample(buf, "leadfit_outbox_deliveries_total", items[i]->key, "result", "failed_attempt",
                   atomic_load(&items[i]->failed_attempts));
        put_sample(buf, "leadfit_outbox_deliveries_total", items[i]->key, "result", "given_up",
                   atomic_load(&items[i]->given_up));
    }
}

void
lf_metrics_put_exchange(struct lf_buf *buf, struct lf_arena *scratch, struct lf_service *service)
{
    struct lf_idempotency *idempotency = lf_service_idempotency(service);
    struct lf_subscriptions *subscriptions = lf_service_subscriptions(service);
    struct lf_subscription **items = NULL;
    size_t count = 0;

    put_webhooks(buf, lf_service_metrics(service));
    put_sources(buf, scratch, lf_service_sources(service));
    lf_metric_put_single(buf, "leadfit_idempotent_replays_total", "counter",
                         "Requests that were answered with what had been recorded for the same idempotency key before.",
                         lf_idempotency_repeats(idempotency), 0);
    lf_metric_put_single(buf, "leadfit_idempotent_in_flight", "gauge",
                         "Requests with an idempotency key that are under way.",
                         (int64_t)lf_idempotency_in_flight(idempotency), 0);
    if (!lf_subscriptions_hold(subscriptions, scratch, &items, &count)) {
        buf->failed = true;
        return;
    }
    put_subscriptions(buf, items, count);
    lf_subscriptions_release(subscriptions, items, count);
}

/* What waits for one subscription; left out where it cannot be read. */
struct outbox {
    bool read;
    int64_t waiting, oldest_ms;
};

static void
put_outbox(struct lf_buf *buf, struct lf_subscription **items, size_t count, const struct outbox *outboxes)
{
    int64_t now_ms = lf_time_now_ms();

    lf_metric_put_family(buf, "leadfit_outbox_waiting", "gauge", "Events that wait to be delivered.");
    for (size_t i = 0; i < count; i++) {
        if (!outboxes[i].read)
            continue;
        lf_buf_lit(buf, "leadfit_outbox_waiting{");
        lf_metric_put_label(buf, true, "subscription", items[i]->key);
        lf_buf_printf(buf, "} %lld\n", (long long)outboxes[i].waiting);
    }
    lf_metric_put_family(buf, "leadfit_outbox_oldest_seconds", "gauge",
                         "For how long the oldest of them has waited; 0 where none does.");
    for (size_t i = 0; i < count; i++) {
        bool waits = outboxes[i].waiting > 0 && outboxes[i].oldest_ms < now_ms;

        if (!outboxes[i].read)
            continue;
        lf_buf_lit(buf, "leadfit_outbox_oldest_seconds{");
        lf_metric_put_label(buf, true, "subscription", items[i]->key);
        lf_buf_lit(buf, "} ");
        lf_buf_decimal(buf, waits ? now_ms - outboxes[i].oldest_ms : 0, 3);
        lf_buf_char(buf, '\n');
    }
}

void
lf_metrics_put_outbox(struct lf_buf *buf, struct lf_arena *scratch, struct lf_service *service,
                      struct lf_store_reader *reader)
{
    struct lf_subscriptions *subscriptions = lf_service_subscriptions(service);
    struct lf_subscription **items = NULL;
    struct outbox *outboxes = NULL;
    size_t count = 0;

    if (!lf_subscriptions_hold(subscriptions, scratch, &items, &count)) {
        buf->failed = true;
        return;
    }
    outboxes = lf_arena_calloc(scratch, count, sizeof *outboxes);
    if (outboxes == NULL)
        buf->failed = true;
    for (size_t i = 0; outboxes != NULL && i < count; i++)
        outboxes[i].read =
            lf_store_outbox(reader, items[i]->id, &outboxes[i].waiting, &outboxes[i].oldest_ms, NULL) == LF_OK;
    if (outboxes != NULL)
        put_outbox(buf, items, count, outboxes);
    lf_subscriptions_release(subscriptions, items, count);
}
