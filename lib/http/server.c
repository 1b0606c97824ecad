/* server.c - see server.h: starting, the library's callbacks, draining, stopping. Each worker is a daemon of the
 * library, run by a thread of ours (worker.c); connections reach it from the door (door.c). */
#include "http/internal.h"

#include "base/hash.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,           /* the kernel cuts it to net.core.somaxconn */
    POOL_BYTES = 20 * 1024,   /* per connection: a target and headers at the guard's limits reach the guard */
    LIMIT_SLACK = 64,         /* the library's own limit lies so far above ours */
    SPARE_FILES = 256,        /* for the rest of the process: database, spool, log */
    TIMEOUT_SLACK_S = 30,     /* the library's inactivity timeout is a second net below the door's deadlines */
    DROPPED_BODY_MAX = 65536, /* a refused body of this size is let pass by, so that the connection can stay */
    ARENA_PER_BODY_BYTE = 40, /* the worst JSON takes 40 bytes of tree a byte */
    ARENA_BASE = 8 * 1024 * 1024,
    FLUSH_MS = 1000, /* at the stop: for answers that are on their way */
    PREFIX_BYTES = 6,
};

/* ---- the library's callbacks; all on the worker's thread ---- */

static void
on_library_log(void *context, const char *format, va_list args)
{
    /* What it has to say concerns malformed requests and goes into no log of ours: it may quote them. */
    (void)context, (void)format, (void)args;
}

static size_t
on_unescape(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text); /* the raw target is routed; nothing is decoded in place */
}

static struct lf_slot *
slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static void
on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
    struct lf_worker *worker = context;

    worker->happened = true;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        struct sockaddr_in ticket;
        int fd = -1;

        *socket_context = NULL;
        if (info == NULL || info->client_addr == NULL)
            return;
        memcpy(&ticket, info->client_addr, sizeof ticket);
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        fd = info != NULL ? info->connect_fd : -1;
        *socket_context = lf_slot_taken(worker->server, ticket.sin_addr.s_addr, ticket.sin_port, fd);
        if (*socket_context == NULL && fd >= 0)
            (void)shutdown(fd, SHUT_RDWR); /* it came too late to be ours */
        return;
    }
    if (*socket_context != NULL)
        lf_slot_given_up(worker->server, *socket_context);
    *socket_context = NULL;
}

/* The request line is here: the first we hear of a request. What is returned is the request's from now on. */
static void *
on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct lf_worker *worker = context;
    struct lf_slot *slot = slot_of(connection);
    struct lf_request *request = NULL;

    if (slot == NULL)
        return NULL;
    atomic_store_explicit(&slot->since_ms, lf_http_now_ms(), memory_order_relaxed);
    atomic_store_explicit(&slot->receive_more_ms, 0, memory_order_relaxed);
    if (!lf_slot_move(slot, LF_PHASE_IDLE, LF_PHASE_RECEIVING))
        return NULL;
    request = lf_request_take(worker, slot, target);
    if (request != NULL)
        request->connection = connection;
    return request;
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    struct lf_request *request = *state;
    struct lf_slot *slot = request != NULL ? request->slot : slot_of(connection);
    struct lf_worker *worker = context;

    worker->happened = true;
    *state = NULL;
    if (request != NULL) {
        /* Resumed, but the client had gone in the meantime: the library does not come back for it. */
        if (request->stage == LF_STAGE_SUSPENDED)
            atomic_fetch_sub(&request->worker->server->suspended, 1);
        if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && request->stage != LF_STAGE_BROKEN)
            request->status = 0;
        if (request->status == 0 && atomic_load(&slot->phase) == LF_PHASE_CUT)
            request->status = lf_status_http(LF_REQUEST_TIMEOUT);
        lf_request_log(request);
        lf_request_release(request);
    }
    if (slot == NULL)
        return;
    atomic_store_explicit(&slot->since_ms, lf_http_now_ms(), memory_order_relaxed);
    atomic_fetch_add_explicit(&slot->finished, 1, memory_order_release);
    (void)lf_slot_move(slot, LF_PHASE_SENDING, LF_PHASE_IDLE);
}

/* Calls the handler, or what it left to be called, and sees that it kept its promise. */
static enum MHD_Result
run(struct lf_request *request, lf_handler handle)
{
    struct lf_worker *worker = request->worker; /* the request itself may be gone when the handler returns */

    request->stage = LF_STAGE_HANDLER;
    handle(request, worker->server->options.context);
    lf_arena_reset(worker->scratch);
    /* From here on a suspended request may be with another thread: only stage is read, which that one leaves be. */
    switch (request->stage) {
    case LF_STAGE_ANSWERED:
    case LF_STAGE_SUSPENDED:
        return MHD_YES;
    case LF_STAGE_HANDLER:
        lf_reply_missing(request);
        return request->stage == LF_STAGE_ANSWERED ? MHD_YES : MHD_NO;
    case LF_STAGE_HEAD:
    case LF_STAGE_BODY:
    case LF_STAGE_DESK:
    case LF_STAGE_NOTED:
    case LF_STAGE_BROKEN:
        break;
    }
    return MHD_NO;
}

static void
say_refusal(struct lf_request *request, void *context)
{
    (void)context;
    lf_reply_problem(request, request->refusal);
}

static void
say_full(struct lf_request *request, void *context)
{
    struct lf_error error;

    (void)context;
    lf_fail(&error, LF_BUSY, "%zu requests of this kind wait already: try again in a second.",
            request->worker->server->options.desk_queue);
    lf_reply_problem(request, &error);
}

/* The request is whole. */
static enum MHD_Result
start(struct lf_request *request)
{
    if (request->refusal != NULL)
        return run(request, say_refusal);
    if (request->route->lane == LF_LANE_WORKER)
        return run(request, request->route->handle);
    /* Where it is taken, it belongs to the desk from here on. */
    return lf_desk_take(&request->worker->server->desk, request) ? MHD_YES : run(request, say_full);
}

/* The head was refused. What has no body, or a small one that comes by itself, is answered at its end and keeps its
 * connection; all else is answered at once and closed, unread. */
static enum MHD_Result
refuse_at_head(struct lf_request *request, const struct lf_error *error)
{
    const struct lf_framing *framing = &request->framing;
    bool sound = request->guarded;
    struct lf_error *kept = NULL;

    if (sound && !framing->chunked && framing->content_length <= DROPPED_BODY_MAX &&
        !(framing->has_body && framing->expects_continue))
        kept = lf_arena_alloc(request->arena, sizeof *kept);
    if (kept == NULL) {
        lf_reply_refusal(request, error);
        return MHD_NO;
    }
    *kept = *error;
    request->refusal = kept;
    request->stage = LF_STAGE_BODY;
    return MHD_YES;
}

static enum MHD_Result
on_head(struct lf_request *request, const char *method, const char *version)
{
    struct lf_error error;

    if (lf_admit(request, method, version, &error) != LF_OK)
        return refuse_at_head(request, &error);
    request->stage = LF_STAGE_BODY;
    return MHD_YES;
}

static enum MHD_Result
on_body(struct lf_request *request, const char *bytes, size_t len)
{
    struct lf_error error;

    if (request->refusal != NULL)
        return MHD_YES;
    if (len <= request->body.max - request->body.len) {
        lf_buf_add(&request->body, bytes, len);
        if (!lf_buf_failed(&request->body))
            return MHD_YES;
        lf_fail(&error, LF_OUT_OF_MEMORY, "No memory for the body.");
    } else {
        lf_fail(&error, LF_BODY_TOO_LARGE, "A body may have %zu bytes here.", request->body.max);
    }
    lf_reply_refusal(request, &error);
    return MHD_NO;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
           const char *bytes, size_t *len, void **state)
{
    struct lf_request *request = *state;
    struct lf_worker *worker = context;

    (void)connection, (void)url;
    worker->happened = true;
    if (request == NULL)
        return MHD_NO; /* no memory for it, or the door has cut it */
    switch (request->stage) {
    case LF_STAGE_HEAD:
        return on_head(request, method, version);
    case LF_STAGE_BODY:
        if (*len > 0) {
            size_t arrived = *len;
            *len = 0;
            return on_body(request, bytes, arrived);
        }
        if (!lf_slot_move(request->slot, LF_PHASE_RECEIVING, LF_PHASE_WORKING))
            return MHD_NO;
        return start(request);
    case LF_STAGE_SUSPENDED:
        atomic_fetch_sub(&request->worker->server->suspended, 1);
        return run(request, request->resumed);
    case LF_STAGE_HANDLER:
    case LF_STAGE_DESK:
    case LF_STAGE_NOTED:
    case LF_STAGE_ANSWERED:
    case LF_STAGE_BROKEN:
        break;
    }
    return MHD_NO;
}

/* ---- starting ---- */

/* The greatest body of all routes, on which the memory of a request depends. */
static size_t
greatest_body(const struct lf_server_options *options)
{
    size_t greatest = options->max_body;

    for (size_t i = 0; i < options->route_count; i++) {
        if (options->routes[i].max_body > greatest)
            greatest = options->routes[i].max_body;
    }
    return greatest;
}

static enum lf_status
check_desk(const struct lf_server_options *options, struct lf_error *error)
{
    bool used = false;

    for (size_t i = 0; i < options->route_count; i++)
        used = used || options->routes[i].lane == LF_LANE_DESK;
    if (options->desk_threads > LF_DESK_THREADS_MAX || (used && options->desk_threads == 0))
        return lf_fail(error, LF_CONFIG, "The number of threads of the desk must be 1 to %d.", LF_DESK_THREADS_MAX);
    if (used && options->desk_queue == 0)
        return lf_fail(error, LF_CONFIG, "At least one request must be able to wait for the desk.");
    return LF_OK;
}

static enum lf_status
check_options(const struct lf_server_options *options, struct lf_error *error)
{
    if (options->threads < 1 || options->threads > 64)
        return lf_fail(error, LF_CONFIG, "The number of HTTP threads must be 1 to 64.");
    if (options->max_connections < 1 || options->max_connections > 1000000)
        return lf_fail(error, LF_CONFIG, "The number of connections must be 1 to 1,000,000.");
    if (options->request_timeout_ms < 1 || options->idle_timeout_ms < 1)
        return lf_fail(error, LF_CONFIG, "The timeouts must be above 0.");
    if (greatest_body(options) > (SIZE_MAX - ARENA_BASE) / ARENA_PER_BODY_BYTE)
        return lf_fail(error, LF_CONFIG, "The greatest body is too great.");
    return check_desk(options, error);
}

/* Every connection is a file, a lingering one too. Raises our own limit as far as we may. */
static enum lf_status
reserve_files(unsigned connections, struct lf_error *error)
{
    rlim_t wanted = (rlim_t)connections + LF_LINGERING_MAX + SPARE_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return lf_fail(error, LF_INTERNAL, "Cannot read the limit of open files: %s.", strerror(errno));
    if (limit.rlim_cur >= wanted)
        return LF_OK;
    if (limit.rlim_max < wanted)
        return lf_fail(error, LF_CONFIG,
                       "%u connections need %llu open files, the system allows %llu: lower the one or raise the other "
                       "(ulimit -n, LimitNOFILE).",
                       connections, (unsigned long long)wanted, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return lf_fail(error, LF_INTERNAL, "Cannot raise the limit of open files: %s.", strerror(errno));
    return LF_OK;
}

static enum lf_status
parse_address(const struct lf_server_options *options, struct sockaddr_storage *address, socklen_t *size,
              struct lf_error *error)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(options->port)};

    memset(address, 0, sizeof *address);
    if (options->address != NULL && inet_pton(AF_INET, options->address, &v4.sin_addr) == 1) {
        memcpy(address, &v4, *size = sizeof v4);
        return LF_OK;
    }
    if (options->address != NULL && inet_pton(AF_INET6, options->address, &v6.sin6_addr) == 1) {
        memcpy(address, &v6, *size = sizeof v6);
        return LF_OK;
    }
    return lf_fail(error, LF_CONFIG, "The address to listen on must be a numeric IPv4 or IPv6 address.");
}

static enum lf_status
open_socket(struct lf_server *server, struct lf_error *error)
{
    struct sockaddr_storage address;
    socklen_t size = 0;
    enum lf_status status = parse_address(&server->options, &address, &size, error);
    int one = 1;

    if (status != LF_OK)
        return status;
    server->listen_fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0)
        return lf_fail(error, LF_CONFIG, "Cannot make a socket: %s.", strerror(errno));
    server->owns_listen_fd = true;
    if (setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(server->listen_fd, (const struct sockaddr *)&address, size) != 0 ||
        listen(server->listen_fd, BACKLOG) != 0)
        return lf_fail(error, LF_CONFIG, "Cannot listen on %s port %u: %s.", server->options.address,
                       (unsigned)server->options.port, strerror(errno));
    return LF_OK;
}

static enum lf_status
adopt_socket(struct lf_server *server, struct lf_error *error)
{
    int flags = fcntl(server->options.listen_fd, F_GETFL);

    if (flags < 0 || fcntl(server->options.listen_fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return lf_fail(error, LF_CONFIG, "The listening socket that was passed cannot be used: %s.", strerror(errno));
    server->listen_fd = server->options.listen_fd;
    return LF_OK;
}

static enum lf_status
find_port(struct lf_server *server, struct lf_error *error)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;

    if (getsockname(server->listen_fd, (struct sockaddr *)&address, &size) != 0)
        return lf_fail(error, LF_CONFIG, "The listening socket cannot be used: %s.", strerror(errno));
    if (address.ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, &address, sizeof v4);
        server->port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &address, sizeof v6);
        server->port = ntohs(v6.sin6_port);
    }
    return LF_OK;
}

/* Ids of requests are a random beginning for each worker and a count: unique, cheap, and no secret. */
static enum lf_status
make_prefix(char prefix[16], struct lf_error *error)
{
    uint8_t bytes[PREFIX_BYTES];

    if (!lf_random_bytes(bytes, sizeof bytes))
        return lf_fail(error, LF_INTERNAL, "The system has no random bytes.");
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(prefix + 2 * i, 3, "%02x", bytes[i]);
    memcpy(prefix + 2 * PREFIX_BYTES, "-", 2);
    return LF_OK;
}

static enum lf_status
make_slots(struct lf_server *server, struct lf_error *error)
{
    server->slots = calloc(server->options.max_connections, sizeof *server->slots);
    if (server->slots == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the connections.");
    for (unsigned i = server->options.max_connections; i-- > 0;) {
        struct lf_slot *slot = &server->slots[i];
        (void)pthread_mutex_init(&slot->lock, NULL); /* cannot fail with default attributes on Linux */
        slot->fd = -1;
        slot->index = i;
        slot->next_free = server->free_slots;
        server->free_slots = slot;
    }
    return LF_OK;
}

static enum lf_status
start_worker(struct lf_server *server, struct lf_worker *worker, struct lf_error *error)
{
    const struct lf_server_options *options = &server->options;
    int64_t longest_ms =
        options->request_timeout_ms > options->idle_timeout_ms ? options->request_timeout_ms : options->idle_timeout_ms;
    enum lf_status status = make_prefix(worker->id_prefix, error);

    worker->wake_fd = -1;
    if (status == LF_OK)
        status = lf_worker_init(worker, server->arena_max, error);
    if (status != LF_OK)
        return status;
    worker->server = server;
    /* The library's own strictness stays at its default: more (or, in 0.9, -1) would have it answer by itself, in HTML,
     * what the guard can answer; less would in 1.0 mend names with spaces before the guard has seen them. */
    worker->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET, 0, NULL,
        NULL, on_request, worker, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, worker, MHD_OPTION_NOTIFY_COMPLETED, on_completed, worker, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, worker, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, worker, MHD_OPTION_CONNECTION_LIMIT,
        options->max_connections + LIMIT_SLACK, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(longest_ms / 1000 + TIMEOUT_SLACK_S), MHD_OPTION_END);
    if (worker->daemon == NULL)
        return lf_fail(error, LF_INTERNAL, "libmicrohttpd cannot start: %s.", strerror(errno));
    return lf_worker_run(worker, error);
}

/* Threads are born with all signals blocked: these belong to the program's main thread. */
static enum lf_status
start_threads(struct lf_server *server, struct lf_error *error)
{
    sigset_t all, before;
    enum lf_status status = LF_OK;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    status = lf_desk_open(&server->desk, server, error);
    while (server->workers_made < server->options.threads && status == LF_OK)
        status = start_worker(server, &server->workers[server->workers_made++], error);
    if (status == LF_OK)
        status = lf_door_open(server, error);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

enum lf_status
lf_server_start(const struct lf_server_options *options, struct lf_server **ret_server, struct lf_error *error)
{
    struct lf_server *server = NULL;
    enum lf_status status = check_options(options, error);

    if (status == LF_OK)
        status = reserve_files(options->max_connections, error);
    if (status != LF_OK)
        return status;
    server = calloc(1, sizeof *server);
    if (server == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the server.");
    server->options = *options;
    server->listen_fd = -1;
    atomic_init(&server->desk_until_ns, INT64_MAX);
    /* Only the most there may be: it is taken as it is needed, and given back with the request (arena.h). */
    server->arena_max = greatest_body(options) * ARENA_PER_BODY_BYTE + ARENA_BASE;
    (void)pthread_mutex_init(&server->slots_lock, NULL);
    (void)pthread_mutex_init(&server->linger_lock, NULL);
    server->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->workers = calloc(options->threads, sizeof *server->workers);
    if (server->wake_fd < 0 || server->workers == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the server.");
    if (status == LF_OK)
        status = make_slots(server, error);
    if (status == LF_OK)
        status = make_prefix(server->door_prefix, error);
    if (status == LF_OK)
        status = lf_router_create(options->routes, options->route_count, &server->router, error);
    if (status == LF_OK)
        status = options->listen_fd >= 0 ? adopt_socket(server, error) : open_socket(server, error);
    if (status == LF_OK)
        status = find_port(server, error);
    if (status == LF_OK)
        status = start_threads(server, error);
    if (status != LF_OK) {
        lf_server_stop(server);
        return status;
    }
    *ret_server = server;
    return LF_OK;
}

const char *
lf_server_library_version(void)
{
    return MHD_get_version();
}

uint16_t
lf_server_port(const struct lf_server *server)
{
    return server->port;
}

/* ---- stopping ---- */

static void
pause_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&time, NULL);
}

static void
wait_until_empty(const struct lf_server *server, int64_t timeout_ms)
{
    int64_t until_ns = lf_time_monotonic_ns() + timeout_ms * 1000000;

    while (atomic_load(&server->open) > 0 && lf_time_monotonic_ns() < until_ns)
        pause_ms(2);
}

unsigned
lf_server_drain(struct lf_server *server, int64_t timeout_ms)
{
    atomic_store(&server->desk_until_ns, lf_time_monotonic_ns() + timeout_ms / 2 * 1000000);
    atomic_store(&server->draining, true);
    lf_door_wake(server);
    wait_until_empty(server, timeout_ms);
    atomic_store(&server->cut_rest, true);
    while (!atomic_load(&server->rest_is_cut)) {
        lf_door_wake(server);
        pause_ms(2);
    }
    return atomic_load(&server->cut_at_drain);
}

void
lf_server_stop(struct lf_server *server)
{
    if (server == NULL)
        return;
    if (server->door_runs) {
        if (!atomic_load(&server->draining))
            (void)lf_server_drain(server, 0);
        /* The library aborts when it is stopped with a suspended connection: their owner has promised to resume. */
        while (atomic_load(&server->suspended) > 0)
            pause_ms(2);
        wait_until_empty(server, FLUSH_MS);
        lf_door_close(server);
    }
    lf_desk_close(&server->desk);
    for (unsigned i = 0; i < server->workers_made; i++)
        lf_worker_finish(&server->workers[i]);
    for (unsigned i = 0; i < server->lingering_count; i++)
        (void)close(server->lingering[i].fd);
    if (server->owns_listen_fd && server->listen_fd >= 0)
        (void)close(server->listen_fd);
    if (server->wake_fd >= 0)
        (void)close(server->wake_fd);
    for (unsigned i = 0; server->slots != NULL && i < server->options.max_connections; i++)
        (void)pthread_mutex_destroy(&server->slots[i].lock);
    (void)pthread_mutex_destroy(&server->slots_lock);
    (void)pthread_mutex_destroy(&server->linger_lock);
    lf_router_destroy(server->router);
    free(server->slots);
    free(server->workers);
    free(server);
}
