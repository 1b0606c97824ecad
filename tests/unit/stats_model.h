/*
 * stats_model.h - statistics counted by hand from the scores of a world (stats_fixture.h), and held against what is
 * told.
 */
#ifndef LF_TESTS_STATS_MODEL_H
#define LF_TESTS_STATS_MODEL_H

#include "stats_fixture.h"

#include <math.h>

/* The scores that a query is about. */
struct chosen {
    const struct world *world;
    const struct lf_stats_query *query;
    const struct event *events[EVENTS_MAX];
    size_t places[EVENTS_MAX];
    size_t count;
    size_t reference;
};

static inline struct chosen *
choose(struct fixture *f, const struct world *world, const struct lf_stats_query *query)
{
    struct chosen *chosen = lf_arena_calloc(f->arena, 1, sizeof *chosen);

    assert_non_null(chosen);
    chosen->world = world;
    chosen->query = query;
    chosen->reference = query->version != 0 ? (size_t)query->version - 1 : world->active;
    for (size_t i = 0; i < world->count; i++) {
        int64_t hour = lf_window_hour(world->events[i].at_ms);

        if ((query->version != 0 && (int)world->events[i].version + 1 != query->version) ||
            hour < query->window.from_hour || hour >= query->window.to_hour)
            continue;
        chosen->places[chosen->count] = i;
        chosen->events[chosen->count++] = &world->events[i];
    }
    return chosen;
}

static inline const struct lf_icp *
icp_of(const struct chosen *chosen, size_t version)
{
    return chosen->world->entries[version]->icp;
}

static inline const char *
grade_of(const struct chosen *chosen, const struct event *event)
{
    return lf_brief_grade(chosen->world->entries[event->version]->scorer, &event->brief);
}

/* sum / count to that many places, half up, by long doubles: sums are small here. */
static inline int64_t
mean_of(int64_t sum, int64_t count)
{
    return count == 0 ? 0 : (int64_t)floorl((long double)sum / (long double)count + 0.5L);
}

static inline void
check_heads(const struct chosen *chosen, const struct lf_stats *stats)
{
    int64_t score = 0, coverage = 0, engagement = 0, leads = 0, qualified = 0, bins[LF_TALLY_BINS] = {0};
    int64_t buckets[LF_STATS_BUCKETS] = {0}, best = 0;

    for (size_t i = 0; i < chosen->count; i++) {
        const struct event *event = chosen->events[i];

        score += event->brief.score;
        coverage += event->brief.coverage;
        engagement += event->brief.engagement;
        leads += event->first;
        qualified += event->brief.qualified;
        bins[event->brief.score == 10000 ? 99 : event->brief.score / 100]++;
        buckets[event->brief.score == 10000 ? 19 : event->brief.score / 500]++;
        best += event->brief.qualified && event->brief.grade < 2;
    }
    assert_int_equal(stats->scored, chosen->count);
    assert_int_equal(stats->leads, leads);
    assert_int_equal(stats->qualified, qualified);
    assert_int_equal(stats->mean, mean_of(score, stats->scored));
    assert_int_equal(stats->coverage_mean, mean_of(coverage, stats->scored));
    assert_int_equal(stats->engagement_mean, mean_of(engagement, stats->scored));
    assert_int_equal(stats->p10, lf_percentile(bins, LF_TALLY_BINS, 10));
    assert_int_equal(stats->p50, lf_percentile(bins, LF_TALLY_BINS, 50));
    assert_int_equal(stats->p90, lf_percentile(bins, LF_TALLY_BINS, 90));
    assert_memory_equal(stats->histogram, buckets, sizeof buckets);
    assert_int_equal(stats->penetration.count, best);
    assert_int_equal(stats->penetration.pct, mean_of(best * 10000, stats->scored));
    assert_int_equal(stats->penetration.grade_count, icp_of(chosen, chosen->reference)->grade_count < 2 ? 1 : 2);
    for (size_t g = 0; g < stats->penetration.grade_count; g++)
        assert_string_equal(stats->penetration.grades[g], icp_of(chosen, chosen->reference)->grades[g].name);
}

static inline int64_t
count_grade(const struct chosen *chosen, const char *grade)
{
    int64_t count = 0;

    for (size_t i = 0; i < chosen->count; i++)
        count += strcmp(grade_of(chosen, chosen->events[i]), grade) == 0;
    return count;
}

static inline void
check_grades(const struct chosen *chosen, const struct lf_stats *stats)
{
    const struct lf_icp *icp = icp_of(chosen, chosen->reference);
    int64_t sum = 0;

    assert_true(stats->grade_count > icp->grade_count);
    for (size_t g = 0; g < stats->grade_count; g++) {
        assert_int_equal(stats->grades[g].count, count_grade(chosen, stats->grades[g].name));
        sum += stats->grades[g].count;
        if (g < icp->grade_count)
            assert_string_equal(stats->grades[g].name, icp->grades[g].name);
        else if (g + 1 < stats->grade_count)
            assert_true(stats->grades[g].count > 0);
    }
    assert_string_equal(stats->grades[stats->grade_count - 1].name, "DQ");
    assert_int_equal(sum, chosen->count);
}

static inline void
check_labels(const struct chosen *chosen, const struct lf_stats *stats)
{
    char text[LF_LABEL_MAX];
    int64_t sum = 0;

    for (size_t l = 0; l < stats->label_count; l++) {
        int64_t count = 0;

        for (size_t i = 0; i < chosen->count; i++) {
            lf_brief_label(chosen->world->entries[chosen->events[i]->version]->scorer, &chosen->events[i]->brief, text);
            count += strcmp(text, stats->labels[l].name) == 0;
        }
        assert_true(count > 0);
        assert_int_equal(stats->labels[l].count, count);
        sum += count;
        for (size_t other = 0; other < l; other++)
            assert_string_not_equal(stats->labels[other].name, stats->labels[l].name);
    }
    assert_int_equal(sum, chosen->count);
}

/* How often the attribute of that key came to a status (and a rule of that label). */
static inline int64_t
count_attribute(const struct chosen *chosen, const char *key, enum lf_attribute_status status, const char *label,
                int64_t *points, int64_t *skipped)
{
    int64_t count = 0;

    for (size_t i = 0; i < chosen->count; i++) {
        const struct event *event = chosen->events[i];
        const struct lf_icp *icp = icp_of(chosen, event->version);

        for (size_t a = 0; a < icp->attribute_count; a++) {
            const struct lf_attribute_outcome *outcome = &event->outcome->attributes[a];

            if (strcmp(icp->attributes[a].key, key) != 0 || outcome->status != status ||
                (label != NULL && strcmp(icp->attributes[a].rules[outcome->rule].label, label) != 0))
                continue;
            count++;
            if (points != NULL)
                *points += lf_attribute_points(&icp->attributes[a], outcome);
            if (skipped != NULL && status == LF_ATTRIBUTE_UNKNOWN)
                *skipped += icp->attributes[a].skip_missing;
        }
    }
    return count;
}

static inline void
check_attributes(const struct chosen *chosen, const struct lf_stats *stats)
{
    const struct lf_icp *icp = icp_of(chosen, chosen->reference);
    int64_t told = 0, there = 0;

    assert_true(stats->attribute_count >= icp->attribute_count);
    for (size_t a = 0; a < stats->attribute_count; a++) {
        const struct lf_attribute_stats *at = &stats->attributes[a];
        int64_t points = 0, skipped = 0, matched = 0, count = 0;

        if (a < icp->attribute_count) {
            assert_string_equal(at->key, icp->attributes[a].key);
            assert_string_equal(at->label, icp->attributes[a].label);
            assert_int_equal(at->category, icp->attributes[a].category);
            assert_int_equal(at->axis, icp->attributes[a].axis);
        }
        assert_int_equal(at->matched, count_attribute(chosen, at->key, LF_ATTRIBUTE_MATCHED, NULL, &points, &skipped));
        assert_int_equal(at->unmatched,
                         count_attribute(chosen, at->key, LF_ATTRIBUTE_UNMATCHED, NULL, &points, &skipped));
        assert_int_equal(at->unknown, count_attribute(chosen, at->key, LF_ATTRIBUTE_UNKNOWN, NULL, &points, &skipped));
        assert_int_equal(at->skipped, skipped);
        count = at->matched + at->unmatched + at->unknown;
        assert_int_equal(at->mean_points, mean_of(points, count - skipped));
        assert_true(count > 0 || a < icp->attribute_count);
        told += count;
        for (size_t r = 0; r < at->rule_count; r++) {
            matched += at->rules[r].count;
            assert_int_equal(at->rules[r].count,
                             count_attribute(chosen, at->key, LF_ATTRIBUTE_MATCHED, at->rules[r].name, NULL, NULL));
            for (size_t other = 0; other < r; other++)
                assert_string_not_equal(at->rules[other].name, at->rules[r].name);
        }
        assert_int_equal(matched, at->matched);
    }
    for (size_t i = 0; i < chosen->count; i++)
        there += (int64_t)icp_of(chosen, chosen->events[i]->version)->attribute_count;
    assert_int_equal(told, there);
}

static inline void
check_the_rest(const struct chosen *chosen, const struct lf_stats *stats)
{
    const struct lf_icp *icp = icp_of(chosen, chosen->reference);

    assert_true(stats->disqualifier_count >= icp->disqualifier_count);
    assert_true(stats->field_count >= icp->fields.count);
    for (size_t d = 0; d < stats->disqualifier_count; d++) {
        int64_t count = 0;

        for (size_t i = 0; i < chosen->count; i++) {
            const struct lf_icp *own = icp_of(chosen, chosen->events[i]->version);

            for (size_t o = 0; o < own->disqualifier_count; o++)
                count += strcmp(own->disqualifiers[o].key, stats->disqualifiers[d].key) == 0 &&
                         chosen->events[i]->outcome->disqualifiers[o] == LF_VERDICT_TRUE;
        }
        assert_int_equal(stats->disqualifiers[d].count, count);
        if (d < icp->disqualifier_count)
            assert_string_equal(stats->disqualifiers[d].reason, icp->disqualifiers[d].reason);
        else
            assert_true(count > 0);
    }
    for (size_t f = 0; f < stats->field_count; f++) {
        int64_t missing = 0, known = 0;

        for (size_t i = 0; i < chosen->count; i++) {
            const struct lf_icp *own = icp_of(chosen, chosen->events[i]->version);

            for (size_t o = 0; o < own->fields.count; o++)
                if (strcmp(own->fields.paths[o], stats->fields[f].path) == 0 &&
                    chosen->events[i]->outcome->missing != NULL) {
                    known++;
                    missing += is_missing(chosen->events[i]->outcome, o);
                }
        }
        if (f < icp->fields.count)
            assert_string_equal(stats->fields[f].path, icp->fields.paths[f]);
        assert_int_equal(stats->fields[f].missing, missing);
        assert_int_equal(stats->fields[f].missing_pct, mean_of(10000 * missing, known));
    }
}

static inline void
check_versions(const struct chosen *chosen, const struct lf_stats *stats)
{
    size_t told = 0;

    for (size_t v = 0; v < chosen->world->version_count; v++) {
        const struct lf_version_stats *at = &stats->versions[told];
        int64_t scored = 0, leads = 0, qualified = 0, score = 0, coverage = 0, first = 0, last = 0;

        for (size_t i = 0; i < chosen->count; i++) {
            const struct event *event = chosen->events[i];

            if (event->version != v)
                continue;
            first = scored == 0 ? event->at_ms : first;
            last = event->at_ms;
            scored++;
            leads += event->first;
            qualified += event->brief.qualified;
            score += event->brief.score;
            coverage += event->brief.coverage;
        }
        if (scored == 0)
            continue;
        assert_true(told < stats->version_count);
        assert_int_equal(at->version, v + 1);
        assert_int_equal(at->first_ms, first);
        assert_int_equal(at->last_ms, last);
        assert_int_equal(at->scored, scored);
        assert_int_equal(at->leads, leads);
        assert_int_equal(at->qualified, qualified);
        assert_int_equal(at->mean, mean_of(score, scored));
        assert_int_equal(at->coverage_mean, mean_of(coverage, scored));
        assert_int_equal(at->grade_count, icp_of(chosen, v)->grade_count + 1);
        told++;
    }
    assert_int_equal(stats->version_count, told);
}

/* ---- the series, by libc's idea of local time ---- */

/* A number that the local hours of one bucket share. */
static inline int64_t
bucket_of(int64_t at_ms, bool by_hour)
{
    time_t hour = (time_t)lf_window_hour(at_ms) * 3600;
    struct tm tm;

    if (by_hour)
        return hour / 3600;
    assert_non_null(localtime_r(&hour, &tm));
    return ((int64_t)tm.tm_year * 12 + tm.tm_mon) * 31 + tm.tm_mday;
}

static inline void
check_series(const struct chosen *chosen, const struct lf_stats *stats, const char *zone)
{
    bool by_hour = chosen->query->by_hour;
    int64_t sum = 0;

    if (chosen->count == 0) {
        assert_int_equal(stats->point_count, 0);
        return;
    }
    (void)setenv("TZ", zone, 1);
    tzset();
    for (size_t p = 0; p < stats->point_count; p++) {
        const struct lf_stats_point *point = &stats->points[p];
        int64_t scored = 0, score = 0, coverage = 0, *grades = NULL;
        time_t start = (time_t)(point->start_ms / 1000);
        struct tm tm;

        grades = lf_arena_calloc(chosen->world->f->arena, stats->grade_count, sizeof *grades);
        assert_non_null(grades);
        assert_non_null(localtime_r(&start, &tm));
        if (!by_hour)
            assert_true(tm.tm_hour == 0 && tm.tm_min == 0 && tm.tm_sec == 0);
        if (p > 0 && by_hour)
            assert_int_equal(point->start_ms, stats->points[p - 1].start_ms + 3600000);
        if (p > 0 && !by_hour) { /* the next local day */
            time_t before = (time_t)(stats->points[p - 1].start_ms / 1000);

            assert_non_null(localtime_r(&before, &tm));
            tm.tm_mday++;
            tm.tm_isdst = -1;
            assert_int_equal(mktime(&tm), start);
        }
        for (size_t i = 0; i < chosen->count; i++) {
            const struct event *event = chosen->events[i];
            size_t g = 0;

            /* The point's own hour: behind its start, for a zone's midnight may lie within an hour. */
            if (bucket_of(event->at_ms, by_hour) != bucket_of(point->start_ms + 3599999, by_hour))
                continue;
            scored++;
            score += event->brief.score;
            coverage += event->brief.coverage;
            while (strcmp(stats->grades[g].name, grade_of(chosen, event)) != 0)
                g++;
            grades[g]++;
        }
        assert_int_equal(point->scored, scored);
        assert_int_equal(point->mean, mean_of(score, scored));
        assert_int_equal(point->coverage_mean, mean_of(coverage, scored));
        assert_memory_equal(point->grades, grades, stats->grade_count * sizeof *grades);
        sum += scored;
    }
    assert_int_equal(sum, chosen->count);
    assert_true(stats->points[0].scored > 0);
    assert_true(stats->points[stats->point_count - 1].scored > 0);
}

/* ---- outcomes ---- */

static inline void
check_rate(const struct lf_win_rate *rate, int64_t won, int64_t lost, int64_t all_won, int64_t all_lost)
{
    struct lf_interval interval = lf_wilson(won, won + lost);
    __extension__ typedef __int128 wide;
    wide above = (wide)won * (all_won + all_lost) * 2000000, below = (wide)all_won * (won + lost) * 2;

    assert_int_equal(rate->won, won);
    assert_int_equal(rate->lost, lost);
    assert_int_equal(rate->win_rate, mean_of(10000 * won, won + lost));
    assert_true(rate->interval.low == interval.low && rate->interval.high == interval.high);
    assert_int_equal(rate->lift, below == 0 ? 0 : (int64_t)((above + below / 2) / below));
}

static inline void
check_outcomes(const struct chosen *chosen, const struct lf_stats *stats)
{
    const struct lf_outcome_stats *told = &stats->outcomes;
    bool *counts = lf_arena_calloc(chosen->world->f->arena, chosen->count, sizeof *counts);
    int64_t won = 0, lost = 0, leads = 0, open = 0, value = 0, by_score[10001][2] = {{0}};
    struct lf_win_score *scores = lf_arena_calloc(chosen->world->f->arena, 10001, sizeof *scores);
    size_t score_count = 0;

    for (size_t i = 0; i < chosen->count; i++) {
        const struct event *event = chosen->events[i];

        counts[i] = is_latest(chosen->world, chosen->places[i], chosen->query->version != 0);
        if (!counts[i])
            continue;
        leads++;
        open += event->fate == LF_FATE_OPEN;
        won += event->fate == LF_FATE_WON;
        lost += event->fate == LF_FATE_LOST;
        value += event->fate == LF_FATE_WON ? event->value : 0;
        if (event->fate == LF_FATE_WON || event->fate == LF_FATE_LOST)
            by_score[event->brief.score][event->fate == LF_FATE_LOST]++;
    }
    assert_int_equal(told->all.leads, leads);
    assert_int_equal(told->all.open, open);
    assert_int_equal(told->all.value * 1000000 + told->all.value_millionths, value);
    check_rate(&told->all.rate, won, lost, won, lost);
    assert_int_equal(told->grade_count, stats->grade_count);
    for (size_t g = 0; g < told->grade_count; g++) {
        int64_t own[5] = {0}; /* leads, open, won, lost, value */

        for (size_t i = 0; i < chosen->count; i++) {
            const struct event *event = chosen->events[i];

            if (!counts[i] || strcmp(grade_of(chosen, event), stats->grades[g].name) != 0)
                continue;
            own[0]++;
            own[1] += event->fate == LF_FATE_OPEN;
            own[2] += event->fate == LF_FATE_WON;
            own[3] += event->fate == LF_FATE_LOST;
            own[4] += event->fate == LF_FATE_WON ? event->value : 0;
        }
        assert_string_equal(told->grades[g].grade, stats->grades[g].name);
        assert_int_equal(told->grades[g].leads, own[0]);
        assert_int_equal(told->grades[g].open, own[1]);
        assert_int_equal(told->grades[g].value * 1000000 + told->grades[g].value_millionths, own[4]);
        check_rate(&told->grades[g].rate, own[2], own[3], won, lost);
    }
    assert_int_equal(told->attribute_count, stats->attribute_count);
    for (size_t a = 0; a < told->attribute_count; a++) {
        const struct lf_attribute_stats *attribute = &stats->attributes[a];
        const struct lf_attribute_outcomes *at = &told->attributes[a];
        struct lf_win_cell cells[16] = {{0, 0}};
        double woe[16];

        assert_string_equal(at->key, attribute->key);
        assert_int_equal(at->rule_count, attribute->rule_count + 2);
        for (size_t i = 0; i < chosen->count; i++) {
            const struct event *event = chosen->events[i];
            const struct lf_icp *icp = icp_of(chosen, event->version);

            for (size_t o = 0; o < icp->attribute_count && counts[i]; o++) {
                const struct lf_attribute_outcome *outcome = &event->outcome->attributes[o];
                size_t cell = 0;

                if (strcmp(icp->attributes[o].key, at->key) != 0)
                    continue;
                if (outcome->status == LF_ATTRIBUTE_MATCHED)
                    while (strcmp(attribute->rules[cell].name, icp->attributes[o].rules[outcome->rule].label) != 0)
                        cell++;
                else
                    cell = attribute->rule_count + (outcome->status == LF_ATTRIBUTE_UNKNOWN);
                cells[cell].won += event->fate == LF_FATE_WON;
                cells[cell].lost += event->fate == LF_FATE_LOST;
            }
        }
        assert_true(at->information_value == lf_weight_of_evidence(cells, at->rule_count, woe));
        for (size_t r = 0; r < at->rule_count; r++) {
            assert_string_equal(at->rules[r].label, r < attribute->rule_count ? attribute->rules[r].name : "");
            assert_string_equal(at->rules[r].status, r < attribute->rule_count    ? "matched"
                                                     : r == attribute->rule_count ? "unmatched"
                                                                                  : "unknown");
            assert_true(at->rules[r].woe == woe[r]);
            check_rate(&at->rules[r].rate, cells[r].won, cells[r].lost, won, lost);
        }
    }
    for (int32_t s = 0; s <= 10000; s++)
        if (by_score[s][0] + by_score[s][1] > 0)
            scores[score_count++] = (struct lf_win_score){s, {by_score[s][0], by_score[s][1]}};
    assert_true(told->auc == lf_auc(scores, score_count));
    assert_true(told->ks == lf_ks(scores, score_count));
}

static inline void
check_all(struct world *world, const struct lf_stats_query *query, const char *zone)
{
    struct lf_stats stats = ask(world, query);
    const struct chosen *chosen = choose(world->f, world, query);

    check_heads(chosen, &stats);
    check_grades(chosen, &stats);
    check_labels(chosen, &stats);
    check_attributes(chosen, &stats);
    check_the_rest(chosen, &stats);
    check_versions(chosen, &stats);
    check_series(chosen, &stats, zone);
    check_outcomes(chosen, &stats);
}

#endif
