/*
 * zone.h - named time zones: where a day begins in Europe/Berlin.
 *
 * Reads the system's time zone database (TZif, RFC 9636; /usr/share/zoneinfo, or the folder named by TZDIR), beyond its
 * table by the rule at its end. libc's own functions know one zone for the whole process, and the libraries that know
 * more bring tens of megabytes or end the process when memory is out; hence this reader. A zone is immutable and
 * thread-safe, and lives in its arena.
 */
#ifndef LF_BASE_ZONE_H
#define LF_BASE_ZONE_H

#include "base/arena.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct lf_zone;

/* Finds a zone by name: "UTC" (always there), "Europe/Berlin". INVALID_PARAMETER for a name that is none (a path, too
 * long, not in the database), with what to write; FILE when the database is not installed or its file is damaged;
 * OUT_OF_MEMORY. */
enum lf_status lf_zone_open(struct lf_arena *arena, const char *name, const struct lf_zone **ret_zone,
                            struct lf_error *error) LF_MUST_CHECK;

/* Reads a zone from the bytes of a TZif file, which may go afterwards. FILE when they are damaged; OUT_OF_MEMORY. */
enum lf_status lf_zone_read(struct lf_arena *arena, const void *bytes, size_t len, const struct lf_zone **ret_zone,
                            struct lf_error *error) LF_MUST_CHECK;

/* Seconds to add to UTC at that moment to get local time. */
int lf_zone_offset_s(const struct lf_zone *zone, int64_t unix_s);

/* The beginning of the local day that the moment lies in, and of the next one: seconds since 1970. Where local midnight
 * does not exist (the clock jumps over it) the day begins with the first moment that exists; where it comes twice, with
 * the first. So days follow each other without a gap; a local day that the zone skipped is none. */
void lf_zone_day(const struct lf_zone *zone, int64_t unix_s, int64_t *ret_begin_s, int64_t *ret_end_s);

#endif
