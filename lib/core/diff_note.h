/*
 * diff_note.h - writing differences down, for diff.c alone: items, paths, values as JSON, and what is said of them.
 *
 * Once memory is out nothing more is noted; the texts that come back are "" then, never NULL, so that a caller goes
 * straight on and looks at `failed` in the end. All texts are in the arena.
 */
#ifndef LF_CORE_DIFF_NOTE_H
#define LF_CORE_DIFF_NOTE_H

#include "core/diff.h"
#include "core/diff_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_differ {
    struct lf_arena *arena;
    const struct lf_icp *old, *new;
    struct lf_difference *items;
    size_t count, cap;
    bool failed; /* memory is out; what was noted is incomplete */
};

/* Which one a difference is about. */
struct lf_about {
    const char *attribute, *rule;
};

/* ---- texts ---- */

/* The text, or "" where it is NULL because memory is out. */
const char *lf_differ_keep(struct lf_differ *differ, const char *text);

/* A formatted text. */
#define LF_SAY(differ, ...) lf_differ_keep((differ), lf_arena_printf((differ)->arena, __VA_ARGS__))

/* Zeroed memory; NULL when there is none. */
void *lf_differ_allot(struct lf_differ *differ, size_t count, size_t size);

/* A path of these names, escaped, up to a NULL. */
__attribute__((sentinel)) const char *lf_differ_path(struct lf_differ *differ, ...);

/* Values as canonical JSON; of a node that is NULL "". */
const char *lf_differ_json(struct lf_differ *differ, const struct lf_json *node);
const char *lf_differ_json_text(struct lf_differ *differ, const char *text);
const char *lf_differ_json_decimal(struct lf_differ *differ, int64_t value, int places);

/* A word of the language as people write it: value_proposition is "value proposition". */
const char *lf_differ_spaced(struct lf_differ *differ, const char *word);

/* The text, or the beginning of a long one. */
const char *lf_differ_cut(struct lf_differ *differ, const char *text);

/* ---- items ---- */

/* A value that is not what it was: "" is no value. Also an element that is gone. */
void lf_differ_value(struct lf_differ *differ, struct lf_about about, const char *path, const char *before,
                     const char *after, const char *words);

/* An element that came to a list. */
void lf_differ_added(struct lf_differ *differ, struct lf_about about, const char *path, const char *after, size_t index,
                     const char *words);

/* An element that stands elsewhere; `what` names it. */
void lf_differ_moved(struct lf_differ *differ, struct lf_about about, const char *path, const char *what, size_t from,
                     size_t to);

/* ---- single values, noted where they differ; `what` names them ---- */

/* A short text, such as a name: told whole. */
void lf_differ_name(struct lf_differ *differ, struct lf_about about, const char *path, const char *what,
                    const char *before, const char *after);

/* A word of the language. */
void lf_differ_word(struct lf_differ *differ, struct lf_about about, const char *path, const char *what,
                    const char *before, const char *after);

/* A number, as JSON. */
void lf_differ_number(struct lf_differ *differ, struct lf_about about, const char *path, const char *what,
                      const char *before, const char *after);

/* Prose that may be left out, "" then. where: what stands in front, such as "profile: ". */
void lf_differ_prose(struct lf_differ *differ, struct lf_about about, const char *path, const char *where,
                     const char *what, const char *before, const char *after);

/* A condition. */
void lf_differ_condition(struct lf_differ *differ, struct lf_about about, const char *path, const char *what,
                         struct lf_diff_condition before, struct lf_diff_condition after);

#endif
