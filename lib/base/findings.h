/*
 * findings.h - everything that is wrong with a document, gathered at once.
 *
 * A validator adds a finding for each fault and goes on, so that a person mends them all in one go. The list lives
 * in an arena and has a maximum; what does not fit is counted. Running out of memory sticks and is told apart.
 * Not thread-safe.
 */
#ifndef LF_BASE_FINDINGS_H
#define LF_BASE_FINDINGS_H

#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* One fault. All texts are NUL-terminated and live in the arena. */
struct lf_finding {
    const char *pointer; /* RFC 6901, to the place; of a missing member, to where it would stand */
    const char *code;    /* a stable word, such as "out_of_range" */
    const char *detail;  /* a sentence: what is wrong and how to mend it */
};

enum { LF_FINDINGS_MAX = 200 };

struct lf_findings {
    struct lf_arena *arena;
    struct lf_finding *items;
    size_t count;   /* of items */
    size_t dropped; /* found beyond LF_FINDINGS_MAX */
    bool out_of_memory;
};

void lf_findings_init(struct lf_findings *findings, struct lf_arena *arena);

/* Adds one; pointer is copied, code is a literal that outlives the list. */
void lf_findings_add(struct lf_findings *findings, const char *pointer, const char *code, const char *format, ...)
    LF_PRINTF(4, 5);

/* Adds all of `from`, each pointer behind the prefix ("" for none): for a document that stands inside another one, or
 * findings that must outlive their arena. */
void lf_findings_append(struct lf_findings *findings, const char *prefix, const struct lf_findings *from);

static inline bool
lf_findings_any(const struct lf_findings *findings)
{
    return findings->count > 0 || findings->out_of_memory;
}

#endif
