/*
 * erase.c - takes a lead out of the store: out of the blocks that hold its scores, which keep their place and number,
 * with them out of answers and deliveries that tell of these scores, then out of the table of leads. What counts is
 * kept under no name. Also what prune.c shares of it.
 *
 * Where it has come to says table lead_blocks alone: blocks that are done are taken from it in the same commit. So an
 * erasure that was cut off goes on where it was, whoever asks for it again.
 */
#include "store/sqlite/internal.h"
#include "store/sqlite/lead_blocks.h"

#include <string.h>

/* More than a row of table lead_blocks can grow to. */
enum { LEAD_BLOCKS_MAX = 1024 * 1024 };

/* ---- which blocks are a lead's ---- */

enum lf_status
lf_sqlite_run_for_lead(struct lf_connection *connection, enum lf_sql which, int64_t lead, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

enum lf_status
lf_sqlite_lead_has(struct lf_connection *connection, enum lf_sql which, int64_t lead, bool *ret_has,
                   struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_has, error);
    if (status == LF_OK)
        (void)sqlite3_reset(statement);
    return status;
}

/* The lead's first row of table lead_blocks, if there is one; the statement is the caller's to reset. */
static enum lf_status
first_row(struct lf_connection *connection, int64_t lead, sqlite3_stmt **ret_statement,
          struct lf_lead_blocks_reader *ret_reader, bool *ret_there, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    size_t len = 0;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD_BLOCKS_FIRST, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_there, error);
    if (status == LF_OK && *ret_there)
        status = lf_sqlite_bytes(connection, statement, 2, &body, &len, error);
    if (status != LF_OK) {
        (void)sqlite3_reset(statement);
        return status;
    }
    lf_lead_blocks_reader_init(ret_reader, body, len);
    *ret_statement = statement;
    return LF_OK;
}

/* Writes a row of table lead_blocks that there is not yet. */
static enum lf_status
add_row(struct lf_connection *connection, int64_t lead, int64_t first, int64_t last, const struct lf_buf *body,
        struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;

    if (lf_buf_failed(body))
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_get(connection, LF_SQL_ADD_LEAD_BLOCKS, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK || sqlite3_bind_int64(statement, 2, first) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, last) != SQLITE_OK ||
        sqlite3_bind_blob64(statement, 4, body->data, body->len, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* Deletes the rows of table lead_blocks that end at or before `last`. */
static enum lf_status
drop_rows(struct lf_connection *connection, int64_t lead, int64_t last, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DROP_LEAD_BLOCKS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK || sqlite3_bind_int64(statement, 2, last) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* What is left of the lead's first row behind `last`; nothing, where the row begins behind it. *ret_to: where the row
 * ends. */
static enum lf_status
cut_first_row(struct lf_connection *connection, int64_t lead, int64_t last, struct lf_buf *rest, int64_t *ret_first,
              int64_t *ret_to, struct lf_error *error)
{
    struct lf_lead_blocks_reader reader;
    sqlite3_stmt *statement = NULL;
    int64_t id = 0, previous = 0;
    bool there = false, begins_behind = true;
    enum lf_status status = first_row(connection, lead, &statement, &reader, &there, error);

    *ret_first = *ret_to = 0;
    if (status != LF_OK || !there) {
        (void)sqlite3_reset(statement);
        return status;
    }
    while (lf_lead_blocks_next(&reader, &id)) {
        if (id <= last) {
            begins_behind = false;
            continue;
        }
        if (previous == 0)
            *ret_first = id;
        lf_lead_blocks_add(rest, previous, id);
        previous = id;
    }
    *ret_to = id;
    if (reader.damaged || id == 0 || id != sqlite3_column_int64(statement, 1))
        status = lf_sqlite_lead_blocks_damaged(connection, error);
    (void)sqlite3_reset(statement);
    if (begins_behind)
        *ret_first = 0;
    return status;
}

enum lf_status
lf_sqlite_drop_lead_blocks(struct lf_connection *connection, int64_t lead, int64_t last, struct lf_error *error)
{
    struct lf_buf rest;
    int64_t first = 0, to = 0;
    enum lf_status status = drop_rows(connection, lead, last, error);

    if (status != LF_OK)
        return status;
    /* Rows do not overlap: only the first one that is left can begin before `last` and end behind it. */
    lf_buf_init(&rest, NULL, LEAD_BLOCKS_MAX);
    status = cut_first_row(connection, lead, last, &rest, &first, &to, error);
    if (status == LF_OK && first != 0) {
        status = drop_rows(connection, lead, to, error);
        if (status == LF_OK)
            status = add_row(connection, lead, first, to, &rest, error);
    }
    lf_buf_finish(&rest);
    return status;
}

/* ---- a block ---- */

/* An erasure that is going on. */
struct erasure {
    struct lf_connection *connection;
    struct lf_block_writer *block; /* the store's */
    const char *lead_id;
    size_t lead_id_len;
    lf_store_anonymise anonymise;
    void *context;
    struct lf_buf body; /* what is left of a score */
};

/* Adds the score to the block that is being built, without its lead where that is the one. */
static enum lf_status
add_score(struct erasure *erasure, const struct lf_stored_score *score, bool *ret_found, struct lf_error *error)
{
    struct lf_stored_score nameless = *score;
    enum lf_status status = LF_OK;

    if (score->lead_id_len != erasure->lead_id_len ||
        memcmp(score->lead_id, erasure->lead_id, erasure->lead_id_len) != 0) {
        lf_block_add(erasure->block, score);
        return LF_OK;
    }
    *ret_found = true;
    erasure->body.len = 0;
    status = erasure->anonymise(erasure->context, score, &erasure->body, error);
    if (status == LF_OK)
        status = lf_sqlite_erase_answers(erasure->connection, score->id, error);
    if (status == LF_OK)
        status = lf_sqlite_erase_deliveries(erasure->connection, score->id, error);
    if (status != LF_OK)
        return status;
    if (lf_buf_failed(&erasure->body))
        return lf_sqlite_no_memory(erasure->connection, error);
    nameless.lead_id = "";
    nameless.lead_id_len = 0;
    nameless.body = erasure->body.data;
    nameless.body_len = erasure->body.len;
    lf_block_add(erasure->block, &nameless);
    return LF_OK;
}

/* Builds the block anew; *ret_found false: the lead is not in it. */
static enum lf_status
rebuild_block(struct erasure *erasure, int64_t block, const void *body, size_t len, bool *ret_found,
              struct lf_error *error)
{
    struct lf_block_reader reader;
    struct lf_stored_score score;
    enum lf_status status = LF_OK;

    *ret_found = false;
    if (!lf_block_reader_init(&reader, body, len))
        return lf_sqlite_block_damaged(erasure->connection, block, reader.fault, error);
    lf_block_begin(erasure->block);
    while (status == LF_OK && lf_block_next(&reader, &score))
        status = add_score(erasure, &score, ret_found, error);
    if (status != LF_OK)
        return status;
    if (reader.fault != NULL)
        return lf_sqlite_block_damaged(erasure->connection, block, reader.fault, error);
    return lf_block_end(erasure->block) ? LF_OK : lf_sqlite_no_memory(erasure->connection, error);
}

static enum lf_status
write_block(const struct erasure *erasure, int64_t block, struct lf_error *error)
{
    const struct lf_buf *body = &erasure->block->buf;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(erasure->connection, LF_SQL_REWRITE_BLOCK, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, block) != SQLITE_OK ||
        sqlite3_bind_blob64(statement, 2, body->data, body->len, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(erasure->connection, error);
    return lf_sqlite_run(erasure->connection, statement, error);
}

/* A block that is gone holds nobody any more. */
static enum lf_status
erase_from_block(struct erasure *erasure, int64_t block, struct lf_error *error)
{
    struct lf_connection *connection = erasure->connection;
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    size_t len = 0;
    bool row = false, found = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, block) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row)
        status = lf_sqlite_bytes(connection, statement, 0, &body, &len, error);
    if (status == LF_OK && row)
        status = rebuild_block(erasure, block, body, len, &found, error);
    (void)sqlite3_reset(statement);
    return status == LF_OK && found ? write_block(erasure, block, error) : status;
}

/* ---- the lead ---- */

/* Erases from the first blocks that are left, at most *left of them, which are then the lead's no more; counts *left
 * down. *ret_there false: no block was left. */
static enum lf_status
erase_some(struct erasure *erasure, int64_t lead, size_t *left, bool *ret_there, struct lf_error *error)
{
    struct lf_lead_blocks_reader reader;
    sqlite3_stmt *statement = NULL;
    int64_t block = 0;
    enum lf_status status = first_row(erasure->connection, lead, &statement, &reader, ret_there, error);

    if (status != LF_OK || !*ret_there) {
        (void)sqlite3_reset(statement);
        return status;
    }
    while (status == LF_OK && *left > 0 && lf_lead_blocks_next(&reader, &block)) {
        status = erase_from_block(erasure, block, error);
        --*left;
    }
    if (status == LF_OK && (reader.damaged || block == 0))
        status = lf_sqlite_lead_blocks_damaged(erasure->connection, error);
    (void)sqlite3_reset(statement);
    return status == LF_OK ? lf_sqlite_drop_lead_blocks(erasure->connection, lead, block, error) : status;
}

/* Takes the lead's name; the lead itself as well where nothing of it counts. */
static enum lf_status
unname(struct lf_connection *connection, int64_t lead, const struct lf_change *change, struct lf_error *error)
{
    static const struct lf_sqlite_trace TRACE = {.action = "lead.erase", .icp = "", .subject = ""};
    bool counts = false;
    enum lf_status status = lf_sqlite_lead_has(connection, LF_SQL_HAS_LEAD_SCORES, lead, &counts, error);

    if (status == LF_OK)
        status = lf_sqlite_run_for_lead(connection, counts ? LF_SQL_UNNAME_LEAD : LF_SQL_DELETE_LEAD, lead, error);
    return status == LF_OK ? lf_sqlite_add_trace(connection, &TRACE, change, error) : status;
}

/* Within the transaction. */
static enum lf_status
erase(struct erasure *erasure, size_t blocks, const struct lf_change *change, bool *ret_more, struct lf_error *error)
{
    struct lf_connection *connection = erasure->connection;
    int64_t lead = 0;
    bool there = true;
    enum lf_status status = lf_sqlite_find_lead(connection, erasure->lead_id, erasure->lead_id_len, &lead, error);

    if (status == LF_OK && lead == 0)
        return lf_fail(error, LF_LEAD_NOT_FOUND, "no lead has this id");
    while (status == LF_OK && there && blocks > 0)
        status = erase_some(erasure, lead, &blocks, &there, error);
    if (status == LF_OK)
        status = lf_sqlite_lead_has(connection, LF_SQL_HAS_LEAD_BLOCKS, lead, ret_more, error);
    return status == LF_OK && !*ret_more ? unname(connection, lead, change, error) : status;
}

enum lf_status
lf_sqlite_erase_lead(struct lf_store *base, const char *lead_id, size_t lead_id_len, size_t blocks,
                     lf_store_anonymise anonymise, void *context, const struct lf_change *change, bool *ret_more,
                     struct lf_error *error)
{
    struct lf_sqlite_store *store = (struct lf_sqlite_store *)base;
    struct erasure erasure = {.connection = lf_sqlite_writer(base, "erasing a lead", error),
                              .block = &store->block,
                              .lead_id = lead_id,
                              .lead_id_len = lead_id_len,
                              .anonymise = anonymise,
                              .context = context};
    bool more = false;
    enum lf_status status = LF_OK;

    if (erasure.connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(erasure.connection, error);
    if (status != LF_OK)
        return status;
    lf_buf_init(&erasure.body, NULL, LF_SCORE_BODY_MAX);
    status = erase(&erasure, blocks, change, &more, error);
    status = lf_sqlite_end(erasure.connection, status, error);
    lf_buf_finish(&erasure.body);
    if (status == LF_OK)
        *ret_more = more;
    return status;
}
