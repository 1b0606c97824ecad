/*
 * record.h - an outcome as it is kept: everything that telling it again, statistics and an exact repeat need.
 *
 * A record holds, for each ICP the lead was scored under, the version, each attribute's status, rule, faded fit and
 * fields, each disqualifier's verdict, which fields were missing, the answers of its named lists with their revisions
 * (so that a repeat is exact although lists change), and the answers of conditions about fields that are not kept; and
 * the input, as far as it is kept (core/privacy.h). The encoding is versioned, compact (about three bytes an attribute)
 * and checked when it is read: damaged bytes give STORAGE_CORRUPT, never a crash. Records of earlier formats are read
 * as well: the first said neither revisions nor whether the lead is whole (their revisions are 0, and none of them
 * counts as whole); the first two do not say which fields were missing.
 * Pure; thread-safe.
 */
#ifndef LF_CORE_RECORD_H
#define LF_CORE_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins a record of `count` results. */
void lf_record_begin(struct lf_buf *buf, size_t count, enum lf_kept kept);

/* Appends one result. shadow: it was not part of the answer. */
void lf_record_put_result(struct lf_buf *buf, const struct lf_evaluation *evaluation, size_t index,
                          const struct lf_outcome *outcome, bool shadow);

/* Ends the record with the input, JSON: of the lead what may be kept, of all of it or of what the ICPs with a true in
 * `wanted` read (one entry for each ICP of the program). OUT_OF_MEMORY. */
enum lf_status
lf_record_put_input(struct lf_buf *buf, const struct lf_evaluation *evaluation, const struct lf_json *lead,
                    const bool *wanted, const struct lf_privacy *privacy, struct lf_error *error) LF_MUST_CHECK;

/* Appends what is left of a record when its lead is erased: the same results and no input (LF_KEPT_ERASED).
 * STORAGE_CORRUPT. */
enum lf_status
lf_record_anonymise(struct lf_buf *buf, const void *bytes, size_t len, struct lf_error *error) LF_MUST_CHECK;

/* One result of a record, not yet decoded. */
struct lf_recorded_result {
    int64_t version_id;
    bool shadow;
    bool withheld;  /* not all that this ICP reads was kept: the bytes hold the answers about the rest */
    uint8_t format; /* what the bytes say depends on it */
    const uint8_t *bytes;
    size_t len;
};

struct lf_record {
    struct lf_recorded_result *results;
    size_t result_count;
    enum lf_kept kept;
    const char *input; /* JSON, "{}" where nothing is kept; borrowed from the bytes, or static */
    size_t input_len;
};

/* Reads a record; the results live in the arena, the rest is borrowed from bytes. STORAGE_CORRUPT, OUT_OF_MEMORY. */
enum lf_status lf_record_read(struct lf_arena *arena, const void *bytes, size_t len, struct lf_record *ret_record,
                              struct lf_error *error) LF_MUST_CHECK;

/* Parses the input of a record: an object; of a record with hashes one of hashes. The tree lives in the arena and
 * borrows from the record. STORAGE_CORRUPT, OUT_OF_MEMORY. */
enum lf_status lf_record_parse_input(struct lf_arena *arena, const struct lf_record *record,
                                     const struct lf_json **ret_input, struct lf_error *error) LF_MUST_CHECK;

/* Decodes one result against its definition. STORAGE_CORRUPT when they do not belong together. */
enum lf_status
lf_record_outcome(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_recorded_result *result,
                  const struct lf_outcome **ret_outcome, struct lf_error *error) LF_MUST_CHECK;

/* A result by itself, as it stands in a record, for keeping it elsewhere; and read again. The bytes of one result tell
 * neither its version nor its format: these are kept in front. */
void lf_recorded_result_put(struct lf_buf *buf, const struct lf_recorded_result *result);
enum lf_status lf_recorded_result_read(const void *bytes, size_t len, struct lf_recorded_result *ret_result,
                                       struct lf_error *error) LF_MUST_CHECK;

/* Gives the evaluation of ICP `index` what the record knows beside the input: the answers and revisions of its lists,
 * the answers of conditions about fields that were not kept, which of these were missing, and how a date among them had
 * faded its rule. Evaluating and telling then repeat exactly what was, but for the values themselves. STORAGE_CORRUPT
 * as above, OUT_OF_MEMORY. */
enum lf_status lf_record_restore(struct lf_evaluation *evaluation, size_t index,
                                 const struct lf_recorded_result *result, struct lf_error *error) LF_MUST_CHECK;

/* The lists alone: for the same lead given once more, whose fields are all there. */
enum lf_status lf_record_restore_lists(struct lf_evaluation *evaluation, size_t index,
                                       const struct lf_recorded_result *result, struct lf_error *error) LF_MUST_CHECK;

/* What an evaluation has asked that the record it was restored from does not know, for nobody had asked it then: a
 * list, which is asked as it is now, and a field that was not kept, in which nothing seems to stand. So it is where
 * such an evaluation is as of another time, or of another lead. STORAGE_CORRUPT as above. */
struct lf_asked_anew {
    bool lists, withheld;
};
enum lf_status
lf_record_asked_anew(const struct lf_evaluation *evaluation, size_t index, const struct lf_recorded_result *result,
                     struct lf_asked_anew *ret_anew, struct lf_error *error) LF_MUST_CHECK;

/* Whether the result knows the revisions of its lists: the first format did not. */
bool lf_record_knows_revisions(const struct lf_recorded_result *result);

/* Which of the definition's fields were not kept of the result: a bit for each, the lowest of the first byte first,
 * borrowed from the record; NULL where all were. STORAGE_CORRUPT. */
enum lf_status lf_record_withheld(const struct lf_icp *icp, const struct lf_recorded_result *result,
                                  const uint8_t **ret_withheld, struct lf_error *error) LF_MUST_CHECK;

/* Whether two outcomes under the same definition are the same in every member; which fields were missing is one where
 * both say it. */
bool lf_outcome_equal(const struct lf_icp *icp, const struct lf_outcome *a, const struct lf_outcome *b);

#endif
