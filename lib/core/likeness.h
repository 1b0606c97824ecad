/*
 * likeness.h - how alike two texts are: for "near" beside a value that no rule took.
 *
 * Two ways of being alike count, whichever says more: few slips between the whole texts ("Compter Software"), and words
 * that are the same, begin alike or have few slips, in any order ("Comp. Software", "Software, computer"). A digit that
 * differs is never a slip: 2018 is not near 2019. Pure and thread-safe; nothing is allocated.
 */
#ifndef LF_CORE_LIKENESS_H
#define LF_CORE_LIKENESS_H

#include "base/text.h"

#include <stddef.h>

enum {
    LF_LIKENESS_SAME = 1000,
    LF_LIKENESS_LEAST = 600, /* what is less alike is not alike */
    LF_LIKENESS_WORDS = 12   /* that are looked at */
};

/* A text made ready to be compared often; it refers to the text. */
struct lf_likeness_text {
    struct lf_text text;
    size_t characters;
    struct lf_text words[LF_LIKENESS_WORDS];
    size_t lengths[LF_LIKENESS_WORDS]; /* of the words, in characters */
    size_t count;
    size_t letters; /* of all words, also of those that are not looked at */
};

/* Makes a folded text ready. */
void lf_likeness_prepare(struct lf_text folded, struct lf_likeness_text *ret_text);

/* LF_LIKENESS_LEAST..LF_LIKENESS_SAME, or 0 where they are not alike. */
int lf_likeness(const struct lf_likeness_text *a, const struct lf_likeness_text *b);

#endif
