/*
 * recorder.h - records scores: many requests, one commit, one thread that writes.
 *
 * A request fills a job and submits it. The recorder's thread takes all jobs that wait, records them in one commit
 * and then calls each job's `done` with the result: LF_OK means that the score is on disk. The queue is bounded;
 * when it is full, submit says BUSY at once. An I/O error or a damaged database ends the process's writing for good
 * (every later job fails, lf_recorder_failed turns true, and the program exits); a full disk does not: jobs fail
 * with STORAGE_FULL until there is room again.
 *
 * Thread-safe but for start and stop.
 */
#ifndef LF_APP_RECORDER_H
#define LF_APP_RECORDER_H

#include "app/metrics.h"
#include "base/status.h"
#include "store/exchange.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_recorder;

enum { LF_RECORD_MORE_MAX = 255 };

/* Scores that are recorded in one commit, or not at all. Ids are given by submit, ascending; what all this points to
 * stays put until done. */
struct lf_record_job {
    struct lf_record_job *next; /* the recorder's own */
    struct lf_stored_score score;
    struct lf_stored_score *more; /* recorded with it */
    size_t more_count;            /* at most LF_RECORD_MORE_MAX */
    /* On the recorder's thread, before the commit, once; ids are known. It may set `answer`, what is kept in the same
     * commit. When it fails, so does this job alone, before the others are done. Not called once writing has ended for
     * good. Must be quick. NULL: nothing. */
    enum lf_status (*prepare)(struct lf_record_job *job, struct lf_error *error);
    const struct lf_stored_answer *answer; /* NULL: none */
    /* On the recorder's thread, once; must be quick; the job is the caller's again. error is NULL for LF_OK. It may
     * submit, but not call lf_recorder_run. */
    void (*done)(struct lf_record_job *job, enum lf_status status, const struct lf_error *error);
    void *data; /* the caller's */
};

struct lf_recorder_options {
    size_t queue;     /* scores that may wait, at least 1; a job is taken as long as there is room for one */
    size_t batch;     /* scores in one commit, at least 1; the last job may bring more */
    int64_t stall_ms; /* a commit that takes longer ends the process (watchdog); 0: never */
    /* Records scores and answers in one commit; NULL: lf_store_record alone. On the recorder's thread. */
    enum lf_status (*commit)(void *context, struct lf_store *store, const struct lf_recording *recording,
                             struct lf_error *error);
    /* Called after each round of work, and now and then while there is none (idle): what is to be written at leisure.
     * *ret_more: it wants to be called again at once, after what waits. NULL: nothing. */
    enum lf_status (*tend)(void *context, struct lf_store *store, bool idle, bool *ret_more, struct lf_error *error);
    void *context;              /* of both */
    struct lf_metrics *metrics; /* that count the commits; NULL: nobody counts */
};

/* Starts the thread. The store's writing side is the recorder's from now on. Ids go on behind the newest score. */
enum lf_status lf_recorder_start(struct lf_store *store, const struct lf_recorder_options *options,
                                 struct lf_recorder **ret_recorder, struct lf_error *error) LF_MUST_CHECK;

/* Gives the job its id (in the order of recording) and queues it. BUSY when the queue is full, NOT_READY when it is
 * stopping, STORAGE_FAILED when writing has ended for good: then `done` is not called. */
enum lf_status
lf_recorder_submit(struct lf_recorder *recorder, struct lf_record_job *job, struct lf_error *error) LF_MUST_CHECK;

/* Runs `write` on the recorder's thread between two commits and waits for it: the way for every other write. Not from
 * `done`. NOT_READY when it is stopping, STORAGE_FAILED when writing has ended for good; else what `write` says. */
enum lf_status lf_recorder_run(struct lf_recorder *recorder,
                               enum lf_status (*write)(struct lf_store *store, void *argument, struct lf_error *error),
                               void *argument, struct lf_error *error) LF_MUST_CHECK;

/* Scores that wait now. */
size_t lf_recorder_depth(struct lf_recorder *recorder);

/* How many may wait. */
size_t lf_recorder_limit(const struct lf_recorder *recorder);

/* Whether writing has ended for good. */
bool lf_recorder_failed(struct lf_recorder *recorder);

/* Whether the last commit found the disk full. */
bool lf_recorder_full(struct lf_recorder *recorder);

/* Records what waits, stops the thread, frees. NULL is fine. The store goes back to the caller. */
void lf_recorder_stop(struct lf_recorder *recorder);

#endif
