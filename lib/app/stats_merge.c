/*
 * stats_merge.c - the counts of several versions, brought together by key and label.
 *
 * The reference's come first and in its order, also with 0; then what came up under the others, the latest version
 * first. What stands in the same place in both definitions, as nearly everything does, is found at once.
 */
#include "app/stats_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct lf_tally *
tally_of(const struct lf_stats_run *run, size_t version)
{
    return &run->versions[version].tally;
}

/* The place of that name; count: there is none. */
static size_t
find_name(const struct lf_named_count *names, size_t count, const char *name, size_t hint)
{
    if (hint < count && strcmp(names[hint].name, name) == 0)
        return hint;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].name, name) == 0)
            return i;
    return count;
}

/* ---- the head ---- */

static void
sum_heads(const struct lf_stats_run *run, struct lf_stats *stats)
{
    int64_t bins[LF_TALLY_BINS] = {0}, score = 0, coverage = 0, engagement = 0;

    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_tally *tally = tally_of(run, run->order[i]);

        stats->scored += tally->scored;
        stats->leads += tally->leads;
        stats->qualified += tally->qualified;
        score += tally->score_sum;
        coverage += tally->coverage_sum;
        engagement += tally->engagement_sum;
        for (size_t b = 0; b < LF_TALLY_BINS; b++)
            bins[b] += tally->bins[b];
    }
    stats->mean = (int)lf_stats_mean(score, stats->scored);
    stats->coverage_mean = (int)lf_stats_mean(coverage, stats->scored);
    stats->engagement_mean = (int)lf_stats_mean(engagement, stats->scored);
    stats->p10 = lf_percentile(bins, LF_TALLY_BINS, 10);
    stats->p50 = lf_percentile(bins, LF_TALLY_BINS, 50);
    stats->p90 = lf_percentile(bins, LF_TALLY_BINS, 90);
    lf_stats_histogram(bins, stats->histogram);
}

/* ---- grades and labels ---- */

static bool
merge_grades(struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_named_count *grades = NULL;
    int64_t disqualified = 0;
    size_t most = 1, count = 0;

    for (size_t i = 0; i < run->order_count; i++)
        most += tally_of(run, run->order[i])->icp->grade_count;
    grades = lf_arena_calloc(run->arena, most, sizeof *grades);
    run->grades = lf_arena_calloc(run->arena, run->version_count, sizeof *run->grades);
    if (grades == NULL || run->grades == NULL)
        return false;
    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_tally *tally = tally_of(run, run->order[i]);
        size_t own = tally->icp->grade_count, *map = lf_arena_calloc(run->arena, own + 1, sizeof *map);

        if (map == NULL)
            return false;
        run->grades[run->order[i]] = map;
        for (size_t g = 0; g < own; g++) {
            map[g] = find_name(grades, count, tally->icp->grades[g].name, g);
            if (map[g] == count && i > 0 && tally->grades[g] == 0) {
                map[g] = SIZE_MAX;
                continue;
            }
            if (map[g] == count)
                grades[count++].name = tally->icp->grades[g].name;
            grades[map[g]].count += tally->grades[g];
        }
        disqualified += tally->grades[own];
    }
    if (run->order_count > 0)
        grades[count++] = (struct lf_named_count){"DQ", disqualified};
    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_icp *icp = tally_of(run, run->order[i])->icp;

        run->grades[run->order[i]][icp->grade_count] = count - 1;
    }
    stats->grades = grades;
    stats->grade_count = count;
    return true;
}

struct ranked_label {
    const char *text;
    int64_t count;
    size_t grade, level, place; /* level 0: the definition knows no engagement */
};

static int
compare_labels(const void *a, const void *b)
{
    const struct ranked_label *left = a, *right = b;

    if (left->grade != right->grade)
        return left->grade < right->grade ? -1 : 1;
    if (left->level != right->level)
        return left->level < right->level ? -1 : 1;
    return left->place < right->place ? -1 : 1;
}

static bool
has_engagement(const struct lf_icp *icp)
{
    for (size_t i = 0; i < icp->attribute_count; i++)
        if (icp->attributes[i].axis == LF_AXIS_ENGAGEMENT)
            return true;
    return false;
}

/* A version's labels that came up, behind those that are there; false: out of memory. */
static bool
gather_labels(struct lf_stats_run *run, size_t version, struct ranked_label *labels, size_t *count)
{
    const struct lf_scorer *scorer = run->versions[version].entry->scorer;
    const struct lf_tally *tally = tally_of(run, version);
    const struct lf_icp *icp = tally->icp;
    bool engaged = has_engagement(icp);
    char text[LF_LABEL_MAX];

    for (size_t g = 0; g < icp->grade_count; g++)
        for (size_t l = 0; l < icp->level_count; l++) {
            struct lf_brief brief = {.grade = g, .level = l, .qualified = true, .has_engagement = engaged};
            struct ranked_label label = {
                .count = tally->labels[g * icp->level_count + l],
                .grade = run->grades[version][g],
                .level = engaged ? l + 1 : 0,
                .place = *count,
            };

            if (label.count == 0)
                continue;
            lf_brief_label(scorer, &brief, text);
            label.text = lf_arena_copy(run->arena, text, strlen(text));
            if (label.text == NULL)
                return false;
            labels[(*count)++] = label;
        }
    return true;
}

static bool
merge_labels(struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_named_count *told = NULL;
    struct ranked_label *labels = NULL;
    size_t most = 1, count = 0, kept = 0;

    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_icp *icp = tally_of(run, run->order[i])->icp;

        most += icp->grade_count * icp->level_count;
    }
    labels = lf_arena_calloc(run->arena, most, sizeof *labels);
    if (labels == NULL)
        return false;
    for (size_t i = 0; i < run->order_count; i++)
        if (!gather_labels(run, run->order[i], labels, &count))
            return false;
    qsort(labels, count, sizeof *labels, compare_labels);
    told = lf_arena_calloc(run->arena, count + 1, sizeof *told);
    if (told == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t at = find_name(told, kept, labels[i].text, kept - (kept > 0));

        if (at == kept)
            told[kept++].name = labels[i].text;
        told[at].count += labels[i].count;
    }
    if (stats->grade_count > 0 && stats->grades[stats->grade_count - 1].count > 0)
        told[kept++] = stats->grades[stats->grade_count - 1];
    stats->labels = told;
    stats->label_count = kept;
    return true;
}

/* ---- attributes ---- */

static bool
share_attributes(struct lf_stats_run *run, size_t version)
{
    const struct lf_icp *icp = tally_of(run, version)->icp;

    for (size_t a = 0; a < icp->attribute_count; a++) {
        const struct lf_attribute *attribute = &icp->attributes[a];
        struct lf_stats_share *share = lf_arena_calloc(run->arena, 1, sizeof *share);
        size_t at = a < run->attribute_count && strcmp(run->attributes[a].source->key, attribute->key) == 0 ? a : 0;

        while (at < run->attribute_count && strcmp(run->attributes[at].source->key, attribute->key) != 0)
            at++;
        if (share == NULL ||
            (share->rules = lf_arena_calloc(run->arena, attribute->rule_count, sizeof *share->rules)) == NULL)
            return false;
        share->version = version;
        share->attribute = a;
        if (at == run->attribute_count) {
            run->attributes[run->attribute_count++] = (struct lf_stats_attribute){attribute, share, share, NULL, 0};
        } else {
            run->attributes[at].last->next = share;
            run->attributes[at].last = share;
        }
    }
    return true;
}

static bool
merge_rules(struct lf_stats_run *run, struct lf_stats_attribute *attribute)
{
    size_t most = 0;

    for (const struct lf_stats_share *share = attribute->first; share != NULL; share = share->next)
        most += tally_of(run, share->version)->icp->attributes[share->attribute].rule_count;
    attribute->rules = lf_arena_calloc(run->arena, most, sizeof *attribute->rules);
    if (attribute->rules == NULL)
        return false;
    for (struct lf_stats_share *share = attribute->first; share != NULL; share = share->next) {
        const struct lf_tally *tally = tally_of(run, share->version);
        const struct lf_attribute *own = &tally->icp->attributes[share->attribute];
        const int64_t *counts = tally->attributes[share->attribute].rules;

        for (size_t r = 0; r < own->rule_count; r++) {
            size_t at = find_name(attribute->rules, attribute->rule_count, own->rules[r].label, r);

            if (at == attribute->rule_count && share->version != run->reference && counts[r] == 0) {
                share->rules[r] = SIZE_MAX;
                continue;
            }
            if (at == attribute->rule_count)
                attribute->rules[attribute->rule_count++].name = own->rules[r].label;
            attribute->rules[at].count += counts[r];
            share->rules[r] = at;
        }
    }
    return true;
}

static void
sum_attribute(const struct lf_stats_run *run, const struct lf_stats_attribute *attribute,
              struct lf_attribute_stats *told)
{
    int64_t points = 0;

    *told = (struct lf_attribute_stats){
        .key = attribute->source->key,
        .label = attribute->source->label,
        .category = attribute->source->category,
        .axis = attribute->source->axis,
        .rules = attribute->rules,
        .rule_count = attribute->rule_count,
    };
    for (size_t r = 0; r < attribute->rule_count; r++)
        told->matched += attribute->rules[r].count;
    for (const struct lf_stats_share *share = attribute->first; share != NULL; share = share->next) {
        const struct lf_attribute_tally *tally = &tally_of(run, share->version)->attributes[share->attribute];

        told->unmatched += tally->unmatched;
        told->unknown += tally->unknown;
        told->skipped += tally->skipped;
        points += tally->points;
    }
    told->mean_points = lf_stats_mean(points, told->matched + told->unmatched + told->unknown - told->skipped);
}

static bool
merge_attributes(struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_attribute_stats *told = NULL;
    size_t most = 0;

    for (size_t i = 0; i < run->order_count; i++)
        most += tally_of(run, run->order[i])->icp->attribute_count;
    run->attributes = lf_arena_calloc(run->arena, most, sizeof *run->attributes);
    if (run->attributes == NULL)
        return false;
    for (size_t i = 0; i < run->order_count; i++)
        if (!share_attributes(run, run->order[i]))
            return false;
    told = lf_arena_calloc(run->arena, run->attribute_count, sizeof *told);
    if (told == NULL)
        return false;
    for (size_t i = 0; i < run->attribute_count; i++) {
        if (!merge_rules(run, &run->attributes[i]))
            return false;
        sum_attribute(run, &run->attributes[i], &told[i]);
    }
    stats->attributes = told;
    stats->attribute_count = run->attribute_count;
    return true;
}

/* ---- disqualifiers and fields ---- */

static bool
merge_disqualifiers(struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_disqualifier_stats *told = NULL;
    size_t most = 0, count = 0;

    for (size_t i = 0; i < run->order_count; i++)
        most += tally_of(run, run->order[i])->icp->disqualifier_count;
    told = lf_arena_calloc(run->arena, most, sizeof *told);
    if (told == NULL)
        return false;
    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_tally *tally = tally_of(run, run->order[i]);

        for (size_t d = 0; d < tally->icp->disqualifier_count; d++) {
            const struct lf_disqualifier *own = &tally->icp->disqualifiers[d];
            size_t at = d < count && strcmp(told[d].key, own->key) == 0 ? d : 0;

            while (at < count && strcmp(told[at].key, own->key) != 0)
                at++;
            if (at == count && i > 0 && tally->disqualifiers[d] == 0)
                continue;
            if (at == count)
                told[count++] = (struct lf_disqualifier_stats){own->key, own->reason, 0};
            told[at].count += tally->disqualifiers[d];
        }
    }
    stats->disqualifiers = told;
    stats->disqualifier_count = count;
    return true;
}

static bool
merge_fields(struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_field_stats *told = NULL;
    int64_t *known = NULL; /* scores that say it, by field */
    size_t most = 0, count = 0;

    for (size_t i = 0; i < run->order_count; i++)
        most += tally_of(run, run->order[i])->icp->fields.count;
    told = lf_arena_calloc(run->arena, most, sizeof *told);
    known = lf_arena_calloc(run->arena, most, sizeof *known);
    if (told == NULL || known == NULL)
        return false;
    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_tally *tally = tally_of(run, run->order[i]);

        for (size_t f = 0; f < tally->icp->fields.count && (i == 0 || tally->fields_known > 0); f++) {
            const char *path = tally->icp->fields.paths[f];
            size_t at = f < count && strcmp(told[f].path, path) == 0 ? f : 0;

            while (at < count && strcmp(told[at].path, path) != 0)
                at++;
            if (at == count)
                told[count++] = (struct lf_field_stats){.path = path};
            told[at].missing += tally->missing[f];
            known[at] += tally->fields_known;
        }
    }
    for (size_t i = 0; i < count; i++)
        told[i].missing_pct = lf_percent(told[i].missing, known[i]);
    stats->fields = told;
    stats->field_count = count;
    return true;
}

/* ---- penetration and versions ---- */

static void
sum_penetration(const struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_penetration *told = &stats->penetration;

    for (size_t i = 0; i < run->order_count; i++) {
        const struct lf_tally *tally = tally_of(run, run->order[i]);

        for (size_t g = 0; g < tally->icp->grade_count && g < 2; g++) {
            told->count += tally->grades[g];
            if (i == 0)
                told->grades[told->grade_count++] = tally->icp->grades[g].name;
        }
    }
    told->pct = lf_percent(told->count, stats->scored);
}

static bool
tell_version(const struct lf_stats_run *run, size_t version, struct lf_version_stats *told)
{
    const struct lf_cataloged *entry = run->versions[version].entry;
    const struct lf_tally *tally = tally_of(run, version);
    size_t count = entry->icp->grade_count;
    struct lf_named_count *grades = lf_arena_calloc(run->arena, count + 1, sizeof *grades);

    if (grades == NULL)
        return false;
    for (size_t g = 0; g <= count; g++)
        grades[g] = (struct lf_named_count){g < count ? entry->icp->grades[g].name : "DQ", tally->grades[g]};
    *told = (struct lf_version_stats){
        .version = entry->version,
        .published_at_ms = entry->published_at_ms,
        .first_ms = tally->first_ms,
        .last_ms = tally->last_ms,
        .scored = tally->scored,
        .leads = tally->leads,
        .qualified = tally->qualified,
        .mean = (int)lf_stats_mean(tally->score_sum, tally->scored),
        .coverage_mean = (int)lf_stats_mean(tally->coverage_sum, tally->scored),
        .grades = grades,
        .grade_count = count + 1,
    };
    return true;
}

static bool
tell_versions(struct lf_stats_run *run, struct lf_stats *stats)
{
    struct lf_version_stats *told = lf_arena_calloc(run->arena, run->order_count, sizeof *told);

    if (told == NULL)
        return false;
    for (size_t i = 0; i < run->version_count; i++) {
        if (run->versions[i].entry == NULL || run->versions[i].tally.scored == 0)
            continue;
        if (!tell_version(run, i, &told[stats->version_count]))
            return false;
        stats->version_count++;
    }
    stats->versions = told;
    return true;
}

enum lf_status
lf_stats_merge(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error)
{
    sum_heads(run, stats);
    sum_penetration(run, stats);
    if (merge_grades(run, stats) && merge_labels(run, stats) && merge_attributes(run, stats) &&
        merge_disqualifiers(run, stats) && merge_fields(run, stats) && tell_versions(run, stats))
        return LF_OK;
    return lf_stats_no_memory(error);
}
