/*
 * shift.h - since when a share has been greater than before. Pure and thread-safe.
 */
#ifndef LF_CORE_SHIFT_H
#define LF_CORE_SHIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On day i a field was missing in missing[i] of known[i] scores (0 <= missing[i] <= known[i]; sums within
 * LF_COUNT_MAX). Finds the day that best divides the days into two with a share each (two-segment binomial
 * likelihood; Hinkley and Hinkley 1970): *ret_day, 1..count - 1, is the first of the second part, a day with known
 * scores; the earliest of equally good ones.
 *
 * false where no day can be named honestly: the share did not rise there, or by less than ten points, or so little that
 * it can be chance (the likelihood gained is below the price of two more parameters: Schwarz 1978). */
bool lf_shift_find(const int64_t *missing, const int64_t *known, size_t count, size_t *ret_day);

#endif
