/* service.c - see service.h. */
#include "app/service.h"

#include "app/courier.h"
#include "app/idempotency.h"
#include "app/keeper.h"
#include "app/sources.h"
#include "app/subscriptions.h"
#include "base/findings.h"
#include "base/log.h"
#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS_KEPT = 8,
    PROBE_EVERY_MS = 1000,
    KEEP_EVERY_MS = 60000, /* "last used" is for people, and each note of it is a commit */
    REFUSALS_EVERY_MS = 2000,
    PRUNE_EVERY_MS = 60000,
    DRIFT_EVERY_MS = 30000,
    DELIVERIES_DAYS = 7,     /* of those that have ended; as long as anybody looks for them, */
    DELIVERIES_KEPT = 10000, /* and as many of a subscription */
    SWEEP_REST_MS = 5,       /* several commits' time, so that a sweep takes but a part of the disk's */
    SETTLE_MS = 2000,        /* of a stop, at most */
    POST_TIMEOUT_MS = 20000, /* Standard Webhooks: 15 to 30 s */
    POSTS_EACH = 8,          /* at a time for one subscription: 80 a second to a target that takes 100 ms */
    OUTBOX_MAX = 100000,
    DAY_MS = 86400000,
    PRIVACY_CHUNK = 4096,
    PRIVACY_MAX = 1 << 20, /* far above what a setting's patterns take */
};

struct lf_service {
    struct lf_store *store;
    struct lf_recorder *recorder;
    struct lf_live live;
    struct lf_keyring *keyring;
    struct lf_keeper *keeper;
    struct lf_catalog *catalog;
    struct lf_ledger *ledger;
    struct lf_metrics *metrics;
    struct lf_trends *trends;
    struct lf_arena *arena; /* of the privacy */
    const struct lf_privacy *privacy;
    bool open_metrics;
    struct lf_sources *sources;
    struct lf_subscriptions *subscriptions;
    struct lf_idempotency *idempotency;
    struct lf_courier *courier;
    char *public_url; /* in the arena */
    bool allow_private_targets;

    pthread_mutex_t editing; /* held for the whole of a change (app/editing.h) */
    pthread_mutex_t keys;    /* the same for API keys */
    pthread_mutex_t lock;    /* over the readers and the probe */
    struct lf_store_reader *readers[READERS_KEPT];
    size_t reader_count;
    int64_t probed_at_ns;
    enum lf_status probed;
    struct lf_error probe_error;

    pthread_t inspector; /* looks the database over, once */
    bool inspecting;
    atomic_bool stop_inspecting, draining, damaged;
    _Atomic int64_t give_up_ns; /* monotonic; INT64_MAX: not at all */
};

/* A damaged database found while serving: nothing more is acknowledged, and the process ends. */
static void *
inspect(void *argument)
{
    struct lf_service *service = argument;
    struct lf_store_reader *reader = NULL;
    struct lf_arena *arena = lf_arena_create(65536, 64 << 20);
    struct lf_findings findings;
    struct lf_error error;
    enum lf_status status = LF_OUT_OF_MEMORY;
    int64_t began = lf_time_monotonic_ns();

    if (arena != NULL) {
        lf_findings_init(&findings, arena);
        status = lf_store_reader_open(service->store, &reader, &error);
        if (status == LF_OK)
            status = lf_store_check(reader, true, &service->stop_inspecting, &findings, &error);
        if (atomic_load(&service->stop_inspecting)) {
            status = LF_OK;
        } else if (status == LF_STORAGE_CORRUPT || (status == LF_OK && lf_findings_any(&findings))) {
            atomic_store(&service->damaged, true);
            lf_log(LF_LOG_ERROR, "database_damaged",
                   lf_log_text("detail", findings.count > 0 ? findings.items[0].detail
                                         : status != LF_OK  ? error.detail
                                                            : "more is wrong than there is memory to tell"));
        } else if (status != LF_OK) {
            lf_log(LF_LOG_WARN, "database_check_failed", lf_log_text("detail", error.detail));
        } else {
            lf_log(LF_LOG_INFO, "database_checked", lf_log_ms("duration_ms", lf_time_monotonic_ns() - began));
        }
        lf_store_reader_close(reader);
        lf_arena_destroy(arena);
    }
    return NULL;
}

/* ---- life ---- */

/* Told while scores of an earlier schema are counted. */
static void
say_counting(int64_t done, int64_t of)
{
    lf_log(LF_LOG_INFO, "counting_recorded_scores", lf_log_int("blocks", done), lf_log_int("of", of));
}

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while starting");
}

/* What may be kept of leads. */
static enum lf_status
load_privacy(struct lf_service *service, const struct lf_service_options *options, struct lf_store_reader *reader,
             struct lf_error *error)
{
    uint8_t key[LF_SHA256_SIZE];
    enum lf_status status = lf_store_hash_key(reader, key, error);

    service->arena = lf_arena_create(PRIVACY_CHUNK, PRIVACY_MAX);
    if (status == LF_OK && service->arena == NULL)
        status = out_of_memory(error);
    return status == LF_OK
               ? lf_privacy_create(service->arena, options->kept, options->never_store, key, &service->privacy, error)
               : status;
}

/* What passes between this service and CRMs. */
static enum lf_status
load_exchange(struct lf_service *service, const struct lf_service_options *options, struct lf_store_reader *reader,
              struct lf_error *error)
{
    const char *url = options->public_url != NULL ? options->public_url : "";
    size_t len = strlen(url);
    enum lf_status status = lf_sources_load(reader, &service->sources, error);

    while (len > 0 && url[len - 1] == '/')
        len--;
    service->allow_private_targets = options->allow_private_targets;
    service->public_url = lf_arena_copy(service->arena, url, len);
    service->idempotency = lf_idempotency_create(options->idempotency_ms > 0 ? options->idempotency_ms : DAY_MS);
    if (status == LF_OK && (service->public_url == NULL || service->idempotency == NULL))
        status = out_of_memory(error);
    return status == LF_OK ? lf_subscriptions_load(reader, options->outbox_max > 0 ? options->outbox_max : OUTBOX_MAX,
                                                   &service->subscriptions, error)
                           : status;
}

/* What scores add up to; where an earlier schema recorded them it takes its time. */
static enum lf_status
start_ledger(struct lf_service *service, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    service->catalog = lf_catalog_create();
    if (service->catalog == NULL)
        return out_of_memory(error);
    status = lf_ledger_create(service->store, service->catalog, &service->ledger, error);
    if (status != LF_OK)
        return status;
    lf_ledger_tell(service->ledger, service->subscriptions);
    return lf_ledger_catch_up(service->ledger, say_counting, error);
}

static enum lf_status
start_threads(struct lf_service *service, const struct lf_service_options *options, struct lf_error *error)
{
    struct lf_recorder_options recorder = {.queue = options->queue,
                                           .batch = options->batch,
                                           .stall_ms = options->stall_ms,
                                           .commit = lf_ledger_record,
                                           .tend = lf_ledger_tend,
                                           .context = service->ledger,
                                           .metrics = service->metrics};
    struct lf_keeper_options keeper = {.every_ms = KEEP_EVERY_MS,
                                       .rest_ms = SWEEP_REST_MS,
                                       .ledger = service->ledger,
                                       .retention_days = options->retention_days,
                                       .sources = service->sources,
                                       .refusals_ms = REFUSALS_EVERY_MS,
                                       .answers_ms = lf_idempotency_keep_ms(service->idempotency),
                                       .deliveries_ms = DELIVERIES_DAYS * (int64_t)DAY_MS,
                                       .deliveries_kept = DELIVERIES_KEPT,
                                       .prune_ms = PRUNE_EVERY_MS,
                                       .service = service,
                                       .drift_ms = DRIFT_EVERY_MS};
    struct lf_courier_options courier = {
        .poster = {.allow_private = options->allow_private_targets,
                   .ca_file = options->ca_file,
                   .timeout_ms = POST_TIMEOUT_MS},
        .each = POSTS_EACH,
    };
    enum lf_status status = lf_recorder_start(service->store, &recorder, &service->recorder, error);

    if (status == LF_OK)
        status = lf_keeper_start(service->recorder, service->keyring, &keeper, &service->keeper, error);
    if (status == LF_OK)
        status = lf_courier_start(service->store, service->recorder, service->subscriptions, &courier,
                                  &service->courier, error);
    return status;
}

static enum lf_status
start(struct lf_service *service, const struct lf_service_options *options, struct lf_error *error)
{
    struct lf_store_options store = {.path = options->db};
    struct lf_store_reader *reader = NULL;
    struct lf_profiles *profiles = NULL;
    enum lf_status status = lf_store_open(&store, &service->store, error);

    if (status == LF_OK)
        status = lf_service_borrow_reader(service, &reader, error);
    if (status == LF_OK)
        status = load_privacy(service, options, reader, error);
    if (status == LF_OK)
        status = lf_live_load(reader, service->privacy, &profiles, error);
    if (status == LF_OK)
        lf_live_replace(&service->live, profiles);
    if (status == LF_OK)
        status = lf_keyring_load(reader, options->rate_limit, &service->keyring, error);
    if (status == LF_OK && ((service->metrics = lf_metrics_create(options->routes)) == NULL ||
                            (service->trends = lf_trends_create()) == NULL))
        status = out_of_memory(error);
    if (status == LF_OK)
        status = load_exchange(service, options, reader, error);
    if (status == LF_OK)
        status = start_ledger(service, error);
    if (status == LF_OK)
        status = start_threads(service, options, error);
    if (reader != NULL)
        lf_service_return_reader(service, reader);
    return status;
}

enum lf_status
lf_service_start(const struct lf_service_options *options, struct lf_service **ret_service, struct lf_error *error)
{
    struct lf_service *service = calloc(1, sizeof *service);
    enum lf_status status = LF_OK;

    if (service == NULL)
        return out_of_memory(error);
    (void)pthread_mutex_init(&service->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_mutex_init(&service->editing, NULL);
    (void)pthread_mutex_init(&service->keys, NULL);
    lf_live_init(&service->live);
    atomic_init(&service->stop_inspecting, false);
    atomic_init(&service->draining, false);
    atomic_init(&service->damaged, false);
    atomic_init(&service->give_up_ns, INT64_MAX);
    service->open_metrics = options->open_metrics;
    status = start(service, options, error);
    if (status != LF_OK) {
        lf_service_stop(service);
        return status;
    }
    service->inspecting = pthread_create(&service->inspector, NULL, inspect, service) == 0;
    *ret_service = service;
    return LF_OK;
}

void
lf_service_drain(struct lf_service *service)
{
    atomic_store(&service->draining, true);
}

void
lf_service_give_up_in(struct lf_service *service, int64_t ms)
{
    int64_t at_ns = lf_time_monotonic_ns() + ms * INT64_C(1000000);

    atomic_store(&service->give_up_ns, at_ns);
    lf_store_read_until(service->store, at_ns);
}

enum lf_status
lf_service_check_time(struct lf_service *service, struct lf_error *error)
{
    if (lf_time_monotonic_ns() < atomic_load_explicit(&service->give_up_ns, memory_order_relaxed))
        return LF_OK;
    return lf_fail(error, LF_NOT_READY, "the service is stopping; nothing was changed");
}

/* Settles what waits, now that nobody else writes; for a while, for the next start does what is left. */
static void
settle_rest(struct lf_service *service)
{
    int64_t until_ns = lf_time_monotonic_ns() + SETTLE_MS * INT64_C(1000000);
    struct lf_error error;
    bool more = false;
    enum lf_status status = LF_OK;

    do
        status = lf_ledger_tend(service->ledger, service->store, true, &more, &error);
    while (status == LF_OK && (more || lf_ledger_depth(service->ledger) > 0) && lf_time_monotonic_ns() < until_ns);
    if (status != LF_OK)
        lf_log(LF_LOG_WARN, "not_settled", lf_log_text("error", error.detail));
}

void
lf_service_stop(struct lf_service *service)
{
    bool settle = false;

    if (service == NULL)
        return;
    atomic_store(&service->stop_inspecting, true);
    if (service->inspecting)
        (void)pthread_join(service->inspector, NULL);
    lf_courier_stop(service->courier);
    lf_keeper_stop(service->keeper);
    settle = service->recorder != NULL && !lf_recorder_failed(service->recorder);
    lf_recorder_stop(service->recorder);
    if (settle)
        settle_rest(service);
    lf_ledger_destroy(service->ledger);
    for (size_t i = 0; i < service->reader_count; i++)
        lf_store_reader_close(service->readers[i]);
    lf_store_close(service->store);
    lf_live_finish(&service->live);
    lf_keyring_destroy(service->keyring);
    lf_catalog_destroy(service->catalog);
    lf_sources_destroy(service->sources);
    lf_subscriptions_destroy(service->subscriptions);
    lf_idempotency_destroy(service->idempotency);
    lf_metrics_destroy(service->metrics);
    lf_trends_destroy(service->trends);
    lf_arena_destroy(service->arena);
    (void)pthread_mutex_destroy(&service->lock);
    (void)pthread_mutex_destroy(&service->editing);
    (void)pthread_mutex_destroy(&service->keys);
    free(service);
}

struct lf_live *
lf_service_live(struct lf_service *service)
{
    return &service->live;
}

struct lf_recorder *
lf_service_recorder(struct lf_service *service)
{
    return service->recorder;
}

struct lf_ledger *
lf_service_ledger(struct lf_service *service)
{
    return service->ledger;
}

struct lf_catalog *
lf_service_catalog(struct lf_service *service)
{
    return service->catalog;
}

struct lf_metrics *
lf_service_metrics(struct lf_service *service)
{
    return service->metrics;
}

struct lf_trends *
lf_service_trends(struct lf_service *service)
{
    return service->trends;
}

const struct lf_privacy *
lf_service_privacy(const struct lf_service *service)
{
    return service->privacy;
}

bool
lf_service_open_metrics(const struct lf_service *service)
{
    return service->open_metrics;
}

struct lf_sources *
lf_service_sources(struct lf_service *service)
{
    return service->sources;
}

struct lf_subscriptions *
lf_service_subscriptions(struct lf_service *service)
{
    return service->subscriptions;
}

struct lf_idempotency *
lf_service_idempotency(struct lf_service *service)
{
    return service->idempotency;
}

const char *
lf_service_public_url(const struct lf_service *service)
{
    return service->public_url;
}

bool
lf_service_allows_private_targets(const struct lf_service *service)
{
    return service->allow_private_targets;
}

enum lf_status
lf_service_settle(struct lf_service *service, struct lf_error *error)
{
    return lf_ledger_settle(service->ledger, service->recorder, error);
}

struct lf_keyring *
lf_service_keyring(struct lf_service *service)
{
    return service->keyring;
}

bool
lf_service_lock_editing(struct lf_service *service)
{
    if (pthread_mutex_trylock(&service->editing) == 0)
        return false;
    (void)pthread_mutex_lock(&service->editing);
    return true;
}

void
lf_service_unlock_editing(struct lf_service *service)
{
    (void)pthread_mutex_unlock(&service->editing);
}

void
lf_service_lock_keys(struct lf_service *service)
{
    (void)pthread_mutex_lock(&service->keys);
}

void
lf_service_unlock_keys(struct lf_service *service)
{
    (void)pthread_mutex_unlock(&service->keys);
}

void
lf_service_sweep_lists(struct lf_service *service)
{
    lf_keeper_sweep(service->keeper);
}

void
lf_service_spare_list(struct lf_service *service, int64_t generation)
{
    lf_keeper_spare(service->keeper, generation);
}

enum lf_status
lf_service_admit(struct lf_service *service, const char *text, char ret_id[LF_API_KEY_ID_MAX + 1], uint32_t *ret_scopes)
{
    return lf_keyring_admit(service->keyring, text, lf_time_now_ms(), lf_time_monotonic_ns(), ret_id, ret_scopes);
}

enum lf_status
lf_service_borrow_reader(struct lf_service *service, struct lf_store_reader **ret_reader, struct lf_error *error)
{
    struct lf_store_reader *reader = NULL;

    (void)pthread_mutex_lock(&service->lock);
    if (service->reader_count > 0)
        reader = service->readers[--service->reader_count];
    (void)pthread_mutex_unlock(&service->lock);
    if (reader == NULL)
        return lf_store_reader_open(service->store, ret_reader, error);
    *ret_reader = reader;
    return LF_OK;
}

void
lf_service_return_reader(struct lf_service *service, struct lf_store_reader *reader)
{
    (void)pthread_mutex_lock(&service->lock);
    if (service->reader_count < READERS_KEPT) {
        service->readers[service->reader_count++] = reader;
        reader = NULL;
    }
    (void)pthread_mutex_unlock(&service->lock);
    lf_store_reader_close(reader);
}

bool
lf_service_failed(struct lf_service *service)
{
    return atomic_load(&service->damaged) || lf_recorder_failed(service->recorder);
}

static enum lf_status
probe(struct lf_store *store, void *argument, struct lf_error *error)
{
    (void)argument;
    return lf_store_probe(store, error);
}

enum lf_status
lf_service_ready(struct lf_service *service, struct lf_error *error)
{
    int64_t now_ns = lf_time_monotonic_ns();
    enum lf_status status = LF_OK;
    bool due = false;

    if (atomic_load(&service->draining))
        return lf_fail(error, LF_NOT_READY, "the service is stopping");
    if (lf_service_failed(service))
        return lf_fail(error, LF_NOT_READY, "the database failed: the service is ending, see its log");
    (void)pthread_mutex_lock(&service->lock);
    due = service->probed_at_ns == 0 || now_ns - service->probed_at_ns >= PROBE_EVERY_MS * INT64_C(1000000);
    if (due)
        service->probed_at_ns = now_ns; /* others go by the last answer meanwhile */
    status = service->probed;
    if (status != LF_OK && error != NULL)
        *error = service->probe_error;
    (void)pthread_mutex_unlock(&service->lock);
    if (!due)
        return status;

    struct lf_error found = {.status = LF_OK};
    status = lf_recorder_run(service->recorder, probe, NULL, &found);
    (void)pthread_mutex_lock(&service->lock);
    service->probed = status;
    service->probe_error = found;
    (void)pthread_mutex_unlock(&service->lock);
    if (status != LF_OK && error != NULL)
        *error = found;
    return status;
}
