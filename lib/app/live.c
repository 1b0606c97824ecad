/* live.c - see live.h. */
#include "app/live.h"

#include <stdlib.h>
#include <string.h>

#define POINTER_BITS 48
#define POINTER_MASK ((UINT64_C(1) << POINTER_BITS) - 1)
#define ONE_READER (UINT64_C(1) << POINTER_BITS)

static struct lf_live_set *
set_of(uint64_t word)
{
    return (struct lf_live_set *)(uintptr_t)(word & POINTER_MASK);
}

static void
destroy_set(struct lf_live_set *set)
{
    lf_profiles_destroy(set->profiles);
    free(set);
}

/* Moves the readers counted in the word into the set's own count; the last one out frees it. */
static void
retire(uint64_t word)
{
    struct lf_live_set *set = set_of(word);
    long readers = (long)(word >> POINTER_BITS);

    if (set != NULL && atomic_fetch_add(&set->readers, readers) + readers == 0)
        destroy_set(set);
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

enum lf_status
lf_live_replace(struct lf_live *live, struct lf_profiles *profiles, struct lf_error *error)
{
    struct lf_live_set *set = malloc(sizeof *set);

    if (set == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while putting ICPs in place");
    set->profiles = profiles;
    atomic_init(&set->readers, 0);
    retire(atomic_exchange(&live->current, (uint64_t)(uintptr_t)set));
    return LF_OK;
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
        destroy_set(set);
}

/* ---- loading ---- */

static enum lf_status
load_lists(struct lf_store_reader *reader, struct lf_arena *scratch, struct lf_profiles *profiles,
           struct lf_error *error)
{
    struct lf_stored_list *lists = NULL;
    size_t count = 0;
    enum lf_status status = lf_store_lists(reader, scratch, &lists, &count, error);

    if (status != LF_OK || count == 0)
        return status;
    profiles->lists = lf_arena_calloc(profiles->arena, count, sizeof(struct lf_named_list *));
    if (profiles->lists == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading lists");
    for (size_t i = 0; i < count; i++) {
        status = lf_named_list_create(lists[i].key, lists[i].revision, lists[i].entries, lists[i].count,
                                      &profiles->lists[i], error);
        if (status != LF_OK)
            return status;
        profiles->list_count++;
    }
    return LF_OK;
}

static enum lf_status
load_archived(struct lf_store_reader *reader, struct lf_arena *scratch, struct lf_profiles *profiles,
              struct lf_error *error)
{
    struct lf_stored_icp *icps = NULL;
    size_t count = 0;
    enum lf_status status = lf_store_icps(reader, scratch, &icps, &count, error);

    if (status != LF_OK || count == 0)
        return status;
    profiles->archived = lf_arena_calloc(profiles->arena, count, sizeof *profiles->archived);
    if (profiles->archived == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading ICPs");
    for (size_t i = 0; i < count; i++) {
        if (!icps[i].archived)
            continue;
        profiles->archived[profiles->archived_count] = lf_arena_copy(profiles->arena, icps[i].key, strlen(icps[i].key));
        if (profiles->archived[profiles->archived_count++] == NULL)
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading ICPs");
    }
    return LF_OK;
}

/* A published definition was valid when it was published: one that is not now means a damaged database. */
static enum lf_status
add_versions(const struct lf_stored_version *versions, size_t count, struct lf_profiles *profiles,
             struct lf_error *error)
{
    for (size_t i = 0; i < count; i++) {
        enum lf_status status = lf_profiles_add(profiles, versions[i].document, versions[i].document_len,
                                                versions[i].id, versions[i].version, NULL, error);
        if (status == LF_OUT_OF_MEMORY)
            return status;
        if (status != LF_OK)
            return lf_fail(error, LF_STORAGE_CORRUPT,
                           "version %d of the ICP %s cannot be read: its definition is damaged", versions[i].version,
                           versions[i].icp);
        if (memcmp(profiles->items[profiles->count - 1].icp->hash, versions[i].hash, LF_SHA256_SIZE) != 0)
            return lf_fail(error, LF_STORAGE_CORRUPT,
                           "version %d of the ICP %s is not what was published: its hash differs", versions[i].version,
                           versions[i].icp);
    }
    return LF_OK;
}

enum lf_status
lf_live_load(struct lf_store_reader *reader, struct lf_profiles **ret_profiles, struct lf_error *error)
{
    struct lf_arena *scratch = lf_arena_create(65536, (size_t)4 << 30);
    struct lf_profiles *profiles = NULL;
    struct lf_stored_version *versions = NULL;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (scratch == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading ICPs");
    status = lf_store_active_versions(reader, scratch, &versions, &count, error);
    if (status == LF_OK)
        status = lf_profiles_create(count, &profiles, error);
    if (status == LF_OK)
        status = load_lists(reader, scratch, profiles, error);
    if (status == LF_OK)
        status = load_archived(reader, scratch, profiles, error);
    if (status == LF_OK)
        status = add_versions(versions, count, profiles, error);
    if (status == LF_OK)
        status = lf_profiles_compile(profiles, NULL, error);
    lf_arena_destroy(scratch);
    if (status != LF_OK) {
        lf_profiles_destroy(profiles);
        return status;
    }
    *ret_profiles = profiles;
    return LF_OK;
}
