/*
 * webhook_reply.c - the answers that CRMs want; see webhooks.h.
 *
 * Nothing here speaks HTTP: a webhook sends what it writes, and a preview shows it.
 */
#include "api/webhooks.h"

#include "base/problem.h"

#include <string.h>

/* ---- scores ---- */

static void
put_score(struct lf_buf *buf, struct lf_arena *arena, struct lf_scoring *scoring, int64_t now_ms,
          struct lf_answer_stamp *stamp)
{
    size_t begin = buf->len;

    if (stamp == NULL) {
        lf_scoring_tell(buf, arena, scoring, NULL, now_ms, 0);
        return;
    }
    lf_scoring_tell_pending(buf, arena, scoring, stamp);
    stamp->id_at += begin;
    stamp->scored_at_at += begin;
}

void
lf_webhook_put_scores(struct lf_buf *buf, struct lf_arena *arena, enum lf_reply reply, struct lf_scoring *scorings,
                      size_t count, bool many, int64_t now_ms, struct lf_answer_stamp *stamps)
{
    if (stamps != NULL)
        memset(stamps, 0, count * sizeof *stamps);
    if (reply == LF_REPLY_HUBSPOT_ACTION) { /* which is about one record and has no words for more: the first */
        lf_buf_lit(buf, "{\"outputFields\":");
        put_score(buf, arena, scorings, now_ms, stamps);
        if (buf->len > 0)
            buf->len--; /* its closing brace: one more member stands in the same object */
        lf_buf_lit(buf, ",\"hs_execution_state\":\"SUCCESS\"}}");
        return;
    }
    if (!many) {
        put_score(buf, arena, scorings, now_ms, stamps);
        return;
    }
    lf_buf_lit(buf, "{\"count\":");
    lf_buf_int(buf, (int64_t)count);
    lf_buf_lit(buf, ",\"scores\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            lf_buf_lit(buf, ",");
        put_score(buf, arena, &scorings[i], now_ms, stamps != NULL ? &stamps[i] : NULL);
    }
    lf_buf_lit(buf, "]}");
}

/* ---- failures ---- */

enum lf_webhook_fault
lf_webhook_fault_of(enum lf_status status)
{
    static const enum lf_webhook_fault FAULTS[LF_STATUS_COUNT] = {
        [LF_BAD_SIGNATURE] = LF_WEBHOOK_NO_RIGHT,
        [LF_UNAUTHORIZED] = LF_WEBHOOK_NO_RIGHT,
        [LF_FORBIDDEN] = LF_WEBHOOK_NO_RIGHT,
        [LF_BAD_REQUEST] = LF_WEBHOOK_NO_RIGHT, /* an Idempotency-Key that is none */
        [LF_KEY_REUSED] = LF_WEBHOOK_NO_RIGHT,
        [LF_INVALID_JSON] = LF_WEBHOOK_NO_JSON,
        [LF_UNMAPPED] = LF_WEBHOOK_NO_LEAD,
        [LF_INVALID_REQUEST] = LF_WEBHOOK_NO_LEAD,
        [LF_TOO_DEEP] = LF_WEBHOOK_NO_LEAD,
        [LF_NUMBER_OUT_OF_RANGE] = LF_WEBHOOK_NO_LEAD,
        [LF_TOO_MANY_MEMBERS] = LF_WEBHOOK_NO_LEAD,
        [LF_BODY_TOO_LARGE] = LF_WEBHOOK_NO_LEAD, /* more than is recorded of a lead */
        [LF_ICP_NOT_FOUND] = LF_WEBHOOK_NO_LEAD,
        [LF_ICP_ARCHIVED] = LF_WEBHOOK_NO_LEAD,
        [LF_NO_ACTIVE_ICP] = LF_WEBHOOK_NO_LEAD,
    };

    return FAULTS[status];
}

bool
lf_webhook_is_excused(enum lf_crm crm, enum lf_reply reply, enum lf_status status)
{
    enum lf_webhook_fault fault = lf_webhook_fault_of(status);

    if (crm == LF_CRM_PIPEDRIVE)
        return fault == LF_WEBHOOK_NO_JSON || fault == LF_WEBHOOK_NO_LEAD;
    return crm == LF_CRM_HUBSPOT && reply == LF_REPLY_HUBSPOT_ACTION && fault == LF_WEBHOOK_NO_LEAD;
}

/* The members of a score with nothing in them, so that an action's outputs are there whatever came out, each of the
 * type that it always has. */
static const char NO_SCORE[] =
    "{\"outputFields\":{\"id\":\"\",\"lead_id\":\"\",\"scored_at\":\"\",\"as_of\":\"\",\"recorded\":false,\"icp\":\"\","
    "\"version\":0,\"score\":0,\"grade\":\"\",\"qualified\":false,\"coverage\":0,\"engagement\":0,"
    "\"engagement_level\":0,\"label\":\"\",\"reason_1\":\"\",\"reason_2\":\"\",\"reason_3\":\"\","
    "\"hs_execution_state\":\"FAIL_CONTINUE\",\"error_code\":\"";

void
lf_webhook_put_excuse(struct lf_buf *buf, enum lf_crm crm, const struct lf_error *error, const char *request_id)
{
    if (crm == LF_CRM_HUBSPOT) {
        lf_buf_add(buf, NO_SCORE, sizeof NO_SCORE - 1);
        lf_buf_text(buf, lf_status_word(error->status));
        lf_buf_lit(buf, "\",\"error_detail\":");
        lf_json_put_text(buf, error->detail, strlen(error->detail));
        lf_buf_lit(buf, "}}");
        return;
    }
    lf_buf_lit(buf, "{\"recorded\":false,\"ignored\":\"\",\"problem\":");
    lf_problem_put(buf, error, request_id, NULL);
    lf_buf_lit(buf, "}");
}

void
lf_webhook_put_ignored(struct lf_buf *buf, const char *why)
{
    lf_buf_lit(buf, "{\"recorded\":false,\"ignored\":");
    lf_json_put_text(buf, why, strlen(why));
    lf_buf_lit(buf, ",\"problem\":{}}");
}
