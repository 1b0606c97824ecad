/* events.c - see events.h. Drift is events_drift.c's, scores the ledger's (ledger_events.c). */
#include "app/events.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

#include <math.h>
#include <string.h>

enum {
    DATA_MAX = 1 << 16, /* far above what an id, a key and two grades take */
    ITEMS_LEAST = 16,
    MILLION = 1000000,
};

const char *
lf_event_word(enum lf_event_type type)
{
    switch (type) {
#define LF_X(name, number, word) \
    case LF_EVENT_##name:        \
        return word;
        LF_EVENT_LIST(LF_X)
#undef LF_X
    case LF_EVENT_COUNT:
        break;
    }
    return "";
}

/* ---- gathering ---- */

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while gathering events");
}

enum lf_status
lf_event_batch_begin(struct lf_subscriptions *subscriptions, struct lf_arena *arena, struct lf_event_batch *ret_batch,
                     struct lf_error *error)
{
    struct lf_event_batch batch = {.arena = arena};

    if (!lf_subscriptions_hold(subscriptions, arena, &batch.subscriptions, &batch.subscription_count))
        return out_of_memory(error);
    *ret_batch = batch;
    return LF_OK;
}

void
lf_event_batch_end(struct lf_subscriptions *subscriptions, struct lf_event_batch *batch)
{
    if (batch->subscription_count > 0)
        lf_subscriptions_release(subscriptions, batch->subscriptions, batch->subscription_count);
    batch->subscriptions = NULL;
    batch->subscription_count = 0;
}

/* Drift goes from one level to another, which is no grade. */
static bool
has_grade(const struct lf_event *event)
{
    return event->type == LF_EVENT_SCORE_RECORDED || event->type == LF_EVENT_GRADE_CHANGED;
}

static bool
is_of_score(const struct lf_event *event)
{
    static const struct lf_ulid NONE;

    return memcmp(event->score_id.bytes, NONE.bytes, LF_ULID_SIZE) != 0;
}

static void
put_text(struct lf_buf *buf, const char *text)
{
    lf_json_put_text(buf, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void
put_data(struct lf_buf *buf, const struct lf_event *event)
{
    char id[LF_ULID_TEXT_SIZE] = "";

    if (is_of_score(event))
        lf_ulid_format(event->score_id, id);
    lf_buf_lit(buf, "{\"lead_id\":");
    lf_json_put_text(buf, event->lead_id_len > 0 ? event->lead_id : "", event->lead_id_len);
    lf_buf_lit(buf, ",\"icp\":");
    put_text(buf, event->icp);
    lf_buf_lit(buf, ",\"version\":");
    lf_buf_int(buf, event->version);
    lf_buf_lit(buf, ",\"score_id\":");
    put_text(buf, id);
    lf_buf_lit(buf, ",\"score\":");
    lf_buf_decimal(buf, event->score, 2);
    lf_buf_lit(buf, ",\"from\":");
    put_text(buf, event->from);
    lf_buf_lit(buf, ",\"to\":");
    put_text(buf, event->to);
    lf_buf_lit(buf, ",\"psi\":");
    lf_buf_decimal(buf, llround(event->psi * MILLION), 6);
    lf_buf_lit(buf, "}");
}

/* The same for a lead after every restart, so that what waits of it stays in order. */
static bool
find_lane(const struct lf_event *event, int64_t *ret_lane)
{
    uint8_t digest[LF_SHA256_SIZE];
    uint64_t lane = 0;

    if (event->lead_id_len > 0) {
        if (!lf_sha256(event->lead_id, event->lead_id_len, digest))
            return false;
        for (size_t i = 0; i < sizeof lane; i++)
            lane = lane << 8 | digest[i];
        lane = lane == 0 ? 1 : lane; /* 0 is no lane */
    }
    *ret_lane = (int64_t)lane;
    return true;
}

/* What a delivery of the event says, but for whom it is for. */
static enum lf_status
describe(const struct lf_event_batch *batch, const struct lf_event *event, struct lf_new_delivery *ret_delivery,
         struct lf_error *error)
{
    struct lf_new_delivery delivery = {.type = event->type, .at_ms = event->at_ms, .score_id = event->score_id};
    struct lf_buf data;

    lf_buf_init(&data, batch->arena, DATA_MAX);
    put_data(&data, event);
    delivery.data = data.data;
    delivery.data_len = data.len;
    if (lf_buf_failed(&data) || !find_lane(event, &delivery.lane))
        return out_of_memory(error);
    *ret_delivery = delivery;
    return LF_OK;
}

static bool
make_room(struct lf_event_batch *batch)
{
    size_t cap = batch->cap == 0 ? ITEMS_LEAST : batch->cap * 2;
    struct lf_new_delivery *items = NULL;

    if (batch->count < batch->cap)
        return true;
    items = lf_arena_calloc(batch->arena, cap, sizeof *items);
    if (items == NULL)
        return false;
    if (batch->count > 0)
        memcpy(items, batch->items, batch->count * sizeof *items);
    batch->items = items;
    batch->cap = cap;
    return true;
}

enum lf_status
lf_event_add(struct lf_event_batch *batch, const struct lf_event *event, struct lf_error *error)
{
    const char *grade = has_grade(event) ? event->to : "";
    struct lf_new_delivery delivery = {.data = NULL}; /* one text for all */

    for (size_t i = 0; i < batch->subscription_count; i++) {
        const struct lf_subscription *subscription = batch->subscriptions[i];
        enum lf_status status = LF_OK;

        if (!lf_subscription_takes(subscription, event->type, event->icp, grade))
            continue;
        if (delivery.data == NULL)
            status = describe(batch, event, &delivery, error);
        if (status == LF_OK && !make_room(batch))
            status = out_of_memory(error);
        if (status != LF_OK)
            return status;
        delivery.subscription_id = subscription->id;
        batch->items[batch->count++] = delivery;
    }
    return LF_OK;
}

enum lf_status
lf_events_of_publication(struct lf_subscriptions *subscriptions, struct lf_arena *arena, const char *icp, int version,
                         int64_t at_ms, struct lf_event_batch *ret_batch, struct lf_error *error)
{
    const struct lf_event event = {.type = LF_EVENT_ICP_PUBLISHED, .at_ms = at_ms, .icp = icp, .version = version};
    struct lf_event_batch batch = {.arena = arena};
    enum lf_status status = LF_OK;

    if ((lf_subscriptions_wanted(subscriptions) & 1U << LF_EVENT_ICP_PUBLISHED) != 0) {
        status = lf_event_batch_begin(subscriptions, arena, &batch, error);
        if (status == LF_OK)
            status = lf_event_add(&batch, &event, error);
        if (status != LF_OK)
            lf_event_batch_end(subscriptions, &batch);
    }
    if (status == LF_OK)
        *ret_batch = batch;
    return status;
}

/* ---- sending ---- */

void
lf_event_put(struct lf_buf *buf, const struct lf_stored_delivery *delivery)
{
    char at[LF_TIME_TEXT_MAX];

    (void)lf_time_format_ms(delivery->at_ms, at);
    lf_buf_lit(buf, "{\"type\":");
    put_text(buf, lf_event_word(delivery->type));
    lf_buf_lit(buf, ",\"timestamp\":");
    put_text(buf, at);
    lf_buf_lit(buf, ",\"sequence\":");
    lf_buf_int(buf, delivery->id);
    lf_buf_lit(buf, ",\"data\":");
    lf_buf_add(buf, delivery->data, delivery->data_len);
    lf_buf_lit(buf, "}");
}
