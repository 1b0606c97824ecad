/*
 * scoring_recorded.c - recorded scores: told again, and computed again (scoring.h).
 *
 * A score is opened with the very versions it was made under. What was not kept of the lead is not there then, but the
 * record has the answers about it (core/record.h), so that all of it comes out as it was but for the values themselves.
 */
#include "app/scoring.h"

#include "app/difference.h"
#include "core/record.h"

#include <string.h>

enum { ANSWER_MAX = 64 << 20 };

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a recorded score");
}

static enum lf_status
damaged(struct lf_error *error, const char *what)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "a recorded score is damaged: %s", what);
}

/* A recorded score opened again: its versions compiled, what is left of its lead parsed. */
struct reopened {
    const struct lf_stored_score *score;
    struct lf_profiles *profiles;
    struct lf_record record;
    const struct lf_outcome **outcomes; /* as recorded */
    const struct lf_json *input;        /* what was stored: values, or hashes of them */
    struct lf_evaluation *evaluation;   /* of the values that were stored, with what the record knows besides */
};

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
add_versions(struct lf_store_reader *reader, struct lf_arena *arena, struct reopened *reopened, struct lf_error *error)
{
    enum lf_status status = lf_profiles_create(reopened->record.result_count, &reopened->profiles, error);

    for (size_t i = 0; status == LF_OK && i < reopened->record.result_count; i++)
        status = add_version(reader, arena, reopened->record.results[i].version_id, reopened->profiles, error);
    return status == LF_OK ? lf_profiles_compile(reopened->profiles, NULL, error) : status;
}

/* The evaluation of what was stored, and the outcomes. Hashes are no values. */
static enum lf_status
restore(struct lf_arena *arena, struct reopened *reopened, struct lf_error *error)
{
    size_t count = reopened->record.result_count;
    enum lf_status status = lf_record_parse_input(arena, &reopened->record, &reopened->input, error);
    const struct lf_json *values =
        reopened->record.kept == LF_KEPT_HASHES ? lf_json_new_object(arena) : reopened->input;

    if (status != LF_OK)
        return status;
    reopened->outcomes = lf_arena_calloc(arena, count, sizeof(const struct lf_outcome *));
    if (values != NULL)
        reopened->evaluation =
            lf_evaluation_create(reopened->profiles->program, arena, values, reopened->score->as_of_ms);
    if (reopened->outcomes == NULL || reopened->evaluation == NULL)
        return out_of_memory(error);
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        status = lf_record_outcome(arena, reopened->profiles->items[i].icp, &reopened->record.results[i],
                                   &reopened->outcomes[i], error);
        if (status == LF_OK)
            status = lf_record_restore(reopened->evaluation, i, &reopened->record.results[i], error);
    }
    return status;
}

/* The profiles are to be destroyed, whatever it says. */
static enum lf_status
reopen(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
       struct reopened *ret_reopened, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    *ret_reopened = (struct reopened){.score = score};
    status = lf_record_read(arena, score->body, score->body_len, &ret_reopened->record, error);
    if (status == LF_OK && ret_reopened->record.kept == LF_KEPT_ERASED)
        return lf_fail(error, LF_ERASED, "the lead of this score was erased; statistics keep it without a name");
    if (status == LF_OK)
        status = add_versions(reader, arena, ret_reopened, error);
    return status == LF_OK ? restore(arena, ret_reopened, error) : status;
}

/* Appends the answer with these outcomes, and the values that the evaluation has. */
static enum lf_status
put_answer(const struct reopened *reopened, struct lf_arena *arena, const struct lf_outcome *const *outcomes,
           const struct lf_evaluation *evaluation, struct lf_buf *buf, struct lf_error *error)
{
    const struct lf_stored_score *score = reopened->score;
    size_t count = 0;
    struct lf_result *results = lf_arena_calloc(arena, reopened->record.result_count, sizeof *results);
    struct lf_answer answer = {
        .recorded = true,
        .id = score->id,
        .lead_id = score->lead_id,
        .lead_id_len = score->lead_id_len,
        .scored_at_ms = lf_ulid_ms(score->id),
        .as_of_ms = score->as_of_ms,
        .results = results,
        .explain = LF_EXPLAIN_FULL,
    };

    if (results == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < reopened->record.result_count; i++) {
        const struct lf_profile *profile = &reopened->profiles->items[i];
        struct lf_result *result = &results[count];

        if (reopened->record.results[i].shadow)
            continue;
        *result = (struct lf_result){
            .teller = profile->teller,
            .scorer = profile->scorer,
            .evaluation = evaluation,
            .index = i,
            .outcome = outcomes[i],
        };
        if (!lf_score_outcome(profile->scorer, result->outcome, arena, &result->score))
            return out_of_memory(error);
        count++;
    }
    if (count == 0)
        return damaged(error, "it answers nothing");
    answer.result_count = count;
    lf_answer_put(buf, arena, &answer);
    return LF_OK;
}

enum lf_status
lf_scoring_retell(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
                  struct lf_buf *buf, struct lf_error *error)
{
    struct reopened reopened;
    enum lf_status status = reopen(reader, arena, score, &reopened, error);

    if (status == LF_OK)
        status = put_answer(&reopened, arena, reopened.outcomes, reopened.evaluation, buf, error);
    lf_profiles_destroy(reopened.profiles);
    return status;
}

/* ---- computing again ---- */

/* A repetition on its way. */
struct repeating {
    struct reopened reopened;
    const struct lf_json *lead;         /* given by the caller; NULL: none */
    const struct lf_privacy *privacy;   /* as of now */
    const struct lf_outcome **outcomes; /* computed again */
    const struct lf_evaluation *told;   /* has the values to tell with them */
};

/* What of the given lead would be kept as the record keeps it, as JSON that is read again; all: with the fields that
 * are never kept. An empty object where that are no values. */
static enum lf_status
keep_part(const struct repeating *repeating, struct lf_arena *arena, const struct lf_evaluation *evaluation, bool all,
          const struct lf_json **ret_part, struct lf_error *error)
{
    struct lf_record part = {.kept = repeating->reopened.record.kept};
    size_t count = repeating->reopened.record.result_count;
    const struct lf_privacy *privacy = lf_privacy_as(arena, repeating->privacy, part.kept, all);
    bool *wanted = lf_arena_alloc(arena, count);
    struct lf_buf buf;
    enum lf_status status = LF_OK;

    if (privacy == NULL || wanted == NULL)
        return out_of_memory(error);
    memset(wanted, true, count);
    lf_buf_init(&buf, arena, ANSWER_MAX);
    status = lf_record_put_input(&buf, evaluation, repeating->lead, wanted, privacy, error);
    if (status != LF_OK)
        return status;
    if (buf.len == 0)
        lf_buf_lit(&buf, "{}");
    part.input = lf_buf_terminate(&buf);
    part.input_len = buf.len;
    return part.input == NULL ? out_of_memory(error) : lf_record_parse_input(arena, &part, ret_part, error);
}

/* The fields that some result says were not kept. */
static enum lf_status
gather_unkept(const struct repeating *repeating, struct lf_arena *arena, struct lf_unkept *ret_unkept,
              struct lf_error *error)
{
    const struct reopened *reopened = &repeating->reopened;
    const char **fields = NULL;
    size_t most = 0, count = 0;

    for (size_t i = 0; i < reopened->record.result_count; i++)
        most += reopened->profiles->items[i].icp->fields.count;
    fields = lf_arena_calloc(arena, most, sizeof *fields);
    if (fields == NULL)
        return out_of_memory(error);
    /* With hashes every value is withheld, and yet its hash is there. */
    for (size_t i = 0; i < reopened->record.result_count && reopened->record.kept != LF_KEPT_HASHES; i++) {
        const struct lf_fields *own = &reopened->profiles->items[i].icp->fields;
        const uint8_t *withheld = NULL;
        enum lf_status status =
            lf_record_withheld(reopened->profiles->items[i].icp, &reopened->record.results[i], &withheld, error);

        if (status != LF_OK)
            return status;
        for (size_t f = 0; withheld != NULL && f < own->count; f++)
            if ((withheld[f / 8] >> f % 8 & 1) != 0)
                fields[count++] = own->paths[f];
    }
    *ret_unkept = (struct lf_unkept){.privacy = repeating->privacy, .fields = fields, .count = count};
    return LF_OK;
}

/* How the given lead differs from the one that was stored, as far as can be told; "" for not at all. */
static enum lf_status
compare_leads(const struct repeating *repeating, struct lf_arena *arena, const struct lf_evaluation *evaluation,
              const char **ret_difference, struct lf_error *error)
{
    const struct lf_json *part = NULL;
    struct lf_unkept unkept;
    enum lf_status status = gather_unkept(repeating, arena, &unkept, error);

    if (status == LF_OK)
        status = keep_part(repeating, arena, evaluation, true, &part, error);
    if (status != LF_OK)
        return status;
    *ret_difference = lf_lead_difference(arena, repeating->reopened.input, part, &unkept);
    return *ret_difference == NULL ? out_of_memory(error) : LF_OK;
}

/* What to tell of a lead that differs: its own values, as far as they would be kept. */
static enum lf_status
tell_given(struct repeating *repeating, struct lf_arena *arena, const struct lf_evaluation *evaluation,
           struct lf_error *error)
{
    const struct reopened *reopened = &repeating->reopened;
    const struct lf_json *part = NULL;
    struct lf_evaluation *told = NULL;
    enum lf_status status = keep_part(repeating, arena, evaluation, false, &part, error);

    if (status != LF_OK || reopened->record.kept == LF_KEPT_HASHES)
        return status;
    told = lf_evaluation_create(reopened->profiles->program, arena, part, reopened->score->as_of_ms);
    if (told == NULL)
        return out_of_memory(error);
    for (size_t i = 0; status == LF_OK && i < reopened->record.result_count; i++)
        status = lf_record_restore_lists(told, i, &reopened->record.results[i], error);
    repeating->told = told;
    return status;
}

/* Evaluates anew: what was stored, or the given lead. *ret_difference: of the given lead. */
static enum lf_status
evaluate(struct repeating *repeating, struct lf_arena *arena, const char **ret_difference, struct lf_error *error)
{
    struct reopened *reopened = &repeating->reopened;
    size_t count = reopened->record.result_count;
    struct lf_evaluation *evaluation = reopened->evaluation;
    enum lf_status status = LF_OK;

    repeating->told = reopened->evaluation;
    repeating->outcomes = lf_arena_calloc(arena, count, sizeof(const struct lf_outcome *));
    if (repeating->lead != NULL)
        evaluation =
            lf_evaluation_create(reopened->profiles->program, arena, repeating->lead, reopened->score->as_of_ms);
    if (repeating->outcomes == NULL || evaluation == NULL)
        return out_of_memory(error);
    if (repeating->lead != NULL) {
        status = compare_leads(repeating, arena, evaluation, ret_difference, error);
        if (status == LF_OK && *ret_difference != NULL && **ret_difference != '\0')
            status = tell_given(repeating, arena, evaluation, error);
    }
    for (size_t i = 0; status == LF_OK && i < count && repeating->lead != NULL; i++)
        status = lf_record_restore_lists(evaluation, i, &reopened->record.results[i], error);
    for (size_t i = 0; status == LF_OK && i < count; i++)
        if ((repeating->outcomes[i] = lf_evaluate(evaluation, i)) == NULL)
            status = out_of_memory(error);
    return status;
}

/* Looks for the first result that differs, and says how; a lead that differs is said first. */
static enum lf_status
judge(const struct repeating *repeating, struct lf_arena *arena, const char *difference,
      struct lf_repetition *repetition, struct lf_error *error)
{
    const struct reopened *reopened = &repeating->reopened;

    if (difference[0] != '\0') {
        repetition->agrees = false;
        repetition->what = lf_arena_printf(arena, "the lead is not the one that was scored: %s", difference);
        if (repetition->what == NULL)
            return out_of_memory(error);
    }
    for (size_t i = 0; i < reopened->record.result_count; i++) {
        const struct lf_icp *icp = reopened->profiles->items[i].icp;

        if (lf_outcome_equal(icp, reopened->outcomes[i], repeating->outcomes[i]))
            continue;
        repetition->agrees = false;
        repetition->icp = lf_arena_copy(arena, icp->key, strlen(icp->key));
        if (difference[0] == '\0')
            repetition->what = lf_outcome_difference(arena, icp, reopened->outcomes[i], repeating->outcomes[i]);
        return repetition->icp == NULL || repetition->what == NULL ? out_of_memory(error) : LF_OK;
    }
    return LF_OK;
}

static enum lf_status
tell_text(const struct repeating *repeating, struct lf_arena *arena, const struct lf_outcome *const *outcomes,
          const struct lf_evaluation *evaluation, const char **ret_text, struct lf_error *error)
{
    struct lf_buf buf;
    enum lf_status status = LF_OK;

    lf_buf_init(&buf, arena, ANSWER_MAX);
    status = put_answer(&repeating->reopened, arena, outcomes, evaluation, &buf, error);
    *ret_text = status == LF_OK ? lf_buf_terminate(&buf) : NULL;
    return status == LF_OK && *ret_text == NULL ? out_of_memory(error) : status;
}

enum lf_status
lf_scoring_repeat(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_stored_score *score,
                  const struct lf_json *lead, const struct lf_privacy *privacy, bool tell,
                  struct lf_repetition *ret_repetition, struct lf_error *error)
{
    struct repeating repeating = {.lead = lead, .privacy = privacy};
    struct lf_repetition repetition = {.agrees = true, .icp = "", .what = ""};
    const char *difference = "";
    enum lf_status status = reopen(reader, arena, score, &repeating.reopened, error);

    if (status == LF_OK)
        status = evaluate(&repeating, arena, &difference, error);
    if (status == LF_OK)
        status = judge(&repeating, arena, difference, &repetition, error);
    if (status == LF_OK && tell)
        status = tell_text(&repeating, arena, repeating.reopened.outcomes, repeating.reopened.evaluation,
                           &repetition.recorded, error);
    if (status == LF_OK && tell)
        status = tell_text(&repeating, arena, repeating.outcomes, repeating.told, &repetition.computed, error);
    repetition.kept = repeating.reopened.record.kept;
    lf_profiles_destroy(repeating.reopened.profiles);
    if (status == LF_OK)
        *ret_repetition = repetition;
    return status;
}
