/* test_editing_crowd.c - many who change the same thing at once, and many who score while it changes. */
#include "editing_fixture.h"

#include <sched.h>

#define OTHER_ATTRIBUTES                                                                                \
    "'summary':'changed','attributes':[{'key':'size','label':'Company size','category':'firmographic'," \
    "'weight':20,'rules':[{'when':{'field':'company.employees','gte':5},'label':'five and more'}]}]"

/* ---- many who change ---- */

enum { RIVALS = 20 };

struct rivals {
    struct editing *e;
    const char *etag;
    bool publish;
    atomic_int won, lost;
};

static void *
rival_main(void *argument)
{
    struct rivals *rivals = argument;
    static const char TEXT[] = "{\"key\":\"one\",\"name\":\"N\",\"framework\":\"pain_points\",\"attributes\":[{\"key\":"
                               "\"a\",\"label\":\"A\",\"category\":\"need\",\"weight\":10,\"rules\":[{\"when\":"
                               "{\"field\":\"f\",\"is\":1}}]}]}";
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 26);
    struct lf_precondition meant = {.etags = &rivals->etag, .etag_count = 1};
    struct lf_change change = by_key(NOW_MS);
    struct lf_findings findings;
    struct lf_stored_draft draft;
    struct lf_publication publication;
    struct lf_error error;
    bool created = false;
    enum lf_status status = LF_OK;

    assert_non_null(arena);
    lf_findings_init(&findings, arena);
    if (rivals->publish)
        status =
            lf_edit_publish(rivals->e->service, arena, "one", -1, &meant, &change, &findings, &publication, &error);
    else
        status = lf_edit_put_draft(rivals->e->service, arena, "one", TEXT, sizeof TEXT - 1, &meant, &change, &findings,
                                   &draft, &created, &error);
    if (status == LF_OK)
        atomic_fetch_add(&rivals->won, 1);
    else if (status == (rivals->publish ? LF_DRAFT_NOT_FOUND : LF_PRECONDITION_FAILED))
        atomic_fetch_add(&rivals->lost, 1);
    lf_arena_destroy(arena);
    return NULL;
}

static void
test_one_of_many_wins(void **state)
{
    struct editing *e = *state;

    begin_editing(e);
    for (int round = 0; round < 6; round++) {
        struct rivals rivals = {.e = e, .publish = round % 2 == 1};
        pthread_t threads[RIVALS];

        atomic_init(&rivals.won, 0);
        atomic_init(&rivals.lost, 0);
        rivals.etag = put_draft(e, "one", round % 2 == 0 ? PLAIN_ATTRIBUTES : OTHER_ATTRIBUTES);
        for (size_t i = 0; i < RIVALS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, rival_main, &rivals), 0);
        for (size_t i = 0; i < RIVALS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&rivals.won), 1);
        assert_int_equal(atomic_load(&rivals.lost), RIVALS - 1);
        assert_int_equal(live_version(e, "one"), (round + 1) / 2);
    }
    assert_live_is_stored(e);
}

/* Threads that each change something of their own: no change undoes another's. */
enum { EDITORS = 8, EDITS = 8 };

struct editor {
    struct editing *e;
    int number;
};

static void *
editor_main(void *argument)
{
    const struct editor *editor = argument;
    struct lf_service *service = editor->e->service;
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 26);
    struct lf_change change = by_key(NOW_MS);
    char key[16], text[512];
    struct lf_error error;

    (void)snprintf(key, sizeof key, "own-%d", editor->number);
    (void)snprintf(text, sizeof text,
                   "{\"key\":\"%s\",\"name\":\"N\",\"framework\":\"pain_points\",\"attributes\":[{\"key\":\"a\","
                   "\"label\":\"A\",\"category\":\"need\",\"weight\":10,\"rules\":[{\"when\":{\"field\":\"f\","
                   "\"is\":1}}]}]}",
                   key);
    for (int i = 0; i < EDITS; i++) {
        struct lf_findings findings;
        struct lf_stored_draft draft;
        struct lf_publication publication;
        struct lf_list_edit edit;
        char entry[16];
        struct lf_text texts[] = {{entry, (size_t)snprintf(entry, sizeof entry, "entry %d", i)}};
        bool created = false;

        lf_findings_init(&findings, arena);
        assert_int_equal(lf_edit_put_draft(service, arena, key, text, strlen(text), &NOTHING_SAID, &change, &findings,
                                           &draft, &created, &error),
                         LF_OK);
        assert_int_equal(lf_edit_publish(service, arena, key, -1, &ANY, &change, &findings, &publication, &error),
                         LF_OK);
        assert_int_equal(publication.version, i + 1);
        assert_int_equal(live_version(editor->e, key), i + 1);
        if (i % 4 == 0)
            assert_int_equal(lf_edit_put_list(service, arena, key, texts, 1, &NOTHING_SAID, &change, &edit, &error),
                             LF_OK);
        else
            assert_int_equal(
                lf_edit_patch_list(service, arena, key, texts, 1, NULL, 0, &NOTHING_SAID, &change, &edit, &error),
                LF_OK);
        assert_int_equal(edit.list.revision, i + 1);
        assert_int_equal(edit.list.count, i % 4 + 1);
    }
    lf_arena_destroy(arena);
    return NULL;
}

static void
test_all_of_many_are_live(void **state)
{
    struct editing *e = *state;
    struct editor editors[EDITORS];
    pthread_t threads[EDITORS];
    struct lf_live_set *set = NULL;

    begin_editing(e);
    for (int i = 0; i < EDITORS; i++) {
        editors[i] = (struct editor){e, i};
        assert_int_equal(pthread_create(&threads[i], NULL, editor_main, &editors[i]), 0);
    }
    for (int i = 0; i < EDITORS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_live_is_stored(e);
    set = acquire(e);
    assert_int_equal(set->profiles->count, EDITORS);
    assert_int_equal(set->profiles->list_count, EDITORS + 1);
    release(e, set);
}

/* ---- many who score ---- */

/* Threads that score and record while one publishes: each score is of one version, whole, and versions only rise. */
enum { SCORERS = 3, PUBLICATIONS = 200 };

struct crowd {
    struct editing *e;
    atomic_bool stop;
    atomic_long scored;
    atomic_int recorded;
    atomic_int published; /* what is live at least */
};

struct crowd_job {
    struct lf_record_job job;
    struct lf_arena *arena;
    struct crowd *crowd;
};

static void
crowd_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct crowd_job *own = job->data;

    (void)error;
    if (status == LF_OK)
        atomic_fetch_add(&own->crowd->recorded, 1);
    lf_arena_destroy(own->arena); /* the job's own memory, too */
}

static void
crowd_score(struct crowd *crowd, int *last)
{
    struct lf_arena *arena = lf_arena_create(1 << 14, 1 << 24);
    struct lf_service *service = crowd->e->service;
    const char *text = "{\"lead\":{\"company\":{\"employees\":860}},\"icps\":[\"one\"]}";
    const struct lf_json *body = NULL;
    struct lf_findings findings;
    struct lf_score_request request;
    struct lf_scoring scoring;
    struct lf_error error;
    struct crowd_job *job = lf_arena_calloc(arena, 1, sizeof *job);
    int least = atomic_load(&crowd->published);
    struct lf_live_set *set = lf_live_acquire(lf_service_live(service));
    int version = set->profiles->items[0].version;

    assert_true(version >= least && version >= *last);
    *last = version;
    lf_findings_init(&findings, arena);
    assert_int_equal(lf_json_parse(arena, text, strlen(text), &LF_JSON_DOCUMENT_LIMITS, &body, &error), LF_OK);
    assert_int_equal(lf_score_request_read(arena, body, false, &findings, &request, &error), LF_OK);
    assert_int_equal(lf_scoring_run(arena, set->profiles, &request, NOW_MS, &scoring, &error), LF_OK);
    assert_int_equal(lf_scoring_record(arena, &scoring, lf_service_privacy(service), &job->job.score, &error), LF_OK);
    lf_live_release(lf_service_live(service), set);
    *job = (struct crowd_job){
        .job = {.score = job->job.score, .done = crowd_done, .data = job}, .arena = arena, .crowd = crowd};
    atomic_fetch_add(&crowd->scored, 1);
    if (lf_recorder_submit(lf_service_recorder(service), &job->job, &error) != LF_OK) {
        assert_int_equal(error.status, LF_BUSY);
        lf_arena_destroy(arena);
        atomic_fetch_sub(&crowd->scored, 1);
    }
}

static void *
scorer_main(void *argument)
{
    struct crowd *crowd = argument;
    int last = 0;

    while (!atomic_load(&crowd->stop)) {
        crowd_score(crowd, &last);
        (void)sched_yield();
    }
    return NULL;
}

static enum lf_status
check_score(void *context, const struct lf_stored_score *score)
{
    struct editing *e = context;
    struct lf_arena *arena = lf_arena_create(1 << 14, 1 << 24);
    struct lf_store_reader *reader = NULL;
    struct lf_repetition repetition = {.agrees = false};

    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_scoring_repeat(reader, arena, score, NULL, NULL, false, &repetition, &e->error));
    lf_service_return_reader(e->service, reader);
    assert_true(repetition.agrees);
    lf_arena_destroy(arena);
    return LF_OK;
}

static void
test_scored_while_published(void **state)
{
    struct editing *e = *state;
    struct crowd crowd = {.e = e};
    pthread_t threads[SCORERS];
    struct lf_store_reader *reader = NULL;
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 28);

    atomic_init(&crowd.stop, false);
    atomic_init(&crowd.scored, 0);
    atomic_init(&crowd.recorded, 0);
    atomic_init(&crowd.published, 1);
    publish_icp(e->f, "one", "core", PLAIN_ATTRIBUTES, 1);
    begin_editing(e);
    for (size_t i = 0; i < SCORERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, scorer_main, &crowd), 0);
    for (int i = 0; i < PUBLICATIONS; i++) {
        publish_new(e, "one", i % 2 == 0 ? OTHER_ATTRIBUTES : PLAIN_ATTRIBUTES, i + 2);
        atomic_store(&crowd.published, i + 2);
    }
    atomic_store(&crowd.stop, true);
    for (size_t i = 0; i < SCORERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int waited = 0; atomic_load(&crowd.recorded) < atomic_load(&crowd.scored); waited += 2) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
    assert_true(atomic_load(&crowd.scored) > 0);
    assert_live_is_stored(e);
    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_store_each_score(reader, arena, INT64_MIN, INT64_MAX, 300, check_score, e, &e->error));
    lf_service_return_reader(e->service, reader);
    lf_arena_destroy(arena);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        EDITING_TEST(test_one_of_many_wins),
        EDITING_TEST(test_all_of_many_are_live),
        EDITING_TEST(test_scored_while_published),
    };

    return cmocka_run_group_tests(TESTS, editing_group_setup, NULL);
}
