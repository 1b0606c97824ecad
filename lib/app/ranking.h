/*
 * ranking.h - the few best of many, in order, in memory that does not grow with the many.
 *
 * The owner gives as many slots as there may be best ones. A candidate that is among them takes over the slot of the
 * one that drops out; the owner then fills it. Not thread-safe.
 */
#ifndef LF_APP_RANKING_H
#define LF_APP_RANKING_H

#include <stddef.h>
#include <string.h>

struct lf_ranking {
    void **slots; /* max of them, all given by the owner; the first `count` are ranked, best first */
    size_t count, max;
    int (*compare)(const void *a, const void *b); /* < 0: a is the better one */
};

/* The slot at the candidate's place, for the owner to fill with it; NULL when it is not among the best. Of equal ones
 * the earlier stays ahead. */
static inline void *
lf_ranking_enter(struct lf_ranking *ranking, const void *candidate)
{
    size_t at = ranking->count;
    void *slot = NULL;

    while (at > 0 && ranking->compare(candidate, ranking->slots[at - 1]) < 0)
        at--;
    if (at == ranking->max)
        return NULL;
    if (ranking->count < ranking->max)
        ranking->count++;
    slot = ranking->slots[ranking->count - 1];
    memmove(&ranking->slots[at + 1], &ranking->slots[at], (ranking->count - 1 - at) * sizeof *ranking->slots);
    ranking->slots[at] = slot;
    return slot;
}

#endif
