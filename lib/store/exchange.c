/* exchange.c - see exchange.h: hands each verb to the backend, as store.c does. */
#include "store/backend.h"

enum lf_status
lf_store_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    return store->backend->record(store, recording, error);
}

enum lf_status
lf_store_answer(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
                bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error)
{
    return reader->backend->answer(reader, arena, name, ret_found, ret_answer, error);
}

enum lf_status
lf_store_prune_answers(struct lf_store *store, int64_t before_ms, size_t limit, bool *ret_more, struct lf_error *error)
{
    return store->backend->prune_answers(store, before_ms, limit, ret_more, error);
}

enum lf_status
lf_store_put_source(struct lf_store *store, const struct lf_stored_source *source, const struct lf_change *change,
                    int64_t *ret_id, bool *ret_created, struct lf_error *error)
{
    return store->backend->put_source(store, source, change, ret_id, ret_created, error);
}

enum lf_status
lf_store_delete_source(struct lf_store *store, const char *key, const struct lf_change *change, struct lf_error *error)
{
    return store->backend->delete_source(store, key, change, error);
}

enum lf_status
lf_store_sources(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_source **ret_sources,
                 size_t *ret_count, struct lf_error *error)
{
    return reader->backend->sources(reader, arena, ret_sources, ret_count, error);
}

enum lf_status
lf_store_put_refusals(struct lf_store *store, int64_t source_id, const struct lf_stored_refusal *refusals, size_t count,
                      struct lf_error *error)
{
    return store->backend->put_refusals(store, source_id, refusals, count, error);
}

enum lf_status
lf_store_refusals(struct lf_store_reader *reader, struct lf_arena *arena, int64_t source_id,
                  struct lf_stored_refusal **ret_refusals, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->refusals(reader, arena, source_id, ret_refusals, ret_count, error);
}

enum lf_status
lf_store_put_subscription(struct lf_store *store, const struct lf_stored_subscription *subscription,
                          const struct lf_change *change, int64_t *ret_id, bool *ret_created, struct lf_error *error)
{
    return store->backend->put_subscription(store, subscription, change, ret_id, ret_created, error);
}

enum lf_status
lf_store_delete_subscription(struct lf_store *store, const char *key, const struct lf_change *change,
                             struct lf_error *error)
{
    return store->backend->delete_subscription(store, key, change, error);
}

enum lf_status
lf_store_stop_subscription(struct lf_store *store, int64_t id, enum lf_subscription_state state, const char *reason,
                           const struct lf_change *change, struct lf_error *error)
{
    return store->backend->stop_subscription(store, id, state, reason, change, error);
}

enum lf_status
lf_store_subscriptions(struct lf_store_reader *reader, struct lf_arena *arena,
                       struct lf_stored_subscription **ret_subscriptions, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->subscriptions(reader, arena, ret_subscriptions, ret_count, error);
}

enum lf_status
lf_store_deliveries(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                    enum lf_delivery_order order, int64_t from, size_t limit,
                    struct lf_stored_delivery **ret_deliveries, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->deliveries(reader, arena, subscription_id, order, from, limit, ret_deliveries, ret_count,
                                       error);
}

enum lf_status
lf_store_delivery(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id, int64_t id,
                  struct lf_stored_delivery *ret_delivery, struct lf_error *error)
{
    return reader->backend->delivery(reader, arena, subscription_id, id, ret_delivery, error);
}

enum lf_status
lf_store_outbox(struct lf_store_reader *reader, int64_t subscription_id, int64_t *ret_waiting, int64_t *ret_oldest_ms,
                struct lf_error *error)
{
    return reader->backend->outbox(reader, subscription_id, ret_waiting, ret_oldest_ms, error);
}

enum lf_status
lf_store_note_attempts(struct lf_store *store, const struct lf_attempt *attempts, size_t count, bool *ret_waited,
                       struct lf_error *error)
{
    return store->backend->note_attempts(store, attempts, count, ret_waited, error);
}

enum lf_status
lf_store_retry_delivery(struct lf_store *store, int64_t subscription_id, int64_t id, int64_t at_ms, bool *ret_waited,
                        struct lf_error *error)
{
    return store->backend->retry_delivery(store, subscription_id, id, at_ms, ret_waited, error);
}

enum lf_status
lf_store_fail_deliveries(struct lf_store *store, int64_t subscription_id, int64_t at_ms, const char *reason,
                         size_t limit, bool *ret_more, struct lf_error *error)
{
    return store->backend->fail_deliveries(store, subscription_id, at_ms, reason, limit, ret_more, error);
}

enum lf_status
lf_store_prune_deliveries(struct lf_store *store, int64_t before_ms, size_t keep, size_t limit, bool *ret_more,
                          struct lf_error *error)
{
    return store->backend->prune_deliveries(store, before_ms, keep, limit, ret_more, error);
}

enum lf_status
lf_store_last_grade(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
                    int64_t icp_id, bool *ret_known, const char **ret_grade, struct lf_error *error)
{
    return reader->backend->last_grade(reader, arena, lead_id, lead_id_len, icp_id, ret_known, ret_grade, error);
}

enum lf_status
lf_store_drift(struct lf_store_reader *reader, int64_t version_id, int *ret_level, struct lf_error *error)
{
    return reader->backend->drift(reader, version_id, ret_level, error);
}

enum lf_status
lf_store_note_drift(struct lf_store *store, int64_t version_id, int level, int64_t at_ms,
                    const struct lf_new_delivery *deliveries, size_t count, struct lf_error *error)
{
    return store->backend->note_drift(store, version_id, level, at_ms, deliveries, count, error);
}
