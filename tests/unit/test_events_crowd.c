/*
 * test_events_crowd.c - many who score, publish, watch and subscribe at once: each score is told once, and of each lead
 * every change follows from the one before.
 */
#include "editing_fixture.h"
#include "event_fixture.h"

enum { SCORERS = 3, SCORES = 120, VERSIONS = 8, ROUNDS = 25 };

struct crowd {
    struct editing *e;
    struct lf_stored_score bodies[2]; /* of another grade each */
    atomic_int wrong;
};

struct scorer {
    struct crowd *crowd;
    char lead_id[16];
};

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

/* Has a lead of its own scored again and again; now and then two scores wait at a time. */
static void *
scorer_main(void *argument)
{
    const struct scorer *scorer = argument;
    struct crowd *crowd = scorer->crowd;
    struct job jobs[2];

    for (int i = 0; i < SCORES; i += 2) {
        for (int n = 0; n < 2; n++) {
            struct lf_error error;

            atomic_init(&jobs[n].done, 0);
            jobs[n].job = (struct lf_record_job){.score = crowd->bodies[n], .done = note_done, .data = &jobs[n]};
            jobs[n].job.score.lead_id = scorer->lead_id;
            jobs[n].job.score.lead_id_len = strlen(scorer->lead_id);
            if (lf_recorder_submit(lf_service_recorder(crowd->e->service), &jobs[n].job, &error) != LF_OK)
                atomic_store(&jobs[n].done, 1 + (int)error.status);
            while (i % 4 == 0 && atomic_load(&jobs[n].done) == 0)
                pause_ms(1);
        }
        for (int n = 0; n < 2; n++) {
            while (atomic_load(&jobs[n].done) == 0)
                pause_ms(1);
            crowd->wrong += atomic_load(&jobs[n].done) != 1 + LF_OK;
        }
    }
    return NULL;
}

static void *
publisher_main(void *argument)
{
    struct crowd *crowd = argument;
    static const char TEXT[] = "{\"key\":\"pub\",\"name\":\"N\",\"framework\":\"pain_points\",\"attributes\":[{\"key\":"
                               "\"a\",\"label\":\"A\",\"category\":\"need\",\"weight\":10,\"rules\":[{\"when\":"
                               "{\"field\":\"f\",\"is\":1}}]}]}";

    for (int i = 0; i < VERSIONS; i++) {
        struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 26);
        struct lf_change change = by_key(NOW_MS);
        struct lf_findings findings;
        struct lf_stored_draft draft;
        struct lf_publication publication;
        struct lf_error error;
        bool created = false;

        lf_findings_init(&findings, arena);
        crowd->wrong += lf_edit_put_draft(crowd->e->service, arena, "pub", TEXT, sizeof TEXT - 1, &NOTHING_SAID,
                                          &change, &findings, &draft, &created, &error) != LF_OK;
        crowd->wrong += lf_edit_publish(crowd->e->service, arena, "pub", -1, &ANY, &change, &findings, &publication,
                                        &error) != LF_OK;
        lf_arena_destroy(arena);
    }
    return NULL;
}

static void *
watcher_main(void *argument)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < ROUNDS; i++) {
        struct lf_subscriptions *subscriptions = lf_service_subscriptions(crowd->e->service);
        struct lf_arena *arena = lf_arena_create(4096, 1 << 20);
        struct lf_event_batch batch;
        struct lf_error error;

        crowd->wrong += lf_events_watch_drift(crowd->e->service, &error) != LF_OK;
        crowd->wrong += lf_events_of_publication(subscriptions, arena, "pub", 1, 1, &batch, &error) != LF_OK;
        pause_ms(1);
        lf_event_batch_end(subscriptions, &batch);
        lf_arena_destroy(arena);
    }
    return NULL;
}

/* Comes and goes. */
static void *
subscriber_main(void *argument)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < ROUNDS; i++) {
        struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 24);
        const struct lf_json *body = support_json(
            arena, "{'url':'https://crm.example/x','events':['score.recorded','score.grade_changed','icp.published']}");
        struct lf_change change = by_key(NOW_MS);
        char secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX];
        struct lf_stored_subscription stored;
        struct lf_findings findings;
        struct lf_error error;
        bool created = false;

        lf_findings_init(&findings, arena);
        crowd->wrong += lf_edit_put_subscription(crowd->e->service, arena, "comes-and-goes", body, &change, &findings,
                                                 &stored, &created, secret, &error) != LF_OK;
        pause_ms(2);
        crowd->wrong += lf_edit_delete_subscription(crowd->e->service, "comes-and-goes", &change, &error) != LF_OK;
        lf_arena_destroy(arena);
    }
    return NULL;
}

/* A text member of an event's data. */
static const char *
member(const struct lf_json *data, const char *name)
{
    size_t len = 0;
    const char *text = lf_json_text(lf_json_member(data, name), &len);

    assert_non_null(text);
    return text;
}

static void
assert_all_told(struct editing *e, int64_t id, const struct scorer *scorers)
{
    struct lf_store_reader *reader = NULL;
    struct lf_stored_delivery *deliveries = NULL;
    size_t count = 0, recorded[SCORERS] = {0}, changed[SCORERS] = {0};
    int published = 0;
    const char *last[SCORERS] = {NULL};

    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    count = waiting_for(reader, e->arena, id, 0, &deliveries);
    lf_service_return_reader(e->service, reader);
    for (size_t i = 0; i < count; i++) {
        const char *text = lf_arena_copy(e->arena, deliveries[i].data, deliveries[i].data_len);
        const struct lf_json *data = support_json(e->arena, text);
        size_t who = 0;

        if (deliveries[i].type == LF_EVENT_ICP_PUBLISHED) {
            assert_int_equal((int)lf_json_number(lf_json_member(data, "version")), ++published);
            continue;
        }
        while (strcmp(scorers[who].lead_id, member(data, "lead_id")) != 0)
            who++;
        if (deliveries[i].type == LF_EVENT_SCORE_RECORDED) {
            recorded[who]++;
            if (last[who] != NULL && strcmp(last[who], member(data, "to")) == 0)
                continue;
            if (last[who] != NULL) { /* the change is told at once behind */
                assert_true(++i < count);
                assert_int_equal(deliveries[i].type, LF_EVENT_GRADE_CHANGED);
                data = support_json(e->arena, lf_arena_copy(e->arena, deliveries[i].data, deliveries[i].data_len));
                assert_string_equal(member(data, "from"), last[who]);
                changed[who]++;
            }
            last[who] = member(data, "to");
        }
    }
    assert_int_equal(published, VERSIONS);
    for (size_t who = 0; who < SCORERS; who++) {
        assert_int_equal(recorded[who], SCORES);
        assert_int_equal(changed[who], SCORES - 1);
    }
}

static void
test_crowd(void **state)
{
    static const char *const LEADS[] = {"{'lead':{'id':'L','company':{'employees':600}}}",
                                        "{'lead':{'id':'L','company':{'employees':1}}}"};
    struct editing *e = *state;
    struct crowd crowd = {.e = e};
    struct scorer scorers[SCORERS];
    pthread_t threads[SCORERS + 3];
    struct lf_live_set *set = NULL;
    int64_t id = put_subscription(e->f->store, "all", ALL_EVENTS, "", "[]");

    stop_subscription(e->f->store, id, LF_SUBSCRIPTION_PAUSED);
    publish_icp(e->f, "main", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    atomic_init(&crowd.wrong, 0);
    set = acquire(e);
    for (size_t i = 0; i < 2; i++) {
        struct lf_score_request request = request_of(e->f, LEADS[i]);
        struct lf_scoring scoring;

        OK(lf_scoring_run(e->arena, set->profiles, &request, NOW_MS, &scoring, &e->error));
        OK(lf_scoring_record(e->arena, &scoring, keeping(e->f, LF_KEPT_WHOLE, ""), &crowd.bodies[i], &e->error));
    }
    release(e, set);
    for (size_t i = 0; i < SCORERS; i++) {
        scorers[i].crowd = &crowd;
        (void)snprintf(scorers[i].lead_id, sizeof scorers[i].lead_id, "lead-%zu", i);
        assert_int_equal(pthread_create(&threads[i], NULL, scorer_main, &scorers[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[SCORERS], NULL, publisher_main, &crowd), 0);
    assert_int_equal(pthread_create(&threads[SCORERS + 1], NULL, watcher_main, &crowd), 0);
    assert_int_equal(pthread_create(&threads[SCORERS + 2], NULL, subscriber_main, &crowd), 0);
    for (size_t i = 0; i < SCORERS + 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    assert_all_told(e, id, scorers);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {EDITING_TEST(test_crowd)};

    return cmocka_run_group_tests(TESTS, editing_group_setup, NULL);
}
