/*
 * window.h - which time a query of statistics is about: tz, from and to, read strictly and moved to whole hours.
 */
#ifndef LF_API_WINDOW_H
#define LF_API_WINDOW_H

#include "app/window.h"
#include "base/buf.h"
#include "base/zone.h"
#include "http/request.h"

#include <stdbool.h>

/* tz: its name as it was asked for, "UTC" where it was not, and the zone, NULL for UTC; in scratch memory. Answers the
 * problem and returns false where there is no such zone. */
bool
lf_api_query_zone(struct lf_request *request, const char **ret_name, const struct lf_zone **ret_zone) LF_MUST_CHECK;

/* A window between two parameters, each RFC 3339 or a date (its midnight in the zone), moved outward to whole hours;
 * open where one is absent. Answers 400 invalid_parameter and returns false where that is no window. */
bool lf_api_query_window(struct lf_request *request, const char *from, const char *to, const struct lf_zone *zone,
                         struct lf_window *ret_window) LF_MUST_CHECK;

/* Append an end of a window: `""` where it is open. */
void lf_api_put_hour(struct lf_buf *buf, int64_t hour);

/* The same in milliseconds: INT64_MIN and INT64_MAX are open. */
void lf_api_put_end(struct lf_buf *buf, int64_t ms);

#endif
