/* scrub.c - see scrub.h. */
#include "store/sqlite/scrub.h"

#include <sqlite3.h>
#include <string.h>

/* Pages of SQLite's file format, by their first byte. Those within a table's tree hold no texts. */
enum { INDEX_WITHIN = 2, INDEX_LEAF = 10, TABLE_LEAF = 13 };

enum { PAGE_MIN = 512, PAGE_MAX = 65536 };

/* The file's own header; where it says whether pages are mapped. */
enum { HEADER_SIZE = 100, HEADER_MAPPED = 52 };

/* ---- a page ---- */

static size_t
get_be16(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* A page of a tree begins with its kind, the place of its first free block, how many cells it has, and where these
 * begin; then come the cells' places. The cells themselves stand at the page's end, and between is nothing.
 *
 * A page that belongs to no tree (part of a long row; the list of free pages) begins with the number of another page,
 * its greatest byte first: so it can be taken for one of a tree only in a database of more than kind * 2^24 pages (256
 * GiB for the pages within an index, above 1 TiB for leaves). A page that maps pages, which leadfit's databases do not
 * have, can begin with a 2. Where that may be, nothing is done: rather a trace than damage. */
bool
lf_scrub_gap(const uint8_t *page, size_t size, int64_t pages, bool mapped, size_t *ret_begin, size_t *ret_end)
{
    int64_t kind = page[0];
    size_t begin = get_be16(page + 3) * 2 + (kind == INDEX_WITHIN ? 12 : 8), end = get_be16(page + 5);

    if (kind != INDEX_WITHIN && kind != INDEX_LEAF && kind != TABLE_LEAF)
        return false;
    if (end == 0)
        end = PAGE_MAX; /* what does not fit into two bytes */
    if (pages >= kind << 24 || (mapped && kind == INDEX_WITHIN) || begin >= end || end > size)
        return false;
    *ret_begin = begin;
    *ret_end = end;
    return true;
}

/* ---- a file ---- */

/* A database file that is open; the system's own file follows it in memory. */
struct scrub_file {
    sqlite3_file base;
    uint8_t *page;       /* as it is written; made when the first one is */
    int page_size;       /* of that memory */
    sqlite3_int64 bytes; /* the file is, was or will be no larger */
    bool mapped;         /* pages are mapped, as its header says */
};

static sqlite3_file *
real_file(sqlite3_file *file)
{
    return (sqlite3_file *)((struct scrub_file *)file + 1);
}

static int
scrub_close(sqlite3_file *file)
{
    struct scrub_file *scrub = (struct scrub_file *)file;

    sqlite3_free(scrub->page);
    scrub->page = NULL;
    return real_file(file)->pMethods->xClose(real_file(file));
}

static int
scrub_read(sqlite3_file *file, void *to, int size, sqlite3_int64 offset)
{
    return real_file(file)->pMethods->xRead(real_file(file), to, size, offset);
}

/* The page without what stands in its unused middle: itself, where there is nothing to leave out. NULL when memory is
 * out. */
static const void *
clean_page(struct scrub_file *scrub, const void *page, int size)
{
    size_t begin = 0, end = 0;

    if (!lf_scrub_gap(page, (size_t)size, scrub->bytes / size, scrub->mapped, &begin, &end))
        return page;
    if (scrub->page_size != size) {
        sqlite3_free(scrub->page);
        scrub->page = sqlite3_malloc(size);
        scrub->page_size = scrub->page != NULL ? size : 0;
    }
    if (scrub->page == NULL)
        return NULL;
    memcpy(scrub->page, page, (size_t)size);
    memset(scrub->page + begin, 0, end - begin);
    return scrub->page;
}

static void
note_header(struct scrub_file *scrub, const uint8_t *header)
{
    static const uint8_t NOT[4];

    scrub->mapped = memcmp(header + HEADER_MAPPED, NOT, sizeof NOT) != 0;
}

static int
scrub_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 offset)
{
    struct scrub_file *scrub = (struct scrub_file *)file;
    bool is_page = size >= PAGE_MIN && size <= PAGE_MAX && (size & (size - 1)) == 0 && offset % size == 0;

    if (offset + size > scrub->bytes)
        scrub->bytes = offset + size;
    if (offset == 0 && size >= HEADER_SIZE)
        note_header(scrub, from); /* and such a page tells of tables alone */
    else if (is_page)
        from = clean_page(scrub, from, size);
    if (from == NULL)
        return SQLITE_IOERR_NOMEM;
    return real_file(file)->pMethods->xWrite(real_file(file), from, size, offset);
}

static int
scrub_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int
scrub_sync(sqlite3_file *file, int flags)
{
    return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int
scrub_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_file(file)->pMethods->xFileSize(real_file(file), ret_size);
}

static int
scrub_lock(sqlite3_file *file, int lock)
{
    return real_file(file)->pMethods->xLock(real_file(file), lock);
}

static int
scrub_unlock(sqlite3_file *file, int lock)
{
    return real_file(file)->pMethods->xUnlock(real_file(file), lock);
}

static int
scrub_check_reserved_lock(sqlite3_file *file, int *ret_reserved)
{
    return real_file(file)->pMethods->xCheckReservedLock(real_file(file), ret_reserved);
}

static int
scrub_file_control(sqlite3_file *file, int which, void *argument)
{
    struct scrub_file *scrub = (struct scrub_file *)file;

    /* Before pages of a growing database are written SQLite says how large it will be. */
    if (which == SQLITE_FCNTL_SIZE_HINT && *(sqlite3_int64 *)argument > scrub->bytes)
        scrub->bytes = *(sqlite3_int64 *)argument;
    return real_file(file)->pMethods->xFileControl(real_file(file), which, argument);
}

static int
scrub_sector_size(sqlite3_file *file)
{
    return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int
scrub_device_characteristics(sqlite3_file *file)
{
    return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

static int
scrub_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_memory)
{
    return real_file(file)->pMethods->xShmMap(real_file(file), region, size, extend, ret_memory);
}

static int
scrub_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_file(file)->pMethods->xShmLock(real_file(file), offset, count, flags);
}

static void
scrub_shm_barrier(sqlite3_file *file)
{
    real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int
scrub_shm_unmap(sqlite3_file *file, int delete_too)
{
    return real_file(file)->pMethods->xShmUnmap(real_file(file), delete_too);
}

/* Version 2: shared memory, as a write-ahead log needs, and no mapping of the file, past which nothing would go. */
static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = scrub_close,
    .xRead = scrub_read,
    .xWrite = scrub_write,
    .xTruncate = scrub_truncate,
    .xSync = scrub_sync,
    .xFileSize = scrub_file_size,
    .xLock = scrub_lock,
    .xUnlock = scrub_unlock,
    .xCheckReservedLock = scrub_check_reserved_lock,
    .xFileControl = scrub_file_control,
    .xSectorSize = scrub_sector_size,
    .xDeviceCharacteristics = scrub_device_characteristics,
    .xShmMap = scrub_shm_map,
    .xShmLock = scrub_shm_lock,
    .xShmBarrier = scrub_shm_barrier,
    .xShmUnmap = scrub_shm_unmap,
};

/* ---- the file system ---- */

static sqlite3_vfs *
real_vfs(const sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

/* Learns what has to be known of a file that was opened. */
static int
look_at(struct scrub_file *scrub)
{
    sqlite3_file *real = real_file(&scrub->base);
    uint8_t header[HEADER_SIZE];
    int rc = real->pMethods->xFileSize(real, &scrub->bytes);

    if (rc == SQLITE_OK && real->pMethods->iVersion < 2)
        rc = SQLITE_CANTOPEN; /* it cannot share memory: no write-ahead log */
    if (rc != SQLITE_OK || scrub->bytes < HEADER_SIZE)
        return rc;
    rc = real->pMethods->xRead(real, header, HEADER_SIZE, 0);
    if (rc == SQLITE_OK)
        note_header(scrub, header);
    return rc;
}

/* Of the files that SQLite opens only a database is written page by page; all others are the system's own. */
static int
scrub_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
    sqlite3_vfs *real = real_vfs(vfs);
    struct scrub_file *scrub = (struct scrub_file *)file;
    int rc = SQLITE_OK;

    if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
        return real->xOpen(real, name, file, flags, ret_flags);
    *scrub = (struct scrub_file){.page = NULL};
    real_file(file)->pMethods = NULL;
    rc = real->xOpen(real, name, real_file(file), flags, ret_flags);
    if (rc == SQLITE_OK)
        rc = look_at(scrub);
    if (rc == SQLITE_OK)
        file->pMethods = &METHODS;
    else if (real_file(file)->pMethods != NULL)
        (void)real_file(file)->pMethods->xClose(real_file(file)); /* rc says what matters */
    return rc;
}

static int
scrub_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    return real_vfs(vfs)->xDelete(real_vfs(vfs), name, sync_directory);
}

static int
scrub_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_is)
{
    return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, ret_is);
}

static int
scrub_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *ret_path)
{
    return real_vfs(vfs)->xFullPathname(real_vfs(vfs), name, size, ret_path);
}

static int
scrub_randomness(sqlite3_vfs *vfs, int size, char *ret_bytes)
{
    return real_vfs(vfs)->xRandomness(real_vfs(vfs), size, ret_bytes);
}

static int
scrub_sleep(sqlite3_vfs *vfs, int microseconds)
{
    return real_vfs(vfs)->xSleep(real_vfs(vfs), microseconds);
}

static int
scrub_current_time(sqlite3_vfs *vfs, double *ret_days)
{
    return real_vfs(vfs)->xCurrentTime(real_vfs(vfs), ret_days);
}

static int
scrub_get_last_error(sqlite3_vfs *vfs, int size, char *ret_text)
{
    return real_vfs(vfs)->xGetLastError(real_vfs(vfs), size, ret_text);
}

int
lf_scrub_register(void)
{
    /* SQLite keeps it, and one is all a process needs; written once, before anybody opens a database. It loads no
     * extensions. */
    static sqlite3_vfs VFS = {
        .iVersion = 1,
        .zName = LF_SCRUB_VFS,
        .xOpen = scrub_open,
        .xDelete = scrub_delete,
        .xAccess = scrub_access,
        .xFullPathname = scrub_full_pathname,
        .xRandomness = scrub_randomness,
        .xSleep = scrub_sleep,
        .xCurrentTime = scrub_current_time,
        .xGetLastError = scrub_get_last_error,
    };
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    if (real == NULL)
        return SQLITE_ERROR;
    VFS.szOsFile = (int)sizeof(struct scrub_file) + real->szOsFile;
    VFS.mxPathname = real->mxPathname;
    VFS.pAppData = real;
    return sqlite3_vfs_register(&VFS, 0);
}
