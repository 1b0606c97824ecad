/*
 * program.h - one or many ICPs compiled into a form that scores leads quickly.
 *
 * Compiling resolves the fields of all ICPs into one lookup tree, shares equal leaves between rules, attributes and
 * ICPs, and hashes sets: work done once per publish. Evaluating walks the lead once, tests each leaf at most once,
 * and yields an outcome for each ICP: which rule each attribute met, with what fit. What follows from an outcome
 * (points, score, range, …) is core/score.h; how it is told, core/answer.h; how it is kept, core/record.h.
 *
 * A program is immutable and thread-safe. An evaluation lives in one request's arena.
 */
#ifndef LF_CORE_PROGRAM_H
#define LF_CORE_PROGRAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/named_list.h"
#include "core/privacy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_program;

/* One ICP for a program. The icp stays where it is as long as the program. */
struct lf_program_source {
    const struct lf_icp *icp;
    int64_t version_id; /* the store's id of the version, 0 for none */
    int version;        /* 0 for none */
};

/* What is wrong with a list a definition names; the program counts an unknown list as an empty one. */
enum lf_status
lf_program_create(const struct lf_program_source *sources, size_t count, const struct lf_list_source *lists,
                  struct lf_program **ret_program, struct lf_error *error) LF_MUST_CHECK;

/* Marks the fields whose values are not kept, so that records hold the answers of conditions about them. Before the
 * program is shared; it starts with none. The privacy may go afterwards. */
void lf_program_withhold(struct lf_program *program, const struct lf_privacy *privacy);

/* NULL is fine. */
void lf_program_destroy(struct lf_program *program);

size_t lf_program_count(const struct lf_program *program);
const struct lf_program_source *lf_program_member(const struct lf_program *program, size_t index);

/* Index of the ICP of that key; SIZE_MAX where there is none. */
size_t lf_program_find(const struct lf_program *program, const char *key);

/* ---- outcomes ---- */

enum lf_attribute_status { LF_ATTRIBUTE_MATCHED, LF_ATTRIBUTE_UNMATCHED, LF_ATTRIBUTE_UNKNOWN };

enum { LF_NO_RULE = -1 };

#define LF_NO_FIELD UINT32_MAX

struct lf_attribute_outcome {
    enum lf_attribute_status status;
    bool invalid;     /* a rule that was tried met a value of the wrong kind */
    int rule;         /* the rule that matched, or LF_NO_RULE */
    int32_t fit;      /* millionths, after fading; 0 for a skipped one */
    uint32_t field;   /* the field that decided, else the first its rules read; of the definition's fields */
    uint32_t missing; /* of an unknown one the first missing field, or LF_NO_FIELD */
};

enum lf_verdict { LF_VERDICT_FALSE, LF_VERDICT_TRUE, LF_VERDICT_UNKNOWN };

/* What became of one lead under one ICP. Arrays as long as the definition's. */
struct lf_outcome {
    struct lf_attribute_outcome *attributes;
    uint8_t *disqualifiers; /* enum lf_verdict */
    uint8_t *missing; /* a bit for each of the definition's fields, the lowest first: nothing stands in it; NULL where a
                       * record does not say */
};

struct lf_evaluation;

/* Finds the program's fields in the lead (an object), which stays as long as the evaluation. NULL: out of memory. */
struct lf_evaluation *lf_evaluation_create(const struct lf_program *program, struct lf_arena *arena,
                                           const struct lf_json *lead, int64_t as_of_ms) LF_MUST_CHECK;

/* Scores the lead under one of the ICPs; the outcome lives in the evaluation's arena. NULL: out of memory. */
const struct lf_outcome *lf_evaluate(struct lf_evaluation *evaluation, size_t index) LF_MUST_CHECK;

/* Appends what was found in a field of one ICP, as text: lists joined by ", ", nothing for objects, at most
 * LF_VALUE_MAX characters (then "…"). */
enum { LF_VALUE_MAX = 1000 };
void lf_evaluation_value(const struct lf_evaluation *evaluation, size_t index, uint32_t field, struct lf_buf *buf);

/* A named list that an ICP asks, and the revision it has in this evaluation (0: it was not there). */
struct lf_list_use {
    const char *key;
    int64_t revision;
};

/* The named lists of one ICP, each once, in the order in which the definition first asks them. Returns how many; `uses`
 * may be NULL to count. */
size_t lf_evaluation_lists(const struct lf_evaluation *evaluation, size_t index, struct lf_list_use *uses);

/* Appends the lead cut down to the fields that the ICPs with a true in `wanted` read, as JSON, and of these to what may
 * be kept: an exact repeat needs no more than that and the record's answers. wanted has one entry for each ICP of the
 * program. */
void lf_evaluation_put_input(const struct lf_evaluation *evaluation, const struct lf_json *lead, const bool *wanted,
                             const struct lf_privacy *privacy, struct lf_buf *buf);

#endif
