/*
 * router.h - which route a method and a raw path mean; query strings.
 *
 * The table is compiled once into a tree of segments. A path is split at its slashes while it is still encoded, and
 * only then is each parameter decoded: `%2F` inside a parameter is part of it. A literal segment wins over a
 * parameter. Pure; a compiled router is immutable and shared by all threads. It knows no requests.
 */
#ifndef LF_HTTP_ROUTER_H
#define LF_HTTP_ROUTER_H

#include "base/arena.h"
#include "base/status.h"
#include "http/server.h"

#include <stddef.h>

enum { LF_SEGMENTS_MAX = 16, LF_PARAMS_MAX = 6, LF_QUERY_MAX = 32, LF_ALLOW_MAX = 64 };

struct lf_router;

/* A name and its decoded value, both NUL-terminated. */
struct lf_param {
    const char *name, *value;
    size_t value_len;
};

enum lf_match_kind { LF_MATCH_ROUTE, LF_MATCH_NO_PATH, LF_MATCH_NO_METHOD };

struct lf_match {
    const struct lf_route *route; /* of LF_MATCH_ROUTE */
    size_t param_count;
    struct {
        const char *name; /* the route's, NUL-terminated */
        const char *raw;  /* into the path, still encoded, not empty */
        size_t raw_len;
    } params[LF_PARAMS_MAX];
    char allow[LF_ALLOW_MAX]; /* of LF_MATCH_NO_METHOD: "GET, HEAD, PUT" */
};

/* Compiles and checks the table: every route with a handler, a known method, a path of literal segments and whole
 * {name} segments; no two alike. routes stay the caller's and must outlive the router. CONFIG or OUT_OF_MEMORY. */
enum lf_status lf_router_create(const struct lf_route *routes, size_t count, struct lf_router **ret_router,
                                struct lf_error *error) LF_MUST_CHECK;

/* NULL is fine. */
void lf_router_destroy(struct lf_router *router);

/* Finds the route. path: raw, without the query. HEAD is served by GET's route where it has none of its own. */
enum lf_match_kind lf_router_match(const struct lf_router *router, const char *method, const char *path,
                                   size_t path_len, struct lf_match *ret_match);

/* Undoes percent-encoding (and `+` for a space where plus is true) into the arena. The result is UTF-8 without
 * U+0000, else INVALID_URL. */
enum lf_status lf_url_decode(struct lf_arena *arena, const char *raw, size_t len, bool plus, char **ret_text,
                             size_t *ret_len, struct lf_error *error) LF_MUST_CHECK;

/* Reads `a=1&b=2` into pairs (room for LF_QUERY_MAX). A doubled name, an empty name or too many are
 * INVALID_PARAMETER; empty pieces (`a=1&&b`) are passed over. */
enum lf_status lf_query_parse(struct lf_arena *arena, const char *raw, size_t len, struct lf_param pairs[LF_QUERY_MAX],
                              size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

#endif
