/* test_metrics.c - counting: everything once, in its bucket, from any number of threads, while somebody reads. */
#include "app/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUTES = 3, STATUS_MAX = 600 };

/* What has been counted of a route, by status. */
struct statuses {
    int64_t counts[STATUS_MAX];
    int lines;
};

static void
note_status(void *context, int status, int64_t count)
{
    struct statuses *statuses = context;

    assert_in_range(status, 0, STATUS_MAX - 1);
    assert_int_equal(statuses->counts[status], 0); /* each is told once */
    assert_true(count > 0);
    statuses->counts[status] = count;
    statuses->lines++;
}

static struct statuses
statuses_of(struct lf_metrics *metrics, size_t route)
{
    struct statuses statuses = {.lines = 0};

    lf_metrics_each_status(metrics, route, note_status, &statuses);
    return statuses;
}

static struct lf_metrics *
make(size_t routes)
{
    struct lf_metrics *metrics = lf_metrics_create(routes);

    assert_non_null(metrics);
    return metrics;
}

static void
test_bounds(void **state)
{
    (void)state;
    assert_int_equal(LF_DURATION_BOUNDS_US[0], 100);
    assert_int_equal(LF_DURATION_BOUNDS_US[LF_DURATION_BUCKETS - 1], 10000000);
    assert_int_equal(LF_SIZE_BOUNDS[0], 1);
    assert_int_equal(LF_SIZE_BOUNDS[LF_SIZE_BUCKETS - 1], 1024);
    for (int i = 1; i < LF_DURATION_BUCKETS; i++)
        assert_true(LF_DURATION_BOUNDS_US[i] > LF_DURATION_BOUNDS_US[i - 1]);
    for (int i = 1; i < LF_SIZE_BUCKETS; i++)
        assert_true(LF_SIZE_BOUNDS[i] > LF_SIZE_BOUNDS[i - 1]);
}

/* A bucket holds its upper bound (le), and what is above the last one is counted all the same. */
static void
test_buckets(void **state)
{
    static const struct {
        int64_t duration_us;
        int bucket; /* -1: above all */
    } ROWS[] = {
        {0, 0},        {1, 0},         {100, 0},       {101, 1},
        {250, 1},      {251, 2},       {1000, 3},      {1001, 4},
        {250000, 10},  {250001, 11},   {1000000, 11},  {2500000, 12},
        {2500001, 13}, {10000000, 13}, {10000001, -1}, {INT64_C(3600000000), -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct lf_metrics *metrics = make(ROUTES);
        struct lf_histogram histogram;

        lf_metrics_request(metrics, 1, 200, ROWS[i].duration_us);
        lf_metrics_durations(metrics, 1, &histogram);
        for (int bucket = 0; bucket < LF_DURATION_BUCKETS; bucket++) {
            if (histogram.buckets[bucket] != (bucket == ROWS[i].bucket))
                fail_msg("%lld us: %lld in bucket %d", (long long)ROWS[i].duration_us,
                         (long long)histogram.buckets[bucket], bucket);
        }
        assert_int_equal(histogram.count, 1);
        assert_int_equal(histogram.sum, ROWS[i].duration_us);
        lf_metrics_destroy(metrics);
    }
}

static void
test_routes_are_apart(void **state)
{
    struct lf_metrics *metrics = make(ROUTES);
    struct lf_histogram histogram;
    struct statuses statuses;

    (void)state;
    for (size_t route = 0; route <= ROUTES; route++) {
        for (size_t i = 0; i <= route; i++)
            lf_metrics_request(metrics, route, 200 + (int)route, 1000 * (int64_t)(route + 1));
    }
    lf_metrics_request(metrics, ROUTES + 7, 404, 0); /* no such route: as one that was not found */
    lf_metrics_request(metrics, SIZE_MAX, 0, 0);
    for (size_t route = 0; route < ROUTES; route++) {
        statuses = statuses_of(metrics, route);
        lf_metrics_durations(metrics, route, &histogram);
        assert_int_equal(statuses.lines, 1);
        assert_int_equal(statuses.counts[200 + route], route + 1);
        assert_int_equal(histogram.count, route + 1);
        assert_int_equal(histogram.sum, 1000 * (route + 1) * (route + 1));
    }
    statuses = statuses_of(metrics, ROUTES);
    assert_int_equal(statuses.lines, 3);
    assert_int_equal(statuses.counts[200 + ROUTES], ROUTES + 1);
    assert_int_equal(statuses.counts[404], 1);
    assert_int_equal(statuses.counts[0], 1);
    lf_metrics_destroy(metrics);
}

/* More statuses than there is room for: none is lost, and those that came first keep their own line. */
static void
test_many_statuses(void **state)
{
    struct lf_metrics *metrics = make(0);
    struct statuses statuses;
    int64_t sum = 0;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int status = 200; status < 300; status++)
            lf_metrics_request(metrics, 0, status, 1);
    }
    statuses = statuses_of(metrics, 0);
    for (int status = 0; status < STATUS_MAX; status++)
        sum += statuses.counts[status];
    assert_int_equal(sum, 300);
    assert_true(statuses.lines >= 40);
    for (int status = 200; status < 240; status++)
        assert_int_equal(statuses.counts[status], 3);
    assert_true(statuses.counts[0] > 0);
    lf_metrics_destroy(metrics);
}

static void
test_commits(void **state)
{
    static const struct {
        size_t scores;
        int bucket; /* -1: above all */
    } ROWS[] = {{1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {1024, 10}, {1025, -1}, {100000, -1}};
    struct lf_metrics *metrics = make(ROUTES);
    struct lf_histogram sizes, durations;
    int64_t expected[LF_SIZE_BUCKETS] = {0}, sum = 0;

    (void)state;
    lf_metrics_commit(NULL, 1, 1); /* nobody counts */
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        lf_metrics_commit(metrics, ROWS[i].scores, 700);
        if (ROWS[i].bucket >= 0)
            expected[ROWS[i].bucket]++;
        sum += (int64_t)ROWS[i].scores;
    }
    lf_metrics_commits(metrics, &sizes, &durations);
    for (int i = 0; i < LF_SIZE_BUCKETS; i++)
        assert_int_equal(sizes.buckets[i], expected[i]);
    assert_int_equal(sizes.count, sizeof ROWS / sizeof ROWS[0]);
    assert_int_equal(sizes.sum, sum);
    assert_int_equal(durations.buckets[3], sizeof ROWS / sizeof ROWS[0]); /* 0.5 ms to 1 ms */
    assert_int_equal(durations.count, sizes.count);
    assert_int_equal(durations.sum, 700 * durations.count);
    lf_metrics_destroy(metrics);
}

/* Each kind and each result is counted by itself. */
static void
test_webhooks(void **state)
{
    struct lf_metrics *metrics = make(ROUTES);

    (void)state;
    for (int kind = 0; kind < LF_CRM_COUNT; kind++)
        for (int result = 0; result < LF_WEBHOOK_RESULT_COUNT; result++)
            for (int times = 0; times < kind * 10 + result; times++)
                lf_metrics_webhook(metrics, (enum lf_crm)kind, (enum lf_webhook_result)result);
    for (int kind = 0; kind < LF_CRM_COUNT; kind++)
        for (int result = 0; result < LF_WEBHOOK_RESULT_COUNT; result++)
            assert_int_equal(lf_metrics_webhooks(metrics, (enum lf_crm)kind, (enum lf_webhook_result)result),
                             kind * 10 + result);
    lf_metrics_destroy(metrics);
}

static void
test_nothing(void **state)
{
    struct lf_metrics *metrics = make(0);
    struct lf_histogram sizes, durations;

    (void)state;
    assert_int_equal(statuses_of(metrics, 0).lines, 0);
    lf_metrics_durations(metrics, 0, &durations);
    assert_int_equal(durations.count, 0);
    lf_metrics_commits(metrics, &sizes, &durations);
    assert_int_equal(sizes.count + sizes.sum + durations.count + durations.sum, 0);
    lf_metrics_destroy(metrics);
    lf_metrics_destroy(NULL);
}

/* ---- threads ---- */

enum { COUNTERS = 8, ROUNDS = 20000 };

static const int STATUSES[] = {200, 200, 200, 404, 422, 503, 0};
enum { STATUS_COUNT = sizeof STATUSES / sizeof STATUSES[0] };

struct crowd {
    struct lf_metrics *metrics;
    _Atomic bool done;
};

static void *
count_requests(void *argument)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < ROUNDS; i++) {
        lf_metrics_request(crowd->metrics, (size_t)i % (ROUTES + 1), STATUSES[i % STATUS_COUNT], i % 2000);
        lf_metrics_commit(crowd->metrics, (size_t)(i % 1500) + 1, i % 3000);
    }
    return NULL;
}

/* What is read while others count never goes back, and a histogram's count is that of its buckets. */
static void *
read_along(void *argument)
{
    struct crowd *crowd = argument;
    int64_t last_requests = 0, last_commits = 0;

    while (!atomic_load(&crowd->done)) {
        struct lf_histogram histogram, sizes, durations;
        int64_t in_buckets = 0;

        lf_metrics_durations(crowd->metrics, 0, &histogram);
        for (int i = 0; i < LF_DURATION_BUCKETS; i++)
            in_buckets += histogram.buckets[i];
        lf_metrics_commits(crowd->metrics, &sizes, &durations);
        if (in_buckets != histogram.count || histogram.count < last_requests || sizes.count < last_commits ||
            statuses_of(crowd->metrics, 1).lines > STATUS_COUNT)
            return crowd;
        last_requests = histogram.count;
        last_commits = sizes.count;
    }
    return NULL;
}

static void
test_crowd(void **state)
{
    struct crowd crowd = {.metrics = make(ROUTES)};
    pthread_t counters[COUNTERS], reader;
    struct statuses expected = {.lines = 0}, found = {.lines = 0};
    struct lf_histogram sizes, durations;
    void *fault = NULL;
    int64_t count = 0, sum = 0, expected_sum = 0, expected_scores = 0;

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_along, &crowd), 0);
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_create(&counters[i], NULL, count_requests, &crowd), 0);
    for (int i = 0; i < COUNTERS; i++)
        assert_int_equal(pthread_join(counters[i], NULL), 0);
    atomic_store(&crowd.done, true);
    assert_int_equal(pthread_join(reader, &fault), 0);
    assert_null(fault);

    for (int i = 0; i < ROUNDS; i++) {
        expected.counts[STATUSES[i % STATUS_COUNT]] += COUNTERS;
        expected_sum += COUNTERS * (i % 2000);
        expected_scores += COUNTERS * ((i % 1500) + 1);
    }
    for (size_t route = 0; route <= ROUTES; route++) {
        struct statuses of_route = statuses_of(crowd.metrics, route);
        struct lf_histogram histogram;
        int64_t in_statuses = 0;

        for (int status = 0; status < STATUS_MAX; status++) {
            found.counts[status] += of_route.counts[status];
            in_statuses += of_route.counts[status];
        }
        lf_metrics_durations(crowd.metrics, route, &histogram);
        assert_int_equal(histogram.count, in_statuses);
        count += histogram.count;
        sum += histogram.sum;
    }
    for (int status = 0; status < STATUS_MAX; status++)
        assert_int_equal(found.counts[status], expected.counts[status]);
    assert_int_equal(count, COUNTERS * ROUNDS);
    assert_int_equal(sum, expected_sum);
    lf_metrics_commits(crowd.metrics, &sizes, &durations);
    assert_int_equal(sizes.count, COUNTERS * ROUNDS);
    assert_int_equal(sizes.sum, expected_scores);
    assert_int_equal(durations.count, COUNTERS * ROUNDS);
    lf_metrics_destroy(crowd.metrics);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),        cmocka_unit_test(test_buckets), cmocka_unit_test(test_routes_are_apart),
        cmocka_unit_test(test_many_statuses), cmocka_unit_test(test_commits), cmocka_unit_test(test_webhooks),
        cmocka_unit_test(test_nothing),       cmocka_unit_test(test_crowd),
    };

    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
