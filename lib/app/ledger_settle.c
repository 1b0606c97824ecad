/* ledger_settle.c - rounds of settling: when, and how much at a time. See ledger_types.h. */
#include "app/ledger_types.h"
#include "base/time.h"

#include <string.h>

enum {
    DUE_LEADS = 4096,        /* a round begins when so many wait, */
    DUE_MS = 1000,           /* or anything for so long */
    TRACES_EVERY_MS = 10000, /* between two tries to empty the WAL while there is no rest: each holds up recording */
};

#define NS_PER_MS INT64_C(1000000)

bool
lf_ledger_too_much(const struct lf_ledger *ledger)
{
    return ledger->gathering->count + ledger->settling->count >= LF_SETTLE_WAITING_MAX ||
           lf_generation_bytes(ledger->gathering) + lf_generation_bytes(ledger->settling) >= LF_SETTLE_BYTES_MAX;
}

/* ---- rounds ---- */

/* What has gathered is settled from now on, and another generation gathers. */
static void
begin_round(struct lf_ledger *ledger)
{
    struct lf_generation *gathered = ledger->gathering;

    ledger->gathering = ledger->settling; /* empty since the last round */
    ledger->settling = gathered;
    ledger->number++;
    ledger->in_round = true;
    ledger->round_block = ledger->last_block;
    ledger->gathered_ns = 0;
}

static void
end_round(struct lf_ledger *ledger)
{
    lf_generation_reset(ledger->settling);
    ledger->completed = ledger->number - 1;
    ledger->in_round = false;
}

/* The next leads of the round that are not settled yet, at most a slice; how many. */
static size_t
next_leads(struct lf_ledger *ledger, struct lf_ledger_pair pairs[LF_SETTLE_SLICE])
{
    struct lf_generation *settling = ledger->settling;
    size_t count = 0, scores = 0;

    while (settling->first != NULL && settling->first->settled) /* so that nobody passes by them again */
        settling->first = settling->first->next;
    for (struct lf_waiting_lead *lead = settling->first;
         lead != NULL && count < LF_SETTLE_SLICE && scores < LF_SETTLE_SLICE_SCORES; lead = lead->next) {
        if (lead->settled)
            continue;
        pairs[count++] = (struct lf_ledger_pair){.settling = lead};
        scores += lead->score_count;
    }
    return count;
}

enum lf_status
lf_ledger_settle_slice(struct lf_ledger *ledger, struct lf_store *store, struct lf_error *error)
{
    struct lf_ledger_pair pairs[LF_SETTLE_SLICE];
    enum lf_status status = LF_OK;
    size_t count = 0;
    bool last = false;

    if (!ledger->in_round)
        begin_round(ledger);
    count = next_leads(ledger, pairs);
    last = count == ledger->settling->count;
    status = lf_ledger_settle_leads(ledger, store, pairs, count, NULL, last ? ledger->round_block : 0, 0, error);
    if (status == LF_OK && last)
        end_round(ledger);
    lf_ledger_note_depth(ledger);
    return status;
}

enum lf_status
lf_ledger_make_ready(struct lf_ledger *ledger, struct lf_store *store, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (ledger->stale)
        status = lf_ledger_read_again(ledger, store, NULL, error);
    while (status == LF_OK && lf_ledger_too_much(ledger))
        status = lf_ledger_settle_slice(ledger, store, error);
    return status;
}

/* ---- at leisure ---- */

static bool
round_is_due(const struct lf_ledger *ledger, bool idle)
{
    if (ledger->in_round)
        return true;
    if (ledger->gathered_ns == 0)
        return false;
    return idle || ledger->gathering->count >= DUE_LEADS ||
           lf_time_monotonic_ns() - ledger->gathered_ns >= DUE_MS * NS_PER_MS;
}

enum lf_status
lf_ledger_tend(void *context, struct lf_store *store, bool idle, bool *ret_more, struct lf_error *error)
{
    struct lf_ledger *ledger = context;
    enum lf_status status = LF_OK;

    *ret_more = false;
    if (ledger->subscriptions != NULL)
        status = lf_subscriptions_tend(ledger->subscriptions, store, error);
    if (status == LF_OK && ledger->stale)
        status = lf_ledger_make_ready(ledger, store, error);
    if (status == LF_OK && round_is_due(ledger, idle)) {
        status = lf_ledger_settle_slice(ledger, store, error);
        *ret_more = status == LF_OK && ledger->in_round;
    }
    if (status == LF_OK && ledger->traces && (idle || lf_time_monotonic_ns() >= ledger->traces_ns)) {
        ledger->traces_ns = lf_time_monotonic_ns() + TRACES_EVERY_MS * NS_PER_MS;
        status = lf_ledger_remove_traces(ledger, store, error);
    }
    return status;
}

/* ---- for those who wait ---- */

struct wait {
    struct lf_ledger *ledger;
    uint64_t number; /* of the generation to be waited for; 0: not looked yet */
    bool done;
};

/* On the recorder's thread. */
static enum lf_status
settle_some(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct wait *wait = argument;
    struct lf_ledger *ledger = wait->ledger;
    enum lf_status status = ledger->stale ? lf_ledger_make_ready(ledger, store, error) : LF_OK;

    if (status != LF_OK)
        return status;
    if (wait->number == 0) /* one that gathers nothing needs no round of its own */
        wait->number = ledger->gathered_ns != 0 ? ledger->number : ledger->number - 1;
    if (ledger->completed < wait->number)
        status = lf_ledger_settle_slice(ledger, store, error);
    wait->done = ledger->completed >= wait->number;
    return status;
}

enum lf_status
lf_ledger_settle_all(struct lf_ledger *ledger, struct lf_recorder *recorder, struct lf_error *error)
{
    struct wait wait = {.ledger = ledger};
    enum lf_status status = LF_OK;

    while (status == LF_OK && !wait.done)
        status = lf_recorder_run(recorder, settle_some, &wait, error);
    return status;
}

enum lf_status
lf_ledger_settle(struct lf_ledger *ledger, struct lf_recorder *recorder, struct lf_error *error)
{
    return lf_ledger_depth(ledger) == 0 ? LF_OK : lf_ledger_settle_all(ledger, recorder, error);
}
