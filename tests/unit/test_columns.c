/* test_columns.c - the width of text on a terminal, and cutting it. */
#include "base/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_widths(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } ROWS[] = {
        {"", 0},
        {"plain", 5},
        {"é", 1},         /* composed */
        {"e\xCC\x81", 1}, /* with a combining accent */
        {"部長", 4},      /* wide */
        {"ﾊﾝｶｸ", 4},      /* half width */
        {"a\tb\nc", 5},   /* shown as spaces */
        {"\x1B[0m", 4},   /* shown as U+FFFD and text */
        {"\xE2\x80\xAE"   /* right-to-left override */
         "abc",
         4},
        {"\xE2\x80\x8B", 0}, /* zero width space */
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(lf_columns(ROWS[i].text, strlen(ROWS[i].text)), ROWS[i].columns);
}

static void
test_cutting(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *shown;
        size_t columns;
    } ROWS[] = {
        {"abc", 3, "abc", 3},
        {"abc", 4, "abc", 3},
        {"abcd", 3, "ab…", 3},
        {"abcd", 1, "…", 1},
        {"abcd", 0, "", 0},
        {"", 0, "", 0},
        {"部長部", 6, "部長部", 6},
        {"部長部", 5, "部長…", 5},
        {"部長部", 4, "部…", 3}, /* half a character is none */
        {"部長部", 2, "…", 1},
        {"abe\xCC\x81", 3, "abe\xCC\x81", 3},
        {"abe\xCC\x81z", 3, "ab…", 3},
        {"a\nb", 9, "a b", 3},
        {"a\r\nb\x07", 9, "a  b\xEF\xBF\xBD", 5},
        {"\xC2\x9B"
         "1m",
         9,
         "\xEF\xBF\xBD"
         "1m",
         3}, /* the one-character form of ESC [ */
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_buf buf;

        lf_buf_init(&buf, NULL, 1024);
        assert_int_equal(lf_columns_put(&buf, ROWS[i].text, strlen(ROWS[i].text), ROWS[i].most), ROWS[i].columns);
        assert_string_equal(lf_buf_terminate(&buf), ROWS[i].shown);
        assert_int_equal(lf_columns(buf.data, buf.len), ROWS[i].columns);
        lf_buf_finish(&buf);
    }
}

static void
test_behind_other_text(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 1024);
    lf_buf_lit(&buf, "head");
    lf_columns_pad(&buf, 2);
    assert_int_equal(lf_columns_put(&buf, "tail", 4, 3), 3);
    lf_columns_pad(&buf, 0);
    assert_string_equal(lf_buf_terminate(&buf), "head  ta…");
    lf_buf_finish(&buf);
}

static void
test_a_full_buffer(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 4);
    (void)lf_columns_put(&buf, "much too long", 13, 12);
    lf_columns_pad(&buf, 100);
    assert_true(lf_buf_failed(&buf));
    lf_buf_finish(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_cutting),
        cmocka_unit_test(test_behind_other_text),
        cmocka_unit_test(test_a_full_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
