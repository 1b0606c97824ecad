/*
 * test_courier_life.c - the courier over time: targets that go or fail for good, subscriptions that change, a storage
 * that refuses, a clock that jumps, starts and stops.
 */
#include "courier_fixture.h"

static const int64_t LATER[] = {600000, 600000, 600000};

/* ---- targets that are gone, or fail for good ---- */

static void
test_gone(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/410"), other = put(&o, "other", "/ok");
    struct lf_stored_subscription stored;
    size_t posted = 0;

    o.options.each = 2;
    tell(&o, crm, 1, 10, 120, 0);
    tell(&o, other, 1, 1, 10, 0);
    start_courier(&o);
    await_subscription(&o, crm, LF_SUBSCRIPTION_DISABLED);
    await_state(&o, crm, LF_DELIVERY_FAILED, 1200);
    await_state(&o, other, LF_DELIVERY_DELIVERED, 10);
    posted = received("/status");
    assert_in_range(posted, 1, 2); /* those that were out */
    assert_in_range(atomic_load(&gate.slices), 3, 4);
    stored = stored_subscription(&o, crm);
    assert_int_equal(stored.state, LF_SUBSCRIPTION_DISABLED);
    assert_string_equal(stored.reason, "the target said 410 Gone");
    assert_int_equal(counts_of(&o, crm).waiting, 0);
    assert_int_equal(counts_of(&o, crm).given_up, 1200);

    assert_int_equal(put(&o, "crm", "/ok/again"), crm); /* what failed stays so, what is new goes */
    tell(&o, crm, 1, 1, 3, 0);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 3);
    assert_int_equal(received("/ok/again"), 3);
    assert_int_equal(received("/status"), posted);
    close_office(&o);
}

static struct putting put_between;

static void
put_after_the_first_slice(void)
{
    struct lf_error error;

    if (atomic_load(&gate.slices) == 1)
        assert_int_equal(put_task(put_between.office->f->store, &put_between, &error), LF_OK);
}

/* Put again while what waits is given up: what still waits then is the new one's. */
static void
test_gone_and_put_again_at_once(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/410");

    prepare_put(&o, "crm", "/ok", &put_between);
    gate.sliced = put_after_the_first_slice;
    o.options.each = 1;
    tell(&o, crm, 0, 1, 1200, 0);
    start_courier(&o);
    await_received("/ok", 1200 - 501);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 1200 - 501);
    assert_int_equal(count_in(&o, crm, LF_DELIVERY_FAILED), 501);
    assert_int_equal(state_of(&o, crm), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(atomic_load(&gate.slices), 1);
    close_office(&o);
}

/* While it cannot be disabled nothing is sent there all the same. */
static void
test_gone_while_the_storage_refuses(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/410");

    atomic_store(&gate.stop_answer, LF_STORAGE_FULL);
    o.options.each = 1;
    tell(&o, crm, 1, 1, 20, 0);
    start_courier(&o);
    await_received("/status", 1);
    await_state(&o, crm, LF_DELIVERY_FAILED, 1);
    pause_ms(100);
    assert_int_equal(state_of(&o, crm), LF_SUBSCRIPTION_ACTIVE);
    atomic_store(&gate.stop_answer, LF_OK);
    await_subscription(&o, crm, LF_SUBSCRIPTION_DISABLED);
    await_state(&o, crm, LF_DELIVERY_FAILED, 20);
    assert_int_equal(received("/status"), 1);
    close_office(&o);
}

/* The answer of an address that was replaced meanwhile says nothing of the new one. */
static void
test_gone_from_where_it_was(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hold");

    start_courier(&o);
    tell(&o, crm, 1, 3, 1, 0);
    await_received("/hold", 3);
    assert_int_equal(put(&o, "crm", "/ok"), crm);
    tell(&o, crm, 9, 1, 1, 0);
    await_received("/ok", 1); /* the new one is in use */
    receiver_let_go(410);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 4); /* retried there */
    assert_int_equal(state_of(&o, crm), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(received("/ok"), 4);
    close_office(&o);
}

static void
test_paused(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/500");
    struct lf_stored_subscription stored;
    size_t sent = 0;

    o.options.pause_after_ms = 400;
    o.options.schedule_count = 9;
    start_courier(&o);
    for (int i = 0; state_of(&o, crm) == LF_SUBSCRIPTION_ACTIVE; i++) {
        assert_true(i < PATIENCE_MS);
        tell(&o, crm, 1, 1, 1, i);
        pause_ms(5);
    }
    await_subscription(&o, crm, LF_SUBSCRIPTION_PAUSED);
    stored = stored_subscription(&o, crm);
    assert_int_equal(stored.state, LF_SUBSCRIPTION_PAUSED);
    assert_int_equal(strncmp(stored.reason, "nothing but failures since 20", 29), 0);
    assert_non_null(strstr(stored.reason, "Z; the last one: HTTP status 500"));
    tell(&o, crm, 1, 1, 5, 1000); /* is gathered, and not sent */
    pause_ms(100);
    sent = received("/status");
    pause_ms(100);
    assert_int_equal(received("/status"), sent);
    assert_true(counts_of(&o, crm).waiting >= 5);

    (void)put(&o, "crm", "/ok");
    for (int waited = 0; counts_of(&o, crm).waiting > 0; waited++) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(1);
    }
    assert_true(received("/ok") >= 5);
    assert_int_equal(count_in(&o, crm, LF_DELIVERY_PENDING) + count_in(&o, crm, LF_DELIVERY_RETRYING), 0);
    close_office(&o);
}

/* One success in between, and it goes on. So it does when the clock has jumped ahead by days: it must have failed for a
 * while before our eyes. */
static void
test_not_paused(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/flaky/1"), down = put(&o, "down", "/status/500");

    o.options.pause_after_ms = 2 * 86400000;
    o.options.schedule_ms = LATER;
    o.options.schedule_count = 3;
    start_courier(&o);
    tell(&o, down, 1, 1, 1, 0);
    await_state(&o, down, LF_DELIVERY_RETRYING, 1);
    tell(&o, crm, 1, 1, 1, 0);
    await_state(&o, crm, LF_DELIVERY_RETRYING, 1);
    atomic_store(&jump_ms, 5 * INT64_C(86400000));
    tell(&o, down, 1, 1, 1, 1);
    await_received("/status", 3); /* the new one, and the one that is due by now */
    tell(&o, crm, 1, 1, 1, 1);
    await_received("/flaky", 3);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 1);
    await_state(&o, down, LF_DELIVERY_RETRYING, 2);
    assert_int_equal(state_of(&o, down), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(state_of(&o, crm), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(counts_of(&o, crm).failing_since_ms != 0, count_in(&o, crm, LF_DELIVERY_RETRYING) != 0);
    close_office(&o);
}

/* ---- subscriptions that change ---- */

static void
test_put_anew(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hang");

    o.options.each = 3;
    start_courier(&o);
    tell(&o, crm, 1, 10, 1, 0);
    await_received("/hang", 3);
    (void)put(&o, "crm", "/ok");
    tell(&o, crm, 20, 1, 1, 0);
    pause_ms(20);
    assert_int_equal(received("/ok"), 0); /* three are out: they are not forgotten */
    assert_int_equal(received("/hang"), 3);
    close_office(&o);
}

static void
test_deleted(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hold"), other = put(&o, "other", "/ok");

    start_courier(&o);
    tell(&o, crm, 1, 20, 5, 0);
    await_received("/hold", 8);
    delete_subscription(&o, "crm");
    tell(&o, other, 1, 1, 1, 0);
    await_state(&o, other, LF_DELIVERY_DELIVERED, 1);
    receiver_let_go(500);
    await_state(&o, crm, LF_DELIVERY_RETRYING, 8); /* the rows are left over, and swept by others */
    assert_int_not_equal(put(&o, "crm", "/ok/new"), crm);
    tell(&o, other, 1, 1, 1, 0);
    await_state(&o, other, LF_DELIVERY_DELIVERED, 2);
    assert_int_equal(received("/hold"), 8);
    assert_int_equal(received("/ok/new"), 0);
    close_office(&o);
}

/* What is erased while it waits in memory is not sent, nor what was given up. */
static void
test_erased(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hold");

    o.options.each = 2;
    start_courier(&o);
    tell(&o, crm, 1, 20, 1, 0);
    await_received("/hold", 2);
    run_sql(o.f->path, "UPDATE delivery SET state = 4, data = '' WHERE id > 2 AND id <= 10");
    run_sql(o.f->path, "UPDATE delivery SET state = 3 WHERE id = 11");
    run_sql(o.f->path, "DELETE FROM delivery WHERE id = 12");
    receiver_let_go(200);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 10);
    assert_int_equal(received("/hold"), 10);
    assert_int_equal(count_in(&o, crm, LF_DELIVERY_ERASED), 8);
    close_office(&o);
}

/* Many subscriptions, each with its own few posts. */
static void
test_many(void **state)
{
    enum { MANY = LF_SUBSCRIPTIONS_MAX };
    struct post_office o = open_office(state);
    int64_t ids[MANY];

    o.options.each = 2;
    for (int i = 0; i < MANY; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "s%02d", i);
        ids[i] = put(&o, key, i % 10 == 9 ? "/hang" : "/ok");
    }
    start_courier(&o);
    for (int i = 0; i < MANY; i++)
        tell(&o, ids[i], 1, 5, 4, 0);
    for (int i = 0; i < MANY; i++) {
        if (i % 10 != 9)
            await_state(&o, ids[i], LF_DELIVERY_DELIVERED, 20);
    }
    await_received("/hang", 20);
    assert_int_equal(received("/ok"), 90 * 20);
    assert_int_equal(received("/hang"), 20);
    close_office(&o);
}

/* ---- a storage that refuses ---- */

/* What has ended is kept and noted later, once: nothing is sent twice for that, and of what is kept there is an end. */
static void
test_notes_refused(void **state)
{
    static const enum lf_status REFUSALS[] = {LF_STORAGE_FULL, LF_BUSY, LF_NOT_READY, LF_OUT_OF_MEMORY};
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/ok");
    size_t told = 0;

    start_courier(&o);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof REFUSALS[0]; i++) {
        int tried = atomic_load(&gate.notes);

        atomic_store(&gate.note_answer, REFUSALS[i]);
        tell(&o, crm, 0, 1, 300, 0);
        await_received("/ok", told + 64);
        for (int waited = 0; atomic_load(&gate.notes) < tried + 2; waited++) {
            assert_true(waited < PATIENCE_MS);
            pause_ms(1);
        }
        assert_in_range(received("/ok") - told, 64, 64 + 8); /* what may wait, and what was out */
        assert_int_equal(count_in(&o, crm, LF_DELIVERY_DELIVERED), told);
        atomic_store(&gate.note_answer, LF_OK);
        told += 300;
        await_state(&o, crm, LF_DELIVERY_DELIVERED, told);
        assert_int_equal(received("/ok"), told);
    }
    assert_int_equal(atomic_load(&gate.noted), told);
    close_office(&o);
}

static void
test_reading_refused(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/ok");

    atomic_store(&gate.read_answer, LF_OUT_OF_MEMORY);
    start_courier(&o);
    tell(&o, crm, 1, 1, 5, 0);
    for (int waited = 0; atomic_load(&gate.reads) < 3; waited++) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(1);
    }
    assert_int_equal(received(""), 0);
    atomic_store(&gate.read_answer, LF_OK);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 5);
    close_office(&o);
}

/* Many attempts go into one commit. */
static void
test_notes_are_gathered(void **state)
{
    struct post_office o = open_office(state);
    int64_t ids[10];
    size_t commits = 0;

    for (int i = 0; i < 10; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "s%d", i);
        ids[i] = put(&o, key, "/ok");
        tell(&o, ids[i], 0, 1, 100, 0);
    }
    start_courier(&o);
    for (int i = 0; i < 10; i++)
        await_state(&o, ids[i], LF_DELIVERY_DELIVERED, 100);
    commits = (size_t)atomic_load(&gate.notes);
    assert_true(commits < 500);
    assert_in_range(atomic_load(&gate.largest), 10, 512);
    assert_int_equal(received(""), 1000);
    close_office(&o);
}

/* ---- starts and stops ---- */

/* Stopped again and again in the middle of it: everything arrives, and what was noted arrives once. */
static void
test_restarts(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/flaky/1");
    size_t requests = 0, count = 0;
    struct lf_stored_delivery *items = NULL;

    o.options.each = 3;
    tell(&o, crm, 1, 7, 40, 0);
    for (size_t i = 1; i <= 8; i++) {
        start_courier(&o);
        await_received("/flaky", 40 * i);
        stop_courier(&o);
    }
    start_courier(&o);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 280);
    requests = received("/flaky");
    assert_in_range(requests, 560, 560 + 8 * 3); /* what was out at a stop comes again */
    items = deliveries_of(&o, crm, &count);
    for (size_t i = 0; i < count; i++) {
        char id[LF_WEBHOOK_ID_MAX];
        size_t times = 0;

        lf_webhook_id_put(items[i].id, items[i].at_ms, id);
        for (size_t k = 0; k < requests; k++)
            times += strcmp(request_on("/flaky", k).id, id) == 0;
        assert_true(times >= attempts_of(&o, &items[i])); /* what is noted was sent */
        assert_true(times >= 2);
    }
    close_office(&o);
}

/* What is out when it stops is cut and not noted, what has ended is. */
static void
test_stop(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hold"), other = put(&o, "other", "/ok");

    start_courier(&o);
    tell(&o, crm, 1, 8, 1, 0);
    await_received("/hold", 8);
    atomic_store(&gate.note_answer, LF_BUSY);
    tell(&o, other, 1, 8, 1, 0);
    await_received("/ok", 8);
    for (int waited = 0; atomic_load(&gate.notes) < 2; waited++) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(1);
    }
    atomic_store(&gate.note_answer, LF_OK);
    stop_courier(&o);
    assert_int_equal(count_in(&o, crm, LF_DELIVERY_PENDING), 8);
    assert_in_range(count_in(&o, other, LF_DELIVERY_DELIVERED), 1, 8);
    receiver_let_go(200);
    start_courier(&o);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 8);
    assert_int_equal(received("/hold"), 16);
    close_office(&o);
}

static void
test_stop_at_once(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/ok");

    tell(&o, crm, 1, 5, 5, 0);
    for (int i = 0; i < 50; i++) {
        start_courier(&o);
        lf_subscriptions_wake(o.subscriptions);
        stop_courier(&o);
        lf_subscriptions_wake(o.subscriptions); /* nobody is there */
    }
    lf_courier_stop(NULL);
    close_office(&o);
}

static void
test_does_not_start(void **state)
{
    struct post_office o = open_office(state);
    struct fixture *f = o.f;

    o.options.poster.ca_file = "/nowhere/ca.pem";
    FAILS(lf_courier_start(f->store, o.recorder, o.subscriptions, &o.options, &o.courier, &f->error), LF_CONFIG);
    assert_non_null(strstr(f->error.detail, "ca_file"));
    assert_null(o.courier);
    close_office(&o);
}

/* ---- a clock that jumps ---- */

/* Ahead: what is due by then comes, once each. */
static void
test_clock_ahead(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/flaky/1");

    o.options.schedule_ms = LATER;
    o.options.schedule_count = 3;
    start_courier(&o);
    tell(&o, crm, 1, 10, 20, 0);
    await_state(&o, crm, LF_DELIVERY_RETRYING, 200);
    assert_int_equal(received("/flaky"), 200);
    atomic_store(&jump_ms, INT64_C(40) * 86400000);
    for (int i = 0; i < 5; i++)
        lf_subscriptions_wake(o.subscriptions);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 200);
    pause_ms(50);
    assert_int_equal(received("/flaky"), 400);
    close_office(&o);
}

/* Back by a year: what was to come in minutes does not wait for a year. */
static void
test_clock_back(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/flaky/1"), soon = put(&o, "soon", "/flaky/1");

    o.options.schedule_ms = LATER;
    o.options.schedule_count = 3;
    atomic_store(&jump_ms, INT64_C(365) * 86400000);
    start_courier(&o);
    tell(&o, crm, 1, 10, 10, 0);
    await_state(&o, crm, LF_DELIVERY_RETRYING, 100);
    atomic_store(&jump_ms, 0);
    lf_subscriptions_wake(o.subscriptions); /* or within a minute */
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 100);
    tell(&o, soon, 1, 1, 1, 0); /* its retry is due in minutes: that is no other clock's */
    await_state(&o, soon, LF_DELIVERY_RETRYING, 1);
    lf_subscriptions_wake(o.subscriptions);
    pause_ms(100);
    assert_int_equal(count_in(&o, soon, LF_DELIVERY_RETRYING), 1);
    assert_int_equal(received("/flaky"), 201);
    close_office(&o);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_gone),
        TEST(test_gone_and_put_again_at_once),
        TEST(test_gone_while_the_storage_refuses),
        TEST(test_gone_from_where_it_was),
        TEST(test_paused),
        TEST(test_not_paused),
        TEST(test_put_anew),
        TEST(test_deleted),
        TEST(test_erased),
        TEST(test_many),
        TEST(test_notes_refused),
        TEST(test_reading_refused),
        TEST(test_notes_are_gathered),
        TEST(test_restarts),
        TEST(test_stop),
        TEST(test_stop_at_once),
        TEST(test_does_not_start),
        TEST(test_clock_ahead),
        TEST(test_clock_back),
    };

    lf_json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
