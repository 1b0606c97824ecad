/*
 * time.h - points in time: reading them, writing them, and the two clocks.
 *
 * A point is an int64_t of microseconds (suffix _us) or milliseconds (_ms) since 1970-01-01T00:00:00Z, in the
 * proleptic Gregorian calendar, years 0000 to 9999. No leap seconds. Pure but for the clocks.
 */
#ifndef LF_BASE_TIME_H
#define LF_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_TIME_TEXT_MAX = 32 };

/* `YYYY-MM-DD` (midnight UTC) or RFC 3339 with a T, t or space, Z, z, an offset or none (UTC), seconds 00..59, a
 * fraction of any length (cut after microseconds). No trimming. false when it is not one or is out of range. */
bool lf_time_parse(const char *text, size_t len, int64_t *ret_us);

/* The same, but the plain date alone. */
bool lf_time_parse_date(const char *text, size_t len, int64_t *ret_us);

/* Unix time: seconds, or milliseconds where |number| >= 1e11; rounded to the nearest microsecond. false when the
 * year would leave 0000..9999. */
bool lf_time_from_number(double number, int64_t *ret_us);

/* Floors microseconds to milliseconds (also before 1970). */
int64_t lf_time_us_to_ms(int64_t us);

/* Writes 2026-11-22T09:30:00.123Z; returns the length (24). NUL-terminated. */
size_t lf_time_format_ms(int64_t ms, char text[LF_TIME_TEXT_MAX]);

/* Writes 2026-11-22; returns the length (10). NUL-terminated. */
size_t lf_time_format_date(int64_t us, char text[LF_TIME_TEXT_MAX]);

/* Now, by the wall clock, in milliseconds. */
int64_t lf_time_now_ms(void);

/* A clock that never goes back, in nanoseconds from some beginning. */
int64_t lf_time_monotonic_ns(void);

#endif
