/* app_fixture.h - for the tests of the application: definitions in a real store, and short ways to score with them.
 * Texts are JSON in which ' stands for " (support.h). */
#ifndef LF_TESTS_APP_FIXTURE_H
#define LF_TESTS_APP_FIXTURE_H

#include "app/keys.h"
#include "app/live.h"
#include "app/profiles.h"
#include "app/scoring.h"
#include "base/text.h"
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
    struct lf_new_version v = {
        .icp = key, .name = icp->name, .purpose = purpose, .document = text, .document_len = strlen(text)};
    struct lf_change change = by_ops(1780000000000);
    int number = 0;
    bool unchanged = true;

    memcpy(v.hash, icp->hash, sizeof v.hash);
    OK(lf_store_publish(f->store, &v, &change, &number, &unchanged, &f->error));
    assert_int_equal(number, expected);
    assert_false(unchanged);
}

/* Takes the ICP out of service. */
static inline void
archive_icp(struct fixture *f, const char *key)
{
    struct lf_change change = by_ops(1780000000001);

    OK(lf_store_set_archived(f->store, key, true, &change, &f->error));
}

/* Puts a list of these texts. */
static inline void
put_texts(struct fixture *f, const char *key, const char *const *texts, size_t count)
{
    struct lf_list_entry *entries = lf_arena_calloc(f->arena, count, sizeof *entries);
    struct lf_precondition nothing_said = {.any = false};
    struct lf_change change = by_ops(1780000000000);
    struct lf_list_state state;
    struct lf_stored_list list;
    bool created = false, unchanged = false;

    assert_non_null(entries);
    for (size_t i = 0; i < count; i++) {
        struct lf_text folded = {NULL, 0};

        assert_true(lf_text_fold(f->arena, texts[i], strlen(texts[i]), &folded));
        entries[i] = (struct lf_list_entry){texts[i], strlen(texts[i]), folded.bytes, folded.len};
    }
    OK(lf_store_begin_list(f->store, &state, &f->error));
    OK(lf_store_add_list_entries(f->store, &state, entries, count, &f->error));
    OK(lf_store_put_list(f->store, key, &state, &nothing_said, &change, f->arena, &list, &created, &unchanged,
                         &f->error));
}

static inline void
put_list(struct fixture *f, const char *key, const char *entry)
{
    put_texts(f, key, (const char *const[]){entry, "another.example"}, 2);
}

/* An API key in the store. text receives what its user has. */
static inline void
put_key(struct fixture *f, uint32_t scopes, int64_t expires_at_ms, char text[LF_API_KEY_TEXT_MAX],
        struct lf_stored_key *ret_key)
{
    struct lf_change change = by_ops(1780000000000);

    OK(lf_api_key_create("a name", scopes, change.at_ms, expires_at_ms, ret_key, text, &f->error));
    OK(lf_store_create_key(f->store, ret_key, &change, &f->error));
}

/* A way of keeping leads; never: fields that are not, "" for none. */
static inline const struct lf_privacy *
keeping(struct fixture *f, enum lf_kept kept, const char *never)
{
    static const uint8_t KEY[LF_SHA256_SIZE] = {1, 2, 3};
    const struct lf_privacy *privacy = NULL;

    OK(lf_privacy_create(f->arena, kept, never, KEY, &privacy, &f->error));
    return privacy;
}

/* The active ICPs, to be recorded that way. */
static inline struct lf_profiles *
load_profiles_keeping(struct fixture *f, const struct lf_privacy *privacy)
{
    struct lf_profiles *profiles = NULL;

    OK(lf_live_load(f->reader, privacy, &profiles, &f->error));
    return profiles;
}

static inline struct lf_profiles *
load_profiles(struct fixture *f)
{
    return load_profiles_keeping(f, NULL);
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

/* A score as it is recorded, but for its id: of a lead L under an ICP that is published for it. */
static inline struct lf_stored_score
score_of_lead(struct fixture *f)
{
    struct lf_profiles *profiles = NULL;
    struct lf_score_request request = request_of(f, "{'lead':{'id':'L','company':{'employees':600}}}");
    struct lf_scoring scoring;
    struct lf_stored_score score;

    publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    OK(lf_scoring_run(f->arena, profiles, &request, 1780000000000, &scoring, &f->error));
    OK(lf_scoring_record(f->arena, &scoring, keeping(f, LF_KEPT_WHOLE, ""), &score, &f->error));
    lf_profiles_destroy(profiles);
    return score;
}

#endif
