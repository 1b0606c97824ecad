/*
 * crc.h - CRC-32 (IEEE 802.3) for blocks of recorded scores, eight bytes at a step.
 *
 * The same sum as lf_crc32 (base/hash.h), which is made small for keys of fifty bytes; here every recorded byte goes
 * through, so 8 KiB of tables pay (some 2 ns saved on each byte). Pure, thread-safe.
 */
#ifndef LF_STORE_CRC_H
#define LF_STORE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The CRC-32 of the bytes. */
uint32_t lf_block_crc32(const void *bytes, size_t len);

#endif
