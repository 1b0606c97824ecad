/* outbox_fixture.h - for the tests of subscriptions and of the outbox: short ways to put and to look. */
#ifndef LF_TESTS_OUTBOX_FIXTURE_H
#define LF_TESTS_OUTBOX_FIXTURE_H

#include "store_fixture.h"

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* A subscription to everything, as it is put. */
static inline struct lf_stored_subscription
subscription_of(const char *key)
{
    return (struct lf_stored_subscription){.key = key,
                                           .url = "https://crm.example/hook",
                                           .secret = "0123456789abcdef0123456789abcdef",
                                           .secret_len = 32,
                                           .events = 15,
                                           .icp = "",
                                           .grades = "[]"};
}

/* Puts it; its row. */
static inline int64_t
put_subscription(struct fixture *f, const char *key)
{
    struct lf_stored_subscription subscription = subscription_of(key);
    struct lf_change change = by_ops(1780000000000);
    int64_t id = 0;
    bool created = false;

    OK(lf_store_put_subscription(f->store, &subscription, &change, &id, &created, &f->error));
    assert_true(id > 0);
    return id;
}

static inline struct lf_connection *
writer_of(struct fixture *f)
{
    return &((struct lf_sqlite_store *)f->store)->writer;
}

/* Puts deliveries into the outbox as whoever records would, in a commit of their own. */
static inline enum lf_status
put_deliveries(struct fixture *f, const struct lf_new_delivery *deliveries, size_t count)
{
    struct lf_connection *writer = writer_of(f);
    enum lf_status status = lf_sqlite_begin(writer, &f->error);

    if (status != LF_OK)
        return status;
    status = lf_sqlite_put_deliveries(writer, deliveries, count, &f->error);
    return lf_sqlite_end(writer, status, &f->error);
}

/* Blanks what tells of a score, as an erasure would. */
static inline enum lf_status
erase_deliveries(struct fixture *f, struct lf_ulid score_id)
{
    struct lf_connection *writer = writer_of(f);
    enum lf_status status = lf_sqlite_begin(writer, &f->error);

    if (status != LF_OK)
        return status;
    status = lf_sqlite_erase_deliveries(writer, score_id, &f->error);
    return lf_sqlite_end(writer, status, &f->error);
}

static inline struct lf_new_delivery
delivery_of(int64_t subscription_id, int64_t at_ms, uint8_t score)
{
    static const char DATA[] = "{\"lead_id\":\"L-1\"}";
    struct lf_new_delivery delivery = {.subscription_id = subscription_id,
                                       .type = LF_EVENT_SCORE_RECORDED,
                                       .at_ms = at_ms,
                                       .lane = 7,
                                       .data = DATA,
                                       .data_len = sizeof DATA - 1};

    delivery.score_id.bytes[0] = score;
    return delivery;
}

/* Puts `count` deliveries about nothing but their time, at_ms and on. */
static inline void
put_many(struct fixture *f, int64_t subscription_id, size_t count, int64_t at_ms)
{
    struct lf_new_delivery *deliveries = calloc(count, sizeof *deliveries);

    assert_non_null(deliveries);
    for (size_t i = 0; i < count; i++)
        deliveries[i] = delivery_of(subscription_id, at_ms + (int64_t)i, 0);
    OK(put_deliveries(f, deliveries, count));
    free(deliveries);
}

static inline struct lf_attempt
attempt_of(int64_t subscription_id, int64_t delivery_id, enum lf_delivery_state state)
{
    return (struct lf_attempt){.subscription_id = subscription_id,
                               .delivery_id = delivery_id,
                               .at_ms = 1780000000000,
                               .http_status = state == LF_DELIVERY_DELIVERED ? 200 : 500,
                               .error = "",
                               .state = state,
                               .due_ms = state == LF_DELIVERY_RETRYING ? 1780000005000 : 0};
}

/* The delivery of that id. */
static inline struct lf_stored_delivery
get_delivery(struct fixture *f, int64_t subscription_id, int64_t id)
{
    struct lf_stored_delivery delivery;

    OK(lf_store_delivery(f->reader, f->arena, subscription_id, id, &delivery, &f->error));
    return delivery;
}

/* The subscription of that key. */
static inline struct lf_stored_subscription
get_subscription(struct fixture *f, const char *key)
{
    struct lf_stored_subscription *all = NULL;
    size_t count = 0;

    OK(lf_store_subscriptions(f->reader, f->arena, &all, &count, &f->error));
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].key, key) == 0)
            return all[i];
    fail_msg("no subscription %s", key);
    return (struct lf_stored_subscription){.id = 0};
}

/* The ids of a subscription's deliveries in that order, as "3 2 1". */
static inline const char *
ids_of(struct fixture *f, int64_t subscription_id, enum lf_delivery_order order, int64_t from, size_t limit)
{
    struct lf_stored_delivery *deliveries = NULL;
    struct lf_buf text;
    size_t count = 0;

    lf_buf_init(&text, f->arena, 1 << 20);
    OK(lf_store_deliveries(f->reader, f->arena, subscription_id, order, from, limit, &deliveries, &count, &f->error));
    assert_true(count <= limit);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(deliveries[i].subscription_id, subscription_id);
        lf_buf_printf(&text, "%s%lld", i > 0 ? " " : "", (long long)deliveries[i].id);
    }
    return lf_buf_terminate(&text);
}

static inline void
assert_outbox(struct fixture *f, int64_t subscription_id, int64_t expected, int64_t expected_ms)
{
    int64_t waiting = -1, oldest_ms = -1;

    OK(lf_store_outbox(f->reader, subscription_id, &waiting, &oldest_ms, &f->error));
    assert_int_equal(waiting, expected);
    assert_int_equal(oldest_ms, expected_ms);
}

#endif
