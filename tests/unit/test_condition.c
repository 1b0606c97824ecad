/*
 * test_condition.c - conditions as they are read: operands prepared, fields gathered, words found, verdicts given.
 */
#include "core/condition.h"

#include "support.h"

static const struct lf_condition *
when(struct lf_arena *arena, const char *condition)
{
    return support_icp_when(arena, condition)->attributes[0].rules[0].when;
}

/* ---- operands ---- */

static void
test_entries(void **state)
{
    const struct lf_condition *leaf = when(*state, "{'field':'f','in':[' New\\t York ','ﬁ',1.50,true]}");

    assert_int_equal(leaf->kind, LF_CONDITION_LEAF);
    assert_int_equal(leaf->op, LF_OP_IN);
    assert_int_equal(leaf->entry_count, 4);
    assert_int_equal(leaf->entries[0].kind, LF_JSON_TEXT);
    assert_int_equal(leaf->entries[0].folded.len, 8);
    assert_memory_equal(leaf->entries[0].folded.bytes, "new york", 8);
    assert_int_equal(leaf->entries[0].raw.len, 11);
    assert_int_equal(leaf->entries[1].folded.len, 2);
    assert_memory_equal(leaf->entries[1].folded.bytes, "fi", 2);
    assert_int_equal(leaf->entries[2].kind, LF_JSON_NUMBER);
    assert_true(leaf->entries[2].number == 1.5);
    assert_int_equal(leaf->entries[3].kind, LF_JSON_BOOLEAN);
    assert_true(leaf->entries[3].yes);
}

static void
test_operands(void **state)
{
    const struct lf_condition *leaf = when(*state, "{'field':'f','between':[-1.5,2e3]}");

    assert_true(leaf->low == -1.5 && leaf->high == 2000);
    leaf = when(*state, "{'field':'f','between':[5,1]}");
    assert_true(leaf->low == 5 && leaf->high == 1);
    leaf = when(*state, "{'field':'f','lte':-0}");
    assert_true(leaf->low == 0);
    leaf = when(*state, "{'field':'f','before':'1970-01-01T01:00:00.5+01:00'}");
    assert_true(leaf->date_us == 500000);
    leaf = when(*state, "{'field':'f','older_than_days':36500}");
    assert_int_equal(leaf->days, 36500);
    leaf = when(*state, "{'field':'f','in_list':'target-accounts'}");
    assert_string_equal(leaf->list, "target-accounts");
    leaf = when(*state, "{'field':'f','exists':false}");
    assert_false(leaf->yes);
    leaf = when(*state, "{'field':'f','contains':'one'}");
    assert_int_equal(leaf->entry_count, 1);
}

static void
test_tree(void **state)
{
    const struct lf_icp *icp = support_icp_when(
        *state, "{'any':[{'not':{'field':'b.c','is':1}},{'all':[{'field':'a','is':1},{'field':'b.c','is':2}]}]}");
    const struct lf_condition *root = icp->attributes[0].rules[0].when;

    assert_int_equal(root->kind, LF_CONDITION_ANY);
    assert_int_equal(root->child_count, 2);
    assert_string_equal(root->children[0]->children[0]->pointer, "/attributes/0/rules/0/when/any/0/not");
    assert_string_equal(root->children[1]->children[1]->pointer, "/attributes/0/rules/0/when/any/1/all/1");
    /* Each field once, in the order in which they first stand there. */
    assert_int_equal(icp->fields.count, 2);
    assert_string_equal(icp->fields.paths[0], "b.c");
    assert_string_equal(icp->fields.paths[1], "a");
    assert_ptr_equal(lf_condition_first_leaf(root), root->children[0]->children[0]);
}

static void
test_operator_words(void **state)
{
    static const char *const WORDS[] = {
        "is",           "in",      "starts_with", "ends_with", "contains", "has_word", "like",        "gt",
        "gte",          "lt",      "lte",         "between",   "before",   "after",    "within_days", "older_than_days",
        "in_next_days", "has_all", "in_list",     "exists"};

    (void)state;
    assert_int_equal(sizeof WORDS / sizeof *WORDS, LF_OP_COUNT);
    for (int op = 0; op < LF_OP_COUNT; op++)
        assert_string_equal(lf_operator_word((enum lf_operator)op), WORDS[op]);
}

/* ---- words ---- */

static const struct {
    const char *condition, *words;
} WORDS[] = {
    {"{'field':'company.employees','between':[500,5000]}", "company.employees from 500 to 5000"},
    {"{'field':'n','gt':1.50}", "n over 1.5"},
    {"{'field':'n','gte':3}", "n at least 3"},
    {"{'field':'n','lt':3}", "n under 3"},
    {"{'field':'n','lte':3}", "n at most 3"},
    {"{'field':'f','is':'  As Written '}", "f is   As Written "},
    {"{'field':'f','is':true}", "f is true"},
    {"{'field':'f','in':['DE','AT',7]}", "f is DE, AT or 7"},
    {"{'field':'f','in':['a','b','c','d','e','f']}", "f is a, b, c, d, e or f"},
    {"{'field':'f','in':['a','b','c','d','e','f','g']}", "f is a, b, c, d, e, … (7 in all)"},
    {"{'field':'f','starts_with':'a'}", "f starts with a"},
    {"{'field':'f','ends_with':'a'}", "f ends with a"},
    {"{'field':'f','contains':['a','b']}", "f contains a or b"},
    {"{'field':'f','has_word':'vp'}", "f has the word vp"},
    {"{'field':'f','like':'*@*.edu'}", "f is like *@*.edu"},
    {"{'field':'f','has_all':['a','b']}", "f has a and b"},
    {"{'field':'f','in_list':'rivals'}", "f in the list rivals"},
    {"{'field':'f','exists':true}", "f is known"},
    {"{'field':'f','exists':false}", "f is not known"},
    {"{'field':'f','before':'2026-01-31'}", "f before 2026-01-31"},
    {"{'field':'f','after':'2026-01-31T09:30:00Z'}", "f after 2026-01-31T09:30:00.000Z"},
    {"{'field':'f','within_days':1}", "f within the last 1 day"},
    {"{'field':'f','older_than_days':90}", "f more than 90 days ago"},
    {"{'field':'f','in_next_days':30}", "f in the next 30 days"},
    {"{'not':{'field':'f','is':1}}", "not (f is 1)"},
    {"{'all':[{'field':'f','is':1},{'any':[{'field':'g','is':2},{'field':'h','is':3}]}]}",
     "f is 1 and (g is 2 or h is 3)"},
    {"{'any':[{'all':[{'field':'f','is':1},{'field':'g','is':2}]},{'not':{'field':'h','is':3}}]}",
     "(f is 1 and g is 2) or not (h is 3)"},
};

static void
test_words(void **state)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const struct lf_icp *icp = support_icp_when(*state, WORDS[i].condition);
        assert_string_equal(lf_condition_words(*state, icp->attributes[0].rules[0].when, &icp->fields), WORDS[i].words);
    }
}

/* 200 characters at most, cut at a character, with dots. */
static void
test_words_are_cut(void **state)
{
    char text[1000];
    const struct lf_icp *icp = NULL;
    const char *words = NULL;

    for (int umlauts = 190; umlauts <= 200; umlauts++) {
        char *end = text;
        for (int i = 0; i < umlauts; i++)
            end = stpcpy(end, "Ä");
        icp = support_icp_when(*state, lf_arena_printf(*state, "{'field':'f','is':'%s'}", text));
        words = lf_condition_words(*state, icp->attributes[0].rules[0].when, &icp->fields);
        assert_true(lf_text_is_utf8(words, strlen(words), NULL));
        /* "f is " stands before */
        assert_int_equal(lf_text_length(words, strlen(words)), umlauts + 5 <= 200 ? umlauts + 5 : 200);
        assert_true((strstr(words, "…") != NULL) == (umlauts + 5 > 200));
    }
}

/* ---- verdicts: one condition, one lead ---- */

static const struct {
    const char *condition, *lead;
    char verdict; /* T, F, or what makes it unknown: m missing, i invalid */
} VERDICTS[] = {
    /* text */
    {"{'field':'f','is':'STRASSE'}", "{'f':'  straße '}", 'T'},
    {"{'field':'f','is':'1.5'}", "{'f':1.50}", 'T'},
    {"{'field':'f','is':'true'}", "{'f':true}", 'T'},
    {"{'field':'f','is':'a'}", "{'f':{}}", 'i'},
    {"{'field':'f','is':'a'}", "{'f':''}", 'm'},
    {"{'field':'f','is':'a'}", "{'f':' '}", 'F'},
    {"{'field':'f','has_word':'vp'}", "{'f':'MVP'}", 'F'},
    {"{'field':'f','has_word':'vp'}", "{'f':'VP, Sales'}", 'T'},
    {"{'field':'f','has_word':'c++'}", "{'f':'C++/Java'}", 'T'},
    {"{'field':'f','has_word':'c++'}", "{'f':'objc++'}", 'F'},
    {"{'field':'f','has_word':'head of it'}", "{'f':'Head  of\\nIT'}", 'T'},
    {"{'field':'f','like':'*@*.edu'}", "{'f':'a@b.EDU'}", 'T'},
    {"{'field':'f','like':'?b'}", "{'f':'äb'}", 'T'},
    {"{'field':'f','like':'a'}", "{'f':'ab'}", 'F'},
    {"{'field':'f','starts_with':['x','a']}", "{'f':'Abc'}", 'T'},
    {"{'field':'f','ends_with':'bc'}", "{'f':'abc'}", 'T'},
    /* numbers */
    {"{'field':'f','gte':5}", "{'f':' 5 '}", 'T'},
    {"{'field':'f','gte':5}", "{'f':'+5'}", 'i'},
    {"{'field':'f','gte':5}", "{'f':'1,000'}", 'i'},
    {"{'field':'f','gte':5}", "{'f':true}", 'i'},
    {"{'field':'f','between':[1,5]}", "{'f':'5e0'}", 'T'},
    {"{'field':'f','between':[5,1]}", "{'f':3}", 'F'},
    {"{'field':'f','is':2}", "{'f':'2.0'}", 'T'},
    {"{'field':'f','is':2}", "{'f':'two'}", 'i'},
    {"{'field':'f','in':[2,'two']}", "{'f':'Two'}", 'T'},
    {"{'field':'f','in':[2,'two']}", "{'f':'three'}", 'F'},
    /* booleans */
    {"{'field':'f','is':true}", "{'f':'Yes'}", 'T'},
    {"{'field':'f','is':true}", "{'f':1}", 'T'},
    {"{'field':'f','is':true}", "{'f':2}", 'i'},
    {"{'field':'f','is':false}", "{'f':'no'}", 'T'},
    {"{'field':'f','is':false}", "{'f':'nope'}", 'i'},
    /* dates, as of 2026-06-30T12:00:00Z */
    {"{'field':'f','within_days':10}", "{'f':'2026-06-20T12:00:00Z'}", 'T'},
    {"{'field':'f','within_days':10}", "{'f':'2026-06-20T11:59:59.999999Z'}", 'F'},
    {"{'field':'f','within_days':10}", "{'f':'2026-06-30T12:00:00.000001Z'}", 'F'},
    {"{'field':'f','older_than_days':10}", "{'f':'2026-06-20T12:00:00Z'}", 'F'},
    {"{'field':'f','older_than_days':10}", "{'f':'2026-06-20 11:59:59'}", 'T'},
    {"{'field':'f','in_next_days':0}", "{'f':'2026-06-30T14:00:00+02:00'}", 'T'},
    {"{'field':'f','before':'2026-01-01'}", "{'f':'2026-01-01'}", 'F'},
    {"{'field':'f','after':'1970-01-01'}", "{'f':0.000001}", 'T'},
    {"{'field':'f','after':'2026-01-01'}", "{'f':1780000000000}", 'T'},
    {"{'field':'f','after':'2026-01-01'}", "{'f':'soon'}", 'i'},
    /* lists */
    {"{'field':'f','is':'a'}", "{'f':[null,'a']}", 'T'},
    {"{'field':'f','is':'a'}", "{'f':[null,'b']}", 'm'},
    {"{'field':'f','is':'a'}", "{'f':[{},'b']}", 'i'},
    {"{'field':'f','is':'a'}", "{'f':['b']}", 'F'},
    {"{'field':'f','is':'a'}", "{'f':[]}", 'm'},
    {"{'field':'p.t','is':'a'}", "{'p':[{'t':'b'},{'t':['c','a']},7]}", 'T'},
    {"{'field':'p.t','is':'a'}", "{'p':[7,{}]}", 'm'},
    {"{'field':'f','has_all':['a','b']}", "{'f':['B','x','A']}", 'T'},
    {"{'field':'f','has_all':['a','b']}", "{'f':['a',null]}", 'm'},
    {"{'field':'f','has_all':['a','b']}", "{'f':['a']}", 'F'},
    {"{'field':'f','has_all':['a']}", "{'f':'A'}", 'T'},
    {"{'field':'f','exists':true}", "{'f':{}}", 'T'},
    {"{'field':'f','exists':true}", "{'f':[null]}", 'T'},
    {"{'field':'f','exists':true}", "{'f':[]}", 'F'},
    {"{'field':'f','exists':false}", "{}", 'T'},
    /* Kleene */
    {"{'not':{'field':'f','is':'a'}}", "{}", 'm'},
    {"{'not':{'field':'f','is':'a'}}", "{'f':'b'}", 'T'},
    {"{'all':[{'field':'f','is':1},{'field':'g','is':1}]}", "{'f':2}", 'F'},
    {"{'all':[{'field':'f','is':1},{'field':'g','is':1}]}", "{'f':1}", 'm'},
    {"{'all':[{'field':'f','is':1},{'field':'g','is':1}]}", "{'f':'x'}", 'i'},
    {"{'any':[{'field':'f','is':1},{'field':'g','is':1}]}", "{'g':1}", 'T'},
    {"{'any':[{'field':'f','is':1},{'field':'g','is':1}]}", "{'g':2}", 'm'},
    {"{'any':[{'field':'f','is':1},{'field':'g','is':1}]}", "{'f':3,'g':2}", 'F'},
};

static void
test_verdicts(void **state)
{
    int failures = 0;

    for (size_t i = 0; i < sizeof VERDICTS / sizeof *VERDICTS; i++) {
        const struct lf_icp *icp = support_icp_when(*state, VERDICTS[i].condition);
        struct support_scored scored = support_score(*state, support_program(&icp, 1, NULL), 0,
                                                     support_json(*state, VERDICTS[i].lead), "2026-06-30T12:00:00Z");
        const struct lf_attribute_outcome *outcome = &scored.outcome->attributes[0];
        char got = outcome->status == LF_ATTRIBUTE_MATCHED     ? 'T'
                   : outcome->status == LF_ATTRIBUTE_UNMATCHED ? 'F'
                   : outcome->invalid                          ? 'i'
                                                               : 'm';

        if (got != VERDICTS[i].verdict) {
            print_error("%s of %s: %c, not %c\n", VERDICTS[i].condition, VERDICTS[i].lead, got, VERDICTS[i].verdict);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_entries),        SUPPORT_TEST(test_operands), SUPPORT_TEST(test_tree),
        SUPPORT_TEST(test_operator_words), SUPPORT_TEST(test_words),    SUPPORT_TEST(test_words_are_cut),
        SUPPORT_TEST(test_verdicts),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
