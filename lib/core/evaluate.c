/*
 * evaluate.c - what becomes of a lead under an ICP: rules in order, three-valued conditions, fading.
 */
#include "core/program_types.h"

#include "base/number.h"
#include "base/text.h"

#include <string.h>

#define DAY_US INT64_C(86400000000)

__extension__ typedef __int128 wide; /* a fit in millionths times microseconds of 36,500 days needs 72 bits */

struct lf_evaluation *
lf_evaluation_create(const struct lf_program *program, struct lf_arena *arena, const struct lf_json *lead,
                     int64_t as_of_ms)
{
    struct lf_evaluation *evaluation = lf_arena_calloc(arena, 1, sizeof *evaluation);

    if (evaluation == NULL)
        return NULL;
    evaluation->program = program;
    evaluation->arena = arena;
    evaluation->as_of_us = as_of_ms * 1000;
    evaluation->slots = lf_arena_calloc(arena, program->field_count, sizeof *evaluation->slots);
    evaluation->states = lf_arena_alloc(arena, program->leaf_count);
    if (evaluation->slots == NULL || evaluation->states == NULL)
        return NULL;
    memset(evaluation->states, STATE_UNTESTED, program->leaf_count);
    return lookup_fields(evaluation, lead) ? evaluation : NULL;
}

/* Kleene's logic. A false part decides an `all`, a true one an `any`; what stays unknown joins the causes. */
static uint8_t
test_node(struct lf_evaluation *evaluation, uint32_t at)
{
    const struct node *node = &evaluation->program->nodes[at];
    uint8_t deciding = node->kind == LF_CONDITION_ALL ? STATE_FALSE : STATE_TRUE, causes = 0;
    bool unknown = false;

    if (node->kind == LF_CONDITION_LEAF)
        return leaf_state(evaluation, node->leaf);
    if (node->kind == LF_CONDITION_NOT) {
        uint8_t state = test_node(evaluation, node->first);
        return (state & STATE_VERDICT) == STATE_UNKNOWN ? state : state == STATE_TRUE ? STATE_FALSE : STATE_TRUE;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        uint8_t state = test_node(evaluation, node->first + i);
        if (state == deciding)
            return deciding;
        if ((state & STATE_VERDICT) == STATE_UNKNOWN) {
            unknown = true;
            causes |= state & (STATE_MISSING | STATE_INVALID);
        }
    }
    if (unknown)
        return STATE_UNKNOWN | causes;
    return deciding == STATE_FALSE ? STATE_TRUE : STATE_FALSE;
}

/* fit x max(0, 1 - age / days), rounded half away from zero to millionths; age is not below 0. */
static int32_t
fade(int32_t fit, int64_t age_us, int days)
{
    wide span = (wide)days * DAY_US, left = 0;

    if (age_us <= 0)
        return fit;
    if (age_us >= span)
        return 0;
    left = (wide)fit * (span - age_us);
    return (int32_t)((2 * left + (left < 0 ? -span : span)) / (2 * span));
}

/* How a rule faded whose date was not kept: what the record says of its attribute tells. Of the causes for which it
 * was unknown the attribute only keeps whether one was a value of the wrong kind. */
static uint8_t
fade_restored(const struct lf_attribute_outcome *recorded, int rule, int32_t *ret_fit)
{
    if (recorded->status != LF_ATTRIBUTE_MATCHED || recorded->rule != rule)
        return STATE_UNKNOWN | (recorded->invalid ? STATE_INVALID : STATE_MISSING);
    *ret_fit = recorded->fit;
    return STATE_TRUE;
}

/* Applies a rule's fading to its fit. A date that cannot be read leaves the rule unknown, with the cause. */
static uint8_t
fade_rule(struct lf_evaluation *evaluation, const struct lf_rule *rule, uint32_t field, int32_t *ret_fit)
{
    struct slot *slot = &evaluation->slots[field];
    struct cursor cursor = {.slot = slot};
    int64_t latest = 0, date = 0;
    bool found = false;
    uint8_t causes = 0;

    for (const struct lf_json *value = cursor_next(&cursor); value != NULL; value = cursor_next(&cursor)) {
        size_t len = 1;

        if (lf_json_kind(value) == LF_JSON_TEXT)
            (void)lf_json_text(value, &len);
        if (coerce_date(value, &date)) {
            latest = !found || date > latest ? date : latest;
            found = true;
        } else if (lf_json_kind(value) == LF_JSON_NULL || len == 0 ||
                   (lf_json_kind(value) == LF_JSON_ARRAY && lf_json_first(value) == NULL)) {
            causes |= STATE_MISSING;
        } else {
            causes |= STATE_INVALID;
        }
    }
    if (!found)
        return STATE_UNKNOWN | (causes != 0 ? causes : STATE_MISSING);
    *ret_fit = fade(rule->fit, evaluation->as_of_us - latest, rule->fade_days);
    return STATE_TRUE;
}

/* The leaf that made a true condition true: of `all` the first part, of `any` the first true one; below a `not` no
 * part made it true, and the first leaf speaks for all. */
static uint32_t
deciding_field(struct lf_evaluation *evaluation, uint32_t at, const struct lf_condition *condition)
{
    while (condition->kind == LF_CONDITION_ALL || condition->kind == LF_CONDITION_ANY) {
        const struct node *node = &evaluation->program->nodes[at];
        uint32_t part = 0;

        for (uint32_t i = 0; condition->kind == LF_CONDITION_ANY && i < node->count; i++)
            if (test_node(evaluation, node->first + i) == STATE_TRUE) {
                part = i;
                break;
            }
        at = node->first + part;
        condition = condition->children[part];
    }
    return (uint32_t)lf_condition_first_leaf(condition)->field;
}

/* The first missing field of a condition, in reading order, `exists` aside. */
static uint32_t
missing_in_condition(const struct lf_evaluation *evaluation, const struct compiled_icp *icp,
                     const struct lf_condition *condition)
{
    if (condition->kind == LF_CONDITION_LEAF) {
        bool missing = condition->op != LF_OP_EXISTS && slot_missing(&evaluation->slots[icp->fields[condition->field]]);
        return missing ? (uint32_t)condition->field : LF_NO_FIELD;
    }
    for (size_t i = 0; i < condition->child_count; i++) {
        uint32_t field = missing_in_condition(evaluation, icp, condition->children[i]);
        if (field != LF_NO_FIELD)
            return field;
    }
    return LF_NO_FIELD;
}

static uint32_t
first_missing(const struct lf_evaluation *evaluation, const struct compiled_icp *icp,
              const struct lf_attribute *attribute)
{
    for (size_t i = 0; i < attribute->rule_count; i++) {
        const struct lf_rule *rule = &attribute->rules[i];
        uint32_t field = missing_in_condition(evaluation, icp, rule->when);

        if (field != LF_NO_FIELD)
            return field;
        if (rule->fade_field != SIZE_MAX && slot_missing(&evaluation->slots[icp->fields[rule->fade_field]]))
            return (uint32_t)rule->fade_field;
    }
    return LF_NO_FIELD;
}

/* A fading rule of an attribute, whose condition holds. */
static uint8_t
fade_attribute(struct lf_evaluation *evaluation, const struct compiled_icp *icp, size_t at, size_t rule_at,
               int32_t *ret_fit)
{
    const struct lf_rule *rule = &icp->source.icp->attributes[at].rules[rule_at];
    const struct restored *restored =
        evaluation->restored != NULL ? &evaluation->restored[icp - evaluation->program->icps] : NULL;

    if (restored != NULL && restored->attributes != NULL && bit_of(restored->withheld, rule->fade_field))
        return fade_restored(&restored->attributes[at], (int)rule_at, ret_fit);
    return fade_rule(evaluation, rule, icp->fields[rule->fade_field], ret_fit);
}

static void
evaluate_attribute(struct lf_evaluation *evaluation, const struct compiled_icp *icp, size_t at,
                   struct lf_attribute_outcome *outcome)
{
    const struct lf_attribute *attribute = &icp->source.icp->attributes[at];
    bool unknown = false;

    *outcome = (struct lf_attribute_outcome){.rule = LF_NO_RULE, .missing = LF_NO_FIELD};
    for (size_t i = 0; i < attribute->rule_count; i++) {
        const struct lf_rule *rule = &attribute->rules[i];
        uint8_t state = test_node(evaluation, icp->rules[at][i]);

        outcome->fit = rule->fit;
        if (state == STATE_TRUE && rule->fade_field != SIZE_MAX)
            state = fade_attribute(evaluation, icp, at, i, &outcome->fit);
        if (state == STATE_TRUE) {
            outcome->status = LF_ATTRIBUTE_MATCHED;
            outcome->rule = (int)i;
            outcome->field = deciding_field(evaluation, icp->rules[at][i], rule->when);
            return;
        }
        if ((state & STATE_VERDICT) == STATE_UNKNOWN) {
            unknown = true;
            outcome->invalid = outcome->invalid || (state & STATE_INVALID) != 0;
        }
    }
    outcome->status = unknown ? LF_ATTRIBUTE_UNKNOWN : LF_ATTRIBUTE_UNMATCHED;
    outcome->field = (uint32_t)lf_condition_first_leaf(attribute->rules[0].when)->field;
    outcome->fit = !unknown ? attribute->otherwise : attribute->skip_missing ? 0 : attribute->missing;
    if (unknown)
        outcome->missing = first_missing(evaluation, icp, attribute);
}

/* Which of the definition's fields are missing. */
static void
note_missing(const struct lf_evaluation *evaluation, const struct compiled_icp *icp, uint8_t *missing)
{
    const uint32_t *field = icp->fields, *end = field + icp->source.icp->fields.count;

    while (field < end) {
        unsigned bits = 0;

        for (unsigned bit = 0; bit < 8 && field < end; bit++)
            bits |= (unsigned)slot_missing(&evaluation->slots[*field++]) << bit;
        *missing++ = (uint8_t)bits;
    }
}

const struct lf_outcome *
lf_evaluate(struct lf_evaluation *evaluation, size_t index)
{
    const struct compiled_icp *icp = &evaluation->program->icps[index];
    const struct lf_icp *source = icp->source.icp;
    struct lf_outcome *outcome = lf_arena_alloc(evaluation->arena, sizeof *outcome);

    if (outcome == NULL)
        return NULL;
    outcome->attributes = lf_arena_alloc(evaluation->arena, source->attribute_count * sizeof *outcome->attributes);
    outcome->disqualifiers = lf_arena_alloc(evaluation->arena, source->disqualifier_count);
    outcome->missing = lf_arena_alloc(evaluation->arena, bits_size(source->fields.count));
    if (outcome->attributes == NULL || outcome->disqualifiers == NULL || outcome->missing == NULL)
        return NULL;
    for (size_t i = 0; i < source->attribute_count; i++)
        evaluate_attribute(evaluation, icp, i, &outcome->attributes[i]);
    for (size_t i = 0; i < source->disqualifier_count; i++)
        outcome->disqualifiers[i] = test_node(evaluation, icp->disqualifiers[i]) & STATE_VERDICT;
    note_missing(evaluation, icp, outcome->missing);
    return evaluation->out_of_memory ? NULL : outcome;
}

/* ---- lists ---- */

int64_t
list_revision(const struct lf_evaluation *evaluation, uint32_t list)
{
    const struct lf_named_list *present = evaluation->program->lists[list];

    if (evaluation->revisions != NULL)
        return evaluation->revisions[list];
    return present != NULL ? present->revision : 0;
}

size_t
lf_evaluation_lists(const struct lf_evaluation *evaluation, size_t index, struct lf_list_use *uses)
{
    const struct compiled_icp *compiled = &evaluation->program->icps[index];
    const struct lf_fields *lists = &compiled->source.icp->lists;

    for (size_t i = 0; uses != NULL && i < lists->count; i++)
        uses[i] = (struct lf_list_use){lists->paths[i], list_revision(evaluation, compiled->asked[i])};
    return lists->count;
}

/* ---- a value as text ---- */

/* Appends one value, cut to the characters that are left; returns how many are left then. */
static size_t
put_value(struct lf_buf *buf, const struct lf_json *value, bool later, size_t left)
{
    char number[LF_NUMBER_TEXT_MAX];
    size_t len = 0, cut = 0, characters = 0;
    const char *text = lf_json_text(value, &len);

    if (lf_json_kind(value) == LF_JSON_NUMBER) {
        len = lf_number_format(lf_json_number(value), number);
        text = number;
    } else if (lf_json_kind(value) == LF_JSON_BOOLEAN) {
        text = lf_json_is_true(value) ? "true" : "false";
        len = strlen(text);
    }
    if (text == NULL || len == 0 || left == 0)
        return left;
    if (later) {
        lf_buf_add(buf, ", ", left < 2 ? left : 2);
        left -= left < 2 ? left : 2;
    }
    cut = len <= left ? len : lf_text_prefix(text, len, left);
    characters = len <= left ? lf_text_length(text, len) : lf_text_length(text, cut);
    lf_buf_add(buf, text, cut);
    return left - characters;
}

void
lf_evaluation_value(const struct lf_evaluation *evaluation, size_t index, uint32_t field, struct lf_buf *buf)
{
    const struct slot *slot = &evaluation->slots[evaluation->program->icps[index].fields[field]];
    struct cursor cursor = {.slot = slot};
    size_t left = LF_VALUE_MAX + 1, begin = buf->len;

    for (const struct lf_json *value = cursor_next(&cursor); value != NULL && left > 0; value = cursor_next(&cursor))
        left = put_value(buf, value, buf->len > begin, left);
    if (left == 0 && !lf_buf_failed(buf)) {
        /* One character more than there may be has been found: it makes room for the dots. */
        buf->len = begin + lf_text_prefix(buf->data + begin, buf->len - begin, LF_VALUE_MAX);
        lf_buf_lit(buf, "…");
    }
}
