/* editing_fixture.h - for the tests of app/editing.h: a running service over a database of its own, whose storage tells
 * what was asked of it and can be made to refuse. */
#ifndef LF_TESTS_EDITING_FIXTURE_H
#define LF_TESTS_EDITING_FIXTURE_H

#include "app/editing.h"
#include "app_fixture.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NOW_MS INT64_C(1780000000000)

enum { PATIENCE_MS = 20000, EVENTS_MAX = 4096 };

static const struct lf_precondition NOTHING_SAID = {.any = false};
static const struct lf_precondition ANY = {.any = true};

/* ---- a storage that can be made to refuse ---- */

static struct {
    const struct lf_store_backend *real;
    struct lf_store_backend backend;
    const char *_Atomic verb;             /* that is refused, with STORAGE_FULL; NULL: none */
    atomic_int let_through;               /* calls of it that are not refused yet */
    atomic_int writes;                    /* asked for, of those below */
    atomic_int largest;                   /* entries in the largest slice */
    struct lf_recorder *_Atomic recorder; /* each slice submits a job there; NULL: none does */
    struct lf_stored_score score;         /* that they record */
    struct lf_service *_Atomic service;   /* is to give up from the first slice on; NULL: none is */
    char events[EVENTS_MAX + 1];          /* 'l' a slice, 'a' a commit of scores */
    atomic_size_t event_count;
} gate;

static inline void
gate_event(char event)
{
    size_t at = atomic_load(&gate.event_count);

    if (at < EVENTS_MAX) {
        gate.events[at] = event;
        atomic_store(&gate.event_count, at + 1);
    }
}

/* From now on, after so many calls that go well. */
static inline void
gate_refuse(const char *verb, int let_through)
{
    atomic_store(&gate.let_through, let_through);
    atomic_store(&gate.verb, verb);
}

static inline bool
gate_refuses(const char *verb)
{
    const char *refused = atomic_load(&gate.verb);

    atomic_fetch_add(&gate.writes, 1);
    return refused != NULL && strcmp(refused, verb) == 0 && atomic_fetch_sub(&gate.let_through, 1) <= 0;
}

#define GATED(verb, parameters, arguments)                                     \
    static inline enum lf_status gated_##verb parameters                       \
    {                                                                          \
        if (gate_refuses(#verb))                                               \
            return lf_fail(error, LF_STORAGE_FULL, "the gate refuses " #verb); \
        return gate.real->verb arguments;                                      \
    }

GATED(put_draft,
      (struct lf_store * store, const struct lf_new_draft *draft, const struct lf_precondition *precondition,
       const struct lf_change *change, char ret_etag[LF_ETAG_MAX], bool *ret_created, struct lf_error *error),
      (store, draft, precondition, change, ret_etag, ret_created, error))
GATED(delete_draft,
      (struct lf_store * store, const char *icp, const struct lf_precondition *precondition,
       const struct lf_change *change, struct lf_error *error),
      (store, icp, precondition, change, error))
GATED(publish_draft,
      (struct lf_store * store, const char *icp, int version, int64_t version_id,
       const struct lf_precondition *precondition, const struct lf_change *change, struct lf_error *error),
      (store, icp, version, version_id, precondition, change, error))
GATED(activate,
      (struct lf_store * store, const char *icp, int version, const struct lf_change *change, bool *ret_unchanged,
       struct lf_error *error),
      (store, icp, version, change, ret_unchanged, error))
GATED(set_archived,
      (struct lf_store * store, const char *icp, bool archived, const struct lf_change *change, struct lf_error *error),
      (store, icp, archived, change, error))
GATED(begin_list, (struct lf_store * store, struct lf_list_state *ret_state, struct lf_error *error),
      (store, ret_state, error))
GATED(put_list,
      (struct lf_store * store, const char *key, const struct lf_list_state *state,
       const struct lf_precondition *precondition, const struct lf_change *change, struct lf_arena *arena,
       struct lf_stored_list *ret_list, bool *ret_created, bool *ret_unchanged, struct lf_error *error),
      (store, key, state, precondition, change, arena, ret_list, ret_created, ret_unchanged, error))
GATED(patch_list,
      (struct lf_store * store, const char *key, const struct lf_list_entry *add, size_t add_count,
       const struct lf_list_entry *remove, size_t remove_count, const struct lf_precondition *precondition,
       const struct lf_change *change, struct lf_arena *arena, struct lf_stored_list *ret_list, size_t *ret_added,
       size_t *ret_removed, struct lf_error *error),
      (store, key, add, add_count, remove, remove_count, precondition, change, arena, ret_list, ret_added, ret_removed,
       error))
GATED(delete_list,
      (struct lf_store * store, const char *key, const struct lf_precondition *precondition,
       const struct lf_change *change, struct lf_error *error),
      (store, key, precondition, change, error))
GATED(create_key,
      (struct lf_store * store, const struct lf_stored_key *key, const struct lf_change *change,
       struct lf_error *error),
      (store, key, change, error))
GATED(revoke_key, (struct lf_store * store, const char *id, const struct lf_change *change, struct lf_error *error),
      (store, id, change, error))

static inline void
gate_done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    (void)error;
    assert_int_equal(status, LF_OK);
    free(job);
}

static inline void
gate_submit(struct lf_recorder *recorder)
{
    struct lf_record_job *job = calloc(1, sizeof *job);
    struct lf_error error;

    assert_non_null(job);
    *job = (struct lf_record_job){.score = gate.score, .done = gate_done};
    assert_int_equal(lf_recorder_submit(recorder, job, &error), LF_OK);
}

static inline enum lf_status
gated_add_list_entries(struct lf_store *store, struct lf_list_state *state, const struct lf_list_entry *entries,
                       size_t count, struct lf_error *error)
{
    gate_event('l');
    if (gate_refuses("add_list_entries"))
        return lf_fail(error, LF_STORAGE_FULL, "the gate refuses add_list_entries");
    if ((int)count > atomic_load(&gate.largest))
        atomic_store(&gate.largest, (int)count);
    for (size_t i = 1; i < count; i++) {
        const struct lf_list_entry *a = &entries[i - 1], *b = &entries[i];
        int order = memcmp(a->folded, b->folded, a->folded_len < b->folded_len ? a->folded_len : b->folded_len);

        assert_true(order < 0 || (order == 0 && a->folded_len < b->folded_len));
    }
    if (atomic_load(&gate.recorder) != NULL)
        gate_submit(atomic_load(&gate.recorder));
    if (atomic_load(&gate.service) != NULL)
        lf_service_give_up_in(atomic_load(&gate.service), 0);
    return gate.real->add_list_entries(store, state, entries, count, error);
}

static inline enum lf_status
gated_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    gate_event('a');
    return gate.real->record(store, recording, error);
}

/* On the recorder's thread, which is where the store may be touched. */
static inline enum lf_status
gate_install(struct lf_store *store, void *argument, struct lf_error *error)
{
    (void)argument;
    (void)error;
    gate.real = store->backend;
    gate.backend = *gate.real;
    gate.backend.put_draft = gated_put_draft;
    gate.backend.delete_draft = gated_delete_draft;
    gate.backend.publish_draft = gated_publish_draft;
    gate.backend.activate = gated_activate;
    gate.backend.set_archived = gated_set_archived;
    gate.backend.begin_list = gated_begin_list;
    gate.backend.add_list_entries = gated_add_list_entries;
    gate.backend.put_list = gated_put_list;
    gate.backend.patch_list = gated_patch_list;
    gate.backend.delete_list = gated_delete_list;
    gate.backend.create_key = gated_create_key;
    gate.backend.revoke_key = gated_revoke_key;
    gate.backend.record = gated_record;
    gate_refuse(NULL, 0);
    atomic_store(&gate.writes, 0);
    atomic_store(&gate.largest, 0);
    atomic_store(&gate.recorder, NULL);
    atomic_store(&gate.service, NULL);
    atomic_store(&gate.event_count, 0);
    store->backend = &gate.backend;
    return LF_OK;
}

/* ---- the service ---- */

/* The fixture's, and the service that has its database. */
struct editing {
    struct fixture *f;
    struct lf_service *service;
    struct lf_error error;
    struct lf_arena *arena;
    struct lf_findings findings;
};

/* What was logged; non-blocking. */
static int log_lines = -1;
static char log_text[1 << 18];

/* All that was logged since the last time. */
static inline const char *
logged(void)
{
    size_t len = 0;
    ssize_t more = 0;

    while ((more = read(log_lines, log_text + len, sizeof log_text - 1 - len)) > 0)
        len += (size_t)more;
    log_text[len] = '\0';
    return log_text;
}

static inline void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

/* Starts it, and waits until the look over the database is through, which uses the store beside the recorder. */
static inline void
start_service(struct editing *e)
{
    struct lf_service_options options = {.db = e->f->path, .queue = 10000, .batch = 100, .kept = LF_KEPT_WHOLE};
    bool checked = false;

    (void)logged();
    if (lf_service_start(&options, &e->service, &e->error) != LF_OK)
        fail_msg("%s", e->error.detail);
    for (int waited = 0; !checked; waited += 2) {
        assert_true(waited < PATIENCE_MS);
        checked = strstr(logged(), "database_checked") != NULL;
        if (!checked)
            pause_ms(2);
    }
    assert_int_equal(lf_recorder_run(lf_service_recorder(e->service), gate_install, NULL, &e->error), LF_OK);
}

static inline int
editing_setup(void **state)
{
    struct editing *e = calloc(1, sizeof *e);
    void *f = NULL;

    (void)setup(&f);
    e->f = f;
    e->arena = e->f->arena;
    lf_findings_init(&e->findings, e->arena);
    *state = e;
    return 0;
}

static inline int
editing_teardown(void **state)
{
    struct editing *e = *state;
    void *f = e->f;

    lf_service_stop(e->service);
    if (e->f->store == NULL)
        open_store(e->f);
    free(e);
    return teardown(&f);
}

#define EDITING_TEST(function) cmocka_unit_test_setup_teardown(function, editing_setup, editing_teardown)

/* Ends the preparations in the store, with the list that PLAIN_ATTRIBUTES asks, and starts the service. */
static inline void
begin_editing(struct editing *e)
{
    put_list(e->f, "competitors", "rival.example");
    close_store(e->f);
    start_service(e);
}

static inline int
editing_group_setup(void **state)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    log_lines = ends[0];
    lf_log_setup(ends[1], LF_LOG_TEXT);
    return support_group_setup(state);
}

#undef OK
#define OK(call)                                        \
    do {                                                \
        if ((call) != LF_OK)                            \
            fail_msg("%s: %s", #call, e->error.detail); \
    } while (0)

#undef FAILS
#define FAILS(call, expected)                                                \
    do {                                                                     \
        assert_string_equal(lf_status_word(call), lf_status_word(expected)); \
        assert_int_equal(e->error.status, expected);                         \
    } while (0)

/* ---- what there is ---- */

/* All that the database holds of what can be edited, as text. */
static inline const char *
stored(struct editing *e)
{
    static const char *const QUERIES[] = {
        "SELECT group_concat(quote(key) || archived || ',' || ifnull(active_version, '-') || ',' || updated_at_ms,"
        " ';') FROM (SELECT * FROM icp ORDER BY id)",
        "SELECT count(*) || ',' || ifnull(max(id), 0) FROM icp_version",
        "SELECT group_concat(icp_id || ',' || revision || hex(hash), ';') FROM (SELECT * FROM draft ORDER BY icp_id)",
        "SELECT group_concat(key || revision || ',' || generation || ',' || entries || hex(hash), ';') FROM"
        " (SELECT * FROM list ORDER BY key)",
        "SELECT count(*) FROM audit",
        "SELECT group_concat(id || revoked_at_ms, ';') FROM (SELECT * FROM api_key ORDER BY id)",
    };
    struct lf_buf buf;
    sqlite3 *db = NULL;
    const char *text = NULL;

    lf_buf_init(&buf, e->arena, 1 << 20);
    assert_int_equal(sqlite3_open(e->f->path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES; i++) {
        sqlite3_stmt *statement = NULL;
        const unsigned char *value = NULL;

        if (sqlite3_prepare_v2(db, QUERIES[i], -1, &statement, NULL) != SQLITE_OK)
            fail_msg("%s: %s", QUERIES[i], sqlite3_errmsg(db));
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        value = sqlite3_column_text(statement, 0);
        lf_buf_printf(&buf, "%s\n", value != NULL ? (const char *)value : "-");
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    text = lf_buf_terminate(&buf);
    assert_non_null(text);
    return text;
}

static inline int64_t
int_of(struct editing *e, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t value = 0;

    assert_int_equal(sqlite3_open(e->f->path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

static inline struct lf_live_set *
acquire(struct editing *e)
{
    return lf_live_acquire(lf_service_live(e->service));
}

static inline void
release(struct editing *e, struct lf_live_set *set)
{
    lf_live_release(lf_service_live(e->service), set);
}

/* The version of the ICP that is live now; 0: none; -1: it is known as archived. */
static inline int
live_version(struct editing *e, const char *key)
{
    struct lf_live_set *set = acquire(e);
    size_t at = lf_program_find(set->profiles->program, key);
    int version = at == SIZE_MAX ? 0 : set->profiles->items[at].version;

    for (size_t i = 0; i < set->profiles->archived_count; i++)
        if (strcmp(set->profiles->archived[i], key) == 0)
            version = version == 0 ? -1 : -2; /* never both */
    release(e, set);
    return version;
}

/* That the live set is what the store says, as a start would load it. */
static inline void
assert_live_is_stored(struct editing *e)
{
    struct lf_live_set *set = acquire(e);
    struct lf_store_reader *reader = NULL;
    struct lf_profiles *loaded = NULL;

    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_live_load(reader, lf_service_privacy(e->service), &loaded, &e->error));
    lf_service_return_reader(e->service, reader);
    assert_int_equal(set->profiles->count, loaded->count);
    for (size_t i = 0; i < loaded->count; i++) {
        assert_string_equal(set->profiles->items[i].icp->key, loaded->items[i].icp->key);
        assert_memory_equal(set->profiles->items[i].icp->hash, loaded->items[i].icp->hash, LF_SHA256_SIZE);
        assert_int_equal(set->profiles->items[i].version, loaded->items[i].version);
        assert_int_equal(set->profiles->items[i].version_id, loaded->items[i].version_id);
    }
    assert_int_equal(set->profiles->archived_count, loaded->archived_count);
    for (size_t i = 0; i < loaded->archived_count; i++)
        assert_string_equal(set->profiles->archived[i], loaded->archived[i]);
    assert_int_equal(set->profiles->list_count, loaded->list_count);
    for (size_t i = 0; i < loaded->list_count; i++) {
        assert_string_equal(set->profiles->lists[i]->key, loaded->lists[i]->key);
        assert_int_equal(set->profiles->lists[i]->revision, loaded->lists[i]->revision);
        assert_int_equal(set->profiles->lists[i]->count, loaded->lists[i]->count);
    }
    lf_profiles_destroy(loaded);
    release(e, set);
}

/* ---- short ways to edit ---- */

static inline struct lf_change
by_key(int64_t at_ms)
{
    return (struct lf_change){.by = "the name of a key", .key_id = "k1234567", .note = "a secret note", .at_ms = at_ms};
}

/* Puts a definition of these members as the draft, whatever was there; its ETag. */
static inline const char *
put_draft(struct editing *e, const char *key, const char *members)
{
    const char *text = definition(e->f, key, "core", members);
    struct lf_change change = by_key(NOW_MS);
    struct lf_stored_draft draft;
    bool created = false;

    if (lf_edit_put_draft(e->service, e->arena, key, text, strlen(text), &ANY, &change, &e->findings, &draft, &created,
                          &e->error) != LF_OK)
        OK(lf_edit_put_draft(e->service, e->arena, key, text, strlen(text), &NOTHING_SAID, &change, &e->findings,
                             &draft, &created, &e->error));
    return lf_arena_copy(e->arena, draft.etag, strlen(draft.etag));
}

static inline enum lf_status
try_publish(struct editing *e, const char *key, const struct lf_precondition *precondition, int max_grade_change,
            struct lf_publication *ret_publication)
{
    struct lf_change change = by_key(NOW_MS);

    lf_findings_init(&e->findings, e->arena);
    e->error.status = LF_OK;
    return lf_edit_publish(e->service, e->arena, key, max_grade_change, precondition, &change, &e->findings,
                           ret_publication, &e->error);
}

/* Puts and publishes. */
static inline void
publish_new(struct editing *e, const char *key, const char *members, int expected)
{
    struct lf_publication publication;

    (void)put_draft(e, key, members);
    OK(try_publish(e, key, &ANY, -1, &publication));
    assert_int_equal(publication.version, expected);
}

#endif
