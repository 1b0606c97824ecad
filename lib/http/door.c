/*
 * door.c - the thread that accepts connections, hands them to workers, and ends those that take too long.
 *
 * libmicrohttpd could accept by itself; it aborts when it is told to stop accepting at its connection limit, and its
 * timeout counts inactivity alone, so that a client that sends a byte now and then holds a connection for ever. Here
 * the library never sees a listening socket nor its limit, a connection too many is told so, and time is counted from
 * a request's first byte: while a connection is idle the kernel's count of received bytes is looked at every tick, so
 * also a head that never gets whole is found.
 *
 * A socket is touched under its slot's lock only, which the worker takes before the library closes it: the number
 * can not have become another connection's. Ending is by shutdown(2); closing stays with the library.
 */
#include "http/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 250,           /* how often deadlines are looked at; more often where the timeouts are short */
    TICK_MIN_MS = 20,        /* also while stopping and lingering */
    ACCEPT_BURST = 64,       /* connections in a row, before the clock is looked at again */
    TAKEN_WITHIN_MS = 10000, /* a worker that has not taken a connection by then never will: it ran out of memory */
    LAST_WORDS_MAX = 2048,
    STATE_CLOSE_WAIT = 8, /* TCP_CLOSE_WAIT of netinet/tcp.h, which does not go together with linux/tcp.h */
    DISCARD_BURST = 64    /* reads of DISCARD_SIZE from one lingering socket in a tick */
};

int64_t
lf_http_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
lf_door_wake(struct lf_server *server)
{
    uint64_t one = 1;

    (void)!write(server->wake_fd, &one, sizeof one); /* full means that it is awake already */
}

/* ---- slots ---- */

bool
lf_slot_move(struct lf_slot *slot, enum lf_phase from, enum lf_phase to)
{
    int expected = from;

    return atomic_compare_exchange_strong(&slot->phase, &expected, (int)to);
}

static unsigned
connections_from(struct lf_server *server, const struct in6_addr *address)
{
    unsigned count = 0;

    for (unsigned i = 0; i < server->options.max_connections; i++) {
        struct lf_slot *slot = &server->slots[i];
        /* address is written by this thread alone */
        if (atomic_load(&slot->phase) != LF_PHASE_FREE && memcmp(&slot->address, address, sizeof *address) == 0)
            count++;
    }
    return count;
}

static struct lf_slot *
slot_hand_out(struct lf_server *server, const struct in6_addr *address)
{
    struct lf_slot *slot = NULL;
    struct lf_worker *worker = &server->workers[0];

    if (server->options.max_per_address > 0 && connections_from(server, address) >= server->options.max_per_address)
        return NULL;
    pthread_mutex_lock(&server->slots_lock);
    slot = server->free_slots;
    if (slot != NULL)
        server->free_slots = slot->next_free;
    pthread_mutex_unlock(&server->slots_lock);
    if (slot == NULL)
        return NULL;
    for (unsigned i = 1; i < server->options.threads; i++) {
        if (atomic_load(&server->workers[i].connections) < atomic_load(&worker->connections))
            worker = &server->workers[i];
    }
    atomic_fetch_add(&server->open, 1);
    atomic_fetch_add(&worker->connections, 1);
    pthread_mutex_lock(&slot->lock);
    slot->worker = worker;
    slot->address = *address;
    slot->generation++;
    slot->fd = -1;
    slot->linger = false;
    slot->noted = true;
    slot->noted_finished = 0;
    slot->noted_bytes = 0;
    slot->first_byte_ms = 0;
    slot->ended = false;
    slot->unread = 0;
    slot->acked_of = 0;
    slot->acked_bytes = 0;
    slot->acked_ms = lf_http_now_ms();
    atomic_store(&slot->finished, 0);
    atomic_store(&slot->since_ms, lf_http_now_ms());
    atomic_store(&slot->phase, LF_PHASE_HANDED);
    pthread_mutex_unlock(&slot->lock);
    return slot;
}

/* slot->lock is held. */
static void
slot_free(struct lf_server *server, struct lf_slot *slot)
{
    slot->fd = -1;
    atomic_store(&slot->phase, LF_PHASE_FREE);
    atomic_fetch_sub(&slot->worker->connections, 1);
    pthread_mutex_lock(&server->slots_lock);
    slot->next_free = server->free_slots;
    server->free_slots = slot;
    pthread_mutex_unlock(&server->slots_lock);
    atomic_fetch_sub(&server->open, 1);
}

void
lf_slot_take_back(struct lf_server *server, struct lf_slot *slot, uint16_t generation)
{
    pthread_mutex_lock(&slot->lock);
    if (slot->generation == generation && atomic_load(&slot->phase) == LF_PHASE_HANDED)
        slot_free(server, slot);
    pthread_mutex_unlock(&slot->lock);
}

struct lf_slot *
lf_slot_taken(struct lf_server *server, unsigned index, uint16_t generation, int fd)
{
    struct lf_slot *slot = NULL;
    bool mine = false;

    if (index >= server->options.max_connections)
        return NULL;
    slot = &server->slots[index];
    pthread_mutex_lock(&slot->lock);
    mine = slot->generation == generation && atomic_load(&slot->phase) == LF_PHASE_HANDED;
    if (mine) {
        slot->fd = fd;
        atomic_store(&slot->since_ms, lf_http_now_ms());
        atomic_store(&slot->phase, LF_PHASE_IDLE);
    }
    pthread_mutex_unlock(&slot->lock);
    return mine ? slot : NULL;
}

/* ---- lingering: closing while the client still sends would reset the connection, and our last words with it ---- */

static void
linger(struct lf_server *server, int fd)
{
    bool kept = false;

    pthread_mutex_lock(&server->linger_lock);
    if (server->lingering_count < LF_LINGERING_MAX) {
        server->lingering[server->lingering_count++] =
            (struct lf_lingering){.fd = fd, .until_ms = lf_http_now_ms() + LF_LINGER_MS};
        kept = true;
    }
    pthread_mutex_unlock(&server->linger_lock);
    if (!kept)
        (void)close(fd);
}

void
lf_slot_given_up(struct lf_server *server, struct lf_slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    if ((slot->linger || atomic_load(&slot->phase) == LF_PHASE_CUT) && !atomic_load(&server->stopping)) {
        /* The library closes its own; this one keeps the connection alive until the client has read. */
        int copy = fcntl(slot->fd, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0) {
            linger(server, copy);
            lf_door_wake(server);
        }
    }
    slot_free(server, slot);
    pthread_mutex_unlock(&slot->lock);
}

/* Reads and drops what has come. false when the client is done or gone. */
static bool
discard(int fd)
{
    static char nowhere[16384]; /* written by the door alone, read by nobody */

    for (int i = 0; i < DISCARD_BURST; i++) {
        ssize_t got = recv(fd, nowhere, sizeof nowhere, MSG_DONTWAIT);
        if (got > 0)
            continue;
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    return true;
}

/* Returns how many are left. */
static unsigned
look_at_lingering(struct lf_server *server, int64_t now_ms, bool all)
{
    unsigned left = 0;

    pthread_mutex_lock(&server->linger_lock);
    for (unsigned i = 0; i < server->lingering_count; i++) {
        struct lf_lingering *item = &server->lingering[i];
        if (!all && now_ms < item->until_ms && discard(item->fd))
            server->lingering[left++] = *item;
        else
            (void)close(item->fd);
    }
    server->lingering_count = left;
    pthread_mutex_unlock(&server->linger_lock);
    return left;
}

/* ---- last words ---- */

static void
say_and_shut(struct lf_server *server, int fd, const struct lf_error *error, int how)
{
    char text[LAST_WORDS_MAX], id[40];
    size_t len = 0;

    (void)snprintf(id, sizeof id, "%s%llx", server->door_prefix, (unsigned long long)++server->door_ids);
    len = lf_refusal_text(id, error, text, sizeof text);
    if (len > 0)
        (void)send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT); /* it fits, or the client is gone */
    (void)shutdown(fd, how);
    lf_door_log(server, id, error);
}

/* Gives a request up that did not get whole in time. slot->lock is held. */
static bool
cut_late(struct lf_server *server, struct lf_slot *slot, enum lf_phase phase, const char *detail)
{
    struct lf_error error;

    if (!lf_slot_move(slot, phase, LF_PHASE_CUT))
        return false;
    lf_fail(&error, LF_REQUEST_TIMEOUT, "%s", detail);
    say_and_shut(server, slot->fd, &error, SHUT_RDWR);
    return true;
}

/* ---- deadlines ---- */

/* Where it is no TCP socket all stays 0, and a slow head is held to the idle timeout. */
static struct tcp_info
kernel_notes(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        memset(&info, 0, sizeof info);
    return info;
}

static const char TOO_SLOW[] = "The request was not whole in time.";
static const char STOPPING[] = "The service is stopping and the request was not whole in time.";

/* Asks the worker to close an idle connection. What may have arrived in this very moment can still be read after
 * SHUT_RD, and then is answered: the library closes only when there is nothing to read. */
static void
close_idle(const struct lf_slot *slot)
{
    int unread = 0;

    if (ioctl(slot->fd, FIONREAD, &unread) == 0 && unread > 0)
        return;
    (void)shutdown(slot->fd, SHUT_RD);
}

static void
look_at_idle(struct lf_server *server, struct lf_slot *slot, int64_t now_ms)
{
    struct tcp_info info = kernel_notes(slot->fd);
    uint64_t bytes = info.tcpi_bytes_received;
    uint32_t finished = atomic_load(&slot->finished);
    int64_t idle_ms = now_ms - atomic_load(&slot->since_ms);

    if (!slot->noted || slot->noted_finished != finished) {
        slot->noted = true;
        slot->noted_finished = finished;
        slot->noted_bytes = bytes;
        slot->first_byte_ms = 0;
        slot->ended = false;
    } else if (slot->first_byte_ms == 0 && bytes > slot->noted_bytes) {
        slot->first_byte_ms = now_ms;
    }
    /* The client has ended its side in the midst of a head: the library would wait for the rest for ever. Seen twice,
     * for at the first time the worker may just have read a whole request. */
    if (slot->first_byte_ms != 0 && info.tcpi_state == STATE_CLOSE_WAIT) {
        if (slot->ended && lf_slot_move(slot, LF_PHASE_IDLE, LF_PHASE_CUT))
            (void)shutdown(slot->fd, SHUT_RDWR);
        slot->ended = true;
        return;
    }
    if (slot->first_byte_ms != 0) {
        if (now_ms - slot->first_byte_ms >= server->options.request_timeout_ms)
            (void)cut_late(server, slot, LF_PHASE_IDLE, TOO_SLOW);
        else if (atomic_load(&server->cut_rest) && cut_late(server, slot, LF_PHASE_IDLE, STOPPING))
            atomic_fetch_add(&server->cut_at_drain, 1);
    } else if (idle_ms >= server->options.idle_timeout_ms || atomic_load(&server->draining)) {
        close_idle(slot);
    }
}

static void
look_at_receiving(struct lf_server *server, struct lf_slot *slot, int64_t now_ms)
{
    int64_t begun_ms = atomic_load(&slot->since_ms);
    int64_t limit_ms = server->options.request_timeout_ms + atomic_load(&slot->receive_more_ms);

    if (slot->noted && slot->noted_finished == atomic_load(&slot->finished) && slot->first_byte_ms != 0)
        begun_ms = slot->first_byte_ms;
    if (now_ms - begun_ms >= limit_ms)
        (void)cut_late(server, slot, LF_PHASE_RECEIVING, TOO_SLOW);
    else if (atomic_load(&server->cut_rest) && cut_late(server, slot, LF_PHASE_RECEIVING, STOPPING))
        atomic_fetch_add(&server->cut_at_drain, 1);
}

/* An answer has a deadline as a whole, by its length, and must never stand still for as long as a request may take. */
static void
look_at_sending(struct lf_server *server, struct lf_slot *slot, int64_t now_ms)
{
    struct tcp_info info = kernel_notes(slot->fd);
    uint32_t finished = atomic_load(&slot->finished);
    int64_t begun_ms = atomic_load(&slot->since_ms);

    if (slot->acked_of != finished || slot->acked_bytes != info.tcpi_bytes_acked) {
        slot->acked_of = finished;
        slot->acked_bytes = info.tcpi_bytes_acked;
        slot->acked_ms = now_ms;
    }
    if (now_ms - begun_ms < atomic_load(&slot->send_limit_ms) &&
        (now_ms - slot->acked_ms < server->options.request_timeout_ms ||
         now_ms - begun_ms < server->options.request_timeout_ms))
        return;
    if (lf_slot_move(slot, LF_PHASE_SENDING, LF_PHASE_CUT))
        (void)shutdown(slot->fd, SHUT_RDWR);
}

static void
look_at(struct lf_server *server, struct lf_slot *slot, int64_t now_ms)
{
    int phase = atomic_load(&slot->phase);

    if (phase == LF_PHASE_FREE || phase == LF_PHASE_WORKING || phase == LF_PHASE_CUT)
        return;
    pthread_mutex_lock(&slot->lock);
    phase = atomic_load(&slot->phase);
    if (phase == LF_PHASE_HANDED) {
        if (now_ms - atomic_load(&slot->since_ms) >= TAKEN_WITHIN_MS)
            slot_free(server, slot);
    } else if (slot->fd >= 0) {
        if (phase == LF_PHASE_IDLE)
            look_at_idle(server, slot, now_ms);
        else if (phase == LF_PHASE_RECEIVING)
            look_at_receiving(server, slot, now_ms);
        else if (phase == LF_PHASE_SENDING)
            look_at_sending(server, slot, now_ms);
    }
    pthread_mutex_unlock(&slot->lock);
}

void
lf_slot_cut_stuck(struct lf_worker *worker)
{
    struct lf_server *server = worker->server;

    for (unsigned i = 0; i < server->options.max_connections; i++) {
        struct lf_slot *slot = &server->slots[i];
        struct lf_error error;
        int unread = 0;

        if (atomic_load(&slot->phase) != LF_PHASE_RECEIVING)
            continue;
        pthread_mutex_lock(&slot->lock);
        if (slot->worker == worker && slot->fd >= 0 && atomic_load(&slot->phase) == LF_PHASE_RECEIVING) {
            if (ioctl(slot->fd, FIONREAD, &unread) != 0)
                unread = 0;
            if (unread > 0 && unread == slot->unread && lf_slot_move(slot, LF_PHASE_RECEIVING, LF_PHASE_CUT)) {
                lf_fail(&error, LF_BAD_REQUEST, "The body's framing is longer than there is room for.");
                say_and_shut(server, slot->fd, &error, SHUT_RDWR);
            }
            slot->unread = unread;
        }
        pthread_mutex_unlock(&slot->lock);
    }
}

/* ---- accepting ---- */

static struct in6_addr
address_of(const struct sockaddr_storage *from)
{
    struct in6_addr address = IN6ADDR_ANY_INIT;

    if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof v6);
        address = v6.sin6_addr;
    } else if (from->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof v4);
        address.s6_addr[10] = address.s6_addr[11] = 0xFF;
        memcpy(&address.s6_addr[12], &v4.sin_addr, sizeof v4.sin_addr);
    }
    return address;
}

/* Too many: the client is told, in place of being left to guess. */
static void
turn_away(struct lf_server *server, int fd)
{
    struct lf_error error;

    lf_fail(&error, LF_NOT_READY, "Too many connections are open.");
    say_and_shut(server, fd, &error, SHUT_WR);
    linger(server, fd);
}

static void
hand_to_worker(struct lf_server *server, struct lf_slot *slot, int fd)
{
    if (lf_worker_add(slot->worker, slot, fd))
        return;
    lf_slot_take_back(server, slot, slot->generation);
    (void)close(fd);
}

/* Accepts what waits, `burst` at most. false when the system has no room for more now. */
static bool
accept_waiting(struct lf_server *server, int burst)
{
    for (int i = 0; i < burst; i++) {
        struct sockaddr_storage from = {0};
        socklen_t size = sizeof from;
        int fd = accept4(server->listen_fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            return errno == EAGAIN || errno == EPROTO || errno == ENETDOWN;
        }
        struct in6_addr address = address_of(&from);
        struct lf_slot *slot = slot_hand_out(server, &address);
        if (slot != NULL)
            hand_to_worker(server, slot, fd);
        else
            turn_away(server, fd);
    }
    return true;
}

static void
stop_accepting(struct lf_server *server)
{
    /* Whoever stands in the queue has been let in by the kernel already. An own socket is then closed; one that was
     * given to us stays open for our successor. */
    (void)accept_waiting(server, (int)server->options.max_connections);
    if (server->owns_listen_fd)
        (void)close(server->listen_fd);
    server->listen_fd = -1;
}

static int
tick_ms(const struct lf_server *server)
{
    int64_t shortest = server->options.request_timeout_ms < server->options.idle_timeout_ms
                           ? server->options.request_timeout_ms
                           : server->options.idle_timeout_ms;
    int64_t tick = shortest / 8;

    return (int)(tick < TICK_MIN_MS ? TICK_MIN_MS : tick > TICK_MS ? TICK_MS : tick);
}

static void *
run_door(void *context)
{
    struct lf_server *server = context;
    int64_t looked_ms = 0;
    unsigned lingering = 0;
    bool crowded = false; /* accept found no room: wait for the next tick */

    while (!atomic_load(&server->stopping)) {
        bool accepting = server->listen_fd >= 0 && !crowded;
        bool hurried = lingering > 0 || atomic_load(&server->draining);
        struct pollfd fds[2] = {{.fd = server->wake_fd, .events = POLLIN},
                                {.fd = accepting ? server->listen_fd : -1, .events = POLLIN}};
        int tick = hurried ? TICK_MIN_MS : tick_ms(server);
        int64_t now_ms = 0;
        uint64_t wakes = 0;

        (void)poll(fds, 2, tick); /* an interruption is a tick come early */
        if (fds[0].revents != 0)
            (void)!read(server->wake_fd, &wakes, sizeof wakes);
        if (accepting && fds[1].revents != 0)
            crowded = !accept_waiting(server, ACCEPT_BURST);
        if (atomic_load(&server->draining) && server->listen_fd >= 0)
            stop_accepting(server);
        now_ms = lf_http_now_ms();
        lingering = look_at_lingering(server, now_ms, false);
        if (now_ms - looked_ms < tick && !(hurried && wakes > 0))
            continue;
        looked_ms = now_ms;
        crowded = false;
        bool cutting = atomic_load(&server->cut_rest);
        for (unsigned i = 0; i < server->options.max_connections; i++)
            look_at(server, &server->slots[i], now_ms);
        if (cutting)
            atomic_store(&server->rest_is_cut, true);
    }
    (void)look_at_lingering(server, 0, true);
    return NULL;
}

enum lf_status
lf_door_open(struct lf_server *server, struct lf_error *error)
{
    int failed = pthread_create(&server->door, NULL, run_door, server);

    if (failed != 0)
        return lf_fail(error, LF_INTERNAL, "Cannot start a thread: %s.", strerror(failed));
    server->door_runs = true;
    return LF_OK;
}

void
lf_door_close(struct lf_server *server)
{
    if (!server->door_runs)
        return;
    atomic_store(&server->stopping, true);
    lf_door_wake(server);
    (void)pthread_join(server->door, NULL);
    server->door_runs = false;
}
