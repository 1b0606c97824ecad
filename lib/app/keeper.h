/*
 * keeper.h - the service's housekeeper: a thread that does at leisure what no request should wait for.
 *
 * It sweeps away what replaced and deleted lists left over in the store, at the start and whenever it is asked to, a
 * slice at a time with a rest after each, so that scores are recorded in between. Now and then, and when it stops, it
 * notes when keys were last used; and now and then it takes away what is older than the retention. All it writes goes
 * through the recorder. What cannot be done is tried again later, and logged once until it works again.
 *
 * Thread-safe but for start and stop.
 */
#ifndef LF_APP_KEEPER_H
#define LF_APP_KEEPER_H

#include "app/keys.h"
#include "app/ledger.h"
#include "app/recorder.h"
#include "base/status.h"

#include <stdint.h>

struct lf_keeper;

struct lf_keeper_options {
    int64_t
        every_ms;    /* between two notes of keys' uses; also what passes before something that failed is tried again */
    int64_t rest_ms; /* after each slice of a sweep */
    struct lf_ledger *ledger; /* which prunes; NULL: nobody does */
    int retention_days;       /* 0: for ever */
};

/* Starts the thread, which begins with a sweep. The recorder and the keyring stay until it is stopped; nobody else
 * takes the keyring's uses. */
enum lf_status
lf_keeper_start(struct lf_recorder *recorder, struct lf_keyring *keyring, const struct lf_keeper_options *options,
                struct lf_keeper **ret_keeper, struct lf_error *error) LF_MUST_CHECK;

/* Has it sweep; returns at once. */
void lf_keeper_sweep(struct lf_keeper *keeper);

/* The generation that is not to be swept, being filled; 0: none. To be said before its first entries are handed to the
 * recorder. */
void lf_keeper_spare(struct lf_keeper *keeper, int64_t generation);

/* Ends a sweep where it is, notes the last uses, stops the thread, frees. NULL is fine. */
void lf_keeper_stop(struct lf_keeper *keeper);

#endif
