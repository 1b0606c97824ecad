/*
 * count_fixture.h - what the tests of counts share: definitions of every kind, outcomes of random leads under them, and
 * a naive way to read them.
 */
#ifndef LF_TESTS_COUNT_FIXTURE_H
#define LF_TESTS_COUNT_FIXTURE_H

#include "support.h"

/* Skipping, negative, fading, capped; both axes; disqualifiers. */
#define COUNT_RICH                                                                                                  \
    "'attributes':["                                                                                                \
    "{'key':'a','label':'A','category':'firmographic','weight':20,'missing':'skip','rules':["                       \
    "{'when':{'field':'a','is':'x'},'label':'one'},{'when':{'field':'a','is':'y'},'fit':0.123456,'label':'two'},"   \
    "{'when':{'field':'n','gt':5},'fit':-0.5,'label':'three'}]},"                                                   \
    "{'key':'b','label':'B','category':'need','weight':1000,'otherwise':-0.25,'missing':0.1,"                       \
    "'rules':[{'when':{'field':'n','between':[1,3]}}]},"                                                            \
    "{'key':'c','label':'C','category':'need','weight':3,'rules':["                                                 \
    "{'when':{'field':'d','exists':true},'fade':{'field':'d','days':400}}]},"                                       \
    "{'key':'e','label':'E','category':'behavioral','axis':'engagement','weight':7,'missing':'skip','rules':["      \
    "{'when':{'field':'e','gte':2},'label':'many'},{'when':{'field':'e','is':1},'fit':0.4,'label':'one'}]},"        \
    "{'key':'f','label':'F','category':'legal','weight':2,'otherwise':-1,'rules':[{'when':{'field':'a','is':'x'},'" \
    "fit':0.1}]}],"                                                                                                 \
    "'caps':[{'category':'need','max':15}],"                                                                        \
    "'disqualifiers':[{'key':'p','reason':'P','when':{'field':'e','is':3}},"                                        \
    "{'key':'q','reason':'Q','when':{'all':[{'field':'a','is':'y'},{'field':'n','lt':2}]}}]"

#define COUNT_ONE \
    "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[{'when':{'field':'a','is':1}}]}]"

/* A grade more than COUNT_ONE. */
#define COUNT_GRADED                                                                                          \
    COUNT_ONE                                                                                                 \
    ",'grades':[{'grade':'A','min':80},{'grade':'B','min':60},{'grade':'C','min':40},{'grade':'D','min':10}," \
    "{'grade':'E','min':0}]"

/* A rule more. */
#define COUNT_TWO_RULES                                                                                         \
    "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[{'when':{'field':'a','is':1}}," \
    "{'when':{'field':'a','is':2},'fit':0.5}]}]"

enum { COUNT_ICPS = SUPPORT_CONFIG_ICPS + 4, COUNT_RICH_AT = 0 };

struct count_case {
    const struct lf_outcome *outcome;
    struct lf_score score; /* the long way */
    struct lf_brief brief;
    int64_t at_ms;
    bool first;
};

/* The definitions; the rich one first. */
static inline void
count_icps(struct lf_arena *arena, const struct lf_icp *icps[COUNT_ICPS])
{
    icps[COUNT_RICH_AT] = support_icp_with(arena, COUNT_RICH);
    icps[1] = support_icp_with(arena, COUNT_ONE);
    icps[2] = support_icp_with(arena, COUNT_GRADED);
    icps[3] = support_icp_with(arena, COUNT_TWO_RULES);
    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[4 + i] = support_config_icp(arena, i);
}

/* So many random leads under the definition; every eighth does not say what was missing. Times do not ascend. */
static inline struct count_case *
count_cases(struct lf_arena *arena, const struct lf_icp *icp, struct support_random *random, size_t count)
{
    const struct lf_program *program = support_program(&icp, 1, NULL);
    const struct lf_scorer *scorer = lf_scorer_create(arena, icp);
    struct count_case *cases = lf_arena_calloc(arena, count, sizeof *cases);

    assert_non_null(scorer);
    assert_non_null(cases);
    for (size_t i = 0; i < count; i++) {
        struct count_case *c = &cases[i];
        struct lf_outcome *outcome = lf_arena_calloc(arena, 1, sizeof *outcome);

        assert_non_null(outcome);
        *outcome = *support_score(arena, program, 0, support_random_lead(arena, random, &icp, 1), "2026-06-01").outcome;
        if (i % 8 == 3)
            outcome->missing = NULL;
        c->outcome = outcome;
        assert_true(lf_score_outcome(scorer, outcome, arena, &c->score));
        lf_score_brief(scorer, outcome, &c->brief);
        c->at_ms = INT64_C(1780000000000) + support_random(random, 100000000);
        c->first = support_random(random, 3) == 0;
    }
    return cases;
}

#endif
