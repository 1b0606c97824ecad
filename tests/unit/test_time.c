/* test_time.c - reading and writing points in time. */
#include "base/time.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIRST INT64_C(-62167219200000000)
#define LAST INT64_C(253402300799999999)
#define DAY INT64_C(86400000000)

static const struct {
    const char *text;
    int64_t us;
} GOOD[] = {
    {"1970-01-01", 0},
    {"1970-01-02", DAY},
    {"1969-12-31", -DAY},
    {"2000-02-29", INT64_C(951782400000000)},
    {"2024-02-29", INT64_C(1709164800000000)},
    {"2026-11-22", INT64_C(1795305600000000)},
    {"0000-01-01", FIRST},
    {"0000-02-29", FIRST + 59 * DAY}, /* the year 0 is a leap year */
    {"0000-03-01", FIRST + 60 * DAY},
    {"9999-12-31", LAST + 1 - DAY},
    {"1970-01-01T00:00:00", 0},
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01t00:00:01z", 1000000},
    {"1970-01-01 00:00:01", 1000000},
    {"1969-12-31T23:59:59.999999Z", -1},
    {"9999-12-31T23:59:59.999999Z", LAST},
    {"9999-12-31T23:59:59.9999999999999Z", LAST},
    {"1970-01-01T00:00:00.1Z", 100000},
    {"1970-01-01T00:00:00.12", 120000},
    {"1970-01-01T00:00:00.123456Z", 123456},
    {"1970-01-01T00:00:00.1234569Z", 123456}, /* cut, not rounded */
    {"1969-12-31T23:59:59.0000009Z", -1000000},
    {"1970-01-01T01:00:00+01:00", 0},
    {"1969-12-31T19:00:00-05:00", 0},
    {"1970-01-01T00:00:00-00:00", 0},
    {"1970-01-01T00:00:00.5+00:30", INT64_C(-1799500000)},
    {"2027-01-01T00:30:00+01:00", INT64_C(1798759800000000)}, /* 2026-12-31T23:30:00Z */
    {"2026-12-31T23:30:00-01:00", INT64_C(1798763400000000)}, /* 2027-01-01T00:30:00Z */
    {"2026-12-31T23:59:59+23:59", INT64_C(1798675259000000)},
    {"2026-12-31T23:59:59-23:59", INT64_C(1798847939000000)},
    {"0000-01-01T01:00:00+01:00", FIRST},
    {"9999-12-31T22:59:59.999999-01:00", LAST},
};

static const char *const BAD[] = {
    "",
    "1970",
    "1970-01",
    "1970-1-1",
    "2026-1-1T00:00:00Z",
    "70-01-01",
    "+1970-01-01",
    "-001-01-01",
    "19700101",
    "1970/01/01",
    "01.01.1970",
    " 1970-01-01",
    "1970-01-01 ",
    "1970-01-01T",
    "1970-00-01",
    "1970-13-01",
    "1970-01-00",
    "1970-01-32",
    "1970-04-31",
    "1970-02-29",
    "1900-02-29",
    "2100-02-29",
    "2023-02-29",
    "1970-01-01T00:00",
    "1970-01-01T00:00Z",
    "1970-01-01T0:00:00Z",
    "1970-01-01T000000Z",
    "1970-01-01T24:00:00Z",
    "1970-01-01T00:60:00Z",
    "1970-01-01T00:00:60Z",
    "1998-12-31T23:59:60Z",
    "1970-01-01_00:00:00Z",
    "1970-01-01  00:00:00",
    "1970-01-01T00:00:00.",
    "1970-01-01T00:00:00.Z",
    "1970-01-01T00:00:00,5Z",
    "1970-01-01T00:00:00Zx",
    "1970-01-01T00:00:00 Z",
    "1970-01-01T00:00:00ZZ",
    "1970-01-01T00:00:00x",
    "1970-01-01T00:00:00+24:00",
    "1970-01-01T00:00:00-24:00",
    "1970-01-01T00:00:00+01:60",
    "1970-01-01T00:00:00+1:00",
    "1970-01-01T00:00:00+0100",
    "1970-01-01T00:00:00+01",
    "1970-01-01T00:00:00+01:000",
    "1970-01-01T00:00:00+",
    "1970-01-01T-1:00:00Z",
    "197O-01-01",
    "0000-01-01T00:00:00+00:01", /* the year -1 */
    "9999-12-31T23:59:59-00:01", /* the year 10000 */
    "10000-01-01",
    "1970-01-01T00:00:00\xC2\xA0",
};

static void
test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        int64_t us = -7, date_us = -7;
        size_t len = strlen(GOOD[i].text);

        if (!lf_time_parse(GOOD[i].text, len, &us) || us != GOOD[i].us)
            fail_msg("%s: %lld", GOOD[i].text, (long long)us);
        assert_int_equal(lf_time_parse_date(GOOD[i].text, len, &date_us), len == 10);
        assert_true(date_us == (len == 10 ? us : -7));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        int64_t us = -7;
        size_t len = strlen(BAD[i]);
        char *copy = malloc(len + 1); /* of its own size, so that a sanitizer sees a step beyond */

        assert_non_null(copy);
        memcpy(copy, BAD[i], len);
        if (lf_time_parse(copy, len, &us) || lf_time_parse_date(copy, len, &us))
            fail_msg("'%s' is no time", BAD[i]);
        assert_true(us == -7);
        free(copy);
    }
}

/* Every beginning of a good text is either good by itself or refused, and reads nothing behind its end. */
static void
test_parse_beginnings(void **state)
{
    static const char TEXT[] = "2026-11-22T09:30:00.123456789+01:30";

    (void)state;
    for (size_t len = 0; len < sizeof TEXT; len++) {
        char *copy = malloc(len + 1);
        int64_t us = 0;
        bool good = len == 10 || len == 19 || (len >= 21 && len <= 29) || len == 35;

        assert_non_null(copy);
        memcpy(copy, TEXT, len);
        if (lf_time_parse(copy, len, &us) != good)
            fail_msg("%.*s", (int)len, TEXT);
        free(copy);
    }
}

static void
test_every_day(void **state)
{
    char text[LF_TIME_TEXT_MAX], before[LF_TIME_TEXT_MAX] = "";
    int64_t us = 0;

    (void)state;
    for (int64_t day = FIRST; day <= LAST; day += DAY) {
        assert_int_equal(lf_time_format_date(day, text), 10);
        assert_true(lf_time_parse_date(text, 10, &us));
        assert_true(us == day);
        assert_true(strcmp(before, text) < 0); /* the order of texts is the order of days */
        memcpy(before, text, sizeof text);
    }
    assert_string_equal(text, "9999-12-31");
}

static const struct {
    double number;
    int64_t us; /* -7: refused */
} NUMBERS[] = {
    {0, 0},
    {-0.0, 0},
    {1, 1000000},
    {-1, -1000000},
    {1.5, 1500000},
    {-0.25, -250000},
    {0.000001, 1},
    {0.0000004, 0},
    {0.0000006, 1},
    {-0.0000006, -1},
    {0.0078125, 7813}, /* 7812.5 exactly: away from zero */
    {-0.0078125, -7813},
    {1795305600, INT64_C(1795305600000000)},
    {1795305600.123456, INT64_C(1795305600123456)},
    {1795305600.999999, INT64_C(1795305600999999)},
    {-62135596800.0, INT64_C(-62135596800000000)},
    {99999999999.0, INT64_C(99999999999000000)}, /* seconds: the year 5138 */
    {100000000000.0, INT64_C(100000000000000)},  /* milliseconds: 1973 */
    {-100000000000.0, INT64_C(-100000000000000)},
    {1795305600123.0, INT64_C(1795305600123000)},
    {1795305600123.4375, INT64_C(1795305600123438)}, /* 123437.5 us */
    {253402300799999.0, INT64_C(253402300799999000)},
    {253402300799999.96875, INT64_C(253402300799999969)},
    {253402300800000.0, -7}, /* the year 10000 */
    {-62167219200.0, FIRST},
    {-62167219201.0, -7},
    {-62167219200000.0, FIRST},
    {-62167219200001.0, -7},
    {1e300, -7},
    {-1e300, -7},
    {INFINITY, -7},
    {-INFINITY, -7},
    {NAN, -7},
};

static void
test_from_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        int64_t us = -7;
        bool good = lf_time_from_number(NUMBERS[i].number, &us);

        if (us != NUMBERS[i].us || good != (NUMBERS[i].us != -7))
            fail_msg("%.17g: %lld", NUMBERS[i].number, (long long)us);
    }
}

static const struct {
    int64_t ms;
    const char *text;
} FORMATS[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {INT64_C(1795339800123), "2026-11-22T09:30:00.123Z"},
    {INT64_C(951782399999), "2000-02-28T23:59:59.999Z"},
    {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
    {INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z"},
    {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
    {INT64_MIN, "0000-01-01T00:00:00.000Z"}, /* the nearest that can be written */
    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
};

static void
test_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++) {
        char text[LF_TIME_TEXT_MAX];

        assert_int_equal(lf_time_format_ms(FORMATS[i].ms, text), 24);
        assert_string_equal(text, FORMATS[i].text);
    }
}

static void
test_us_to_ms(void **state)
{
    (void)state;
    assert_int_equal(lf_time_us_to_ms(0), 0);
    assert_int_equal(lf_time_us_to_ms(999), 0);
    assert_int_equal(lf_time_us_to_ms(1000), 1);
    assert_int_equal(lf_time_us_to_ms(-1), -1);
    assert_int_equal(lf_time_us_to_ms(-1000), -1);
    assert_int_equal(lf_time_us_to_ms(-1001), -2);
}

static void
test_clocks(void **state)
{
    int64_t before = lf_time_monotonic_ns();

    (void)state;
    assert_true(lf_time_now_ms() > INT64_C(1700000000000)); /* 2023 */
    assert_true(lf_time_monotonic_ns() >= before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),       cmocka_unit_test(test_parse_beginnings), cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_from_number), cmocka_unit_test(test_format),           cmocka_unit_test(test_us_to_ms),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
