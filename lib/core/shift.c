/* shift.c - see shift.h. */
#include "core/shift.h"

#include <math.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* as in statistics.c */
#endif

__extension__ typedef __int128 wide;

enum { RISE_LEAST = 10 /* points of a hundred */ };

/* Some days together. */
struct part {
    int64_t missing, known;
};

/* The logarithm of how likely the part is with the share that suits it best. */
static double
likelihood(struct part part)
{
    double missing = (double)part.missing, there = (double)(part.known - part.missing), known = (double)part.known;
    double sum = 0;

    if (part.missing > 0)
        sum += missing * log(missing / known);
    if (part.known > part.missing)
        sum += there * log(there / known);
    return sum;
}

static bool
has_risen(struct part before, struct part after)
{
    wide rise = (wide)after.missing * before.known - (wide)before.missing * after.known; /* times both known */

    return 100 * rise >= RISE_LEAST * (wide)before.known * after.known;
}

bool
lf_shift_find(const int64_t *missing, const int64_t *known, size_t count, size_t *ret_day)
{
    struct part whole = {0, 0}, before = {0, 0}, best = {0, 0};
    double greatest = -INFINITY;
    size_t day = 0;

    for (size_t i = 0; i < count; i++) {
        whole.missing += missing[i];
        whole.known += known[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (before.known > 0 && known[i] > 0) {
            struct part after = {whole.missing - before.missing, whole.known - before.known};
            double both = likelihood(before) + likelihood(after);

            if (both > greatest) {
                greatest = both;
                best = before;
                day = i;
            }
        }
        before.missing += missing[i];
        before.known += known[i];
    }
    /* The gain is worth a day and a second share when it is above ln(known), half of 2 ln(known). */
    if (day == 0 || greatest - likelihood(whole) <= log((double)whole.known) ||
        !has_risen(best, (struct part){whole.missing - best.missing, whole.known - best.known}))
        return false;
    *ret_day = day;
    return true;
}
