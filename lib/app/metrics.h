/*
 * metrics.h - what the running service counts about itself: requests, commits, webhooks. For GET /metrics and nobody
 * else.
 *
 * Counting is a few atomic additions, from any thread and without a lock; it never fails. Names and labels of what is
 * told stand in api/metrics.c.
 */
#ifndef LF_APP_METRICS_H
#define LF_APP_METRICS_H

#include "base/status.h"
#include "core/mapping.h"

#include <stddef.h>
#include <stdint.h>

struct lf_metrics;

/* routes: how many there are; requests that met none have a place of their own. NULL: out of memory. */
struct lf_metrics *lf_metrics_create(size_t routes) LF_MUST_CHECK;
void lf_metrics_destroy(struct lf_metrics *metrics);

/* Upper bounds of the histograms' buckets; what is above counts only in the sum and the count. */
enum { LF_DURATION_BUCKETS = 14, LF_SIZE_BUCKETS = 11 };
extern const int64_t LF_DURATION_BOUNDS_US[LF_DURATION_BUCKETS]; /* 100 us to 10 s */
extern const int64_t LF_SIZE_BOUNDS[LF_SIZE_BUCKETS];            /* 1 to 1024 */

struct lf_histogram {
    int64_t buckets[LF_DURATION_BUCKETS]; /* not cumulated; as many as there are bounds */
    int64_t count, sum;
};

/* One answered request of a route (`routes` for none); status: HTTP, 0 where the client went before. */
void lf_metrics_request(struct lf_metrics *metrics, size_t route, int status, int64_t duration_us);

/* One commit of recorded scores. NULL is fine. */
void lf_metrics_commit(struct lf_metrics *metrics, size_t scores, int64_t duration_us);

/* What became of a webhook. X(NAME, word) */
#define LF_WEBHOOK_RESULT_LIST(X)                                                                              \
    X(SCORED, "scored")     /* recorded, and answered with the score */                                        \
    X(REPEATED, "repeated") /* the answer of before was given again */                                         \
    X(UNSCORED, "unscored") /* it held no lead that could be scored; or nothing was to be done (a deletion) */ \
    X(REFUSED, "refused")   /* a bad signature, no right, not JSON, a key that stood for another delivery */   \
    X(FAILED, "failed")     /* our fault: busy, the disk, memory */

enum lf_webhook_result {
#define LF_X(name, word) LF_WEBHOOK_##name,
    LF_WEBHOOK_RESULT_LIST(LF_X)
#undef LF_X
        LF_WEBHOOK_RESULT_COUNT
};

/* One answered webhook of a source of that kind. */
void lf_metrics_webhook(struct lf_metrics *metrics, enum lf_crm crm, enum lf_webhook_result result);

/* What has been counted of a route: by status (each status that came up), and its durations. */
void lf_metrics_each_status(struct lf_metrics *metrics, size_t route,
                            void (*each)(void *context, int status, int64_t count), void *context);
void lf_metrics_durations(struct lf_metrics *metrics, size_t route, struct lf_histogram *ret_durations);

/* How many webhooks of that kind ended so. */
int64_t lf_metrics_webhooks(const struct lf_metrics *metrics, enum lf_crm crm, enum lf_webhook_result result);

/* Of commits. */
void lf_metrics_commits(struct lf_metrics *metrics, struct lf_histogram *ret_sizes, struct lf_histogram *ret_durations);

#endif
