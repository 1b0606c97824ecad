/* request.c - see request.h: a request's life, and what a handler reads of it. Requests are kept by their worker with
 * their arenas, so that in the steady state none of this allocates. */
#include "http/internal.h"

#include "base/time.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

struct lf_request *
lf_request_take(struct lf_worker *worker, struct lf_slot *slot, const char *target)
{
    struct lf_request *request = worker->kept;
    /* One byte more than allowed, so that the guard sees what is too long. */
    size_t target_len = strnlen(target, LF_TARGET_MAX + 1);

    if (request != NULL) {
        worker->kept = request->next_kept;
        worker->kept_count--;
    } else {
        request = malloc(sizeof *request);
        if (request == NULL)
            return NULL;
        request->arena = lf_arena_create(LF_REQUEST_CHUNK, worker->server->arena_max);
        if (request->arena == NULL) {
            free(request);
            return NULL;
        }
    }
    request->next_kept = NULL;
    request->worker = worker;
    request->scratch = worker->scratch;
    request->slot = slot;
    request->connection = NULL;
    request->stage = LF_STAGE_HEAD;
    request->route = NULL;
    request->method = "";
    request->refusal = NULL;
    request->guarded = false;
    request->header_count = request->param_count = request->query_count = request->reply_header_count = 0;
    request->retry_after = "1";
    request->framing = (struct lf_framing){.content_length = -1};
    request->identity = (struct lf_identity){0};
    request->id[0] = '\0';
    lf_buf_init(&request->body, request->arena, worker->server->options.max_body);
    request->resumed = NULL;
    request->data = NULL;
    request->status = 0;
    request->answer_bytes = 0;
    request->begun_ns = lf_time_monotonic_ns();
    request->target = lf_arena_copy(request->arena, target, target_len);
    return request;
}

void
lf_request_release(struct lf_request *request)
{
    struct lf_worker *worker = request->worker;

    if (worker->kept_count < LF_REQUESTS_KEPT) {
        lf_arena_reset(request->arena);
        request->next_kept = worker->kept;
        worker->kept = request;
        worker->kept_count++;
        return;
    }
    lf_arena_destroy(request->arena);
    free(request);
}

void
lf_request_free_kept(struct lf_worker *worker)
{
    while (worker->kept != NULL) {
        struct lf_request *next = worker->kept->next_kept;
        lf_arena_destroy(worker->kept->arena);
        free(worker->kept);
        worker->kept = next;
    }
    worker->kept_count = 0;
}

struct lf_arena *
lf_request_arena(struct lf_request *request)
{
    return request->arena;
}

struct lf_arena *
lf_request_scratch(struct lf_request *request)
{
    return request->scratch;
}

const char *
lf_request_id(const struct lf_request *request)
{
    return request->id;
}

const struct lf_identity *
lf_request_identity(const struct lf_request *request)
{
    return &request->identity;
}

const char *
lf_request_target(const struct lf_request *request)
{
    return request->target;
}

static const char *
find(const struct lf_param *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    }
    return NULL;
}

const char *
lf_request_param(const struct lf_request *request, const char *name)
{
    return find(request->params, request->param_count, name);
}

const char *
lf_request_query(const struct lf_request *request, const char *name)
{
    return find(request->query, request->query_count, name);
}

bool
lf_request_allow_query(struct lf_request *request, const char *const *names)
{
    for (size_t i = 0; i < request->query_count; i++) {
        const char *const *name = names;
        struct lf_error error;

        while (*name != NULL && strcmp(*name, request->query[i].name) != 0)
            name++;
        if (*name != NULL)
            continue;
        lf_fail(&error, LF_INVALID_PARAMETER, "There is no query parameter `%.64s` here.", request->query[i].name);
        lf_reply_problem(request, &error);
        return false;
    }
    return true;
}

const char *
lf_request_header(const struct lf_request *request, const char *name)
{
    char lower[64];
    size_t len = strlen(name);

    if (len >= sizeof lower)
        return NULL;
    for (size_t i = 0; i < len; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    for (size_t i = 0; i < request->header_count; i++) {
        if (lf_header_is(&request->headers[i], lower, len))
            return request->headers[i].value;
    }
    return NULL;
}

const char *
lf_request_body(const struct lf_request *request, size_t *ret_len)
{
    *ret_len = request->body.len;
    return request->body.len > 0 ? request->body.data : "";
}

void
lf_request_set_data(struct lf_request *request, void *data)
{
    request->data = data;
}

void *
lf_request_data(const struct lf_request *request)
{
    return request->data;
}

void
lf_request_suspend(struct lf_request *request, lf_handler resumed)
{
    assert(request->stage == LF_STAGE_BODY || request->stage == LF_STAGE_HANDLER); /* not the desk */
    request->resumed = resumed;
    request->stage = LF_STAGE_SUSPENDED;
    atomic_fetch_add(&request->worker->server->suspended, 1);
    MHD_suspend_connection(request->connection);
}

void
lf_request_resume(struct lf_request *request)
{
    lf_worker_resume(request);
}
