/*
 * test_signature.c - who a delivery is from: the vendors' published vectors, near misses, edges of time, and what is
 * said of each refusal.
 *
 * Against a second implementation, over thousands of deliveries, it is held by tests/oracle/signatures.py.
 */
#include "app/signature.h"
#include "base/base64.h"
#include "base/hash.h"
#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

/* The program's own symbol goes before the library's: so each comparison in constant time is seen here. */
int CRYPTO_memcmp(const void *a, const void *b, size_t len);

static struct {
    int calls, of_digests;
} compared;

int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    int differ = 0;

    compared.calls++;
    compared.of_digests += len == LF_SHA256_SIZE;
    for (size_t i = 0; i < len; i++)
        differ |= x[i] ^ y[i];
    return differ;
}

/* ---- what is signed ---- */

#define HUBSPOT_SECRET "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
#define HUBSPOT_BODY "{'example_field':'example_value'}"
#define HUBSPOT_MS INT64_C(1693657560000)
#define V3 "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="
#define V2 "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"
#define V1 "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"

#define STANDARD_SECRET "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define STANDARD_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define STANDARD_BODY "{\"test\": 2432232314}"
#define STANDARD_S INT64_C(1614265330)
#define STANDARD_V1 "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

enum { HEADERS = 8 };

struct sent {
    const char *pairs[HEADERS * 2]; /* name, value */
};

/* As lf_request_header finds them: whatever their case. */
static const char *
find_header(const void *context, const char *name)
{
    const struct sent *sent = context;

    for (size_t i = 0; i < HEADERS; i++)
        if (sent->pairs[2 * i] != NULL && strcasecmp(sent->pairs[2 * i], name) == 0)
            return sent->pairs[2 * i + 1];
    return NULL;
}

static struct lf_error error;
static struct lf_proof proof;
static struct lf_arena *arena;
static const char *row; /* of a table, that is looked at */

static int
fresh(void **state)
{
    (void)state;
    lf_arena_destroy(arena);
    arena = lf_arena_create(4096, 1 << 24);
    row = "";
    return arena != NULL ? 0 : -1;
}

static struct lf_source
source_of(enum lf_crm crm, uint32_t signatures, const char *secret, const char *other)
{
    struct lf_source source = {.key = "crm", .crm = crm, .signatures = signatures};

    if (secret != NULL)
        source.secrets[source.secret_count++] = (struct lf_stored_secret){secret, strlen(secret)};
    if (other != NULL)
        source.secrets[source.secret_count++] = (struct lf_stored_secret){other, strlen(other)};
    return source;
}

/* A source whose secrets are kept as digests. */
static struct lf_source
hashed_source(enum lf_crm crm, const char *secret, const char *other)
{
    static uint8_t digests[LF_SOURCE_SECRETS_MAX][LF_SHA256_SIZE];
    struct lf_source source = {.key = "crm", .crm = crm};
    const char *secrets[] = {secret, other};

    for (size_t i = 0; i < LF_SOURCE_SECRETS_MAX; i++) {
        if (secrets[i] == NULL)
            continue;
        assert_true(lf_sha256(secrets[i], strlen(secrets[i]), digests[i]));
        source.secrets[source.secret_count++] = (struct lf_stored_secret){digests[i], LF_SHA256_SIZE};
    }
    return source;
}

static struct lf_source
standard_source(void)
{
    static uint8_t secret[LF_WEBHOOK_SECRET_MAX];
    struct lf_source source = {.key = "crm", .crm = LF_CRM_STANDARD, .secret_count = 1};

    assert_true(lf_webhook_secret_read(STANDARD_SECRET, strlen(STANDARD_SECRET), secret, &source.secrets[0].len));
    source.secrets[0].value = secret;
    return source;
}

static struct lf_delivery
hubspot_delivery(const struct sent *sent)
{
    return (struct lf_delivery){.method = "POST",
                                .base_url = "https://www.example.com",
                                .target = "/webhook_uri",
                                .body = HUBSPOT_BODY,
                                .body_len = strlen(HUBSPOT_BODY),
                                .header = find_header,
                                .context = sent,
                                .now_ms = HUBSPOT_MS};
}

static struct lf_delivery
standard_delivery(const struct sent *sent)
{
    return (struct lf_delivery){.method = "POST",
                                .base_url = "https://x.example",
                                .target = "/v1/webhooks/crm",
                                .body = STANDARD_BODY,
                                .body_len = strlen(STANDARD_BODY),
                                .header = find_header,
                                .context = sent,
                                .now_ms = STANDARD_S * 1000};
}

static enum lf_status
check(const struct lf_source *source, const struct lf_delivery *delivery)
{
    error = (struct lf_error){.status = LF_OK};
    proof = (struct lf_proof){.id_len = 77};
    compared.calls = compared.of_digests = 0;
    return lf_signature_check(arena, source, delivery, &proof, &error);
}

#define GOOD(source, delivery)                     \
    do {                                           \
        if (check(source, delivery) != LF_OK)      \
            fail_msg("%s: %s", row, error.detail); \
    } while (0)

/* Refused, with these words, and with nothing in *ret_proof. */
static void
bad(const struct lf_source *source, const struct lf_delivery *delivery, enum lf_status expected, const char *words)
{
    if (check(source, delivery) != expected)
        fail_msg("%s: %s: %s", row, lf_status_word(error.status), error.detail);
    assert_int_equal(error.status, expected);
    assert_int_equal(proof.id_len, 77);
    assert_string_equal(error.pointer, "");
    if (strstr(error.detail, words) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", row, error.detail, words);
    assert_true(strlen(error.detail) < LF_DETAIL_MAX - 1); /* whole, not cut */
}

#define BAD(source, delivery, words) bad(source, delivery, LF_BAD_SIGNATURE, words)

#define TIME_HEADER "X-HubSpot-Request-Timestamp"
#define V3_HEADERS(signature, time)                                \
    {                                                              \
        {                                                          \
            "X-HubSpot-Signature-v3", signature, TIME_HEADER, time \
        }                                                          \
    }
#define OLD_HEADERS(signature, version)                                              \
    {                                                                                \
        {                                                                            \
            "X-HubSpot-Signature", signature, "X-HubSpot-Signature-Version", version \
        }                                                                            \
    }

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

        row = lf_arena_printf(arena, "row %zu", i);
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
        row = lf_arena_printf(arena, "%lld ms", (long long)ROWS[i].off_ms);
        if (ROWS[i].words == NULL) {
            GOOD(&hubspot_source, &delivery);
            GOOD(&other_source, &other);
            continue;
        }
        BAD(&hubspot_source, &delivery, ROWS[i].words);
        BAD(&other_source, &other, ROWS[i].words);
    }
}

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

static int
group_teardown(void **state)
{
    (void)state;
    lf_arena_destroy(arena);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup(function, fresh)

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
        TEST(test_standard_vector),
        TEST(test_standard_signatures),
        TEST(test_standard_headers),
        TEST(test_webhook_secrets),
        TEST(test_mautic),
        TEST(test_basic),
        TEST(test_shared_secrets),
        TEST(test_every_secret_is_tried),
        TEST(test_each_allocation_fails),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
