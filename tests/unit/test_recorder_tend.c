/*
 * test_recorder_tend.c - what the recorder does beside recording: commits through somebody else's hands, counts them,
 * and leaves time for what is written at leisure.
 */
#include "app/recorder.h"
#include "store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

enum { PATIENCE_MS = 20000, EVENTS = 1000 };

/* What stands behind a recorder here. */
struct desk {
    struct fixture *f;
    atomic_int commits, tends, idle_tends, more; /* more: so many times there is more to tend */
    _Atomic int commit_answer, tend_answer;      /* statuses */
    atomic_bool held;                            /* tending waits */
    atomic_bool tending;                         /* and one does */
    atomic_int event_count;
    char events[EVENTS]; /* 'c' a commit, 't' tending */
};

static void
note_event(struct desk *desk, char event)
{
    int at = atomic_fetch_add(&desk->event_count, 1);

    if (at < EVENTS)
        desk->events[at] = event;
}

static void
pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static enum lf_status
commit(void *context, struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    struct desk *desk = context;
    enum lf_status answer = (enum lf_status)atomic_load(&desk->commit_answer);

    note_event(desk, 'c');
    atomic_fetch_add(&desk->commits, 1);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the test says so");
    return lf_store_record(store, recording, error);
}

static enum lf_status
tend(void *context, struct lf_store *store, bool idle, bool *ret_more, struct lf_error *error)
{
    struct desk *desk = context;
    enum lf_status answer = (enum lf_status)atomic_load(&desk->tend_answer);

    assert_ptr_equal(store, desk->f->store);
    assert_false(*ret_more);
    note_event(desk, 't');
    atomic_fetch_add(&desk->tends, 1);
    atomic_fetch_add(&desk->idle_tends, idle);
    while (atomic_load(&desk->held)) {
        atomic_store(&desk->tending, true);
        pause_ms(1);
    }
    atomic_store(&desk->tending, false);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the test says so");
    *ret_more = atomic_load(&desk->more) > 0;
    if (*ret_more)
        atomic_fetch_sub(&desk->more, 1);
    return LF_OK;
}

static struct lf_recorder *
start(struct desk *desk, struct fixture *f, int64_t stall_ms, struct lf_metrics *metrics)
{
    struct lf_recorder_options options = {.queue = 100,
                                          .batch = 8,
                                          .stall_ms = stall_ms,
                                          .commit = commit,
                                          .tend = tend,
                                          .context = desk,
                                          .metrics = metrics};
    struct lf_recorder *recorder = NULL;

    desk->f = f;
    OK(lf_recorder_start(f->store, &options, &recorder, &f->error));
    return recorder;
}

struct job {
    struct lf_record_job job;
    atomic_int done; /* 1 + status */
};

static void
note_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct job *own = job->data;

    (void)error;
    atomic_store(&own->done, 1 + (int)status);
}

static void
submit(struct fixture *f, struct lf_recorder *recorder, struct job *job)
{
    atomic_store(&job->done, 0);
    job->job = (struct lf_record_job){
        .score = {.as_of_ms = 1, .lead_id = "L", .lead_id_len = 1, .body = "body", .body_len = 4},
        .done = note_done,
        .data = job};
    OK(lf_recorder_submit(recorder, &job->job, &f->error));
}

static enum lf_status
await(struct job *job)
{
    for (int waited = 0; atomic_load(&job->done) == 0; waited++) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(1);
    }
    return (enum lf_status)(atomic_load(&job->done) - 1);
}

static enum lf_status
record_one(struct fixture *f, struct lf_recorder *recorder)
{
    struct job job;

    submit(f, recorder, &job);
    return await(&job);
}

static void
await_count(const char *what, atomic_int *count, int least)
{
    for (int waited = 0; atomic_load(count) < least; waited++) {
        if (waited > PATIENCE_MS)
            fail_msg("%s: only %d", what, atomic_load(count));
        pause_ms(1);
    }
}

/* ---- commits ---- */

static void
test_commits_are_handed_on(void **state)
{
    struct fixture *f = *state;
    struct desk desk = {.more = 0};
    struct lf_metrics *metrics = lf_metrics_create(0);
    struct lf_recorder *recorder = start(&desk, f, 60000, metrics);
    struct lf_histogram sizes, durations;

    assert_int_equal(lf_recorder_limit(recorder), 100);
    for (int i = 0; i < 5; i++)
        assert_int_equal(record_one(f, recorder), LF_OK);
    assert_int_equal(atomic_load(&desk.commits), 5);
    atomic_store(&desk.commit_answer, LF_OUT_OF_MEMORY); /* what fails is not counted */
    assert_int_equal(record_one(f, recorder), LF_OUT_OF_MEMORY);
    assert_false(lf_recorder_failed(recorder));
    atomic_store(&desk.commit_answer, LF_STORAGE_FAILED);
    assert_int_equal(record_one(f, recorder), LF_STORAGE_FAILED);
    assert_true(lf_recorder_failed(recorder));
    lf_recorder_stop(recorder);
    lf_metrics_commits(metrics, &sizes, &durations);
    assert_int_equal(sizes.count, 5);
    assert_int_equal(sizes.sum, 5);
    assert_int_equal(durations.count, 5);
    assert_int_equal(count_scores(f), 5);
    lf_metrics_destroy(metrics);
}

/* ---- at leisure ---- */

/* After each round, and now and then while there is none. */
static void
test_tended(void **state)
{
    struct fixture *f = *state;
    struct desk desk = {.more = 0};
    struct lf_recorder *recorder = start(&desk, f, 60000, NULL);
    int tends = 0;

    assert_int_equal(record_one(f, recorder), LF_OK);
    await_count("tends", &desk.tends, 1);
    assert_int_equal(atomic_load(&desk.idle_tends), 0);
    await_count("tends while idle", &desk.idle_tends, 2);
    tends = atomic_load(&desk.tends);
    assert_in_range(tends, 3, 4); /* not more often than that */
    lf_recorder_stop(recorder);
}

/* As long as there is more it goes on without a wait, and stops at once when it is told to. */
static void
test_more_to_tend(void **state)
{
    struct fixture *f = *state;
    struct desk desk = {.more = 300};
    struct lf_recorder *recorder = start(&desk, f, 60000, NULL);
    int64_t began_ns = lf_time_monotonic_ns();

    assert_int_equal(record_one(f, recorder), LF_OK);
    await_count("tends", &desk.tends, 301);
    assert_true(lf_time_monotonic_ns() - began_ns < 5 * INT64_C(1000000000));
    atomic_store(&desk.more, 1 << 30);
    lf_recorder_stop(recorder);
}

/* Between two slices jobs come first, all that wait of them. */
static void
test_jobs_come_between(void **state)
{
    enum { JOBS = 20 };
    struct fixture *f = *state;
    struct desk desk = {.more = 1 << 20};
    struct lf_recorder *recorder = start(&desk, f, 60000, NULL);
    struct job jobs[JOBS];
    int seen = 0;

    for (size_t i = 0; i < JOBS; i++) {
        atomic_store(&desk.held, true);
        if (i == 0)
            assert_int_equal(record_one(f, recorder), LF_OK); /* which has it begin */
        while (!atomic_load(&desk.tending))
            pause_ms(1);
        seen = atomic_load(&desk.event_count);
        submit(f, recorder, &jobs[i]);
        atomic_store(&desk.held, false);
        assert_int_equal(await(&jobs[i]), LF_OK);
        assert_true(seen < EVENTS);
        assert_int_equal(desk.events[seen], 'c');
        atomic_store(&desk.event_count, 0); /* some may be noted meanwhile: they stand where they stand */
    }
    atomic_store(&desk.more, 0);
    lf_recorder_stop(recorder);
}

/* ---- what fails ---- */

/* A full disk is noted; jobs go on, and it is tried again a little later. */
static void
test_full_while_tending(void **state)
{
    struct fixture *f = *state;
    struct desk desk = {.tend_answer = LF_STORAGE_FULL};
    struct lf_recorder *recorder = start(&desk, f, 60000, NULL);

    assert_int_equal(record_one(f, recorder), LF_OK);
    await_count("tends", &desk.tends, 1);
    for (int waited = 0; !lf_recorder_full(recorder); waited++) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(1);
    }
    for (int i = 0; i < 50; i++)
        assert_int_equal(record_one(f, recorder), LF_OK);
    assert_in_range(atomic_load(&desk.tends), 1, 3); /* and not with each of them */
    assert_false(lf_recorder_full(recorder));        /* for they went through */
    assert_false(lf_recorder_failed(recorder));
    atomic_store(&desk.tend_answer, LF_OK);
    await_count("tends", &desk.tends, 4);
    lf_recorder_stop(recorder);
    assert_int_equal(count_scores(f), 51);
}

/* What passes hinders nobody; what does not ends all writing. */
static void
test_failures_while_tending(void **state)
{
    static const struct {
        enum lf_status answer;
        bool fails;
    } ROWS[] = {{LF_OUT_OF_MEMORY, false}, {LF_INTERNAL, false}, {LF_STORAGE_FAILED, true}, {LF_STORAGE_CORRUPT, true}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct desk desk = {.tend_answer = ROWS[i].answer};
        struct lf_recorder *recorder = start(&desk, f, 60000, NULL);

        assert_int_equal(record_one(f, recorder), LF_OK);
        await_count("tends", &desk.tends, 1);
        for (int waited = 0; ROWS[i].fails && !lf_recorder_failed(recorder); waited++) {
            assert_true(waited < PATIENCE_MS);
            pause_ms(1);
        }
        if (!ROWS[i].fails)
            assert_int_equal(record_one(f, recorder), LF_OK);
        assert_int_equal(lf_recorder_failed(recorder), ROWS[i].fails);
        lf_recorder_stop(recorder);
    }
}

/* Tending that does not come back ends the process as a commit does. */
static void
test_watched_while_tending(void **state)
{
    struct fixture *f = *state;
    int result = 0;
    pid_t child = -1;

    close_store(f);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct desk desk = {.more = 0};
        struct lf_recorder *recorder = NULL;
        struct job job;

        open_store(f);
        recorder = start(&desk, f, 100, NULL);
        atomic_store(&desk.held, true);
        submit(f, recorder, &job);
        for (;;)
            pause_ms(1000);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 70);
    open_store(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_commits_are_handed_on), TEST(test_tended),
        TEST(test_more_to_tend),          TEST(test_jobs_come_between),
        TEST(test_full_while_tending),    TEST(test_failures_while_tending),
        TEST(test_watched_while_tending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
