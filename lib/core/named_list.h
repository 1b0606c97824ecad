/*
 * named_list.h - a named list as conditions use it (`in_list`): target accounts, competitors, free-mail domains.
 *
 * A list is a base, and what was added and removed since: changing a few entries of a million makes a new list that
 * shares the base of the old one, which lives as long as somebody refers to it. When what was changed grows large
 * beside the base, the new list has a base of its own. Immutable and thread-safe once made; asking takes the same time
 * however many entries there are.
 */
#ifndef LF_CORE_NAMED_LIST_H
#define LF_CORE_NAMED_LIST_H

#include "base/status.h"
#include "core/text_set.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_NAMED_LIST_ENTRIES_MAX = 1000000 };

struct lf_list_base; /* folded texts, shared by lists; named_list.c */

struct lf_named_list {
    const char *key;
    int64_t revision;
    size_t count; /* entries */
    struct lf_list_base *base;
    struct lf_text_set added, removed; /* since the base; of the removed ones each is in the base */
    struct lf_arena *arena;
    atomic_int references;
};

/* A list of these texts as they were put, which are folded here: entries that fold to nothing, or to one of before, are
 * passed over. The caller's texts may go away afterwards. The list has one reference, the caller's. OUT_OF_MEMORY. */
enum lf_status lf_named_list_create(const char *key, int64_t revision, const char *const *entries, size_t count,
                                    struct lf_named_list **ret_list, struct lf_error *error) LF_MUST_CHECK;

/* The same of texts that are folded already, none of them empty, handed over one after the other: `next` gives false at
 * the end; what it gives is copied. at_most is an upper bound of their number. */
enum lf_status lf_named_list_create_folded(const char *key, int64_t revision, size_t at_most,
                                           bool (*next)(void *context, struct lf_text *ret_folded), void *context,
                                           struct lf_named_list **ret_list, struct lf_error *error) LF_MUST_CHECK;

/* The list after a change: first the removed ones go, then the added ones come (folded, copied). The old one stays as
 * it is. OUT_OF_MEMORY. */
enum lf_status lf_named_list_patch(const struct lf_named_list *list, int64_t revision, const struct lf_text *add,
                                   size_t add_count, const struct lf_text *remove, size_t remove_count,
                                   struct lf_named_list **ret_list, struct lf_error *error) LF_MUST_CHECK;

/* Whether the folded text is in the list. */
bool lf_named_list_has(const struct lf_named_list *list, struct lf_text folded);

/* One more reference, for whoever keeps the list too; each is given back with lf_named_list_destroy, the last of which
 * frees it. NULL is fine for the latter. */
struct lf_named_list *lf_named_list_share(struct lf_named_list *list);
void lf_named_list_destroy(struct lf_named_list *list);

/* Where a program finds its lists: NULL for an unknown key. */
struct lf_list_source {
    const struct lf_named_list *(*find)(void *context, const char *key);
    void *context;
};

#endif
