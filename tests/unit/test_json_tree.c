/*
 * test_json_tree.c - what a parsed document holds, and building one of our own.
 *
 * The door has tests of its own (test_json_door.c); here stands what cJSON by itself would lose.
 */
#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static const struct lf_json *
at(const struct lf_json *container, size_t index)
{
    const struct lf_json *node = lf_json_first(container);

    while (index-- > 0)
        node = lf_json_next(node);
    return node;
}

static void
assert_text(const struct lf_json *node, const char *text, size_t len)
{
    size_t got_len = 7;
    const char *got = lf_json_text(node, &got_len);

    assert_non_null(got);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, text, len);
    assert_int_equal(got[len], '\0');
}

static void
test_kinds(void **state)
{
    static const enum lf_json_kind KINDS[] = {LF_JSON_NULL, LF_JSON_BOOLEAN, LF_JSON_BOOLEAN, LF_JSON_NUMBER,
                                              LF_JSON_TEXT, LF_JSON_ARRAY,   LF_JSON_OBJECT};
    const struct lf_json *root = parse("[null, true, false, 1.5, \"x\", [1], {\"a\": 1}]"), *node = NULL;
    size_t count = 0, len = 7;

    (void)state;
    for (node = lf_json_first(root); node != NULL; node = lf_json_next(node)) {
        assert_int_equal(lf_json_kind(node), KINDS[count]);
        assert_int_equal(lf_json_is_true(node), count == 1);
        assert_true(lf_json_number(node) == (count == 3 ? 1.5 : 0));
        assert_int_equal(lf_json_text(node, &len) != NULL, count == 4);
        assert_int_equal(len, count == 4);
        assert_int_equal(lf_json_count(node), count >= 5);
        assert_null(lf_json_name(node));
        assert_null(lf_json_long_digits(node));
        count++;
    }
    assert_int_equal(count, 7);
    assert_int_equal(lf_json_count(root), 7);
    assert_string_equal(lf_json_name(lf_json_first(at(root, 6))), "a");
}

static void
test_absent(void **state)
{
    size_t len = 7;

    (void)state;
    assert_int_equal(lf_json_kind(NULL), LF_JSON_ABSENT);
    assert_false(lf_json_is_true(NULL));
    assert_true(lf_json_number(NULL) == 0);
    assert_null(lf_json_text(NULL, &len));
    assert_int_equal(len, 0);
    assert_null(lf_json_long_digits(NULL));
    assert_null(lf_json_member(NULL, "a"));
    assert_null(lf_json_first(NULL));
    assert_null(lf_json_next(NULL));
    assert_null(lf_json_name(NULL));
    assert_int_equal(lf_json_count(NULL), 0);
    assert_int_equal(lf_json_check_lead_size(NULL, "/lead", NULL), LF_OK);
}

static void
test_members(void **state)
{
    const struct lf_json *root = parse("{\"Name\":1,\"name\":2,\"\":3,\"n\\u0061me2\":4,\"\xC3\xA4\":{\"name\":5}}");

    (void)state;
    assert_true(lf_json_number(lf_json_member(root, "Name")) == 1);
    assert_true(lf_json_number(lf_json_member(root, "name")) == 2);
    assert_true(lf_json_number(lf_json_member(root, "")) == 3);
    assert_true(lf_json_number(lf_json_member(root, "name2")) == 4);
    assert_true(lf_json_number(lf_json_member(lf_json_member(root, "\xC3\xA4"), "name")) == 5);
    assert_null(lf_json_member(root, "NAME"));
    assert_null(lf_json_member(root, "nam"));
    assert_null(lf_json_member(lf_json_member(root, "name"), "name"));
    assert_null(lf_json_member(parse("[{\"a\":1}]"), "a"));
    assert_int_equal(lf_json_count(root), 5);
}

static void
test_texts(void **state)
{
    const struct lf_json *root =
        parse("[\"\", \"plain\", \"a\\u0000b\", \"\\u0000\", \"\\u0000\\u0000\", \"x\\u0000\", "
              "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e4\\u20ac\\ud83d\\ude00\", "
              "\"\xF0\x9F\x98\x80\", \"\\u0000\\u00e4\\n\\ud83d\\ude00\"]");

    (void)state;
    assert_text(at(root, 0), "", 0);
    assert_text(at(root, 1), "plain", 5);
    assert_text(at(root, 2), "a\0b", 3);
    assert_text(at(root, 3), "\0", 1);
    assert_text(at(root, 4), "\0\0", 2);
    assert_text(at(root, 5), "x\0", 2);
    assert_text(at(root, 6), "\"\\/\b\f\n\r\t", 8);
    assert_text(at(root, 7), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9);
    assert_text(at(root, 8), "\xF0\x9F\x98\x80", 4);
    assert_text(at(root, 9), "\0\xC3\xA4\n\xF0\x9F\x98\x80", 8);
}

/* Notes must find their values whatever stands around them. */
static void
test_mended_values_are_the_right_ones(void **state)
{
    const struct lf_json *root =
        parse("{\"a\\u0061\":[[],{},\"x\",[[1,12345678901234567]],\"p\\u0000q\"],\"b\":{\"c\":{}},"
              "\"d\":[\"\\u0000\",98765432109876543210,true,null,"
              "0.11111111111111111111111111111111111111111111111111111111111111111111,5],"
              "\"e\":\"end\\u0000\"}");
    const struct lf_json *a = lf_json_member(root, "aa"), *d = lf_json_member(root, "d");

    (void)state;
    assert_text(at(a, 2), "x", 1);
    assert_true(lf_json_number(at(at(at(a, 3), 0), 0)) == 1);
    assert_null(lf_json_long_digits(at(at(at(a, 3), 0), 0)));
    assert_string_equal(lf_json_long_digits(at(at(at(a, 3), 0), 1)), "12345678901234567");
    assert_text(at(a, 4), "p\0q", 3);
    assert_text(at(d, 0), "\0", 1);
    assert_string_equal(lf_json_long_digits(at(d, 1)), "98765432109876543210");
    assert_true(lf_json_is_true(at(d, 2)));
    assert_true(lf_json_number(at(d, 4)) == 1.0 / 9);
    assert_null(lf_json_long_digits(at(d, 4)));
    assert_true(lf_json_number(at(d, 5)) == 5);
    assert_text(lf_json_member(root, "e"), "end\0", 4);
    assert_text(parse("\"\\u0000\""), "\0", 1);
    assert_string_equal(lf_json_long_digits(parse("-1234567890123456")), "-1234567890123456");
}

static void
test_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
        const char *digits; /* NULL: not kept */
    } ROWS[] = {
        {"0", 0, NULL},
        {"-0", -0.0, NULL},
        {"12", 12, NULL},
        {"0.1", 0.1, NULL},
        {"1e22", 1e22, NULL},
        {"999999999999999", 999999999999999, NULL},
        {"-999999999999999", -999999999999999, NULL},
        {"1000000000000000", 1e15, "1000000000000000"},
        {"-1000000000000000", -1e15, "-1000000000000000"},
        {"9007199254740993", 9007199254740992, "9007199254740993"},
        {"18446744073709551615", 18446744073709551616.0, "18446744073709551615"},
        {"12345678901234567.0", 12345678901234568, NULL},
        {"12345678901234567e0", 12345678901234568, NULL},
        {"100000000000000000000000000000000000000000000000000000000000000", 1e62,
         "100000000000000000000000000000000000000000000000000000000000000"},
        {"1000000000000000000000000000000000000000000000000000000000000000", 1e63,
         "1000000000000000000000000000000000000000000000000000000000000000"},
        {"0.1000000000000000000000000000000000000000000000000000000000001", 0.1, NULL},
        {"0.10000000000000000000000000000000000000000000000000000000000001", 0.1, NULL},
        {"0.100000000000000000000000000000000000000000000000000000000000001", 0.1, NULL},
        {"1000000000000000000000000000000000000000000000000000000000000000000000e-69", 1, NULL},
        {"9007199254740993.00000000000000000000000000000000000000000000000000001", 9007199254740994, NULL},
        {"1.7976931348623157e308", 1.7976931348623157e308, NULL},
        {"5e-324", 5e-324, NULL},
        {"1e-400", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const struct lf_json *alone = parse(ROWS[i].text), *between = NULL;
        char text[400];

        (void)snprintf(text, sizeof text, "[1,%s,2]", ROWS[i].text);
        between = parse(text);
        assert_int_equal(lf_json_count(between), 3);
        for (int place = 0; place < 2; place++) {
            const struct lf_json *node = place == 0 ? alone : at(between, 1);
            double value = lf_json_number(node);
            const char *digits = lf_json_long_digits(node);

            if (value != ROWS[i].value || signbit(value) != signbit(ROWS[i].value))
                fail_msg("%s became %.17g", ROWS[i].text, value);
            if ((digits == NULL) != (ROWS[i].digits == NULL) || (digits != NULL && strcmp(digits, ROWS[i].digits) != 0))
                fail_msg("%s kept %s", ROWS[i].text, digits);
        }
    }
}

static void
test_failed_parse_writes_nothing(void **state)
{
    const struct lf_json *root = NULL;
    struct lf_error error;

    (void)state;
    assert_int_equal(lf_json_parse(arena, "[1", 2, &LF_JSON_LEAD_LIMITS, &root, &error), LF_INVALID_JSON);
    assert_null(root);
    assert_int_equal(lf_json_parse(arena, "[1", 2, &LF_JSON_LEAD_LIMITS, &root, NULL), LF_INVALID_JSON);
}

/* ---- a lead inside a larger document ---- */

/* Pieces with a number each in the middle, and commas between them. */
static const struct lf_json *
many(const char *before, const char *opening, size_t count, const char *closing, const char *after)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 20);
    lf_buf_text(&buf, before);
    for (size_t i = 0; i < count; i++)
        lf_buf_printf(&buf, "%s%s%zu%s", i > 0 ? "," : "", opening, i, closing);
    lf_buf_text(&buf, after);
    return parse(lf_buf_terminate(&buf));
}

static void
test_lead_size(void **state)
{
    struct lf_error error = {.status = LF_OK};

    (void)state;
    lf_arena_reset(arena);
    assert_int_equal(lf_json_check_lead_size(parse("{}"), "/lead", &error), LF_OK);
    assert_int_equal(lf_json_check_lead_size(parse("7"), "/lead", &error), LF_OK);
    assert_int_equal(lf_json_check_lead_size(many("{", "\"", 500, "\":0", "}"), "/lead", &error), LF_OK);
    assert_int_equal(lf_json_check_lead_size(many("{", "\"", 501, "\":0", "}"), "/lead", &error), LF_TOO_MANY_MEMBERS);
    assert_string_equal(error.pointer, "/lead");
    assert_int_equal(error.offset, -1);
    assert_int_equal(lf_json_check_lead_size(many("{\"a\":[", "{\"", 499, "\":0}", "]}"), "", &error), LF_OK);
    assert_int_equal(lf_json_check_lead_size(many("{\"a\":[", "{\"", 500, "\":0}", "]}"), "", &error),
                     LF_TOO_MANY_MEMBERS);
    assert_int_equal(lf_json_check_lead_size(many("{\"a\":[", "", 10000, "", "]}"), "", &error), LF_OK);
    assert_int_equal(lf_json_check_lead_size(many("{\"a\":[", "", 10001, "", "]}"), "", &error), LF_TOO_MANY_MEMBERS);
    assert_int_equal(lf_json_check_lead_size(many("{\"a\":[[],", "", 10000, "", "]}"), "/x", &error),
                     LF_TOO_MANY_MEMBERS);
}

/* ---- building ---- */

static void
test_building(void **state)
{
    struct lf_json *root = NULL, *company = NULL;
    struct lf_buf buf;

    (void)state;
    lf_arena_reset(arena);
    root = lf_json_new_object(arena);
    assert_int_equal(lf_json_kind(root), LF_JSON_OBJECT);
    assert_int_equal(lf_json_count(root), 0);
    assert_true(lf_json_add_text(arena, root, "id", "7", 1));
    company = lf_json_add_object(arena, root, "company");
    assert_non_null(company);
    assert_true(lf_json_add_text(arena, root, "nul", "a\0b", 3));
    assert_true(lf_json_add_text(arena, company, "name", "Muster & S\xC3\xB6hne", 15));
    assert_true(lf_json_add_text(arena, company, "city", "", 0));
    assert_true(lf_json_add_text(arena, company, "country", "DEU and more", 2));

    assert_int_equal(lf_json_count(root), 3);
    assert_text(lf_json_member(root, "id"), "7", 1);
    assert_text(lf_json_member(root, "nul"), "a\0b", 3);
    assert_text(lf_json_member(lf_json_member(root, "company"), "country"), "DE", 2);
    lf_buf_init(&buf, arena, 1000);
    lf_json_put_tree(&buf, root);
    assert_string_equal(lf_buf_terminate(&buf),
                        "{\"id\":\"7\",\"company\":{\"name\":\"Muster & S\xC3\xB6hne\",\"city\":"
                        "\"\",\"country\":\"DE\"},\"nul\":\"a\\u0000b\"}");
}

/* A tree of pieces of another one: shared, and a copy by itself of what is put in. */
static void
test_building_from_another(void **state)
{
    const struct lf_json *other = NULL, *list = NULL;
    struct lf_json *root = NULL, *array = NULL, *text = NULL;
    struct lf_buf buf;

    (void)state;
    lf_arena_reset(arena);
    other = parse("{\"a\":{\"x\":[1,\"\\u0000\"]},\"b\":12345678901234567,\"list\":[{\"y\":true},null,\"z\"]}");
    list = lf_json_member(other, "list");
    root = lf_json_new_object(arena);
    array = lf_json_new_array(arena);
    assert_int_equal(lf_json_kind(array), LF_JSON_ARRAY);
    assert_int_equal(lf_json_count(array), 0);
    assert_true(lf_json_add_shared(arena, root, "first", lf_json_member(other, "a")));
    assert_true(lf_json_add_shared(arena, root, "second", lf_json_member(other, "b")));
    assert_true(lf_json_add_shared(arena, root, "third", lf_json_member(other, "a")));
    assert_true(lf_json_append_shared(arena, array, at(list, 2)));
    assert_true(lf_json_append_shared(arena, array, lf_json_member(other, "b"))); /* a member becomes an element */
    assert_true(lf_json_append_shared(arena, array, list));
    text = lf_json_new_text(arena, "a\0b and more", 3);
    assert_text(text, "a\0b", 3);
    assert_true(lf_json_append_shared(arena, array, text));
    assert_true(lf_json_add_shared(arena, root, "array", array));
    assert_null(lf_json_name(at(array, 1)));
    assert_ptr_equal(lf_json_first(lf_json_member(root, "first")), lf_json_first(lf_json_member(other, "a")));
    lf_buf_init(&buf, arena, 1000);
    lf_json_put_tree(&buf, root);
    assert_string_equal(lf_buf_terminate(&buf),
                        "{\"first\":{\"x\":[1,\"\\u0000\"]},\"second\":12345678901234567,\"third\":{\"x\":[1,"
                        "\"\\u0000\"]},\"array\":[\"z\",12345678901234567,[{\"y\":true},null,\"z\"],\"a\\u0000b\"]}");
    lf_buf_init(&buf, arena, 1000);
    lf_json_put_tree(&buf, other); /* which is as it was */
    assert_string_equal(lf_buf_terminate(&buf), "{\"a\":{\"x\":[1,\"\\u0000\"]},\"b\":12345678901234567,\"list\":[{"
                                                "\"y\":true},null,\"z\"]}");
}

/* A lead that is built can be deeper than any that is read. */
static void
test_depth_of_what_is_built(void **state)
{
    struct lf_json *root = NULL, *inner = NULL;
    struct lf_error error = {.status = LF_OK};

    (void)state;
    lf_arena_reset(arena);
    root = inner = lf_json_new_object(arena);
    for (int i = 1; i < 64; i++)
        inner = lf_json_add_object(arena, inner, "a");
    assert_true(lf_json_add_text(arena, inner, "b", "x", 1));
    assert_int_equal(lf_json_check_lead_size(root, "/lead", &error), LF_OK);
    assert_non_null(lf_json_add_object(arena, inner, "c"));
    assert_int_equal(lf_json_check_lead_size(root, "/lead", &error), LF_TOO_DEEP);
    assert_string_equal(error.pointer, "/lead");
}

static void
test_building_without_memory(void **state)
{
    (void)state;
    for (size_t room = 16; room < 1024; room += 16) {
        struct lf_arena *small = lf_arena_create(16, room);
        struct lf_json *root = lf_json_new_object(small), *inner = NULL;

        if (root != NULL) {
            inner = lf_json_add_object(small, root, "inner");
            if (inner != NULL && lf_json_add_text(small, inner, "a", "some text", 9))
                assert_int_equal(lf_json_count(inner), 1);
            assert_int_equal(lf_json_count(root), inner != NULL);
        }
        lf_arena_destroy(small);
    }
}

/* ---- threads ---- */

static void *
parse_often(void *parameter)
{
    struct lf_arena *own = lf_arena_create(1 << 12, 1 << 20);
    int *right = parameter;

    for (int i = 0; own != NULL && i < 2000; i++) {
        const struct lf_json *root = NULL;
        struct lf_error error;
        char text[128];

        lf_arena_reset(own);
        (void)snprintf(text, sizeof text, "{\"a\":[%d,\"t%d\\u0000\",12345678901234567%d],\"b\":%s}", i, i, i % 10,
                       i % 50 == 0 ? "x" : "{}");
        if ((lf_json_parse(own, text, strlen(text), &LF_JSON_LEAD_LIMITS, &root, &error) == LF_OK) != (i % 50 != 0))
            continue;
        *right += root == NULL || lf_json_number(lf_json_first(lf_json_member(root, "a"))) == i;
    }
    lf_arena_destroy(own);
    return NULL;
}

static void
test_threads(void **state)
{
    pthread_t threads[4];
    int right[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, &right[i]), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(right[i], 2000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_mended_values_are_the_right_ones),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_failed_parse_writes_nothing),
        cmocka_unit_test(test_lead_size),
        cmocka_unit_test(test_building),
        cmocka_unit_test(test_building_from_another),
        cmocka_unit_test(test_depth_of_what_is_built),
        cmocka_unit_test(test_building_without_memory),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
