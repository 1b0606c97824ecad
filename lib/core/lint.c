/*
 * lint.c - see lint.h: the list, and the checks that need no proof.
 *
 * Proofs about conditions are in lint_cover.c and lint_rules.c, ranges of numbers in lint_ranges.c, what scores can be
 * reached in lint_reach.c.
 */
#include "core/lint_types.h"

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_US INT64_C(86400000000)

/* What a run may cost: a fifth of a second on one core when everything in a definition is against us. */
enum { PROOF_STEPS = 20000000, SUM_STEPS = 4000000, SCRATCH_MAX = 256 << 20 };

const char *
lf_lint_severity_word(enum lf_lint_severity severity)
{
    static const char *const WORDS[] = {"error", "warning", "info"};

    return WORDS[severity];
}

bool
lf_lint_add(struct lf_lint *lint, const struct lf_lint_item *item)
{
    size_t at = lint->count;

    lint->counts[item->severity]++;
    if (lint->count == LF_LINT_ITEMS_MAX) {
        lint->dropped++;
        return true;
    }
    if (lint->items == NULL)
        lint->items = lf_arena_calloc(lint->arena, LF_LINT_ITEMS_MAX, sizeof *lint->items);
    if (lint->items == NULL)
        return false;
    while (at > 0 && lint->items[at - 1].severity > item->severity)
        at--;
    memmove(&lint->items[at + 1], &lint->items[at], (lint->count - at) * sizeof *lint->items);
    lint->items[at] = *item;
    lint->count++;
    return true;
}

const char *
lint_text(struct linting *linting, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len = 0;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len < 0 ? NULL : lf_arena_alloc(linting->arena, (size_t)len + 1);
    if (text == NULL) {
        linting->out_of_memory = true;
        return "";
    }
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void
lint_say(struct linting *linting, enum lf_lint_severity severity, const char *code, const char *pointer,
         const char *detail, const char *fix)
{
    struct lf_lint_item item = {severity, code, pointer, detail, fix};

    if (!lf_lint_add(linting->lint, &item))
        linting->out_of_memory = true;
}

const char *
lint_number(struct linting *linting, double number)
{
    char text[LF_NUMBER_TEXT_MAX];

    (void)lf_number_format(number, text);
    return lint_text(linting, "%s", text);
}

const char *
lint_decimal(struct linting *linting, int64_t value, int places)
{
    struct lf_buf buf;
    const char *text = NULL;

    lf_buf_init(&buf, linting->arena, 64);
    lf_buf_decimal(&buf, value, places);
    text = lf_buf_terminate(&buf);
    if (text == NULL)
        linting->out_of_memory = true;
    return text != NULL ? text : "";
}

/* ---- the document around the rules ---- */

static void
check_disqualifiers(struct linting *linting)
{
    if (linting->icp->disqualifier_count == 0)
        lint_say(linting, LF_LINT_WARNING, "no_disqualifier", "/disqualifiers",
                 "This profile says no to nobody: it has no disqualifiers",
                 "Name who is never a customer (competitors, students, countries you do not serve) as disqualifiers");
}

static void
check_review(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;
    char day[LF_TIME_TEXT_MAX];

    if (!icp->has_review) {
        lint_say(linting, LF_LINT_WARNING, "static_profile", "/review_by",
                 "No review date is set: nobody will notice when the market has moved on",
                 "Set review_by to the day on which the owners look at this profile again, a year from now at most");
    } else if (linting->context->today_us >= icp->review_by_us + DAY_US) {
        (void)lf_time_format_date(icp->review_by_us, day);
        lint_say(linting, LF_LINT_WARNING, "static_profile", "/review_by",
                 lint_text(linting, "The review date %s has passed: the profile may describe last year's market", day),
                 "Review the profile against recent won and lost deals, then set the next review date");
    }
}

/* Whether all owners belong to one function, however it is written. */
static bool
one_function(struct linting *linting)
{
    struct lf_text first = {NULL, 0}, other = {NULL, 0};
    const struct lf_icp *icp = linting->icp;

    for (size_t i = 0; i < icp->owner_count; i++) {
        const char *function = icp->owners[i].function;

        if (!lf_text_fold(linting->scratch, function, strlen(function), i == 0 ? &first : &other)) {
            linting->out_of_memory = true;
            return false;
        }
        if (i > 0 && (first.len != other.len || memcmp(first.bytes, other.bytes, first.len) != 0))
            return false;
    }
    return true;
}

static void
check_owners(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;
    const char *fix = "Name owners from several functions: sales, marketing, product, customer success";

    if (icp->owner_count == 0)
        lint_say(linting, LF_LINT_WARNING, "ivory_tower", "/owners", "Nobody owns this profile: no owners are named",
                 fix);
    else if (icp->owner_count == 1)
        lint_say(linting, LF_LINT_WARNING, "ivory_tower", "/owners",
                 lint_text(linting,
                           "%s (%s) is the only owner: a profile made by one function alone misses what the "
                           "others know",
                           icp->owners[0].name, icp->owners[0].function),
                 fix);
    else if (one_function(linting))
        lint_say(linting, LF_LINT_WARNING, "ivory_tower", "/owners",
                 lint_text(linting,
                           "All %zu owners are from %s: a profile made by one function alone misses what the "
                           "others know",
                           icp->owner_count, icp->owners[0].function),
                 fix);
}

/* Which attributes lack a rationale: "Company size, Region and 3 more". */
static const char *
name_bare(struct linting *linting, size_t bare)
{
    enum { NAMED = 3 };
    const struct lf_icp *icp = linting->icp;
    const char *names = "";
    size_t named = 0;

    for (size_t i = 0; i < icp->attribute_count && named < NAMED; i++)
        if (icp->attributes[i].rationale[0] == '\0') {
            names = lint_text(linting, "%s%s%s", names, named > 0 ? ", " : "", icp->attributes[i].label);
            named++;
        }
    return bare > NAMED ? lint_text(linting, "%s and %zu more", names, bare - NAMED) : names;
}

static void
check_story(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;
    size_t bare = 0, first = 0;

    if (icp->summary[0] == '\0')
        lint_say(linting, LF_LINT_WARNING, "data_only", "/summary",
                 "There is no summary: rules alone tell nobody who this customer is",
                 "Write a short story of the person who has the problem: who, where, what hurts, what they want");
    if (!icp->has_profile)
        lint_say(linting, LF_LINT_WARNING, "data_only", "/profile",
                 "The profile names neither a problem nor pain points: nobody can tell for whom it solves what",
                 "Say in profile.problem which problem you solve, and in profile.pain_points how it shows");
    for (size_t i = icp->attribute_count; i-- > 0;)
        if (icp->attributes[i].rationale[0] == '\0') {
            bare++;
            first = i;
        }
    if (bare > 0)
        lint_say(linting, LF_LINT_WARNING, "data_only", lint_text(linting, "/attributes/%zu/rationale", first),
                 lint_text(linting, "%zu of %zu attributes have no rationale: %s", bare, icp->attribute_count,
                           name_bare(linting, bare)),
                 "Say in rationale why this attribute tells a good customer from another one");
}

/* ---- attributes by themselves ---- */

static void
check_weights(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;
    int64_t weights[LF_AXIS_COUNT] = {0};
    size_t counts[LF_AXIS_COUNT] = {0};

    for (size_t i = 0; i < icp->attribute_count; i++) {
        weights[icp->attributes[i].axis] += icp->attributes[i].weight;
        counts[icp->attributes[i].axis]++;
    }
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];
        int64_t whole = weights[attribute->axis];

        if (counts[attribute->axis] < 2 || 2 * (int64_t)attribute->weight <= whole)
            continue;
        lint_say(linting, LF_LINT_WARNING, "dominant_attribute", lint_text(linting, "/attributes/%zu/weight", i),
                 lint_text(linting,
                           "%s has %d of %lld points of weight on the %s axis, more than half: it decides "
                           "against all the others together",
                           attribute->label, attribute->weight, (long long)whole, lf_axis_word(attribute->axis)),
                 lint_text(linting, "Lower its weight to %lld or less, or make what is a must a disqualifier",
                           (long long)(whole - attribute->weight)));
    }
}

/* Absence may be as good as a known non-match, and better than a known bad fit, but it is nothing to be rewarded. */
static void
check_absence(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;

    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];

        if (attribute->skip_missing || attribute->missing <= 0 || attribute->missing <= attribute->otherwise)
            continue;
        lint_say(linting, LF_LINT_WARNING, "rewards_absence", lint_text(linting, "/attributes/%zu/missing", i),
                 lint_text(linting,
                           "%s gives a fit of %s when nothing is known, but %s to a lead known not to match: "
                           "empty records outscore honest ones",
                           attribute->label, lint_decimal(linting, attribute->missing, 6),
                           lint_decimal(linting, attribute->otherwise, 6)),
                 attribute->otherwise > 0
                     ? lint_text(linting, "Set missing to %s or less, or to \"skip\" to leave the attribute out",
                                 lint_decimal(linting, attribute->otherwise, 6))
                     : "Set missing to 0, or to \"skip\" to leave the attribute out where it is unknown");
    }
}

static void
check_caps(struct linting *linting)
{
    const struct lf_icp *icp = linting->icp;

    for (size_t i = 0; i < icp->cap_count; i++) {
        const char *category = lf_category_word(icp->caps[i].category), *axis = lf_axis_word(icp->caps[i].axis);
        bool used = false;

        for (size_t a = 0; a < icp->attribute_count && !used; a++)
            used = icp->attributes[a].category == icp->caps[i].category && icp->attributes[a].axis == icp->caps[i].axis;
        if (!used)
            lint_say(linting, LF_LINT_WARNING, "absent_category_cap", lint_text(linting, "/caps/%zu", i),
                     lint_text(linting,
                               "The cap of %lld points for %s limits nothing: no attribute of the %s axis is "
                               "in this category",
                               (long long)icp->caps[i].max, category, axis),
                     "Delete the cap, or correct its category or axis");
    }
}

enum lf_status
lf_lint(struct lf_arena *arena, const struct lf_icp *icp, const struct lf_lint_context *context,
        struct lf_lint *ret_lint, struct lf_error *error)
{
    /* Errors stand first, so that a flood of lesser things drops none of them. */
    static void (*const CHECKS[])(struct linting *) = {
        lint_lists, lint_impossible,     lint_dead_rules, lint_overlaps, lint_reach,  check_weights, check_absence,
        check_caps, check_disqualifiers, check_review,    check_owners,  check_story, lint_gaps,     lint_muddied,
    };
    struct lf_lint lint = {.arena = arena};
    struct linting linting = {
        .arena = arena,
        .scratch = lf_arena_create(16384, SCRATCH_MAX),
        .icp = icp,
        .context = context,
        .lint = &lint,
        .proof_steps = PROOF_STEPS,
        .sum_steps = SUM_STEPS,
    };

    linting.out_of_memory = linting.scratch == NULL;
    for (size_t i = 0; i < sizeof CHECKS / sizeof *CHECKS && !linting.out_of_memory; i++)
        CHECKS[i](&linting);
    lf_arena_destroy(linting.scratch);
    if (linting.out_of_memory)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while looking over the definition of %s", icp->key);
    *ret_lint = lint;
    return LF_OK;
}
