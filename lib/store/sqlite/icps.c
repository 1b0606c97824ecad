/* icps.c - ICPs and their versions. A version, once there, is never changed; publishing adds one and moves
 * active_version to it. Drafts: drafts.c. */
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <string.h>

enum lf_status
lf_sqlite_no_icp(const char *key, struct lf_error *error)
{
    return lf_fail(error, LF_ICP_NOT_FOUND, "there is no ICP \"%s\"", key);
}

enum lf_status
lf_sqlite_icp_is_archived(const char *key, struct lf_error *error)
{
    return lf_fail(error, LF_ICP_ARCHIVED, "ICP \"%s\" is archived: restore it first", key);
}

/* ---- writing: all but the verbs themselves within a transaction ---- */

enum lf_status
lf_sqlite_load_icp(struct lf_connection *connection, const char *key, struct lf_sqlite_icp *ret_icp,
                   struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ICP_TO_CHANGE, &statement, error);

    *ret_icp = (struct lf_sqlite_icp){.id = 0};
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row) {
        ret_icp->id = sqlite3_column_int64(statement, 0);
        ret_icp->archived = sqlite3_column_int(statement, 1) != 0;
        ret_icp->active = sqlite3_column_int(statement, 2); /* null counts as 0 */
        ret_icp->newest = sqlite3_column_int(statement, 4);
        ret_icp->next_version_id = sqlite3_column_int64(statement, 5);
        if (ret_icp->active > 0)
            status = lf_sqlite_blob(connection, statement, 3, ret_icp->active_hash, LF_SHA256_SIZE, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* The same for one that must be there. */
static enum lf_status
load_existing(struct lf_connection *connection, const char *key, struct lf_sqlite_icp *ret_icp, struct lf_error *error)
{
    enum lf_status status = lf_sqlite_load_icp(connection, key, ret_icp, error);

    return status == LF_OK && ret_icp->id == 0 ? lf_sqlite_no_icp(key, error) : status;
}

enum lf_status
lf_sqlite_make_icp(struct lf_connection *connection, const char *key, int64_t at_ms, int64_t *ret_id,
                   struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_ICP, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK)
        *ret_id = sqlite3_last_insert_rowid(connection->db);
    return status;
}

static enum lf_status
insert_version(struct lf_connection *connection, int64_t id, int64_t icp, int number,
               const struct lf_new_version *version, const struct lf_change *change, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_VERSION, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK || sqlite3_bind_int64(statement, 2, icp) != SQLITE_OK ||
        sqlite3_bind_int(statement, 3, number) != SQLITE_OK ||
        sqlite3_bind_text(statement, 4, version->name, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 5, version->purpose, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 6, version->document, version->document_len, SQLITE_STATIC, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_blob(statement, 7, version->hash, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 8, change->note, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 9, change->by, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 10, change->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

static enum lf_status
set_active(struct lf_connection *connection, int64_t icp, int number, int64_t at_ms, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SET_ACTIVE, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp) != SQLITE_OK || sqlite3_bind_int(statement, 2, number) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

enum lf_status
lf_sqlite_add_version(struct lf_connection *connection, const struct lf_sqlite_icp *icp,
                      const struct lf_new_version *version, const struct lf_change *change, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {
        .action = "publish",
        .icp = version->icp,
        .subject = version->icp,
        .version = icp->newest + 1,
        .before = icp->active > 0 ? icp->active_hash : NULL,
        .after = version->hash,
    };
    enum lf_status status =
        insert_version(connection, icp->next_version_id, icp->id, icp->newest + 1, version, change, error);

    if (status == LF_OK)
        status = set_active(connection, icp->id, icp->newest + 1, change->at_ms, error);
    if (status == LF_OK)
        status = lf_sqlite_add_trace(connection, &trace, change, error);
    return status == LF_OK ? lf_sqlite_put_deliveries(connection, change->deliveries, change->delivery_count, error)
                           : status;
}

static enum lf_status
publish(struct lf_connection *connection, const struct lf_new_version *version, const struct lf_change *change,
        int *ret_version, bool *ret_unchanged, struct lf_error *error)
{
    struct lf_sqlite_icp icp;
    enum lf_status status = lf_sqlite_load_icp(connection, version->icp, &icp, error);

    if (status != LF_OK)
        return status;
    *ret_unchanged = icp.active > 0 && memcmp(icp.active_hash, version->hash, LF_SHA256_SIZE) == 0;
    *ret_version = *ret_unchanged ? icp.active : icp.newest + 1;
    if (*ret_unchanged)
        return LF_OK;
    if (icp.id == 0) {
        status = lf_sqlite_make_icp(connection, version->icp, change->at_ms, &icp.id, error);
        if (status == LF_OK)
            status = lf_sqlite_load_icp(connection, version->icp, &icp, error);
    }
    return status == LF_OK ? lf_sqlite_add_version(connection, &icp, version, change, error) : status;
}

enum lf_status
lf_sqlite_publish(struct lf_store *store, const struct lf_new_version *version, const struct lf_change *change,
                  int *ret_version, bool *ret_unchanged, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "publishing an ICP", error);
    enum lf_status status = LF_OK;
    int number = 0;
    bool unchanged = false;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = publish(connection, version, change, &number, &unchanged, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK) {
        *ret_version = number;
        *ret_unchanged = unchanged;
    }
    return status;
}

static enum lf_status
version_not_found(const char *icp, int version, int versions, struct lf_error *error)
{
    return lf_fail(error, LF_VERSION_NOT_FOUND, "ICP \"%s\" has no version %d; it has %d", icp, version, versions);
}

/* *ret_found: the ICP has that version. */
static enum lf_status
find_version_hash(struct lf_connection *connection, int64_t icp, int version, uint8_t ret_hash[LF_SHA256_SIZE],
                  bool *ret_found, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_VERSION_HASH, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp) != SQLITE_OK || sqlite3_bind_int(statement, 2, version) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_found, error);
    if (status == LF_OK && *ret_found)
        status = lf_sqlite_blob(connection, statement, 0, ret_hash, LF_SHA256_SIZE, error);
    (void)sqlite3_reset(statement);
    return status;
}

static enum lf_status
activate(struct lf_connection *connection, const char *key, int version, const struct lf_change *change,
         bool *ret_unchanged, struct lf_error *error)
{
    struct lf_sqlite_icp icp;
    struct lf_sqlite_trace trace = {.action = "activate", .icp = key, .subject = key, .version = version};
    uint8_t hash[LF_SHA256_SIZE];
    bool found = false;
    enum lf_status status = load_existing(connection, key, &icp, error);

    if (status == LF_OK)
        status = find_version_hash(connection, icp.id, version, hash, &found, error);
    if (status != LF_OK)
        return status;
    if (!found)
        return version_not_found(key, version, icp.newest, error);
    if (icp.archived)
        return lf_sqlite_icp_is_archived(key, error);
    *ret_unchanged = icp.active == version;
    if (*ret_unchanged)
        return LF_OK;
    trace.before = icp.active > 0 ? icp.active_hash : NULL;
    trace.after = hash;
    status = set_active(connection, icp.id, version, change->at_ms, error);
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_activate(struct lf_store *store, const char *icp, int version, const struct lf_change *change,
                   bool *ret_unchanged, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "activating a version of an ICP", error);
    bool unchanged = false;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = activate(connection, icp, version, change, &unchanged, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *ret_unchanged = unchanged;
    return status;
}

static enum lf_status
set_archived(struct lf_connection *connection, const char *key, bool archived, const struct lf_change *change,
             struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = archived ? "archive" : "restore", .icp = key, .subject = key};
    struct lf_sqlite_icp icp;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = load_existing(connection, key, &icp, error);

    if (status != LF_OK || icp.archived == archived)
        return status;
    status = lf_sqlite_get(connection, LF_SQL_SET_ARCHIVED, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp.id) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, archived ? 1 : 0) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, change->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (icp.active > 0)
        *(archived ? &trace.before : &trace.after) = icp.active_hash;
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_set_archived(struct lf_store *store, const char *icp, bool archived, const struct lf_change *change,
                       struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "archiving an ICP", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    if (!archived)
        connection->doing = "restoring an ICP";
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = set_archived(connection, icp, archived, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* ---- reading ---- */

/* The present row of LF_SQL_ICP_COLUMNS. */
static enum lf_status
read_icp(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
         struct lf_stored_icp *icp, struct lf_error *error)
{
    uint8_t draft[LF_SHA256_SIZE];
    enum lf_status status = LF_OK;

    *icp = (struct lf_stored_icp){
        .key = lf_sqlite_text(arena, statement, 0),
        .name = lf_sqlite_text(arena, statement, 1),
        .purpose = lf_sqlite_text(arena, statement, 2),
        .active_version = sqlite3_column_int(statement, 4), /* null counts as 0 */
        .versions = sqlite3_column_int(statement, 5),
        .created_at_ms = sqlite3_column_int64(statement, 8),
        .updated_at_ms = sqlite3_column_int64(statement, 9),
    };
    if (icp->key == NULL || icp->name == NULL || icp->purpose == NULL)
        return lf_sqlite_no_memory(connection, error);
    icp->state = sqlite3_column_int(statement, 3) != 0 ? LF_ICP_STATE_ARCHIVED
                 : icp->active_version == 0            ? LF_ICP_STATE_DRAFT
                                                       : LF_ICP_STATE_ACTIVE;
    if (sqlite3_column_type(statement, 6) == SQLITE_NULL)
        return LF_OK;
    status = lf_sqlite_blob(connection, statement, 7, draft, LF_SHA256_SIZE, error);
    if (status == LF_OK)
        lf_etag_write(icp->draft_etag, 'd', sqlite3_column_int64(statement, 6), draft);
    return status;
}

/* The present row of LF_SQL_VERSION_COLUMNS. */
static enum lf_status
read_version(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
             struct lf_stored_version *version, struct lf_error *error)
{
    *version = (struct lf_stored_version){
        .icp_id = sqlite3_column_int64(statement, 10),
        .id = sqlite3_column_int64(statement, 0),
        .icp = lf_sqlite_text(arena, statement, 1),
        .version = sqlite3_column_int(statement, 2),
        .name = lf_sqlite_text(arena, statement, 3),
        .purpose = lf_sqlite_text(arena, statement, 4),
        .document = lf_sqlite_text(arena, statement, 5),
        .document_len = (size_t)sqlite3_column_bytes(statement, 5),
        .note = lf_sqlite_text(arena, statement, 7),
        .published_by = lf_sqlite_text(arena, statement, 8),
        .published_at_ms = sqlite3_column_int64(statement, 9),
    };
    if (version->icp == NULL || version->name == NULL || version->purpose == NULL || version->document == NULL ||
        version->note == NULL || version->published_by == NULL)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_blob(connection, statement, 6, version->hash, LF_SHA256_SIZE, error);
}

enum lf_status
lf_sqlite_icps(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
               size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the ICPs");
    struct lf_stored_icp *icps = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ICPS, &statement, error);

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        icps = lf_sqlite_grow(arena, icps, count, &capacity, sizeof *icps);
        status = icps == NULL ? lf_sqlite_no_memory(connection, error)
                              : read_icp(connection, arena, statement, &icps[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_icps = icps;
    *ret_count = count;
    return LF_OK;
}

enum lf_status
lf_sqlite_icp(struct lf_store_reader *reader, struct lf_arena *arena, const char *key, struct lf_stored_icp *ret_icp,
              struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading an ICP");
    sqlite3_stmt *statement = NULL;
    struct lf_stored_icp icp;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ICP, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK)
        status = row ? read_icp(connection, arena, statement, &icp, error) : lf_sqlite_no_icp(key, error);
    (void)sqlite3_reset(statement);
    if (status == LF_OK)
        *ret_icp = icp;
    return status;
}

/* The version a bound statement finds; *ret_row false where it finds none. */
static enum lf_status
one_version(struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement, bool *ret_row,
            struct lf_stored_version *ret_version, struct lf_error *error)
{
    struct lf_stored_version version;
    enum lf_status status = lf_sqlite_step(connection, statement, ret_row, error);

    if (status == LF_OK && *ret_row) {
        status = read_version(connection, arena, statement, &version, error);
        if (status == LF_OK)
            *ret_version = version;
    }
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_version(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                  struct lf_stored_version *ret_version, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a version of an ICP");
    struct lf_stored_icp owner;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_VERSION, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, icp, -1, SQLITE_TRANSIENT) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, version) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = one_version(connection, arena, statement, &row, ret_version, error);
    if (status != LF_OK || row)
        return status;
    status = lf_sqlite_icp(reader, arena, icp, &owner, error);
    if (status != LF_OK)
        return status;
    return version_not_found(icp, version, owner.versions, error);
}

enum lf_status
lf_sqlite_version_by_id(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                        struct lf_stored_version *ret_version, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a version of an ICP");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_VERSION_BY_ID, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = one_version(connection, arena, statement, &row, ret_version, error);
    if (status == LF_OK && !row)
        status = lf_fail(error, LF_VERSION_NOT_FOUND, "no version of an ICP has the number %" PRId64, id);
    return status;
}

/* All versions that a bound statement finds. */
static enum lf_status
many_versions(struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
              struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error)
{
    struct lf_stored_version *versions = NULL;
    size_t count = 0, capacity = 0;
    bool row = false;
    enum lf_status status = LF_OK;

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        versions = lf_sqlite_grow(arena, versions, count, &capacity, sizeof *versions);
        status = versions == NULL ? lf_sqlite_no_memory(connection, error)
                                  : read_version(connection, arena, statement, &versions[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_versions = versions;
    *ret_count = count;
    return LF_OK;
}

enum lf_status
lf_sqlite_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                          struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the active ICPs");
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ACTIVE_VERSIONS, &statement, error);

    return status == LF_OK ? many_versions(connection, arena, statement, ret_versions, ret_count, error) : status;
}

enum lf_status
lf_sqlite_versions(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                   struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the versions of an ICP");
    struct lf_stored_version *versions = NULL;
    struct lf_stored_icp owner;
    size_t count = 0;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_VERSIONS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, icp, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = many_versions(connection, arena, statement, &versions, &count, error);
    if (status == LF_OK && count == 0) /* never published, or not there */
        status = lf_sqlite_icp(reader, arena, icp, &owner, error);
    if (status != LF_OK)
        return status;
    *ret_versions = versions;
    *ret_count = count;
    return LF_OK;
}

enum lf_status
lf_sqlite_each_version(struct lf_store_reader *reader, struct lf_arena *arena,
                       enum lf_status (*each)(void *context, const struct lf_stored_version *version), void *context,
                       struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the versions of the ICPs");
    struct lf_stored_version version = {.id = 0};
    sqlite3_stmt *statement = NULL;
    bool row = true;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_VERSION_AFTER, &statement, error);

    /* One at a time, each by a statement of its own: a slow callback holds no transaction open. */
    while (status == LF_OK) {
        lf_arena_reset(arena);
        if (sqlite3_bind_int64(statement, 1, version.id) != SQLITE_OK)
            return lf_sqlite_no_memory(connection, error);
        status = one_version(connection, arena, statement, &row, &version, error);
        if (status != LF_OK || !row)
            break;
        status = each(context, &version);
    }
    return status;
}
