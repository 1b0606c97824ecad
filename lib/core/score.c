/* score.c - see score.h. */
#include "core/score.h"

#include <stdlib.h>
#include <string.h>

#define MILLION INT64_C(1000000)

/* Sums of one axis, by category, so that caps can be applied at the end and one attribute changed at a time. */
struct sums {
    int64_t points[LF_CATEGORY_COUNT], max[LF_CATEGORY_COUNT]; /* millionths */
};

static struct lf_attribute_reach
reach_of(const struct lf_attribute *attribute)
{
    struct lf_attribute_reach reach = {attribute->otherwise, attribute->otherwise, LF_NO_RULE};

    for (size_t i = 0; i < attribute->rule_count; i++) {
        const struct lf_rule *rule = &attribute->rules[i];
        bool fades = rule->fade_field != SIZE_MAX;

        if (rule->fit < reach.least)
            reach.least = rule->fit;
        if (rule->fit > reach.greatest)
            reach.greatest = rule->fit;
        if (fades && reach.least > 0)
            reach.least = 0;
        if (fades && reach.greatest < 0)
            reach.greatest = 0;
    }
    for (size_t i = attribute->rule_count; i-- > 0;)
        if (attribute->rules[i].fit == reach.greatest)
            reach.best_rule = (int)i;
    return reach;
}

const struct lf_scorer *
lf_scorer_create(struct lf_arena *arena, const struct lf_icp *icp)
{
    struct lf_scorer *scorer = lf_arena_calloc(arena, 1, sizeof *scorer);

    if (scorer == NULL)
        return NULL;
    scorer->icp = icp;
    scorer->reach = lf_arena_calloc(arena, icp->attribute_count, sizeof *scorer->reach);
    if (scorer->reach == NULL)
        return NULL;
    for (size_t i = 0; i < icp->attribute_count; i++)
        scorer->reach[i] = reach_of(&icp->attributes[i]);
    for (int axis = 0; axis < LF_AXIS_COUNT; axis++)
        for (int category = 0; category < LF_CATEGORY_COUNT; category++)
            scorer->cap[axis][category] = INT64_MAX;
    for (size_t i = 0; i < icp->cap_count; i++)
        scorer->cap[icp->caps[i].axis][icp->caps[i].category] = icp->caps[i].max * MILLION;
    return scorer;
}

int64_t
lf_attribute_points(const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome)
{
    return (int64_t)attribute->weight * outcome->fit;
}

int64_t
lf_attribute_max(const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome)
{
    bool skipped = outcome->status == LF_ATTRIBUTE_UNKNOWN && attribute->skip_missing;

    return skipped ? 0 : attribute->weight * MILLION;
}

static int64_t
lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void
apply_caps(const struct sums *sums, const int64_t *caps, int64_t *ret_points, int64_t *ret_max)
{
    *ret_points = *ret_max = 0;
    for (int category = 0; category < LF_CATEGORY_COUNT; category++) {
        *ret_points += lesser(sums->points[category], caps[category]);
        *ret_max += lesser(sums->max[category], caps[category]);
    }
}

/* Parts are at most 2e11 (200 attributes of weight 1000, in millionths), so that 20,000 times one fits. */
int
lf_percent(int64_t part, int64_t whole)
{
    if (whole <= 0 || part <= 0)
        return 0;
    if (part >= whole)
        return 10000;
    return (int)((20000 * part + whole) / (2 * whole));
}

static int
score_of(const struct sums *sums, const int64_t *caps)
{
    int64_t points = 0, max = 0;

    apply_caps(sums, caps, &points, &max);
    return lf_percent(points, max);
}

size_t
lf_grade_of(const struct lf_grade *grades, size_t count, int score)
{
    size_t at = 0;

    while (at + 1 < count && score < grades[at].min)
        at++;
    return at;
}

/* The score of the fit axis when every unknown attribute takes its least, or greatest, fit. */
static int
extreme(const struct lf_scorer *scorer, const struct lf_outcome *outcome, const struct sums *known, bool greatest)
{
    struct sums sums = *known;

    for (size_t i = 0; i < scorer->icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &scorer->icp->attributes[i];
        int32_t fit = greatest ? scorer->reach[i].greatest : scorer->reach[i].least;

        if (attribute->axis != LF_AXIS_FIT || outcome->attributes[i].status != LF_ATTRIBUTE_UNKNOWN)
            continue;
        sums.points[attribute->category] +=
            (int64_t)attribute->weight * fit - lf_attribute_points(attribute, &outcome->attributes[i]);
        sums.max[attribute->category] +=
            attribute->weight * MILLION - lf_attribute_max(attribute, &outcome->attributes[i]);
    }
    return score_of(&sums, scorer->cap[LF_AXIS_FIT]);
}

static uint32_t
next_best(const struct lf_scorer *scorer, const struct lf_outcome *outcome)
{
    uint32_t field = LF_NO_FIELD;
    int64_t widest = -1;

    for (size_t i = 0; i < scorer->icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &scorer->icp->attributes[i];
        int64_t spread = (int64_t)attribute->weight * ((int64_t)scorer->reach[i].greatest - scorer->reach[i].least);

        if (attribute->axis != LF_AXIS_FIT || outcome->attributes[i].status != LF_ATTRIBUTE_UNKNOWN || spread <= widest)
            continue;
        widest = spread;
        field = outcome->attributes[i].missing;
    }
    return field;
}

/* What an attribute still has to give, for sorting. */
struct gain {
    int64_t gain;
    int weight;
    size_t attribute;
};

static int
compare_gains(const void *a, const void *b)
{
    const struct gain *left = a, *right = b;

    if (left->gain != right->gain)
        return left->gain > right->gain ? -1 : 1;
    if (left->weight != right->weight)
        return left->weight < right->weight ? -1 : 1;
    return left->attribute < right->attribute ? -1 : 1;
}

/* Raises attributes one after the other, the greatest gain first, until the score reaches the next grade. */
static bool
find_steps(const struct lf_scorer *scorer, const struct lf_outcome *outcome, const struct sums *now,
           struct lf_arena *arena, struct lf_score *score)
{
    const struct lf_icp *icp = scorer->icp;
    struct gain gains[LF_ATTRIBUTES_MAX];
    struct sums sums = *now;
    size_t count = 0;
    int target = 0;

    if (!score->qualified || score->grade == 0)
        return true;
    target = icp->grades[score->grade - 1].min;
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];
        int64_t gain = (int64_t)attribute->weight * scorer->reach[i].greatest -
                       lf_attribute_points(attribute, &outcome->attributes[i]);
        if (attribute->axis == LF_AXIS_FIT && gain > 0)
            gains[count++] = (struct gain){gain, attribute->weight, i};
    }
    qsort(gains, count, sizeof *gains, compare_gains);
    for (size_t i = 0; i < count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[gains[i].attribute];

        sums.points[attribute->category] += gains[i].gain;
        sums.max[attribute->category] +=
            attribute->weight * MILLION - lf_attribute_max(attribute, &outcome->attributes[gains[i].attribute]);
        if (score_of(&sums, scorer->cap[LF_AXIS_FIT]) < target)
            continue;
        score->step_count = i + 1;
        score->steps = lf_arena_calloc(arena, score->step_count, sizeof *score->steps);
        if (score->steps == NULL)
            return false;
        for (size_t s = 0; s <= i; s++)
            score->steps[s] = (struct lf_step){gains[s].attribute, gains[s].gain};
        return true;
    }
    return true;
}

static bool
note_caps(const struct lf_icp *icp, const struct sums *sums, struct lf_arena *arena, struct lf_score *score)
{
    if (icp->cap_count == 0)
        return true;
    score->caps = lf_arena_calloc(arena, icp->cap_count, sizeof *score->caps);
    if (score->caps == NULL)
        return false;
    for (size_t i = 0; i < icp->cap_count; i++) {
        int64_t before = sums[icp->caps[i].axis].points[icp->caps[i].category];
        if (before > icp->caps[i].max * MILLION)
            score->caps[score->cap_count++] = (struct lf_cap_taken){&icp->caps[i], before};
    }
    return true;
}

/* What all attributes of an outcome come to, by axis. */
struct totals {
    struct sums sums[LF_AXIS_COUNT];
    int64_t weights[LF_AXIS_COUNT], known[LF_AXIS_COUNT]; /* of all attributes, of those that are not unknown */
};

static void
sum_up(const struct lf_icp *icp, const struct lf_outcome *outcome, struct totals *ret_totals)
{
    *ret_totals = (struct totals){.weights = {0}};
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];
        const struct lf_attribute_outcome *o = &outcome->attributes[i];
        struct sums *sums = &ret_totals->sums[attribute->axis];

        sums->points[attribute->category] += lf_attribute_points(attribute, o);
        sums->max[attribute->category] += lf_attribute_max(attribute, o);
        ret_totals->weights[attribute->axis] += attribute->weight;
        ret_totals->known[attribute->axis] += o->status != LF_ATTRIBUTE_UNKNOWN ? attribute->weight : 0;
    }
}

static struct lf_axis_score
axis_score(const struct lf_scorer *scorer, const struct totals *totals, enum lf_axis axis)
{
    struct lf_axis_score score = {.points = 0};

    apply_caps(&totals->sums[axis], scorer->cap[axis], &score.points, &score.max_points);
    score.score = lf_percent(score.points, score.max_points);
    score.coverage = lf_percent(totals->known[axis], totals->weights[axis]);
    return score;
}

static struct lf_brief
brief_of(const struct lf_icp *icp, const struct lf_outcome *outcome, const struct totals *totals,
         const struct lf_axis_score *fit, const struct lf_axis_score *engagement)
{
    struct lf_brief brief = {
        .score = fit->score,
        .coverage = fit->coverage,
        .engagement = engagement->score,
        .grade = lf_grade_of(icp->grades, icp->grade_count, fit->score),
        .has_engagement = totals->weights[LF_AXIS_ENGAGEMENT] > 0,
        .qualified = true,
    };

    if (brief.has_engagement)
        brief.level = lf_grade_of(icp->levels, icp->level_count, engagement->score);
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        brief.qualified &= outcome->disqualifiers[i] != LF_VERDICT_TRUE;
    return brief;
}

void
lf_score_brief(const struct lf_scorer *scorer, const struct lf_outcome *outcome, struct lf_brief *ret_brief)
{
    struct lf_axis_score fit, engagement;
    struct totals totals;

    sum_up(scorer->icp, outcome, &totals);
    fit = axis_score(scorer, &totals, LF_AXIS_FIT);
    engagement = axis_score(scorer, &totals, LF_AXIS_ENGAGEMENT);
    *ret_brief = brief_of(scorer->icp, outcome, &totals, &fit, &engagement);
}

bool
lf_score_outcome(const struct lf_scorer *scorer, const struct lf_outcome *outcome, struct lf_arena *arena,
                 struct lf_score *ret_score)
{
    const struct lf_icp *icp = scorer->icp;
    const struct sums *fit = NULL;
    struct totals totals;
    struct lf_brief brief;
    struct lf_score score = {.icp = icp};

    sum_up(icp, outcome, &totals);
    fit = &totals.sums[LF_AXIS_FIT];
    for (int axis = 0; axis < LF_AXIS_COUNT; axis++)
        score.axes[axis] = axis_score(scorer, &totals, (enum lf_axis)axis);
    brief = brief_of(icp, outcome, &totals, &score.axes[LF_AXIS_FIT], &score.axes[LF_AXIS_ENGAGEMENT]);
    score.qualified = brief.qualified;
    score.grade = brief.grade;
    score.level = brief.level;
    score.has_engagement = brief.has_engagement;
    score.range_min = extreme(scorer, outcome, fit, false);
    score.range_max = extreme(scorer, outcome, fit, true);
    score.next_best_field = next_best(scorer, outcome);
    if (!note_caps(icp, totals.sums, arena, &score) || !find_steps(scorer, outcome, fit, arena, &score))
        return false;
    *ret_score = score;
    return true;
}

size_t
lf_reason_order(const struct lf_scorer *scorer, const struct lf_outcome *outcome, size_t *ret_order, size_t count)
{
    int64_t sizes[LF_ATTRIBUTES_MAX];
    const struct lf_icp *icp = scorer->icp;
    size_t found = 0;

    for (size_t i = 0; i < icp->attribute_count; i++) {
        int64_t points = lf_attribute_points(&icp->attributes[i], &outcome->attributes[i]);
        int64_t lost = (int64_t)icp->attributes[i].weight * scorer->reach[i].greatest - points;
        size_t at = 0;

        if (points < 0)
            points = -points;
        sizes[i] = points > lost ? points : lost;
        /* Insertion into the few best so far; an equal one stays behind the earlier. */
        at = found;
        while (at > 0 && sizes[ret_order[at - 1]] < sizes[i])
            at--;
        if (at >= count)
            continue;
        if (found < count)
            found++;
        memmove(&ret_order[at + 1], &ret_order[at], (found - 1 - at) * sizeof *ret_order);
        ret_order[at] = i;
    }
    return found;
}

int
lf_score_compare(const struct lf_score *a, const struct lf_score *b)
{
    const struct lf_axis_score *left = &a->axes[LF_AXIS_FIT], *right = &b->axes[LF_AXIS_FIT];

    if (a->qualified != b->qualified)
        return a->qualified ? -1 : 1;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    if (left->coverage != right->coverage)
        return left->coverage > right->coverage ? -1 : 1;
    return strcmp(a->icp->key, b->icp->key);
}

static const char *
grade_name(const struct lf_icp *icp, bool qualified, size_t grade)
{
    return qualified ? icp->grades[grade].name : "DQ";
}

static void
put_label(const char *grade, const char *level, char text[LF_LABEL_MAX])
{
    size_t len = strnlen(grade, LF_LABEL_MAX - 1);

    memcpy(text, grade, len);
    for (; *level != '\0' && len < LF_LABEL_MAX - 1; level++)
        text[len++] = *level;
    text[len] = '\0';
}

const char *
lf_score_grade(const struct lf_score *score)
{
    return grade_name(score->icp, score->qualified, score->grade);
}

void
lf_score_label(const struct lf_score *score, char text[LF_LABEL_MAX])
{
    put_label(lf_score_grade(score),
              score->qualified && score->has_engagement ? score->icp->levels[score->level].name : "", text);
}

const char *
lf_brief_grade(const struct lf_scorer *scorer, const struct lf_brief *brief)
{
    return grade_name(scorer->icp, brief->qualified, brief->grade);
}

void
lf_brief_label(const struct lf_scorer *scorer, const struct lf_brief *brief, char text[LF_LABEL_MAX])
{
    put_label(lf_brief_grade(scorer, brief),
              brief->qualified && brief->has_engagement ? scorer->icp->levels[brief->level].name : "", text);
}
