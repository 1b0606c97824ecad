/* drift.c - how far the scores of a version were found to have moved, and the events that tell so. What counts as moved
 * is decided above (app/events_drift.c). */
#include "store/sqlite/internal.h"

enum lf_status
lf_sqlite_drift(struct lf_store_reader *reader, int64_t version_id, int *ret_level, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading how far scores have moved");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DRIFT, &statement, error);

    if (status == LF_OK && sqlite3_bind_int64(statement, 1, version_id) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_level = row ? sqlite3_column_int(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return LF_OK;
}

/* Within the transaction. */
static enum lf_status
write_level(struct lf_connection *connection, enum lf_sql which, int64_t version_id, int level, int64_t at_ms,
            struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, version_id) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, level) != SQLITE_OK || sqlite3_bind_int64(statement, 3, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* The one there was, or a new one. Within the transaction. */
static enum lf_status
note_level(struct lf_connection *connection, int64_t version_id, int level, int64_t at_ms, struct lf_error *error)
{
    enum lf_status status = write_level(connection, LF_SQL_CHANGE_DRIFT, version_id, level, at_ms, error);

    if (status != LF_OK || sqlite3_changes(connection->db) > 0)
        return status;
    return write_level(connection, LF_SQL_ADD_DRIFT, version_id, level, at_ms, error);
}

enum lf_status
lf_sqlite_note_drift(struct lf_store *store, int64_t version_id, int level, int64_t at_ms,
                     const struct lf_new_delivery *deliveries, size_t count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "noting how far scores have moved", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = note_level(connection, version_id, level, at_ms, error);
    if (status == LF_OK)
        status = lf_sqlite_put_deliveries(connection, deliveries, count, error);
    return lf_sqlite_end(connection, status, error);
}
