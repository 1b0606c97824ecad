/*
 * ledger.c - the ledger's life, recording, and what was recorded since the start. See ledger.h and ledger_types.h.
 *
 * Recording: the scores of a batch are read, counted into the open tallies and put into the store with the rows that
 * this changes; only once they are on the disk do their leads wait to be settled. Where memory runs out in between,
 * nothing is lost but the list of what waits: it is read again from the store before anything else happens.
 */
#include "app/ledger.h"

#include "app/ledger_types.h"
#include "base/hash.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH_CHUNK = 1 << 20,
    BATCH_MAX = 1 << 30, /* a batch of the largest scores there may be */
    SCRATCH_CHUNK = 1 << 16,
    SCRATCH_MAX = 1 << 30,
    RESULT_MAX = 16 << 20,
    ITEMS_LEAST = 64,
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting scores");
}

/* ---- life ---- */

enum lf_status
lf_ledger_create(struct lf_store *store, struct lf_catalog *catalog, struct lf_ledger **ret_ledger,
                 struct lf_error *error)
{
    struct lf_ledger *ledger = calloc(1, sizeof *ledger);
    enum lf_status status = LF_OK;

    if (ledger == NULL)
        return out_of_memory(error);
    ledger->store = store;
    ledger->catalog = catalog;
    ledger->gathering = &ledger->generations[0];
    ledger->settling = &ledger->generations[1];
    ledger->number = 1;
    ledger->stale = true;  /* until it has been read what waits */
    ledger->traces = true; /* of an erasure that a crash cut short the WAL may still hold some */
    ledger->batch = lf_arena_create(BATCH_CHUNK, BATCH_MAX);
    ledger->leads = lf_arena_create(BATCH_CHUNK, BATCH_MAX);
    ledger->scratch = lf_arena_create(SCRATCH_CHUNK, SCRATCH_MAX);
    lf_buf_init(&ledger->result, NULL, RESULT_MAX);
    atomic_init(&ledger->depth, 0);
    lf_books_init(&ledger->books, catalog, NULL);
    if (ledger->batch == NULL || ledger->leads == NULL || ledger->scratch == NULL)
        status = out_of_memory(error);
    else if (!lf_random_bytes(&ledger->seed, sizeof ledger->seed))
        status = lf_fail(error, LF_INTERNAL, "the system gives no random bytes");
    else
        status = lf_store_reader_open(store, &ledger->reader, error);
    if (status != LF_OK) {
        lf_ledger_destroy(ledger);
        return status;
    }
    ledger->books.reader = ledger->reader;
    lf_ledger_note_depth(ledger);
    *ret_ledger = ledger;
    return LF_OK;
}

void
lf_ledger_destroy(struct lf_ledger *ledger)
{
    if (ledger == NULL)
        return;
    lf_books_finish(&ledger->books);
    lf_generation_finish(&ledger->generations[0]);
    lf_generation_finish(&ledger->generations[1]);
    lf_buf_finish(&ledger->result);
    lf_arena_destroy(ledger->batch);
    lf_arena_destroy(ledger->leads);
    lf_arena_destroy(ledger->scratch);
    lf_store_reader_close(ledger->reader);
    free(ledger);
}

/* ---- a batch ---- */

void
lf_ledger_begin(struct lf_ledger *ledger, struct lf_ledger_batch *batch, bool counting)
{
    lf_arena_reset(ledger->batch);
    lf_books_begin(&ledger->books);
    *batch = (struct lf_ledger_batch){.counting = counting, .rollups = {.arena = ledger->batch}};
}

void
lf_ledger_forget_items(struct lf_ledger_batch *batch)
{
    if (batch->item_count > 0)
        memset(batch->slots, 0, batch->slot_count * sizeof *batch->slots);
    batch->item_count = 0;
}

/* Where an item of that lead and ICP stands, or would. */
static uint32_t *
slot_of(const struct lf_ledger_batch *batch, const struct lf_ledger_item *item)
{
    uint64_t hash = item->hash ^ (uint64_t)item->version->icp_id * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 20) & (batch->slot_count - 1);

    for (; batch->slots[at] != 0; at = (at + 1) & (batch->slot_count - 1)) {
        const struct lf_ledger_item *other = &batch->items[batch->slots[at] - 1];

        if (other->hash == item->hash && other->version->icp_id == item->version->icp_id &&
            other->score->lead_id_len == item->score->lead_id_len &&
            memcmp(other->score->lead_id, item->score->lead_id, item->score->lead_id_len) == 0)
            break;
    }
    return &batch->slots[at];
}

/* Room for one item more. */
static bool
make_room(struct lf_ledger *ledger, struct lf_ledger_batch *batch)
{
    size_t cap = batch->item_cap == 0 ? ITEMS_LEAST : batch->item_cap * 2;
    struct lf_ledger_item *items = NULL;
    uint32_t *slots = NULL;

    if (batch->item_count < batch->item_cap)
        return true;
    items = cap > UINT32_MAX / 4 ? NULL : lf_arena_calloc(ledger->batch, cap, sizeof *items);
    slots = items == NULL ? NULL : lf_arena_calloc(ledger->batch, cap * 2, sizeof *slots);
    if (slots == NULL)
        return false;
    if (batch->item_count > 0)
        memcpy(items, batch->items, batch->item_count * sizeof *items);
    batch->items = items;
    batch->item_cap = cap;
    batch->slots = slots;
    batch->slot_count = cap * 2;
    for (size_t i = 0; i < batch->item_count; i++) {
        uint32_t *slot = slot_of(batch, &items[i]);

        *slot = (uint32_t)i + 1;
    }
    return true;
}

static bool
waits_under(const struct lf_generation *generation, const struct lf_ledger_item *item)
{
    const struct lf_waiting_lead *lead =
        lf_generation_find(generation, item->hash, item->score->lead_id, item->score->lead_id_len);

    for (const struct lf_waiting_score *score = lead == NULL ? NULL : lead->scores; score != NULL; score = score->next)
        if (score->icp_id == item->version->icp_id)
            return true;
    return false;
}

/* What there was before the item, which is about to be the batch's newest, of its lead under its ICP. *ret_first: it is
 * the first there, where scores are counted. *ret_last: the grade before, where changes of it are told; NULL for none.
 */
static enum lf_status
look_back(struct lf_ledger *ledger, struct lf_ledger_batch *batch, const struct lf_ledger_item *item, bool *ret_first,
          const char **ret_last, struct lf_error *error)
{
    uint32_t *slot = slot_of(batch, item);
    const struct lf_ledger_item *before = *slot == 0 ? NULL : &batch->items[*slot - 1];
    bool known = true;
    enum lf_status status = LF_OK;

    *slot = (uint32_t)batch->item_count + 1;
    if ((batch->wanted & 1U << LF_EVENT_GRADE_CHANGED) != 0) {
        status = lf_ledger_last_grade(ledger, before, item, ret_last, error);
        known = *ret_last != NULL;
    } else if (before == NULL && batch->counting && !waits_under(ledger->gathering, item) &&
               !waits_under(ledger->settling, item)) {
        status = lf_store_knows_lead(ledger->reader, item->score->lead_id, item->score->lead_id_len,
                                     item->version->icp_id, &known, error);
    }
    *ret_first = !known;
    return status;
}

/* A record that cannot be read is no fault of the storage where it has not been there yet. */
static enum lf_status
unreadable(enum lf_status status, struct lf_error *error)
{
    return status == LF_STORAGE_CORRUPT
               ? lf_fail(error, LF_INTERNAL, "a score cannot be counted: its record is damaged")
               : status;
}

/* One result of a score. */
static enum lf_status
take_result(struct lf_ledger *ledger, struct lf_ledger_batch *batch, struct lf_ledger_item *item,
            struct lf_error *error)
{
    struct lf_book *book = NULL;
    const struct lf_outcome *outcome = NULL;
    const char *last = NULL;
    bool first = false;
    enum lf_status status = lf_books_find(&ledger->books, item->result.version_id, &book, error);

    if (status != LF_OK)
        return status;
    item->version = book->version;
    status = lf_record_outcome(ledger->scratch, item->version->icp, &item->result, &outcome, error);
    if (status != LF_OK)
        return unreadable(status, error);
    lf_score_brief(item->version->scorer, outcome, &item->brief);
    if (item->score->lead_id_len > 0) {
        if (!make_room(ledger, batch))
            return out_of_memory(error);
        status = look_back(ledger, batch, item, &first, &last, error);
        batch->items[batch->item_count++] = *item;
    }
    if (status == LF_OK && batch->wanted != 0 && !item->result.shadow)
        status = lf_ledger_tell_item(batch, item, last, error);
    if (status == LF_OK && batch->counting)
        status = lf_books_count(&ledger->books, book, outcome, &item->brief, lf_ulid_ms(item->score->id), first,
                                &batch->rollups, error);
    return status;
}

enum lf_status
lf_ledger_take(struct lf_ledger *ledger, struct lf_ledger_batch *batch, const struct lf_stored_score *score,
               size_t index, struct lf_error *error)
{
    struct lf_ledger_item item = {.score = score, .index = index};
    struct lf_record record;
    enum lf_status status = LF_OK;

    lf_arena_reset(ledger->scratch);
    status = lf_record_read(ledger->scratch, score->body, score->body_len, &record, error);
    if (status != LF_OK)
        return unreadable(status, error);
    if (score->lead_id_len > 0)
        item.hash = lf_lead_hash(ledger->seed, score->lead_id, score->lead_id_len);
    for (size_t i = 0; status == LF_OK && i < record.result_count; i++) {
        item.result = record.results[i];
        status = take_result(ledger, batch, &item, error);
    }
    return status;
}

/* ---- what waits ---- */

void
lf_ledger_note_depth(struct lf_ledger *ledger)
{
    atomic_store(&ledger->depth, ledger->gathering->count + ledger->settling->count + (ledger->stale ? 1 : 0));
}

size_t
lf_ledger_depth(struct lf_ledger *ledger)
{
    return atomic_load(&ledger->depth);
}

bool
lf_ledger_gather(struct lf_ledger *ledger, const struct lf_ledger_item *item, int64_t block)
{
    struct lf_waiting_score score = {.icp_id = item->version->icp_id,
                                     .version_id = item->version->version_id,
                                     .id = item->score->id,
                                     .brief = item->brief};

    ledger->result.len = 0;
    lf_recorded_result_put(&ledger->result, &item->result);
    if (lf_buf_failed(&ledger->result)) {
        lf_buf_finish(&ledger->result);
        return false;
    }
    score.result = ledger->result.data;
    score.result_len = ledger->result.len;
    return lf_generation_gather(ledger->gathering, item->hash, item->score->lead_id, item->score->lead_id_len, block,
                                &score);
}

/* The scores are recorded: from now on their leads wait. */
static void
gather_all(struct lf_ledger *ledger, const struct lf_ledger_batch *batch, const int64_t *blocks, size_t count)
{
    ledger->last_block = blocks[count - 1];
    if (ledger->gathered_ns == 0)
        ledger->gathered_ns = lf_time_monotonic_ns();
    for (size_t i = 0; i < batch->item_count && !ledger->stale; i++)
        ledger->stale = !lf_ledger_gather(ledger, &batch->items[i], blocks[batch->items[i].index]);
    lf_ledger_note_depth(ledger);
}

/* ---- recording ---- */

/* Counts the scores into the open tallies; the rows to put stand in the batch. */
static enum lf_status
count_all(struct lf_ledger *ledger, struct lf_ledger_batch *batch, const struct lf_stored_score *const *scores,
          size_t count, struct lf_error *error)
{
    enum lf_status status = lf_store_hold(ledger->reader, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = lf_ledger_take(ledger, batch, scores[i], i, error);
    lf_store_let_go(ledger->reader);
    return status == LF_OK ? lf_books_collect(&ledger->books, &batch->rollups, error) : status;
}

enum lf_status
lf_ledger_record(void *context, struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    struct lf_ledger *ledger = context;
    struct lf_recording whole = *recording;
    struct lf_ledger_batch batch;
    enum lf_status status = recording->count == 0 ? LF_OK : lf_ledger_make_ready(ledger, store, error);

    if (status != LF_OK || recording->count == 0)
        return status;
    lf_ledger_begin(ledger, &batch, true);
    whole.ret_blocks = lf_arena_calloc(ledger->batch, recording->count, sizeof *whole.ret_blocks);
    status = whole.ret_blocks == NULL ? out_of_memory(error) : lf_ledger_begin_events(ledger, &batch, error);
    if (status == LF_OK)
        status = count_all(ledger, &batch, recording->scores, recording->count, error);
    if (status == LF_OK) {
        whole.rollups = batch.rollups.items;
        whole.rollup_count = batch.rollups.count;
        whole.deliveries = batch.events.items;
        whole.delivery_count = batch.events.count;
        status = lf_store_record(store, &whole, error);
    }
    if (status == LF_OK) {
        lf_books_committed(&ledger->books, true);
        gather_all(ledger, &batch, whole.ret_blocks, recording->count);
    } else {
        lf_books_drop(&ledger->books);
    }
    lf_ledger_end_events(ledger, &batch, status == LF_OK);
    return status;
}

void
lf_ledger_tell(struct lf_ledger *ledger, struct lf_subscriptions *subscriptions)
{
    ledger->subscriptions = subscriptions;
}

void
lf_ledger_each_count(struct lf_ledger *ledger,
                     void (*each)(void *context, const char *icp, int version, const char *grade, int64_t count),
                     void *context)
{
    lf_books_each_recorded(&ledger->books, each, context);
}
