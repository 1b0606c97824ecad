/*
 * difference.h - what tells two outcomes, or two leads, apart: in words, and without any value of a lead.
 *
 * Pure; thread-safe. Texts live in the arena, "" where nothing differs; NULL: out of memory.
 */
#ifndef LF_APP_DIFFERENCE_H
#define LF_APP_DIFFERENCE_H

#include "base/arena.h"
#include "base/json.h"
#include "core/icp.h"
#include "core/privacy.h"
#include "core/program.h"

#include <stddef.h>

/* The first member in which an outcome computed again differs from the recorded one: "size: matched 500-5,000 people,
 * now unmatched". */
const char *lf_outcome_difference(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_outcome *recorded,
                                  const struct lf_outcome *computed) LF_MUST_CHECK;

/* Fields that one of two leads may have alone. */
struct lf_unkept {
    const struct lf_privacy *privacy; /* what it never keeps */
    const char *const *fields;        /* and these, with what is below and above them */
    size_t count;
};

/* The first member in which a given lead differs from what was stored of one: "company.employees differs", "… is
 * missing", "… was not there". The order of members does not count. */
const char *lf_lead_difference(struct lf_arena *arena, const struct lf_json *stored, const struct lf_json *given,
                               const struct lf_unkept *unkept) LF_MUST_CHECK;

#endif
