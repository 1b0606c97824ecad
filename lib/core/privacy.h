/*
 * privacy.h - what of a lead may be kept: by the kind of keeping, and by fields that are never kept.
 *
 * A pattern is a dotted path. `company.phone` means that field, through arrays as well; with `*.` in front the rest may
 * stand at any depth, the top included. Names are compared by their letters and digits alone, without case: first_name
 * is FirstName and firstname. A dot in a name of the lead parts it as a path is parted. What stands below a field that
 * is never kept is not kept either. Names of more than 256 bytes match nothing: no path is that long.
 * Patterns are parted by commas; white space around them does not count.
 *
 * A condition about a field that is not kept can still be repeated: its answer is recorded in place of the value
 * (core/record.h). Immutable after parsing and thread-safe then.
 */
#ifndef LF_CORE_PRIVACY_H
#define LF_CORE_PRIVACY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is kept of a lead that was scored. */
enum lf_kept {
    LF_KEPT_FIELDS,  /* what the definitions read */
    LF_KEPT_WHOLE,   /* all */
    LF_KEPT_HASHES,  /* what the definitions read, every value replaced by its keyed hash */
    LF_KEPT_NOTHING, /* answers alone */
    LF_KEPT_ERASED,  /* only in records: what was kept has been erased */
};

struct lf_privacy;

/* never: the patterns, NULL or "" for none. hash_key: LF_SHA256_SIZE bytes, for LF_KEPT_HASHES; NULL where nothing will
 * be hashed. CONFIG for a pattern that is none, naming it; OUT_OF_MEMORY. Lives in the arena. */
enum lf_status lf_privacy_create(struct lf_arena *arena, enum lf_kept kept, const char *never, const uint8_t *hash_key,
                                 const struct lf_privacy **ret_privacy, struct lf_error *error) LF_MUST_CHECK;

/* The same key with another kind of keeping; all: without the fields that are never kept. For comparing a lead with
 * what was kept once, under other settings. NULL: out of memory. Lives in the arena, and needs the other one no more.
 */
const struct lf_privacy *
lf_privacy_as(struct lf_arena *arena, const struct lf_privacy *privacy, enum lf_kept kept, bool all) LF_MUST_CHECK;

enum lf_kept lf_privacy_kept(const struct lf_privacy *privacy);

/* Whether the field (a path as conditions write it, at most 256 bytes) is one of `never`, or below one of them. */
bool lf_privacy_never(const struct lf_privacy *privacy, const char *path);

/* Whether the value of this field (a path as conditions write it) is not kept: one of `never`, below one of them, or
 * any at all with HASHES and NOTHING. */
bool lf_privacy_withholds(const struct lf_privacy *privacy, const char *path);

/* Appends a lead (or what is left of it, an object) as JSON without what is never kept; with HASHES every text, number
 * and boolean is replaced by "hmac:" and 32 hex digits of HMAC-SHA-256 over its canonical JSON under the key. `{}` for
 * NOTHING. Out of memory: buf fails. */
void lf_privacy_put(const struct lf_privacy *privacy, const struct lf_json *lead, struct lf_buf *buf);

/* Where a value stands in a lead: below a member of that name, which stands at `parent`; elements of an array stand
 * where it does. NULL: the lead itself. */
struct lf_privacy_place {
    const struct lf_privacy_place *parent;
    const char *name;
    size_t len;
};

/* Whether the member at this place is never kept; what stands above it is. Out of memory: true, and buf fails. */
bool lf_privacy_drops(const struct lf_privacy *privacy, const struct lf_privacy_place *place, struct lf_buf *buf);

/* Appends what stands at a place that is kept, as lf_privacy_put does, `{}` included. */
void lf_privacy_put_at(const struct lf_privacy *privacy, const struct lf_privacy_place *place,
                       const struct lf_json *value, struct lf_buf *buf);

#endif
