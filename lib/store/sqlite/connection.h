/*
 * connection.h - one SQLite connection: opening, cached statements, transactions, and errors in words a person
 * understands. Only for the files in this folder (and tests that look behind the store).
 *
 * A connection belongs to one thread at a time (SQLite's own locks are off).
 */
#ifndef LF_STORE_SQLITE_CONNECTION_H
#define LF_STORE_SQLITE_CONNECTION_H

#include "base/arena.h"
#include "base/status.h"
#include "store/sqlite/statements.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

enum lf_sql {
#define LF_X(name, sql) LF_SQL_##name,
    LF_SQL_LIST(LF_X)
#undef LF_X
        LF_SQL_COUNT
};

struct lf_connection {
    sqlite3 *db;
    const char *path;  /* the store's; for messages */
    const char *doing; /* what is being tried, a static text such as "recording scores"; for messages */
    bool held;         /* a reading transaction is open until lf_sqlite_let_go */
    sqlite3_stmt *statements[LF_SQL_COUNT];
};

/* A writer waits this long for a lock that another program holds (a sqlite3 shell, say), then gives up. */
enum { LF_BUSY_TIMEOUT_MS = 5000 };

enum lf_connection_mode { LF_CONNECTION_WRITER, LF_CONNECTION_READER };

/* Opens the database at path, which stays the caller's and must outlive the connection, and sets it up for its mode.
 * Neither creates nor migrates. On failure nothing is left open. */
enum lf_status lf_connection_open(struct lf_connection *connection, const char *path, enum lf_connection_mode mode,
                                  struct lf_error *error) LF_MUST_CHECK;

/* Closes; fine on one that was never opened (all zeros). */
void lf_connection_close(struct lf_connection *connection);

/* Turns a result of SQLite into a status and a detail. */
enum lf_status lf_sqlite_fail(const struct lf_connection *connection, int rc, struct lf_error *error);

/* The statement, prepared at its first use. Bindings are those of its last use. Give it back by sqlite3_reset, which
 * lf_sqlite_run does by itself. */
enum lf_status lf_sqlite_get(struct lf_connection *connection, enum lf_sql which, sqlite3_stmt **ret_statement,
                             struct lf_error *error) LF_MUST_CHECK;

/* Steps; *ret_row says whether there is a row. After a failure the statement is reset. */
enum lf_status lf_sqlite_step(struct lf_connection *connection, sqlite3_stmt *statement, bool *ret_row,
                              struct lf_error *error) LF_MUST_CHECK;

/* Steps a statement that gives no rows to its end and resets it. */
enum lf_status
lf_sqlite_run(struct lf_connection *connection, sqlite3_stmt *statement, struct lf_error *error) LF_MUST_CHECK;

/* Runs SQL that is needed once, rows ignored. */
enum lf_status lf_sqlite_exec(struct lf_connection *connection, const char *sql, struct lf_error *error) LF_MUST_CHECK;

/* The first column of the first row, as a whole number (0 without a row). */
enum lf_status lf_sqlite_int(struct lf_connection *connection, const char *sql, int64_t *ret_value,
                             struct lf_error *error) LF_MUST_CHECK;

/* A writing transaction (BEGIN IMMEDIATE). */
enum lf_status lf_sqlite_begin(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* Ends it: commits where status is LF_OK, else rolls back and returns status. */
enum lf_status
lf_sqlite_end(struct lf_connection *connection, enum lf_status status, struct lf_error *error) LF_MUST_CHECK;

/* After a failure of the disk: closing leaves the write-ahead log as it is, for the next start to recover from. */
void lf_sqlite_distrust(struct lf_connection *connection);

/* A reading transaction: several statements see the same moment. Ended by lf_sqlite_end_read. Where the connection is
 * held both do nothing, for there is one already. */
enum lf_status lf_sqlite_begin_read(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;
void lf_sqlite_end_read(struct lf_connection *connection);

/* A reading transaction over several calls. INTERNAL where there is one already. */
enum lf_status lf_sqlite_hold(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;
void lf_sqlite_let_go(struct lf_connection *connection);

/* A text of the present row, copied into the arena, NUL-terminated. NULL when memory is out. */
char *lf_sqlite_text(struct lf_arena *arena, sqlite3_stmt *statement, int column);

/* Copies a blob of exactly `size` bytes; STORAGE_CORRUPT when it has another length. */
enum lf_status lf_sqlite_blob(const struct lf_connection *connection, sqlite3_stmt *statement, int column, void *to,
                              size_t size, struct lf_error *error) LF_MUST_CHECK;

/* A blob of any size in the present row, borrowed until the next step or reset. OUT_OF_MEMORY. */
enum lf_status lf_sqlite_bytes(const struct lf_connection *connection, sqlite3_stmt *statement, int column,
                               const void **ret_bytes, size_t *ret_len, struct lf_error *error) LF_MUST_CHECK;

/* OUT_OF_MEMORY: the answer when an arena is exhausted. */
enum lf_status lf_sqlite_no_memory(const struct lf_connection *connection, struct lf_error *error);

/* Makes room for one more item: returns items, or a copy twice as large in the arena (*capacity follows). NULL when
 * memory is out. */
void *lf_sqlite_grow(struct lf_arena *arena, void *items, size_t count, size_t *capacity, size_t size);

#endif
