/*
 * arena.h - memory for one request or one document, given back all at once.
 *
 * An arena hands out aligned pieces of larger chunks; nothing is freed by itself. It is created with the most it
 * may ever hold, so that no input can grow it past that. lf_arena_reset keeps the first chunk for the next user.
 * Not thread-safe: an arena belongs to one thread at a time.
 */
#ifndef LF_BASE_ARENA_H
#define LF_BASE_ARENA_H

#include "base/status.h"

#include <stddef.h>

struct lf_arena;

/* chunk: bytes of the first chunk, kept across resets. max: the most bytes it may hold in all.
 * NULL when memory is out. */
struct lf_arena *lf_arena_create(size_t chunk, size_t max);

/* Frees the arena and all that came from it. NULL is fine. */
void lf_arena_destroy(struct lf_arena *arena);

/* Forgets all that came from it; keeps the first chunk. */
void lf_arena_reset(struct lf_arena *arena);

/* Uninitialised memory, aligned to 16 bytes; NULL when memory is out or max is reached. A size of 0 gives a valid
 * pointer. */
void *lf_arena_alloc(struct lf_arena *arena, size_t size);

/* The same, zeroed, for count members of size; NULL also when the product overflows. */
void *lf_arena_calloc(struct lf_arena *arena, size_t count, size_t size);

/* A copy of len bytes with a NUL behind them. */
char *lf_arena_copy(struct lf_arena *arena, const char *bytes, size_t len);

/* Gives the tail of the last piece back: `used` bytes of it stay. A no-op when `piece` is not the last one. */
void lf_arena_shrink(struct lf_arena *arena, void *piece, size_t size, size_t used);

/* Formatted text in the arena; NULL when memory is out. */
char *lf_arena_printf(struct lf_arena *arena, const char *format, ...) LF_PRINTF(2, 3);

/* Bytes in use, chunks' slack left aside. */
size_t lf_arena_used(const struct lf_arena *arena);

#endif
