/* ledger_waiting.c - see ledger_waiting.h. */
#include "app/ledger_waiting.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 256 << 10,
    GENERATION_MAX = 512 << 20, /* far above what is let wait */
    BUCKETS_LEAST = 1024,
    BUCKETS_KEPT = 1 << 15, /* across resets */
    BLOCKS_LEAST = 4,
};

void
lf_generation_finish(struct lf_generation *generation)
{
    lf_arena_destroy(generation->arena);
    free(generation->buckets);
    *generation = (struct lf_generation){.arena = NULL};
}

void
lf_generation_reset(struct lf_generation *generation)
{
    if (generation->arena != NULL)
        lf_arena_reset(generation->arena);
    if (generation->bucket_count > BUCKETS_KEPT) {
        free(generation->buckets);
        generation->buckets = NULL;
        generation->bucket_count = 0;
    } else if (generation->lead_count > 0) {
        memset(generation->buckets, 0, generation->bucket_count * sizeof *generation->buckets);
    }
    generation->first = generation->last = NULL;
    generation->lead_count = generation->count = 0;
}

size_t
lf_generation_bytes(const struct lf_generation *generation)
{
    return generation->arena == NULL ? 0 : lf_arena_used(generation->arena);
}

/* FNV-1a, its bits mixed once more at the end (Steele, Lea and Flood 2014), because buckets are chosen by the low ones.
 */
uint64_t
lf_lead_hash(uint64_t seed, const char *lead_id, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)lead_id[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
    return hash ^ hash >> 31;
}

struct lf_waiting_lead *
lf_generation_find(const struct lf_generation *generation, uint64_t hash, const char *lead_id, size_t len)
{
    struct lf_waiting_lead *lead = NULL;

    if (generation->count == 0)
        return NULL;
    lead = generation->buckets[hash & (generation->bucket_count - 1)];
    while (lead != NULL && (lead->hash != hash || lead->settled || lead->lead_id_len != len ||
                            memcmp(lead->lead_id, lead_id, len) != 0))
        lead = lead->next_in_bucket;
    return lead;
}

void
lf_generation_settled(struct lf_generation *generation, struct lf_waiting_lead *lead)
{
    lead->settled = true;
    generation->count--;
}

/* ---- gathering ---- */

/* Room for one lead more. */
static bool
make_room(struct lf_generation *generation)
{
    size_t count = generation->bucket_count == 0 ? BUCKETS_LEAST : generation->bucket_count * 2;
    struct lf_waiting_lead **buckets = NULL;

    if (generation->arena == NULL && (generation->arena = lf_arena_create(CHUNK, GENERATION_MAX)) == NULL)
        return false;
    if (generation->lead_count < generation->bucket_count)
        return true;
    buckets = calloc(count, sizeof *buckets);
    if (buckets == NULL)
        return false;
    for (struct lf_waiting_lead *lead = generation->first; lead != NULL; lead = lead->next) {
        struct lf_waiting_lead **bucket = &buckets[lead->hash & (count - 1)];

        lead->next_in_bucket = *bucket;
        *bucket = lead;
    }
    free(generation->buckets);
    generation->buckets = buckets;
    generation->bucket_count = count;
    return true;
}

static struct lf_waiting_lead *
add_lead(struct lf_generation *generation, uint64_t hash, const char *lead_id, size_t len)
{
    struct lf_waiting_lead *lead = NULL, **bucket = NULL;

    if (!make_room(generation) || (lead = lf_arena_calloc(generation->arena, 1, sizeof *lead)) == NULL)
        return NULL;
    lead->hash = hash;
    lead->lead_id = lf_arena_copy(generation->arena, lead_id, len);
    lead->lead_id_len = len;
    if (lead->lead_id == NULL)
        return NULL;
    bucket = &generation->buckets[hash & (generation->bucket_count - 1)];
    lead->next_in_bucket = *bucket;
    *bucket = lead;
    *(generation->last != NULL ? &generation->last->next : &generation->first) = lead;
    generation->last = lead;
    generation->lead_count++;
    generation->count++;
    return lead;
}

static bool
add_block(struct lf_generation *generation, struct lf_waiting_lead *lead, int64_t block)
{
    if (lead->block_count > 0 && lead->blocks[lead->block_count - 1] == block)
        return true;
    if (lead->block_count == lead->block_cap) {
        size_t cap = lead->block_cap == 0 ? BLOCKS_LEAST : lead->block_cap * 2;
        int64_t *blocks = lf_arena_alloc(generation->arena, cap * sizeof *blocks);

        if (blocks == NULL)
            return false;
        if (lead->block_count > 0)
            memcpy(blocks, lead->blocks, lead->block_count * sizeof *blocks);
        lead->blocks = blocks;
        lead->block_cap = cap;
    }
    lead->blocks[lead->block_count++] = block;
    return true;
}

/* Puts the score in place of the one there was of its version. */
static bool
put_score(struct lf_generation *generation, struct lf_waiting_lead *lead, const struct lf_waiting_score *score)
{
    struct lf_waiting_score *own = lead->scores;

    while (own != NULL && own->version_id != score->version_id)
        own = own->next;
    if (own == NULL) {
        own = lf_arena_calloc(generation->arena, 1, sizeof *own);
        if (own == NULL)
            return false;
        own->next = lead->scores;
        lead->scores = own;
        lead->score_count++;
    }
    if (own->result_cap < score->result_len) {
        own->result = lf_arena_alloc(generation->arena, score->result_len);
        own->result_cap = own->result == NULL ? 0 : score->result_len;
        if (own->result == NULL)
            return false;
    }
    memcpy(own->result, score->result, score->result_len);
    own->result_len = score->result_len;
    own->icp_id = score->icp_id;
    own->version_id = score->version_id;
    own->id = score->id;
    own->brief = score->brief;
    return true;
}

bool
lf_generation_gather(struct lf_generation *generation, uint64_t hash, const char *lead_id, size_t len, int64_t block,
                     const struct lf_waiting_score *score)
{
    struct lf_waiting_lead *lead = lf_generation_find(generation, hash, lead_id, len);

    if (lead == NULL)
        lead = add_lead(generation, hash, lead_id, len);
    return lead != NULL && add_block(generation, lead, block) && put_score(generation, lead, score);
}
