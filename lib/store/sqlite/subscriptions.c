/* subscriptions.c - who is told of events, in the store: put, deleted, stopped, read. What waits for them is in the
 * outbox (deliveries.c). */
#include "store/sqlite/internal.h"

#include <string.h>

/* ---- put and deleted ---- */

/* Adds or changes the row. Within the transaction. */
static enum lf_status
write_row(struct lf_connection *connection, enum lf_sql which, const struct lf_stored_subscription *subscription,
          int64_t at_ms, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, subscription->key, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 2, subscription->url, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_blob64(statement, 3, subscription->secret, subscription->secret_len, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 4, subscription->events) != SQLITE_OK ||
        sqlite3_bind_text(statement, 5, subscription->icp, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 6, subscription->grades, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 7, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    /* The statement stays, and what was bound to it with it: a secret must not outlive its subscription there. */
    (void)sqlite3_clear_bindings(statement);
    return status;
}

/* The row of that key, 0 for none, and how many there are. Within the transaction. */
static enum lf_status
find_row(struct lf_connection *connection, const char *key, int64_t *ret_id, int64_t *ret_count, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SUBSCRIPTION_TO_PUT, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_id = sqlite3_column_int64(statement, 0); /* null, of none, reads as 0 */
    *ret_count = sqlite3_column_int64(statement, 1);
    (void)sqlite3_reset(statement);
    return LF_OK;
}

/* Within the transaction. */
static enum lf_status
put(struct lf_connection *connection, const struct lf_stored_subscription *subscription, const struct lf_change *change,
    int64_t *ret_id, bool *ret_created, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "subscription.put", .icp = "", .subject = subscription->key};
    int64_t id = 0, count = 0;
    enum lf_status status = find_row(connection, subscription->key, &id, &count, error);

    if (status == LF_OK && id == 0 && count >= LF_SUBSCRIPTIONS_MAX)
        status = lf_fail(error, LF_CONFLICT,
                         "there are %d subscriptions already, which is as many as there can be: delete one first",
                         LF_SUBSCRIPTIONS_MAX);
    if (status == LF_OK)
        status = write_row(connection, id == 0 ? LF_SQL_ADD_SUBSCRIPTION : LF_SQL_CHANGE_SUBSCRIPTION, subscription,
                           change->at_ms, error);
    if (status != LF_OK)
        return status;
    *ret_created = id == 0;
    *ret_id = id != 0 ? id : sqlite3_last_insert_rowid(connection->db);
    return lf_sqlite_add_trace(connection, &trace, change, error);
}

enum lf_status
lf_sqlite_put_subscription(struct lf_store *store, const struct lf_stored_subscription *subscription,
                           const struct lf_change *change, int64_t *ret_id, bool *ret_created, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "putting a subscription", error);
    enum lf_status status = LF_OK;
    int64_t id = 0;
    bool created = false;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = put(connection, subscription, change, &id, &created, error);
    status = lf_sqlite_end(connection, status, error);
    if (status != LF_OK)
        return status;
    *ret_id = id;
    *ret_created = created;
    return LF_OK;
}

/* Within the transaction. */
static enum lf_status
drop(struct lf_connection *connection, const char *key, const struct lf_change *change, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "subscription.delete", .icp = "", .subject = key};
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DELETE_SUBSCRIPTION, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK && sqlite3_changes(connection->db) == 0)
        status = lf_fail(error, LF_SUBSCRIPTION_NOT_FOUND, "there is no subscription \"%.64s\"", key);
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_delete_subscription(struct lf_store *store, const char *key, const struct lf_change *change,
                              struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "deleting a subscription", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = drop(connection, key, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* ---- stopped by itself ---- */

/* Within the transaction. */
static enum lf_status
stop(struct lf_connection *connection, int64_t id, enum lf_subscription_state state, const char *reason,
     const struct lf_change *change, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {
        .action = state == LF_SUBSCRIPTION_PAUSED ? "subscription.pause" : "subscription.disable", .icp = ""};
    sqlite3_stmt *find = NULL, *set = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SUBSCRIPTION_KEY, &find, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_STOP_SUBSCRIPTION, &set, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(find, 1, id) != SQLITE_OK || sqlite3_bind_int64(set, 1, id) != SQLITE_OK ||
        sqlite3_bind_int(set, 2, (int)state) != SQLITE_OK ||
        sqlite3_bind_text(set, 3, reason, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, find, &row, error);
    if (status == LF_OK && row) {
        trace.subject = (const char *)sqlite3_column_text(find, 0); /* the row's, until it is reset */
        status = trace.subject == NULL ? lf_sqlite_no_memory(connection, error) : lf_sqlite_run(connection, set, error);
        if (status == LF_OK)
            status = lf_sqlite_add_trace(connection, &trace, change, error);
    }
    (void)sqlite3_reset(find);
    return status;
}

enum lf_status
lf_sqlite_stop_subscription(struct lf_store *store, int64_t id, enum lf_subscription_state state, const char *reason,
                            const struct lf_change *change, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "stopping a subscription", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = stop(connection, id, state, reason, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* ---- reading ---- */

static enum lf_status
read_subscription(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
                  struct lf_stored_subscription *ret_subscription, struct lf_error *error)
{
    const void *secret = NULL;
    size_t secret_len = 0;
    enum lf_status status = lf_sqlite_bytes(connection, statement, 3, &secret, &secret_len, error);

    if (status != LF_OK)
        return status;
    *ret_subscription = (struct lf_stored_subscription){
        .id = sqlite3_column_int64(statement, 0),
        .key = lf_sqlite_text(arena, statement, 1),
        .url = lf_sqlite_text(arena, statement, 2),
        .secret = lf_arena_copy(arena, secret, secret_len),
        .secret_len = secret_len,
        .events = (uint32_t)sqlite3_column_int64(statement, 4),
        .icp = lf_sqlite_text(arena, statement, 5),
        .grades = lf_sqlite_text(arena, statement, 6),
        .state = (enum lf_subscription_state)sqlite3_column_int(statement, 7),
        .reason = lf_sqlite_text(arena, statement, 8),
        .failing_since_ms = sqlite3_column_int64(statement, 9),
        .delivered_at_ms = sqlite3_column_int64(statement, 10),
        .created_at_ms = sqlite3_column_int64(statement, 11),
        .updated_at_ms = sqlite3_column_int64(statement, 12),
    };
    if (ret_subscription->key == NULL || ret_subscription->url == NULL || ret_subscription->secret == NULL ||
        ret_subscription->icp == NULL || ret_subscription->grades == NULL || ret_subscription->reason == NULL)
        return lf_sqlite_no_memory(connection, error);
    return LF_OK;
}

enum lf_status
lf_sqlite_subscriptions(struct lf_store_reader *reader, struct lf_arena *arena,
                        struct lf_stored_subscription **ret_subscriptions, size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the subscriptions");
    struct lf_stored_subscription *subscriptions = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SUBSCRIPTIONS, &statement, error);

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        subscriptions = lf_sqlite_grow(arena, subscriptions, count, &capacity, sizeof *subscriptions);
        status = subscriptions == NULL
                     ? lf_sqlite_no_memory(connection, error)
                     : read_subscription(connection, arena, statement, &subscriptions[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_subscriptions = subscriptions;
    *ret_count = count;
    return LF_OK;
}
