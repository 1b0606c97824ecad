/* stats_put.h - statistics as JSON. */
#ifndef LF_API_STATS_PUT_H
#define LF_API_STATS_PUT_H

#include "app/stats.h"
#include "base/arena.h"
#include "base/buf.h"

/* Appends the answer of GET /v1/stats. zone: the name of the query's time zone. */
void lf_api_put_stats(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_stats_query *query,
                      const char *zone, const struct lf_stats *stats);

/* Appends `"grades":[…],"count":…,"pct":…`. */
void lf_api_put_penetration(struct lf_buf *buf, const struct lf_penetration *penetration);

#endif
