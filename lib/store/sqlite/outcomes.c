/* outcomes.c - what became of leads: the latest word on each. */
#include "store/sqlite/internal.h"

#include <string.h>

static const char *const WORDS[] = {
    [LF_OUTCOME_OPEN] = "open",
    [LF_OUTCOME_WON] = "won",
    [LF_OUTCOME_LOST] = "lost",
};

static bool
bind_outcome(sqlite3_stmt *statement, const struct lf_stored_outcome *outcome)
{
    return sqlite3_bind_text64(statement, 1, outcome->lead_id, outcome->lead_id_len, SQLITE_STATIC, SQLITE_UTF8) ==
               SQLITE_OK &&
           sqlite3_bind_text(statement, 2, WORDS[outcome->outcome], -1, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 3, outcome->value) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 4, outcome->at_ms) == SQLITE_OK;
}

/* Within the transaction. */
static enum lf_status
put_outcome(struct lf_connection *connection, const struct lf_stored_outcome *outcome, struct lf_error *error)
{
    sqlite3_stmt *add = NULL, *change = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_OUTCOME, &add, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_CHANGE_OUTCOME, &change, error);
    if (status != LF_OK)
        return status;
    if (!bind_outcome(add, outcome) || !bind_outcome(change, outcome))
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, add, error);
    if (status != LF_OK || sqlite3_changes(connection->db) > 0)
        return status;
    return lf_sqlite_run(connection, change, error); /* changes nothing where a later word is there */
}

enum lf_status
lf_sqlite_put_outcomes(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                       struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "noting outcomes", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    if (count == 0)
        return LF_OK;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = put_outcome(connection, &outcomes[i], error);
    return lf_sqlite_end(connection, status, error);
}

/* The word in a row; false for one that is not known. */
static bool
read_word(const char *text, enum lf_outcome_word *ret_word)
{
    for (size_t i = 0; text != NULL && i < sizeof WORDS / sizeof *WORDS; i++)
        if (strcmp(text, WORDS[i]) == 0) {
            *ret_word = (enum lf_outcome_word)i;
            return true;
        }
    return false;
}

enum lf_status
lf_sqlite_outcome(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, bool *ret_found,
                  struct lf_stored_outcome *ret_outcome, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading an outcome");
    struct lf_stored_outcome outcome = {.lead_id = lead_id, .lead_id_len = lead_id_len};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_OUTCOME, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text64(statement, 1, lead_id, lead_id_len, SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row) {
        outcome.value = sqlite3_column_int64(statement, 1);
        outcome.at_ms = sqlite3_column_int64(statement, 2);
        if (!read_word((const char *)sqlite3_column_text(statement, 0), &outcome.outcome))
            status =
                lf_fail(error, LF_STORAGE_CORRUPT, "%s: an outcome is none of open, won and lost", connection->path);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_found = row;
    if (row)
        *ret_outcome = outcome;
    return LF_OK;
}
