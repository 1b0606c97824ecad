/* test_status.c - the list of failures and the one place that fills an error. */
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_list(void **state)
{
    (void)state;
    for (int i = 0; i < LF_STATUS_COUNT; i++) {
        enum lf_status status = (enum lf_status)i;
        const char *word = lf_status_word(status);

        assert_non_null(word);
        assert_true(strlen(word) > 0 && strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word));
        assert_in_range(lf_status_http(status), 200, 599);
        assert_true((lf_status_http(status) < 400) == (status == LF_OK));
        assert_true(strlen(lf_status_title(status)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(word, lf_status_word((enum lf_status)j)); /* a word means one thing */
    }
    assert_int_equal(LF_OK, 0);
    assert_string_equal(lf_status_word(LF_TOO_DEEP), "too_deep");
    assert_int_equal(lf_status_http(LF_BODY_TOO_LARGE), 413);
}

static void
test_fail(void **state)
{
    struct lf_error error;

    (void)state;
    memset(&error, 'x', sizeof error);
    assert_int_equal(lf_fail(&error, LF_CONFLICT, "%d of %s", 1, "two"), LF_CONFLICT);
    assert_int_equal(error.status, LF_CONFLICT);
    assert_int_equal(error.offset, -1);
    assert_string_equal(error.pointer, "");
    assert_string_equal(error.detail, "1 of two");
    assert_int_equal(lf_fail_at(&error, LF_INVALID_JSON, "/a/0", 17, "here"), LF_INVALID_JSON);
    assert_int_equal(error.offset, 17);
    assert_string_equal(error.pointer, "/a/0");
    assert_string_equal(error.detail, "here");
    assert_int_equal(lf_fail_at(&error, LF_INVALID_JSON, NULL, -1, "here"), LF_INVALID_JSON);
    assert_string_equal(error.pointer, "");
    assert_int_equal(lf_fail(NULL, LF_INTERNAL, "nobody asks"), LF_INTERNAL);
    assert_int_equal(lf_fail_at(NULL, LF_INTERNAL, "/a", 0, "nobody asks"), LF_INTERNAL);
}

/* A text that is too long is cut, and never within a character. */
static void
test_cut_at_a_character(void **state)
{
    static const char *const CHARACTERS[] = {"x", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};

    (void)state;
    for (size_t i = 0; i < sizeof CHARACTERS / sizeof CHARACTERS[0]; i++)
        for (size_t before = 0; before < 5; before++) {
            size_t size = strlen(CHARACTERS[i]), len = before;
            char text[2000] = "aaaaa";
            struct lf_error error;

            for (; len + size < sizeof text; len += size)
                memcpy(text + len, CHARACTERS[i], size);
            text[len] = '\0';
            (void)lf_fail_at(&error, LF_INTERNAL, text, -1, "%s", text);
            assert_int_equal(strlen(error.detail), before + (LF_DETAIL_MAX - 1 - before) / size * size);
            assert_memory_equal(error.detail, text, strlen(error.detail));
            assert_int_equal(strlen(error.pointer), before + (LF_POINTER_MAX - 1 - before) / size * size);
            assert_memory_equal(error.pointer, text, strlen(error.pointer));
        }
}

static void
test_what_fits_stays(void **state)
{
    struct lf_error error;

    (void)state;
    (void)lf_fail(&error, LF_INTERNAL, "%s",
                  "gr\xC3\xBC\xC3\x9F"
                  "e \xE2\x82\xAC");
    assert_string_equal(error.detail, "gr\xC3\xBC\xC3\x9F"
                                      "e \xE2\x82\xAC");
    (void)lf_fail(&error, LF_INTERNAL, "%s", "");
    assert_string_equal(error.detail, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_cut_at_a_character),
        cmocka_unit_test(test_what_fits_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
