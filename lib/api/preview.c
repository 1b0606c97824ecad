/*
 * preview.c - POST /v1/sources/{key}/preview: what a payload would become, field by field, its score, and the answer
 * that its CRM would get. Records nothing, and refuses nothing: what is wrong is what it shows.
 */
#include "api/handlers.h"

#include "api/webhooks.h"
#include "base/problem.h"
#include "base/text.h"
#include "base/time.h"

enum { SHOWN_MAX = 1000 /* characters of a value */ };

/* A payload looked at. */
struct preview {
    struct lf_request *request;
    const struct lf_source *source;
    int64_t now_ms;
    struct lf_mapped mapped;
    struct lf_scoring *scorings;
    struct lf_error *failures;       /* one for each lead; LF_OK where it was scored */
    const struct lf_error *first;    /* why the CRM would get no score; NULL: it would */
    struct lf_error mapping_failure; /* first may point here */
};

static void
put_boolean(struct lf_buf *buf, bool yes)
{
    lf_buf_text(buf, yes ? "true" : "false");
}

/* A value as text: a text as it is, else its JSON. */
static void
put_shown(struct lf_buf *buf, struct lf_arena *arena, const struct lf_json *node)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);
    struct lf_buf json;

    if (text == NULL && node != NULL) {
        lf_buf_init(&json, arena, LF_REPLY_MAX);
        lf_json_put_tree(&json, node);
        buf->failed = buf->failed || lf_buf_failed(&json);
        text = json.data;
        len = lf_buf_failed(&json) ? 0 : json.len;
    }
    lf_json_put_text(buf, text != NULL ? text : "", len > 0 ? lf_text_prefix(text, len, SHOWN_MAX) : 0);
}

static void
put_field(struct lf_buf *buf, struct lf_arena *arena, const struct lf_mapped_field *field)
{
    lf_buf_lit(buf, "{\"field\":");
    lf_api_put_text(buf, field->field);
    lf_buf_lit(buf, ",\"found\":");
    put_boolean(buf, field->raw != NULL);
    lf_buf_lit(buf, ",\"pointer\":");
    lf_api_put_text(buf, field->pointer);
    lf_buf_lit(buf, ",\"raw\":");
    put_shown(buf, arena, field->raw);
    lf_buf_lit(buf, ",\"value\":");
    put_shown(buf, arena, field->value);
    lf_buf_lit(buf, ",\"unwrapped\":");
    put_boolean(buf, field->unwrapped);
    lf_buf_lit(buf, ",\"split\":");
    put_boolean(buf, field->split);
    lf_buf_lit(buf, ",\"labelled\":");
    put_boolean(buf, field->labelled);
    lf_buf_lit(buf, ",\"unlabelled\":");
    put_boolean(buf, field->unlabelled);
    lf_buf_lit(buf, "}");
}

/* The problem, or {} where error is NULL. */
static void
put_problem(struct lf_buf *buf, const struct preview *preview, const struct lf_error *error)
{
    if (error == NULL)
        lf_buf_lit(buf, "{}");
    else
        lf_problem_put(buf, error, lf_request_id(preview->request), NULL);
}

/* The lead's id as it would be recorded; "" for none, and for one that is none. */
static void
put_lead_id(struct lf_buf *buf, struct lf_arena *arena, const struct lf_json *lead)
{
    struct lf_findings findings;
    struct lf_document document = {.arena = arena, .findings = &findings};
    struct lf_place root = LF_PLACE_ROOT;
    const char *id = "";
    size_t len = 0;

    lf_findings_init(&findings, arena);
    (void)lf_lead_id_read(&document, lf_json_member(lead, "id"), &root, &id, &len);
    lf_json_put_text(buf, id, len);
}

static void
put_lead(struct lf_buf *buf, struct lf_arena *arena, const struct preview *preview, size_t at)
{
    const struct lf_mapped_lead *lead = &preview->mapped.leads[at];
    bool scored = preview->failures[at].status == LF_OK;

    lf_buf_lit(buf, "{\"lead_id\":");
    put_lead_id(buf, arena, lead->lead);
    lf_buf_lit(buf, ",\"lead\":");
    lf_json_put_tree(buf, lead->lead);
    lf_buf_lit(buf, ",\"fields\":[");
    for (size_t i = 0; i < lead->field_count; i++) {
        lf_buf_text(buf, i > 0 ? "," : "");
        put_field(buf, arena, &lead->fields[i]);
    }
    lf_buf_lit(buf, "],\"unused\":[");
    for (size_t i = 0; i < lead->unused_count; i++) {
        lf_buf_text(buf, i > 0 ? "," : "");
        lf_api_put_text(buf, lead->unused[i]);
    }
    lf_buf_lit(buf, "],\"score\":");
    if (scored) {
        struct lf_scoring whole = preview->scorings[at];

        whole.explain = LF_EXPLAIN_FULL;
        lf_scoring_tell(buf, arena, &whole, NULL, preview->now_ms, 0);
    } else {
        lf_buf_lit(buf, "{}");
    }
    lf_buf_lit(buf, ",\"problem\":");
    put_problem(buf, preview, scored ? NULL : &preview->failures[at]);
    lf_buf_lit(buf, "}");
}

/* What the CRM would get, and with which status. */
static int
put_reply(struct lf_buf *buf, struct lf_arena *arena, const struct preview *preview)
{
    const struct lf_source *source = preview->source;

    if (preview->mapped.ignored != NULL) {
        lf_webhook_put_ignored(buf, preview->mapped.ignored);
        return 200;
    }
    if (preview->first == NULL) {
        lf_webhook_put_scores(buf, arena, source->reply, preview->scorings, preview->mapped.count, preview->mapped.many,
                              preview->now_ms, NULL);
        return 200;
    }
    if (lf_webhook_is_excused(source->crm, source->reply, preview->first->status)) {
        lf_webhook_put_excuse(buf, source->crm, preview->first, lf_request_id(preview->request));
        return 200;
    }
    put_problem(buf, preview, preview->first);
    return lf_status_http(preview->first->status);
}

static void
answer(struct lf_arena *arena, const struct preview *preview)
{
    struct lf_buf buf;
    int http_status = 0;

    lf_buf_init(&buf, lf_request_arena(preview->request), LF_REPLY_MAX);
    lf_buf_lit(&buf, "{\"many\":");
    put_boolean(&buf, preview->mapped.many);
    lf_buf_lit(&buf, ",\"leads\":[");
    for (size_t i = 0; i < preview->mapped.count; i++) {
        lf_buf_text(&buf, i > 0 ? "," : "");
        put_lead(&buf, arena, preview, i);
    }
    lf_buf_lit(&buf, "],\"problem\":");
    put_problem(&buf, preview, preview->first == &preview->mapping_failure ? preview->first : NULL);
    lf_buf_lit(&buf, ",\"reply\":");
    http_status = put_reply(&buf, arena, preview);
    lf_buf_lit(&buf, ",\"reply_status\":");
    lf_buf_int(&buf, http_status);
    lf_buf_lit(&buf, "}");
    lf_reply_json(preview->request, 200, &buf);
}

/* Maps the payload and scores what it finds. What a payload can be wrong about is noted; false: memory is out. */
static bool
look(struct lf_arena *arena, const struct lf_profiles *profiles, const struct lf_json *payload, struct preview *preview)
{
    enum lf_status status =
        lf_mapping_apply(arena, preview->source->mapping, payload, true, &preview->mapped, &preview->mapping_failure);
    size_t count = 0;

    if (status != LF_OK) {
        preview->mapped = (struct lf_mapped){.many = lf_json_kind(payload) == LF_JSON_ARRAY};
        preview->first = &preview->mapping_failure;
        return status != LF_OUT_OF_MEMORY;
    }
    count = preview->mapped.count;
    preview->scorings = lf_arena_calloc(arena, count, sizeof *preview->scorings);
    preview->failures = lf_arena_calloc(arena, count, sizeof *preview->failures);
    if (preview->scorings == NULL || preview->failures == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct lf_error *failure = &preview->failures[i];

        status = lf_webhook_score(arena, preview->source, profiles, &preview->mapped.leads[i], false, preview->now_ms,
                                  &preview->scorings[i], failure);
        failure->status = status; /* not written when all is well */
        if (status == LF_OUT_OF_MEMORY)
            return false;
        if (status != LF_OK && preview->first == NULL)
            preview->first = failure;
    }
    return true;
}

void
lf_api_preview(struct lf_request *request, void *context)
{
    static const char *const NO_QUERY[] = {NULL};
    struct lf_arena *arena = lf_request_scratch(request);
    struct lf_sources *sources = lf_service_sources(context);
    struct preview preview = {.request = request, .now_ms = lf_time_now_ms()};
    const struct lf_json *payload = NULL;
    struct lf_live_set *set = NULL;
    struct lf_error error;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    preview.source = lf_sources_hold(sources, lf_request_param(request, "key"));
    if (preview.source == NULL) {
        (void)lf_fail(&error, LF_SOURCE_NOT_FOUND, "there is no source of that key: PUT /v1/sources/{key} makes one");
        lf_reply_problem(request, &error);
        return;
    }
    payload = lf_api_read_body(request, &LF_JSON_DOCUMENT_LIMITS);
    if (payload != NULL) {
        set = lf_live_acquire(lf_service_live(context));
        if (look(arena, set->profiles, payload, &preview)) {
            answer(arena, &preview);
        } else {
            (void)lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while previewing a payload");
            lf_reply_problem(request, &error);
        }
        lf_live_release(lf_service_live(context), set);
    }
    lf_sources_release(sources, preview.source);
}
