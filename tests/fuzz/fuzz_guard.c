/* fuzz_guard.c - libFuzzer over the guard, the router and the URL decoding. The input is a head in lines: method,
 * target, version, then headers `name:value`. What the guard lets through must be what it promises. */
#include "base/arena.h"
#include "http/guard.h"
#include "http/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
handle(struct lf_request *request, void *context)
{
    (void)request, (void)context;
}

static const struct lf_route ROUTES[] = {
    {"GET", "/", 0, LF_BODY_NONE, handle, LF_LANE_WORKER, 0},
    {"GET", "/v1/icps/{key}", 0, LF_BODY_NONE, handle, LF_LANE_WORKER, 0},
    {"POST", "/v1/icps/{key}/publish", 0, LF_BODY_JSON, handle, LF_LANE_WORKER, 0},
    {"GET", "/v1/icps/{key}/versions/{n}", 0, LF_BODY_NONE, handle, LF_LANE_WORKER, 0},
    {"GET", "/v1/icps/special", 0, LF_BODY_NONE, handle, LF_LANE_WORKER, 0},
    {"DELETE", "/v1/leads/{id}", 0, LF_BODY_NONE, handle, LF_LANE_WORKER, 0},
};

static void
must(int good)
{
    if (!good)
        abort();
}

/* What was let through frames a body in one way only and has a target that decodes. */
static void
check_passed(const struct lf_head *head, const struct lf_framing *framing)
{
    int lengths = 0, encodings = 0, hosts = 0;

    for (size_t i = 0; i < head->header_count; i++) {
        lengths += lf_header_is(&head->headers[i], "content-length", 14);
        encodings += lf_header_is(&head->headers[i], "transfer-encoding", 17);
        hosts += lf_header_is(&head->headers[i], "host", 4);
        must(strpbrk(head->headers[i].name, " \t\r\n:") == NULL && strpbrk(head->headers[i].value, "\r\n") == NULL);
    }
    must(lengths + encodings <= 1 && hosts <= 1 && (hosts == 1 || strcmp(head->version, "HTTP/1.0") == 0));
    must(framing->chunked == (encodings == 1) && (framing->content_length >= 0) == (lengths == 1));
    must(head->target[0] == '/' && strlen(head->target) <= LF_TARGET_MAX && strstr(head->target, "%00") == NULL);
}

static void
route_it(const struct lf_router *router, struct lf_arena *arena, const struct lf_head *head, int guarded)
{
    const char *question = strchr(head->target, '?');
    size_t path_len = question != NULL ? (size_t)(question - head->target) : strlen(head->target), count = 0;
    struct lf_param pairs[LF_QUERY_MAX];
    struct lf_match match;
    struct lf_error error;

    if (lf_router_match(router, head->method, head->target, path_len, &match) == LF_MATCH_ROUTE) {
        for (size_t i = 0; i < match.param_count; i++) {
            char *text = NULL;
            size_t len = 0;
            must(match.params[i].raw_len > 0 && memchr(match.params[i].raw, '/', match.params[i].raw_len) == NULL);
            if (lf_url_decode(arena, match.params[i].raw, match.params[i].raw_len, false, &text, &len, &error) == LF_OK)
                must(strlen(text) == len);
            else
                must(!guarded || strstr(error.detail, "UTF-8") != NULL);
        }
    }
    if (question != NULL && lf_query_parse(arena, question + 1, strlen(question + 1), pairs, &count, &error) == LF_OK)
        must(count <= LF_QUERY_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lf_router *router; /* made once for all inputs */
    static struct lf_arena *arena;
    struct lf_header headers[LF_HEADERS_MAX];
    char *parts[3] = {NULL}, *text = malloc(size + 1), *at = text;
    struct lf_head head = {.headers = headers};
    struct lf_framing framing;
    struct lf_error error;

    if (router == NULL) {
        must(lf_router_create(ROUTES, sizeof ROUTES / sizeof ROUTES[0], &router, &error) == LF_OK);
        arena = lf_arena_create(4096, 1 << 20);
    }
    must(text != NULL && arena != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (int i = 0; i < 3; i++) {
        parts[i] = at;
        at += strcspn(at, "\n");
        if (*at != '\0')
            *at++ = '\0';
    }
    while (*at != '\0' && head.header_count < LF_HEADERS_MAX) {
        char *line = at, *colon = NULL;
        at += strcspn(at, "\n");
        if (*at != '\0')
            *at++ = '\0';
        colon = strchr(line, ':');
        if (colon != NULL)
            *colon = '\0';
        headers[head.header_count].name = line;
        headers[head.header_count].value = colon != NULL ? colon + 1 : "";
        headers[head.header_count].name_len = strlen(line);
        headers[head.header_count].value_len = strlen(headers[head.header_count].value);
        head.header_count++;
    }
    head.method = parts[0];
    head.target = parts[1];
    head.version = parts[2];
    int guarded = lf_guard_check(&head, &framing, &error) == LF_OK;
    if (guarded)
        check_passed(&head, &framing);
    route_it(router, arena, &head, guarded);
    lf_arena_reset(arena);
    free(text);
    return 0;
}
