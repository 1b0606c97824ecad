/* test_arena.c - memory handed out and given back at once. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_pieces_are_aligned_and_apart(void **state)
{
    struct lf_arena *arena = lf_arena_create(64, 1 << 20);
    unsigned char *pieces[200];

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = lf_arena_alloc(arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], i); /* nobody else wrote here */
    lf_arena_destroy(arena);
    lf_arena_destroy(NULL);
}

static void
test_maximum(void **state)
{
    struct lf_arena *arena = lf_arena_create(64, 1000);
    size_t held = 0;

    (void)state;
    while (lf_arena_alloc(arena, 16) != NULL)
        held += 16;
    assert_in_range(held, 900, 1008); /* all of it but what no piece fits into */
    assert_int_equal(lf_arena_used(arena), held);
    lf_arena_reset(arena);
    assert_int_equal(lf_arena_used(arena), 0);
    assert_null(lf_arena_alloc(arena, 1009));
    assert_non_null(lf_arena_alloc(arena, 900)); /* the maximum counts anew after a reset */
    lf_arena_destroy(arena);
}

static void
test_sizes_that_overflow(void **state)
{
    static const size_t MAXIMA[] = {1 << 20, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof MAXIMA / sizeof MAXIMA[0]; i++) {
        struct lf_arena *arena = lf_arena_create(16, MAXIMA[i]);

        assert_non_null(arena);
        assert_null(lf_arena_alloc(arena, SIZE_MAX));
        assert_null(lf_arena_alloc(arena, SIZE_MAX - 15));
        assert_null(lf_arena_alloc(arena, SIZE_MAX / 2 + 2));
        assert_null(lf_arena_calloc(arena, SIZE_MAX / 4, 8));
        assert_null(lf_arena_calloc(arena, SIZE_MAX, SIZE_MAX));
        assert_null(lf_arena_copy(arena, "", SIZE_MAX));
        assert_non_null(lf_arena_alloc(arena, 16));
        lf_arena_destroy(arena);
    }
}

static void
test_create(void **state)
{
    struct lf_arena *arena = lf_arena_create(100, 100); /* no multiple of the alignment */

    (void)state;
    assert_non_null(arena);
    assert_non_null(lf_arena_alloc(arena, 100));
    lf_arena_destroy(arena);
    assert_null(lf_arena_create(200, 100)); /* the first chunk alone would pass the maximum */
    assert_null(lf_arena_create(SIZE_MAX, 100));
    assert_null(lf_arena_create(SIZE_MAX, SIZE_MAX));
    arena = lf_arena_create(0, 1000);
    assert_non_null(arena);
    assert_non_null(lf_arena_alloc(arena, 500));
    lf_arena_destroy(arena);
}

static void
test_reset_keeps_the_first_chunk(void **state)
{
    struct lf_arena *arena = lf_arena_create(1024, 1 << 20);
    void *first = lf_arena_alloc(arena, 100);

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_non_null(lf_arena_alloc(arena, 1000));
    lf_arena_reset(arena);
    assert_ptr_equal(lf_arena_alloc(arena, 100), first);
    lf_arena_destroy(arena);
}

static void
test_calloc_zeroes(void **state)
{
    struct lf_arena *arena = lf_arena_create(1024, 1024);
    char *piece = lf_arena_alloc(arena, 1000);

    (void)state;
    memset(piece, 7, 1000);
    lf_arena_reset(arena);
    piece = lf_arena_calloc(arena, 10, 100);
    assert_non_null(piece);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(piece[i], 0);
    assert_non_null(lf_arena_calloc(arena, 0, 100));
    assert_non_null(lf_arena_calloc(arena, 100, 0));
    lf_arena_destroy(arena);
}

static void
test_copy_and_printf(void **state)
{
    struct lf_arena *arena = lf_arena_create(64, 256);

    (void)state;
    assert_string_equal(lf_arena_copy(arena, "abcdef", 3), "abc");
    assert_string_equal(lf_arena_copy(arena, NULL, 0), "");
    assert_memory_equal(lf_arena_copy(arena, "a\0b", 3), "a\0b", 4);
    assert_string_equal(lf_arena_printf(arena, "%d of %s", 3, "five"), "3 of five");
    assert_string_equal(lf_arena_printf(arena, "%s", ""), "");
    assert_null(lf_arena_printf(arena, "%0300d", 1));
    lf_arena_destroy(arena);
}

static void
test_shrink(void **state)
{
    struct lf_arena *arena = lf_arena_create(1024, 1024);
    char *a = lf_arena_alloc(arena, 100), *b = NULL;

    (void)state;
    lf_arena_shrink(arena, a, 100, 10);
    assert_int_equal(lf_arena_used(arena), 16);
    b = lf_arena_alloc(arena, 100);
    assert_ptr_equal(b, a + 16);
    lf_arena_shrink(arena, a, 16, 0); /* not the last piece any more */
    assert_int_equal(lf_arena_used(arena), 16 + 112);
    lf_arena_shrink(arena, b, 100, 0);
    assert_int_equal(lf_arena_used(arena), 16);
    lf_arena_shrink(arena, a, 16, 16);
    assert_int_equal(lf_arena_used(arena), 16);
    lf_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_aligned_and_apart),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_sizes_that_overflow),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_reset_keeps_the_first_chunk),
        cmocka_unit_test(test_calloc_zeroes),
        cmocka_unit_test(test_copy_and_printf),
        cmocka_unit_test(test_shrink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
