/*
 * service.h - the running service: what handlers and workers share.
 *
 * It owns the store, the recorder, the ledger, the live ICPs, the keyring, the sources, the subscriptions with their
 * courier, and the keeper, and knows whether it is ready. HTTP knows none of this; handlers (lib/api) get the service
 * as their context. Thread-safe but for start and stop.
 */
#ifndef LF_APP_SERVICE_H
#define LF_APP_SERVICE_H

#include "app/catalog.h"
#include "app/keys.h"
#include "app/ledger.h"
#include "app/live.h"
#include "app/metrics.h"
#include "app/recorder.h"
#include "app/trends.h"
#include "base/status.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_service;
struct lf_sources;       /* app/sources.h */
struct lf_subscriptions; /* app/subscriptions.h */
struct lf_idempotency;   /* app/idempotency.h */

struct lf_service_options {
    const char *db;
    size_t queue, batch; /* as in struct lf_recorder_options */
    int64_t stall_ms;
    enum lf_kept kept;          /* what of a lead is recorded */
    const char *never_store;    /* as of core/privacy.h; NULL or "": nothing */
    int retention_days;         /* 0: for ever */
    unsigned rate_limit;        /* requests a second and key, 0: none */
    size_t routes;              /* that are counted, 0: none */
    bool open_metrics;          /* /metrics answers everybody */
    const char *public_url;     /* what callers write before a path; NULL or "": unknown */
    int64_t idempotency_ms;     /* answers are given again for so long; 0: a day */
    bool allow_private_targets; /* of events */
    int64_t outbox_max;         /* events that may wait for one subscription; 0: 100,000 */
    const char *ca_file;        /* for targets of events; NULL or "": the system's */
};

/* Opens the store, loads ICPs and keys, counts what an earlier schema recorded (which is logged, and may take minutes),
 * starts the recorder and, in the background, the keeper and a look over the database. CONFIG for a never_store that
 * cannot be read. */
enum lf_status lf_service_start(const struct lf_service_options *options, struct lf_service **ret_service,
                                struct lf_error *error) LF_MUST_CHECK;

/* From now on /readyz says no. */
void lf_service_drain(struct lf_service *service);

/* Changes that have not begun by then, long lists on their way to the disk and the reading of many scores give up with
 * NOT_READY, having changed nothing, once so many milliseconds are over: so that a stop takes no longer. */
void lf_service_give_up_in(struct lf_service *service, int64_t ms);

/* NOT_READY once that moment has come. */
enum lf_status lf_service_check_time(struct lf_service *service, struct lf_error *error) LF_MUST_CHECK;

/* Notes keys' uses, records and settles what waits, checkpoints, closes, frees. No request may be left. NULL is fine.
 */
void lf_service_stop(struct lf_service *service);

struct lf_live *lf_service_live(struct lf_service *service);
struct lf_recorder *lf_service_recorder(struct lf_service *service);
struct lf_ledger *lf_service_ledger(struct lf_service *service);
struct lf_catalog *lf_service_catalog(struct lf_service *service);
struct lf_metrics *lf_service_metrics(struct lf_service *service);
struct lf_trends *lf_service_trends(struct lf_service *service);
const struct lf_privacy *lf_service_privacy(const struct lf_service *service);
bool lf_service_open_metrics(const struct lf_service *service);
struct lf_sources *lf_service_sources(struct lf_service *service);
struct lf_subscriptions *lf_service_subscriptions(struct lf_service *service);
struct lf_idempotency *lf_service_idempotency(struct lf_service *service);
const char *lf_service_public_url(const struct lf_service *service); /* without a slash at the end; "" for none */
bool lf_service_allows_private_targets(const struct lf_service *service);

/* Has all settled that was recorded before the call (app/ledger.h): before reading leads and what became of them. */
enum lf_status lf_service_settle(struct lf_service *service, struct lf_error *error) LF_MUST_CHECK;

struct lf_keyring *lf_service_keyring(struct lf_service *service);

/* Changes of ICPs and lists happen one after the other: held from the first look to the swap of what is live
 * (app/editing.h). Returns whether it had to wait. */
bool lf_service_lock_editing(struct lf_service *service);
void lf_service_unlock_editing(struct lf_service *service);

/* The same for API keys, sources and subscriptions, so that revoking one waits for no long list. */
void lf_service_lock_keys(struct lf_service *service);
void lf_service_unlock_keys(struct lf_service *service);

/* Has what replaced and deleted lists left over in the store swept away, in the background, a little at a time. */
void lf_service_sweep_lists(struct lf_service *service);

/* The generation that is being filled (lf_store_begin_list), which is not to be swept; 0 when it is put or given up. */
void lf_service_spare_list(struct lf_service *service, int64_t generation);

/* Lets a key in; as lf_keyring_admit. */
enum lf_status lf_service_admit(struct lf_service *service, const char *text, char ret_id[LF_API_KEY_ID_MAX + 1],
                                uint32_t *ret_scopes) LF_MUST_CHECK;

/* A reader for the time of one request; given back afterwards. */
enum lf_status lf_service_borrow_reader(struct lf_service *service, struct lf_store_reader **ret_reader,
                                        struct lf_error *error) LF_MUST_CHECK;
void lf_service_return_reader(struct lf_service *service, struct lf_store_reader *reader);

/* Whether scores can be taken and recorded now; NOT_READY or STORAGE_FULL with the reason else. Commits a probe, at
 * most one a second. */
enum lf_status lf_service_ready(struct lf_service *service, struct lf_error *error) LF_MUST_CHECK;

/* Whether writing has ended for good (an I/O error, a damaged database): the process should end. */
bool lf_service_failed(struct lf_service *service);

#endif
