/*
 * faults.h - has each allocation fail in turn. For one test program a file: it defines functions.
 *
 * The program is linked with
 *     -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *     -Wl,--wrap=lf_arena_alloc,--wrap=lf_arena_calloc,--wrap=lf_arena_copy,--wrap=lf_arena_printf
 * so that whatever the libraries of ours ask for comes through here: pieces of an arena as well as memory for it. (The
 * store's tests see to SQLite's own memory.) Leaks are for a sanitizer or valgrind to see.
 */
#ifndef LF_TESTS_FAULTS_H
#define LF_TESTS_FAULTS_H

#include "base/arena.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static struct {
    atomic_bool armed;
    atomic_long left; /* allocations before the one that fails; below 0: it has failed */
} fault;

static inline bool
fails_now(void)
{
    return atomic_load(&fault.armed) && atomic_fetch_sub(&fault.left, 1) == 0;
}

static inline void
arm(long left)
{
    atomic_store(&fault.left, left);
    atomic_store(&fault.armed, true);
}

/* Whether it came to the failure. */
static inline bool
disarm(void)
{
    atomic_store(&fault.armed, false);
    return atomic_load(&fault.left) < 0;
}

#define WRAP(type, name, parameters, arguments)              \
    type __real_##name parameters;                           \
    type __wrap_##name parameters;                           \
    type __wrap_##name parameters                            \
    {                                                        \
        return fails_now() ? NULL : __real_##name arguments; \
    }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *memory, size_t size), (memory, size))
WRAP(void *, lf_arena_alloc, (struct lf_arena * arena, size_t size), (arena, size))
WRAP(void *, lf_arena_calloc, (struct lf_arena * arena, size_t count, size_t size), (arena, count, size))
WRAP(char *, lf_arena_copy, (struct lf_arena * arena, const char *bytes, size_t len), (arena, bytes, len))

char *__wrap_lf_arena_printf(struct lf_arena *arena, const char *format, ...) LF_PRINTF(2, 3);

/* Its arguments cannot be handed on: the text is made here. */
char *
__wrap_lf_arena_printf(struct lf_arena *arena, const char *format, ...)
{
    static char text[65536];
    va_list args;
    int len = 0;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return len < 0 || (size_t)len >= sizeof text || fails_now() ? NULL : __real_lf_arena_copy(arena, text, (size_t)len);
}

#endif
