/*
 * check.c - looks a database over: SQLite's own checks, every block of recorded scores against its row and the rows
 * beside it, the audit's chain (audit.c), the lists (check_lists.c), leads (check_leads.c), answers (check_answers.c).
 * Finds, and mends nothing.
 */
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* ---- being stopped ---- */

/* A check of a large database is one step of SQLite, which hears of nothing but sqlite3_interrupt, and that has to
 * come from another thread: this one looks at the caller's flag meanwhile. */
struct watch {
    const atomic_bool *stop;
    sqlite3 *db;
    pthread_t thread;
    bool running;
    atomic_bool done;
};

enum { WATCH_INTERVAL_NS = 20 * 1000 * 1000 };

static void *
watch_main(void *argument)
{
    static const struct timespec INTERVAL = {.tv_nsec = WATCH_INTERVAL_NS};
    struct watch *watch = argument;

    /* Again and again: an interrupt that comes between two statements has no effect on the second. */
    while (!atomic_load(&watch->done)) {
        if (atomic_load(watch->stop))
            sqlite3_interrupt(watch->db);
        (void)nanosleep(&INTERVAL, NULL); /* cut short does no harm */
    }
    return NULL;
}

static void
watch_start(struct watch *watch, const atomic_bool *stop, sqlite3 *db)
{
    *watch = (struct watch){.stop = stop, .db = db};
    atomic_init(&watch->done, false);
    if (stop != NULL)
        watch->running = pthread_create(&watch->thread, NULL, watch_main, watch) == 0; /* else it runs to its end */
}

static void
watch_end(struct watch *watch)
{
    atomic_store(&watch->done, true);
    if (watch->running)
        (void)pthread_join(watch->thread, NULL); /* fails only for a thread that is not there */
}

/* ---- pages, indexes, references ---- */

/* A damaged database makes a check fail instead of finding: that is a finding as well. */
static enum lf_status
as_finding(enum lf_status status, struct lf_findings *findings, struct lf_error *error)
{
    if (status != LF_STORAGE_CORRUPT)
        return status;
    lf_findings_add(findings, "", "damaged_page", "%s", error != NULL ? error->detail : "the database is damaged");
    return LF_OK;
}

/* Runs quick_check or integrity_check: one row, "ok", or a row for each fault. */
static enum lf_status
check_pages(struct lf_connection *connection, bool quick, struct lf_findings *findings, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, quick ? "PRAGMA quick_check" : "PRAGMA integrity_check", -1, &statement,
                                NULL);

    if (rc != SQLITE_OK)
        status = lf_sqlite_fail(connection, rc, error);
    while (status == LF_OK) {
        const char *text = NULL;

        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        text = (const char *)sqlite3_column_text(statement, 0);
        if (text == NULL)
            status = lf_sqlite_no_memory(connection, error);
        else if (strcmp(text, "ok") != 0)
            lf_findings_add(findings, "", "damaged_page", "%s", text);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static enum lf_status
check_references(struct lf_connection *connection, struct lf_findings *findings, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;
    bool row = false;
    int rc = sqlite3_prepare_v2(connection->db, "PRAGMA foreign_key_check", -1, &statement, NULL);

    if (rc != SQLITE_OK)
        status = lf_sqlite_fail(connection, rc, error);
    while (status == LF_OK) {
        const char *table = NULL, *parent = NULL;

        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        table = (const char *)sqlite3_column_text(statement, 0);
        parent = (const char *)sqlite3_column_text(statement, 2);
        lf_findings_add(findings, "", "broken_reference",
                        "row %" PRId64 " of table %s refers to a row of %s that is"
                        " not there",
                        (int64_t)sqlite3_column_int64(statement, 1), table != NULL ? table : "?",
                        parent != NULL ? parent : "?");
    }
    (void)sqlite3_finalize(statement);
    return status;
}

/* ---- blocks ---- */

/* What the block before left to be continued. */
struct chain {
    int64_t block;       /* its id, 0 before the first */
    struct lf_ulid last; /* its last score */
    int64_t position;    /* where the next one begins */
};

/* What is wrong with the block at the present row of LF_SQL_BLOCK_AFTER, NULL for nothing. */
static const char *
block_fault(sqlite3_stmt *statement, const void *body, size_t len, struct chain *chain)
{
    struct lf_block_reader reader;
    struct lf_stored_score score = {.body = NULL};
    const void *first = sqlite3_column_blob(statement, 1), *last = sqlite3_column_blob(statement, 2);
    int64_t count = sqlite3_column_int64(statement, 3), position = sqlite3_column_int64(statement, 4);
    bool follows = chain->block != 0, at_first = true;
    struct chain before = *chain;

    /* However the block turns out, the next one is held against what this row says. */
    chain->block = sqlite3_column_int64(statement, 0);
    chain->position = position + count;
    if (sqlite3_column_bytes(statement, 1) != LF_ULID_SIZE || sqlite3_column_bytes(statement, 2) != LF_ULID_SIZE)
        return "its row has a broken id";
    memcpy(chain->last.bytes, last, LF_ULID_SIZE);
    if (follows && memcmp(first, before.last.bytes, LF_ULID_SIZE) <= 0)
        return "it does not follow the block before";
    if (follows && position != before.position)
        return "its position does not continue that of the block before";
    if (!lf_block_reader_init(&reader, body, len))
        return reader.fault;
    if (reader.count != count)
        return "it holds another number of scores than its row says";
    for (; lf_block_next(&reader, &score); at_first = false) {
        if (at_first && memcmp(score.id.bytes, first, LF_ULID_SIZE) != 0)
            return "its first score is not the one its row says";
    }
    if (reader.fault != NULL)
        return reader.fault;
    return memcmp(score.id.bytes, last, LF_ULID_SIZE) == 0 ? NULL : "its last score is not the one its row says";
}

static enum lf_status
check_blocks(struct lf_connection *connection, const atomic_bool *stop, struct lf_findings *findings,
             struct lf_error *error)
{
    struct chain chain = {.block = 0};
    sqlite3_stmt *statement = NULL;
    bool row = true;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_AFTER, &statement, error);

    while (status == LF_OK) {
        const char *fault = NULL;
        const void *body = NULL;
        size_t len = 0;

        if (stop != NULL && atomic_load(stop))
            return lf_sqlite_fail(connection, SQLITE_INTERRUPT, error);
        if (sqlite3_bind_int64(statement, 1, chain.block) != SQLITE_OK)
            return lf_sqlite_no_memory(connection, error);
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        if (sqlite3_column_int64(statement, 0) <= chain.block) {
            /* A damaged page gives back rows that were passed: nothing behind it can be walked to. */
            lf_findings_add(findings, "", "damaged_block",
                            "block %" PRId64 " of recorded scores is followed by an earlier one", chain.block);
            break;
        }
        status = lf_sqlite_bytes(connection, statement, 5, &body, &len, error);
        if (status != LF_OK)
            break;
        fault = block_fault(statement, body, len, &chain);
        if (fault != NULL)
            lf_findings_add(findings, "", "damaged_block", "block %" PRId64 " of recorded scores: %s", chain.block,
                            fault);
        (void)sqlite3_reset(statement);
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_check(struct lf_store_reader *base, bool quick, const atomic_bool *stop, struct lf_findings *findings,
                struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(base, "checking the database");
    struct lf_error local;
    struct watch watch;
    enum lf_status status = LF_OK;

    if (error == NULL)
        error = &local; /* its words are needed for findings */
    if (stop != NULL && atomic_load(stop))
        return lf_sqlite_fail(connection, SQLITE_INTERRUPT, error);
    watch_start(&watch, stop, connection->db);
    status = as_finding(check_pages(connection, quick, findings, error), findings, error);
    if (status == LF_OK && !quick)
        status = as_finding(check_references(connection, findings, error), findings, error);
    if (status == LF_OK && !quick)
        status = as_finding(check_blocks(connection, stop, findings, error), findings, error);
    if (status == LF_OK && !quick)
        status = as_finding(lf_sqlite_check_audit(connection, stop, findings, error), findings, error);
    if (status == LF_OK && !quick)
        status = as_finding(lf_sqlite_check_lists(connection, stop, findings, error), findings, error);
    if (status == LF_OK && !quick)
        status = as_finding(lf_sqlite_check_leads(connection, stop, findings, error), findings, error);
    if (status == LF_OK && !quick)
        status = as_finding(lf_sqlite_check_answers(connection, findings, error), findings, error);
    watch_end(&watch);
    (void)sqlite3_db_release_memory(connection->db); /* always says OK; the pages of a whole database went through */
    return status;
}
