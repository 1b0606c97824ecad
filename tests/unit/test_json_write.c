/* test_json_write.c - texts, trees and the canonical form (RFC 8785) as they are written. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lf_arena *arena;

static int
set_up(void **state)
{
    (void)state;
    lf_json_setup();
    arena = lf_arena_create(1 << 16, 64u << 20);
    return arena != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    lf_arena_destroy(arena);
    return 0;
}

static const struct lf_json *
parse(const char *text)
{
    const struct lf_json *root = NULL;
    struct lf_error error;

    if (lf_json_parse(arena, text, strlen(text), &LF_JSON_DOCUMENT_LIMITS, &root, &error) != LF_OK)
        fail_msg("%s: %s", text, error.detail);
    return root;
}

static void
test_texts(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *written;
    } ROWS[] = {
        {"", 0, "\"\""},
        {NULL, 0, "\"\""},
        {"plain text of some length", 25, "\"plain text of some length\""},
        {"\"", 1, "\"\\\"\""},
        {"\\", 1, "\"\\\\\""},
        {"a/b", 3, "\"a/b\""},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
        {"\0\x01\x0B\x1F\x7F", 5, "\"\\u0000\\u0001\\u000b\\u001f\x7F\""},
        {"1234567\"", 8, "\"1234567\\\"\""},
        {"12345678\"", 9, "\"12345678\\\"\""},
        {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        /* bytes from 0x80 on beside those that need an escape, within eight */
        {"\x80\"\xC3\\\xBF\x1F\xFF!", 8, "\"\x80\\\"\xC3\\\\\xBF\\u001f\xFF!\""},
        {"\xC2\xA0 #[\xC2\xA0 ", 8, "\"\xC2\xA0 #[\xC2\xA0 \""},
        {"\xE2\x80\xA8", 3, "\"\xE2\x80\xA8\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct lf_buf buf;

        lf_buf_init(&buf, arena, 1000);
        lf_json_put_text(&buf, ROWS[i].text, ROWS[i].len);
        assert_string_equal(lf_buf_terminate(&buf), ROWS[i].written);
    }
}

/* Eight bytes at once must see what one by one sees: every byte at every place among random others. */
static void
test_every_byte_at_every_place(void **state)
{
    static const char OTHERS[] = "a \x7F\x80\xFF!#[]\xA2\xDC\xA0";
    unsigned draw = 1;

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 24; place++) {
            char text[24], expected[160];
            size_t used = 0;
            struct lf_buf buf;

            expected[used++] = '"';
            for (size_t i = 0; i < sizeof text; i++) {
                draw = draw * 1103515245u + 12345u;
                text[i] = i == place ? (char)byte : OTHERS[(draw >> 16) % (sizeof OTHERS - 1)];
                if (text[i] == '"' || text[i] == '\\')
                    used += (size_t)sprintf(expected + used, "\\%c", text[i]);
                else if (strchr("\b\t\n\f\r", text[i]) != NULL && text[i] != '\0')
                    used += (size_t)sprintf(expected + used, "\\%c", "btn?fr"[text[i] - '\b']);
                else if ((unsigned char)text[i] < 0x20)
                    used += (size_t)sprintf(expected + used, "\\u%04x", text[i]);
                else
                    expected[used++] = text[i];
            }
            expected[used++] = '"';
            lf_arena_reset(arena);
            lf_buf_init(&buf, arena, 1000);
            lf_json_put_text(&buf, text, sizeof text);
            assert_int_equal(buf.len, used);
            assert_memory_equal(buf.data, expected, used);
        }
    }
}

static const struct {
    const char *why, *text, *tree, *canonical;
} TREES[] = {
    {"scalars", "[null,true,false,0,\"\"]", "[null,true,false,0,\"\"]", "[null,true,false,0,\"\"]"},
    {"empty", " [ ] ", "[]", "[]"},
    {"empty object", "{ }", "{}", "{}"},
    {"white space goes, order stays", "{ \"b\" : [ 1 , { } ] ,\n \"a\" : 2 }", "{\"b\":[1,{}],\"a\":2}",
     "{\"a\":2,\"b\":[1,{}]}"},
    {"numbers", "[1.0,1E2,-0,0.10,1e-7,12e20]", "[1,100,0,0.1,1e-7,1.2e+21]", "[1,100,0,0.1,1e-7,1.2e+21]"},
    {"long integers keep their digits in the tree alone", "[12345678901234567890,-9007199254740993]",
     "[12345678901234567890,-9007199254740993]", "[12345678901234567000,-9007199254740992]"},
    {"escapes become the shortest", "[\"\\u0041\\/\\u000a\\u001F\\u00e4\\ud83d\\ude00\\u0000\"]",
     "[\"A/\\n\\u001f\xC3\xA4\xF0\x9F\x98\x80\\u0000\"]", "[\"A/\\n\\u001f\xC3\xA4\xF0\x9F\x98\x80\\u0000\"]"},
    {"names are escaped", "{\"\\\"\\n\":1}", "{\"\\\"\\n\":1}", "{\"\\\"\\n\":1}"},
    {"nested objects are sorted", "{\"b\":{\"d\":1,\"c\":{\"z\":1,\"y\":2}},\"a\":[{\"f\":1,\"e\":2}]}",
     "{\"b\":{\"d\":1,\"c\":{\"z\":1,\"y\":2}},\"a\":[{\"f\":1,\"e\":2}]}",
     "{\"a\":[{\"e\":2,\"f\":1}],\"b\":{\"c\":{\"y\":2,\"z\":1},\"d\":1}}"},
    {"a shorter name first", "{\"aa\":1,\"a\":2,\"\":3,\"aA\":4}", "{\"aa\":1,\"a\":2,\"\":3,\"aA\":4}",
     "{\"\":3,\"a\":2,\"aA\":4,\"aa\":1}"},
    {"RFC 8785, 3.2.3: UTF-16 code units",
     "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\","
     "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
     "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
     "{\"\xE2\x82\xAC\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With "
     "Dagesh\",\"1\":\"One\",\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\",\"\xC2\x80\":\"Control\","
     "\"\xC3\xB6\":\"Latin Small Letter O With Diaeresis\"}",
     "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\",\"\xC3\xB6\":\"Latin Small Letter O With "
     "Diaeresis\",\"\xE2\x82\xAC\":\"Euro Sign\",\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\",\"\xEF\xAC\xB3\":"
     "\"Hebrew Letter Dalet With Dagesh\"}"},
    {"surrogates stand between U+D7FF and U+E000",
     "{\"\\uffff\":1,\"\\ue000\":2,\"\\udbff\\udfff\":3,\"\\ud800\\udc00\":4,\"\\ud7ff\":5}",
     "{\"\xEF\xBF\xBF\":1,\"\xEE\x80\x80\":2,\"\xF4\x8F\xBF\xBF\":3,\"\xF0\x90\x80\x80\":4,\"\xED\x9F\xBF\":5}",
     "{\"\xED\x9F\xBF\":5,\"\xF0\x90\x80\x80\":4,\"\xF4\x8F\xBF\xBF\":3,\"\xEE\x80\x80\":2,\"\xEF\xBF\xBF\":1}"},
    {"RFC 8785, 3.2.2",
     "{\"numbers\":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"
     "\"string\":\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\"literals\":[null,true,false]}",
     "{\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/"
     "\","
     "\"literals\":[null,true,false]}",
     "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
     "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
};

static void
test_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TREES / sizeof TREES[0]; i++) {
        const struct lf_json *root = parse(TREES[i].text);
        struct lf_buf tree, canonical;

        lf_buf_init(&tree, arena, 10000);
        lf_buf_init(&canonical, NULL, 10000);
        lf_json_put_tree(&tree, root);
        assert_true(lf_json_put_canonical(&canonical, arena, root));
        assert_string_equal(lf_buf_terminate(&tree), TREES[i].tree);
        assert_string_equal(lf_buf_terminate(&canonical), TREES[i].canonical);
        lf_buf_finish(&canonical);
    }
}

static void
test_absent_is_null(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, arena, 100);
    lf_json_put_tree(&buf, NULL);
    assert_true(lf_json_put_canonical(&buf, arena, NULL));
    assert_string_equal(lf_buf_terminate(&buf), "nullnull");
}

/* A buffer that is too small says so at the end, wherever it ran full. */
static void
test_full_buffer(void **state)
{
    struct lf_buf buf, text;
    const struct lf_json *root = NULL;

    (void)state;
    lf_buf_init(&text, arena, 10000);
    for (int i = 0; i < 40; i++)
        lf_buf_printf(&text, "%s{\"n\":[%d,null,\"text\"]}", i > 0 ? "," : "[", i + 10);
    lf_buf_lit(&text, "]");
    root = parse(lf_buf_terminate(&text));
    for (size_t max = 300; max <= text.len; max++) {
        lf_buf_init(&buf, NULL, max);
        lf_json_put_tree(&buf, root);
        assert_int_equal(lf_buf_failed(&buf), max < text.len);
        lf_buf_finish(&buf);
        lf_buf_init(&buf, NULL, max);
        assert_true(lf_json_put_canonical(&buf, arena, root));
        assert_int_equal(lf_buf_failed(&buf), max < text.len);
        lf_buf_finish(&buf);
    }
}

static void
test_canonical_without_memory(void **state)
{
    const struct lf_json *root = parse("[{\"a\":{\"b\":1,\"c\":2,\"d\":3}}]");
    struct lf_arena *small = lf_arena_create(16, 16);
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 100);
    assert_false(lf_json_put_canonical(&buf, small, root));
    lf_buf_finish(&buf);
    lf_arena_destroy(small);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),       cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_trees),       cmocka_unit_test(test_absent_is_null),
        cmocka_unit_test(test_full_buffer), cmocka_unit_test(test_canonical_without_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
