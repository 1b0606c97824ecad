/* admit.c - decides at a request's head whether it may go on: guard, route, query, key, announced body. What is
 * refused here costs no body. Nothing is answered here; reply.c does that. */
#include "http/internal.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

static enum MHD_Result
collect(void *context, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
    struct lf_request *request = context;

    (void)kind;
    if (request->header_count < LF_HEADERS_MAX)
        request->headers[request->header_count] = (struct lf_header){.name = name != NULL ? name : "",
                                                                     .value = value != NULL ? value : "",
                                                                     .name_len = name_len,
                                                                     .value_len = value_len};
    request->header_count++;
    return request->header_count > LF_HEADERS_MAX ? MHD_NO : MHD_YES;
}

static bool
is_sane_id(const char *id)
{
    size_t len = strnlen(id, LF_REQUEST_ID_MAX + 1);

    return len >= 1 && len <= LF_REQUEST_ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static void
set_id(struct lf_request *request)
{
    static const char DIGITS[] = "0123456789abcdefghijklmnopqrstuv";
    const char *theirs = lf_request_header(request, "x-request-id");
    struct lf_worker *worker = request->worker;
    char number[16], *at = number + sizeof number;
    uint64_t rest = ++worker->id_count;
    size_t prefix = strlen(worker->id_prefix);

    if (theirs != NULL && is_sane_id(theirs)) {
        memcpy(request->id, theirs, strlen(theirs) + 1);
        return;
    }
    *--at = '\0';
    do {
        *--at = DIGITS[rest & 31];
        rest >>= 5;
    } while (rest != 0);
    memcpy(request->id, worker->id_prefix, prefix);
    memcpy(request->id + prefix, at, (size_t)(number + sizeof number - at));
}

static enum lf_status
find_route(struct lf_request *request, struct lf_error *error)
{
    struct lf_match match;
    const char *question = strchr(request->target, '?');
    size_t path_len = question != NULL ? (size_t)(question - request->target) : strlen(request->target);
    enum lf_status status = LF_OK;

    switch (lf_router_match(request->worker->server->router, request->method, request->target, path_len, &match)) {
    case LF_MATCH_NO_PATH:
        return lf_fail(error, LF_NOT_FOUND, "There is nothing at this path.");
    case LF_MATCH_NO_METHOD:
        lf_reply_header(request, "Allow", match.allow);
        return lf_fail(error, LF_METHOD_NOT_ALLOWED, "This path takes %s.", match.allow);
    case LF_MATCH_ROUTE:
        break;
    }
    request->route = match.route;
    for (size_t i = 0; i < match.param_count; i++) {
        char *value = NULL;
        status = lf_url_decode(request->arena, match.params[i].raw, match.params[i].raw_len, false, &value,
                               &request->params[i].value_len, error);
        if (status != LF_OK)
            return status;
        request->params[i].name = match.params[i].name;
        request->params[i].value = value;
        request->param_count++;
    }
    if (question == NULL)
        return LF_OK;
    return lf_query_parse(request->arena, question + 1, strlen(question + 1), request->query, &request->query_count,
                          error);
}

static enum lf_status
refuse_key(struct lf_request *request, const char *detail, struct lf_error *error)
{
    lf_reply_header(request, "WWW-Authenticate", "Bearer realm=\"leadfit\"");
    return lf_fail(error, LF_UNAUTHORIZED, "%s", detail);
}

/* Authorization: Bearer …, or X-Api-Key; both only where they say the same. */
enum lf_status
lf_request_authorize(struct lf_request *request, uint32_t scope, struct lf_error *error)
{
    const struct lf_server_options *options = &request->worker->server->options;
    const char *authorization = lf_request_header(request, "authorization");
    const char *plain = lf_request_header(request, "x-api-key"), *token = plain;
    enum lf_status status = LF_UNAUTHORIZED;

    if (authorization != NULL) {
        if (strncasecmp(authorization, "bearer ", 7) != 0)
            return refuse_key(request, "The Authorization header must be `Bearer` and a key.", error);
        token = authorization + 7 + strspn(authorization + 7, " ");
        if (plain != NULL && strcmp(plain, token) != 0)
            return refuse_key(request, "Authorization and X-Api-Key name different keys.", error);
    }
    if (token == NULL || token[0] == '\0')
        return refuse_key(request, "Send an API key: `Authorization: Bearer lf_...` or `X-Api-Key: lf_...`.", error);
    if (options->authenticate != NULL)
        status = options->authenticate(options->context, token, &request->identity);
    if (status != LF_OK) {
        request->identity = (struct lf_identity){0};
        if (status == LF_RATE_LIMITED)
            return lf_fail(error, status, "This key has used up its rate: wait a second, or spread the calls.");
        if (status == LF_OUT_OF_MEMORY)
            return lf_fail(error, status, "Out of memory while checking the key.");
        return refuse_key(request, "This API key is unknown, revoked or expired.", error);
    }
    if ((request->identity.scopes & scope) != scope)
        return lf_fail(error, LF_FORBIDDEN, "The key is good, but has not the scope that this operation asks for.");
    return LF_OK;
}

/* What a route takes beside JSON, and how it is told. */
static const struct {
    const char *type; /* NULL: nothing */
    const char *detail;
} BODIES[] = {
    [LF_BODY_NONE] = {NULL, ""},
    [LF_BODY_JSON] = {NULL, "This operation takes JSON: send `Content-Type: application/json` (curl: --json)."},
    [LF_BODY_TEXT] = {"text/plain", "This operation takes JSON or plain text: send `Content-Type: application/json` "
                                    "(curl: --json) or `Content-Type: text/plain`."},
    [LF_BODY_LINES] = {"application/x-ndjson",
                       "This operation takes JSON, or JSON lines: send `Content-Type: application/json` (curl: --json) "
                       "or `Content-Type: application/x-ndjson`."},
};

/* application/json, application/<something>+json, or the other one, parameters aside. */
static bool
is_taken(const char *value, const char *other)
{
    size_t len = strcspn(value, "; \t");
    const char *rest = value + len + strspn(value + len, " \t");

    if (*rest != '\0' && *rest != ';')
        return false;
    if (len == 16 && strncasecmp(value, "application/json", 16) == 0)
        return true;
    if (other != NULL && len == strlen(other) && strncasecmp(value, other, len) == 0)
        return true;
    return len > 17 && strncasecmp(value, "application/", 12) == 0 && strncasecmp(value + len - 5, "+json", 5) == 0;
}

/* A body above the server's limit may take longer than the request's timeout. */
static void
allow_time(struct lf_request *request)
{
    size_t usual = request->worker->server->options.max_body;
    size_t most = request->framing.content_length >= 0 ? (size_t)request->framing.content_length : request->body.max;

    if (request->framing.has_body && most > usual)
        atomic_store_explicit(&request->slot->receive_more_ms, (int64_t)((most - usual) / LF_RECEIVE_BYTES_PER_MS),
                              memory_order_relaxed);
}

static enum lf_status
check_body(struct lf_request *request, struct lf_error *error)
{
    const struct lf_framing *framing = &request->framing;
    const struct lf_route *route = request->route;
    size_t max_body = route->max_body > 0 ? route->max_body : request->worker->server->options.max_body;
    const char *type = lf_request_header(request, "content-type");
    const char *encoding = lf_request_header(request, "content-encoding");

    if (route->body == LF_BODY_NONE) {
        /* A chunked body may yet turn out to be empty; it is judged as it arrives. */
        request->body.max = 0;
        if (framing->content_length > 0)
            return lf_fail(error, LF_BODY_TOO_LARGE, "This operation takes no body.");
        return LF_OK;
    }
    request->body.max = max_body;
    if (framing->content_length > 0 && (uint64_t)framing->content_length > max_body)
        return lf_fail(error, LF_BODY_TOO_LARGE, "A body may have %zu bytes here.", max_body);
    if (type != NULL && !is_taken(type, BODIES[route->body].type))
        return lf_fail(error, LF_UNSUPPORTED_MEDIA_TYPE, "%s", BODIES[route->body].detail);
    if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
        return lf_fail(error, LF_UNSUPPORTED_MEDIA_TYPE, "A body must come unencoded (no Content-Encoding).");
    if (framing->content_length > 0 && lf_buf_reserve(&request->body, (size_t)framing->content_length) == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the body.");
    allow_time(request);
    return LF_OK;
}

enum lf_status
lf_admit(struct lf_request *request, const char *method, const char *version, struct lf_error *error)
{
    struct lf_head head = {.method = method, .target = request->target, .version = version};
    enum lf_status status = LF_OK;

    (void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, collect, request);
    head.headers = request->headers;
    head.header_count = request->header_count;
    if (request->header_count > LF_HEADERS_MAX)
        request->header_count = LF_HEADERS_MAX;
    request->method = method;
    set_id(request);
    if (request->target == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the request.");
    status = lf_guard_check(&head, &request->framing, error);
    request->guarded = status == LF_OK;
    if (status == LF_OK)
        status = find_route(request, error);
    if (status == LF_OK && request->route->scope != 0)
        status = lf_request_authorize(request, request->route->scope, error);
    if (status == LF_OK)
        status = check_body(request, error);
    return status;
}
