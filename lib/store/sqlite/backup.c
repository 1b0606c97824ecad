/*
 * backup.c - a copy of the database as it is at one moment, while others go on writing.
 *
 * SQLite's online backup, all pages in one step: within the step one snapshot is read, so nothing needs to be copied
 * again, and in WAL mode nobody waits for it. The copy is written under another name, flushed, and only then gets its
 * own; a target that is there is never touched.
 */
#include "store/sqlite/internal.h"
#include "store/sqlite/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
lf_sqlite_sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    int fd = -1, failed = 0;

    if (len >= sizeof directory) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(directory, len > 0 ? path : ".", len > 0 ? len : 1);
    directory[len > 0 ? len : 1] = '\0';
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    failed = fsync(fd) == 0 ? 0 : errno;
    (void)close(fd);
    errno = failed;
    return failed == 0;
}

static enum lf_status
file_failed(const char *doing, const char *path, struct lf_error *error)
{
    int reason = errno;

    return lf_fail(error, reason == ENOSPC || reason == EDQUOT ? LF_STORAGE_FULL : LF_FILE, "%s %s: %s", doing, path,
                   strerror(reason));
}

/* Copies all pages from the reader's database into the one at path. */
static enum lf_status
copy_pages(struct lf_connection *connection, const char *path, struct lf_error *error)
{
    struct lf_connection target = {.path = path, .doing = "writing the backup"};
    sqlite3_backup *backup = NULL;
    enum lf_status status = LF_OK;
    int rc = sqlite3_open_v2(path, &target.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, LF_SCRUB_VFS);

    if (rc == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(target.db, 1);
        /* Nothing here needs a journal or a flush: a copy that is cut short is thrown away. */
        rc = sqlite3_exec(target.db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -512",
                          NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        status = lf_sqlite_fail(&target, rc, error);
        lf_connection_close(&target);
        return status;
    }
    backup = sqlite3_backup_init(target.db, "main", connection->db, "main");
    if (backup != NULL) {
        (void)sqlite3_backup_step(backup, -1); /* finish says the same again */
        rc = sqlite3_backup_finish(backup);
    } else {
        rc = sqlite3_errcode(target.db);
    }
    if (rc != SQLITE_OK)
        status = lf_sqlite_fail(sqlite3_errcode(target.db) != SQLITE_OK ? &target : connection, rc, error);
    lf_connection_close(&target);
    return status;
}

/* Flushes the copy and gives it its name, which must not be taken. */
static enum lf_status
put_in_place(const char *temporary, const char *target, struct lf_error *error)
{
    int fd = open(temporary, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return file_failed("cannot read back", temporary, error);
    if (fsync(fd) != 0) {
        enum lf_status status = file_failed("cannot write", temporary, error);
        (void)close(fd);
        return status;
    }
    (void)close(fd);
    /* link refuses a name that is taken, on every file system; where there are no hard links, renameat2 does. */
    if (link(temporary, target) == 0)
        (void)unlink(temporary); /* a second name for the same copy does no harm */
    else if (errno == EEXIST || renameat2(AT_FDCWD, temporary, AT_FDCWD, target, RENAME_NOREPLACE) != 0)
        return file_failed("cannot make", target, error);
    return lf_sqlite_sync_directory(target) ? LF_OK : file_failed("cannot write the directory of", target, error);
}

enum lf_status
lf_sqlite_backup(struct lf_store_reader *reader, const char *target, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "backing up");
    char *temporary = NULL;
    enum lf_status status = LF_OK;
    int fd = -1;

    if (access(target, F_OK) == 0)
        return lf_fail(error, LF_FILE, "%s exists already; name a file that does not", target);
    if (asprintf(&temporary, "%s%s.XXXXXX", target[0] == '/' ? "" : "./", target) < 0)
        return lf_sqlite_no_memory(connection, error);
    fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        status = file_failed("cannot make", temporary, error);
        free(temporary);
        return status;
    }
    (void)close(fd);
    status = copy_pages(connection, temporary, error);
    if (status == LF_OK)
        status = put_in_place(temporary, target, error);
    if (status != LF_OK)
        (void)unlink(temporary); /* what matters has been said */
    free(temporary);
    return status;
}
