/*
 * json_names.h - whether a name stands twice in an object, for texts that come from outside.
 *
 * Internal to lib/base (json_door.c). Linear in the text whatever it holds. An object with few names compares them
 * with each other, behind a 64-bit filter that mostly spares even that; one with more moves into a hash table under
 * a secret seed, which all large objects of the document share. Memory stays within what the limits let in: at most
 * LF_JSON_NAMES_FEW entries for each open object, and two slots for each name in a large one.
 */
#ifndef LF_BASE_JSON_NAMES_H
#define LF_BASE_JSON_NAMES_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

/* Up to so many names are compared pairwise. */
enum { LF_JSON_NAMES_FEW = 16, LF_JSON_NAMES_AT_HAND = 64 };

struct lf_json_name {
    const char *bytes;
    size_t len;
    uint64_t print; /* of the bytes: equal names have equal prints */
};

struct lf_json_names_slot; /* of the hash table */

/* The names of a document while it is being read. */
struct lf_json_names {
    struct lf_arena *arena;
    struct lf_json_name *list; /* of the open small objects, outermost first */
    size_t used, room;
    struct lf_json_names_slot *table;
    size_t slots, taken;                                /* slots: a power of two, or 0 */
    uint32_t large;                                     /* large objects so far */
    struct lf_json_name at_hand[LF_JSON_NAMES_AT_HAND]; /* the list, until it outgrows this */
};

/* The names of one object. All zero but for `first` when it opens. */
struct lf_json_names_scope {
    uint64_t seen;   /* a bit for each of 64 classes of names */
    size_t first;    /* where its names begin in the list */
    size_t count;    /* of names in the list */
    uint32_t number; /* of the large object; 0 while it is small */
};

enum lf_json_names_outcome { LF_JSON_NAME_NEW, LF_JSON_NAME_REPEATED, LF_JSON_NAME_NO_MEMORY };

/* Draws the seed. Once, at start. */
void lf_json_names_setup(void);

void lf_json_names_init(struct lf_json_names *names, struct lf_arena *arena);

static inline struct lf_json_names_scope
lf_json_names_open(const struct lf_json_names *names)
{
    return (struct lf_json_names_scope){.first = names->used};
}

/* Forgets the names of the innermost open object. */
static inline void
lf_json_names_close(struct lf_json_names *names, const struct lf_json_names_scope *scope)
{
    names->used = scope->first;
}

/* Adds a name, unescaped, to the innermost open object. The bytes stay where they are until the document is read. */
enum lf_json_names_outcome
lf_json_names_add(struct lf_json_names *names, struct lf_json_names_scope *scope, const char *bytes, size_t len);

#endif
