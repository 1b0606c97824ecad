/*
 * test_contribution.c - a score split into what each attribute gave: it adds up, and each part is what the arithmetic
 * says, whatever the weights, fits and caps.
 */
#include "core/contribution.h"

#include "support.h"

#include <math.h>

enum { PARTS_MAX = 200, RANDOM_DEFINITIONS = 3000, LEADS_EACH = 4 };

/* ---- by hand ---- */

/* Each attribute has one rule of the fit given, which has matched: `fit` in millionths. A fit of SKIP is an unknown
 * attribute that is left out. */
enum { SKIP = INT32_MIN };

struct attribute {
    int weight;
    int32_t fit;
    const char *category, *axis;
};

static const struct {
    const char *why;
    struct attribute attributes[5];
    const char *caps;
    int score; /* hundredths */
    int32_t parts[5];
} ROWS[] = {
    {"one attribute gives it all", {{20, 1000000, "need", "fit"}}, "", 10000, {10000}},
    {"by weight", {{30, 1000000, "need", "fit"}, {10, 500000, "need", "fit"}}, "", 8750, {7500, 1250}},
    {"what takes away stands below zero",
     {{30, 1000000, "need", "fit"}, {10, -1000000, "need", "fit"}},
     "",
     5000,
     {7500, -2500}},
    {"thirds: equal remainders, and the first gets the hundredth",
     {{1, 1000000, "need", "fit"}, {1, 1000000, "need", "fit"}, {1, 1000000, "need", "fit"}},
     "",
     10000,
     {3334, 3333, 3333}},
    {"thirds: two of them",
     {{1, 1000000, "need", "fit"}, {1, 0, "need", "fit"}, {1, 1000000, "need", "fit"}},
     "",
     6667,
     {3334, 0, 3333}},
    {"sixths: the largest remainders first",
     {{1, 1000000, "need", "fit"}, {3, 1000000, "need", "fit"}, {2, 1000000, "need", "fit"}},
     "",
     10000,
     {1667, 5000, 3333}},
    {"below zero: rounded down and not towards zero",
     {{1, 1000000, "need", "fit"}, {1, 1000000, "need", "fit"}, {1, -1000000, "need", "fit"}},
     "",
     3333,
     {3333, 3333, -3333}},
    {"half a hundredth counts, for the score is rounded half up", {{10, 50, "need", "fit"}}, "", 1, {1}},
    {"a capped category is cut down in proportion",
     {{30, 1000000, "trigger", "fit"}, {10, 1000000, "trigger", "fit"}, {20, 1000000, "need", "fit"}},
     "'caps':[{'category':'trigger','max':20}]",
     10000,
     {3750, 1250, 5000}},
    {"a cap that is not reached takes nothing, but lowers the maximum",
     {{30, 500000, "trigger", "fit"}, {20, 1000000, "need", "fit"}},
     "'caps':[{'category':'trigger','max':20}]",
     8750,
     {3750, 5000}},
    {"below a cap, too, what takes away stands below zero",
     {{30, 1000000, "trigger", "fit"}, {10, -500000, "trigger", "fit"}, {20, 0, "need", "fit"}},
     "'caps':[{'category':'trigger','max':20}]",
     5000,
     {6000, -1000, 0}},
    {"a cap of the other axis does not count",
     {{30, 1000000, "trigger", "fit"}, {30, 1000000, "trigger", "engagement"}},
     "'caps':[{'category':'trigger','max':20,'axis':'engagement'}]",
     10000,
     {10000, 0}},
    {"held at 0: nothing to pull down", {{10, -1000000, "need", "fit"}, {10, 0, "need", "fit"}}, "", 0, {0, 0}},
    {"held at 0: negative shares count as far as they can pull",
     {{10, 1000000, "need", "fit"}, {20, -1000000, "need", "fit"}, {10, -1000000, "need", "fit"}},
     "",
     0,
     {2500, -1667, -833}},
    {"exactly 0 by itself", {{10, 1000000, "need", "fit"}, {10, -1000000, "need", "fit"}}, "", 0, {5000, -5000}},
    {"a skipped one gives nothing, and the others more",
     {{10, 1000000, "need", "fit"}, {30, SKIP, "need", "fit"}, {10, 0, "need", "fit"}},
     "",
     5000,
     {5000, 0, 0}},
    {"all are skipped: nothing to divide by", {{30, SKIP, "need", "fit"}}, "", 0, {0}},
    {"engagement gives nothing to fit",
     {{10, 500000, "need", "fit"}, {1000, 1000000, "behavioral", "engagement"}},
     "",
     5000,
     {5000, 0}},
};

/* The definition of such attributes; each rule asks a field of its own. */
static const struct lf_icp *
icp_of(struct lf_arena *arena, const struct attribute *attributes, size_t count, const char *caps)
{
    char *text = lf_arena_copy(arena, "'attributes':[", strlen("'attributes':["));

    for (size_t i = 0; i < count; i++) {
        int32_t fit = attributes[i].fit == SKIP ? 1000000 : attributes[i].fit;

        text = lf_arena_printf(arena,
                               "%s%s{'key':'a%zu','label':'A %zu','category':'%s','axis':'%s','weight':%d,"
                               "'missing':'skip','rules':[{'when':{'field':'f%zu','exists':true},'fit':%s%d.%06d}]}",
                               text, i > 0 ? "," : "", i, i, attributes[i].category, attributes[i].axis,
                               attributes[i].weight, i, fit < 0 ? "-" : "", abs(fit) / 1000000, abs(fit) % 1000000);
    }
    return support_icp_with(arena, lf_arena_printf(arena, "%s]%s%s", text, caps[0] != '\0' ? "," : "", caps));
}

/* The outcome in which each rule matched, or was skipped. */
static const struct lf_outcome *
outcome_of(struct lf_arena *arena, const struct lf_icp *icp, const struct attribute *attributes)
{
    struct lf_outcome *outcome = lf_arena_calloc(arena, 1, sizeof *outcome);

    assert_non_null(outcome);
    outcome->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *outcome->attributes);
    outcome->disqualifiers = lf_arena_calloc(arena, 1, 1);
    assert_non_null(outcome->attributes);
    for (size_t i = 0; i < icp->attribute_count; i++) {
        bool skip = attributes[i].fit == SKIP;

        outcome->attributes[i] = (struct lf_attribute_outcome){
            .status = skip ? LF_ATTRIBUTE_UNKNOWN : LF_ATTRIBUTE_MATCHED,
            .rule = skip ? LF_NO_RULE : 0,
            .fit = skip ? 0 : attributes[i].fit,
            .missing = LF_NO_FIELD,
        };
    }
    return outcome;
}

static void
test_by_hand(void **state)
{
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        struct lf_arena *arena = *state;
        const struct lf_scorer *scorer = NULL;
        struct lf_score score;
        int32_t parts[5];
        size_t count = 0;

        while (count < 5 && ROWS[r].attributes[count].weight > 0)
            count++;
        scorer = lf_scorer_create(arena, icp_of(arena, ROWS[r].attributes, count, ROWS[r].caps));
        assert_non_null(scorer);
        const struct lf_outcome *outcome = outcome_of(arena, scorer->icp, ROWS[r].attributes);
        assert_true(lf_score_outcome(scorer, outcome, arena, &score));
        if (score.axes[LF_AXIS_FIT].score != ROWS[r].score)
            fail_msg("%s: a score of %d", ROWS[r].why, score.axes[LF_AXIS_FIT].score);
        assert_true(lf_contributions(arena, scorer, outcome, &score, parts));
        for (size_t i = 0; i < count; i++)
            if (parts[i] != ROWS[r].parts[i])
                fail_msg("%s: attribute %zu gives %d", ROWS[r].why, i, parts[i]);
    }
}

/* ---- by chance ---- */

/* The exact shares, in hundredths, in long doubles: 64 bits are enough to tell anything but a tie. */
static void
exact_shares(const struct lf_scorer *scorer, const struct lf_outcome *outcome, long double *shares)
{
    const struct lf_icp *icp = scorer->icp;
    long double points[LF_CATEGORY_COUNT] = {0}, max[LF_CATEGORY_COUNT] = {0}, whole = 0, above = 0, below = 0;

    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *a = &icp->attributes[i];

        if (a->axis != LF_AXIS_FIT)
            continue;
        points[a->category] += (long double)a->weight * outcome->attributes[i].fit;
        if (outcome->attributes[i].status != LF_ATTRIBUTE_UNKNOWN)
            max[a->category] += (long double)a->weight * 1000000;
    }
    for (int c = 0; c < LF_CATEGORY_COUNT; c++) {
        int64_t cap = scorer->cap[LF_AXIS_FIT][c];

        whole += max[c] > (long double)cap ? (long double)cap : max[c];
    }
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *a = &icp->attributes[i];
        long double cap = (long double)scorer->cap[LF_AXIS_FIT][a->category];

        shares[i] = 0;
        if (a->axis != LF_AXIS_FIT || whole <= 0)
            continue;
        shares[i] = (long double)a->weight * outcome->attributes[i].fit;
        if (points[a->category] > cap)
            shares[i] *= cap / points[a->category];
        *(shares[i] > 0 ? &above : &below) += shares[i];
    }
    for (size_t i = 0; i < icp->attribute_count && whole > 0; i++) {
        if (shares[i] < 0 && above + below < 0)
            shares[i] *= above / -below;
        shares[i] *= 10000 / whole;
    }
}

/* The definition's number of decimal places is that of a fit: a cap shifts a share by less than a millionth of a point,
 * which is this much at most of the score of a maximum of one point. */
#define TOLERANCE 0.021L

static void
check_parts(const struct lf_icp *icp, const int32_t *parts, const long double *shares, int score, bool capped)
{
    long double tolerance = capped ? TOLERANCE : 1e-6L;
    int64_t sum = 0;

    for (size_t i = 0; i < icp->attribute_count; i++) {
        sum += parts[i];
        if (icp->attributes[i].axis != LF_AXIS_FIT || fabsl(shares[i]) < 1e-12L)
            assert_int_equal(parts[i], 0);
        if (fabsl((long double)parts[i] - shares[i]) >= 1 + tolerance)
            fail_msg("attribute %zu: %d for %Lf", i, parts[i], shares[i]);
    }
    assert_int_equal(sum, score);
    /* The largest remainders: nobody was rounded down while a smaller remainder was rounded up. */
    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t j = 0; j < icp->attribute_count; j++) {
            long double x = shares[i] - floorl(shares[i]), y = shares[j] - floorl(shares[j]);
            bool near = x < tolerance || y < tolerance || x > 1 - tolerance || y > 1 - tolerance;

            if (!near && x > y + 2 * tolerance && (long double)parts[i] < shares[i] &&
                (long double)parts[j] > shares[j])
                fail_msg("of %Lf and %Lf the second got the hundredth", shares[i], shares[j]);
        }
}

/* A fit of any kind: the ends, the middle, odd millionths, and now and then a skip. */
static int32_t
random_fit(struct support_random *random)
{
    switch (support_random(random, 8)) {
    case 0:
        return 1000000;
    case 1:
        return -1000000;
    case 2:
        return 0;
    case 3:
        return SKIP;
    case 4:
        return (int32_t)support_random(random, 3) - 1;
    default:
        return (int32_t)support_random(random, 2000001) - 1000000;
    }
}

static void
test_by_chance(void **state)
{
    static const char *const CATEGORIES[] = {"need", "trigger", "firmographic"}, *const CAPPED[] = {"need", "trigger"};
    struct support_random random = {7};
    size_t at_zero = 0, capped_ones = 0, pulled = 0;

    (void)state;
    for (int d = 0; d < RANDOM_DEFINITIONS; d++) {
        struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 24);
        struct attribute attributes[PARTS_MAX];
        size_t count = 1 + support_random(&random, d % 100 == 0 ? PARTS_MAX : 8);
        bool large = support_random(&random, 4) == 0;
        const char *caps = "";
        size_t cap_count = support_random(&random, 3);

        assert_non_null(arena);
        for (size_t i = 0; i < count; i++)
            attributes[i] = (struct attribute){
                .weight = 1 + (int)support_random(&random, large ? 1000 : 20),
                .fit = random_fit(&random),
                .category = CATEGORIES[support_random(&random, 3)],
                .axis = support_random(&random, 8) == 0 ? "engagement" : "fit",
            };
        for (size_t c = 0; c < cap_count; c++)
            caps = lf_arena_printf(arena, "%s%s{'category':'%s','max':%u}", caps, c > 0 ? "," : "", CAPPED[c],
                                   1 + support_random(&random, large ? 3000 : 40));
        const struct lf_scorer *scorer = lf_scorer_create(
            arena, icp_of(arena, attributes, count, cap_count > 0 ? lf_arena_printf(arena, "'caps':[%s]", caps) : ""));
        assert_non_null(scorer);
        for (int l = 0; l < LEADS_EACH; l++) {
            long double shares[PARTS_MAX];
            int32_t parts[PARTS_MAX];
            struct lf_score score;

            for (size_t i = 0; i < count; i++)
                attributes[i].fit = random_fit(&random);
            const struct lf_outcome *outcome = outcome_of(arena, scorer->icp, attributes);
            assert_true(lf_score_outcome(scorer, outcome, arena, &score));
            assert_true(lf_contributions(arena, scorer, outcome, &score, parts));
            exact_shares(scorer, outcome, shares);
            check_parts(scorer->icp, parts, shares, score.axes[LF_AXIS_FIT].score, score.cap_count > 0);
            at_zero += score.axes[LF_AXIS_FIT].score == 0;
            pulled += score.axes[LF_AXIS_FIT].points < 0;
            capped_ones += score.cap_count > 0;
        }
        lf_arena_destroy(arena);
    }
    assert_true(at_zero > 100 && pulled > 100 && capped_ones > 100);
}

/* The largest numbers there are, with each cap and each way of rounding: nothing overflows. */
static void
test_greatest(void **state)
{
    struct attribute attributes[PARTS_MAX];
    struct lf_arena *arena = *state;

    for (int kind = 0; kind < 3; kind++) {
        struct lf_score score;
        int32_t parts[PARTS_MAX];
        int64_t sum = 0;

        for (size_t i = 0; i < PARTS_MAX; i++)
            attributes[i] = (struct attribute){1000,
                                               kind == 0 || i < 99 ? 999999
                                               : kind == 1         ? -999998
                                                                   : -1000000,
                                               i % 2 == 0 ? "need" : "trigger", "fit"};
        const struct lf_scorer *scorer = lf_scorer_create(
            arena, icp_of(arena, attributes, PARTS_MAX,
                          "'caps':[{'category':'need','max':99998},{'category':'trigger','max':1000000}]"));
        const struct lf_outcome *outcome = outcome_of(arena, scorer->icp, attributes);
        assert_true(lf_score_outcome(scorer, outcome, arena, &score));
        assert_true(lf_contributions(arena, scorer, outcome, &score, parts));
        for (size_t i = 0; i < PARTS_MAX; i++)
            sum += parts[i];
        assert_int_equal(sum, score.axes[LF_AXIS_FIT].score);
    }
}

static void
test_out_of_memory(void **state)
{
    static const struct attribute ATTRIBUTES[] = {{10, 1000000, "need", "fit"}};
    struct lf_arena *arena = *state, *small = lf_arena_create(16, 16);
    const struct lf_scorer *scorer = lf_scorer_create(arena, icp_of(arena, ATTRIBUTES, 1, ""));
    const struct lf_outcome *outcome = outcome_of(arena, scorer->icp, ATTRIBUTES);
    struct lf_score score;
    int32_t part = 0;

    assert_non_null(small);
    assert_true(lf_score_outcome(scorer, outcome, arena, &score));
    assert_false(lf_contributions(small, scorer, outcome, &score, &part));
    lf_arena_destroy(small);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_by_hand),
        SUPPORT_TEST(test_by_chance),
        SUPPORT_TEST(test_greatest),
        SUPPORT_TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
