/*
 * stats_parts.h - the inside of statistics, shared by the stats_*.c files and nobody else: one run, in which each file
 * fills its part of struct lf_stats.
 */
#ifndef LF_APP_STATS_PARTS_H
#define LF_APP_STATS_PARTS_H

#include "app/stats.h"

/* One version's share in an attribute that several may have. */
struct lf_stats_share {
    size_t version;   /* of the run's */
    size_t attribute; /* in its definition */
    size_t *rules;    /* of its rules -> of the attribute's told ones; SIZE_MAX: not told, it never matched */
    struct lf_stats_share *next;
};

/* An attribute, brought together by key. */
struct lf_stats_attribute {
    const struct lf_attribute *source; /* of the first version that has it */
    struct lf_stats_share *first, *last;
    struct lf_named_count *rules; /* by label */
    size_t rule_count;
};

struct lf_stats_run {
    struct lf_store_reader *reader;
    struct lf_catalog *catalog;
    struct lf_arena *arena;
    const struct lf_stats_query *query;

    struct lf_window_version *versions; /* oldest first, with what they scored in the window */
    size_t version_count;               /* 0: never published */
    size_t reference;
    size_t *order; /* the reference, then the others that scored, the latest first */
    size_t order_count;

    /* From stats_merge.c: */
    size_t **grades; /* by version, of its grades and DQ -> of the told ones; NULL for those that are not in order */
    struct lf_stats_attribute *attributes;
    size_t attribute_count;
};

/* Each fills its part; OUT_OF_MEMORY and what the store says. (stats_merge.c first) */
enum lf_status lf_stats_merge(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error) LF_MUST_CHECK;
enum lf_status lf_stats_series(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error) LF_MUST_CHECK;
enum lf_status lf_stats_drift(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error) LF_MUST_CHECK;
enum lf_status
lf_stats_outcomes(struct lf_stats_run *run, struct lf_stats *stats, struct lf_error *error) LF_MUST_CHECK;

/* sum / count, rounded half up; 0 for a count of 0. */
int64_t lf_stats_mean(int64_t sum, int64_t count);

/* The scores of a tally in bins of five points. */
void lf_stats_histogram(const int64_t bins[LF_TALLY_BINS], int64_t ret_buckets[LF_STATS_BUCKETS]);

/* The local day that the moment lies in, and the next one; zone NULL: UTC. */
void lf_stats_day(const struct lf_zone *zone, int64_t unix_s, int64_t *ret_begin_s, int64_t *ret_end_s);

enum lf_status lf_stats_no_memory(struct lf_error *error);

#endif
