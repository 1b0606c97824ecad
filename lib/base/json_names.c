/* json_names.c - see json_names.h. */
#include "base/json_names.h"

#include "base/text.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

struct lf_json_names_slot {
    const char *bytes; /* NULL: free */
    size_t len;
    uint64_t hash;
    uint32_t object; /* the large object whose name it is */
};

enum { FIRST_SLOTS = 128 };

/* The secret that keeps names from being made to collide. Written once before any thread, then only read. */
static uint64_t seed[2];

void
lf_json_names_setup(void)
{
    /* A kernel without getrandom is older than anything we run on; the clock still beats a constant there. */
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        seed[0] ^= (uint64_t)now.tv_nsec * UINT64_C(0x9E3779B97F4A7C15);
        seed[1] ^= (uint64_t)now.tv_sec;
    }
}

void
lf_json_names_init(struct lf_json_names *names, struct lf_arena *arena)
{
    names->arena = arena;
    names->list = names->at_hand;
    names->used = 0;
    names->room = LF_JSON_NAMES_AT_HAND;
    names->table = NULL;
    names->slots = 0;
    names->taken = 0;
    names->large = 0;
}

/* A cheap 64-bit print of a name's ends. It need not resist anybody: prints that agree are followed by a look at
 * the bytes, at most LF_JSON_NAMES_FEW of them. */
static uint64_t
print_of(const char *bytes, size_t len)
{
    uint64_t head = 0, tail = 0;

    if (len >= 8) {
        memcpy(&head, bytes, 8);
        memcpy(&tail, bytes + len - 8, 8);
    } else if (len >= 4) {
        uint32_t first = 0, last = 0;

        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + len - 4, 4);
        head = first;
        tail = last;
    } else if (len > 0) {
        head = (unsigned char)bytes[0];
        tail = (uint64_t)(unsigned char)bytes[len / 2] << 8 | (unsigned char)bytes[len - 1];
    }
    return (head ^ (uint64_t)len << 56) * UINT64_C(0x9E3779B97F4A7C15) + tail * UINT64_C(0xD6E8FEB86659FD93);
}

/* ---- large objects ---- */

static struct lf_json_names_slot *
find_slot(const struct lf_json_names *names, const struct lf_json_names_slot *wanted)
{
    size_t mask = names->slots - 1, at = wanted->hash & mask;

    for (;; at = (at + 1) & mask) {
        struct lf_json_names_slot *slot = &names->table[at];

        if (slot->bytes == NULL || (slot->hash == wanted->hash && slot->object == wanted->object &&
                                    slot->len == wanted->len && memcmp(slot->bytes, wanted->bytes, wanted->len) == 0))
            return slot;
    }
}

/* Keeps the table at most half full. false when memory is out. */
static bool
make_room(struct lf_json_names *names)
{
    struct lf_json_names_slot *old = names->table;
    size_t old_slots = names->slots;

    if ((names->taken + 1) * 2 <= names->slots)
        return true;
    names->slots = old_slots == 0 ? FIRST_SLOTS : old_slots * 2;
    names->table = lf_arena_calloc(names->arena, names->slots, sizeof *names->table);
    if (names->table == NULL)
        return false;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].bytes != NULL)
            *find_slot(names, &old[i]) = old[i];
    }
    return true;
}

static enum lf_json_names_outcome
add_to_table(struct lf_json_names *names, uint32_t object, const char *bytes, size_t len)
{
    struct lf_json_names_slot wanted = {.bytes = bytes, .len = len, .object = object}, *slot = NULL;

    /* the same name in many objects must not make one long chain */
    wanted.hash = lf_text_hash(bytes, len, seed) + object * UINT64_C(0x9E3779B97F4A7C15);
    if (!make_room(names))
        return LF_JSON_NAME_NO_MEMORY;
    slot = find_slot(names, &wanted);
    if (slot->bytes != NULL)
        return LF_JSON_NAME_REPEATED;
    *slot = wanted;
    names->taken++;
    return LF_JSON_NAME_NEW;
}

/* Moves a small object's names into the table. */
static enum lf_json_names_outcome
become_large(struct lf_json_names *names, struct lf_json_names_scope *scope)
{
    scope->number = ++names->large;
    for (size_t i = 0; i < scope->count; i++) {
        const struct lf_json_name *name = &names->list[scope->first + i];
        enum lf_json_names_outcome outcome = add_to_table(names, scope->number, name->bytes, name->len);

        if (outcome != LF_JSON_NAME_NEW)
            return outcome;
    }
    names->used = scope->first;
    scope->count = 0;
    return LF_JSON_NAME_NEW;
}

/* ---- small objects ---- */

static bool
grow_list(struct lf_json_names *names)
{
    size_t room = names->room * 2;
    struct lf_json_name *list = lf_arena_calloc(names->arena, room, sizeof *list);

    if (list == NULL)
        return false;
    memcpy(list, names->list, names->used * sizeof *list);
    names->list = list;
    names->room = room;
    return true;
}

enum lf_json_names_outcome
lf_json_names_add(struct lf_json_names *names, struct lf_json_names_scope *scope, const char *bytes, size_t len)
{
    uint64_t print = 0, bit = 0;

    if (scope->number != 0)
        return add_to_table(names, scope->number, bytes, len);
    if (scope->count == LF_JSON_NAMES_FEW) {
        enum lf_json_names_outcome outcome = become_large(names, scope);

        return outcome == LF_JSON_NAME_NEW ? add_to_table(names, scope->number, bytes, len) : outcome;
    }
    print = print_of(bytes, len);
    bit = UINT64_C(1) << (print >> 58);
    if ((scope->seen & bit) != 0) {
        for (size_t i = 0; i < scope->count; i++) {
            const struct lf_json_name *other = &names->list[scope->first + i];

            if (other->print == print && other->len == len && memcmp(other->bytes, bytes, len) == 0)
                return LF_JSON_NAME_REPEATED;
        }
    }
    scope->seen |= bit;
    if (names->used == names->room && !grow_list(names))
        return LF_JSON_NAME_NO_MEMORY;
    names->list[names->used++] = (struct lf_json_name){.bytes = bytes, .len = len, .print = print};
    scope->count++;
    return LF_JSON_NAME_NEW;
}
