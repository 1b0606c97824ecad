/*
 * score.c - POST /v1/score, GET /v1/scores/{id}.
 *
 * A score that is recorded goes: read, evaluate, tell, hand the event to the recorder and suspend; when the recorder
 * has committed it, its id and time are written into the answer, and the answer goes out. Nothing is answered that is
 * not on disk. All that leads to the answer lives in the thread's scratch memory: what waits for the commit is the
 * answer and the event alone, so that many requests can wait without driving each other out of the cache.
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

/* What waits for the commit, in the request's arena. */
struct waiting {
    struct lf_request *request;
    struct lf_record_job job;
    struct lf_buf answer;
    struct lf_answer_stamp stamp;
    enum lf_status status; /* of the recording */
    struct lf_error error;
};

/* On the HTTP thread again, after the commit. */
static void
answer_recorded(struct lf_request *request, void *context)
{
    struct waiting *waiting = lf_request_data(request);

    (void)context;
    if (waiting->status != LF_OK) {
        lf_reply_problem(request, &waiting->error);
        return;
    }
    lf_answer_stamp(waiting->answer.data, &waiting->stamp, waiting->job.score.id);
    lf_reply_json(request, 200, &waiting->answer);
}

/* On the recorder's thread. */
static void
recorded(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct waiting *waiting = job->data;

    waiting->status = status;
    if (error != NULL)
        waiting->error = *error;
    lf_request_resume(waiting->request);
}

/* Moves bytes from scratch memory to the request's; NULL when memory is out. */
static const char *
keep(struct lf_request *request, const void *bytes, size_t len)
{
    return lf_arena_copy(lf_request_arena(request), bytes, len);
}

/* Tells the scoring, and makes what is to be recorded; all of it is the request's then. */
static enum lf_status
prepare(struct waiting *waiting, struct lf_scoring *scoring, const struct lf_privacy *privacy, struct lf_error *error)
{
    struct lf_request *request = waiting->request;
    struct lf_arena *scratch = lf_request_scratch(request);
    struct lf_stored_score *score = &waiting->job.score;
    struct lf_buf answer;
    enum lf_status status = lf_scoring_record(scratch, scoring, privacy, score, error);

    if (status != LF_OK)
        return status;
    lf_buf_init(&answer, scratch, LF_REPLY_MAX);
    lf_scoring_tell_pending(&answer, scratch, scoring, &waiting->stamp);
    lf_buf_init(&waiting->answer, lf_request_arena(request), LF_REPLY_MAX);
    if (!lf_buf_failed(&answer))
        lf_buf_add(&waiting->answer, answer.data, answer.len);
    score->body = keep(request, score->body, score->body_len);
    score->lead_id = keep(request, score->lead_id, score->lead_id_len);
    if (lf_buf_failed(&answer) || lf_buf_failed(&waiting->answer) || score->body == NULL || score->lead_id == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while telling a score");
    return LF_OK;
}

static void
record(struct lf_request *request, struct lf_service *service, struct lf_scoring *scoring)
{
    struct waiting *waiting = lf_arena_calloc(lf_request_arena(request), 1, sizeof *waiting);
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (waiting == NULL) {
        status = lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while recording a score");
    } else {
        waiting->request = request;
        status = prepare(waiting, scoring, lf_service_privacy(service), &error);
    }
    if (status != LF_OK) {
        lf_reply_problem(request, &error);
        return;
    }
    waiting->job.done = recorded;
    waiting->job.data = waiting;
    lf_request_set_data(request, waiting);
    lf_request_suspend(request, answer_recorded);
    /* From here on the recorder may write to what waits: only a refusal leaves it ours. */
    status = lf_recorder_submit(lf_service_recorder(service), &waiting->job, &error);
    if (status != LF_OK) {
        waiting->status = status;
        waiting->error = error;
        lf_request_resume(request);
    }
}

static void
answer_unrecorded(struct lf_request *request, struct lf_scoring *scoring, int64_t now_ms)
{
    struct lf_buf answer;

    lf_buf_init(&answer, lf_request_arena(request), LF_REPLY_MAX);
    lf_scoring_tell(&answer, lf_request_scratch(request), scoring, NULL, now_ms, 0);
    lf_reply_json(request, 200, &answer);
}

void
lf_api_score(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_arena *scratch = lf_request_scratch(request);
    struct lf_json_limits limits = LF_JSON_LEAD_LIMITS;
    struct lf_live_set *set = NULL;
    struct lf_score_request asked;
    struct lf_scoring scoring;
    struct lf_findings findings;
    const struct lf_json *body = NULL;
    struct lf_error error;
    int64_t now_ms = lf_time_now_ms();

    limits.members += MEMBERS_AROUND;
    limits.elements += LF_ICPS_NAMED_MAX;
    if (!lf_request_allow_query(request, NO_QUERY) || (body = lf_api_read_body(request, &limits)) == NULL)
        return;
    lf_findings_init(&findings, scratch);
    if (lf_score_request_read(scratch, body, false, &findings, &asked, &error) != LF_OK) {
        lf_reply_findings(request, &error, &findings);
        return;
    }
    set = lf_live_acquire(lf_service_live(context));
    if (lf_scoring_run(scratch, set->profiles, &asked, now_ms, &scoring, &error) != LF_OK)
        lf_reply_problem(request, &error);
    else if (asked.record)
        record(request, context, &scoring);
    else
        answer_unrecorded(request, &scoring, now_ms);
    lf_live_release(lf_service_live(context), set);
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
