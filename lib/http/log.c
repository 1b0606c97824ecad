/* log.c - one line for each request, as the server is told to: the route's template, never the path, and of the
 * caller the key's public id alone. */
#include "base/log.h"
#include "http/internal.h"

#include "base/time.h"

/* Whether this answer is worth a line. A broken connection (0) is no failure of ours: only ALL tells of it. */
static bool
is_wanted(const struct lf_server *server, int status)
{
    switch (server->options.log_requests) {
    case LF_LOG_REQUESTS_ALL:
        return true;
    case LF_LOG_REQUESTS_FAILED:
        return status >= 400;
    case LF_LOG_REQUESTS_NONE:
        break;
    }
    return false;
}

static void
observe(const struct lf_server *server, const struct lf_route *route, int status, int64_t duration_ns)
{
    const struct lf_server_options *options = &server->options;
    struct lf_observation observation = {
        .method = route != NULL ? route->method : "",
        .route = route != NULL ? route->path : "",
        .route_index = route != NULL ? (size_t)(route - options->routes) : options->route_count,
        .status = status,
        .duration_us = duration_ns / 1000,
    };

    if (options->observe != NULL)
        options->observe(options->context, &observation);
}

void
lf_request_log(const struct lf_request *request)
{
    const struct lf_server *server = request->worker->server;
    const struct lf_route *route = request->route;
    enum lf_log_level level = request->status >= 500 ? LF_LOG_WARN : LF_LOG_INFO;
    int64_t duration_ns = lf_time_monotonic_ns() - request->begun_ns;

    observe(server, route, request->status, duration_ns);
    if (!is_wanted(server, request->status))
        return;
    lf_log(level, "request", lf_log_text("method", route != NULL ? route->method : ""),
           lf_log_text("route", route != NULL ? route->path : ""), lf_log_int("status", request->status),
           lf_log_ms("duration_ms", duration_ns), lf_log_int("bytes_in", (int64_t)request->body.len),
           lf_log_int("bytes_out", (int64_t)request->answer_bytes), lf_log_text("request_id", request->id),
           lf_log_text("key", request->identity.key_id));
}

void
lf_door_log(const struct lf_server *server, const char *id, const struct lf_error *error)
{
    int status = lf_status_http(error->status);

    observe(server, NULL, status, 0);
    if (is_wanted(server, status))
        lf_log(LF_LOG_INFO, "request", lf_log_text("method", ""), lf_log_text("route", ""),
               lf_log_int("status", status), lf_log_text("request_id", id));
}
