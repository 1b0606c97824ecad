/*
 * check_answers.c - whether answers fit the scores they tell of: these are there, and no other answer tells of them
 * (answers.c says why that matters). What is in an answer is sealed, and not looked at.
 */
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <string.h>

static const char IN_ORDER[] = "SELECT id, first_score, last_score FROM answer WHERE first_score IS NOT NULL"
                               " ORDER BY first_score, id";

/* The block that was looked at last: answers follow each other as scores do. All zeros: none. */
struct place {
    struct lf_ulid first, last; /* where it was entered, its last score */
};

static bool
is_within(const struct place *place, struct lf_ulid id)
{
    return memcmp(id.bytes, place->first.bytes, LF_ULID_SIZE) >= 0 &&
           memcmp(id.bytes, place->last.bytes, LF_ULID_SIZE) <= 0;
}

/* Whether there is a block that the score would be in. */
static enum lf_status
is_there(struct lf_connection *connection, struct lf_ulid id, struct place *place, bool *ret_there,
         struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    int64_t block = 0;
    bool row = false;
    enum lf_status status = LF_OK;

    *ret_there = is_within(place, id);
    if (*ret_there)
        return LF_OK;
    status = lf_sqlite_find_block(connection, id, &block, error);
    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_BLOCK_END, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, block) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error); /* block 0, for none, has no row */
    if (status == LF_OK && row) {
        place->first = id;
        status = lf_sqlite_blob(connection, statement, 0, place->last.bytes, LF_ULID_SIZE, error);
        *ret_there = status == LF_OK && is_within(place, id);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* The answer at the present row; *before is the last score of the one before, and becomes this one's. */
static enum lf_status
check_answer(struct lf_connection *connection, sqlite3_stmt *statement, struct lf_ulid *before, struct place *place,
             struct lf_findings *findings, struct lf_error *error)
{
    struct lf_ulid first = {{0}}, last = {{0}};
    int64_t row = sqlite3_column_int64(statement, 0);
    bool there = false, all = false;
    enum lf_status status = lf_sqlite_blob(connection, statement, 1, first.bytes, LF_ULID_SIZE, error);

    if (status == LF_OK)
        status = lf_sqlite_blob(connection, statement, 2, last.bytes, LF_ULID_SIZE, error);
    if (status == LF_OK)
        status = is_there(connection, first, place, &there, error);
    if (status == LF_OK)
        status = is_there(connection, last, place, &all, error);
    if (status != LF_OK)
        return status;
    if (!there || !all)
        lf_findings_add(findings, "", "damaged_answer",
                        "answer in row %" PRId64 ": it tells of scores that were not recorded", row);
    if (memcmp(first.bytes, before->bytes, LF_ULID_SIZE) <= 0)
        lf_findings_add(findings, "", "damaged_answer",
                        "answer in row %" PRId64 ": it tells of a score that another answer tells of", row);
    *before = last;
    return LF_OK;
}

enum lf_status
lf_sqlite_check_answers(struct lf_connection *connection, struct lf_findings *findings, struct lf_error *error)
{
    struct lf_ulid before = {{0}};
    struct place place = {.first = {{0}}};
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, IN_ORDER, -1, &statement, NULL);

    if (rc != SQLITE_OK)
        status = lf_sqlite_fail(connection, rc, error);
    while (status == LF_OK) { /* until it is interrupted; all statements meanwhile see the same moment */
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        status = check_answer(connection, statement, &before, &place, findings, error);
    }
    (void)sqlite3_finalize(statement);
    return status;
}
