/*
 * check_leads.c - whether what is kept of leads fits together: of the scores under one ICP the newest is the latest,
 * and the blocks that hold a lead's scores are there. Leads are named by their row: a finding tells nobody's id.
 * Whether it is what the recorded scores say is for whoever can read these (app/).
 */
#include "store/sqlite/internal.h"
#include "store/sqlite/lead_blocks.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- latest scores ---- */

/* Groups come out of the primary key in order; nothing is gathered. */
static const char WRONG_LATEST[] =
    "SELECT lead, icp_id, sum(latest) FROM lead_score GROUP BY lead, icp_id"
    " HAVING sum(latest) <> 1 OR max(score_id) <> max(CASE WHEN latest = 1 THEN score_id END)";

static enum lf_status
check_latest(struct lf_connection *connection, struct lf_findings *findings, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, WRONG_LATEST, -1, &statement, NULL);

    if (rc != SQLITE_OK)
        status = lf_sqlite_fail(connection, rc, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        lf_findings_add(findings, "", "damaged_lead",
                        "lead in row %" PRId64 ": of its scores under the ICP in row %" PRId64 " %s",
                        (int64_t)sqlite3_column_int64(statement, 0), (int64_t)sqlite3_column_int64(statement, 1),
                        sqlite3_column_int64(statement, 2) == 1 ? "another than the newest counts as the latest"
                                                                : "not just one counts as the latest");
    }
    (void)sqlite3_finalize(statement);
    return status;
}

/* ---- blocks ---- */

/* The blocks there are, in runs without gaps: one, where nothing is damaged. */
struct run {
    int64_t first, last;
};

struct blocks {
    struct run *runs; /* ascending; on the heap */
    size_t count, capacity;
    int64_t pruned_ms; /* 0: none was ever taken away */
};

static bool
add_block(struct blocks *blocks, int64_t block)
{
    if (blocks->count > 0 && blocks->runs[blocks->count - 1].last + 1 == block) {
        blocks->runs[blocks->count - 1].last = block;
        return true;
    }
    if (blocks->count == blocks->capacity) {
        size_t capacity = blocks->capacity == 0 ? 16 : 2 * blocks->capacity;
        struct run *runs = realloc(blocks->runs, capacity * sizeof *runs);

        if (runs == NULL)
            return false;
        blocks->runs = runs;
        blocks->capacity = capacity;
    }
    blocks->runs[blocks->count++] = (struct run){.first = block, .last = block};
    return true;
}

static enum lf_status
read_blocks(struct lf_connection *connection, struct blocks *blocks, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, "SELECT id FROM score_block ORDER BY id", -1, &statement, NULL);
    enum lf_status status = rc == SQLITE_OK ? LF_OK : lf_sqlite_fail(connection, rc, error);

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        if (!add_block(blocks, sqlite3_column_int64(statement, 0)))
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_finalize(statement);
    return status == LF_OK ? lf_sqlite_meta(connection, "pruned_ms", &blocks->pruned_ms, error) : status;
}

/* Whether the block is there, or is one of the oldest, which may have been taken away. */
static bool
may_refer_to(const struct blocks *blocks, int64_t block)
{
    size_t low = 0, high = blocks->count;

    if (blocks->pruned_ms > 0 && (blocks->count == 0 || block < blocks->runs[0].first))
        return true;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (block > blocks->runs[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < blocks->count && block >= blocks->runs[low].first;
}

/* The row of table lead_blocks before. */
struct before {
    int64_t lead, last;
};

/* What is wrong with the present row (lead, first_block, last_block, body), NULL for nothing. */
static const char *
row_fault(sqlite3_stmt *statement, const void *body, size_t len, const struct blocks *blocks, struct before *before)
{
    int64_t lead = sqlite3_column_int64(statement, 0), first = sqlite3_column_int64(statement, 1),
            last = sqlite3_column_int64(statement, 2), block = 0;
    bool follows = lead == before->lead, overlaps = follows && first <= before->last, at_first = true;
    struct lf_lead_blocks_reader reader;

    *before = (struct before){.lead = lead, .last = last};
    if (overlaps)
        return "they do not ascend";
    lf_lead_blocks_reader_init(&reader, body, len);
    for (; lf_lead_blocks_next(&reader, &block); at_first = false) {
        if (at_first && block != first)
            return "the first of them is not the one its row says";
        if (!may_refer_to(blocks, block))
            return "one of them is not there";
    }
    if (reader.damaged || at_first)
        return "they cannot be read";
    return block == last ? NULL : "the last of them is not the one its row says";
}

static enum lf_status
check_blocks(struct lf_connection *connection, const struct blocks *blocks, struct lf_findings *findings,
             struct lf_error *error)
{
    static const char SQL[] = "SELECT lead, first_block, last_block, body FROM lead_blocks ORDER BY lead, first_block";
    struct before before = {.lead = 0};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, SQL, -1, &statement, NULL);
    enum lf_status status = rc == SQLITE_OK ? LF_OK : lf_sqlite_fail(connection, rc, error);

    while (status == LF_OK) {
        const char *fault = NULL;
        const void *body = NULL;
        size_t len = 0;

        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        status = lf_sqlite_bytes(connection, statement, 3, &body, &len, error);
        if (status != LF_OK)
            break;
        fault = row_fault(statement, body, len, blocks, &before);
        if (fault != NULL)
            lf_findings_add(findings, "", "damaged_lead", "lead in row %" PRId64 ": of the blocks with its scores %s",
                            before.lead, fault);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

enum lf_status
lf_sqlite_check_leads(struct lf_connection *connection, const atomic_bool *stop, struct lf_findings *findings,
                      struct lf_error *error)
{
    struct blocks blocks = {.runs = NULL};
    enum lf_status status = LF_OK;

    if (stop != NULL && atomic_load(stop))
        return lf_sqlite_fail(connection, SQLITE_INTERRUPT, error);
    /* At one moment: scores are recorded, settled and taken away meanwhile. */
    status = lf_sqlite_begin_read(connection, error);
    if (status != LF_OK)
        return status;
    status = check_latest(connection, findings, error);
    if (status == LF_OK)
        status = read_blocks(connection, &blocks, error);
    if (status == LF_OK)
        status = check_blocks(connection, &blocks, findings, error);
    lf_sqlite_end_read(connection);
    free(blocks.runs);
    return status;
}
