/* subscriptions.c - the registry: subscriptions are loaded, held, put in place, removed; who is woken. What waits for
 * them: subscriptions_outbox.c. See subscriptions.h. */
#include "app/subscriptions_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 1024,
    ENTRY_MAX = 1 << 20, /* of one subscription: far above what its texts can take */
    LOAD_CHUNK = 1 << 14,
    LOAD_MAX = 64 << 20,
};

/* ---- one subscription ---- */

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while keeping a subscription");
}

static void
destroy_entry(struct lf_subscription_entry *entry)
{
    if (entry == NULL)
        return;
    if (entry->item.secret != NULL)
        explicit_bzero((void *)(uintptr_t)entry->item.secret, entry->item.secret_len);
    lf_arena_destroy(entry->arena);
    free(entry);
}

/* The names in a JSON array. */
static enum lf_status
read_grades(struct lf_subscription_entry *entry, const char *text, struct lf_error *error)
{
    const struct lf_json *array = NULL;
    const char **grades = NULL;
    size_t count = 0, len = 0;
    struct lf_error found;
    enum lf_status status = lf_json_parse(entry->arena, text, strlen(text), &LF_JSON_LEAD_LIMITS, &array, &found);

    if (status == LF_OUT_OF_MEMORY)
        return out_of_memory(error);
    if (status != LF_OK || lf_json_kind(array) != LF_JSON_ARRAY || lf_json_count(array) > LF_SUBSCRIPTION_GRADES_MAX)
        return lf_fail(error, LF_STORAGE_CORRUPT, "the grades of a subscription are no list of names");
    grades = lf_arena_calloc(entry->arena, LF_SUBSCRIPTION_GRADES_MAX, sizeof *grades);
    if (grades == NULL)
        return out_of_memory(error);
    for (const struct lf_json *one = lf_json_first(array); one != NULL; one = lf_json_next(one))
        if ((grades[count++] = lf_json_text(one, &len)) == NULL)
            return lf_fail(error, LF_STORAGE_CORRUPT, "the grades of a subscription are no list of names");
    entry->item.grades = grades;
    entry->item.grade_count = count;
    return LF_OK;
}

static bool
copy(struct lf_subscription_entry *entry, const char *text, const char **ret_copy)
{
    *ret_copy = lf_arena_copy(entry->arena, text, strlen(text));
    return *ret_copy != NULL;
}

static enum lf_status
fill_entry(struct lf_subscription_entry *entry, const struct lf_stored_subscription *stored, struct lf_error *error)
{
    struct lf_subscription *item = &entry->item;

    item->id = stored->id;
    item->events = stored->events;
    item->created_at_ms = stored->created_at_ms;
    item->updated_at_ms = stored->updated_at_ms;
    item->secret_len = stored->secret_len;
    item->secret = lf_arena_copy(entry->arena, stored->secret, stored->secret_len);
    if (item->secret == NULL || !copy(entry, stored->key, &item->key) || !copy(entry, stored->url, &item->url) ||
        !copy(entry, stored->icp, &item->icp))
        return out_of_memory(error);
    atomic_init(&item->state, (int)stored->state);
    atomic_init(&item->failing_since_ms, stored->failing_since_ms);
    atomic_init(&item->delivered_at_ms, stored->delivered_at_ms);
    return read_grades(entry, stored->grades, error);
}

/* Held once, for whoever made it. */
static enum lf_status
create_entry(const struct lf_stored_subscription *stored, struct lf_subscription_entry **ret_entry,
             struct lf_error *error)
{
    struct lf_subscription_entry *entry = calloc(1, sizeof *entry);
    enum lf_status status = LF_OK;

    if (entry == NULL || (entry->arena = lf_arena_create(CHUNK, ENTRY_MAX)) == NULL) {
        free(entry);
        return out_of_memory(error);
    }
    entry->holders = 1;
    status = fill_entry(entry, stored, error);
    if (status != LF_OK)
        destroy_entry(entry);
    else
        *ret_entry = entry;
    return status;
}

/* ---- the registry ---- */

/* What may wait for a subscription from now on: one for which too much waits already, and which was started again, may
 * gather a little more, until it is put again or the service starts. */
static int64_t
limit_of(const struct lf_subscriptions *subscriptions, int64_t waiting)
{
    int64_t max = subscriptions->outbox_max;

    return waiting < max ? max : waiting + max / 10 + 1;
}

static enum lf_status
load_entry(struct lf_subscriptions *subscriptions, struct lf_store_reader *reader,
           const struct lf_stored_subscription *stored, struct lf_error *error)
{
    struct lf_subscription_entry *entry = NULL;
    int64_t waiting = 0, oldest_ms = 0;
    enum lf_status status = create_entry(stored, &entry, error);

    if (status != LF_OK)
        return status;
    status = lf_store_outbox(reader, stored->id, &waiting, &oldest_ms, error);
    atomic_init(&entry->item.waiting, waiting);
    entry->limit = limit_of(subscriptions, waiting);
    subscriptions->items[subscriptions->count++] = entry;
    return status;
}

void
lf_subscriptions_find_wanted(struct lf_subscriptions *subscriptions)
{
    uint32_t wanted = 0;

    for (size_t i = 0; i < subscriptions->count; i++)
        if (atomic_load(&subscriptions->items[i]->item.state) != LF_SUBSCRIPTION_DISABLED)
            wanted |= subscriptions->items[i]->item.events;
    atomic_store(&subscriptions->wanted, wanted);
}

enum lf_status
lf_subscriptions_load(struct lf_store_reader *reader, int64_t outbox_max, struct lf_subscriptions **ret_subscriptions,
                      struct lf_error *error)
{
    struct lf_subscriptions *subscriptions = calloc(1, sizeof *subscriptions);
    struct lf_arena *arena = lf_arena_create(LOAD_CHUNK, LOAD_MAX);
    struct lf_stored_subscription *stored = NULL;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (subscriptions == NULL || arena == NULL) {
        free(subscriptions);
        lf_arena_destroy(arena);
        return out_of_memory(error);
    }
    subscriptions->outbox_max = outbox_max;
    (void)pthread_mutex_init(&subscriptions->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_mutex_init(&subscriptions->waker, NULL);
    status = lf_store_subscriptions(reader, arena, &stored, &count, error);
    if (status == LF_OK && count > LF_SUBSCRIPTIONS_MAX)
        status = lf_fail(error, LF_STORAGE_CORRUPT, "the database has %zu subscriptions, but %d are the most there are",
                         count, LF_SUBSCRIPTIONS_MAX);
    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = load_entry(subscriptions, reader, &stored[i], error);
    lf_arena_destroy(arena);
    if (status != LF_OK) {
        lf_subscriptions_destroy(subscriptions);
        return status;
    }
    lf_subscriptions_find_wanted(subscriptions);
    *ret_subscriptions = subscriptions;
    return LF_OK;
}

void
lf_subscriptions_destroy(struct lf_subscriptions *subscriptions)
{
    if (subscriptions == NULL)
        return;
    for (size_t i = 0; i < subscriptions->count; i++)
        destroy_entry(subscriptions->items[i]);
    (void)pthread_mutex_destroy(&subscriptions->lock);
    (void)pthread_mutex_destroy(&subscriptions->waker);
    free(subscriptions);
}

int64_t
lf_subscriptions_outbox_max(const struct lf_subscriptions *subscriptions)
{
    return subscriptions->outbox_max;
}

uint32_t
lf_subscriptions_wanted(const struct lf_subscriptions *subscriptions)
{
    return atomic_load_explicit(&subscriptions->wanted, memory_order_relaxed);
}

struct lf_subscription_entry *
lf_subscriptions_find(const struct lf_subscriptions *subscriptions, int64_t id)
{
    for (size_t i = 0; i < subscriptions->count; i++)
        if (subscriptions->items[i]->item.id == id)
            return subscriptions->items[i];
    return NULL;
}

/* The place of a key, or where it would stand. */
static size_t
place_of(const struct lf_subscriptions *subscriptions, const char *key)
{
    size_t at = 0;

    while (at < subscriptions->count && strcmp(subscriptions->items[at]->item.key, key) < 0)
        at++;
    return at;
}

static bool
stands_at(const struct lf_subscriptions *subscriptions, size_t at, const char *key)
{
    return at < subscriptions->count && strcmp(subscriptions->items[at]->item.key, key) == 0;
}

int64_t
lf_subscriptions_id(struct lf_subscriptions *subscriptions, const char *key)
{
    int64_t id = 0;
    size_t at = 0;

    (void)pthread_mutex_lock(&subscriptions->lock);
    at = place_of(subscriptions, key);
    if (stands_at(subscriptions, at, key))
        id = subscriptions->items[at]->item.id;
    (void)pthread_mutex_unlock(&subscriptions->lock);
    return id;
}

/* ---- holding ---- */

bool
lf_subscriptions_hold(struct lf_subscriptions *subscriptions, struct lf_arena *arena,
                      struct lf_subscription ***ret_items, size_t *ret_count)
{
    struct lf_subscription **items = NULL;

    (void)pthread_mutex_lock(&subscriptions->lock);
    items = lf_arena_calloc(arena, subscriptions->count, sizeof(struct lf_subscription *));
    for (size_t i = 0; items != NULL && i < subscriptions->count; i++) {
        items[i] = &subscriptions->items[i]->item;
        subscriptions->items[i]->holders++;
    }
    *ret_count = subscriptions->count;
    (void)pthread_mutex_unlock(&subscriptions->lock);
    *ret_items = items;
    return items != NULL;
}

/* Under the lock. */
static void
let_go(struct lf_subscription_entry *entry)
{
    if (--entry->holders == 0)
        destroy_entry(entry);
}

void
lf_subscriptions_release(struct lf_subscriptions *subscriptions, struct lf_subscription **items, size_t count)
{
    (void)pthread_mutex_lock(&subscriptions->lock);
    for (size_t i = 0; i < count; i++)
        let_go((struct lf_subscription_entry *)items[i]);
    (void)pthread_mutex_unlock(&subscriptions->lock);
}

bool
lf_subscription_takes(const struct lf_subscription *subscription, enum lf_event_type type, const char *icp,
                      const char *grade)
{
    if (atomic_load_explicit(&subscription->state, memory_order_relaxed) == LF_SUBSCRIPTION_DISABLED ||
        (subscription->events & 1U << type) == 0 ||
        (subscription->icp[0] != '\0' && strcmp(subscription->icp, icp) != 0))
        return false;
    if (subscription->grade_count == 0 || grade == NULL || grade[0] == '\0')
        return true;
    for (size_t i = 0; i < subscription->grade_count; i++)
        if (strcmp(subscription->grades[i], grade) == 0)
            return true;
    return false;
}

/* ---- waking ---- */

void
lf_subscriptions_set_waker(struct lf_subscriptions *subscriptions, void (*wake)(void *context), void *context)
{
    (void)pthread_mutex_lock(&subscriptions->waker);
    subscriptions->wake = wake;
    subscriptions->wake_context = context;
    (void)pthread_mutex_unlock(&subscriptions->waker);
}

void
lf_subscriptions_wake(struct lf_subscriptions *subscriptions)
{
    (void)pthread_mutex_lock(&subscriptions->waker);
    if (subscriptions->wake != NULL)
        subscriptions->wake(subscriptions->wake_context);
    (void)pthread_mutex_unlock(&subscriptions->waker);
}

/* ---- put and removed ---- */

enum lf_status
lf_subscriptions_prepare(const struct lf_stored_subscription *stored, struct lf_subscription **ret_prepared,
                         struct lf_error *error)
{
    struct lf_subscription_entry *entry = NULL;
    enum lf_status status = create_entry(stored, &entry, error);

    if (status == LF_OK)
        *ret_prepared = &entry->item;
    return status;
}

void
lf_subscriptions_drop(struct lf_subscription *prepared)
{
    destroy_entry((struct lf_subscription_entry *)prepared);
}

/* The counts go on where the old one's are. */
static void
take_counts(struct lf_subscription *item, struct lf_subscription *old)
{
    atomic_store(&item->waiting, atomic_load(&old->waiting));
    atomic_store(&item->delivered, atomic_load(&old->delivered));
    atomic_store(&item->failed_attempts, atomic_load(&old->failed_attempts));
    atomic_store(&item->given_up, atomic_load(&old->given_up));
    atomic_store(&item->delivered_at_ms, atomic_load(&old->delivered_at_ms));
}

void
lf_subscriptions_place(struct lf_subscriptions *subscriptions, struct lf_store *store, struct lf_subscription *prepared,
                       const struct lf_stored_subscription *stored)
{
    struct lf_subscription_entry *entry = (struct lf_subscription_entry *)prepared;
    size_t at = place_of(subscriptions, prepared->key);
    bool there = stands_at(subscriptions, at, prepared->key);

    prepared->id = stored->id;
    prepared->created_at_ms = stored->created_at_ms;
    prepared->updated_at_ms = stored->updated_at_ms;
    if (there)
        take_counts(prepared, &subscriptions->items[at]->item);
    (void)lf_subscriptions_recount(store, entry, NULL);
    entry->limit = limit_of(subscriptions, atomic_load(&prepared->waiting));
    (void)pthread_mutex_lock(&subscriptions->lock);
    if (there) {
        let_go(subscriptions->items[at]);
    } else {
        memmove(&subscriptions->items[at + 1], &subscriptions->items[at],
                (subscriptions->count - at) * sizeof *subscriptions->items);
        subscriptions->count++;
    }
    subscriptions->items[at] = entry;
    lf_subscriptions_find_wanted(subscriptions);
    (void)pthread_mutex_unlock(&subscriptions->lock);
    lf_subscriptions_wake(subscriptions);
}

void
lf_subscriptions_remove(struct lf_subscriptions *subscriptions, const char *key)
{
    size_t at = place_of(subscriptions, key);

    if (!stands_at(subscriptions, at, key))
        return;
    (void)pthread_mutex_lock(&subscriptions->lock);
    let_go(subscriptions->items[at]);
    subscriptions->count--;
    memmove(&subscriptions->items[at], &subscriptions->items[at + 1],
            (subscriptions->count - at) * sizeof *subscriptions->items);
    lf_subscriptions_find_wanted(subscriptions);
    (void)pthread_mutex_unlock(&subscriptions->lock);
    lf_subscriptions_wake(subscriptions);
}
