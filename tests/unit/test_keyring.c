/* test_keyring.c - who is let in and how often, while keys come and go, and when they were last used. */
#include "app_fixture.h"
#include "base/hash.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { KEY_LEN = 54, SECRET_AT = 11, CRC_AT = 47, MANY = 200 };

#define NOW_MS INT64_C(1780000000000)
#define NOW_NS INT64_C(1000000000000)

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* The program's own symbol goes before the library's: so each comparison in constant time is seen here. */
int CRYPTO_memcmp(const void *a, const void *b, size_t len);

static _Thread_local struct {
    int calls;
    size_t len;
} compared;

int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    int differ = 0;

    compared.calls++;
    compared.len = len;
    for (size_t i = 0; i < len; i++)
        differ |= x[i] ^ y[i];
    return differ;
}

/* ---- helpers ---- */

static struct lf_keyring *
load_ring(struct fixture *f, unsigned rate)
{
    struct lf_keyring *keyring = NULL;

    OK(lf_keyring_load(f->reader, rate, &keyring, &f->error));
    return keyring;
}

static enum lf_status
admit(struct lf_keyring *keyring, const char *text)
{
    char id[LF_API_KEY_ID_MAX + 1];
    uint32_t scopes = 0;

    return lf_keyring_admit(keyring, text, NOW_MS, NOW_NS, id, &scopes);
}

/* Writes the check sum that belongs to the text; told anew here, from the words of keys.h. */
static void
write_check_sum(char *text)
{
    uint32_t crc = lf_crc32(0, text, CRC_AT);

    for (int i = 0; i < 7; i++)
        text[CRC_AT + i] = ALPHABET[crc >> (5 * (6 - i)) & 31];
}

/* ---- letting in ---- */

static void
test_each_key_is_its_own(void **state)
{
    struct fixture *f = *state;
    static char texts[MANY][LF_API_KEY_TEXT_MAX];
    static struct lf_stored_key keys[MANY];
    struct lf_keyring *keyring = NULL;

    for (size_t i = 0; i < MANY; i++)
        put_key(f, (uint32_t)i % 128, 0, texts[i], &keys[i]);
    keyring = load_ring(f, 0);
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), MANY);
    for (size_t i = 0; i < MANY; i++) {
        char id[LF_API_KEY_ID_MAX + 1] = "", crossed[LF_API_KEY_TEXT_MAX];
        uint32_t scopes = 0;

        assert_int_equal(lf_keyring_admit(keyring, texts[i], NOW_MS, NOW_NS, id, &scopes), LF_OK);
        assert_string_equal(id, keys[i].id);
        assert_int_equal(scopes, lf_scopes_implied((uint32_t)i % 128));

        /* One key's id with another's secret, the check sum being right. */
        memcpy(crossed, texts[i], sizeof crossed);
        memcpy(crossed + SECRET_AT, texts[(i + 1) % MANY] + SECRET_AT, CRC_AT - SECRET_AT);
        write_check_sum(crossed);
        assert_int_equal(admit(keyring, crossed), LF_UNAUTHORIZED);
    }
    lf_keyring_destroy(keyring);
}

static void
test_no_keys(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;

    for (unsigned rate = 0; rate < 2; rate++) {
        struct lf_keyring *keyring = load_ring(f, rate);

        OK(lf_api_key_create("nobody", LF_SCOPE_ADMIN, NOW_MS, 0, &key, text, &f->error));
        assert_int_equal(admit(keyring, text), LF_UNAUTHORIZED);
        assert_int_equal(lf_keyring_live(keyring, NOW_MS), 0);
        lf_keyring_destroy(keyring);
    }
    lf_keyring_destroy(NULL);
}

/* Any character of a key changed to any other: refused, and the caller's places stay as they were. With the check sum
 * made right again it is refused as well, there by the id or the secret itself. */
static void
test_every_character_counts(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX], id[LF_API_KEY_ID_MAX + 1] = "untouched";
    struct lf_stored_key key;
    struct lf_keyring *keyring = NULL;
    uint32_t scopes = 77;

    put_key(f, LF_SCOPE_ADMIN, 0, text, &key);
    keyring = load_ring(f, 0);
    for (size_t at = 0; at < KEY_LEN; at++)
        for (int c = 0; c < 256; c++) {
            char changed[LF_API_KEY_TEXT_MAX];

            if ((char)c == text[at])
                continue;
            memcpy(changed, text, sizeof changed);
            changed[at] = (char)c;
            assert_int_equal(lf_keyring_admit(keyring, changed, NOW_MS, NOW_NS, id, &scopes), LF_UNAUTHORIZED);
            if (at >= CRC_AT || c == '\0')
                continue;
            write_check_sum(changed);
            assert_int_equal(lf_keyring_admit(keyring, changed, NOW_MS, NOW_NS, id, &scopes), LF_UNAUTHORIZED);
        }
    assert_string_equal(id, "untouched");
    assert_int_equal(scopes, 77);
    assert_int_equal(admit(keyring, text), LF_OK);
    lf_keyring_destroy(keyring);
}

static void
test_other_lengths(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX];
    static char longer[100001];
    struct lf_stored_key key;
    struct lf_keyring *keyring = NULL;

    put_key(f, LF_SCOPE_ADMIN, 0, text, &key);
    keyring = load_ring(f, 0);
    for (size_t len = 0; len < KEY_LEN; len++) {
        /* In memory of just that length, so that reading past the end is seen. */
        char *shorter = malloc(len + 1);

        assert_non_null(shorter);
        memcpy(shorter, text, len);
        shorter[len] = '\0';
        assert_int_equal(admit(keyring, shorter), LF_UNAUTHORIZED);
        free(shorter);
    }
    (void)snprintf(longer, sizeof longer, "%s0", text);
    assert_int_equal(admit(keyring, longer), LF_UNAUTHORIZED);
    (void)snprintf(longer, sizeof longer, " %s", text);
    assert_int_equal(admit(keyring, longer), LF_UNAUTHORIZED);
    memset(longer, 'l', sizeof longer - 1);
    assert_int_equal(admit(keyring, longer), LF_UNAUTHORIZED);
    lf_keyring_destroy(keyring);
}

static void
test_revoked_and_expired(void **state)
{
    struct fixture *f = *state;
    char revoked[LF_API_KEY_TEXT_MAX], expires[LF_API_KEY_TEXT_MAX], forever[LF_API_KEY_TEXT_MAX];
    char id[LF_API_KEY_ID_MAX + 1];
    struct lf_stored_key key;
    struct lf_keyring *keyring = NULL;
    struct lf_change change = by_ops(NOW_MS);
    uint32_t scopes = 0;

    put_key(f, LF_SCOPE_SCORE, 0, revoked, &key);
    OK(lf_store_revoke_key(f->store, key.id, &change, &f->error));
    put_key(f, LF_SCOPE_SCORE, NOW_MS + 1000, expires, &key);
    put_key(f, LF_SCOPE_SCORE, 0, forever, &key);
    keyring = load_ring(f, 0);

    assert_int_equal(lf_keyring_admit(keyring, revoked, NOW_MS - 1, NOW_NS, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_keyring_admit(keyring, revoked, NOW_MS, NOW_NS, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_keyring_admit(keyring, expires, NOW_MS + 999, NOW_NS, id, &scopes), LF_OK);
    assert_int_equal(lf_keyring_admit(keyring, expires, NOW_MS + 1000, NOW_NS, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_keyring_admit(keyring, expires, NOW_MS + 1001, NOW_NS, id, &scopes), LF_UNAUTHORIZED);
    assert_int_equal(lf_keyring_admit(keyring, forever, INT64_MAX, NOW_NS, id, &scopes), LF_OK);

    assert_int_equal(lf_keyring_live(keyring, NOW_MS + 999), 2);
    assert_int_equal(lf_keyring_live(keyring, NOW_MS + 1000), 1);
    lf_keyring_destroy(keyring);
}

/* The secret's digest goes through the one comparison whose time tells nothing, all 32 bytes at once, wherever the
 * difference is; and each bit of the digest counts. */
static void
test_compares_in_constant_time(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;
    struct lf_change change = by_ops(NOW_MS);

    OK(lf_api_key_create("a name", LF_SCOPE_SCORE, NOW_MS, 0, &key, text, &f->error));
    for (int bit = -1; bit < LF_SHA256_SIZE * 8; bit += bit < 0 ? 1 : 13) {
        struct lf_stored_key changed = key;
        struct lf_keyring *keyring = NULL;

        if (bit >= 0)
            changed.secret_hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run_sql(f->path, "DELETE FROM api_key");
        OK(lf_store_create_key(f->store, &changed, &change, &f->error));
        keyring = load_ring(f, 0);
        compared.calls = 0;
        assert_int_equal(admit(keyring, text), bit < 0 ? LF_OK : LF_UNAUTHORIZED);
        assert_int_equal(compared.calls, 1);
        assert_int_equal(compared.len, LF_SHA256_SIZE);
        lf_keyring_destroy(keyring);
    }
}

/* ---- the rate ---- */

/* How many of `tries` come through at that moment. */
static unsigned
count_admitted(struct lf_keyring *keyring, const char *text, int64_t monotonic_ns, unsigned tries)
{
    unsigned admitted = 0;

    for (unsigned i = 0; i < tries; i++) {
        char id[LF_API_KEY_ID_MAX + 1];
        uint32_t scopes = 0;
        enum lf_status status = lf_keyring_admit(keyring, text, NOW_MS, monotonic_ns, id, &scopes);

        assert_true(status == LF_OK || status == LF_RATE_LIMITED);
        admitted += status == LF_OK;
    }
    return admitted;
}

static void
test_rate(void **state)
{
    struct fixture *f = *state;
    static const unsigned RATES[] = {1, 2, 3, 7, 10, 60, 1000, 4096};
    char text[LF_API_KEY_TEXT_MAX], other[LF_API_KEY_TEXT_MAX], wrong[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;

    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    put_key(f, LF_SCOPE_SCORE, 0, other, &key);
    memcpy(wrong, text, sizeof wrong);
    wrong[SECRET_AT] = wrong[SECRET_AT] == '0' ? '1' : '0';
    write_check_sum(wrong);
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES; i++) {
        unsigned rate = RATES[i];
        int64_t cost_ns = 1000000000 / (int64_t)rate, now_ns = NOW_NS;
        struct lf_keyring *keyring = load_ring(f, rate);

        /* A burst of two seconds' worth; whoever has a wrong secret uses up nobody's. */
        for (unsigned n = 0; n < 3 * rate; n++)
            assert_int_equal(admit(keyring, wrong), LF_UNAUTHORIZED);
        assert_int_equal(count_admitted(keyring, text, now_ns, 3 * rate + 1), 2 * rate);
        /* Each key has its own. */
        assert_int_equal(count_admitted(keyring, other, now_ns, 2 * rate), 2 * rate);
        /* The next one after its share of a second (of which the burst may have left a few ns), and no two; those that
         * were refused meanwhile have not put it off. */
        assert_int_equal(count_admitted(keyring, text, now_ns + cost_ns / 2, 5), 0);
        now_ns += cost_ns;
        assert_int_equal(count_admitted(keyring, text, now_ns, 5), 1);
        /* A second later, a second's worth. */
        now_ns += cost_ns * (int64_t)rate;
        assert_int_equal(count_admitted(keyring, text, now_ns, 3 * rate + 1), rate);
        /* However long it was quiet, the burst is the same. */
        now_ns += INT64_C(86400) * 1000000000;
        assert_int_equal(count_admitted(keyring, text, now_ns, 3 * rate + 1), 2 * rate);
        lf_keyring_destroy(keyring);
    }
}

static void
test_no_rate(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;
    struct lf_keyring *keyring = NULL;

    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    keyring = load_ring(f, 0);
    assert_int_equal(count_admitted(keyring, text, NOW_NS, 20000), 20000);
    lf_keyring_destroy(keyring);
}

/* Right after the machine was started its clock says little: there is a burst all the same, once. */
static void
test_rate_at_boot(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;
    struct lf_keyring *keyring = NULL;

    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    keyring = load_ring(f, 10);
    assert_int_equal(count_admitted(keyring, text, 5, 100), 20);
    assert_int_equal(count_admitted(keyring, text, 1000000005, 100), 10);
    lf_keyring_destroy(keyring);
}

struct crowd {
    struct lf_keyring *keyring;
    const char *text;
    unsigned admitted;
};

static void *
crowd_main(void *argument)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < 1000; i++) {
        char id[LF_API_KEY_ID_MAX + 1];
        uint32_t scopes = 0;

        crowd->admitted += lf_keyring_admit(crowd->keyring, crowd->text, NOW_MS, NOW_NS, id, &scopes) == LF_OK;
    }
    return NULL;
}

static void
test_rate_of_many_threads(void **state)
{
    enum { THREADS = 6, RATE = 500 };
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key;
    struct lf_keyring *keyring = NULL;
    pthread_t threads[THREADS];
    struct crowd crowds[THREADS];
    unsigned admitted = 0;

    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    keyring = load_ring(f, RATE);
    for (size_t i = 0; i < THREADS; i++) {
        crowds[i] = (struct crowd){keyring, text, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowds[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        admitted += crowds[i].admitted;
    }
    assert_int_equal(admitted, 2 * RATE);
    lf_keyring_destroy(keyring);
}

/* ---- keys that come and go ---- */

/* Makes a key that is in no store. */
static void
make_key(struct fixture *f, const char *name, char text[LF_API_KEY_TEXT_MAX], struct lf_stored_key *ret_key)
{
    OK(lf_api_key_create(name, LF_SCOPE_SCORE, NOW_MS, 0, ret_key, text, &f->error));
}

static void
test_added(void **state)
{
    enum { ADDED = 700 };
    struct fixture *f = *state;
    static char texts[ADDED][LF_API_KEY_TEXT_MAX];
    static struct lf_stored_key keys[ADDED];
    char stored[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key, found;
    struct lf_keyring *keyring = NULL;

    put_key(f, LF_SCOPE_ADMIN, 0, stored, &key);
    keyring = load_ring(f, 1);
    for (size_t i = 0; i < ADDED; i++) {
        char name[24];

        (void)snprintf(name, sizeof name, "number %zu", i);
        make_key(f, name, texts[i], &keys[i]);
        assert_int_equal(admit(keyring, texts[i]), LF_UNAUTHORIZED);
        assert_false(lf_keyring_find(keyring, keys[i].id, &found));
        OK(lf_keyring_add(keyring, &keys[i], &f->error));
        memset(name, 'x', sizeof name); /* the ring has its own */
    }
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), ADDED + 1);
    assert_int_equal(admit(keyring, stored), LF_OK);
    for (size_t i = 0; i < ADDED; i++) {
        char name[24];

        (void)snprintf(name, sizeof name, "number %zu", i);
        assert_true(lf_keyring_find(keyring, keys[i].id, &found));
        assert_string_equal(found.name, name);
        assert_int_equal(found.scopes, LF_SCOPE_SCORE);
        assert_int_equal(found.created_at_ms, NOW_MS);
        assert_int_equal(found.revoked_at_ms, 0);
        assert_int_equal(found.last_used_at_ms, 0);
        assert_memory_equal(found.secret_hash, keys[i].secret_hash, LF_SHA256_SIZE);
        /* Each with a bucket of its own, which is full at first. */
        assert_int_equal(admit(keyring, texts[i]), LF_OK);
        assert_int_equal(admit(keyring, texts[i]), LF_OK);
        assert_int_equal(admit(keyring, texts[i]), LF_RATE_LIMITED);
    }
    lf_keyring_destroy(keyring);
}

/* A key that is prepared lets nobody in, and makes way for the next one. */
static void
test_prepared(void **state)
{
    struct fixture *f = *state;
    char first[LF_API_KEY_TEXT_MAX], second[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key one, two, found;
    struct lf_keyring *keyring = load_ring(f, 0);

    make_key(f, "one", first, &one);
    make_key(f, "two", second, &two);
    OK(lf_keyring_prepare(keyring, &one, &f->error));
    assert_int_equal(admit(keyring, first), LF_UNAUTHORIZED);
    assert_false(lf_keyring_find(keyring, one.id, &found));
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), 0);
    lf_keyring_revoke(keyring, one.id, NOW_MS);
    OK(lf_keyring_prepare(keyring, &two, &f->error));
    lf_keyring_publish(keyring);
    assert_int_equal(admit(keyring, first), LF_UNAUTHORIZED);
    assert_int_equal(admit(keyring, second), LF_OK);
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), 1);
    OK(lf_keyring_prepare(keyring, &one, &f->error)); /* never published: a leak check sees that it goes */
    lf_keyring_destroy(keyring);
}

static void
test_most_keys(void **state)
{
    struct fixture *f = *state;
    struct lf_keyring *keyring = load_ring(f, 0);
    struct lf_stored_key key = {.name = "one of many", .scopes = LF_SCOPE_SCORE}, found;

    for (int i = 0; i < LF_API_KEYS_MAX; i++) {
        (void)snprintf(key.id, sizeof key.id, "%08d", i);
        OK(lf_keyring_add(keyring, &key, &f->error));
    }
    (void)snprintf(key.id, sizeof key.id, "%s", "toomuch0");
    FAILS(lf_keyring_add(keyring, &key, &f->error), LF_CONFLICT);
    assert_non_null(strstr(f->error.detail, "100000"));
    assert_false(lf_keyring_find(keyring, key.id, &found));
    for (int i = 0; i < LF_API_KEYS_MAX; i++) {
        (void)snprintf(key.id, sizeof key.id, "%08d", i);
        assert_true(lf_keyring_find(keyring, key.id, &found));
        assert_string_equal(found.id, key.id);
    }
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), LF_API_KEYS_MAX);
    lf_keyring_destroy(keyring);
}

static void
test_revoked_while_there(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX], other[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key, found;
    struct lf_keyring *keyring = NULL;

    put_key(f, LF_SCOPE_SCORE, 0, other, &key);
    put_key(f, LF_SCOPE_SCORE, 0, text, &key);
    keyring = load_ring(f, 0);
    assert_int_equal(admit(keyring, text), LF_OK);
    lf_keyring_revoke(keyring, "unknown0", NOW_MS);
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), 2);
    lf_keyring_revoke(keyring, key.id, NOW_MS + 5);
    assert_int_equal(admit(keyring, text), LF_UNAUTHORIZED);
    assert_int_equal(admit(keyring, other), LF_OK);
    assert_int_equal(lf_keyring_live(keyring, NOW_MS), 1);
    lf_keyring_revoke(keyring, key.id, NOW_MS + 9);
    assert_true(lf_keyring_find(keyring, key.id, &found));
    assert_int_equal(found.revoked_at_ms, NOW_MS + 5);
    lf_keyring_destroy(keyring);
}

/* ---- uses ---- */

static enum lf_status
admit_at(struct lf_keyring *keyring, const char *text, int64_t now_ms)
{
    char id[LF_API_KEY_ID_MAX + 1];
    uint32_t scopes = 0;

    return lf_keyring_admit(keyring, text, now_ms, NOW_NS, id, &scopes);
}

static void
test_uses(void **state)
{
    struct fixture *f = *state;
    char text[LF_API_KEY_TEXT_MAX], other[LF_API_KEY_TEXT_MAX], wrong[LF_API_KEY_TEXT_MAX];
    struct lf_stored_key key, unused, found;
    struct lf_key_use use;
    struct lf_keyring *keyring = NULL;

    put_key(f, LF_SCOPE_SCORE, 0, other, &unused);
    put_key(f, LF_SCOPE_SCORE, NOW_MS + 1000, text, &key);
    memcpy(wrong, text, sizeof wrong);
    wrong[SECRET_AT] = wrong[SECRET_AT] == '0' ? '1' : '0';
    write_check_sum(wrong);
    memcpy(use.id, key.id, sizeof use.id);
    use.at_ms = NOW_MS - 50;
    OK(lf_store_touch_keys(f->store, &use, 1, &f->error));
    keyring = load_ring(f, 2);
    assert_int_equal(lf_keyring_take_uses(keyring, &use, 1), 0);

    /* Whoever is not let in has used nothing. */
    assert_int_equal(admit_at(keyring, wrong, NOW_MS + 1), LF_UNAUTHORIZED);
    assert_int_equal(admit_at(keyring, text, NOW_MS + 1000), LF_UNAUTHORIZED);
    assert_int_equal(lf_keyring_take_uses(keyring, &use, 1), 0);
    assert_true(lf_keyring_find(keyring, key.id, &found));
    assert_int_equal(found.last_used_at_ms, NOW_MS - 50);

    assert_int_equal(admit_at(keyring, text, NOW_MS + 3), LF_OK);
    assert_int_equal(admit_at(keyring, text, NOW_MS + 7), LF_OK);
    assert_int_equal(admit_at(keyring, text, NOW_MS + 5), LF_OK); /* a clock may go back; the last use does not */
    assert_int_equal(admit_at(keyring, text, NOW_MS + 6), LF_OK);
    assert_int_equal(admit_at(keyring, text, NOW_MS + 8), LF_RATE_LIMITED);
    assert_true(lf_keyring_find(keyring, key.id, &found));
    assert_int_equal(found.last_used_at_ms, NOW_MS + 7);
    assert_int_equal(lf_keyring_take_uses(keyring, &use, 1), 1);
    assert_string_equal(use.id, key.id);
    assert_int_equal(use.at_ms, NOW_MS + 7);
    assert_int_equal(lf_keyring_take_uses(keyring, &use, 1), 0);
    assert_true(lf_keyring_find(keyring, unused.id, &found));
    assert_int_equal(found.last_used_at_ms, 0);
    lf_keyring_destroy(keyring);
}

/* Taken in pieces of any size, each use comes once. */
static void
test_uses_in_pieces(void **state)
{
    struct fixture *f = *state;
    static char texts[MANY][LF_API_KEY_TEXT_MAX];
    static struct lf_stored_key keys[MANY];
    struct lf_keyring *keyring = NULL;

    for (size_t i = 0; i < MANY; i++)
        put_key(f, LF_SCOPE_SCORE, 0, texts[i], &keys[i]);
    keyring = load_ring(f, 0);
    for (size_t piece = 1; piece < MANY + 20; piece += 7) {
        struct lf_key_use uses[MANY + 20];
        int seen[MANY] = {0};
        int64_t now_ms = NOW_MS + (int64_t)piece;
        size_t taken = 0;

        for (size_t i = 0; i < MANY; i += 2)
            assert_int_equal(admit_at(keyring, texts[i], now_ms), LF_OK);
        do {
            taken = lf_keyring_take_uses(keyring, uses, piece);
            for (size_t u = 0; u < taken; u++) {
                assert_int_equal(uses[u].at_ms, now_ms);
                for (size_t i = 0; i < MANY; i++)
                    seen[i] += strcmp(uses[u].id, keys[i].id) == 0;
            }
        } while (taken == piece);
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(seen[i], i % 2 == 0);
    }
    lf_keyring_destroy(keyring);
}

/* ---- many threads ---- */

enum { RING = 400, RING_READERS = 4 };

/* Keys are added and revoked by one thread, used by others, and their uses taken by one more. */
struct ring {
    struct lf_keyring *keyring;
    char texts[RING][LF_API_KEY_TEXT_MAX];
    struct lf_stored_key keys[RING];
    atomic_int added, revoked; /* so many: it is said after it was done */
    atomic_int revoking;       /* so many: it is said before */
    atomic_bool done;
};

static void *
ring_reader_main(void *argument)
{
    struct ring *ring = argument;
    int64_t now_ms = NOW_MS;

    for (unsigned turn = 0; !atomic_load(&ring->done); turn++) {
        int added = atomic_load(&ring->added), revoked = atomic_load(&ring->revoked), revoking = 0;
        int at = added == 0 ? 0 : (int)(turn * 7u % (unsigned)added);
        enum lf_status status = LF_OK;

        if (added == 0)
            continue;
        status = admit_at(ring->keyring, ring->texts[at], now_ms++);
        revoking = atomic_load(&ring->revoking);
        if (at < revoked)
            assert_int_equal(status, LF_UNAUTHORIZED);
        else if (at >= revoking)
            assert_int_equal(status, LF_OK);
    }
    return NULL;
}

static void *
ring_taker_main(void *argument)
{
    struct ring *ring = argument;

    while (!atomic_load(&ring->done)) {
        struct lf_key_use uses[16];
        size_t taken = lf_keyring_take_uses(ring->keyring, uses, 16);

        for (size_t i = 0; i < taken; i++)
            assert_true(uses[i].at_ms >= NOW_MS && strlen(uses[i].id) == 8);
    }
    return NULL;
}

static void
test_ring_of_many_threads(void **state)
{
    struct fixture *f = *state;
    static struct ring ring;
    pthread_t threads[RING_READERS + 1];

    for (size_t i = 0; i < RING; i++)
        make_key(f, "n", ring.texts[i], &ring.keys[i]);
    ring.keyring = load_ring(f, 0);
    for (size_t i = 0; i <= RING_READERS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < RING_READERS ? ring_reader_main : ring_taker_main, &ring), 0);
    for (int i = 0; i < RING; i++) {
        OK(lf_keyring_add(ring.keyring, &ring.keys[i], &f->error));
        atomic_store(&ring.added, i + 1);
        if (i % 2 == 1) {
            atomic_store(&ring.revoking, i / 2 + 1);
            lf_keyring_revoke(ring.keyring, ring.keys[i / 2].id, NOW_MS + i);
            atomic_store(&ring.revoked, i / 2 + 1);
        }
        (void)sched_yield();
    }
    atomic_store(&ring.done, true);
    for (size_t i = 0; i <= RING_READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(lf_keyring_live(ring.keyring, NOW_MS), RING / 2);
    lf_keyring_destroy(ring.keyring);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_each_key_is_its_own),
        STORE_TEST(test_no_keys),
        STORE_TEST(test_every_character_counts),
        STORE_TEST(test_other_lengths),
        STORE_TEST(test_revoked_and_expired),
        STORE_TEST(test_compares_in_constant_time),
        STORE_TEST(test_rate),
        STORE_TEST(test_no_rate),
        STORE_TEST(test_rate_at_boot),
        STORE_TEST(test_rate_of_many_threads),
        STORE_TEST(test_added),
        STORE_TEST(test_prepared),
        STORE_TEST(test_most_keys),
        STORE_TEST(test_revoked_while_there),
        STORE_TEST(test_uses),
        STORE_TEST(test_uses_in_pieces),
        STORE_TEST(test_ring_of_many_threads),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
