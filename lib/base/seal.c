/*
 * seal.c - see seal.h. What is sealed is the ciphertext with its tag behind it.
 *
 * The algorithm is fetched at its first use and kept until the process ends: looking it up by name for every text would
 * cost more than sealing it.
 */
#include "base/seal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

enum { NONCE_SIZE = 12, TAG_SIZE = LF_SEAL_EXTRA };

static const uint8_t NONCE[NONCE_SIZE]; /* zeros: a key seals once */

static EVP_CIPHER *
fetched_cipher(void)
{
    static _Atomic(EVP_CIPHER *) kept;
    EVP_CIPHER *cipher = NULL, *known = atomic_load_explicit(&kept, memory_order_acquire);

    if (known != NULL)
        return known;
    cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (cipher == NULL || atomic_compare_exchange_strong(&kept, &known, cipher))
        return cipher;
    EVP_CIPHER_free(cipher); /* another thread was first */
    return known;
}

bool
lf_seal(const uint8_t key[LF_SEAL_KEY_SIZE], const void *bytes, size_t len, void *ret_sealed)
{
    EVP_CIPHER *cipher = fetched_cipher();
    EVP_CIPHER_CTX *context = cipher != NULL ? EVP_CIPHER_CTX_new() : NULL;
    uint8_t *to = ret_sealed;
    int written = 0, rest = 0;
    bool sealed = context != NULL && len <= INT_MAX && EVP_EncryptInit_ex2(context, cipher, key, NONCE, NULL) == 1 &&
                  (len == 0 || EVP_EncryptUpdate(context, to, &written, bytes, (int)len) == 1) &&
                  EVP_EncryptFinal_ex(context, to + written, &rest) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, to + len) == 1;

    EVP_CIPHER_CTX_free(context);
    return sealed;
}

bool
lf_unseal(const uint8_t key[LF_SEAL_KEY_SIZE], const void *sealed, size_t len, void *ret_bytes, bool *ret_memory)
{
    EVP_CIPHER *cipher = fetched_cipher();
    EVP_CIPHER_CTX *context = cipher != NULL ? EVP_CIPHER_CTX_new() : NULL;
    const uint8_t *from = sealed;
    uint8_t tag[TAG_SIZE], *to = ret_bytes;
    size_t text = len >= TAG_SIZE ? len - TAG_SIZE : 0;
    int written = 0, rest = 0;
    bool opened = false, sound = len >= TAG_SIZE && text <= INT_MAX;
    bool ready = sound && context != NULL && EVP_DecryptInit_ex2(context, cipher, key, NONCE, NULL) == 1;

    if (ready) {
        memcpy(tag, from + text, TAG_SIZE); /* libcrypto takes it writable */
        ready = (text == 0 || EVP_DecryptUpdate(context, to, &written, from, (int)text) == 1) &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1;
        opened = ready && EVP_DecryptFinal_ex(context, to + written, &rest) == 1;
        if (!opened)
            OPENSSL_cleanse(to, text); /* nobody is to read what nobody vouches for */
    }
    *ret_memory = sound && !ready;
    EVP_CIPHER_CTX_free(context);
    return opened;
}
