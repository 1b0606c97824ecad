/*
 * ulid.h - ids that sort by time: 48 bits of milliseconds, 80 of chance, 26 characters of Crockford's base 32.
 *
 * A mint gives strictly increasing ids, also within a millisecond and when the wall clock goes back. A mint is not
 * thread-safe: its owner holds a lock.
 */
#ifndef LF_BASE_ULID_H
#define LF_BASE_ULID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_ULID_SIZE = 16, LF_ULID_TEXT_SIZE = 27 /* with the NUL */ };

struct lf_ulid {
    uint8_t bytes[LF_ULID_SIZE]; /* big-endian, so that memcmp sorts */
};

struct lf_ulid_mint {
    struct lf_ulid last;
    size_t left;        /* bytes of the block that nobody has used */
    uint8_t block[160]; /* random bytes, drawn by the block: 16 new milliseconds or 80 further ids */
};

/* Begins behind `last` (all zeros for a new beginning). */
void lf_ulid_mint_init(struct lf_ulid_mint *mint, struct lf_ulid last);

/* The next id. now_ms is the wall clock; where it lies before the last id's time, that time counts. A new millisecond
 * draws random bits, the same one adds 1 to 2^16 of chance. false when the system gives no random bytes; the mint
 * is then as it was. */
bool lf_ulid_next(struct lf_ulid_mint *mint, int64_t now_ms, struct lf_ulid *ret_id);

/* The id's time in milliseconds. */
int64_t lf_ulid_ms(struct lf_ulid id);

void lf_ulid_format(struct lf_ulid id, char ret_text[LF_ULID_TEXT_SIZE]);

/* 26 characters, upper or lower case; false for anything else, such as I for 1 or more than 128 bits. */
bool lf_ulid_parse(const char *text, size_t len, struct lf_ulid *ret_id);

#endif
