/* window.c - see window.h. */
#include "api/window.h"

#include "api/handlers.h"
#include "base/time.h"

#include <string.h>

#define US_PER_S INT64_C(1000000)
#define US_PER_HOUR INT64_C(3600000000)
#define MS_PER_HOUR INT64_C(3600000)

/* The hours of the years 0000 and 9999 that can still be told. */
#define FIRST_HOUR INT64_C(-17268960) /* 0000-01-01T00:00:00Z */
#define LAST_HOUR INT64_C(70389527)   /* 9999-12-31T23:00:00Z */

bool
lf_api_query_zone(struct lf_request *request, const char **ret_name, const struct lf_zone **ret_zone)
{
    const char *name = lf_request_query(request, "tz");
    const struct lf_zone *zone = NULL;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (name == NULL)
        name = "UTC";
    if (strcmp(name, "UTC") != 0)
        status = lf_zone_open(lf_request_scratch(request), name, &zone, &error);
    if (status == LF_FILE) /* the database of time zones is ours to install, and not the caller's */
        error.status = LF_INTERNAL;
    if (status != LF_OK) {
        lf_reply_problem(request, &error);
        return false;
    }
    *ret_name = name;
    *ret_zone = zone;
    return true;
}

/* The beginning of a date in the zone: of the local day that its noon lies in. */
static int64_t
midnight_us(const struct lf_zone *zone, int64_t date_us)
{
    enum { NOON_S = 43200 };
    int64_t noon_s = date_us / US_PER_S + NOON_S, begin_s = 0, end_s = 0;

    if (zone == NULL)
        return date_us;
    lf_zone_day(zone, noon_s - lf_zone_offset_s(zone, noon_s), &begin_s, &end_s);
    return begin_s * US_PER_S;
}

/* Whether a time that could be read has no offset at its end: Z, or +01:00. */
static bool
lacks_offset(const char *text, size_t len)
{
    return text[len - 1] != 'Z' && text[len - 1] != 'z' && text[len - 6] != '+' && text[len - 6] != '-';
}

static bool
read_moment(struct lf_request *request, const char *name, const struct lf_zone *zone, int64_t fallback, int64_t *ret_us)
{
    const char *text = lf_request_query(request, name);
    size_t len = text != NULL ? strlen(text) : 0;
    struct lf_error error;

    *ret_us = fallback;
    if (text == NULL)
        return true;
    if (lf_time_parse_date(text, len, ret_us)) {
        *ret_us = midnight_us(zone, *ret_us);
        return true;
    }
    if (lf_time_parse(text, len, ret_us)) {
        if (zone == NULL || !lacks_offset(text, len))
            return true;
        /* Dates are local in tz: such a time would be taken for a local one as well, and be wrong by hours. */
        (void)lf_fail(
            &error, LF_INVALID_PARAMETER,
            "%s: a time says how far it is from UTC, as in 2026-01-31T09:30:00Z or 2026-01-31T09:30:00%%2B01:00, "
            "not \"%.64s\"; a date alone begins at midnight in tz",
            name, text);
        lf_reply_problem(request, &error);
        return false;
    }
    (void)lf_fail(&error, LF_INVALID_PARAMETER,
                  "%s: a date or time belongs here, such as 2026-01-31 or 2026-01-31T09:30:00Z, not \"%.64s\" (a + is "
                  "written %%2B)",
                  name, text);
    lf_reply_problem(request, &error);
    return false;
}

static int64_t
within(int64_t hour)
{
    return hour < FIRST_HOUR ? FIRST_HOUR : hour > LAST_HOUR ? LAST_HOUR : hour;
}

bool
lf_api_query_window(struct lf_request *request, const char *from, const char *to, const struct lf_zone *zone,
                    struct lf_window *ret_window)
{
    int64_t from_us = 0, to_us = 0;
    struct lf_error error;

    if (!read_moment(request, from, zone, INT64_MIN, &from_us) || !read_moment(request, to, zone, INT64_MAX, &to_us))
        return false;
    if (from_us >= to_us) {
        (void)lf_fail(&error, LF_INVALID_PARAMETER,
                      "%s does not lie before %s: no score is in between; the earlier moment belongs into %s", from, to,
                      from);
        lf_reply_problem(request, &error);
        return false;
    }
    *ret_window = (struct lf_window){INT64_MIN, INT64_MAX};
    if (from_us != INT64_MIN)
        ret_window->from_hour = within(from_us / US_PER_HOUR - (from_us % US_PER_HOUR < 0));
    if (to_us != INT64_MAX)
        ret_window->to_hour = within(to_us / US_PER_HOUR + (to_us % US_PER_HOUR > 0));
    return true;
}

void
lf_api_put_end(struct lf_buf *buf, int64_t ms)
{
    if (ms == INT64_MIN || ms == INT64_MAX)
        lf_buf_lit(buf, "\"\"");
    else
        lf_api_put_time(buf, ms);
}

void
lf_api_put_hour(struct lf_buf *buf, int64_t hour)
{
    lf_api_put_end(buf, hour == INT64_MIN || hour == INT64_MAX ? hour : hour * MS_PER_HOUR);
}
