/* router.c - see router.h. Nodes live in one array and name each other by index; 0 is the root and "none". */
#include "http/router.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const METHODS[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
enum { GET, HEAD, METHOD_COUNT = sizeof METHODS / sizeof METHODS[0] };

enum { NODES_MAX = 16384 }; /* far beyond any table written by hand */

struct node {
    const char *literal; /* into the route's path; NULL for a parameter and for the root */
    size_t len;
    unsigned first_literal; /* child */
    unsigned parameter;     /* child */
    unsigned sibling;       /* next literal of the same parent */
    const struct lf_route *routes[METHOD_COUNT];
    bool is_end;
};

/* A route's parameter names, by its index in the table. */
struct names {
    size_t count;
    char *name[LF_PARAMS_MAX]; /* owned */
};

struct lf_router {
    const struct lf_route *routes;
    struct names *names; /* one for each route */
    size_t route_count;
    struct node *nodes;
    size_t node_count, node_cap;
};

static int
method_index(const char *method)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(METHODS[i], method) == 0)
            return i;
    }
    return -1;
}

static bool
node_add(struct lf_router *router, unsigned *ret_index)
{
    if (router->node_count == router->node_cap) {
        size_t cap = router->node_cap == 0 ? 64 : router->node_cap * 2;
        struct node *nodes = cap > NODES_MAX ? NULL : realloc(router->nodes, cap * sizeof *nodes);
        if (nodes == NULL)
            return false;
        router->nodes = nodes;
        router->node_cap = cap;
    }
    router->nodes[router->node_count] = (struct node){0};
    *ret_index = (unsigned)router->node_count++;
    return true;
}

static unsigned
literal_child(const struct lf_router *router, unsigned parent, const char *text, size_t len)
{
    unsigned child = router->nodes[parent].first_literal;

    while (child != 0 && (router->nodes[child].len != len || memcmp(router->nodes[child].literal, text, len) != 0))
        child = router->nodes[child].sibling;
    return child;
}

/* The child of `parent` for one segment of a route's path, made where it is not there yet; 0 when memory is out. */
static unsigned
child_for(struct lf_router *router, unsigned parent, const char *text, size_t len)
{
    bool parameter = text[0] == '{';
    unsigned child = parameter ? router->nodes[parent].parameter : literal_child(router, parent, text, len);

    if (child != 0)
        return child;
    if (!node_add(router, &child))
        return 0;
    if (parameter) {
        router->nodes[parent].parameter = child;
    } else {
        router->nodes[child].literal = text;
        router->nodes[child].len = len;
        router->nodes[child].sibling = router->nodes[parent].first_literal;
        router->nodes[parent].first_literal = child;
    }
    return child;
}

/* A segment as a route may have it: plain characters, or a whole {name}. */
static bool
is_sound_segment(const char *text, size_t len)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    if (len >= 2 && text[0] == '{' && text[len - 1] == '}')
        return len > 2 && strspn(text + 1, PLAIN) == len - 2;
    return len > 0 && strspn(text, PLAIN) >= len;
}

static enum lf_status
add_param_name(struct names *names, const char *text, size_t len, const char *path, struct lf_error *error)
{
    if (names->count == LF_PARAMS_MAX)
        return lf_fail(error, LF_CONFIG, "Route %s: at most %d parameters.", path, LF_PARAMS_MAX);
    names->name[names->count] = strndup(text + 1, len - 2);
    if (names->name[names->count] == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the routing table.");
    names->count++;
    return LF_OK;
}

static enum lf_status
add_route(struct lf_router *router, const struct lf_route *route, struct names *names, struct lf_error *error)
{
    int method = method_index(route->method);
    const char *at = route->path;
    unsigned node = 0;
    size_t depth = 0;

    if (method < 0)
        return lf_fail(error, LF_CONFIG, "Route %s: unknown method %s.", route->path, route->method);
    if (route->handle == NULL)
        return lf_fail(error, LF_CONFIG, "Route %s %s has no handler.", route->method, route->path);
    if (at[0] != '/')
        return lf_fail(error, LF_CONFIG, "Route %s does not begin with a slash.", route->path);
    while (*at == '/' && at[1] != '\0') {
        size_t len = strcspn(++at, "/");
        if (++depth > LF_SEGMENTS_MAX || !is_sound_segment(at, len))
            return lf_fail(error, LF_CONFIG, "Route %s: a segment is empty, one too many, or oddly written.",
                           route->path);
        if (at[0] == '{') {
            enum lf_status status = add_param_name(names, at, len, route->path, error);
            if (status != LF_OK)
                return status;
        }
        node = child_for(router, node, at, len);
        if (node == 0)
            return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the routing table.");
        at += len;
    }
    if (*at == '/' && at != route->path)
        return lf_fail(error, LF_CONFIG, "Route %s ends in a slash.", route->path);
    if (router->nodes[node].routes[method] != NULL)
        return lf_fail(error, LF_CONFIG, "Route %s %s is there twice.", route->method, route->path);
    router->nodes[node].routes[method] = route;
    router->nodes[node].is_end = true;
    return LF_OK;
}

enum lf_status
lf_router_create(const struct lf_route *routes, size_t count, struct lf_router **ret_router, struct lf_error *error)
{
    struct lf_router *router = calloc(1, sizeof *router);
    enum lf_status status = LF_OK;
    unsigned root = 0;

    if (router == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the routing table.");
    router->routes = routes;
    router->route_count = count;
    router->names = calloc(count + 1, sizeof *router->names);
    if (router->names == NULL || !node_add(router, &root))
        status = lf_fail(error, LF_OUT_OF_MEMORY, "No memory for the routing table.");
    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = add_route(router, &routes[i], &router->names[i], error);
    if (status != LF_OK) {
        lf_router_destroy(router);
        return status;
    }
    *ret_router = router;
    return LF_OK;
}

void
lf_router_destroy(struct lf_router *router)
{
    if (router == NULL)
        return;
    for (size_t i = 0; router->names != NULL && i < router->route_count; i++) {
        for (size_t k = 0; k < router->names[i].count; k++)
            free(router->names[i].name[k]);
    }
    free(router->names);
    free(router->nodes);
    free(router);
}

/* ---- matching ---- */

struct search {
    const struct lf_router *router;
    int method; /* -1: one we do not know */
    struct {
        const char *text;
        size_t len;
    } segments[LF_SEGMENTS_MAX], taken[LF_SEGMENTS_MAX]; /* taken: by parameters, in order */
    size_t count;
    bool allowed[METHOD_COUNT], any_path;
    const struct lf_route *found;
    size_t found_params;
};

/* Depth first, the literal child before the parameter. It goes on where a path is right and the method is not: another
 * route of the same shape may have it, and Allow names the methods of all. Bounded by 2^depth over a table written by
 * hand, in fact by the few places where a literal and a parameter stand side by side. */
static bool
walk(struct search *search, unsigned index, size_t depth, size_t params)
{
    const struct node *node = &search->router->nodes[index];

    if (depth == search->count) {
        if (!node->is_end)
            return false;
        search->any_path = true;
        for (int i = 0; i < METHOD_COUNT; i++)
            search->allowed[i] = search->allowed[i] || node->routes[i] != NULL;
        if (search->method >= 0)
            search->found = node->routes[search->method];
        if (search->found == NULL && search->method == HEAD)
            search->found = node->routes[GET];
        search->found_params = params;
        return search->found != NULL;
    }
    unsigned child = literal_child(search->router, index, search->segments[depth].text, search->segments[depth].len);
    if (child != 0 && walk(search, child, depth + 1, params))
        return true;
    if (node->parameter == 0 || search->segments[depth].len == 0)
        return false;
    search->taken[params] = search->segments[depth];
    return walk(search, node->parameter, depth + 1, params + 1);
}

/* "." and ".." written out: some proxy would have taken them away, so two programs would see two paths. */
static bool
is_dots(const char *text, size_t len)
{
    return (len == 1 && text[0] == '.') || (len == 2 && text[0] == '.' && text[1] == '.');
}

static bool
split(struct search *search, const char *path, size_t path_len)
{
    const char *end = path + path_len;

    if (path_len == 0 || path[0] != '/')
        return false;
    for (const char *at = path + 1; path_len > 1;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t len = (size_t)((slash != NULL ? slash : end) - at);
        if (search->count == LF_SEGMENTS_MAX || is_dots(at, len))
            return false;
        search->segments[search->count].text = at;
        search->segments[search->count].len = len;
        search->count++;
        if (slash == NULL)
            break;
        at = slash + 1;
    }
    return true;
}

static void
write_allow(const bool allowed[METHOD_COUNT], char text[LF_ALLOW_MAX])
{
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (!allowed[i] && !(i == HEAD && allowed[GET]))
            continue;
        len += (size_t)snprintf(text + len, LF_ALLOW_MAX - len, "%s%s", len > 0 ? ", " : "", METHODS[i]);
    }
}

enum lf_match_kind
lf_router_match(const struct lf_router *router, const char *method, const char *path, size_t path_len,
                struct lf_match *ret_match)
{
    struct search search;

    search.router = router;
    search.method = method_index(method);
    search.count = 0;
    search.any_path = false;
    search.found = NULL;
    search.found_params = 0;
    memset(search.allowed, 0, sizeof search.allowed);
    if (!split(&search, path, path_len))
        return LF_MATCH_NO_PATH;
    if (!walk(&search, 0, 0, 0)) {
        if (!search.any_path)
            return LF_MATCH_NO_PATH;
        write_allow(search.allowed, ret_match->allow);
        return LF_MATCH_NO_METHOD;
    }
    const struct names *names = &router->names[search.found - router->routes];
    ret_match->route = search.found;
    ret_match->param_count = search.found_params;
    for (size_t i = 0; i < search.found_params && i < LF_PARAMS_MAX; i++) {
        ret_match->params[i].name = names->name[i];
        ret_match->params[i].raw = search.taken[i].text;
        ret_match->params[i].raw_len = search.taken[i].len;
    }
    return LF_MATCH_ROUTE;
}

/* ---- decoding ---- */

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum lf_status
lf_url_decode(struct lf_arena *arena, const char *raw, size_t len, bool plus, char **ret_text, size_t *ret_len,
              struct lf_error *error)
{
    char *text = lf_arena_alloc(arena, len + 1);
    size_t out = 0;

    if (text == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "No memory for a URL.");
    for (size_t i = 0; i < len; i++) {
        char c = raw[i];
        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            int high = len - i > 2 ? hex_value(raw[i + 1]) : -1, low = len - i > 2 ? hex_value(raw[i + 2]) : -1;
            if (high < 0 || low < 0)
                return lf_fail(error, LF_INVALID_URL, "A `%%` must be followed by two hex digits.");
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return lf_fail(error, LF_INVALID_URL, "The URL has a `%%00`.");
        text[out++] = c;
    }
    text[out] = '\0';
    if (!lf_text_is_utf8(text, out, NULL))
        return lf_fail(error, LF_INVALID_URL, "The URL is not UTF-8 once decoded.");
    *ret_text = text;
    *ret_len = out;
    return LF_OK;
}

static enum lf_status
parse_pair(struct lf_arena *arena, const char *raw, size_t len, struct lf_param *ret_pair, struct lf_error *error)
{
    const char *equals = memchr(raw, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - raw) : len, decoded_len = 0;
    char *name = NULL, *value = NULL;
    enum lf_status status = lf_url_decode(arena, raw, name_len, true, &name, &decoded_len, error);

    if (status != LF_OK)
        return status;
    if (decoded_len == 0)
        return lf_fail(error, LF_INVALID_PARAMETER, "A query parameter has no name.");
    if (equals != NULL)
        status = lf_url_decode(arena, equals + 1, len - name_len - 1, true, &value, &ret_pair->value_len, error);
    else
        status = lf_url_decode(arena, "", 0, true, &value, &ret_pair->value_len, error);
    ret_pair->name = name;
    ret_pair->value = value;
    return status;
}

enum lf_status
lf_query_parse(struct lf_arena *arena, const char *raw, size_t len, struct lf_param pairs[LF_QUERY_MAX],
               size_t *ret_count, struct lf_error *error)
{
    const char *at = raw, *end = raw + len;
    size_t count = 0;

    while (at < end) {
        const char *ampersand = memchr(at, '&', (size_t)(end - at)), *stop = ampersand != NULL ? ampersand : end;
        if (stop > at) {
            struct lf_param pair = {0};
            enum lf_status status = parse_pair(arena, at, (size_t)(stop - at), &pair, error);
            if (status != LF_OK)
                return status;
            for (size_t i = 0; i < count; i++) {
                if (strcmp(pairs[i].name, pair.name) == 0)
                    return lf_fail(error, LF_INVALID_PARAMETER, "A query parameter stands there twice.");
            }
            if (count == LF_QUERY_MAX)
                return lf_fail(error, LF_INVALID_PARAMETER, "A query may have %d parameters.", LF_QUERY_MAX);
            pairs[count++] = pair;
        }
        at = stop + 1;
    }
    *ret_count = count;
    return LF_OK;
}
