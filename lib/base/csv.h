/*
 * csv.h - reading CSV as the world writes it, record by record, in constant memory.
 *
 * RFC 4180, and what is found besides: LF, CRLF or CR alone; a byte order mark; `,`, `;` or TAB, whichever the first
 * line holds most of (or Excel's line `sep=;` before it); quotes in the middle of an unquoted cell, which are text;
 * spaces behind a closing quote, which are dropped. Blank lines are passed over. Cells are not trimmed.
 *
 * A record whose quotes are broken (never closed, text behind a closing one) or that is too long costs the physical
 * line on which it begins, and nothing else: reading goes on with the next line, even where a quote that nobody closed
 * had swallowed a good many of them. One whose quotes are sound but which holds what is not UTF-8, a NUL or too many
 * cells costs itself. A file that is no CSV at all is refused.
 *
 * The reader is fed pieces of any size as they arrive, and asked for records until it wants more:
 *
 *     lf_csv_feed(csv, bytes, len);          (or lf_csv_finish(csv) at the end of the input)
 *     while ((result = lf_csv_next(csv, &record, &error)) != LF_CSV_MORE) …
 *
 * It knows nothing of headers and leads; see csv_lead.h. A reader belongs to one thread at a time.
 */
#ifndef LF_BASE_CSV_H
#define LF_BASE_CSV_H

#include "base/status.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

struct lf_csv;

/* Bytes of a record, quotes and separators counted (api.md: a line of a batch), and cells in it: eight times the
 * members that a lead may have, for exports with many empty columns. */
enum { LF_CSV_RECORD_MAX = 64 * 1024, LF_CSV_CELLS_MAX = 4096 };

struct lf_csv_options {
    char separator;    /* ASCII, no quote, space or line end; 0: found from the first line */
    size_t record_max; /* bytes; 0: LF_CSV_RECORD_MAX */
};

enum lf_csv_result {
    LF_CSV_MORE,    /* all that was fed is used up */
    LF_CSV_RECORD,  /* *ret_record is a record */
    LF_CSV_BROKEN,  /* a record cannot be read: *error says why, ret_record->line where; go on asking */
    LF_CSV_END,     /* the input was finished and has been read */
    LF_CSV_REFUSED, /* this is no CSV: *error says what it seems to be; stays so */
};

/* Borrowed from the reader until it is next called. */
struct lf_csv_record {
    uint64_t line;               /* physical line on which the record begins, the first being 1 */
    size_t count;                /* 1..LF_CSV_CELLS_MAX; 0 for a broken one */
    const struct lf_text *cells; /* valid UTF-8 without U+0000, quotes taken off */
};

/* Takes twice record_max of memory and 64 KiB, all of it here. NULL when memory is out. options may be NULL. */
struct lf_csv *lf_csv_create(const struct lf_csv_options *options);

/* NULL is fine. */
void lf_csv_destroy(struct lf_csv *csv);

/* Lends the reader bytes, until it answers LF_CSV_MORE. All that was fed before must be used up. */
void lf_csv_feed(struct lf_csv *csv, const char *bytes, size_t len);

/* Says that nothing follows. */
void lf_csv_finish(struct lf_csv *csv);

/* Reads on. Errors are INVALID_CSV with the byte offset in the input. error may be NULL. */
enum lf_csv_result
lf_csv_next(struct lf_csv *csv, struct lf_csv_record *ret_record, struct lf_error *error) LF_MUST_CHECK;

/* The separator that is used; 0 while the first line is not there. */
char lf_csv_separator(const struct lf_csv *csv);

#endif
