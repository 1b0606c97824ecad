/* routes.c - see routes.h. Open routes have scope 0; everything else is closed by default. */
#include "api/routes.h"

#include "api/handlers.h"
#include "app/keys.h"

static const struct lf_route ROUTES[] = {
    /* method, path, scope, body, handler */
    {"GET", "/healthz", 0, LF_BODY_NONE, lf_api_healthz},
    {"GET", "/readyz", 0, LF_BODY_NONE, lf_api_readyz},
    {"GET", "/openapi.json", 0, LF_BODY_NONE, lf_api_openapi},

    {"POST", "/v1/score", LF_SCOPE_SCORE, LF_BODY_JSON, lf_api_score},
    {"POST", "/v1/explain", LF_SCOPE_SCORE, LF_BODY_JSON, lf_api_explain},
    {"GET", "/v1/scores/{id}", LF_SCOPE_LEADS_READ, LF_BODY_NONE, lf_api_get_score},

    {"GET", "/v1/icps", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_list_icps},
    {"GET", "/v1/icps/{key}", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_get_icp},
    {"GET", "/v1/icps/{key}/versions/{n}", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_get_version},
};

const struct lf_route *
lf_api_routes(size_t *ret_count)
{
    *ret_count = sizeof ROUTES / sizeof *ROUTES;
    return ROUTES;
}
