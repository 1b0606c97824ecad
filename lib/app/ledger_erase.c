/*
 * ledger_erase.c - taking away: one lead and every trace of it, or all that is too old. See ledger_types.h.
 *
 * A lead is erased slice by slice on the recorder's thread, and before each slice what waits of it is settled there: so
 * a score of it that comes meanwhile is found by a later slice, or by the last. What the write-ahead log still holds is
 * gone once it has been emptied, which waits for readers; where one takes long, the recorder goes on trying.
 */
#include "app/ledger_types.h"
#include "base/time.h"

#include <time.h>

enum {
    ERASE_BLOCKS = 16, /* in one commit: some milliseconds */
    PRUNE_BLOCKS = 32,
    TRACES_MS = 30000, /* the longest wait for readers */
    TRACES_PAUSE_MS = 20,
};

#define NS_PER_MS INT64_C(1000000)

struct erasing {
    struct lf_ledger *ledger;
    const char *lead_id;
    size_t lead_id_len;
    const struct lf_change *change;
    bool more, traces;
};

static enum lf_status
anonymise(void *context, const struct lf_stored_score *score, struct lf_buf *body, struct lf_error *error)
{
    (void)context;
    return lf_record_anonymise(body, score->body, score->body_len, error);
}

/* On the recorder's thread. */
static enum lf_status
erase_slice(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct erasing *erasing = argument;
    struct lf_ledger *ledger = erasing->ledger;
    enum lf_status status = ledger->stale ? lf_ledger_make_ready(ledger, store, error) : LF_OK;

    if (status == LF_OK)
        status = lf_ledger_settle_lead(ledger, store, erasing->lead_id, erasing->lead_id_len, error);
    if (status == LF_OK)
        status = lf_store_erase_lead(store, erasing->lead_id, erasing->lead_id_len, ERASE_BLOCKS, anonymise, NULL,
                                     erasing->change, &erasing->more, error);
    ledger->traces = ledger->traces || status == LF_OK;
    return status;
}

enum lf_status
lf_ledger_remove_traces(struct lf_ledger *ledger, struct lf_store *store, struct lf_error *error)
{
    enum lf_status status = lf_store_checkpoint(store, true, error);

    if (status == LF_OK)
        ledger->traces = false;
    return status == LF_STORAGE_IN_USE ? LF_OK : status; /* somebody reads it: another time */
}

/* On the recorder's thread. */
static enum lf_status
remove_traces(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct erasing *erasing = argument;
    struct lf_ledger *ledger = erasing->ledger;
    enum lf_status status = ledger->traces ? lf_ledger_remove_traces(ledger, store, error) : LF_OK;

    erasing->traces = ledger->traces;
    return status;
}

static void
pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};

    (void)nanosleep(&time, NULL); /* cut short does no harm */
}

/* Waits until the log has been emptied. */
static enum lf_status
await_no_traces(struct erasing *erasing, struct lf_recorder *recorder, struct lf_error *error)
{
    int64_t until_ns = lf_time_monotonic_ns() + TRACES_MS * NS_PER_MS;

    for (;;) {
        enum lf_status status = lf_recorder_run(recorder, remove_traces, erasing, error);

        if (status != LF_OK || !erasing->traces)
            return status;
        if (lf_time_monotonic_ns() >= until_ns)
            return lf_fail(error, LF_BUSY,
                           "the lead is erased from the database, but not yet from its write-ahead log, which somebody"
                           " still reads (a backup?); it is emptied as soon as that ends: ask again");
        pause_ms(TRACES_PAUSE_MS);
    }
}

enum lf_status
lf_ledger_erase(struct lf_ledger *ledger, struct lf_recorder *recorder, const char *lead_id, size_t lead_id_len,
                const struct lf_change *change, struct lf_error *error)
{
    struct erasing erasing = {.ledger = ledger, .lead_id = lead_id, .lead_id_len = lead_id_len, .change = change};
    struct lf_error ignored;
    enum lf_status status = LF_OK, emptied = LF_OK;

    do
        status = lf_recorder_run(recorder, erase_slice, &erasing, error);
    while (status == LF_OK && erasing.more);
    if (status != LF_OK && status != LF_LEAD_NOT_FOUND)
        return status;
    /* Also for one that is not there: it may have been erased by a call that waited in vain. */
    emptied = await_no_traces(&erasing, recorder, status == LF_OK ? error : &ignored);
    if (status == LF_LEAD_NOT_FOUND && emptied == LF_BUSY && error != NULL)
        *error = ignored;
    return status == LF_OK || emptied == LF_BUSY ? emptied : status;
}

/* ---- what is too old ---- */

struct pruning {
    struct lf_ledger *ledger;
    int64_t before_ms, scores;
    bool more;
};

static enum lf_status
count_scores(struct lf_ledger *ledger, int64_t *ret_count, struct lf_error *error)
{
    struct lf_ulid last;

    return lf_store_last_score(ledger->reader, &last, ret_count, error);
}

/* On the recorder's thread. */
static enum lf_status
prune_slice(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct pruning *pruning = argument;
    struct lf_ledger *ledger = pruning->ledger;
    int64_t before = 0, after = 0;
    enum lf_status status = ledger->stale ? lf_ledger_make_ready(ledger, store, error) : LF_OK;

    if (status == LF_OK)
        status = count_scores(ledger, &before, error);
    /* A lead that waits would be taken for one that is known no more, and its outcome with it. */
    while (status == LF_OK && (ledger->in_round || ledger->gathered_ns != 0))
        status = lf_ledger_settle_slice(ledger, store, error);
    if (status == LF_OK)
        status = lf_store_prune(store, pruning->before_ms, PRUNE_BLOCKS, &pruning->more, error);
    if (status == LF_OK)
        status = count_scores(ledger, &after, error);
    pruning->scores = before - after;
    if (status == LF_OK && !pruning->more) /* through: what went is to leave the log as well */
        ledger->traces = true;
    return status;
}

enum lf_status
lf_ledger_prune(struct lf_ledger *ledger, struct lf_recorder *recorder, int64_t before_ms, int64_t *ret_scores,
                bool *ret_more, struct lf_error *error)
{
    struct pruning pruning = {.ledger = ledger, .before_ms = before_ms};
    enum lf_status status = lf_ledger_settle_all(ledger, recorder, error);

    if (status == LF_OK)
        status = lf_recorder_run(recorder, prune_slice, &pruning, error);
    if (status != LF_OK)
        return status;
    *ret_scores = pruning.scores;
    *ret_more = pruning.more;
    return LF_OK;
}
