/* versions.c - what is in service: GET versions, versions/{n} and diff, POST publish and activate, of one ICP. */
#include "api/handlers.h"

#include "app/editing.h"
#include "core/diff.h"

#include <stdio.h>
#include <string.h>

enum { VERSION_MAX = 999999999 /* as in paths */ };

static const char *const NO_QUERY[] = {NULL};

/* ---- GET versions ---- */

static void
put_version_line(struct lf_buf *body, const struct lf_stored_version *version, bool active)
{
    lf_buf_printf(body, "{\"version\":%d,\"name\":", version->version);
    lf_api_put_text(body, version->name);
    lf_buf_lit(body, ",\"purpose\":");
    lf_api_put_text(body, version->purpose);
    lf_buf_lit(body, ",\"definition_hash\":");
    lf_api_put_hash(body, version->hash);
    lf_buf_lit(body, ",\"note\":");
    lf_api_put_text(body, version->note);
    lf_buf_lit(body, ",\"published_by\":");
    lf_api_put_text(body, version->published_by);
    lf_buf_lit(body, ",\"published_at\":");
    lf_api_put_time(body, version->published_at_ms);
    lf_buf_text(body, active ? ",\"active\":true}" : ",\"active\":false}");
}

void
lf_api_list_versions(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_arena(request);
    const char *key = lf_request_param(request, "key");
    struct lf_store_reader *reader = NULL;
    struct lf_stored_version *versions = NULL;
    struct lf_stored_icp icp;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_icp(reader, arena, key, &icp, &error);
        if (status == LF_OK)
            status = lf_store_versions(reader, arena, key, &versions, &count, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK) {
        lf_buf_printf(&body, "{\"icp\":\"%s\",\"active_version\":%d,\"versions\":[", icp.key, icp.active_version);
        /* Versions are only ever added: what was published since the first look is left out, so that the answer is
         * the state of one moment. */
        for (size_t i = 0; i < count && versions[i].version <= icp.versions; i++) {
            if (i > 0)
                lf_buf_lit(&body, ",");
            put_version_line(&body, &versions[i], versions[i].version == icp.active_version);
        }
        lf_buf_lit(&body, "]}");
    }
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- GET versions/{n} ---- */

void
lf_api_get_version(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_arena(request);
    const char *key = lf_request_param(request, "key"), *text = lf_request_param(request, "n");
    struct lf_store_reader *reader = NULL;
    struct lf_stored_version version;
    struct lf_error error;
    struct lf_buf body;
    char hash[LF_HASH_TEXT_MAX], etag[LF_HASH_TEXT_MAX + 2];
    enum lf_status status = LF_OK;
    int number = 0;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    if (!lf_api_read_version(text, &number)) {
        (void)lf_fail(&error, LF_VERSION_NOT_FOUND, "versions are numbered 1, 2, 3 …");
        lf_reply_problem(request, &error);
        return;
    }
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_version(reader, arena, key, number, &version, &error);
        lf_service_return_reader(context, reader);
    }
    if (status != LF_OK) {
        lf_reply_problem(request, &error);
        return;
    }
    lf_hash_text(version.hash, hash);
    (void)snprintf(etag, sizeof etag, "\"%s\"", hash);
    lf_reply_header(request, "Cache-Control", "private, max-age=31536000, immutable");
    if (lf_api_not_modified(request, etag))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    lf_buf_printf(&body, "{\"icp\":\"%s\",\"version\":%d,\"definition_hash\":\"%s\",\"etag\":", version.icp,
                  version.version, hash);
    lf_api_put_text(&body, etag);
    lf_buf_lit(&body, ",\"published_at\":");
    lf_api_put_time(&body, version.published_at_ms);
    lf_buf_lit(&body, ",\"note\":");
    lf_api_put_text(&body, version.note);
    lf_buf_lit(&body, ",\"definition\":");
    lf_buf_add(&body, version.document, version.document_len);
    lf_buf_lit(&body, "}");
    lf_reply_json(request, 200, &body);
}

/* ---- GET diff ---- */

/* One side of a diff: a version, or the draft. */
struct side {
    int version; /* 0: the draft */
    char name[16];
    const struct lf_json *json;
    const struct lf_icp *icp;
};

/* Reads which side is meant, from the query: a number or `draft`. Answers the problem and returns false where it is
 * neither. */
static bool
read_side(struct lf_request *request, const char *name, bool *ret_given, int *ret_version)
{
    const char *text = lf_request_query(request, name);
    struct lf_error error;

    *ret_given = text != NULL;
    *ret_version = 0;
    if (text == NULL || strcmp(text, "draft") == 0 || lf_api_read_version(text, ret_version))
        return true;
    (void)lf_fail(&error, LF_INVALID_PARAMETER, "%s: the number of a version or draft belongs here, not \"%.64s\"",
                  name, text);
    lf_reply_problem(request, &error);
    return false;
}

static enum lf_status
load_side(struct lf_store_reader *reader, struct lf_arena *arena, const char *key, struct side *side,
          struct lf_error *error)
{
    struct lf_stored_version version;
    struct lf_stored_draft draft;
    const char *document = NULL;
    char what[160];
    size_t len = 0;
    enum lf_status status = LF_OK;

    if (side->version > 0) {
        (void)snprintf(side->name, sizeof side->name, "%d", side->version);
        (void)snprintf(what, sizeof what, "version %d of %s", side->version, key);
        status = lf_store_version(reader, arena, key, side->version, &version, error);
        document = status == LF_OK ? version.document : NULL;
        len = status == LF_OK ? version.document_len : 0;
    } else {
        (void)snprintf(side->name, sizeof side->name, "draft");
        (void)snprintf(what, sizeof what, "the draft of %s", key);
        status = lf_store_draft(reader, arena, key, &draft, error);
        document = status == LF_OK ? draft.document : NULL;
        len = status == LF_OK ? draft.document_len : 0;
    }
    return status != LF_OK ? status : lf_api_parse_stored(arena, document, len, what, &side->json, &side->icp, error);
}

static void
put_diff(struct lf_buf *body, const char *key, const struct side *from, const struct side *to,
         const struct lf_diff *diff)
{
    lf_buf_printf(body, "{\"icp\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"changes\":[", key, from->name, to->name);
    for (size_t i = 0; i < diff->count; i++) {
        const struct lf_difference *one = &diff->items[i];

        lf_buf_printf(body, "%s{\"op\":\"%s\",\"path\":", i > 0 ? "," : "", one->op);
        lf_api_put_text(body, one->path);
        lf_buf_lit(body, ",\"attribute\":");
        lf_api_put_text(body, one->attribute);
        lf_buf_lit(body, ",\"rule\":");
        lf_api_put_text(body, one->rule);
        lf_buf_lit(body, ",\"before\":");
        lf_api_put_text(body, one->before);
        lf_buf_lit(body, ",\"after\":");
        lf_api_put_text(body, one->after);
        lf_buf_printf(body, ",\"place\":%zu,\"words\":", one->place);
        lf_api_put_text(body, one->words);
        lf_buf_lit(body, "}");
    }
    lf_buf_lit(body, "]}");
}

void
lf_api_diff(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"from", "to", NULL};
    struct lf_arena *arena = lf_request_scratch(request);
    const char *key = lf_request_param(request, "key");
    struct lf_store_reader *reader = NULL;
    struct side from = {.version = 0}, to = {.version = 0};
    struct lf_stored_icp icp;
    struct lf_diff diff;
    struct lf_error error;
    struct lf_buf body;
    bool from_given = false, to_given = false;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) || !read_side(request, "from", &from_given, &from.version) ||
        !read_side(request, "to", &to_given, &to.version))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_icp(reader, arena, key, &icp, &error);
        if (status == LF_OK && !from_given) {
            from.version = icp.active_version;
            if (from.version == 0)
                status = lf_fail(&error, LF_VERSION_NOT_FOUND,
                                 "%s has no version yet that its draft could be held against: publish it first", key);
        }
        if (status == LF_OK)
            status = load_side(reader, arena, key, &from, &error);
        if (status == LF_OK)
            status = load_side(reader, arena, key, &to, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        status = lf_diff(arena, from.json, from.icp, to.json, to.icp, &diff, &error);
    if (status == LF_OK)
        put_diff(&body, icp.key, &from, &to, &diff);
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- POST publish, POST activate ---- */

static void
put_publication(struct lf_buf *body, const char *key, const struct lf_publication *publication, const char *at_name,
                const char *note)
{
    lf_buf_printf(body, "{\"icp\":\"%s\",\"version\":%d,\"definition_hash\":", key, publication->version);
    lf_api_put_hash(body, publication->hash);
    lf_buf_printf(body, ",\"%s\":", at_name);
    lf_api_put_time(body, publication->at_ms);
    lf_buf_lit(body, ",\"note\":");
    lf_api_put_text(body, note);
}

void
lf_api_publish(struct lf_request *request, void *context)
{
    static const char *const MEMBERS[] = {"note", "max_grade_change_pct", NULL};
    struct lf_arena *arena = lf_request_scratch(request);
    const char *key = lf_request_param(request, "key"), *note = NULL;
    struct lf_precondition precondition;
    struct lf_publication publication;
    struct lf_api_input input;
    struct lf_place place = LF_PLACE_MEMBER(&input.root, "max_grade_change_pct");
    struct lf_findings findings;
    struct lf_change change;
    struct lf_error error;
    struct lf_buf body;
    char location[128];
    int64_t guard = -1;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_read_precondition(request, &precondition) ||
        !lf_api_input_begin(request, &input, true, MEMBERS))
        return;
    note = lf_api_input_note(&input);
    guard = lf_document_decimal(&input.document, lf_api_input_member(&input, "max_grade_change_pct"), &place, 2, 0,
                                10000, -1);
    if (!lf_api_input_end(request, &input))
        return;
    lf_findings_init(&findings, arena);
    lf_api_change(request, context, note, &change);
    if (lf_edit_publish(context, arena, key, (int)guard, &precondition, &change, &findings, &publication, &error) !=
        LF_OK) {
        lf_reply_findings(request, &error, &findings);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    put_publication(&body, key, &publication, "published_at", note);
    lf_buf_lit(&body, "}");
    (void)snprintf(location, sizeof location, "/v1/icps/%s/versions/%d", key, publication.version);
    lf_reply_header(request, "Location", location);
    lf_reply_json(request, 201, &body);
}

void
lf_api_activate(struct lf_request *request, void *context)
{
    static const char *const MEMBERS[] = {"version", "note", NULL};
    const char *key = lf_request_param(request, "key"), *note = NULL;
    struct lf_publication publication;
    struct lf_api_input input;
    struct lf_place place = LF_PLACE_MEMBER(&input.root, "version");
    struct lf_change change;
    struct lf_error error;
    struct lf_buf body;
    int version = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || !lf_api_input_begin(request, &input, false, MEMBERS))
        return;
    note = lf_api_input_note(&input);
    if (input.body != NULL)
        version =
            (int)lf_document_integer(&input.document, lf_json_member(input.body, "version"), &place, 1, VERSION_MAX);
    if (!lf_api_input_end(request, &input))
        return;
    lf_api_change(request, context, note, &change);
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_edit_activate(context, lf_request_scratch(request), key, version, &change, &publication, &error);
    if (status == LF_OK) {
        put_publication(&body, key, &publication, "activated_at", note);
        lf_buf_text(&body, publication.unchanged ? ",\"unchanged\":true}" : ",\"unchanged\":false}");
    }
    lf_api_conclude(request, 200, status, &body, &error);
}
