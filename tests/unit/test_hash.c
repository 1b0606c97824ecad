/* test_hash.c - digests, comparison, chance. Vectors: FIPS 180-2 for SHA-256, RFC 4231 for HMAC, the usual check value
 * of CRC-32. */
#include "base/hash.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *input, *text;
} VECTORS[] = {
    {"", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static int
setup(void **state)
{
    uint8_t digest[LF_SHA256_SIZE];

    (void)state;
    if (lf_sha256("", 0, digest)) /* before the setup there is no algorithm */
        return -1;
    return lf_hash_setup(NULL) == LF_OK && lf_hash_setup(NULL) == LF_OK ? 0 : -1;
}

static void
check_vectors(void)
{
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        uint8_t digest[LF_SHA256_SIZE];
        char text[LF_HASH_TEXT_MAX];

        assert_true(lf_sha256(VECTORS[i].input, strlen(VECTORS[i].input), digest));
        lf_hash_text(digest, text);
        assert_string_equal(text, VECTORS[i].text);
    }
}

static void
test_sha256(void **state)
{
    (void)state;
    check_vectors();
    check_vectors(); /* the context is used again */
}

static void
test_sha256_of_a_million(void **state)
{
    char *input = malloc(1000000);
    uint8_t digest[LF_SHA256_SIZE];
    char text[LF_HASH_TEXT_MAX];

    (void)state;
    assert_non_null(input);
    memset(input, 'a', 1000000);
    assert_true(lf_sha256(input, 1000000, digest));
    lf_hash_text(digest, text);
    assert_string_equal(text, "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(input);
}

static void
test_hmac(void **state)
{
    uint8_t key[131], data[50], counting[25];
    const struct {
        const void *key;
        size_t key_len;
        const void *data;
        size_t len;
        const char *text;
    } rows[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20, "Hi There", 8,
         "sha256:b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 4, "what do ya want for nothing?", 28,
         "sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {key, 20, data, 50, "sha256:773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {counting, 25,
         "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
         "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd",
         50, "sha256:82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
         "sha256:60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"", 0, "", 0, "sha256:b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };

    (void)state;
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)(i + 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t digest[LF_SHA256_SIZE];
        char text[LF_HASH_TEXT_MAX];
        struct lf_hmac_key ready;

        assert_true(lf_hmac_prepare(&ready, rows[i].key, rows[i].key_len));
        for (int again = 0; again < 2; again++) {
            assert_true(lf_hmac_sha256(&ready, rows[i].data, rows[i].len, digest));
            lf_hash_text(digest, text);
            assert_string_equal(text, rows[i].text);
        }
    }
}

/* cmocka's assertions belong to the main thread: a worker counts what is wrong. */
static void *
hash_many(void *ret_wrong)
{
    int *wrong = ret_wrong;

    for (int round = 0; round < 2000; round++)
        for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
            uint8_t digest[LF_SHA256_SIZE];
            char text[LF_HASH_TEXT_MAX];

            if (!lf_sha256(VECTORS[i].input, strlen(VECTORS[i].input), digest))
                ++*wrong;
            lf_hash_text(digest, text);
            *wrong += strcmp(text, VECTORS[i].text) != 0;
        }
    return NULL;
}

static void
test_threads(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_many, &wrong[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

static void
test_equal(void **state)
{
    (void)state;
    assert_true(lf_equal_constant_time("abc", "abc", 3));
    assert_true(lf_equal_constant_time("abcx", "abcy", 3));
    assert_false(lf_equal_constant_time("abc", "abd", 3));
    assert_false(lf_equal_constant_time("xbc", "abc", 3));
    assert_true(lf_equal_constant_time("a", "b", 0));
    assert_true(lf_equal_constant_time(NULL, NULL, 0));
}

/* However bytes are cut into pieces, they have one digest. */
static void
test_pieces(void **state)
{
    enum { LEN = 150 };
    uint8_t bytes[LEN], whole[LF_SHA256_SIZE], whole_mac[LF_SHA256_SIZE], digest[LF_SHA256_SIZE];
    struct lf_hmac_key key;

    (void)state;
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (uint8_t)(i * 7);
    assert_true(lf_hmac_prepare(&key, "a key", 5));
    assert_true(lf_sha256(bytes, LEN, whole));
    assert_true(lf_hmac_sha256(&key, bytes, LEN, whole_mac));
    for (size_t a = 0; a <= LEN; a += 3) {
        for (size_t b = a; b <= LEN; b += 7) {
            const struct lf_piece pieces[] = {{bytes, a}, {bytes + a, b - a}, {NULL, 0}, {bytes + b, LEN - b}};

            assert_true(lf_sha256_pieces(pieces, 4, digest));
            assert_memory_equal(digest, whole, sizeof digest);
            assert_true(lf_hmac_sha256_pieces(&key, pieces, 4, digest));
            assert_memory_equal(digest, whole_mac, sizeof digest);
        }
    }
    assert_true(lf_sha256("", 0, whole));
    assert_true(lf_sha256_pieces(NULL, 0, digest));
    assert_memory_equal(digest, whole, sizeof digest);
}

static void
test_random(void **state)
{
    uint8_t a[1000] = {0}, b[1000] = {0};
    size_t zeros = 0;

    (void)state;
    assert_true(lf_random_bytes(a, sizeof a));
    assert_true(lf_random_bytes(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        zeros += a[i] == 0;
    assert_true(zeros < 40); /* some 4 are due; 40 would be a part that was never filled */
    assert_true(lf_random_bytes(a, 0));
}

static void
test_crc32(void **state)
{
    (void)state;
    assert_int_equal(lf_crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(lf_crc32(0, "", 0), 0);
    assert_int_equal(lf_crc32(lf_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
    assert_int_equal(lf_crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414FA339);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),  cmocka_unit_test(test_sha256_of_a_million),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_equal),
        cmocka_unit_test(test_hmac),    cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_random),  cmocka_unit_test(test_crc32),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
