/*
 * internal.h - what the files of lib/http share and nobody else may see.
 *
 * Threads. Each of the server's workers is one libmicrohttpd daemon with one thread of its own; a connection and its
 * requests stay with the worker they were given to. One more thread, the door (door.c), accepts connections, hands
 * them out, and ends those that take too long. A worker and the door meet in a connection's slot and nowhere else.
 * Slow handlers run on the desk's threads (desk.c): a request is suspended while it is there, belongs to the desk, and
 * comes back by the worker's list of the resumed.
 *
 * The slot's phase says who may write to the socket: the one who moved it. The door moves RECEIVING (or IDLE) to CUT
 * and then writes its own last words; a worker moves RECEIVING to WORKING before it answers. Both by compare and
 * exchange, so only one of them wins.
 */
#ifndef LF_HTTP_INTERNAL_H
#define LF_HTTP_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/guard.h"
#include "http/request.h"
#include "http/router.h"
#include "http/server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct MHD_Daemon;

enum {
    LF_REQUEST_CHUNK = 64 * 1024,  /* an arena's first piece: a lead, its tree and its answer fit */
    LF_REQUESTS_KEPT = 128,        /* idle requests a worker keeps with their arenas: 8 MiB at most */
    LF_REPLY_HEADERS_MAX = 16,     /* beyond those every reply has */
    LF_REQUEST_ID_MAX = 64,        /* characters */
    LF_LINGERING_MAX = 128,        /* sockets whose last words are still being read */
    LF_LINGER_MS = 2000,           /* how long each of them may take */
    LF_SEND_BYTES_PER_MS = 16,     /* the slowest reader borne: 16 kB/s over the whole answer */
    LF_RECEIVE_BYTES_PER_MS = 256, /* of a body above the server's limit: the slowest sender borne, 256 kB/s */
    LF_DESK_THREADS_MAX = 16,
    LF_DESK_NICE = 5, /* how far a thread of the desk stands back behind those that score */
};

enum lf_phase {
    LF_PHASE_FREE,
    LF_PHASE_HANDED,    /* given to a worker that has not taken it yet */
    LF_PHASE_IDLE,      /* between requests; a part of a head may have come */
    LF_PHASE_RECEIVING, /* the request line is here, the request is not whole */
    LF_PHASE_WORKING,   /* whole; a handler or its helpers have it */
    LF_PHASE_SENDING,   /* the answer is on its way */
    LF_PHASE_CUT,       /* given up by the door */
};

struct lf_slot {
    pthread_mutex_t lock; /* held around every use of fd by the door, and when the worker gives fd up */
    int fd;               /* -1: none. Closed by libmicrohttpd after the worker has set this to -1 */
    unsigned index;
    _Atomic int phase;               /* enum lf_phase */
    _Atomic int64_t since_ms;        /* when the phase began, monotonic */
    _Atomic int64_t send_limit_ms;   /* how long SENDING may last */
    _Atomic int64_t receive_more_ms; /* beyond the request's timeout, for a large body */
    _Atomic uint32_t finished;       /* requests answered: tells one idle time from the next */
    struct lf_worker *worker;        /* whom it was given to */
    uint16_t generation;             /* tells the slot's users apart */
    bool linger;                     /* worker's: the client may still be sending when we close */
    struct in6_addr address;         /* whose connection; IPv4 mapped */
    /* the door's notes on an idle connection */
    uint32_t noted_finished;
    uint64_t noted_bytes;
    bool noted;
    bool ended;            /* the client has closed its side with a part of a head sent */
    int64_t first_byte_ms; /* of the next request; 0: none yet */
    /* and on one that takes an answer: which, how far, and since when it stands there */
    uint32_t acked_of;
    uint64_t acked_bytes;
    int64_t acked_ms;
    int unread; /* the worker's note: bytes that the library had not read at its last look; 0: none */
    struct lf_slot *next_free;
};

/* A connection on its way from the door to a worker. */
struct lf_arrival {
    struct lf_arrival *next;
    struct lf_slot *slot;
    uint16_t generation; /* of the slot: it may have been taken back meanwhile */
    int fd;
};

struct lf_worker {
    struct lf_server *server;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    bool runs;               /* there is such a thread */
    int library_fd, wake_fd; /* readable: the library has something to do; somebody wakes us */
    _Atomic bool stopping;
    pthread_mutex_t lock; /* over what follows, down to `asleep` */
    struct lf_request *first_resumed, *last_resumed;
    struct lf_arrival *arrivals;
    bool asleep;
    unsigned turns; /* of the loop in a row in which nothing happened though there should be something to do */
    bool happened;  /* the library has called us in this turn */
    struct lf_arena *scratch; /* of the handler at work */
    struct lf_request *kept;  /* idle requests */
    unsigned kept_count;
    _Atomic unsigned connections;
    char id_prefix[16]; /* of request ids */
    uint64_t id_count;
};

struct lf_lingering {
    int fd;
    int64_t until_ms;
};

/* One thread of the desk. */
struct lf_clerk {
    struct lf_desk *desk;
    pthread_t thread;
    struct lf_arena *scratch; /* of the handler at work */
};

struct lf_desk {
    struct lf_server *server;
    bool made; /* lock and condition are there */
    struct lf_clerk clerks[LF_DESK_THREADS_MAX];
    unsigned clerk_count;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    struct lf_request *first, *last; /* in the order in which they came */
    size_t waiting;                  /* in the list, or on their way there */
    bool ending;
};

struct lf_server {
    struct lf_server_options options;
    struct lf_router *router;
    struct lf_worker *workers; /* options.threads of them */
    unsigned workers_made;     /* so many of them are to be finished */
    struct lf_desk desk;
    int listen_fd;
    bool owns_listen_fd;
    uint16_t port;
    int wake_fd; /* eventfd: wakes the door */
    pthread_t door;
    bool door_runs;
    size_t arena_max;
    struct lf_slot *slots; /* options.max_connections of them */
    pthread_mutex_t slots_lock;
    struct lf_slot *free_slots;
    _Atomic unsigned open;      /* slots in use */
    _Atomic unsigned suspended; /* requests out of their event loop */
    _Atomic bool draining, cut_rest, rest_is_cut, stopping;
    _Atomic unsigned cut_at_drain;
    _Atomic int64_t desk_until_ns; /* what has not begun at the desk by then is turned away; INT64_MAX: never */
    pthread_mutex_t linger_lock;
    struct lf_lingering lingering[LF_LINGERING_MAX];
    unsigned lingering_count;
    /* the door's own */
    uint64_t door_ids;
    char door_prefix[16];
};

enum lf_stage {
    LF_STAGE_HEAD,      /* request line seen */
    LF_STAGE_BODY,      /* head accepted, body on its way */
    LF_STAGE_HANDLER,   /* with the handler */
    LF_STAGE_SUSPENDED, /* with another thread */
    LF_STAGE_DESK,      /* with its handler on a thread of the desk */
    LF_STAGE_NOTED,     /* the same, answered: to be said by the worker */
    LF_STAGE_ANSWERED,
    LF_STAGE_BROKEN, /* no answer possible: close */
};

struct lf_request {
    struct lf_request *next_kept, *next_resumed, *next_at_desk;
    struct lf_worker *worker;
    struct lf_slot *slot;
    struct MHD_Connection *connection;
    struct lf_arena *arena, *scratch; /* scratch: of the thread that it is with */
    enum lf_stage stage;
    const struct lf_route *route;   /* NULL until found */
    char *target;                   /* raw, in the arena; NULL when memory was out */
    const char *method;             /* the library's */
    const struct lf_error *refusal; /* to be said once the body has passed by; NULL: none */
    struct lf_header headers[LF_HEADERS_MAX];
    size_t header_count;       /* may exceed LF_HEADERS_MAX until the guard has seen it */
    struct lf_framing framing; /* once guarded */
    bool guarded;              /* the guard found nothing wrong */
    struct lf_param params[LF_PARAMS_MAX], query[LF_QUERY_MAX];
    size_t param_count, query_count;
    struct lf_identity identity;
    char id[LF_REQUEST_ID_MAX + 1];
    struct lf_buf body;
    lf_handler resumed;
    void *data;
    struct {
        const char *name, *value;
    } reply_headers[LF_REPLY_HEADERS_MAX];
    size_t reply_header_count;
    const char *retry_after; /* what Retry-After says where an answer has it */
    struct {
        int http_status;
        const char *content_type; /* NULL: none */
        const void *bytes;
        size_t len;
    } noted;             /* the answer that was given on the desk */
    int status;          /* of the answer; 0: none */
    size_t answer_bytes; /* its body */
    int64_t begun_ns;
};

/* ---- request.c ---- */

/* A request for the worker's connection, from its kept ones or new. NULL when memory is out. */
struct lf_request *lf_request_take(struct lf_worker *worker, struct lf_slot *slot, const char *target);

/* Gives it back with all that is its. */
void lf_request_release(struct lf_request *request);

void lf_request_free_kept(struct lf_worker *worker);

/* ---- worker.c ---- */

/* Prepares the worker; its daemon is made by server.c, with external polling. Finish takes what was prepared. */
enum lf_status lf_worker_init(struct lf_worker *worker, size_t arena_max, struct lf_error *error);

/* Starts its thread. */
enum lf_status lf_worker_run(struct lf_worker *worker, struct lf_error *error);

/* Hands a connection to the worker, which closes fd in any case. false: no memory, and fd is still the caller's. */
bool lf_worker_add(struct lf_worker *worker, struct lf_slot *slot, int fd);

/* Has the worker resume a suspended request. From any thread. */
void lf_worker_resume(struct lf_request *request);

/* Stops its thread and its daemon, which has nothing suspended any more, and frees what it keeps. */
void lf_worker_finish(struct lf_worker *worker);

/* ---- admit.c ---- */

/* Judges the head: guard, route, key, what is announced of a body. LF_OK, or the refusal, with reply headers such as
 * Allow already set. */
enum lf_status lf_admit(struct lf_request *request, const char *method, const char *version, struct lf_error *error);

/* ---- reply.c ---- */

/* Answers by writing to the socket ourselves, for the library cannot queue while a body is under way, and marks the
 * connection for closing. The caller returns MHD_NO. */
void lf_reply_refusal(struct lf_request *request, const struct lf_error *error);

/* A whole refusal (head and body) of a request nobody has read, for the door. Returns its length, 0 when memory is
 * out. */
size_t lf_refusal_text(const char *id, const struct lf_error *error, char *text, size_t size);

/* Says on the worker's thread what was answered on the desk. */
void lf_reply_noted(struct lf_request *request);

/* The answer to a request whose handler gave none: a fault of ours. */
void lf_reply_missing(struct lf_request *request);

/* ---- desk.c ---- */

/* Starts the threads; the caller has blocked all signals. What was opened in part, or never, can be closed as well. */
enum lf_status lf_desk_open(struct lf_desk *desk, struct lf_server *server, struct lf_error *error);

/* Ends the threads, once the queue is empty. */
void lf_desk_close(struct lf_desk *desk);

/* Suspends a whole request and gives it to the desk, from its worker's thread. false: the queue is full, and the
 * request is as it was. */
bool lf_desk_take(struct lf_desk *desk, struct lf_request *request);

/* ---- door.c ---- */

/* Milliseconds of the coarse monotonic clock: cheap, exact to some 4 ms. */
int64_t lf_http_now_ms(void);

enum lf_status lf_door_open(struct lf_server *server, struct lf_error *error);
void lf_door_wake(struct lf_server *server);

/* Ends the thread. */
void lf_door_close(struct lf_server *server);

/* A worker takes over or gives up the slot of a connection. */
/* Gives up the worker's connections that hold bytes which the library does not read, and did not at the last call
 * either: it has no room for them and waits for ever. On the worker's thread. */
void lf_slot_cut_stuck(struct lf_worker *worker);

/* Takes the slot of a connection back that never came to be. */
void lf_slot_take_back(struct lf_server *server, struct lf_slot *slot, uint16_t generation);

struct lf_slot *lf_slot_taken(struct lf_server *server, unsigned index, uint16_t generation, int fd);
void lf_slot_given_up(struct lf_server *server, struct lf_slot *slot);

/* Moves the slot's phase from one to another; false when it was no longer there (the door has cut it). */
bool lf_slot_move(struct lf_slot *slot, enum lf_phase from, enum lf_phase to);

/* ---- log.c ---- */

/* The request's line in the log, and its observation. duration from begun_ns to now. */
void lf_request_log(const struct lf_request *request);

/* The same for what the door has answered. */
void lf_door_log(const struct lf_server *server, const char *id, const struct lf_error *error);

#endif
