/* text_match.c - see text_match.h. */
#include "core/text_match.h"

#include <string.h>

static bool
is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* The character that begins at `at`, or the one that ends before it. */
static bool
word_at(struct lf_text text, size_t at)
{
    size_t next = 0;

    return at < text.len && lf_text_is_word(lf_text_char(text.bytes, text.len, at, &next));
}

static bool
word_before(struct lf_text text, size_t at)
{
    if (at == 0)
        return false;
    do
        at--;
    while (at > 0 && is_continuation(text.bytes[at]));
    return word_at(text, at);
}

static bool
has_word(struct lf_text text, struct lf_text phrase)
{
    bool guard_left = word_at(phrase, 0), guard_right = word_before(phrase, phrase.len);
    const char *end = text.bytes + text.len;

    for (const char *from = text.bytes; (size_t)(end - from) >= phrase.len; from++) {
        const char *found = memmem(from, (size_t)(end - from), phrase.bytes, phrase.len);
        size_t at = 0;

        if (found == NULL)
            return false;
        at = (size_t)(found - text.bytes);
        if (!(guard_left && word_before(text, at)) && !(guard_right && word_at(text, at + phrase.len)))
            return true;
        from = found;
    }
    return false;
}

/* Greedy matching with one way back: when a mismatch comes, the last `*` takes one character more. */
static bool
like(struct lf_text text, struct lf_text pattern)
{
    size_t t = 0, p = 0, star = SIZE_MAX, taken = 0, next = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.bytes[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.len && pattern.bytes[p] == '?') {
            (void)lf_text_char(text.bytes, text.len, t, &next);
            t = next;
            p++;
        } else if (p < pattern.len && pattern.bytes[p] == text.bytes[t]) {
            t++;
            p++;
        } else if (star != SIZE_MAX) {
            (void)lf_text_char(text.bytes, text.len, taken, &next);
            taken = t = next;
            p = star + 1;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.bytes[p] == '*')
        p++;
    return p == pattern.len;
}

bool
lf_text_matches(enum lf_operator op, struct lf_text text, struct lf_text pattern)
{
    if (op == LF_OP_LIKE)
        return like(text, pattern);
    if (pattern.len > text.len)
        return false;
    if (op == LF_OP_STARTS_WITH)
        return memcmp(text.bytes, pattern.bytes, pattern.len) == 0;
    if (op == LF_OP_ENDS_WITH)
        return memcmp(text.bytes + text.len - pattern.len, pattern.bytes, pattern.len) == 0;
    if (op == LF_OP_CONTAINS)
        return memmem(text.bytes, text.len, pattern.bytes, pattern.len) != NULL;
    return has_word(text, pattern);
}
