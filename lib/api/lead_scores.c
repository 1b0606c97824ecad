/* lead_scores.c - GET /v1/leads/{id}/scores: a lead's history, each score with why it is not the one before. */
#include "api/leads.h"

#include "app/history.h"

#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000 };

static void
put_cause(struct lf_buf *body, const char *name, int change)
{
    lf_buf_printf(body, "\"%s\":", name);
    lf_buf_decimal(body, change, 2);
}

static void
put_entry(struct lf_buf *body, const struct lf_stored_lead *lead, const struct lf_history_entry *entry)
{
    const struct lf_score_change *change = &entry->change;
    struct lf_stored_lead_score score = {
        .icp = entry->icp,
        .version = entry->version,
        .score_id = entry->score_id,
        .qualified = entry->qualified,
        .score = entry->score,
        .coverage = entry->coverage,
        .engagement = entry->engagement,
        .grade = entry->grade,
        .label = entry->label,
    };
    char previous[LF_ULID_TEXT_SIZE] = "";

    if (entry->has_previous)
        lf_ulid_format(entry->previous, previous);
    lf_buf_lit(body, "{");
    lf_api_put_lead_score(body, lead->lead_id, lead->lead_id_len, &score);
    lf_buf_lit(body, ",\"as_of\":");
    lf_api_put_time(body, entry->as_of_ms);
    lf_buf_printf(body, ",\"shadow\":%s,\"previous\":\"%s\",\"change\":{", entry->shadow ? "true" : "false", previous);
    put_cause(body, "data", change->data);
    lf_buf_lit(body, ",");
    put_cause(body, "profile", change->profile);
    lf_buf_lit(body, ",");
    put_cause(body, "time", change->time);
    lf_buf_lit(body, "},");
    put_cause(body, "changed", change->data + change->profile + change->time);
    lf_buf_printf(body, ",\"exact\":%s}", change->exact ? "true" : "false");
}

static void
put_history(struct lf_buf *body, const struct lf_stored_lead *lead, const struct lf_history *history)
{
    struct lf_cursor next = {.kind = LF_CURSOR_LEAD_SCORES, .id = history->next_id};

    memcpy(next.icp, history->next_icp, strlen(history->next_icp) + 1);
    lf_buf_lit(body, "{");
    lf_api_put_lead_id(body, lead->lead_id, lead->lead_id_len);
    lf_buf_lit(body, ",\"scores\":[");
    for (size_t i = 0; i < history->count; i++) {
        if (i > 0)
            lf_buf_lit(body, ",");
        put_entry(body, lead, &history->entries[i]);
    }
    lf_buf_lit(body, "]");
    lf_api_put_next(body, history->more ? &next : NULL, lead->lead_id, lead->lead_id_len);
    lf_buf_lit(body, "}");
}

static enum lf_status
read_history(struct lf_request *request, struct lf_service *service, const struct lf_api_lead *lead,
             struct lf_history_query *query, struct lf_history *ret_history, struct lf_error *error)
{
    struct lf_live_set *set = lf_live_acquire(lf_service_live(service));
    struct lf_list_source lists = lf_profiles_lists(set->profiles);
    struct lf_history_source source = {
        .reader = lead->reader,
        .catalog = lf_service_catalog(service),
        .lists = &lists,
        .privacy = lf_service_privacy(service),
    };
    struct lf_stored_icp icp;
    enum lf_status status = LF_OK;

    query->lead_id = lead->stored.lead_id;
    query->lead_id_len = lead->stored.lead_id_len;
    if (query->icp != NULL)
        status = lf_store_icp(lead->reader, lf_request_scratch(request), query->icp, &icp, error);
    if (status == LF_OK)
        status = lf_history_read(&source, lf_request_scratch(request), query, ret_history, error);
    lf_live_release(lf_service_live(service), set);
    return status;
}

void
lf_api_lead_scores(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"icp", "limit", "after", NULL};
    const char *id = lf_request_param(request, "id");
    struct lf_cursor cursor = {.score = 0};
    struct lf_history_query query = {.icp = NULL};
    struct lf_history history;
    struct lf_api_lead lead;
    struct lf_error error;
    struct lf_buf body;
    int64_t limit = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) || !lf_api_query_icp(request, &query.icp) ||
        !lf_api_query_number(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !lf_api_query_cursor(request, LF_CURSOR_LEAD_SCORES, id, strlen(id), &query.has_after, &cursor))
        return;
    query.after_id = cursor.id;
    query.after_icp = cursor.icp;
    query.limit = (size_t)limit;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_api_open_lead(request, context, &lead, &error);
    if (status == LF_OK) {
        status = read_history(request, context, &lead, &query, &history, &error);
        lf_service_return_reader(context, lead.reader);
    }
    if (status == LF_OK)
        put_history(&body, &lead.stored, &history);
    lf_api_conclude(request, 200, status, &body, &error);
}
