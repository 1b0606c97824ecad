/*
 * request_fixture.h - whole requests through a server of this process, for tests that stand in the way of allocations
 * or look at what a request leaves behind. For one test program a file: it holds the server.
 */
#ifndef LF_TESTS_REQUEST_FIXTURE_H
#define LF_TESTS_REQUEST_FIXTURE_H

#include "api/routes.h"
#include "app/idempotency.h"
#include "app/service.h"
#include "app_fixture.h"
#include "http/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>

enum { PATIENCE_MS = 20000, ANSWER_MAX = 65536, ATTEMPTS_MAX = 2000 };

static struct {
    struct lf_service *service;
    struct lf_server *server;
    char key[LF_API_KEY_TEXT_MAX];
} host;

struct answer {
    int status; /* 0: the connection was closed without one */
    bool again; /* marked as given before */
    char text[ANSWER_MAX];
    const char *body;
};

static inline enum lf_status
authenticate(void *context, const char *token, struct lf_identity *ret_identity)
{
    return lf_service_admit(context, token, ret_identity->key_id, &ret_identity->scopes);
}

/* Serves a core ICP and an experimental one; host.key has these scopes. */
static inline void
serve(struct fixture *f, uint32_t scopes)
{
    struct lf_service_options options = {
        .db = f->path, .queue = 100, .batch = 10, .stall_ms = 60000, .public_url = "https://scores.example.com"};
    struct lf_server_options server = {
        .address = "127.0.0.1",
        .listen_fd = -1,
        .threads = 1,
        .max_connections = 16,
        .max_body = 1 << 16,
        .desk_threads = 1,
        .desk_queue = 4,
        .request_timeout_ms = PATIENCE_MS,
        .idle_timeout_ms = PATIENCE_MS,
        .authenticate = authenticate,
    };
    struct lf_stored_key key;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "trial", "experimental", PLAIN_ATTRIBUTES, 1);
    put_key(f, scopes, 0, host.key, &key);
    close_store(f);
    OK(lf_service_start(&options, &host.service, &f->error));
    server.context = host.service;
    server.routes = lf_api_routes(false, &server.route_count);
    OK(lf_server_start(&server, &host.server, &f->error));
}

static inline void
stop_serving(struct fixture *f)
{
    lf_server_stop(host.server);
    lf_service_stop(host.service);
    open_store(f);
}

static inline void
pause_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

/* Posts over a connection of its own, and reads to its end. headers: each with its line end. Allocates nothing. */
static inline void
post(const char *path, const char *headers, const char *body, struct answer *ret_answer)
{
    static char text[ANSWER_MAX];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(lf_server_port(host.server))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int len = snprintf(text, sizeof text,
                       "POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", path,
                       headers, strlen(body), body);
    size_t at = 0;
    ssize_t got = 1;

    ret_answer->status = 0;
    ret_answer->again = false;
    ret_answer->body = "";
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) == len)
        while (at < ANSWER_MAX - 1 && (got = recv(fd, ret_answer->text + at, ANSWER_MAX - 1 - at, 0)) > 0)
            at += (size_t)got;
    (void)close(fd);
    ret_answer->text[at] = '\0';
    if (strncmp(ret_answer->text, "HTTP/1.1 ", 9) != 0 || strstr(ret_answer->text, "\r\n\r\n") == NULL)
        return;
    ret_answer->status = atoi(ret_answer->text + 9);
    ret_answer->again = strstr(ret_answer->text, "\r\nIdempotency-Replayed: true\r\n") != NULL;
    ret_answer->body = strstr(ret_answer->text, "\r\n\r\n") + 4;
}

static inline int64_t
count_recorded(struct fixture *f)
{
    struct lf_store_reader *reader = NULL;
    struct lf_ulid last;
    int64_t count = 0;

    OK(lf_service_borrow_reader(host.service, &reader, &f->error));
    OK(lf_store_last_score(reader, &last, &count, &f->error));
    lf_service_return_reader(host.service, reader);
    return count;
}

/* Nothing is claimed any more: where the answer was lost, its request may still be at its end. */
static inline void
await_quiet(void)
{
    struct lf_idempotency *idempotency = lf_service_idempotency(host.service);

    for (int ms = 0; lf_idempotency_in_flight(idempotency) > 0; ms++) {
        if (ms > PATIENCE_MS)
            fail_msg("a claim is left over");
        pause_ms(1);
    }
}

#endif
