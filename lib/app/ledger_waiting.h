/*
 * ledger_waiting.h - leads that were scored and wait to be settled: for each its latest score under each version, and
 * the blocks its scores are in.
 *
 * A generation gathers leads until a round of settling takes it; another one gathers meanwhile. All of a generation's
 * memory goes at once, when it is reset. A lead that was settled before its turn stays in it, marked.
 *
 * For lib/app/ledger*.c alone. Belongs to one thread.
 */
#ifndef LF_APP_LEDGER_WAITING_H
#define LF_APP_LEDGER_WAITING_H

#include "base/arena.h"
#include "base/ulid.h"
#include "core/score.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A score that is to be known as the lead's latest under the version. */
struct lf_waiting_score {
    struct lf_waiting_score *next;
    int64_t icp_id, version_id;
    struct lf_ulid id;
    struct lf_brief brief;
    void *result; /* lf_recorded_result_put */
    size_t result_len, result_cap;
};

struct lf_waiting_lead {
    struct lf_waiting_lead *next_in_bucket, *next; /* next: in the order in which they came */
    uint64_t hash;
    const char *lead_id;
    size_t lead_id_len;
    struct lf_waiting_score *scores; /* one a version */
    size_t score_count;
    int64_t *blocks; /* ascending */
    size_t block_count, block_cap;
    bool settled;
};

struct lf_generation {
    struct lf_arena *arena; /* NULL until the first lead */
    struct lf_waiting_lead **buckets, *first, *last;
    size_t bucket_count, lead_count; /* lead_count: in all, settled ones as well */
    size_t count;                    /* not settled */
};

/* All zeros is an empty generation. */
void lf_generation_finish(struct lf_generation *generation);
void lf_generation_reset(struct lf_generation *generation);

/* Bytes it holds, about. */
size_t lf_generation_bytes(const struct lf_generation *generation);

/* Of a lead's id; seed: the same for all that are compared, chosen by chance so that nobody can make ids collide. */
uint64_t lf_lead_hash(uint64_t seed, const char *lead_id, size_t len);

/* The lead, where it waits; NULL else. */
struct lf_waiting_lead *
lf_generation_find(const struct lf_generation *generation, uint64_t hash, const char *lead_id, size_t len);

/* Gathers a score, which is newer than all before; false: out of memory, and the generation is not what it should be.
 */
bool lf_generation_gather(struct lf_generation *generation, uint64_t hash, const char *lead_id, size_t len,
                          int64_t block, const struct lf_waiting_score *score) LF_MUST_CHECK;

/* It is settled. */
void lf_generation_settled(struct lf_generation *generation, struct lf_waiting_lead *lead);

#endif
