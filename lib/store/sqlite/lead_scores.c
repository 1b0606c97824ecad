/*
 * lead_scores.c - all scores of one lead, newest first, out of the blocks that hold them; and all leads there are. One
 * lead with its latest scores: leads.c.
 *
 * Each block is found and fetched in a transaction of its own, as in score_walk.c: what is erased or pruned meanwhile
 * is simply not met any more.
 */
#include "store/sqlite/internal.h"
#include "store/sqlite/lead_blocks.h"

#include <string.h>

/* ---- one lead's scores ---- */

/* A walk back over the scores of a lead. */
struct walk {
    struct lf_connection *connection;
    struct lf_arena *arena; /* of one block */
    const char *lead_id;
    size_t lead_id_len;
    int64_t lead;          /* its row */
    struct lf_ulid before; /* only scores with a smaller id */
    enum lf_status (*each)(void *context, const struct lf_stored_score *score);
    void *context;
};

enum lf_status
lf_sqlite_lead_blocks_damaged(const struct lf_connection *connection, struct lf_error *error)
{
    return lf_fail(error, LF_STORAGE_CORRUPT,
                   "%s: which blocks hold a lead's scores is damaged; restore it from a backup", connection->path);
}

/* The last block before `before` of those in the present row of table lead_blocks; there must be one. */
static enum lf_status
last_before(const struct lf_connection *connection, sqlite3_stmt *statement, int64_t before, int64_t *ret_block,
            struct lf_error *error)
{
    struct lf_lead_blocks_reader reader;
    const void *body = NULL;
    size_t len = 0;
    int64_t id = 0, first = 0, found = 0;
    enum lf_status status = lf_sqlite_bytes(connection, statement, 2, &body, &len, error);

    if (status != LF_OK)
        return status;
    lf_lead_blocks_reader_init(&reader, body, len);
    while (lf_lead_blocks_next(&reader, &id)) {
        if (first == 0)
            first = id;
        if (id < before)
            found = id;
    }
    if (reader.damaged || found == 0 || first != sqlite3_column_int64(statement, 0) ||
        id != sqlite3_column_int64(statement, 1))
        return lf_sqlite_lead_blocks_damaged(connection, error);
    *ret_block = found;
    return LF_OK;
}

/* Finds the lead's last block before *block; *block is its id, or 0 once there is none. Within a transaction. */
static enum lf_status
find_block_before(const struct walk *walk, int64_t *block, struct lf_error *error)
{
    struct lf_connection *connection = walk->connection;
    sqlite3_stmt *statement = NULL;
    int64_t before = *block;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD_BLOCKS_BEFORE, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, walk->lead) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, before) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *block = 0;
    if (row)
        status = last_before(connection, statement, before, block, error);
    (void)sqlite3_reset(statement);
    return status;
}

/* Fetches a block into the arena. Within a transaction. */
static enum lf_status
fetch_block(const struct walk *walk, int64_t block, const char **ret_body, size_t *ret_len, struct lf_error *error)
{
    struct lf_connection *connection = walk->connection;
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, block) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && !row)
        status = lf_sqlite_block_damaged(connection, block, "it is gone", error);
    if (status == LF_OK)
        status = lf_sqlite_bytes(connection, statement, 0, &body, ret_len, error);
    if (status == LF_OK) {
        *ret_body = lf_arena_copy(walk->arena, body, *ret_len);
        if (*ret_body == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* Fetches the lead's block before *block into the arena; *block is its id, or 0 once there is none. */
static enum lf_status
fetch_block_before(const struct walk *walk, int64_t *block, const char **ret_body, size_t *ret_len,
                   struct lf_error *error)
{
    enum lf_status status = lf_sqlite_begin_read(walk->connection, error);

    if (status != LF_OK)
        return status;
    status = find_block_before(walk, block, error);
    if (status == LF_OK && *block != 0)
        status = fetch_block(walk, *block, ret_body, ret_len, error);
    lf_sqlite_end_read(walk->connection);
    return status;
}

/* Hands over the lead's scores in a block, newest first; they stand in it oldest first. */
static enum lf_status
each_in_block(const struct walk *walk, int64_t block, const char *body, size_t len, struct lf_error *error)
{
    struct lf_block_reader reader;
    struct lf_stored_score *scores = NULL, score;
    size_t count = 0, capacity = 0;
    enum lf_status status = LF_OK;

    if (!lf_block_reader_init(&reader, body, len))
        return lf_sqlite_block_damaged(walk->connection, block, reader.fault, error);
    while (lf_block_next(&reader, &score)) {
        if (score.lead_id_len != walk->lead_id_len || memcmp(score.lead_id, walk->lead_id, walk->lead_id_len) != 0 ||
            memcmp(score.id.bytes, walk->before.bytes, LF_ULID_SIZE) >= 0)
            continue;
        scores = lf_sqlite_grow(walk->arena, scores, count, &capacity, sizeof *scores);
        if (scores == NULL)
            return lf_sqlite_no_memory(walk->connection, error);
        scores[count++] = score;
    }
    if (reader.fault != NULL)
        return lf_sqlite_block_damaged(walk->connection, block, reader.fault, error);
    while (count > 0 && status == LF_OK)
        status = walk->each(walk->context, &scores[--count]);
    return status;
}

/* Where the walk begins: the block behind the last one with scores of before `before`. */
static enum lf_status
begin_walk(struct walk *walk, int64_t *ret_block, struct lf_error *error)
{
    int64_t block = 0;
    enum lf_status status = lf_sqlite_begin_read(walk->connection, error);

    if (status != LF_OK)
        return status;
    status = lf_sqlite_find_lead(walk->connection, walk->lead_id, walk->lead_id_len, &walk->lead, error);
    if (status == LF_OK && walk->lead != 0)
        status = lf_sqlite_find_block(walk->connection, walk->before, &block, error);
    lf_sqlite_end_read(walk->connection);
    if (status == LF_OK)
        *ret_block = block + 1; /* 1 for none at all: then nothing is before it */
    return status;
}

enum lf_status
lf_sqlite_each_lead_score(struct lf_store_reader *base, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
                          struct lf_ulid before,
                          enum lf_status (*each)(void *context, const struct lf_stored_score *score), void *context,
                          struct lf_error *error)
{
    struct walk walk = {.connection = lf_sqlite_reader(base, "reading a lead's scores"),
                        .arena = arena,
                        .lead_id = lead_id,
                        .lead_id_len = lead_id_len,
                        .before = before,
                        .each = each,
                        .context = context};
    int64_t block = 0;
    enum lf_status status = begin_walk(&walk, &block, error);

    while (status == LF_OK && walk.lead != 0) {
        const char *body = NULL;
        size_t len = 0;

        lf_arena_reset(arena);
        status = fetch_block_before(&walk, &block, &body, &len, error);
        if (status != LF_OK || block == 0)
            break;
        status = each_in_block(&walk, block, body, len, error);
    }
    return status;
}

/* ---- all leads ---- */

/* The lead in the row behind *row; *row is its own, or 0 once there is none. Within a transaction. */
static enum lf_status
read_lead_after(struct lf_connection *connection, struct lf_arena *arena, int64_t *row, struct lf_stored_lead *ret_lead,
                struct lf_error *error)
{
    struct lf_stored_lead lead = {.lead_id = ""};
    sqlite3_stmt *statement = NULL;
    bool there = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD_AFTER, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, *row) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &there, error);
    if (status != LF_OK)
        return status;
    if (there && sqlite3_column_int64(statement, 0) <= *row) {
        (void)sqlite3_reset(statement);
        return lf_fail(error, LF_STORAGE_CORRUPT, "%s: the leads are damaged: one is out of order", connection->path);
    }
    *row = there ? sqlite3_column_int64(statement, 0) : 0;
    if (there)
        status = lf_sqlite_read_outcome(connection, statement, 1, &lead.has_outcome, &lead.outcome, error);
    if (status == LF_OK && there && sqlite3_column_type(statement, 4) != SQLITE_NULL) {
        lead.lead_id = lf_sqlite_text(arena, statement, 4);
        lead.lead_id_len = (size_t)sqlite3_column_bytes(statement, 4);
        if (lead.lead_id == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    if (status == LF_OK && there)
        status = lf_sqlite_read_lead_scores(connection, arena, *row, &lead.scores, &lead.score_count, error);
    if (status == LF_OK)
        *ret_lead = lead;
    return status;
}

enum lf_status
lf_sqlite_each_lead(struct lf_store_reader *base, struct lf_arena *arena,
                    enum lf_status (*each)(void *context, const struct lf_stored_lead *lead), void *context,
                    struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(base, "reading leads");
    struct lf_stored_lead lead;
    int64_t row = 0;
    enum lf_status status = LF_OK;

    while (status == LF_OK) {
        lf_arena_reset(arena);
        status = lf_sqlite_begin_read(connection, error);
        if (status != LF_OK)
            break;
        status = read_lead_after(connection, arena, &row, &lead, error);
        lf_sqlite_end_read(connection);
        if (status != LF_OK || row == 0)
            break;
        status = each(context, &lead);
    }
    return status;
}
