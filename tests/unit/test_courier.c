/* test_courier.c - events on their way: in order where that counts, side by side where it does not, until they arrive.
 */
#include "courier_fixture.h"

/* ---- order ---- */

/* A delivery arrives as Standard Webhooks has it. (The signature is held against another implementation by
 * test_api_events.py.) */
static void
test_one(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/ok/one?token=x");
    struct request request;
    size_t count = 0;
    int64_t at_ms = 0;

    start_courier(&o);
    tell(&o, crm, 7, 1, 1, 3);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 1);
    request = request_on("/ok", 0);
    assert_string_equal(request.path, "/ok/one?token=x");
    assert_int_equal(lf_webhook_id_read(request.id, &at_ms), 1);
    assert_int_equal(at_ms, 1780000000000);
    assert_in_range(request.timestamp, lf_time_now_ms() / 1000 - 60, lf_time_now_ms() / 1000);
    assert_string_equal(request.body,
                        "{\"type\":\"score.recorded\",\"timestamp\":\"2026-05-28T20:26:40.000Z\",\"sequence\":1,"
                        "\"data\":{\"lane\":7,\"n\":3}}");
    assert_int_equal(strncmp(request.signature, "v1,", 3), 0);
    assert_int_equal(strlen(request.signature), 3 + 44);
    assert_int_equal(attempts_of(&o, deliveries_of(&o, crm, &count)), 1);
    assert_int_equal(received(""), 1);
    assert_int_equal(counts_of(&o, crm).waiting, 0);
    assert_int_equal(counts_of(&o, crm).delivered, 1);
    close_office(&o);
}

/* While an event of a lead is out, the next one of it is not, and those of other leads are. */
static void
test_lanes(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hold");
    int64_t last[4] = {0};

    start_courier(&o);
    tell(&o, crm, 1, 3, 40, 0);
    await_received("/hold", 3);
    tell(&o, crm, 0, 1, 4, 0);
    await_received("/hold", 7); /* one of each lead, all that are of none */
    pause_ms(50);
    assert_int_equal(received("/hold"), 7);
    receiver_let_go(200);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 124);
    assert_int_equal(received("/hold"), 124);
    for (size_t i = 0; i < 124; i++) {
        struct request request = request_on("/hold", i);
        int64_t lane = number_in(&request, "\"lane\":"), n = number_in(&request, "\"n\":");

        assert_in_range(lane, 0, 3);
        if (lane > 0)
            assert_int_equal(n, last[lane]++);
    }
    close_office(&o);
}

/* A lead whose event fails is not held up: its next event goes, the one that failed comes again beside it. */
static void
test_a_retry_holds_nothing_back(void **state)
{
    static const int64_t LATER[] = {600000};
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/500");

    o.options.schedule_ms = LATER;
    o.options.schedule_count = 1;
    start_courier(&o);
    tell(&o, crm, 1, 1, 20, 0);
    await_state(&o, crm, LF_DELIVERY_RETRYING, 20);
    for (size_t i = 0; i < 20; i++) {
        struct request request = request_on("/status", i);

        assert_int_equal(number_in(&request, "\"n\":"), i);
    }
    assert_int_equal(received("/status"), 20);
    assert_int_equal(counts_of(&o, crm).waiting, 20);
    assert_int_equal(counts_of(&o, crm).failed_attempts, 20);
    close_office(&o);
}

/* Nor does a retry that is out. */
static void
test_a_retry_that_hangs(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/stuck");

    start_courier(&o);
    for (size_t i = 0; i < 4; i++) {
        tell(&o, crm, 1, 1, 1, (int)i);
        await_received("/stuck", 2 * i + 2);
    }
    receiver_let_go(200);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 4);
    assert_int_equal(received("/stuck"), 8);
    close_office(&o);
}

/* No more than `each` are out, and what does not come back holds up nobody else. */
static void
test_one_that_hangs(void **state)
{
    struct post_office o = open_office(state);
    int64_t slow = put(&o, "a-slow-one", "/hang"), fast = put(&o, "fast", "/ok"), other = put(&o, "other", "/ok");

    o.options.each = 5;
    start_courier(&o);
    tell(&o, slow, 0, 1, 300, 0);
    await_received("/hang", 5);
    for (int i = 0; i < 5; i++) {
        tell(&o, fast, 1, 10, 20, i * 20);
        tell(&o, other, 0, 1, 200, i * 200);
    }
    await_state(&o, fast, LF_DELIVERY_DELIVERED, 1000);
    await_state(&o, other, LF_DELIVERY_DELIVERED, 1000);
    assert_int_equal(received("/hang"), 5);
    assert_int_equal(received("/ok"), 2000);
    assert_int_equal(count_in(&o, slow, LF_DELIVERY_PENDING), 300);
    stop_courier(&o); /* does not wait for what hangs */
    assert_int_equal(count_in(&o, slow, LF_DELIVERY_PENDING), 300);
    close_office(&o);
}

/* The window is bounded: a lead that fills it holds up what is behind, but only until it has moved on. */
static void
test_a_lead_that_fills_the_window(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/hold");
    size_t behind = 0;

    tell(&o, crm, 1, 1, 600, 0);
    tell(&o, crm, 2, 1, 1, 9999);
    start_courier(&o);
    await_received("/hold", 1);
    pause_ms(50);
    assert_int_equal(received("/hold"), 1);
    receiver_let_go(200);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 601);
    while (behind < 601) {
        struct request request = request_on("/hold", behind);

        if (number_in(&request, "\"n\":") == 9999)
            break;
        behind++;
    }
    assert_in_range(behind, 80, 220); /* 601 less the window of 512, and what was read with a slice */
    close_office(&o);
}

/* ---- again and again ---- */

/* The same id and body, another timestamp and signature. */
static void
test_retries(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/flaky/3");
    struct lf_stored_delivery *items = NULL;
    size_t count = 0;

    start_courier(&o);
    tell(&o, crm, 1, 3, 10, 0);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 30);
    assert_int_equal(received("/flaky"), 120);
    items = deliveries_of(&o, crm, &count);
    for (size_t i = 0; i < count; i++) {
        char id[LF_WEBHOOK_ID_MAX];
        struct request first = {.timestamp = 0};
        int times = 0;

        lf_webhook_id_put(items[i].id, items[i].at_ms, id);
        for (size_t k = 0; k < 120; k++) {
            struct request request = request_on("/flaky", k);

            if (strcmp(request.id, id) != 0)
                continue;
            if (times++ == 0)
                first = request;
            assert_string_equal(request.body, first.body);
            assert_true(request.timestamp >= first.timestamp);
            assert_int_equal(strcmp(request.signature, first.signature) == 0, request.timestamp == first.timestamp);
        }
        assert_int_equal(times, 4);
        assert_int_equal(attempts_of(&o, &items[i]), 4);
    }
    assert_int_equal(counts_of(&o, crm).waiting, 0);
    assert_int_equal(counts_of(&o, crm).failing_since_ms, 0);
    close_office(&o);
}

/* Retries and first attempts take turns: neither starves the other. */
static void
test_turns(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/flaky/1");
    size_t last_first = 0, first_again = 0;

    o.options.each = 1;
    start_courier(&o);
    tell(&o, crm, 0, 1, 300, 0);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 300);
    assert_int_equal(received("/flaky"), 600);
    for (size_t i = 0; i < 600; i++) {
        struct request request = request_on("/flaky", i);
        bool again = false;

        for (size_t k = 0; k < i && !again; k++)
            again = strcmp(request_on("/flaky", k).id, request.id) == 0;
        if (!again)
            last_first = i;
        else if (first_again == 0)
            first_again = i;
    }
    assert_in_range(first_again, 1, 299); /* before the last of the first attempts */
    assert_in_range(last_first, 300, 598);
    close_office(&o);
}

static void
test_given_up_and_tried_by_hand(void **state)
{
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/503");
    struct lf_stored_delivery *items = NULL;
    size_t count = 0;

    o.options.schedule_count = 2;
    start_courier(&o);
    tell(&o, crm, 1, 1, 2, 0);
    await_state(&o, crm, LF_DELIVERY_FAILED, 2);
    assert_int_equal(received("/status"), 6);
    assert_int_equal(counts_of(&o, crm).waiting, 0);
    assert_int_equal(counts_of(&o, crm).given_up, 2);
    items = deliveries_of(&o, crm, &count);
    assert_int_equal(attempts_of(&o, &items[1]), 3);
    retry(&o, crm, items[1].id);
    await_received("/status", 7); /* once, for the schedule is over */
    await_state(&o, crm, LF_DELIVERY_FAILED, 2);
    (void)put(&o, "crm", "/ok");
    items = deliveries_of(&o, crm, &count);
    retry(&o, crm, items[0].id);
    await_state(&o, crm, LF_DELIVERY_DELIVERED, 1);
    retry(&o, crm, deliveries_of(&o, crm, &count)[0].id); /* what was delivered as well */
    await_received("/ok", 2);
    assert_string_equal(request_on("/ok", 0).id, request_on("/ok", 1).id);
    assert_int_equal(received("/status"), 7);
    close_office(&o);
}

/* Without a schedule of one's own it is the one of Standard Webhooks, with a jitter of a tenth. */
static void
test_the_schedule(void **state)
{
    static const int64_t SECONDS[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    struct post_office o = open_office(state);
    int64_t crm = put(&o, "crm", "/status/500"), least_ms[9], most_ms[9];
    struct lf_stored_delivery *items = NULL;
    size_t count = 0;

    o.options.schedule_ms = NULL;
    o.options.schedule_count = 0;
    start_courier(&o);
    tell(&o, crm, 0, 1, 40, 0);
    for (size_t round = 0; round < 9; round++) {
        await_state(&o, crm, LF_DELIVERY_RETRYING, 40);
        await_received("/status", 40 * (round + 1));
        for (int waited = 0; counts_of(&o, crm).failed_attempts < (int64_t)(40 * (round + 1)); waited++) {
            assert_true(waited < PATIENCE_MS);
            pause_ms(1);
        }
        items = deliveries_of(&o, crm, &count);
        least_ms[round] = INT64_MAX;
        most_ms[round] = 0;
        for (size_t i = 0; i < count; i++) {
            const struct lf_json *attempts = NULL, *last = NULL;
            struct fixture *f = o.f;
            int64_t at_us = 0, pause = 0;
            size_t len = 0;

            OK(lf_json_parse(f->arena, items[i].attempts, items[i].attempts_len, &LF_JSON_DOCUMENT_LIMITS, &attempts,
                             &f->error));
            assert_int_equal(lf_json_count(attempts), round + 1);
            for (last = lf_json_first(attempts); lf_json_next(last) != NULL;)
                last = lf_json_next(last);
            const char *at = lf_json_text(lf_json_member(last, "at"), &len);
            assert_true(lf_time_parse(at, len, &at_us));
            pause = items[i].due_ms - at_us / 1000;
            least_ms[round] = pause < least_ms[round] ? pause : least_ms[round];
            most_ms[round] = pause > most_ms[round] ? pause : most_ms[round];
        }
        assert_in_range(least_ms[round], SECONDS[round] * 900, SECONDS[round] * 1100);
        assert_in_range(most_ms[round], SECONDS[round] * 900, SECONDS[round] * 1100);
        assert_true(most_ms[round] - least_ms[round] > SECONDS[round] * 50); /* they do not come together again */
        atomic_fetch_add(&jump_ms, SECONDS[round] * 1100);
        lf_subscriptions_wake(o.subscriptions); /* or within a minute */
    }
    await_state(&o, crm, LF_DELIVERY_FAILED, 40);
    assert_int_equal(received("/status"), 400);
    close_office(&o);
}

/* The later of both, a day at most. */
static void
test_retry_after(void **state)
{
    static const int64_t MINUTE[] = {60000};
    struct post_office o = open_office(state);
    int64_t hour = put(&o, "hour", "/later/3600"), year = put(&o, "year", "/later/31536000");
    int64_t sooner = put(&o, "sooner", "/later/5"), none = put(&o, "none", "/later/soon");
    int64_t now_ms = lf_time_now_ms();
    size_t count = 0;

    o.options.schedule_ms = MINUTE;
    o.options.schedule_count = 1;
    start_courier(&o);
    tell(&o, hour, 0, 1, 1, 0);
    tell(&o, year, 0, 1, 1, 0);
    tell(&o, sooner, 0, 1, 1, 0);
    tell(&o, none, 0, 1, 1, 0);
    await_state(&o, hour, LF_DELIVERY_RETRYING, 1);
    await_state(&o, year, LF_DELIVERY_RETRYING, 1);
    await_state(&o, sooner, LF_DELIVERY_RETRYING, 1);
    await_state(&o, none, LF_DELIVERY_RETRYING, 1);
    assert_in_range(deliveries_of(&o, hour, &count)->due_ms - now_ms, 3600000, 3600000 + PATIENCE_MS);
    assert_in_range(deliveries_of(&o, year, &count)->due_ms - now_ms, 86400000, 86400000 + PATIENCE_MS);
    assert_in_range(deliveries_of(&o, sooner, &count)->due_ms - now_ms, 54000, 66000 + PATIENCE_MS);
    assert_in_range(deliveries_of(&o, none, &count)->due_ms - now_ms, 54000, 66000 + PATIENCE_MS);
    close_office(&o);
}

/* What an attempt says of itself. */
static void
test_words(void **state)
{
    static const int64_t LATER[] = {600000};
    static const struct {
        const char *key, *path, *words;
    } ENDS[] = {
        {"fails", "/status/500", "\"status\":500,\"error\":\"\""},
        {"leads-on", "/status/302", "\"status\":302,\"error\":\"redirects are not followed\""},
        {"closes", "/close", "\"status\":0,\"error\":\"the target closed the connection without an answer\""},
    };
    struct post_office o = open_office(state);

    o.options.schedule_ms = LATER;
    o.options.schedule_count = 1;
    start_courier(&o);
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        int64_t crm = put(&o, ENDS[i].key, ENDS[i].path);
        struct lf_stored_delivery *items = NULL;
        size_t count = 0;

        tell(&o, crm, 0, 1, 1, 0);
        await_state(&o, crm, LF_DELIVERY_RETRYING, 1);
        items = deliveries_of(&o, crm, &count);
        if (strstr(items->attempts, ENDS[i].words) == NULL)
            fail_msg("%s: %s", ENDS[i].path, items->attempts);
    }
    close_office(&o);
}

int
main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_one),
        TEST(test_lanes),
        TEST(test_a_retry_holds_nothing_back),
        TEST(test_a_retry_that_hangs),
        TEST(test_one_that_hangs),
        TEST(test_a_lead_that_fills_the_window),
        TEST(test_retries),
        TEST(test_turns),
        TEST(test_given_up_and_tried_by_hand),
        TEST(test_the_schedule),
        TEST(test_retry_after),
        TEST(test_words),
    };

    lf_json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
