/*
 * test_shift.c - since when a share has been greater: rows a person can judge, and likelihoods by the long way.
 */
#include "core/shift.h"

#include "support.h"

#include <math.h>

enum { NONE = -1 };

static const struct {
    const char *why;
    int64_t missing[10], known[10];
    size_t count;
    int day; /* or NONE */
} ROWS[] = {
    {"no days", {0}, {0}, 0, NONE},
    {"one day", {50}, {100}, 1, NONE},
    {"two days, none and all", {0, 50}, {50, 50}, 2, 1},
    {"from the fourth day on", {4, 3, 5, 60, 62, 61}, {100, 100, 100, 100, 100, 100}, 6, 3},
    {"the last day alone", {4, 3, 5, 4, 3, 61}, {100, 100, 100, 100, 100, 100}, 6, 5},
    {"the second day already", {4, 61, 60, 62, 59, 61}, {100, 100, 100, 100, 100, 100}, 6, 1},
    {"of days of very different size", {40, 0, 1, 6, 600}, {1000, 3, 20, 10, 1000}, 5, 3},
    {"it rose, and rose further: where it rose most", {0, 20, 90, 90}, {100, 100, 100, 100}, 4, 2},
    {"two days that divide as well: the earlier", {0, 50, 100}, {100, 100, 100}, 3, 1},
    {"it fell", {60, 62, 61, 4, 3, 5}, {100, 100, 100, 100, 100, 100}, 6, NONE},
    {"it was so all the time", {61, 61, 61, 61}, {100, 100, 100, 100}, 4, NONE},
    {"all the time, to the last", {100, 100, 100}, {100, 100, 100}, 3, NONE},
    {"never", {0, 0, 0}, {100, 100, 100}, 3, NONE},
    {"a little up and down", {61, 58, 63, 60, 64, 62}, {100, 100, 100, 100, 100, 100}, 6, NONE},
    {"a rise of less than ten points, however sure", {500000, 500000, 590000}, {1000000, 1000000, 1000000}, 3, NONE},
    {"a rise of ten points, and sure", {500000, 500000, 600000}, {1000000, 1000000, 1000000}, 3, 2},
    {"a great rise of too few to be sure", {1, 1, 2, 2}, {3, 3, 3, 3}, 4, NONE},
    {"days that say nothing begin nothing", {0, 0, 0, 0, 50, 50}, {50, 50, 0, 0, 50, 50}, 6, 4},
    {"nor do they at the ends", {0, 0, 50, 0}, {0, 50, 50, 0}, 4, 2},
    {"nobody says anything", {0, 0, 0}, {0, 0, 0}, 3, NONE},
    {"only one day says anything", {0, 40, 0}, {0, 50, 0}, 3, NONE},
    {"very many", {0, 0, INT64_C(1) << 58}, {INT64_C(1) << 58, INT64_C(1) << 58, INT64_C(1) << 58}, 3, 2},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t day = 99;
        bool found = lf_shift_find(ROWS[i].missing, ROWS[i].known, ROWS[i].count, &day);

        if (found != (ROWS[i].day != NONE) || day != (found ? (size_t)ROWS[i].day : 99))
            fail_msg("%s: %d, day %zu", ROWS[i].why, found, day);
    }
}

/* The log-likelihood of days that share one share, term by term. */
static double
likelihood(const int64_t *missing, const int64_t *known, size_t from, size_t to)
{
    double m = 0, k = 0, sum = 0;

    for (size_t i = from; i < to; i++) {
        m += (double)missing[i];
        k += (double)known[i];
    }
    for (size_t i = from; i < to; i++) {
        if (missing[i] > 0)
            sum += (double)missing[i] * log(m / k);
        if (known[i] > missing[i])
            sum += (double)(known[i] - missing[i]) * log(1 - m / k);
    }
    return sum;
}

/* No other day divides better; and a planted rise is found, on its day or, where that came out by chance, one that is
 * more likely. */
static void
test_likelihood(void **state)
{
    struct support_random random = {5};
    int found = 0, planted_found = 0;

    (void)state;
    for (int turn = 0; turn < 500; turn++) {
        int64_t missing[40] = {0}, known[40] = {0};
        size_t count = 2 + support_random(&random, 39), planted = 1 + support_random(&random, (uint32_t)count - 1);
        size_t day = 0;

        for (size_t i = 0; i < count; i++) {
            known[i] = support_random(&random, 60);
            for (int64_t n = 0; n < known[i]; n++)
                missing[i] += support_random(&random, 100) < (i < planted ? 10u : 45u) ? 1 : 0;
        }
        if (!lf_shift_find(missing, known, count, &day))
            continue;
        found++;
        planted_found += day == planted;
        assert_true(day > 0 && day < count && known[day] > 0);
        for (size_t i = 1; i < count; i++)
            assert_true(likelihood(missing, known, 0, i) + likelihood(missing, known, i, count) <=
                        likelihood(missing, known, 0, day) + likelihood(missing, known, day, count) + 1e-6);
    }
    assert_true(found > 400 && planted_found > 300);
}

/* Chance alone is hardly ever taken for a rise. */
static void
test_chance(void **state)
{
    struct support_random random = {6};
    int found = 0;

    (void)state;
    for (int turn = 0; turn < 1000; turn++) {
        int64_t missing[30] = {0}, known[30] = {0};
        size_t day = 0;

        for (size_t i = 0; i < 30; i++) {
            known[i] = 5 + support_random(&random, 20);
            for (int64_t n = 0; n < known[i]; n++)
                missing[i] += support_random(&random, 100) < 50 ? 1 : 0;
        }
        found += lf_shift_find(missing, known, 30, &day);
    }
    assert_true(found < 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_likelihood),
        cmocka_unit_test(test_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
