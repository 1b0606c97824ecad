/*
 * list_items.c - the entries of lists: one generation of them is filled, changed, walked through, or swept away.
 *
 * A list's row says which generation is its own and what count and hash its entries have (lists.c); here a generation
 * and its struct lf_list_state are all that is known. Entries lie in the order of their folded forms, so a generation
 * is filled fastest in that order: one in another order touches pages all over it with each commit.
 */
#include "core/named_list.h"
#include "store/list_hash.h"
#include "store/sqlite/internal.h"

#include <inttypes.h>

/* ---- one entry, within the transaction ---- */

static enum lf_status
bind_item(const struct lf_connection *connection, sqlite3_stmt *statement, int64_t generation, const void *folded,
          size_t folded_len, struct lf_error *error)
{
    return sqlite3_bind_int64(statement, 1, generation) == SQLITE_OK &&
                   sqlite3_bind_blob64(statement, 2, folded, folded_len, SQLITE_STATIC) == SQLITE_OK
               ? LF_OK
               : lf_sqlite_no_memory(connection, error);
}

enum lf_status
lf_sqlite_add_list_item(struct lf_connection *connection, struct lf_list_state *state,
                        const struct lf_list_entry *entry, bool *ret_changed, struct lf_error *error)
{
    sqlite3_stmt *add = NULL;
    bool changed = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_LIST_ITEM, &add, error);

    if (status == LF_OK)
        status = bind_item(connection, add, state->generation, entry->folded, entry->folded_len, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text64(add, 3, entry->text, entry->len, SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, add, error);
    if (status != LF_OK)
        return status;
    changed = sqlite3_changes(connection->db) > 0;
    if (changed && !lf_list_hash_add_entry(state->hash, entry->text, entry->len))
        return lf_sqlite_no_memory(connection, error);
    state->count += changed ? 1 : 0;
    *ret_changed = changed;
    return LF_OK;
}

/* Takes the entry's text, whatever it was, out of count and hash. */
static enum lf_status
forget_item(struct lf_connection *connection, struct lf_list_state *state, const struct lf_list_entry *entry,
            bool *ret_found, struct lf_error *error)
{
    sqlite3_stmt *find = NULL;
    const void *text = NULL;
    size_t len = 0;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_ITEM, &find, error);

    if (status == LF_OK)
        status = bind_item(connection, find, state->generation, entry->folded, entry->folded_len, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, find, ret_found, error);
    if (status != LF_OK)
        return status;
    if (*ret_found)
        status = lf_sqlite_bytes(connection, find, 0, &text, &len, error);
    if (status == LF_OK && *ret_found && !lf_list_hash_subtract_entry(state->hash, text, len))
        status = lf_sqlite_no_memory(connection, error);
    (void)sqlite3_reset(find);
    if (status == LF_OK && *ret_found && state->count-- == 0)
        status = lf_fail(error, LF_STORAGE_CORRUPT,
                         "%s: a list has more entries than it says; look at it with leadfit"
                         " check and restore a backup",
                         connection->path);
    return status;
}

enum lf_status
lf_sqlite_remove_list_item(struct lf_connection *connection, struct lf_list_state *state,
                           const struct lf_list_entry *entry, bool *ret_changed, struct lf_error *error)
{
    sqlite3_stmt *delete = NULL;
    bool found = false;
    enum lf_status status = forget_item(connection, state, entry, &found, error);

    if (status == LF_OK && found)
        status = lf_sqlite_get(connection, LF_SQL_DELETE_LIST_ITEM, &delete, error);
    if (status == LF_OK && found)
        status = bind_item(connection, delete, state->generation, entry->folded, entry->folded_len, error);
    if (status == LF_OK && found)
        status = lf_sqlite_run(connection, delete, error);
    if (status == LF_OK)
        *ret_changed = found;
    return status;
}

enum lf_status
lf_sqlite_list_has_room(const char *key, const struct lf_list_state *state, struct lf_error *error)
{
    return state->count <= LF_NAMED_LIST_ENTRIES_MAX
               ? LF_OK
               : lf_fail(error, LF_CONFLICT, "list \"%s\" would have %zu entries, and a list holds up to %d", key,
                         state->count, LF_NAMED_LIST_ENTRIES_MAX);
}

/* ---- filling a generation ---- */

/* Within the transaction. */
static enum lf_status
next_generation(struct lf_connection *connection, int64_t *ret_generation, struct lf_error *error)
{
    sqlite3_stmt *count = NULL, *last = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_NEXT_GENERATION, &count, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_LAST_GENERATION, &last, error);
    if (status == LF_OK)
        status = lf_sqlite_run(connection, count, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, last, &row, error);
    if (status != LF_OK)
        return status;
    *ret_generation = row ? sqlite3_column_int64(last, 0) : 0;
    (void)sqlite3_reset(last);
    return *ret_generation > 0
               ? LF_OK
               : lf_fail(error, LF_STORAGE_CORRUPT, "%s: the count of lists' generations is lost", connection->path);
}

enum lf_status
lf_sqlite_begin_list(struct lf_store *store, struct lf_list_state *ret_state, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "beginning a list", error);
    struct lf_list_state state = {.generation = 0};
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = next_generation(connection, &state.generation, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *ret_state = state;
    return status;
}

/* Whether a list points to the generation. */
static enum lf_status
is_used(struct lf_connection *connection, int64_t generation, bool *ret_used, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_GENERATION_IS_USED, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, generation) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_used, error);
    if (status == LF_OK)
        (void)sqlite3_reset(statement);
    return status;
}

/* Within the transaction. */
static enum lf_status
add_entries(struct lf_connection *connection, struct lf_list_state *state, const struct lf_list_entry *entries,
            size_t count, struct lf_error *error)
{
    bool used = false, changed = false;
    enum lf_status status = is_used(connection, state->generation, &used, error);

    /* What a list says of its entries would not be so any more. */
    if (status == LF_OK && (used || state->generation <= 0))
        status = lf_fail(error, LF_INTERNAL, "a list's entries were not begun, or are put already");
    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = lf_sqlite_add_list_item(connection, state, &entries[i], &changed, error);
    return status == LF_OK ? lf_sqlite_list_has_room("(new)", state, error) : status;
}

enum lf_status
lf_sqlite_add_list_entries(struct lf_store *store, struct lf_list_state *state, const struct lf_list_entry *entries,
                           size_t count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "writing a list's entries", error);
    struct lf_list_state after = *state;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = add_entries(connection, &after, entries, count, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *state = after;
    (void)sqlite3_db_release_memory(connection->db); /* always says OK; a list's pages would stay in the cache */
    return status;
}

/* ---- sweeping ---- */

/* The next generation behind `after` that has entries; 0: none. */
static enum lf_status
generation_after(struct lf_connection *connection, int64_t after, int64_t *ret_generation, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_GENERATION_AFTER, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, after) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_generation = row ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    if (row && *ret_generation <= after) /* only in a damaged page; it would never end */
        return lf_fail(error, LF_STORAGE_CORRUPT, "%s: the entries of lists are out of order", connection->path);
    return LF_OK;
}

/* The next generation behind `after` that no list points to; 0: none. */
static enum lf_status
leftover_after(struct lf_connection *connection, int64_t after, int64_t spare, int64_t *ret_generation,
               struct lf_error *error)
{
    bool used = true;
    enum lf_status status = LF_OK;

    do {
        status = generation_after(connection, after, ret_generation, error);
        after = *ret_generation;
        if (status == LF_OK && after != 0)
            status = is_used(connection, after, &used, error);
    } while (status == LF_OK && after != 0 && (used || after == spare));
    return status;
}

/* Deletes the first `limit` entries of a generation; *ret_deleted is how many there were (0 for a limit of 0),
 * *ret_more whether some are left. They lie side by side: finding the first one that stays and deleting all before it
 * reads each page once. */
static enum lf_status
delete_first(struct lf_connection *connection, int64_t generation, size_t limit, size_t *ret_deleted, bool *ret_more,
             struct lf_error *error)
{
    sqlite3_stmt *find = NULL, *delete = NULL;
    const void *folded = NULL;
    size_t len = 0;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_ITEM_AT, &find, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(find, 1, generation) != SQLITE_OK ||
        sqlite3_bind_int64(find, 2, (sqlite3_int64)limit) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, find, ret_more, error);
    if (status != LF_OK)
        return status;
    status = lf_sqlite_get(connection, *ret_more ? LF_SQL_DELETE_LIST_ITEMS_BEFORE : LF_SQL_DELETE_LIST_ITEMS, &delete,
                           error);
    if (status == LF_OK && sqlite3_bind_int64(delete, 1, generation) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    if (status == LF_OK && *ret_more)
        status = lf_sqlite_bytes(connection, find, 0, &folded, &len, error);
    if (status == LF_OK && *ret_more && sqlite3_bind_blob64(delete, 2, folded, len, SQLITE_TRANSIENT) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    (void)sqlite3_reset(find);
    if (status == LF_OK)
        status = lf_sqlite_run(connection, delete, error);
    if (status == LF_OK)
        *ret_deleted = (size_t)sqlite3_changes(connection->db);
    return status;
}

/* Within the transaction. */
static enum lf_status
sweep(struct lf_connection *connection, size_t limit, int64_t spare, bool *ret_more, struct lf_error *error)
{
    int64_t generation = 0;
    size_t deleted = 0;
    enum lf_status status = leftover_after(connection, 0, spare, &generation, error);

    *ret_more = false;
    while (status == LF_OK && generation != 0 && !*ret_more) {
        status = delete_first(connection, generation, limit, &deleted, ret_more, error);
        limit -= deleted < limit ? deleted : limit;
        if (status == LF_OK && !*ret_more)
            status = leftover_after(connection, generation, spare, &generation, error);
    }
    return status;
}

enum lf_status
lf_sqlite_sweep_lists(struct lf_store *store, size_t limit, int64_t spare, bool *ret_more, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "sweeping old lists", error);
    bool more = false;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = sweep(connection, limit, spare, &more, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *ret_more = more;
    (void)sqlite3_db_release_memory(connection->db); /* always says OK; a list's pages would stay in the cache */
    return status;
}

/* ---- reading ---- */

enum lf_status
lf_sqlite_each_list_entry(struct lf_store_reader *reader, int64_t generation,
                          enum lf_status (*each)(void *context, const struct lf_list_entry *entry), void *context,
                          struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a list's entries");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_ITEMS, &statement, error);

    if (status == LF_OK && sqlite3_bind_int64(statement, 1, generation) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    /* One statement from beginning to end: all entries are of one moment. */
    while (status == LF_OK) {
        struct lf_list_entry entry = {.text = NULL};
        const void *text = NULL, *folded = NULL;

        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        status = lf_sqlite_bytes(connection, statement, 0, &text, &entry.len, error);
        if (status == LF_OK)
            status = lf_sqlite_bytes(connection, statement, 1, &folded, &entry.folded_len, error);
        entry.text = text;
        entry.folded = folded;
        if (status == LF_OK)
            status = each(context, &entry);
    }
    (void)sqlite3_reset(statement);
    return status;
}
