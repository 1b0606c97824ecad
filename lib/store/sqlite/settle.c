/*
 * settle.c - what has become known of leads, written down: their row, their latest scores, the blocks that hold all of
 * their scores. What it says is decided above (app/ledger.h).
 */
#include "store/sqlite/internal.h"
#include "store/sqlite/lead_blocks.h"

/* Makes a row for a lead that has none. */
static enum lf_status
make_lead(struct lf_connection *connection, const struct lf_settled_lead *lead, int64_t *ret_row,
          struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_LEAD, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text64(statement, 1, lead->lead_id, lead->lead_id_len, SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK)
        *ret_row = sqlite3_last_insert_rowid(connection->db);
    return status;
}

static bool
bind_score(sqlite3_stmt *statement, int64_t lead, const struct lf_stored_lead_score *score)
{
    /* Nothing is copied: texts and result outlive the step, and the next use binds anew. */
    return sqlite3_bind_int64(statement, 1, lead) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 2, score->icp_id) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 3, score->version_id) == SQLITE_OK &&
           sqlite3_bind_blob(statement, 4, score->score_id.bytes, LF_ULID_SIZE, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_int(statement, 5, score->latest ? 1 : 0) == SQLITE_OK &&
           sqlite3_bind_int(statement, 6, score->qualified ? 1 : 0) == SQLITE_OK &&
           sqlite3_bind_int(statement, 7, score->score) == SQLITE_OK &&
           sqlite3_bind_int(statement, 8, score->coverage) == SQLITE_OK &&
           sqlite3_bind_int(statement, 9, score->engagement) == SQLITE_OK &&
           sqlite3_bind_text(statement, 10, score->grade, -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_text(statement, 11, score->label, -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_blob64(statement, 12, score->result_len > 0 ? score->result : "", score->result_len,
                               SQLITE_STATIC) == SQLITE_OK;
}

static enum lf_status
run_with(struct lf_connection *connection, enum lf_sql which, int64_t lead, const struct lf_stored_lead_score *score,
         struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    return bind_score(statement, lead, score) ? lf_sqlite_run(connection, statement, error)
                                              : lf_sqlite_no_memory(connection, error);
}

/* Within the transaction. */
static enum lf_status
settle_lead(struct lf_connection *connection, const struct lf_settled_lead *lead, struct lf_error *error)
{
    int64_t row = 0;
    bool fresh = false;
    enum lf_status status = LF_OK;

    if (lead->lead_id_len == 0)
        return lf_fail(error, LF_INTERNAL, "%s: one of them has no id", connection->doing);
    status = lf_sqlite_find_lead(connection, lead->lead_id, lead->lead_id_len, &row, error);
    if (status == LF_OK && row == 0) {
        fresh = true;
        status = make_lead(connection, lead, &row, error);
    }
    for (size_t i = 0; i < lead->score_count && status == LF_OK; i++) {
        if (!fresh)
            status = run_with(connection, LF_SQL_CHANGE_LEAD_SCORE, row, &lead->scores[i], error);
        if (status == LF_OK && (fresh || sqlite3_changes(connection->db) == 0))
            status = run_with(connection, LF_SQL_ADD_LEAD_SCORE, row, &lead->scores[i], error);
    }
    if (status != LF_OK || lead->block_count == 0)
        return status;
    return lf_sqlite_add_lead_blocks(connection, row, fresh, lead->blocks, lead->block_count, error);
}

enum lf_status
lf_sqlite_settle(struct lf_store *store, const struct lf_settled_lead *leads, size_t count,
                 const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t settled_block,
                 int64_t rolled_block, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "settling leads", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = settle_lead(connection, &leads[i], error);
    if (status == LF_OK)
        status = lf_sqlite_put_rollups(connection, rollups, rollup_count, error);
    if (status == LF_OK && settled_block > 0)
        status = lf_sqlite_raise_meta(connection, "settled_block", settled_block, error);
    if (status == LF_OK && rolled_block > 0)
        status = lf_sqlite_raise_meta(connection, "rolled_block", rolled_block, error);
    return lf_sqlite_end(connection, status, error);
}
