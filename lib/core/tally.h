/*
 * tally.h - what many scores of one version add up to: the counts that statistics are told from.
 *
 * A tally has the shape of its definition: so many grades, rules, disqualifiers, fields. Scores are counted one by one;
 * tallies of parts of a time add up to that of the whole, in any order. Kept as bytes it takes some hundred of them for
 * a usual definition (zeros take next to nothing), and reading is adding: the way to sum up a window. Nothing in it
 * names a lead or tells a value. Pure; a tally belongs to one thread.
 */
#ifndef LF_CORE_TALLY_H
#define LF_CORE_TALLY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/program.h"
#include "core/score.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_TALLY_BINS = 100 /* of one point; a bin holds its lower edge, the last one both */ };

struct lf_attribute_tally {
    int64_t *rules; /* by rule: how often it matched */
    int64_t unmatched, unknown;
    int64_t skipped; /* of the unknown ones: they left both sums */
    int64_t points;  /* millionths, summed over the scores that did not skip it */
};

struct lf_tally {
    const struct lf_icp *icp;
    int64_t scored; /* scores */
    int64_t leads;  /* of them those that were the first of their lead under this ICP, ever */
    int64_t qualified;
    int64_t first_ms, last_ms; /* scored_at of the first and last one; 0 and 0 where there is none */
    int64_t score_sum, coverage_sum, engagement_sum; /* hundredths */
    int64_t *grades; /* by grade of the qualified ones, then those that are DQ: grade_count + 1 */
    int64_t *labels; /* qualified ones by grade and level: [grade * level_count + level]; without engagement level 0 */
    int64_t bins[LF_TALLY_BINS]; /* all, by score */
    struct lf_attribute_tally *attributes;
    int64_t *disqualifiers; /* how often each was true */
    int64_t fields_known;   /* scores that say which fields were missing: all but those recorded in early formats */
    int64_t *missing;       /* by field of the definition: in how many of these it was missing */
};

/* An empty tally of that shape, in the arena. The icp stays. false: out of memory. */
bool lf_tally_init(struct lf_tally *tally, struct lf_arena *arena, const struct lf_icp *icp) LF_MUST_CHECK;

/* Counts one score. first: the lead's first under this ICP. */
void lf_tally_count(struct lf_tally *tally, const struct lf_outcome *outcome, const struct lf_brief *brief,
                    int64_t scored_at_ms, bool first);

/* Appends the tally as bytes. */
void lf_tally_put(struct lf_buf *buf, const struct lf_tally *tally);

/* Adds what was put once to the tally. STORAGE_CORRUPT when the bytes are damaged or of another shape; the tally is not
 * to be used then. */
enum lf_status
lf_tally_add(struct lf_tally *tally, const void *bytes, size_t len, struct lf_error *error) LF_MUST_CHECK;

/* The same for scored, leads, qualified, first_ms, last_ms, the three sums and grades alone: for a series. */
enum lf_status
lf_tally_add_head(struct lf_tally *tally, const void *bytes, size_t len, struct lf_error *error) LF_MUST_CHECK;

#endif
