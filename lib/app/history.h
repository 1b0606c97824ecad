/*
 * history.h - a lead's recorded scores, newest first, each with why it is not the one before of the same ICP.
 *
 * What it takes is bounded: a page reads its own scores and those behind it in which the last ones' previous scores
 * are, and never more than LF_HISTORY_LOOK of them; it is cut short where that, or the memory for what waits for its
 * previous score, would be passed. Then it goes on behind its end, as every page does. Of an entry whose previous score
 * was not found within that reach nothing is said but that it is not known: `previous` is missing and `exact` false.
 *
 * Reads what is settled (app/ledger.h). Belongs to one thread.
 */
#ifndef LF_APP_HISTORY_H
#define LF_APP_HISTORY_H

#include "app/catalog.h"
#include "app/score_change.h"
#include "base/arena.h"
#include "base/status.h"
#include "base/ulid.h"
#include "core/named_list.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_HISTORY_LOOK = 10000 /* scores of the lead, beyond those that are told */ };

struct lf_history_query {
    const char *lead_id;
    size_t lead_id_len;
    const char *icp; /* key; NULL: all */
    bool has_after;  /* only what stands behind this place: */
    struct lf_ulid after_id;
    const char *after_icp; /* the last ICP of that score that was told; "": all of them were */
    size_t limit;
};

/* A lead's score under one ICP. Scores and percentages in hundredths. */
struct lf_history_entry {
    struct lf_ulid score_id; /* its time is scored_at */
    int64_t as_of_ms;
    const char *icp;
    int version;
    bool shadow; /* it was not part of the answer */
    bool qualified;
    int score, coverage, engagement;
    const char *grade, *label;
    bool has_previous;
    struct lf_ulid previous; /* the score before of the same ICP */
    struct lf_score_change change;
};

struct lf_history {
    struct lf_history_entry *entries; /* newest first; of one score by the ICPs' keys */
    size_t count;
    bool more; /* there may be more behind this place: */
    struct lf_ulid next_id;
    const char *next_icp; /* as after_icp */
};

/* What the scores are read with. lists and privacy as of now. */
struct lf_history_source {
    struct lf_store_reader *reader;
    struct lf_catalog *catalog;
    const struct lf_list_source *lists;
    const struct lf_privacy *privacy;
};

/* Reads a page of it into the arena; empty for an unknown lead. STORAGE_CORRUPT, OUT_OF_MEMORY, and as of
 * lf_store_each_lead_score. */
enum lf_status
lf_history_read(const struct lf_history_source *source, struct lf_arena *arena, const struct lf_history_query *query,
                struct lf_history *ret_history, struct lf_error *error) LF_MUST_CHECK;

#endif
