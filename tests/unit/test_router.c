/* test_router.c - the routing table, paths, and query strings; and a comparison with a router that is slow and plain.
 */
#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
handle(struct lf_request *request, void *context)
{
    (void)request, (void)context;
}

#define ROUTE(method, path)                                      \
    {                                                            \
        method, path, 0, LF_BODY_NONE, handle, LF_LANE_WORKER, 0 \
    }

static const struct lf_route ROUTES[] = {
    ROUTE("GET", "/"),          ROUTE("GET", "/a"),    ROUTE("POST", "/a"),      ROUTE("GET", "/a/{x}"),
    ROUTE("PUT", "/a/{x}"),     ROUTE("POST", "/a/b"), ROUTE("GET", "/a/{x}/c"), ROUTE("DELETE", "/a/b/{z}"),
    ROUTE("GET", "/a/{y}/{z}"), ROUTE("HEAD", "/own"), ROUTE("GET", "/own"),     ROUTE("PATCH", "/x.y-z_~"),
};
enum { ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0] };

static struct lf_router *
make(void)
{
    struct lf_router *router = NULL;
    struct lf_error error;

    if (lf_router_create(ROUTES, ROUTE_COUNT, &router, &error) != LF_OK)
        fail_msg("%s", error.detail);
    return router;
}

static void
test_match(void **state)
{
    static const struct {
        const char *method, *path;
        int route;          /* index, -1 no path, -2 no method */
        const char *params; /* raw, name=value joined by spaces */
        const char *allow;
    } ROWS[] = {
        {"GET", "/", 0, "", ""},
        {"HEAD", "/", 0, "", ""},
        {"POST", "/", -2, "", "GET, HEAD"},
        {"GET", "", -1, "", ""},
        {"GET", "a", -1, "", ""},
        {"GET", "/a", 1, "", ""},
        {"HEAD", "/a", 1, "", ""},
        {"POST", "/a", 2, "", ""},
        {"PUT", "/a", -2, "", "GET, HEAD, POST"},
        {"BREW", "/a", -2, "", "GET, HEAD, POST"},
        {"get", "/a", -2, "", "GET, HEAD, POST"},
        {"GET", "/a/", -1, "", ""},
        {"GET", "//a", -1, "", ""},
        {"GET", "/A", -1, "", ""},
        {"GET", "/%61", -1, "", ""},
        {"GET", "/a/x", 3, "x=x", ""},
        {"GET", "/a/b", 3, "x=b", ""}, /* the literal has POST alone: the parameter serves GET */
        {"POST", "/a/b", 5, "", ""},
        {"PUT", "/a/b", 4, "x=b", ""},
        {"DELETE", "/a/b", -2, "", "GET, HEAD, POST, PUT"}, /* of both */
        {"POST", "/a/x", -2, "", "GET, HEAD, PUT"},
        {"GET", "/a/x%2Fy", 3, "x=x%2Fy", ""},
        {"GET", "/a/x/c", 6, "x=x", ""},
        {"GET", "/a/b/c", 6, "x=b", ""},
        {"DELETE", "/a/b/c", 7, "z=c", ""},
        {"GET", "/a/b/d", 8, "y=b z=d", ""},
        {"GET", "/a/x/y", 8, "y=x z=y", ""},
        {"GET", "/a//y", -1, "", ""},
        {"GET", "/a/x/", -1, "", ""},
        {"GET", "/a/.", -1, "", ""},
        {"GET", "/a/..", -1, "", ""},
        {"GET", "/a/...", 3, "x=...", ""},
        {"GET", "/a/%2E", 3, "x=%2E", ""},
        {"GET", "/a/{x}", 3, "x={x}", ""},
        {"HEAD", "/own", 9, "", ""},
        {"GET", "/own", 10, "", ""},
        {"POST", "/own", -2, "", "GET, HEAD"},
        {"PATCH", "/x.y-z_~", 11, "", ""},
        {"GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", -1, "", ""},
    };
    struct lf_router *router = make();

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct lf_match match = {0};
        enum lf_match_kind kind = lf_router_match(router, ROWS[i].method, ROWS[i].path, strlen(ROWS[i].path), &match);
        int route = kind == LF_MATCH_ROUTE ? (int)(match.route - ROUTES) : kind == LF_MATCH_NO_PATH ? -1 : -2;
        char params[200] = "";

        for (size_t k = 0; kind == LF_MATCH_ROUTE && k < match.param_count; k++)
            (void)snprintf(params + strlen(params), sizeof params - strlen(params), "%s%s=%.*s", k > 0 ? " " : "",
                           match.params[k].name, (int)match.params[k].raw_len, match.params[k].raw);
        if (route != ROWS[i].route || strcmp(params, ROWS[i].params) != 0)
            fail_msg("%s %s: route %d, params %s", ROWS[i].method, ROWS[i].path, route, params);
        if (kind == LF_MATCH_NO_METHOD)
            assert_string_equal(match.allow, ROWS[i].allow);
    }
    lf_router_destroy(router);
}

static void
test_bad_tables(void **state)
{
    static const struct {
        const char *name;
        struct lf_route routes[2];
        size_t count;
    } ROWS[] = {
        {"twice", {ROUTE("GET", "/a"), ROUTE("GET", "/a")}, 2},
        {"twice, by another name", {ROUTE("GET", "/{a}"), ROUTE("GET", "/{b}")}, 2},
        {"no handler", {{"GET", "/a", 0, LF_BODY_NONE, NULL, LF_LANE_WORKER, 0}}, 1},
        {"unknown method", {ROUTE("BREW", "/a")}, 1},
        {"no slash", {ROUTE("GET", "a")}, 1},
        {"empty", {ROUTE("GET", "")}, 1},
        {"slash behind", {ROUTE("GET", "/a/")}, 1},
        {"empty segment", {ROUTE("GET", "/a//b")}, 1},
        {"parameter without a name", {ROUTE("GET", "/{}")}, 1},
        {"parameter in a segment", {ROUTE("GET", "/a{b}")}, 1},
        {"something behind a parameter", {ROUTE("GET", "/{b}c")}, 1},
        {"open brace", {ROUTE("GET", "/{b")}, 1},
        {"escape", {ROUTE("GET", "/%41")}, 1},
        {"too many parameters", {ROUTE("GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}")}, 1},
        {"too deep", {ROUTE("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17")}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct lf_router *router = NULL;
        struct lf_error error;
        if (lf_router_create(ROWS[i].routes, ROWS[i].count, &router, &error) != LF_CONFIG || router != NULL)
            fail_msg("%s", ROWS[i].name);
    }
    lf_router_destroy(NULL);
}

static void
test_query(void **state)
{
    static const struct {
        const char *query;
        enum lf_status expected;
        const char *pairs; /* name=value joined by | */
    } ROWS[] = {
        {"", LF_OK, ""},
        {"a=1", LF_OK, "a=1"},
        {"a=1&b=2", LF_OK, "a=1|b=2"},
        {"a", LF_OK, "a="},
        {"a=", LF_OK, "a="},
        {"&&a=1&", LF_OK, "a=1"},
        {"a=b=c", LF_OK, "a=b=c"},
        {"a+b=c+d%2B", LF_OK, "a b=c d+"},
        {"%C3%A9=%c3%a9", LF_OK, "\xC3\xA9=\xC3\xA9"},
        {"a=%26%3D", LF_OK, "a=&="},
        {"=1", LF_INVALID_PARAMETER, ""},
        {"=", LF_INVALID_PARAMETER, ""},
        {"a=1&a=1", LF_INVALID_PARAMETER, ""},
        {"a=1&%61=1", LF_INVALID_PARAMETER, ""},
        {"a=%", LF_INVALID_URL, ""},
        {"a=%1", LF_INVALID_URL, ""},
        {"a=%1g", LF_INVALID_URL, ""},
        {"a%=1", LF_INVALID_URL, ""},
        {"a=%00", LF_INVALID_URL, ""},
        {"a=%FF", LF_INVALID_URL, ""},
        {"a=%ED%A0%80", LF_INVALID_URL, ""},
    };
    struct lf_arena *arena = lf_arena_create(4096, 1 << 20);

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct lf_param pairs[LF_QUERY_MAX];
        struct lf_error error;
        size_t count = 0;
        char text[200] = "";
        enum lf_status status = lf_query_parse(arena, ROWS[i].query, strlen(ROWS[i].query), pairs, &count, &error);

        for (size_t k = 0; status == LF_OK && k < count; k++) {
            assert_int_equal(strlen(pairs[k].value), pairs[k].value_len);
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s=%s", k > 0 ? "|" : "", pairs[k].name,
                           pairs[k].value);
        }
        if (status != ROWS[i].expected || strcmp(text, ROWS[i].pairs) != 0)
            fail_msg("%s: %s, %s", ROWS[i].query, lf_status_word(status), text);
    }
    lf_arena_destroy(arena);
}

static void
test_query_count(void **state)
{
    struct lf_arena *arena = lf_arena_create(4096, 1 << 20);
    struct lf_param pairs[LF_QUERY_MAX];
    struct lf_error error;
    char text[512] = "";
    size_t count = 0;

    (void)state;
    for (int i = 0; i < LF_QUERY_MAX; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "a%d=&", i);
    assert_int_equal(lf_query_parse(arena, text, strlen(text), pairs, &count, &error), LF_OK);
    assert_int_equal(count, LF_QUERY_MAX);
    strcat(text, "b");
    assert_int_equal(lf_query_parse(arena, text, strlen(text), pairs, &count, &error), LF_INVALID_PARAMETER);
    lf_arena_destroy(arena);
}

/* The plain router: tries every route, segment by segment. Returns how good the fit is: literals count, earlier ones
 * more; -1 for none. */
static int
plain_fit(const char *pattern, const char *path)
{
    int fit = 0, bit = 1 << 16;

    for (;; bit >>= 1) {
        size_t pattern_len = strcspn(pattern + 1, "/"), path_len = strcspn(path + 1, "/");
        if ((path_len == 1 && path[1] == '.') || (path_len == 2 && path[1] == '.' && path[2] == '.'))
            return -1;
        if (pattern[1] == '{') {
            if (path_len == 0)
                return -1;
        } else if (pattern_len != path_len || strncmp(pattern + 1, path + 1, path_len) != 0) {
            return -1;
        } else {
            fit |= bit;
        }
        pattern += 1 + pattern_len;
        path += 1 + path_len;
        if (*pattern == '\0' || *path == '\0')
            return *pattern == *path ? fit : -1;
    }
}

static void
test_against_plain(void **state)
{
    static const char *const PIECES[] = {"a", "b", "c", "own", "", "x", "%2F", ".", "..", "x.y-z_~"};
    static const char *const METHODS[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW"};
    struct lf_router *router = make();
    unsigned seed = 12345;
    int kinds[3] = {0};

    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct lf_match match = {0};
        char path[128] = "";
        const char *method = METHODS[rand_r(&seed) % 7];
        int best = -1, best_route = -1, any = 0;

        for (int k = 1 + rand_r(&seed) % 4; k > 0; k--)
            (void)snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", PIECES[rand_r(&seed) % 10]);
        for (int r = 0; r < ROUTE_COUNT; r++) {
            int fit = plain_fit(ROUTES[r].path, path);
            int own = strcmp(ROUTES[r].method, method) == 0;
            int serves = own || (strcmp(method, "HEAD") == 0 && strcmp(ROUTES[r].method, "GET") == 0);
            any |= fit >= 0;
            if (fit >= 0 && serves && fit * 2 + own > best) {
                best = fit * 2 + own;
                best_route = r;
            }
        }
        enum lf_match_kind kind = lf_router_match(router, method, path, strlen(path), &match);
        kinds[kind]++;
        int route = kind == LF_MATCH_ROUTE ? (int)(match.route - ROUTES) : -1;
        if (route != best_route || (kind == LF_MATCH_NO_PATH) != !any)
            fail_msg("%s %s: %d, expected %d (any %d, kind %d)", method, path, route, best_route, any, (int)kind);
    }
    for (int i = 0; i < 3; i++)
        assert_true(kinds[i] > 1000);
    lf_router_destroy(router);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),       cmocka_unit_test(test_bad_tables),    cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_count), cmocka_unit_test(test_against_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
