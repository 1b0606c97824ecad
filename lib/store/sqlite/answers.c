/*
 * answers.c - answers that are given again to whoever repeats a request. What is in them is sealed: here they are
 * bytes, found by name.
 *
 * An answer tells of all scores from its first to its last: those of one request, whose ids come one after the other
 * with nobody else's between them. So no two answers overlap, and the one that tells of a score is the last that begins
 * at or before it. The erasure of leads rests on this, and the check looks whether it is so.
 */
#include "store/sqlite/internal.h"

#include <string.h>

static const struct lf_ulid NO_SCORE;

static int
compare(struct lf_ulid a, struct lf_ulid b)
{
    return memcmp(a.bytes, b.bytes, LF_ULID_SIZE);
}

static bool
is_none(struct lf_ulid id)
{
    return compare(id, NO_SCORE) == 0;
}

/* ---- writing ---- */

/* Runs a statement whose one parameter is a blob. */
static enum lf_status
run_with(struct lf_connection *connection, enum lf_sql which, const void *blob, int len, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_blob(statement, 1, blob, len, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* null for none. */
static int
bind_score(sqlite3_stmt *statement, int at, const struct lf_ulid *id)
{
    return is_none(*id) ? sqlite3_bind_null(statement, at)
                        : sqlite3_bind_blob(statement, at, id->bytes, LF_ULID_SIZE, SQLITE_STATIC);
}

static bool
bind_answer(sqlite3_stmt *statement, const struct lf_stored_answer *answer)
{
    /* Nothing is copied: all of it outlives the step, and the next use binds anew. A blob without bytes is no null. */
    return sqlite3_bind_blob(statement, 1, answer->name, LF_SHA256_SIZE, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_blob(statement, 2, answer->request, LF_SHA256_SIZE, SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 3, answer->at_ms) == SQLITE_OK &&
           sqlite3_bind_int(statement, 4, answer->http_status) == SQLITE_OK &&
           bind_score(statement, 5, &answer->first_score) == SQLITE_OK &&
           bind_score(statement, 6, &answer->last_score) == SQLITE_OK &&
           sqlite3_bind_blob64(statement, 7, answer->sealed_len > 0 ? answer->sealed : "", answer->sealed_len,
                               SQLITE_STATIC) == SQLITE_OK;
}

static enum lf_status
put_answer(struct lf_connection *connection, const struct lf_stored_answer *answer, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;

    if (is_none(answer->first_score) != is_none(answer->last_score) ||
        compare(answer->first_score, answer->last_score) > 0)
        return lf_fail(error, LF_INTERNAL, "the scores that an answer to keep tells of are in no order");
    status = run_with(connection, LF_SQL_DELETE_ANSWER, answer->name, LF_SHA256_SIZE, error);
    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_ADD_ANSWER, &statement, error);
    if (status != LF_OK)
        return status;
    return bind_answer(statement, answer) ? lf_sqlite_run(connection, statement, error)
                                          : lf_sqlite_no_memory(connection, error);
}

enum lf_status
lf_sqlite_put_answers(struct lf_connection *connection, const struct lf_stored_answer *const *answers, size_t count,
                      struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = put_answer(connection, answers[i], error);
    return status;
}

enum lf_status
lf_sqlite_erase_answers(struct lf_connection *connection, struct lf_ulid score_id, struct lf_error *error)
{
    return run_with(connection, LF_SQL_ERASE_ANSWER, score_id.bytes, LF_ULID_SIZE, error);
}

enum lf_status
lf_sqlite_drop_answers(struct lf_connection *connection, struct lf_ulid last_id, struct lf_error *error)
{
    return run_with(connection, LF_SQL_DROP_ANSWERS, last_id.bytes, LF_ULID_SIZE, error);
}

/* Within the transaction. */
static enum lf_status
prune(struct lf_connection *connection, int64_t before_ms, size_t limit, bool *ret_more, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DROP_OLD_ANSWERS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, before_ms) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, (int64_t)limit) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    *ret_more = status == LF_OK && (size_t)sqlite3_changes(connection->db) == limit;
    return status;
}

enum lf_status
lf_sqlite_prune_answers(struct lf_store *store, int64_t before_ms, size_t limit, bool *ret_more, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "taking away old answers", error);
    bool more = false;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = prune(connection, before_ms, limit, &more, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *ret_more = more;
    return status;
}

/* ---- reading ---- */

/* All zeros for null. */
static enum lf_status
read_score(const struct lf_connection *connection, sqlite3_stmt *statement, int column, struct lf_ulid *ret_id,
           struct lf_error *error)
{
    *ret_id = NO_SCORE;
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? LF_OK
               : lf_sqlite_blob(connection, statement, column, ret_id->bytes, LF_ULID_SIZE, error);
}

/* The present row of LF_SQL_ANSWER; the name stands there already. */
static enum lf_status
read_answer(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
            struct lf_stored_answer *answer, struct lf_error *error)
{
    const void *sealed = NULL;
    enum lf_status status = lf_sqlite_blob(connection, statement, 0, answer->request, LF_SHA256_SIZE, error);

    answer->at_ms = sqlite3_column_int64(statement, 1);
    answer->http_status = sqlite3_column_int(statement, 2);
    if (status == LF_OK)
        status = read_score(connection, statement, 3, &answer->first_score, error);
    if (status == LF_OK)
        status = read_score(connection, statement, 4, &answer->last_score, error);
    answer->erased = sqlite3_column_type(statement, 5) == SQLITE_NULL;
    if (status == LF_OK)
        status = lf_sqlite_bytes(connection, statement, 5, &sealed, &answer->sealed_len, error);
    if (status != LF_OK)
        return status;
    answer->sealed = lf_arena_copy(arena, sealed, answer->sealed_len);
    return answer->sealed != NULL ? LF_OK : lf_sqlite_no_memory(connection, error);
}

enum lf_status
lf_sqlite_answer(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
                 bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "looking for an answer");
    struct lf_stored_answer answer = {.at_ms = 0};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ANSWER, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_blob(statement, 1, name, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    memcpy(answer.name, name, LF_SHA256_SIZE);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row)
        status = read_answer(connection, arena, statement, &answer, error);
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_found = row;
    if (row)
        *ret_answer = answer;
    return LF_OK;
}
