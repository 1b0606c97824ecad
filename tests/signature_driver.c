/*
 * signature_driver.c - the checking of signatures behind a pipe, for tests/oracle/signatures.py.
 *
 * Reads NDJSON, one {"kind", "signatures" (bits), "secrets" (as they are kept), "method", "base_url", "target", "body",
 * "headers": {name: value}, "now_ms"} a line, and answers each with "word proof detail": proof is "-" for none.
 * Secrets, body and proof are in hexadecimal.
 */
#include "app/signature.h"
#include "base/hash.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
die(const char *what)
{
    (void)fprintf(stderr, "signature_driver: %s\n", what);
    exit(1);
}

/* The body in a piece of memory of just its size, so that a sanitizer sees a read beyond it. */
static uint8_t *
read_hex(const char *text, size_t *ret_len)
{
    size_t len = strlen(text) / 2;
    uint8_t *bytes = malloc(len > 0 ? len : 1);

    if (bytes == NULL)
        die("out of memory");
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;

        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            die("not hexadecimal");
        bytes[i] = (uint8_t)byte;
    }
    *ret_len = len;
    return bytes;
}

static const char *
find_header(const void *context, const char *name)
{
    for (const struct lf_json *header = lf_json_first(context); header != NULL; header = lf_json_next(header))
        if (strcasecmp(lf_json_name(header), name) == 0)
            return lf_json_text(header, &(size_t){0});
    return NULL;
}

static const char *
text_of(const struct lf_json *line, const char *name)
{
    const char *text = lf_json_text(lf_json_member(line, name), &(size_t){0});

    if (text == NULL)
        die(name);
    return text;
}

static enum lf_crm
read_crm(const char *word)
{
#define LF_X(name, crm_word)         \
    if (strcmp(word, crm_word) == 0) \
        return LF_CRM_##name;
    LF_CRM_LIST(LF_X)
#undef LF_X
    die(word);
    return LF_CRM_COUNT;
}

static void
answer(struct lf_arena *arena, const struct lf_json *line)
{
    struct lf_source source = {
        .key = "crm",
        .crm = read_crm(text_of(line, "kind")),
        .signatures = (uint32_t)lf_json_number(lf_json_member(line, "signatures")),
    };
    struct lf_delivery delivery = {
        .method = text_of(line, "method"),
        .base_url = text_of(line, "base_url"),
        .target = text_of(line, "target"),
        .header = find_header,
        .context = lf_json_member(line, "headers"),
        .now_ms = (int64_t)lf_json_number(lf_json_member(line, "now_ms")),
    };
    uint8_t *body = read_hex(text_of(line, "body"), &delivery.body_len), *secrets[LF_SOURCE_SECRETS_MAX] = {NULL};
    const struct lf_json *secret = lf_json_first(lf_json_member(line, "secrets"));
    struct lf_proof proof = {NULL, 0};
    struct lf_error error = {.detail = ""};

    delivery.body = body;
    for (; secret != NULL; secret = lf_json_next(secret)) {
        struct lf_stored_secret *kept = &source.secrets[source.secret_count];

        secrets[source.secret_count] = read_hex(lf_json_text(secret, &(size_t){0}), &kept->len);
        kept->value = secrets[source.secret_count++];
    }
    (void)printf("%s ", lf_status_word(lf_signature_check(arena, &source, &delivery, &proof, &error)));
    for (size_t i = 0; i < proof.id_len; i++)
        (void)printf("%02x", ((const uint8_t *)proof.id)[i]);
    (void)printf("%s %s\n", proof.id_len == 0 ? "-" : "", error.detail);
    free(body);
    for (size_t i = 0; i < LF_SOURCE_SECRETS_MAX; i++)
        free(secrets[i]);
}

int
main(void)
{
    struct lf_arena *arena = lf_arena_create(1 << 16, 64u << 20);
    struct lf_error error;
    char *text = NULL;
    size_t cap = 0;
    ssize_t len = 0;

    lf_json_setup();
    if (arena == NULL || lf_hash_setup(&error) != LF_OK)
        die("out of memory");
    while ((len = getline(&text, &cap, stdin)) > 0) {
        const struct lf_json *line = NULL;

        lf_arena_reset(arena);
        if (lf_json_parse(arena, text, (size_t)len - (text[len - 1] == '\n'), &LF_JSON_DOCUMENT_LIMITS, &line,
                          &error) != LF_OK)
            die(error.detail);
        answer(arena, line);
    }
    free(text);
    lf_arena_destroy(arena);
    return 0;
}
