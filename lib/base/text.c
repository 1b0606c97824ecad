/* text.c - see text.h: UTF-8, classes of characters, hash and distance. Folding is in text_fold.c. */
#include "base/text.h"

#include <string.h>
#include <utf8proc.h>

/* ---- UTF-8 ---- */

/* Whether a machine word of eight bytes holds one outside ASCII. */
static bool
word_has_high_bit(const char *bytes)
{
    uint64_t word = 0;

    memcpy(&word, bytes, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) != 0;
}

size_t
lf_text_ascii_prefix(const char *bytes, size_t len)
{
    size_t at = 0;

    while (len - at >= 8 && !word_has_high_bit(bytes + at))
        at += 8;
    while (at < len && (unsigned char)bytes[at] < 0x80)
        at++;
    return at;
}

/* Length of the well-formed sequence at `at`, a byte outside ASCII; 0 where there is none. The table of well-formed
 * sequences is Unicode's 3-7: the second byte's bounds depend on the first and keep out overlong forms, surrogates
 * and what lies beyond U+10FFFF. */
static size_t
sequence_length(const unsigned char *bytes, size_t len, size_t at)
{
    unsigned char first = bytes[at], low = 0x80, high = 0xBF;
    size_t want = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

    if (first < 0xC2 || first > 0xF4 || len - at < want)
        return 0;
    if (first == 0xE0)
        low = 0xA0;
    else if (first == 0xED)
        high = 0x9F;
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F;
    if (bytes[at + 1] < low || bytes[at + 1] > high)
        return 0;
    for (size_t i = 2; i < want; i++)
        if ((bytes[at + i] & 0xC0) != 0x80)
            return 0;
    return want;
}

bool
lf_text_is_utf8(const char *bytes, size_t len, size_t *ret_bad)
{
    size_t at = 0;

    while (at < len) {
        size_t step = 0;

        at += lf_text_ascii_prefix(bytes + at, len - at);
        if (at == len)
            break;
        step = sequence_length((const unsigned char *)bytes, len, at);
        if (step == 0) {
            if (ret_bad != NULL)
                *ret_bad = at;
            return false;
        }
        at += step;
    }
    return true;
}

int32_t
lf_text_char(const char *bytes, size_t len, size_t at, size_t *ret_next)
{
    const unsigned char *p = (const unsigned char *)bytes + at;
    size_t left = len - at, size = p[0] < 0xC0 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    int32_t codepoint = size == 1 ? p[0] : p[0] & (0x7F >> size);

    /* Valid UTF-8 never runs out here; if it did, no byte behind the text is touched. */
    for (size_t i = 1; i < size && i < left; i++)
        codepoint = codepoint << 6 | (p[i] & 0x3F);
    *ret_next = at + (size < left ? size : left);
    return codepoint;
}

size_t
lf_text_length(const char *bytes, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

size_t
lf_text_prefix(const char *bytes, size_t len, size_t characters)
{
    size_t at = 0;

    while (at < len) {
        if (((unsigned char)bytes[at] & 0xC0) != 0x80 && characters-- == 0)
            break;
        at++;
    }
    return at;
}

/* ---- classes of characters ---- */

/* Unicode's property White_Space. The list has been closed since 6.3; U+001C..U+001F, U+180E and U+200B are not in. */
bool
lf_text_is_space(int32_t c)
{
    if (c <= 0x20)
        return c == 0x20 || (c >= 0x09 && c <= 0x0D);
    if (c < 0x1680)
        return c == 0x85 || c == 0xA0;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

bool
lf_text_is_word(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    default:
        return false;
    }
}

struct lf_text
lf_text_trim(const char *bytes, size_t len)
{
    size_t begin = 0, end = len;

    while (begin < end) {
        size_t next = 0;
        if (!lf_text_is_space(lf_text_char(bytes, end, begin, &next)))
            break;
        begin = next;
    }
    while (end > begin) {
        size_t last = end - 1, next = 0;
        while (last > begin && ((unsigned char)bytes[last] & 0xC0) == 0x80)
            last--;
        if (!lf_text_is_space(lf_text_char(bytes, end, last, &next)))
            break;
        end = last;
    }
    /* An empty text may come as NULL, to which nothing may be added. */
    return (struct lf_text){begin == 0 ? bytes : bytes + begin, end - begin};
}

/* ---- hash and distance ---- */

static uint64_t
rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* Up to eight bytes, little-endian, so that the hash is the same on every machine. */
static uint64_t
load_le(const char *bytes, size_t count)
{
    uint64_t word = 0;

    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

/* SipHash-1-3 (Aumasson, Bernstein: one round a word, three at the end). */
uint64_t
lf_text_hash(const char *bytes, size_t len, const uint64_t seed[2])
{
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    uint64_t word = 0;

    for (; len - at >= 8; at += 8) {
        word = load_le(bytes + at, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = load_le(bytes + at, len - at) | (uint64_t)len << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

enum { DISTANCE_BYTES_MAX = 200 };

static size_t
decode(struct lf_text text, int32_t points[DISTANCE_BYTES_MAX])
{
    size_t count = 0;

    for (size_t at = 0; at < text.len;)
        points[count++] = lf_text_char(text.bytes, text.len, at, &at);
    return count;
}

/* Levenshtein's distance with neighbours that changed places as one slip (optimal string alignment), a row at a time:
 * row[j] is the distance of the characters of a read so far to the first j of b. A value comes from the row before or,
 * for a change of places, the one before that: once two rows in a row are past the limit the rest is not needed. */
unsigned
lf_text_distance(struct lf_text a, struct lf_text b, unsigned limit)
{
    int32_t x[DISTANCE_BYTES_MAX], y[DISTANCE_BYTES_MAX];
    unsigned rows[3][DISTANCE_BYTES_MAX + 1];
    unsigned *earlier = rows[0], *last = rows[1], *row = rows[2], least_of_last = 0;
    size_t m = 0, n = 0;

    if (a.len > DISTANCE_BYTES_MAX || b.len > DISTANCE_BYTES_MAX)
        return limit + 1;
    m = decode(a, x);
    n = decode(b, y);
    if ((m > n ? m - n : n - m) > limit)
        return limit + 1;
    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        unsigned *spare = earlier, least = 0;

        earlier = last;
        last = row;
        row = spare;
        row[0] = least = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned best = last[j - 1] + (x[i - 1] != y[j - 1]);

            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1] && earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            row[j] = best;
            if (best < least)
                least = best;
        }
        if (least > limit && least_of_last > limit)
            return limit + 1;
        least_of_last = least;
    }
    return row[n] <= limit ? row[n] : limit + 1;
}
