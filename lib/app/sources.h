/*
 * sources.h - who sends leads: how they prove who they are, how their payloads become leads, what answer they want; and
 * what of theirs was refused lately.
 *
 * A source is immutable; a put makes another one. Whoever uses one holds it. The registry keeps the last
 * LF_REFUSALS_KEPT refusals of each in memory; the keeper writes them to the store now and then (lf_sources_note), so
 * that a stranger who sends nonsense as fast as they can costs no disk.
 *
 * Thread-safe.
 */
#ifndef LF_APP_SOURCES_H
#define LF_APP_SOURCES_H

#include "app/service.h"
#include "base/arena.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/status.h"
#include "core/mapping.h"
#include "store/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lf_reply { LF_REPLY_FLAT, LF_REPLY_HUBSPOT_ACTION, LF_REPLY_FULL };

/* HubSpot's signatures that are taken, as bits. */
enum { LF_HUBSPOT_V1 = 1, LF_HUBSPOT_V2 = 2, LF_HUBSPOT_V3 = 4, LF_SOURCE_SIGNATURES_MAX = 3 };

/* As they are written. Static. */
const char *lf_crm_word(enum lf_crm crm);
const char *lf_reply_word(enum lf_reply reply);

struct lf_source {
    int64_t id;
    const char *key;
    enum lf_crm crm;
    enum lf_reply reply;
    uint32_t signatures;
    const char *const *icps; /* keys; none: all active core ones */
    size_t icp_count;
    const struct lf_mapping *mapping;
    /* Of hubspot, mautic and standard: what signatures are made with. Of the others: the SHA-256 of what is sent. */
    struct lf_stored_secret secrets[LF_SOURCE_SECRETS_MAX];
    size_t secret_count;
    const char *document; /* canonical JSON as stored */
    size_t document_len;
    const struct lf_json *json; /* the same, parsed */
    int64_t created_at_ms, updated_at_ms;
};

struct lf_sources;

/* All sources of the store, with their refusals. */
enum lf_status
lf_sources_load(struct lf_store_reader *reader, struct lf_sources **ret_sources, struct lf_error *error) LF_MUST_CHECK;
void lf_sources_destroy(struct lf_sources *sources); /* nobody holds any; NULL is fine */

/* The source of that key, NULL for none; given back with release. */
const struct lf_source *lf_sources_hold(struct lf_sources *sources, const char *key);
void lf_sources_release(struct lf_sources *sources, const struct lf_source *source); /* NULL is fine */

/* The keys, ascending, in the arena; how many there are. false: out of memory. */
bool lf_sources_keys(struct lf_sources *sources, struct lf_arena *arena, const char *const **ret_keys,
                     size_t *ret_count) LF_MUST_CHECK;

/* Notes a refusal; every text must be ours (struct lf_stored_refusal). Never fails: what there is no memory for is not
 * noted. */
void
lf_sources_refuse(struct lf_sources *sources, const struct lf_source *source, const struct lf_stored_refusal *refusal);

/* Notes that `error` refused a delivery: the way for handlers. Only the words of BAD_SIGNATURE and UNMAPPED are kept as
 * they are (and the pointer of UNMAPPED), for they hold nothing of what was sent; those of other errors may quote it,
 * and a sentence of ours about the code stands for them. Of their pointer stays which lead of an array it was ("/3"),
 * for names are the sender's. http_status: as it was answered; bytes: of the body. */
void lf_sources_refuse_error(struct lf_sources *sources, const struct lf_source *source, const struct lf_error *error,
                             int http_status, int64_t at_ms, const char *request_id, size_t bytes);

/* The refusals of a source, newest first, in the arena. false: out of memory. */
bool lf_sources_refused(struct lf_sources *sources, const struct lf_source *source, struct lf_arena *arena,
                        struct lf_stored_refusal **ret_refusals, size_t *ret_count) LF_MUST_CHECK;

/* Writes the refusals of those sources that were refused anything since, through the recorder. Waits; for the keeper.
 */
enum lf_status
lf_sources_note(struct lf_sources *sources, struct lf_recorder *recorder, struct lf_error *error) LF_MUST_CHECK;

/* ---- changes; they wait for the disk ---- */

/* Reads a source as it is put: {"kind", "secrets", "signatures", "icps", "id", "fields", "split", "values", "reply"};
 * every fault goes into findings (INVALID_REQUEST). Absent secrets are those of the source there was, where the kind is
 * the same. Then commits and puts it in place. *ret_source is held by the caller. CONFLICT beyond LF_SOURCES_MAX. */
enum lf_status
lf_edit_put_source(struct lf_service *service, struct lf_arena *arena, const char *key, const struct lf_json *body,
                   const struct lf_change *change, struct lf_findings *findings, const struct lf_source **ret_source,
                   bool *ret_created, struct lf_error *error) LF_MUST_CHECK;

/* SOURCE_NOT_FOUND. */
enum lf_status lf_edit_delete_source(struct lf_service *service, const char *key, const struct lf_change *change,
                                     struct lf_error *error) LF_MUST_CHECK;

#endif
