/*
 * test_icp.c - reading definitions: defaults, every fault with its code and place, many faults at once.
 */
#include "core/icp.h"

#include "support.h"

#define ATTRIBUTE "{'key':'a','label':'A','category':'need','weight':10,'rules':[{'when':{'field':'f','is':1}}]}"
#define HEAD "'key':'k','name':'N','framework':'pain_points'"
#define SOUND HEAD ",'attributes':[" ATTRIBUTE "]"
#define WITH(members) "{" SOUND "," members "}"
#define ATTRIBUTES(list) "{" HEAD ",'attributes':" list "}"
/* An attribute of the members given, beside those that are always the same. */
#define ONE(members) ATTRIBUTES("[{'key':'a','label':'A','category':'need'," members "}]")
#define RULES(rules) ONE("'weight':10,'rules':" rules)
#define WHEN(condition) RULES("[{'when':" condition "}]")
#define RULE(members) RULES("[{'when':{'field':'f','is':1}," members "}]")

struct row {
    const char *why, *definition;
    const char *expected; /* "code pointer" of every finding, joined by "; " */
};

static const struct row ROWS[] = {
    {"sound", "{" SOUND "}", ""},
    {"no object", "[1]", "wrong_type "},
    {"nothing at all", "{}", "required /key; required /name; required /framework; required /attributes"},

    /* required */
    {"no key", "{'name':'N','framework':'pain_points','attributes':[" ATTRIBUTE "]}", "required /key"},
    {"an empty attribute", ATTRIBUTES("[{}]"),
     "required /attributes/0/key; required /attributes/0/label; required /attributes/0/category; "
     "required /attributes/0/weight; required /attributes/0/rules"},
    {"a rule without when", RULES("[{'fit':1}]"), "required /attributes/0/rules/0/when"},
    {"an empty disqualifier", WITH("'disqualifiers':[{}]"),
     "required /disqualifiers/0/key; required /disqualifiers/0/reason; required /disqualifiers/0/when"},
    {"an empty cap", WITH("'caps':[{}]"), "required /caps/0/category; required /caps/0/max"},
    {"an empty grade", WITH("'grades':[{}]"), "required /grades/0/grade; required /grades/0/min"},
    {"an empty level", WITH("'levels':[{}]"), "required /levels/0/level; required /levels/0/min"},
    {"an empty owner", WITH("'owners':[{}]"), "required /owners/0/name; required /owners/0/function"},
    {"an empty fade", RULE("'fade':{}"),
     "required /attributes/0/rules/0/fade/field; required /attributes/0/rules/0/fade/days"},

    /* unknown_member */
    {"at the root", WITH("'keys':1"), "unknown_member /keys"},
    {"a name with a slash and a tilde", WITH("'a/b~c':1"), "unknown_member /a~1b~0c"},
    {"of an attribute", ONE("'weight':10,'wieght':9,'rules':[{'when':{'field':'f','is':1}}]"),
     "unknown_member /attributes/0/wieght"},
    {"of a rule", RULE("'points':3"), "unknown_member /attributes/0/rules/0/points"},
    {"of a condition", WHEN("{'field':'f','is':1,'note':'x'}"), "unknown_member /attributes/0/rules/0/when/note"},
    {"of a profile", WITH("'profile':{'problems':'x'}"), "unknown_member /profile/problems"},
    {"of a grade", WITH("'grades':[{'grade':'A','min':0,'max':1}]"), "unknown_member /grades/0/max"},
    {"of a level", WITH("'levels':[{'level':1,'min':0,'grade':'A'}]"), "unknown_member /levels/0/grade"},
    {"of a fade", RULE("'fade':{'field':'d','days':1,'to':0}"), "unknown_member /attributes/0/rules/0/fade/to"},

    /* wrong_type */
    {"a key that is a number", "{'key':1,'name':'N','framework':'pain_points','attributes':[" ATTRIBUTE "]}",
     "wrong_type /key"},
    {"null is not absence", WITH("'summary':null"), "wrong_type /summary"},
    {"a weight in quotes", ONE("'weight':'10','rules':[{'when':{'field':'f','is':1}}]"),
     "wrong_type /attributes/0/weight"},
    {"a fit in quotes", RULE("'fit':'1'"), "wrong_type /attributes/0/rules/0/fit"},
    {"attributes that are an object", ATTRIBUTES("{}"), "wrong_type /attributes"},
    {"is null", WHEN("{'field':'f','is':null}"), "wrong_type /attributes/0/rules/0/when/is"},
    {"is a list", WHEN("{'field':'f','is':[1]}"), "wrong_type /attributes/0/rules/0/when/is"},
    {"null in a list", WHEN("{'field':'f','in':[1,null]}"), "wrong_type /attributes/0/rules/0/when/in/1"},
    {"in without a list", WHEN("{'field':'f','in':'a'}"), "wrong_type /attributes/0/rules/0/when/in"},
    {"a number for a text", WHEN("{'field':'f','contains':5}"), "wrong_type /attributes/0/rules/0/when/contains"},
    {"a number among texts", WHEN("{'field':'f','has_all':['a',5]}"),
     "wrong_type /attributes/0/rules/0/when/has_all/1"},
    {"a number in quotes", WHEN("{'field':'f','gt':'5'}"), "wrong_type /attributes/0/rules/0/when/gt"},
    {"bounds in quotes", WHEN("{'field':'f','between':['1',2]}"), "wrong_type /attributes/0/rules/0/when/between/0"},
    {"exists 1", WHEN("{'field':'f','exists':1}"), "wrong_type /attributes/0/rules/0/when/exists"},
    {"a date that is a number", WHEN("{'field':'f','before':5}"), "wrong_type /attributes/0/rules/0/when/before"},
    {"a condition that is a list", WHEN("[]"), "wrong_type /attributes/0/rules/0/when"},
    {"a condition in an all", WHEN("{'all':[3]}"), "wrong_type /attributes/0/rules/0/when/all/0"},
    {"a field that is a number", WHEN("{'field':5,'is':1}"), "wrong_type /attributes/0/rules/0/when/field"},
    {"a review date that is a number", WITH("'review_by':2027"), "wrong_type /review_by"},
    {"a profile that is a text", WITH("'profile':'x'"), "wrong_type /profile"},
    {"missing is true", ONE("'weight':1,'missing':true,'rules':[{'when':{'field':'f','is':1}}]"),
     "wrong_type /attributes/0/missing"},

    /* invalid_value */
    {"a framework", "{'key':'k','name':'N','framework':'pain','attributes':[" ATTRIBUTE "]}",
     "invalid_value /framework"},
    {"a purpose", WITH("'purpose':'Core'"), "invalid_value /purpose"},
    {"a category",
     ATTRIBUTES("[{'key':'a','label':'A','category':'needs','weight':1,"
                "'rules':[{'when':{'field':'f','is':1}}]}]"),
     "invalid_value /attributes/0/category"},
    {"an axis", ONE("'weight':1,'axis':'intent','rules':[{'when':{'field':'f','is':1}}]"),
     "invalid_value /attributes/0/axis"},
    {"missing in words", ONE("'weight':1,'missing':'ignore','rules':[{'when':{'field':'f','is':1}}]"),
     "invalid_value /attributes/0/missing"},
    {"a grade called DQ", WITH("'grades':[{'grade':'DQ','min':0}]"), "invalid_value /grades/0/grade"},
    {"U+0000 in a label", RULE("'label':'a\\u0000b'"), "invalid_value /attributes/0/rules/0/label"},

    /* invalid_key */
    {"a key in capitals", "{'key':'K','name':'N','framework':'pain_points','attributes':[" ATTRIBUTE "]}",
     "invalid_key /key"},
    {"an empty key", "{'key':'','name':'N','framework':'pain_points','attributes':[" ATTRIBUTE "]}",
     "invalid_key /key"},
    {"a key that begins with -", WITH("'disqualifiers':[{'key':'-a','reason':'R','when':{'field':'f','is':1}}]"),
     "invalid_key /disqualifiers/0/key"},
    {"a list that is no key", WHEN("{'field':'f','in_list':'My list'}"),
     "invalid_key /attributes/0/rules/0/when/in_list"},

    /* duplicate */
    {"two attributes of one key", ATTRIBUTES("[" ATTRIBUTE "," ATTRIBUTE "]"), "duplicate /attributes/1/key"},
    {"two disqualifiers",
     WITH("'disqualifiers':[{'key':'a','reason':'R','when':{'field':'f','is':1}},"
          "{'key':'a','reason':'R','when':{'field':'f','is':1}}]"),
     "duplicate /disqualifiers/1/key"},
    {"an attribute and a disqualifier may share a key",
     WITH("'disqualifiers':[{'key':'a','reason':'R','when':{'field':'f','is':1}}]"), ""},
    {"two grades of one name", WITH("'grades':[{'grade':'A','min':5},{'grade':'A','min':0}]"),
     "duplicate /grades/1/grade"},
    {"two grades of one minimum", WITH("'grades':[{'grade':'A','min':0},{'grade':'B','min':0}]"),
     "duplicate /grades/1/min"},
    {"two caps", WITH("'caps':[{'category':'need','max':1},{'category':'need','axis':'fit','max':2}]"),
     "duplicate /caps/1/category"},
    {"caps on two axes", WITH("'caps':[{'category':'need','max':1},{'category':'need','axis':'engagement','max':2}]"),
     ""},

    /* out_of_range */
    {"weight 0", ONE("'weight':0,'rules':[{'when':{'field':'f','is':1}}]"), "out_of_range /attributes/0/weight"},
    {"weight 1001", ONE("'weight':1001,'rules':[{'when':{'field':'f','is':1}}]"), "out_of_range /attributes/0/weight"},
    {"weight 1.5", ONE("'weight':1.5,'rules':[{'when':{'field':'f','is':1}}]"), "out_of_range /attributes/0/weight"},
    {"weight 20.0 is whole", ONE("'weight':20.0,'rules':[{'when':{'field':'f','is':1}}]"), ""},
    {"fit above 1", RULE("'fit':1.000001"), "out_of_range /attributes/0/rules/0/fit"},
    {"fit below -1", RULE("'fit':-1.5"), "out_of_range /attributes/0/rules/0/fit"},
    {"otherwise above 1", ONE("'weight':1,'otherwise':2,'rules':[{'when':{'field':'f','is':1}}]"),
     "out_of_range /attributes/0/otherwise"},
    {"missing below -1", ONE("'weight':1,'missing':-2,'rules':[{'when':{'field':'f','is':1}}]"),
     "out_of_range /attributes/0/missing"},
    {"a fade of no days", RULE("'fade':{'field':'d','days':0}"), "out_of_range /attributes/0/rules/0/fade/days"},
    {"a fade of more than a century", RULE("'fade':{'field':'d','days':36501}"),
     "out_of_range /attributes/0/rules/0/fade/days"},
    {"within -1 days", WHEN("{'field':'f','within_days':-1}"), "out_of_range /attributes/0/rules/0/when/within_days"},
    {"within half a day", WHEN("{'field':'f','within_days':0.5}"),
     "out_of_range /attributes/0/rules/0/when/within_days"},
    {"within 0 days", WHEN("{'field':'f','within_days':0}"), ""},
    {"a cap of 0", WITH("'caps':[{'category':'need','max':0}]"), "out_of_range /caps/0/max"},
    {"a cap of half a point", WITH("'caps':[{'category':'need','max':0.5}]"), "out_of_range /caps/0/max"},
    {"a minimum above 100", WITH("'grades':[{'grade':'A','min':101},{'grade':'B','min':0}]"),
     "out_of_range /grades/0/min"},
    {"minima that rise", WITH("'grades':[{'grade':'A','min':5},{'grade':'B','min':6},{'grade':'C','min':0}]"),
     "out_of_range /grades/1/min"},
    {"a last minimum above 0", WITH("'grades':[{'grade':'A','min':5},{'grade':'B','min':1}]"),
     "out_of_range /grades/1/min"},
    {"levels out of sequence", WITH("'levels':[{'level':1,'min':5},{'level':3,'min':0}]"),
     "out_of_range /levels/1/level"},
    {"a level 0", WITH("'levels':[{'level':0,'min':0}]"), "out_of_range /levels/0/level"},

    /* too_many_places */
    {"a fit in ten-millionths", RULE("'fit':0.1234567"), "too_many_places /attributes/0/rules/0/fit"},
    {"a fit in millionths", RULE("'fit':0.123456"), ""},
    {"a minimum in thousandths", WITH("'grades':[{'grade':'A','min':5.001},{'grade':'B','min':0}]"),
     "too_many_places /grades/0/min"},

    /* too_few, too_many */
    {"no attributes", ATTRIBUTES("[]"), "too_few /attributes"},
    {"no rules", RULES("[]"), "too_few /attributes/0/rules"},
    {"no grades", WITH("'grades':[]"), "too_few /grades"},
    {"an empty name", "{'key':'k','name':'','framework':'pain_points','attributes':[" ATTRIBUTE "]}", "too_few /name"},
    {"an empty label of a rule", RULE("'label':''"), "too_few /attributes/0/rules/0/label"},
    {"an empty all", WHEN("{'all':[]}"), "too_few /attributes/0/rules/0/when/all"},
    {"an empty list", WHEN("{'field':'f','in':[]}"), "too_few /attributes/0/rules/0/when/in"},
    {"an empty list of texts", WHEN("{'field':'f','like':[]}"), "too_few /attributes/0/rules/0/when/like"},
    {"one bound", WHEN("{'field':'f','between':[1]}"), "too_few /attributes/0/rules/0/when/between"},
    {"three bounds", WHEN("{'field':'f','between':[1,2,3]}"), "too_many /attributes/0/rules/0/when/between"},
    {"no owners is fine", WITH("'owners':[]"), ""},
    {"a grade name of 21 characters", WITH("'grades':[{'grade':'123456789012345678901','min':0}]"),
     "too_many /grades/0/grade"},
    {"a grade name of 20 characters, not bytes", WITH("'grades':[{'grade':'ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ','min':0}]"), ""},

    /* invalid_path */
    {"an empty path", WHEN("{'field':'','is':1}"), "invalid_path /attributes/0/rules/0/when/field"},
    {"a path that ends in a dot", WHEN("{'field':'a.','is':1}"), "invalid_path /attributes/0/rules/0/when/field"},
    {"a path that begins with a dot", WHEN("{'field':'.a','is':1}"), "invalid_path /attributes/0/rules/0/when/field"},
    {"two dots", WHEN("{'field':'a..b','is':1}"), "invalid_path /attributes/0/rules/0/when/field"},
    {"spaces are fine", WHEN("{'field':'Lead Origin.of it','is':1}"), ""},
    {"a path to fade by", RULE("'fade':{'field':'a..b','days':5}"), "invalid_path /attributes/0/rules/0/fade/field"},

    /* invalid_date */
    {"not a day", WHEN("{'field':'f','before':'2026-02-30'}"), "invalid_date /attributes/0/rules/0/when/before"},
    {"not a date", WHEN("{'field':'f','after':'yesterday'}"), "invalid_date /attributes/0/rules/0/when/after"},
    {"a time is fine", WHEN("{'field':'f','after':'2026-01-31T09:30:00+01:00'}"), ""},
    {"a review date with a time", WITH("'review_by':'2027-01-01T00:00:00Z'"), "invalid_date /review_by"},

    /* operator */
    {"no operator", WHEN("{'field':'f'}"), "operator /attributes/0/rules/0/when"},
    {"two operators", WHEN("{'field':'f','gt':1,'lt':2}"), "operator /attributes/0/rules/0/when"},
    {"an operator without field", WHEN("{'is':1}"), "operator /attributes/0/rules/0/when"},
    {"nothing", WHEN("{}"), "operator /attributes/0/rules/0/when"},
    {"all and any", WHEN("{'all':[{'field':'f','is':1}],'any':[{'field':'f','is':1}]}"),
     "operator /attributes/0/rules/0/when"},
    {"all beside a field", WHEN("{'all':[{'field':'f','is':1}],'field':'f'}"), "operator /attributes/0/rules/0/when"},
    {"within a not", WHEN("{'not':{'field':'f'}}"), "operator /attributes/0/rules/0/when/not"},

    /* empty_text */
    {"a text of spaces", WHEN("{'field':'f','is':' \\t '}"), "empty_text /attributes/0/rules/0/when/is"},
    {"an empty text", WHEN("{'field':'f','starts_with':['a','']}"),
     "empty_text /attributes/0/rules/0/when/starts_with/1"},
    {"ignorable characters alone", WHEN("{'field':'f','is':'\\u00ad\\u200b'}"),
     "empty_text /attributes/0/rules/0/when/is"},

    /* several at once, in the order in which they stand */
    {"all over the document",
     "{'key':'K','name':'N','framework':'pain_points','purpose':'x','attributes':[{'key':'a','label':'A','category':'"
     "need',"
     "'weight':0,'rules':[{'when':{'all':[{'field':'f','gt':'1'},{'field':'','is':1}]},'fit':2}]}],"
     "'disqualifiers':[{'key':'d','reason':'','when':{'field':'f','is':null}}],'grades':[{'grade':'DQ','min':3}]}",
     "invalid_key /key; invalid_value /purpose; out_of_range /attributes/0/weight; "
     "wrong_type /attributes/0/rules/0/when/all/0/gt; invalid_path /attributes/0/rules/0/when/all/1/field; "
     "out_of_range /attributes/0/rules/0/fit; too_few /disqualifiers/0/reason; wrong_type /disqualifiers/0/when/is; "
     "invalid_value /grades/0/grade; out_of_range /grades/0/min"},
};

/* Parses; the findings summed up. */
static const char *
summed_up(struct lf_arena *arena, const char *definition, size_t *ret_dropped)
{
    const char *quoted = support_quoted(arena, definition), *text = "";
    struct lf_findings findings;
    const struct lf_icp *icp = NULL;
    struct lf_error error;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, arena);
    status = lf_icp_parse_text(arena, quoted, strlen(quoted), &findings, &icp, &error);
    assert_int_equal(status, findings.count == 0 ? LF_OK : LF_INVALID_DEFINITION);
    assert_true((icp != NULL) == (findings.count == 0));
    for (size_t i = 0; i < findings.count; i++) {
        text = lf_arena_printf(arena, "%s%s%s %s", text, i > 0 ? "; " : "", findings.items[i].code,
                               findings.items[i].pointer);
        assert_true(strlen(findings.items[i].detail) > 10);
    }
    if (ret_dropped != NULL)
        *ret_dropped = findings.dropped;
    return text;
}

static void
test_rows(void **state)
{
    int failures = 0;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *got = summed_up(*state, ROWS[i].definition, NULL);

        if (strcmp(got, ROWS[i].expected) != 0) {
            print_error("%s\n  expected: %s\n  got:      %s\n", ROWS[i].why, ROWS[i].expected, got);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

/* ---- what is too long for a table ---- */

/* The text, `count` times, with commas between. */
static const char *
repeated(struct lf_arena *arena, const char *text, size_t count, const char *between)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 8 << 20);
    for (size_t i = 0; i < count; i++) {
        lf_buf_text(&buf, i > 0 ? between : "");
        lf_buf_text(&buf, text);
    }
    return lf_buf_terminate(&buf);
}

static void
test_limits(void **state)
{
    static const struct {
        const char *why, *around, *text, *between;
        size_t most;
        const char *beyond; /* the finding with one more */
    } LIMITS[] = {
        {"name", "{'key':'k','name':'%s','framework':'pain_points','attributes':[" ATTRIBUTE "]}", "ß", "", 200,
         "too_many /name"},
        {"summary", WITH("'summary':'%s'"), "ß", "", 4000, "too_many /summary"},
        {"reason", WITH("'disqualifiers':[{'key':'a','reason':'%s','when':{'field':'f','is':1}}]"), "x", "", 200,
         "too_many /disqualifiers/0/reason"},
        {"rules", RULES("[%s]"), "{'when':{'field':'f','is':1}}", ",", 50, "too_many /attributes/0/rules"},
        {"entries", WHEN("{'field':'f','in':[%s]}"), "1", ",", 10000, "too_many /attributes/0/rules/0/when/in"},
        {"pain points", WITH("'profile':{'pain_points':[%s]}"), "'x'", ",", 100, "too_many /profile/pain_points"},
        {"owners", WITH("'owners':[%s]"), "{'name':'A','function':'B'}", ",", 100, "too_many /owners"},
        {"path", WHEN("{'field':'%s','is':1}"), "x", "", 200, "invalid_path /attributes/0/rules/0/when/field"},
        {"key", "{'key':'%s','name':'N','framework':'pain_points','attributes':[" ATTRIBUTE "]}", "k", "", 64,
         "invalid_key /key"},
    };

    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        for (size_t more = 0; more < 2; more++) {
            const char *inside = repeated(*state, LIMITS[i].text, LIMITS[i].most + more, LIMITS[i].between);
            const char *mark = strstr(LIMITS[i].around, "%s");
            const char *got = summed_up(
                *state,
                lf_arena_printf(*state, "%.*s%s%s", (int)(mark - LIMITS[i].around), LIMITS[i].around, inside, mark + 2),
                NULL);

            if (strcmp(got, more == 0 ? "" : LIMITS[i].beyond) != 0)
                fail_msg("%s, %zu: %s", LIMITS[i].why, LIMITS[i].most + more, got);
        }
}

static const char *
many_attributes(struct lf_arena *arena, size_t count)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 8 << 20);
    lf_buf_lit(&buf, "{" HEAD ",'attributes':[");
    for (size_t i = 0; i < count; i++)
        lf_buf_printf(&buf,
                      "%s{'key':'a%zu','label':'A','category':'need','weight':1000,"
                      "'rules':[{'when':{'field':'f','is':1}}]}",
                      i > 0 ? "," : "", i);
    lf_buf_lit(&buf, "]}");
    return lf_buf_terminate(&buf);
}

static void
test_two_hundred_attributes(void **state)
{
    assert_string_equal(summed_up(*state, many_attributes(*state, LF_ATTRIBUTES_MAX), NULL), "");
    assert_string_equal(summed_up(*state, many_attributes(*state, LF_ATTRIBUTES_MAX + 1), NULL),
                        "too_many /attributes");
}

static void
test_depth(void **state)
{
    for (int depth = LF_CONDITION_DEPTH_MAX; depth <= LF_CONDITION_DEPTH_MAX + 1; depth++) {
        const char *opening = repeated(*state, "{'not':", (size_t)depth - 1, "");
        const char *closing = repeated(*state, "}", (size_t)depth - 1, "");
        const char *place = repeated(*state, "/not", (size_t)depth - 1, "");
        const char *text = lf_arena_printf(*state, RULES("[{'when':%s{'field':'f','is':1}%s}]"), opening, closing);
        const char *expected = depth <= LF_CONDITION_DEPTH_MAX
                                   ? ""
                                   : lf_arena_printf(*state, "too_deep /attributes/0/rules/0/when%s", place);

        assert_string_equal(summed_up(*state, text, NULL), expected);
    }
}

/* Two findings a rule, 50 rules, 10 attributes: a thousand. The first 200 are told, the others counted. */
static void
test_more_than_fit(void **state)
{
    struct lf_buf buf;
    size_t dropped = 0;
    const char *got = NULL;

    lf_buf_init(&buf, *state, 8 << 20);
    lf_buf_lit(&buf, "{" HEAD ",'attributes':[");
    for (int a = 0; a < 10; a++) {
        lf_buf_printf(&buf, "%s{'key':'a%d','label':'A','category':'need','weight':1,'rules':[", a > 0 ? "," : "", a);
        for (int r = 0; r < 50; r++)
            lf_buf_printf(&buf, "%s{'when':{'field':'f','is':null},'fit':9}", r > 0 ? "," : "");
        lf_buf_lit(&buf, "]}");
    }
    lf_buf_lit(&buf,
               "],'caps':[{'category':'x','max':0},{'category':'need','max':0}],'grades':[{'grade':'DQ','min':7}]}");
    got = summed_up(*state, lf_buf_terminate(&buf), &dropped);
    assert_int_equal(dropped, 1000 + 5 - LF_FINDINGS_MAX);
    assert_non_null(strstr(got, "out_of_range /attributes/1/rules/49/fit"));
    assert_null(strstr(got, "/attributes/2/"));
}

static void
test_defaults(void **state)
{
    const struct lf_icp *icp = support_icp(*state, "{" SOUND "}");
    const struct lf_attribute *attribute = &icp->attributes[0];

    assert_int_equal(icp->purpose, LF_PURPOSE_CORE);
    assert_string_equal(icp->summary, "");
    assert_false(icp->has_profile || icp->has_review || icp->has_grades || icp->has_levels);
    assert_int_equal(icp->owner_count + icp->cap_count + icp->disqualifier_count, 0);
    assert_int_equal(icp->grade_count, 4);
    assert_string_equal(icp->grades[1].name, "B");
    assert_int_equal(icp->grades[1].min, 6000);
    assert_int_equal(icp->level_count, 3);
    assert_string_equal(icp->levels[1].name, "2");
    assert_int_equal(icp->levels[1].min, 4000);
    assert_int_equal(attribute->axis, LF_AXIS_FIT);
    assert_int_equal(attribute->otherwise, 0);
    assert_int_equal(attribute->missing, 0);
    assert_false(attribute->skip_missing);
    assert_string_equal(attribute->rationale, "");
    assert_int_equal(attribute->rules[0].fit, LF_FIT_ONE);
    assert_true(attribute->rules[0].fade_field == SIZE_MAX);
    assert_string_equal(attribute->rules[0].label, "f is 1");
}

static void
test_members(void **state)
{
    const struct lf_icp *icp = support_icp(
        *state,
        "{'key':'k-1','name':'N','framework':'life_stages','purpose':'experimental','summary':'S',"
        "'profile':{'pain_points':['x']},'owners':[{'name':'Ann','function':'sales'}],'review_by':'1970-01-02',"
        "'attributes':[{'key':'a','label':'A','category':'legal','axis':'engagement','weight':7,'rationale':'R',"
        "'otherwise':-0.5,'missing':'skip','rules':[{'when':{'field':'x.y','is':1},'fit':0.25,'label':'L',"
        "'fade':{'field':'d','days':30}}]}],"
        "'caps':[{'category':'legal','axis':'engagement','max':3}],"
        "'grades':[{'grade':'Gold','min':33.33},{'grade':'Rest','min':0}]}");

    assert_int_equal(icp->purpose, LF_PURPOSE_EXPERIMENTAL);
    assert_string_equal(icp->framework, "life_stages");
    assert_true(icp->has_profile && icp->has_review && icp->has_grades && !icp->has_levels);
    assert_true(icp->review_by_us == INT64_C(86400000000));
    assert_string_equal(icp->owners[0].function, "sales");
    assert_int_equal(icp->attributes[0].axis, LF_AXIS_ENGAGEMENT);
    assert_int_equal(icp->attributes[0].otherwise, -500000);
    assert_true(icp->attributes[0].skip_missing);
    assert_int_equal(icp->attributes[0].rules[0].fit, 250000);
    assert_int_equal(icp->attributes[0].rules[0].fade_days, 30);
    assert_string_equal(icp->fields.paths[icp->attributes[0].rules[0].fade_field], "d");
    assert_int_equal(icp->caps[0].max, 3);
    assert_int_equal(icp->grades[0].min, 3333);
}

/* The hash is that of the canonical form: order, white space and ways to write a number make no other definition;
 * defaults written out do. */
static void
test_hash(void **state)
{
    const struct lf_icp *plain = support_icp(*state, "{" SOUND "}");
    const struct lf_icp *turned = support_icp(
        *state, "{ 'attributes':[{'weight':1.0e1,'rules':[{'when':{'is':1.0,'field':'f'}}],'label':'\\u0041',"
                "'category':'need','key':'a'}],'framework':'pain_points','name':'N','key':'k'}");
    const struct lf_icp *filled = support_icp(*state, WITH("'purpose':'core'"));

    assert_memory_equal(plain->hash, turned->hash, LF_SHA256_SIZE);
    assert_memory_not_equal(plain->hash, filled->hash, LF_SHA256_SIZE);
}

static void
test_not_json(void **state)
{
    struct lf_findings findings;
    const struct lf_icp *icp = NULL;
    struct lf_error error;

    lf_findings_init(&findings, *state);
    assert_int_equal(lf_icp_parse_text(*state, "{\"key\":01}", 10, &findings, &icp, &error), LF_INVALID_JSON);
    assert_int_equal(findings.count, 0);
    assert_null(icp);
}

/* "did you mean": a slip of a key or two names the word. */
static void
test_near_miss(void **state)
{
    struct lf_findings findings;
    const struct lf_icp *icp = NULL;
    struct lf_error error;
    const char *text = support_quoted(*state, WITH("'disqualifier':[],'purpose':'experimetal'"));

    lf_findings_init(&findings, *state);
    assert_int_equal(lf_icp_parse_text(*state, text, strlen(text), &findings, &icp, &error), LF_INVALID_DEFINITION);
    assert_int_equal(findings.count, 2);
    assert_non_null(strstr(findings.items[0].detail, "did you mean disqualifiers?"));
    assert_non_null(strstr(findings.items[1].detail, "did you mean experimental?"));
    assert_non_null(strstr(error.detail, "2 faults"));
}

/* Wherever memory runs out, a status comes back. */
static void
test_out_of_memory(void **state)
{
    size_t len = 0;
    const char *text = support_file(*state, SUPPORT_CONFIG_PATHS[0], &len);
    bool worked = false;

    for (size_t max = 1000; !worked; max += max / 8) {
        struct lf_arena *arena = lf_arena_create(256, max);
        struct lf_findings findings;
        const struct lf_icp *icp = NULL;
        struct lf_error error;
        enum lf_status status = LF_OK;

        assert_true(max < (size_t)64 << 20);
        if (arena == NULL)
            continue;
        lf_findings_init(&findings, arena);
        status = lf_icp_parse_text(arena, text, len, &findings, &icp, &error);
        assert_true(status == LF_OK || status == LF_OUT_OF_MEMORY);
        worked = status == LF_OK;
        lf_arena_destroy(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_rows),      SUPPORT_TEST(test_limits),        SUPPORT_TEST(test_two_hundred_attributes),
        SUPPORT_TEST(test_depth),     SUPPORT_TEST(test_more_than_fit), SUPPORT_TEST(test_defaults),
        SUPPORT_TEST(test_members),   SUPPORT_TEST(test_hash),          SUPPORT_TEST(test_not_json),
        SUPPORT_TEST(test_near_miss), SUPPORT_TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
