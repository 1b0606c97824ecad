/*
 * score.h - from an outcome to numbers: points, score, grade, coverage, range, what is missing to the next grade.
 *
 * All arithmetic is in integers. Points are in millionths, scores and percentages in hundredths. The formulas are
 * those of the scoring language:
 *   points of an attribute = weight x fit; a skipped one leaves both sums
 *   score = clamp(100 x sum of points / sum of maxima, 0, 100), rounded half up; 0 when there is nothing to divide by
 *   a cap limits a category: its points to at most max, its share of the maximum to min(max, sum of weights)
 *   coverage = 100 x weights of attributes that are not unknown / all weights
 * A definition's constants (greatest fits and such) are computed once, in lf_scorer_create. Pure and thread-safe.
 */
#ifndef LF_CORE_SCORE_H
#define LF_CORE_SCORE_H

#include "base/arena.h"
#include "core/icp.h"
#include "core/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an attribute can give, whatever the lead. Fits in millionths. */
struct lf_attribute_reach {
    int32_t least, greatest; /* of its rules' fits and otherwise; a fading rule also gives 0 */
    int best_rule;           /* the first rule with the greatest fit, or LF_NO_RULE where that is otherwise's */
};

/* What scoring needs to know of a definition. Immutable. */
struct lf_scorer {
    const struct lf_icp *icp;
    struct lf_attribute_reach *reach;              /* by attribute */
    int64_t cap[LF_AXIS_COUNT][LF_CATEGORY_COUNT]; /* millionths; INT64_MAX: none */
};

/* NULL: out of memory. The icp stays. */
const struct lf_scorer *lf_scorer_create(struct lf_arena *arena, const struct lf_icp *icp) LF_MUST_CHECK;

struct lf_axis_score {
    int64_t points, max_points; /* millionths */
    int score, coverage;        /* hundredths */
};

struct lf_cap_taken {
    const struct lf_cap *cap;
    int64_t before; /* millionths; after is the cap's max */
};

/* One step to the next grade. */
struct lf_step {
    size_t attribute;
    int64_t gain; /* millionths */
};

struct lf_score {
    const struct lf_icp *icp;
    struct lf_axis_score axes[LF_AXIS_COUNT];
    bool qualified;
    size_t grade;             /* by score alone, index into grades */
    size_t level;             /* index into levels */
    bool has_engagement;      /* the definition has engagement attributes */
    int range_min, range_max; /* hundredths */
    uint32_t next_best_field; /* or LF_NO_FIELD */
    struct lf_cap_taken *caps;
    size_t cap_count;
    struct lf_step *steps;
    size_t step_count;
};

/* 100 x part / whole in hundredths, rounded half up, clamped to 0..10000; 0 where whole is not above 0. Points are in
 * millionths, at most 2e11. */
int lf_percent(int64_t part, int64_t whole);

/* The grade (or level) of a score in hundredths. */
size_t lf_grade_of(const struct lf_grade *grades, size_t count, int score);

/* Everything that follows from the outcome. Caps and steps live in the arena. false: out of memory. */
bool lf_score_outcome(const struct lf_scorer *scorer, const struct lf_outcome *outcome, struct lf_arena *arena,
                      struct lf_score *ret_score) LF_MUST_CHECK;

/* The part of a score that is counted and listed. Scores and percentages in hundredths. */
struct lf_brief {
    int score, coverage;
    int engagement; /* the engagement axis's score */
    size_t grade;   /* by score alone, index into grades */
    size_t level;   /* index into levels; 0 without engagement attributes */
    bool qualified, has_engagement;
};

/* That part alone, quickly and without memory. */
void lf_score_brief(const struct lf_scorer *scorer, const struct lf_outcome *outcome, struct lf_brief *ret_brief);

/* The grade's name, or "DQ"; the label, as below. */
const char *lf_brief_grade(const struct lf_scorer *scorer, const struct lf_brief *brief);

/* An attribute's points, and its maximum (0 for a skipped one), in millionths. */
int64_t lf_attribute_points(const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome);
int64_t lf_attribute_max(const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome);

/* The order in which attributes explain a score: by the larger of |points| and points lost (weight x greatest fit -
 * points), the definition's order on a tie. Writes at most `count` indexes; returns how many. */
size_t
lf_reason_order(const struct lf_scorer *scorer, const struct lf_outcome *outcome, size_t *ret_order, size_t count);

/* Which of two scores is the better one: qualified first, then score, then coverage, then key. < 0: a is. */
int lf_score_compare(const struct lf_score *a, const struct lf_score *b);

/* The grade's name, or "DQ"; the label ("A1", "A", "DQ") into text. */
const char *lf_score_grade(const struct lf_score *score);
enum { LF_LABEL_MAX = 128 };
void lf_score_label(const struct lf_score *score, char text[LF_LABEL_MAX]);
void lf_brief_label(const struct lf_scorer *scorer, const struct lf_brief *brief, char text[LF_LABEL_MAX]);

#endif
