/* test_keys.c - API keys: their form, their check sum, who is let in and how often. */
#include "app/keys.h"
#include "base/hash.h"
#include "store_fixture.h"
#include "support.h"

#include <pthread.h>

enum { KEY_LEN = 54, ID_AT = 3, SECRET_AT = 11, CRC_AT = 47, MANY = 200 };

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

/* Makes a key and stores it. */
static void
make_key(struct fixture *f, uint32_t scopes, int64_t expires_at_ms, char text[LF_API_KEY_TEXT_MAX],
         struct lf_stored_key *ret_key)
{
    OK(lf_api_key_create("a name", scopes, NOW_MS, expires_at_ms, ret_key, text, &f->error));
    OK(lf_store_create_key(f->store, ret_key, &f->error));
}

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

/* ---- form ---- */

static void
test_form(void **state)
{
    struct fixture *f = *state;
    static char texts[MANY][LF_API_KEY_TEXT_MAX];
    int seen[256] = {0};

    for (size_t i = 0; i < MANY; i++) {
        struct lf_stored_key key;
        uint8_t digest[LF_SHA256_SIZE];
        char again[LF_API_KEY_TEXT_MAX];

        OK(lf_api_key_create("crm", LF_SCOPE_SCORE, NOW_MS, NOW_MS + 5, &key, texts[i], &f->error));
        assert_int_equal(strlen(texts[i]), KEY_LEN);
        assert_memory_equal(texts[i], "lf_", 3);
        for (size_t c = ID_AT; c < KEY_LEN; c++) {
            assert_non_null(strchr(ALPHABET, texts[i][c]));
            seen[(unsigned char)texts[i][c]] += c < CRC_AT;
        }
        memcpy(again, texts[i], sizeof again);
        write_check_sum(again);
        assert_string_equal(again, texts[i]);

        assert_int_equal(strlen(key.id), 8);
        assert_memory_equal(key.id, texts[i] + ID_AT, 8);
        assert_true(lf_sha256(texts[i] + SECRET_AT, CRC_AT - SECRET_AT, digest));
        assert_memory_equal(key.secret_hash, digest, sizeof digest);
        assert_string_equal(key.name, "crm");
        assert_int_equal(key.scopes, LF_SCOPE_SCORE);
        assert_int_equal(key.created_at_ms, NOW_MS);
        assert_int_equal(key.expires_at_ms, NOW_MS + 5);
        assert_int_equal(key.revoked_at_ms, 0);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(texts[i] + ID_AT, texts[j] + ID_AT, 8);
            assert_memory_not_equal(texts[i] + SECRET_AT, texts[j] + SECRET_AT, CRC_AT - SECRET_AT);
        }
    }
    /* 8,800 characters drawn: each of the 32 some 275 times. */
    for (const char *c = ALPHABET; *c != '\0'; c++)
        assert_in_range(seen[(unsigned char)*c], 150, 450);
}

/* ---- scopes ---- */

static void
test_scopes_read(void **state)
{
    static const struct {
        const char *text;
        uint32_t scopes;
    } ROWS[] = {
        {"score", LF_SCOPE_SCORE},
        {"icp:read", LF_SCOPE_ICP_READ},
        {"icp:write", LF_SCOPE_ICP_WRITE},
        {"stats:read", LF_SCOPE_STATS_READ},
        {"leads:read", LF_SCOPE_LEADS_READ},
        {"leads:write", LF_SCOPE_LEADS_WRITE},
        {"admin", LF_SCOPE_ADMIN},
        {"score,stats:read", LF_SCOPE_SCORE | LF_SCOPE_STATS_READ},
        {"stats:read,score", LF_SCOPE_SCORE | LF_SCOPE_STATS_READ},
        {" score , admin ", LF_SCOPE_SCORE | LF_SCOPE_ADMIN},
        {"score,score", LF_SCOPE_SCORE},
    };
    struct lf_error error;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint32_t scopes = 0xFFFF;

        assert_int_equal(lf_scopes_parse(ROWS[i].text, &scopes, &error), LF_OK);
        assert_int_equal(scopes, ROWS[i].scopes);
    }
}

static void
test_scopes_refused(void **state)
{
    static const struct {
        const char *text, *named;
    } ROWS[] = {
        {"", "\"\""},
        {"score,", "\"\""},
        {",score", "\"\""},
        {"score,,admin", "\"\""},
        {"Score", "\"Score\""},
        {"scor", "\"scor\""},
        {"scores", "\"scores\""},
        {"icp", "\"icp\""},
        {"icp:", "\"icp:\""},
        {"score admin", "\"score admin\""},
        {"score, nothing ,admin", "\"nothing\""},
        {"score\n", "\"score\n\""},
    };
    struct lf_error error;

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint32_t scopes = 0xFFFF;

        assert_int_equal(lf_scopes_parse(ROWS[i].text, &scopes, &error), LF_USAGE);
        assert_int_equal(scopes, 0xFFFF);
        assert_non_null(strstr(error.detail, ROWS[i].named));
        for (const char *const *word = (const char *const[]){"score", "icp:read", "icp:write", "stats:read",
                                                             "leads:read", "leads:write", "admin", NULL};
             *word != NULL; word++)
            assert_non_null(strstr(error.detail, *word));
    }
}

static void
test_scopes_written(void **state)
{
    (void)state;
    for (uint32_t scopes = 0; scopes < 128; scopes++) {
        struct lf_buf buf;
        struct lf_error error;
        uint32_t again = 0;

        lf_buf_init(&buf, NULL, 256);
        lf_scopes_put(&buf, scopes);
        assert_non_null(lf_buf_terminate(&buf));
        if (scopes == 0)
            assert_string_equal(buf.data, "");
        else
            assert_int_equal(lf_scopes_parse(buf.data, &again, &error), LF_OK);
        assert_int_equal(again, scopes);
        if (scopes == (LF_SCOPE_SCORE | LF_SCOPE_STATS_READ | LF_SCOPE_ADMIN))
            assert_string_equal(buf.data, "score,stats:read,admin");
        lf_buf_finish(&buf);
    }
}

static void
test_scopes_implied(void **state)
{
    static const struct {
        uint32_t scopes, all;
    } ROWS[] = {
        {0, 0},
        {LF_SCOPE_SCORE, LF_SCOPE_SCORE},
        {LF_SCOPE_ICP_READ, LF_SCOPE_ICP_READ},
        {LF_SCOPE_ICP_WRITE, LF_SCOPE_ICP_WRITE | LF_SCOPE_ICP_READ},
        {LF_SCOPE_STATS_READ, LF_SCOPE_STATS_READ},
        {LF_SCOPE_LEADS_READ, LF_SCOPE_LEADS_READ},
        {LF_SCOPE_LEADS_WRITE, LF_SCOPE_LEADS_WRITE | LF_SCOPE_LEADS_READ},
        {LF_SCOPE_LEADS_WRITE | LF_SCOPE_SCORE, LF_SCOPE_LEADS_WRITE | LF_SCOPE_LEADS_READ | LF_SCOPE_SCORE},
        {LF_SCOPE_ADMIN, 127},
        {127, 127},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(lf_scopes_implied(ROWS[i].scopes), ROWS[i].all);
}

/* ---- the keyring ---- */

static void
test_each_key_is_its_own(void **state)
{
    struct fixture *f = *state;
    static char texts[MANY][LF_API_KEY_TEXT_MAX];
    static struct lf_stored_key keys[MANY];
    struct lf_keyring *keyring = NULL;

    for (size_t i = 0; i < MANY; i++)
        make_key(f, (uint32_t)i % 128, 0, texts[i], &keys[i]);
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

    make_key(f, LF_SCOPE_ADMIN, 0, text, &key);
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

    make_key(f, LF_SCOPE_ADMIN, 0, text, &key);
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
    uint32_t scopes = 0;

    make_key(f, LF_SCOPE_SCORE, 0, revoked, &key);
    OK(lf_store_revoke_key(f->store, key.id, NOW_MS, &f->error));
    make_key(f, LF_SCOPE_SCORE, NOW_MS + 1000, expires, &key);
    make_key(f, LF_SCOPE_SCORE, 0, forever, &key);
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

    OK(lf_api_key_create("a name", LF_SCOPE_SCORE, NOW_MS, 0, &key, text, &f->error));
    for (int bit = -1; bit < LF_SHA256_SIZE * 8; bit += bit < 0 ? 1 : 13) {
        struct lf_stored_key changed = key;
        struct lf_keyring *keyring = NULL;

        if (bit >= 0)
            changed.secret_hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run_sql(f->path, "DELETE FROM api_key");
        OK(lf_store_create_key(f->store, &changed, &f->error));
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

    make_key(f, LF_SCOPE_SCORE, 0, text, &key);
    make_key(f, LF_SCOPE_SCORE, 0, other, &key);
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

    make_key(f, LF_SCOPE_SCORE, 0, text, &key);
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

    make_key(f, LF_SCOPE_SCORE, 0, text, &key);
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

    make_key(f, LF_SCOPE_SCORE, 0, text, &key);
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

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        STORE_TEST(test_form),
        cmocka_unit_test(test_scopes_read),
        cmocka_unit_test(test_scopes_refused),
        cmocka_unit_test(test_scopes_written),
        cmocka_unit_test(test_scopes_implied),
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
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
