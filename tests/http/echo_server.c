/*
 * echo_server.c - a small server on lib/http, for test_server.py to drive. It knows nothing of leads.
 *
 *   echo_server [name=value …]    port fd threads connections per_address body desk queue request_ms idle_ms drain_ms
 *                                 log (0 failed, 1 all, 2 none)
 *
 * Prints "ready PORT", the library's version, and serves until SIGTERM; then it drains, prints "cut N observed N", and
 * exits 0. Keys: `good` has scopes 1 and 2, `narrow` has 1, `two` has 2.
 */
#include "base/hash.h"
#include "base/json.h"
#include "http/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the other thread: takes requests from a stack and resumes each when its time has come ---- */

struct job {
    struct lf_request *request;
    int64_t due_ms;
    struct job *next;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *jobs;
    bool ending;
} later = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, false};

static _Atomic unsigned long observed;

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *
run_later(void *context)
{
    (void)context;
    pthread_mutex_lock(&later.lock);
    while (!later.ending || later.jobs != NULL) {
        struct job *due = NULL, **at = &later.jobs;

        while (*at != NULL) {
            struct job *job = *at;
            if (job->due_ms > now_ms() && !later.ending) {
                at = &job->next;
                continue;
            }
            *at = job->next;
            job->next = due;
            due = job;
        }
        if (due == NULL) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 5000000;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            pthread_cond_timedwait(&later.changed, &later.lock, &until);
            continue;
        }
        pthread_mutex_unlock(&later.lock);
        while (due != NULL) {
            struct job *next = due->next; /* the job lies in the request's arena: not to be touched after */
            lf_request_resume(due->request);
            due = next;
        }
        pthread_mutex_lock(&later.lock);
    }
    pthread_mutex_unlock(&later.lock);
    return NULL;
}

static void
do_later(struct lf_request *request, int64_t ms, lf_handler resumed)
{
    struct job *job = lf_arena_alloc(lf_request_arena(request), sizeof *job);

    if (job == NULL)
        abort();
    *job = (struct job){.request = request, .due_ms = ms > 0 ? now_ms() + ms : 0};
    lf_request_suspend(request, resumed);
    pthread_mutex_lock(&later.lock);
    job->next = later.jobs;
    later.jobs = job;
    pthread_cond_signal(&later.changed);
    pthread_mutex_unlock(&later.lock);
}

/* ---- handlers ---- */

static const char OK[] = "{\"ok\":true,\"padding\":\"123456\"}";

static void
handle_ok(struct lf_request *request, void *context)
{
    (void)context;
    lf_reply_bytes(request, 200, "application/json", OK, sizeof OK - 1);
}

static void
handle_echo(struct lf_request *request, void *context)
{
    size_t len = 0;
    const char *body = lf_request_body(request, &len);

    (void)context;
    lf_reply_bytes(request, 200, "application/octet-stream", body, len);
}

static void
handle_later(struct lf_request *request, void *context)
{
    (void)context;
    do_later(request, 0, handle_ok);
}

static void
handle_wait(struct lf_request *request, void *context)
{
    const char *ms = lf_request_query(request, "ms");

    (void)context;
    do_later(request, ms != NULL ? atoi(ms) : 50, handle_echo);
}

static void
again(struct lf_request *request, void *context)
{
    (void)context;
    do_later(request, 1, handle_ok);
}

static void
handle_twice(struct lf_request *request, void *context)
{
    (void)context;
    do_later(request, 1, again);
}

static void
put_member(struct lf_buf *buf, const char *name, const char *value)
{
    lf_buf_char(buf, buf->len > 1 ? ',' : ' ');
    lf_json_put_text(buf, name, strlen(name));
    lf_buf_char(buf, ':');
    lf_json_put_text(buf, value, strlen(value));
}

/* Tells what it was given. */
static void
handle_item(struct lf_request *request, void *context)
{
    static const char *const NAMES[] = {"a", "b", NULL};
    struct lf_buf buf;

    (void)context;
    if (!lf_request_allow_query(request, NAMES))
        return;
    lf_buf_init(&buf, lf_request_arena(request), 1 << 20);
    lf_buf_lit(&buf, "{");
    put_member(&buf, "key", lf_request_param(request, "key"));
    put_member(&buf, "id", lf_request_id(request));
    put_member(&buf, "who", lf_request_identity(request)->key_id);
    if (lf_request_query(request, "a") != NULL)
        put_member(&buf, "a", lf_request_query(request, "a"));
    if (lf_request_query(request, "b") != NULL)
        put_member(&buf, "b", lf_request_query(request, "b"));
    lf_buf_lit(&buf, "}");
    lf_reply_json(request, 200, &buf);
}

static void
handle_large(struct lf_request *request, void *context)
{
    const char *wanted = lf_request_query(request, "bytes");
    size_t bytes = wanted != NULL ? (size_t)atol(wanted) : 1000;
    char *body = lf_arena_alloc(lf_request_arena(request), bytes);
    struct lf_error error;

    (void)context;
    if (body == NULL) {
        lf_fail(&error, LF_OUT_OF_MEMORY, "Too large for the arena.");
        lf_reply_problem(request, &error);
        return;
    }
    memset(body, 'x', bytes);
    lf_reply_header(request, "Cache-Control", "max-age=60");
    lf_reply_bytes(request, 200, "text/plain", body, bytes);
}

static void
handle_findings(struct lf_request *request, void *context)
{
    struct lf_findings findings;
    struct lf_error error;

    (void)context;
    lf_findings_init(&findings, lf_request_arena(request));
    lf_findings_add(&findings, "/definition/attributes/0/weight", "out_of_range", "A \"weight\" is 1 to %d.", 1000);
    lf_findings_add(&findings, "/definition/name", "required", "A name is needed.");
    lf_fail(&error, LF_INVALID_DEFINITION, "Two faults.");
    lf_reply_findings(request, &error, &findings);
}

static void
handle_busy(struct lf_request *request, void *context)
{
    struct lf_error error;

    (void)context;
    lf_fail_at(&error, LF_BUSY, "/lead", 7, "Busy.");
    lf_reply_problem(request, &error);
}

static void
handle_empty(struct lf_request *request, void *context)
{
    (void)context;
    lf_reply_header(request, "ETag", "\"1\"");
    lf_reply_empty(request, 204);
}

/* Breaks its promise. */
static void
handle_nothing(struct lf_request *request, void *context)
{
    (void)request, (void)context;
}

static void
handle_failed(struct lf_request *request, void *context)
{
    struct lf_buf buf;

    (void)context;
    lf_buf_init(&buf, lf_request_arena(request), 4);
    lf_buf_text(&buf, "too much");
    lf_reply_json(request, 200, &buf);
}

/* ---- handlers for the desk ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long released, started, ended; /* released: so many may go on */
    char order[64];                /* the names of those that have begun */
} held = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, ""};

/* Where the handler runs, told in headers. */
static void
tell_thread(struct lf_request *request)
{
    struct lf_arena *scratch = lf_request_scratch(request);
    char name[32] = "";
    sigset_t blocked;

    (void)pthread_getname_np(pthread_self(), name, sizeof name);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    lf_reply_header(request, "X-Thread", name);
    lf_reply_header(request, "X-Signals",
                    sigismember(&blocked, SIGHUP) == 1 && sigismember(&blocked, SIGUSR1) == 1 ? "blocked" : "open");
    lf_reply_header(request, "X-Scratch", lf_arena_used(scratch) == 0 ? "empty" : "used");
    if (lf_arena_alloc(scratch, 100000) == NULL)
        abort();
}

/* Sleeps, and echoes. */
static void
handle_desk(struct lf_request *request, void *context)
{
    const char *ms = lf_request_query(request, "ms"), *type = lf_request_header(request, "Content-Type");
    long wait_ms = ms != NULL ? atol(ms) : 0;
    struct timespec time = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};

    tell_thread(request);
    (void)nanosleep(&time, NULL);
    lf_reply_header(request, "X-Type", type != NULL ? type : "none");
    handle_echo(request, context);
}

/* Waits until it is released. */
static void
handle_held(struct lf_request *request, void *context)
{
    const char *name = lf_request_param(request, "key");

    pthread_mutex_lock(&held.lock);
    held.started++;
    (void)snprintf(held.order + strlen(held.order), sizeof held.order - strlen(held.order), "%.1s", name);
    while (held.released == 0)
        pthread_cond_wait(&held.changed, &held.lock);
    held.released--;
    held.ended++;
    pthread_mutex_unlock(&held.lock);
    handle_item(request, context);
}

static void
handle_release(struct lf_request *request, void *context)
{
    const char *n = lf_request_query(request, "n");

    (void)context;
    pthread_mutex_lock(&held.lock);
    held.released += n != NULL ? atol(n) : 1;
    pthread_cond_broadcast(&held.changed);
    pthread_mutex_unlock(&held.lock);
    lf_reply_empty(request, 204);
}

static void
handle_state(struct lf_request *request, void *context)
{
    struct lf_buf buf;

    (void)context;
    lf_buf_init(&buf, lf_request_arena(request), 1 << 10);
    pthread_mutex_lock(&held.lock);
    lf_buf_printf(&buf, "{\"started\":%ld,\"ended\":%ld,\"order\":\"%s\"}", held.started, held.ended, held.order);
    pthread_mutex_unlock(&held.lock);
    lf_reply_json(request, 200, &buf);
}

/* Tells how long the body is, not what it says. */
static void
handle_measure(struct lf_request *request, void *context)
{
    struct lf_buf buf;
    size_t len = 0;
    const char *body = lf_request_body(request, &len);
    unsigned long sum = 0;

    (void)context;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)body[i];
    lf_buf_init(&buf, lf_request_arena(request), 1 << 10);
    lf_buf_printf(&buf, "{\"bytes\":%zu,\"sum\":%lu}", len, sum % 1000000007);
    lf_reply_json(request, 200, &buf);
}

enum { LARGE = 8 * 1024 * 1024 };

/* clang-format off */
static const struct lf_route ROUTES[] = {
    {"GET", "/open", 0, LF_BODY_NONE, handle_ok, LF_LANE_WORKER, 0},
    {"POST", "/open", 0, LF_BODY_JSON, handle_echo, LF_LANE_WORKER, 0},
    {"POST", "/v1/echo", 1, LF_BODY_JSON, handle_echo, LF_LANE_WORKER, 0},
    {"POST", "/v1/ok", 1, LF_BODY_JSON, handle_ok, LF_LANE_WORKER, 0},
    {"POST", "/v1/later", 1, LF_BODY_JSON, handle_later, LF_LANE_WORKER, 0},
    {"POST", "/v1/wait", 1, LF_BODY_JSON, handle_wait, LF_LANE_WORKER, 0},
    {"POST", "/v1/twice", 1, LF_BODY_JSON, handle_twice, LF_LANE_WORKER, 0},
    {"POST", "/v1/both", 3, LF_BODY_JSON, handle_ok, LF_LANE_WORKER, 0},
    {"GET", "/v1/items/{key}", 1, LF_BODY_NONE, handle_item, LF_LANE_WORKER, 0},
    {"PUT", "/v1/items/{key}", 1, LF_BODY_JSON, handle_item, LF_LANE_WORKER, 0},
    {"PATCH", "/v1/items/{key}", 1, LF_BODY_JSON, handle_item, LF_LANE_WORKER, 0},
    {"DELETE", "/v1/items/{key}", 1, LF_BODY_NONE, handle_item, LF_LANE_WORKER, 0},
    {"POST", "/v1/items/special", 1, LF_BODY_JSON, handle_ok, LF_LANE_WORKER, 0},
    {"GET", "/v1/large", 0, LF_BODY_NONE, handle_large, LF_LANE_WORKER, 0},
    {"POST", "/v1/findings", 0, LF_BODY_JSON, handle_findings, LF_LANE_WORKER, 0},
    {"GET", "/v1/busy", 0, LF_BODY_NONE, handle_busy, LF_LANE_WORKER, 0},
    {"GET", "/v1/empty", 0, LF_BODY_NONE, handle_empty, LF_LANE_WORKER, 0},
    {"GET", "/v1/nothing", 0, LF_BODY_NONE, handle_nothing, LF_LANE_WORKER, 0},
    {"GET", "/v1/failed", 0, LF_BODY_NONE, handle_failed, LF_LANE_WORKER, 0},
    {"PUT", "/v1/measured", 1, LF_BODY_TEXT, handle_measure, LF_LANE_WORKER, LARGE},
    {"PUT", "/v1/desk/measured", 1, LF_BODY_TEXT, handle_measure, LF_LANE_DESK, LARGE},
    {"POST", "/v1/small", 1, LF_BODY_LINES, handle_echo, LF_LANE_WORKER, 10},
    {"POST", "/v1/lines", 1, LF_BODY_LINES, handle_echo, LF_LANE_WORKER, 0},
    {"POST", "/v1/desk", 1, LF_BODY_TEXT, handle_desk, LF_LANE_DESK, 0},
    {"GET", "/v1/desk/items/{key}", 1, LF_BODY_NONE, handle_item, LF_LANE_DESK, 0},
    {"PUT", "/v1/desk/items/{key}", 1, LF_BODY_JSON, handle_desk, LF_LANE_DESK, 0},
    {"PATCH", "/v1/desk/items/{key}", 1, LF_BODY_JSON, handle_desk, LF_LANE_DESK, 0},
    {"DELETE", "/v1/desk/items/{key}", 1, LF_BODY_NONE, handle_empty, LF_LANE_DESK, 0},
    {"GET", "/v1/desk/nothing", 0, LF_BODY_NONE, handle_nothing, LF_LANE_DESK, 0},
    {"GET", "/v1/desk/failed", 0, LF_BODY_NONE, handle_failed, LF_LANE_DESK, 0},
    {"GET", "/v1/desk/large", 0, LF_BODY_NONE, handle_large, LF_LANE_DESK, 0},
    {"POST", "/v1/desk/findings", 0, LF_BODY_JSON, handle_findings, LF_LANE_DESK, 0},
    {"GET", "/v1/desk/busy", 0, LF_BODY_NONE, handle_busy, LF_LANE_DESK, 0},
    {"GET", "/v1/held/{key}", 1, LF_BODY_NONE, handle_held, LF_LANE_DESK, 0},
    {"GET", "/v1/state", 0, LF_BODY_NONE, handle_state, LF_LANE_WORKER, 0},
    {"POST", "/v1/release", 0, LF_BODY_NONE, handle_release, LF_LANE_WORKER, 0},
};
/* clang-format on */

static enum lf_status
authenticate(void *context, const char *token, struct lf_identity *ret_identity)
{
    static const struct {
        const char *token;
        uint32_t scopes;
    } KEYS[] = {{"good", 3}, {"narrow", 1}, {"two", 2}};

    (void)context;
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        if (strcmp(KEYS[i].token, token) != 0)
            continue;
        (void)snprintf(ret_identity->key_id, sizeof ret_identity->key_id, "id-%s", token);
        ret_identity->scopes = KEYS[i].scopes;
        return LF_OK;
    }
    return LF_UNAUTHORIZED;
}

static void
observe(void *context, const struct lf_observation *observation)
{
    const size_t count = sizeof ROUTES / sizeof ROUTES[0];
    const struct lf_route *route = observation->route_index < count ? &ROUTES[observation->route_index] : NULL;

    (void)context;
    /* Index and words mean the same route, or both none. */
    if (observation->route_index > count || strcmp(observation->route, route != NULL ? route->path : "") != 0 ||
        strcmp(observation->method, route != NULL ? route->method : "") != 0)
        abort();
    atomic_fetch_add(&observed, 1);
}

static long
option(int argc, char **argv, const char *name, long otherwise)
{
    size_t len = strlen(name);

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return atol(argv[i] + len + 1);
    }
    return otherwise;
}

int
main(int argc, char **argv)
{
    struct lf_server_options options = {
        .address = "127.0.0.1",
        .port = (uint16_t)option(argc, argv, "port", 0),
        .listen_fd = (int)option(argc, argv, "fd", -1),
        .threads = (unsigned)option(argc, argv, "threads", 2),
        .max_connections = (unsigned)option(argc, argv, "connections", 512),
        .max_per_address = (unsigned)option(argc, argv, "per_address", 0),
        .max_body = (size_t)option(argc, argv, "body", 1 << 20),
        .desk_threads = (unsigned)option(argc, argv, "desk", 2),
        .desk_queue = (size_t)option(argc, argv, "queue", 64),
        .request_timeout_ms = option(argc, argv, "request_ms", 15000),
        .idle_timeout_ms = option(argc, argv, "idle_ms", 30000),
        .routes = ROUTES,
        .route_count = sizeof ROUTES / sizeof ROUTES[0],
        .authenticate = authenticate,
        .observe = observe,
    };
    long log = option(argc, argv, "log", 2);
    struct lf_server *server = NULL;
    struct lf_error error;
    pthread_t helper;
    sigset_t signals;
    int signal_number = 0;

    options.log_requests = log == 0 ? LF_LOG_REQUESTS_FAILED : log == 1 ? LF_LOG_REQUESTS_ALL : LF_LOG_REQUESTS_NONE;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (lf_hash_setup(&error) != LF_OK || lf_server_start(&options, &server, &error) != LF_OK) {
        (void)fprintf(stderr, "echo_server: %s\n", error.detail);
        return 1;
    }
    if (pthread_create(&helper, NULL, run_later, NULL) != 0)
        return 1;
    printf("ready %u %s\n", (unsigned)lf_server_port(server), lf_server_library_version());
    (void)fflush(stdout);
    (void)sigwait(&signals, &signal_number);
    unsigned cut = lf_server_drain(server, option(argc, argv, "drain_ms", 5000));
    pthread_mutex_lock(&later.lock);
    later.ending = true;
    pthread_cond_signal(&later.changed);
    pthread_mutex_unlock(&later.lock);
    pthread_join(helper, NULL);
    lf_server_stop(server);
    printf("cut %u observed %lu\n", cut, atomic_load(&observed));
    return 0;
}
