/* precondition.c - see precondition.h. */
#include "store/precondition.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void
lf_etag_write(char ret_etag[LF_ETAG_MAX], char letter, int64_t revision, const uint8_t hash[LF_SHA256_SIZE])
{
    int len = snprintf(ret_etag, LF_ETAG_MAX, "\"%c%" PRId64 "-", letter, revision);

    for (size_t i = 0; i < 8; i++)
        len += snprintf(ret_etag + len, LF_ETAG_MAX - (size_t)len, "%02x", hash[i]);
    (void)snprintf(ret_etag + len, LF_ETAG_MAX - (size_t)len, "\"");
}

static bool
is_named(const struct lf_precondition *precondition, const char *etag)
{
    for (size_t i = 0; i < precondition->etag_count; i++)
        if (strcmp(precondition->etags[i], etag) == 0)
            return true;
    return false;
}

/* Whether it names the tag, but as a weak one. */
static bool
is_named_weakly(const struct lf_precondition *precondition, const char *etag)
{
    for (size_t i = 0; i < precondition->etag_count; i++)
        if (strncmp(precondition->etags[i], "W/", 2) == 0 && strcmp(precondition->etags[i] + 2, etag) == 0)
            return true;
    return false;
}

enum lf_status
lf_precondition_check(const struct lf_precondition *precondition, const struct lf_tagged *there, struct lf_error *error)
{
    bool exists = there->etag[0] != '\0', wanted = precondition->any || precondition->etag_count > 0;
    bool weak = is_named_weakly(precondition, there->etag);
    char changed[LF_TIME_TEXT_MAX] = "";

    if (wanted && !exists)
        return lf_fail(error, LF_PRECONDITION_FAILED,
                       "there is no %s \"%s\" (any more): leave If-Match out to make one", there->kind, there->key);
    if (exists)
        (void)lf_time_format_ms(there->changed_at_ms, changed);
    /* The name comes last, where a long one may be cut off. */
    if (exists && precondition->absent)
        return lf_fail(error, LF_PRECONDITION_FAILED,
                       "there is a %s \"%s\" already, with the ETag %s: to replace it, send that ETag as If-Match; it"
                       " was changed at %s%s%s",
                       there->kind, there->key, there->etag, changed, there->changed_by[0] != '\0' ? " by " : "",
                       there->changed_by);
    if (!exists || precondition->etag_count == 0 || precondition->any || is_named(precondition, there->etag))
        return LF_OK;
    return lf_fail(error, LF_PRECONDITION_FAILED, "the %s \"%s\" %s the ETag %s: %s; it was changed at %s%s%s",
                   there->kind, there->key, weak ? "has" : "is another one by now, with", there->etag,
                   weak ? "If-Match takes it without the W/ that a proxy which compresses answers puts before it"
                        : "read it again, and send that ETag as If-Match",
                   changed, there->changed_by[0] != '\0' ? " by " : "", there->changed_by);
}
