/*
 * ledger.h - keeps what recorded scores add up to: counts by version and hour, and what is known of each lead.
 *
 * Counts (core/tally.h) are written in the commit that records the scores: hour, day, month and, while it lasts, the
 * version's baseline, its first LF_BASELINE_SCORES scores. What is known lead by lead - the latest score under each
 * version, in which blocks its scores are, what became of those who have an outcome (core/wins.h) - would cost every
 * commit a page for each lead; it is gathered in memory and settled a little later, many leads to a commit. Nothing
 * hangs on that memory: what a crash takes is read again from the recorded scores at the next start. Whoever needs it
 * exact and up to date has it settled first (lf_ledger_settle), which takes no time where nothing waits.
 *
 * A lead's first score under an ICP is known by a look at what waits, and at the database.
 *
 * Threads: what says "on the recorder's thread" is called there and nowhere else; the rest is thread-safe. The recorder
 * calls the first two by itself (struct lf_recorder_options).
 */
#ifndef LF_APP_LEDGER_H
#define LF_APP_LEDGER_H

#include "app/catalog.h"
#include "app/recorder.h"
#include "base/findings.h"
#include "base/status.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_BASELINE_SCORES = 1000 };

struct lf_ledger;
struct lf_subscriptions; /* app/subscriptions.h */

/* Opens a reader of its own on the store. The catalog stays. */
enum lf_status lf_ledger_create(struct lf_store *store, struct lf_catalog *catalog, struct lf_ledger **ret_ledger,
                                struct lf_error *error) LF_MUST_CHECK;

/* Settles nothing more. NULL is fine. */
void lf_ledger_destroy(struct lf_ledger *ledger);

/* At the start, before the recorder has the store: counts scores that an earlier schema recorded, in slices that are
 * each a commit, and reads what was recorded but not settled. say: told every few seconds, and at the end, how many of
 * how many blocks are counted; NULL is fine. */
enum lf_status lf_ledger_catch_up(struct lf_ledger *ledger, void (*say)(int64_t done, int64_t of),
                                  struct lf_error *error) LF_MUST_CHECK;

/* Whom to tell of scores and changed grades: their deliveries are recorded with the scores from now on. Before the
 * recorder starts; NULL: nobody. The subscriptions stay. */
void lf_ledger_tell(struct lf_ledger *ledger, struct lf_subscriptions *subscriptions);

/* On the recorder's thread: records scores and answers in one commit, with what they add up to and what is told of them
 * (the recording's own roll-ups, deliveries and ret_blocks are not read). For lf_recorder_options.commit. After a
 * failure nothing of it is counted. */
enum lf_status lf_ledger_record(void *ledger, struct lf_store *store, const struct lf_recording *recording,
                                struct lf_error *error) LF_MUST_CHECK;

/* On the recorder's thread, after each round of its work: settles a slice where that is due (much waits, or for more
 * than a second, or idle). *ret_more: a slice is due at once. For lf_recorder_options.tend. */
enum lf_status
lf_ledger_tend(void *ledger, struct lf_store *store, bool idle, bool *ret_more, struct lf_error *error) LF_MUST_CHECK;

/* Has all settled that was recorded before the call. Waits; not on the recorder's thread. NOT_READY when it is
 * stopping, else as of lf_recorder_run. */
enum lf_status
lf_ledger_settle(struct lf_ledger *ledger, struct lf_recorder *recorder, struct lf_error *error) LF_MUST_CHECK;

/* On the recorder's thread (lf_recorder_run): notes outcomes and counts them, in one commit. At most some thousand. */
enum lf_status
lf_ledger_put_outcomes(struct lf_ledger *ledger, struct lf_store *store, const struct lf_stored_outcome *outcomes,
                       size_t count, struct lf_error *error) LF_MUST_CHECK;

/* Erases a lead: its id, inputs and values, in slices; then empties the WAL. LEAD_NOT_FOUND. Waits; not on the
 * recorder's thread. What has begun and failed goes on when it is asked for again. BUSY: the lead is erased, but half a
 * minute was not enough to empty the WAL, because somebody reads for long; it is emptied later, and whoever asks again
 * waits for that. */
enum lf_status
lf_ledger_erase(struct lf_ledger *ledger, struct lf_recorder *recorder, const char *lead_id, size_t lead_id_len,
                const struct lf_change *change, struct lf_error *error) LF_MUST_CHECK;

/* Takes away some of the scores recorded before that moment, in one commit, so that other writes come in between.
 * *ret_scores: how many; *ret_more: there are more; after the last the WAL is emptied, once nothing waits to be
 * recorded. Waits; not on the recorder's thread. */
enum lf_status lf_ledger_prune(struct lf_ledger *ledger, struct lf_recorder *recorder, int64_t before_ms,
                               int64_t *ret_scores, bool *ret_more, struct lf_error *error) LF_MUST_CHECK;

/* What waits to be settled now: leads. */
size_t lf_ledger_depth(struct lf_ledger *ledger);

/* How many scores of each version and grade (the name, or "DQ") were recorded since the start. The callback must be
 * quick. */
void lf_ledger_each_count(struct lf_ledger *ledger,
                          void (*each)(void *context, const char *icp, int version, const char *grade, int64_t count),
                          void *context);

/* For `leadfit check`: counts everything anew from the recorded scores and leads, and compares with what is kept.
 * Differences go into findings, with version, span and what differs. Of times in which scores were pruned nothing can
 * be said. *ret_rollups: how many were compared. What is due or not yet settled is taken into account; nothing is
 * written. */
enum lf_status lf_ledger_check(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_findings *findings,
                               int64_t *ret_rollups, struct lf_error *error) LF_MUST_CHECK;

#endif
