/* drafts.c - the drafts of ICPs: at most one each, changed only by somebody who knows what is there. */
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- writing: all but the verbs themselves within a transaction ---- */

/* An ICP's draft as a change finds it. */
struct present {
    char etag[LF_ETAG_MAX]; /* "" where there is none */
    uint8_t hash[LF_SHA256_SIZE];
    char *updated_by; /* on the heap */
    int64_t updated_at_ms;
};

static void
present_finish(struct present *present)
{
    sqlite3_free(present->updated_by);
}

static enum lf_status
load_present(struct lf_connection *connection, int64_t icp, struct present *ret_present, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DRAFT_TO_CHANGE, &statement, error);

    *ret_present = (struct present){.etag = ""};
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row) {
        status = lf_sqlite_blob(connection, statement, 1, ret_present->hash, LF_SHA256_SIZE, error);
        ret_present->updated_by = sqlite3_mprintf("%s", sqlite3_column_text(statement, 2));
        ret_present->updated_at_ms = sqlite3_column_int64(statement, 3);
        if (status == LF_OK && ret_present->updated_by == NULL)
            status = lf_sqlite_no_memory(connection, error);
        lf_etag_write(ret_present->etag, 'd', sqlite3_column_int64(statement, 0), ret_present->hash);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* required: a draft that is there has to be named. */
static enum lf_status
check_precondition(const char *icp, const struct present *present, const struct lf_precondition *precondition,
                   bool required, struct lf_error *error)
{
    struct lf_tagged there = {
        .kind = "draft of ICP",
        .key = icp,
        .etag = present->etag,
        .changed_by = present->updated_by != NULL ? present->updated_by : "",
        .changed_at_ms = present->updated_at_ms,
    };

    if (required && present->etag[0] != '\0' && !precondition->any && !precondition->absent &&
        precondition->etag_count == 0)
        return lf_fail(
            error, LF_PRECONDITION_REQUIRED,
            "ICP \"%s\" has a draft, with the ETag %s: say that you know it by sending that ETag as If-Match", icp,
            present->etag);
    return lf_precondition_check(precondition, &there, error);
}

static enum lf_status
delete_row(struct lf_connection *connection, enum lf_sql which, int64_t id, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

static enum lf_status
touch_icp(struct lf_connection *connection, int64_t icp, int64_t at_ms, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_TOUCH_ICP, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp) != SQLITE_OK || sqlite3_bind_int64(statement, 2, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* The number of this put among all of all drafts. */
static enum lf_status
next_revision(struct lf_connection *connection, int64_t *ret_revision, struct lf_error *error)
{
    sqlite3_stmt *count = NULL, *read = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_COUNT_DRAFT, &count, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_DRAFT_REVISION, &read, error);
    if (status == LF_OK)
        status = lf_sqlite_run(connection, count, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, read, &row, error);
    if (status != LF_OK)
        return status;
    *ret_revision = sqlite3_column_int64(read, 0);
    (void)sqlite3_reset(read);
    return row ? LF_OK : lf_fail(error, LF_STORAGE_CORRUPT, "%s: the count of drafts is missing", connection->path);
}

static enum lf_status
insert_draft(struct lf_connection *connection, int64_t icp, int64_t revision, const struct lf_new_draft *draft,
             const struct lf_change *change, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_DRAFT, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp) != SQLITE_OK || sqlite3_bind_int64(statement, 2, revision) != SQLITE_OK ||
        sqlite3_bind_text(statement, 3, draft->name, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 4, draft->purpose, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 5, draft->document, draft->document_len, SQLITE_STATIC, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_blob(statement, 6, draft->hash, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 7, change->by, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 8, change->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

static enum lf_status
replace_draft(struct lf_connection *connection, const struct lf_sqlite_icp *icp, const struct present *present,
              const struct lf_new_draft *draft, const struct lf_change *change, char ret_etag[LF_ETAG_MAX],
              struct lf_error *error)
{
    struct lf_sqlite_trace trace = {
        .action = "draft.put",
        .icp = draft->icp,
        .subject = draft->icp,
        .before = present->etag[0] != '\0' ? present->hash : NULL,
        .after = draft->hash,
    };
    int64_t id = icp->id, revision = 0;
    enum lf_status status = LF_OK;

    if (id == 0)
        status = lf_sqlite_make_icp(connection, draft->icp, change->at_ms, &id, error);
    else
        status = touch_icp(connection, id, change->at_ms, error);
    if (status == LF_OK)
        status = delete_row(connection, LF_SQL_DELETE_DRAFT, id, error);
    if (status == LF_OK)
        status = next_revision(connection, &revision, error);
    if (status == LF_OK)
        status = insert_draft(connection, id, revision, draft, change, error);
    if (status == LF_OK)
        status = lf_sqlite_add_trace(connection, &trace, change, error);
    if (status == LF_OK)
        lf_etag_write(ret_etag, 'd', revision, draft->hash);
    return status;
}

static enum lf_status
put_draft(struct lf_connection *connection, const struct lf_new_draft *draft,
          const struct lf_precondition *precondition, const struct lf_change *change, char ret_etag[LF_ETAG_MAX],
          bool *ret_created, struct lf_error *error)
{
    struct present present = {.updated_by = NULL};
    struct lf_sqlite_icp icp;
    enum lf_status status = lf_sqlite_load_icp(connection, draft->icp, &icp, error);

    if (status == LF_OK && icp.archived)
        status = lf_sqlite_icp_is_archived(draft->icp, error);
    if (status == LF_OK)
        status = load_present(connection, icp.id, &present, error);
    if (status == LF_OK)
        status = check_precondition(draft->icp, &present, precondition, true, error);
    if (status == LF_OK)
        status = replace_draft(connection, &icp, &present, draft, change, ret_etag, error);
    *ret_created = present.etag[0] == '\0';
    present_finish(&present);
    return status;
}

enum lf_status
lf_sqlite_put_draft(struct lf_store *store, const struct lf_new_draft *draft,
                    const struct lf_precondition *precondition, const struct lf_change *change,
                    char ret_etag[LF_ETAG_MAX], bool *ret_created, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "putting a draft", error);
    char etag[LF_ETAG_MAX] = "";
    bool created = false;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = put_draft(connection, draft, precondition, change, etag, &created, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK) {
        memcpy(ret_etag, etag, LF_ETAG_MAX);
        *ret_created = created;
    }
    return status;
}

static enum lf_status
no_draft(const char *icp, struct lf_error *error)
{
    return lf_fail(error, LF_DRAFT_NOT_FOUND, "ICP \"%s\" has no draft", icp);
}

/* The ICP and its draft, which both must be there. To be given back with present_finish in any case. */
static enum lf_status
load_both(struct lf_connection *connection, const char *key, struct lf_sqlite_icp *ret_icp, struct present *ret_present,
          struct lf_error *error)
{
    enum lf_status status = lf_sqlite_load_icp(connection, key, ret_icp, error);

    *ret_present = (struct present){.updated_by = NULL};
    if (status == LF_OK && ret_icp->id == 0)
        status = lf_sqlite_no_icp(key, error);
    if (status == LF_OK)
        status = load_present(connection, ret_icp->id, ret_present, error);
    if (status == LF_OK && ret_present->etag[0] == '\0')
        status = no_draft(key, error);
    return status;
}

static enum lf_status
delete_draft(struct lf_connection *connection, const char *key, const struct lf_precondition *precondition,
             const struct lf_change *change, struct lf_error *error)
{
    struct present present;
    struct lf_sqlite_icp icp;
    struct lf_sqlite_trace trace = {.action = "draft.delete", .icp = key, .subject = key, .before = present.hash};
    enum lf_status status = load_both(connection, key, &icp, &present, error);

    if (status == LF_OK)
        status = check_precondition(key, &present, precondition, false, error);
    present_finish(&present);
    if (status == LF_OK)
        status = delete_row(connection, LF_SQL_DELETE_DRAFT, icp.id, error);
    if (status == LF_OK)
        status = icp.newest == 0 ? delete_row(connection, LF_SQL_DELETE_ICP, icp.id, error)
                                 : touch_icp(connection, icp.id, change->at_ms, error);
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_delete_draft(struct lf_store *store, const char *icp, const struct lf_precondition *precondition,
                       const struct lf_change *change, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "deleting a draft", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = delete_draft(connection, icp, precondition, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* Adds the draft of the ICP as its next version. The texts are borrowed from the statement that reads them. */
static enum lf_status
add_draft_as_version(struct lf_connection *connection, const char *key, const struct lf_sqlite_icp *icp,
                     const struct present *present, const struct lf_change *change, struct lf_error *error)
{
    struct lf_new_version version = {.icp = key};
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DRAFT_TO_PUBLISH, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp->id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && !row)
        status = no_draft(key, error);
    if (status != LF_OK) {
        (void)sqlite3_reset(statement);
        return status;
    }
    version.name = (const char *)sqlite3_column_text(statement, 0);
    version.purpose = (const char *)sqlite3_column_text(statement, 1);
    version.document = (const char *)sqlite3_column_text(statement, 2);
    version.document_len = (size_t)sqlite3_column_bytes(statement, 2);
    memcpy(version.hash, present->hash, LF_SHA256_SIZE);
    if (version.name == NULL || version.purpose == NULL || version.document == NULL)
        status = lf_sqlite_no_memory(connection, error);
    else
        status = lf_sqlite_add_version(connection, icp, &version, change, error);
    (void)sqlite3_reset(statement);
    return status;
}

static enum lf_status
publish_draft(struct lf_connection *connection, const char *key, int version, int64_t version_id,
              const struct lf_precondition *precondition, const struct lf_change *change, struct lf_error *error)
{
    struct present present;
    struct lf_sqlite_icp icp;
    enum lf_status status = load_both(connection, key, &icp, &present, error);

    if (status == LF_OK && icp.archived)
        status = lf_sqlite_icp_is_archived(key, error);
    if (status == LF_OK)
        status = check_precondition(key, &present, precondition, true, error);
    if (status == LF_OK && (version != icp.newest + 1 || version_id != icp.next_version_id))
        status = lf_fail(error, LF_CONFLICT,
                         "another version was published meanwhile: ICP \"%s\" would get version %d; try again", key,
                         icp.newest + 1);
    if (status == LF_OK)
        status = add_draft_as_version(connection, key, &icp, &present, change, error);
    present_finish(&present);
    return status == LF_OK ? delete_row(connection, LF_SQL_DELETE_DRAFT, icp.id, error) : status;
}

enum lf_status
lf_sqlite_publish_draft(struct lf_store *store, const char *icp, int version, int64_t version_id,
                        const struct lf_precondition *precondition, const struct lf_change *change,
                        struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "publishing a draft", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = publish_draft(connection, icp, version, version_id, precondition, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* ---- reading ---- */

/* The present row of LF_SQL_DRAFT. */
static enum lf_status
read_draft(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
           struct lf_stored_draft *draft, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    *draft = (struct lf_stored_draft){
        .icp = lf_sqlite_text(arena, statement, 0),
        .document = lf_sqlite_text(arena, statement, 1),
        .document_len = (size_t)sqlite3_column_bytes(statement, 1),
        .updated_by = lf_sqlite_text(arena, statement, 4),
        .updated_at_ms = sqlite3_column_int64(statement, 5),
        .next_version = sqlite3_column_int(statement, 6),
        .next_version_id = sqlite3_column_int64(statement, 7),
        .active_version = sqlite3_column_int(statement, 8), /* null counts as 0 */
    };
    if (draft->icp == NULL || draft->document == NULL || draft->updated_by == NULL)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_blob(connection, statement, 2, draft->hash, LF_SHA256_SIZE, error);
    if (status == LF_OK)
        lf_etag_write(draft->etag, 'd', sqlite3_column_int64(statement, 3), draft->hash);
    return status;
}

enum lf_status
lf_sqlite_draft(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                struct lf_stored_draft *ret_draft, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a draft");
    struct lf_stored_draft draft;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DRAFT, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, icp, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && !row)
        status = lf_sqlite_no_icp(icp, error);
    else if (status == LF_OK && sqlite3_column_type(statement, 3) == SQLITE_NULL)
        status = no_draft(icp, error);
    else if (status == LF_OK)
        status = read_draft(connection, arena, statement, &draft, error);
    (void)sqlite3_reset(statement);
    if (status == LF_OK)
        *ret_draft = draft;
    return status;
}
