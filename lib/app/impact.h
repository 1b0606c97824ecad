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
     * fields): there they count as missing. */
    const char *const *unstored;
    size_t unstored_count;
};

/* active: NULL where nothing is. Both definitions stay the caller's; names in *ret_impact are borrowed from them.
 * sample: 1..LF_REPLAY_LEADS_MAX leads, those whose whole input was stored or that were scored under a version of this
 * ICP. */
enum lf_status lf_impact_compute(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_icp *draft,
                                 const struct lf_icp *active, int active_version, const struct lf_list_source *lists,
                                 size_t sample, struct lf_impact *ret_impact, struct lf_error *error) LF_MUST_CHECK;

#endif
