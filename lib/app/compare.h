/*
 * compare.h - two ICPs beside each other over the leads that both have scored: a challenger and the core one.
 *
 * Counted are recorded scores that hold a result of both (made at the same moment of the same lead), each lead once, by
 * its latest. What they came to is read from the records: nothing is evaluated anew. Blocking.
 */
#ifndef LF_APP_COMPARE_H
#define LF_APP_COMPARE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/ulid.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { LF_COMPARE_TOP = 10 };

/* Leads and what is known of their outcomes. */
struct lf_compare_count {
    size_t leads, won, lost;
};

struct lf_compare_cell {
    const char *grade, *with_grade; /* or "DQ" */
    struct lf_compare_count count;
};

/* A lead on which they disagree most. */
struct lf_compare_lead {
    const char *lead_id;
    struct lf_ulid score_id;
    const char *grade, *with_grade;
    int score, with_score; /* hundredths */
    const char *outcome;   /* "won", "lost", "open" or "" */
};

struct lf_comparison {
    size_t leads;
    const struct lf_compare_cell *cells; /* by grade, best first, DQ last */
    size_t cell_count;
    size_t agreed;       /* leads of the same grade */
    int mean_difference; /* score less with_score, hundredths, rounded half away from zero */
    /* Who prefers a lead gives it the higher score; a disqualified lead is preferred by nobody who has the other
     * qualify it. */
    struct lf_compare_count preferred, with_preferred, tied;
    const struct lf_compare_lead *tops, *with_tops; /* at most LF_COMPARE_TOP, the largest difference first */
    size_t top_count, with_top_count;
};

/* ICP_NOT_FOUND for either. At most LF_REPLAY_LEADS_MAX leads, the latest in the window. */
enum lf_status
lf_compare(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, const char *with, int64_t from_ms,
           int64_t to_ms, struct lf_comparison *ret_comparison, struct lf_error *error) LF_MUST_CHECK;

#endif
