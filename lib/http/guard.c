/* guard.c - see guard.h. */
#include "http/guard.h"

#include <string.h>

enum { METHOD_MAX = 32, NAME_MAX_BYTES = 256 };

#define NAME_AND_LEN(name) (name), sizeof(name) - 1

static bool
is_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool
is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* RFC 9110: a token is one or more tchar. */
static bool
is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!is_alphanumeric(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return len > 0;
}

/* Header values: visible ASCII, space, tab, and bytes above 0x7F (obs-text). */
static bool
is_field_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static bool
equal_ignoring_case(const char *text, const char *lower, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c >= 'A' && c <= 'Z' ? (c | 0x20) : c) != (unsigned char)lower[i])
            return false;
    }
    return true;
}

bool
lf_header_is(const struct lf_header *header, const char *lower_case_name, size_t name_len)
{
    return header->name_len == name_len && equal_ignoring_case(header->name, lower_case_name, name_len);
}

/* `host` and what a client may put there: a name or address and a port, no spaces, no path, no user. Which host it
 * is does not matter to us; that it is one does to whoever stands in front. */
static bool
is_host(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!is_alphanumeric(c) && (c == '\0' || strchr("-._~%!$&'()*+;=:[]", c) == NULL))
            return false;
    }
    return true;
}

static enum lf_status
check_target(const char *target, struct lf_error *error)
{
    size_t len = strnlen(target, LF_TARGET_MAX + 1);

    if (len > LF_TARGET_MAX)
        return lf_fail(error, LF_URL_TOO_LONG, "A URL may have %d bytes.", LF_TARGET_MAX);
    if (target[0] != '/')
        return lf_fail(error, LF_INVALID_URL, "The request target must be a path that begins with a slash.");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)target[i];
        if (c <= 0x20 || c >= 0x7F || c == '#')
            return lf_fail_at(error, LF_INVALID_URL, NULL, (int64_t)i,
                              "The URL has a space, a control character, a `#` or a byte that is not ASCII: "
                              "percent-encode it.");
        if (c != '%')
            continue;
        /* A missing digit shows as the terminating NUL, which is no hex digit. */
        if (!is_hex((unsigned char)target[i + 1]) || !is_hex((unsigned char)target[i + 2]))
            return lf_fail_at(error, LF_INVALID_URL, NULL, (int64_t)i, "A `%%` must be followed by two hex digits.");
        if (target[i + 1] == '0' && target[i + 2] == '0')
            return lf_fail_at(error, LF_INVALID_URL, NULL, (int64_t)i, "The URL has a `%%00`.");
    }
    return LF_OK;
}

/* Headers that decide something and of which two could be read differently by two programs: of framing, of who asks,
 * and of what a delivery is signed with. */
static const struct {
    const char *name;
    size_t len;
} SINGLE[] = {
    {NAME_AND_LEN("host")},
    {NAME_AND_LEN("content-length")},
    {NAME_AND_LEN("transfer-encoding")},
    {NAME_AND_LEN("authorization")},
    {NAME_AND_LEN("x-api-key")},
    {NAME_AND_LEN("content-type")},
    {NAME_AND_LEN("expect")},
    {NAME_AND_LEN("content-encoding")},
    {NAME_AND_LEN("idempotency-key")},
    {NAME_AND_LEN("x-request-id")},
    {NAME_AND_LEN("x-hubspot-signature")},
    {NAME_AND_LEN("x-hubspot-signature-v3")},
    {NAME_AND_LEN("x-hubspot-signature-version")},
    {NAME_AND_LEN("x-hubspot-request-timestamp")},
    {NAME_AND_LEN("webhook-id")},
    {NAME_AND_LEN("webhook-timestamp")},
    {NAME_AND_LEN("webhook-signature")},
    {NAME_AND_LEN("x-leadfit-secret")},
};
enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT = 6, SINGLE_COUNT = sizeof SINGLE / sizeof SINGLE[0] };

/* A folded `Transfer-Encoding:\r\n chunked` comes from the library as a header `Transfer-Encodingchunked`. */
static bool
hides_framing(const struct lf_header *header)
{
    static const int NAMES[] = {CONTENT_LENGTH, TRANSFER_ENCODING};

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        size_t len = SINGLE[NAMES[i]].len;
        if (header->name_len > len && equal_ignoring_case(header->name, SINGLE[NAMES[i]].name, len))
            return true;
    }
    return false;
}

static enum lf_status
check_header(const struct lf_header *header, const struct lf_header *found[SINGLE_COUNT], struct lf_error *error)
{
    if (header->name_len > NAME_MAX_BYTES || header->value_len > LF_HEADER_VALUE_MAX)
        return lf_fail(error, LF_HEADERS_TOO_LARGE, "A header may have a name of %d and a value of %d bytes.",
                       NAME_MAX_BYTES, LF_HEADER_VALUE_MAX);
    if (!is_token(header->name, header->name_len))
        return lf_fail(error, LF_BAD_REQUEST,
                       "A header name is not a token (a space before the colon, a folded line?).");
    if (!is_field_value(header->value, header->value_len))
        return lf_fail(error, LF_BAD_REQUEST, "A header value has a control character.");
    if (hides_framing(header))
        return lf_fail(error, LF_BAD_REQUEST, "A header name is that of a framing header with something behind it.");
    for (size_t i = 0; i < SINGLE_COUNT; i++) {
        if (!lf_header_is(header, SINGLE[i].name, SINGLE[i].len))
            continue;
        if (found[i] != NULL)
            return lf_fail(error, LF_BAD_REQUEST, "The header `%s` stands there twice.", SINGLE[i].name);
        found[i] = header;
        break;
    }
    return LF_OK;
}

/* Digits alone; at most 18, so that it fits. */
static bool
parse_length(const struct lf_header *header, int64_t *ret_length)
{
    int64_t length = 0;

    if (header->value_len == 0 || header->value_len > 18)
        return false;
    for (size_t i = 0; i < header->value_len; i++) {
        if (header->value[i] < '0' || header->value[i] > '9')
            return false;
        length = length * 10 + (header->value[i] - '0');
    }
    *ret_length = length;
    return true;
}

static enum lf_status
check_framing(const struct lf_header *const found[SINGLE_COUNT], bool http_1_0, struct lf_framing *framing,
              struct lf_error *error)
{
    const struct lf_header *length = found[CONTENT_LENGTH], *encoding = found[TRANSFER_ENCODING];
    const struct lf_header *expect = found[EXPECT];

    if (length != NULL && encoding != NULL)
        return lf_fail(error, LF_BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other.");
    if (length != NULL && !parse_length(length, &framing->content_length))
        return lf_fail(error, LF_BAD_REQUEST, "Content-Length is not a plain number.");
    if (encoding != NULL) {
        if (http_1_0)
            return lf_fail(error, LF_BAD_REQUEST, "HTTP/1.0 knows no Transfer-Encoding.");
        if (encoding->value_len != 7 || !equal_ignoring_case(encoding->value, "chunked", 7))
            return lf_fail(error, LF_BAD_REQUEST, "The only Transfer-Encoding taken here is `chunked`.");
        framing->chunked = true;
    }
    framing->has_body = framing->chunked || framing->content_length > 0;
    if (expect != NULL) {
        if (expect->value_len != 12 || !equal_ignoring_case(expect->value, "100-continue", 12))
            return lf_fail(error, LF_EXPECTATION_FAILED, "The only expectation met here is `100-continue`.");
        framing->expects_continue = !http_1_0;
    }
    return LF_OK;
}

enum lf_status
lf_guard_check(const struct lf_head *head, struct lf_framing *ret_framing, struct lf_error *error)
{
    const struct lf_header *found[SINGLE_COUNT] = {NULL};
    struct lf_framing framing = {.content_length = -1};
    bool http_1_0 = strcmp(head->version, "HTTP/1.0") == 0;
    enum lf_status status = LF_OK;
    size_t bytes = 0;

    if (strnlen(head->method, METHOD_MAX + 1) > METHOD_MAX || !is_token(head->method, strlen(head->method)))
        return lf_fail(error, LF_BAD_REQUEST, "The method is not a token of at most %d characters.", METHOD_MAX);
    if (!http_1_0 && strcmp(head->version, "HTTP/1.1") != 0)
        return lf_fail(error, LF_BAD_REQUEST, "The protocol spoken here is HTTP/1.1 (or HTTP/1.0).");
    status = check_target(head->target, error);
    if (status != LF_OK)
        return status;
    if (head->header_count > LF_HEADERS_MAX)
        return lf_fail(error, LF_HEADERS_TOO_LARGE, "A request may have %d header lines.", LF_HEADERS_MAX);
    for (size_t i = 0; i < head->header_count; i++) {
        bytes += head->headers[i].name_len + head->headers[i].value_len;
        if (bytes > LF_HEADERS_BYTES_MAX)
            return lf_fail(error, LF_HEADERS_TOO_LARGE, "The headers may have %d bytes in all.", LF_HEADERS_BYTES_MAX);
        status = check_header(&head->headers[i], found, error);
        if (status != LF_OK)
            return status;
    }
    if (found[HOST] == NULL && !http_1_0)
        return lf_fail(error, LF_BAD_REQUEST, "HTTP/1.1 asks for a Host header.");
    if (found[HOST] != NULL && !is_host(found[HOST]->value, found[HOST]->value_len))
        return lf_fail(error, LF_BAD_REQUEST, "The Host header is not a host.");
    status = check_framing(found, http_1_0, &framing, error);
    if (status != LF_OK)
        return status;
    *ret_framing = framing;
    return LF_OK;
}
