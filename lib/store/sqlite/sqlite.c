/*
 * sqlite.c - the SQLite backend's life: the lock, opening, checkpoints, closing, and the table of operations.
 *
 * One process writes, one connection in it, on one thread at a time; that connection also moves the WAL into the
 * database. Two that did so at once could meet a defect of SQLite before 3.51.3 that loses commits. The lock is
 * flock(2) on a file of its own: opening and closing the database file itself would drop SQLite's own locks on it.
 */
#include "store/sqlite/sqlite.h"

#include "store/sqlite/internal.h"
#include "store/sqlite/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The WAL is moved into the database after so many bytes: less often than SQLite's own 1,000 pages would, so that the
 * database's last pages, which every commit writes again, are moved once; and often enough that a start after a crash
 * has little to read. Past WAL_TRUNCATE (a long reader kept it from starting anew) it is cut to nothing. */
enum { WAL_STEP = 4 * 1024 * 1024, WAL_TRUNCATE = 64 * 1024 * 1024 };

/* Without effect on a database that holds something. A batch of scores is some 20 KB: at 8 KiB a page it takes half the
 * system calls of the usual 4 KiB, and a single score does not write much more than it needs. */
static const char NEW_DATABASE[] = "PRAGMA page_size = 8192";

/* ---- SQLite itself ---- */

/* Whether SQLite could be set up; written once, by configure. */
static int configured = SQLITE_OK;

/* Connections stay with one thread each, so SQLite's locks on them go; nor need it count its memory or read URIs. */
static void
configure(void)
{
    configured = sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    if (configured == SQLITE_OK)
        configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (configured == SQLITE_OK)
        configured = sqlite3_config(SQLITE_CONFIG_URI, 0);
    if (configured == SQLITE_OK)
        configured = sqlite3_initialize();
    if (configured == SQLITE_OK)
        configured = lf_scrub_register();
}

static enum lf_status
configure_once(struct lf_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, configure); /* cannot fail for these arguments */
    if (configured != SQLITE_OK)
        return lf_fail(error, LF_INTERNAL, "SQLite cannot be set up: %s", sqlite3_errstr(configured));
    return LF_OK;
}

/* ---- the files ---- */

static enum lf_status
cannot(const char *what, const char *path, struct lf_error *error)
{
    int reason = errno;

    return lf_fail(error, reason == ENOSPC || reason == EDQUOT ? LF_STORAGE_FULL : LF_FILE, "cannot %s %s: %s", what,
                   path, strerror(reason));
}

/* Makes an empty file that only its owner can read, for SQLite to fill; its WAL gets the same mode. This is the one
 * place that opens the database file by itself, when nobody can have it open yet. */
static enum lf_status
create_file(const char *path, struct lf_error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST ? LF_OK : cannot("make the database", path, error);
    (void)close(fd);
    return lf_sqlite_sync_directory(path) ? LF_OK : cannot("write the directory of", path, error);
}

/* Finds the file, making it where it may, and fills in the store's path. */
static enum lf_status
find_file(struct lf_sqlite_store *store, const char *path, struct lf_error *error)
{
    struct stat is;
    enum lf_status status = LF_OK;

    if (path == NULL || path[0] == '\0')
        return lf_fail(error, LF_FILE, "no database is named");
    if (!store->read_only)
        status = create_file(path, error);
    if (status != LF_OK)
        return status;
    store->path = realpath(path, NULL);
    if (store->path == NULL)
        return errno == ENOENT ? lf_fail(error, LF_FILE, "there is no database %s", path)
                               : cannot("find the database", path, error);
    if (stat(store->path, &is) != 0)
        return cannot("look at the database", store->path, error);
    if (!S_ISREG(is.st_mode))
        return lf_fail(error, LF_FILE, "%s is not a file", store->path);
    if (access(store->path, store->read_only ? R_OK : R_OK | W_OK) != 0)
        return cannot(store->read_only ? "read the database" : "write the database", store->path, error);
    return LF_OK;
}

/* Takes the lock of the one that writes, for as long as the store is open; the file itself stays. */
static enum lf_status
take_lock(struct lf_sqlite_store *store, struct lf_error *error)
{
    struct stat database;
    char *path = NULL;
    enum lf_status status = LF_OK;

    if (asprintf(&path, "%s.lock", store->path) < 0)
        return lf_fail(error, LF_OUT_OF_MEMORY, "opening the database: memory is out");
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock < 0) {
        status = cannot("open the lock file", path, error);
    } else if (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
        status =
            errno == EWOULDBLOCK
                ? lf_fail(error, LF_STORAGE_IN_USE,
                          "a leadfit server (or another leadfit command) has %s open: stop it first, or use its API",
                          store->path)
                : cannot("lock", path, error);
    } else if (geteuid() == 0 && stat(store->path, &database) == 0) {
        /* Root leaves the lock to the database's owner, as SQLite does with the WAL. */
        if (fchown(store->lock, database.st_uid, database.st_gid) != 0)
            status = cannot("give away the lock file", path, error);
    }
    free(path);
    return status;
}

/* ---- opening and closing ---- */

/* Called after each commit; a hook of one's own also turns SQLite's automatic checkpoints off. */
static int
note_wal_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    struct lf_sqlite_store *store = context;

    (void)db;
    (void)name;
    store->wal_pages = pages;
    return SQLITE_OK;
}

/* WAL mode, which stays with the file. A file system without shared memory cannot have it. */
static enum lf_status
enter_wal(struct lf_connection *connection, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, "PRAGMA journal_mode = WAL", -1, &statement, NULL);

    if (rc != SQLITE_OK)
        return lf_sqlite_fail(connection, rc, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && (!row || sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0))
        status = lf_fail(error, LF_STORAGE_FAILED,
                         "%s lies on a file system that cannot share memory, as a write-ahead log needs; put it on a"
                         " local disk",
                         connection->path);
    (void)sqlite3_finalize(statement);
    return status;
}

static enum lf_status
open_writer(struct lf_sqlite_store *store, struct lf_error *error)
{
    struct lf_connection *connection = &store->writer;
    enum lf_status status = lf_connection_open(connection, store->path, LF_CONNECTION_WRITER, error);

    if (status != LF_OK)
        return status;
    (void)sqlite3_wal_hook(connection->db, note_wal_pages, store);
    status = lf_sqlite_recognise(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_exec(connection, NEW_DATABASE, error);
    if (status == LF_OK)
        status = enter_wal(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_migrate(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_int(connection, "PRAGMA page_size", &store->page_size, error);
    if (status == LF_OK)
        status = lf_sqlite_load_end(store, error);
    return status;
}

/* A store that only reads: looks once whether it can. */
static enum lf_status
try_reader(struct lf_sqlite_store *store, struct lf_error *error)
{
    struct lf_connection connection;
    enum lf_status status = lf_connection_open(&connection, store->path, LF_CONNECTION_READER, error);

    if (status != LF_OK)
        return status;
    status = lf_sqlite_schema_fits(&connection, error);
    lf_connection_close(&connection);
    return status;
}

static void
sqlite_close(struct lf_store *base)
{
    struct lf_sqlite_store *store = (struct lf_sqlite_store *)base;

    /* The last connection to close moves the whole WAL into the database. What fails there is not lost: it stays in
     * the WAL and is found at the next start. */
    lf_connection_close(&store->writer);
    lf_block_writer_finish(&store->block);
    if (store->lock >= 0)
        (void)close(store->lock); /* lets go of the lock */
    free(store->path);
    free(store);
}

static enum lf_status
sqlite_open(const struct lf_store_options *options, struct lf_store **ret_store, struct lf_error *error)
{
    struct lf_sqlite_store *store = NULL;
    enum lf_status status = configure_once(error);

    if (status != LF_OK)
        return status;
    store = calloc(1, sizeof *store);
    if (store == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "opening the database: memory is out");
    store->read_only = options->read_only;
    store->lock = -1;
    lf_block_writer_init(&store->block);
    status = find_file(store, options->path, error);
    if (status == LF_OK && !store->read_only)
        status = take_lock(store, error);
    if (status == LF_OK)
        status = store->read_only ? try_reader(store, error) : open_writer(store, error);
    if (status != LF_OK) {
        sqlite_close(&store->base);
        return status;
    }
    *ret_store = &store->base;
    return LF_OK;
}

static void
sqlite_reader_close(struct lf_store_reader *base)
{
    struct lf_sqlite_reader *reader = (struct lf_sqlite_reader *)base;

    lf_connection_close(&reader->connection);
    free(reader);
}

static enum lf_status
sqlite_reader_open(struct lf_store *base, struct lf_store_reader **ret_reader, struct lf_error *error)
{
    const struct lf_sqlite_store *store = (const struct lf_sqlite_store *)base;
    struct lf_sqlite_reader *reader = calloc(1, sizeof *reader);
    enum lf_status status = LF_OK;

    if (reader == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "opening the database: memory is out");
    status = lf_connection_open(&reader->connection, store->path, LF_CONNECTION_READER, error);
    if (status != LF_OK) {
        free(reader);
        return status;
    }
    *ret_reader = &reader->base;
    return LF_OK;
}

struct lf_connection *
lf_sqlite_writer(struct lf_store *base, const char *doing, struct lf_error *error)
{
    struct lf_sqlite_store *store = (struct lf_sqlite_store *)base;

    if (store->read_only) {
        (void)lf_fail(error, LF_STORAGE_FAILED, "%s: %s was opened for reading only", doing, store->path);
        return NULL;
    }
    store->writer.doing = doing;
    return &store->writer;
}

struct lf_connection *
lf_sqlite_reader(struct lf_store_reader *base, const char *doing)
{
    struct lf_sqlite_reader *reader = (struct lf_sqlite_reader *)base;

    reader->connection.doing = doing;
    return &reader->connection;
}

/* ---- keeping the WAL small ---- */

/* Cuts the WAL to nothing, unless a reader still needs it: then another time, for the writer does not wait. */
static int
truncate_wal(struct lf_sqlite_store *store)
{
    sqlite3 *db = store->writer.db;
    int rc = SQLITE_OK;

    (void)sqlite3_busy_timeout(db, 0);
    rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_busy_timeout(db, LF_BUSY_TIMEOUT_MS);
    if (rc == SQLITE_OK)
        store->wal_pages = 0;
    return rc;
}

static enum lf_status
sqlite_checkpoint(struct lf_store *base, bool truncate, struct lf_error *error)
{
    struct lf_sqlite_store *store = (struct lf_sqlite_store *)base;
    struct lf_connection *connection = NULL;
    enum lf_status status = LF_OK;
    int rc = SQLITE_OK;

    if (store->wal_pages < store->wal_pages_tried)
        store->wal_pages_tried = 0; /* the WAL began anew */
    if (!truncate && (store->wal_pages - store->wal_pages_tried) * store->page_size < WAL_STEP)
        return LF_OK;
    connection = lf_sqlite_writer(base, "moving the write-ahead log into the database", error);
    if (connection == NULL)
        return LF_STORAGE_FAILED;
    if (truncate || store->wal_pages * store->page_size > WAL_TRUNCATE)
        rc = truncate_wal(store);
    else
        rc = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    store->wal_pages_tried = store->wal_pages;
    /* Busy: somebody still reads what lies in it, and nothing is lost by waiting for the next time. */
    if (rc == SQLITE_OK || (!truncate && (rc & 0xFF) == SQLITE_BUSY))
        return LF_OK;
    if ((rc & 0xFF) == SQLITE_BUSY)
        return lf_fail(error, LF_STORAGE_IN_USE, "%s: somebody still reads what lies in it", connection->doing);
    status = lf_sqlite_fail(connection, rc, error);
    if (status == LF_STORAGE_FAILED || status == LF_STORAGE_CORRUPT)
        lf_sqlite_distrust(connection);
    return status;
}

static enum lf_status
sqlite_probe(struct lf_store *store, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "trying to write", error);
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = lf_sqlite_get(connection, LF_SQL_PROBE, &statement, error);
    if (status == LF_OK)
        status = lf_sqlite_run(connection, statement, error);
    return lf_sqlite_end(connection, status, error);
}

static enum lf_status
sqlite_hold(struct lf_store_reader *reader, struct lf_error *error)
{
    return lf_sqlite_hold(lf_sqlite_reader(reader, "holding what is read"), error);
}

static void
sqlite_let_go(struct lf_store_reader *reader)
{
    lf_sqlite_let_go(lf_sqlite_reader(reader, "letting go of what was read"));
}

const struct lf_store_backend LF_SQLITE_BACKEND = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .reader_open = sqlite_reader_open,
    .reader_close = sqlite_reader_close,
    .record = lf_sqlite_record,
    .settle = lf_sqlite_settle,
    .publish = lf_sqlite_publish,
    .put_draft = lf_sqlite_put_draft,
    .delete_draft = lf_sqlite_delete_draft,
    .publish_draft = lf_sqlite_publish_draft,
    .activate = lf_sqlite_activate,
    .set_archived = lf_sqlite_set_archived,
    .begin_list = lf_sqlite_begin_list,
    .add_list_entries = lf_sqlite_add_list_entries,
    .put_list = lf_sqlite_put_list,
    .patch_list = lf_sqlite_patch_list,
    .delete_list = lf_sqlite_delete_list,
    .sweep_lists = lf_sqlite_sweep_lists,
    .create_key = lf_sqlite_create_key,
    .revoke_key = lf_sqlite_revoke_key,
    .touch_keys = lf_sqlite_touch_keys,
    .put_outcomes = lf_sqlite_put_outcomes,
    .erase_lead = lf_sqlite_erase_lead,
    .prune = lf_sqlite_prune,
    .checkpoint = sqlite_checkpoint,
    .probe = sqlite_probe,
    .icps = lf_sqlite_icps,
    .icp = lf_sqlite_icp,
    .version = lf_sqlite_version,
    .version_by_id = lf_sqlite_version_by_id,
    .active_versions = lf_sqlite_active_versions,
    .versions = lf_sqlite_versions,
    .each_version = lf_sqlite_each_version,
    .draft = lf_sqlite_draft,
    .lists = lf_sqlite_lists,
    .list = lf_sqlite_list,
    .each_list_entry = lf_sqlite_each_list_entry,
    .audit = lf_sqlite_audit,
    .last_audit = lf_sqlite_last_audit,
    .lead = lf_sqlite_lead,
    .knows_lead = lf_sqlite_knows_lead,
    .leads = lf_sqlite_leads,
    .each_lead_score = lf_sqlite_each_lead_score,
    .each_lead = lf_sqlite_each_lead,
    .each_rollup = lf_sqlite_each_rollup,
    .hold = sqlite_hold,
    .let_go = sqlite_let_go,
    .progress = lf_sqlite_progress,
    .hash_key = lf_sqlite_hash_key,
    .outcome = lf_sqlite_outcome,
    .keys = lf_sqlite_keys,
    .score = lf_sqlite_score,
    .each_score = lf_sqlite_each_score,
    .each_score_behind = lf_sqlite_each_score_behind,
    .last_score = lf_sqlite_last_score,
    .facts = lf_sqlite_facts,
    .check = lf_sqlite_check,
    .backup = lf_sqlite_backup,
    .answer = lf_sqlite_answer,
    .prune_answers = lf_sqlite_prune_answers,
    .put_source = lf_sqlite_put_source,
    .delete_source = lf_sqlite_delete_source,
    .sources = lf_sqlite_sources,
    .put_refusals = lf_sqlite_put_refusals,
    .refusals = lf_sqlite_refusals,
    .put_subscription = lf_sqlite_put_subscription,
    .delete_subscription = lf_sqlite_delete_subscription,
    .stop_subscription = lf_sqlite_stop_subscription,
    .subscriptions = lf_sqlite_subscriptions,
    .deliveries = lf_sqlite_deliveries,
    .delivery = lf_sqlite_delivery,
    .outbox = lf_sqlite_outbox,
    .note_attempts = lf_sqlite_note_attempts,
    .retry_delivery = lf_sqlite_retry_delivery,
    .fail_deliveries = lf_sqlite_fail_deliveries,
    .prune_deliveries = lf_sqlite_prune_deliveries,
    .last_grade = lf_sqlite_last_grade,
    .drift = lf_sqlite_drift,
    .note_drift = lf_sqlite_note_drift,
};
