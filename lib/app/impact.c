/*
 * impact.c - see impact.h.
 *
 * Both definitions are one set, so that a lead is walked once for both. Of the leads nothing is kept but counts and the
 * few that move most.
 */
#include "app/impact.h"

#include "app/coverage.h"
#include "app/profiles.h"
#include "app/ranking.h"
#include "app/replay.h"
#include "core/contribution.h"
#include "core/text_set.h"

#include <stdlib.h>
#include <string.h>

enum { DRAFT, ACTIVE, DEFINITIONS };

/* One that is among the movers so far. */
struct slot {
    struct lf_mover mover; /* without parts */
    bool turns;            /* becomes or stops being disqualified */
    int change;
    char *lead_id; /* of mover; room for `room` bytes, kept for the next one */
    size_t room;
    int32_t *parts[DEFINITIONS]; /* by attribute of each definition */
};

/* One way of moving. */
struct way {
    struct lf_ranking ranking;
    struct slot slots[LF_IMPACT_MOVERS];
    void *order[LF_IMPACT_MOVERS];
};

struct measuring {
    struct lf_arena *arena;
    const struct lf_icp *icps[DEFINITIONS];
    struct lf_profiles *profiles;
    struct lf_coverage coverages[DEFINITIONS];          /* of the lead at hand */
    bool *unstored[DEFINITIONS];                        /* by field: a lead was stored without it */
    size_t cells[LF_GRADES_MAX + 1][LF_GRADES_MAX + 1]; /* from, to; DQ behind the grades */
    size_t changed;
    int64_t sum_of_changes;
    struct way up, down;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while scoring recorded leads under the draft");
}

/* ---- which leads ---- */

/* Leads that were kept whole, or with what a version of this ICP reads. */
static enum lf_status
counts(void *context, const struct lf_record *record, bool *ret_counts, struct lf_error *error)
{
    struct measuring *measuring = context;
    struct lf_coverage *coverage = &measuring->coverages[DRAFT];
    enum lf_status status = lf_coverage_look(coverage, record, error);

    *ret_counts = record->kept == LF_KEPT_WHOLE || coverage->own;
    return status;
}

/* Notes what either definition reads and the lead was not stored with. */
static enum lf_status
note_unstored(struct measuring *measuring, const struct lf_record *record, struct lf_error *error)
{
    for (int d = 0; d < DEFINITIONS && measuring->icps[d] != NULL; d++) {
        enum lf_status status = lf_coverage_look(&measuring->coverages[d], record, error);

        if (status != LF_OK)
            return status;
        for (size_t f = 0; f < measuring->icps[d]->fields.count; f++)
            measuring->unstored[d][f] = measuring->unstored[d][f] || !measuring->coverages[d].fields[f];
    }
    return LF_OK;
}

/* ---- movers ---- */

static int
compare_up(const void *a, const void *b)
{
    const struct slot *left = a, *right = b;

    if (left->turns != right->turns)
        return left->turns ? -1 : 1;
    return (left->change < right->change) - (left->change > right->change);
}

static int
compare_down(const void *a, const void *b)
{
    const struct slot *left = a, *right = b;

    if (left->turns != right->turns)
        return left->turns ? -1 : 1;
    return (left->change > right->change) - (left->change < right->change);
}

static bool
prepare_way(struct lf_arena *arena, struct way *way, int (*compare)(const void *a, const void *b),
            const struct lf_icp *const *icps)
{
    way->ranking = (struct lf_ranking){.slots = way->order, .max = LF_IMPACT_MOVERS, .compare = compare};
    for (size_t i = 0; i < LF_IMPACT_MOVERS; i++) {
        way->order[i] = &way->slots[i];
        for (int d = 0; d < DEFINITIONS; d++)
            if ((way->slots[i].parts[d] = lf_arena_calloc(arena, icps[d]->attribute_count, sizeof(int32_t))) == NULL)
                return false;
    }
    return true;
}

/* A lead under both definitions. */
struct both {
    const struct lf_outcome *outcomes[DEFINITIONS];
    struct lf_score scores[DEFINITIONS];
};

/* Where it moves to; NULL: nowhere. A lead that keeps its score but not its grade moves as its grade does. */
static struct way *
way_of(struct measuring *measuring, const struct both *both, bool same_grade, int change)
{
    const struct lf_score *from = &both->scores[ACTIVE], *to = &both->scores[DRAFT];

    if (from->qualified != to->qualified)
        return to->qualified ? &measuring->up : &measuring->down;
    if (change != 0)
        return change > 0 ? &measuring->up : &measuring->down;
    if (same_grade)
        return NULL;
    return to->grade <= from->grade ? &measuring->up : &measuring->down;
}

static const char *
reason_of(const struct both *both)
{
    const struct lf_icp *icp = both->scores[DRAFT].icp;

    for (size_t i = 0; i < icp->disqualifier_count && both->scores[ACTIVE].qualified; i++)
        if (both->outcomes[DRAFT]->disqualifiers[i] == LF_VERDICT_TRUE)
            return icp->disqualifiers[i].reason;
    return "";
}

/* Ranks the lead among the movers. false: out of memory. */
static bool
note_mover(struct measuring *measuring, const struct lf_replayed *lead, struct lf_arena *arena, const struct both *both,
           bool same_grade)
{
    const struct lf_score *from = &both->scores[ACTIVE], *to = &both->scores[DRAFT];
    struct slot candidate = {
        .turns = from->qualified != to->qualified,
        .change = to->axes[LF_AXIS_FIT].score - from->axes[LF_AXIS_FIT].score,
    };
    struct way *way = way_of(measuring, both, same_grade, candidate.change);
    struct slot *slot = way == NULL ? NULL : lf_ranking_enter(&way->ranking, &candidate);

    if (slot == NULL)
        return true;
    slot->turns = candidate.turns;
    slot->change = candidate.change;
    slot->mover = (struct lf_mover){
        .score_id = lead->score->id,
        .from = lf_score_grade(from),
        .to = lf_score_grade(to),
        .from_score = from->axes[LF_AXIS_FIT].score,
        .to_score = to->axes[LF_AXIS_FIT].score,
        .reason = reason_of(both),
    };
    for (int d = 0; d < DEFINITIONS; d++)
        if (!lf_contributions(arena, measuring->profiles->items[d].scorer, both->outcomes[d], &both->scores[d],
                              slot->parts[d]))
            return false;
    if (!lf_replay_copy_id(measuring->arena, lead->score, &slot->lead_id, &slot->room))
        return false;
    slot->mover.lead_id = slot->lead_id;
    return true;
}

/* ---- one lead ---- */

static size_t
row_of(const struct lf_score *score)
{
    return score->qualified ? score->grade : score->icp->grade_count;
}

static enum lf_status
measure_lead(void *context, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *error)
{
    struct measuring *measuring = context;
    struct lf_evaluation *evaluation =
        lf_evaluation_create(measuring->profiles->program, arena, lead->input, lead->score->as_of_ms);
    struct both both;
    bool same_grade = false;
    enum lf_status status = note_unstored(measuring, lead->record, error);

    if (status != LF_OK)
        return status;
    for (size_t d = 0; d < measuring->profiles->count; d++) {
        both.outcomes[d] = evaluation == NULL ? NULL : lf_evaluate(evaluation, d);
        if (both.outcomes[d] == NULL ||
            !lf_score_outcome(measuring->profiles->items[d].scorer, both.outcomes[d], arena, &both.scores[d]))
            return out_of_memory(error);
    }
    if (measuring->icps[ACTIVE] == NULL) {
        measuring->cells[0][row_of(&both.scores[DRAFT])]++;
        return LF_OK;
    }
    measuring->cells[row_of(&both.scores[ACTIVE])][row_of(&both.scores[DRAFT])]++;
    measuring->sum_of_changes +=
        both.scores[DRAFT].axes[LF_AXIS_FIT].score - both.scores[ACTIVE].axes[LF_AXIS_FIT].score;
    same_grade = strcmp(lf_score_grade(&both.scores[DRAFT]), lf_score_grade(&both.scores[ACTIVE])) == 0;
    measuring->changed += !same_grade;
    return note_mover(measuring, lead, arena, &both, same_grade) ? LF_OK : out_of_memory(error);
}

/* ---- what it comes to ---- */

static const char *
grade_name(const struct lf_icp *icp, size_t row)
{
    if (icp == NULL)
        return "";
    return row < icp->grade_count ? icp->grades[row].name : "DQ";
}

static bool
tell_cells(const struct measuring *measuring, struct lf_impact *impact)
{
    enum { ROWS = LF_GRADES_MAX + 1 };
    struct lf_impact_cell *cells = lf_arena_calloc(measuring->arena, (size_t)ROWS * ROWS, sizeof *cells);
    size_t count = 0;

    if (cells == NULL)
        return false;
    for (size_t from = 0; from < ROWS; from++)
        for (size_t to = 0; to < ROWS; to++)
            if (measuring->cells[from][to] > 0)
                cells[count++] = (struct lf_impact_cell){
                    .from = grade_name(measuring->icps[ACTIVE], from),
                    .to = grade_name(measuring->icps[DRAFT], to),
                    .count = measuring->cells[from][to],
                };
    lf_arena_shrink(measuring->arena, cells, (size_t)ROWS * ROWS * sizeof *cells, count * sizeof *cells);
    impact->cells = cells;
    impact->cell_count = count;
    return true;
}

static size_t
find_attribute(const struct lf_icp *icp, const char *key)
{
    for (size_t i = 0; i < icp->attribute_count; i++)
        if (strcmp(icp->attributes[i].key, key) == 0)
            return i;
    return SIZE_MAX;
}

/* A part with its place, so that equal ones keep their order. */
struct ranked_part {
    struct lf_impact_part part;
    size_t place;
};

static int
compare_parts(const void *a, const void *b)
{
    const struct ranked_part *left = a, *right = b;
    int x = abs(left->part.change), y = abs(right->part.change);

    if (x != y)
        return x > y ? -1 : 1;
    return left->place < right->place ? -1 : 1;
}

/* What each attribute of either definition gave to the change. */
static bool
tell_parts(const struct measuring *measuring, const struct slot *slot, struct lf_mover *mover)
{
    const struct lf_icp *draft = measuring->icps[DRAFT], *active = measuring->icps[ACTIVE];
    size_t most = draft->attribute_count + active->attribute_count, count = 0;
    struct ranked_part *ranked = lf_arena_calloc(measuring->arena, most, sizeof *ranked);
    struct lf_impact_part *parts = NULL;

    if (ranked == NULL)
        return false;
    for (size_t i = 0; i < most; i++) {
        bool drafts = i < draft->attribute_count;
        size_t own = drafts ? i : i - draft->attribute_count;
        const char *key = drafts ? draft->attributes[own].key : active->attributes[own].key;
        size_t other = find_attribute(drafts ? active : draft, key);
        int change = drafts ? slot->parts[DRAFT][own] : -slot->parts[ACTIVE][own];

        if (other != SIZE_MAX && !drafts)
            continue;
        if (other != SIZE_MAX)
            change -= slot->parts[ACTIVE][other];
        if (change == 0)
            continue;
        ranked[count] = (struct ranked_part){{key, change}, count};
        count++;
    }
    qsort(ranked, count, sizeof *ranked, compare_parts);
    parts = lf_arena_calloc(measuring->arena, count, sizeof *parts);
    if (parts == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        parts[i] = ranked[i].part;
    mover->parts = parts;
    mover->part_count = count;
    return true;
}

static bool
tell_movers(const struct measuring *measuring, struct lf_impact *impact)
{
    const struct way *const ways[] = {&measuring->up, &measuring->down};
    size_t most = measuring->up.ranking.count + measuring->down.ranking.count, count = 0;
    struct lf_mover *movers = lf_arena_calloc(measuring->arena, most, sizeof *movers);

    if (movers == NULL)
        return false;
    for (size_t w = 0; w < 2; w++)
        for (size_t i = 0; i < ways[w]->ranking.count; i++) {
            const struct slot *slot = ways[w]->ranking.slots[i];

            movers[count] = slot->mover;
            if (!tell_parts(measuring, slot, &movers[count++]))
                return false;
        }
    impact->movers = movers;
    impact->mover_count = count;
    return true;
}

/* The draft's fields first. */
static bool
tell_unstored(const struct measuring *measuring, struct lf_impact *impact)
{
    const struct lf_icp *draft = measuring->icps[DRAFT], *active = measuring->icps[ACTIVE];
    size_t most = draft->fields.count + (active != NULL ? active->fields.count : 0), count = 0;
    const char **paths = lf_arena_calloc(measuring->arena, most, sizeof *paths);
    struct lf_text_set told;

    if (paths == NULL || !lf_text_set_init(&told, measuring->arena, most))
        return false;
    for (int d = 0; d < DEFINITIONS && measuring->icps[d] != NULL; d++)
        for (size_t f = 0; f < measuring->icps[d]->fields.count; f++) {
            const char *path = measuring->icps[d]->fields.paths[f];
            struct lf_text text = {path, strlen(path)};

            if (!measuring->unstored[d][f] || lf_text_set_has(&told, text))
                continue;
            lf_text_set_add(&told, text);
            paths[count++] = path;
        }
    impact->unstored = paths;
    impact->unstored_count = count;
    return true;
}

/* Rounded half away from zero. */
static int
mean(int64_t sum, size_t count)
{
    int64_t whole = (int64_t)count, half = ((sum < 0 ? -sum : sum) * 2 + whole) / (2 * whole);

    return (int)(sum < 0 ? -half : half);
}

static bool
tell(const struct measuring *measuring, struct lf_impact *impact)
{
    if (impact->leads > 0) {
        impact->mean_change = mean(measuring->sum_of_changes, impact->leads);
        impact->changed = measuring->changed;
        impact->changed_pct = lf_percent((int64_t)measuring->changed, (int64_t)impact->leads);
    }
    return tell_cells(measuring, impact) && tell_movers(measuring, impact) && tell_unstored(measuring, impact);
}

static enum lf_status
prepare(struct measuring *measuring, struct lf_store_reader *reader, const struct lf_impact_options *options,
        struct lf_error *error)
{
    enum lf_status status = lf_profiles_create(DEFINITIONS, &measuring->profiles, error);

    for (size_t d = 0; d < DEFINITIONS && status == LF_OK && measuring->icps[d] != NULL; d++) {
        const struct lf_icp *icp = measuring->icps[d];

        measuring->unstored[d] = lf_arena_calloc(measuring->arena, icp->fields.count, sizeof(bool));
        if (measuring->unstored[d] == NULL ||
            !lf_coverage_init(&measuring->coverages[d], reader, options->privacy, measuring->arena, icp))
            status = out_of_memory(error);
        if (status == LF_OK)
            status = lf_profiles_add_icp(measuring->profiles, icp, 0, 0, error);
    }
    if (status == LF_OK)
        status = lf_profiles_compile(measuring->profiles, options->lists, error);
    if (status == LF_OK && measuring->icps[ACTIVE] != NULL &&
        (!prepare_way(measuring->arena, &measuring->up, compare_up, measuring->icps) ||
         !prepare_way(measuring->arena, &measuring->down, compare_down, measuring->icps)))
        status = out_of_memory(error);
    return status;
}

enum lf_status
lf_impact_compute(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_impact_options *options,
                  struct lf_impact *ret_impact, struct lf_error *error)
{
    struct lf_replay_options replay = {
        .from_ms = INT64_MIN, .to_ms = INT64_MAX, .leads = options->sample, .inputs = true, .counts = counts};
    struct lf_impact impact = {.from_version = options->active != NULL ? options->active_version : 0};
    struct measuring *measuring = lf_arena_calloc(arena, 1, sizeof *measuring);
    enum lf_status status = LF_OK;

    if (measuring == NULL)
        return out_of_memory(error);
    measuring->arena = arena;
    measuring->icps[DRAFT] = options->draft;
    measuring->icps[ACTIVE] = options->active;
    status = prepare(measuring, reader, options, error);
    if (status == LF_OK)
        status = lf_replay(reader, arena, &replay, measure_lead, measuring, &impact.leads, error);
    for (int d = 0; d < DEFINITIONS; d++)
        lf_coverage_finish(&measuring->coverages[d]);
    lf_profiles_destroy(measuring->profiles);
    if (status == LF_OK && !tell(measuring, &impact))
        status = out_of_memory(error);
    if (status == LF_OK)
        *ret_impact = impact;
    return status;
}
