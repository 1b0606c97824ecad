/* audit.c - the audit's table: an entry with each change, in its transaction; reading; looking its chain over. What is
 * chained, and how, says store/audit.h. */
#include "store/audit.h"

#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* *ret_there: false where somebody took it away. */
static enum lf_status
read_head(struct lf_connection *connection, struct lf_audit_head *ret_head, bool *ret_there, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_AUDIT_HEAD, &statement, error);

    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, ret_there, error);
    if (status != LF_OK)
        return status;
    *ret_head = (struct lf_audit_head){.entries = 0};
    if (*ret_there) {
        ret_head->entries = sqlite3_column_int64(statement, 0);
        status = lf_sqlite_blob(connection, statement, 1, ret_head->chain, LF_SHA256_SIZE, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* ---- writing ---- */

static enum lf_status
insert(struct lf_connection *connection, const struct lf_audit_entry *entry, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_AUDIT, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, entry->id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, entry->at_ms) != SQLITE_OK ||
        sqlite3_bind_text(statement, 3, entry->by, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 4, entry->key_id, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 5, entry->action, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 6, entry->icp, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 7, entry->subject, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int(statement, 8, entry->version) != SQLITE_OK ||
        sqlite3_bind_text(statement, 9, entry->note, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 10, entry->before, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 11, entry->after, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_blob(statement, 12, entry->chain, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK && sqlite3_changes(connection->db) == 0)
        status = lf_fail(error, LF_INTERNAL,
                         "%s: audit entry %" PRId64 " is there already, and leadfit did not write it: nothing can be"
                         " changed until a backup is restored; leadfit check tells more",
                         connection->path, entry->id);
    return status;
}

static enum lf_status
move_head(struct lf_connection *connection, const struct lf_audit_entry *entry, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_MOVE_AUDIT_HEAD, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, entry->id) != SQLITE_OK ||
        sqlite3_bind_blob(statement, 2, entry->chain, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

static const char *
hash_or_nothing(const uint8_t *hash, char text[LF_HASH_TEXT_MAX])
{
    text[0] = '\0';
    if (hash != NULL)
        lf_hash_text(hash, text);
    return text;
}

enum lf_status
lf_sqlite_add_trace(struct lf_connection *connection, const struct lf_sqlite_trace *trace,
                    const struct lf_change *change, struct lf_error *error)
{
    char before[LF_HASH_TEXT_MAX], after[LF_HASH_TEXT_MAX];
    struct lf_audit_head head;
    struct lf_audit_entry entry = {
        .at_ms = change->at_ms,
        .by = change->by,
        .key_id = change->key_id,
        .action = trace->action,
        .icp = trace->icp,
        .subject = trace->subject,
        .version = trace->version,
        .note = change->note,
        .before = hash_or_nothing(trace->before, before),
        .after = hash_or_nothing(trace->after, after),
    };
    bool there = false;
    enum lf_status status = read_head(connection, &head, &there, error);

    if (status == LF_OK && !there)
        status = lf_fail(error, LF_INTERNAL,
                         "%s: the audit's head is gone: nothing can be changed until a backup is restored",
                         connection->path);
    if (status != LF_OK)
        return status;
    entry.id = head.entries + 1;
    if (!lf_audit_chain(head.chain, &entry, entry.chain))
        return lf_sqlite_no_memory(connection, error);
    status = insert(connection, &entry, error);
    return status == LF_OK ? move_head(connection, &entry, error) : status;
}

/* ---- reading ---- */

/* A text of the present row, borrowed until the next step; *whole becomes false for one with a NUL in it. */
static const char *
borrow_text(sqlite3_stmt *statement, int column, bool *whole)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    if (text != NULL && strlen(text) != (size_t)sqlite3_column_bytes(statement, column))
        *whole = false;
    return text;
}

/* The present row of LF_SQL_AUDIT_COLUMNS; all texts are borrowed until the next step. *ret_whole: it holds nothing
 * that cannot have been written. */
static enum lf_status
borrow_entry(const struct lf_connection *connection, sqlite3_stmt *statement, struct lf_audit_entry *ret_entry,
             bool *ret_whole, struct lf_error *error)
{
    int64_t version = sqlite3_column_int64(statement, 7);
    bool whole = version >= 0 && version <= INT_MAX;

    *ret_entry = (struct lf_audit_entry){
        .id = sqlite3_column_int64(statement, 0),
        .at_ms = sqlite3_column_int64(statement, 1),
        .by = borrow_text(statement, 2, &whole),
        .key_id = borrow_text(statement, 3, &whole),
        .action = borrow_text(statement, 4, &whole),
        .icp = borrow_text(statement, 5, &whole),
        .subject = borrow_text(statement, 6, &whole),
        .version = whole ? (int)version : 0,
        .note = borrow_text(statement, 8, &whole),
        .before = borrow_text(statement, 9, &whole),
        .after = borrow_text(statement, 10, &whole),
    };
    *ret_whole = whole;
    if (ret_entry->by == NULL || ret_entry->key_id == NULL || ret_entry->action == NULL || ret_entry->icp == NULL ||
        ret_entry->subject == NULL || ret_entry->note == NULL || ret_entry->before == NULL || ret_entry->after == NULL)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_blob(connection, statement, 11, ret_entry->chain, LF_SHA256_SIZE, error);
}

/* Puts a copy of a text into the arena instead of it. */
static bool
keep(struct lf_arena *arena, const char **text)
{
    *text = lf_arena_copy(arena, *text, strlen(*text));
    return *text != NULL;
}

static bool
keep_entry(struct lf_arena *arena, struct lf_audit_entry *entry)
{
    return keep(arena, &entry->by) && keep(arena, &entry->key_id) && keep(arena, &entry->action) &&
           keep(arena, &entry->icp) && keep(arena, &entry->subject) && keep(arena, &entry->note) &&
           keep(arena, &entry->before) && keep(arena, &entry->after);
}

enum lf_status
lf_sqlite_last_audit(struct lf_store_reader *reader, int64_t *ret_id, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the audit's newest entry");
    struct lf_audit_head head = {.entries = 0};
    bool there = false;
    enum lf_status status = read_head(connection, &head, &there, error);

    if (status == LF_OK)
        *ret_id = head.entries;
    return status;
}

enum lf_status
lf_sqlite_audit(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int64_t after, size_t limit,
                struct lf_audit_entry **ret_entries, size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the audit");
    struct lf_audit_entry *entries = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false, whole = false;
    enum lf_status status =
        lf_sqlite_get(connection, icp != NULL ? LF_SQL_AUDIT_OF_ICP : LF_SQL_AUDIT, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, after) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, limit < INT64_MAX ? (sqlite3_int64)limit : INT64_MAX) != SQLITE_OK ||
        (icp != NULL && sqlite3_bind_text(statement, 3, icp, -1, SQLITE_TRANSIENT) != SQLITE_OK))
        return lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        entries = lf_sqlite_grow(arena, entries, count, &capacity, sizeof *entries);
        if (entries == NULL)
            status = lf_sqlite_no_memory(connection, error);
        else
            status = borrow_entry(connection, statement, &entries[count], &whole, error);
        if (status == LF_OK && !keep_entry(arena, &entries[count++]))
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_entries = entries;
    *ret_count = count;
    return LF_OK;
}

/* ---- looking it over ---- */

/* Within a transaction: the entries and the head are of one moment. */
static enum lf_status
check_entries(struct lf_connection *connection, const atomic_bool *stop, struct lf_findings *findings,
              struct lf_error *error)
{
    struct lf_audit_entry entry;
    struct lf_audit_head head;
    struct lf_audit_walk walk;
    sqlite3_stmt *statement = NULL;
    bool row = false, whole = false;
    enum lf_status status = read_head(connection, &head, &row, error);

    if (status == LF_OK && !row) {
        lf_findings_add(findings, "", "damaged_audit_head", "the audit's head is missing: somebody deleted it");
        return LF_OK;
    }
    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_AUDIT, &statement, error);
    if (status != LF_OK)
        return status;
    lf_audit_walk_init(&walk, &head, findings);
    if (sqlite3_bind_int64(statement, 1, INT64_MIN) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, -1) != SQLITE_OK) /* no limit */
        return lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        if (stop != NULL && atomic_load(stop)) {
            status = lf_sqlite_fail(connection, SQLITE_INTERRUPT, error);
            break;
        }
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        status = borrow_entry(connection, statement, &entry, &whole, error);
        if (status == LF_OK && !lf_audit_walk_entry(&walk, &entry, whole))
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    if (status == LF_OK)
        lf_audit_walk_end(&walk);
    return status;
}

enum lf_status
lf_sqlite_check_audit(struct lf_connection *connection, const atomic_bool *stop, struct lf_findings *findings,
                      struct lf_error *error)
{
    enum lf_status status = lf_sqlite_begin_read(connection, error);

    if (status != LF_OK)
        return status;
    status = check_entries(connection, stop, findings, error);
    lf_sqlite_end_read(connection);
    return status;
}
