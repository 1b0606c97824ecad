/* named_list.c - see named_list.h. */
#include "core/named_list.h"

#include <string.h>

enum { ENTRY_BYTES = 48 /* a first guess at what an entry takes, slots included */ };

enum lf_status
lf_named_list_create(const char *key, int64_t revision, const char *const *entries, size_t count,
                     struct lf_named_list **ret_list, struct lf_error *error)
{
    struct lf_arena *arena = lf_arena_create(256 + count * ENTRY_BYTES, (size_t)2 << 30);
    struct lf_named_list *list = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *list);

    if (list == NULL || !lf_text_set_init(&list->set, arena, count) ||
        (list->key = lf_arena_copy(arena, key, strlen(key))) == NULL)
        goto out_of_memory;
    list->arena = arena;
    list->revision = revision;
    for (size_t i = 0; i < count; i++) {
        struct lf_text folded = {NULL, 0};
        const char *kept = NULL;

        if (!lf_text_fold(arena, entries[i], strlen(entries[i]), &folded))
            goto out_of_memory;
        if (folded.len == 0)
            continue;
        /* Folding may give back a part of its input, which is the caller's. */
        kept = lf_arena_copy(arena, folded.bytes, folded.len);
        if (kept == NULL)
            goto out_of_memory;
        lf_text_set_add(&list->set, (struct lf_text){kept, folded.len});
    }
    *ret_list = list;
    return LF_OK;

out_of_memory:
    lf_arena_destroy(arena);
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the list %s", key);
}

void
lf_named_list_destroy(struct lf_named_list *list)
{
    if (list != NULL)
        lf_arena_destroy(list->arena);
}
