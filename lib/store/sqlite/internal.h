/*
 * internal.h - what the files of the SQLite backend share: the store and reader behind store.h's opaque types, and the
 * operations each file gives to the table in sqlite.c.
 */
#ifndef LF_STORE_SQLITE_INTERNAL_H
#define LF_STORE_SQLITE_INTERNAL_H

#include "base/embedded.h"
#include "store/backend.h"
#include "store/block.h"
#include "store/sqlite/connection.h"

struct lf_sqlite_store {
    struct lf_store base;
    char *path; /* absolute, without symbolic links: whoever opens the same file finds the same lock */
    bool read_only;
    int lock; /* descriptor of the lock file, -1 when read_only */

    /* The writing side, unused when read_only. */
    struct lf_connection writer;
    struct lf_block_writer block; /* the block being built; its memory stays */
    struct lf_ulid last_id;       /* of the newest score, all zeros for none */
    int64_t position;             /* scores ever recorded */
    int64_t page_size;            /* bytes */
    int wal_pages;                /* in the WAL after the last commit */
    int wal_pages_tried;          /* of these, there when a checkpoint was last tried */
};

struct lf_sqlite_reader {
    struct lf_store_reader base;
    struct lf_connection connection;
};

/* The connection that writes, with `doing` noted; NULL and an error for a store that is read_only. */
struct lf_connection *lf_sqlite_writer(struct lf_store *store, const char *doing, struct lf_error *error);

/* The reader's connection, with `doing` noted. */
struct lf_connection *lf_sqlite_reader(struct lf_store_reader *reader, const char *doing);

/* ---- migrate.c ---- */

enum { LF_SQLITE_APPLICATION_ID = 0x4C464954 /* "LFIT", in the file's header */ };

/* Refuses a file that is no database (STORAGE_CORRUPT), not one of ours (FILE), or a newer one (STORAGE_NEWER), before
 * anything is changed in it. */
enum lf_status lf_sqlite_recognise(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* Brings the schema up to that of this program, in one transaction. */
enum lf_status lf_sqlite_migrate(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* The same for the migrations given (the first `count` of the list); for tests. */
enum lf_status lf_sqlite_migrate_to(struct lf_connection *connection, const struct lf_embedded *migrations,
                                    size_t count, struct lf_error *error) LF_MUST_CHECK;

/* Whether the schema is just this program's; for a store that is read_only. */
enum lf_status lf_sqlite_schema_fits(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* ---- scores.c ---- */

/* Reads where recording goes on: last_id and position. */
enum lf_status lf_sqlite_load_end(struct lf_sqlite_store *store, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_append_scores(struct lf_store *store, const struct lf_stored_score *const *scores,
                                       size_t count, struct lf_error *error);
enum lf_status lf_sqlite_score(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
                               struct lf_stored_score *ret_score, struct lf_error *error);
enum lf_status lf_sqlite_each_score(struct lf_store_reader *reader, struct lf_arena *arena, size_t limit,
                                    enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                    void *context, struct lf_error *error);
enum lf_status lf_sqlite_last_score(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count,
                                    struct lf_error *error);

/* ---- icps.c ---- */

enum lf_status lf_sqlite_publish(struct lf_store *store, const struct lf_new_version *version, int *ret_version,
                                 bool *ret_unchanged, struct lf_error *error);
enum lf_status
lf_sqlite_set_archived(struct lf_store *store, const char *icp, bool archived, int64_t at_ms, struct lf_error *error);
enum lf_status lf_sqlite_icps(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
                              size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_icp(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                             struct lf_stored_icp *ret_icp, struct lf_error *error);
enum lf_status lf_sqlite_version(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                                 struct lf_stored_version *ret_version, struct lf_error *error);
enum lf_status lf_sqlite_version_by_id(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                       struct lf_stored_version *ret_version, struct lf_error *error);
enum lf_status
lf_sqlite_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                          struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_each_version(struct lf_store_reader *reader, struct lf_arena *arena,
                                      enum lf_status (*each)(void *context, const struct lf_stored_version *version),
                                      void *context, struct lf_error *error);

/* ---- lists.c ---- */

enum lf_status lf_sqlite_put_list(struct lf_store *store, const char *key, const char *const *entries, size_t count,
                                  int64_t at_ms, struct lf_error *error);
enum lf_status lf_sqlite_lists(struct lf_store_reader *reader, struct lf_arena *arena,
                               struct lf_stored_list **ret_lists, size_t *ret_count, struct lf_error *error);

/* ---- keys.c ---- */

enum lf_status lf_sqlite_create_key(struct lf_store *store, const struct lf_stored_key *key, struct lf_error *error);
enum lf_status lf_sqlite_revoke_key(struct lf_store *store, const char *id, int64_t at_ms, struct lf_error *error);
enum lf_status lf_sqlite_keys(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
                              size_t *ret_count, struct lf_error *error);

/* ---- check.c, backup.c ---- */

enum lf_status lf_sqlite_check(struct lf_store_reader *reader, bool quick, const atomic_bool *stop,
                               struct lf_findings *findings, struct lf_error *error);
enum lf_status lf_sqlite_backup(struct lf_store_reader *reader, const char *target, struct lf_error *error);

/* Flushes the directory that a file lies in, so that the file's name survives a power cut. false with errno. */
bool lf_sqlite_sync_directory(const char *path);

#endif
