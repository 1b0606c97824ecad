/*
 * outcomes.c - POST /v1/outcomes: what became of a lead, or of many, one a line.
 *
 * With an Idempotency-Key the answer is kept in a commit of its own, after the outcomes: to note an outcome twice
 * changes nothing, so nothing is lost when the program ends between the two.
 */
#include "api/handlers.h"

#include "api/once.h"
#include "app/outcomes.h"
#include "base/time.h"

#include <string.h>
#include <strings.h>

/* On the recorder's thread. */
static enum lf_status
write_answer(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct lf_stored_answer *const *kept = argument;
    const struct lf_recording recording = {.answers = kept, .answer_count = 1};

    return lf_store_record(store, &recording, error);
}

/* Keeps the answer for whoever repeats the request. Where that fails the outcomes are noted all the same, and a repeat
 * notes them again. */
static void
keep(struct lf_service *service, struct lf_api_once *once, const struct lf_buf *body)
{
    const struct lf_stored_answer *kept = NULL;
    enum lf_status ignored = LF_OK;

    if (!lf_buf_failed(body))
        kept = lf_api_once_keep(once, 200, body->data, body->len, NULL, NULL);
    if (kept != NULL)
        ignored = lf_recorder_run(lf_service_recorder(service), write_answer, &kept, NULL);
    (void)ignored;
}

static void
answer(struct lf_request *request, struct lf_service *service, struct lf_api_once *once,
       const struct lf_outcomes_report *report)
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
    if (once != NULL && report->accepted > 0)
        keep(service, once, &body);
    lf_reply_json(request, 200, &body);
}

/* One outcome: what is wrong with it is a problem. */
static void
put_one(struct lf_request *request, struct lf_service *service, struct lf_api_once *once)
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
        answer(request, service, once, &accepted);
}

static void
put_lines(struct lf_request *request, struct lf_service *service, struct lf_api_once *once)
{
    struct lf_outcomes_report report;
    struct lf_error error;
    size_t len = 0;
    const char *text = lf_request_body(request, &len);

    if (lf_outcomes_put_lines(lf_service_recorder(service), lf_service_ledger(service), lf_request_scratch(request),
                              text, len, lf_time_now_ms(), &report, &error) == LF_OK)
        answer(request, service, once, &report);
    else
        lf_reply_problem(request, &error);
}

static bool
is_lines(const struct lf_request *request)
{
    static const char LINES[] = "application/x-ndjson";
    const char *type = lf_request_header(request, "Content-Type");

    return type != NULL && strcspn(type, "; \t") == sizeof LINES - 1 && strncasecmp(type, LINES, sizeof LINES - 1) == 0;
}

void
lf_api_outcomes(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_api_once *once = NULL;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_once_begin(request, context, &once))
        return;
    if (is_lines(request))
        put_lines(request, context, once);
    else
        put_one(request, context, once);
    lf_api_once_end(once); /* before the answer goes out: it is only noted here */
}
