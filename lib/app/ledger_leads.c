/*
 * ledger_leads.c - what settling and outcomes change of leads, and of the counts that leads are in. See ledger_types.h.
 *
 * A lead counts by its latest score under each version (kind WINS), and by its latest under each ICP (ICP_WINS, among
 * the rows of that score's version). Where one of these changes it is taken out as it was and counted as it is; where
 * its outcome changes, the same with the other fate. Rows and leads are put in one commit. What is read for that is
 * read as of one moment, and on this thread nobody writes in between.
 */
#include "app/ledger_types.h"

#include <string.h>

/* What one commit changes. */
struct change {
    struct lf_ledger *ledger;
    struct lf_arena *arena;
    struct lf_holding holding;
    struct lf_wins_rows rows;
};

/* A lead's row of one version, as it was and as it will be. */
struct row {
    const struct lf_stored_lead_score *before; /* NULL: there was none */
    struct lf_stored_lead_score after;
    bool newer; /* another score than before */
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting leads");
}

static void
begin_change(struct lf_ledger *ledger, struct change *change)
{
    lf_arena_reset(ledger->leads);
    change->ledger = ledger;
    change->arena = ledger->leads;
    lf_holding_init(&change->holding, ledger->catalog, ledger->reader, ledger->leads);
    lf_wins_rows_init(&change->rows, ledger->reader, ledger->leads);
}

/* What the store knows of a lead; nothing for one that it does not know. */
static enum lf_status
look_up(struct change *change, const char *lead_id, size_t len, struct lf_stored_lead *ret_lead, struct lf_error *error)
{
    enum lf_status status = lf_store_lead(change->ledger->reader, change->arena, lead_id, len, ret_lead, error);

    if (status != LF_LEAD_NOT_FOUND)
        return status;
    *ret_lead = (struct lf_stored_lead){.lead_id = lead_id, .lead_id_len = len};
    return LF_OK;
}

/* Decodes a score of a lead. */
static enum lf_status
decode(struct change *change, const struct lf_stored_lead_score *score, struct lf_kept_result *ret_result,
       struct lf_error *error)
{
    return lf_holding_decode(&change->holding, change->arena, score->version_id, score->result, score->result_len,
                             ret_result, error);
}

/* Counts a score of a lead, or takes it out. */
static enum lf_status
count_score(struct change *change, enum lf_rollup_kind kind, const struct lf_stored_lead_score *score,
            const struct lf_kept_result *result, struct lf_lead_fate fate, int sign, struct lf_error *error)
{
    return lf_wins_rows_count(&change->rows, kind, result, lf_ulid_ms(score->score_id), fate, sign, error);
}

/* ---- settling ---- */

/* The row of a score that waits, filled in. */
static enum lf_status
describe(struct change *change, const struct lf_waiting_score *score, struct lf_stored_lead_score *ret_row,
         struct lf_error *error)
{
    const struct lf_cataloged *version = NULL;
    char label[LF_LABEL_MAX];
    enum lf_status status = lf_holding_find(&change->holding, score->version_id, &version, error);

    if (status != LF_OK)
        return status;
    lf_brief_label(version->scorer, &score->brief, label);
    *ret_row = (struct lf_stored_lead_score){
        .icp_id = score->icp_id,
        .version_id = score->version_id,
        .icp = version->icp->key,
        .version = version->version,
        .score_id = score->id,
        .qualified = score->brief.qualified,
        .score = score->brief.score,
        .coverage = score->brief.coverage,
        .engagement = score->brief.engagement,
        .grade = lf_brief_grade(version->scorer, &score->brief),
        .label = lf_arena_copy(change->arena, label, strlen(label)),
        .result = score->result,
        .result_len = score->result_len,
    };
    return ret_row->label == NULL ? out_of_memory(error) : LF_OK;
}

static int
compare_ids(struct lf_ulid a, struct lf_ulid b)
{
    return memcmp(a.bytes, b.bytes, LF_ULID_SIZE);
}

/* Puts a score that waits into the rows, unless a newer one, or the same, is there. */
static enum lf_status
merge_score(struct change *change, struct row *rows, size_t *count, const struct lf_waiting_score *score,
            struct lf_error *error)
{
    struct row *row = rows;

    while (row < rows + *count && row->after.version_id != score->version_id)
        row++;
    if (row == rows + *count)
        rows[(*count)++] = (struct row){.before = NULL};
    else if (compare_ids(row->after.score_id, score->id) >= 0)
        return LF_OK;
    row->newer = true;
    return describe(change, score, &row->after, error);
}

/* The rows of a lead: those that are there, and what waits. */
static enum lf_status
merge(struct change *change, const struct lf_stored_lead *lead, const struct lf_ledger_pair *pair,
      struct row **ret_rows, size_t *ret_count, struct lf_error *error)
{
    const struct lf_waiting_lead *waiting[] = {pair->settling, pair->gathering};
    size_t most = lead->score_count, count = 0;
    struct row *rows = NULL;

    for (size_t i = 0; i < 2; i++)
        most += waiting[i] == NULL ? 0 : waiting[i]->score_count;
    rows = lf_arena_calloc(change->arena, most, sizeof *rows);
    if (rows == NULL)
        return out_of_memory(error);
    for (; count < lead->score_count; count++)
        rows[count] = (struct row){.before = &lead->scores[count], .after = lead->scores[count]};
    for (size_t i = 0; i < 2; i++) {
        for (const struct lf_waiting_score *score = waiting[i] == NULL ? NULL : waiting[i]->scores; score != NULL;
             score = score->next) {
            enum lf_status status = merge_score(change, rows, &count, score, error);

            if (status != LF_OK)
                return status;
        }
    }
    *ret_rows = rows;
    *ret_count = count;
    return LF_OK;
}

/* Of each ICP's rows the newest is the latest; of equal ones (never, but for a record that holds two versions of one
 * ICP) that of the later version. */
static void
mark_latest(struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rows[i].after.latest = true;
        for (size_t j = 0; j < count && rows[i].after.latest; j++) {
            int order = compare_ids(rows[j].after.score_id, rows[i].after.score_id);

            if (rows[j].after.icp_id == rows[i].after.icp_id &&
                (order > 0 || (order == 0 && rows[j].after.version_id > rows[i].after.version_id)))
                rows[i].after.latest = false;
        }
    }
}

/* Takes a lead's row out of the counts as it was, and counts it as it is. */
static enum lf_status
recount(struct change *change, const struct row *row, struct lf_lead_fate fate, struct lf_error *error)
{
    bool was_latest = row->before != NULL && row->before->latest, is_latest = row->after.latest;
    struct lf_kept_result before, after;
    enum lf_status status = decode(change, &row->after, &after, error);

    if (status == LF_OK && row->before != NULL)
        status = decode(change, row->before, &before, error);
    if (status == LF_OK && row->newer && row->before != NULL)
        status = count_score(change, LF_ROLLUP_WINS, row->before, &before, fate, -1, error);
    if (status == LF_OK && row->newer)
        status = count_score(change, LF_ROLLUP_WINS, &row->after, &after, fate, 1, error);
    if (status == LF_OK && was_latest)
        status = count_score(change, LF_ROLLUP_ICP_WINS, row->before, &before, fate, -1, error);
    if (status == LF_OK && is_latest)
        status = count_score(change, LF_ROLLUP_ICP_WINS, &row->after, &after, fate, 1, error);
    return status;
}

/* The blocks of both, ascending, each once. */
static enum lf_status
merge_blocks(struct change *change, const struct lf_ledger_pair *pair, struct lf_settled_lead *settled,
             struct lf_error *error)
{
    const struct lf_waiting_lead *first = pair->settling, *second = pair->gathering;
    size_t count = first == NULL ? 0 : first->block_count;
    int64_t *blocks = NULL;

    if (first == NULL || second == NULL) {
        const struct lf_waiting_lead *only = first != NULL ? first : second;

        settled->blocks = only->blocks;
        settled->block_count = only->block_count;
        return LF_OK;
    }
    blocks = lf_arena_alloc(change->arena, (count + second->block_count) * sizeof *blocks);
    if (blocks == NULL)
        return out_of_memory(error);
    memcpy(blocks, first->blocks, count * sizeof *blocks);
    for (size_t i = 0; i < second->block_count; i++)
        if (second->blocks[i] > blocks[count - 1])
            blocks[count++] = second->blocks[i];
    settled->blocks = blocks;
    settled->block_count = count;
    return LF_OK;
}

/* Works out what one lead's settling comes to. */
static enum lf_status
settle_one(struct change *change, const struct lf_ledger_pair *pair, struct lf_settled_lead *ret_settled,
           struct lf_error *error)
{
    const struct lf_waiting_lead *any = pair->settling != NULL ? pair->settling : pair->gathering;
    struct lf_settled_lead settled = {.lead_id = any->lead_id, .lead_id_len = any->lead_id_len};
    struct lf_stored_lead_score *scores = NULL;
    struct lf_stored_lead lead;
    struct row *rows = NULL;
    size_t count = 0;
    enum lf_status status = look_up(change, any->lead_id, any->lead_id_len, &lead, error);

    if (status == LF_OK)
        status = merge(change, &lead, pair, &rows, &count, error);
    if (status == LF_OK)
        status = merge_blocks(change, pair, &settled, error);
    if (status != LF_OK)
        return status;
    mark_latest(rows, count);
    scores = lf_arena_calloc(change->arena, count, sizeof *scores);
    if (scores == NULL)
        return out_of_memory(error);
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        const struct row *row = &rows[i];

        if (!row->newer && row->before->latest == row->after.latest)
            continue;
        status = recount(change, row, lf_lead_fate(lead.has_outcome, &lead.outcome), error);
        scores[settled.score_count++] = row->after;
    }
    settled.scores = scores;
    *ret_settled = settled;
    return status;
}

/* Works out all of it, as of one moment. */
static enum lf_status
settle_each(struct change *change, const struct lf_ledger_pair *pairs, size_t count, struct lf_settled_lead *settled,
            struct lf_error *error)
{
    enum lf_status status = count == 0 ? LF_OK : lf_store_hold(change->ledger->reader, error);

    if (status != LF_OK || count == 0)
        return status;
    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = settle_one(change, &pairs[i], &settled[i], error);
    lf_store_let_go(change->ledger->reader);
    return status;
}

static void
mark_settled(struct lf_ledger *ledger, const struct lf_ledger_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].settling != NULL)
            lf_generation_settled(ledger->settling, pairs[i].settling);
        if (pairs[i].gathering != NULL)
            lf_generation_settled(ledger->gathering, pairs[i].gathering);
    }
}

/* Puts other rows behind those that stand in the list. */
static enum lf_status
add_rollups(struct lf_rollup_list *list, const struct lf_rollup_list *more, struct lf_error *error)
{
    for (size_t i = 0; more != NULL && i < more->count; i++)
        if (!lf_rollup_list_add(list, &more->items[i]))
            return out_of_memory(error);
    return LF_OK;
}

enum lf_status
lf_ledger_settle_leads(struct lf_ledger *ledger, struct lf_store *store, const struct lf_ledger_pair *pairs,
                       size_t count, const struct lf_rollup_list *rollups, int64_t settled_block, int64_t rolled_block,
                       struct lf_error *error)
{
    struct change change;
    struct lf_rollup_list list = {.arena = ledger->leads};
    struct lf_settled_lead *settled = NULL;
    enum lf_status status = LF_OK;

    begin_change(ledger, &change);
    settled = lf_arena_calloc(change.arena, count, sizeof *settled);
    status = settled == NULL ? out_of_memory(error) : settle_each(&change, pairs, count, settled, error);
    if (status == LF_OK)
        status = add_rollups(&list, rollups, error);
    if (status == LF_OK)
        status = lf_wins_rows_collect(&change.rows, &list, error);
    if (status == LF_OK)
        status = lf_store_settle(store, settled, count, list.items, list.count, settled_block, rolled_block, error);
    lf_holding_release(&change.holding);
    if (status == LF_OK)
        mark_settled(ledger, pairs, count);
    return status;
}

enum lf_status
lf_ledger_settle_lead(struct lf_ledger *ledger, struct lf_store *store, const char *lead_id, size_t lead_id_len,
                      struct lf_error *error)
{
    uint64_t hash = lf_lead_hash(ledger->seed, lead_id, lead_id_len);
    struct lf_ledger_pair pair = {
        .settling = lf_generation_find(ledger->settling, hash, lead_id, lead_id_len),
        .gathering = lf_generation_find(ledger->gathering, hash, lead_id, lead_id_len),
    };
    enum lf_status status = LF_OK;

    if (pair.settling == NULL && pair.gathering == NULL)
        return LF_OK;
    status = lf_ledger_settle_leads(ledger, store, &pair, 1, NULL, 0, 0, error);
    lf_ledger_note_depth(ledger);
    return status;
}

/* ---- outcomes ---- */

/* What is said of one lead: of several outcomes the one that counts. */
struct word {
    uint64_t hash;
    const struct lf_stored_outcome *outcome;
};

struct words {
    struct word *items;
    uint32_t *slots; /* index + 1; open addressing, at most half full */
    size_t count, slot_count;
};

static void
add_word(struct words *words, uint64_t hash, const struct lf_stored_outcome *outcome)
{
    size_t at = (size_t)hash & (words->slot_count - 1);

    for (; words->slots[at] != 0; at = (at + 1) & (words->slot_count - 1)) {
        struct word *word = &words->items[words->slots[at] - 1];

        if (word->hash != hash || word->outcome->lead_id_len != outcome->lead_id_len ||
            memcmp(word->outcome->lead_id, outcome->lead_id, outcome->lead_id_len) != 0)
            continue;
        if (outcome->at_ms >= word->outcome->at_ms)
            word->outcome = outcome;
        return;
    }
    words->items[words->count++] = (struct word){.hash = hash, .outcome = outcome};
    words->slots[at] = (uint32_t)words->count;
}

/* Each lead once. Lives in the batch's arena. */
static enum lf_status
gather_words(struct lf_ledger *ledger, const struct lf_stored_outcome *outcomes, size_t count, struct words *ret_words,
             struct lf_error *error)
{
    struct words words = {.slot_count = 64};

    while (words.slot_count < count * 2)
        words.slot_count *= 2;
    lf_arena_reset(ledger->batch);
    words.items = lf_arena_calloc(ledger->batch, count, sizeof *words.items);
    words.slots = lf_arena_calloc(ledger->batch, words.slot_count, sizeof *words.slots);
    if (words.items == NULL || words.slots == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++)
        add_word(&words, lf_lead_hash(ledger->seed, outcomes[i].lead_id, outcomes[i].lead_id_len), &outcomes[i]);
    *ret_words = words;
    return LF_OK;
}

/* Settles those of the leads that wait. */
static enum lf_status
settle_words(struct lf_ledger *ledger, struct lf_store *store, const struct words *words, struct lf_error *error)
{
    struct lf_ledger_pair pairs[LF_SETTLE_SLICE];
    size_t count = 0;
    enum lf_status status = LF_OK;

    for (size_t i = 0; status == LF_OK && i < words->count; i++) {
        const struct lf_stored_outcome *outcome = words->items[i].outcome;
        struct lf_ledger_pair *pair = &pairs[count];

        pair->settling =
            lf_generation_find(ledger->settling, words->items[i].hash, outcome->lead_id, outcome->lead_id_len);
        pair->gathering =
            lf_generation_find(ledger->gathering, words->items[i].hash, outcome->lead_id, outcome->lead_id_len);
        count += pair->settling != NULL || pair->gathering != NULL;
        if (count == LF_SETTLE_SLICE || (i + 1 == words->count && count > 0)) {
            status = lf_ledger_settle_leads(ledger, store, pairs, count, NULL, 0, 0, error);
            count = 0;
        }
    }
    lf_ledger_note_depth(ledger);
    return status;
}

/* Counts a lead's scores with its new outcome in place of the old one. */
static enum lf_status
apply_word(struct change *change, const struct lf_stored_outcome *outcome, struct lf_error *error)
{
    struct lf_lead_fate before, after = lf_lead_fate(true, outcome);
    struct lf_stored_lead lead;
    enum lf_status status = look_up(change, outcome->lead_id, outcome->lead_id_len, &lead, error);

    if (status != LF_OK)
        return status;
    before = lf_lead_fate(lead.has_outcome, &lead.outcome);
    if ((before.fate == after.fate && before.value == after.value) ||
        (lead.has_outcome && outcome->at_ms < lead.outcome.at_ms))
        return LF_OK;
    for (size_t i = 0; status == LF_OK && i < lead.score_count; i++) {
        const struct lf_stored_lead_score *score = &lead.scores[i];
        struct lf_kept_result result;

        status = decode(change, score, &result, error);
        for (int kind = LF_ROLLUP_WINS;
             status == LF_OK && kind <= (score->latest ? LF_ROLLUP_ICP_WINS : LF_ROLLUP_WINS); kind++) {
            status = count_score(change, (enum lf_rollup_kind)kind, score, &result, before, -1, error);
            if (status == LF_OK)
                status = count_score(change, (enum lf_rollup_kind)kind, score, &result, after, 1, error);
        }
    }
    return status;
}

static enum lf_status
apply_words(struct change *change, const struct words *words, struct lf_error *error)
{
    enum lf_status status = lf_store_hold(change->ledger->reader, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; status == LF_OK && i < words->count; i++)
        status = apply_word(change, words->items[i].outcome, error);
    lf_store_let_go(change->ledger->reader);
    return status;
}

enum lf_status
lf_ledger_put_outcomes(struct lf_ledger *ledger, struct lf_store *store, const struct lf_stored_outcome *outcomes,
                       size_t count, struct lf_error *error)
{
    struct lf_rollup_list list = {.arena = ledger->leads};
    struct change change;
    struct words words;
    enum lf_status status = LF_OK;

    if (count == 0)
        return LF_OK;
    if (ledger->stale)
        status = lf_ledger_make_ready(ledger, store, error);
    if (status == LF_OK)
        status = gather_words(ledger, outcomes, count, &words, error);
    if (status == LF_OK)
        status = settle_words(ledger, store, &words, error);
    if (status != LF_OK)
        return status;
    begin_change(ledger, &change);
    status = apply_words(&change, &words, error);
    if (status == LF_OK)
        status = lf_wins_rows_collect(&change.rows, &list, error);
    if (status == LF_OK)
        status = lf_store_put_outcomes(store, outcomes, count, list.items, list.count, error);
    lf_holding_release(&change.holding);
    return status;
}
