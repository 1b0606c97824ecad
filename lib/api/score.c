/*
 * score.c - POST /v1/score, POST /v1/explain, GET /v1/scores/{id}.
 *
 * A score that is recorded goes: read, evaluate, hand the event to the recorder and suspend; when the recorder has
 * committed it, the request resumes and is answered. Nothing is answered that is not on disk.
 */
#include "api/handlers.h"

#include "app/scoring.h"
#include "app/service.h"
#include "base/json.h"
#include "base/time.h"
#include "base/ulid.h"

#include <string.h>

/* More members than a lead may have: those around it. Elements: the keys of icps. */
enum { MEMBERS_AROUND = 16 };

/* A score under way, in the request's arena. */
struct under_way {
    struct lf_request *request;
    struct lf_service *service;
    struct lf_live_set *set; /* held until the request is over, also when its client hangs up meanwhile */
    struct lf_scoring scoring;
    struct lf_record_job job;
    enum lf_status status; /* of the recording */
    struct lf_error error;
};

static void
release_set(void *data)
{
    struct under_way *way = data;

    lf_live_release(lf_service_live(way->service), way->set);
}

static void
tell(struct under_way *way, const struct lf_ulid *id, int64_t scored_at_ms)
{
    struct lf_buf body;

    lf_buf_init(&body, lf_request_arena(way->request), LF_REPLY_MAX);
    lf_scoring_tell(&body, lf_request_arena(way->request), &way->scoring, id, scored_at_ms, 0);
    lf_reply_json(way->request, 200, &body);
}

/* On the HTTP thread again, after the commit. */
static void
answer_recorded(struct lf_request *request, void *context)
{
    struct under_way *way = lf_request_data(request);

    (void)context;
    if (way->status == LF_OK)
        tell(way, &way->job.score.id, lf_ulid_ms(way->job.score.id));
    else
        lf_reply_problem(request, &way->error);
}

/* On the recorder's thread. */
static void
recorded(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct under_way *way = job->data;

    way->status = status;
    if (error != NULL)
        way->error = *error;
    lf_request_resume(way->request);
}

static void
record(struct under_way *way)
{
    enum lf_status status =
        lf_scoring_record(lf_request_arena(way->request), &way->scoring,
                          lf_service_stores_whole_lead(way->service), &way->job.score, &way->error);

    if (status != LF_OK) {
        lf_reply_problem(way->request, &way->error);
        return;
    }
    way->job.done = recorded;
    way->job.data = way;
    lf_request_set_data(way->request, way);
    lf_request_suspend(way->request, answer_recorded);
    /* From here on the request may be resumed, and be gone, at any moment: only a refusal leaves it ours. */
    status = lf_recorder_submit(lf_service_recorder(way->service), &way->job, &way->error);
    if (status != LF_OK) {
        way->status = status;
        lf_request_resume(way->request);
    }
}

/* The body as JSON; answers and returns NULL when it is none. */
static const struct lf_json *
read_body(struct lf_request *request, const struct lf_json_limits *limits)
{
    size_t len = 0;
    const char *text = lf_request_body(request, &len);
    const struct lf_json *body = NULL;
    struct lf_error error;
    struct lf_json_limits whole = *limits;

    whole.bytes = SIZE_MAX; /* the server has seen to the body's size */
    if (lf_json_parse(lf_request_arena(request), text, len, &whole, &body, &error) != LF_OK) {
        lf_reply_problem(request, &error);
        return NULL;
    }
    return body;
}

/* Answers for a request that could not be read: with all findings where there are some. */
static void
refuse(struct lf_request *request, const struct lf_error *error, const char *prefix, const struct lf_findings *findings)
{
    if (findings->count > 0 && (error->status == LF_INVALID_REQUEST || error->status == LF_INVALID_DEFINITION))
        lf_reply_findings(request, error, prefix, findings);
    else
        lf_reply_problem(request, error);
}

void
lf_api_score(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    struct lf_score_request asked;
    struct lf_findings findings;
    struct under_way *way = NULL;
    const struct lf_json *body = NULL;
    struct lf_error error;
    int64_t now_ms = lf_time_now_ms();
    enum lf_status status = LF_OK;

    limits.members += MEMBERS_AROUND;
    limits.elements += LF_ICPS_NAMED_MAX;
    if (!lf_request_allow_query(request, NO_QUERY) || (body = read_body(request, &limits)) == NULL)
        return;
    lf_findings_init(&findings, arena);
    status = lf_score_request_read(arena, body, false, &findings, &asked, &error);
    if (status != LF_OK) {
        refuse(request, &error, "", &findings);
        return;
    }
    way = lf_arena_calloc(arena, 1, sizeof *way);
    if (way == NULL) {
        (void)lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while scoring a lead");
        lf_reply_problem(request, &error);
        return;
    }
    way->request = request;
    way->service = context;
    way->set = lf_live_acquire(lf_service_live(way->service));
    lf_request_at_end(request, release_set, way);
    status = lf_scoring_run(arena, way->set->profiles, &asked, now_ms, &way->scoring, &error);
    if (status != LF_OK)
        lf_reply_problem(request, &error);
    else if (asked.record)
        record(way);
    else
        tell(way, NULL, now_ms);
}

/* ---- POST /v1/explain ---- */

/* Adds a finding for each list that is not there. */
static void
check_lists(const struct lf_condition *condition, const struct lf_list_source *lists, struct lf_findings *findings)
{
    if (condition->kind != LF_CONDITION_LEAF) {
        for (size_t i = 0; i < condition->child_count; i++)
            check_lists(condition->children[i], lists, findings);
    } else if (condition->op == LF_OP_IN_LIST && lists->find(lists->context, condition->list) == NULL) {
        struct lf_buf pointer;

        lf_buf_init(&pointer, findings->arena, 1 << 16);
        lf_buf_text(&pointer, condition->pointer);
        lf_buf_lit(&pointer, "/in_list");
        lf_findings_add(findings, lf_buf_terminate(&pointer) != NULL ? pointer.data : condition->pointer, "unknown_list",
                        "there is no list %s: put it in place first, or mend its name", condition->list);
    }
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

/* Scores the lead under a definition that came along, with the service's lists. */
static enum lf_status
explain(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_list_source *lists,
        const struct lf_score_request *asked, int64_t now_ms, struct lf_buf *body, struct lf_error *error)
{
    struct lf_profiles *profiles = NULL;
    struct lf_score_request named = *asked;
    struct lf_scoring scoring;
    enum lf_status status = lf_profiles_create(1, &profiles, error);

    named.icps = lf_arena_calloc(arena, 1, sizeof *named.icps);
    if (named.icps == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while explaining a score");
    if (status == LF_OK)
        status = lf_profiles_add_icp(profiles, icp, 0, 0, error);
    if (status == LF_OK)
        status = lf_profiles_compile(profiles, lists, error);
    if (status == LF_OK) {
        named.icps[0] = icp->key;
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
    struct lf_service *service = context;
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_score_request asked;
    struct lf_findings findings, faults;
    const struct lf_json *body = NULL;
    const struct lf_icp *icp = NULL;
    struct lf_live_set *set = NULL;
    struct lf_list_source lists;
    struct lf_error error;
    struct lf_buf answer;
    int64_t now_ms = lf_time_now_ms();
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || (body = read_body(request, &LF_JSON_DOCUMENT_LIMITS)) == NULL)
        return;
    lf_findings_init(&findings, arena);
    status = lf_score_request_read(arena, body, true, &findings, &asked, &error);
    if (status == LF_OK && lf_json_member(body, "definition") == NULL) {
        lf_findings_add(&findings, "/definition", "required", "definition is missing: the ICP to explain stands here");
        status = lf_fail(&error, LF_INVALID_REQUEST, "the request has no definition");
    }
    if (status != LF_OK) {
        refuse(request, &error, "", &findings);
        return;
    }
    lf_findings_init(&faults, arena);
    status = lf_icp_parse(arena, lf_json_member(body, "definition"), &faults, &icp, &error);
    set = lf_live_acquire(lf_service_live(service));
    lists = lf_profiles_lists(set->profiles);
    if (status == LF_OK) {
        check_all_lists(icp, &lists, &faults);
        if (faults.count > 0)
            status = lf_fail(&error, LF_INVALID_DEFINITION, "the definition names a list that is not there");
    }
    if (status != LF_OK) {
        lf_live_release(lf_service_live(service), set);
        refuse(request, &error, "/definition", &faults);
        return;
    }
    lf_buf_init(&answer, arena, LF_REPLY_MAX);
    status = explain(arena, icp, &lists, &asked, now_ms, &answer, &error);
    lf_live_release(lf_service_live(service), set);
    if (status == LF_OK)
        lf_reply_json(request, 200, &answer);
    else
        lf_reply_problem(request, &error);
}

/* ---- GET /v1/scores/{id} ---- */

void
lf_api_get_score(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_arena *arena = lf_request_arena(request);
    const char *text = lf_request_param(request, "id");
    struct lf_store_reader *reader = NULL;
    struct lf_stored_score score;
    struct lf_error error;
    struct lf_buf answer;
    struct lf_ulid id;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    if (!lf_ulid_parse(text, strlen(text), &id)) {
        (void)lf_fail(&error, LF_SCORE_NOT_FOUND, "there is no score of that id: an id has 26 characters, as the answer of POST /v1/score gave it");
        lf_reply_problem(request, &error);
        return;
    }
    lf_buf_init(&answer, arena, LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_score(reader, arena, id, &score, &error);
        if (status == LF_OK)
            status = lf_scoring_retell(reader, arena, &score, &answer, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        lf_reply_json(request, 200, &answer);
    else
        lf_reply_problem(request, &error);
}
