/*
 * signature_fixture.h - for the tests of app/signature.h: the vendors' published vectors, deliveries made of them, and
 * a count of what is compared in constant time. For one test program a file: it defines a function of libcrypto's.
 */
#ifndef LF_TESTS_SIGNATURE_FIXTURE_H
#define LF_TESTS_SIGNATURE_FIXTURE_H

#include "app/signature.h"
#include "base/hash.h"

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
static inline const char *
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
static struct lf_arena *room;
static const char *row; /* of a table, that is looked at */

static inline int
fresh(void **state)
{
    (void)state;
    lf_arena_destroy(room);
    room = lf_arena_create(4096, 1 << 24);
    row = "";
    return room != NULL ? 0 : -1;
}

static inline struct lf_source
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
static inline struct lf_source
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

static inline struct lf_source
standard_source(void)
{
    static uint8_t secret[LF_WEBHOOK_SECRET_MAX];
    struct lf_source source = {.key = "crm", .crm = LF_CRM_STANDARD, .secret_count = 1};

    assert_true(lf_webhook_secret_read(STANDARD_SECRET, strlen(STANDARD_SECRET), secret, &source.secrets[0].len));
    source.secrets[0].value = secret;
    return source;
}

static inline struct lf_delivery
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

static inline struct lf_delivery
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

static inline enum lf_status
check(const struct lf_source *source, const struct lf_delivery *delivery)
{
    error = (struct lf_error){.status = LF_OK};
    proof = (struct lf_proof){.id_len = 77};
    compared.calls = compared.of_digests = 0;
    return lf_signature_check(room, source, delivery, &proof, &error);
}

#define GOOD(source, delivery)                     \
    do {                                           \
        if (check(source, delivery) != LF_OK)      \
            fail_msg("%s: %s", row, error.detail); \
    } while (0)

/* Refused, with these words, and with nothing in *ret_proof. */
static inline void
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

static inline int
drop_arena(void **state)
{
    (void)state;
    lf_arena_destroy(room);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup(function, fresh)

#endif
