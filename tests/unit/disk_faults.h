/*
 * disk_faults.h - a disk that fails when it is told to: the system calls by which SQLite writes and flushes its files.
 * For one test program a file: it defines functions.
 */
#ifndef LF_TESTS_DISK_FAULTS_H
#define LF_TESTS_DISK_FAULTS_H

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
    atomic_bool armed;
    atomic_long left; /* calls before the one that fails; below 0: it has failed */
    atomic_int reason;
} disk;

static inline bool
disk_fails_now(void)
{
    if (!atomic_load(&disk.armed) || atomic_fetch_sub(&disk.left, 1) != 0)
        return false;
    errno = atomic_load(&disk.reason);
    return true;
}

static inline void
disk_arm(long left, int reason)
{
    atomic_store(&disk.left, left);
    atomic_store(&disk.reason, reason);
    atomic_store(&disk.armed, true);
}

/* Whether it came to the failure. */
static inline bool
disk_disarm(void)
{
    atomic_store(&disk.armed, false);
    return atomic_load(&disk.left) < 0;
}

static inline ssize_t
failing_write(int fd, const void *bytes, size_t size)
{
    return disk_fails_now() ? -1 : write(fd, bytes, size);
}

static inline ssize_t
failing_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return disk_fails_now() ? -1 : pwrite(fd, bytes, size, offset);
}

/* The program's own comes before the C library's, for SQLite as well. */
int
fdatasync(int fd)
{
    return disk_fails_now() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* Once a database has been opened. false: SQLite does not want it. */
static inline bool
let_disk_fail(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

    return vfs != NULL && vfs->xSetSystemCall(vfs, "write", (sqlite3_syscall_ptr)failing_write) == SQLITE_OK &&
           vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)failing_pwrite) == SQLITE_OK &&
           vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)failing_pwrite) == SQLITE_OK;
}

#endif
