/*
 * lint_reach.c - which scores can be reached at all: grades that nobody can get, attributes that change no grade.
 *
 * An attribute gives one of a few choices: the points of its rules, of `otherwise` and of `missing`. Adding one
 * attribute after the other to a set of sums gives every sum that can be reached, exactly and in integers, as long as
 * the set stays small; a set that grows too large is made coarser by joining neighbours into runs, which only adds to
 * what counts as reachable. Choices are taken as independent of one another, which again only adds. What is then still
 * out of reach is so for certain; and an attribute that changes no grade among the sums of all others never does.
 */
#include "core/lint_types.h"

#include "core/score.h"

#include <stdlib.h>
#include <string.h>

#define MILLION INT64_C(1000000)

enum {
    SUMS_MAX = 2048, /* of a set; below it everything is exact */
    SAMPLES = 20000, /* attribute choices drawn for one attribute in search of a lead that it decides */
};

/* Points from low to high, of a maximum; in millionths. */
struct sum {
    int64_t max, low, high;
};

/* Sums that can be reached; ascending by max, then low; runs do not touch. */
struct sums {
    struct sum *items;
    size_t count;
};

struct reach {
    struct linting *linting;
    enum lf_axis axis;
    const struct lf_grade *grades; /* or levels */
    size_t grade_count;
    int64_t caps[LF_CATEGORY_COUNT]; /* millionths; INT64_MAX: none */
    struct sums *choices;            /* by attribute, what it can give */
};

static int64_t
lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- choices ---- */

static int
compare_sums(const void *a, const void *b)
{
    const struct sum *left = a, *right = b;

    if (left->max != right->max)
        return left->max < right->max ? -1 : 1;
    return (left->low > right->low) - (left->low < right->low);
}

/* Sorts, and joins runs of one maximum that lie no further apart than `slack`. */
static void
join_sums(struct sums *sums, int64_t slack)
{
    size_t kept = 0;

    for (size_t i = 0; i < sums->count; i++) {
        struct sum *last = kept > 0 ? &sums->items[kept - 1] : NULL;

        if (last != NULL && last->max == sums->items[i].max && sums->items[i].low <= last->high + slack) {
            if (sums->items[i].high > last->high)
                last->high = sums->items[i].high;
        } else {
            sums->items[kept++] = sums->items[i];
        }
    }
    sums->count = kept;
}

static void
tidy_sums(struct sums *sums)
{
    qsort(sums->items, sums->count, sizeof *sums->items, compare_sums);
    join_sums(sums, 0);
}

/* What an attribute can give. false: out of memory. */
static bool
find_choices(struct linting *linting, const struct lf_attribute *attribute, struct sums *ret_sums)
{
    int64_t weight = attribute->weight;
    struct sum *choices = lf_arena_calloc(linting->scratch, attribute->rule_count + 2, sizeof *choices);
    struct sums sums = {choices, 0};

    if (choices == NULL) {
        linting->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < attribute->rule_count; i++) {
        int64_t points = weight * attribute->rules[i].fit;
        bool fades = attribute->rules[i].fade_field != SIZE_MAX;

        choices[sums.count++] =
            (struct sum){weight * MILLION, fades && points > 0 ? 0 : points, fades && points < 0 ? 0 : points};
    }
    choices[sums.count++] =
        (struct sum){weight * MILLION, weight * attribute->otherwise, weight * attribute->otherwise};
    choices[sums.count++] = attribute->skip_missing ? (struct sum){0, 0, 0}
                                                    : (struct sum){weight * MILLION, weight * attribute->missing,
                                                                   weight * attribute->missing};
    tidy_sums(&sums);
    *ret_sums = sums;
    return true;
}

/* ---- sets of sums ---- */

/* Makes a set coarser until it is small enough; false where too many maxima stand in the way. */
static bool
coarsen(struct sums *sums)
{
    for (int64_t slack = 1; sums->count > SUMS_MAX && slack < INT64_C(1) << 50; slack *= 4)
        join_sums(sums, slack);
    return sums->count <= SUMS_MAX;
}

/* Every sum of one of a and one of b; false where it would take too long, or memory is out. */
static bool
add_sums(struct linting *linting, struct sums a, struct sums b, struct sums *ret_sums)
{
    struct sums both = {NULL, 0};

    linting->sum_steps -= (int64_t)(a.count * b.count);
    if (linting->sum_steps < 0)
        return false;
    both.items = lf_arena_alloc(linting->scratch, a.count * b.count * sizeof *both.items);
    if (both.items == NULL) {
        linting->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < a.count; i++)
        for (size_t j = 0; j < b.count; j++)
            both.items[both.count++] = (struct sum){a.items[i].max + b.items[j].max, a.items[i].low + b.items[j].low,
                                                    a.items[i].high + b.items[j].high};
    tidy_sums(&both);
    lf_arena_shrink(linting->scratch, both.items, a.count * b.count * sizeof *both.items,
                    both.count * sizeof *both.items);
    *ret_sums = both;
    return coarsen(ret_sums);
}

static void
cap_sums(struct sums *sums, int64_t cap)
{
    for (size_t i = 0; i < sums->count; i++) {
        sums->items[i].max = lesser(sums->items[i].max, cap);
        sums->items[i].low = lesser(sums->items[i].low, cap);
        sums->items[i].high = lesser(sums->items[i].high, cap);
    }
    tidy_sums(sums);
}

static bool
single_sum(struct linting *linting, struct sums *ret_sums)
{
    struct sum *zero = lf_arena_calloc(linting->scratch, 1, sizeof *zero);

    *ret_sums = (struct sums){zero, 1};
    linting->out_of_memory = linting->out_of_memory || zero == NULL;
    return zero != NULL;
}

/* The sums of the axis' attributes in one category (or, with LF_CATEGORY_COUNT, in all those without a cap), one
 * attribute left out (or none: SIZE_MAX). */
static bool
sum_category(const struct reach *reach, enum lf_category category, size_t without, struct sums *ret_sums)
{
    const struct lf_icp *icp = reach->linting->icp;

    if (!single_sum(reach->linting, ret_sums))
        return false;
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];
        bool here = category == LF_CATEGORY_COUNT ? reach->caps[attribute->category] == INT64_MAX
                                                  : attribute->category == category;

        if (here && i != without && attribute->axis == reach->axis &&
            !add_sums(reach->linting, *ret_sums, reach->choices[i], ret_sums))
            return false;
    }
    return true;
}

/* The capped sums of the whole axis but for one category (or none: LF_CATEGORY_COUNT) and one attribute. */
static bool
sum_axis(const struct reach *reach, enum lf_category but, size_t without, struct sums *ret_sums)
{
    if (!sum_category(reach, LF_CATEGORY_COUNT, without, ret_sums))
        return false;
    for (int category = 0; category < LF_CATEGORY_COUNT; category++) {
        struct sums capped = {NULL, 0};

        if (reach->caps[category] == INT64_MAX || category == (int)but)
            continue;
        if (!sum_category(reach, (enum lf_category)category, without, &capped))
            return false;
        cap_sums(&capped, reach->caps[category]);
        if (!add_sums(reach->linting, *ret_sums, capped, ret_sums))
            return false;
    }
    return true;
}

/* ---- grades ---- */

static const char *
noun(const struct reach *reach)
{
    return reach->axis == LF_AXIS_FIT ? "grade" : "level";
}

/* Says that a grade is out of reach. best and worst: of all scores, in hundredths. */
static void
say_unreachable(const struct reach *reach, size_t grade, int best, int worst)
{
    struct linting *linting = reach->linting;
    bool fit = reach->axis == LF_AXIS_FIT, own = fit ? linting->icp->has_grades : linting->icp->has_levels;
    const char *list = fit ? "grades" : "levels", *name = reach->grades[grade].name;
    int from = reach->grades[grade].min, below = grade > 0 ? reach->grades[grade - 1].min : 10001;
    const char *pointer = own ? lint_text(linting, "/%s/%zu", list, grade) : lint_text(linting, "/%s", list);

    if (best < from)
        lint_say(linting, LF_LINT_WARNING, "unreachable_grade", pointer,
                 lint_text(linting, "Nobody can get %s %s: it begins at %s, and the best score a lead can have is %s",
                           noun(reach), name, lint_decimal(linting, from, 2), lint_decimal(linting, best, 2)),
                 lint_text(linting, "Let %s %s begin at %s or lower, or give the best rules a fit of 1", noun(reach),
                           name, lint_decimal(linting, best, 2)));
    else if (worst >= below)
        lint_say(linting, LF_LINT_WARNING, "unreachable_grade", pointer,
                 lint_text(linting, "Nobody can get %s %s: it ends below %s, and the worst score a lead can have is %s",
                           noun(reach), name, lint_decimal(linting, below, 2), lint_decimal(linting, worst, 2)),
                 lint_text(linting, "Lower the fits of leads that do not match, or raise the minima of the better %ss",
                           noun(reach)));
    else
        lint_say(
            linting, LF_LINT_WARNING, "unreachable_grade", pointer,
            lint_text(linting, "Nobody can get %s %s: no combination of fits gives a score from %s to below %s",
                      noun(reach), name, lint_decimal(linting, from, 2),
                      lint_decimal(linting, below > 10000 ? 10001 : below, 2)),
            lint_text(linting, "Take this %s out, move its minimum, or add rules with fits in between", noun(reach)));
}

static void
check_grades(const struct reach *reach)
{
    struct sums sums = {NULL, 0};
    int best = 0, worst = 10000;

    if (!sum_axis(reach, LF_CATEGORY_COUNT, SIZE_MAX, &sums))
        return;
    for (size_t i = 0; i < sums.count; i++) {
        int low = lf_percent(sums.items[i].low, sums.items[i].max),
            high = lf_percent(sums.items[i].high, sums.items[i].max);

        worst = low < worst ? low : worst;
        best = high > best ? high : best;
    }
    for (size_t g = 0; g < reach->grade_count; g++) {
        int from = reach->grades[g].min, below = g > 0 ? reach->grades[g - 1].min : 10001;
        bool reached = false;

        for (size_t i = 0; i < sums.count && !reached; i++)
            reached = lf_percent(sums.items[i].high, sums.items[i].max) >= from &&
                      lf_percent(sums.items[i].low, sums.items[i].max) < below;
        if (!reached)
            say_unreachable(reach, g, best, worst);
    }
}

/* ---- idle attributes ---- */

/* The grade of the sum of three parts: the attribute and its category's others, which share a cap, and the rest. */
static size_t
grade_of(const struct reach *reach, int64_t points, int64_t max, int64_t cap, const struct sum *rest, bool high)
{
    int64_t part = lesser(points, cap) + (high ? rest->high : rest->low);

    return lf_grade_of(reach->grades, reach->grade_count, lf_percent(part, lesser(max, cap) + rest->max));
}

/* Whether all choices lead to one grade beside these others. */
static bool
one_grade(const struct reach *reach, struct sums choices, const struct sum *mates, int64_t cap, const struct sum *rest)
{
    size_t grade = SIZE_MAX;

    for (size_t i = 0; i < choices.count; i++) {
        const struct sum *choice = &choices.items[i];
        int64_t max = mates->max + choice->max;
        size_t low = grade_of(reach, mates->low + choice->low, max, cap, rest, false);
        size_t high = grade_of(reach, mates->high + choice->high, max, cap, rest, true);

        grade = grade == SIZE_MAX ? low : grade;
        if (low != grade || high != grade)
            return false;
    }
    return true;
}

/* Looks for a lead whose grade the attribute decides, drawing the others' choices: most attributes that do something
 * are found to at once. The draw is always the same one. */
static bool
finds_witness(const struct reach *reach, size_t at, struct sums choices)
{
    const struct lf_icp *icp = reach->linting->icp;
    int64_t cap = reach->caps[icp->attributes[at].category];
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15);
    size_t samples = SAMPLES / icp->attribute_count + 1;

    for (size_t s = 0; s < samples; s++) {
        int64_t points[LF_CATEGORY_COUNT] = {0}, max[LF_CATEGORY_COUNT] = {0};
        struct sum mates = {0, 0, 0}, rest = {0, 0, 0};

        for (size_t i = 0; i < icp->attribute_count; i++) {
            const struct lf_attribute *attribute = &icp->attributes[i];
            const struct sum *choice = NULL;

            if (attribute->axis != reach->axis || i == at)
                continue;
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            choice = &reach->choices[i].items[(random >> 33) % reach->choices[i].count];
            points[attribute->category] += (random >> 32 & 1) != 0 ? choice->high : choice->low;
            max[attribute->category] += choice->max;
        }
        for (int category = 0; category < LF_CATEGORY_COUNT; category++) {
            if (category == (int)icp->attributes[at].category) {
                mates = (struct sum){max[category], points[category], points[category]};
                continue;
            }
            rest.max += lesser(max[category], reach->caps[category]);
            rest.low += lesser(points[category], reach->caps[category]);
        }
        rest.high = rest.low;
        if (!one_grade(reach, choices, &mates, cap, &rest))
            return true;
    }
    return false;
}

/* Whether it is certain that the attribute changes no grade. */
static bool
is_idle(const struct reach *reach, size_t at)
{
    const struct lf_attribute *attribute = &reach->linting->icp->attributes[at];
    int64_t cap = reach->caps[attribute->category];
    struct sums choices = reach->choices[at], mates, rest;

    if (choices.count == 1 && choices.items[0].low == choices.items[0].high)
        return true;
    if (finds_witness(reach, at, choices) || !single_sum(reach->linting, &mates))
        return false;
    if (cap != INT64_MAX && !sum_category(reach, attribute->category, at, &mates))
        return false;
    if (!sum_axis(reach, cap != INT64_MAX ? attribute->category : LF_CATEGORY_COUNT, at, &rest))
        return false;
    for (size_t i = 0; i < mates.count; i++)
        for (size_t j = 0; j < rest.count; j++)
            if (--reach->linting->sum_steps < 0 || !one_grade(reach, choices, &mates.items[i], cap, &rest.items[j]))
                return false;
    return true;
}

static void
check_idle(const struct reach *reach)
{
    struct linting *linting = reach->linting;

    for (size_t i = 0; i < linting->icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &linting->icp->attributes[i];

        if (attribute->axis != reach->axis || !is_idle(reach, i))
            continue;
        lint_say(linting, LF_LINT_WARNING, "idle_attribute", lint_text(linting, "/attributes/%zu", i),
                 lint_text(linting, "%s (weight %d) can never change a %s, whatever the other attributes are",
                           attribute->label, attribute->weight, noun(reach)),
                 "Raise its weight, set its fits further apart, or delete it");
    }
}

static void
check_axis(struct linting *linting, enum lf_axis axis)
{
    const struct lf_icp *icp = linting->icp;
    struct reach reach = {
        .linting = linting,
        .axis = axis,
        .grades = axis == LF_AXIS_FIT ? icp->grades : icp->levels,
        .grade_count = axis == LF_AXIS_FIT ? icp->grade_count : icp->level_count,
    };
    bool used = false;

    for (size_t i = 0; i < icp->attribute_count; i++)
        used = used || icp->attributes[i].axis == axis;
    /* Where every score has the one grade, nothing can change it. */
    if (!used || reach.grade_count < 2)
        return;
    for (int category = 0; category < LF_CATEGORY_COUNT; category++)
        reach.caps[category] = INT64_MAX;
    for (size_t i = 0; i < icp->cap_count; i++)
        if (icp->caps[i].axis == axis)
            reach.caps[icp->caps[i].category] = icp->caps[i].max * MILLION;
    reach.choices = lf_arena_calloc(linting->scratch, icp->attribute_count, sizeof *reach.choices);
    if (reach.choices == NULL) {
        linting->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < icp->attribute_count; i++)
        if (!find_choices(linting, &icp->attributes[i], &reach.choices[i]))
            return;
    check_grades(&reach);
    check_idle(&reach);
}

void
lint_reach(struct linting *linting)
{
    check_axis(linting, LF_AXIS_FIT);
    check_axis(linting, LF_AXIS_ENGAGEMENT);
}
