/* test_findings.c - the list of what is wrong: copies, its maximum, running out of memory. */
#include "base/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PLENTY = 1 << 20, ITEMS = LF_FINDINGS_MAX * (int)sizeof(struct lf_finding) };

static void
test_none(void **state)
{
    struct lf_findings findings;
    struct lf_arena *arena = lf_arena_create(1024, PLENTY);

    (void)state;
    lf_findings_init(&findings, arena);
    assert_int_equal(findings.count, 0);
    assert_int_equal(findings.dropped, 0);
    assert_false(lf_findings_any(&findings));
    lf_arena_destroy(arena);
}

/* What was handed in may change afterwards; only the code is the caller's own. */
static void
test_copies(void **state)
{
    static const char CODE[] = "out_of_range";
    char pointer[] = "/attributes/0/weight", word[] = "weight";
    struct lf_findings findings;
    struct lf_arena *arena = lf_arena_create(1024, PLENTY);

    (void)state;
    lf_findings_init(&findings, arena);
    lf_findings_add(&findings, pointer, CODE, "%s is %d: at most %d, or 100%%", word, 1001, 1000);
    memset(pointer, 'x', strlen(pointer));
    memset(word, 'x', strlen(word));
    lf_findings_add(&findings, "", "required", "second");
    assert_int_equal(findings.count, 2);
    assert_true(lf_findings_any(&findings));
    assert_string_equal(findings.items[0].pointer, "/attributes/0/weight");
    assert_ptr_equal(findings.items[0].code, CODE);
    assert_string_equal(findings.items[0].detail, "weight is 1001: at most 1000, or 100%");
    assert_string_equal(findings.items[1].pointer, "");
    assert_string_equal(findings.items[1].detail, "second");
    lf_arena_destroy(arena);
}

/* The first LF_FINDINGS_MAX stay, in their order; the rest is counted. */
static void
test_maximum(void **state)
{
    struct lf_findings findings;
    struct lf_arena *arena = lf_arena_create(1024, PLENTY);

    (void)state;
    lf_findings_init(&findings, arena);
    for (int i = 0; i < LF_FINDINGS_MAX + 7; i++) {
        char pointer[32];

        (void)snprintf(pointer, sizeof pointer, "/%d", i);
        lf_findings_add(&findings, pointer, "code", "number %d", i);
    }
    assert_int_equal(findings.count, LF_FINDINGS_MAX);
    assert_int_equal(findings.dropped, 7);
    assert_false(findings.out_of_memory);
    for (int i = 0; i < LF_FINDINGS_MAX; i++) {
        char detail[32];

        (void)snprintf(detail, sizeof detail, "number %d", i);
        assert_string_equal(findings.items[i].detail, detail);
        assert_string_equal(findings.items[i].pointer + 1, detail + 7);
    }
    lf_arena_destroy(arena);
}

static void
test_long_detail_stays_whole(void **state)
{
    static char text[20001];
    struct lf_findings findings;
    struct lf_arena *arena = lf_arena_create(1024, PLENTY);

    (void)state;
    memset(text, 'a', sizeof text - 1);
    lf_findings_init(&findings, arena);
    lf_findings_add(&findings, text, "code", "<%s>", text);
    assert_int_equal(strlen(findings.items[0].detail), sizeof text + 1);
    assert_int_equal(strlen(findings.items[0].pointer), sizeof text - 1);
    lf_arena_destroy(arena);
}

/* Where memory ends: room for nothing, for the list alone, for list and pointer. A finding that cannot be kept is never
 * half there, nothing is added any more, and the list says that something was wrong. */
static void
test_out_of_memory(void **state)
{
    static const size_t ROOM[] = {64, ITEMS, ITEMS + 16, ITEMS + 32};
    static char detail[1001];

    (void)state;
    memset(detail, 'd', sizeof detail - 1);
    for (size_t i = 0; i < sizeof ROOM / sizeof *ROOM; i++) {
        struct lf_findings findings;
        struct lf_arena *arena = lf_arena_create(16, ROOM[i] + 16);

        assert_non_null(arena);
        lf_findings_init(&findings, arena);
        lf_findings_add(&findings, "/a", "code", "%s", detail);
        assert_true(findings.out_of_memory);
        assert_true(lf_findings_any(&findings));
        assert_int_equal(findings.count, 0);
        lf_findings_add(&findings, "", "code", "x");
        assert_int_equal(findings.count, 0);
        assert_int_equal(findings.dropped, 0);
        lf_arena_destroy(arena);
    }
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(test_none),          cmocka_unit_test(test_copies),
        cmocka_unit_test(test_maximum),       cmocka_unit_test(test_long_detail_stays_whole),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
