/* event_fixture.h - for the tests of events: subscriptions in a store, and what stands in the outbox for them. */
#ifndef LF_TESTS_EVENT_FIXTURE_H
#define LF_TESTS_EVENT_FIXTURE_H

#include "app/events.h"
#include "app/subscriptions.h"
#include "store_fixture.h"

#define BIT(event) (1U << LF_EVENT_##event)
#define SCORE_EVENTS (BIT(SCORE_RECORDED) | BIT(GRADE_CHANGED))
#define ALL_EVENTS (SCORE_EVENTS | BIT(ICP_PUBLISHED) | BIT(DRIFT_SHIFTED))

/* Puts a subscription; its row. grades: a JSON array. */
static inline int64_t
put_subscription(struct lf_store *store, const char *key, uint32_t events, const char *icp, const char *grades)
{
    const struct lf_stored_subscription subscription = {.key = key,
                                                        .url = "https://crm.example/events",
                                                        .secret = "a secret of some bytes",
                                                        .secret_len = 22,
                                                        .events = events,
                                                        .icp = icp,
                                                        .grades = grades};
    struct lf_change change = by_ops(1780000000000);
    struct lf_error error;
    int64_t id = 0;
    bool created = false;

    if (lf_store_put_subscription(store, &subscription, &change, &id, &created, &error) != LF_OK)
        fail_msg("%s: %s", key, error.detail);
    return id;
}

static inline void
stop_subscription(struct lf_store *store, int64_t id, enum lf_subscription_state state)
{
    struct lf_change change = by_ops(1780000000001);
    struct lf_error error;

    assert_int_equal(lf_store_stop_subscription(store, id, state, "the test says so", &change, &error), LF_OK);
}

static inline struct lf_subscriptions *
load_subscriptions(struct lf_store_reader *reader)
{
    struct lf_subscriptions *subscriptions = NULL;
    struct lf_error error;

    if (lf_subscriptions_load(reader, 1000000, &subscriptions, &error) != LF_OK)
        fail_msg("%s", error.detail);
    return subscriptions;
}

/* What waits for a subscription behind that id, oldest first; how many. */
static inline size_t
waiting_for(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription, int64_t behind,
            struct lf_stored_delivery **ret_deliveries)
{
    struct lf_error error;
    size_t count = 0;

    if (lf_store_deliveries(reader, arena, subscription, LF_DELIVERIES_PENDING, behind, 10000, ret_deliveries, &count,
                            &error) != LF_OK)
        fail_msg("%s", error.detail);
    return count;
}

/* The data of all that waits for a subscription, a line each behind the event's word. */
static inline const char *
told(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription)
{
    struct lf_stored_delivery *deliveries = NULL;
    size_t count = waiting_for(reader, arena, subscription, 0, &deliveries);
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = lf_arena_printf(arena, "%s%s %.*s\n", text, lf_event_word(deliveries[i].type),
                               (int)deliveries[i].data_len, deliveries[i].data);
    return text;
}

#endif
