/*
 * record_types.h - the inside of a record, shared by record.c and record_restore.c and nobody else.
 */
#ifndef LF_CORE_RECORD_TYPES_H
#define LF_CORE_RECORD_TYPES_H

#include "core/program_types.h"
#include "core/record.h"

enum {
    FORMAT_WITHOUT_REVISIONS = 1,
    FORMAT_WITHOUT_MISSING = 2,
    FORMAT = 3,
    HALF_UNTESTED = 15 /* of half a byte: a leaf that was not asked */
};

/* What is left to read; once it ran out, all that is read is 0. */
struct record_reader {
    const uint8_t *at, *end;
    bool bad;
};

uint8_t record_get_byte(struct record_reader *reader);
uint64_t record_get_varint(struct record_reader *reader);

/* Reads past the attributes, keeping them where outcomes is not NULL. Behind them are the disqualifiers, a byte each.
 * false: damaged. */
bool
record_get_attributes(struct record_reader *reader, const struct lf_icp *icp, struct lf_attribute_outcome *outcomes);

/* A bit for each of the definition's fields, borrowed; NULL: damaged. */
const uint8_t *record_get_bits(struct record_reader *reader, const struct lf_icp *icp);

enum lf_status record_damaged(struct lf_error *error, const char *what);
enum lf_status record_out_of_memory(struct lf_error *error);

#endif
