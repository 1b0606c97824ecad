/* icps.c - GET /v1/icps, GET and DELETE /v1/icps/{key}, POST /v1/icps/{key}/restore. */
#include "api/handlers.h"

#include "app/editing.h"

static const char *const NO_QUERY[] = {NULL};

const char *
lf_api_state_word(enum lf_icp_state state)
{
    switch (state) {
    case LF_ICP_STATE_DRAFT:
        return "draft";
    case LF_ICP_STATE_ACTIVE:
        return "active";
    case LF_ICP_STATE_ARCHIVED:
        return "archived";
    }
    return "";
}

static void
put_icp(struct lf_buf *buf, const struct lf_stored_icp *icp)
{
    lf_buf_printf(buf, "{\"key\":\"%s\",\"name\":", icp->key);
    lf_api_put_text(buf, icp->name);
    lf_buf_printf(buf, ",\"purpose\":\"%s\",\"state\":\"%s\",\"active_version\":%d,\"versions\":%d,\"draft_etag\":",
                  icp->purpose, lf_api_state_word(icp->state), icp->active_version, icp->versions);
    lf_api_put_text(buf, icp->draft_etag);
    lf_buf_lit(buf, ",\"created_at\":");
    lf_api_put_time(buf, icp->created_at_ms);
    lf_buf_lit(buf, ",\"updated_at\":");
    lf_api_put_time(buf, icp->updated_at_ms);
    lf_buf_lit(buf, "}");
}

void
lf_api_list_icps(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_store_reader *reader = NULL;
    struct lf_stored_icp *icps = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_icps(reader, arena, &icps, &count, &error);
        lf_service_return_reader(context, reader);
    }
    lf_buf_lit(&body, "{\"icps\":[");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        if (i > 0)
            lf_buf_lit(&body, ",");
        put_icp(&body, &icps[i]);
    }
    lf_buf_lit(&body, "]}");
    lf_api_conclude(request, 200, status, &body, &error);
}

/* Answers with the ICP as it is now. */
static void
answer_icp(struct lf_request *request, struct lf_service *service, const char *key)
{
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_store_reader *reader = NULL;
    struct lf_stored_icp icp;
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = lf_service_borrow_reader(service, &reader, &error);

    lf_buf_init(&body, arena, LF_REPLY_MAX);
    if (status == LF_OK) {
        status = lf_store_icp(reader, arena, key, &icp, &error);
        lf_service_return_reader(service, reader);
    }
    if (status == LF_OK)
        put_icp(&body, &icp);
    lf_api_conclude(request, 200, status, &body, &error);
}

void
lf_api_get_icp(struct lf_request *request, void *context)
{
    if (lf_request_allow_query(request, NO_QUERY))
        answer_icp(request, context, lf_request_param(request, "key"));
}

void
lf_api_archive_icp(struct lf_request *request, void *context)
{
    struct lf_change change;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_edit_set_archived(context, lf_request_scratch(request), lf_request_param(request, "key"), true, &change,
                                  &error);
    lf_api_conclude_empty(request, status, &error);
}

void
lf_api_restore_icp(struct lf_request *request, void *context)
{
    static const char *const MEMBERS[] = {"note", NULL};
    const char *key = lf_request_param(request, "key");
    struct lf_api_input input;
    struct lf_change change;
    struct lf_error error;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_input_begin(request, &input, true, MEMBERS))
        return;
    lf_api_change(request, context, lf_api_input_note(&input), &change);
    if (!lf_api_input_end(request, &input))
        return;
    if (lf_edit_set_archived(context, lf_request_scratch(request), key, false, &change, &error) == LF_OK)
        answer_icp(request, context, key);
    else
        lf_reply_problem(request, &error);
}
