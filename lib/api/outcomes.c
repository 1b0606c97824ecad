/* outcomes.c - POST /v1/outcomes: what became of a lead, or of many, one a line. */
#include "api/handlers.h"

#include "app/outcomes.h"
#include "base/time.h"

#include <string.h>
#include <strings.h>

static void
answer(struct lf_request *request, const struct lf_outcomes_report *report)
{
    struct lf_buf body;

    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    lf_buf_printf(&body, "{\"accepted\":%zu,\"errors\":[", report->accepted);
    for (size_t i = 0; i < report->fault_count; i++) {
        lf_buf_printf(&body, "%s{\"line\":%zu,\"code\":\"%s\",\"pointer\":", i > 0 ? "," : "", report->faults[i].line,
                      report->faults[i].code);
        lf_api_put_text(&body, report->faults[i].pointer);
        lf_buf_lit(&body, ",\"detail\":");
        lf_api_put_text(&body, report->faults[i].detail);
        lf_buf_lit(&body, "}");
    }
    lf_buf_lit(&body, "]}");
    lf_reply_json(request, 200, &body);
}

/* One outcome: what is wrong with it is a problem. */
static void
put_one(struct lf_request *request, struct lf_service *service)
{
    struct lf_arena *arena = lf_request_scratch(request);
    const struct lf_json *node = lf_api_read_body(request, &LF_JSON_LEAD_LIMITS);
    const struct lf_outcomes_report accepted = {.accepted = 1};
    struct lf_stored_outcome outcome;
    struct lf_findings findings;
    struct lf_error error;

    if (node == NULL)
        return;
    lf_findings_init(&findings, arena);
    if (lf_outcome_read(arena, node, lf_time_now_ms(), &findings, &outcome, &error) != LF_OK)
        lf_reply_findings(request, &error, &findings);
    else if (lf_outcomes_put(lf_service_recorder(service), lf_service_ledger(service), &outcome, 1, &error) != LF_OK)
        lf_reply_problem(request, &error);
    else
        answer(request, &accepted);
}

void
lf_api_outcomes(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    static const char LINES[] = "application/x-ndjson";
    const char *type = lf_request_header(request, "Content-Type"), *text = NULL;
    struct lf_outcomes_report report;
    struct lf_error error;
    size_t len = 0;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    if (type == NULL || strcspn(type, "; \t") != sizeof LINES - 1 || strncasecmp(type, LINES, sizeof LINES - 1) != 0) {
        put_one(request, context);
        return;
    }
    text = lf_request_body(request, &len);
    if (lf_outcomes_put_lines(lf_service_recorder(context), lf_service_ledger(context), lf_request_scratch(request),
                              text, len, lf_time_now_ms(), &report, &error) == LF_OK)
        answer(request, &report);
    else
        lf_reply_problem(request, &error);
}
