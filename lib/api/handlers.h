/*
 * handlers.h - the handlers that routes.c lists, and what they share. Each answers its request as the HTTP contract
 * says; the context is the struct lf_service.
 */
#ifndef LF_API_HANDLERS_H
#define LF_API_HANDLERS_H

#include "app/service.h"
#include "base/findings.h"
#include "base/json.h"
#include "core/document.h"
#include "core/icp.h"
#include "http/request.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* system.c */
void lf_api_healthz(struct lf_request *request, void *context);
void lf_api_readyz(struct lf_request *request, void *context);
void lf_api_openapi(struct lf_request *request, void *context);

/* metrics.c */
void lf_api_metrics(struct lf_request *request, void *context);

/* score.c */
void lf_api_score(struct lf_request *request, void *context);
void lf_api_get_score(struct lf_request *request, void *context);

/* explain.c */
void lf_api_explain(struct lf_request *request, void *context);

/* icps.c */
void lf_api_list_icps(struct lf_request *request, void *context);
void lf_api_get_icp(struct lf_request *request, void *context);
void lf_api_archive_icp(struct lf_request *request, void *context);
void lf_api_restore_icp(struct lf_request *request, void *context);

/* versions.c */
void lf_api_list_versions(struct lf_request *request, void *context);
void lf_api_get_version(struct lf_request *request, void *context);
void lf_api_diff(struct lf_request *request, void *context);
void lf_api_publish(struct lf_request *request, void *context);
void lf_api_activate(struct lf_request *request, void *context);

/* drafts.c */
void lf_api_put_draft(struct lf_request *request, void *context);
void lf_api_get_draft(struct lf_request *request, void *context);
void lf_api_delete_draft(struct lf_request *request, void *context);
void lf_api_lint_draft(struct lf_request *request, void *context);
void lf_api_lint(struct lf_request *request, void *context);

/* impact.c */
void lf_api_impact(struct lf_request *request, void *context);

/* compare.c */
void lf_api_compare(struct lf_request *request, void *context);

/* lists.c */
void lf_api_list_lists(struct lf_request *request, void *context);
void lf_api_get_list(struct lf_request *request, void *context);
void lf_api_put_list(struct lf_request *request, void *context);
void lf_api_patch_list(struct lf_request *request, void *context);
void lf_api_delete_list(struct lf_request *request, void *context);

/* stats.c, penetration.c, unmatched.c */
void lf_api_stats(struct lf_request *request, void *context);
void lf_api_penetration(struct lf_request *request, void *context);
void lf_api_unmatched(struct lf_request *request, void *context);

/* audit.c */
void lf_api_audit(struct lf_request *request, void *context);

/* keys.c */
void lf_api_list_keys(struct lf_request *request, void *context);
void lf_api_create_key(struct lf_request *request, void *context);
void lf_api_revoke_key(struct lf_request *request, void *context);

/* outcomes.c */
void lf_api_outcomes(struct lf_request *request, void *context);

/* verify.c */
void lf_api_verify_score(struct lf_request *request, void *context);

/* leads.c */
void lf_api_list_leads(struct lf_request *request, void *context);
void lf_api_get_lead(struct lf_request *request, void *context);
void lf_api_erase_lead(struct lf_request *request, void *context);

/* lead_scores.c */
void lf_api_lead_scores(struct lf_request *request, void *context);

/* lead_export.c */
void lf_api_export_lead(struct lf_request *request, void *context);

/* sources.c */
void lf_api_list_sources(struct lf_request *request, void *context);
void lf_api_get_source(struct lf_request *request, void *context);
void lf_api_put_source(struct lf_request *request, void *context);
void lf_api_delete_source(struct lf_request *request, void *context);
void lf_api_refused(struct lf_request *request, void *context);

/* webhooks.c */
void lf_api_webhook(struct lf_request *request, void *context);

/* preview.c */
void lf_api_preview(struct lf_request *request, void *context);

/* subscriptions.c */
void lf_api_list_subscriptions(struct lf_request *request, void *context);
void lf_api_get_subscription(struct lf_request *request, void *context);
void lf_api_put_subscription(struct lf_request *request, void *context);
void lf_api_delete_subscription(struct lf_request *request, void *context);

/* deliveries.c */
void lf_api_list_deliveries(struct lf_request *request, void *context);
void lf_api_retry_delivery(struct lf_request *request, void *context);

enum {
    LF_REPLY_MAX = 64 << 20,
    LF_LIST_BODY_MAX = 64 << 20,    /* a million entries of 60 bytes */
    LF_OUTCOMES_BODY_MAX = 16 << 20 /* some 150,000 outcomes */
};

/* ---- shared (common.c): answering ---- */

/* Append a text, a time and a hash ("sha256:…") as JSON. */
void lf_api_put_text(struct lf_buf *buf, const char *text);
void lf_api_put_time(struct lf_buf *buf, int64_t ms);
void lf_api_put_time_or_none(struct lf_buf *buf, int64_t ms); /* "" for 0 */
void lf_api_put_hash(struct lf_buf *buf, const uint8_t digest[LF_SHA256_SIZE]);

/* draft, active or archived. (icps.c) */
const char *lf_api_state_word(enum lf_icp_state state);

/* Answers with the body, or with the problem when status is one. */
void lf_api_conclude(struct lf_request *request, int http_status, enum lf_status status, const struct lf_buf *body,
                     const struct lf_error *error);

/* The same with 200 for what is polled: with an ETag that is made of the body, and 304 where the caller has it. */
void lf_api_conclude_tagged(struct lf_request *request, enum lf_status status, const struct lf_buf *body,
                            const struct lf_error *error);

/* Answers 204, or with the problem. */
void lf_api_conclude_empty(struct lf_request *request, enum lf_status status, const struct lf_error *error);

/* One sentence over all that was found, as an error of this status; OUT_OF_MEMORY where findings are not complete. */
enum lf_status lf_api_sum_up(const struct lf_findings *findings, enum lf_status status, struct lf_error *error);

/* ---- shared: conditional requests ---- */

/* Whether the request's If-None-Match names this ETag (with its quotes). */
bool lf_api_is_known(const struct lf_request *request, const char *etag);

/* The ETag of what these bytes say, with its quotes. false: out of memory. */
enum { LF_API_ETAG_SIZE = 35 };
bool lf_api_make_etag(const void *bytes, size_t len, char ret_etag[LF_API_ETAG_SIZE]) LF_MUST_CHECK;

/* Answers 304 and returns true when the request's If-None-Match names this ETag; sets the header ETag in any case. */
bool lf_api_not_modified(struct lf_request *request, const char *etag);

/* Reads If-Match and If-None-Match of a request that writes (RFC 9110). If-None-Match takes only `*` there. Answers
 * 400 bad_request and returns false where they are malformed. What it refers to lives in scratch memory. */
bool lf_api_read_precondition(struct lf_request *request, struct lf_precondition *ret_precondition) LF_MUST_CHECK;

/* ---- shared: reading ---- */

/* The body as JSON, in scratch memory; answers the problem and returns NULL when it is none. limits->bytes does not
 * count: the server has seen to the body's size. */
const struct lf_json *lf_api_read_body(struct lf_request *request, const struct lf_json_limits *limits);

/* A small body that is being read: every member known, every fault gathered. */
struct lf_api_input {
    const struct lf_json *body; /* an object; NULL where there is none, and no member is there then */
    struct lf_document document;
    struct lf_findings findings;
    struct lf_place root;
};

/* Begins with the request's body, an object with no members but `names` (NULL-terminated). optional: no body at all
 * counts as {}. Answers the problem and returns false where it is no JSON. */
bool lf_api_input_begin(struct lf_request *request, struct lf_api_input *ret_input, bool optional,
                        const char *const *names) LF_MUST_CHECK;

/* The member of that name; NULL where it is absent or null. */
const struct lf_json *lf_api_input_member(const struct lf_api_input *input, const char *name);

/* The member `note`: a text of at most LF_NOTE_MAX characters, "" where it is absent. */
const char *lf_api_input_note(struct lf_api_input *input);

/* Answers 422 invalid_request with all faults and returns false where there are any. */
bool lf_api_input_end(struct lf_request *request, const struct lf_api_input *input) LF_MUST_CHECK;

/* A whole number low..high from the query, `fallback` where it is absent. Answers 400 invalid_parameter and returns
 * false where it is none. */
bool lf_api_query_number(struct lf_request *request, const char *name, int64_t low, int64_t high, int64_t fallback,
                         int64_t *ret_value) LF_MUST_CHECK;

/* A date or time from the query, `fallback` where it is absent; else as above. Cut to milliseconds. */
bool lf_api_query_time(struct lf_request *request, const char *name, int64_t fallback, int64_t *ret_ms) LF_MUST_CHECK;

/* A version's number as in a path or a query: 1, 2, …; false where it is none. */
bool lf_api_read_version(const char *text, int *ret_version) LF_MUST_CHECK;

/* Who asks for a change, and when: for the audit. */
void
lf_api_change(struct lf_request *request, struct lf_service *service, const char *note, struct lf_change *ret_change);

/* A definition that was stored, parsed again, into the arena. what: "the draft of b2b-saas", for the message of
 * STORAGE_CORRUPT where it is none any more. ret_json may be NULL. */
enum lf_status lf_api_parse_stored(struct lf_arena *arena, const char *document, size_t len, const char *what,
                                   const struct lf_json **ret_json, const struct lf_icp **ret_icp,
                                   struct lf_error *error) LF_MUST_CHECK;

#endif
