/* test_ulid.c - ids that sort by time. */
#include "base/ulid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    struct lf_ulid id;
    const char *text;
    int64_t ms;
} KNOWN[] = {
    {{{0}}, "00000000000000000000000000", 0},
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, "00000000000000000000000001", 0},
    {{{0, 0, 0, 0, 0, 1}}, "00000000010000000000000000", 1},
    {{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
     "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
     (INT64_C(1) << 48) - 1},
    {{{0x01, 0x56, 0x3E, 0x3A, 0xB8, 0x81, 0x18, 0x27, 0x76, 0x2D, 0x0D, 0xC5, 0x80, 0x80, 0x82, 0x08}},
     "01ARZ3NE4130KQCB8DRP0810G8",
     INT64_C(1469922850945)},
};

static void
test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++) {
        char text[LF_ULID_TEXT_SIZE], lower[LF_ULID_TEXT_SIZE];
        struct lf_ulid parsed = {{9}};

        lf_ulid_format(KNOWN[i].id, text);
        assert_string_equal(text, KNOWN[i].text);
        assert_int_equal(strlen(text), 26);
        assert_true(lf_ulid_ms(KNOWN[i].id) == KNOWN[i].ms);
        assert_true(lf_ulid_parse(text, 26, &parsed));
        assert_memory_equal(parsed.bytes, KNOWN[i].id.bytes, LF_ULID_SIZE);
        for (size_t j = 0; j < sizeof lower; j++)
            lower[j] = text[j] >= 'A' && text[j] <= 'Z' ? (char)(text[j] + 32) : text[j];
        memset(&parsed, 9, sizeof parsed);
        assert_true(lf_ulid_parse(lower, 26, &parsed));
        assert_memory_equal(parsed.bytes, KNOWN[i].id.bytes, LF_ULID_SIZE);
    }
}

static void
test_time_in_text(void **state)
{
    struct lf_ulid id = {{0}};

    (void)state;
    assert_true(lf_ulid_parse("01ARZ3NDEKTSV4RRFFQ69G5FAV", 26, &id)); /* the specification's other example */
    assert_true(lf_ulid_ms(id) == INT64_C(1469922850259));
}

static void
test_refused(void **state)
{
    static const char *const BAD[] = {
        "",
        "0",
        "0000000000000000000000000",
        "000000000000000000000000000",
        "80000000000000000000000000", /* 129 bits */
        "ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "0000000000000000000000000I",
        "0000000000000000000000000L",
        "0000000000000000000000000O",
        "0000000000000000000000000u",
        "0000000000000-000000000000",
        "0000000000000 000000000000",
        "000000000000000000000000\xC3\xA4",
    };
    struct lf_ulid id = {{9}}, before = id;

    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (lf_ulid_parse(BAD[i], strlen(BAD[i]), &id))
            fail_msg("'%s' is no id", BAD[i]);
    assert_false(lf_ulid_parse("0000000000000\0000000000000", 26, &id));
    assert_memory_equal(&id, &before, sizeof id);
}

static void
test_strictly_increasing(void **state)
{
    static const int64_t CLOCK[] = {5, 5, 5, 6, 6, 3, 1, 0, -9, 6, 7, 6, INT64_C(1795305600000), 8, 8};
    struct lf_ulid_mint mint;
    struct lf_ulid last = {{0}}, id = {{0}};
    int64_t latest = 0;
    char text[LF_ULID_TEXT_SIZE], before[LF_ULID_TEXT_SIZE] = "";

    (void)state;
    lf_ulid_mint_init(&mint, last);
    for (int i = 0; i < 100000; i++) {
        int64_t now = i < 15 ? CLOCK[i] : CLOCK[12] + i / 50 - (i % 7 == 0 ? 20 : 0);

        assert_true(lf_ulid_next(&mint, now, &id));
        assert_true(memcmp(last.bytes, id.bytes, LF_ULID_SIZE) < 0);
        lf_ulid_format(id, text);
        assert_true(strcmp(before, text) < 0); /* texts sort as ids do */
        latest = now > latest ? now : latest;
        assert_true(lf_ulid_ms(id) == latest);
        last = id;
        memcpy(before, text, sizeof text);
    }
}

static void
test_goes_on_behind_the_last(void **state)
{
    struct lf_ulid_mint mint;
    struct lf_ulid last = {{0, 0, 0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}, id;

    (void)state;
    lf_ulid_mint_init(&mint, last);
    assert_true(lf_ulid_next(&mint, 100, &id)); /* chance is used up: it carries into the time */
    assert_true(memcmp(last.bytes, id.bytes, LF_ULID_SIZE) < 0);
    assert_true(lf_ulid_ms(id) == 257);
    assert_true(lf_ulid_next(&mint, 257, &last));
    assert_true(memcmp(id.bytes, last.bytes, LF_ULID_SIZE) < 0);
}

static void
test_end_of_all_ids(void **state)
{
    struct lf_ulid_mint mint;
    struct lf_ulid last, id = {{9}}, before = id;

    (void)state;
    memset(&last, 0xFF, sizeof last);
    lf_ulid_mint_init(&mint, last);
    assert_false(lf_ulid_next(&mint, 5, &id));
    assert_false(lf_ulid_next(&mint, INT64_MAX, &id));
    assert_memory_equal(&id, &before, sizeof id);
    assert_memory_equal(&mint.last, &last, sizeof last);
}

/* The steps within a millisecond are 1 to 2^16, of chance; another mint gives other ids. */
static void
test_chance(void **state)
{
    struct lf_ulid_mint mint, other;
    struct lf_ulid zero = {{0}}, a, b;
    unsigned long long sum = 0;

    (void)state;
    lf_ulid_mint_init(&mint, zero);
    lf_ulid_mint_init(&other, zero);
    assert_true(lf_ulid_next(&mint, 1000, &a));
    assert_true(lf_ulid_next(&other, 1000, &b));
    assert_memory_not_equal(a.bytes, b.bytes, LF_ULID_SIZE);
    for (int i = 0; i < 1000; i++) {
        uint64_t from = 0, to = 0;

        b = a;
        assert_true(lf_ulid_next(&mint, 1000, &a));
        for (int j = 8; j < LF_ULID_SIZE; j++) {
            from = from << 8 | b.bytes[j];
            to = to << 8 | a.bytes[j];
        }
        assert_in_range(to - from, 1, 65536);
        sum += to - from;
    }
    assert_in_range(sum / 1000, 28000, 37000); /* 32768 is due, with a deviation of 600 */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_time_in_text),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_strictly_increasing),
        cmocka_unit_test(test_goes_on_behind_the_last),
        cmocka_unit_test(test_end_of_all_ids),
        cmocka_unit_test(test_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
