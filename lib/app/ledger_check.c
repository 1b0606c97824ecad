/*
 * ledger_check.c - counts everything anew that was recorded, and compares with what is kept. See ledger.h and
 * ledger_check.h.
 */
#include "app/ledger_check.h"

#include "app/ledger.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20, VERSIONS_LEAST = 64, HOUR_MS = 3600000 };

static const size_t ARENA_MAX = (size_t)1 << 34;

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while checking");
}

/* ---- findings ---- */

bool
lf_check_is_pruned(const struct lf_check *check, int64_t start_hour)
{
    return start_hour * HOUR_MS < check->progress.pruned_ms;
}

void
lf_check_fault(struct lf_check *check, const struct lf_cataloged *version, enum lf_rollup_kind kind,
               enum lf_rollup_span span, int64_t start_hour, const char *what)
{
    static const char *const KINDS[] = {
        [LF_ROLLUP_TALLY] = "scores",
        [LF_ROLLUP_WINS] = "leads",
        [LF_ROLLUP_ICP_WINS] = "leads by their latest score",
    };
    static const char *const SPANS[] = {
        [LF_SPAN_BASELINE] = "the baseline",
        [LF_SPAN_HOUR] = "the hour",
        [LF_SPAN_DAY] = "the day",
        [LF_SPAN_MONTH] = "the month",
    };
    char time[LF_TIME_TEXT_MAX] = "";

    if (span != LF_SPAN_BASELINE)
        (void)lf_time_format_ms(start_hour * HOUR_MS, time);
    lf_findings_add(check->findings, "", "wrong_rollup", "version %d of %s: the count of %s of %s%s%s %s",
                    version->version, version->icp->key, KINDS[kind], SPANS[span], time[0] != '\0' ? " from " : "",
                    time, what);
}

/* ---- versions ---- */

static enum lf_status
note_version(void *context, const struct lf_stored_version *version)
{
    struct lf_check *check = context;

    if (check->version_count == check->version_cap) {
        size_t cap = check->version_cap == 0 ? VERSIONS_LEAST : check->version_cap * 2;
        struct lf_checked_version *versions = lf_arena_calloc(check->arena, cap, sizeof *versions);

        if (versions == NULL)
            return LF_OUT_OF_MEMORY;
        if (check->version_count > 0)
            memcpy(versions, check->versions, check->version_count * sizeof *versions);
        check->versions = versions;
        check->version_cap = cap;
    }
    check->versions[check->version_count++].version_id = version->id;
    return LF_OK;
}

static int
compare_versions(const void *a, const void *b)
{
    const struct lf_checked_version *left = a, *right = b;

    return (left->version_id > right->version_id) - (left->version_id < right->version_id);
}

struct lf_checked_version *
lf_check_find_version(struct lf_check *check, int64_t version_id)
{
    struct lf_checked_version key = {.version_id = version_id};

    return check->version_count == 0
               ? NULL
               : bsearch(&key, check->versions, check->version_count, sizeof key, compare_versions);
}

enum lf_status
lf_check_load_versions(struct lf_check *check, struct lf_error *error)
{
    enum lf_status status = lf_store_each_version(check->reader, check->walking, note_version, check, error);

    if (status == LF_OUT_OF_MEMORY)
        return out_of_memory(error);
    if (status == LF_OK && check->version_count > 0)
        qsort(check->versions, check->version_count, sizeof *check->versions, compare_versions);
    for (size_t i = 0; status == LF_OK && i < check->version_count; i++)
        status = lf_holding_find(&check->holding, check->versions[i].version_id, &check->versions[i].version, error);
    return status;
}

/* ---- all of it ---- */

enum lf_status
lf_ledger_check(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_findings *findings,
                int64_t *ret_rollups, struct lf_error *error)
{
    struct lf_check check = {
        .reader = reader,
        .findings = findings,
        .arena = lf_arena_create(CHUNK, ARENA_MAX),
        .walking = lf_arena_create(CHUNK, ARENA_MAX),
        .scratch = lf_arena_create(CHUNK, ARENA_MAX),
        .decoding = lf_arena_create(CHUNK, ARENA_MAX),
    };
    enum lf_status status = LF_OK;

    lf_holding_init(&check.holding, catalog, reader, check.arena);
    if (check.arena == NULL || check.walking == NULL || check.scratch == NULL || check.decoding == NULL)
        status = out_of_memory(error);
    if (status == LF_OK)
        status = lf_check_scores(&check, error);
    if (status == LF_OK)
        status = lf_check_leads(&check, error);
    if (check.holding.slot_count > 0)
        lf_holding_release(&check.holding);
    lf_arena_destroy(check.decoding);
    lf_arena_destroy(check.scratch);
    lf_arena_destroy(check.walking);
    lf_arena_destroy(check.arena);
    if (status == LF_OK)
        *ret_rollups = check.rollups;
    return status;
}
