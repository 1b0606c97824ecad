/*
 * test_diff.c - what differs between two definitions: every member with its path, values and words; and, on definitions
 * varied at random, that the differences carried out on the earlier one by name give the later one.
 */
#include "core/diff.h"

#include "base/buf.h"
#include "support.h"

#define HEAD "'key':'k','name':'N','framework':'pain_points'"
#define ATTRIBUTE(members) "{'key':'size','label':'Size','category':'firmographic','weight':20," members "}"
#define SMALL "{'when':{'field':'n','between':[1,9]},'fit':0.5,'label':'small'}"
#define LARGE "{'when':{'field':'n','gte':10},'label':'large'}"
#define OTHER "{'key':'pain','label':'Pain','category':'need','weight':10,'rules':[{'when':{'field':'p','is':1}}]}"
#define SOUND "'attributes':[" ATTRIBUTE("'rules':[" SMALL "," LARGE "]") "]"
#define WITH(members) "{" HEAD "," SOUND "," members "}"
#define PLAIN "{" HEAD "," SOUND "}"
#define ONLY(attributes) "{" HEAD ",'attributes':[" attributes "]}"
#define ONE(members) ONLY(ATTRIBUTE(members))
#define RULES(rules) ONE("'rules':[" rules "]")
#define WHEN(condition) RULES("{'when':" condition ",'label':'x'}")
#define CONDITION "replace /attributes/size/rules/x/when the condition of size, x: "

struct row {
    const char *why, *before, *after;
    const char *expected; /* "op path words" of each, a line each */
};

static const struct row ROWS[] = {
    {"nothing", PLAIN, PLAIN, ""},

    /* defaults count as values */
    {"all defaults stated", PLAIN,
     "{" HEAD ",'purpose':'core','profile':{'goals':[]},'owners':[],'caps':[],'disqualifiers':[],"
     "'attributes':[{'key':'size','label':'Size','category':'firmographic','axis':'fit','weight':20,'otherwise':0,"
     "'missing':0,'rules':[" SMALL ",{'when':{'field':'n','gte':10},'fit':1,'label':'large'}]}],"
     "'grades':[{'grade':'A','min':80},{'grade':'B','min':60},{'grade':'C','min':40},{'grade':'D','min':0}],"
     "'levels':[{'level':1,'min':70},{'level':2,'min':40},{'level':3,'min':0}]}",
     ""},
    {"a label that says what the condition says", RULES("{'when':{'field':'n','gte':10}}"),
     RULES("{'when':{'field':'n','gte':10},'label':'n at least 10'}"), ""},
    {"members in another order, numbers written otherwise", RULES(SMALL),
     "{" HEAD ",'attributes':[{'weight':2e1,'key':'size','category':'firmographic','label':'Size','rules':["
     "{'label':'small','fit':0.50,'when':{'between':[1.0,9],'field':'n'}}]}]}",
     ""},

    /* the ICP itself */
    {"key", PLAIN, "{'key':'l','name':'N','framework':'pain_points'," SOUND "}",
     "replace /key key from \"k\" to \"l\""},
    {"name", PLAIN, "{'key':'k','name':'M','framework':'pain_points'," SOUND "}",
     "replace /name name from \"N\" to \"M\""},
    {"framework", PLAIN, "{'key':'k','name':'N','framework':'jobs_to_be_done'," SOUND "}",
     "replace /framework framework from pain points to jobs to be done"},
    {"purpose", WITH("'purpose':'experimental'"), PLAIN, "replace /purpose purpose from experimental to core"},
    {"a summary comes", PLAIN, WITH("'summary':'S'"), "add /summary new summary: \"S\""},
    {"a summary goes", WITH("'summary':'S'"), PLAIN, "remove /summary the summary is gone"},
    {"a summary changes", WITH("'summary':'S'"), WITH("'summary':'T'"), "replace /summary summary from \"S\" to \"T\""},
    {"a long summary changes", WITH("'summary':'S'"),
     WITH("'summary':'123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 1'"),
     "replace /summary the summary is reworded"},
    {"a long summary comes", PLAIN,
     WITH("'summary':'123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 1'"),
     "add /summary new summary: "
     "\"123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789…\""},
    {"a review date", WITH("'review_by':'2027-01-01'"), WITH("'review_by':'2027-06-01'"),
     "replace /review_by review date from \"2027-01-01\" to \"2027-06-01\""},
    {"profile texts", WITH("'profile':{'problem':'P','buyer':'B'}"), WITH("'profile':{'problem':'Q','user':'U'}"),
     "replace /profile/problem profile: problem from \"P\" to \"Q\"\n"
     "remove /profile/buyer profile: the buyer is gone\n"
     "add /profile/user profile: new user: \"U\""},
    {"profile lists", WITH("'profile':{'pain_points':['a','b'],'kpis':['k']}"),
     WITH("'profile':{'pain_points':['b','c/d'],'not_for':['n']}"),
     "remove /profile/pain_points/a profile: pain point \"a\" is gone\n"
     "add /profile/pain_points/c~1d profile: new pain point \"c/d\"\n"
     "remove /profile/kpis/k profile: KPI \"k\" is gone\n"
     "add /profile/not_for/n profile: new exclusion \"n\""},
    {"the same text twice", WITH("'profile':{'goals':['a','a']}"), WITH("'profile':{'goals':['a','a','a']}"),
     "add /profile/goals/a (3) profile: new goal \"a\""},
    {"the whole profile goes", WITH("'profile':{'problem':'P','goals':['g']}"), PLAIN,
     "remove /profile/problem profile: the problem is gone\n"
     "remove /profile/goals/g profile: goal \"g\" is gone"},
    {"owners", WITH("'owners':[{'name':'Ann','function':'sales'},{'name':'Bo','function':'product'}]"),
     WITH("'owners':[{'name':'Ann','function':'marketing'},{'name':'Cy','function':'success'}]"),
     "replace /owners/Ann/function function of Ann from \"sales\" to \"marketing\"\n"
     "remove /owners/Bo owner Bo (product) is gone\n"
     "add /owners/Cy new owner Cy (success)"},
    {"two owners of one name", WITH("'owners':[{'name':'Ann','function':'sales'},{'name':'Ann','function':'product'}]"),
     WITH("'owners':[{'name':'Ann','function':'product'}]"), "remove /owners/Ann owner Ann (sales) is gone"},

    /* attributes */
    {"an attribute comes", PLAIN, ONLY(ATTRIBUTE("'rules':[" SMALL "," LARGE "]") "," OTHER),
     "add /attributes/pain new attribute pain (weight 10)"},
    {"an attribute goes", ONLY(OTHER "," ATTRIBUTE("'rules':[" SMALL "]")), ONE("'rules':[" SMALL "]"),
     "remove /attributes/pain attribute pain is gone (weight 10)"},
    {"attributes change places", ONLY(OTHER "," ATTRIBUTE("'rules':[" SMALL "]")),
     ONLY(ATTRIBUTE("'rules':[" SMALL "]") "," OTHER), "move /attributes/pain attribute pain from place 1 to 2"},
    {"label", RULES(SMALL),
     ONLY("{'key':'size','label':'Staff','category':'firmographic','weight':20,'rules':[" SMALL "]}"),
     "replace /attributes/size/label label of size from \"Size\" to \"Staff\""},
    {"category, axis and weight", RULES(SMALL),
     ONLY("{'key':'size','label':'Size','category':'decision_maker','axis':'engagement','weight':25,'rules':[" SMALL
          "]}"),
     "replace /attributes/size/category category of size from firmographic to decision maker\n"
     "replace /attributes/size/axis axis of size from fit to engagement\n"
     "replace /attributes/size/weight weight of size from 20 to 25"},
    {"rationale", ONE("'rationale':'R','rules':[" SMALL "]"), RULES(SMALL),
     "remove /attributes/size/rationale the rationale of size is gone"},
    {"otherwise and missing", RULES(SMALL), ONE("'otherwise':0.25,'missing':'skip','rules':[" SMALL "]"),
     "replace /attributes/size/otherwise size: otherwise from 0 to 0.25\n"
     "replace /attributes/size/missing size: when unknown from 0 to left out of the sum"},
    {"no longer left out", ONE("'missing':'skip','rules':[" SMALL "]"), ONE("'missing':-0.5,'rules':[" SMALL "]"),
     "replace /attributes/size/missing size: when unknown from left out of the sum to -0.5"},

    /* rules */
    {"fit", RULES(SMALL), RULES("{'when':{'field':'n','between':[1,9]},'fit':0.25,'label':'small'}"),
     "replace /attributes/size/rules/small/fit size: small from 0.5 to 0.25"},
    {"fit from its default", RULES(LARGE), RULES("{'when':{'field':'n','gte':10},'fit':-0.000001,'label':'large'}"),
     "replace /attributes/size/rules/large/fit size: large from 1 to -0.000001"},
    {"a new name", RULES(SMALL), RULES("{'when':{'field':'n','between':[1,9]},'fit':0.5,'label':'1-9 people'}"),
     "replace /attributes/size/rules/small/label size: rule \"small\" is now called \"1-9 people\""},
    {"a new name and fit: still the same rule", RULES(SMALL),
     RULES("{'when':{'field':'n','between':[1,9]},'fit':1,'label':'1-9'}"),
     "replace /attributes/size/rules/small/label size: rule \"small\" is now called \"1-9\"\n"
     "replace /attributes/size/rules/small/fit size: 1-9 from 0.5 to 1"},
    {"its first name", RULES("{'when':{'field':'n','gte':10}}"), RULES(LARGE),
     "replace /attributes/size/rules/n at least 10/label size: rule \"n at least 10\" is now called \"large\""},
    {"a new name and condition: another rule", RULES(SMALL), RULES(LARGE),
     "remove /attributes/size/rules/small size: rule \"small\" is gone\n"
     "add /attributes/size/rules/large size: new rule \"large\" (1)"},
    {"names change hands", RULES(SMALL "," LARGE),
     RULES("{'when':{'field':'n','between':[1,9]},'fit':0.5,'label':'large'},"
           "{'when':{'field':'n','gte':10},'label':'small'}"),
     "replace /attributes/size/rules/large/when the condition of size, large: n at least 10 → from 1 to 9\n"
     "replace /attributes/size/rules/large/fit size: large from 1 to 0.5\n"
     "move /attributes/size/rules/small size: rule \"small\" from place 1 to 2\n"
     "replace /attributes/size/rules/small/when the condition of size, small: n from 1 to 9 → at least 10\n"
     "replace /attributes/size/rules/small/fit size: small from 0.5 to 1"},
    {"two rules of one name", RULES(SMALL ",{'when':{'field':'m','is':1},'label':'small'}"),
     RULES("{'when':{'field':'m','is':1},'fit':0,'label':'small'}"),
     "remove /attributes/size/rules/small size: rule \"small\" is gone\n"
     "replace /attributes/size/rules/small (2)/fit size: small from 1 to 0"},
    {"a rule is called as another one is numbered",
     RULES("{'when':{'field':'m','is':1},'label':'x (2)'},{'when':{'field':'m','is':2},'label':'x'},"
           "{'when':{'field':'m','is':3},'label':'x'}"),
     RULES("{'when':{'field':'m','is':1},'label':'x (2)'},{'when':{'field':'m','is':2},'label':'x'},"
           "{'when':{'field':'m','is':3},'label':'x','fit':0}"),
     "replace /attributes/size/rules/x (3)/fit size: x from 1 to 0"},
    {"a rule goes", RULES(SMALL "," LARGE), RULES(LARGE),
     "remove /attributes/size/rules/small size: rule \"small\" is gone"},
    {"a rule comes last", RULES(SMALL), RULES(SMALL "," LARGE),
     "add /attributes/size/rules/large size: new rule \"large\" (1)"},
    {"a rule comes first", RULES(LARGE), RULES(SMALL "," LARGE),
     "add /attributes/size/rules/small size: new rule \"small\" (0.5), tried before \"large\""},
    {"a name to be escaped", RULES("{'when':{'field':'n','is':1},'label':'a/b~c'}"),
     RULES("{'when':{'field':'n','is':1},'label':'a/b~c','fit':0.5}"),
     "replace /attributes/size/rules/a~1b~0c/fit size: a/b~c from 1 to 0.5"},
    {"fading begins", RULES(LARGE),
     RULES("{'when':{'field':'n','gte':10},'label':'large','fade':{'field':'d','days':90}}"),
     "add /attributes/size/rules/large/fade size: large now fades by d over 90 days"},
    {"fading changes", RULES("{'when':{'field':'n','is':1},'label':'x','fade':{'field':'d','days':90}}"),
     RULES("{'when':{'field':'n','is':1},'label':'x','fade':{'field':'e','days':1}}"),
     "replace /attributes/size/rules/x/fade size: x fades by e over 1 day, before by d over 90 days"},
    {"fading ends", RULES("{'when':{'field':'n','is':1},'label':'x','fade':{'field':'d','days':90}}"),
     RULES("{'when':{'field':'n','is':1},'label':'x'}"),
     "remove /attributes/size/rules/x/fade size: x no longer fades"},

    /* conditions */
    {"a range", WHEN("{'field':'company.employees','between':[200,499]}"),
     WHEN("{'field':'company.employees','between':[100,499]}"),
     CONDITION "company.employees from 200 to 499 → from 100 to 499"},
    {"another field", WHEN("{'field':'a','gt':1}"), WHEN("{'field':'b','gt':1}"), CONDITION "a over 1 → b over 1"},
    {"a field that begins alike", WHEN("{'field':'a','gt':1}"), WHEN("{'field':'ab','gt':1}"),
     CONDITION "a over 1 → ab over 1"},
    {"an entry comes", WHEN("{'field':'c','in':['DE','AT']}"), WHEN("{'field':'c','in':['DE','LI','AT']}"),
     CONDITION "c: also LI"},
    {"entries come and go", WHEN("{'field':'c','in':['DE','AT',1,true]}"), WHEN("{'field':'c','in':['DE',2,false]}"),
     CONDITION "c: also 2, false; no longer AT, 1, true"},
    {"many entries come", WHEN("{'field':'c','has_word':['z']}"),
     WHEN("{'field':'c','has_word':['a','b','c','d','e','f','g','z']}"), CONDITION "c: also a, b, c, d, e and 2 more"},
    {"six are told", WHEN("{'field':'c','has_word':['z']}"),
     WHEN("{'field':'c','has_word':['a','b','c','d','e','f','z']}"), CONDITION "c: also a, b, c, d, e, f"},
    {"entries in another order", WHEN("{'field':'c','in':['a','b']}"), WHEN("{'field':'c','in':['b','a']}"),
     CONDITION "c: the same, written in another way"},
    {"one text in place of another", WHEN("{'field':'c','contains':'a'}"), WHEN("{'field':'c','contains':'b'}"),
     CONDITION "c contains a → contains b"},
    {"one text as a list", WHEN("{'field':'c','contains':'a'}"), WHEN("{'field':'c','contains':['a']}"),
     CONDITION "c contains a, changed in a detail"},
    {"one part of many", WHEN("{'all':[{'field':'a','is':1},{'any':[{'field':'b','is':1},{'field':'c','lt':5}]}]}"),
     WHEN("{'all':[{'field':'a','is':1},{'any':[{'field':'b','is':1},{'field':'c','lt':6}]}]}"),
     CONDITION "c under 5 → under 6"},
    {"one part comes", WHEN("{'any':[{'field':'a','is':1},{'field':'b','is':1}]}"),
     WHEN("{'any':[{'field':'a','is':1},{'field':'c','is':1},{'field':'b','is':1}]}"), CONDITION "also c is 1"},
    {"two parts go", WHEN("{'any':[{'field':'a','is':1},{'field':'b','is':1},{'field':'c','is':1}]}"),
     WHEN("{'any':[{'field':'a','is':1}]}"), CONDITION "no longer b is 1, c is 1"},
    {"below a not", WHEN("{'not':{'field':'a','exists':true}}"), WHEN("{'not':{'field':'a','exists':false}}"),
     CONDITION "a is known → is not known"},
    {"all becomes any", WHEN("{'all':[{'field':'a','is':1},{'field':'b','is':1}]}"),
     WHEN("{'any':[{'field':'a','is':1},{'field':'b','is':1}]}"), CONDITION "a is 1 and b is 1 → a is 1 or b is 1"},
    {"parts change places", WHEN("{'all':[{'field':'a','is':1},{'field':'b','is':1}]}"),
     WHEN("{'all':[{'field':'b','is':1},{'field':'a','is':1}]}"), CONDITION "a is 1 and b is 1 → b is 1 and a is 1"},
    {"a leaf becomes an any", WHEN("{'field':'a','is':1}"), WHEN("{'any':[{'field':'a','is':1},{'field':'b','is':1}]}"),
     CONDITION "a is 1 → a is 1 or b is 1"},

    /* caps, disqualifiers, grades */
    {"caps", WITH("'caps':[{'category':'need','max':15},{'category':'behavioral','axis':'engagement','max':9}]"),
     WITH("'caps':[{'category':'behavioral','max':5},{'category':'need','axis':'fit','max':20}]"),
     "add /caps/behavioral/fit new cap of behavioral (5 points)\n"
     "replace /caps/need/fit/max cap of need from 15 to 20\n"
     "remove /caps/behavioral/engagement the cap of behavioral on engagement is gone (9 points)"},
    {"disqualifiers",
     WITH("'disqualifiers':[{'key':'a','reason':'A','when':{'field':'f','is':1}},"
          "{'key':'b','reason':'B','when':{'field':'f','is':2}}]"),
     WITH("'disqualifiers':[{'key':'competitor','reason':'C','when':{'field':'f','is':1}},"
          "{'key':'a','reason':'AA','when':{'field':'f','is':3}}]"),
     "add /disqualifiers/competitor disqualifier competitor is new\n"
     "replace /disqualifiers/a/reason reason of disqualifier a from \"A\" to \"AA\"\n"
     "replace /disqualifiers/a/when the condition of disqualifier a: f is 1 → is 3\n"
     "remove /disqualifiers/b disqualifier b is gone"},
    {"a grade's minimum", PLAIN,
     WITH("'grades':[{'grade':'A','min':85.5},{'grade':'B','min':60},{'grade':'C','min':40},{'grade':'D','min':0}]"),
     "replace /grades/A/min grade A from 80 to 85.5"},
    {"grades of its own", PLAIN, WITH("'grades':[{'grade':'hot/now','min':80},{'grade':'D','min':0}]"),
     "remove /grades/A grade A is gone\nremove /grades/B grade B is gone\nremove /grades/C grade C is gone\n"
     "add /grades/hot~1now new grade hot/now (from 80)"},
    {"grades that change places have not moved",
     WITH("'grades':[{'grade':'A','min':80},{'grade':'B','min':50},{'grade':'C','min':0}]"),
     WITH("'grades':[{'grade':'B','min':80},{'grade':'A','min':50},{'grade':'C','min':0}]"),
     "replace /grades/B/min grade B from 50 to 80\nreplace /grades/A/min grade A from 80 to 50"},
    {"levels", PLAIN, WITH("'levels':[{'level':1,'min':60},{'level':2,'min':0}]"),
     "replace /levels/1/min level 1 from 70 to 60\nreplace /levels/2/min level 2 from 40 to 0\n"
     "remove /levels/3 level 3 is gone"},
};

static struct lf_diff
diff_of(struct lf_arena *arena, const char *before, const char *after)
{
    const struct lf_icp *old = support_icp(arena, before), *new = support_icp(arena, after);
    struct lf_diff diff;
    struct lf_error error;

    assert_int_equal(lf_diff(arena, support_json(arena, before), old, support_json(arena, after), new, &diff, &error),
                     LF_OK);
    return diff;
}

static const char *
told(struct lf_arena *arena, struct lf_diff diff)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 20);
    for (size_t i = 0; i < diff.count; i++)
        lf_buf_printf(&buf, "%s%s %s %s", i > 0 ? "\n" : "", diff.items[i].op, diff.items[i].path, diff.items[i].words);
    return lf_buf_terminate(&buf);
}

static void
test_rows(void **state)
{
    bool fine = true;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *found = told(*state, diff_of(*state, ROWS[i].before, ROWS[i].after));
        if (strcmp(found, ROWS[i].expected) != 0) {
            print_error("%s:\n%s\nexpected:\n%s\n", ROWS[i].why, found, ROWS[i].expected);
            fine = false;
        }
    }
    assert_true(fine);
}

/* Every field of an item, for each op. */
static void
test_items(void **state)
{
    static const struct {
        const char *before, *after;
        struct lf_difference item;
    } CASES[] = {
        {RULES(SMALL),
         RULES("{'when':{'field':'n','between':[1,9]},'fit':0.25,'label':'small'}"),
         {"replace", "/attributes/size/rules/small/fit", "size", "small", "0.5", "0.25", "size: small from 0.5 to 0.25",
          0}},
        {RULES(SMALL),
         RULES("{'when':{'field':'n','between':[1,9]},'fit':0.5,'label':'S'}"),
         {"replace", "/attributes/size/rules/small/label", "size", "S", "\"small\"", "\"S\"",
          "size: rule \"small\" is now called \"S\"", 0}},
        {RULES(LARGE),
         RULES(SMALL "," LARGE),
         {"add", "/attributes/size/rules/small", "size", "small", "",
          "{\"fit\":0.5,\"label\":\"small\",\"when\":{\"between\":[1,9],\"field\":\"n\"}}",
          "size: new rule \"small\" (0.5), tried before \"large\"", 1}},
        {RULES(SMALL "," LARGE),
         RULES(LARGE),
         {"remove", "/attributes/size/rules/small", "size", "small",
          "{\"fit\":0.5,\"label\":\"small\",\"when\":{\"between\":[1,9],\"field\":\"n\"}}", "",
          "size: rule \"small\" is gone", 0}},
        {RULES(SMALL "," LARGE),
         RULES(LARGE "," SMALL),
         {"move", "/attributes/size/rules/small", "size", "small", "1", "2", "size: rule \"small\" from place 1 to 2",
          2}},
        {PLAIN,
         WITH("'grades':[{'grade':'A','min':80},{'grade':'B','min':60},{'grade':'C','min':40},"
              "{'grade':'D','min':20.25},{'grade':'E','min':0}]"),
         {"replace", "/grades/D/min", "", "", "0", "20.25", "grade D from 0 to 20.25", 0}},
        {PLAIN, WITH("'summary':'S'"), {"add", "/summary", "", "", "", "\"S\"", "new summary: \"S\"", 0}},
        {ONE("'missing':'skip','rules':[" SMALL "]"),
         RULES(SMALL),
         {"replace", "/attributes/size/missing", "size", "", "\"skip\"", "0",
          "size: when unknown from left out of the sum to 0", 0}},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct lf_diff diff = diff_of(*state, CASES[i].before, CASES[i].after);
        const struct lf_difference *item = &diff.items[0], *wanted = &CASES[i].item;

        assert_true(diff.count >= 1);
        assert_string_equal(item->op, wanted->op);
        assert_string_equal(item->path, wanted->path);
        assert_string_equal(item->attribute, wanted->attribute);
        assert_string_equal(item->rule, wanted->rule);
        assert_string_equal(item->before, wanted->before);
        assert_string_equal(item->after, wanted->after);
        assert_string_equal(item->words, wanted->words);
        assert_int_equal(item->place, wanted->place);
    }
}

/* "e a c" from "a b c": how many moves are told. Each letter is an attribute. */
static void
test_moves(void **state)
{
    static const struct {
        const char *before, *after, *expected; /* letters and new places of what moved */
    } CASES[] = {
        {"abcde", "abcde", ""},   {"abcde", "bcdea", "a5"},       {"abcde", "eabcd", "e1"},
        {"abcde", "abdce", "c4"}, {"abcde", "edcba", "d2c3b4a5"}, {"abcde", "axbcde", ""},
        {"abcde", "cde", ""},     {"abcde", "xdabey", "d2"},      {"abcdef", "dabcfe", "d1e6"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *texts[2] = {CASES[i].before, CASES[i].after}, *definitions[2];
        struct lf_diff diff;
        struct lf_buf moves;

        for (size_t side = 0; side < 2; side++) {
            struct lf_buf buf;
            lf_buf_init(&buf, *state, 1 << 16);
            lf_buf_lit(&buf, "{" HEAD ",'attributes':[");
            for (const char *c = texts[side]; *c != '\0'; c++)
                lf_buf_printf(&buf,
                              "%s{'key':'%c','label':'L','category':'need','weight':1,"
                              "'rules':[{'when':{'field':'f','is':1}}]}",
                              c == texts[side] ? "" : ",", *c);
            lf_buf_lit(&buf, "]}");
            definitions[side] = lf_buf_terminate(&buf);
        }
        diff = diff_of(*state, definitions[0], definitions[1]);
        lf_buf_init(&moves, *state, 1 << 10);
        for (size_t k = 0; k < diff.count; k++)
            if (strcmp(diff.items[k].op, "move") == 0)
                lf_buf_printf(&moves, "%s%s", diff.items[k].attribute, diff.items[k].after);
        assert_string_equal(lf_buf_terminate(&moves), CASES[i].expected);
    }
}

/* Short of memory at any point it fails, and nothing else. */
static void
test_memory(void **state)
{
    const char *before = ONLY(OTHER "," ATTRIBUTE("'rules':[" SMALL "," LARGE "]"));
    const char *after =
        ONLY(ATTRIBUTE("'rationale':'R','rules':[" LARGE ",{'when':{'any':[{'field':'c','in':['a']}]}}]"));
    const struct lf_icp *old = support_icp(*state, before), *new = support_icp(*state, after);
    const struct lf_json *old_json = support_json(*state, before), *new_json = support_json(*state, after);
    const char *expected = told(*state, diff_of(*state, before, after));
    size_t fine = 0;

    for (size_t max = 64; max < 20000; max += 16) {
        struct lf_arena *arena = lf_arena_create(64, max);
        struct lf_diff diff = {NULL, 99};
        struct lf_error error;

        assert_non_null(arena);
        if (lf_diff(arena, old_json, old, new_json, new, &diff, &error) == LF_OK) {
            assert_string_equal(told(*state, diff), expected);
            fine++;
        } else {
            assert_true(error.status == LF_OUT_OF_MEMORY && diff.count == 99);
        }
        lf_arena_destroy(arena);
    }
    assert_true(fine > 0 && fine < 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_rows),
        SUPPORT_TEST(test_items),
        SUPPORT_TEST(test_moves),
        SUPPORT_TEST(test_memory),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
