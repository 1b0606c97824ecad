/*
 * window.h - a time whose roll-ups are to be summed: which months, days and hours cover it exactly.
 *
 * Roll-ups are kept by the hour, the day and the month, in UTC. A window of whole hours is covered by the longest of
 * them that fit: at most 23 hours and 30 days at either end, and months in between, so that a year costs no more rows
 * than a week. The cover is pure; what sums reads from the store.
 */
#ifndef LF_APP_WINDOW_H
#define LF_APP_WINDOW_H

#include "app/catalog.h"
#include "base/arena.h"
#include "base/status.h"
#include "core/tally.h"
#include "core/wins.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { LF_WINDOW_PARTS_MAX = 5 };

/* from_hour <= hour < to_hour, hours since 1970-01-01T00:00:00Z. INT64_MIN, INT64_MAX: open at that end. */
struct lf_window {
    int64_t from_hour, to_hour;
};

/* Roll-ups of one span, one after the other without a gap. */
struct lf_window_part {
    enum lf_rollup_span span;
    int64_t from_hour, to_hour;
};

/* The hour in which a moment lies; also before 1970. */
int64_t lf_window_hour(int64_t ms);

/* The beginning of the hour, day or month (in UTC) that the hour lies in. */
int64_t lf_window_span_start(enum lf_rollup_span span, int64_t hour);

/* What covers the window with spans no longer than `longest` (hour, day or month), in the order of time. Returns how
 * many parts; none where the window is empty. */
size_t lf_window_cover(struct lf_window window, enum lf_rollup_span longest,
                       struct lf_window_part ret_parts[LF_WINDOW_PARTS_MAX]);

/* Walks over a version's roll-ups of the cover, in the order of time; as lf_store_each_rollup. */
enum lf_status lf_window_each(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                              struct lf_window window, enum lf_rollup_span longest,
                              enum lf_status (*each)(void *context, const struct lf_stored_rollup *rollup),
                              void *context, struct lf_error *error) LF_MUST_CHECK;

/* One version in a window. The entry is held from the first roll-up on: a version that has nothing there is not looked
 * up. The caller releases it. */
struct lf_window_version {
    int64_t version_id;
    const struct lf_cataloged *entry; /* NULL: not held yet, and there is nothing to release */
    struct lf_tally tally;            /* as soon as there is an entry: made by lf_window_hold */
};

/* Holds the version, and makes its empty tally in the arena; does nothing when that has happened. */
enum lf_status lf_window_hold(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena,
                              struct lf_window_version *version, struct lf_error *error) LF_MUST_CHECK;

/* Adds the version's scores of the window to its tally; heads: only those members that lf_tally_add_head reads. To be
 * called within lf_store_hold where several sums have to fit together. */
enum lf_status lf_window_sum(struct lf_catalog *catalog, struct lf_store_reader *reader, struct lf_arena *arena,
                             struct lf_window window, bool heads, struct lf_window_version *version,
                             struct lf_error *error) LF_MUST_CHECK;

/* Adds the version's baseline to a tally of its shape. */
enum lf_status lf_window_sum_baseline(struct lf_store_reader *reader, int64_t version_id, struct lf_tally *tally,
                                      struct lf_error *error) LF_MUST_CHECK;

/* Adds what became of leads in the window; kind: LF_ROLLUP_WINS or LF_ROLLUP_ICP_WINS. */
enum lf_status lf_window_sum_wins(struct lf_store_reader *reader, int64_t version_id, enum lf_rollup_kind kind,
                                  struct lf_window window, struct lf_wins *wins, struct lf_error *error) LF_MUST_CHECK;

#endif
