/*
 * routes.h - the one table of what the service answers, and under which scope.
 *
 * Every handler's context is the struct lf_service. A file a resource: score.c, icps.c, system.c.
 */
#ifndef LF_API_ROUTES_H
#define LF_API_ROUTES_H

#include "http/server.h"

#include <stdbool.h>
#include <stddef.h>

/* The table; static. open_metrics: GET /metrics asks for no key. There are as many routes either way. A test holds it
 * against schema/openapi.json. */
const struct lf_route *lf_api_routes(bool open_metrics, size_t *ret_count);

#endif
