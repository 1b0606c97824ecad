/*
 * hash.h - digests and random bytes, by libcrypto.
 *
 * Thread-safe. lf_hash_setup is called once before any thread and fetches the algorithm; the rest uses it.
 */
#ifndef LF_BASE_HASH_H
#define LF_BASE_HASH_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_SHA256_SIZE = 32, LF_HASH_TEXT_MAX = 72 };

/* Fetches SHA-256 from libcrypto. */
enum lf_status lf_hash_setup(struct lf_error *error) LF_MUST_CHECK;

/* SHA-256 of the bytes. false when libcrypto fails (memory). */
bool lf_sha256(const void *bytes, size_t len, uint8_t ret_digest[LF_SHA256_SIZE]) LF_MUST_CHECK;

/* Bytes that are hashed one piece behind the other, so that nobody has to copy them together. */
struct lf_piece {
    const void *bytes;
    size_t len;
};

/* SHA-256 of the pieces in a row. false when libcrypto fails (memory). */
bool lf_sha256_pieces(const struct lf_piece *pieces, size_t count, uint8_t ret_digest[LF_SHA256_SIZE]) LF_MUST_CHECK;

/* A key made ready for HMAC-SHA-256 (RFC 2104): its two pads. Immutable then, and thread-safe. */
enum { LF_HMAC_BLOCK = 64 };
struct lf_hmac_key {
    uint8_t inner[LF_HMAC_BLOCK], outer[LF_HMAC_BLOCK];
};

/* Makes a key ready. false when libcrypto fails (memory). */
bool lf_hmac_prepare(struct lf_hmac_key *key, const void *bytes, size_t len) LF_MUST_CHECK;

/* HMAC-SHA-256 of the bytes. false when libcrypto fails (memory). */
bool lf_hmac_sha256(const struct lf_hmac_key *key, const void *bytes, size_t len,
                    uint8_t ret_digest[LF_SHA256_SIZE]) LF_MUST_CHECK;

/* The same of the pieces in a row. */
bool lf_hmac_sha256_pieces(const struct lf_hmac_key *key, const struct lf_piece *pieces, size_t count,
                           uint8_t ret_digest[LF_SHA256_SIZE]) LF_MUST_CHECK;

/* "sha256:" and 64 lower-case hex digits, NUL-terminated (71 characters). */
void lf_hash_text(const uint8_t digest[LF_SHA256_SIZE], char ret_text[LF_HASH_TEXT_MAX]);

/* Whether the bytes are the same, in time that depends on len alone. */
bool lf_equal_constant_time(const void *a, const void *b, size_t len);

/* Unpredictable bytes. false when the system has none to give. */
bool lf_random_bytes(void *bytes, size_t len) LF_MUST_CHECK;

/* CRC-32 (IEEE 802.3), continued from crc (0 to begin). Finds typing slips in keys, protects nothing. */
uint32_t lf_crc32(uint32_t crc, const void *bytes, size_t len);

#endif
