/*
 * functions.c - the SQL functions that migrations have, for what SQL cannot do by itself.
 *
 *     leadfit_fold(text)          blob: the text as conditions compare it (base/text.h)
 *     leadfit_list_hash(entry)    aggregate, 32 bytes: the hash of a list with these entries (store/list_hash.h)
 *
 * They are there while migrations run and at no other time: no view, index or trigger can come to need them.
 */
#include "base/text.h"
#include "store/list_hash.h"
#include "store/sqlite/internal.h"

/* Folding one text: some times its length, and texts are smaller than a request was. */
enum { FOLD_CHUNK = 16 * 1024, FOLD_MAX = 256 * 1024 * 1024 };

static void
fold(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct lf_arena *arena = sqlite3_user_data(context);
    const char *text = (const char *)sqlite3_value_text(values[0]);
    size_t len = (size_t)sqlite3_value_bytes(values[0]);
    struct lf_text folded = {.bytes = NULL};

    (void)count; /* one, as it was registered */
    if (text == NULL)
        return; /* NULL, or no memory, which SQLite notices by itself */
    if (!lf_text_is_utf8(text, len, NULL)) {
        sqlite3_result_error_code(context, SQLITE_CORRUPT); /* only what is valid was ever taken in */
        return;
    }
    lf_arena_reset(arena);
    if (lf_text_fold(arena, text, len, &folded))
        sqlite3_result_blob64(context, folded.len > 0 ? folded.bytes : "", folded.len, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_nomem(context);
}

static void
free_arena(void *arena)
{
    lf_arena_destroy(arena);
}

static void
hash_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t *sum = sqlite3_aggregate_context(context, LF_SHA256_SIZE); /* zeros at first */
    const char *text = (const char *)sqlite3_value_text(values[0]);

    (void)count; /* one, as it was registered */
    if (sum == NULL || text == NULL || !lf_list_hash_add_entry(sum, text, (size_t)sqlite3_value_bytes(values[0])))
        sqlite3_result_error_nomem(context);
}

static void
hash_final(sqlite3_context *context)
{
    static const uint8_t NOTHING[LF_SHA256_SIZE];
    const uint8_t *sum = sqlite3_aggregate_context(context, 0); /* NULL when there was no entry */

    sqlite3_result_blob(context, sum != NULL ? sum : NOTHING, LF_SHA256_SIZE, SQLITE_TRANSIENT);
}

enum lf_status
lf_sqlite_add_list_functions(struct lf_connection *connection, struct lf_error *error)
{
    struct lf_arena *arena = lf_arena_create(FOLD_CHUNK, FOLD_MAX);
    int rc = SQLITE_OK, flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;

    if (arena == NULL)
        return lf_sqlite_no_memory(connection, error);
    /* When it fails SQLite frees the arena, too. */
    rc = sqlite3_create_function_v2(connection->db, "leadfit_fold", 1, flags, arena, fold, NULL, NULL, free_arena);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(connection->db, "leadfit_list_hash", 1, flags, NULL, NULL, hash_step,
                                        hash_final, NULL);
    if (rc == SQLITE_OK)
        return LF_OK;
    lf_sqlite_drop_list_functions(connection);
    return lf_sqlite_fail(connection, rc, error);
}

void
lf_sqlite_drop_list_functions(struct lf_connection *connection)
{
    static const char *const NAMES[] = {"leadfit_fold", "leadfit_list_hash"};

    /* Fails only while a statement runs, and none does; closing the connection would drop them as well. */
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        (void)sqlite3_create_function_v2(connection->db, NAMES[i], 1, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL);
}
