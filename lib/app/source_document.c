/*
 * source_document.c - reads a source as it is put: {"kind", "secrets", "signatures", "icps", "id", "fields", "split",
 * "values", "reply"}, and makes one of what was stored. How payloads become leads (id, fields, split, values) is
 * core/mapping.h's.
 *
 * Nothing of a secret is ever in a finding.
 */
#include "app/source_parts.h"

#include "app/scoring.h"
#include "app/signature.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECRET_CHARACTERS_MIN = 8,
    SECRET_CHARACTERS_MAX = 200,
    ARENA_CHUNK = 4096,
    ARENA_MAX = 1 << 28, /* far above what the largest document takes once it is read */
};

static const char *const MEMBERS[] = {"kind",   "secrets", "signatures", "icps",  "id",
                                      "fields", "split",   "values",     "reply", NULL};

/* What is stored, in the order of the canonical form. */
static const char *const STORED[] = {"fields", "icps", "id", "kind", "reply", "signatures", "split", "values", NULL};

#define LF_X(name, word) word,
static const char *const KINDS[] = {LF_CRM_LIST(LF_X) NULL};
#undef LF_X

static const char *const REPLIES[] = {
    [LF_REPLY_FLAT] = "flat", [LF_REPLY_HUBSPOT_ACTION] = "hubspot_action", [LF_REPLY_FULL] = "full", NULL};

static const char *const VERSIONS[] = {"v1", "v2", "v3", NULL};
static const uint32_t VERSION_BITS[] = {LF_HUBSPOT_V1, LF_HUBSPOT_V2, LF_HUBSPOT_V3, 0};

const char *
lf_crm_word(enum lf_crm crm)
{
    return KINDS[crm];
}

const char *
lf_reply_word(enum lf_reply reply)
{
    return REPLIES[reply];
}

/* ---- all but the secrets ---- */

static uint32_t
read_signatures(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, enum lf_crm crm)
{
    bool hubspot = crm == LF_CRM_HUBSPOT;
    uint32_t signatures = 0;
    size_t index = 0;

    if (node == NULL)
        return hubspot ? LF_HUBSPOT_V3 : 0;
    if (!hubspot && (lf_json_kind(node) != LF_JSON_ARRAY || lf_json_count(node) > 0)) {
        lf_document_fault(document, place, "invalid_value",
                          "these are versions of HubSpot's signature: leave them out for the kind %s", KINDS[crm]);
        return 0;
    }
    if (!hubspot || !lf_document_array(document, node, place, 1, LF_SOURCE_SIGNATURES_MAX))
        return 0;
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        size_t version = lf_document_word(document, one, &at, true, VERSIONS, LF_SOURCE_SIGNATURES_MAX);

        if ((signatures & VERSION_BITS[version]) != 0)
            lf_document_fault(document, &at, "duplicate", "%s stands here twice", VERSIONS[version]);
        signatures |= VERSION_BITS[version];
    }
    return signatures;
}

static void
read_icps(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
          struct lf_source *source)
{
    const char **icps = NULL;
    size_t count = 0;

    if (node == NULL || !lf_document_array(document, node, place, 0, LF_ICPS_NAMED_MAX))
        return;
    icps = lf_arena_calloc(document->arena, lf_json_count(node), sizeof *icps);
    if (icps == NULL) {
        lf_document_out_of_memory(document);
        return;
    }
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), count++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, count);

        icps[count] = lf_document_key(document, one, &at);
        for (size_t i = 0; icps[count][0] != '\0' && i < count; i++) {
            if (strcmp(icps[i], icps[count]) != 0)
                continue;
            lf_document_fault(document, &at, "duplicate", "%s is named twice", icps[count]);
            break;
        }
    }
    source->icps = icps;
    source->icp_count = count;
}

void
lf_source_read(struct lf_document *document, const struct lf_json *body, struct lf_source *ret_source)
{
    struct lf_place root = LF_PLACE_ROOT, at = LF_PLACE_MEMBER(&root, "kind");
    struct lf_source source = {.crm = LF_CRM_COUNT};

    if (lf_document_object(document, body, &root, MEMBERS)) {
        source.crm =
            (enum lf_crm)lf_document_word(document, lf_json_member(body, at.name), &at, true, KINDS, LF_CRM_COUNT);
        at.name = "icps";
        read_icps(document, lf_json_member(body, at.name), &at, &source);
        at.name = "reply";
        source.reply = (enum lf_reply)lf_document_word(document, lf_json_member(body, at.name), &at, false, REPLIES,
                                                       LF_REPLY_FLAT);
        if (source.crm != LF_CRM_COUNT) { /* what is below means something only of a kind */
            at.name = "signatures";
            source.signatures = read_signatures(document, lf_json_member(body, at.name), &at, source.crm);
            source.mapping = lf_mapping_read(document, source.crm, body, &root);
        }
    }
    *ret_source = source;
}

bool
lf_source_put_document(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_json *body)
{
    bool first = true;

    lf_buf_lit(buf, "{");
    for (const char *const *name = STORED; *name != NULL; name++) {
        const struct lf_json *member = lf_json_member(body, *name);

        if (member == NULL)
            continue;
        lf_buf_printf(buf, "%s\"%s\":", first ? "" : ",", *name);
        first = false;
        if (!lf_json_put_canonical(buf, scratch, member))
            return false;
    }
    lf_buf_lit(buf, "}");
    return !lf_buf_failed(buf);
}

/* ---- secrets ---- */

bool
lf_source_secrets_copy(struct lf_source_secrets *secrets, const struct lf_stored_secret *from, size_t count)
{
    *secrets = (struct lf_source_secrets){.count = 0};
    for (size_t i = 0; i < count; i++) {
        if (from[i].len == 0 || from[i].len > LF_SOURCE_SECRET_MAX)
            return false;
        memcpy(secrets->bytes[i], from[i].value, from[i].len);
        secrets->lens[i] = from[i].len;
        secrets->count++;
    }
    return true;
}

void
lf_source_secrets_show(const struct lf_source_secrets *secrets,
                       struct lf_stored_secret ret_secrets[LF_SOURCE_SECRETS_MAX])
{
    for (size_t i = 0; i < LF_SOURCE_SECRETS_MAX; i++)
        ret_secrets[i] = i < secrets->count ? (struct lf_stored_secret){secrets->bytes[i], secrets->lens[i]}
                                            : (struct lf_stored_secret){NULL, 0};
}

/* Why a text cannot be a secret of this kind; NULL: it can. */
static const char *
unfit(enum lf_crm crm, const char *text)
{
    size_t len = strlen(text);
    bool header = crm == LF_CRM_SALESFORCE || crm == LF_CRM_GENERIC;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < ' ' || c == 0x7F)
            return "a secret has no control characters: was a line break copied with it?";
        if (header && c > 0x7F)
            return "this secret is sent in a header: it has visible ASCII characters only";
    }
    if (header && (text[0] == ' ' || text[len - 1] == ' '))
        return "this secret is sent in a header: it neither begins nor ends with a space";
    if (crm == LF_CRM_PIPEDRIVE && strchr(text, ':') == NULL)
        return "Pipedrive sends a user and a password: write them as user:password";
    return NULL;
}

/* One secret as it is kept; its length, 0 after a fault. */
static size_t
read_secret(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, enum lf_crm crm,
            uint8_t ret_bytes[LF_SOURCE_SECRET_MAX])
{
    const char *text = lf_document_text(document, node, place, true, SECRET_CHARACTERS_MAX), *why = NULL;
    size_t len = strlen(text), kept = 0;

    if (len == 0)
        return 0;
    if (crm == LF_CRM_STANDARD) {
        if (lf_webhook_secret_read(text, len, ret_bytes, &kept))
            return kept;
        lf_document_fault(document, place, "invalid_value",
                          "a secret of Standard Webhooks belongs here: whsec_ and the base 64 of 24 to 64 bytes");
        return 0;
    }
    if (lf_text_length(text, len) < SECRET_CHARACTERS_MIN) {
        lf_document_fault(document, place, "too_few", "a secret has %d to %d characters", SECRET_CHARACTERS_MIN,
                          SECRET_CHARACTERS_MAX);
        return 0;
    }
    why = unfit(crm, text);
    if (why != NULL) {
        lf_document_fault(document, place, "invalid_value", "%s", why);
        return 0;
    }
    if (crm == LF_CRM_HUBSPOT || crm == LF_CRM_MAUTIC) {
        memcpy(ret_bytes, text, len);
        return len;
    }
    if (!lf_sha256(text, len, ret_bytes)) {
        lf_document_out_of_memory(document);
        return 0;
    }
    return LF_SHA256_SIZE;
}

void
lf_source_read_secrets(struct lf_document *document, const struct lf_json *body, enum lf_crm crm,
                       const struct lf_source *present, struct lf_source_secrets *ret_secrets)
{
    const struct lf_json *node = lf_json_member(body, "secrets");
    struct lf_place root = LF_PLACE_ROOT, place = LF_PLACE_MEMBER(&root, "secrets");
    bool needed = crm != LF_CRM_SALESFORCE && crm != LF_CRM_GENERIC;
    size_t index = 0;

    ret_secrets->count = 0;
    if (node == NULL && present != NULL) {
        if (!lf_source_secrets_copy(ret_secrets, present->secrets, present->secret_count))
            lf_document_out_of_memory(document); /* it has none that are longer */
        return;
    }
    if (node == NULL && needed)
        lf_document_fault(document, &place, "required",
                          "secrets is missing: what deliveries of the kind %s are known by, one or two", KINDS[crm]);
    if (node == NULL || !lf_document_array(document, node, &place, needed ? 1 : 0, LF_SOURCE_SECRETS_MAX))
        return;
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(&place, index);
        size_t len = read_secret(document, one, &at, crm, ret_secrets->bytes[ret_secrets->count]);

        if (len == 0)
            continue;
        ret_secrets->lens[ret_secrets->count] = len;
        if (ret_secrets->count > 0 && ret_secrets->lens[0] == len &&
            lf_equal_constant_time(ret_secrets->bytes[0], ret_secrets->bytes[1], len))
            lf_document_fault(document, &at, "duplicate", "this secret stands here twice");
        ret_secrets->count++;
    }
}

/* ---- making ---- */

static enum lf_status
out_of_memory(const char *key, struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the source \"%s\"", key);
}

static enum lf_status
unreadable(const char *key, const char *why, struct lf_error *error)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "the stored source \"%s\" cannot be read: %s", key, why);
}

/* Fills what is there but for the document's meaning. */
static bool
copy_stored(struct lf_held_source *held, const struct lf_stored_source *stored, const struct lf_json *json)
{
    struct lf_source *source = &held->source;

    source->id = stored->id;
    source->key = lf_arena_copy(held->arena, stored->key, strlen(stored->key));
    source->document = lf_arena_copy(held->arena, stored->document, stored->document_len);
    source->document_len = stored->document_len;
    source->json = json;
    source->created_at_ms = stored->created_at_ms;
    source->updated_at_ms = stored->updated_at_ms;
    lf_source_secrets_show(&held->secrets, source->secrets);
    source->secret_count = held->secrets.count;
    return source->key != NULL && source->document != NULL;
}

static enum lf_status
fill(struct lf_held_source *held, const struct lf_stored_source *stored, struct lf_error *error)
{
    struct lf_findings findings;
    struct lf_document document = {.arena = held->arena, .findings = &findings};
    struct lf_json_limits limits = LF_JSON_DOCUMENT_LIMITS;
    const struct lf_json *json = NULL;
    struct lf_error found;
    enum lf_status status = LF_OK;

    limits.bytes = SIZE_MAX; /* the server's setting saw to it when it was put */
    lf_findings_init(&findings, held->arena);
    status = lf_json_parse(held->arena, stored->document, stored->document_len, &limits, &json, &found);
    if (status == LF_OUT_OF_MEMORY)
        return out_of_memory(stored->key, error);
    if (status != LF_OK)
        return unreadable(stored->key, found.detail, error);
    lf_source_read(&document, json, &held->source);
    if (findings.out_of_memory)
        return out_of_memory(stored->key, error);
    if (findings.count > 0)
        return unreadable(stored->key, findings.items[0].detail, error);
    if (!lf_source_secrets_copy(&held->secrets, stored->secrets, stored->secret_count))
        return unreadable(stored->key, "it has a secret longer than secrets are", error);
    return copy_stored(held, stored, json) ? LF_OK : out_of_memory(stored->key, error);
}

enum lf_status
lf_source_create(const struct lf_stored_source *stored, struct lf_source **ret_source, struct lf_error *error)
{
    struct lf_held_source *held = calloc(1, sizeof *held);
    enum lf_status status = LF_OK;

    if (held == NULL)
        return out_of_memory(stored->key, error);
    held->arena = lf_arena_create(ARENA_CHUNK, ARENA_MAX);
    status = held->arena != NULL ? fill(held, stored, error) : out_of_memory(stored->key, error);
    if (status != LF_OK) {
        lf_source_destroy(&held->source);
        return status;
    }
    *ret_source = &held->source;
    return LF_OK;
}

void
lf_source_destroy(struct lf_source *source)
{
    struct lf_held_source *held = source != NULL ? lf_held_source(source) : NULL;

    if (held == NULL)
        return;
    lf_arena_destroy(held->arena);
    explicit_bzero(&held->secrets, sizeof held->secrets);
    free(held);
}
