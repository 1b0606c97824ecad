/* compare.c - GET /v1/icps/{key}/compare: two ICPs beside each other over the leads that both have scored. */
#include "api/handlers.h"

#include "app/compare.h"

static void
put_count(struct lf_buf *body, const struct lf_compare_count *count)
{
    lf_buf_printf(body, "{\"leads\":%zu,\"won\":%zu,\"lost\":%zu}", count->leads, count->won, count->lost);
}

static void
put_cells(struct lf_buf *body, const struct lf_comparison *comparison)
{
    lf_buf_lit(body, ",\"matrix\":[");
    for (size_t i = 0; i < comparison->cell_count; i++) {
        const struct lf_compare_cell *cell = &comparison->cells[i];

        lf_buf_text(body, i > 0 ? ",{\"grade\":" : "{\"grade\":");
        lf_api_put_text(body, cell->grade);
        lf_buf_lit(body, ",\"with_grade\":");
        lf_api_put_text(body, cell->with_grade);
        lf_buf_printf(body, ",\"count\":%zu,\"won\":%zu,\"lost\":%zu}", cell->count.leads, cell->count.won,
                      cell->count.lost);
    }
    lf_buf_lit(body, "]");
}

/* The leads on which the two disagree most, one way. */
static void
put_leads(struct lf_buf *body, const struct lf_compare_lead *leads, size_t count)
{
    lf_buf_lit(body, "[");
    for (size_t i = 0; i < count; i++) {
        char id[LF_ULID_TEXT_SIZE];

        lf_ulid_format(leads[i].score_id, id);
        lf_buf_text(body, i > 0 ? ",{\"lead_id\":" : "{\"lead_id\":");
        lf_api_put_text(body, leads[i].lead_id);
        lf_buf_printf(body, ",\"score_id\":\"%s\",\"grade\":", id);
        lf_api_put_text(body, leads[i].grade);
        lf_buf_lit(body, ",\"with_grade\":");
        lf_api_put_text(body, leads[i].with_grade);
        lf_buf_lit(body, ",\"score\":");
        lf_buf_decimal(body, leads[i].score, 2);
        lf_buf_lit(body, ",\"with_score\":");
        lf_buf_decimal(body, leads[i].with_score, 2);
        lf_buf_lit(body, ",\"difference\":");
        lf_buf_decimal(body, leads[i].score - leads[i].with_score, 2);
        lf_buf_printf(body, ",\"outcome\":\"%s\"}", leads[i].outcome);
    }
    lf_buf_lit(body, "]");
}

static void
put_end(struct lf_buf *body, int64_t ms, int64_t open)
{
    if (ms == open)
        lf_buf_lit(body, "\"\"");
    else
        lf_api_put_time(body, ms);
}

static void
put_comparison(struct lf_buf *body, const char *key, const char *with, int64_t from_ms, int64_t to_ms,
               const struct lf_comparison *comparison)
{
    /* Hundredths of a percent, rounded half up. */
    int64_t agreed = comparison->leads == 0 ? 0
                                            : ((int64_t)comparison->agreed * 20000 + (int64_t)comparison->leads) /
                                                  (2 * (int64_t)comparison->leads);

    lf_buf_printf(body, "{\"icp\":\"%s\",\"with\":\"%s\",\"from\":", key, with);
    put_end(body, from_ms, INT64_MIN);
    lf_buf_lit(body, ",\"to\":");
    put_end(body, to_ms, INT64_MAX);
    lf_buf_printf(body, ",\"leads\":%zu,\"agreed\":%zu,\"agreed_pct\":", comparison->leads, comparison->agreed);
    lf_buf_decimal(body, agreed, 2);
    lf_buf_lit(body, ",\"mean_difference\":");
    lf_buf_decimal(body, comparison->mean_difference, 2);
    put_cells(body, comparison);
    lf_buf_lit(body, ",\"preferred\":");
    put_count(body, &comparison->preferred);
    lf_buf_lit(body, ",\"with_preferred\":");
    put_count(body, &comparison->with_preferred);
    lf_buf_lit(body, ",\"tied\":");
    put_count(body, &comparison->tied);
    lf_buf_lit(body, ",\"top\":");
    put_leads(body, comparison->tops, comparison->top_count);
    lf_buf_lit(body, ",\"with_top\":");
    put_leads(body, comparison->with_tops, comparison->with_top_count);
    lf_buf_lit(body, "}");
}

/* Reads the query; answers the problem and returns false where it does not say what it should. */
static bool
read_query(struct lf_request *request, const char **ret_with, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    static const char *const QUERY[] = {"with", "from", "to", NULL};
    struct lf_error error;

    if (!lf_request_allow_query(request, QUERY) || !lf_api_query_time(request, "from", INT64_MIN, ret_from_ms) ||
        !lf_api_query_time(request, "to", INT64_MAX, ret_to_ms))
        return false;
    *ret_with = lf_request_query(request, "with");
    if (*ret_with != NULL && (*ret_with)[0] != '\0' && *ret_from_ms <= *ret_to_ms)
        return true;
    if (*ret_with == NULL || (*ret_with)[0] == '\0')
        (void)lf_fail(&error, LF_INVALID_PARAMETER, "with is missing: the key of the ICP to compare with");
    else
        (void)lf_fail(&error, LF_INVALID_PARAMETER, "from lies behind to: no score is in between");
    lf_reply_problem(request, &error);
    return false;
}

void
lf_api_compare(struct lf_request *request, void *context)
{
    const char *key = lf_request_param(request, "key"), *with = NULL;
    struct lf_store_reader *reader = NULL;
    struct lf_comparison comparison;
    struct lf_error error;
    struct lf_buf body;
    int64_t from_ms = 0, to_ms = 0;
    enum lf_status status = LF_OK;

    if (!read_query(request, &with, &from_ms, &to_ms))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_compare(reader, lf_request_scratch(request), key, with, from_ms, to_ms, &comparison, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        put_comparison(&body, key, with, from_ms, to_ms, &comparison);
    lf_api_conclude(request, 200, status, &body, &error);
}
