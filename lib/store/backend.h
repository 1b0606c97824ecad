/*
 * backend.h - what a storage backend fills in: one operation for each verb of store.h, of the same name and meaning.
 *
 * For those who implement a backend, and for tests that bring one of their own; everybody else includes store.h. A
 * backend embeds struct lf_store and struct lf_store_reader as the first member of its own and gets them back. All
 * operations are required: a backend that lacks one is refused when it is opened.
 */
#ifndef LF_STORE_BACKEND_H
#define LF_STORE_BACKEND_H

#include "store/store.h"

struct lf_store {
    const struct lf_store_backend *backend; /* set by lf_store_open_with */
};

struct lf_store_reader {
    const struct lf_store_backend *backend; /* set by lf_store_reader_open */
};

struct lf_store_backend {
    const char *name; /* for messages */

    enum lf_status (*open)(const struct lf_store_options *options, struct lf_store **ret_store, struct lf_error *error);
    void (*close)(struct lf_store *store);
    enum lf_status (*reader_open)(struct lf_store *store, struct lf_store_reader **ret_reader, struct lf_error *error);
    void (*reader_close)(struct lf_store_reader *reader);

    enum lf_status (*append_scores)(struct lf_store *store, const struct lf_stored_score *const *scores, size_t count,
                                    struct lf_error *error);
    enum lf_status (*publish)(struct lf_store *store, const struct lf_new_version *version, int *ret_version,
                              bool *ret_unchanged, struct lf_error *error);
    enum lf_status (*set_archived)(struct lf_store *store, const char *icp, bool archived, int64_t at_ms,
                                   struct lf_error *error);
    enum lf_status (*put_list)(struct lf_store *store, const char *key, const char *const *entries, size_t count,
                               int64_t at_ms, struct lf_error *error);
    enum lf_status (*create_key)(struct lf_store *store, const struct lf_stored_key *key, struct lf_error *error);
    enum lf_status (*revoke_key)(struct lf_store *store, const char *id, int64_t at_ms, struct lf_error *error);
    enum lf_status (*checkpoint)(struct lf_store *store, bool truncate, struct lf_error *error);
    enum lf_status (*probe)(struct lf_store *store, struct lf_error *error);

    enum lf_status (*icps)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
                           size_t *ret_count, struct lf_error *error);
    enum lf_status (*icp)(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                          struct lf_stored_icp *ret_icp, struct lf_error *error);
    enum lf_status (*version)(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                              struct lf_stored_version *ret_version, struct lf_error *error);
    enum lf_status (*version_by_id)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                    struct lf_stored_version *ret_version, struct lf_error *error);
    enum lf_status (*active_versions)(struct lf_store_reader *reader, struct lf_arena *arena,
                                      struct lf_stored_version **ret_versions, size_t *ret_count,
                                      struct lf_error *error);
    enum lf_status (*each_version)(struct lf_store_reader *reader, struct lf_arena *arena,
                                   enum lf_status (*each)(void *context, const struct lf_stored_version *version),
                                   void *context, struct lf_error *error);
    enum lf_status (*lists)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
                            size_t *ret_count, struct lf_error *error);
    enum lf_status (*keys)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
                           size_t *ret_count, struct lf_error *error);
    enum lf_status (*score)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
                            struct lf_stored_score *ret_score, struct lf_error *error);
    enum lf_status (*each_score)(struct lf_store_reader *reader, struct lf_arena *arena, size_t limit,
                                 enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                 void *context, struct lf_error *error);
    enum lf_status (*last_score)(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count,
                                 struct lf_error *error);
    enum lf_status (*check)(struct lf_store_reader *reader, bool quick, const atomic_bool *stop,
                            struct lf_findings *findings, struct lf_error *error);
    enum lf_status (*backup)(struct lf_store_reader *reader, const char *target, struct lf_error *error);
};

/* Opens a store with the backend given. INTERNAL when the backend lacks an operation; else as lf_store_open. */
enum lf_status lf_store_open_with(const struct lf_store_backend *backend, const struct lf_store_options *options,
                                  struct lf_store **ret_store, struct lf_error *error) LF_MUST_CHECK;

#endif
