/*
 * wins.h - what became of leads, counted by what their score said: the ground of win rates, AUC and weight of evidence.
 *
 * Each lead counts once, by one of its scores (which, is the caller's choice: its latest under a version, or under the
 * ICP), with or without a known outcome. When a lead is scored again or its outcome changes, it is taken out as it was
 * and counted anew. Kept as bytes, and adding up, like a tally (core/tally.h). Pure; belongs to one thread.
 */
#ifndef LF_CORE_WINS_H
#define LF_CORE_WINS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/program.h"
#include "core/score.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a lead, as far as anybody has said. */
enum lf_fate { LF_FATE_UNKNOWN, LF_FATE_OPEN, LF_FATE_WON, LF_FATE_LOST };

struct lf_win_grade {
    int64_t leads, open, won, lost;
    int64_t value, value_millionths; /* sum of what was won: whole units, and millionths of one below 1000000 */
};

struct lf_win_cell {
    int64_t won, lost;
};

/* Won and lost leads of one score. */
struct lf_win_score {
    int32_t score; /* hundredths */
    struct lf_win_cell cell;
};

struct lf_wins {
    const struct lf_icp *icp;
    struct lf_arena *arena;
    struct lf_win_grade *grades;     /* by grade, then DQ: grade_count + 1 */
    struct lf_win_cell **attributes; /* by attribute: its rules, then unmatched, then unknown: rule_count + 2 */
    struct lf_win_score *scores;     /* ascending, each once; only those with a won or lost lead */
    size_t score_count, score_cap;
};

/* Nothing counted yet; lives in the arena, which it also grows in. The icp stays. false: out of memory. */
bool lf_wins_init(struct lf_wins *wins, struct lf_arena *arena, const struct lf_icp *icp) LF_MUST_CHECK;

/* Counts a lead (sign 1), or takes it out again (-1). value: millionths, of a won one. OUT_OF_MEMORY; STORAGE_CORRUPT
 * when one is to be taken out that was never counted. */
enum lf_status lf_wins_count(struct lf_wins *wins, const struct lf_outcome *outcome, const struct lf_brief *brief,
                             enum lf_fate fate, int64_t value, int sign, struct lf_error *error) LF_MUST_CHECK;

/* Appends it as bytes; adds what was put once. STORAGE_CORRUPT for damaged bytes or another shape, OUT_OF_MEMORY; it is
 * not to be used then. */
void lf_wins_put(struct lf_buf *buf, const struct lf_wins *wins);
enum lf_status lf_wins_add(struct lf_wins *wins, const void *bytes, size_t len, struct lf_error *error) LF_MUST_CHECK;

#endif
