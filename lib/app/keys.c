/* keys.c - see keys.h. */
#include "app/keys.h"

#include "base/arena.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_LEN = 3,
    ID_LEN = 8,
    SECRET_LEN = 36,
    CRC_LEN = 7,
    TEXT_LEN = PREFIX_LEN + ID_LEN + SECRET_LEN + CRC_LEN,
};

#define PREFIX "lf_"

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

static const struct {
    const char *word;
    uint32_t bit, implied;
} SCOPES[] = {
#define LF_X(name, word, bit, implied) {word, bit, implied},
    LF_SCOPE_LIST(LF_X)
#undef LF_X
};

enum { SCOPE_COUNT = sizeof SCOPES / sizeof *SCOPES };

enum lf_status
lf_scopes_parse(const char *text, uint32_t *ret_scopes, struct lf_error *error)
{
    uint32_t scopes = 0;

    for (const char *word = text; word != NULL;) {
        const char *comma = strchr(word, ',');
        size_t len = comma != NULL ? (size_t)(comma - word) : strlen(word), at = 0;

        while (len > 0 && word[0] == ' ')
            word++, len--;
        while (len > 0 && word[len - 1] == ' ')
            len--;
        while (at < SCOPE_COUNT && !(strlen(SCOPES[at].word) == len && memcmp(SCOPES[at].word, word, len) == 0))
            at++;
        if (at == SCOPE_COUNT)
            return lf_fail(error, LF_USAGE,
                           "there is no scope \"%.*s\": there are score, icp:read, icp:write, stats:read, leads:read, "
                           "leads:write and admin, joined by commas",
                           (int)len, word);
        scopes |= SCOPES[at].bit;
        word = comma != NULL ? comma + 1 : NULL;
    }
    *ret_scopes = scopes;
    return LF_OK;
}

void
lf_scopes_put(struct lf_buf *buf, uint32_t scopes)
{
    bool first = true;

    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if ((scopes & SCOPES[i].bit) == 0)
            continue;
        if (!first)
            lf_buf_lit(buf, ",");
        lf_buf_text(buf, SCOPES[i].word);
        first = false;
    }
}

uint32_t
lf_scopes_implied(uint32_t scopes)
{
    uint32_t all = scopes;

    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if ((scopes & SCOPES[i].bit) != 0)
            all |= SCOPES[i].implied;
    return all;
}

/* Seven characters for the 32 bits, the highest first. */
static void
write_crc(const char *text, char ret_crc[CRC_LEN])
{
    uint32_t crc = lf_crc32(0, text, PREFIX_LEN + ID_LEN + SECRET_LEN);

    for (int i = CRC_LEN - 1; i >= 0; i--, crc >>= 5)
        ret_crc[i] = ALPHABET[crc & 31];
}

enum lf_status
lf_api_key_create(const char *name, uint32_t scopes, int64_t now_ms, int64_t expires_at_ms,
                  struct lf_stored_key *ret_key, char ret_text[LF_API_KEY_TEXT_MAX], struct lf_error *error)
{
    uint8_t chance[ID_LEN + SECRET_LEN];
    struct lf_stored_key key = {
        .name = name, .scopes = scopes, .created_at_ms = now_ms, .expires_at_ms = expires_at_ms};

    if (!lf_random_bytes(chance, sizeof chance))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes: no key can be made");
    memcpy(ret_text, PREFIX, PREFIX_LEN);
    for (size_t i = 0; i < sizeof chance; i++)
        ret_text[PREFIX_LEN + i] = ALPHABET[chance[i] & 31]; /* 5 bits of each byte: 180 of the secret */
    write_crc(ret_text, ret_text + PREFIX_LEN + ID_LEN + SECRET_LEN);
    ret_text[TEXT_LEN] = '\0';
    memcpy(key.id, ret_text + PREFIX_LEN, ID_LEN);
    if (!lf_sha256(ret_text + PREFIX_LEN + ID_LEN, SECRET_LEN, key.secret_hash))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while making a key");
    *ret_key = key;
    return LF_OK;
}

/* ---- the keyring ---- */

/* A token bucket, counted in nanoseconds: each request costs 1e9 / rate of them. */
struct bucket {
    pthread_mutex_t lock;
    int64_t filled_ns; /* monotonic time up to which requests were paid for */
};

struct lf_keyring {
    struct lf_arena *arena;
    struct lf_stored_key *keys;
    struct bucket *buckets; /* NULL without a rate */
    size_t count;
    int64_t cost_ns, burst_ns;
};

enum lf_status
lf_keyring_load(struct lf_store_reader *reader, unsigned rate, struct lf_keyring **ret_keyring, struct lf_error *error)
{
    struct lf_arena *arena = lf_arena_create(4096, 256 << 20);
    struct lf_keyring *keyring = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *keyring);
    enum lf_status status = LF_OK;

    if (keyring == NULL) {
        lf_arena_destroy(arena);
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading API keys");
    }
    keyring->arena = arena;
    status = lf_store_keys(reader, arena, &keyring->keys, &keyring->count, error);
    if (status == LF_OK && rate > 0) {
        keyring->buckets = lf_arena_calloc(arena, keyring->count, sizeof *keyring->buckets);
        if (keyring->buckets == NULL)
            status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while loading API keys");
        keyring->cost_ns = 1000000000 / (int64_t)rate;
        keyring->burst_ns = 2000000000;
        for (size_t i = 0; status == LF_OK && i < keyring->count; i++) {
            (void)pthread_mutex_init(&keyring->buckets[i].lock, NULL); /* cannot fail with default attributes */
            keyring->buckets[i].filled_ns = -keyring->burst_ns; /* a whole burst, even right after the clock's 0 */
        }
    }
    if (status != LF_OK) {
        lf_arena_destroy(arena);
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
    for (size_t i = 0; keyring->buckets != NULL && i < keyring->count; i++)
        (void)pthread_mutex_destroy(&keyring->buckets[i].lock);
    lf_arena_destroy(keyring->arena);
}

static bool
is_live(const struct lf_stored_key *key, int64_t now_ms)
{
    return key->revoked_at_ms == 0 && (key->expires_at_ms == 0 || now_ms < key->expires_at_ms);
}

size_t
lf_keyring_live(const struct lf_keyring *keyring, int64_t now_ms)
{
    size_t live = 0;

    for (size_t i = 0; i < keyring->count; i++)
        live += is_live(&keyring->keys[i], now_ms);
    return live;
}

static bool
pay(struct lf_keyring *keyring, size_t at, int64_t monotonic_ns)
{
    struct bucket *bucket = &keyring->buckets[at];
    bool paid = false;

    (void)pthread_mutex_lock(&bucket->lock);
    if (bucket->filled_ns < monotonic_ns - keyring->burst_ns)
        bucket->filled_ns = monotonic_ns - keyring->burst_ns;
    paid = bucket->filled_ns + keyring->cost_ns <= monotonic_ns;
    if (paid)
        bucket->filled_ns += keyring->cost_ns;
    (void)pthread_mutex_unlock(&bucket->lock);
    return paid;
}

enum lf_status
lf_keyring_admit(struct lf_keyring *keyring, const char *text, int64_t now_ms, int64_t monotonic_ns,
                 char ret_id[LF_API_KEY_ID_MAX + 1], uint32_t *ret_scopes)
{
    uint8_t digest[LF_SHA256_SIZE];
    char crc[CRC_LEN];

    if (strnlen(text, TEXT_LEN + 1) != TEXT_LEN || memcmp(text, PREFIX, PREFIX_LEN) != 0)
        return LF_UNAUTHORIZED;
    write_crc(text, crc);
    if (memcmp(crc, text + PREFIX_LEN + ID_LEN + SECRET_LEN, CRC_LEN) != 0)
        return LF_UNAUTHORIZED;
    if (!lf_sha256(text + PREFIX_LEN + ID_LEN, SECRET_LEN, digest))
        return LF_OUT_OF_MEMORY;
    for (size_t i = 0; i < keyring->count; i++) {
        const struct lf_stored_key *key = &keyring->keys[i];

        /* The id is public; only the secret's digest is compared in constant time. */
        if (memcmp(key->id, text + PREFIX_LEN, ID_LEN) != 0)
            continue;
        if (!lf_equal_constant_time(digest, key->secret_hash, LF_SHA256_SIZE) || !is_live(key, now_ms))
            return LF_UNAUTHORIZED;
        if (keyring->buckets != NULL && !pay(keyring, i, monotonic_ns))
            return LF_RATE_LIMITED;
        memcpy(ret_id, key->id, sizeof key->id);
        *ret_scopes = lf_scopes_implied(key->scopes);
        return LF_OK;
    }
    return LF_UNAUTHORIZED;
}
