/*
 * lead_export.c - GET /v1/leads/{id}/export: all that is held about a lead, for whoever asks what is.
 *
 * A page ends early where what it tells grows large: its first score is always told, however large.
 */
#include "api/leads.h"

#include "app/scoring.h"
#include "base/time.h"
#include "core/record.h"

#include <string.h>

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 1000,
    PAGE_BYTES = 8 << 20, /* from which on no further score is begun */
    CHUNK = 1 << 18,
    BLOCK_MAX = 64 << 20,
    SCORE_MAX = 512 << 20, /* one score: its input as a tree, its versions, its answer */
};

struct exporting {
    struct lf_store_reader *reader;
    struct lf_arena *arena; /* for one score */
    struct lf_buf *body;
    size_t limit, count;
    bool full;
    struct lf_cursor next; /* behind the last one that was told */
    struct lf_error *error;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while exporting a lead");
}

/* The stored input is JSON as we wrote it; retelling the answer has read it once more. */
static enum lf_status
put_score(struct exporting *exporting, const struct lf_stored_score *score)
{
    struct lf_record record;
    struct lf_buf answer;
    enum lf_status status = lf_record_read(exporting->arena, score->body, score->body_len, &record, exporting->error);

    if (status != LF_OK)
        return status;
    lf_buf_init(&answer, exporting->arena, LF_REPLY_MAX);
    status = lf_scoring_retell(exporting->reader, exporting->arena, score, &answer, exporting->error);
    if (status != LF_OK)
        return status;
    if (lf_buf_failed(&answer))
        return out_of_memory(exporting->error);
    lf_buf_printf(exporting->body, "%s{\"kept\":\"%s\",\"answer\":", exporting->count > 0 ? "," : "",
                  lf_api_kept_word(record.kept));
    lf_buf_add(exporting->body, answer.data, answer.len);
    lf_buf_lit(exporting->body, ",\"input\":");
    lf_buf_add(exporting->body, record.input, record.input_len);
    lf_buf_lit(exporting->body, "}");
    return lf_buf_failed(exporting->body) ? out_of_memory(exporting->error) : LF_OK;
}

static enum lf_status
take_score(void *context, const struct lf_stored_score *score)
{
    struct exporting *exporting = context;
    enum lf_status status = LF_OK;

    exporting->full =
        exporting->count > 0 && (exporting->count == exporting->limit || exporting->body->len >= PAGE_BYTES);
    if (exporting->full)
        return LF_CONFLICT;
    lf_arena_reset(exporting->arena);
    status = put_score(exporting, score);
    exporting->count++;
    exporting->next.id = score->id;
    return status;
}

static enum lf_status
put_export(const struct lf_api_lead *lead, struct lf_ulid before, size_t limit, struct lf_buf *body,
           struct lf_error *error)
{
    const struct lf_stored_lead *stored = &lead->stored;
    struct lf_arena *blocks = lf_arena_create(CHUNK, BLOCK_MAX);
    struct exporting exporting = {
        .reader = lead->reader,
        .arena = lf_arena_create(CHUNK, SCORE_MAX),
        .body = body,
        .limit = limit,
        .next = {.kind = LF_CURSOR_LEAD_EXPORT},
        .error = error,
    };
    enum lf_status status = blocks == NULL || exporting.arena == NULL ? out_of_memory(error) : LF_OK;

    lf_buf_lit(body, "{");
    lf_api_put_lead_id(body, stored->lead_id, stored->lead_id_len);
    lf_buf_lit(body, ",\"exported_at\":");
    lf_api_put_time(body, lf_time_now_ms());
    lf_buf_lit(body, ",");
    lf_api_put_lead_outcome(body, stored);
    lf_buf_lit(body, ",\"scores\":[");
    if (status == LF_OK)
        status = lf_store_each_lead_score(lead->reader, blocks, stored->lead_id, stored->lead_id_len, before,
                                          take_score, &exporting, error);
    if (exporting.full)
        status = LF_OK;
    lf_buf_lit(body, "]");
    lf_api_put_next(body, exporting.full ? &exporting.next : NULL, stored->lead_id, stored->lead_id_len);
    lf_buf_lit(body, "}");
    lf_arena_destroy(exporting.arena);
    lf_arena_destroy(blocks);
    return status;
}

void
lf_api_export_lead(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"limit", "after", NULL};
    const char *id = lf_request_param(request, "id");
    struct lf_cursor cursor = {.score = 0};
    struct lf_api_lead lead;
    struct lf_ulid before;
    struct lf_error error;
    struct lf_buf body;
    int64_t limit = 0;
    bool given = false;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) ||
        !lf_api_query_number(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !lf_api_query_cursor(request, LF_CURSOR_LEAD_EXPORT, id, strlen(id), &given, &cursor))
        return;
    memset(before.bytes, 0xFF, sizeof before.bytes);
    if (given)
        before = cursor.id;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_api_open_lead(request, context, &lead, &error);
    if (status == LF_OK) {
        status = put_export(&lead, before, (size_t)limit, &body, &error);
        lf_service_return_reader(context, lead.reader);
    }
    if (status == LF_OK) {
        lf_reply_header(request, "Content-Disposition", "attachment; filename=\"lead.json\"");
        lf_reply_header(request, "Cache-Control", "no-store");
    }
    lf_api_conclude(request, 200, status, &body, &error);
}
