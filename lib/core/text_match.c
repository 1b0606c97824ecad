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

/* ---- like ----
 *
 * The pattern falls into pieces between its `*`. The first piece begins the text, the last one ends it, each of the
 * others is looked for behind the one before: the first place found is as good as any. A piece without `?` is looked
 * for in linear time; one with `?` is tried at each character. */

/* Whether the piece stands at `at`; *ret_end gets the offset behind it. */
static bool
piece_at(struct lf_text text, size_t at, struct lf_text piece, size_t *ret_end)
{
    for (size_t p = 0; p < piece.len; p++) {
        if (at >= text.len)
            return false;
        if (piece.bytes[p] == '?')
            (void)lf_text_char(text.bytes, text.len, at, &at);
        else if (piece.bytes[p] == text.bytes[at])
            at++;
        else
            return false;
    }
    *ret_end = at;
    return true;
}

/* Finds the piece at or behind `from`; *ret_end gets the offset behind it. */
static bool
find_piece(struct lf_text text, size_t from, struct lf_text piece, size_t *ret_end)
{
    if (memchr(piece.bytes, '?', piece.len) == NULL) {
        const char *found = memmem(text.bytes + from, text.len - from, piece.bytes, piece.len);

        if (found == NULL)
            return false;
        *ret_end = (size_t)(found - text.bytes) + piece.len;
        return true;
    }
    for (size_t at = from; at < text.len; (void)lf_text_char(text.bytes, text.len, at, &at))
        if (piece_at(text, at, piece, ret_end))
            return true;
    return false;
}

/* The offset at which a piece of so many characters would end the text; SIZE_MAX when the text is shorter. */
static size_t
place_at_end(struct lf_text text, size_t characters)
{
    size_t at = text.len;

    for (; characters > 0; characters--) {
        if (at == 0)
            return SIZE_MAX;
        do
            at--;
        while (at > 0 && is_continuation(text.bytes[at]));
    }
    return at;
}

static bool
like(struct lf_text text, struct lf_text pattern)
{
    const char *star = memchr(pattern.bytes, '*', pattern.len);
    struct lf_text piece = {pattern.bytes, star != NULL ? (size_t)(star - pattern.bytes) : pattern.len};
    size_t at = 0, end = 0;

    if (!piece_at(text, 0, piece, &at))
        return false;
    if (star == NULL)
        return at == text.len;
    for (;;) {
        const char *next = star + 1, *stop = pattern.bytes + pattern.len;

        star = memchr(next, '*', (size_t)(stop - next));
        piece = (struct lf_text){next, (size_t)((star != NULL ? star : stop) - next)};
        if (star == NULL)
            break;
        if (piece.len > 0 && !find_piece(text, at, piece, &at))
            return false;
    }
    end = place_at_end(text, lf_text_length(piece.bytes, piece.len));
    return end != SIZE_MAX && end >= at && piece_at(text, end, piece, &end);
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
