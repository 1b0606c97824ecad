/*
 * record.h - an outcome as it is kept: everything that telling it again, statistics and an exact repeat need.
 *
 * A record holds, for each ICP the lead was scored under, the version, each attribute's status, rule, faded fit and
 * fields, each disqualifier's verdict, and the answers of its named lists with their revisions (so that a repeat is
 * exact although lists change); and the input: the whole lead, or what the definitions read of it. The encoding is
 * versioned, compact (about three bytes an attribute) and checked when it is read: damaged bytes give STORAGE_CORRUPT,
 * never a crash. Records of the first format, which said neither revisions nor whether the lead is whole, are read as
 * well: their revisions are 0, and none of them counts as whole.
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

/* Begins a record of `count` results. whole: its input will be the whole lead. */
void lf_record_begin(struct lf_buf *buf, size_t count, bool whole);

/* Appends one result. shadow: it was not part of the answer. */
void lf_record_put_result(struct lf_buf *buf, const struct lf_evaluation *evaluation, size_t index,
                          const struct lf_outcome *outcome, bool shadow);

/* Ends the record with the input, JSON. */
void lf_record_put_input(struct lf_buf *buf, const struct lf_evaluation *evaluation, const struct lf_json *lead,
                         const bool *wanted, bool whole);

/* One result of a record, not yet decoded. */
struct lf_recorded_result {
    int64_t version_id;
    bool shadow;
    bool revisions; /* its lists' revisions are among the bytes */
    const uint8_t *bytes;
    size_t len;
};

struct lf_record {
    struct lf_recorded_result *results;
    size_t result_count;
    bool whole;        /* the input is the whole lead */
    const char *input; /* JSON; borrowed from the bytes */
    size_t input_len;
};

/* Reads a record; the results live in the arena, the rest is borrowed from bytes. STORAGE_CORRUPT, OUT_OF_MEMORY. */
enum lf_status lf_record_read(struct lf_arena *arena, const void *bytes, size_t len, struct lf_record *ret_record,
                              struct lf_error *error) LF_MUST_CHECK;

/* Parses the input of a record: an object. The tree lives in the arena and borrows from the record. STORAGE_CORRUPT,
 * OUT_OF_MEMORY. */
enum lf_status lf_record_parse_input(struct lf_arena *arena, const struct lf_record *record,
                                     const struct lf_json **ret_input, struct lf_error *error) LF_MUST_CHECK;

/* Decodes one result against its definition. STORAGE_CORRUPT when they do not belong together. */
enum lf_status
lf_record_outcome(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_recorded_result *result,
                  const struct lf_outcome **ret_outcome, struct lf_error *error) LF_MUST_CHECK;

/* Gives the evaluation of ICP `index` the recorded answers and revisions of its lists; evaluating and telling then
 * repeat exactly what was. STORAGE_CORRUPT as above, OUT_OF_MEMORY. */
enum lf_status lf_record_restore_lists(struct lf_evaluation *evaluation, size_t index,
                                       const struct lf_recorded_result *result, struct lf_error *error) LF_MUST_CHECK;

/* Whether two outcomes under the same definition are the same in every member. */
bool lf_outcome_equal(const struct lf_icp *icp, const struct lf_outcome *a, const struct lf_outcome *b);

#endif
