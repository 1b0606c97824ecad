/*
 * list_hash.h - the hash of a list: the sum of the SHA-256 of its entries, modulo 2^256.
 *
 * A sum, because it follows a change of a few entries without reading the others, and does not depend on their order.
 * It tells lists apart and finds damage. It does not stand against somebody who makes up entries by the million so that
 * two lists get the same sum; but whoever may write a list needs no such thing.
 *
 * A sum is LF_SHA256_SIZE bytes, the most significant first; that of no entries is all zeros. Thread-safe.
 */
#ifndef LF_STORE_LIST_HASH_H
#define LF_STORE_LIST_HASH_H

#include "base/hash.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* sum += digest, modulo 2^256. */
void lf_list_hash_add(uint8_t sum[LF_SHA256_SIZE], const uint8_t digest[LF_SHA256_SIZE]);

/* sum -= digest, modulo 2^256. */
void lf_list_hash_subtract(uint8_t sum[LF_SHA256_SIZE], const uint8_t digest[LF_SHA256_SIZE]);

/* The same with the SHA-256 of an entry's text. false when libcrypto fails (memory): the sum is as it was. */
bool lf_list_hash_add_entry(uint8_t sum[LF_SHA256_SIZE], const char *text, size_t len) LF_MUST_CHECK;
bool lf_list_hash_subtract_entry(uint8_t sum[LF_SHA256_SIZE], const char *text, size_t len) LF_MUST_CHECK;

#endif
