/*
 * audit.c - GET /v1/audit: who changed what, when and why, oldest first.
 *
 * A cursor is the id of the last entry that was told and the beginning of its chain: one that was not given by this
 * audit is refused, so that a slip, or a database that was put back, does not pass for the end.
 */
#include "api/handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, CURSOR_MAX = 40 };

static void
write_cursor(const struct lf_audit_entry *entry, char ret_cursor[CURSOR_MAX])
{
    (void)snprintf(ret_cursor, CURSOR_MAX, "%lld-%02x%02x%02x%02x", (long long)entry->id, entry->chain[0],
                   entry->chain[1], entry->chain[2], entry->chain[3]);
}

/* The id that the cursor stands for. INVALID_PARAMETER when this audit has not given it. */
static enum lf_status
read_cursor(struct lf_store_reader *reader, struct lf_arena *arena, const char *text, int64_t *ret_after,
            struct lf_error *error)
{
    size_t digits = strspn(text, "0123456789");
    struct lf_audit_entry *entries = NULL;
    char cursor[CURSOR_MAX];
    int64_t id = 0;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (digits > 0 && digits <= 18 && text[digits] == '-')
        id = strtoll(text, NULL, 10);
    if (id > 0)
        status = lf_store_audit(reader, arena, NULL, id - 1, 1, &entries, &count, error);
    if (status != LF_OK)
        return status;
    if (count == 1)
        write_cursor(&entries[0], cursor);
    if (count != 1 || strcmp(cursor, text) != 0)
        return lf_fail(error, LF_INVALID_PARAMETER,
                       "after: \"%.64s\" is no cursor of this audit: give `next` of an answer", text);
    *ret_after = id;
    return LF_OK;
}

static void
put_member(struct lf_buf *body, const char *name, const char *text)
{
    lf_buf_printf(body, ",\"%s\":", name);
    lf_api_put_text(body, text);
}

static void
put_entry(struct lf_buf *body, const struct lf_audit_entry *entry)
{
    lf_buf_printf(body, "{\"id\":\"%lld\",\"at\":", (long long)entry->id);
    lf_api_put_time(body, entry->at_ms);
    put_member(body, "key", entry->by);
    put_member(body, "key_id", entry->key_id);
    put_member(body, "action", entry->action);
    put_member(body, "icp", entry->icp);
    put_member(body, "subject", entry->subject);
    lf_buf_printf(body, ",\"version\":%d", entry->version);
    put_member(body, "note", entry->note);
    put_member(body, "before", entry->before);
    put_member(body, "after", entry->after);
    lf_buf_lit(body, ",\"chain\":");
    lf_api_put_hash(body, entry->chain);
    lf_buf_lit(body, "}");
}

static void
put_entries(struct lf_buf *body, const struct lf_audit_entry *entries, size_t count, size_t limit)
{
    char next[CURSOR_MAX] = "";

    lf_buf_lit(body, "{\"entries\":[");
    for (size_t i = 0; i < count && i < limit; i++) {
        if (i > 0)
            lf_buf_lit(body, ",");
        put_entry(body, &entries[i]);
    }
    if (count > limit)
        write_cursor(&entries[limit - 1], next);
    lf_buf_printf(body, "],\"next\":\"%s\"}", next);
}

void
lf_api_audit(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"icp", "limit", "after", NULL};
    struct lf_arena *arena = lf_request_scratch(request);
    struct lf_store_reader *reader = NULL;
    struct lf_audit_entry *entries = NULL;
    const char *icp = NULL, *cursor = NULL;
    struct lf_error error;
    struct lf_buf body;
    int64_t limit = 0, after = 0;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) ||
        !lf_api_query_number(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return;
    icp = lf_request_query(request, "icp");
    cursor = lf_request_query(request, "after");
    if (icp != NULL && !lf_is_key(icp, strlen(icp))) {
        (void)lf_fail(&error, LF_INVALID_PARAMETER, "icp: the key of an ICP belongs here, not \"%.64s\"", icp);
        lf_reply_problem(request, &error);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        if (cursor != NULL)
            status = read_cursor(reader, arena, cursor, &after, &error);
        if (status == LF_OK) /* one more than asked for, to know whether there is more */
            status = lf_store_audit(reader, arena, icp, after, (size_t)limit + 1, &entries, &count, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        put_entries(&body, entries, count, (size_t)limit);
    lf_api_conclude(request, 200, status, &body, &error);
}
