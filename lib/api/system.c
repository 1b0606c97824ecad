/* system.c - whether we live, whether we are ready, and what we answer. */
#include "api/handlers.h"

#include "app/service.h"
#include "schema/openapi.h"

#include <string.h>

void
lf_api_healthz(struct lf_request *request, void *context)
{
    static const char BODY[] = "{\"status\":\"ok\",\"version\":\"" LF_VERSION "\"}";

    (void)context;
    lf_reply_bytes(request, 200, "application/json", BODY, sizeof BODY - 1);
}

void
lf_api_readyz(struct lf_request *request, void *context)
{
    static const char BODY[] = "{\"status\":\"ready\"}";
    struct lf_error error;

    if (lf_service_ready(context, &error) != LF_OK) {
        /* Whatever it is, a balancer is told the same: not now. */
        error.status = error.status == LF_STORAGE_FULL ? LF_STORAGE_FULL : LF_NOT_READY;
        lf_reply_problem(request, &error);
        return;
    }
    lf_reply_bytes(request, 200, "application/json", BODY, sizeof BODY - 1);
}

void
lf_api_openapi(struct lf_request *request, void *context)
{
    (void)context;
    lf_reply_header(request, "Cache-Control", "public, max-age=300");
    lf_reply_bytes(request, 200, "application/json", openapi_json.data, openapi_json.len);
}

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
lf_api_not_modified(struct lf_request *request, const char *etag)
{
    const char *known = lf_request_header(request, "If-None-Match");

    lf_reply_header(request, "ETag", etag);
    if (known == NULL || !names_etag(known, etag))
        return false;
    lf_reply_empty(request, 304);
    return true;
}
