/*
 * number.c - see number.h.
 *
 * Conversions lean on glibc's strtod and printf, which round correctly at every length; what is added here is the
 * search for the shortest digits and paths that avoid both for the numbers that sales data is made of. The program
 * never calls setlocale, so the decimal point is that of the "C" locale.
 */
#include "base/number.h"

#include "base/number_scan.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_MAX = 17,  /* always enough to tell two doubles apart */
    DIGITS_SAFE = 15, /* any decimal with so many digits survives a normal double and comes back (DBL_DIG) */
    PLACES_MAX = 9,
};

#define INTEGERS_MAX 9007199254740992.0 /* 2^53: integers up to here are exact */
#define DECIMALS_MAX 1e15               /* 10^DIGITS_SAFE */

/* The powers of ten that a double holds exactly. */
static const double POWER[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { POWERS = sizeof POWER / sizeof POWER[0] };

/* A positive number as 0.D1D2D3... * 10^point, without zeros at the end. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
};

/* Whether the text is one whole number. */
static bool
scan_whole(const char *text, size_t len, struct lf_number_shape *ret_shape)
{
    return len > 0 && lf_number_scan(text, text + len, ret_shape) && ret_shape->end == text + len;
}

bool
lf_number_is_json(const char *text, size_t len)
{
    struct lf_number_shape shape;

    return scan_whole(text, len, &shape);
}

/* Clinger's fast path: up to 15 digits and a power of ten that is exact make one correctly rounded operation. */
static bool
parse_short(const char *text, const struct lf_number_shape *shape, double *ret_value)
{
    const char *p = text;
    int64_t digits = 0;
    int count = 0, scale = shape->exponent;
    bool negative = *p == '-', behind_point = false;

    for (p += negative; p < shape->end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            behind_point = true;
            continue;
        }
        if (++count > DIGITS_SAFE)
            return false;
        digits = digits * 10 + (*p - '0');
        scale -= behind_point;
    }
    if (scale >= POWERS || scale <= -POWERS)
        return false;
    *ret_value = scale < 0 ? (double)digits / POWER[-scale] : (double)digits * POWER[scale];
    if (negative)
        *ret_value = -*ret_value;
    return true;
}

bool
lf_number_parse(const char *text, size_t len, double *ret_value)
{
    char copy[LF_NUMBER_CHARS_MAX + 1];
    struct lf_number_shape shape;
    double value = 0;

    if (len > LF_NUMBER_CHARS_MAX || !scan_whole(text, len, &shape))
        return false;
    if (!parse_short(text, &shape, &value)) {
        memcpy(copy, text, len);
        copy[len] = '\0';
        value = strtod(copy, NULL);
        if (!isfinite(value))
            return false;
    }
    *ret_value = value;
    return true;
}

/* Splits printf's "d.ddde+xx" (the separator may be any one byte) into digits and exponent. */
static void
split_scientific(const char *text, int count, struct decimal *ret)
{
    ret->digits[0] = text[0];
    if (count > 1)
        memcpy(ret->digits + 1, text + 2, (size_t)count - 1);
    ret->point = 1 + (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    while (count > 1 && ret->digits[count - 1] == '0')
        count--;
    ret->count = count;
    ret->digits[count] = '\0';
}

/* Adds one to the last of count digits. */
static void
step_up(char *scientific, int count)
{
    int i = count == 1 ? 0 : count;

    for (; i >= 0; i--) {
        if (i == 1 && count > 1)
            continue; /* the point */
        if (scientific[i] != '9') {
            scientific[i]++;
            return;
        }
        scientific[i] = '0';
    }
    /* 9.99 became 0.00: no power of two stands that close below a power of ten with 16 digits */
    assert(false);
}

/*
 * The shortest decimal that gives the same double back; of these the nearest.
 *
 * printf's rounding to n digits is the nearest n-digit decimal, so if it gives the number back it is the answer for
 * n; the first n that does is the shortest. A normal double whose shortest form has n <= 15 digits shows the same
 * digits when rounded to 15, so the search begins there; a subnormal has no such promise and is tried from one digit
 * on. At a power of two the doubles above lie twice as far away as those below: there the nearest decimal may lie
 * below and miss, while the next one above hits (2^-44 is 5.684341886080802e-14), so that one is tried as well.
 */
static void
shortest(double value, struct decimal *ret)
{
    char text[DIGITS_MAX + 16];
    int exponent = 0;
    bool normal = value >= 0x1p-1022;
    bool power_of_two = normal && frexp(value, &exponent) == 0.5; /* exact: 0.5 comes for these alone */
    int count = normal ? DIGITS_SAFE : 1;

    for (; count <= DIGITS_MAX; count++) {
        (void)snprintf(text, sizeof text, "%.*e", count - 1, value);
        if (count == DIGITS_MAX || strtod(text, NULL) == value)
            break;
        if (power_of_two) {
            step_up(text, count);
            if (strtod(text, NULL) == value)
                break;
        }
    }
    split_scientific(text, count, ret);
}

/* The digits of a whole number below 10^18, without zeros at the end. `places` of them stand behind the point. */
static void
split_integer(int64_t number, int places, struct decimal *ret)
{
    char text[20], *end = text + sizeof text, *begin = end;

    for (; number != 0; number /= 10)
        *--begin = (char)('0' + number % 10);
    ret->point = (int)(end - begin) - places;
    while (end - begin > 1 && end[-1] == '0')
        end--;
    ret->count = (int)(end - begin);
    memcpy(ret->digits, begin, (size_t)ret->count);
    ret->digits[ret->count] = '\0';
}

/* The decimal of a positive number. Integers, and what has up to six places and 15 digits, need no printf: a decimal
 * of at most 15 digits that gives the number back is the only one, and a division by 10^6 is correctly rounded. */
static void
decimal_of(double value, struct decimal *ret)
{
    if (value < INTEGERS_MAX) {
        int64_t whole = (int64_t)value;

        if ((double)whole == value) {
            split_integer(whole, 0, ret);
            return;
        }
        if (value >= 1e-6 && value < DECIMALS_MAX / 1e6) {
            int64_t millionths = (int64_t)(value * 1e6 + 0.5);

            if ((double)millionths / 1e6 == value) {
                split_integer(millionths, 6, ret);
                return;
            }
        }
    }
    shortest(value, ret);
}

/* Appends count zeros. */
static char *
put_zeros(char *to, int count)
{
    memset(to, '0', (size_t)count);
    return to + count;
}

static char *
put_digits(char *to, const char *digits, int count)
{
    memcpy(to, digits, (size_t)count);
    return to + count;
}

/* ECMA-262, Number::toString (radix 10), steps 6 to 10; k is count and n is point there. */
size_t
lf_number_format(double value, char text[LF_NUMBER_TEXT_MAX])
{
    struct decimal decimal;
    char *to = text;
    int k = 0, n = 0;

    assert(isfinite(value));
    if (value == 0) {
        memcpy(text, "0", 2);
        return 1;
    }
    if (value < 0)
        *to++ = '-';
    decimal_of(fabs(value), &decimal);
    k = decimal.count;
    n = decimal.point;
    if (n >= k && n <= 21) {
        to = put_digits(to, decimal.digits, k);
        to = put_zeros(to, n - k);
    } else if (n > 0 && n <= 21) {
        to = put_digits(to, decimal.digits, n);
        *to++ = '.';
        to = put_digits(to, decimal.digits + n, k - n);
    } else if (n > -6 && n <= 0) {
        *to++ = '0';
        *to++ = '.';
        to = put_zeros(to, -n);
        to = put_digits(to, decimal.digits, k);
    } else {
        *to++ = decimal.digits[0];
        if (k > 1) {
            *to++ = '.';
            to = put_digits(to, decimal.digits + 1, k - 1);
        }
        to += snprintf(to, (size_t)(text + LF_NUMBER_TEXT_MAX - to), "e%c%d", n > 0 ? '+' : '-', abs(n - 1));
    }
    *to = '\0';
    return (size_t)(to - text);
}

bool
lf_number_to_scaled(double value, int places, int64_t *ret_scaled)
{
    static const int64_t MOST = 9000000000000000;
    struct decimal decimal;
    int64_t scaled = 0;
    int digits = 0;

    assert(places >= 0 && places <= PLACES_MAX);
    if (!isfinite(value))
        return false;
    if (value == 0) {
        *ret_scaled = 0;
        return true;
    }
    decimal_of(fabs(value), &decimal);
    digits = decimal.point + places; /* of the result; those beyond the decimal's own are zeros */
    if (digits < decimal.count || digits > 16)
        return false;
    for (int i = 0; i < digits; i++)
        scaled = scaled * 10 + (i < decimal.count ? decimal.digits[i] - '0' : 0);
    if (scaled > MOST)
        return false;
    *ret_scaled = value < 0 ? -scaled : scaled;
    return true;
}
