/*
 * test_courier_allocation.c - each allocation of the courier fails in turn, also those that libcurl and SQLite make for
 * it: nothing is lost, and nothing but an attempt is sent twice.
 *
 * The program is linked with what faults.h and courier_fixture.h say.
 */
#include "sqlite_faults.h"

#include "courier_fixture.h"

#include <curl/curl.h>

/* ---- libcurl's memory ---- */

static void *
curl_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

static void *
curl_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

static void *
curl_realloc(void *memory, size_t size)
{
    return fails_now() ? NULL : __real_realloc(memory, size);
}

static char *
curl_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = curl_malloc(size);

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

/* ---- the tests ---- */

static void
test_start(void **state)
{
    struct post_office o = open_office(state);
    struct fixture *f = o.f;
    long n = 0, refused = 0;
    bool reached = true;

    for (; reached; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_courier_start(f->store, o.recorder, o.subscriptions, &o.options, &o.courier, &f->error);
        reached = disarm();
        if (status != LF_OK) {
            assert_int_equal(status, LF_OUT_OF_MEMORY);
            assert_null(o.courier);
            refused++;
        }
        stop_courier(&o); /* there is memory that can be done without */
    }
    assert_true(refused > 100);
    close_office(&o);
}

/* Into the outbox, and nobody hears of it. */
static enum lf_status
put_task_quietly(struct lf_store *store, void *argument, struct lf_error *error)
{
    static const struct lf_new_delivery EVENTS[2] = {
        {.subscription_id = 1, .at_ms = 1780000000000, .lane = 1, .data = "{}", .data_len = 2},
        {.subscription_id = 1, .at_ms = 1780000000000, .lane = 1, .data = "{}", .data_len = 2}};
    const struct lf_recording recording = {.deliveries = EVENTS, .delivery_count = 2};

    (void)argument;
    return lf_store_record(store, &recording, error);
}

/* The target refuses each event once, so that each goes through everything: read, sent, noted, read as due, sent,
 * noted. While a fault is armed nobody else asks for memory. */
static void
test_deliver(void **state)
{
    enum { STEP = 2, SHORT_STEP = 19 };
    struct post_office o = open_office(state);
    struct fixture *f = o.f;
    int64_t crm = put(&o, "crm", "/flaky/1");
    long step = getenv("LEADFIT_SHORT") != NULL ? SHORT_STEP : STEP, failed = 0;
    bool reached = true;

    assert_int_equal(crm, 1);
    start_courier(&o);
    for (long n = 0; reached; n += step) {
        size_t before = received("/flaky");

        OK(lf_recorder_run(o.recorder, put_task_quietly, NULL, &f->error));
        arm(n);
        lf_subscriptions_wake(o.subscriptions);
        await_received("/flaky", before + 4);
        reached = disarm();
        await_state(&o, crm, LF_DELIVERY_DELIVERED, 2);
        assert_in_range(received("/flaky") - before, 4, 5); /* one attempt more at the most */
        run_sql(f->path, "DELETE FROM delivery");           /* of which there would be hundreds */
        failed += reached;
    }
    assert_true(failed > 100 / step);
    close_office(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deliver, setup, teardown),
    };

    lf_json_setup();
    if (!let_sqlite_fail() || curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_strdup,
                                                   curl_calloc) != CURLE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
