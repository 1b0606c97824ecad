/*
 * test_zone.c - zones: the database's own against what Python's zoneinfo says of it, rules against libc, damaged files.
 *
 * The days of ZONES were found by asking zoneinfo for the local time of each second around midnight. Without the
 * database they are left out.
 */
#include "base/zone.h"

#include "base/buf.h"
#include "base/time.h"
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

static int64_t
seconds(const char *time)
{
    return support_ms(time) / 1000;
}

static bool
has_database(void)
{
    return access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0;
}

/* ---- the database ---- */

/* Only what has been: what a zone is going to do is another thing with each release of the database. Rules for the
 * future are tried further down, on bytes of our own. */
static const struct {
    const char *name, *at;
    int offset_s;
    const char *begin, *end; /* of the local day */
    const char *why;
} ZONES[] = {
    {"UTC", "2026-07-01T12:00:00Z", 0, "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z", "nothing ever changes"},
    {"UTC", "1969-12-31T23:59:59Z", 0, "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "the last second before 1970"},
    {"UTC", "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z", "a day's first second is in it"},
    {"Etc/UTC", "2026-07-01T23:59:59Z", 0, "2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z", "from a file"},
    {"Europe/Berlin", "2024-01-15T12:00:00Z", 3600, "2024-01-14T23:00:00Z", "2024-01-15T23:00:00Z", "winter"},
    {"Europe/Berlin", "2024-07-15T22:30:00Z", 7200, "2024-07-15T22:00:00Z", "2024-07-16T22:00:00Z",
     "summer, past midnight"},
    {"Europe/Berlin", "2024-03-31T00:59:59Z", 3600, "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z",
     "a second before the clock jumps: a day of 23 hours"},
    {"Europe/Berlin", "2024-03-31T01:00:00Z", 7200, "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z",
     "the second in which it jumps"},
    {"Europe/Berlin", "2024-10-27T00:59:59Z", 7200, "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z",
     "the hour that comes twice: a day of 25 hours"},
    {"Europe/Berlin", "2024-10-27T01:00:00Z", 3600, "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z", "the second time"},
    {"Europe/Berlin", "1880-01-01T00:00:00Z", 3208, "1879-12-31T23:06:32Z", "1880-01-01T23:06:32Z",
     "local mean time, in seconds"},
    {"Europe/Berlin", "1893-03-31T23:06:31Z", 3208, "1893-03-30T23:06:32Z", "1893-03-31T23:06:32Z",
     "the last second of mean time"},
    {"America/New_York", "2025-03-09T07:00:00Z", -14400, "2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z", "spring"},
    {"America/New_York", "2025-11-02T06:00:00Z", -18000, "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z", "autumn"},
    {"America/New_York", "2000-02-29T04:59:59Z", -18000, "2000-02-28T05:00:00Z", "2000-02-29T05:00:00Z",
     "a leap day still to come"},
    {"Asia/Kolkata", "2024-06-01T18:29:59Z", 19800, "2024-05-31T18:30:00Z", "2024-06-01T18:30:00Z",
     "half an hour, no summer time"},
    {"Asia/Kolkata", "1945-06-01T12:00:00Z", 23400, "1945-05-31T17:30:00Z", "1945-06-01T17:30:00Z",
     "an hour ahead in the war"},
    {"Asia/Kathmandu", "2024-06-01T18:15:00Z", 20700, "2024-06-01T18:15:00Z", "2024-06-02T18:15:00Z",
     "a quarter of an hour"},
    {"Asia/Kathmandu", "1985-12-31T18:29:59Z", 19800, "1985-12-30T18:30:00Z", "1985-12-31T18:30:00Z",
     "before the quarter came: the day ends early"},
    {"Australia/Lord_Howe", "2025-01-10T13:00:00Z", 39600, "2025-01-10T13:00:00Z", "2025-01-11T13:00:00Z",
     "summer by half an hour"},
    {"Australia/Lord_Howe", "2025-04-05T15:00:00Z", 37800, "2025-04-05T13:00:00Z", "2025-04-06T13:30:00Z",
     "back by half an hour"},
    {"Australia/Lord_Howe", "2025-10-04T15:29:59Z", 37800, "2025-10-04T13:30:00Z", "2025-10-05T13:00:00Z",
     "just before the half hour is jumped"},
    {"America/Sao_Paulo", "2018-11-04T02:59:59Z", -10800, "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z",
     "the last second of the day before a midnight that is none"},
    {"America/Sao_Paulo", "2018-11-04T03:00:00Z", -7200, "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z",
     "the day begins at 01:00"},
    {"America/Sao_Paulo", "2018-02-18T01:30:00Z", -7200, "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z",
     "the hour before midnight, the first time"},
    {"America/Sao_Paulo", "2018-02-18T02:30:00Z", -10800, "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z",
     "the hour before midnight, the second time"},
    {"America/Sao_Paulo", "2018-02-18T03:00:00Z", -10800, "2018-02-18T03:00:00Z", "2018-02-19T03:00:00Z",
     "midnight at last"},
    {"America/Sao_Paulo", "2024-12-01T12:00:00Z", -10800, "2024-12-01T03:00:00Z", "2024-12-02T03:00:00Z",
     "no summer time any more"},
    {"Africa/Casablanca", "2025-02-01T12:00:00Z", 3600, "2025-01-31T23:00:00Z", "2025-02-01T23:00:00Z", "+01 by day"},
    {"Africa/Casablanca", "2025-03-12T12:00:00Z", 0, "2025-03-12T00:00:00Z", "2025-03-13T00:00:00Z", "+00 in Ramadan"},
    {"Africa/Casablanca", "2025-04-06T02:00:00Z", 3600, "2025-04-06T00:00:00Z", "2025-04-06T23:00:00Z",
     "back from it: a day of 23 hours"},
    {"Pacific/Apia", "2011-12-30T09:59:59Z", -36000, "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z",
     "the last second before the skipped day"},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", 50400, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z",
     "31 December follows on the 29th"},
    {"Pacific/Apia", "2024-01-01T00:00:00Z", 46800, "2023-12-31T11:00:00Z", "2024-01-01T11:00:00Z", "+13 since"},
    {"Pacific/Kwajalein", "1993-08-21T11:59:59Z", -43200, "1993-08-20T12:00:00Z", "1993-08-21T12:00:00Z",
     "the end of 20 August"},
    {"Pacific/Kwajalein", "1993-08-21T12:00:00Z", 43200, "1993-08-21T12:00:00Z", "1993-08-22T12:00:00Z",
     "which 22 August follows"},
    {"Europe/Dublin", "2024-01-15T12:00:00Z", 0, "2024-01-15T00:00:00Z", "2024-01-16T00:00:00Z",
     "winter time is the saving one, by a negative hour"},
    {"Europe/Dublin", "2024-07-15T12:00:00Z", 3600, "2024-07-14T23:00:00Z", "2024-07-15T23:00:00Z",
     "standard time is in summer"},
    {"America/Nuuk", "2022-06-01T12:00:00Z", -7200, "2022-06-01T02:00:00Z", "2022-06-02T02:00:00Z", "-02 in summer"},
    {"America/Nuuk", "2023-12-01T12:00:00Z", -7200, "2023-12-01T02:00:00Z", "2023-12-02T02:00:00Z", "-02 all the year"},
    {"America/Nuuk", "2024-03-31T01:00:00Z", -3600, "2024-03-31T01:00:00Z", "2024-04-01T01:00:00Z",
     "the clock jumps on the evening before: a rule with a negative time"},
    {"America/Nuuk", "2024-03-31T00:59:59Z", -7200, "2024-03-30T02:00:00Z", "2024-03-31T01:00:00Z", "just before that"},
    {"America/St_Johns", "2006-10-29T02:30:30Z", -9000, "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z",
     "it shows 00:00:30, for the first time"},
    {"America/St_Johns", "2006-10-29T02:31:30Z", -12600, "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z",
     "a minute past midnight the clock goes back before it: the new day has begun"},
    {"America/St_Johns", "2006-10-29T03:30:00Z", -12600, "2006-10-29T02:30:00Z", "2006-10-30T03:30:00Z",
     "midnight for the second time"},
    {"America/Havana", "2025-11-02T04:30:00Z", -14400, "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z",
     "half past midnight, for the first time"},
    {"America/Havana", "2025-11-02T05:30:00Z", -18000, "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z",
     "half past midnight, for the second time"},
    {"America/Havana", "2025-03-09T05:00:00Z", -14400, "2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z",
     "midnight jumped over"},
    {"America/Metlakatla", "1867-10-18T12:00:00Z", 54822, "1867-10-18T08:46:18Z", "1867-10-20T08:46:18Z",
     "bought from Russia: the day that came twice"},
    {"America/Metlakatla", "1867-10-19T12:00:00Z", -31578, "1867-10-18T08:46:18Z", "1867-10-20T08:46:18Z",
     "and its second half"},
    {"Pacific/Kiritimati", "2024-06-01T10:00:00Z", 50400, "2024-06-01T10:00:00Z", "2024-06-02T10:00:00Z",
     "the furthest east"},
    {"Etc/GMT+12", "2024-06-01T10:00:00Z", -43200, "2024-05-31T12:00:00Z", "2024-06-01T12:00:00Z",
     "the furthest west, named the other way round"},
    {"Antarctica/Troll", "2024-07-01T12:00:00Z", 7200, "2024-06-30T22:00:00Z", "2024-07-01T22:00:00Z",
     "two hours of summer time"},
};

static void
test_zones(void **state)
{
    if (!has_database())
        skip();
    for (size_t i = 0; i < sizeof ZONES / sizeof *ZONES; i++) {
        const struct lf_zone *zone = NULL;
        int64_t at = seconds(ZONES[i].at), begin = 0, end = 0;
        struct lf_error error;

        assert_int_equal(lf_zone_open(*state, ZONES[i].name, &zone, &error), LF_OK);
        if (lf_zone_offset_s(zone, at) != ZONES[i].offset_s)
            fail_msg("%s: %s: offset %d", ZONES[i].name, ZONES[i].why, lf_zone_offset_s(zone, at));
        lf_zone_day(zone, at, &begin, &end);
        if (begin != seconds(ZONES[i].begin) || end != seconds(ZONES[i].end))
            fail_msg("%s: %s: day from %lld to %lld", ZONES[i].name, ZONES[i].why, (long long)begin, (long long)end);
    }
}

/* Walking from day to day meets every second once; any second of a day tells the same day. */
static void
test_days(void **state)
{
    static const char *const NAMES[] = {"UTC",          "Europe/Berlin",       "America/Sao_Paulo", "America/St_Johns",
                                        "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "America/Nuuk"};
    struct support_random random = {9};

    if (!has_database())
        skip();
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct lf_zone *zone = NULL;
        int64_t at = seconds("1965-01-01"), until = seconds("2045-01-01");
        struct lf_error error;

        assert_int_equal(lf_zone_open(*state, NAMES[i], &zone, &error), LF_OK);
        while (at < until) {
            int64_t begin = 0, end = 0, other_begin = 0, other_end = 0;

            lf_zone_day(zone, at, &begin, &end);
            assert_true(begin <= at && at < end && end - begin >= 20 * 3600 && end - begin <= 28 * 3600);
            for (int k = 0; k < 3; k++) {
                int64_t other = k == 0 ? begin : k == 1 ? end - 1 : begin + support_random(&random, 70000);
                lf_zone_day(zone, other, &other_begin, &other_end);
                assert_true(other_begin == begin && other_end == end);
            }
            assert_true((end + lf_zone_offset_s(zone, end)) % 86400 < 3 * 3600);
            at = end;
        }
    }
}

static void
test_names(void **state)
{
    static const struct {
        const char *name;
        enum lf_status status;
    } NAMES[] = {
        {"UTC", LF_OK},
        {"Europe/Berlin", LF_OK},
        {"America/Argentina/Buenos_Aires", LF_OK},
        {"Etc/GMT+5", LF_OK},
        {"GMT", LF_OK},
        {"", LF_INVALID_PARAMETER},
        {"Europe", LF_INVALID_PARAMETER}, /* a folder */
        {"Europe/", LF_INVALID_PARAMETER},
        {"Europe//Berlin", LF_INVALID_PARAMETER},
        {"/Europe/Berlin", LF_INVALID_PARAMETER},
        {"/etc/passwd", LF_INVALID_PARAMETER},
        {"../zoneinfo/UTC", LF_INVALID_PARAMETER},
        {"Europe/../UTC", LF_INVALID_PARAMETER},
        {"./UTC", LF_INVALID_PARAMETER},
        {"Europe/.hidden", LF_INVALID_PARAMETER},
        {"..", LF_INVALID_PARAMETER},
        {"europe/berlin", LF_INVALID_PARAMETER},
        {"Europe/Berlin ", LF_INVALID_PARAMETER},
        {"Europe/Berl\xc3\xadn", LF_INVALID_PARAMETER},
        {"Europe/Bielefeld", LF_INVALID_PARAMETER},
        {"UTC/UTC", LF_INVALID_PARAMETER}, /* below a file */
        {"zone.tab", LF_INVALID_PARAMETER},
        {"tzdata.zi", LF_INVALID_PARAMETER},
        {"right/Europe/Berlin", LF_INVALID_PARAMETER},
        {"localtime", LF_INVALID_PARAMETER}, /* each machine's own */
        {"posixrules", LF_INVALID_PARAMETER},
        {"CET-1CEST,M3.5.0,M10.5.0/3", LF_INVALID_PARAMETER},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LF_INVALID_PARAMETER},  /* 64 */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LF_INVALID_PARAMETER}, /* 65 */
    };

    if (!has_database())
        skip();
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct lf_zone *zone = NULL;
        struct lf_error error = {.status = LF_OK};
        enum lf_status status = lf_zone_open(*state, NAMES[i].name, &zone, &error);

        if (status != NAMES[i].status || error.status != status || (zone != NULL) != (status == LF_OK))
            fail_msg("'%s': %s", NAMES[i].name, lf_status_word(status));
        if (status != LF_OK)
            assert_non_null(strstr(error.detail, "Europe/Berlin"));
    }
}

/* A folder of one's own; its files may be anything. */
static void
test_folder(void **state)
{
    char folder[] = "/tmp/lf_zone_XXXXXX", path[64];
    const struct lf_zone *zone = NULL;
    struct lf_error error;
    FILE *file = NULL;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("TZDIR", folder, 1), 0);
    assert_int_equal(lf_zone_open(*state, "Mine", &zone, &error), LF_INVALID_PARAMETER);
    (void)snprintf(path, sizeof path, "%s/Mine", folder);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(lf_zone_open(*state, "Mine", &zone, &error), LF_INVALID_PARAMETER); /* empty */
    assert_true(fwrite("TZif2", 1, 5, file) == 5 && fflush(file) == 0);
    assert_int_equal(lf_zone_open(*state, "Mine", &zone, &error), LF_FILE); /* cut off */
    assert_int_equal(ftruncate(fileno(file), 1 << 20), 0);
    assert_int_equal(lf_zone_open(*state, "Mine", &zone, &error), LF_FILE); /* far too large */
    assert_int_equal(fclose(file), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(lf_zone_open(*state, "Mine", &zone, &error), LF_INVALID_PARAMETER); /* and nothing waits for it */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(lf_zone_open(*state, "Mine", &zone, &error), LF_FILE); /* not installed */
    assert_non_null(strstr(error.detail, "tzdata"));
    assert_int_equal(lf_zone_open(*state, "UTC", &zone, &error), LF_OK); /* which is always there */
    assert_int_equal(setenv("TZDIR", "", 1), 0);
    assert_int_equal(lf_zone_open(*state, "Europe/Berlin", &zone, &error), has_database() ? LF_OK : LF_FILE);
    assert_int_equal(unsetenv("TZDIR"), 0);
}

/* ---- files made here ---- */

struct made {
    const int64_t *times;
    const int *types; /* by time */
    size_t time_count;
    const int32_t *offsets; /* by type */
    size_t type_count, leap_count;
    const char *rule; /* NULL: version 1, without one */
};

static void
put_be(struct lf_buf *buf, int64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--)
        lf_buf_char(buf, (char)((uint64_t)value >> 8 * i));
}

static void
put_block(struct lf_buf *buf, const struct made *made, char version, int time_size)
{
    lf_buf_lit(buf, "TZif");
    lf_buf_char(buf, version);
    for (int i = 0; i < 15; i++)
        lf_buf_char(buf, 0);
    put_be(buf, 0, 4);
    put_be(buf, (int64_t)made->type_count, 4); /* a standard-time mark each */
    put_be(buf, (int64_t)made->leap_count, 4);
    put_be(buf, (int64_t)made->time_count, 4);
    put_be(buf, (int64_t)made->type_count, 4);
    put_be(buf, 4, 4);
    for (size_t i = 0; i < made->time_count; i++)
        put_be(buf, made->times[i], time_size);
    for (size_t i = 0; i < made->time_count; i++)
        lf_buf_char(buf, (char)made->types[i]);
    for (size_t i = 0; i < made->type_count; i++) {
        put_be(buf, made->offsets[i], 4);
        lf_buf_char(buf, 0);
        lf_buf_char(buf, 0);
    }
    lf_buf_add(buf, "LMT", 4);
    for (size_t i = 0; i < made->leap_count; i++) {
        put_be(buf, 0, time_size);
        put_be(buf, 0, 4);
    }
    for (size_t i = 0; i < made->type_count; i++)
        lf_buf_char(buf, 0);
}

static struct lf_buf
file_of(struct lf_arena *arena, const struct made *made)
{
    static const int32_t NONE[] = {0};
    const struct made empty = {.offsets = NONE, .type_count = 1};
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 16);
    if (made->rule == NULL) {
        put_block(&buf, made, '\0', 4);
    } else {
        put_block(&buf, &empty, '3', 4);
        put_block(&buf, made, '3', 8);
        lf_buf_printf(&buf, "\n%s\n", made->rule);
    }
    return buf;
}

/* From a copy of exactly its size, so that ASan sees a byte too many. */
static enum lf_status
read_bytes(struct lf_arena *arena, const void *bytes, size_t len, const struct lf_zone **ret_zone)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct lf_error error;
    enum lf_status status = LF_OK;

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    status = lf_zone_read(arena, copy, len, ret_zone, &error);
    free(copy);
    return status;
}

static const struct lf_zone *
zone_of(struct lf_arena *arena, const struct made *made)
{
    struct lf_buf buf = file_of(arena, made);
    const struct lf_zone *zone = NULL;

    assert_int_equal(read_bytes(arena, buf.data, buf.len, &zone), LF_OK);
    return zone;
}

/* Rules alone, at moments that matter to one or the other; offsets as libc tells them for TZ=rule. Two are by hand, as
 * glibc asks the changes of the year in UTC alone: saving that goes on from year to year, and one that begins before
 * the year does. */
static const char *const MOMENTS[] = {
    "2023-01-01T00:00:00Z", "2023-03-01T04:59:59Z", "2023-03-01T05:00:00Z", "2023-12-31T23:59:59Z",
    "2024-02-28T12:00:00Z", "2024-02-29T04:59:59Z", "2024-02-29T05:00:00Z", "2024-03-01T05:00:00Z",
    "2024-03-29T00:00:00Z", "2024-03-31T00:59:59Z", "2024-03-31T01:00:00Z", "2024-06-15T12:00:00Z",
    "2024-10-27T00:59:59Z", "2024-10-27T01:00:00Z", "2024-10-27T04:00:00Z", "2024-12-25T12:00:00Z",
    "2025-01-05T00:00:00Z",
};

enum { MOMENT_COUNT = sizeof MOMENTS / sizeof *MOMENTS };

static const struct {
    const char *rule, *why;
    int offsets[MOMENT_COUNT];
} RULES[] = {
    {"UTC0", "plain", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"<+03>-3",
     "a name in brackets",
     {10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800, 10800,
      10800}},
    {"<-0330>3:30",
     "minutes",
     {-12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600, -12600,
      -12600, -12600, -12600}},
    {"ABC-5:45:10",
     "seconds",
     {20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710, 20710,
      20710}},
    {"CET-1CEST,M3.5.0,M10.5.0/3",
     "Europe",
     {3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600, 3600, 7200, 7200, 7200, 3600, 3600, 3600, 3600}},
    {"EST5EDT,M3.2.0,M11.1.0",
     "United States",
     {-18000, -18000, -18000, -18000, -18000, -18000, -18000, -18000, -14400, -14400, -14400, -14400, -14400, -14400,
      -14400, -18000, -18000}},
    {"IST-1GMT0,M10.5.0,M3.5.0/1",
     "Dublin: saving is in winter, by less",
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3600, 3600, 3600, 0, 0, 0, 0}},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
     "Nuuk: the evening before",
     {-7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -3600, -3600, -3600, -7200, -7200, -7200,
      -7200}},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
     "south, half an hour",
     {39600, 39600, 39600, 39600, 39600, 39600, 39600, 39600, 39600, 39600, 39600, 37800, 39600, 39600, 39600, 39600,
      39600}},
    {"EST5EDT,0/0,J365/25",
     "saving all the year (RFC 9636, 3.3.2)",
     {-14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400, -14400,
      -14400, -14400, -14400}},
    {"AAA3BBB,J60/2,J300/2",
     "days that know no 29 February",
     {-10800, -10800, -7200, -10800, -10800, -10800, -10800, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -10800,
      -10800, -10800}},
    {"AAA3BBB,J59/2,J300/2",
     "28 February in every year",
     {-10800, -7200, -7200, -10800, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -10800,
      -10800, -10800}},
    {"AAA3BBB,59/2,299/2",
     "days that do",
     {-10800, -10800, -7200, -10800, -10800, -10800, -7200, -7200, -7200, -7200, -7200, -7200, -10800, -10800, -10800,
      -10800, -10800}},
    {"AAA3BBB,J1/-167,J365/167",
     "a week beyond the year on either side",
     {-7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200, -7200,
      -7200}},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50",
     "the Friday behind the fourth Thursday",
     {7200, 7200, 7200, 7200, 7200, 7200, 7200, 7200, 7200, 10800, 10800, 10800, 7200, 7200, 7200, 7200, 7200}},
    {"AAA-12BBB-14,M1.1.1/0,M12.5.6/24",
     "nearly all the year, two hours",
     {43200, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400, 50400,
      43200}},
    {"AAA24BBB-24,M6.1.3/12,M6.2.3/12",
     "offsets as great as there are",
     {-86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400, -86400,
      -86400, -86400, -86400}},
};

static void
test_rules(void **state)
{
    static const int32_t OFFSETS[] = {1234};

    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        const struct made made = {.offsets = OFFSETS, .type_count = 1, .rule = RULES[i].rule};
        const struct lf_zone *zone = zone_of(*state, &made);

        for (size_t m = 0; m < MOMENT_COUNT; m++)
            if (lf_zone_offset_s(zone, seconds(MOMENTS[m])) != RULES[i].offsets[m])
                fail_msg("%s at %s: %d", RULES[i].why, MOMENTS[m], lf_zone_offset_s(zone, seconds(MOMENTS[m])));
    }
}

static void
test_bad_rules(void **state)
{
    static const char *const BAD[] = {
        "CET",
        "-1",
        "CE-1",
        "<CE>-1",
        "<+03-3",
        "<+03",
        "CET-25",
        "CET-1:60",
        "CET-1:",
        "CET-1:00:60",
        "CET-1CEST",
        "CET-1CEST-2",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,J1,J366",
        "CET-1CEST,0,366",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0/-168,M10.5.0",
        "CET-1CEST,M3.5.0/,M10.5.0",
        "CET-1CEST;M3.5.0;M10.5.0",
        "C3T-1",
        "CET--1",
        "CET-1 ",
        " CET-1",
        ":Europe/Berlin",
        "CET-0001",
        "CET-1C\xc3\xa9ST,M3.5.0,M10.5.0",
    };
    static const int32_t OFFSETS[] = {0};

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const struct made made = {.offsets = OFFSETS, .type_count = 1, .rule = BAD[i]};
        struct lf_buf buf = file_of(*state, &made);
        const struct lf_zone *zone = NULL;

        if (read_bytes(*state, buf.data, buf.len, &zone) != LF_FILE)
            fail_msg("taken: %s", BAD[i]);
    }
}

/* Before the table the first type, within it the last change, beyond it the rule, or the last change again. */
static void
test_tables(void **state)
{
    static const int64_t TIMES[] = {-1000, 0, 5000};
    static const int TYPES[] = {1, 2, 1};
    static const int32_t OFFSETS[] = {-300, 3600, 7200};
    static const struct {
        int64_t at;
        int without, with; /* a rule */
    } ROWS[] = {
        {INT64_MIN, -300, -300}, {-1001, -300, -300}, {-1000, 3600, 3600}, {-1, 3600, 3600},         {0, 7200, 7200},
        {4999, 7200, 7200},      {5000, 3600, -7200}, {9999, 3600, -7200}, {INT64_MAX, 3600, -7200},
    };
    struct made made = {.times = TIMES, .types = TYPES, .time_count = 3, .offsets = OFFSETS, .type_count = 3};
    static const char *const FORMS[] = {NULL, "", "AAA2"};

    for (size_t f = 0; f < 3; f++) {
        const struct lf_zone *zone = NULL;

        made.rule = FORMS[f];
        zone = zone_of(*state, &made);
        for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
            int64_t begin = 0, end = 0;

            assert_int_equal(lf_zone_offset_s(zone, ROWS[i].at), f < 2 ? ROWS[i].without : ROWS[i].with);
            lf_zone_day(zone, ROWS[i].at, &begin, &end);
            assert_true(begin < end);
        }
    }
    made.time_count = 0; /* nothing but a first type, or a rule */
    made.rule = "";
    assert_int_equal(lf_zone_offset_s(zone_of(*state, &made), 0), -300);
    made.rule = "AAA2";
    assert_int_equal(lf_zone_offset_s(zone_of(*state, &made), 0), -7200);
}

static void
test_bad_tables(void **state)
{
    static const struct {
        const char *why;
        int64_t times[2];
        int types[2];
        int32_t offsets[2];
        size_t type_count, leap_count;
        bool fine;
    } ROWS[] = {
        {"fine", {1, 2}, {0, 1}, {3600, 7200}, 2, 0, true},
        {"times that go back", {2, 1}, {0, 1}, {3600, 7200}, 2, 0, false},
        {"a time twice", {2, 2}, {0, 1}, {3600, 7200}, 2, 0, false},
        {"a type that is not there", {1, 2}, {0, 2}, {3600, 7200}, 2, 0, false},
        {"no types", {1, 2}, {0, 0}, {3600, 7200}, 0, 0, false},
        {"25 hours behind", {1, 2}, {0, 1}, {3600, -25 * 3600}, 2, 0, true},
        {"more than 26 hours ahead", {1, 2}, {0, 1}, {3600, 26 * 3600 + 1}, 2, 0, false},
        {"the first type too far", {1, 2}, {1, 1}, {INT32_MIN, 0}, 2, 0, false},
        {"leap seconds", {1, 2}, {0, 1}, {3600, 7200}, 2, 1, false},
        {"before all time", {-(INT64_C(1) << 59) - 1, 2}, {0, 1}, {3600, 7200}, 2, 0, false},
        {"the beginning of time", {-(INT64_C(1) << 59), 2}, {0, 1}, {3600, 7200}, 2, 0, true},
        {"after all time", {1, (INT64_C(1) << 59) + 1}, {0, 1}, {3600, 7200}, 2, 0, false},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct made made = {ROWS[i].times,      ROWS[i].types,      2,     ROWS[i].offsets,
                                  ROWS[i].type_count, ROWS[i].leap_count, "AAA1"};
        struct lf_buf buf = file_of(*state, &made);
        const struct lf_zone *zone = NULL;

        if ((read_bytes(*state, buf.data, buf.len, &zone) == LF_OK) != ROWS[i].fine)
            fail_msg("%s", ROWS[i].why);
    }
}

/* Any part of a file, and any bit of it turned: refused, or a zone that can be asked. */
static void
test_damage(void **state)
{
    static const int64_t TIMES[] = {-1000, 0, 5000, 80000, 90000};
    static const int TYPES[] = {1, 2, 1, 0, 2};
    static const int32_t OFFSETS[] = {-300, 3600, 7200};
    const struct made made = {.times = TIMES,
                              .types = TYPES,
                              .time_count = 5,
                              .offsets = OFFSETS,
                              .type_count = 3,
                              .rule = "CET-1CEST,M3.5.0,M10.5.0/3"};
    struct lf_buf buf = file_of(*state, &made);
    const struct lf_zone *zone = NULL;
    size_t refused = 0;

    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(read_bytes(*state, buf.data, len, &zone), LF_FILE);
    for (size_t bit = 0; bit < 8 * buf.len; bit++) {
        struct lf_arena *arena = lf_arena_create(1 << 12, 1 << 20);
        int64_t begin = 0, end = 0;

        buf.data[bit / 8] = (char)(buf.data[bit / 8] ^ 1 << bit % 8);
        if (read_bytes(arena, buf.data, buf.len, &zone) == LF_OK) {
            for (int64_t at = -100000; at < 200000; at += 9000) {
                lf_zone_day(zone, at, &begin, &end);
                assert_true(begin <= at && at < end);
            }
        } else {
            refused++;
        }
        buf.data[bit / 8] = (char)(buf.data[bit / 8] ^ 1 << bit % 8);
        lf_arena_destroy(arena);
    }
    assert_true(refused > buf.len);
}

static void
test_no_memory(void **state)
{
    static const int32_t OFFSETS[] = {0};
    const struct made made = {.offsets = OFFSETS, .type_count = 1, .rule = "AAA1"};
    struct lf_buf buf = file_of(*state, &made);
    struct lf_arena *full = lf_arena_create(64, 64);
    const struct lf_zone *zone = NULL;
    struct lf_error error;

    while (lf_arena_alloc(full, 8) != NULL)
        continue;
    assert_int_equal(read_bytes(full, buf.data, buf.len, &zone), LF_OUT_OF_MEMORY);
    assert_int_equal(lf_zone_open(full, "Europe/Berlin", &zone, &error), LF_OUT_OF_MEMORY);
    assert_null(zone);
    lf_arena_destroy(full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_zones),     SUPPORT_TEST(test_days),       SUPPORT_TEST(test_names),
        SUPPORT_TEST(test_folder),    SUPPORT_TEST(test_rules),      SUPPORT_TEST(test_bad_rules),
        SUPPORT_TEST(test_tables),    SUPPORT_TEST(test_bad_tables), SUPPORT_TEST(test_damage),
        SUPPORT_TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
