/*
 * keeper.c - see keeper.h.
 *
 * Each chore is a function that does one slice of it and says whether there is more. The thread does the one that has
 * been due longest, so that none with much to do keeps the others waiting, and sleeps until the next one is.
 */
#include "app/keeper.h"

#include "app/events.h"
#include "app/sources.h"
#include "base/log.h"
#include "base/time.h"
#include "store/exchange.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    SWEEP_SLICE = 2000, /* entries in one commit: some milliseconds, which a score may have to wait for */
    USES_SLICE = 500,   /* keys in one commit */
    ROWS_SLICE = 500,   /* answers or deliveries in one commit: of some hundred bytes to some kilobytes each */
    PRUNE_EVERY_MS = 3600000,
    DAY_MS = 86400000,
};

#define NS_PER_MS INT64_C(1000000)

struct chore {
    const char *name;
    /* Does a slice. *ret_more: there is more to do. */
    enum lf_status (*run)(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error);
    int64_t every_ms; /* 0: only when it is asked for */
    int64_t due_ns;   /* by the monotonic clock; INT64_MAX: not before it is asked for; guarded by the lock */
    bool failed;      /* the last time: it has been logged; the keeper's thread alone */
};

enum {
    SWEEP_LISTS,
    NOTE_USES,
    NOTE_REFUSALS,
    PRUNE_SCORES,
    PRUNE_ANSWERS,
    PRUNE_DELIVERIES,
    WATCH_DRIFT,
    CHORE_COUNT,
};

struct lf_keeper {
    struct lf_recorder *recorder;
    struct lf_keyring *keyring;
    struct lf_keeper_options options;
    _Atomic int64_t spare;
    struct lf_key_use uses[USES_SLICE]; /* taken, and not noted yet; the keeper's thread alone */
    size_t use_count;
    int64_t pruned; /* scores since it began; the keeper's thread alone */

    pthread_mutex_t lock; /* guards due_ns of the chores, and stopping */
    pthread_cond_t changed;
    struct chore chores[CHORE_COUNT];
    bool stopping;
    pthread_t thread;
};

/* ---- the chores ---- */

struct slice {
    struct lf_keeper *keeper;
    bool more;
};

/* Runs a write of the store that tells whether there is more. */
static enum lf_status
run_slice(struct lf_keeper *keeper,
          enum lf_status (*write)(struct lf_store *store, void *argument, struct lf_error *error), bool *ret_more,
          struct lf_error *error)
{
    struct slice slice = {.keeper = keeper};
    enum lf_status status = lf_recorder_run(keeper->recorder, write, &slice, error);

    *ret_more = slice.more;
    return status;
}

/* On the recorder's thread. What is to be spared is read here: whoever fills a generation says so before its first
 * entries are handed to the same thread, so that this comes before them, or knows of it. */
static enum lf_status
write_sweep(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct slice *slice = argument;

    return lf_store_sweep_lists(store, SWEEP_SLICE, atomic_load(&slice->keeper->spare), &slice->more, error);
}

static enum lf_status
sweep_lists(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    return run_slice(keeper, write_sweep, ret_more, error);
}

static enum lf_status
write_uses(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct slice *slice = argument;

    return lf_store_touch_keys(store, slice->keeper->uses, slice->keeper->use_count, error);
}

/* Those that could not be noted are kept for the next time. */
static enum lf_status
note_uses(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (keeper->use_count == 0)
        keeper->use_count = lf_keyring_take_uses(keeper->keyring, keeper->uses, USES_SLICE);
    if (keeper->use_count == 0)
        return LF_OK;
    status = run_slice(keeper, write_uses, ret_more, error);
    if (status != LF_OK)
        return status;
    *ret_more = keeper->use_count == USES_SLICE;
    keeper->use_count = 0;
    return LF_OK;
}

static enum lf_status
note_refusals(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    (void)ret_more;
    return lf_sources_note(keeper->options.sources, keeper->recorder, error);
}

/* Tells once how much it was in all. */
static enum lf_status
prune_scores(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    int64_t before_ms = lf_time_now_ms() - (int64_t)keeper->options.retention_days * DAY_MS, scores = 0;
    enum lf_status status =
        lf_ledger_prune(keeper->options.ledger, keeper->recorder, before_ms, &scores, ret_more, error);

    if (status != LF_OK)
        return status;
    keeper->pruned += scores;
    if (*ret_more)
        return LF_OK;
    if (keeper->pruned > 0)
        lf_log(LF_LOG_INFO, "scores_pruned", lf_log_int("scores", keeper->pruned),
               lf_log_int("retention_days", keeper->options.retention_days));
    keeper->pruned = 0;
    return LF_OK;
}

static enum lf_status
write_without_answers(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct slice *slice = argument;

    return lf_store_prune_answers(store, lf_time_now_ms() - slice->keeper->options.answers_ms, ROWS_SLICE, &slice->more,
                                  error);
}

static enum lf_status
prune_answers(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    return run_slice(keeper, write_without_answers, ret_more, error);
}

static enum lf_status
write_without_deliveries(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct slice *slice = argument;
    const struct lf_keeper_options *options = &slice->keeper->options;

    return lf_store_prune_deliveries(store, lf_time_now_ms() - options->deliveries_ms, options->deliveries_kept,
                                     ROWS_SLICE, &slice->more, error);
}

static enum lf_status
prune_deliveries(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    return run_slice(keeper, write_without_deliveries, ret_more, error);
}

static enum lf_status
watch_drift(struct lf_keeper *keeper, bool *ret_more, struct lf_error *error)
{
    (void)ret_more;
    return lf_events_watch_drift(keeper->options.service, error);
}

/* ---- when ---- */

static int64_t
in_ms(int64_t ms)
{
    return lf_time_monotonic_ns() + ms * NS_PER_MS;
}

/* The chores that there are, and when each is due first. */
static void
plan(struct lf_keeper *keeper)
{
    const struct lf_keeper_options *options = &keeper->options;
    const struct chore chores[CHORE_COUNT] = {
        [SWEEP_LISTS] = {.name = "sweep_lists", .run = sweep_lists, .due_ns = in_ms(0)},
        [NOTE_USES] = {.name = "note_key_uses",
                       .run = note_uses,
                       .every_ms = options->every_ms,
                       .due_ns = in_ms(options->every_ms)},
        [NOTE_REFUSALS] = {.name = "note_refusals",
                           .run = note_refusals,
                           .every_ms = options->refusals_ms,
                           .due_ns = options->sources != NULL ? in_ms(options->refusals_ms) : INT64_MAX},
        [PRUNE_SCORES] = {.name = "prune_scores",
                          .run = prune_scores,
                          .every_ms = PRUNE_EVERY_MS,
                          .due_ns = options->ledger != NULL && options->retention_days > 0 ? in_ms(0) : INT64_MAX},
        [PRUNE_ANSWERS] = {.name = "prune_answers",
                           .run = prune_answers,
                           .every_ms = options->prune_ms,
                           .due_ns = options->answers_ms > 0 ? in_ms(0) : INT64_MAX},
        [PRUNE_DELIVERIES] = {.name = "prune_deliveries",
                              .run = prune_deliveries,
                              .every_ms = options->prune_ms,
                              .due_ns = options->deliveries_ms > 0 ? in_ms(0) : INT64_MAX},
        [WATCH_DRIFT] = {.name = "watch_drift",
                         .run = watch_drift,
                         .every_ms = options->drift_ms,
                         .due_ns = options->service != NULL ? in_ms(options->drift_ms) : INT64_MAX},
    };

    for (size_t i = 0; i < CHORE_COUNT; i++)
        keeper->chores[i] = chores[i];
}

/* Does a slice of the chore; whether that worked. Logs the first of several failures. */
static bool
do_slice(struct lf_keeper *keeper, struct chore *chore, bool *ret_more)
{
    struct lf_error error;
    bool more = false;
    enum lf_status status = chore->run(keeper, &more, &error);

    if (status != LF_OK && !chore->failed)
        lf_log(LF_LOG_WARN, "housekeeping_failed", lf_log_text("what", chore->name),
               lf_log_text("error", error.detail));
    chore->failed = status != LF_OK;
    *ret_more = more && !chore->failed;
    return !chore->failed;
}

/* The same; when the chore is due again. */
static int64_t
do_and_plan(struct lf_keeper *keeper, struct chore *chore)
{
    bool more = false;

    if (!do_slice(keeper, chore, &more))
        return in_ms(keeper->options.every_ms);
    if (more)
        return in_ms(keeper->options.rest_ms);
    return chore->every_ms > 0 ? in_ms(chore->every_ms) : INT64_MAX;
}

/* ---- the thread ---- */

/* The one that is due first. Under the lock. */
static struct chore *
next_chore(struct lf_keeper *keeper)
{
    struct chore *next = &keeper->chores[0];

    for (size_t i = 1; i < CHORE_COUNT; i++)
        if (keeper->chores[i].due_ns < next->due_ns)
            next = &keeper->chores[i];
    return next;
}

/* What has not been noted yet would be lost. */
static void
note_rest(struct lf_keeper *keeper)
{
    bool more = true;

    while (more)
        (void)do_slice(keeper, &keeper->chores[NOTE_USES], &more);
    if (keeper->options.sources != NULL)
        (void)do_slice(keeper, &keeper->chores[NOTE_REFUSALS], &more);
}

static void *
keeper_main(void *argument)
{
    struct lf_keeper *keeper = argument;

    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping) {
        struct chore *chore = next_chore(keeper);
        int64_t due_ns = chore->due_ns;

        if (due_ns > lf_time_monotonic_ns()) {
            struct timespec until = {.tv_sec = due_ns / (1000 * NS_PER_MS), .tv_nsec = due_ns % (1000 * NS_PER_MS)};

            (void)pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until); /* either way: look */
            continue;
        }
        chore->due_ns = INT64_MAX;
        (void)pthread_mutex_unlock(&keeper->lock);
        due_ns = do_and_plan(keeper, chore);
        (void)pthread_mutex_lock(&keeper->lock);
        if (due_ns < chore->due_ns) /* it may have been asked for meanwhile */
            chore->due_ns = due_ns;
    }
    (void)pthread_mutex_unlock(&keeper->lock);
    note_rest(keeper);
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

    if (keeper == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while starting");
    keeper->recorder = recorder;
    keeper->keyring = keyring;
    keeper->options = *options;
    plan(keeper);
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
    keeper->chores[SWEEP_LISTS].due_ns = 0;
    (void)pthread_cond_signal(&keeper->changed);
    (void)pthread_mutex_unlock(&keeper->lock);
}

void
lf_keeper_spare(struct lf_keeper *keeper, int64_t generation)
{
    atomic_store(&keeper->spare, generation);
}
