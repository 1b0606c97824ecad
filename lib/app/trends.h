/*
 * trends.h - how the active ICPs have fared in the last day: how far their scores have moved from the baseline, and how
 * many of them are good. For GET /metrics, which asks again and again, and for events of drift (app/events.h); GET
 * /v1/stats tells the whole of it.
 *
 * Summed from roll-ups (app/window.h), so that the time it takes grows with the ICPs and not with the scores. What was
 * found is kept for twenty times as long as it took to find, a quarter of a minute at most: whoever asks, and however
 * many, a twentieth of a processor is what it costs.
 */
#ifndef LF_APP_TRENDS_H
#define LF_APP_TRENDS_H

#include "app/catalog.h"
#include "app/profiles.h"
#include "base/arena.h"
#include "base/status.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

/* The active version of an ICP. */
struct lf_trend {
    const char *icp, *purpose;
    int version;
    int64_t version_id;
    int64_t scored;   /* in the last 24 hours, moved outward to whole hours */
    int64_t best;     /* of them, at the two best grades */
    int64_t baseline; /* scores of its baseline, LF_BASELINE_SCORES (app/ledger.h) once it is complete */
    double psi;       /* of the score, the window against the baseline; 0 where either has none */
    double by_chance; /* what it may reach by chance (lf_psi_by_chance) */
};

struct lf_trends;

/* NULL: out of memory. */
struct lf_trends *lf_trends_create(void) LF_MUST_CHECK;

/* NULL is fine. */
void lf_trends_destroy(struct lf_trends *trends);

/* One for each of the profiles, in their order, or as it was found a moment ago for those of then. In the arena.
 * Thread-safe; who comes while another one looks waits for that. Statuses of the store. */
enum lf_status lf_trends_read(struct lf_trends *trends, struct lf_store_reader *reader, struct lf_catalog *catalog,
                              const struct lf_profiles *profiles, struct lf_arena *arena, struct lf_trend **ret_trends,
                              size_t *ret_count, struct lf_error *error) LF_MUST_CHECK;

#endif
