/*
 * lookup.c - finds the fields of a program in a lead, in one walk over the lead.
 *
 * All dotted paths stand in one tree of names. Walking the lead, each member's name is looked up among the children
 * of the tree's node that the walk is at; members that no rule reads are passed over with all that is in them. The
 * walk is as deep as the longest path and as long as the lead, whatever the number of ICPs.
 */
#include "core/program_types.h"

#include <string.h>

/* ---- the tree ---- */

/* Length and up to eight bytes of each end tell the names of a definition well apart. A crafted lead gains nothing:
 * how many names a slot can collide with is settled when the program is made. */
static uint32_t
hash_name(const char *name, size_t len)
{
    uint64_t head = 0, tail = 0;

    if (len >= 8) {
        memcpy(&head, name, 8);
        memcpy(&tail, name + len - 8, 8);
    } else {
        memcpy(&head, name, len);
    }
    head = (head ^ (tail << 7 | tail >> 57) ^ len) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(head >> 32);
}

uint32_t
lookup_find(const struct lookup_node *node, const char *name, size_t len)
{
    if (node->children == NULL)
        return UINT32_MAX;
    for (uint32_t at = hash_name(name, len) & node->mask;; at = (at + 1) & node->mask) {
        const struct lookup_child *child = &node->children[at];
        if (child->name == NULL)
            return UINT32_MAX;
        if (child->len == len && memcmp(child->name, name, len) == 0)
            return child->node;
    }
}

static void
insert(struct lookup_node *node, struct lookup_child child)
{
    uint32_t at = hash_name(child.name, child.len) & node->mask;

    while (node->children[at].name != NULL)
        at = (at + 1) & node->mask;
    node->children[at] = child;
    node->count++;
}

/* Keeps a node's table at most half full. */
static bool
make_room(struct lf_program *program, struct lookup_node *node)
{
    struct lookup_node grown = *node;

    if (node->children != NULL && node->count * 2 <= node->mask)
        return true;
    grown.mask = node->children == NULL ? 3 : node->mask * 2 + 1;
    grown.count = 0;
    grown.children = lf_arena_calloc(program->arena, (size_t)grown.mask + 1, sizeof *grown.children);
    if (grown.children == NULL)
        return false;
    for (size_t i = 0; node->children != NULL && i <= node->mask; i++)
        if (node->children[i].name != NULL)
            insert(&grown, node->children[i]);
    *node = grown;
    return true;
}

/* A new node; UINT32_MAX when memory is out. */
static uint32_t
new_node(struct lf_program *program)
{
    if (program->lookup_count == program->lookup_cap) {
        size_t cap = program->lookup_cap == 0 ? 32 : program->lookup_cap * 2;
        struct lookup_node *nodes = lf_arena_calloc(program->arena, cap, sizeof *nodes);
        if (nodes == NULL)
            return UINT32_MAX;
        if (program->lookup_count > 0)
            memcpy(nodes, program->lookup, program->lookup_count * sizeof *nodes);
        program->lookup = nodes;
        program->lookup_cap = cap;
    }
    program->lookup[program->lookup_count] = (struct lookup_node){.field = LF_NO_FIELD};
    return (uint32_t)program->lookup_count++;
}

static uint32_t
child_of(struct lf_program *program, uint32_t parent, const char *name, size_t len)
{
    uint32_t found = lookup_find(&program->lookup[parent], name, len);

    if (found != UINT32_MAX)
        return found;
    found = new_node(program);
    if (found == UINT32_MAX || !make_room(program, &program->lookup[parent]))
        return UINT32_MAX;
    insert(&program->lookup[parent], (struct lookup_child){.name = name, .len = len, .node = found});
    return found;
}

uint32_t
lookup_add(struct lf_program *program, const char *path)
{
    uint32_t node = 0;

    if (program->lookup_count == 0 && new_node(program) == UINT32_MAX)
        return UINT32_MAX;
    for (const char *name = path; name != NULL;) {
        const char *dot = strchr(name, '.');
        node = child_of(program, node, name, dot != NULL ? (size_t)(dot - name) : strlen(name));
        if (node == UINT32_MAX)
            return UINT32_MAX;
        name = dot != NULL ? dot + 1 : NULL;
    }
    if (program->lookup[node].field == LF_NO_FIELD)
        program->lookup[node].field = (uint32_t)program->field_count++;
    return program->lookup[node].field;
}

/* ---- the walk ---- */

static bool
join(struct lf_evaluation *evaluation, struct slot *slot, const struct lf_json *value)
{
    struct element *element = lf_arena_alloc(evaluation->arena, sizeof *element);

    if (element == NULL)
        return false;
    *element = (struct element){.value = value};
    if (slot->last == NULL)
        slot->first = element;
    else
        slot->last->next = element;
    slot->last = element;
    slot->present = true;
    return true;
}

/* Notes what a path found; behind an array everything is joined into one list. */
static bool
note(struct lf_evaluation *evaluation, struct slot *slot, const struct lf_json *value, bool through_array)
{
    if (!through_array) {
        slot->value = value;
        slot->present = lf_json_is_something(value);
        return true;
    }
    slot->joined = true;
    if (lf_json_kind(value) != LF_JSON_ARRAY)
        return join(evaluation, slot, value);
    for (const struct lf_json *inner = lf_json_first(value); inner != NULL; inner = lf_json_next(inner))
        if (!join(evaluation, slot, inner))
            return false;
    return true;
}

static bool
walk(struct lf_evaluation *evaluation, const struct lf_json *object, uint32_t at, bool through_array)
{
    const struct lookup_node *nodes = evaluation->program->lookup;

    for (const struct lf_json *value = lf_json_first(object); value != NULL; value = lf_json_next(value)) {
        const char *name = lf_json_name(value);
        uint32_t found = lookup_find(&nodes[at], name, strlen(name));
        enum lf_json_kind kind = LF_JSON_ABSENT;

        if (found == UINT32_MAX)
            continue;
        if (nodes[found].field != LF_NO_FIELD &&
            !note(evaluation, &evaluation->slots[nodes[found].field], value, through_array))
            return false;
        if (nodes[found].children == NULL)
            continue;
        kind = lf_json_kind(value);
        if (kind == LF_JSON_OBJECT && !walk(evaluation, value, found, through_array))
            return false;
        if (kind != LF_JSON_ARRAY)
            continue;
        for (const struct lf_json *inner = lf_json_first(value); inner != NULL; inner = lf_json_next(inner))
            if (lf_json_kind(inner) == LF_JSON_OBJECT && !walk(evaluation, inner, found, true))
                return false;
    }
    return true;
}

bool
lookup_fields(struct lf_evaluation *evaluation, const struct lf_json *lead)
{
    return evaluation->program->lookup_count == 0 || walk(evaluation, lead, 0, false);
}

/* ---- what was found ---- */

bool
slot_is_list(const struct slot *slot)
{
    return slot->joined || lf_json_kind(slot->value) == LF_JSON_ARRAY;
}

const struct lf_json *
cursor_next(struct cursor *cursor)
{
    const struct slot *slot = cursor->slot;

    if (slot->joined) {
        cursor->element = cursor->begun ? cursor->element->next : slot->first;
        cursor->begun = true;
        return cursor->element != NULL ? cursor->element->value : NULL;
    }
    if (lf_json_kind(slot->value) == LF_JSON_ARRAY)
        cursor->at = cursor->begun ? lf_json_next(cursor->at) : lf_json_first(slot->value);
    else
        cursor->at = cursor->begun ? NULL : slot->value;
    cursor->begun = true;
    return cursor->at;
}

/* ---- the input to keep ---- */

/* What of a lead is put. */
struct wanting {
    const struct lf_program *program;
    const bool *fields; /* by field of the program */
    const struct lf_privacy *privacy;
    struct lf_buf *buf;
};

static void
put_wanted(struct wanting *wanting, const struct lf_privacy_place *place, const struct lf_json *object, uint32_t at);

/* Appends of an array the objects, cut down: a path goes on in nothing else. */
static void
put_wanted_elements(struct wanting *wanting, const struct lf_privacy_place *place, const struct lf_json *array,
                    uint32_t at)
{
    bool first = true;

    lf_buf_lit(wanting->buf, "[");
    for (const struct lf_json *inner = lf_json_first(array); inner != NULL; inner = lf_json_next(inner)) {
        if (lf_json_kind(inner) != LF_JSON_OBJECT)
            continue;
        if (!first)
            lf_buf_lit(wanting->buf, ",");
        first = false;
        put_wanted(wanting, place, inner, at);
    }
    lf_buf_lit(wanting->buf, "]");
}

/* Appends the members of the object that lie on a wanted path. */
static void
put_wanted(struct wanting *wanting, const struct lf_privacy_place *place, const struct lf_json *object, uint32_t at)
{
    const struct lookup_node *nodes = wanting->program->lookup;
    bool first = true;

    lf_buf_lit(wanting->buf, "{");
    for (const struct lf_json *value = lf_json_first(object); value != NULL; value = lf_json_next(value)) {
        struct lf_privacy_place here = {.parent = place, .name = lf_json_name(value)};
        enum lf_json_kind kind = lf_json_kind(value);
        uint32_t found = 0;
        bool whole = false;

        here.len = strlen(here.name);
        found = lookup_find(&nodes[at], here.name, here.len);
        whole = found != UINT32_MAX && nodes[found].field != LF_NO_FIELD && wanting->fields[nodes[found].field];
        if (found == UINT32_MAX ||
            (!whole && (nodes[found].children == NULL || (kind != LF_JSON_OBJECT && kind != LF_JSON_ARRAY))) ||
            lf_privacy_drops(wanting->privacy, &here, wanting->buf))
            continue;
        if (!first)
            lf_buf_lit(wanting->buf, ",");
        first = false;
        lf_json_put_text(wanting->buf, here.name, here.len);
        lf_buf_lit(wanting->buf, ":");
        if (whole)
            lf_privacy_put_at(wanting->privacy, &here, value, wanting->buf);
        else if (kind == LF_JSON_OBJECT)
            put_wanted(wanting, &here, value, found);
        else
            put_wanted_elements(wanting, &here, value, found);
    }
    lf_buf_lit(wanting->buf, "}");
}

void
lf_evaluation_put_input(const struct lf_evaluation *evaluation, const struct lf_json *lead, const bool *wanted,
                        const struct lf_privacy *privacy, struct lf_buf *buf)
{
    const struct lf_program *program = evaluation->program;
    bool *fields = lf_arena_calloc(evaluation->arena, program->field_count + 1, sizeof *fields);
    struct wanting wanting = {.program = program, .fields = fields, .privacy = privacy, .buf = buf};

    if (fields == NULL) {
        buf->failed = true;
        return;
    }
    for (size_t i = 0; i < program->icp_count; i++)
        for (size_t f = 0; wanted[i] && f < program->icps[i].source.icp->fields.count; f++)
            fields[program->icps[i].fields[f]] = true;
    if (program->lookup_count == 0)
        lf_buf_lit(buf, "{}");
    else
        put_wanted(&wanting, NULL, lead, 0);
}
