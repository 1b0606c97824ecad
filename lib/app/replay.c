/* replay.c - see replay.h. */
#include "app/replay.h"

#include "base/hash.h"
#include "base/text.h"

#include <string.h>

/* Blocks and leads, each in an arena of its own: a score is LF_SCORE_BODY_MAX at most, and its input as a tree takes a
 * multiple of that. */
enum { CHUNK = 1 << 18, BLOCK_MAX = 64 << 20, LEAD_MAX = 512 << 20, SEEN_LEAST = 1024 };

/* Ids of leads that had their turn. They come from outside, so that the seed is drawn anew each time. */
struct seen_lead {
    uint64_t hash;
    const char *id; /* NULL: a free place */
    size_t len;
};

struct seen {
    struct lf_arena *arena;
    uint64_t seed[2];
    struct seen_lead *slots; /* open addressing, at most half full */
    size_t mask, count;
};

struct replaying {
    const struct lf_replay_options *options;
    enum lf_status (*each)(void *context, const struct lf_replayed *lead, struct lf_arena *arena,
                           struct lf_error *error);
    void *context;
    struct lf_arena *lead_arena;
    struct seen seen;
    size_t leads;
    bool done; /* there are enough */
    struct lf_error *error;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading recorded leads");
}

static struct seen_lead *
find_place(const struct seen *seen, const struct seen_lead *lead)
{
    size_t at = (size_t)lead->hash & seen->mask;

    while (seen->slots[at].id != NULL && !(seen->slots[at].hash == lead->hash && seen->slots[at].len == lead->len &&
                                           memcmp(seen->slots[at].id, lead->id, lead->len) == 0))
        at = (at + 1) & seen->mask;
    return &seen->slots[at];
}

static bool
make_room(struct seen *seen)
{
    struct seen grown = *seen;

    if (seen->slots != NULL && seen->count * 2 <= seen->mask)
        return true;
    grown.mask = seen->slots == NULL ? SEEN_LEAST - 1 : seen->mask * 2 + 1;
    grown.slots = lf_arena_calloc(seen->arena, grown.mask + 1, sizeof *grown.slots);
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; seen->slots != NULL && i <= seen->mask; i++)
        if (seen->slots[i].id != NULL)
            *find_place(&grown, &seen->slots[i]) = seen->slots[i];
    *seen = grown;
    return true;
}

/* Notes the lead of a score; *ret_new: it had no turn yet. false: out of memory. */
static bool
note_lead(struct seen *seen, const struct lf_stored_score *score, bool *ret_new)
{
    struct seen_lead lead = {.id = score->lead_id, .len = score->lead_id_len}, *place = NULL;

    *ret_new = true;
    if (lead.len == 0)
        return true;
    if (!make_room(seen))
        return false;
    lead.hash = lf_text_hash(lead.id, lead.len, seen->seed);
    place = find_place(seen, &lead);
    if (place->id != NULL) {
        *ret_new = false;
        return true;
    }
    lead.id = lf_arena_copy(seen->arena, lead.id, lead.len);
    if (lead.id == NULL)
        return false;
    *place = lead;
    seen->count++;
    return true;
}

static enum lf_status
replay_score(void *context, const struct lf_stored_score *score)
{
    struct replaying *replaying = context;
    struct lf_record record;
    struct lf_replayed lead = {.score = score, .record = &record};
    bool counts = false, new = false;
    enum lf_status status = LF_OK;

    lf_arena_reset(replaying->lead_arena);
    status = lf_record_read(replaying->lead_arena, score->body, score->body_len, &record, replaying->error);
    if (status == LF_OK)
        counts = record.kept != LF_KEPT_ERASED;
    if (counts && replaying->options->counts != NULL)
        status = replaying->options->counts(replaying->context, &record, &counts, replaying->error);
    if (status != LF_OK || !counts)
        return status;
    if (!note_lead(&replaying->seen, score, &new))
        return out_of_memory(replaying->error);
    if (!new)
        return LF_OK;
    if (replaying->options->inputs && (record.kept == LF_KEPT_FIELDS || record.kept == LF_KEPT_WHOLE))
        status = lf_record_parse_input(replaying->lead_arena, &record, &lead.input, replaying->error);
    if (status == LF_OK)
        status = replaying->each(replaying->context, &lead, replaying->lead_arena, replaying->error);
    if (status != LF_OK)
        return status;
    replaying->done = ++replaying->leads == replaying->options->leads;
    return replaying->done ? LF_CONFLICT : LF_OK;
}

enum lf_status
lf_replay(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_replay_options *options,
          enum lf_status (*each)(void *context, const struct lf_replayed *lead, struct lf_arena *arena,
                                 struct lf_error *error),
          void *context, size_t *ret_leads, struct lf_error *error)
{
    struct lf_arena *block_arena = NULL;
    struct replaying replaying = {
        .options = options,
        .each = each,
        .context = context,
        .seen = {.arena = arena},
        .error = error,
    };
    enum lf_status status = LF_OK;

    if (!lf_random_bytes(replaying.seen.seed, sizeof replaying.seen.seed))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes");
    block_arena = lf_arena_create(CHUNK, BLOCK_MAX);
    replaying.lead_arena = lf_arena_create(CHUNK, LEAD_MAX);
    if (block_arena == NULL || replaying.lead_arena == NULL)
        status = out_of_memory(error);
    else
        status = lf_store_each_score(reader, block_arena, options->from_ms, options->to_ms, LF_REPLAY_SCORES_MAX,
                                     replay_score, &replaying, error);
    lf_arena_destroy(replaying.lead_arena);
    lf_arena_destroy(block_arena);
    if (status != LF_OK && !replaying.done)
        return status;
    *ret_leads = replaying.leads;
    return LF_OK;
}

bool
lf_replay_copy_id(struct lf_arena *arena, const struct lf_stored_score *score, char **text, size_t *room)
{
    if (score->lead_id_len >= *room) {
        *room = 2 * (score->lead_id_len + 1);
        *text = lf_arena_alloc(arena, *room);
        if (*text == NULL)
            return false;
    }
    if (score->lead_id_len > 0)
        memcpy(*text, score->lead_id, score->lead_id_len);
    (*text)[score->lead_id_len] = '\0';
    return true;
}
