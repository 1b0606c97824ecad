/*
 * number.h - numbers as text and text as numbers, the way JSON and RFC 8785 have it.
 *
 * All functions are pure and independent of the locale.
 */
#ifndef LF_BASE_NUMBER_H
#define LF_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_NUMBER_TEXT_MAX = 32 };

/* Whether the text is exactly one JSON number (RFC 8259: no sign +, no leading zero, no bare point). */
bool lf_number_is_json(const char *text, size_t len);

/* The double nearest to a JSON number; false when it is not one, is longer than 1,000 characters, or is not finite. */
bool lf_number_parse(const char *text, size_t len, double *ret_value);

/* Writes the number as ECMAScript's Number::toString does (RFC 8785): the shortest digits that give the same double
 * back, of these the nearest. NUL-terminated; returns the length. -0 is "0". The number is finite. */
size_t lf_number_format(double value, char text[LF_NUMBER_TEXT_MAX]);

/* value as value * 10^places exactly, judged by its shortest decimal form: 0.1 with 6 places is 100000. false when
 * the form has more places or the result is beyond +-9e15. places 0..9. */
bool lf_number_to_scaled(double value, int places, int64_t *ret_scaled);

#endif
