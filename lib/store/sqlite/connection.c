/* connection.c - see connection.h. */
#include "store/sqlite/connection.h"

#include "store/sqlite/scrub.h"

#include <errno.h>
#include <string.h>

/* Page caches, in KiB. Appending touches the right edge of the trees alone, and a reader finds the blocks it looks for
 * in the system's page cache, so small ones serve and the process stays small. */
#define WRITER_CACHE "PRAGMA cache_size = -1024;"
#define READER_CACHE "PRAGMA cache_size = -512;"

static const char *const SQL[LF_SQL_COUNT] = {
#define LF_X(name, sql) [LF_SQL_##name] = sql,
    LF_SQL_LIST(LF_X)
#undef LF_X
};

/* secure_delete: what is erased is overwritten with zeros, not only given up; scrub.h does the rest. cell_size_check: a
 * damaged page is noticed before it does harm. journal_size_limit: a WAL that grew beside a long reader shrinks again
 * when it begins anew. cache_spill: see reliability rules; a transaction is written at its commit, not before. */
static const char COMMON_SETUP[] = "PRAGMA foreign_keys = ON;"
                                   "PRAGMA mmap_size = 0;"
                                   "PRAGMA cell_size_check = ON;"
                                   "PRAGMA temp_store = MEMORY;";
static const char WRITER_SETUP[] = "PRAGMA synchronous = FULL;"
                                   "PRAGMA secure_delete = ON;"
                                   "PRAGMA cache_spill = OFF;"
                                   "PRAGMA journal_size_limit = 16777216;" WRITER_CACHE;
static const char READER_SETUP[] = "PRAGMA query_only = ON;" READER_CACHE;

/* The system's reason for the last failure on one of the files, 0 for none. */
static int
file_errno(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;
    int reason = 0;

    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || file == NULL || file->pMethods == NULL)
        return 0;
    return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason) == SQLITE_OK ? reason : 0;
}

/* The system's reason for a failure: SQLite notes it with the connection or, while it commits, with the write-ahead
 * log or the database alone. */
static int
system_reason(const struct lf_connection *connection)
{
    int reason = connection->db == NULL ? 0 : sqlite3_system_errno(connection->db);

    if (reason == 0 && connection->db != NULL)
        reason = file_errno(connection->db, SQLITE_FCNTL_JOURNAL_POINTER);
    if (reason == 0 && connection->db != NULL)
        reason = file_errno(connection->db, SQLITE_FCNTL_FILE_POINTER);
    return reason;
}

/* Whether a write failed for lack of room alone: SQLite says SQLITE_FULL for ENOSPC where it writes pages, but not for
 * a quota nor for the shared-memory file. A failed fsync stays a failure, for what it lost is unknown. */
static bool
is_full(int rc, int reason)
{
    return (rc == SQLITE_IOERR_WRITE || rc == SQLITE_IOERR_SHMSIZE || rc == SQLITE_IOERR_SHMOPEN) &&
           (reason == ENOSPC || reason == EDQUOT);
}

enum lf_status
lf_sqlite_fail(const struct lf_connection *connection, int rc, struct lf_error *error)
{
    const char *path = connection->path, *doing = connection->doing, *words = sqlite3_errstr(rc);
    int primary = rc & 0xFF,
        reason = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? system_reason(connection) : 0;

    if (primary == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
        return lf_sqlite_no_memory(connection, error);
    if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && is_full(rc, reason)))
        return lf_fail(error, LF_STORAGE_FULL,
                       "%s: no room is left for %s; it goes on by itself once there is space on that disk", doing,
                       path);
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || rc == SQLITE_IOERR_CORRUPTFS)
        return lf_fail(error, LF_STORAGE_CORRUPT,
                       "%s: %s is damaged or not a database (%s); look at it with leadfit check and restore a backup",
                       doing, path, words);
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        return lf_fail(error, LF_STORAGE_IN_USE, "%s: another program keeps %s locked", doing, path);
    if (primary == SQLITE_INTERRUPT)
        return lf_fail(error, LF_NOT_READY, "%s: stopped before it was done", doing);
    if (primary == SQLITE_CONSTRAINT || primary == SQLITE_MISUSE || primary == SQLITE_TOOBIG)
        return lf_fail(error, LF_INTERNAL, "%s: %s", doing,
                       connection->db != NULL ? sqlite3_errmsg(connection->db) : words);
    if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN)
        return lf_fail(error, LF_STORAGE_FAILED, "%s: the disk or file system failed on %s (%s, code %d: %s)", doing,
                       path, words, rc, reason != 0 ? strerror(reason) : "no reason given");
    return lf_fail(error, LF_STORAGE_FAILED, "%s: %s: %s", doing, path,
                   connection->db != NULL ? sqlite3_errmsg(connection->db) : words);
}

enum lf_status
lf_sqlite_no_memory(const struct lf_connection *connection, struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "%s: memory is out", connection->doing);
}

enum lf_status
lf_connection_open(struct lf_connection *connection, const char *path, enum lf_connection_mode mode,
                   struct lf_error *error)
{
    bool writer = mode == LF_CONNECTION_WRITER;
    enum lf_status status = LF_OK;
    int rc = SQLITE_OK;

    *connection = (struct lf_connection){.path = path, .doing = "opening the database"};
    rc = sqlite3_open_v2(path, &connection->db,
                         (writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX,
                         writer ? LF_SCRUB_VFS : NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(connection->db, 1);
        (void)sqlite3_busy_timeout(connection->db, LF_BUSY_TIMEOUT_MS);
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
        status = lf_sqlite_exec(connection, COMMON_SETUP, error);
        if (status == LF_OK)
            status = lf_sqlite_exec(connection, writer ? WRITER_SETUP : READER_SETUP, error);
    } else {
        status = lf_sqlite_fail(connection, rc, error);
    }
    if (status != LF_OK)
        lf_connection_close(connection);
    return status;
}

void
lf_connection_close(struct lf_connection *connection)
{
    for (size_t i = 0; i < LF_SQL_COUNT; i++)
        (void)sqlite3_finalize(connection->statements[i]); /* says again what its last step said */
    (void)sqlite3_close(connection->db);                   /* cannot be busy: all statements are finalized */
    *connection = (struct lf_connection){.db = NULL};
}

enum lf_status
lf_sqlite_get(struct lf_connection *connection, enum lf_sql which, sqlite3_stmt **ret_statement, struct lf_error *error)
{
    sqlite3_stmt **slot = &connection->statements[which];

    if (*slot == NULL) {
        int rc = sqlite3_prepare_v3(connection->db, SQL[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (rc != SQLITE_OK)
            return lf_sqlite_fail(connection, rc, error);
    }
    *ret_statement = *slot;
    return LF_OK;
}

enum lf_status
lf_sqlite_step(struct lf_connection *connection, sqlite3_stmt *statement, bool *ret_row, struct lf_error *error)
{
    enum lf_status status = LF_OK;
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        *ret_row = rc == SQLITE_ROW;
        return LF_OK;
    }
    status = lf_sqlite_fail(connection, rc, error);
    (void)sqlite3_reset(statement); /* says the same again */
    return status;
}

enum lf_status
lf_sqlite_run(struct lf_connection *connection, sqlite3_stmt *statement, struct lf_error *error)
{
    bool row = false;
    enum lf_status status = lf_sqlite_step(connection, statement, &row, error);

    if (status == LF_OK)
        (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_exec(struct lf_connection *connection, const char *sql, struct lf_error *error)
{
    int rc = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? LF_OK : lf_sqlite_fail(connection, rc, error);
}

enum lf_status
lf_sqlite_int(struct lf_connection *connection, const char *sql, int64_t *ret_value, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);

    if (rc != SQLITE_OK)
        return lf_sqlite_fail(connection, rc, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK)
        *ret_value = row ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    return status;
}

/* Runs a cached statement that has nothing to bind. */
static enum lf_status
run_cached(struct lf_connection *connection, enum lf_sql which, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    return status != LF_OK ? status : lf_sqlite_run(connection, statement, error);
}

/* Begins a transaction. What ends it is there first: rolling back must not fail for want of memory. */
static enum lf_status
begin(struct lf_connection *connection, enum lf_sql which, struct lf_error *error)
{
    sqlite3_stmt *rollback = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ROLLBACK, &rollback, error);

    return status != LF_OK ? status : run_cached(connection, which, error);
}

enum lf_status
lf_sqlite_begin(struct lf_connection *connection, struct lf_error *error)
{
    return begin(connection, LF_SQL_BEGIN, error);
}

enum lf_status
lf_sqlite_end(struct lf_connection *connection, enum lf_status status, struct lf_error *error)
{
    if (status == LF_OK)
        status = run_cached(connection, LF_SQL_COMMIT, error);
    if (status == LF_STORAGE_FAILED || status == LF_STORAGE_CORRUPT)
        lf_sqlite_distrust(connection);
    /* Several failures (a full disk among them) roll back by themselves; where not, it is done here. Its own failure
     * tells nothing that status does not. */
    if (status != LF_OK && sqlite3_get_autocommit(connection->db) == 0)
        (void)run_cached(connection, LF_SQL_ROLLBACK, NULL);
    return status;
}

void
lf_sqlite_distrust(struct lf_connection *connection)
{
    (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* cannot fail */
}

enum lf_status
lf_sqlite_begin_read(struct lf_connection *connection, struct lf_error *error)
{
    return connection->held ? LF_OK : begin(connection, LF_SQL_BEGIN_READ, error);
}

void
lf_sqlite_end_read(struct lf_connection *connection)
{
    if (!connection->held && sqlite3_get_autocommit(connection->db) == 0)
        (void)run_cached(connection, LF_SQL_ROLLBACK, NULL); /* nothing was written */
}

enum lf_status
lf_sqlite_hold(struct lf_connection *connection, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (connection->held)
        return lf_fail(error, LF_INTERNAL, "%s: it is held already", connection->doing);
    status = lf_sqlite_begin_read(connection, error);
    connection->held = status == LF_OK;
    return status;
}

void
lf_sqlite_let_go(struct lf_connection *connection)
{
    connection->held = false;
    lf_sqlite_end_read(connection);
}

char *
lf_sqlite_text(struct lf_arena *arena, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text == NULL ? NULL
                        : lf_arena_copy(arena, (const char *)text, (size_t)sqlite3_column_bytes(statement, column));
}

enum lf_status
lf_sqlite_blob(const struct lf_connection *connection, sqlite3_stmt *statement, int column, void *to, size_t size,
               struct lf_error *error)
{
    const void *blob = sqlite3_column_blob(statement, column);

    if (blob == NULL || (size_t)sqlite3_column_bytes(statement, column) != size)
        return lf_fail(error, LF_STORAGE_CORRUPT, "%s: column %s has the wrong length", connection->path,
                       sqlite3_column_name(statement, column));
    memcpy(to, blob, size);
    return LF_OK;
}

enum lf_status
lf_sqlite_bytes(const struct lf_connection *connection, sqlite3_stmt *statement, int column, const void **ret_bytes,
                size_t *ret_len, struct lf_error *error)
{
    const void *bytes = sqlite3_column_blob(statement, column);

    /* NULL also stands for an empty blob. */
    if (bytes == NULL && sqlite3_errcode(connection->db) == SQLITE_NOMEM)
        return lf_sqlite_no_memory(connection, error);
    *ret_bytes = bytes != NULL ? bytes : "";
    *ret_len = bytes != NULL ? (size_t)sqlite3_column_bytes(statement, column) : 0;
    return LF_OK;
}

void *
lf_sqlite_grow(struct lf_arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    void *larger = NULL;

    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    larger = lf_arena_calloc(arena, *capacity, size);
    if (larger != NULL && count > 0)
        memcpy(larger, items, count * size);
    return larger;
}
