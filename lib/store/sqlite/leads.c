/* leads.c - one lead: its row, its latest scores, what became of it. Many of them: lead_list.c; writing: settle.c. */
#include "store/sqlite/internal.h"

static enum lf_status
bind_lead(const struct lf_connection *connection, sqlite3_stmt *statement, const char *lead_id, size_t lead_id_len,
          struct lf_error *error)
{
    return sqlite3_bind_text64(statement, 1, lead_id, lead_id_len, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK
               ? LF_OK
               : lf_sqlite_no_memory(connection, error);
}

enum lf_status
lf_sqlite_find_lead(struct lf_connection *connection, const char *lead_id, size_t lead_id_len, int64_t *ret_lead,
                    struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD_ROW, &statement, error);

    if (status == LF_OK)
        status = bind_lead(connection, statement, lead_id, lead_id_len, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_lead = row ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return LF_OK;
}

enum lf_status
lf_sqlite_read_lead_score(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
                          struct lf_stored_lead_score *ret_score, struct lf_error *error)
{
    const void *result = NULL;
    struct lf_stored_lead_score score = {
        .icp_id = sqlite3_column_int64(statement, 0),
        .version_id = sqlite3_column_int64(statement, 1),
        .icp = lf_sqlite_text(arena, statement, 2),
        .version = sqlite3_column_int(statement, 3),
        .latest = sqlite3_column_int(statement, 5) != 0,
        .qualified = sqlite3_column_int(statement, 6) != 0,
        .score = sqlite3_column_int(statement, 7),
        .coverage = sqlite3_column_int(statement, 8),
        .engagement = sqlite3_column_int(statement, 9),
        .grade = lf_sqlite_text(arena, statement, 10),
        .label = lf_sqlite_text(arena, statement, 11),
    };
    enum lf_status status = lf_sqlite_blob(connection, statement, 4, score.score_id.bytes, LF_ULID_SIZE, error);

    if (status == LF_OK)
        status = lf_sqlite_bytes(connection, statement, 12, &result, &score.result_len, error);
    if (status != LF_OK)
        return status;
    score.result = lf_arena_copy(arena, result, score.result_len);
    if (score.icp == NULL || score.grade == NULL || score.label == NULL || score.result == NULL)
        return lf_sqlite_no_memory(connection, error);
    *ret_score = score;
    return LF_OK;
}

enum lf_status
lf_sqlite_read_lead_scores(struct lf_connection *connection, struct lf_arena *arena, int64_t lead,
                           struct lf_stored_lead_score **ret_scores, size_t *ret_count, struct lf_error *error)
{
    struct lf_stored_lead_score *scores = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD_SCORES, &statement, error);

    if (status == LF_OK && sqlite3_bind_int64(statement, 1, lead) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        scores = lf_sqlite_grow(arena, scores, count, &capacity, sizeof *scores);
        status = scores == NULL ? lf_sqlite_no_memory(connection, error)
                                : lf_sqlite_read_lead_score(connection, arena, statement, &scores[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_scores = scores;
    *ret_count = count;
    return LF_OK;
}

/* Within a transaction. */
static enum lf_status
read_lead(struct lf_connection *connection, struct lf_arena *arena, struct lf_stored_lead *lead, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LEAD, &statement, error);

    if (status == LF_OK)
        status = bind_lead(connection, statement, lead->lead_id, lead->lead_id_len, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && !row)
        status = lf_fail(error, LF_LEAD_NOT_FOUND, "no lead has this id");
    if (status == LF_OK) {
        id = sqlite3_column_int64(statement, 0);
        status = lf_sqlite_read_outcome(connection, statement, 1, &lead->has_outcome, &lead->outcome, error);
    }
    (void)sqlite3_reset(statement);
    if (status == LF_OK)
        status = lf_sqlite_read_lead_scores(connection, arena, id, &lead->scores, &lead->score_count, error);
    return status;
}

enum lf_status
lf_sqlite_lead(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
               struct lf_stored_lead *ret_lead, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a lead");
    struct lf_stored_lead lead = {.lead_id = lf_arena_copy(arena, lead_id, lead_id_len), .lead_id_len = lead_id_len};
    enum lf_status status = LF_OK;

    if (lead.lead_id == NULL)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_begin_read(connection, error);
    if (status != LF_OK)
        return status;
    status = read_lead(connection, arena, &lead, error);
    lf_sqlite_end_read(connection);
    if (status == LF_OK)
        *ret_lead = lead;
    return status;
}

enum lf_status
lf_sqlite_knows_lead(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, int64_t icp_id,
                     bool *ret_known, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "looking for a lead");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_KNOWS_LEAD, &statement, error);

    if (status == LF_OK)
        status = bind_lead(connection, statement, lead_id, lead_id_len, error);
    if (status == LF_OK && sqlite3_bind_int64(statement, 2, icp_id) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_known = row;
    (void)sqlite3_reset(statement);
    return LF_OK;
}

enum lf_status
lf_sqlite_last_grade(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
                     int64_t icp_id, bool *ret_known, const char **ret_grade, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "looking for a lead's last grade");
    sqlite3_stmt *statement = NULL;
    const char *grade = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LAST_GRADE, &statement, error);

    if (status == LF_OK)
        status = bind_lead(connection, statement, lead_id, lead_id_len, error);
    if (status == LF_OK && sqlite3_bind_int64(statement, 2, icp_id) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    if (row && (grade = lf_sqlite_text(arena, statement, 0)) == NULL)
        status = lf_sqlite_no_memory(connection, error);
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_known = row;
    *ret_grade = grade;
    return LF_OK;
}
