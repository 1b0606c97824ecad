/*
 * prune.c - takes away the oldest blocks of recorded scores, and what is known of leads from them alone.
 *
 * Blocks go from the oldest on, so what goes are all scores up to one id and all blocks up to one: in the rows of a
 * lead everything up to there goes, and so do answers and deliveries that tell of such a score. Which leads there are
 * in a block it says itself; those that were erased it does not name, and they are looked through once at the end.
 * Roll-ups stay.
 */
#include "store/sqlite/internal.h"

#include <string.h>

/* ---- how far ---- */

/* What is to go. */
enum { OUTCOMES_MAX = 1000 /* taken away in one commit */ };

struct pruning {
    struct lf_connection *connection;
    int64_t before_ms;      /* only what was recorded before */
    int64_t bound;          /* only blocks up to this one */
    int64_t last;           /* the last block that goes, 0 for none */
    struct lf_ulid last_id; /* its last score */
    bool more;              /* there are such blocks behind it */
};

/* Blocks of which not all is derived yet that others will need stay. */
static enum lf_status
find_bound(struct pruning *pruning, struct lf_error *error)
{
    int64_t rolled = 0, due = 0;
    enum lf_status status = lf_sqlite_meta(pruning->connection, "settled_block", &pruning->bound, error);

    if (status == LF_OK)
        status = lf_sqlite_meta(pruning->connection, "rolled_block", &rolled, error);
    if (status == LF_OK)
        status = lf_sqlite_meta(pruning->connection, "due_block", &due, error);
    if (status == LF_OK && rolled < due && rolled < pruning->bound)
        pruning->bound = rolled;
    return status;
}

/* Looks at the block behind the last one that goes: *ret_goes says whether it does as well, then it is the last. */
static enum lf_status
look_at_next(struct pruning *pruning, bool take, bool *ret_goes, struct lf_error *error)
{
    struct lf_connection *connection = pruning->connection;
    struct lf_ulid last_id = {{0}};
    sqlite3_stmt *statement = NULL;
    int64_t block = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_AFTER, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, pruning->last) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    if (row) {
        block = sqlite3_column_int64(statement, 0);
        status = lf_sqlite_blob(connection, statement, 2, last_id.bytes, LF_ULID_SIZE, error);
    }
    if (status == LF_OK && row && block <= pruning->last)
        status = lf_sqlite_block_damaged(connection, pruning->last, "an earlier one follows it", error);
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_goes = row && block <= pruning->bound && lf_ulid_ms(last_id) < pruning->before_ms;
    if (*ret_goes && take) {
        pruning->last = block;
        pruning->last_id = last_id;
    }
    return LF_OK;
}

/* ---- leads ---- */

/* Runs a statement that takes what was scored up to the last id that goes (its last parameter): of the lead in row
 * `lead`, or of all that have no name. */
static enum lf_status
drop_scores(const struct pruning *pruning, enum lf_sql which, int64_t lead, struct lf_error *error)
{
    struct lf_connection *connection = pruning->connection;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if ((lead != 0 && sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK) ||
        sqlite3_bind_blob(statement, lead != 0 ? 2 : 1, pruning->last_id.bytes, LF_ULID_SIZE, SQLITE_STATIC) !=
            SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* Takes away what is known of a lead from what goes, and the lead where nothing else is known of it. */
static enum lf_status
forget(const struct pruning *pruning, const struct lf_stored_score *score, struct lf_error *error)
{
    struct lf_connection *connection = pruning->connection;
    int64_t lead = 0;
    bool scores = false, blocks = false;
    enum lf_status status = lf_sqlite_find_lead(connection, score->lead_id, score->lead_id_len, &lead, error);

    if (status != LF_OK || lead == 0)
        return status;
    status = lf_sqlite_drop_lead_blocks(connection, lead, pruning->last, error);
    if (status == LF_OK)
        status = drop_scores(pruning, LF_SQL_DROP_LEAD_SCORES, lead, error);
    if (status == LF_OK && sqlite3_changes(connection->db) > 0)
        status = lf_sqlite_run_for_lead(connection, LF_SQL_FIND_LATEST, lead, error);
    if (status == LF_OK)
        status = lf_sqlite_lead_has(connection, LF_SQL_HAS_LEAD_SCORES, lead, &scores, error);
    if (status == LF_OK)
        status = lf_sqlite_lead_has(connection, LF_SQL_HAS_LEAD_BLOCKS, lead, &blocks, error);
    return status == LF_OK && !scores && !blocks ? lf_sqlite_run_for_lead(connection, LF_SQL_DELETE_LEAD, lead, error)
                                                 : status;
}

/* The same of all leads without a name. */
static enum lf_status
forget_nameless(const struct pruning *pruning, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = drop_scores(pruning, LF_SQL_DROP_NAMELESS_SCORES, 0, error);

    if (status == LF_OK)
        status = lf_sqlite_get(pruning->connection, LF_SQL_DROP_NAMELESS_LEADS, &statement, error);
    return status == LF_OK ? lf_sqlite_run(pruning->connection, statement, error) : status;
}

/* Takes away outcomes of before that moment that belong to nobody who was scored, or whose scores are gone. */
static enum lf_status
drop_old_outcomes(struct pruning *pruning, struct lf_error *error)
{
    struct lf_connection *connection = pruning->connection;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DROP_OLD_OUTCOMES, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, pruning->before_ms) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, OUTCOMES_MAX) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    pruning->more = status == LF_OK && sqlite3_changes(connection->db) == OUTCOMES_MAX;
    return status;
}

/* ---- blocks ---- */

static enum lf_status
forget_leads(const struct pruning *pruning, int64_t block, const void *body, size_t len, struct lf_error *error)
{
    struct lf_block_reader reader;
    struct lf_stored_score score, before = {.lead_id_len = 0};
    enum lf_status status = LF_OK;

    if (!lf_block_reader_init(&reader, body, len))
        return lf_sqlite_block_damaged(pruning->connection, block, reader.fault, error);
    while (status == LF_OK && lf_block_next(&reader, &score)) {
        if (score.lead_id_len > 0 &&
            (score.lead_id_len != before.lead_id_len || memcmp(score.lead_id, before.lead_id, score.lead_id_len) != 0))
            status = forget(pruning, &score, error);
        before = score;
    }
    if (status == LF_OK && reader.fault != NULL)
        status = lf_sqlite_block_damaged(pruning->connection, block, reader.fault, error);
    return status;
}

/* Takes the oldest block away; *ret_block is its id. */
static enum lf_status
drop_oldest(const struct pruning *pruning, int64_t *ret_block, struct lf_error *error)
{
    struct lf_connection *connection = pruning->connection;
    sqlite3_stmt *statement = NULL, *drop = NULL;
    const void *body = NULL;
    size_t len = 0;
    int64_t block = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_AFTER, &statement, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_DELETE_BLOCK, &drop, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, INT64_MIN) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    block = row ? sqlite3_column_int64(statement, 0) : 0;
    if (!row || block > pruning->last) /* it was there a moment ago, in the same transaction */
        status = lf_sqlite_block_damaged(connection, pruning->last, "it is not where it was", error);
    if (status == LF_OK)
        status = lf_sqlite_bytes(connection, statement, 5, &body, &len, error);
    if (status == LF_OK)
        status = forget_leads(pruning, block, body, len, error);
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(drop, 1, block) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    *ret_block = block;
    return lf_sqlite_run(connection, drop, error);
}

/* Answers may be given again for longer than scores are kept, and deliveries wait for as long as their target is not
 * there: what they say of leads goes with the scores. */
static enum lf_status
forget_what_was_told(const struct pruning *pruning, struct lf_error *error)
{
    enum lf_status status = lf_sqlite_drop_answers(pruning->connection, pruning->last_id, error);

    return status == LF_OK ? drop_scores(pruning, LF_SQL_ERASE_OLD_DELIVERIES, 0, error) : status;
}

/* Within the transaction. */
static enum lf_status
prune(struct pruning *pruning, size_t blocks, struct lf_error *error)
{
    int64_t dropped = 0;
    bool goes = true;
    enum lf_status status = find_bound(pruning, error);

    for (; status == LF_OK && goes && blocks > 0; blocks--)
        status = look_at_next(pruning, true, &goes, error);
    if (status == LF_OK && goes)
        status = look_at_next(pruning, false, &pruning->more, error);
    while (status == LF_OK && dropped < pruning->last)
        status = drop_oldest(pruning, &dropped, error);
    if (status == LF_OK && pruning->last != 0)
        status = forget_what_was_told(pruning, error);
    if (status == LF_OK && pruning->last != 0)
        status = lf_sqlite_raise_meta(pruning->connection, "pruned_ms", lf_ulid_ms(pruning->last_id) + 1, error);
    if (status == LF_OK && pruning->last != 0 && !pruning->more)
        status = forget_nameless(pruning, error);
    if (status == LF_OK && !pruning->more)
        status = drop_old_outcomes(pruning, error);
    return status;
}

enum lf_status
lf_sqlite_prune(struct lf_store *store, int64_t before_ms, size_t blocks, bool *ret_more, struct lf_error *error)
{
    struct pruning pruning = {.connection = lf_sqlite_writer(store, "taking away old scores", error),
                              .before_ms = before_ms};
    enum lf_status status = LF_OK;

    if (pruning.connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(pruning.connection, error);
    if (status != LF_OK)
        return status;
    status = prune(&pruning, blocks, error);
    status = lf_sqlite_end(pruning.connection, status, error);
    if (status == LF_OK)
        *ret_more = pruning.more;
    return status;
}
