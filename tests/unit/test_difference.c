/* test_difference.c - what tells outcomes and leads apart, in words. */
#include "app/difference.h"

#include "support.h"

#define TWO                                                                                                       \
    "'attributes':["                                                                                              \
    "{'key':'size','label':'Size','category':'need','weight':10,'rules':["                                        \
    "{'when':{'field':'a','gt':5},'label':'large'},{'when':{'field':'b','gt':5},'label':'second'}]},"             \
    "{'key':'other','label':'Other','category':'need','weight':10,'rules':[{'when':{'field':'c.d','is':'x'}}]}]," \
    "'disqualifiers':[{'key':'out','reason':'Out','when':{'field':'e','is':true}}]"

/* ---- outcomes ---- */

static void
test_outcomes(void **state)
{
    static const struct {
        struct lf_attribute_outcome was, now; /* of the first attribute */
        uint8_t verdict_was, verdict_now, missing_was, missing_now;
        const char *words;
    } ROWS[] = {
        {{LF_ATTRIBUTE_MATCHED, false, 0, 1000000, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_MATCHED, false, 0, 1000000, 0, LF_NO_FIELD},
         0,
         0,
         0,
         0,
         ""},
        {{LF_ATTRIBUTE_MATCHED, false, 0, 1000000, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         0,
         1,
         0,
         1,
         "size: matched large, now unmatched"},
        {{LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 1},
         0,
         0,
         0,
         0,
         "size: unmatched, now unknown"},
        {{LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 1},
         {LF_ATTRIBUTE_MATCHED, false, 1, 1000000, 1, LF_NO_FIELD},
         0,
         0,
         0,
         0,
         "size: unknown, now matched second"},
        {{LF_ATTRIBUTE_MATCHED, false, 0, 1000000, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_MATCHED, false, 1, 1000000, 0, LF_NO_FIELD},
         0,
         0,
         0,
         0,
         "size: matched large, now matched second"},
        {{LF_ATTRIBUTE_MATCHED, false, 0, 500000, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_MATCHED, false, 0, -250000, 0, LF_NO_FIELD},
         0,
         0,
         0,
         0,
         "size: matched large with a fit of 0.5, now -0.25"},
        {{LF_ATTRIBUTE_MATCHED, false, 0, 1000000, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_MATCHED, false, 0, 1000000, 1, LF_NO_FIELD},
         0,
         0,
         0,
         0,
         "size: decided by a, now by b"},
        {{LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 0},
         {LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 2},
         0,
         0,
         0,
         0,
         "size: for want of a, now of c.d"},
        {{LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 0},
         {LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, LF_NO_FIELD},
         0,
         0,
         0,
         0,
         "size: for want of a, now of no field"},
        {{LF_ATTRIBUTE_UNKNOWN, true, -1, 0, 0, 0},
         {LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 0},
         0,
         0,
         0,
         0,
         "size: not readable as the rules need it, now it is"},
        {{LF_ATTRIBUTE_UNKNOWN, false, -1, 0, 0, 0},
         {LF_ATTRIBUTE_UNKNOWN, true, -1, 0, 0, 0},
         0,
         0,
         0,
         0,
         "size: readable as the rules need it, now it is not"},
        {{LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         1,
         2,
         0,
         1,
         "disqualifier out: true, now unknown"},
        {{LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         2,
         0,
         0,
         0,
         "disqualifier out: unknown, now false"},
        {{LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         0,
         0,
         4,
         0,
         "c.d: missing, now there"},
        {{LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         {LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 0, LF_NO_FIELD},
         0,
         0,
         1,
         3,
         "b: there, now missing"},
    };
    const struct lf_icp *icp = support_icp_with(*state, TWO);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_attribute_outcome same = {LF_ATTRIBUTE_UNMATCHED, false, -1, 0, 2, LF_NO_FIELD};
        struct lf_attribute_outcome was[] = {ROWS[i].was, same}, now[] = {ROWS[i].now, same};
        uint8_t verdicts[] = {ROWS[i].verdict_was, ROWS[i].verdict_now};
        uint8_t missing[] = {ROWS[i].missing_was, ROWS[i].missing_now};
        struct lf_outcome recorded = {was, &verdicts[0], &missing[0]}, computed = {now, &verdicts[1], &missing[1]};
        const char *words = lf_outcome_difference(*state, icp, &recorded, &computed);

        assert_non_null(words);
        if (strcmp(words, ROWS[i].words) != 0)
            fail_msg("row %zu: %s", i, words);
    }
}

/* A record of before it was known says nothing about what was missing. */
static void
test_silent_outcomes(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, TWO);
    struct lf_attribute_outcome same[2] = {{.rule = -1}, {.rule = -1}};
    uint8_t verdict = 0, missing = 5;
    struct lf_outcome silent = {same, &verdict, NULL}, telling = {same, &verdict, &missing};

    assert_string_equal(lf_outcome_difference(*state, icp, &silent, &telling), "");
    assert_string_equal(lf_outcome_difference(*state, icp, &telling, &silent), "");
}

/* ---- leads ---- */

static void
test_leads(void **state)
{
    static const char *const FIELDS[] = {"kept.not", "deep.er.still"};
    static const struct {
        const char *stored, *given, *words;
    } ROWS[] = {
        {"{}", "{}", ""},
        {"{'a':1,'b':{'c':[1,'x',null,true]}}", "{'b':{'c':[1,'x',null,true]},'a':1}", ""},
        {"{'a':1}", "{}", "a is missing"},
        {"{'a':{'b':null}}", "{'a':{}}", "a.b is missing"},
        {"{}", "{'a':null}", "a was not there"},
        {"{'a':{'b':1}}", "{'a':{'b':1,'c':2}}", "a.c was not there"},
        {"{'a':1}", "{'a':'1'}", "a differs"},
        {"{'a':1}", "{'a':null}", "a differs"},
        {"{'a':true}", "{'a':false}", "a differs"},
        {"{'a':'x'}", "{'a':'x '}", "a differs"},
        {"{'a':'x\\u0000y'}", "{'a':'x\\u0000z'}", "a differs"},
        {"{'a':'x\\u0000y'}", "{'a':'x\\u0000y'}", ""},
        {"{'a':[1,2]}", "{'a':[2,1]}", "a differs"},
        {"{'a':[1,2]}", "{'a':[1]}", "a differs"},
        {"{'a':[1]}", "{'a':[1,2]}", "a differs"},
        {"{'a':[{'b':1},{'b':2}]}", "{'a':[{'b':1},{'b':3}]}", "a.b differs"},
        {"{'a':[{'b':1},{'b':2}]}", "{'a':[{'b':1},{}]}", "a.b is missing"},
        {"{'a':[[]]}", "{'a':[{}]}", "a differs"},
        {"{'a':1e2}", "{'a':100.0}", ""},
        {"{'a':12345678901234567890}", "{'a':12345678901234567890}", ""},
        {"{'a':12345678901234567890}", "{'a':12345678901234567891}", "a differs"},
        {"{'a':0.1}", "{'a':0.10000000000000001}", ""},
        {"{'x':1,'a':1,'y':1}", "{'y':1,'b':1,'x':1}", "a is missing"},
        /* What is never kept, what the record says was not, and what is on the way to either or below it. */
        {"{}", "{'secret':1}", ""},
        {"{'a':{}}", "{'a':{'secret':{'x':1}}}", ""},
        {"{'secret':1}", "{}", "secret is missing"},
        {"{'secret':1}", "{'secret':2}", "secret differs"},
        {"{}", "{'kept':{'not':1}}", ""},
        {"{'kept':{}}", "{'kept':{'not':{'x':1}}}", ""},
        {"{'kept':{}}", "{'kept':{'note':1}}", "kept.note was not there"},
        {"{}", "{'deep':{'er':1}}", ""},
        {"{'deep':{'er':{}}}", "{'deep':{'er':{'still':[]}}}", ""},
        {"{}", "{'deepe':1}", "deepe was not there"},
    };
    const struct lf_privacy *privacy = NULL;
    struct lf_unkept unkept = {.fields = FIELDS, .count = 2};

    assert_int_equal(lf_privacy_create(*state, LF_KEPT_WHOLE, "*.secret", NULL, &privacy, NULL), LF_OK);
    unkept.privacy = privacy;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *words = lf_lead_difference(*state, support_json(*state, ROWS[i].stored),
                                               support_json(*state, ROWS[i].given), &unkept);

        assert_non_null(words);
        if (strcmp(words, ROWS[i].words) != 0)
            fail_msg("row %zu: %s", i, words);
    }
}

/* A name as long as a body is told in part. */
static void
test_long_name(void **state)
{
    const struct lf_privacy *privacy = NULL;
    struct lf_unkept unkept = {.count = 0};
    struct lf_buf text;
    const struct lf_json *stored = NULL;
    struct lf_error error;
    const char *words = NULL;

    assert_int_equal(lf_privacy_create(*state, LF_KEPT_WHOLE, "", NULL, &privacy, NULL), LF_OK);
    unkept.privacy = privacy;
    lf_buf_init(&text, *state, 1 << 20);
    lf_buf_lit(&text, "{\"");
    for (int i = 0; i < 100000; i++)
        lf_buf_lit(&text, "\xC3\xA4");
    lf_buf_lit(&text, "\":1}");
    assert_int_equal(lf_json_parse(*state, text.data, text.len, &LF_JSON_LEAD_LIMITS, &stored, &error), LF_OK);
    words = lf_lead_difference(*state, stored, support_json(*state, "{}"), &unkept);
    assert_non_null(words);
    assert_int_equal(strlen(words), 400 + strlen(" is missing"));
    assert_string_equal(words + 400, " is missing");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_outcomes),
        SUPPORT_TEST(test_silent_outcomes),
        SUPPORT_TEST(test_leads),
        SUPPORT_TEST(test_long_name),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
