/*
 * stats.h - fit statistics of one ICP over a window: what dashboards poll.
 *
 * Everything is summed from roll-ups, so that the time it takes does not grow with the number of scores; leads have
 * been settled before (app/ledger.h). Numbers, names and sentences; no JSON. Counts of several versions are brought
 * together by key and label, in the order of the reference version: the one that is asked for, else the active one,
 * else the latest.
 *
 * Scores, percentages and means are in hundredths, rounded half up; points and lifts in millionths.
 */
#ifndef LF_APP_STATS_H
#define LF_APP_STATS_H

#include "app/catalog.h"
#include "app/window.h"
#include "base/arena.h"
#include "base/status.h"
#include "base/zone.h"
#include "core/icp.h"
#include "core/statistics.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LF_STATS_BUCKETS = 20, /* of the histogram, five points each */
    LF_STATS_POINTS_MAX = 5000,
    LF_STATS_SCORES_LEAST = 100, /* below so many nothing is said of what moved */
};

struct lf_stats_query {
    const char *icp;
    int version; /* 0: all */
    struct lf_window window;
    const struct lf_zone *zone; /* where days begin; NULL: UTC */
    bool by_hour;               /* the series, else by day */
    bool has_baseline;          /* drift is against this window, and not against the version's first scores */
    struct lf_window baseline;
    int64_t now_ms; /* notes tell the year where it is not that of now */
};

struct lf_named_count {
    const char *name;
    int64_t count;
};

struct lf_attribute_stats {
    const char *key, *label;
    enum lf_category category;
    enum lf_axis axis;
    int64_t matched, unmatched, unknown, skipped;
    int64_t mean_points; /* millionths; over the scores that did not skip it */
    const struct lf_named_count *rules;
    size_t rule_count;
};

struct lf_disqualifier_stats {
    const char *key, *reason;
    int64_t count;
};

struct lf_field_stats {
    const char *path;
    int64_t missing;
    int missing_pct; /* of the scores that say it */
};

struct lf_penetration {
    const char *grades[2]; /* the reference's best */
    size_t grade_count;
    int64_t count; /* scores at the two best grades of their version */
    int pct;       /* of all */
};

/* One version beside the others; only those that scored in the window. */
struct lf_version_stats {
    int version;
    int64_t published_at_ms, first_ms, last_ms;
    int64_t scored, leads, qualified;
    int mean, coverage_mean;
    const struct lf_named_count *grades;
    size_t grade_count;
};

struct lf_stats_point {
    int64_t start_ms;
    int64_t scored;
    int mean, coverage_mean;
    const int64_t *grades; /* as many as the statistics have, in their order */
};

/* ---- drift (stats_drift.c) ---- */

struct lf_attribute_drift {
    const char *key;
    double psi;
};

struct lf_field_drift {
    const char *path;
    int missing_pct; /* since then */
    int baseline_pct;
    int64_t since_ms; /* the beginning of a local day; INT64_MIN: no day splits the window */
};

struct lf_drift_span {
    int64_t from_ms, to_ms; /* INT64_MIN, INT64_MAX: open, or not known */
    int64_t scored;
};

struct lf_drift {
    int version; /* 0: there is none, and nothing else */
    struct lf_drift_span baseline, window;
    double psi;
    const struct lf_attribute_drift *attributes;
    size_t attribute_count;
    const struct lf_field_drift *fields;
    size_t field_count;
    const char *const *notes; /* sentences without a full stop */
    size_t note_count;
};

/* ---- what became of leads (stats_outcomes.c) ---- */

struct lf_win_rate {
    int64_t won, lost;
    int win_rate;
    struct lf_interval interval; /* percent */
    int64_t lift;                /* win rate as a multiple of the overall one, millionths; 0 where there is none */
};

struct lf_grade_outcomes {
    const char *grade;
    int64_t leads, open;
    struct lf_win_rate rate;
    int64_t value, value_millionths; /* sum of what was won */
};

struct lf_rule_outcomes {
    const char *label; /* "" for those that no rule took */
    const char *status;
    struct lf_win_rate rate;
    double woe;
};

struct lf_attribute_outcomes {
    const char *key;
    double information_value;
    const struct lf_rule_outcomes *rules; /* then unmatched, then unknown */
    size_t rule_count;
};

struct lf_outcome_stats {
    struct lf_grade_outcomes all; /* lift 1 where anything was won, grade NULL */
    const struct lf_grade_outcomes *grades;
    size_t grade_count;
    const struct lf_attribute_outcomes *attributes;
    size_t attribute_count;
    double auc, ks;
};

struct lf_stats {
    int64_t scored, leads, qualified;
    int mean, coverage_mean, engagement_mean;
    int p10, p50, p90;
    const struct lf_named_count *grades; /* best first, DQ last */
    size_t grade_count;
    const struct lf_named_count *labels; /* that came up */
    size_t label_count;
    int64_t histogram[LF_STATS_BUCKETS];
    const struct lf_attribute_stats *attributes;
    size_t attribute_count;
    const struct lf_disqualifier_stats *disqualifiers;
    size_t disqualifier_count;
    const struct lf_field_stats *fields;
    size_t field_count;
    struct lf_penetration penetration;
    const struct lf_version_stats *versions;
    size_t version_count;
    const struct lf_stats_point *points;
    size_t point_count;
    struct lf_drift drift;
    struct lf_outcome_stats outcomes;

    struct lf_window_version *held; /* whose names are borrowed */
    size_t held_count;
};

/* Sums up, within one lf_store_hold. What is told lives in the arena and borrows from the catalog: given back with
 * lf_stats_finish. ICP_NOT_FOUND, VERSION_NOT_FOUND; INVALID_PARAMETER for more than LF_STATS_POINTS_MAX points; an
 * ICP that was never published has zeros. */
enum lf_status
lf_stats_compute(struct lf_store_reader *reader, struct lf_catalog *catalog, struct lf_arena *arena,
                 const struct lf_stats_query *query, struct lf_stats *ret_stats, struct lf_error *error) LF_MUST_CHECK;

/* Gives back what lf_stats_compute held; after a failure there is nothing to give back. */
void lf_stats_finish(struct lf_catalog *catalog, struct lf_stats *stats);

#endif
