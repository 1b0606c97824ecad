/*
 * ledger_wins.h - the rows of counted leads (core/wins.h) that a slice of settling changes, each read once and put
 * once; and the versions that it needs, each held once.
 *
 * For lib/app/ledger*.c alone. Belongs to one thread; all memory comes from the arena given, which stays as long.
 */
#ifndef LF_APP_LEDGER_WINS_H
#define LF_APP_LEDGER_WINS_H

#include "app/catalog.h"
#include "app/ledger_books.h"
#include "base/arena.h"
#include "base/status.h"
#include "core/record.h"
#include "core/score.h"
#include "core/wins.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Versions that are held together and let go together. */
struct lf_holding {
    struct lf_catalog *catalog;
    struct lf_store_reader *reader;
    struct lf_arena *arena;
    const struct lf_cataloged **slots; /* open addressing, at most half full; NULL: a free place */
    size_t slot_count, count;
};

void lf_holding_init(struct lf_holding *holding, struct lf_catalog *catalog, struct lf_store_reader *reader,
                     struct lf_arena *arena);
void lf_holding_release(struct lf_holding *holding);

/* Statuses as of lf_catalog_hold. */
enum lf_status lf_holding_find(struct lf_holding *holding, int64_t version_id, const struct lf_cataloged **ret_version,
                               struct lf_error *error) LF_MUST_CHECK;

/* A kept result (lf_recorded_result_put), decoded into the arena. STORAGE_CORRUPT when it is none of that version. */
struct lf_kept_result {
    const struct lf_cataloged *version;
    const struct lf_outcome *outcome;
    struct lf_brief brief;
};
enum lf_status
lf_holding_decode(struct lf_holding *holding, struct lf_arena *arena, int64_t version_id, const void *bytes, size_t len,
                  struct lf_kept_result *ret_result, struct lf_error *error) LF_MUST_CHECK;

/* What became of a lead, as it counts. */
struct lf_lead_fate {
    enum lf_fate fate;
    int64_t value; /* of a won one, else 0 */
};
struct lf_lead_fate lf_lead_fate(bool has_outcome, const struct lf_stored_outcome *outcome);

struct lf_wins_row {
    const struct lf_cataloged *version;
    enum lf_rollup_kind kind;
    enum lf_rollup_span span;
    int64_t start_hour;
    struct lf_wins wins;
    bool met; /* for whoever compares */
};

struct lf_wins_rows {
    struct lf_store_reader *reader; /* rows that are met first are read from here; NULL: they begin empty */
    struct lf_arena *arena;
    struct lf_wins_row **slots; /* as above */
    size_t slot_count, count;
};

void lf_wins_rows_init(struct lf_wins_rows *rows, struct lf_store_reader *reader, struct lf_arena *arena);

/* The row; NULL where nothing was counted in it. */
struct lf_wins_row *lf_wins_rows_look(const struct lf_wins_rows *rows, int64_t version_id, enum lf_rollup_kind kind,
                                      enum lf_rollup_span span, int64_t start_hour);

/* Counts a lead by a score of that moment (sign 1), or takes it out again (-1): in its hour, day and month. */
enum lf_status
lf_wins_rows_count(struct lf_wins_rows *rows, enum lf_rollup_kind kind, const struct lf_kept_result *result,
                   int64_t scored_at_ms, struct lf_lead_fate fate, int sign, struct lf_error *error) LF_MUST_CHECK;

/* Puts all rows into the list. */
enum lf_status lf_wins_rows_collect(const struct lf_wins_rows *rows, struct lf_rollup_list *list,
                                    struct lf_error *error) LF_MUST_CHECK;

#endif
