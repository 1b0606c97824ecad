/* impact.c - GET /v1/icps/{key}/draft/impact: the draft over the latest recorded leads, beside what is active. */
#include "api/handlers.h"

#include "app/impact.h"
#include "app/replay.h"

#include <stdio.h>

/* Loads the draft and the active version into the options, and replays both. */
static enum lf_status
compute(struct lf_request *request, struct lf_store_reader *reader, struct lf_impact_options *options,
        struct lf_impact *ret_impact, struct lf_error *error)
{
    struct lf_arena *arena = lf_request_scratch(request);
    const char *key = lf_request_param(request, "key");
    struct lf_stored_version active;
    struct lf_stored_draft draft;
    char what[160];
    enum lf_status status = lf_store_draft(reader, arena, key, &draft, error);

    if (status != LF_OK)
        return status;
    (void)snprintf(what, sizeof what, "the draft of %s", key);
    status = lf_api_parse_stored(arena, draft.document, draft.document_len, what, NULL, &options->draft, error);
    if (status == LF_OK && draft.active_version > 0) {
        status = lf_store_version(reader, arena, key, draft.active_version, &active, error);
        (void)snprintf(what, sizeof what, "version %d of %s", draft.active_version, key);
        if (status == LF_OK)
            status =
                lf_api_parse_stored(arena, active.document, active.document_len, what, NULL, &options->active, error);
    }
    if (status != LF_OK)
        return status;
    options->active_version = draft.active_version;
    return lf_impact_compute(reader, arena, options, ret_impact, error);
}

static void
put_mover(struct lf_buf *body, const struct lf_mover *mover)
{
    char id[LF_ULID_TEXT_SIZE];

    lf_ulid_format(mover->score_id, id);
    lf_buf_lit(body, "{\"lead_id\":");
    lf_api_put_text(body, mover->lead_id);
    lf_buf_printf(body, ",\"score_id\":\"%s\",\"from\":", id);
    lf_api_put_text(body, mover->from);
    lf_buf_lit(body, ",\"to\":");
    lf_api_put_text(body, mover->to);
    lf_buf_lit(body, ",\"from_score\":");
    lf_buf_decimal(body, mover->from_score, 2);
    lf_buf_lit(body, ",\"to_score\":");
    lf_buf_decimal(body, mover->to_score, 2);
    lf_buf_lit(body, ",\"change\":");
    lf_buf_decimal(body, mover->to_score - mover->from_score, 2);
    lf_buf_lit(body, ",\"reason\":");
    lf_api_put_text(body, mover->reason);
    lf_buf_lit(body, ",\"attributes\":[");
    for (size_t i = 0; i < mover->part_count; i++) {
        lf_buf_text(body, i > 0 ? ",{\"key\":" : "{\"key\":");
        lf_api_put_text(body, mover->parts[i].attribute);
        lf_buf_lit(body, ",\"change\":");
        lf_buf_decimal(body, mover->parts[i].change, 2);
        lf_buf_lit(body, "}");
    }
    lf_buf_lit(body, "]}");
}

static void
put_impact(struct lf_buf *body, const char *key, const struct lf_impact *impact)
{
    lf_buf_printf(body, "{\"icp\":\"%s\",\"from_version\":%d,\"leads\":%zu,\"matrix\":[", key, impact->from_version,
                  impact->leads);
    for (size_t i = 0; i < impact->cell_count; i++) {
        lf_buf_text(body, i > 0 ? ",{\"from\":" : "{\"from\":");
        lf_api_put_text(body, impact->cells[i].from);
        lf_buf_lit(body, ",\"to\":");
        lf_api_put_text(body, impact->cells[i].to);
        lf_buf_printf(body, ",\"count\":%zu}", impact->cells[i].count);
    }
    lf_buf_lit(body, "],\"mean_change\":");
    lf_buf_decimal(body, impact->mean_change, 2);
    lf_buf_printf(body, ",\"changed\":%zu,\"changed_pct\":", impact->changed);
    lf_buf_decimal(body, impact->changed_pct, 2);
    lf_buf_lit(body, ",\"movers\":[");
    for (size_t i = 0; i < impact->mover_count; i++) {
        if (i > 0)
            lf_buf_lit(body, ",");
        put_mover(body, &impact->movers[i]);
    }
    lf_buf_lit(body, "],\"unstored_fields\":[");
    for (size_t i = 0; i < impact->unstored_count; i++) {
        if (i > 0)
            lf_buf_lit(body, ",");
        lf_api_put_text(body, impact->unstored[i]);
    }
    lf_buf_lit(body, "]}");
}

void
lf_api_impact(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"sample", NULL};
    struct lf_store_reader *reader = NULL;
    struct lf_live_set *set = NULL;
    struct lf_list_source lists;
    struct lf_impact_options options = {.lists = &lists, .privacy = lf_service_privacy(context)};
    struct lf_impact impact;
    struct lf_error error;
    struct lf_buf body;
    int64_t sample = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) ||
        !lf_api_query_number(request, "sample", 1, LF_REPLAY_LEADS_MAX, LF_IMPACT_SAMPLE, &sample))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    set = lf_live_acquire(lf_service_live(context));
    lists = lf_profiles_lists(set->profiles);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        options.sample = (size_t)sample;
        status = compute(request, reader, &options, &impact, &error);
        lf_service_return_reader(context, reader);
    }
    lf_live_release(lf_service_live(context), set);
    if (status == LF_OK)
        put_impact(&body, lf_request_param(request, "key"), &impact);
    lf_api_conclude(request, 200, status, &body, &error);
}
