/*
 * columns.h - text in the columns of a terminal: how wide it is, and cutting it to a width.
 *
 * A character takes no column, one or two, as Unicode's East Asian Width has it (libutf8proc). What could command the
 * terminal or turn the line's direction around (control characters, bidirectional overrides) is shown as a plain
 * character: a lead's texts come from strangers. Pure; thread-safe; input is valid UTF-8.
 */
#ifndef LF_BASE_COLUMNS_H
#define LF_BASE_COLUMNS_H

#include "base/buf.h"

#include <stddef.h>

/* How many columns the text takes as lf_columns_put shows it. */
size_t lf_columns(const char *bytes, size_t len);

/* Appends as much of the text as fits into `most` columns, ending in `…` where it was cut; white space that is none
 * of a line's (tabs, line ends) as one space each, other control characters as U+FFFD. Returns the columns taken. */
size_t lf_columns_put(struct lf_buf *buf, const char *bytes, size_t len, size_t most);

/* Appends spaces. */
void lf_columns_pad(struct lf_buf *buf, size_t count);

#endif
