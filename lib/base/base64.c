/*
 * base64.c - see base64.h.
 *
 * By hand: libcrypto's reader passes over white space and takes padding and leftover bits as they come, so that one
 * signature could be written in many ways.
 */
#include "base/base64.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
lf_base64_encode(const void *bytes, size_t len, char *ret_text)
{
    const uint8_t *from = bytes;
    char *to = ret_text;

    for (size_t at = 0; at < len; at += 3) {
        size_t there = len - at; /* of this group's three */
        uint32_t group = (uint32_t)from[at] << 16;

        if (there > 1)
            group |= (uint32_t)from[at + 1] << 8;
        if (there > 2)
            group |= from[at + 2];
        *to++ = ALPHABET[group >> 18];
        *to++ = ALPHABET[group >> 12 & 63];
        *to++ = there > 1 ? ALPHABET[group >> 6 & 63] : '=';
        *to++ = there > 2 ? ALPHABET[group & 63] : '=';
    }
    *to = '\0';
    return (size_t)(to - ret_text);
}

/* The six bits that a character stands for; -1 for none. */
static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Whether all of these are of the alphabet, and the last one has no bits below `unused`. */
static bool
is_sound(const char *text, size_t count, int unused)
{
    for (size_t i = 0; i < count; i++)
        if (value_of(text[i]) < 0)
            return false;
    return count == 0 || (value_of(text[count - 1]) & ((1 << unused) - 1)) == 0;
}

bool
lf_base64_decode(const char *text, size_t len, void *ret_bytes, size_t max, size_t *ret_len)
{
    size_t padding = 0, count = 0, bytes = 0;
    uint8_t *to = ret_bytes;

    if (len % 4 != 0)
        return false;
    if (len > 0 && text[len - 1] == '=')
        padding = text[len - 2] == '=' ? 2 : 1;
    count = len - padding;
    bytes = len / 4 * 3 - padding;
    if (bytes > max || !is_sound(text, count, (int)padding * 2))
        return false;
    for (size_t i = 0, bits = 0, kept = 0; i < count; i++) {
        kept = (kept << 6 | (size_t)value_of(text[i])) & 0xFFF; /* no more than what is still to come out */
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = (uint8_t)(kept >> bits);
        }
    }
    *ret_len = bytes;
    return true;
}
