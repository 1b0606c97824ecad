/*
 * catalog.h - published versions, parsed once and shared: what counting and statistics need to know of them.
 *
 * A version never changes, so an entry is right for ever. Entries are held while they are used; of those that nobody
 * holds the ones used last stay, up to a number. Thread-safe but for create and destroy.
 */
#ifndef LF_APP_CATALOG_H
#define LF_APP_CATALOG_H

#include "base/status.h"
#include "core/icp.h"
#include "core/score.h"
#include "store/store.h"

#include <stdint.h>

struct lf_catalog;

/* One version. Immutable. */
struct lf_cataloged {
    int64_t version_id, icp_id;
    int version;
    const struct lf_icp *icp;
    const struct lf_scorer *scorer;
    int64_t published_at_ms;
};

enum { LF_CATALOG_KEPT = 256 /* entries that nobody holds */ };

/* NULL: out of memory. */
struct lf_catalog *lf_catalog_create(void) LF_MUST_CHECK;

/* Nobody may hold an entry. NULL is fine. */
void lf_catalog_destroy(struct lf_catalog *catalog);

/* The version of that id, read from the store where it is not known yet; given back with release. STORAGE_CORRUPT when
 * it is not there or cannot be read, OUT_OF_MEMORY. */
enum lf_status lf_catalog_hold(struct lf_catalog *catalog, struct lf_store_reader *reader, int64_t version_id,
                               const struct lf_cataloged **ret_entry, struct lf_error *error) LF_MUST_CHECK;

/* NULL is fine. */
void lf_catalog_release(struct lf_catalog *catalog, const struct lf_cataloged *entry);

#endif
