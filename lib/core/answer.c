/* answer.c - see answer.h. Sentences are written escaped at once: definitions' texts were escaped when the teller was
 * made, so that telling a score is mostly copying. */
#include "core/answer.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { REASONS = 3, VALUE_IN_REASON = 80 /* characters of a value that a sentence repeats */, TELLING_MAX = 256 << 20 };

/* ---- tellers ---- */

struct told_attribute {
    struct lf_text head;   /* {"key":…,"label":…,"category":…,"axis":…,"status":" */
    struct lf_text label;  /* escaped, no quotes */
    struct lf_text *rules; /* labels, escaped, no quotes */
};

struct lf_teller {
    const struct lf_icp *icp;
    struct lf_text head; /* {"icp":…,"version":…,"definition_hash":…,"score": */
    struct lf_text flat; /* "icp":…,"version":… */
    struct told_attribute *attributes;
    struct lf_text *fields; /* paths, escaped, no quotes */
    struct lf_text *lists;  /* the first {"key":…,"revision": and each other one what stands before its revision */
    size_t list_count;
    char hash[LF_HASH_TEXT_MAX];
};

/* The buffer's bytes from `from` on, kept. */
static struct lf_text
keep(struct lf_arena *arena, const struct lf_buf *buf, bool *failed)
{
    const char *bytes = lf_buf_failed(buf) ? NULL : lf_arena_copy(arena, buf->data, buf->len);

    *failed = *failed || bytes == NULL;
    return (struct lf_text){bytes, bytes != NULL ? buf->len : 0};
}

/* The text escaped, without quotes. */
static struct lf_text
escape(struct lf_arena *arena, struct lf_buf *scratch, const char *text, bool *failed)
{
    struct lf_text quoted;

    scratch->len = 0;
    lf_json_put_text(scratch, text, strlen(text));
    quoted = keep(arena, scratch, failed);
    return quoted.bytes == NULL ? quoted : (struct lf_text){quoted.bytes + 1, quoted.len - 2};
}

static void
prepare_attribute(struct lf_arena *arena, struct lf_buf *scratch, const struct lf_attribute *attribute,
                  struct told_attribute *told, bool *failed)
{
    told->label = escape(arena, scratch, attribute->label, failed);
    told->rules = lf_arena_calloc(arena, attribute->rule_count, sizeof *told->rules);
    if (told->rules == NULL) {
        *failed = true;
        return;
    }
    for (size_t i = 0; i < attribute->rule_count; i++)
        told->rules[i] = escape(arena, scratch, attribute->rules[i].label, failed);
    scratch->len = 0;
    lf_buf_lit(scratch, "{\"key\":\"");
    lf_buf_text(scratch, attribute->key);
    lf_buf_lit(scratch, "\",\"label\":\"");
    lf_buf_add(scratch, told->label.bytes, told->label.len);
    lf_buf_lit(scratch, "\",\"category\":\"");
    lf_buf_text(scratch, lf_category_word(attribute->category));
    lf_buf_lit(scratch, "\",\"axis\":\"");
    lf_buf_text(scratch, lf_axis_word(attribute->axis));
    lf_buf_lit(scratch, "\",\"status\":\"");
    told->head = keep(arena, scratch, failed);
}

static void
prepare_lists(struct lf_arena *arena, struct lf_buf *scratch, struct lf_teller *teller, bool *failed)
{
    const struct lf_fields *lists = &teller->icp->lists;

    teller->lists = lf_arena_calloc(arena, lists->count, sizeof *teller->lists);
    if (teller->lists == NULL) {
        *failed = true;
        return;
    }
    teller->list_count = lists->count;
    for (size_t i = 0; i < lists->count; i++) {
        scratch->len = 0;
        lf_buf_text(scratch, i > 0 ? "},{\"key\":\"" : "{\"key\":\"");
        lf_buf_text(scratch, lists->paths[i]);
        lf_buf_lit(scratch, "\",\"revision\":");
        teller->lists[i] = keep(arena, scratch, failed);
    }
}

const struct lf_teller *
lf_teller_create(struct lf_arena *arena, const struct lf_icp *icp, int version)
{
    struct lf_teller *teller = lf_arena_calloc(arena, 1, sizeof *teller);
    struct lf_buf scratch;
    bool failed = false;

    if (teller == NULL)
        return NULL;
    lf_buf_init(&scratch, NULL, 1 << 20);
    teller->icp = icp;
    lf_hash_text(icp->hash, teller->hash);
    teller->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *teller->attributes);
    teller->fields = lf_arena_calloc(arena, icp->fields.count, sizeof *teller->fields);
    failed = teller->attributes == NULL || teller->fields == NULL;
    for (size_t i = 0; !failed && i < icp->attribute_count; i++)
        prepare_attribute(arena, &scratch, &icp->attributes[i], &teller->attributes[i], &failed);
    for (size_t i = 0; !failed && i < icp->fields.count; i++)
        teller->fields[i] = escape(arena, &scratch, icp->fields.paths[i], &failed);
    if (!failed)
        prepare_lists(arena, &scratch, teller, &failed);
    scratch.len = 0;
    lf_buf_printf(&scratch, "\"icp\":\"%s\",\"version\":%d", icp->key, version);
    teller->flat = keep(arena, &scratch, &failed);
    scratch.len = 0;
    lf_buf_printf(&scratch, "{\"icp\":\"%s\",\"version\":%d,\"definition_hash\":\"%s\",\"score\":", icp->key, version,
                  teller->hash);
    teller->head = keep(arena, &scratch, &failed);
    lf_buf_finish(&scratch);
    return failed ? NULL : teller;
}

const char *
lf_teller_hash(const struct lf_teller *teller)
{
    return teller->hash;
}

bool
lf_explain_parse(const char *word, size_t len, enum lf_explain *ret_explain)
{
    static const char *const WORDS[] = {"full", "summary", "none"};

    for (int i = 0; i < 3; i++)
        if (strlen(WORDS[i]) == len && memcmp(WORDS[i], word, len) == 0) {
            *ret_explain = (enum lf_explain)i;
            return true;
        }
    return false;
}

/* ---- sentences ---- */

static void
put(struct lf_buf *buf, struct lf_text text)
{
    lf_buf_add(buf, text.bytes, text.len);
}

/* Appends bytes as the inside of a JSON string. */
static void
put_escaped(struct lf_buf *buf, const char *bytes, size_t len)
{
    size_t quote = buf->len;

    lf_json_put_text(buf, bytes, len);
    if (lf_buf_failed(buf))
        return;
    memmove(buf->data + quote, buf->data + quote + 1, buf->len - quote - 2);
    buf->len -= 2;
}

/* What of a result is told more than once: values and reasons, escaped, in one buffer. */
struct telling {
    const struct lf_result *result;
    struct lf_buf text, value; /* value: one raw value at a time */
    struct {
        size_t value, value_len, reason, reason_len;
        bool told;
    } * attributes;
};

static bool
telling_init(struct telling *telling, struct lf_arena *arena, const struct lf_result *result)
{
    *telling = (struct telling){.result = result};
    lf_buf_init(&telling->text, arena, TELLING_MAX);
    lf_buf_init(&telling->value, arena, TELLING_MAX);
    telling->attributes = lf_arena_calloc(arena, result->score.icp->attribute_count, sizeof *telling->attributes);
    return telling->attributes != NULL;
}

/* "(+20 of 20)", "(0 of 20)", "(left out)" */
static void
put_points(struct lf_buf *buf, const struct lf_attribute *attribute, const struct lf_attribute_outcome *outcome)
{
    int64_t points = lf_attribute_points(attribute, outcome);

    if (lf_attribute_max(attribute, outcome) == 0) {
        lf_buf_lit(buf, " (left out)");
        return;
    }
    lf_buf_text(buf, points > 0 ? " (+" : " (");
    lf_buf_decimal(buf, points, 6);
    lf_buf_lit(buf, " of ");
    lf_buf_int(buf, attribute->weight);
    lf_buf_lit(buf, ")");
}

/* Tells one attribute: its value, then its sentence. "Company size 860: 500-5,000 people (+20 of 20)". */
static void
tell(struct telling *telling, size_t at)
{
    const struct lf_result *result = telling->result;
    const struct lf_attribute *attribute = &result->score.icp->attributes[at];
    const struct lf_attribute_outcome *outcome = &result->outcome->attributes[at];
    const struct told_attribute *told = &result->teller->attributes[at];
    struct lf_buf *buf = &telling->text, *value = &telling->value;

    if (telling->attributes[at].told)
        return;
    telling->attributes[at].told = true;
    value->len = 0;
    lf_evaluation_value(result->evaluation, result->index, outcome->field, value);
    telling->attributes[at].value = buf->len;
    if (value->len > 0)
        put_escaped(buf, value->data, value->len);
    telling->attributes[at].value_len = buf->len - telling->attributes[at].value;

    telling->attributes[at].reason = buf->len;
    put(buf, told->label);
    if (value->len > 0 && outcome->missing == LF_NO_FIELD) {
        size_t cut =
            value->len <= VALUE_IN_REASON ? value->len : lf_text_prefix(value->data, value->len, VALUE_IN_REASON);

        lf_buf_lit(buf, " ");
        put_escaped(buf, value->data, cut);
        if (cut < value->len)
            lf_buf_lit(buf, "…");
    }
    lf_buf_lit(buf, ": ");
    if (outcome->status == LF_ATTRIBUTE_MATCHED) {
        put(buf, told->rules[outcome->rule]);
    } else if (outcome->status == LF_ATTRIBUTE_UNMATCHED) {
        lf_buf_lit(buf, "no rule matches");
    } else if (outcome->missing != LF_NO_FIELD) {
        put(buf, result->teller->fields[outcome->missing]);
        lf_buf_lit(buf, " is missing");
    } else if (outcome->invalid) {
        lf_buf_lit(buf, "not readable as the rules need it");
    } else {
        put(buf, result->teller->fields[outcome->field]);
        lf_buf_lit(buf, " is missing in part");
    }
    put_points(buf, attribute, outcome);
    telling->attributes[at].reason_len = buf->len - telling->attributes[at].reason;
}

static struct lf_text
reason_of(struct telling *telling, size_t at)
{
    tell(telling, at);
    if (lf_buf_failed(&telling->text))
        return (struct lf_text){"", 0};
    return (struct lf_text){telling->text.data + telling->attributes[at].reason, telling->attributes[at].reason_len};
}

/* Calls `each` with the escaped reasons, most telling first, up to `count`. */
static size_t
each_reason(struct telling *telling, size_t count, void (*each)(void *context, struct lf_text escaped), void *context,
            struct lf_buf *scratch)
{
    const struct lf_result *result = telling->result;
    const struct lf_icp *icp = result->score.icp;
    size_t order[LF_ATTRIBUTES_MAX], found = 0, told = 0;

    for (size_t i = 0; i < icp->disqualifier_count && told < count; i++) {
        if (result->outcome->disqualifiers[i] != LF_VERDICT_TRUE)
            continue;
        scratch->len = 0;
        put_escaped(scratch, icp->disqualifiers[i].reason, strlen(icp->disqualifiers[i].reason));
        each(context, (struct lf_text){scratch->data, scratch->len});
        told++;
    }
    found = told < count ? lf_reason_order(result->scorer, result->outcome, order, count - told) : 0;
    for (size_t i = 0; i < found; i++, told++)
        each(context, reason_of(telling, order[i]));
    return told;
}

/* ---- the answer ---- */

struct reason_members {
    struct lf_buf *buf;
    int number;
};

static void
put_reason_member(void *context, struct lf_text escaped)
{
    struct reason_members *members = context;

    lf_buf_lit(members->buf, ",\"reason_");
    lf_buf_int(members->buf, ++members->number);
    lf_buf_lit(members->buf, "\":\"");
    put(members->buf, escaped);
    lf_buf_lit(members->buf, "\"");
}

static void
put_boolean(struct lf_buf *buf, bool yes)
{
    lf_buf_text(buf, yes ? "true" : "false");
}

static void
put_time(struct lf_buf *buf, int64_t ms)
{
    char text[LF_TIME_TEXT_MAX];

    lf_buf_add(buf, text, lf_time_format_ms(ms, text));
}

/* A text of the definition that was not escaped beforehand, quoted. */
static void
put_quoted(struct lf_buf *buf, const char *text)
{
    lf_json_put_text(buf, text, strlen(text));
}

static void
put_label(struct lf_buf *buf, const struct lf_score *score)
{
    char label[LF_LABEL_MAX];

    lf_score_label(score, label);
    put_quoted(buf, label);
}

static int
level_of(const struct lf_score *score)
{
    return score->has_engagement ? (int)score->level + 1 : 0;
}

/* score, grade, qualified, coverage: the members that stand in both places. */
static void
put_core(struct lf_buf *buf, const struct lf_score *score)
{
    lf_buf_decimal(buf, score->axes[LF_AXIS_FIT].score, 2);
    lf_buf_lit(buf, ",\"grade\":");
    put_quoted(buf, lf_score_grade(score));
    lf_buf_lit(buf, ",\"qualified\":");
    put_boolean(buf, score->qualified);
    lf_buf_lit(buf, ",\"coverage\":");
    lf_buf_decimal(buf, score->axes[LF_AXIS_FIT].coverage, 2);
}

static void
put_flat(struct lf_buf *buf, const struct lf_answer *answer, struct telling *telling, struct lf_buf *scratch,
         struct lf_answer_stamp *stamp)
{
    const struct lf_result *best = &answer->results[0];
    struct reason_members members = {.buf = buf};
    char id[LF_ULID_TEXT_SIZE];

    lf_buf_lit(buf, "\"id\":\"");
    stamp->id_at = buf->len;
    if (answer->recorded) {
        lf_ulid_format(answer->id, id);
        lf_buf_text(buf, id);
    }
    lf_buf_lit(buf, "\",\"lead_id\":");
    lf_json_put_text(buf, answer->lead_id, answer->lead_id_len);
    lf_buf_lit(buf, ",\"scored_at\":\"");
    stamp->scored_at_at = buf->len;
    put_time(buf, answer->scored_at_ms);
    lf_buf_lit(buf, "\",\"as_of\":\"");
    put_time(buf, answer->as_of_ms);
    lf_buf_lit(buf, "\",\"recorded\":");
    put_boolean(buf, answer->recorded);
    lf_buf_lit(buf, ",");
    put(buf, best->teller->flat);
    lf_buf_lit(buf, ",\"score\":");
    put_core(buf, &best->score);
    lf_buf_lit(buf, ",\"engagement\":");
    lf_buf_decimal(buf, best->score.axes[LF_AXIS_ENGAGEMENT].score, 2);
    lf_buf_lit(buf, ",\"engagement_level\":");
    lf_buf_int(buf, level_of(&best->score));
    lf_buf_lit(buf, ",\"label\":");
    put_label(buf, &best->score);
    (void)each_reason(telling, REASONS, put_reason_member, &members, scratch);
    while (members.number < REASONS)
        put_reason_member(&members, (struct lf_text){"", 0});
}

static void
put_disqualifiers(struct lf_buf *buf, const struct lf_result *result)
{
    const struct lf_icp *icp = result->score.icp;
    bool first = true;

    lf_buf_lit(buf, ",\"disqualifiers\":[");
    for (size_t i = 0; i < icp->disqualifier_count; i++) {
        if (result->outcome->disqualifiers[i] != LF_VERDICT_TRUE)
            continue;
        lf_buf_text(buf, first ? "{\"key\":\"" : ",{\"key\":\"");
        lf_buf_text(buf, icp->disqualifiers[i].key);
        lf_buf_lit(buf, "\",\"reason\":");
        put_quoted(buf, icp->disqualifiers[i].reason);
        lf_buf_lit(buf, "}");
        first = false;
    }
    lf_buf_lit(buf, "],\"unverified\":[");
    first = true;
    for (size_t i = 0; i < icp->disqualifier_count; i++) {
        if (result->outcome->disqualifiers[i] != LF_VERDICT_UNKNOWN)
            continue;
        lf_buf_text(buf, first ? "\"" : ",\"");
        lf_buf_text(buf, icp->disqualifiers[i].key);
        lf_buf_lit(buf, "\"");
        first = false;
    }
    lf_buf_lit(buf, "]");
}

static void
put_attribute(struct lf_buf *buf, struct telling *telling, size_t at)
{
    static const struct lf_text STATUSES[] = {{"matched", 7}, {"unmatched", 9}, {"unknown", 7}};
    const struct lf_result *result = telling->result;
    const struct lf_attribute *attribute = &result->score.icp->attributes[at];
    const struct lf_attribute_outcome *outcome = &result->outcome->attributes[at];
    const struct told_attribute *told = &result->teller->attributes[at];
    struct lf_text reason = reason_of(telling, at);

    put(buf, told->head);
    put(buf, STATUSES[outcome->status]);
    lf_buf_text(buf, outcome->invalid ? "\",\"invalid\":true,\"weight\":" : "\",\"invalid\":false,\"weight\":");
    lf_buf_int(buf, attribute->weight);
    lf_buf_lit(buf, ",\"fit\":");
    lf_buf_decimal(buf, outcome->fit, 6);
    lf_buf_lit(buf, ",\"points\":");
    lf_buf_decimal(buf, lf_attribute_points(attribute, outcome), 6);
    lf_buf_lit(buf, ",\"max_points\":");
    lf_buf_int(buf, lf_attribute_max(attribute, outcome) / LF_FIT_ONE);
    lf_buf_lit(buf, ",\"rule\":\"");
    if (outcome->rule != LF_NO_RULE)
        put(buf, told->rules[outcome->rule]);
    lf_buf_lit(buf, "\",\"field\":\"");
    put(buf, result->teller->fields[outcome->field]);
    lf_buf_lit(buf, "\",\"value\":\"");
    if (!lf_buf_failed(&telling->text) && telling->attributes[at].value_len > 0)
        lf_buf_add(buf, telling->text.data + telling->attributes[at].value, telling->attributes[at].value_len);
    lf_buf_lit(buf, "\",\"reason\":\"");
    put(buf, reason);
    lf_buf_lit(buf, "\"}");
}

/* The lists that the ICP asks, with the revisions they had; most ask none. */
static void
put_lists(struct lf_buf *buf, const struct lf_result *result, struct lf_arena *arena)
{
    struct lf_list_use *uses = lf_arena_alloc(arena, result->teller->list_count * sizeof *uses);

    if (uses == NULL) {
        buf->failed = true;
        return;
    }
    (void)lf_evaluation_lists(result->evaluation, result->index, uses);
    lf_buf_lit(buf, "],\"lists\":[");
    for (size_t i = 0; i < result->teller->list_count; i++) {
        put(buf, result->teller->lists[i]);
        lf_buf_int(buf, uses[i].revision);
    }
    lf_buf_lit(buf, "}],\"to_next_grade\":[");
}

static void
put_full(struct lf_buf *buf, struct telling *telling)
{
    const struct lf_result *result = telling->result;
    const struct lf_icp *icp = result->score.icp;

    lf_buf_lit(buf, ",\"attributes\":[");
    for (size_t i = 0; i < icp->attribute_count; i++) {
        if (i > 0)
            lf_buf_lit(buf, ",");
        put_attribute(buf, telling, i);
    }
    lf_buf_lit(buf, "],\"caps\":[");
    for (size_t i = 0; i < result->score.cap_count; i++) {
        const struct lf_cap_taken *taken = &result->score.caps[i];

        lf_buf_text(buf, i > 0 ? ",{\"category\":\"" : "{\"category\":\"");
        lf_buf_text(buf, lf_category_word(taken->cap->category));
        lf_buf_lit(buf, "\",\"axis\":\"");
        lf_buf_text(buf, lf_axis_word(taken->cap->axis));
        lf_buf_lit(buf, "\",\"before\":");
        lf_buf_decimal(buf, taken->before, 6);
        lf_buf_lit(buf, ",\"after\":");
        lf_buf_int(buf, taken->cap->max);
        lf_buf_lit(buf, "}");
    }
    if (result->teller->list_count == 0)
        lf_buf_lit(buf, "],\"lists\":[],\"to_next_grade\":[");
    else
        put_lists(buf, result, telling->text.arena);
    for (size_t i = 0; i < result->score.step_count; i++) {
        const struct lf_step *step = &result->score.steps[i];
        int rule = result->scorer->reach[step->attribute].best_rule;

        lf_buf_text(buf, i > 0 ? ",{\"attribute\":\"" : "{\"attribute\":\"");
        lf_buf_text(buf, icp->attributes[step->attribute].key);
        lf_buf_lit(buf, "\",\"rule\":\"");
        if (rule != LF_NO_RULE)
            put(buf, result->teller->attributes[step->attribute].rules[rule]);
        lf_buf_lit(buf, "\",\"gain\":");
        lf_buf_decimal(buf, step->gain, 6);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

static void
put_result(struct lf_buf *buf, struct telling *telling, enum lf_explain explain)
{
    const struct lf_result *result = telling->result;
    const struct lf_score *score = &result->score;
    const struct lf_axis_score *fit = &score->axes[LF_AXIS_FIT], *engagement = &score->axes[LF_AXIS_ENGAGEMENT];
    const struct lf_grade *grades = score->icp->grades;

    put(buf, result->teller->head);
    put_core(buf, score);
    lf_buf_lit(buf, ",\"points\":");
    lf_buf_decimal(buf, fit->points, 6);
    lf_buf_lit(buf, ",\"max_points\":");
    lf_buf_decimal(buf, fit->max_points, 6);
    lf_buf_lit(buf, ",\"engagement\":{\"score\":");
    lf_buf_decimal(buf, engagement->score, 2);
    lf_buf_lit(buf, ",\"level\":");
    lf_buf_int(buf, level_of(score));
    lf_buf_lit(buf, ",\"points\":");
    lf_buf_decimal(buf, engagement->points, 6);
    lf_buf_lit(buf, ",\"max_points\":");
    lf_buf_decimal(buf, engagement->max_points, 6);
    lf_buf_lit(buf, ",\"coverage\":");
    lf_buf_decimal(buf, engagement->coverage, 2);
    lf_buf_lit(buf, "},\"label\":");
    put_label(buf, score);
    lf_buf_lit(buf, ",\"range\":{\"min\":");
    lf_buf_decimal(buf, score->range_min, 2);
    lf_buf_lit(buf, ",\"max\":");
    lf_buf_decimal(buf, score->range_max, 2);
    lf_buf_lit(buf, ",\"grade_min\":");
    put_quoted(buf, grades[lf_grade_of(grades, score->icp->grade_count, score->range_min)].name);
    lf_buf_lit(buf, ",\"grade_max\":");
    put_quoted(buf, grades[lf_grade_of(grades, score->icp->grade_count, score->range_max)].name);
    lf_buf_lit(buf, "},\"next_best_field\":\"");
    if (score->next_best_field != LF_NO_FIELD)
        put(buf, result->teller->fields[score->next_best_field]);
    lf_buf_lit(buf, "\"");
    put_disqualifiers(buf, result);
    if (explain == LF_EXPLAIN_FULL)
        put_full(buf, telling);
    lf_buf_lit(buf, "}");
}

static int
compare_results(const void *a, const void *b)
{
    const struct lf_result *left = a, *right = b;

    return lf_score_compare(&left->score, &right->score);
}

static void
put_answer(struct lf_buf *buf, struct lf_arena *arena, struct lf_answer *answer, struct lf_answer_stamp *stamp)
{
    struct telling telling;
    struct lf_buf scratch;
    size_t begin = buf->len;
    bool with_results = answer->explain == LF_EXPLAIN_FULL || answer->explain == LF_EXPLAIN_SUMMARY;

    if (answer->result_count > 1)
        qsort(answer->results, answer->result_count, sizeof *answer->results, compare_results);
    lf_buf_init(&scratch, arena, TELLING_MAX);
    lf_buf_lit(buf, "{");
    if (answer->line > 0) {
        lf_buf_lit(buf, "\"line\":");
        lf_buf_int(buf, answer->line);
        lf_buf_lit(buf, ",");
    }
    for (size_t i = 0; i < answer->result_count; i++) {
        if (i > 0 && !with_results)
            break;
        if (!telling_init(&telling, arena, &answer->results[i])) {
            buf->failed = true;
            return;
        }
        if (i == 0) {
            put_flat(buf, answer, &telling, &scratch, stamp);
            if (answer->explain != LF_EXPLAIN_FLAT)
                lf_buf_lit(buf, ",\"results\":[");
        } else {
            lf_buf_lit(buf, ",");
        }
        if (with_results)
            put_result(buf, &telling, answer->explain);
        if (lf_buf_failed(&telling.text) || lf_buf_failed(&telling.value) || lf_buf_failed(&scratch))
            buf->failed = true;
    }
    lf_buf_text(buf, answer->explain != LF_EXPLAIN_FLAT ? "]}" : "}");
    stamp->id_at -= begin;
    stamp->scored_at_at -= begin;
}

void
lf_answer_put(struct lf_buf *buf, struct lf_arena *arena, struct lf_answer *answer)
{
    struct lf_answer_stamp stamp = {0};

    put_answer(buf, arena, answer, &stamp);
}

void
lf_answer_put_pending(struct lf_buf *buf, struct lf_arena *arena, struct lf_answer *answer,
                      struct lf_answer_stamp *ret_stamp)
{
    answer->recorded = true;
    answer->id = (struct lf_ulid){{0}};
    answer->scored_at_ms = 0;
    put_answer(buf, arena, answer, ret_stamp);
}

void
lf_answer_stamp(char *answer, const struct lf_answer_stamp *stamp, struct lf_ulid id)
{
    char text[LF_ULID_TEXT_SIZE], time[LF_TIME_TEXT_MAX];

    lf_ulid_format(id, text);
    memcpy(answer + stamp->id_at, text, LF_ULID_TEXT_SIZE - 1);
    memcpy(answer + stamp->scored_at_at, time, lf_time_format_ms(lf_ulid_ms(id), time));
}

/* ---- reasons for people ---- */

struct reason_list {
    struct lf_arena *arena;
    const char **reasons;
    size_t count;
};

/* Takes the escapes off again: quotes, backslashes and control characters are all that was escaped. */
static void
list_reason(void *context, struct lf_text escaped)
{
    struct reason_list *list = context;
    struct lf_buf quoted;
    const struct lf_json *node = NULL;
    size_t len = 0;

    lf_buf_init(&quoted, list->arena, TELLING_MAX);
    lf_buf_lit(&quoted, "\"");
    put(&quoted, escaped);
    lf_buf_lit(&quoted, "\"");
    if (lf_buf_failed(&quoted) ||
        lf_json_parse(list->arena, quoted.data, quoted.len, &LF_JSON_DOCUMENT_LIMITS, &node, NULL) != LF_OK)
        return;
    list->reasons[list->count++] = lf_json_text(node, &len);
}

size_t
lf_result_reasons(struct lf_arena *arena, const struct lf_result *result, const char **ret_reasons, size_t count)
{
    struct reason_list list = {.arena = arena, .reasons = ret_reasons};
    struct telling telling;
    struct lf_buf scratch;

    lf_buf_init(&scratch, arena, TELLING_MAX);
    if (telling_init(&telling, arena, result))
        (void)each_reason(&telling, count, list_reason, &list, &scratch);
    return list.count;
}
