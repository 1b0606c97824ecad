/*
 * compare.c - see compare.h.
 *
 * A record holds what each rule came to, and its version tells what that is worth: scores and grades follow from the
 * two without looking at the lead. Versions are parsed once; of many only the last few stay.
 */
#include "app/compare.h"

#include "app/ranking.h"
#include "app/replay.h"
#include "app/versions.h"
#include "core/score.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_VERSIONS = 16, VERSION_CHUNK = 1 << 16, VERSION_MAX = 256 << 20, PAIRS_LEAST = 1024 };

/* Behind all grades. */
#define DISQUALIFIED UINT32_MAX

/* A version with what its results come to. */
struct kept {
    int64_t id; /* 0: a free place */
    uint64_t used;
    struct lf_arena *arena;
    const struct lf_icp *icp;
    const struct lf_scorer *scorer;
    uint32_t rows[LF_GRADES_MAX]; /* its grades among the side's */
};

/* One of the two ICPs, with the grades that its versions have: the newest version's first. */
struct side {
    const char *key;
    const char **grades;
    size_t grade_count, grade_cap;
};

/* A lead that was counted. */
struct pair {
    uint32_t row, with_row;
    uint32_t won, lost; /* 0 or 1 */
};

/* One of the leads on which they disagree most. */
struct slot {
    struct lf_compare_lead lead;
    int lead_by; /* hundredths, seen from the side that prefers it */
    char *lead_id;
    size_t room;
};

struct top {
    struct lf_ranking ranking;
    struct slot slots[LF_COMPARE_TOP];
    void *order[LF_COMPARE_TOP];
};

struct comparing {
    struct lf_store_reader *reader;
    struct lf_arena *arena;
    struct side sides[2];
    struct lf_versions versions;
    struct kept kept[KEPT_VERSIONS];
    uint64_t uses;
    struct pair *pairs;
    size_t pair_count, pair_cap;
    struct lf_comparison *comparison;
    int64_t sum_of_differences;
    struct top tops[2];
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while comparing two ICPs");
}

/* ---- versions ---- */

static enum lf_status
describe(void *context, const struct lf_stored_version *version, struct lf_arena *scratch, void **ret_note,
         struct lf_error *error)
{
    struct comparing *comparing = context;

    (void)scratch;
    (void)error;
    *ret_note = NULL;
    for (size_t s = 0; s < 2; s++)
        if (strcmp(version->icp, comparing->sides[s].key) == 0)
            *ret_note = &comparing->sides[s];
    return LF_OK;
}

/* The record's results of both sides; NULL for one that it has not. */
static enum lf_status
find_results(struct comparing *comparing, const struct lf_record *record, const struct lf_recorded_result *results[2],
             struct lf_error *error)
{
    results[0] = results[1] = NULL;
    for (size_t i = 0; i < record->result_count; i++) {
        void *side = NULL;
        enum lf_status status = lf_versions_find(&comparing->versions, record->results[i].version_id, &side, error);

        if (status != LF_OK)
            return status;
        if (side != NULL)
            results[side == &comparing->sides[1]] = &record->results[i];
    }
    return LF_OK;
}

static enum lf_status
counts(void *context, const struct lf_record *record, bool *ret_counts, struct lf_error *error)
{
    const struct lf_recorded_result *results[2];
    enum lf_status status = find_results(context, record, results, error);

    *ret_counts = status == LF_OK && results[0] != NULL && results[1] != NULL;
    return status;
}

/* The grade's number among the side's, added where it is new. false: out of memory. */
static bool
find_grade(struct lf_arena *arena, struct side *side, const char *name, uint32_t *ret_row)
{
    size_t row = 0;

    while (row < side->grade_count && strcmp(side->grades[row], name) != 0)
        row++;
    if (row == side->grade_cap) {
        size_t cap = side->grade_cap == 0 ? LF_GRADES_MAX : side->grade_cap * 2;
        const char **grades = lf_arena_calloc(arena, cap, sizeof *grades);

        if (grades == NULL)
            return false;
        if (row > 0)
            memcpy(grades, side->grades, row * sizeof *grades);
        side->grades = grades;
        side->grade_cap = cap;
    }
    if (row == side->grade_count) {
        side->grades[row] = lf_arena_copy(arena, name, strlen(name));
        if (side->grades[row] == NULL)
            return false;
        side->grade_count++;
    }
    *ret_row = (uint32_t)row;
    return true;
}

static enum lf_status
keep(struct comparing *comparing, struct side *side, int64_t id, struct kept *place, struct lf_error *error)
{
    struct kept kept = {.id = id, .arena = lf_arena_create(VERSION_CHUNK, VERSION_MAX)};
    struct lf_stored_version version;
    enum lf_status status = kept.arena == NULL ? out_of_memory(error) : LF_OK;

    if (status == LF_OK)
        status = lf_version_fetch(comparing->reader, kept.arena, id, &version, error);
    if (status == LF_OK)
        status = lf_version_parse(kept.arena, &version, &kept.icp, error);
    if (status == LF_OK && (kept.scorer = lf_scorer_create(kept.arena, kept.icp)) == NULL)
        status = out_of_memory(error);
    for (size_t i = 0; status == LF_OK && i < kept.icp->grade_count; i++)
        if (!find_grade(comparing->arena, side, kept.icp->grades[i].name, &kept.rows[i]))
            status = out_of_memory(error);
    if (status != LF_OK) {
        lf_arena_destroy(kept.arena);
        return status;
    }
    lf_arena_destroy(place->arena);
    *place = kept;
    return LF_OK;
}

/* The version, ready; it stays until KEPT_VERSIONS others have been asked for. */
static enum lf_status
find_kept(struct comparing *comparing, struct side *side, int64_t id, const struct kept **ret_kept,
          struct lf_error *error)
{
    struct kept *place = &comparing->kept[0];
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < KEPT_VERSIONS && place->id != id; i++)
        if (comparing->kept[i].id == id || comparing->kept[i].used < place->used)
            place = &comparing->kept[i];
    if (place->id != id)
        status = keep(comparing, side, id, place, error);
    place->used = ++comparing->uses;
    *ret_kept = place;
    return status;
}

/* ---- one lead ---- */

/* A lead under one of the two. */
struct standing {
    const struct kept *kept;
    struct lf_score score;
};

static enum lf_status
find_standing(struct comparing *comparing, size_t side, const struct lf_recorded_result *result, struct lf_arena *arena,
              struct standing *ret_standing, struct lf_error *error)
{
    const struct lf_outcome *outcome = NULL;
    enum lf_status status =
        find_kept(comparing, &comparing->sides[side], result->version_id, &ret_standing->kept, error);

    if (status == LF_OK)
        status = lf_record_outcome(arena, ret_standing->kept->icp, result, &outcome, error);
    if (status == LF_OK && !lf_score_outcome(ret_standing->kept->scorer, outcome, arena, &ret_standing->score))
        status = out_of_memory(error);
    return status;
}

static uint32_t
row_of(const struct standing *standing)
{
    return standing->score.qualified ? standing->kept->rows[standing->score.grade] : DISQUALIFIED;
}

static const char *
grade_name(const struct side *side, uint32_t row)
{
    return row == DISQUALIFIED ? "DQ" : side->grades[row];
}

static bool
note_pair(struct comparing *comparing, struct pair pair)
{
    if (comparing->pair_count == comparing->pair_cap) {
        size_t cap = comparing->pair_cap == 0 ? PAIRS_LEAST : comparing->pair_cap * 2;
        struct pair *pairs = lf_arena_alloc(comparing->arena, cap * sizeof *pairs);

        if (pairs == NULL)
            return false;
        if (comparing->pair_count > 0)
            memcpy(pairs, comparing->pairs, comparing->pair_count * sizeof *pairs);
        comparing->pairs = pairs;
        comparing->pair_cap = cap;
    }
    comparing->pairs[comparing->pair_count++] = pair;
    return true;
}

static int
compare_slots(const void *a, const void *b)
{
    const struct slot *left = a, *right = b;

    return (left->lead_by < right->lead_by) - (left->lead_by > right->lead_by);
}

static bool
note_top(struct comparing *comparing, struct top *top, int lead_by, const struct lf_stored_score *score,
         struct lf_compare_lead lead)
{
    struct slot candidate = {.lead_by = lead_by}, *slot = lf_ranking_enter(&top->ranking, &candidate);

    if (slot == NULL)
        return true;
    if (!lf_replay_copy_id(comparing->arena, score, &slot->lead_id, &slot->room))
        return false;
    slot->lead_by = lead_by;
    slot->lead = lead;
    slot->lead.lead_id = slot->lead_id;
    return true;
}

/* > 0: the first one prefers the lead; < 0: the other one; 0: neither. */
static int
prefers(const struct lf_score *score, const struct lf_score *with)
{
    int a = score->axes[LF_AXIS_FIT].score, b = with->axes[LF_AXIS_FIT].score;

    if (score->qualified != with->qualified)
        return score->qualified ? 1 : -1;
    return (a > b) - (a < b);
}

static enum lf_status
compare_lead(void *context, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *error)
{
    static const char *const WORDS[] = {
        [LF_OUTCOME_OPEN] = "open", [LF_OUTCOME_WON] = "won", [LF_OUTCOME_LOST] = "lost"};
    struct comparing *comparing = context;
    struct lf_comparison *comparison = comparing->comparison;
    const struct lf_recorded_result *results[2];
    struct lf_compare_count *counted = &comparison->tied;
    struct lf_stored_outcome outcome = {.outcome = LF_OUTCOME_OPEN};
    struct standing at[2];
    struct pair pair;
    bool said = false;
    int difference = 0, preference = 0;
    enum lf_status status = find_results(comparing, lead->record, results, error);

    for (size_t s = 0; s < 2 && status == LF_OK; s++)
        status = find_standing(comparing, s, results[s], arena, &at[s], error);
    if (status == LF_OK && lead->score->lead_id_len > 0)
        status =
            lf_store_outcome(comparing->reader, lead->score->lead_id, lead->score->lead_id_len, &said, &outcome, error);
    if (status != LF_OK)
        return status;
    pair = (struct pair){
        .row = row_of(&at[0]),
        .with_row = row_of(&at[1]),
        .won = said && outcome.outcome == LF_OUTCOME_WON,
        .lost = said && outcome.outcome == LF_OUTCOME_LOST,
    };
    difference = at[0].score.axes[LF_AXIS_FIT].score - at[1].score.axes[LF_AXIS_FIT].score;
    preference = prefers(&at[0].score, &at[1].score);
    comparing->sum_of_differences += difference;
    comparison->agreed += strcmp(lf_score_grade(&at[0].score), lf_score_grade(&at[1].score)) == 0;
    if (preference != 0)
        counted = preference > 0 ? &comparison->preferred : &comparison->with_preferred;
    counted->leads++;
    counted->won += pair.won;
    counted->lost += pair.lost;
    if (preference != 0 &&
        !note_top(comparing, &comparing->tops[preference < 0], preference > 0 ? difference : -difference, lead->score,
                  (struct lf_compare_lead){
                      .score_id = lead->score->id,
                      .grade = grade_name(&comparing->sides[0], pair.row),
                      .with_grade = grade_name(&comparing->sides[1], pair.with_row),
                      .score = at[0].score.axes[LF_AXIS_FIT].score,
                      .with_score = at[1].score.axes[LF_AXIS_FIT].score,
                      .outcome = said ? WORDS[outcome.outcome] : "",
                  }))
        return out_of_memory(error);
    return note_pair(comparing, pair) ? LF_OK : out_of_memory(error);
}

/* ---- what it comes to ---- */

static int
compare_pairs(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;

    if (left->row != right->row)
        return left->row < right->row ? -1 : 1;
    return (left->with_row > right->with_row) - (left->with_row < right->with_row);
}

static bool
tell_cells(struct comparing *comparing)
{
    struct lf_compare_cell *cells = NULL;
    size_t count = 0;

    if (comparing->pair_count == 0)
        return true;
    qsort(comparing->pairs, comparing->pair_count, sizeof *comparing->pairs, compare_pairs);
    for (size_t i = 0; i < comparing->pair_count; i++)
        count += i == 0 || compare_pairs(&comparing->pairs[i - 1], &comparing->pairs[i]) != 0;
    cells = lf_arena_calloc(comparing->arena, count, sizeof *cells);
    if (cells == NULL)
        return false;
    count = 0;
    for (size_t i = 0; i < comparing->pair_count; i++) {
        const struct pair *pair = &comparing->pairs[i];
        struct lf_compare_cell *cell = NULL;

        if (i == 0 || compare_pairs(&comparing->pairs[i - 1], pair) != 0)
            cells[count++] = (struct lf_compare_cell){
                .grade = grade_name(&comparing->sides[0], pair->row),
                .with_grade = grade_name(&comparing->sides[1], pair->with_row),
            };
        cell = &cells[count - 1];
        cell->count.leads++;
        cell->count.won += pair->won;
        cell->count.lost += pair->lost;
    }
    comparing->comparison->cells = cells;
    comparing->comparison->cell_count = count;
    return true;
}

static bool
tell_top(struct comparing *comparing, const struct top *top, const struct lf_compare_lead **ret_leads,
         size_t *ret_count)
{
    struct lf_compare_lead *leads = lf_arena_calloc(comparing->arena, top->ranking.count, sizeof *leads);

    if (leads == NULL)
        return false;
    for (size_t i = 0; i < top->ranking.count; i++)
        leads[i] = ((const struct slot *)top->ranking.slots[i])->lead;
    *ret_leads = leads;
    *ret_count = top->ranking.count;
    return true;
}

static bool
tell(struct comparing *comparing)
{
    struct lf_comparison *comparison = comparing->comparison;
    int64_t sum = comparing->sum_of_differences, whole = (int64_t)comparison->leads;

    /* Rounded half away from zero. */
    if (whole > 0)
        comparison->mean_difference = (int)((sum < 0 ? -1 : 1) * (((sum < 0 ? -sum : sum) * 2 + whole) / (2 * whole)));
    return tell_cells(comparing) &&
           tell_top(comparing, &comparing->tops[0], &comparison->tops, &comparison->top_count) &&
           tell_top(comparing, &comparing->tops[1], &comparison->with_tops, &comparison->with_top_count);
}

static enum lf_status
prepare(struct comparing *comparing, const char *icp, const char *with, struct lf_error *error)
{
    const char *const keys[2] = {icp, with};

    comparing->versions = (struct lf_versions){
        .reader = comparing->reader, .arena = comparing->arena, .describe = describe, .context = comparing};
    for (size_t s = 0; s < 2; s++) {
        struct top *top = &comparing->tops[s];
        struct lf_stored_icp stored;
        enum lf_status status = lf_store_icp(comparing->reader, comparing->arena, keys[s], &stored, error);

        if (status != LF_OK)
            return status;
        comparing->sides[s].key = keys[s];
        top->ranking = (struct lf_ranking){.slots = top->order, .max = LF_COMPARE_TOP, .compare = compare_slots};
        for (size_t i = 0; i < LF_COMPARE_TOP; i++)
            top->order[i] = &top->slots[i];
    }
    return LF_OK;
}

enum lf_status
lf_compare(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, const char *with, int64_t from_ms,
           int64_t to_ms, struct lf_comparison *ret_comparison, struct lf_error *error)
{
    struct lf_replay_options options = {
        .from_ms = from_ms, .to_ms = to_ms, .leads = LF_REPLAY_LEADS_MAX, .counts = counts};
    struct lf_comparison comparison = {0};
    struct comparing *comparing = NULL;
    enum lf_status status = LF_OK;

    if (strcmp(icp, with) == 0)
        return lf_fail(error, LF_INVALID_PARAMETER, "with names the ICP %s itself: name another one", icp);
    comparing = lf_arena_calloc(arena, 1, sizeof *comparing);
    if (comparing == NULL)
        return out_of_memory(error);
    comparing->reader = reader;
    comparing->arena = arena;
    comparing->comparison = &comparison;
    status = prepare(comparing, icp, with, error);
    if (status == LF_OK)
        status = lf_replay(reader, arena, &options, compare_lead, comparing, &comparison.leads, error);
    lf_versions_finish(&comparing->versions);
    for (size_t i = 0; i < KEPT_VERSIONS; i++)
        lf_arena_destroy(comparing->kept[i].arena);
    if (status == LF_OK && !tell(comparing))
        status = out_of_memory(error);
    if (status == LF_OK)
        *ret_comparison = comparison;
    return status;
}
