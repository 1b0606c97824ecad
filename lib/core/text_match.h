/*
 * text_match.h - the text operators on folded texts: starts_with, ends_with, contains, has_word, like.
 */
#ifndef LF_CORE_TEXT_MATCH_H
#define LF_CORE_TEXT_MATCH_H

#include "base/text.h"
#include "core/condition.h"

#include <stdbool.h>

/* Whether the text matches the pattern under the operator (one of the five). Both are folded; the pattern is not
 * empty. has_word: the pattern stands somewhere with no word character (letter, mark, number, `_`) against its edge,
 * on each side where the pattern itself ends in one. like: the whole text, `*` any run, `?` one character. */
bool lf_text_matches(enum lf_operator op, struct lf_text text, struct lf_text pattern);

#endif
