/*
 * recorder_fixture.h - for the tests of the recorder: a storage that can be held up and made to fail, and jobs that
 * count how they end. For one test program a file.
 */
#ifndef LF_TESTS_RECORDER_FIXTURE_H
#define LF_TESTS_RECORDER_FIXTURE_H

#include "app/recorder.h"
#include "store_fixture.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

/* ---- a storage that can be held up and made to fail ---- */

static struct {
    const struct lf_store_backend *real;
    struct lf_store_backend backend; /* the real one, but for what stands below */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;             /* commits wait */
    bool waiting;            /* one does */
    enum lf_status answer;   /* of the next commits; LF_OK: the real one's */
    enum lf_status probe;    /* of the next probes */
    size_t commits, largest; /* that came through; scores in the largest */
    /* Sees what each of them brings; NULL: nobody. On the recorder's thread. */
    void (*look)(const struct lf_recording *recording);
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline enum lf_status
gated_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    enum lf_status answer = LF_OK;

    (void)pthread_mutex_lock(&gate.lock);
    gate.waiting = true;
    (void)pthread_cond_broadcast(&gate.changed);
    while (gate.closed)
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    gate.waiting = false;
    gate.commits++;
    gate.largest = recording->count > gate.largest ? recording->count : gate.largest;
    answer = gate.answer;
    (void)pthread_mutex_unlock(&gate.lock);
    if (gate.look != NULL)
        gate.look(recording);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    return gate.real->record(store, recording, error);
}

static inline enum lf_status
gated_probe(struct lf_store *store, struct lf_error *error)
{
    enum lf_status answer = LF_OK;

    (void)store;
    (void)pthread_mutex_lock(&gate.lock);
    answer = gate.probe;
    (void)pthread_mutex_unlock(&gate.lock);
    return answer == LF_OK ? LF_OK : lf_fail(error, answer, "the gate says so");
}

static inline void
gate_set(bool closed, enum lf_status answer, enum lf_status probe)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.closed = closed;
    gate.answer = answer;
    gate.probe = probe;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
}

/* Until a commit stands before the closed gate. */
static inline void
gate_await(void)
{
    (void)pthread_mutex_lock(&gate.lock);
    while (!gate.waiting)
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    (void)pthread_mutex_unlock(&gate.lock);
}

static inline void
gate_install(struct fixture *f)
{
    gate.real = f->store->backend;
    gate.backend = *gate.real;
    gate.backend.record = gated_record;
    gate.backend.probe = gated_probe;
    gate.commits = gate.largest = 0;
    gate.look = NULL;
    gate.waiting = false;
    gate_set(false, LF_OK, LF_OK);
    f->store->backend = &gate.backend;
}

/* ---- jobs ---- */

struct tally {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t done, by_status[LF_STATUS_COUNT];
    struct lf_ulid last; /* of the job done last */
    bool out_of_order;
};

struct job {
    struct lf_record_job job;
    struct tally *tally;
    char lead_id[24];
    int times_done;
};

static inline void
count_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct job *own = job->data;
    struct tally *tally = own->tally;

    assert_true((status == LF_OK) == (error == NULL));
    (void)pthread_mutex_lock(&tally->lock);
    own->times_done++;
    tally->done++;
    tally->by_status[status]++;
    if (memcmp(job->score.id.bytes, tally->last.bytes, LF_ULID_SIZE) <= 0)
        tally->out_of_order = true;
    tally->last = job->score.id;
    (void)pthread_cond_broadcast(&tally->changed);
    (void)pthread_mutex_unlock(&tally->lock);
}

static inline void
tally_await(struct tally *tally, size_t done)
{
    (void)pthread_mutex_lock(&tally->lock);
    while (tally->done < done)
        (void)pthread_cond_wait(&tally->changed, &tally->lock);
    (void)pthread_mutex_unlock(&tally->lock);
}

static inline void
prepare(struct job *job, struct tally *tally, size_t number)
{
    static const char BODY[] = "the body of a recorded score";

    *job = (struct job){.tally = tally};
    (void)snprintf(job->lead_id, sizeof job->lead_id, "%zu", number);
    job->job = (struct lf_record_job){
        .score = {.as_of_ms = (int64_t)number,
                  .lead_id = job->lead_id,
                  .lead_id_len = strlen(job->lead_id),
                  .body = BODY,
                  .body_len = sizeof BODY},
        .done = count_done,
        .data = job,
    };
}

#define TALLY                                                                  \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER \
    }

static inline struct lf_recorder *
start(struct fixture *f, size_t queue, size_t batch)
{
    struct lf_recorder_options options = {.queue = queue, .batch = batch, .stall_ms = 60000};
    struct lf_recorder *recorder = NULL;

    OK(lf_recorder_start(f->store, &options, &recorder, &f->error));
    return recorder;
}

/* Hands in jobs from..to - 1, all of which are taken. */
static inline void
submit(struct fixture *f, struct lf_recorder *recorder, struct job *jobs, size_t from, size_t to, struct tally *tally)
{
    for (size_t i = from; i < to; i++) {
        prepare(&jobs[i], tally, i);
        OK(lf_recorder_submit(recorder, &jobs[i].job, &f->error));
    }
}

#endif
