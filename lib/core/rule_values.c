/* rule_values.c - see rule_values.h. */
#include "core/rule_values.h"

#include "core/program_types.h"

/* ---- which fields ---- */

struct gathering {
    const struct lf_program *program;
    const struct compiled_icp *icp;
    struct lf_rule_field **of; /* by field of the definition; NULL: not read yet */
    struct lf_rule_fields *fields;
    bool counting; /* leaves are counted first, and then noted */
};

static struct lf_rule_field *
field_of(struct gathering *gathering, size_t field)
{
    struct lf_rule_field *item = gathering->of[field];

    if (item == NULL) {
        item = &gathering->fields->items[gathering->fields->count++];
        *item = (struct lf_rule_field){.field = (uint32_t)field, .place = gathering->icp->fields[field]};
        gathering->of[field] = item;
    }
    return item;
}

static void
gather_condition(struct gathering *gathering, const struct lf_condition *condition, uint32_t at)
{
    const struct node *node = &gathering->program->nodes[at];
    struct lf_rule_field *item = NULL;

    if (condition->kind != LF_CONDITION_LEAF) {
        for (size_t i = 0; i < condition->child_count; i++)
            gather_condition(gathering, condition->children[i], node->first + (uint32_t)i);
        return;
    }
    if (condition->op == LF_OP_EXISTS)
        return;
    item = field_of(gathering, condition->field);
    if (!gathering->counting)
        item->leaves[item->leaf_count] = node->leaf;
    item->leaf_count++;
}

static void
gather(struct gathering *gathering, size_t attribute)
{
    const struct lf_attribute *source = &gathering->icp->source.icp->attributes[attribute];

    for (size_t r = 0; r < source->rule_count; r++) {
        gather_condition(gathering, source->rules[r].when, gathering->icp->rules[attribute][r]);
        if (source->rules[r].fade_field != SIZE_MAX)
            field_of(gathering, source->rules[r].fade_field)->fades = true;
    }
}

bool
lf_rule_fields_init(struct lf_rule_fields *fields, struct lf_arena *arena, const struct lf_program *program,
                    size_t index, size_t attribute)
{
    const struct compiled_icp *icp = &program->icps[index];
    size_t most = icp->source.icp->fields.count;
    struct gathering gathering = {.program = program, .icp = icp, .fields = fields, .counting = true};

    *fields = (struct lf_rule_fields){.items = lf_arena_calloc(arena, most, sizeof *fields->items)};
    gathering.of = lf_arena_calloc(arena, most, sizeof(struct lf_rule_field *));
    if (fields->items == NULL || gathering.of == NULL)
        return false;
    gather(&gathering, attribute);
    for (size_t i = 0; i < fields->count; i++) {
        fields->items[i].leaves = lf_arena_calloc(arena, fields->items[i].leaf_count, sizeof(uint32_t));
        if (fields->items[i].leaves == NULL)
            return false;
        fields->items[i].leaf_count = 0;
    }
    gathering.counting = false;
    gather(&gathering, attribute);
    return true;
}

/* ---- the values of a lead ---- */

static bool
is_scalar(const struct lf_json *value)
{
    size_t len = 0;

    switch (lf_json_kind(value)) {
    case LF_JSON_TEXT:
        (void)lf_json_text(value, &len);
        return len > 0;
    case LF_JSON_NUMBER:
    case LF_JSON_BOOLEAN:
        return true;
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        return false;
    }
    return false;
}

static bool
is_invalid(struct lf_evaluation *evaluation, const struct lf_rule_field *field, const struct lf_json *value)
{
    int64_t date = 0;

    if (field->fades && !coerce_date(value, &date))
        return true;
    for (size_t i = 0; i < field->leaf_count; i++)
        if (!leaf_reads(evaluation, field->leaves[i], value))
            return true;
    return false;
}

bool
lf_rule_values_each(struct lf_evaluation *evaluation, const struct lf_rule_fields *fields,
                    bool (*each)(void *context, const struct lf_rule_value *value), void *context)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct lf_rule_field *field = &fields->items[i];
        struct cursor cursor = {.slot = &evaluation->slots[field->place]};

        for (const struct lf_json *at = cursor_next(&cursor); at != NULL; at = cursor_next(&cursor)) {
            struct lf_rule_value value = {.field = field->field, .value = at};

            if (!is_scalar(at))
                continue;
            value.invalid = is_invalid(evaluation, field, at);
            if (field->leaf_count == 0 && !value.invalid)
                continue;
            if (!each(context, &value))
                return false;
        }
    }
    return !evaluation->out_of_memory;
}
