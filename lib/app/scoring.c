/* scoring.c - see scoring.h. Reading the request is in score_request.c, recorded scores in scoring_recorded.c. */
#include "app/scoring.h"

#include "core/record.h"

#include <string.h>

enum { RECORD_MAX = 64 << 20 };

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while scoring a lead");
}

/* The indexes of the ICPs to answer for, in *ret_chosen (count of them), true in named. */
static enum lf_status
choose(const struct lf_profiles *profiles, const struct lf_score_request *request, bool *chosen, struct lf_error *error)
{
    bool any = false;

    for (size_t i = 0; i < request->icp_count; i++) {
        size_t index = lf_program_find(profiles->program, request->icps[i]);
        char pointer[32] = "/icps/";

        if (index != SIZE_MAX) {
            chosen[index] = any = true;
            continue;
        }
        struct lf_buf number;
        lf_buf_init(&number, NULL, 32);
        lf_buf_int(&number, (int64_t)i);
        if (lf_buf_terminate(&number) != NULL)
            strncat(pointer, number.data, sizeof pointer - strlen(pointer) - 1);
        lf_buf_finish(&number);
        for (size_t a = 0; a < profiles->archived_count; a++)
            if (strcmp(profiles->archived[a], request->icps[i]) == 0)
                return lf_fail_at(error, LF_ICP_ARCHIVED, pointer, -1,
                                  "the ICP %s is archived: restore it, or name another", request->icps[i]);
        return lf_fail_at(error, LF_ICP_NOT_FOUND, pointer, -1,
                          "there is no ICP %s in service: GET /v1/icps lists them, and drafts", request->icps[i]);
    }
    for (size_t i = 0; request->icp_count == 0 && i < profiles->count; i++)
        if (profiles->items[i].icp->purpose == LF_PURPOSE_CORE)
            chosen[i] = any = true;
    if (!any)
        return lf_fail(error, LF_NO_ACTIVE_ICP, "no core ICP is active: publish one, or name an experimental one");
    return LF_OK;
}

static bool
score_one(struct lf_arena *arena, struct lf_scoring *scoring, size_t index, struct lf_result *result)
{
    const struct lf_profile *profile = &scoring->profiles->items[index];

    *result = (struct lf_result){
        .teller = profile->teller,
        .scorer = profile->scorer,
        .evaluation = scoring->evaluation,
        .index = index,
        .outcome = lf_evaluate(scoring->evaluation, index),
    };
    return result->outcome != NULL && lf_score_outcome(profile->scorer, result->outcome, arena, &result->score);
}

enum lf_status
lf_scoring_run(struct lf_arena *arena, const struct lf_profiles *profiles, const struct lf_score_request *request,
               int64_t now_ms, struct lf_scoring *ret_scoring, struct lf_error *error)
{
    struct lf_scoring scoring = {
        .profiles = profiles,
        .lead = request->lead,
        .lead_id = request->lead_id,
        .lead_id_len = request->lead_id_len,
        .as_of_ms = request->has_as_of ? request->as_of_ms : now_ms,
        .explain = request->explain,
    };
    bool *chosen = lf_arena_calloc(arena, profiles->count + 1, sizeof *chosen);
    enum lf_status status = LF_OK;

    if (chosen == NULL)
        return out_of_memory(error);
    status = choose(profiles, request, chosen, error);
    if (status != LF_OK)
        return status;
    scoring.results = lf_arena_calloc(arena, profiles->count, sizeof *scoring.results);
    scoring.shadow = lf_arena_calloc(arena, profiles->count, sizeof *scoring.shadow);
    scoring.evaluation = lf_evaluation_create(profiles->program, arena, request->lead, scoring.as_of_ms);
    if (scoring.results == NULL || scoring.shadow == NULL || scoring.evaluation == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < profiles->count; i++) {
        /* Experimental ICPs are watched in shadow where nothing was named and the score is kept. */
        bool shadow = !chosen[i] && request->icp_count == 0 && request->record;

        if (!chosen[i] && !shadow)
            continue;
        if (!score_one(arena, &scoring, i,
                       shadow ? &scoring.shadow[scoring.shadow_count++] : &scoring.results[scoring.result_count++]))
            return out_of_memory(error);
    }
    *ret_scoring = scoring;
    return LF_OK;
}

enum lf_status
lf_scoring_record(struct lf_arena *arena, const struct lf_scoring *scoring, const struct lf_privacy *privacy,
                  struct lf_stored_score *ret_score, struct lf_error *error)
{
    bool *wanted = lf_arena_calloc(arena, scoring->profiles->count + 1, sizeof *wanted);
    struct lf_buf buf;
    enum lf_status status = LF_OK;

    if (wanted == NULL)
        return out_of_memory(error);
    lf_buf_init(&buf, arena, RECORD_MAX);
    lf_record_begin(&buf, scoring->result_count + scoring->shadow_count, lf_privacy_kept(privacy));
    for (size_t i = 0; i < scoring->result_count; i++) {
        wanted[scoring->results[i].index] = true;
        lf_record_put_result(&buf, scoring->evaluation, scoring->results[i].index, scoring->results[i].outcome, false);
    }
    for (size_t i = 0; i < scoring->shadow_count; i++) {
        wanted[scoring->shadow[i].index] = true;
        lf_record_put_result(&buf, scoring->evaluation, scoring->shadow[i].index, scoring->shadow[i].outcome, true);
    }
    status = lf_record_put_input(&buf, scoring->evaluation, scoring->lead, wanted, privacy, error);
    if (status != LF_OK)
        return status;
    /* Here and not in the store, where it would take the others of its commit with it. */
    if (buf.len > LF_SCORE_BODY_MAX)
        return lf_fail(error, LF_BODY_TOO_LARGE, "the lead is too large to be kept: at most %d bytes with its score",
                       LF_SCORE_BODY_MAX);
    *ret_score = (struct lf_stored_score){
        .as_of_ms = scoring->as_of_ms,
        .lead_id = scoring->lead_id,
        .lead_id_len = scoring->lead_id_len,
        .body = buf.data,
        .body_len = buf.len,
    };
    return LF_OK;
}

static struct lf_answer
answer_of(struct lf_scoring *scoring)
{
    return (struct lf_answer){
        .lead_id = scoring->lead_id,
        .lead_id_len = scoring->lead_id_len,
        .as_of_ms = scoring->as_of_ms,
        .results = scoring->results,
        .result_count = scoring->result_count,
        .explain = scoring->explain,
    };
}

void
lf_scoring_tell(struct lf_buf *buf, struct lf_arena *arena, struct lf_scoring *scoring, const struct lf_ulid *id,
                int64_t scored_at_ms, int64_t line)
{
    struct lf_answer answer = answer_of(scoring);

    answer.recorded = id != NULL;
    if (id != NULL)
        answer.id = *id;
    answer.scored_at_ms = scored_at_ms;
    answer.line = line;
    lf_answer_put(buf, arena, &answer);
}

void
lf_scoring_tell_pending(struct lf_buf *buf, struct lf_arena *arena, struct lf_scoring *scoring,
                        struct lf_answer_stamp *ret_stamp)
{
    struct lf_answer answer = answer_of(scoring);

    lf_answer_put_pending(buf, arena, &answer, ret_stamp);
}
