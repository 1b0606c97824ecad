/*
 * migrate.c - the schema: making it, bringing it up to date, and refusing what is not ours.
 *
 * The schema's version is the number of migrations that made it (user_version). Missing ones run in one transaction;
 * a database that already holds something is copied beside itself first, and the copy deleted after success, for it
 * holds people's data.
 */
#include "schema/migrations.h"
#include "store/sqlite/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the file says of itself. */
struct identity {
    int64_t version, application_id, objects; /* objects: tables and so on in it */
};

static enum lf_status
identify(struct lf_connection *connection, struct identity *ret_identity, struct lf_error *error)
{
    enum lf_status status =
        lf_sqlite_int(connection, "SELECT count(*) FROM sqlite_schema", &ret_identity->objects, error);

    if (status == LF_OK)
        status = lf_sqlite_int(connection, "PRAGMA user_version", &ret_identity->version, error);
    if (status == LF_OK)
        status = lf_sqlite_int(connection, "PRAGMA application_id", &ret_identity->application_id, error);
    if (status == LF_OK && ret_identity->objects > 0 && ret_identity->application_id != LF_SQLITE_APPLICATION_ID)
        status = lf_fail(error, LF_FILE, "%s is a database, but not one of leadfit's", connection->path);
    return status;
}

static enum lf_status
refuse_newer(const struct lf_connection *connection, int64_t version, size_t known, struct lf_error *error)
{
    if (version <= (int64_t)known)
        return LF_OK;
    return lf_fail(error, LF_STORAGE_NEWER,
                   "%s has schema %" PRId64 ", this leadfit knows up to %zu: use the newer leadfit that wrote it, or a"
                   " backup from before",
                   connection->path, version, known);
}

/* Copies the database to path.before-N, anew where an earlier attempt left one. */
static enum lf_status
copy_aside(struct lf_connection *connection, const char *copy, struct lf_error *error)
{
    enum lf_status status = LF_OK;
    sqlite3_stmt *statement = NULL;
    int fd = -1, rc = SQLITE_OK;

    if (unlink(copy) != 0 && errno != ENOENT)
        return lf_fail(error, LF_FILE, "cannot replace the old copy %s: %s", copy, strerror(errno));
    fd = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* VACUUM INTO takes an empty file, with its mode */
    if (fd < 0)
        return lf_fail(error, LF_FILE, "cannot make the copy %s: %s", copy, strerror(errno));
    (void)close(fd);
    rc = sqlite3_prepare_v2(connection->db, "VACUUM INTO ?1", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC);
    if (rc != SQLITE_OK)
        status = lf_sqlite_fail(connection, rc, error);
    else
        status = lf_sqlite_run(connection, statement, error);
    (void)sqlite3_finalize(statement);
    if (status != LF_OK)
        (void)unlink(copy); /* half a copy is of no use */
    return status;
}

/* References that a migration broke; foreign keys are off while tables are rebuilt. */
static enum lf_status
check_references(struct lf_connection *connection, struct lf_error *error)
{
    int64_t broken = 0;
    enum lf_status status = lf_sqlite_int(connection, "SELECT count(*) FROM pragma_foreign_key_check", &broken, error);

    if (status == LF_OK && broken > 0)
        status = lf_fail(error, LF_STORAGE_CORRUPT,
                         "%s: %" PRId64 " rows refer to rows that are not there; the schema was left as it was",
                         connection->path, broken);
    return status;
}

/* Within the transaction. */
static enum lf_status
run_steps(struct lf_connection *connection, const struct lf_embedded *migrations, size_t from, size_t count,
          struct lf_error *error)
{
    char sql[96];
    enum lf_status status = LF_OK;

    for (size_t i = from; i < count && status == LF_OK; i++)
        status = lf_sqlite_exec(connection, (const char *)migrations[i].data, error);
    if (status == LF_OK)
        status = check_references(connection, error);
    if (status != LF_OK)
        return status;
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %zu", LF_SQLITE_APPLICATION_ID,
                   count);
    return lf_sqlite_exec(connection, sql, error);
}

/* Foreign keys cannot be turned off within a transaction, only around it. */
static enum lf_status
run_migrations(struct lf_connection *connection, const struct lf_embedded *migrations, size_t from, size_t count,
               struct lf_error *error)
{
    enum lf_status status = lf_sqlite_exec(connection, "PRAGMA foreign_keys = OFF", error), after = LF_OK;

    if (status == LF_OK)
        status = lf_sqlite_add_list_functions(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_begin(connection, error);
    if (status == LF_OK) {
        status = run_steps(connection, migrations, from, count, error);
        status = lf_sqlite_end(connection, status, error);
    }
    lf_sqlite_drop_list_functions(connection);
    after = lf_sqlite_exec(connection, "PRAGMA foreign_keys = ON", status == LF_OK ? error : NULL);
    return status != LF_OK ? status : after;
}

enum lf_status
lf_sqlite_recognise(struct lf_connection *connection, struct lf_error *error)
{
    struct identity is = {.version = 0};
    enum lf_status status = identify(connection, &is, error);

    return status != LF_OK ? status : refuse_newer(connection, is.version, sqlite_migrations_count, error);
}

enum lf_status
lf_sqlite_migrate_to(struct lf_connection *connection, const struct lf_embedded *migrations, size_t count,
                     struct lf_error *error)
{
    struct identity is = {.version = 0};
    char *copy = NULL;
    enum lf_status status = identify(connection, &is, error);

    if (status == LF_OK)
        status = refuse_newer(connection, is.version, count, error);
    if (status != LF_OK)
        return status;
    connection->doing = "bringing the database up to date";
    if (asprintf(&copy, "%s.before-%zu", connection->path, count) < 0)
        return lf_sqlite_no_memory(connection, error);
    if (is.version < (int64_t)count && is.objects > 0)
        status = copy_aside(connection, copy, error);
    if (status == LF_OK && is.version < (int64_t)count)
        status = run_migrations(connection, migrations, (size_t)is.version, count, error);
    /* It may also be left over from a time when the process ended just here. */
    if (status == LF_OK && unlink(copy) != 0 && errno != ENOENT)
        status = lf_fail(error, LF_FILE, "the database was brought up to date, but its old copy %s stays: %s", copy,
                         strerror(errno));
    free(copy);
    return status;
}

enum lf_status
lf_sqlite_migrate(struct lf_connection *connection, struct lf_error *error)
{
    return lf_sqlite_migrate_to(connection, sqlite_migrations, sqlite_migrations_count, error);
}

enum lf_status
lf_sqlite_schema_fits(struct lf_connection *connection, struct lf_error *error)
{
    struct identity is = {.version = 0};
    enum lf_status status = identify(connection, &is, error);

    if (status == LF_OK)
        status = refuse_newer(connection, is.version, sqlite_migrations_count, error);
    if (status == LF_OK && is.objects == 0)
        status = lf_fail(error, LF_FILE, "%s is empty: no leadfit has written to it yet", connection->path);
    else if (status == LF_OK && is.version < sqlite_migrations_count)
        status = lf_fail(error, LF_FILE,
                         "%s was written by an older leadfit (schema %" PRId64 ", now %d): start the server on it once"
                         " to bring it up to date",
                         connection->path, is.version, sqlite_migrations_count);
    return status;
}
