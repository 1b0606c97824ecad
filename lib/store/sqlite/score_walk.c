/*
 * score_walk.c - a walk over recorded scores from the oldest on, block by block. Back from the newest: scores.c; those
 * of one lead: lead_scores.c.
 *
 * No transaction is held from one block to the next, so that a long walk never keeps the WAL from being moved into the
 * database.
 */
#include "store/sqlite/internal.h"

/* Fetches the block behind *block into the arena; *block is its id, or 0 once there is none. */
static enum lf_status
fetch_block_after(struct lf_connection *connection, int64_t *block, struct lf_arena *arena, const char **ret_body,
                  size_t *ret_len, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    int64_t before = *block;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_AFTER, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, before) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *block = row ? sqlite3_column_int64(statement, 0) : 0;
    if (row && *block <= before) {
        status = lf_sqlite_block_damaged(connection, before, "an earlier one follows it", error);
    } else if (row) {
        status = lf_sqlite_bytes(connection, statement, 5, &body, ret_len, error);
        *ret_body = status == LF_OK ? lf_arena_copy(arena, body, *ret_len) : NULL;
        if (status == LF_OK && *ret_body == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_each_score_behind(struct lf_store_reader *base, struct lf_arena *arena, int64_t block, int64_t last,
                            enum lf_status (*each)(void *context, int64_t block, const struct lf_stored_score *score),
                            void *context, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(base, "reading scores");
    enum lf_status status = LF_OK;

    while (status == LF_OK && block < last) {
        struct lf_block_reader reader;
        struct lf_stored_score score;
        const char *body = NULL;
        size_t len = 0;

        lf_arena_reset(arena);
        status = fetch_block_after(connection, &block, arena, &body, &len, error);
        if (status != LF_OK || block == 0 || block > last)
            break;
        if (!lf_block_reader_init(&reader, body, len))
            return lf_sqlite_block_damaged(connection, block, reader.fault, error);
        while (status == LF_OK && lf_block_next(&reader, &score))
            status = each(context, block, &score);
        if (status == LF_OK && reader.fault != NULL)
            status = lf_sqlite_block_damaged(connection, block, reader.fault, error);
    }
    return status;
}
