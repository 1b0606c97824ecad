/*
 * courier_send.c - see courier_parts.h: one attempt, by Standard Webhooks: the event is signed with the time of the
 * attempt, posted, and how that ended decides what becomes of the delivery.
 */
#include "app/courier_parts.h"

#include "app/events.h"
#include "app/signature.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BODY_MAX = 1 << 20, /* far above what an event takes */
    HEADER_MAX = 128,
    DAY_MS = 86400000,
    GONE = 410,
};

/* ---- how it ended ---- */

/* A pause with a jitter of a tenth, so that what failed together does not come back together. */
static int64_t
jittered(int64_t pause_ms)
{
    uint32_t random = 0;

    if (!lf_random_bytes(&random, sizeof random)) /* then without */
        return pause_ms;
    return pause_ms - pause_ms / 10 + (int64_t)((double)pause_ms / 5 * random / UINT32_MAX);
}

/* When the next attempt is due. */
static int64_t
due_ms(const struct lf_parcel *parcel, int64_t now_ms, int64_t retry_after_ms)
{
    int64_t pause_ms = jittered(parcel->courier->options.schedule_ms[parcel->attempts]);
    int64_t asked_ms = retry_after_ms < DAY_MS ? retry_after_ms : DAY_MS;

    return now_ms + (pause_ms > asked_ms ? pause_ms : asked_ms);
}

/* The subscription is still the one that the attempt was made for. */
static bool
is_current(const struct lf_parcel *parcel)
{
    return parcel->route->subscription != NULL && parcel->version == parcel->route->version;
}

static void
decide(struct lf_parcel *parcel, const struct lf_posted *posted)
{
    struct lf_route *route = parcel->route;
    struct lf_attempt *attempt = &parcel->attempt;
    int status = posted->http_status;

    if (status == GONE && is_current(parcel) && route->farewell == LF_FAREWELL_NONE)
        route->farewell = LF_FAREWELL_DISABLE;
    if (status >= 200 && status < 300) {
        attempt->state = LF_DELIVERY_DELIVERED;
    } else if ((is_current(parcel) && route->farewell != LF_FAREWELL_NONE) ||
               parcel->attempts >= parcel->courier->options.schedule_count) {
        attempt->state = LF_DELIVERY_FAILED;
    } else {
        attempt->state = LF_DELIVERY_RETRYING;
        attempt->due_ms = due_ms(parcel, attempt->at_ms, posted->retry_after_ms);
    }
}

/* Called by the poster. */
static void
take_end(void *data, const struct lf_posted *posted)
{
    struct lf_parcel *parcel = data;
    struct lf_courier *courier = parcel->courier;
    bool redirected = posted->http_status >= 300 && posted->http_status < 400;

    (void)snprintf(parcel->error, sizeof parcel->error, "%s",
                   redirected ? "redirects are not followed" : posted->error);
    parcel->ended = true;
    parcel->route->posting--;
    parcel->route->ended++;
    parcel->attempt = (struct lf_attempt){
        .subscription_id = parcel->route->id,
        .delivery_id = parcel->id,
        .at_ms = lf_time_now_ms(),
        .http_status = posted->http_status,
        .error = parcel->error,
    };
    decide(parcel, posted);
    lf_buf_finish(&parcel->body);
    if (courier->first_ended == NULL)
        courier->first_ended = parcel;
    else
        courier->last_ended->next_ended = parcel;
    courier->last_ended = parcel;
}

/* ---- how it begins ---- */

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while sending an event");
}

static enum lf_status
post(struct lf_courier *courier, struct lf_parcel *parcel, const struct lf_stored_delivery *delivery,
     struct lf_error *error)
{
    int64_t timestamp = lf_time_now_ms() / 1000;
    const struct lf_subscription *subscription = parcel->route->subscription;
    char id[LF_WEBHOOK_ID_MAX], signature[LF_SIGNATURE_TEXT_MAX];
    char id_header[HEADER_MAX], timestamp_header[HEADER_MAX], signature_header[HEADER_MAX];
    const char *headers[] = {"Content-Type: application/json", "User-Agent: leadfit/" LF_VERSION, id_header,
                             timestamp_header, signature_header};

    lf_webhook_id_put(delivery->id, delivery->at_ms, id);
    if (!lf_signature_make(subscription->secret, subscription->secret_len, id, timestamp, parcel->body.data,
                           parcel->body.len, signature))
        return out_of_memory(error);
    (void)snprintf(id_header, sizeof id_header, "webhook-id: %s", id);
    (void)snprintf(timestamp_header, sizeof timestamp_header, "webhook-timestamp: %lld", (long long)timestamp);
    (void)snprintf(signature_header, sizeof signature_header, "webhook-signature: %s", signature);
    return lf_poster_start(courier->poster, subscription->url, headers, sizeof headers / sizeof headers[0],
                           parcel->body.data, parcel->body.len, take_end, parcel, error);
}

/* How many attempts there were. What cannot be read counts as none, so that somebody's hand in the database stops no
 * delivery. */
static enum lf_status
count_attempts(struct lf_courier *courier, const struct lf_stored_delivery *delivery, size_t *ret_count,
               struct lf_error *error)
{
    const struct lf_json *attempts = NULL;
    struct lf_error found;
    enum lf_status status = lf_json_parse(courier->arena, delivery->attempts, delivery->attempts_len,
                                          &LF_JSON_DOCUMENT_LIMITS, &attempts, &found);

    if (status == LF_OUT_OF_MEMORY)
        return out_of_memory(error);
    *ret_count = status == LF_OK ? lf_json_count(attempts) : 0;
    return LF_OK;
}

enum lf_status
lf_parcel_start(struct lf_courier *courier, struct lf_route *route, const struct lf_next *next, struct lf_error *error)
{
    struct lf_parcel *parcel = calloc(1, sizeof *parcel);
    enum lf_status status = LF_OK;

    if (parcel == NULL)
        return out_of_memory(error);
    parcel->courier = courier;
    parcel->route = route;
    parcel->id = next->delivery.id;
    parcel->lane = next->retry ? 0 : next->delivery.lane;
    parcel->version = route->version;
    lf_buf_init(&parcel->body, NULL, BODY_MAX);
    lf_event_put(&parcel->body, &next->delivery);
    status = count_attempts(courier, &next->delivery, &parcel->attempts, error);
    if (status == LF_OK && lf_buf_failed(&parcel->body))
        status = out_of_memory(error);
    if (status == LF_OK)
        status = post(courier, parcel, &next->delivery, error);
    if (status != LF_OK) {
        lf_buf_finish(&parcel->body);
        free(parcel);
        return status;
    }
    parcel->next = route->parcels;
    route->parcels = parcel;
    route->posting++;
    return LF_OK;
}

void
lf_parcel_destroy(struct lf_parcel *parcel)
{
    struct lf_route *route = parcel->route;
    struct lf_parcel **at = &route->parcels;

    while (*at != parcel)
        at = &(*at)->next;
    *at = parcel->next;
    if (parcel->ended)
        route->ended--;
    else
        route->posting--;
    lf_buf_finish(&parcel->body);
    free(parcel);
}
