/*
 * test_json_hostile.c - the JSON door against bodies that mean harm: at its limits, beyond them, with names made to
 * collide, without memory, with bytes changed at random.
 *
 * What the grammar takes is test_json_door.c's.
 */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct lf_arena *arena;

static int
set_up(void **state)
{
    (void)state;
    lf_json_setup();
    arena = lf_arena_create(1 << 16, 256u << 20);
    return arena != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    lf_arena_destroy(arena);
    return 0;
}

/* What came in goes out, comes in again and goes out the same: by tree and canonical. */
static void
assert_survives(const char *text, size_t len)
{
    const struct lf_json *first = NULL, *second = NULL;
    struct lf_error error;
    struct lf_buf one, two, three;

    lf_buf_init(&one, arena, 64u << 20);
    lf_buf_init(&two, arena, 64u << 20);
    lf_buf_init(&three, arena, 64u << 20);
    assert_int_equal(lf_json_parse(arena, text, len, &LF_JSON_DOCUMENT_LIMITS, &first, &error), LF_OK);
    lf_json_put_tree(&one, first);
    assert_int_equal(lf_json_parse(arena, one.data, one.len, &LF_JSON_DOCUMENT_LIMITS, &second, &error), LF_OK);
    lf_json_put_tree(&two, second);
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);

    one.len = two.len = 0;
    assert_true(lf_json_put_canonical(&one, arena, first));
    assert_true(lf_json_put_canonical(&two, arena, second));
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    assert_int_equal(lf_json_parse(arena, one.data, one.len, &LF_JSON_DOCUMENT_LIMITS, &second, &error), LF_OK);
    assert_true(lf_json_put_canonical(&three, arena, second));
    assert_int_equal(one.len, three.len);
    assert_memory_equal(one.data, three.data, one.len);
    assert_false(lf_buf_failed(&one) || lf_buf_failed(&two) || lf_buf_failed(&three));
}

/* The text at the very end of its own allocation, so that a read beyond it is seen. */
static char *
copy_exactly(const char *text, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

/* ---- limits ---- */

/* A text in the arena: `before`, `count` times `piece` with `between` between them, `after`. */
static char *
repeat(const char *before, const char *piece, const char *between, size_t count, const char *after, size_t *ret_len)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 128u << 20);
    lf_buf_text(&buf, before);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            lf_buf_text(&buf, between);
        lf_buf_text(&buf, piece);
    }
    lf_buf_text(&buf, after);
    assert_false(lf_buf_failed(&buf));
    *ret_len = buf.len;
    return buf.data;
}

static void
assert_checks(const char *text, size_t len, const struct lf_json_limits *limits, enum lf_status status, int64_t offset)
{
    struct lf_error error = {.offset = 0};
    enum lf_status got = lf_json_check(arena, text, len, limits, &error);

    if (got != status)
        fail_msg("%s instead of %s: %.60s", lf_status_word(got), lf_status_word(status), text);
    if (status != LF_OK)
        assert_int_equal(error.offset, offset);
}

static void
test_limits(void **state)
{
    static const struct lf_json_limits SMALL = {
        .bytes = 40, .depth = 2, .members = 3, .elements = 4, .number_chars = 5};
    static const struct {
        const char *why, *text;
        enum lf_status status;
        int64_t offset;
        const char *pointer;
    } ROWS[] = {
        {"40 bytes", "\"12345678901234567890123456789012345678\"", LF_OK, -1, ""},
        {"41 bytes", "\"123456789012345678901234567890123456789\"", LF_BODY_TOO_LARGE, -1, ""},
        {"depth 2", "[[1]]", LF_OK, -1, ""},
        {"depth 3", "[0,[[1]]]", LF_TOO_DEEP, 4, "/1/0"},
        {"depth 3, object", "{\"a\":{\"b\":{}}}", LF_TOO_DEEP, 10, "/a/b"},
        {"depth 2 again and again", "[[1],[2]]", LF_OK, -1, ""},
        {"three members", "{\"a\":1,\"b\":{\"c\":1}}", LF_OK, -1, ""},
        {"four members", "{\"a\":1,\"b\":{\"c\":1,\"d\":1}}", LF_TOO_MANY_MEMBERS, 18, "/b/d"},
        {"four elements", "[1,2,[3]]", LF_OK, -1, ""},
        {"five elements", "[1,2,[3, 4]]", LF_TOO_MANY_MEMBERS, 9, "/2/1"},
        {"empty arrays have no elements", "{\"a\":[],\"b\":[ ],\"c\":[1,2,3,4]}", LF_OK, -1, ""},
        {"number of five characters", "-1234", LF_OK, -1, ""},
        {"number of six characters", "-12345", LF_NUMBER_OUT_OF_RANGE, 0, ""},
        {"number with a fraction of six characters", "[1.2345]", LF_NUMBER_OUT_OF_RANGE, 1, "/0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct lf_error error = {.offset = -1};
        enum lf_status status = lf_json_check(arena, ROWS[i].text, strlen(ROWS[i].text), &SMALL, &error);

        if (status != ROWS[i].status || error.offset != ROWS[i].offset || strcmp(error.pointer, ROWS[i].pointer) != 0)
            fail_msg("%s: %s at %d %s", ROWS[i].why, lf_status_word(status), (int)error.offset, error.pointer);
    }
}

static void
test_lead_limits(void **state)
{
    size_t len = 0;
    char *text = NULL;

    (void)state;
    text = repeat("", "[", "", 64, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_INVALID_JSON, 64);
    text = repeat("", "[", "", 65, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_TOO_DEEP, 64);
    text = repeat("[", "0", ",", 10000, "]", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_OK, 0);
    text = repeat("[", "0", ",", 10001, "]", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_TOO_MANY_MEMBERS, 20001);
    text = repeat("[", "{\"a\":0}", ",", 500, "]", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_OK, 0);
    text = repeat("[", "{\"a\":0}", ",", 501, "]", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_TOO_MANY_MEMBERS, 4002);
    text = repeat("0.", "1", "", 998, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_OK, 0);
    text = repeat("[0.", "1", "", 999, "]", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_NUMBER_OUT_OF_RANGE, 1);
    text = repeat("", "9", "", 308, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_OK, 0);
    text = repeat("", "1", "", 309, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_OK, 0);
    text = repeat("", "9", "", 309, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_NUMBER_OUT_OF_RANGE, 0);
    text = repeat("\"", "x", "", (1 << 20) - 2, "\"", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_OK, 0);
    text = repeat("\"", "x", "", (1 << 20) - 1, "\"", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_BODY_TOO_LARGE, -1);
}

/* ---- bodies that mean harm ---- */

/* Limits that leave the door alone with the body. */
static const struct lf_json_limits WIDE = {
    .bytes = 64u << 20, .depth = 1000000, .members = 10000000, .elements = 10000000, .number_chars = 10000000};

static double
seconds(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
test_hostile_shapes(void **state)
{
    size_t len = 0;
    char *text = NULL;

    (void)state;
    lf_arena_reset(arena);
    text = repeat("", "[", "", 1 << 20, "", &len);
    assert_checks(text, len, &LF_JSON_LEAD_LIMITS, LF_TOO_DEEP, 64);
    assert_checks(text, len, &WIDE, LF_TOO_DEEP, 128); /* what the frames have room for */
    text = repeat("", "{\"a\":", "", 200000, "", &len);
    assert_checks(text, len, &WIDE, LF_TOO_DEEP, 640);
    text = repeat("[", "0", ",", 500000, "", &len);
    assert_checks(text, len, &WIDE, LF_INVALID_JSON, 1000000);
    text = repeat("", "1", "", 1000000, "", &len);
    assert_checks(text, len, &WIDE, LF_NUMBER_OUT_OF_RANGE, 0);
    text = repeat("1e", "9", "", 1000000, "", &len);
    assert_checks(text, len, &WIDE, LF_NUMBER_OUT_OF_RANGE, 0);
    text = repeat("[\"", "\\u0000", "", 170000, "\"]", &len);
    assert_checks(text, len, &WIDE, LF_OK, 0);
    text = repeat("[", "\"\\u0000\"", ",", 100000, "]", &len);
    assert_checks(text, len, &WIDE, LF_OK, 0);
    text = repeat("{\"", "x", "", 900000, "\":1,\"a\":x}", &len);
    assert_checks(text, len, &WIDE, LF_INVALID_JSON, 900010);
}

/* An object of `count` members whose names `format` makes of a number; the last one repeats the first where asked. */
static char *
many_members(const char *format, unsigned count, bool repeated, size_t *ret_len)
{
    struct lf_buf buf;
    char name[256];

    lf_buf_init(&buf, arena, 128u << 20);
    lf_buf_lit(&buf, "{");
    for (unsigned i = 0; i < count; i++) {
        unsigned number = repeated && i == count - 1 ? 0 : i;

        (void)snprintf(name, sizeof name, "%s\"%s%06u%s\":0", i > 0 ? "," : "", format, number, format);
        lf_buf_text(&buf, name);
    }
    lf_buf_lit(&buf, "}");
    assert_false(lf_buf_failed(&buf));
    *ret_len = buf.len;
    return buf.data;
}

/* Four times as many members may not take sixteen times as long: names that share both ends, on which the cheap
 * print of small objects looks, and many small and large objects in one text. */
static void
test_hostile_names(void **state)
{
    static const char *const FORMATS[] = {"", "abcdefgh", "abcdefghabcdefghabcdefghabcdefghabcdefghabcdefgh"};
    struct lf_error error;
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++) {
        double taken[2] = {0};

        for (size_t round = 0; round < 2; round++) {
            char *text = NULL;
            double began = 0;

            lf_arena_reset(arena);
            text = many_members(FORMATS[i], round == 0 ? 25000 : 100000, false, &len);
            began = seconds();
            assert_int_equal(lf_json_check(arena, text, len, &WIDE, &error), LF_OK);
            taken[round] = seconds() - began;
        }
        if (taken[1] > 0.25 && taken[1] > 12 * taken[0])
            fail_msg("four times the members took %.3f s instead of %.3f s", taken[1], taken[0]);

        lf_arena_reset(arena);
        assert_int_equal(lf_json_check(arena, many_members(FORMATS[i], 100000, true, &len), len, &WIDE, &error),
                         LF_INVALID_JSON);
        assert_non_null(strstr(error.detail, "twice"));
        assert_non_null(strstr(error.pointer, "000000"));
    }
}

/* The outer objects' names must still be known when large objects come and go inside. */
static void
test_names_of_nested_objects(void **state)
{
    struct lf_buf buf;
    struct lf_error error;

    (void)state;
    lf_arena_reset(arena);
    lf_buf_init(&buf, arena, 1 << 20);
    for (int depth = 0; depth < 100; depth++) {
        lf_buf_lit(&buf, "{");
        for (int i = 0; i < (depth % 3 == 0 ? 40 : 15); i++)
            lf_buf_printf(&buf, "\"n%d\":{\"n1\":0,\"n2\":0},", i);
        lf_buf_lit(&buf, "\"inner\":");
    }
    lf_buf_lit(&buf, "0");
    for (int depth = 99; depth >= 0; depth--) {
        size_t len = buf.len;

        /* any name of this level again, behind all that lay inside */
        lf_buf_printf(&buf, ",\"n14\":1");
        assert_int_equal(lf_json_check(arena, buf.data, buf.len, &WIDE, &error), LF_INVALID_JSON);
        assert_int_equal(error.offset, len + 1);
        buf.len = len;
        lf_buf_printf(&buf, ",\"n40\":1}");
    }
    assert_int_equal(lf_json_check(arena, buf.data, buf.len, &WIDE, &error), LF_OK);
}

/* Every place where memory can run out must say so and nothing else. */
static void
test_out_of_memory(void **state)
{
    struct lf_error error;
    size_t len = 0, failures = 0;
    const char *text = NULL;
    char *big = NULL;

    (void)state;
    lf_arena_reset(arena);
    big = many_members("\\u0061", 60, false, &len);
    big[len - 1] = ',';
    text = lf_arena_printf(arena, "%.*s\"t\":\"a\\u0000b\",\"n\":[12345678901234567890,0.%080d]}", (int)len, big, 1);
    len = strlen(text);
    for (size_t room = 16;; room += 16) {
        struct lf_arena *small = lf_arena_create(16, room);
        const struct lf_json *root = NULL;
        enum lf_status status = LF_OK;

        assert_non_null(small);
        status = lf_json_parse(small, text, len, &LF_JSON_LEAD_LIMITS, &root, &error);
        if (status == LF_OK) {
            assert_int_equal(lf_json_count(root), 62);
            lf_arena_destroy(small);
            break;
        }
        assert_int_equal(status, LF_OUT_OF_MEMORY);
        assert_int_equal(error.status, LF_OUT_OF_MEMORY);
        assert_null(root);
        failures++;
        lf_arena_destroy(small);
    }
    assert_true(failures > 100);
}

/* ---- random texts ---- */

static uint64_t random_state = 88172645463325252u;

static unsigned
random_below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % limit;
}

static void
put_random_value(struct lf_buf *buf, int depth)
{
    static const char *const SCALARS[] = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-0",
                                          "1.5",
                                          "-12e3",
                                          "1E-7",
                                          "\"\"",
                                          "\"a\"",
                                          "\"\\n\"",
                                          "\"\\u0000x\"",
                                          "1e300",
                                          "\"\\/\"",
                                          "123",
                                          "\"\xC3\xA4\"",
                                          "9007199254740993",
                                          "0.1"};
    unsigned kind = random_below(depth > 0 ? 4 : 2), count = random_below(6);

    if (kind < 2) {
        lf_buf_text(buf, SCALARS[random_below(sizeof SCALARS / sizeof SCALARS[0])]);
        return;
    }
    lf_buf_char(buf, kind == 2 ? '[' : '{');
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            lf_buf_lit(buf, ", ");
        if (kind == 3)
            lf_buf_printf(buf, "\"%c%u\": ", (int)('a' + random_below(26)), i);
        put_random_value(buf, depth - 1);
    }
    lf_buf_char(buf, kind == 2 ? ']' : '}');
}

/* Valid texts survive; texts with one byte changed are either refused or survive as well. */
static void
test_random_texts(void **state)
{
    static const char BYTES[] = "{}[]\",:\\u0d8-+.eE1tfn \n\x01\x80\xC3\xA4\xED\xF0";

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct lf_buf buf;
        struct lf_error error = {.offset = -1};

        lf_arena_reset(arena);
        lf_buf_init(&buf, arena, 1 << 20);
        put_random_value(&buf, 5);
        assert_survives(buf.data, buf.len);
        for (int change = 0; change < 8; change++) {
            size_t at = random_below((unsigned)buf.len);
            char before = buf.data[at];

            buf.data[at] = BYTES[random_below(sizeof BYTES - 1)];
            if (lf_json_check(arena, buf.data, buf.len, &LF_JSON_DOCUMENT_LIMITS, &error) == LF_OK)
                assert_survives(buf.data, buf.len);
            else
                assert_in_range(error.offset, 0, buf.len);
            buf.data[at] = before;
        }
    }
}

/* Every beginning of a text is refused at its end (or is a number that could be whole), never read beyond. */
static void
test_cut_texts(void **state)
{
    static const char WHOLE[] = "{\"a\":[1.5e+3,\"\\u00e4\\n\xE2\x82\xAC\\ud83d\\ude00\",true,null,{\"b\":false}]}";
    struct lf_error error;

    (void)state;
    for (size_t len = 0; len < sizeof WHOLE - 1; len++) {
        char *copy = copy_exactly(WHOLE, len);

        assert_int_equal(lf_json_check(arena, copy, len, &LF_JSON_LEAD_LIMITS, &error), LF_INVALID_JSON);
        assert_in_range(error.offset, len < 12 ? len : len - 11,
                        len); /* a cut character or pair is told at its start */
        free(copy);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_lead_limits),
        cmocka_unit_test(test_hostile_shapes),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_names_of_nested_objects),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_cut_texts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
