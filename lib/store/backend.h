/*
 * backend.h - what a storage backend fills in: one operation for each verb of store.h and exchange.h, of the same name
 * and meaning.
 *
 * For those who implement a backend, and for tests that bring one of their own; everybody else includes store.h. A
 * backend embeds struct lf_store and struct lf_store_reader as the first member of its own and gets them back. All
 * operations are required: a backend that lacks one is refused when it is opened.
 */
#ifndef LF_STORE_BACKEND_H
#define LF_STORE_BACKEND_H

#include "store/exchange.h"
#include "store/store.h"

#include <stdatomic.h>

struct lf_store {
    const struct lf_store_backend *backend; /* set by lf_store_open_with */
    _Atomic int64_t read_until_ns;          /* lf_store_read_until; 0: for ever */
};

struct lf_store_reader {
    const struct lf_store_backend *backend; /* set by lf_store_reader_open */
    const struct lf_store *store;           /* the same */
};

struct lf_store_backend {
    const char *name; /* for messages */

    enum lf_status (*open)(const struct lf_store_options *options, struct lf_store **ret_store, struct lf_error *error);
    void (*close)(struct lf_store *store);
    enum lf_status (*reader_open)(struct lf_store *store, struct lf_store_reader **ret_reader, struct lf_error *error);
    void (*reader_close)(struct lf_store_reader *reader);

    /* writing */
    enum lf_status (*record)(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error);
    enum lf_status (*settle)(struct lf_store *store, const struct lf_settled_lead *leads, size_t count,
                             const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t settled_block,
                             int64_t rolled_block, struct lf_error *error);
    enum lf_status (*publish)(struct lf_store *store, const struct lf_new_version *version,
                              const struct lf_change *change, int *ret_version, bool *ret_unchanged,
                              struct lf_error *error);
    enum lf_status (*put_draft)(struct lf_store *store, const struct lf_new_draft *draft,
                                const struct lf_precondition *precondition, const struct lf_change *change,
                                char ret_etag[LF_ETAG_MAX], bool *ret_created, struct lf_error *error);
    enum lf_status (*delete_draft)(struct lf_store *store, const char *icp, const struct lf_precondition *precondition,
                                   const struct lf_change *change, struct lf_error *error);
    enum lf_status (*publish_draft)(struct lf_store *store, const char *icp, int version, int64_t version_id,
                                    const struct lf_precondition *precondition, const struct lf_change *change,
                                    struct lf_error *error);
    enum lf_status (*activate)(struct lf_store *store, const char *icp, int version, const struct lf_change *change,
                               bool *ret_unchanged, struct lf_error *error);
    enum lf_status (*set_archived)(struct lf_store *store, const char *icp, bool archived,
                                   const struct lf_change *change, struct lf_error *error);
    enum lf_status (*begin_list)(struct lf_store *store, struct lf_list_state *ret_state, struct lf_error *error);
    enum lf_status (*add_list_entries)(struct lf_store *store, struct lf_list_state *state,
                                       const struct lf_list_entry *entries, size_t count, struct lf_error *error);
    enum lf_status (*put_list)(struct lf_store *store, const char *key, const struct lf_list_state *state,
                               const struct lf_precondition *precondition, const struct lf_change *change,
                               struct lf_arena *arena, struct lf_stored_list *ret_list, bool *ret_created,
                               bool *ret_unchanged, struct lf_error *error);
    enum lf_status (*patch_list)(struct lf_store *store, const char *key, const struct lf_list_entry *add,
                                 size_t add_count, const struct lf_list_entry *remove, size_t remove_count,
                                 const struct lf_precondition *precondition, const struct lf_change *change,
                                 struct lf_arena *arena, struct lf_stored_list *ret_list, size_t *ret_added,
                                 size_t *ret_removed, struct lf_error *error);
    enum lf_status (*delete_list)(struct lf_store *store, const char *key, const struct lf_precondition *precondition,
                                  const struct lf_change *change, struct lf_error *error);
    enum lf_status (*sweep_lists)(struct lf_store *store, size_t limit, int64_t spare, bool *ret_more,
                                  struct lf_error *error);
    enum lf_status (*create_key)(struct lf_store *store, const struct lf_stored_key *key,
                                 const struct lf_change *change, struct lf_error *error);
    enum lf_status (*revoke_key)(struct lf_store *store, const char *id, const struct lf_change *change,
                                 struct lf_error *error);
    enum lf_status (*touch_keys)(struct lf_store *store, const struct lf_key_use *uses, size_t count,
                                 struct lf_error *error);
    enum lf_status (*put_outcomes)(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                                   const struct lf_stored_rollup *rollups, size_t rollup_count, struct lf_error *error);
    enum lf_status (*erase_lead)(struct lf_store *store, const char *lead_id, size_t lead_id_len, size_t blocks,
                                 lf_store_anonymise anonymise, void *context, const struct lf_change *change,
                                 bool *ret_more, struct lf_error *error);
    enum lf_status (*prune)(struct lf_store *store, int64_t before_ms, size_t blocks, bool *ret_more,
                            struct lf_error *error);
    enum lf_status (*checkpoint)(struct lf_store *store, bool truncate, struct lf_error *error);
    enum lf_status (*probe)(struct lf_store *store, struct lf_error *error);

    /* reading */
    enum lf_status (*icps)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
                           size_t *ret_count, struct lf_error *error);
    enum lf_status (*icp)(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                          struct lf_stored_icp *ret_icp, struct lf_error *error);
    enum lf_status (*version)(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                              struct lf_stored_version *ret_version, struct lf_error *error);
    enum lf_status (*version_by_id)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                    struct lf_stored_version *ret_version, struct lf_error *error);
    enum lf_status (*active_versions)(struct lf_store_reader *reader, struct lf_arena *arena,
                                      struct lf_stored_version **ret_versions, size_t *ret_count,
                                      struct lf_error *error);
    enum lf_status (*versions)(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                               struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error);
    enum lf_status (*each_version)(struct lf_store_reader *reader, struct lf_arena *arena,
                                   enum lf_status (*each)(void *context, const struct lf_stored_version *version),
                                   void *context, struct lf_error *error);
    enum lf_status (*draft)(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                            struct lf_stored_draft *ret_draft, struct lf_error *error);
    enum lf_status (*lists)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
                            size_t *ret_count, struct lf_error *error);
    enum lf_status (*list)(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                           struct lf_stored_list *ret_list, struct lf_error *error);
    enum lf_status (*each_list_entry)(struct lf_store_reader *reader, int64_t generation,
                                      enum lf_status (*each)(void *context, const struct lf_list_entry *entry),
                                      void *context, struct lf_error *error);
    enum lf_status (*audit)(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int64_t after,
                            size_t limit, struct lf_audit_entry **ret_entries, size_t *ret_count,
                            struct lf_error *error);
    enum lf_status (*last_audit)(struct lf_store_reader *reader, int64_t *ret_id, struct lf_error *error);
    enum lf_status (*lead)(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                           size_t lead_id_len, struct lf_stored_lead *ret_lead, struct lf_error *error);
    enum lf_status (*knows_lead)(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len,
                                 int64_t icp_id, bool *ret_known, struct lf_error *error);
    enum lf_status (*leads)(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_lead_query *query,
                            struct lf_listed_lead **ret_leads, size_t *ret_count, struct lf_error *error);
    enum lf_status (*each_lead_score)(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                                      size_t lead_id_len, struct lf_ulid before,
                                      enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                      void *context, struct lf_error *error);
    enum lf_status (*each_lead)(struct lf_store_reader *reader, struct lf_arena *arena,
                                enum lf_status (*each)(void *context, const struct lf_stored_lead *lead), void *context,
                                struct lf_error *error);
    enum lf_status (*each_rollup)(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                                  enum lf_rollup_span span, int64_t from_hour, int64_t to_hour,
                                  enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup),
                                  void *context, struct lf_error *error);
    enum lf_status (*hold)(struct lf_store_reader *reader, struct lf_error *error);
    void (*let_go)(struct lf_store_reader *reader);
    enum lf_status (*progress)(struct lf_store_reader *reader, struct lf_store_progress *ret_progress,
                               struct lf_error *error);
    enum lf_status (*hash_key)(struct lf_store_reader *reader, uint8_t ret_key[LF_SHA256_SIZE], struct lf_error *error);
    enum lf_status (*outcome)(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, bool *ret_found,
                              struct lf_stored_outcome *ret_outcome, struct lf_error *error);
    enum lf_status (*keys)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
                           size_t *ret_count, struct lf_error *error);
    enum lf_status (*score)(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
                            struct lf_stored_score *ret_score, struct lf_error *error);
    enum lf_status (*each_score)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t from_ms, int64_t to_ms,
                                 size_t limit,
                                 enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                 void *context, struct lf_error *error);
    enum lf_status (*each_score_behind)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t block,
                                        int64_t last,
                                        enum lf_status (*each)(void *context, int64_t block,
                                                               const struct lf_stored_score *score),
                                        void *context, struct lf_error *error);
    enum lf_status (*last_score)(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count,
                                 struct lf_error *error);
    enum lf_status (*facts)(struct lf_store_reader *reader, struct lf_store_facts *ret_facts, struct lf_error *error);
    enum lf_status (*check)(struct lf_store_reader *reader, bool quick, const atomic_bool *stop,
                            struct lf_findings *findings, struct lf_error *error);
    enum lf_status (*backup)(struct lf_store_reader *reader, const char *target, struct lf_error *error);

    /* exchange.h */
    enum lf_status (*answer)(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
                             bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error);
    enum lf_status (*prune_answers)(struct lf_store *store, int64_t before_ms, size_t limit, bool *ret_more,
                                    struct lf_error *error);
    enum lf_status (*put_source)(struct lf_store *store, const struct lf_stored_source *source,
                                 const struct lf_change *change, int64_t *ret_id, bool *ret_created,
                                 struct lf_error *error);
    enum lf_status (*delete_source)(struct lf_store *store, const char *key, const struct lf_change *change,
                                    struct lf_error *error);
    enum lf_status (*sources)(struct lf_store_reader *reader, struct lf_arena *arena,
                              struct lf_stored_source **ret_sources, size_t *ret_count, struct lf_error *error);
    enum lf_status (*put_refusals)(struct lf_store *store, int64_t source_id, const struct lf_stored_refusal *refusals,
                                   size_t count, struct lf_error *error);
    enum lf_status (*refusals)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t source_id,
                               struct lf_stored_refusal **ret_refusals, size_t *ret_count, struct lf_error *error);
    enum lf_status (*put_subscription)(struct lf_store *store, const struct lf_stored_subscription *subscription,
                                       const struct lf_change *change, int64_t *ret_id, bool *ret_created,
                                       struct lf_error *error);
    enum lf_status (*delete_subscription)(struct lf_store *store, const char *key, const struct lf_change *change,
                                          struct lf_error *error);
    enum lf_status (*stop_subscription)(struct lf_store *store, int64_t id, enum lf_subscription_state state,
                                        const char *reason, const struct lf_change *change, struct lf_error *error);
    enum lf_status (*subscriptions)(struct lf_store_reader *reader, struct lf_arena *arena,
                                    struct lf_stored_subscription **ret_subscriptions, size_t *ret_count,
                                    struct lf_error *error);
    enum lf_status (*deliveries)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                                 enum lf_delivery_order order, int64_t from, size_t limit,
                                 struct lf_stored_delivery **ret_deliveries, size_t *ret_count, struct lf_error *error);
    enum lf_status (*delivery)(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                               int64_t id, struct lf_stored_delivery *ret_delivery, struct lf_error *error);
    enum lf_status (*outbox)(struct lf_store_reader *reader, int64_t subscription_id, int64_t *ret_waiting,
                             int64_t *ret_oldest_ms, struct lf_error *error);
    enum lf_status (*note_attempts)(struct lf_store *store, const struct lf_attempt *attempts, size_t count,
                                    bool *ret_waited, struct lf_error *error);
    enum lf_status (*retry_delivery)(struct lf_store *store, int64_t subscription_id, int64_t id, int64_t at_ms,
                                     bool *ret_waited, struct lf_error *error);
    enum lf_status (*fail_deliveries)(struct lf_store *store, int64_t subscription_id, int64_t at_ms,
                                      const char *reason, size_t limit, bool *ret_more, struct lf_error *error);
    enum lf_status (*prune_deliveries)(struct lf_store *store, int64_t before_ms, size_t keep, size_t limit,
                                       bool *ret_more, struct lf_error *error);
    enum lf_status (*last_grade)(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                                 size_t lead_id_len, int64_t icp_id, bool *ret_known, const char **ret_grade,
                                 struct lf_error *error);
    enum lf_status (*drift)(struct lf_store_reader *reader, int64_t version_id, int *ret_level, struct lf_error *error);
    enum lf_status (*note_drift)(struct lf_store *store, int64_t version_id, int level, int64_t at_ms,
                                 const struct lf_new_delivery *deliveries, size_t count, struct lf_error *error);
};

/* Opens a store with the backend given. INTERNAL when the backend lacks an operation; else as lf_store_open. */
enum lf_status lf_store_open_with(const struct lf_store_backend *backend, const struct lf_store_options *options,
                                  struct lf_store **ret_store, struct lf_error *error) LF_MUST_CHECK;

#endif
