/*
 * recording.c - see recording.h.
 *
 * Without a key the answer is stamped on the HTTP thread, where it is sent from: the recorder's thread has enough to
 * do. With one it is stamped before the commit, because it is sealed and recorded with its scores, and what is sent
 * then is what was sealed.
 */
#include "api/recording.h"

#include "api/handlers.h"

#include <string.h>

/* What waits for the commit, in the request's arena. Small: many may wait. */
struct waiting {
    struct lf_request *request;
    struct lf_record_job job;
    struct lf_buf answer;
    const struct lf_answer_stamp *stamps; /* of job.score and of each of job.more */
    struct lf_answer_stamp first;         /* where they are, when it is one */
    int http_status;
    struct lf_api_once *once;
    void (*ended)(struct lf_request *request, void *data, const struct lf_error *error);
    void *data;
    enum lf_status status; /* of the recording */
    struct lf_error error;
};

static void
stamp(struct waiting *waiting)
{
    const struct lf_record_job *job = &waiting->job;

    for (size_t i = 0; i <= job->more_count; i++)
        if (waiting->stamps[i].id_at > 0) /* it is told */
            lf_answer_stamp(waiting->answer.data, &waiting->stamps[i], i == 0 ? job->score.id : job->more[i - 1].id);
}

/* Says what is wrong, in the way of who asked for the recording. */
static void
fail(struct lf_request *request, void (*ended)(struct lf_request *request, void *data, const struct lf_error *error),
     void *data, const struct lf_error *error)
{
    if (ended != NULL)
        ended(request, data, error);
    else
        lf_reply_problem(request, error);
}

/* On the HTTP thread again, after the commit. */
static void
answer_recorded(struct lf_request *request, void *context)
{
    struct waiting *waiting = lf_request_data(request);

    (void)context;
    if (waiting->status != LF_OK) {
        fail(request, waiting->ended, waiting->data, &waiting->error);
        return;
    }
    if (waiting->once == NULL)
        stamp(waiting);
    if (waiting->ended != NULL)
        waiting->ended(request, waiting->data, NULL);
    lf_reply_json(request, waiting->http_status, &waiting->answer);
}

/* On the recorder's thread, before the commit of a request with a key. */
static enum lf_status
keep_answer(struct lf_record_job *job, struct lf_error *error)
{
    struct waiting *waiting = job->data;
    const struct lf_ulid *last = job->more_count > 0 ? &job->more[job->more_count - 1].id : &job->score.id;

    stamp(waiting);
    job->answer = lf_api_once_keep(waiting->once, waiting->http_status, waiting->answer.data, waiting->answer.len,
                                   &job->score.id, last);
    return job->answer != NULL
               ? LF_OK
               : lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while keeping an answer to be repeated");
}

/* On the recorder's thread, or on the request's own when the recorder refused it. Here and not after the resume the
 * claim is given up: if the client has hung up, nothing comes after the resume. */
static void
recorded(struct lf_record_job *job, enum lf_status status, const struct lf_error *error)
{
    struct waiting *waiting = job->data;

    waiting->status = status;
    if (error != NULL)
        waiting->error = *error;
    lf_api_once_end(waiting->once);
    lf_request_resume(waiting->request);
}

/* Makes what is to be recorded of a scoring; its bytes are the request's then. */
static enum lf_status
pack(struct lf_request *request, const struct lf_scoring *scoring, const struct lf_privacy *privacy,
     struct lf_stored_score *score, struct lf_error *error)
{
    struct lf_arena *arena = lf_request_arena(request);
    enum lf_status status = lf_scoring_record(lf_request_scratch(request), scoring, privacy, score, error);

    if (status != LF_OK)
        return status;
    score->body = lf_arena_copy(arena, score->body, score->body_len);
    score->lead_id = lf_arena_copy(arena, score->lead_id, score->lead_id_len);
    if (score->body == NULL || score->lead_id == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while recording a score");
    return LF_OK;
}

/* Room for the scores and stamps of more than one lead. */
static bool
make_room(struct waiting *waiting, struct lf_arena *arena, const struct lf_api_recording *recording)
{
    struct lf_answer_stamp *stamps = &waiting->first;

    if (recording->count > 1) {
        stamps = lf_arena_alloc(arena, recording->count * sizeof *stamps);
        waiting->job.more = lf_arena_calloc(arena, recording->count - 1, sizeof *waiting->job.more);
        if (stamps == NULL || waiting->job.more == NULL)
            return false;
    }
    memcpy(stamps, recording->stamps, recording->count * sizeof *stamps);
    waiting->stamps = stamps;
    waiting->job.more_count = recording->count - 1;
    return true;
}

/* Takes over from scratch memory what outlives the handler. */
static enum lf_status
take_over(struct waiting *waiting, const struct lf_api_recording *recording, const struct lf_privacy *privacy,
          struct lf_error *error)
{
    struct lf_request *request = waiting->request;
    struct lf_arena *arena = lf_request_arena(request);
    enum lf_status status = LF_OK;

    lf_buf_init(&waiting->answer, arena, LF_REPLY_MAX);
    if (!lf_buf_failed(recording->answer))
        lf_buf_add(&waiting->answer, recording->answer->data, recording->answer->len);
    if (lf_buf_failed(recording->answer) || lf_buf_failed(&waiting->answer) || !make_room(waiting, arena, recording))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while telling a score");
    for (size_t i = 0; i < recording->count && status == LF_OK; i++)
        status = pack(request, &recording->scorings[i], privacy,
                      i == 0 ? &waiting->job.score : &waiting->job.more[i - 1], error);
    return status;
}

void
lf_api_record(struct lf_request *request, struct lf_service *service, const struct lf_api_recording *recording)
{
    struct waiting *waiting = lf_arena_calloc(lf_request_arena(request), 1, sizeof *waiting);
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (waiting == NULL) {
        status = lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while recording a score");
    } else {
        waiting->request = request;
        waiting->http_status = recording->http_status;
        waiting->once = recording->once;
        waiting->ended = recording->ended;
        waiting->data = recording->data;
        status = take_over(waiting, recording, lf_service_privacy(service), &error);
    }
    if (status != LF_OK) {
        lf_api_once_end(recording->once);
        fail(request, recording->ended, recording->data, &error);
        return;
    }
    waiting->job.prepare = recording->once != NULL ? keep_answer : NULL;
    waiting->job.done = recorded;
    waiting->job.data = waiting;
    lf_request_set_data(request, waiting);
    lf_request_suspend(request, answer_recorded);
    /* From here on the recorder may write to what waits: only a refusal leaves it ours. */
    status = lf_recorder_submit(lf_service_recorder(service), &waiting->job, &error);
    if (status != LF_OK)
        recorded(&waiting->job, status, &error);
}
