/*
 * test_lint_claims.c - what lint says is true: random definitions, many random leads, and no counterexample.
 *
 * A dead rule never counts, an idle attribute changes no grade, an unreachable grade is never given. The fields take
 * few values, so that the leads meet nearly every case. And lint is not silent for want of trying: it must have said
 * each of these things often.
 */
#include "core/lint.h"

#include "support.h"

#define AS_OF "2026-06-15T12:00:00Z"

enum { DEFINITIONS = 3000, LEADS = 60 };

static uint32_t
draw(struct support_random *random, uint32_t below)
{
    return support_random(random, below);
}

static void
put_leaf(struct lf_buf *buf, struct support_random *random)
{
    static const char *const TEXTS[] = {"a", "b", "ab", "a b", "bc"};
    static const char *const COMPARE[] = {"gt", "gte", "lt", "lte"};
    static const char *const MATCH[] = {"starts_with", "ends_with", "contains", "has_word"};
    static const char *const DAYS[] = {"within_days", "older_than_days", "in_next_days"};

    switch (draw(random, 9)) {
    case 0:
        lf_buf_printf(buf, "{'field':'n','%s':%u}", COMPARE[draw(random, 4)], draw(random, 4));
        return;
    case 1:
        lf_buf_printf(buf, "{'field':'n','between':[%u,%u]}", draw(random, 3), 1 + draw(random, 3));
        return;
    case 2:
        lf_buf_printf(buf, "{'field':'n','in':[%u,%u,'%s']}", draw(random, 4), draw(random, 4), TEXTS[draw(random, 5)]);
        return;
    case 3:
        lf_buf_printf(buf, "{'field':'n','is':%u}", draw(random, 4));
        return;
    case 4:
        lf_buf_printf(buf, "{'field':'t','in':['%s','%s']}", TEXTS[draw(random, 5)], TEXTS[draw(random, 5)]);
        return;
    case 5:
        lf_buf_printf(buf, "{'field':'t','%s':['%s','%s']}", MATCH[draw(random, 4)], TEXTS[draw(random, 5)],
                      TEXTS[draw(random, 5)]);
        return;
    case 6:
        lf_buf_printf(buf, "{'field':'t','has_all':['%s','%s']}", TEXTS[draw(random, 5)], TEXTS[draw(random, 5)]);
        return;
    case 7:
        lf_buf_printf(buf, "{'field':'%s','exists':%s}", draw(random, 2) == 0 ? "n" : "t",
                      draw(random, 2) == 0 ? "true" : "false");
        return;
    default:
        lf_buf_printf(buf, "{'field':'d','%s':%u}", DAYS[draw(random, 3)], 10 * draw(random, 3));
    }
}

static void
put_condition(struct lf_buf *buf, struct support_random *random, int depth)
{
    uint32_t kind = draw(random, depth > 1 ? 5 : 8);

    if (kind < 5) {
        put_leaf(buf, random);
    } else if (kind == 5) {
        lf_buf_lit(buf, "{'not':");
        put_condition(buf, random, depth + 1);
        lf_buf_lit(buf, "}");
    } else {
        lf_buf_text(buf, kind == 6 ? "{'all':[" : "{'any':[");
        put_condition(buf, random, depth + 1);
        lf_buf_lit(buf, ",");
        put_condition(buf, random, depth + 1);
        lf_buf_lit(buf, "]}");
    }
}

static const struct lf_icp *
random_icp(struct lf_arena *arena, struct support_random *random)
{
    static const char *const FITS[] = {"1", "0.5", "0", "-0.5", "0.25"};
    static const char *const CATEGORIES[] = {"need", "legal"};
    uint32_t count = 1 + draw(random, 4);
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 20);
    lf_buf_lit(&buf, "'attributes':[");
    for (uint32_t a = 0; a < count; a++) {
        uint32_t rules = 1 + draw(random, 4);

        lf_buf_printf(&buf,
                      "%s{'key':'a%u','label':'L','category':'%s','weight':%u,'otherwise':%s,'missing':%s,'rules':[",
                      a > 0 ? "," : "", a, CATEGORIES[draw(random, 2)], 1 + draw(random, 2) * 9 + draw(random, 3),
                      FITS[draw(random, 5)], draw(random, 4) == 0 ? "'skip'" : FITS[draw(random, 5)]);
        for (uint32_t r = 0; r < rules; r++) {
            lf_buf_printf(&buf, "%s{'fit':%s,", r > 0 ? "," : "", FITS[draw(random, 5)]);
            if (draw(random, 6) == 0)
                lf_buf_lit(&buf, "'fade':{'field':'d','days':25},");
            lf_buf_lit(&buf, "'when':");
            put_condition(&buf, random, 0);
            lf_buf_lit(&buf, "}");
        }
        lf_buf_lit(&buf, "]}");
    }
    lf_buf_lit(
        &buf,
        "],'grades':[{'grade':'A','min':80},{'grade':'B','min':55.5},{'grade':'C','min':30},{'grade':'D','min':0}]");
    if (draw(random, 3) == 0)
        lf_buf_printf(&buf, ",'caps':[{'category':'need','max':%u}]", 1 + draw(random, 12));
    return support_icp_with(arena, lf_buf_terminate(&buf));
}

static const char *
random_value(struct support_random *random, char field)
{
    static const char *const NUMBERS[] = {"0", "1", "2", "3", "4", "1.5", "-1", "'2'", "'a'", "'a b'", "true"};
    static const char *const TEXTS[] = {"'a'", "'b'", "'ab'", "'a b'", "'b c'", "'bc'", "'abc'", "'x'", "2"};
    static const char *const DATES[] = {
        "'2026-06-15T12:00:00Z'", "'2026-06-05T12:00:00Z'", "'2026-06-04'", "'2026-05-26T12:00:00Z'",
        "'2020-01-01'",           "'2026-06-20'",           "'soon'"};

    if (field == 'n')
        return NUMBERS[draw(random, sizeof NUMBERS / sizeof *NUMBERS)];
    return field == 't' ? TEXTS[draw(random, sizeof TEXTS / sizeof *TEXTS)]
                        : DATES[draw(random, sizeof DATES / sizeof *DATES)];
}

static const struct lf_json *
random_lead(struct lf_arena *arena, struct support_random *random)
{
    struct lf_buf buf;
    bool first = true;

    lf_buf_init(&buf, arena, 1 << 16);
    lf_buf_lit(&buf, "{");
    for (const char *field = "ntd"; *field != '\0'; field++) {
        uint32_t shape = draw(random, 7);

        if (shape == 0)
            continue;
        lf_buf_printf(&buf, "%s'%c':", first ? "" : ",", *field);
        first = false;
        if (shape == 1)
            lf_buf_printf(&buf, "[%s,%s]", random_value(random, *field), random_value(random, *field));
        else if (shape == 2)
            lf_buf_printf(&buf, "[%s,null]", random_value(random, *field));
        else
            lf_buf_text(&buf, random_value(random, *field));
    }
    lf_buf_lit(&buf, "}");
    return support_json(arena, lf_buf_terminate(&buf));
}

/* Whether some choice of the attribute in place of its own would give another grade: its reachable fits, its date, its
 * absence. */
static bool
changes_grade(struct lf_arena *arena, const struct lf_scorer *scorer, const struct lf_outcome *outcome, size_t at,
              size_t grade)
{
    const struct lf_attribute *attribute = &scorer->icp->attributes[at];
    struct lf_attribute_outcome *changed = &outcome->attributes[at], own = *changed;
    bool changes = false;

    for (size_t choice = 0; choice < attribute->rule_count + 2 && !changes; choice++) {
        struct lf_score score;

        *changed = (struct lf_attribute_outcome){.rule = LF_NO_RULE, .missing = LF_NO_FIELD};
        if (choice < attribute->rule_count) {
            changed->rule = (int)choice;
            changed->fit = attribute->rules[choice].fit;
        } else if (choice == attribute->rule_count) {
            changed->status = LF_ATTRIBUTE_UNMATCHED;
            changed->fit = attribute->otherwise;
        } else {
            changed->status = LF_ATTRIBUTE_UNKNOWN;
            changed->fit = attribute->skip_missing ? 0 : attribute->missing;
        }
        assert_true(lf_score_outcome(scorer, outcome, arena, &score));
        changes = score.grade != grade;
    }
    *changed = own;
    return changes;
}

/* One thing that was said, held against one lead. */
static void
check_claim(struct lf_arena *arena, const struct lf_lint_item *item, const struct support_scored *scored)
{
    unsigned attribute = 0, rule = 0, grade = 0;

    if (strcmp(item->code, "dead_rule") == 0) {
        assert_int_equal(sscanf(item->pointer, "/attributes/%u/rules/%u", &attribute, &rule), 2);
        if (scored->outcome->attributes[attribute].rule == (int)rule)
            fail_msg("not dead: %s: %s", item->pointer, item->detail);
    } else if (strcmp(item->code, "unreachable_grade") == 0) {
        assert_int_equal(sscanf(item->pointer, "/grades/%u", &grade), 1);
        if (scored->score.grade == grade)
            fail_msg("reached: %s: %s", item->pointer, item->detail);
    } else if (strcmp(item->code, "idle_attribute") == 0) {
        assert_int_equal(sscanf(item->pointer, "/attributes/%u", &attribute), 1);
        if (changes_grade(arena, scored->scorer, scored->outcome, attribute, scored->score.grade))
            fail_msg("not idle: %s: %s", item->pointer, item->detail);
    }
}

static void
test_claims(void **state)
{
    struct support_random random = {42};
    size_t dead = 0, unreachable = 0, idle = 0;

    (void)state;
    for (int turn = 0; turn < DEFINITIONS; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 256 << 20);
        const struct lf_icp *icp = random_icp(arena, &random);
        const struct lf_program *program = support_program(&icp, 1, NULL);
        struct lf_lint_context context = {.today_us = 0};
        struct lf_lint lint = {.count = 0};
        struct lf_error error;

        assert_int_equal(lf_lint(arena, icp, &context, &lint, &error), LF_OK);
        for (size_t k = 0; k < lint.count; k++) {
            dead += strcmp(lint.items[k].code, "dead_rule") == 0;
            unreachable += strcmp(lint.items[k].code, "unreachable_grade") == 0;
            idle += strcmp(lint.items[k].code, "idle_attribute") == 0;
        }
        for (int lead = 0; lead < LEADS; lead++) {
            struct support_scored scored = support_score(arena, program, 0, random_lead(arena, &random), AS_OF);

            for (size_t k = 0; k < lint.count; k++)
                check_claim(arena, &lint.items[k], &scored);
        }
        support_drop_programs();
        lf_arena_destroy(arena);
    }
    print_message("  %zu dead rules, %zu unreachable grades, %zu idle attributes\n", dead, unreachable, idle);
    assert_true(dead > 100 && unreachable > 100 && idle > 100);
}

/* A condition that is said to be impossible is never true of a lead whose fields are single values. */
static void
test_impossible(void **state)
{
    struct support_random random = {43};
    size_t impossible = 0;

    (void)state;
    for (int turn = 0; turn < DEFINITIONS; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 256 << 20);
        const struct lf_icp *icp = NULL;
        struct lf_lint_context context = {.today_us = 0};
        struct lf_lint lint = {.count = 0};
        struct lf_error error;
        struct lf_buf buf;

        lf_buf_init(&buf, arena, 1 << 20);
        lf_buf_lit(&buf, "{'all':[");
        put_condition(&buf, &random, 1);
        lf_buf_lit(&buf, ",");
        put_condition(&buf, &random, 1);
        lf_buf_lit(&buf, "]}");
        icp = support_icp_when(arena, lf_buf_terminate(&buf));
        assert_int_equal(lf_lint(arena, icp, &context, &lint, &error), LF_OK);
        for (size_t k = 0; k < lint.count; k++) {
            const struct lf_program *program = NULL;

            if (strcmp(lint.items[k].code, "impossible_condition") != 0 ||
                strcmp(lint.items[k].pointer, "/attributes/0/rules/0/when") != 0)
                continue;
            impossible++;
            program = support_program(&icp, 1, NULL);
            for (int lead = 0; lead < LEADS; lead++) {
                const struct lf_json *fields =
                    support_json(arena, lf_arena_printf(arena, "{'n':%s,'t':%s,'d':%s}", random_value(&random, 'n'),
                                                        random_value(&random, 't'), random_value(&random, 'd')));
                struct support_scored scored = support_score(arena, program, 0, fields, AS_OF);

                if (scored.outcome->attributes[0].status == LF_ATTRIBUTE_MATCHED)
                    fail_msg("possible: %s", lint.items[k].detail);
            }
            support_drop_programs();
        }
        lf_arena_destroy(arena);
    }
    print_message("  %zu impossible conditions\n", impossible);
    assert_true(impossible > 30);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_claims),
        SUPPORT_TEST(test_impossible),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
