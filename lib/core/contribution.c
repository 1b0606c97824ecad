/*
 * contribution.c - see contribution.h.
 *
 * Two apportionments, each by the largest remainder. First the points of every capped category are cut down to its cap,
 * in whole millionths of a point; then all points, over the maximum, are cut down to hundredths of the score. Each
 * hands out what its exact parts add up to, rounded, so that nothing is lost on the way.
 *
 * Where points add up to less than nothing, the score is held at 0: of the points below zero only as much counts as
 * there is above zero to be pulled down, in proportion.
 */
#include "core/contribution.h"

#include <stdlib.h>
#include <string.h>

#define PERCENT_HUNDREDTHS 10000

/* Points are at most 2e11 millionths, so that a product of two and a factor of 10,000 takes 89 bits. */
__extension__ typedef __int128 wide;

/* One member of what is shared out: its exact part is numerator / (the whole's) denominator. */
struct share {
    wide numerator, remainder;
    int64_t part;
    size_t attribute;
};

static int
compare_remainders(const void *a, const void *b)
{
    const struct share *left = a, *right = b;

    if (left->remainder != right->remainder)
        return left->remainder > right->remainder ? -1 : 1;
    return left->attribute < right->attribute ? -1 : 1;
}

/* Rounds the parts so that they add up to total, which is their exact sum, rounded: all are rounded down, and the
 * largest remainders get one more. The shares end up in another order. */
static void
apportion(struct share *shares, size_t count, wide denominator, int64_t total)
{
    for (size_t i = 0; i < count; i++) {
        wide part = shares[i].numerator / denominator, remainder = shares[i].numerator % denominator;

        if (remainder < 0) {
            part--;
            remainder += denominator;
        }
        shares[i].part = (int64_t)part;
        shares[i].remainder = remainder;
        total -= shares[i].part;
    }
    qsort(shares, count, sizeof *shares, compare_remainders);
    for (size_t i = 0; i < count && total > 0; i++, total--)
        shares[i].part++;
}

/* What each attribute's points come to under the caps, in millionths; 0 for attributes of the other axis. */
static void
cap_points(const struct lf_scorer *scorer, const struct lf_outcome *outcome, struct share *shares, int64_t *points)
{
    const struct lf_icp *icp = scorer->icp;
    int64_t sums[LF_CATEGORY_COUNT] = {0};

    for (size_t i = 0; i < icp->attribute_count; i++) {
        bool fits = icp->attributes[i].axis == LF_AXIS_FIT;

        points[i] = fits ? lf_attribute_points(&icp->attributes[i], &outcome->attributes[i]) : 0;
        sums[icp->attributes[i].category] += points[i];
    }
    for (int category = 0; category < LF_CATEGORY_COUNT; category++) {
        int64_t cap = scorer->cap[LF_AXIS_FIT][category];
        size_t count = 0;

        if (sums[category] <= cap)
            continue;
        for (size_t i = 0; i < icp->attribute_count; i++)
            if ((int)icp->attributes[i].category == category && points[i] != 0)
                shares[count++] = (struct share){.numerator = (wide)points[i] * cap, .attribute = i};
        apportion(shares, count, sums[category], cap);
        for (size_t i = 0; i < count; i++)
            points[shares[i].attribute] = shares[i].part;
    }
}

bool
lf_contributions(struct lf_arena *arena, const struct lf_scorer *scorer, const struct lf_outcome *outcome,
                 const struct lf_score *score, int32_t *ret_parts)
{
    const struct lf_axis_score *fit = &score->axes[LF_AXIS_FIT];
    size_t attributes = scorer->icp->attribute_count, count = 0;
    struct share *shares = lf_arena_alloc(arena, attributes * sizeof *shares);
    int64_t *points = lf_arena_calloc(arena, attributes, sizeof *points);
    int64_t above = 0, below = 0;
    wide scale = 1;

    if (shares == NULL || points == NULL)
        return false;
    memset(ret_parts, 0, attributes * sizeof *ret_parts);
    if (fit->max_points <= 0)
        return true;
    cap_points(scorer, outcome, shares, points);
    for (size_t i = 0; i < attributes; i++)
        *(points[i] > 0 ? &above : &below) += points[i];
    if (above + below < 0)
        scale = -below;
    for (size_t i = 0; i < attributes; i++) {
        wide counts = points[i] < 0 && above + below < 0 ? above : scale;

        if (points[i] != 0)
            shares[count++] = (struct share){.numerator = PERCENT_HUNDREDTHS * counts * points[i], .attribute = i};
    }
    apportion(shares, count, scale * fit->max_points, fit->score);
    for (size_t i = 0; i < count; i++)
        ret_parts[shares[i].attribute] = (int32_t)shares[i].part;
    return true;
}
