/*
 * store.h - what Leadfit keeps, in its own words: ICPs and their versions, lists, API keys, recorded scores.
 *
 * The SQL stands behind these verbs (store/sqlite/); another backend joins by filling the same table of operations
 * (store/backend.h).
 *
 * Threads: a store has one writing side and any number of readers. Functions that take a struct lf_store * and write
 * are called by one thread at a time (the recorder's, or the only thread of a command). A struct lf_store_reader
 * belongs to one thread; readers never wait for the writer. Results live in the arena given.
 */
#ifndef LF_STORE_STORE_H
#define LF_STORE_STORE_H

#include "base/arena.h"
#include "base/findings.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/ulid.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_KEY_MAX = 64 /* characters of an ICP's or list's key */, LF_API_KEY_ID_MAX = 16 };

struct lf_store;
struct lf_store_reader;

struct lf_store_options {
    const char *path;
    bool read_only; /* never creates, migrates or writes */
};

/* One ICP. */
struct lf_stored_icp {
    const char *key, *name, *purpose; /* name and purpose of the active version */
    bool archived;
    int active_version; /* from 1 */
    int versions;       /* how many there are */
    int64_t created_at_ms, updated_at_ms;
};

/* One published version: immutable. */
struct lf_stored_version {
    int64_t id;           /* this version among all of all ICPs; what a recorded score refers to */
    const char *icp;      /* key */
    int version;          /* from 1 */
    const char *document; /* the definition as it was put, JSON */
    size_t document_len;
    uint8_t hash[LF_SHA256_SIZE]; /* of its canonical form */
    const char *note;
    int64_t published_at_ms;
};

/* What is published. */
struct lf_new_version {
    const char *icp, *name, *purpose;
    const char *document;
    size_t document_len;
    uint8_t hash[LF_SHA256_SIZE];
    const char *note;
    int64_t at_ms;
};

/* A named list of texts, as they were put (not folded). */
struct lf_stored_list {
    const char *key;
    int64_t revision; /* grows with every change */
    const char **entries;
    size_t count;
};

/* One API key; the secret itself is never here. */
struct lf_stored_key {
    char id[LF_API_KEY_ID_MAX + 1];
    const char *name;
    uint32_t scopes;
    uint8_t secret_hash[LF_SHA256_SIZE];
    int64_t created_at_ms;
    int64_t expires_at_ms; /* 0: never */
    int64_t revoked_at_ms; /* 0: live */
};

/* The most a recorded score may hold, in bytes: a whole body of 1 MiB with its explanation has ample room, and one
 * score can never fill the memory. A larger one is refused with BODY_TOO_LARGE. */
enum { LF_SCORE_BODY_MAX = 16 * 1024 * 1024, LF_SCORE_LEAD_ID_MAX = 4096 };

/* One recorded score. The body is core's record of the outcome (core/record.h) and opaque here. */
struct lf_stored_score {
    struct lf_ulid id; /* its time is scored_at */
    int64_t as_of_ms;
    const char *lead_id; /* "" for none */
    size_t lead_id_len;
    const void *body;
    size_t body_len;
};

/* ---- life ---- */

/* Opens the database, creating and migrating it unless read_only. Statuses: FILE, STORAGE_NEWER, STORAGE_CORRUPT,
 * STORAGE_FAILED, STORAGE_FULL, STORAGE_IN_USE (another process writes it: the detail names the API). */
enum lf_status lf_store_open(const struct lf_store_options *options, struct lf_store **ret_store,
                             struct lf_error *error) LF_MUST_CHECK;

/* Checkpoints and closes; all readers are closed before. NULL is fine. */
void lf_store_close(struct lf_store *store);

enum lf_status
lf_store_reader_open(struct lf_store *store, struct lf_store_reader **ret_reader, struct lf_error *error) LF_MUST_CHECK;
void lf_store_reader_close(struct lf_store_reader *reader);

/* ---- writing: one thread at a time ---- */

/* Records the scores in one commit, in this order; ids ascend, also from one call to the next. When it returns LF_OK
 * they are on disk; else none is (after STORAGE_FAILED they may be found after a restart). */
enum lf_status lf_store_append_scores(struct lf_store *store, const struct lf_stored_score *const *scores, size_t count,
                                      struct lf_error *error) LF_MUST_CHECK;

/* Publishes a version, creating the ICP where it is new, and makes it the active one. A document whose hash is that of
 * the active version changes nothing: *ret_version is that version and *ret_unchanged true. */
enum lf_status lf_store_publish(struct lf_store *store, const struct lf_new_version *version, int *ret_version,
                                bool *ret_unchanged, struct lf_error *error) LF_MUST_CHECK;

/* Takes the ICP out of service or back. ICP_NOT_FOUND. */
enum lf_status lf_store_set_archived(struct lf_store *store, const char *icp, bool archived, int64_t at_ms,
                                     struct lf_error *error) LF_MUST_CHECK;

/* Replaces a list's entries, creating it where it is new. */
enum lf_status lf_store_put_list(struct lf_store *store, const char *key, const char *const *entries, size_t count,
                                 int64_t at_ms, struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_store_create_key(struct lf_store *store, const struct lf_stored_key *key, struct lf_error *error) LF_MUST_CHECK;

/* KEY_NOT_FOUND; revoking twice keeps the first time. */
enum lf_status
lf_store_revoke_key(struct lf_store *store, const char *id, int64_t at_ms, struct lf_error *error) LF_MUST_CHECK;

/* Moves the WAL into the database where that is due (by its size). Cheap when there is nothing to do. */
enum lf_status lf_store_checkpoint(struct lf_store *store, bool truncate, struct lf_error *error) LF_MUST_CHECK;

/* Whether a write would go through now (a commit of nothing that matters). For readiness. */
enum lf_status lf_store_probe(struct lf_store *store, struct lf_error *error) LF_MUST_CHECK;

/* ---- reading ---- */

enum lf_status lf_store_icps(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
                             size_t *ret_count, struct lf_error *error) LF_MUST_CHECK; /* by key */

enum lf_status lf_store_icp(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                            struct lf_stored_icp *ret_icp, struct lf_error *error) LF_MUST_CHECK; /* ICP_NOT_FOUND */

/* Statuses: ICP_NOT_FOUND, VERSION_NOT_FOUND. */
enum lf_status lf_store_version(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                                struct lf_stored_version *ret_version, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_store_version_by_id(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                      struct lf_stored_version *ret_version, struct lf_error *error) LF_MUST_CHECK;

/* The active version of every ICP that is not archived, by key. */
enum lf_status lf_store_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                                        struct lf_stored_version **ret_versions, size_t *ret_count,
                                        struct lf_error *error) LF_MUST_CHECK;

/* All versions there are, oldest first, one at a time (for a check). The callback's value other than LF_OK ends it. */
enum lf_status lf_store_each_version(struct lf_store_reader *reader, struct lf_arena *arena,
                                     enum lf_status (*each)(void *context, const struct lf_stored_version *version),
                                     void *context, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_store_lists(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
                              size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_store_keys(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
                             size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* One score. SCORE_NOT_FOUND, STORAGE_CORRUPT. */
enum lf_status lf_store_score(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
                              struct lf_stored_score *ret_score, struct lf_error *error) LF_MUST_CHECK;

/* The latest scores, newest first, at most `limit`; the arena is reset between blocks of them, so what the callback
 * sees is gone when it returns. */
enum lf_status lf_store_each_score(struct lf_store_reader *reader, struct lf_arena *arena, size_t limit,
                                   enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                   void *context, struct lf_error *error) LF_MUST_CHECK;

/* The newest id there is, all zeros in an empty store; how many scores there are. */
enum lf_status lf_store_last_score(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count,
                                   struct lf_error *error) LF_MUST_CHECK;

/* Looks the database over: pages and indexes (quick: not every index entry), foreign keys, blocks and their check
 * sums unless quick. What is wrong goes into findings, with a code such as "damaged_page". Can be interrupted from
 * another thread by setting *stop (may be NULL). */
enum lf_status lf_store_check(struct lf_store_reader *reader, bool quick, const atomic_bool *stop,
                              struct lf_findings *findings, struct lf_error *error) LF_MUST_CHECK;

/* Copies the database, as it is at one moment, into a new file while others go on writing. FILE when the target
 * exists. */
enum lf_status
lf_store_backup(struct lf_store_reader *reader, const char *target, struct lf_error *error) LF_MUST_CHECK;

#endif
