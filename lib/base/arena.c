/* arena.c - see arena.h. A list of chunks, newest first; the first one made is the last in the list and stays. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 };

struct chunk {
    struct chunk *older;
    size_t size, used; /* bytes behind this header */
};

struct lf_arena {
    struct chunk *newest;
    size_t held, max; /* bytes of all chunks; the most there may be */
    size_t next_size; /* of the next chunk: doubles, so that few chunks hold much */
};

static size_t
round_up(size_t size)
{
    return (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
}

#define HEADER ((sizeof(struct chunk) + (ALIGN - 1)) & ~(size_t)(ALIGN - 1))

static char *
chunk_data(struct chunk *chunk)
{
    return (char *)chunk + HEADER;
}

static struct chunk *
chunk_create(struct lf_arena *arena, size_t size)
{
    struct chunk *chunk = NULL;

    if (size > arena->max - arena->held)
        return NULL;
    chunk = malloc(HEADER + size);
    if (chunk == NULL)
        return NULL;
    chunk->older = arena->newest;
    chunk->size = size;
    chunk->used = 0;
    arena->newest = chunk;
    arena->held += size;
    return chunk;
}

struct lf_arena *
lf_arena_create(size_t chunk, size_t max)
{
    struct lf_arena *arena = calloc(1, sizeof *arena);

    if (arena == NULL)
        return NULL;
    /* Whole pieces fit into it, and what is at most max can be rounded up and put behind a header. */
    arena->max = max > SIZE_MAX / 2 ? SIZE_MAX / 2 + 1 : round_up(max);
    arena->next_size = chunk > arena->max ? arena->max + 1 : round_up(chunk);
    if (chunk_create(arena, arena->next_size) == NULL) {
        free(arena);
        return NULL;
    }
    return arena;
}

void
lf_arena_destroy(struct lf_arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->newest != NULL) {
        struct chunk *older = arena->newest->older;
        free(arena->newest);
        arena->newest = older;
    }
    free(arena);
}

void
lf_arena_reset(struct lf_arena *arena)
{
    while (arena->newest->older != NULL) {
        struct chunk *older = arena->newest->older;
        arena->held -= arena->newest->size;
        free(arena->newest);
        arena->newest = older;
    }
    arena->newest->used = 0;
    arena->next_size = arena->newest->size;
}

/* The slow half of an allocation: a new chunk, large enough. Where doubling would pass max, just what is needed. */
static void *
alloc_in_new_chunk(struct lf_arena *arena, size_t size)
{
    struct chunk *chunk = NULL;
    size_t wanted = arena->next_size > SIZE_MAX / 2 ? arena->next_size : arena->next_size * 2;

    if (wanted < size)
        wanted = size;
    if (wanted > arena->max - arena->held)
        wanted = size;
    chunk = chunk_create(arena, wanted);
    if (chunk == NULL)
        return NULL;
    arena->next_size = wanted;
    chunk->used = size;
    return chunk_data(chunk);
}

void *
lf_arena_alloc(struct lf_arena *arena, size_t size)
{
    struct chunk *chunk = arena->newest;

    if (size > arena->max)
        return NULL;
    size = round_up(size);
    if (chunk->size - chunk->used >= size) {
        void *piece = chunk_data(chunk) + chunk->used;
        chunk->used += size;
        return piece;
    }
    return alloc_in_new_chunk(arena, size);
}

void *
lf_arena_calloc(struct lf_arena *arena, size_t count, size_t size)
{
    void *piece = NULL;

    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    piece = lf_arena_alloc(arena, count * size);
    if (piece != NULL)
        memset(piece, 0, count * size);
    return piece;
}

char *
lf_arena_copy(struct lf_arena *arena, const char *bytes, size_t len)
{
    char *copy = len == SIZE_MAX ? NULL : lf_arena_alloc(arena, len + 1);

    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

void
lf_arena_shrink(struct lf_arena *arena, void *piece, size_t size, size_t used)
{
    struct chunk *chunk = arena->newest;

    if ((char *)piece + round_up(size) == chunk_data(chunk) + chunk->used)
        chunk->used -= round_up(size) - round_up(used);
}

char *
lf_arena_printf(struct lf_arena *arena, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len = 0;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    text = lf_arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

size_t
lf_arena_used(const struct lf_arena *arena)
{
    size_t used = 0;

    for (const struct chunk *chunk = arena->newest; chunk != NULL; chunk = chunk->older)
        used += chunk->used;
    return used;
}
