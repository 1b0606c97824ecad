/*
 * score_input.h - the input of `leadfit score`, in blocks of records.
 *
 * What it is, its content tells: a JSON document ({…} or [{…}…), NDJSON (one object a line), else CSV. Reading goes
 * block by block; a block is self-contained, so that one may be read while another is scored. NDJSON and CSV take
 * constant memory; a document is held whole.
 */
#ifndef LF_CMD_SCORE_INPUT_H
#define LF_CMD_SCORE_INPUT_H

#include "base/arena.h"
#include "base/csv_lead.h"
#include "base/status.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCORE_LINE_MAX = 64 * 1024,           /* bytes of a line of NDJSON, as in a batch over HTTP */
    SCORE_DOCUMENT_MAX = 64 * 1024 * 1024 /* bytes of a JSON document */
};

enum input_kind { INPUT_CSV, INPUT_NDJSON, INPUT_DOCUMENT };

enum record_kind { RECORD_JSON, RECORD_CELLS, RECORD_BROKEN };

/* One lead as it stands in the input, unparsed. */
struct score_record {
    enum record_kind kind;
    uint64_t line;                /* on which it begins, the first being 1 */
    const char *text;             /* JSON */
    size_t len;                   /* of text, or the number of cells */
    const struct lf_text *cells;  /* of a CSV row */
    const struct lf_error *error; /* of a broken one */
};

/* What one reading gives. All that records point to lives in the block (a document's text: in the input). */
struct score_block {
    struct lf_arena *arena;
    char *bytes;
    struct score_record *records;
    size_t count, cap; /* of records */
};

enum lf_status score_block_init(struct score_block *block, struct lf_error *error) LF_MUST_CHECK;

/* Safe on one that could not be made. */
void score_block_finish(struct score_block *block);

struct score_input;

/* Opens the file ("-": standard input) and looks what it is. separator: of CSV; 0: found out. FILE, INVALID_CSV for
 * what is no text at all, BODY_TOO_LARGE for a document over its limit, OUT_OF_MEMORY. */
enum lf_status score_input_open(const char *path, char separator, struct score_input **ret_input,
                                struct lf_error *error) LF_MUST_CHECK;

/* NULL is fine. */
void score_input_close(struct score_input *input);

enum input_kind score_input_kind(const struct score_input *input);

/* What is to be called the input in messages. */
const char *score_input_name(const struct score_input *input);

/* The columns of a CSV, once a block has held a row; else NULL. Immutable. */
const struct lf_csv_plan *score_input_plan(const struct score_input *input);

/* Bytes read so far, and in all (0 where that is not known). */
uint64_t score_input_bytes(const struct score_input *input);
uint64_t score_input_total(const struct score_input *input);

/* Fills the block anew; a count of 0 is the end. A reading waits for one record, not for a whole block. The error of a
 * file that can be read no further: FILE, INVALID_CSV with the line in the detail. */
enum lf_status
score_input_next(struct score_input *input, struct score_block *block, struct lf_error *error) LF_MUST_CHECK;

#endif
