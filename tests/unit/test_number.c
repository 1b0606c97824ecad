/*
 * test_number.c - numbers as text and text as numbers.
 *
 * The expected texts are those of ECMAScript's Number::toString: the table of RFC 8785, appendix B, and others at the
 * edges of the format, checked against an ECMAScript engine when they were written down.
 */
#include "base/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double
from_bits(uint64_t bits)
{
    double value = 0;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t
to_bits(double value)
{
    uint64_t bits = 0;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- format ---- */

static const struct {
    uint64_t bits;
    const char *text;
    const char *why;
} VECTORS[] = {
    /* RFC 8785, appendix B */
    {0x0000000000000000, "0", "zero"},
    {0x8000000000000000, "0", "minus zero"},
    {0x0000000000000001, "5e-324", "min positive"},
    {0x8000000000000001, "-5e-324", "min negative"},
    {0x7fefffffffffffff, "1.7976931348623157e+308", "max positive"},
    {0xffefffffffffffff, "-1.7976931348623157e+308", "max negative"},
    {0x4340000000000000, "9007199254740992", "max positive integer"},
    {0xc340000000000000, "-9007199254740992", "max negative integer"},
    {0x4430000000000000, "295147905179352830000", "about 2^68"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22", ""},
    {0x44b52d02c7e14af6, "1e+23", ""},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23", ""},
    {0x444b1ae4d6e2ef4e, "999999999999999700000", ""},
    {0x444b1ae4d6e2ef4f, "999999999999999900000", ""},
    {0x444b1ae4d6e2ef50, "1e+21", ""},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7", ""},
    {0x3eb0c6f7a0b5ed8d, "0.000001", ""},
    {0x41b3de4355555553, "333333333.3333332", ""},
    {0x41b3de4355555554, "333333333.33333325", ""},
    {0x41b3de4355555555, "333333333.3333333", ""},
    {0x41b3de4355555556, "333333333.3333334", ""},
    {0x41b3de4355555557, "333333333.33333343", ""},
    {0xbecbf647612f3696, "-0.0000033333333333333333", ""},
    {0x43143ff3c1cb0959, "1424953923781206.2", "round to even"},
    /* powers of two, where the doubles below lie closer than those above */
    {0x3d30000000000000, "5.684341886080802e-14", "2^-44: the nearest 16 digits do not give it back"},
    {0x3ce0000000000000, "1.7763568394002505e-15", "2^-49"},
    {0x3c90000000000000, "5.551115123125783e-17", "2^-54"},
    {0x0010000000000000, "2.2250738585072014e-308", "smallest normal"},
    {0x0020000000000000, "4.450147717014403e-308", "twice that"},
    {0x7fe0000000000000, "8.98846567431158e+307", "2^1023"},
    {0x4350000000000000, "18014398509481984", "2^54"},
    {0x43f0000000000000, "18446744073709552000", "2^64"},
    /* subnormals have few digits */
    {0x0000000000000002, "1e-323", ""},
    {0x0000000000000003, "1.5e-323", ""},
    {0x0000000000000009, "4.4e-323", ""},
    {0x0000000000000064, "4.94e-322", ""},
    {0x000fffffffffffff, "2.225073858507201e-308", "largest subnormal"},
    {0x0008000000000000, "1.1125369292536007e-308", ""},
    {0x00000000ffffffff, "2.1219957905e-314", ""},
};

static const struct {
    double value;
    const char *text;
} FORMATS[] = {
    {1, "1"},
    {-1, "-1"},
    {10, "10"},
    {100, "100"},
    {1000000, "1000000"},
    {123456789, "123456789"},
    {9007199254740991, "9007199254740991"},
    {9007199254740993.0, "9007199254740992"},
    {100000000000000000, "100000000000000000"},
    {1e15, "1000000000000000"},
    {1e16, "10000000000000000"},
    {1e20, "100000000000000000000"},
    {1e21, "1e+21"},
    {1.5e21, "1.5e+21"},
    {123e20, "1.23e+22"},
    {0.1, "0.1"},
    {0.5, "0.5"},
    {-0.25, "-0.25"},
    {87.25, "87.25"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {2.0 / 3, "0.6666666666666666"},
    {100.0 / 3, "33.333333333333336"},
    {0.000001, "0.000001"},
    {0.0000015, "0.0000015"},
    {0.0000001, "1e-7"},
    {0.00000123, "0.00000123"},
    {1.23e-7, "1.23e-7"},
    {1e-10, "1e-10"},
    {-1e-10, "-1e-10"},
    {123456.789, "123456.789"},
    {999999.999999, "999999.999999"},
    {999999999.999999, "999999999.999999"},
    {1000000000.000001, "1000000000.000001"},
    {99999999.9999999, "99999999.9999999"},
    {4.35, "4.35"},
    {0.615, "0.615"},
    {1e100, "1e+100"},
    {1.7e-300, "1.7e-300"},
};

static void
assert_formats(double value, const char *expected)
{
    char text[LF_NUMBER_TEXT_MAX];
    size_t len = lf_number_format(value, text);

    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

static void
test_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++)
        assert_formats(from_bits(VECTORS[i].bits), VECTORS[i].text);
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        assert_formats(FORMATS[i].value, FORMATS[i].text);
}

static uint64_t random_state = 88172645463325252u;

static uint64_t
random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

/* How many digits the text shows, without leading zeros and those at the end of an integer. */
static int
digits_in(const char *text)
{
    int count = 0, zeros = 0;

    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count == 0 && *text == '0'))
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        count++;
    }
    return count - zeros;
}

/* The text is JSON, gives the same bits back, and one digit less would not. */
static void
assert_round_trip(double value)
{
    char text[LF_NUMBER_TEXT_MAX], shorter[LF_NUMBER_TEXT_MAX];
    size_t len = lf_number_format(value, text);
    double back = 0;
    int digits = digits_in(text);

    assert_true(lf_number_is_json(text, len));
    assert_true(lf_number_parse(text, len, &back));
    if (to_bits(back) != to_bits(value))
        fail_msg("%s is not %a", text, value);
    if (digits > 1) {
        (void)snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
        if (strtod(shorter, NULL) == value)
            fail_msg("%s could be %s", text, shorter);
    }
}

static void
test_round_trips(void **state)
{
    static const int64_t TENS[] = {1,       10,       100,       1000,       10000,       100000,
                                   1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        double value = from_bits(random_bits());

        if (isfinite(value) && value != 0)
            assert_round_trip(value);
        assert_round_trip((double)(random_bits() % 1000000000 + 1) / (double)TENS[random_bits() % 12]);
        assert_round_trip(from_bits(random_bits() >> 12 | 1)); /* subnormal */
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double power = ldexp(1, exponent);

        assert_round_trip(power);
        assert_round_trip(from_bits(to_bits(power) + 1));
        if (exponent > -1074)
            assert_round_trip(from_bits(to_bits(power) - 1));
    }
}

/* ---- parse ---- */

static void
test_parse(void **state)
{
    static const struct {
        const char *text;
        double value;
    } ROWS[] = {
        {"0", 0},
        {"-0", -0.0},
        {"0.0", 0},
        {"1", 1},
        {"-17", -17},
        {"3.25", 3.25},
        {"1e2", 100},
        {"1E+2", 100},
        {"1e-2", 0.01},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"123456789012345e22", 123456789012345e22},
        {"123456789012345e7", 123456789012345e7},
        {"9007199254740993", 9007199254740992},
        {"9007199254740993.0000000000000000000000001", 9007199254740994},
        {"0.000000000000000000000000000000001", 1e-33},
        {"0.1", 0.1},
        {"179769313486231570000e288", 1.7976931348623157e308},
        {"1e-400", 0},
        {"-1e-400", -0.0},
        {"5e-324", 5e-324},
        {"2.4703282292062327e-324", 0},
        {"2.4703282292062328e-324", 5e-324},
        {"2.2250738585072011e-308", 2.225073858507201e-308},
        {"0e999999999999", 0},
        {"1e0000000000000000000000000000000000000001", 10},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        double value = 42;

        assert_true(lf_number_is_json(ROWS[i].text, strlen(ROWS[i].text)));
        assert_true(lf_number_parse(ROWS[i].text, strlen(ROWS[i].text), &value));
        if (to_bits(value) != to_bits(ROWS[i].value))
            fail_msg("%s became %.17g", ROWS[i].text, value);
    }
}

static void
test_not_numbers(void **state)
{
    static const char *const ROWS[] = {
        "",         " ",     "-",     "+1",       "01",           "-01", "1.",  ".5",   "-.5", "1.e1", "1e",  "1e+",
        "1e1.5",    "1 ",    " 1",    "1\n",      "0x10",         "1_0", "1,5", "1e5x", "--1", "1-",   "NaN", "inf",
        "Infinity", "1.2.3", "1e1e1", "\xC2\xBD", "\xEF\xBC\x91", "00",  "-",   "e1",   "1d2", "1f",
    };
    double value = 42;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (lf_number_is_json(ROWS[i], strlen(ROWS[i])) || lf_number_parse(ROWS[i], strlen(ROWS[i]), &value))
            fail_msg("taken for a number: %s", ROWS[i]);
    }
    assert_false(lf_number_is_json("1\0", 2));
    assert_true(value == 42);
}

static void
test_parse_limits(void **state)
{
    char text[1100];
    double value = 42;

    (void)state;
    memset(text, '1', sizeof text);
    assert_true(lf_number_parse(text, 309, &value));
    assert_true(value == 1.1111111111111112e308);
    assert_false(lf_number_parse(text, 310, &value));
    assert_false(lf_number_parse("1e309", 5, &value));
    assert_false(lf_number_parse("-1e99999999999999999999", 23, &value));
    text[1] = '.';
    assert_true(lf_number_parse(text, 1000, &value));
    assert_true(value == 10.0 / 9);
    assert_false(lf_number_parse(text, 1001, &value));
    assert_true(lf_number_is_json(text, 1001));
    assert_true(lf_number_parse("123", 2, &value));
    assert_true(value == 12);
}

/* The short way of parsing must give what the long one gives. */
static void
test_parse_agrees(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        double value = 0;
        int places = (int)(random_bits() % 16);

        (void)snprintf(text, sizeof text, "%s%llu.%0*llue%d", random_bits() % 2 ? "-" : "",
                       (unsigned long long)(random_bits() % 100000), places + 1,
                       (unsigned long long)(random_bits() % 1000000), (int)(random_bits() % 60) - 30);
        assert_true(lf_number_parse(text, strlen(text), &value));
        if (to_bits(value) != to_bits(strtod(text, NULL)))
            fail_msg("%s became %.17g", text, value);
    }
}

/* ---- scaled ---- */

static void
test_to_scaled(void **state)
{
    static const struct {
        double value;
        int places;
        bool fits;
        int64_t scaled;
    } ROWS[] = {
        {0, 6, true, 0},
        {-0.0, 0, true, 0},
        {1, 0, true, 1},
        {0.1, 6, true, 100000},
        {-0.1, 1, true, -1},
        {0.1, 0, false, 0},
        {0.123456, 6, true, 123456},
        {0.1234567, 6, false, 0},
        {0.1 + 0.2, 6, false, 0},
        {4.35, 2, true, 435},
        {0.615, 2, false, 0},
        {1.005, 3, true, 1005},
        {87.25, 2, true, 8725},
        {100, 2, true, 10000},
        {1e-6, 6, true, 1},
        {1e-7, 6, false, 0},
        {1e-9, 9, true, 1},
        {1e-10, 9, false, 0},
        {5e-324, 9, false, 0},
        {9e9, 6, true, 9000000000000000},
        {-9e9, 6, true, -9000000000000000},
        {9000000000.000001, 6, false, 0},
        {9e15, 0, true, 9000000000000000},
        {9000000000000001, 0, false, 0},
        {-9000000000000001, 0, false, 0},
        {1e16, 0, false, 0},
        {1e300, 9, false, 0},
        {8999999999999999, 0, true, 8999999999999999},
        {123456789.123456, 6, true, 123456789123456},
    };
    int64_t scaled = 0;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        scaled = 7;
        if (lf_number_to_scaled(ROWS[i].value, ROWS[i].places, &scaled) != ROWS[i].fits)
            fail_msg("%.17g with %d places", ROWS[i].value, ROWS[i].places);
        assert_true(scaled == (ROWS[i].fits ? ROWS[i].scaled : 7));
    }
    assert_false(lf_number_to_scaled(INFINITY, 0, &scaled));
    assert_false(lf_number_to_scaled(NAN, 0, &scaled));
    for (int64_t millionths = -2000000; millionths <= 2000000; millionths += 7) {
        assert_true(lf_number_to_scaled((double)millionths / 1e6, 6, &scaled));
        assert_true(scaled == millionths);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),      cmocka_unit_test(test_round_trips),  cmocka_unit_test(test_parse),
        cmocka_unit_test(test_not_numbers), cmocka_unit_test(test_parse_limits), cmocka_unit_test(test_parse_agrees),
        cmocka_unit_test(test_to_scaled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
