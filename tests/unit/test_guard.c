/* test_guard.c - the guard over request heads, without a server. Each row says what is wrong in its name. */
#include "http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_HEADERS = 5 };

struct row {
    const char *name;
    const char *method, *target, *version; /* NULL: POST, /v1/score, HTTP/1.1 */
    const char *headers[ROW_HEADERS * 2];  /* name, value; Host is put in front unless no_host */
    enum lf_status expected;
    int64_t length; /* of LF_OK: the framing */
    int chunked, has_body, expects_continue, no_host;
};

static const struct row ROWS[] = {
    {.name = "plain, no body", .length = -1},
    {.name = "length 0", .headers = {"Content-Length", "0"}, .length = 0},
    {.name = "length 5", .headers = {"content-LENGTH", "5"}, .length = 5, .has_body = 1},
    {.name = "leading zeros are digits", .headers = {"Content-Length", "0005"}, .length = 5, .has_body = 1},
    {.name = "18 digits",
     .headers = {"Content-Length", "999999999999999999"},
     .length = 999999999999999999,
     .has_body = 1},
    {.name = "19 digits", .headers = {"Content-Length", "1000000000000000000"}, .expected = LF_BAD_REQUEST},
    {.name = "empty length", .headers = {"Content-Length", ""}, .expected = LF_BAD_REQUEST},
    {.name = "signed length", .headers = {"Content-Length", "+5"}, .expected = LF_BAD_REQUEST},
    {.name = "negative length", .headers = {"Content-Length", "-5"}, .expected = LF_BAD_REQUEST},
    {.name = "length list", .headers = {"Content-Length", "5, 5"}, .expected = LF_BAD_REQUEST},
    {.name = "length with a space", .headers = {"Content-Length", "5 "}, .expected = LF_BAD_REQUEST},
    {.name = "hex length", .headers = {"Content-Length", "0x5"}, .expected = LF_BAD_REQUEST},
    {.name = "two lengths", .headers = {"Content-Length", "5", "content-length", "5"}, .expected = LF_BAD_REQUEST},
    {.name = "chunked", .headers = {"Transfer-Encoding", "chunked"}, .length = -1, .chunked = 1, .has_body = 1},
    {.name = "Chunked", .headers = {"transfer-encoding", "CHUNKED"}, .length = -1, .chunked = 1, .has_body = 1},
    {.name = "gzip, chunked", .headers = {"Transfer-Encoding", "gzip, chunked"}, .expected = LF_BAD_REQUEST},
    {.name = "identity", .headers = {"Transfer-Encoding", "identity"}, .expected = LF_BAD_REQUEST},
    {.name = "chunked with a space", .headers = {"Transfer-Encoding", "chunked "}, .expected = LF_BAD_REQUEST},
    {.name = "empty encoding", .headers = {"Transfer-Encoding", ""}, .expected = LF_BAD_REQUEST},
    {.name = "chunked twice",
     .headers = {"Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"},
     .expected = LF_BAD_REQUEST},
    {.name = "length and chunked",
     .headers = {"Content-Length", "5", "Transfer-Encoding", "chunked"},
     .expected = LF_BAD_REQUEST},
    {.name = "chunked in 1.0",
     .version = "HTTP/1.0",
     .headers = {"Transfer-Encoding", "chunked"},
     .expected = LF_BAD_REQUEST},
    {.name = "folded encoding", .headers = {"Transfer-Encodingchunked", ""}, .expected = LF_BAD_REQUEST},
    {.name = "folded length", .headers = {"Content-Length5", ""}, .expected = LF_BAD_REQUEST},
    {.name = "space in a name", .headers = {"Content-Length ", "5"}, .expected = LF_BAD_REQUEST},
    {.name = "colon in a name", .headers = {"X-A c:", "5"}, .expected = LF_BAD_REQUEST},
    {.name = "empty name", .headers = {"", "5"}, .expected = LF_BAD_REQUEST},
    {.name = "not ASCII in a name", .headers = {"X-\xC3\xA9", "5"}, .expected = LF_BAD_REQUEST},
    {.name = "all token characters in a name", .headers = {"!#$%&'*+-.^_`|~09azAZ", "5"}, .length = -1},
    {.name = "tab in a value", .headers = {"X-A", "a\tb"}, .length = -1},
    {.name = "UTF-8 in a value", .headers = {"X-A", "\xC3\xA9"}, .length = -1},
    {.name = "control in a value", .headers = {"X-A", "a\001b"}, .expected = LF_BAD_REQUEST},
    {.name = "line feed in a value", .headers = {"X-A", "a\nb"}, .expected = LF_BAD_REQUEST},
    {.name = "carriage return in a value", .headers = {"X-A", "a\rb"}, .expected = LF_BAD_REQUEST},
    {.name = "delete in a value", .headers = {"X-A", "a\177b"}, .expected = LF_BAD_REQUEST},
    {.name = "no host", .no_host = 1, .expected = LF_BAD_REQUEST},
    {.name = "no host in 1.0", .no_host = 1, .version = "HTTP/1.0", .length = -1},
    {.name = "two hosts", .headers = {"host", "b"}, .expected = LF_BAD_REQUEST},
    {.name = "empty host", .no_host = 1, .headers = {"Host", ""}, .length = -1},
    {.name = "IPv6 host", .no_host = 1, .headers = {"Host", "[::1]:8080"}, .length = -1},
    {.name = "host with a slash", .no_host = 1, .headers = {"Host", "a/b"}, .expected = LF_BAD_REQUEST},
    {.name = "host with a user", .no_host = 1, .headers = {"Host", "u@b"}, .expected = LF_BAD_REQUEST},
    {.name = "two keys", .headers = {"Authorization", "a", "authorization", "a"}, .expected = LF_BAD_REQUEST},
    {.name = "two idempotency keys",
     .headers = {"Idempotency-Key", "a", "Idempotency-Key", "b"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of X-HubSpot-Signature-v3",
     .headers = {"X-HubSpot-Signature-v3", "a", "x-hubspot-signature-V3", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of X-HubSpot-Signature",
     .headers = {"X-HubSpot-Signature", "a", "x-hubspot-signature", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of X-HubSpot-Signature-Version",
     .headers = {"X-HubSpot-Signature-Version", "a", "x-hubspot-signature-version", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of X-HubSpot-Request-Timestamp",
     .headers = {"X-HubSpot-Request-Timestamp", "a", "x-hubspot-request-timestamp", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of webhook-id", .headers = {"webhook-id", "a", "Webhook-Id", "a"}, .expected = LF_BAD_REQUEST},
    {.name = "two of webhook-timestamp",
     .headers = {"webhook-timestamp", "a", "Webhook-Timestamp", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of webhook-signature",
     .headers = {"webhook-signature", "a", "Webhook-Signature", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "two of X-Leadfit-Secret",
     .headers = {"X-Leadfit-Secret", "a", "x-leadfit-secret", "a"},
     .expected = LF_BAD_REQUEST},
    {.name = "signatures of two versions",
     .headers = {"X-HubSpot-Signature", "a", "X-HubSpot-Signature-v3", "a"},
     .length = -1},
    {.name = "two of an unknown header are fine", .headers = {"Via", "a", "Via", "b"}, .length = -1},
    {.name = "expect", .headers = {"Expect", "100-Continue"}, .length = -1, .expects_continue = 1},
    {.name = "expect in 1.0", .version = "HTTP/1.0", .headers = {"Expect", "100-continue"}, .length = -1},
    {.name = "expect else", .headers = {"Expect", "100-continue, x"}, .expected = LF_EXPECTATION_FAILED},
    {.name = "HTTP/1.2", .version = "HTTP/1.2", .expected = LF_BAD_REQUEST},
    {.name = "HTTP/2.0", .version = "HTTP/2.0", .expected = LF_BAD_REQUEST},
    {.name = "no version", .version = "", .expected = LF_BAD_REQUEST},
    {.name = "lower-case version", .version = "http/1.1", .expected = LF_BAD_REQUEST},
    {.name = "longer version", .version = "HTTP/1.11", .expected = LF_BAD_REQUEST},
    {.name = "empty method", .method = "", .expected = LF_BAD_REQUEST},
    {.name = "method with a space", .method = "GE T", .expected = LF_BAD_REQUEST},
    {.name = "method of 32", .method = "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", .length = -1},
    {.name = "method of 33", .method = "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", .expected = LF_BAD_REQUEST},
    {.name = "empty target", .target = "", .expected = LF_INVALID_URL},
    {.name = "asterisk", .target = "*", .expected = LF_INVALID_URL},
    {.name = "absolute", .target = "http://a/b", .expected = LF_INVALID_URL},
    {.name = "root", .target = "/", .length = -1},
    {.name = "query", .target = "/a?b=c&d", .length = -1},
    {.name = "escape", .target = "/a%2Fb%c3%A9", .length = -1},
    {.name = "escape of nothing", .target = "/a%", .expected = LF_INVALID_URL},
    {.name = "escape of one digit", .target = "/a%4", .expected = LF_INVALID_URL},
    {.name = "escape of no hex", .target = "/a%4x", .expected = LF_INVALID_URL},
    {.name = "%00", .target = "/a%00", .expected = LF_INVALID_URL},
    {.name = "%00 in the query", .target = "/a?b=%00", .expected = LF_INVALID_URL},
    {.name = "fragment", .target = "/a#b", .expected = LF_INVALID_URL},
    {.name = "space", .target = "/a b", .expected = LF_INVALID_URL},
    {.name = "control", .target = "/a\tb", .expected = LF_INVALID_URL},
    {.name = "not ASCII", .target = "/\xC3\xA9", .expected = LF_INVALID_URL},
};

static struct lf_header
header(const char *name, const char *value)
{
    return (struct lf_header){.name = name, .value = value, .name_len = strlen(name), .value_len = strlen(value)};
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct row *row = &ROWS[i];
        struct lf_header headers[ROW_HEADERS + 1];
        struct lf_head head = {.method = row->method != NULL ? row->method : "POST",
                               .target = row->target != NULL ? row->target : "/v1/score",
                               .version = row->version != NULL ? row->version : "HTTP/1.1",
                               .headers = headers};
        struct lf_framing framing = {.content_length = -7};
        struct lf_error error = {.status = LF_OK};

        if (!row->no_host)
            headers[head.header_count++] = header("Host", "localhost:80");
        for (size_t k = 0; k < ROW_HEADERS && row->headers[2 * k] != NULL; k++)
            headers[head.header_count++] = header(row->headers[2 * k], row->headers[2 * k + 1]);
        enum lf_status status = lf_guard_check(&head, &framing, &error);
        if (status != row->expected)
            fail_msg("%s: %s (%s)", row->name, lf_status_word(status), error.detail);
        if (status != LF_OK) {
            assert_int_equal(error.status, status);
            assert_int_equal(framing.content_length, -7); /* written on success only */
            continue;
        }
        if (framing.content_length != row->length || framing.chunked != row->chunked ||
            framing.has_body != row->has_body || framing.expects_continue != row->expects_continue)
            fail_msg("%s: wrong framing", row->name);
    }
}

/* The limits, each at its edge and one beyond. */
static void
test_limits(void **state)
{
    struct lf_header headers[LF_HEADERS_MAX + 1];
    struct lf_head head = {.method = "GET", .target = "/", .version = "HTTP/1.1", .headers = headers};
    struct lf_framing framing;
    struct lf_error error;
    char *text = malloc(LF_HEADERS_BYTES_MAX + 2);

    (void)state;
    assert_non_null(text);
    headers[0] = header("Host", "a");
    for (size_t i = 1; i <= LF_HEADERS_MAX; i++)
        headers[i] = header("X", "");
    head.header_count = LF_HEADERS_MAX;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_OK);
    head.header_count = LF_HEADERS_MAX + 1;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_HEADERS_TOO_LARGE);

    memset(text, 'a', LF_HEADERS_BYTES_MAX + 1);
    text[LF_HEADERS_BYTES_MAX + 1] = '\0';
    head.header_count = 2;
    headers[1] = header("X", text);
    headers[1].value_len = LF_HEADER_VALUE_MAX;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_OK);
    headers[1].value_len = LF_HEADER_VALUE_MAX + 1;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_HEADERS_TOO_LARGE);
    headers[1] = (struct lf_header){.name = text, .name_len = 257, .value = ""};
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_HEADERS_TOO_LARGE);
    /* Host and a, three values, and what is left of the sum: exactly the most there may be. */
    head.header_count = 4;
    for (size_t i = 1; i < 4; i++)
        headers[i] = (struct lf_header){.name = "X", .name_len = 1, .value = text, .value_len = 8000};
    headers[3].value_len = LF_HEADERS_BYTES_MAX - 5 - 2 * 8001 - 1;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_OK);
    headers[3].value_len++;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_HEADERS_TOO_LARGE);

    head.header_count = 1;
    text[0] = '/';
    text[LF_TARGET_MAX] = '\0';
    head.target = text;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_OK);
    text[LF_TARGET_MAX] = 'a';
    text[LF_TARGET_MAX + 1] = '\0';
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_URL_TOO_LONG);
    free(text);
}

/* A fault in the target is told with its place. */
static void
test_offset(void **state)
{
    struct lf_header host = header("Host", "a");
    struct lf_head head = {
        .method = "GET", .target = "/ab%zz", .version = "HTTP/1.1", .headers = &host, .header_count = 1};
    struct lf_framing framing;
    struct lf_error error;

    (void)state;
    assert_int_equal(lf_guard_check(&head, &framing, &error), LF_INVALID_URL);
    assert_int_equal(error.offset, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
