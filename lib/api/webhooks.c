/*
 * webhooks.c - POST /v1/webhooks/{source}: what a CRM sends is checked, mapped, scored, recorded once and answered as
 * that CRM wants it.
 *
 * The route is open; what lets a delivery in is its signature, its secret or, for kinds that sign nothing, an API key.
 * What is refused is noted with the source (GET /v1/sources/{key}/refused), by reason and place and never with anything
 * of the payload. All leads of a payload are recorded in one commit; the handler suspends until it has happened, and
 * needs the source no longer then.
 */
#include "api/webhooks.h"

#include "api/handlers.h"
#include "api/once.h"
#include "api/recording.h"
#include "app/keys.h"
#include "app/signature.h"
#include "base/number.h"
#include "base/time.h"

#include <string.h>

/* A delivery at work, in the request's arena. */
struct delivery {
    struct lf_request *request;
    struct lf_service *service;
    const struct lf_source *source; /* held while the handler runs; NULL afterwards */
    enum lf_crm crm;
    enum lf_reply reply;
    int64_t now_ms;
    const char *body;
    size_t body_len;
    struct lf_proof proof;
    const struct lf_json *payload; /* in scratch memory; NULL until it has been read */
};

/* ---- the end of a delivery ---- */

static void
count_delivery(struct delivery *delivery, enum lf_webhook_result result)
{
    lf_metrics_webhook(lf_service_metrics(delivery->service), delivery->crm, result);
}

/* Counts a failure; and where whoever set up the source can do something about it, notes it. */
static void
note_failure(struct delivery *delivery, const struct lf_error *error, int http_status)
{
    enum lf_webhook_fault fault = lf_webhook_fault_of(error->status);

    if (fault == LF_WEBHOOK_NO_LEAD)
        count_delivery(delivery, LF_WEBHOOK_UNSCORED);
    else
        count_delivery(delivery, lf_status_http(error->status) >= 500 ? LF_WEBHOOK_FAILED : LF_WEBHOOK_REFUSED);
    if (fault != LF_WEBHOOK_OTHER && delivery->source != NULL)
        lf_sources_refuse_error(lf_service_sources(delivery->service), delivery->source, error, http_status,
                                delivery->now_ms, lf_request_id(delivery->request), delivery->body_len);
}

/* Answers a delivery that failed, in the way that its CRM wants to be told. */
static void
fail_delivery(struct delivery *delivery, const struct lf_error *error)
{
    struct lf_request *request = delivery->request;
    bool excused = lf_webhook_is_excused(delivery->crm, delivery->reply, error->status);
    int http_status = excused ? 200 : lf_status_http(error->status);
    struct lf_buf answer;

    note_failure(delivery, error, http_status);
    if (excused) {
        lf_buf_init(&answer, lf_request_arena(request), LF_REPLY_MAX);
        lf_webhook_put_excuse(&answer, delivery->crm, error, lf_request_id(request));
        lf_reply_json(request, 200, &answer);
        return;
    }
    lf_reply_problem(request, error);
}

static void
ignore_delivery(struct delivery *delivery, const char *why)
{
    struct lf_buf answer;

    count_delivery(delivery, LF_WEBHOOK_UNSCORED);
    lf_buf_init(&answer, lf_request_arena(delivery->request), LF_REPLY_MAX);
    lf_webhook_put_ignored(&answer, why);
    lf_reply_json(delivery->request, 200, &answer);
}

/* ---- who sends it ---- */

static const char *
find_header(const void *context, const char *name)
{
    return lf_request_header(context, name);
}

/* What the sender wrote before the path, as far as it can be known. */
static const char *
base_url(struct delivery *delivery)
{
    const char *configured = lf_service_public_url(delivery->service);
    const char *host = lf_request_header(delivery->request, "host");

    if (configured[0] != '\0')
        return configured;
    return lf_arena_printf(lf_request_scratch(delivery->request), "https://%s", host != NULL ? host : "");
}

/* By an API key, where no secret was sent. unproved: the sentence that says so. */
static enum lf_status
check_key(struct lf_request *request, const struct lf_error *unproved, struct lf_error *error)
{
    bool shown = lf_request_header(request, "authorization") != NULL || lf_request_header(request, "x-api-key") != NULL;
    enum lf_status status = LF_OK;

    /* A repeat that has waited for the first one comes again, and does not pay its key's rate twice. */
    if (lf_request_identity(request)->key_id[0] != '\0')
        return LF_OK;
    status = lf_request_authorize(request, LF_SCOPE_SCORE, error);
    if (status == LF_UNAUTHORIZED && !shown)
        *error = *unproved;
    return status;
}

static enum lf_status
check_sender(struct delivery *delivery, struct lf_error *error)
{
    struct lf_request *request = delivery->request;
    struct lf_delivery came = {
        .method = "POST",
        .base_url = base_url(delivery),
        .target = lf_request_target(request),
        .body = delivery->body,
        .body_len = delivery->body_len,
        .header = find_header,
        .context = request,
        .now_ms = delivery->now_ms,
    };
    struct lf_error unproved;
    enum lf_status status = LF_OK;

    if (came.base_url == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while checking a delivery");
    status = lf_signature_check(lf_request_scratch(request), delivery->source, &came, &delivery->proof, &unproved);
    if (status == LF_UNAUTHORIZED)
        return check_key(request, &unproved, error);
    if (status != LF_OK)
        *error = unproved;
    return status;
}

/* ---- which delivery it is ---- */

static enum lf_status
read_payload(struct delivery *delivery, struct lf_error *error)
{
    struct lf_json_limits limits = LF_JSON_DOCUMENT_LIMITS;
    enum lf_status status = LF_OK;

    if (delivery->payload != NULL)
        return LF_OK;
    limits.bytes = SIZE_MAX; /* the server has seen to the body's size */
    status = lf_json_parse(lf_request_scratch(delivery->request), delivery->body, delivery->body_len, &limits,
                           &delivery->payload, error);
    if (status != LF_OK)
        error->pointer[0] = '\0'; /* the names of the payload are in it; the offset says as much */
    return status;
}

/* Takes an id that stands in the payload, a text or a number. */
static enum lf_status
take_id(struct lf_arena *arena, const struct lf_json *node, struct lf_api_once_claim *claim, struct lf_error *error)
{
    char number[LF_NUMBER_TEXT_MAX];

    if (lf_json_kind(node) == LF_JSON_TEXT) {
        claim->key = lf_json_text(node, &claim->len);
    } else if (lf_json_kind(node) == LF_JSON_NUMBER) {
        const char *digits = lf_json_long_digits(node);

        claim->len = digits != NULL ? strlen(digits) : lf_number_format(lf_json_number(node), number);
        claim->key = digits != NULL ? digits : lf_arena_copy(arena, number, claim->len);
        if (claim->key == NULL)
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a delivery");
    }
    return LF_OK;
}

/* Pipedrive counts its attempts in the payload, so that no repeat is equal to the first: what its delivery is about is
 * the record. */
static enum lf_status
take_asked(struct lf_arena *arena, const struct lf_json *record, struct lf_api_once_claim *claim,
           struct lf_error *error)
{
    struct lf_buf asked;

    lf_buf_init(&asked, arena, LF_REPLY_MAX);
    lf_buf_lit(&asked, " ");
    if (record != NULL)
        lf_json_put_tree(&asked, record);
    if (lf_buf_failed(&asked))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a delivery");
    claim->asked = asked.data;
    claim->asked_len = asked.len;
    return LF_OK;
}

/* By what a repeat of the delivery is known. Where its signature covers a time: by an id that the signature covers too,
 * else by the signature; whoever caught such a delivery could give it another name in a header, and send it again while
 * it is fresh. Else by its Idempotency-Key, or the id that its sender gave it. */
static enum lf_status
find_id(struct delivery *delivery, struct lf_api_once_claim *claim, struct lf_error *error)
{
    struct lf_arena *scratch = lf_request_scratch(delivery->request);
    const char *webhook_id = lf_request_header(delivery->request, "webhook-id");
    enum lf_status status = LF_OK;

    if (delivery->proof.id != NULL) {
        claim->key = delivery->proof.id;
        claim->len = delivery->proof.id_len;
        return delivery->crm == LF_CRM_HUBSPOT
                   ? take_id(scratch, lf_json_member(delivery->payload, "callbackId"), claim, error)
                   : LF_OK;
    }
    if (claim->len > 0)
        return LF_OK;
    if (webhook_id != NULL && webhook_id[0] != '\0') {
        claim->key = webhook_id;
        claim->len = strlen(webhook_id);
        return LF_OK;
    }
    if (delivery->crm == LF_CRM_PIPEDRIVE) {
        const struct lf_json *meta = lf_json_member(delivery->payload, "meta");

        /* In its first version, which says so, it is the record's id, the same for every change. */
        if (lf_json_member(meta, "v") == NULL)
            status = take_id(scratch, lf_json_member(meta, "id"), claim, error);
        if (status == LF_OK && claim->len > 0)
            return take_asked(scratch, lf_json_member(delivery->payload, "data"), claim, error);
    } else if (delivery->crm == LF_CRM_HUBSPOT) {
        status = take_id(scratch, lf_json_member(delivery->payload, "callbackId"), claim, error);
    }
    return status;
}

/* Claims the delivery's id, where it has one. false: it is answered, or waits for the first of its kind. */
static bool
claim_delivery(struct delivery *delivery, struct lf_api_once **ret_once)
{
    struct lf_api_once_claim claim = {.again = lf_api_webhook};
    const char *key = NULL;
    enum lf_api_once_state state = LF_API_ONCE_CLAIMED;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_api_once_key(delivery->request, &key, &claim.len)) {
        (void)lf_fail(&error, LF_BAD_REQUEST, "the header Idempotency-Key is none that can be taken");
        note_failure(delivery, &error, lf_status_http(LF_BAD_REQUEST));
        return false;
    }
    claim.key = key;
    claim.owner = lf_arena_printf(lf_request_scratch(delivery->request), "source:%s", delivery->source->key);
    if (claim.owner == NULL)
        status = lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while reading a delivery");
    if (status == LF_OK)
        status = find_id(delivery, &claim, &error);
    if (status == LF_OK)
        status = lf_api_once_claim(delivery->request, delivery->service, &claim, &state, ret_once, &error);
    if (status != LF_OK)
        fail_delivery(delivery, &error);
    else if (state == LF_API_ONCE_ANSWERED)
        count_delivery(delivery, LF_WEBHOOK_REPEATED);
    return status == LF_OK && state == LF_API_ONCE_CLAIMED;
}

/* ---- what it holds ---- */

/* Reads the lead: its id is all that can be wrong about it but its size. */
static enum lf_status
read_lead(struct lf_arena *arena, const struct lf_mapped_lead *lead, struct lf_score_request *asked,
          struct lf_error *error)
{
    struct lf_findings findings;
    struct lf_error failed;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, arena);
    status = lf_score_request_lead(arena, lead->lead, "", &findings, asked, &failed);
    if (status == LF_INVALID_REQUEST)
        return lf_fail_at(error, status, lead->pointer, -1, "the record's id: %s", findings.items[0].detail);
    return status != LF_OK ? lf_fail_at(error, status, lead->pointer, -1, "%s", failed.detail) : LF_OK;
}

enum lf_status
lf_webhook_score(struct lf_arena *arena, const struct lf_source *source, const struct lf_profiles *profiles,
                 const struct lf_mapped_lead *lead, bool record, int64_t now_ms, struct lf_scoring *ret_scoring,
                 struct lf_error *error)
{
    struct lf_score_request asked = {
        .icps = lf_arena_calloc(arena, source->icp_count, sizeof *asked.icps),
        .icp_count = source->icp_count,
        .explain = source->reply == LF_REPLY_FULL ? LF_EXPLAIN_FULL : LF_EXPLAIN_FLAT,
        .record = record,
    };
    struct lf_error failed;
    enum lf_status status = LF_OK;

    if (asked.icps == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while scoring a delivery");
    for (size_t i = 0; i < source->icp_count; i++)
        asked.icps[i] = source->icps[i];
    status = read_lead(arena, lead, &asked, error);
    if (status != LF_OK)
        return status;
    status = lf_scoring_run(arena, profiles, &asked, now_ms, ret_scoring, &failed);
    /* Its pointers lead into a request of ours, which there is not. */
    return status != LF_OK ? lf_fail(error, status, "%s", failed.detail) : LF_OK;
}

/* ---- all of it ---- */

/* After the commit, or when it could not be made. */
static void
record_ended(struct lf_request *request, void *data, const struct lf_error *error)
{
    (void)request;
    if (error == NULL)
        count_delivery(data, LF_WEBHOOK_SCORED);
    else
        fail_delivery(data, error);
}

/* Records the scored leads and answers. */
static enum lf_status
record(struct delivery *delivery, struct lf_scoring *scorings, const struct lf_mapped *mapped, struct lf_api_once *once,
       struct lf_error *error)
{
    struct lf_arena *scratch = lf_request_scratch(delivery->request);
    struct lf_answer_stamp *stamps = lf_arena_calloc(scratch, mapped->count, sizeof *stamps);
    struct lf_buf answer;
    struct lf_api_recording recording = {
        .scorings = scorings,
        .count = mapped->count,
        .answer = &answer,
        .stamps = stamps,
        .http_status = 200,
        .once = once,
        .ended = record_ended,
        .data = delivery,
    };

    if (stamps == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while telling a score");
    lf_buf_init(&answer, scratch, LF_REPLY_MAX);
    lf_webhook_put_scores(&answer, scratch, delivery->reply, scorings, mapped->count, mapped->many, delivery->now_ms,
                          stamps);
    lf_api_record(delivery->request, delivery->service, &recording);
    return LF_OK;
}

static enum lf_status
score_leads(struct delivery *delivery, const struct lf_profiles *profiles, const struct lf_mapped *mapped,
            struct lf_api_once *once, struct lf_error *error)
{
    struct lf_arena *scratch = lf_request_scratch(delivery->request);
    struct lf_scoring *scorings = lf_arena_calloc(scratch, mapped->count, sizeof *scorings);
    enum lf_status status = LF_OK;

    if (scorings == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while scoring a delivery");
    for (size_t i = 0; i < mapped->count && status == LF_OK; i++)
        status = lf_webhook_score(scratch, delivery->source, profiles, &mapped->leads[i], true, delivery->now_ms,
                                  &scorings[i], error);
    return status == LF_OK ? record(delivery, scorings, mapped, once, error) : status;
}

/* A delivery whose id is claimed: the claim is given up by the recording, or here. */
static void
score_delivery(struct delivery *delivery, struct lf_api_once *once)
{
    struct lf_live *live = lf_service_live(delivery->service);
    struct lf_live_set *set = lf_live_acquire(live);
    struct lf_mapped mapped = {.count = 0};
    struct lf_error error;
    enum lf_status status = read_payload(delivery, &error);

    if (status == LF_OK)
        status = lf_mapping_apply(lf_request_scratch(delivery->request), delivery->source->mapping, delivery->payload,
                                  false, &mapped, &error);
    if (status == LF_OK && mapped.ignored == NULL)
        status = score_leads(delivery, set->profiles, &mapped, once, &error);
    if (status != LF_OK || mapped.ignored != NULL)
        lf_api_once_end(once);
    if (status != LF_OK)
        fail_delivery(delivery, &error);
    else if (mapped.ignored != NULL)
        ignore_delivery(delivery, mapped.ignored);
    lf_live_release(live, set);
}

static void
receive(struct delivery *delivery)
{
    struct lf_api_once *once = NULL;
    struct lf_error error;
    enum lf_status status = check_sender(delivery, &error);

    /* With these two what a repeat is known by may stand in the payload. */
    if (status == LF_OK && (delivery->crm == LF_CRM_PIPEDRIVE || delivery->crm == LF_CRM_HUBSPOT))
        status = read_payload(delivery, &error);
    if (status != LF_OK)
        fail_delivery(delivery, &error);
    else if (claim_delivery(delivery, &once))
        score_delivery(delivery, once);
}

void
lf_api_webhook(struct lf_request *request, void *context)
{
    struct lf_sources *sources = lf_service_sources(context);
    const struct lf_source *source = lf_sources_hold(sources, lf_request_param(request, "source"));
    struct delivery *delivery = lf_arena_calloc(lf_request_arena(request), 1, sizeof *delivery);
    struct lf_error error;

    if (source == NULL) {
        (void)lf_fail(&error, LF_SOURCE_NOT_FOUND, "there is no source of that key: PUT /v1/sources/{key} makes one");
        lf_reply_problem(request, &error);
        return;
    }
    if (delivery == NULL) {
        (void)lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while reading a delivery");
        lf_reply_problem(request, &error);
    } else {
        delivery->request = request;
        delivery->service = context;
        delivery->source = source;
        delivery->crm = source->crm;
        delivery->reply = source->reply;
        delivery->now_ms = lf_time_now_ms();
        delivery->body = lf_request_body(request, &delivery->body_len);
        if (source->crm == LF_CRM_HUBSPOT)
            lf_reply_retry_after(request, "1000"); /* which reads it as milliseconds */
        receive(delivery);
        delivery->source = NULL;
    }
    lf_sources_release(sources, source);
}
