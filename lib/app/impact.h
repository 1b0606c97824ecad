/*
 * impact.h - what a draft would change: the latest recorded leads scored under it and under the active version, from
 * what was stored, at the time they were scored (their as_of), with the lists as they are now.
 */
#ifndef LF_APP_IMPACT_H
#define LF_APP_IMPACT_H

#include "base/arena.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/named_list.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { LF_IMPACT_SAMPLE = 10000, LF_IMPACT_MOVERS = 10 /* each way */ };

/* How many leads went from one grade to another. */
struct lf_impact_cell {
    const char *from, *to; /* grade or "DQ"; from is "" where nothing was active */
    size_t count;          /* at least 1 */
};

/* What one attribute contributed to a lead's change of score. */
struct lf_impact_part {
    const char *attribute; /* key */
    int change;            /* hundredths of the score, not 0 */
};

/* A lead whose score moves much, or that becomes or stops being disqualified. */
struct lf_mover {
    const char *lead_id; /* "" for none */
    struct lf_ulid score_id;
    const char *from, *to;
    int from_score, to_score;           /* hundredths */
    const char *reason;                 /* "Competitor": of a lead that becomes disqualified; else "" */
    const struct lf_impact_part *parts; /* largest first; they add up to to_score - from_score exactly */
    size_t part_count;
};

struct lf_impact {
    int from_version; /* 0: nothing was active */
    size_t leads;
    const struct lf_impact_cell *cells; /* by grade, best first, DQ last */
    size_t cell_count;
    int mean_change;               /* hundredths of the score, rounded half away from zero */
    size_t changed;                /* leads whose grade changes; 0 where nothing was active */
    int changed_pct;               /* hundredths of a percent, rounded half up */
    const struct lf_mover *movers; /* up first, largest first, then down, largest first */
    size_t mover_count;
    /* Fields of the draft, then of the active version, that some of the leads were not stored with (store_lead =
     * fields, never_store): there they count as missing. */
    const char *const *unstored;
    size_t unstored_count;
};

/* What is asked. Both definitions stay the caller's. */
struct lf_impact_options {
    const struct lf_icp *draft, *active; /* active: NULL where nothing is */
    int active_version;
    const struct lf_list_source *lists;
    const struct lf_privacy *privacy; /* what is never stored; NULL: nothing */
    size_t sample; /* 1..LF_REPLAY_LEADS_MAX leads, those that were stored whole, or with fields and scored under a
                    * version of this ICP */
};

/* Names in *ret_impact are borrowed from the definitions. */
enum lf_status
lf_impact_compute(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_impact_options *options,
                  struct lf_impact *ret_impact, struct lf_error *error) LF_MUST_CHECK;

#endif
