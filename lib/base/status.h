/*
 * status.h - every way in which something can fail, in one list.
 *
 * A fallible function returns an enum lf_status (LF_OK is 0) and fills an optional struct lf_error, its last
 * parameter. The list below makes the enum, the stable word a client sees (`code`), the HTTP status and the title
 * of the problem; nothing else in the project spells them.
 *
 * Thread-safe: everything here is either constant or owned by its caller.
 */
#ifndef LF_BASE_STATUS_H
#define LF_BASE_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* X(name, word, HTTP status, title) */
#define LF_STATUS_LIST(X)                                                                    \
    X(OK, "ok", 200, "OK")                                                                   \
    /* what was sent cannot be read */                                                       \
    X(INVALID_JSON, "invalid_json", 400, "Not valid JSON")                                   \
    X(TOO_DEEP, "too_deep", 400, "Nested too deeply")                                        \
    X(TOO_MANY_MEMBERS, "too_many_members", 400, "Too many members or elements")             \
    X(NUMBER_OUT_OF_RANGE, "number_out_of_range", 400, "Number out of range")                \
    X(BAD_REQUEST, "bad_request", 400, "Malformed HTTP request")                             \
    X(INVALID_URL, "invalid_url", 400, "Malformed URL")                                      \
    X(INVALID_PARAMETER, "invalid_parameter", 400, "Invalid query parameter")                \
    X(INVALID_CSV, "invalid_csv", 400, "Not valid CSV")                                      \
    /* who asks */                                                                           \
    X(UNAUTHORIZED, "unauthorized", 401, "A valid API key is needed")                        \
    X(BAD_SIGNATURE, "bad_signature", 401, "The signature is not right")                     \
    X(FORBIDDEN, "forbidden", 403, "The API key does not have this scope")                   \
    /* what is asked for */                                                                  \
    X(NOT_FOUND, "not_found", 404, "Not found")                                              \
    X(ICP_NOT_FOUND, "icp_not_found", 404, "No such ICP")                                    \
    X(VERSION_NOT_FOUND, "version_not_found", 404, "No such version of this ICP")            \
    X(SCORE_NOT_FOUND, "score_not_found", 404, "No such score")                              \
    X(DRAFT_NOT_FOUND, "draft_not_found", 404, "This ICP has no draft")                      \
    X(LIST_NOT_FOUND, "list_not_found", 404, "No such list")                                 \
    X(LEAD_NOT_FOUND, "lead_not_found", 404, "No such lead")                                 \
    X(KEY_NOT_FOUND, "key_not_found", 404, "No such API key")                                \
    X(SOURCE_NOT_FOUND, "source_not_found", 404, "No such source")                           \
    X(SUBSCRIPTION_NOT_FOUND, "subscription_not_found", 404, "No such subscription")         \
    X(DELIVERY_NOT_FOUND, "delivery_not_found", 404, "No such delivery")                     \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "Method not allowed here")              \
    X(REQUEST_TIMEOUT, "request_timeout", 408, "The request took too long to arrive")        \
    X(ICP_ARCHIVED, "icp_archived", 409, "This ICP is archived")                             \
    X(NO_ACTIVE_ICP, "no_active_icp", 409, "No active ICP")                                  \
    X(LIST_IN_USE, "list_in_use", 409, "An active ICP uses this list")                       \
    X(CONFLICT, "conflict", 409, "In conflict with what is there")                           \
    X(IN_FLIGHT, "in_flight", 409, "The first request with this key is under way")           \
    X(ERASED, "erased", 410, "Erased")                                                       \
    X(PRECONDITION_FAILED, "precondition_failed", 412, "Changed in the meantime")            \
    X(BODY_TOO_LARGE, "body_too_large", 413, "Body too large")                               \
    X(URL_TOO_LONG, "url_too_long", 414, "URL too long")                                     \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, "Unsupported content type")     \
    X(EXPECTATION_FAILED, "expectation_failed", 417, "Expectation not supported")            \
    X(INVALID_REQUEST, "invalid_request", 422, "The request does not say what it should")    \
    X(INVALID_DEFINITION, "invalid_definition", 422, "The ICP definition has errors")        \
    X(KEY_REUSED, "key_reused", 422, "The idempotency key stands for another request")       \
    X(UNMAPPED, "unmapped", 422, "The payload holds no lead")                                \
    X(LINT_ERRORS, "lint_errors", 422, "The draft has errors")                               \
    X(GRADE_CHANGE_TOO_LARGE, "grade_change_too_large", 422, "Too many grades would change") \
    X(PRECONDITION_REQUIRED, "precondition_required", 428, "Say which draft is meant")       \
    X(RATE_LIMITED, "rate_limited", 429, "Too many requests")                                \
    X(HEADERS_TOO_LARGE, "headers_too_large", 431, "Headers too large")                      \
    /* what we cannot do now */                                                              \
    X(INTERNAL, "internal", 500, "Internal error")                                           \
    X(NOT_READY, "not_ready", 503, "Not ready")                                              \
    X(BUSY, "busy", 503, "Too busy now")                                                     \
    X(OUT_OF_MEMORY, "out_of_memory", 503, "Out of memory")                                  \
    X(STORAGE_FULL, "storage_full", 507, "No space left to record")                          \
    /* the storage itself; a client sees these as 500 or 503 */                              \
    X(STORAGE_FAILED, "storage_failed", 500, "The storage failed")                           \
    X(STORAGE_CORRUPT, "storage_corrupt", 500, "The database is damaged")                    \
    X(STORAGE_NEWER, "storage_newer", 500, "The database was written by a newer leadfit")    \
    X(STORAGE_IN_USE, "storage_in_use", 503, "The database is in use")                       \
    /* the command line */                                                                   \
    X(USAGE, "usage", 400, "Wrong usage")                                                    \
    X(CONFIG, "config", 400, "Wrong configuration")                                          \
    X(FILE, "file", 400, "A file could not be read or written")

enum lf_status {
#define LF_X(name, word, http, title) LF_##name,
    LF_STATUS_LIST(LF_X)
#undef LF_X
        LF_STATUS_COUNT
};

enum { LF_DETAIL_MAX = 320, LF_POINTER_MAX = 256 };

/* One failure, told to a person: what happened, where, and what to do. */
struct lf_error {
    enum lf_status status;
    int64_t offset;               /* byte offset into the input, or -1 */
    char pointer[LF_POINTER_MAX]; /* JSON pointer into the input, "" for the whole of it */
    char detail[LF_DETAIL_MAX];   /* one sentence, UTF-8, cut at a character where it is too long */
};

#define LF_MUST_CHECK __attribute__((warn_unused_result))
#define LF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* The stable word for a status, such as "invalid_json". Static. */
const char *lf_status_word(enum lf_status status);

/* The HTTP status code, 200..599. */
int lf_status_http(enum lf_status status);

/* The title of the problem. Static. */
const char *lf_status_title(enum lf_status status);

/* Fills *error (which may be NULL) and returns status, so that a failure is one line: `return lf_fail(error, …)`.
 * The pointer is "", the offset -1. */
enum lf_status lf_fail(struct lf_error *error, enum lf_status status, const char *format, ...) LF_PRINTF(3, 4);

/* The same with a JSON pointer (NULL counts as "") and a byte offset (-1 for none). */
enum lf_status lf_fail_at(struct lf_error *error, enum lf_status status, const char *pointer, int64_t offset,
                          const char *format, ...) LF_PRINTF(5, 6);

#endif
