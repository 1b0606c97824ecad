/*
 * receiver.h - for the tests of what goes out: a target on a port of its own that notes what it gets and answers by the
 * path. For one test program a file: it defines functions. One thread, nothing allocated.
 *
 *     /ok          200
 *     /status/N    that status
 *     /flaky/N     500 to the first N requests of each webhook-id, then 200
 *     /stuck       500 to the first request of each webhook-id, then as /hold
 *     /later/TEXT  429 with Retry-After: TEXT
 *     /hold        200, once let go (receiver_let_go); all others are answered meanwhile
 *     /hang        never
 *     /close       closes
 */
#ifndef LF_TESTS_RECEIVER_H
#define LF_TESTS_RECEIVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { REQUESTS_MAX = 20000, CALLS_MAX = 300, REQUEST_MAX = 4096, RECEIVER_PATIENCE_MS = 45000 };

struct request {
    char path[64], id[40], signature[64], body[512];
    int64_t timestamp;
};

struct call {
    int fd; /* -1: free */
    size_t len;
    char text[REQUEST_MAX];
    bool held;
};

static struct {
    pthread_t thread;
    int listener, port, bell[2];
    struct call calls[CALLS_MAX]; /* the thread's */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct request requests[REQUESTS_MAX];
    size_t count;
    int held_status; /* 0: held ones wait */
    bool ending;
} receiver = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- the thread ---- */

static inline void
put_answer(struct call *call, int status, const char *headers)
{
    char text[256];
    int len = snprintf(text, sizeof text, "HTTP/1.1 %d Status\r\nContent-Length: 0\r\n%s\r\n", status, headers);

    (void)send(call->fd, text, (size_t)len, MSG_NOSIGNAL); /* who does not wait for it does not get it */
}

static inline void
end_call(struct call *call)
{
    (void)close(call->fd);
    *call = (struct call){.fd = -1};
}

static inline void
copy_header(const char *head, const char *name, char *ret_value, size_t size)
{
    const char *at = strcasestr(head, name);
    size_t len = 0;

    if (at == NULL)
        return;
    at += strlen(name);
    len = strcspn(at, "\r\n");
    (void)snprintf(ret_value, size, "%.*s", (int)len, at);
}

/* How often that delivery came before. Under the lock. */
static inline int
times_before(const struct request *request)
{
    int times = 0;

    for (size_t i = 0; i < receiver.count; i++)
        times += strcmp(receiver.requests[i].id, request->id) == 0;
    return times;
}

/* Notes a whole request; how to answer: a status, 0: later, -1: not at all, -2: by closing. */
static inline int
note_request(const char *head, const char *body, size_t body_len, char *ret_headers, size_t size)
{
    struct request request = {.timestamp = 0};
    char number[32] = "0";
    int before = 0, answer = -1, held_status = 0;

    (void)sscanf(head, "POST %63s", request.path);
    copy_header(head, "\r\nwebhook-id: ", request.id, sizeof request.id);
    copy_header(head, "\r\nwebhook-signature: ", request.signature, sizeof request.signature);
    copy_header(head, "\r\nwebhook-timestamp: ", number, sizeof number);
    request.timestamp = atoll(number);
    (void)snprintf(request.body, sizeof request.body, "%.*s", (int)body_len, body);
    (void)pthread_mutex_lock(&receiver.lock);
    if (strncmp(request.path, "/flaky/", 7) == 0 || strncmp(request.path, "/stuck", 6) == 0)
        before = times_before(&request);
    held_status = receiver.held_status;
    if (receiver.count < REQUESTS_MAX)
        receiver.requests[receiver.count++] = request;
    (void)pthread_cond_broadcast(&receiver.changed);
    (void)pthread_mutex_unlock(&receiver.lock);
    if (strncmp(request.path, "/ok", 3) == 0)
        answer = 200;
    else if (strncmp(request.path, "/status/", 8) == 0)
        answer = atoi(request.path + 8);
    else if (strncmp(request.path, "/flaky/", 7) == 0)
        answer = before < atoi(request.path + 7) ? 500 : 200;
    else if (strncmp(request.path, "/stuck", 6) == 0)
        answer = before == 0 ? 500 : held_status;
    else if (strncmp(request.path, "/later/", 7) == 0) {
        answer = 429;
        (void)snprintf(ret_headers, size, "Retry-After: %.40s\r\n", request.path + 7);
    } else if (strncmp(request.path, "/hold", 5) == 0)
        answer = held_status;
    else if (strncmp(request.path, "/close", 6) == 0)
        answer = -2;
    return answer;
}

/* Answers what has arrived whole. */
static inline void
take_requests(struct call *call)
{
    char *end = NULL, headers[128] = "", number[16] = "0";
    size_t head = 0, body = 0;
    int answer = 0;

    call->text[call->len] = '\0';
    end = strstr(call->text, "\r\n\r\n");
    if (end == NULL)
        return;
    end[2] = '\0';
    head = (size_t)(end - call->text) + 4;
    copy_header(call->text, "\r\nContent-Length: ", number, sizeof number);
    body = (size_t)atoi(number);
    if (call->len < head + body) {
        end[2] = '\r';
        return;
    }
    answer = note_request(call->text, call->text + head, body, headers, sizeof headers);
    call->len -= head + body;
    memmove(call->text, call->text + head + body, call->len);
    call->held = answer == 0;
    if (answer > 0)
        put_answer(call, answer, headers);
    else if (answer == -2)
        end_call(call);
}

static inline void
read_call(struct call *call)
{
    ssize_t got = recv(call->fd, call->text + call->len, sizeof call->text - 1 - call->len, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end_call(call);
        return;
    }
    call->len += (size_t)got;
    take_requests(call);
}

static inline void
accept_call(void)
{
    int fd = accept(receiver.listener, NULL, NULL);

    for (size_t i = 0; fd >= 0 && i < CALLS_MAX; i++) {
        if (receiver.calls[i].fd < 0) {
            receiver.calls[i] = (struct call){.fd = fd};
            return;
        }
    }
    if (fd >= 0)
        (void)close(fd);
}

static inline void
answer_held(int status)
{
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (receiver.calls[i].fd >= 0 && receiver.calls[i].held) {
            put_answer(&receiver.calls[i], status, "");
            receiver.calls[i].held = false;
        }
    }
}

static inline void *
receiver_main(void *argument)
{
    static struct pollfd fds[CALLS_MAX + 2];
    char rung[16];

    (void)argument;
    for (;;) {
        bool ending = false;
        int held_status = 0;

        fds[0] = (struct pollfd){.fd = receiver.bell[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = receiver.listener, .events = POLLIN};
        for (size_t i = 0; i < CALLS_MAX; i++)
            fds[i + 2] = (struct pollfd){.fd = receiver.calls[i].fd, .events = POLLIN};
        if (poll(fds, CALLS_MAX + 2, -1) < 0)
            continue;
        if (fds[0].revents != 0 && read(receiver.bell[0], rung, sizeof rung) < 0)
            continue;
        (void)pthread_mutex_lock(&receiver.lock);
        ending = receiver.ending;
        held_status = receiver.held_status;
        (void)pthread_mutex_unlock(&receiver.lock);
        if (ending)
            break;
        if (held_status != 0)
            answer_held(held_status);
        if (fds[1].revents != 0)
            accept_call();
        for (size_t i = 0; i < CALLS_MAX; i++) {
            if (fds[i + 2].revents != 0 && receiver.calls[i].fd == fds[i + 2].fd)
                read_call(&receiver.calls[i]);
        }
    }
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (receiver.calls[i].fd >= 0)
            end_call(&receiver.calls[i]);
    }
    return NULL;
}

/* ---- for tests ---- */

static inline void
receiver_ring(void)
{
    assert_int_equal(write(receiver.bell[1], "!", 1), 1);
}

static inline void
receiver_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    for (size_t i = 0; i < CALLS_MAX; i++)
        receiver.calls[i] = (struct call){.fd = -1};
    receiver.count = 0;
    receiver.held_status = 0;
    receiver.ending = false;
    assert_int_equal(pipe(receiver.bell), 0);
    receiver.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(receiver.listener >= 0);
    assert_int_equal(bind(receiver.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(receiver.listener, 128), 0);
    assert_int_equal(getsockname(receiver.listener, (struct sockaddr *)&address, &len), 0);
    receiver.port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&receiver.thread, NULL, receiver_main, NULL), 0);
}

static inline void
receiver_stop(void)
{
    (void)pthread_mutex_lock(&receiver.lock);
    receiver.ending = true;
    (void)pthread_mutex_unlock(&receiver.lock);
    receiver_ring();
    assert_int_equal(pthread_join(receiver.thread, NULL), 0);
    (void)close(receiver.listener);
    (void)close(receiver.bell[0]);
    (void)close(receiver.bell[1]);
}

/* Answers what is held, and what will be, with that status; 0: holds again. */
static inline void
receiver_let_go(int status)
{
    (void)pthread_mutex_lock(&receiver.lock);
    receiver.held_status = status;
    (void)pthread_mutex_unlock(&receiver.lock);
    receiver_ring();
}

/* How many requests came on paths that begin so. Under the lock. */
static inline size_t
count_on(const char *path)
{
    size_t count = 0;

    for (size_t i = 0; i < receiver.count; i++)
        count += strncmp(receiver.requests[i].path, path, strlen(path)) == 0;
    return count;
}

static inline size_t
received(const char *path)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&receiver.lock);
    count = count_on(path);
    (void)pthread_mutex_unlock(&receiver.lock);
    return count;
}

/* Until so many have come on paths that begin so. */
static inline void
await_received(const char *path, size_t least)
{
    struct timespec until;
    int rc = 0;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RECEIVER_PATIENCE_MS / 1000;
    (void)pthread_mutex_lock(&receiver.lock);
    while (count_on(path) < least && rc == 0)
        rc = pthread_cond_timedwait(&receiver.changed, &receiver.lock, &until);
    (void)pthread_mutex_unlock(&receiver.lock);
    if (rc != 0)
        fail_msg("%zu of %zu requests on %s", received(path), least, path);
}

/* The n-th that came on paths that begin so, from 0. */
static inline struct request
request_on(const char *path, size_t n)
{
    struct request request = {.timestamp = -1};

    (void)pthread_mutex_lock(&receiver.lock);
    for (size_t i = 0; i < receiver.count; i++) {
        if (strncmp(receiver.requests[i].path, path, strlen(path)) == 0 && n-- == 0) {
            request = receiver.requests[i];
            break;
        }
    }
    (void)pthread_mutex_unlock(&receiver.lock);
    return request;
}

#endif
