/* ulid.c - see ulid.h. An id is a number of 128 bits kept big-endian: adding to it may carry from the chance into the
 * milliseconds, which keeps the order. */
#include "base/ulid.h"

#include "base/hash.h"

#include <string.h>

enum { MS_BYTES = 6, ALPHABET_SIZE = 32 };

#define MS_MAX ((INT64_C(1) << 48) - 1)

static const char ALPHABET[ALPHABET_SIZE + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void
lf_ulid_mint_init(struct lf_ulid_mint *mint, struct lf_ulid last)
{
    *mint = (struct lf_ulid_mint){.last = last};
}

/* Takes bytes from the block drawn before; no byte is used twice. */
static bool
take_random(struct lf_ulid_mint *mint, uint8_t *to, size_t len)
{
    if (mint->left < len) {
        if (!lf_random_bytes(mint->block, sizeof mint->block))
            return false;
        mint->left = sizeof mint->block;
    }
    mint->left -= len;
    memcpy(to, mint->block + mint->left, len);
    return true;
}

static void
put_ms(struct lf_ulid *id, int64_t ms)
{
    for (int i = MS_BYTES - 1; i >= 0; i--) {
        id->bytes[i] = (uint8_t)(ms & 0xFF);
        ms >>= 8;
    }
}

/* false when the sum does not fit into 128 bits, which takes a clock in the year 10889. */
static bool
add(struct lf_ulid *id, uint32_t amount)
{
    uint64_t carry = amount;

    for (int i = LF_ULID_SIZE - 1; i >= 0 && carry != 0; i--) {
        carry += id->bytes[i];
        id->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry == 0;
}

bool
lf_ulid_next(struct lf_ulid_mint *mint, int64_t now_ms, struct lf_ulid *ret_id)
{
    struct lf_ulid id = mint->last;
    int64_t ms = now_ms < 0 ? 0 : now_ms > MS_MAX ? MS_MAX : now_ms;

    if (ms > lf_ulid_ms(mint->last)) {
        put_ms(&id, ms);
        if (!take_random(mint, id.bytes + MS_BYTES, LF_ULID_SIZE - MS_BYTES))
            return false;
    } else {
        uint8_t step[2];

        if (!take_random(mint, step, sizeof step) || !add(&id, (uint32_t)(step[0] << 8 | step[1]) + 1))
            return false;
    }
    mint->last = id;
    *ret_id = id;
    return true;
}

int64_t
lf_ulid_ms(struct lf_ulid id)
{
    int64_t ms = 0;

    for (int i = 0; i < MS_BYTES; i++)
        ms = ms << 8 | id.bytes[i];
    return ms;
}

/* 26 characters of five bits hold 130: the two bits in front are 0. */
void
lf_ulid_format(struct lf_ulid id, char ret_text[LF_ULID_TEXT_SIZE])
{
    unsigned pending = 0, bits = 2;
    char *to = ret_text;

    for (int i = 0; i < LF_ULID_SIZE; i++) {
        pending = (pending << 8 | id.bytes[i]) & 0xFFFF;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *to++ = ALPHABET[pending >> bits & 31];
        }
    }
    *to = '\0';
}

/* The alphabet leaves out I, L, O and U; reading I as 1, as Crockford allows, would give an id several spellings. */
static int
digit_value(char c)
{
    const char *found = NULL;

    if (c >= 'a' && c <= 'z')
        c = (char)(c - ('a' - 'A'));
    found = memchr(ALPHABET, c, ALPHABET_SIZE);
    return found != NULL ? (int)(found - ALPHABET) : -1;
}

bool
lf_ulid_parse(const char *text, size_t len, struct lf_ulid *ret_id)
{
    struct lf_ulid id = {{0}};
    unsigned pending = 0, bits = 0;
    size_t to = 0;

    if (len != LF_ULID_TEXT_SIZE - 1 || digit_value(text[0]) > 7)
        return false;
    for (size_t i = 0; i < len; i++) {
        int value = digit_value(text[i]);

        if (value < 0)
            return false;
        pending = (pending << 5 | (unsigned)value) & 0xFFFF;
        bits += i == 0 ? 3 : 5;
        if (bits >= 8) {
            bits -= 8;
            id.bytes[to++] = (uint8_t)(pending >> bits);
        }
    }
    *ret_id = id;
    return true;
}
