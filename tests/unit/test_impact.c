/*
 * test_impact.c - what a draft would change: by hand, and against a slow computation of each lead by itself.
 */
#include "app/impact.h"
#include "base/hash.h"
#include "core/contribution.h"
#include "core/record.h"
#include "replay_fixture.h"

/* ---- by hand ---- */

/* The plain definition with half the weight on size, a country, and nobody below ten people. */
#define DRAFT_ATTRIBUTES                                                                                 \
    "'attributes':[{'key':'country','label':'Country','category':'firmographic','weight':10,'rules':["   \
    "{'when':{'field':'company.country','is':'DE'}}]},"                                                  \
    "{'key':'size','label':'Company size','category':'firmographic','weight':10,'rules':["               \
    "{'when':{'field':'company.employees','between':[500,5000]},'label':'500-5,000 people'},"            \
    "{'when':{'field':'company.employees','gte':200},'fit':0.5,'label':'200 and more'}]},"               \
    "{'key':'title','label':'Title','category':'decision_maker','weight':10,'rules':["                   \
    "{'when':{'field':'people.title','has_word':['vp','chief']}}],'missing':'skip'}],"                   \
    "'disqualifiers':[{'key':'known','reason':'Unknown name','when':{'field':'company.name','is':'?'}}," \
    "{'key':'tiny','reason':'Too small','when':{'field':'company.employees','lt':10}},"                  \
    "{'key':'competitor','reason':'Competitor','when':{'field':'company.domain','in_list':'competitors'}}]"

static const char *const LEADS[] = {
    "{'id':'stays','company':{'employees':860,'country':'DE'},'people':[{'title':'VP'}]}",
    "{'id':'falls','company':{'employees':860,'country':'FR'},'people':[{'title':'Clerk'}]}",
    "{'id':'small','company':{'employees':5},'people':[{'title':'VP'}]}",
    "{'id':'rival','company':{'employees':860,'domain':'Rival.Example'}}",
    "{'id':'rises','company':{'employees':3,'country':'DE'}}",
    "{'company':{'employees':100,'country':'DE'},'people':[{'title':'Clerk'}]}",
};

enum { LEAD_COUNT = sizeof LEADS / sizeof *LEADS };

static const struct lf_icp *
icp_of(struct fixture *f, const char *key, const char *members)
{
    return support_icp(f->arena, definition(f, key, "core", members));
}

static struct lf_impact
compute_keeping(struct fixture *f, const struct lf_icp *draft, const struct lf_icp *active,
                const struct lf_profiles *profiles, size_t sample, const struct lf_privacy *privacy)
{
    struct lf_list_source lists = lf_profiles_lists(profiles);
    struct lf_impact impact;

    OK(lf_impact_compute(f->reader, f->arena,
                         &(struct lf_impact_options){.draft = draft,
                                                     .active = active,
                                                     .active_version = 3,
                                                     .lists = &lists,
                                                     .privacy = privacy,
                                                     .sample = sample},
                         &impact, &f->error));
    return impact;
}

static struct lf_impact
compute(struct fixture *f, const struct lf_icp *draft, const struct lf_icp *active, const struct lf_profiles *profiles,
        size_t sample)
{
    return compute_keeping(f, draft, active, profiles, sample, NULL);
}

/* "A>B 2, A>DQ 1". */
static const char *
cells(struct fixture *f, const struct lf_impact *impact)
{
    const char *text = "";

    for (size_t i = 0; i < impact->cell_count; i++)
        text = lf_arena_printf(f->arena, "%s%s%s>%s %zu", text, i > 0 ? ", " : "", impact->cells[i].from,
                               impact->cells[i].to, impact->cells[i].count);
    return text;
}

/* "falls B>D 6667>3333 size -3334; small D>DQ …". */
static const char *
movers(struct fixture *f, const struct lf_impact *impact)
{
    const char *text = "";

    for (size_t i = 0; i < impact->mover_count; i++) {
        const struct lf_mover *mover = &impact->movers[i];
        int sum = 0;

        text = lf_arena_printf(f->arena, "%s%s%s %s>%s %d>%d%s%s", text, i > 0 ? "; " : "", mover->lead_id, mover->from,
                               mover->to, mover->from_score, mover->to_score, mover->reason[0] != '\0' ? " " : "",
                               mover->reason);
        for (size_t p = 0; p < mover->part_count; p++) {
            text = lf_arena_printf(f->arena, "%s %s %+d", text, mover->parts[p].attribute, mover->parts[p].change);
            sum += mover->parts[p].change;
        }
        assert_int_equal(sum, mover->to_score - mover->from_score);
    }
    return text;
}

/* The plain ICP and its leads, newest last. */
static struct lf_profiles *
record_leads(struct fixture *f, const char *icps, bool whole)
{
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "other", "core", PLAIN_ATTRIBUTES, 1);
    put_list(f, "competitors", "rival.example");
    profiles = load_profiles(f);
    for (int i = 0; i < LEAD_COUNT; i++)
        (void)record_lead(f, profiles, LEADS[i], icps, NOW_MS + i, whole);
    return profiles;
}

static void
test_by_hand(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = record_leads(f, "'plain'", true);
    const struct lf_icp *draft = icp_of(f, "plain", DRAFT_ATTRIBUTES), *active = icp_of(f, "plain", PLAIN_ATTRIBUTES);
    struct lf_impact impact = compute(f, draft, active, profiles, 100);

    assert_int_equal(impact.from_version, 3);
    assert_int_equal(impact.leads, LEAD_COUNT);
    /* stays 100>100, falls 66.67>33.33, small 33.33>33.33 (now disqualified), rival 100>50, rises 0>50 (disqualified,
     * too), the nameless one 0>33.33. */
    assert_string_equal(cells(f, &impact), "A>A 1, B>D 1, D>D 1, D>DQ 2, DQ>DQ 1");
    assert_string_equal(movers(f, &impact), " D>D 0>3333 country +3333; "
                                            "small D>DQ 3333>3333 Too small; "
                                            "rises D>DQ 0>5000 Too small country +5000; "
                                            "rival DQ>DQ 10000>5000 size -5000; "
                                            "falls B>D 6667>3333 size -3334");
    assert_int_equal(impact.changed, 3);
    assert_int_equal(impact.changed_pct, 5000);
    assert_int_equal(impact.mean_change, 0); /* -33.34 - 50 + 50 + 33.33 over six: -0.00167 */
    assert_int_equal(impact.unstored_count, 0);
    lf_profiles_destroy(profiles);
}

/* The other way round: those that were disqualified and are not any more stand first, whatever their score does. */
static void
test_the_way_back(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = record_leads(f, "'plain'", true);
    const struct lf_icp *active = icp_of(f, "plain", DRAFT_ATTRIBUTES), *draft = icp_of(f, "plain", PLAIN_ATTRIBUTES);
    struct lf_impact impact = compute(f, draft, active, profiles, 100);

    assert_string_equal(movers(f, &impact), "small DQ>D 3333>3333; "
                                            "rises DQ>D 5000>0 country -5000; "
                                            "rival DQ>DQ 5000>10000 size +5000; "
                                            "falls D>B 3333>6667 size +3334; "
                                            " D>D 3333>0 country -3333");
    lf_profiles_destroy(profiles);
}

static void
test_nothing_changes(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = record_leads(f, "'plain'", true);
    const struct lf_icp *icp = icp_of(f, "plain", PLAIN_ATTRIBUTES);
    struct lf_impact impact = compute(f, icp, icp, profiles, 100);

    assert_string_equal(cells(f, &impact), "A>A 1, B>B 1, D>D 3, DQ>DQ 1");
    assert_int_equal(impact.mover_count, 0);
    assert_int_equal(impact.changed, 0);
    assert_int_equal(impact.mean_change, 0);
    lf_profiles_destroy(profiles);
}

static void
test_nothing_active(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = record_leads(f, "'plain'", true);
    struct lf_impact impact = compute(f, icp_of(f, "new", DRAFT_ATTRIBUTES), NULL, profiles, 100);

    assert_int_equal(impact.from_version, 0);
    assert_int_equal(impact.leads, LEAD_COUNT);
    assert_string_equal(cells(f, &impact), ">A 1, >D 2, >DQ 3");
    assert_int_equal(impact.changed, 0);
    assert_int_equal(impact.changed_pct, 0);
    assert_int_equal(impact.mean_change, 0);
    assert_int_equal(impact.mover_count, 0);
    lf_profiles_destroy(profiles);
}

static void
test_no_leads(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = load_profiles(f);
    const struct lf_icp *icp = icp_of(f, "plain", PLAIN_ATTRIBUTES);
    struct lf_impact impact = compute(f, icp, icp, profiles, 100);

    assert_int_equal(impact.leads, 0);
    assert_int_equal(impact.cell_count, 0);
    assert_int_equal(impact.changed_pct, 0);
    lf_profiles_destroy(profiles);
}

/* Without lists (a file on the command line), or after a list has changed: the lists of now count. */
static void
test_lists_of_now(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = record_leads(f, "'plain'", true);
    const struct lf_icp *icp = icp_of(f, "plain", PLAIN_ATTRIBUTES);
    struct lf_impact impact;

    OK(lf_impact_compute(f->reader, f->arena,
                         &(struct lf_impact_options){.draft = icp, .active = icp, .active_version = 1, .sample = 100},
                         &impact, &f->error));
    assert_string_equal(cells(f, &impact), "A>A 2, B>B 1, D>D 3");
    lf_profiles_destroy(profiles);
}

/* A lead of which only some fields were stored counts where this ICP scored it; what the draft reads anew was not
 * stored. */
static void
test_stored_in_part(void **state)
{
    static const struct {
        const char *icps, *key;
        bool whole;
        size_t leads;
        const char *unstored, *why;
    } ROWS[] = {
        {"'plain'", "plain", false, LEAD_COUNT, "company.country company.name", "scored under this ICP"},
        {"'other'", "plain", false, 0, "", "scored under another one alone"},
        {"'other','plain'", "plain", false, LEAD_COUNT, "company.country company.name", "under this and another"},
        {"'other'", "plain", true, LEAD_COUNT, "", "stored whole"},
    };

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        void *own = NULL;
        struct fixture *f = NULL;
        const char *unstored = "";

        (void)state;
        assert_int_equal(setup(&own), 0);
        f = own;
        struct lf_profiles *profiles = record_leads(f, ROWS[r].icps, ROWS[r].whole);
        struct lf_impact impact = compute(f, icp_of(f, ROWS[r].key, DRAFT_ATTRIBUTES),
                                          icp_of(f, ROWS[r].key, PLAIN_ATTRIBUTES), profiles, 100);
        for (size_t i = 0; i < impact.unstored_count; i++)
            unstored = lf_arena_printf(f->arena, "%s%s%s", unstored, i > 0 ? " " : "", impact.unstored[i]);
        if (impact.leads != ROWS[r].leads || strcmp(unstored, ROWS[r].unstored) != 0)
            fail_msg("%s: %zu leads, %s", ROWS[r].why, impact.leads, unstored);
        lf_profiles_destroy(profiles);
        (void)teardown(&own);
    }
}

/* Fields that are never stored are named as such, and not taken for missing ones; leads of which no values were stored
 * do not count. */
static void
test_not_stored_at_all(void **state)
{
    static const struct {
        enum lf_kept kept;
        const char *never;
        size_t leads;
        const char *unstored;
    } ROWS[] = {
        {LF_KEPT_WHOLE, "", LEAD_COUNT, ""},
        {LF_KEPT_WHOLE, "*.Country, *.email", LEAD_COUNT, "company.country"},
        {LF_KEPT_WHOLE, "people", LEAD_COUNT, "people.title"},
        {LF_KEPT_WHOLE, "company, people", LEAD_COUNT,
         "company.country company.employees people.title company.name company.domain"},
        {LF_KEPT_FIELDS, "*.title", LEAD_COUNT, "company.country people.title company.name"},
        {LF_KEPT_HASHES, "", 0, ""},
        {LF_KEPT_NOTHING, "", 0, ""},
    };

    (void)state;
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        void *own = NULL;
        struct fixture *f = NULL;
        const char *unstored = "";

        assert_int_equal(setup(&own), 0);
        f = own;
        publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
        put_list(f, "competitors", "rival.example");
        const struct lf_privacy *privacy = keeping(f, ROWS[r].kept, ROWS[r].never);
        struct lf_profiles *profiles = load_profiles_keeping(f, privacy);
        for (int i = 0; i < LEAD_COUNT; i++)
            (void)record_lead_keeping(f, profiles, LEADS[i], "", NOW_MS + i, privacy);
        struct lf_impact impact = compute_keeping(f, icp_of(f, "plain", DRAFT_ATTRIBUTES),
                                                  icp_of(f, "plain", PLAIN_ATTRIBUTES), profiles, 100, privacy);
        for (size_t i = 0; i < impact.unstored_count; i++)
            unstored = lf_arena_printf(f->arena, "%s%s%s", unstored, i > 0 ? " " : "", impact.unstored[i]);
        if (impact.leads != ROWS[r].leads || strcmp(unstored, ROWS[r].unstored) != 0)
            fail_msg("row %zu: %zu leads, %s", r, impact.leads, unstored);
        lf_profiles_destroy(profiles);
        (void)teardown(&own);
    }
}

#define READS(one, other)                                                         \
    "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[" \
    "{'when':{'field':'" one "','exists':true}},{'when':{'field':'" other "','exists':true}}]}]"

/* What counts is what was read when the leads were scored, by whatever ICP, not what is read now. */
static void
test_stored_by_other_versions(void **state)
{
    struct fixture *f = *state;
    const struct lf_icp *draft = icp_of(f, "plain", READS("first", "second"));
    const struct lf_icp *active = icp_of(f, "plain", READS("second", "third"));
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "plain", "core", READS("first", "first"), 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, "{'id':'a','first':1,'second':2,'third':3}", "", NOW_MS, false);
    struct lf_impact impact = compute(f, draft, active, profiles, 100);
    assert_int_equal(impact.unstored_count, 2);
    assert_string_equal(impact.unstored[0], "second");
    assert_string_equal(impact.unstored[1], "third");
    lf_profiles_destroy(profiles);
    publish_icp(f, "other", "core", READS("second", "third"), 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, "{'id':'a','first':1,'second':2,'third':3}", "", NOW_MS + 1, false);
    impact = compute(f, draft, active, profiles, 100);
    assert_int_equal(impact.leads, 1);
    assert_int_equal(impact.unstored_count, 0);
    lf_profiles_destroy(profiles);
}

/* What is read with all that is in it is stored with all that is in it; a name that only begins alike is another. */
static void
test_outer_fields(void **state)
{
    struct fixture *f = *state;
    static const char OUTER[] = "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':["
                                "{'when':{'field':'company','exists':true}}]}]";
    static const char INNER[] =
        "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':["
        "{'when':{'field':'company.employees','gte':1}},{'when':{'field':'companyx','exists':true}}]}]";
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "plain", "core", OUTER, 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, LEADS[0], "", NOW_MS, false);
    struct lf_impact impact = compute(f, icp_of(f, "plain", INNER), icp_of(f, "plain", OUTER), profiles, 100);
    assert_int_equal(impact.leads, 1);
    assert_int_equal(impact.unstored_count, 1);
    assert_string_equal(impact.unstored[0], "companyx");
    assert_string_equal(cells(f, &impact), "A>A 1");
    lf_profiles_destroy(profiles);
}

/* A grade may change while its score stays: the lead moves as the grade does, behind those whose score moves. */
static void
test_grades_alone(void **state)
{
    static const char ONE[] = "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':["
                              "{'when':{'field':'n','gte':9},'fit':%s},{'when':{'field':'n','gte':1},'fit':0.5}]}],"
                              "'grades':[{'grade':'A','min':%s},{'grade':'%s','min':0}]";
    struct fixture *f = *state;
    struct lf_profiles *profiles = NULL;
    struct lf_impact impact;

    publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, "{'id':'x','n':1}", "", NOW_MS, true);
    const struct lf_icp *high = icp_of(f, "plain", lf_arena_printf(f->arena, ONE, "0.5", "80", "B"));
    const struct lf_icp *low = icp_of(f, "plain", lf_arena_printf(f->arena, ONE, "0.5", "50", "B"));
    const struct lf_icp *renamed = icp_of(f, "plain", lf_arena_printf(f->arena, ONE, "0.3", "80", "Rest"));
    impact = compute(f, low, high, profiles, 10);
    assert_string_equal(movers(f, &impact), "x B>A 5000>5000");
    assert_int_equal(impact.changed, 1);
    impact = compute(f, high, low, profiles, 10);
    assert_string_equal(movers(f, &impact), "x A>B 5000>5000");
    /* A grade that is only called anew is no step down: it stands before one that falls. */
    (void)record_lead(f, profiles, "{'id':'y','n':9}", "", NOW_MS + 1, true);
    impact = compute(f, renamed, high, profiles, 10);
    assert_string_equal(cells(f, &impact), "B>Rest 2");
    assert_string_equal(movers(f, &impact), "x B>Rest 5000>5000; y B>Rest 5000>3000 a -2000");
    lf_profiles_destroy(profiles);
}

/* ---- by chance ---- */

enum { RUNS = 24, LEADS_MOST = 60, ID_KINDS = 30 };

static const char *
random_condition(struct lf_arena *arena, struct support_random *random)
{
    switch (support_random(random, 6)) {
    case 0:
        return lf_arena_printf(arena, "{'field':'company.employees','gte':%u}", 100 * support_random(random, 5));
    case 1:
        return "{'field':'company.country','is':'DE'}";
    case 2:
        return "{'field':'people.title','has_word':['vp','chief']}";
    case 3:
        return lf_arena_printf(arena, "{'field':'visits','between':[%u,9]}", support_random(random, 5));
    case 4:
        return lf_arena_printf(arena, "{'not':{'field':'company.tags','contains':'t%u'}}", support_random(random, 3));
    default:
        return "{'field':'last_visit_at','exists':true}";
    }
}

static const char *
random_fit(struct lf_arena *arena, struct support_random *random)
{
    static const char *const FITS[] = {"1", "0.5", "-1", "0", "0.333333", "-0.25", "0.000001"};

    (void)arena;
    return FITS[support_random(random, 7)];
}

/* Members of a definition: some of eight attributes, over fields that two definitions share. */
static const char *
random_members(struct lf_arena *arena, struct support_random *random)
{
    static const char *const CATEGORIES[] = {"need", "trigger", "firmographic"};
    static const char *const GRADES[] = {
        "",
        ",'grades':[{'grade':'A','min':70},{'grade':'B','min':30.5},{'grade':'C','min':0}]",
        ",'grades':[{'grade':'Hot','min':50},{'grade':'B','min':0}]",
    };
    const char *text = "'attributes':[";
    bool first = true;

    for (unsigned i = 0; i < 8; i++) {
        unsigned rules = 1 + support_random(random, 3);

        if (support_random(random, 2) == 0 && !(first && i == 7))
            continue;
        text = lf_arena_printf(arena,
                               "%s%s{'key':'a%u','label':'A','category':'%s','axis':'%s','weight':%u,'otherwise':%s,"
                               "'missing':%s,'rules':[",
                               text, first ? "" : ",", i, CATEGORIES[support_random(random, 3)],
                               support_random(random, 6) == 0 ? "engagement" : "fit", 1 + support_random(random, 20),
                               random_fit(arena, random),
                               support_random(random, 3) == 0 ? "'skip'" : random_fit(arena, random));
        for (unsigned r = 0; r < rules; r++)
            text = lf_arena_printf(arena, "%s%s{'when':%s,'fit':%s%s}", text, r > 0 ? "," : "",
                                   random_condition(arena, random), random_fit(arena, random),
                                   support_random(random, 4) == 0 ? ",'fade':{'field':'last_visit_at','days':90}" : "");
        text = lf_arena_printf(arena, "%s]}", text);
        first = false;
    }
    text = lf_arena_printf(arena, "%s]%s", text, GRADES[support_random(random, 3)]);
    if (support_random(random, 2) == 0)
        text = lf_arena_printf(arena, "%s,'caps':[{'category':'need','max':%u}]", text, 1 + support_random(random, 30));
    if (support_random(random, 2) == 0)
        text = lf_arena_printf(arena,
                               "%s,'disqualifiers':[{'key':'x','reason':'X','when':%s},"
                               "{'key':'y','reason':'Y','when':%s}]",
                               text, random_condition(arena, random), random_condition(arena, random));
    return text;
}

/* A lead as the slow computation sees it. */
struct slow {
    const char *id;
    struct lf_ulid score_id;
    size_t age; /* 0: the newest */
    struct support_scored from, to;
    int from_score, to_score;
    bool up;
};

/* Whether the lead moves, and which way, said anew. */
static bool
moves(struct slow *lead)
{
    bool from_dq = strcmp(lf_score_grade(&lead->from.score), "DQ") == 0;
    bool to_dq = strcmp(lf_score_grade(&lead->to.score), "DQ") == 0;

    lead->up = lead->to_score > lead->from_score;
    if (lead->to_score == lead->from_score)
        lead->up = lead->to.score.grade <= lead->from.score.grade;
    if (from_dq != to_dq)
        lead->up = from_dq;
    return from_dq != to_dq || lead->to_score != lead->from_score ||
           strcmp(lf_score_grade(&lead->from.score), lf_score_grade(&lead->to.score)) != 0;
}

static int
compare_slow(const void *a, const void *b)
{
    const struct slow *left = a, *right = b;
    bool left_turns = left->from.score.qualified != left->to.score.qualified;
    bool right_turns = right->from.score.qualified != right->to.score.qualified;
    int left_by = left->to_score - left->from_score, right_by = right->to_score - right->from_score;

    if (left->up != right->up)
        return left->up ? -1 : 1;
    if (left_turns != right_turns)
        return left_turns ? -1 : 1;
    if (left_by != right_by)
        return (left->up ? left_by > right_by : left_by < right_by) ? -1 : 1;
    return left->age < right->age ? -1 : 1;
}

/* What an attribute gave under one of the two, by its key; 0 where it has none. */
static int
part_of(struct lf_arena *arena, const struct support_scored *scored, const char *key)
{
    const struct lf_icp *icp = scored->scorer->icp;
    int32_t parts[LF_ATTRIBUTES_MAX];

    assert_true(lf_contributions(arena, scored->scorer, scored->outcome, &scored->score, parts));
    for (size_t i = 0; i < icp->attribute_count; i++)
        if (strcmp(icp->attributes[i].key, key) == 0)
            return parts[i];
    return 0;
}

static void
check_parts(struct lf_arena *arena, const struct lf_mover *mover, const struct slow *lead)
{
    size_t told = 0;

    for (int a = 0; a < 8; a++) {
        const char *key = lf_arena_printf(arena, "a%d", a);
        int change = part_of(arena, &lead->to, key) - part_of(arena, &lead->from, key), found = 0;

        for (size_t p = 0; p < mover->part_count; p++)
            if (strcmp(mover->parts[p].attribute, key) == 0)
                found += mover->parts[p].change;
        assert_int_equal(found, change);
        told += change != 0;
    }
    assert_int_equal(mover->part_count, told);
    for (size_t p = 1; p < mover->part_count; p++)
        assert_true(abs(mover->parts[p - 1].change) >= abs(mover->parts[p].change));
}

/* Everything that the impact says, from the leads that count. */
static void
check_against(struct lf_arena *arena, const struct lf_impact *impact, struct slow *leads, size_t count)
{
    struct slow *moving = calloc(count + 1, sizeof *moving);
    size_t in_cells = 0, changed = 0, moved = 0, told = 0, ways[2] = {0, 0};
    int64_t sum = 0;

    assert_non_null(moving);
    assert_int_equal(impact->leads, count);
    for (size_t c = 0; c < impact->cell_count; c++) {
        size_t there = 0;

        for (size_t i = 0; i < count; i++)
            there += strcmp(lf_score_grade(&leads[i].from.score), impact->cells[c].from) == 0 &&
                     strcmp(lf_score_grade(&leads[i].to.score), impact->cells[c].to) == 0;
        assert_int_equal(impact->cells[c].count, there);
        assert_true(there > 0);
        in_cells += there;
    }
    assert_int_equal(in_cells, count);
    for (size_t i = 0; i < count; i++) {
        sum += leads[i].to_score - leads[i].from_score;
        changed += strcmp(lf_score_grade(&leads[i].from.score), lf_score_grade(&leads[i].to.score)) != 0;
        if (moves(&leads[i]))
            moving[moved++] = leads[i];
    }
    assert_int_equal(impact->changed, changed);
    if (count > 0) {
        double mean = (double)sum / (double)count, pct = 10000.0 * (double)changed / (double)count;

        assert_int_equal(impact->mean_change, (int)(mean < 0 ? mean - 0.5 : mean + 0.5));
        assert_int_equal(impact->changed_pct, (int)(pct + 0.5));
    }
    qsort(moving, moved, sizeof *moving, compare_slow);
    for (size_t i = 0; i < moved; i++) {
        const struct slow *lead = &moving[i];
        const struct lf_mover *mover = &impact->movers[told];

        if (ways[lead->up]++ >= LF_IMPACT_MOVERS)
            continue;
        assert_true(told < impact->mover_count);
        assert_string_equal(mover->lead_id, lead->id);
        assert_true(same_id(mover->score_id, lead->score_id));
        assert_int_equal(mover->from_score, lead->from_score);
        assert_int_equal(mover->to_score, lead->to_score);
        assert_string_equal(mover->from, lf_score_grade(&lead->from.score));
        assert_string_equal(mover->to, lf_score_grade(&lead->to.score));
        if (lead->from.score.qualified && !lead->to.score.qualified)
            assert_string_equal(mover->reason, lead->to.outcome->disqualifiers[0] == LF_VERDICT_TRUE ? "X" : "Y");
        else
            assert_string_equal(mover->reason, "");
        check_parts(arena, mover, lead);
        told++;
    }
    assert_int_equal(impact->mover_count, told);
    free(moving);
}

/* A score as it is in the store, under both definitions, each by itself. */
static struct slow
score_slowly(struct fixture *f, struct lf_ulid id, const struct lf_program *from, const struct lf_program *to)
{
    struct slow slow = {.score_id = id};
    struct lf_stored_score score;
    struct lf_record record;
    const struct lf_json *input = NULL;
    char as_of[LF_TIME_TEXT_MAX];

    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error));
    OK(lf_record_read(f->arena, score.body, score.body_len, &record, &f->error));
    OK(lf_json_parse(f->arena, record.input, record.input_len, &LF_JSON_DOCUMENT_LIMITS, &input, &f->error));
    (void)lf_time_format_ms(score.as_of_ms, as_of);
    slow.id = lf_arena_copy(f->arena, score.lead_id, score.lead_id_len);
    slow.from = support_score(f->arena, from, 0, input, as_of);
    slow.to = support_score(f->arena, to, 0, input, as_of);
    slow.from_score = slow.from.score.axes[LF_AXIS_FIT].score;
    slow.to_score = slow.to.score.axes[LF_AXIS_FIT].score;
    return slow;
}

static const char *
random_lead(struct fixture *f, struct support_random *random, const struct lf_icp *const *icps, const char *id)
{
    const struct lf_json *lead = support_random_lead(f->arena, random, icps, 2);
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 1 << 20);
    lf_json_put_tree(&buf, lead);
    assert_non_null(lf_buf_terminate(&buf));
    if (id[0] == '\0')
        return buf.data;
    return lf_arena_printf(f->arena, "{\"id\":\"%s\"%s%s", id, strlen(buf.data) > 2 ? "," : "", buf.data + 1);
}

/* Records the lead, which is JSON with its own quotes. */
static struct lf_ulid
record_random(struct fixture *f, const struct lf_profiles *profiles, const char *lead, int64_t at_ms, bool whole)
{
    struct lf_score_request request = {.explain = LF_EXPLAIN_NONE, .record = true};
    struct lf_findings findings;
    struct lf_scoring scoring;
    struct lf_stored_score score;
    const struct lf_stored_score *scores[] = {&score};
    const struct lf_json *root = NULL;

    lf_findings_init(&findings, f->arena);
    OK(lf_json_parse(f->arena, lead, strlen(lead), &LF_JSON_DOCUMENT_LIMITS, &root, &f->error));
    OK(lf_score_request_lead(f->arena, root, "", &findings, &request, &f->error));
    OK(lf_scoring_run(f->arena, profiles, &request, at_ms, &scoring, &f->error));
    OK(lf_scoring_record(f->arena, &scoring, keeping(f, whole ? LF_KEPT_WHOLE : LF_KEPT_FIELDS, ""), &score,
                         &f->error));
    assert_true(lf_ulid_next(&f->mint, at_ms, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));
    return score.id;
}

static void
run_by_chance(struct fixture *f, struct support_random *random)
{
    const char *from_members = random_members(f->arena, random), *to_members = random_members(f->arena, random);
    const struct lf_icp *icps[2] = {icp_of(f, "plain", from_members), icp_of(f, "plain", to_members)};
    struct lf_program *from = support_program(&icps[0], 1, NULL), *to = support_program(&icps[1], 1, NULL);
    size_t count = 1 + support_random(random, LEADS_MOST), sample = 1 + support_random(random, LEADS_MOST), kept = 0;
    struct lf_ulid ids[LEADS_MOST];
    const char *names[LEADS_MOST];
    struct slow *leads = calloc(LEADS_MOST, sizeof *leads);
    struct lf_profiles *profiles = NULL;

    assert_non_null(leads);
    publish_icp(f, "plain", "core", from_members, 1);
    profiles = load_profiles(f);
    for (size_t i = 0; i < count; i++) {
        unsigned kind = support_random(random, ID_KINDS);

        names[i] = kind < 5 ? "" : lf_arena_printf(f->arena, "L%u", kind);
        ids[i] = record_random(f, profiles, random_lead(f, random, icps, names[i]),
                               support_ms("2026-06-01") + (int64_t)i * 86400000, support_random(random, 4) > 0);
    }
    for (size_t i = count; i-- > 0 && kept < sample;) {
        bool latest = true;

        for (size_t j = i + 1; j < count; j++)
            latest = latest && (names[i][0] == '\0' || strcmp(names[i], names[j]) != 0);
        if (!latest)
            continue;
        leads[kept] = score_slowly(f, ids[i], from, to);
        leads[kept].age = kept;
        kept++;
    }
    struct lf_impact impact = compute(f, icps[1], icps[0], profiles, sample);
    check_against(f->arena, &impact, leads, kept);
    lf_profiles_destroy(profiles);
    support_drop_programs();
    free(leads);
}

static void
test_by_chance(void **state)
{
    struct support_random random = {20260601};

    (void)state;
    for (int run = 0; run < RUNS; run++) {
        void *own = NULL;

        assert_int_equal(setup(&own), 0);
        run_by_chance(own, &random);
        (void)teardown(&own);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_by_hand),
        STORE_TEST(test_the_way_back),
        STORE_TEST(test_nothing_changes),
        STORE_TEST(test_nothing_active),
        STORE_TEST(test_no_leads),
        STORE_TEST(test_lists_of_now),
        cmocka_unit_test(test_not_stored_at_all),
        cmocka_unit_test(test_stored_in_part),
        STORE_TEST(test_stored_by_other_versions),
        STORE_TEST(test_outer_fields),
        STORE_TEST(test_grades_alone),
        cmocka_unit_test(test_by_chance),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
