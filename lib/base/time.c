/*
 * time.c - see time.h. Whole numbers throughout. Days and civil dates are converted by Howard Hinnant's algorithms
 * (chrono-Compatible Low-Level Date Algorithms): years begin in March, so that the leap day is the last one of a year,
 * and 400 years (an era of 146,097 days) repeat.
 */
#include "base/time.h"

#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
#define DAY_S INT64_C(86400)
#define DAY_US (DAY_S * SECOND_US)
/* 0000-01-01T00:00:00Z, and the first microsecond behind the year 9999. */
#define FIRST_US (INT64_C(-719528) * DAY_US)
#define BEHIND_US (INT64_C(2932897) * DAY_US)

/* Days since 1970-01-01 of a date in years 0000..9999. */
static int64_t
days_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int64_t)era * 146097 + day_of_era - 719468;
}

static void
civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int day_of_era = (int)(shifted - era * 146097);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* from March */

    *ret_day = day_of_year - (153 * month + 2) / 5 + 1;
    *ret_month = month < 10 ? month + 3 : month - 9;
    *ret_year = year_of_era + (int)era * 400 + (*ret_month <= 2);
}

static int
days_in_month(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return DAYS[month - 1] + (month == 2 && leap);
}

/* Exactly `count` ASCII digits at `at`, as a number; -1 where they are not. */
static int
digits(const char *text, size_t len, size_t at, size_t count)
{
    int value = 0;

    if (len < at || len - at < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (text[at + i] < '0' || text[at + i] > '9')
            return -1;
        value = value * 10 + (text[at + i] - '0');
    }
    return value;
}

/* YYYY-MM-DD at the beginning of the text, in days. */
static bool
read_date(const char *text, size_t len, int64_t *ret_days)
{
    int year = digits(text, len, 0, 4), month = digits(text, len, 5, 2), day = digits(text, len, 8, 2);

    if (year < 0 || month < 1 || month > 12 || day < 1 || text[4] != '-' || text[7] != '-')
        return false;
    if (day > days_in_month(year, month))
        return false;
    *ret_days = days_from_civil(year, month, day);
    return true;
}

bool
lf_time_parse_date(const char *text, size_t len, int64_t *ret_us)
{
    int64_t days = 0;

    if (len != 10 || !read_date(text, len, &days))
        return false;
    *ret_us = days * DAY_US;
    return true;
}

/* What stands behind the seconds: a fraction, then an offset; both may be absent. */
static bool
read_tail(const char *text, size_t len, size_t at, int64_t *ret_fraction_us, int64_t *ret_offset_s)
{
    int hours = 0, minutes = 0;

    *ret_fraction_us = 0;
    *ret_offset_s = 0;
    if (at < len && text[at] == '.') {
        int64_t place = SECOND_US / 10; /* becomes 0 behind the sixth digit: the rest is cut */
        size_t first = ++at;

        for (; at < len && text[at] >= '0' && text[at] <= '9'; at++, place /= 10)
            *ret_fraction_us += (text[at] - '0') * place;
        if (at == first)
            return false;
    }
    if (at == len)
        return true;
    if (text[at] == 'Z' || text[at] == 'z')
        return at + 1 == len;
    hours = digits(text, len, at + 1, 2);
    minutes = digits(text, len, at + 4, 2);
    if ((text[at] != '+' && text[at] != '-') || len - at != 6 || text[at + 3] != ':')
        return false;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_offset_s = (hours * 60 + minutes) * (text[at] == '-' ? -60 : 60);
    return true;
}

static bool
in_range(int64_t us)
{
    return us >= FIRST_US && us < BEHIND_US;
}

bool
lf_time_parse(const char *text, size_t len, int64_t *ret_us)
{
    int64_t days = 0, fraction_us = 0, offset_s = 0, us = 0;
    int hour = 0, minute = 0, second = 0;

    if (len == 10)
        return lf_time_parse_date(text, len, ret_us);
    if (len < 19 || !read_date(text, len, &days))
        return false;
    if ((text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
        return false;
    hour = digits(text, len, 11, 2);
    minute = digits(text, len, 14, 2);
    second = digits(text, len, 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    if (!read_tail(text, len, 19, &fraction_us, &offset_s))
        return false;
    us = (days * DAY_S + hour * 3600 + minute * 60 + second - offset_s) * SECOND_US + fraction_us;
    if (!in_range(us))
        return false;
    *ret_us = us;
    return true;
}

/* value * 2^-60 * scale, to the nearest, halves up. scale is at most 1e6, so the product has 80 bits: it is made in two
 * halves of the value. */
static int64_t
scale_fraction(uint64_t value, uint64_t scale)
{
    uint64_t low = (value & UINT32_MAX) * scale;         /* in units of 2^-60 */
    uint64_t high = (value >> 32) * scale + (low >> 32); /* in units of 2^-28 */
    bool round = (high >> 27 & 1) != 0;                  /* the first bit behind the point */

    return (int64_t)(high >> 28) + (round ? 1 : 0);
}

bool
lf_time_from_number(double number, int64_t *ret_us)
{
    double size = number < 0 ? -number : number;
    uint64_t fraction = 0;
    int64_t whole = 0, scale = 0, us = 0;

    if (!(size < 1e15)) /* NaN, too; in milliseconds the year 9999 ends below 2.6e14 */
        return false;
    scale = size >= 1e11 ? 1000 : SECOND_US;
    whole = (int64_t)size;
    /* Both the difference and the scaling by a power of two are exact. Bits of the fraction below 2^-60 are cut; they
     * are there only in numbers below 2^-7, where they cannot decide a rounding but upward from a half, which goes
     * upward anyway. */
    fraction = (uint64_t)((size - (double)whole) * 0x1p60);
    us = whole * scale + scale_fraction(fraction, (uint64_t)scale);
    if (number < 0)
        us = -us;
    if (!in_range(us))
        return false;
    *ret_us = us;
    return true;
}

static int64_t
floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

int64_t
lf_time_us_to_ms(int64_t us)
{
    return floor_divide(us, 1000);
}

static char *
put_digits(char *to, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + count;
}

static char *
put_date(char *to, int64_t days)
{
    int year = 0, month = 0, day = 0;

    civil_from_days(days, &year, &month, &day);
    to = put_digits(to, year, 4);
    *to++ = '-';
    to = put_digits(to, month, 2);
    *to++ = '-';
    return put_digits(to, day, 2);
}

/* A point outside the years that have four digits is written as the nearest one inside. */
static int64_t
clamp(int64_t value, int64_t first, int64_t last)
{
    return value < first ? first : value > last ? last : value;
}

size_t
lf_time_format_ms(int64_t ms, char text[LF_TIME_TEXT_MAX])
{
    int64_t point = clamp(ms, FIRST_US / 1000, BEHIND_US / 1000 - 1);
    int64_t days = floor_divide(point, DAY_S * 1000);
    int rest = (int)(point - days * DAY_S * 1000);
    char *to = put_date(text, days);

    *to++ = 'T';
    to = put_digits(to, rest / 3600000, 2);
    *to++ = ':';
    to = put_digits(to, rest / 60000 % 60, 2);
    *to++ = ':';
    to = put_digits(to, rest / 1000 % 60, 2);
    *to++ = '.';
    to = put_digits(to, rest % 1000, 3);
    *to++ = 'Z';
    *to = '\0';
    return (size_t)(to - text);
}

size_t
lf_time_format_date(int64_t us, char text[LF_TIME_TEXT_MAX])
{
    char *to = put_date(text, floor_divide(clamp(us, FIRST_US, BEHIND_US - 1), DAY_US));

    *to = '\0';
    return (size_t)(to - text);
}

int64_t
lf_time_now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock and a valid pointer */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
lf_time_monotonic_ns(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* likewise */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
