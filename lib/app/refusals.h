/*
 * refusals.h - the last deliveries that one source was refused, in memory, in texts that hold nothing of what was sent.
 *
 * For app/sources.c, whose lock guards them.
 */
#ifndef LF_APP_REFUSALS_H
#define LF_APP_REFUSALS_H

#include "base/arena.h"
#include "base/status.h"
#include "store/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_REFUSAL_ID_SIZE = 65 /* a request's id has 64 characters at most */, LF_REFUSAL_CODE_SIZE = 32 };

struct lf_refusal {
    int64_t at_ms;
    int status; /* HTTP */
    size_t bytes;
    char request_id[LF_REFUSAL_ID_SIZE], code[LF_REFUSAL_CODE_SIZE], pointer[LF_POINTER_MAX], detail[LF_DETAIL_MAX];
};

/* A ring; all zeros is an empty one. */
struct lf_refusals {
    size_t next, count;
    struct lf_refusal items[LF_REFUSALS_KEPT];
};

/* Adds one, in place of the oldest where there are LF_REFUSALS_KEPT. */
void lf_refusals_add(struct lf_refusals *refusals, const struct lf_stored_refusal *refusal);

/* All of them, newest first, borrowed; how many. */
size_t lf_refusals_show(const struct lf_refusals *refusals, struct lf_stored_refusal ret_refusals[LF_REFUSALS_KEPT]);

/* The same, copied into the arena. false: out of memory. */
bool lf_refusals_copy(const struct lf_refusals *refusals, struct lf_arena *arena,
                      struct lf_stored_refusal ret_refusals[LF_REFUSALS_KEPT], size_t *ret_count) LF_MUST_CHECK;

/* What may be kept of an error: its own words where they are known to hold nothing of what was sent, else a sentence of
 * ours about its status; static or the error's. */
const char *lf_refusal_detail(const struct lf_error *error);

/* What may be kept of its pointer: of UNMAPPED all, for it is made of our own words and indexes (core/mapping.h); of
 * others which lead of an array it was, "/3" of "/3/name", for names are the sender's. */
void lf_refusal_pointer(const struct lf_error *error, char ret_pointer[LF_POINTER_MAX]);

#endif
