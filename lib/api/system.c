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
