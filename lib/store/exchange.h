/*
 * exchange.h - what passes between Leadfit and CRMs, as it is kept: sources that send leads and what was refused of
 * theirs, answers that are given again, subscriptions to events, and the outbox. The other half of store.h, by the same
 * rules: domain verbs, results in the arena given, one thread that writes.
 */
#ifndef LF_STORE_EXCHANGE_H
#define LF_STORE_EXCHANGE_H

#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- recording ---- */

/* An answer that is given again to whoever repeats the request. */
struct lf_stored_answer {
    uint8_t name[LF_SHA256_SIZE];    /* whose it is, and which: app/idempotency.h */
    uint8_t request[LF_SHA256_SIZE]; /* what was asked */
    int64_t at_ms;
    int http_status;
    struct lf_ulid first_score, last_score; /* of which it tells, and no other answer; all zeros: of none */
    bool erased;        /* one of them was a lead's that was erased: sealed is empty; not read when it is put */
    const void *sealed; /* opaque here */
    size_t sealed_len;
};

/* X(NAME, number, word) */
#define LF_EVENT_LIST(X)                       \
    X(SCORE_RECORDED, 0, "score.recorded")     \
    X(GRADE_CHANGED, 1, "score.grade_changed") \
    X(ICP_PUBLISHED, 2, "icp.published")       \
    X(DRIFT_SHIFTED, 3, "drift.shifted")

enum lf_event_type {
#define LF_X(name, number, word) LF_EVENT_##name = number,
    LF_EVENT_LIST(LF_X)
#undef LF_X
        LF_EVENT_COUNT
};

/* An event on its way to one subscription. */
struct lf_new_delivery {
    int64_t subscription_id;
    enum lf_event_type type;
    int64_t at_ms;
    struct lf_ulid score_id; /* all zeros: it is about no score */
    int64_t lane;            /* first attempts of one lane go out in order: of one lead; 0: none */
    const char *data;        /* a JSON object */
    size_t data_len;
};

/* All that one commit records. */
struct lf_recording {
    const struct lf_stored_score *const *scores; /* ids ascend, also from one commit to the next */
    size_t count;
    const struct lf_stored_rollup *rollups; /* each in place of the one there was */
    size_t rollup_count;
    const struct lf_stored_answer *const *answers; /* each in place of the one of that name, which has expired */
    size_t answer_count;
    const struct lf_new_delivery *deliveries; /* in this order */
    size_t delivery_count;
    int64_t *ret_blocks; /* gets the block of each score, ascending; NULL: not wanted */
};

/* Records it in one commit. When it returns LF_OK all is on disk; else nothing is (after STORAGE_FAILED it may be found
 * after a restart). */
enum lf_status
lf_store_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error) LF_MUST_CHECK;

/* ---- answers ---- */

/* The answer of that name; *ret_found false where there is none. */
enum lf_status
lf_store_answer(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
                bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error) LF_MUST_CHECK;

/* Takes away up to `limit` answers of before that moment, the oldest first. */
enum lf_status lf_store_prune_answers(struct lf_store *store, int64_t before_ms, size_t limit, bool *ret_more,
                                      struct lf_error *error) LF_MUST_CHECK;

/* ---- sources ---- */

enum { LF_SOURCE_SECRETS_MAX = 2, LF_SOURCES_MAX = 100, LF_REFUSALS_KEPT = 50 };

struct lf_stored_secret {
    const void *value; /* not empty */
    size_t len;
};

struct lf_stored_source {
    int64_t id; /* not read by a put */
    const char *key;
    const char *document; /* canonical JSON, without secrets */
    size_t document_len;
    struct lf_stored_secret secrets[LF_SOURCE_SECRETS_MAX];
    size_t secret_count;
    int64_t created_at_ms, updated_at_ms; /* a put takes the change's time */
};

/* Puts a source in place of the one of its key, with its secrets. *ret_id is its row. The audit notes source.put with
 * the hashes of the documents. CONFLICT beyond LF_SOURCES_MAX. */
enum lf_status
lf_store_put_source(struct lf_store *store, const struct lf_stored_source *source, const struct lf_change *change,
                    int64_t *ret_id, bool *ret_created, struct lf_error *error) LF_MUST_CHECK;

/* SOURCE_NOT_FOUND. Its secrets and refusals go with it; source.delete. */
enum lf_status lf_store_delete_source(struct lf_store *store, const char *key, const struct lf_change *change,
                                      struct lf_error *error) LF_MUST_CHECK;

/* All of them, by key. */
enum lf_status
lf_store_sources(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_source **ret_sources,
                 size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* A delivery that was refused. All texts are ours: nothing of a body is ever in them. */
struct lf_stored_refusal {
    int64_t at_ms;
    const char *request_id, *code, *pointer, *detail;
    int status;   /* HTTP, as it was answered */
    size_t bytes; /* of the body */
};

/* Puts these in place of all that the source had, newest first; at most LF_REFUSALS_KEPT. A source that is gone
 * meanwhile changes nothing. */
enum lf_status
lf_store_put_refusals(struct lf_store *store, int64_t source_id, const struct lf_stored_refusal *refusals, size_t count,
                      struct lf_error *error) LF_MUST_CHECK;

/* Newest first. */
enum lf_status
lf_store_refusals(struct lf_store_reader *reader, struct lf_arena *arena, int64_t source_id,
                  struct lf_stored_refusal **ret_refusals, size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* ---- subscriptions ---- */

enum lf_subscription_state {
    LF_SUBSCRIPTION_ACTIVE,
    LF_SUBSCRIPTION_PAUSED,   /* nothing is sent; events are gathered */
    LF_SUBSCRIPTION_DISABLED, /* nor gathered */
};

enum { LF_SUBSCRIPTIONS_MAX = 100, LF_SUBSCRIPTION_GRADES_MAX = 27 };

struct lf_stored_subscription {
    int64_t id; /* not read by a put */
    const char *key, *url;
    const void *secret; /* the bytes behind whsec_ */
    size_t secret_len;
    uint32_t events;    /* bits 1 << enum lf_event_type */
    const char *icp;    /* key, "" for all */
    const char *grades; /* a JSON array of names, "[]" for all */
    enum lf_subscription_state state;
    const char *reason;       /* why it is not active, "" else */
    int64_t failing_since_ms; /* 0: the last attempt was none that failed */
    int64_t delivered_at_ms;  /* the last success, 0 for none */
    int64_t created_at_ms, updated_at_ms;
};

/* Puts a subscription in place of the one of its key: active, with no failures (state, reason, the times of failures
 * and deliveries, created_at and updated_at are not read). What waits for it goes on waiting. subscription.put;
 * CONFLICT beyond LF_SUBSCRIPTIONS_MAX. */
enum lf_status lf_store_put_subscription(struct lf_store *store, const struct lf_stored_subscription *subscription,
                                         const struct lf_change *change, int64_t *ret_id, bool *ret_created,
                                         struct lf_error *error) LF_MUST_CHECK;

/* SUBSCRIPTION_NOT_FOUND. Its deliveries are left over, and swept. subscription.delete. */
enum lf_status lf_store_delete_subscription(struct lf_store *store, const char *key, const struct lf_change *change,
                                            struct lf_error *error) LF_MUST_CHECK;

/* Pauses or disables one by itself; the audit notes subscription.pause or .disable. One that is gone changes nothing.
 */
enum lf_status
lf_store_stop_subscription(struct lf_store *store, int64_t id, enum lf_subscription_state state, const char *reason,
                           const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* All of them, by key. */
enum lf_status lf_store_subscriptions(struct lf_store_reader *reader, struct lf_arena *arena,
                                      struct lf_stored_subscription **ret_subscriptions, size_t *ret_count,
                                      struct lf_error *error) LF_MUST_CHECK;

/* ---- the outbox ---- */

enum lf_delivery_state {
    LF_DELIVERY_PENDING,  /* its first attempt has not ended */
    LF_DELIVERY_RETRYING, /* due at due_ms */
    LF_DELIVERY_DELIVERED,
    LF_DELIVERY_FAILED, /* given up; may be retried by hand */
    LF_DELIVERY_ERASED, /* its lead was erased: nothing is left to send */
};

struct lf_stored_delivery {
    int64_t id; /* also its sequence; ids ascend in the order of events, and none comes back */
    int64_t subscription_id;
    enum lf_event_type type;
    int64_t at_ms;
    struct lf_ulid score_id;
    int64_t lane;
    enum lf_delivery_state state;
    int64_t due_ms;       /* of one that is retrying */
    const char *attempts; /* a JSON array, oldest first */
    size_t attempts_len;
    const char *data;
    size_t data_len;
};

/* Which deliveries of a subscription, at most `limit`. */
enum lf_delivery_order {
    LF_DELIVERIES_NEWEST,  /* all, newest first, those with ids below `from` (0: from the newest) */
    LF_DELIVERIES_PENDING, /* the pending ones, oldest first, those with ids above `from` */
    LF_DELIVERIES_DUE,     /* the retrying ones with due_ms <= `from`, the earliest first */
};
enum lf_status lf_store_deliveries(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                                   enum lf_delivery_order order, int64_t from, size_t limit,
                                   struct lf_stored_delivery **ret_deliveries, size_t *ret_count,
                                   struct lf_error *error) LF_MUST_CHECK;

/* One of a subscription's. DELIVERY_NOT_FOUND. */
enum lf_status
lf_store_delivery(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id, int64_t id,
                  struct lf_stored_delivery *ret_delivery, struct lf_error *error) LF_MUST_CHECK;

/* How many are pending or retrying, and when the oldest of them happened (0 for none). */
enum lf_status lf_store_outbox(struct lf_store_reader *reader, int64_t subscription_id, int64_t *ret_waiting,
                               int64_t *ret_oldest_ms, struct lf_error *error) LF_MUST_CHECK;

/* How an attempt ended. */
struct lf_attempt {
    int64_t subscription_id, delivery_id;
    int64_t at_ms;
    int http_status;   /* 0: there was no answer */
    const char *error; /* in our words, "" for none */
    enum lf_delivery_state state;
    int64_t due_ms; /* of one that is retrying */
};

/* Notes attempts in one commit, and of their subscriptions when they last succeeded or since when they fail. Of an
 * erased or swept delivery nothing is noted but that of its subscription; one that has ended meanwhile stays ended, and
 * can still be found delivered. At most LF_ATTEMPTS_KEPT attempts of a delivery are kept, the first and the latest.
 * ret_waited gets of each whether its delivery waited until now (pending or retrying); NULL: not wanted. For
 * lf_subscriptions_note (app/subscriptions.h), which keeps the counts. */
enum { LF_ATTEMPTS_KEPT = 20 };
enum lf_status lf_store_note_attempts(struct lf_store *store, const struct lf_attempt *attempts, size_t count,
                                      bool *ret_waited, struct lf_error *error) LF_MUST_CHECK;

/* Has a delivered, failed or retrying delivery tried again, due at at_ms. DELIVERY_NOT_FOUND; ERASED; a pending one
 * stays as it is. *ret_waited: it waited already. */
enum lf_status lf_store_retry_delivery(struct lf_store *store, int64_t subscription_id, int64_t id, int64_t at_ms,
                                       bool *ret_waited, struct lf_error *error) LF_MUST_CHECK;

/* Has all that waits for a subscription fail with this reason, up to `limit`. */
enum lf_status
lf_store_fail_deliveries(struct lf_store *store, int64_t subscription_id, int64_t at_ms, const char *reason,
                         size_t limit, bool *ret_more, struct lf_error *error) LF_MUST_CHECK;

/* Takes away up to `limit` deliveries: those of subscriptions that are gone; of the others those that have ended, when
 * they happened before before_ms or `keep` newer ones of the subscription there are. */
enum lf_status lf_store_prune_deliveries(struct lf_store *store, int64_t before_ms, size_t keep, size_t limit,
                                         bool *ret_more, struct lf_error *error) LF_MUST_CHECK;

/* ---- what events are about ---- */

/* The grade of a lead's latest score under an ICP, as far as is settled ("DQ" for a disqualified one), in the arena.
 * *ret_known false: the ICP has not scored it. Quick. */
enum lf_status
lf_store_last_grade(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
                    int64_t icp_id, bool *ret_known, const char **ret_grade, struct lf_error *error) LF_MUST_CHECK;

/* The level that was noted for a version; 0 where none was. */
enum lf_status lf_store_drift(struct lf_store_reader *reader, int64_t version_id, int *ret_level,
                              struct lf_error *error) LF_MUST_CHECK;

/* Notes it, with what is told of it, in one commit. */
enum lf_status
lf_store_note_drift(struct lf_store *store, int64_t version_id, int level, int64_t at_ms,
                    const struct lf_new_delivery *deliveries, size_t count, struct lf_error *error) LF_MUST_CHECK;

#endif
