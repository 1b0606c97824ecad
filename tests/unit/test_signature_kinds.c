/* test_signature_kinds.c - who a delivery is from, where it is no HubSpot that signs: Standard Webhooks with their
 * published vector, Mautic, HTTP Basic, shared secrets. */
#include "signature_fixture.h"

#include "base/base64.h"

/* ---- Standard Webhooks ---- */

static void
test_standard_vector(void **state)
{
    const struct sent sent = {
        {"webhook-id", STANDARD_ID, "webhook-timestamp", "1614265330", "webhook-signature", STANDARD_V1}};
    const struct lf_source source = standard_source();
    struct lf_delivery delivery = standard_delivery(&sent);
    char text[LF_SIGNATURE_TEXT_MAX], body[] = STANDARD_BODY;

    (void)state;
    GOOD(&source, &delivery);
    assert_int_equal(proof.id_len, strlen(STANDARD_ID));
    assert_memory_equal(proof.id, STANDARD_ID, strlen(STANDARD_ID));
    assert_true(lf_signature_make(source.secrets[0].value, source.secrets[0].len, STANDARD_ID, STANDARD_S,
                                  STANDARD_BODY, strlen(STANDARD_BODY), text));
    assert_string_equal(text, STANDARD_V1);
    assert_int_equal(strlen(text) + 1, LF_SIGNATURE_TEXT_MAX);
    for (size_t bit = 0; bit < (sizeof body - 1) * 8; bit++) {
        body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
        delivery.body = body;
        BAD(&source, &delivery, "does not fit");
        body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
    }
    delivery.base_url = "http://elsewhere"; /* this one covers no URL */
    GOOD(&source, &delivery);
}

#define OTHER_V1 "v1,AAhM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void
test_standard_signatures(void **state)
{
    static const struct {
        const char *signatures, *words;
    } ROWS[] = {
        {STANDARD_V1 " " OTHER_V1, NULL},
        {OTHER_V1 " " STANDARD_V1, NULL},
        {"v1a,abcd v2,? " STANDARD_V1, NULL},
        {"v1,AAAA v1,?? " STANDARD_V1, NULL}, /* those that are none are not it */
        {OTHER_V1 "  " STANDARD_V1 " ", NULL},
        {OTHER_V1, "does not fit"},
        {OTHER_V1 " " OTHER_V1, "does not fit"},
        {"v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "no signature of version v1"},
        {"v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "no signature of version v1"},
        {"V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "no signature of version v1"},
        {"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "no signature of version v1"},
        {"v1", "no signature of version v1"},
        {"v1,", "no signature of version v1"},
        {" ", "no signature of version v1"},
        {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", "does not fit"},
        {"v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", "does not fit"},
        {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", "does not fit"},
        {"v1, g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "no signature of version v1"},
        {STANDARD_V1 "," STANDARD_V1, "does not fit"},
        {STANDARD_V1 "\t" OTHER_V1, "does not fit"},
    };
    const struct lf_source source = standard_source();

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct sent sent = {
            {"Webhook-Id", STANDARD_ID, "Webhook-Timestamp", "1614265330", "Webhook-Signature", ROWS[i].signatures}};
        const struct lf_delivery delivery = standard_delivery(&sent);

        row = ROWS[i].signatures;
        if (ROWS[i].words == NULL)
            GOOD(&source, &delivery);
        else
            BAD(&source, &delivery, ROWS[i].words);
    }
}

static void
test_standard_headers(void **state)
{
    char longest[258];
    const struct lf_source source = standard_source();
    static const char *const TIMES[] = {"1614265330.0", "-1614265330",    "+1614265330", " 1614265330",
                                        "1614265330 ",  "16142653300000", "161426533o"};
    static const char *const IDS[] = {"a b", "a\tb", "caf\xC3\xA9", " a", "a\x7f"};
    char signature[LF_SIGNATURE_TEXT_MAX];

    (void)state;
    for (size_t absent = 0; absent < 3; absent++) {
        struct sent sent = {
            {"webhook-id", STANDARD_ID, "webhook-timestamp", "1614265330", "webhook-signature", STANDARD_V1}};
        const struct lf_delivery delivery = standard_delivery(&sent);
        char words[64];

        (void)snprintf(words, sizeof words, "the header %s is missing", sent.pairs[2 * absent]);
        sent.pairs[2 * absent + 1] = "";
        BAD(&source, &delivery, words);
        sent.pairs[2 * absent] = NULL;
        BAD(&source, &delivery, words);
    }
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        const struct sent sent = {
            {"webhook-id", STANDARD_ID, "webhook-timestamp", TIMES[i], "webhook-signature", STANDARD_V1}};
        const struct lf_delivery delivery = standard_delivery(&sent);

        BAD(&source, &delivery, "not a time in whole seconds");
    }
    for (size_t i = 0; i < sizeof IDS / sizeof *IDS; i++) {
        const struct sent sent = {
            {"webhook-id", IDS[i], "webhook-timestamp", "1614265330", "webhook-signature", STANDARD_V1}};
        const struct lf_delivery delivery = standard_delivery(&sent);

        BAD(&source, &delivery, "webhook-id has more than 255 characters, or others than visible ASCII");
    }
    for (size_t len = 254; len <= 257; len++) {
        const struct sent sent = {
            {"webhook-id", longest, "webhook-timestamp", "1614265330", "webhook-signature", signature}};
        const struct lf_delivery delivery = standard_delivery(&sent);

        memset(longest, 'x', len);
        longest[len] = '\0';
        assert_true(lf_signature_make(source.secrets[0].value, source.secrets[0].len, longest, STANDARD_S,
                                      STANDARD_BODY, strlen(STANDARD_BODY), signature));
        assert_int_equal(check(&source, &delivery), len <= 255 ? LF_OK : LF_BAD_SIGNATURE);
    }
}

static void
test_webhook_secrets(void **state)
{
    enum { LONGEST = 66 };
    uint8_t bytes[LONGEST], secret[LF_WEBHOOK_SECRET_MAX];
    char text[16 + LF_BASE64_TEXT_MAX(LONGEST)] = "whsec_";
    static const char *const NONE[] = {"",
                                       "whsec_",
                                       "whsec_" STANDARD_SECRET "=",
                                       "whsec_ " STANDARD_SECRET,
                                       "WHSEC_" STANDARD_SECRET,
                                       "whsec-" STANDARD_SECRET,
                                       "whsec_whsec_" STANDARD_SECRET,
                                       STANDARD_SECRET "\n",
                                       "hunter2 is a secret",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS_"};
    size_t len = 99;

    (void)state;
    for (size_t i = 0; i < LONGEST; i++)
        bytes[i] = (uint8_t)(251 - 3 * i);
    for (size_t i = 0; i <= LONGEST; i++) {
        size_t text_len = 6 + lf_base64_encode(bytes, i, text + 6);
        bool fits = i >= 24 && i <= 64;

        for (size_t prefix = 0; prefix <= 6; prefix += 6) {
            len = 99;
            assert_int_equal(lf_webhook_secret_read(text + prefix, text_len - prefix, secret, &len), fits);
            assert_int_equal(len, fits ? i : 99);
            if (fits)
                assert_memory_equal(secret, bytes, i);
        }
    }
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        if (lf_webhook_secret_read(NONE[i], strlen(NONE[i]), secret, &len))
            fail_msg("%s is no secret", NONE[i]);
}

/* ---- Mautic, Basic, shared secrets ---- */

static void
test_mautic(void **state)
{
    /* echo -n 'payload' | openssl dgst -sha256 -hmac 'mautic secret' -binary | base64 */
    static const char SIGNATURE[] = "sYIde92BCmbpOX0zh9fq008rJYH0WGLRjP3O91LUR2c=";
    static const struct sent GOOD_ONE = {{"Webhook-Signature", SIGNATURE}}, NONE = {{NULL}},
                             NO_BASE64 = {{"webhook-signature", "nonsense"}}, OTHER = {{"webhook-signature", V3}};
    const struct lf_source source = source_of(LF_CRM_MAUTIC, 0, "mautic secret", NULL);
    struct lf_delivery delivery = {.method = "POST",
                                   .base_url = "",
                                   .target = "/",
                                   .body = "payload",
                                   .body_len = 7,
                                   .header = find_header,
                                   .context = &GOOD_ONE};

    (void)state;
    GOOD(&source, &delivery);
    assert_null(proof.id); /* it covers no time */
    delivery.body_len = 6;
    BAD(&source, &delivery, "does not fit");
    delivery.body_len = 7;
    delivery.context = &NONE;
    BAD(&source, &delivery, "the header Webhook-Signature is missing");
    delivery.context = &NO_BASE64;
    BAD(&source, &delivery, "not the base 64 of 32 bytes");
    delivery.context = &OTHER;
    BAD(&source, &delivery, "does not fit");
}

static void
test_basic(void **state)
{
    static const struct {
        const char *authorization, *words;
    } ROWS[] = {
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", NULL},
        {"basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", NULL},
        {"BASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ==", NULL},
        {"Basic dXNlcjpwYXNzd29yZA==", NULL}, /* the other secret */
        {NULL, "the header Authorization is missing"},
        {"", "the header Authorization is missing"},
        {"Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "not HTTP Basic"},
        {"Basic", "not HTTP Basic"},
        {"BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==", "not HTTP Basic"},
        {"Basic ", "not those of this source"}, /* the base 64 of nothing */
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "not base 64"},
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZR==", "not base 64"},
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", "not base 64"},
        {"Basic Aladdin:open sesame", "not base 64"},
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZA==", "not those of this source"},
        {"Basic QWxhZGRpbjpvcGVuIHNlc2Ft", "not those of this source"},
        {"Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==", "not those of this source"},
    };
    const struct lf_source source = hashed_source(LF_CRM_PIPEDRIVE, "Aladdin:open sesame", "user:password");
    char endless[8000];
    const struct sent too_long = {{"Authorization", endless}};
    struct lf_delivery delivery = {.method = "POST", .base_url = "", .target = "/", .header = find_header};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct sent sent = {{"Authorization", ROWS[i].authorization}};

        delivery.context = &sent;
        row = ROWS[i].authorization != NULL ? ROWS[i].authorization : "none";
        if (ROWS[i].words == NULL) {
            GOOD(&source, &delivery);
            assert_null(proof.id);
        } else {
            BAD(&source, &delivery, ROWS[i].words);
            assert_null(strstr(error.detail, "sesame"));
        }
    }
    memset(endless, 'A', sizeof endless - 1);
    memcpy(endless, "Basic ", 6);
    endless[sizeof endless - 1] = '\0';
    delivery.context = &too_long;
    BAD(&source, &delivery, "base 64");
}

static void
test_shared_secrets(void **state)
{
    static const enum lf_crm CRMS[] = {LF_CRM_SALESFORCE, LF_CRM_GENERIC};
    static const struct sent RIGHT = {{"x-leadfit-secret", "open sesame"}}, OTHER = {{"X-Leadfit-Secret", "the other"}},
                             WRONG = {{"X-Leadfit-Secret", "open sesamE"}}, EMPTY = {{"X-Leadfit-Secret", ""}},
                             NONE = {{"X-Api-Key", "lf_some_key"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct lf_source source = hashed_source(CRMS[i], "open sesame", "the other");
        struct lf_delivery delivery = {.method = "POST", .base_url = "", .target = "/", .header = find_header};

        delivery.context = &RIGHT;
        GOOD(&source, &delivery);
        assert_null(proof.id);
        delivery.context = &OTHER;
        GOOD(&source, &delivery);
        delivery.context = &WRONG;
        BAD(&source, &delivery, "X-Leadfit-Secret is not a secret of this source");
        delivery.context = &EMPTY;
        bad(&source, &delivery, LF_UNAUTHORIZED, "as X-Leadfit-Secret, or an API key");
        delivery.context = &NONE;
        bad(&source, &delivery, LF_UNAUTHORIZED, "as X-Leadfit-Secret, or an API key");
        source.secret_count = 0;
        bad(&source, &delivery, LF_UNAUTHORIZED, "send an API key with the scope score");
        delivery.context = &RIGHT;
        bad(&source, &delivery, LF_UNAUTHORIZED, "this source has no secret");
    }
}

static int
group_setup(void **state)
{
    (void)state;
    return lf_hash_setup(NULL) == LF_OK ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_standard_vector),  TEST(test_standard_signatures),
        TEST(test_standard_headers), TEST(test_webhook_secrets),
        TEST(test_mautic),           TEST(test_basic),
        TEST(test_shared_secrets),
    };

    return cmocka_run_group_tests(tests, group_setup, drop_arena);
}
