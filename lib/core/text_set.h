/*
 * text_set.h - a set of folded texts, built once, asked often: the entries of `in` and of named lists.
 *
 * A million entries answer as quickly as ten. Immutable after building; thread-safe then. The set keeps pointers to
 * the texts it was given: they stay where they are as long as the set.
 */
#ifndef LF_CORE_TEXT_SET_H
#define LF_CORE_TEXT_SET_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_text_set {
    struct lf_text *slots; /* open addressing; bytes NULL: free */
    uint32_t *tags;        /* part of the hash, so that most misses compare no text */
    size_t mask, count;    /* slots - 1, a power of two - 1; texts held */
};

/* Makes room in the arena for at most `capacity` texts. false when memory is out. */
bool lf_text_set_init(struct lf_text_set *set, struct lf_arena *arena, size_t capacity) LF_MUST_CHECK;

/* Adds a text; one that is there already changes nothing. */
void lf_text_set_add(struct lf_text_set *set, struct lf_text text);

bool lf_text_set_has(const struct lf_text_set *set, struct lf_text text);

#endif
