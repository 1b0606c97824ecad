/* test_subscriptions.c - the registry of subscriptions: which events they take, what waits for them, when they stop;
 * one thread that changes it and many that look. */
#include "app/subscriptions.h"

#include "base/json.h"
#include "base/log.h"
#include "faults.h"
#include "outbox_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define NOW_MS INT64_C(1780000000000)

static struct lf_subscriptions *
load(struct fixture *f, int64_t outbox_max)
{
    struct lf_subscriptions *subscriptions = NULL;

    OK(lf_subscriptions_load(f->reader, outbox_max, &subscriptions, &f->error));
    return subscriptions;
}

/* Puts a subscription as lf_edit_put_subscription would, all on this thread. */
static int64_t
put(struct fixture *f, struct lf_subscriptions *subscriptions, const struct lf_stored_subscription *stored)
{
    struct lf_stored_subscription put = *stored;
    struct lf_subscription *prepared = NULL;
    struct lf_change change = by_ops(NOW_MS);
    bool created = false;

    OK(lf_subscriptions_prepare(&put, &prepared, &f->error));
    OK(lf_store_put_subscription(f->store, &put, &change, &put.id, &created, &f->error));
    lf_subscriptions_place(subscriptions, f->store, prepared, &put);
    return put.id;
}

static int64_t
put_key(struct fixture *f, struct lf_subscriptions *subscriptions, const char *key)
{
    struct lf_stored_subscription stored = subscription_of(key);

    return put(f, subscriptions, &stored);
}

/* The subscription of that id as it is now, not held: nobody else is there. */
static struct lf_subscription *
peek(struct fixture *f, struct lf_subscriptions *subscriptions, int64_t id)
{
    struct lf_subscription **items = NULL, *found = NULL;
    size_t count = 0;

    assert_true(lf_subscriptions_hold(subscriptions, f->arena, &items, &count));
    for (size_t i = 0; i < count; i++)
        if (items[i]->id == id)
            found = items[i];
    lf_subscriptions_release(subscriptions, items, count);
    assert_non_null(found);
    return found;
}

#define VALUE(subscriptions, id, member) atomic_load(&peek(f, (subscriptions), (id))->member)

/* Puts deliveries for a subscription into the outbox, and has them counted, as the recorder does it. */
static void
gather(struct fixture *f, struct lf_subscriptions *subscriptions, int64_t id, size_t count)
{
    struct lf_new_delivery *deliveries = calloc(count, sizeof *deliveries);

    assert_non_null(deliveries);
    for (size_t i = 0; i < count; i++)
        deliveries[i] = delivery_of(id, NOW_MS, 1);
    OK(put_deliveries(f, deliveries, count));
    lf_subscriptions_committed(subscriptions, deliveries, count);
    OK(lf_subscriptions_tend(subscriptions, f->store, &f->error));
    free(deliveries);
}

static void
note_one(struct fixture *f, struct lf_subscriptions *subscriptions, int64_t id, int64_t delivery_id,
         enum lf_delivery_state how)
{
    struct lf_attempt attempt = attempt_of(id, delivery_id, how);

    OK(lf_subscriptions_note(subscriptions, f->store, &attempt, 1, &f->error));
}

/* ---- webhook ids ---- */

/* By a second hand: the number in base 32, in Python. */
static void
test_webhook_id(void **state)
{
    static const struct {
        int64_t id, at_ms;
        const char *text;
    } ROWS[] = {
        {1, 0, "msg_00000000000000000000000001"},
        {1, NOW_MS, "msg_01KSR492000000000000000001"},
        {123456789, NOW_MS + 123, "msg_01KSR4923V00000000003NQK8N"},
        {INT64_MAX, (INT64_C(1) << 48) - 1, "msg_7ZZZZZZZZZ0007ZZZZZZZZZZZZ"},
    };
    char text[LF_WEBHOOK_ID_MAX];
    int64_t at_ms = 0;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        lf_webhook_id_put(ROWS[i].id, ROWS[i].at_ms, text);
        assert_string_equal(text, ROWS[i].text);
        assert_int_equal(lf_webhook_id_read(text, &at_ms), ROWS[i].id);
        assert_int_equal(at_ms, ROWS[i].at_ms);
    }
}

/* Each id has one spelling. */
static void
test_webhook_id_strict(void **state)
{
    static const struct {
        const char *why, *text;
    } ROWS[] = {
        {"nothing", ""},
        {"the prefix alone", "msg_"},
        {"no prefix", "01KSR492000000000000000001"},
        {"another prefix", "MSG_01KSR492000000000000000001"},
        {"one character less", "msg_01KSR49200000000000000000"},
        {"one more", "msg_01KSR4920000000000000000012"},
        {"small letters", "msg_01ksr492000000000000000001"},
        {"a letter that is none", "msg_01KSR49200000000000000000U"},
        {"id 0", "msg_01KSR492000000000000000000"},
        {"something between time and id", "msg_01KSR49200000G000000000001"},
        {"an id above all", "msg_01KSR492000008000000000000"},
        {"more than 128 bits", "msg_81KSR492000000000000000001"},
        {"a space behind", "msg_01KSR492000000000000000001 "},
    };
    int64_t at_ms = 77;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (lf_webhook_id_read(ROWS[i].text, &at_ms) != 0)
            fail_msg("%s", ROWS[i].why);
        assert_int_equal(at_ms, 77);
    }
}

/* ---- what is taken ---- */

static void
test_takes(void **state)
{
    static const char *const AB[] = {"A", "DQ"};
    static const struct {
        const char *why;
        uint32_t events;
        const char *icp;
        size_t grades; /* of AB */
        enum lf_subscription_state state;
        enum lf_event_type type;
        const char *of_icp, *grade;
        bool takes;
    } ROWS[] = {
        {"all of one event", 1, "", 0, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_SCORE_RECORDED, "x", "A", true},
        {"another event", 1, "", 0, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_GRADE_CHANGED, "x", "A", false},
        {"the last one", 8, "", 0, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_DRIFT_SHIFTED, "x", NULL, true},
        {"of its ICP", 15, "x", 0, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_ICP_PUBLISHED, "x", NULL, true},
        {"of another ICP", 15, "x", 0, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_ICP_PUBLISHED, "xy", NULL, false},
        {"a grade", 3, "", 2, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_GRADE_CHANGED, "x", "DQ", true},
        {"another grade", 3, "", 2, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_GRADE_CHANGED, "x", "B", false},
        {"a grade that begins so", 3, "", 2, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_SCORE_RECORDED, "x", "D", false},
        {"of a publication none is asked", 15, "", 2, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_ICP_PUBLISHED, "x", NULL, true},
        {"nor of drift", 15, "", 2, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_DRIFT_SHIFTED, "x", "", true},
        {"both", 3, "x", 2, LF_SUBSCRIPTION_ACTIVE, LF_EVENT_SCORE_RECORDED, "y", "A", false},
        {"a paused one gathers", 1, "", 0, LF_SUBSCRIPTION_PAUSED, LF_EVENT_SCORE_RECORDED, "x", "A", true},
        {"a disabled one does not", 1, "", 0, LF_SUBSCRIPTION_DISABLED, LF_EVENT_SCORE_RECORDED, "x", "A", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_subscription subscription = {
            .events = ROWS[i].events, .icp = ROWS[i].icp, .grades = AB, .grade_count = ROWS[i].grades};

        atomic_init(&subscription.state, (int)ROWS[i].state);
        if (lf_subscription_takes(&subscription, ROWS[i].type, ROWS[i].of_icp, ROWS[i].grade) != ROWS[i].takes)
            fail_msg("%s", ROWS[i].why);
    }
}

/* ---- loaded ---- */

static void
test_load(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = load(f, 100);
    struct lf_subscription **items = NULL;
    struct lf_change change = by_ops(NOW_MS);
    struct lf_stored_subscription b = subscription_of("b");
    size_t count = 99;
    int64_t id = 0;

    assert_int_equal(lf_subscriptions_outbox_max(subscriptions), 100);
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 0);
    assert_true(lf_subscriptions_hold(subscriptions, f->arena, &items, &count));
    assert_int_equal(count, 0);
    lf_subscriptions_release(subscriptions, items, count);
    lf_subscriptions_destroy(subscriptions);

    b.events = 2;
    b.icp = "maker";
    b.grades = "[\"A\",\"D\\\"Q\"]";
    subscriptions = load(f, 100);
    id = put(f, subscriptions, &b);
    (void)put_key(f, subscriptions, "c");
    (void)put_key(f, subscriptions, "a");
    put_many(f, id, 3, NOW_MS);
    note_one(f, subscriptions, id, 1, LF_DELIVERY_DELIVERED);
    note_one(f, subscriptions, id, 2, LF_DELIVERY_RETRYING);
    OK(lf_store_stop_subscription(f->store, id, LF_SUBSCRIPTION_PAUSED, "it fails", &change, &f->error));
    lf_subscriptions_destroy(subscriptions);

    subscriptions = load(f, 100);
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 15);
    assert_true(lf_subscriptions_hold(subscriptions, f->arena, &items, &count));
    assert_int_equal(count, 3);
    assert_string_equal(items[0]->key, "a");
    assert_string_equal(items[1]->key, "b");
    assert_string_equal(items[2]->key, "c");
    assert_int_equal(items[1]->id, id);
    assert_string_equal(items[1]->url, b.url);
    assert_int_equal(items[1]->secret_len, 32);
    assert_memory_equal(items[1]->secret, b.secret, 32);
    assert_int_equal(items[1]->events, 2);
    assert_string_equal(items[1]->icp, "maker");
    assert_int_equal(items[1]->grade_count, 2);
    assert_string_equal(items[1]->grades[0], "A");
    assert_string_equal(items[1]->grades[1], "D\"Q");
    assert_int_equal(items[1]->created_at_ms, NOW_MS);
    assert_int_equal(items[1]->updated_at_ms, NOW_MS);
    assert_int_equal(atomic_load(&items[1]->state), LF_SUBSCRIPTION_PAUSED);
    assert_int_equal(atomic_load(&items[1]->waiting), 2);
    assert_int_equal(atomic_load(&items[1]->delivered), 0); /* since the start */
    assert_int_equal(atomic_load(&items[1]->delivered_at_ms), NOW_MS);
    assert_int_equal(atomic_load(&items[1]->failing_since_ms), NOW_MS);
    lf_subscriptions_release(subscriptions, items, count);
    assert_int_equal(lf_subscriptions_id(subscriptions, "b"), id);
    assert_int_equal(lf_subscriptions_id(subscriptions, "bb"), 0);
    assert_int_equal(lf_subscriptions_id(subscriptions, ""), 0);
    lf_subscriptions_destroy(subscriptions);
    lf_subscriptions_destroy(NULL);
}

static void
test_load_damaged(void **state)
{
    static const char *const ROWS[] = {"",
                                       "x",
                                       "{}",
                                       "[1]",
                                       "null",
                                       ("[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
                                        "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]")};
    struct fixture *f = *state;
    struct lf_subscriptions *subscriptions = NULL;

    (void)put_subscription(f, "a");
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        run_sql(f->path, lf_arena_printf(f->arena, "UPDATE subscription SET grades = '%s'", ROWS[row]));
        FAILS(lf_subscriptions_load(f->reader, 100, &subscriptions, &f->error), LF_STORAGE_CORRUPT);
    }
    run_sql(f->path, "UPDATE subscription SET grades = '[]';"
                     "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
                     "INSERT INTO subscription SELECT 1000 + i, 'n' || i, url, secret, events, icp, grades, state,"
                     " reason, 0, 0, 0, 0 FROM subscription, n");
    FAILS(lf_subscriptions_load(f->reader, 100, &subscriptions, &f->error), LF_STORAGE_CORRUPT);
    assert_null(subscriptions);
}

/* ---- counted ---- */

static void
count_wake(void *context)
{
    atomic_int *wakes = context;

    atomic_fetch_add(wakes, 1);
}

static void
test_counts(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = load(f, 100);
    int64_t a = put_key(f, s, "a"), b = put_key(f, s, "b");
    struct lf_new_delivery mixed[] = {delivery_of(a, NOW_MS, 0), delivery_of(b, NOW_MS, 0), delivery_of(999, NOW_MS, 0),
                                      delivery_of(a, NOW_MS, 0)};
    atomic_int wakes;
    bool more = true;

    atomic_init(&wakes, 0);
    lf_subscriptions_set_waker(s, count_wake, &wakes);
    lf_subscriptions_committed(s, NULL, 0);
    assert_int_equal(atomic_load(&wakes), 0);
    OK(put_deliveries(f, mixed, 4));
    lf_subscriptions_committed(s, mixed, 4); /* one is of a subscription that is gone */
    assert_int_equal(atomic_load(&wakes), 1);
    assert_int_equal(VALUE(s, a, waiting), 2);
    assert_int_equal(VALUE(s, b, waiting), 1);

    note_one(f, s, a, 1, LF_DELIVERY_RETRYING);
    assert_int_equal(VALUE(s, a, waiting), 2);
    assert_int_equal(VALUE(s, a, failed_attempts), 1);
    assert_int_equal(VALUE(s, a, failing_since_ms), NOW_MS);
    note_one(f, s, a, 1, LF_DELIVERY_FAILED);
    assert_int_equal(VALUE(s, a, waiting), 1);
    assert_int_equal(VALUE(s, a, failed_attempts), 2);
    assert_int_equal(VALUE(s, a, given_up), 1);
    note_one(f, s, a, 1, LF_DELIVERY_FAILED); /* it does not wait any more */
    assert_int_equal(VALUE(s, a, waiting), 1);
    assert_int_equal(VALUE(s, a, given_up), 1);
    note_one(f, s, a, 4, LF_DELIVERY_DELIVERED);
    assert_int_equal(VALUE(s, a, waiting), 0);
    assert_int_equal(VALUE(s, a, delivered), 1);
    assert_int_equal(VALUE(s, a, delivered_at_ms), NOW_MS);
    assert_int_equal(VALUE(s, a, failing_since_ms), 0);
    note_one(f, s, a, 77, LF_DELIVERY_DELIVERED); /* of one that was swept */
    assert_int_equal(VALUE(s, a, waiting), 0);
    note_one(f, s, 999, 3, LF_DELIVERY_DELIVERED); /* of nobody's */

    assert_int_equal(atomic_load(&wakes), 1);
    OK(lf_subscriptions_retry(s, f->store, a, 4, NOW_MS, &f->error));
    assert_int_equal(atomic_load(&wakes), 2);
    assert_int_equal(VALUE(s, a, waiting), 1);
    OK(lf_subscriptions_retry(s, f->store, a, 4, NOW_MS, &f->error)); /* it waits already */
    assert_int_equal(VALUE(s, a, waiting), 1);
    FAILS(lf_subscriptions_retry(s, f->store, a, 77, NOW_MS, &f->error), LF_DELIVERY_NOT_FOUND);

    gather(f, s, a, 5);
    OK(lf_subscriptions_give_up(s, f->store, a, NOW_MS, "gone", 4, &more, &f->error));
    assert_true(more);
    assert_int_equal(VALUE(s, a, waiting), 2);
    OK(lf_subscriptions_give_up(s, f->store, a, NOW_MS, "gone", 4, &more, &f->error));
    assert_false(more);
    assert_int_equal(VALUE(s, a, waiting), 0);
    assert_int_equal(VALUE(s, a, given_up), 7);
    OK(lf_subscriptions_give_up(s, f->store, 999, NOW_MS, "gone", 4, &more, &f->error));
    assert_false(more);
    assert_int_equal(VALUE(s, b, waiting), 1);
    lf_subscriptions_set_waker(s, NULL, NULL);
    lf_subscriptions_wake(s);
    assert_int_equal(atomic_load(&wakes), 4); /* with the second retry, and what was gathered */
    lf_subscriptions_destroy(s);
}

/* ---- too much waits ---- */

static size_t
count_audit(struct fixture *f, const char *action)
{
    struct lf_audit_entry *entries = NULL;
    size_t count = 0, found = 0;

    OK(lf_store_audit(f->reader, f->arena, NULL, 0, SIZE_MAX, &entries, &count, &f->error));
    for (size_t i = 0; i < count; i++)
        found += strcmp(entries[i].action, action) == 0 && strcmp(entries[i].by, "leadfit") == 0 &&
                 strcmp(entries[i].key_id, "") == 0 && strcmp(entries[i].subject, "a") == 0;
    return found;
}

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = load(f, 1200);
    struct lf_stored_subscription other = subscription_of("b");
    struct lf_subscription *item = NULL;
    int64_t a = put_key(f, s, "a"), b = 0;

    other.events = 1;
    b = put(f, s, &other);
    gather(f, s, a, 1199);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
    gather(f, s, b, 1);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
    gather(f, s, a, 1);
    item = peek(f, s, a);
    assert_int_equal(atomic_load(&item->state), LF_SUBSCRIPTION_DISABLED);
    assert_false(lf_subscription_takes(item, LF_EVENT_SCORE_RECORDED, "x", "A"));
    assert_int_equal(lf_subscriptions_wanted(s), 1); /* what the other one wants */
    assert_int_equal(get_subscription(f, "a").state, LF_SUBSCRIPTION_DISABLED);
    assert_non_null(strstr(get_subscription(f, "a").reason, "1,200 events wait for it: "));
    assert_int_equal(count_audit(f, "subscription.disable"), 1);
    assert_int_equal(VALUE(s, b, state), LF_SUBSCRIPTION_ACTIVE);
    gather(f, s, a, 1); /* one that was on its way */
    assert_int_equal(count_audit(f, "subscription.disable"), 1);

    /* Put again it may gather a little more, until what waits is delivered. */
    assert_int_equal(put_key(f, s, "a"), a);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(VALUE(s, a, waiting), 1201);
    assert_int_equal(lf_subscriptions_wanted(s), 15);
    gather(f, s, a, 120);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
    gather(f, s, a, 1);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_DISABLED);
    assert_int_equal(count_audit(f, "subscription.disable"), 2);
    lf_subscriptions_destroy(s);
}

/* A crash before it was committed: the next start finds it as full as it was. And one that is paused fills up as well.
 */
static void
test_full_at_start(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = NULL;
    struct lf_change change = by_ops(NOW_MS);
    int64_t a = put_subscription(f, "a");

    put_many(f, a, 10, NOW_MS);
    OK(lf_store_stop_subscription(f->store, a, LF_SUBSCRIPTION_PAUSED, "it fails", &change, &f->error));
    s = load(f, 10);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_PAUSED);
    gather(f, s, a, 2);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_DISABLED);
    assert_non_null(strstr(get_subscription(f, "a").reason, "12 events wait"));
    lf_subscriptions_destroy(s);
}

/* What an erasure took counts no more, though nobody said so. */
static void
test_full_but_erased(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = load(f, 10);
    int64_t a = put_key(f, s, "a");
    struct lf_ulid score = {{1}};

    gather(f, s, a, 9);
    OK(erase_deliveries(f, score));
    assert_int_equal(VALUE(s, a, waiting), 9);
    gather(f, s, a, 1);
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(VALUE(s, a, waiting), 1);
    assert_int_equal(count_audit(f, "subscription.disable"), 0);
    lf_subscriptions_destroy(s);
}

/* What cannot be committed is not so: it is tried again, and until then more is gathered. */
static void
test_full_but_the_disk_fails(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = load(f, 10);
    int64_t a = put_key(f, s, "a");
    struct lf_new_delivery one = delivery_of(a, NOW_MS, 1);

    gather(f, s, a, 9);
    OK(put_deliveries(f, &one, 1));
    lf_subscriptions_committed(s, &one, 1);
    OK(lf_sqlite_exec(writer_of(f), "PRAGMA query_only = ON", &f->error));
    for (int i = 0; i < 2; i++) {
        FAILS(lf_subscriptions_tend(s, f->store, &f->error), LF_STORAGE_FAILED);
        assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
        assert_int_equal(VALUE(s, a, waiting), 10);
        assert_int_equal(lf_subscriptions_wanted(s), 15);
    }
    OK(lf_sqlite_exec(writer_of(f), "PRAGMA query_only = OFF", &f->error));
    OK(lf_subscriptions_tend(s, f->store, &f->error));
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_DISABLED);
    assert_int_equal(count_audit(f, "subscription.disable"), 1);
    lf_subscriptions_destroy(s);
}

/* ---- stopped, put and removed ---- */

static void
test_stop(void **state)
{
    struct fixture *f = *state;
    struct lf_recorder_options options = {.queue = 10, .batch = 10};
    struct lf_subscriptions *s = load(f, 100);
    struct lf_subscription **items = NULL;
    struct lf_recorder *recorder = NULL;
    int64_t a = put_key(f, s, "a");
    size_t count = 0;

    OK(lf_recorder_start(f->store, &options, &recorder, &f->error));
    assert_true(lf_subscriptions_hold(s, f->arena, &items, &count));
    OK(lf_subscriptions_stop(s, recorder, items[0], LF_SUBSCRIPTION_PAUSED, "three days", &f->error));
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_PAUSED);
    assert_int_equal(lf_subscriptions_wanted(s), 15);
    assert_string_equal(get_subscription(f, "a").reason, "three days");
    OK(lf_subscriptions_stop(s, recorder, items[0], LF_SUBSCRIPTION_PAUSED, "again", &f->error)); /* it is already */
    assert_string_equal(get_subscription(f, "a").reason, "three days");
    OK(lf_subscriptions_stop(s, recorder, items[0], LF_SUBSCRIPTION_DISABLED, "410", &f->error));
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_DISABLED);
    assert_int_equal(lf_subscriptions_wanted(s), 0);
    OK(lf_subscriptions_stop(s, recorder, items[0], LF_SUBSCRIPTION_PAUSED, "late",
                             &f->error)); /* it is more than that */
    assert_int_equal(get_subscription(f, "a").state, LF_SUBSCRIPTION_DISABLED);
    assert_string_equal(get_subscription(f, "a").reason, "410");
    assert_int_equal(count_audit(f, "subscription.pause"), 1);
    assert_int_equal(count_audit(f, "subscription.disable"), 1);

    /* What failed was the one of before. */
    lf_recorder_stop(recorder);
    assert_int_equal(put_key(f, s, "a"), a);
    OK(lf_recorder_start(f->store, &options, &recorder, &f->error));
    OK(lf_subscriptions_stop(s, recorder, items[0], LF_SUBSCRIPTION_DISABLED, "the old target", &f->error));
    assert_int_equal(VALUE(s, a, state), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(get_subscription(f, "a").state, LF_SUBSCRIPTION_ACTIVE);
    lf_recorder_stop(recorder);
    lf_subscriptions_release(s, items, count);
    lf_subscriptions_destroy(s);
}

/* Who holds one keeps it as it was. */
static void
test_put_and_remove(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = load(f, 100);
    struct lf_stored_subscription changed = subscription_of("b");
    struct lf_subscription **items = NULL;
    atomic_int wakes;
    int64_t b = put_key(f, s, "b");
    size_t count = 0;

    atomic_init(&wakes, 0);
    lf_subscriptions_set_waker(s, count_wake, &wakes);
    (void)put_key(f, s, "a");
    (void)put_key(f, s, "c");
    assert_int_equal(atomic_load(&wakes), 2);
    gather(f, s, b, 2);
    note_one(f, s, b, 1, LF_DELIVERY_DELIVERED);
    note_one(f, s, b, 2, LF_DELIVERY_RETRYING);
    assert_true(lf_subscriptions_hold(s, f->arena, &items, &count));
    assert_int_equal(count, 3);
    changed.url = "https://other.example/";
    changed.events = 4;
    assert_int_equal(put(f, s, &changed), b);
    assert_string_equal(items[1]->url, "https://crm.example/hook");
    assert_int_equal(items[1]->events, 15);
    assert_string_equal(peek(f, s, b)->url, "https://other.example/");
    assert_int_equal(VALUE(s, b, waiting), 1); /* the counts go on */
    assert_int_equal(VALUE(s, b, delivered), 1);
    assert_int_equal(VALUE(s, b, failed_attempts), 1);
    assert_int_equal(VALUE(s, b, delivered_at_ms), NOW_MS);
    assert_int_equal(VALUE(s, b, failing_since_ms), 0);
    lf_subscriptions_remove(s, "a");
    lf_subscriptions_remove(s, "a");
    lf_subscriptions_remove(s, "nobody");
    assert_int_equal(atomic_load(&wakes), 5);
    assert_string_equal(items[0]->key, "a");
    assert_int_equal(lf_subscriptions_id(s, "a"), 0);
    assert_int_equal(lf_subscriptions_id(s, "b"), b);
    assert_int_equal(lf_subscriptions_wanted(s), 15);
    lf_subscriptions_remove(s, "c");
    assert_int_equal(lf_subscriptions_wanted(s), 4);
    lf_subscriptions_release(s, items, count);
    lf_subscriptions_set_waker(s, NULL, NULL);
    lf_subscriptions_destroy(s);
}

/* ---- many threads ---- */

enum { LOOKERS = 4, ROUNDS = 150 };

struct crowd {
    struct lf_subscriptions *subscriptions;
    atomic_bool stop;
    atomic_long looks, wakes;
};

static void *
look_on(void *argument)
{
    struct crowd *crowd = argument;
    struct lf_arena *arena = lf_arena_create(4096, 1 << 20);

    assert_non_null(arena);
    while (!atomic_load(&crowd->stop)) {
        struct lf_subscription **items = NULL;
        size_t count = 0;
        uint32_t wanted = lf_subscriptions_wanted(crowd->subscriptions);

        assert_true(wanted <= 15);
        assert_true(lf_subscriptions_hold(crowd->subscriptions, arena, &items, &count));
        for (size_t i = 0; i < count; i++) {
            (void)lf_subscription_takes(items[i], LF_EVENT_SCORE_RECORDED, "x", "A");
            assert_true(i == 0 || strcmp(items[i - 1]->key, items[i]->key) < 0);
            assert_int_equal(items[i]->secret_len, 32);
            assert_int_equal(*(const char *)items[i]->secret, '0');
            assert_true(atomic_load(&items[i]->waiting) >= 0);
        }
        (void)lf_subscriptions_id(crowd->subscriptions, "s3");
        lf_subscriptions_wake(crowd->subscriptions);
        lf_subscriptions_release(crowd->subscriptions, items, count);
        lf_arena_reset(arena);
        atomic_fetch_add(&crowd->looks, 1);
    }
    lf_arena_destroy(arena);
    return NULL;
}

static void
crowd_wake(void *context)
{
    struct crowd *crowd = context;

    atomic_fetch_add(&crowd->wakes, 1);
}

/* This thread is the recorder's. */
static void
test_crowd(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd = {.subscriptions = load(f, 6)};
    struct lf_change change = by_ops(NOW_MS);
    pthread_t threads[LOOKERS];

    atomic_init(&crowd.stop, false);
    for (int i = 0; i < LOOKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_on, &crowd), 0);
    for (int round = 0; round < ROUNDS; round++) {
        const char *key = lf_arena_printf(f->arena, "s%d", round % 7);
        int64_t id = put_key(f, crowd.subscriptions, key);

        lf_subscriptions_set_waker(crowd.subscriptions, round % 3 == 0 ? NULL : crowd_wake, &crowd);
        gather(f, crowd.subscriptions, id, 2); /* some become full */
        if (round % 4 == 0) {
            OK(lf_store_delete_subscription(f->store, key, &change, &f->error));
            lf_subscriptions_remove(crowd.subscriptions, key);
        }
    }
    while (atomic_load(&crowd.looks) < LOOKERS)
        (void)sched_yield();
    atomic_store(&crowd.stop, true);
    for (int i = 0; i < LOOKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(atomic_load(&crowd.wakes) > 0);
    lf_subscriptions_destroy(crowd.subscriptions);
}

/* ---- each allocation fails in turn ---- */

static void
test_allocations(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = NULL;
    struct lf_stored_subscription stored = subscription_of("b");
    bool failed = true;
    int64_t a = put_subscription(f, "a");
    long n = 0;

    stored.grades = "[\"A\",\"B\"]";
    put_many(f, a, 2, NOW_MS);
    for (n = 0; failed; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_subscriptions_load(f->reader, 100, &s, &f->error);
        failed = disarm();
        assert_int_equal(status, failed ? LF_OUT_OF_MEMORY : LF_OK);
    }
    assert_true(n > 5);
    for (n = 0, failed = true; failed; n++) {
        struct lf_subscription *prepared = NULL;
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_subscriptions_prepare(&stored, &prepared, &f->error);
        failed = disarm();
        assert_int_equal(status, failed ? LF_OUT_OF_MEMORY : LF_OK);
        lf_subscriptions_drop(prepared);
    }
    assert_true(n > 5);
    for (n = 0, failed = true; failed; n++) {
        struct lf_subscription **items = NULL;
        size_t count = 0;
        bool held = false;

        arm(n);
        held = lf_subscriptions_hold(s, f->arena, &items, &count);
        failed = disarm();
        assert_int_equal(held, !failed);
        if (held)
            lf_subscriptions_release(s, items, count);
    }
    for (n = 0, failed = true; failed; n++) {
        struct lf_attempt attempt = attempt_of(a, 1, LF_DELIVERY_DELIVERED);
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_subscriptions_note(s, f->store, &attempt, 1, &f->error);
        failed = disarm();
        assert_int_equal(status, failed ? LF_OUT_OF_MEMORY : LF_OK);
        assert_int_equal(VALUE(s, a, waiting), failed ? 2 : 1);
    }
    lf_subscriptions_destroy(s);
}

/* It becomes full while there is no memory: nothing has changed then, and it is done in the end. */
static void
test_allocations_of_full(void **state)
{
    struct fixture *f = *state;
    struct lf_subscriptions *s = load(f, 5);
    int64_t a = put_key(f, s, "a");
    struct lf_new_delivery one = delivery_of(a, NOW_MS, 1);
    bool failed = true;

    gather(f, s, a, 4);
    OK(put_deliveries(f, &one, 1));
    lf_subscriptions_committed(s, &one, 1);
    for (long n = 0; failed; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_subscriptions_tend(s, f->store, &f->error);
        failed = disarm();
        assert_int_equal(status, failed ? LF_OUT_OF_MEMORY : LF_OK);
        assert_int_equal(VALUE(s, a, state), failed ? LF_SUBSCRIPTION_ACTIVE : LF_SUBSCRIPTION_DISABLED);
        assert_int_equal(get_subscription(f, "a").state, failed ? LF_SUBSCRIPTION_ACTIVE : LF_SUBSCRIPTION_DISABLED);
    }
    lf_subscriptions_destroy(s);
}

static int
silence(void **state)
{
    (void)state;
    lf_json_setup();
    lf_log_set_level(LF_LOG_ERROR);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook_id),
        cmocka_unit_test(test_webhook_id_strict),
        cmocka_unit_test(test_takes),
        STORE_TEST(test_load),
        STORE_TEST(test_load_damaged),
        STORE_TEST(test_counts),
        STORE_TEST(test_full),
        STORE_TEST(test_full_at_start),
        STORE_TEST(test_full_but_erased),
        STORE_TEST(test_full_but_the_disk_fails),
        STORE_TEST(test_stop),
        STORE_TEST(test_put_and_remove),
        STORE_TEST(test_crowd),
        STORE_TEST(test_allocations),
        STORE_TEST(test_allocations_of_full),
    };

    return cmocka_run_group_tests(tests, silence, NULL);
}
