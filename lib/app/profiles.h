/*
 * profiles.h - a set of ICPs ready to score: parsed, compiled together, with what telling and scoring need.
 *
 * Made once (at start, at a publish, for a file on the command line), immutable and shared afterwards. The live set
 * of the service is one of these (app/live.h); a command or an old score's version makes its own.
 */
#ifndef LF_APP_PROFILES_H
#define LF_APP_PROFILES_H

#include "base/arena.h"
#include "base/findings.h"
#include "base/status.h"
#include "core/answer.h"
#include "core/icp.h"
#include "core/named_list.h"
#include "core/program.h"
#include "core/score.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One ICP. Its index is that in the program. */
struct lf_profile {
    const struct lf_icp *icp;
    const struct lf_scorer *scorer;
    const struct lf_teller *teller;
    int64_t version_id; /* 0: not published */
    int version;        /* 0: not published */
};

/* How the live set holds a set of ICPs (app/live.h). It is made with the set, so that putting that in place cannot
 * fail. */
struct lf_live_set {
    struct lf_profiles *profiles;
    atomic_long readers; /* once replaced: readers still at it; below 0 before that */
};

struct lf_profiles {
    struct lf_arena *arena;
    struct lf_profile *items;
    size_t count;
    struct lf_program *program;
    struct lf_named_list **lists; /* one reference each is the set's own; by key, ascending: they are found by halves */
    size_t list_count;
    const char **archived; /* keys of ICPs that are out of service, to tell them from unknown ones */
    size_t archived_count;
    struct lf_live_set live;
};

/* An empty set, to be filled with the functions below and then compiled. lists (by key) and archived may be filled by
 * the caller between create and compile; the references to lists are the set's own from then on. */
enum lf_status
lf_profiles_create(size_t capacity, struct lf_profiles **ret_profiles, struct lf_error *error) LF_MUST_CHECK;

/* Parses a definition into the set; the text may go away afterwards. Faults go into findings (which live in the
 * caller's arena); the status is as of lf_icp_parse_text. At most `capacity` times. */
enum lf_status lf_profiles_add(struct lf_profiles *profiles, const char *document, size_t len, int64_t version_id,
                               int version, struct lf_findings *findings, struct lf_error *error) LF_MUST_CHECK;

/* The same for a definition that is parsed already; it stays where it is as long as the set. */
enum lf_status lf_profiles_add_icp(struct lf_profiles *profiles, const struct lf_icp *icp, int64_t version_id,
                                   int version, struct lf_error *error) LF_MUST_CHECK;

/* Compiles what was added. Lists are looked up in the set's own, then in `more` (may be NULL). */
enum lf_status lf_profiles_compile(struct lf_profiles *profiles, const struct lf_list_source *more,
                                   struct lf_error *error) LF_MUST_CHECK;

/* Frees it all, and gives its references to lists back. NULL is fine. */
void lf_profiles_destroy(struct lf_profiles *profiles);

/* The set's list of that key, borrowed; NULL where there is none. */
struct lf_named_list *lf_profiles_find_list(const struct lf_profiles *profiles, const char *key);

/* The set's named lists, as a source for compiling or linting. */
struct lf_list_source lf_profiles_lists(const struct lf_profiles *profiles);

#endif
