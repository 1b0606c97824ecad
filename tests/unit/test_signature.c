/*
 * test_signature.c - who a delivery is from: HubSpot's signatures with their published vectors and near misses, edges
 * of time, every secret in its turn, and memory. The other kinds have test_signature_kinds.c.
 *
 * Against a second implementation, over thousands of deliveries, it is held by tests/oracle/signatures.py.
 */
#include "signature_fixture.h"

#include "base/base64.h"
#include "faults.h"

/* ---- HubSpot ---- */

static void
test_hubspot_vectors(void **state)
{
    const struct sent v3 = V3_HEADERS(V3, "1693657560000"), v2 = OLD_HEADERS(V2, "v2"), v1 = OLD_HEADERS(V1, "v1");
    const struct lf_source all = source_of(LF_CRM_HUBSPOT, 7, HUBSPOT_SECRET, NULL);
    struct lf_delivery delivery = hubspot_delivery(&v3);
    static const uint8_t DIGEST[] = {0x2b, 0x7e, 0x9d, 0x6b, 0x07, 0xa2, 0xe0, 0x0f, 0x90, 0x04, 0xda,
                                     0x25, 0x50, 0xea, 0xa8, 0xee, 0xcf, 0x75, 0x29, 0x00, 0xd6, 0x43,
                                     0x93, 0x17, 0x67, 0xf4, 0x2e, 0x7c, 0xd6, 0x2e, 0x93, 0xf6};

    (void)state;
    GOOD(&all, &delivery);
    assert_int_equal(proof.id_len, sizeof DIGEST); /* a repeat is known by it */
    assert_memory_equal(proof.id, DIGEST, sizeof DIGEST);
    delivery.context = &v2;
    GOOD(&all, &delivery);
    assert_null(proof.id);
    assert_int_equal(proof.id_len, 0);
    delivery.context = &v1;
    GOOD(&all, &delivery);
    assert_null(proof.id);
}

/* Which versions a source takes, and what comes. */
static void
test_hubspot_versions(void **state)
{
    static const struct sent V3_ONLY = V3_HEADERS(V3, "1693657560000"), V2_ONLY = OLD_HEADERS(V2, "v2"),
                             V1_ONLY = OLD_HEADERS(V1, "v1"), NOTHING = {{NULL}};
    static const struct sent BOTH = {{"x-hubspot-signature-v3", V3, "x-hubspot-request-timestamp", "1693657560000",
                                      "x-hubspot-signature", V1, "x-hubspot-signature-version", "v1"}};
    static const struct sent BAD_V3 = {{"X-HubSpot-Signature-v3",
                                        "A36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=", TIME_HEADER, "1693657560000",
                                        "X-HubSpot-Signature", V1, "X-HubSpot-Signature-Version", "v1"}};
    static const struct {
        uint32_t takes;
        const struct sent *sent;
        const char *words; /* NULL: it is let in */
    } ROWS[] = {
        {LF_HUBSPOT_V3, &V3_ONLY, NULL},
        {LF_HUBSPOT_V3, &BOTH, NULL},
        {LF_HUBSPOT_V3, &NOTHING, "the header X-HubSpot-Signature-v3 is missing"},
        {LF_HUBSPOT_V3, &V2_ONLY, "the header X-HubSpot-Signature-v3 is missing"},
        {LF_HUBSPOT_V3, &V1_ONLY, "the header X-HubSpot-Signature-v3 is missing"},
        {LF_HUBSPOT_V2, &V2_ONLY, NULL},
        {LF_HUBSPOT_V2, &V1_ONLY, "signed with v1, and the source does not take that"},
        {LF_HUBSPOT_V2, &V3_ONLY, "the header X-HubSpot-Signature is missing: this delivery is signed with v3 only"},
        {LF_HUBSPOT_V2, &NOTHING, "the header X-HubSpot-Signature is missing"},
        {LF_HUBSPOT_V1, &V1_ONLY, NULL},
        {LF_HUBSPOT_V1, &BOTH, NULL},
        {LF_HUBSPOT_V1, &BAD_V3, NULL}, /* it is not asked for */
        {LF_HUBSPOT_V1, &V2_ONLY, "signed with v2, and the source does not take that"},
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V2, &V1_ONLY, NULL},
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V2, &V2_ONLY, NULL},
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V3, &V1_ONLY, NULL},
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V3, &V3_ONLY, NULL},
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V3, &NOTHING, "the header X-HubSpot-Signature-v3 is missing"},
        /* Where the stronger one is there, it decides. */
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V3, &BAD_V3, "X-HubSpot-Signature-v3 does not fit"},
        {LF_HUBSPOT_V1 | LF_HUBSPOT_V3, &V2_ONLY, "the header X-HubSpot-Signature-v3 is missing"},
        {LF_HUBSPOT_V2 | LF_HUBSPOT_V3, &V1_ONLY, "signed with v1, and the source does not take that"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_source source = source_of(LF_CRM_HUBSPOT, ROWS[i].takes, HUBSPOT_SECRET, NULL);
        const struct lf_delivery delivery = hubspot_delivery(ROWS[i].sent);

        row = lf_arena_printf(room, "row %zu", i);
        if (ROWS[i].words == NULL)
            GOOD(&source, &delivery);
        else
            BAD(&source, &delivery, ROWS[i].words);
    }
}

static void
test_hubspot_words_that_are_none(void **state)
{
    static const char *const TIMES[] = {"169365756000",   "16936575600000", "1693657560.00", "+693657560000",
                                        "1693657560000 ", " 1693657560000", "169365756000a", "0x93657560000"};
    static const char *const SIGNATURES[] = {"K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y",
                                             "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y==",
                                             "K36dawei4A-QBNolUOqo7s91KQDWQ5MXZ_QufNYuk_Y=",
                                             "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Z=",
                                             (" " V3),
                                             (V3 " "),
                                             "AAAA",
                                             (V3 V3),
                                             V2};
    static const char *const HEX[] = {"4fe4",
                                      (V2 "00"),
                                      (" " V2),
                                      "xfe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383",
                                      "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c38g",
                                      V3};
    static const char *const VERSIONS[] = {"v3", "V2", "2", "v2 ", "v1,v2"};
    const struct lf_source v3 = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V3, HUBSPOT_SECRET, NULL);
    const struct lf_source v2 = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V2, HUBSPOT_SECRET, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        const struct sent sent = V3_HEADERS(V3, TIMES[i]);
        const struct lf_delivery delivery = hubspot_delivery(&sent);

        BAD(&v3, &delivery, "not a time in milliseconds, of 13 digits");
    }
    for (size_t i = 0; i < sizeof SIGNATURES / sizeof *SIGNATURES; i++) {
        const struct sent sent = V3_HEADERS(SIGNATURES[i], "1693657560000");
        const struct lf_delivery delivery = hubspot_delivery(&sent);

        BAD(&v3, &delivery, "X-HubSpot-Signature-v3 is not the base 64 of 32 bytes");
    }
    for (size_t i = 0; i < sizeof HEX / sizeof *HEX; i++) {
        const struct sent sent = OLD_HEADERS(HEX[i], "v2");
        const struct lf_delivery delivery = hubspot_delivery(&sent);

        BAD(&v2, &delivery, "X-HubSpot-Signature is not 64 hexadecimal digits");
    }
    for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++) {
        const struct sent sent = OLD_HEADERS(V2, VERSIONS[i]);
        const struct lf_delivery delivery = hubspot_delivery(&sent);

        BAD(&v2, &delivery, "X-HubSpot-Signature-Version is neither v1 nor v2");
    }
}

static void
test_hubspot_headers_that_are_missing(void **state)
{
    static const struct sent NO_TIME = {{"X-HubSpot-Signature-v3", V3}}, NO_VERSION = {{"X-HubSpot-Signature", V2}},
                             EMPTY = {{"X-HubSpot-Signature-v3", ""}}, EMPTY_TIME = V3_HEADERS(V3, "");
    const struct lf_source v3 = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V3, HUBSPOT_SECRET, NULL);
    const struct lf_source v2 = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V2, HUBSPOT_SECRET, NULL);
    struct lf_delivery delivery = hubspot_delivery(&NO_TIME);

    (void)state;
    BAD(&v3, &delivery, "the header X-HubSpot-Request-Timestamp is missing");
    delivery.context = &EMPTY_TIME;
    BAD(&v3, &delivery, "the header X-HubSpot-Request-Timestamp is missing");
    delivery.context = &EMPTY;
    BAD(&v3, &delivery, "the header X-HubSpot-Signature-v3 is missing");
    delivery.context = &NO_VERSION;
    BAD(&v2, &delivery, "the header X-HubSpot-Signature-Version is missing");
}

/* Every part of what is signed counts. */
static void
test_hubspot_parts(void **state)
{
    const struct sent v3 = V3_HEADERS(V3, "1693657560000"), other_time = V3_HEADERS(V3, "1693657560001"),
                      v2 = OLD_HEADERS(V2, "v2"), v1 = OLD_HEADERS(V1, "v1");
    const struct lf_source all = source_of(LF_CRM_HUBSPOT, 7, HUBSPOT_SECRET, NULL),
                           other = source_of(LF_CRM_HUBSPOT, 7, "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyz", NULL);
    const struct sent *const sents[] = {&v3, &v2, &v1};
    struct lf_delivery delivery = hubspot_delivery(&other_time);

    (void)state;
    BAD(&all, &delivery, "does not fit");
    for (size_t i = 0; i < 3; i++) {
        const bool covers_uri = sents[i] != &v1;
        char body[] = HUBSPOT_BODY;

        delivery = hubspot_delivery(sents[i]);
        GOOD(&all, &delivery);
        BAD(&other, &delivery, "another client secret");
        for (size_t bit = 0; bit < (sizeof body - 1) * 8; bit++) {
            body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
            delivery.body = body;
            BAD(&all, &delivery, "does not fit");
            body[bit / 8] = (char)(body[bit / 8] ^ 1 << bit % 8);
        }
        GOOD(&all, &delivery);
        delivery.body_len--;
        BAD(&all, &delivery, "does not fit");
        delivery.body_len = 0;
        BAD(&all, &delivery, "does not fit");
        delivery = hubspot_delivery(sents[i]);
        delivery.method = "PUT";
        assert_int_equal(check(&all, &delivery), covers_uri ? LF_BAD_SIGNATURE : LF_OK);
        delivery = hubspot_delivery(sents[i]);
        delivery.target = "/webhook_uri?";
        assert_int_equal(check(&all, &delivery), covers_uri ? LF_BAD_SIGNATURE : LF_OK);
        delivery = hubspot_delivery(sents[i]);
        delivery.base_url = "http://www.example.com";
        assert_int_equal(check(&all, &delivery), covers_uri ? LF_BAD_SIGNATURE : LF_OK);
    }
}

/* In version 3 these escapes stand for what they are, whichever case their digits have, and no others. */
static void
test_hubspot_escapes(void **state)
{
    static const struct {
        const char *target, *decoded; /* NULL: it stays */
    } ROWS[] = {
        {"/a%3Ab%2Fc%3Fd%40e%21f%24g%27h%28i%29j%2Ak%2Cl%3Bm", "/a:b/c?d@e!f$g'h(i)j*k,l;m"},
        {"/a%3ab%2fc%3fd%2ak%2cl%3bm", "/a:b/c?d*k,l;m"},
        {"/a%20b%23c%25d%26e%2Bf%3Dg%5Bh%5D%7E", NULL},
        {"/a%253Ab", NULL},           /* once, and not what comes of it */
        {"/a%2525%3Ab", "/a%2525:b"}, /* a percent sign behind one */
        {"/q?x=%3A%3a&y=a+b", "/q?x=::&y=a+b"},
        {"/%C3%A9%2", NULL},
        {"/%", NULL},
        {"/%3", NULL},
        {"/%00%3A", "/%00:"},
    };
    const struct lf_source v3 = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V3, HUBSPOT_SECRET, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *decoded = ROWS[i].decoded != NULL ? ROWS[i].decoded : ROWS[i].target;
        struct lf_hmac_key key;
        uint8_t digest[LF_SHA256_SIZE];
        char message[512], signature[64];
        struct sent sent = V3_HEADERS(signature, "1693657560000");
        struct lf_delivery delivery = hubspot_delivery(&sent);

        (void)snprintf(message, sizeof message, "POSThttps://www.example.com%s" HUBSPOT_BODY "1693657560000", decoded);
        assert_true(lf_hmac_prepare(&key, HUBSPOT_SECRET, strlen(HUBSPOT_SECRET)));
        assert_true(lf_hmac_sha256(&key, message, strlen(message), digest));
        (void)lf_base64_encode(digest, sizeof digest, signature);
        delivery.target = ROWS[i].target;
        row = ROWS[i].target;
        GOOD(&v3, &delivery);
    }
}

/* ---- times ---- */

static void
test_times(void **state)
{
    static const struct {
        int64_t off_ms; /* now, after what was signed */
        const char *words;
    } ROWS[] = {
        {0, NULL},
        {299000, NULL},
        {300000, NULL},
        {300001, "more than 300 seconds ago"},
        {301000, "more than 300 seconds ago"},
        {-299000, NULL},
        {-300000, NULL},
        {-300001, "more than 300 seconds in the future"},
        {-301000, "more than 300 seconds in the future"},
        {INT64_C(86400000) * 36500, "ago"},
    };
    const struct sent v3 = V3_HEADERS(V3, "1693657560000");
    const struct sent standard = {
        {"webhook-id", STANDARD_ID, "webhook-timestamp", "1614265330", "webhook-signature", STANDARD_V1}};
    const struct lf_source hubspot_source = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V3, HUBSPOT_SECRET, NULL),
                           other_source = standard_source();

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_delivery delivery = hubspot_delivery(&v3), other = standard_delivery(&standard);

        delivery.now_ms += ROWS[i].off_ms;
        other.now_ms += ROWS[i].off_ms;
        row = lf_arena_printf(room, "%lld ms", (long long)ROWS[i].off_ms);
        if (ROWS[i].words == NULL) {
            GOOD(&hubspot_source, &delivery);
            GOOD(&other_source, &other);
            continue;
        }
        BAD(&hubspot_source, &delivery, ROWS[i].words);
        BAD(&other_source, &other, ROWS[i].words);
    }
}

/* ---- secrets ---- */

/* Each of two secrets lets in, in either place, and as many digests are compared whichever it was. */
static void
test_every_secret_is_tried(void **state)
{
    const struct sent v3 = V3_HEADERS(V3, "1693657560000"), v2 = OLD_HEADERS(V2, "v2"), v1 = OLD_HEADERS(V1, "v1");
    const struct sent *const sents[] = {&v3, &v2, &v1};
    const struct lf_source first = source_of(LF_CRM_HUBSPOT, 7, HUBSPOT_SECRET, "another"),
                           second = source_of(LF_CRM_HUBSPOT, 7, "another", HUBSPOT_SECRET),
                           neither = source_of(LF_CRM_HUBSPOT, 7, "another", "yet another"),
                           none = source_of(LF_CRM_HUBSPOT, 7, NULL, NULL);
    const struct sent shared = {{"X-Leadfit-Secret", "open sesame"}};
    struct lf_delivery delivery;
    struct lf_source source;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        delivery = hubspot_delivery(sents[i]);
        GOOD(&first, &delivery);
        assert_int_equal(compared.of_digests, 2);
        GOOD(&second, &delivery);
        assert_int_equal(compared.of_digests, 2);
        BAD(&neither, &delivery, "does not fit");
        assert_int_equal(compared.of_digests, 2);
        assert_int_equal(compared.calls, 2);
        BAD(&none, &delivery, "does not fit");
    }
    delivery = (struct lf_delivery){.method = "POST", .base_url = "", .target = "/", .header = find_header};
    delivery.context = &shared;
    source = hashed_source(LF_CRM_GENERIC, "open sesame", "the other");
    GOOD(&source, &delivery);
    assert_int_equal(compared.of_digests, 2);
    source = hashed_source(LF_CRM_GENERIC, "the other", "open sesame");
    GOOD(&source, &delivery);
    assert_int_equal(compared.of_digests, 2);
}

/* ---- memory ---- */

static void
test_each_allocation_fails(void **state)
{
    const struct sent v3 = V3_HEADERS(V3, "1693657560000");
    const struct lf_source source = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V3, HUBSPOT_SECRET, NULL);
    const struct lf_delivery delivery = hubspot_delivery(&v3);
    long n = 0;

    (void)state;
    for (;; n++) {
        enum lf_status status = LF_OK;

        arm(n);
        status = check(&source, &delivery);
        if (!disarm()) {
            assert_int_equal(status, LF_OK);
            break;
        }
        assert_int_equal(status, LF_OUT_OF_MEMORY);
        assert_int_equal(error.status, LF_OUT_OF_MEMORY);
        assert_int_equal(proof.id_len, 77);
    }
    assert_int_equal(n, 2);
}

/* Before the setup libcrypto gives no digest, as it gives none when memory is out. */
static int
group_setup(void **state)
{
    static const struct sent SENTS[] = {
        [LF_CRM_HUBSPOT] = V3_HEADERS(V3, "1693657560000"),
        [LF_CRM_SALESFORCE] = {{"X-Leadfit-Secret", "open sesame"}},
        [LF_CRM_PIPEDRIVE] = {{"Authorization", "Basic dXNlcjpwYXNzd29yZA=="}},
        [LF_CRM_MAUTIC] = {{"Webhook-Signature", V3}},
        [LF_CRM_STANDARD] = {{"webhook-id", "1", "webhook-timestamp", "1693657560", "webhook-signature", STANDARD_V1}},
        [LF_CRM_GENERIC] = {{"X-Leadfit-Secret", "open sesame"}},
    };
    static const struct sent OLD = OLD_HEADERS(V2, "v2");
    /* Longer than a block, so that it is hashed itself before it is a key. */
    const char *secret = "secretsecretsecretsecretsecretsecretsecretsecretsecretsecretsecretsecret";
    char text[LF_SIGNATURE_TEXT_MAX] = "untouched";

    if (fresh(state) != 0)
        return -1;
    for (int crm = 0; crm < LF_CRM_COUNT; crm++) {
        const struct lf_source source = source_of((enum lf_crm)crm, LF_HUBSPOT_V3, secret, NULL);
        const struct lf_delivery delivery = hubspot_delivery(&SENTS[crm]);

        if (check(&source, &delivery) != LF_OUT_OF_MEMORY || error.status != LF_OUT_OF_MEMORY)
            return -1;
    }
    const struct lf_source source = source_of(LF_CRM_HUBSPOT, LF_HUBSPOT_V2, secret, NULL);
    const struct lf_delivery delivery = hubspot_delivery(&OLD);
    if (check(&source, &delivery) != LF_OUT_OF_MEMORY || lf_signature_make(secret, 8, "id", 1, "", 0, text) ||
        lf_signature_make(secret, 72, "id", 1, "", 0, text) || strcmp(text, "untouched") != 0)
        return -1;
    return lf_hash_setup(NULL) == LF_OK ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hubspot_vectors),
        TEST(test_hubspot_versions),
        TEST(test_hubspot_words_that_are_none),
        TEST(test_hubspot_headers_that_are_missing),
        TEST(test_hubspot_parts),
        TEST(test_hubspot_escapes),
        TEST(test_times),
        TEST(test_every_secret_is_tried),
        TEST(test_each_allocation_fails),
    };

    return cmocka_run_group_tests(tests, group_setup, drop_arena);
}
