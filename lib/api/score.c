/*
 * score.c - POST /v1/score, GET /v1/scores/{id}.
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
    if (!lf_request_allow_query(request, NO_QUERY) || (body = lf_api_read_body(request, &limits)) == NULL)
        return;
    lf_findings_init(&findings, arena);
    status = lf_score_request_read(arena, body, false, &findings, &asked, &error);
    if (status != LF_OK) {
        lf_reply_findings(request, &error, &findings);
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
