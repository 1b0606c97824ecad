/*
 * internal.h - what the files of the SQLite backend share: the store and reader behind store.h's opaque types, and the
 * operations each file gives to the table in sqlite.c.
 */
#ifndef LF_STORE_SQLITE_INTERNAL_H
#define LF_STORE_SQLITE_INTERNAL_H

#include "base/embedded.h"
#include "store/backend.h"
#include "store/block.h"
#include "store/precondition.h"
#include "store/sqlite/connection.h"

struct lf_sqlite_store {
    struct lf_store base;
    char *path; /* absolute, without symbolic links: whoever opens the same file finds the same lock */
    bool read_only;
    int lock; /* descriptor of the lock file, -1 when read_only */

    /* The writing side, unused when read_only. */
    struct lf_connection writer;
    struct lf_block_writer block; /* the block being built; its memory stays */
    int64_t last_block;           /* the greatest id that a block ever had */
    struct lf_ulid last_id;       /* of the newest score, all zeros for none */
    int64_t position;             /* scores ever recorded */
    int64_t page_size;            /* bytes */
    int wal_pages;                /* in the WAL after the last commit */
    int wal_pages_tried;          /* of these, there when a checkpoint was last tried */
};

struct lf_sqlite_reader {
    struct lf_store_reader base;
    struct lf_connection connection;
};

/* The connection that writes, with `doing` noted; NULL and an error for a store that is read_only. */
struct lf_connection *lf_sqlite_writer(struct lf_store *store, const char *doing, struct lf_error *error);

/* The reader's connection, with `doing` noted. */
struct lf_connection *lf_sqlite_reader(struct lf_store_reader *reader, const char *doing);

/* ---- migrate.c ---- */

enum { LF_SQLITE_APPLICATION_ID = 0x4C464954 /* "LFIT", in the file's header */ };

/* Refuses a file that is no database (STORAGE_CORRUPT), not one of ours (FILE), or a newer one (STORAGE_NEWER), before
 * anything is changed in it. */
enum lf_status lf_sqlite_recognise(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* Brings the schema up to that of this program, in one transaction. */
enum lf_status lf_sqlite_migrate(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* The same for the migrations given (the first `count` of the list); for tests. */
enum lf_status lf_sqlite_migrate_to(struct lf_connection *connection, const struct lf_embedded *migrations,
                                    size_t count, struct lf_error *error) LF_MUST_CHECK;

/* Whether the schema is just this program's; for a store that is read_only. */
enum lf_status lf_sqlite_schema_fits(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;

/* ---- audit.c ---- */

/* What the audit keeps of a change, besides who, when and why. */
struct lf_sqlite_trace {
    const char *action;            /* "publish", "list.patch", ... */
    const char *icp;               /* key, "" where it is about something else */
    const char *subject;           /* the ICP's, list's or API key's key */
    int version;                   /* 0 where there is none */
    const uint8_t *before, *after; /* hashes, NULL for none */
};

/* Adds an entry behind the last one. Within the transaction of the change. */
enum lf_status lf_sqlite_add_trace(struct lf_connection *connection, const struct lf_sqlite_trace *trace,
                                   const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* Looks the whole chain over; what is wrong goes into findings. */
enum lf_status lf_sqlite_check_audit(struct lf_connection *connection, const atomic_bool *stop,
                                     struct lf_findings *findings, struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_sqlite_audit(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int64_t after, size_t limit,
                struct lf_audit_entry **ret_entries, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_last_audit(struct lf_store_reader *reader, int64_t *ret_id, struct lf_error *error);

/* ---- scores.c ---- */

/* Reads where recording goes on: last_block, last_id and position. */
enum lf_status lf_sqlite_load_end(struct lf_sqlite_store *store, struct lf_error *error) LF_MUST_CHECK;

/* Finds the last block that begins at or before the id; *ret_block is 0 where all begin behind it. Within a
 * transaction. */
enum lf_status lf_sqlite_find_block(struct lf_connection *connection, struct lf_ulid id, int64_t *ret_block,
                                    struct lf_error *error) LF_MUST_CHECK;

/* STORAGE_CORRUPT, with what is wrong. */
enum lf_status lf_sqlite_block_damaged(const struct lf_connection *connection, int64_t block, const char *fault,
                                       struct lf_error *error);

enum lf_status lf_sqlite_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error);
enum lf_status lf_sqlite_score(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
                               struct lf_stored_score *ret_score, struct lf_error *error);
enum lf_status
lf_sqlite_each_score(struct lf_store_reader *reader, struct lf_arena *arena, int64_t from_ms, int64_t to_ms,
                     size_t limit, enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                     void *context, struct lf_error *error);
enum lf_status lf_sqlite_last_score(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count,
                                    struct lf_error *error);

/* ---- icps.c ---- */

/* An ICP as a change finds it. */
struct lf_sqlite_icp {
    int64_t id; /* 0: there is none */
    bool archived;
    int active, newest;                  /* versions, 0 for none */
    int64_t next_version_id;             /* what the next version of any ICP will be known by */
    uint8_t active_hash[LF_SHA256_SIZE]; /* where active > 0 */
};

/* Reads it. Within the transaction. */
enum lf_status lf_sqlite_load_icp(struct lf_connection *connection, const char *key, struct lf_sqlite_icp *ret_icp,
                                  struct lf_error *error) LF_MUST_CHECK;

/* Makes an ICP without any version; *ret_id is its row. Within the transaction. */
enum lf_status lf_sqlite_make_icp(struct lf_connection *connection, const char *key, int64_t at_ms, int64_t *ret_id,
                                  struct lf_error *error) LF_MUST_CHECK;

/* Adds the next version, makes it the active one, and leaves a trace. Within the transaction. */
enum lf_status lf_sqlite_add_version(struct lf_connection *connection, const struct lf_sqlite_icp *icp,
                                     const struct lf_new_version *version, const struct lf_change *change,
                                     struct lf_error *error) LF_MUST_CHECK;

/* Fail with ICP_NOT_FOUND, ICP_ARCHIVED. */
enum lf_status lf_sqlite_no_icp(const char *key, struct lf_error *error);
enum lf_status lf_sqlite_icp_is_archived(const char *key, struct lf_error *error);

enum lf_status
lf_sqlite_publish(struct lf_store *store, const struct lf_new_version *version, const struct lf_change *change,
                  int *ret_version, bool *ret_unchanged, struct lf_error *error);
enum lf_status lf_sqlite_activate(struct lf_store *store, const char *icp, int version, const struct lf_change *change,
                                  bool *ret_unchanged, struct lf_error *error);
enum lf_status lf_sqlite_set_archived(struct lf_store *store, const char *icp, bool archived,
                                      const struct lf_change *change, struct lf_error *error);
enum lf_status lf_sqlite_icps(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
                              size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_icp(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                             struct lf_stored_icp *ret_icp, struct lf_error *error);
enum lf_status lf_sqlite_version(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                                 struct lf_stored_version *ret_version, struct lf_error *error);
enum lf_status lf_sqlite_version_by_id(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                       struct lf_stored_version *ret_version, struct lf_error *error);
enum lf_status
lf_sqlite_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                          struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_versions(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                                  struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_each_version(struct lf_store_reader *reader, struct lf_arena *arena,
                                      enum lf_status (*each)(void *context, const struct lf_stored_version *version),
                                      void *context, struct lf_error *error);

/* ---- drafts.c ---- */

enum lf_status lf_sqlite_put_draft(struct lf_store *store, const struct lf_new_draft *draft,
                                   const struct lf_precondition *precondition, const struct lf_change *change,
                                   char ret_etag[LF_ETAG_MAX], bool *ret_created, struct lf_error *error);
enum lf_status
lf_sqlite_delete_draft(struct lf_store *store, const char *icp, const struct lf_precondition *precondition,
                       const struct lf_change *change, struct lf_error *error);
enum lf_status lf_sqlite_publish_draft(struct lf_store *store, const char *icp, int version, int64_t version_id,
                                       const struct lf_precondition *precondition, const struct lf_change *change,
                                       struct lf_error *error);
enum lf_status lf_sqlite_draft(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                               struct lf_stored_draft *ret_draft, struct lf_error *error);

/* ---- functions.c ---- */

/* The functions of SQL that migrations use: leadfit_fold(text), leadfit_list_hash(text); and without them again. */
enum lf_status lf_sqlite_add_list_functions(struct lf_connection *connection, struct lf_error *error) LF_MUST_CHECK;
void lf_sqlite_drop_list_functions(struct lf_connection *connection);

/* ---- list_items.c ---- */

/* Adds an entry to a generation, or takes one out, and brings count and hash up to date; *ret_changed false: it was
 * there already, or not there. Within the transaction. */
enum lf_status
lf_sqlite_add_list_item(struct lf_connection *connection, struct lf_list_state *state,
                        const struct lf_list_entry *entry, bool *ret_changed, struct lf_error *error) LF_MUST_CHECK;
enum lf_status
lf_sqlite_remove_list_item(struct lf_connection *connection, struct lf_list_state *state,
                           const struct lf_list_entry *entry, bool *ret_changed, struct lf_error *error) LF_MUST_CHECK;

/* CONFLICT when these are more than a list holds. */
enum lf_status
lf_sqlite_list_has_room(const char *key, const struct lf_list_state *state, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_begin_list(struct lf_store *store, struct lf_list_state *ret_state, struct lf_error *error);
enum lf_status lf_sqlite_add_list_entries(struct lf_store *store, struct lf_list_state *state,
                                          const struct lf_list_entry *entries, size_t count, struct lf_error *error);
enum lf_status
lf_sqlite_sweep_lists(struct lf_store *store, size_t limit, int64_t spare, bool *ret_more, struct lf_error *error);
enum lf_status lf_sqlite_each_list_entry(struct lf_store_reader *reader, int64_t generation,
                                         enum lf_status (*each)(void *context, const struct lf_list_entry *entry),
                                         void *context, struct lf_error *error);

/* ---- lists.c ---- */

/* Holds each list's number of entries and hash against its entries; what is wrong goes into findings. */
enum lf_status lf_sqlite_check_lists(struct lf_connection *connection, const atomic_bool *stop,
                                     struct lf_findings *findings, struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_sqlite_put_list(struct lf_store *store, const char *key, const struct lf_list_state *state,
                   const struct lf_precondition *precondition, const struct lf_change *change, struct lf_arena *arena,
                   struct lf_stored_list *ret_list, bool *ret_created, bool *ret_unchanged, struct lf_error *error);
enum lf_status
lf_sqlite_patch_list(struct lf_store *store, const char *key, const struct lf_list_entry *add, size_t add_count,
                     const struct lf_list_entry *remove, size_t remove_count,
                     const struct lf_precondition *precondition, const struct lf_change *change, struct lf_arena *arena,
                     struct lf_stored_list *ret_list, size_t *ret_added, size_t *ret_removed, struct lf_error *error);
enum lf_status
lf_sqlite_delete_list(struct lf_store *store, const char *key, const struct lf_precondition *precondition,
                      const struct lf_change *change, struct lf_error *error);
enum lf_status lf_sqlite_lists(struct lf_store_reader *reader, struct lf_arena *arena,
                               struct lf_stored_list **ret_lists, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_list(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                              struct lf_stored_list *ret_list, struct lf_error *error);

/* ---- score_walk.c, lead_scores.c ---- */

/* STORAGE_CORRUPT for a row of table lead_blocks. */
enum lf_status lf_sqlite_lead_blocks_damaged(const struct lf_connection *connection, struct lf_error *error);

enum lf_status
lf_sqlite_each_score_behind(struct lf_store_reader *reader, struct lf_arena *arena, int64_t block, int64_t last,
                            enum lf_status (*each)(void *context, int64_t block, const struct lf_stored_score *score),
                            void *context, struct lf_error *error);
enum lf_status lf_sqlite_each_lead_score(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                                         size_t lead_id_len, struct lf_ulid before,
                                         enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                         void *context, struct lf_error *error);
enum lf_status lf_sqlite_each_lead(struct lf_store_reader *reader, struct lf_arena *arena,
                                   enum lf_status (*each)(void *context, const struct lf_stored_lead *lead),
                                   void *context, struct lf_error *error);

/* ---- erase.c, prune.c ---- */

/* Takes the blocks up to `last` from those of the lead in row `lead`. Within the transaction. */
enum lf_status lf_sqlite_drop_lead_blocks(struct lf_connection *connection, int64_t lead, int64_t last,
                                          struct lf_error *error) LF_MUST_CHECK;

/* Runs a statement about the lead in row `lead` (?1) that gives no rows. */
enum lf_status lf_sqlite_run_for_lead(struct lf_connection *connection, enum lf_sql which, int64_t lead,
                                      struct lf_error *error) LF_MUST_CHECK;

/* Whether such a statement gives a row. */
enum lf_status lf_sqlite_lead_has(struct lf_connection *connection, enum lf_sql which, int64_t lead, bool *ret_has,
                                  struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_erase_lead(struct lf_store *store, const char *lead_id, size_t lead_id_len, size_t blocks,
                                    lf_store_anonymise anonymise, void *context, const struct lf_change *change,
                                    bool *ret_more, struct lf_error *error);
enum lf_status
lf_sqlite_prune(struct lf_store *store, int64_t before_ms, size_t blocks, bool *ret_more, struct lf_error *error);

/* ---- settle.c, leads.c, lead_list.c ---- */

/* Finds the lead's row in table lead; *ret_lead is 0 without one. */
enum lf_status lf_sqlite_find_lead(struct lf_connection *connection, const char *lead_id, size_t lead_id_len,
                                   int64_t *ret_lead, struct lf_error *error) LF_MUST_CHECK;

/* The present row, which has the columns of LF_SQL_LEAD_SCORE_COLUMNS first; texts and result go into the arena. */
enum lf_status
lf_sqlite_read_lead_score(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
                          struct lf_stored_lead_score *ret_score, struct lf_error *error) LF_MUST_CHECK;

/* All scores of the lead in row `lead`, by ICP's key, then version. Within a transaction. */
enum lf_status lf_sqlite_read_lead_scores(struct lf_connection *connection, struct lf_arena *arena, int64_t lead,
                                          struct lf_stored_lead_score **ret_scores, size_t *ret_count,
                                          struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_settle(struct lf_store *store, const struct lf_settled_lead *leads, size_t count,
                                const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t settled_block,
                                int64_t rolled_block, struct lf_error *error);
enum lf_status lf_sqlite_lead(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                              size_t lead_id_len, struct lf_stored_lead *ret_lead, struct lf_error *error);
enum lf_status lf_sqlite_knows_lead(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len,
                                    int64_t icp_id, bool *ret_known, struct lf_error *error);
enum lf_status
lf_sqlite_last_grade(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id, size_t lead_id_len,
                     int64_t icp_id, bool *ret_known, const char **ret_grade, struct lf_error *error);
enum lf_status
lf_sqlite_leads(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_lead_query *query,
                struct lf_listed_lead **ret_leads, size_t *ret_count, struct lf_error *error);

/* ---- rollups.c ---- */

/* Puts roll-ups, each in place of the one there was. Within the transaction. */
enum lf_status lf_sqlite_put_rollups(struct lf_connection *connection, const struct lf_stored_rollup *rollups,
                                     size_t count, struct lf_error *error) LF_MUST_CHECK;

/* A number of table meta, and raising it; it never goes back. */
enum lf_status lf_sqlite_meta(struct lf_connection *connection, const char *name, int64_t *ret_value,
                              struct lf_error *error) LF_MUST_CHECK;
enum lf_status lf_sqlite_raise_meta(struct lf_connection *connection, const char *name, int64_t value,
                                    struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_each_rollup(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                                     enum lf_rollup_span span, int64_t from_hour, int64_t to_hour,
                                     enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup),
                                     void *context, struct lf_error *error);
enum lf_status
lf_sqlite_progress(struct lf_store_reader *reader, struct lf_store_progress *ret_progress, struct lf_error *error);
enum lf_status
lf_sqlite_hash_key(struct lf_store_reader *reader, uint8_t ret_key[LF_SHA256_SIZE], struct lf_error *error);

/* ---- keys.c, outcomes.c ---- */

/* What the present row says of a lead's outcome: outcome, value and outcome_at_ms from `column` on. *ret_has false, and
 * all zeros, where nobody has said. */
enum lf_status
lf_sqlite_read_outcome(const struct lf_connection *connection, sqlite3_stmt *statement, int column, bool *ret_has,
                       struct lf_stored_outcome *ret_outcome, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_create_key(struct lf_store *store, const struct lf_stored_key *key,
                                    const struct lf_change *change, struct lf_error *error);
enum lf_status
lf_sqlite_revoke_key(struct lf_store *store, const char *id, const struct lf_change *change, struct lf_error *error);
enum lf_status
lf_sqlite_touch_keys(struct lf_store *store, const struct lf_key_use *uses, size_t count, struct lf_error *error);
enum lf_status lf_sqlite_keys(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
                              size_t *ret_count, struct lf_error *error);
enum lf_status
lf_sqlite_put_outcomes(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                       const struct lf_stored_rollup *rollups, size_t rollup_count, struct lf_error *error);
enum lf_status lf_sqlite_outcome(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len,
                                 bool *ret_found, struct lf_stored_outcome *ret_outcome, struct lf_error *error);

/* ---- check_leads.c, check.c, backup.c ---- */

/* Holds each lead's latest scores against one another, and its blocks against those there are; what is wrong goes into
 * findings. */
enum lf_status lf_sqlite_check_leads(struct lf_connection *connection, const atomic_bool *stop,
                                     struct lf_findings *findings, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_sqlite_check(struct lf_store_reader *reader, bool quick, const atomic_bool *stop,
                               struct lf_findings *findings, struct lf_error *error);
enum lf_status lf_sqlite_backup(struct lf_store_reader *reader, const char *target, struct lf_error *error);

/* ---- facts.c ---- */

enum lf_status
lf_sqlite_facts(struct lf_store_reader *reader, struct lf_store_facts *ret_facts, struct lf_error *error);

/* Flushes the directory that a file lies in, so that the file's name survives a power cut. false with errno. */
bool lf_sqlite_sync_directory(const char *path);

/* ---- answers.c ---- */

/* Puts answers, each in place of the one of its name. Within the transaction. */
enum lf_status lf_sqlite_put_answers(struct lf_connection *connection, const struct lf_stored_answer *const *answers,
                                     size_t count, struct lf_error *error) LF_MUST_CHECK;

/* A score's lead is being erased: what answers told of it goes. Within the transaction. */
enum lf_status lf_sqlite_erase_answers(struct lf_connection *connection, struct lf_ulid score_id,
                                       struct lf_error *error) LF_MUST_CHECK;

/* All scores up to this one are being taken away: answers that tell of them go. Within the transaction. */
enum lf_status
lf_sqlite_drop_answers(struct lf_connection *connection, struct lf_ulid last_id, struct lf_error *error) LF_MUST_CHECK;

/* Looks whether no two answers tell of the same score, and whether there are the scores they tell of; what is wrong
 * goes into findings. */
enum lf_status lf_sqlite_check_answers(struct lf_connection *connection, struct lf_findings *findings,
                                       struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_sqlite_answer(struct lf_store_reader *reader, struct lf_arena *arena, const uint8_t name[LF_SHA256_SIZE],
                 bool *ret_found, struct lf_stored_answer *ret_answer, struct lf_error *error);
enum lf_status lf_sqlite_prune_answers(struct lf_store *store, int64_t before_ms, size_t limit, bool *ret_more,
                                       struct lf_error *error);

/* ---- sources.c ---- */

enum lf_status
lf_sqlite_put_source(struct lf_store *store, const struct lf_stored_source *source, const struct lf_change *change,
                     int64_t *ret_id, bool *ret_created, struct lf_error *error);
enum lf_status lf_sqlite_delete_source(struct lf_store *store, const char *key, const struct lf_change *change,
                                       struct lf_error *error);
enum lf_status lf_sqlite_sources(struct lf_store_reader *reader, struct lf_arena *arena,
                                 struct lf_stored_source **ret_sources, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_put_refusals(struct lf_store *store, int64_t source_id,
                                      const struct lf_stored_refusal *refusals, size_t count, struct lf_error *error);
enum lf_status lf_sqlite_refusals(struct lf_store_reader *reader, struct lf_arena *arena, int64_t source_id,
                                  struct lf_stored_refusal **ret_refusals, size_t *ret_count, struct lf_error *error);

/* ---- subscriptions.c ---- */

enum lf_status
lf_sqlite_put_subscription(struct lf_store *store, const struct lf_stored_subscription *subscription,
                           const struct lf_change *change, int64_t *ret_id, bool *ret_created, struct lf_error *error);
enum lf_status lf_sqlite_delete_subscription(struct lf_store *store, const char *key, const struct lf_change *change,
                                             struct lf_error *error);
enum lf_status lf_sqlite_stop_subscription(struct lf_store *store, int64_t id, enum lf_subscription_state state,
                                           const char *reason, const struct lf_change *change, struct lf_error *error);
enum lf_status
lf_sqlite_subscriptions(struct lf_store_reader *reader, struct lf_arena *arena,
                        struct lf_stored_subscription **ret_subscriptions, size_t *ret_count, struct lf_error *error);

/* ---- deliveries.c ---- */

/* Adds deliveries to the outbox. Within the transaction. */
enum lf_status lf_sqlite_put_deliveries(struct lf_connection *connection, const struct lf_new_delivery *deliveries,
                                        size_t count, struct lf_error *error) LF_MUST_CHECK;

/* A score's lead is being erased: what deliveries say of it goes. Within the transaction. */
enum lf_status lf_sqlite_erase_deliveries(struct lf_connection *connection, struct lf_ulid score_id,
                                          struct lf_error *error) LF_MUST_CHECK;

enum lf_status
lf_sqlite_deliveries(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                     enum lf_delivery_order order, int64_t from, size_t limit,
                     struct lf_stored_delivery **ret_deliveries, size_t *ret_count, struct lf_error *error);
enum lf_status lf_sqlite_delivery(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                                  int64_t id, struct lf_stored_delivery *ret_delivery, struct lf_error *error);
enum lf_status lf_sqlite_outbox(struct lf_store_reader *reader, int64_t subscription_id, int64_t *ret_waiting,
                                int64_t *ret_oldest_ms, struct lf_error *error);
enum lf_status lf_sqlite_note_attempts(struct lf_store *store, const struct lf_attempt *attempts, size_t count,
                                       bool *ret_waited, struct lf_error *error);
enum lf_status lf_sqlite_retry_delivery(struct lf_store *store, int64_t subscription_id, int64_t id, int64_t at_ms,
                                        bool *ret_waited, struct lf_error *error);
enum lf_status lf_sqlite_fail_deliveries(struct lf_store *store, int64_t subscription_id, int64_t at_ms,
                                         const char *reason, size_t limit, bool *ret_more, struct lf_error *error);
enum lf_status lf_sqlite_prune_deliveries(struct lf_store *store, int64_t before_ms, size_t keep, size_t limit,
                                          bool *ret_more, struct lf_error *error);

/* ---- drift.c ---- */

enum lf_status
lf_sqlite_drift(struct lf_store_reader *reader, int64_t version_id, int *ret_level, struct lf_error *error);
enum lf_status lf_sqlite_note_drift(struct lf_store *store, int64_t version_id, int level, int64_t at_ms,
                                    const struct lf_new_delivery *deliveries, size_t count, struct lf_error *error);

#endif
