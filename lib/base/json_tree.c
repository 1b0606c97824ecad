/*
 * json_tree.c - the tree: cJSON behind the door, in the caller's arena, and the reading of it.
 *
 * A struct lf_json is a cJSON node. Two things are kept in a node that cJSON leaves free: a text with U+0000 in it
 * has its length in valueint (0 elsewhere: strlen tells), and an integer of many digits has them in valuestring.
 * Both are mended after parsing, from the notes that the door took.
 *
 * Of cJSON only parsing is used, never cJSON_GetErrorPtr (parsing writes its one global, which nothing reads), never
 * setlocale (numbers would lose their point).
 */
#include "base/json_door.h"
#include "base/number.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <limits.h>
#include <string.h>

/* Where cJSON allocates while lf_json_parse runs on this thread: its hooks have no parameter to carry an arena. */
static _Thread_local struct lf_arena *current;

static void *
alloc_in_current(size_t size)
{
    return current != NULL ? lf_arena_alloc(current, size) : NULL;
}

/* An arena gives nothing back piece by piece. */
static void
free_nothing(void *piece)
{
    (void)piece;
}

void
lf_json_setup(void)
{
    cJSON_Hooks hooks = {.malloc_fn = alloc_in_current, .free_fn = free_nothing};

    cJSON_InitHooks(&hooks);
    lf_json_door_setup();
}

static const cJSON *
as_cjson(const struct lf_json *node)
{
    return (const cJSON *)(const void *)node;
}

static const struct lf_json *
as_node(const cJSON *item)
{
    return (const struct lf_json *)(const void *)item;
}

/* The type without cJSON's flags. */
static int
type_of(const struct lf_json *node)
{
    return node != NULL ? as_cjson(node)->type & 0xFF : cJSON_Invalid;
}

/* ---- parsing ---- */

/* The text with each number that is too long for cJSON's buffer replaced by 0 and spaces; NULL when memory is out. */
static char *
shorten_numbers(struct lf_arena *arena, const char *text, size_t len, const struct lf_json_notes *notes)
{
    char *copy = lf_arena_copy(arena, text, len);

    if (copy == NULL)
        return NULL;
    for (const struct lf_json_note *note = notes->first; note != NULL; note = note->next) {
        if (note->kind == LF_JSON_NOTE_TEXT || note->len <= LF_JSON_CJSON_NUMBER_MAX)
            continue;
        memset(copy + note->begin, ' ', note->len);
        copy[note->begin] = '0';
    }
    return copy;
}

static bool
has_long_number(const struct lf_json_notes *notes)
{
    for (const struct lf_json_note *note = notes->first; note != NULL; note = note->next) {
        if (note->kind != LF_JSON_NOTE_TEXT && note->len > LF_JSON_CJSON_NUMBER_MAX)
            return true;
    }
    return false;
}

static void
mend(cJSON *item, const struct lf_json_note *note)
{
    if (note->kind != LF_JSON_NOTE_LONG)
        item->valuestring = (char *)(uintptr_t)note->kept;
    if (note->kind == LF_JSON_NOTE_TEXT) {
        item->valueint = (int)note->kept_len;
    } else {
        bool is_number = lf_number_parse(note->kept, note->kept_len, &item->valuedouble);

        assert(is_number); /* the door has seen it */
        (void)is_number;
    }
}

/* One walk over the tree in the order of the text, which is the order of the notes. */
static void
mend_tree(cJSON *item, const struct lf_json_note *note)
{
    cJSON *above[LF_JSON_DEPTH_MAX] = {NULL};
    size_t depth = 0, value = 0;

    while (item != NULL && note != NULL) {
        if (note->value == value++) {
            mend(item, note);
            note = note->next;
        }
        if (item->child != NULL) {
            above[depth++] = item;
            item = item->child;
            continue;
        }
        while (item->next == NULL && depth > 0)
            item = above[--depth];
        item = item->next;
    }
}

enum lf_status
lf_json_parse(struct lf_arena *arena, const char *text, size_t len, const struct lf_json_limits *limits,
              const struct lf_json **ret_root, struct lf_error *error)
{
    struct lf_json_notes notes = {NULL, NULL};
    const char *source = text;
    cJSON *root = NULL;
    enum lf_status status = lf_json_door(arena, text, len, limits, &notes, error);

    if (status != LF_OK)
        return status;
    if (has_long_number(&notes))
        source = shorten_numbers(arena, text, len, &notes);
    if (source != NULL) {
        current = arena;
        root = cJSON_ParseWithLengthOpts(source, len, NULL, false);
        current = NULL;
    }
    /* what the door lets in cJSON can read: nothing but memory is left to fail */
    if (root == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading JSON");
    mend_tree(root, notes.first);
    *ret_root = as_node(root);
    return LF_OK;
}

/* ---- reading ---- */

enum lf_json_kind
lf_json_kind(const struct lf_json *node)
{
    switch (type_of(node)) {
    case cJSON_NULL:
        return LF_JSON_NULL;
    case cJSON_False:
    case cJSON_True:
        return LF_JSON_BOOLEAN;
    case cJSON_Number:
        return LF_JSON_NUMBER;
    case cJSON_String:
        return LF_JSON_TEXT;
    case cJSON_Array:
        return LF_JSON_ARRAY;
    case cJSON_Object:
        return LF_JSON_OBJECT;
    default:
        return LF_JSON_ABSENT;
    }
}

bool
lf_json_is_something(const struct lf_json *node)
{
    size_t len = 0;

    switch (lf_json_kind(node)) {
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
        return false;
    case LF_JSON_TEXT:
        (void)lf_json_text(node, &len);
        return len > 0;
    case LF_JSON_ARRAY:
        return lf_json_first(node) != NULL;
    case LF_JSON_BOOLEAN:
    case LF_JSON_NUMBER:
    case LF_JSON_OBJECT:
        return true;
    }
    return false;
}

bool
lf_json_is_true(const struct lf_json *node)
{
    return type_of(node) == cJSON_True;
}

double
lf_json_number(const struct lf_json *node)
{
    return type_of(node) == cJSON_Number ? as_cjson(node)->valuedouble : 0;
}

const char *
lf_json_text(const struct lf_json *node, size_t *ret_len)
{
    const cJSON *item = as_cjson(node);

    *ret_len = 0;
    if (type_of(node) != cJSON_String)
        return NULL;
    *ret_len = item->valueint > 0 ? (size_t)item->valueint : strlen(item->valuestring);
    return item->valuestring;
}

const char *
lf_json_long_digits(const struct lf_json *node)
{
    return type_of(node) == cJSON_Number ? as_cjson(node)->valuestring : NULL;
}

const struct lf_json *
lf_json_member(const struct lf_json *object, const char *name)
{
    if (type_of(object) != cJSON_Object)
        return NULL;
    for (const cJSON *item = as_cjson(object)->child; item != NULL; item = item->next) {
        if (strcmp(item->string, name) == 0)
            return as_node(item);
    }
    return NULL;
}

const struct lf_json *
lf_json_first(const struct lf_json *container)
{
    return container != NULL ? as_node(as_cjson(container)->child) : NULL;
}

const struct lf_json *
lf_json_next(const struct lf_json *node)
{
    return node != NULL ? as_node(as_cjson(node)->next) : NULL;
}

const char *
lf_json_name(const struct lf_json *node)
{
    return node != NULL ? as_cjson(node)->string : NULL;
}

size_t
lf_json_count(const struct lf_json *container)
{
    size_t count = 0;

    for (const struct lf_json *node = lf_json_first(container); node != NULL; node = lf_json_next(node))
        count++;
    return count;
}

/* What is left of the limits. */
struct allowance {
    size_t members, elements;
};

/* Counts what lies in a container and below, and stops when it is too much. depth: that may be gone down yet. */
static enum lf_status
count_within(const cJSON *container, struct allowance *left, size_t depth)
{
    if (depth == 0)
        return LF_TOO_DEEP;
    for (const cJSON *item = container->child; item != NULL; item = item->next) {
        size_t *count = item->string != NULL ? &left->members : &left->elements;
        enum lf_status status = LF_OK;

        if (*count == 0)
            return LF_TOO_MANY_MEMBERS;
        --*count;
        if ((item->type & (cJSON_Array | cJSON_Object)) != 0)
            status = count_within(item, left, depth - 1);
        if (status != LF_OK)
            return status;
    }
    return LF_OK;
}

enum lf_status
lf_json_check_lead_size(const struct lf_json *lead, const char *pointer, struct lf_error *error)
{
    struct allowance left = {LF_JSON_LEAD_LIMITS.members, LF_JSON_LEAD_LIMITS.elements};
    enum lf_status status = LF_OK;

    if (lead != NULL && (lf_json_kind(lead) == LF_JSON_ARRAY || lf_json_kind(lead) == LF_JSON_OBJECT))
        status = count_within(as_cjson(lead), &left, LF_JSON_LEAD_LIMITS.depth);
    if (status == LF_TOO_DEEP)
        return lf_fail_at(error, status, pointer, -1, "a lead is nested at most %zu deep", LF_JSON_LEAD_LIMITS.depth);
    if (status == LF_TOO_MANY_MEMBERS)
        return lf_fail_at(error, status, pointer, -1, "a lead has at most %zu members and %zu array elements",
                          LF_JSON_LEAD_LIMITS.members, LF_JSON_LEAD_LIMITS.elements);
    return LF_OK;
}

/* ---- building ---- */

static cJSON *
new_item(struct lf_arena *arena, int type)
{
    cJSON *item = lf_arena_calloc(arena, 1, sizeof *item);

    if (item != NULL)
        item->type = type;
    return item;
}

/* Puts the item last; the first child's prev is the last child, as cJSON has it. */
static void
append(cJSON *container, cJSON *item)
{
    if (container->child == NULL) {
        container->child = item;
    } else {
        container->child->prev->next = item;
        item->prev = container->child->prev;
    }
    container->child->prev = item;
}

static bool
append_member(struct lf_arena *arena, cJSON *object, const char *name, cJSON *item)
{
    item->string = lf_arena_copy(arena, name, strlen(name));
    if (item->string == NULL)
        return false;
    append(object, item);
    return true;
}

/* A copy of the node by itself: what is in it is shared. NULL when memory is out. */
static cJSON *
share(struct lf_arena *arena, const struct lf_json *node)
{
    cJSON *item = new_item(arena, 0);

    if (item == NULL)
        return NULL;
    *item = *as_cjson(node);
    item->next = NULL;
    item->prev = NULL;
    item->string = NULL;
    return item;
}

struct lf_json *
lf_json_new_object(struct lf_arena *arena)
{
    return (struct lf_json *)(void *)new_item(arena, cJSON_Object);
}

static cJSON *
new_text(struct lf_arena *arena, const char *text, size_t len)
{
    cJSON *item = new_item(arena, cJSON_String);

    assert(len <= INT_MAX);
    if (item == NULL)
        return NULL;
    item->valuestring = lf_arena_copy(arena, text, len);
    item->valueint = (int)len;
    return item->valuestring != NULL ? item : NULL;
}

struct lf_json *
lf_json_new_text(struct lf_arena *arena, const char *text, size_t len)
{
    return (struct lf_json *)(void *)new_text(arena, text, len);
}

bool
lf_json_add_text(struct lf_arena *arena, struct lf_json *object, const char *name, const char *text, size_t len)
{
    cJSON *item = new_text(arena, text, len);

    return item != NULL && append_member(arena, (cJSON *)(void *)object, name, item);
}

struct lf_json *
lf_json_add_object(struct lf_arena *arena, struct lf_json *object, const char *name)
{
    cJSON *item = new_item(arena, cJSON_Object);

    if (item == NULL || !append_member(arena, (cJSON *)(void *)object, name, item))
        return NULL;
    return (struct lf_json *)(void *)item;
}

bool
lf_json_add_shared(struct lf_arena *arena, struct lf_json *object, const char *name, const struct lf_json *node)
{
    cJSON *item = share(arena, node);

    if (item == NULL)
        return false;
    item->string = (char *)(uintptr_t)name;
    append((cJSON *)(void *)object, item);
    return true;
}

struct lf_json *
lf_json_new_array(struct lf_arena *arena)
{
    return (struct lf_json *)(void *)new_item(arena, cJSON_Array);
}

bool
lf_json_append_shared(struct lf_arena *arena, struct lf_json *array, const struct lf_json *node)
{
    cJSON *item = share(arena, node);

    if (item != NULL)
        append((cJSON *)(void *)array, item);
    return item != NULL;
}
