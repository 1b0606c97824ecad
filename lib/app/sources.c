/*
 * sources.c - the sources in memory: which there are, who holds one, and what was refused of theirs lately. See
 * sources.h; how a source is read is source_document.c's, and how it changes editing_sources.c's.
 *
 * One mutex guards it all. It is held for a look at no more than LF_SOURCES_MAX keys, or the copying of one's refusals.
 */
#include "app/refusals.h"
#include "app/source_parts.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_CHUNK = 1 << 16, SCRATCH_MAX = 1 << 30 };

/* A place of the registry: the source of a key, whichever it is now. */
struct slot {
    struct lf_held_source *held;
    struct lf_refusals *refusals; /* NULL: nothing was refused */
    uint64_t seen, noted;         /* refusals since the start, and how many of them the store has */
};

struct lf_sources {
    pthread_mutex_t lock;
    struct slot slots[LF_SOURCES_MAX]; /* by key, ascending */
    size_t count;
};

static void
lock(struct lf_sources *sources)
{
    (void)pthread_mutex_lock(&sources->lock); /* cannot fail: it is no recursive one, and ours */
}

static void
unlock(struct lf_sources *sources)
{
    (void)pthread_mutex_unlock(&sources->lock);
}

/* ---- who holds it ---- */

/* The place of that key, or where it would be. Locked. */
static size_t
place_of(const struct lf_sources *sources, const char *key, bool *ret_found)
{
    size_t low = 0, high = sources->count;

    *ret_found = false;
    while (low < high && !*ret_found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(sources->slots[middle].held->source.key, key);

        *ret_found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

/* The place of the source in that row; NULL: it is gone. Locked. */
static struct slot *
slot_of(struct lf_sources *sources, int64_t id)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->slots[i].held->source.id == id)
            return &sources->slots[i];
    return NULL;
}

/* One holder less; what is to be freed, once the lock is given back. Locked. */
static struct lf_source *
let_go(struct lf_held_source *held)
{
    assert(held->holders > 0);
    return --held->holders == 0 ? &held->source : NULL;
}

const struct lf_source *
lf_sources_hold(struct lf_sources *sources, const char *key)
{
    struct lf_held_source *held = NULL;
    bool found = false;
    size_t at = 0;

    lock(sources);
    at = place_of(sources, key, &found);
    if (found) {
        held = sources->slots[at].held;
        held->holders++;
    }
    unlock(sources);
    return held != NULL ? &held->source : NULL;
}

void
lf_sources_release(struct lf_sources *sources, const struct lf_source *source)
{
    struct lf_source *last = NULL;

    if (source == NULL)
        return;
    lock(sources);
    last = let_go(lf_held_source(source));
    unlock(sources);
    lf_source_destroy(last);
}

bool
lf_sources_keys(struct lf_sources *sources, struct lf_arena *arena, const char *const **ret_keys, size_t *ret_count)
{
    const char **keys = lf_arena_calloc(arena, LF_SOURCES_MAX, sizeof *keys);
    size_t count = 0;
    bool fine = keys != NULL;

    if (!fine)
        return false;
    lock(sources);
    for (; fine && count < sources->count; count++) {
        const char *key = sources->slots[count].held->source.key;

        keys[count] = lf_arena_copy(arena, key, strlen(key));
        fine = keys[count] != NULL;
    }
    unlock(sources);
    if (!fine)
        return false;
    *ret_keys = keys;
    *ret_count = count;
    return true;
}

void
lf_sources_put_take(struct lf_sources *sources, struct lf_source *source)
{
    struct lf_held_source *held = lf_held_source(source);
    struct lf_source *last = NULL;
    bool found = false;
    size_t at = 0;

    held->holders = 2; /* the registry and the caller */
    lock(sources);
    at = place_of(sources, source->key, &found);
    if (found) {
        last = let_go(sources->slots[at].held);
        sources->slots[at].held = held;
    } else {
        assert(sources->count < LF_SOURCES_MAX);
        memmove(&sources->slots[at + 1], &sources->slots[at], (sources->count - at) * sizeof sources->slots[0]);
        sources->slots[at] = (struct slot){.held = held};
        sources->count++;
    }
    unlock(sources);
    lf_source_destroy(last);
}

void
lf_sources_remove(struct lf_sources *sources, const char *key)
{
    struct lf_source *last = NULL;
    struct lf_refusals *refusals = NULL;
    bool found = false;
    size_t at = 0;

    lock(sources);
    at = place_of(sources, key, &found);
    if (found) {
        last = let_go(sources->slots[at].held);
        refusals = sources->slots[at].refusals;
        sources->count--;
        memmove(&sources->slots[at], &sources->slots[at + 1], (sources->count - at) * sizeof sources->slots[0]);
    }
    unlock(sources);
    lf_source_destroy(last);
    free(refusals);
}

/* ---- refusals ---- */

/* The slot's refusals, made where there are none; NULL: out of memory. Locked. */
static struct lf_refusals *
refusals_of(struct slot *slot)
{
    if (slot->refusals == NULL)
        slot->refusals = calloc(1, sizeof *slot->refusals);
    return slot->refusals;
}

void
lf_sources_refuse(struct lf_sources *sources, const struct lf_source *source, const struct lf_stored_refusal *refusal)
{
    struct slot *slot = NULL;
    struct lf_refusals *refusals = NULL;

    lock(sources);
    slot = slot_of(sources, source->id);
    refusals = slot != NULL ? refusals_of(slot) : NULL;
    if (refusals != NULL) {
        lf_refusals_add(refusals, refusal);
        slot->seen++;
    }
    unlock(sources);
}

void
lf_sources_refuse_error(struct lf_sources *sources, const struct lf_source *source, const struct lf_error *error,
                        int http_status, int64_t at_ms, const char *request_id, size_t bytes)
{
    char pointer[LF_POINTER_MAX];

    lf_refusal_pointer(error, pointer);
    lf_sources_refuse(sources, source,
                      &(struct lf_stored_refusal){.at_ms = at_ms,
                                                  .request_id = request_id,
                                                  .code = lf_status_word(error->status),
                                                  .pointer = pointer,
                                                  .detail = lf_refusal_detail(error),
                                                  .status = http_status,
                                                  .bytes = bytes});
}

bool
lf_sources_refused(struct lf_sources *sources, const struct lf_source *source, struct lf_arena *arena,
                   struct lf_stored_refusal **ret_refusals, size_t *ret_count)
{
    struct lf_stored_refusal *refusals = lf_arena_calloc(arena, LF_REFUSALS_KEPT, sizeof *refusals);
    struct slot *slot = NULL;
    size_t count = 0;
    bool fine = refusals != NULL;

    if (!fine)
        return false;
    lock(sources);
    slot = slot_of(sources, source->id);
    if (slot != NULL && slot->refusals != NULL)
        fine = lf_refusals_copy(slot->refusals, arena, refusals, &count);
    unlock(sources);
    if (!fine)
        return false;
    *ret_refusals = refusals;
    *ret_count = count;
    return true;
}

/* ---- noting them ---- */

/* What is written of one source. */
struct note {
    int64_t id;
    struct lf_refusals refusals;
    uint64_t seen;
};

static enum lf_status
write_note(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct note *note = argument;
    struct lf_stored_refusal refusals[LF_REFUSALS_KEPT];
    size_t count = lf_refusals_show(&note->refusals, refusals);

    return lf_store_put_refusals(store, note->id, refusals, count, error);
}

/* The rows of those that were refused anything since it was noted last. */
static size_t
list_unnoted(struct lf_sources *sources, int64_t ret_ids[LF_SOURCES_MAX])
{
    size_t count = 0;

    lock(sources);
    for (size_t i = 0; i < sources->count; i++)
        if (sources->slots[i].seen != sources->slots[i].noted)
            ret_ids[count++] = sources->slots[i].held->source.id;
    unlock(sources);
    return count;
}

/* Copies what is to be noted; false: the source is gone. */
static bool
take_note(struct lf_sources *sources, int64_t id, struct note *note)
{
    const struct slot *slot = NULL;

    lock(sources);
    slot = slot_of(sources, id);
    if (slot != NULL) {
        note->id = id;
        note->refusals = *slot->refusals; /* there is one: something was refused */
        note->seen = slot->seen;
    }
    unlock(sources);
    return slot != NULL;
}

static void
mark_noted(struct lf_sources *sources, const struct note *note)
{
    struct slot *slot = NULL;

    lock(sources);
    slot = slot_of(sources, note->id);
    if (slot != NULL)
        slot->noted = note->seen;
    unlock(sources);
}

enum lf_status
lf_sources_note(struct lf_sources *sources, struct lf_recorder *recorder, struct lf_error *error)
{
    int64_t ids[LF_SOURCES_MAX];
    size_t count = list_unnoted(sources, ids);
    struct note *note = NULL;
    enum lf_status status = LF_OK;

    if (count == 0)
        return LF_OK;
    note = malloc(sizeof *note);
    if (note == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while noting refused deliveries");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        if (!take_note(sources, ids[i], note))
            continue;
        status = lf_recorder_run(recorder, write_note, note, error);
        if (status == LF_OK)
            mark_noted(sources, note);
    }
    free(note);
    return status;
}

/* ---- life ---- */

static enum lf_status
load_refusals(struct lf_store_reader *reader, struct lf_arena *scratch, struct slot *slot, struct lf_error *error)
{
    const struct lf_source *source = &slot->held->source;
    struct lf_stored_refusal *refusals = NULL;
    size_t count = 0;
    enum lf_status status = lf_store_refusals(reader, scratch, source->id, &refusals, &count, error);

    if (status != LF_OK || count == 0)
        return status;
    if (refusals_of(slot) == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading refused deliveries");
    for (size_t i = count; i > 0; i--)
        lf_refusals_add(slot->refusals, &refusals[i - 1]);
    return LF_OK;
}

/* The sources come by key, as they stand in the registry. */
static enum lf_status
load(struct lf_sources *sources, struct lf_store_reader *reader, struct lf_arena *scratch,
     const struct lf_stored_source *stored, size_t count, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t i = 0; status == LF_OK && i < count; i++) {
        struct lf_source *source = NULL;

        if (sources->count == LF_SOURCES_MAX)
            return lf_fail(error, LF_STORAGE_CORRUPT, "the database has more than %d sources", LF_SOURCES_MAX);
        status = lf_source_create(&stored[i], &source, error);
        if (status != LF_OK)
            break;
        lf_held_source(source)->holders = 1;
        sources->slots[sources->count] = (struct slot){.held = lf_held_source(source)};
        status = load_refusals(reader, scratch, &sources->slots[sources->count++], error);
    }
    return status;
}

static void
wipe(const struct lf_stored_source *stored, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < stored[i].secret_count; s++)
            explicit_bzero((void *)(uintptr_t)stored[i].secrets[s].value, stored[i].secrets[s].len);
}

enum lf_status
lf_sources_load(struct lf_store_reader *reader, struct lf_sources **ret_sources, struct lf_error *error)
{
    struct lf_sources *sources = calloc(1, sizeof *sources);
    struct lf_arena *scratch = lf_arena_create(SCRATCH_CHUNK, SCRATCH_MAX);
    struct lf_stored_source *stored = NULL;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (sources == NULL || scratch == NULL) {
        lf_arena_destroy(scratch);
        free(sources);
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading sources");
    }
    (void)pthread_mutex_init(&sources->lock, NULL); /* cannot fail with default attributes */
    status = lf_store_sources(reader, scratch, &stored, &count, error);
    if (status == LF_OK)
        status = load(sources, reader, scratch, stored, count, error);
    wipe(stored, count);
    lf_arena_destroy(scratch);
    if (status != LF_OK) {
        lf_sources_destroy(sources);
        return status;
    }
    *ret_sources = sources;
    return LF_OK;
}

void
lf_sources_destroy(struct lf_sources *sources)
{
    if (sources == NULL)
        return;
    for (size_t i = 0; i < sources->count; i++) {
        assert(sources->slots[i].held->holders == 1);
        lf_source_destroy(&sources->slots[i].held->source);
        free(sources->slots[i].refusals);
    }
    (void)pthread_mutex_destroy(&sources->lock);
    free(sources);
}
