/*
 * mapping_read.c - reads a mapping from a source's document, and tells it again.
 *
 * All that is kept is copied: the document may go. The fields that were named come first, then the kind's own.
 */
#include "base/text.h"
#include "core/mapping_types.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES_MAX = 200, SEPARATOR_MAX = 10, LABEL_MAX = 1000 };

/* A mapping while it is read. */
struct reading {
    struct lf_document *document;
    const struct lf_json *source;
    const struct lf_place *place;
    struct lf_mapping *mapping;
    size_t label_count;
    bool id_named, whole_named, fields_unread;
};

static char *
copy(struct reading *reading, const char *text, size_t len)
{
    char *made = lf_arena_copy(reading->document->arena, text, len);

    if (made == NULL)
        lf_document_out_of_memory(reading->document);
    return made;
}

static void *
room(struct reading *reading, size_t count, size_t size)
{
    void *made = lf_arena_calloc(reading->document->arena, count, size);

    if (made == NULL)
        lf_document_out_of_memory(reading->document);
    return made;
}

/* ---- pointers ---- */

/* Reads the next pointer of a field. One at fault counts as well: it is said once what is wrong, and not again of
 * whatever else is said of the field. */
static void
add_pointer(struct reading *reading, const char *text, size_t len, const struct lf_place *place,
            struct mapping_field *field)
{
    struct lf_mapping *mapping = reading->mapping;
    struct lf_error error;
    enum lf_status status =
        lf_json_pointer_read(reading->document->arena, text, len, &mapping->pointers[mapping->pointer_count], &error);

    if (status == LF_OUT_OF_MEMORY)
        lf_document_out_of_memory(reading->document);
    else if (status != LF_OK)
        lf_document_fault(reading->document, place, "invalid_path", "%s", error.detail);
    mapping->pointer_count++;
    field->pointer_count++;
}

static void
read_pointer(struct reading *reading, const struct lf_json *node, const struct lf_place *place,
             struct mapping_field *field)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    if (text == NULL)
        lf_document_fault(reading->document, place, "wrong_type",
                          "a JSON pointer into the record belongs here, such as /properties/jobtitle");
    add_pointer(reading, text != NULL ? text : "", len, place, field);
}

/* A pointer, or an array of alternatives; none of them takes the field away. */
static void
read_pointers(struct reading *reading, const struct lf_json *node, const struct lf_place *place,
              struct mapping_field *field)
{
    size_t index = 0;

    field->first_pointer = reading->mapping->pointer_count;
    if (lf_json_kind(node) != LF_JSON_ARRAY) {
        read_pointer(reading, node, place, field);
        return;
    }
    (void)lf_document_array(reading->document, node, place, 0, LF_MAPPING_POINTERS_MAX); /* the first ones are read */
    for (const struct lf_json *element = lf_json_first(node); element != NULL && index < LF_MAPPING_POINTERS_MAX;
         element = lf_json_next(element)) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index++);

        read_pointer(reading, element, &at, field);
    }
}

/* ---- fields ---- */

/* Cuts a dotted path into its names; false when there is no memory. */
static bool
set_path(struct reading *reading, struct mapping_field *field, const char *path)
{
    char *name = copy(reading, path, strlen(path));

    field->path = copy(reading, path, strlen(path));
    field->name_count = 1;
    for (const char *c = path; *c != '\0'; c++)
        field->name_count += *c == '.';
    field->names = room(reading, field->name_count, sizeof *field->names);
    if (name == NULL || field->path == NULL || field->names == NULL)
        return false;
    for (size_t i = 0; i < field->name_count; i++) {
        field->names[i] = name;
        name += strcspn(name, ".");
        *name++ = '\0';
    }
    return true;
}

/* As conditions have it (lf_field_parse): names between single dots; and no deeper than a lead may be. */
static bool
is_path(const char *path)
{
    size_t len = strlen(path), names = 1;

    for (const char *c = path; *c != '\0'; c++)
        names += *c == '.';
    return len > 0 && len <= PATH_BYTES_MAX && path[0] != '.' && path[len - 1] != '.' && strstr(path, "..") == NULL &&
           names <= LF_JSON_LEAD_LIMITS.depth;
}

/* Whether one path is the other one or lies below it. */
static bool
clash(const char *a, const char *b)
{
    size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

    return strncmp(a, b, len) == 0 && (a[len] == '\0' || a[len] == '.') && (b[len] == '\0' || b[len] == '.');
}

static void
read_field(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    struct lf_mapping *mapping = reading->mapping;
    const char *path = lf_json_name(node);
    struct mapping_field field = {.path = path};

    if (strcmp(path, "*") == 0) {
        reading->whole_named = true;
        read_pointers(reading, node, place, &mapping->whole);
        return;
    }
    if (!is_path(path)) {
        lf_document_fault(reading->document, place, "invalid_path",
                          "a field is called by names separated by single dots, at most %d bytes: company.employees",
                          PATH_BYTES_MAX);
        return;
    }
    if (clash(path, "id")) {
        lf_document_fault(reading->document, place, "conflict",
                          "the lead's id is said by the member id, beside fields: no field can be called so");
        return;
    }
    if (set_path(reading, &field, path))
        read_pointers(reading, node, place, &field);
    mapping->fields[mapping->field_count++] = field;
}

static void
read_fields(struct reading *reading)
{
    const struct lf_json *fields = lf_json_member(reading->source, "fields");
    struct lf_place place = LF_PLACE_MEMBER(reading->place, "fields");
    size_t count = lf_json_count(fields);

    if (fields == NULL)
        return;
    reading->fields_unread = lf_json_kind(fields) != LF_JSON_OBJECT || count > LF_MAPPING_FIELDS_MAX;
    if (lf_json_kind(fields) != LF_JSON_OBJECT) {
        lf_document_fault(reading->document, &place, "wrong_type",
                          "an object belongs here, of fields and the JSON pointers where they are found");
        return;
    }
    if (count > LF_MAPPING_FIELDS_MAX) {
        lf_document_fault(reading->document, &place, "too_many", "at most %d may stand here, not %zu",
                          LF_MAPPING_FIELDS_MAX, count);
        return;
    }
    for (const struct lf_json *node = lf_json_first(fields); node != NULL; node = lf_json_next(node)) {
        struct lf_place at = LF_PLACE_MEMBER(&place, lf_json_name(node));

        read_field(reading, node, &at);
    }
}

/* Whether a field that was named stands in the way of a default. */
static bool
is_replaced(const struct reading *reading, const char *path)
{
    for (size_t i = 1; i < reading->mapping->field_count; i++)
        if (clash(reading->mapping->fields[i].path, path))
            return true;
    return false;
}

static void
add_default(struct reading *reading, const struct mapping_default *from, struct mapping_field *field)
{
    field->separator = from->separator;
    field->first_pointer = reading->mapping->pointer_count;
    for (size_t i = 0; from->pointers[i] != NULL; i++)
        add_pointer(reading, from->pointers[i], strlen(from->pointers[i]), reading->place, field);
}

static void
add_defaults(struct reading *reading)
{
    static const struct mapping_default WHOLE = {.pointers = {""}};
    struct lf_mapping *mapping = reading->mapping;
    const struct mapping_default *defaults = mapping_defaults(mapping->crm);
    struct mapping_field *named = mapping->fields + mapping->field_count;
    size_t count = mapping->field_count;

    if (!reading->id_named)
        add_default(reading, &defaults[0], &mapping->fields[0]);
    for (const struct mapping_default *one = &defaults[1]; one->path != NULL; one++) {
        if (is_replaced(reading, one->path))
            continue;
        if (set_path(reading, named, one->path))
            add_default(reading, one, named);
        named++;
        count++;
    }
    mapping->field_count = count;
    if (!reading->whole_named)
        add_default(reading, &WHOLE, &mapping->whole);
}

/* ---- separators and labels ---- */

/* The field in effect that has this path, for what is said of it. NULL after a fault, and where the fields are at fault
 * as a whole. */
static struct mapping_field *
field_in_effect(struct reading *reading, const char *path, const struct lf_place *place)
{
    for (size_t i = 1; i < reading->mapping->field_count; i++)
        if (reading->mapping->fields[i].pointer_count > 0 && strcmp(reading->mapping->fields[i].path, path) == 0)
            return &reading->mapping->fields[i];
    if (reading->fields_unread)
        return NULL;
    lf_document_fault(reading->document, place, "invalid_value",
                      "there is no such field: name it among fields, with the pointer where it is found");
    return NULL;
}

static void
read_split(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    struct mapping_field *field = field_in_effect(reading, lf_json_name(node), place);
    const char *separator = lf_document_text(reading->document, node, place, true, SEPARATOR_MAX);

    if (field != NULL && separator[0] != '\0')
        field->separator = copy(reading, separator, strlen(separator));
}

/* Whether a label can be read; "" is one. */
static bool
check_label(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    if (text != NULL && len == 0)
        return true;
    return lf_document_text(reading->document, node, place, true, LABEL_MAX)[0] != '\0';
}

static void
read_labels(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    struct mapping_field *field = field_in_effect(reading, lf_json_name(node), place);
    size_t count = lf_json_count(node);
    struct mapping_label *labels = NULL;

    if (lf_json_kind(node) != LF_JSON_OBJECT) {
        lf_document_fault(reading->document, place, "wrong_type",
                          "an object belongs here, of values as they come and the labels for them");
        return;
    }
    if (count > LF_MAPPING_VALUES_MAX - reading->label_count) {
        lf_document_fault(reading->document, place, "too_many", "a source has at most %d labels in all",
                          LF_MAPPING_VALUES_MAX);
        return;
    }
    reading->label_count += count;
    labels = room(reading, count + 1, sizeof *labels);
    for (const struct lf_json *one = lf_json_first(node); one != NULL && labels != NULL && field != NULL;
         one = lf_json_next(one)) {
        struct lf_place at = LF_PLACE_MEMBER(place, lf_json_name(one));
        size_t len = 0;
        const char *text = lf_json_text(one, &len);
        struct mapping_label *label = &labels[field->label_count];

        if (!check_label(reading, one, &at))
            continue;
        label->raw_len = strlen(at.name);
        label->raw = copy(reading, at.name, label->raw_len);
        label->label = len > 0 ? lf_json_new_text(reading->document->arena, text, len) : NULL;
        if (label->raw == NULL || (len > 0 && label->label == NULL)) {
            lf_document_out_of_memory(reading->document);
            return;
        }
        field->label_count++;
    }
    if (field == NULL || labels == NULL)
        return;
    qsort(labels, field->label_count, sizeof *labels, mapping_compare_labels);
    field->labels = labels;
}

/* Reads each member of one of the source's objects of fields. */
static void
read_each(struct reading *reading, const char *member, const char *wanted,
          void (*read)(struct reading *reading, const struct lf_json *node, const struct lf_place *place))
{
    const struct lf_json *object = lf_json_member(reading->source, member);
    struct lf_place place = LF_PLACE_MEMBER(reading->place, member);

    if (object == NULL)
        return;
    if (lf_json_kind(object) != LF_JSON_OBJECT) {
        lf_document_fault(reading->document, &place, "wrong_type", "%s", wanted);
        return;
    }
    for (const struct lf_json *node = lf_json_first(object); node != NULL; node = lf_json_next(node)) {
        struct lf_place at = LF_PLACE_MEMBER(&place, lf_json_name(node));

        read(reading, node, &at);
    }
}

/* ---- the whole ---- */

/* By their names, one after the other: neighbours tell clashes, and fields of one object stand side by side. */
static int
compare_fields(const void *a, const void *b)
{
    const struct mapping_field *const *x = a, *const *y = b;

    for (size_t i = 0; i < (*x)->name_count && i < (*y)->name_count; i++) {
        int order = strcmp((*x)->names[i], (*y)->names[i]);
        if (order != 0)
            return order;
    }
    return ((*x)->name_count > (*y)->name_count) - ((*x)->name_count < (*y)->name_count);
}

/* Sorts the fields that have pointers, and finds those that cannot stand beside each other. */
static void
put_in_order(struct reading *reading)
{
    struct lf_mapping *mapping = reading->mapping;
    struct lf_place fields = LF_PLACE_MEMBER(reading->place, "fields");

    for (size_t i = 0; i < mapping->field_count; i++)
        if (mapping->fields[i].pointer_count > 0)
            mapping->order[mapping->order_count++] = &mapping->fields[i];
    qsort(mapping->order, mapping->order_count, sizeof(struct mapping_field *), compare_fields);
    for (size_t i = 1, above = 0; i < mapping->order_count; i++) {
        struct lf_place place = LF_PLACE_MEMBER(&fields, mapping->order[i]->path);

        if (clash(mapping->order[above]->path, mapping->order[i]->path))
            lf_document_fault(reading->document, &place, "conflict",
                              "a field is either a value or has fields below it: %.100s stands here as well",
                              mapping->order[above]->path);
        else
            above = i;
    }
}

/* Whether a pointer of the field ends at a property of that name. */
static bool
ends_at(const struct lf_mapping *mapping, const struct mapping_field *field, const char *property)
{
    for (size_t i = 0; i < field->pointer_count; i++) {
        const struct lf_json_pointer *pointer = &mapping->pointers[field->first_pointer + i];

        if (pointer->step_count > 0 && strcmp(pointer->steps[pointer->step_count - 1], property) == 0)
            return true;
    }
    return false;
}

/* What is known of the mapping once it has been read. */
static void
compile(struct reading *reading)
{
    struct lf_mapping *mapping = reading->mapping;
    const char *const *names = mapping_envelope_names(mapping->crm);
    bool *outside = room(reading, mapping->pointer_count + 1, sizeof *outside);
    bool *inside = room(reading, mapping->pointer_count + 1, sizeof *inside);

    if (outside == NULL || inside == NULL)
        return;
    for (size_t i = 1; i < mapping->field_count; i++)
        mapping->fields[i].constants =
            mapping->crm == LF_CRM_HUBSPOT && ends_at(mapping, &mapping->fields[i], "industry");
    mapping->case_safe_id = mapping->crm == LF_CRM_SALESFORCE && ends_at(mapping, &mapping->fields[0], "Id");
    for (size_t i = 0; i < mapping->pointer_count; i++) {
        const struct lf_json_pointer *pointer = &mapping->pointers[i];

        for (size_t n = 0; names[n] != NULL && pointer->step_count > 0; n++)
            outside[i] = outside[i] || strcmp(pointer->steps[0], names[n]) == 0;
        inside[i] = !outside[i];
    }
    if (!lf_json_pointers_init(&mapping->in_record, reading->document->arena, mapping->pointers, inside,
                               mapping->pointer_count) ||
        !lf_json_pointers_init(&mapping->in_envelope, reading->document->arena, mapping->pointers, outside,
                               mapping->pointer_count))
        lf_document_out_of_memory(reading->document);
}

/* The mapping with room for all that the source names and the kind has; NULL when there is no memory. */
static struct lf_mapping *
make_room(struct reading *reading, enum lf_crm crm)
{
    size_t defaults = 0, fields = 0;
    struct lf_mapping *mapping = room(reading, 1, sizeof *mapping);

    while (mapping_defaults(crm)[defaults].path != NULL)
        defaults++;
    fields = defaults + LF_MAPPING_FIELDS_MAX;
    if (mapping == NULL)
        return NULL;
    mapping->crm = crm;
    mapping->fields = room(reading, fields, sizeof *mapping->fields);
    mapping->order = room(reading, fields, sizeof(struct mapping_field *));
    /* "*" has pointers, too */
    mapping->pointers = room(reading, (fields + 1) * LF_MAPPING_POINTERS_MAX, sizeof *mapping->pointers);
    return mapping->fields != NULL && mapping->order != NULL && mapping->pointers != NULL ? mapping : NULL;
}

const struct lf_mapping *
lf_mapping_read(struct lf_document *document, enum lf_crm crm, const struct lf_json *source,
                const struct lf_place *place)
{
    struct reading reading = {.document = document, .source = source, .place = place};
    const struct lf_json *id = lf_json_member(source, "id");
    struct lf_place at = LF_PLACE_MEMBER(place, "id");
    size_t before = document->findings->count + document->findings->dropped;

    reading.mapping = make_room(&reading, crm);
    if (reading.mapping == NULL || !set_path(&reading, &reading.mapping->fields[0], "id"))
        return NULL;
    reading.mapping->field_count = 1;
    reading.mapping->whole.path = "*";
    reading.id_named = id != NULL;
    if (id != NULL)
        read_pointers(&reading, id, &at, &reading.mapping->fields[0]);
    read_fields(&reading);
    if (document->findings->out_of_memory)
        return NULL;
    add_defaults(&reading);
    read_each(&reading, "split", "an object belongs here, of fields and the separators of their values", read_split);
    read_each(&reading, "values", "an object belongs here, of fields and the labels of their values", read_labels);
    if (document->findings->out_of_memory)
        return NULL;
    put_in_order(&reading);
    compile(&reading);
    if (document->findings->out_of_memory || document->findings->count + document->findings->dropped > before)
        return NULL;
    return reading.mapping;
}

/* ---- telling ---- */

static void
put_text(struct lf_buf *buf, const char *text)
{
    lf_json_put_text(buf, text, strlen(text));
}

static void
put_pointers(struct lf_buf *buf, const struct lf_mapping *mapping, const struct mapping_field *field)
{
    lf_buf_lit(buf, "[");
    for (size_t i = 0; i < field->pointer_count; i++) {
        if (i > 0)
            lf_buf_lit(buf, ",");
        put_text(buf, mapping->pointers[field->first_pointer + i].text);
    }
    lf_buf_lit(buf, "]");
}

void
lf_mapping_put_id(struct lf_buf *buf, const struct lf_mapping *mapping)
{
    put_pointers(buf, mapping, &mapping->fields[0]);
}

void
lf_mapping_put_fields(struct lf_buf *buf, const struct lf_mapping *mapping)
{
    lf_buf_lit(buf, "{");
    for (size_t i = 1; i < mapping->field_count; i++) {
        put_text(buf, mapping->fields[i].path);
        lf_buf_lit(buf, ":");
        put_pointers(buf, mapping, &mapping->fields[i]);
        lf_buf_lit(buf, ",");
    }
    lf_buf_lit(buf, "\"*\":");
    put_pointers(buf, mapping, &mapping->whole);
    lf_buf_lit(buf, "}");
}

void
lf_mapping_put_split(struct lf_buf *buf, const struct lf_mapping *mapping)
{
    bool first = true;

    lf_buf_lit(buf, "{");
    for (size_t i = 1; i < mapping->field_count; i++) {
        if (mapping->fields[i].separator == NULL)
            continue;
        if (!first)
            lf_buf_lit(buf, ",");
        first = false;
        put_text(buf, mapping->fields[i].path);
        lf_buf_lit(buf, ":");
        put_text(buf, mapping->fields[i].separator);
    }
    lf_buf_lit(buf, "}");
}
