/*
 * idempotency.c - see idempotency.h.
 *
 * Claims are a hash table under a mutex; a claim is made when its request begins and freed when that gives it up. Who
 * has claimed a key looks into the store with the claim in hand, so that nobody records an answer between the look and
 * the claim. While it looks, whoever else asks for the key looks as well: of an answer that is there already nobody is
 * told that it is in flight, and nobody is told anything by a claim that will come to nothing.
 *
 * Keys. From whose it is (owner), the key, and what is asked (target and body):
 *     root  = HMAC(owner, key)                    name    = HMAC(root, "name")
 *     asked = HMAC(HMAC(root, target), body)      request = HMAC(asked, "request")     seal = HMAC(asked, "seal")
 * Name and request are kept; neither tells anything of a body to whoever does not know owner and key. An answer is
 * sealed under HMAC(seal, salt, time, status), with a salt of its own that stands in front of it: so no key seals two
 * texts, also when a commit fails and the request is done again, or when its answer has expired.
 */
#include "app/idempotency.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,      /* 32 KiB; claims are as many as requests with a key at a time */
    CLAIMS_MAX = 100000, /* far more than connections usually may be: some 12 MB */
    WAITERS_MAX = 10000,
    SALT_SIZE = 16,
    SEALED_EXTRA = SALT_SIZE + LF_SEAL_EXTRA,
};

struct claim {
    struct claim *next;
    uint8_t name[LF_SHA256_SIZE], request[LF_SHA256_SIZE];
    bool looking;                        /* its owner has not yet seen whether there is an answer */
    struct lf_once_waiter *first, *last; /* who waits, in the order in which they came */
};

struct lf_idempotency {
    int64_t keep_ms;
    _Atomic int64_t repeats;
    pthread_mutex_t lock; /* over what follows, and all claims */
    struct claim *buckets[BUCKETS];
    size_t claim_count, waiter_count;
};

/* ---- life ---- */

struct lf_idempotency *
lf_idempotency_create(int64_t keep_ms)
{
    struct lf_idempotency *idempotency = calloc(1, sizeof *idempotency);

    if (idempotency == NULL)
        return NULL;
    idempotency->keep_ms = keep_ms;
    (void)pthread_mutex_init(&idempotency->lock, NULL); /* cannot fail with default attributes on Linux */
    return idempotency;
}

void
lf_idempotency_destroy(struct lf_idempotency *idempotency)
{
    if (idempotency == NULL)
        return;
    assert(idempotency->claim_count == 0);
    (void)pthread_mutex_destroy(&idempotency->lock);
    free(idempotency);
}

int64_t
lf_idempotency_keep_ms(const struct lf_idempotency *idempotency)
{
    return idempotency->keep_ms;
}

int64_t
lf_idempotency_repeats(const struct lf_idempotency *idempotency)
{
    return atomic_load_explicit(&idempotency->repeats, memory_order_relaxed);
}

size_t
lf_idempotency_in_flight(struct lf_idempotency *idempotency)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&idempotency->lock);
    count = idempotency->claim_count;
    (void)pthread_mutex_unlock(&idempotency->lock);
    return count;
}

/* ---- keys ---- */

static bool
mac(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t ret_digest[LF_SHA256_SIZE])
{
    struct lf_hmac_key prepared;

    return lf_hmac_prepare(&prepared, key, key_len) && lf_hmac_sha256(&prepared, bytes, len, ret_digest);
}

static bool
mac_word(const uint8_t key[LF_SHA256_SIZE], const char *word, uint8_t ret_digest[LF_SHA256_SIZE])
{
    return mac(key, LF_SHA256_SIZE, word, strlen(word), ret_digest);
}

bool
lf_once_key_make(const char *owner, const void *key, size_t key_len, const char *target, const void *body,
                 size_t body_len, struct lf_once_key *ret_key)
{
    uint8_t root[LF_SHA256_SIZE], at_target[LF_SHA256_SIZE], asked[LF_SHA256_SIZE];

    return mac(owner, strlen(owner), key, key_len, root) && mac_word(root, "name", ret_key->name) &&
           mac(root, sizeof root, target, strlen(target), at_target) &&
           mac(at_target, sizeof at_target, body, body_len, asked) && mac_word(asked, "request", ret_key->request) &&
           mac_word(asked, "seal", ret_key->seal);
}

/* The key that this one answer is sealed with. What stands in the clear beside it is part of it, so that it cannot be
 * altered either. */
static bool
derive(const uint8_t seal[LF_SEAL_KEY_SIZE], const uint8_t salt[SALT_SIZE], int64_t at_ms, int http_status,
       uint8_t ret_key[LF_SEAL_KEY_SIZE])
{
    uint8_t bytes[SALT_SIZE + 8 + 4], *to = bytes + SALT_SIZE;

    memcpy(bytes, salt, SALT_SIZE);
    for (int shift = 56; shift >= 0; shift -= 8)
        *to++ = (uint8_t)((uint64_t)at_ms >> shift);
    for (int shift = 24; shift >= 0; shift -= 8)
        *to++ = (uint8_t)((unsigned)http_status >> shift);
    return mac(seal, LF_SEAL_KEY_SIZE, bytes, sizeof bytes, ret_key);
}

bool
lf_once_seal(struct lf_arena *arena, const struct lf_once_key *key, int64_t now_ms, const struct lf_once_answer *answer,
             struct lf_stored_answer *ret_stored)
{
    uint8_t *sealed =
        answer->body_len <= SIZE_MAX - SEALED_EXTRA ? lf_arena_alloc(arena, answer->body_len + SEALED_EXTRA) : NULL;
    uint8_t own[LF_SEAL_KEY_SIZE];

    if (sealed == NULL || !lf_random_bytes(sealed, SALT_SIZE) ||
        !derive(key->seal, sealed, now_ms, answer->http_status, own) ||
        !lf_seal(own, answer->body, answer->body_len, sealed + SALT_SIZE))
        return false;
    *ret_stored = (struct lf_stored_answer){
        .at_ms = now_ms,
        .http_status = answer->http_status,
        .sealed = sealed,
        .sealed_len = answer->body_len + SEALED_EXTRA,
    };
    memcpy(ret_stored->name, key->name, sizeof ret_stored->name);
    memcpy(ret_stored->request, key->request, sizeof ret_stored->request);
    return true;
}

/* ---- what was answered before ---- */

static enum lf_status
reused(struct lf_error *error)
{
    return lf_fail(error, LF_KEY_REUSED,
                   "this Idempotency-Key stands for another request: use a new one, or send the same body to the same "
                   "path");
}

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for what was answered before");
}

/* The answer of that name; one that has expired counts as absent. */
static enum lf_status
look(const struct lf_idempotency *idempotency, struct lf_store_reader *reader, struct lf_arena *arena,
     const struct lf_once_key *key, int64_t now_ms, bool *ret_found, struct lf_stored_answer *ret_stored,
     struct lf_error *error)
{
    enum lf_status status = lf_store_answer(reader, arena, key->name, ret_found, ret_stored, error);

    if (status == LF_OK && *ret_found && ret_stored->at_ms <= now_ms - idempotency->keep_ms)
        *ret_found = false;
    return status;
}

static enum lf_status
open_answer(struct lf_arena *arena, const struct lf_once_key *key, const struct lf_stored_answer *stored,
            struct lf_once_answer *ret_answer, struct lf_error *error)
{
    const uint8_t *sealed = stored->sealed;
    uint8_t own[LF_SEAL_KEY_SIZE];
    char *body = NULL;
    bool memory = false;

    if (stored->erased) /* and what was asked is gone, too */
        return lf_fail(error, LF_ERASED, "the lead that this request was about has been erased: its answer is gone");
    if (memcmp(stored->request, key->request, sizeof key->request) != 0)
        return reused(error);
    if (stored->sealed_len < SEALED_EXTRA)
        return lf_fail(error, LF_STORAGE_CORRUPT, "the answer that was kept for this Idempotency-Key is cut short");
    body = lf_arena_alloc(arena, stored->sealed_len - SEALED_EXTRA);
    if (body == NULL || !derive(key->seal, sealed, stored->at_ms, stored->http_status, own))
        return out_of_memory(error);
    if (!lf_unseal(own, sealed + SALT_SIZE, stored->sealed_len - SALT_SIZE, body, &memory))
        return memory ? out_of_memory(error)
                      : lf_fail(error, LF_STORAGE_CORRUPT,
                                "the answer that was kept for this Idempotency-Key is not what it was");
    *ret_answer = (struct lf_once_answer){
        .http_status = stored->http_status,
        .body = body,
        .body_len = stored->sealed_len - SEALED_EXTRA,
    };
    return LF_OK;
}

/* ---- claims ---- */

/* Where the claim of that name hangs, or would. Under the lock. */
static struct claim **
find(struct lf_idempotency *idempotency, const uint8_t name[LF_SHA256_SIZE])
{
    struct claim **at = &idempotency->buckets[(name[0] << 8 | name[1]) % BUCKETS];

    while (*at != NULL && memcmp((*at)->name, name, LF_SHA256_SIZE) != 0)
        at = &(*at)->next;
    return at;
}

/* Under the lock. */
static enum lf_status
add_claim(struct lf_idempotency *idempotency, struct claim **at, const struct lf_once_key *key, struct claim **ret_own,
          struct lf_error *error)
{
    struct claim *claim = NULL;

    if (idempotency->claim_count >= CLAIMS_MAX)
        return lf_fail(error, LF_BUSY, "%zu requests with an Idempotency-Key are under way: try again in a moment",
                       idempotency->claim_count);
    claim = calloc(1, sizeof *claim);
    if (claim == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while claiming an Idempotency-Key");
    memcpy(claim->name, key->name, sizeof claim->name);
    memcpy(claim->request, key->request, sizeof claim->request);
    claim->looking = true;
    *at = claim;
    idempotency->claim_count++;
    *ret_own = claim;
    return LF_OK;
}

/* Under the lock. */
static enum lf_status
add_waiter(struct lf_idempotency *idempotency, struct claim *claim, struct lf_once_waiter *waiter,
           struct lf_error *error)
{
    if (waiter == NULL)
        return LF_OK;
    if (idempotency->waiter_count >= WAITERS_MAX)
        return lf_fail(error, LF_BUSY, "%zu requests wait for others that they repeat: try again in a moment",
                       idempotency->waiter_count);
    waiter->next = NULL;
    if (claim->last == NULL)
        claim->first = waiter;
    else
        claim->last->next = waiter;
    claim->last = waiter;
    idempotency->waiter_count++;
    return LF_OK;
}

enum turn {
    TURN_OURS,   /* the claim is made; now for a look into the store */
    TURN_LOOK,   /* another one looks: so do we, without a claim */
    TURN_FLIGHT, /* another one is at it */
};

/* Claims the key if nobody has. looked: a look without a claim found nothing. */
static enum lf_status
take_turn(struct lf_idempotency *idempotency, const struct lf_once_key *key, bool looked, struct lf_once_waiter *waiter,
          enum turn *ret_turn, struct claim **ret_own, struct lf_error *error)
{
    struct claim **at = NULL;
    enum lf_status status = LF_OK;

    (void)pthread_mutex_lock(&idempotency->lock);
    at = find(idempotency, key->name);
    if (*at == NULL) {
        *ret_turn = TURN_OURS;
        status = add_claim(idempotency, at, key, ret_own, error);
    } else if ((*at)->looking && !looked) {
        *ret_turn = TURN_LOOK;
    } else if (memcmp((*at)->request, key->request, sizeof key->request) != 0) {
        status = reused(error);
    } else {
        *ret_turn = TURN_FLIGHT;
        status = add_waiter(idempotency, *at, waiter, error);
    }
    (void)pthread_mutex_unlock(&idempotency->lock);
    return status;
}

static void
stop_looking(struct lf_idempotency *idempotency, struct claim *own)
{
    (void)pthread_mutex_lock(&idempotency->lock);
    own->looking = false;
    (void)pthread_mutex_unlock(&idempotency->lock);
}

/* The rounds are three at most: after a look without a claim it is in flight, or ours. */
enum lf_status
lf_idempotency_claim(struct lf_idempotency *idempotency, struct lf_store_reader *reader, struct lf_arena *arena,
                     const struct lf_once_key *key, int64_t now_ms, struct lf_once_waiter *waiter,
                     enum lf_once_state *ret_state, struct lf_once_answer *ret_answer, struct lf_error *error)
{
    struct lf_stored_answer stored;
    struct claim *own = NULL;
    enum turn turn = TURN_LOOK;
    enum lf_status status = LF_OK;
    bool found = false;

    for (bool looked = false;; looked = true) {
        status = take_turn(idempotency, key, looked, waiter, &turn, &own, error);
        if (status != LF_OK)
            return status;
        if (turn == TURN_FLIGHT) {
            *ret_state = LF_ONCE_IN_FLIGHT;
            return LF_OK;
        }
        status = look(idempotency, reader, arena, key, now_ms, &found, &stored, error);
        if (status != LF_OK || found)
            break;
        if (turn == TURN_OURS) {
            stop_looking(idempotency, own);
            *ret_state = LF_ONCE_CLAIMED;
            return LF_OK;
        }
    }
    if (turn == TURN_OURS)
        lf_idempotency_release(idempotency, key);
    if (status == LF_OK)
        status = open_answer(arena, key, &stored, ret_answer, error);
    if (status != LF_OK)
        return status;
    atomic_fetch_add_explicit(&idempotency->repeats, 1, memory_order_relaxed);
    *ret_state = LF_ONCE_ANSWERED;
    return LF_OK;
}

void
lf_idempotency_release(struct lf_idempotency *idempotency, const struct lf_once_key *key)
{
    struct claim **at = NULL, *claim = NULL;
    struct lf_once_waiter *waiters = NULL;

    (void)pthread_mutex_lock(&idempotency->lock);
    at = find(idempotency, key->name);
    claim = *at;
    assert(claim != NULL);
    *at = claim->next;
    waiters = claim->first;
    idempotency->claim_count--;
    for (const struct lf_once_waiter *each = waiters; each != NULL; each = each->next)
        idempotency->waiter_count--;
    (void)pthread_mutex_unlock(&idempotency->lock);
    free(claim);
    while (waiters != NULL) {
        struct lf_once_waiter *waiter = waiters;

        waiters = waiter->next; /* once resumed it may be gone */
        waiter->resume(waiter);
    }
}
