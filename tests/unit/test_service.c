/* test_service.c - the service as a whole: starting, being ready, letting in, lending readers, ending. */
#include "app/service.h"
#include "app_fixture.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { PATIENCE_MS = 20000 };

/* ---- helpers: the fixture's store is closed where the service is to have the database ---- */

static struct lf_service_options
options_of(const struct fixture *f)
{
    return (struct lf_service_options){.db = f->path, .queue = 100, .batch = 10};
}

static struct lf_service *
start(struct fixture *f)
{
    struct lf_service_options options = options_of(f);
    struct lf_service *service = NULL;

    close_store(f);
    OK(lf_service_start(&options, &service, &f->error));
    return service;
}

static int
teardown_closed(void **state)
{
    struct fixture *f = *state;

    if (f->store == NULL)
        open_store(f);
    return teardown(state);
}

#define SERVICE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown_closed)

static void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
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

/* What was logged; non-blocking. */
static int log_lines = -1;

static void
forget_log(void)
{
    char bytes[4096];

    while (read(log_lines, bytes, sizeof bytes) > 0)
        ;
}

/* Until the event has been logged. */
static void
await_logged(const char *event)
{
    char bytes[65536];
    size_t len = 0;

    for (int waited = 0; waited < PATIENCE_MS; waited += 2) {
        ssize_t more = read(log_lines, bytes + len, sizeof bytes - 1 - len);

        len += more > 0 ? (size_t)more : 0;
        bytes[len] = '\0';
        if (strstr(bytes, event) != NULL)
            return;
        pause_ms(2);
    }
    fail_msg("%s was never logged: %s", event, bytes);
}

/* Until the look over the database is through, which uses the store beside the recorder's thread. */
static void
await_checked(void)
{
    await_logged("database_checked");
}

/* Notes what was recorded as settled: then a start has no business with it. */
static void
note_settled(struct fixture *f)
{
    struct lf_store_progress progress;

    OK(lf_store_progress(f->reader, &progress, &f->error));
    OK(lf_store_settle(f->store, NULL, 0, NULL, 0, progress.last_block, 0, &f->error));
}

/* ---- starting and ending ---- */

static void
test_new_database(void **state)
{
    struct fixture *f = *state;
    char path[PATH_SIZE + 8];
    struct lf_service_options options = options_of(f);
    struct lf_service *service = NULL;
    struct lf_live_set *set = NULL;

    (void)snprintf(path, sizeof path, "%s.new", f->path);
    options.db = path;
    for (int round = 0; round < 2; round++) {
        options.kept = round == 1 ? LF_KEPT_WHOLE : LF_KEPT_FIELDS;
        OK(lf_service_start(&options, &service, &f->error));
        assert_int_equal(access(path, F_OK), 0);
        set = lf_live_acquire(lf_service_live(service));
        assert_int_equal(set->profiles->count, 0);
        lf_live_release(lf_service_live(service), set);
        assert_non_null(lf_service_recorder(service));
        assert_int_equal(lf_privacy_kept(lf_service_privacy(service)), round == 1 ? LF_KEPT_WHOLE : LF_KEPT_FIELDS);
        OK(lf_service_ready(service, &f->error));
        assert_false(lf_service_failed(service));
        lf_service_stop(service);
    }
    lf_service_stop(NULL);
}

/* Stopped at once, the look over the database being under way or not begun. */
static void
test_stopped_at_once(void **state)
{
    struct fixture *f = *state;
    struct lf_service_options options = options_of(f);

    for (int i = 0; i < 50; i++)
        OK(append(f, 50, 2000, NULL));
    note_settled(f);
    close_store(f);
    for (int i = 0; i < 10; i++) {
        struct lf_service *service = NULL;

        OK(lf_service_start(&options, &service, &f->error));
        lf_service_stop(service);
    }
}

/* What may be kept is the service's from its options; what cannot be read of them is refused. */
static void
test_privacy(void **state)
{
    struct fixture *f = *state;
    struct lf_service_options options = options_of(f);
    struct lf_service *service = NULL;

    close_store(f);
    options.never_store = "*.email, a..b";
    FAILS(lf_service_start(&options, &service, &f->error), LF_CONFIG);
    assert_non_null(strstr(f->error.detail, "a..b"));
    options.never_store = "*.email";
    options.kept = LF_KEPT_HASHES;
    options.open_metrics = true;
    OK(lf_service_start(&options, &service, &f->error));
    assert_int_equal(lf_privacy_kept(lf_service_privacy(service)), LF_KEPT_HASHES);
    assert_true(lf_privacy_withholds(lf_service_privacy(service), "contact.email"));
    assert_true(lf_service_open_metrics(service));
    assert_non_null(lf_service_metrics(service));
    assert_non_null(lf_service_catalog(service));
    OK(lf_service_settle(service, &f->error));
    assert_int_equal(lf_ledger_depth(lf_service_ledger(service)), 0);
    lf_service_stop(service);
}

/* Scores of before there was a ledger are counted at the start, and it is logged. */
static void
test_counts_what_is_due(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = NULL;
    struct lf_stored_score score = score_of_lead(f);

    for (int i = 0; i < 3; i++) {
        const struct lf_stored_score *scores[] = {&score};

        assert_true(lf_ulid_next(&f->mint, 1780000000000 + i, &score.id));
        OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));
    }
    run_sql(f->path, "UPDATE meta SET value = 3 WHERE name = 'due_block'");
    forget_log();
    service = start(f);
    await_logged("counting_recorded_scores");
    lf_service_stop(service);
    assert_int_equal(int_of(f->path, "SELECT value FROM meta WHERE name = 'rolled_block'"), 3);
    assert_int_equal(int_of(f->path, "SELECT value FROM meta WHERE name = 'settled_block'"), 3);
}

static void
test_in_use(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = start(f), *second = NULL;
    struct lf_service_options options = options_of(f);

    FAILS(lf_service_start(&options, &second, &f->error), LF_STORAGE_IN_USE);
    assert_null(second);
    assert_non_null(strstr(f->error.detail, f->path));
    OK(lf_service_ready(service, &f->error)); /* the first one does not mind */
    lf_service_stop(service);
    OK(lf_service_start(&options, &second, &f->error));
    lf_service_stop(second);
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
test_no_database(void **state)
{
    struct fixture *f = *state;
    char garbage[PATH_SIZE + 8], nowhere[PATH_SIZE + 8];
    const struct {
        const char *path;
        enum lf_status status;
    } ROWS[] = {
        {"", LF_FILE},
        {f->folder, LF_FILE},
        {nowhere, LF_FILE},
        {garbage, LF_STORAGE_CORRUPT},
    };

    (void)snprintf(garbage, sizeof garbage, "%s.txt", f->path);
    (void)snprintf(nowhere, sizeof nowhere, "%s/no/x.db", f->folder);
    write_file(garbage,
               "This is a text and not a database, however long one looks at it; and it is longer than a header "
               "of SQLite's, so that it cannot be taken for a file that has just been begun.\n");
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_service_options options = options_of(f);
        struct lf_service *service = NULL;

        options.db = ROWS[i].path;
        FAILS(lf_service_start(&options, &service, &f->error), ROWS[i].status);
        assert_null(service);
    }
}

/* Damage that start itself meets: a definition, a key, whatever had been loaded before it. */
static void
test_damaged_content(void **state)
{
    static const char *const DAMAGE[] = {
        "UPDATE icp_version SET document = '{}'",
        "PRAGMA ignore_check_constraints = ON; UPDATE api_key SET secret_hash = x'00'",
        "UPDATE api_key SET id = 'an-id-that-is-much-too-long'",
        "PRAGMA user_version = 999",
        "DROP TABLE list_item",
    };
    static const enum lf_status STATUSES[] = {LF_STORAGE_CORRUPT, LF_STORAGE_CORRUPT, LF_STORAGE_CORRUPT,
                                              LF_STORAGE_NEWER, LF_STORAGE_FAILED};
    struct fixture *f = *state;
    struct lf_service_options options = options_of(f);
    struct lf_stored_key key;
    char text[LF_API_KEY_TEXT_MAX], whole[PATH_SIZE + 8];
    struct lf_service *service = NULL;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    put_list(f, "competitors", "x");
    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    (void)snprintf(whole, sizeof whole, "%s.whole", f->path);
    OK(lf_store_backup(f->reader, whole, &f->error));
    close_store(f);
    for (size_t i = 0; i < sizeof DAMAGE / sizeof *DAMAGE; i++) {
        char path[PATH_SIZE + 24], command[4 * PATH_SIZE];

        (void)snprintf(path, sizeof path, "%s.%zu", f->path, i);
        (void)snprintf(command, sizeof command, "cp '%s' '%s'", whole, path);
        assert_int_equal(system(command), 0);
        run_sql(path, DAMAGE[i]);
        options.db = path;
        FAILS(lf_service_start(&options, &service, &f->error), STATUSES[i]);
        assert_null(service);
    }
    options.db = whole;
    OK(lf_service_start(&options, &service, &f->error));
    lf_service_stop(service);
}

/* Damage where start has no business, in a page of old scores: the look over the database in the background finds it,
 * and the process is to end. */
static void
test_damaged_page(void **state)
{
    static const char NOISE[512] = "noise";
    struct fixture *f = *state;
    struct lf_service_options options = options_of(f);
    struct lf_service *service = NULL;
    int64_t page = 0, page_size = 0;
    char wal[PATH_SIZE + 8];
    int fd = -1;

    for (int i = 0; i < 60; i++)
        OK(append(f, 20, 3000, NULL));
    note_settled(f);
    OK(lf_store_checkpoint(f->store, true, &f->error));
    close_store(f);
    page_size = int_of(f->path, "PRAGMA page_size");
    page = int_of(f->path, "SELECT pageno FROM dbstat WHERE name = 'score_block' AND pagetype = 'leaf' ORDER BY path"
                           " LIMIT 1 OFFSET (SELECT count(*) / 2 FROM dbstat WHERE name = 'score_block' AND"
                           " pagetype = 'leaf')");
    fd = open(f->path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, NOISE, sizeof NOISE, (page - 1) * page_size), sizeof NOISE);
    assert_int_equal(close(fd), 0);

    OK(lf_service_start(&options, &service, &f->error));
    for (int waited = 0; !lf_service_failed(service) && waited < PATIENCE_MS; waited += 5)
        pause_ms(5);
    assert_true(lf_service_failed(service));
    FAILS(lf_service_ready(service, &f->error), LF_NOT_READY);
    lf_service_stop(service);
    /* So that the fixture ends with a database. */
    (void)snprintf(wal, sizeof wal, "%s-wal", f->path);
    assert_int_equal(unlink(f->path), 0);
    (void)unlink(wal); /* seldom there */
}

/* ---- being ready ---- */

static struct {
    const struct lf_store_backend *real;
    struct lf_store_backend backend;
    _Atomic int answer; /* of the next probes */
    atomic_int probes;
} gate;

static enum lf_status
gated_probe(struct lf_store *store, struct lf_error *error)
{
    enum lf_status answer = (enum lf_status)atomic_load(&gate.answer);

    atomic_fetch_add(&gate.probes, 1);
    return answer == LF_OK ? gate.real->probe(store, error) : lf_fail(error, answer, "the gate says %d", (int)answer);
}

/* On the recorder's thread, which is where the store may be touched. */
static enum lf_status
install_gate(struct lf_store *store, void *argument, struct lf_error *error)
{
    (void)argument;
    (void)error;
    gate.real = store->backend;
    gate.backend = *gate.real;
    gate.backend.probe = gated_probe;
    store->backend = &gate.backend;
    return LF_OK;
}

static struct lf_service *
start_gated(struct fixture *f)
{
    struct lf_service *service = NULL;

    forget_log();
    service = start(f);
    await_checked();
    atomic_store(&gate.answer, LF_OK);
    atomic_store(&gate.probes, 0);
    OK(lf_recorder_run(lf_service_recorder(service), install_gate, NULL, &f->error));
    return service;
}

/* Asks until the answer is that one. */
static void
await_ready(struct fixture *f, struct lf_service *service, enum lf_status status)
{
    for (int waited = 0; lf_service_ready(service, &f->error) != status; waited += 5) {
        if (waited >= PATIENCE_MS)
            fail_msg("never %s", lf_status_word(status));
        pause_ms(5);
    }
}

/* A thousand questions, one probe a second at most. */
static void
test_probed_seldom(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = start_gated(f);
    int64_t began_ns = lf_time_monotonic_ns(), seconds = 0;

    for (int i = 0; i < 1000; i++)
        OK(lf_service_ready(service, NULL));
    seconds = (lf_time_monotonic_ns() - began_ns) / 1000000000;
    assert_in_range(atomic_load(&gate.probes), 1, 1 + seconds);
    lf_service_stop(service);
    assert_int_equal(int_of(f->path, "SELECT value FROM meta WHERE name = 'probes'"), atomic_load(&gate.probes));
}

/* A full disk is said as such until there is room again, by those as well who come between two probes. */
static void
test_full_for_a_while(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = start_gated(f);

    atomic_store(&gate.answer, LF_STORAGE_FULL);
    await_ready(f, service, LF_STORAGE_FULL);
    assert_non_null(strstr(f->error.detail, "the gate says"));
    f->error = (struct lf_error){.status = LF_OK};
    FAILS(lf_service_ready(service, &f->error), LF_STORAGE_FULL); /* from memory */
    assert_non_null(strstr(f->error.detail, "the gate says"));
    assert_int_equal(lf_service_ready(service, NULL), LF_STORAGE_FULL);
    assert_false(lf_service_failed(service));
    atomic_store(&gate.answer, LF_OK);
    await_ready(f, service, LF_OK);
    lf_service_stop(service);
}

static void
test_failed_for_good(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = start_gated(f);

    assert_false(lf_service_failed(service));
    atomic_store(&gate.answer, LF_STORAGE_FAILED);
    await_ready(f, service, LF_NOT_READY);
    assert_true(lf_service_failed(service));
    atomic_store(&gate.answer, LF_OK);
    FAILS(lf_service_ready(service, &f->error), LF_NOT_READY);
    lf_service_stop(service);
}

static void
test_draining(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = start_gated(f);

    OK(lf_service_ready(service, &f->error));
    lf_service_drain(service);
    FAILS(lf_service_ready(service, &f->error), LF_NOT_READY);
    assert_non_null(strstr(f->error.detail, "stopping"));
    assert_int_equal(lf_service_ready(service, NULL), LF_NOT_READY);
    assert_false(lf_service_failed(service));
    lf_service_stop(service);
}

static void *
asking_main(void *argument)
{
    struct lf_service *service = argument;
    struct lf_error error;

    for (int i = 0; i < 300; i++) {
        struct lf_store_reader *reader = NULL;

        assert_int_equal(lf_service_ready(service, &error), LF_OK);
        assert_int_equal(lf_service_borrow_reader(service, &reader, &error), LF_OK);
        lf_service_return_reader(service, reader);
        assert_false(lf_service_failed(service));
    }
    return NULL;
}

static void
test_asked_by_many(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = start_gated(f);
    pthread_t threads[12];

    for (size_t i = 0; i < 12; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, asking_main, service), 0);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    lf_service_stop(service);
}

/* ---- letting in ---- */

static void
test_admit(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX], gone[LF_API_KEY_TEXT_MAX], late[LF_API_KEY_TEXT_MAX];
    char id[LF_API_KEY_ID_MAX + 1] = "";
    struct lf_service_options options = options_of(f);
    struct lf_stored_key key, other;
    struct lf_change change = by_ops(2);
    struct lf_service *service = NULL;
    uint32_t scopes = 0;

    put_key(f, LF_SCOPE_ICP_WRITE, 0, text, &key);
    put_key(f, LF_SCOPE_SCORE, 0, gone, &other);
    OK(lf_store_revoke_key(f->store, other.id, &change, &f->error));
    put_key(f, LF_SCOPE_SCORE, lf_time_now_ms() - 1, late, &other);
    close_store(f);

    OK(lf_service_start(&options, &service, &f->error));
    for (int i = 0; i < 500; i++)
        assert_int_equal(lf_service_admit(service, text, id, &scopes), LF_OK);
    assert_string_equal(id, key.id);
    assert_int_equal(scopes, LF_SCOPE_ICP_WRITE | LF_SCOPE_ICP_READ);
    assert_int_equal(lf_service_admit(service, gone, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_service_admit(service, late, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_service_admit(service, "", id, &scopes), LF_UNAUTHORIZED);
    lf_service_stop(service);

    options.rate_limit = 1;
    OK(lf_service_start(&options, &service, &f->error));
    assert_int_equal(lf_service_admit(service, text, id, &scopes), LF_OK);
    assert_int_equal(lf_service_admit(service, text, id, &scopes), LF_OK);
    assert_int_equal(lf_service_admit(service, text, id, &scopes), LF_RATE_LIMITED);
    lf_service_stop(service);
}

/* What the keyring learned while the service ran is in the store when it has stopped. */
static void
test_uses_are_noted(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX], unused[LF_API_KEY_TEXT_MAX], id[LF_API_KEY_ID_MAX + 1];
    struct lf_stored_key key, found;
    struct lf_service *service = NULL;
    uint32_t scopes = 0;
    int64_t before_ms = lf_time_now_ms();

    put_key(f, LF_SCOPE_SCORE, 0, unused, &key);
    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    service = start(f);
    assert_int_equal(lf_service_admit(service, text, id, &scopes), LF_OK);
    assert_true(lf_keyring_find(lf_service_keyring(service), key.id, &found));
    assert_true(found.last_used_at_ms >= before_ms);
    lf_service_stop(service);
    assert_int_equal(int_of(f->path, "SELECT max(last_used_at_ms) FROM api_key"), found.last_used_at_ms);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM api_key WHERE last_used_at_ms = 0"), 1);
}

/* ---- what lists left over ---- */

static void
await_items(struct fixture *f, int64_t items)
{
    for (int waited = 0; int_of(f->path, "SELECT count(*) FROM list_item") != items; waited += 5) {
        if (waited >= PATIENCE_MS)
            fail_msg("never %d entries", (int)items);
        pause_ms(5);
    }
}

static enum lf_status
begin_list(struct lf_store *store, void *argument, struct lf_error *error)
{
    return lf_store_begin_list(store, argument, error);
}

static enum lf_status
fill_list(struct lf_store *store, void *argument, struct lf_error *error)
{
    static const struct lf_list_entry ENTRIES[] = {{"a", 1, "a", 1}, {"b", 1, "b", 1}};

    return lf_store_add_list_entries(store, argument, ENTRIES, 2, error);
}

/* Swept at the start and when asked to; not the generation that is being filled. */
static void
test_leftovers_are_swept(void **state)
{
    struct fixture *f = *state;
    struct lf_service *service = NULL;
    struct lf_list_state filling, forgotten;

    for (int i = 0; i < 3; i++)
        put_list(f, "one", i % 2 == 0 ? "x" : "y");
    put_list(f, "two", "x");
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM list_item"), 8);
    service = start(f);
    await_items(f, 4);

    OK(lf_recorder_run(lf_service_recorder(service), begin_list, &filling, &f->error));
    lf_service_spare_list(service, filling.generation);
    OK(lf_recorder_run(lf_service_recorder(service), fill_list, &filling, &f->error));
    OK(lf_recorder_run(lf_service_recorder(service), begin_list, &forgotten, &f->error));
    OK(lf_recorder_run(lf_service_recorder(service), fill_list, &forgotten, &f->error));
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM list_item"), 8);
    lf_service_sweep_lists(service);
    await_items(f, 6);
    lf_service_spare_list(service, 0);
    lf_service_sweep_lists(service);
    await_items(f, 4);
    lf_service_stop(service);
}

/* ---- readers ---- */

/* As many as are wanted at a time; a few are kept, which a leak check and the count of open files see. */
static void
test_readers(void **state)
{
    enum { MANY = 30 };
    struct fixture *f = *state;
    struct lf_store_reader *readers[MANY], *again = NULL;
    struct lf_service *service = NULL;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    service = start(f);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            struct lf_stored_icp *icps = NULL;
            size_t count = 0;

            OK(lf_service_borrow_reader(service, &readers[i], &f->error));
            for (size_t j = 0; j < i; j++)
                assert_ptr_not_equal(readers[i], readers[j]);
            OK(lf_store_icps(readers[i], f->arena, &icps, &count, &f->error));
            assert_int_equal(count, 1);
        }
        for (size_t i = 0; i < MANY; i++)
            lf_service_return_reader(service, readers[i]);
    }
    OK(lf_service_borrow_reader(service, &again, &f->error));
    lf_service_return_reader(service, again);
    OK(lf_service_borrow_reader(service, &readers[0], &f->error));
    assert_ptr_equal(readers[0], again); /* the one given back last comes first */
    lf_service_return_reader(service, again);
    lf_service_stop(service);
}

/* ---- what waits is recorded ---- */

static void
done(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    (void)error;
    atomic_fetch_add((atomic_int *)job->data, status == LF_OK);
}

static void
test_stop_records_what_waits(void **state)
{
    enum { JOBS = 60 };
    struct fixture *f = *state;
    struct lf_stored_score score = score_of_lead(f);
    struct lf_service *service = start(f);
    static struct lf_record_job jobs[JOBS];
    atomic_int recorded;

    atomic_init(&recorded, 0);
    lf_service_drain(service); /* says no to balancers, and does its work */
    for (size_t i = 0; i < JOBS; i++) {
        jobs[i] = (struct lf_record_job){
            .score = score,
            .done = done,
            .data = &recorded,
        };
        OK(lf_recorder_submit(lf_service_recorder(service), &jobs[i], &f->error));
    }
    lf_service_stop(service);
    assert_int_equal(atomic_load(&recorded), JOBS);
    open_store(f);
    assert_int_equal(count_scores(f), JOBS);
    assert_int_equal(int_of(f->path, "SELECT count(*) FROM lead_score"), 1); /* and settled */
    assert_int_equal(int_of(f->path, "SELECT value FROM meta WHERE name = 'settled_block'"),
                     int_of(f->path, "SELECT max(id) FROM score_block"));
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
        SERVICE_TEST(test_new_database),    SERVICE_TEST(test_stopped_at_once),
        SERVICE_TEST(test_privacy),         SERVICE_TEST(test_counts_what_is_due),
        SERVICE_TEST(test_in_use),          SERVICE_TEST(test_no_database),
        SERVICE_TEST(test_damaged_content), SERVICE_TEST(test_damaged_page),
        SERVICE_TEST(test_probed_seldom),   SERVICE_TEST(test_full_for_a_while),
        SERVICE_TEST(test_failed_for_good), SERVICE_TEST(test_draining),
        SERVICE_TEST(test_asked_by_many),   SERVICE_TEST(test_admit),
        SERVICE_TEST(test_uses_are_noted),  SERVICE_TEST(test_leftovers_are_swept),
        SERVICE_TEST(test_readers),         SERVICE_TEST(test_stop_records_what_waits),
    };

    return cmocka_run_group_tests(TESTS, group_setup, NULL);
}
