/*
 * penetration.h - how much of what comes in is what each ICP looks for: its share of scores at the two best grades.
 *
 * Summed from roll-ups, like app/stats.h. ICPs that were never published are left out.
 */
#ifndef LF_APP_PENETRATION_H
#define LF_APP_PENETRATION_H

#include "app/catalog.h"
#include "app/stats.h"
#include "app/window.h"
#include "base/arena.h"
#include "base/status.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct lf_icp_penetration {
    const char *icp, *name, *purpose;
    enum lf_icp_state state;
    int64_t scored, leads;
    struct lf_penetration penetration;
};

/* Every published ICP, core ones first, then by key; in the arena. Within one lf_store_hold. */
enum lf_status
lf_penetration_compute(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_arena *arena,
                       struct lf_window window, struct lf_icp_penetration **ret_icps, size_t *ret_count,
                       struct lf_error *error) LF_MUST_CHECK;

#endif
