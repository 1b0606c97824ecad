/*
 * statistics.h - the formulas of statistics, each with its source. Pure and thread-safe.
 */
#ifndef LF_CORE_STATISTICS_H
#define LF_CORE_STATISTICS_H

#include "core/wins.h"

#include <stddef.h>
#include <stdint.h>

/* The p-th percentile (0..100) of scores counted in bins of one point, interpolated within its bin: the score below
 * which p percent lie if those of a bin lie evenly in it. Hundredths, rounded half up; 0 for none. */
int lf_percentile(const int64_t *bins, size_t count, int percent);

/* Population stability index: sum over bins of (w - b) ln(w / b), where b and w are the shares of the baseline and of
 * the window, half a count added to each bin ((n + 1/2) / (N + k/2), k bins). 0 where either has nothing. Bands after
 * Siddiqi, Credit Risk Scorecards (2006). */
double lf_psi(const int64_t *baseline, const int64_t *window, size_t count);

/* The PSI that two samples of one distribution reach by chance once in a thousand times, over as many bins: it is about
 * (1/N + 1/M) times a chi-square value of k - 1 degrees (Yurdakul, Statistical Properties of Population Stability
 * Index, 2018), so with few scores well above any band. 0 where either has nothing, or for a single bin. */
double lf_psi_by_chance(const int64_t *baseline, const int64_t *window, size_t count);

enum lf_drift_level { LF_DRIFT_STABLE /* below 0.1 */, LF_DRIFT_WATCH /* to 0.25 */, LF_DRIFT_SHIFTED };
enum lf_drift_level lf_drift_level(double psi);
const char *lf_drift_word(enum lf_drift_level level); /* stable, watch, shifted */

/* Wilson's 95 % interval of a share (Wilson 1927, without continuity correction), in percent; 0 and 0 without trials.
 */
struct lf_interval {
    double low, high;
};
struct lf_interval lf_wilson(int64_t won, int64_t trials);

/* Area under the ROC curve: the chance that a won lead has a higher score than a lost one, ties counting half (Mann and
 * Whitney 1947). Exact. 0 where either is missing. scores ascend. */
double lf_auc(const struct lf_win_score *scores, size_t count);

/* Kolmogorov-Smirnov: the greatest distance between the distributions of won and lost leads over the score, 0..1. */
double lf_ks(const struct lf_win_score *scores, size_t count);

/* Weight of evidence of each cell, ln((won share) / (lost share)) with half a count added to each cell's won and lost,
 * as above; returns the information value, the sum of (won share - lost share) x WoE (Siddiqi 2006). 0 everywhere where
 * nothing was won or nothing lost. woe has room for `count`. */
double lf_weight_of_evidence(const struct lf_win_cell *cells, size_t count, double *woe);

/* What an information value says of an attribute: none (below 0.02), weak (to 0.1), medium (to 0.3), strong; after
 * Siddiqi 2006. */
const char *lf_strength_word(double information_value);

#endif
