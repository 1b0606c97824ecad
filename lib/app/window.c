/* window.c - see window.h. */
#include "app/window.h"

#define MS_PER_HOUR INT64_C(3600000)

enum { HOURS_PER_DAY = 24 };

static int64_t
divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t
lf_window_hour(int64_t ms)
{
    return divide_down(ms, MS_PER_HOUR);
}

/* Days from 1970-01-01 to the first of a month; months count from March of the year 0, so that a leap day is a year's
 * last one (Richards, Explanatory Supplement to the Astronomical Almanac, 2013). */
static int64_t
month_begin(int64_t months)
{
    int64_t year = divide_down(months, 12), month = months - 12 * year;

    return 365 * year + divide_down(year, 4) - divide_down(year, 100) + divide_down(year, 400) + (153 * month + 2) / 5 -
           719468;
}

/* The month that the day lies in, counted as above. A month has 30.436875 days, and none begins two days from where
 * that would put it. */
static int64_t
month_of(int64_t day)
{
    int64_t months = divide_down((day + 719468) * 4800, 146097);

    while (month_begin(months) > day)
        months--;
    while (month_begin(months + 1) <= day)
        months++;
    return months;
}

int64_t
lf_window_span_start(enum lf_rollup_span span, int64_t hour)
{
    int64_t day = divide_down(hour, HOURS_PER_DAY);

    if (span == LF_SPAN_MONTH)
        return HOURS_PER_DAY * month_begin(month_of(day));
    return span == LF_SPAN_DAY ? HOURS_PER_DAY * day : hour;
}

/* The first span that begins at that hour or behind it. */
static int64_t
span_ceiling(enum lf_rollup_span span, int64_t hour)
{
    int64_t start = lf_window_span_start(span, hour);

    if (start == hour)
        return hour;
    if (span == LF_SPAN_DAY)
        return start + HOURS_PER_DAY;
    return HOURS_PER_DAY * month_begin(month_of(divide_down(hour, HOURS_PER_DAY)) + 1);
}

static size_t
add_part(struct lf_window_part *parts, size_t count, enum lf_rollup_span span, int64_t from, int64_t to)
{
    if (from >= to)
        return count;
    parts[count] = (struct lf_window_part){span, from, to};
    return count + 1;
}

/* Covers [from, to) with spans no longer than `span`: what does not fit at either end is left to shorter ones. */
static size_t
cover(int64_t from, int64_t to, enum lf_rollup_span span, struct lf_window_part *parts, size_t count)
{
    enum lf_rollup_span shorter = span == LF_SPAN_MONTH ? LF_SPAN_DAY : LF_SPAN_HOUR;
    int64_t first = from, last = to;

    if (from >= to)
        return count;
    if (span == LF_SPAN_HOUR)
        return add_part(parts, count, LF_SPAN_HOUR, from, to);
    if (from != INT64_MIN)
        first = span_ceiling(span, from);
    if (to != INT64_MAX)
        last = lf_window_span_start(span, to);
    if (first >= last)
        return cover(from, to, shorter, parts, count);
    count = cover(from, first, shorter, parts, count);
    count = add_part(parts, count, span, first, last);
    return cover(last, to, shorter, parts, count);
}

size_t
lf_window_cover(struct lf_window window, enum lf_rollup_span longest,
                struct lf_window_part ret_parts[LF_WINDOW_PARTS_MAX])
{
    return cover(window.from_hour, window.to_hour, longest, ret_parts, 0);
}

enum lf_status
lf_window_each(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind, struct lf_window window,
               enum lf_rollup_span longest,
               enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup), void *context,
               struct lf_error *error)
{
    struct lf_window_part parts[LF_WINDOW_PARTS_MAX];
    size_t count = lf_window_cover(window, longest, parts);
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = lf_store_each_rollup(reader, version_id, kind, parts[i].span, parts[i].from_hour, parts[i].to_hour,
                                      each, context, error);
    return status;
}

/* ---- sums ---- */

enum lf_status
lf_window_hold(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena,
               struct lf_window_version *version, struct lf_error *error)
{
    const struct lf_cataloged *entry = NULL;
    enum lf_status status = LF_OK;

    if (version->entry != NULL)
        return LF_OK;
    status = lf_catalog_hold(catalog, reader, version->version_id, &entry, error);
    if (status != LF_OK)
        return status;
    if (!lf_tally_init(&version->tally, arena, entry->icp)) {
        lf_catalog_release(catalog, entry);
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while summing up scores");
    }
    version->entry = entry;
    return LF_OK;
}

struct summing {
    struct lf_catalog *catalog;
    struct lf_store_reader *reader;
    struct lf_arena *arena;
    struct lf_window_version *version;
    bool heads;
    struct lf_error *error;
};

static enum lf_status
sum_one(void *context, const struct lf_stored_rollup *rollup)
{
    struct summing *summing = context;
    struct lf_window_version *version = summing->version;
    enum lf_status status = LF_OK;

    if (version->entry == NULL)
        status = lf_window_hold(summing->catalog, summing->reader, summing->arena, version, summing->error);
    if (status != LF_OK)
        return status;
    return (summing->heads ? lf_tally_add_head : lf_tally_add)(&version->tally, rollup->body, rollup->body_len,
                                                               summing->error);
}

enum lf_status
lf_window_sum(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena,
              struct lf_window window, bool heads, struct lf_window_version *version, struct lf_error *error)
{
    struct summing summing = {catalog, reader, arena, version, heads, error};

    return lf_window_each(reader, version->version_id, LF_ROLLUP_TALLY, window, LF_SPAN_MONTH, sum_one, &summing,
                          error);
}

struct adding {
    struct lf_tally *tally;
    struct lf_wins *wins;
    struct lf_error *error;
};

static enum lf_status
add_tally(void *context, const struct lf_stored_rollup *rollup)
{
    struct adding *adding = context;

    return lf_tally_add(adding->tally, rollup->body, rollup->body_len, adding->error);
}

static enum lf_status
add_wins(void *context, const struct lf_stored_rollup *rollup)
{
    struct adding *adding = context;

    return lf_wins_add(adding->wins, rollup->body, rollup->body_len, adding->error);
}

enum lf_status
lf_window_sum_baseline(struct lf_store_reader *reader, int64_t version_id, struct lf_tally *tally,
                       struct lf_error *error)
{
    struct adding adding = {.tally = tally, .error = error};

    return lf_store_each_rollup(reader, version_id, LF_ROLLUP_TALLY, LF_SPAN_BASELINE, 0, 1, add_tally, &adding, error);
}

enum lf_status
lf_window_sum_wins(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                   struct lf_window window, struct lf_wins *wins, struct lf_error *error)
{
    struct adding adding = {.wins = wins, .error = error};

    return lf_window_each(reader, version_id, kind, window, LF_SPAN_MONTH, add_wins, &adding, error);
}
