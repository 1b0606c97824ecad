/*
 * explain.c - POST /v1/explain: a lead scored under a definition that comes along. Records nothing.
 */
#include "api/handlers.h"

#include "app/scoring.h"
#include "app/service.h"
#include "base/time.h"

/* Adds a finding for each list that is not there. */
static void
check_lists(const struct lf_condition *condition, const struct lf_list_source *lists, struct lf_findings *findings)
{
    char *pointer = NULL;

    if (condition->kind != LF_CONDITION_LEAF) {
        for (size_t i = 0; i < condition->child_count; i++)
            check_lists(condition->children[i], lists, findings);
        return;
    }
    if (condition->op != LF_OP_IN_LIST || lists->find(lists->context, condition->list) != NULL)
        return;
    pointer = lf_arena_printf(findings->arena, "%s/in_list", condition->pointer);
    lf_findings_add(findings, pointer != NULL ? pointer : condition->pointer, "unknown_list",
                    "there is no list %s: put it in place first, or mend its name", condition->list);
}

static void
check_all_lists(const struct lf_icp *icp, const struct lf_list_source *lists, struct lf_findings *findings)
{
    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++)
            check_lists(icp->attributes[i].rules[r].when, lists, findings);
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        check_lists(icp->disqualifiers[i].when, lists, findings);
}

/* Reads the definition; all that is wrong with it goes into findings, each pointer behind /definition. */
static enum lf_status
read_definition(struct lf_arena *arena, const struct lf_json *node, const struct lf_list_source *lists,
                struct lf_findings *findings, const struct lf_icp **ret_icp, struct lf_error *error)
{
    struct lf_findings faults;
    enum lf_status status = LF_OK;

    if (node == NULL) {
        lf_findings_add(findings, "/definition", "required", "definition is missing: the ICP to explain stands here");
        return lf_fail(error, LF_INVALID_REQUEST, "the request has no definition");
    }
    lf_findings_init(&faults, arena);
    status = lf_icp_parse(arena, node, &faults, ret_icp, error);
    if (status == LF_OK) {
        check_all_lists(*ret_icp, lists, &faults);
        if (faults.count > 0)
            status = lf_fail(error, LF_INVALID_DEFINITION, "the definition names a list that is not there");
    }
    lf_findings_append(findings, "/definition", &faults);
    return status;
}

/* Scores the lead under the definition, with the service's lists. */
static enum lf_status
explain(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_list_source *lists,
        const struct lf_score_request *asked, int64_t now_ms, struct lf_buf *body, struct lf_error *error)
{
    struct lf_profiles *profiles = NULL;
    struct lf_score_request named = *asked;
    const char *key = icp->key;
    struct lf_scoring scoring;
    enum lf_status status = lf_profiles_create(1, &profiles, error);

    if (status == LF_OK)
        status = lf_profiles_add_icp(profiles, icp, 0, 0, error);
    if (status == LF_OK)
        status = lf_profiles_compile(profiles, lists, error);
    if (status == LF_OK) {
        named.icps = &key;
        named.icp_count = 1;
        status = lf_scoring_run(arena, profiles, &named, now_ms, &scoring, error);
    }
    if (status == LF_OK)
        lf_scoring_tell(body, arena, &scoring, NULL, now_ms, 0);
    lf_profiles_destroy(profiles);
    return status;
}

void
lf_api_explain(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_arena *arena = lf_request_scratch(request);
    const struct lf_json *body = NULL;
    const struct lf_icp *icp = NULL;
    struct lf_score_request asked;
    struct lf_findings findings;
    struct lf_live_set *set = NULL;
    struct lf_list_source lists;
    struct lf_error error, definition_error;
    struct lf_buf answer;
    int64_t now_ms = lf_time_now_ms();
    enum lf_status status = LF_OK, definition_status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) ||
        (body = lf_api_read_body(request, &LF_JSON_DOCUMENT_LIMITS)) == NULL)
        return;
    lf_findings_init(&findings, arena);
    lf_buf_init(&answer, lf_request_arena(request), LF_REPLY_MAX);
    set = lf_live_acquire(lf_service_live(context));
    lists = lf_profiles_lists(set->profiles);
    status = lf_score_request_read(arena, body, true, &findings, &asked, &error);
    if (status == LF_OK || status == LF_INVALID_REQUEST) {
        definition_status =
            read_definition(arena, lf_json_member(body, "definition"), &lists, &findings, &icp, &definition_error);
        if (status == LF_OK && definition_status != LF_OK) {
            status = definition_status;
            error = definition_error;
        }
    }
    if (status == LF_OK)
        status = explain(arena, icp, &lists, &asked, now_ms, &answer, &error);
    else if (findings.count > 0 && (status == LF_INVALID_REQUEST || status == LF_INVALID_DEFINITION))
        status = lf_api_sum_up(&findings, status, &error);
    lf_live_release(lf_service_live(context), set);
    if (status == LF_OK)
        lf_reply_json(request, 200, &answer);
    else
        lf_reply_findings(request, &error, &findings);
}
