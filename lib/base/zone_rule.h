/*
 * zone_rule.h - what a zone does beyond its table: the TZ string at the end of a TZif file, such as
 * CET-1CEST,M3.5.0,M10.5.0/3 (POSIX.1-2017, 8.3, with RFC 9636's times from -167 to 167 hours). Internal to lib/base.
 * Pure.
 */
#ifndef LF_BASE_ZONE_RULE_H
#define LF_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When the clock changes each year. */
enum lf_zone_change_kind {
    LF_ZONE_CHANGE_JULIAN, /* Jn: day 1..365, never 29 February */
    LF_ZONE_CHANGE_ZERO,   /* n: day 0..365 */
    LF_ZONE_CHANGE_MONTH   /* Mm.w.d */
};

struct lf_zone_change {
    enum lf_zone_change_kind kind;
    int day;         /* of the year; of the week (0 is Sunday) with a month */
    int week, month; /* week 5 is the last one */
    int32_t time_s;  /* behind local midnight, by the clock that ends */
};

struct lf_zone_rule {
    int32_t standard_s, daylight_s; /* east of UTC */
    bool has_daylight;
    struct lf_zone_change start, end; /* of daylight saving */
};

/* Reads the string, to its last byte. false: it is none, or daylight saving is without its dates. */
bool lf_zone_rule_parse(const char *text, size_t len, struct lf_zone_rule *ret_rule);

/* The offset at that moment (within 2^59 s of 1970), and the first moment after it at which that may change; INT64_MAX
 * for never. */
int32_t lf_zone_rule_look(const struct lf_zone_rule *rule, int64_t unix_s, int64_t *ret_until_s);

#endif
