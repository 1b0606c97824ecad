/*
 * test_events_drift.c - scores that shift: told once, when it is more than chance, and not while nobody wants to know.
 */
#include "app/events.h"
#include "app/keeper.h"
#include "app/service.h"
#include "app/window.h"
#include "app_fixture.h"
#include "base/log.h"
#include "core/tally.h"
#include "event_fixture.h"
#include "store/sqlite/sqlite.h"

#include <math.h>
#include <stdatomic.h>
#include <time.h>

enum { PATIENCE_MS = 20000, BINS = 20 };

/* ---- levels ---- */

static void
test_levels(void **state)
{
    enum { STABLE, WATCH, SHIFTED };
    static const struct {
        const char *what;
        int64_t baseline, scored;
        double psi, by_chance;
        int noted, then;
    } ROWS[] = {
        {"nothing moves", 1000, 5000, 0.01, 0.05, STABLE, STABLE},
        {"a little", 1000, 5000, 0.0999, 0.05, STABLE, STABLE},
        {"the first band", 1000, 5000, 0.1, 0.05, STABLE, WATCH},
        {"its end", 1000, 5000, 0.25, 0.05, STABLE, WATCH},
        {"the second", 1000, 5000, 0.2501, 0.05, STABLE, SHIFTED},
        {"from the first to the second", 1000, 5000, 0.3, 0.05, WATCH, SHIFTED},
        {"no more than by chance", 1000, 100, 0.3, 0.4, STABLE, STABLE},
        {"just as much", 1000, 100, 0.4, 0.4, STABLE, STABLE},
        {"more", 1000, 100, 0.41, 0.4, STABLE, SHIFTED},
        {"nor from the first band", 1000, 100, 0.3, 0.4, WATCH, WATCH},
        {"the baseline is not complete", 999, 5000, 2.0, 0.05, STABLE, STABLE},
        {"there is none", 0, 5000, 0, 0, STABLE, STABLE},
        {"too few scores to say anything", 1000, 99, 9.0, 0.5, STABLE, STABLE},
        {"none", 1000, 0, 0, 0, STABLE, STABLE},
        {"enough", 1000, 100, 9.0, 0.5, STABLE, SHIFTED},
        {"it is told once", 1000, 5000, 0.7, 0.05, SHIFTED, SHIFTED},
        {"also about the edge", 1000, 5000, 0.24, 0.05, SHIFTED, SHIFTED},
        {"until it is stable again", 1000, 5000, 0.09, 0.05, SHIFTED, STABLE},
        {"which wants no more than a small number", 1000, 100, 0.09, 0.4, SHIFTED, STABLE},
        {"and too few scores say nothing of it", 1000, 99, 0, 0.4, SHIFTED, SHIFTED},
        {"nor none", 1000, 0, 0, 0, SHIFTED, SHIFTED},
        {"the first band ends as it began", 1000, 5000, 0.09, 0.05, WATCH, STABLE},
        {"and goes on", 1000, 5000, 0.2, 0.05, WATCH, WATCH},
    };

    (void)state;
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const struct lf_trend trend = {.baseline = ROWS[row].baseline,
                                       .scored = ROWS[row].scored,
                                       .psi = ROWS[row].psi,
                                       .by_chance = ROWS[row].by_chance};

        print_message("%s\n", ROWS[row].what);
        assert_int_equal(lf_events_drift_level(&trend, (enum lf_drift_level)ROWS[row].noted), ROWS[row].then);
    }
}

/* ---- a service, and counts that are put as if scores had been recorded ---- */

struct scene {
    struct fixture *f;
    struct lf_service *service;
    struct lf_error error;
    int64_t drift, other; /* subscriptions */
    struct lf_store_backend backend;
    int64_t baseline[BINS], window[BINS];
};

static _Atomic int note_answer; /* of the storage, when it is to note a level */
static atomic_int notes;

static enum lf_status
gated_note_drift(struct lf_store *store, int64_t version_id, int level, int64_t at_ms,
                 const struct lf_new_delivery *deliveries, size_t count, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&note_answer);

    atomic_fetch_add(&notes, 1);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the test says so");
    return LF_SQLITE_BACKEND.note_drift(store, version_id, level, at_ms, deliveries, count, error);
}

/* On the recorder's thread. */
static enum lf_status
install(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct scene *s = argument;

    (void)error;
    s->backend = *store->backend;
    s->backend.note_drift = gated_note_drift;
    store->backend = &s->backend;
    return LF_OK;
}

static int log_lines = -1; /* what was logged; non-blocking */

/* How many lines say so since the last time. */
static int
logged(const char *word)
{
    static char bytes[65536];
    ssize_t len = read(log_lines, bytes, sizeof bytes - 1);
    int count = 0;

    bytes[len > 0 ? len : 0] = '\0';
    for (const char *at = bytes; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

static void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

/* Ends when the look over the database is through, which uses the store beside the recorder. */
static void
start(struct scene *s)
{
    struct lf_service_options options = {.db = s->f->path, .queue = 100, .batch = 10, .kept = LF_KEPT_WHOLE};

    close_store(s->f);
    (void)logged("database_checked");
    assert_int_equal(lf_service_start(&options, &s->service, &s->error), LF_OK);
    for (int waited = 0; logged("database_checked") == 0; waited += 2) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
    assert_int_equal(lf_recorder_run(lf_service_recorder(s->service), install, s, &s->error), LF_OK);
}

static void
stop(struct scene *s)
{
    lf_service_stop(s->service);
    s->service = NULL;
    open_store(s->f);
}

static int
scene_setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    void *f = NULL;

    assert_non_null(s);
    assert_int_equal(setup(&f), 0);
    s->f = f;
    atomic_store(&note_answer, LF_OK);
    atomic_store(&notes, 0);
    put_list(s->f, "competitors", "rival.example");
    publish_icp(s->f, "main", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(s->f, "other", "experimental", PLAIN_ATTRIBUTES, 1);
    *state = s;
    return 0;
}

static int
scene_teardown(void **state)
{
    struct scene *s = *state;
    void *f = s->f;

    lf_service_stop(s->service);
    if (s->f->store == NULL)
        open_store(s->f);
    free(s);
    return teardown(&f);
}

#define SCENE_TEST(function) cmocka_unit_test_setup_teardown(function, scene_setup, scene_teardown)

/* Nothing is sent to them: they are paused. */
static void
subscribe(struct scene *s)
{
    struct lf_store *store = s->f->store;

    (void)put_subscription(store, "a-scores", SCORE_EVENTS, "", "[]");
    s->drift = put_subscription(store, "b-drift", BIT(DRIFT_SHIFTED), "", "[\"A\"]");
    s->other = put_subscription(store, "c-other", BIT(DRIFT_SHIFTED), "other", "[]");
    stop_subscription(store, s->drift, LF_SUBSCRIPTION_PAUSED);
    stop_subscription(store, s->other, LF_SUBSCRIPTION_PAUSED);
}

/* An outcome in which nothing is known. */
static const struct lf_outcome *
outcome_of(struct scene *s, const struct lf_icp *icp)
{
    struct lf_outcome *outcome = lf_arena_calloc(s->f->arena, 1, sizeof *outcome);

    assert_non_null(outcome);
    outcome->attributes = lf_arena_calloc(s->f->arena, icp->attribute_count, sizeof *outcome->attributes);
    outcome->disqualifiers = lf_arena_calloc(s->f->arena, icp->disqualifier_count, 1);
    outcome->missing = lf_arena_calloc(s->f->arena, (icp->fields.count + 7) / 8, 1);
    assert_true(outcome->attributes != NULL && outcome->disqualifiers != NULL && outcome->missing != NULL);
    for (size_t a = 0; a < icp->attribute_count; a++)
        outcome->attributes[a] =
            (struct lf_attribute_outcome){.status = LF_ATTRIBUTE_UNKNOWN, .rule = LF_NO_RULE, .missing = LF_NO_FIELD};
    return outcome;
}

struct putting {
    struct scene *s;
    enum lf_rollup_span span;
    const int64_t *bins; /* of five points */
};

/* On the recorder's thread: has so many scores be counted of the ICP main, in place of those there were. */
static enum lf_status
put_counts(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct putting *putting = argument;
    struct scene *s = putting->s;
    struct lf_live *live = lf_service_live(s->service);
    struct lf_live_set *set = lf_live_acquire(live);
    const struct lf_profile *profile = &set->profiles->items[0];
    bool recent = putting->span == LF_SPAN_HOUR;
    int64_t hour = recent ? lf_window_hour(lf_time_now_ms()) - 2 : 0;
    struct lf_stored_rollup rollups[] = {
        {.version_id = profile->version_id, .kind = LF_ROLLUP_TALLY, .span = putting->span, .start_hour = hour},
        /* In the last hour of a day, by UTC, the last 24 are that day. */
        {.version_id = profile->version_id,
         .kind = LF_ROLLUP_TALLY,
         .span = LF_SPAN_DAY,
         .start_hour = lf_window_span_start(LF_SPAN_DAY, hour)},
    };
    const struct lf_outcome *outcome = outcome_of(s, profile->icp);
    struct lf_tally tally;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    assert_string_equal(profile->icp->key, "main");
    assert_true(lf_tally_init(&tally, s->f->arena, profile->icp));
    for (int i = 0; i < BINS; i++) {
        struct lf_brief brief = {.score = 500 * i + 100 * (i % 5), .qualified = true};

        brief.grade = lf_grade_of(profile->icp->grades, profile->icp->grade_count, brief.score);
        for (int64_t n = 0; n < putting->bins[i]; n++)
            lf_tally_count(&tally, outcome, &brief, lf_time_now_ms(), false);
    }
    lf_buf_init(&body, s->f->arena, 1 << 20);
    lf_tally_put(&body, &tally);
    for (size_t i = 0; i < 2; i++) {
        rollups[i].body = body.data;
        rollups[i].body_len = body.len;
    }
    status = lf_store_append_scores(store, NULL, 0, rollups, recent ? 2 : 1, NULL, error);
    lf_live_release(live, set);
    return status;
}

/* Waits until it is known that these are the counts: what was found is told for a moment. */
static void
await_trend(struct scene *s)
{
    int64_t baseline = 0, scored = 0;
    double psi = 0;

    for (int i = 0; i < BINS; i++) {
        baseline += s->baseline[i];
        scored += s->window[i];
    }
    for (int i = 0; i < BINS && baseline > 0 && scored > 0; i++) { /* the formula, once more */
        double b = ((double)s->baseline[i] + 0.5) / ((double)baseline + BINS / 2.0);
        double w = ((double)s->window[i] + 0.5) / ((double)scored + BINS / 2.0);

        psi += (w - b) * log(w / b);
    }
    for (int waited = 0;; waited += 2) {
        struct lf_live_set *set = lf_live_acquire(lf_service_live(s->service));
        struct lf_store_reader *reader = NULL;
        struct lf_trend *trends = NULL;
        size_t count = 0;

        assert_int_equal(lf_service_borrow_reader(s->service, &reader, &s->error), LF_OK);
        if (lf_trends_read(lf_service_trends(s->service), reader, lf_service_catalog(s->service), set->profiles,
                           s->f->arena, &trends, &count, &s->error) != LF_OK)
            fail_msg("%s", s->error.detail);
        lf_service_return_reader(s->service, reader);
        lf_live_release(lf_service_live(s->service), set);
        assert_int_equal(count, 2);
        assert_true(trends[0].version_id > 0 && trends[0].version_id != trends[1].version_id);
        if (trends[0].scored == scored && trends[0].baseline == baseline && fabs(trends[0].psi - psi) < 1e-9)
            return;
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
}

/* So many scores in each of two bins. */
static void
count_scores_of(struct scene *s, enum lf_rollup_span span, int64_t low, int64_t high)
{
    int64_t *bins = span == LF_SPAN_HOUR ? s->window : s->baseline;
    struct putting putting = {.s = s, .span = span, .bins = bins};

    bins[3] = low;
    bins[17] = high;
    assert_int_equal(lf_recorder_run(lf_service_recorder(s->service), put_counts, &putting, &s->error), LF_OK);
    await_trend(s);
}

/* Looks as the keeper does. */
static void
watch(struct scene *s)
{
    if (lf_events_watch_drift(s->service, &s->error) != LF_OK)
        fail_msg("%s", s->error.detail);
}

static int
level_of_main(struct scene *s)
{
    struct lf_live_set *set = lf_live_acquire(lf_service_live(s->service));
    struct lf_store_reader *reader = NULL;
    int level = -1, other = -1;

    assert_int_equal(lf_service_borrow_reader(s->service, &reader, &s->error), LF_OK);
    assert_int_equal(lf_store_drift(reader, set->profiles->items[0].version_id, &level, &s->error), LF_OK);
    assert_int_equal(lf_store_drift(reader, set->profiles->items[1].version_id, &other, &s->error), LF_OK);
    assert_int_equal(other, 0);
    lf_service_return_reader(s->service, reader);
    lf_live_release(lf_service_live(s->service), set);
    return level;
}

/* What a subscription is told by now. */
static const char *
told_to(struct scene *s, int64_t subscription)
{
    struct lf_store_reader *reader = NULL;
    const char *text = NULL;

    assert_int_equal(lf_service_borrow_reader(s->service, &reader, &s->error), LF_OK);
    text = told(reader, s->f->arena, subscription);
    lf_service_return_reader(s->service, reader);
    return text;
}

#define SHIFT(from, psi)                                                                         \
    "drift.shifted {'lead_id':'','icp':'main','version':1,'score_id':'','score':0,'from':'" from \
    "','to':'shifted','psi':" psi "}\n"

static void
assert_told(struct scene *s, const char *text)
{
    assert_string_equal(told_to(s, s->drift), support_quoted(s->f->arena, text));
    assert_string_equal(told_to(s, s->other), "");
}

/* ---- watching ---- */

static void
test_shifts(void **state)
{
    struct scene *s = *state;
    struct lf_subscription **held = NULL;
    size_t count = 0;

    subscribe(s);
    start(s);
    watch(s); /* nothing was ever scored */
    count_scores_of(s, LF_SPAN_HOUR, 0, 1000);
    count_scores_of(s, LF_SPAN_BASELINE, 999, 0); /* not complete */
    watch(s);
    count_scores_of(s, LF_SPAN_HOUR, 0, 0);
    count_scores_of(s, LF_SPAN_BASELINE, 900, 100);
    watch(s);
    count_scores_of(s, LF_SPAN_HOUR, 0, 99); /* too few */
    watch(s);
    count_scores_of(s, LF_SPAN_HOUR, 450, 50);
    watch(s);
    assert_int_equal(level_of_main(s), LF_DRIFT_STABLE);
    assert_int_equal(atomic_load(&notes), 0);

    count_scores_of(s, LF_SPAN_HOUR, 750, 250); /* PSI 0.163 */
    watch(s);
    assert_int_equal(level_of_main(s), LF_DRIFT_WATCH);
    assert_told(s, "");
    count_scores_of(s, LF_SPAN_HOUR, 500, 500);
    watch(s);
    watch(s);
    assert_int_equal(level_of_main(s), LF_DRIFT_SHIFTED);
    assert_told(s, SHIFT("watch", "0.868433"));
    assert_int_equal(atomic_load(&notes), 2);

    count_scores_of(s, LF_SPAN_HOUR, 750, 250); /* less, but not stable */
    watch(s);
    count_scores_of(s, LF_SPAN_HOUR, 400, 600);
    watch(s);
    assert_int_equal(atomic_load(&notes), 2);
    stop(s); /* nor does a restart tell it again */
    start(s);
    await_trend(s);
    watch(s);
    assert_int_equal(level_of_main(s), LF_DRIFT_SHIFTED);
    assert_told(s, SHIFT("watch", "0.868433"));

    count_scores_of(s, LF_SPAN_HOUR, 900, 100);
    watch(s);
    assert_int_equal(level_of_main(s), LF_DRIFT_STABLE);
    assert_told(s, SHIFT("watch", "0.868433"));
    count_scores_of(s, LF_SPAN_HOUR, 0, 1000);
    watch(s);
    assert_told(s, SHIFT("watch", "0.868433") SHIFT("stable", "8.7275"));

    /* Who counts what waits was told of it. */
    assert_true(lf_subscriptions_hold(lf_service_subscriptions(s->service), s->f->arena, &held, &count));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(atomic_load(&held[i]->waiting), held[i]->id == s->drift ? 2 : 0);
    lf_subscriptions_release(lf_service_subscriptions(s->service), held, count);
}

/* Nobody wants to know: nothing is looked at. Who comes later is told of what is so then. */
static void
test_nobody(void **state)
{
    struct scene *s = *state;

    (void)put_subscription(s->f->store, "scores", SCORE_EVENTS | BIT(ICP_PUBLISHED), "", "[]");
    start(s);
    count_scores_of(s, LF_SPAN_BASELINE, 1000, 0);
    count_scores_of(s, LF_SPAN_HOUR, 0, 1000);
    watch(s);
    assert_int_equal(atomic_load(&notes), 0);
    stop(s);
    subscribe(s);
    start(s);
    await_trend(s);
    watch(s);
    assert_told(s, SHIFT("stable", "15.052282"));
}

/* What could not be noted was not told, and is tried again. */
static void
test_refused(void **state)
{
    struct scene *s = *state;

    subscribe(s);
    start(s);
    count_scores_of(s, LF_SPAN_BASELINE, 1000, 0);
    count_scores_of(s, LF_SPAN_HOUR, 0, 1000);
    atomic_store(&note_answer, LF_STORAGE_FULL);
    assert_int_equal(lf_events_watch_drift(s->service, &s->error), LF_STORAGE_FULL);
    assert_int_equal(level_of_main(s), LF_DRIFT_STABLE);
    assert_told(s, "");
    atomic_store(&note_answer, LF_OK);
    watch(s);
    assert_told(s, SHIFT("stable", "15.052282"));
}

/* ---- the keeper ---- */

/* It looks now and then, says once that it cannot note what it saw, and does so when it can. */
static void
test_keeper(void **state)
{
    struct scene *s = *state;
    struct lf_keeper_options options = {.every_ms = 5, .service = NULL, .drift_ms = 5};
    struct lf_keeper *keeper = NULL;

    subscribe(s);
    start(s);
    count_scores_of(s, LF_SPAN_BASELINE, 1000, 0);
    count_scores_of(s, LF_SPAN_HOUR, 0, 1000);
    atomic_store(&note_answer, LF_STORAGE_FULL);
    (void)logged("housekeeping_failed");
    options.service = s->service;
    assert_int_equal(
        lf_keeper_start(lf_service_recorder(s->service), lf_service_keyring(s->service), &options, &keeper, &s->error),
        LF_OK);
    for (int waited = 0; atomic_load(&notes) < 3; waited += 2) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
    atomic_store(&note_answer, LF_OK);
    for (int waited = 0; told_to(s, s->drift)[0] == '\0'; waited += 2) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
    pause_ms(30); /* several looks */
    lf_keeper_stop(keeper);
    assert_told(s, SHIFT("stable", "15.052282"));
    assert_int_equal(logged("housekeeping_failed what=watch_drift"), 1);
}

static int
group_setup(void **state)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    log_lines = ends[0];
    lf_log_setup(ends[1], LF_LOG_TEXT);
    return support_group_setup(state);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(test_levels), SCENE_TEST(test_shifts), SCENE_TEST(test_nobody),
        SCENE_TEST(test_refused),      SCENE_TEST(test_keeper),
    };

    return cmocka_run_group_tests(TESTS, group_setup, NULL);
}
