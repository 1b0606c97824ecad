/*
 * fuzz_zone.c - libFuzzer on the reader of time zone files.
 *
 * A file is refused, or makes a zone in which every moment has an offset of less than 26 hours and lies in a day that
 * each of its other moments lies in as well.
 */
#include "base/zone.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
    if (!holds)
        abort();
}

static void
try_moment(const struct lf_zone *zone, int64_t at)
{
    int64_t begin = 0, end = 0, other_begin = 0, other_end = 0;
    int offset = lf_zone_offset_s(zone, at);

    require(offset >= -26 * 3600 && offset <= 26 * 3600);
    lf_zone_day(zone, at, &begin, &end);
    require(begin < end && begin <= at && at < end);
    lf_zone_day(zone, begin, &other_begin, &other_end);
    require(other_begin == begin && other_end == end);
    lf_zone_day(zone, end - 1, &other_begin, &other_end);
    require(other_begin == begin && other_end == end);
    lf_zone_day(zone, end, &other_begin, &other_end);
    require(other_begin == end && other_end > end);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t MOMENTS[] = {-62135596800, -3000000000, -1, 0, 1, 1774746000, 4102444800, 253402300799};
    struct lf_arena *arena = lf_arena_create(1 << 16, 16 << 20);
    uint8_t *bytes = malloc(size > 0 ? size : 1); /* of just this size, so that a sanitizer sees a read beyond it */
    const struct lf_zone *zone = NULL;
    struct lf_error error = {.status = LF_OK};

    require(arena != NULL && bytes != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    if (lf_zone_read(arena, bytes, size, &zone, &error) == LF_OK) {
        for (size_t i = 0; i < sizeof MOMENTS / sizeof *MOMENTS; i++)
            try_moment(zone, MOMENTS[i]);
        for (int64_t day = 19723; day < 20089; day += 5) /* 2024 */
            try_moment(zone, day * 86400 + 80000);
        (void)lf_zone_offset_s(zone, INT64_MIN);
        (void)lf_zone_offset_s(zone, INT64_MAX);
    } else {
        require(error.status == LF_FILE);
    }
    free(bytes);
    lf_arena_destroy(arena);
    return 0;
}
