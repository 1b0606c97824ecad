/* zone_rule.c - see zone_rule.h. */
#include "base/zone_rule.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK_DAYS = 7, OFFSET_HOURS_MAX = 24, TIME_HOURS_MAX = 167 };

/* ---- reading ---- */

struct text {
    const char *at, *end;
};

static bool
take(struct text *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool
is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* CEST, or <+03>. */
static bool
skip_name(struct text *text)
{
    bool quoted = take(text, '<');
    const char *begin = text->at;
    bool long_enough = false;

    while (text->at < text->end &&
           (is_letter(*text->at) || (quoted && (is_digit(*text->at) || *text->at == '+' || *text->at == '-'))))
        text->at++;
    long_enough = text->at - begin >= 3;
    return (!quoted || take(text, '>')) && long_enough;
}

static bool
take_int(struct text *text, int least, int greatest, int *ret_number)
{
    const char *begin = text->at;
    int number = 0;

    while (text->at < text->end && is_digit(*text->at) && text->at - begin < 3)
        number = number * 10 + (*text->at++ - '0');
    *ret_number = number;
    return text->at > begin && number >= least && number <= greatest;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(struct text *text, int hours_max, int32_t *ret_s)
{
    bool minus = take(text, '-');
    int hours = 0, minutes = 0, seconds = 0;

    if (!minus)
        (void)take(text, '+');
    if (!take_int(text, 0, hours_max, &hours))
        return false;
    if (take(text, ':')) {
        if (!take_int(text, 0, 59, &minutes))
            return false;
        if (take(text, ':') && !take_int(text, 0, 59, &seconds))
            return false;
    }
    *ret_s = (minus ? -1 : 1) * (hours * HOUR + minutes * MINUTE + seconds);
    return true;
}

static bool
take_day(struct text *text, struct lf_zone_change *change)
{
    if (take(text, 'M')) {
        change->kind = LF_ZONE_CHANGE_MONTH;
        return take_int(text, 1, 12, &change->month) && take(text, '.') && take_int(text, 1, 5, &change->week) &&
               take(text, '.') && take_int(text, 0, WEEK_DAYS - 1, &change->day);
    }
    if (take(text, 'J')) {
        change->kind = LF_ZONE_CHANGE_JULIAN;
        return take_int(text, 1, 365, &change->day);
    }
    change->kind = LF_ZONE_CHANGE_ZERO;
    return take_int(text, 0, 365, &change->day);
}

static bool
take_change(struct text *text, struct lf_zone_change *change)
{
    if (!take(text, ',') || !take_day(text, change))
        return false;
    change->time_s = 2 * HOUR;
    return !take(text, '/') || take_time(text, TIME_HOURS_MAX, &change->time_s);
}

bool
lf_zone_rule_parse(const char *text, size_t len, struct lf_zone_rule *ret_rule)
{
    struct text rest = {text, text + len};
    struct lf_zone_rule rule = {.has_daylight = false};

    if (!skip_name(&rest) || !take_time(&rest, OFFSET_HOURS_MAX, &rule.standard_s))
        return false;
    rule.standard_s = -rule.standard_s; /* the string counts westwards */
    if (rest.at < rest.end) {
        rule.has_daylight = true;
        rule.daylight_s = rule.standard_s + HOUR;
        if (!skip_name(&rest))
            return false;
        if (rest.at < rest.end && *rest.at != ',') {
            if (!take_time(&rest, OFFSET_HOURS_MAX, &rule.daylight_s))
                return false;
            rule.daylight_s = -rule.daylight_s;
        }
        if (!take_change(&rest, &rule.start) || !take_change(&rest, &rule.end) || rest.at < rest.end)
            return false;
    }
    *ret_rule = rule;
    return true;
}

/* ---- looking ---- */

static int64_t
floor_div(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

static bool
is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970 to 1 January of the year. */
static int64_t
year_days(int64_t year)
{
    int64_t before = year - 1;

    return 365 * (year - 1970) + floor_div(before, 4) - floor_div(before, 100) + floor_div(before, 400) - 477;
}

/* The year that a day since 1970 lies in. */
static int64_t
year_of(int64_t day)
{
    int64_t year = 1970 + floor_div(day * 400, 146097); /* 400 years have 146,097 days; at most one year off */

    while (year_days(year) > day)
        year--;
    while (year_days(year + 1) <= day)
        year++;
    return year;
}

/* The day of the year, from 0. */
static int
change_day(const struct lf_zone_change *change, int64_t year)
{
    static const int BEGINS[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int leap = is_leap(year), begin = 0, end = 0, day = 0;

    switch (change->kind) {
    case LF_ZONE_CHANGE_JULIAN:
        return change->day - 1 + (leap && change->day > BEGINS[2]);
    case LF_ZONE_CHANGE_ZERO:
        return change->day;
    case LF_ZONE_CHANGE_MONTH:
        break;
    }
    begin = BEGINS[change->month - 1] + (change->month > 2 ? leap : 0);
    end = BEGINS[change->month] + (change->month > 1 ? leap : 0);
    day = (int)((year_days(year) + begin + 4) % WEEK_DAYS); /* 1 January 1970 was a Thursday */
    day = begin + (change->day - (day + WEEK_DAYS) % WEEK_DAYS + WEEK_DAYS) % WEEK_DAYS; /* the first such day */
    day += (change->week - 1) * WEEK_DAYS;
    return day < end ? day : day - WEEK_DAYS;
}

static int64_t
change_s(const struct lf_zone_change *change, int64_t year, int32_t offset_s)
{
    return (year_days(year) + change_day(change, year)) * DAY + change->time_s - offset_s;
}

static void
note_next(int64_t change, int64_t unix_s, int64_t *next)
{
    if (change > unix_s && change < *next)
        *next = change;
}

/* With times of a week either way and offsets of a day, saving may begin and end in the years beside its own; south of
 * the equator it ends in the next one. Where it lasts all the year, its end is the next one's start or later: then it
 * never ends. Hence it is asked whether it lasts of any of the years around. */
int32_t
lf_zone_rule_look(const struct lf_zone_rule *rule, int64_t unix_s, int64_t *ret_until_s)
{
    int64_t year = year_of(floor_div(unix_s, DAY)), next = INT64_MAX;
    bool saving = false;

    for (int64_t y = year - 2; rule->has_daylight && y <= year + 2; y++) {
        int64_t start = change_s(&rule->start, y, rule->standard_s), end = change_s(&rule->end, y, rule->daylight_s);

        if (end < start)
            end = change_s(&rule->end, y + 1, rule->daylight_s);
        saving |= start <= unix_s && unix_s < end;
        note_next(start, unix_s, &next);
        note_next(end, unix_s, &next);
    }
    *ret_until_s = next;
    return saving ? rule->daylight_s : rule->standard_s;
}
