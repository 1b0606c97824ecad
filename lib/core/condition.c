/* condition.c - parses conditions; see condition.h. The words for a condition are in condition_words.c. */
#include "core/condition.h"

#include "base/time.h"

#include <string.h>

enum { PATH_MAX_BYTES = 200 };

static const struct {
    const char *word;
    enum lf_operand_kind operand;
} OPERATORS[LF_OP_COUNT] = {
#define LF_X(name, word, operand) [LF_OP_##name] = {word, LF_OPERAND_##operand},
    LF_OPERATOR_LIST(LF_X)
#undef LF_X
};

/* Every member a condition may have. */
static const char *const MEMBERS[] = {"all", "any", "not", "field",
#define LF_X(name, word, operand) word,
                                      LF_OPERATOR_LIST(LF_X)
#undef LF_X
                                          NULL};

const char *
lf_operator_word(enum lf_operator op)
{
    return OPERATORS[op].word;
}

enum lf_operand_kind
lf_operator_operand(enum lf_operator op)
{
    return OPERATORS[op].operand;
}

/* Where the path stands in the index, or the free place where it would. There is one: the index is half empty. */
static size_t
index_place(const struct lf_fields *fields, const char *path)
{
    static const uint64_t SEED[2] = {0x6669656c64706174u, 0x1b873593cc9e2d51u};
    size_t mask = fields->cap * 2 - 1, at = (size_t)lf_text_hash(path, strlen(path), SEED) & mask;

    while (fields->index[at] != 0 && strcmp(fields->paths[fields->index[at] - 1], path) != 0)
        at = (at + 1) & mask;
    return at;
}

static bool
grow_fields(struct lf_arena *arena, struct lf_fields *fields)
{
    struct lf_fields grown = {.count = fields->count, .cap = fields->cap == 0 ? 16 : fields->cap * 2};

    grown.paths = lf_arena_calloc(arena, grown.cap, sizeof *grown.paths);
    grown.index = lf_arena_calloc(arena, grown.cap * 2, sizeof *grown.index);
    if (grown.paths == NULL || grown.index == NULL)
        return false;
    for (size_t i = 0; i < fields->count; i++) {
        grown.paths[i] = fields->paths[i];
        grown.index[index_place(&grown, grown.paths[i])] = (uint32_t)i + 1;
    }
    *fields = grown;
    return true;
}

size_t
lf_fields_add(struct lf_arena *arena, struct lf_fields *fields, const char *path)
{
    size_t at = 0;

    if (fields->count == fields->cap && !grow_fields(arena, fields))
        return SIZE_MAX;
    at = index_place(fields, path);
    if (fields->index[at] != 0)
        return fields->index[at] - 1;
    fields->paths[fields->count] = path;
    fields->index[at] = (uint32_t)++fields->count;
    return fields->count - 1;
}

size_t
lf_field_parse(struct lf_document *document, struct lf_fields *fields, const struct lf_json *node,
               const struct lf_place *place)
{
    size_t len = 0, index = 0;
    const char *path = lf_json_text(node, &len);

    if (node == NULL) {
        lf_document_fault(document, place, "required", "field is missing: it is required here");
        return SIZE_MAX;
    }
    if (lf_json_kind(node) != LF_JSON_TEXT) {
        lf_document_fault(document, place, "wrong_type", "the dotted name of a lead's field belongs here");
        return SIZE_MAX;
    }
    if (len == 0 || len > PATH_MAX_BYTES || memchr(path, '\0', len) != NULL || path[0] == '.' || path[len - 1] == '.' ||
        strstr(path, "..") != NULL) {
        lf_document_fault(document, place, "invalid_path",
                          "names separated by single dots belong here, at most %d bytes: company.employees",
                          PATH_MAX_BYTES);
        return SIZE_MAX;
    }
    index = lf_fields_add(document->arena, fields, path);
    if (index == SIZE_MAX)
        lf_document_out_of_memory(document);
    return index;
}

/* ---- operands ---- */

static bool
parse_text(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
           struct lf_scalar *ret_entry)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    ret_entry->kind = LF_JSON_TEXT;
    ret_entry->raw = (struct lf_text){text, len};
    if (!lf_text_fold(document->arena, text, len, &ret_entry->folded)) {
        lf_document_out_of_memory(document);
        return false;
    }
    if (ret_entry->folded.len == 0) {
        lf_document_fault(document, place, "empty_text", "nothing is left of this text once it is folded and trimmed");
        return false;
    }
    return true;
}

static bool
parse_scalar(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, bool text_only,
             struct lf_scalar *ret_entry)
{
    enum lf_json_kind kind = lf_json_kind(node);

    if (kind == LF_JSON_TEXT)
        return parse_text(document, node, place, ret_entry);
    if (!text_only && (kind == LF_JSON_NUMBER || kind == LF_JSON_BOOLEAN)) {
        ret_entry->kind = kind;
        ret_entry->number = lf_json_number(node);
        ret_entry->yes = lf_json_is_true(node);
        return true;
    }
    lf_document_fault(document, place, "wrong_type",
                      text_only ? "a text belongs here" : "a text, a number or a boolean belongs here");
    return false;
}

static bool
parse_entries(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, bool text_only,
              struct lf_condition *leaf)
{
    size_t index = 0;
    bool fine = true;

    if (!lf_document_array(document, node, place, 1, LF_OPERAND_ENTRIES_MAX))
        return false;
    leaf->entry_count = lf_json_count(node);
    leaf->entries = lf_arena_calloc(document->arena, leaf->entry_count, sizeof *leaf->entries);
    if (leaf->entries == NULL) {
        lf_document_out_of_memory(document);
        return false;
    }
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        fine = parse_scalar(document, entry, &at, text_only, &leaf->entries[index]) && fine;
    }
    return fine;
}

static bool
parse_single(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, bool text_only,
             struct lf_condition *leaf)
{
    leaf->entry_count = 1;
    leaf->entries = lf_arena_calloc(document->arena, 1, sizeof *leaf->entries);
    if (leaf->entries == NULL) {
        lf_document_out_of_memory(document);
        return false;
    }
    return parse_scalar(document, node, place, text_only, &leaf->entries[0]);
}

static bool
parse_number(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, double *ret_value)
{
    if (lf_json_kind(node) != LF_JSON_NUMBER) {
        lf_document_fault(document, place, "wrong_type", "a number belongs here");
        return false;
    }
    *ret_value = lf_json_number(node);
    return true;
}

static bool
parse_range(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
            struct lf_condition *leaf)
{
    struct lf_place low = LF_PLACE_ELEMENT(place, 0), high = LF_PLACE_ELEMENT(place, 1);
    bool fine = true;

    if (!lf_document_array(document, node, place, 2, 2))
        return false;
    fine = parse_number(document, lf_json_first(node), &low, &leaf->low);
    return parse_number(document, lf_json_next(lf_json_first(node)), &high, &leaf->high) && fine;
}

static bool
parse_date(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
           struct lf_condition *leaf)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    if (text == NULL) {
        lf_document_fault(document, place, "wrong_type", "a date belongs here: \"2026-01-31\"");
        return false;
    }
    if (!lf_time_parse(text, len, &leaf->date_us)) {
        lf_document_fault(document, place, "invalid_date",
                          "not a date that can be read: write 2026-01-31 or 2026-01-31T09:30:00Z");
        return false;
    }
    return true;
}

static bool
parse_operand(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
              struct lf_condition *leaf)
{
    size_t before = document->findings->count;

    switch (lf_operator_operand(leaf->op)) {
    case LF_OPERAND_SCALAR:
        return parse_single(document, node, place, false, leaf);
    case LF_OPERAND_SCALARS:
        return parse_entries(document, node, place, false, leaf);
    case LF_OPERAND_TEXTS:
        if (lf_json_kind(node) == LF_JSON_ARRAY)
            return parse_entries(document, node, place, true, leaf);
        return parse_single(document, node, place, true, leaf);
    case LF_OPERAND_ALL_TEXTS:
        return parse_entries(document, node, place, true, leaf);
    case LF_OPERAND_NUMBER:
        return parse_number(document, node, place, &leaf->low);
    case LF_OPERAND_RANGE:
        return parse_range(document, node, place, leaf);
    case LF_OPERAND_DATE:
        return parse_date(document, node, place, leaf);
    case LF_OPERAND_DAYS:
        leaf->days = (int)lf_document_integer(document, node, place, 0, LF_DAYS_MAX);
        return document->findings->count == before;
    case LF_OPERAND_LIST_KEY:
        leaf->list = lf_document_key(document, node, place);
        return document->findings->count == before;
    case LF_OPERAND_BOOLEAN:
        leaf->yes = lf_json_is_true(node);
        if (lf_json_kind(node) != LF_JSON_BOOLEAN) {
            lf_document_fault(document, place, "wrong_type", "true or false belongs here");
            return false;
        }
        return true;
    }
    return false;
}

/* ---- conditions ---- */

static struct lf_condition *parse(struct lf_document *document, struct lf_fields *fields, const struct lf_json *node,
                                  const struct lf_place *place, int depth);

static bool
parse_leaf(struct lf_document *document, struct lf_fields *fields, const struct lf_json *node,
           const struct lf_place *place, struct lf_condition *leaf)
{
    struct lf_place at = LF_PLACE_MEMBER(place, "field");
    bool fine = true;

    leaf->kind = LF_CONDITION_LEAF;
    leaf->field = lf_field_parse(document, fields, lf_json_member(node, "field"), &at);
    fine = leaf->field != SIZE_MAX;
    for (int op = 0; op < LF_OP_COUNT; op++) {
        const struct lf_json *operand = lf_json_member(node, OPERATORS[op].word);
        if (operand == NULL)
            continue;
        leaf->op = (enum lf_operator)op;
        at = LF_PLACE_MEMBER(place, OPERATORS[op].word);
        fine = parse_operand(document, operand, &at, leaf) && fine;
    }
    return fine;
}

static bool
parse_children(struct lf_document *document, struct lf_fields *fields, const struct lf_json *list,
               const struct lf_place *place, int depth, struct lf_condition *condition)
{
    size_t index = 0;
    bool fine = true;

    if (!lf_document_array(document, list, place, 1, LF_OPERAND_ENTRIES_MAX))
        return false;
    condition->child_count = lf_json_count(list);
    condition->children = lf_arena_calloc(document->arena, condition->child_count, sizeof(struct lf_condition *));
    if (condition->children == NULL) {
        lf_document_out_of_memory(document);
        return false;
    }
    for (const struct lf_json *child = lf_json_first(list); child != NULL; child = lf_json_next(child), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        condition->children[index] = parse(document, fields, child, &at, depth + 1);
        fine = condition->children[index] != NULL && fine;
    }
    return fine;
}

static bool
parse_not(struct lf_document *document, struct lf_fields *fields, const struct lf_json *child,
          const struct lf_place *place, int depth, struct lf_condition *condition)
{
    condition->kind = LF_CONDITION_NOT;
    condition->child_count = 1;
    condition->children = lf_arena_calloc(document->arena, 1, sizeof(struct lf_condition *));
    if (condition->children == NULL) {
        lf_document_out_of_memory(document);
        return false;
    }
    condition->children[0] = parse(document, fields, child, place, depth + 1);
    return condition->children[0] != NULL;
}

/* What kind of condition the members make; a fault where they make none. */
static bool
classify(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
         enum lf_condition_kind *ret_kind)
{
    static const struct {
        const char *word;
        enum lf_condition_kind kind;
    } COMBINATORS[] = {{"all", LF_CONDITION_ALL}, {"any", LF_CONDITION_ANY}, {"not", LF_CONDITION_NOT}};
    bool field = lf_json_member(node, "field") != NULL;
    int operators = 0, combinators = 0;

    for (int op = 0; op < LF_OP_COUNT; op++)
        operators += lf_json_member(node, OPERATORS[op].word) != NULL;
    *ret_kind = LF_CONDITION_LEAF;
    for (size_t i = 0; i < sizeof COMBINATORS / sizeof *COMBINATORS; i++)
        if (lf_json_member(node, COMBINATORS[i].word) != NULL) {
            *ret_kind = COMBINATORS[i].kind;
            combinators++;
        }
    if (combinators == 1 && operators == 0 && !field)
        return true;
    if (combinators == 0 && operators == 1 && field)
        return true;
    if (combinators + operators > 1)
        lf_document_fault(document, place, "operator",
                          "exactly one operator may stand in a condition: join several with all or any");
    else if (field)
        lf_document_fault(document, place, "operator",
                          "an operator is missing beside field: is, in, contains, between …");
    else if (operators > 0)
        lf_document_fault(document, place, "operator", "field is missing beside the operator");
    else
        lf_document_fault(document, place, "operator",
                          "a condition is {\"all\": […]}, {\"any\": […]}, {\"not\": …} or a field with one operator");
    return false;
}

static struct lf_condition *
parse(struct lf_document *document, struct lf_fields *fields, const struct lf_json *node, const struct lf_place *place,
      int depth)
{
    struct lf_condition *condition = NULL;
    struct lf_place at = LF_PLACE_MEMBER(place, NULL);
    enum lf_condition_kind kind = LF_CONDITION_LEAF;
    size_t before = document->findings->count + document->findings->dropped;
    bool fine = false;

    if (depth > LF_CONDITION_DEPTH_MAX) {
        lf_document_fault(document, place, "too_deep", "a condition may be %d deep, its leaf counted",
                          LF_CONDITION_DEPTH_MAX);
        return NULL;
    }
    if (!lf_document_object(document, node, place, MEMBERS) || !classify(document, node, place, &kind))
        return NULL;
    condition = lf_arena_calloc(document->arena, 1, sizeof *condition);
    if (condition == NULL || (condition->pointer = lf_place_pointer(document->arena, place)) == NULL) {
        lf_document_out_of_memory(document);
        return NULL;
    }
    condition->kind = kind;
    switch (kind) {
    case LF_CONDITION_LEAF:
        fine = parse_leaf(document, fields, node, place, condition);
        break;
    case LF_CONDITION_ALL:
        at.name = "all";
        fine = parse_children(document, fields, lf_json_member(node, "all"), &at, depth, condition);
        break;
    case LF_CONDITION_ANY:
        at.name = "any";
        fine = parse_children(document, fields, lf_json_member(node, "any"), &at, depth, condition);
        break;
    case LF_CONDITION_NOT:
        at.name = "not";
        fine = parse_not(document, fields, lf_json_member(node, "not"), &at, depth, condition);
        break;
    }
    /* A fault in an unknown member has left the condition itself readable, but not right. */
    return fine && document->findings->count + document->findings->dropped == before ? condition : NULL;
}

struct lf_condition *
lf_condition_parse(struct lf_document *document, struct lf_fields *fields, const struct lf_json *node,
                   const struct lf_place *place)
{
    return parse(document, fields, node, place, 1);
}

const struct lf_condition *
lf_condition_first_leaf(const struct lf_condition *condition)
{
    while (condition->kind != LF_CONDITION_LEAF)
        condition = condition->children[0];
    return condition;
}
