/*
 * deliveries.c - GET /v1/subscriptions/{key}/deliveries, POST /v1/subscriptions/{key}/deliveries/{id}/retry: what
 * became of the events for a subscription. What they say is told to their target alone.
 */
#include "api/handlers.h"

#include "api/leads.h"
#include "app/subscriptions.h"

#include <string.h>

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000, NUMBER_BYTES = 8 };

/* ---- telling ---- */

static void
put_delivery(struct lf_buf *body, const struct lf_stored_delivery *delivery)
{
    static const char *const STATES[] = {[LF_DELIVERY_PENDING] = "pending",
                                         [LF_DELIVERY_RETRYING] = "retrying",
                                         [LF_DELIVERY_DELIVERED] = "delivered",
                                         [LF_DELIVERY_FAILED] = "failed",
                                         [LF_DELIVERY_ERASED] = "erased"};
#define LF_X(name, number, word) [number] = (word),
    static const char *const EVENTS[] = {LF_EVENT_LIST(LF_X)};
#undef LF_X
    static const struct lf_ulid NONE = {{0}};
    char id[LF_WEBHOOK_ID_MAX], score_id[LF_ULID_TEXT_SIZE] = "";

    lf_webhook_id_put(delivery->id, delivery->at_ms, id);
    if (memcmp(delivery->score_id.bytes, NONE.bytes, LF_ULID_SIZE) != 0)
        lf_ulid_format(delivery->score_id, score_id);
    lf_buf_printf(body, "{\"id\":\"%s\",\"type\":\"%s\",\"sequence\":%lld,\"created_at\":", id, EVENTS[delivery->type],
                  (long long)delivery->id);
    lf_api_put_time(body, delivery->at_ms);
    lf_buf_printf(body, ",\"state\":\"%s\",\"due_at\":", STATES[delivery->state]);
    lf_api_put_time_or_none(body, delivery->state == LF_DELIVERY_RETRYING ? delivery->due_ms : 0);
    lf_buf_printf(body, ",\"score_id\":\"%s\",\"attempts\":", score_id);
    lf_buf_add(body, delivery->attempts, delivery->attempts_len);
    lf_buf_lit(body, "}");
}

/* The row of the subscription of the path; SUBSCRIPTION_NOT_FOUND. */
static enum lf_status
find_subscription(struct lf_request *request, struct lf_service *service, int64_t *ret_id, struct lf_error *error)
{
    const char *key = lf_request_param(request, "key");

    *ret_id = lf_subscriptions_id(lf_service_subscriptions(service), key);
    return *ret_id != 0 ? LF_OK : lf_fail(error, LF_SUBSCRIPTION_NOT_FOUND, "there is no subscription \"%.64s\"", key);
}

/* ---- GET ---- */

static void
put_number(struct lf_cursor *cursor, int64_t number)
{
    for (int i = 0; i < NUMBER_BYTES; i++)
        cursor->id.bytes[LF_ULID_SIZE - 1 - i] = (uint8_t)((uint64_t)number >> (8 * i));
}

static int64_t
number_of(const struct lf_cursor *cursor)
{
    uint64_t number = 0;

    for (int i = NUMBER_BYTES; i > 0; i--)
        number = number << 8 | cursor->id.bytes[LF_ULID_SIZE - i];
    return number <= INT64_MAX ? (int64_t)number : 0;
}

/* Tells a page of those behind `from`; one more is read to know whether there is another page. */
static enum lf_status
tell_page(struct lf_request *request, struct lf_service *service, int64_t from, size_t limit, struct lf_buf *body,
          struct lf_error *error)
{
    const char *key = lf_request_param(request, "key");
    struct lf_cursor next = {.kind = LF_CURSOR_DELIVERIES};
    struct lf_stored_delivery *deliveries = NULL;
    struct lf_store_reader *reader = NULL;
    size_t count = 0;
    int64_t id = 0;
    enum lf_status status = find_subscription(request, service, &id, error);

    if (status == LF_OK)
        status = lf_service_borrow_reader(service, &reader, error);
    if (status != LF_OK)
        return status;
    status = lf_store_deliveries(reader, lf_request_scratch(request), id, LF_DELIVERIES_NEWEST, from, limit + 1,
                                 &deliveries, &count, error);
    lf_service_return_reader(service, reader);
    if (status != LF_OK)
        return status;
    lf_buf_lit(body, "{\"deliveries\":[");
    for (size_t i = 0; i < count && i < limit; i++) {
        if (i > 0)
            lf_buf_lit(body, ",");
        put_delivery(body, &deliveries[i]);
    }
    lf_buf_lit(body, "]");
    if (count > limit)
        put_number(&next, deliveries[limit - 1].id);
    lf_api_put_next(body, count > limit ? &next : NULL, key, strlen(key));
    lf_buf_lit(body, "}");
    return LF_OK;
}

void
lf_api_list_deliveries(struct lf_request *request, void *context)
{
    static const char *const QUERY[] = {"limit", "after", NULL};
    const char *key = lf_request_param(request, "key");
    struct lf_cursor cursor = {.score = 0};
    struct lf_error error;
    struct lf_buf body;
    int64_t limit = 0;
    bool given = false;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, QUERY) ||
        !lf_api_query_number(request, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !lf_api_query_cursor(request, LF_CURSOR_DELIVERIES, key, strlen(key), &given, &cursor))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = tell_page(request, context, given ? number_of(&cursor) : 0, (size_t)limit, &body, &error);
    lf_api_conclude(request, 200, status, &body, &error);
}

/* ---- POST …/retry ---- */

/* The delivery that the path names; DELIVERY_NOT_FOUND also where the id has another one's time in it. */
static enum lf_status
read_delivery(struct lf_request *request, struct lf_service *service, struct lf_stored_delivery *ret_delivery,
              struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;
    int64_t subscription_id = 0, at_ms = 0, id = lf_webhook_id_read(lf_request_param(request, "id"), &at_ms);
    enum lf_status status = find_subscription(request, service, &subscription_id, error);

    if (status == LF_OK)
        status = lf_service_borrow_reader(service, &reader, error);
    if (status != LF_OK)
        return status;
    status = lf_store_delivery(reader, lf_request_scratch(request), subscription_id, id, ret_delivery, error);
    lf_service_return_reader(service, reader);
    if (status == LF_OK && ret_delivery->at_ms != at_ms)
        status = lf_fail(error, LF_DELIVERY_NOT_FOUND, "the subscription has no delivery of this id");
    return status;
}

void
lf_api_retry_delivery(struct lf_request *request, void *context)
{
    static const char *const NO_NAMES[] = {NULL};
    struct lf_stored_delivery delivery;
    struct lf_api_input input;
    struct lf_error error;
    struct lf_buf body;
    enum lf_status status = LF_OK;

    if (!lf_request_allow_query(request, NO_NAMES) || !lf_api_input_begin(request, &input, true, NO_NAMES) ||
        !lf_api_input_end(request, &input))
        return;
    lf_buf_init(&body, lf_request_arena(request), LF_REPLY_MAX);
    status = read_delivery(request, context, &delivery, &error);
    if (status == LF_OK)
        status = lf_edit_retry_delivery(context, lf_request_param(request, "key"), delivery.id, &error);
    if (status == LF_OK)
        status = read_delivery(request, context, &delivery, &error);
    if (status == LF_OK)
        put_delivery(&body, &delivery);
    lf_api_conclude(request, 200, status, &body, &error);
}
