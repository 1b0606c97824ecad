/*
 * mapping_value.c - what comes of a value on its way into a lead: out of its wrapper, split, labelled.
 *
 * What need not change is shared with the payload; nodes are made for the pieces of a text, for labels, and for lists
 * that have one.
 */
#include "base/number.h"
#include "base/text.h"
#include "core/mapping_types.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

/* NULL when there is no memory; the maker notes it. */
static struct lf_json *
new_list(struct mapping_maker *maker)
{
    struct lf_json *list = lf_json_new_array(maker->arena);

    maker->out_of_memory = maker->out_of_memory || list == NULL;
    return list;
}

/* Appends to a list; false when there is no memory or too much. */
static bool
append(struct mapping_maker *maker, struct lf_json *list, const struct lf_json *node)
{
    if (maker->elements == 0) {
        maker->too_many = true;
        return false;
    }
    maker->elements--;
    if (lf_json_append_shared(maker->arena, list, node))
        return true;
    maker->out_of_memory = true;
    return false;
}

/* The pieces of a text as a list, trimmed, without empty ones. NULL when there is no memory or too many. */
static const struct lf_json *
split(struct mapping_maker *maker, const struct lf_json *node, const char *separator)
{
    size_t len = 0, separator_len = strlen(separator);
    const char *text = lf_json_text(node, &len), *end = text + len;
    struct lf_json *list = new_list(maker);

    while (list != NULL && text != NULL) {
        const char *next = memmem(text, (size_t)(end - text), separator, separator_len);
        struct lf_text piece = lf_text_trim(text, (size_t)((next != NULL ? next : end) - text));

        if (piece.len > 0) {
            const struct lf_json *made = lf_json_new_text(maker->arena, piece.bytes, piece.len);

            maker->out_of_memory = maker->out_of_memory || made == NULL;
            if (made == NULL || !append(maker, list, made))
                return NULL;
        }
        text = next != NULL ? next + separator_len : NULL;
    }
    return list;
}

/* ---- wrappers ---- */

static bool
is_text(const struct lf_json *node, const char *word)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    return text != NULL && strlen(word) == len && memcmp(text, word, len) == 0;
}

/* The members of a wrapper, found in one walk: what claims to be one may have very many. */
struct wrapper {
    const struct lf_json *value, *normalized, *type, *id, *values, *primary;
    size_t others; /* members beside type, id and values */
};

static struct wrapper
look_into(const struct lf_json *object)
{
    struct wrapper wrapper = {.value = NULL};
    const struct {
        const char *name;
        const struct lf_json **node;
        bool other;
    } MEMBERS[] = {
        {"value", &wrapper.value, true},     {"normalizedValue", &wrapper.normalized, true},
        {"primary", &wrapper.primary, true}, {"type", &wrapper.type, false},
        {"id", &wrapper.id, false},          {"values", &wrapper.values, false},
    };

    for (const struct lf_json *member = lf_json_kind(object) == LF_JSON_OBJECT ? lf_json_first(object) : NULL;
         member != NULL; member = lf_json_next(member)) {
        bool other = true;

        for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
            if (strcmp(lf_json_name(member), MEMBERS[i].name) == 0) {
                *MEMBERS[i].node = member;
                other = MEMBERS[i].other;
            }
        wrapper.others += other;
    }
    return wrapper;
}

/* {"value": …}. */
static const struct lf_json *
value_in(struct mapping_maker *maker, const struct wrapper *wrapper)
{
    const struct lf_json *value = lf_json_is_something(wrapper->value) ? wrapper->value : wrapper->normalized;

    if (value == NULL)
        return wrapper->value;
    if (is_text(wrapper->type, "multiselect") && lf_json_kind(value) == LF_JSON_TEXT)
        return split(maker, value, "|");
    return value;
}

/* [{"id": …}]: the ids; what is no such object stays as it is. */
static const struct lf_json *
ids_in(struct mapping_maker *maker, const struct lf_json *values)
{
    struct lf_json *list = new_list(maker);

    for (const struct lf_json *node = lf_json_first(values); list != NULL && node != NULL; node = lf_json_next(node)) {
        const struct lf_json *id = lf_json_kind(node) == LF_JSON_OBJECT ? lf_json_member(node, "id") : NULL;

        if (!append(maker, list, id != NULL ? id : node))
            return NULL;
    }
    return list;
}

/* [{"value": …}]: the values, or that of the primary one where one says whether it is. NULL with *ret_is false when it
 * is no such list. */
static const struct lf_json *
values_in(struct mapping_maker *maker, const struct lf_json *array, bool *ret_is)
{
    const struct lf_json *primary = NULL;
    bool ranked = false;
    struct lf_json *list = NULL;

    *ret_is = false;
    for (const struct lf_json *node = lf_json_first(array); node != NULL; node = lf_json_next(node)) {
        struct wrapper wrapper = look_into(node);

        if (wrapper.value == NULL)
            return NULL;
        ranked = ranked || wrapper.primary != NULL;
        if (primary == NULL && lf_json_is_true(wrapper.primary))
            primary = wrapper.value;
    }
    *ret_is = true;
    if (ranked)
        return primary != NULL ? primary : lf_json_member(lf_json_first(array), "value");
    list = new_list(maker);
    for (const struct lf_json *node = lf_json_first(array); list != NULL && node != NULL; node = lf_json_next(node))
        if (!append(maker, list, lf_json_member(node, "value")))
            return NULL;
    return list;
}

const struct lf_json *
mapping_unwrap(struct mapping_maker *maker, const struct lf_json *node, bool *ret_unwrapped)
{
    const struct lf_json *values = NULL;
    struct wrapper wrapper;

    *ret_unwrapped = false;
    if (lf_json_kind(node) == LF_JSON_ARRAY && lf_json_first(node) != NULL) {
        values = values_in(maker, node, ret_unwrapped);
        return *ret_unwrapped ? values : node;
    }
    if (lf_json_kind(node) != LF_JSON_OBJECT)
        return node;
    wrapper = look_into(node);
    *ret_unwrapped = true;
    if (wrapper.value != NULL)
        return value_in(maker, &wrapper);
    if (lf_json_kind(wrapper.type) == LF_JSON_TEXT && wrapper.others == 0) {
        if (wrapper.id != NULL && wrapper.values == NULL)
            return wrapper.id;
        if (lf_json_kind(wrapper.values) == LF_JSON_ARRAY && wrapper.id == NULL)
            return ids_in(maker, wrapper.values);
    }
    *ret_unwrapped = false;
    return node;
}

/* ---- labels ---- */

/* A value as text, as labels are looked up: a text itself, a number as JSON has it, true, false. NULL for what has no
 * label. */
static const char *
raw_text(const struct lf_json *node, char number[LF_NUMBER_TEXT_MAX], size_t *ret_len)
{
    const char *digits = lf_json_long_digits(node);

    switch (lf_json_kind(node)) {
    case LF_JSON_TEXT:
        return lf_json_text(node, ret_len);
    case LF_JSON_NUMBER:
        *ret_len = digits != NULL ? strlen(digits) : lf_number_format(lf_json_number(node), number);
        return digits != NULL ? digits : number;
    case LF_JSON_BOOLEAN:
        *ret_len = lf_json_is_true(node) ? 4 : 5;
        return lf_json_is_true(node) ? "true" : "false";
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        break;
    }
    *ret_len = 0;
    return NULL;
}

int
mapping_compare_labels(const void *a, const void *b)
{
    const struct mapping_label *x = a, *y = b;
    size_t len = x->raw_len < y->raw_len ? x->raw_len : y->raw_len;
    int order = memcmp(x->raw, y->raw, len);

    return order != 0 ? order : (x->raw_len > y->raw_len) - (x->raw_len < y->raw_len);
}

/* HubSpot's own words for industries and the like: COMPUTER_SOFTWARE. NULL when it is none, or there is no memory. */
static const struct lf_json *
constant_as_words(struct mapping_maker *maker, const char *text, size_t len)
{
    char *words = NULL;
    const struct lf_json *made = NULL;

    if (len == 0 || memchr(text, '_', len) == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= '0' && text[i] <= '9') || text[i] == '_'))
            return NULL;
    words = lf_arena_copy(maker->arena, text, len);
    for (size_t i = 0; words != NULL && i < len; i++)
        if (words[i] == '_')
            words[i] = ' ';
    if (words != NULL)
        made = lf_json_new_text(maker->arena, words, len);
    maker->out_of_memory = maker->out_of_memory || made == NULL;
    return made;
}

/* The value with its label in place of it; NULL where the label says that it is none. */
static const struct lf_json *
label_one(struct mapping_maker *maker, const struct mapping_field *field, const struct lf_json *node,
          struct lf_mapped_field *mapped)
{
    char number[LF_NUMBER_TEXT_MAX];
    struct mapping_label wanted = {.raw = NULL};
    const struct mapping_label *label = NULL;
    const struct lf_json *words = NULL;

    if (!lf_json_is_something(node))
        return node;
    wanted.raw = raw_text(node, number, &wanted.raw_len);
    if (wanted.raw != NULL && field->label_count > 0)
        label = bsearch(&wanted, field->labels, field->label_count, sizeof *field->labels, mapping_compare_labels);
    if (label != NULL) {
        mapped->labelled = true;
        return label->label;
    }
    if (field->constants && lf_json_kind(node) == LF_JSON_TEXT)
        words = constant_as_words(maker, wanted.raw, wanted.raw_len);
    mapped->labelled = mapped->labelled || words != NULL;
    mapped->unlabelled = mapped->unlabelled || (field->label_count > 0 && wanted.raw != NULL);
    return words != NULL ? words : node;
}

static const struct lf_json *
label_all(struct mapping_maker *maker, const struct mapping_field *field, const struct lf_json *array,
          struct lf_mapped_field *mapped)
{
    struct lf_json *list = new_list(maker);

    for (const struct lf_json *node = lf_json_first(array); list != NULL && node != NULL; node = lf_json_next(node)) {
        const struct lf_json *labelled = label_one(maker, field, node, mapped);

        if (labelled != NULL && !append(maker, list, labelled))
            return NULL;
    }
    return list;
}

/* ---- all of it ---- */

void
mapping_value(struct mapping_maker *maker, const struct mapping_field *field, const struct lf_json *raw,
              struct lf_mapped_field *ret_mapped)
{
    struct lf_mapped_field mapped = {.field = field->path, .pointer = "", .raw = raw};
    const struct lf_json *value = NULL;

    if (lf_json_is_something(raw))
        value = mapping_unwrap(maker, raw, &mapped.unwrapped);
    if (field->separator != NULL && lf_json_kind(value) == LF_JSON_TEXT && lf_json_is_something(value)) {
        value = split(maker, value, field->separator);
        mapped.split = true;
    }
    if (value != NULL && (field->label_count > 0 || field->constants))
        value = lf_json_kind(value) == LF_JSON_ARRAY ? label_all(maker, field, value, &mapped)
                                                     : label_one(maker, field, value, &mapped);
    mapped.value = lf_json_is_something(value) ? value : NULL;
    *ret_mapped = mapped;
}

/* ---- Salesforce's ids ---- */

enum { SHORT_ID = 15, ID_GROUP = 5 };

static bool
is_short_id(const char *text, size_t len)
{
    for (size_t i = 0; text != NULL && i < len; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
              (text[i] >= '0' && text[i] <= '9')))
            return false;
    return len == SHORT_ID;
}

/* Each group of five characters gets one more, which says where its capitals are: the first is the lowest of five bits.
 */
const struct lf_json *
mapping_case_safe_id(struct mapping_maker *maker, const struct lf_json *id)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    size_t len = 0;
    const char *text = lf_json_text(id, &len);
    char safe[SHORT_ID + SHORT_ID / ID_GROUP];
    const struct lf_json *made = NULL;

    if (!is_short_id(text, len))
        return id;
    memcpy(safe, text, SHORT_ID);
    for (size_t group = 0; group < SHORT_ID / ID_GROUP; group++) {
        unsigned bits = 0;

        for (size_t i = 0; i < ID_GROUP; i++) {
            char c = text[group * ID_GROUP + i];
            bits |= c >= 'A' && c <= 'Z' ? 1u << i : 0;
        }
        safe[SHORT_ID + group] = DIGITS[bits];
    }
    made = lf_json_new_text(maker->arena, safe, sizeof safe);
    maker->out_of_memory = maker->out_of_memory || made == NULL;
    return made;
}
