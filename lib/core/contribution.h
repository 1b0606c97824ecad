/*
 * contribution.h - a fit score split into what each attribute gave: integers that add up to it exactly.
 *
 * An attribute's share is its points (after its category's cap, in proportion, to the millionth) over the maximum,
 * x 100; where the sum of points is below zero, so that the score is held at 0, the negative shares count only as far
 * as they can pull. Shares are rounded to hundredths by the largest remainder (ties: the definition's order). The
 * difference of two such splits says which attribute changed a score by how much, and adds up to the change. Pure.
 */
#ifndef LF_CORE_CONTRIBUTION_H
#define LF_CORE_CONTRIBUTION_H

#include "base/arena.h"
#include "core/program.h"
#include "core/score.h"

#include <stdbool.h>
#include <stdint.h>

/* ret_parts has room for each attribute of the scorer's definition; engagement attributes get 0. false: out of memory
 * (the arena is for working). */
bool lf_contributions(struct lf_arena *arena, const struct lf_scorer *scorer, const struct lf_outcome *outcome,
                      const struct lf_score *score, int32_t *ret_parts) LF_MUST_CHECK;

#endif
