/*
 * scrub.h - a VFS for SQLite that leaves nothing of what was deleted in the database file.
 *
 * secure_delete overwrites what is deleted where it stands. But where rows move from page to page, copies of them are
 * left in the unused middle of pages, and nobody knows of them when the row is deleted later: of some thousand erased
 * leads a few would be found in the file afterwards (tests/unit/test_store_traces.c shows it). This VFS is the
 * system's, but that the unused middle of a page is written as zeros; nothing ever reads it. The write-ahead log is not
 * touched: once it is emptied, what it held is gone.
 */
#ifndef LF_STORE_SQLITE_SCRUB_H
#define LF_STORE_SQLITE_SCRUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The VFS's name, for sqlite3_open_v2. */
#define LF_SCRUB_VFS "leadfit-scrub"

/* Makes it known to SQLite, which has been set up; once. A result code of SQLite's. */
int lf_scrub_register(void);

/* Where the unused middle of a page is, as offsets into it. pages: at least as many as the database has, or will have
 * when what is being written is whole. mapped: it has pages that map pages (auto_vacuum). false for a page that has
 * none, is no page of a tree with texts in it, or may not be one. Pure. */
bool lf_scrub_gap(const uint8_t *page, size_t size, int64_t pages, bool mapped, size_t *ret_begin, size_t *ret_end);

#endif
