/*
 * store.h - what Leadfit keeps, in its own words: ICPs with their drafts and versions, lists, API keys, the audit,
 * recorded scores, what they add up to, leads and what became of them.
 *
 * The SQL stands behind these verbs (store/sqlite/); another backend joins by filling the same table of operations
 * (store/backend.h).
 *
 * Threads: a store has one writing side and any number of readers. Functions that take a struct lf_store * and write
 * are called by one thread at a time (the recorder's, or the only thread of a command). A struct lf_store_reader
 * belongs to one thread; readers never wait for the writer. Results live in the arena given.
 */
#ifndef LF_STORE_STORE_H
#define LF_STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/findings.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/ulid.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_KEY_MAX = 64, /* characters of an ICP's or list's key */
    LF_API_KEY_ID_MAX = 16,
    LF_ETAG_MAX = 48,        /* of a draft or a list, with its quotes and NUL */
    LF_NOTE_MAX = 1000,      /* characters */
    LF_LIST_ENTRY_MAX = 1000 /* characters of a list's entry */
};

struct lf_store;
struct lf_store_reader;

struct lf_store_options {
    const char *path;
    bool read_only; /* never creates, migrates or writes */
};

struct lf_new_delivery; /* store/exchange.h */

/* Who changes something, when and why: what the audit keeps beside the change itself. */
struct lf_change {
    const char *by;     /* the API key's name, or "command line" */
    const char *key_id; /* its public id, "" for none */
    const char *note;   /* "" for none */
    int64_t at_ms;
    const struct lf_new_delivery *deliveries; /* events of a publication, for the outbox: in the same commit */
    size_t delivery_count;
};

/* What must be so for a change to happen (If-Match, If-None-Match). All zeros: nothing was said. */
struct lf_precondition {
    const char *const *etags; /* one of these, each with its quotes */
    size_t etag_count;
    bool any;    /* If-Match: *  - there is one */
    bool absent; /* If-None-Match: *  - there is none */
};

enum lf_icp_state { LF_ICP_STATE_DRAFT /* never published */, LF_ICP_STATE_ACTIVE, LF_ICP_STATE_ARCHIVED };

/* One ICP. */
struct lf_stored_icp {
    const char *key, *name, *purpose; /* name and purpose of the active version, else of the draft */
    enum lf_icp_state state;
    int active_version;           /* from 1; 0: never published */
    int versions;                 /* how many there are */
    char draft_etag[LF_ETAG_MAX]; /* "" where there is no draft */
    int64_t created_at_ms, updated_at_ms;
};

/* An ICP's draft. */
struct lf_stored_draft {
    const char *icp;      /* key */
    const char *document; /* as it was put, JSON */
    size_t document_len;
    uint8_t hash[LF_SHA256_SIZE];
    char etag[LF_ETAG_MAX];
    const char *updated_by;
    int64_t updated_at_ms;
    /* What its publication would be, as of now; also what is active at the moment (0: nothing). */
    int next_version;
    int64_t next_version_id;
    int active_version;
};

/* What is put as a draft: a valid definition. */
struct lf_new_draft {
    const char *icp, *name, *purpose;
    const char *document;
    size_t document_len;
    uint8_t hash[LF_SHA256_SIZE];
};

/* One published version: immutable. */
struct lf_stored_version {
    int64_t icp_id;
    int64_t id;           /* this version among all of all ICPs; what a recorded score refers to */
    const char *icp;      /* key */
    int version;          /* from 1 */
    const char *document; /* the definition as it was put, JSON */
    size_t document_len;
    uint8_t hash[LF_SHA256_SIZE]; /* of its canonical form */
    const char *name, *purpose;
    const char *note;
    const char *published_by; /* name of the key, "" for versions of before there was an audit */
    int64_t published_at_ms;
};

/* What is published. */
struct lf_new_version {
    const char *icp, *name, *purpose;
    const char *document;
    size_t document_len;
    uint8_t hash[LF_SHA256_SIZE];
};

/* A named list, without its entries. */
struct lf_stored_list {
    const char *key;
    int64_t revision;   /* grows with every change */
    int64_t generation; /* where its entries are */
    size_t count;
    uint8_t hash[LF_SHA256_SIZE]; /* sum of the SHA-256 of its entries, modulo 2^256 */
    char etag[LF_ETAG_MAX];
    int64_t updated_at_ms;
};

/* An entry: as it was put, and as conditions compare it (folded, not empty). */
struct lf_list_entry {
    const char *text;
    size_t len;
    const char *folded;
    size_t folded_len;
};

/* One API key; the secret itself is never here. */
struct lf_stored_key {
    char id[LF_API_KEY_ID_MAX + 1];
    const char *name;
    uint32_t scopes;
    uint8_t secret_hash[LF_SHA256_SIZE];
    int64_t created_at_ms;
    int64_t expires_at_ms;   /* 0: never */
    int64_t revoked_at_ms;   /* 0: live */
    int64_t last_used_at_ms; /* 0: never; as of some time ago while a server runs */
};

/* When a key was last used. */
struct lf_key_use {
    char id[LF_API_KEY_ID_MAX + 1];
    int64_t at_ms;
};

/* One entry of the audit. */
struct lf_audit_entry {
    int64_t id; /* from 1, without gaps */
    int64_t at_ms;
    const char *by, *key_id, *action; /* action: "publish", "list.patch", … */
    const char *icp;                  /* key, "" where it is about something else */
    const char *subject;              /* the ICP's, list's or API key's key */
    int version;                      /* 0 where there is none */
    const char *note;
    const char *before, *after; /* "sha256:…" or "" */
    uint8_t chain[LF_SHA256_SIZE];
};

enum lf_outcome_word { LF_OUTCOME_OPEN, LF_OUTCOME_WON, LF_OUTCOME_LOST };

/* What became of a lead. */
struct lf_stored_outcome {
    const char *lead_id;
    size_t lead_id_len;
    enum lf_outcome_word outcome;
    int64_t value; /* millionths */
    int64_t at_ms;
};

/* The most a recorded score may hold, in bytes: a whole body of 1 MiB with its explanation has ample room, and one
 * score can never fill the memory. A larger one is refused with BODY_TOO_LARGE. */
enum { LF_SCORE_BODY_MAX = 16 * 1024 * 1024, LF_SCORE_LEAD_ID_MAX = 4096 };

/* One recorded score. The body is core's record of the outcome (core/record.h) and opaque here. */
struct lf_stored_score {
    struct lf_ulid id; /* its time is scored_at */
    int64_t as_of_ms;
    const char *lead_id; /* "" for none */
    size_t lead_id_len;
    const void *body;
    size_t body_len;
};

/* ---- what scores add up to ---- */

/* Bytes that this layer does not read: core/tally.h, core/wins.h. */
enum lf_rollup_kind {
    LF_ROLLUP_TALLY,    /* all scores */
    LF_ROLLUP_WINS,     /* leads by their latest score under the version, and what became of them */
    LF_ROLLUP_ICP_WINS, /* leads by their latest score under the ICP, the same */
};
enum lf_rollup_span { LF_SPAN_BASELINE /* its start is 0 */, LF_SPAN_HOUR, LF_SPAN_DAY, LF_SPAN_MONTH };

/* What a version's scores of one span add up to. Spans are in UTC. */
struct lf_stored_rollup {
    int64_t version_id;
    enum lf_rollup_kind kind;
    enum lf_rollup_span span;
    int64_t start_hour; /* hours since 1970-01-01T00:00:00Z */
    const void *body;
    size_t body_len;
};

/* How far what is derived from recorded scores has come; ids of blocks. */
struct lf_store_progress {
    int64_t settled_block; /* those up to here are known lead by lead */
    int64_t rolled_block;  /* and counted; until rolled_block >= due_block, else all are */
    int64_t due_block;
    int64_t last_block; /* the newest there is, 0 for none */
    int64_t pruned_ms;  /* scores of before may have been taken away; 0: none was */
};

/* ---- leads ---- */

/* A lead's latest score under one version. Scores and percentages in hundredths. */
struct lf_stored_lead_score {
    int64_t icp_id, version_id;
    const char *icp; /* key; only told, as is version */
    int version;
    struct lf_ulid score_id; /* its time is scored_at */
    bool latest;             /* also the latest under the ICP */
    bool qualified;
    int score, coverage, engagement;
    const char *grade, *label;
    const void *result; /* as it stands in the record (core/record.h), opaque here */
    size_t result_len;
};

struct lf_stored_lead {
    const char *lead_id;
    size_t lead_id_len;
    bool has_outcome;
    struct lf_stored_outcome outcome;    /* lead_id aside, all zeros without one */
    struct lf_stored_lead_score *scores; /* under each version that scored it; by ICP's key, then version */
    size_t score_count;
};

/* What has become known of one lead since it was settled last. */
struct lf_settled_lead {
    const char *lead_id;
    size_t lead_id_len;
    const struct lf_stored_lead_score *scores; /* to be put as they are: new ones, and those that are latest no more */
    size_t score_count;
    const int64_t *blocks; /* that hold new scores of it, ascending; those that are known are passed over */
    size_t block_count;
};

/* Which leads are wanted: their latest score under each ICP. */
struct lf_lead_query {
    const char *icp;   /* key; NULL: all */
    const char *grade; /* NULL: any; the same for label */
    const char *label;
    int qualified;   /* 0 or 1; -1: either */
    int min_score;   /* hundredths */
    bool by_time;    /* newest first; else best score first, of equal ones the newest */
    bool has_after;  /* only what stands behind this one: */
    int after_score; /* hundredths; not read with by_time */
    struct lf_ulid after_id;
    const char *after_icp; /* key: one score id may stand for several ICPs, which come by key */
    size_t limit;
};

struct lf_listed_lead {
    const char *lead_id;
    size_t lead_id_len;
    struct lf_stored_lead_score score; /* without its result */
};

/* ---- life ---- */

/* Opens the database, creating and migrating it unless read_only. Statuses: FILE, STORAGE_NEWER, STORAGE_CORRUPT,
 * STORAGE_FAILED, STORAGE_FULL, STORAGE_IN_USE (another process writes it: the detail names the API). */
enum lf_status lf_store_open(const struct lf_store_options *options, struct lf_store **ret_store,
                             struct lf_error *error) LF_MUST_CHECK;

/* Checkpoints and closes; all readers are closed before. NULL is fine. */
void lf_store_close(struct lf_store *store);

/* From that moment of the monotonic clock on lf_store_each_score and its like give up with NOT_READY: for a service
 * that stops. 0: never, which is so at first. Thread-safe. */
void lf_store_read_until(struct lf_store *store, int64_t monotonic_ns);

enum lf_status
lf_store_reader_open(struct lf_store *store, struct lf_store_reader **ret_reader, struct lf_error *error) LF_MUST_CHECK;
void lf_store_reader_close(struct lf_store_reader *reader);

/* ---- writing: one thread at a time ---- */

/* Records scores, and roll-ups with them: lf_store_record (store/exchange.h) with nothing else. */
enum lf_status lf_store_append_scores(struct lf_store *store, const struct lf_stored_score *const *scores, size_t count,
                                      const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t *ret_blocks,
                                      struct lf_error *error) LF_MUST_CHECK;

/* Notes what has become known of leads, with the roll-ups that this changes, in one commit. settled_block,
 * rolled_block: how far that is then; 0: no further than before. A lead writes to several pages that no other lead of
 * the commit may share: up to 100 us and 64 KiB of memory until it is committed, so some hundred at a time. */
enum lf_status lf_store_settle(struct lf_store *store, const struct lf_settled_lead *leads, size_t count,
                               const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t settled_block,
                               int64_t rolled_block, struct lf_error *error) LF_MUST_CHECK;

/* Publishes a version, creating the ICP where it is new, and makes it the active one. A document whose hash is that of
 * the active version changes nothing: *ret_version is that version and *ret_unchanged true. A draft stays. */
enum lf_status
lf_store_publish(struct lf_store *store, const struct lf_new_version *version, const struct lf_change *change,
                 int *ret_version, bool *ret_unchanged, struct lf_error *error) LF_MUST_CHECK;

/* Puts a draft, creating the ICP where it is new. *ret_created: there was none before. PRECONDITION_REQUIRED when there
 * is one and nothing was said about it, PRECONDITION_FAILED, ICP_ARCHIVED. etag receives the new one. */
enum lf_status lf_store_put_draft(struct lf_store *store, const struct lf_new_draft *draft,
                                  const struct lf_precondition *precondition, const struct lf_change *change,
                                  char ret_etag[LF_ETAG_MAX], bool *ret_created, struct lf_error *error) LF_MUST_CHECK;

/* Deletes the draft, and the ICP with it when nothing of it was ever published. ICP_NOT_FOUND, DRAFT_NOT_FOUND,
 * PRECONDITION_FAILED. */
enum lf_status
lf_store_delete_draft(struct lf_store *store, const char *icp, const struct lf_precondition *precondition,
                      const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* Makes the draft the next version and the active one; the draft is gone. version and version_id are those that
 * lf_store_draft foretold (CONFLICT when they are not next any more). ICP_NOT_FOUND, DRAFT_NOT_FOUND, ICP_ARCHIVED,
 * PRECONDITION_REQUIRED, PRECONDITION_FAILED. */
enum lf_status lf_store_publish_draft(struct lf_store *store, const char *icp, int version, int64_t version_id,
                                      const struct lf_precondition *precondition, const struct lf_change *change,
                                      struct lf_error *error) LF_MUST_CHECK;

/* Makes another version the active one; *ret_unchanged when it is already. ICP_NOT_FOUND, VERSION_NOT_FOUND,
 * ICP_ARCHIVED. */
enum lf_status lf_store_activate(struct lf_store *store, const char *icp, int version, const struct lf_change *change,
                                 bool *ret_unchanged, struct lf_error *error) LF_MUST_CHECK;

/* Takes the ICP out of service or back; once more changes nothing. ICP_NOT_FOUND. */
enum lf_status lf_store_set_archived(struct lf_store *store, const char *icp, bool archived,
                                     const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* Replacing a list: begin gives an empty generation, add fills it (in slices, each a commit of its own; entries that
 * are there already are passed over), put_list points the list to it in one commit. state (count and hash) goes from
 * call to call; all zeros at first. What is begun and not put is left over, and swept. A slice that fails has not
 * happened. Entries that ascend by their folded bytes are written ten times as fast as others. CONFLICT beyond
 * LF_NAMED_LIST_ENTRIES_MAX entries; INTERNAL for a generation that was put already. */
struct lf_list_state {
    int64_t generation;
    size_t count;
    uint8_t hash[LF_SHA256_SIZE];
};
enum lf_status
lf_store_begin_list(struct lf_store *store, struct lf_list_state *ret_state, struct lf_error *error) LF_MUST_CHECK;
enum lf_status
lf_store_add_list_entries(struct lf_store *store, struct lf_list_state *state, const struct lf_list_entry *entries,
                          size_t count, struct lf_error *error) LF_MUST_CHECK;

/* *ret_list is the list as it is then; *ret_created: it was new; a list that has these entries already keeps its
 * revision (*ret_unchanged) and the generation is left over. PRECONDITION_FAILED. */
enum lf_status lf_store_put_list(struct lf_store *store, const char *key, const struct lf_list_state *state,
                                 const struct lf_precondition *precondition, const struct lf_change *change,
                                 struct lf_arena *arena, struct lf_stored_list *ret_list, bool *ret_created,
                                 bool *ret_unchanged, struct lf_error *error) LF_MUST_CHECK;

/* Adds and removes entries (compared folded) in one commit: removes first. Counts are those that really changed; with
 * none the revision stays. LIST_NOT_FOUND, PRECONDITION_FAILED; CONFLICT beyond LF_NAMED_LIST_ENTRIES_MAX entries. */
enum lf_status
lf_store_patch_list(struct lf_store *store, const char *key, const struct lf_list_entry *add, size_t add_count,
                    const struct lf_list_entry *remove, size_t remove_count, const struct lf_precondition *precondition,
                    const struct lf_change *change, struct lf_arena *arena, struct lf_stored_list *ret_list,
                    size_t *ret_added, size_t *ret_removed, struct lf_error *error) LF_MUST_CHECK;

/* LIST_NOT_FOUND, PRECONDITION_FAILED. Its entries are left over. */
enum lf_status lf_store_delete_list(struct lf_store *store, const char *key, const struct lf_precondition *precondition,
                                    const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* Deletes up to `limit` entries of generations that no list points to, but for `spare` (being filled; 0: none).
 * *ret_more: there are more. */
enum lf_status lf_store_sweep_lists(struct lf_store *store, size_t limit, int64_t spare, bool *ret_more,
                                    struct lf_error *error) LF_MUST_CHECK;

/* CONFLICT when the id is taken. */
enum lf_status lf_store_create_key(struct lf_store *store, const struct lf_stored_key *key,
                                   const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* KEY_NOT_FOUND; revoking twice keeps the first time and leaves no second trace. */
enum lf_status lf_store_revoke_key(struct lf_store *store, const char *id, const struct lf_change *change,
                                   struct lf_error *error) LF_MUST_CHECK;

/* Notes when keys were last used, in one commit; unknown ones are passed over, and a time never goes back. */
enum lf_status lf_store_touch_keys(struct lf_store *store, const struct lf_key_use *uses, size_t count,
                                   struct lf_error *error) LF_MUST_CHECK;

/* Notes outcomes, with the roll-ups that they change, in one commit; an earlier one (by at_ms) does not replace a later
 * one, an equal one does. */
enum lf_status lf_store_put_outcomes(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                                     const struct lf_stored_rollup *rollups, size_t rollup_count,
                                     struct lf_error *error) LF_MUST_CHECK;

/* What is left of an erased score's body: filled in by whoever can read it. */
typedef enum lf_status (*lf_store_anonymise)(void *context, const struct lf_stored_score *score, struct lf_buf *body,
                                             struct lf_error *error);

/* Takes a lead out of up to `blocks` blocks in one commit: its scores stay as what `anonymise` leaves, without its id;
 * what answers and deliveries tell of them goes. Once none is left (*ret_more false) the same commit takes its id and
 * the audit (action lead.erase, without any id) notes it. Its outcome and its latest scores stay, nameless, for what
 * they count; a lead that was never scored goes. LEAD_NOT_FOUND. What waits to be settled is not seen: settle before.
 * Nothing of the old content is left in the database's pages; the WAL is moved and emptied by
 * lf_store_checkpoint(truncate). */
enum lf_status lf_store_erase_lead(struct lf_store *store, const char *lead_id, size_t lead_id_len, size_t blocks,
                                   lf_store_anonymise anonymise, void *context, const struct lf_change *change,
                                   bool *ret_more, struct lf_error *error) LF_MUST_CHECK;

/* Takes away up to `blocks` of the oldest blocks, those that hold nothing recorded at or after before_ms. With them go
 * answers that tell of their scores, what deliveries say of these, and what is known of leads from them alone, their
 * outcomes too; outcomes of before then also go of whoever has no score. Roll-ups stay. Only blocks that are settled; a
 * lead of which newer scores still wait to be settled would lose its outcome: settle before, on the same thread.
 * *ret_more: there are more. */
enum lf_status lf_store_prune(struct lf_store *store, int64_t before_ms, size_t blocks, bool *ret_more,
                              struct lf_error *error) LF_MUST_CHECK;

/* Moves the WAL into the database where that is due (by its size). Cheap when there is nothing to do. truncate: in any
 * case, and empties it; STORAGE_IN_USE when a reader still needs what lies in it: then it is for another time, and all
 * goes on as before. */
enum lf_status lf_store_checkpoint(struct lf_store *store, bool truncate, struct lf_error *error) LF_MUST_CHECK;

/* Whether a write would go through now (a commit of nothing that matters). For readiness. */
enum lf_status lf_store_probe(struct lf_store *store, struct lf_error *error) LF_MUST_CHECK;

/* ---- reading ---- */

enum lf_status lf_store_icps(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_icp **ret_icps,
                             size_t *ret_count, struct lf_error *error) LF_MUST_CHECK; /* by key */

enum lf_status lf_store_icp(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                            struct lf_stored_icp *ret_icp, struct lf_error *error) LF_MUST_CHECK; /* ICP_NOT_FOUND */

/* Statuses: ICP_NOT_FOUND, VERSION_NOT_FOUND. */
enum lf_status lf_store_version(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int version,
                                struct lf_stored_version *ret_version, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_store_version_by_id(struct lf_store_reader *reader, struct lf_arena *arena, int64_t id,
                                      struct lf_stored_version *ret_version, struct lf_error *error) LF_MUST_CHECK;

/* The active version of every ICP that is not archived, by key. */
enum lf_status lf_store_active_versions(struct lf_store_reader *reader, struct lf_arena *arena,
                                        struct lf_stored_version **ret_versions, size_t *ret_count,
                                        struct lf_error *error) LF_MUST_CHECK;

/* All versions of one ICP, oldest first, without their documents. ICP_NOT_FOUND. */
enum lf_status
lf_store_versions(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                  struct lf_stored_version **ret_versions, size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* All versions there are, oldest first, one at a time (for a check). The callback's value other than LF_OK ends it. */
enum lf_status lf_store_each_version(struct lf_store_reader *reader, struct lf_arena *arena,
                                     enum lf_status (*each)(void *context, const struct lf_stored_version *version),
                                     void *context, struct lf_error *error) LF_MUST_CHECK;

/* ICP_NOT_FOUND, DRAFT_NOT_FOUND. */
enum lf_status lf_store_draft(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp,
                              struct lf_stored_draft *ret_draft, struct lf_error *error) LF_MUST_CHECK;

/* All lists, by key. */
enum lf_status lf_store_lists(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_list **ret_lists,
                              size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* LIST_NOT_FOUND: then ret_list has no key, but the last revision that a list of this key had (0: there never was one),
 * from which it would go on: a revision never means two states of a list. */
enum lf_status lf_store_list(struct lf_store_reader *reader, struct lf_arena *arena, const char *key,
                             struct lf_stored_list *ret_list, struct lf_error *error) LF_MUST_CHECK;

/* The entries of a generation, by their folded form, one at a time; what the callback sees is gone when it returns. Its
 * value other than LF_OK ends it. A generation that has been swept meanwhile has none or a part: ask within the time
 * in which nobody changes lists, or look at the list again afterwards. */
enum lf_status lf_store_each_list_entry(struct lf_store_reader *reader, int64_t generation,
                                        enum lf_status (*each)(void *context, const struct lf_list_entry *entry),
                                        void *context, struct lf_error *error) LF_MUST_CHECK;

/* The audit, oldest first: at most `limit` entries behind the id `after`, of one ICP (NULL: all). */
enum lf_status
lf_store_audit(struct lf_store_reader *reader, struct lf_arena *arena, const char *icp, int64_t after, size_t limit,
               struct lf_audit_entry **ret_entries, size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* The id of its newest entry, 0 for none: whether anything was changed, or a lead erased, since. */
enum lf_status
lf_store_last_audit(struct lf_store_reader *reader, int64_t *ret_id, struct lf_error *error) LF_MUST_CHECK;

/* What is known of a lead. LEAD_NOT_FOUND. */
enum lf_status lf_store_lead(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                             size_t lead_id_len, struct lf_stored_lead *ret_lead, struct lf_error *error) LF_MUST_CHECK;

/* Whether the ICP has scored the lead, as far as is settled. Quick. */
enum lf_status lf_store_knows_lead(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len,
                                   int64_t icp_id, bool *ret_known, struct lf_error *error) LF_MUST_CHECK;

/* Leads in the order asked for, at most query->limit. The time does not grow with the leads that the filters let
 * through. ICP_NOT_FOUND. */
enum lf_status
lf_store_leads(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_lead_query *query,
               struct lf_listed_lead **ret_leads, size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* A lead's scores as far as they are settled, newest first, those before the id `before` (all ones: all), one at a
 * time, as lf_store_each_score. The callback's value other than LF_OK ends it. None for an unknown lead. */
enum lf_status lf_store_each_lead_score(struct lf_store_reader *reader, struct lf_arena *arena, const char *lead_id,
                                        size_t lead_id_len, struct lf_ulid before,
                                        enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                                        void *context, struct lf_error *error) LF_MUST_CHECK;

/* Every lead there is with its scores, erased ones (lead_id "") as well, one at a time, for a check; the arena is reset
 * in between. */
enum lf_status lf_store_each_lead(struct lf_store_reader *reader, struct lf_arena *arena,
                                  enum lf_status (*each)(void *context, const struct lf_stored_lead *lead),
                                  void *context, struct lf_error *error) LF_MUST_CHECK;

/* Roll-ups of a version, by start_hour, with from_hour <= start_hour < to_hour, one at a time; what the callback sees
 * is gone when it returns. It may ask the same reader for anything but roll-ups. */
enum lf_status lf_store_each_rollup(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                                    enum lf_rollup_span span, int64_t from_hour, int64_t to_hour,
                                    enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup),
                                    void *context, struct lf_error *error) LF_MUST_CHECK;

/* Holds what is seen through the reader still, from one call to the next, until it is let go: for what has to add up.
 * To be held for milliseconds. Not around lf_store_score, lf_store_each_score and their like. */
enum lf_status lf_store_hold(struct lf_store_reader *reader, struct lf_error *error) LF_MUST_CHECK;
void lf_store_let_go(struct lf_store_reader *reader);

enum lf_status lf_store_progress(struct lf_store_reader *reader, struct lf_store_progress *ret_progress,
                                 struct lf_error *error) LF_MUST_CHECK;

/* The key that hashes values of leads with store_lead = hashes; it never changes. */
enum lf_status lf_store_hash_key(struct lf_store_reader *reader, uint8_t ret_key[LF_SHA256_SIZE],
                                 struct lf_error *error) LF_MUST_CHECK;

/* *ret_found false: nobody has said. */
enum lf_status
lf_store_outcome(struct lf_store_reader *reader, const char *lead_id, size_t lead_id_len, bool *ret_found,
                 struct lf_stored_outcome *ret_outcome, struct lf_error *error) LF_MUST_CHECK;

enum lf_status lf_store_keys(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_stored_key **ret_keys,
                             size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

/* One score. SCORE_NOT_FOUND, STORAGE_CORRUPT. */
enum lf_status lf_store_score(struct lf_store_reader *reader, struct lf_arena *arena, struct lf_ulid id,
                              struct lf_stored_score *ret_score, struct lf_error *error) LF_MUST_CHECK;

/* The latest scores with from_ms <= scored_at < to_ms, newest first, at most `limit`; the arena is reset between blocks
 * of them, so what the callback sees is gone when it returns. The callback may ask the same reader for anything else.
 */
enum lf_status
lf_store_each_score(struct lf_store_reader *reader, struct lf_arena *arena, int64_t from_ms, int64_t to_ms,
                    size_t limit, enum lf_status (*each)(void *context, const struct lf_stored_score *score),
                    void *context, struct lf_error *error) LF_MUST_CHECK;

/* The scores of the blocks behind `block` (0: from the beginning) up to `last`, oldest first, each with its block; the
 * arena is reset between blocks. The callback's value other than LF_OK ends it. */
enum lf_status
lf_store_each_score_behind(struct lf_store_reader *reader, struct lf_arena *arena, int64_t block, int64_t last,
                           enum lf_status (*each)(void *context, int64_t block, const struct lf_stored_score *score),
                           void *context, struct lf_error *error) LF_MUST_CHECK;

/* The newest id there is, and how many scores there are. Where there are none: an id behind all that were taken away,
 * all zeros in a store that never had any. */
enum lf_status lf_store_last_score(struct lf_store_reader *reader, struct lf_ulid *ret_id, int64_t *ret_count,
                                   struct lf_error *error) LF_MUST_CHECK;

/* What keeps it, and how much room it takes. */
struct lf_store_facts {
    const char *engine; /* its version, such as "3.40.1"; static */
    int64_t database_bytes, log_bytes;
    int64_t free_bytes; /* that are left where the database is */
};

/* FILE when the files cannot be looked at. Waits for nobody who writes. */
enum lf_status
lf_store_facts(struct lf_store_reader *reader, struct lf_store_facts *ret_facts, struct lf_error *error) LF_MUST_CHECK;

/* Looks the database over: pages and indexes (quick: not every index entry), foreign keys, blocks and their check
 * sums, the audit's chain, the lists' hashes and what is kept of leads unless quick. What is wrong goes into findings,
 * with a code such as "damaged_page". Can be interrupted from another thread by setting *stop (may be NULL). */
enum lf_status lf_store_check(struct lf_store_reader *reader, bool quick, const atomic_bool *stop,
                              struct lf_findings *findings, struct lf_error *error) LF_MUST_CHECK;

/* Copies the database, as it is at one moment, into a new file while others go on writing. FILE when the target
 * exists. */
enum lf_status
lf_store_backup(struct lf_store_reader *reader, const char *target, struct lf_error *error) LF_MUST_CHECK;

#endif
