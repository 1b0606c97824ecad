/*
 * lists.c - named lists: their rows, which say what a list's entries come to. The entries themselves are
 * list_items.c's.
 */
#include "store/sqlite/internal.h"

#include <string.h>

/* ---- a list's row ---- */

/* The present row of LF_SQL_LIST_COLUMNS, but for its key. */
static enum lf_status
read_list(const struct lf_connection *connection, sqlite3_stmt *statement, struct lf_stored_list *ret_list,
          struct lf_error *error)
{
    enum lf_status status = LF_OK;

    *ret_list = (struct lf_stored_list){
        .revision = sqlite3_column_int64(statement, 1),
        .generation = sqlite3_column_int64(statement, 2),
        .count = (size_t)sqlite3_column_int64(statement, 3),
        .updated_at_ms = sqlite3_column_int64(statement, 5),
    };
    status = lf_sqlite_blob(connection, statement, 4, ret_list->hash, LF_SHA256_SIZE, error);
    if (status == LF_OK)
        lf_etag_write(ret_list->etag, 'l', ret_list->revision, ret_list->hash);
    return status;
}

/* The list of that key, which it borrows; *ret_found false: none. */
static enum lf_status
find_list(struct lf_connection *connection, const char *key, struct lf_stored_list *ret_list, bool *ret_found,
          struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_found, error);
    if (status == LF_OK && *ret_found) {
        status = read_list(connection, statement, ret_list, error);
        ret_list->key = key;
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* The last revision of a list that is not there any more; 0: there never was one. */
static enum lf_status
find_past(struct lf_connection *connection, const char *key, int64_t *ret_revision, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_PAST_LIST, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &found, error);
    if (status == LF_OK)
        *ret_revision = found ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return status;
}

static enum lf_status
no_list(const char *key, struct lf_error *error)
{
    return lf_fail(error, LF_LIST_NOT_FOUND, "there is no list \"%s\"", key);
}

/* ---- changing, within the transaction ---- */

/* What is changed, and how. */
struct edit {
    struct lf_connection *connection;
    const char *key;
    const struct lf_change *change;
    struct lf_stored_list before, after; /* before has its last revision also where it is not there any more */
    bool found;                          /* there is a list before */
    bool unchanged;                      /* nothing is written: after is before */
    size_t added, removed;
};

/* Reads the list as it is and holds the precondition against it. */
static enum lf_status
begin_edit(struct edit *edit, bool must_be, const struct lf_precondition *precondition, struct lf_error *error)
{
    struct lf_tagged there = {.kind = "list", .key = edit->key, .etag = "", .changed_by = ""};
    enum lf_status status = find_list(edit->connection, edit->key, &edit->before, &edit->found, error);

    if (status != LF_OK)
        return status;
    if (must_be && !edit->found)
        return no_list(edit->key, error);
    if (edit->found) {
        there.etag = edit->before.etag;
        there.changed_at_ms = edit->before.updated_at_ms;
    } else {
        status = find_past(edit->connection, edit->key, &edit->before.revision, error);
        if (status != LF_OK)
            return status;
    }
    return lf_precondition_check(precondition, &there, error);
}

/* Writes the list as it is then and leaves a trace. */
static enum lf_status
end_edit(struct edit *edit, const char *action, const struct lf_list_state *state, struct lf_error *error)
{
    struct lf_connection *connection = edit->connection;
    struct lf_sqlite_trace trace = {.action = action,
                                    .icp = "",
                                    .subject = edit->key,
                                    .before = edit->found ? edit->before.hash : NULL,
                                    .after = edit->after.hash};
    sqlite3_stmt *write = NULL;
    enum lf_status status =
        lf_sqlite_get(connection, edit->found ? LF_SQL_CHANGE_LIST : LF_SQL_ADD_LIST, &write, error);

    if (status != LF_OK)
        return status;
    edit->after = (struct lf_stored_list){.key = edit->key,
                                          .revision = edit->before.revision + 1,
                                          .generation = state->generation,
                                          .count = state->count,
                                          .updated_at_ms = edit->change->at_ms};
    memcpy(edit->after.hash, state->hash, LF_SHA256_SIZE);
    lf_etag_write(edit->after.etag, 'l', edit->after.revision, edit->after.hash);
    if (sqlite3_bind_text(write, 1, edit->key, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(write, 2, edit->after.revision) != SQLITE_OK ||
        sqlite3_bind_int64(write, 3, edit->after.generation) != SQLITE_OK ||
        sqlite3_bind_int64(write, 4, (sqlite3_int64)edit->after.count) != SQLITE_OK ||
        sqlite3_bind_blob(write, 5, edit->after.hash, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(write, 6, edit->after.updated_at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, write, error);
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, edit->change, error) : status;
}

/* ---- the verbs that change ---- */

static enum lf_status
put_list(struct edit *edit, const struct lf_list_state *state, const struct lf_precondition *precondition,
         struct lf_error *error)
{
    enum lf_status status = begin_edit(edit, false, precondition, error);

    if (status != LF_OK)
        return status;
    edit->unchanged = edit->found && edit->before.count == state->count &&
                      memcmp(edit->before.hash, state->hash, LF_SHA256_SIZE) == 0;
    edit->after = edit->before;
    return edit->unchanged ? LF_OK : end_edit(edit, "list.put", state, error);
}

enum lf_status
lf_sqlite_put_list(struct lf_store *store, const char *key, const struct lf_list_state *state,
                   const struct lf_precondition *precondition, const struct lf_change *change, struct lf_arena *arena,
                   struct lf_stored_list *ret_list, bool *ret_created, bool *ret_unchanged, struct lf_error *error)
{
    struct edit edit = {.connection = lf_sqlite_writer(store, "changing a list", error), .change = change};
    enum lf_status status = LF_OK;

    if (edit.connection == NULL)
        return LF_STORAGE_FAILED;
    edit.key = lf_arena_copy(arena, key, strlen(key)); /* now: after the commit nothing may fail */
    if (edit.key == NULL)
        return lf_sqlite_no_memory(edit.connection, error);
    status = lf_sqlite_begin(edit.connection, error);
    if (status != LF_OK)
        return status;
    status = put_list(&edit, state, precondition, error);
    status = lf_sqlite_end(edit.connection, status, error);
    if (status != LF_OK)
        return status;
    *ret_list = edit.after;
    *ret_created = !edit.found;
    *ret_unchanged = edit.unchanged;
    return LF_OK;
}

/* What a patch adds and removes. */
struct patch {
    const struct lf_list_entry *add, *remove;
    size_t add_count, remove_count;
};

static enum lf_status
patch_list(struct edit *edit, const struct patch *patch, const struct lf_precondition *precondition,
           struct lf_error *error)
{
    struct lf_list_state state = {.generation = 0};
    bool changed = false;
    enum lf_status status = begin_edit(edit, true, precondition, error);

    if (status != LF_OK)
        return status;
    state.generation = edit->before.generation;
    state.count = edit->before.count;
    memcpy(state.hash, edit->before.hash, LF_SHA256_SIZE);
    for (size_t i = 0; i < patch->remove_count && status == LF_OK; i++) {
        status = lf_sqlite_remove_list_item(edit->connection, &state, &patch->remove[i], &changed, error);
        edit->removed += status == LF_OK && changed ? 1 : 0;
    }
    for (size_t i = 0; i < patch->add_count && status == LF_OK; i++) {
        status = lf_sqlite_add_list_item(edit->connection, &state, &patch->add[i], &changed, error);
        edit->added += status == LF_OK && changed ? 1 : 0;
    }
    if (status == LF_OK)
        status = lf_sqlite_list_has_room(edit->key, &state, error);
    if (status != LF_OK)
        return status;
    edit->unchanged = edit->added == 0 && edit->removed == 0;
    edit->after = edit->before;
    return edit->unchanged ? LF_OK : end_edit(edit, "list.patch", &state, error);
}

enum lf_status
lf_sqlite_patch_list(struct lf_store *store, const char *key, const struct lf_list_entry *add, size_t add_count,
                     const struct lf_list_entry *remove, size_t remove_count,
                     const struct lf_precondition *precondition, const struct lf_change *change, struct lf_arena *arena,
                     struct lf_stored_list *ret_list, size_t *ret_added, size_t *ret_removed, struct lf_error *error)
{
    struct edit edit = {.connection = lf_sqlite_writer(store, "changing a list", error), .change = change};
    struct patch patch = {.add = add, .add_count = add_count, .remove = remove, .remove_count = remove_count};
    enum lf_status status = LF_OK;

    if (edit.connection == NULL)
        return LF_STORAGE_FAILED;
    edit.key = lf_arena_copy(arena, key, strlen(key)); /* now: after the commit nothing may fail */
    if (edit.key == NULL)
        return lf_sqlite_no_memory(edit.connection, error);
    status = lf_sqlite_begin(edit.connection, error);
    if (status != LF_OK)
        return status;
    status = patch_list(&edit, &patch, precondition, error);
    status = lf_sqlite_end(edit.connection, status, error);
    (void)sqlite3_db_release_memory(
        edit.connection->db); /* always says OK; the patched pages would stay in the cache */
    if (status != LF_OK)
        return status;
    *ret_list = edit.after;
    *ret_added = edit.added;
    *ret_removed = edit.removed;
    return LF_OK;
}

static enum lf_status
delete_list(struct edit *edit, const struct lf_precondition *precondition, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "list.delete", .icp = "", .subject = edit->key};
    sqlite3_stmt *statement = NULL, *keep = NULL;
    enum lf_status status = begin_edit(edit, true, precondition, error);

    if (status == LF_OK)
        status = lf_sqlite_get(edit->connection, LF_SQL_DELETE_LIST, &statement, error);
    if (status == LF_OK)
        status = lf_sqlite_get(edit->connection, LF_SQL_KEEP_PAST_LIST, &keep, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, edit->key, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(keep, 1, edit->key, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(keep, 2, edit->before.revision) != SQLITE_OK)
        return lf_sqlite_no_memory(edit->connection, error);
    status = lf_sqlite_run(edit->connection, statement, error);
    if (status == LF_OK)
        status = lf_sqlite_run(edit->connection, keep, error);
    trace.before = edit->before.hash;
    return status == LF_OK ? lf_sqlite_add_trace(edit->connection, &trace, edit->change, error) : status;
}

enum lf_status
lf_sqlite_delete_list(struct lf_store *store, const char *key, const struct lf_precondition *precondition,
                      const struct lf_change *change, struct lf_error *error)
{
    struct edit edit = {.connection = lf_sqlite_writer(store, "deleting a list", error), .key = key, .change = change};
    enum lf_status status = LF_OK;

    if (edit.connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(edit.connection, error);
    if (status != LF_OK)
        return status;
    status = delete_list(&edit, precondition, error);
    return lf_sqlite_end(edit.connection, status, error);
}

/* ---- reading ---- */

enum lf_status
lf_sqlite_lists(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
                size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the lists");
    struct lf_stored_list *lists = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LISTS, &statement, error);

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        lists = lf_sqlite_grow(arena, lists, count, &capacity, sizeof *lists);
        if (lists == NULL) {
            status = lf_sqlite_no_memory(connection, error);
            break;
        }
        status = read_list(connection, statement, &lists[count], error);
        lists[count].key = lf_sqlite_text(arena, statement, 0);
        if (status == LF_OK && lists[count++].key == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_lists = lists;
    *ret_count = count;
    return LF_OK;
}

enum lf_status
lf_sqlite_list(struct lf_store_reader *reader, struct lf_arena *arena, const char *key, struct lf_stored_list *ret_list,
               struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a list");
    struct lf_stored_list list = {.key = NULL};
    bool found = false;
    enum lf_status status = find_list(connection, key, &list, &found, error);

    if (status == LF_OK && !found)
        status = find_past(connection, key, &list.revision, error);
    if (status != LF_OK)
        return status;
    if (!found) {
        *ret_list = list;
        return no_list(key, error);
    }
    list.key = lf_arena_copy(arena, key, strlen(key));
    if (list.key == NULL)
        return lf_sqlite_no_memory(connection, error);
    *ret_list = list;
    return LF_OK;
}
