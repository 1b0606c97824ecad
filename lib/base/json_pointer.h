/*
 * json_pointer.h - JSON pointers (RFC 6901), compiled beforehand and found many at once.
 *
 * A set of pointers is found in one walk over the document: each member of an object that lies on the way of some
 * pointer is looked up by its name among the next steps, and everything else is passed over. So it takes time in
 * proportion to the document at worst, whatever the number of pointers, and however wide an object is made.
 *
 * Pointers and sets are immutable and may be shared by threads.
 */
#ifndef LF_BASE_JSON_POINTER_H
#define LF_BASE_JSON_POINTER_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { LF_JSON_POINTER_STEPS_MAX = 32, LF_JSON_POINTER_CHARS_MAX = 300 };

struct lf_json_pointer {
    const char *text;         /* as it was given */
    const char *const *steps; /* names, unescaped, or indexes of arrays */
    size_t step_count;        /* 0: the whole document */
};

/* Reads a pointer; it and its text live in the arena. INVALID_PARAMETER, with a sentence, for what is none, or is
 * longer than the limits; OUT_OF_MEMORY. */
enum lf_status lf_json_pointer_read(struct lf_arena *arena, const char *text, size_t len,
                                    struct lf_json_pointer *ret_pointer, struct lf_error *error) LF_MUST_CHECK;

/* Pointers that are looked for together. */
struct lf_json_pointers {
    const struct lf_json_pointer **sorted; /* by their steps */
    const size_t *places;                  /* of these in the array that they came in */
    size_t count;
};

/* Compiles those pointers of an array for which `which` is true (NULL: all); they stay where they are. false when
 * memory is out. */
bool lf_json_pointers_init(struct lf_json_pointers *set, struct lf_arena *arena, const struct lf_json_pointer *pointers,
                           const bool *which, size_t count) LF_MUST_CHECK;

/* Writes to found, by the pointer's place in the array that it came in, what stands there; what is not there is left as
 * it was. root: NULL for none. An index is a number without leading zeros, of an array; "-" stands for nothing. */
void
lf_json_pointers_find(const struct lf_json_pointers *set, const struct lf_json *root, const struct lf_json **found);

#endif
