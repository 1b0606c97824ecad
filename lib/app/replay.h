/*
 * replay.h - the latest recorded leads, each once, as they were: for impact, for lint, for comparing ICPs.
 *
 * A lead's latest score stands for it; scores without a lead id stand for one lead each. Leads that were erased are
 * passed over. Blocking: reads the disk.
 */
#ifndef LF_APP_REPLAY_H
#define LF_APP_REPLAY_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "core/record.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Scores: how many are looked at to find the leads. Leads that are scored again and again, or scores that do not
 * count, end a replay there: it takes a second or two, and not as long as there are scores. */
enum { LF_REPLAY_LEADS_MAX = 100000, LF_REPLAY_SCORES_MAX = 1000000 };

/* One recorded lead; gone when the callback returns. */
struct lf_replayed {
    const struct lf_stored_score *score; /* id, lead_id, as_of_ms */
    const struct lf_record *record;      /* its results, not decoded, and what of the lead was kept */
    const struct lf_json *input; /* the lead as stored, an object; NULL where inputs were not asked for, and where
                                  * no values were kept (hashes and less) */
};

struct lf_replay_options {
    int64_t from_ms, to_ms; /* scored at or after, and before; INT64_MIN and INT64_MAX for all of time */
    size_t leads;           /* at most so many, 1..LF_REPLAY_LEADS_MAX: the latest ones */
    bool inputs;            /* parse the inputs */
    /* Whether a score counts; the latest one that does stands for its lead. NULL: all do. */
    enum lf_status (*counts)(void *context, const struct lf_record *record, bool *ret_counts, struct lf_error *error);
};

/* Calls `each` for the latest leads, newest first; a value other than LF_OK ends it. arena is for what lives until the
 * end (which leads were seen); `each` gets an arena of its own, reset before every call. context goes to counts, too.
 * *ret_leads: how many there were. STORAGE_CORRUPT, OUT_OF_MEMORY, and what `each` and `counts` say. */
enum lf_status
lf_replay(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_replay_options *options,
          enum lf_status (*each)(void *context, const struct lf_replayed *lead, struct lf_arena *arena,
                                 struct lf_error *error),
          void *context, size_t *ret_leads, struct lf_error *error) LF_MUST_CHECK;

/* The id of a score's lead, NUL-terminated, in *text of *room bytes, which is taken from the arena where it is too
 * small and used again for the next one. false: out of memory. */
bool
lf_replay_copy_id(struct lf_arena *arena, const struct lf_stored_score *score, char **text, size_t *room) LF_MUST_CHECK;

#endif
