/*
 * bench_stats.c - what a poll of statistics costs the server: summing, telling as JSON, and the hash that is its ETag.
 *
 *     bench_stats ICP.json LEADS.ndjson [scores [days [rounds]]]
 *
 * Records so many scores (100,000; the lines again and again, ten scores a lead), spread over so many days (365) up to
 * the end of 2026, through the ledger as the service does, with an outcome for every other lead. Then prints
 * microseconds for each kind of poll: the median of the rounds, the best, and the bytes of the answer. One thread; no
 * HTTP.
 */
#include "api/handlers.h"
#include "api/stats_put.h"
#include "app/ledger.h"
#include "app/penetration.h"
#include "app/scoring.h"
#include "app/stats.h"
#include "base/hash.h"
#include "base/time.h"
#include "read_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define END_MS INT64_C(1798761600000) /* 2027-01-01T00:00:00Z */

enum { ROUNDS_MAX = 1001, COMMIT = 1000, PATH_SIZE = 512, SCORES_A_LEAD = 10 };

struct bench {
    struct lf_store *store;
    struct lf_store_reader *reader;
    struct lf_catalog *catalog;
    struct lf_ledger *ledger;
    struct lf_profiles *profiles;
    const char *icp;
    int rounds;
};

static struct lf_error error;

static void
need(enum lf_status status, const char *what)
{
    if (status == LF_OK)
        return;
    (void)fprintf(stderr, "bench_stats: %s: %s\n", what, error.detail);
    exit(1);
}

static void
publish(struct bench *bench, const char *path)
{
    struct lf_change change = {.by = "bench", .key_id = "", .note = "", .at_ms = 1767225600000};
    struct lf_new_version version = {.purpose = "core"};
    char *text = read_all(path, &version.document_len);
    struct lf_store_reader *reader = NULL;
    bool unchanged = false;
    int number = 0;

    need(lf_profiles_create(1, &bench->profiles, &error), "profiles");
    need(lf_profiles_add(bench->profiles, text, version.document_len, 0, 0, NULL, &error), path);
    version.icp = version.name = bench->icp = bench->profiles->items[0].icp->key;
    version.document = text;
    memcpy(version.hash, bench->profiles->items[0].icp->hash, sizeof version.hash);
    need(lf_store_publish(bench->store, &version, &change, &number, &unchanged, &error), path);
    lf_profiles_destroy(bench->profiles);
    need(lf_store_reader_open(bench->store, &reader, &error), "reading");
    need(lf_live_load(reader, NULL, &bench->profiles, &error), "loading");
    bench->icp = bench->profiles->items[0].icp->key;
    lf_store_reader_close(reader);
    free(text);
}

static void
settle(struct bench *bench)
{
    bool more = true;

    while (more)
        need(lf_ledger_tend(bench->ledger, bench->store, true, &more, &error), "settling");
}

static void
record(struct bench *bench, const char *text, int64_t scores, int64_t days)
{
    struct lf_arena *arena = lf_arena_create(1 << 20, (size_t)1 << 30), *keep = lf_arena_create(4096, 1 << 20);
    struct lf_stored_score *waiting = calloc(COMMIT, sizeof *waiting);
    const struct lf_stored_score *pointers[COMMIT];
    const struct lf_privacy *privacy = NULL;
    struct lf_ulid_mint mint = {.left = 0};
    const char *line = text;
    size_t count = 0;

    if (arena == NULL || keep == NULL || waiting == NULL)
        exit(1);
    need(lf_privacy_create(keep, LF_KEPT_FIELDS, NULL, NULL, &privacy, &error), "keeping");
    for (int64_t i = 0; i < scores; i++) {
        const char *end = strchr(line, '\n');
        int64_t at = END_MS - days * 86400000 + days * 86400000 / scores * i;
        struct lf_score_request request = {.record = true};
        struct lf_scoring scoring;
        const struct lf_json *lead = NULL;

        need(lf_json_parse(arena, line, end != NULL ? (size_t)(end - line) : strlen(line), &LF_JSON_LEAD_LIMITS, &lead,
                           &error),
             "a lead");
        request.lead = lead;
        request.lead_id = lf_arena_printf(arena, "lead-%lld", (long long)(i % (scores / SCORES_A_LEAD + 1)));
        request.lead_id_len = strlen(request.lead_id);
        need(lf_scoring_run(arena, bench->profiles, &request, at, &scoring, &error), "scoring");
        need(lf_scoring_record(arena, &scoring, privacy, &waiting[count], &error), "recording");
        if (!lf_ulid_next(&mint, at, &waiting[count].id))
            exit(1);
        pointers[count] = &waiting[count];
        if (++count == COMMIT || i + 1 == scores) {
            const struct lf_recording recording = {.scores = pointers, .count = count};

            need(lf_ledger_record(bench->ledger, bench->store, &recording, &error), "recording");
            settle(bench);
            lf_arena_reset(arena);
            count = 0;
        }
        line = end != NULL && end[1] != '\0' ? end + 1 : text;
    }
    free(waiting);
    lf_arena_destroy(keep);
    lf_arena_destroy(arena);
}

static void
say_outcomes(struct bench *bench, int64_t scores)
{
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 24);
    struct lf_stored_outcome outcomes[COMMIT];
    size_t count = 0;

    if (arena == NULL)
        exit(1);
    for (int64_t i = 0; i <= scores / SCORES_A_LEAD; i += 2) {
        outcomes[count] = (struct lf_stored_outcome){
            .lead_id = lf_arena_printf(arena, "lead-%lld", (long long)i),
            .outcome = i % 3 == 0 ? LF_OUTCOME_WON : LF_OUTCOME_LOST,
            .value = i % 3 == 0 ? i * 10000 : 0,
            .at_ms = END_MS,
        };
        outcomes[count].lead_id_len = strlen(outcomes[count].lead_id);
        if (++count == COMMIT || i + 2 > scores / SCORES_A_LEAD) {
            need(lf_ledger_put_outcomes(bench->ledger, bench->store, outcomes, count, &error), "outcomes");
            settle(bench);
            lf_arena_reset(arena);
            count = 0;
        }
    }
    lf_arena_destroy(arena);
}

/* ---- what is measured ---- */

static int
ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* A poll: its answer, with its hash. */
static size_t
poll_once(const struct bench *bench, struct lf_arena *scratch, const struct lf_stats_query *query, const char *zone)
{
    char etag[LF_API_ETAG_SIZE];
    struct lf_stats stats;
    struct lf_buf body;

    lf_buf_init(&body, scratch, LF_REPLY_MAX);
    need(lf_stats_compute(bench->reader, bench->catalog, scratch, query, &stats, &error), "statistics");
    lf_api_put_stats(&body, scratch, query, zone, &stats);
    lf_stats_finish(bench->catalog, &stats);
    if (lf_buf_failed(&body) || !lf_api_make_etag(body.data, body.len, etag))
        exit(1);
    return body.len;
}

static void
measure(const struct bench *bench, const char *name, const struct lf_stats_query *query, const char *zone)
{
    struct lf_arena *scratch = lf_arena_create(64 * 1024, (size_t)1 << 28);
    int64_t spent[ROUNDS_MAX];
    size_t bytes = 0;

    if (scratch == NULL)
        exit(1);
    for (int round = 0; round < bench->rounds; round++) {
        int64_t begin = lf_time_monotonic_ns();

        bytes = poll_once(bench, scratch, query, zone);
        spent[round] = lf_time_monotonic_ns() - begin;
        lf_arena_reset(scratch);
    }
    qsort(spent, (size_t)bench->rounds, sizeof *spent, ascending);
    (void)printf("%-34s %9.1f us (best %9.1f) %9zu bytes\n", name, (double)spent[bench->rounds / 2] / 1e3,
                 (double)spent[0] / 1e3, bytes);
    lf_arena_destroy(scratch);
}

static void
measure_all(const struct bench *bench)
{
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 24);
    struct lf_stats_query all = {.icp = bench->icp, .window = {INT64_MIN, INT64_MAX}, .now_ms = END_MS}, query = all;
    const struct lf_zone *berlin = NULL;
    int64_t end = END_MS / 3600000;

    if (arena == NULL)
        exit(1);
    need(lf_zone_open(arena, "Europe/Berlin", &berlin, &error), "Europe/Berlin");
    measure(bench, "all of time (the default)", &all, "UTC");
    query.version = 1;
    measure(bench, "the same, of one version", &query, "UTC");
    query = all;
    query.window.from_hour = end - 24;
    measure(bench, "the last 24 hours", &query, "UTC");
    query.by_hour = true;
    measure(bench, "the same by hour", &query, "UTC");
    query = all;
    query.window.from_hour = end - 30 * 24 - 7;
    measure(bench, "30 days and 7 hours", &query, "UTC");
    query.by_hour = true;
    measure(bench, "the same by hour", &query, "UTC");
    query = all;
    query.zone = berlin;
    measure(bench, "all of time, days in Europe/Berlin", &query, "Europe/Berlin");
    query.window.from_hour = end - 30 * 24;
    measure(bench, "30 days in Europe/Berlin", &query, "Europe/Berlin");
    lf_arena_destroy(arena);
}

int
main(int argc, char **argv)
{
    struct bench bench = {.rounds = argc > 5 ? atoi(argv[5]) : 101};
    int64_t scores = argc > 3 ? atoll(argv[3]) : 100000, days = argc > 4 ? atoll(argv[4]) : 365;
    const char *base = getenv("TMPDIR");
    char folder[PATH_SIZE / 2], path[PATH_SIZE], *text = NULL;
    size_t len = 0;

    if (argc < 3 || scores < 1 || days < 1 || bench.rounds < 1 || bench.rounds > ROUNDS_MAX) {
        (void)fputs("usage: bench_stats ICP.json LEADS.ndjson [scores [days [rounds]]]\n", stderr);
        return 2;
    }
    (void)snprintf(folder, sizeof folder, "%s/lf_bench_XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(path, sizeof path, "%s/bench.db", folder);
    lf_json_setup();
    need(lf_hash_setup(&error), "hashes");
    need(lf_store_open(&(struct lf_store_options){.path = path}, &bench.store, &error), path);
    publish(&bench, argv[1]);
    bench.catalog = lf_catalog_create();
    if (bench.catalog == NULL)
        return 1;
    need(lf_ledger_create(bench.store, bench.catalog, &bench.ledger, &error), "the ledger");
    need(lf_ledger_catch_up(bench.ledger, NULL, &error), "the ledger");
    text = read_all(argv[2], &len);
    record(&bench, text, scores, days);
    say_outcomes(&bench, scores);
    free(text);
    need(lf_store_reader_open(bench.store, &bench.reader, &error), "reading");
    (void)printf("%lld scores of %lld days\n", (long long)scores, (long long)days);
    measure_all(&bench);
    lf_store_reader_close(bench.reader);
    lf_ledger_destroy(bench.ledger);
    lf_catalog_destroy(bench.catalog);
    lf_profiles_destroy(bench.profiles);
    lf_store_close(bench.store);
    (void)unlink(path);
    (void)rmdir(folder);
    return 0;
}
