/*
 * test_history.c - a lead's recorded scores and why each is not the one before.
 *
 * What is told is held against scores computed here from what the tests know and the store may not: each lead as it
 * was, and the definitions and lists of its time.
 */
#include "history_fixture.h"

/* ---- cases by hand ---- */

#define SIZE(weight)                                                           \
    "{'key':'size','label':'Size','category':'firmographic','weight':" #weight \
    ",'rules':[{'when':{'field':'employees','gte':1000}},{'when':{'field':'employees','gte':100},'fit':0.5}]}"
#define FRIEND                                                                                                      \
    "{'key':'friend','label':'Friend','category':'legal','weight':10,'rules':[{'when':{'field':'domain','in_list':" \
    "'friends'}}]}"
#define SEEN                                                                                                          \
    "{'key':'seen','label':'Seen','category':'behavioral','weight':10,'axis':'fit','rules':[{'when':{'field':'seen'," \
    "'within_days':400},'fade':{'field':'seen','days':100}}]}"
#define MAIL                                                                                                           \
    "{'key':'mail','label':'Mail','category':'demographic','weight':10,'rules':[{'when':{'field':'email','ends_with':" \
    "'@acme.example'}}]}"

/* 2026-05-28T20:26:40Z is NOW_MS. */
static void
test_by_hand(void **state)
{
    struct fixture *f = *state;
    struct world *world = begin(f, LF_KEPT_WHOLE, "");
    struct lf_history history;

    put_list(f, "friends", "acme.example");
    publish_next(world, "plan", "core", "'attributes':[" SIZE(10) "," FRIEND "," SEEN "]", 1);
    /* 5 of 30: the domain is no friend, seen 100 days ago: faded to nothing. */
    (void)record_as_of(world, "{'id':'L','employees':100,'domain':'b.example','seen':'2026-02-17T20:26:40Z'}", "",
                       NOW_MS);
    (void)record_as_of(world, "{'id':'L','employees':100,'domain':'b.example','seen':'2026-02-17T20:26:40Z'}", "",
                       NOW_MS); /* nothing new */
    (void)record_as_of(world, "{'id':'L','employees':1000,'domain':'b.example','seen':'2026-05-28T20:26:40Z'}", "",
                       NOW_MS); /* data: 10 and 10 of 30 */
    (void)record_as_of(world, "{'id':'L','employees':1000,'domain':'b.example','seen':'2026-05-28T20:26:40Z'}", "",
                       NOW_MS + 50 * DAY_MS); /* time: half of the fading 10 */
    change_list(world, "friends", "b.example");
    (void)record_as_of(world, "{'id':'L','employees':1000,'domain':'b.example','seen':'2026-05-28T20:26:40Z'}", "",
                       NOW_MS + 50 * DAY_MS); /* the list: 10 of 30 more */
    publish_next(world, "plan", "core", "'attributes':[" SIZE(30) "," FRIEND "," SEEN "]", 2);
    (void)record_as_of(world, "{'id':'L','employees':1000,'domain':'b.example','seen':'2026-05-28T20:26:40Z'}", "",
                       NOW_MS + 50 * DAY_MS); /* the version: 45 of 50, was 25 of 30 */
    publish_next(world, "plan", "core", "'attributes':[" SIZE(10) "," FRIEND "," SEEN "]", 3);
    (void)record_as_of(world, "{'id':'L','employees':100,'domain':'b.example','seen':'2026-05-28T20:26:40Z'}", "",
                       NOW_MS + 100 * DAY_MS); /* all three: 30 of 50; then 20 of 30; then 15 of 30 */
    history = read_all(world);
    assert_int_equal(history.count, 7);
    assert_false(history.more);
    assert_change(&history.entries[0], 6000 - 9000, 6667 - 6000, 5000 - 6667, true);
    assert_change(&history.entries[1], 0, 9000 - 8333, 0, true);
    assert_change(&history.entries[2], 0, 8333 - 5000, 0, true);
    assert_change(&history.entries[3], 0, 0, 5000 - 6667, true);
    assert_change(&history.entries[4], 6667 - 1667, 0, 0, true);
    assert_change(&history.entries[5], 0, 0, 0, true);
    assert_change(&history.entries[6], 0, 0, 0, true);
    assert_false(history.entries[6].has_previous);
    assert_string_equal(history.entries[0].grade, "C");
    assert_string_equal(history.entries[0].label, "C");
    assert_int_equal(history.entries[0].version, 3);
    assert_int_equal(history.entries[1].version, 2);
    assert_true(history.entries[0].qualified);
    assert_int_equal(history.entries[0].coverage, 10000);
    assert_int_equal(check_truth(world, &history), 6);
    end(world);
}

/* What is not known is said to be, and stands where it may. */
static void
test_what_cannot_be_told(void **state)
{
    static const struct {
        const char *why;
        enum lf_kept kept;
        const char *never;              /* when each of the two was recorded */
        bool data, list, version, time; /* what changes */
        bool exact;
        int told[3];       /* data, profile, time */
        const char *later; /* never kept when the second one was recorded; NULL: the same */
        const char *now;   /* and today */
    } ROWS[] = {
        {"nothing kept, only data changes",
         LF_KEPT_NOTHING,
         "",
         true,
         false,
         false,
         false,
         true,
         {1250, 0, 0},
         NULL,
         NULL},
        {"nothing kept, the version changes",
         LF_KEPT_NOTHING,
         "",
         false,
         false,
         true,
         false,
         false,
         {-417, 0, 0},
         NULL,
         NULL},
        {"nothing kept, time passes", LF_KEPT_NOTHING, "", false, false, false, true, false, {-1250, 0, 0}, NULL, NULL},
        {"hashes, only data changes", LF_KEPT_HASHES, "", true, false, false, false, true, {1250, 0, 0}, NULL, NULL},
        {"hashes, only the version changes",
         LF_KEPT_HASHES,
         "",
         false,
         false,
         true,
         false,
         true,
         {0, -417, 0},
         NULL,
         NULL},
        {"hashes, only the list changes",
         LF_KEPT_HASHES,
         "",
         false,
         true,
         false,
         false,
         true,
         {0, 2500, 0},
         NULL,
         NULL},
        {"hashes, time passes", LF_KEPT_HASHES, "", false, false, false, true, true, {0, 0, -1250}, NULL, NULL},
        {"hashes, data and version", LF_KEPT_HASHES, "", true, false, true, false, false, {2083, 0, 0}, NULL, NULL},
        {"hashes, version and time", LF_KEPT_HASHES, "", false, false, true, true, false, {0, -1250, 0}, NULL, NULL},
        {"no mail kept, only data changes",
         LF_KEPT_WHOLE,
         "email",
         true,
         false,
         false,
         false,
         true,
         {1250, 0, 0},
         NULL,
         NULL},
        {"no mail kept, data changes, time passes",
         LF_KEPT_WHOLE,
         "email",
         true,
         false,
         false,
         true,
         true,
         {1250, 0, -1250},
         NULL,
         NULL},
        {"no mail kept, the version changes",
         LF_KEPT_WHOLE,
         "email",
         false,
         false,
         true,
         false,
         false,
         {0, -417, 0},
         NULL,
         NULL},
        {"no mail kept, version and time",
         LF_KEPT_FIELDS,
         "email",
         false,
         false,
         true,
         true,
         false,
         {0, -417, -833},
         NULL,
         NULL},
        {"no date kept, time passes",
         LF_KEPT_WHOLE,
         "seen",
         false,
         false,
         false,
         true,
         false,
         {0, 0, -1250},
         NULL,
         NULL},
        {"no date kept, data changes, time passes",
         LF_KEPT_WHOLE,
         "seen",
         true,
         false,
         false,
         true,
         false,
         {0, 0, 0},
         NULL,
         NULL},
        {"fields kept, all at once", LF_KEPT_FIELDS, "", true, true, true, true, true, {1250, 2500, -833}, NULL, NULL},
        {"no mail was kept, the version changes",
         LF_KEPT_WHOLE,
         "email",
         false,
         false,
         true,
         false,
         false,
         {0, -417, 0},
         NULL,
         ""},
        {"no mail was kept, version and data",
         LF_KEPT_WHOLE,
         "email",
         true,
         false,
         true,
         false,
         false,
         {2083, 0, 0},
         NULL,
         ""},
        {"mail is kept no more, version and data",
         LF_KEPT_WHOLE,
         "",
         true,
         false,
         true,
         false,
         false,
         {2083, 0, 0},
         "email",
         NULL},
        {"mail was not kept for a while, list and data",
         LF_KEPT_WHOLE,
         "",
         true,
         true,
         false,
         false,
         false,
         {3750, 0, 0},
         "email",
         ""},
        {"mail is kept again, the version changes",
         LF_KEPT_WHOLE,
         "email",
         false,
         false,
         true,
         false,
         false,
         {-417, 0, 0},
         "",
         NULL},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct fixture *f = *state;
        struct world *world = begin(f, ROWS[i].kept, ROWS[i].never);
        char key[16];
        const char *members = "'attributes':[" SIZE(10) "," FRIEND "," SEEN "," MAIL "]";
        const char *heavier = "'attributes':[" SIZE(30) "," FRIEND "," SEEN "," MAIL "]";
        struct lf_history_query query;
        struct lf_score_change change;
        struct lf_history history;

        (void)snprintf(key, sizeof key, "plan-%zu", i);
        put_list(f, "friends", "acme.example");
        publish_next(world, key, "core", members, 1);
        (void)record_as_of(world,
                           "{'id':'L','employees':100,'domain':'b.example','seen':'2026-05-28T20:26:40Z','email':"
                           "'x@acme.example'}",
                           lf_arena_printf(f->arena, "'%s'", key), NOW_MS);
        if (ROWS[i].later != NULL) {
            world->privacy = keeping(f, ROWS[i].kept, ROWS[i].later);
            renew(world);
        }
        if (ROWS[i].list)
            change_list(world, "friends", "b.example");
        if (ROWS[i].version)
            publish_next(world, key, "core", heavier, 2);
        (void)record_as_of(world,
                           lf_arena_printf(f->arena,
                                           "{'id':'L','employees':%s,'domain':'b.example','seen':"
                                           "'2026-05-28T20:26:40Z','email':'%s@acme.example'}",
                                           ROWS[i].data ? "'1000.0'" : "100", ROWS[i].data ? "y" : "x"),
                           lf_arena_printf(f->arena, "'%s'", key), NOW_MS + (ROWS[i].time ? 50 * DAY_MS : 0));
        if (ROWS[i].now != NULL)
            world->privacy = keeping(f, ROWS[i].kept, ROWS[i].now);
        query = all_of(key, 10);
        history = read_page(world, &query);
        assert_int_equal(history.count, 2);
        change = history.entries[0].change;
        if (change.exact != ROWS[i].exact || change.data != ROWS[i].told[0] || change.profile != ROWS[i].told[1] ||
            change.time != ROWS[i].told[2])
            fail_msg("%s: told %d %d %d%s\n", ROWS[i].why, history.entries[0].change.data,
                     history.entries[0].change.profile, history.entries[0].change.time,
                     history.entries[0].change.exact ? "" : ", not exact");
        (void)check_truth(world, &history);
        archive_icp(f, key);
        end(world);
    }
}

/* At the new time a rule about days decided before a list, or the mail, was asked; at the old one it does not. */
static void
test_what_nobody_had_asked(void **state)
{
    static const char LIST[] =
        "'attributes':[{'key':'late','label':'Late','category':'need','weight':30,'rules':[{'when':{'field':'seen',"
        "'within_days':30}},{'when':{'field':'domain','in_list':'friends'},'fit':0.5}]}," SIZE(10) "]";
    static const char MAILED[] =
        "'attributes':[{'key':'late','label':'Late','category':'need','weight':30,'rules':[{'when':{'any':[{'field':"
        "'seen','within_days':30},{'field':'email','contains':'x'}]}}]}," SIZE(10) "]";
    static const struct {
        const char *why, *members, *never;
        bool list_changes, exact;
        int told[3];
    } ROWS[] = {
        {"the list is the same today", LIST, "", false, true, {1250, 0, 3750}},
        {"the list has changed since", LIST, "", true, false, {1250 + 3750, 0, 0}},
        {"the mail is there", MAILED, "", false, true, {1250, 0, 0}},
        {"the mail was not kept", MAILED, "email", false, false, {1250, 0, 0}},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct fixture *f = *state;
        struct world *world = begin(f, LF_KEPT_WHOLE, ROWS[i].never);
        struct lf_score_change change;
        struct lf_history history;

        put_list(f, "friends", "acme.example");
        publish_next(world, "plan", "core", ROWS[i].members, 1);
        (void)record_as_of(world, "{'id':'L','employees':100,'domain':'acme.example','seen':'2026-05-20','email':'x'}",
                           "", NOW_MS - 60 * DAY_MS);
        (void)record_as_of(world, "{'id':'L','employees':1000,'domain':'acme.example','seen':'2026-05-20','email':'x'}",
                           "", NOW_MS);
        if (ROWS[i].list_changes)
            change_list(world, "friends", "b.example");
        history = read_all(world);
        change = history.entries[0].change;
        if (change.exact != ROWS[i].exact || change.data != ROWS[i].told[0] || change.profile != ROWS[i].told[1] ||
            change.time != ROWS[i].told[2])
            fail_msg("%s: told %d %d %d%s", ROWS[i].why, change.data, change.profile, change.time,
                     change.exact ? "" : ", not exact");
        (void)check_truth(world, &history);
        end(world);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* ---- at random ---- */

/* Versions of one ICP that differ in weights, rules and fields, with lists behind rules that may decide before they are
 * asked, and with time in rules, disqualifiers and fading. */
static const char *const VARIANTS[] = {
    "'attributes':[" SIZE(10) "," FRIEND "," SEEN "," MAIL "]",
    "'attributes':[" SIZE(25) "," FRIEND "," SEEN "]",
    "'attributes':[" SIZE(10) "," MAIL "],'disqualifiers':[{'key':'foe','reason':'Foe','when':{'field':'domain',"
                              "'in_list':'foes'}}]",
    /* the list is asked only of leads that were seen long ago */
    "'attributes':[{'key':'mixed','label':'Mixed','category':'need','weight':30,'missing':0.25,'rules':[{'when':{'"
    "field':"
    "'seen','within_days':30}},{'when':{'field':'domain','in_list':'friends'},'fit':0.75},{'when':{'all':[{'field':"
    "'email','contains':'x'},{'field':'company.size','in':['s','m']}]},'fit':0.5}],'otherwise':0.125}," SIZE(7) "]",
    "'attributes':[{'key':'either','label':'Either','category':'need','weight':9,'missing':'skip','rules':[{'when':{'"
    "any':"
    "[{'field':'domain','in_list':'foes'},{'field':'company.tags.name','in_list':'friends'},{'not':{'field':'seen',"
    "'older_than_days':60}}]},'fit':0.875}]}," FRIEND "," SEEN "]",
    "'attributes':[" SIZE(40) "]", /* no time, no list */
    "'attributes':[" SIZE(10) ",{'key':'fading','label':'Fading','category':'trigger','weight':20,'rules':[{'when':{"
                              "'field':'employees','exists':true},'fade':{'field':'seen','days':45}}]}]",
    /* both are asked only of leads that were seen long ago */
    "'attributes':[{'key':'late','label':'Late','category':'need','weight':30,'rules':[{'when':{'any':[{'field':'seen',"
    "'within_days':30},{'field':'email','contains':'x'}]}},{'when':{'field':'domain','in_list':'friends'},'fit':0.5}]}"
    "]",
};
enum { VARIANT_COUNT = sizeof VARIANTS / sizeof *VARIANTS };

/* A lead of which about every third member is another one than before. */
struct draw {
    int employees, domain, seen, mail, size, tag;
};

static void
redraw(struct draw *draw, struct support_random *random)
{
    int *const members[] = {&draw->employees, &draw->domain, &draw->seen, &draw->mail, &draw->size, &draw->tag};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (support_random(random, 3) == 0)
            *members[i] = (int)support_random(random, 4);
}

static const char *
draw_lead(struct fixture *f, const struct draw *draw)
{
    static const char *const EMPLOYEES[] = {"", ",'employees':50", ",'employees':100", ",'employees':'4000'"};
    static const char *const DOMAINS[] = {"", ",'domain':'a.example'", ",'domain':'B.example'",
                                          ",'domain':['c.example']"};
    static const char *const SEEN_AT[] = {"", ",'seen':'2026-05-28'", ",'seen':'2026-04-01T10:00:00Z'",
                                          ",'seen':'soon'"};
    static const char *const MAILS[] = {"", ",'email':'x@acme.example'", ",'email':'y@acme.example'", ",'email':'x@b'"};
    static const char *const SIZES[] = {"", "'size':'s',", "'size':'m',", "'size':'xl',"};
    static const char *const TAGS[] = {"'a.example'", "'b.example'", "''", "7"};

    return lf_arena_printf(f->arena, "{'id':'L'%s%s%s%s,'company':{%s'tags':[{'name':%s},{}]},'noise':%d}",
                           EMPLOYEES[draw->employees], DOMAINS[draw->domain], SEEN_AT[draw->seen], MAILS[draw->mail],
                           SIZES[draw->size], TAGS[draw->tag], draw->tag);
}

/* How a lead fares; then_never: what is never kept from the middle on (NULL: as before). *ret_exact of *ret_compared
 * changes are told exactly. */
static void
fare(struct fixture *f, uint64_t seed, enum lf_kept kept, const char *never, const char *then_never, bool lists,
     size_t *ret_compared, size_t *ret_exact)
{
    static const char *const ENTRIES[] = {"a.example", "b.example", "c.example", "x.example"};
    struct support_random random = {seed};
    struct world *world = begin(f, kept, never);
    struct draw draw = {.employees = 2, .domain = 1, .seen = 1, .mail = 1};
    int64_t as_of_ms = NOW_MS;
    int versions[2] = {1, 1}, variants[2] = {0, 3};
    struct lf_history history;

    put_list(f, "friends", "a.example");
    put_list(f, "foes", "c.example");
    publish_next(world, "plan", "core", VARIANTS[0], 1);
    publish_next(world, "shadow", "experimental", VARIANTS[3], 1);
    for (int i = 0; i < 120; i++) {
        if (support_random(&random, 2) == 0)
            redraw(&draw, &random);
        if (support_random(&random, 5) == 0) {
            int which = (int)support_random(&random, 2), other = (int)support_random(&random, VARIANT_COUNT);

            if (other != variants[which]) {
                variants[which] = other;
                publish_next(world, which == 0 ? "plan" : "shadow", which == 0 ? "core" : "experimental",
                             VARIANTS[other], ++versions[which]);
            }
        }
        if (lists && support_random(&random, 5) == 0)
            change_list(world, support_random(&random, 2) == 0 ? "friends" : "foes",
                        ENTRIES[support_random(&random, 4)]);
        if (support_random(&random, 2) == 0)
            as_of_ms += (int64_t)support_random(&random, 60) * DAY_MS - 28 * DAY_MS;
        if (i == 60 && then_never != NULL) {
            world->privacy = keeping(f, kept, then_never);
            renew(world);
        }
        (void)record_as_of(world, draw_lead(f, &draw), "", as_of_ms);
    }
    history = read_all(world);
    assert_int_equal(history.count, 240);
    *ret_compared = history.count - 2;
    *ret_exact = check_truth(world, &history);
    end(world);
}

/* Where everything is kept and lists stay, everything can be told apart. */
static void
test_at_random(void **state)
{
    static const struct {
        const char *why;
        enum lf_kept kept;
        const char *never;
        bool lists;
        unsigned least_pct; /* that must be exact */
        const char *then_never;
    } ROWS[] = {
        {"whole, lists stay", LF_KEPT_WHOLE, "", false, 100, NULL},
        {"whole, lists change", LF_KEPT_WHOLE, "", true, 80, NULL},
        {"fields, lists change", LF_KEPT_FIELDS, "", true, 60, NULL},
        {"no mail, lists change", LF_KEPT_WHOLE, "email", true, 55, NULL},
        {"no dates and domains, lists change", LF_KEPT_FIELDS, "seen, domain", true, 20, NULL},
        {"hashes, lists change", LF_KEPT_HASHES, "", true, 20, NULL},
        {"mail is kept no more, lists change", LF_KEPT_WHOLE, "", true, 50, "email"},
        {"nothing, lists change", LF_KEPT_NOTHING, "", true, 10, NULL},
    };
    size_t compared = 0, exact = 0;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct fixture *f = *state;

        fare(f, 7 + i, ROWS[i].kept, ROWS[i].never, ROWS[i].then_never, ROWS[i].lists, &compared, &exact);
        print_message("%s: %zu of %zu are exact\n", ROWS[i].why, exact, compared);
        if (exact * 100 < compared * ROWS[i].least_pct)
            fail_msg("%s: only %zu of %zu are exact", ROWS[i].why, exact, compared);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* ---- pages ---- */

static void
assert_same_entry(const struct lf_history_entry *a, const struct lf_history_entry *b)
{
    assert_true(same_id(a->score_id, b->score_id));
    assert_string_equal(a->icp, b->icp);
    assert_int_equal(a->has_previous, b->has_previous);
    assert_true(!a->has_previous || same_id(a->previous, b->previous));
    assert_memory_equal(&a->change.data, &b->change.data, 3 * sizeof(int));
    assert_int_equal(a->change.exact, b->change.exact);
    assert_int_equal(a->shadow, b->shadow);
}

/* Reads page after page; they are the whole, whatever the limit. */
static void
check_pages(struct world *world, const char *icp, size_t limit)
{
    struct lf_history_query query = all_of(icp, 1000000);
    struct lf_history whole = read_page(world, &query), page = {.more = true};
    size_t at = 0;

    query.limit = limit;
    while (page.more) {
        page = read_page(world, &query);
        assert_true(page.count <= limit);
        assert_true(page.count > 0 || !page.more);
        for (size_t i = 0; i < page.count; i++)
            assert_same_entry(&page.entries[i], &whole.entries[at++]);
        query.has_after = true;
        query.after_id = page.next_id;
        query.after_icp = page.next_icp;
    }
    assert_int_equal(at, whole.count);
}

static void
test_pages(void **state)
{
    static const char *const ICPS[] = {"'b'", "'a','c'", "'c'", "'a','b','c'", ""};
    struct fixture *f = *state;
    struct world *world = begin(f, LF_KEPT_WHOLE, "");
    struct lf_history history;
    struct lf_history_query other = all_of(NULL, 10);

    publish_next(world, "b", "core", VARIANTS[5], 1);
    publish_next(world, "c", "core", VARIANTS[5], 1);
    publish_next(world, "a", "core", VARIANTS[5], 1);
    publish_next(world, "aa", "experimental", VARIANTS[5], 1);
    for (int i = 0; i < 40; i++)
        (void)record_as_of(world, lf_arena_printf(f->arena, "{'id':'L','employees':%d}", i * 47 % 1500),
                           ICPS[i * 7 % 5], NOW_MS);
    history = read_all(world);
    for (size_t i = 1; i < history.count; i++) {
        int order = memcmp(history.entries[i].score_id.bytes, history.entries[i - 1].score_id.bytes, LF_ULID_SIZE);

        assert_true(order < 0 || (order == 0 && strcmp(history.entries[i].icp, history.entries[i - 1].icp) > 0));
    }
    for (size_t limit = 1; limit < 12; limit++) {
        check_pages(world, NULL, limit);
        check_pages(world, "aa", limit);
        check_pages(world, "b", limit);
    }
    other.lead_id = "M";
    history = read_page(world, &other);
    assert_int_equal(history.count, 0);
    assert_false(history.more);
    other = all_of("nobody", 10);
    assert_int_equal(read_page(world, &other).count, 0);
    end(world);
}

/* ---- bounds ---- */

/* Records the body of a score again and again, in one block. */
static void
record_many(struct world *world, struct lf_ulid id, size_t count)
{
    struct fixture *f = world->f;
    struct lf_stored_score model, *scores = calloc(count, sizeof *scores);
    const struct lf_stored_score **pointers = calloc(count, sizeof(struct lf_stored_score *));
    int64_t *blocks = calloc(count, sizeof *blocks);

    assert_non_null(scores);
    assert_non_null(pointers);
    assert_non_null(blocks);
    OK(lf_store_score(f->reader, f->arena, id, &model, &f->error));
    for (size_t i = 0; i < count; i++) {
        scores[i] = model;
        assert_true(lf_ulid_next(&f->mint, lf_ulid_ms(id), &scores[i].id));
        pointers[i] = &scores[i];
    }
    OK(lf_store_append_scores(f->store, pointers, count, NULL, 0, blocks, &f->error));
    for (size_t i = 0; i < count; i++)
        if (i == 0 || blocks[i] != blocks[i - 1])
            settle(f, "L", blocks[i]);
    free(scores);
    free(pointers);
    free(blocks);
}

/* A score so far back that a page does not look there. */
static void
test_reach(void **state)
{
    struct fixture *f = *state;
    struct world *world = begin(f, LF_KEPT_WHOLE, "");
    struct lf_history_query query = all_of("rare", 10);
    struct lf_history history;
    struct lf_ulid first, common, last;
    int pages = 0;

    publish_next(world, "rare", "core", VARIANTS[5], 1);
    publish_next(world, "common", "core", VARIANTS[5], 1);
    first = record_as_of(world, "{'id':'L','employees':50}", "'rare'", NOW_MS);
    common = record_as_of(world, "{'id':'L','employees':50}", "'common'", NOW_MS);
    record_many(world, common, 2 * LF_HISTORY_LOOK);
    last = record_as_of(world, "{'id':'L','employees':5000}", "'rare'", NOW_MS);
    history = read_page(world, &query);
    assert_int_equal(history.count, 1);
    assert_true(history.more);
    assert_true(same_id(history.entries[0].score_id, last));
    assert_false(history.entries[0].has_previous);
    assert_false(history.entries[0].change.exact);
    assert_int_equal(history.entries[0].change.data, 0);
    while (history.more) {
        query.has_after = true;
        query.after_id = history.next_id;
        query.after_icp = history.next_icp;
        history = read_page(world, &query);
        assert_true(++pages < 4);
    }
    assert_int_equal(history.count, 1);
    assert_true(same_id(history.entries[0].score_id, first));
    assert_true(history.entries[0].change.exact); /* the first one there is */
    query = all_of(NULL, 100);
    history = read_page(world, &query);
    assert_int_equal(history.count, 100);
    assert_true(history.entries[1].has_previous);
    end(world);
}

/* Large scores that wait for one that is far behind do not pile up. */
static void
test_memory(void **state)
{
    struct fixture *f = *state;
    struct world *world = begin(f, LF_KEPT_WHOLE, "");
    struct lf_history_query query = all_of(NULL, 100);
    struct lf_history history;
    char *text = lf_arena_alloc(f->arena, (size_t)(12 << 20) + 1);
    size_t count = 0, pages = 0;

    assert_non_null(text);
    memset(text, 'x', 12 << 20);
    text[12 << 20] = '\0';
    for (int i = 0; i < 8; i++)
        publish_next(world, lf_arena_printf(f->arena, "icp-%d", i), "core", VARIANTS[5], 1);
    for (int i = 0; i < 8; i++) {
        struct lf_arena *arena = lf_arena_create(1 << 20, (size_t)1 << 30);
        struct lf_json *lead = lf_json_new_object(arena);
        struct lf_score_request request =
            request_of(f, lf_arena_printf(f->arena, "{'lead':{'id':'L'},'icps':['icp-%d']}", i));
        struct lf_scoring scoring;
        struct lf_stored_score score;
        const struct lf_stored_score *scores[] = {&score};
        int64_t block = 0;

        assert_true(lf_json_add_text(arena, lead, "text", text, 12 << 20));
        request.lead = lead;
        OK(lf_scoring_run(arena, world->profiles, &request, NOW_MS, &scoring, &f->error));
        OK(lf_scoring_record(arena, &scoring, world->privacy, &score, &f->error));
        assert_true(lf_ulid_next(&f->mint, NOW_MS + i, &score.id));
        OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, &block, &f->error));
        settle(f, "L", block);
        lf_arena_destroy(arena);
    }
    do {
        history = read_page(world, &query);
        count += history.count;
        pages++;
        assert_true(history.count <= 6);
        query.has_after = true;
        query.after_id = history.next_id;
        query.after_icp = history.next_icp;
    } while (history.more && pages < 10);
    assert_int_equal(count, 8);
    assert_int_equal(pages, 2);
    end(world);
}

/* ---- what is damaged ---- */

static void
test_damage(void **state)
{
    static const struct {
        const char *why, *body;
        size_t len;
    } ROWS[] = {
        {"a format that there is not", "\x09\x01\x01", 3},
        {"no result", "\x03\x01\x00{}", 5},
        {"a version that there is not", "\x03\x01\x01\x63\x00\x00{}", 8},
        {"an attribute too few", "\x03\x01\x01\x01\x00\x00{}", 8},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct fixture *f = *state;
        struct world *world = begin(f, LF_KEPT_WHOLE, "");
        struct lf_history_query query = all_of(NULL, 10);
        struct lf_list_source lists;
        struct lf_history_source source = {f->reader, world->catalog, &lists, world->privacy};
        struct lf_stored_score score = {
            .as_of_ms = NOW_MS, .lead_id = "L", .lead_id_len = 1, .body = ROWS[i].body, .body_len = ROWS[i].len};
        const struct lf_stored_score *scores[] = {&score};
        struct lf_history history;
        int64_t block = 0;

        publish_next(world, "plan", "core", VARIANTS[0], 1);
        lists = lf_profiles_lists(world->profiles);
        (void)record_as_of(world, "{'id':'L'}", "", NOW_MS);
        assert_true(lf_ulid_next(&f->mint, NOW_MS, &score.id));
        OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, &block, &f->error));
        settle(f, "L", block);
        FAILS(lf_history_read(&source, f->arena, &query, &history, &f->error), LF_STORAGE_CORRUPT);
        end(world);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_by_hand),
        STORE_TEST(test_what_cannot_be_told),
        STORE_TEST(test_what_nobody_had_asked),
        STORE_TEST(test_at_random),
        STORE_TEST(test_pages),
        STORE_TEST(test_reach),
        STORE_TEST(test_memory),
        STORE_TEST(test_damage),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
