/*
 * server.h - the HTTP server: libmicrohttpd's life, the routing table, limits, deadlines, an orderly stop.
 *
 * It knows nothing of leads: routes, handlers and the key check are given to it. Handlers run on its threads.
 */
#ifndef LF_HTTP_SERVER_H
#define LF_HTTP_SERVER_H

#include "base/config.h"
#include "base/status.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lf_route_body {
    LF_BODY_NONE,  /* a body is refused with 413 once it is longer than nothing */
    LF_BODY_JSON,  /* application/json (or application/…+json, or no Content-Type); else 415 */
    LF_BODY_TEXT,  /* as LF_BODY_JSON, or text/plain */
    LF_BODY_LINES, /* as LF_BODY_JSON, or application/x-ndjson */
};

/* Where a handler runs. */
enum lf_lane {
    LF_LANE_WORKER, /* on the HTTP thread: must not wait for anything but the processor */
    LF_LANE_DESK, /* on a thread of the desk: may wait for the disk or take a second; it must answer, and not suspend */
};

/* One line of the routing table. */
struct lf_route {
    const char *method; /* "GET" also serves HEAD */
    const char *path;   /* "/v1/icps/{key}/versions/{n}"; a {name} stands for one whole, non-empty segment */
    uint32_t scope;     /* bits of which the key must have all; 0: open to everybody */
    enum lf_route_body body;
    lf_handler handle;
    enum lf_lane lane;
    size_t max_body; /* bytes; 0: the server's */
};

/* Finds who a key belongs to. token: what stood behind Bearer or in X-Api-Key. UNAUTHORIZED: unknown, revoked, expired;
 * RATE_LIMITED: the key has used up its rate; OUT_OF_MEMORY. Called on HTTP threads, at the same time on several. */
typedef enum lf_status (*lf_authenticate)(void *context, const char *token, struct lf_identity *ret_identity);

/* One answered request, for whoever counts them. */
struct lf_observation {
    const char *method; /* of the route, "" where none was found */
    const char *route;  /* its path as in the table, "" where none was found */
    size_t route_index; /* in the table, route_count where none was found */
    int status;         /* HTTP; 0 where the connection broke before an answer */
    int64_t duration_us;
};

/* Called on the server's threads, at the same time on several. Must be quick. */
typedef void (*lf_observe)(void *context, const struct lf_observation *observation);

struct lf_server_options {
    const char *address;        /* numeric IPv4 or IPv6 */
    uint16_t port;              /* 0: a free one */
    int listen_fd;              /* an open listening socket to use in place of address and port, or -1 */
    unsigned threads;           /* 1..64 */
    unsigned max_connections;   /* in total */
    unsigned max_per_address;   /* 0: no limit */
    size_t max_body;            /* bytes */
    unsigned desk_threads;      /* 1..16; may be 0 where no route is for the desk */
    size_t desk_queue;          /* requests that may wait for the desk; one more is BUSY */
    int64_t request_timeout_ms; /* from a request's first byte to its last; a body above max_body has more */
    int64_t idle_timeout_ms;    /* between requests */
    enum lf_log_requests log_requests;
    const struct lf_route *routes; /* static */
    size_t route_count;
    lf_authenticate authenticate;
    lf_observe observe; /* NULL: nobody counts */
    void *context;      /* for handlers, authenticate and observe */
};

struct lf_server;

/* Checks the table (no two routes alike, every one with a handler), binds, starts the threads (with all signals blocked
 * in them). Raises the process's soft limit of open files to what the connections need. Errors: CONFIG for options, the
 * table, the address and too few files; INTERNAL and OUT_OF_MEMORY. */
enum lf_status lf_server_start(const struct lf_server_options *options, struct lf_server **ret_server,
                               struct lf_error *error) LF_MUST_CHECK;

/* Which libmicrohttpd this runs on, such as "0.9.75". Static. */
const char *lf_server_library_version(void);

/* The port it listens on. */
uint16_t lf_server_port(const struct lf_server *server);

/* First half of an orderly stop: no new connections; every reply from now on closes its connection; idle connections
 * are closed; requests whose head has arrived go on. Waits until none is left or timeout_ms is over, then cuts the
 * ones that are not whole. What still waits for the desk when half of that time is over is answered with NOT_READY.
 * Suspended requests must still be resumed by their owner. Returns how many were cut. */
unsigned lf_server_drain(struct lf_server *server, int64_t timeout_ms);

/* Second half: waits until nothing is suspended any more (for ever, if its owner does not resume), lets the last
 * answers go out, stops the threads and frees. Drains with no time first where that was not done. NULL is fine. */
void lf_server_stop(struct lf_server *server);

#endif
