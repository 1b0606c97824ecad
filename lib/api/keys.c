/* keys.c - GET and POST /v1/keys, DELETE /v1/keys/{id}. A key's text is in the answer that made it, and nowhere else.
 */
#include "api/handlers.h"

#include "app/editing.h"
#include "app/keys.h"
#include "base/time.h"

#include <stdio.h>

static const char *const NO_QUERY[] = {NULL};

#define LF_X(name, word, bit, implied) word,
static const char *const WORDS[] = {LF_SCOPE_LIST(LF_X) NULL};
#undef LF_X
#define LF_X(name, word, bit, implied) bit,
static const uint32_t BITS[] = {LF_SCOPE_LIST(LF_X) 0};
#undef LF_X

enum { SCOPE_COUNT = sizeof BITS / sizeof *BITS - 1 };

/* Appends the key's members, without the braces. */
static void
put_key(struct lf_buf *body, const struct lf_stored_key *key, int64_t now_ms)
{
    const char *state = key->revoked_at_ms != 0                                   ? "revoked"
                        : key->expires_at_ms != 0 && key->expires_at_ms <= now_ms ? "expired"
                                                                                  : "live";
    bool first = true;

    lf_buf_printf(body, "\"id\":\"%s\",\"name\":", key->id);
    lf_api_put_text(body, key->name);
    lf_buf_lit(body, ",\"scopes\":[");
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if ((key->scopes & BITS[i]) == 0)
            continue;
        lf_buf_printf(body, "%s\"%s\"", first ? "" : ",", WORDS[i]);
        first = false;
    }
    lf_buf_printf(body, "],\"state\":\"%s\",\"created_at\":", state);
    lf_api_put_time(body, key->created_at_ms);
    lf_buf_lit(body, ",\"expires_at\":");
    lf_api_put_time_or_none(body, key->expires_at_ms);
    lf_buf_lit(body, ",\"revoked_at\":");
    lf_api_put_time_or_none(body, key->revoked_at_ms);
    lf_buf_lit(body, ",\"last_used_at\":");
    lf_api_put_time_or_none(body, key->last_used_at_ms);
}

void
lf_api_list_keys(struct lf_request *request, void *context)
{
    struct lf_store_reader *reader = NULL;
    struct lf_stored_key *keys = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    int64_t now_ms = lf_time_now_ms();
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_keys(reader, lf_request_scratch(request), &keys, &count, &error);
        lf_service_return_reader(context, reader);
    }
    lf_buf_lit(&body, "{\"keys\":[");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        struct lf_stored_key known;

        /* The last use is noted in the database now and then; the keyring knows it at once. */
        if (lf_keyring_find(lf_service_keyring(context), keys[i].id, &known) &&
            known.last_used_at_ms > keys[i].last_used_at_ms)
            keys[i].last_used_at_ms = known.last_used_at_ms;
        lf_buf_text(&body, i > 0 ? ",{" : "{");
        put_key(&body, &keys[i], now_ms);
        lf_buf_lit(&body, "}");
    }
    lf_buf_lit(&body, "]}");
    lf_api_conclude(request, 200, status, &body, &error);
}

static uint32_t
read_scopes(struct lf_document *document, const struct lf_json *node, const struct lf_place *place)
{
    uint32_t scopes = 0;
    size_t index = 0;

    if (node == NULL) {
        lf_document_fault(document, place, "required", "scopes is missing: what the key may do, such as [\"score\"]");
        return 0;
    }
    if (!lf_document_array(document, node, place, 1, SCOPE_COUNT))
        return 0;
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        size_t scope = lf_document_word(document, one, &at, true, WORDS, SCOPE_COUNT);

        if ((scopes & BITS[scope]) != 0)
            lf_document_fault(document, &at, "duplicate", "%s stands here twice", WORDS[scope]);
        scopes |= BITS[scope];
    }
    return scopes;
}

/* A time in the future, in milliseconds; 0 where it is absent or after a fault. */
static int64_t
read_expiry(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, int64_t now_ms)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);
    int64_t us = 0;

    if (node == NULL)
        return 0;
    if (text == NULL) {
        lf_document_fault(document, place, "wrong_type", "a time belongs here: \"2027-01-31T09:30:00Z\"");
    } else if (!lf_time_parse(text, len, &us)) {
        lf_document_fault(document, place, "invalid_date",
                          "not a time that can be read: write 2027-01-31T09:30:00Z or 2027-01-31");
    } else if (lf_time_us_to_ms(us) <= now_ms) {
        lf_document_fault(document, place, "out_of_range",
                          "a time in the future belongs here: with this one the key would never let anybody in");
    } else {
        return lf_time_us_to_ms(us);
    }
    return 0;
}

void
lf_api_create_key(struct lf_request *request, void *context)
{
    static const char *const MEMBERS[] = {"name", "scopes", "expires_at", NULL};
    struct lf_api_input input;
    struct lf_place place = LF_PLACE_MEMBER(&input.root, "name");
    const char *name = NULL;
    struct lf_stored_key key;
    struct lf_change change;
    struct lf_error error;
    struct lf_buf body;
    char text[LF_API_KEY_TEXT_MAX], location[64];
    uint32_t scopes = 0;
    int64_t expires_at_ms = 0, now_ms = lf_time_now_ms();

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_input_begin(request, &input, false, MEMBERS))
        return;
    if (input.body != NULL) {
        name = lf_document_text(&input.document, lf_json_member(input.body, "name"), &place, true, LF_API_KEY_NAME_MAX);
        place.name = "scopes";
        scopes = read_scopes(&input.document, lf_json_member(input.body, "scopes"), &place);
        place.name = "expires_at";
        expires_at_ms = read_expiry(&input.document, lf_api_input_member(&input, "expires_at"), &place, now_ms);
    }
    if (!lf_api_input_end(request, &input))
        return;
    lf_api_change(request, context, "", &change);
    if (lf_edit_create_key(context, name, scopes, expires_at_ms, &change, &key, text, &error) != LF_OK) {
        lf_reply_problem(request, &error);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    lf_buf_lit(&body, "{");
    put_key(&body, &key, now_ms);
    lf_buf_printf(&body, ",\"key\":\"%s\"}", text);
    (void)snprintf(location, sizeof location, "/v1/keys/%s", key.id);
    lf_reply_header(request, "Location", location);
    lf_reply_json(request, 201, &body);
}

void
lf_api_revoke_key(struct lf_request *request, void *context)
{
    struct lf_change change;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_edit_revoke_key(context, lf_request_param(request, "id"), &change, &error);
    lf_api_conclude_empty(request, status, &error);
}
