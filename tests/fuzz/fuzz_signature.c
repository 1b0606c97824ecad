/*
 * fuzz_signature.c - libFuzzer on the checking of signatures, with hostile headers.
 *
 * The first byte says of which kind the source is and which of HubSpot's versions it takes, the second one how many
 * secrets it has. Then come headers, one a line as `name:value`, an empty line, and the body; the target is that of a
 * header `target`. Whoever does not know the secrets is never let in. The same bytes are then signed well, which must
 * be let in, and with one bit turned around, which must not.
 */
#include "app/signature.h"
#include "base/base64.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 16, NOW_S = 1700000000, SECRET_LEN = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct header {
    const char *name, *value;
};

struct headers {
    struct header items[HEADERS_MAX];
    size_t count;
};

static const uint8_t SECRETS[LF_SOURCE_SECRETS_MAX][SECRET_LEN + 1] = {"one secret, 24 bytes it.",
                                                                       "two secret, 24 bytes it."};

static void
require(int holds)
{
    if (!holds)
        abort();
}

static const char *
find_header(const void *context, const char *name)
{
    const struct headers *headers = context;

    for (size_t i = 0; i < headers->count; i++)
        if (strcasecmp(headers->items[i].name, name) == 0)
            return headers->items[i].value;
    return NULL;
}

/* Puts a header in front of all, where it is found first. */
static void
put_first(struct headers *headers, const char *name, const char *value)
{
    if (headers->count == HEADERS_MAX)
        headers->count--;
    memmove(&headers->items[1], &headers->items[0], headers->count * sizeof headers->items[0]);
    headers->items[0] = (struct header){name, value};
    headers->count++;
}

/* Cuts the lines up to an empty one into headers; what is behind it. */
static char *
read_headers(char *text, struct headers *headers)
{
    while (*text != '\0' && *text != '\n') {
        char *end = text + strcspn(text, "\n"), *next = *end == '\n' ? end + 1 : end, *colon = NULL;

        *end = '\0';
        colon = strchr(text, ':');
        if (colon != NULL && headers->count < HEADERS_MAX) {
            *colon = '\0';
            headers->items[headers->count++] = (struct header){text, colon + 1};
        }
        text = next;
    }
    return *text == '\n' ? text + 1 : text;
}

static enum lf_status
check(struct lf_arena *arena, const struct lf_source *source, const struct lf_delivery *delivery)
{
    struct lf_proof proof = {NULL, 0};
    struct lf_error error = {.detail = ""};
    enum lf_status status = lf_signature_check(arena, source, delivery, &proof, &error);
    const struct headers *headers = delivery->context;

    require(status == LF_OK || status == LF_BAD_SIGNATURE || status == LF_UNAUTHORIZED);
    require((proof.id == NULL) == (proof.id_len == 0) && proof.id_len <= 255);
    require(status == LF_OK || (proof.id_len == 0 && error.status == status && error.detail[0] != '\0'));
    for (size_t i = 0; i < headers->count; i++) /* too long to stand in a sentence of ours by chance */
        require(strlen(headers->items[i].value) < 30 || strstr(error.detail, headers->items[i].value) == NULL);
    for (size_t i = 0; i < LF_SOURCE_SECRETS_MAX; i++)
        require(strstr(error.detail, (const char *)SECRETS[i]) == NULL);
    return status;
}

/* A sender who knows the last secret: the headers for each kind, in texts that the caller keeps. The digest is in
 * `signature` from *ret_digest on. */
static void
sign(const struct lf_source *source, const struct lf_delivery *delivery, struct headers *headers, char signature[128],
     size_t *ret_digest)
{
    const uint8_t *secret = SECRETS[source->secret_count - 1];
    char *message = malloc(delivery->body_len + 64);
    struct lf_hmac_key key;
    uint8_t digest[LF_SHA256_SIZE];
    int head = 0;

    require(message != NULL && lf_hmac_prepare(&key, secret, SECRET_LEN));
    *ret_digest = 0;
    if (source->crm == LF_CRM_STANDARD || source->crm == LF_CRM_MAUTIC) {
        if (source->crm == LF_CRM_STANDARD) {
            head = snprintf(message, 64, "an-id.%d.", NOW_S);
            *ret_digest = (size_t)snprintf(signature, 128, "v0,x v1,");
            put_first(headers, "webhook-id", "an-id");
            put_first(headers, "webhook-timestamp", "1700000000");
        }
        memcpy(message + head, delivery->body, delivery->body_len);
        require(lf_hmac_sha256(&key, message, (size_t)head + delivery->body_len, digest));
        (void)lf_base64_encode(digest, sizeof digest, signature + *ret_digest);
        put_first(headers, "webhook-signature", signature);
    } else if (source->crm == LF_CRM_HUBSPOT) { /* version 1: it needs neither method nor target */
        memcpy(message, secret, SECRET_LEN);
        memcpy(message + SECRET_LEN, delivery->body, delivery->body_len);
        require(lf_sha256(message, SECRET_LEN + delivery->body_len, digest));
        for (size_t i = 0; i < sizeof digest; i++)
            (void)snprintf(signature + 2 * i, 3, "%02x", digest[i]);
        put_first(headers, "X-HubSpot-Signature-v3", "");
        put_first(headers, "X-HubSpot-Signature", signature);
        put_first(headers, "X-HubSpot-Signature-Version", "v1");
    } else if (source->crm == LF_CRM_PIPEDRIVE) {
        *ret_digest = (size_t)snprintf(signature, 128, "Basic ");
        (void)lf_base64_encode(secret, SECRET_LEN, signature + *ret_digest);
        put_first(headers, "Authorization", signature);
    } else {
        (void)snprintf(signature, 128, "%s", (const char *)secret);
        put_first(headers, "X-Leadfit-Secret", signature);
    }
    free(message);
}

static void
try_delivery(struct lf_arena *arena, struct lf_source *source, struct lf_delivery *delivery, struct headers *headers,
             unsigned turn)
{
    uint8_t digests[LF_SOURCE_SECRETS_MAX][LF_SHA256_SIZE];
    bool hashed = source->crm == LF_CRM_PIPEDRIVE || source->crm == LF_CRM_SALESFORCE || source->crm == LF_CRM_GENERIC;
    char signature[128];
    size_t at = 0;

    for (size_t i = 0; i < source->secret_count; i++) {
        require(lf_sha256(SECRETS[i], SECRET_LEN, digests[i]));
        source->secrets[i] = hashed ? (struct lf_stored_secret){digests[i], LF_SHA256_SIZE}
                                    : (struct lf_stored_secret){SECRETS[i], SECRET_LEN};
    }
    /* The input may name a secret that is sent as it is, and knows no other way. */
    if (check(arena, source, delivery) == LF_OK)
        require(hashed);
    if (source->secret_count == 0)
        return;
    source->signatures |= LF_HUBSPOT_V1;
    sign(source, delivery, headers, signature, &at);
    require(check(arena, source, delivery) == LF_OK);
    at += turn % (strlen(signature) - at);
    if (signature[at] == '=' || (source->crm == LF_CRM_HUBSPOT && signature[at] >= 'a'))
        return; /* hexadecimal digits may be written either way */
    signature[at] = (char)(signature[at] ^ 1 << turn / 64 % 7);
    if (signature[at] != '\0' && signature[at] != ' ')
        require(check(arena, source, delivery) != LF_OK);
}

/* Base 64 and secrets as they come: what is read is what it would be written as. */
static void
try_text(const char *text, size_t len)
{
    uint8_t *bytes = malloc(len + 1), secret[LF_WEBHOOK_SECRET_MAX];
    char *again = malloc(LF_BASE64_TEXT_MAX(len));
    size_t got = 0;

    require(bytes != NULL && again != NULL);
    if (lf_base64_decode(text, len, bytes, len, &got))
        require(lf_base64_encode(bytes, got, again) == len && memcmp(again, text, len) == 0);
    if (lf_webhook_secret_read(text, len, secret, &got))
        require(got >= 24 && got <= sizeof secret);
    free(bytes);
    free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lf_arena *arena = lf_arena_create(4096, 1 << 24);
    char *text = malloc(size + 1), *body = NULL;
    struct headers headers = {.count = 0};
    struct lf_source source = {.key = "crm"};
    struct lf_delivery delivery = {.method = "POST",
                                   .base_url = "https://crm.example",
                                   .target = "/",
                                   .header = find_header,
                                   .context = &headers,
                                   .now_ms = NOW_S * INT64_C(1000)};

    require(arena != NULL && text != NULL && lf_hash_setup(NULL) == LF_OK);
    if (size >= 2) {
        memcpy(text, data + 2, size - 2);
        text[size - 2] = '\0';
        try_text(text, size - 2);
        source.crm = (enum lf_crm)(data[0] % LF_CRM_COUNT);
        source.signatures = (uint32_t)data[0] / LF_CRM_COUNT % 8;
        source.secret_count = data[1] % (LF_SOURCE_SECRETS_MAX + 1);
        body = read_headers(text, &headers);
        if (find_header(&headers, "target") != NULL)
            delivery.target = find_header(&headers, "target");
        delivery.body_len = size - 2 - (size_t)(body - text);
        delivery.body = data + size - delivery.body_len; /* in its own memory, for a sanitizer to see its end */
        try_delivery(arena, &source, &delivery, &headers, (unsigned)(data[0] * 256 + data[1]));
    }
    free(text);
    lf_arena_destroy(arena);
    return 0;
}
