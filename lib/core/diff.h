/*
 * diff.h - what differs between two definitions of an ICP: as data, and in sentences.
 *
 * Attributes, disqualifiers, caps, grades and rules are told apart by what they are called, not by where they stand: a
 * path is "/attributes/size/rules/200-499 people/fit" (names escaped as in RFC 6901). A rule is called by its label,
 * else by its condition in words; a rule whose label changes but not its condition is the same rule, and its path goes
 * by the earlier one. Where two are called alike the later has its number behind it, "name (2)". A cap is
 * "/caps/firmographic/fit", by category and axis; owners go by name, texts of the profile by themselves. What stands in
 * another order is a move, and no move is told that follows from another, nor one of grades, which their minima order.
 * Pure.
 */
#ifndef LF_CORE_DIFF_H
#define LF_CORE_DIFF_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "core/icp.h"

#include <stddef.h>

/* One difference; all texts NUL-terminated UTF-8, "" where there is none. */
struct lf_difference {
    const char *op; /* "add", "remove", "replace" or "move"; static */
    const char *path;
    const char *attribute, *rule; /* which one it is about: key and name, the later where it has one */
    const char *before, *after;   /* JSON text of the value, canonical; of a move the places, from 1 */
    const char *words;            /* "size: 200-499 people from 0.5 to 0.25" */
    size_t place;                 /* of what was added to a list, or moved: its place, from 1; else 0 */
};

struct lf_diff {
    const struct lf_difference *items; /* in the order of the later definition, the removed ones where they stood */
    size_t count;
};

/* The documents as they were put, and what they were parsed to. The diff lives in the arena. Defaults count as values:
 * a member that is left out differs from one that states the default in nothing. OUT_OF_MEMORY. */
enum lf_status lf_diff(struct lf_arena *arena, const struct lf_json *before, const struct lf_icp *before_icp,
                       const struct lf_json *after, const struct lf_icp *after_icp, struct lf_diff *ret_diff,
                       struct lf_error *error) LF_MUST_CHECK;

#endif
