/*
 * worker.c - one HTTP thread: a daemon of the library, and the loop that runs it.
 *
 * The library has threads of its own, but resuming a suspended request from another thread costs a wake-up each: an
 * event written and the thread switched to for every single one, while a commit has some fifty to resume at a time.
 * Here the loop is ours: whoever resumes puts the request on the worker's list, and wakes the worker only when it
 * sleeps; it then resumes all that have gathered and lets the library run once over them. New connections come the same
 * way: without threads of its own the library is not to be called from two.
 */
#include "http/internal.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SLEEP_MS = 1000,    /* the longest; the library's own timeouts may ask for less */
    IDLE_TURNS_MAX = 64 /* more than a large answer takes between two events */
};

static void
wake(const struct lf_worker *worker)
{
    uint64_t one = 1;

    (void)!write(worker->wake_fd, &one, sizeof one); /* full means that it is awake already */
}

void
lf_worker_resume(struct lf_request *request)
{
    struct lf_worker *worker = request->worker;
    bool asleep = false;

    (void)pthread_mutex_lock(&worker->lock);
    request->next_resumed = NULL;
    if (worker->last_resumed == NULL)
        worker->first_resumed = request;
    else
        worker->last_resumed->next_resumed = request;
    worker->last_resumed = request;
    asleep = worker->asleep;
    worker->asleep = false; /* one wake-up is enough */
    (void)pthread_mutex_unlock(&worker->lock);
    /* From here on the request may be running, and over. */
    if (asleep)
        wake(worker);
}

bool
lf_worker_add(struct lf_worker *worker, struct lf_slot *slot, int fd)
{
    struct lf_arrival *arrival = malloc(sizeof *arrival);

    if (arrival == NULL)
        return false;
    *arrival = (struct lf_arrival){.slot = slot, .generation = slot->generation, .fd = fd};
    (void)pthread_mutex_lock(&worker->lock);
    arrival->next = worker->arrivals;
    worker->arrivals = arrival;
    worker->asleep = false;
    (void)pthread_mutex_unlock(&worker->lock);
    wake(worker);
    return true;
}

/* Gives a connection to the library, which hands the address it is given back with it: the slot travels in it. */
static void
take_in(struct lf_worker *worker, const struct lf_arrival *arrival)
{
    struct sockaddr_in ticket = {.sin_family = AF_INET};

    ticket.sin_addr.s_addr = arrival->slot->index;
    ticket.sin_port = arrival->generation;
    /* What it refuses it has closed. */
    if (MHD_add_connection(worker->daemon, arrival->fd, (const struct sockaddr *)&ticket, sizeof ticket) != MHD_YES)
        lf_slot_take_back(worker->server, arrival->slot, arrival->generation);
}

/* Takes connections in and resumes what has gathered. When there was nothing, the worker counts as asleep. */
static bool
take_gathered(struct lf_worker *worker)
{
    struct lf_request *request = NULL;
    struct lf_arrival *arrival = NULL;
    bool any = false;

    (void)pthread_mutex_lock(&worker->lock);
    request = worker->first_resumed;
    arrival = worker->arrivals;
    worker->first_resumed = worker->last_resumed = NULL;
    worker->arrivals = NULL;
    any = request != NULL || arrival != NULL;
    worker->asleep = !any;
    (void)pthread_mutex_unlock(&worker->lock);
    while (arrival != NULL) {
        struct lf_arrival *next = arrival->next;
        take_in(worker, arrival);
        free(arrival);
        arrival = next;
    }
    while (request != NULL) {
        struct lf_request *next = request->next_resumed;
        MHD_resume_connection(request->connection);
        request = next;
    }
    return any;
}

/* How long the library has nothing to do by itself. */
static int
sleep_ms(struct lf_worker *worker)
{
    MHD_UNSIGNED_LONG_LONG ms = SLEEP_MS;

    if (MHD_get_timeout(worker->daemon, &ms) != MHD_YES || ms > SLEEP_MS)
        return SLEEP_MS;
    return (int)ms;
}

/* With external polling the library, when it has no room for what has come (a chunk's header without an end), says
 * that there is something to do and does nothing, for ever. So turns without effect are counted: after some, the loop
 * goes slowly, and the connection that causes it is given up. */
static int
slow_down(struct lf_worker *worker, int ms)
{
    if (ms > 0 || worker->happened) {
        worker->turns = 0;
        return ms;
    }
    if (++worker->turns <= IDLE_TURNS_MAX)
        return ms;
    lf_slot_cut_stuck(worker);
    return 1;
}

static void *
run_worker(void *context)
{
    struct lf_worker *worker = context;
    struct pollfd fds[2] = {{.fd = worker->wake_fd, .events = POLLIN}, {.fd = worker->library_fd, .events = POLLIN}};

    while (!atomic_load_explicit(&worker->stopping, memory_order_acquire)) {
        uint64_t wakes = 0;

        if (!take_gathered(worker)) {
            (void)poll(fds, 2, slow_down(worker, sleep_ms(worker))); /* an interruption is a turn come early */
            if (fds[0].revents != 0)
                (void)!read(worker->wake_fd, &wakes, sizeof wakes);
            (void)take_gathered(worker);
        }
        worker->happened = false;
        (void)MHD_run(worker->daemon); /* fails only when it is stopped */
    }
    return NULL;
}

/* The descriptor that tells when the library has something to do. */
static int
descriptor_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);

    return info != NULL ? info->listen_fd : -1;
}

enum lf_status
lf_worker_run(struct lf_worker *worker, struct lf_error *error)
{
    int failed = 0;

    worker->library_fd = descriptor_of(worker->daemon);
    if (worker->library_fd < 0)
        return lf_fail(error, LF_INTERNAL, "libmicrohttpd was built without epoll.");
    failed = pthread_create(&worker->thread, NULL, run_worker, worker);
    if (failed != 0)
        return lf_fail(error, LF_INTERNAL, "Cannot start a thread: %s.", strerror(failed));
    worker->runs = true;
    (void)pthread_setname_np(worker->thread, "lf-http"); /* for whoever looks at the process; does no harm to lack */
    return LF_OK;
}

enum lf_status
lf_worker_init(struct lf_worker *worker, size_t arena_max, struct lf_error *error)
{
    (void)pthread_mutex_init(&worker->lock, NULL); /* cannot fail with default attributes on Linux */
    atomic_init(&worker->stopping, false);
    worker->scratch = lf_arena_create(LF_REQUEST_CHUNK, arena_max);
    if (worker->scratch == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for an HTTP thread.");
    worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->wake_fd < 0)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No descriptor for an HTTP thread: %s.", strerror(errno));
    return LF_OK;
}

void
lf_worker_finish(struct lf_worker *worker)
{
    if (worker->runs) {
        atomic_store_explicit(&worker->stopping, true, memory_order_release);
        wake(worker);
        (void)pthread_join(worker->thread, NULL);
    }
    while (worker->arrivals != NULL) {
        struct lf_arrival *next = worker->arrivals->next;
        (void)close(worker->arrivals->fd);
        lf_slot_take_back(worker->server, worker->arrivals->slot, worker->arrivals->generation);
        free(worker->arrivals);
        worker->arrivals = next;
    }
    if (worker->daemon != NULL)
        MHD_stop_daemon(worker->daemon);
    if (worker->wake_fd >= 0)
        (void)close(worker->wake_fd);
    lf_request_free_kept(worker);
    lf_arena_destroy(worker->scratch);
    (void)pthread_mutex_destroy(&worker->lock);
}
