/*
 * rollups.c - what scores add up to, in bytes that are not read here; and how far what is derived from scores has come.
 */
#include "store/sqlite/internal.h"

#include <string.h>

/* ---- writing ---- */

static bool
bind_rollup(sqlite3_stmt *statement, const struct lf_stored_rollup *rollup)
{
    /* Nothing is copied: the body outlives the step, and the next use binds anew. */
    return sqlite3_bind_int64(statement, 1, rollup->version_id) == SQLITE_OK &&
           sqlite3_bind_int(statement, 2, (int)rollup->kind) == SQLITE_OK &&
           sqlite3_bind_int(statement, 3, (int)rollup->span) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 4, rollup->start_hour) == SQLITE_OK &&
           sqlite3_bind_blob64(statement, 5, rollup->body, rollup->body_len, SQLITE_STATIC) == SQLITE_OK;
}

static enum lf_status
put_rollup(struct lf_connection *connection, enum lf_sql which, const struct lf_stored_rollup *rollup,
           struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    return bind_rollup(statement, rollup) ? lf_sqlite_run(connection, statement, error)
                                          : lf_sqlite_no_memory(connection, error);
}

enum lf_status
lf_sqlite_put_rollups(struct lf_connection *connection, const struct lf_stored_rollup *rollups, size_t count,
                      struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count && status == LF_OK; i++) {
        status = put_rollup(connection, LF_SQL_CHANGE_ROLLUP, &rollups[i], error);
        if (status == LF_OK && sqlite3_changes(connection->db) == 0)
            status = put_rollup(connection, LF_SQL_ADD_ROLLUP, &rollups[i], error);
    }
    return status;
}

enum lf_status
lf_sqlite_raise_meta(struct lf_connection *connection, const char *name, int64_t value, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_RAISE_META, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, value) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* ---- reading ---- */

enum lf_status
lf_sqlite_meta(struct lf_connection *connection, const char *name, int64_t *ret_value, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_META, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && !row)
        status = lf_fail(error, LF_STORAGE_CORRUPT, "%s: %s is missing in table meta", connection->path, name);
    if (status == LF_OK)
        *ret_value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement);
    return status;
}

static enum lf_status
read_progress(struct lf_connection *connection, struct lf_store_progress *progress, struct lf_error *error)
{
    const struct {
        const char *name;
        int64_t *value;
    } parts[] = {
        {"settled_block", &progress->settled_block},
        {"rolled_block", &progress->rolled_block},
        {"due_block", &progress->due_block},
        {"pruned_ms", &progress->pruned_ms},
    };
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == LF_OK; i++)
        status = lf_sqlite_meta(connection, parts[i].name, parts[i].value, error);
    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_BLOCK_RANGE, &statement, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK)
        progress->last_block = sqlite3_column_int64(statement, 1); /* null counts as 0 */
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_progress(struct lf_store_reader *reader, struct lf_store_progress *ret_progress, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading how far leads are settled");
    struct lf_store_progress progress = {.last_block = 0};
    enum lf_status status = lf_sqlite_begin_read(connection, error);

    if (status != LF_OK)
        return status;
    status = read_progress(connection, &progress, error);
    lf_sqlite_end_read(connection);
    if (status == LF_OK)
        *ret_progress = progress;
    return status;
}

enum lf_status
lf_sqlite_hash_key(struct lf_store_reader *reader, uint8_t ret_key[LF_SHA256_SIZE], struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the key that hashes values");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SECRET, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, "lead_hash", -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK)
        status = row ? lf_sqlite_blob(connection, statement, 0, ret_key, LF_SHA256_SIZE, error)
                     : lf_fail(error, LF_STORAGE_CORRUPT, "%s: the key that hashes values is missing; restore a backup",
                               connection->path);
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_each_rollup(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                      enum lf_rollup_span span, int64_t from_hour, int64_t to_hour,
                      enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup), void *context,
                      struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading what scores add up to");
    struct lf_stored_rollup rollup = {.version_id = version_id, .kind = kind, .span = span};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ROLLUPS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, version_id) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, (int)kind) != SQLITE_OK ||
        sqlite3_bind_int(statement, 3, (int)span) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 4, from_hour) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 5, to_hour) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        rollup.start_hour = sqlite3_column_int64(statement, 0);
        status = lf_sqlite_bytes(connection, statement, 1, &rollup.body, &rollup.body_len, error);
        if (status == LF_OK)
            status = each(context, &rollup);
    }
    (void)sqlite3_reset(statement);
    return status;
}
