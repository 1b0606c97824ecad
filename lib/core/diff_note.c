/* diff_note.c - see diff_note.h. */
#include "core/diff_note.h"

#include <stdarg.h>
#include <string.h>

enum { QUOTED_MAX = 80 /* characters of prose that are told; what is longer is "reworded" */, TEXT_MAX = 1 << 20 };

const char *
lf_differ_keep(struct lf_differ *differ, const char *text)
{
    if (text == NULL)
        differ->failed = true;
    return text != NULL ? text : "";
}

void *
lf_differ_allot(struct lf_differ *differ, size_t count, size_t size)
{
    void *piece = lf_arena_calloc(differ->arena, count, size);

    if (piece == NULL)
        differ->failed = true;
    return piece;
}

static void
note(struct lf_differ *differ, struct lf_difference item)
{
    if (differ->count == differ->cap) {
        size_t cap = differ->cap == 0 ? 16 : differ->cap * 2;
        struct lf_difference *items = lf_differ_allot(differ, cap, sizeof *items);
        if (items == NULL)
            return;
        if (differ->count > 0)
            memcpy(items, differ->items, differ->count * sizeof *items);
        differ->items = items;
        differ->cap = cap;
    }
    differ->items[differ->count++] = item;
}

/* A value that is not what it was: "" is no value. */
void
lf_differ_value(struct lf_differ *differ, struct lf_about about, const char *path, const char *before,
                const char *after, const char *words)
{
    note(differ, (struct lf_difference){.op = before[0] == '\0'  ? "add"
                                              : after[0] == '\0' ? "remove"
                                                                 : "replace",
                                        .path = path,
                                        .attribute = about.attribute,
                                        .rule = about.rule,
                                        .before = before,
                                        .after = after,
                                        .words = words});
}

/* An element that came to a list. */
void
lf_differ_added(struct lf_differ *differ, struct lf_about about, const char *path, const char *after, size_t index,
                const char *words)
{
    note(differ, (struct lf_difference){.op = "add",
                                        .path = path,
                                        .attribute = about.attribute,
                                        .rule = about.rule,
                                        .before = "",
                                        .after = after,
                                        .words = words,
                                        .place = index + 1});
}

/* An element that stands elsewhere; `what` names it. */
void
lf_differ_moved(struct lf_differ *differ, struct lf_about about, const char *path, const char *what, size_t from,
                size_t to)
{
    note(differ, (struct lf_difference){.op = "move",
                                        .path = path,
                                        .attribute = about.attribute,
                                        .rule = about.rule,
                                        .before = LF_SAY(differ, "%zu", from + 1),
                                        .after = LF_SAY(differ, "%zu", to + 1),
                                        .words = LF_SAY(differ, "%s from place %zu to %zu", what, from + 1, to + 1),
                                        .place = to + 1});
}

/* ---- texts ---- */

/* "/" and each name, escaped, up to a NULL. */
__attribute__((sentinel)) const char *
lf_differ_path(struct lf_differ *differ, ...)
{
    struct lf_buf buf;
    va_list names;

    lf_buf_init(&buf, differ->arena, TEXT_MAX);
    va_start(names, differ);
    for (const char *name = va_arg(names, const char *); name != NULL; name = va_arg(names, const char *)) {
        lf_buf_char(&buf, '/');
        for (const char *c = name; *c != '\0'; c++) {
            if (*c == '~')
                lf_buf_lit(&buf, "~0");
            else if (*c == '/')
                lf_buf_lit(&buf, "~1");
            else
                lf_buf_char(&buf, *c);
        }
    }
    va_end(names);
    return lf_differ_keep(differ, lf_buf_terminate(&buf));
}

const char *
lf_differ_json(struct lf_differ *differ, const struct lf_json *node)
{
    return lf_differ_keep(differ, lf_diff_json(differ->arena, node));
}

const char *
lf_differ_json_text(struct lf_differ *differ, const char *text)
{
    struct lf_buf buf;

    lf_buf_init(&buf, differ->arena, TEXT_MAX);
    lf_json_put_text(&buf, text, strlen(text));
    return lf_differ_keep(differ, lf_buf_terminate(&buf));
}

const char *
lf_differ_json_decimal(struct lf_differ *differ, int64_t value, int places)
{
    struct lf_buf buf;

    lf_buf_init(&buf, differ->arena, 64);
    lf_buf_decimal(&buf, value, places);
    return lf_differ_keep(differ, lf_buf_terminate(&buf));
}

/* A word of the language as people write it: value_proposition is "value proposition". */
const char *
lf_differ_spaced(struct lf_differ *differ, const char *word)
{
    char *copy = lf_arena_copy(differ->arena, word, strlen(word));

    for (char *c = copy; c != NULL && *c != '\0'; c++)
        if (*c == '_')
            *c = ' ';
    return lf_differ_keep(differ, copy);
}

/* The beginning of a long text. */
const char *
lf_differ_cut(struct lf_differ *differ, const char *text)
{
    size_t len = strlen(text);

    if (lf_text_length(text, len) <= QUOTED_MAX)
        return text;
    return LF_SAY(differ, "%.*s…", (int)lf_text_prefix(text, len, QUOTED_MAX - 1), text);
}

/* ---- single values ---- */

/* A short text, such as a name: told whole. */
void
lf_differ_name(struct lf_differ *differ, struct lf_about about, const char *path, const char *what, const char *before,
               const char *after)
{
    if (strcmp(before, after) != 0)
        lf_differ_value(differ, about, path, lf_differ_json_text(differ, before), lf_differ_json_text(differ, after),
                        LF_SAY(differ, "%s from \"%s\" to \"%s\"", what, before, after));
}

/* A word of the language. */
void
lf_differ_word(struct lf_differ *differ, struct lf_about about, const char *path, const char *what, const char *before,
               const char *after)
{
    if (strcmp(before, after) != 0)
        lf_differ_value(differ, about, path, lf_differ_json_text(differ, before), lf_differ_json_text(differ, after),
                        LF_SAY(differ, "%s from %s to %s", what, lf_differ_spaced(differ, before),
                               lf_differ_spaced(differ, after)));
}

/* A number, as JSON; also other values that need no quotes. */
void
lf_differ_number(struct lf_differ *differ, struct lf_about about, const char *path, const char *what,
                 const char *before, const char *after)
{
    if (strcmp(before, after) != 0)
        lf_differ_value(differ, about, path, before, after, LF_SAY(differ, "%s from %s to %s", what, before, after));
}

/* Prose that may be left out, "" then. where: what stands in front, such as "profile: ". */
void
lf_differ_prose(struct lf_differ *differ, struct lf_about about, const char *path, const char *where, const char *what,
                const char *before, const char *after)
{
    const char *words = NULL;

    if (strcmp(before, after) == 0)
        return;
    if (before[0] == '\0')
        words = LF_SAY(differ, "%snew %s: \"%s\"", where, what, lf_differ_cut(differ, after));
    else if (after[0] == '\0')
        words = LF_SAY(differ, "%sthe %s is gone", where, what);
    else if (lf_differ_cut(differ, before) == before && lf_differ_cut(differ, after) == after)
        words = LF_SAY(differ, "%s%s from \"%s\" to \"%s\"", where, what, before, after);
    else
        words = LF_SAY(differ, "%sthe %s is reworded", where, what);
    lf_differ_value(differ, about, path, before[0] != '\0' ? lf_differ_json_text(differ, before) : "",
                    after[0] != '\0' ? lf_differ_json_text(differ, after) : "", words);
}

void
lf_differ_condition(struct lf_differ *differ, struct lf_about about, const char *path, const char *what,
                    struct lf_diff_condition before, struct lf_diff_condition after)
{
    const char *old = lf_differ_json(differ, before.node), *new = lf_differ_json(differ, after.node);

    if (strcmp(old, new) != 0)
        lf_differ_value(differ, about, path, old, new,
                        LF_SAY(differ, "the condition of %s: %s", what,
                               lf_differ_keep(differ, lf_diff_condition_words(differ->arena, before, after))));
}
