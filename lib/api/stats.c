/* stats.c - GET /v1/stats: fit statistics of one ICP. What is told is written by stats_put.c. */
#include "api/handlers.h"

#include "api/stats_put.h"
#include "api/window.h"
#include "app/stats.h"
#include "base/time.h"

#include <string.h>

/* One of two words, the first where it is absent. */
static bool
read_bucket(struct lf_request *request, bool *ret_by_hour)
{
    const char *bucket = lf_request_query(request, "bucket");
    struct lf_error error;

    *ret_by_hour = bucket != NULL && strcmp(bucket, "hour") == 0;
    if (bucket == NULL || *ret_by_hour || strcmp(bucket, "day") == 0)
        return true;
    (void)lf_fail(&error, LF_INVALID_PARAMETER, "bucket: hour or day belongs here, not \"%.64s\"", bucket);
    lf_reply_problem(request, &error);
    return false;
}

static bool
read_icp(struct lf_request *request, struct lf_stats_query *query)
{
    const char *version = lf_request_query(request, "version");
    struct lf_error error;

    query->icp = lf_request_query(request, "icp");
    if (query->icp == NULL || query->icp[0] == '\0')
        (void)lf_fail(&error, LF_INVALID_PARAMETER, "icp is missing: the key of the ICP belongs here");
    else if (version != NULL && !lf_api_read_version(version, &query->version))
        (void)lf_fail(&error, LF_INVALID_PARAMETER,
                      "version: the number of a version belongs here, such as 3, not \"%.64s\"; without it all "
                      "versions count",
                      version);
    else
        return true;
    lf_reply_problem(request, &error);
    return false;
}

/* Drift's own baseline: both ends, or none. */
static bool
read_baseline(struct lf_request *request, struct lf_stats_query *query)
{
    bool from = lf_request_query(request, "baseline_from") != NULL;
    struct lf_error error;

    query->has_baseline = lf_request_query(request, "baseline_to") != NULL;
    if (query->has_baseline == from)
        return !from || lf_api_query_window(request, "baseline_from", "baseline_to", query->zone, &query->baseline);
    (void)lf_fail(&error, LF_INVALID_PARAMETER,
                  "%s stands alone: %s belongs beside it (without both, the version's first scores are the baseline)",
                  from ? "baseline_from" : "baseline_to", from ? "baseline_to" : "baseline_from");
    lf_reply_problem(request, &error);
    return false;
}

void
lf_api_stats(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"icp", "version",       "from",        "to", "bucket",
                                        "tz",  "baseline_from", "baseline_to", NULL};
    struct lf_stats_query query = {.now_ms = lf_time_now_ms()};
    struct lf_store_reader *reader = NULL;
    const char *zone = NULL;
    struct lf_stats stats;
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) || !read_icp(request, &query) ||
        !read_bucket(request, &query.by_hour) || !lf_api_query_zone(request, &zone, &query.zone) ||
        !lf_api_query_window(request, "from", "to", query.zone, &query.window) || !read_baseline(request, &query))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_settle(context, &error);
    if (status == LF_OK)
        status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status =
            lf_stats_compute(reader, lf_service_catalog(context), lf_request_scratch(request), &query, &stats, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK) {
        lf_api_put_stats(&body, lf_request_scratch(request), &query, zone, &stats);
        lf_stats_finish(lf_service_catalog(context), &stats);
    }
    lf_api_conclude_tagged(request, status, &body, &error);
}
