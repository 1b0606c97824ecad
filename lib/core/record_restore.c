/*
 * record_restore.c - what a record gives back to an evaluation: the answers of lists and of conditions about fields
 * that were not kept (record.h; record.c tells the format).
 */
#include "core/record_types.h"

/* Whether a leaf can have answered this, or was not asked. */
static bool
is_state(uint8_t state)
{
    bool caused = (state & (STATE_MISSING | STATE_INVALID)) != 0;

    return state == STATE_FALSE || state == STATE_TRUE || state == STATE_UNTESTED ||
           (caused && (state & ~(STATE_MISSING | STATE_INVALID)) == STATE_UNKNOWN);
}

/* One that was not asked may have been asked for another ICP of the record, whose answer stays. */
static void
restore_state(struct lf_evaluation *evaluation, uint32_t leaf, uint8_t state)
{
    if (state != STATE_UNTESTED)
        evaluation->states[leaf] = state;
}

/* Gives the evaluation revisions of its own, at first those that the program's lists have. */
static bool
own_revisions(struct lf_evaluation *evaluation)
{
    size_t count = evaluation->program->list_count;
    int64_t *revisions = NULL;

    if (evaluation->revisions != NULL)
        return true;
    revisions = lf_arena_alloc(evaluation->arena, count * sizeof *revisions);
    for (size_t i = 0; revisions != NULL && i < count; i++)
        revisions[i] = list_revision(evaluation, (uint32_t)i);
    evaluation->revisions = revisions;
    return revisions != NULL;
}

/* What the record knows of withheld fields: which they are, which of them were missing, and what leaves said. use: take
 * it over, not only pass it by. */
static enum lf_status
restore_withheld(struct lf_evaluation *evaluation, size_t index, struct record_reader *reader, const uint8_t *missing,
                 const struct lf_attribute_outcome *attributes, bool use, struct lf_error *error)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];
    const uint8_t *withheld = record_get_bits(reader, compiled->source.icp);
    uint8_t pair = 0;
    bool upper = false;

    if (withheld == NULL)
        return record_damaged(error, "its fields are not those of its definition");
    for (size_t i = 0; i < compiled->leaf_count; i++) {
        uint32_t leaf = compiled->leaves[i].leaf;
        uint8_t state = 0;

        if (!bit_of(withheld, compiled->leaves[i].field) ||
            evaluation->program->leaves[leaf].source->op == LF_OP_IN_LIST)
            continue;
        if (!upper)
            pair = record_get_byte(reader);
        state = upper ? pair >> 4 : pair & 15;
        state = state == HALF_UNTESTED ? STATE_UNTESTED : state;
        upper = !upper;
        if (reader->bad || !is_state(state))
            return record_damaged(error, "a condition's answer is none");
        if (use)
            restore_state(evaluation, leaf, state);
    }
    if (upper && pair >> 4 != 0)
        return record_damaged(error, "a condition's answer is none");
    if (!use)
        return LF_OK;
    for (size_t f = 0; f < compiled->source.icp->fields.count; f++)
        if (bit_of(withheld, f))
            evaluation->slots[compiled->fields[f]].present = !bit_of(missing, f);
    if (evaluation->restored == NULL)
        evaluation->restored =
            lf_arena_calloc(evaluation->arena, evaluation->program->icp_count, sizeof *evaluation->restored);
    if (evaluation->restored == NULL)
        return record_out_of_memory(error);
    evaluation->restored[index] = (struct restored){attributes, withheld};
    return LF_OK;
}

static enum lf_status
restore_lists(struct lf_evaluation *evaluation, size_t index, struct record_reader *reader, bool revisions,
              struct lf_error *error)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];

    if (compiled->list_count > 0 && !own_revisions(evaluation))
        return record_out_of_memory(error);
    for (size_t i = 0; i < compiled->list_count; i++) {
        uint32_t leaf = compiled->lists[i];
        uint8_t state = record_get_byte(reader);
        uint64_t revision = revisions ? record_get_varint(reader) : 0;

        if (reader->bad || !is_state(state) || revision > INT64_MAX)
            return record_damaged(error, "a list's answer is none");
        restore_state(evaluation, leaf, state);
        evaluation->revisions[evaluation->program->leaves[leaf].asked] = (int64_t)revision;
    }
    return reader->at == reader->end ? LF_OK : record_damaged(error, "its lists are not those of its definition");
}

static enum lf_status
restore(struct lf_evaluation *evaluation, size_t index, const struct lf_recorded_result *result, bool withheld,
        struct lf_error *error)
{
    const struct lf_icp *icp = evaluation->program->icps[index].source.icp;
    struct record_reader reader = {.at = result->bytes, .end = result->bytes + result->len};
    struct lf_attribute_outcome *attributes = NULL;
    const uint8_t *missing = NULL;
    enum lf_status status = LF_OK;

    if (result->withheld && withheld &&
        (attributes = lf_arena_calloc(evaluation->arena, icp->attribute_count, sizeof *attributes)) == NULL)
        return record_out_of_memory(error);
    if (!record_get_attributes(&reader, icp, attributes))
        return record_damaged(error, "an attribute does not belong to its definition");
    reader.at += icp->disqualifier_count;
    if (result->format == FORMAT && (missing = record_get_bits(&reader, icp)) == NULL)
        return record_damaged(error, "its fields are not those of its definition");
    if (result->withheld)
        status = restore_withheld(evaluation, index, &reader, missing, attributes, withheld, error);
    if (status != LF_OK)
        return status;
    return restore_lists(evaluation, index, &reader, result->format != FORMAT_WITHOUT_REVISIONS, error);
}

enum lf_status
lf_record_restore(struct lf_evaluation *evaluation, size_t index, const struct lf_recorded_result *result,
                  struct lf_error *error)
{
    return restore(evaluation, index, result, true, error);
}

enum lf_status
lf_record_restore_lists(struct lf_evaluation *evaluation, size_t index, const struct lf_recorded_result *result,
                        struct lf_error *error)
{
    return restore(evaluation, index, result, false, error);
}

/* Whether a leaf has been asked since. */
static bool
is_asked_anew(const struct lf_evaluation *evaluation, uint32_t leaf, uint8_t recorded)
{
    return recorded == STATE_UNTESTED && evaluation->states[leaf] != STATE_UNTESTED;
}

enum lf_status
lf_record_asked_anew(const struct lf_evaluation *evaluation, size_t index, const struct lf_recorded_result *result,
                     struct lf_asked_anew *ret_anew, struct lf_error *error)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];
    const struct lf_icp *icp = compiled->source.icp;
    struct record_reader reader = {.at = result->bytes, .end = result->bytes + result->len};
    struct lf_asked_anew anew = {.lists = false};
    const uint8_t *withheld = NULL;
    size_t halves = 0;

    if (!record_get_attributes(&reader, icp, NULL))
        return record_damaged(error, "an attribute does not belong to its definition");
    reader.at += icp->disqualifier_count;
    if ((result->format == FORMAT && record_get_bits(&reader, icp) == NULL) ||
        (result->withheld && (withheld = record_get_bits(&reader, icp)) == NULL))
        return record_damaged(error, "its fields are not those of its definition");
    for (size_t i = 0, pair = 0; withheld != NULL && i < compiled->leaf_count; i++) {
        uint32_t leaf = compiled->leaves[i].leaf;

        if (!bit_of(withheld, compiled->leaves[i].field) ||
            evaluation->program->leaves[leaf].source->op == LF_OP_IN_LIST)
            continue;
        pair = halves++ % 2 == 0 ? record_get_byte(&reader) : pair >> 4;
        anew.withheld = anew.withheld ||
                        is_asked_anew(evaluation, leaf, (pair & 15) == HALF_UNTESTED ? STATE_UNTESTED : STATE_FALSE);
    }
    for (size_t i = 0; i < compiled->list_count; i++) {
        anew.lists = anew.lists || is_asked_anew(evaluation, compiled->lists[i], record_get_byte(&reader));
        if (lf_record_knows_revisions(result))
            (void)record_get_varint(&reader);
    }
    if (reader.bad || reader.at != reader.end)
        return record_damaged(error, "its lists are not those of its definition");
    *ret_anew = anew;
    return LF_OK;
}

bool
lf_record_knows_revisions(const struct lf_recorded_result *result)
{
    return result->format != FORMAT_WITHOUT_REVISIONS;
}

enum lf_status
lf_record_withheld(const struct lf_icp *icp, const struct lf_recorded_result *result, const uint8_t **ret_withheld,
                   struct lf_error *error)
{
    struct record_reader reader = {.at = result->bytes, .end = result->bytes + result->len};
    const uint8_t *withheld = NULL;

    if (result->withheld) {
        if (!record_get_attributes(&reader, icp, NULL))
            return record_damaged(error, "an attribute does not belong to its definition");
        reader.at += icp->disqualifier_count;
        if (record_get_bits(&reader, icp) == NULL || (withheld = record_get_bits(&reader, icp)) == NULL)
            return record_damaged(error, "its fields are not those of its definition");
    }
    *ret_withheld = withheld;
    return LF_OK;
}
