/*
 * keeper.h - the service's housekeeper: a thread that does at leisure what no request should wait for.
 *
 * Its chores: to sweep away what replaced and deleted lists left over, at the start and whenever it is asked to; to
 * note when keys were last used, and what sources were refused; to take away scores older than the retention, answers
 * that are not given again any more, and deliveries that ended long ago; and to look whether scores have shifted. What
 * is much is done a slice at a time with a rest after each, so that scores are recorded in between. All it writes goes
 * through the recorder. What cannot be done is tried again later, and logged once until it works again. When it stops
 * it notes uses and refusals a last time.
 *
 * Thread-safe but for start and stop.
 */
#ifndef LF_APP_KEEPER_H
#define LF_APP_KEEPER_H

#include "app/keys.h"
#include "app/ledger.h"
#include "app/recorder.h"
#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct lf_keeper;
struct lf_service; /* app/service.h */
struct lf_sources; /* app/sources.h */

struct lf_keeper_options {
    int64_t
        every_ms;    /* between two notes of keys' uses; also what passes before something that failed is tried again */
    int64_t rest_ms; /* after each slice */
    struct lf_ledger *ledger;   /* which prunes; NULL: nobody does */
    int retention_days;         /* 0: for ever */
    struct lf_sources *sources; /* whose refusals are noted; NULL: nobody's */
    int64_t refusals_ms;        /* between two notes of them */
    int64_t answers_ms;         /* how long answers are kept; 0: for ever */
    int64_t deliveries_ms;      /* how long deliveries are that have ended, 0: for ever; */
    size_t deliveries_kept;     /* and how many of a subscription */
    int64_t prune_ms;           /* between two looks for what of these is to go */
    struct lf_service *service; /* whose scores are watched for shifts; NULL: nobody's */
    int64_t drift_ms;           /* between two looks at them */
};

/* Starts the thread, which begins with a sweep. The recorder, the keyring and what the options name stay until it is
 * stopped; nobody else takes the keyring's uses. */
enum lf_status
lf_keeper_start(struct lf_recorder *recorder, struct lf_keyring *keyring, const struct lf_keeper_options *options,
                struct lf_keeper **ret_keeper, struct lf_error *error) LF_MUST_CHECK;

/* Has it sweep; returns at once. */
void lf_keeper_sweep(struct lf_keeper *keeper);

/* The generation that is not to be swept, being filled; 0: none. To be said before its first entries are handed to the
 * recorder. */
void lf_keeper_spare(struct lf_keeper *keeper, int64_t generation);

/* Ends what it does where it is, notes a last time, stops the thread, frees. NULL is fine. */
void lf_keeper_stop(struct lf_keeper *keeper);

#endif
