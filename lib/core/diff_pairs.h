/*
 * diff_pairs.h - which element of one list is which of another, for diff.c alone.
 *
 * First the elements are paired, by whatever makes them the same; then the fewest moves are found that explain their
 * order; then both lists are walked as one. Everything lives in the arena.
 */
#ifndef LF_CORE_DIFF_PAIRS_H
#define LF_CORE_DIFF_PAIRS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LF_UNPAIRED SIZE_MAX

struct lf_pairing {
    size_t old_count, new_count;
    size_t *to;                /* of each old one: the new one, or LF_UNPAIRED */
    size_t *from;              /* of each new one: the old one, or LF_UNPAIRED */
    bool *moved;               /* of each new one */
    size_t next_old, next_new; /* how far the walk is */
};

/* Nothing is paired yet. false when memory is out. */
bool lf_pairing_init(struct lf_arena *arena, struct lf_pairing *pairing, size_t old_count, size_t new_count);

/* Pairs what is not paired yet and has the same text, the first with the first. A second column may be given, which
 * must be the same as well; NULL: none. */
void lf_pairing_pair(struct lf_pairing *pairing, const char *const *old, const char *const *new,
                     const char *const *old_too, const char *const *new_too);

/* Finds which of the pairs have moved: all but a longest run of them in their old order. false when memory is out. */
bool lf_pairing_find_moves(struct lf_arena *arena, struct lf_pairing *pairing);

/* One step of the walk: the new list in its order, and each removed element behind what it stood behind. */
struct lf_pairing_step {
    size_t old, new; /* LF_UNPAIRED: not there */
    bool moved;
};

/* false at the end. */
bool lf_pairing_next(struct lf_pairing *pairing, struct lf_pairing_step *ret_step);

/* Names for paths, each its own: of elements that are called alike the later one has a number behind it, "name (2)". A
 * pair goes by its old name, a new element by its own. ret_old and ret_new have room for all. false when memory is out.
 */
bool lf_pairing_name(struct lf_arena *arena, const struct lf_pairing *pairing, const char *const *old,
                     const char *const *new, const char **ret_old, const char **ret_new);

#endif
