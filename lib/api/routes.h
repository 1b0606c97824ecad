/*
 * routes.h - the one table of what the service answers, and under which scope.
 *
 * Every handler's context is the struct lf_service. A file a resource: score.c, icps.c, system.c.
 */
#ifndef LF_API_ROUTES_H
#define LF_API_ROUTES_H

#include "http/server.h"

#include <stddef.h>

/* The table; static. A test holds it against schema/openapi.json. */
const struct lf_route *lf_api_routes(size_t *ret_count);

#endif
