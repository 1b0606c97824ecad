/* ledger_wins.c - see ledger_wins.h. */
#include "app/ledger_wins.h"

#include "base/buf.h"

#include <string.h>

enum { SLOTS_LEAST = 64, BODY_MAX = 16 << 20 };

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting leads");
}

static uint64_t
mix(uint64_t value)
{
    value *= UINT64_C(0x9E3779B97F4A7C15);
    return value ^ value >> 32;
}

/* ---- versions ---- */

void
lf_holding_init(struct lf_holding *holding, struct lf_catalog *catalog, struct lf_store_reader *reader,
                struct lf_arena *arena)
{
    *holding = (struct lf_holding){.catalog = catalog, .reader = reader, .arena = arena};
}

void
lf_holding_release(struct lf_holding *holding)
{
    for (size_t i = 0; i < holding->slot_count; i++)
        lf_catalog_release(holding->catalog, holding->slots[i]);
    holding->slots = NULL;
    holding->slot_count = holding->count = 0;
}

static const struct lf_cataloged **
version_slot(const struct lf_holding *holding, int64_t version_id)
{
    size_t at = (size_t)mix((uint64_t)version_id) & (holding->slot_count - 1);

    while (holding->slots[at] != NULL && holding->slots[at]->version_id != version_id)
        at = (at + 1) & (holding->slot_count - 1);
    return &holding->slots[at];
}

/* Keeps the slots at most half full. */
static bool
grow_holding(struct lf_holding *holding)
{
    struct lf_holding grown = *holding;

    if (holding->count * 2 < holding->slot_count)
        return true;
    grown.slot_count = holding->slot_count == 0 ? SLOTS_LEAST : holding->slot_count * 2;
    grown.slots = lf_arena_calloc(holding->arena, grown.slot_count, sizeof(struct lf_cataloged *));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < holding->slot_count; i++)
        if (holding->slots[i] != NULL)
            *version_slot(&grown, holding->slots[i]->version_id) = holding->slots[i];
    *holding = grown;
    return true;
}

enum lf_status
lf_holding_find(struct lf_holding *holding, int64_t version_id, const struct lf_cataloged **ret_version,
                struct lf_error *error)
{
    const struct lf_cataloged **slot = NULL;

    if (!grow_holding(holding))
        return out_of_memory(error);
    slot = version_slot(holding, version_id);
    if (*slot == NULL) {
        const struct lf_cataloged *version = NULL;
        enum lf_status status = lf_catalog_hold(holding->catalog, holding->reader, version_id, &version, error);

        if (status != LF_OK)
            return status;
        *slot = version;
        holding->count++;
    }
    *ret_version = *slot;
    return LF_OK;
}

enum lf_status
lf_holding_decode(struct lf_holding *holding, struct lf_arena *arena, int64_t version_id, const void *bytes, size_t len,
                  struct lf_kept_result *ret_result, struct lf_error *error)
{
    struct lf_recorded_result recorded;
    struct lf_kept_result result = {.version = NULL};
    enum lf_status status = lf_recorded_result_read(bytes, len, &recorded, error);

    if (status == LF_OK && recorded.version_id != version_id)
        status = lf_fail(error, LF_STORAGE_CORRUPT, "a lead's latest score is damaged: it is another version's");
    if (status == LF_OK)
        status = lf_holding_find(holding, version_id, &result.version, error);
    if (status == LF_OK)
        status = lf_record_outcome(arena, result.version->icp, &recorded, &result.outcome, error);
    if (status != LF_OK)
        return status;
    lf_score_brief(result.version->scorer, result.outcome, &result.brief);
    *ret_result = result;
    return LF_OK;
}

struct lf_lead_fate
lf_lead_fate(bool has_outcome, const struct lf_stored_outcome *outcome)
{
    struct lf_lead_fate fate = {.fate = LF_FATE_UNKNOWN};

    if (!has_outcome)
        return fate;
    switch (outcome->outcome) {
    case LF_OUTCOME_OPEN:
        fate.fate = LF_FATE_OPEN;
        break;
    case LF_OUTCOME_WON:
        fate.fate = LF_FATE_WON;
        fate.value = outcome->value;
        break;
    case LF_OUTCOME_LOST:
        fate.fate = LF_FATE_LOST;
        break;
    }
    return fate;
}

/* ---- rows ---- */

void
lf_wins_rows_init(struct lf_wins_rows *rows, struct lf_store_reader *reader, struct lf_arena *arena)
{
    *rows = (struct lf_wins_rows){.reader = reader, .arena = arena};
}

static struct lf_wins_row **
row_slot(const struct lf_wins_rows *rows, int64_t version_id, enum lf_rollup_kind kind, enum lf_rollup_span span,
         int64_t start_hour)
{
    uint64_t key = mix((uint64_t)version_id) + (uint64_t)start_hour * 16 + (uint64_t)kind * 4 + (uint64_t)span;
    size_t at = (size_t)mix(key) & (rows->slot_count - 1);

    while (rows->slots[at] != NULL &&
           (rows->slots[at]->version->version_id != version_id || rows->slots[at]->kind != kind ||
            rows->slots[at]->span != span || rows->slots[at]->start_hour != start_hour))
        at = (at + 1) & (rows->slot_count - 1);
    return &rows->slots[at];
}

static bool
grow_rows(struct lf_wins_rows *rows)
{
    struct lf_wins_rows grown = *rows;

    if (rows->count * 2 < rows->slot_count)
        return true;
    grown.slot_count = rows->slot_count == 0 ? SLOTS_LEAST : rows->slot_count * 2;
    grown.slots = lf_arena_calloc(rows->arena, grown.slot_count, sizeof(struct lf_wins_row *));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < rows->slot_count; i++) {
        struct lf_wins_row *row = rows->slots[i];

        if (row != NULL)
            *row_slot(&grown, row->version->version_id, row->kind, row->span, row->start_hour) = row;
    }
    *rows = grown;
    return true;
}

struct lf_wins_row *
lf_wins_rows_look(const struct lf_wins_rows *rows, int64_t version_id, enum lf_rollup_kind kind,
                  enum lf_rollup_span span, int64_t start_hour)
{
    return rows->count == 0 ? NULL : *row_slot(rows, version_id, kind, span, start_hour);
}

struct adding {
    struct lf_wins *wins;
    struct lf_error *error;
};

static enum lf_status
add_stored(void *context, const struct lf_stored_rollup *rollup)
{
    struct adding *adding = context;

    return lf_wins_add(adding->wins, rollup->body, rollup->body_len, adding->error);
}

static enum lf_status
make_row(struct lf_wins_rows *rows, const struct lf_cataloged *version, enum lf_rollup_kind kind,
         enum lf_rollup_span span, int64_t start_hour, struct lf_wins_row **ret_row, struct lf_error *error)
{
    struct lf_wins_row *row = lf_arena_calloc(rows->arena, 1, sizeof *row);
    enum lf_status status = LF_OK;

    if (row == NULL || !lf_wins_init(&row->wins, rows->arena, version->icp))
        return out_of_memory(error);
    row->version = version;
    row->kind = kind;
    row->span = span;
    row->start_hour = start_hour;
    if (rows->reader != NULL) {
        struct adding adding = {.wins = &row->wins, .error = error};

        status = lf_store_each_rollup(rows->reader, version->version_id, kind, span, start_hour, start_hour + 1,
                                      add_stored, &adding, error);
    }
    if (status == LF_OK)
        *ret_row = row;
    return status;
}

static enum lf_status
find_row(struct lf_wins_rows *rows, const struct lf_cataloged *version, enum lf_rollup_kind kind,
         enum lf_rollup_span span, int64_t start_hour, struct lf_wins_row **ret_row, struct lf_error *error)
{
    struct lf_wins_row **slot = NULL;
    enum lf_status status = LF_OK;

    if (!grow_rows(rows))
        return out_of_memory(error);
    slot = row_slot(rows, version->version_id, kind, span, start_hour);
    if (*slot == NULL) {
        status = make_row(rows, version, kind, span, start_hour, slot, error);
        if (status != LF_OK)
            return status;
        rows->count++;
    }
    *ret_row = *slot;
    return LF_OK;
}

enum lf_status
lf_wins_rows_count(struct lf_wins_rows *rows, enum lf_rollup_kind kind, const struct lf_kept_result *result,
                   int64_t scored_at_ms, struct lf_lead_fate fate, int sign, struct lf_error *error)
{
    static const enum lf_rollup_span SPANS[] = {LF_SPAN_HOUR, LF_SPAN_DAY, LF_SPAN_MONTH};
    int64_t hour = lf_hour_of(scored_at_ms);

    for (size_t i = 0; i < sizeof SPANS / sizeof SPANS[0]; i++) {
        struct lf_wins_row *row = NULL;
        enum lf_status status =
            find_row(rows, result->version, kind, SPANS[i], lf_span_begin(SPANS[i], hour), &row, error);

        if (status == LF_OK)
            status = lf_wins_count(&row->wins, result->outcome, &result->brief, fate.fate, fate.value, sign, error);
        if (status != LF_OK)
            return status;
    }
    return LF_OK;
}

enum lf_status
lf_wins_rows_collect(const struct lf_wins_rows *rows, struct lf_rollup_list *list, struct lf_error *error)
{
    for (size_t i = 0; i < rows->slot_count; i++) {
        const struct lf_wins_row *row = rows->slots[i];
        struct lf_stored_rollup rollup = {.kind = LF_ROLLUP_WINS};
        struct lf_buf body;

        if (row == NULL)
            continue;
        lf_buf_init(&body, list->arena, BODY_MAX);
        lf_wins_put(&body, &row->wins);
        rollup.version_id = row->version->version_id;
        rollup.kind = row->kind;
        rollup.span = row->span;
        rollup.start_hour = row->start_hour;
        rollup.body = body.data;
        rollup.body_len = body.len;
        if (lf_buf_failed(&body) || !lf_rollup_list_add(list, &rollup))
            return out_of_memory(error);
    }
    return LF_OK;
}
