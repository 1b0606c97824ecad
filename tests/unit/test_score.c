/*
 * test_score.c - the arithmetic on an outcome: rounding, clamping, caps, coverage, range, steps, order, comparison.
 *
 * Outcomes are made by hand, so that each row shows its numbers.
 */
#include "core/score.h"

#include "support.h"

/* ---- percentages ---- */

static const struct {
    int64_t part, whole;
    int percent;
    const char *why;
} PERCENTS[] = {
    {0, 0, 0, "nothing to divide by"},
    {5, 0, 0, "nothing to divide by, though there are points"},
    {-1, 10, 0, "never below 0"},
    {11, 10, 10000, "never above 100"},
    {10, 10, 10000, "all of it"},
    {1, 3, 3333, "a third: down"},
    {2, 3, 6667, "two thirds: up"},
    {1, 20000, 1, "0.005 exactly: up"},
    {3, 20000, 2, "0.015 exactly: up"},
    {2469, 20000, 1235, "12.345 exactly: up"},
    {19999, 20000, 10000, "99.995 exactly: up to 100"},
    {49999, 1000000000, 0, "just below 0.005"},
    {50000, 1000000000, 1, "0.005"},
    {INT64_C(199999999999), INT64_C(200000000000), 10000, "the greatest sums there are"},
    {INT64_C(66666666667), INT64_C(200000000000), 3333, "a third of the greatest"},
};

static void
test_percent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PERCENTS / sizeof *PERCENTS; i++)
        if (lf_percent(PERCENTS[i].part, PERCENTS[i].whole) != PERCENTS[i].percent)
            fail_msg("%s: %d", PERCENTS[i].why, lf_percent(PERCENTS[i].part, PERCENTS[i].whole));
}

static void
test_grades(void **state)
{
    static const struct lf_grade GRADES[] = {{"A", 8000}, {"B", 6000}, {"C", 1}, {"D", 0}};
    static const struct {
        int score;
        size_t grade;
    } ROWS[] = {{10000, 0}, {8000, 0}, {7999, 1}, {6000, 1}, {5999, 2}, {1, 2}, {0, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_int_equal(lf_grade_of(GRADES, 4, ROWS[i].score), ROWS[i].grade);
}

/* ---- outcomes ---- */

/* An attribute's outcome in short: M0 the first rule matched, N no rule matched, U unknown; X the same, skipped. */
static const struct lf_outcome *
outcome_of(struct lf_arena *arena, const struct lf_icp *icp, const char *shorthand)
{
    struct lf_outcome *outcome = lf_arena_calloc(arena, 1, sizeof *outcome);

    assert_non_null(outcome);
    outcome->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *outcome->attributes);
    outcome->disqualifiers = lf_arena_calloc(arena, icp->disqualifier_count + 1, 1);
    assert_non_null(outcome->attributes);
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];
        struct lf_attribute_outcome *o = &outcome->attributes[i];

        *o = (struct lf_attribute_outcome){.rule = LF_NO_RULE, .missing = LF_NO_FIELD};
        if (*shorthand == 'M') {
            o->rule = *++shorthand - '0';
            o->fit = attribute->rules[o->rule].fit;
        } else if (*shorthand == 'N') {
            o->status = LF_ATTRIBUTE_UNMATCHED;
            o->fit = attribute->otherwise;
        } else {
            assert_int_equal(*shorthand, 'U');
            o->status = LF_ATTRIBUTE_UNKNOWN;
            o->missing = (uint32_t)lf_condition_first_leaf(attribute->rules[0].when)->field;
            o->fit = attribute->skip_missing ? 0 : attribute->missing;
        }
        shorthand++;
    }
    return outcome;
}

#define RULE(fit) "{'when':{'field':'f','is':1},'fit':" fit "}"
#define A(key, weight, members, rules) \
    "{'key':'" key "','label':'L','category':'need','weight':" weight "," members "'rules':[" rules "]}"

static const struct row {
    const char *why, *members, *outcome;
    int score, coverage, low, high, engagement; /* hundredths */
    int64_t points, max;                        /* millionths */
    const char *label, *steps;                  /* attribute+gain in millionths, joined by spaces */
} ROWS[] = {
    {"all of it", "'attributes':[" A("a", "3", "", RULE("1")) "," A("b", "7", "", RULE("1")) "]", "M0M0", 10000, 10000,
     10000, 10000, 0, 10000000, 10000000, "A", ""},
    {"nothing", "'attributes':[" A("a", "3", "", RULE("1")) "]", "N", 0, 10000, 0, 0, 0, 0, 3000000, "D", "0+3000000"},
    {"a sixth, rounded up at .005", "'attributes':[" A("a", "1", "", RULE("1")) "," A("b", "5", "", RULE("1")) "]",
     "M0N", 1667, 10000, 1667, 1667, 0, 1000000, 6000000, "D", "1+5000000"},
    {"an eighth of a percent: 0.125 is 0.13", "'attributes':[" A("a", "1", "", RULE("0.00125")) "]", "M0", 13, 10000,
     13, 13, 0, 1250, 1000000, "D", ""},
    {"negative points are clamped", "'attributes':[" A("a", "9", "", RULE("-1")) "," A("b", "1", "", RULE("1")) "]",
     "M0M0", 0, 10000, 0, 0, 0, -8000000, 10000000, "D", ""},
    {"unknown counts as missing says", "'attributes':[" A("a", "10", "'missing':0.25,", RULE("1")) "]", "U", 2500, 0, 0,
     10000, 0, 2500000, 10000000, "D", "0+7500000"},
    {"skipped leaves both sums",
     "'attributes':[" A("a", "10", "'missing':'skip',", RULE("1")) "," A("b", "10", "", RULE("0.5")) "]", "UM0", 5000,
     5000, 2500, 7500, 0, 5000000, 10000000, "C", "0+10000000"},
    {"all skipped: nothing to divide by", "'attributes':[" A("a", "10", "'missing':'skip',", RULE("1")) "]", "U", 0, 0,
     0, 10000, 0, 0, 0, "D", "0+10000000"},
    {"a cap takes points and maximum",
     "'caps':[{'category':'need','max':5}],'attributes':[" A(
         "a", "10", "", RULE("1")) ","
                                   "{'key':'c','label':'L','category':'legal','weight':5,'rules':[" RULE("1") "]}]",
     "M0N", 5000, 10000, 5000, 5000, 0, 5000000, 10000000, "C", "1+5000000"},
    {"a cap does not lift what is negative",
     "'caps':[{'category':'need','max':5}],'attributes':[" A(
         "a", "10", "", RULE("-1")) ","
                                    "{'key':'c','label':'L','category':'legal','weight':15,'rules':[" RULE("1") "]}]",
     "M0M0", 2500, 10000, 2500, 2500, 0, 5000000, 20000000, "D", "0+10000000"},
    {"engagement stands by itself",
     "'attributes':[" A("a", "10", "", RULE("1")) "," A("b", "30", "'axis':'engagement',", RULE("1")) "," A(
         "c", "10", "'axis':'engagement',", RULE("1")) "]",
     "M0NM0", 10000, 10000, 10000, 10000, 2500, 10000000, 10000000, "A3", ""},
    {"the greatest gain first, the smaller weight on a tie",
     "'attributes':[" A("a", "20", "", RULE("0.5")) "," A("b", "10", "", RULE("1")) "," A(
         "c", "15", "", RULE("1")) "," A("d", "10", "", RULE("1")) "]",
     "NNNN", 0, 10000, 0, 0, 0, 0, 55000000, "D", "2+15000000 1+10000000"},
    {"out of reach: no steps", "'attributes':[" A("a", "10", "", RULE("0.3")) "]", "N", 0, 10000, 0, 0, 0, 0, 10000000,
     "D", ""},
};

static const char *
steps_of(struct lf_arena *arena, const struct lf_score *score)
{
    const char *text = "";

    for (size_t i = 0; i < score->step_count; i++)
        text = lf_arena_printf(arena, "%s%s%zu+%lld", text, i > 0 ? " " : "", score->steps[i].attribute,
                               (long long)score->steps[i].gain);
    return text;
}

/* The brief says what the whole score says. */
static void
assert_brief(const struct lf_scorer *scorer, const struct lf_outcome *outcome, const struct lf_score *score)
{
    char label[LF_LABEL_MAX], brief_label[LF_LABEL_MAX];
    struct lf_brief brief;

    lf_score_brief(scorer, outcome, &brief);
    assert_int_equal(brief.score, score->axes[LF_AXIS_FIT].score);
    assert_int_equal(brief.coverage, score->axes[LF_AXIS_FIT].coverage);
    assert_int_equal(brief.engagement, score->axes[LF_AXIS_ENGAGEMENT].score);
    assert_int_equal(brief.grade, score->grade);
    assert_int_equal(brief.level, score->has_engagement ? score->level : 0);
    assert_int_equal(brief.qualified, score->qualified);
    assert_int_equal(brief.has_engagement, score->has_engagement);
    lf_score_label(score, label);
    lf_brief_label(scorer, &brief, brief_label);
    assert_string_equal(brief_label, label);
    assert_string_equal(lf_brief_grade(scorer, &brief), lf_score_grade(score));
}

static void
test_rows(void **state)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *row = &ROWS[i];
        const struct lf_icp *icp = support_icp_with(*state, row->members);
        const struct lf_scorer *scorer = lf_scorer_create(*state, icp);
        struct lf_score score;
        char label[LF_LABEL_MAX];

        print_message("  %s\n", row->why);
        assert_non_null(scorer);
        assert_true(lf_score_outcome(scorer, outcome_of(*state, icp, row->outcome), *state, &score));
        assert_int_equal(score.axes[LF_AXIS_FIT].score, row->score);
        assert_int_equal(score.axes[LF_AXIS_FIT].coverage, row->coverage);
        assert_int_equal(score.axes[LF_AXIS_FIT].points, row->points);
        assert_int_equal(score.axes[LF_AXIS_FIT].max_points, row->max);
        assert_int_equal(score.axes[LF_AXIS_ENGAGEMENT].score, row->engagement);
        assert_int_equal(score.range_min, row->low);
        assert_int_equal(score.range_max, row->high);
        lf_score_label(&score, label);
        assert_string_equal(label, row->label);
        assert_brief(scorer, outcome_of(*state, icp, row->outcome), &score);
        assert_string_equal(steps_of(*state, &score), row->steps);
    }
}

static void
test_disqualified(void **state)
{
    const struct lf_icp *icp =
        support_icp_with(*state, "'attributes':[" A("a", "1", "", RULE("0.7")) "," A(
                                     "e", "1", "'axis':'engagement',",
                                     RULE("1")) "],"
                                                "'disqualifiers':[{'key':'x','reason':'X','when':{'field':'x','is':1}},"
                                                "{'key':'y','reason':'Y','when':{'field':'y','is':1}}]");
    const struct lf_outcome *outcome = outcome_of(*state, icp, "M0M0");
    struct lf_score score;
    char label[LF_LABEL_MAX];

    outcome->disqualifiers[0] = LF_VERDICT_UNKNOWN;
    assert_true(lf_score_outcome(lf_scorer_create(*state, icp), outcome, *state, &score));
    assert_true(score.qualified);
    assert_string_equal(lf_score_grade(&score), "B");
    outcome->disqualifiers[1] = LF_VERDICT_TRUE;
    assert_true(lf_score_outcome(lf_scorer_create(*state, icp), outcome, *state, &score));
    assert_false(score.qualified);
    assert_string_equal(lf_score_grade(&score), "DQ");
    lf_score_label(&score, label);
    assert_string_equal(label, "DQ");
    assert_brief(lf_scorer_create(*state, icp), outcome, &score);
    assert_int_equal(score.axes[LF_AXIS_FIT].score, 7000);
    assert_int_equal(score.step_count, 0);
    outcome->disqualifiers[0] = LF_VERDICT_TRUE; /* one is enough, whichever */
    outcome->disqualifiers[1] = LF_VERDICT_FALSE;
    assert_true(lf_score_outcome(lf_scorer_create(*state, icp), outcome, *state, &score));
    assert_false(score.qualified);
    assert_brief(lf_scorer_create(*state, icp), outcome, &score);
}

/* A fading rule gives anything from 0 to its fit: 0 is in its reach, on either side. */
static void
test_reach(void **state)
{
    static const struct {
        const char *otherwise, *rules;
        int32_t least, greatest;
        int best;
    } REACHES[] = {
        {"0.2", RULE("0.5") "," RULE("1"), 200000, 1000000, 1},
        {"0.5", RULE("0.5"), 500000, 500000, 0},
        {"0.6", RULE("0.5"), 500000, 600000, LF_NO_RULE},
        {"0.2", "{'when':{'field':'f','is':1},'fade':{'field':'d','days':9}}", 0, 1000000, 0},
        {"-0.2", "{'when':{'field':'f','is':1},'fit':-0.5,'fade':{'field':'d','days':9}}", -500000, 0, LF_NO_RULE},
    };

    for (size_t i = 0; i < sizeof REACHES / sizeof *REACHES; i++) {
        const struct lf_icp *icp = support_icp_with(
            *state, lf_arena_printf(*state,
                                    "'attributes':[{'key':'a','label':'L','category':'need','weight':1,'otherwise':%s,"
                                    "'rules':[%s]}]",
                                    REACHES[i].otherwise, REACHES[i].rules));
        const struct lf_scorer *scorer = lf_scorer_create(*state, icp);

        assert_non_null(scorer);
        assert_int_equal(scorer->reach[0].least, REACHES[i].least);
        assert_int_equal(scorer->reach[0].greatest, REACHES[i].greatest);
        assert_int_equal(scorer->reach[0].best_rule, REACHES[i].best);
    }
}

/* The widest unknown one; the earlier on a tie; fit alone. */
static void
test_next_best_field(void **state)
{
    static const struct {
        const char *outcome, *field;
    } ROWS_OF[] = {{"UUUU", "b"}, {"UM0UU", "c"}, {"UM0M0U", "a"}, {"M0M0M0U", ""}};
    const struct lf_icp *icp = support_icp_with(
        *state, "'attributes':["
                "{'key':'a','label':'L','category':'need','weight':10,'rules':[{'when':{'field':'a','is':1}}]},"
                "{'key':'b','label':'L','category':'need','weight':10,'rules':[{'when':{'field':'b','is':1}},"
                "{'when':{'field':'b','is':2},'fit':-1}]},"
                "{'key':'c','label':'L','category':'need','weight':20,'rules':[{'when':{'field':'c','is':1}}]},"
                "{'key':'e','label':'L','category':'need','axis':'engagement','weight':99,"
                "'rules':[{'when':{'field':'e','is':1}}]}]");

    for (size_t i = 0; i < sizeof ROWS_OF / sizeof *ROWS_OF; i++) {
        struct lf_score score;

        assert_true(lf_score_outcome(lf_scorer_create(*state, icp), outcome_of(*state, icp, ROWS_OF[i].outcome), *state,
                                     &score));
        assert_string_equal(score.next_best_field == LF_NO_FIELD ? "" : icp->fields.paths[score.next_best_field],
                            ROWS_OF[i].field);
    }
}

/* Whatever lead it is, under whatever definition. */
static void
test_brief(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS + 1];
    struct support_random random = {41};
    const struct lf_program *program = NULL;
    size_t disqualified = 0, labels = 0;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    icps[SUPPORT_CONFIG_ICPS] = support_icp_with(
        *state, "'caps':[{'category':'need','max':12}],'attributes':[" A(
                    "a", "10", "'missing':'skip',",
                    RULE("1") "," RULE(
                        "-0.5")) "," A("b", "9", "'otherwise':-0.25,",
                                       RULE("0.333333")) "," A("c", "7", "'axis':'engagement',",
                                                               RULE("0.7")) "],'disqualifiers':[{'key':'x','reason':'X'"
                                                                            ",'when':{'field':'f','is':2}}]");
    program = support_program(icps, SUPPORT_CONFIG_ICPS + 1, NULL);
    for (int turn = 0; turn < 300; turn++) {
        struct lf_arena *arena = lf_arena_create(1 << 14, 64 << 20);
        const struct lf_json *lead = support_random_lead(arena, &random, icps, SUPPORT_CONFIG_ICPS + 1);

        for (size_t i = 0; i <= SUPPORT_CONFIG_ICPS; i++) {
            struct support_scored scored = support_score(arena, program, i, lead, "2026-06-01");

            assert_brief(scored.scorer, scored.outcome, &scored.score);
            disqualified += !scored.score.qualified;
            labels += scored.score.has_engagement && scored.score.level > 0;
        }
        lf_arena_destroy(arena);
    }
    assert_true(disqualified > 20 && labels > 20); /* the leads have met these cases */
}

/* ---- order and comparison ---- */

static void
test_reason_order(void **state)
{
    /* Sizes: a 5 (lost 5), b 8, c 8 (negative), d 20 (lost 20), e 2. */
    const struct lf_icp *icp = support_icp_with(
        *state, "'attributes':[" A("a", "10", "", RULE("0.5") "," RULE("1")) "," A("b", "8", "", RULE("1")) "," A(
                    "c", "8", "'otherwise':0,",
                    RULE("-1")) "," A("d", "20", "", RULE("1")) "," A("e", "2", "'axis':'engagement',", RULE("1")) "]");
    const struct lf_outcome *outcome = outcome_of(*state, icp, "M0M0M0NM0");
    const struct lf_scorer *scorer = lf_scorer_create(*state, icp);
    static const size_t EXPECTED[] = {3, 1, 2, 0, 4};
    size_t order[8];

    for (size_t count = 0; count <= 8; count++) {
        size_t found = lf_reason_order(scorer, outcome, order, count);

        assert_int_equal(found, count < 5 ? count : 5);
        for (size_t i = 0; i < found; i++)
            assert_int_equal(order[i], EXPECTED[i]);
    }
}

static void
test_compare(void **state)
{
    static const struct lf_icp FIRST = {.key = "a"}, SECOND = {.key = "b"};
    /* Better ones first. */
    static const struct lf_score ORDER[] = {
        {.icp = &SECOND, .qualified = true, .axes = {{.score = 50, .coverage = 20}}},
        {.icp = &FIRST, .qualified = true, .axes = {{.score = 40, .coverage = 30}}},
        {.icp = &SECOND, .qualified = true, .axes = {{.score = 40, .coverage = 30}}},
        {.icp = &FIRST, .qualified = true, .axes = {{.score = 40, .coverage = 20}}},
        {.icp = &FIRST, .qualified = false, .axes = {{.score = 90, .coverage = 99}}},
    };
    size_t count = sizeof ORDER / sizeof *ORDER;

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            int order = lf_score_compare(&ORDER[i], &ORDER[j]);
            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
        }
}

/* Caps that took something are told, before and after. */
static void
test_caps_taken(void **state)
{
    const struct lf_icp *icp =
        support_icp_with(*state, "'caps':[{'category':'legal','max':1},{'category':'need','max':15}],'attributes':[" A(
                                     "a", "10", "", RULE("1")) "," A("b", "10", "", RULE("0.75")) "]");
    struct lf_score score;

    assert_true(lf_score_outcome(lf_scorer_create(*state, icp), outcome_of(*state, icp, "M0M0"), *state, &score));
    assert_int_equal(score.cap_count, 1);
    assert_int_equal(score.caps[0].before, 17500000);
    assert_int_equal(score.caps[0].cap->max, 15);
    assert_int_equal(score.axes[LF_AXIS_FIT].score, 10000);
    assert_true(lf_score_outcome(lf_scorer_create(*state, icp), outcome_of(*state, icp, "M0N"), *state, &score));
    assert_int_equal(score.cap_count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_percent),      SUPPORT_TEST(test_grades),  SUPPORT_TEST(test_rows),
        SUPPORT_TEST(test_disqualified), SUPPORT_TEST(test_reach),   SUPPORT_TEST(test_next_best_field),
        SUPPORT_TEST(test_reason_order), SUPPORT_TEST(test_compare), SUPPORT_TEST(test_caps_taken),
        SUPPORT_TEST(test_brief),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
