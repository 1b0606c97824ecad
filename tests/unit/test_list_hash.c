/* test_list_hash.c - the sum of digests modulo 2^256: carries, borrows, any order, and back to nothing. */
#include "store/list_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* 64 hex digits, the most significant first. */
static void
from_hex(const char *hex, uint8_t bytes[LF_SHA256_SIZE])
{
    assert_int_equal(strlen(hex), 2 * LF_SHA256_SIZE);
    for (size_t i = 0; i < LF_SHA256_SIZE; i++) {
        unsigned byte = 0;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
}

#define ZEROS_62 "00000000000000000000000000000000000000000000000000000000000000"
#define ONES_62 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* Worked out by hand (and by Python: (a + b) % 2**256). */
static const struct {
    const char *why, *a, *b, *sum;
} SUMS[] = {
    {"nothing and nothing", "00" ZEROS_62, "00" ZEROS_62, "00" ZEROS_62},
    {"the last byte is the least", ZEROS_62 "01", ZEROS_62 "02", ZEROS_62 "03"},
    {"a carry into the next byte", ZEROS_62 "ff", ZEROS_62 "01",
     "0000000000000000000000000000000000000000000000000000000000000100"},
    {"a carry through all bytes", "00" ONES_62, ZEROS_62 "01", "01" ZEROS_62},
    {"past 2^256 it begins anew", "ff" ONES_62, ZEROS_62 "01", "00" ZEROS_62},
    {"-1 and -1 are -2", "ff" ONES_62, "ff" ONES_62, ONES_62 "fe"},
    {"the top bit falls out", "80" ZEROS_62, "80" ZEROS_62, "00" ZEROS_62},
    {"bytes of all sorts", "0123456789abcdeffedcba98765432100123456789abcdeffedcba9876543210",
     "f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f",
     "f205182b3e516477774614e3b281501ff205182b3e516477774614e3b281501f"},
};

static void
test_add_and_subtract(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof SUMS / sizeof *SUMS; row++) {
        uint8_t a[LF_SHA256_SIZE], b[LF_SHA256_SIZE], sum[LF_SHA256_SIZE], got[LF_SHA256_SIZE];

        print_message("%s\n", SUMS[row].why);
        from_hex(SUMS[row].a, a);
        from_hex(SUMS[row].b, b);
        from_hex(SUMS[row].sum, sum);
        memcpy(got, a, sizeof got);
        lf_list_hash_add(got, b);
        assert_memory_equal(got, sum, sizeof sum);
        lf_list_hash_subtract(got, b);
        assert_memory_equal(got, a, sizeof a);
        memcpy(got, b, sizeof got); /* the other way round */
        lf_list_hash_add(got, a);
        assert_memory_equal(got, sum, sizeof sum);
        lf_list_hash_subtract(got, a);
        assert_memory_equal(got, b, sizeof b);
    }
}

static void
test_entries(void **state)
{
    /* sum of the SHA-256 of "", "acme" and "Ünal GmbH", by Python's hashlib */
    static const char EXPECTED[] = "5fa6bcf45436a1d12f998a736fff7776deb312802fa9792270a15e6b8a8af790";
    static const char *const ENTRIES[] = {"", "acme", "Ünal GmbH"};
    uint8_t expected[LF_SHA256_SIZE], nothing[LF_SHA256_SIZE] = {0}, sum[LF_SHA256_SIZE] = {0},
                                      other[LF_SHA256_SIZE] = {0};

    (void)state;
    from_hex(EXPECTED, expected);
    for (size_t i = 0; i < 3; i++) {
        assert_true(lf_list_hash_add_entry(sum, ENTRIES[i], strlen(ENTRIES[i])));
        assert_true(lf_list_hash_add_entry(other, ENTRIES[2 - i], strlen(ENTRIES[2 - i])));
    }
    assert_memory_equal(sum, expected, sizeof sum);
    assert_memory_equal(other, expected, sizeof other); /* in any order */
    for (size_t i = 0; i < 3; i++)
        assert_true(lf_list_hash_subtract_entry(sum, ENTRIES[i], strlen(ENTRIES[i])));
    assert_memory_equal(sum, nothing, sizeof sum);
    assert_true(lf_list_hash_add_entry(other, "acme", 4)); /* twice is not once */
    assert_memory_not_equal(other, expected, sizeof other);
    assert_true(lf_list_hash_subtract_entry(other, "Acme", 4)); /* one spelling is not another */
    assert_memory_not_equal(other, expected, sizeof other);
}

static int
group_setup(void **state)
{
    (void)state;
    return lf_hash_setup(NULL) == LF_OK ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_subtract),
        cmocka_unit_test(test_entries),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
