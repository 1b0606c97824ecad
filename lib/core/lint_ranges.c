/*
 * lint_ranges.c - ranges of numbers in the rules of one attribute: where they overlap and where they leave a gap.
 *
 * Bounds are compared as the person wrote them: to whole numbers where all bounds of a field are whole, to tenths
 * where one has a decimal place, and so on; from 499 to 500 is then no gap.
 */
#include "core/lint_types.h"

#include "base/number.h"

#include <math.h>
#include <stdlib.h>

enum { PLACES_MAX = 6 };

/* The numbers that one rule takes. */
struct range {
    double low, high;  /* infinite where open-ended */
    bool above, below; /* low, high themselves are not in it */
    size_t rule;
};

/* Narrows the range by one leaf; false when the leaf compares no numbers. */
static bool
narrow(struct range *range, const struct lf_condition *leaf)
{
    bool low = leaf->op == LF_OP_GT || leaf->op == LF_OP_GTE || leaf->op == LF_OP_BETWEEN;
    bool high = leaf->op == LF_OP_LT || leaf->op == LF_OP_LTE || leaf->op == LF_OP_BETWEEN;
    double least = leaf->low, most = leaf->op == LF_OP_BETWEEN ? leaf->high : leaf->low;

    if (leaf->op == LF_OP_IS && leaf->entries[0].kind == LF_JSON_NUMBER) {
        low = high = true;
        least = most = leaf->entries[0].number;
    }
    if (low && (least > range->low || (least == range->low && leaf->op == LF_OP_GT))) {
        range->low = least;
        range->above = leaf->op == LF_OP_GT;
    }
    if (high && (most < range->high || (most == range->high && leaf->op == LF_OP_LT))) {
        range->high = most;
        range->below = leaf->op == LF_OP_LT;
    }
    return low || high;
}

/* The range of a condition that is one: a leaf, or an `all` of leaves on one field. */
static bool
range_of(const struct lf_condition *when, struct range *ret_range, size_t *ret_field)
{
    struct range range = {.low = -INFINITY, .high = INFINITY};
    const struct lf_condition *first = when->kind == LF_CONDITION_ALL ? when->children[0] : when;

    if (first->kind != LF_CONDITION_LEAF)
        return false;
    if (when->kind == LF_CONDITION_LEAF) {
        if (!narrow(&range, when))
            return false;
    } else {
        for (size_t i = 0; i < when->child_count; i++)
            if (when->children[i]->kind != LF_CONDITION_LEAF || when->children[i]->field != first->field ||
                !narrow(&range, when->children[i]))
                return false;
    }
    *ret_range = range;
    *ret_field = first->field;
    return range.low < range.high || (range.low == range.high && !range.above && !range.below);
}

/* How many of an attribute's rules are ranges on the field; written into ranges, in the rules' order. */
static size_t
ranges_on(const struct lf_attribute *attribute, size_t field, struct range *ranges)
{
    size_t count = 0, on = 0;

    for (size_t i = 0; i < attribute->rule_count; i++)
        if (range_of(attribute->rules[i].when, &ranges[count], &on) && on == field)
            ranges[count++].rule = i;
    return count;
}

/* ---- overlaps ---- */

/* The numbers that are in both; false where there are none. */
static bool
meet(const struct range *a, const struct range *b, struct range *ret_both)
{
    struct range both = *a;

    if (b->low > both.low || (b->low == both.low && b->above)) {
        both.low = b->low;
        both.above = b->above;
    }
    if (b->high < both.high || (b->high == both.high && b->below)) {
        both.high = b->high;
        both.below = b->below;
    }
    *ret_both = both;
    return both.low < both.high || (both.low == both.high && !both.above && !both.below);
}

static void
tell_overlap(struct linting *linting, size_t at, const struct range *earlier, const struct range *later,
             const struct range *both, const char *field)
{
    const struct lf_attribute *attribute = &linting->icp->attributes[at];
    const struct lf_rule *first = &attribute->rules[earlier->rule], *second = &attribute->rules[later->rule];
    const char *shared = both->low == both->high
                             ? lint_text(linting, "%s %s is", field, lint_number(linting, both->low))
                             : lint_text(linting, "%s from %s to %s are", field, lint_number(linting, both->low),
                                         lint_number(linting, both->high));

    lint_say(linting, LF_LINT_WARNING, "range_overlap",
             lint_text(linting, "/attributes/%zu/rules/%zu", at, later->rule),
             lint_text(linting, "%s: %s in both \"%s\" (fit %s) and \"%s\" (fit %s); the first one counts",
                       attribute->label, shared, first->label, lint_decimal(linting, first->fit, 6), second->label,
                       lint_decimal(linting, second->fit, 6)),
             lint_text(linting, "Let \"%s\" begin where \"%s\" ends", second->label, first->label));
}

/* Each bounded range against the earlier ones. An open-ended one that comes later is a catch-all and meant so; of a
 * dead rule enough is said. */
static void
overlaps_on(struct linting *linting, size_t at, size_t field)
{
    const struct lf_attribute *attribute = &linting->icp->attributes[at];
    struct range ranges[LF_RULES_MAX], both;
    size_t count = ranges_on(attribute, field, ranges);

    for (size_t i = 1; i < count; i++) {
        if (isinf(ranges[i].low) || isinf(ranges[i].high) || (linting->dead[at] >> ranges[i].rule & 1) != 0)
            continue;
        for (size_t j = 0; j < i; j++) {
            if (attribute->rules[ranges[i].rule].fit == attribute->rules[ranges[j].rule].fit ||
                ranges[j].low == ranges[j].high || !meet(&ranges[j], &ranges[i], &both))
                continue;
            tell_overlap(linting, at, &ranges[j], &ranges[i], &both, linting->icp->fields.paths[field]);
            break;
        }
    }
}

/* ---- gaps ---- */

/* How many decimal places the bounds are written with, 0..PLACES_MAX. */
static int
places_of(double number)
{
    int64_t scaled = 0;

    for (int places = 0; places < PLACES_MAX; places++)
        if (isinf(number) || lf_number_to_scaled(number, places, &scaled))
            return places;
    return PLACES_MAX;
}

static int
compare_ranges(const void *a, const void *b)
{
    const struct range *left = a, *right = b;

    if (left->low != right->low)
        return left->low < right->low ? -1 : 1;
    return (int)left->above - (int)right->above;
}

/* Whether a rule takes whatever stands in the field. */
static bool
takes_all(const struct lf_attribute *attribute, size_t field)
{
    for (size_t i = 0; i < attribute->rule_count; i++) {
        const struct lf_condition *when = attribute->rules[i].when;
        if (when->kind == LF_CONDITION_LEAF && when->op == LF_OP_EXISTS && when->yes && when->field == field)
            return true;
    }
    return false;
}

static void
tell_gap(struct linting *linting, size_t at, const char *field, const struct range *below, const struct range *above)
{
    const struct lf_attribute *attribute = &linting->icp->attributes[at];
    const char *lower = attribute->rules[below->rule].label, *upper = attribute->rules[above->rule].label;
    const char *gap =
        below->high == above->low
            ? lint_number(linting, above->low)
            : lint_text(linting, "%s %s and %s %s", below->below ? "from" : "over", lint_number(linting, below->high),
                        above->above ? "up to" : "under", lint_number(linting, above->low));

    lint_say(linting, LF_LINT_INFO, "range_gap", lint_text(linting, "/attributes/%zu/rules/%zu", at, above->rule),
             lint_text(linting, "%s: no rule takes %s %s, between \"%s\" and \"%s\"", attribute->label, field, gap,
                       lower, upper),
             lint_text(linting, "Let \"%s\" begin where \"%s\" ends, unless the gap is meant", upper, lower));
}

static void
gaps_on(struct linting *linting, size_t at, size_t field)
{
    const struct lf_attribute *attribute = &linting->icp->attributes[at];
    struct range ranges[LF_RULES_MAX];
    const struct range *top = NULL;
    size_t count = ranges_on(attribute, field, ranges), wide = 0;
    int places = 0;
    double unit = 0, reach = 0;

    for (size_t i = 0; i < count; i++) {
        int low = places_of(ranges[i].low), high = places_of(ranges[i].high);
        places = low > places ? low : places;
        places = high > places ? high : places;
        wide += ranges[i].low < ranges[i].high;
    }
    if (wide < 2 || takes_all(attribute, field))
        return;
    unit = pow(10, -places);
    qsort(ranges, count, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < count; i++) {
        double begins = ranges[i].low + (ranges[i].above ? unit : 0);
        double ends = ranges[i].high - (ranges[i].below ? unit : 0);

        /* A little more than a unit: decimals are not exact. */
        if (top != NULL && begins - reach > unit * 1.0001)
            tell_gap(linting, at, linting->icp->fields.paths[field], top, &ranges[i]);
        if (top == NULL || ends > reach) {
            top = &ranges[i];
            reach = ends;
        }
    }
}

/* ---- each field of each attribute ---- */

static void
each_field(struct linting *linting, void (*check)(struct linting *linting, size_t at, size_t field))
{
    for (size_t i = 0; i < linting->icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &linting->icp->attributes[i];
        size_t fields[LF_RULES_MAX], count = 0;

        for (size_t r = 0; r < attribute->rule_count; r++) {
            struct range ignored;
            size_t field = 0, f = 0;

            if (!range_of(attribute->rules[r].when, &ignored, &field))
                continue;
            while (f < count && fields[f] != field)
                f++;
            if (f < count)
                continue;
            fields[count++] = field;
            check(linting, i, field);
        }
    }
}

void
lint_overlaps(struct linting *linting)
{
    each_field(linting, overlaps_on);
}

void
lint_gaps(struct linting *linting)
{
    each_field(linting, gaps_on);
}
