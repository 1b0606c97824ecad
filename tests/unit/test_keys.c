/* test_keys.c - API keys: their form, their check sum, their scopes. */
#include "app/keys.h"
#include "base/hash.h"
#include "store_fixture.h"
#include "support.h"

enum { KEY_LEN = 54, ID_AT = 3, SECRET_AT = 11, CRC_AT = 47, MANY = 200 };

#define NOW_MS INT64_C(1780000000000)

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

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

/* ---- reading ---- */

/* What is not the text of a key is told from it before anybody is asked; the caller's places stay as they were. */
static void
test_read(void **state)
{
    struct lf_stored_key key;
    struct lf_error error;
    char text[LF_API_KEY_TEXT_MAX], id[LF_API_KEY_ID_MAX + 1] = "untouched";
    uint8_t hash[LF_SHA256_SIZE] = {77};

    (void)state;
    assert_int_equal(lf_api_key_create("n", LF_SCOPE_SCORE, NOW_MS, 0, &key, text, &error), LF_OK);
    for (size_t at = 0; at < KEY_LEN; at++) {
        char slip[LF_API_KEY_TEXT_MAX];

        memcpy(slip, text, sizeof slip);
        slip[at] = slip[at] == '0' ? '1' : '0';
        assert_int_equal(lf_api_key_read(slip, id, hash), LF_UNAUTHORIZED);
    }
    assert_int_equal(lf_api_key_read("", id, hash), LF_UNAUTHORIZED);
    assert_string_equal(id, "untouched");
    assert_int_equal(hash[0], 77);
    assert_int_equal(lf_api_key_read(text, id, hash), LF_OK);
    assert_string_equal(id, key.id);
    assert_memory_equal(hash, key.secret_hash, sizeof hash);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test_setup_teardown(test_form, setup, teardown),
        cmocka_unit_test(test_scopes_read),
        cmocka_unit_test(test_scopes_refused),
        cmocka_unit_test(test_scopes_written),
        cmocka_unit_test(test_scopes_implied),
        cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
