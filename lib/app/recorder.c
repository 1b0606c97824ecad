/*
 * recorder.c - see recorder.h.
 *
 * Jobs wait in a list under one mutex, which also guards the mint of ids: so the order of the list, of the ids and of
 * the commits is one. The thread takes all that waits (up to a batch), lets go of the mutex, commits, and calls
 * `done`; meanwhile the next batch gathers, which is what makes commits larger the busier it gets. The thread is only
 * signalled when it sleeps. Other writes wait in a list of their own and run between two commits.
 *
 * A commit costs about the same with one score as with fifty, and callers that wait for their answers come back at
 * once: with many of them a commit would begin with the first few that are back, and the others would wait for the
 * next one. So the thread watches how many callers there have lately been at a time (the crowd: those recorded and
 * those that waited meanwhile), and where it is more than a few, waits until half of them are there, or GATHER_US.
 * One caller alone, or a few, never wait. A caller is a job, however many scores it brings; queue and batch are counted
 * in scores.
 *
 * What is to be written at leisure (tend) gets a slice after each round: jobs that came meanwhile come first again, and
 * wait for one slice at most. Moving the write-ahead log into the database comes after the `done` calls, so nobody who
 * was promised an answer waits for it. A second thread, the watchdog, looks now and then at when the running commit
 * began.
 */
#include "app/recorder.h"

#include "base/log.h"
#include "base/time.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CROWD_MIN = 4,        /* fewer callers at a time are not waited for */
    GATHER_US = 1000,     /* the longest wait for the rest of a crowd: what a commit takes on a slow disk anyway */
    IDLE_MS = 1000,       /* how often an idle recorder looks whether there is anything to tidy or to tend */
    TEND_AGAIN_MS = 1000, /* after tending failed */
    WATCH_MS_MIN = 5,     /* the watchdog looks four times a stall, not more often than this */
    EXIT_STALLED = 70,    /* EX_SOFTWARE */
    TRUNCATE_HOURS = 24,  /* the write-ahead log is cut to nothing daily */
};

#define NS_PER_MS INT64_C(1000000)

/* One call of lf_recorder_run, on its caller's stack. */
struct task {
    struct task *next;
    enum lf_status (*write)(struct lf_store *store, void *argument, struct lf_error *error);
    void *argument;
    struct lf_error *error;
    enum lf_status status;
    bool finished;
};

struct lf_recorder {
    struct lf_store *store;
    struct lf_recorder_options options;
    const struct lf_stored_score **scores;   /* of the batch being recorded: room for its last job, too */
    const struct lf_stored_answer **answers; /* kept with them, one a job at most */

    pthread_mutex_t lock;    /* guards what follows, down to `sleeping` */
    pthread_cond_t work;     /* the thread waits here for jobs, tasks and the end */
    pthread_cond_t finished; /* callers of lf_recorder_run wait here */
    struct lf_ulid_mint mint;
    struct lf_record_job *first, *last; /* jobs that wait */
    size_t jobs, depth;                 /* so many; the scores that they bring */
    struct task *first_task, *last_task;
    size_t crowd;  /* callers at a time, lately; falls slowly */
    size_t wanted; /* so many jobs wake the thread */
    bool stopping, sleeping;

    atomic_bool failed, full;
    struct lf_error failure; /* why writing ended; the recorder's thread alone */
    int64_t truncated_ns;    /* when the log was last cut to nothing; the recorder's thread alone */
    int64_t tend_ns;         /* not before then; the recorder's thread alone */
    bool tend_failed;        /* the last time: it has been logged */
    _Atomic int64_t busy_ns; /* when the running write to the store began, 0 for none */

    pthread_t thread, watchdog;
    pthread_mutex_t watch_lock;
    pthread_cond_t watch_end;
    bool watch_stopping, watching; /* watching: there is such a thread */
};

/* ---- what the thread does with the store ---- */

/* Every write to the store stands between these two; the watchdog looks at busy_ns. */
static void
begin_write(struct lf_recorder *recorder)
{
    atomic_store_explicit(&recorder->busy_ns, lf_time_monotonic_ns(), memory_order_relaxed);
}

/* Draws the lasting conclusions from how a write ended. */
static void
end_write(struct lf_recorder *recorder, enum lf_status status, const struct lf_error *error)
{
    atomic_store_explicit(&recorder->busy_ns, 0, memory_order_relaxed);
    if ((status != LF_STORAGE_FAILED && status != LF_STORAGE_CORRUPT) || atomic_load(&recorder->failed))
        return;
    recorder->failure = *error;
    atomic_store(&recorder->failed, true);
    lf_log(LF_LOG_ERROR, "recording_failed", lf_log_text("error", error->detail));
}

/* Notes whether the disk is full, and says so when that changes. */
static void
note_full(struct lf_recorder *recorder, enum lf_status status, const struct lf_error *error)
{
    if (status == LF_STORAGE_FULL && !atomic_exchange(&recorder->full, true))
        lf_log(LF_LOG_ERROR, "storage_full", lf_log_text("error", error->detail));
    else if (status == LF_OK && atomic_load_explicit(&recorder->full, memory_order_relaxed)) {
        atomic_store(&recorder->full, false);
        lf_log_event(LF_LOG_INFO, "storage_has_room");
    }
}

/* Records what stands ready. */
static enum lf_status
commit(struct lf_recorder *recorder, const struct lf_recording *recording, struct lf_error *error)
{
    const struct lf_recorder_options *options = &recorder->options;
    int64_t began_ns = lf_time_monotonic_ns();
    enum lf_status status = LF_OK;

    begin_write(recorder);
    if (options->commit != NULL)
        status = options->commit(options->context, recorder->store, recording, error);
    else
        status = lf_store_record(recorder->store, recording, error);
    end_write(recorder, status, error);
    note_full(recorder, status, error);
    if (status == LF_OK)
        lf_metrics_commit(options->metrics, recording->count, (lf_time_monotonic_ns() - began_ns) / 1000);
    return status;
}

/* Puts a job's scores, and the answer that it prepares, to what is to be recorded. */
static enum lf_status
take_in(struct lf_recorder *recorder, struct lf_record_job *job, struct lf_recording *recording, struct lf_error *error)
{
    enum lf_status status = job->prepare == NULL ? LF_OK : job->prepare(job, error);

    if (status != LF_OK)
        return status;
    recorder->scores[recording->count++] = &job->score;
    for (size_t i = 0; i < job->more_count; i++)
        recorder->scores[recording->count++] = &job->more[i];
    if (job->answer != NULL)
        recorder->answers[recording->answer_count++] = job->answer;
    return LF_OK;
}

/* The same for all; those that cannot be prepared are told so and left out. Returns the others. */
static struct lf_record_job *
take_in_all(struct lf_recorder *recorder, struct lf_record_job *jobs, struct lf_recording *recording)
{
    struct lf_record_job **link = &jobs;

    while (*link != NULL) {
        struct lf_record_job *job = *link;
        struct lf_error error;
        enum lf_status status = take_in(recorder, job, recording, &error);

        if (status == LF_OK) {
            link = &job->next;
        } else {
            *link = job->next;
            job->next = NULL;
            job->done(job, status, &error);
        }
    }
    return jobs;
}

static void
record(struct lf_recorder *recorder, struct lf_record_job *jobs)
{
    struct lf_recording recording = {.scores = recorder->scores, .answers = recorder->answers};
    struct lf_error error;
    enum lf_status status = LF_STORAGE_FAILED;

    if (atomic_load(&recorder->failed)) {
        error = recorder->failure;
        error.status = status;
    } else {
        jobs = take_in_all(recorder, jobs, &recording);
        if (jobs == NULL)
            return;
        status = commit(recorder, &recording, &error);
    }
    while (jobs != NULL) {
        struct lf_record_job *job = jobs;

        jobs = job->next; /* after done the job is no longer ours */
        job->done(job, status, status == LF_OK ? NULL : &error);
    }
}

static void
run_tasks(struct lf_recorder *recorder, struct task *tasks)
{
    while (tasks != NULL) {
        struct task *task = tasks;
        struct lf_error error = {.status = LF_INTERNAL};

        tasks = task->next; /* once it is finished its caller takes it away */
        if (atomic_load(&recorder->failed)) {
            error = recorder->failure;
            error.status = task->status = LF_STORAGE_FAILED;
        } else {
            begin_write(recorder);
            task->status = task->write(recorder->store, task->argument, &error);
            end_write(recorder, task->status, &error);
        }
        if (task->status != LF_OK && task->error != NULL)
            *task->error = error;
        (void)pthread_mutex_lock(&recorder->lock);
        task->finished = true;
        (void)pthread_cond_broadcast(&recorder->finished);
        (void)pthread_mutex_unlock(&recorder->lock);
    }
}

/* Writes a slice of what is written at leisure; whether there is more to do at once. What fails is tried again later
 * and logged once: it is no reason to refuse scores. */
static bool
tend(struct lf_recorder *recorder, bool idle)
{
    const struct lf_recorder_options *options = &recorder->options;
    int64_t now_ns = lf_time_monotonic_ns();
    struct lf_error error;
    enum lf_status status = LF_OK;
    bool more = false;

    if (options->tend == NULL || atomic_load(&recorder->failed) || now_ns < recorder->tend_ns)
        return false;
    begin_write(recorder);
    status = options->tend(options->context, recorder->store, idle, &more, &error);
    end_write(recorder, status, &error);
    if (status == LF_OK) {
        recorder->tend_failed = false;
        return more;
    }
    recorder->tend_ns = now_ns + TEND_AGAIN_MS * NS_PER_MS;
    if (status == LF_STORAGE_FULL)
        note_full(recorder, status, &error);
    else if (!recorder->tend_failed && !atomic_load(&recorder->failed))
        lf_log(LF_LOG_WARN, "tending_failed", lf_log_text("error", error.detail));
    recorder->tend_failed = true;
    return false;
}

/* Moves the write-ahead log where that is due. A full disk is no reason to end here: the log keeps what is in it. */
static void
tidy(struct lf_recorder *recorder)
{
    struct lf_error error;
    int64_t now = lf_time_monotonic_ns();
    bool truncate = now - recorder->truncated_ns > TRUNCATE_HOURS * 3600 * 1000 * NS_PER_MS;
    enum lf_status status = LF_OK;

    if (atomic_load(&recorder->failed))
        return;
    if (truncate)
        recorder->truncated_ns = now;
    begin_write(recorder);
    status = lf_store_checkpoint(recorder->store, truncate, &error);
    end_write(recorder, status, &error);
}

/* While nothing is to be recorded nobody would notice that a full disk has room again. */
static void
look_for_room(struct lf_recorder *recorder)
{
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (atomic_load(&recorder->failed) || !atomic_load(&recorder->full))
        return;
    begin_write(recorder);
    status = lf_store_probe(recorder->store, &error);
    end_write(recorder, status, &error);
    note_full(recorder, status, &error);
}

/* ---- the thread ---- */

static struct timespec
monotonic_in(int64_t ms)
{
    int64_t ns = lf_time_monotonic_ns() + ms * NS_PER_MS;

    return (struct timespec){.tv_sec = ns / (1000 * NS_PER_MS), .tv_nsec = ns % (1000 * NS_PER_MS)};
}

static size_t
scores_of(const struct lf_record_job *job)
{
    return 1 + job->more_count;
}

/* Takes what waits off the list: at most a batch, or what the last job, which is never split, brings beyond it. Under
 * the lock. */
static struct lf_record_job *
take_jobs(struct lf_recorder *recorder, size_t *ret_jobs)
{
    struct lf_record_job *jobs = recorder->first, *end = jobs;
    size_t count = 1, scores = 0;

    if (recorder->depth <= recorder->options.batch) {
        *ret_jobs = recorder->jobs;
        recorder->first = recorder->last = NULL;
        recorder->jobs = recorder->depth = 0;
        return jobs;
    }
    for (scores = scores_of(end); scores < recorder->options.batch; scores += scores_of(end), count++)
        end = end->next;
    recorder->first = end->next;
    if (recorder->first == NULL)
        recorder->last = NULL;
    end->next = NULL;
    recorder->jobs -= count;
    recorder->depth -= scores;
    *ret_jobs = count;
    return jobs;
}

/* Sleeps until there is something to do. false when IDLE_MS went by without. Under the lock. */
static bool
wait_for_work(struct lf_recorder *recorder)
{
    struct timespec until = monotonic_in(IDLE_MS);
    int rc = 0;

    while (recorder->first == NULL && recorder->first_task == NULL && !recorder->stopping && rc != ETIMEDOUT) {
        recorder->sleeping = true;
        rc = pthread_cond_timedwait(&recorder->work, &recorder->lock, &until);
        recorder->sleeping = false;
    }
    return rc != ETIMEDOUT;
}

/* Whether so much waits that a commit may begin. Under the lock. */
static bool
are_enough(const struct lf_recorder *recorder)
{
    return recorder->jobs >= recorder->wanted || recorder->depth >= recorder->options.batch;
}

/* Waits a moment for the rest of a crowd. Under the lock. */
static void
gather(struct lf_recorder *recorder)
{
    int64_t until_ns = lf_time_monotonic_ns() + GATHER_US * 1000;
    struct timespec until = {.tv_sec = until_ns / (1000 * NS_PER_MS), .tv_nsec = until_ns % (1000 * NS_PER_MS)};
    int rc = 0;

    if (recorder->crowd < CROWD_MIN || recorder->first == NULL)
        return;
    recorder->wanted = recorder->crowd / 2;
    while (!are_enough(recorder) && recorder->first_task == NULL && !recorder->stopping && rc != ETIMEDOUT) {
        recorder->sleeping = true;
        rc = pthread_cond_timedwait(&recorder->work, &recorder->lock, &until);
        recorder->sleeping = false;
    }
    recorder->wanted = 1;
}

/* Learns how large the crowd is from a batch and those that came meanwhile. Under the lock. */
static void
learn_crowd(struct lf_recorder *recorder, size_t recorded)
{
    size_t now = recorded + recorder->jobs;

    if (now >= recorder->crowd)
        recorder->crowd = now;
    else
        recorder->crowd -= (recorder->crowd - now + 7) / 8;
}

static void *
recorder_main(void *argument)
{
    struct lf_recorder *recorder = argument;
    bool more = false; /* tending goes on */

    (void)pthread_mutex_lock(&recorder->lock);
    for (;;) {
        bool in_time = more || wait_for_work(recorder), went_on = more;
        struct task *tasks = NULL;
        struct lf_record_job *jobs = NULL;
        size_t count = 0;

        gather(recorder);
        tasks = recorder->first_task;
        jobs = take_jobs(recorder, &count);
        if (jobs == NULL && tasks == NULL && recorder->stopping)
            break;
        recorder->first_task = recorder->last_task = NULL;
        (void)pthread_mutex_unlock(&recorder->lock);
        if (jobs != NULL) /* first: of writes that come one after the other, a job waits for one at most */
            record(recorder, jobs);
        run_tasks(recorder, tasks);
        if (!in_time)
            look_for_room(recorder);
        more = tend(recorder, !in_time);
        tidy(recorder);
        (void)pthread_mutex_lock(&recorder->lock);
        if (count > 0 || !went_on) /* a slice between two batches says nothing about callers */
            learn_crowd(recorder, count);
    }
    (void)pthread_mutex_unlock(&recorder->lock);
    return NULL;
}

/* ---- the watchdog ---- */

static void *
watchdog_main(void *argument)
{
    struct lf_recorder *recorder = argument;
    int64_t stall_ms = recorder->options.stall_ms, pause_ms = stall_ms / 4 < WATCH_MS_MIN ? WATCH_MS_MIN : stall_ms / 4;

    (void)pthread_mutex_lock(&recorder->watch_lock);
    while (!recorder->watch_stopping) {
        struct timespec until = monotonic_in(pause_ms);
        int64_t busy_ns = 0;

        (void)pthread_cond_timedwait(&recorder->watch_end, &recorder->watch_lock, &until); /* either way: look */
        busy_ns = atomic_load_explicit(&recorder->busy_ns, memory_order_relaxed);
        if (busy_ns == 0 || lf_time_monotonic_ns() - busy_ns <= stall_ms * NS_PER_MS)
            continue;
        lf_log(LF_LOG_ERROR, "recorder_stalled", lf_log_int("limit_ms", stall_ms), lf_log_int("exit", EXIT_STALLED));
        _exit(EXIT_STALLED);
    }
    (void)pthread_mutex_unlock(&recorder->watch_lock);
    return NULL;
}

/* ---- life ---- */

/* Where ids go on. */
static enum lf_status
load_mint(struct lf_recorder *recorder, struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;
    struct lf_ulid last = {{0}};
    int64_t count = 0;
    enum lf_status status = lf_store_reader_open(recorder->store, &reader, error);

    if (status != LF_OK)
        return status;
    status = lf_store_last_score(reader, &last, &count, error);
    lf_store_reader_close(reader);
    if (status == LF_OK)
        lf_ulid_mint_init(&recorder->mint, last);
    return status;
}

/* Starts a thread that leaves all signals to others. */
static bool
start_thread(pthread_t *thread, void *(*main)(void *), struct lf_recorder *recorder, const char *name)
{
    sigset_t all, before;
    int rc = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(thread, NULL, main, recorder);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(*thread, name); /* for whoever looks at the process; does no harm to lack */
    return rc == 0;
}

static bool
init_locks(struct lf_recorder *recorder)
{
    pthread_condattr_t monotonic;
    bool fine = false;

    if (pthread_condattr_init(&monotonic) != 0)
        return false;
    fine = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
           pthread_mutex_init(&recorder->lock, NULL) == 0 && pthread_mutex_init(&recorder->watch_lock, NULL) == 0 &&
           pthread_cond_init(&recorder->work, &monotonic) == 0 && pthread_cond_init(&recorder->finished, NULL) == 0 &&
           pthread_cond_init(&recorder->watch_end, &monotonic) == 0; /* none of these fails on Linux */
    (void)pthread_condattr_destroy(&monotonic);
    return fine;
}

static void
recorder_free(struct lf_recorder *recorder)
{
    free(recorder->scores);
    free(recorder->answers);
    free(recorder);
}

static void
end_watchdog(struct lf_recorder *recorder)
{
    if (!recorder->watching)
        return;
    (void)pthread_mutex_lock(&recorder->watch_lock);
    recorder->watch_stopping = true;
    (void)pthread_cond_signal(&recorder->watch_end);
    (void)pthread_mutex_unlock(&recorder->watch_lock);
    (void)pthread_join(recorder->watchdog, NULL);
}

enum lf_status
lf_recorder_start(struct lf_store *store, const struct lf_recorder_options *options, struct lf_recorder **ret_recorder,
                  struct lf_error *error)
{
    struct lf_recorder *recorder = calloc(1, sizeof *recorder);
    enum lf_status status = LF_OK;

    if (recorder == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "no memory to record scores");
    recorder->store = store;
    recorder->options = *options;
    recorder->wanted = 1;
    recorder->truncated_ns = lf_time_monotonic_ns();
    recorder->scores = calloc(options->batch + LF_RECORD_MORE_MAX, sizeof *recorder->scores);
    recorder->answers = calloc(options->batch, sizeof *recorder->answers);
    if (recorder->scores == NULL || recorder->answers == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "no memory to record scores");
    else if (!init_locks(recorder))
        status = lf_fail(error, LF_INTERNAL, "cannot make the recorder's locks");
    if (status == LF_OK)
        status = load_mint(recorder, error);
    if (status == LF_OK && options->stall_ms > 0) {
        recorder->watching = start_thread(&recorder->watchdog, watchdog_main, recorder, "lf-watchdog");
        if (!recorder->watching)
            status = lf_fail(error, LF_INTERNAL, "cannot start the recorder's watchdog");
    }
    if (status == LF_OK && !start_thread(&recorder->thread, recorder_main, recorder, "lf-recorder"))
        status = lf_fail(error, LF_INTERNAL, "cannot start the recorder's thread");
    if (status != LF_OK) {
        end_watchdog(recorder);
        recorder_free(recorder);
        return status;
    }
    *ret_recorder = recorder;
    return LF_OK;
}

void
lf_recorder_stop(struct lf_recorder *recorder)
{
    if (recorder == NULL)
        return;
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->stopping = true;
    (void)pthread_cond_signal(&recorder->work);
    (void)pthread_mutex_unlock(&recorder->lock);
    (void)pthread_join(recorder->thread, NULL);
    end_watchdog(recorder);
    (void)pthread_mutex_destroy(&recorder->lock);
    (void)pthread_mutex_destroy(&recorder->watch_lock);
    (void)pthread_cond_destroy(&recorder->work);
    (void)pthread_cond_destroy(&recorder->finished);
    (void)pthread_cond_destroy(&recorder->watch_end);
    recorder_free(recorder);
}

/* ---- from other threads ---- */

/* Whether anything may still be handed in. Under the lock. */
static enum lf_status
check_open(struct lf_recorder *recorder, struct lf_error *error)
{
    if (atomic_load_explicit(&recorder->failed, memory_order_acquire))
        return lf_fail(error, LF_STORAGE_FAILED, "the storage failed; nothing is recorded until the program restarts");
    if (recorder->stopping)
        return lf_fail(error, LF_NOT_READY, "the service is stopping");
    return LF_OK;
}

static void
wake(struct lf_recorder *recorder)
{
    if (!recorder->sleeping)
        return;
    recorder->sleeping = false; /* one signal is enough */
    (void)pthread_cond_signal(&recorder->work);
}

/* Ids in the order of the scores, with none of another job between them. Under the lock. */
static bool
give_ids(struct lf_recorder *recorder, struct lf_record_job *job, int64_t now_ms)
{
    bool given = lf_ulid_next(&recorder->mint, now_ms, &job->score.id);

    for (size_t i = 0; given && i < job->more_count; i++)
        given = lf_ulid_next(&recorder->mint, now_ms, &job->more[i].id);
    return given;
}

/* Under the lock. */
static enum lf_status
enqueue(struct lf_recorder *recorder, struct lf_record_job *job, int64_t now_ms, struct lf_error *error)
{
    enum lf_status status = check_open(recorder, error);

    if (status != LF_OK)
        return status;
    if (recorder->depth >= recorder->options.queue)
        return lf_fail(error, LF_BUSY, "%zu scores wait to be recorded; try again in a moment", recorder->depth);
    if (!give_ids(recorder, job, now_ms))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes for an id");
    job->next = NULL;
    if (recorder->last == NULL)
        recorder->first = job;
    else
        recorder->last->next = job;
    recorder->last = job;
    recorder->jobs++;
    recorder->depth += scores_of(job);
    if (are_enough(recorder))
        wake(recorder);
    return LF_OK;
}

static bool
is_too_large(const struct lf_stored_score *score)
{
    return score->body_len > LF_SCORE_BODY_MAX || score->lead_id_len > LF_SCORE_LEAD_ID_MAX;
}

/* What would fail the whole batch it is in is not let in. */
static enum lf_status
check_job(const struct lf_record_job *job, struct lf_error *error)
{
    bool too_large = is_too_large(&job->score);

    if (job->more_count > LF_RECORD_MORE_MAX)
        return lf_fail(error, LF_INTERNAL, "%zu scores are more than can be recorded at once", scores_of(job));
    for (size_t i = 0; !too_large && i < job->more_count; i++)
        too_large = is_too_large(&job->more[i]);
    return too_large ? lf_fail(error, LF_BODY_TOO_LARGE, "the score is too large to be recorded") : LF_OK;
}

enum lf_status
lf_recorder_submit(struct lf_recorder *recorder, struct lf_record_job *job, struct lf_error *error)
{
    enum lf_status status = check_job(job, error);
    int64_t now_ms = lf_time_now_ms();

    if (status != LF_OK)
        return status;
    (void)pthread_mutex_lock(&recorder->lock);
    status = enqueue(recorder, job, now_ms, error);
    (void)pthread_mutex_unlock(&recorder->lock);
    return status;
}

enum lf_status
lf_recorder_run(struct lf_recorder *recorder,
                enum lf_status (*write)(struct lf_store *store, void *argument, struct lf_error *error), void *argument,
                struct lf_error *error)
{
    struct task task = {.write = write, .argument = argument, .error = error};
    enum lf_status status = LF_OK;

    (void)pthread_mutex_lock(&recorder->lock);
    status = check_open(recorder, error);
    if (status == LF_OK) {
        if (recorder->last_task == NULL)
            recorder->first_task = &task;
        else
            recorder->last_task->next = &task;
        recorder->last_task = &task;
        wake(recorder);
        while (!task.finished)
            (void)pthread_cond_wait(&recorder->finished, &recorder->lock);
        status = task.status;
    }
    (void)pthread_mutex_unlock(&recorder->lock);
    return status;
}

size_t
lf_recorder_depth(struct lf_recorder *recorder)
{
    size_t depth = 0;

    (void)pthread_mutex_lock(&recorder->lock);
    depth = recorder->depth;
    (void)pthread_mutex_unlock(&recorder->lock);
    return depth;
}

size_t
lf_recorder_limit(const struct lf_recorder *recorder)
{
    return recorder->options.queue;
}

bool
lf_recorder_failed(struct lf_recorder *recorder)
{
    return atomic_load(&recorder->failed);
}

bool
lf_recorder_full(struct lf_recorder *recorder)
{
    return atomic_load(&recorder->full);
}
