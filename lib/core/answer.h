/*
 * answer.h - a score told as JSON: the members of the HTTP contract, the explanation, reasons in plain sentences.
 *
 * The same function tells a score just made and one recorded long ago. Pure; a teller is immutable and thread-safe.
 */
#ifndef LF_CORE_ANSWER_H
#define LF_CORE_ANSWER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/ulid.h"
#include "core/icp.h"
#include "core/program.h"
#include "core/score.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A definition's texts, escaped once. */
struct lf_teller;

/* version: 0 for a definition that is not published. NULL: out of memory. */
const struct lf_teller *lf_teller_create(struct lf_arena *arena, const struct lf_icp *icp, int version) LF_MUST_CHECK;

/* "sha256:…" of the definition. */
const char *lf_teller_hash(const struct lf_teller *teller);

/* A lead's score under one ICP. */
struct lf_result {
    const struct lf_teller *teller;
    const struct lf_scorer *scorer;
    const struct lf_evaluation *evaluation; /* for the values that were found */
    size_t index;                           /* of the ICP in the evaluation's program */
    const struct lf_outcome *outcome;
    struct lf_score score;
};

enum lf_explain {
    LF_EXPLAIN_FULL,
    LF_EXPLAIN_SUMMARY,
    LF_EXPLAIN_NONE, /* an empty `results` */
    LF_EXPLAIN_FLAT, /* nothing but the members before `results`: for webhooks, nobody can ask for it */
};

/* "full", "summary" or "none"; false for another word. */
bool lf_explain_parse(const char *word, size_t len, enum lf_explain *ret_explain);

struct lf_answer {
    bool recorded;
    struct lf_ulid id; /* told as "" when not recorded */
    const char *lead_id;
    size_t lead_id_len;
    int64_t scored_at_ms, as_of_ms;
    struct lf_result *results; /* put into order, best first, by lf_answer_put */
    size_t result_count;       /* at least 1 */
    enum lf_explain explain;
    int64_t line; /* of a batch: told first; 0: none */
};

/* Where in a told answer its id and its scored_at stand, counted from the answer's first byte. */
struct lf_answer_stamp {
    size_t id_at, scored_at_at;
};

/* Appends the answer as one JSON object, without white space. Memory for the telling comes from the arena; running
 * out of it makes buf fail. */
void lf_answer_put(struct lf_buf *buf, struct lf_arena *arena, struct lf_answer *answer);

/* The same for a score that will be recorded, but has no id yet: the places for it and for scored_at are held free. */
void lf_answer_put_pending(struct lf_buf *buf, struct lf_arena *arena, struct lf_answer *answer,
                           struct lf_answer_stamp *ret_stamp);

/* Writes the id and its time into the answer that was told before; both take as much room as was held. */
void lf_answer_stamp(char *answer, const struct lf_answer_stamp *stamp, struct lf_ulid id);

/* The reasons of a result, at most `count`, as plain UTF-8 (for a table): a disqualifier's reason first, then the
 * attributes'. Each lives in the arena. Returns how many; fewer when memory is out. */
size_t
lf_result_reasons(struct lf_arena *arena, const struct lf_result *result, const char **ret_reasons, size_t count);

#endif
