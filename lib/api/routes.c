/*
 * routes.c - see routes.h. Open routes have scope 0; everything else is closed by default.
 *
 * What writes, waits for the disk or may take long is done at the desk (http/server.h); scoring, and reading one row or
 * a few, on the HTTP threads.
 */
#include "api/routes.h"

#include "api/handlers.h"
#include "app/keys.h"

#define WORKER LF_LANE_WORKER, 0
#define DESK LF_LANE_DESK, 0

static const struct lf_route ROUTES[] = {
    /* method, path, scope, body, handler, lane and the largest body (0: as configured) */
    {"GET", "/metrics", LF_SCOPE_STATS_READ, LF_BODY_NONE, lf_api_metrics, DESK}, /* first: see lf_api_routes */

    {"GET", "/healthz", 0, LF_BODY_NONE, lf_api_healthz, WORKER},
    {"GET", "/readyz", 0, LF_BODY_NONE, lf_api_readyz, WORKER},
    {"GET", "/openapi.json", 0, LF_BODY_NONE, lf_api_openapi, WORKER},

    {"POST", "/v1/score", LF_SCOPE_SCORE, LF_BODY_JSON, lf_api_score, WORKER},
    {"POST", "/v1/explain", LF_SCOPE_SCORE, LF_BODY_JSON, lf_api_explain, WORKER},
    {"GET", "/v1/scores/{id}", LF_SCOPE_LEADS_READ, LF_BODY_NONE, lf_api_get_score, WORKER},
    {"POST", "/v1/scores/{id}/verify", LF_SCOPE_LEADS_READ, LF_BODY_JSON, lf_api_verify_score, DESK},

    {"GET", "/v1/icps", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_list_icps, WORKER},
    {"GET", "/v1/icps/{key}", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_get_icp, WORKER},
    {"DELETE", "/v1/icps/{key}", LF_SCOPE_ICP_WRITE, LF_BODY_NONE, lf_api_archive_icp, DESK},
    {"POST", "/v1/icps/{key}/restore", LF_SCOPE_ICP_WRITE, LF_BODY_JSON, lf_api_restore_icp, DESK},

    {"GET", "/v1/icps/{key}/draft", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_get_draft, DESK},
    {"PUT", "/v1/icps/{key}/draft", LF_SCOPE_ICP_WRITE, LF_BODY_JSON, lf_api_put_draft, DESK},
    {"DELETE", "/v1/icps/{key}/draft", LF_SCOPE_ICP_WRITE, LF_BODY_NONE, lf_api_delete_draft, DESK},
    {"GET", "/v1/icps/{key}/draft/lint", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_lint_draft, DESK},
    {"GET", "/v1/icps/{key}/draft/impact", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_impact, DESK},
    {"POST", "/v1/lint", LF_SCOPE_ICP_READ, LF_BODY_JSON, lf_api_lint, DESK},

    {"GET", "/v1/icps/{key}/versions", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_list_versions, DESK},
    {"GET", "/v1/icps/{key}/versions/{n}", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_get_version, WORKER},
    {"GET", "/v1/icps/{key}/diff", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_diff, DESK},
    {"POST", "/v1/icps/{key}/publish", LF_SCOPE_ICP_WRITE, LF_BODY_JSON, lf_api_publish, DESK},
    {"POST", "/v1/icps/{key}/activate", LF_SCOPE_ICP_WRITE, LF_BODY_JSON, lf_api_activate, DESK},
    {"GET", "/v1/icps/{key}/compare", LF_SCOPE_STATS_READ, LF_BODY_NONE, lf_api_compare, DESK},

    {"GET", "/v1/lists", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_list_lists, DESK},
    {"GET", "/v1/lists/{key}", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_get_list, DESK},
    {"PUT", "/v1/lists/{key}", LF_SCOPE_ICP_WRITE, LF_BODY_TEXT, lf_api_put_list, LF_LANE_DESK, LF_LIST_BODY_MAX},
    {"PATCH", "/v1/lists/{key}", LF_SCOPE_ICP_WRITE, LF_BODY_JSON, lf_api_patch_list, DESK},
    {"DELETE", "/v1/lists/{key}", LF_SCOPE_ICP_WRITE, LF_BODY_NONE, lf_api_delete_list, DESK},

    {"POST", "/v1/outcomes", LF_SCOPE_LEADS_WRITE, LF_BODY_LINES, lf_api_outcomes, LF_LANE_DESK, LF_OUTCOMES_BODY_MAX},

    {"GET", "/v1/leads", LF_SCOPE_LEADS_READ, LF_BODY_NONE, lf_api_list_leads, DESK},
    {"GET", "/v1/leads/{id}", LF_SCOPE_LEADS_READ, LF_BODY_NONE, lf_api_get_lead, DESK},
    {"DELETE", "/v1/leads/{id}", LF_SCOPE_LEADS_WRITE, LF_BODY_NONE, lf_api_erase_lead, DESK},
    {"GET", "/v1/leads/{id}/scores", LF_SCOPE_LEADS_READ, LF_BODY_NONE, lf_api_lead_scores, DESK},
    {"GET", "/v1/leads/{id}/export", LF_SCOPE_LEADS_READ, LF_BODY_NONE, lf_api_export_lead, DESK},

    {"GET", "/v1/stats", LF_SCOPE_STATS_READ, LF_BODY_NONE, lf_api_stats, DESK},
    {"GET", "/v1/stats/penetration", LF_SCOPE_STATS_READ, LF_BODY_NONE, lf_api_penetration, DESK},
    {"GET", "/v1/stats/unmatched", LF_SCOPE_STATS_READ, LF_BODY_NONE, lf_api_unmatched, DESK},

    /* Open to everybody: what a delivery is signed with lets it in, or an API key that the handler looks at. */
    {"POST", "/v1/webhooks/{source}", 0, LF_BODY_JSON, lf_api_webhook, WORKER},

    {"GET", "/v1/sources", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_list_sources, DESK},
    {"GET", "/v1/sources/{key}", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_get_source, DESK},
    {"PUT", "/v1/sources/{key}", LF_SCOPE_ADMIN, LF_BODY_JSON, lf_api_put_source, DESK},
    {"DELETE", "/v1/sources/{key}", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_delete_source, DESK},
    {"POST", "/v1/sources/{key}/preview", LF_SCOPE_ADMIN, LF_BODY_JSON, lf_api_preview, DESK},
    {"GET", "/v1/sources/{key}/refused", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_refused, DESK},

    {"GET", "/v1/subscriptions", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_list_subscriptions, DESK},
    {"GET", "/v1/subscriptions/{key}", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_get_subscription, DESK},
    {"PUT", "/v1/subscriptions/{key}", LF_SCOPE_ADMIN, LF_BODY_JSON, lf_api_put_subscription, DESK},
    {"DELETE", "/v1/subscriptions/{key}", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_delete_subscription, DESK},
    {"GET", "/v1/subscriptions/{key}/deliveries", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_list_deliveries, DESK},
    {"POST", "/v1/subscriptions/{key}/deliveries/{id}/retry", LF_SCOPE_ADMIN, LF_BODY_JSON, lf_api_retry_delivery,
     DESK},

    {"GET", "/v1/audit", LF_SCOPE_ICP_READ, LF_BODY_NONE, lf_api_audit, DESK},

    {"GET", "/v1/keys", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_list_keys, DESK},
    {"POST", "/v1/keys", LF_SCOPE_ADMIN, LF_BODY_JSON, lf_api_create_key, DESK},
    {"DELETE", "/v1/keys/{id}", LF_SCOPE_ADMIN, LF_BODY_NONE, lf_api_revoke_key, DESK},

    {.method = "GET", .path = "/metrics", .scope = 0, .handle = lf_api_metrics, .lane = LF_LANE_DESK}, /* last */
};

/* Of the two lines for /metrics the closed one is the first and the open one the last, so that the table with either is
 * a part of this one. */
const struct lf_route *
lf_api_routes(bool open_metrics, size_t *ret_count)
{
    *ret_count = sizeof ROUTES / sizeof *ROUTES - 1;
    return open_metrics ? ROUTES + 1 : ROUTES;
}
