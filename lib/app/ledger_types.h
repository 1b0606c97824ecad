/*
 * ledger_types.h - the ledger's insides: what its files share.
 *
 *     ledger.c            life; recording scores with what they add up to; what was recorded since the start
 *     ledger_events.c     what is told of recorded scores
 *     ledger_settle.c     rounds of settling: when, how much at a time
 *     ledger_leads.c      what settling and outcomes change of a lead, and of the counts it is in
 *     ledger_erase.c      taking away: one lead, or what is too old
 *     ledger_catch_up.c   reading again what was recorded: at the start, and where memory ran out
 *     ledger_check*.c     counting everything anew
 *     ledger_books.h, ledger_waiting.h, ledger_wins.h   open counts, leads that wait, rows of counted leads
 *
 * A round: the generation that gathered is settled in slices, and another one gathers. When all of it is, the blocks up
 * to the last one of before the round are noted as settled. After a crash the blocks behind are read again; what had
 * been settled of them before changes nothing then, because a score counts only when it is newer than its lead's row.
 *
 * For lib/app/ledger*.c alone.
 */
#ifndef LF_APP_LEDGER_TYPES_H
#define LF_APP_LEDGER_TYPES_H

#include "app/events.h"
#include "app/ledger.h"
#include "app/ledger_books.h"
#include "app/ledger_waiting.h"
#include "app/ledger_wins.h"
#include "base/arena.h"
#include "base/buf.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_SETTLE_SLICE = 128,          /* leads in one commit, */
    LF_SETTLE_SLICE_SCORES = 200,   /* or as many as have so many scores: a few milliseconds, which others wait for */
    LF_SETTLE_WAITING_MAX = 20000,  /* leads that may wait */
    LF_SETTLE_BYTES_MAX = 64 << 20, /* of memory for them */
};

struct lf_ledger {
    struct lf_store *store;
    struct lf_store_reader *reader;
    struct lf_catalog *catalog;
    struct lf_subscriptions *subscriptions; /* to be told; NULL: nobody */
    struct lf_books books;
    uint64_t seed;            /* of lf_lead_hash */
    struct lf_arena *batch;   /* of one commit */
    struct lf_arena *leads;   /* of one commit that settles */
    struct lf_arena *scratch; /* of one score or lead */
    struct lf_buf result;     /* of one score, encoded by itself */

    struct lf_generation generations[2], *gathering, *settling;
    bool in_round;
    uint64_t number;     /* of the gathering generation */
    uint64_t completed;  /* the last one that is settled, and all before */
    int64_t last_block;  /* recorded */
    int64_t round_block; /* the last one when the round began */
    int64_t gathered_ns; /* since when something gathers; 0: nothing does */
    bool stale;          /* memory ran out: what waits is to be read again */
    bool traces;         /* of an erased lead, or of what was pruned, may still be in the WAL */
    int64_t traces_ns;   /* not tried again before then, unless idle */
    _Atomic size_t depth;
};

/* One result of a score of a lead with an id. */
struct lf_ledger_item {
    const struct lf_stored_score *score;
    size_t index; /* of the score in its batch */
    uint64_t hash;
    const struct lf_cataloged *version;
    struct lf_recorded_result result; /* borrowed from the score */
    struct lf_brief brief;
};

/* Scores that are recorded together, or read again together. */
struct lf_ledger_batch {
    bool counting;                 /* else they are gathered alone */
    struct lf_rollup_list rollups; /* to be put with them */
    struct lf_ledger_item *items;
    size_t item_count, item_cap;
    uint32_t *slots; /* the newest item by lead and ICP, index + 1, 0 for none; open addressing, at most half full */
    size_t slot_count;
    uint32_t wanted; /* events of scores that anybody gathers, bits; 0: none is told */
    struct lf_event_batch events;
};

/* Some leads to settle: of each what waits of it in either generation, the older first. */
struct lf_ledger_pair {
    struct lf_waiting_lead *settling, *gathering; /* either may be NULL */
};

/* ---- ledger.c ---- */

/* Begins a batch, in memory of which the last one's goes. */
void lf_ledger_begin(struct lf_ledger *ledger, struct lf_ledger_batch *batch, bool counting);

/* Counts a score into the batch. INTERNAL for a record that cannot be read. */
enum lf_status lf_ledger_take(struct lf_ledger *ledger, struct lf_ledger_batch *batch,
                              const struct lf_stored_score *score, size_t index, struct lf_error *error) LF_MUST_CHECK;

/* Has an item's lead wait. false: out of memory; what waits is to be read again then. */
bool lf_ledger_gather(struct lf_ledger *ledger, const struct lf_ledger_item *item, int64_t block) LF_MUST_CHECK;

/* Forgets the items of the batch, and keeps its rows. */
void lf_ledger_forget_items(struct lf_ledger_batch *batch);

/* Tells others how much waits; after each change of that. */
void lf_ledger_note_depth(struct lf_ledger *ledger);

/* ---- ledger_events.c ---- */

/* Holds the subscriptions where anybody wants to be told of scores. OUT_OF_MEMORY. */
enum lf_status
lf_ledger_begin_events(struct lf_ledger *ledger, struct lf_ledger_batch *batch, struct lf_error *error) LF_MUST_CHECK;

/* Gives them back; committed: the store has the batch's deliveries, whose senders are woken first. */
void lf_ledger_end_events(struct lf_ledger *ledger, struct lf_ledger_batch *batch, bool committed);

/* The grade that the item's lead had before under its ICP, by name; NULL: none. before: the item of the two that came
 * last in the batch, NULL for none. The name lives in the batch's arena, or with its versions. */
enum lf_status
lf_ledger_last_grade(struct lf_ledger *ledger, const struct lf_ledger_item *before, const struct lf_ledger_item *item,
                     const char **ret_grade, struct lf_error *error) LF_MUST_CHECK;

/* Gathers what is told of a result. last: the grade before, NULL where there was none. OUT_OF_MEMORY. */
enum lf_status lf_ledger_tell_item(struct lf_ledger_batch *batch, const struct lf_ledger_item *item, const char *last,
                                   struct lf_error *error) LF_MUST_CHECK;

/* ---- ledger_settle.c ---- */

/* Reads again what waits where that is due, and settles where too much does. Before anything is recorded or settled. */
enum lf_status
lf_ledger_make_ready(struct lf_ledger *ledger, struct lf_store *store, struct lf_error *error) LF_MUST_CHECK;

/* Whether more waits than may. */
bool lf_ledger_too_much(const struct lf_ledger *ledger);

/* Settles one slice of the running round, which begins with it where none runs. */
enum lf_status
lf_ledger_settle_slice(struct lf_ledger *ledger, struct lf_store *store, struct lf_error *error) LF_MUST_CHECK;

/* As lf_ledger_settle, also where only the blocks are to be noted as settled. */
enum lf_status
lf_ledger_settle_all(struct lf_ledger *ledger, struct lf_recorder *recorder, struct lf_error *error) LF_MUST_CHECK;

/* ---- ledger_leads.c ---- */

/* Settles these leads in one commit, with rows that stand ready (NULL: none); blocks as of lf_store_settle. When it
 * fails nothing has changed. */
enum lf_status
lf_ledger_settle_leads(struct lf_ledger *ledger, struct lf_store *store, const struct lf_ledger_pair *pairs,
                       size_t count, const struct lf_rollup_list *rollups, int64_t settled_block, int64_t rolled_block,
                       struct lf_error *error) LF_MUST_CHECK;

/* Settles what waits of one lead; nothing where nothing does. */
enum lf_status lf_ledger_settle_lead(struct lf_ledger *ledger, struct lf_store *store, const char *lead_id,
                                     size_t lead_id_len, struct lf_error *error) LF_MUST_CHECK;

/* ---- ledger_erase.c ---- */

/* Tries to empty the WAL; ledger->traces tells whether that is still to be done. */
enum lf_status
lf_ledger_remove_traces(struct lf_ledger *ledger, struct lf_store *store, struct lf_error *error) LF_MUST_CHECK;

/* ---- ledger_catch_up.c ---- */

/* Reads again what was recorded behind the settled blocks; counts what is due to be. */
enum lf_status lf_ledger_read_again(struct lf_ledger *ledger, struct lf_store *store,
                                    void (*say)(int64_t done, int64_t of), struct lf_error *error) LF_MUST_CHECK;

#endif
