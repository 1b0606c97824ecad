/*
 * ledger_events.c - what is told of recorded scores: each result that was part of an answer, and each grade that is
 * another than the lead's last one under that ICP. See ledger_types.h.
 *
 * What the last one was says whoever saw it last: the batch itself, what waits to be settled, the store. That of a
 * result in the shadow counts as well, though none is told of it.
 */
#include "app/ledger_types.h"

#include <string.h>

enum { OF_SCORES = 1U << LF_EVENT_SCORE_RECORDED | 1U << LF_EVENT_GRADE_CHANGED };

enum lf_status
lf_ledger_begin_events(struct lf_ledger *ledger, struct lf_ledger_batch *batch, struct lf_error *error)
{
    if (ledger->subscriptions == NULL)
        return LF_OK;
    batch->wanted = lf_subscriptions_wanted(ledger->subscriptions) & OF_SCORES;
    return batch->wanted == 0 ? LF_OK
                              : lf_event_batch_begin(ledger->subscriptions, ledger->batch, &batch->events, error);
}

void
lf_ledger_end_events(struct lf_ledger *ledger, struct lf_ledger_batch *batch, bool committed)
{
    if (committed && batch->events.count > 0)
        lf_subscriptions_committed(ledger->subscriptions, batch->events.items, batch->events.count);
    lf_event_batch_end(ledger->subscriptions, &batch->events);
}

/* ---- the last grade ---- */

/* The lead's newest score under the ICP that waits in the generation; NULL where none does. */
static const struct lf_waiting_score *
newest_waiting(const struct lf_generation *generation, const struct lf_ledger_item *item)
{
    const struct lf_waiting_lead *lead =
        lf_generation_find(generation, item->hash, item->score->lead_id, item->score->lead_id_len);
    const struct lf_waiting_score *newest = NULL;

    for (const struct lf_waiting_score *score = lead == NULL ? NULL : lead->scores; score != NULL;
         score = score->next) {
        int order = 1;

        if (score->icp_id != item->version->icp_id)
            continue;
        if (newest != NULL)
            order = memcmp(score->id.bytes, newest->id.bytes, LF_ULID_SIZE);
        if (order > 0 || (order == 0 && score->version_id > newest->version_id))
            newest = score;
    }
    return newest;
}

/* Grades go by name: another version may have others, under the same numbers. */
static enum lf_status
name_grade(struct lf_ledger *ledger, const struct lf_ledger_item *item, const struct lf_waiting_score *waiting,
           const char **ret_grade, struct lf_error *error)
{
    const struct lf_cataloged *version = NULL;
    const char *grade = NULL;
    enum lf_status status = LF_OK;

    if (waiting->version_id == item->version->version_id) {
        *ret_grade = lf_brief_grade(item->version->scorer, &waiting->brief);
        return LF_OK;
    }
    status = lf_catalog_hold(ledger->catalog, ledger->reader, waiting->version_id, &version, error);
    if (status != LF_OK)
        return status;
    grade = lf_brief_grade(version->scorer, &waiting->brief);
    grade = lf_arena_copy(ledger->batch, grade, strlen(grade)); /* it may leave the catalog before the commit */
    lf_catalog_release(ledger->catalog, version);
    if (grade == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for a lead's last grade");
    *ret_grade = grade;
    return LF_OK;
}

enum lf_status
lf_ledger_last_grade(struct lf_ledger *ledger, const struct lf_ledger_item *before, const struct lf_ledger_item *item,
                     const char **ret_grade, struct lf_error *error)
{
    const struct lf_waiting_score *waiting = NULL;
    const char *grade = NULL;
    bool known = false;
    enum lf_status status = LF_OK;

    if (before != NULL) {
        *ret_grade = lf_brief_grade(before->version->scorer, &before->brief);
        return LF_OK;
    }
    waiting = newest_waiting(ledger->gathering, item);
    if (waiting == NULL)
        waiting = newest_waiting(ledger->settling, item);
    if (waiting != NULL)
        return name_grade(ledger, item, waiting, ret_grade, error);
    status = lf_store_last_grade(ledger->reader, ledger->batch, item->score->lead_id, item->score->lead_id_len,
                                 item->version->icp_id, &known, &grade, error);
    if (status == LF_OK)
        *ret_grade = known ? grade : NULL;
    return status;
}

/* ---- telling ---- */

enum lf_status
lf_ledger_tell_item(struct lf_ledger_batch *batch, const struct lf_ledger_item *item, const char *last,
                    struct lf_error *error)
{
    struct lf_event event = {
        .type = LF_EVENT_SCORE_RECORDED,
        .at_ms = lf_ulid_ms(item->score->id),
        .lead_id = item->score->lead_id,
        .lead_id_len = item->score->lead_id_len,
        .icp = item->version->icp->key,
        .version = item->version->version,
        .score_id = item->score->id,
        .score = item->brief.score,
        .to = lf_brief_grade(item->version->scorer, &item->brief),
    };
    enum lf_status status = lf_event_add(&batch->events, &event, error);

    if (status != LF_OK || last == NULL || strcmp(last, event.to) == 0)
        return status;
    event.type = LF_EVENT_GRADE_CHANGED;
    event.from = last;
    return lf_event_add(&batch->events, &event, error);
}
