/* test_cursor.c - a cursor comes back as it went out, and nothing else is one. */
#include "api/cursor.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char LONGEST_KEY[] = "a123456789-123456789-123456789-123456789-123456789-123456789-123";

static struct lf_cursor
cursor_of(enum lf_cursor_kind kind, int score, uint8_t fill, const char *icp)
{
    struct lf_cursor cursor = {.kind = kind, .score = score};

    memset(cursor.id.bytes, fill, LF_ULID_SIZE);
    (void)snprintf(cursor.icp, sizeof cursor.icp, "%s", icp);
    return cursor;
}

static void
assert_same(const struct lf_cursor *a, const struct lf_cursor *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->score, b->score);
    assert_memory_equal(a->id.bytes, b->id.bytes, LF_ULID_SIZE);
    assert_string_equal(a->icp, b->icp);
}

static void
test_comes_back(void **state)
{
    static const struct {
        const char *why;
        enum lf_cursor_kind kind;
        int score;
        uint8_t fill;
        const char *icp, *of;
    } ROWS[] = {
        {"a lead by its score", LF_CURSOR_LEADS_BY_SCORE, 8725, 0x5A, "b2b-saas", ""},
        {"the least", LF_CURSOR_LEADS_BY_SCORE, 0, 0, "a", ""},
        {"the greatest", LF_CURSOR_LEADS_BY_SCORE, 10000, 0xFF, LONGEST_KEY, ""},
        {"by time", LF_CURSOR_LEADS_BY_TIME, 0, 0x80, "b2b-saas", ""},
        {"a score of a lead", LF_CURSOR_LEAD_SCORES, 0, 0x7F, "x", "lead/1"},
        {"all of a score", LF_CURSOR_LEAD_SCORES, 0, 0x7F, "", "lead/1"},
        {"an export", LF_CURSOR_LEAD_EXPORT, 0, 1, "", "\xC3\xA4"},
        {"deliveries", LF_CURSOR_DELIVERIES, 0, 0x7F, "", "crm"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_cursor cursor = cursor_of(ROWS[i].kind, ROWS[i].score, ROWS[i].fill, ROWS[i].icp), read;
        char text[LF_CURSOR_TEXT_MAX];

        lf_cursor_write(&cursor, ROWS[i].of, strlen(ROWS[i].of), text);
        if (!lf_cursor_read(text, ROWS[i].kind, ROWS[i].of, strlen(ROWS[i].of), &read))
            fail_msg("%s: %s", ROWS[i].why, text);
        assert_same(&read, &cursor);
        assert_true(strlen(text) + 1 <= LF_CURSOR_TEXT_MAX);
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                         strlen(text));
    }
}

/* Every length of key, so that the base64 ends in every way. */
static void
test_every_length(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LF_KEY_MAX; len++) {
        struct lf_cursor cursor = cursor_of(LF_CURSOR_LEADS_BY_SCORE, (int)len, (uint8_t)len, ""), read;
        char text[LF_CURSOR_TEXT_MAX];

        memcpy(cursor.icp, LONGEST_KEY, len);
        lf_cursor_write(&cursor, "", 0, text);
        assert_true(lf_cursor_read(text, LF_CURSOR_LEADS_BY_SCORE, "", 0, &read));
        assert_same(&read, &cursor);
    }
}

static void
test_of_something_else(void **state)
{
    struct lf_cursor cursor = cursor_of(LF_CURSOR_LEAD_SCORES, 0, 3, "b2b-saas"), read;
    char text[LF_CURSOR_TEXT_MAX];

    (void)state;
    lf_cursor_write(&cursor, "lead-1", 6, text);
    assert_true(lf_cursor_read(text, LF_CURSOR_LEAD_SCORES, "lead-1", 6, &read));
    assert_false(lf_cursor_read(text, LF_CURSOR_LEAD_EXPORT, "lead-1", 6, &read)); /* another list */
    assert_false(lf_cursor_read(text, LF_CURSOR_LEADS_BY_SCORE, "", 0, &read));
    assert_false(lf_cursor_read(text, LF_CURSOR_LEAD_SCORES, "lead-2", 6, &read)); /* another lead */
    assert_false(lf_cursor_read(text, LF_CURSOR_LEAD_SCORES, "lead-", 5, &read));
    assert_false(lf_cursor_read(text, LF_CURSOR_LEAD_SCORES, "", 0, &read));
    cursor.kind = LF_CURSOR_LEADS_BY_SCORE;
    lf_cursor_write(&cursor, "", 0, text);
    assert_false(lf_cursor_read(text, LF_CURSOR_LEADS_BY_TIME, "", 0, &read)); /* another order */
}

/* One character that is another one, is not there, or is there twice. */
static void
test_slips(void **state)
{
    static const char OTHERS[] = "AZaz09-_+/=. %\x80";
    struct lf_cursor cursor = cursor_of(LF_CURSOR_LEADS_BY_SCORE, 8725, 0x5A, "b2b-saas"), read;
    char text[LF_CURSOR_TEXT_MAX], slip[LF_CURSOR_TEXT_MAX + 1];
    size_t len = 0;

    (void)state;
    lf_cursor_write(&cursor, "", 0, text);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        for (const char *other = OTHERS; *other != '\0'; other++) {
            (void)snprintf(slip, sizeof slip, "%s", text);
            slip[i] = *other;
            if (strcmp(slip, text) != 0)
                assert_false(lf_cursor_read(slip, cursor.kind, "", 0, &read));
        }
        (void)snprintf(slip, sizeof slip, "%.*s%s", (int)i, text, text + i + 1);
        assert_false(lf_cursor_read(slip, cursor.kind, "", 0, &read));
        (void)snprintf(slip, sizeof slip, "%.*s%s", (int)i, text, text + i);
        slip[i] = '\0';
        assert_false(lf_cursor_read(slip, cursor.kind, "", 0, &read)); /* cut */
        (void)snprintf(slip, sizeof slip, "%.*s%s", (int)i + 1, text, text + i);
        assert_false(lf_cursor_read(slip, cursor.kind, "", 0, &read)); /* twice */
    }
    for (const char *other = OTHERS; *other != '\0'; other++) {
        (void)snprintf(slip, sizeof slip, "%s%c", text, *other);
        assert_false(lf_cursor_read(slip, cursor.kind, "", 0, &read));
    }
}

/* Right check sums over what is no place: made as somebody would who knows how. */
static void
test_well_made_nonsense(void **state)
{
    static const struct {
        const char *why;
        int score;
        const char *icp;
    } ROWS[] = {
        {"a score above 100", 10001, "b2b-saas"},
        {"a key with a capital", 100, "B2b"},
        {"a key that begins with a hyphen", 100, "-a"},
        {"a key with a blank", 100, "a b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_cursor cursor = cursor_of(LF_CURSOR_LEADS_BY_SCORE, ROWS[i].score, 1, ROWS[i].icp), read;
        char text[LF_CURSOR_TEXT_MAX];

        lf_cursor_write(&cursor, "", 0, text);
        if (lf_cursor_read(text, cursor.kind, "", 0, &read))
            fail_msg("%s was taken", ROWS[i].why);
    }
}

static void
test_what_is_no_cursor(void **state)
{
    char text[4096];
    struct lf_cursor read;

    (void)state;
    assert_false(lf_cursor_read("", LF_CURSOR_LEADS_BY_SCORE, "", 0, &read));
    assert_false(lf_cursor_read("A", LF_CURSOR_LEADS_BY_SCORE, "", 0, &read));
    assert_false(lf_cursor_read("next", LF_CURSOR_LEADS_BY_SCORE, "", 0, &read));
    for (size_t len = 0; len + 1 < sizeof text; len++) {
        memset(text, 'A', len);
        text[len] = '\0';
        assert_false(lf_cursor_read(text, LF_CURSOR_LEADS_BY_SCORE, "", 0, &read));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),         cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_of_something_else),  cmocka_unit_test(test_slips),
        cmocka_unit_test(test_well_made_nonsense), cmocka_unit_test(test_what_is_no_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
