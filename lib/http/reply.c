/* reply.c - every answer there is: JSON, bytes, nothing, and problems (RFC 9457; base/problem.h writes them).
 *
 * An answer normally goes out through libmicrohttpd, its bytes where they lie. Two kinds are written to the socket by
 * ourselves, because libmicrohttpd cannot queue an answer while a body is still arriving: a refusal before the body's
 * end, by the connection's own worker, and the door's last words to a request that took too long. */
#include "http/internal.h"

#include "base/problem.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

enum {
    PROBLEM_MAX = 4 * 1024 * 1024 /* LF_FINDINGS_MAX findings with long pointers stay far below */
};

static const char JSON_TYPE[] = "application/json", PROBLEM_TYPE[] = "application/problem+json";

/* What is said when there is no memory left to say it better. */
static const char NO_MEMORY[] = "{\"type\":\"/problems/out_of_memory\",\"title\":\"Out of memory\",\"status\":503,"
                                "\"detail\":\"There is no memory for this answer now.\",\"instance\":\"\","
                                "\"code\":\"out_of_memory\",\"request_id\":\"\",\"errors\":[]}";

/* ---- through the library ---- */

void
lf_reply_header(struct lf_request *request, const char *name, const char *value)
{
    const char *kept_name = NULL, *kept_value = NULL;

    assert(request->reply_header_count < LF_REPLY_HEADERS_MAX);
    kept_name = lf_arena_copy(request->arena, name, strlen(name));
    kept_value = lf_arena_copy(request->arena, value, strlen(value));
    if (kept_name == NULL || kept_value == NULL || request->reply_header_count == LF_REPLY_HEADERS_MAX)
        return; /* an answer without it is better than none */
    request->reply_headers[request->reply_header_count].name = kept_name;
    request->reply_headers[request->reply_header_count].value = kept_value;
    request->reply_header_count++;
}

void
lf_reply_retry_after(struct lf_request *request, const char *value)
{
    request->retry_after = value;
}

static bool
has_reply_header(const struct lf_request *request, const char *name)
{
    for (size_t i = 0; i < request->reply_header_count; i++) {
        if (strcasecmp(request->reply_headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool
wants_retry_after(int http_status)
{
    return http_status == 429 || http_status == 503 || http_status == 507;
}

static bool
add_headers(struct lf_request *request, struct MHD_Response *response, int http_status, const char *content_type)
{
    bool added = true;

    if (content_type != NULL)
        added = MHD_add_response_header(response, "Content-Type", content_type) == MHD_YES;
    added = added && MHD_add_response_header(response, "X-Request-Id", request->id) == MHD_YES &&
            MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
    if (!has_reply_header(request, "Cache-Control"))
        added = added && MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES;
    if (wants_retry_after(http_status) && !has_reply_header(request, "Retry-After"))
        added = added && MHD_add_response_header(response, "Retry-After", request->retry_after) == MHD_YES;
    if (atomic_load_explicit(&request->worker->server->draining, memory_order_relaxed))
        added = added && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    for (size_t i = 0; i < request->reply_header_count; i++)
        added = added && MHD_add_response_header(response, request->reply_headers[i].name,
                                                 request->reply_headers[i].value) == MHD_YES;
    return added;
}

/* The end of every answer through the library, on the worker's thread. bytes stay where they are until the answer is
 * sent. Where even this fails, memory is out: the connection is closed without a word. */
static void
queue(struct lf_request *request, int http_status, const char *content_type, const void *bytes, size_t len)
{
    /* Sent from where it lies, not written to: the library's parameter merely lacks the const. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
    struct lf_slot *slot = request->slot;

    assert(request->stage == LF_STAGE_HANDLER);
    request->stage = LF_STAGE_BROKEN;
    if (response == NULL)
        return;
    if (add_headers(request, response, http_status, content_type)) {
        atomic_store_explicit(&slot->since_ms, lf_http_now_ms(), memory_order_relaxed);
        atomic_store_explicit(&slot->send_limit_ms,
                              request->worker->server->options.request_timeout_ms +
                                  (int64_t)(len / LF_SEND_BYTES_PER_MS),
                              memory_order_relaxed);
        atomic_store_explicit(&slot->phase, LF_PHASE_SENDING, memory_order_release);
        if (MHD_queue_response(request->connection, (unsigned)http_status, response) == MHD_YES) {
            request->stage = LF_STAGE_ANSWERED;
            request->status = http_status;
            request->answer_bytes = len;
        }
    }
    MHD_destroy_response(response);
}

static void
answer(struct lf_request *request, int http_status, const char *content_type, const void *bytes, size_t len)
{
    if (request->stage != LF_STAGE_DESK) {
        queue(request, http_status, content_type, bytes, len);
        return;
    }
    request->noted.http_status = http_status;
    request->noted.content_type = content_type;
    request->noted.bytes = bytes;
    request->noted.len = len;
    request->stage = LF_STAGE_NOTED;
}

void
lf_reply_noted(struct lf_request *request)
{
    queue(request, request->noted.http_status, request->noted.content_type, request->noted.bytes, request->noted.len);
}

void
lf_reply_json(struct lf_request *request, int http_status, const struct lf_buf *body)
{
    if (lf_buf_failed(body)) {
        answer(request, 503, PROBLEM_TYPE, NO_MEMORY, sizeof NO_MEMORY - 1);
        return;
    }
    answer(request, http_status, JSON_TYPE, body->data, body->len);
}

void
lf_reply_bytes(struct lf_request *request, int http_status, const char *content_type, const void *bytes, size_t len)
{
    answer(request, http_status, content_type, bytes, len);
}

void
lf_reply_empty(struct lf_request *request, int http_status)
{
    answer(request, http_status, NULL, "", 0);
}

void
lf_reply_findings(struct lf_request *request, const struct lf_error *error, const struct lf_findings *findings)
{
    struct lf_buf buf;

    lf_buf_init(&buf, request->arena, PROBLEM_MAX);
    lf_problem_put(&buf, error, request->id, findings);
    if (lf_buf_failed(&buf) || (findings != NULL && findings->out_of_memory))
        answer(request, 503, PROBLEM_TYPE, NO_MEMORY, sizeof NO_MEMORY - 1);
    else
        answer(request, lf_status_http(error->status), PROBLEM_TYPE, buf.data, buf.len);
}

void
lf_reply_problem(struct lf_request *request, const struct lf_error *error)
{
    lf_reply_findings(request, error, NULL);
}

void
lf_reply_missing(struct lf_request *request)
{
    struct lf_error error;

    lf_fail(&error, LF_INTERNAL, "The operation gave no answer.");
    lf_reply_problem(request, &error);
}

/* ---- past the library ---- */

static void
put_head(struct lf_buf *buf, int http_status, const char *id, size_t body_len)
{
    char date[160]; /* as far as the compiler can tell a year may have eleven digits */
    time_t now = time(NULL);
    struct tm utc;

    /* Names of days and months are written out: strftime would take them from the locale. */
    static const char DAYS[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char MONTHS[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (gmtime_r(&now, &utc) == NULL)
        memset(&utc, 0, sizeof utc);
    (void)snprintf(date, sizeof date, "%s, %02d %s %04d %02d:%02d:%02d GMT", DAYS[utc.tm_wday], utc.tm_mday,
                   MONTHS[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    lf_buf_printf(buf,
                  "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Type: %s\r\nX-Request-Id: %s\r\n"
                  "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nContent-Length: %zu\r\n",
                  http_status, MHD_get_reason_phrase_for((unsigned)http_status), date, PROBLEM_TYPE, id, body_len);
    if (wants_retry_after(http_status))
        lf_buf_lit(buf, "Retry-After: 1\r\n");
}

void
lf_reply_refusal(struct lf_request *request, const struct lf_error *error)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct lf_buf problem, text;

    request->stage = LF_STAGE_BROKEN;
    request->slot->linger = true;
    /* Where the door has given the request up, the socket is the door's. */
    if (info == NULL || !lf_slot_move(request->slot, LF_PHASE_RECEIVING, LF_PHASE_SENDING))
        return;
    lf_buf_init(&problem, request->arena, PROBLEM_MAX);
    lf_problem_put(&problem, error, request->id, NULL);
    if (lf_buf_failed(&problem)) /* then the status line must do */
        problem.len = 0;
    lf_buf_init(&text, request->arena, PROBLEM_MAX);
    put_head(&text, lf_status_http(error->status), request->id, problem.len);
    for (size_t i = 0; i < request->reply_header_count; i++)
        lf_buf_printf(&text, "%s: %s\r\n", request->reply_headers[i].name, request->reply_headers[i].value);
    lf_buf_lit(&text, "\r\n");
    if (strcmp(request->method, "HEAD") != 0 && problem.len > 0)
        lf_buf_add(&text, problem.data, problem.len);
    request->status = lf_status_http(error->status);
    request->answer_bytes = problem.len;
    /* A few hundred bytes into an empty send buffer: they fit, or the client is gone. */
    if (!lf_buf_failed(&text))
        (void)send(info->connect_fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

size_t
lf_refusal_text(const char *id, const struct lf_error *error, char *text, size_t size)
{
    struct lf_buf problem, whole;
    size_t len = 0;

    lf_buf_init(&problem, NULL, size);
    lf_buf_init(&whole, NULL, size);
    lf_problem_put(&problem, error, id, NULL);
    put_head(&whole, lf_status_http(error->status), id, problem.len);
    lf_buf_lit(&whole, "\r\n");
    if (!lf_buf_failed(&problem))
        lf_buf_add(&whole, problem.data, problem.len);
    if (!lf_buf_failed(&problem) && !lf_buf_failed(&whole)) {
        memcpy(text, whole.data, whole.len);
        len = whole.len;
    }
    lf_buf_finish(&problem);
    lf_buf_finish(&whole);
    return len;
}
