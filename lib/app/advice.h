/*
 * advice.h - the whole lint of a definition: core's (core/lint.h), and what only recorded leads can tell.
 *
 *   vague_profile  more than 80 % of the latest leads reach the top grade
 *   unseen_field   a field that none of the latest leads had, with the nearest one that they have
 *
 * Both look at the latest LF_ADVICE_LEADS leads, and say nothing with fewer than LF_ADVICE_LEADS_LEAST. Blocking.
 */
#ifndef LF_APP_ADVICE_H
#define LF_APP_ADVICE_H

#include "base/arena.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/lint.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { LF_ADVICE_LEADS = 2000, LF_ADVICE_LEADS_LEAST = 20 };

/* reader NULL: without leads. privacy: what is never stored, and therefore never seen; NULL: nothing. *ret_leads: how
 * many were looked at, of those whose values were stored. */
enum lf_status lf_advise(struct lf_store_reader *reader, const struct lf_privacy *privacy, struct lf_arena *arena,
                         const struct lf_icp *icp, const struct lf_list_source *lists, int64_t now_us,
                         struct lf_lint *ret_lint, size_t *ret_leads, struct lf_error *error) LF_MUST_CHECK;

#endif
