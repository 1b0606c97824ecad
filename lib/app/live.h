/*
 * live.h - the live set: the active ICPs, compiled, shared by all requests without a lock.
 *
 * A reader takes a reference, scores with it and gives it back. A change makes a new set and puts it in place; the
 * old one lives until its last reader is done. Taking and giving back are one atomic operation each, and putting in
 * place is one, too: what could fail about it has been done when the set was made.
 *
 * The pointer and a count of the readers that took it share one 64-bit word, so that both change at once: the
 * pointer in the low 48 bits (user space addresses on the 64-bit systems we run on), the count above. Giving back
 * lowers the count in the word while the set is still the current one; once it has been replaced, its remaining
 * readers are counted in the set itself.
 */
#ifndef LF_APP_LIVE_H
#define LF_APP_LIVE_H

#include "app/profiles.h"
#include "core/privacy.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdint.h>

struct lf_live {
    _Atomic uint64_t current;
};

/* Begins with no set. */
void lf_live_init(struct lf_live *live);

/* Takes the set out and frees it once its readers are done; there must be none that come after. */
void lf_live_finish(struct lf_live *live);

/* Puts the profiles in place, which are the live set's from now on. Cannot fail. */
void lf_live_replace(struct lf_live *live, struct lf_profiles *profiles);

/* The current set, NULL before the first one. Each acquire is given back with one release. At most 65,535 readers
 * at a time. */
struct lf_live_set *lf_live_acquire(struct lf_live *live);
void lf_live_release(struct lf_live *live, struct lf_live_set *set);

/* Reads the active ICPs and all named lists from the store and compiles them, to be recorded as the privacy allows
 * (NULL: nothing will be recorded). */
enum lf_status lf_live_load(struct lf_store_reader *reader, const struct lf_privacy *privacy,
                            struct lf_profiles **ret_profiles, struct lf_error *error) LF_MUST_CHECK;

/* A change that is about to be committed. */
struct lf_live_change {
    const char *icp;                         /* NULL: no ICP changes */
    const struct lf_stored_version *version; /* what will be its active version; NULL: it is taken out of service */
    bool archived;                           /* without a version: because it is archived */
    const char *list_key;                    /* NULL: no list changes */
    struct lf_named_list *list;              /* what it will be; NULL: it goes. Stays the caller's, and is shared */
};

/* The set as it will be after the change: the rest is read from the store, and lists that have not changed are shared
 * with `base`, the present set. To be put in place once the change is committed. Nothing else may change meanwhile. */
enum lf_status lf_live_prepare(struct lf_store_reader *reader, const struct lf_privacy *privacy,
                               const struct lf_profiles *base, const struct lf_live_change *change,
                               struct lf_profiles **ret_profiles, struct lf_error *error) LF_MUST_CHECK;

#endif
