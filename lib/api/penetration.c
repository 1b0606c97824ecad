/* penetration.c - GET /v1/stats/penetration: each ICP's share of scores at its best grades, core and experimental. */
#include "api/handlers.h"

#include "api/stats_put.h"
#include "api/window.h"
#include "app/penetration.h"

static void
put_icps(struct lf_buf *body, const struct lf_icp_penetration *icps, size_t count)
{
    lf_buf_lit(body, ",\"icps\":[");
    for (size_t i = 0; i < count; i++) {
        lf_buf_text(body, i > 0 ? ",{\"icp\":" : "{\"icp\":");
        lf_api_put_text(body, icps[i].icp);
        lf_buf_lit(body, ",\"name\":");
        lf_api_put_text(body, icps[i].name);
        lf_buf_printf(body, ",\"purpose\":\"%s\",\"state\":\"%s\",\"scored\":%lld,\"leads\":%lld,", icps[i].purpose,
                      lf_api_state_word(icps[i].state), (long long)icps[i].scored, (long long)icps[i].leads);
        lf_api_put_penetration(body, &icps[i].penetration);
        lf_buf_lit(body, "}");
    }
    lf_buf_lit(body, "]}");
}

void
lf_api_penetration(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"from", "to", "tz", NULL};
    struct lf_icp_penetration *icps = NULL;
    struct lf_store_reader *reader = NULL;
    const struct lf_zone *zone = NULL;
    const char *name = NULL;
    struct lf_window window;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) || !lf_api_query_zone(request, &name, &zone) ||
        !lf_api_query_window(request, "from", "to", zone, &window))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_penetration_compute(reader, lf_service_catalog(context), lf_request_scratch(request), window, &icps,
                                        &count, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK) {
        lf_buf_lit(&body, "{\"from\":");
        lf_api_put_hour(&body, window.from_hour);
        lf_buf_lit(&body, ",\"to\":");
        lf_api_put_hour(&body, window.to_hour);
        put_icps(&body, icps, count);
    }
    lf_api_conclude_tagged(request, status, &body, &error);
}
