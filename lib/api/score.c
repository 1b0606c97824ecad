/*
 * score.c - POST /v1/score, GET /v1/scores/{id}.
 *
 * A score that is recorded goes: read, evaluate, tell, hand the event to the recorder and suspend; when the recorder
 * has committed it, its id and time are written into the answer, and the answer goes out (api/recording.h). Nothing is
 * answered that is not on disk. All that leads to the answer lives in the thread's scratch memory: what waits for the
 * commit is the answer and the event alone, so that many requests can wait without driving each other out of the cache.
 * With an Idempotency-Key the request is looked for before it is scored (api/once.h).
 */
#include "api/handlers.h"

#include "api/once.h"
#include "api/recording.h"
#include "app/scoring.h"
#include "app/service.h"
#include "base/json.h"
#include "base/time.h"
#include "base/ulid.h"

#include <string.h>

/* More members than a lead may have: those around it. Elements: the keys of icps. */
enum { MEMBERS_AROUND = 16 };

static void
record(struct lf_request *request, struct lf_service *service, struct lf_scoring *scoring, struct lf_api_once *once)
{
    struct lf_arena *scratch = lf_request_scratch(request);
    struct lf_answer_stamp stamp;
    struct lf_buf answer;
    const struct lf_api_recording recording = {
        .scorings = scoring,
        .count = 1,
        .answer = &answer,
        .stamps = &stamp,
        .http_status = 200,
        .once = once,
    };

    lf_buf_init(&answer, scratch, LF_REPLY_MAX);
    lf_scoring_tell_pending(&answer, scratch, scoring, &stamp);
    lf_api_record(request, service, &recording);
}

static void
answer_unrecorded(struct lf_request *request, struct lf_scoring *scoring, int64_t now_ms)
{
    struct lf_buf answer;

    lf_buf_init(&answer, lf_request_arena(request), LF_REPLY_MAX);
    lf_scoring_tell(&answer, lf_request_scratch(request), scoring, NULL, now_ms, 0);
    lf_reply_json(request, 200, &answer);
}

/* Scores what was read; of a request with a key this is the first one. */
static void
score(struct lf_request *request, struct lf_service *service, const struct lf_score_request *asked,
      struct lf_api_once *once)
{
    struct lf_live_set *set = lf_live_acquire(lf_service_live(service));
    struct lf_scoring scoring;
    struct lf_error error;
    int64_t now_ms = lf_time_now_ms();

    if (lf_scoring_run(lf_request_scratch(request), set->profiles, asked, now_ms, &scoring, &error) != LF_OK) {
        lf_api_once_end(once);
        lf_reply_problem(request, &error);
    } else if (asked->record) {
        record(request, service, &scoring, once);
    } else {
        answer_unrecorded(request, &scoring, now_ms);
    }
    lf_live_release(lf_service_live(service), set);
}

void
lf_api_score(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_arena *scratch = lf_request_scratch(request);
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    struct lf_api_once *once = NULL;
    struct lf_score_request asked;
    struct lf_findings findings;
    const struct lf_json *body = NULL;
    struct lf_error error;

    limits.members += MEMBERS_AROUND;
    limits.elements += LF_ICPS_NAMED_MAX;
    if (!lf_request_allow_query(request, NO_QUERY) || (body = lf_api_read_body(request, &limits)) == NULL)
        return;
    lf_findings_init(&findings, scratch);
    if (lf_score_request_read(scratch, body, false, &findings, &asked, &error) != LF_OK) {
        lf_reply_findings(request, &error, &findings);
        return;
    }
    if (!asked.record || lf_api_once_begin(request, context, &once)) /* what is not recorded cannot be repeated */
        score(request, context, &asked, once);
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
        (void)lf_fail(&error, LF_SCORE_NOT_FOUND,
                      "there is no score of that id: an id has 26 characters, as the answer of POST /v1/score gave it");
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
