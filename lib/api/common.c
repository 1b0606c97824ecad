/* common.c - what handlers share: reading bodies and queries, conditional requests, who asks. See handlers.h. */
#include "api/handlers.h"

#include "base/text.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

/* ---- answering ---- */

void
lf_api_put_text(struct lf_buf *buf, const char *text)
{
    lf_json_put_text(buf, text, strlen(text));
}

void
lf_api_put_time(struct lf_buf *buf, int64_t ms)
{
    char text[LF_TIME_TEXT_MAX];

    lf_buf_lit(buf, "\"");
    lf_buf_add(buf, text, lf_time_format_ms(ms, text));
    lf_buf_lit(buf, "\"");
}

void
lf_api_put_time_or_none(struct lf_buf *buf, int64_t ms)
{
    if (ms == 0)
        lf_buf_lit(buf, "\"\"");
    else
        lf_api_put_time(buf, ms);
}

void
lf_api_put_hash(struct lf_buf *buf, const uint8_t digest[LF_SHA256_SIZE])
{
    char text[LF_HASH_TEXT_MAX];

    lf_hash_text(digest, text);
    lf_api_put_text(buf, text);
}

void
lf_api_conclude(struct lf_request *request, int http_status, enum lf_status status, const struct lf_buf *body,
                const struct lf_error *error)
{
    if (status == LF_OK)
        lf_reply_json(request, http_status, body);
    else
        lf_reply_problem(request, error);
}

void
lf_api_conclude_tagged(struct lf_request *request, enum lf_status status, const struct lf_buf *body,
                       const struct lf_error *error)
{
    char etag[LF_API_ETAG_SIZE];
    struct lf_error failed;

    if (status == LF_OK && lf_buf_failed(body))
        status = lf_fail(&failed, LF_OUT_OF_MEMORY, "out of memory while telling the answer");
    else if (status == LF_OK && !lf_api_make_etag(body->data, body->len, etag))
        status = lf_fail(&failed, LF_OUT_OF_MEMORY, "out of memory while hashing the answer");
    else if (status != LF_OK)
        failed = *error;
    if (status != LF_OK) {
        lf_reply_problem(request, &failed);
        return;
    }
    lf_reply_header(request, "Cache-Control", "private, no-cache");
    if (!lf_api_not_modified(request, etag))
        lf_reply_json(request, 200, body);
}

void
lf_api_conclude_empty(struct lf_request *request, enum lf_status status, const struct lf_error *error)
{
    if (status == LF_OK)
        lf_reply_empty(request, 204);
    else
        lf_reply_problem(request, error);
}

enum lf_status
lf_api_sum_up(const struct lf_findings *findings, enum lf_status status, struct lf_error *error)
{
    size_t count = findings->count + findings->dropped;

    if (findings->out_of_memory || findings->count == 0)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a request");
    return lf_fail(error, status, "the request has %zu fault%s, the first at %s: %s", count, count == 1 ? "" : "s",
                   findings->items[0].pointer[0] != '\0' ? findings->items[0].pointer : "its root",
                   findings->items[0].detail);
}

/* ---- conditional requests ---- */

/* Whether the list of entity tags has this one. Weak comparison, as RFC 9110 wants it for If-None-Match. */
static bool
names_etag(const char *list, const char *etag)
{
    size_t len = strlen(etag);

    for (const char *at = list; *at != '\0';) {
        while (*at == ' ' || *at == '\t' || *at == ',')
            at++;
        if (*at == '*')
            return true;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (strncmp(at, etag, len) == 0 && (at[len] == '\0' || strchr(" \t,", at[len]) != NULL))
            return true;
        while (*at != '\0' && *at != ',')
            at++;
    }
    return false;
}

bool
lf_api_make_etag(const void *bytes, size_t len, char ret_etag[LF_API_ETAG_SIZE])
{
    static const char HEX[] = "0123456789abcdef";
    uint8_t digest[LF_SHA256_SIZE];
    size_t at = 0;

    if (!lf_sha256(bytes, len, digest))
        return false;
    ret_etag[at++] = '"';
    for (size_t i = 0; i < LF_SHA256_SIZE / 2; i++) {
        ret_etag[at++] = HEX[digest[i] >> 4];
        ret_etag[at++] = HEX[digest[i] & 15];
    }
    ret_etag[at++] = '"';
    ret_etag[at] = '\0';
    return true;
}

bool
lf_api_is_known(const struct lf_request *request, const char *etag)
{
    const char *known = lf_request_header(request, "If-None-Match");

    return known != NULL && names_etag(known, etag);
}

bool
lf_api_not_modified(struct lf_request *request, const char *etag)
{
    lf_reply_header(request, "ETag", etag);
    if (!lf_api_is_known(request, etag))
        return false;
    lf_reply_empty(request, 304);
    return true;
}

static bool
is_star(const char *text)
{
    text += strspn(text, " \t");
    return text[0] == '*' && text[1 + strspn(text + 1, " \t")] == '\0';
}

/* Reads `"a", W/"b"` into tags with their quotes, and their W/, which makes them match nothing: If-Match compares
 * strongly. false where it is no such list. */
static enum lf_status
read_tags(struct lf_arena *arena, const char *text, struct lf_precondition *precondition, struct lf_error *error)
{
    const char **tags = lf_arena_calloc(arena, strlen(text) / 2 + 1, sizeof *tags);
    const char *at = text;
    size_t count = 0;

    if (tags == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading If-Match");
    for (;;) {
        const char *begin = NULL;

        at += strspn(at, " \t,");
        begin = at;
        if (*at == '\0')
            break;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (*at != '"')
            break;
        at++;
        while (*at == '!' || (*at >= '#' && *at <= '~') || (unsigned char)*at >= 0x80)
            at++;
        if (*at++ != '"')
            return lf_fail(error, LF_BAD_REQUEST, "If-Match: an entity tag without its closing quote");
        tags[count] = lf_arena_copy(arena, begin, (size_t)(at - begin));
        if (tags[count++] == NULL)
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading If-Match");
        at += strspn(at, " \t");
        if (*at != ',' && *at != '\0')
            return lf_fail(error, LF_BAD_REQUEST, "If-Match: a comma belongs between two entity tags");
    }
    if (*at != '\0' || count == 0)
        return lf_fail(error, LF_BAD_REQUEST,
                       "If-Match: the ETag belongs here as it was answered, with its double quotes, or *");
    precondition->etags = tags;
    precondition->etag_count = count;
    return LF_OK;
}

bool
lf_api_read_precondition(struct lf_request *request, struct lf_precondition *ret_precondition)
{
    const char *match = lf_request_header(request, "If-Match"), *none = lf_request_header(request, "If-None-Match");
    struct lf_precondition precondition = {.etag_count = 0};
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (match != NULL && is_star(match))
        precondition.any = true;
    else if (match != NULL)
        status = read_tags(lf_request_scratch(request), match, &precondition, &error);
    if (status == LF_OK && none != NULL) {
        precondition.absent = is_star(none);
        if (!precondition.absent)
            status = lf_fail(&error, LF_BAD_REQUEST,
                             "If-None-Match: only * is understood here, for what must not be there yet; If-Match says "
                             "what is to be changed");
    }
    if (status != LF_OK) {
        lf_reply_problem(request, &error);
        return false;
    }
    *ret_precondition = precondition;
    return true;
}

/* ---- reading ---- */

const struct lf_json *
lf_api_read_body(struct lf_request *request, const struct lf_json_limits *limits)
{
    size_t len = 0;
    const char *text = lf_request_body(request, &len);
    const struct lf_json *body = NULL;
    struct lf_json_limits unbounded = *limits;
    struct lf_error error;

    unbounded.bytes = SIZE_MAX;
    if (lf_json_parse(lf_request_scratch(request), text, len, &unbounded, &body, &error) != LF_OK) {
        lf_reply_problem(request, &error);
        return NULL;
    }
    return body;
}

bool
lf_api_input_begin(struct lf_request *request, struct lf_api_input *ret_input, bool optional, const char *const *names)
{
    struct lf_arena *arena = lf_request_scratch(request);
    size_t len = 0;

    *ret_input = (struct lf_api_input){.root = LF_PLACE_ROOT};
    lf_findings_init(&ret_input->findings, arena);
    ret_input->document = (struct lf_document){.arena = arena, .findings = &ret_input->findings};
    (void)lf_request_body(request, &len);
    if (len == 0 && optional)
        return true;
    ret_input->body = lf_api_read_body(request, &LF_JSON_DOCUMENT_LIMITS);
    if (ret_input->body == NULL)
        return false;
    if (!lf_document_object(&ret_input->document, ret_input->body, &ret_input->root, names))
        ret_input->body = NULL;
    return true;
}

const struct lf_json *
lf_api_input_member(const struct lf_api_input *input, const char *name)
{
    const struct lf_json *member = lf_json_member(input->body, name);

    return lf_json_kind(member) == LF_JSON_NULL ? NULL : member;
}

const char *
lf_api_input_note(struct lf_api_input *input)
{
    const struct lf_json *note = lf_api_input_member(input, "note");
    struct lf_place place = LF_PLACE_MEMBER(&input->root, "note");
    size_t len = 0;

    if (lf_json_kind(note) == LF_JSON_TEXT && lf_json_text(note, &len)[0] == '\0' && len == 0)
        return ""; /* as good as none */
    return lf_document_text(&input->document, note, &place, false, LF_NOTE_MAX);
}

bool
lf_api_input_end(struct lf_request *request, const struct lf_api_input *input)
{
    struct lf_error error;

    if (!lf_findings_any(&input->findings))
        return true;
    (void)lf_api_sum_up(&input->findings, LF_INVALID_REQUEST, &error);
    lf_reply_findings(request, &error, &input->findings);
    return false;
}

bool
lf_api_query_number(struct lf_request *request, const char *name, int64_t low, int64_t high, int64_t fallback,
                    int64_t *ret_value)
{
    const char *text = lf_request_query(request, name);
    size_t len = text != NULL ? strlen(text) : 0;
    int64_t value = fallback;
    struct lf_error error;

    if (text != NULL)
        value = len > 0 && len <= 15 && strspn(text, "0123456789") == len ? strtoll(text, NULL, 10) : low - 1;
    if (text == NULL || (value >= low && value <= high)) {
        *ret_value = value;
        return true;
    }
    (void)lf_fail(&error, LF_INVALID_PARAMETER, "%s: a whole number from %lld to %lld belongs here, not \"%.64s\"",
                  name, (long long)low, (long long)high, text);
    lf_reply_problem(request, &error);
    return false;
}

bool
lf_api_query_time(struct lf_request *request, const char *name, int64_t fallback, int64_t *ret_ms)
{
    const char *text = lf_request_query(request, name);
    int64_t us = 0;
    struct lf_error error;

    if (text == NULL) {
        *ret_ms = fallback;
        return true;
    }
    if (lf_time_parse(text, strlen(text), &us)) {
        *ret_ms = lf_time_us_to_ms(us);
        return true;
    }
    (void)lf_fail(&error, LF_INVALID_PARAMETER,
                  "%s: a date or time belongs here, such as 2026-01-31 or 2026-01-31T09:30:00Z, not \"%.64s\" (a + is "
                  "written %%2B)",
                  name, text);
    lf_reply_problem(request, &error);
    return false;
}

bool
lf_api_read_version(const char *text, int *ret_version)
{
    size_t len = strlen(text);

    if (len == 0 || len > 9 || text[0] == '0' || strspn(text, "0123456789") != len)
        return false;
    *ret_version = atoi(text);
    return true;
}

void
lf_api_change(struct lf_request *request, struct lf_service *service, const char *note, struct lf_change *ret_change)
{
    const struct lf_identity *identity = lf_request_identity(request);
    struct lf_stored_key key;

    *ret_change =
        (struct lf_change){.by = identity->key_id, .key_id = identity->key_id, .note = note, .at_ms = lf_time_now_ms()};
    if (lf_keyring_find(lf_service_keyring(service), identity->key_id, &key))
        ret_change->by = key.name;
}

enum lf_status
lf_api_parse_stored(struct lf_arena *arena, const char *document, size_t len, const char *what,
                    const struct lf_json **ret_json, const struct lf_icp **ret_icp, struct lf_error *error)
{
    const struct lf_json *json = NULL;
    struct lf_findings findings;
    struct lf_error found;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, arena);
    status = lf_json_parse(arena, document, len, &LF_JSON_DOCUMENT_LIMITS, &json, &found);
    if (status == LF_OK)
        status = lf_icp_parse(arena, json, &findings, ret_icp, &found);
    if (status == LF_OUT_OF_MEMORY)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading %s", what);
    if (status != LF_OK)
        return lf_fail(error, LF_STORAGE_CORRUPT, "%s is no definition any more: %s", what, found.detail);
    if (ret_json != NULL)
        *ret_json = json;
    return LF_OK;
}
