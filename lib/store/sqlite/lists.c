/* lists.c - named lists of texts. A list is replaced as a whole. */
#include "store/sqlite/internal.h"

/* ---- writing ---- */

/* The list's row, made or its revision raised. Within the transaction. */
static enum lf_status
touch_list(struct lf_connection *connection, const char *key, int64_t at_ms, int64_t *ret_id, struct lf_error *error)
{
    sqlite3_stmt *find = NULL, *change = NULL;
    int64_t id = 0;
    bool row = false;
    int rc = SQLITE_OK;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_ID, &find, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(find, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, find, &row, error);
    if (status == LF_OK && row)
        id = sqlite3_column_int64(find, 0);
    (void)sqlite3_reset(find);
    if (status == LF_OK)
        status = lf_sqlite_get(connection, row ? LF_SQL_REVISE_LIST : LF_SQL_ADD_LIST, &change, error);
    if (status != LF_OK)
        return status;
    rc = row ? sqlite3_bind_int64(change, 1, id) : sqlite3_bind_text(change, 1, key, -1, SQLITE_STATIC);
    if (rc != SQLITE_OK || sqlite3_bind_int64(change, 2, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, change, error);
    if (status == LF_OK)
        *ret_id = row ? id : sqlite3_last_insert_rowid(connection->db);
    return status;
}

/* Within the transaction. */
static enum lf_status
replace_entries(struct lf_connection *connection, int64_t list, const char *const *entries, size_t count,
                struct lf_error *error)
{
    sqlite3_stmt *clear = NULL, *add = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_CLEAR_LIST, &clear, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_ADD_LIST_ENTRY, &add, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(clear, 1, list) != SQLITE_OK || sqlite3_bind_int64(add, 1, list) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, clear, error);
    for (size_t i = 0; i < count && status == LF_OK; i++) {
        if (sqlite3_bind_int64(add, 2, (sqlite3_int64)i) != SQLITE_OK ||
            sqlite3_bind_text(add, 3, entries[i], -1, SQLITE_STATIC) != SQLITE_OK)
            return lf_sqlite_no_memory(connection, error);
        status = lf_sqlite_run(connection, add, error);
    }
    return status;
}

enum lf_status
lf_sqlite_put_list(struct lf_store *store, const char *key, const char *const *entries, size_t count, int64_t at_ms,
                   struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "changing a list", error);
    int64_t list = 0;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = touch_list(connection, key, at_ms, &list, error);
    if (status == LF_OK)
        status = replace_entries(connection, list, entries, count, error);
    status = lf_sqlite_end(connection, status, error);
    /* A long list leaves its pages in the writer's cache. */
    (void)sqlite3_db_release_memory(connection->db); /* always says OK */
    return status;
}

/* ---- reading: within one transaction, so that lists and entries are of one moment ---- */

/* Fills in the entries of a list whose count is known. */
static enum lf_status
read_entries(struct lf_connection *connection, struct lf_arena *arena, int64_t id, struct lf_stored_list *list,
             struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_ENTRIES, &statement, error);

    if (status != LF_OK)
        return status;
    list->entries = lf_arena_calloc(arena, list->count, sizeof *list->entries);
    if (list->entries == NULL || sqlite3_bind_int64(statement, 1, id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row || count == list->count)
            break;
        list->entries[count] = lf_sqlite_text(arena, statement, 0);
        if (list->entries[count++] == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    list->count = count; /* fewer only in a damaged database */
    return status;
}

static enum lf_status
read_lists(struct lf_connection *connection, struct lf_arena *arena, struct lf_stored_list **ret_lists,
           size_t *ret_count, struct lf_error *error)
{
    struct lf_stored_list *lists = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LISTS, &statement, error);

    while (status == LF_OK) {
        struct lf_stored_list *list = NULL;

        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        lists = lf_sqlite_grow(arena, lists, count, &capacity, sizeof *lists);
        if (lists == NULL) {
            status = lf_sqlite_no_memory(connection, error);
            break;
        }
        list = &lists[count++];
        list->key = lf_sqlite_text(arena, statement, 1);
        list->revision = sqlite3_column_int64(statement, 2);
        list->count = (size_t)sqlite3_column_int64(statement, 3);
        status = list->key == NULL ? lf_sqlite_no_memory(connection, error)
                                   : read_entries(connection, arena, sqlite3_column_int64(statement, 0), list, error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_lists = lists;
    *ret_count = count;
    return LF_OK;
}

enum lf_status
lf_sqlite_lists(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
                size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the lists");
    enum lf_status status = lf_sqlite_begin_read(connection, error);

    if (status != LF_OK)
        return status;
    status = read_lists(connection, arena, ret_lists, ret_count, error);
    lf_sqlite_end_read(connection);
    return status;
}
