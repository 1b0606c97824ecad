/* common.c - what handlers share: reading the body, conditional requests. See handlers.h. */
#include "api/handlers.h"

#include <string.h>

const struct lf_json *
lf_api_read_body(struct lf_request *request, const struct lf_json_limits *limits)
{
    size_t len = 0;
    const char *text = lf_request_body(request, &len);
    const struct lf_json *body = NULL;
    struct lf_json_limits unbounded = *limits;
    struct lf_error error;

    unbounded.bytes = SIZE_MAX;
    if (lf_json_parse(lf_request_scratch(request), text, len, &unbounded, &body, &error) != LF_OK) {
        lf_reply_problem(request, &error);
        return NULL;
    }
    return body;
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
