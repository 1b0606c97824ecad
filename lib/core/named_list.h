/*
 * named_list.h - a named list as conditions use it (`in_list`): target accounts, competitors, free-mail domains.
 *
 * Built from texts as they were put, which are folded here. Immutable and thread-safe afterwards.
 */
#ifndef LF_CORE_NAMED_LIST_H
#define LF_CORE_NAMED_LIST_H

#include "base/status.h"
#include "core/text_set.h"

#include <stddef.h>
#include <stdint.h>

enum { LF_NAMED_LIST_ENTRIES_MAX = 1000000 };

struct lf_named_list {
    const char *key;
    int64_t revision;
    struct lf_text_set set;
    struct lf_arena *arena;
};

/* Entries that fold to nothing are passed over. The caller's texts may go away afterwards. OUT_OF_MEMORY. */
enum lf_status lf_named_list_create(const char *key, int64_t revision, const char *const *entries, size_t count,
                                    struct lf_named_list **ret_list, struct lf_error *error) LF_MUST_CHECK;

/* NULL is fine. */
void lf_named_list_destroy(struct lf_named_list *list);

/* Where a program finds its lists: NULL for an unknown key. */
struct lf_list_source {
    const struct lf_named_list *(*find)(void *context, const char *key);
    void *context;
};

#endif
