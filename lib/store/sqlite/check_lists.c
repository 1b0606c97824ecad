/* check_lists.c - holds what each list's row says of its entries against these. Finds, and mends nothing. */
#include "base/text.h"
#include "store/list_hash.h"
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <string.h>

/* Folding one entry. */
enum { FOLD_CHUNK = 16 * 1024, FOLD_MAX = 64 * 1024 * 1024 };

/* What was found of one list's entries. */
struct sum {
    int64_t entries;
    uint8_t hash[LF_SHA256_SIZE];
    bool misfolded;
};

/* Whether an entry lies under another form than its own. Only ASCII is asked: how other characters fold may change with
 * the version of Unicode, and that is no damage. */
static bool
is_misfolded(struct lf_arena *arena, const char *text, size_t len, const void *folded, size_t folded_len)
{
    struct lf_text again = {.bytes = NULL};

    lf_arena_reset(arena);
    return lf_text_ascii_prefix(text, len) == len && lf_text_fold(arena, text, len, &again) &&
           (again.len != folded_len || memcmp(again.bytes, folded, folded_len) != 0);
}

static enum lf_status
sum_entries(struct lf_connection *connection, struct lf_arena *arena, int64_t generation, struct sum *sum,
            struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_ITEMS, &statement, error);

    if (status == LF_OK && sqlite3_bind_int64(statement, 1, generation) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        const void *text = NULL, *folded = NULL;
        size_t len = 0, folded_len = 0;

        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        status = lf_sqlite_bytes(connection, statement, 0, &text, &len, error);
        if (status == LF_OK)
            status = lf_sqlite_bytes(connection, statement, 1, &folded, &folded_len, error);
        if (status == LF_OK && !lf_list_hash_add_entry(sum->hash, text, len))
            status = lf_sqlite_no_memory(connection, error);
        if (status == LF_OK && is_misfolded(arena, text, len, folded, folded_len))
            sum->misfolded = true;
        sum->entries++;
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* A list's row, but for what is not asked here. */
struct row {
    char *key; /* in the arena of the findings */
    int64_t generation, entries;
    uint8_t hash[LF_SHA256_SIZE];
};

/* The list behind the key, *ret_found false for none. */
static enum lf_status
list_after(struct lf_connection *connection, struct lf_arena *arena, const char *key, struct row *ret_row,
           bool *ret_found, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LIST_AFTER, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_found, error);
    if (status == LF_OK && *ret_found) {
        ret_row->generation = sqlite3_column_int64(statement, 2);
        ret_row->entries = sqlite3_column_int64(statement, 3);
        status = lf_sqlite_blob(connection, statement, 4, ret_row->hash, LF_SHA256_SIZE, error);
        ret_row->key = lf_sqlite_text(arena, statement, 0);
        if (status == LF_OK && ret_row->key == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* Checks the list behind *key, which becomes its key: NULL once there is none. Within one reading transaction, for a
 * list may be changed meanwhile. */
static enum lf_status
check_next(struct lf_connection *connection, struct lf_arena *scratch, const char **key, struct lf_findings *findings,
           struct lf_error *error)
{
    struct row row = {.key = NULL};
    struct sum sum = {.entries = 0};
    bool found = false;
    enum lf_status status = list_after(connection, findings->arena, *key, &row, &found, error);

    if (status == LF_OK && found && strcmp(row.key, *key) <= 0)
        /* A damaged page gives back rows that were passed: nothing behind it can be walked to. */
        return lf_fail(error, LF_STORAGE_CORRUPT, "list %s is followed by an earlier one", *key);
    *key = row.key;
    if (status == LF_OK && found)
        status = sum_entries(connection, scratch, row.generation, &sum, error);
    if (status != LF_OK || !found)
        return status;
    if (sum.entries != row.entries)
        lf_findings_add(findings, "", "damaged_list",
                        "list %s: it has %" PRId64 " entries, not the %" PRId64 " that it says", row.key, sum.entries,
                        row.entries);
    else if (memcmp(sum.hash, row.hash, LF_SHA256_SIZE) != 0)
        lf_findings_add(findings, "", "damaged_list", "list %s: its entries are not what its hash says", row.key);
    if (sum.misfolded)
        lf_findings_add(findings, "", "damaged_list", "list %s: entries of it lie under a form that is not theirs",
                        row.key);
    return LF_OK;
}

enum lf_status
lf_sqlite_check_lists(struct lf_connection *connection, const atomic_bool *stop, struct lf_findings *findings,
                      struct lf_error *error)
{
    struct lf_arena *scratch = lf_arena_create(FOLD_CHUNK, FOLD_MAX);
    const char *key = "";
    enum lf_status status = scratch != NULL ? LF_OK : lf_sqlite_no_memory(connection, error);

    while (status == LF_OK && key != NULL) {
        if (stop != NULL && atomic_load(stop)) {
            status = lf_sqlite_fail(connection, SQLITE_INTERRUPT, error);
            break;
        }
        status = lf_sqlite_begin_read(connection, error);
        if (status != LF_OK)
            break;
        status = check_next(connection, scratch, &key, findings, error);
        lf_sqlite_end_read(connection);
    }
    lf_arena_destroy(scratch);
    return status;
}
