/* test_advice.c - what recorded leads tell about a definition: fields that nobody sends, and grades that all reach. */
#include "app/advice.h"
#include "base/hash.h"
#include "base/json.h"
#include "replay_fixture.h"

#define NOW_US (NOW_MS * 1000)

/* ---- helpers ---- */

/* One attribute whose only rule has this condition, and what follows behind it. */
static const char *
asking(struct fixture *f, const char *condition, const char *more)
{
    return lf_arena_printf(f->arena,
                           "'attributes':[{'key':'size','label':'Size','category':'need','weight':10,'rules':["
                           "{'when':%s,'label':'It'}]}]%s",
                           condition, more);
}

/* Records this lead so many times, without ids. */
static void
record_many(struct fixture *f, const struct lf_profiles *profiles, const char *lead, const char *icps, size_t count,
            bool whole)
{
    static int64_t at_ms = NOW_MS;

    for (size_t i = 0; i < count; i++)
        (void)record_lead(f, profiles, lead, icps, at_ms++, whole);
}

/* What leads add to the lint of a definition. */
static size_t
advise(struct fixture *f, const struct lf_profiles *profiles, const char *members, struct lf_lint_item items[8],
       size_t *ret_leads)
{
    const struct lf_icp *icp = support_icp(f->arena, definition(f, "one", "core", members));
    struct lf_list_source lists = lf_profiles_lists(profiles);
    struct lf_lint lint, alone;
    size_t count = 0, leads = SIZE_MAX, none = SIZE_MAX;

    OK(lf_advise(f->reader, NULL, f->arena, icp, &lists, NOW_US, &lint, &leads, &f->error));
    OK(lf_advise(NULL, NULL, f->arena, icp, &lists, NOW_US, &alone, &none, &f->error));
    assert_int_equal(none, 0);
    for (size_t i = 0; i < lint.count; i++) {
        const struct lf_lint_item *item = &lint.items[i];

        assert_true(i == 0 || lint.items[i - 1].severity <= item->severity);
        if (strcmp(item->code, "unseen_field") == 0 || strcmp(item->code, "vague_profile") == 0) {
            assert_true(count < 8);
            items[count++] = *item;
        }
    }
    /* All else is what the definition says by itself. */
    assert_int_equal(lint.count - count, alone.count);
    if (ret_leads != NULL)
        *ret_leads = leads;
    return count;
}

/* What is said of unseen fields, as "pointer: detail: fix | …". */
static const char *
unseen(struct fixture *f, const struct lf_profiles *profiles, const char *members)
{
    struct lf_lint_item items[8];
    size_t count = advise(f, profiles, members, items, NULL);
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].code, "unseen_field") == 0)
            text = lf_arena_printf(f->arena, "%s%s%s: %s: %s", text, text[0] != '\0' ? " | " : "", items[i].pointer,
                                   items[i].detail, items[i].fix);
    return text;
}

static struct lf_profiles *
publish_one(struct fixture *f, const char *members)
{
    publish_icp(f, "one", "core", members, 1);
    return load_profiles(f);
}

/* ---- fields that nobody sends ---- */

#define LEAD                                                                                                         \
    "{'company':{'employees':860,'name':'','tags':[],'founded':null,'address':{'city':'Ulm'},'empty':{}},"           \
    "'people':[{'title':'VP','note':null},{'title':'CFO','age':'','phones':[]}],'plain':'x','Region':'EU','a.b':1,'" \
    "lists':[["                                                                                                      \
    "1]],'notes':[null]}"

static const struct {
    const char *condition, *said, *why;
} FIELDS[] = {
    {"{'field':'company.employees','gte':1}", "", "it is there"},
    {"{'field':'people.title','is':'VP'}", "", "it is there, through a list"},
    {"{'field':'company.empty','exists':true}", "", "an object is something, though nothing is in it"},
    {"{'field':'company','exists':true}", "", "so is an object with something in it"},
    {"{'field':'people','exists':true}", "", "and a list"},
    {"{'field':'people.note','exists':true}", "", "null behind a list is an element"},
    {"{'field':'people.age','is':'x'}", "", "so is an empty text"},
    {"{'field':'notes','is':'x'}", "", "a list of nothing but null has elements"},
    {"{'field':'lists','is':'x'}", "", "as has a list of lists"},
    {"{'field':'company.employes','gte':1}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for company.employes, which none of the latest 25 "
     "leads "
     "had: Did you mean company.employees? 25 of them have it",
     "a slip of typing"},
    {"{'field':'Company.Employees','gte':1}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for Company.Employees, which none of the latest 25 "
     "leads had: Did you mean company.employees? 25 of them have it",
     "names differ in capital letters"},
    {"{'field':'firm.employees','gte':1}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for firm.employees, which none of the latest 25 leads "
     "had: Did you mean company.employees? 25 of them have it",
     "the last name is the same"},
    {"{'field':'title','is':'VP'}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for title, which none of the latest 25 leads had: Did "
     "you mean people.title? 25 of them have it",
     "the last name is the same, through a list"},
    {"{'field':'account.region','is':'EU'}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for account.region, which none of the latest 25 leads "
     "had: Did you mean Region? 25 of them have it",
     "the last name is the same but for capital letters"},
    {"{'field':'revenue','gte':1}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for revenue, which none of the latest 25 leads had: "
     "Send this field with the leads, correct its name, or take the condition out",
     "nothing comes near"},
    {"{'field':'company.name','is':'x'}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for company.name, which none of the latest 25 leads "
     "had: Send this field with the leads, correct its name, or take the condition out",
     "it is always empty"},
    {"{'field':'company.tags','is':'x'}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for company.tags, which none of the latest 25 leads "
     "had: Send this field with the leads, correct its name, or take the condition out",
     "it is always an empty list"},
    {"{'field':'company.founded','gte':1}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for company.founded, which none of the latest 25 leads "
     "had: Send this field with the leads, correct its name, or take the condition out",
     "it is always null"},
    {"{'field':'people.phones','is':'x'}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for people.phones, which none of the latest 25 leads "
     "had: Send this field with the leads, correct its name, or take the condition out",
     "it is always an empty list, behind a list"},
    {"{'field':'a.b','gte':1}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for a.b, which none of the latest 25 leads had: Send "
     "this field with the leads, correct its name, or take the condition out",
     "a name with a dot is no path"},
    {"{'field':'companz','exists':true}",
     "/attributes/0/rules/0/when/field: Size, rule \"It\", asks for companz, which none of the latest 25 leads had: "
     "Send this field with the leads, correct its name, or take the condition out",
     "an object is nothing to ask for instead"},
    {"{'all':[{'field':'plain','is':'x'},{'not':{'field':'plains','is':'y'}}]}",
     "/attributes/0/rules/0/when/all/1/not/field: Size, rule \"It\", asks for plains, which none of the latest 25 "
     "leads "
     "had: Did you mean plain? 25 of them have it",
     "the place within a condition"},
};

static void
test_fields(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);

    record_many(f, profiles, LEAD, "", 25, true);
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++) {
        const char *said = unseen(f, profiles, asking(f, FIELDS[i].condition, ""));

        if (strcmp(said, FIELDS[i].said) != 0)
            fail_msg("%s: %s", FIELDS[i].why, said);
    }
    lf_profiles_destroy(profiles);
}

/* The first that reads it is named, each field once, fields in their order. */
static void
test_places(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    struct lf_lint_item items[8];
    size_t leads = 0;

    record_many(f, profiles, LEAD, "", 25, true);
    assert_int_equal(
        advise(f, profiles,
               "'attributes':[{'key':'a','label':'Visit','category':'need','weight':1,'rules':["
               "{'when':{'field':'plain','is':'w'},'label':'Here'},"
               "{'when':{'field':'plain','is':'y'},'label':'There','fade':{'field':'seen_at','days':9}}]}],"
               "'disqualifiers':[{'key':'x','reason':'Gone','when':{'any':[{'field':'plain','is':'z'},"
               "{'field':'gone','is':true},{'field':'seen_at','after':'2026-01-01'}]}}]",
               items, &leads),
        2);
    assert_int_equal(leads, 25);
    assert_string_equal(items[0].pointer, "/attributes/0/rules/1/fade/field");
    assert_string_equal(items[0].detail,
                        "Visit, rule \"There\", fades by seen_at, which none of the latest 25 leads had");
    assert_int_equal(items[0].severity, LF_LINT_INFO);
    assert_string_equal(items[1].pointer, "/disqualifiers/0/when/any/1/field");
    assert_string_equal(items[1].detail, "Disqualifier \"Gone\" asks for gone, which none of the latest 25 leads had");
    lf_profiles_destroy(profiles);
}

/* Of several near ones the nearest; then the one that most leads have; then the first by name. */
static void
test_nearest(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);

    record_many(f, profiles, "{'employeez':1,'employeesxy':2,'b':{'staff':1},'a':{'staff':1}}", "", 20, true);
    record_many(f, profiles, "{'employeesxy':2,'c':{'staff':1}}", "", 21, true);
    assert_non_null(strstr(unseen(f, profiles, asking(f, "{'field':'employees','gte':1}", "")),
                           "41 leads had: Did you mean employeez? 20 of them"));
    assert_non_null(
        strstr(unseen(f, profiles, asking(f, "{'field':'d.staff','gte':1}", "")), "Did you mean c.staff? 21 of them"));
    assert_non_null(strstr(unseen(f, profiles, asking(f, "{'field':'firm.of.staff','gte':1}", "")),
                           "Did you mean c.staff? 21 of them"));
    record_many(f, profiles, "{'x':1}", "", 1, true);
    record_many(f, profiles, "{'b':{'staff':1}}", "", 1, true);
    assert_non_null(
        strstr(unseen(f, profiles, asking(f, "{'field':'d.staff','gte':1}", "")), "Did you mean b.staff? 21 of them"));
    lf_profiles_destroy(profiles);
}

/* A lead that has the field once is enough; the latest score of a lead counts alone. */
static void
test_once_is_enough(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    const char *members = asking(f, "{'field':'rare','gte':1}", "");

    (void)record_lead(f, profiles, "{'id':'a','rare':1}", "", NOW_MS - 10, true);
    record_many(f, profiles, LEAD, "", 25, true);
    assert_string_equal(unseen(f, profiles, members), "");
    (void)record_lead(f, profiles, "{'id':'a','x':1}", "", NOW_MS + 1000, true);
    assert_non_null(strstr(unseen(f, profiles, members), "latest 26 leads"));
    lf_profiles_destroy(profiles);
}

static void
test_too_few(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    const char *members = asking(f, "{'field':'rare','exists':false}", "");
    struct lf_lint_item items[8];
    size_t leads = 0;

    assert_int_equal(advise(f, profiles, members, items, &leads), 0);
    assert_int_equal(leads, 0);
    record_many(f, profiles, LEAD, "", LF_ADVICE_LEADS_LEAST - 1, true);
    assert_int_equal(advise(f, profiles, members, items, &leads), 0);
    assert_int_equal(leads, LF_ADVICE_LEADS_LEAST - 1);
    record_many(f, profiles, LEAD, "", 1, true);
    assert_int_equal(advise(f, profiles, members, items, &leads), 2);
    assert_int_equal(leads, LF_ADVICE_LEADS_LEAST);
    lf_profiles_destroy(profiles);
}

/* Of a lead that was not stored whole nothing is known but what its versions read. */
static void
test_stored_in_part(void **state)
{
    static const struct {
        const char *field, *said, *why;
    } ROWS[] = {
        {"rare", "", "no version reads it: nobody knows"},
        {"company.employes", "", "nor this"},
        {"company.domain", "latest 25 leads had: Send", "a version reads it, and it is not there"},
        {"people.titel", "latest 25 leads had: Send", "of leads that were not stored whole nothing is proposed"},
        {"company.employees", "", "a version reads it, and it is there"},
        {"address.city", "latest 25 leads had", "a version reads all of address"},
        {"address.street.name", "latest 25 leads had", "and what is in it"},
        {"addressee", "", "a name that only begins alike is another one"},
    };
    struct fixture *f = *state;
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "two", "core",
                asking(f, "{'any':[{'field':'address','exists':true},{'field':'people.titel','is':'x'}]}", ""), 1);
    profiles = publish_one(f, PLAIN_ATTRIBUTES);
    record_many(f, profiles, LEAD, "", 25, false);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *said = unseen(
            f, profiles, asking(f, lf_arena_printf(f->arena, "{'field':'%s','exists':true}", ROWS[i].field), ""));

        if (ROWS[i].said[0] == '\0' ? said[0] != '\0' : strstr(said, ROWS[i].said) == NULL)
            fail_msg("%s: %s", ROWS[i].why, said);
    }
    lf_profiles_destroy(profiles);
}

/* Leads stored whole among others: only they count where the others do not tell. */
static void
test_mixed(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    const char *members = asking(f, "{'field':'rare','exists':true}", "");

    record_many(f, profiles, LEAD, "", 19, true);
    record_many(f, profiles, LEAD, "", 30, false);
    assert_string_equal(unseen(f, profiles, members), "");
    record_many(f, profiles, LEAD, "", 1, true);
    assert_non_null(strstr(unseen(f, profiles, members), "none of the latest 20 leads"));
    lf_profiles_destroy(profiles);
}

/* A field that is never stored is not one that nobody sends; leads of which no values were stored tell nothing. */
static void
test_not_stored_at_all(void **state)
{
    static const struct {
        enum lf_kept kept;
        const char *never, *field;
        bool said;
        size_t leads;
    } ROWS[] = {
        {LF_KEPT_WHOLE, "", "people.email", true, 25},
        {LF_KEPT_WHOLE, "*.e_mail", "people.email", false, 25},
        {LF_KEPT_WHOLE, "people", "people.email.work", false, 25},
        {LF_KEPT_WHOLE, "people", "rare", true, 25},
        {LF_KEPT_FIELDS, "", "company.domain", true, 25},
        {LF_KEPT_FIELDS, "company", "company.domain", false, 25},
        {LF_KEPT_HASHES, "", "rare", false, 0},
        {LF_KEPT_NOTHING, "", "rare", false, 0},
    };

    (void)state;
    for (size_t r = 0; r < sizeof ROWS / sizeof *ROWS; r++) {
        void *own = NULL;
        struct fixture *f = NULL;
        struct lf_lint lint;
        size_t leads = 0, unseen_fields = 0;

        assert_int_equal(setup(&own), 0);
        f = own;
        const struct lf_privacy *privacy = keeping(f, ROWS[r].kept, ROWS[r].never);
        lf_profiles_destroy(publish_one(f, PLAIN_ATTRIBUTES));
        struct lf_profiles *profiles = load_profiles_keeping(f, privacy);
        for (int i = 0; i < 25; i++)
            (void)record_lead_keeping(f, profiles, LEAD, "", NOW_MS + i, privacy);
        const char *members = asking(f, lf_arena_printf(f->arena, "{'field':'%s','exists':true}", ROWS[r].field), "");
        const struct lf_icp *icp = support_icp(f->arena, definition(f, "one", "core", members));
        OK(lf_advise(f->reader, privacy, f->arena, icp, NULL, NOW_US, &lint, &leads, &f->error));
        for (size_t i = 0; i < lint.count; i++)
            unseen_fields += strcmp(lint.items[i].code, "unseen_field") == 0;
        if (leads != ROWS[r].leads || unseen_fields != ROWS[r].said)
            fail_msg("row %zu: %zu leads, %zu fields", r, leads, unseen_fields);
        lf_profiles_destroy(profiles);
        (void)teardown(&own);
    }
}

/* Leads with thousands of names of their own, names that are long, and objects in one another: bounded, and what the
 * definition reads is found all the same. */
static void
test_flood_of_names(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    struct lf_buf buf;

    for (int l = 0; l < 22; l++) {
        lf_buf_init(&buf, f->arena, 1 << 20);
        lf_buf_text(&buf, "{");
        for (int i = 0; i < 400; i++)
            lf_buf_printf(&buf, "'name_%d_%d':1,", l, i);
        lf_buf_printf(&buf, "'%0*d':1,", 190 + l, 7);
        for (int d = 0; d < 50; d++)
            lf_buf_printf(&buf, "'d234':{");
        lf_buf_text(&buf, "'end':1");
        for (int d = 0; d < 50; d++)
            lf_buf_text(&buf, "}");
        lf_buf_text(&buf, ",'last':1}");
        assert_non_null(lf_buf_terminate(&buf));
        record_many(f, profiles, buf.data, "", 1, true);
    }
    assert_string_equal(unseen(f, profiles, asking(f, "{'field':'last','gte':1}", "")), "");
    assert_non_null(strstr(unseen(f, profiles, asking(f, "{'field':'name_0_9999','gte':1}", "")), "latest 22 leads"));
    lf_profiles_destroy(profiles);
}

/* A definition that asks for more fields than lint says items. */
static void
test_flood_of_fields(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    struct lf_lint lint;
    struct lf_buf buf;
    size_t leads = 0;

    record_many(f, profiles, LEAD, "", 25, true);
    lf_buf_init(&buf, f->arena, 1 << 20);
    for (int i = 0; i < 800; i++)
        lf_buf_printf(&buf, "%s{'field':'nobody_%d','exists':true}", i > 0 ? "," : "", i);
    const char *when = lf_arena_printf(f->arena, "{'any':[%s]}", lf_buf_terminate(&buf));
    const struct lf_icp *icp = support_icp(f->arena, definition(f, "one", "core", asking(f, when, "")));
    OK(lf_advise(f->reader, NULL, f->arena, icp, NULL, NOW_US, &lint, &leads, &f->error));
    assert_int_equal(lint.count, LF_LINT_ITEMS_MAX);
    assert_int_equal(lint.count + lint.dropped, lint.counts[0] + lint.counts[1] + lint.counts[2]);
    assert_true(lint.counts[LF_LINT_INFO] >= 800);
    lf_profiles_destroy(profiles);
}

/* ---- grades that all reach ---- */

static void
test_vague(void **state)
{
    static const struct {
        size_t tops, others;
        const char *more, *pointer, *detail, *fix, *why;
    } ROWS[] = {
        {80, 20, "", NULL, NULL, NULL, "80 of 100 is not more than 80 %"},
        {81, 20, "", "/grades",
         "81 of the latest 101 leads (80.2 %) reach grade A: a profile that fits nearly everybody tells nobody apart",
         "Ask for more in the rules that most leads meet, say who it is not for in a disqualifier, or let grade A "
         "begin "
         "above 80",
         "more than 80 %"},
        {1190, 10, ",'grades':[{'grade':'Top','min':12.5},{'grade':'Rest','min':0}]", "/grades/0/min",
         "1,190 of the latest 1,200 leads (99.17 %) reach grade Top: a profile that fits nearly everybody tells nobody "
         "apart",
         "Ask for more in the rules that most leads meet, say who it is not for in a disqualifier, or let grade Top "
         "begin above 12.5",
         "grades of its own"},
        {19, 0, "", NULL, NULL, NULL, "too few leads"},
        {30, 0, ",'disqualifiers':[{'key':'x','reason':'X','when':{'field':'n','gte':1}}]", NULL, NULL, NULL,
         "who is disqualified has no grade"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_lint_item items[8];
        struct lf_profiles *profiles = NULL;
        struct fixture *f = NULL;
        void *own = NULL;
        size_t count = 0;

        assert_int_equal(setup(&own), 0);
        f = own;
        profiles = publish_one(f, PLAIN_ATTRIBUTES);
        record_many(f, profiles, "{'n':5}", "", ROWS[i].tops, true);
        record_many(f, profiles, "{'n':0}", "", ROWS[i].others, true);
        count = advise(f, profiles, asking(f, "{'field':'n','gte':1}", ROWS[i].more), items, NULL);
        if (count != (ROWS[i].pointer != NULL))
            fail_msg("%s: %zu items", ROWS[i].why, count);
        if (count == 1) {
            assert_string_equal(items[0].code, "vague_profile");
            assert_int_equal(items[0].severity, LF_LINT_WARNING);
            assert_string_equal(items[0].pointer, ROWS[i].pointer);
            assert_string_equal(items[0].detail, ROWS[i].detail);
            assert_string_equal(items[0].fix, ROWS[i].fix);
        }
        lf_profiles_destroy(profiles);
        (void)teardown(&own);
    }
}

/* A lead that was not stored with all that the definition reads is no witness. */
static void
test_vague_stored_in_part(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = publish_one(f, PLAIN_ATTRIBUTES);
    struct lf_lint_item items[8];
    size_t leads = 0;

    record_many(f, profiles, "{'company':{'employees':860},'n':0}", "", 30, false);
    assert_int_equal(advise(f, profiles, asking(f, "{'field':'company.employees','gte':1}", ""), items, &leads), 1);
    assert_string_equal(items[0].code, "vague_profile");
    assert_int_equal(leads, 30);
    assert_int_equal(advise(f, profiles,
                            asking(f, "{'any':[{'field':'company.employees','gte':1},{'field':'n','gte':1}]}", ""),
                            items, &leads),
                     0);
    lf_profiles_destroy(profiles);
}

/* The lists of now, and the leads' own time, count. */
static void
test_vague_with_lists(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = NULL;
    struct lf_lint_item items[8];

    put_list(f, "targets", "mill.example");
    profiles = publish_one(f, PLAIN_ATTRIBUTES);
    record_many(f, profiles, "{'company':{'domain':'mill.example'},'at':'2026-05-28'}", "", 30, true);
    assert_int_equal(advise(f, profiles,
                            asking(f,
                                   "{'all':[{'field':'company.domain','in_list':'targets'},"
                                   "{'field':'at','within_days':3}]}",
                                   ""),
                            items, NULL),
                     1);
    lf_profiles_destroy(profiles);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_fields),
        STORE_TEST(test_places),
        STORE_TEST(test_nearest),
        STORE_TEST(test_once_is_enough),
        STORE_TEST(test_too_few),
        STORE_TEST(test_stored_in_part),
        STORE_TEST(test_mixed),
        cmocka_unit_test(test_not_stored_at_all),
        STORE_TEST(test_flood_of_names),
        STORE_TEST(test_flood_of_fields),
        cmocka_unit_test(test_vague),
        STORE_TEST(test_vague_stored_in_part),
        STORE_TEST(test_vague_with_lists),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
