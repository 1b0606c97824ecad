/*
 * ledger_check_leads.c - counts leads anew by their latest scores, and compares. See ledger_check.h.
 *
 * Leads and the rows that count them are written together, so both are read as of one moment, and are right by
 * themselves whatever still waits to be settled.
 */
#include "app/ledger_check.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 16 << 20 };

struct counting {
    struct lf_check *check;
    struct lf_wins_rows rows;
    struct lf_error *error;
};

/* ---- leads ---- */

/* What a lead's row says beside its result is what follows from that. */
static bool
row_agrees(const struct lf_stored_lead_score *score, const struct lf_kept_result *result)
{
    const struct lf_brief *brief = &result->brief;
    char label[LF_LABEL_MAX];

    lf_brief_label(result->version->scorer, brief, label);
    return score->icp_id == result->version->icp_id && score->score == brief->score &&
           score->coverage == brief->coverage && score->engagement == brief->engagement &&
           score->qualified == brief->qualified &&
           strcmp(score->grade, lf_brief_grade(result->version->scorer, brief)) == 0 &&
           strcmp(score->label, label) == 0;
}

/* Whether it is right that this one is, or is not, the latest of its ICP. */
static bool
latest_agrees(const struct lf_stored_lead *lead, const struct lf_stored_lead_score *score)
{
    bool latest = true;

    for (size_t i = 0; i < lead->score_count; i++) {
        const struct lf_stored_lead_score *other = &lead->scores[i];
        int order = memcmp(other->score_id.bytes, score->score_id.bytes, LF_ULID_SIZE);

        if (other->icp_id == score->icp_id && (order > 0 || (order == 0 && other->version_id > score->version_id)))
            latest = false;
    }
    return score->latest == latest;
}

static void
blame_lead(struct lf_check *check, const struct lf_stored_lead_score *score, const char *what)
{
    char id[LF_ULID_TEXT_SIZE];

    lf_ulid_format(score->score_id, id);
    lf_findings_add(check->findings, "", "wrong_lead", "a lead's latest score under version %d of %s (score %s) %s",
                    score->version, score->icp, id, what);
}

static enum lf_status
count_lead(void *context, const struct lf_stored_lead *lead)
{
    struct counting *counting = context;
    struct lf_check *check = counting->check;
    struct lf_lead_fate fate = lf_lead_fate(lead->has_outcome, &lead->outcome);
    enum lf_status status = LF_OK;

    lf_arena_reset(check->scratch);
    for (size_t i = 0; status == LF_OK && i < lead->score_count; i++) {
        const struct lf_stored_lead_score *score = &lead->scores[i];
        int64_t scored_at_ms = lf_ulid_ms(score->score_id);
        struct lf_kept_result result;

        status = lf_holding_decode(&check->holding, check->scratch, score->version_id, score->result, score->result_len,
                                   &result, counting->error);
        if (status == LF_STORAGE_CORRUPT) {
            blame_lead(check, score, "cannot be read");
            status = LF_OK;
            continue;
        }
        if (status != LF_OK)
            return status;
        if (!row_agrees(score, &result))
            blame_lead(check, score, "is not what its result says");
        if (!latest_agrees(lead, score))
            blame_lead(check, score, score->latest ? "is not the latest under the ICP" : "is the latest under the ICP");
        status = lf_wins_rows_count(&counting->rows, LF_ROLLUP_WINS, &result, scored_at_ms, fate, 1, counting->error);
        if (status == LF_OK && score->latest)
            status = lf_wins_rows_count(&counting->rows, LF_ROLLUP_ICP_WINS, &result, scored_at_ms, fate, 1,
                                        counting->error);
    }
    return status;
}

/* ---- rows ---- */

/* What differs first, in words; lives in the text. */
static void
tell_difference(const struct lf_wins *kept, const struct lf_wins *counted, char *text, size_t size)
{
    static const char *const WORDS[] = {"leads", "open ones", "won ones", "lost ones"};

    for (size_t grade = 0; grade <= kept->icp->grade_count; grade++) {
        const struct lf_win_grade *a = &kept->grades[grade], *b = &counted->grades[grade];
        const int64_t left[] = {a->leads, a->open, a->won, a->lost}, right[] = {b->leads, b->open, b->won, b->lost};

        for (size_t i = 0; i < 4; i++) {
            if (left[i] == right[i])
                continue;
            (void)snprintf(text, size, "at %s it has %" PRId64 " %s and there are %" PRId64,
                           grade < kept->icp->grade_count ? kept->icp->grades[grade].name : "DQ", left[i], WORDS[i],
                           right[i]);
            return;
        }
    }
    (void)snprintf(text, size, "%s", "its leads by attribute, score or value are not those there are");
}

struct comparing {
    struct counting *counting;
    const struct lf_cataloged *version;
};

/* Whether both come to the same bytes. */
static enum lf_status
compare_bytes(struct lf_arena *arena, const struct lf_wins *a, const struct lf_wins *b, bool *ret_same,
              struct lf_error *error)
{
    struct lf_buf left, right;

    lf_buf_init(&left, arena, BODY_MAX);
    lf_buf_init(&right, arena, BODY_MAX);
    lf_wins_put(&left, a);
    lf_wins_put(&right, b);
    if (lf_buf_failed(&left) || lf_buf_failed(&right))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while checking");
    *ret_same = left.len == right.len && memcmp(left.data, right.data, left.len) == 0;
    return LF_OK;
}

static enum lf_status
compare_row(void *context, const struct lf_stored_rollup *rollup)
{
    struct comparing *comparing = context;
    struct counting *counting = comparing->counting;
    struct lf_check *check = counting->check;
    struct lf_wins_row *row =
        lf_wins_rows_look(&counting->rows, rollup->version_id, rollup->kind, rollup->span, rollup->start_hour);
    struct lf_wins kept, none;
    char text[128];
    bool same = false;
    enum lf_status status = LF_OK;

    if (row != NULL)
        row->met = true;
    if (lf_check_is_pruned(check, rollup->start_hour))
        return LF_OK;
    check->rollups++;
    lf_arena_reset(check->scratch);
    if (!lf_wins_init(&kept, check->scratch, comparing->version->icp) ||
        !lf_wins_init(&none, check->scratch, comparing->version->icp))
        return lf_fail(counting->error, LF_OUT_OF_MEMORY, "out of memory while checking");
    status = lf_wins_add(&kept, rollup->body, rollup->body_len, counting->error);
    if (status == LF_STORAGE_CORRUPT) {
        lf_check_fault(check, comparing->version, rollup->kind, rollup->span, rollup->start_hour, "cannot be read");
        return LF_OK;
    }
    if (status == LF_OK)
        status = compare_bytes(check->scratch, &kept, row != NULL ? &row->wins : &none, &same, counting->error);
    if (status == LF_OK && !same) {
        tell_difference(&kept, row != NULL ? &row->wins : &none, text, sizeof text);
        lf_check_fault(check, comparing->version, rollup->kind, rollup->span, rollup->start_hour, text);
    }
    return status;
}

static enum lf_status
compare_version(struct counting *counting, const struct lf_checked_version *version)
{
    struct lf_check *check = counting->check;
    struct comparing comparing = {.counting = counting, .version = version->version};
    enum lf_status status = LF_OK;

    for (int kind = LF_ROLLUP_WINS; kind <= LF_ROLLUP_ICP_WINS; kind++)
        for (int span = LF_SPAN_HOUR; status == LF_OK && span <= LF_SPAN_MONTH; span++)
            status =
                lf_store_each_rollup(check->reader, version->version_id, (enum lf_rollup_kind)kind,
                                     (enum lf_rollup_span)span, 0, INT64_MAX, compare_row, &comparing, counting->error);
    return status;
}

/* Leads that no row counts. */
static void
blame_missing(struct counting *counting)
{
    for (size_t i = 0; i < counting->rows.slot_count; i++) {
        const struct lf_wins_row *row = counting->rows.slots[i];

        if (row != NULL && !row->met && !lf_check_is_pruned(counting->check, row->start_hour))
            lf_check_fault(counting->check, row->version, row->kind, row->span, row->start_hour, "is missing");
    }
}

enum lf_status
lf_check_leads(struct lf_check *check, struct lf_error *error)
{
    struct counting counting = {.check = check, .error = error};
    enum lf_status status = lf_store_hold(check->reader, error);

    if (status != LF_OK)
        return status;
    lf_wins_rows_init(&counting.rows, NULL, check->arena);
    status = lf_store_each_lead(check->reader, check->walking, count_lead, &counting, error);
    for (size_t i = 0; status == LF_OK && i < check->version_count; i++)
        status = compare_version(&counting, &check->versions[i]);
    lf_store_let_go(check->reader);
    if (status == LF_OK)
        blame_missing(&counting);
    return status;
}
