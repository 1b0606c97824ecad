/*
 * drafts.c - PUT, GET and DELETE /v1/icps/{key}/draft, GET …/draft/lint, POST /v1/lint.
 *
 * A draft is answered with its lint, which is of the moment: it looks at the named lists, at today's date and at the
 * leads that came lately. The ETag is that of the draft alone: a 304 says that nobody has changed it, and …/draft/lint
 * has its lint as of now.
 */
#include "api/handlers.h"

#include "app/advice.h"
#include "app/editing.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

static const char *const NO_QUERY[] = {NULL};

/* The whole lint of a definition, with the lists as they are and the latest leads. */
static enum lf_status
advise(struct lf_service *service, struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_icp *icp,
       struct lf_lint *ret_lint, size_t *ret_leads, struct lf_error *error)
{
    struct lf_live_set *set = lf_live_acquire(lf_service_live(service));
    struct lf_list_source lists = lf_profiles_lists(set->profiles);
    enum lf_status status = lf_advise(reader, lf_service_privacy(service), arena, icp, &lists, lf_time_now_ms() * 1000,
                                      ret_lint, ret_leads, error);

    lf_live_release(lf_service_live(service), set);
    return status;
}

/* Appends "lint":[…]. */
static void
put_items(struct lf_buf *body, const struct lf_lint *lint)
{
    lf_buf_lit(body, "\"lint\":[");
    for (size_t i = 0; i < lint->count; i++) {
        const struct lf_lint_item *item = &lint->items[i];

        lf_buf_printf(body, "%s{\"severity\":\"%s\",\"code\":\"%s\",\"pointer\":", i > 0 ? "," : "",
                      lf_lint_severity_word(item->severity), item->code);
        lf_api_put_text(body, item->pointer);
        lf_buf_lit(body, ",\"detail\":");
        lf_api_put_text(body, item->detail);
        lf_buf_lit(body, ",\"fix\":");
        lf_api_put_text(body, item->fix);
        lf_buf_lit(body, "}");
    }
    lf_buf_lit(body, "]");
}

static void
put_lint(struct lf_buf *body, const struct lf_lint *lint, size_t leads)
{
    lf_buf_lit(body, "{");
    put_items(body, lint);
    lf_buf_printf(body, ",\"errors\":%zu,\"warnings\":%zu,\"infos\":%zu,\"dropped\":%zu,\"leads\":%zu}",
                  lint->counts[LF_LINT_ERROR], lint->counts[LF_LINT_WARNING], lint->counts[LF_LINT_INFO], lint->dropped,
                  leads);
}

/* The lint of a draft, which may be one of a moment ago. */
static enum lf_status
lint_draft(struct lf_service *service, struct lf_store_reader *reader, struct lf_arena *arena,
           const struct lf_stored_draft *draft, struct lf_lint *ret_lint, size_t *ret_leads, struct lf_error *error)
{
    const struct lf_icp *icp = NULL;
    char what[128];
    enum lf_status status = LF_OK;

    (void)snprintf(what, sizeof what, "the draft of %s", draft->icp);
    status = lf_api_parse_stored(arena, draft->document, draft->document_len, what, NULL, &icp, error);
    return status != LF_OK ? status : advise(service, reader, arena, icp, ret_lint, ret_leads, error);
}

static void
put_draft(struct lf_buf *body, const struct lf_stored_draft *draft, const struct lf_lint *lint, size_t leads)
{
    lf_buf_printf(body, "{\"icp\":\"%s\",\"definition\":", draft->icp);
    lf_buf_add(body, draft->document, draft->document_len);
    lf_buf_lit(body, ",\"etag\":");
    lf_api_put_text(body, draft->etag);
    lf_buf_lit(body, ",\"updated_by\":");
    lf_api_put_text(body, draft->updated_by);
    lf_buf_lit(body, ",\"updated_at\":");
    lf_api_put_time(body, draft->updated_at_ms);
    lf_buf_lit(body, ",");
    put_items(body, lint);
    lf_buf_printf(body, ",\"leads\":%zu}", leads);
}

void
lf_api_put_draft(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_scratch(request);
    const char *key = lf_request_param(request, "key"), *document = NULL;
    struct lf_store_reader *reader = NULL;
    struct lf_precondition precondition;
    struct lf_stored_draft draft;
    struct lf_findings findings;
    struct lf_change change;
    struct lf_lint lint;
    struct lf_error error, lint_error;
    struct lf_buf body;
    char location[128];
    size_t len = 0, leads = 0;
    bool created = false;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_read_precondition(request, &precondition))
        return;
    document = lf_request_body(request, &len);
    lf_findings_init(&findings, arena);
    lf_api_change(request, context, "", &change);
    if (lf_edit_put_draft(context, arena, key, document, len, &precondition, &change, &findings, &draft, &created,
                          &error) != LF_OK) {
        lf_reply_findings(request, &error, &findings);
        return;
    }
    lf_reply_header(request, "ETag", draft.etag);
    status = lf_service_borrow_reader(context, &reader, &lint_error);
    if (status == LF_OK) {
        status = lint_draft(context, reader, arena, &draft, &lint, &leads, &lint_error);
        lf_service_return_reader(context, reader);
    }
    if (status != LF_OK) {
        (void)lf_fail(&error, status, "the draft is in place with the ETag %s, but its lint could not be told: %s",
                      draft.etag, lint_error.detail);
        lf_reply_problem(request, &error);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    put_draft(&body, &draft, &lint, leads);
    if (created) {
        (void)snprintf(location, sizeof location, "/v1/icps/%s/draft", draft.icp);
        lf_reply_header(request, "Location", location);
    }
    lf_reply_json(request, created ? 201 : 200, &body);
}

/* Loads the draft that the path names and, where it is not known to the client, its lint. */
static enum lf_status
load(struct lf_request *request, struct lf_service *service, bool *ret_known, struct lf_stored_draft *ret_draft,
     struct lf_lint *ret_lint, size_t *ret_leads, struct lf_error *error)
{
    struct lf_arena *arena = lf_request_scratch(request);
    struct lf_store_reader *reader = NULL;
    enum lf_status status = lf_service_borrow_reader(service, &reader, error);

    if (status != LF_OK)
        return status;
    status = lf_store_draft(reader, arena, lf_request_param(request, "key"), ret_draft, error);
    if (ret_known != NULL)
        *ret_known = status == LF_OK && lf_api_is_known(request, ret_draft->etag);
    if (status == LF_OK && (ret_known == NULL || !*ret_known))
        status = lint_draft(service, reader, arena, ret_draft, ret_lint, ret_leads, error);
    lf_service_return_reader(service, reader);
    return status;
}

void
lf_api_get_draft(struct lf_request *request, void *context)
{
    struct lf_stored_draft draft;
    struct lf_lint lint;
    struct lf_error error;
    struct lf_buf body;
    size_t leads = 0;
    bool known = false;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    if (load(request, context, &known, &draft, &lint, &leads, &error) != LF_OK) {
        lf_reply_problem(request, &error);
        return;
    }
    lf_reply_header(request, "ETag", draft.etag);
    if (known) {
        lf_reply_empty(request, 304);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    put_draft(&body, &draft, &lint, leads);
    lf_reply_json(request, 200, &body);
}

void
lf_api_delete_draft(struct lf_request *request, void *context)
{
    struct lf_precondition precondition;
    struct lf_change change;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_read_precondition(request, &precondition))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_edit_delete_draft(context, lf_request_param(request, "key"), &precondition, &change, &error);
    lf_api_conclude_empty(request, status, &error);
}

void
lf_api_lint_draft(struct lf_request *request, void *context)
{
    struct lf_stored_draft draft;
    struct lf_lint lint;
    struct lf_error error;
    struct lf_buf body;
    size_t leads = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = load(request, context, NULL, &draft, &lint, &leads, &error);
    if (status == LF_OK)
        put_lint(&body, &lint, leads);
    lf_api_conclude(request, 200, status, &body, &error);
}

void
lf_api_lint(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_scratch(request);
    const struct lf_json *definition = NULL;
    const struct lf_icp *icp = NULL;
    struct lf_store_reader *reader = NULL;
    struct lf_findings findings;
    struct lf_lint lint;
    struct lf_error error;
    struct lf_buf body;
    size_t leads = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) ||
        (definition = lf_api_read_body(request, &LF_JSON_DOCUMENT_LIMITS)) == NULL)
        return;
    lf_findings_init(&findings, arena);
    if (lf_icp_parse(arena, definition, &findings, &icp, &error) != LF_OK) {
        lf_reply_findings(request, &error, &findings);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = advise(context, reader, arena, icp, &lint, &leads, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        put_lint(&body, &lint, leads);
    lf_api_conclude(request, 200, status, &body, &error);
}
