/*
 * seal.h - bytes that only who has the key can read: AES-256-GCM, by libcrypto.
 *
 * A key seals once: the nonce is fixed, because every key is derived for the one text that it seals. What was altered
 * does not open. Thread-safe.
 */
#ifndef LF_BASE_SEAL_H
#define LF_BASE_SEAL_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_SEAL_KEY_SIZE = 32, LF_SEAL_EXTRA = 16 /* bytes that sealing adds */ };

/* ret_sealed has room for len + LF_SEAL_EXTRA bytes. false when libcrypto fails (memory). */
bool lf_seal(const uint8_t key[LF_SEAL_KEY_SIZE], const void *bytes, size_t len, void *ret_sealed) LF_MUST_CHECK;

/* ret_bytes has room for len - LF_SEAL_EXTRA bytes. false where it does not open, or memory is out (*ret_memory). */
bool lf_unseal(const uint8_t key[LF_SEAL_KEY_SIZE], const void *sealed, size_t len, void *ret_bytes,
               bool *ret_memory) LF_MUST_CHECK;

#endif
