/* sqlite_faults.h - SQLite's own allocations fail in turn as well: together with faults.h, for programs that link it.
 */
#ifndef LF_TESTS_SQLITE_FAULTS_H
#define LF_TESTS_SQLITE_FAULTS_H

#include "faults.h"

#include <sqlite3.h>

static sqlite3_mem_methods sqlite_memory;

static inline void *
failing_malloc(int size)
{
    return fails_now() ? NULL : sqlite_memory.xMalloc(size);
}

static inline void *
failing_realloc(void *old, int size)
{
    return fails_now() ? NULL : sqlite_memory.xRealloc(old, size);
}

/* Before the first database is opened. false: SQLite does not want it. */
static inline bool
let_sqlite_fail(void)
{
    sqlite3_mem_methods failing;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) != SQLITE_OK)
        return false;
    failing = sqlite_memory;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK;
}

#endif
