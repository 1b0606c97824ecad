/* icps.c - ICPs and their versions. A version, once there, is never changed; publishing adds one and moves
 * active_version to it. */
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- writing ---- */

/* What publishing needs to know of an ICP. */
struct present {
    int64_t id;     /* 0: new */
    int active;     /* version, 0 for none */
    int newest;     /* version, 0 for none */
    bool same_hash; /* the active version's is that of what is published */
};

static enum lf_status
load_present(struct lf_connection *connection, const struct lf_new_version *version, struct present *ret_present,
             struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ICP_TO_PUBLISH, &statement, error);

    *ret_present = (struct present){.id = 0};
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, version->icp, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row) {
        ret_present->id = sqlite3_column_int64(statement, 0);
        ret_present->active = sqlite3_column_int(statement, 1);
        ret_present->newest = sqlite3_column_int(statement, 3);
        ret_present->same_hash = sqlite3_column_bytes(statement, 2) == LF_SHA256_SIZE &&
                                 memcmp(sqlite3_column_blob(statement, 2), version->hash, LF_SHA256_SIZE) == 0;
    }
    (void)sqlite3_reset(statement);
    return status;
}

static enum lf_status
add_icp(struct lf_connection *connection, const struct lf_new_version *version, int64_t *ret_id, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_ICP, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, version->icp, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, version->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK)
        *ret_id = sqlite3_last_insert_rowid(connection->db);
    return status;
}

static enum lf_status
add_version(struct lf_connection *connection, const struct lf_new_version *version, int64_t icp, int number,
            struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_VERSION, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, icp) != SQLITE_OK || sqlite3_bind_int(statement, 2, number) != SQLITE_OK ||
        sqlite3_bind_text(statement, 3, version->name, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 4, version->purpose, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 5, version->document, version->document_len, SQLITE_STATIC, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_blob(statement, 6, version->hash, LF_SHA256_SIZE, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(statement, 7, version->note != NULL ? version->note : "", -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 8, version->at_ms) != SQLITE_OK)
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

/* Within the transaction. */
static enum lf_status
publish(struct lf_connection *connection, const struct lf_new_version *version, int *ret_version, bool *ret_unchanged,
        struct lf_error *error)
{
    struct present present;
    enum lf_status status = load_present(connection, version, &present, error);

    if (status != LF_OK)
        return status;
    *ret_unchanged = present.same_hash;
    *ret_version = present.same_hash ? present.active : present.newest + 1;
    if (present.same_hash)
        return LF_OK;
    if (present.id == 0)
        status = add_icp(connection, version, &present.id, error);
    if (status == LF_OK)
        status = add_version(connection, version, present.id, *ret_version, error);
    if (status == LF_OK)
        status = set_active(connection, present.id, *ret_version, version->at_ms, error);
    return status;
}

enum lf_status
lf_sqlite_publish(struct lf_store *store, const struct lf_new_version *version, int *ret_version, bool *ret_unchanged,
                  struct lf_error *error)
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
    status = publish(connection, version, &number, &unchanged, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK) {
        *ret_version = number;
        *ret_unchanged = unchanged;
    }
    return status;
}

static enum lf_status
icp_not_found(const char *key, struct lf_error *error)
{
    return lf_fail(error, LF_ICP_NOT_FOUND, "there is no ICP \"%s\"", key);
}

/* Within the transaction. */
static enum lf_status
set_archived(struct lf_connection *connection, const char *icp, bool archived, int64_t at_ms, struct lf_error *error)
{
    sqlite3_stmt *exists = NULL, *set = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ICP_EXISTS, &exists, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_SET_ARCHIVED, &set, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(exists, 1, icp, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text(set, 1, icp, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int(set, 2, archived ? 1 : 0) != SQLITE_OK || sqlite3_bind_int64(set, 3, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, exists, &row, error);
    (void)sqlite3_reset(exists);
    if (status != LF_OK)
        return status;
    return row ? lf_sqlite_run(connection, set, error) : icp_not_found(icp, error);
}

enum lf_status
lf_sqlite_set_archived(struct lf_store *store, const char *icp, bool archived, int64_t at_ms, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "archiving an ICP", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = set_archived(connection, icp, archived, at_ms, error);
    return lf_sqlite_end(connection, status, error);
}

/* ---- reading ---- */

/* The present row of LF_SQL_ICP_COLUMNS. false when memory is out. */
static bool
read_icp(struct lf_arena *arena, sqlite3_stmt *statement, struct lf_stored_icp *icp)
{
    *icp = (struct lf_stored_icp){
        .key = lf_sqlite_text(arena, statement, 0),
        .name = lf_sqlite_text(arena, statement, 1),
        .purpose = lf_sqlite_text(arena, statement, 2),
        .archived = sqlite3_column_int(statement, 3) != 0,
        .active_version = sqlite3_column_int(statement, 4),
        .versions = sqlite3_column_int(statement, 5),
        .created_at_ms = sqlite3_column_int64(statement, 6),
        .updated_at_ms = sqlite3_column_int64(statement, 7),
    };
    return icp->key != NULL && icp->name != NULL && icp->purpose != NULL;
}

/* The present row of LF_SQL_VERSION_COLUMNS. */
static enum lf_status
read_version(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
             struct lf_stored_version *version, struct lf_error *error)
{
    *version = (struct lf_stored_version){
        .id = sqlite3_column_int64(statement, 0),
        .icp = lf_sqlite_text(arena, statement, 1),
        .version = sqlite3_column_int(statement, 2),
        .document = lf_sqlite_text(arena, statement, 3),
        .document_len = (size_t)sqlite3_column_bytes(statement, 3),
        .note = lf_sqlite_text(arena, statement, 5),
        .published_at_ms = sqlite3_column_int64(statement, 6),
    };
    if (version->icp == NULL || version->document == NULL || version->note == NULL)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_blob(connection, statement, 4, version->hash, LF_SHA256_SIZE, error);
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
        if (icps == NULL || !read_icp(arena, statement, &icps[count++]))
            status = lf_sqlite_no_memory(connection, error);
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
    if (status == LF_OK && !row)
        status = icp_not_found(key, error);
    else if (status == LF_OK && !read_icp(arena, statement, &icp))
        status = lf_sqlite_no_memory(connection, error);
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
    return lf_fail(error, LF_VERSION_NOT_FOUND, "ICP \"%s\" has no version %d; it has %d", icp, version,
                   owner.versions);
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

enum lf_status
lf_sqlite_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                          struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the active ICPs");
    struct lf_stored_version *versions = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ACTIVE_VERSIONS, &statement, error);

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
