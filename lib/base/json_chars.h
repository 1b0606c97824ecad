/*
 * json_chars.h - the characters of a JSON text: finding the next that matters, UTF-8, escapes.
 *
 * Internal to lib/base (json_door.c, json_write.c). Pure. The unescaping functions take what the door has accepted.
 */
#ifndef LF_BASE_JSON_CHARS_H
#define LF_BASE_JSON_CHARS_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LF_JSON_EACH_BYTE(value) ((value)*UINT64_C(0x0101010101010101))
#define LF_JSON_HIGH_BITS LF_JSON_EACH_BYTE(0x80)

/*
 * The top bit of each byte that is `"`, `\`, or below 0x20, found in eight bytes at once: x - 1 borrows into the top
 * bit only where x is 0, and x - 0x20 only where x < 0x20. Bytes from 0x80 on disturb this, so the caller says what
 * becomes of them; a borrow can spill into the next byte only from a byte that is itself marked, so the lowest mark
 * is always right.
 */
static inline uint64_t
lf_json_mark_special(uint64_t eight)
{
    return (eight - LF_JSON_EACH_BYTE(0x20)) |
           ((eight ^ LF_JSON_EACH_BYTE((uint64_t)'"')) - LF_JSON_EACH_BYTE(UINT64_C(1))) |
           ((eight ^ LF_JSON_EACH_BYTE((uint64_t)'\\')) - LF_JSON_EACH_BYTE(UINT64_C(1)));
}

/* Behind the plain ASCII that begins at p: at `"`, `\`, a control character, a byte from 0x80 on, or the end. */
static inline const char *
lf_json_skip_ascii(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t eight = 0, marks = 0;

        memcpy(&eight, p, 8);
        eight = le64toh(eight);
        marks = (lf_json_mark_special(eight) | eight) & LF_JSON_HIGH_BITS;
        if (marks != 0)
            return p + (__builtin_ctzll(marks) >> 3);
        p += 8;
    }
    while (p < end && (signed char)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* The same, passing over bytes from 0x80 on: what a writer may copy as it is. */
static inline const char *
lf_json_skip_unescaped(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t eight = 0, high = 0, marks = 0;

        memcpy(&eight, p, 8);
        eight = le64toh(eight);
        high = eight & LF_JSON_HIGH_BITS;
        /* 0x7F in place of each byte from 0x80 on: plain, and nothing borrows from it */
        marks = lf_json_mark_special((eight & ~high) | (high - (high >> 7))) & LF_JSON_HIGH_BITS;
        if (marks != 0)
            return p + (__builtin_ctzll(marks) >> 3);
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static inline const char *
lf_json_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

static inline bool
lf_json_is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Length of the UTF-8 character at p (`left` bytes there, at least one); 0 where it is none: a stray or missing
 * continuation, an overlong form, a surrogate, beyond U+10FFFF. Unicode 15, table 3-7. */
static inline size_t
lf_json_utf8_length(const char *p, size_t left)
{
    unsigned char first = (unsigned char)p[0], second = left > 1 ? (unsigned char)p[1] : 0;

    if (first < 0x80)
        return 1;
    if (first < 0xE0)
        return first >= 0xC2 && lf_json_is_continuation((char)second) ? 2 : 0;
    if (first < 0xF0) {
        unsigned char least = first == 0xE0 ? 0xA0 : 0x80, most = first == 0xED ? 0x9F : 0xBF;

        return left >= 3 && second >= least && second <= most && lf_json_is_continuation(p[2]) ? 3 : 0;
    }
    if (first <= 0xF4 && left >= 4) {
        unsigned char least = first == 0xF0 ? 0x90 : 0x80, most = first == 0xF4 ? 0x8F : 0xBF;

        return second >= least && second <= most && lf_json_is_continuation(p[2]) && lf_json_is_continuation(p[3]) ? 4
                                                                                                                   : 0;
    }
    return 0;
}

/* The value of a hex digit, or -1. */
static inline int
lf_json_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four hex digits at p, or -1. */
static inline int
lf_json_hex4(const char *p)
{
    int a = lf_json_hex(p[0]), b = lf_json_hex(p[1]), c = lf_json_hex(p[2]), d = lf_json_hex(p[3]);

    return (a | b | c | d) < 0 ? -1 : a << 12 | b << 8 | c << 4 | d;
}

/* The character that stands behind a backslash (other than u), or 0 where none may stand so. */
static inline char
lf_json_escaped(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Writes a code point as UTF-8; returns the bytes used. */
static inline size_t
lf_json_put_utf8(char to[4], uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3F));
        to[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Takes one byte or one escape of a checked string; returns the position behind it. */
static inline const char *
lf_json_unescape_one(const char *p, char to[4], size_t *ret_len)
{
    uint32_t code = 0;

    if (*p != '\\') {
        to[0] = *p;
        *ret_len = 1;
        return p + 1;
    }
    if (p[1] != 'u') {
        to[0] = lf_json_escaped(p[1]);
        *ret_len = 1;
        return p + 2;
    }
    code = (uint32_t)lf_json_hex4(p + 2);
    p += 6;
    if (code >= 0xD800 && code < 0xDC00) {
        code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)lf_json_hex4(p + 2) - 0xDC00);
        p += 6;
    }
    *ret_len = lf_json_put_utf8(to, code);
    return p;
}

#endif
