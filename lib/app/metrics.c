/*
 * metrics.c - see metrics.h. Nothing here is told, and nothing is read off the system (base/process.h).
 *
 * Every request of every HTTP thread counts here, so counting must not make threads wait for each other's caches: there
 * is one set of counters for each processor, and a thread counts in that of the processor it runs on. A thread that is
 * moved in between is no harm, for each addition is atomic. Reading adds the sets up; whatever it finds is never less
 * than what it found before, and a histogram's count is the sum of its buckets at any time.
 */
#include "app/metrics.h"

#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const int64_t LF_DURATION_BOUNDS_US[LF_DURATION_BUCKETS] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 2500000, 10000000,
};
const int64_t LF_SIZE_BOUNDS[LF_SIZE_BUCKETS] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

enum {
    CACHE_LINE = 64,
    SETS_MAX = 64,
    STATUSES =
        48, /* different ones, twice as many as we answer with (base/status.h); the last takes all further ones */
};

/* Buckets as between the bounds, one more for what is above the last; of sizes the rest stays 0. */
struct counters {
    _Atomic int64_t buckets[LF_DURATION_BUCKETS + 1];
    _Atomic int64_t sum;
};

/* Of one route: eight cache lines, of which a request touches two or three. */
struct route_counters {
    alignas(CACHE_LINE) struct counters durations;
    _Atomic int64_t statuses[STATUSES]; /* by their places in lf_metrics.statuses */
};

struct lf_metrics {
    size_t routes, sets;             /* sets: a power of two */
    struct route_counters *counters; /* [set * (routes + 1) + route] */
    _Atomic int statuses[STATUSES];  /* status + 1, in the order in which they came up; 0: a free place */
    alignas(CACHE_LINE) struct counters commit_sizes;
    struct counters commit_durations;
    _Atomic int64_t
        webhooks[LF_CRM_COUNT][LF_WEBHOOK_RESULT_COUNT]; /* each ends with a commit or so: one set will do */
};

struct lf_metrics *
lf_metrics_create(size_t routes)
{
    struct lf_metrics *metrics = aligned_alloc(CACHE_LINE, sizeof *metrics);
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    size_t size = 0;

    if (metrics == NULL)
        return NULL;
    memset(metrics, 0, sizeof *metrics);
    metrics->routes = routes;
    for (metrics->sets = 1; metrics->sets < SETS_MAX && (long)metrics->sets < processors;)
        metrics->sets *= 2;
    size = metrics->sets * (routes + 1) * sizeof *metrics->counters;
    metrics->counters = aligned_alloc(CACHE_LINE, size);
    if (metrics->counters == NULL) {
        free(metrics);
        return NULL;
    }
    memset(metrics->counters, 0, size);
    return metrics;
}

void
lf_metrics_destroy(struct lf_metrics *metrics)
{
    if (metrics == NULL)
        return;
    free(metrics->counters);
    free(metrics);
}

/* ---- counting ---- */

static void
add(_Atomic int64_t *counter, int64_t value)
{
    (void)atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

static void
observe(struct counters *counters, const int64_t *bounds, size_t count, int64_t value)
{
    size_t at = 0;

    while (at < count && value > bounds[at])
        at++;
    add(&counters->buckets[at], 1);
    add(&counters->sum, value);
}

/* The place of a status, taken by whoever meets it first. There are few, and the commonest came first. */
static size_t
status_place(struct lf_metrics *metrics, int status)
{
    for (size_t i = 0; i < STATUSES - 1; i++) {
        int there = atomic_load_explicit(&metrics->statuses[i], memory_order_relaxed);

        if (there == 0 && atomic_compare_exchange_strong_explicit(&metrics->statuses[i], &there, status + 1,
                                                                  memory_order_relaxed, memory_order_relaxed))
            return i;
        if (there == status + 1) /* also when somebody else took it just now */
            return i;
    }
    return STATUSES - 1;
}

void
lf_metrics_request(struct lf_metrics *metrics, size_t route, int status, int64_t duration_us)
{
    int processor = sched_getcpu(); /* a read of the thread's own memory; -1 where the system cannot say */
    size_t set = processor < 0 ? 0 : (size_t)processor & (metrics->sets - 1);
    struct route_counters *counters = NULL;

    if (route > metrics->routes)
        route = metrics->routes;
    counters = &metrics->counters[set * (metrics->routes + 1) + route];
    add(&counters->statuses[status_place(metrics, status)], 1);
    observe(&counters->durations, LF_DURATION_BOUNDS_US, LF_DURATION_BUCKETS, duration_us);
}

void
lf_metrics_commit(struct lf_metrics *metrics, size_t scores, int64_t duration_us)
{
    if (metrics == NULL)
        return;
    observe(&metrics->commit_sizes, LF_SIZE_BOUNDS, LF_SIZE_BUCKETS, (int64_t)scores);
    observe(&metrics->commit_durations, LF_DURATION_BOUNDS_US, LF_DURATION_BUCKETS, duration_us);
}

void
lf_metrics_webhook(struct lf_metrics *metrics, enum lf_crm crm, enum lf_webhook_result result)
{
    add(&metrics->webhooks[crm][result], 1);
}

/* ---- reading ---- */

static int64_t
value_of(const _Atomic int64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
add_up(const struct counters *counters, size_t buckets, struct lf_histogram *histogram)
{
    for (size_t i = 0; i <= buckets; i++) {
        int64_t count = value_of(&counters->buckets[i]);

        if (i < buckets)
            histogram->buckets[i] += count;
        histogram->count += count;
    }
    histogram->sum += value_of(&counters->sum);
}

void
lf_metrics_each_status(struct lf_metrics *metrics, size_t route, void (*each)(void *context, int status, int64_t count),
                       void *context)
{
    for (size_t place = 0; place < STATUSES; place++) {
        int there = atomic_load_explicit(&metrics->statuses[place], memory_order_relaxed);
        int64_t count = 0;

        for (size_t set = 0; set < metrics->sets; set++)
            count += value_of(&metrics->counters[set * (metrics->routes + 1) + route].statuses[place]);
        if (count > 0)
            each(context, there == 0 ? 0 : there - 1, count);
    }
}

void
lf_metrics_durations(struct lf_metrics *metrics, size_t route, struct lf_histogram *ret_durations)
{
    *ret_durations = (struct lf_histogram){.count = 0};
    for (size_t set = 0; set < metrics->sets; set++)
        add_up(&metrics->counters[set * (metrics->routes + 1) + route].durations, LF_DURATION_BUCKETS, ret_durations);
}

int64_t
lf_metrics_webhooks(const struct lf_metrics *metrics, enum lf_crm crm, enum lf_webhook_result result)
{
    return value_of(&metrics->webhooks[crm][result]);
}

void
lf_metrics_commits(struct lf_metrics *metrics, struct lf_histogram *ret_sizes, struct lf_histogram *ret_durations)
{
    *ret_sizes = *ret_durations = (struct lf_histogram){.count = 0};
    add_up(&metrics->commit_sizes, LF_SIZE_BUCKETS, ret_sizes);
    add_up(&metrics->commit_durations, LF_DURATION_BUCKETS, ret_durations);
}
