/*
 * test_json_door.c - what the JSON door lets in, what it refuses, and at which byte.
 *
 * The rows follow the names of JSONTestSuite where it has the case (y: RFC 8259 says yes, n: no) and add what the
 * door refuses beyond the grammar. What it lets in must also come through cJSON, and be written and read again
 * without a change.
 */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(literal) literal, sizeof(literal) - 1

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

/* ---- accepted ---- */

struct accepted {
    const char *why, *text;
    size_t len;
};

static const struct accepted ACCEPTED[] = {
    {"an empty array", TEXT("[]")},
    {"an empty object", TEXT("{}")},
    {"arrays with spaces", TEXT("[[]   ]")},
    {"empty string in an array", TEXT("[\"\"]")},
    {"array ending with a newline", TEXT("[\"a\"]\n")},
    {"false", TEXT("[false]")},
    {"different kinds", TEXT("[null, 1, \"1\", {}]")},
    {"null", TEXT("[null]")},
    {"one and a newline", TEXT("[1\n]")},
    {"leading space", TEXT(" [1]")},
    {"several nulls", TEXT("[1,null,null,null,2]")},
    {"trailing space", TEXT("[2] ")},
    {"all four kinds of white space", TEXT(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n")},
    {"number: exponent after zero", TEXT("[0e+1]")},
    {"number: zero exponent", TEXT("[0e1]")},
    {"number: space after", TEXT("[ 4]")},
    {"number: close to zero", TEXT("[-0.000000000000000000000000000000000000000000000000000000000000000000001]")},
    {"number: integer with exponent", TEXT("[20e1]")},
    {"number: minus zero", TEXT("[-0]")},
    {"number: negative", TEXT("[-123]")},
    {"number: negative one", TEXT("[-1]")},
    {"number: capital E", TEXT("[1E22]")},
    {"number: E minus", TEXT("[1E-2]")},
    {"number: E plus", TEXT("[1E+2]")},
    {"number: fraction and exponent", TEXT("[123.456e78]")},
    {"number: simple", TEXT("[123]")},
    {"number: real", TEXT("[123.456789]")},
    {"number: many leading fraction zeros", TEXT("[0.00000000000000000000000000000000000001]")},
    {"number: exponent with leading zeros", TEXT("[1e0001]")},
    {"number: largest double", TEXT("[1.7976931348623157e308]")},
    {"number: largest double, negative", TEXT("[-1.7976931348623157e308]")},
    {"number: rounds down to the largest double", TEXT("[1.7976931348623158e308]")},
    {"number: 10^308", TEXT("[1e308]")},
    {"number: smallest double", TEXT("[5e-324]")},
    {"number: underflow is zero, not an error", TEXT("[1e-400]")},
    {"number: underflow far below", TEXT("[1e-99999999999999999999]")},
    {"number: zero with a huge exponent", TEXT("[0e99999999999999999999]")},
    {"number: zero with fraction and a huge exponent", TEXT("[-0.000e400]")},
    {"number: large exponent made up for by leading zeros", TEXT("[0.0000000000000000000000000000000000001e330]")},
    {"number: more digits than a double keeps", TEXT("[12345678901234567890]")},
    {"number: longer than cJSON's buffer of 63",
     TEXT("[1234567890123456789012345678901234567890123456789012345678901234567890]")},
    {"number: fraction longer than cJSON's buffer",
     TEXT("[0.1234567890123456789012345678901234567890123456789012345678901234567890, 2]")},
    {"number: exactly 63 characters", TEXT("[123456789012345678901234567890123456789012345678901234567890123,1]")},
    {"number: exactly 64 characters", TEXT("[1234567890123456789012345678901234567890123456789012345678901234,1]")},
    {"object: basic", TEXT("{\"asd\":\"sdf\"}")},
    {"object: two members", TEXT("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}")},
    {"object: empty name", TEXT("{\"\":0}")},
    {"object: same name in different objects", TEXT("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}")},
    {"object: names that differ in case", TEXT("{\"a\":1,\"A\":2}")},
    {"object: names that differ in a normal form", TEXT("{\"\xC3\xA9\":1,\"e\xCC\x81\":2}")},
    {"object: a name that is a beginning of another", TEXT("{\"a\":1,\"ab\":2,\"abc\":3}")},
    {"object: names with the same ends and length", TEXT("{\"aaaaaaaa1bbbbbbbb\":1,\"aaaaaaaa2bbbbbbbb\":2}")},
    {"object: three-byte names with the same ends", TEXT("{\"aXb\":1,\"aYb\":2}")},
    {"object: long strings",
     TEXT("{\"min\": -1.0e+28, \"max\": 1.0e+28, \"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]}")},
    {"object: with newlines", TEXT("{\n\"a\": \"b\"\n}")},
    {"object: 17 names",
     TEXT("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,"
          "\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":{\"a\":1,\"q\":2}}")},
    {"string: unicode escapes of one, two, three bytes", TEXT("[\"\\u0060\\u012a\\u12AB\"]")},
    {"string: surrogate pair", TEXT("[\"\\uD801\\udc37\"]")},
    {"string: two surrogate pairs", TEXT("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]")},
    {"string: all simple escapes", TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]")},
    {"string: backslash and u are no escape after a backslash", TEXT("[\"\\\\u0000\"]")},
    {"string: escaped quote", TEXT("[\"\\\"\"]")},
    {"string: comments inside", TEXT("[\"a/*b*/c/*d//e\"]")},
    {"string: U+0000 escaped", TEXT("[\"\\u0000\"]")},
    {"string: U+0000 in the middle", TEXT("[\"a\\u0000b\", \"c\"]")},
    {"string: U+0012 escaped", TEXT("[\"\\u0012\"]")},
    {"string: U+FFFF escaped", TEXT("[\"\\uFFFF\"]")},
    {"string: U+10FFFF escaped", TEXT("[\"\\uDBFF\\uDFFF\"]")},
    {"string: U+10FFFF in bytes", TEXT("[\"\xF4\x8F\xBF\xBF\"]")},
    {"string: U+FFFF in bytes", TEXT("[\"\xEF\xBF\xBF\"]")},
    {"string: U+D7FF and U+E000 around the surrogates", TEXT("[\"\xED\x9F\xBF\xEE\x80\x80\"]")},
    {"string: least of each length", TEXT("[\"\xC2\x80\xE0\xA0\x80\xF0\x90\x80\x80\"]")},
    {"string: a byte order mark inside", TEXT("[\"\xEF\xBB\xBF\"]")},
    {"string: DEL", TEXT("[\"\x7F\"]")},
    {"string: U+2028 and U+2029", TEXT("[\"\xE2\x80\xA8\xE2\x80\xA9\"]")},
    {"string: a space", TEXT("\" \"")},
    {"string: seven, eight and nine plain bytes", TEXT("[\"1234567\",\"12345678\",\"123456789\"]")},
    {"string: eight bytes of two-byte characters", TEXT("[\"\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F\",\"x\"]")},
    {"scalar: string", TEXT("\"asd\"")},
    {"scalar: false", TEXT("false")},
    {"scalar: number", TEXT("42")},
    {"scalar: negative real", TEXT("-0.1")},
    {"scalar: null", TEXT("null")},
    {"scalar: true", TEXT("true")},
    {"scalar: empty string", TEXT("\"\"")},
    {"scalar: with white space around", TEXT("\n 7 \n")},
    {"nested and empty", TEXT("[[[[[[]]]],{}],{\"a\":{}},[{}]]")},
    {"a lead",
     TEXT("{\"id\":\"7\",\"company\":{\"name\":\"M\xC3\xBCller\",\"employees\":860},\"tags\":[\"a\",\"b\"]}")},
};

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

static void
test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ACCEPTED / sizeof ACCEPTED[0]; i++) {
        const struct accepted *row = &ACCEPTED[i];
        char *copy = copy_exactly(row->text, row->len);
        struct lf_error error = {0};

        lf_arena_reset(arena);
        if (lf_json_check(arena, copy, row->len, &LF_JSON_LEAD_LIMITS, &error) != LF_OK)
            fail_msg("%s: refused: %s", row->why, error.detail);
        assert_survives(row->text, row->len);
        free(copy);
    }
}

/* ---- refused ---- */

struct refused {
    const char *why, *text;
    size_t len;
    enum lf_status status;
    int64_t offset;
    const char *pointer;
};

static const struct refused REFUSED[] = {
    {"nothing", TEXT(""), LF_INVALID_JSON, 0, ""},
    {"white space alone", TEXT(" \n"), LF_INVALID_JSON, 2, ""},
    {"array: 1 true", TEXT("[1 true]"), LF_INVALID_JSON, 3, ""},
    {"array: invalid UTF-8 as a value", TEXT("[a\xE5]"), LF_INVALID_JSON, 1, "/0"},
    {"array: colon", TEXT("[\"\": 1]"), LF_INVALID_JSON, 3, ""},
    {"array: comma after close", TEXT("[\"\"],"), LF_INVALID_JSON, 4, ""},
    {"array: comma and number", TEXT("[,1]"), LF_INVALID_JSON, 1, "/0"},
    {"array: double comma", TEXT("[1,,2]"), LF_INVALID_JSON, 3, "/1"},
    {"array: extra close", TEXT("[\"x\"]]"), LF_INVALID_JSON, 5, ""},
    {"array: extra comma", TEXT("[\"\",]"), LF_INVALID_JSON, 4, "/1"},
    {"array: incomplete", TEXT("[\"x\""), LF_INVALID_JSON, 4, ""},
    {"array: just a comma", TEXT("[,]"), LF_INVALID_JSON, 1, "/0"},
    {"array: just a minus", TEXT("[-]"), LF_INVALID_JSON, 2, "/0"},
    {"array: missing value", TEXT("[   , \"\"]"), LF_INVALID_JSON, 4, "/0"},
    {"array: items without comma", TEXT("[3[4]]"), LF_INVALID_JSON, 2, ""},
    {"array: vertical tab", TEXT("[\"\va\"\\f]"), LF_INVALID_JSON, 2, "/0"},
    {"array: star inside", TEXT("[*]"), LF_INVALID_JSON, 1, "/0"},
    {"array: unclosed with newlines", TEXT("[\"a\",\n4\n,1,"), LF_INVALID_JSON, 11, "/3"},
    {"array: unclosed", TEXT("[1"), LF_INVALID_JSON, 2, ""},
    {"array: open bracket alone", TEXT("["), LF_INVALID_JSON, 1, "/0"},
    {"array: closed by a brace", TEXT("[1}"), LF_INVALID_JSON, 2, ""},
    {"array: close without open", TEXT("1]"), LF_INVALID_JSON, 1, ""},
    {"array: brace instead of value", TEXT("[}"), LF_INVALID_JSON, 1, "/0"},
    {"array: invalid in the second element", TEXT("[[1],[2,x]]"), LF_INVALID_JSON, 8, "/1/1"},
    {"literal: fals", TEXT("[fals]"), LF_INVALID_JSON, 5, "/0"},
    {"literal: nul", TEXT("[nul]"), LF_INVALID_JSON, 4, "/0"},
    {"literal: tru", TEXT("[tru]"), LF_INVALID_JSON, 4, "/0"},
    {"literal: True", TEXT("[True]"), LF_INVALID_JSON, 1, "/0"},
    {"literal: truth", TEXT("[truth]"), LF_INVALID_JSON, 4, "/0"},
    {"literal: trues", TEXT("[trues]"), LF_INVALID_JSON, 5, ""},
    {"literal: nu at the end of the text", TEXT("nu"), LF_INVALID_JSON, 2, ""},
    {"literal: two at the top", TEXT("nullnull"), LF_INVALID_JSON, 4, ""},
    {"literal: undefined", TEXT("undefined"), LF_INVALID_JSON, 0, ""},
    {"literal: full-width digit", TEXT("[\xEF\xBC\x91]"), LF_INVALID_JSON, 1, "/0"},
    {"number: ++", TEXT("[++1234]"), LF_INVALID_JSON, 1, "/0"},
    {"number: +1", TEXT("[+1]"), LF_INVALID_JSON, 1, "/0"},
    {"number: +Inf", TEXT("[+Inf]"), LF_INVALID_JSON, 1, "/0"},
    {"number: -01", TEXT("[-01]"), LF_INVALID_JSON, 3, "/0"},
    {"number: -1.0.", TEXT("[-1.0.]"), LF_INVALID_JSON, 5, ""},
    {"number: -2.", TEXT("[-2.]"), LF_INVALID_JSON, 4, "/0"},
    {"number: -NaN", TEXT("[-NaN]"), LF_INVALID_JSON, 2, "/0"},
    {"number: .-1", TEXT("[.-1]"), LF_INVALID_JSON, 1, "/0"},
    {"number: .2e-3", TEXT("[.2e-3]"), LF_INVALID_JSON, 1, "/0"},
    {"number: 0.1.2", TEXT("[0.1.2]"), LF_INVALID_JSON, 4, ""},
    {"number: 0.3e+", TEXT("[0.3e+]"), LF_INVALID_JSON, 6, "/0"},
    {"number: 0.3e", TEXT("[0.3e]"), LF_INVALID_JSON, 5, "/0"},
    {"number: 0.e1", TEXT("[0.e1]"), LF_INVALID_JSON, 3, "/0"},
    {"number: 0E+", TEXT("[0E+]"), LF_INVALID_JSON, 4, "/0"},
    {"number: 0E", TEXT("[0E]"), LF_INVALID_JSON, 3, "/0"},
    {"number: 0e+-1", TEXT("[0e+-1]"), LF_INVALID_JSON, 4, "/0"},
    {"number: 1.0e-", TEXT("[1.0e-]"), LF_INVALID_JSON, 6, "/0"},
    {"number: 1 000", TEXT("[1 000.0]"), LF_INVALID_JSON, 3, ""},
    {"number: 1,000 with leading zeros", TEXT("[1,000]"), LF_INVALID_JSON, 4, "/1"},
    {"number: 1eE2", TEXT("[1eE2]"), LF_INVALID_JSON, 3, "/0"},
    {"number: 2.e3", TEXT("[2.e3]"), LF_INVALID_JSON, 3, "/0"},
    {"number: 9.e+", TEXT("[9.e+]"), LF_INVALID_JSON, 3, "/0"},
    {"number: Inf", TEXT("[Inf]"), LF_INVALID_JSON, 1, "/0"},
    {"number: NaN", TEXT("[NaN]"), LF_INVALID_JSON, 1, "/0"},
    {"number: expression", TEXT("[1+2]"), LF_INVALID_JSON, 2, ""},
    {"number: hex, one digit", TEXT("[0x1]"), LF_INVALID_JSON, 2, ""},
    {"number: minus with space", TEXT("[- 1]"), LF_INVALID_JSON, 2, "/0"},
    {"number: minus infinity", TEXT("[-Infinity]"), LF_INVALID_JSON, 2, "/0"},
    {"number: leading zero", TEXT("[012]"), LF_INVALID_JSON, 2, "/0"},
    {"number: zeros", TEXT("00"), LF_INVALID_JSON, 1, ""},
    {"number: ends in garbage", TEXT("[1a]"), LF_INVALID_JSON, 2, ""},
    {"number: invalid UTF-8 behind", TEXT("[123\xE5]"), LF_INVALID_JSON, 4, ""},
    {"number: point at the end of the text", TEXT("1."), LF_INVALID_JSON, 2, ""},
    {"number: minus at the end of the text", TEXT("-"), LF_INVALID_JSON, 1, ""},
    {"number: decimal comma", TEXT("{\"a\":1,5}"), LF_INVALID_JSON, 7, ""},
    {"number: 1e400", TEXT("[1e400]"), LF_NUMBER_OUT_OF_RANGE, 1, "/0"},
    {"number: -1e400", TEXT("{\"a\":[2,-1e400]}"), LF_NUMBER_OUT_OF_RANGE, 8, "/a/1"},
    {"number: 1e309", TEXT("1e309"), LF_NUMBER_OUT_OF_RANGE, 0, ""},
    {"number: just beyond the largest double", TEXT("[1.7976931348623159e308]"), LF_NUMBER_OUT_OF_RANGE, 1, "/0"},
    {"number: an exponent beyond counting", TEXT("[1e99999999999999999999]"), LF_NUMBER_OUT_OF_RANGE, 1, "/0"},
    {"number: 0.001e312", TEXT("[0.001e312]"), LF_NUMBER_OUT_OF_RANGE, 1, "/0"},
    {"object: bad value", TEXT("[\"x\", truth]"), LF_INVALID_JSON, 9, "/1"},
    {"object: bracket as name", TEXT("{[: \"x\"}"), LF_INVALID_JSON, 1, ""},
    {"object: comma instead of colon", TEXT("{\"x\", null}"), LF_INVALID_JSON, 4, "/x"},
    {"object: double colon", TEXT("{\"x\"::\"b\"}"), LF_INVALID_JSON, 5, "/x"},
    {"object: garbage at the end", TEXT("{\"a\":\"a\" 123}"), LF_INVALID_JSON, 9, ""},
    {"object: name in single quotes", TEXT("{key: 'value'}"), LF_INVALID_JSON, 1, ""},
    {"object: value in single quotes", TEXT("{\"a\":'b'}"), LF_INVALID_JSON, 5, "/a"},
    {"object: missing colon", TEXT("{\"a\" b}"), LF_INVALID_JSON, 5, "/a"},
    {"object: missing name", TEXT("{:\"b\"}"), LF_INVALID_JSON, 1, ""},
    {"object: missing separator", TEXT("{\"a\" \"b\"}"), LF_INVALID_JSON, 5, "/a"},
    {"object: missing value", TEXT("{\"a\":"), LF_INVALID_JSON, 5, "/a"},
    {"object: no colon at all", TEXT("{\"a\""), LF_INVALID_JSON, 4, "/a"},
    {"object: number as name", TEXT("{1:1}"), LF_INVALID_JSON, 1, ""},
    {"object: repeated null", TEXT("{null:null,null:null}"), LF_INVALID_JSON, 1, ""},
    {"object: several commas", TEXT("{\"id\":0,,,,,}"), LF_INVALID_JSON, 8, ""},
    {"object: trailing comma", TEXT("{\"id\":0,}"), LF_INVALID_JSON, 8, ""},
    {"object: trailing comment", TEXT("{\"a\":\"b\"}/**/"), LF_INVALID_JSON, 9, ""},
    {"object: comment inside", TEXT("{\"a\":/*comment*/\"b\"}"), LF_INVALID_JSON, 5, "/a"},
    {"object: two commas in a row", TEXT("{\"a\":\"b\",,\"c\":\"d\"}"), LF_INVALID_JSON, 9, ""},
    {"object: unterminated value", TEXT("{\"a\":\"a"), LF_INVALID_JSON, 7, "/a"},
    {"object: unterminated name", TEXT("{\"a"), LF_INVALID_JSON, 3, ""},
    {"object: open brace alone", TEXT("{"), LF_INVALID_JSON, 1, ""},
    {"object: comma alone", TEXT("{,}"), LF_INVALID_JSON, 1, ""},
    {"object: closed by a bracket", TEXT("{\"a\":1]"), LF_INVALID_JSON, 6, ""},
    {"object: unclosed after a value", TEXT("{\"a\":1"), LF_INVALID_JSON, 6, ""},
    {"object: unclosed inside another", TEXT("{\"a\":{\"b\":1,\"c\":2"), LF_INVALID_JSON, 17, "/a"},
    {"object: string as a document and more", TEXT("\"a\"x"), LF_INVALID_JSON, 3, ""},
    {"object: two documents", TEXT("{}{}"), LF_INVALID_JSON, 2, ""},
    {"object: hash behind", TEXT("{\"a\":\"b\"}#"), LF_INVALID_JSON, 9, ""},
    {"repeated name", TEXT("{\"a\":1,\"a\":2}"), LF_INVALID_JSON, 7, "/a"},
    {"repeated name with the same value", TEXT("{\"a\":\"b\",\"a\":\"b\"}"), LF_INVALID_JSON, 9, "/a"},
    {"repeated empty name", TEXT("{\"\":1,\"\":2}"), LF_INVALID_JSON, 6, "/"},
    {"repeated name, one escaped", TEXT("{\"a\":1,\"\\u0061\":2}"), LF_INVALID_JSON, 7, "/a"},
    {"repeated name, surrogate pair and bytes", TEXT("{\"\xF0\x9F\x98\x80\":1,\"\\uD83D\\uDE00\":2}"), LF_INVALID_JSON,
     10, "/\xF0\x9F\x98\x80"},
    {"repeated name after a nested object", TEXT("{\"a\":{\"b\":1},\"b\":2,\"a\":3}"), LF_INVALID_JSON, 19, "/a"},
    {"repeated name inside", TEXT("[0,{\"x\":{\"long name here\":1,\"long name here\":2}}]"), LF_INVALID_JSON, 28,
     "/1/x/long name here"},
    {"repeated name behind 17 others",
     TEXT("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,"
          "\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"c\":2}"),
     LF_INVALID_JSON, 109, "/c"},
    {"repeated name that is the 17th",
     TEXT("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,"
          "\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"p\":2}"),
     LF_INVALID_JSON, 97, "/p"},
    {"U+0000 in a name", TEXT("{\"a\\u0000b\":1}"), LF_INVALID_JSON, 3, ""},
    {"string: one surrogate, escape u", TEXT("[\"\\uD800\\u\"]"), LF_INVALID_JSON, 2, "/0"},
    {"string: lone high surrogate", TEXT("[\"\\uD800\"]"), LF_INVALID_JSON, 2, "/0"},
    {"string: lone low surrogate", TEXT("[\"abc\\uDC00\"]"), LF_INVALID_JSON, 5, "/0"},
    {"string: surrogates the wrong way round", TEXT("[\"\\uDE00\\uD83D\"]"), LF_INVALID_JSON, 2, "/0"},
    {"string: high surrogate twice", TEXT("[\"\\uD83D\\uD83D\"]"), LF_INVALID_JSON, 2, "/0"},
    {"string: high surrogate and text", TEXT("[\"\\uD83Dabcdef\"]"), LF_INVALID_JSON, 2, "/0"},
    {"string: lone surrogate in a name", TEXT("{\"x\":{\"\\uD800\":1}}"), LF_INVALID_JSON, 7, "/x"},
    {"string: escape x", TEXT("[\"\\x00\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: escape of a capital U", TEXT("[\"\\U0041\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: escaped backslash, then bad", TEXT("[\"\\\\\\\"]"), LF_INVALID_JSON, 7, "/0"},
    {"string: escaped control character", TEXT("[\"\\\t\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: escaped emoji", TEXT("[\"\\\xF0\x9F\x8C\x80\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: incomplete escape", TEXT("[\"\\"), LF_INVALID_JSON, 3, "/0"},
    {"string: three hex digits", TEXT("[\"\\u00A\"]"), LF_INVALID_JSON, 7, "/0"},
    {"string: no hex digit", TEXT("[\"\\u00G0\"]"), LF_INVALID_JSON, 6, "/0"},
    {"string: text ends within the hex digits", TEXT("\"\\u12"), LF_INVALID_JSON, 5, ""},
    {"string: escape a", TEXT("[\"\\a\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: escaped apostrophe", TEXT("[\"it\\'s\"]"), LF_INVALID_JSON, 5, "/0"},
    {"string: escaped NUL byte", TEXT("[\"\\\0\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: single quotes", TEXT("['single']"), LF_INVALID_JSON, 1, "/0"},
    {"string: single doublequote", TEXT("\""), LF_INVALID_JSON, 1, ""},
    {"string: raw newline", TEXT("[\"new\nline\"]"), LF_INVALID_JSON, 5, "/0"},
    {"string: raw tab", TEXT("[\"\t\"]"), LF_INVALID_JSON, 2, "/0"},
    {"string: raw NUL", TEXT("[\"a\0a\"]"), LF_INVALID_JSON, 3, "/0"},
    {"string: raw 0x1F behind eight bytes", TEXT("[\"12345678\x1F\"]"), LF_INVALID_JSON, 10, "/0"},
    {"string: raw control character in a name", TEXT("{\"a\nb\":1}"), LF_INVALID_JSON, 3, ""},
    {"string: unquoted", TEXT("[abc]"), LF_INVALID_JSON, 1, "/0"},
    {"string: typographic quotes", TEXT("[\xE2\x80\x9C\x61\xE2\x80\x9D]"), LF_INVALID_JSON, 1, "/0"},
    {"UTF-8: continuation alone", TEXT("[\"\x80\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: 0xFF", TEXT("[\"\xFF\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: 0xC0 0x80, overlong NUL", TEXT("[\"\xC0\x80\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: 0xC1", TEXT("[\"\xC1\xBF\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: two bytes cut", TEXT("[\"\xC3\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: three bytes overlong", TEXT("[\"\xE0\x9F\xBF\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: three bytes cut", TEXT("[\"\xE2\x82\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: surrogate U+D800 in bytes", TEXT("[\"\xED\xA0\x80\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: surrogate U+DFFF in bytes", TEXT("[\"\xED\xBF\xBF\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: four bytes overlong", TEXT("[\"\xF0\x8F\xBF\xBF\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: beyond U+10FFFF", TEXT("[\"\xF4\x90\x80\x80\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: 0xF5", TEXT("[\"\xF5\x80\x80\x80\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: four bytes cut", TEXT("[\"\xF0\x9F\x98\"]"), LF_INVALID_JSON, 2, "/0"},
    {"UTF-8: cut by the end of the text", TEXT("\"\xF0\x9F\x98"), LF_INVALID_JSON, 1, ""},
    {"UTF-8: Latin-1", TEXT("{\"name\":\"M\xFCller\"}"), LF_INVALID_JSON, 10, "/name"},
    {"UTF-8: bad in a name", TEXT("{\"M\xFC\":1}"), LF_INVALID_JSON, 3, ""},
    {"byte order mark", TEXT("\xEF\xBB\xBF{}"), LF_INVALID_JSON, 0, ""},
    {"byte order mark alone", TEXT("\xEF\xBB\xBF"), LF_INVALID_JSON, 0, ""},
    {"half a byte order mark", TEXT("\xEF\xBB{}"), LF_INVALID_JSON, 0, ""},
    {"UTF-16, little endian", TEXT("\xFF\xFE[\0]\0"), LF_INVALID_JSON, 0, ""},
    {"UTF-16 without a mark", TEXT("[\0\"\0\xE9\0\"\0]\0"), LF_INVALID_JSON, 1, "/0"},
    {"white space: form feed", TEXT("[\f]"), LF_INVALID_JSON, 1, "/0"},
    {"white space: no-break space", TEXT("[\xC2\xA0]"), LF_INVALID_JSON, 1, "/0"},
    {"white space: word joiner", TEXT("[\xE2\x81\xA0]"), LF_INVALID_JSON, 1, "/0"},
    {"white space: NUL behind", TEXT("[]\0"), LF_INVALID_JSON, 2, ""},
    {"structure: <.>", TEXT("<.>"), LF_INVALID_JSON, 0, ""},
    {"structure: <null>", TEXT("[<null>]"), LF_INVALID_JSON, 1, "/0"},
    {"structure: array with extra brace", TEXT("[1]x"), LF_INVALID_JSON, 3, ""},
    {"structure: capitalised", TEXT("[TRUE]"), LF_INVALID_JSON, 1, "/0"},
    {"structure: close alone", TEXT("]"), LF_INVALID_JSON, 0, ""},
    {"structure: colon alone", TEXT(":"), LF_INVALID_JSON, 0, ""},
    {"structure: JSON with a callback", TEXT("f({})"), LF_INVALID_JSON, 1, ""},
    {"pointer: ~ and / are escaped", TEXT("{\"a/b\":{\"c~d\":[0,x]}}"), LF_INVALID_JSON, 17, "/a~1b/c~0d/1"},
    {"pointer: names are unescaped", TEXT("{\"\\u00e4\\/\\\"\":x}"), LF_INVALID_JSON, 14, "/\xC3\xA4~1\""},
};

static void
test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        const struct refused *row = &REFUSED[i];
        char *copy = copy_exactly(row->text, row->len), prefix[32];
        const struct lf_json *root = NULL;
        struct lf_error error = {.status = LF_OK};
        enum lf_status status = LF_OK;

        lf_arena_reset(arena);
        status = lf_json_check(arena, copy, row->len, &LF_JSON_LEAD_LIMITS, &error);
        if (status != row->status || error.status != row->status)
            fail_msg("%s: status %s instead of %s", row->why, lf_status_word(status), lf_status_word(row->status));
        if (error.offset != row->offset)
            fail_msg("%s: byte %d instead of %d", row->why, (int)error.offset, (int)row->offset);
        if (strcmp(error.pointer, row->pointer) != 0)
            fail_msg("%s: pointer %s instead of %s", row->why, error.pointer, row->pointer);
        (void)snprintf(prefix, sizeof prefix, "byte %d: ", (int)row->offset);
        if (strncmp(error.detail, prefix, strlen(prefix)) != 0)
            fail_msg("%s: the detail is: %s", row->why, error.detail);
        assert_int_equal(lf_json_parse(arena, copy, row->len, &LF_JSON_LEAD_LIMITS, &root, NULL), row->status);
        assert_null(root);
        free(copy);
    }
}

/* ---- the sentences ---- */

static const struct {
    const char *text, *detail;
} SENTENCES[] = {
    {"{\"a\":[1,2}", "byte 9: a comma or ] was expected, found }"},
    {"{\"a\":1", "byte 6: a comma or } was expected, found the end"},
    {"{\"a\" 1}", "byte 5: a colon after the name was expected, found 1"},
    {"{'a':1}", "byte 1: a name or } was expected, found '"},
    {"{\"a\":1,}", "byte 7: a name after the comma was expected, found }"},
    {"[1,]", "byte 3: a value was expected, found ]"},
    {"[1] \xC3\xA4", "byte 4: the end of the text was expected, found \xC3\xA4"},
    {"[\xFF]", "byte 1: a value was expected, found the byte 0xFF"},
    {"[\x01]", "byte 1: a value was expected, found the byte 0x01"},
    {"[tru ]", "byte 4: true was expected, found a space"},
    {"[n\n]", "byte 2: null was expected, found a line break"},
    {"\"a\nb\"", "byte 2: the control character 0x0A must be escaped in a text"},
    {"\"a\xFC\"", "byte 2: the byte 0xFC is not valid UTF-8 here"},
    {"\"abc", "byte 4: the closing quote of a text was expected, found the end"},
    {"\"\\x\"", "byte 2: one of \"\\/bfnrtu after the backslash was expected, found x"},
    {"\"\\u00g0\"", "byte 5: a hexadecimal digit was expected, found g"},
    {"\"\\ud800\"", "byte 1: half of a surrogate pair stands alone"},
    {"{\"\\u0000\":1}", "byte 2: a name cannot hold U+0000"},
    {"{\"a\":1,\"a\":1}", "byte 7: this name stands twice in its object"},
    {"\xEF\xBB\xBF{}", "byte 0: a byte order mark cannot stand before JSON"},
    {"01", "byte 1: the end of the number, or a point, after its leading zero was expected, found 1"},
    {"-x", "byte 1: a digit was expected, found x"},
    {"1.x", "byte 2: a digit after the point was expected, found x"},
    {"1ex", "byte 2: a digit in the exponent was expected, found x"},
    {"1e999", "byte 0: a number beyond the range of a double (1.8e308)"},
};

static void
test_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SENTENCES / sizeof SENTENCES[0]; i++) {
        struct lf_error error = {0};

        assert_int_not_equal(
            lf_json_check(arena, SENTENCES[i].text, strlen(SENTENCES[i].text), &LF_JSON_LEAD_LIMITS, &error), LF_OK);
        assert_string_equal(error.detail, SENTENCES[i].detail);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_sentences),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
