/* text_set.c - see text_set.h. */
#include "core/text_set.h"

#include <string.h>

/* Definitions and lists come from people who may edit them, not from leads: a fixed seed is enough. */
static const uint64_t SEED[2] = {0x6c65616466697421u, 0x2a5f3b9d1c7e4086u};

bool
lf_text_set_init(struct lf_text_set *set, struct lf_arena *arena, size_t capacity)
{
    size_t slots = 8;

    while (slots < capacity * 2)
        slots *= 2;
    *set = (struct lf_text_set){.mask = slots - 1};
    set->slots = lf_arena_calloc(arena, slots, sizeof *set->slots);
    set->tags = lf_arena_calloc(arena, slots, sizeof *set->tags);
    return set->slots != NULL && set->tags != NULL;
}

/* The slot that holds the text, or the free one where it would go. */
static size_t
find(const struct lf_text_set *set, struct lf_text text, uint32_t *ret_tag)
{
    uint64_t hash = lf_text_hash(text.bytes, text.len, SEED);
    uint32_t tag = (uint32_t)(hash >> 32);
    size_t at = (size_t)hash & set->mask;

    while (set->slots[at].bytes != NULL && !(set->tags[at] == tag && set->slots[at].len == text.len &&
                                             memcmp(set->slots[at].bytes, text.bytes, text.len) == 0))
        at = (at + 1) & set->mask;
    *ret_tag = tag;
    return at;
}

void
lf_text_set_add(struct lf_text_set *set, struct lf_text text)
{
    uint32_t tag = 0;
    size_t at = find(set, text, &tag);

    if (set->slots[at].bytes != NULL)
        return;
    set->slots[at] = text;
    set->tags[at] = tag;
    set->count++;
}

bool
lf_text_set_has(const struct lf_text_set *set, struct lf_text text)
{
    uint32_t tag = 0;

    return set->count > 0 && set->slots[find(set, text, &tag)].bytes != NULL;
}
