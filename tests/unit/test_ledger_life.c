/*
 * test_ledger_life.c - the ledger behind a recorder: settled while idle and when asked, beside many who record; leads
 * erased without a trace; what is too old taken away.
 */
#include "app/outcomes.h"
#include "ledger_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PATIENCE_MS = 20000, BODIES = 40 };

/* A recorder over the world's ledger, and scores that can be handed in. */
struct service {
    struct world *w;
    struct lf_recorder *recorder;
    struct prepared bodies[BODIES];
};

static void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

static struct service *
begin(struct world *w)
{
    struct service *service = calloc(1, sizeof *service);
    struct lf_recorder_options options = {.queue = 1000,
                                          .batch = 50,
                                          .stall_ms = 60000,
                                          .commit = lf_ledger_record,
                                          .tend = lf_ledger_tend,
                                          .context = w->ledger};
    struct fixture *f = w->f;

    assert_non_null(service);
    service->w = w;
    for (size_t i = 0; i < BODIES; i++)
        prepare_score(w, i % SETS, (int)i, &service->bodies[i]);
    OK(lf_recorder_start(f->store, &options, &service->recorder, &f->error));
    return service;
}

static void
end(struct service *service)
{
    lf_recorder_stop(service->recorder);
    free(service);
}

struct job {
    struct lf_record_job job;
    char lead_id[24];
    atomic_int done; /* 1 + status */
};

static void
note_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct job *own = job->data;

    (void)error;
    atomic_store(&own->done, 1 + (int)status);
}

static enum lf_status
submit(struct service *service, struct job *job, size_t body, const char *lead_id)
{
    struct lf_error error;
    enum lf_status status = LF_OK;

    (void)snprintf(job->lead_id, sizeof job->lead_id, "%s", lead_id);
    atomic_store(&job->done, 0);
    job->job = (struct lf_record_job){.score = service->bodies[body % BODIES].score, .done = note_done, .data = job};
    job->job.score.lead_id = job->lead_id;
    job->job.score.lead_id_len = strlen(job->lead_id);
    while ((status = lf_recorder_submit(service->recorder, &job->job, &error)) == LF_BUSY)
        pause_ms(1);
    return status;
}

static enum lf_status
await(struct job *job)
{
    while (atomic_load(&job->done) == 0)
        pause_ms(1);
    return (enum lf_status)(atomic_load(&job->done) - 1);
}

/* Records one score and waits for it. */
static void
record_one(struct service *service, size_t body, const char *lead_id)
{
    struct job job;

    assert_int_equal(submit(service, &job, body, lead_id), LF_OK);
    assert_int_equal(await(&job), LF_OK);
}

/* ---- settling ---- */

/* Without anybody asking, soon after the last score. */
static void
test_settled_while_idle(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    struct lf_stored_lead lead;
    int waited = 0;

    record_one(service, 0, "L1");
    record_one(service, 1, "L2");
    assert_int_equal(lf_ledger_depth(w->ledger), 2);
    while (lf_ledger_depth(w->ledger) > 0 && waited++ < PATIENCE_MS / 10)
        pause_ms(10);
    assert_in_range(waited, 1, 300);
    OK(lf_store_lead(f->reader, f->arena, "L2", 2, &lead, &f->error));
    end(service);
    check_fine(w);
}

/* Whoever asks finds it done, as soon as he is answered; and where nothing waits nobody is asked. */
static void
test_settled_when_asked(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    struct lf_stored_lead lead;
    char id[32];

    OK(lf_ledger_settle(w->ledger, NULL, &f->error));
    for (int i = 0; i < 300; i++) {
        struct job jobs[10];

        for (int j = 0; j < 10; j++) {
            (void)snprintf(id, sizeof id, "S%d-%d", i, j);
            assert_int_equal(submit(service, &jobs[j], (size_t)i, id), LF_OK);
        }
        for (int j = 0; j < 10; j++)
            assert_int_equal(await(&jobs[j]), LF_OK);
        OK(lf_ledger_settle(w->ledger, service->recorder, &f->error));
        lf_arena_reset(w->arena);
        OK(lf_store_lead(f->reader, w->arena, id, strlen(id), &lead, &f->error));
        assert_int_equal(lead.score_count, service->bodies[(size_t)i % BODIES].scoring.result_count +
                                               service->bodies[(size_t)i % BODIES].scoring.shadow_count);
        assert_int_equal(lf_ledger_depth(w->ledger), 0);
    }
    end(service);
    check_fine(w);
}

/* ---- many at once ---- */

enum { RECORDERS = 3, JOBS = 400, CROWD = RECORDERS + 3 };

struct one_of_many {
    struct service *service;
    unsigned number;
    atomic_bool *stop;
    bool wrong;
    struct job jobs[JOBS];
};

static void *
record_many(void *argument)
{
    struct one_of_many *own = argument;
    struct support_random random = {own->number + 1};

    for (size_t i = 0; i < JOBS; i++) {
        char id[24];

        (void)snprintf(id, sizeof id, "L%u", support_random(&random, 60));
        own->wrong |= submit(own->service, &own->jobs[i], support_random(&random, BODIES), id) != LF_OK;
        if (i % 20 == 19)
            pause_ms(1);
    }
    for (size_t i = 0; i < JOBS; i++)
        own->wrong |= await(&own->jobs[i]) != LF_OK;
    return NULL;
}

static void
see_count(void *context, const char *icp, int version, const char *grade, int64_t count)
{
    int64_t *sum = context;

    (void)icp;
    (void)version;
    (void)grade;
    *sum += count;
}

static void *
ask_often(void *argument)
{
    struct one_of_many *own = argument;
    int64_t seen = 0;

    while (!atomic_load(own->stop)) {
        struct lf_error error;
        int64_t sum = 0;

        own->wrong |= lf_ledger_settle(own->service->w->ledger, own->service->recorder, &error) != LF_OK;
        lf_ledger_each_count(own->service->w->ledger, see_count, &sum);
        own->wrong |= sum < seen;
        seen = sum;
        pause_ms(2);
    }
    return NULL;
}

static void *
say_often(void *argument)
{
    struct one_of_many *own = argument;
    struct support_random random = {99};

    while (!atomic_load(own->stop)) {
        struct lf_stored_outcome outcomes[8];
        char ids[8][24];
        struct lf_error error;

        for (size_t i = 0; i < 8; i++) {
            (void)snprintf(ids[i], sizeof ids[i], "L%u", support_random(&random, 60));
            outcomes[i] = (struct lf_stored_outcome){.lead_id = ids[i],
                                                     .lead_id_len = strlen(ids[i]),
                                                     .outcome = (enum lf_outcome_word)support_random(&random, 3),
                                                     .value = 1000000,
                                                     .at_ms = support_random(&random, 1000)};
        }
        own->wrong |= lf_outcomes_put(own->service->recorder, own->service->w->ledger, outcomes, 8, &error) != LF_OK;
        pause_ms(3);
    }
    return NULL;
}

static void *
erase_often(void *argument)
{
    struct one_of_many *own = argument;
    struct lf_change change = by_ops(1);
    struct support_random random = {5};

    while (!atomic_load(own->stop)) {
        struct lf_error error;
        enum lf_status status = LF_OK;
        char id[24];

        (void)snprintf(id, sizeof id, "L%u", support_random(&random, 6));
        status = lf_ledger_erase(own->service->w->ledger, own->service->recorder, id, strlen(id), &change, &error);
        own->wrong |= status != LF_OK && status != LF_LEAD_NOT_FOUND;
        pause_ms(5);
    }
    return NULL;
}

static void
test_many_at_once(void **state)
{
    static void *(*const MAINS[CROWD])(void *) = {record_many, record_many, record_many,
                                                  ask_often,   say_often,   erase_often};
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    struct one_of_many *crowd = calloc(CROWD, sizeof *crowd);
    pthread_t threads[CROWD];
    atomic_bool stop;
    int64_t counted = 0, expected = 0, all = 0;

    assert_non_null(crowd);
    atomic_init(&stop, false);
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i].service = service;
        crowd[i].number = i;
        crowd[i].stop = &stop;
        assert_int_equal(pthread_create(&threads[i], NULL, MAINS[i], &crowd[i]), 0);
    }
    for (size_t i = 0; i < CROWD; i++) {
        if (i == RECORDERS)
            atomic_store(&stop, true);
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(crowd[i].wrong);
    }
    OK(lf_ledger_settle(w->ledger, service->recorder, &f->error));
    assert_int_equal(lf_ledger_depth(w->ledger), 0);
    lf_ledger_each_count(w->ledger, see_count, &counted);
    for (unsigned i = 0; i < RECORDERS; i++) {
        struct support_random random = {i + 1};

        for (size_t j = 0; j < JOBS; j++) {
            (void)support_random(&random, 60);
            const struct prepared *body = &service->bodies[support_random(&random, BODIES)];

            expected += (int64_t)(body->scoring.result_count + body->scoring.shadow_count);
            all++;
        }
    }
    assert_int_equal(counted, expected);
    end(service);
    assert_int_equal(count_scores(f), all);
    check_fine(w);
    free(crowd);
}

/* ---- erasing ---- */

/* Whether the bytes stand anywhere in the database's files. */
static bool
stands_in_files(const struct fixture *f, const char *text)
{
    static const char *const ENDS[] = {"", "-wal"};
    bool found = false;

    for (size_t i = 0; i < 2; i++) {
        char path[PATH_SIZE + 8];
        FILE *file = NULL;
        char *bytes = NULL;
        long size = 0;

        (void)snprintf(path, sizeof path, "%s%s", f->path, ENDS[i]);
        file = fopen(path, "rb");
        if (file == NULL)
            continue;
        assert_int_equal(fseek(file, 0, SEEK_END), 0);
        size = ftell(file);
        rewind(file);
        bytes = malloc((size_t)size + 1);
        assert_non_null(bytes);
        size = (long)fread(bytes, 1, (size_t)size, file); /* less than there was where it is emptied meanwhile */
        found = found || memmem(bytes, (size_t)size, text, strlen(text)) != NULL;
        free(bytes);
        (void)fclose(file);
    }
    return found;
}

static void
test_erase(void **state)
{
    static const char WHO[] = "person-7c2e";
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    const struct lf_stored_outcome won = {
        .lead_id = WHO, .lead_id_len = strlen(WHO), .outcome = LF_OUTCOME_WON, .value = 5000000, .at_ms = 5};
    struct lf_change change = by_ops(1780000000000);
    struct lf_audit_entry *entries = NULL;
    struct lf_stored_lead lead;
    size_t count = 0, before = 0;

    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 1000, &entries, &before, &f->error));
    FAILS(lf_ledger_erase(w->ledger, service->recorder, WHO, strlen(WHO), &change, &f->error), LF_LEAD_NOT_FOUND);
    for (int i = 0; i < 60; i++) { /* in more blocks than a slice takes */
        record_one(service, (size_t)i, WHO);
        record_one(service, (size_t)i, "somebody-else");
        if (i == 30)
            OK(lf_outcomes_put(service->recorder, w->ledger, &won, 1, &f->error));
    }
    assert_true(stands_in_files(f, WHO));
    assert_true(lf_ledger_depth(w->ledger) > 0); /* the last ones wait */
    OK(lf_ledger_erase(w->ledger, service->recorder, WHO, strlen(WHO), &change, &f->error));
    assert_false(stands_in_files(f, WHO));
    FAILS(lf_store_lead(f->reader, f->arena, WHO, strlen(WHO), &lead, &f->error), LF_LEAD_NOT_FOUND);
    FAILS(lf_ledger_erase(w->ledger, service->recorder, WHO, strlen(WHO), &change, &f->error), LF_LEAD_NOT_FOUND);
    OK(lf_ledger_settle(w->ledger, service->recorder, &f->error));
    assert_false(stands_in_files(f, WHO)); /* nothing that waited brought it back */
    assert_int_equal(count_scores(f), 120);
    check_fine(w);
    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 1000, &entries, &count, &f->error));
    assert_int_equal(count, before + 1);
    assert_string_equal(entries[count - 1].action, "lead.erase");
    record_one(service, 3, WHO); /* another one of that name, for all that is known */
    OK(lf_ledger_settle(w->ledger, service->recorder, &f->error));
    OK(lf_store_lead(f->reader, f->arena, WHO, strlen(WHO), &lead, &f->error));
    assert_false(lead.has_outcome);
    end(service);
    check_fine(w);
}

/* Who has only been said to be won is erased as well. */
static void
test_erase_outcome_alone(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    const struct lf_stored_outcome won = {.lead_id = "unscored-1", .lead_id_len = 10, .outcome = LF_OUTCOME_WON};
    struct lf_change change = by_ops(1780000000000);

    OK(lf_outcomes_put(service->recorder, w->ledger, &won, 1, &f->error));
    OK(lf_ledger_erase(w->ledger, service->recorder, "unscored-1", 10, &change, &f->error));
    assert_false(stands_in_files(f, "unscored-1"));
    end(service);
    check_fine(w);
}

struct holding {
    struct fixture *f;
    atomic_bool held;
};

/* Reads for a while. */
static void *
hold_for_a_while(void *argument)
{
    struct holding *holding = argument;
    struct lf_store_reader *reader = NULL;
    struct lf_store_progress progress;
    struct lf_error error;

    assert_int_equal(lf_store_reader_open(holding->f->store, &reader, &error), LF_OK);
    assert_int_equal(lf_store_hold(reader, &error), LF_OK);
    assert_int_equal(lf_store_progress(reader, &progress, &error), LF_OK);
    atomic_store(&holding->held, true);
    pause_ms(400);
    lf_store_let_go(reader);
    lf_store_reader_close(reader);
    return NULL;
}

/* While somebody reads, what was erased stands in the write-ahead log: it is waited for. */
static void
test_erase_waits_for_readers(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    struct holding holding = {.f = f};
    struct lf_change change = by_ops(1780000000000);
    pthread_t thread;
    int64_t began_ns = 0;

    record_one(service, 0, "person-31");
    OK(lf_ledger_settle(w->ledger, service->recorder, &f->error));
    assert_int_equal(pthread_create(&thread, NULL, hold_for_a_while, &holding), 0);
    while (!atomic_load(&holding.held))
        pause_ms(1);
    began_ns = lf_time_monotonic_ns();
    OK(lf_ledger_erase(w->ledger, service->recorder, "person-31", 9, &change, &f->error));
    assert_in_range(lf_time_monotonic_ns() - began_ns, 200000000, PATIENCE_MS * INT64_C(1000000));
    assert_false(stands_in_files(f, "person-31"));
    assert_int_equal(pthread_join(thread, NULL), 0);
    end(service);
}

/* ---- pruning ---- */

static void
test_prune(void **state)
{
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = NULL;
    int64_t half_ms = 0, scores = 0, all = 0;
    bool more = true;
    int slices = 0;

    for (int i = 0; i < 80; i++) {
        OK(record_some(w, 10, 60000));
        if (i == 39)
            half_ms = w->now_ms + 1;
    }
    service = begin(w);
    while (more) {
        OK(lf_ledger_prune(w->ledger, service->recorder, half_ms, &scores, &more, &f->error));
        all += scores;
        slices++;
    }
    assert_true(slices > 1);
    assert_int_equal(all, 400);
    assert_int_equal(count_scores(f), 400);
    OK(lf_ledger_prune(w->ledger, service->recorder, half_ms, &scores, &more, &f->error));
    assert_int_equal(scores, 0);
    assert_false(more);
    record_one(service, 1, "L1");
    OK(lf_ledger_settle(w->ledger, service->recorder, &f->error));
    end(service);
    check_fine(w);
    reopen(w);
    check_fine(w);
}

/* What was taken away for good is soon in no file, however quiet the service is afterwards. */
static void
test_prune_leaves_no_trace(void **state)
{
    static const char WHO[] = "person-b81d";
    struct world *w = *state;
    struct fixture *f = w->f;
    struct service *service = begin(w);
    int64_t scores = 0, until_ns = 0;
    bool more = true;

    for (int i = 0; i < 60; i++)
        record_one(service, (size_t)i, WHO);
    while (more)
        OK(lf_ledger_prune(w->ledger, service->recorder, INT64_MAX, &scores, &more, &f->error));
    until_ns = lf_time_monotonic_ns() + PATIENCE_MS * INT64_C(1000000);
    while (stands_in_files(f, WHO) && lf_time_monotonic_ns() < until_ns)
        pause_ms(10);
    assert_false(stands_in_files(f, WHO));
    end(service);
    check_fine(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_settled_while_idle),
        WORLD_TEST(test_settled_when_asked),
        WORLD_TEST(test_many_at_once),
        WORLD_TEST(test_erase),
        WORLD_TEST(test_erase_outcome_alone),
        WORLD_TEST(test_erase_waits_for_readers),
        WORLD_TEST(test_prune),
        WORLD_TEST(test_prune_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
