/*
 * lint_cover.c - proofs about conditions: is one true only when another is?
 *
 * Conditions are read with their denials pushed down to the leaves (which is sound in Kleene's logic), so that a part
 * is a leaf, a denied leaf, an `all` or an `any`. A leaf is true when it holds for some element of its field, and a
 * denied one when its field has elements, all of which can be read and for none of which the leaf holds. What holds
 * element by element therefore holds for the leaves; but two leaves of an `all` may be true for different elements and
 * are never joined into one narrower question. A proof that would take too many steps is given up.
 */
#include "core/lint_types.h"

#include "core/text_match.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

enum { STEPS_OF_ALLOCATION = 64 /* so that steps bound memory, too */ };

static bool
spend(struct linting *linting, size_t steps)
{
    linting->proof_steps -= (int64_t)steps;
    return linting->proof_steps > 0;
}

static void *
scratch(struct linting *linting, size_t count, size_t size)
{
    void *piece = spend(linting, count * STEPS_OF_ALLOCATION) ? lf_arena_calloc(linting->scratch, count, size) : NULL;

    if (piece == NULL && linting->proof_steps > 0)
        linting->out_of_memory = true;
    return piece;
}

/* ---- parts ---- */

struct part
part_unwrap(struct part part)
{
    while (part.at->kind == LF_CONDITION_NOT)
        part = (struct part){part.at->children[0], !part.negated};
    return part;
}

bool
part_is_all(struct part part)
{
    return (part.at->kind == LF_CONDITION_ALL) != part.negated;
}

static struct part
child_of(struct part part, size_t index)
{
    return part_unwrap((struct part){part.at->children[index], part.negated});
}

bool
part_exists(struct part part, bool *ret_yes)
{
    if (part.at->kind != LF_CONDITION_LEAF || part.at->op != LF_OP_EXISTS)
        return false;
    *ret_yes = part.at->yes != part.negated;
    return true;
}

/* ---- runs of values ---- */

/* Where a double stands among all doubles: neighbours differ by one, and -0 is 0. */
static int64_t
rank(double number)
{
    int64_t bits = 0;

    memcpy(&bits, &number, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static struct span
whole_line(enum line line)
{
    if (line == LINE_NUMBER)
        return (struct span){rank(-DBL_MAX), rank(DBL_MAX)};
    return (struct span){INT64_MIN, INT64_MAX};
}

static int
compare_spans(const void *a, const void *b)
{
    const struct span *left = a, *right = b;

    return (left->low > right->low) - (left->low < right->low);
}

/* Sorts, drops what is empty, and joins what touches. */
static void
tidy(struct spans *spans)
{
    size_t kept = 0;

    if (spans->count > 1)
        qsort(spans->items, spans->count, sizeof *spans->items, compare_spans);
    for (size_t i = 0; i < spans->count; i++) {
        struct span span = spans->items[i];

        if (span.low > span.high)
            continue;
        if (kept > 0 && (spans->items[kept - 1].high == INT64_MAX || span.low <= spans->items[kept - 1].high + 1)) {
            if (span.high > spans->items[kept - 1].high)
                spans->items[kept - 1].high = span.high;
        } else {
            spans->items[kept++] = span;
        }
    }
    spans->count = kept;
}

/* What is left of the line. */
static struct spans
complement(struct linting *linting, struct spans spans)
{
    struct span whole = whole_line(spans.line);
    struct spans rest = {spans.line, scratch(linting, spans.count + 1, sizeof *rest.items), 0};
    int64_t from = whole.low;

    if (rest.items == NULL)
        return (struct spans){LINE_NONE, NULL, 0};
    for (size_t i = 0; i < spans.count; i++) {
        if (spans.items[i].low > from)
            rest.items[rest.count++] = (struct span){from, spans.items[i].low - 1};
        if (spans.items[i].high == whole.high)
            return rest;
        from = spans.items[i].high + 1;
    }
    rest.items[rest.count++] = (struct span){from, whole.high};
    return rest;
}

/* The run of an operator that compares. */
static enum line
comparison(const struct lf_condition *leaf, struct span *ret_span)
{
    int64_t days_us = leaf->days * DAY_US;
    struct span span = whole_line(LINE_NUMBER);
    enum line line = LINE_NUMBER;

    switch (leaf->op) {
    case LF_OP_GT:
        span.low = rank(leaf->low) + 1;
        break;
    case LF_OP_GTE:
        span.low = rank(leaf->low);
        break;
    case LF_OP_LT:
        span.high = rank(leaf->low) - 1;
        break;
    case LF_OP_LTE:
        span.high = rank(leaf->low);
        break;
    case LF_OP_BETWEEN:
        span = (struct span){rank(leaf->low), rank(leaf->high)};
        break;
    case LF_OP_BEFORE:
        line = LINE_DATE;
        span = (struct span){INT64_MIN, leaf->date_us - 1};
        break;
    case LF_OP_AFTER:
        line = LINE_DATE;
        span = (struct span){leaf->date_us + 1, INT64_MAX};
        break;
    case LF_OP_WITHIN_DAYS:
        line = LINE_AGE;
        span = (struct span){0, days_us};
        break;
    case LF_OP_OLDER_THAN_DAYS:
        line = LINE_AGE;
        span = (struct span){days_us + 1, INT64_MAX};
        break;
    case LF_OP_IN_NEXT_DAYS:
        line = LINE_AGE;
        span = (struct span){-days_us, 0};
        break;
    case LF_OP_IS:
    case LF_OP_IN:
    case LF_OP_STARTS_WITH:
    case LF_OP_ENDS_WITH:
    case LF_OP_CONTAINS:
    case LF_OP_HAS_WORD:
    case LF_OP_LIKE:
    case LF_OP_HAS_ALL:
    case LF_OP_IN_LIST:
    case LF_OP_EXISTS:
    case LF_OP_COUNT:
        return LINE_NONE;
    }
    *ret_span = span;
    return line;
}

/* The numbers for which a leaf holds, whatever else its entries are; LINE_NONE where it has none. */
static struct spans
leaf_spans(struct linting *linting, const struct lf_condition *leaf, bool pure)
{
    struct spans spans = {LINE_NONE, NULL, 0};
    struct span one = {0, 0};
    enum line line = comparison(leaf, &one);
    size_t numbers = 0;

    if (line != LINE_NONE) {
        spans.items = scratch(linting, 1, sizeof *spans.items);
        if (spans.items == NULL)
            return spans;
        spans.line = line;
        spans.items[0] = one;
        spans.count = one.low <= one.high;
        return spans;
    }
    if (leaf->op != LF_OP_IS && leaf->op != LF_OP_IN)
        return spans;
    for (size_t i = 0; i < leaf->entry_count; i++)
        numbers += leaf->entries[i].kind == LF_JSON_NUMBER;
    if (numbers == 0 || (pure && numbers < leaf->entry_count))
        return spans;
    spans.items = scratch(linting, numbers, sizeof *spans.items);
    if (spans.items == NULL)
        return spans;
    spans.line = LINE_NUMBER;
    for (size_t i = 0; i < leaf->entry_count; i++)
        if (leaf->entries[i].kind == LF_JSON_NUMBER)
            spans.items[spans.count++] = (struct span){rank(leaf->entries[i].number), rank(leaf->entries[i].number)};
    tidy(&spans);
    return spans;
}

struct spans
part_spans(struct linting *linting, struct part part)
{
    struct spans spans = {LINE_NONE, NULL, 0};

    if (part.at->kind != LF_CONDITION_LEAF)
        return spans;
    spans = leaf_spans(linting, part.at, true);
    return part.negated && spans.line != LINE_NONE ? complement(linting, spans) : spans;
}

struct spans
spans_intersect(struct linting *linting, struct spans a, struct spans b)
{
    struct spans both = {a.line, scratch(linting, a.count + b.count + 1, sizeof *both.items), 0};

    if (both.items == NULL)
        return (struct spans){LINE_NONE, NULL, 0};
    for (size_t i = 0, j = 0; i < a.count && j < b.count;) {
        struct span span = {a.items[i].low > b.items[j].low ? a.items[i].low : b.items[j].low,
                            a.items[i].high < b.items[j].high ? a.items[i].high : b.items[j].high};
        if (span.low <= span.high)
            both.items[both.count++] = span;
        if (a.items[i].high < b.items[j].high)
            i++;
        else
            j++;
    }
    return both;
}

/* Whether every value of `inner` is one of `outer`. */
static bool
spans_within(struct spans inner, struct spans outer)
{
    size_t at = 0;

    for (size_t i = 0; i < inner.count; i++) {
        while (at < outer.count && outer.items[at].high < inner.items[i].low)
            at++;
        if (at == outer.count || outer.items[at].low > inner.items[i].low || outer.items[at].high < inner.items[i].high)
            return false;
    }
    return true;
}

/* ---- lists of alternatives ---- */

struct alternatives {
    struct part *items;
    size_t count, cap;
};

/* Adds a part, or the parts of an `any`, each unwrapped. */
static bool
add_alternative(struct linting *linting, struct alternatives *list, struct part part)
{
    part = part_unwrap(part);
    if (part.at->kind != LF_CONDITION_LEAF && !part_is_all(part)) {
        for (size_t i = 0; i < part.at->child_count; i++)
            if (!add_alternative(linting, list, child_of(part, i)))
                return false;
        return true;
    }
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 4 : list->cap * 2;
        struct part *items = scratch(linting, cap, sizeof *items);
        if (items == NULL)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = part;
    return true;
}

/* ---- one entry against the alternatives ---- */

static bool
same_text(struct lf_text a, struct lf_text b)
{
    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

/* Whether every text that meets `op` with the text a meets `other` with the text b. LF_OP_IS stands for equality. */
static bool
text_implies(enum lf_operator op, struct lf_text a, enum lf_operator other, struct lf_text b)
{
    if (op == LF_OP_IS)
        return other == LF_OP_IS ? same_text(a, b) : lf_text_matches(other, a, b);
    if (op == other && same_text(a, b))
        return true;
    if (op == LF_OP_LIKE)
        return false;
    if (other == LF_OP_CONTAINS)
        return lf_text_matches(LF_OP_CONTAINS, a, b);
    /* At the edges of a phrase found as a word there is no word character, as at the edges of the phrase by itself. */
    return op == other && lf_text_matches(op, a, b);
}

/* Whether a leaf's entries cover one text under an operator. */
static bool
leaf_covers_text(struct linting *linting, const struct lf_condition *leaf, enum lf_operator op, struct lf_text text)
{
    enum lf_operator other = leaf->op;
    bool all = leaf->op == LF_OP_HAS_ALL;

    if (leaf->op == LF_OP_IN || leaf->op == LF_OP_HAS_ALL)
        other = LF_OP_IS;
    for (size_t i = 0; i < leaf->entry_count; i++) {
        bool implied = leaf->entries[i].kind == LF_JSON_TEXT && text_implies(op, text, other, leaf->entries[i].folded);

        if (!spend(linting, 1))
            return false;
        if (implied != all)
            return implied;
    }
    return all;
}

static bool
takes_entries(enum lf_operator op)
{
    enum lf_operand_kind operand = lf_operator_operand(op);

    return operand == LF_OPERAND_SCALAR || operand == LF_OPERAND_SCALARS || operand == LF_OPERAND_TEXTS ||
           operand == LF_OPERAND_ALL_TEXTS;
}

static bool
text_covered(struct linting *linting, size_t field, enum lf_operator op, struct lf_text text,
             const struct alternatives *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct part *part = &list->items[i];

        if (part->at->kind != LF_CONDITION_LEAF || part->negated || part->at->field != field ||
            !takes_entries(part->at->op))
            continue;
        if (leaf_covers_text(linting, part->at, op, text))
            return true;
    }
    return false;
}

static bool
boolean_covered(size_t field, bool yes, const struct alternatives *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct part *part = &list->items[i];

        if (part->at->kind != LF_CONDITION_LEAF || part->negated || part->at->field != field ||
            (part->at->op != LF_OP_IS && part->at->op != LF_OP_IN))
            continue;
        for (size_t e = 0; e < part->at->entry_count; e++)
            if (part->at->entries[e].kind == LF_JSON_BOOLEAN && part->at->entries[e].yes == yes)
                return true;
    }
    return false;
}

/* Whether the values lie in those of the alternatives on the field, taken together. */
static bool
spans_covered(struct linting *linting, size_t field, struct spans spans, const struct alternatives *list)
{
    struct spans joined = {spans.line, NULL, 0};
    size_t cap = 0;

    if (spans.count == 0)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct part *part = &list->items[i];
        struct spans one = {LINE_NONE, NULL, 0};

        if (part->at->kind != LF_CONDITION_LEAF || part->negated || part->at->field != field)
            continue;
        one = leaf_spans(linting, part->at, false);
        if (one.line != spans.line || one.count == 0)
            continue;
        if (joined.count + one.count > cap) {
            struct span *items = scratch(linting, 2 * (joined.count + one.count), sizeof *items);
            if (items == NULL)
                return false;
            cap = 2 * (joined.count + one.count);
            if (joined.count > 0)
                memcpy(items, joined.items, joined.count * sizeof *items);
            joined.items = items;
        }
        memcpy(joined.items + joined.count, one.items, one.count * sizeof *one.items);
        joined.count += one.count;
    }
    tidy(&joined);
    return spans_within(spans, joined);
}

/* ---- leaves ---- */

/* Every entry of a leaf must be covered, each by whatever alternative covers it. */
static bool
entries_covered(struct linting *linting, const struct lf_condition *leaf, const struct alternatives *list)
{
    enum lf_operator op = leaf->op == LF_OP_IN ? LF_OP_IS : leaf->op;
    struct spans numbers = leaf_spans(linting, leaf, false);

    if (numbers.line != LINE_NONE && !spans_covered(linting, leaf->field, numbers, list))
        return false;
    for (size_t i = 0; i < leaf->entry_count; i++) {
        const struct lf_scalar *entry = &leaf->entries[i];

        if (entry->kind == LF_JSON_TEXT && !text_covered(linting, leaf->field, op, entry->folded, list))
            return false;
        if (entry->kind == LF_JSON_BOOLEAN && !boolean_covered(leaf->field, entry->yes, list))
            return false;
    }
    return true;
}

/* has_all finds each of its texts: one that is covered is enough, or another has_all of no more texts. */
static bool
has_all_covered(struct linting *linting, const struct lf_condition *leaf, const struct alternatives *list)
{
    for (size_t i = 0; i < leaf->entry_count; i++)
        if (text_covered(linting, leaf->field, LF_OP_IS, leaf->entries[i].folded, list))
            return true;
    for (size_t i = 0; i < list->count; i++) {
        const struct lf_condition *other = list->items[i].at;
        size_t found = 0;

        if (other->kind != LF_CONDITION_LEAF || list->items[i].negated || other->op != LF_OP_HAS_ALL ||
            other->field != leaf->field)
            continue;
        while (found < other->entry_count && leaf->entry_count > 0) {
            size_t e = 0;

            while (e < leaf->entry_count && spend(linting, 1) &&
                   !same_text(leaf->entries[e].folded, other->entries[found].folded))
                e++;
            if (e == leaf->entry_count || linting->proof_steps <= 0)
                break;
            found++;
        }
        if (found == other->entry_count)
            return true;
    }
    return false;
}

/* Whether two leaves can read the same values: when one is false, the other is not unknown. */
static bool
same_kind(const struct lf_condition *a, const struct lf_condition *b)
{
    unsigned kinds[2] = {0, 0};
    const struct lf_condition *leaves[2] = {a, b};

    for (int i = 0; i < 2; i++) {
        const struct lf_condition *leaf = leaves[i];
        struct span ignored = {0, 0};

        switch (comparison(leaf, &ignored)) {
        case LINE_NUMBER:
            kinds[i] = 1u << LF_JSON_NUMBER;
            continue;
        case LINE_DATE:
        case LINE_AGE:
            kinds[i] = 1u << LF_JSON_OBJECT; /* a mark of its own: dates are read as nothing else is */
            continue;
        case LINE_NONE:
            break;
        }
        if (leaf->op == LF_OP_IN_LIST)
            kinds[i] = 1u << LF_JSON_TEXT;
        for (size_t e = 0; e < leaf->entry_count; e++)
            kinds[i] |= 1u << leaf->entries[e].kind;
        if ((kinds[i] & 1u << LF_JSON_TEXT) != 0)
            kinds[i] = 1u << LF_JSON_TEXT; /* every scalar can be read as text */
    }
    return kinds[0] == kinds[1];
}

static bool leaf_covered(struct linting *linting, struct part part, const struct alternatives *list);

static bool
denied_leaf_covered(struct linting *linting, const struct lf_condition *leaf, const struct alternatives *list)
{
    struct spans spans = part_spans(linting, (struct part){leaf, true});

    if (spans.line != LINE_NONE && spans_covered(linting, leaf->field, spans, list))
        return true;
    for (size_t i = 0; i < list->count; i++) {
        const struct part *other = &list->items[i];
        struct part self = {leaf, false};
        struct alternatives one = {&self, 1, 1};

        if (other->at->kind == LF_CONDITION_LEAF && other->negated && other->at->field == leaf->field &&
            other->at->op != LF_OP_EXISTS && same_kind(leaf, other->at) &&
            leaf_covered(linting, (struct part){other->at, false}, &one))
            return true;
    }
    return false;
}

static bool
leaf_covered(struct linting *linting, struct part part, const struct alternatives *list)
{
    const struct lf_condition *leaf = part.at;
    bool asks = false, yes = false, other = false;

    asks = part_exists(part, &yes);
    /* Whatever is true of a field, but for its absence, makes it exist. */
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].at->field == leaf->field && part_exists(list->items[i], &other) &&
            other == (asks ? yes : true))
            return true;
    if (asks || !spend(linting, list->count + 1))
        return false;
    if (part.negated)
        return denied_leaf_covered(linting, leaf, list);
    if (leaf->op == LF_OP_IN_LIST) {
        for (size_t i = 0; i < list->count; i++)
            if (list->items[i].at->kind == LF_CONDITION_LEAF && !list->items[i].negated &&
                list->items[i].at->op == LF_OP_IN_LIST && list->items[i].at->field == leaf->field &&
                strcmp(list->items[i].at->list, leaf->list) == 0)
                return true;
        return false;
    }
    if (leaf->op == LF_OP_HAS_ALL)
        return has_all_covered(linting, leaf, list);
    if (takes_entries(leaf->op))
        return entries_covered(linting, leaf, list);
    return spans_covered(linting, leaf->field, leaf_spans(linting, leaf, true), list);
}

/* ---- parts ---- */

static bool covered(struct linting *linting, struct part part, const struct alternatives *list);

/* An alternative that is an `all` covers a part when each of its children does. */
static bool
covered_by_all(struct linting *linting, struct part part, struct part all)
{
    for (size_t i = 0; i < all.at->child_count; i++) {
        struct alternatives one = {NULL, 0, 0};

        if (!spend(linting, 1) || !add_alternative(linting, &one, child_of(all, i)) || !covered(linting, part, &one))
            return false;
    }
    return true;
}

/* Whether a field is asked both ways, whether it exists and whether it does not: one of the two is true. */
static bool
always_true(const struct alternatives *list)
{
    bool a = false, b = false;

    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; part_exists(list->items[i], &a) && j < i; j++)
            if (part_exists(list->items[j], &b) && list->items[i].at->field == list->items[j].at->field && a != b)
                return true;
    return false;
}

static bool
covered(struct linting *linting, struct part part, const struct alternatives *list)
{
    part = part_unwrap(part);
    if (!spend(linting, list->count + 1))
        return false;
    if (part.at->kind != LF_CONDITION_LEAF && !part_is_all(part)) {
        for (size_t i = 0; i < part.at->child_count; i++)
            if (!covered(linting, child_of(part, i), list))
                return false;
        return true;
    }
    if (part.at->kind == LF_CONDITION_LEAF) {
        if (leaf_covered(linting, part, list))
            return true;
    } else {
        for (size_t i = 0; i < part.at->child_count; i++)
            if (covered(linting, child_of(part, i), list))
                return true;
    }
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].at->kind != LF_CONDITION_LEAF && covered_by_all(linting, part, list->items[i]))
            return true;
    return false;
}

bool
part_covered(struct linting *linting, struct part part, const struct part *alternatives, size_t count)
{
    struct alternatives list = {NULL, 0, 0};

    for (size_t i = 0; i < count; i++)
        if (!add_alternative(linting, &list, alternatives[i]))
            return false;
    return list.count > 0 && (always_true(&list) || covered(linting, part, &list));
}

bool
part_needs_date(struct part part, size_t field)
{
    part = part_unwrap(part);
    if (part.at->kind == LF_CONDITION_LEAF) {
        enum lf_operand_kind operand = lf_operator_operand(part.at->op);
        return part.at->field == field && (operand == LF_OPERAND_DATE || operand == LF_OPERAND_DAYS);
    }
    for (size_t i = 0; i < part.at->child_count; i++)
        if (part_needs_date(child_of(part, i), field) == part_is_all(part))
            return part_is_all(part);
    return !part_is_all(part);
}
