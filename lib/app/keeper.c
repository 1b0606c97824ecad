/* keeper.c - see keeper.h. */
#include "app/keeper.h"

#include "base/log.h"
#include "base/time.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    SWEEP_SLICE = 2000, /* entries in one commit: some milliseconds, which a score may have to wait for */
    USES_SLICE = 500,   /* keys in one commit */
    PRUNE_EVERY_MS = 3600000,
    DAY_MS = 86400000,
};

#define NS_PER_MS INT64_C(1000000)

/* One of the keeper's jobs. The keeper's thread alone, but for due_ns. */
struct job {
    const char *name;
    int64_t due_ns; /* by the monotonic clock; INT64_MAX: not before it is asked for; guarded by the lock */
    bool failed;    /* the last time: it has been logged */
};

struct lf_keeper {
    struct lf_recorder *recorder;
    struct lf_keyring *keyring;
    struct lf_keeper_options options;
    _Atomic int64_t spare;
    struct lf_key_use uses[USES_SLICE]; /* taken, and not noted yet; the keeper's thread alone */
    size_t use_count;
    int64_t pruned; /* scores since it began; the keeper's thread alone */

    pthread_mutex_t lock; /* guards due_ns of the jobs, and stopping */
    pthread_cond_t changed;
    struct job sweep, note, prune;
    bool stopping;
    pthread_t thread;
};

/* ---- the jobs ---- */

struct slice {
    struct lf_keeper *keeper;
    bool more;
};

/* On the recorder's thread. What is to be spared is read here: whoever fills a generation says so before its first
 * entries are handed to the same thread, so that this comes before them, or knows of it. */
static enum lf_status
sweep_slice(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct slice *slice = argument;

    return lf_store_sweep_lists(store, SWEEP_SLICE, atomic_load(&slice->keeper->spare), &slice->more, error);
}

static enum lf_status
note_slice(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct lf_keeper *keeper = argument;

    return lf_store_touch_keys(store, keeper->uses, keeper->use_count, error);
}

/* Logs the first of several failures. */
static void
conclude(struct job *job, enum lf_status status, const struct lf_error *error)
{
    if (status != LF_OK && !job->failed)
        lf_log(LF_LOG_WARN, "housekeeping_failed", lf_log_text("what", job->name), lf_log_text("error", error->detail));
    job->failed = status != LF_OK;
}

/* Sweeps a slice; when to go on. */
static int64_t
sweep(struct lf_keeper *keeper)
{
    struct slice slice = {.keeper = keeper};
    struct lf_error error;
    enum lf_status status = lf_recorder_run(keeper->recorder, sweep_slice, &slice, &error);

    conclude(&keeper->sweep, status, &error);
    if (status != LF_OK)
        return lf_time_monotonic_ns() + keeper->options.every_ms * NS_PER_MS;
    return slice.more ? lf_time_monotonic_ns() + keeper->options.rest_ms * NS_PER_MS : INT64_MAX;
}

/* Notes all uses there are; when to look again. Those that could not be noted are kept for the next time. */
static int64_t
note_uses(struct lf_keeper *keeper)
{
    struct lf_error error;
    enum lf_status status = LF_OK;

    do {
        if (keeper->use_count == 0)
            keeper->use_count = lf_keyring_take_uses(keeper->keyring, keeper->uses, USES_SLICE);
        if (keeper->use_count == 0)
            break;
        status = lf_recorder_run(keeper->recorder, note_slice, keeper, &error);
        conclude(&keeper->note, status, &error);
        if (status == LF_OK)
            keeper->use_count = 0;
    } while (status == LF_OK);
    return lf_time_monotonic_ns() + keeper->options.every_ms * NS_PER_MS;
}

/* Takes away a slice of what is too old; when to go on. Tells once how much it was in all. */
static int64_t
prune(struct lf_keeper *keeper)
{
    int64_t before_ms = lf_time_now_ms() - (int64_t)keeper->options.retention_days * DAY_MS, scores = 0;
    struct lf_error error;
    bool more = false;
    enum lf_status status =
        lf_ledger_prune(keeper->options.ledger, keeper->recorder, before_ms, &scores, &more, &error);

    conclude(&keeper->prune, status, &error);
    if (status != LF_OK)
        return lf_time_monotonic_ns() + keeper->options.every_ms * NS_PER_MS;
    keeper->pruned += scores;
    if (more)
        return lf_time_monotonic_ns() + keeper->options.rest_ms * NS_PER_MS;
    if (keeper->pruned > 0)
        lf_log(LF_LOG_INFO, "scores_pruned", lf_log_int("scores", keeper->pruned),
               lf_log_int("retention_days", keeper->options.retention_days));
    keeper->pruned = 0;
    return lf_time_monotonic_ns() + PRUNE_EVERY_MS * NS_PER_MS;
}

/* ---- the thread ---- */

static int64_t
earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

/* Does the job if it is due. Under the lock, which it lets go of meanwhile. */
static bool
do_if_due(struct lf_keeper *keeper, struct job *job, int64_t (*run)(struct lf_keeper *keeper))
{
    int64_t due_ns = 0;

    if (job->due_ns > lf_time_monotonic_ns())
        return false;
    job->due_ns = INT64_MAX;
    (void)pthread_mutex_unlock(&keeper->lock);
    due_ns = run(keeper);
    (void)pthread_mutex_lock(&keeper->lock);
    if (due_ns < job->due_ns) /* it may have been asked for meanwhile */
        job->due_ns = due_ns;
    return true;
}

static void *
keeper_main(void *argument)
{
    struct lf_keeper *keeper = argument;

    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping) {
        int64_t due_ns = 0;

        if (do_if_due(keeper, &keeper->note, note_uses) || do_if_due(keeper, &keeper->sweep, sweep) ||
            do_if_due(keeper, &keeper->prune, prune))
            continue;
        due_ns = earlier(earlier(keeper->note.due_ns, keeper->sweep.due_ns), keeper->prune.due_ns);
        struct timespec until = {.tv_sec = due_ns / (1000 * NS_PER_MS), .tv_nsec = due_ns % (1000 * NS_PER_MS)};
        (void)pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until); /* either way: look */
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)note_uses(keeper);
    return NULL;
}

/* ---- life ---- */

static bool
init_locks(struct lf_keeper *keeper)
{
    pthread_condattr_t monotonic;
    bool fine = false;

    if (pthread_condattr_init(&monotonic) != 0)
        return false;
    fine = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
           pthread_mutex_init(&keeper->lock, NULL) == 0 &&
           pthread_cond_init(&keeper->changed, &monotonic) == 0; /* none of these fails on Linux */
    (void)pthread_condattr_destroy(&monotonic);
    return fine;
}

/* The thread leaves all signals to others. */
static bool
start_thread(struct lf_keeper *keeper)
{
    sigset_t all, before;
    int rc = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&keeper->thread, NULL, keeper_main, keeper);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        (void)pthread_setname_np(keeper->thread, "lf-keeper"); /* for whoever looks at the process; may be lacking */
    return rc == 0;
}

enum lf_status
lf_keeper_start(struct lf_recorder *recorder, struct lf_keyring *keyring, const struct lf_keeper_options *options,
                struct lf_keeper **ret_keeper, struct lf_error *error)
{
    struct lf_keeper *keeper = calloc(1, sizeof *keeper);
    int64_t now_ns = lf_time_monotonic_ns();

    if (keeper == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while starting");
    keeper->recorder = recorder;
    keeper->keyring = keyring;
    keeper->options = *options;
    keeper->sweep = (struct job){.name = "sweep_lists", .due_ns = now_ns};
    keeper->note = (struct job){.name = "note_key_uses", .due_ns = now_ns + options->every_ms * NS_PER_MS};
    keeper->prune = (struct job){
        .name = "prune_scores",
        .due_ns = options->ledger != NULL && options->retention_days > 0 ? now_ns : INT64_MAX,
    };
    atomic_init(&keeper->spare, 0);
    if (!init_locks(keeper) || !start_thread(keeper)) {
        free(keeper);
        return lf_fail(error, LF_INTERNAL, "cannot start the housekeeper's thread");
    }
    *ret_keeper = keeper;
    return LF_OK;
}

void
lf_keeper_stop(struct lf_keeper *keeper)
{
    if (keeper == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    (void)pthread_cond_signal(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    (void)pthread_mutex_destroy(&keeper->lock);
    (void)pthread_cond_destroy(&keeper->changed);
    free(keeper);
}

void
lf_keeper_sweep(struct lf_keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->sweep.due_ns = 0;
    (void)pthread_cond_signal(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->lock);
}

void
lf_keeper_spare(struct lf_keeper *keeper, int64_t generation)
{
    atomic_store(&keeper->spare, generation);
}
