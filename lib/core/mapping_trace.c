/*
 * mapping_trace.c - what of a record went into the lead, and what did not.
 *
 * Nodes are known by their address. One walk over the record notes which of its objects and lists have something below
 * them that was taken, a second one tells the largest that have not.
 */
#include "core/mapping_types.h"

#include <stdint.h>
#include <string.h>

/* A pointer longer than this is not told: nobody would read it. lf_place_pointer makes longer ones. */
enum { POINTER_BYTES = 2000, SLOTS_MIN = 64 };

/* ---- sets of nodes ---- */

bool
mapping_taken_init(struct mapping_taken *taken, struct lf_arena *arena)
{
    *taken = (struct mapping_taken){.mask = SLOTS_MIN - 1};
    taken->slots = lf_arena_calloc(arena, SLOTS_MIN, sizeof(struct lf_json *));
    return taken->slots != NULL;
}

/* The slot of the node, or the free one where it would be. Addresses of an arena lie 16 bytes apart at least. */
static size_t
slot_of(const struct mapping_taken *taken, const struct lf_json *node)
{
    size_t at = (size_t)(((uintptr_t)node >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20) & taken->mask;

    while (taken->slots[at] != NULL && taken->slots[at] != node)
        at = (at + 1) & taken->mask;
    return at;
}

static bool
has(const struct mapping_taken *taken, const struct lf_json *node)
{
    return taken->slots[slot_of(taken, node)] != NULL;
}

static bool
grow(struct mapping_taken *taken, struct lf_arena *arena)
{
    struct mapping_taken grown = {.mask = taken->mask * 2 + 1, .count = taken->count};

    grown.slots = lf_arena_calloc(arena, grown.mask + 1, sizeof(struct lf_json *));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i <= taken->mask; i++)
        if (taken->slots[i] != NULL)
            grown.slots[slot_of(&grown, taken->slots[i])] = taken->slots[i];
    *taken = grown;
    return true;
}

bool
mapping_take(struct mapping_taken *taken, struct lf_arena *arena, const struct lf_json *node)
{
    size_t at = 0;

    if (taken == NULL || node == NULL)
        return true;
    if (taken->count * 2 > taken->mask && !grow(taken, arena))
        return false;
    at = slot_of(taken, node);
    taken->count += taken->slots[at] == NULL;
    taken->slots[at] = node;
    return true;
}

/* ---- the walks ---- */

struct tracing {
    struct lf_arena *arena;
    const struct mapping_taken *taken;
    struct mapping_taken touched; /* have something taken below them */
    struct lf_mapped_lead *lead;
    bool out_of_memory;
};

/* Whether the node was taken, or something below it. */
static bool
touch(struct tracing *tracing, const struct lf_json *node)
{
    bool below = false;

    if (has(tracing->taken, node))
        return true;
    if (lf_json_kind(node) != LF_JSON_OBJECT && lf_json_kind(node) != LF_JSON_ARRAY)
        return false;
    for (const struct lf_json *inner = lf_json_first(node); inner != NULL; inner = lf_json_next(inner))
        below = touch(tracing, inner) || below;
    if (below && !mapping_take(&tracing->touched, tracing->arena, node))
        tracing->out_of_memory = true;
    return below;
}

/* Whether there is a value in it: of a wrapper, its own. */
static bool
holds_something(const struct lf_json *node)
{
    const struct lf_json *value = lf_json_member(node, "value");

    if (lf_json_kind(node) != LF_JSON_OBJECT && lf_json_kind(node) != LF_JSON_ARRAY)
        return lf_json_is_something(node);
    if (value != NULL)
        return holds_something(value);
    for (const struct lf_json *inner = lf_json_first(node); inner != NULL; inner = lf_json_next(inner))
        if (holds_something(inner))
            return true;
    return false;
}

static void tell_below(struct tracing *tracing, const struct lf_json *node, const struct lf_place *place, size_t bytes,
                       const char *but);

static void
tell(struct tracing *tracing, const struct lf_json *node, const struct lf_place *place, size_t bytes)
{
    struct lf_mapped_lead *lead = tracing->lead;

    if (has(tracing->taken, node))
        return;
    if (has(&tracing->touched, node)) {
        tell_below(tracing, node, place, bytes, NULL);
        return;
    }
    if (lead->unused_count == LF_MAPPING_UNUSED_MAX || bytes > POINTER_BYTES || !holds_something(node))
        return;
    lead->unused[lead->unused_count] = lf_place_pointer(tracing->arena, place);
    if (lead->unused[lead->unused_count] == NULL)
        tracing->out_of_memory = true;
    else
        lead->unused_count++;
}

/* Tells what is in an object or a list, but for a member of that name. bytes: a bound of those in its pointer. */
static void
tell_below(struct tracing *tracing, const struct lf_json *node, const struct lf_place *place, size_t bytes,
           const char *but)
{
    size_t index = 0;

    for (const struct lf_json *inner = lf_json_first(node); inner != NULL && !tracing->out_of_memory;
         inner = lf_json_next(inner)) {
        struct lf_place at = {.parent = place, .name = lf_json_name(inner), .index = index++};

        if (at.name == NULL || but == NULL || strcmp(at.name, but) != 0)
            tell(tracing, inner, &at, bytes + (at.name != NULL ? 1 + 2 * strlen(at.name) : 12));
    }
}

bool
mapping_find_unused(struct mapping_taken *taken, struct lf_arena *arena, const struct mapping_record *record,
                    const char *but, struct lf_mapped_lead *lead)
{
    struct tracing tracing = {.arena = arena, .taken = taken, .lead = lead};
    struct lf_place root = LF_PLACE_ROOT;

    lead->unused = lf_arena_calloc(arena, LF_MAPPING_UNUSED_MAX, sizeof *lead->unused);
    if (lead->unused == NULL || !mapping_taken_init(&tracing.touched, arena))
        return false;
    if (has(taken, record->node))
        return true;
    (void)touch(&tracing, record->node);
    if (!tracing.out_of_memory)
        tell_below(&tracing, record->node, &root, 0, but);
    return !tracing.out_of_memory;
}
