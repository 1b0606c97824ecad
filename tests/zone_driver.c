/*
 * zone_driver.c - lib/base's zones behind a pipe, for tests/oracle/zones.py.
 *
 * Reads lines "NAME SECONDS" and answers each with "OFFSET BEGIN END" in seconds, or with the word of the status.
 */
#include "base/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(void)
{
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 24);
    char name[128], open_name[128] = "";
    const struct lf_zone *zone = NULL;
    int64_t at = 0, begin = 0, end = 0;
    struct lf_error error;

    if (arena == NULL)
        return 1;
    while (scanf("%127s %" SCNd64, name, &at) == 2) {
        if (strcmp(name, open_name) != 0) {
            enum lf_status status = LF_OK;

            lf_arena_reset(arena);
            zone = NULL;
            open_name[0] = '\0';
            status = lf_zone_open(arena, name, &zone, &error);
            if (status != LF_OK) {
                (void)printf("%s\n", lf_status_word(status));
                continue;
            }
            memcpy(open_name, name, sizeof name);
        }
        lf_zone_day(zone, at, &begin, &end);
        (void)printf("%d %" PRId64 " %" PRId64 "\n", lf_zone_offset_s(zone, at), begin, end);
    }
    lf_arena_destroy(arena);
    return ferror(stdin) != 0 ? 1 : 0;
}
