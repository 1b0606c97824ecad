/*
 * test_unmatched.c - the values that no rule took: by hand, and random leads against a count of their own.
 */
#include "app/unmatched.h"
#include "app/versions.h"
#include "replay_fixture.h"

static const char ATTRIBUTES[] =
    "'attributes':["
    "{'key':'industry','label':'Industry','category':'firmographic','weight':10,'rules':["
    "{'when':{'field':'company.industry','in':['Computer Software','Manufacturing']}},"
    "{'when':{'field':'company.industry','contains':'health'},'fit':0.5}]},"
    "{'key':'size','label':'Size','category':'firmographic','weight':10,'rules':["
    "{'when':{'field':'company.employees','gte':200}}]},"
    "{'key':'title','label':'Title','category':'decision_maker','weight':10,'rules':["
    "{'when':{'all':[{'field':'people.title','has_word':['vp','chief']},{'field':'people.email','exists':true}]}}]},"
    "{'key':'visit','label':'Visit','category':'trigger','weight':10,'rules':["
    "{'when':{'field':'visited','is':true},'fade':{'field':'visited_at','days':30}}]},"
    "{'key':'target','label':'Target','category':'need','weight':10,'rules':["
    "{'when':{'field':'company.domain','in_list':'targets'}}]}]";

/* Finds under the active definition. */
static enum lf_status
find_with(struct fixture *f, const struct lf_privacy *privacy, const char *attribute, size_t limit, size_t leads,
          struct lf_unmatched *ret_unmatched)
{
    struct lf_unmatched_options options = {.attribute = attribute, .limit = limit, .leads = leads};
    struct lf_profiles *profiles = load_profiles(f);
    struct lf_list_source lists = lf_profiles_lists(profiles);
    const struct lf_icp *icp = NULL;
    struct lf_stored_version version;
    struct lf_stored_icp stored;
    enum lf_status status = LF_OK;

    OK(lf_store_icp(f->reader, f->arena, "main", &stored, &f->error));
    OK(lf_store_version(f->reader, f->arena, "main", stored.active_version, &version, &f->error));
    OK(lf_version_parse(f->arena, &version, &icp, &f->error));
    status = lf_unmatched_find(f->reader, f->arena, icp, &lists, privacy, &options, ret_unmatched, &f->error);
    lf_profiles_destroy(profiles);
    return status;
}

/* `industry company.industry "Comp. Software" 2 ~Computer Software`, each on a line; `!` for an invalid one. */
static const char *
told(struct fixture *f, const struct lf_unmatched *unmatched)
{
    const char *text = "";

    for (size_t i = 0; i < unmatched->count; i++) {
        const struct lf_unmatched_value *value = &unmatched->values[i];

        text = lf_arena_printf(f->arena, "%s%s%s %s \"%s\" %d%s%s%.*s", text, i > 0 ? "\n" : "", value->attribute,
                               value->field, value->value, (int)value->count, value->invalid ? "!" : "",
                               value->near_len > 0 ? " ~" : "", (int)value->near_len, value->near);
    }
    return text;
}

static const char *
find(struct fixture *f, const char *attribute, size_t limit)
{
    struct lf_unmatched unmatched;

    OK(find_with(f, NULL, attribute, limit, 100000, &unmatched));
    assert_int_equal(unmatched.dropped, 0);
    return told(f, &unmatched);
}

/* Publishes the definition and records leads under it, whole or not, a millisecond apart. */
static void
record_all(struct fixture *f, const char *const *leads, size_t count, bool whole)
{
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "main", "core", ATTRIBUTES, 1);
    put_list(f, "targets", "acme.example");
    profiles = load_profiles(f);
    for (size_t i = 0; i < count; i++)
        (void)record_lead(f, profiles, leads[i], "", NOW_MS + (int64_t)i, whole);
    lf_profiles_destroy(profiles);
}

#define RECORD(f, leads, whole) record_all((f), (leads), sizeof(leads) / sizeof *(leads), (whole))

static void
test_by_hand(void **state)
{
    static const char *const LEADS[] = {
        "{'id':'a','company':{'industry':'Computer Software','employees':10}}",
        "{'id':'b','company':{'industry':'Comp. Software','employees':'many'}}",
        "{'id':'c','company':{'industry':'Comp. Software','employees':10}}",
        "{'id':'a','company':{'industry':'Healthcare','employees':500}}", /* a's latest */
        "{'company':{'industry':'comp. software','domain':'other.example'}}",
        "{'id':'d','company':{'industry':'','employees':null,'domain':'ACME.example'}}",
        "{'id':'e','people':[{'title':'Clerk'},{'title':'Chef'},{'title':'Clerk'},{'title':null}]}",
        "{'id':'f','people':[{'title':'VP Sales','email':'x@y.example'},{'title':'Clerk'}]}",
        "{'id':'g','people':[{'title':'Clerk','email':'z@y.example'}]}",
        "{'id':'h','visited':true,'visited_at':'03.11.2026'}",
        "{'id':'i','visited':true,'visited_at':'2026-05-01'}",
        "{'id':'j','visited':false,'visited_at':'2026-05-01'}",
    };
    struct fixture *f = *state;

    RECORD(f, LEADS, true);
    assert_string_equal(find(f, NULL, 100), "industry company.industry \"Comp. Software\" 2 ~Computer Software\n"
                                            "title people.title \"Clerk\" 2\n"
                                            "industry company.industry \"comp. software\" 1 ~Computer Software\n"
                                            "size company.employees \"10\" 1\n"
                                            "size company.employees \"many\" 1!\n"
                                            "title people.title \"Chef\" 1 ~chief\n"
                                            "visit visited_at \"03.11.2026\" 1!\n"
                                            "visit visited \"false\" 1\n"
                                            "visit visited \"true\" 1\n"
                                            "target company.domain \"other.example\" 1");
    assert_string_equal(find(f, "size", 100), "size company.employees \"10\" 1\nsize company.employees \"many\" 1!");
    assert_string_equal(find(f, NULL, 2), "industry company.industry \"Comp. Software\" 2 ~Computer Software\n"
                                          "title people.title \"Clerk\" 2");
}

/* Each value once a lead, elements one by one; what stands in several people counts for the lead. */
static void
test_lists_of_values(void **state)
{
    static const char *const LEADS[] = {
        "{'id':'a','people':[{'title':['Clerk','Cook'],'email':'x'},{'title':'Clerk'},{'title':{'x':1}}]}",
        "{'id':'b','people':{'title':['Clerk','',null,[],'Clerk'],'email':'x'}}",
        "{'id':'c','people':{'title':[7,true,'7',12345678901234567890],'email':'x'}}",
    };
    struct fixture *f = *state;

    RECORD(f, LEADS, true);
    /* a has an object among its titles, which is of a wrong kind; b is unknown because something is missing, no more.
     */
    assert_string_equal(find(f, "title", 100), "title people.title \"12345678901234567890\" 1\n"
                                               "title people.title \"7\" 1\n"
                                               "title people.title \"Clerk\" 1\n"
                                               "title people.title \"Cook\" 1\n"
                                               "title people.title \"true\" 1");
}

/* What is not kept does not show: fields alone, hashes, nothing, and what is never stored now. */
static void
test_what_is_kept(void **state)
{
    static const char LEAD[] = "{'id':'%s','company':{'industry':'Retail','employees':5}}";
    static const struct {
        enum lf_kept kept;
        const char *never, *found;
    } ROWS[] = {
        {LF_KEPT_WHOLE, "", "industry company.industry \"Retail\" 1\nsize company.employees \"5\" 1"},
        {LF_KEPT_FIELDS, "", "industry company.industry \"Retail\" 1\nsize company.employees \"5\" 1"},
        {LF_KEPT_FIELDS, "company.industry", "size company.employees \"5\" 1"},
        {LF_KEPT_HASHES, "", ""},
        {LF_KEPT_NOTHING, "", ""},
    };
    struct fixture *f = *state;
    struct lf_unmatched unmatched;

    publish_icp(f, "main", "core", ATTRIBUTES, 1);
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        const struct lf_privacy *privacy = keeping(f, ROWS[r].kept, ROWS[r].never);
        struct lf_profiles *profiles = load_profiles_keeping(f, privacy);

        run_sql(f->path, "DELETE FROM score_block");
        (void)record_lead_keeping(f, profiles, lf_arena_printf(f->arena, LEAD, "x"), "", NOW_MS + (int64_t)r, privacy);
        lf_profiles_destroy(profiles);
        OK(find_with(f, privacy, NULL, 100, 1000, &unmatched));
        assert_string_equal(told(f, &unmatched), ROWS[r].found);
        assert_int_equal(unmatched.leads, ROWS[r].kept == LF_KEPT_WHOLE || ROWS[r].kept == LF_KEPT_FIELDS);
    }
    /* Kept once, withheld now. */
    run_sql(f->path, "DELETE FROM score_block");
    struct lf_profiles *profiles = load_profiles(f);
    (void)record_lead(f, profiles, lf_arena_printf(f->arena, LEAD, "y"), "", NOW_MS + 50, true);
    lf_profiles_destroy(profiles);
    OK(find_with(f, keeping(f, LF_KEPT_WHOLE, "company.industry"), NULL, 100, 1000, &unmatched));
    assert_string_equal(told(f, &unmatched), "size company.employees \"5\" 1");
    OK(find_with(f, keeping(f, LF_KEPT_HASHES, ""), NULL, 100, 1000, &unmatched));
    assert_string_equal(told(f, &unmatched), "");
}

/* Leads that another ICP alone has scored count where they were kept whole, and not else. */
static void
test_whose_leads(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = NULL;
    struct lf_unmatched unmatched;

    publish_icp(f, "main", "core", ATTRIBUTES, 1);
    publish_icp(f, "other", "core", ATTRIBUTES, 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, "{'id':'a','company':{'industry':'Whole'}}", "'other'", NOW_MS, true);
    (void)record_lead(f, profiles, "{'id':'b','company':{'industry':'Fields'}}", "'other'", NOW_MS + 1, false);
    (void)record_lead(f, profiles, "{'id':'c','company':{'industry':'Own'}}", "'main'", NOW_MS + 2, false);
    lf_profiles_destroy(profiles);
    OK(find_with(f, NULL, "industry", 100, 1000, &unmatched));
    assert_int_equal(unmatched.leads, 2);
    assert_string_equal(told(f, &unmatched), "industry company.industry \"Own\" 1\n"
                                             "industry company.industry \"Whole\" 1");
    OK(find_with(f, NULL, "industry", 100, 1, &unmatched));
    assert_int_equal(unmatched.leads, 1);
    assert_string_equal(told(f, &unmatched), "industry company.industry \"Own\" 1");
}

static void
test_lists_of_now(void **state)
{
    static const char *const LEADS[] = {"{'id':'a','company':{'domain':'other.example'}}"};
    struct fixture *f = *state;

    RECORD(f, LEADS, true);
    assert_string_equal(find(f, NULL, 100), "target company.domain \"other.example\" 1");
    put_texts(f, "more", (const char *const[]){"x.example"}, 1);
    run_sql(f->path, "DELETE FROM list; DELETE FROM list_item");
    put_texts(f, "targets", (const char *const[]){"Other.example"}, 1);
    assert_string_equal(find(f, NULL, 100), "");
}

static void
test_long_values(void **state)
{
    struct fixture *f = *state;
    struct lf_unmatched unmatched;
    struct lf_profiles *profiles = NULL;
    char text[4 * 300 + 1], *at = text;

    for (int i = 0; i < 300; i++)
        at += sprintf(at, "%s", i % 2 == 0 ? "\xc3\xa4" : "x");
    publish_icp(f, "main", "core", ATTRIBUTES, 1);
    profiles = load_profiles(f);
    (void)record_lead(f, profiles, lf_arena_printf(f->arena, "{'id':'a','company':{'industry':'%s'}}", text), "",
                      NOW_MS, true);
    (void)record_lead(f, profiles, lf_arena_printf(f->arena, "{'id':'b','company':{'industry':'%sand on'}}", text), "",
                      NOW_MS + 1, true);
    (void)record_lead(f, profiles, "{'id':'c','company':{'industry':'a\\u0000b'}}", "", NOW_MS + 2, true);
    lf_profiles_destroy(profiles);
    OK(find_with(f, NULL, NULL, 100, 1000, &unmatched));
    assert_int_equal(unmatched.count, 2);
    assert_int_equal(unmatched.values[0].count, 2);
    assert_int_equal(lf_text_length(unmatched.values[0].value, unmatched.values[0].value_len), 200);
    assert_int_equal(unmatched.values[0].value_len, 300);
    assert_int_equal(unmatched.values[1].value_len, 3);
    assert_memory_equal(unmatched.values[1].value, "a\0b", 3);
}

static void
test_what_is_near(void **state)
{
    static const struct {
        const char *rules, *value, *near;
    } ROWS[] = {
        {"{'when':{'field':'x','in':['Computer Games','Computer Software']}}", "Comp. Software", "Computer Software"},
        {"{'when':{'field':'x','is':'Germany'}},{'when':{'field':'x','is':'Gremany X'}}", "Germny", "Germany"},
        {"{'when':{'all':[{'field':'x','is':'Germany'},{'field':'y','is':'Germny'}]}}", "Germny", "Germany"},
        {"{'when':{'any':[{'field':'x','like':'*software*'},{'field':'x','in':[1,true]}]}}", "Softwre", "*software*"},
        {"{'when':{'field':'x','is':'Germany'}}", "France", ""},
        /* It is an operand itself: something else was in the way, and nothing is near. */
        {"{'when':{'all':[{'field':'x','is':'Germany'},{'field':'x','is':'Germani'}]}}", "GERMANY", ""},
        {"{'when':{'field':'x','gt':5}}", "4", ""},
        {"{'when':{'field':'x','in':['First one','First two']}}", "First", "First one"}, /* the first of equal ones */
    };
    struct fixture *f = *state;

    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        const struct lf_unmatched_value *value = NULL;
        struct lf_profiles *profiles = NULL;
        struct lf_unmatched unmatched;

        publish_icp(f, "main", "core",
                    lf_arena_printf(f->arena,
                                    "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[%s]}]",
                                    ROWS[r].rules),
                    (int)r + 1);
        run_sql(f->path, "DELETE FROM score_block");
        profiles = load_profiles(f);
        (void)record_lead(f, profiles, lf_arena_printf(f->arena, "{'id':'a','x':'%s','y':'no'}", ROWS[r].value), "",
                          NOW_MS + (int64_t)r, true);
        lf_profiles_destroy(profiles);
        OK(find_with(f, NULL, NULL, 100, 1000, &unmatched));
        value = unmatched.values;
        assert_true(unmatched.count >= 1 && strcmp(value->field, "x") == 0);
        if (value->near_len != strlen(ROWS[r].near) || memcmp(value->near, ROWS[r].near, value->near_len) != 0)
            fail_msg("\"%s\": near %.*s", ROWS[r].value, (int)value->near_len, value->near);
    }
}

static void
test_unknown_attribute(void **state)
{
    struct fixture *f = *state;
    struct lf_unmatched unmatched;

    publish_icp(f, "main", "core", ATTRIBUTES, 1);
    FAILS(find_with(f, NULL, "nobody", 10, 10, &unmatched), LF_INVALID_PARAMETER);
    assert_non_null(strstr(f->error.detail, "no attribute \"nobody\""));
}

/* ---- many leads, against a count of their own ---- */

enum { LEADS = 600, IDS = 250, WORDS = 30 };

static void
test_many(void **state)
{
    static const char *const TAKEN[] = {"w1", "w2", "w3"};
    struct fixture *f = *state;
    struct support_random random = {17};
    struct lf_profiles *profiles = NULL;
    struct lf_unmatched unmatched;
    int latest[IDS][2], counts[2][WORDS] = {{0}};
    size_t leads = 0, told_values = 0;

    memset(latest, -1, sizeof latest);
    publish_icp(f, "main", "core",
                "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':["
                "{'when':{'field':'x','in':['w1','w2','w3']}}]},"
                "{'key':'b','label':'B','category':'need','weight':1,'rules':[{'when':{'field':'y','gte':20}}]}]",
                1);
    profiles = load_profiles(f);
    for (int i = 0; i < LEADS; i++) {
        int id = (int)support_random(&random, IDS), x = (int)support_random(&random, WORDS);
        int y = (int)support_random(&random, WORDS);

        latest[id][0] = x;
        latest[id][1] = y;
        (void)record_lead(f, profiles, lf_arena_printf(f->arena, "{'id':'%d','x':'W%d','y':%d}", id, x, y), "",
                          NOW_MS + i, support_random(&random, 2) == 0);
    }
    lf_profiles_destroy(profiles);
    for (int i = 0; i < IDS; i++) {
        bool taken = false;

        if (latest[i][0] < 0)
            continue;
        leads++;
        for (size_t t = 0; t < 3; t++)
            taken = taken || atoi(TAKEN[t] + 1) == latest[i][0];
        counts[0][latest[i][0]] += !taken;
        counts[1][latest[i][1]] += latest[i][1] < 20;
    }
    OK(find_with(f, NULL, NULL, 1000, 100000, &unmatched));
    assert_int_equal(unmatched.leads, leads);
    for (size_t i = 0; i < unmatched.count; i++) {
        const struct lf_unmatched_value *value = &unmatched.values[i];
        bool first = strcmp(value->attribute, "a") == 0;
        int word = atoi(value->value + first);

        assert_int_equal(value->count, counts[!first][word]);
        assert_false(value->invalid);
        if (i > 0) {
            const struct lf_unmatched_value *before = value - 1;
            int order = strcmp(before->attribute, value->attribute);

            assert_true(before->count >= value->count);
            if (before->count == value->count)
                assert_true(order < 0 || (order == 0 && strcmp(before->value, value->value) < 0));
        }
    }
    for (int a = 0; a < 2; a++)
        for (int w = 0; w < WORDS; w++)
            told_values += counts[a][w] > 0;
    assert_int_equal(unmatched.count, told_values);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_by_hand),      STORE_TEST(test_lists_of_values),   STORE_TEST(test_what_is_kept),
        STORE_TEST(test_whose_leads),  STORE_TEST(test_lists_of_now),      STORE_TEST(test_long_values),
        STORE_TEST(test_what_is_near), STORE_TEST(test_unknown_attribute), STORE_TEST(test_many),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
