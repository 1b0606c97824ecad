/*
 * score_change.h - why a recorded score of a lead is not the one before: its data, the profile, or time.
 *
 * Three things can change a score: what is known of the lead; the ICP, by another version or by other lists; and the
 * passing of time, for conditions about days and for what fades. The change is split by taking one step after the
 * other: first the new lead under the old version as of the old time, then the new version, then the new time. Each
 * cause gets the difference that its step made, in hundredths of a point, so that the three add up to the change.
 *
 * Both ends are the recorded scores; the two scores in the middle are computed, and only where a step may have changed
 * something. What was recorded of lists and of fields that were not kept takes part in that, as far as it was asked
 * then; where a list was changed since and its old answer is not known, or a value was not kept, the causes cannot be
 * told apart. Belongs to one thread.
 */
#ifndef LF_APP_SCORE_CHANGE_H
#define LF_APP_SCORE_CHANGE_H

#include "app/catalog.h"
#include "base/arena.h"
#include "base/status.h"
#include "core/named_list.h"
#include "core/privacy.h"
#include "core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A recorded score under one ICP. */
struct lf_scored {
    int64_t as_of_ms;
    const struct lf_record *record;
    const struct lf_cataloged *const *versions; /* of the record's results, in their order */
    size_t result;                              /* which of them it is */
    int score;                                  /* hundredths */
};

/* In hundredths; what does not hold exactly stands at one of its possible causes: at the data where the kept inputs
 * differ or are not there, else at the profile where that differs, else at time. */
struct lf_score_change {
    int data, profile, time; /* add up to the difference of the two scores */
    bool exact;
};

enum { LF_CHANGE_PROGRAMS = 32 };

/* What is needed to tell changes, one after the other. Versions are compiled once for many changes. */
struct lf_score_changes {
    struct lf_list_source lists;      /* as of now */
    const struct lf_privacy *privacy; /* as of now; NULL: nothing is kept back */
    struct lf_arena *arena;           /* for the change at hand */
    struct {
        int64_t version_id;
        struct lf_program *program;
    } programs[LF_CHANGE_PROGRAMS];
    size_t program_count;
};

/* The lists and the privacy stay as long. OUT_OF_MEMORY. */
enum lf_status lf_score_changes_init(struct lf_score_changes *changes, const struct lf_list_source *lists,
                                     const struct lf_privacy *privacy, struct lf_error *error) LF_MUST_CHECK;

/* Also of one that is all zeros. */
void lf_score_changes_finish(struct lf_score_changes *changes);

/* Tells why `after` is not `before`; both are of one lead and one ICP. Versions that were met stay held as long as the
 * changes. STORAGE_CORRUPT where a record is damaged, OUT_OF_MEMORY. */
enum lf_status
lf_score_changes_tell(struct lf_score_changes *changes, const struct lf_scored *before, const struct lf_scored *after,
                      struct lf_score_change *ret_change, struct lf_error *error) LF_MUST_CHECK;

#endif
