/*
 * test_recorder_jobs.c - jobs that bring several scores, and an answer that is kept with them: recorded together or not
 * at all, whatever fails. What holds for all jobs: test_recorder.c.
 */
#include "recorder_fixture.h"
#include "sqlite_faults.h"

#include <stdatomic.h>

/* ---- jobs of several scores ---- */

/* A score says at as_of_ms whose it is, and which of how many. */
enum { INDEX_BITS = 10, COUNT_BITS = 10, SEALED_SIZE = 48 };

static int64_t
mark(size_t number, size_t index, size_t count)
{
    return (int64_t)(number << (INDEX_BITS + COUNT_BITS) | index << COUNT_BITS | count);
}

static size_t
mark_index(int64_t as_of_ms)
{
    return (size_t)as_of_ms >> COUNT_BITS & ((1 << INDEX_BITS) - 1);
}

static size_t
mark_count(int64_t as_of_ms)
{
    return (size_t)as_of_ms & ((1 << COUNT_BITS) - 1);
}

/* A job with its scores and its answer. */
struct load {
    struct job job;
    struct lf_stored_score more[LF_RECORD_MORE_MAX];
    struct lf_stored_answer answer;
    char sealed[SEALED_SIZE];
    enum lf_status refusal; /* of preparing it; LF_OK: none */
    atomic_int prepared;
};

static void
name_of(size_t number, uint8_t ret_name[LF_SHA256_SIZE])
{
    memset(ret_name, 0x5A, LF_SHA256_SIZE);
    memcpy(ret_name, &number, sizeof number);
}

static struct lf_ulid
last_of(const struct load *load)
{
    const struct lf_record_job *job = &load->job.job;

    return job->more_count == 0 ? job->score.id : job->more[job->more_count - 1].id;
}

static enum lf_status
prepare_answer(struct lf_record_job *job, struct lf_error *error)
{
    struct job *own = job->data;
    struct load *load = (struct load *)own;
    char id[LF_ULID_TEXT_SIZE];

    atomic_fetch_add(&load->prepared, 1);
    if (load->refusal != LF_OK)
        return lf_fail(error, load->refusal, "this answer cannot be made");
    lf_ulid_format(last_of(load), id);
    (void)snprintf(load->sealed, sizeof load->sealed, "about all to %s", id);
    load->answer.first_score = job->score.id;
    load->answer.last_score = last_of(load);
    load->answer.sealed = load->sealed;
    load->answer.sealed_len = strlen(load->sealed);
    job->answer = &load->answer;
    return LF_OK;
}

/* A job that brings `count` scores, and an answer where it is wanted. */
static void
fill(struct load *load, struct tally *tally, size_t number, size_t count, bool answered)
{
    struct lf_record_job *job = &load->job.job;

    prepare(&load->job, tally, number);
    load->refusal = LF_OK;
    atomic_store(&load->prepared, 0);
    job->score.as_of_ms = mark(number, 0, count);
    job->more = load->more;
    job->more_count = count - 1;
    for (size_t i = 1; i < count; i++) {
        load->more[i - 1] = job->score;
        load->more[i - 1].as_of_ms = mark(number, i, count);
    }
    load->answer = (struct lf_stored_answer){.at_ms = (int64_t)number, .http_status = 200};
    name_of(number, load->answer.name);
    if (answered)
        job->prepare = prepare_answer;
}

static struct load *
loads_create(size_t count)
{
    struct load *loads = calloc(count, sizeof *loads);

    assert_non_null(loads);
    return loads;
}

static bool
has_answer(struct fixture *f, size_t number, struct lf_stored_answer *ret_answer)
{
    uint8_t name[LF_SHA256_SIZE];
    bool found = false;

    name_of(number, name);
    OK(lf_store_answer(f->reader, f->arena, name, &found, ret_answer, &f->error));
    return found;
}

static void
assert_score(struct fixture *f, const struct lf_stored_score *expected)
{
    struct lf_stored_score score;

    OK(lf_store_score(f->reader, f->arena, expected->id, &score, &f->error));
    assert_int_equal(score.as_of_ms, expected->as_of_ms);
    assert_string_equal(score.lead_id, expected->lead_id);
    assert_int_equal(score.body_len, expected->body_len);
    assert_memory_equal(score.body, expected->body, score.body_len);
}

/* All of it is there, in order. */
static void
assert_recorded(struct fixture *f, const struct load *load, size_t number)
{
    const struct lf_record_job *job = &load->job.job;
    struct lf_ulid before = job->score.id;
    struct lf_stored_answer answer;

    lf_arena_reset(f->arena);
    assert_score(f, &job->score);
    for (size_t i = 0; i < job->more_count; i++) {
        assert_true(memcmp(before.bytes, job->more[i].id.bytes, LF_ULID_SIZE) < 0);
        before = job->more[i].id;
        assert_score(f, &job->more[i]);
    }
    assert_int_equal(has_answer(f, number, &answer), job->prepare != NULL);
    if (job->prepare == NULL)
        return;
    assert_memory_equal(answer.first_score.bytes, job->score.id.bytes, LF_ULID_SIZE);
    assert_memory_equal(answer.last_score.bytes, before.bytes, LF_ULID_SIZE);
    assert_int_equal(answer.sealed_len, strlen(load->sealed));
    assert_memory_equal(answer.sealed, load->sealed, answer.sealed_len);
}

static void
assert_not_recorded(struct fixture *f, const struct load *load, size_t number)
{
    struct lf_stored_answer answer;
    struct lf_stored_score score;

    FAILS(lf_store_score(f->reader, f->arena, load->job.job.score.id, &score, &f->error), LF_SCORE_NOT_FOUND);
    FAILS(lf_store_score(f->reader, f->arena, last_of(load), &score, &f->error), LF_SCORE_NOT_FOUND);
    assert_false(has_answer(f, number, &answer));
}

/* ---- many at once ---- */

enum { THREADS = 8, PER_THREAD = 150, ALL = THREADS * PER_THREAD, BATCH = 40 };

static atomic_size_t split, too_many, astray; /* commits in which something is wrong */

/* Jobs are whole, one behind the other; an answer stands behind its first and last score. */
static void
look_for_whole_jobs(const struct lf_recording *recording)
{
    size_t at = 0, job = 0;

    for (size_t i = 0; i < recording->count; i++) {
        at = mark_index(recording->scores[i]->as_of_ms);
        if (at != job)
            atomic_fetch_add(&split, 1);
        job = at + 1 == mark_count(recording->scores[i]->as_of_ms) ? 0 : at + 1;
    }
    if (job != 0)
        atomic_fetch_add(&split, 1);
    if (recording->count - mark_count(recording->scores[recording->count - 1]->as_of_ms) >= BATCH)
        atomic_fetch_add(&too_many, 1);
    for (size_t i = 0; i < recording->answer_count; i++) {
        const struct lf_stored_answer *answer = recording->answers[i];

        if (memcmp(answer->first_score.bytes, recording->scores[0]->id.bytes, LF_ULID_SIZE) < 0 ||
            memcmp(answer->last_score.bytes, recording->scores[recording->count - 1]->id.bytes, LF_ULID_SIZE) > 0)
            atomic_fetch_add(&astray, 1);
    }
}

struct submitter {
    pthread_t thread;
    struct lf_recorder *recorder;
    struct load *loads;
    bool failed;
};

static void *
submit_many(void *argument)
{
    struct submitter *own = argument;

    for (size_t i = 0; i < PER_THREAD; i++) {
        struct lf_error error;
        enum lf_status status = LF_OK;

        while ((status = lf_recorder_submit(own->recorder, &own->loads[i].job.job, &error)) == LF_BUSY)
            (void)sched_yield();
        own->failed = own->failed || status != LF_OK;
    }
    return NULL;
}

static size_t
some_count(size_t number)
{
    return number % 97 == 0 ? 1 + LF_RECORD_MORE_MAX : number % 3 == 0 ? 1 : 1 + number * 7 % 23;
}

static void
test_many_threads(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct submitter submitters[THREADS];
    struct load *loads = loads_create(ALL);
    struct lf_recorder *recorder = NULL;
    size_t scores = 0;

    gate_install(f);
    gate.look = look_for_whole_jobs;
    recorder = start(f, 300, BATCH);
    for (size_t i = 0; i < ALL; i++) {
        fill(&loads[i], &tally, i, some_count(i), i % 2 == 0);
        scores += some_count(i);
    }
    for (size_t t = 0; t < THREADS; t++) {
        submitters[t] = (struct submitter){.recorder = recorder, .loads = loads + t * PER_THREAD};
        assert_int_equal(pthread_create(&submitters[t].thread, NULL, submit_many, &submitters[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(submitters[t].thread, NULL), 0);
        assert_false(submitters[t].failed);
    }
    lf_recorder_stop(recorder);
    assert_int_equal(tally.by_status[LF_OK], ALL);
    assert_int_equal(tally.done, ALL);
    assert_false(tally.out_of_order);
    assert_int_equal(atomic_load(&split), 0);
    assert_int_equal(atomic_load(&too_many), 0);
    assert_int_equal(atomic_load(&astray), 0);
    assert_true(gate.largest > BATCH); /* a job went beyond it whole */
    assert_int_equal(count_scores(f), scores);
    for (size_t i = 0; i < ALL; i++) {
        assert_int_equal(loads[i].job.times_done, 1);
        assert_int_equal(atomic_load(&loads[i].prepared), i % 2 == 0);
        assert_recorded(f, &loads[i], i);
    }
    assert_int_equal(check(f, false, NULL), 0); /* no answer tells of another one's score */
    free(loads);
}

/* ---- what is counted ---- */

static size_t
submit_all(struct fixture *f, struct lf_recorder *recorder, struct load *loads, const size_t *counts, size_t count,
           struct tally *tally)
{
    size_t scores = 0;

    for (size_t i = 0; i < count; i++) {
        fill(&loads[i], tally, i, counts[i], true);
        OK(lf_recorder_submit(recorder, &loads[i].job.job, &f->error));
        scores += counts[i];
    }
    return scores;
}

/* The queue is counted in scores; a job is taken as long as there is room for one. */
static void
test_queue(void **state)
{
    static const size_t COUNTS[] = {1, 3, 5};
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct load *loads = loads_create(4);
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 4, 100);
    gate_set(true, LF_OK, LF_OK);
    (void)submit_all(f, recorder, loads, COUNTS, 1, &tally);
    gate_await();
    assert_int_equal(lf_recorder_depth(recorder), 0);
    for (size_t i = 1; i < 3; i++) {
        fill(&loads[i], &tally, i, COUNTS[i], true);
        OK(lf_recorder_submit(recorder, &loads[i].job.job, &f->error));
    }
    assert_int_equal(lf_recorder_depth(recorder), 8);
    fill(&loads[3], &tally, 3, 1, true);
    FAILS(lf_recorder_submit(recorder, &loads[3].job.job, &f->error), LF_BUSY);
    gate_set(false, LF_OK, LF_OK);
    tally_await(&tally, 3);
    lf_recorder_stop(recorder);
    assert_int_equal(loads[3].job.times_done, 0);
    assert_int_equal(count_scores(f), 9);
    free(loads);
}

static size_t sizes[8], size_count;

static void
note_sizes(const struct lf_recording *recording)
{
    if (size_count < sizeof sizes / sizeof *sizes)
        sizes[size_count] = recording->count;
    size_count++;
}

/* A batch is counted in scores, and its last job is never split. */
static void
test_batch(void **state)
{
    static const struct {
        const char *what;
        size_t counts[8], commits[8]; /* behind the first job, which brings one */
    } ROWS[] = {
        {"they fit", {4, 3, 3}, {10}},
        {"the last one goes beyond", {4, 4, 4, 4}, {12, 4}},
        {"all but one", {9, 1, 1}, {10, 1}},
        {"the last of all goes beyond", {9, 256}, {265}},
        {"each is a batch", {10, 256, 11, 1}, {10, 256, 11, 1}},
        {"one at a time", {1, 1, 1, 1, 1, 1, 1}, {7}},
    };
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct tally tally = TALLY;
        struct load *loads = loads_create(10);
        struct lf_recorder *recorder = NULL;
        size_t counts[9] = {1}, count = 1, scores = (size_t)count_scores(f);

        print_message("%s\n", ROWS[row].what);
        for (; count <= 8 && ROWS[row].counts[count - 1] > 0; count++)
            counts[count] = ROWS[row].counts[count - 1];
        if (row > 0)
            f->store->backend = gate.real;
        gate_install(f);
        gate.look = note_sizes;
        size_count = 0;
        recorder = start(f, 1000, 10);
        gate_set(true, LF_OK, LF_OK);
        scores += submit_all(f, recorder, loads, counts, 1, &tally);
        gate_await();
        for (size_t i = 1; i < count; i++) {
            fill(&loads[i], &tally, i, counts[i], true);
            OK(lf_recorder_submit(recorder, &loads[i].job.job, &f->error));
            scores += counts[i];
        }
        gate_set(false, LF_OK, LF_OK);
        tally_await(&tally, count);
        fill(&loads[count], &tally, count, 1, true); /* and the list goes on behind them */
        OK(lf_recorder_submit(recorder, &loads[count].job.job, &f->error));
        lf_recorder_stop(recorder);
        count++;
        scores++;
        assert_int_equal(sizes[0], 1);
        assert_int_equal(sizes[size_count - 1], 1);
        for (size_t i = 0; i + 2 < size_count; i++)
            assert_int_equal(sizes[i + 1], ROWS[row].commits[i]);
        assert_true(size_count <= 8 && ROWS[row].commits[size_count - 2] == 0);
        assert_int_equal(tally.by_status[LF_OK], count);
        assert_int_equal(count_scores(f), scores);
        for (size_t i = 0; i < count; i++)
            assert_recorded(f, &loads[i], i); /* its answer in place of the one that the row before left */
        free(loads);
    }
}

/* ---- what fails ---- */

/* What cannot be prepared takes nobody with it. */
static void
test_preparing_fails(void **state)
{
    static const size_t COUNTS[] = {1, 2, 1, 5, 1, 1};
    static const bool REFUSED[] = {false, true, false, true, false, true};
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct load *loads = loads_create(6);
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 100, 100);
    gate_set(true, LF_OK, LF_OK);
    (void)submit_all(f, recorder, loads, COUNTS, 1, &tally);
    gate_await();
    for (size_t i = 1; i < 6; i++) {
        fill(&loads[i], &tally, i, COUNTS[i], true);
        loads[i].refusal = REFUSED[i] ? LF_OUT_OF_MEMORY : LF_OK;
        OK(lf_recorder_submit(recorder, &loads[i].job.job, &f->error));
    }
    gate_set(false, LF_OK, LF_OK);
    tally_await(&tally, 6);
    assert_int_equal(tally.by_status[LF_OK], 3);
    assert_int_equal(tally.by_status[LF_OUT_OF_MEMORY], 3);
    assert_int_equal(gate.commits, 2);
    assert_int_equal(count_scores(f), 3);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(loads[i].job.times_done, 1);
        assert_int_equal(atomic_load(&loads[i].prepared), 1);
        if (REFUSED[i])
            assert_not_recorded(f, &loads[i], i);
        else
            assert_recorded(f, &loads[i], i);
    }
    /* Where there is nothing left to record, nothing is committed; and then it goes on. */
    fill(&loads[0], &tally, 0, 4, true);
    loads[0].refusal = LF_INTERNAL;
    OK(lf_recorder_submit(recorder, &loads[0].job.job, &f->error));
    tally_await(&tally, 7);
    assert_int_equal(tally.by_status[LF_INTERNAL], 1);
    fill(&loads[1], &tally, 1, 2, true);
    OK(lf_recorder_submit(recorder, &loads[1].job.job, &f->error));
    tally_await(&tally, 8);
    lf_recorder_stop(recorder);
    assert_int_equal(gate.commits, 3);
    assert_recorded(f, &loads[1], 1);
    assert_int_equal(check(f, false, NULL), 0);
    free(loads);
}

/* A commit that fails leaves neither scores nor answers, and the next one is none the worse for it. */
static void
test_a_commit_fails(void **state)
{
    static const size_t COUNTS[] = {3, 1, 2};
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct load *loads = loads_create(4);
    struct lf_recorder *recorder = NULL;

    gate_install(f);
    recorder = start(f, 100, 100);
    gate_set(false, LF_STORAGE_FULL, LF_STORAGE_FULL);
    (void)submit_all(f, recorder, loads, COUNTS, 3, &tally);
    tally_await(&tally, 3);
    assert_int_equal(tally.by_status[LF_STORAGE_FULL], 3);
    for (size_t i = 0; i < 3; i++)
        assert_not_recorded(f, &loads[i], i);
    gate_set(false, LF_OK, LF_OK);
    (void)submit_all(f, recorder, loads, COUNTS, 3, &tally);
    tally_await(&tally, 6);
    for (size_t i = 0; i < 3; i++)
        assert_recorded(f, &loads[i], i);
    /* Once writing has ended nobody prepares anything in vain. */
    gate_set(true, LF_STORAGE_FAILED, LF_OK);
    (void)submit_all(f, recorder, loads, COUNTS, 1, &tally);
    gate_await();
    fill(&loads[3], &tally, 3, 2, true);
    OK(lf_recorder_submit(recorder, &loads[3].job.job, &f->error));
    gate_set(false, LF_STORAGE_FAILED, LF_OK);
    tally_await(&tally, 8);
    lf_recorder_stop(recorder);
    assert_int_equal(tally.by_status[LF_STORAGE_FAILED], 2);
    assert_int_equal(atomic_load(&loads[3].prepared), 0);
    free(loads);
}

static void
test_refused(void **state)
{
    struct fixture *f = *state;
    struct tally tally = TALLY;
    struct load *loads = loads_create(2);
    struct lf_recorder *recorder = start(f, 100, 10);
    struct lf_record_job *job = &loads[0].job.job;

    fill(&loads[0], &tally, 0, 4, true);
    loads[0].more[2].body_len = LF_SCORE_BODY_MAX + (size_t)1;
    FAILS(lf_recorder_submit(recorder, job, &f->error), LF_BODY_TOO_LARGE);
    fill(&loads[0], &tally, 0, 4, true);
    loads[0].more[0].lead_id_len = LF_SCORE_LEAD_ID_MAX + (size_t)1;
    FAILS(lf_recorder_submit(recorder, job, &f->error), LF_BODY_TOO_LARGE);
    fill(&loads[0], &tally, 0, 4, true);
    job->more_count = LF_RECORD_MORE_MAX + (size_t)1;
    FAILS(lf_recorder_submit(recorder, job, &f->error), LF_INTERNAL);
    assert_int_equal(lf_recorder_depth(recorder), 0);
    fill(&loads[1], &tally, 1, 1 + LF_RECORD_MORE_MAX, true);
    OK(lf_recorder_submit(recorder, &loads[1].job.job, &f->error));
    lf_recorder_stop(recorder);
    assert_int_equal(loads[0].job.times_done, 0);
    assert_int_equal(atomic_load(&loads[0].prepared), 0);
    assert_recorded(f, &loads[1], 1);
    free(loads);
}

/* ---- allocations ---- */

static void
test_allocations_of_the_start(void **state)
{
    struct fixture *f = *state;
    struct lf_recorder_options options = {.queue = 10, .batch = 10, .stall_ms = 60000};
    struct lf_recorder *recorder = NULL;
    enum lf_status status = LF_OUT_OF_MEMORY;
    long n = 0;

    for (; status != LF_OK; n++) {
        arm(n);
        status = lf_recorder_start(f->store, &options, &recorder, &f->error);
        if (!disarm() || status == LF_OK)
            break;
        assert_int_equal(status, LF_OUT_OF_MEMORY);
    }
    assert_int_equal(status, LF_OK);
    assert_true(n >= 3);
    lf_recorder_stop(recorder);
}

/* Each allocation of a commit fails in turn, SQLite's own as well: all of a job is there, or nothing. */
static void
test_allocations_of_a_commit(void **state)
{
    struct fixture *f = *state;
    struct load *load = loads_create(1);
    size_t number = 0;

    for (int cold = 0; cold < 2; cold++) {
        size_t failures = 0;
        bool failed = true;

        for (long n = 0; failed; n++, number++) {
            struct tally tally = TALLY;
            struct lf_recorder *recorder = NULL;

            if (cold == 1) { /* no statement is prepared */
                close_store(f);
                open_store(f);
            }
            recorder = start(f, 100, 10);
            fill(load, &tally, number, 3, true);
            arm(n);
            OK(lf_recorder_submit(recorder, &load->job.job, &f->error));
            tally_await(&tally, 1);
            failed = disarm();
            lf_recorder_stop(recorder);
            if (tally.by_status[LF_OK] == 1) {
                assert_recorded(f, load, number);
                continue;
            }
            failures++;
            assert_true(failed);
            assert_int_equal(tally.by_status[LF_OUT_OF_MEMORY], 1);
            assert_not_recorded(f, load, number);
        }
        print_message("%zu failures\n", failures);
        assert_true(failures > 5);
    }
    assert_int_equal(check(f, false, NULL), 0);
    free(load);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_many_threads),
        TEST(test_queue),
        TEST(test_batch),
        TEST(test_preparing_fails),
        TEST(test_a_commit_fails),
        TEST(test_refused),
        TEST(test_allocations_of_the_start),
        TEST(test_allocations_of_a_commit),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
