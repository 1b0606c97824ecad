/*
 * test_window.c - what covers a window: against a cover that is laid hour by hour, and the calendar of libc.
 */
#include "app/window.h"
#include "support.h"

#include <time.h>

static struct tm
calendar(int64_t hour)
{
    time_t at = (time_t)hour * 3600;
    struct tm tm;

    assert_non_null(gmtime_r(&at, &tm));
    return tm;
}

static int64_t
hour_of(struct tm *tm)
{
    return (int64_t)timegm(tm) / 3600;
}

/* The beginning of the span behind the one that begins at `hour`. */
static int64_t
behind(enum lf_rollup_span span, int64_t hour)
{
    struct tm tm = calendar(hour);

    if (span == LF_SPAN_HOUR)
        return hour + 1;
    tm.tm_mday += span == LF_SPAN_DAY;
    tm.tm_mon += span == LF_SPAN_MONTH;
    return hour_of(&tm);
}

static bool
begins(enum lf_rollup_span span, int64_t hour)
{
    struct tm tm = calendar(hour);

    return span == LF_SPAN_HOUR || (tm.tm_hour == 0 && (span == LF_SPAN_DAY || tm.tm_mday == 1));
}

/* The longest span that begins at the hour and ends within the window. */
static enum lf_rollup_span
longest_at(int64_t hour, int64_t to, enum lf_rollup_span longest)
{
    enum lf_rollup_span span = longest;

    while (span > LF_SPAN_HOUR && !(begins(span, hour) && behind(span, hour) <= to))
        span--;
    return span;
}

static void
assert_cover(int64_t from, int64_t to, enum lf_rollup_span longest)
{
    struct lf_window_part parts[LF_WINDOW_PARTS_MAX];
    size_t count = lf_window_cover((struct lf_window){from, to}, longest, parts), part = 0;
    int64_t at = from;

    assert_true(count <= LF_WINDOW_PARTS_MAX);
    if (from >= to)
        assert_int_equal(count, 0);
    while (at < to) {
        enum lf_rollup_span span = longest_at(at, to, longest);

        assert_true(part < count);
        assert_int_equal(parts[part].span, span);
        assert_true(parts[part].from_hour <= at && at < parts[part].to_hour);
        at = behind(span, at);
        if (at == parts[part].to_hour)
            part++;
        else
            assert_true(at < parts[part].to_hour);
    }
    assert_int_equal(part, count);
    if (count > 0) {
        assert_int_equal(parts[0].from_hour, from);
        assert_int_equal(parts[count - 1].to_hour, to);
    }
    for (size_t i = 1; i < count; i++)
        assert_int_equal(parts[i].from_hour, parts[i - 1].to_hour);
}

static void
test_against_a_naive_cover(void **state)
{
    struct support_random random = {7};

    (void)state;
    for (int i = 0; i < 3000; i++) {
        int64_t from = (int64_t)support_random(&random, 1200000) - 300000; /* 1935 to 2072 */
        int64_t length = support_random(&random, i % 3 == 0 ? 100 : i % 3 == 1 ? 3000 : 40000);

        assert_cover(from, from + length, LF_SPAN_MONTH);
        assert_cover(from, from + length, LF_SPAN_DAY);
        if (length < 100)
            assert_cover(from, from + length, LF_SPAN_HOUR);
    }
}

static void
test_edges(void **state)
{
    int64_t year = hour_of(&(struct tm){.tm_year = 124, .tm_mday = 1}); /* 2024: a leap year */

    (void)state;
    for (int64_t from = -26; from <= 26; from++)
        for (int64_t to = -26; to <= 26; to++) {
            assert_cover(year + from, year + 366 * 24 + to, LF_SPAN_MONTH);
            assert_cover(year + from, year + to, LF_SPAN_MONTH);
            assert_cover(year + (31 + 28) * 24 + from, year + (31 + 29) * 24 + to, LF_SPAN_MONTH);
        }
}

static void
assert_part(const struct lf_window_part *part, enum lf_rollup_span span, int64_t from, int64_t to)
{
    assert_int_equal(part->span, span);
    assert_int_equal(part->from_hour, from);
    assert_int_equal(part->to_hour, to);
}

static void
test_open_ends(void **state)
{
    int64_t noon = hour_of(&(struct tm){.tm_year = 126, .tm_mon = 4, .tm_mday = 6, .tm_hour = 12});
    int64_t day = noon - 12, month = day - 5 * 24;
    struct lf_window_part parts[LF_WINDOW_PARTS_MAX];

    (void)state;
    assert_int_equal(lf_window_cover((struct lf_window){INT64_MIN, INT64_MAX}, LF_SPAN_MONTH, parts), 1);
    assert_part(&parts[0], LF_SPAN_MONTH, INT64_MIN, INT64_MAX);

    assert_int_equal(lf_window_cover((struct lf_window){INT64_MIN, noon}, LF_SPAN_MONTH, parts), 3);
    assert_part(&parts[0], LF_SPAN_MONTH, INT64_MIN, month);
    assert_part(&parts[1], LF_SPAN_DAY, month, day);
    assert_part(&parts[2], LF_SPAN_HOUR, day, noon);

    assert_int_equal(lf_window_cover((struct lf_window){noon, INT64_MAX}, LF_SPAN_DAY, parts), 2);
    assert_part(&parts[0], LF_SPAN_HOUR, noon, day + 24);
    assert_part(&parts[1], LF_SPAN_DAY, day + 24, INT64_MAX);

    assert_int_equal(lf_window_cover((struct lf_window){INT64_MIN, INT64_MAX}, LF_SPAN_HOUR, parts), 1);
    assert_part(&parts[0], LF_SPAN_HOUR, INT64_MIN, INT64_MAX);
}

static void
test_beginnings(void **state)
{
    struct support_random random = {11};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        int64_t hour = (int64_t)support_random(&random, 40000000) - 10000000; /* the years 830 to 5390 */
        struct tm tm = calendar(hour);

        assert_int_equal(lf_window_span_start(LF_SPAN_HOUR, hour), hour);
        assert_int_equal(lf_window_span_start(LF_SPAN_DAY, hour), hour - tm.tm_hour);
        assert_int_equal(lf_window_span_start(LF_SPAN_MONTH, hour), hour - tm.tm_hour - 24 * (tm.tm_mday - 1));
    }
    assert_int_equal(lf_window_hour(0), 0);
    assert_int_equal(lf_window_hour(3599999), 0);
    assert_int_equal(lf_window_hour(3600000), 1);
    assert_int_equal(lf_window_hour(-1), -1);
    assert_int_equal(lf_window_hour(-3600000), -1);
    assert_int_equal(lf_window_hour(-3600001), -2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_naive_cover),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_open_ends),
        cmocka_unit_test(test_beginnings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
