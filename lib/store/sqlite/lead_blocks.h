/*
 * lead_blocks.h - which blocks hold a lead's scores, as table lead_blocks keeps it: many ids to a row, ascending, each
 * as its difference to the one before (LEB128), the first as it is. Only for the files in this folder and their tests.
 *
 * Reading trusts nothing; a lead's rows follow one another without overlapping.
 */
#ifndef LF_STORE_SQLITE_LEAD_BLOCKS_H
#define LF_STORE_SQLITE_LEAD_BLOCKS_H

#include "base/buf.h"
#include "store/sqlite/connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A row is closed before its body would grow past this: rewriting one costs no more for a lead with many scores. */
enum { LF_LEAD_BLOCKS_FULL = 1000 };

struct lf_lead_blocks_reader {
    const uint8_t *at, *end;
    int64_t previous; /* 0 before the first */
    bool damaged;
};

/* The bytes stay the caller's and where they are. */
void lf_lead_blocks_reader_init(struct lf_lead_blocks_reader *reader, const void *body, size_t len);

/* The next id, greater than the one before and than 0. false at the end and where the bytes are damaged:
 * reader->damaged tells which. */
bool lf_lead_blocks_next(struct lf_lead_blocks_reader *reader, int64_t *ret_block) LF_MUST_CHECK;

/* Appends an id that is greater than `previous`, the last one in the buffer (0 where it is empty). */
void lf_lead_blocks_add(struct lf_buf *buf, int64_t previous, int64_t block);

/* Adds blocks (ascending, from 1) to those of the lead in row `lead` of table lead; those that are there already are
 * passed over. fresh: it has none yet. Within the transaction. */
enum lf_status lf_sqlite_add_lead_blocks(struct lf_connection *connection, int64_t lead, bool fresh,
                                         const int64_t *blocks, size_t count, struct lf_error *error) LF_MUST_CHECK;

#endif
