/*
 * icp.h - an Ideal Customer Profile as it is written: the definition document, parsed and validated.
 *
 * Fits are in millionths (a fit of 0.5 is 500000), grade minima in hundredths, weights as they stand. Nothing here
 * scores (core/program.h does). A definition lives in its arena and is immutable after parsing; thread-safe then.
 */
#ifndef LF_CORE_ICP_H
#define LF_CORE_ICP_H

#include "base/arena.h"
#include "base/findings.h"
#include "base/hash.h"
#include "base/json.h"
#include "core/condition.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_ATTRIBUTES_MAX = 200,
    LF_RULES_MAX = 50,
    LF_DISQUALIFIERS_MAX = 100,
    LF_CAPS_MAX = 40,
    LF_GRADES_MAX = 20,
    LF_WEIGHT_MAX = 1000,
    LF_FIT_ONE = 1000000, /* a fit of 1 */
};

/* X(NAME, word) */
#define LF_CATEGORY_LIST(X)             \
    X(FIRMOGRAPHIC, "firmographic")     \
    X(DEMOGRAPHIC, "demographic")       \
    X(DECISION_MAKER, "decision_maker") \
    X(TECHNOGRAPHIC, "technographic")   \
    X(PSYCHOGRAPHIC, "psychographic")   \
    X(BEHAVIORAL, "behavioral")         \
    X(NEED, "need")                     \
    X(TRIGGER, "trigger")               \
    X(LEGAL, "legal")

enum lf_category {
#define LF_X(name, word) LF_CATEGORY_##name,
    LF_CATEGORY_LIST(LF_X)
#undef LF_X
        LF_CATEGORY_COUNT
};

enum lf_axis { LF_AXIS_FIT, LF_AXIS_ENGAGEMENT, LF_AXIS_COUNT };

enum lf_purpose { LF_PURPOSE_CORE, LF_PURPOSE_EXPERIMENTAL };

const char *lf_category_word(enum lf_category category);
const char *lf_axis_word(enum lf_axis axis);
const char *lf_purpose_word(enum lf_purpose purpose);

struct lf_rule {
    const struct lf_condition *when;
    int32_t fit;       /* millionths, -1000000..1000000 */
    const char *label; /* its own, or the condition in words */
    size_t fade_field; /* index into the fields; SIZE_MAX: does not fade */
    int fade_days;     /* 1..36500 */
};

struct lf_attribute {
    const char *key, *label, *rationale; /* rationale "" where there is none */
    enum lf_category category;
    enum lf_axis axis;
    int weight; /* 1..1000 */
    struct lf_rule *rules;
    size_t rule_count;
    int32_t otherwise, missing; /* millionths */
    bool skip_missing;          /* missing: "skip" */
};

struct lf_cap {
    enum lf_category category;
    enum lf_axis axis;
    int64_t max; /* points */
};

struct lf_disqualifier {
    const char *key, *reason;
    const struct lf_condition *when;
};

/* A grade, or a level (whose name is its number). */
struct lf_grade {
    const char *name;
    int min; /* hundredths, 0..10000 */
};

struct lf_owner {
    const char *name, *function;
};

struct lf_icp {
    const char *key, *name, *framework, *summary; /* summary "" where there is none */
    enum lf_purpose purpose;
    bool has_profile; /* a profile with a problem or pain points */
    struct lf_owner *owners;
    size_t owner_count;
    bool has_review;
    int64_t review_by_us;
    struct lf_attribute *attributes;
    size_t attribute_count;
    struct lf_cap *caps;
    size_t cap_count;
    struct lf_disqualifier *disqualifiers;
    size_t disqualifier_count;
    struct lf_grade *grades; /* best first */
    size_t grade_count;
    struct lf_grade *levels; /* level 1 first */
    size_t level_count;
    bool has_grades, has_levels; /* its own, not the default ones */
    struct lf_fields fields;
    struct lf_fields lists;       /* keys of the named lists it asks: attributes' rules first, then disqualifiers */
    uint8_t hash[LF_SHA256_SIZE]; /* of the canonical form of the document as it was put */
};

/* Reads a definition. Every fault goes into the findings, each pointer relative to the definition; then the status is
 * INVALID_DEFINITION and *ret_icp is not written. Also OUT_OF_MEMORY. The node may go away afterwards, its texts must
 * stay: node and icp share an arena, or the node's outlives it. */
enum lf_status lf_icp_parse(struct lf_arena *arena, const struct lf_json *node, struct lf_findings *findings,
                            const struct lf_icp **ret_icp, struct lf_error *error) LF_MUST_CHECK;

/* The same from text, which is checked as JSON first. */
enum lf_status lf_icp_parse_text(struct lf_arena *arena, const char *text, size_t len, struct lf_findings *findings,
                                 const struct lf_icp **ret_icp, struct lf_error *error) LF_MUST_CHECK;

#endif
