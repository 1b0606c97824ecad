/* app_fixture.h - for the tests of the application: definitions in a real store, and short ways to score with them.
 * Texts are JSON in which ' stands for " (support.h). */
#ifndef LF_TESTS_APP_FIXTURE_H
#define LF_TESTS_APP_FIXTURE_H

#include "app/live.h"
#include "app/profiles.h"
#include "app/scoring.h"
#include "store_fixture.h"
#include "support.h"

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* A definition in short: size by employees (weight 20), title (weight 10), no one who is on the list `competitors`. */
#define PLAIN_ATTRIBUTES                                                                                 \
    "'attributes':[{'key':'size','label':'Company size','category':'firmographic','weight':20,'rules':[" \
    "{'when':{'field':'company.employees','between':[500,5000]},'label':'500-5,000 people'},"            \
    "{'when':{'field':'company.employees','gte':200},'fit':0.5,'label':'200 and more'}]},"               \
    "{'key':'title','label':'Title','category':'decision_maker','weight':10,'rules':["                   \
    "{'when':{'field':'people.title','has_word':['vp','chief']}}],'missing':'skip'}],"                   \
    "'disqualifiers':[{'key':'competitor','reason':'Competitor','when':{'field':'company.domain',"       \
    "'in_list':'competitors'}}]"

/* The definition's text, in the fixture's arena. */
static inline char *
definition(struct fixture *f, const char *key, const char *purpose, const char *members)
{
    return support_quoted(f->arena, lf_arena_printf(f->arena,
                                                    "{'key':'%s','name':'Name of %s','framework':'pain_points',"
                                                    "'purpose':'%s',%s}",
                                                    key, key, purpose, members));
}

/* Publishes it as a command would, with the hash that it has. */
static inline void
publish_icp(struct fixture *f, const char *key, const char *purpose, const char *members, int expected)
{
    const char *text = definition(f, key, purpose, members);
    const struct lf_icp *icp = support_icp(f->arena, text);
    struct lf_new_version v = version(key, text, 0, 1780000000000);
    int number = 0;
    bool unchanged = true;

    v.purpose = purpose;
    memcpy(v.hash, icp->hash, sizeof v.hash);
    OK(lf_store_publish(f->store, &v, &number, &unchanged, &f->error));
    assert_int_equal(number, expected);
    assert_false(unchanged);
}

static inline void
put_list(struct fixture *f, const char *key, const char *entry)
{
    const char *const entries[] = {entry, "another.example"};

    OK(lf_store_put_list(f->store, key, entries, 2, 1780000000000, &f->error));
}

static inline struct lf_profiles *
load_profiles(struct fixture *f)
{
    struct lf_profiles *profiles = NULL;

    OK(lf_live_load(f->reader, &profiles, &f->error));
    return profiles;
}

/* A request that must be fine. */
static inline struct lf_score_request
request_of(struct fixture *f, const char *text)
{
    struct lf_score_request request;
    struct lf_findings findings;

    lf_findings_init(&findings, f->arena);
    OK(lf_score_request_read(f->arena, support_json(f->arena, text), false, &findings, &request, &f->error));
    return request;
}

#endif
