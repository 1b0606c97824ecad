/*
 * hash.c - see hash.h.
 *
 * Two things are process-wide, as libcrypto wants them: the fetched algorithm (looking it up by name for every hash
 * would cost more than hashing a key) and a context for each thread, kept because making one costs as much as using
 * it. Both are written in lf_hash_setup alone, but for a thread's own context.
 */
#include "base/hash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

static EVP_MD *sha256;            /* kept until the process ends */
static pthread_key_t context_key; /* so that a thread's context is freed with the thread */
static _Thread_local EVP_MD_CTX *context;

static void
free_context(void *held)
{
    EVP_MD_CTX_free(held);
}

enum lf_status
lf_hash_setup(struct lf_error *error)
{
    if (sha256 != NULL)
        return LF_OK;
    if (pthread_key_create(&context_key, free_context) != 0)
        return lf_fail(error, LF_INTERNAL, "no thread-specific key is left for libcrypto's context");
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha256 == NULL) {
        (void)pthread_key_delete(context_key); /* made just now: cannot fail */
        return lf_fail(error, LF_INTERNAL, "libcrypto has no SHA-256; see its configuration (openssl.cnf)");
    }
    return LF_OK;
}

/* This thread's context, made at its first hash and set up for SHA-256. */
static EVP_MD_CTX *
thread_context(void)
{
    if (context != NULL || sha256 == NULL)
        return context;
    context = EVP_MD_CTX_new();
    if (context == NULL)
        return NULL;
    if (pthread_setspecific(context_key, context) != 0 || EVP_DigestInit_ex2(context, sha256, NULL) != 1) {
        (void)pthread_setspecific(context_key, NULL); /* NULL needs no memory */
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return context;
}

/* The digest of a head (NULL for none) and pieces, one behind the other. */
static bool
digest(const struct lf_piece *head, const struct lf_piece *pieces, size_t count, uint8_t ret_digest[LF_SHA256_SIZE])
{
    EVP_MD_CTX *ctx = thread_context();
    unsigned size = 0;
    /* With no algorithm named the context is reset and keeps the one that it has. */
    bool fine = ctx != NULL && EVP_DigestInit_ex2(ctx, NULL, NULL) == 1 &&
                (head == NULL || EVP_DigestUpdate(ctx, head->bytes, head->len) == 1);

    for (size_t i = 0; fine && i < count; i++)
        fine = EVP_DigestUpdate(ctx, pieces[i].bytes, pieces[i].len) == 1;
    return fine && EVP_DigestFinal_ex(ctx, ret_digest, &size) == 1 && size == LF_SHA256_SIZE;
}

bool
lf_sha256(const void *bytes, size_t len, uint8_t ret_digest[LF_SHA256_SIZE])
{
    return lf_sha256_pieces(&(struct lf_piece){bytes, len}, 1, ret_digest);
}

bool
lf_sha256_pieces(const struct lf_piece *pieces, size_t count, uint8_t ret_digest[LF_SHA256_SIZE])
{
    return digest(NULL, pieces, count, ret_digest);
}

bool
lf_hmac_prepare(struct lf_hmac_key *key, const void *bytes, size_t len)
{
    uint8_t block[LF_HMAC_BLOCK] = {0};

    if (len > sizeof block) {
        if (!lf_sha256(bytes, len, block))
            return false;
    } else if (len > 0) {
        memcpy(block, bytes, len);
    }
    for (size_t i = 0; i < sizeof block; i++) {
        key->inner[i] = block[i] ^ 0x36;
        key->outer[i] = block[i] ^ 0x5C;
    }
    explicit_bzero(block, sizeof block);
    return true;
}

bool
lf_hmac_sha256(const struct lf_hmac_key *key, const void *bytes, size_t len, uint8_t ret_digest[LF_SHA256_SIZE])
{
    return lf_hmac_sha256_pieces(key, &(struct lf_piece){bytes, len}, 1, ret_digest);
}

/* By the two pads and the digest's own context: libcrypto's HMAC would set up a key schedule for every value. */
bool
lf_hmac_sha256_pieces(const struct lf_hmac_key *key, const struct lf_piece *pieces, size_t count,
                      uint8_t ret_digest[LF_SHA256_SIZE])
{
    uint8_t inner[LF_SHA256_SIZE];
    const struct lf_piece inner_pad = {key->inner, sizeof key->inner}, outer_pad = {key->outer, sizeof key->outer};

    return digest(&inner_pad, pieces, count, inner) &&
           digest(&outer_pad, &(struct lf_piece){inner, sizeof inner}, 1, ret_digest);
}

void
lf_hash_text(const uint8_t digest[LF_SHA256_SIZE], char ret_text[LF_HASH_TEXT_MAX])
{
    static const char HEX[] = "0123456789abcdef", PREFIX[] = "sha256:";
    char *to = ret_text + sizeof PREFIX - 1;

    memcpy(ret_text, PREFIX, sizeof PREFIX - 1);
    for (int i = 0; i < LF_SHA256_SIZE; i++) {
        *to++ = HEX[digest[i] >> 4];
        *to++ = HEX[digest[i] & 15];
    }
    *to = '\0';
}

bool
lf_equal_constant_time(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

bool
lf_random_bytes(void *bytes, size_t len)
{
    char *to = bytes;

    while (len > 0) {
        ssize_t count = getrandom(to, len, 0);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        to += count;
        len -= (size_t)count;
    }
    return true;
}

uint32_t
lf_crc32(uint32_t crc, const void *bytes, size_t len)
{
    /* The remainders of the sixteen half-bytes: keys are some fifty bytes long, a table of 1 KiB would not pay. */
    static const uint32_t TABLE[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *at = bytes;

    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ TABLE[crc & 15];
        crc = crc >> 4 ^ TABLE[crc & 15];
    }
    return ~crc;
}
