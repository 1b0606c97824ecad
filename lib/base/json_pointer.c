/*
 * json_pointer.c - see json_pointer.h.
 *
 * The pointers of a set stand sorted by their steps, so that those with the same beginning stand side by side: a place
 * in the document is a range of them, and the ranges below it are found by halving.
 */
#include "base/json_pointer.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX_DIGITS = 9 };

/* ---- reading ---- */

/* Takes ~0 and ~1 back in place; false for another ~. The slashes are gone already. */
static bool
unescape(char *step)
{
    char *to = step;

    for (const char *from = step; *from != '\0'; from++) {
        if (*from != '~') {
            *to++ = *from;
            continue;
        }
        from++;
        if (*from != '0' && *from != '1')
            return false;
        *to++ = *from == '0' ? '~' : '/';
    }
    *to = '\0';
    return true;
}

static enum lf_status
check_text(const char *text, size_t len, struct lf_error *error)
{
    if (len > 0 && text[0] != '/')
        return lf_fail(error, LF_INVALID_PARAMETER,
                       "a JSON pointer begins with /, such as /properties/jobtitle, or is empty for the whole record");
    if (lf_text_length(text, len) > LF_JSON_POINTER_CHARS_MAX)
        return lf_fail(error, LF_INVALID_PARAMETER, "a JSON pointer has at most %d characters here",
                       LF_JSON_POINTER_CHARS_MAX);
    if (len > 0 && memchr(text, '\0', len) != NULL)
        return lf_fail(error, LF_INVALID_PARAMETER, "the character U+0000 cannot stand in a JSON pointer");
    return LF_OK;
}

enum lf_status
lf_json_pointer_read(struct lf_arena *arena, const char *text, size_t len, struct lf_json_pointer *ret_pointer,
                     struct lf_error *error)
{
    size_t count = 0;
    char *copy = NULL, *names = NULL;
    const char **steps = NULL;
    enum lf_status status = check_text(text, len, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < len; i++)
        count += text[i] == '/';
    if (count > LF_JSON_POINTER_STEPS_MAX)
        return lf_fail(error, LF_INVALID_PARAMETER, "a JSON pointer has at most %d steps here",
                       LF_JSON_POINTER_STEPS_MAX);
    copy = lf_arena_copy(arena, text, len);
    names = lf_arena_copy(arena, text, len);
    steps = lf_arena_calloc(arena, count + 1, sizeof *steps);
    if (copy == NULL || names == NULL || steps == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a JSON pointer");
    for (size_t i = 0; i < count; i++) {
        *names = '\0';
        steps[i] = ++names;
        names += strcspn(names, "/");
    }
    for (size_t i = 0; i < count; i++)
        if (!unescape((char *)(uintptr_t)steps[i]))
            return lf_fail(error, LF_INVALID_PARAMETER,
                           "in a JSON pointer ~ is written ~0, and / within a name ~1; nothing else follows a ~");
    *ret_pointer = (struct lf_json_pointer){.text = copy, .steps = steps, .step_count = count};
    return LF_OK;
}

/* ---- sets ---- */

struct entry {
    const struct lf_json_pointer *pointer;
    size_t place;
};

/* By their steps; of two alike the one that came first. */
static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const struct lf_json_pointer *p = x->pointer, *q = y->pointer;

    for (size_t i = 0; i < p->step_count && i < q->step_count; i++) {
        int order = strcmp(p->steps[i], q->steps[i]);
        if (order != 0)
            return order;
    }
    if (p->step_count != q->step_count)
        return p->step_count < q->step_count ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

bool
lf_json_pointers_init(struct lf_json_pointers *set, struct lf_arena *arena, const struct lf_json_pointer *pointers,
                      const bool *which, size_t count)
{
    struct entry *entries = lf_arena_calloc(arena, count + 1, sizeof *entries);
    const struct lf_json_pointer **sorted = lf_arena_calloc(arena, count + 1, sizeof(struct lf_json_pointer *));
    size_t *places = lf_arena_calloc(arena, count + 1, sizeof *places), used = 0;

    if (entries == NULL || sorted == NULL || places == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (which == NULL || which[i])
            entries[used++] = (struct entry){&pointers[i], i};
    qsort(entries, used, sizeof *entries, compare_entries);
    for (size_t i = 0; i < used; i++) {
        sorted[i] = entries[i].pointer;
        places[i] = entries[i].place;
    }
    *set = (struct lf_json_pointers){.sorted = sorted, .places = places, .count = used};
    return true;
}

/* ---- finding ---- */

/* The pointers of a set from begin to end, which all have more than `depth` steps and share those before. */
struct range {
    size_t begin, end, depth;
};

/* The first pointer of the range whose step here is not less than the name, or with `beyond` greater than it. */
static size_t
bound(const struct lf_json_pointers *set, struct range range, const char *name, bool beyond)
{
    while (range.begin < range.end) {
        size_t middle = range.begin + (range.end - range.begin) / 2;
        int order = strcmp(set->sorted[middle]->steps[range.depth], name);

        if (order < 0 || (beyond && order == 0))
            range.begin = middle + 1;
        else
            range.end = middle;
    }
    return range.begin;
}

static void
walk(const struct lf_json_pointers *set, struct range range, const struct lf_json *node, const struct lf_json **found);

/* Goes on with the pointers of the range that have this step next. */
static void
step(const struct lf_json_pointers *set, struct range range, const char *name, const struct lf_json *node,
     const struct lf_json **found)
{
    range.begin = bound(set, range, name, false);
    range.end = bound(set, range, name, true);
    range.depth++;
    if (range.begin < range.end)
        walk(set, range, node, found);
}

/* One more than the index: 0, or digits that begin with another one. 0 for anything else, or more than nine digits. */
static size_t
index_limit(const char *name)
{
    size_t index = 0, len = strspn(name, "0123456789");

    if (len == 0 || len > INDEX_DIGITS || name[len] != '\0' || (name[0] == '0' && len > 1))
        return 0;
    for (size_t i = 0; i < len; i++)
        index = index * 10 + (size_t)(name[i] - '0');
    return index + 1;
}

/* Elements are looked up by their index as text, up to the greatest that is asked for. */
static void
walk_elements(const struct lf_json_pointers *set, struct range range, const struct lf_json *array,
              const struct lf_json **found)
{
    size_t limit = 0, at = 0;

    for (size_t i = range.begin; i < range.end; i++) {
        size_t next = index_limit(set->sorted[i]->steps[range.depth]);
        limit = next > limit ? next : limit;
    }
    for (const struct lf_json *element = lf_json_first(array); element != NULL && at < limit;
         element = lf_json_next(element), at++) {
        char name[INDEX_DIGITS + 1];

        (void)snprintf(name, sizeof name, "%u", (unsigned)at);
        step(set, range, name, element, found);
    }
}

static void
walk(const struct lf_json_pointers *set, struct range range, const struct lf_json *node, const struct lf_json **found)
{
    for (; range.begin < range.end && set->sorted[range.begin]->step_count == range.depth; range.begin++)
        found[set->places[range.begin]] = node;
    if (range.begin == range.end)
        return;
    if (lf_json_kind(node) == LF_JSON_ARRAY)
        walk_elements(set, range, node, found);
    if (lf_json_kind(node) != LF_JSON_OBJECT)
        return;
    for (const struct lf_json *member = lf_json_first(node); member != NULL; member = lf_json_next(member))
        step(set, range, lf_json_name(member), member, found);
}

void
lf_json_pointers_find(const struct lf_json_pointers *set, const struct lf_json *root, const struct lf_json **found)
{
    if (root != NULL)
        walk(set, (struct range){.begin = 0, .end = set->count, .depth = 0}, root, found);
}
