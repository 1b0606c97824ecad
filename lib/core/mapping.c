/*
 * mapping.c - applies a mapping: the records of a payload become leads.
 *
 * A record is walked once for all pointers (base/json_pointer.c), then each field takes the first of its pointers that
 * found a value, and the lead is built: the fields stand sorted by their names, so that a range of them is an object of
 * the lead, and the record's own members are looked up in the range that they would stand in.
 */
#include "core/mapping_types.h"
#include "core/text_set.h"

#include <string.h>

/* Elements of lists that are made on the way to one lead, in lengths of what a lead may have: a list is made anew when
 * it is unwrapped, split or labelled. */
enum { ELEMENTS_MADE = 4 };

/* What is made of one record. */
struct making {
    struct mapping_maker maker;
    const struct lf_mapping *mapping;
    const struct lf_json **found;   /* by pointer of the mapping */
    struct lf_mapped_field *fields; /* by field of the mapping */
    struct mapping_taken *taken;    /* of a trace, else NULL */
    size_t members;                 /* that the lead may have yet */
    size_t own;                     /* members of the record's own that it has */
};

/* A range of the mapping's order, of fields that share the names before `depth`. */
struct range {
    size_t begin, end, depth;
};

static bool
fine(const struct making *making)
{
    return !making->maker.out_of_memory && !making->maker.too_many;
}

/* ---- the values of the fields ---- */

/* The first pointer of a field whose value comes to something; or, so that a trace can tell of it, the first that found
 * anything. */
static void
fill(struct making *making, const struct mapping_field *field, struct lf_mapped_field *ret_mapped)
{
    struct lf_mapped_field best = {.field = field->path, .pointer = ""};

    for (size_t i = 0; i < field->pointer_count && fine(making) && best.value == NULL; i++) {
        size_t at = field->first_pointer + i;
        struct lf_mapped_field mapped;

        if (!lf_json_is_something(making->found[at]))
            continue;
        mapping_value(&making->maker, field, making->found[at], &mapped);
        mapped.pointer = making->mapping->pointers[at].text;
        if (mapped.value != NULL || best.raw == NULL)
            best = mapped;
    }
    *ret_mapped = best;
}

static void
fill_all(struct making *making)
{
    const struct lf_mapping *mapping = making->mapping;

    for (size_t i = 0; i < mapping->field_count && fine(making); i++) {
        struct lf_mapped_field *mapped = &making->fields[i];

        fill(making, &mapping->fields[i], mapped);
        if (i == 0 && mapping->case_safe_id)
            mapped->value = mapping_case_safe_id(&making->maker, mapped->value);
        if (!mapping_take(making->taken, making->maker.arena, mapped->raw))
            making->maker.out_of_memory = true;
    }
}

/* ---- the lead ---- */

/* The part of the range that has this name next; empty where none has. */
static struct range
narrow(const struct lf_mapping *mapping, struct range range, const char *name)
{
    struct range found = {.begin = range.begin, .end = range.end, .depth = range.depth + 1};
    size_t end = range.end;

    while (found.begin < end) {
        size_t middle = found.begin + (end - found.begin) / 2;

        if (strcmp(mapping->order[middle]->names[range.depth], name) < 0)
            found.begin = middle + 1;
        else
            end = middle;
    }
    found.end = found.begin;
    while (found.end < range.end && strcmp(mapping->order[found.end]->names[range.depth], name) == 0)
        found.end++;
    return found;
}

/* Whether the range is one field, rather than an object of several. */
static bool
is_field(const struct lf_mapping *mapping, struct range range)
{
    return mapping->order[range.begin]->name_count == range.depth;
}

static void
add(struct making *making, struct lf_json *object, const char *name, const struct lf_json *value)
{
    if (making->members == 0) {
        making->maker.too_many = true;
        return;
    }
    making->members--;
    if (!lf_json_add_shared(making->maker.arena, object, name, value))
        making->maker.out_of_memory = true;
}

static struct lf_json *
build(struct making *making, struct range range, const struct mapping_part *parts, size_t part_count);

/* Adds an object that fields of the range go into, on top of one of the record's own (NULL for none); nothing where it
 * would be empty. */
static void
add_object(struct making *making, struct lf_json *object, const char *name, struct range range,
           const struct mapping_part *own)
{
    const struct lf_json *built = build(making, range, own, own != NULL ? 1 : 0);

    if (built != NULL && lf_json_first(built) != NULL)
        add(making, object, name, built);
}

/* What a member of the record's own is in the lead; NULL for nothing. */
static const struct lf_json *
own_value(struct making *making, const struct mapping_part *part, const struct lf_json *member, bool is_within)
{
    bool unwrapped = false;
    struct mapping_part below = {.object = member, .unwrap = true};
    const struct lf_json *value = NULL;

    if (is_within && lf_json_kind(member) == LF_JSON_OBJECT) {
        value = build(making, (struct range){.begin = 0, .end = 0}, &below, 1);
        value = lf_json_first(value) != NULL ? value : NULL;
    } else {
        value = part->unwrap ? mapping_unwrap(&making->maker, member, &unwrapped) : member;
    }
    return fine(making) && lf_json_is_something(value) ? value : NULL;
}

/* Adds a member of the record's own, unless a field has its name. joined: see below. */
static void
add_own(struct making *making, struct lf_json *object, struct range range, const struct mapping_part *part,
        const struct lf_json *member, bool *joined)
{
    const char *name = lf_json_name(member);
    struct range place = narrow(making->mapping, range, name);
    bool is_within = part->within != NULL && strcmp(name, part->within) == 0, unwrapped = false;
    const struct lf_json *value = NULL;

    if (place.begin == place.end) {
        value = own_value(making, part, member, is_within);
        if (value == NULL)
            return;
        add(making, object, name, value);
        making->own += member != making->fields[0].raw; /* an id alone is nothing to score */
        if (!mapping_take(making->taken, making->maker.arena, member))
            making->maker.out_of_memory = true;
        return;
    }
    value = part->unwrap ? mapping_unwrap(&making->maker, member, &unwrapped) : member;
    if (!is_field(making->mapping, place) && fine(making) && lf_json_kind(value) == LF_JSON_OBJECT) {
        struct mapping_part below = {.object = value, .unwrap = is_within};

        joined[place.begin] = true;
        add_object(making, object, name, place, &below);
    }
}

/* Adds the record's own members, of two of one name the first. joined: which ranges of fields they have brought along,
 * by their beginning. */
static void
add_parts(struct making *making, struct lf_json *object, struct range range, const struct mapping_part *parts,
          size_t part_count, bool *joined)
{
    struct lf_text_set names = {.count = 0};

    if (part_count > 1 && !lf_text_set_init(&names, making->maker.arena, LF_JSON_LEAD_LIMITS.members + 1)) {
        making->maker.out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < part_count; i++)
        for (const struct lf_json *member = lf_json_first(parts[i].object); member != NULL && fine(making);
             member = lf_json_next(member)) {
            struct lf_text name = {lf_json_name(member), strlen(lf_json_name(member))};
            size_t before = making->members;

            if ((parts[i].but != NULL && strcmp(name.bytes, parts[i].but) == 0) || lf_text_set_has(&names, name))
                continue;
            add_own(making, object, range, &parts[i], member, joined);
            if (part_count > 1 && making->members < before)
                lf_text_set_add(&names, name);
        }
}

/* An object of the lead: the record's own members, and the fields of the range. NULL when there is no memory or too
 * much. */
static struct lf_json *
build(struct making *making, struct range range, const struct mapping_part *parts, size_t part_count)
{
    const struct lf_mapping *mapping = making->mapping;
    struct lf_json *object = lf_json_new_object(making->maker.arena);
    bool *joined = lf_arena_calloc(making->maker.arena, mapping->order_count + 1, sizeof *joined);

    if (object == NULL || joined == NULL) {
        making->maker.out_of_memory = true;
        return NULL;
    }
    add_parts(making, object, range, parts, part_count, joined);
    while (range.begin < range.end && fine(making)) {
        const struct mapping_field *field = mapping->order[range.begin];
        const char *name = field->names[range.depth];
        struct range place = narrow(mapping, range, name);
        const struct lf_json *value = making->fields[field - mapping->fields].value;

        if (!is_field(mapping, place) && !joined[place.begin])
            add_object(making, object, name, place, NULL);
        if (is_field(mapping, place) && value != NULL)
            add(making, object, name, value);
        range.begin = place.end;
    }
    return fine(making) ? object : NULL;
}

/* ---- one record ---- */

static enum lf_status
refuse_size(const struct lf_mapping *mapping, const struct mapping_record *record, enum lf_status status,
            struct lf_error *error)
{
    if (status == LF_TOO_DEEP)
        return lf_fail_at(error, status, record->pointer, -1,
                          "what this record becomes is nested more than %zu deep: name the fields you need",
                          LF_JSON_LEAD_LIMITS.depth);
    return lf_fail_at(
        error, LF_TOO_MANY_MEMBERS, record->pointer, -1,
        "a lead has at most %zu members and %zu array elements, and this record becomes more: %s",
        LF_JSON_LEAD_LIMITS.members, LF_JSON_LEAD_LIMITS.elements,
        mapping->whole.pointer_count > 0
            ? "name the fields you need in the source's `fields`, with \"*\": [] so that nothing else is taken"
            : "name fewer fields");
}

/* The parts of the record that "*" takes: of the first object that its pointers find. How many there are. */
static size_t
find_parts(const struct making *making, const struct mapping_record *record,
           struct mapping_part parts[MAPPING_PARTS_MAX])
{
    const struct lf_mapping *mapping = making->mapping;

    for (size_t i = 0; i < mapping->whole.pointer_count; i++) {
        const struct lf_json *object = making->found[mapping->whole.first_pointer + i];

        if (lf_json_kind(object) == LF_JSON_OBJECT)
            return mapping_parts(mapping->crm, record, object, parts);
    }
    return 0;
}

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while making a lead of a payload");
}

/* Whether any field but the id came to something. */
static bool
has_field(const struct making *making)
{
    for (size_t i = 1; i < making->mapping->field_count; i++)
        if (making->fields[i].value != NULL)
            return true;
    return making->own > 0;
}

/* A lead of a record. */
static enum lf_status
make(struct making *making, const struct mapping_record *record, struct lf_mapped_lead *ret_lead,
     struct lf_error *error)
{
    const struct lf_mapping *mapping = making->mapping;
    struct range all = {.begin = 0, .end = mapping->order_count};
    struct mapping_part parts[MAPPING_PARTS_MAX] = {{.object = NULL}};
    const struct lf_json *lead = NULL;
    enum lf_status status = LF_OK;

    memset(making->found, 0, (mapping->pointer_count + 1) * sizeof(struct lf_json *));
    lf_json_pointers_find(&mapping->in_record, record->node, making->found);
    lf_json_pointers_find(&mapping->in_envelope, record->envelope, making->found);
    fill_all(making);
    if (fine(making))
        lead = build(making, all, parts, find_parts(making, record, parts));
    if (making->maker.out_of_memory)
        return out_of_memory(error);
    if (lead == NULL)
        return refuse_size(mapping, record, LF_TOO_MANY_MEMBERS, error);
    if (!has_field(making))
        return lf_fail_at(error, LF_UNMAPPED, record->pointer, -1,
                          "no field of this record was found: hold it against the pointers of the source's fields");
    status = lf_json_check_lead_size(lead, record->pointer, NULL);
    if (status != LF_OK)
        return refuse_size(mapping, record, status, error);
    *ret_lead = (struct lf_mapped_lead){.lead = lead, .pointer = record->pointer};
    return LF_OK;
}

/* The same, and with a trace what became of what. */
static enum lf_status
make_traced(struct making *making, const struct mapping_record *record, bool trace, struct lf_mapped_lead *ret_lead,
            struct lf_error *error)
{
    struct lf_arena *arena = making->maker.arena;
    struct mapping_taken taken;
    enum lf_status status = LF_OK;

    making->maker.elements = ELEMENTS_MADE * LF_JSON_LEAD_LIMITS.elements;
    making->members = LF_JSON_LEAD_LIMITS.members;
    making->own = 0;
    making->taken = NULL;
    if (!trace)
        return make(making, record, ret_lead, error);
    making->taken = &taken;
    making->fields = lf_arena_calloc(arena, making->mapping->field_count, sizeof *making->fields);
    if (making->fields == NULL || !mapping_taken_init(&taken, arena))
        return out_of_memory(error);
    status = make(making, record, ret_lead, error);
    if (status != LF_OK)
        return status;
    ret_lead->fields = making->fields;
    for (size_t i = 0; i < making->mapping->field_count; i++)
        if (i == 0 || making->mapping->fields[i].pointer_count > 0)
            ret_lead->fields[ret_lead->field_count++] = making->fields[i];
    return mapping_find_unused(&taken, arena, record, making->mapping->crm == LF_CRM_SALESFORCE ? "attributes" : NULL,
                               ret_lead)
               ? LF_OK
               : out_of_memory(error);
}

enum lf_status
lf_mapping_apply(struct lf_arena *arena, const struct lf_mapping *mapping, const struct lf_json *payload, bool trace,
                 struct lf_mapped *ret_mapped, struct lf_error *error)
{
    struct making making = {.maker = {.arena = arena}, .mapping = mapping};
    struct mapping_records records = {.items = NULL};
    struct lf_mapped_lead *leads = NULL;
    enum lf_status status = mapping_find_records(arena, mapping->crm, payload, &records, error);

    if (status != LF_OK)
        return status;
    leads = lf_arena_calloc(arena, records.count + 1, sizeof *leads);
    making.found = lf_arena_calloc(arena, mapping->pointer_count + 1, sizeof(struct lf_json *));
    making.fields = lf_arena_calloc(arena, mapping->field_count, sizeof *making.fields);
    if (leads == NULL || making.found == NULL || making.fields == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < records.count && status == LF_OK; i++)
        status = make_traced(&making, &records.items[i], trace, &leads[i], error);
    if (status == LF_OK)
        *ret_mapped = (struct lf_mapped){leads, records.count, records.many, records.ignored};
    return status;
}
