/* keys.c - API keys: what is known of them. Secrets are never here, only their SHA-256. */
#include "store/sqlite/internal.h"

#include <stdio.h>

/* Within the transaction. */
static enum lf_status
create_key(struct lf_connection *connection, const struct lf_stored_key *key, const struct lf_change *change,
           struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "key.create", .icp = "", .subject = key->id};
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_KEY, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key->id, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 2, key->name, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, key->scopes) != SQLITE_OK ||
        sqlite3_bind_blob(statement, 4, key->secret_hash, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 5, key->created_at_ms) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 6, key->expires_at_ms) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 7, key->revoked_at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK && sqlite3_changes(connection->db) == 0)
        status = lf_fail(error, LF_CONFLICT, "there is an API key \"%s\" already", key->id);
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_create_key(struct lf_store *store, const struct lf_stored_key *key, const struct lf_change *change,
                     struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "creating an API key", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = create_key(connection, key, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* Within the transaction. */
static enum lf_status
revoke_key(struct lf_connection *connection, const char *id, const struct lf_change *change, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "key.revoke", .icp = "", .subject = id};
    sqlite3_stmt *exists = NULL, *revoke = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_KEY_EXISTS, &exists, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_REVOKE_KEY, &revoke, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(exists, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(revoke, 1, id, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(revoke, 2, change->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, exists, &row, error);
    (void)sqlite3_reset(exists);
    if (status != LF_OK)
        return status;
    if (!row)
        return lf_fail(error, LF_KEY_NOT_FOUND, "there is no API key \"%s\"", id);
    status = lf_sqlite_run(connection, revoke, error);
    if (status != LF_OK || sqlite3_changes(connection->db) == 0) /* revoked before: nothing has changed */
        return status;
    return lf_sqlite_add_trace(connection, &trace, change, error);
}

enum lf_status
lf_sqlite_revoke_key(struct lf_store *store, const char *id, const struct lf_change *change, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "revoking an API key", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = revoke_key(connection, id, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* Within the transaction. */
static enum lf_status
touch_keys(struct lf_connection *connection, const struct lf_key_use *uses, size_t count, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_TOUCH_KEY, &statement, error);

    for (size_t i = 0; status == LF_OK && i < count; i++) {
        if (sqlite3_bind_text(statement, 1, uses[i].id, -1, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_int64(statement, 2, uses[i].at_ms) != SQLITE_OK)
            return lf_sqlite_no_memory(connection, error);
        status = lf_sqlite_run(connection, statement, error);
    }
    return status;
}

enum lf_status
lf_sqlite_touch_keys(struct lf_store *store, const struct lf_key_use *uses, size_t count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "noting when API keys were used", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    if (count == 0)
        return LF_OK;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = touch_keys(connection, uses, count, error);
    return lf_sqlite_end(connection, status, error);
}

static enum lf_status
read_key(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
         struct lf_stored_key *key, struct lf_error *error)
{
    const unsigned char *id = sqlite3_column_text(statement, 0);

    key->name = lf_sqlite_text(arena, statement, 1);
    if (id == NULL || key->name == NULL)
        return lf_sqlite_no_memory(connection, error);
    if (sqlite3_column_bytes(statement, 0) > LF_API_KEY_ID_MAX)
        return lf_fail(error, LF_STORAGE_CORRUPT, "%s: an API key's id is too long", connection->path);
    (void)snprintf(key->id, sizeof key->id, "%s", (const char *)id);
    key->scopes = (uint32_t)sqlite3_column_int64(statement, 2);
    key->created_at_ms = sqlite3_column_int64(statement, 4);
    key->expires_at_ms = sqlite3_column_int64(statement, 5);
    key->revoked_at_ms = sqlite3_column_int64(statement, 6);
    key->last_used_at_ms = sqlite3_column_int64(statement, 7);
    return lf_sqlite_blob(connection, statement, 3, key->secret_hash, LF_SHA256_SIZE, error);
}

enum lf_status
lf_sqlite_keys(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
               size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the API keys");
    struct lf_stored_key *keys = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_KEYS, &statement, error);

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        keys = lf_sqlite_grow(arena, keys, count, &capacity, sizeof *keys);
        status = keys == NULL ? lf_sqlite_no_memory(connection, error)
                              : read_key(connection, arena, statement, &keys[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_keys = keys;
    *ret_count = count;
    return LF_OK;
}
