/*
 * unmatched.c - see unmatched.h.
 *
 * The definition is compiled by itself, with the lists of now; of the leads nothing is kept but counts. What a value is
 * near to is looked for at the end, for those that are told.
 */
#include "app/unmatched.h"

#include "app/coverage.h"
#include "app/profiles.h"
#include "app/ranking.h"
#include "app/replay.h"
#include "app/value_counts.h"
#include "base/number.h"
#include "core/likeness.h"
#include "core/rule_values.h"

#include <string.h>

struct looking {
    struct lf_arena *arena;
    const struct lf_icp *icp;
    struct lf_profiles *profiles;
    struct lf_coverage coverage;
    bool *withheld;                /* by field of the definition */
    bool *wanted;                  /* by attribute */
    struct lf_rule_fields *reads;  /* by attribute */
    struct lf_value_counts counts; /* by attribute, then field */
    size_t turn;                   /* the lead at hand, from 1 */
    uint32_t attribute;            /* the one at hand */
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking for unmatched values");
}

/* ---- counting ---- */

/* Leads that were kept whole, or with what a version of this ICP reads: as for impact. */
static enum lf_status
counts(void *context, const struct lf_record *record, bool *ret_counts, struct lf_error *error)
{
    struct looking *looking = context;
    enum lf_status status = lf_coverage_look(&looking->coverage, record, error);

    *ret_counts = record->kept == LF_KEPT_WHOLE || (record->kept == LF_KEPT_FIELDS && looking->coverage.own);
    return status;
}

static bool
count_value(void *context, const struct lf_rule_value *value)
{
    struct looking *looking = context;
    const char *text = lf_json_long_digits(value->value);
    char number[LF_NUMBER_TEXT_MAX];
    size_t len = 0;

    if (looking->withheld[value->field])
        return true;
    if (lf_json_kind(value->value) == LF_JSON_TEXT) {
        text = lf_json_text(value->value, &len);
        len = lf_text_prefix(text, len, LF_UNMATCHED_CHARACTERS);
    } else if (lf_json_kind(value->value) == LF_JSON_BOOLEAN) {
        text = lf_json_is_true(value->value) ? "true" : "false";
        len = strlen(text);
    } else if (text != NULL) {
        len = lf_text_prefix(text, strlen(text), LF_UNMATCHED_CHARACTERS);
    } else {
        text = number;
        len = lf_number_format(lf_json_number(value->value), number);
    }
    return lf_value_counts_add(&looking->counts, looking->attribute, value->field, text, len, value->invalid,
                               looking->turn);
}

static enum lf_status
look_at_lead(void *context, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *error)
{
    struct looking *looking = context;
    struct lf_evaluation *evaluation =
        lf_evaluation_create(looking->profiles->program, arena, lead->input, lead->score->as_of_ms);
    const struct lf_outcome *outcome = evaluation == NULL ? NULL : lf_evaluate(evaluation, 0);

    if (outcome == NULL)
        return out_of_memory(error);
    looking->turn++;
    for (uint32_t a = 0; a < looking->icp->attribute_count; a++) {
        const struct lf_attribute_outcome *attribute = &outcome->attributes[a];

        if (!looking->wanted[a] || attribute->status == LF_ATTRIBUTE_MATCHED ||
            (attribute->status == LF_ATTRIBUTE_UNKNOWN && !attribute->invalid))
            continue;
        looking->attribute = a;
        if (!lf_rule_values_each(evaluation, &looking->reads[a], count_value, looking))
            return out_of_memory(error);
    }
    return LF_OK;
}

/* ---- what is near ---- */

struct nearest {
    uint32_t field;
    struct lf_likeness_text value;
    const struct lf_scalar *found;
    int likeness; /* of it; LF_LIKENESS_SAME: the value itself is an operand, and no near miss */
    size_t left;  /* operands that may still be looked at */
};

static void
compare_operands(struct nearest *nearest, const struct lf_condition *condition)
{
    for (size_t i = 0; i < condition->child_count; i++)
        compare_operands(nearest, condition->children[i]);
    if (condition->kind != LF_CONDITION_LEAF || condition->field != nearest->field)
        return;
    for (size_t i = 0; i < condition->entry_count && nearest->left > 0; i++) {
        struct lf_likeness_text operand;
        int likeness = 0;

        if (condition->entries[i].kind != LF_JSON_TEXT)
            continue;
        nearest->left--;
        lf_likeness_prepare(condition->entries[i].folded, &operand);
        likeness = lf_likeness(&nearest->value, &operand);
        if (likeness > nearest->likeness) {
            nearest->likeness = likeness;
            nearest->found = &condition->entries[i];
        }
    }
}

/* false: out of memory. */
static bool
find_near(const struct looking *looking, const struct lf_counted_value *item, struct lf_unmatched_value *value)
{
    const struct lf_attribute *attribute = &looking->icp->attributes[item->group];
    struct nearest nearest = {.field = item->tag, .left = LF_UNMATCHED_OPERANDS};
    struct lf_text folded = {NULL, 0};

    value->near = "";
    if (!lf_text_fold(looking->arena, value->value, value->value_len, &folded))
        return false;
    lf_likeness_prepare(folded, &nearest.value);
    for (size_t r = 0; r < attribute->rule_count; r++)
        compare_operands(&nearest, attribute->rules[r].when);
    if (nearest.found == NULL || nearest.likeness == LF_LIKENESS_SAME)
        return true;
    value->near = nearest.found->raw.bytes;
    value->near_len = nearest.found->raw.len;
    return true;
}

/* ---- what is told ---- */

struct ranked {
    const struct lf_counted_value *item;
    const char *text;
};

static int
compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    const struct lf_counted_value *x = left->item, *y = right->item;
    int order = 0;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    order = memcmp(left->text, right->text, x->len < y->len ? x->len : y->len);
    if (order != 0)
        return order;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return (x->tag > y->tag) - (x->tag < y->tag);
}

static bool
tell(const struct looking *looking, size_t limit, struct lf_unmatched *told)
{
    size_t most = looking->counts.count < limit ? looking->counts.count : limit;
    struct lf_ranking ranking = {.max = most, .compare = compare_ranked};
    struct ranked *ranked = lf_arena_calloc(looking->arena, most, sizeof *ranked);
    struct lf_unmatched_value *values = lf_arena_calloc(looking->arena, most, sizeof *values);

    ranking.slots = lf_arena_calloc(looking->arena, most + 1, sizeof *ranking.slots);
    if (ranked == NULL || values == NULL || ranking.slots == NULL)
        return false;
    for (size_t i = 0; i < most; i++)
        ranking.slots[i] = &ranked[i];
    for (size_t i = 0; i < looking->counts.count; i++) {
        const struct lf_counted_value *item = &looking->counts.items[i];
        struct ranked candidate = {item, lf_value_counts_text(&looking->counts, item)};
        struct ranked *slot = lf_ranking_enter(&ranking, &candidate);

        if (slot != NULL)
            *slot = candidate;
    }
    for (size_t i = 0; i < ranking.count; i++) {
        const struct ranked *one = ranking.slots[i];

        values[i] = (struct lf_unmatched_value){
            .attribute = looking->icp->attributes[one->item->group].key,
            .field = looking->icp->fields.paths[one->item->tag],
            .value = lf_arena_copy(looking->arena, one->text, one->item->len),
            .value_len = one->item->len,
            .count = one->item->count,
            .invalid = one->item->flag,
        };
        if (values[i].value == NULL || !find_near(looking, one->item, &values[i]))
            return false;
    }
    told->values = values;
    told->count = ranking.count;
    told->dropped = looking->counts.dropped;
    return true;
}

/* ---- all of it ---- */

enum lf_status
lf_unmatched_check(const struct lf_icp *icp, const char *attribute, struct lf_error *error)
{
    bool found = attribute == NULL;

    for (size_t a = 0; a < icp->attribute_count && !found; a++)
        found = strcmp(icp->attributes[a].key, attribute) == 0;
    if (found)
        return LF_OK;
    return lf_fail(error, LF_INVALID_PARAMETER,
                   "attribute: the active version of \"%s\" has no attribute \"%.64s\"; the key of one that it has"
                   " belongs here",
                   icp->key, attribute);
}

static enum lf_status
prepare(struct looking *looking, struct lf_store_reader *reader, const struct lf_list_source *lists,
        const struct lf_privacy *privacy, const char *attribute, struct lf_error *error)
{
    const struct lf_icp *icp = looking->icp;
    enum lf_status status = LF_OK;

    looking->withheld = lf_arena_calloc(looking->arena, icp->fields.count, sizeof *looking->withheld);
    looking->wanted = lf_arena_calloc(looking->arena, icp->attribute_count, sizeof *looking->wanted);
    looking->reads = lf_arena_calloc(looking->arena, icp->attribute_count, sizeof *looking->reads);
    if (looking->withheld == NULL || looking->wanted == NULL || looking->reads == NULL ||
        !lf_coverage_init(&looking->coverage, reader, privacy, looking->arena, icp))
        return out_of_memory(error);
    for (size_t f = 0; privacy != NULL && f < icp->fields.count; f++)
        looking->withheld[f] = lf_privacy_withholds(privacy, icp->fields.paths[f]);
    for (size_t a = 0; a < icp->attribute_count; a++)
        looking->wanted[a] = attribute == NULL || strcmp(icp->attributes[a].key, attribute) == 0;
    status = lf_unmatched_check(icp, attribute, error);
    if (status == LF_OK)
        status = lf_profiles_create(1, &looking->profiles, error);
    if (status == LF_OK)
        status = lf_profiles_add_icp(looking->profiles, icp, 0, 0, error);
    if (status == LF_OK)
        status = lf_profiles_compile(looking->profiles, lists, error);
    for (size_t a = 0; a < icp->attribute_count && status == LF_OK; a++)
        if (looking->wanted[a] &&
            !lf_rule_fields_init(&looking->reads[a], looking->arena, looking->profiles->program, 0, a))
            status = out_of_memory(error);
    if (status == LF_OK)
        status = lf_value_counts_init(&looking->counts, icp->attribute_count, LF_UNMATCHED_DISTINCT, LF_UNMATCHED_ALL,
                                      LF_UNMATCHED_BYTES, error);
    return status;
}

enum lf_status
lf_unmatched_find(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_icp *icp,
                  const struct lf_list_source *lists, const struct lf_privacy *privacy,
                  const struct lf_unmatched_options *options, struct lf_unmatched *ret_unmatched,
                  struct lf_error *error)
{
    struct lf_replay_options replay = {
        .from_ms = INT64_MIN, .to_ms = INT64_MAX, .leads = options->leads, .inputs = true, .counts = counts};
    struct looking looking = {.arena = arena, .icp = icp};
    struct lf_unmatched told = {.leads = 0};
    enum lf_status status = prepare(&looking, reader, lists, privacy, options->attribute, error);

    if (status == LF_OK)
        status = lf_replay(reader, arena, &replay, look_at_lead, &looking, &told.leads, error);
    if (status == LF_OK && !tell(&looking, options->limit, &told))
        status = out_of_memory(error);
    lf_value_counts_finish(&looking.counts);
    lf_coverage_finish(&looking.coverage);
    lf_profiles_destroy(looking.profiles);
    if (status == LF_OK)
        *ret_unmatched = told;
    return status;
}
