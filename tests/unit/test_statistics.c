/*
 * test_statistics.c - the formulas: published values, values computed by decimal arithmetic of forty places, and the
 * definitions themselves over random counts.
 */
#include "core/statistics.h"

#include "support.h"

#include <math.h>

static void
assert_close(double value, double expected, double within, const char *why)
{
    if (!(fabs(value - expected) <= within))
        fail_msg("%s: %.15g, not %.15g", why, value, expected);
}

/* ---- percentiles ---- */

static const struct {
    const char *why;
    struct {
        int bin;
        int64_t count;
    } bins[4];
    int percent, value; /* hundredths */
} PERCENTILES[] = {
    {"none", {{0, 0}}, 50, 0},
    {"one score: the middle of its bin", {{40, 1}}, 50, 4050},
    {"one score: the bin's lower edge", {{40, 1}}, 0, 4000},
    {"one score: the bin's upper edge", {{40, 1}}, 100, 4100},
    {"a tenth into the bin", {{0, 1000}}, 10, 10},
    {"100 is in the last bin", {{99, 5}}, 100, 10000},
    {"a third more than 4.01: down", {{3, 1}, {4, 3}}, 26, 401},
    {"a third less than 4.03: up", {{3, 1}, {4, 3}}, 27, 403},
    {"4.025 exactly: up", {{3, 3}, {4, 2}}, 61, 403},
    {"a bin's edge: the lower of two that fit", {{10, 5}, {20, 5}}, 50, 1100},
    {"just over it", {{10, 50}, {20, 50}}, 51, 2002},
    {"skewed", {{10, 90}, {80, 10}}, 90, 1100},
    {"the tenth that is high", {{10, 90}, {80, 10}}, 95, 8050},
    {"beyond what 64 bits could multiply", {{10, INT64_C(1) << 60}, {11, INT64_C(1) << 60}}, 75, 1150},
};

static void
test_percentile(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PERCENTILES / sizeof *PERCENTILES; i++) {
        int64_t bins[100] = {0};
        int value = 0;

        for (int b = 0; b < 4; b++)
            bins[PERCENTILES[i].bins[b].bin] += PERCENTILES[i].bins[b].count;
        value = lf_percentile(bins, 100, PERCENTILES[i].percent);
        if (value != PERCENTILES[i].value)
            fail_msg("%s: %d", PERCENTILES[i].why, value);
    }
    assert_int_equal(lf_percentile(NULL, 0, 50), 0);
}

/* How many counts lie below a score, those of a bin evenly spread. */
static double
below(const int64_t *bins, double score)
{
    double sum = 0;

    for (int i = 0; i < 100; i++) {
        double within = score <= i ? 0 : score >= i + 1 ? 1 : score - i;
        sum += within * (double)bins[i];
    }
    return sum;
}

static void
test_percentile_definition(void **state)
{
    struct support_random random = {12};

    (void)state;
    for (int turn = 0; turn < 3000; turn++) {
        int64_t bins[100] = {0}, sum = 0;
        int percent = (int)support_random(&random, 101), value = 0, previous = 0;
        double low = 0, high = 100;

        for (uint32_t n = 1 + support_random(&random, 40); n > 0; n--)
            bins[support_random(&random, turn % 2 == 0 ? 100 : 7)] += support_random(&random, 50);
        for (int i = 0; i < 100; i++)
            sum += bins[i];
        if (sum == 0)
            continue;
        value = lf_percentile(bins, 100, percent);
        for (int step = 0; step < 60; step++) { /* the least score with as many below it */
            double middle = (low + high) / 2;
            if (below(bins, middle) >= (double)percent * (double)sum / 100 - 1e-9)
                high = middle;
            else
                low = middle;
        }
        if (percent > 0)
            assert_close(value / 100.0, high, 0.005 + 1e-6, "percentile");
        for (int p = 0; p <= 100; p++) { /* they ascend */
            int next = lf_percentile(bins, 100, p);
            assert_true(next >= previous && next <= 10000);
            previous = next;
        }
    }
}

/* ---- drift ---- */

static const struct {
    const char *why;
    int64_t baseline[5], window[5];
    size_t count;
    double psi;
    enum lf_drift_level level;
} PSIS[] = {
    {"the same", {100, 200, 300}, {100, 200, 300}, 3, 0, LF_DRIFT_STABLE},
    {"the same shares of fewer: the halves alone",
     {1000, 2000, 3000},
     {100, 200, 300},
     3,
     0.000001117815283,
     LF_DRIFT_STABLE},
    {"turned round", {10, 20, 30, 40}, {40, 30, 20, 10}, 4, 0.871976852610990, LF_DRIFT_SHIFTED},
    {"nothing in common", {100, 0}, {0, 100}, 2, 10.501593877344704, LF_DRIFT_SHIFTED},
    {"one bin", {1}, {5}, 1, 0, LF_DRIFT_STABLE},
    {"to be watched", {500, 300, 200}, {300, 300, 400}, 3, 0.240051795215537, LF_DRIFT_WATCH},
    {"very many",
     {1000000000000000, 1000000000000000},
     {1000000000000000, 2000000000000000},
     2,
     0.115524530093324,
     LF_DRIFT_WATCH},
    {"no baseline", {0, 0, 0}, {1, 2, 3}, 3, 0, LF_DRIFT_STABLE},
    {"no window", {1, 2, 3}, {0, 0, 0}, 3, 0, LF_DRIFT_STABLE},
};

static void
test_psi(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PSIS / sizeof *PSIS; i++) {
        double psi = lf_psi(PSIS[i].baseline, PSIS[i].window, PSIS[i].count);

        assert_close(psi, PSIS[i].psi, 1e-13, PSIS[i].why);
        assert_close(lf_psi(PSIS[i].window, PSIS[i].baseline, PSIS[i].count), psi, 1e-13, "it has no direction");
        assert_int_equal(lf_drift_level(psi), PSIS[i].level);
    }
    assert_int_equal(lf_drift_level(0.0999999), LF_DRIFT_STABLE);
    assert_int_equal(lf_drift_level(0.1), LF_DRIFT_WATCH);
    assert_int_equal(lf_drift_level(0.25), LF_DRIFT_WATCH);
    assert_int_equal(lf_drift_level(0.2500001), LF_DRIFT_SHIFTED);
    assert_string_equal(lf_drift_word(LF_DRIFT_STABLE), "stable");
    assert_string_equal(lf_drift_word(LF_DRIFT_WATCH), "watch");
    assert_string_equal(lf_drift_word(LF_DRIFT_SHIFTED), "shifted");
}

/* Chi-square values of a thousandth from the tables (Abramowitz and Stegun 26.8), which the approximation meets within
 * 3 %. */
static void
test_psi_by_chance(void **state)
{
    static const struct {
        size_t bins;
        double chi_square;
    } ROWS[] = {{3, 13.816}, {4, 16.266}, {6, 20.515}, {11, 29.588}, {20, 43.820}, {31, 59.703}};
    int64_t baseline[31] = {1000}, window[31] = {0, 100}, none[31] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        double expected = ROWS[i].chi_square * (1 / 1000.0 + 1 / 100.0);

        assert_close(lf_psi_by_chance(baseline, window, ROWS[i].bins), expected, 0.03 * expected, "a thousandth");
    }
    assert_true(lf_psi_by_chance(none, window, 5) == 0);
    assert_true(lf_psi_by_chance(baseline, none, 5) == 0);
    assert_true(lf_psi_by_chance(baseline, window, 1) == 0);
}

/* ---- shares ---- */

static const struct {
    int64_t won, trials;
    double low, high;
} INTERVALS[] = {
    /* Newcombe 1998, table I, method 3: .2553-.3662, .0624-.1605, 0-.1611, .0061-.1718 */
    {81, 263, 25.528851987827, 36.620957698280},
    {15, 148, 6.238639953074, 16.048724172331},
    {0, 20, 0, 16.112515805282},
    {1, 29, 0.611321429276, 17.175521879320},
    /* computed */
    {20, 20, 83.887484194718, 100},
    {1, 2, 9.453120573423, 90.546879426577},
    {1, 1, 20.654931437724, 100},
    {5, 10, 23.659309051256, 76.340690948744},
    {1000000000, 3000000000, 33.331646486260, 33.335020223090},
    {0, 0, 0, 0},
};

static void
test_wilson(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof INTERVALS / sizeof *INTERVALS; i++) {
        struct lf_interval interval = lf_wilson(INTERVALS[i].won, INTERVALS[i].trials);
        struct lf_interval turned = lf_wilson(INTERVALS[i].trials - INTERVALS[i].won, INTERVALS[i].trials);

        assert_close(interval.low, INTERVALS[i].low, 1e-10, "low");
        assert_close(interval.high, INTERVALS[i].high, 1e-10, "high");
        if (INTERVALS[i].trials > 0) {
            assert_close(turned.low, 100 - interval.high, 1e-10, "what is lost is what is not won");
            assert_close(turned.high, 100 - interval.low, 1e-10, "what is lost is what is not won");
        }
    }
}

/* The bounds are the shares from which what was seen is just 1.96 standard errors away; it is never beyond 0..100. */
static void
test_wilson_definition(void **state)
{
    (void)state;
    for (int64_t n = 1; n <= 60; n++)
        for (int64_t won = 0; won <= n; won++) {
            struct lf_interval interval = lf_wilson(won, n);
            double share = (double)won / (double)n, bounds[2] = {interval.low / 100, interval.high / 100};

            assert_true(interval.low >= 0 && interval.high <= 100);
            assert_true(bounds[0] <= share && share <= bounds[1]);
            for (int side = 0; side < 2; side++) {
                double error = sqrt(bounds[side] * (1 - bounds[side]) / (double)n);
                if ((side == 0 ? won : n - won) > 0)
                    assert_close(fabs(share - bounds[side]), 1.959963984540054 * error, 1e-9, "a bound");
            }
        }
}

/* ---- won and lost ---- */

/* CT images rated 1 to 5, with disease and without: Hanley and McNeil 1982, table I; area 0.893. */
static const struct lf_win_score HANLEY[] = {
    {1, {3, 33}}, {2, {2, 6}}, {3, {2, 6}}, {4, {11, 11}}, {5, {33, 2}},
};

static const struct {
    const char *why;
    struct lf_win_score scores[4];
    size_t count;
    double auc, ks;
} CURVES[] = {
    {"nothing", {{0, {0, 0}}}, 0, 0, 0},
    {"nobody lost", {{5, {1, 0}}, {6, {1, 0}}}, 2, 0, 0},
    {"nobody won", {{5, {0, 1}}, {6, {0, 1}}}, 2, 0, 0},
    {"parted", {{1, {0, 9}}, {2, {4, 0}}}, 2, 1, 1},
    {"parted the wrong way round", {{1, {4, 0}}, {2, {0, 9}}}, 2, 0, 1},
    {"all the same", {{5000, {3, 8}}}, 1, 0.5, 0},
    {"one tie among four pairs", {{1, {0, 1}}, {2, {1, 1}}, {3, {1, 0}}}, 3, 0.875, 0.5},
    {"very many",
     {{1, {0, INT64_C(1) << 60}}, {2, {INT64_C(1) << 59, INT64_C(1) << 60}}, {3, {INT64_C(1) << 59, 0}}},
     3,
     0.875,
     0.5},
};

static void
test_curves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CURVES / sizeof *CURVES; i++) {
        assert_close(lf_auc(CURVES[i].scores, CURVES[i].count), CURVES[i].auc, 0, CURVES[i].why);
        assert_close(lf_ks(CURVES[i].scores, CURVES[i].count), CURVES[i].ks, 0, CURVES[i].why);
    }
    assert_close(lf_auc(HANLEY, 5), 0.8931710615280595, 1e-15, "Hanley and McNeil");
    assert_close(lf_ks(HANLEY, 5), 0.6386071670047330, 1e-15, "Hanley and McNeil");
}

/* Pair by pair, and point by point. */
static void
test_curve_definitions(void **state)
{
    struct support_random random = {77};

    (void)state;
    for (int turn = 0; turn < 400; turn++) {
        struct lf_win_score scores[100] = {{0, {0, 0}}};
        int won[300], lost[300], score = 0;
        size_t count = 1 + support_random(&random, 30), won_count = 0, lost_count = 0;
        double pairs = 0, greatest = 0;

        for (size_t i = 0; i < count; i++) {
            score += 1 + (int)support_random(&random, 9);
            scores[i] = (struct lf_win_score){score, {support_random(&random, 5), support_random(&random, 4)}};
            for (int64_t n = 0; n < scores[i].cell.won; n++)
                won[won_count++] = score;
            for (int64_t n = 0; n < scores[i].cell.lost; n++)
                lost[lost_count++] = score;
        }
        if (won_count == 0 || lost_count == 0)
            continue;
        for (size_t w = 0; w < won_count; w++)
            for (size_t l = 0; l < lost_count; l++)
                pairs += won[w] > lost[l] ? 1 : won[w] == lost[l] ? 0.5 : 0;
        for (int cut = 0; cut <= score; cut++) {
            double w = 0, l = 0;

            for (size_t i = 0; i < won_count; i++)
                w += won[i] <= cut ? 1 : 0;
            for (size_t i = 0; i < lost_count; i++)
                l += lost[i] <= cut ? 1 : 0;
            greatest = fmax(greatest, fabs(w / (double)won_count - l / (double)lost_count));
        }
        assert_close(lf_auc(scores, count), pairs / ((double)won_count * (double)lost_count), 1e-14, "area");
        assert_close(lf_ks(scores, count), greatest, 1e-14, "distance");
    }
}

static const struct {
    const char *why;
    struct lf_win_cell cells[3];
    size_t count;
    double woe[3], value;
    const char *strength;
} EVIDENCE[] = {
    {"a rule that parts",
     {{10, 90}, {30, 70}, {60, 40}},
     3,
     {-1.468244010637507, -0.152155443299961, 1.087071973829198},
     0.944527066776519,
     "strong"},
    {"never the other one", {{5, 0}, {0, 5}}, 2, {2.397895272798371, -2.397895272798371}, 3.996492121330618, "strong"},
    {"one cell", {{7, 3}}, 1, {0}, 0, "none"},
    {"nothing to tell", {{20, 20}, {30, 30}}, 2, {0, 0}, 0, "none"},
    {"a cell that nobody met",
     {{0, 0}, {3, 1}, {1, 3}},
     3,
     {0, 0.847297860387204, -0.847297860387204},
     0.616216625736148,
     "strong"},
    {"nothing won", {{0, 9}, {0, 1}}, 2, {0, 0}, 0, "none"},
    {"nothing lost", {{9, 0}, {1, 0}}, 2, {0, 0}, 0, "none"},
    {"nothing", {{0, 0}}, 1, {0}, 0, "none"},
};

static void
test_weight_of_evidence(void **state)
{
    static const struct {
        double value;
        const char *word;
    } WORDS[] = {{0, "none"},     {0.0199999, "none"},   {0.02, "weak"},  {0.0999999, "weak"},
                 {0.1, "medium"}, {0.2999999, "medium"}, {0.3, "strong"}, {9, "strong"}};

    (void)state;
    for (size_t i = 0; i < sizeof EVIDENCE / sizeof *EVIDENCE; i++) {
        double woe[3] = {NAN, NAN, NAN}, value = lf_weight_of_evidence(EVIDENCE[i].cells, EVIDENCE[i].count, woe);

        assert_close(value, EVIDENCE[i].value, 1e-13, EVIDENCE[i].why);
        for (size_t c = 0; c < EVIDENCE[i].count; c++)
            assert_close(woe[c], EVIDENCE[i].woe[c], 1e-13, EVIDENCE[i].why);
        assert_string_equal(lf_strength_word(value), EVIDENCE[i].strength);
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        assert_string_equal(lf_strength_word(WORDS[i].value), WORDS[i].word);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentile),
        cmocka_unit_test(test_percentile_definition),
        cmocka_unit_test(test_psi),
        cmocka_unit_test(test_psi_by_chance),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_wilson_definition),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_curve_definitions),
        cmocka_unit_test(test_weight_of_evidence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
