/*
 * text_fold.c - NFKC_Casefold and white space; see text.h.
 *
 * Folding takes three steps over code points: map each character to what NFKC_Casefold maps it to (utf8proc decomposes
 * it, too), put combining marks into canonical order, compose. utf8proc's own canonical ordering is quadratic in the
 * length of a run of marks, and texts come from outside; so the ordering is done here, in linear time, and only the
 * character data and the composition are utf8proc's.
 */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static size_t
char_size(int32_t codepoint)
{
    return codepoint < 0x80 ? 1 : codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
}

static char *
put_char(char *to, int32_t codepoint)
{
    if (codepoint < 0x80) {
        *to++ = (char)codepoint;
    } else if (codepoint < 0x800) {
        *to++ = (char)(0xC0 | codepoint >> 6);
        *to++ = (char)(0x80 | (codepoint & 0x3F));
    } else if (codepoint < 0x10000) {
        *to++ = (char)(0xE0 | codepoint >> 12);
        *to++ = (char)(0x80 | (codepoint >> 6 & 0x3F));
        *to++ = (char)(0x80 | (codepoint & 0x3F));
    } else {
        *to++ = (char)(0xF0 | codepoint >> 18);
        *to++ = (char)(0x80 | (codepoint >> 12 & 0x3F));
        *to++ = (char)(0x80 | (codepoint >> 6 & 0x3F));
        *to++ = (char)(0x80 | (codepoint & 0x3F));
    }
    return to;
}

/* ASCII maps to itself or its lower-case letter, nothing in it combines: what remains is the white space. */
static bool
fold_ascii(struct lf_arena *arena, const char *bytes, size_t len, struct lf_text *ret_folded)
{
    char *folded = lf_arena_alloc(arena, len), *to = folded;
    bool space = false; /* white space is pending: it is written once something follows */

    if (folded == NULL)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];

        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            space = to != folded;
            continue;
        }
        if (space) {
            *to++ = ' ';
            space = false;
        }
        *to++ = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    lf_arena_shrink(arena, folded, len, (size_t)(to - folded));
    *ret_folded = (struct lf_text){folded, (size_t)(to - folded)};
    return true;
}

/* Code points on their way: a few on the stack, many on the heap. */
enum { FEW = 256 };

struct points {
    int32_t *at;
    size_t len, cap;
    int32_t few[FEW];
};

static void
points_init(struct points *points)
{
    points->at = points->few;
    points->len = 0;
    points->cap = FEW;
}

static void
points_finish(struct points *points)
{
    if (points->at != points->few)
        free(points->at);
}

static bool
points_grow(struct points *points)
{
    size_t cap = points->cap * 2;
    int32_t *at = cap > SIZE_MAX / sizeof *at ? NULL : malloc(cap * sizeof *at);

    if (at == NULL)
        return false;
    memcpy(at, points->at, points->len * sizeof *at);
    points_finish(points);
    points->at = at;
    points->cap = cap;
    return true;
}

/* Appends what the character maps to. */
static bool
points_map(struct points *points, int32_t codepoint, utf8proc_option_t options)
{
    int bound = 0; /* only for grapheme marks, which are not asked for */

    for (;;) {
        size_t room = points->cap - points->len;
        utf8proc_ssize_t count =
            utf8proc_decompose_char(codepoint, points->at + points->len, (utf8proc_ssize_t)room, options, &bound);

        if (count < 0)
            return false; /* no code point: cannot be in valid UTF-8 */
        if ((size_t)count <= room) {
            points->len += (size_t)count;
            return true;
        }
        if (!points_grow(points))
            return false;
    }
}

static int
combining_class(int32_t codepoint)
{
    return codepoint < 0x300 ? 0 : utf8proc_get_property(codepoint)->combining_class;
}

/* Sorts a long run of marks by class, stably, by counting. */
static bool
sort_long_run(int32_t *run, size_t len)
{
    size_t place[257] = {0};
    int32_t *sorted = malloc(len * sizeof *sorted);

    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < len; i++)
        place[(combining_class(run[i]) & 0xFF) + 1]++;
    for (size_t i = 1; i < 257; i++)
        place[i] += place[i - 1];
    for (size_t i = 0; i < len; i++)
        sorted[place[combining_class(run[i]) & 0xFF]++] = run[i];
    memcpy(run, sorted, len * sizeof *sorted);
    free(sorted);
    return true;
}

/* Canonical ordering: within each run of characters of a combining class other than 0, by class, stably. */
static bool
order_marks(int32_t *at, size_t len)
{
    enum { LONG_RUN = 32 }; /* from here on counting beats insertion; real texts have runs of one to three */
    size_t i = 0;

    while (i < len) {
        size_t begin = i;

        while (i < len && combining_class(at[i]) != 0)
            i++;
        if (i - begin > LONG_RUN) {
            if (!sort_long_run(at + begin, i - begin))
                return false;
        } else {
            for (size_t j = begin + 1; j < i; j++) {
                int32_t mark = at[j];
                size_t k = j;
                for (; k > begin && combining_class(at[k - 1]) > combining_class(mark); k--)
                    at[k] = at[k - 1];
                at[k] = mark;
            }
        }
        i++;
    }
    return true;
}

/* Default-ignorable code points that are not assigned yet. They are dropped like the others, so that a later Unicode
 * changes nothing; utf8proc knows those alone that are assigned. */
static bool
is_reserved_ignorable(int32_t c)
{
    return c == 0x2065 || (c >= 0xFFF0 && c <= 0xFFF8) || (c >= 0xE0000 && c <= 0xE0FFF);
}

/* U+0345 (iota subscript) is the one combining mark whose folding, the letter iota, is not a mark. Where it or a letter
 * that holds it stands before other marks, folding first and ordering afterwards would put those marks on the iota:
 * canonically equivalent texts would fold apart. Unicode therefore defines the match (D147) over NFD. */
static bool
needs_nfd_first(int32_t c)
{
    return c == 0x345 || (c >= 0x1F80 && c <= 0x1FFC);
}

static bool
map_all(struct points *points, const char *bytes, size_t len)
{
    static const utf8proc_option_t FOLD =
        UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    struct points source;
    bool nfd = false, done = false;

    points_init(&source);
    for (size_t at = 0; at < len;) {
        int32_t codepoint = lf_text_char(bytes, len, at, &at);

        nfd = nfd || needs_nfd_first(codepoint);
        if (source.len == source.cap && !points_grow(&source))
            goto out;
        source.at[source.len++] = codepoint;
    }
    if (nfd) {
        struct points apart;

        points_init(&apart);
        for (size_t i = 0; i < source.len; i++)
            if (!points_map(&apart, source.at[i], UTF8PROC_STABLE | UTF8PROC_DECOMPOSE) ||
                (i + 1 == source.len && !order_marks(apart.at, apart.len))) {
                points_finish(&apart);
                goto out;
            }
        points_finish(&source);
        source = apart;
        if (apart.at == apart.few)
            source.at = source.few;
    }
    for (size_t i = 0; i < source.len; i++)
        if (!is_reserved_ignorable(source.at[i]) && !points_map(points, source.at[i], FOLD))
            goto out;
    done = true;
out:
    points_finish(&source);
    return done;
}

/* Composes in place; returns the new length, or -1. utf8proc (2.8 at least) takes U+11A7, the last of the Hangul
 * vowels, for a final consonant behind a syllable and swallows it. It begins a composition of its own, so the text is
 * cut there. */
static utf8proc_ssize_t
compose(int32_t *at, size_t len)
{
    size_t to = 0, begin = 0;

    while (begin < len) {
        size_t end = begin + 1;
        utf8proc_ssize_t count = 0;

        while (end < len && at[end] != 0x11A7)
            end++;
        count =
            utf8proc_normalize_utf32(at + begin, (utf8proc_ssize_t)(end - begin), UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        if (count < 0)
            return -1;
        memmove(at + to, at + begin, (size_t)count * sizeof *at);
        to += (size_t)count;
        begin = end;
    }
    return (utf8proc_ssize_t)to;
}

/* Trims, and makes each run of white space one space; returns the new length. */
static size_t
fold_spaces(int32_t *at, size_t len)
{
    size_t to = 0;
    bool space = false;

    for (size_t i = 0; i < len; i++) {
        if (lf_text_is_space(at[i])) {
            space = to != 0;
            continue;
        }
        if (space)
            at[to++] = ' ';
        space = false;
        at[to++] = at[i];
    }
    return to;
}

bool
lf_text_fold(struct lf_arena *arena, const char *bytes, size_t len, struct lf_text *ret_folded)
{
    struct points points;
    utf8proc_ssize_t composed = 0;
    size_t size = 0;
    char *folded = NULL, *to = NULL;
    bool done = false;

    if (lf_text_ascii_prefix(bytes, len) == len)
        return fold_ascii(arena, bytes, len, ret_folded);
    points_init(&points);
    if (!map_all(&points, bytes, len) || !order_marks(points.at, points.len))
        goto out;
    composed = compose(points.at, points.len);
    if (composed < 0)
        goto out;
    points.len = fold_spaces(points.at, (size_t)composed);
    for (size_t i = 0; i < points.len; i++)
        size += char_size(points.at[i]);
    folded = lf_arena_alloc(arena, size);
    if (folded == NULL)
        goto out;
    to = folded;
    for (size_t i = 0; i < points.len; i++)
        to = put_char(to, points.at[i]);
    *ret_folded = (struct lf_text){folded, size};
    done = true;
out:
    points_finish(&points);
    return done;
}
