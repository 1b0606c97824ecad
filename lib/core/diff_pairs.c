/* diff_pairs.c - see diff_pairs.h. Lists have 200 elements at most: all of this is quadratic and plain. */
#include "core/diff_pairs.h"

#include <string.h>

bool
lf_pairing_init(struct lf_arena *arena, struct lf_pairing *pairing, size_t old_count, size_t new_count)
{
    *pairing = (struct lf_pairing){.old_count = old_count, .new_count = new_count};
    pairing->to = lf_arena_calloc(arena, old_count, sizeof *pairing->to);
    pairing->from = lf_arena_calloc(arena, new_count, sizeof *pairing->from);
    pairing->moved = lf_arena_calloc(arena, new_count, sizeof *pairing->moved);
    if (pairing->to == NULL || pairing->from == NULL || pairing->moved == NULL)
        return false;
    for (size_t i = 0; i < old_count; i++)
        pairing->to[i] = LF_UNPAIRED;
    for (size_t i = 0; i < new_count; i++)
        pairing->from[i] = LF_UNPAIRED;
    return true;
}

void
lf_pairing_pair(struct lf_pairing *pairing, const char *const *old, const char *const *new, const char *const *old_too,
                const char *const *new_too)
{
    for (size_t j = 0; j < pairing->new_count; j++) {
        for (size_t i = 0; i < pairing->old_count && pairing->from[j] == LF_UNPAIRED; i++) {
            if (pairing->to[i] != LF_UNPAIRED || strcmp(old[i], new[j]) != 0 ||
                (old_too != NULL && strcmp(old_too[i], new_too[j]) != 0))
                continue;
            pairing->to[i] = j;
            pairing->from[j] = i;
        }
    }
}

bool
lf_pairing_find_moves(struct lf_arena *arena, struct lf_pairing *pairing)
{
    /* Of the longest run that ends at each: how long, and what is before its end. */
    size_t *length = lf_arena_calloc(arena, pairing->new_count, sizeof *length);
    size_t *previous = lf_arena_calloc(arena, pairing->new_count, sizeof *previous), best = LF_UNPAIRED;

    if (length == NULL || previous == NULL)
        return false;
    for (size_t j = 0; j < pairing->new_count; j++) {
        pairing->moved[j] = pairing->from[j] != LF_UNPAIRED;
        if (!pairing->moved[j])
            continue;
        length[j] = 1;
        previous[j] = LF_UNPAIRED;
        for (size_t k = 0; k < j; k++) {
            if (pairing->from[k] != LF_UNPAIRED && pairing->from[k] < pairing->from[j] && length[k] + 1 > length[j]) {
                length[j] = length[k] + 1;
                previous[j] = k;
            }
        }
        if (best == LF_UNPAIRED || length[j] > length[best])
            best = j;
    }
    for (size_t j = best; j != LF_UNPAIRED; j = previous[j])
        pairing->moved[j] = false;
    return true;
}

bool
lf_pairing_next(struct lf_pairing *pairing, struct lf_pairing_step *ret_step)
{
    size_t i = pairing->next_old, j = pairing->next_new;
    bool at_end = j == pairing->new_count;
    bool stayed = !at_end && pairing->from[j] != LF_UNPAIRED && !pairing->moved[j];
    size_t limit = stayed ? pairing->from[j] : pairing->old_count;

    /* What has gone comes in its turn, and before what has come in its place; it must not overtake what has stayed. */
    while (i < limit && pairing->to[i] != LF_UNPAIRED && (at_end || stayed || pairing->moved[pairing->to[i]]))
        i++;
    pairing->next_old = i;
    if (i < limit && pairing->to[i] == LF_UNPAIRED) {
        pairing->next_old++;
        *ret_step = (struct lf_pairing_step){.old = i, .new = LF_UNPAIRED};
        return true;
    }
    if (at_end)
        return false;
    if (stayed)
        pairing->next_old = pairing->from[j] + 1;
    pairing->next_new++;
    *ret_step = (struct lf_pairing_step){.old = pairing->from[j], .new = j, .moved = pairing->moved[j]};
    return true;
}

/* ---- names ---- */

/* The names given so far, and for which labels. */
struct naming {
    struct lf_arena *arena;
    const char **labels, **names;
    size_t count;
};

static size_t
times_among(const char *const *texts, size_t count, const char *text)
{
    size_t times = 0;

    for (size_t i = 0; i < count; i++)
        times += strcmp(texts[i], text) == 0;
    return times;
}

static const char *
name_next(struct naming *naming, const char *label)
{
    size_t number = times_among(naming->labels, naming->count, label);
    const char *name = number == 0 ? label : lf_arena_printf(naming->arena, "%s (%zu)", label, number + 1);

    /* Another one may be called "name (2)" by itself. */
    while (name != NULL && times_among(naming->names, naming->count, name) > 0)
        name = lf_arena_printf(naming->arena, "%s (%zu)", label, ++number + 1);
    naming->labels[naming->count] = label;
    naming->names[naming->count++] = name;
    return name;
}

bool
lf_pairing_name(struct lf_arena *arena, const struct lf_pairing *pairing, const char *const *old,
                const char *const *new, const char **ret_old, const char **ret_new)
{
    size_t total = pairing->old_count + pairing->new_count;
    struct naming naming = {.arena = arena};

    naming.labels = lf_arena_calloc(arena, total, sizeof *naming.labels);
    naming.names = lf_arena_calloc(arena, total, sizeof *naming.names);
    if (naming.labels == NULL || naming.names == NULL)
        return false;
    for (size_t i = 0; i < pairing->old_count; i++) {
        ret_old[i] = name_next(&naming, old[i]);
        if (ret_old[i] == NULL)
            return false;
    }
    for (size_t j = 0; j < pairing->new_count; j++) {
        ret_new[j] = pairing->from[j] != LF_UNPAIRED ? ret_old[pairing->from[j]] : name_next(&naming, new[j]);
        if (ret_new[j] == NULL)
            return false;
    }
    return true;
}
