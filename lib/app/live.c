/* live.c - see live.h. */
#include "app/live.h"

#include "base/buf.h"

#include <stdbool.h>
#include <string.h>

#define POINTER_BITS 48
#define POINTER_MASK ((UINT64_C(1) << POINTER_BITS) - 1)
#define ONE_READER (UINT64_C(1) << POINTER_BITS)

static struct lf_live_set *
set_of(uint64_t word)
{
    return (struct lf_live_set *)(uintptr_t)(word & POINTER_MASK);
}

/* Moves the readers counted in the word into the set's own count; the last one out frees it. */
static void
retire(uint64_t word)
{
    struct lf_live_set *set = set_of(word);
    long readers = (long)(word >> POINTER_BITS);

    if (set != NULL && atomic_fetch_add(&set->readers, readers) + readers == 0)
        lf_profiles_destroy(set->profiles);
}

void
lf_live_init(struct lf_live *live)
{
    atomic_init(&live->current, 0);
}

void
lf_live_finish(struct lf_live *live)
{
    retire(atomic_exchange(&live->current, 0));
}

void
lf_live_replace(struct lf_live *live, struct lf_profiles *profiles)
{
    retire(atomic_exchange(&live->current, (uint64_t)(uintptr_t)&profiles->live));
}

struct lf_live_set *
lf_live_acquire(struct lf_live *live)
{
    uint64_t word = atomic_fetch_add(&live->current, ONE_READER);

    if (set_of(word) != NULL)
        return set_of(word);
    /* Take the reader off the empty word again, unless a first set has taken the word's place meanwhile. */
    word = atomic_load(&live->current);
    while (set_of(word) == NULL && word >= ONE_READER)
        if (atomic_compare_exchange_weak(&live->current, &word, word - ONE_READER))
            break;
    return NULL;
}

void
lf_live_release(struct lf_live *live, struct lf_live_set *set)
{
    uint64_t word = 0;

    if (set == NULL)
        return;
    word = atomic_load(&live->current);
    while (set_of(word) == set)
        if (atomic_compare_exchange_weak(&live->current, &word, word - ONE_READER))
            return;
    if (atomic_fetch_sub(&set->readers, 1) - 1 == 0)
        lf_profiles_destroy(set->profiles);
}

/* ---- loading ---- */

/* A set on its way from the store: as it is, or as it will be after a change. */
struct loading {
    struct lf_store_reader *reader;
    const struct lf_profiles *base;      /* whose lists are shared; NULL: none are */
    const struct lf_live_change *change; /* not NULL */
    struct lf_arena *scratch;
    struct lf_profiles *profiles;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading ICPs");
}

/* The folded entries of a list, one behind the other, each after its length: the store hands them out, the list wants
 * to fetch them. */
struct gathered {
    struct lf_buf bytes;
    size_t at, count;
};

static enum lf_status
gather(void *context, const struct lf_list_entry *entry)
{
    struct gathered *gathered = context;

    lf_buf_add(&gathered->bytes, &entry->folded_len, sizeof entry->folded_len);
    lf_buf_add(&gathered->bytes, entry->folded, entry->folded_len);
    gathered->count++;
    return lf_buf_failed(&gathered->bytes) ? LF_OUT_OF_MEMORY : LF_OK;
}

static bool
next_gathered(void *context, struct lf_text *ret_folded)
{
    struct gathered *gathered = context;

    if (gathered->at == gathered->bytes.len)
        return false;
    memcpy(&ret_folded->len, gathered->bytes.data + gathered->at, sizeof ret_folded->len);
    gathered->at += sizeof ret_folded->len;
    ret_folded->bytes = gathered->bytes.data + gathered->at;
    gathered->at += ret_folded->len;
    return true;
}

static enum lf_status
load_list(struct loading *loading, const struct lf_stored_list *stored, struct lf_named_list **ret_list,
          struct lf_error *error)
{
    struct gathered gathered = {.count = 0};
    enum lf_status status = LF_OK;

    lf_buf_init(&gathered.bytes, NULL, (size_t)4 << 30);
    status = lf_store_each_list_entry(loading->reader, stored->generation, gather, &gathered, error);
    if (lf_buf_failed(&gathered.bytes))
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the list %s", stored->key);
    else if (status == LF_OK && gathered.count != stored->count)
        status = lf_fail(error, LF_STORAGE_CORRUPT, "the list %s has %zu entries, and %zu were put", stored->key,
                         gathered.count, stored->count);
    if (status == LF_OK)
        status = lf_named_list_create_folded(stored->key, stored->revision, gathered.count, next_gathered, &gathered,
                                             ret_list, error);
    lf_buf_finish(&gathered.bytes);
    return status;
}

/* The list from the present set where it is the same there; else from the store. */
static enum lf_status
find_or_load_list(struct loading *loading, const struct lf_stored_list *stored, struct lf_named_list **ret_list,
                  struct lf_error *error)
{
    struct lf_named_list *present = loading->base == NULL ? NULL : lf_profiles_find_list(loading->base, stored->key);

    if (present == NULL || present->revision != stored->revision)
        return load_list(loading, stored, ret_list, error);
    *ret_list = lf_named_list_share(present);
    return LF_OK;
}

/* Adds the list that the change brings; there is room for it. */
static void
add_changed_list(struct loading *loading)
{
    struct lf_profiles *profiles = loading->profiles;

    if (loading->change->list != NULL)
        profiles->lists[profiles->list_count++] = lf_named_list_share(loading->change->list);
}

static enum lf_status
load_lists(struct loading *loading, struct lf_error *error)
{
    struct lf_profiles *profiles = loading->profiles;
    const char *changed = loading->change->list_key;
    struct lf_stored_list *stored = NULL;
    size_t count = 0;
    enum lf_status status = lf_store_lists(loading->reader, loading->scratch, &stored, &count, error);

    if (status != LF_OK)
        return status;
    profiles->lists = lf_arena_calloc(profiles->arena, count + 1, sizeof(struct lf_named_list *));
    if (profiles->lists == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++) {
        int order = changed == NULL ? 1 : strcmp(changed, stored[i].key);

        if (order <= 0) {
            add_changed_list(loading);
            changed = NULL;
            if (order == 0)
                continue;
        }
        status = find_or_load_list(loading, &stored[i], &profiles->lists[profiles->list_count], error);
        if (status != LF_OK)
            return status;
        profiles->list_count++;
    }
    if (changed != NULL)
        add_changed_list(loading);
    return LF_OK;
}

static enum lf_status
load_archived(struct loading *loading, struct lf_error *error)
{
    struct lf_profiles *profiles = loading->profiles;
    const struct lf_live_change *change = loading->change;
    struct lf_stored_icp *icps = NULL;
    size_t count = 0;
    enum lf_status status = lf_store_icps(loading->reader, loading->scratch, &icps, &count, error);

    if (status != LF_OK)
        return status;
    profiles->archived = lf_arena_calloc(profiles->arena, count, sizeof *profiles->archived);
    if (profiles->archived == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++) {
        bool archived = icps[i].state == LF_ICP_STATE_ARCHIVED;

        if (change->icp != NULL && strcmp(change->icp, icps[i].key) == 0)
            archived = change->version == NULL && change->archived;
        if (!archived)
            continue;
        profiles->archived[profiles->archived_count] = lf_arena_copy(profiles->arena, icps[i].key, strlen(icps[i].key));
        if (profiles->archived[profiles->archived_count++] == NULL)
            return out_of_memory(error);
    }
    return LF_OK;
}

/* A published definition was valid when it was published: one that is not now means a damaged database. */
static enum lf_status
add_version(struct lf_profiles *profiles, const struct lf_stored_version *version, struct lf_error *error)
{
    enum lf_status status =
        lf_profiles_add(profiles, version->document, version->document_len, version->id, version->version, NULL, error);
    if (status == LF_OUT_OF_MEMORY)
        return status;
    if (status != LF_OK)
        return lf_fail(error, LF_STORAGE_CORRUPT, "version %d of the ICP %s cannot be read: its definition is damaged",
                       version->version, version->icp);
    if (memcmp(profiles->items[profiles->count - 1].icp->hash, version->hash, LF_SHA256_SIZE) != 0)
        return lf_fail(error, LF_STORAGE_CORRUPT,
                       "version %d of the ICP %s is not what was published: its hash differs", version->version,
                       version->icp);
    return LF_OK;
}

/* Adds the active versions by key, that of the change in its place. */
static enum lf_status
add_versions(struct loading *loading, const struct lf_stored_version *versions, size_t count, struct lf_error *error)
{
    const struct lf_live_change *change = loading->change;
    const struct lf_stored_version *changed = change->icp == NULL ? NULL : change->version;
    enum lf_status status = LF_OK;

    for (size_t i = 0; status == LF_OK && i < count; i++) {
        int order = change->icp == NULL ? 1 : strcmp(change->icp, versions[i].icp);

        if (order <= 0 && changed != NULL) {
            status = add_version(loading->profiles, changed, error);
            changed = NULL;
        }
        if (order != 0 && status == LF_OK)
            status = add_version(loading->profiles, &versions[i], error);
    }
    if (status == LF_OK && changed != NULL)
        status = add_version(loading->profiles, changed, error);
    return status;
}

static enum lf_status
load(struct lf_store_reader *reader, const struct lf_privacy *privacy, const struct lf_profiles *base,
     const struct lf_live_change *change, struct lf_profiles **ret_profiles, struct lf_error *error)
{
    struct loading loading = {
        .reader = reader, .base = base, .change = change, .scratch = lf_arena_create(65536, (size_t)4 << 30)};
    struct lf_stored_version *versions = NULL;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (loading.scratch == NULL)
        return out_of_memory(error);
    status = lf_store_active_versions(reader, loading.scratch, &versions, &count, error);
    if (status == LF_OK)
        status = lf_profiles_create(count + 1, &loading.profiles, error);
    if (status == LF_OK)
        status = load_lists(&loading, error);
    if (status == LF_OK)
        status = load_archived(&loading, error);
    if (status == LF_OK)
        status = add_versions(&loading, versions, count, error);
    if (status == LF_OK)
        status = lf_profiles_compile(loading.profiles, NULL, error);
    lf_arena_destroy(loading.scratch);
    if (status != LF_OK) {
        lf_profiles_destroy(loading.profiles);
        return status;
    }
    if (privacy != NULL)
        lf_program_withhold(loading.profiles->program, privacy);
    *ret_profiles = loading.profiles;
    return LF_OK;
}

enum lf_status
lf_live_load(struct lf_store_reader *reader, const struct lf_privacy *privacy, struct lf_profiles **ret_profiles,
             struct lf_error *error)
{
    const struct lf_live_change none = {.icp = NULL};

    return load(reader, privacy, NULL, &none, ret_profiles, error);
}

enum lf_status
lf_live_prepare(struct lf_store_reader *reader, const struct lf_privacy *privacy, const struct lf_profiles *base,
                const struct lf_live_change *change, struct lf_profiles **ret_profiles, struct lf_error *error)
{
    return load(reader, privacy, base, change, ret_profiles, error);
}
