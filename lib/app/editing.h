/*
 * editing.h - what sales ops change while the service runs: drafts, publications, lists, API keys.
 *
 * Each function checks, commits and makes live what it changes: when it returns LF_OK, every request that begins
 * afterwards sees it. Changes happen one after the other (a lock of the service's). What a change needs in memory is
 * made before the commit, so that nothing is ever committed and then not live: after the commit a pointer is swapped.
 *
 * These functions wait for the disk and may take a second: they are for the desk (http/server.h), never for an HTTP
 * worker. Thread-safe. Results live in the arena given.
 */
#ifndef LF_APP_EDITING_H
#define LF_APP_EDITING_H

#include "app/impact.h"
#include "app/service.h"
#include "base/arena.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/status.h"
#include "core/lint.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- drafts ---- */

/* Puts a definition as the draft of `icp`: parses it (INVALID_DEFINITION with findings; a key that is not `icp` is one
 * of them), commits. *ret_created: there was no draft. ret_draft is the draft as it is now; its texts are the caller's,
 * and next_version_id is not told. Statuses else as of lf_store_put_draft. */
enum lf_status
lf_edit_put_draft(struct lf_service *service, struct lf_arena *arena, const char *icp, const char *document, size_t len,
                  const struct lf_precondition *precondition, const struct lf_change *change,
                  struct lf_findings *findings, struct lf_stored_draft *ret_draft, bool *ret_created,
                  struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_edit_delete_draft(struct lf_service *service, const char *icp, const struct lf_precondition *precondition,
                     const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* ---- what is in service ---- */

/* What a publication or activation came to. */
struct lf_publication {
    int version;
    uint8_t hash[LF_SHA256_SIZE];
    int64_t at_ms;
    bool unchanged; /* of an activation: it was active already */
};

/* Publishes the draft. LINT_ERRORS while lint has errors: they are findings then (code and pointer of the lint, detail
 * and fix in its detail). max_grade_change: hundredths of a percent, -1 for no guard; GRADE_CHANGE_TOO_LARGE when the
 * impact on the latest LF_IMPACT_SAMPLE leads is larger. Statuses else as of lf_store_publish_draft. */
enum lf_status lf_edit_publish(struct lf_service *service, struct lf_arena *arena, const char *icp,
                               int max_grade_change, const struct lf_precondition *precondition,
                               const struct lf_change *change, struct lf_findings *findings,
                               struct lf_publication *ret_publication, struct lf_error *error) LF_MUST_CHECK;

/* CONFLICT while a list that the version asks is not there; so of restoring. Statuses else as of lf_store_activate. */
enum lf_status lf_edit_activate(struct lf_service *service, struct lf_arena *arena, const char *icp, int version,
                                const struct lf_change *change, struct lf_publication *ret_publication,
                                struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_edit_set_archived(struct lf_service *service, struct lf_arena *arena, const char *icp, bool archived,
                                    const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* ---- lists ---- */

/* What became of a list. */
struct lf_list_edit {
    struct lf_stored_list list; /* as it is now */
    bool created;
    size_t added, removed; /* entries that are really new, or really gone (of a put: those it has, those it had) */
};

/* Replaces the list by these texts (UTF-8, as they were put; those that fold to one of before, or to nothing, are
 * passed over). At most LF_NAMED_LIST_ENTRIES_MAX, else CONFLICT. The disk is written in slices between which scores go
 * on being recorded. */
enum lf_status
lf_edit_put_list(struct lf_service *service, struct lf_arena *arena, const char *key, const struct lf_text *entries,
                 size_t count, const struct lf_precondition *precondition, const struct lf_change *change,
                 struct lf_list_edit *ret_edit, struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_edit_patch_list(struct lf_service *service, struct lf_arena *arena, const char *key, const struct lf_text *add,
                   size_t add_count, const struct lf_text *remove, size_t remove_count,
                   const struct lf_precondition *precondition, const struct lf_change *change,
                   struct lf_list_edit *ret_edit, struct lf_error *error) LF_MUST_CHECK;

/* LIST_IN_USE, with the names of the ICPs, while an active ICP asks it. */
enum lf_status lf_edit_delete_list(struct lf_service *service, struct lf_arena *arena, const char *key,
                                   const struct lf_precondition *precondition, const struct lf_change *change,
                                   struct lf_error *error) LF_MUST_CHECK;

/* ---- API keys ---- */

/* Makes a key that lets in at once. text receives what is shown once. name and scopes have been checked. */
enum lf_status lf_edit_create_key(struct lf_service *service, const char *name, uint32_t scopes, int64_t expires_at_ms,
                                  const struct lf_change *change, struct lf_stored_key *ret_key,
                                  char ret_text[LF_API_KEY_TEXT_MAX], struct lf_error *error) LF_MUST_CHECK;

/* Revokes at once: the next request with it is refused. KEY_NOT_FOUND. */
enum lf_status lf_edit_revoke_key(struct lf_service *service, const char *id, const struct lf_change *change,
                                  struct lf_error *error) LF_MUST_CHECK;

#endif
