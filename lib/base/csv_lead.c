/*
 * csv_lead.c - see csv_lead.h.
 *
 * The columns are sorted so that a name stands right in front of the names below it; then neighbours tell doubled
 * names and names that are value and object at once, and each object is met with all its columns together.
 */
#include "base/csv_lead.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Names in one path at most: the depth of a lead (LF_JSON_LEAD_LIMITS). */
enum { NAMES_MAX = 64 };

/* An object on the way to a field. The lead itself is object 0. */
struct object {
    size_t parent;
    const char *name; /* in the parent */
};

struct column {
    char *path;       /* trimmed, as it stands in the header; used for messages */
    const char *leaf; /* the name of the member */
    size_t object;    /* that holds it */
};

struct lf_csv_plan {
    size_t column_count, object_count;
    struct column *columns;
    struct object *objects;
    char *paths; /* all columns' paths, NUL-terminated, one behind the other */
    char *names; /* the same with a NUL for each dot: the names of objects and members */
};

static size_t
count_dots(const char *path)
{
    size_t count = 0;

    for (; *path != '\0'; path++)
        count += *path == '.';
    return count;
}

/* Compares paths with the dot before every other character, so that `a`, `a.b`, `a-b` stand in this order. */
static int
compare_paths(const char *a, const char *b)
{
    for (; *a != '\0' && *a == *b; a++, b++)
        ;
    if (*a == *b)
        return 0;
    if (*a == '\0' || *b == '\0')
        return *a == '\0' ? -1 : 1;
    if (*a == '.' || *b == '.')
        return *a == '.' ? -1 : 1;
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int
compare_columns(const void *a, const void *b)
{
    const struct column *const *x = a, *const *y = b;

    return compare_paths((*x)->path, (*y)->path);
}

/* Copies the names; checks each by itself. */
static enum lf_status
read_names(struct lf_csv_plan *plan, const struct lf_csv_record *header, struct lf_error *error)
{
    char *to = plan->paths;

    for (size_t i = 0; i < header->count; i++) {
        struct lf_text name = lf_text_trim(header->cells[i].bytes, header->cells[i].len);
        struct column *column = &plan->columns[i];

        column->path = to;
        if (name.len > 0)
            memcpy(to, name.bytes, name.len);
        to[name.len] = '\0';
        to += name.len + 1;
        if (name.len == 0)
            return lf_fail(error, LF_INVALID_CSV, "column %zu has no name in the header", i + 1);
        if (column->path[0] == '.' || column->path[name.len - 1] == '.' || strstr(column->path, "..") != NULL)
            return lf_fail(error, LF_INVALID_CSV,
                           "column %zu, '%.100s': a dot separates names, and one beside it is empty; rename the column",
                           i + 1, column->path);
        if (count_dots(column->path) + 1 > LF_JSON_LEAD_LIMITS.depth)
            return lf_fail(error, LF_INVALID_CSV, "column %zu, '%.100s…', is nested more than %zu deep", i + 1,
                           column->path, LF_JSON_LEAD_LIMITS.depth);
    }
    return LF_OK;
}

/* Checks neighbours in the sorted order. */
static enum lf_status
check_names(const struct lf_csv_plan *plan, struct column *const *sorted, struct lf_error *error)
{
    for (size_t i = 1; i < plan->column_count; i++) {
        const char *above = sorted[i - 1]->path, *below = sorted[i]->path;
        size_t len = strlen(above);

        if (strncmp(above, below, len) != 0)
            continue;
        if (below[len] == '\0')
            return lf_fail(error, LF_INVALID_CSV, "the header has the column '%.200s' twice", above);
        if (below[len] == '.')
            return lf_fail(error, LF_INVALID_CSV,
                           "the header has '%.100s' beside '%.100s': a field is either a value or has fields below it",
                           above, below);
    }
    return LF_OK;
}

/* Bytes of the beginning that two paths share, counted in whole names with their dots. */
static size_t
shared_names(const char *a, const char *b)
{
    size_t shared = 0;

    for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
        if (a[i] == '.')
            shared = i + 1;
    return shared;
}

/* Gives each column its object, making objects where a path leaves that of the column before it. */
static void
place_columns(struct lf_csv_plan *plan, struct column *const *sorted)
{
    const char *before = "";
    size_t stack[NAMES_MAX + 1]; /* the objects along the path before */

    assert(LF_JSON_LEAD_LIMITS.depth <= NAMES_MAX);
    stack[0] = 0;
    plan->object_count = 1;
    for (size_t i = 0; i < plan->column_count; i++) {
        struct column *column = sorted[i];
        size_t shared = shared_names(before, column->path), depth = 0;
        const char *name = plan->names + (column->path - plan->paths), *path = column->path;

        for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
            if ((size_t)(dot + 1 - path) > shared) {
                plan->objects[plan->object_count] = (struct object){stack[depth], name};
                stack[depth + 1] = plan->object_count++;
            }
            depth++;
            name += strlen(name) + 1;
        }
        column->leaf = name;
        column->object = stack[depth];
        before = path;
    }
}

static enum lf_status
compile(struct lf_csv_plan *plan, const struct lf_csv_record *header, size_t bytes, struct column **sorted,
        struct lf_error *error)
{
    size_t dots = 0;
    enum lf_status status = read_names(plan, header, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < plan->column_count; i++) {
        sorted[i] = &plan->columns[i];
        dots += count_dots(plan->columns[i].path);
    }
    qsort(sorted, plan->column_count, sizeof *sorted, compare_columns);
    status = check_names(plan, sorted, error);
    if (status != LF_OK)
        return status;
    plan->objects = calloc(dots + 1, sizeof *plan->objects);
    if (plan->objects == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the CSV header");
    memcpy(plan->names, plan->paths, bytes);
    for (size_t i = 0; i < bytes; i++)
        if (plan->names[i] == '.')
            plan->names[i] = '\0';
    place_columns(plan, sorted);
    return LF_OK;
}

enum lf_status
lf_csv_plan_create(const struct lf_csv_record *header, struct lf_csv_plan **ret_plan, struct lf_error *error)
{
    struct lf_csv_plan *plan = calloc(1, sizeof *plan);
    struct column **sorted = calloc(header->count, sizeof(struct column *));
    size_t bytes = 0;
    enum lf_status status = LF_OUT_OF_MEMORY;

    for (size_t i = 0; i < header->count; i++)
        bytes += header->cells[i].len + 1;
    if (plan != NULL) {
        plan->column_count = header->count;
        plan->columns = calloc(header->count, sizeof *plan->columns);
        plan->paths = calloc(1, bytes);
        plan->names = calloc(1, bytes);
    }
    if (plan == NULL || sorted == NULL || plan->columns == NULL || plan->paths == NULL || plan->names == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the CSV header");
    else
        status = compile(plan, header, bytes, sorted, error);
    free(sorted);
    if (status != LF_OK) {
        lf_csv_plan_destroy(plan);
        return status;
    }
    *ret_plan = plan;
    return LF_OK;
}

void
lf_csv_plan_destroy(struct lf_csv_plan *plan)
{
    if (plan == NULL)
        return;
    free(plan->columns);
    free(plan->objects);
    free(plan->paths);
    free(plan->names);
    free(plan);
}

size_t
lf_csv_plan_columns(const struct lf_csv_plan *plan)
{
    return plan->column_count;
}

const char *
lf_csv_plan_name(const struct lf_csv_plan *plan, size_t column)
{
    return plan->columns[column].path;
}

/* The tree's object for a planned one, made with those above it when it is first needed; NULL when memory is out. */
static struct lf_json *
object_node(const struct lf_csv_plan *plan, struct lf_arena *arena, struct lf_json **nodes, size_t object,
            size_t *members)
{
    while (nodes[object] == NULL) {
        size_t missing = object;

        while (nodes[plan->objects[missing].parent] == NULL)
            missing = plan->objects[missing].parent;
        nodes[missing] = lf_json_add_object(arena, nodes[plan->objects[missing].parent], plan->objects[missing].name);
        if (nodes[missing] == NULL)
            return NULL;
        ++*members;
    }
    return nodes[object];
}

enum lf_status
lf_csv_plan_lead(const struct lf_csv_plan *plan, const struct lf_csv_record *row, struct lf_arena *arena,
                 const struct lf_json **ret_lead, struct lf_error *error)
{
    struct lf_json **nodes = NULL;
    size_t members = 0;

    if (row->count != plan->column_count)
        return lf_fail(error, LF_INVALID_CSV, "the row has %zu cell%s, the header %zu", row->count,
                       row->count == 1 ? "" : "s", plan->column_count);
    nodes = lf_arena_calloc(arena, plan->object_count, sizeof(struct lf_json *));
    if (nodes != NULL)
        nodes[0] = lf_json_new_object(arena);
    if (nodes == NULL || nodes[0] == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a CSV row");
    for (size_t i = 0; i < row->count; i++) {
        const struct column *column = &plan->columns[i];
        struct lf_text cell = row->cells[i];
        struct lf_json *object = NULL;

        if (cell.len == 0)
            continue;
        object = object_node(plan, arena, nodes, column->object, &members);
        if (object == NULL || !lf_json_add_text(arena, object, column->leaf, cell.bytes, cell.len))
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a CSV row");
        if (++members > LF_JSON_LEAD_LIMITS.members)
            return lf_fail(error, LF_TOO_MANY_MEMBERS, "the row makes more than %zu fields and objects",
                           LF_JSON_LEAD_LIMITS.members);
    }
    *ret_lead = nodes[0];
    return LF_OK;
}
