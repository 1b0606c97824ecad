/* editing_subscriptions.c - subscriptions are read as they are put, put, deleted, and a delivery tried again: see
 * subscriptions.h. */
#include "app/subscriptions.h"

#include "app/edit.h"
#include "app/post.h"
#include "app/signature.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/time.h"
#include "core/document.h"

#include <string.h>

enum {
    URL_MAX = 2000,            /* characters */
    SECRET_MADE = 32,          /* bytes */
    GRADE_MAX = 64,            /* characters of a name */
    GRADES_TEXT_MAX = 1 << 14, /* bytes of all of them as JSON */
    SECRET_PREFIX_LEN = 6,
};

static const char SECRET_PREFIX[] = "whsec_";

static const char *const EVENTS[] = {
#define LF_X(name, number, word) [number] = (word),
    LF_EVENT_LIST(LF_X)
#undef LF_X
        [LF_EVENT_COUNT] = NULL,
};

/* ---- reading ---- */

/* The member of that name; NULL where it is absent or null. */
static const struct lf_json *
optional(const struct lf_json *body, const char *name)
{
    const struct lf_json *member = lf_json_member(body, name);

    return lf_json_kind(member) == LF_JSON_NULL ? NULL : member;
}

/* Whether the node is there and the empty text, which some write for "none". */
static bool
is_empty_text(const struct lf_json *node)
{
    size_t len = 1;

    return lf_json_text(node, &len) != NULL && len == 0;
}

static const char *
read_url(struct lf_document *document, const struct lf_json *body, const struct lf_place *root, bool allow_private)
{
    struct lf_place place = LF_PLACE_MEMBER(root, "url");
    const char *url = lf_document_text(document, lf_json_member(body, "url"), &place, true, URL_MAX);
    char why[LF_POST_ERROR_MAX] = "";
    bool private_target = false;

    if (url[0] != '\0' && !lf_post_url_check(url, allow_private, why, &private_target))
        lf_document_fault(document, &place, private_target ? "private_target" : "invalid_url", "%s", why);
    return url;
}

static uint32_t
read_events(struct lf_document *document, const struct lf_json *body, const struct lf_place *root)
{
    struct lf_place place = LF_PLACE_MEMBER(root, "events");
    const struct lf_json *node = lf_json_member(body, "events");
    uint32_t events = 0;
    size_t index = 0;

    if (node == NULL) {
        lf_document_fault(document, &place, "required",
                          "events is missing: what is to be told, such as [\"score.recorded\"]");
        return 0;
    }
    if (!lf_document_array(document, node, &place, 1, LF_EVENT_COUNT))
        return 0;
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(&place, index);
        size_t event = lf_document_word(document, one, &at, true, EVENTS, LF_EVENT_COUNT);

        if (event == LF_EVENT_COUNT)
            continue;
        if ((events & 1U << event) != 0)
            lf_document_fault(document, &at, "duplicate", "%s stands here twice", EVENTS[event]);
        events |= 1U << event;
    }
    return events;
}

static const char *
read_icp(struct lf_document *document, const struct lf_json *body, const struct lf_place *root)
{
    struct lf_place place = LF_PLACE_MEMBER(root, "icp");
    const struct lf_json *node = optional(body, "icp");

    return node == NULL || is_empty_text(node) ? "" : lf_document_key(document, node, &place);
}

/* Whether an element of before is the same text. */
static bool
stands_before(const struct lf_json *array, const struct lf_json *one)
{
    size_t len = 0, other_len = 0;
    const char *text = lf_json_text(one, &len), *other = NULL;

    for (const struct lf_json *before = lf_json_first(array); text != NULL && before != one;
         before = lf_json_next(before)) {
        other = lf_json_text(before, &other_len);
        if (other != NULL && other_len == len && memcmp(other, text, len) == 0)
            return true;
    }
    return false;
}

/* The names as a JSON array in the arena. */
static const char *
read_grades(struct lf_document *document, const struct lf_json *body, const struct lf_place *root, uint32_t events)
{
    struct lf_place place = LF_PLACE_MEMBER(root, "grades");
    const struct lf_json *node = optional(body, "grades");
    struct lf_buf text;
    const char *grades = NULL;
    size_t index = 0;

    if (node == NULL || !lf_document_array(document, node, &place, 0, LF_SUBSCRIPTION_GRADES_MAX))
        return "[]";
    for (const struct lf_json *one = lf_json_first(node); one != NULL; one = lf_json_next(one), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(&place, index);

        (void)lf_document_text(document, one, &at, true, GRADE_MAX);
        if (stands_before(node, one))
            lf_document_fault(document, &at, "duplicate", "this grade stands here twice");
    }
    if (index > 0 && events != 0 && (events & (1U << LF_EVENT_SCORE_RECORDED | 1U << LF_EVENT_GRADE_CHANGED)) == 0)
        lf_document_fault(document, &place, "conflict",
                          "none of these events has a grade: leave grades out, or add score.recorded or "
                          "score.grade_changed to events");
    lf_buf_init(&text, document->arena, GRADES_TEXT_MAX);
    lf_json_put_tree(&text, node);
    grades = lf_buf_terminate(&text);
    if (grades == NULL && !lf_findings_any(document->findings))
        lf_document_out_of_memory(document); /* what is too long has been told */
    return grades != NULL ? grades : "[]";
}

/* The bytes behind whsec_; *ret_len 0: it is absent, or a fault was found. Never tells what stands there. */
static const void *
read_secret(struct lf_document *document, const struct lf_json *body, const struct lf_place *root, size_t *ret_len)
{
    struct lf_place place = LF_PLACE_MEMBER(root, "secret");
    const struct lf_json *node = optional(body, "secret");
    size_t len = 0;
    const char *text = NULL;
    uint8_t *secret = NULL;

    *ret_len = 0;
    if (node == NULL || is_empty_text(node))
        return NULL;
    text = lf_json_text(node, &len);
    if (text == NULL) {
        lf_document_fault(document, &place, "wrong_type", "a text belongs here: whsec_ and a secret in base64");
        return NULL;
    }
    secret = lf_arena_alloc(document->arena, LF_WEBHOOK_SECRET_MAX);
    if (secret == NULL) {
        lf_document_out_of_memory(document);
        return NULL;
    }
    if (len < SECRET_PREFIX_LEN || memcmp(text, SECRET_PREFIX, SECRET_PREFIX_LEN) != 0 ||
        !lf_webhook_secret_read(text, len, secret, ret_len))
        lf_document_fault(document, &place, "invalid_value",
                          "a secret is whsec_ and 24 to %d bytes in base64; leave it out to have one made",
                          LF_WEBHOOK_SECRET_MAX);
    return secret;
}

/* What was put: all of it but the secret that there was. INVALID_REQUEST with findings. */
static enum lf_status
read_subscription(struct lf_arena *arena, const char *key, const struct lf_json *body, bool allow_private,
                  struct lf_findings *findings, struct lf_stored_subscription *ret_subscription, struct lf_error *error)
{
    static const char *const MEMBERS[] = {"url", "secret", "events", "icp", "grades", NULL};
    struct lf_document document = {.arena = arena, .findings = findings};
    struct lf_place root = LF_PLACE_ROOT;
    struct lf_stored_subscription read = {.key = key, .reason = ""};

    if (!lf_is_key(key, strlen(key)))
        lf_findings_add(findings, "", "invalid_key",
                        "the key of a subscription, in the path, has 1 to 64 of a-z, 0-9 and -, and does not begin "
                        "with -");
    if (lf_document_object(&document, body, &root, MEMBERS)) {
        read.url = read_url(&document, body, &root, allow_private);
        read.secret = read_secret(&document, body, &root, &read.secret_len);
        read.events = read_events(&document, body, &root);
        read.icp = read_icp(&document, body, &root);
        read.grades = read_grades(&document, body, &root, read.events);
    }
    if (findings->out_of_memory)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a subscription");
    if (lf_findings_any(findings))
        return lf_fail(error, LF_INVALID_REQUEST, "the subscription has %zu fault%s, the first at %s: %s",
                       findings->count, findings->count == 1 ? "" : "s",
                       findings->items[0].pointer[0] != '\0' ? findings->items[0].pointer : "its root",
                       findings->items[0].detail);
    *ret_subscription = read;
    return LF_OK;
}

/* ---- the secret ---- */

/* Makes one, with its text. */
static enum lf_status
make_secret(struct lf_arena *arena, struct lf_stored_subscription *subscription,
            char ret_text[LF_SUBSCRIPTION_SECRET_TEXT_MAX], struct lf_error *error)
{
    uint8_t *secret = lf_arena_alloc(arena, SECRET_MADE);

    _Static_assert(SECRET_PREFIX_LEN + LF_BASE64_TEXT_MAX(SECRET_MADE) <= LF_SUBSCRIPTION_SECRET_TEXT_MAX,
                   "a secret's text fits");
    if (secret == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while making a secret");
    if (!lf_random_bytes(secret, SECRET_MADE))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes for a secret");
    memcpy(ret_text, SECRET_PREFIX, SECRET_PREFIX_LEN);
    (void)lf_base64_encode(secret, SECRET_MADE, ret_text + SECRET_PREFIX_LEN);
    subscription->secret = secret;
    subscription->secret_len = SECRET_MADE;
    return LF_OK;
}

/* Takes over what of the subscription that there is stays: its secret where none was put, its age. *ret_there. */
static enum lf_status
take_over(struct lf_subscriptions *subscriptions, struct lf_arena *arena, struct lf_stored_subscription *subscription,
          bool *ret_there, struct lf_error *error)
{
    struct lf_subscription **items = NULL;
    size_t count = 0;
    bool fine = lf_subscriptions_hold(subscriptions, arena, &items, &count);

    if (!fine)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for a subscription");
    *ret_there = false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i]->key, subscription->key) != 0)
            continue;
        *ret_there = true;
        subscription->created_at_ms = items[i]->created_at_ms;
        subscription->delivered_at_ms = atomic_load(&items[i]->delivered_at_ms);
        if (subscription->secret_len > 0)
            continue;
        subscription->secret = lf_arena_copy(arena, items[i]->secret, items[i]->secret_len);
        subscription->secret_len = items[i]->secret_len;
        fine = subscription->secret != NULL;
    }
    lf_subscriptions_release(subscriptions, items, count);
    return fine ? LF_OK : lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for a subscription");
}

/* ---- changes ---- */

struct putting {
    struct lf_subscriptions *subscriptions;
    struct lf_subscription *prepared; /* NULL once it is in place */
    struct lf_stored_subscription *subscription;
    const struct lf_change *change;
    bool created;
};

/* On the recorder's thread. */
static enum lf_status
put(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct putting *putting = argument;
    struct lf_stored_subscription *subscription = putting->subscription;
    enum lf_status status =
        lf_store_put_subscription(store, subscription, putting->change, &subscription->id, &putting->created, error);

    if (status != LF_OK)
        return status;
    subscription->updated_at_ms = putting->change->at_ms;
    if (putting->created)
        subscription->created_at_ms = putting->change->at_ms;
    lf_subscriptions_place(putting->subscriptions, store, putting->prepared, subscription);
    putting->prepared = NULL;
    return LF_OK;
}

/* Under the lock of changes. */
static enum lf_status
put_subscription(struct lf_service *service, struct lf_arena *arena, struct putting *putting,
                 char ret_secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX], struct lf_error *error)
{
    struct lf_stored_subscription *subscription = putting->subscription;
    bool there = false;
    enum lf_status status = take_over(putting->subscriptions, arena, subscription, &there, error);

    if (status == LF_OK && !there && subscription->secret_len == 0)
        status = make_secret(arena, subscription, ret_secret, error);
    if (status == LF_OK)
        status = lf_subscriptions_prepare(subscription, &putting->prepared, error);
    if (status == LF_OK)
        status = lf_recorder_run(lf_service_recorder(service), put, putting, error);
    lf_subscriptions_drop(putting->prepared);
    return status;
}

enum lf_status
lf_edit_put_subscription(struct lf_service *service, struct lf_arena *arena, const char *key,
                         const struct lf_json *body, const struct lf_change *change, struct lf_findings *findings,
                         struct lf_stored_subscription *ret_subscription, bool *ret_created,
                         char ret_secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX], struct lf_error *error)
{
    struct lf_stored_subscription subscription;
    struct putting putting = {
        .subscriptions = lf_service_subscriptions(service), .subscription = &subscription, .change = change};
    char secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX] = "";
    enum lf_status status =
        read_subscription(arena, key, body, lf_service_allows_private_targets(service), findings, &subscription, error);

    if (status != LF_OK)
        return status;
    lf_service_lock_keys(service);
    status = put_subscription(service, arena, &putting, secret, error);
    lf_service_unlock_keys(service);
    if (status != LF_OK)
        return status;
    *ret_subscription = subscription;
    *ret_created = putting.created;
    memcpy(ret_secret, secret, sizeof secret);
    lf_edit_log(change, "subscription.put", key, 0);
    return LF_OK;
}

struct deletion {
    struct lf_subscriptions *subscriptions;
    const char *key;
    const struct lf_change *change;
};

/* On the recorder's thread. */
static enum lf_status
delete_subscription(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct deletion *deletion = argument;
    enum lf_status status = lf_store_delete_subscription(store, deletion->key, deletion->change, error);

    if (status == LF_OK)
        lf_subscriptions_remove(deletion->subscriptions, deletion->key);
    return status;
}

enum lf_status
lf_edit_delete_subscription(struct lf_service *service, const char *key, const struct lf_change *change,
                            struct lf_error *error)
{
    struct deletion deletion = {lf_service_subscriptions(service), key, change};
    enum lf_status status = LF_OK;

    lf_service_lock_keys(service);
    status = lf_recorder_run(lf_service_recorder(service), delete_subscription, &deletion, error);
    lf_service_unlock_keys(service);
    if (status == LF_OK)
        lf_edit_log(change, "subscription.delete", key, 0);
    return status;
}

struct retry {
    struct lf_subscriptions *subscriptions;
    int64_t subscription_id, delivery_id;
};

/* On the recorder's thread. */
static enum lf_status
retry_delivery(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct retry *retry = argument;

    return lf_subscriptions_retry(retry->subscriptions, store, retry->subscription_id, retry->delivery_id,
                                  lf_time_now_ms(), error);
}

enum lf_status
lf_edit_retry_delivery(struct lf_service *service, const char *subscription, int64_t delivery_id,
                       struct lf_error *error)
{
    struct lf_subscriptions *subscriptions = lf_service_subscriptions(service);
    struct retry retry = {subscriptions, lf_subscriptions_id(subscriptions, subscription), delivery_id};

    if (retry.subscription_id == 0)
        return lf_fail(error, LF_SUBSCRIPTION_NOT_FOUND, "there is no subscription \"%.64s\"", subscription);
    return lf_recorder_run(lf_service_recorder(service), retry_delivery, &retry, error);
}
