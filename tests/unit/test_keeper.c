/* test_keeper.c - the housekeeper: in slices between which scores are recorded, again after a failure, told once. That
 * it watches for shifts of scores: test_events_drift.c. */
#include "app/keeper.h"
#include "app/sources.h"
#include "app_fixture.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { PATIENCE_MS = 20000, EVENTS_MAX = 4096, SLICE = 2000 };

/* ---- a storage that tells what was done with it, and can be made to fail ---- */

static struct {
    const struct lf_store_backend *real;
    struct lf_store_backend backend;
    char events[EVENTS_MAX + 1]; /* 's' a slice, 't' a note of uses, 'a' a commit of scores; the recorder's thread */
    atomic_size_t event_count;
    atomic_int sweep_answer, touch_answer; /* of the next ones */
    atomic_int sweeps, touches;            /* tried */
    atomic_size_t noted;                   /* uses */
    struct lf_recorder *_Atomic recorder;  /* each slice submits a job there; NULL: none does */
    atomic_int answers_answer, deliveries_answer, refusals_answer;
    atomic_int answers, deliveries, refusals; /* slices of old ones that were tried to be taken away, notes */
} gate;

static void
note_event(char event)
{
    size_t at = atomic_load(&gate.event_count);

    if (at < EVENTS_MAX) {
        gate.events[at] = event;
        atomic_store(&gate.event_count, at + 1);
    }
}

static void
done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    (void)error;
    assert_int_equal(status, LF_OK);
    free(job);
}

static void
submit_job(struct lf_recorder *recorder)
{
    struct lf_record_job *job = calloc(1, sizeof *job);
    struct lf_error error;

    assert_non_null(job);
    *job = (struct lf_record_job){
        .score = {.as_of_ms = 1, .lead_id = "L", .lead_id_len = 1, .body = "body", .body_len = 4}, .done = done};
    assert_int_equal(lf_recorder_submit(recorder, job, &error), LF_OK);
}

static enum lf_status
gated_sweep(struct lf_store *store, size_t limit, int64_t spare, bool *ret_more, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.sweep_answer);

    atomic_fetch_add(&gate.sweeps, 1);
    note_event('s');
    assert_true(limit <= SLICE);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    if (atomic_load(&gate.recorder) != NULL)
        submit_job(atomic_load(&gate.recorder));
    return gate.real->sweep_lists(store, limit, spare, ret_more, error);
}

static enum lf_status
gated_touch(struct lf_store *store, const struct lf_key_use *uses, size_t count, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.touch_answer);

    atomic_fetch_add(&gate.touches, 1);
    note_event('t');
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    atomic_fetch_add(&gate.noted, count);
    return gate.real->touch_keys(store, uses, count, error);
}

enum { ROWS_MAX = 500, KEPT = 10, ANSWERS_MS = 3600000, DELIVERIES_MS = 7 * 86400000 };

static enum lf_status
gated_prune_answers(struct lf_store *store, int64_t before_ms, size_t limit, bool *ret_more, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.answers_answer);

    atomic_fetch_add(&gate.answers, 1);
    assert_in_range(limit, 1, ROWS_MAX);
    assert_in_range(lf_time_now_ms() - ANSWERS_MS - before_ms, 0, PATIENCE_MS);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    return gate.real->prune_answers(store, before_ms, limit, ret_more, error);
}

static enum lf_status
gated_prune_deliveries(struct lf_store *store, int64_t before_ms, size_t keep, size_t limit, bool *ret_more,
                       struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.deliveries_answer);

    atomic_fetch_add(&gate.deliveries, 1);
    assert_in_range(limit, 1, ROWS_MAX);
    assert_in_range(lf_time_now_ms() - DELIVERIES_MS - before_ms, 0, PATIENCE_MS);
    assert_int_equal(keep, KEPT);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    return gate.real->prune_deliveries(store, before_ms, keep, limit, ret_more, error);
}

static enum lf_status
gated_put_refusals(struct lf_store *store, int64_t source_id, const struct lf_stored_refusal *refusals, size_t count,
                   struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.refusals_answer);

    atomic_fetch_add(&gate.refusals, 1);
    if (answer != LF_OK)
        return lf_fail(error, answer, "the gate says so");
    return gate.real->put_refusals(store, source_id, refusals, count, error);
}

static enum lf_status
gated_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    note_event('a');
    return gate.real->record(store, recording, error);
}

static void
gate_install(struct fixture *f)
{
    gate.real = f->store->backend;
    gate.backend = *gate.real;
    gate.backend.sweep_lists = gated_sweep;
    gate.backend.touch_keys = gated_touch;
    gate.backend.record = gated_record;
    gate.backend.prune_answers = gated_prune_answers;
    gate.backend.prune_deliveries = gated_prune_deliveries;
    gate.backend.put_refusals = gated_put_refusals;
    atomic_store(&gate.event_count, 0);
    atomic_store(&gate.sweep_answer, LF_OK);
    atomic_store(&gate.touch_answer, LF_OK);
    atomic_store(&gate.sweeps, 0);
    atomic_store(&gate.touches, 0);
    atomic_store(&gate.noted, 0);
    atomic_store(&gate.recorder, NULL);
    atomic_store(&gate.answers_answer, LF_OK);
    atomic_store(&gate.deliveries_answer, LF_OK);
    atomic_store(&gate.refusals_answer, LF_OK);
    atomic_store(&gate.answers, 0);
    atomic_store(&gate.deliveries, 0);
    atomic_store(&gate.refusals, 0);
    f->store->backend = &gate.backend;
}

/* ---- helpers ---- */

struct house {
    struct lf_recorder *recorder;
    struct lf_keyring *keyring;
    struct lf_keeper *keeper;
};

static struct house
open_house_with(struct fixture *f, const struct lf_keeper_options *keeper)
{
    struct lf_recorder_options recorder = {.queue = 1000, .batch = 50};
    struct house house = {.keeper = NULL};

    OK(lf_keyring_load(f->reader, 0, &house.keyring, &f->error));
    OK(lf_recorder_start(f->store, &recorder, &house.recorder, &f->error));
    OK(lf_keeper_start(house.recorder, house.keyring, keeper, &house.keeper, &f->error));
    return house;
}

static struct house
open_house(struct fixture *f, int64_t every_ms, int64_t rest_ms)
{
    return open_house_with(f, &(struct lf_keeper_options){.every_ms = every_ms, .rest_ms = rest_ms});
}

static void
close_house(struct house *house)
{
    lf_keeper_stop(house->keeper);
    lf_recorder_stop(house->recorder);
    lf_keyring_destroy(house->keyring);
}

static void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

static void
await_count(const char *what, const atomic_int *count, int least)
{
    for (int waited = 0; atomic_load(count) < least; waited += 2) {
        if (waited >= PATIENCE_MS)
            fail_msg("%s: never %d", what, least);
        pause_ms(2);
    }
}

static int64_t
int_of(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t value = 0;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

static void
await_none(const char *path, const char *sql)
{
    for (int waited = 0; int_of(path, sql) > 0; waited += 5) {
        if (waited >= PATIENCE_MS)
            fail_msg("%s: never", sql);
        pause_ms(5);
    }
}

/* Entries that no list points to. */
static void
leave_over(struct fixture *f, int entries)
{
    char sql[256];

    (void)snprintf(sql, sizeof sql,
                   "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO list_item"
                   " (generation, folded, entry) SELECT 777, CAST(i AS BLOB), i FROM n",
                   entries);
    run_sql(f->path, sql);
}

/* What was logged; non-blocking. */
static int log_lines = -1;

/* How many lines say the word since the last time. */
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

/* ---- sweeping ---- */

/* However much there is to sweep: a job that waits is recorded before the next slice. */
static void
test_scores_come_between(void **state)
{
    enum { SLICES = 6 };
    struct fixture *f = *state;
    struct lf_recorder_options options = {.queue = 1000, .batch = 50};
    struct lf_keeper_options keeper = {.every_ms = 60000};
    struct house house = {.keeper = NULL};

    leave_over(f, SLICE * (SLICES - 1) + 1);
    gate_install(f);
    OK(lf_keyring_load(f->reader, 0, &house.keyring, &f->error));
    OK(lf_recorder_start(f->store, &options, &house.recorder, &f->error));
    atomic_store(&gate.recorder, house.recorder);
    OK(lf_keeper_start(house.recorder, house.keyring, &keeper, &house.keeper, &f->error));
    for (int waited = 0; int_of(f->path, "SELECT count(*) FROM list_item") > 0; waited += 5) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(5);
    }
    close_house(&house);
    gate.events[atomic_load(&gate.event_count)] = '\0';
    assert_string_equal(gate.events, "sasasasasasa");
}

/* A stop does not wait for the end of a sweep; the next start goes on with it. */
static void
test_stopped_in_a_sweep(void **state)
{
    struct fixture *f = *state;
    struct house house;
    int64_t left = 0;

    leave_over(f, SLICE * 5);
    gate_install(f);
    house = open_house(f, 60000, 60000);
    await_count("slices", &gate.sweeps, 1);
    close_house(&house);
    left = int_of(f->path, "SELECT count(*) FROM list_item");
    assert_int_equal(left, SLICE * 4);
    house = open_house(f, 60000, 0);
    for (int waited = 0; int_of(f->path, "SELECT count(*) FROM list_item") > 0; waited += 5) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(5);
    }
    close_house(&house);
}

/* What fails is tried again, and logged once until it works; after that it is news again. */
static void
test_failing_sweep(void **state)
{
    struct fixture *f = *state;
    struct house house;
    int tried = 0;

    leave_over(f, 10);
    gate_install(f);
    atomic_store(&gate.sweep_answer, LF_STORAGE_FULL);
    (void)logged("housekeeping_failed");
    house = open_house(f, 10, 0);
    for (int round = 0; round < 2; round++) {
        await_count("slices", &gate.sweeps, tried + 4);
        assert_int_equal(int_of(f->path, "SELECT count(*) FROM list_item"), 10);
        assert_int_equal(logged("housekeeping_failed"), 1);
        atomic_store(&gate.sweep_answer, LF_OK);
        for (int waited = 0; int_of(f->path, "SELECT count(*) FROM list_item") > 0; waited += 5) {
            assert_true(waited < PATIENCE_MS);
            pause_ms(5);
        }
        assert_int_equal(logged("housekeeping_failed"), 0);
        if (round == 0) {
            leave_over(f, 10);
            atomic_store(&gate.sweep_answer, LF_STORAGE_FULL);
            tried = atomic_load(&gate.sweeps);
            lf_keeper_sweep(house.keeper);
        }
    }
    close_house(&house);
}

/* ---- uses ---- */

static void
test_uses(void **state)
{
    enum { KEYS = 1203 };
    struct fixture *f = *state;
    static char texts[KEYS][LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;
    struct house house;
    char id[LF_API_KEY_ID_MAX + 1];
    uint32_t scopes = 0;

    for (size_t i = 0; i < KEYS; i++)
        put_key(f, LF_SCOPE_SCORE, 0, texts[i], &key);
    gate_install(f);
    atomic_store(&gate.touch_answer, LF_STORAGE_FULL);
    (void)logged("housekeeping_failed");
    house = open_house(f, 10, 0);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(lf_keyring_admit(house.keyring, texts[i], 1780000000000 + (int64_t)i, 1, id, &scopes), LF_OK);
    await_count("notes", &gate.touches, 3);
    assert_int_equal(atomic_load(&gate.noted), 0);
    assert_int_equal(logged("housekeeping_failed"), 1);
    /* Those that could not be noted are not lost. */
    atomic_store(&gate.touch_answer, LF_OK);
    for (int waited = 0; atomic_load(&gate.noted) < KEYS; waited += 2) {
        assert_true(waited < PATIENCE_MS);
        pause_ms(2);
    }
    assert_int_equal(lf_keyring_admit(house.keyring, texts[7], 1790000000000, 1, id, &scopes), LF_OK);
    close_house(&house); /* the last one is noted now, if not before */
    assert_int_equal(atomic_load(&gate.noted), KEYS + 1);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM api_key WHERE last_used_at_ms = 0"), 0);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM api_key WHERE last_used_at_ms = 1790000000000"), 1);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM api_key WHERE last_used_at_ms < 1780000001203"), KEYS - 1);
}

/* Nobody came: nothing is written. */
static void
test_nothing_to_note(void **state)
{
    struct fixture *f = *state;
    struct house house;

    gate_install(f);
    house = open_house(f, 5, 0);
    await_count("slices", &gate.sweeps, 1);
    pause_ms(30); /* long enough for several notes */
    close_house(&house);
    assert_int_equal(atomic_load(&gate.touches), 0);
    assert_int_equal(atomic_load(&gate.sweeps), 1);
    lf_keeper_stop(NULL);
}

/* The store has failed for good: the keeper says so once, and stops with the rest. */
static void
test_failed_for_good(void **state)
{
    struct fixture *f = *state;
    struct house house;

    gate_install(f);
    atomic_store(&gate.sweep_answer, LF_STORAGE_FAILED);
    (void)logged("housekeeping_failed");
    house = open_house(f, 5, 0);
    await_count("slices", &gate.sweeps, 1);
    pause_ms(30);
    assert_true(lf_recorder_failed(house.recorder));
    close_house(&house);
    assert_int_equal(logged("housekeeping_failed"), 1);
    assert_int_equal(atomic_load(&gate.sweeps), 1);
}

/* ---- pruning ---- */

/* Records `count` scores of a moment, each a commit. */
static void
record_at(struct fixture *f, struct lf_ledger *ledger, const struct lf_profiles *profiles, int64_t at_ms, int count)
{
    for (int i = 0; i < count; i++) {
        struct lf_score_request request = request_of(f, lf_arena_printf(f->arena, "{'lead':{'id':'L%d'}}", i));
        struct lf_scoring scoring;
        struct lf_stored_score score;
        const struct lf_stored_score *scores[] = {&score};
        const struct lf_recording recording = {.scores = scores, .count = 1};

        OK(lf_scoring_run(f->arena, profiles, &request, at_ms, &scoring, &f->error));
        OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_WHOLE, ""), &score, &f->error));
        assert_true(lf_ulid_next(&f->mint, at_ms + i, &score.id));
        OK(lf_ledger_record(ledger, f->store, &recording, &f->error));
    }
}

/* What is older than the retention goes at the start, slice by slice, and how much it was is said once. */
static void
test_prunes(void **state)
{
    enum { OLD = 100, YOUNG = 5 };
    static const int64_t DAY_MS = 86400000;
    struct fixture *f = *state;
    struct lf_catalog *catalog = lf_catalog_create();
    struct lf_ledger *ledger = NULL;
    struct lf_profiles *profiles = NULL;
    struct house house = {.keeper = NULL};
    struct lf_recorder_options recorder = {.queue = 1000, .batch = 50};
    struct lf_keeper_options keeper = {.every_ms = 60000, .retention_days = 30};
    int64_t now_ms = lf_time_now_ms();

    publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    OK(lf_ledger_create(f->store, catalog, &ledger, &f->error));
    OK(lf_ledger_catch_up(ledger, NULL, &f->error));
    record_at(f, ledger, profiles, now_ms - 31 * DAY_MS, OLD);
    record_at(f, ledger, profiles, now_ms - 29 * DAY_MS, YOUNG);
    recorder.commit = lf_ledger_record;
    recorder.tend = lf_ledger_tend;
    recorder.context = ledger;
    keeper.ledger = ledger;
    OK(lf_keyring_load(f->reader, 0, &house.keyring, &f->error));
    for (int round = 0; round < 3; round++) { /* without a retention; with one; and once more with nothing to do */
        keeper.ledger = round == 0 ? NULL : ledger;
        (void)logged("scores_pruned");
        OK(lf_recorder_start(f->store, &recorder, &house.recorder, &f->error));
        OK(lf_keeper_start(house.recorder, house.keyring, &keeper, &house.keeper, &f->error));
        for (int waited = 0; round == 1 && count_scores(f) > YOUNG && waited < PATIENCE_MS; waited += 2)
            pause_ms(2);
        pause_ms(50);
        lf_keeper_stop(house.keeper);
        lf_recorder_stop(house.recorder);
        assert_int_equal(count_scores(f), round == 0 ? OLD + YOUNG : YOUNG);
        assert_int_equal(logged("scores_pruned scores=100 retention_days=30"), round == 1);
    }
    lf_keyring_destroy(house.keyring);
    lf_profiles_destroy(profiles);
    lf_ledger_destroy(ledger);
    lf_catalog_destroy(catalog);
}

/* ---- old answers and deliveries ---- */

#define OLD_ANSWERS "SELECT count(*) FROM answer WHERE at_ms < 1000000"
#define ENDED "SELECT count(*) FROM delivery WHERE state >= 2 AND id > 100"

/* Answers that are not given again any more, and three that are. */
static void
leave_answers(struct fixture *f, int count)
{
    run_sql(f->path, lf_arena_printf(f->arena,
                                     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                                     " INSERT INTO answer (name, request, at_ms, http_status, sealed) SELECT"
                                     " randomblob(32), randomblob(32), CASE WHEN i > %d THEN %" PRId64
                                     " ELSE i END, 200, x'00' FROM n",
                                     count + 3, count, lf_time_now_ms() - ANSWERS_MS / 2));
}

/* Deliveries that ended long ago, behind a hundred that wait as long. */
static void
leave_deliveries(struct fixture *f, int count)
{
    run_sql(f->path,
            lf_arena_printf(f->arena,
                            "INSERT INTO subscription (id, key, url, secret, events, icp, grades, state, reason,"
                            " failing_since_ms, delivered_at_ms, created_at_ms, updated_at_ms) VALUES"
                            " (1, 'k', 'https://x.example', x'00', 15, '', '[]', 0, '', 0, 0, 1, 1);"
                            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                            " INSERT INTO delivery (id, subscription_id, type, at_ms, lane, state, due_ms, attempts,"
                            " data) SELECT i, 1, 0, i, 0, CASE WHEN i <= 100 THEN 1 ELSE 2 + i %% 3 END, 0, '[]', '{}'"
                            " FROM n",
                            count + 100));
}

static struct lf_keeper_options
pruning(int64_t prune_ms)
{
    return (struct lf_keeper_options){.every_ms = 10,
                                      .answers_ms = ANSWERS_MS,
                                      .deliveries_ms = DELIVERIES_MS,
                                      .deliveries_kept = KEPT,
                                      .prune_ms = prune_ms};
}

/* At the start, slice by slice; what is young, or waits, stays. And from then on now and then. */
static void
test_prunes_answers_and_deliveries(void **state)
{
    struct fixture *f = *state;
    struct lf_keeper_options options = pruning(60000);
    struct house house;
    int answers = 0;

    leave_answers(f, 2 * ROWS_MAX + 1);
    leave_deliveries(f, 2 * ROWS_MAX + 1);
    gate_install(f);
    house = open_house_with(f, &options);
    await_none(f->path, OLD_ANSWERS);
    await_none(f->path, ENDED);
    pause_ms(30);
    close_house(&house);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM answer"), 3);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM delivery"), 100);
    assert_in_range(atomic_load(&gate.answers), 3, 4);
    assert_in_range(atomic_load(&gate.deliveries), 3, 4);

    options = pruning(10);
    house = open_house_with(f, &options);
    answers = atomic_load(&gate.answers);
    await_count("looks", &gate.answers, answers + 3); /* though there is nothing */
    leave_answers(f, 5);
    await_none(f->path, OLD_ANSWERS);
    close_house(&house);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM answer"), 6);
}

/* Nobody looks where nothing goes. */
static void
test_keeps_for_ever(void **state)
{
    struct fixture *f = *state;
    struct lf_keeper_options options = {.every_ms = 5, .prune_ms = 5, .refusals_ms = 5, .drift_ms = 5};
    struct house house;

    leave_answers(f, 5);
    leave_deliveries(f, 5);
    gate_install(f);
    house = open_house_with(f, &options);
    await_count("slices", &gate.sweeps, 1);
    pause_ms(30);
    close_house(&house);
    assert_int_equal(atomic_load(&gate.answers), 0);
    assert_int_equal(atomic_load(&gate.deliveries), 0);
    assert_int_equal(int_of(f->path, OLD_ANSWERS), 5);
    assert_int_equal(int_of(f->path, ENDED), 5);
}

/* A chore that fails is tried again, and told once; the others are done. */
static void
test_failing_chore(void **state)
{
    struct fixture *f = *state;
    const struct lf_keeper_options options = pruning(60000);
    struct house house;

    leave_answers(f, 5);
    leave_deliveries(f, 5);
    gate_install(f);
    atomic_store(&gate.answers_answer, LF_STORAGE_FULL);
    atomic_store(&gate.deliveries_answer, LF_STORAGE_FULL);
    (void)logged("housekeeping_failed");
    house = open_house_with(f, &options);
    await_count("tries", &gate.answers, 4);
    await_count("tries", &gate.deliveries, 4);
    assert_int_equal(logged("housekeeping_failed what=prune_"), 2); /* each */
    atomic_store(&gate.deliveries_answer, LF_OK);
    await_none(f->path, ENDED);
    assert_int_equal(int_of(f->path, OLD_ANSWERS), 5);
    atomic_store(&gate.answers_answer, LF_OK);
    await_none(f->path, OLD_ANSWERS);
    assert_int_equal(logged("housekeeping_failed"), 0);
    close_house(&house);
}

/* ---- refusals ---- */

static struct lf_sources *
one_source(struct fixture *f)
{
    const char *document = support_quoted(f->arena, "{'fields':{'title':['/title']},'icps':[],'id':['/id'],"
                                                    "'kind':'generic','reply':'flat','signatures':[],'split':{},"
                                                    "'values':{}}");
    const struct lf_stored_source source = {.key = "crm", .document = document, .document_len = strlen(document)};
    struct lf_change change = by_ops(5);
    struct lf_sources *sources = NULL;
    int64_t id = 0;
    bool created = false;

    OK(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error));
    OK(lf_sources_load(f->reader, &sources, &f->error));
    return sources;
}

static void
refuse(struct lf_sources *sources, int64_t at_ms)
{
    const struct lf_stored_refusal refusal = {.at_ms = at_ms,
                                              .request_id = "r1",
                                              .code = "unmapped",
                                              .pointer = "/id",
                                              .detail = "there is no id",
                                              .status = 422,
                                              .bytes = 17};
    const struct lf_source *source = lf_sources_hold(sources, "crm");

    assert_non_null(source);
    lf_sources_refuse(sources, source, &refusal);
    lf_sources_release(sources, source);
}

/* What was refused is noted soon, where there is anything; what cannot be noted is not lost; and at last the rest. */
static void
test_refusals(void **state)
{
    struct fixture *f = *state;
    struct lf_sources *sources = one_source(f);
    struct lf_keeper_options options = {.every_ms = 10, .sources = sources, .refusals_ms = 5};
    struct house house;
    int before = 0;

    gate_install(f);
    house = open_house_with(f, &options);
    pause_ms(30);
    assert_int_equal(atomic_load(&gate.refusals), 0);
    refuse(sources, 1);
    await_count("notes", &gate.refusals, 1);
    await_none(f->path, "SELECT 1 - count(*) FROM refusal");
    atomic_store(&gate.refusals_answer, LF_STORAGE_FULL);
    (void)logged("housekeeping_failed");
    before = atomic_load(&gate.refusals);
    refuse(sources, 2);
    await_count("notes", &gate.refusals, before + 3);
    assert_int_equal(logged("housekeeping_failed what=note_refusals"), 1);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM refusal"), 1);
    atomic_store(&gate.refusals_answer, LF_OK);
    await_none(f->path, "SELECT 2 - count(*) FROM refusal");
    close_house(&house);

    options.refusals_ms = 60000;
    house = open_house_with(f, &options);
    refuse(sources, 3);
    close_house(&house);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM refusal"), 3);
    assert_int_equal(int_of(f->path, "SELECT at_ms FROM refusal WHERE position = 0"), 3);
    lf_sources_destroy(sources);
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
        STORE_TEST(test_scores_come_between),
        STORE_TEST(test_stopped_in_a_sweep),
        STORE_TEST(test_failing_sweep),
        STORE_TEST(test_uses),
        STORE_TEST(test_nothing_to_note),
        STORE_TEST(test_failed_for_good),
        STORE_TEST(test_prunes),
        STORE_TEST(test_prunes_answers_and_deliveries),
        STORE_TEST(test_keeps_for_ever),
        STORE_TEST(test_failing_chore),
        STORE_TEST(test_refusals),
    };

    return cmocka_run_group_tests(TESTS, group_setup, NULL);
}
