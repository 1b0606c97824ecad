/*
 * webhooks.h - what a webhook (webhooks.c) and its preview (preview.c) share: the scoring of one record of a payload,
 * and the answers that CRMs want (webhook_reply.c).
 */
#ifndef LF_API_WEBHOOKS_H
#define LF_API_WEBHOOKS_H

#include "app/scoring.h"
#include "app/sources.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "core/mapping.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- scoring (webhooks.c) ---- */

/* Scores a lead that was mapped under the source's ICPs; record: as for one that will be recorded. The scoring's
 * `explain` is what the source's answers have. The pointer of an error leads to the record in the payload.
 * INVALID_REQUEST (of its id), TOO_MANY_MEMBERS; as of lf_scoring_run. */
enum lf_status lf_webhook_score(struct lf_arena *arena, const struct lf_source *source,
                                const struct lf_profiles *profiles, const struct lf_mapped_lead *lead, bool record,
                                int64_t now_ms, struct lf_scoring *ret_scoring, struct lf_error *error) LF_MUST_CHECK;

/* ---- answers (webhook_reply.c) ---- */

/* Appends the answer about scored records. many: they came as an array. stamps: one for each; gets the places for what
 * is not known yet (lf_answer_stamp), counted from the buffer's first byte, and zeros for what the answer does not
 * tell; NULL: they are not recorded. */
void lf_webhook_put_scores(struct lf_buf *buf, struct lf_arena *arena, enum lf_reply reply, struct lf_scoring *scorings,
                           size_t count, bool many, int64_t now_ms, struct lf_answer_stamp *stamps);

/* What kind of failure it is. */
enum lf_webhook_fault {
    LF_WEBHOOK_OTHER,    /* nothing the source could mend: busy, no memory, the disk; a rate; an erased answer */
    LF_WEBHOOK_NO_RIGHT, /* who sends it has not proved who they are; or it cannot be this delivery */
    LF_WEBHOOK_NO_JSON,
    LF_WEBHOOK_NO_LEAD, /* or none that can be scored */
};

enum lf_webhook_fault lf_webhook_fault_of(enum lf_status status);

/* Whether this CRM is told of such a failure with 200 and a body of its own (lf_webhook_put_excuse): Pipedrive bans an
 * endpoint whose answers are none, and loses events; an action of HubSpot goes on with the next one. */
bool lf_webhook_is_excused(enum lf_crm crm, enum lf_reply reply, enum lf_status status);

void lf_webhook_put_excuse(struct lf_buf *buf, enum lf_crm crm, const struct lf_error *error, const char *request_id);

/* Appends what is answered with 200 about a delivery in which there is nothing to score and nothing wrong. */
void lf_webhook_put_ignored(struct lf_buf *buf, const char *why);

#endif
