/*
 * metrics_put.h - what the files of GET /metrics share: Prometheus' text format, and the parts of the answer.
 *
 * For metrics.c and metrics_exchange.c.
 */
#ifndef LF_API_METRICS_PUT_H
#define LF_API_METRICS_PUT_H

#include "app/service.h"
#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Append the lines that a family begins with; `name="value"`, behind a comma where it is not the first; a family of one
 * sample without labels (places: of the value's decimal). */
void lf_metric_put_family(struct lf_buf *buf, const char *name, const char *type, const char *help);
void lf_metric_put_label(struct lf_buf *buf, bool first, const char *name, const char *value);
void lf_metric_put_single(struct lf_buf *buf, const char *name, const char *type, const char *help, int64_t value,
                          int places);

/* Append what is known of webhooks, sources, repeated requests and subscriptions; and what of the outbox has to be
 * read.
 */
void lf_metrics_put_exchange(struct lf_buf *buf, struct lf_arena *scratch, struct lf_service *service);
void lf_metrics_put_outbox(struct lf_buf *buf, struct lf_arena *scratch, struct lf_service *service,
                           struct lf_store_reader *reader);

#endif
