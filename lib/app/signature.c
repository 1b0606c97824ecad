/*
 * signature.c - see signature.h.
 *
 * Nothing here ends early because of what a secret is: each one is tried whatever the others said, and digests are
 * compared as bytes in constant time, after their text was decoded to the letter. What is said of a refusal is a
 * sentence of ours alone, for it is answered to strangers and kept for people to read.
 */
#include "app/signature.h"

#include "base/base64.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    SECRET_MIN = 24,       /* of Standard Webhooks, bytes */
    BASIC_MAX = 4096,      /* bytes of user:password; a secret of ours has 800 at most */
    HUBSPOT_TIME_LEN = 13, /* milliseconds: until the year 2286 */
    SECONDS_LEN_MAX = 12,
    ID_MAX = 255,
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while checking a signature");
}

static enum lf_status
missing(const char *header, struct lf_error *error)
{
    return lf_fail(error, LF_BAD_SIGNATURE, "the header %s is missing: this source takes signed deliveries only",
                   header);
}

/* A header with something in it; NULL else. */
static const char *
header_of(const struct lf_delivery *delivery, const char *name)
{
    const char *value = delivery->header(delivery->context, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Digits alone, of low..high characters. */
static bool
read_digits(const char *text, size_t low, size_t high, int64_t *ret_value)
{
    size_t len = strspn(text, "0123456789");
    int64_t value = 0;

    if (text[len] != '\0' || len < low || len > high)
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (text[i] - '0');
    *ret_value = value;
    return true;
}

/* Whether a time that was signed is near enough to now. */
static enum lf_status
check_time(const char *header, int64_t at_ms, int64_t now_ms, struct lf_error *error)
{
    if (at_ms < now_ms - LF_SIGNATURE_MS)
        return lf_fail(error, LF_BAD_SIGNATURE,
                       "%s is more than %d seconds ago: it was sent too late or repeated, or a clock is wrong", header,
                       LF_SIGNATURE_MS / 1000);
    if (at_ms > now_ms + LF_SIGNATURE_MS)
        return lf_fail(error, LF_BAD_SIGNATURE,
                       "%s is more than %d seconds in the future: the sender's clock or this one is wrong", header,
                       LF_SIGNATURE_MS / 1000);
    return LF_OK;
}

/* ---- digests, compared with those under each secret ---- */

/* What a digest should be, for each secret of the source. */
struct expected {
    uint8_t digests[LF_SOURCE_SECRETS_MAX][LF_SHA256_SIZE];
    size_t count;
};

/* The HMACs of a message. false when libcrypto fails. */
static bool
hmac_under_each(const struct lf_source *source, const struct lf_piece *pieces, size_t count,
                struct expected *ret_expected)
{
    struct lf_hmac_key key;
    bool fine = true;

    ret_expected->count = source->secret_count;
    for (size_t i = 0; fine && i < source->secret_count; i++)
        fine = lf_hmac_prepare(&key, source->secrets[i].value, source->secrets[i].len) &&
               lf_hmac_sha256_pieces(&key, pieces, count, ret_expected->digests[i]);
    explicit_bzero(&key, sizeof key);
    return fine;
}

/* Whether the digest is one of these; in the same time whichever it is. */
static bool
is_expected(const struct expected *expected, const uint8_t digest[LF_SHA256_SIZE])
{
    unsigned found = 0;

    for (size_t i = 0; i < expected->count; i++)
        found |= lf_equal_constant_time(expected->digests[i], digest, LF_SHA256_SIZE) ? 1U : 0U;
    return found != 0;
}

static bool
read_base64(const char *text, size_t len, uint8_t ret_digest[LF_SHA256_SIZE])
{
    size_t size = 0;

    return lf_base64_decode(text, len, ret_digest, LF_SHA256_SIZE, &size) && size == LF_SHA256_SIZE;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
read_hex(const char *text, uint8_t ret_digest[LF_SHA256_SIZE])
{
    if (strlen(text) != LF_SHA256_SIZE * 2)
        return false;
    for (size_t i = 0; i < LF_SHA256_SIZE; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret_digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* ---- HubSpot ---- */

/* What stands for itself once it is decoded; all other escapes stay as they are. */
static bool
is_decoded(int c)
{
    return c > 0 && strchr(":/?@!$'()*,;", c) != NULL;
}

/* The URI as version 3 signs it. NULL: out of memory. */
static const char *
decoded_uri(struct lf_arena *arena, const char *base_url, const char *target)
{
    char *uri = lf_arena_printf(arena, "%s%s", base_url, target), *to = uri;

    for (const char *from = uri; from != NULL && *from != '\0'; to++) {
        int high = *from == '%' ? hex_value(from[1]) : -1, low = high >= 0 ? hex_value(from[2]) : -1;

        if (low >= 0 && is_decoded(high << 4 | low)) {
            *to = (char)(high << 4 | low);
            from += 3;
        } else {
            *to = *from++;
        }
    }
    if (to != NULL)
        *to = '\0';
    return uri;
}

static enum lf_status
check_hubspot_v3(struct lf_arena *arena, const struct lf_source *source, const struct lf_delivery *delivery,
                 const char *signature, struct lf_proof *ret_proof, struct lf_error *error)
{
    static const char TIME[] = "X-HubSpot-Request-Timestamp";
    const char *time = header_of(delivery, TIME), *uri = NULL;
    uint8_t *digest = lf_arena_alloc(arena, LF_SHA256_SIZE);
    struct expected expected;
    int64_t at_ms = 0;
    enum lf_status status = LF_OK;

    if (digest == NULL)
        return out_of_memory(error);
    if (!read_base64(signature, strlen(signature), digest))
        return lf_fail(error, LF_BAD_SIGNATURE, "X-HubSpot-Signature-v3 is not the base 64 of 32 bytes");
    if (time == NULL)
        return missing(TIME, error);
    if (!read_digits(time, HUBSPOT_TIME_LEN, HUBSPOT_TIME_LEN, &at_ms))
        return lf_fail(error, LF_BAD_SIGNATURE, "%s is not a time in milliseconds, of %d digits", TIME,
                       HUBSPOT_TIME_LEN);
    status = check_time(TIME, at_ms, delivery->now_ms, error);
    if (status != LF_OK)
        return status;
    uri = decoded_uri(arena, delivery->base_url, delivery->target);
    if (uri == NULL || !hmac_under_each(source,
                                        (const struct lf_piece[]){{delivery->method, strlen(delivery->method)},
                                                                  {uri, strlen(uri)},
                                                                  {delivery->body, delivery->body_len},
                                                                  {time, strlen(time)}},
                                        4, &expected))
        return out_of_memory(error);
    if (!is_expected(&expected, digest))
        return lf_fail(error, LF_BAD_SIGNATURE,
                       "X-HubSpot-Signature-v3 does not fit: it was made with another client secret than the source's, "
                       "for another URL than public_url and this path (with https, as HubSpot calls it), or for other "
                       "bytes");
    *ret_proof = (struct lf_proof){digest, LF_SHA256_SIZE};
    return LF_OK;
}

/* Versions 1 and 2: a hash with the secret in front. */
static enum lf_status
check_hubspot_old(const struct lf_source *source, const struct lf_delivery *delivery, uint32_t version,
                  const char *signature, struct lf_error *error)
{
    uint8_t digest[LF_SHA256_SIZE];
    struct expected expected = {.count = source->secret_count};
    bool whole = version == LF_HUBSPOT_V2;

    if (!read_hex(signature, digest))
        return lf_fail(error, LF_BAD_SIGNATURE, "X-HubSpot-Signature is not 64 hexadecimal digits");
    for (size_t i = 0; i < source->secret_count; i++) {
        const struct lf_piece pieces[] = {{source->secrets[i].value, source->secrets[i].len},
                                          {delivery->method, whole ? strlen(delivery->method) : 0},
                                          {delivery->base_url, whole ? strlen(delivery->base_url) : 0},
                                          {delivery->target, whole ? strlen(delivery->target) : 0},
                                          {delivery->body, delivery->body_len}};

        if (!lf_sha256_pieces(pieces, sizeof pieces / sizeof *pieces, expected.digests[i]))
            return out_of_memory(error);
    }
    if (is_expected(&expected, digest))
        return LF_OK;
    return whole ? lf_fail(error, LF_BAD_SIGNATURE,
                           "X-HubSpot-Signature (v2) does not fit: it was made with another client secret than the "
                           "source's, for another URL than public_url and this path, or for other bytes")
                 : lf_fail(error, LF_BAD_SIGNATURE,
                           "X-HubSpot-Signature (v1) does not fit: it was made with another client secret than the "
                           "source's, or for other bytes");
}

/* HubSpot sends version 3 beside an older one. Where the source takes version 3 and it is there, it decides: what is
 * weaker is not asked then. */
static enum lf_status
check_hubspot(struct lf_arena *arena, const struct lf_source *source, const struct lf_delivery *delivery,
              struct lf_proof *ret_proof, struct lf_error *error)
{
    const char *v3 = header_of(delivery, "X-HubSpot-Signature-v3"), *old = header_of(delivery, "X-HubSpot-Signature"),
               *word = header_of(delivery, "X-HubSpot-Signature-Version");
    bool takes_v3 = (source->signatures & LF_HUBSPOT_V3) != 0;
    uint32_t version = word == NULL              ? 0
                       : strcmp(word, "v1") == 0 ? LF_HUBSPOT_V1
                       : strcmp(word, "v2") == 0 ? LF_HUBSPOT_V2
                                                 : 0;

    if (takes_v3 && v3 != NULL)
        return check_hubspot_v3(arena, source, delivery, v3, ret_proof, error);
    if (source->signatures == LF_HUBSPOT_V3)
        return old == NULL ? missing("X-HubSpot-Signature-v3", error)
                           : lf_fail(error, LF_BAD_SIGNATURE,
                                     "the header X-HubSpot-Signature-v3 is missing: this delivery has an older "
                                     "signature only, and the source takes v3 (its \"signatures\" say which it takes)");
    if (old == NULL)
        return v3 == NULL ? missing(takes_v3 ? "X-HubSpot-Signature-v3" : "X-HubSpot-Signature", error)
                          : lf_fail(error, LF_BAD_SIGNATURE,
                                    "the header X-HubSpot-Signature is missing: this delivery is signed with v3 only, "
                                    "and the source does not take that (its \"signatures\" say which it takes)");
    if (word == NULL)
        return missing("X-HubSpot-Signature-Version", error);
    if (version == 0)
        return lf_fail(error, LF_BAD_SIGNATURE, "X-HubSpot-Signature-Version is neither v1 nor v2");
    if ((source->signatures & version) == 0)
        return lf_fail(error, LF_BAD_SIGNATURE,
                       "this delivery is signed with %s, and the source does not take that (its \"signatures\" say "
                       "which it takes)%s",
                       version == LF_HUBSPOT_V1 ? "v1" : "v2",
                       takes_v3 ? "; the header X-HubSpot-Signature-v3 is missing" : "");
    return check_hubspot_old(source, delivery, version, old, error);
}

/* ---- Standard Webhooks, Mautic ---- */

static bool
is_id(const char *id)
{
    size_t len = strlen(id);

    for (size_t i = 0; i < len; i++)
        if (id[i] <= ' ' || id[i] > '~')
            return false;
    return len <= ID_MAX;
}

/* Whether one of the signatures ("v1,… v1,…") is expected. Those of other versions are passed over. */
static bool
has_expected(const char *signatures, const struct expected *expected, bool *ret_any)
{
    unsigned found = 0;

    *ret_any = false;
    for (const char *at = signatures; *at != '\0';) {
        size_t len = strcspn(at, " ");
        uint8_t digest[LF_SHA256_SIZE];

        if (len > 3 && memcmp(at, "v1,", 3) == 0) {
            *ret_any = true;
            if (read_base64(at + 3, len - 3, digest))
                found |= is_expected(expected, digest) ? 1U : 0U;
        }
        at += len;
        at += strspn(at, " ");
    }
    return found != 0;
}

static enum lf_status
check_standard(const struct lf_source *source, const struct lf_delivery *delivery, struct lf_proof *ret_proof,
               struct lf_error *error)
{
    const char *id = header_of(delivery, "webhook-id"), *time = header_of(delivery, "webhook-timestamp"),
               *signatures = header_of(delivery, "webhook-signature");
    struct expected expected;
    bool any = false;
    int64_t at_s = 0;
    enum lf_status status = LF_OK;

    if (id == NULL || time == NULL || signatures == NULL)
        return missing(id == NULL ? "webhook-id" : time == NULL ? "webhook-timestamp" : "webhook-signature", error);
    if (!is_id(id))
        return lf_fail(error, LF_BAD_SIGNATURE, "webhook-id has more than %d characters, or others than visible ASCII",
                       ID_MAX);
    if (!read_digits(time, 1, SECONDS_LEN_MAX, &at_s))
        return lf_fail(error, LF_BAD_SIGNATURE, "webhook-timestamp is not a time in whole seconds");
    status = check_time("webhook-timestamp", at_s * 1000, delivery->now_ms, error);
    if (status != LF_OK)
        return status;
    if (!hmac_under_each(
            source,
            (const struct lf_piece[]){
                {id, strlen(id)}, {".", 1}, {time, strlen(time)}, {".", 1}, {delivery->body, delivery->body_len}},
            5, &expected))
        return out_of_memory(error);
    if (!has_expected(signatures, &expected, &any))
        return any ? lf_fail(
                         error, LF_BAD_SIGNATURE,
                         "webhook-signature does not fit: it was made with another secret than the source's, or for "
                         "other bytes")
                   : lf_fail(error, LF_BAD_SIGNATURE,
                             "webhook-signature holds no signature of version v1: \"v1,\" and base 64");
    *ret_proof = (struct lf_proof){id, strlen(id)};
    return LF_OK;
}

static enum lf_status
check_mautic(const struct lf_source *source, const struct lf_delivery *delivery, struct lf_error *error)
{
    const char *signature = header_of(delivery, "Webhook-Signature");
    uint8_t digest[LF_SHA256_SIZE];
    struct expected expected;

    if (signature == NULL)
        return missing("Webhook-Signature", error);
    if (!read_base64(signature, strlen(signature), digest))
        return lf_fail(error, LF_BAD_SIGNATURE, "Webhook-Signature is not the base 64 of 32 bytes");
    if (!hmac_under_each(source, &(const struct lf_piece){delivery->body, delivery->body_len}, 1, &expected))
        return out_of_memory(error);
    if (is_expected(&expected, digest))
        return LF_OK;
    return lf_fail(error, LF_BAD_SIGNATURE,
                   "Webhook-Signature does not fit: it was made with another secret than the source's, or for other "
                   "bytes");
}

/* ---- secrets that are sent as they are ---- */

/* Whether the text is one of those whose SHA-256 the source has; false also when libcrypto fails, with OUT_OF_MEMORY in
 * *ret_status. */
static bool
is_secret(const struct lf_source *source, const void *text, size_t len, enum lf_status *ret_status)
{
    uint8_t digest[LF_SHA256_SIZE];
    unsigned found = 0;

    if (!lf_sha256(text, len, digest)) {
        *ret_status = LF_OUT_OF_MEMORY;
        return false;
    }
    for (size_t i = 0; i < source->secret_count; i++)
        found |= source->secrets[i].len == LF_SHA256_SIZE &&
                         lf_equal_constant_time(digest, source->secrets[i].value, LF_SHA256_SIZE)
                     ? 1U
                     : 0U;
    return found != 0;
}

static enum lf_status
check_basic(const struct lf_source *source, const struct lf_delivery *delivery, struct lf_error *error)
{
    const char *authorization = header_of(delivery, "Authorization");
    char pair[BASIC_MAX];
    size_t len = 0;
    enum lf_status status = LF_BAD_SIGNATURE;
    bool known = false;

    if (authorization == NULL)
        return lf_fail(error, LF_BAD_SIGNATURE,
                       "the header Authorization is missing: give the webhook the user and password of this source");
    if (strncasecmp(authorization, "Basic ", 6) != 0)
        return lf_fail(error, LF_BAD_SIGNATURE,
                       "Authorization is not HTTP Basic: give the webhook the user and password of this source");
    authorization += 6 + strspn(authorization + 6, " ");
    if (!lf_base64_decode(authorization, strlen(authorization), pair, sizeof pair, &len))
        return lf_fail(error, LF_BAD_SIGNATURE, "Authorization: what stands behind Basic is not base 64");
    known = is_secret(source, pair, len, &status);
    explicit_bzero(pair, sizeof pair);
    if (known)
        return LF_OK;
    return status == LF_OUT_OF_MEMORY
               ? out_of_memory(error)
               : lf_fail(error, LF_BAD_SIGNATURE, "user and password are not those of this source");
}

static enum lf_status
check_shared(const struct lf_source *source, const struct lf_delivery *delivery, struct lf_error *error)
{
    const char *secret = header_of(delivery, "X-Leadfit-Secret");
    enum lf_status status = LF_BAD_SIGNATURE;

    if (secret == NULL || source->secret_count == 0)
        return lf_fail(error, LF_UNAUTHORIZED,
                       source->secret_count > 0
                           ? "send the secret of this source as X-Leadfit-Secret, or an API key with the scope score"
                           : "send an API key with the scope score: this source has no secret");
    if (is_secret(source, secret, strlen(secret), &status))
        return LF_OK;
    return status == LF_OUT_OF_MEMORY
               ? out_of_memory(error)
               : lf_fail(error, LF_BAD_SIGNATURE, "X-Leadfit-Secret is not a secret of this source");
}

enum lf_status
lf_signature_check(struct lf_arena *arena, const struct lf_source *source, const struct lf_delivery *delivery,
                   struct lf_proof *ret_proof, struct lf_error *error)
{
    struct lf_proof proof = {NULL, 0};
    enum lf_status status = LF_OK;

    switch (source->crm) {
    case LF_CRM_HUBSPOT:
        status = check_hubspot(arena, source, delivery, &proof, error);
        break;
    case LF_CRM_STANDARD:
        status = check_standard(source, delivery, &proof, error);
        break;
    case LF_CRM_MAUTIC:
        status = check_mautic(source, delivery, error);
        break;
    case LF_CRM_PIPEDRIVE:
        status = check_basic(source, delivery, error);
        break;
    case LF_CRM_SALESFORCE:
    case LF_CRM_GENERIC:
        status = check_shared(source, delivery, error);
        break;
    case LF_CRM_COUNT:
        status = lf_fail(error, LF_INTERNAL, "a source of no kind");
        break;
    }
    if (status == LF_OK)
        *ret_proof = proof;
    return status;
}

/* ---- making ---- */

bool
lf_signature_make(const void *secret, size_t secret_len, const char *id, int64_t timestamp_s, const void *body,
                  size_t body_len, char ret_text[LF_SIGNATURE_TEXT_MAX])
{
    struct lf_hmac_key key;
    uint8_t digest[LF_SHA256_SIZE];
    char time[24];
    int time_len = snprintf(time, sizeof time, ".%" PRId64 ".", timestamp_s);
    const struct lf_piece pieces[] = {{id, strlen(id)}, {time, (size_t)time_len}, {body, body_len}};
    bool fine = lf_hmac_prepare(&key, secret, secret_len) && lf_hmac_sha256_pieces(&key, pieces, 3, digest);

    explicit_bzero(&key, sizeof key);
    if (!fine)
        return false;
    memcpy(ret_text, "v1,", 3);
    (void)lf_base64_encode(digest, sizeof digest, ret_text + 3);
    return true;
}

bool
lf_webhook_secret_read(const char *text, size_t len, uint8_t ret_secret[LF_WEBHOOK_SECRET_MAX], size_t *ret_len)
{
    static const char PREFIX[] = "whsec_";
    size_t prefix = len >= sizeof PREFIX - 1 && memcmp(text, PREFIX, sizeof PREFIX - 1) == 0 ? sizeof PREFIX - 1 : 0;
    uint8_t secret[LF_WEBHOOK_SECRET_MAX];
    size_t secret_len = 0;
    bool fine =
        lf_base64_decode(text + prefix, len - prefix, secret, sizeof secret, &secret_len) && secret_len >= SECRET_MIN;

    if (fine) {
        memcpy(ret_secret, secret, secret_len);
        *ret_len = secret_len;
    }
    explicit_bzero(secret, sizeof secret);
    return fine;
}
