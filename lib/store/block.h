/*
 * block.h - many recorded scores in one piece of bytes, and back.
 *
 * A block is what one row of score_block keeps. Its layout (version 1; whole numbers marked * are LEB128 varints):
 *
 *     1 byte    1, the version of this layout
 *     4 bytes   number of scores, little-endian, at least 1
 *     each score, ids strictly ascending:
 *       1 byte    how many leading bytes the id shares with that of the score before (0..15; the first one has 0)
 *       16 - n    the rest of the id
 *       *         as_of_ms less the id's own time, zigzag (mostly 0: one byte)
 *       *         length of lead_id, then its bytes
 *       *         length of body, then its bytes
 *     4 bytes   CRC-32 of all before, little-endian
 *
 * Writing and reading are pure: no I/O, no clock. Reading trusts nothing: the check sum first, then every length
 * against what is left. Not thread-safe: a writer and a reader belong to one thread.
 */
#ifndef LF_STORE_BLOCK_H
#define LF_STORE_BLOCK_H

#include "base/buf.h"
#include "base/ulid.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A block is closed before it would grow past LF_BLOCK_FULL: to find one score its whole block is read, and the
 * commit of a large batch should not be one huge row. Only a block of a single score may be larger. */
enum { LF_BLOCK_FULL = 256 * 1024, LF_BLOCK_OVERHEAD_MAX = 5 + 17 + 3 * 10 + 4 };

struct lf_block_writer {
    struct lf_buf buf; /* the block; whole after lf_block_end */
    struct lf_ulid first, last;
    uint32_t count;
};

/* Makes no allocation. */
void lf_block_writer_init(struct lf_block_writer *writer);
void lf_block_writer_finish(struct lf_block_writer *writer);

/* Begins a new block in the memory of the one before. */
void lf_block_begin(struct lf_block_writer *writer);

/* Whether the score still belongs into this block. Always true for the first one. */
bool lf_block_has_room(const struct lf_block_writer *writer, const struct lf_stored_score *score);

/* Adds a score, whose id is greater than the last one's and whose parts keep to LF_SCORE_BODY_MAX and
 * LF_SCORE_LEAD_ID_MAX. */
void lf_block_add(struct lf_block_writer *writer, const struct lf_stored_score *score);

/* Closes the block: buf holds it. false when memory was out (now or while adding). */
bool lf_block_end(struct lf_block_writer *writer) LF_MUST_CHECK;

struct lf_block_reader {
    const uint8_t *at, *end; /* what is left; end lies before the check sum */
    struct lf_ulid previous;
    uint32_t count, left; /* scores in all, and still to come */
    const char *fault;    /* what is wrong, a static text; NULL as long as all is well */
};

/* Checks the sum and the head. false when the block is damaged (reader->fault says how). The bytes stay the caller's
 * and where they are. */
bool lf_block_reader_init(struct lf_block_reader *reader, const void *bytes, size_t len) LF_MUST_CHECK;

/* The next score, its lead_id (not NUL-terminated) and body pointing into the block. false at the end and where the
 * block is damaged: reader->fault tells which. */
bool lf_block_next(struct lf_block_reader *reader, struct lf_stored_score *ret_score) LF_MUST_CHECK;

#endif
