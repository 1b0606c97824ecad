/* test_recorder.c - the recorder: everything once and in order, bounded, and honest when the storage fails. */
#include "recorder_fixture.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

/* ---- the tests ---- */

enum { THREADS = 8, PER_THREAD = 1250, ALL = THREADS * PER_THREAD };

struct submitter {
    pthread_t thread;
    struct lf_recorder *recorder;
    struct job *jobs;
    size_t refused; /* BUSY, and tried again */
    bool out_of_order, failed;
};

static void *
submit_many(void *argument)
{
    struct submitter *own = argument;
    struct lf_ulid last = {{0}};

    for (size_t i = 0; i < PER_THREAD; i++) {
        struct lf_error error;
        enum lf_status status = LF_OK;

        /* Once submit says OK the job may be done at any moment; here it outlives that, so its id can be read. */
        while ((status = lf_recorder_submit(own->recorder, &own->jobs[i].job, &error)) == LF_BUSY) {
            own->refused++;
            (void)sched_yield();
        }
        own->failed = own->failed || status != LF_OK;
        own->out_of_order = own->out_of_order || memcmp(own->jobs[i].job.score.id.bytes, last.bytes, LF_ULID_SIZE) <= 0;
        last = own->jobs[i].job.score.id;
    }
    return NULL;
}

static void
test_many_threads(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct submitter submitters[THREADS];
    struct job *jobs = calloc(ALL, sizeof *jobs);
    struct lf_recorder *recorder = start(f, 500, 64);
    struct lf_stored_score score;

    assert_non_null(jobs);
    for (size_t i = 0; i < ALL; i++)
        prepare(&jobs[i], &tally, i);
    for (size_t t = 0; t < THREADS; t++) {
        submitters[t] = (struct submitter){.recorder = recorder, .jobs = jobs + t * PER_THREAD};
        assert_int_equal(pthread_create(&submitters[t].thread, NULL, submit_many, &submitters[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(submitters[t].thread, NULL), 0);
        assert_false(submitters[t].failed);
        assert_false(submitters[t].out_of_order);
    }
    lf_recorder_stop(recorder);
    assert_int_equal(tally.done, ALL);
    assert_int_equal(tally.by_status[LF_OK], ALL);
    assert_false(tally.out_of_order);
    assert_int_equal(count_scores(f), ALL);
    for (size_t i = 0; i < ALL; i++) {
        assert_int_equal(jobs[i].times_done, 1);
        OK(lf_store_score(f->reader, f->arena, jobs[i].job.score.id, &score, &f->error));
        assert_string_equal(score.lead_id, jobs[i].lead_id);
        assert_int_equal(score.as_of_ms, i);
        lf_arena_reset(f->arena);
    }
    assert_int_equal(check(f, false, NULL), 0);
    free(jobs);
}

static void
test_queue_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[6];
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 4, 100);
    gate_set(true, LF_OK, LF_OK);
    submit(f, recorder, jobs, 0, 1, &tally);
    gate_await(); /* the first is being recorded */
    submit(f, recorder, jobs, 1, 5, &tally);
    assert_int_equal(lf_recorder_depth(recorder), 4);
    prepare(&jobs[5], &tally, 5);
    FAILS(lf_recorder_submit(recorder, &jobs[5].job, &f->error), LF_BUSY);
    gate_set(false, LF_OK, LF_OK);
    tally_await(&tally, 5);
    assert_int_equal(lf_recorder_depth(recorder), 0);
    submit(f, recorder, jobs, 5, 6, &tally); /* there is room again */
    lf_recorder_stop(recorder);
    assert_int_equal(tally.by_status[LF_OK], 6);
    assert_int_equal(jobs[5].times_done, 1);
    assert_int_equal(gate.commits, 3); /* one, then the four that had gathered, then one */
    assert_int_equal(count_scores(f), 6);
}

static void
test_batch_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[26];
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 100, 10);
    gate_set(true, LF_OK, LF_OK);
    submit(f, recorder, jobs, 0, 1, &tally);
    gate_await();
    submit(f, recorder, jobs, 1, 26, &tally);
    gate_set(false, LF_OK, LF_OK);
    lf_recorder_stop(recorder);
    assert_int_equal(gate.largest, 10);
    assert_int_equal(gate.commits, 4); /* 1, 10, 10, 5 */
    assert_int_equal(tally.by_status[LF_OK], 26);
    assert_false(tally.out_of_order);
}

static void *
stop_main(void *recorder)
{
    lf_recorder_stop(recorder);
    return NULL;
}

static void
test_stop_records_what_waits(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[52];
    struct lf_recorder *recorder = NULL;
    enum lf_status status = LF_OK;
    pthread_t stopper;
    size_t taken = 50;

    gate_install(f);
    recorder = start(f, 100, 8);
    gate_set(true, LF_OK, LF_OK);
    submit(f, recorder, jobs, 0, 1, &tally);
    gate_await();
    submit(f, recorder, jobs, 1, taken, &tally);
    assert_int_equal(pthread_create(&stopper, NULL, stop_main, recorder), 0);
    do { /* until the other thread has said stop */
        prepare(&jobs[taken], &tally, taken);
        status = lf_recorder_submit(recorder, &jobs[taken].job, &f->error);
        if (status == LF_OK && taken < 51)
            taken++;
        else if (status == LF_OK) {
            gate_set(false, LF_OK, LF_OK); /* never stopped so far: let it come to an end, and fail below */
            break;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    } while (status == LF_OK);
    assert_int_equal(status, LF_NOT_READY);
    gate_set(false, LF_OK, LF_OK);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_int_equal(tally.by_status[LF_OK], taken);
    assert_int_equal(count_scores(f), taken);
    lf_recorder_stop(NULL);
}

static void
test_failure_sticks(void **state)
{
    static const enum lf_status ROWS[] = {LF_STORAGE_FAILED, LF_STORAGE_CORRUPT};
    struct fixture *f = *state;

    for (size_t row = 0; row < 2; row++) {
        struct tally tally = TALLY;
        struct job jobs[21];
        struct lf_recorder *recorder = NULL;

        if (row > 0)
            f->store->backend = gate.real;
        gate_install(f);
        recorder = start(f, 100, 8);
        gate_set(true, ROWS[row], LF_OK);
        submit(f, recorder, jobs, 0, 1, &tally);
        gate_await();
        submit(f, recorder, jobs, 1, 20, &tally);
        assert_false(lf_recorder_failed(recorder));
        gate_set(false, ROWS[row], LF_OK);
        tally_await(&tally, 20);
        assert_true(lf_recorder_failed(recorder));
        assert_int_equal(gate.commits, 1); /* the storage is not touched again */
        assert_int_equal(tally.by_status[ROWS[row]], row == 0 ? 20 : 1);
        assert_int_equal(tally.by_status[LF_STORAGE_FAILED], row == 0 ? 20 : 19);
        gate_set(false, LF_OK, LF_OK); /* not even when it would work */
        prepare(&jobs[20], &tally, 20);
        FAILS(lf_recorder_submit(recorder, &jobs[20].job, &f->error), LF_STORAGE_FAILED);
        FAILS(lf_recorder_run(recorder, NULL, NULL, &f->error), LF_STORAGE_FAILED);
        lf_recorder_stop(recorder);
        assert_int_equal(jobs[20].times_done, 0);
        assert_int_equal(count_scores(f), 0);
    }
}

static void
test_full_disk_recovers(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[4];
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 100, 8);
    gate_set(false, LF_STORAGE_FULL, LF_STORAGE_FULL);
    submit(f, recorder, jobs, 0, 1, &tally);
    tally_await(&tally, 1);
    submit(f, recorder, jobs, 1, 2, &tally);
    tally_await(&tally, 2);
    assert_int_equal(tally.by_status[LF_STORAGE_FULL], 2);
    assert_true(lf_recorder_full(recorder));
    assert_false(lf_recorder_failed(recorder));
    gate_set(false, LF_OK, LF_STORAGE_FULL); /* a commit that goes through says so */
    submit(f, recorder, jobs, 2, 3, &tally);
    tally_await(&tally, 3);
    assert_int_equal(tally.by_status[LF_OK], 1);
    assert_false(lf_recorder_full(recorder));

    gate_set(false, LF_STORAGE_FULL, LF_STORAGE_FULL);
    submit(f, recorder, jobs, 3, 4, &tally);
    tally_await(&tally, 4);
    assert_true(lf_recorder_full(recorder));
    gate_set(false, LF_OK, LF_OK); /* and so does looking now and then, while nobody records */
    for (int i = 0; i < 1000 && lf_recorder_full(recorder); i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_false(lf_recorder_full(recorder));
    lf_recorder_stop(recorder);
    assert_int_equal(count_scores(f), 1);
}

static void
test_passing_errors_pass(void **state)
{
    static const enum lf_status ROWS[] = {LF_OUT_OF_MEMORY, LF_STORAGE_IN_USE, LF_INTERNAL};
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[6];
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 100, 8);
    for (size_t i = 0; i < 3; i++) {
        gate_set(false, ROWS[i], LF_OK);
        submit(f, recorder, jobs, 2 * i, 2 * i + 1, &tally);
        tally_await(&tally, 2 * i + 1);
        assert_int_equal(tally.by_status[ROWS[i]], 1);
        gate_set(false, LF_OK, LF_OK);
        submit(f, recorder, jobs, 2 * i + 1, 2 * i + 2, &tally);
        tally_await(&tally, 2 * i + 2);
        assert_int_equal(tally.by_status[LF_OK], i + 1);
    }
    assert_false(lf_recorder_failed(recorder));
    lf_recorder_stop(recorder);
}

/* ---- other writes ---- */

struct write {
    const char *icp;
    pthread_t ran_on;
    int version;
};

static enum lf_status
write_version(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct write *write = argument;
    struct lf_new_version v = version(write->icp, "{}", 1);
    struct lf_change change = by_ops(1);
    bool unchanged = false;

    write->ran_on = pthread_self();
    return lf_store_publish(store, &v, &change, &write->version, &unchanged, error);
}

static enum lf_status
write_nowhere(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct lf_change change = by_ops(1);

    return lf_store_set_archived(store, argument, true, &change, error);
}

static void *
write_many(void *recorder)
{
    struct lf_error error;
    uintptr_t failures = 0;
    char key[24];

    for (int i = 0; i < 50; i++) {
        struct write write = {.icp = key};

        (void)snprintf(key, sizeof key, "k%d-%lx", i, (unsigned long)pthread_self());
        if (lf_recorder_run(recorder, write_version, &write, &error) != LF_OK || write.version != 1)
            failures++;
    }
    return (void *)failures;
}

static void
test_other_writes(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[200];
    struct lf_recorder *recorder = start(f, 1000, 16);
    struct write write = {.icp = "maker"};
    struct lf_stored_icp *icps = NULL;
    pthread_t threads[4];
    char nobody[] = "nobody";
    size_t count = 0;

    OK(lf_recorder_run(recorder, write_version, &write, &f->error));
    assert_int_equal(write.version, 1);
    assert_false(pthread_equal(write.ran_on, pthread_self()));
    FAILS(lf_recorder_run(recorder, write_nowhere, nobody, &f->error), LF_ICP_NOT_FOUND);
    assert_int_equal(lf_recorder_run(recorder, write_nowhere, nobody, NULL), LF_ICP_NOT_FOUND);
    for (size_t t = 0; t < 4; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, write_many, recorder), 0);
    submit(f, recorder, jobs, 0, 200, &tally);
    for (size_t t = 0; t < 4; t++) {
        void *failures = &threads;

        assert_int_equal(pthread_join(threads[t], &failures), 0);
        assert_null(failures);
    }
    lf_recorder_stop(recorder);
    assert_int_equal(tally.by_status[LF_OK], 200);
    OK(lf_store_icps(f->reader, f->arena, &icps, &count, &f->error));
    assert_int_equal(count, 201);
}

static enum lf_status
fail_hard(struct lf_store *store, void *argument, struct lf_error *error)
{
    (void)store;
    (void)argument;
    return lf_fail(error, LF_STORAGE_FAILED, "the disk is gone");
}

static void
test_other_writes_that_fail(void **state)
{
    struct fixture *f = *state;
    struct lf_recorder *recorder = start(f, 10, 10);

    FAILS(lf_recorder_run(recorder, fail_hard, NULL, &f->error), LF_STORAGE_FAILED);
    assert_string_equal(f->error.detail, "the disk is gone");
    assert_true(lf_recorder_failed(recorder));
    lf_recorder_stop(recorder);
}

/* ---- ids, sizes, callbacks ---- */

static void
test_ids_go_on(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[2];
    struct lf_recorder *recorder = NULL;
    struct lf_stored_score future = {.id = {{0x7F}}, .lead_id = "", .body = ""}; /* a clock that went wrong once */
    const struct lf_stored_score *batch[] = {&future};

    OK(lf_store_append_scores(f->store, batch, 1, NULL, 0, NULL, &f->error));
    for (size_t i = 0; i < 2; i++) {
        recorder = start(f, 10, 10);
        submit(f, recorder, jobs, i, i + 1, &tally);
        lf_recorder_stop(recorder);
    }
    assert_int_equal(tally.by_status[LF_OK], 2);
    assert_true(memcmp(jobs[0].job.score.id.bytes, future.id.bytes, LF_ULID_SIZE) > 0);
    assert_true(memcmp(jobs[1].job.score.id.bytes, jobs[0].job.score.id.bytes, LF_ULID_SIZE) > 0);
}

static void
test_too_large(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct job jobs[2];
    struct lf_recorder *recorder = start(f, 10, 10);

    prepare(&jobs[0], &tally, 0);
    jobs[0].job.score.body_len = LF_SCORE_BODY_MAX + (size_t)1;
    FAILS(lf_recorder_submit(recorder, &jobs[0].job, &f->error), LF_BODY_TOO_LARGE);
    prepare(&jobs[0], &tally, 0);
    jobs[0].job.score.lead_id_len = LF_SCORE_LEAD_ID_MAX + (size_t)1;
    FAILS(lf_recorder_submit(recorder, &jobs[0].job, &f->error), LF_BODY_TOO_LARGE);
    submit(f, recorder, jobs, 1, 2, &tally); /* others are none the worse for it */
    lf_recorder_stop(recorder);
    assert_int_equal(tally.done, 1);
    assert_int_equal(tally.by_status[LF_OK], 1);
}

struct again {
    struct job job;
    struct lf_recorder *recorder;
    atomic_int left;
};

/* Hands the same job in again from within done. */
static void
done_again(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct again *again = job->data;

    (void)error;
    assert_int_equal(status, LF_OK);
    if (atomic_fetch_sub(&again->left, 1) > 1)
        assert_int_equal(lf_recorder_submit(again->recorder, job, NULL), LF_OK);
}

static void
test_submit_from_done(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct again again = {.recorder = start(f, 1, 1)};

    prepare(&again.job, &tally, 0);
    again.job.job.data = &again;
    again.job.job.done = done_again;
    atomic_init(&again.left, 100);
    OK(lf_recorder_submit(again.recorder, &again.job.job, &f->error));
    while (atomic_load(&again.left) > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    lf_recorder_stop(again.recorder);
    assert_int_equal(count_scores(f), 100);
}

/* ---- beside other work ---- */

/* Backups and checks while scores pour in: each copy is whole and of one moment. */
static void
test_backup_under_load(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct again streams[16];
    struct lf_recorder *recorder = start(f, 100, 16);
    int64_t before = 0;

    for (size_t i = 0; i < 16; i++) {
        streams[i].recorder = recorder;
        prepare(&streams[i].job, &tally, i);
        streams[i].job.job.data = &streams[i];
        streams[i].job.job.done = done_again;
        atomic_init(&streams[i].left, 1000);
        OK(lf_recorder_submit(recorder, &streams[i].job.job, &f->error));
    }
    for (int i = 0; i < 5; i++) {
        char target[PATH_SIZE];
        struct lf_store_options options = {.path = target, .read_only = true};
        struct fixture copy = {.arena = f->arena};
        int64_t in_copy = 0;

        (void)snprintf(target, sizeof target, "%s/copy-%d.db", f->folder, i);
        OK(lf_store_backup(f->reader, target, &f->error));
        OK(lf_store_open(&options, &copy.store, &f->error));
        OK(lf_store_reader_open(copy.store, &copy.reader, &f->error));
        assert_int_equal(check(&copy, false, NULL), 0);
        assert_int_equal(check(f, false, NULL), 0);
        in_copy = count_scores(&copy);
        assert_true(in_copy >= before && in_copy <= count_scores(f));
        before = in_copy;
        close_store(&copy);
        lf_arena_reset(f->arena);
    }
    for (size_t i = 0; i < 16; i++)
        while (atomic_load(&streams[i].left) > 0)
            (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    lf_recorder_stop(recorder);
    assert_int_equal(count_scores(f), 16 * 1000);
}

/* ---- the watchdog ---- */

static void
test_watchdog(void **state)
{
    struct fixture *f = *state;
    pid_t child = 0;
    int result = 0;

    close_store(f); /* SQLite is not carried over a fork */
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct lf_recorder_options options = {.queue = 10, .batch = 10, .stall_ms = 100};
        struct tally tally = TALLY;
        struct lf_recorder *recorder = NULL;
        struct job jobs[2];
        int null = open("/dev/null", O_WRONLY);

        (void)dup2(null, STDERR_FILENO); /* the line it logs is not for here */
        (void)alarm(30);
        open_store(f);
        gate_install(f);
        if (lf_recorder_start(f->store, &options, &recorder, &f->error) != LF_OK)
            _exit(1);
        submit(f, recorder, jobs, 0, 1, &tally);
        tally_await(&tally, 1);
        (void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL); /* idle is not stalled */
        gate_set(true, LF_OK, LF_OK);
        submit(f, recorder, jobs, 1, 2, &tally);
        tally_await(&tally, 2); /* never */
        _exit(2);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 70);
    open_store(f);
    assert_int_equal(count_scores(f), 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_many_threads),
        TEST(test_queue_is_bounded),
        TEST(test_batch_is_bounded),
        TEST(test_stop_records_what_waits),
        TEST(test_failure_sticks),
        TEST(test_full_disk_recovers),
        TEST(test_passing_errors_pass),
        TEST(test_other_writes),
        TEST(test_other_writes_that_fail),
        TEST(test_ids_go_on),
        TEST(test_too_large),
        TEST(test_submit_from_done),
        TEST(test_backup_under_load),
        TEST(test_watchdog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
