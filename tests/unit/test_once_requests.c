/*
 * test_once_requests.c - whole requests with an Idempotency-Key, through a server of this process: each allocation
 * fails in turn, on whichever thread it comes. Whatever becomes of the request, its key is free afterwards, and asked
 * again it happens once.
 */
#include "base/log.h"
#include "faults.h"
#include "request_fixture.h"

/* Asks with the key of an API and an Idempotency-Key. */
static void
ask(const char *path, const char *type, const char *key, const char *body, struct answer *ret_answer)
{
    char headers[512];

    (void)snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\nIdempotency-Key: %s\r\nContent-Type: %s\r\n",
                   host.key, key, type);
    post(path, headers, body, ret_answer);
}

/* One request, and its repeat with nothing in the way. Whether an allocation failed. */
static bool
try_once(long n, const char *path, const char *type, const char *key, const char *body)
{
    static struct answer first, second, third;
    bool failed = false;

    arm(n);
    ask(path, type, key, body, &first);
    await_quiet();
    failed = disarm();
    if (first.status != 200 && first.status != 0 &&
        (first.status != 503 || strstr(first.body, "out_of_memory") == NULL))
        fail_msg("%s, allocation %ld: %s", path, n, first.text);
    assert_false(first.again);
    ask(path, type, key, body, &second);
    assert_int_equal(second.status, 200);
    ask(path, type, key, body, &third);
    assert_int_equal(third.status, 200);
    assert_true(third.again);
    assert_string_equal(third.body, second.body);
    if (first.status == 200)
        assert_string_equal(first.body, second.body);
    assert_true(failed || (first.status == 200 && second.again));
    return failed;
}

static void
test_scores(void **state)
{
    static const char *const LEADS[] = {
        "{\"lead\":{\"id\":\"a\",\"company\":{\"employees\":600}}}",
        "{\"lead\":{\"people\":[{\"title\":\"VP\"}]},\"explain\":\"none\"}",
    };
    struct fixture *f = *state;
    int64_t keys = 0;

    serve(f, LF_SCOPE_SCORE | LF_SCOPE_LEADS_WRITE);
    for (size_t i = 0; i < sizeof LEADS / sizeof LEADS[0]; i++) {
        bool failed = true;

        for (long n = 0; failed; n++) {
            char key[32];

            assert_true(n < ATTEMPTS_MAX);
            (void)snprintf(key, sizeof key, "%zu of %ld", i, n);
            failed = try_once(n, "/v1/score", "application/json", key, LEADS[i]);
            assert_int_equal(count_recorded(f), ++keys);
            assert_true(failed || n > 10);
        }
    }
    stop_serving(f);
}

static void
test_outcomes(void **state)
{
    static const char *const BODIES[][2] = {
        {"application/json", "{\"lead_id\":\"a\",\"outcome\":\"won\"}"},
        {"application/x-ndjson", "{\"lead_id\":\"a\",\"outcome\":\"won\"}\nnothing\n"},
    };
    struct fixture *f = *state;

    serve(f, LF_SCOPE_SCORE | LF_SCOPE_LEADS_WRITE);
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        bool failed = true;

        for (long n = 0; failed; n++) {
            char key[32];

            assert_true(n < ATTEMPTS_MAX);
            (void)snprintf(key, sizeof key, "%zu of %ld", i, n);
            failed = try_once(n, "/v1/outcomes", BODIES[i][0], key, BODIES[i][1]);
            assert_true(failed || n > 10);
        }
    }
    stop_serving(f);
}

static int
group_setup(void **state)
{
    lf_log_set_level(LF_LOG_ERROR); /* what cannot be done for lack of memory is logged, on purpose */
    return support_group_setup(state);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_scores),
        STORE_TEST(test_outcomes),
    };

    return cmocka_run_group_tests(TESTS, group_setup, NULL);
}
