/*
 * stats_outcomes.c - what became of the leads whose latest score lies in the window: under the version that is asked
 * for, else under the ICP.
 */
#include "app/stats_parts.h"

#include <string.h>

enum { SCORES = 10001 /* in hundredths */, MILLION = 1000000 };

__extension__ typedef __int128 wide;

struct telling {
    struct lf_stats_run *run;
    struct lf_wins *wins; /* by version; icp NULL: none of its leads is in the window */
    struct lf_win_cell all;
};

/* ---- rates ---- */

/* (won / known) / (all won / all known) in millionths, rounded half up. */
static int64_t
lift_of(const struct lf_win_cell *cell, const struct lf_win_cell *all)
{
    wide above = (wide)cell->won * (all->won + all->lost) * MILLION;
    wide below = (wide)all->won * (cell->won + cell->lost);

    return below == 0 ? 0 : (int64_t)((2 * above + below) / (2 * below));
}

static struct lf_win_rate
rate_of(const struct telling *telling, const struct lf_win_cell *cell)
{
    return (struct lf_win_rate){
        .won = cell->won,
        .lost = cell->lost,
        .win_rate = lf_percent(cell->won, cell->won + cell->lost),
        .interval = lf_wilson(cell->won, cell->won + cell->lost),
        .lift = lift_of(cell, &telling->all),
    };
}

/* ---- grades ---- */

static void
add_grade(struct lf_grade_outcomes *to, struct lf_win_cell *cell, const struct lf_win_grade *grade)
{
    to->leads += grade->leads;
    to->open += grade->open;
    to->value += grade->value;
    to->value_millionths += grade->value_millionths;
    to->value += to->value_millionths / MILLION;
    to->value_millionths %= MILLION;
    cell->won += grade->won;
    cell->lost += grade->lost;
}

static bool
tell_grades(struct telling *telling, const struct lf_stats *stats, struct lf_outcome_stats *told)
{
    struct lf_arena *arena = telling->run->arena;
    struct lf_grade_outcomes *grades = lf_arena_calloc(arena, stats->grade_count, sizeof *grades);
    struct lf_win_cell *cells = lf_arena_calloc(arena, stats->grade_count, sizeof *cells);

    if (grades == NULL || cells == NULL)
        return false;
    for (size_t v = 0; v < telling->run->version_count; v++) {
        const struct lf_wins *wins = &telling->wins[v];

        for (size_t g = 0; wins->icp != NULL && g <= wins->icp->grade_count; g++) {
            size_t at = telling->run->grades[v][g];

            add_grade(&told->all, &telling->all, &wins->grades[g]);
            if (at != SIZE_MAX)
                add_grade(&grades[at], &cells[at], &wins->grades[g]);
        }
    }
    for (size_t g = 0; g < stats->grade_count; g++) {
        grades[g].grade = stats->grades[g].name;
        grades[g].rate = rate_of(telling, &cells[g]);
    }
    told->all.rate = rate_of(telling, &telling->all);
    told->grades = grades;
    told->grade_count = stats->grade_count;
    return true;
}

/* ---- attributes ---- */

static void
add_cell(struct lf_win_cell *to, const struct lf_win_cell *cell)
{
    to->won += cell->won;
    to->lost += cell->lost;
}

/* Sums the cells of all versions that have the attribute: its told rules, then unmatched, then unknown. */
static void
sum_cells(const struct telling *telling, const struct lf_stats_attribute *attribute, struct lf_win_cell *cells)
{
    for (const struct lf_stats_share *share = attribute->first; share != NULL; share = share->next) {
        const struct lf_wins *wins = &telling->wins[share->version];
        const struct lf_win_cell *own = NULL;
        size_t rules = 0;

        if (wins->icp == NULL)
            continue;
        own = wins->attributes[share->attribute];
        rules = wins->icp->attributes[share->attribute].rule_count;
        for (size_t r = 0; r < rules; r++)
            if (share->rules[r] != SIZE_MAX)
                add_cell(&cells[share->rules[r]], &own[r]);
        add_cell(&cells[attribute->rule_count], &own[rules]);
        add_cell(&cells[attribute->rule_count + 1], &own[rules + 1]);
    }
}

static bool
tell_attribute(const struct telling *telling, const struct lf_stats_attribute *attribute,
               struct lf_attribute_outcomes *told)
{
    struct lf_arena *arena = telling->run->arena;
    size_t rules = attribute->rule_count, count = rules + 2;
    struct lf_rule_outcomes *lines = lf_arena_calloc(arena, count, sizeof *lines);
    struct lf_win_cell *cells = lf_arena_calloc(arena, count, sizeof *cells);
    double *woe = lf_arena_calloc(arena, count, sizeof *woe);

    if (lines == NULL || cells == NULL || woe == NULL)
        return false;
    sum_cells(telling, attribute, cells);
    told->key = attribute->source->key;
    told->information_value = lf_weight_of_evidence(cells, count, woe);
    for (size_t i = 0; i < count; i++)
        lines[i] = (struct lf_rule_outcomes){
            .label = i < rules ? attribute->rules[i].name : "",
            .status = i < rules    ? "matched"
                      : i == rules ? "unmatched"
                                   : "unknown",
            .rate = rate_of(telling, &cells[i]),
            .woe = woe[i],
        };
    told->rules = lines;
    told->rule_count = count;
    return true;
}

static bool
tell_attributes(const struct telling *telling, struct lf_outcome_stats *told)
{
    const struct lf_stats_run *run = telling->run;
    struct lf_attribute_outcomes *attributes = lf_arena_calloc(run->arena, run->attribute_count, sizeof *attributes);

    if (attributes == NULL)
        return false;
    for (size_t a = 0; a < run->attribute_count; a++)
        if (!tell_attribute(telling, &run->attributes[a], &attributes[a]))
            return false;
    told->attributes = attributes;
    told->attribute_count = run->attribute_count;
    return true;
}

/* ---- scores ---- */

static bool
tell_scores(const struct telling *telling, struct lf_outcome_stats *told)
{
    const struct lf_wins *only = NULL;
    struct lf_win_cell *cells = NULL;
    struct lf_win_score *scores = NULL;
    size_t with = 0, count = 0;

    for (size_t v = 0; v < telling->run->version_count; v++)
        if (telling->wins[v].score_count > 0) {
            only = &telling->wins[v];
            with++;
        }
    if (with == 0)
        return true;
    if (with == 1) {
        told->auc = lf_auc(only->scores, only->score_count);
        told->ks = lf_ks(only->scores, only->score_count);
        return true;
    }
    cells = lf_arena_calloc(telling->run->arena, SCORES, sizeof *cells);
    scores = lf_arena_calloc(telling->run->arena, SCORES, sizeof *scores);
    if (cells == NULL || scores == NULL)
        return false;
    for (size_t v = 0; v < telling->run->version_count; v++)
        for (size_t i = 0; i < telling->wins[v].score_count; i++)
            add_cell(&cells[telling->wins[v].scores[i].score], &telling->wins[v].scores[i].cell);
    for (int32_t s = 0; s < SCORES; s++)
        if (cells[s].won + cells[s].lost > 0)
            scores[count++] = (struct lf_win_score){s, cells[s]};
    told->auc = lf_auc(scores, count);
    told->ks = lf_ks(scores, count);
    return true;
}

/* ---- all of it ---- */

static enum lf_status
sum_wins(struct telling *telling, struct lf_error *error)
{
    struct lf_stats_run *run = telling->run;
    enum lf_rollup_kind kind = run->query->version != 0 ? LF_ROLLUP_WINS : LF_ROLLUP_ICP_WINS;
    enum lf_status status = LF_OK;

    telling->wins = lf_arena_calloc(run->arena, run->version_count, sizeof *telling->wins);
    if (telling->wins == NULL)
        return lf_stats_no_memory(error);
    for (size_t i = 0; i < run->order_count && status == LF_OK; i++) {
        const struct lf_window_version *version = &run->versions[run->order[i]];
        struct lf_wins *wins = &telling->wins[run->order[i]];

        if (version->tally.scored == 0)
            continue;
        if (!lf_wins_init(wins, run->arena, version->entry->icp))
            return lf_stats_no_memory(error);
        status = lf_window_sum_wins(run->reader, version->version_id, kind, run->query->window, wins, error);
    }
    return status;
}

enum lf_status
lf_stats_outcomes(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error)
{
    struct telling telling = {.run = run};
    struct lf_outcome_stats *told = &stats->outcomes;
    enum lf_status status = sum_wins(&telling, error);

    if (status != LF_OK)
        return status;
    if (!tell_grades(&telling, stats, told) || !tell_attributes(&telling, told) || !tell_scores(&telling, told))
        return lf_stats_no_memory(error);
    return LF_OK;
}
