/*
 * value_counts.h - counts texts under numbered groups, in bounded memory: what is told of the commonest is exact as
 * long as nothing had to be let go.
 *
 * Where a group has too many texts, or all together take too much room, the rarer half goes (of equally rare ones the
 * later); a text that comes again then begins anew. Not thread-safe. Everything is on the heap.
 */
#ifndef LF_APP_VALUE_COUNTS_H
#define LF_APP_VALUE_COUNTS_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_counted_value {
    uint64_t hash;
    uint32_t group, tag; /* tag: the caller's second number, which parts texts like the group does */
    size_t at, len;      /* of the text, in the buffer */
    int64_t count;
    size_t last_turn;
    bool flag; /* once it was counted with the flag */
};

struct lf_value_counts {
    struct lf_counted_value *items; /* in the order in which they came */
    size_t count, room;
    uint32_t *slots; /* of items + 1, open addressing, at most half full */
    size_t mask;
    size_t *group_counts; /* texts, by group */
    size_t groups, group_max, max;
    struct lf_buf texts;
    uint64_t seed[2];
    size_t dropped;
};

/* groups: how many there are. At most group_max texts a group and max in all, of `bytes` bytes together. INTERNAL when
 * the system gives no random numbers; OUT_OF_MEMORY. */
enum lf_status lf_value_counts_init(struct lf_value_counts *counts, size_t groups, size_t group_max, size_t max,
                                    size_t bytes, struct lf_error *error) LF_MUST_CHECK;
void lf_value_counts_finish(struct lf_value_counts *counts);

/* Counts a text, once a turn: turns ascend from 1. false: out of memory. */
bool lf_value_counts_add(struct lf_value_counts *counts, uint32_t group, uint32_t tag, const char *text, size_t len,
                         bool flag, size_t turn) LF_MUST_CHECK;

/* The text of an item; gone with the next add. */
const char *lf_value_counts_text(const struct lf_value_counts *counts, const struct lf_counted_value *item);

#endif
