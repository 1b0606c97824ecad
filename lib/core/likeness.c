/* likeness.c - see likeness.h. */
#include "core/likeness.h"

#include <stdbool.h>
#include <string.h>

enum {
    SLIP_EVERY = 4,  /* one slip in so many characters */
    BEGINNING = 3,   /* characters of a word that stand for a longer one */
    DIGITS_MAX = 200 /* of a text; lf_text_distance looks at no longer ones */
};

static bool
is_word(int32_t c)
{
    if (c >= 0x80)
        return lf_text_is_word(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_';
}

void
lf_likeness_prepare(struct lf_text folded, struct lf_likeness_text *ret_text)
{
    struct lf_text *word = NULL; /* the one that goes on; NULL: between words, or one too many */
    bool inside = false;

    *ret_text = (struct lf_likeness_text){.text = folded};
    for (size_t at = 0, next = 0; at < folded.len; at = next) {
        bool was_inside = inside;

        inside = is_word(lf_text_char(folded.bytes, folded.len, at, &next));
        ret_text->characters++;
        ret_text->letters += inside;
        if (!inside) {
            word = NULL;
        } else if (!was_inside && ret_text->count < LF_LIKENESS_WORDS) {
            word = &ret_text->words[ret_text->count++];
            *word = (struct lf_text){folded.bytes + at, 0};
        }
        if (word != NULL) {
            word->len += next - at;
            ret_text->lengths[ret_text->count - 1]++;
        }
    }
}

/* Whether the digits are the same, one after the other. */
static bool
same_digits(struct lf_text a, struct lf_text b)
{
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        while (i < a.len && !(a.bytes[i] >= '0' && a.bytes[i] <= '9'))
            i++;
        while (j < b.len && !(b.bytes[j] >= '0' && b.bytes[j] <= '9'))
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (a.bytes[i] != b.bytes[j])
            return false;
    }
}

/* How many slips lie between two texts of so many characters; `allowed` + 1 where there are more. */
static unsigned
slips(struct lf_text a, struct lf_text b, unsigned allowed)
{
    if (!same_digits(a, b))
        return allowed + 1;
    return lf_text_distance(a, b, allowed);
}

static bool
same(struct lf_text a, struct lf_text b)
{
    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

/* How many characters of both words together stand for each other. */
static size_t
weigh_words(struct lf_text a, size_t a_length, struct lf_text b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length, longer = a_length + b_length - shorter;
    unsigned allowed = (unsigned)(longer / SLIP_EVERY), found = 0;

    if (same(a, b))
        return 2 * shorter;
    if (shorter >= BEGINNING && memcmp(a.bytes, b.bytes, a.len < b.len ? a.len : b.len) == 0)
        return 2 * shorter;
    if (longer - shorter > allowed || allowed == 0)
        return 0;
    found = slips(a, b, allowed);
    return found > allowed ? 0 : 2 * (longer - found) - (longer - shorter);
}

/* Each word of the one with the word of the other that it has most in common with, each once. */
static int
compare_words(const struct lf_likeness_text *a, const struct lf_likeness_text *b)
{
    bool taken[LF_LIKENESS_WORDS] = {false};
    size_t common = 0, letters = a->letters + b->letters;

    for (size_t i = 0; i < a->count; i++) {
        size_t most = 0, with = 0;

        for (size_t j = 0; j < b->count; j++) {
            size_t weight = taken[j] ? 0 : weigh_words(a->words[i], a->lengths[i], b->words[j], b->lengths[j]);

            if (weight > most) {
                most = weight;
                with = j;
            }
        }
        if (most > 0)
            taken[with] = true;
        common += most;
    }
    return letters == 0 ? 0 : (int)(LF_LIKENESS_SAME * common / letters);
}

static int
compare_whole(const struct lf_likeness_text *a, const struct lf_likeness_text *b)
{
    size_t longer = a->characters > b->characters ? a->characters : b->characters;
    size_t shorter = a->characters + b->characters - longer;
    unsigned allowed = (unsigned)(longer / SLIP_EVERY), found = 0;

    if (longer == 0 || longer - shorter > allowed || longer > DIGITS_MAX)
        return 0;
    found = slips(a->text, b->text, allowed);
    return found > allowed ? 0 : (int)(LF_LIKENESS_SAME * (longer - found) / longer);
}

int
lf_likeness(const struct lf_likeness_text *a, const struct lf_likeness_text *b)
{
    int whole = 0, words = 0, most = 0;

    if (same(a->text, b->text))
        return LF_LIKENESS_SAME;
    whole = compare_whole(a, b);
    words = compare_words(a, b);
    most = whole > words ? whole : words;
    if (most == LF_LIKENESS_SAME)
        most--; /* the same words, and still not the same text */
    return most < LF_LIKENESS_LEAST ? 0 : most;
}
