/*
 * ledger_check_scores.c - counts recorded scores anew and compares. See ledger_check.h.
 *
 * Scores are walked through in the order of time with one hour, day and month of each version open; when the next one
 * begins, the row of the last is read and compared. Others may record meanwhile: the rows of what was running at the
 * beginning (and the baselines) are read then, together with how far they had come, and the walk ends there.
 *
 * Which scores were the first of their lead is counted by a set of hashed ids; beyond FIRSTS_MAX of them it is not
 * counted any more.
 */
#include "app/ledger.h"
#include "app/ledger_check.h"
#include "app/ledger_waiting.h"
#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STARTS_LEAST = 64, FIRSTS_LEAST = 1 << 12, BODY_MAX = 16 << 20 };

static const size_t FIRSTS_MAX = (size_t)1 << 27;

/* A row that may change while the check goes on, as it was at the beginning. */
struct kept_row {
    struct kept_row *next;
    int64_t version_id, start_hour;
    enum lf_rollup_span span;
    const void *body;
    size_t body_len;
};

struct scores {
    struct lf_check *check;
    struct kept_row *kept;
    int64_t last_hour; /* of the newest score at the beginning */
    uint64_t *firsts;  /* hashed, 0 for a free place; open addressing, at most half full */
    size_t first_count, first_slots;
    bool firsts_known;
    struct lf_error *error;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while checking");
}

/* What differs first, in words. */
static void
tell_difference(const struct lf_tally *kept, const struct lf_tally *counted, char *text, size_t size)
{
    const struct {
        const char *word;
        int64_t kept, counted;
    } parts[] = {
        {"scores", kept->scored, counted->scored},
        {"first scores of leads", kept->leads, counted->leads},
        {"qualified ones", kept->qualified, counted->qualified},
        {"as the sum of scores", kept->score_sum, counted->score_sum},
        {"as the sum of coverage", kept->coverage_sum, counted->coverage_sum},
        {"as the sum of engagement", kept->engagement_sum, counted->engagement_sum},
        {"as the first time", kept->first_ms, counted->first_ms},
        {"as the last time", kept->last_ms, counted->last_ms},
        {"scores that say which fields were missing", kept->fields_known, counted->fields_known},
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].kept == parts[i].counted)
            continue;
        (void)snprintf(text, size, "has %" PRId64 " %s, and it should be %" PRId64, parts[i].kept, parts[i].word,
                       parts[i].counted);
        return;
    }
    (void)snprintf(text, size, "%s",
                   "has other grades, labels, attributes, disqualifiers or fields than were recorded");
}

/* ---- rows as they are at the beginning ---- */

static enum lf_status
keep_row(void *context, const struct lf_stored_rollup *rollup)
{
    struct scores *scores = context;
    struct kept_row *row = lf_arena_calloc(scores->check->arena, 1, sizeof *row);

    if (row == NULL)
        return out_of_memory(scores->error);
    row->version_id = rollup->version_id;
    row->start_hour = rollup->start_hour;
    row->span = rollup->span;
    row->body = lf_arena_copy(scores->check->arena, rollup->body, rollup->body_len);
    row->body_len = rollup->body_len;
    if (row->body == NULL)
        return out_of_memory(scores->error);
    row->next = scores->kept;
    scores->kept = row;
    return LF_OK;
}

/* Whether a row may change while the check goes on. */
static bool
is_running(const struct scores *scores, enum lf_rollup_span span, int64_t start_hour)
{
    return span == LF_SPAN_BASELINE || start_hour >= lf_span_begin(span, scores->last_hour);
}

/* How far everything is, and the rows that may still change, as of one moment. */
static enum lf_status
look_at_beginning(struct scores *scores, struct lf_error *error)
{
    struct lf_check *check = scores->check;
    struct lf_ulid last;
    int64_t count = 0;
    enum lf_status status = lf_store_hold(check->reader, error);

    if (status != LF_OK)
        return status;
    status = lf_store_progress(check->reader, &check->progress, error);
    if (status == LF_OK)
        status = lf_check_load_versions(check, error);
    if (status == LF_OK)
        status = lf_store_last_score(check->reader, &last, &count, error);
    if (status == LF_OK)
        scores->last_hour = lf_hour_of(lf_ulid_ms(last));
    for (size_t i = 0; i < check->version_count; i++) {
        for (int span = LF_SPAN_BASELINE; status == LF_OK && span <= LF_SPAN_MONTH; span++) {
            int64_t start = lf_span_begin((enum lf_rollup_span)span, scores->last_hour);

            status = lf_store_each_rollup(check->reader, check->versions[i].version_id, LF_ROLLUP_TALLY,
                                          (enum lf_rollup_span)span, start, INT64_MAX, keep_row, scores, error);
        }
    }
    lf_store_let_go(check->reader);
    return status;
}

/* ---- comparing ---- */

struct comparing {
    struct scores *scores;
    const struct lf_checked_version *version;
    enum lf_rollup_span span;
    bool met;
};

/* Of a baseline nothing can be said where its first scores may be gone; nor whether there should be one. */
static bool
baseline_is_pruned(const struct lf_check *check, const struct lf_tally *kept)
{
    return kept->first_ms < check->progress.pruned_ms;
}

/* Compares the open tally with a row that is kept of its span. */
static enum lf_status
compare_row(void *context, const struct lf_stored_rollup *rollup)
{
    struct comparing *comparing = context;
    struct scores *scores = comparing->scores;
    struct lf_check *check = scores->check;
    const struct lf_checked_tally *open = &comparing->version->spans[comparing->span];
    struct lf_tally kept, counted = open->tally;
    struct lf_buf left, right;
    char text[160];
    enum lf_status status = LF_OK;

    comparing->met = true;
    lf_arena_reset(check->scratch);
    if (!lf_tally_init(&kept, check->scratch, comparing->version->version->icp))
        return out_of_memory(scores->error);
    status = lf_tally_add(&kept, rollup->body, rollup->body_len, scores->error);
    if (status == LF_STORAGE_CORRUPT) {
        lf_check_fault(check, comparing->version->version, LF_ROLLUP_TALLY, comparing->span, open->start_hour,
                       "cannot be read");
        return LF_OK;
    }
    if (status != LF_OK)
        return status;
    if (comparing->span == LF_SPAN_BASELINE && baseline_is_pruned(check, &kept))
        return LF_OK;
    check->rollups++;
    if (!scores->firsts_known || (kept.leads >= counted.leads && kept.leads <= counted.leads + open->nameless))
        counted.leads = kept.leads;
    lf_buf_init(&left, check->scratch, BODY_MAX);
    lf_buf_init(&right, check->scratch, BODY_MAX);
    lf_tally_put(&left, &kept);
    lf_tally_put(&right, &counted);
    if (lf_buf_failed(&left) || lf_buf_failed(&right))
        return out_of_memory(scores->error);
    if (left.len == right.len && memcmp(left.data, right.data, left.len) == 0)
        return LF_OK;
    tell_difference(&kept, &counted, text, sizeof text);
    lf_check_fault(check, comparing->version->version, LF_ROLLUP_TALLY, comparing->span, open->start_hour, text);
    return LF_OK;
}

/* Notes that the span has been compared: what is kept beside these was never recorded. */
static bool
note_start(struct lf_check *check, struct lf_checked_tally *open)
{
    if (open->start_count == open->start_cap) {
        size_t cap = open->start_cap == 0 ? STARTS_LEAST : open->start_cap * 2;
        int64_t *starts = lf_arena_alloc(check->arena, cap * sizeof *starts);

        if (starts == NULL)
            return false;
        if (open->start_count > 0)
            memcpy(starts, open->starts, open->start_count * sizeof *starts);
        open->starts = starts;
        open->start_cap = cap;
    }
    open->starts[open->start_count++] = open->start_hour;
    return true;
}

/* The open tally is complete: it is held against what is kept. */
static enum lf_status
close_tally(struct scores *scores, struct lf_checked_version *version, enum lf_rollup_span span)
{
    struct lf_check *check = scores->check;
    struct lf_checked_tally *open = &version->spans[span];
    struct comparing comparing = {.scores = scores, .version = version, .span = span};
    enum lf_status status = LF_OK;

    open->open = false;
    if (!note_start(check, open))
        return out_of_memory(scores->error);
    if (span != LF_SPAN_BASELINE && lf_check_is_pruned(check, open->start_hour))
        return LF_OK;
    if (is_running(scores, span, open->start_hour)) {
        for (const struct kept_row *row = scores->kept; status == LF_OK && row != NULL; row = row->next)
            if (row->version_id == version->version_id && row->span == span && row->start_hour == open->start_hour)
                status =
                    compare_row(&comparing, &(struct lf_stored_rollup){.body = row->body, .body_len = row->body_len});
    } else {
        status = lf_store_each_rollup(check->reader, version->version_id, LF_ROLLUP_TALLY, span, open->start_hour,
                                      open->start_hour + 1, compare_row, &comparing, scores->error);
    }
    if (status == LF_OK && !comparing.met && (span != LF_SPAN_BASELINE || check->progress.pruned_ms == 0))
        lf_check_fault(check, version->version, LF_ROLLUP_TALLY, span, open->start_hour, "is missing");
    return status;
}

/* ---- counting ---- */

/* Adds a lead and ICP to those that have been scored; whether it is new. */
static bool
add_first(struct scores *scores, uint64_t hash)
{
    size_t at = 0;

    if (scores->first_count * 2 >= scores->first_slots) {
        size_t slots = scores->first_slots == 0 ? FIRSTS_LEAST : scores->first_slots * 2;
        uint64_t *firsts = scores->first_count >= FIRSTS_MAX ? NULL : calloc(slots, sizeof *firsts);

        if (firsts == NULL) {
            scores->firsts_known = false;
            return false;
        }
        for (size_t i = 0; i < scores->first_slots; i++) {
            if (scores->firsts[i] == 0)
                continue;
            for (at = scores->firsts[i] & (slots - 1); firsts[at] != 0; at = (at + 1) & (slots - 1))
                ;
            firsts[at] = scores->firsts[i];
        }
        free(scores->firsts);
        scores->firsts = firsts;
        scores->first_slots = slots;
    }
    hash = hash == 0 ? 1 : hash;
    for (at = hash & (scores->first_slots - 1); scores->firsts[at] != 0; at = (at + 1) & (scores->first_slots - 1))
        if (scores->firsts[at] == hash)
            return false;
    scores->firsts[at] = hash;
    scores->first_count++;
    return true;
}

static bool
is_first(struct scores *scores, const struct lf_stored_score *score, int64_t icp_id)
{
    static const uint64_t SEED = UINT64_C(0x6c656164666974);

    if (score->lead_id_len == 0 || !scores->firsts_known)
        return false;
    /* The ICP changes all of the seed: one that changed its last bits alone would be met by an id's first letter. */
    return add_first(scores, lf_lead_hash(SEED ^ (uint64_t)icp_id * UINT64_C(0x9E3779B97F4A7C15), score->lead_id,
                                          score->lead_id_len));
}

/* The tally of the span that the hour belongs to. */
static enum lf_status
turn_to(struct scores *scores, struct lf_checked_version *version, enum lf_rollup_span span, int64_t hour)
{
    struct lf_checked_tally *open = &version->spans[span];
    enum lf_status status = LF_OK;

    if (open->open && (span == LF_SPAN_BASELINE || hour < open->end_hour))
        return LF_OK;
    if (open->open)
        status = close_tally(scores, version, span);
    if (status != LF_OK)
        return status;
    if (open->arena == NULL)
        open->arena = lf_arena_create(1 << 12, BODY_MAX);
    else
        lf_arena_reset(open->arena);
    if (open->arena == NULL || !lf_tally_init(&open->tally, open->arena, version->version->icp))
        return out_of_memory(scores->error);
    open->start_hour = lf_span_begin(span, hour);
    open->end_hour = lf_span_end(span, open->start_hour);
    open->nameless = 0;
    open->open = true;
    return LF_OK;
}

static enum lf_status
count_result(struct scores *scores, const struct lf_stored_score *score, const struct lf_recorded_result *result,
             bool nameless)
{
    struct lf_check *check = scores->check;
    struct lf_checked_version *version = lf_check_find_version(check, result->version_id);
    int64_t scored_at_ms = lf_ulid_ms(score->id);
    const struct lf_outcome *outcome = NULL;
    struct lf_brief brief;
    bool first = false;
    enum lf_status status = LF_OK;

    if (version == NULL)
        return lf_fail(scores->error, LF_STORAGE_CORRUPT, "the version it was made under is not there");
    status = lf_record_outcome(check->decoding, version->version->icp, result, &outcome, scores->error);
    if (status != LF_OK)
        return status;
    lf_score_brief(version->version->scorer, outcome, &brief);
    first = is_first(scores, score, version->version->icp_id);
    for (int span = LF_SPAN_BASELINE; span <= LF_SPAN_MONTH; span++) {
        struct lf_checked_tally *open = &version->spans[span];

        status = turn_to(scores, version, (enum lf_rollup_span)span, lf_hour_of(scored_at_ms));
        if (status != LF_OK)
            return status;
        if (span == LF_SPAN_BASELINE && open->tally.scored >= LF_BASELINE_SCORES)
            continue;
        lf_tally_count(&open->tally, outcome, &brief, scored_at_ms, first);
        open->nameless += nameless;
    }
    return LF_OK;
}

static enum lf_status
count_score(void *context, int64_t block, const struct lf_stored_score *score)
{
    struct scores *scores = context;
    struct lf_check *check = scores->check;
    struct lf_record record;
    char id[LF_ULID_TEXT_SIZE];
    enum lf_status status = LF_OK;

    (void)block;
    lf_arena_reset(check->decoding);
    status = lf_record_read(check->decoding, score->body, score->body_len, &record, scores->error);
    for (size_t i = 0; status == LF_OK && i < record.result_count; i++)
        status = count_result(scores, score, &record.results[i], record.kept == LF_KEPT_ERASED);
    if (status != LF_STORAGE_CORRUPT)
        return status;
    lf_ulid_format(score->id, id);
    lf_findings_add(check->findings, "", "damaged_score", "score %s cannot be counted: it is damaged", id);
    return LF_OK;
}

/* ---- what is kept and was never recorded ---- */

struct surplus {
    struct scores *scores;
    const struct lf_checked_version *version;
    enum lf_rollup_span span;
    size_t at; /* in the starts */
};

static enum lf_status
look_for_surplus(void *context, const struct lf_stored_rollup *rollup)
{
    struct surplus *surplus = context;
    struct lf_check *check = surplus->scores->check;
    const struct lf_checked_tally *spans = &surplus->version->spans[surplus->span];

    while (surplus->at < spans->start_count && spans->starts[surplus->at] < rollup->start_hour)
        surplus->at++;
    if ((surplus->at < spans->start_count && spans->starts[surplus->at] == rollup->start_hour) ||
        lf_check_is_pruned(check, rollup->start_hour)) /* a baseline begins with 0 */
        return LF_OK;
    check->rollups++;
    lf_check_fault(check, surplus->version->version, LF_ROLLUP_TALLY, surplus->span, rollup->start_hour,
                   "is there, and no score was recorded then");
    return LF_OK;
}

/* Rows of before what is running now: those behind may have begun meanwhile. */
static enum lf_status
find_surplus(struct scores *scores, struct lf_error *error)
{
    struct lf_check *check = scores->check;
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < check->version_count; i++) {
        for (int span = LF_SPAN_BASELINE; status == LF_OK && span <= LF_SPAN_MONTH; span++) {
            struct surplus surplus = {
                .scores = scores, .version = &check->versions[i], .span = (enum lf_rollup_span)span};

            for (const struct kept_row *row = scores->kept; status == LF_OK && row != NULL; row = row->next) {
                surplus.at = 0;
                if (row->version_id == check->versions[i].version_id && row->span == surplus.span)
                    status = look_for_surplus(&surplus, &(struct lf_stored_rollup){.start_hour = row->start_hour});
            }
            surplus.at = 0;
            if (status == LF_OK && span != LF_SPAN_BASELINE)
                status = lf_store_each_rollup(check->reader, check->versions[i].version_id, LF_ROLLUP_TALLY,
                                              surplus.span, 0, lf_span_begin(surplus.span, scores->last_hour),
                                              look_for_surplus, &surplus, error);
        }
    }
    return status;
}

/* ---- all of it ---- */

/* Compares what is open at the end. */
static enum lf_status
close_all(struct scores *scores)
{
    struct lf_check *check = scores->check;
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < check->version_count; i++)
        for (int span = LF_SPAN_BASELINE; status == LF_OK && span <= LF_SPAN_MONTH; span++)
            if (check->versions[i].spans[span].open)
                status = close_tally(scores, &check->versions[i], (enum lf_rollup_span)span);
    return status;
}

enum lf_status
lf_check_scores(struct lf_check *check, struct lf_error *error)
{
    struct scores scores = {.check = check, .error = error, .firsts_known = true};
    enum lf_status status = look_at_beginning(&scores, error);

    if (status == LF_OK) {
        const struct lf_store_progress *progress = &check->progress;
        int64_t last = progress->rolled_block < progress->due_block ? progress->rolled_block : progress->last_block;

        scores.firsts_known = progress->pruned_ms == 0;
        status = lf_store_each_score_behind(check->reader, check->walking, 0, last, count_score, &scores, error);
    }
    if (status == LF_OK)
        status = close_all(&scores);
    if (status == LF_OK)
        status = find_surplus(&scores, error);
    free(scores.firsts);
    for (size_t i = 0; i < check->version_count; i++)
        for (size_t span = 0; span < LF_SPAN_COUNT; span++)
            lf_arena_destroy(check->versions[i].spans[span].arena);
    return status;
}
