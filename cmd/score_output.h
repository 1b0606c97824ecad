/*
 * score_output.h - how `leadfit score` tells its results: NDJSON, CSV or a table.
 *
 * Results of a stretch of leads are gathered in a buffer (a table keeps its rows to the end), bad rows of CSV and table
 * in another for standard error; the caller writes both out. One thread at a time.
 */
#ifndef LF_CMD_SCORE_OUTPUT_H
#define LF_CMD_SCORE_OUTPUT_H

#include "app/scoring.h"
#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum score_format { SCORE_TABLE, SCORE_CSV, SCORE_NDJSON };

/* The best of the results, as an answer would put first. */
struct lf_result *score_best(const struct lf_scoring *scoring);

/* One line of NDJSON, as a batch over HTTP answers it. */
void score_put_ndjson(struct lf_buf *out, struct lf_arena *arena, struct lf_scoring *scoring, int64_t scored_at_ms,
                      uint64_t line);
void score_put_ndjson_error(struct lf_buf *out, uint64_t line, const struct lf_error *error,
                            const struct lf_findings *findings);

/* RFC 4180, with LF as Unix tools have it. A text that a spreadsheet would take for a formula gets an apostrophe in
 * front. */
void score_put_csv_header(struct lf_buf *out);
void score_put_csv(struct lf_buf *out, struct lf_arena *arena, const struct lf_scoring *scoring, uint64_t line);

/* ---- the table (score_table.c) ---- */

struct score_table;

enum { SCORE_TABLE_ROWS_MAX = 100000 };

/* Keeps the best `top` leads. columns: width of the terminal. profiles: for the order of grades. NULL: out of memory.
 */
struct score_table *score_table_create(const struct lf_profiles *profiles, size_t top, size_t columns);

/* NULL is fine. */
void score_table_destroy(struct score_table *table);

/* false when memory is out. */
bool score_table_add(struct score_table *table, struct lf_arena *arena, const struct lf_scoring *scoring,
                     uint64_t line) LF_MUST_CHECK;

/* Sorts and hands the rows out: appends some of them, the head first, and the summary last; false when all is told. */
bool score_table_put(struct score_table *table, struct lf_buf *out, uint64_t bad_rows, int64_t as_of_ms);

#endif
