/*
 * subscriptions.c - GET /v1/subscriptions; GET, PUT and DELETE /v1/subscriptions/{key}.
 *
 * A secret is in the answer to the PUT that had it made, and nowhere else.
 */
#include "api/handlers.h"

#include "app/subscriptions.h"

#include <stdio.h>
#include <string.h>

static const char *const NO_QUERY[] = {NULL};

static const char *const STATES[] = {
    [LF_SUBSCRIPTION_ACTIVE] = "active", [LF_SUBSCRIPTION_PAUSED] = "paused", [LF_SUBSCRIPTION_DISABLED] = "disabled"};

/* What waits for a subscription. */
struct outbox {
    int64_t waiting, oldest_ms;
};

/* ---- telling ---- */

static void
put_events(struct lf_buf *body, uint32_t events)
{
#define LF_X(name, number, word) [number] = (word),
    static const char *const WORDS[] = {LF_EVENT_LIST(LF_X)};
#undef LF_X
    bool first = true;

    lf_buf_lit(body, "[");
    for (int i = 0; i < LF_EVENT_COUNT; i++) {
        if ((events & 1U << i) == 0)
            continue;
        lf_buf_printf(body, "%s\"%s\"", first ? "" : ",", WORDS[i]);
        first = false;
    }
    lf_buf_lit(body, "]");
}

static void
put_subscription(struct lf_buf *body, const struct lf_stored_subscription *subscription, const struct outbox *outbox,
                 const char *secret)
{
    lf_buf_printf(body, "{\"key\":\"%s\",\"url\":", subscription->key);
    lf_api_put_text(body, subscription->url);
    lf_buf_lit(body, ",\"events\":");
    put_events(body, subscription->events);
    lf_buf_printf(body, ",\"icp\":\"%s\",\"grades\":", subscription->icp);
    lf_buf_text(body, subscription->grades);
    lf_buf_printf(body, ",\"state\":\"%s\",\"reason\":", STATES[subscription->state]);
    lf_api_put_text(body, subscription->reason);
    lf_buf_printf(body, ",\"secret\":\"%s\",\"waiting\":%lld,\"oldest_waiting_at\":", secret,
                  (long long)outbox->waiting);
    lf_api_put_time_or_none(body, outbox->oldest_ms);
    lf_buf_lit(body, ",\"failing_since\":");
    lf_api_put_time_or_none(body, subscription->failing_since_ms);
    lf_buf_lit(body, ",\"delivered_at\":");
    lf_api_put_time_or_none(body, subscription->delivered_at_ms);
    lf_buf_lit(body, ",\"created_at\":");
    lf_api_put_time(body, subscription->created_at_ms);
    lf_buf_lit(body, ",\"updated_at\":");
    lf_api_put_time(body, subscription->updated_at_ms);
    lf_buf_lit(body, "}");
}

/* ---- GET ---- */

void
lf_api_list_subscriptions(struct lf_request *request, void *context)
{
    struct lf_stored_subscription *subscriptions = NULL;
    struct lf_store_reader *reader = NULL;
    struct lf_error error;
    struct lf_buf body;
    size_t count = 0;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK)
        status = lf_store_subscriptions(reader, lf_request_scratch(request), &subscriptions, &count, &error);
    lf_buf_lit(&body, "{\"subscriptions\":[");
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        struct outbox outbox = {.waiting = 0};

        status = lf_store_outbox(reader, subscriptions[i].id, &outbox.waiting, &outbox.oldest_ms, &error);
        if (i > 0)
            lf_buf_lit(&body, ",");
        put_subscription(&body, &subscriptions[i], &outbox, "");
    }
    lf_buf_lit(&body, "]}");
    if (reader != NULL)
        lf_service_return_reader(context, reader);
    lf_api_conclude(request, 200, status, &body, &error);
}

/* Reads one with what waits for it. SUBSCRIPTION_NOT_FOUND. */
static enum lf_status
read_subscription(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                  struct lf_stored_subscription *ret_subscription, struct outbox *ret_outbox, struct lf_error *error)
{
    struct lf_stored_subscription *subscriptions = NULL;
    size_t count = 0;
    enum lf_status status = lf_store_subscriptions(reader, arena, &subscriptions, &count, error);

    for (size_t i = 0; status == LF_OK && i < count; i++) {
        if (strcmp(subscriptions[i].key, key) != 0)
            continue;
        *ret_subscription = subscriptions[i];
        return lf_store_outbox(reader, subscriptions[i].id, &ret_outbox->waiting, &ret_outbox->oldest_ms, error);
    }
    return status == LF_OK ? lf_fail(error, LF_SUBSCRIPTION_NOT_FOUND, "there is no subscription \"%.64s\"", key)
                           : status;
}

void
lf_api_get_subscription(struct lf_request *request, void *context)
{
    struct lf_stored_subscription subscription;
    struct lf_store_reader *reader = NULL;
    struct outbox outbox = {.waiting = 0};
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = lf_service_borrow_reader(context, &reader, &error);
    if (status == LF_OK) {
        status = read_subscription(reader, lf_request_scratch(request), lf_request_param(request, "key"), &subscription,
                                   &outbox, &error);
        lf_service_return_reader(context, reader);
    }
    if (status == LF_OK)
        put_subscription(&body, &subscription, &outbox, "");
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- PUT and DELETE ---- */

/* What waits for the subscription that there is. It is read before the put: afterwards nothing may fail any more, or a
 * secret that was just made would never be seen. */
static enum lf_status
read_outbox(struct lf_service *service, const char *key, struct outbox *ret_outbox, struct lf_error *error)
{
    int64_t id = lf_subscriptions_id(lf_service_subscriptions(service), key);
    struct lf_store_reader *reader = NULL;
    enum lf_status status = LF_OK;

    *ret_outbox = (struct outbox){.waiting = 0};
    if (id == 0)
        return LF_OK;
    status = lf_service_borrow_reader(service, &reader, error);
    if (status != LF_OK)
        return status;
    status = lf_store_outbox(reader, id, &ret_outbox->waiting, &ret_outbox->oldest_ms, error);
    lf_service_return_reader(service, reader);
    return status;
}

void
lf_api_put_subscription(struct lf_request *request, void *context)
{
    struct lf_arena *scratch = lf_request_scratch(request);
    const char *key = lf_request_param(request, "key");
    const struct lf_json *json = NULL;
    struct lf_stored_subscription subscription;
    struct lf_findings findings;
    struct outbox outbox;
    struct lf_change change;
    struct lf_error error;
    struct lf_buf body;
    char secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX], location[128];
    bool created = false;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY) || (json = lf_api_read_body(request, &LF_JSON_LEAD_LIMITS)) == NULL)
        return;
    lf_findings_init(&findings, scratch);
    lf_api_change(request, context, "", &change);
    status = read_outbox(context, key, &outbox, &error);
    if (status == LF_OK)
        status = lf_edit_put_subscription(context, scratch, key, json, &change, &findings, &subscription, &created,
                                          secret, &error);
    if (status != LF_OK) {
        lf_reply_findings(request, &error, status == LF_INVALID_REQUEST ? &findings : NULL);
        return;
    }
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    put_subscription(&body, &subscription, &outbox, secret);
    (void)snprintf(location, sizeof location, "/v1/subscriptions/%s", key);
    if (created)
        lf_reply_header(request, "Location", location);
    lf_reply_json(request, created ? 201 : 200, &body);
}

void
lf_api_delete_subscription(struct lf_request *request, void *context)
{
    struct lf_change change;
    struct lf_error error;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_QUERY))
        return;
    lf_api_change(request, context, "", &change);
    status = lf_edit_delete_subscription(context, lf_request_param(request, "key"), &change, &error);
    lf_api_conclude_empty(request, status, &error);
}
