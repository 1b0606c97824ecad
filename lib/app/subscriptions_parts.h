/*
 * subscriptions_parts.h - what the registry of subscriptions is made of: for subscriptions.c and subscriptions_outbox.c
 * alone.
 *
 * What changes the registry runs on the recorder's thread, so there it may be read without the lock; all others take
 * the lock, and so does every change.
 */
#ifndef LF_APP_SUBSCRIPTIONS_PARTS_H
#define LF_APP_SUBSCRIPTIONS_PARTS_H

#include "app/subscriptions.h"
#include "base/arena.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_subscription_entry {
    struct lf_subscription item; /* first: what is held */
    struct lf_arena *arena;
    size_t holders; /* guarded by the lock; the registry is one */
    int64_t limit;  /* of what may wait; on the recorder's thread */
};

struct lf_subscriptions {
    int64_t outbox_max;
    _Atomic uint32_t wanted;
    bool full; /* one may be: lf_subscriptions_tend looks; on the recorder's thread */

    pthread_mutex_t lock;
    struct lf_subscription_entry *items[LF_SUBSCRIPTIONS_MAX]; /* by key */
    size_t count;

    pthread_mutex_t waker; /* held while somebody is woken */
    void (*wake)(void *context);
    void *wake_context;
};

/* The subscription of that id; NULL: there is none. On the recorder's thread, or under the lock. */
struct lf_subscription_entry *lf_subscriptions_find(const struct lf_subscriptions *subscriptions, int64_t id);

/* Looks anew which events anybody gathers. Under the lock, or before there is anybody else. */
void lf_subscriptions_find_wanted(struct lf_subscriptions *subscriptions);

/* Takes what waits for one from the store; what cannot be read stays as it was counted. On the recorder's thread. */
enum lf_status
lf_subscriptions_recount(struct lf_store *store, struct lf_subscription_entry *entry, struct lf_error *error);

#endif
