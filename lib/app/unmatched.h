/*
 * unmatched.h - the commonest values that no rule took: what sales ops add to a list, or mend in the CRM.
 *
 * The latest recorded leads are evaluated once more under a definition. Of each attribute that came out unmatched, or
 * unknown because of an invalid value, the values that its rules looked at are counted as they were sent, each once a
 * lead, and beside each stands the operand that it was perhaps meant to be. Counted are leads that were kept whole, or
 * with what a version of this ICP reads; what is not kept never shows. Blocking: reads the disk.
 */
#ifndef LF_APP_UNMATCHED_H
#define LF_APP_UNMATCHED_H

#include "base/arena.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/named_list.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_UNMATCHED_DISTINCT = 100000, /* values of one attribute that are counted at a time */
    LF_UNMATCHED_ALL = 300000,      /* of all attributes together */
    LF_UNMATCHED_CHARACTERS = 200,  /* a longer value is cut */
    LF_UNMATCHED_OPERANDS = 5000,   /* of an attribute on a field, that a value is compared with */
    LF_UNMATCHED_BYTES = 64 << 20   /* of values that are counted at a time */
};

struct lf_unmatched_value {
    const char *attribute, *field;
    const char *value; /* NUL-terminated; it may hold U+0000 */
    size_t value_len;
    int64_t count; /* leads */
    const char *near;
    size_t near_len; /* 0: there is none */
    bool invalid;    /* a rule cannot read it: it is of a wrong kind */
};

struct lf_unmatched {
    size_t leads;   /* looked at */
    size_t dropped; /* distinct values that were let go, the rarest, where there were too many */
    const struct lf_unmatched_value *values; /* commonest first, then by attribute, value, field */
    size_t count;
};

struct lf_unmatched_options {
    const char *attribute; /* the only one of interest; NULL: all */
    size_t limit;          /* values that are told */
    size_t leads;          /* 1..LF_REPLAY_LEADS_MAX: the latest ones */
};

/* Whether the definition has the attribute, which may be NULL: INVALID_PARAMETER with what to write. */
enum lf_status
lf_unmatched_check(const struct lf_icp *icp, const char *attribute, struct lf_error *error) LF_MUST_CHECK;

/* Fields that the privacy of now withholds (NULL: none) are passed over, also where an older score has their values.
 * What is told lives in the arena and borrows from the definition. INVALID_PARAMETER as above. */
enum lf_status lf_unmatched_find(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_icp *icp,
                                 const struct lf_list_source *lists, const struct lf_privacy *privacy,
                                 const struct lf_unmatched_options *options, struct lf_unmatched *ret_unmatched,
                                 struct lf_error *error) LF_MUST_CHECK;

#endif
