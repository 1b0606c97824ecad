/*
 * leads.c - GET /v1/leads, GET and DELETE /v1/leads/{id}; and what handlers about leads share (leads.h).
 *
 * Who asks about leads sees all scores that were answered before: what is not settled yet is settled first.
 */
#include "api/leads.h"

#include "app/scoring.h"
#include "base/number.h"
#include "base/text.h"

#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000, SCORE_MAX = 10000 };

/* ---- shared ---- */

enum lf_status
lf_api_lead_id(struct lf_request *request, const char **ret_id, size_t *ret_len, struct lf_error *error)
{
    const char *id = lf_request_param(request, "id");
    size_t len = strlen(id);

    if (len == 0 || lf_text_length(id, len) > LF_LEAD_ID_MAX)
        return lf_fail(error, LF_LEAD_NOT_FOUND, "no lead has this id: an id has 1 to %d characters", LF_LEAD_ID_MAX);
    *ret_id = id;
    *ret_len = len;
    return LF_OK;
}

enum lf_status
lf_api_open_lead(struct lf_request *request, struct lf_service *service, struct lf_api_lead *ret_lead,
                 struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;
    const char *id = NULL;
    size_t len = 0;
    enum lf_status status = lf_api_lead_id(request, &id, &len, error);

    if (status == LF_OK)
        status = lf_service_settle(service, error);
    if (status == LF_OK)
        status = lf_service_borrow_reader(service, &reader, error);
    if (status != LF_OK)
        return status;
    status = lf_store_lead(reader, lf_request_scratch(request), id, len, &ret_lead->stored, error);
    if (status == LF_OK)
        ret_lead->reader = reader;
    else
        lf_service_return_reader(service, reader);
    return status;
}

void
lf_api_put_lead_id(struct lf_buf *body, const char *lead_id, size_t len)
{
    lf_buf_lit(body, "\"lead_id\":");
    lf_json_put_text(body, lead_id, len);
}

void
lf_api_put_lead_score(struct lf_buf *body, const char *lead_id, size_t len, const struct lf_stored_lead_score *score)
{
    char id[LF_ULID_TEXT_SIZE];

    lf_ulid_format(score->score_id, id);
    lf_api_put_lead_id(body, lead_id, len);
    lf_buf_printf(body, ",\"icp\":\"%s\",\"version\":%d,\"score\":", score->icp, score->version);
    lf_buf_decimal(body, score->score, 2);
    lf_buf_lit(body, ",\"grade\":");
    lf_api_put_text(body, score->grade);
    lf_buf_lit(body, ",\"label\":");
    lf_api_put_text(body, score->label);
    lf_buf_printf(body, ",\"qualified\":%s,\"coverage\":", score->qualified ? "true" : "false");
    lf_buf_decimal(body, score->coverage, 2);
    lf_buf_lit(body, ",\"engagement\":");
    lf_buf_decimal(body, score->engagement, 2);
    lf_buf_lit(body, ",\"scored_at\":");
    lf_api_put_time(body, lf_ulid_ms(score->score_id));
    lf_buf_printf(body, ",\"score_id\":\"%s\"", id);
}

void
lf_api_put_lead_outcome(struct lf_buf *body, const struct lf_stored_lead *lead)
{
    static const char *const WORDS[] = {
        [LF_OUTCOME_OPEN] = "open", [LF_OUTCOME_WON] = "won", [LF_OUTCOME_LOST] = "lost"};

    lf_buf_printf(body,
                  "\"outcome\":{\"outcome\":\"%s\",\"value\":", lead->has_outcome ? WORDS[lead->outcome.outcome] : "");
    lf_buf_decimal(body, lead->has_outcome ? lead->outcome.value : 0, 6);
    lf_buf_lit(body, ",\"at\":");
    if (lead->has_outcome)
        lf_api_put_time(body, lead->outcome.at_ms);
    else
        lf_buf_lit(body, "\"\"");
    lf_buf_lit(body, "}");
}

/* Answers 400 for a query parameter that says something else than what belongs there. */
static bool
refuse(struct lf_request *request, const char *name, const char *wanted)
{
    struct lf_error error;

    (void)lf_fail(&error, LF_INVALID_PARAMETER, "%s: %s belongs here, not \"%.64s\"", name, wanted,
                  lf_request_query(request, name));
    lf_reply_problem(request, &error);
    return false;
}

bool
lf_api_query_icp(struct lf_request *request, const char **ret_icp)
{
    *ret_icp = lf_request_query(request, "icp");
    return *ret_icp == NULL || lf_is_key(*ret_icp, strlen(*ret_icp)) || refuse(request, "icp", "the key of an ICP");
}

bool
lf_api_query_cursor(struct lf_request *request, enum lf_cursor_kind kind, const char *of, size_t of_len,
                    bool *ret_given, struct lf_cursor *ret_cursor)
{
    const char *text = lf_request_query(request, "after");

    *ret_given = text != NULL;
    return text == NULL || lf_cursor_read(text, kind, of, of_len, ret_cursor) ||
           refuse(request, "after", "`next` of an answer to the same question");
}

const char *
lf_api_kept_word(enum lf_kept kept)
{
    switch (kept) {
    case LF_KEPT_FIELDS:
        return "fields";
    case LF_KEPT_WHOLE:
        return "whole";
    case LF_KEPT_HASHES:
        return "hashes";
    case LF_KEPT_NOTHING:
        return "nothing";
    case LF_KEPT_ERASED:
        break;
    }
    return "erased";
}

void
lf_api_put_next(struct lf_buf *body, const struct lf_cursor *cursor, const char *of, size_t of_len)
{
    char text[LF_CURSOR_TEXT_MAX] = "";

    if (cursor != NULL)
        lf_cursor_write(cursor, of, of_len, text);
    lf_buf_printf(body, ",\"next\":\"%s\"", text);
}

/* ---- GET /v1/leads ---- */

/* A text that may be anything but empty; NULL where it is absent. */
static bool
query_text(struct lf_request *request, const char *name, const char *wanted, const char **ret_text)
{
    *ret_text = lf_request_query(request, name);
    return *ret_text == NULL || **ret_text != '\0' || refuse(request, name, wanted);
}

static bool
query_order(struct lf_request *request, bool *ret_by_time)
{
    const char *text = lf_request_query(request, "order");

    *ret_by_time = text != NULL && strcmp(text, "-scored_at") == 0;
    return text == NULL || *ret_by_time || strcmp(text, "-score") == 0 ||
           refuse(request, "order", "-score or -scored_at");
}

static bool
query_qualified(struct lf_request *request, int *ret_qualified)
{
    const char *text = lf_request_query(request, "qualified");

    *ret_qualified = text == NULL ? -1 : strcmp(text, "true") == 0;
    return text == NULL || *ret_qualified == 1 || strcmp(text, "false") == 0 ||
           refuse(request, "qualified", "true or false");
}

static bool
query_min_score(struct lf_request *request, int *ret_min_score)
{
    const char *text = lf_request_query(request, "min_score");
    double number = 0;
    int64_t scaled = 0;

    if (text != NULL && !(lf_number_parse(text, strlen(text), &number) && lf_number_to_scaled(number, 2, &scaled) &&
                          scaled >= 0 && scaled <= SCORE_MAX))
        return refuse(request, "min_score", "a number from 0 to 100 with at most two decimals");
    *ret_min_score = (int)scaled;
    return true;
}

/* Reads the query; answers the problem and returns false where it is none. */
static bool
read_query(struct lf_request *request, struct lf_lead_query *query, struct lf_cursor *cursor)
{
    static const char *const NAMES[] = {"icp",   "grade", "label", "qualified", "min_score",
                                        "order", "limit", "after", NULL};
    int64_t limit = 0;

    if (!lf_request_allow_query(request, NAMES) || !lf_api_query_icp(request, &query->icp) ||
        !query_text(request, "grade", "a grade, such as A or DQ,", &query->grade) ||
        !query_text(request, "label", "a label, such as A1 or DQ,", &query->label) ||
        !query_qualified(request, &query->qualified) || !query_min_score(request, &query->min_score) ||
        !query_order(request, &query->by_time) ||
        !lf_api_query_number(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !lf_api_query_cursor(request, query->by_time ? LF_CURSOR_LEADS_BY_TIME : LF_CURSOR_LEADS_BY_SCORE, "", 0,
                             &query->has_after, cursor))
        return false;
    query->after_score = cursor->score;
    query->after_id = cursor->id;
    query->after_icp = cursor->icp;
    query->limit = (size_t)limit;
    return true;
}

static void
put_leads(struct lf_buf *body, const struct lf_lead_query *query, const struct lf_listed_lead *leads, size_t count)
{
    struct lf_cursor next = {.kind = query->by_time ? LF_CURSOR_LEADS_BY_TIME : LF_CURSOR_LEADS_BY_SCORE};
    bool more = count > query->limit;

    lf_buf_lit(body, "{\"leads\":[");
    for (size_t i = 0; i < count && i < query->limit; i++) {
        lf_buf_text(body, i > 0 ? ",{" : "{");
        lf_api_put_lead_score(body, leads[i].lead_id, leads[i].lead_id_len, &leads[i].score);
        lf_buf_lit(body, "}");
    }
    lf_buf_lit(body, "]");
    if (more) {
        const struct lf_stored_lead_score *last = &leads[query->limit - 1].score;

        next.score = query->by_time ? 0 : last->score;
        next.id = last->score_id;
        memcpy(next.icp, last->icp, strlen(last->icp) + 1);
    }
    lf_api_put_next(body, more ? &next : NULL, "", 0);
    lf_buf_lit(body, "}");
}

void
lf_api_list_leads(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_scratch(request);
    struct lf_cursor cursor = {.score = 0};
    struct lf_lead_query query = {.icp = NULL};
    struct lf_store_reader *reader = NULL;
    struct lf_listed_lead *leads = NULL;
    struct lf_stored_icp icp;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0, limit = 0;
    enum lf_status status = LF_OK;

    if (!read_query(request, &query, &cursor))
        return;
    limit = query.limit;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_settle(context, &error);
    if (status == LF_OK)
        status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        if (query.icp != NULL)
            status = lf_store_icp(reader, arena, query.icp, &icp, &error);
        query.limit = limit + 1; /* to know whether there is more */
        if (status == LF_OK)
            status = lf_store_leads(reader, arena, &query, &leads, &count, &error);
        query.limit = limit;
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        put_leads(&body, &query, leads, count);
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- GET /v1/leads/{id} ---- */

static void
put_lead(struct lf_buf *body, const struct lf_stored_lead *lead)
{
    bool first = true;

    lf_buf_lit(body, "{");
    lf_api_put_lead_id(body, lead->lead_id, lead->lead_id_len);
    lf_buf_lit(body, ",\"scores\":[");
    for (size_t i = 0; i < lead->score_count; i++) {
        if (!lead->scores[i].latest)
            continue;
        lf_buf_text(body, first ? "{" : ",{");
        first = false;
        lf_api_put_lead_score(body, lead->lead_id, lead->lead_id_len, &lead->scores[i]);
        lf_buf_lit(body, "}");
    }
    lf_buf_lit(body, "],");
    lf_api_put_lead_outcome(body, lead);
    lf_buf_lit(body, "}");
}

void
lf_api_get_lead(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_api_lead lead;
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_api_open_lead(request, context, &lead, &error);
    if (status == LF_OK) {
        lf_service_return_reader(context, lead.reader);
        put_lead(&body, &lead.stored);
    }
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- DELETE /v1/leads/{id} ---- */

void
lf_api_erase_lead(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_change change;
    struct lf_error error;
    const char *id = NULL;
    size_t len = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_api_lead_id(request, &id, &len, &error);
    if (status == LF_OK)
        status = lf_ledger_erase(lf_service_ledger(context), lf_service_recorder(context), id, len, &change, &error);
    lf_api_conclude_empty(request, status, &error);
}
