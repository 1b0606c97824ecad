/*
 * bench_score.c - what a score costs without HTTP and without the disk, step by step.
 *
 *     bench_score ICP.json LEADS.ndjson [rounds]
 *
 * Prints nanoseconds a lead for: parsing (the door and the tree), evaluating, the arithmetic, the record, the full
 * answer. One thread, the arena reset for every lead, medians of the rounds. Under callgrind it counts instructions.
 */
#include "app/profiles.h"
#include "app/scoring.h"
#include "base/config.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "read_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 101, STEPS = 4 };

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    static const char *const NAMES[STEPS] = {"parse", "score", "record", "tell"};
    struct lf_profiles *profiles = NULL;
    const struct lf_privacy *privacy = NULL; /* as by default */
    struct lf_error error;
    size_t icp_len = 0, len = 0, leads = 0;
    int rounds = argc > 3 ? atoi(argv[3]) : 11;
    int64_t spent[STEPS][ROUNDS_MAX] = {{0}};
    size_t answer_bytes = 0, record_bytes = 0;

    if (argc < 3 || rounds < 1 || rounds > ROUNDS_MAX) {
        (void)fputs("usage: bench_score ICP.json LEADS.ndjson [rounds]\n", stderr);
        return 2;
    }
    lf_json_setup();
    if (lf_hash_setup(&error) != LF_OK)
        return 1;
    char *icp = read_all(argv[1], &icp_len), *text = read_all(argv[2], &len);
    struct lf_arena *arena = lf_arena_create(1 << 16, 64 << 20);
    if (arena == NULL || lf_profiles_create(1, &profiles, &error) != LF_OK ||
        lf_profiles_add(profiles, icp, icp_len, 1, 1, NULL, &error) != LF_OK ||
        lf_profiles_compile(profiles, NULL, &error) != LF_OK ||
        lf_privacy_create(profiles->arena, LF_KEPT_WHOLE, LF_NEVER_STORE_DEFAULT, NULL, &privacy, &error) != LF_OK) {
        (void)fprintf(stderr, "bench_score: %s\n", error.detail);
        return 1;
    }
    lf_program_withhold(profiles->program, privacy);
    for (int round = 0; round < rounds; round++) {
        leads = answer_bytes = record_bytes = 0;
        for (char *line = text; *line != '\0'; leads++) {
            char *end = strchr(line, '\n');
            size_t line_len = end != NULL ? (size_t)(end - line) : strlen(line);
            const struct lf_json *lead = NULL;
            struct lf_score_request request = {.explain = LF_EXPLAIN_FULL, .record = true};
            struct lf_scoring scoring;
            struct lf_stored_score stored;
            struct lf_findings findings;
            struct lf_ulid id = {{1}};
            struct lf_buf answer;
            int64_t t[STEPS + 1];

            lf_arena_reset(arena);
            lf_findings_init(&findings, arena);
            lf_buf_init(&answer, arena, 1 << 20);
            t[0] = lf_time_monotonic_ns();
            if (lf_json_parse(arena, line, line_len, &LF_JSON_LEAD_LIMITS, &lead, &error) != LF_OK ||
                lf_score_request_lead(arena, lead, "", &findings, &request, &error) != LF_OK)
                return 1;
            t[1] = lf_time_monotonic_ns();
            if (lf_scoring_run(arena, profiles, &request, 1767225600000, &scoring, &error) != LF_OK)
                return 1;
            t[2] = lf_time_monotonic_ns();
            if (lf_scoring_record(arena, &scoring, privacy, &stored, &error) != LF_OK)
                return 1;
            t[3] = lf_time_monotonic_ns();
            lf_scoring_tell(&answer, arena, &scoring, &id, 1767225600000, 0);
            t[4] = lf_time_monotonic_ns();
            for (int s = 0; s < STEPS; s++)
                spent[s][round] += t[s + 1] - t[s];
            answer_bytes += answer.len;
            record_bytes += stored.body_len;
            line = end != NULL ? end + 1 : line + line_len;
        }
    }
    (void)printf("%zu leads, %zu bytes an answer, %zu bytes a record\n", leads, answer_bytes / leads,
                 record_bytes / leads);
    for (int s = 0; s < STEPS; s++) {
        qsort(spent[s], (size_t)rounds, sizeof spent[s][0], compare);
        (void)printf("%-8s %6lld ns\n", NAMES[s], (long long)(spent[s][rounds / 2] / (int64_t)leads));
    }
    lf_profiles_destroy(profiles);
    lf_arena_destroy(arena);
    free(text);
    free(icp);
    return 0;
}
