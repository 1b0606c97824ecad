/*
 * outcomes.h - what became of leads: read from JSON, noted in the store.
 *
 *   {"lead_id": "…", "outcome": "won" | "lost" | "open", "value": 12000, "at": "…"}
 *
 * An outcome says nothing to a score; statistics and comparisons count with it. Of several about one lead the latest
 * by `at` counts.
 */
#ifndef LF_APP_OUTCOMES_H
#define LF_APP_OUTCOMES_H

#include "app/ledger.h"
#include "app/recorder.h"
#include "base/arena.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/status.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

enum {
    LF_OUTCOMES_SLICE = 250,        /* outcomes in one commit: scores are recorded between two of them */
    LF_OUTCOMES_ERRORS_MAX = 1000,  /* that are told */
    LF_OUTCOME_LINE_MAX = 64 * 1024 /* bytes */
};

/* Reads one outcome; every fault goes into the findings, and the status is INVALID_REQUEST then. now_ms stands for an
 * `at` that was not given; one more than a day ahead of it is a fault. Texts are borrowed from the node and the arena.
 * OUT_OF_MEMORY. */
enum lf_status
lf_outcome_read(struct lf_arena *arena, const struct lf_json *node, int64_t now_ms, struct lf_findings *findings,
                struct lf_stored_outcome *ret_outcome, struct lf_error *error) LF_MUST_CHECK;

/* Notes outcomes and counts them, on disk when it returns, in slices of LF_OUTCOMES_SLICE. Waits for the disk. Statuses
 * as of lf_recorder_run and lf_ledger_put_outcomes; what was noted before a failure stays. */
enum lf_status
lf_outcomes_put(struct lf_recorder *recorder, struct lf_ledger *ledger, const struct lf_stored_outcome *outcomes,
                size_t count, struct lf_error *error) LF_MUST_CHECK;

/* A line that is no outcome: the first that is wrong with it. */
struct lf_outcome_fault {
    size_t line;      /* from 1 */
    const char *code; /* static */
    const char *pointer, *detail;
};

struct lf_outcomes_report {
    size_t accepted, refused;        /* lines; blank ones are neither */
    struct lf_outcome_fault *faults; /* the first LF_OUTCOMES_ERRORS_MAX */
    size_t fault_count;
};

/* Reads and notes NDJSON, one outcome a line; blank lines are passed over, a bad one does not hinder the others. The
 * report lives in the arena. Statuses as of lf_outcomes_put; what was noted before a failure stays. */
enum lf_status lf_outcomes_put_lines(struct lf_recorder *recorder, struct lf_ledger *ledger, struct lf_arena *arena,
                                     const char *text, size_t len, int64_t now_ms,
                                     struct lf_outcomes_report *ret_report, struct lf_error *error) LF_MUST_CHECK;

#endif
