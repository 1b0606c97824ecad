/*
 * diff_words.c - see diff_words.h.
 *
 * Conditions grow long, and people look for the one thing that changed: where all but one part of two conditions are
 * alike, that part is told alone; of a list of texts what came and what went. Only what is left is told whole, before
 * and after.
 */
#include "core/diff_words.h"

#include "base/number.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD_MAX = 5 /* entries, and parts */, WORDS_MAX = 1 << 16, JSON_MAX = 64 << 20 };

const char *
lf_diff_json(struct lf_arena *arena, const struct lf_json *node)
{
    struct lf_buf buf;

    if (node == NULL)
        return "";
    lf_buf_init(&buf, arena, JSON_MAX);
    return lf_json_put_canonical(&buf, arena, node) ? lf_buf_terminate(&buf) : NULL;
}

/* ---- lists of operands ---- */

struct entry {
    const struct lf_scalar *scalar;
    size_t index; /* in its list */
};

static int
compare_entries(const void *a, const void *b)
{
    const struct lf_scalar *x = ((const struct entry *)a)->scalar, *y = ((const struct entry *)b)->scalar;
    size_t len = x->raw.len < y->raw.len ? x->raw.len : y->raw.len;
    int order = 0;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->kind == LF_JSON_NUMBER)
        return (x->number > y->number) - (x->number < y->number);
    if (x->kind != LF_JSON_TEXT)
        return (int)x->yes - (int)y->yes;
    order = memcmp(x->raw.bytes, y->raw.bytes, len);
    return order != 0 ? order : (x->raw.len > y->raw.len) - (x->raw.len < y->raw.len);
}

static struct entry *
sorted_entries(struct lf_arena *arena, const struct lf_condition *leaf)
{
    struct entry *entries = lf_arena_calloc(arena, leaf->entry_count, sizeof *entries);

    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < leaf->entry_count; i++)
        entries[i] = (struct entry){&leaf->entries[i], i};
    qsort(entries, leaf->entry_count, sizeof *entries, compare_entries);
    return entries;
}

/* Marks the entries that the other list lacks, by their index, and counts them. */
static size_t
mark_alone(const struct entry *entries, size_t count, const struct entry *others, size_t other_count, bool *alone)
{
    size_t other = 0, marked = 0;

    for (size_t i = 0; i < count; i++) {
        while (other < other_count && compare_entries(&others[other], &entries[i]) < 0)
            other++;
        if (other < other_count && compare_entries(&others[other], &entries[i]) == 0)
            continue;
        alone[entries[i].index] = true;
        marked++;
    }
    return marked;
}

static void
put_entry(struct lf_buf *buf, const struct lf_scalar *entry)
{
    char text[LF_NUMBER_TEXT_MAX];

    if (entry->kind == LF_JSON_TEXT)
        lf_buf_add(buf, entry->raw.bytes, entry->raw.len);
    else if (entry->kind == LF_JSON_NUMBER)
        lf_buf_add(buf, text, lf_number_format(entry->number, text));
    else
        lf_buf_text(buf, entry->yes ? "true" : "false");
}

static void
put_alone(struct lf_buf *buf, const char *lead, const struct lf_condition *leaf, const bool *alone, size_t count)
{
    size_t told = 0;

    if (count == 0)
        return;
    lf_buf_text(buf, lead);
    for (size_t i = 0; i < leaf->entry_count && told < count; i++) {
        if (!alone[i])
            continue;
        if (told == TOLD_MAX && count > TOLD_MAX + 1) {
            lf_buf_printf(buf, " and %zu more", count - told);
            return;
        }
        lf_buf_text(buf, told == 0 ? " " : ", ");
        put_entry(buf, &leaf->entries[i]);
        told++;
    }
}

/* Two leaves that ask the same field the same question, of other entries. */
static const char *
entry_words(struct lf_arena *arena, const struct lf_condition *before, const struct lf_condition *after,
            const char *path)
{
    struct entry *old = sorted_entries(arena, before), *new = sorted_entries(arena, after);
    bool *gone = lf_arena_calloc(arena, before->entry_count, sizeof *gone);
    bool *come = lf_arena_calloc(arena, after->entry_count, sizeof *come);
    size_t gone_count = 0, come_count = 0;
    struct lf_buf buf;

    if (old == NULL || new == NULL || gone == NULL || come == NULL)
        return NULL;
    gone_count = mark_alone(old, before->entry_count, new, after->entry_count, gone);
    come_count = mark_alone(new, after->entry_count, old, before->entry_count, come);
    lf_buf_init(&buf, arena, JSON_MAX);
    lf_buf_text(&buf, path);
    lf_buf_lit(&buf, ": ");
    put_alone(&buf, "also", after, come, come_count);
    if (come_count > 0 && gone_count > 0)
        lf_buf_lit(&buf, "; ");
    put_alone(&buf, "no longer", before, gone, gone_count);
    if (come_count + gone_count == 0)
        lf_buf_lit(&buf, "the same, written in another way");
    return lf_buf_terminate(&buf);
}

static bool
has_entries(const struct lf_condition *leaf)
{
    switch (lf_operator_operand(leaf->op)) {
    case LF_OPERAND_SCALARS:
    case LF_OPERAND_TEXTS:
    case LF_OPERAND_ALL_TEXTS:
        return true;
    case LF_OPERAND_SCALAR:
    case LF_OPERAND_NUMBER:
    case LF_OPERAND_RANGE:
    case LF_OPERAND_DATE:
    case LF_OPERAND_DAYS:
    case LF_OPERAND_LIST_KEY:
    case LF_OPERAND_BOOLEAN:
        break;
    }
    return false;
}

/* ---- whole conditions ---- */

static const char *
both_words(struct lf_arena *arena, struct lf_diff_condition before, struct lf_diff_condition after)
{
    const char *old = lf_condition_words(arena, before.condition, before.fields), *behind = NULL;
    const char *new = lf_condition_words(arena, after.condition, after.fields);

    if (old == NULL || new == NULL)
        return NULL;
    if (strcmp(old, new) == 0)
        return lf_arena_printf(arena, "%s, changed in a detail", new);
    /* The field is not said twice. */
    if (before.condition->kind == LF_CONDITION_LEAF && after.condition->kind == LF_CONDITION_LEAF) {
        const char *path = after.fields->paths[after.condition->field];
        if (strcmp(before.fields->paths[before.condition->field], path) == 0 && strncmp(new, path, strlen(path)) == 0 &&
            new[strlen(path)] == ' ')
            behind = new + strlen(path) + 1;
    }
    return lf_arena_printf(arena, "%s → %s", old, behind != NULL ? behind : new);
}

/* The parts of a condition as they stand there: elements of all and any, the one member of not. */
static const struct lf_json *
first_part(struct lf_diff_condition whole)
{
    switch (whole.condition->kind) {
    case LF_CONDITION_ALL:
        return lf_json_first(lf_json_member(whole.node, "all"));
    case LF_CONDITION_ANY:
        return lf_json_first(lf_json_member(whole.node, "any"));
    case LF_CONDITION_NOT:
        return lf_json_member(whole.node, "not");
    case LF_CONDITION_LEAF:
        break;
    }
    return NULL;
}

struct part {
    struct lf_diff_condition condition;
    const char *json;
};

static struct part *
parts_of(struct lf_arena *arena, struct lf_diff_condition whole)
{
    struct part *parts = lf_arena_calloc(arena, whole.condition->child_count, sizeof *parts);
    const struct lf_json *node = first_part(whole);

    for (size_t i = 0; parts != NULL && i < whole.condition->child_count; i++, node = lf_json_next(node)) {
        parts[i].condition = (struct lf_diff_condition){node, whole.condition->children[i], whole.fields};
        parts[i].json = lf_diff_json(arena, node);
        if (parts[i].json == NULL)
            return NULL;
    }
    return parts;
}

/* Parts that came, or went, between others that are the same. */
static const char *
part_words(struct lf_arena *arena, const char *lead, const struct part *parts, size_t count)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *words = lf_condition_words(arena, parts[i].condition.condition, parts[i].condition.fields);
        if (words == NULL)
            return NULL;
        lf_buf_text(&buf, i == 0 ? lead : ", ");
        lf_buf_text(&buf, words);
    }
    return lf_buf_terminate(&buf);
}

/* One step down. Returns the words, or NULL and the one part that differs on both sides, to go on with; *ret_failed
 * where memory is out. */
static const char *
step_down(struct lf_arena *arena, struct lf_diff_condition *before, struct lf_diff_condition *after, bool *ret_failed)
{
    struct part *old = parts_of(arena, *before), *new = parts_of(arena, *after);
    size_t old_count = before->condition->child_count, new_count = after->condition->child_count, same = 0;
    const char *words = NULL;

    *ret_failed = old == NULL || new == NULL;
    if (*ret_failed)
        return NULL;
    while (old_count > 0 && new_count > 0 && strcmp(old->json, new->json) == 0)
        old++, new ++, old_count--, new_count--, same++;
    while (old_count > 0 && new_count > 0 && strcmp(old[old_count - 1].json, new[new_count - 1].json) == 0)
        old_count--, new_count--, same++;
    if (old_count == 1 && new_count == 1) {
        *before = old->condition;
        *after = new->condition;
        return NULL;
    }
    if (same > 0 && old_count == 0 && new_count <= TOLD_MAX)
        words = part_words(arena, "also ", new, new_count);
    else if (same > 0 && new_count == 0 && old_count <= TOLD_MAX)
        words = part_words(arena, "no longer ", old, old_count);
    else
        words = both_words(arena, *before, *after);
    *ret_failed = words == NULL;
    return words;
}

const char *
lf_diff_condition_words(struct lf_arena *arena, struct lf_diff_condition before, struct lf_diff_condition after)
{
    bool failed = false;

    /* At most as deep as a condition may be. */
    while (before.condition->kind != LF_CONDITION_LEAF && before.condition->kind == after.condition->kind) {
        const char *words = step_down(arena, &before, &after, &failed);
        if (words != NULL || failed)
            return words;
    }
    if (before.condition->kind == LF_CONDITION_LEAF && after.condition->kind == LF_CONDITION_LEAF) {
        const char *path = after.fields->paths[after.condition->field];
        if (before.condition->op == after.condition->op && has_entries(after.condition) &&
            before.condition->entry_count + after.condition->entry_count > 2 &&
            strcmp(before.fields->paths[before.condition->field], path) == 0)
            return entry_words(arena, before.condition, after.condition, path);
    }
    return both_words(arena, before, after);
}
