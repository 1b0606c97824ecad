/*
 * diff_words.h - a change of a condition, in words, for diff.c alone.
 */
#ifndef LF_CORE_DIFF_WORDS_H
#define LF_CORE_DIFF_WORDS_H

#include "base/arena.h"
#include "base/json.h"
#include "core/condition.h"

/* A condition as it was put, what it was parsed to, and the fields of its definition. */
struct lf_diff_condition {
    const struct lf_json *node;
    const struct lf_condition *condition;
    const struct lf_fields *fields;
};

/* What differs between two conditions that are not written alike: "company.employees from 200 to 499 → from 100 to
 * 499", "company.country: also LI; no longer PL". As little of them is told as the change allows. In the arena; NULL
 * when memory is out. */
const char *
lf_diff_condition_words(struct lf_arena *arena, struct lf_diff_condition before, struct lf_diff_condition after);

/* The canonical JSON of a value, "" where there is none; NULL when memory is out. */
const char *lf_diff_json(struct lf_arena *arena, const struct lf_json *node);

#endif
