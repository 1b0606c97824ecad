/* sources.c - who sends leads, with their secrets, and what was refused of theirs. */
#include "store/sqlite/internal.h"

#include <string.h>

/* A source as a change finds it. */
struct present {
    int64_t id; /* 0: there is none */
    uint8_t hash[LF_SHA256_SIZE];
};

static enum lf_status
no_memory_to_hash(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while hashing a source");
}

/* Within the transaction. */
static enum lf_status
find_source(struct lf_connection *connection, const char *key, struct present *ret_present, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    const void *document = NULL;
    size_t len = 0;
    bool found = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SOURCE_TO_CHANGE, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    *ret_present = (struct present){.id = 0};
    status = lf_sqlite_step(connection, statement, &found, error);
    if (status == LF_OK && found) {
        ret_present->id = sqlite3_column_int64(statement, 0);
        status = lf_sqlite_bytes(connection, statement, 1, &document, &len, error);
        if (status == LF_OK && !lf_sha256(document, len, ret_present->hash))
            status = no_memory_to_hash(error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* Runs a statement about the source in row `id` (?1) that gives no rows. */
static enum lf_status
run_for_source(struct lf_connection *connection, enum lf_sql which, int64_t id, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* ---- putting ---- */

/* CONFLICT when there are as many as there can be. */
static enum lf_status
has_room(struct lf_connection *connection, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_COUNT_SOURCES, &statement, error);

    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    count = row ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return count < LF_SOURCES_MAX
               ? LF_OK
               : lf_fail(error, LF_CONFLICT,
                         "there are %d sources, and that is the most there can be: delete one first", LF_SOURCES_MAX);
}

static enum lf_status
add_source(struct lf_connection *connection, const struct lf_stored_source *source, int64_t at_ms, int64_t *ret_id,
           struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = has_room(connection, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_ADD_SOURCE, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_text(statement, 1, source->key, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 2, source->document, source->document_len, SQLITE_STATIC, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    *ret_id = sqlite3_last_insert_rowid(connection->db);
    return status;
}

static enum lf_status
change_source(struct lf_connection *connection, const struct lf_stored_source *source, int64_t at_ms, int64_t id,
              struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_CHANGE_SOURCE, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 2, source->document, source->document_len, SQLITE_STATIC, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    return status == LF_OK ? run_for_source(connection, LF_SQL_DELETE_SOURCE_SECRETS, id, error) : status;
}

static enum lf_status
add_secrets(struct lf_connection *connection, const struct lf_stored_source *source, int64_t id, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ADD_SOURCE_SECRET, &statement, error);

    for (size_t i = 0; status == LF_OK && i < source->secret_count; i++) {
        if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK ||
            sqlite3_bind_int64(statement, 2, (sqlite3_int64)i) != SQLITE_OK ||
            sqlite3_bind_blob64(statement, 3, source->secrets[i].value, source->secrets[i].len, SQLITE_STATIC) !=
                SQLITE_OK)
            return lf_sqlite_no_memory(connection, error);
        status = lf_sqlite_run(connection, statement, error);
    }
    return status;
}

/* Within the transaction. */
static enum lf_status
put_source(struct lf_connection *connection, const struct lf_stored_source *source, const struct lf_change *change,
           int64_t *ret_id, bool *ret_created, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "source.put", .icp = "", .subject = source->key};
    uint8_t hash[LF_SHA256_SIZE];
    struct present present;
    enum lf_status status = find_source(connection, source->key, &present, error);

    if (status == LF_OK && !lf_sha256(source->document, source->document_len, hash))
        status = no_memory_to_hash(error);
    if (status != LF_OK)
        return status;
    *ret_created = present.id == 0;
    *ret_id = present.id;
    status = present.id == 0 ? add_source(connection, source, change->at_ms, ret_id, error)
                             : change_source(connection, source, change->at_ms, present.id, error);
    if (status == LF_OK)
        status = add_secrets(connection, source, *ret_id, error);
    trace.before = present.id == 0 ? NULL : present.hash;
    trace.after = hash;
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_put_source(struct lf_store *store, const struct lf_stored_source *source, const struct lf_change *change,
                     int64_t *ret_id, bool *ret_created, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "putting a source", error);
    int64_t id = 0;
    bool created = false;
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = put_source(connection, source, change, &id, &created, error);
    status = lf_sqlite_end(connection, status, error);
    if (status != LF_OK)
        return status;
    *ret_id = id;
    *ret_created = created;
    return LF_OK;
}

/* ---- deleting ---- */

/* Within the transaction. Secrets and refusals go with their source (ON DELETE CASCADE). */
static enum lf_status
delete_source(struct lf_connection *connection, const char *key, const struct lf_change *change, struct lf_error *error)
{
    struct lf_sqlite_trace trace = {.action = "source.delete", .icp = "", .subject = key};
    struct present present;
    enum lf_status status = find_source(connection, key, &present, error);

    if (status == LF_OK && present.id == 0)
        status = lf_fail(error, LF_SOURCE_NOT_FOUND, "there is no source \"%s\"", key);
    if (status == LF_OK)
        status = run_for_source(connection, LF_SQL_DELETE_SOURCE, present.id, error);
    trace.before = present.hash;
    return status == LF_OK ? lf_sqlite_add_trace(connection, &trace, change, error) : status;
}

enum lf_status
lf_sqlite_delete_source(struct lf_store *store, const char *key, const struct lf_change *change, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "deleting a source", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = delete_source(connection, key, change, error);
    return lf_sqlite_end(connection, status, error);
}

/* ---- reading ---- */

/* The secrets of the present row, from `column` on: null where there is none. */
static enum lf_status
read_secrets(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement, int column,
             struct lf_stored_source *source, struct lf_error *error)
{
    for (int i = 0; i < LF_SOURCE_SECRETS_MAX; i++) {
        struct lf_stored_secret *secret = &source->secrets[source->secret_count];
        const void *bytes = NULL;
        enum lf_status status = LF_OK;

        if (sqlite3_column_type(statement, column + i) == SQLITE_NULL)
            continue;
        status = lf_sqlite_bytes(connection, statement, column + i, &bytes, &secret->len, error);
        if (status != LF_OK)
            return status;
        secret->value = lf_arena_copy(arena, bytes, secret->len);
        if (secret->value == NULL)
            return lf_sqlite_no_memory(connection, error);
        source->secret_count++;
    }
    return LF_OK;
}

/* The present row of LF_SQL_SOURCES. */
static enum lf_status
read_source(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
            struct lf_stored_source *ret_source, struct lf_error *error)
{
    *ret_source = (struct lf_stored_source){
        .id = sqlite3_column_int64(statement, 0),
        .key = lf_sqlite_text(arena, statement, 1),
        .document = lf_sqlite_text(arena, statement, 2),
        .document_len = (size_t)sqlite3_column_bytes(statement, 2),
        .created_at_ms = sqlite3_column_int64(statement, 3),
        .updated_at_ms = sqlite3_column_int64(statement, 4),
    };
    if (ret_source->key == NULL || ret_source->document == NULL)
        return lf_sqlite_no_memory(connection, error);
    return read_secrets(connection, arena, statement, 5, ret_source, error);
}

enum lf_status
lf_sqlite_sources(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_source **ret_sources,
                  size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the sources");
    struct lf_stored_source *sources = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SOURCES, &statement, error);

    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        sources = lf_sqlite_grow(arena, sources, count, &capacity, sizeof *sources);
        status = sources == NULL ? lf_sqlite_no_memory(connection, error)
                                 : read_source(connection, arena, statement, &sources[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_sources = sources;
    *ret_count = count;
    return LF_OK;
}

/* ---- refusals ---- */

static enum lf_status
source_exists(struct lf_connection *connection, int64_t id, bool *ret_exists, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_SOURCE_EXISTS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_exists, error);
    (void)sqlite3_reset(statement);
    return status;
}

/* Within the transaction. */
static enum lf_status
put_refusals(struct lf_connection *connection, int64_t source_id, const struct lf_stored_refusal *refusals,
             size_t count, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool exists = false;
    enum lf_status status = source_exists(connection, source_id, &exists, error);

    if (status != LF_OK || !exists)
        return status;
    status = run_for_source(connection, LF_SQL_DELETE_REFUSALS, source_id, error);
    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_ADD_REFUSAL, &statement, error);
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        const struct lf_stored_refusal *refusal = &refusals[i];

        if (sqlite3_bind_int64(statement, 1, source_id) != SQLITE_OK ||
            sqlite3_bind_int64(statement, 2, (sqlite3_int64)i) != SQLITE_OK ||
            sqlite3_bind_int64(statement, 3, refusal->at_ms) != SQLITE_OK ||
            sqlite3_bind_text(statement, 4, refusal->request_id, -1, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_int(statement, 5, refusal->status) != SQLITE_OK ||
            sqlite3_bind_text(statement, 6, refusal->code, -1, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_text(statement, 7, refusal->pointer, -1, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_text(statement, 8, refusal->detail, -1, SQLITE_STATIC) != SQLITE_OK ||
            sqlite3_bind_int64(statement, 9, (sqlite3_int64)refusal->bytes) != SQLITE_OK)
            return lf_sqlite_no_memory(connection, error);
        status = lf_sqlite_run(connection, statement, error);
    }
    return status;
}

enum lf_status
lf_sqlite_put_refusals(struct lf_store *store, int64_t source_id, const struct lf_stored_refusal *refusals,
                       size_t count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "noting refused deliveries", error);
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = put_refusals(connection, source_id, refusals, count, error);
    return lf_sqlite_end(connection, status, error);
}

/* The present row of LF_SQL_REFUSALS. */
static enum lf_status
read_refusal(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
             struct lf_stored_refusal *ret_refusal, struct lf_error *error)
{
    *ret_refusal = (struct lf_stored_refusal){
        .at_ms = sqlite3_column_int64(statement, 0),
        .request_id = lf_sqlite_text(arena, statement, 1),
        .status = sqlite3_column_int(statement, 2),
        .code = lf_sqlite_text(arena, statement, 3),
        .pointer = lf_sqlite_text(arena, statement, 4),
        .detail = lf_sqlite_text(arena, statement, 5),
        .bytes = (size_t)sqlite3_column_int64(statement, 6),
    };
    return ret_refusal->request_id == NULL || ret_refusal->code == NULL || ret_refusal->pointer == NULL ||
                   ret_refusal->detail == NULL
               ? lf_sqlite_no_memory(connection, error)
               : LF_OK;
}

enum lf_status
lf_sqlite_refusals(struct lf_store_reader *reader, struct lf_arena *arena, int64_t source_id,
                   struct lf_stored_refusal **ret_refusals, size_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading refused deliveries");
    struct lf_stored_refusal *refusals = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_REFUSALS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, source_id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        refusals = lf_sqlite_grow(arena, refusals, count, &capacity, sizeof *refusals);
        status = refusals == NULL ? lf_sqlite_no_memory(connection, error)
                                  : read_refusal(connection, arena, statement, &refusals[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_refusals = refusals;
    *ret_count = count;
    return LF_OK;
}
