/*
 * bench_impact.c - what looking back at recorded leads costs: replay, impact, advice, compare. One thread.
 *
 *     bench_impact ACTIVE.json DRAFT.json LEADS.ndjson [leads [rounds]]
 *
 * Records so many leads (10,000; the lines again and again, each with an id of its own, whole) under both definitions
 * in a new database under $TMPDIR, then prints milliseconds (the median of the rounds), microseconds a lead and the
 * bytes that the result and what is remembered on the way take. Beside them the most memory the process ever held,
 * recording included.
 */
#include "app/advice.h"
#include "app/compare.h"
#include "app/impact.h"
#include "app/replay.h"
#include "app/scoring.h"
#include "base/hash.h"
#include "base/time.h"
#include "read_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROUNDS_MAX = 101, COMMIT = 1000, PATH_SIZE = 512 };

struct bench {
    struct lf_profiles *profiles; /* active, draft */
    struct lf_store_reader *reader;
    size_t leads;
};

static struct lf_error error;

static void
need(enum lf_status status, const char *what)
{
    if (status == LF_OK)
        return;
    (void)fprintf(stderr, "bench_impact: %s: %s\n", what, error.detail);
    exit(1);
}

static void
publish(struct lf_store *store, struct lf_profiles *profiles, const char *key, const char *path)
{
    struct lf_change change = {.by = "bench", .key_id = "", .note = "", .at_ms = 1767225600000};
    struct lf_new_version version = {.icp = key, .name = key, .purpose = "core"};
    struct lf_arena *arena = lf_arena_create(1 << 16, 64 << 20);
    char *text = read_all(path, &version.document_len);
    const struct lf_json *root = NULL;
    struct lf_stored_version stored;
    struct lf_store_reader *reader = NULL;
    struct lf_buf buf;
    bool unchanged = false;
    int number = 0;

    /* The definition under the key given, so that one file may serve for both. */
    if (arena == NULL)
        exit(1);
    need(lf_json_parse(arena, text, version.document_len, &LF_JSON_DOCUMENT_LIMITS, &root, &error), path);
    lf_buf_init(&buf, arena, 16 << 20);
    lf_buf_printf(&buf, "{\"key\":\"%s\"", key);
    for (const struct lf_json *member = lf_json_first(root); member != NULL; member = lf_json_next(member))
        if (strcmp(lf_json_name(member), "key") != 0) {
            lf_buf_lit(&buf, ",");
            lf_json_put_text(&buf, lf_json_name(member), strlen(lf_json_name(member)));
            lf_buf_lit(&buf, ":");
            lf_json_put_tree(&buf, member);
        }
    lf_buf_lit(&buf, "}");
    if (lf_buf_terminate(&buf) == NULL)
        exit(1);
    need(lf_profiles_add(profiles, buf.data, buf.len, 0, 0, NULL, &error), path);
    version.document = buf.data;
    version.document_len = buf.len;
    memcpy(version.hash, profiles->items[profiles->count - 1].icp->hash, sizeof version.hash);
    need(lf_store_publish(store, &version, &change, &number, &unchanged, &error), key);
    need(lf_store_reader_open(store, &reader, &error), "opening the database again");
    need(lf_store_version(reader, arena, key, number, &stored, &error), key);
    profiles->items[profiles->count - 1].version_id = stored.id;
    lf_store_reader_close(reader);
    lf_arena_destroy(arena);
    free(text);
}

static void
record(struct lf_store *store, const struct lf_profiles *profiles, const char *text, size_t leads)
{
    struct lf_arena *arena = lf_arena_create(1 << 20, (size_t)1 << 30);
    struct lf_stored_score *scores = calloc(COMMIT, sizeof *scores);
    const struct lf_stored_score *pointers[COMMIT];
    struct lf_ulid_mint mint = {.left = 0};
    const struct lf_privacy *privacy = NULL;
    const char *line = text;
    size_t waiting = 0;

    need(lf_privacy_create(profiles->arena, LF_KEPT_WHOLE, NULL, NULL, &privacy, &error), "keeping");
    if (arena == NULL || scores == NULL)
        exit(1);
    for (size_t i = 0; i < leads; i++) {
        const char *end = strchr(line, '\n');
        size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
        struct lf_score_request request = {.record = true};
        struct lf_scoring scoring;
        const struct lf_json *lead = NULL;

        need(lf_json_parse(arena, line, len, &LF_JSON_LEAD_LIMITS, &lead, &error), "a lead");
        request.lead = lead;
        request.lead_id = lf_arena_printf(arena, "lead-%zu", i);
        request.lead_id_len = strlen(request.lead_id);
        need(lf_scoring_run(arena, profiles, &request, 1767225600000 + (int64_t)i, &scoring, &error), "scoring");
        need(lf_scoring_record(arena, &scoring, privacy, &scores[waiting], &error), "recording");
        if (!lf_ulid_next(&mint, 1767225600000 + (int64_t)i, &scores[waiting].id))
            exit(1);
        pointers[waiting] = &scores[waiting];
        if (++waiting == COMMIT || i + 1 == leads) {
            need(lf_store_append_scores(store, pointers, waiting, NULL, 0, NULL, &error), "recording");
            lf_arena_reset(arena);
            waiting = 0;
        }
        line = end != NULL && end[1] != '\0' ? end + 1 : text;
    }
    free(scores);
    lf_arena_destroy(arena);
}

/* ---- what is measured ---- */

static enum lf_status
pass(void *context, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *fault)
{
    (void)context;
    (void)lead;
    (void)arena;
    (void)fault;
    return LF_OK;
}

static enum lf_status
run_replay(const struct bench *bench, struct lf_arena *arena, size_t *ret_leads)
{
    struct lf_replay_options options = {
        .from_ms = INT64_MIN, .to_ms = INT64_MAX, .leads = bench->leads, .inputs = true};

    return lf_replay(bench->reader, arena, &options, pass, NULL, ret_leads, &error);
}

static enum lf_status
run_impact(const struct bench *bench, struct lf_arena *arena, size_t *ret_leads)
{
    struct lf_impact impact;
    enum lf_status status = lf_impact_compute(bench->reader, arena,
                                              &(struct lf_impact_options){.draft = bench->profiles->items[1].icp,
                                                                          .active = bench->profiles->items[0].icp,
                                                                          .active_version = 1,
                                                                          .sample = bench->leads},
                                              &impact, &error);

    *ret_leads = status == LF_OK ? impact.leads : 0;
    return status;
}

static enum lf_status
run_advice(const struct bench *bench, struct lf_arena *arena, size_t *ret_leads)
{
    struct lf_lint lint;

    return lf_advise(bench->reader, NULL, arena, bench->profiles->items[1].icp, NULL, 1767225600000000, &lint,
                     ret_leads, &error);
}

static enum lf_status
run_compare(const struct bench *bench, struct lf_arena *arena, size_t *ret_leads)
{
    struct lf_comparison comparison;
    enum lf_status status =
        lf_compare(bench->reader, arena, "active", "draft", INT64_MIN, INT64_MAX, &comparison, &error);

    *ret_leads = status == LF_OK ? comparison.leads : 0;
    return status;
}

static int
ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
measure(const struct bench *bench, const char *name, int rounds,
        enum lf_status (*run)(const struct bench *bench, struct lf_arena *arena, size_t *ret_leads))
{
    int64_t spent[ROUNDS_MAX];
    size_t leads = 0, bytes = 0;

    for (int round = 0; round < rounds; round++) {
        struct lf_arena *arena = lf_arena_create(1 << 16, (size_t)1 << 30);
        int64_t begin = lf_time_monotonic_ns();

        if (arena == NULL)
            exit(1);
        need(run(bench, arena, &leads), name);
        spent[round] = lf_time_monotonic_ns() - begin;
        bytes = lf_arena_used(arena);
        lf_arena_destroy(arena);
    }
    qsort(spent, (size_t)rounds, sizeof *spent, ascending);
    (void)printf("%-8s %7zu leads %8.1f ms %7.2f us/lead %9zu bytes\n", name, leads, (double)spent[rounds / 2] / 1e6,
                 (double)spent[rounds / 2] / 1e3 / (double)(leads > 0 ? leads : 1), bytes);
}

int
main(int argc, char **argv)
{
    struct bench bench = {.leads = argc > 4 ? (size_t)atol(argv[4]) : LF_IMPACT_SAMPLE};
    int rounds = argc > 5 ? atoi(argv[5]) : 5;
    const char *base = getenv("TMPDIR");
    char folder[PATH_SIZE / 2], path[PATH_SIZE];
    struct lf_store *store = NULL;
    struct rusage usage;
    size_t len = 0;

    if (argc < 4 || rounds < 1 || rounds > ROUNDS_MAX || bench.leads < 1 || bench.leads > LF_REPLAY_LEADS_MAX) {
        (void)fputs("usage: bench_impact ACTIVE.json DRAFT.json LEADS.ndjson [leads [rounds]]\n", stderr);
        return 2;
    }
    (void)snprintf(folder, sizeof folder, "%s/lf_bench_XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(path, sizeof path, "%s/bench.db", folder);
    lf_json_setup();
    need(lf_hash_setup(&error), "hashes");
    need(lf_store_open(&(struct lf_store_options){.path = path}, &store, &error), path);
    need(lf_profiles_create(2, &bench.profiles, &error), "profiles");
    publish(store, bench.profiles, "active", argv[1]);
    publish(store, bench.profiles, "draft", argv[2]);
    /* Recording wants the versions that are stored. */
    need(lf_profiles_compile(bench.profiles, NULL, &error), "compiling");
    char *text = read_all(argv[3], &len);
    record(store, bench.profiles, text, bench.leads);
    free(text);
    need(lf_store_reader_open(store, &bench.reader, &error), "reading");
    measure(&bench, "replay", rounds, run_replay);
    measure(&bench, "impact", rounds, run_impact);
    measure(&bench, "advice", rounds, run_advice);
    measure(&bench, "compare", rounds, run_compare);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("most memory: %.1f MiB\n", (double)usage.ru_maxrss / 1024);
    lf_store_reader_close(bench.reader);
    lf_store_close(store);
    lf_profiles_destroy(bench.profiles);
    (void)unlink(path);
    (void)rmdir(folder);
    return 0;
}
