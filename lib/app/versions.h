/*
 * versions.h - the versions that recorded scores refer to, each looked up once in a run over many scores.
 *
 * Whoever runs says what is worth knowing of a version (which ICP's it is, which fields it reads); it is kept by the
 * version's id. Not thread-safe: it belongs to the run, and to its reader's thread.
 */
#ifndef LF_APP_VERSIONS_H
#define LF_APP_VERSIONS_H

#include "base/arena.h"
#include "base/status.h"
#include "core/icp.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct lf_known_version {
    int64_t id; /* 0: a free place */
    void *note;
};

struct lf_versions {
    struct lf_store_reader *reader;
    struct lf_arena *arena; /* for what stays */
    /* What is to be kept of a version, which is gone afterwards: *ret_note, NULL for nothing. scratch is reset after.
     */
    enum lf_status (*describe)(void *context, const struct lf_stored_version *version, struct lf_arena *scratch,
                               void **ret_note, struct lf_error *error);
    void *context;
    struct lf_arena *scratch;       /* its own; made with the first version */
    struct lf_known_version *slots; /* open addressing, at most half full */
    size_t mask, count;
};

/* What is known of the version. STORAGE_CORRUPT when it is not there; OUT_OF_MEMORY, and what `describe` says. */
enum lf_status
lf_versions_find(struct lf_versions *versions, int64_t id, void **ret_note, struct lf_error *error) LF_MUST_CHECK;

/* Frees what the versions hold beside the arena. */
void lf_versions_finish(struct lf_versions *versions);

/* One version, by itself. STORAGE_CORRUPT when it is not there. */
enum lf_status lf_version_fetch(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                struct lf_stored_version *ret_version, struct lf_error *error) LF_MUST_CHECK;

/* Parses a stored version, which stays where it is. STORAGE_CORRUPT when it cannot be read or is not what was
 * published. */
enum lf_status lf_version_parse(struct lf_arena *arena, const struct lf_stored_version *version,
                                const struct lf_icp **ret_icp, struct lf_error *error) LF_MUST_CHECK;

#endif
