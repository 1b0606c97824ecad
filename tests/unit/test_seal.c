/* test_seal.c - sealing. Vectors: test cases 13 and 14 of McGrew and Viega, "The Galois/Counter Mode of Operation",
 * whose nonce is zeros as ours is; the longer ones were made by another implementation (pyca/cryptography). */
#include "base/seal.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 100000 };

/* libcrypto's own memory, which fails where it is told to. */
static struct {
    atomic_bool armed;
    atomic_long left; /* before the one that fails; below 0: it has failed */
} fault;

static bool
fails_now(void)
{
    return atomic_load(&fault.armed) && atomic_fetch_sub(&fault.left, 1) == 0;
}

static void *
failing_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails_now() ? NULL : malloc(size);
}

static void *
failing_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fails_now() ? NULL : realloc(memory, size);
}

static void
plain_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

static void
to_hex(const uint8_t *bytes, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* Seals, holds the end of the ciphertext and the tag against what is known, and opens it again. */
static void
check_vector(const uint8_t key[LF_SEAL_KEY_SIZE], const uint8_t *text, size_t len, const char *end, const char *tag)
{
    uint8_t *sealed = malloc(len + LF_SEAL_EXTRA), *opened = malloc(len + 1);
    char hex[2 * LF_SEAL_EXTRA + 1];
    size_t last = len < LF_SEAL_EXTRA ? len : LF_SEAL_EXTRA;
    bool memory = true;

    assert_non_null(sealed);
    assert_non_null(opened);
    assert_true(lf_seal(key, text, len, sealed));
    hex[0] = '\0';
    to_hex(sealed + len - last, last, hex);
    assert_string_equal(hex, end);
    to_hex(sealed + len, LF_SEAL_EXTRA, hex);
    assert_string_equal(hex, tag);
    assert_true(lf_unseal(key, sealed, len + LF_SEAL_EXTRA, opened, &memory));
    assert_false(memory);
    assert_memory_equal(opened, text, len);
    free(sealed);
    free(opened);
}

static void
test_vectors(void **state)
{
    static const struct {
        size_t len;
        const char *end, *tag;
    } LONGER[] = {
        {0, "", "f05d76ae4ab99fe5a6f69b3148c2363d"},
        {1, "0e", "c0a8ea43e90f99cd599476733a992956"},
        {17, "bbbbcba90fa98c3097ef784c77f3f0a2", "ed3af3a24343d2d588927ca3a3ea8969"},
        {60, "f5f52b07f9501f8315023c24d839a9bb", "48fb00f2df3022310381e5dd24d74e56"},
        {1000, "968913049f5748c33fd6bd74d18dc45d", "587d639ac45f9d0d4947aa004c361be7"},
        {TEXT_MAX, "f2a4a09ca71d3c27eb0b79ca7af418c4", "da2a7710f63cb5b17222c60a7bb9833f"},
    };
    static const uint8_t ZEROS[LF_SEAL_KEY_SIZE];
    uint8_t key[LF_SEAL_KEY_SIZE], *text = malloc(TEXT_MAX);

    (void)state;
    check_vector(ZEROS, ZEROS, 0, "", "530f8afbc74536b9a963b4f1c4cb738b");
    check_vector(ZEROS, ZEROS, 16, "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919");
    assert_non_null(text);
    for (int i = 0; i < LF_SEAL_KEY_SIZE; i++)
        key[i] = (uint8_t)i;
    for (int i = 0; i < TEXT_MAX; i++)
        text[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof LONGER / sizeof LONGER[0]; i++)
        check_vector(key, text, LONGER[i].len, LONGER[i].end, LONGER[i].tag);
    free(text);
}

static void
check_closed(const uint8_t key[LF_SEAL_KEY_SIZE], const uint8_t *sealed, size_t len)
{
    static const uint8_t NOTHING[256];
    uint8_t opened[256];
    bool memory = true;

    memset(opened, 0, sizeof opened);
    assert_false(lf_unseal(key, sealed, len, opened, &memory));
    assert_false(memory);
    assert_memory_equal(opened, NOTHING, sizeof opened); /* nothing of it is shown */
}

static void
test_what_was_altered_does_not_open(void **state)
{
    static const char TEXT[] = "{\"score\":87.25,\"label\":\"A1\"}";
    uint8_t key[LF_SEAL_KEY_SIZE] = {7}, sealed[sizeof TEXT + LF_SEAL_EXTRA];

    (void)state;
    assert_true(lf_seal(key, TEXT, sizeof TEXT, sealed));
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        check_closed(key, sealed, sizeof sealed);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof sealed; len++)
        check_closed(key, sealed, len);
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        check_closed(key, sealed, sizeof sealed);
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void
test_without_memory(void **state)
{
    static const char TEXT[] = "some text that is sealed";
    const uint8_t key[LF_SEAL_KEY_SIZE] = {1, 2};
    uint8_t sealed[sizeof TEXT + LF_SEAL_EXTRA];
    char opened[sizeof TEXT];
    long failures = 0;
    bool done = false, memory = false;

    (void)state;
    for (long n = 0; !done; n++, failures++) {
        atomic_store(&fault.left, n);
        atomic_store(&fault.armed, true);
        done = lf_seal(key, TEXT, sizeof TEXT, sealed);
        atomic_store(&fault.armed, false);
    }
    assert_true(failures > 1);
    failures = 0;
    for (long n = 0;; n++, failures++) {
        atomic_store(&fault.left, n);
        atomic_store(&fault.armed, true);
        memory = false;
        done = lf_unseal(key, sealed, sizeof sealed, opened, &memory);
        atomic_store(&fault.armed, false);
        assert_true(done != memory);
        if (done)
            break;
    }
    assert_true(failures > 0);
    assert_string_equal(opened, TEXT);
}

static void *
seal_and_open(void *argument)
{
    const uint8_t *key = argument;
    char text[300], opened[300];
    uint8_t sealed[sizeof text + LF_SEAL_EXTRA];
    bool memory = false;

    memset(text, key[0], sizeof text);
    for (int i = 0; i < 500; i++)
        if (!lf_seal(key, text, sizeof text, sealed) || !lf_unseal(key, sealed, sizeof sealed, opened, &memory) ||
            memcmp(text, opened, sizeof text) != 0)
            return NULL;
    return argument;
}

static void
test_threads(void **state)
{
    enum { THREADS = 4 };
    static uint8_t keys[THREADS][LF_SEAL_KEY_SIZE];
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        keys[i][0] = (uint8_t)('a' + i);
        assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, keys[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *fine = NULL;

        assert_int_equal(pthread_join(threads[i], &fine), 0);
        assert_non_null(fine);
    }
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(test_threads), /* first: the algorithm is fetched by all of them at once */
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_what_was_altered_does_not_open),
        cmocka_unit_test(test_without_memory),
    };

    if (CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free) != 1)
        return 1;
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
