/* check.c - leadfit check and leadfit backup: is the database sound, and a copy of it. */
#include "command.h"

#include "app/ledger.h"
#include "app/scoring.h"
#include "core/icp.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 1 << 30, SAMPLE = 10000, AUDIT_PAGE = 1000 };

/* What a check has found, over its parts. */
struct checking {
    struct lf_store_reader *reader;
    struct lf_arena *arena; /* of one version or score */
    size_t versions, scores, faults;
};

/* A version: readable, and what its hash says it is. */
static enum lf_status
check_version(void *context, const struct lf_stored_version *version)
{
    struct checking *checking = context;
    const struct lf_icp *icp = NULL;
    struct lf_findings findings;
    struct lf_error error;

    lf_arena_reset(checking->arena);
    lf_findings_init(&findings, checking->arena);
    checking->versions++;
    if (lf_icp_parse_text(checking->arena, version->document, version->document_len, &findings, &icp, &error) !=
        LF_OK) {
        checking->faults++;
        (void)printf("version %d of %s: its definition cannot be read: %s\n", version->version, version->icp,
                     error.detail);
    } else if (memcmp(icp->hash, version->hash, LF_SHA256_SIZE) != 0) {
        checking->faults++;
        (void)printf("version %d of %s: its hash is not that of its definition: it was altered after publishing\n",
                     version->version, version->icp);
    }
    return LF_OK;
}

/* A score: computed again from what was stored, it is the same. */
static enum lf_status
check_score(void *context, const struct lf_stored_score *score)
{
    struct checking *checking = context;
    struct lf_error error;
    char id[LF_ULID_TEXT_SIZE];
    struct lf_repetition repetition = {.agrees = false};
    enum lf_status status = LF_OK;

    lf_arena_reset(checking->arena);
    status = lf_scoring_repeat(checking->reader, checking->arena, score, NULL, NULL, false, &repetition, &error);
    if (status == LF_ERASED) /* what it was computed from is gone, on purpose */
        return LF_OK;
    checking->scores++;
    if (status == LF_OK && repetition.agrees)
        return LF_OK;
    checking->faults++;
    lf_ulid_format(score->id, id);
    if (status == LF_OK)
        (void)printf("score %s: computed again it is another one: %s\n", id, repetition.what);
    else
        (void)printf("score %s: %s\n", id, error.detail);
    return LF_OK;
}

/* How many entries the audit has; whether they are chained has been looked at. */
static enum lf_status
count_audit(struct lf_store_reader *reader, struct lf_arena *arena, size_t *ret_count, struct lf_error *error)
{
    struct lf_audit_entry *entries = NULL;
    int64_t last = 0;
    size_t found = 0;
    enum lf_status status = LF_OK;

    *ret_count = 0;
    do {
        lf_arena_reset(arena);
        status = lf_store_audit(reader, arena, NULL, last, AUDIT_PAGE, &entries, &found, error);
        if (status == LF_OK && found > 0) {
            last = entries[found - 1].id;
            *ret_count += found;
        }
    } while (status == LF_OK && found == AUDIT_PAGE);
    return status;
}

static void
print_findings(const struct lf_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        (void)printf("%s: %s\n", findings->items[i].code, findings->items[i].detail);
    if (findings->dropped > 0)
        (void)printf("and %zu more\n", findings->dropped);
}

/* What scores add up to: counted anew. */
static enum lf_status
check_rollups(struct lf_store_reader *reader, struct lf_arena *arena, int64_t *ret_rollups, size_t *ret_faults,
              struct lf_error *error)
{
    struct lf_catalog *catalog = lf_catalog_create();
    struct lf_findings findings;
    enum lf_status status = LF_OK;

    lf_arena_reset(arena);
    lf_findings_init(&findings, arena);
    if (catalog == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory");
    status = lf_ledger_check(reader, catalog, &findings, ret_rollups, error);
    lf_catalog_destroy(catalog);
    if (status == LF_OK && findings.out_of_memory)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory");
    if (status != LF_OK)
        return status;
    print_findings(&findings);
    *ret_faults += findings.count + findings.dropped;
    return LF_OK;
}

static enum lf_status
check(struct lf_store *store, size_t sample, size_t *ret_faults, struct lf_error *error)
{
    struct lf_arena *arena = lf_arena_create(1 << 20, ARENA_MAX);
    struct checking checking = {.arena = lf_arena_create(1 << 20, ARENA_MAX)};
    struct lf_store_reader *reader = NULL;
    struct lf_findings findings;
    struct lf_ulid last;
    int64_t scores = 0, rollups = 0;
    size_t audit = 0, wrong = 0;
    enum lf_status status = LF_OK;

    if (arena == NULL || checking.arena == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory");
    if (status == LF_OK)
        status = lf_store_reader_open(store, &reader, error);
    if (status == LF_OK)
        status = lf_store_reader_open(store, &checking.reader, error);
    if (status == LF_OK) {
        lf_findings_init(&findings, arena);
        status = lf_store_check(reader, false, NULL, &findings, error);
        if (status == LF_OK)
            print_findings(&findings);
        checking.faults += status == LF_OK ? findings.count + findings.dropped : 0;
    }
    if (status == LF_OK)
        status = lf_store_each_version(reader, arena, check_version, &checking, error);
    if (status == LF_OK)
        status = lf_store_each_score(reader, arena, 0, INT64_MAX, sample, check_score, &checking, error);
    if (status == LF_OK)
        status = lf_store_last_score(reader, &last, &scores, error);
    if (status == LF_OK)
        status = count_audit(reader, arena, &audit, error);
    if (status == LF_OK)
        status = check_rollups(reader, arena, &rollups, &wrong, error);
    checking.faults += wrong;
    lf_store_reader_close(checking.reader);
    lf_store_reader_close(reader);
    lf_arena_destroy(checking.arena);
    lf_arena_destroy(arena);
    if (status != LF_OK)
        return status;
    if (wrong == 0)
        (void)printf("%lld roll-ups agree with the recorded scores\n", (long long)rollups);
    (void)printf("%s: %zu versions re-hashed, %zu audit entries chained, %zu of %lld scores computed again,"
                 " %zu fault%s\n",
                 checking.faults == 0 ? "sound" : "not sound", checking.versions, audit, checking.scores,
                 (long long)scores, checking.faults, checking.faults == 1 ? "" : "s");
    *ret_faults = checking.faults;
    return LF_OK;
}

int
command_check(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db", *number = NULL;
    const struct option options[] = {
        {.name = "--db", .value = &db}, {.name = "--sample", .value = &number}, {.name = NULL}};
    struct lf_store *store = NULL;
    struct lf_error error;
    char *end = NULL;
    long long sample = SAMPLE;
    size_t faults = 0;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);
    enum lf_status status = LF_OK;

    if (code != 0 || count < 0)
        return code;
    if (count > 0)
        return wrong_usage(command, "%s is too much", argv[0]);
    if (number != NULL && ((sample = strtoll(number, &end, 10)) < 0 || *end != '\0' || end == number))
        return wrong_usage(command, "--sample wants a number from 0");
    status = lf_store_open(&(struct lf_store_options){.path = db, .read_only = true}, &store, &error);
    if (status == LF_OK)
        status = check(store, (size_t)sample, &faults, &error);
    lf_store_close(store);
    if (status != LF_OK)
        return fault(&error);
    return faults > 0 ? EXIT_FAULT : EXIT_FINE;
}

int
command_backup(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db";
    const struct option options[] = {{.name = "--db", .value = &db}, {.name = NULL}};
    struct reading reading;
    struct lf_error error;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);
    enum lf_status status = LF_OK;

    if (code != 0 || count < 0)
        return code;
    if (count != 1)
        return wrong_usage(command, "the file to write is needed");
    status = reading_open(db, &reading, &error);
    if (status == LF_OK)
        status = lf_store_backup(reading.reader, argv[0], &error);
    code = reading_close(&reading, status, &error);
    if (code != EXIT_FINE)
        return code;
    return printf("copied %s to %s\n", db, argv[0]) < 0 ? EXIT_FAULT : EXIT_FINE;
}
