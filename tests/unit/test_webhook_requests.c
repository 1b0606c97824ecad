/*
 * test_webhook_requests.c - whole webhooks and previews, through a server of this process: each allocation fails in
 * turn, on whichever thread it comes. A delivery is then recorded and answered, or it is not and may be sent again;
 * never is it refused for what it is not, and never told to be taken when it is not.
 */
#include "app/sources.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/time.h"
#include "faults.h"
#include "request_fixture.h"

static const char SECRET[] = "secret of a source", BASIC[] = "user:a password";

static void
put_source(struct fixture *f, const char *key, const char *document)
{
    struct lf_change change = {.by = "test", .key_id = "", .note = "", .at_ms = lf_time_now_ms()};
    const struct lf_source *source = NULL;
    struct lf_findings findings;
    bool created = false;

    lf_findings_init(&findings, f->arena);
    OK(lf_edit_put_source(host.service, f->arena, key, support_json(f->arena, document), &change, &findings, &source,
                          &created, &f->error));
    lf_sources_release(lf_service_sources(host.service), source);
}

static void
serve_sources(struct fixture *f)
{
    serve(f, LF_SCOPE_SCORE | LF_SCOPE_ADMIN);
    put_source(f, "generic", "{'kind':'generic','secrets':['secret of a source']}");
    put_source(f, "pipedrive", "{'kind':'pipedrive','secrets':['user:a password']}");
    put_source(f, "action", "{'kind':'hubspot','secrets':['secret of a source'],'reply':'hubspot_action'}");
}

/* ---- headers, as the senders write them ---- */

enum sender { BY_SECRET, BY_KEY, BY_PASSWORD, BY_SIGNATURE, BY_NOTHING };

static void
write_headers(enum sender sender, const char *path, const char *body, const char *id, char *text, size_t size)
{
    char base64[LF_BASE64_TEXT_MAX(LF_SHA256_SIZE)], url[256], time[24];
    struct lf_hmac_key key;
    uint8_t digest[LF_SHA256_SIZE];

    switch (sender) {
    case BY_SECRET:
        (void)snprintf(text, size, "X-Leadfit-Secret: %s\r\nIdempotency-Key: %s\r\n", SECRET, id);
        break;
    case BY_KEY:
        (void)snprintf(text, size, "Authorization: Bearer %s\r\nIdempotency-Key: %s\r\n", host.key, id);
        break;
    case BY_PASSWORD:
        (void)lf_base64_encode(BASIC, sizeof BASIC - 1, base64);
        (void)snprintf(text, size, "Authorization: Basic %s\r\n", base64);
        break;
    case BY_SIGNATURE:
        (void)snprintf(url, sizeof url, "https://scores.example.com%s", path);
        (void)snprintf(time, sizeof time, "%lld", (long long)lf_time_now_ms());
        assert_true(lf_hmac_prepare(&key, SECRET, sizeof SECRET - 1));
        assert_true(lf_hmac_sha256_pieces(
            &key,
            (const struct lf_piece[]){{"POST", 4}, {url, strlen(url)}, {body, strlen(body)}, {time, strlen(time)}}, 4,
            digest));
        (void)lf_base64_encode(digest, sizeof digest, base64);
        (void)snprintf(text, size, "X-HubSpot-Signature-v3: %s\r\nX-HubSpot-Request-Timestamp: %s\r\n", base64, time);
        break;
    case BY_NOTHING:
        text[0] = '\0';
        break;
    }
}

/* Sends a body in which %s stands for the delivery's id, while the n-th allocation fails. Whether it came to that. */
static bool
send_failing(long n, enum sender sender, const char *path, const char *pattern, const char *id, struct answer *ret)
{
    char body[4096], headers[1024];
    const char *at = strstr(pattern, "%s");
    bool failed = false;

    if (at != NULL)
        (void)snprintf(body, sizeof body, "%.*s%s%s", (int)(at - pattern), pattern, id, at + 2);
    else
        (void)snprintf(body, sizeof body, "%s", pattern);
    write_headers(sender, path, body, id, headers, sizeof headers);
    arm(n);
    post(path, headers, body, ret);
    await_quiet();
    failed = disarm();
    if (ret->status == 503 && strstr(ret->body, "out_of_memory") == NULL)
        fail_msg("%s, allocation %ld: %s", path, n, ret->text);
    return failed;
}

/* ---- deliveries that are scored ---- */

static const struct {
    enum sender sender;
    const char *path, *body;
    int64_t scores;
} GOOD[] = {
    {BY_SECRET, "/v1/webhooks/generic", "[{\"id\":7,\"company\":{\"employees\":600}},{\"id\":\"b\",\"title\":\"VP\"}]",
     2},
    {BY_KEY, "/v1/webhooks/generic?source=form", "{\"id\":\"a\",\"company\":{\"employees\":600}}", 1},
    {BY_PASSWORD, "/v1/webhooks/pipedrive",
     "{\"meta\":{\"action\":\"change\",\"entity\":\"person\",\"id\":\"%s\",\"version\":\"2.0\",\"attempt\":1},"
     "\"data\":{\"id\":5,\"job_title\":\"COO\"},\"previous\":{}}",
     1},
    {BY_SIGNATURE, "/v1/webhooks/action",
     "{\"callbackId\":\"%s\",\"object\":{\"objectId\":904,\"objectType\":\"CONTACT\"},"
     "\"inputFields\":{\"jobtitle\":\"VP\",\"numberofemployees\":\"860\"}}",
     1},
};

static void
test_deliveries(void **state)
{
    static struct answer first, second, third;
    struct fixture *f = *state;
    int64_t count = 0;

    serve_sources(f);
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        bool failed = true;

        for (long n = 0; failed; n++) {
            char id[32];

            assert_true(n < ATTEMPTS_MAX);
            (void)snprintf(id, sizeof id, "%zu-%ld", i, n);
            failed = send_failing(n, GOOD[i].sender, GOOD[i].path, GOOD[i].body, id, &first);
            (void)send_failing(ATTEMPTS_MAX * 10, GOOD[i].sender, GOOD[i].path, GOOD[i].body, id, &second);
            (void)send_failing(ATTEMPTS_MAX * 10, GOOD[i].sender, GOOD[i].path, GOOD[i].body, id, &third);
            if (first.status != 200 && first.status != 503 && first.status != 0)
                fail_msg("%s, allocation %ld: %s", GOOD[i].path, n, first.text);
            assert_int_equal(second.status, 200);
            assert_non_null(strstr(second.body, "\"recorded\":true"));
            assert_string_equal(third.body, second.body);
            assert_true(third.again && !first.again);
            if (first.status == 200)
                assert_string_equal(first.body, second.body);
            assert_true(failed || (first.status == 200 && second.again && n > 10));
            count += GOOD[i].scores;
            assert_int_equal(count_recorded(f), count);
        }
    }
    stop_serving(f);
}

/* ---- the others, and previews ---- */

/* What is answered when all is well, every time. */
static const struct {
    enum sender sender;
    const char *path, *body;
    int status;
    const char *part; /* of the answer */
} OTHERS[] = {
    {BY_NOTHING, "/v1/webhooks/no-such", "{}", 404, "source_not_found"},
    {BY_NOTHING, "/v1/webhooks/generic", "{}", 401, "unauthorized"},
    {BY_PASSWORD, "/v1/webhooks/generic", "{}", 401, "unauthorized"},
    {BY_NOTHING, "/v1/webhooks/pipedrive", "{}", 401, "bad_signature"},
    {BY_SECRET, "/v1/webhooks/action", "{}", 401, "bad_signature"},
    {BY_SECRET, "/v1/webhooks/generic", "{\"a\"", 400, "invalid_json"},
    {BY_SECRET, "/v1/webhooks/generic", "[]", 422, "unmapped"},
    {BY_KEY, "/v1/webhooks/generic", "{\"id\":[1],\"title\":\"VP\"}", 422, "the record's id"},
    {BY_PASSWORD, "/v1/webhooks/pipedrive", "{\"a\"", 200, "\"problem\":{\"type\":\"/problems/invalid_json\""},
    {BY_PASSWORD, "/v1/webhooks/pipedrive", "[]", 200, "\"problem\":{\"type\":\"/problems/unmapped\""},
    {BY_PASSWORD, "/v1/webhooks/pipedrive",
     "{\"meta\":{\"action\":\"delete\",\"entity\":\"person\",\"id\":\"d\",\"version\":\"2.0\"},\"data\":null,"
     "\"previous\":{\"id\":5}}",
     200, "\"problem\":{}"},
    {BY_SIGNATURE, "/v1/webhooks/action", "[]", 200, "\"error_code\":\"unmapped\""},
    {BY_KEY, "/v1/sources/generic/preview", "[{\"id\":7,\"title\":\"VP\"},{\"id\":[8],\"a\":[\"b\",{\"c\":1}]}]", 200,
     "\"reply_status\":422"},
    {BY_KEY, "/v1/sources/pipedrive/preview", "{\"data\":{\"id\":5,\"job_title\":\"COO\"}}", 200, "\"reply\":{"},
    {BY_KEY, "/v1/sources/generic/preview", "17", 200, "\"leads\":[],\"problem\":{\"type\""},
};

static void
test_others(void **state)
{
    static struct answer answer;
    struct fixture *f = *state;

    serve_sources(f);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        bool failed = true;

        for (long n = 0; failed; n++) {
            char id[32];

            assert_true(n < ATTEMPTS_MAX);
            (void)snprintf(id, sizeof id, "%zu-%ld", i, n);
            failed = send_failing(n, OTHERS[i].sender, OTHERS[i].path, OTHERS[i].body, id, &answer);
            if (failed && (answer.status == 503 || answer.status == 0))
                continue;
            if (answer.status != OTHERS[i].status || strstr(answer.body, OTHERS[i].part) == NULL)
                fail_msg("%s %s, allocation %ld: %s", OTHERS[i].path, OTHERS[i].body, n, answer.text);
        }
    }
    assert_int_equal(count_recorded(f), 0);
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
        STORE_TEST(test_deliveries),
        STORE_TEST(test_others),
    };

    return cmocka_run_group_tests(TESTS, group_setup, NULL);
}
