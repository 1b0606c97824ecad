/* scoring.c - see scoring.h. Reading the request is in score_request.c. */
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
lf_scoring_record(struct lf_arena *arena, const struct lf_scoring *scoring, bool whole,
                  struct lf_stored_score *ret_score, struct lf_error *error)
{
    bool *wanted = lf_arena_calloc(arena, scoring->profiles->count + 1, sizeof *wanted);
    struct lf_buf buf;

    if (wanted == NULL)
        return out_of_memory(error);
    lf_buf_init(&buf, arena, RECORD_MAX);
    lf_record_begin(&buf, scoring->result_count + scoring->shadow_count, whole);
    for (size_t i = 0; i < scoring->result_count; i++) {
        wanted[scoring->results[i].index] = true;
        lf_record_put_result(&buf, scoring->evaluation, scoring->results[i].index, scoring->results[i].outcome, false);
    }
    for (size_t i = 0; i < scoring->shadow_count; i++) {
        wanted[scoring->shadow[i].index] = true;
        lf_record_put_result(&buf, scoring->evaluation, scoring->shadow[i].index, scoring->shadow[i].outcome, true);
    }
    lf_record_put_input(&buf, scoring->evaluation, scoring->lead, wanted, whole);
    if (lf_buf_failed(&buf))
        return out_of_memory(error);
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

/* ---- recorded scores ---- */

/* A recorded score opened again: its versions compiled, its input parsed. */
struct reopened {
    struct lf_profiles *profiles;
    struct lf_record record;
    struct lf_evaluation *evaluation;
};

static enum lf_status
damaged(struct lf_error *error, const char *what)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "a recorded score is damaged: %s", what);
}

/* Adds the version that a result was made under; it has to be what it was. */
static enum lf_status
add_version(struct lf_store_reader *reader, struct lf_arena *arena, int64_t version_id, struct lf_profiles *profiles,
            struct lf_error *error)
{
    struct lf_stored_version version;
    enum lf_status status = lf_store_version_by_id(reader, arena, version_id, &version, error);

    if (status == LF_VERSION_NOT_FOUND)
        return damaged(error, "the version it was made under is not there");
    if (status != LF_OK)
        return status;
    status =
        lf_profiles_add(profiles, version.document, version.document_len, version.id, version.version, NULL, error);
    if (status != LF_OK)
        return status == LF_OUT_OF_MEMORY ? status : damaged(error, "the version it was made under cannot be read");
    if (memcmp(profiles->items[profiles->count - 1].icp->hash, version.hash, LF_SHA256_SIZE) != 0)
        return lf_fail(error, LF_STORAGE_CORRUPT,
                       "version %d of the ICP %s is not what was published: its hash differs", version.version,
                       version.icp);
    return LF_OK;
}

static enum lf_status
reopen(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
       struct reopened *ret_reopened, struct lf_error *error)
{
    struct reopened reopened = {0};
    const struct lf_json *input = NULL;
    enum lf_status status = lf_record_read(arena, score->body, score->body_len, &reopened.record, error);

    if (status == LF_OK)
        status = lf_profiles_create(reopened.record.result_count, &reopened.profiles, error);
    for (size_t i = 0; status == LF_OK && i < reopened.record.result_count; i++)
        status = add_version(reader, arena, reopened.record.results[i].version_id, reopened.profiles, error);
    if (status == LF_OK)
        status = lf_profiles_compile(reopened.profiles, NULL, error);
    if (status == LF_OK)
        status = lf_record_parse_input(arena, &reopened.record, &input, error);
    if (status == LF_OK) {
        reopened.evaluation = lf_evaluation_create(reopened.profiles->program, arena, input, score->as_of_ms);
        status = reopened.evaluation == NULL ? out_of_memory(error) : LF_OK;
    }
    if (status != LF_OK) {
        lf_profiles_destroy(reopened.profiles);
        return status;
    }
    *ret_reopened = reopened;
    return LF_OK;
}

enum lf_status
lf_scoring_retell(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
                  struct lf_buf *buf, struct lf_error *error)
{
    struct reopened reopened;
    struct lf_scoring scoring = {
        .lead_id = score->lead_id,
        .lead_id_len = score->lead_id_len,
        .as_of_ms = score->as_of_ms,
        .explain = LF_EXPLAIN_FULL,
    };
    enum lf_status status = reopen(reader, arena, score, &reopened, error);

    if (status != LF_OK)
        return status;
    scoring.profiles = reopened.profiles;
    scoring.results = lf_arena_calloc(arena, reopened.record.result_count, sizeof *scoring.results);
    if (scoring.results == NULL)
        status = out_of_memory(error);
    for (size_t i = 0; status == LF_OK && i < reopened.record.result_count; i++) {
        const struct lf_profile *profile = &reopened.profiles->items[i];
        struct lf_result *result = &scoring.results[scoring.result_count];

        if (reopened.record.results[i].shadow)
            continue;
        *result = (struct lf_result){
            .teller = profile->teller, .scorer = profile->scorer, .evaluation = reopened.evaluation, .index = i};
        status = lf_record_outcome(arena, profile->icp, &reopened.record.results[i], &result->outcome, error);
        if (status == LF_OK)
            status = lf_record_restore_lists(reopened.evaluation, i, &reopened.record.results[i], error);
        if (status == LF_OK && !lf_score_outcome(profile->scorer, result->outcome, arena, &result->score))
            status = out_of_memory(error);
        scoring.result_count++;
    }
    if (status == LF_OK && scoring.result_count == 0)
        status = damaged(error, "it answers nothing");
    if (status == LF_OK)
        lf_scoring_tell(buf, arena, &scoring, &score->id, lf_ulid_ms(score->id), 0);
    lf_profiles_destroy(reopened.profiles);
    return status;
}

enum lf_status
lf_scoring_repeat(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
                  bool *ret_agrees, struct lf_error *error)
{
    struct reopened reopened;
    bool agrees = true;
    enum lf_status status = reopen(reader, arena, score, &reopened, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; status == LF_OK && i < reopened.record.result_count; i++) {
        const struct lf_outcome *recorded = NULL, *again = NULL;

        status =
            lf_record_outcome(arena, reopened.profiles->items[i].icp, &reopened.record.results[i], &recorded, error);
        if (status == LF_OK)
            status = lf_record_restore_lists(reopened.evaluation, i, &reopened.record.results[i], error);
        if (status == LF_OK && (again = lf_evaluate(reopened.evaluation, i)) == NULL)
            status = out_of_memory(error);
        if (status == LF_OK && !lf_outcome_equal(reopened.profiles->items[i].icp, recorded, again))
            agrees = false;
    }
    lf_profiles_destroy(reopened.profiles);
    if (status == LF_OK)
        *ret_agrees = agrees;
    return status;
}
