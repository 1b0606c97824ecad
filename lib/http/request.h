/*
 * request.h - what a handler sees of a request, and how it answers.
 *
 * A handler is called once, when the whole request has arrived and passed the guard, the router and the key check.
 * It must do exactly one of two things before it returns: answer (one of lf_reply_…), or suspend. After a suspend any
 * thread may resume the request, once; the function given to lf_request_suspend then runs on the request's own HTTP
 * thread and must answer. Where the client has hung up in the meantime it is not called: what must be given back in any
 * case is given back before the suspend, or lives in the request's arena.
 *
 * On the desk (LF_LANE_DESK, http/server.h) a handler may wait, always answers and never suspends; it runs to its end
 * also when its client hangs up meanwhile.
 *
 * All pointers from here are borrowed from the request and live until its answer has been sent. A request belongs to
 * its HTTP thread; while it is suspended, to whoever will resume it; on the desk, to its handler's thread.
 */
#ifndef LF_HTTP_REQUEST_H
#define LF_HTTP_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/findings.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_request;

typedef void (*lf_handler)(struct lf_request *request, void *context);

/* Who asks. Filled by the authenticator; scopes are bits that only the routes and the authenticator understand. */
struct lf_identity {
    char key_id[32]; /* the public id of the key, "" for an open route */
    uint32_t scopes;
};

/* The request's arena: everything about it is in there, and goes with it. */
struct lf_arena *lf_request_arena(struct lf_request *request);

/* Memory for the time of one call of a handler: it is the thread's, and forgotten when the handler returns, also
 * when it has suspended. What is needed only to find the answer goes here and stays in the processor's cache; what
 * outlives the call (the answer, what was given to another thread) goes into the request's arena. */
struct lf_arena *lf_request_scratch(struct lf_request *request);

/* The caller's id where it sent a sane one (1..64 of [A-Za-z0-9._-]), else one of ours. */
const char *lf_request_id(const struct lf_request *request);

const struct lf_identity *lf_request_identity(const struct lf_request *request);

/* Lets the request in by the API key that it shows, which must have all bits of the scope, and notes who it is. The
 * server does so for routes with a scope; here for the handler of an open one that finds that it needs a key. It counts
 * against the key's rate. UNAUTHORIZED (the answer has WWW-Authenticate then), FORBIDDEN, RATE_LIMITED, OUT_OF_MEMORY.
 */
enum lf_status lf_request_authorize(struct lf_request *request, uint32_t scope, struct lf_error *error) LF_MUST_CHECK;

/* A decoded path parameter, `key` of "/v1/icps/{key}"; never NULL for a name that stands in the route. */
const char *lf_request_param(const struct lf_request *request, const char *name);

/* A decoded query parameter; NULL where it is absent, "" where it is empty. Doubled ones were refused before. */
const char *lf_request_query(const struct lf_request *request, const char *name);

/* Answers 400 invalid_parameter and returns false when the query has a parameter that is not among these names
 * (NULL-terminated): a slip must not pass silently. */
bool lf_request_allow_query(struct lf_request *request, const char *const *names) LF_MUST_CHECK;

/* A header's value; NULL where it is absent. */
const char *lf_request_header(const struct lf_request *request, const char *name);

/* Path and query as they stood in the request's first line, undecoded. */
const char *lf_request_target(const struct lf_request *request);

/* The body, "" and 0 where there is none. */
const char *lf_request_body(const struct lf_request *request, size_t *ret_len);

/* The handler's own pointer for the time between suspend and resume. */
void lf_request_set_data(struct lf_request *request, void *data);
void *lf_request_data(const struct lf_request *request);

/* Takes the request out of the event loop. To be called before the work is given to another thread, or the resume
 * could be lost. */
void lf_request_suspend(struct lf_request *request, lf_handler resumed);

/* Puts it back. From any thread, once for each suspend; the caller must not touch the request afterwards. */
void lf_request_resume(struct lf_request *request);

/* ---- answers; exactly one ---- */

/* Adds a header to the answer to come. name and value are copied. */
void lf_reply_header(struct lf_request *request, const char *name, const char *value);

/* What Retry-After will say, should the answer to come be one that has it (503, 429, 507): "1", a second, unless this
 * was called, for a client that reads it in its own way. value is static. */
void lf_reply_retry_after(struct lf_request *request, const char *value);

/* Answers with JSON. body lives in the request's arena (or is static) until the answer is sent; a body that failed
 * turns into 503 out_of_memory. */
void lf_reply_json(struct lf_request *request, int http_status, const struct lf_buf *body);

/* Answers with any static or arena-held bytes; content_type is static, too. */
void
lf_reply_bytes(struct lf_request *request, int http_status, const char *content_type, const void *bytes, size_t len);

/* Answers 304 or 204 and such, without a body. */
void lf_reply_empty(struct lf_request *request, int http_status);

/* Answers with application/problem+json (RFC 9457). The one place that writes error replies. An error that has a
 * pointer or an offset is listed in `errors` as well. 503, 429 and 507 get a Retry-After. */
void lf_reply_problem(struct lf_request *request, const struct lf_error *error);

/* The same with every finding under `errors`; with none it is as above. */
void lf_reply_findings(struct lf_request *request, const struct lf_error *error, const struct lf_findings *findings);

#endif
