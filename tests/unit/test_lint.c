/*
 * test_lint.c - what lint says, where, and what it keeps silent about.
 *
 * A row's definition is a sound one (which lint has nothing to say about) with some of its members replaced; what is
 * expected is the whole list of "severity code pointer", so that each row is also a test of silence. Every check has
 * near misses beside it.
 */
#include "core/lint.h"

#include "support.h"

#include "base/time.h"

/* ---- rows ---- */

/* Members of the sound definition; a row replaces what it names. */
#define PROFILE "'summary':'Ann plans on paper','profile':{'problem':'Plans break','not_for':['Banks']},"
#define OWNERS "'owners':[{'name':'Ann','function':'sales'},{'name':'Bo','function':'product'}],"
#define REVIEW "'review_by':'2027-03-01',"
#define DISQUALIFIERS "'disqualifiers':[{'key':'rival','reason':'Rival','when':{'field':'rival','is':true}}],"
#define GRADES "'grades':[{'grade':'A','min':50},{'grade':'B','min':0}],"
#define LEVELS "'levels':[{'level':1,'min':50},{'level':2,'min':0}],"
#define AROUND PROFILE OWNERS REVIEW DISQUALIFIERS GRADES LEVELS

/* Two attributes; the first one's members after its weight are the row's. */
#define ATTRIBUTE(members) \
    "{'key':'size','label':'Size','category':'firmographic','rationale':'Because','weight':10," members "}"
#define OTHER                                                                           \
    "{'key':'pain','label':'Pain','category':'need','rationale':'Because','weight':10," \
    "'rules':[{'when':{'field':'pain','is':'late'},'label':'Late'}]}"
#define FIRST(members) AROUND "'attributes':[" ATTRIBUTE(members) "," OTHER "]"
#define RULES(rules) FIRST("'rules':[" rules "]")
#define RULE(label, when, fit) "{'label':'" label "','when':" when ",'fit':" fit "}"
#define FADING(label, when, field) "{'label':'" label "','when':" when ",'fade':{'field':'" field "','days':30}}"
#define BOTH(first, second) RULES(RULE("one", first, "1") "," RULE("two", second, "0.5"))
#define WHEN(condition) RULES(RULE("one", condition, "1"))

#define DEAD "warning dead_rule /attributes/0/rules/1"
#define IMPOSSIBLE "error impossible_condition /attributes/0/rules/0/when"

struct row {
    const char *why, *members;
    const char *expected; /* items joined by "; " */
};

static const struct row ROWS[] = {
    {"a sound definition", WHEN("{'field':'n','gte':5}"), ""},

    /* unknown_list, empty_list: the lists known here are "full" and "empty" */
    {"a list that is there", WHEN("{'field':'d','in_list':'full'}"), ""},
    {"a list that is not", WHEN("{'field':'d','in_list':'fulll'}"),
     "error unknown_list /attributes/0/rules/0/when/in_list"},
    {"a list deep in a condition", WHEN("{'all':[{'field':'n','gt':1},{'not':{'field':'d','in_list':'none'}}]}"),
     "error unknown_list /attributes/0/rules/0/when/all/1/not/in_list"},
    {"an empty list", WHEN("{'field':'d','in_list':'empty'}"), "warning empty_list /attributes/0/rules/0/when/in_list"},
    {"a list of a disqualifier",
     PROFILE OWNERS REVIEW GRADES
     "'disqualifiers':[{'key':'x','reason':'X','when':{'field':'d','in_list':'nope'}}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gt':1}", "1") "]") "]",
     "error unknown_list /disqualifiers/0/when/in_list"},

    /* impossible_condition */
    {"a range the wrong way round", WHEN("{'field':'n','between':[500,200]}"), IMPOSSIBLE "/between"},
    {"a range of one number", WHEN("{'field':'n','between':[5,5]}"), ""},
    {"gt and lt exclude each other", WHEN("{'all':[{'field':'n','gt':10},{'field':'n','lt':5}]}"), IMPOSSIBLE},
    {"gt and lt of one number", WHEN("{'all':[{'field':'n','gt':10},{'field':'n','lt':10}]}"), IMPOSSIBLE},
    {"gte and lte meet", WHEN("{'all':[{'field':'n','gte':10},{'field':'n','lte':10}]}"), ""},
    {"gte and lt of one number", WHEN("{'all':[{'field':'n','gte':10},{'field':'n','lt':10}]}"), IMPOSSIBLE},
    {"gt 1 and lt 2 leave room for 1.5", WHEN("{'all':[{'field':'n','gt':1},{'field':'n','lt':2}]}"), ""},
    {"two fields", WHEN("{'all':[{'field':'n','gt':10},{'field':'m','lt':5}]}"), ""},
    {"any of the two", WHEN("{'any':[{'field':'n','gt':10},{'field':'n','lt':5}]}"), ""},
    {"ranges apart", WHEN("{'all':[{'field':'n','between':[1,2]},{'field':'n','between':[3,4]}]}"), IMPOSSIBLE},
    {"a number and a range", WHEN("{'all':[{'field':'n','is':7},{'field':'n','lt':5}]}"), IMPOSSIBLE},
    {"one of the numbers fits", WHEN("{'all':[{'field':'n','in':[3,7]},{'field':'n','lt':5}]}"), ""},
    {"-0 is 0", WHEN("{'all':[{'field':'n','gte':0},{'field':'n','lte':-0}]}"), ""},
    {"nested all", WHEN("{'all':[{'field':'n','gt':10},{'all':[{'field':'m','is':1},{'field':'n','lt':5}]}]}"),
     IMPOSSIBLE},
    {"an impossible part of an any",
     WHEN("{'any':[{'field':'m','is':1},{'all':[{'field':'n','gt':10},{'field':'n','lt':5}]}]}"), IMPOSSIBLE "/any/1"},
    {"denied: not (x or y) is not x and not y", WHEN("{'not':{'any':[{'field':'n','gt':5},{'field':'n','lte':5}]}}"),
     ""},
    {"denied and asked", WHEN("{'all':[{'field':'n','gt':10},{'not':{'field':'n','gt':5}}]}"), IMPOSSIBLE},
    {"denied and asked of a text", WHEN("{'all':[{'field':'t','is':'a'},{'not':{'field':'t','in':['A ','b']}}]}"),
     IMPOSSIBLE},
    {"denied and asked, but not the same",
     WHEN("{'all':[{'field':'t','in':['a','c']},{'not':{'field':'t','in':['a','b']}}]}"), ""},
    {"dates", WHEN("{'all':[{'field':'d','before':'2026-01-01'},{'field':'d','after':'2026-01-01'}]}"), IMPOSSIBLE},
    {"dates with room", WHEN("{'all':[{'field':'d','before':'2026-01-02'},{'field':'d','after':'2026-01-01'}]}"), ""},
    {"older than it may be", WHEN("{'all':[{'field':'d','within_days':30},{'field':'d','older_than_days':30}]}"),
     IMPOSSIBLE},
    {"between 30 and 90 days old", WHEN("{'all':[{'field':'d','within_days':90},{'field':'d','older_than_days':30}]}"),
     ""},
    {"past and future", WHEN("{'all':[{'field':'d','in_next_days':30},{'field':'d','older_than_days':0}]}"),
     IMPOSSIBLE},
    {"just now is both", WHEN("{'all':[{'field':'d','in_next_days':30},{'field':'d','within_days':30}]}"), ""},
    {"an age and a date are not compared",
     WHEN("{'all':[{'field':'d','within_days':30},{'field':'d','before':'2000-01-01'}]}"), ""},
    {"absent and asked", WHEN("{'all':[{'field':'t','exists':false},{'field':'t','is':'a'}]}"), IMPOSSIBLE},
    {"present and asked", WHEN("{'all':[{'field':'t','exists':true},{'field':'t','is':'a'}]}"), ""},
    {"two texts may stand in one list", WHEN("{'all':[{'field':'t','is':'a'},{'field':'t','is':'b'}]}"), ""},
    {"a field that is a list may answer twice",
     RULES(RULE("one", "{'all':[{'field':'n','gt':10},{'field':'n','lt':5}]}",
                "1") "," RULE("two", "{'field':'n','has_all':['1','2']}", "0.5")),
     ""},
    {"in a disqualifier",
     PROFILE OWNERS REVIEW GRADES
     "'disqualifiers':[{'key':'x','reason':'X','when':{'field':'d','between':[2,1]}}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gt':1}", "1") "]") "]",
     "error impossible_condition /disqualifiers/0/when/between"},

    /* dead_rule */
    {"the same again", BOTH("{'field':'t','is':'a'}", "{'field':'t','is':'a'}"), DEAD},
    {"the same but for case and space", BOTH("{'field':'t','is':'New  York'}", "{'field':'t','is':' new york'}"), DEAD},
    {"another field", BOTH("{'field':'t','is':'a'}", "{'field':'u','is':'a'}"), ""},
    {"one of a set", BOTH("{'field':'t','in':['a','b']}", "{'field':'t','is':'b'}"), DEAD},
    {"a smaller set", BOTH("{'field':'t','in':['a','b','c']}", "{'field':'t','in':['c','a']}"), DEAD},
    {"a set that sticks out", BOTH("{'field':'t','in':['a','b']}", "{'field':'t','in':['b','c']}"), ""},
    {"a larger set", BOTH("{'field':'t','in':['a','b']}", "{'field':'t','in':['a','b','c']}"), ""},
    {"a text is no number", BOTH("{'field':'t','is':'5'}", "{'field':'t','is':5}"), ""},
    {"a boolean of a set", BOTH("{'field':'t','in':[true,'a']}", "{'field':'t','is':true}"), DEAD},
    {"the other boolean", BOTH("{'field':'t','is':true}", "{'field':'t','is':false}"), ""},
    {"a range within", BOTH("{'field':'n','between':[1,100]}", "{'field':'n','between':[20,30]}"), DEAD},
    {"the same range", BOTH("{'field':'n','gte':5}", "{'field':'n','gte':5}"), DEAD},
    {"gte takes gt", BOTH("{'field':'n','gte':5}", "{'field':'n','gt':5}"), DEAD},
    {"gt does not take gte", BOTH("{'field':'n','gt':5}", "{'field':'n','gte':5}"), ""},
    {"a number of a range", BOTH("{'field':'n','gte':5}", "{'field':'n','is':5}"), DEAD},
    {"a number outside", BOTH("{'field':'n','gte':5}", "{'field':'n','is':4.5}"), ""},
    {"two ranges take a third together",
     RULES(RULE("one", "{'field':'n','lt':10}", "1") "," RULE("two", "{'field':'n','gte':10}", "0.5") "," RULE(
         "three", "{'field':'n','between':[5,15]}", "0.2")),
     "warning dead_rule /attributes/0/rules/2"},
    {"two ranges with a hole",
     RULES(RULE("one", "{'field':'n','lt':10}", "1") "," RULE("two", "{'field':'n','gt':10}",
                                                              "0.5") "," RULE("three", "{'field':'n','is':10}", "0.2")),
     ""},
    {"exists takes everything", BOTH("{'field':'t','exists':true}", "{'field':'t','has_word':['a']}"), DEAD},
    {"exists takes a denial, too", BOTH("{'field':'t','exists':true}", "{'not':{'field':'t','has_word':['a']}}"), DEAD},
    {"exists of another field", BOTH("{'field':'u','exists':true}", "{'field':'t','is':'a'}"), ""},
    {"absence takes nothing", BOTH("{'field':'t','exists':false}", "{'field':'t','is':'a'}"), ""},
    {"not absent is present", BOTH("{'not':{'field':'t','exists':false}}", "{'field':'t','is':'a'}"), DEAD},
    {"there or not, all is taken",
     RULES(RULE("one", "{'field':'t','exists':true}", "1") "," RULE(
         "two", "{'field':'t','exists':false}", "0.5") "," RULE("three", "{'field':'u','is':'a'}", "0.2")),
     "warning dead_rule /attributes/0/rules/2"},
    {"fewer words", BOTH("{'field':'t','has_word':['a','b']}", "{'field':'t','has_word':['b']}"), DEAD},
    {"a phrase with the word", BOTH("{'field':'t','has_word':['plant']}", "{'field':'t','has_word':['plant manager']}"),
     DEAD},
    {"a word is not a part of one", BOTH("{'field':'t','has_word':['plan']}", "{'field':'t','has_word':['plant']}"),
     ""},
    {"a part of a word", BOTH("{'field':'t','contains':'plan'}", "{'field':'t','has_word':['plant']}"), DEAD},
    {"begins with more", BOTH("{'field':'t','starts_with':'ab'}", "{'field':'t','starts_with':'abc'}"), DEAD},
    {"begins with less", BOTH("{'field':'t','starts_with':'abc'}", "{'field':'t','starts_with':'ab'}"), ""},
    {"ends with more", BOTH("{'field':'t','ends_with':'bc'}", "{'field':'t','ends_with':'abc'}"), DEAD},
    {"a text that is like it", BOTH("{'field':'t','like':'*@*.edu'}", "{'field':'t','is':'x@y.edu'}"), DEAD},
    {"patterns are not compared", BOTH("{'field':'t','like':'*@*.edu'}", "{'field':'t','like':'*@y.edu'}"), ""},
    {"the same pattern", BOTH("{'field':'t','like':['*x','*y']}", "{'field':'t','like':'*y'}"), DEAD},
    {"more of has_all", BOTH("{'field':'t','has_all':['a','b']}", "{'field':'t','has_all':['b','c','a']}"), DEAD},
    {"less of has_all", BOTH("{'field':'t','has_all':['a','b']}", "{'field':'t','has_all':['a']}"), ""},
    {"has_all of what is taken", BOTH("{'field':'t','is':'a'}", "{'field':'t','has_all':['a','b']}"), DEAD},
    {"has_all of one", BOTH("{'field':'t','has_all':['a']}", "{'field':'t','is':'a'}"), DEAD},
    {"the same list", BOTH("{'field':'t','in_list':'full'}", "{'field':'t','in_list':'full'}"), DEAD},
    {"what stands on a list may change", BOTH("{'field':'t','in_list':'full'}", "{'field':'t','is':'a'}"), ""},
    {"days", BOTH("{'field':'d','within_days':90}", "{'field':'d','within_days':30}"), DEAD},
    {"more days", BOTH("{'field':'d','within_days':30}", "{'field':'d','within_days':90}"), ""},
    {"earlier dates", BOTH("{'field':'d','before':'2026-01-01'}", "{'field':'d','before':'2025-01-01'}"), DEAD},
    {"all asks for more", BOTH("{'field':'t','is':'a'}", "{'all':[{'field':'u','is':'b'},{'field':'t','is':'a'}]}"),
     DEAD},
    {"all before asks for more",
     BOTH("{'all':[{'field':'u','is':'b'},{'field':'t','is':'a'}]}", "{'field':'t','is':'a'}"), ""},
    {"the same in another order",
     BOTH("{'all':[{'field':'u','is':'b'},{'field':'t','is':'a'}]}",
          "{'all':[{'field':'t','is':'a'},{'field':'u','is':'b'}]}"),
     DEAD},
    {"any takes each of its parts",
     BOTH("{'any':[{'field':'u','is':'b'},{'field':'t','is':'a'}]}", "{'field':'t','is':'a'}"), DEAD},
    {"each part of an any is taken",
     RULES(RULE("one", "{'field':'u','is':'b'}", "1") "," RULE("two", "{'field':'t','is':'a'}", "0.5") "," RULE(
         "three", "{'any':[{'field':'t','is':'a'},{'field':'u','is':'b'}]}", "0.2")),
     "warning dead_rule /attributes/0/rules/2"},
    {"one part of an any is not",
     BOTH("{'field':'u','is':'b'}", "{'any':[{'field':'t','is':'a'},{'field':'u','is':'b'}]}"), ""},
    {"denied the same", BOTH("{'not':{'field':'t','is':'a'}}", "{'not':{'field':'t','is':'a'}}"), DEAD},
    {"denied more", BOTH("{'not':{'field':'t','is':'a'}}", "{'not':{'field':'t','in':['a','b']}}"), DEAD},
    {"denied less", BOTH("{'not':{'field':'t','in':['a','b']}}", "{'not':{'field':'t','is':'a'}}"), ""},
    {"denied of another kind: unknown is not false",
     BOTH("{'not':{'field':'t','is':5}}", "{'not':{'field':'t','in':[5,'b']}}"), ""},
    {"not below is at least", BOTH("{'field':'n','gte':50}", "{'not':{'field':'n','lt':50}}"), DEAD},
    {"at least is not 'not below' in a list", BOTH("{'not':{'field':'n','lt':50}}", "{'field':'n','gte':50}"), ""},
    {"a list may answer the parts of an all apart: not dead",
     BOTH("{'field':'n','between':[200,500]}", "{'all':[{'field':'n','gte':200},{'field':'n','lte':500}]}"),
     "warning range_overlap /attributes/0/rules/1"},
    {"De Morgan",
     BOTH("{'not':{'any':[{'field':'t','is':'a'},{'field':'u','is':'b'}]}}",
          "{'all':[{'not':{'field':'u','is':'b'}},{'not':{'field':'t','is':'a'}}]}"),
     DEAD},
    {"a fading rule is unknown without its date",
     RULES(FADING("one", "{'field':'t','is':'a'}", "d") "," RULE("two", "{'field':'t','is':'a'}", "0.5")), ""},
    {"both fade with one date",
     RULES(FADING("one", "{'field':'t','is':'a'}", "d") "," FADING("two", "{'field':'t','is':'a'}", "d")), DEAD},
    {"the condition has read the date",
     RULES(
         FADING("one", "{'field':'d','within_days':90}", "d") "," RULE("two", "{'field':'d','within_days':30}", "0.5")),
     DEAD},
    {"an impossible rule is not dead besides", BOTH("{'field':'n','gte':1}", "{'field':'n','between':[9,8]}"),
     "error impossible_condition /attributes/0/rules/1/when/between"},

    /* range_overlap and range_gap */
    {"ranges that overlap", BOTH("{'field':'n','between':[1,100]}", "{'field':'n','between':[50,200]}"),
     "warning range_overlap /attributes/0/rules/1"},
    {"ranges that share a bound", BOTH("{'field':'n','between':[200,500]}", "{'field':'n','between':[500,900]}"),
     "warning range_overlap /attributes/0/rules/1"},
    {"neighbours", BOTH("{'field':'n','between':[500,900]}", "{'field':'n','between':[200,499]}"), ""},
    {"neighbouring tenths", BOTH("{'field':'n','between':[0.5,1]}", "{'field':'n','between':[0.1,0.4]}"), ""},
    {"an overlap of equal fits",
     RULES(
         RULE("one", "{'field':'n','between':[1,100]}", "1") "," RULE("two", "{'field':'n','between':[50,200]}", "1")),
     ""},
    {"a catch-all after", BOTH("{'field':'n','between':[1,100]}", "{'field':'n','gte':50}"), ""},
    {"a range around the first", BOTH("{'field':'n','between':[50,60]}", "{'field':'n','between':[1,100]}"),
     "warning range_overlap /attributes/0/rules/1"},
    {"an exception before", BOTH("{'field':'n','is':50}", "{'field':'n','between':[1,100]}"), ""},
    {"bounds in an all",
     BOTH("{'all':[{'field':'n','gte':1},{'field':'n','lt':100}]}",
          "{'all':[{'field':'n','gte':100},{'field':'n','lt':200}]}"),
     ""},
    {"bounds in an all that overlap",
     BOTH("{'all':[{'field':'n','gte':1},{'field':'n','lte':100}]}",
          "{'all':[{'field':'n','gte':100},{'field':'n','lt':200}]}"),
     "warning range_overlap /attributes/0/rules/1"},
    {"an open range before", BOTH("{'field':'n','gte':100}", "{'field':'n','between':[50,150]}"),
     "warning range_overlap /attributes/0/rules/1"},
    {"overlap of two fields", BOTH("{'field':'n','between':[1,100]}", "{'field':'m','between':[50,200]}"), ""},
    {"a gap of one", BOTH("{'field':'n','between':[200,499]}", "{'field':'n','gte':501}"),
     "info range_gap /attributes/0/rules/1"},
    {"a gap, the upper range first", BOTH("{'field':'n','gte':501}", "{'field':'n','between':[200,499]}"),
     "info range_gap /attributes/0/rules/0"},
    {"a gap of the bound itself", BOTH("{'field':'n','lt':500}", "{'field':'n','gt':500}"),
     "info range_gap /attributes/0/rules/1"},
    {"lt meets gte", BOTH("{'field':'n','lt':500}", "{'field':'n','gte':500}"), ""},
    {"a gap that a number fills",
     RULES(RULE("one", "{'field':'n','lt':5}", "1") "," RULE("two", "{'field':'n','is':5}",
                                                             "0.5") "," RULE("three", "{'field':'n','gt':5}", "0.2")),
     ""},
    {"a gap that exists fills",
     RULES(RULE("one", "{'field':'n','lt':5}", "1") "," RULE("two", "{'field':'n','gt':10}", "0.5") "," RULE(
         "three", "{'field':'n','exists':true}", "0.2")),
     ""},
    {"single numbers are no ranges", BOTH("{'field':'n','is':1}", "{'field':'n','is':5}"), ""},

    /* unreachable_grade: both attributes weigh 10 */
    {"a grade above the best score",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':80},{'grade':'B','min':50},{'grade':'C','min':0}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "0.5") "]") "," OTHER "]",
     "warning unreachable_grade /grades/0; warning idle_attribute /attributes/0"},
    {"a grade that begins at the best score",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':75},{'grade':'B','min':50},{'grade':'C','min':0}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "0.5") "]") "," OTHER "]",
     ""},
    {"a grade between two scores",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':100},{'grade':'B','min':60},{'grade':'C','min':0}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]") "," OTHER "]",
     "warning unreachable_grade /grades/1"},
    {"fading reaches everything in between",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':100},{'grade':'B','min':60},{'grade':'C','min':0}],"
     "'attributes':[" ATTRIBUTE("'rules':[" FADING("one", "{'field':'n','gte':5}", "d") "]") "," OTHER "]",
     ""},
    {"leaving out reaches other scores: 5 of 10",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':80},{'grade':'B','min':60},{'grade':'C','min':0}],"
     "'attributes':[" ATTRIBUTE("'missing':'skip','rules':[" RULE("one", "{'field':'n','gte':5}", "0.4") "]") "," OTHER
                                                                                                              "]",
     ""},
    {"a grade below the worst score",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':90},{'grade':'B','min':25},{'grade':'C','min':0}],"
     "'attributes':[" ATTRIBUTE(
         "'otherwise':0.5,'missing':0.5,'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]") "," OTHER "]",
     "warning unreachable_grade /grades/2"},
    {"a cap keeps the maximum down, too",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'grades':[{'grade':'A','min':100},{'grade':'B','min':0}],"
     "'caps':[{'category':'need','max':5}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]") "," OTHER "]",
     ""},
    {"the default grades have no place of their own",
     PROFILE OWNERS REVIEW DISQUALIFIERS
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "0.5") "]") "," OTHER "]",
     "warning unreachable_grade /grades"},
    {"a level",
     AROUND "'attributes':[" OTHER
            ",{'key':'v','label':'Visits','category':'behavioral','axis':'engagement','weight':5,"
            "'rationale':'R','rules':[{'when':{'field':'v','gte':1},'fit':0.4}]}]",
     "warning unreachable_grade /levels/0; warning idle_attribute /attributes/1"},

    /* idle_attribute */
    {"all fits the same",
     FIRST("'otherwise':0.5,'missing':0.5,'rules':[" RULE("one", "{'field':'n','gte':5}", "0.5") "]"),
     "warning idle_attribute /attributes/0"},
    {"left out where it is unknown: that changes the rest",
     FIRST("'otherwise':-0.2,'missing':'skip','rules':[" RULE("one", "{'field':'n','gte':5}", "-0.2") "]"), ""},
    {"too light to matter",
     AROUND
     "'attributes':[{'key':'a','label':'A','category':'need','weight':40,'rationale':'R','rules':["
     "{'when':{'field':'a','is':1}}]},{'key':'b','label':'B','category':'need','weight':41,'rationale':'R','rules':["
     "{'when':{'field':'b','is':1}}]},{'key':'c','label':'C','category':'need','weight':5,'rationale':'R','rules':["
     "{'when':{'field':'c','is':1},'fit':0.1}]}]",
     "warning idle_attribute /attributes/2"},
    {"light, but it tips the balance",
     AROUND
     "'attributes':[{'key':'a','label':'A','category':'need','weight':40,'rationale':'R','rules':["
     "{'when':{'field':'a','is':1}}]},{'key':'b','label':'B','category':'need','weight':40,'rationale':'R','rules':["
     "{'when':{'field':'b','is':1}}]},{'key':'c','label':'C','category':'need','weight':1,'rationale':'R','rules':["
     "{'when':{'field':'c','is':1}}]}]",
     ""},
    {"a cap that leaves too little",
     PROFILE OWNERS REVIEW DISQUALIFIERS GRADES
     "'caps':[{'category':'need','max':4}],"
     "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]") "," OTHER "]",
     "warning idle_attribute /attributes/1"},

    /* dominant_attribute */
    {"half of the weight",
     AROUND "'attributes':[" ATTRIBUTE("'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]") "," OTHER "]", ""},
    {"more than half",
     AROUND "'attributes':[{'key':'a','label':'A','category':'need','weight':11,'rationale':'R','rules':["
            "{'when':{'field':'a','is':1}},{'when':{'field':'a','is':2},'fit':0.5}]}," OTHER "]",
     "warning dominant_attribute /attributes/0/weight"},
    {"alone on its axis",
     AROUND "'attributes':[" ATTRIBUTE("'rules':[" RULE(
         "one", "{'field':'n','gte':5}",
         "1") "]") ","
                   "{'key':'v','label':'Visits','category':'behavioral','axis':'engagement','weight':1,'rationale':'R',"
                   "'rules':[{'when':{'field':'v','gte':1}}]}]",
     ""},

    /* around the rules */
    {"says no to nobody", PROFILE OWNERS REVIEW GRADES "'attributes':[" OTHER "]",
     "warning no_disqualifier /disqualifiers"},
    {"reviewed until today", PROFILE OWNERS "'review_by':'2026-11-22'," DISQUALIFIERS GRADES "'attributes':[" OTHER "]",
     ""},
    {"review date passed", PROFILE OWNERS "'review_by':'2026-11-21'," DISQUALIFIERS GRADES "'attributes':[" OTHER "]",
     "warning static_profile /review_by"},
    {"no review date", PROFILE OWNERS DISQUALIFIERS GRADES "'attributes':[" OTHER "]",
     "warning static_profile /review_by"},
    {"no owners", PROFILE REVIEW DISQUALIFIERS GRADES "'attributes':[" OTHER "]", "warning ivory_tower /owners"},
    {"one owner",
     PROFILE "'owners':[{'name':'Ann','function':'sales'}]," REVIEW DISQUALIFIERS GRADES "'attributes':[" OTHER "]",
     "warning ivory_tower /owners"},
    {"owners of one function",
     PROFILE
     "'owners':[{'name':'Ann','function':'Sales'},{'name':'Bo','function':'sales '}]," REVIEW DISQUALIFIERS GRADES
     "'attributes':[" OTHER "]",
     "warning ivory_tower /owners"},
    {"no summary", "'profile':{'pain_points':['Late']}," OWNERS REVIEW DISQUALIFIERS GRADES "'attributes':[" OTHER "]",
     "warning data_only /summary"},
    {"no profile", "'summary':'Ann'," OWNERS REVIEW DISQUALIFIERS GRADES "'attributes':[" OTHER "]",
     "warning data_only /profile"},
    {"a profile without a problem",
     "'summary':'Ann','profile':{'goals':['More'],'pain_points':[]}," OWNERS REVIEW DISQUALIFIERS GRADES
     "'attributes':[" OTHER "]",
     "warning data_only /profile"},
    {"no rationale",
     AROUND "'attributes':[" OTHER ",{'key':'a','label':'A','category':'need','weight':10,"
            "'rules':[{'when':{'field':'a','is':1}}]}]",
     "warning data_only /attributes/1/rationale"},

    /* rewards_absence */
    {"nothing known is better than a non-match",
     FIRST("'missing':0.5,'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]"),
     "warning rewards_absence /attributes/0/missing"},
    {"nothing known is as good as a non-match",
     FIRST("'otherwise':0.5,'missing':0.5,'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]"), ""},
    {"nothing known is neutral, a non-match is bad",
     FIRST("'otherwise':-1,'missing':0,'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]"), ""},
    {"left out", FIRST("'missing':'skip','rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]"), ""},

    /* absent_category_cap */
    {"a cap for nothing", AROUND "'caps':[{'category':'legal','max':9}],'attributes':[" OTHER "]",
     "warning absent_category_cap /caps/0"},
    {"a cap for the other axis",
     AROUND "'caps':[{'category':'need','axis':'engagement','max':9}],'attributes':[" OTHER "]",
     "warning absent_category_cap /caps/0"},
    {"a cap that limits", AROUND "'caps':[{'category':'need','max':9}],'attributes':[" OTHER "]", ""},

    /* muddied_profile */
    {"industries are alternatives", WHEN("{'any':[{'field':'i','is':'bank'},{'field':'i','is':'farm'}]}"), ""},
    {"two kinds of customers",
     WHEN("{'any':[{'all':[{'field':'i','is':'bank'},{'field':'n','gt':500}]},"
          "{'all':[{'field':'i','is':'farm'},{'field':'n','lt':50}]}]}"),
     "info muddied_profile /attributes/0/rules/0/when"},
    {"one field in common",
     WHEN("{'any':[{'all':[{'field':'i','is':'bank'},{'field':'n','gt':500}]},"
          "{'all':[{'field':'i','is':'farm'},{'field':'n','gt':50}]}]}"),
     ""},
};

/* ---- running them ---- */

static struct lf_named_list *full, *empty;

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    (void)context;
    return strcmp(key, "full") == 0 ? full : strcmp(key, "empty") == 0 ? empty : NULL;
}

static struct lf_lint
run(struct lf_arena *arena, const struct lf_icp *icp, bool lists)
{
    struct lf_lint_context context = {.today_us = support_ms("2026-11-22T23:59:59Z") * 1000,
                                      .lists = {lists ? find_list : NULL, NULL}};
    struct lf_lint lint = {.count = 0};
    struct lf_error error;

    assert_int_equal(lf_lint(arena, icp, &context, &lint, &error), LF_OK);
    return lint;
}

static const char *
summed_up(struct lf_arena *arena, const struct lf_lint *lint)
{
    const char *text = "";

    for (size_t i = 0; i < lint->count; i++)
        text = lf_arena_printf(arena, "%s%s%s %s %s", text, i > 0 ? "; " : "",
                               lf_lint_severity_word(lint->items[i].severity), lint->items[i].code,
                               lint->items[i].pointer);
    return text;
}

static void
test_rows(void **state)
{
    const char *const entries[] = {"Acme"};
    struct lf_error error;
    int failures = 0;

    assert_int_equal(lf_named_list_create("full", 1, entries, 1, &full, &error), LF_OK);
    assert_int_equal(lf_named_list_create("empty", 1, NULL, 0, &empty, &error), LF_OK);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_lint lint = run(*state, support_icp_with(*state, ROWS[i].members), true);
        const char *got = summed_up(*state, &lint);

        if (strcmp(got, ROWS[i].expected) != 0) {
            print_error("%s\n  expected: %s\n  got:      %s\n", ROWS[i].why, ROWS[i].expected, got);
            failures++;
        }
        for (size_t k = 0; k < lint.count; k++) {
            assert_true(strlen(lint.items[k].detail) > 20);
            assert_true(strlen(lint.items[k].fix) > 10);
        }
    }
    lf_named_list_destroy(full);
    lf_named_list_destroy(empty);
    assert_int_equal(failures, 0);
}

/* The ICPs that come along are what we would have others write. */
static void
test_config_icps_are_clean(void **state)
{
    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++) {
        struct lf_lint lint = run(*state, support_config_icp(*state, i), false);

        if (lint.counts[LF_LINT_ERROR] + lint.counts[LF_LINT_WARNING] > 0)
            fail_msg("%s: %s", SUPPORT_CONFIG_PATHS[i], summed_up(*state, &lint));
    }
}

static void
test_words(void **state)
{
    static const struct {
        const char *members, *detail, *fix;
    } WORDS[] = {
        {RULES(RULE("Over 100 people", "{'field':'company.employees','gt':100}",
                    "1") "," RULE("200-499 people", "{'field':'company.employees','between':[200,499]}", "0.5")),
         "Size: the rule \"200-499 people\" never counts, because \"Over 100 people\" stands before it and takes every "
         "lead it would take",
         "Put it before \"Over 100 people\", narrow that one, or delete it"},
        {WHEN("{'all':[{'field':'n','gt':10},{'not':{'field':'n','gt':5}}]}"),
         "Size, rule \"one\" can never be true: \"n over 10\" and \"not (n over 5)\" exclude each other",
         "Correct one of the two, or join them with any instead of all"},
        {WHEN("{'any':[{'field':'m','is':1},{'all':[{'field':'n','gt':10},{'field':'n','lt':5}]}]}"),
         "Size, rule \"one\" has a part that can never be true: \"n over 10\" and \"n under 5\" exclude each other",
         "Correct one of the two, or join them with any instead of all"},
        {WHEN("{'not':{'any':[{'field':'n','exists':true},{'field':'n','gt':5}]}}"),
         "Size, rule \"one\" can never be true: \"not (n is known)\" and \"not (n over 5)\" exclude each other",
         "Correct one of the two, or join them with all instead of any"},
        {WHEN("{'field':'n','between':[9,8]}"), "Size, rule \"one\" can never be true: no number is from 9 to 8",
         "Write the lower bound first: [8, 9]"},
        {WHEN("{'not':{'field':'n','between':[9,8]}}"),
         "Size, rule \"one\" has a part that can never be true: no number is from 9 to 8",
         "Write the lower bound first: [8, 9]"},
        {BOTH("{'field':'n','between':[200,500]}", "{'field':'n','between':[500,900]}"),
         "Size: n 500 is in both \"one\" (fit 1) and \"two\" (fit 0.5); the first one counts",
         "Let \"two\" begin where \"one\" ends"},
        {BOTH("{'field':'n','between':[200,499]}", "{'field':'n','gte':501}"),
         "Size: no rule takes n over 499 and under 501, between \"one\" and \"two\"",
         "Let \"two\" begin where \"one\" ends, unless the gap is meant"},
        {BOTH("{'field':'n','lt':10}", "{'field':'n','gt':10}"),
         "Size: no rule takes n 10, between \"one\" and \"two\"",
         "Let \"two\" begin where \"one\" ends, unless the gap is meant"},
        {FIRST("'missing':0.5,'rules':[" RULE("one", "{'field':'n','gte':5}", "1") "]"),
         "Size gives a fit of 0.5 when nothing is known, but 0 to a lead known not to match: empty records outscore "
         "honest ones",
         "Set missing to 0, or to \"skip\" to leave the attribute out where it is unknown"},
        {WHEN("{'field':'d','in_list':'rivals'}"), "Size, rule \"one\": there is no list called rivals",
         "Create the list rivals first, or correct its name here"},
    };

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        struct lf_lint lint = run(*state, support_icp_with(*state, WORDS[i].members), true);

        assert_int_equal(lint.count, 1);
        assert_string_equal(lint.items[0].detail, WORDS[i].detail);
        assert_string_equal(lint.items[0].fix, WORDS[i].fix);
    }
}

/* Nothing is said of lists where they are not known; and without them the rest still is. */
static void
test_lists_unknown_here(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, WHEN("{'field':'d','in_list':'nowhere'}"));
    struct lf_lint lint = run(*state, icp, false);

    assert_int_equal(lint.count, 0);
}

static void
test_order_and_bound(void **state)
{
    struct lf_lint lint = {.arena = *state};
    struct lf_lint_item item = {LF_LINT_INFO, "unseen_field", "/x", "detail", "fix"};

    for (int i = 0; i < LF_LINT_ITEMS_MAX - 2; i++)
        assert_true(lf_lint_add(&lint, &item));
    item.severity = LF_LINT_WARNING;
    item.code = "vague_profile";
    assert_true(lf_lint_add(&lint, &item));
    item.severity = LF_LINT_ERROR;
    item.code = "unknown_list";
    assert_true(lf_lint_add(&lint, &item));
    assert_true(lf_lint_add(&lint, &item));
    assert_int_equal(lint.count, LF_LINT_ITEMS_MAX);
    assert_int_equal(lint.dropped, 1);
    assert_int_equal(lint.counts[LF_LINT_ERROR], 2);
    assert_string_equal(lint.items[0].code, "unknown_list");
    assert_string_equal(lint.items[1].code, "vague_profile");
    assert_string_equal(lint.items[2].code, "unseen_field");
}

/* A definition against which everything is as costly as can be still takes little time. */
static void
test_cost_is_bounded(void **state)
{
    struct lf_arena *arena = *state;
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 64 << 20);
    lf_buf_lit(&buf, "'attributes':[");
    for (int a = 0; a < 200; a++) {
        lf_buf_printf(&buf, "%s{'key':'k%d','label':'L','category':'%s','weight':%d,'missing':'skip','rules':[",
                      a > 0 ? "," : "", a, a % 2 == 0 ? "need" : "legal", 997 - a);
        for (int r = 0; r < 15; r++) {
            lf_buf_printf(&buf, "%s{'fit':0.%06d,'when':{'all':[{'field':'f','in':[", r > 0 ? "," : "",
                          1000 * r + a + 1);
            for (int e = 0; e < 12; e++)
                lf_buf_printf(&buf, "%s'text %d'", e > 0 ? "," : "", (e * 7 + (r == 0 ? 0 : 1)) % 14);
            lf_buf_lit(
                &buf,
                "]},{'any':[{'not':{'field':'g','is':1}},{'all':[{'field':'g','lt':5},{'field':'h','gt':2}]}]}]}}");
        }
        lf_buf_lit(&buf, "]}");
    }
    lf_buf_lit(&buf, "],'caps':[{'category':'need','max':900},{'category':'legal','max':90000}]");
    assert_non_null(lf_buf_terminate(&buf));

    const struct lf_icp *icp = support_icp_with(arena, buf.data);
    int64_t begin = lf_time_monotonic_ns();
    struct lf_lint lint = run(arena, icp, true);

    assert_true(lint.count > 0);
    /* Sanitizers and a busy machine may take ten times the fifth of a second that is meant. */
    assert_true(lf_time_monotonic_ns() - begin < INT64_C(10000000000));
}

/* Each leaf of an `all` is held against each other one, and that alone: not against the whole definition. */
static void
test_cost_of_a_wide_all(void **state)
{
    struct lf_arena *arena = *state;
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 64 << 20);
    lf_buf_lit(&buf, "'attributes':[{'key':'k','label':'L','category':'need','weight':1,'rules':[");
    for (int r = 0; r < 6; r++) {
        lf_buf_printf(&buf, "%s{'when':{'all':[", r > 0 ? "," : "");
        for (int e = 0; e < 7500; e++)
            lf_buf_printf(&buf, "%s{'field':'n','gt':%d}", e > 0 ? "," : "", e % 10);
        lf_buf_lit(&buf, "]}}");
    }
    lf_buf_lit(&buf, "]}]");
    assert_non_null(lf_buf_terminate(&buf));

    const struct lf_icp *icp = support_icp_with(arena, buf.data);
    int64_t begin = lf_time_monotonic_ns();
    struct lf_lint lint = run(arena, icp, true);

    assert_int_equal(lint.counts[LF_LINT_ERROR], 0);
    /* A tenth of a second is meant. */
    assert_true(lf_time_monotonic_ns() - begin < INT64_C(4000000000));
}

/* No memory: a status, never a crash, wherever it runs out. */
static void
test_out_of_memory(void **state)
{
    const struct lf_icp *icp = support_config_icp(*state, 0);
    struct lf_lint_context context = {.today_us = support_ms("2031-01-01") * 1000};
    bool failed = false, worked = false;

    for (size_t max = 64; max < 200000; max += 1500) {
        struct lf_arena *arena = lf_arena_create(64, max);
        struct lf_lint lint;
        struct lf_error error;
        enum lf_status status = arena == NULL ? LF_OUT_OF_MEMORY : lf_lint(arena, icp, &context, &lint, &error);

        assert_true(status == LF_OK || status == LF_OUT_OF_MEMORY);
        failed = failed || status != LF_OK;
        worked = worked || status == LF_OK;
        lf_arena_destroy(arena);
    }
    assert_true(failed && worked);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_rows),
        SUPPORT_TEST(test_config_icps_are_clean),
        SUPPORT_TEST(test_words),
        SUPPORT_TEST(test_lists_unknown_here),
        SUPPORT_TEST(test_order_and_bound),
        SUPPORT_TEST(test_cost_is_bounded),
        SUPPORT_TEST(test_cost_of_a_wide_all),
        SUPPORT_TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
