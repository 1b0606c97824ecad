/* icps.c - GET /v1/icps, /v1/icps/{key}, /v1/icps/{key}/versions/{n}. */
#include "api/handlers.h"

#include "app/service.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const NO_QUERY[] = {NULL};

static void
put_time(struct lf_buf *buf, int64_t ms)
{
    char text[LF_TIME_TEXT_MAX];

    lf_buf_lit(buf, "\"");
    lf_buf_add(buf, text, lf_time_format_ms(ms, text));
    lf_buf_lit(buf, "\"");
}

static void
put_text(struct lf_buf *buf, const char *text)
{
    lf_json_put_text(buf, text, strlen(text));
}

static void
put_icp(struct lf_buf *buf, const struct lf_stored_icp *icp)
{
    lf_buf_printf(buf, "{\"key\":\"%s\",\"name\":", icp->key);
    put_text(buf, icp->name);
    lf_buf_printf(buf, ",\"purpose\":\"%s\",\"state\":\"%s\",\"active_version\":%d,\"versions\":%d,\"draft_etag\":\"\"",
                  icp->purpose, icp->archived ? "archived" : "active", icp->active_version, icp->versions);
    lf_buf_lit(buf, ",\"created_at\":");
    put_time(buf, icp->created_at_ms);
    lf_buf_lit(buf, ",\"updated_at\":");
    put_time(buf, icp->updated_at_ms);
    lf_buf_lit(buf, "}");
}

/* Answers with the body, or with the problem when status is one. */
static void
conclude(struct lf_request *request, enum lf_status status, const struct lf_buf *body, const struct lf_error *error)
{
    if (status == LF_OK)
        lf_reply_json(request, 200, body);
    else
        lf_reply_problem(request, error);
}

void
lf_api_list_icps(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_store_reader *reader = NULL;
    struct lf_stored_icp *icps = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_icps(reader, arena, &icps, &count, &error);
        lf_service_return_reader(context, reader);
    }
    lf_buf_lit(&body, "{\"icps\":[");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        if (i > 0)
            lf_buf_lit(&body, ",");
        put_icp(&body, &icps[i]);
    }
    lf_buf_lit(&body, "]}");
    conclude(request, status, &body, &error);
}

void
lf_api_get_icp(struct lf_request *request, void *context)
{
    struct lf_arena *arena = lf_request_arena(request);
    struct lf_store_reader *reader = NULL;
    struct lf_stored_icp icp;
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, arena, LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = lf_store_icp(reader, arena, lf_request_param(request, "key"), &icp, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        put_icp(&body, &icp);
    conclude(request, status, &body, &error);
}

/* A version's number in a path: 1, 2, … */
static bool
read_number(const char *text, int *ret_number)
{
    size_t len = strlen(text);

    if (len == 0 || len > 9 || text[0] == '0' || strspn(text, "0123456789") != len)
        return false;
    *ret_number = atoi(text);
    return true;
}

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
    if (!read_number(text, &number)) {
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
    put_text(&body, etag);
    lf_buf_lit(&body, ",\"published_at\":");
    put_time(&body, version.published_at_ms);
    lf_buf_lit(&body, ",\"note\":");
    put_text(&body, version.note);
    lf_buf_lit(&body, ",\"definition\":");
    lf_buf_add(&body, version.document, version.document_len);
    lf_buf_lit(&body, "}");
    lf_reply_json(request, 200, &body);
}
