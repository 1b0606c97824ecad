/* stats_put.c - see stats_put.h. */
#include "api/stats_put.h"

#include "api/handlers.h"
#include "api/window.h"

#include <math.h>

enum {
    BUCKET_POINTS = 100 / LF_STATS_BUCKETS,
    MILLION = 1000000,
    ROOM = 16384, /* bytes of a usual answer without its series */
    ROOM_POINT = 100,
    ROOM_GRADE = 32,
};

/* ---- numbers ---- */

/* Appends `"name":`, behind a comma. A literal. */
#define put_name(buf, name) lf_buf_lit((buf), ",\"" name "\":")

/* A double with at most two decimals, or six, rounded; never -0, never an exponent. */
static void
put_rounded(struct lf_buf *buf, double value, int places)
{
    lf_buf_decimal(buf, llround(value * (places == 2 ? 100 : MILLION)), places);
}

#define put_int(buf, name, value) (put_name(buf, name), lf_buf_int((buf), (value)))
#define put_decimal(buf, name, value, places) (put_name(buf, name), lf_buf_decimal((buf), (value), (places)))
#define put_double(buf, name, value) (put_name(buf, name), put_rounded((buf), (value), 6))
#define put_string(buf, name, value) (put_name(buf, name), lf_api_put_text((buf), (value)))

static void
put_comma(struct lf_buf *buf, size_t i)
{
    if (i > 0)
        lf_buf_lit(buf, ",");
}

/* ---- counts ---- */

static void
put_named(struct lf_buf *buf, const char *member, const struct lf_named_count *counts, size_t count)
{
    lf_buf_lit(buf, "[");
    for (size_t i = 0; i < count; i++) {
        lf_buf_text(buf, i > 0 ? ",{\"" : "{\"");
        lf_buf_text(buf, member);
        lf_buf_lit(buf, "\":");
        lf_api_put_text(buf, counts[i].name);
        put_int(buf, "count", counts[i].count);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

static void
put_histogram(struct lf_buf *buf, const struct lf_stats *stats)
{
    lf_buf_lit(buf, ",\"histogram\":{\"edges\":[");
    for (size_t i = 0; i <= LF_STATS_BUCKETS; i++) {
        put_comma(buf, i);
        lf_buf_int(buf, (int64_t)i * BUCKET_POINTS);
    }
    lf_buf_lit(buf, "],\"counts\":[");
    for (size_t i = 0; i < LF_STATS_BUCKETS; i++) {
        put_comma(buf, i);
        lf_buf_int(buf, stats->histogram[i]);
    }
    lf_buf_lit(buf, "]}");
}

static void
put_attributes(struct lf_buf *buf, const struct lf_stats *stats)
{
    lf_buf_lit(buf, ",\"attributes\":[");
    for (size_t i = 0; i < stats->attribute_count; i++) {
        const struct lf_attribute_stats *attribute = &stats->attributes[i];

        lf_buf_text(buf, i > 0 ? ",{\"key\":" : "{\"key\":");
        lf_api_put_text(buf, attribute->key);
        put_string(buf, "label", attribute->label);
        put_string(buf, "category", lf_category_word(attribute->category));
        put_string(buf, "axis", lf_axis_word(attribute->axis));
        put_int(buf, "matched", attribute->matched);
        put_int(buf, "unmatched", attribute->unmatched);
        put_int(buf, "unknown", attribute->unknown);
        put_int(buf, "skipped", attribute->skipped);
        put_decimal(buf, "mean_points", attribute->mean_points, 6);
        put_name(buf, "rules");
        put_named(buf, "label", attribute->rules, attribute->rule_count);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

static void
put_disqualifiers(struct lf_buf *buf, const struct lf_stats *stats)
{
    lf_buf_lit(buf, ",\"disqualifiers\":[");
    for (size_t i = 0; i < stats->disqualifier_count; i++) {
        lf_buf_text(buf, i > 0 ? ",{\"key\":" : "{\"key\":");
        lf_api_put_text(buf, stats->disqualifiers[i].key);
        put_string(buf, "reason", stats->disqualifiers[i].reason);
        put_int(buf, "count", stats->disqualifiers[i].count);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

static void
put_fields(struct lf_buf *buf, const struct lf_stats *stats)
{
    lf_buf_lit(buf, ",\"fields\":[");
    for (size_t i = 0; i < stats->field_count; i++) {
        lf_buf_text(buf, i > 0 ? ",{\"field\":" : "{\"field\":");
        lf_api_put_text(buf, stats->fields[i].path);
        put_int(buf, "missing", stats->fields[i].missing);
        put_decimal(buf, "missing_pct", stats->fields[i].missing_pct, 2);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

void
lf_api_put_penetration(struct lf_buf *buf, const struct lf_penetration *penetration)
{
    lf_buf_lit(buf, "\"grades\":[");
    for (size_t i = 0; i < penetration->grade_count; i++) {
        put_comma(buf, i);
        lf_api_put_text(buf, penetration->grades[i]);
    }
    lf_buf_lit(buf, "]");
    put_int(buf, "count", penetration->count);
    put_decimal(buf, "pct", penetration->pct, 2);
}

static void
put_versions(struct lf_buf *buf, const struct lf_stats *stats)
{
    lf_buf_lit(buf, ",\"versions\":[");
    for (size_t i = 0; i < stats->version_count; i++) {
        const struct lf_version_stats *version = &stats->versions[i];

        lf_buf_text(buf, i > 0 ? ",{\"version\":" : "{\"version\":");
        lf_buf_int(buf, version->version);
        put_name(buf, "published_at");
        lf_api_put_time(buf, version->published_at_ms);
        put_name(buf, "first_at");
        lf_api_put_time(buf, version->first_ms);
        put_name(buf, "last_at");
        lf_api_put_time(buf, version->last_ms);
        put_int(buf, "scored", version->scored);
        put_int(buf, "leads", version->leads);
        put_int(buf, "qualified", version->qualified);
        put_decimal(buf, "mean", version->mean, 2);
        put_decimal(buf, "coverage_mean", version->coverage_mean, 2);
        put_name(buf, "grades");
        put_named(buf, "grade", version->grades, version->grade_count);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

/* `{"grade":"A","count":`, by grade: written once, used in every point. false: out of memory. */
static bool
prepare_grades(struct lf_arena *scratch, const struct lf_stats *stats, struct lf_buf *heads)
{
    for (size_t g = 0; g < stats->grade_count; g++) {
        lf_buf_init(&heads[g], scratch, LF_REPLY_MAX);
        lf_buf_text(&heads[g], g > 0 ? ",{\"grade\":" : "{\"grade\":");
        lf_api_put_text(&heads[g], stats->grades[g].name);
        put_name(&heads[g], "count");
        if (lf_buf_failed(&heads[g]))
            return false;
    }
    return true;
}

static void
put_series(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_stats *stats)
{
    struct lf_buf *heads = lf_arena_calloc(scratch, stats->grade_count, sizeof *heads);

    if (heads == NULL || !prepare_grades(scratch, stats, heads)) {
        buf->failed = true;
        return;
    }
    lf_buf_lit(buf, ",\"series\":[");
    for (size_t i = 0; i < stats->point_count; i++) {
        const struct lf_stats_point *point = &stats->points[i];

        lf_buf_text(buf, i > 0 ? ",{\"start\":" : "{\"start\":");
        lf_api_put_time(buf, point->start_ms);
        put_int(buf, "scored", point->scored);
        put_decimal(buf, "mean", point->mean, 2);
        put_decimal(buf, "coverage_mean", point->coverage_mean, 2);
        put_name(buf, "grades");
        lf_buf_lit(buf, "[");
        for (size_t g = 0; g < stats->grade_count; g++) {
            lf_buf_add(buf, heads[g].data, heads[g].len);
            lf_buf_int(buf, point->grades[g]);
            lf_buf_lit(buf, "}");
        }
        lf_buf_lit(buf, "]}");
    }
    lf_buf_lit(buf, "]");
}

/* ---- drift ---- */

static void
put_span(struct lf_buf *buf, const struct lf_drift_span *span)
{
    lf_buf_lit(buf, "{\"from\":");
    lf_api_put_end(buf, span->from_ms);
    put_name(buf, "to");
    lf_api_put_end(buf, span->to_ms);
    put_int(buf, "scored", span->scored);
    lf_buf_lit(buf, "}");
}

static void
put_psi(struct lf_buf *buf, double psi)
{
    put_double(buf, "psi", psi);
    put_string(buf, "level", lf_drift_word(lf_drift_level(psi)));
}

static void
put_drift(struct lf_buf *buf, const struct lf_drift *drift)
{
    lf_buf_lit(buf, ",\"drift\":{\"version\":");
    lf_buf_int(buf, drift->version);
    put_name(buf, "baseline");
    put_span(buf, &drift->baseline);
    put_name(buf, "window");
    put_span(buf, &drift->window);
    put_psi(buf, drift->psi);
    put_name(buf, "attributes");
    lf_buf_lit(buf, "[");
    for (size_t i = 0; i < drift->attribute_count; i++) {
        lf_buf_text(buf, i > 0 ? ",{\"key\":" : "{\"key\":");
        lf_api_put_text(buf, drift->attributes[i].key);
        put_psi(buf, drift->attributes[i].psi);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "],\"fields\":[");
    for (size_t i = 0; i < drift->field_count; i++) {
        lf_buf_text(buf, i > 0 ? ",{\"field\":" : "{\"field\":");
        lf_api_put_text(buf, drift->fields[i].path);
        put_decimal(buf, "missing_pct", drift->fields[i].missing_pct, 2);
        put_decimal(buf, "baseline_pct", drift->fields[i].baseline_pct, 2);
        put_name(buf, "since");
        lf_api_put_end(buf, drift->fields[i].since_ms);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "],\"notes\":[");
    for (size_t i = 0; i < drift->note_count; i++) {
        put_comma(buf, i);
        lf_api_put_text(buf, drift->notes[i]);
    }
    lf_buf_lit(buf, "]}");
}

/* ---- outcomes ---- */

/* `"won":…` and so on, without a comma in front. */
static void
put_rate(struct lf_buf *buf, const struct lf_win_rate *rate)
{
    put_decimal(buf, "win_rate", rate->win_rate, 2);
    put_name(buf, "low");
    put_rounded(buf, rate->interval.low, 2);
    put_name(buf, "high");
    put_rounded(buf, rate->interval.high, 2);
}

static void
put_value(struct lf_buf *buf, const struct lf_grade_outcomes *grade)
{
    put_int(buf, "value", grade->value);
    if (grade->value_millionths == 0)
        return;
    /* "1.25" for 250,000 millionths, of which the digit in front is not wanted. */
    char digits[8];
    int len = 0;

    for (int64_t rest = grade->value_millionths, unit = MILLION / 10; rest > 0; rest %= unit, unit /= 10)
        digits[len++] = (char)('0' + rest / unit);
    lf_buf_lit(buf, ".");
    lf_buf_add(buf, digits, (size_t)len);
}

static void
put_counts(struct lf_buf *buf, const struct lf_grade_outcomes *grade)
{
    lf_buf_lit(buf, "\"leads\":");
    lf_buf_int(buf, grade->leads);
    put_int(buf, "open", grade->open);
    put_int(buf, "won", grade->rate.won);
    put_int(buf, "lost", grade->rate.lost);
    put_rate(buf, &grade->rate);
}

static void
put_rules(struct lf_buf *buf, const struct lf_attribute_outcomes *attribute)
{
    lf_buf_lit(buf, ",\"rules\":[");
    for (size_t i = 0; i < attribute->rule_count; i++) {
        const struct lf_rule_outcomes *rule = &attribute->rules[i];

        lf_buf_text(buf, i > 0 ? ",{\"label\":" : "{\"label\":");
        lf_api_put_text(buf, rule->label);
        put_string(buf, "status", rule->status);
        put_int(buf, "won", rule->rate.won);
        put_int(buf, "lost", rule->rate.lost);
        put_double(buf, "woe", rule->woe);
        put_rate(buf, &rule->rate);
        put_decimal(buf, "lift", rule->rate.lift, 6);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
}

static void
put_outcomes(struct lf_buf *buf, const struct lf_outcome_stats *outcomes)
{
    lf_buf_lit(buf, ",\"outcomes\":{");
    put_counts(buf, &outcomes->all);
    put_value(buf, &outcomes->all);
    lf_buf_lit(buf, ",\"grades\":[");
    for (size_t i = 0; i < outcomes->grade_count; i++) {
        lf_buf_text(buf, i > 0 ? ",{\"grade\":" : "{\"grade\":");
        lf_api_put_text(buf, outcomes->grades[i].grade);
        lf_buf_lit(buf, ",");
        put_counts(buf, &outcomes->grades[i]);
        put_decimal(buf, "lift", outcomes->grades[i].rate.lift, 6);
        put_value(buf, &outcomes->grades[i]);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "],\"attributes\":[");
    for (size_t i = 0; i < outcomes->attribute_count; i++) {
        const struct lf_attribute_outcomes *attribute = &outcomes->attributes[i];

        lf_buf_text(buf, i > 0 ? ",{\"key\":" : "{\"key\":");
        lf_api_put_text(buf, attribute->key);
        put_double(buf, "iv", attribute->information_value);
        put_string(buf, "strength", lf_strength_word(attribute->information_value));
        put_rules(buf, attribute);
        lf_buf_lit(buf, "}");
    }
    lf_buf_lit(buf, "]");
    put_double(buf, "auc", outcomes->auc);
    put_double(buf, "ks", outcomes->ks);
    lf_buf_lit(buf, "}");
}

/* ---- all of it ---- */

void
lf_api_put_stats(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_stats_query *query, const char *zone,
                 const struct lf_stats *stats)
{
    /* Most of an answer is its series: room for it at once, rather than copied as it grows. */
    (void)lf_buf_reserve(buf, ROOM + stats->point_count * (ROOM_POINT + ROOM_GRADE * stats->grade_count));
    lf_buf_lit(buf, "{\"icp\":");
    lf_api_put_text(buf, query->icp);
    put_int(buf, "version", query->version);
    put_name(buf, "from");
    lf_api_put_hour(buf, query->window.from_hour);
    put_name(buf, "to");
    lf_api_put_hour(buf, query->window.to_hour);
    put_string(buf, "tz", zone);
    put_string(buf, "bucket", query->by_hour ? "hour" : "day");
    put_int(buf, "scored", stats->scored);
    put_int(buf, "leads", stats->leads);
    put_int(buf, "qualified", stats->qualified);
    put_int(buf, "disqualified", stats->scored - stats->qualified);
    put_decimal(buf, "mean", stats->mean, 2);
    lf_buf_lit(buf, ",\"percentiles\":{\"p10\":");
    lf_buf_decimal(buf, stats->p10, 2);
    put_decimal(buf, "p50", stats->p50, 2);
    put_decimal(buf, "p90", stats->p90, 2);
    lf_buf_lit(buf, "}");
    put_decimal(buf, "coverage_mean", stats->coverage_mean, 2);
    put_decimal(buf, "engagement_mean", stats->engagement_mean, 2);
    put_name(buf, "grades");
    put_named(buf, "grade", stats->grades, stats->grade_count);
    put_name(buf, "labels");
    put_named(buf, "label", stats->labels, stats->label_count);
    put_histogram(buf, stats);
    put_attributes(buf, stats);
    put_disqualifiers(buf, stats);
    put_fields(buf, stats);
    lf_buf_lit(buf, ",\"penetration\":{");
    lf_api_put_penetration(buf, &stats->penetration);
    lf_buf_lit(buf, "}");
    put_versions(buf, stats);
    put_series(buf, scratch, stats);
    put_drift(buf, &stats->drift);
    put_outcomes(buf, &stats->outcomes);
    lf_buf_lit(buf, "}");
}
