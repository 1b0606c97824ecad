/* base64.h - base 64 (RFC 4648, section 4), read to the letter. Thread-safe. */
#ifndef LF_BASE_BASE64_H
#define LF_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What so many bytes take in base 64, with the padding and a NUL. */
#define LF_BASE64_TEXT_MAX(len) (((len) + 2) / 3 * 4 + 1)

/* Writes the bytes in base 64, padded and NUL-terminated; returns its length. ret_text has room for it. */
size_t lf_base64_encode(const void *bytes, size_t len, char *ret_text);

/* Reads base 64 to the letter: the standard alphabet, padding where it belongs, no white space, no bits that stand for
 * nothing. So each row of bytes has one text alone. false where it is none, or holds more than `max` bytes. */
bool lf_base64_decode(const char *text, size_t len, void *ret_bytes, size_t max, size_t *ret_len);

#endif
