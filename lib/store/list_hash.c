/* list_hash.c - see list_hash.h. */
#include "store/list_hash.h"

void
lf_list_hash_add(uint8_t sum[LF_SHA256_SIZE], const uint8_t digest[LF_SHA256_SIZE])
{
    unsigned carry = 0;

    for (size_t i = LF_SHA256_SIZE; i-- > 0;) {
        carry += (unsigned)sum[i] + digest[i];
        sum[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

void
lf_list_hash_subtract(uint8_t sum[LF_SHA256_SIZE], const uint8_t digest[LF_SHA256_SIZE])
{
    unsigned carry = 1; /* sum + ~digest + 1 */

    for (size_t i = LF_SHA256_SIZE; i-- > 0;) {
        carry += (unsigned)sum[i] + (uint8_t)~digest[i];
        sum[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

bool
lf_list_hash_add_entry(uint8_t sum[LF_SHA256_SIZE], const char *text, size_t len)
{
    uint8_t digest[LF_SHA256_SIZE];

    if (!lf_sha256(text, len, digest))
        return false;
    lf_list_hash_add(sum, digest);
    return true;
}

bool
lf_list_hash_subtract_entry(uint8_t sum[LF_SHA256_SIZE], const char *text, size_t len)
{
    uint8_t digest[LF_SHA256_SIZE];

    if (!lf_sha256(text, len, digest))
        return false;
    lf_list_hash_subtract(sum, digest);
    return true;
}
