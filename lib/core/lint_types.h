/*
 * lint_types.h - the inside of lint, shared by the lint_*.c files and nobody else.
 */
#ifndef LF_CORE_LINT_TYPES_H
#define LF_CORE_LINT_TYPES_H

#include "core/lint.h"

_Static_assert(LF_RULES_MAX <= 64, "a bit for each rule");

/* What one run carries along. */
struct linting {
    struct lf_arena *arena;   /* for what is said */
    struct lf_arena *scratch; /* goes when the run ends */
    const struct lf_icp *icp;
    const struct lf_lint_context *context;
    struct lf_lint *lint;
    bool *list_fields; /* by field: asked with has_all, so that two values of it may answer two questions */
    int64_t proof_steps, sum_steps;   /* what proofs about conditions, and sums of fits, may still cost */
    uint64_t dead[LF_ATTRIBUTES_MAX]; /* by attribute, a bit for each dead rule */
    bool out_of_memory;
};

/* Formatted text in the arena; "" and a note when memory is out. */
const char *lint_text(struct linting *linting, const char *format, ...) LF_PRINTF(2, 3);

/* Adds an item; pointer, detail and fix come from lint_text or are literals. */
void lint_say(struct linting *linting, enum lf_lint_severity severity, const char *code, const char *pointer,
              const char *detail, const char *fix);

/* A number as a person writes it; points or hundredths as a decimal. */
const char *lint_number(struct linting *linting, double number);
const char *lint_decimal(struct linting *linting, int64_t value, int places);

/* ---- lint_cover.c ---- */

/* A closed run of values: numbers by their order among doubles, dates in microseconds, ages in microseconds. */
struct span {
    int64_t low, high;
};

enum line { LINE_NONE, LINE_NUMBER, LINE_DATE, LINE_AGE };

struct spans {
    enum line line;     /* LINE_NONE: the leaf does not ask for a run of values */
    struct span *items; /* ascending, apart from one another */
    size_t count;
};

/* A condition or what it denies. */
struct part {
    const struct lf_condition *at;
    bool negated;
};

/* The part without the `not`s at its root. */
struct part part_unwrap(struct part part);

/* Whether an unwrapped part that is no leaf asks for all of its children (else for any). */
bool part_is_all(struct part part);

/* An `exists` leaf, with what it asks for. */
bool part_exists(struct part part, bool *ret_yes);

/* The values for which an unwrapped leaf holds. Empty spans: for none. */
struct spans part_spans(struct linting *linting, struct part part);
struct spans spans_intersect(struct linting *linting, struct spans a, struct spans b);

/* Whether, for every lead, some alternative is true whenever `part` is. false also where no proof was found. */
bool part_covered(struct linting *linting, struct part part, const struct part *alternatives, size_t count);

/* Whether a true condition means that the field holds a date that can be read. */
bool part_needs_date(struct part part, size_t field);

/* ---- the checks ---- */

void lint_lists(struct linting *linting);      /* lint_rules.c: unknown_list, empty_list */
void lint_impossible(struct linting *linting); /* lint_rules.c: impossible_condition */
void lint_dead_rules(struct linting *linting); /* lint_rules.c: dead_rule */
void lint_muddied(struct linting *linting);    /* lint_rules.c: muddied_profile */
void lint_overlaps(struct linting *linting);   /* lint_ranges.c: range_overlap */
void lint_gaps(struct linting *linting);       /* lint_ranges.c: range_gap */
void lint_reach(struct linting *linting);      /* lint_reach.c: unreachable_grade, idle_attribute */

#endif
