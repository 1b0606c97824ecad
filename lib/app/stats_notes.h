/*
 * stats_notes.h - drift in plain sentences: which field stopped coming and since when, where scores moved to.
 */
#ifndef LF_APP_STATS_NOTES_H
#define LF_APP_STATS_NOTES_H

#include "app/stats_parts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counts of the baseline and of the window that belong together. */
struct lf_stats_cells {
    int64_t *baseline, *window;
    size_t count;
};

struct lf_stats_moves {
    struct lf_stats_cells score;       /* in bins of five points */
    struct lf_stats_cells *attributes; /* by attribute: its rules, unmatched, unknown */
};

/* Fills in the notes of a drift whose numbers are there. false: out of memory. */
bool lf_stats_notes(struct lf_stats_run *run, const struct lf_stats_moves *moves, struct lf_drift *drift) LF_MUST_CHECK;

#endif
