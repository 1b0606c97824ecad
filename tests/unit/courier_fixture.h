/*
 * courier_fixture.h - for the tests of the courier: a store, a recorder and subscriptions as the service has them,
 * events put into the outbox by hand, a storage that can be made to fail, and a clock that can be made to jump.
 *
 * The program is linked with -Wl,--wrap=lf_time_now_ms.
 */
#ifndef LF_TESTS_COURIER_FIXTURE_H
#define LF_TESTS_COURIER_FIXTURE_H

#include "app/courier.h"
#include "app/recorder.h"
#include "app/subscriptions.h"
#include "base/json.h"
#include "receiver.h"
#include "store_fixture.h"

#include <stdatomic.h>

enum {
    PATIENCE_MS = 45000, /* less than the minute after which a courier that was not woken looks by itself */
    TIMEOUT_MS = 30000
};

/* ---- the clock on the wall ---- */

static _Atomic int64_t jump_ms;

int64_t __real_lf_time_now_ms(void);
int64_t __wrap_lf_time_now_ms(void);

int64_t
__wrap_lf_time_now_ms(void)
{
    return __real_lf_time_now_ms() + atomic_load(&jump_ms);
}

static inline void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

/* ---- a storage that can be made to fail ---- */

static struct {
    const struct lf_store_backend *real;
    struct lf_store_backend backend;
    atomic_int note_answer, read_answer, stop_answer; /* of the next ones */
    atomic_int notes, reads, slices;                  /* tried */
    atomic_size_t noted, largest;                     /* attempts; of one commit */
    void (*sliced)(void);                             /* after a slice was given up, on the recorder's thread */
} gate;

static inline enum lf_status
gated_note(struct lf_store *store, const struct lf_attempt *attempts, size_t count, bool *ret_waited,
           struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.note_answer);

    atomic_fetch_add(&gate.notes, 1);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    atomic_fetch_add(&gate.noted, count);
    if (count > atomic_load(&gate.largest))
        atomic_store(&gate.largest, count);
    return gate.real->note_attempts(store, attempts, count, ret_waited, error);
}

static inline enum lf_status
gated_deliveries(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                 enum lf_delivery_order order, int64_t from, size_t limit, struct lf_stored_delivery **ret_deliveries,
                 size_t *ret_count, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.read_answer);

    if (order != LF_DELIVERIES_NEWEST) /* which only tests read */
        atomic_fetch_add(&gate.reads, 1);
    if (order != LF_DELIVERIES_NEWEST && answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    return gate.real->deliveries(reader, arena, subscription_id, order, from, limit, ret_deliveries, ret_count, error);
}

static inline enum lf_status
gated_stop(struct lf_store *store, int64_t id, enum lf_subscription_state state, const char *reason,
           const struct lf_change *change, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.stop_answer);

    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    return gate.real->stop_subscription(store, id, state, reason, change, error);
}

static inline enum lf_status
gated_fail(struct lf_store *store, int64_t subscription_id, int64_t at_ms, const char *reason, size_t limit,
           bool *ret_more, struct lf_error *error)
{
    enum lf_status status = gate.real->fail_deliveries(store, subscription_id, at_ms, reason, limit, ret_more, error);

    atomic_fetch_add(&gate.slices, 1);
    if (gate.sliced != NULL)
        gate.sliced();
    return status;
}

static inline void
gate_install(struct fixture *f)
{
    gate.real = f->store->backend;
    gate.backend = *gate.real;
    gate.backend.note_attempts = gated_note;
    gate.backend.deliveries = gated_deliveries;
    gate.backend.stop_subscription = gated_stop;
    gate.backend.fail_deliveries = gated_fail;
    atomic_store(&gate.note_answer, LF_OK);
    atomic_store(&gate.read_answer, LF_OK);
    atomic_store(&gate.stop_answer, LF_OK);
    atomic_store(&gate.notes, 0);
    atomic_store(&gate.reads, 0);
    atomic_store(&gate.slices, 0);
    atomic_store(&gate.noted, 0);
    atomic_store(&gate.largest, 0);
    gate.sliced = NULL;
    f->store->backend = &gate.backend;
    lf_store_reader_close(f->reader); /* a reader has the storage of when it was opened */
    OK(lf_store_reader_open(f->store, &f->reader, &f->error));
}

/* ---- the whole ---- */

static const int64_t QUICK[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

struct post_office {
    struct fixture *f;
    struct lf_recorder *recorder;
    struct lf_subscriptions *subscriptions;
    struct lf_courier_options options;
    struct lf_courier *courier; /* NULL: it does not work */
};

static inline void
start_courier(struct post_office *o)
{
    struct fixture *f = o->f;

    OK(lf_courier_start(f->store, o->recorder, o->subscriptions, &o->options, &o->courier, &f->error));
}

static inline void
stop_courier(struct post_office *o)
{
    lf_courier_stop(o->courier);
    o->courier = NULL;
}

/* Without the courier; that is started once the options are as the test wants them. */
static inline struct post_office
open_office(void **state)
{
    struct fixture *f = *state;
    struct lf_recorder_options recorder = {.queue = 1000, .batch = 50};
    struct post_office o = {.f = f,
                            .options = {.poster = {.allow_private = true, .timeout_ms = TIMEOUT_MS},
                                        .each = 8,
                                        .schedule_ms = QUICK,
                                        .schedule_count = sizeof QUICK / sizeof QUICK[0]}};

    atomic_store(&jump_ms, 0);
    gate_install(f);
    receiver_start();
    OK(lf_subscriptions_load(f->reader, 1000000, &o.subscriptions, &f->error));
    OK(lf_recorder_start(f->store, &recorder, &o.recorder, &f->error));
    return o;
}

static inline void
close_office(struct post_office *o)
{
    lf_courier_stop(o->courier);
    lf_recorder_stop(o->recorder);
    lf_subscriptions_destroy(o->subscriptions);
    receiver_stop();
}

/* ---- subscriptions ---- */

struct putting {
    struct post_office *office;
    struct lf_stored_subscription stored;
    struct lf_subscription *prepared;
    const char *deleted;
};

static inline enum lf_status
put_task(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct putting *putting = argument;
    const struct lf_change change = by_ops(lf_time_now_ms());
    bool created = false;
    enum lf_status status =
        lf_store_put_subscription(store, &putting->stored, &change, &putting->stored.id, &created, error);

    if (status == LF_OK)
        lf_subscriptions_place(putting->office->subscriptions, store, putting->prepared, &putting->stored);
    return status;
}

static inline enum lf_status
delete_task(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct putting *putting = argument;
    const struct lf_change change = by_ops(lf_time_now_ms());
    enum lf_status status = lf_store_delete_subscription(store, putting->deleted, &change, error);

    if (status == LF_OK)
        lf_subscriptions_remove(putting->office->subscriptions, putting->deleted);
    return status;
}

/* Makes a subscription to all events ready, at that path of the receiver. */
static inline void
prepare_put(struct post_office *o, const char *key, const char *path, struct putting *ret_putting)
{
    static char url[128];
    struct fixture *f = o->f;

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", receiver.port, path);
    *ret_putting = (struct putting){.office = o,
                                    .stored = {.key = key,
                                               .url = url,
                                               .secret = "a secret of 24 bytes ...",
                                               .secret_len = 24,
                                               .events = 15,
                                               .icp = "",
                                               .grades = "[]"}};
    OK(lf_subscriptions_prepare(&ret_putting->stored, &ret_putting->prepared, &f->error));
}

/* Puts it; its id. */
static inline int64_t
put(struct post_office *o, const char *key, const char *path)
{
    struct fixture *f = o->f;
    struct putting putting;

    prepare_put(o, key, path, &putting);
    OK(lf_recorder_run(o->recorder, put_task, &putting, &f->error));
    return putting.stored.id;
}

static inline void
delete_subscription(struct post_office *o, const char *key)
{
    struct fixture *f = o->f;
    struct putting putting = {.office = o, .deleted = key};

    OK(lf_recorder_run(o->recorder, delete_task, &putting, &f->error));
}

static inline enum lf_subscription_state
state_of(struct post_office *o, int64_t id)
{
    struct fixture *f = o->f;
    struct lf_subscription **items = NULL;
    size_t count = 0;
    int state = -1;

    assert_true(lf_subscriptions_hold(o->subscriptions, f->arena, &items, &count));
    for (size_t i = 0; i < count; i++) {
        if (items[i]->id == id)
            state = atomic_load(&items[i]->state);
    }
    lf_subscriptions_release(o->subscriptions, items, count);
    return (enum lf_subscription_state)state;
}

static inline void
await_subscription(struct post_office *o, int64_t id, enum lf_subscription_state state)
{
    for (int waited = 0; state_of(o, id) != state; waited += 2) {
        if (waited > PATIENCE_MS)
            fail_msg("the subscription is in state %d, not %d", (int)state_of(o, id), (int)state);
        pause_ms(2);
    }
}

static inline enum lf_status
nothing_task(struct lf_store *store, void *argument, struct lf_error *error)
{
    (void)store, (void)argument, (void)error;
    return LF_OK;
}

struct counts {
    int64_t waiting, delivered, failed_attempts, given_up, failing_since_ms;
};

/* The counts that the registry keeps, as of all that can be seen in the store: it follows within the same task. */
static inline struct counts
counts_of(struct post_office *o, int64_t id)
{
    struct fixture *f = o->f;
    struct lf_subscription **items = NULL;
    struct counts found = {.waiting = -1};
    size_t count = 0;

    OK(lf_recorder_run(o->recorder, nothing_task, NULL, &f->error));
    assert_true(lf_subscriptions_hold(o->subscriptions, f->arena, &items, &count));
    for (size_t i = 0; i < count; i++) {
        if (items[i]->id == id)
            found = (struct counts){.waiting = atomic_load(&items[i]->waiting),
                                    .delivered = atomic_load(&items[i]->delivered),
                                    .failed_attempts = atomic_load(&items[i]->failed_attempts),
                                    .given_up = atomic_load(&items[i]->given_up),
                                    .failing_since_ms = atomic_load(&items[i]->failing_since_ms)};
    }
    lf_subscriptions_release(o->subscriptions, items, count);
    return found;
}

/* As the store has it. */
static inline struct lf_stored_subscription
stored_subscription(struct post_office *o, int64_t id)
{
    struct fixture *f = o->f;
    struct lf_stored_subscription *items = NULL, found = {.id = 0};
    size_t count = 0;

    OK(lf_store_subscriptions(f->reader, f->arena, &items, &count, &f->error));
    for (size_t i = 0; i < count; i++) {
        if (items[i].id == id)
            found = items[i];
    }
    return found;
}

/* ---- events ---- */

struct telling {
    struct post_office *office;
    const struct lf_new_delivery *deliveries;
    size_t count;
};

static inline enum lf_status
tell_task(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct telling *telling = argument;
    const struct lf_recording recording = {.deliveries = telling->deliveries, .delivery_count = telling->count};
    enum lf_status status = lf_store_record(store, &recording, error);

    if (status == LF_OK)
        lf_subscriptions_committed(telling->office->subscriptions, telling->deliveries, telling->count);
    return status;
}

/* Puts events into the outbox of a subscription in one commit, for lanes one after the other: `each` events of lanes
 * first_lane … (none of lane 0 is of a lead). data is {"lane":L,"n":N}, N from first_n. */
static inline void
tell(struct post_office *o, int64_t subscription, int64_t first_lane, size_t lanes, size_t each, int first_n)
{
    enum { MOST = 2000 };
    static struct lf_new_delivery deliveries[MOST];
    static char data[MOST][64];
    struct fixture *f = o->f;
    struct telling telling = {.office = o, .deliveries = deliveries};

    assert_true(lanes * each <= MOST);
    for (size_t n = 0; n < each; n++) {
        for (size_t lane = 0; lane < lanes; lane++, telling.count++) {
            int64_t own = first_lane == 0 ? 0 : first_lane + (int64_t)lane;
            int len = snprintf(data[telling.count], sizeof data[0], "{\"lane\":%lld,\"n\":%d}", (long long)own,
                               first_n + (int)n);

            deliveries[telling.count] = (struct lf_new_delivery){.subscription_id = subscription,
                                                                 .type = LF_EVENT_SCORE_RECORDED,
                                                                 .at_ms = 1780000000000 + (int64_t)telling.count,
                                                                 .lane = own,
                                                                 .data = data[telling.count],
                                                                 .data_len = (size_t)len};
        }
    }
    OK(lf_recorder_run(o->recorder, tell_task, &telling, &f->error));
}

/* The number behind a name in a request's body. */
static inline int64_t
number_in(const struct request *request, const char *name)
{
    const char *at = strstr(request->body, name);

    assert_non_null(at);
    return atoll(at + strlen(name));
}

/* ---- deliveries ---- */

/* All of a subscription, oldest first. */
static inline struct lf_stored_delivery *
deliveries_of(struct post_office *o, int64_t subscription, size_t *ret_count)
{
    struct fixture *f = o->f;
    struct lf_stored_delivery *items = NULL;

    lf_arena_reset(f->arena);
    OK(lf_store_deliveries(f->reader, f->arena, subscription, LF_DELIVERIES_NEWEST, 0, 100000, &items, ret_count,
                           &f->error));
    for (size_t i = 0; i < *ret_count / 2; i++) {
        struct lf_stored_delivery other = items[i];

        items[i] = items[*ret_count - 1 - i];
        items[*ret_count - 1 - i] = other;
    }
    return items;
}

static inline size_t
count_in(struct post_office *o, int64_t subscription, enum lf_delivery_state state)
{
    size_t count = 0, found = 0;
    struct lf_stored_delivery *items = deliveries_of(o, subscription, &count);

    for (size_t i = 0; i < count; i++)
        found += items[i].state == state;
    return found;
}

/* Until so many deliveries of a subscription are in that state. */
static inline void
await_state(struct post_office *o, int64_t subscription, enum lf_delivery_state state, size_t count)
{
    for (int waited = 0; count_in(o, subscription, state) < count; waited += 2) {
        if (waited > PATIENCE_MS)
            fail_msg("%zu of %zu are in state %d", count_in(o, subscription, state), count, (int)state);
        pause_ms(2);
    }
}

static inline size_t
attempts_of(struct post_office *o, const struct lf_stored_delivery *delivery)
{
    const struct lf_json *attempts = NULL;
    struct fixture *f = o->f;

    OK(lf_json_parse(f->arena, delivery->attempts, delivery->attempts_len, &LF_JSON_DOCUMENT_LIMITS, &attempts,
                     &f->error));
    return lf_json_count(attempts);
}

struct retrying {
    struct post_office *office;
    int64_t subscription, id;
};

static inline enum lf_status
retry_task(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct retrying *retrying = argument;

    return lf_subscriptions_retry(retrying->office->subscriptions, store, retrying->subscription, retrying->id,
                                  lf_time_now_ms(), error);
}

/* By hand. */
static inline void
retry(struct post_office *o, int64_t subscription, int64_t id)
{
    struct fixture *f = o->f;
    struct retrying retrying = {o, subscription, id};

    OK(lf_recorder_run(o->recorder, retry_task, &retrying, &f->error));
}

#endif
