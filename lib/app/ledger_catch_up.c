/*
 * ledger_catch_up.c - reading again what was recorded: scores of an earlier schema are counted, and leads that are not
 * settled wait again. See ledger_types.h.
 *
 * It goes through blocks oldest first, in stretches that end with a whole block. What is to be counted is counted and
 * settled stretch by stretch, each in one commit that also notes how far that is: whatever ends the process in between,
 * the next start goes on there. Behind that leads are gathered, and settled too where they are many.
 */
#include "app/ledger_types.h"
#include "base/time.h"

enum {
    STRETCH_SCORES = 2000, /* counted in one commit */
    SAY_MS = 2000,         /* between two words on how far it is */
    WALK_CHUNK = 1 << 20,
    WALK_MAX = 1 << 30,
};

#define NS_PER_MS INT64_C(1000000)

struct walk {
    struct lf_ledger *ledger;
    struct lf_ledger_batch batch;
    int64_t block; /* of the scores seen last */
    size_t scores; /* seen in this stretch */
    bool enough;   /* ended for that, before the next block */
    struct lf_error *error;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting recorded scores");
}

/* What was recorded once and cannot be read now is damaged. */
static enum lf_status
see_score(void *context, int64_t block, const struct lf_stored_score *score)
{
    struct walk *walk = context;
    struct lf_ledger *ledger = walk->ledger;
    char id[LF_ULID_TEXT_SIZE];
    enum lf_status status = LF_OK;

    if (block != walk->block &&
        (walk->scores >= STRETCH_SCORES || (!walk->batch.counting && lf_ledger_too_much(ledger)))) {
        walk->enough = true;
        return LF_CONFLICT; /* no other means: it ends the walk */
    }
    walk->block = block;
    walk->scores += walk->batch.counting;
    status = lf_ledger_take(ledger, &walk->batch, score, 0, walk->error);
    for (size_t i = 0; status == LF_OK && i < walk->batch.item_count; i++)
        if (!lf_ledger_gather(ledger, &walk->batch.items[i], block))
            status = out_of_memory(walk->error);
    lf_ledger_forget_items(&walk->batch);
    if (status == LF_INTERNAL) {
        lf_ulid_format(score->id, id);
        return lf_fail(walk->error, LF_STORAGE_CORRUPT, "the recorded score %s is damaged: it cannot be counted", id);
    }
    return status;
}

/* Reads a stretch of the blocks behind *block, up to `last` at most; *block is where it ends. */
static enum lf_status
read_stretch(struct walk *walk, struct lf_store_reader *reader, struct lf_arena *arena, int64_t last, bool counting,
             int64_t *block, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    walk->error = error;
    walk->enough = false;
    walk->scores = 0;
    walk->block = *block;
    lf_ledger_begin(walk->ledger, &walk->batch, counting);
    status = lf_store_hold(walk->ledger->reader, error); /* nobody writes meanwhile, and lookups are cheaper so */
    if (status != LF_OK)
        return status;
    status = lf_store_each_score_behind(reader, arena, *block, last, see_score, walk, error);
    lf_store_let_go(walk->ledger->reader);
    if (walk->enough)
        *block = walk->block;
    else if (status == LF_OK)
        *block = last;
    return walk->enough ? LF_OK : status;
}

/* Settles all that has gathered, in one commit, with the rows of the stretch. */
static enum lf_status
settle_stretch(struct walk *walk, struct lf_store *store, int64_t block, struct lf_error *error)
{
    struct lf_ledger *ledger = walk->ledger;
    size_t count = 0;
    struct lf_ledger_pair *pairs = NULL;
    enum lf_status status = lf_books_collect(&ledger->books, &walk->batch.rollups, error);

    if (status != LF_OK)
        return status;
    pairs = lf_arena_calloc(ledger->batch, ledger->gathering->count, sizeof *pairs);
    if (pairs == NULL)
        return out_of_memory(error);
    for (struct lf_waiting_lead *lead = ledger->gathering->first; lead != NULL; lead = lead->next)
        if (!lead->settled)
            pairs[count++].gathering = lead;
    status = lf_ledger_settle_leads(ledger, store, pairs, count, &walk->batch.rollups, block, block, error);
    if (status != LF_OK)
        return status;
    lf_books_committed(&ledger->books, false);
    lf_generation_reset(ledger->gathering);
    return LF_OK;
}

/* Counts what is due, from the block on that it has come to. */
static enum lf_status
count_due(struct walk *walk, struct lf_store *store, struct lf_store_reader *reader, struct lf_arena *arena,
          const struct lf_store_progress *progress, void (*say)(int64_t done, int64_t of), struct lf_error *error)
{
    int64_t block = progress->rolled_block, said_ns = lf_time_monotonic_ns();
    enum lf_status status = LF_OK;

    while (status == LF_OK && block < progress->due_block) {
        status = read_stretch(walk, reader, arena, progress->due_block, true, &block, error);
        if (status == LF_OK)
            status = settle_stretch(walk, store, block, error);
        if (status != LF_OK || say == NULL)
            continue;
        if (block == progress->due_block || lf_time_monotonic_ns() - said_ns >= SAY_MS * NS_PER_MS) {
            say(block, progress->due_block);
            said_ns = lf_time_monotonic_ns();
        }
    }
    return status;
}

/* Has the leads wait that are not settled. */
static enum lf_status
gather_rest(struct walk *walk, struct lf_store *store, struct lf_store_reader *reader, struct lf_arena *arena,
            int64_t block, int64_t last, struct lf_error *error)
{
    struct lf_ledger *ledger = walk->ledger;
    enum lf_status status = LF_OK;

    while (status == LF_OK && block < last) {
        status = read_stretch(walk, reader, arena, last, false, &block, error);
        if (status == LF_OK && block < last) {
            ledger->last_block = block; /* as far as the round that now begins settles */
            while (status == LF_OK && ledger->gathering->count > 0)
                status = lf_ledger_settle_slice(ledger, store, error);
            while (status == LF_OK && ledger->in_round)
                status = lf_ledger_settle_slice(ledger, store, error);
        }
    }
    return status;
}

enum lf_status
lf_ledger_read_again(struct lf_ledger *ledger, struct lf_store *store, void (*say)(int64_t done, int64_t of),
                     struct lf_error *error)
{
    struct walk walk = {.ledger = ledger};
    struct lf_store_progress progress;
    struct lf_arena *arena = lf_arena_create(WALK_CHUNK, WALK_MAX);
    struct lf_store_reader *reader = NULL;
    int64_t settled = 0;
    enum lf_status status = arena == NULL ? out_of_memory(error) : lf_store_progress(ledger->reader, &progress, error);

    /* The walk has a reader of its own: looking up leads in between must not disturb it. */
    if (status == LF_OK)
        status = lf_store_reader_open(store, &reader, error);
    if (status == LF_OK) {
        lf_books_drop(&ledger->books);
        lf_generation_reset(ledger->gathering);
        lf_generation_reset(ledger->settling);
        ledger->in_round = false;
        ledger->gathered_ns = 0;
        status = count_due(&walk, store, reader, arena, &progress, say, error);
    }
    if (status == LF_OK) {
        bool due = progress.rolled_block < progress.due_block;

        settled = due ? progress.due_block : progress.settled_block;
        status = gather_rest(&walk, store, reader, arena, settled, progress.last_block, error);
    }
    if (status == LF_OK) {
        ledger->stale = false;
        ledger->last_block = progress.last_block > settled ? progress.last_block : settled;
        ledger->gathered_ns = ledger->last_block > settled ? lf_time_monotonic_ns() : 0;
    } else {
        lf_books_drop(&ledger->books);
        ledger->stale = true;
    }
    lf_store_reader_close(reader);
    lf_arena_destroy(arena);
    lf_ledger_note_depth(ledger);
    return status;
}

enum lf_status
lf_ledger_catch_up(struct lf_ledger *ledger, void (*say)(int64_t done, int64_t of), struct lf_error *error)
{
    return lf_ledger_read_again(ledger, ledger->store, say, error);
}
