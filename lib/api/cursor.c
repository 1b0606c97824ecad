/*
 * cursor.c - see cursor.h.
 *
 *     1 (format), kind, score (2 bytes), id (16 bytes), the ICP's key, CRC-32 of all that and of what the list is of
 *
 * in base64url without padding (RFC 4648, 5). Numbers are big-endian.
 */
#include "api/cursor.h"

#include "base/hash.h"
#include "core/document.h"

#include <stdint.h>
#include <string.h>

enum {
    FORMAT = 1,
    HEAD = 4 + LF_ULID_SIZE,
    CRC = 4,
    BYTES_MAX = HEAD + LF_KEY_MAX + CRC,
    SCORE_MAX = 10000,
};

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put_uint32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t
check_sum(const uint8_t *bytes, size_t len, const char *of, size_t of_len)
{
    return lf_crc32(lf_crc32(0, bytes, len), of, of_len);
}

static void
write_text(const uint8_t *bytes, size_t len, char *text)
{
    uint32_t bits = 0;
    int held = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6)
            *text++ = DIGITS[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *text++ = DIGITS[bits << (6 - held) & 63];
    *text = '\0';
}

/* false: no base64url, or too long. What is left over at the end is judged by writing it again. */
static bool
read_text(const char *text, uint8_t bytes[BYTES_MAX], size_t *ret_len)
{
    uint32_t bits = 0;
    int held = 0;
    size_t len = 0;

    for (; *text != '\0'; text++) {
        const char *digit = strchr(DIGITS, *text);

        if (digit == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(digit - DIGITS);
        held += 6;
        if (held < 8)
            continue;
        if (len == BYTES_MAX)
            return false;
        held -= 8;
        bytes[len++] = (uint8_t)(bits >> held);
    }
    *ret_len = len;
    return true;
}

void
lf_cursor_write(const struct lf_cursor *cursor, const char *of, size_t of_len, char ret_text[LF_CURSOR_TEXT_MAX])
{
    uint8_t bytes[BYTES_MAX] = {FORMAT, (uint8_t)cursor->kind, (uint8_t)(cursor->score >> 8), (uint8_t)cursor->score};
    size_t key_len = strlen(cursor->icp);

    memcpy(bytes + 4, cursor->id.bytes, LF_ULID_SIZE);
    memcpy(bytes + HEAD, cursor->icp, key_len);
    put_uint32(bytes + HEAD + key_len, check_sum(bytes, HEAD + key_len, of, of_len));
    write_text(bytes, HEAD + key_len + CRC, ret_text);
}

bool
lf_cursor_read(const char *text, enum lf_cursor_kind kind, const char *of, size_t of_len, struct lf_cursor *ret_cursor)
{
    struct lf_cursor cursor = {.kind = kind};
    uint8_t bytes[BYTES_MAX];
    char again[LF_CURSOR_TEXT_MAX];
    size_t len = 0, key_len = 0;

    if (!read_text(text, bytes, &len) || len < HEAD + CRC || bytes[1] != kind)
        return false;
    key_len = len - HEAD - CRC;
    cursor.score = bytes[2] << 8 | bytes[3];
    memcpy(cursor.id.bytes, bytes + 4, LF_ULID_SIZE);
    memcpy(cursor.icp, bytes + HEAD, key_len);
    if (cursor.score > SCORE_MAX || (key_len > 0 && !lf_is_key(cursor.icp, key_len)))
        return false;
    /* Format and check sum are right, and no bit is left over, where it comes out the same. */
    lf_cursor_write(&cursor, of, of_len, again);
    if (strcmp(again, text) != 0)
        return false;
    *ret_cursor = cursor;
    return true;
}
