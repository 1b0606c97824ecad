/*
 * lint_rules.c - conditions that cannot do their work: unknown lists, contradictions, rules that never come to count,
 * and rules that describe several segments at once.
 */
#include "core/lint_types.h"

#include <stdlib.h>
#include <string.h>

/* ---- every condition of a definition ---- */

/* A condition's owner, in words: `rule "500-5,000 people" of Company size`. */
typedef void (*visit_function)(struct linting *linting, const struct lf_condition *condition, const char *owner);

static void
each_root(struct linting *linting, visit_function visit)
{
    const struct lf_icp *icp = linting->icp;

    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++) {
            const struct lf_rule *rule = &icp->attributes[i].rules[r];
            visit(linting, rule->when, lint_text(linting, "%s, rule \"%s\"", icp->attributes[i].label, rule->label));
        }
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        visit(linting, icp->disqualifiers[i].when,
              lint_text(linting, "Disqualifier \"%s\"", icp->disqualifiers[i].reason));
}

/* ---- named lists ---- */

static void
visit_lists(struct linting *linting, const struct lf_condition *condition, const char *owner)
{
    const struct lf_list_source *lists = &linting->context->lists;
    const struct lf_named_list *list = NULL;

    for (size_t i = 0; i < condition->child_count; i++)
        visit_lists(linting, condition->children[i], owner);
    if (condition->kind != LF_CONDITION_LEAF || condition->op != LF_OP_IN_LIST)
        return;
    list = lists->find(lists->context, condition->list);
    if (list == NULL)
        lint_say(linting, LF_LINT_ERROR, "unknown_list", lint_text(linting, "%s/in_list", condition->pointer),
                 lint_text(linting, "%s: there is no list called %s", owner, condition->list),
                 lint_text(linting, "Create the list %s first, or correct its name here", condition->list));
    else if (list->count == 0)
        lint_say(linting, LF_LINT_WARNING, "empty_list", lint_text(linting, "%s/in_list", condition->pointer),
                 lint_text(linting, "%s: the list %s is empty, so that nobody is on it", owner, condition->list),
                 lint_text(linting, "Fill the list %s, or take the condition out", condition->list));
}

void
lint_lists(struct linting *linting)
{
    if (linting->context->lists.find != NULL)
        each_root(linting, visit_lists);
}

/* ---- contradictions ---- */

/* The parts that must all be true together, leaves only: an `any` among them is judged by itself. */
struct conjunction {
    struct part *items;
    size_t count, cap;
};

static bool
gather(struct linting *linting, struct conjunction *list, struct part all)
{
    for (size_t i = 0; i < all.at->child_count; i++) {
        struct part part = part_unwrap((struct part){all.at->children[i], all.negated});

        if (part.at->kind != LF_CONDITION_LEAF) {
            if (part_is_all(part) && !gather(linting, list, part))
                return false;
            continue;
        }
        if (list->count == list->cap) {
            size_t cap = list->cap == 0 ? 8 : list->cap * 2;
            struct part *items = lf_arena_calloc(linting->scratch, cap, sizeof *items);
            if (items == NULL) {
                linting->out_of_memory = true;
                return false;
            }
            if (list->count > 0)
                memcpy(items, list->items, list->count * sizeof *items);
            list->items = items;
            list->cap = cap;
        }
        list->items[list->count++] = part;
    }
    return true;
}

/* A field that is asked with has_all is taken for a list. Marked once: a look at each pair of leaves would be cubic. */
static void
mark_list_fields(struct linting *linting, const struct lf_condition *condition, const char *owner)
{
    (void)owner;
    for (size_t i = 0; i < condition->child_count; i++)
        mark_list_fields(linting, condition->children[i], owner);
    if (condition->kind == LF_CONDITION_LEAF && condition->op == LF_OP_HAS_ALL)
        linting->list_fields[condition->field] = true;
}

/* Whether two leaves on one field can never be true together. Two undenied ones are taken as questions about one
 * value, unless the field is known to be a list. */
static bool
contradict(struct linting *linting, struct part a, struct part b)
{
    bool yes = false, other = false;
    struct spans left, right;

    if (part_exists(b, &other)) {
        struct part swap = a;
        a = b;
        b = swap;
    }
    if (part_exists(a, &yes))
        return part_exists(b, &other) ? yes != other : !yes;
    if (a.negated && b.negated)
        return false;
    if (a.negated != b.negated) {
        struct part denied = a.negated ? a : b;

        denied.negated = false;
        if (part_covered(linting, a.negated ? b : a, &denied, 1))
            return true;
    }
    left = part_spans(linting, a);
    right = part_spans(linting, b);
    if (left.line == LINE_NONE || left.line != right.line || left.count == 0 || right.count == 0)
        return false;
    if (!a.negated && !b.negated && linting->list_fields[a.at->field])
        return false;
    left = spans_intersect(linting, left, right);
    return left.line != LINE_NONE && left.count == 0;
}

static const char *
words_of(struct linting *linting, struct part part)
{
    const char *words = lf_condition_words(linting->arena, part.at, &linting->icp->fields);

    if (words == NULL) {
        linting->out_of_memory = true;
        return "";
    }
    return part.negated ? lint_text(linting, "not (%s)", words) : words;
}

/* What is said of the owner. whole: what cannot be true is its whole condition, or must hold for that to be true. */
static const char *
never_true(bool whole)
{
    return whole ? "can never be true" : "has a part that can never be true";
}

static void
find_contradiction(struct linting *linting, struct part all, bool whole, const char *owner)
{
    struct conjunction list = {NULL, 0, 0};

    if (!gather(linting, &list, all))
        return;
    for (size_t i = 1; i < list.count; i++)
        for (size_t j = 0; j < i && linting->proof_steps > 0; j++) {
            linting->proof_steps--;
            if (list.items[i].at->field != list.items[j].at->field ||
                !contradict(linting, list.items[j], list.items[i]))
                continue;
            lint_say(linting, LF_LINT_ERROR, "impossible_condition", all.at->pointer,
                     lint_text(linting, "%s %s: \"%s\" and \"%s\" exclude each other", owner, never_true(whole),
                               words_of(linting, list.items[j]), words_of(linting, list.items[i])),
                     all.negated ? "Correct one of the two, or join them with all instead of any"
                                 : "Correct one of the two, or join them with any instead of all");
            return;
        }
}

/* inner: an `all` above has looked at this one's parts already. whole: the owner needs the part to be true. */
static void
look_impossible(struct linting *linting, struct part part, bool inner, bool whole, const char *owner)
{
    bool all = false;

    part = part_unwrap(part);
    if (part.at->kind == LF_CONDITION_LEAF) {
        if (part.at->op == LF_OP_BETWEEN && part.at->low > part.at->high)
            lint_say(linting, LF_LINT_ERROR, "impossible_condition", lint_text(linting, "%s/between", part.at->pointer),
                     lint_text(linting, "%s %s: no number is from %s to %s", owner, never_true(whole && !part.negated),
                               lint_number(linting, part.at->low), lint_number(linting, part.at->high)),
                     lint_text(linting, "Write the lower bound first: [%s, %s]", lint_number(linting, part.at->high),
                               lint_number(linting, part.at->low)));
        return;
    }
    all = part_is_all(part);
    if (all && !inner)
        find_contradiction(linting, part, whole, owner);
    for (size_t i = 0; i < part.at->child_count; i++)
        look_impossible(linting, (struct part){part.at->children[i], part.negated}, all, whole && all, owner);
}

static void
visit_impossible(struct linting *linting, const struct lf_condition *condition, const char *owner)
{
    look_impossible(linting, (struct part){condition, false}, false, true, owner);
}

void
lint_impossible(struct linting *linting)
{
    linting->list_fields = lf_arena_calloc(linting->scratch, linting->icp->fields.count, sizeof *linting->list_fields);
    if (linting->list_fields == NULL) {
        linting->out_of_memory = true;
        return;
    }
    each_root(linting, mark_list_fields);
    each_root(linting, visit_impossible);
}

/* ---- dead rules ---- */

/* Whether the earlier rule counts once its condition is true, for the leads of the later one. A rule that fades is
 * unknown without a date. */
static bool
surely_counts(const struct lf_rule *earlier, const struct lf_rule *later)
{
    return earlier->fade_field == SIZE_MAX || earlier->fade_field == later->fade_field ||
           part_needs_date((struct part){later->when, false}, earlier->fade_field);
}

static void
check_dead(struct linting *linting, size_t at, size_t rule)
{
    const struct lf_attribute *attribute = &linting->icp->attributes[at];
    const struct lf_rule *later = &attribute->rules[rule], *alone = NULL;
    struct part earlier[LF_RULES_MAX], part = {later->when, false};
    size_t count = 0;

    for (size_t i = 0; i < rule; i++) {
        if (!surely_counts(&attribute->rules[i], later))
            continue;
        earlier[count] = (struct part){attribute->rules[i].when, false};
        if (alone == NULL && part_covered(linting, part, &earlier[count], 1))
            alone = &attribute->rules[i];
        count++;
    }
    if (alone == NULL && (count < 2 || !part_covered(linting, part, earlier, count)))
        return;
    linting->dead[at] |= UINT64_C(1) << rule;
    if (alone != NULL)
        lint_say(linting, LF_LINT_WARNING, "dead_rule", lint_text(linting, "/attributes/%zu/rules/%zu", at, rule),
                 lint_text(linting,
                           "%s: the rule \"%s\" never counts, because \"%s\" stands before it and takes every "
                           "lead it would take",
                           attribute->label, later->label, alone->label),
                 lint_text(linting, "Put it before \"%s\", narrow that one, or delete it", alone->label));
    else
        lint_say(linting, LF_LINT_WARNING, "dead_rule", lint_text(linting, "/attributes/%zu/rules/%zu", at, rule),
                 lint_text(linting,
                           "%s: the rule \"%s\" never counts, because the rules before it together take every "
                           "lead it would take",
                           attribute->label, later->label),
                 "Put it before them, narrow them, or delete it");
}

void
lint_dead_rules(struct linting *linting)
{
    for (size_t i = 0; i < linting->icp->attribute_count; i++)
        for (size_t r = 1; r < linting->icp->attributes[i].rule_count; r++)
            check_dead(linting, i, r);
}

/* ---- several segments in one ---- */

/* Whether two leaves on one field ask for values that have nothing in common. */
static bool
apart(struct linting *linting, const struct lf_condition *a, const struct lf_condition *b)
{
    struct spans left = part_spans(linting, (struct part){a, false});
    struct spans right = part_spans(linting, (struct part){b, false});

    if (left.line != LINE_NONE && left.line == right.line) {
        left = spans_intersect(linting, left, right);
        return left.line != LINE_NONE && left.count == 0;
    }
    if (a->entry_count == 0 || b->entry_count == 0)
        return false;
    for (size_t i = 0; i < a->entry_count; i++)
        for (size_t j = 0; j < b->entry_count; j++) {
            const struct lf_scalar *x = &a->entries[i], *y = &b->entries[j];

            if (--linting->proof_steps <= 0 || x->kind != LF_JSON_TEXT || y->kind != LF_JSON_TEXT ||
                (x->folded.len == y->folded.len && memcmp(x->folded.bytes, y->folded.bytes, x->folded.len) == 0))
                return false;
        }
    return true;
}

/* In how many different fields two `all`s ask for values that have nothing in common. */
static size_t
fields_apart(struct linting *linting, const struct lf_condition *a, const struct lf_condition *b)
{
    size_t fields[2] = {SIZE_MAX, SIZE_MAX}, count = 0;

    for (size_t i = 0; i < a->child_count; i++)
        for (size_t j = 0; j < b->child_count && count < 2; j++) {
            const struct lf_condition *x = a->children[i], *y = b->children[j];

            if (--linting->proof_steps <= 0)
                return 0;
            if (x->kind == LF_CONDITION_LEAF && y->kind == LF_CONDITION_LEAF && x->field == y->field &&
                x->field != fields[0] && apart(linting, x, y))
                fields[count++] = x->field;
        }
    return count;
}

/* Kinds of customers side by side in one rule: an `any` of `all`s, two of which differ in two fields at once. Several
 * industries, or several countries, are alternatives; an industry with its own size beside another with another is a
 * second profile. */
static void
visit_muddied(struct linting *linting, const struct lf_condition *condition, const char *owner)
{
    for (size_t i = 0; condition->kind == LF_CONDITION_ANY && i < condition->child_count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct lf_condition *a = condition->children[j], *b = condition->children[i];

            if (a->kind != LF_CONDITION_ALL || b->kind != LF_CONDITION_ALL || fields_apart(linting, a, b) < 2)
                continue;
            lint_say(linting, LF_LINT_INFO, "muddied_profile", condition->pointer,
                     lint_text(linting, "%s describes several kinds of customers in one: \"%s\" beside \"%s\"", owner,
                               words_of(linting, (struct part){a, false}), words_of(linting, (struct part){b, false})),
                     "Make a profile for each kind: they can stand side by side, and each keeps a clear score");
            return;
        }
    for (size_t i = 0; i < condition->child_count; i++)
        visit_muddied(linting, condition->children[i], owner);
}

void
lint_muddied(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;

    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++) {
            const struct lf_rule *rule = &icp->attributes[i].rules[r];
            visit_muddied(linting, rule->when,
                          lint_text(linting, "%s, rule \"%s\",", icp->attributes[i].label, rule->label));
        }
}
