/*
 * leads.h - what the handlers about leads share: which lead is meant, the members that scores are listed with, cursors.
 *
 * For leads.c, lead_scores.c, lead_export.c and verify.c; deliveries.c has its cursors from here.
 */
#ifndef LF_API_LEADS_H
#define LF_API_LEADS_H

#include "api/cursor.h"
#include "api/handlers.h"
#include "base/buf.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

/* A lead that a request is about, with what is known of it. */
struct lf_api_lead {
    struct lf_store_reader *reader; /* to be given back */
    struct lf_stored_lead stored;   /* in scratch memory */
};

/* Begins to read about the lead of the path, once all is settled that was recorded before. LEAD_NOT_FOUND. Nothing is
 * borrowed after a failure. */
enum lf_status lf_api_open_lead(struct lf_request *request, struct lf_service *service, struct lf_api_lead *ret_lead,
                                struct lf_error *error) LF_MUST_CHECK;

/* The id of the path; LEAD_NOT_FOUND for one that no lead can have. */
enum lf_status
lf_api_lead_id(struct lf_request *request, const char **ret_id, size_t *ret_len, struct lf_error *error) LF_MUST_CHECK;

/* Appends "lead_id":"…". */
void lf_api_put_lead_id(struct lf_buf *body, const char *lead_id, size_t len);

/* Appends the members of a listed score, without braces. */
void
lf_api_put_lead_score(struct lf_buf *body, const char *lead_id, size_t len, const struct lf_stored_lead_score *score);

/* Appends "outcome":{…}. */
void lf_api_put_lead_outcome(struct lf_buf *body, const struct lf_stored_lead *lead);

/* An ICP's key from the query, NULL where it is absent. Answers 400 invalid_parameter and returns false where it is
 * none. */
bool lf_api_query_icp(struct lf_request *request, const char **ret_icp) LF_MUST_CHECK;

/* The cursor `after` from the query; *ret_given: there is one. of: as of cursor.h. Answers 400 invalid_parameter and
 * returns false where it is none of that list and order. */
bool lf_api_query_cursor(struct lf_request *request, enum lf_cursor_kind kind, const char *of, size_t of_len,
                         bool *ret_given, struct lf_cursor *ret_cursor) LF_MUST_CHECK;

/* What of a lead was kept with a score: "whole", "fields", "hashes", "nothing". */
const char *lf_api_kept_word(enum lf_kept kept);

/* Appends ,"next":"…", empty where cursor is NULL. */
void lf_api_put_next(struct lf_buf *body, const struct lf_cursor *cursor, const char *of, size_t of_len);

#endif
