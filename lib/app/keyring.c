/*
 * keyring.c - the keys in memory, and who is let in; see keys.h.
 *
 * Keys stand in chunks that never move, in the order in which they came, and are found through a table of their ids
 * (open addressing, as large as it will ever be: its pages are only real once they are used). A key is written whole
 * before the table shows it, and what changes afterwards is atomic: so letting in takes no lock at all. Nothing here
 * reads a clock or writes to the store.
 */
#include "app/keys.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 64,
    CHUNKS = (LF_API_KEYS_MAX + CHUNK - 1) / CHUNK,
    SLOTS = 1 << 18, /* a power of two, more than twice LF_API_KEYS_MAX: most looks find at once */
};

/* The ids are random and ours: whoever asks for others finds free places. */
static const uint64_t SEED[2] = {0x6b657972696e6721u, 0x9d3c5a7f10b2e468u};

struct entry {
    struct lf_stored_key key; /* but for the two times below; its name is the entry's own */
    char *name;
    _Atomic int64_t revoked_at_ms, last_used_at_ms;
    int64_t taken_ms;          /* the last use that was taken; the taker's alone */
    _Atomic int64_t filled_ns; /* a token bucket: monotonic time up to which requests were paid for */
};

struct lf_keyring {
    int64_t cost_ns, burst_ns; /* a request costs 1e9 / rate of the nanoseconds in a bucket; 0: there is no limit */
    struct entry *_Atomic chunks[CHUNKS];
    atomic_size_t count;           /* those that are published */
    _Atomic uint32_t slots[SLOTS]; /* an entry's number + 1; 0: free */
    size_t taken_to;               /* where the taker goes on */
};

static struct entry *
entry_at(const struct lf_keyring *keyring, size_t at)
{
    return &atomic_load_explicit(&keyring->chunks[at / CHUNK], memory_order_acquire)[at % CHUNK];
}

/* The published entry of that id; NULL where there is none. */
static struct entry *
find(const struct lf_keyring *keyring, const char *id)
{
    size_t at = (size_t)lf_text_hash(id, strlen(id), SEED) & (SLOTS - 1);

    for (;; at = (at + 1) & (SLOTS - 1)) {
        uint32_t number = atomic_load_explicit(&keyring->slots[at], memory_order_acquire);
        struct entry *entry = number == 0 ? NULL : entry_at(keyring, number - 1);

        if (entry == NULL || strcmp(entry->key.id, id) == 0)
            return entry;
    }
}

/* ---- what changes ---- */

enum lf_status
lf_keyring_prepare(struct lf_keyring *keyring, const struct lf_stored_key *key, struct lf_error *error)
{
    size_t at = atomic_load_explicit(&keyring->count, memory_order_relaxed);
    struct entry *chunk = NULL, *entry = NULL;
    size_t name_len = strlen(key->name);
    char *name = NULL;

    if (at == LF_API_KEYS_MAX)
        return lf_fail(error, LF_CONFLICT, "there are %d API keys, and that is the most there can be", LF_API_KEYS_MAX);
    chunk = atomic_load_explicit(&keyring->chunks[at / CHUNK], memory_order_relaxed);
    if (chunk == NULL) {
        chunk = calloc(CHUNK, sizeof *chunk);
        if (chunk == NULL)
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory for an API key");
        atomic_store_explicit(&keyring->chunks[at / CHUNK], chunk, memory_order_release);
    }
    name = malloc(name_len + 1);
    if (name == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory for an API key");
    memcpy(name, key->name, name_len + 1);
    entry = &chunk[at % CHUNK];
    free(entry->name); /* of one that was prepared and never published */
    entry->name = name;
    entry->key = *key;
    entry->key.name = name;
    entry->taken_ms = key->last_used_at_ms;
    atomic_store_explicit(&entry->revoked_at_ms, key->revoked_at_ms, memory_order_relaxed);
    atomic_store_explicit(&entry->last_used_at_ms, key->last_used_at_ms, memory_order_relaxed);
    /* A whole burst, even right after the clock's 0. */
    atomic_store_explicit(&entry->filled_ns, -keyring->burst_ns, memory_order_relaxed);
    return LF_OK;
}

void
lf_keyring_publish(struct lf_keyring *keyring)
{
    size_t number = atomic_load_explicit(&keyring->count, memory_order_relaxed);
    const char *id = entry_at(keyring, number)->key.id;
    size_t at = (size_t)lf_text_hash(id, strlen(id), SEED) & (SLOTS - 1);

    while (atomic_load_explicit(&keyring->slots[at], memory_order_relaxed) != 0)
        at = (at + 1) & (SLOTS - 1);
    atomic_store_explicit(&keyring->slots[at], (uint32_t)number + 1, memory_order_release);
    atomic_store_explicit(&keyring->count, number + 1, memory_order_release);
}

enum lf_status
lf_keyring_add(struct lf_keyring *keyring, const struct lf_stored_key *key, struct lf_error *error)
{
    enum lf_status status = lf_keyring_prepare(keyring, key, error);

    if (status == LF_OK)
        lf_keyring_publish(keyring);
    return status;
}

void
lf_keyring_revoke(struct lf_keyring *keyring, const char *id, int64_t at_ms)
{
    struct entry *entry = find(keyring, id);
    int64_t never = 0;

    /* It fails where the key is revoked already: then the first time stays. */
    if (entry != NULL)
        (void)atomic_compare_exchange_strong(&entry->revoked_at_ms, &never, at_ms);
}

/* ---- life ---- */

enum lf_status
lf_keyring_load(struct lf_store_reader *reader, unsigned rate, struct lf_keyring **ret_keyring, struct lf_error *error)
{
    struct lf_arena *scratch = lf_arena_create(4096, 256 << 20);
    struct lf_keyring *keyring = calloc(1, sizeof *keyring);
    struct lf_stored_key *keys = NULL;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (scratch == NULL || keyring == NULL) {
        lf_arena_destroy(scratch);
        free(keyring);
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading API keys");
    }
    if (rate > 0) {
        keyring->cost_ns = 1000000000 / (int64_t)rate;
        keyring->burst_ns = 2000000000;
    }
    status = lf_store_keys(reader, scratch, &keys, &count, error);
    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = lf_keyring_add(keyring, &keys[i], error);
    lf_arena_destroy(scratch);
    if (status != LF_OK) {
        lf_keyring_destroy(keyring);
        return status;
    }
    *ret_keyring = keyring;
    return LF_OK;
}

void
lf_keyring_destroy(struct lf_keyring *keyring)
{
    if (keyring == NULL)
        return;
    for (size_t i = 0; i < CHUNKS; i++) {
        struct entry *chunk = atomic_load(&keyring->chunks[i]);

        for (size_t at = 0; chunk != NULL && at < CHUNK; at++)
            free(chunk[at].name);
        free(chunk);
    }
    free(keyring);
}

/* ---- letting in ---- */

static bool
is_live(const struct entry *entry, int64_t now_ms)
{
    return atomic_load(&entry->revoked_at_ms) == 0 &&
           (entry->key.expires_at_ms == 0 || now_ms < entry->key.expires_at_ms);
}

size_t
lf_keyring_live(const struct lf_keyring *keyring, int64_t now_ms)
{
    size_t live = 0, count = atomic_load_explicit(&keyring->count, memory_order_acquire);

    for (size_t i = 0; i < count; i++)
        live += is_live(entry_at(keyring, i), now_ms);
    return live;
}

/* Takes the cost of a request out of the key's bucket, if that much is in it. */
static bool
pay(const struct lf_keyring *keyring, struct entry *entry, int64_t monotonic_ns)
{
    int64_t filled_ns = atomic_load_explicit(&entry->filled_ns, memory_order_relaxed);

    for (;;) {
        int64_t least_ns = monotonic_ns - keyring->burst_ns;
        int64_t paid_ns = (filled_ns < least_ns ? least_ns : filled_ns) + keyring->cost_ns;

        if (paid_ns > monotonic_ns)
            return false;
        if (atomic_compare_exchange_weak_explicit(&entry->filled_ns, &filled_ns, paid_ns, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}

static void
note_use(struct entry *entry, int64_t now_ms)
{
    int64_t last_ms = atomic_load_explicit(&entry->last_used_at_ms, memory_order_relaxed);

    while (last_ms < now_ms && !atomic_compare_exchange_weak_explicit(&entry->last_used_at_ms, &last_ms, now_ms,
                                                                      memory_order_relaxed, memory_order_relaxed))
        ;
}

enum lf_status
lf_keyring_admit(struct lf_keyring *keyring, const char *text, int64_t now_ms, int64_t monotonic_ns,
                 char ret_id[LF_API_KEY_ID_MAX + 1], uint32_t *ret_scopes)
{
    uint8_t digest[LF_SHA256_SIZE];
    char id[LF_API_KEY_ID_MAX + 1];
    struct entry *entry = NULL;
    enum lf_status status = lf_api_key_read(text, id, digest);

    if (status != LF_OK)
        return status;
    /* The id is public; only the secret's digest is compared in constant time. */
    entry = find(keyring, id);
    if (entry == NULL || !lf_equal_constant_time(digest, entry->key.secret_hash, LF_SHA256_SIZE) ||
        !is_live(entry, now_ms))
        return LF_UNAUTHORIZED;
    if (keyring->cost_ns > 0 && !pay(keyring, entry, monotonic_ns))
        return LF_RATE_LIMITED;
    note_use(entry, now_ms);
    memcpy(ret_id, entry->key.id, sizeof entry->key.id);
    *ret_scopes = lf_scopes_implied(entry->key.scopes);
    return LF_OK;
}

/* ---- asking ---- */

bool
lf_keyring_find(const struct lf_keyring *keyring, const char *id, struct lf_stored_key *ret_key)
{
    const struct entry *entry = find(keyring, id);

    if (entry == NULL)
        return false;
    *ret_key = entry->key;
    ret_key->revoked_at_ms = atomic_load(&entry->revoked_at_ms);
    ret_key->last_used_at_ms = atomic_load_explicit(&entry->last_used_at_ms, memory_order_relaxed);
    return true;
}

size_t
lf_keyring_take_uses(struct lf_keyring *keyring, struct lf_key_use *uses, size_t max)
{
    size_t taken = 0, count = atomic_load_explicit(&keyring->count, memory_order_acquire);

    for (size_t i = 0; i < count && taken < max; i++) {
        struct entry *entry = entry_at(keyring, keyring->taken_to++ % count);
        int64_t used_ms = atomic_load_explicit(&entry->last_used_at_ms, memory_order_relaxed);

        if (used_ms <= entry->taken_ms)
            continue;
        entry->taken_ms = used_ms;
        memcpy(uses[taken].id, entry->key.id, sizeof uses[taken].id);
        uses[taken++].at_ms = used_ms;
    }
    return taken;
}
