/*
 * sources.c - GET /v1/sources; GET, PUT and DELETE /v1/sources/{key}; GET /v1/sources/{key}/refused.
 *
 * A secret goes in and never comes out: an answer tells how many there are.
 */
#include "api/handlers.h"

#include "app/sources.h"

#include <stdio.h>

static const char *const NO_QUERY[] = {NULL};

/* ---- telling ---- */

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while telling a source");
}

static enum lf_status
no_source(const char *key, struct lf_error *error)
{
    return lf_fail(error, LF_SOURCE_NOT_FOUND, "there is no source \"%s\"", key);
}

static void
put_signatures(struct lf_buf *body, uint32_t signatures)
{
    static const char *const WORDS[] = {"v1", "v2", "v3"};
    static const uint32_t BITS[] = {LF_HUBSPOT_V1, LF_HUBSPOT_V2, LF_HUBSPOT_V3};
    bool first = true;

    lf_buf_lit(body, "[");
    for (size_t i = 0; i < sizeof BITS / sizeof *BITS; i++) {
        if ((signatures & BITS[i]) == 0)
            continue;
        lf_buf_printf(body, "%s\"%s\"", first ? "" : ",", WORDS[i]);
        first = false;
    }
    lf_buf_lit(body, "]");
}

/* Appends a member of the document as it was put; `absent` where it was not. */
static void
put_member(struct lf_buf *body, const struct lf_json *document, const char *name, const char *absent)
{
    const struct lf_json *member = lf_json_member(document, name);

    lf_buf_printf(body, ",\"%s\":", name);
    if (member != NULL)
        lf_json_put_tree(body, member);
    else
        lf_buf_text(body, absent);
}

/* Appends a source. */
static enum lf_status
put_source(struct lf_buf *body, struct lf_arena *scratch, struct lf_service *service, const struct lf_source *source,
           struct lf_error *error)
{
    const char *url = lf_arena_printf(scratch, "%s/v1/webhooks/%s", lf_service_public_url(service), source->key);
    struct lf_stored_refusal *refusals = NULL;
    size_t refused = 0;

    if (url == NULL || !lf_sources_refused(lf_service_sources(service), source, scratch, &refusals, &refused))
        return out_of_memory(error);
    lf_buf_printf(body, "{\"key\":\"%s\",\"kind\":\"%s\",\"signatures\":", source->key, lf_crm_word(source->crm));
    put_signatures(body, source->signatures);
    put_member(body, source->json, "icps", "[]");
    lf_buf_lit(body, ",\"id\":");
    lf_mapping_put_id(body, source->mapping);
    lf_buf_lit(body, ",\"fields\":");
    lf_mapping_put_fields(body, source->mapping);
    lf_buf_lit(body, ",\"split\":");
    lf_mapping_put_split(body, source->mapping);
    put_member(body, source->json, "values", "{}");
    lf_buf_printf(body, ",\"reply\":\"%s\",\"secrets\":%zu,\"url\":", lf_reply_word(source->reply),
                  source->secret_count);
    lf_api_put_text(body, url);
    lf_buf_lit(body, ",\"created_at\":");
    lf_api_put_time(body, source->created_at_ms);
    lf_buf_lit(body, ",\"updated_at\":");
    lf_api_put_time(body, source->updated_at_ms);
    lf_buf_printf(body, ",\"refused\":%zu}", refused);
    return LF_OK;
}

void
lf_api_list_sources(struct lf_request *request, void *context)
{
    struct lf_sources *sources = lf_service_sources(context);
    struct lf_arena *arena = lf_request_arena(request);
    const char *const *keys = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0, told = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    if (!lf_sources_keys(sources, arena, &keys, &count))
        status = out_of_memory(&error);
    lf_buf_lit(&body, "{\"sources\":[");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        const struct lf_source *source = lf_sources_hold(sources, keys[i]);

        if (source == NULL) /* deleted meanwhile */
            continue;
        if (told++ > 0)
            lf_buf_lit(&body, ",");
        status = put_source(&body, lf_request_scratch(request), context, source, &error);
        lf_sources_release(sources, source);
    }
    lf_buf_lit(&body, "]}");
    lf_api_conclude(request, 200, status, &body, &error);
}

void
lf_api_get_source(struct lf_request *request, void *context)
{
    struct lf_sources *sources = lf_service_sources(context);
    const char *key = lf_request_param(request, "key");
    const struct lf_source *source = NULL;
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    source = lf_sources_hold(sources, key);
    status = source != NULL ? put_source(&body, lf_request_scratch(request), context, source, &error)
                            : no_source(key, &error);
    lf_sources_release(sources, source);
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- changing ---- */

void
lf_api_put_source(struct lf_request *request, void *context)
{
    struct lf_arena *scratch = lf_request_scratch(request);
    const struct lf_json *json = NULL;
    const struct lf_source *source = NULL;
    struct lf_findings findings;
    struct lf_change change;
    struct lf_error error;
    struct lf_buf body;
    char location[128];
    bool created = false;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    json = lf_api_read_body(request, &LF_JSON_DOCUMENT_LIMITS);
    if (json == NULL)
        return;
    lf_findings_init(&findings, scratch);
    lf_api_change(request, context, "", &change);
    if (lf_edit_put_source(context, scratch, lf_request_param(request, "key"), json, &change, &findings, &source,
                           &created, &error) != LF_OK) {
        lf_reply_findings(request, &error, error.status == LF_INVALID_REQUEST ? &findings : NULL);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = put_source(&body, scratch, context, source, &error);
    if (created && status == LF_OK) {
        (void)snprintf(location, sizeof location, "/v1/sources/%s", source->key);
        lf_reply_header(request, "Location", location);
    }
    lf_sources_release(lf_service_sources(context), source);
    lf_api_conclude(request, created ? 201 : 200, status, &body, &error);
}

void
lf_api_delete_source(struct lf_request *request, void *context)
{
    struct lf_change change;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_edit_delete_source(context, lf_request_param(request, "key"), &change, &error);
    lf_api_conclude_empty(request, status, &error);
}

/* ---- what was refused ---- */

void
lf_api_refused(struct lf_request *request, void *context)
{
    struct lf_sources *sources = lf_service_sources(context);
    const char *key = lf_request_param(request, "key");
    const struct lf_source *source = NULL;
    struct lf_stored_refusal *refusals = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    source = lf_sources_hold(sources, key);
    if (source == NULL)
        status = no_source(key, &error);
    else if (!lf_sources_refused(sources, source, lf_request_scratch(request), &refusals, &count))
        status = out_of_memory(&error);
    lf_sources_release(sources, source);
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    lf_buf_lit(&body, "{\"refused\":[");
    for (size_t i = 0; i < count; i++) {
        lf_buf_text(&body, i > 0 ? ",{\"at\":" : "{\"at\":");
        lf_api_put_time(&body, refusals[i].at_ms);
        lf_buf_lit(&body, ",\"request_id\":");
        lf_api_put_text(&body, refusals[i].request_id);
        lf_buf_printf(&body, ",\"status\":%d,\"code\":", refusals[i].status);
        lf_api_put_text(&body, refusals[i].code);
        lf_buf_lit(&body, ",\"pointer\":");
        lf_api_put_text(&body, refusals[i].pointer);
        lf_buf_lit(&body, ",\"detail\":");
        lf_api_put_text(&body, refusals[i].detail);
        lf_buf_printf(&body, ",\"bytes\":%zu}", refusals[i].bytes);
    }
    lf_buf_lit(&body, "]}");
    lf_api_conclude(request, 200, status, &body, &error);
}
