/*
 * score_sniff.h - tells from the first bytes of an input what it is: CSV, NDJSON, or a JSON document. Pure.
 */
#ifndef LF_CMD_SCORE_SNIFF_H
#define LF_CMD_SCORE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>

enum sniffed { SNIFFED_CSV, SNIFFED_NDJSON, SNIFFED_DOCUMENT, SNIFF_MORE };

/* SNIFF_MORE: it cannot be told yet; never with `all`, which says that no more will come. */
enum sniffed score_sniff(const char *text, size_t len, bool all);

/* The offset of the first byte from `at` on that is no blank and no line end; len where there is none. */
size_t score_skip_space(const char *text, size_t len, size_t at);

#endif
