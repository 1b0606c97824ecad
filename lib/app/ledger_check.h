/*
 * ledger_check.h - what the halves of lf_ledger_check share: counts of scores (ledger_check_scores.c), and counts of
 * leads (ledger_check_leads.c).
 *
 * For lib/app/ledger*.c alone.
 */
#ifndef LF_APP_LEDGER_CHECK_H
#define LF_APP_LEDGER_CHECK_H

#include "app/ledger_books.h"
#include "app/ledger_wins.h"
#include "base/arena.h"
#include "base/findings.h"
#include "base/status.h"
#include "store/store.h"

#include <stdint.h>

/* A version, and what has been counted of it by time. */
struct lf_checked_tally {
    struct lf_arena *arena;
    struct lf_tally tally;
    int64_t start_hour, end_hour;
    int64_t nameless; /* of its scores those whose lead was erased: whose first they were, nobody knows */
    int64_t *starts;  /* of all that have been compared, ascending */
    size_t start_count, start_cap;
    bool open;
};

struct lf_checked_version {
    int64_t version_id;
    const struct lf_cataloged *version;
    struct lf_checked_tally spans[LF_SPAN_COUNT];
};

struct lf_check {
    struct lf_store_reader *reader;
    struct lf_arena *arena;    /* for as long as the check */
    struct lf_arena *walking;  /* of one block or lead */
    struct lf_arena *decoding; /* of one score */
    struct lf_arena *scratch;  /* of one row or lead */
    struct lf_holding holding;
    struct lf_findings *findings;
    struct lf_store_progress progress;
    struct lf_checked_version *versions; /* by id */
    size_t version_count, version_cap;
    int64_t rollups; /* compared */
};

/* Says that a row of counts is wrong; what: in words. */
void lf_check_fault(struct lf_check *check, const struct lf_cataloged *version, enum lf_rollup_kind kind,
                    enum lf_rollup_span span, int64_t start_hour, const char *what);

/* Whether it may lack what was pruned: nothing can be said of it. */
bool lf_check_is_pruned(const struct lf_check *check, int64_t start_hour);

/* Notes all versions there are, parsed; the one of that id, NULL where there is none. */
enum lf_status lf_check_load_versions(struct lf_check *check, struct lf_error *error) LF_MUST_CHECK;
struct lf_checked_version *lf_check_find_version(struct lf_check *check, int64_t version_id);

/* Counts all scores anew and compares; first, for it also looks how far all is, and what versions there are. */
enum lf_status lf_check_scores(struct lf_check *check, struct lf_error *error) LF_MUST_CHECK;

/* Counts all leads anew and compares. */
enum lf_status lf_check_leads(struct lf_check *check, struct lf_error *error) LF_MUST_CHECK;

#endif
