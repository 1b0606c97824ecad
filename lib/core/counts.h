/*
 * counts.h - long rows of counts as bytes: small ones short, zeros beside each other as one.
 *
 * What tallies and wins are kept in. A row is a row of sections; zeros join up within one, so that a reader may stop
 * behind any section. There is one way alone to write a row: what was read writes the same bytes again. Neither side
 * needs checking number by number: a failure sticks. Pure; a writer or reader belongs to one thread.
 */
#ifndef LF_CORE_COUNTS_H
#define LF_CORE_COUNTS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No sum is read that is further from 0 than this: from here on one can count for longer than there are disks. */
#define LF_COUNT_MAX (INT64_C(1) << 62)

struct lf_counts_writer {
    struct lf_buf *buf;
    uint64_t zeros; /* not yet written */
};

/* Appends to the buffer, which tells of failures. Ends with lf_counts_end. */
void lf_counts_writer_init(struct lf_counts_writer *writer, struct lf_buf *buf);

/* A count, not below 0. */
void lf_counts_put(struct lf_counts_writer *writer, int64_t count);

/* A number of either sign; ends the section before it and is one by itself. */
void lf_counts_put_number(struct lf_counts_writer *writer, int64_t number);

/* Ends the section. */
void lf_counts_end(struct lf_counts_writer *writer);

struct lf_counts_reader {
    const uint8_t *at, *end;
    uint64_t zeros; /* still to be told */
    bool ran;       /* the last were zeros */
    bool failed;    /* something does not fit: all that is told then is 0 */
};

/* Reads from the bytes, which stay. */
void lf_counts_reader_init(struct lf_counts_reader *reader, const void *bytes, size_t len);

/* The next count, 0..INT64_MAX; 0 once it failed. */
int64_t lf_counts_take(struct lf_counts_reader *reader);

/* What was put by lf_counts_put_number. */
int64_t lf_counts_take_number(struct lf_counts_reader *reader);

/* The next count, added to the sum; fails when the sum would leave -LF_COUNT_MAX..LF_COUNT_MAX. Returns the count. */
int64_t lf_counts_add(struct lf_counts_reader *reader, int64_t *sum);
int64_t lf_counts_add_number(struct lf_counts_reader *reader, int64_t *sum);

/* Takes a count that must be this one. */
void lf_counts_expect(struct lf_counts_reader *reader, int64_t count);

/* Fails unless it holds. */
void lf_counts_require(struct lf_counts_reader *reader, bool holds);

/* Ends the section where the writer did. */
void lf_counts_end_section(struct lf_counts_reader *reader);

/* True where all was read, to the last byte, and nothing failed. */
bool lf_counts_done(const struct lf_counts_reader *reader);

#endif
