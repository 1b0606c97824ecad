/* outcomes.c - what became of leads: the latest word on each, in table lead. */
#include "store/sqlite/internal.h"

#include <string.h>

static const char *const WORDS[] = {
    [LF_OUTCOME_OPEN] = "open",
    [LF_OUTCOME_WON] = "won",
    [LF_OUTCOME_LOST] = "lost",
};

/* Runs one of the two statements that put an outcome. */
static enum lf_status
run_with(struct lf_connection *connection, enum lf_sql which, const struct lf_stored_outcome *outcome,
         struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text64(statement, 1, outcome->lead_id, outcome->lead_id_len, SQLITE_STATIC, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_text(statement, 2, WORDS[outcome->outcome], -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, outcome->value) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 4, outcome->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* Within the transaction. */
static enum lf_status
put_outcome(struct lf_connection *connection, const struct lf_stored_outcome *outcome, struct lf_error *error)
{
    enum lf_status status = run_with(connection, LF_SQL_CHANGE_OUTCOME, outcome, error);

    if (status != LF_OK || sqlite3_changes(connection->db) > 0)
        return status;
    return run_with(connection, LF_SQL_ADD_OUTCOME, outcome, error); /* adds nothing where a later word is there */
}

enum lf_status
lf_sqlite_put_outcomes(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                       const struct lf_stored_rollup *rollups, size_t rollup_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "noting outcomes", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    if (count == 0 && rollup_count == 0)
        return LF_OK;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = put_outcome(connection, &outcomes[i], error);
    if (status == LF_OK)
        status = lf_sqlite_put_rollups(connection, rollups, rollup_count, error);
    return lf_sqlite_end(connection, status, error);
}

enum lf_status
lf_sqlite_read_outcome(const struct lf_connection *connection, sqlite3_stmt *statement, int column, bool *ret_has,
                       struct lf_stored_outcome *ret_outcome, struct lf_error *error)
{
    const char *word = (const char *)sqlite3_column_text(statement, column);

    *ret_has = false;
    *ret_outcome = (struct lf_stored_outcome){.lead_id = NULL};
    if (word == NULL)
        return lf_sqlite_no_memory(connection, error);
    if (word[0] == '\0')
        return LF_OK;
    ret_outcome->value = sqlite3_column_int64(statement, column + 1);
    ret_outcome->at_ms = sqlite3_column_int64(statement, column + 2);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcmp(word, WORDS[i]) == 0) {
            ret_outcome->outcome = (enum lf_outcome_word)i;
            *ret_has = true;
            return LF_OK;
        }
    return lf_fail(error, LF_STORAGE_CORRUPT, "%s: an outcome is none of open, won and lost", connection->path);
}

enum lf_status
lf_sqlite_outcome(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, bool *ret_found,
                  struct lf_stored_outcome *ret_outcome, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading an outcome");
    struct lf_stored_outcome outcome;
    sqlite3_stmt *statement = NULL;
    bool row = false, found = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text64(statement, 1, lead_id, lead_id_len, SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row)
        status = lf_sqlite_read_outcome(connection, statement, 1, &found, &outcome, error);
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_found = found;
    if (found) {
        outcome.lead_id = lead_id;
        outcome.lead_id_len = lead_id_len;
        *ret_outcome = outcome;
    }
    return LF_OK;
}
