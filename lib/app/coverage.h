/*
 * coverage.h - which fields of a definition a recorded lead would show, had it had them.
 *
 * A lead that was stored whole shows all of them; one that was stored with fields those that some version it was scored
 * under reads, for what is read is stored with all that is in it; others show none. Fields that are never stored are
 * not shown, whatever was so when the lead was recorded. Not thread-safe: it belongs to one run over recorded scores.
 */
#ifndef LF_APP_COVERAGE_H
#define LF_APP_COVERAGE_H

#include "app/versions.h"
#include "base/arena.h"
#include "base/status.h"
#include "core/icp.h"
#include "core/privacy.h"
#include "core/record.h"
#include "store/store.h"

#include <stdbool.h>

struct lf_coverage {
    const struct lf_icp *icp;
    struct lf_versions versions;
    /* Of the record that was looked at last: */
    bool *fields; /* by field of the definition: the lead would show it */
    bool own;     /* a version of this ICP scored it; looked for only in one that was stored with fields */
    bool *never;  /* by field of the definition: it is never stored */
};

/* The definition and the arena stay the caller's; the coverage must stay where it is. privacy: what is never stored;
 * NULL: nothing. false: out of memory. */
bool lf_coverage_init(struct lf_coverage *coverage, struct lf_store_reader *reader, const struct lf_privacy *privacy,
                      struct lf_arena *arena, const struct lf_icp *icp) LF_MUST_CHECK;

/* Looks at a record. STORAGE_CORRUPT where a version of it cannot be read; OUT_OF_MEMORY. */
enum lf_status
lf_coverage_look(struct lf_coverage *coverage, const struct lf_record *record, struct lf_error *error) LF_MUST_CHECK;

/* Frees what is held beside the arena; also of one that is all zeros. */
void lf_coverage_finish(struct lf_coverage *coverage);

#endif
