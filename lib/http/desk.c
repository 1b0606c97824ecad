/*
 * desk.c - the desk: a few threads of the server for handlers that wait for the disk or take their time, so that the
 * HTTP threads never do. A worker lays a whole request down here, suspended; the handler runs on a thread of the desk
 * and its answer is noted; the request then goes back to its worker, the only one that may speak to the library.
 *
 * The queue is first come, first served, and bounded: whoever finds it full is told so at once. It knows no deadlines
 * but that of the stop, behind which nothing begins any more; a handler that hangs keeps its thread, and the stop waits
 * for it. A client that hangs up does not end its handler. The threads stand back behind all others where the processor
 * is short: whoever waits for a score waits for it alone.
 */
#include "http/internal.h"

#include "base/time.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The step after the resume, on the worker's thread. */
static void
say_noted(struct lf_request *request, void *context)
{
    (void)context;
    lf_reply_noted(request);
}

bool
lf_desk_take(struct lf_desk *desk, struct lf_request *request)
{
    bool full = false;

    (void)pthread_mutex_lock(&desk->lock);
    full = desk->waiting >= desk->server->options.desk_queue;
    if (!full)
        desk->waiting++; /* its place is kept while it is suspended */
    (void)pthread_mutex_unlock(&desk->lock);
    if (full)
        return false;
    lf_request_suspend(request, say_noted);
    request->next_at_desk = NULL;
    (void)pthread_mutex_lock(&desk->lock);
    if (desk->last == NULL)
        desk->first = request;
    else
        desk->last->next_at_desk = request;
    desk->last = request;
    (void)pthread_cond_signal(&desk->changed);
    (void)pthread_mutex_unlock(&desk->lock);
    return true;
}

/* The next request, waiting for one; NULL at the end, when none is left. */
static struct lf_request *
next_request(struct lf_desk *desk)
{
    struct lf_request *request = NULL;

    (void)pthread_mutex_lock(&desk->lock);
    while (desk->first == NULL && !desk->ending)
        (void)pthread_cond_wait(&desk->changed, &desk->lock);
    request = desk->first;
    if (request != NULL) {
        desk->first = request->next_at_desk;
        if (desk->first == NULL)
            desk->last = NULL;
        desk->waiting--;
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return request;
}

/* The answer to what has waited too long at the stop. */
static void
say_stopping(struct lf_request *request)
{
    struct lf_error error;

    lf_fail(&error, LF_NOT_READY, "The service is stopping, and this had not begun.");
    lf_reply_problem(request, &error);
}

static void *
run_clerk(void *context)
{
    struct lf_clerk *clerk = context;
    struct lf_desk *desk = clerk->desk;
    struct lf_request *request = NULL;

    (void)!nice(LF_DESK_NICE); /* on Linux it is the thread's own, and may always be raised */
    while ((request = next_request(desk)) != NULL) {
        struct lf_arena *scratch = request->scratch;

        request->stage = LF_STAGE_DESK;
        request->scratch = clerk->scratch;
        if (lf_time_monotonic_ns() < atomic_load(&desk->server->desk_until_ns))
            request->route->handle(request, desk->server->options.context);
        else
            say_stopping(request);
        if (request->stage == LF_STAGE_DESK)
            lf_reply_missing(request);
        assert(request->stage == LF_STAGE_NOTED); /* and so it was not suspended either */
        request->scratch = scratch;
        request->stage = LF_STAGE_SUSPENDED; /* again its worker's: to be resumed, or given up with its connection */
        lf_request_resume(request);
        lf_arena_reset(clerk->scratch);
    }
    return NULL;
}

enum lf_status
lf_desk_open(struct lf_desk *desk, struct lf_server *server, struct lf_error *error)
{
    desk->server = server;
    (void)pthread_mutex_init(&desk->lock, NULL); /* neither can fail with default attributes on Linux */
    (void)pthread_cond_init(&desk->changed, NULL);
    desk->made = true;
    while (desk->clerk_count < server->options.desk_threads) {
        struct lf_clerk *clerk = &desk->clerks[desk->clerk_count];
        int failed = 0;

        clerk->desk = desk;
        clerk->scratch = lf_arena_create(LF_REQUEST_CHUNK, server->arena_max);
        if (clerk->scratch == NULL)
            return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for a thread of the desk.");
        failed = pthread_create(&clerk->thread, NULL, run_clerk, clerk);
        if (failed != 0) {
            lf_arena_destroy(clerk->scratch);
            return lf_fail(error, LF_INTERNAL, "Cannot start a thread: %s.", strerror(failed));
        }
        (void)pthread_setname_np(clerk->thread, "lf-desk"); /* for whoever looks at the process */
        desk->clerk_count++;
    }
    return LF_OK;
}

void
lf_desk_close(struct lf_desk *desk)
{
    if (!desk->made)
        return;
    (void)pthread_mutex_lock(&desk->lock);
    desk->ending = true;
    (void)pthread_cond_broadcast(&desk->changed);
    (void)pthread_mutex_unlock(&desk->lock);
    for (unsigned i = 0; i < desk->clerk_count; i++) {
        (void)pthread_join(desk->clerks[i].thread, NULL);
        lf_arena_destroy(desk->clerks[i].scratch);
    }
    (void)pthread_cond_destroy(&desk->changed);
    (void)pthread_mutex_destroy(&desk->lock);
    desk->clerk_count = 0;
    desk->made = false;
}
