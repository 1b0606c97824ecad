/*
 * statistics.c - see statistics.h. Counts stay whole numbers as long as a formula lets them; only its last steps are in
 * floating point, always in the same order, so that every build tells the same.
 */
#include "core/statistics.h"

#include <math.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* as gcc has it in C11: a fused multiplication would round differently */
#endif

/* A product of two sums of counts. */
__extension__ typedef __int128 wide;

static const double Z_95 = 1.959963984540054;  /* 97.5 % of a normal distribution lie below */
static const double Z_999 = 3.090232306167813; /* 99.9 % */

static int64_t
sum_of(const int64_t *counts, size_t count)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += counts[i];
    return sum;
}

/* ---- distributions ---- */

int
lf_percentile(const int64_t *bins, size_t count, int percent)
{
    wide below = 0, rank = (wide)percent * sum_of(bins, count); /* hundredths of a count */

    for (size_t i = 0; i < count; i++) {
        wide within = rank - 100 * below; /* over bins[i]: how far into the bin, in hundredths of a point */

        if (bins[i] > 0 && within <= 100 * (wide)bins[i])
            return (int)(100 * (wide)i + (2 * within + bins[i]) / (2 * (wide)bins[i]));
        below += bins[i];
    }
    return 0;
}

/* The share of a cell of `cells`, half a count added to each. */
static double
smoothed_share(int64_t count, int64_t sum, size_t cells)
{
    return ((double)count + 0.5) / ((double)sum + (double)cells / 2);
}

double
lf_psi(const int64_t *baseline, const int64_t *window, size_t count)
{
    int64_t baseline_sum = sum_of(baseline, count), window_sum = sum_of(window, count);
    double psi = 0;

    if (baseline_sum == 0 || window_sum == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        double b = smoothed_share(baseline[i], baseline_sum, count), w = smoothed_share(window[i], window_sum, count);

        psi += (w - b) * log(w / b);
    }
    return psi;
}

double
lf_psi_by_chance(const int64_t *baseline, const int64_t *window, size_t count)
{
    double baseline_sum = (double)sum_of(baseline, count), window_sum = (double)sum_of(window, count), cube = 0;

    if (baseline_sum == 0 || window_sum == 0 || count < 2)
        return 0;
    cube = 2 /
           (9 * (double)(count - 1)); /* the cube root of chi-square / degrees is about normal: Wilson, Hilferty 1931 */
    cube = 1 - cube + Z_999 * sqrt(cube);
    return (1 / baseline_sum + 1 / window_sum) * (double)(count - 1) * cube * cube * cube;
}

enum lf_drift_level
lf_drift_level(double psi)
{
    if (psi < 0.1)
        return LF_DRIFT_STABLE;
    return psi <= 0.25 ? LF_DRIFT_WATCH : LF_DRIFT_SHIFTED;
}

const char *
lf_drift_word(enum lf_drift_level level)
{
    switch (level) {
    case LF_DRIFT_STABLE:
        return "stable";
    case LF_DRIFT_WATCH:
        return "watch";
    case LF_DRIFT_SHIFTED:
        break;
    }
    return "shifted";
}

/* ---- shares ---- */

struct lf_interval
lf_wilson(int64_t won, int64_t trials)
{
    double n = (double)trials, share = 0, middle = 0, reach = 0, whole = 0;
    struct lf_interval interval = {0, 0};

    if (trials <= 0)
        return interval;
    share = (double)won / n;
    whole = 1 + Z_95 * Z_95 / n;
    middle = share + Z_95 * Z_95 / (2 * n);
    reach = Z_95 * sqrt(share * (1 - share) / n + Z_95 * Z_95 / (4 * n * n));
    /* At both ends the interval ends there exactly, which rounding would miss by a hair. */
    interval.low = won <= 0 ? 0 : 100 * (middle - reach) / whole;
    interval.high = won >= trials ? 100 : 100 * (middle + reach) / whole;
    return interval;
}

/* ---- won and lost ---- */

static struct lf_win_cell
settled_of(const struct lf_win_score *scores, size_t count)
{
    struct lf_win_cell sum = {0, 0};

    for (size_t i = 0; i < count; i++) {
        sum.won += scores[i].cell.won;
        sum.lost += scores[i].cell.lost;
    }
    return sum;
}

double
lf_auc(const struct lf_win_score *scores, size_t count)
{
    struct lf_win_cell sum = settled_of(scores, count);
    wide halves = 0, lost_below = 0; /* pairs in which the won lead has the higher score, each counting two */

    if (sum.won == 0 || sum.lost == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        halves += scores[i].cell.won * (2 * lost_below + scores[i].cell.lost);
        lost_below += scores[i].cell.lost;
    }
    return (double)halves / (2 * ((double)sum.won * (double)sum.lost));
}

double
lf_ks(const struct lf_win_score *scores, size_t count)
{
    struct lf_win_cell sum = settled_of(scores, count), below = {0, 0};
    wide greatest = 0; /* times both sums */

    if (sum.won == 0 || sum.lost == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        wide apart = 0;

        below.won += scores[i].cell.won;
        below.lost += scores[i].cell.lost;
        apart = (wide)below.won * sum.lost - (wide)below.lost * sum.won;
        if (apart < 0)
            apart = -apart;
        if (apart > greatest)
            greatest = apart;
    }
    return (double)greatest / ((double)sum.won * (double)sum.lost);
}

double
lf_weight_of_evidence(const struct lf_win_cell *cells, size_t count, double *woe)
{
    struct lf_win_cell sum = {0, 0};
    double value = 0;

    for (size_t i = 0; i < count; i++) {
        sum.won += cells[i].won;
        sum.lost += cells[i].lost;
        woe[i] = 0;
    }
    if (sum.won == 0 || sum.lost == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        double won = smoothed_share(cells[i].won, sum.won, count),
               lost = smoothed_share(cells[i].lost, sum.lost, count);

        woe[i] = log(won / lost);
        value += (won - lost) * woe[i];
    }
    return value;
}

const char *
lf_strength_word(double information_value)
{
    if (information_value < 0.02)
        return "none";
    if (information_value < 0.1)
        return "weak";
    return information_value < 0.3 ? "medium" : "strong";
}
