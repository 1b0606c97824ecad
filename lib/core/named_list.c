/*
 * named_list.c - see named_list.h.
 *
 * A base holds folded texts in an arena of its own; a list holds its key and its overlay in another, so that the base
 * can outlive the list it was made for.
 *
 * Nothing here starts a thread or waits for one, but lists are shared by all that do: sets of ICPs on many threads hold
 * the same lists, and lists the same base. All of a list is written before anybody else sees it and only read
 * afterwards, so that asking needs no lock; who is the last to let go has to be counted, and the counters alone are
 * atomic. One more reference orders nothing (whoever takes it holds one); giving one back does: what others read of the
 * list happened before it is freed.
 */
#include "core/named_list.h"

#include <string.h>

enum { TEXT_BYTES = 24 /* a first guess at what an entry's text takes */, OVERLAY_MIN = 1024 };

#define BYTES_MAX ((size_t)4 << 30)

struct lf_list_base {
    struct lf_text_set set;
    struct lf_arena *arena;
    atomic_int references;
};

static enum lf_status
out_of_memory(struct lf_error *error, const char *key)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while building the list %s", key);
}

/* The next text of a set from slot *at on; NULL at the end. */
static const struct lf_text *
next_text(const struct lf_text_set *set, size_t *at)
{
    while (set->count > 0 && *at <= set->mask) {
        const struct lf_text *slot = &set->slots[(*at)++];

        if (slot->bytes != NULL)
            return slot;
    }
    return NULL;
}

/* Adds a copy of the text; false when memory is out. */
static bool
add_copy(struct lf_text_set *set, struct lf_arena *arena, struct lf_text text)
{
    const char *copy = lf_arena_copy(arena, text.bytes, text.len);

    if (copy != NULL)
        lf_text_set_add(set, (struct lf_text){copy, text.len});
    return copy != NULL;
}

/* ---- bases ---- */

static struct lf_list_base *
base_create(size_t capacity)
{
    size_t slot_bytes = sizeof(struct lf_text) + sizeof(uint32_t);
    struct lf_arena *arena = lf_arena_create(512 + capacity * (2 * slot_bytes + TEXT_BYTES), BYTES_MAX);
    struct lf_list_base *base = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *base);

    if (base == NULL || !lf_text_set_init(&base->set, arena, capacity)) {
        lf_arena_destroy(arena);
        return NULL;
    }
    base->arena = arena;
    atomic_init(&base->references, 1);
    return base;
}

static void
base_destroy(struct lf_list_base *base)
{
    if (base != NULL && atomic_fetch_sub_explicit(&base->references, 1, memory_order_acq_rel) == 1)
        lf_arena_destroy(base->arena);
}

/* Makes room for one more where there come more than was said: a full set would be searched without an end. */
static bool
base_reserve(struct lf_list_base *base)
{
    struct lf_text_set larger;
    size_t at = 0;

    if (base->set.count * 2 <= base->set.mask)
        return true;
    if (!lf_text_set_init(&larger, base->arena, base->set.mask + 1))
        return false;
    for (const struct lf_text *text = next_text(&base->set, &at); text != NULL; text = next_text(&base->set, &at))
        lf_text_set_add(&larger, *text);
    base->set = larger;
    return true;
}

/* Adds a copy of a text that is not there yet; false when memory is out. Where there are a million of them, looking for
 * each once is what it costs. */
static bool
base_add(struct lf_list_base *base, struct lf_text text)
{
    size_t before = base->set.count;
    char *copy = NULL;

    if (text.len == 0)
        return true;
    if (!base_reserve(base) || (copy = lf_arena_copy(base->arena, text.bytes, text.len)) == NULL)
        return false;
    lf_text_set_add(&base->set, (struct lf_text){copy, text.len});
    if (base->set.count == before)
        lf_arena_shrink(base->arena, copy, text.len + 1, 0);
    return true;
}

/* ---- lists ---- */

/* A list of nothing but the base, with room for an overlay. Takes over the reference to the base, also when it fails;
 * NULL: out of memory. */
static struct lf_named_list *
list_create(const char *key, int64_t revision, struct lf_list_base *base, size_t overlay)
{
    struct lf_arena *arena = lf_arena_create(256 + overlay * (2 * sizeof(struct lf_text) + TEXT_BYTES), BYTES_MAX);
    struct lf_named_list *list = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *list);

    if (list == NULL || (list->key = lf_arena_copy(arena, key, strlen(key))) == NULL) {
        lf_arena_destroy(arena);
        base_destroy(base);
        return NULL;
    }
    list->revision = revision;
    list->count = base->set.count;
    list->base = base;
    list->arena = arena;
    atomic_init(&list->references, 1);
    return list;
}

enum lf_status
lf_named_list_create_folded(const char *key, int64_t revision, size_t at_most,
                            bool (*next)(void *context, struct lf_text *ret_folded), void *context,
                            struct lf_named_list **ret_list, struct lf_error *error)
{
    struct lf_list_base *base = base_create(at_most);
    struct lf_named_list *list = NULL;
    struct lf_text folded = {NULL, 0};

    if (base == NULL)
        return out_of_memory(error, key);
    while (next(context, &folded))
        if (!base_add(base, folded)) {
            base_destroy(base);
            return out_of_memory(error, key);
        }
    list = list_create(key, revision, base, 0);
    if (list == NULL)
        return out_of_memory(error, key);
    *ret_list = list;
    return LF_OK;
}

/* Texts as they were put, folded one after the other into memory that is used again. */
struct folding {
    const char *const *entries;
    size_t count, at;
    struct lf_arena *scratch;
    bool out_of_memory;
};

static bool
next_folded(void *context, struct lf_text *ret_folded)
{
    struct folding *folding = context;

    while (folding->at < folding->count) {
        const char *entry = folding->entries[folding->at++];

        lf_arena_reset(folding->scratch);
        if (!lf_text_fold(folding->scratch, entry, strlen(entry), ret_folded)) {
            folding->out_of_memory = true;
            return false;
        }
        if (ret_folded->len > 0)
            return true;
    }
    return false;
}

enum lf_status
lf_named_list_create(const char *key, int64_t revision, const char *const *entries, size_t count,
                     struct lf_named_list **ret_list, struct lf_error *error)
{
    struct folding folding = {.entries = entries, .count = count, .scratch = lf_arena_create(4096, BYTES_MAX)};
    struct lf_named_list *list = NULL;
    enum lf_status status = LF_OK;

    if (folding.scratch == NULL)
        return out_of_memory(error, key);
    status = lf_named_list_create_folded(key, revision, count, next_folded, &folding, &list, error);
    lf_arena_destroy(folding.scratch);
    if (status == LF_OK && folding.out_of_memory) {
        lf_named_list_destroy(list);
        return out_of_memory(error, key);
    }
    if (status == LF_OK)
        *ret_list = list;
    return status;
}

/* ---- changes ---- */

/* Which texts a change takes and brings, and what then lies over the base: texts of the caller and of the old list. */
struct change {
    struct lf_text_set gone, come, added, removed;
};

static bool
set_of(struct lf_text_set *set, struct lf_arena *arena, const struct lf_text *texts, size_t count)
{
    if (!lf_text_set_init(set, arena, count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (texts[i].len > 0)
            lf_text_set_add(set, texts[i]);
    return true;
}

/* Fills added and removed. Of the added ones none is in the base, of the removed ones each is. */
static bool
lay_over(struct change *change, struct lf_arena *arena, const struct lf_named_list *list)
{
    const struct lf_text_set *base = &list->base->set;
    const struct lf_text *text = NULL;

    if (!lf_text_set_init(&change->added, arena, list->added.count + change->come.count) ||
        !lf_text_set_init(&change->removed, arena, list->removed.count + change->gone.count))
        return false;
    for (size_t at = 0; (text = next_text(&list->added, &at)) != NULL;)
        if (!lf_text_set_has(&change->gone, *text))
            lf_text_set_add(&change->added, *text);
    for (size_t at = 0; (text = next_text(&change->come, &at)) != NULL;)
        if (!lf_text_set_has(base, *text))
            lf_text_set_add(&change->added, *text);
    for (size_t at = 0; (text = next_text(&list->removed, &at)) != NULL;)
        if (!lf_text_set_has(&change->come, *text))
            lf_text_set_add(&change->removed, *text);
    for (size_t at = 0; (text = next_text(&change->gone, &at)) != NULL;)
        if (lf_text_set_has(base, *text) && !lf_text_set_has(&change->come, *text))
            lf_text_set_add(&change->removed, *text);
    return true;
}

/* The list with a base of its own. NULL: out of memory. */
static struct lf_named_list *
rebuild(const struct lf_named_list *list, int64_t revision, const struct change *change)
{
    const struct lf_text_set *old = &list->base->set;
    struct lf_list_base *base = base_create(old->count - change->removed.count + change->added.count);
    const struct lf_text *text = NULL;
    bool fine = base != NULL;

    for (size_t at = 0; fine && (text = next_text(old, &at)) != NULL;)
        fine = lf_text_set_has(&change->removed, *text) || add_copy(&base->set, base->arena, *text);
    for (size_t at = 0; fine && (text = next_text(&change->added, &at)) != NULL;)
        fine = add_copy(&base->set, base->arena, *text);
    if (fine)
        return list_create(list->key, revision, base, 0);
    base_destroy(base);
    return NULL;
}

static bool
copy_set(struct lf_text_set *set, struct lf_arena *arena, const struct lf_text_set *from)
{
    const struct lf_text *text = NULL;
    bool fine = from->count == 0 || lf_text_set_init(set, arena, from->count);

    for (size_t at = 0; fine && (text = next_text(from, &at)) != NULL;)
        fine = add_copy(set, arena, *text);
    return fine;
}

/* The list with the same base and another overlay. NULL: out of memory. */
static struct lf_named_list *
overlay(const struct lf_named_list *list, int64_t revision, const struct change *change)
{
    struct lf_named_list *changed = NULL;

    (void)atomic_fetch_add_explicit(&list->base->references, 1, memory_order_relaxed);
    changed = list_create(list->key, revision, list->base, change->added.count + change->removed.count);
    if (changed == NULL)
        return NULL;
    if (!copy_set(&changed->added, changed->arena, &change->added) ||
        !copy_set(&changed->removed, changed->arena, &change->removed)) {
        lf_named_list_destroy(changed);
        return NULL;
    }
    changed->count = list->base->set.count - change->removed.count + change->added.count;
    return changed;
}

enum lf_status
lf_named_list_patch(const struct lf_named_list *list, int64_t revision, const struct lf_text *add, size_t add_count,
                    const struct lf_text *remove, size_t remove_count, struct lf_named_list **ret_list,
                    struct lf_error *error)
{
    struct lf_arena *scratch = lf_arena_create(4096, BYTES_MAX);
    struct lf_named_list *changed = NULL;
    struct change change;
    size_t most = list->base->set.count / 4;

    if (scratch != NULL && set_of(&change.gone, scratch, remove, remove_count) &&
        set_of(&change.come, scratch, add, add_count) && lay_over(&change, scratch, list)) {
        size_t changes = change.added.count + change.removed.count;

        changed = changes > (most > OVERLAY_MIN ? most : OVERLAY_MIN) ? rebuild(list, revision, &change)
                                                                      : overlay(list, revision, &change);
    }
    lf_arena_destroy(scratch);
    if (changed == NULL)
        return out_of_memory(error, list->key);
    *ret_list = changed;
    return LF_OK;
}

/* ---- use ---- */

bool
lf_named_list_has(const struct lf_named_list *list, struct lf_text folded)
{
    return lf_text_set_has(&list->base->set, folded) ? !lf_text_set_has(&list->removed, folded)
                                                     : lf_text_set_has(&list->added, folded);
}

struct lf_named_list *
lf_named_list_share(struct lf_named_list *list)
{
    (void)atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    return list;
}

void
lf_named_list_destroy(struct lf_named_list *list)
{
    if (list == NULL || atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel) != 1)
        return;
    base_destroy(list->base);
    lf_arena_destroy(list->arena);
}
