/*
 * number_scan.h - how a JSON number is written (RFC 8259, section 6), said once.
 *
 * Internal to lib/base: the door (json_door.c) and number.c share this scanner. It looks at the grammar alone;
 * value, length and range are for its callers. Pure.
 */
#ifndef LF_BASE_NUMBER_SCAN_H
#define LF_BASE_NUMBER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* The longest number that the project reads: a double has at most 767 significant digits, so this cuts off nothing
 * that anybody means and keeps the exact conversion cheap. */
enum { LF_NUMBER_CHARS_MAX = 1000 };

/* Exponents are counted up to here: far beyond what LF_NUMBER_CHARS_MAX digits can make up for, far below overflow. */
enum { LF_NUMBER_EXPONENT_MAX = 100000 };

struct lf_number_shape {
    const char *end;     /* behind the number, or where something else should have stood */
    const char *wanted;  /* what should have stood at end; NULL when all is well */
    size_t whole_digits; /* before the point */
    int exponent;        /* as written, within +-LF_NUMBER_EXPONENT_MAX */
    bool integral;       /* neither point nor exponent */
};

static inline bool
lf_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *
lf_skip_digits(const char *p, const char *end)
{
    while (p < end && lf_is_digit(*p))
        p++;
    return p;
}

/* Reads the longest number that begins at p. false when there is none: then `end` and `wanted` tell. */
static inline bool
lf_number_scan(const char *p, const char *end, struct lf_number_shape *ret_shape)
{
    const char *digits = NULL;

    *ret_shape = (struct lf_number_shape){.integral = true};
    if (p < end && *p == '-')
        p++;
    digits = p;
    p = lf_skip_digits(p, end);
    ret_shape->whole_digits = (size_t)(p - digits);
    ret_shape->end = p;
    if (p == digits) {
        ret_shape->wanted = "a digit";
        return false;
    }
    if (*digits == '0' && p > digits + 1) {
        ret_shape->end = digits + 1;
        ret_shape->wanted = "the end of the number, or a point, after its leading zero";
        return false;
    }
    if (p < end && *p == '.') {
        ret_shape->integral = false;
        digits = ++p;
        p = lf_skip_digits(p, end);
        ret_shape->end = p;
        if (p == digits) {
            ret_shape->wanted = "a digit after the point";
            return false;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool negative = false;
        int exponent = 0;

        ret_shape->integral = false;
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            negative = *p++ == '-';
        digits = p;
        for (; p < end && lf_is_digit(*p); p++)
            exponent = exponent < LF_NUMBER_EXPONENT_MAX / 10 ? exponent * 10 + (*p - '0') : LF_NUMBER_EXPONENT_MAX;
        ret_shape->end = p;
        if (p == digits) {
            ret_shape->wanted = "a digit in the exponent";
            return false;
        }
        ret_shape->exponent = negative ? -exponent : exponent;
    }
    return true;
}

#endif
