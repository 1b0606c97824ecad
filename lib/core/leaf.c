/*
 * leaf.c - tests one leaf against what was found in its field: coercions and operators.
 *
 * A leaf holds when it holds for some element; else it is unknown if some element is unknown; else false. An unknown
 * says why: something was missing, or of a kind that the operator cannot read.
 */
#include "core/program_types.h"

#include "base/number.h"
#include "base/time.h"
#include "core/text_match.h"

#include <string.h>

#define DAY_US INT64_C(86400000000)

/* ---- coercions ---- */

static bool
coerce_number(const struct lf_json *value, double *ret_number)
{
    size_t len = 0;
    const char *text = lf_json_text(value, &len);

    if (lf_json_kind(value) == LF_JSON_NUMBER) {
        *ret_number = lf_json_number(value);
        return true;
    }
    if (text == NULL)
        return false;
    struct lf_text trimmed = lf_text_trim(text, len);
    return lf_number_parse(trimmed.bytes, trimmed.len, ret_number);
}

bool
coerce_date(const struct lf_json *value, int64_t *ret_us)
{
    size_t len = 0;
    const char *text = lf_json_text(value, &len);
    double number = 0;

    if (text != NULL) {
        struct lf_text trimmed = lf_text_trim(text, len);
        if (lf_time_parse(trimmed.bytes, trimmed.len, ret_us))
            return true;
    }
    return coerce_number(value, &number) && lf_time_from_number(number, ret_us);
}

static bool
same(struct lf_text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.bytes, word, text.len) == 0;
}

/* folded: the value folded, where it is a text. */
static bool
coerce_boolean(const struct lf_json *value, struct lf_text folded, bool *ret_yes)
{
    switch (lf_json_kind(value)) {
    case LF_JSON_BOOLEAN:
        *ret_yes = lf_json_is_true(value);
        return true;
    case LF_JSON_NUMBER:
        *ret_yes = lf_json_number(value) > 0.5;
        return lf_json_number(value) == 0 || lf_json_number(value) == 1;
    case LF_JSON_TEXT:
        *ret_yes = same(folded, "true") || same(folded, "yes") || same(folded, "1");
        return *ret_yes || same(folded, "false") || same(folded, "no") || same(folded, "0");
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        return false;
    }
    return false;
}

/* The folded text of a scalar: a text, or a number or boolean as it is written. A single value is folded once. */
static bool
fold_value(struct lf_evaluation *evaluation, struct slot *slot, const struct lf_json *value, struct lf_text *ret_text)
{
    char number[LF_NUMBER_TEXT_MAX];
    const char *text = NULL;
    size_t len = 0;

    if (value == slot->value && slot->has_folded) {
        *ret_text = slot->folded;
        return true;
    }
    switch (lf_json_kind(value)) {
    case LF_JSON_TEXT:
        text = lf_json_text(value, &len);
        break;
    case LF_JSON_NUMBER:
        len = lf_number_format(lf_json_number(value), number);
        text = number;
        break;
    case LF_JSON_BOOLEAN:
        text = lf_json_is_true(value) ? "true" : "false";
        len = strlen(text);
        break;
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        return false;
    }
    if (!lf_text_fold(evaluation->arena, text, len, ret_text)) {
        evaluation->out_of_memory = true;
        return false;
    }
    if (text == number &&
        (ret_text->bytes = lf_arena_copy(evaluation->arena, ret_text->bytes, ret_text->len)) == NULL) {
        evaluation->out_of_memory = true;
        return false;
    }
    if (value == slot->value) {
        slot->folded = *ret_text;
        slot->has_folded = true;
    }
    return true;
}

/* ---- operators on one scalar value ---- */

static bool
has_number(const struct leaf *leaf, double number)
{
    size_t low = 0, high = leaf->number_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (leaf->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < leaf->number_count && leaf->numbers[low] == number;
}

static bool
has_text(const struct leaf *leaf, struct lf_text text)
{
    const struct lf_condition *source = leaf->source;

    if (leaf->texts.count > 0)
        return lf_text_set_has(&leaf->texts, text);
    for (size_t i = 0; i < source->entry_count; i++)
        if (source->entries[i].kind == LF_JSON_TEXT && source->entries[i].folded.len == text.len &&
            memcmp(source->entries[i].folded.bytes, text.bytes, text.len) == 0)
            return true;
    return false;
}

/* is, in: each entry in its own kind; invalid only when the value can take the kind of none. */
static uint8_t
test_equal(struct lf_evaluation *evaluation, struct slot *slot, const struct leaf *leaf, const struct lf_json *value)
{
    struct lf_text folded = {NULL, 0};
    bool readable = leaf->text_count > 0, yes = false;
    double number = 0;

    if ((leaf->text_count > 0 || leaf->booleans != 0) && !fold_value(evaluation, slot, value, &folded))
        return STATE_UNKNOWN | STATE_INVALID;
    if (leaf->text_count > 0 && has_text(leaf, folded))
        return STATE_TRUE;
    if (leaf->number_count > 0 && coerce_number(value, &number)) {
        readable = true;
        if (has_number(leaf, number))
            return STATE_TRUE;
    }
    if (leaf->booleans != 0 && coerce_boolean(value, folded, &yes)) {
        readable = true;
        if ((leaf->booleans & (yes ? 2u : 1u)) != 0)
            return STATE_TRUE;
    }
    return readable ? STATE_FALSE : STATE_UNKNOWN | STATE_INVALID;
}

static uint8_t
test_text(struct lf_evaluation *evaluation, struct slot *slot, const struct leaf *leaf, const struct lf_json *value)
{
    const struct lf_condition *source = leaf->source;
    struct lf_text text = {NULL, 0};

    if (!fold_value(evaluation, slot, value, &text))
        return STATE_UNKNOWN | STATE_INVALID;
    if (source->op == LF_OP_IN_LIST)
        return leaf->list != NULL && lf_named_list_has(leaf->list, text) ? STATE_TRUE : STATE_FALSE;
    for (size_t i = 0; i < source->entry_count; i++)
        if (lf_text_matches(source->op, text, source->entries[i].folded))
            return STATE_TRUE;
    return STATE_FALSE;
}

static uint8_t
test_number(const struct lf_condition *source, const struct lf_json *value)
{
    double number = 0;
    bool holds = false;

    if (!coerce_number(value, &number))
        return STATE_UNKNOWN | STATE_INVALID;
    if (source->op == LF_OP_GT)
        holds = number > source->low;
    else if (source->op == LF_OP_GTE)
        holds = number >= source->low;
    else if (source->op == LF_OP_LT)
        holds = number < source->low;
    else if (source->op == LF_OP_LTE)
        holds = number <= source->low;
    else
        holds = number >= source->low && number <= source->high;
    return holds ? STATE_TRUE : STATE_FALSE;
}

static uint8_t
test_date(const struct lf_evaluation *evaluation, const struct lf_condition *source, const struct lf_json *value)
{
    int64_t date = 0, age = 0, span = source->days * DAY_US;
    bool holds = false;

    if (!coerce_date(value, &date))
        return STATE_UNKNOWN | STATE_INVALID;
    age = evaluation->as_of_us - date;
    if (source->op == LF_OP_BEFORE)
        holds = date < source->date_us;
    else if (source->op == LF_OP_AFTER)
        holds = date > source->date_us;
    else if (source->op == LF_OP_WITHIN_DAYS)
        holds = age >= 0 && age <= span;
    else if (source->op == LF_OP_OLDER_THAN_DAYS)
        holds = age > span;
    else
        holds = age <= 0 && -age <= span;
    return holds ? STATE_TRUE : STATE_FALSE;
}

static uint8_t
test_value(struct lf_evaluation *evaluation, struct slot *slot, const struct leaf *leaf, const struct lf_json *value)
{
    const struct lf_condition *source = leaf->source;
    enum lf_json_kind kind = lf_json_kind(value);
    size_t len = 1;

    if (kind == LF_JSON_TEXT)
        (void)lf_json_text(value, &len);
    if (kind == LF_JSON_ABSENT || kind == LF_JSON_NULL || len == 0)
        return STATE_UNKNOWN | STATE_MISSING;
    if (kind == LF_JSON_ARRAY)
        return STATE_UNKNOWN | (lf_json_first(value) == NULL ? STATE_MISSING : STATE_INVALID);
    if (kind == LF_JSON_OBJECT)
        return STATE_UNKNOWN | STATE_INVALID;
    switch (lf_operator_operand(source->op)) {
    case LF_OPERAND_SCALAR:
    case LF_OPERAND_SCALARS:
        return test_equal(evaluation, slot, leaf, value);
    case LF_OPERAND_TEXTS:
    case LF_OPERAND_LIST_KEY:
        return test_text(evaluation, slot, leaf, value);
    case LF_OPERAND_NUMBER:
    case LF_OPERAND_RANGE:
        return test_number(source, value);
    case LF_OPERAND_DATE:
    case LF_OPERAND_DAYS:
        return test_date(evaluation, source, value);
    case LF_OPERAND_ALL_TEXTS:
    case LF_OPERAND_BOOLEAN:
        break;
    }
    return STATE_FALSE;
}

/* ---- operators on the whole field ---- */

/* has_all: every operand equals some element; else unknown if some element is; else false. The elements are put into
 * a set first, so that 10,000 operands and 10,000 elements take 20,000 steps. */
static uint8_t
test_has_all(struct lf_evaluation *evaluation, struct slot *slot, const struct leaf *leaf)
{
    const struct lf_condition *source = leaf->source;
    struct cursor cursor = {.slot = slot};
    struct lf_text_set found;
    uint8_t causes = 0;
    size_t elements = 0;

    while (cursor_next(&cursor) != NULL)
        elements++;
    if (!lf_text_set_init(&found, evaluation->arena, elements)) {
        evaluation->out_of_memory = true;
        return STATE_UNKNOWN;
    }
    cursor = (struct cursor){.slot = slot};
    for (const struct lf_json *value = cursor_next(&cursor); value != NULL; value = cursor_next(&cursor)) {
        struct lf_text text = {NULL, 0};
        uint8_t state = test_value(evaluation, slot, leaf, value); /* its kind alone: has_all has no test of one */

        if ((state & STATE_VERDICT) == STATE_UNKNOWN)
            causes |= state & (STATE_MISSING | STATE_INVALID);
        else if (fold_value(evaluation, slot, value, &text))
            lf_text_set_add(&found, text);
    }
    for (size_t i = 0; i < source->entry_count; i++)
        if (!lf_text_set_has(&found, source->entries[i].folded))
            return causes != 0 ? STATE_UNKNOWN | causes : STATE_FALSE;
    return STATE_TRUE;
}

static uint8_t
test_field(struct lf_evaluation *evaluation, struct slot *slot, const struct leaf *leaf)
{
    uint8_t causes = 0;

    if (leaf->source->op == LF_OP_EXISTS)
        return slot_missing(slot) != leaf->source->yes ? STATE_TRUE : STATE_FALSE;
    if (slot_missing(slot))
        return STATE_UNKNOWN | STATE_MISSING;
    if (leaf->source->op == LF_OP_HAS_ALL)
        return test_has_all(evaluation, slot, leaf);
    if (!slot_is_list(slot))
        return test_value(evaluation, slot, leaf, slot->value);

    struct cursor cursor = {.slot = slot};
    for (const struct lf_json *value = cursor_next(&cursor); value != NULL; value = cursor_next(&cursor)) {
        uint8_t state = test_value(evaluation, slot, leaf, value);
        if (state == STATE_TRUE)
            return STATE_TRUE;
        if ((state & STATE_VERDICT) == STATE_UNKNOWN)
            causes |= state & (STATE_MISSING | STATE_INVALID);
    }
    return causes != 0 ? STATE_UNKNOWN | causes : STATE_FALSE;
}

bool
leaf_reads(struct lf_evaluation *evaluation, uint32_t at, const struct lf_json *value)
{
    const struct leaf *leaf = &evaluation->program->leaves[at];

    return (test_value(evaluation, &evaluation->slots[leaf->field], leaf, value) & STATE_INVALID) == 0;
}

uint8_t
leaf_state(struct lf_evaluation *evaluation, uint32_t at)
{
    const struct leaf *leaf = &evaluation->program->leaves[at];

    if (evaluation->states[at] == STATE_UNTESTED)
        evaluation->states[at] = test_field(evaluation, &evaluation->slots[leaf->field], leaf);
    return evaluation->states[at];
}
