/*
 * lint.h - what is unwise in a definition that is valid: said in the words of sales, each with its place and a fix.
 *
 * An error is a condition that can never do its work; publishing waits for it. A warning is a known way to get a
 * profile wrong. An info is worth a look. Lint judges the definition by itself, with the named lists and today's date;
 * what needs recorded leads (vague_profile, unseen_field) belongs to whoever has them, who adds to the list.
 *
 * Whatever is said is certain: where a proof would take too long, nothing is said. Pure; thread-safe.
 */
#ifndef LF_CORE_LINT_H
#define LF_CORE_LINT_H

#include "base/arena.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/named_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lf_lint_severity { LF_LINT_ERROR, LF_LINT_WARNING, LF_LINT_INFO };

/* All texts are NUL-terminated UTF-8. */
struct lf_lint_item {
    enum lf_lint_severity severity;
    const char *code;    /* a stable word, such as "dead_rule"; static */
    const char *pointer; /* RFC 6901, into the definition; of a missing member, to where it would stand */
    const char *detail;  /* what is unwise and where, with labels and numbers */
    const char *fix;     /* what to do about it */
};

enum { LF_LINT_ITEMS_MAX = 500 };

struct lf_lint {
    struct lf_arena *arena;
    struct lf_lint_item *items; /* errors first, then warnings, then infos */
    size_t count;
    size_t dropped;                  /* found beyond LF_LINT_ITEMS_MAX */
    size_t counts[LF_LINT_INFO + 1]; /* by severity, the dropped ones too */
};

struct lf_lint_context {
    int64_t today_us;            /* now, for the review date */
    struct lf_list_source lists; /* find NULL: the lists are not known here, and nothing is said about them */
};

/* "error", "warning" or "info". Static. */
const char *lf_lint_severity_word(enum lf_lint_severity severity);

/* Looks the definition over. The items live in the arena and borrow nothing from the icp. OUT_OF_MEMORY. */
enum lf_status lf_lint(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_lint_context *context,
                       struct lf_lint *ret_lint, struct lf_error *error) LF_MUST_CHECK;

/* Adds an item, kept in its place by severity; detail and fix stay the caller's and must live as long as the list.
 * false: out of memory. */
bool lf_lint_add(struct lf_lint *lint, const struct lf_lint_item *item) LF_MUST_CHECK;

#endif
