/* store.c - see store.h: hands each verb to the backend that the store was opened with. Keeps nothing itself but
 * until when reading may take long. */
#include "store/backend.h"

#include "base/time.h"
#include "store/sqlite/sqlite.h"

static bool
is_complete(const struct lf_store_backend *b)
{
    return b->name != NULL && b->open != NULL && b->close != NULL && b->reader_open != NULL &&
           b->reader_close != NULL && b->record != NULL && b->settle != NULL && b->publish != NULL &&
           b->put_draft != NULL && b->delete_draft != NULL && b->publish_draft != NULL && b->activate != NULL &&
           b->set_archived != NULL && b->begin_list != NULL && b->add_list_entries != NULL && b->put_list != NULL &&
           b->patch_list != NULL && b->delete_list != NULL && b->sweep_lists != NULL && b->create_key != NULL &&
           b->revoke_key != NULL && b->touch_keys != NULL && b->put_outcomes != NULL && b->erase_lead != NULL &&
           b->prune != NULL && b->checkpoint != NULL && b->probe != NULL && b->icps != NULL && b->icp != NULL &&
           b->version != NULL && b->version_by_id != NULL && b->active_versions != NULL && b->versions != NULL &&
           b->each_version != NULL && b->draft != NULL && b->lists != NULL && b->list != NULL &&
           b->each_list_entry != NULL && b->audit != NULL && b->last_audit != NULL && b->lead != NULL &&
           b->knows_lead != NULL && b->leads != NULL && b->each_lead_score != NULL && b->each_lead != NULL &&
           b->each_rollup != NULL && b->hold != NULL && b->let_go != NULL && b->progress != NULL &&
           b->hash_key != NULL && b->outcome != NULL && b->keys != NULL && b->score != NULL && b->each_score != NULL &&
           b->each_score_behind != NULL && b->last_score != NULL && b->facts != NULL && b->check != NULL &&
           b->backup != NULL && b->answer != NULL && b->prune_answers != NULL && b->put_source != NULL &&
           b->delete_source != NULL && b->sources != NULL && b->put_refusals != NULL && b->refusals != NULL &&
           b->put_subscription != NULL && b->delete_subscription != NULL && b->stop_subscription != NULL &&
           b->subscriptions != NULL && b->deliveries != NULL && b->delivery != NULL && b->outbox != NULL &&
           b->note_attempts != NULL && b->retry_delivery != NULL && b->fail_deliveries != NULL &&
           b->prune_deliveries != NULL && b->last_grade != NULL && b->drift != NULL && b->note_drift != NULL;
}

enum lf_status
lf_store_open_with(const struct lf_store_backend *backend, const struct lf_store_options *options,
                   struct lf_store **ret_store, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (!is_complete(backend))
        return lf_fail(error, LF_INTERNAL, "the storage backend lacks an operation");
    status = backend->open(options, ret_store, error);
    if (status == LF_OK)
        (*ret_store)->backend = backend;
    return status;
}

enum lf_status
lf_store_open(const struct lf_store_options *options, struct lf_store **ret_store, struct lf_error *error)
{
    return lf_store_open_with(&LF_SQLITE_BACKEND, options, ret_store, error);
}

void
lf_store_close(struct lf_store *store)
{
    if (store != NULL)
        store->backend->close(store);
}

enum lf_status
lf_store_reader_open(struct lf_store *store, struct lf_store_reader **ret_reader, struct lf_error *error)
{
    enum lf_status status = store->backend->reader_open(store, ret_reader, error);

    if (status == LF_OK) {
        (*ret_reader)->backend = store->backend;
        (*ret_reader)->store = store;
    }
    return status;
}

void
lf_store_read_until(struct lf_store *store, int64_t monotonic_ns)
{
    atomic_store(&store->read_until_ns, monotonic_ns);
}

void
lf_store_reader_close(struct lf_store_reader *reader)
{
    if (reader != NULL)
        reader->backend->reader_close(reader);
}

enum lf_status
lf_store_append_scores(struct lf_store *store, const struct lf_stored_score *const *scores, size_t count,
                       const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t *ret_blocks,
                       struct lf_error *error)
{
    const struct lf_recording recording = {
        .scores = scores, .count = count, .rollups = rollups, .rollup_count = rollup_count, .ret_blocks = ret_blocks};

    return store->backend->record(store, &recording, error);
}

enum lf_status
lf_store_settle(struct lf_store *store, const struct lf_settled_lead *leads, size_t count,
                const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t settled_block,
                int64_t rolled_block, struct lf_error *error)
{
    return store->backend->settle(store, leads, count, rollups, rollup_count, settled_block, rolled_block, error);
}

enum lf_status
lf_store_publish(struct lf_store *store, const struct lf_new_version *version, const struct lf_change *change,
                 int *ret_version, bool *ret_unchanged, struct lf_error *error)
{
    return store->backend->publish(store, version, change, ret_version, ret_unchanged, error);
}

enum lf_status
lf_store_put_draft(struct lf_store *store, const struct lf_new_draft *draft, const struct lf_precondition *precondition,
                   const struct lf_change *change, char ret_etag[LF_ETAG_MAX], bool *ret_created,
                   struct lf_error *error)
{
    return store->backend->put_draft(store, draft, precondition, change, ret_etag, ret_created, error);
}

enum lf_status
lf_store_delete_draft(struct lf_store *store, const char *icp, const struct lf_precondition *precondition,
                      const struct lf_change *change, struct lf_error *error)
{
    return store->backend->delete_draft(store, icp, precondition, change, error);
}

enum lf_status
lf_store_publish_draft(struct lf_store *store, const char *icp, int version, int64_t version_id,
                       const struct lf_precondition *precondition, const struct lf_change *change,
                       struct lf_error *error)
{
    return store->backend->publish_draft(store, icp, version, version_id, precondition, change, error);
}

enum lf_status
lf_store_activate(struct lf_store *store, const char *icp, int version, const struct lf_change *change,
                  bool *ret_unchanged, struct lf_error *error)
{
    return store->backend->activate(store, icp, version, change, ret_unchanged, error);
}

enum lf_status
lf_store_set_archived(struct lf_store *store, const char *icp, bool archived, const struct lf_change *change,
                      struct lf_error *error)
{
    return store->backend->set_archived(store, icp, archived, change, error);
}

enum lf_status
lf_store_begin_list(struct lf_store *store, struct lf_list_state *ret_state, struct lf_error *error)
{
    return store->backend->begin_list(store, ret_state, error);
}

enum lf_status
lf_store_add_list_entries(struct lf_store *store, struct lf_list_state *state, const struct lf_list_entry *entries,
                          size_t count, struct lf_error *error)
{
    return store->backend->add_list_entries(store, state, entries, count, error);
}

enum lf_status
lf_store_put_list(struct lf_store *store, const char *key, const struct lf_list_state *state,
                  const struct lf_precondition *precondition, const struct lf_change *change, struct lf_arena *arena,
                  struct lf_stored_list *ret_list, bool *ret_created, bool *ret_unchanged, struct lf_error *error)
{
    return store->backend->put_list(store, key, state, precondition, change, arena, ret_list, ret_created,
                                    ret_unchanged, error);
}

enum lf_status
lf_store_patch_list(struct lf_store *store, const char *key, const struct lf_list_entry *add, size_t add_count,
                    const struct lf_list_entry *remove, size_t remove_count, const struct lf_precondition *precondition,
                    const struct lf_change *change, struct lf_arena *arena, struct lf_stored_list *ret_list,
                    size_t *ret_added, size_t *ret_removed, struct lf_error *error)
{
    return store->backend->patch_list(store, key, add, add_count, remove, remove_count, precondition, change, arena,
                                      ret_list, ret_added, ret_removed, error);
}

enum lf_status
lf_store_delete_list(struct lf_store *store, const char *key, const struct lf_precondition *precondition,
                     const struct lf_change *change, struct lf_error *error)
{
    return store->backend->delete_list(store, key, precondition, change, error);
}

enum lf_status
lf_store_sweep_lists(struct lf_store *store, size_t limit, int64_t spare, bool *ret_more, struct lf_error *error)
{
    return store->backend->sweep_lists(store, limit, spare, ret_more, error);
}

enum lf_status
lf_store_create_key(struct lf_store *store, const struct lf_stored_key *key, const struct lf_change *change,
                    struct lf_error *error)
{
    return store->backend->create_key(store, key, change, error);
}

enum lf_status
lf_store_revoke_key(struct lf_store *store, const char *id, const struct lf_change *change, struct lf_error *error)
{
    return store->backend->revoke_key(store, id, change, error);
}

enum lf_status
lf_store_touch_keys(struct lf_store *store, const struct lf_key_use *uses, size_t count, struct lf_error *error)
{
    return store->backend->touch_keys(store, uses, count, error);
}

enum lf_status
lf_store_put_outcomes(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                      const struct lf_stored_rollup *rollups, size_t rollup_count, struct lf_error *error)
{
    return store->backend->put_outcomes(store, outcomes, count, rollups, rollup_count, error);
}

enum lf_status
lf_store_erase_lead(struct lf_store *store, const char *lead_id, size_t lead_id_len, size_t blocks,
                    lf_store_anonymise anonymise, void *context, const struct lf_change *change, bool *ret_more,
                    struct lf_error *error)
{
    return store->backend->erase_lead(store, lead_id, lead_id_len, blocks, anonymise, context, change, ret_more, error);
}

enum lf_status
lf_store_prune(struct lf_store *store, int64_t before_ms, size_t blocks, bool *ret_more, struct lf_error *error)
{
    return store->backend->prune(store, before_ms, blocks, ret_more, error);
}

enum lf_status
lf_store_checkpoint(struct lf_store *store, bool truncate, struct lf_error *error)
{
    return store->backend->checkpoint(store, truncate, error);
}

enum lf_status
lf_store_probe(struct lf_store *store, struct lf_error *error)
{
    return store->backend->probe(store, error);
}

enum lf_status
lf_store_icps(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
              size_t *ret_count, struct lf_error *error)
{
    return reader->backend->icps(reader, arena, ret_icps, ret_count, error);
}

enum lf_status
lf_store_icp(struct lf_store_reader *reader, struct lf_arena *arena, const char *key, struct lf_stored_icp *ret_icp,
             struct lf_error *error)
{
    return reader->backend->icp(reader, arena, key, ret_icp, error);
}

enum lf_status
lf_store_version(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                 struct lf_stored_version *ret_version, struct lf_error *error)
{
    return reader->backend->version(reader, arena, icp, version, ret_version, error);
}

enum lf_status
lf_store_version_by_id(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                       struct lf_stored_version *ret_version, struct lf_error *error)
{
    return reader->backend->version_by_id(reader, arena, id, ret_version, error);
}

enum lf_status
lf_store_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                         struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->active_versions(reader, arena, ret_versions, ret_count, error);
}

enum lf_status
lf_store_versions(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                  struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->versions(reader, arena, icp, ret_versions, ret_count, error);
}

enum lf_status
lf_store_each_version(struct lf_store_reader *reader, struct lf_arena *arena,
                      enum lf_status (*each)(void *context, const struct lf_stored_version *version), void *context,
                      struct lf_error *error)
{
    return reader->backend->each_version(reader, arena, each, context, error);
}

enum lf_status
lf_store_draft(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
               struct lf_stored_draft *ret_draft, struct lf_error *error)
{
    return reader->backend->draft(reader, arena, icp, ret_draft, error);
}

enum lf_status
lf_store_lists(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
               size_t *ret_count, struct lf_error *error)
{
    return reader->backend->lists(reader, arena, ret_lists, ret_count, error);
}

enum lf_status
lf_store_list(struct lf_store_reader *reader, struct lf_arena *arena, const char *key, struct lf_stored_list *ret_list,
              struct lf_error *error)
{
    return reader->backend->list(reader, arena, key, ret_list, error);
}

enum lf_status
lf_store_each_list_entry(struct lf_store_reader *reader, int64_t generation,
                         enum lf_status (*each)(void *context, const struct lf_list_entry *entry), void *context,
                         struct lf_error *error)
{
    return reader->backend->each_list_entry(reader, generation, each, context, error);
}

enum lf_status
lf_store_audit(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int64_t after, size_t limit,
               struct lf_audit_entry **ret_entries, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->audit(reader, arena, icp, after, limit, ret_entries, ret_count, error);
}

enum lf_status
lf_store_last_audit(struct lf_store_reader *reader, int64_t *ret_id, struct lf_error *error)
{
    return reader->backend->last_audit(reader, ret_id, error);
}

enum lf_status
lf_store_lead(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
              struct lf_stored_lead *ret_lead, struct lf_error *error)
{
    return reader->backend->lead(reader, arena, lead_id, lead_id_len, ret_lead, error);
}

enum lf_status
lf_store_knows_lead(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, int64_t icp_id,
                    bool *ret_known, struct lf_error *error)
{
    return reader->backend->knows_lead(reader, lead_id, lead_id_len, icp_id, ret_known, error);
}

enum lf_status
lf_store_leads(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_lead_query *query,
               struct lf_listed_lead **ret_leads, size_t *ret_count, struct lf_error *error)
{
    return reader->backend->leads(reader, arena, query, ret_leads, ret_count, error);
}

enum lf_status
lf_store_each_lead(struct lf_store_reader *reader, struct lf_arena *arena,
                   enum lf_status (*each)(void *context, const struct lf_stored_lead *lead), void *context,
                   struct lf_error *error)
{
    return reader->backend->each_lead(reader, arena, each, context, error);
}

enum lf_status
lf_store_each_rollup(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                     enum lf_rollup_span span, int64_t from_hour, int64_t to_hour,
                     enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup), void *context,
                     struct lf_error *error)
{
    return reader->backend->each_rollup(reader, version_id, kind, span, from_hour, to_hour, each, context, error);
}

enum lf_status
lf_store_hold(struct lf_store_reader *reader, struct lf_error *error)
{
    return reader->backend->hold(reader, error);
}

void
lf_store_let_go(struct lf_store_reader *reader)
{
    reader->backend->let_go(reader);
}

enum lf_status
lf_store_progress(struct lf_store_reader *reader, struct lf_store_progress *ret_progress, struct lf_error *error)
{
    return reader->backend->progress(reader, ret_progress, error);
}

enum lf_status
lf_store_hash_key(struct lf_store_reader *reader, uint8_t ret_key[LF_SHA256_SIZE], struct lf_error *error)
{
    return reader->backend->hash_key(reader, ret_key, error);
}

enum lf_status
lf_store_outcome(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, bool *ret_found,
                 struct lf_stored_outcome *ret_outcome, struct lf_error *error)
{
    return reader->backend->outcome(reader, lead_id, lead_id_len, ret_found, ret_outcome, error);
}

enum lf_status
lf_store_keys(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
              size_t *ret_count, struct lf_error *error)
{
    return reader->backend->keys(reader, arena, ret_keys, ret_count, error);
}

enum lf_status
lf_store_score(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
               struct lf_stored_score *ret_score, struct lf_error *error)
{
    return reader->backend->score(reader, arena, id, ret_score, error);
}

/* Reading scores, as long as there is time. */
struct bounded {
    const struct lf_store *store;
    enum lf_status (*each)(void *context, const struct lf_stored_score *score);
    enum lf_status (*each_behind)(void *context, int64_t block, const struct lf_stored_score *score);
    void *context;
    struct lf_error *error;
};

static enum lf_status
in_time(const struct bounded *bounded)
{
    int64_t until_ns = atomic_load_explicit(&bounded->store->read_until_ns, memory_order_relaxed);

    if (until_ns != 0 && lf_time_monotonic_ns() >= until_ns)
        return lf_fail(bounded->error, LF_NOT_READY, "the service is stopping, and there are many scores to read");
    return LF_OK;
}

static enum lf_status
each_in_time(void *context, const struct lf_stored_score *score)
{
    struct bounded *bounded = context;
    enum lf_status status = in_time(bounded);

    return status != LF_OK ? status : bounded->each(bounded->context, score);
}

static enum lf_status
each_behind_in_time(void *context, int64_t block, const struct lf_stored_score *score)
{
    struct bounded *bounded = context;
    enum lf_status status = in_time(bounded);

    return status != LF_OK ? status : bounded->each_behind(bounded->context, block, score);
}

enum lf_status
lf_store_each_score(struct lf_store_reader *reader, struct lf_arena *arena, int64_t from_ms, int64_t to_ms,
                    size_t limit, enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                    void *context, struct lf_error *error)
{
    struct bounded bounded = {.store = reader->store, .each = each, .context = context, .error = error};

    return reader->backend->each_score(reader, arena, from_ms, to_ms, limit, each_in_time, &bounded, error);
}

enum lf_status
lf_store_each_lead_score(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                         size_t lead_id_len, struct lf_ulid before,
                         enum lf_status (*each)(void *context, const struct lf_stored_score *score), void *context,
                         struct lf_error *error)
{
    struct bounded bounded = {.store = reader->store, .each = each, .context = context, .error = error};

    return reader->backend->each_lead_score(reader, arena, lead_id, lead_id_len, before, each_in_time, &bounded, error);
}

enum lf_status
lf_store_each_score_behind(struct lf_store_reader *reader, struct lf_arena *arena, int64_t block, int64_t last,
                           enum lf_status (*each)(void *context, int64_t block, const struct lf_stored_score *score),
                           void *context, struct lf_error *error)
{
    struct bounded bounded = {.store = reader->store, .each_behind = each, .context = context, .error = error};

    return reader->backend->each_score_behind(reader, arena, block, last, each_behind_in_time, &bounded, error);
}

enum lf_status
lf_store_last_score(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count, struct lf_error *error)
{
    return reader->backend->last_score(reader, ret_id, ret_count, error);
}

enum lf_status
lf_store_facts(struct lf_store_reader *reader, struct lf_store_facts *ret_facts, struct lf_error *error)
{
    return reader->backend->facts(reader, ret_facts, error);
}

enum lf_status
lf_store_check(struct lf_store_reader *reader, bool quick, const atomic_bool *stop, struct lf_findings *findings,
               struct lf_error *error)
{
    return reader->backend->check(reader, quick, stop, findings, error);
}

enum lf_status
lf_store_backup(struct lf_store_reader *reader, const char *target, struct lf_error *error)
{
    return reader->backend->backup(reader, target, error);
}
