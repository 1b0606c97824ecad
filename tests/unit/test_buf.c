/* test_buf.c - buffers that grow to a maximum. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_appending(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 1000);
    assert_string_equal(lf_buf_terminate(&buf), "");
    lf_buf_text(&buf, "a");
    lf_buf_lit(&buf, "bc");
    lf_buf_char(&buf, 'd');
    lf_buf_add(&buf, "e\0f", 3);
    lf_buf_add(&buf, NULL, 0);
    lf_buf_printf(&buf, "%d%s", 7, "g");
    assert_int_equal(buf.len, 9);
    assert_memory_equal(lf_buf_terminate(&buf), "abcde\0f7g", 10);
    assert_int_equal(buf.len, 9); /* the NUL does not count */
    assert_false(lf_buf_failed(&buf));
    lf_buf_finish(&buf);
    assert_int_equal(buf.len, 0);
    lf_buf_text(&buf, "again");
    assert_string_equal(lf_buf_terminate(&buf), "again");
    lf_buf_finish(&buf);
    lf_buf_finish(&buf);
}

/* Grows byte by byte to just its maximum, and one byte further. */
static void
test_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max < 1200; max += 7) {
        struct lf_buf buf;

        lf_buf_init(&buf, NULL, max);
        for (size_t i = 0; i < max; i++) {
            lf_buf_char(&buf, (char)('a' + i % 26));
            assert_false(lf_buf_failed(&buf));
        }
        assert_true(buf.cap <= (max < 256 ? 256 : max));
        lf_buf_char(&buf, 'x');
        assert_true(lf_buf_failed(&buf));
        assert_int_equal(buf.len, max);
        for (size_t i = 0; i < max; i++)
            assert_int_equal(buf.data[i], 'a' + i % 26);
        lf_buf_finish(&buf);
    }
}

static void
test_failure_sticks(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 10);
    lf_buf_text(&buf, "12345678");
    lf_buf_text(&buf, "too much");
    assert_true(lf_buf_failed(&buf));
    lf_buf_text(&buf, "x");
    assert_true(lf_buf_failed(&buf));
    assert_null(lf_buf_terminate(&buf));
    assert_null(lf_buf_reserve(&buf, 1));
    assert_memory_equal(buf.data, "12345678", 8);
    lf_buf_finish(&buf);
    assert_false(lf_buf_failed(&buf)); /* usable again */
    assert_null(lf_buf_reserve(&buf, SIZE_MAX));
    lf_buf_finish(&buf);
}

static void
test_terminate_needs_a_byte(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 3);
    lf_buf_text(&buf, "abc");
    assert_false(lf_buf_failed(&buf));
    assert_null(lf_buf_terminate(&buf));
    lf_buf_finish(&buf);
}

static void
test_in_an_arena(void **state)
{
    struct lf_arena *arena = lf_arena_create(64, 4096);
    struct lf_buf buf;
    size_t len = 0;

    (void)state;
    lf_buf_init(&buf, arena, 100000);
    while (!lf_buf_failed(&buf)) {
        lf_buf_char(&buf, (char)('a' + len % 26));
        len++;
    }
    assert_in_range(buf.len, 512, 4096); /* the arena was full before the buffer was */
    for (size_t i = 0; i < buf.len; i++)
        assert_int_equal(buf.data[i], 'a' + i % 26);
    lf_buf_finish(&buf);
    lf_arena_destroy(arena);
}

static void
test_reserve(void **state)
{
    struct lf_buf buf;
    char *place = NULL;

    (void)state;
    lf_buf_init(&buf, NULL, 5000);
    place = lf_buf_reserve(&buf, 3000);
    assert_non_null(place);
    memset(place, 'x', 3000);
    buf.len += 3000;
    assert_ptr_equal(lf_buf_reserve(&buf, 0), buf.data + 3000);
    assert_null(lf_buf_reserve(&buf, 2001));
    lf_buf_finish(&buf);
}

static void
test_numbers(void **state)
{
    static const struct {
        int64_t value;
        int places; /* -1: lf_buf_int */
        const char *expected;
    } CASES[] = {
        {0, -1, "0"},
        {7, -1, "7"},
        {-7, -1, "-7"},
        {INT64_MAX, -1, "9223372036854775807"},
        {INT64_MIN, -1, "-9223372036854775808"},
        {0, 0, "0"},
        {0, 2, "0"},
        {8725, 2, "87.25"},
        {8720, 2, "87.2"},
        {8700, 2, "87"},
        {10000, 2, "100"},
        {5, 2, "0.05"},
        {-5, 2, "-0.05"},
        {-500000, 6, "-0.5"},
        {1, 9, "0.000000001"},
        {1000000000, 9, "1"},
        {100, 0, "100"},
        {INT64_MAX, 9, "9223372036.854775807"},
        {INT64_MIN, 6, "-9223372036854.775808"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct lf_buf buf;

        lf_buf_init(&buf, NULL, 100);
        if (CASES[i].places < 0)
            lf_buf_int(&buf, CASES[i].value);
        else
            lf_buf_decimal(&buf, CASES[i].value, CASES[i].places);
        assert_string_equal(lf_buf_terminate(&buf), CASES[i].expected);
        lf_buf_finish(&buf);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appending),      cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_failure_sticks), cmocka_unit_test(test_terminate_needs_a_byte),
        cmocka_unit_test(test_in_an_arena),    cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
