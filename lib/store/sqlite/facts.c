/* facts.c - what can be said of the files without opening them. */
#include "store/sqlite/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* A file that is not there has 0 bytes: the log comes with the first write and goes with the last connection. */
static bool
size_of(const char *path, int64_t *ret_bytes)
{
    struct stat file;

    if (stat(path, &file) != 0)
        return errno == ENOENT;
    *ret_bytes = file.st_size;
    return true;
}

enum lf_status
lf_sqlite_facts(struct lf_store_reader *reader, struct lf_store_facts *ret_facts, struct lf_error *error)
{
    const struct lf_sqlite_store *store = (const struct lf_sqlite_store *)reader->store;
    struct lf_store_facts facts = {.engine = sqlite3_libversion()};
    struct statvfs volume;
    char wal[PATH_MAX + 8];

    if (snprintf(wal, sizeof wal, "%s-wal", store->path) >= (int)sizeof wal ||
        !size_of(store->path, &facts.database_bytes) || !size_of(wal, &facts.log_bytes) ||
        statvfs(store->path, &volume) != 0)
        return lf_fail(error, LF_FILE, "%.200s: the files cannot be looked at", store->path);
    facts.free_bytes = (int64_t)(volume.f_bavail * volume.f_frsize);
    *ret_facts = facts;
    return LF_OK;
}
