/*
 * guard.h - the one door check of a request's head, before anything of its body is read.
 *
 * libmicrohttpd is lax about framing: it takes Content-Length together with Transfer-Encoding, the first of two
 * Content-Lengths, names with a space before the colon, two Hosts. Each of these lets two programs disagree about
 * where a request ends. The guard therefore judges the head as a whole and refuses what is not plain HTTP/1.1; the
 * connection of a refused request is closed, so that nothing behind it is ever taken for a request.
 *
 * Pure: no I/O, no allocation, no libmicrohttpd. Thread-safe. It does not know routes, keys or body limits.
 */
#ifndef LF_HTTP_GUARD_H
#define LF_HTTP_GUARD_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_TARGET_MAX = 8192,        /* api.md: URL 8 KiB */
    LF_HEADERS_MAX = 100,        /* lines; browsers send some twenty, proxies add a dozen */
    LF_HEADER_VALUE_MAX = 8192,  /* bytes of one value */
    LF_HEADERS_BYTES_MAX = 16384 /* names and values together: fits the library's pool beside an 8 KiB target */
};

struct lf_header {
    const char *name, *value; /* NUL-terminated */
    size_t name_len, value_len;
};

/* A head as it came, nothing decoded. header_count may exceed LF_HEADERS_MAX (then only that many are looked at). */
struct lf_head {
    const char *method, *target, *version;
    const struct lf_header *headers;
    size_t header_count;
};

/* What the guard learned on its way. */
struct lf_framing {
    int64_t content_length; /* -1: no such header */
    bool chunked;
    bool has_body;         /* chunked, or a Content-Length above 0 */
    bool expects_continue; /* the client waits for our word before it sends the body */
};

/* LF_OK and *ret_framing, or BAD_REQUEST, INVALID_URL, URL_TOO_LONG, HEADERS_TOO_LARGE, EXPECTATION_FAILED. The
 * detail quotes nothing of the request. */
enum lf_status
lf_guard_check(const struct lf_head *head, struct lf_framing *ret_framing, struct lf_error *error) LF_MUST_CHECK;

/* Whether two header names are the same (ASCII case aside). */
bool lf_header_is(const struct lf_header *header, const char *lower_case_name, size_t name_len);

#endif
