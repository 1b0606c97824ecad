/* test_live.c - the live set: shared without a lock, replaced under its readers; and what is loaded into it. */
#include "app_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* A set of one ICP in which everything says `number`: its version, and a list of that revision. */
static struct lf_profiles *
numbered(int number)
{
    static const char TEXT[] =
        "{\"key\":\"one\",\"name\":\"One\",\"framework\":\"pain_points\",\"attributes\":[{\"key\":\"a\","
        "\"label\":\"A\",\"category\":\"need\",\"weight\":10,\"rules\":[{\"when\":{\"field\":\"f\",\"in_list\":\"l\"}}]"
        "}]}";
    struct lf_profiles *profiles = NULL;
    struct lf_error error;

    assert_int_equal(lf_profiles_create(1, &profiles, &error), LF_OK);
    profiles->lists = lf_arena_calloc(profiles->arena, 1, sizeof(struct lf_named_list *));
    assert_int_equal(lf_named_list_create("l", number, (const char *const[]){"entry"}, 1, &profiles->lists[0], &error),
                     LF_OK);
    profiles->list_count = 1;
    assert_int_equal(lf_profiles_add(profiles, TEXT, sizeof TEXT - 1, number, number, NULL, &error), LF_OK);
    assert_int_equal(lf_profiles_compile(profiles, NULL, &error), LF_OK);
    return profiles;
}

static void
replace(struct lf_live *live, int number)
{
    struct lf_error error;

    if (lf_live_replace(live, numbered(number), &error) != LF_OK)
        fail_msg("%s", error.detail);
}

/* Looks at all of it; a set that was freed or half there would not say the same thrice. */
static int
number_of(const struct lf_live_set *set)
{
    const struct lf_profiles *profiles = set->profiles;
    int number = profiles->items[0].version;

    assert_int_equal(profiles->count, 1);
    assert_int_equal(profiles->lists[0]->revision, number);
    assert_int_equal(lf_program_member(profiles->program, 0)->version, number);
    assert_string_equal(lf_program_member(profiles->program, 0)->icp->key, "one");
    return number;
}

/* ---- one thread ---- */

static void
test_nothing_yet(void **state)
{
    struct lf_live live;

    (void)state;
    lf_live_init(&live);
    for (int i = 0; i < 200000; i++) { /* more often than readers can be counted: none is left over */
        assert_null(lf_live_acquire(&live));
        lf_live_release(&live, NULL);
    }
    assert_true(atomic_load(&live.current) == 0);
    lf_live_finish(&live);
}

static void
test_replaced_under_a_reader(void **state)
{
    struct lf_live live;
    struct lf_live_set *first = NULL, *again = NULL, *second = NULL;

    (void)state;
    lf_live_init(&live);
    replace(&live, 1);
    first = lf_live_acquire(&live);
    again = lf_live_acquire(&live);
    assert_ptr_equal(first, again);
    lf_live_release(&live, again);
    replace(&live, 2);
    assert_int_equal(number_of(first), 1);
    assert_int_equal(atomic_load(&first->readers), 1);
    second = lf_live_acquire(&live);
    assert_int_equal(number_of(second), 2);
    lf_live_release(&live, first); /* its last reader: freed here, which a leak check sees */
    assert_int_equal(number_of(second), 2);
    lf_live_release(&live, second);
    lf_live_finish(&live);
    assert_null(lf_live_acquire(&live));
}

/* Readers may still be at it when the live set ends, in either order of giving back. */
static void
test_finish_before_its_readers(void **state)
{
    struct lf_live live;
    struct lf_live_set *sets[3] = {NULL};

    (void)state;
    lf_live_init(&live);
    replace(&live, 7);
    for (size_t i = 0; i < 3; i++)
        sets[i] = lf_live_acquire(&live);
    lf_live_finish(&live);
    for (size_t i = 3; i-- > 0;) {
        assert_int_equal(number_of(sets[i]), 7);
        assert_int_equal(atomic_load(&sets[i]->readers), i + 1);
        lf_live_release(&live, sets[i]);
    }
    lf_live_finish(&live); /* nothing is left to be taken out */
}

/* As many readers at a time as can be counted. */
static void
test_most_readers(void **state)
{
    enum { MOST = 65535 };
    struct lf_live live;
    struct lf_live_set *set = NULL;

    (void)state;
    lf_live_init(&live);
    replace(&live, 3);
    for (int i = 0; i < MOST; i++)
        set = lf_live_acquire(&live);
    replace(&live, 4);
    assert_int_equal(atomic_load(&set->readers), MOST);
    for (int i = 0; i < MOST - 1; i++)
        lf_live_release(&live, set);
    assert_int_equal(number_of(set), 3);
    lf_live_release(&live, set);
    lf_live_finish(&live);
}

/* ---- many threads ---- */

enum { READERS = 8, REPLACERS = 2, REPLACED = 800 };

struct crowd {
    struct lf_live live;
    atomic_int next, replacing;
    atomic_long seen;
};

static void *
reader_main(void *argument)
{
    struct crowd *crowd = argument;
    struct lf_live_set *kept = NULL; /* from an earlier turn, given back late */
    unsigned turn = 0;

    while (atomic_load(&crowd->replacing) > 0) {
        struct lf_live_set *set = lf_live_acquire(&crowd->live);

        if (set == NULL)
            continue; /* before the first one */
        assert_in_range(number_of(set), 1, REPLACERS * REPLACED);
        if (kept != NULL)
            assert_in_range(number_of(kept), 1, REPLACERS * REPLACED);
        atomic_fetch_add(&crowd->seen, 1);
        if (++turn % 5 == 0) {
            struct lf_live_set *earlier = kept;
            kept = set;
            set = earlier;
        }
        lf_live_release(&crowd->live, set);
    }
    lf_live_release(&crowd->live, kept);
    return NULL;
}

static void *
replacer_main(void *argument)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < REPLACED; i++)
        replace(&crowd->live, atomic_fetch_add(&crowd->next, 1) + 1);
    atomic_fetch_sub(&crowd->replacing, 1);
    return NULL;
}

static void
test_crowd(void **state)
{
    struct crowd crowd;
    pthread_t threads[READERS + REPLACERS];
    struct lf_live_set *last = NULL;

    (void)state;
    lf_live_init(&crowd.live);
    atomic_init(&crowd.next, 0);
    atomic_init(&crowd.replacing, REPLACERS);
    atomic_init(&crowd.seen, 0);
    for (size_t i = 0; i < READERS + REPLACERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < READERS ? reader_main : replacer_main, &crowd), 0);
    for (size_t i = 0; i < READERS + REPLACERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(atomic_load(&crowd.seen) > 0);
    /* All have given back what they took. */
    last = lf_live_acquire(&crowd.live);
    lf_live_finish(&crowd.live);
    assert_int_equal(atomic_load(&last->readers), 1);
    lf_live_release(&crowd.live, last);
}

/* Threads that take and give back while there is nothing, and the first set coming in between. */
static void
test_first_set_comes_late(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct crowd crowd;
        pthread_t threads[4];
        struct lf_live_set *last = NULL;

        lf_live_init(&crowd.live);
        atomic_init(&crowd.next, 0);
        atomic_init(&crowd.replacing, 1);
        atomic_init(&crowd.seen, 0);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, reader_main, &crowd), 0);
        replace(&crowd.live, 1);
        replace(&crowd.live, 2);
        atomic_store(&crowd.replacing, 0);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        last = lf_live_acquire(&crowd.live);
        lf_live_finish(&crowd.live);
        assert_int_equal(atomic_load(&last->readers), 1);
        lf_live_release(&crowd.live, last);
    }
}

/* ---- loading ---- */

static void
test_load_nothing(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = load_profiles(f);

    assert_int_equal(profiles->count, 0);
    assert_int_equal(profiles->list_count, 0);
    assert_int_equal(profiles->archived_count, 0);
    assert_int_equal(lf_program_count(profiles->program), 0);
    lf_profiles_destroy(profiles);
}

/* The active version of every ICP that is in service, by key; archived ones by name alone; all lists. */
static void
test_load(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = NULL;
    struct lf_list_source lists;

    publish_icp(f, "beta", "experimental", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "alpha", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "alpha", "core", "'summary':'changed'," PLAIN_ATTRIBUTES, 2);
    publish_icp(f, "gone", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "left", "core", PLAIN_ATTRIBUTES, 1);
    OK(lf_store_set_archived(f->store, "gone", true, 1780000000001, &f->error));
    OK(lf_store_set_archived(f->store, "left", true, 1780000000001, &f->error));
    put_list(f, "competitors", "Rival.example");
    put_list(f, "competitors", "Rival2.example");
    put_list(f, "accounts", "x");
    profiles = load_profiles(f);

    assert_int_equal(profiles->count, 2);
    assert_string_equal(profiles->items[0].icp->key, "alpha");
    assert_int_equal(profiles->items[0].version, 2);
    assert_string_equal(profiles->items[0].icp->summary, "changed");
    assert_string_equal(profiles->items[1].icp->key, "beta");
    assert_int_equal(profiles->items[1].version, 1);
    assert_int_equal(profiles->items[1].icp->purpose, LF_PURPOSE_EXPERIMENTAL);
    for (size_t i = 0; i < 2; i++) {
        struct lf_stored_version stored;

        OK(lf_store_version_by_id(f->reader, f->arena, profiles->items[i].version_id, &stored, &f->error));
        assert_string_equal(stored.icp, profiles->items[i].icp->key);
        assert_int_equal(stored.version, profiles->items[i].version);
        assert_int_equal(lf_program_find(profiles->program, profiles->items[i].icp->key), i);
        assert_non_null(profiles->items[i].scorer);
        assert_non_null(profiles->items[i].teller);
    }
    assert_int_equal(profiles->archived_count, 2);
    assert_string_equal(profiles->archived[0], "gone");
    assert_string_equal(profiles->archived[1], "left");
    assert_int_equal(profiles->list_count, 2);
    lists = lf_profiles_lists(profiles);
    assert_int_equal(lists.find(lists.context, "competitors")->revision, 2);
    assert_int_equal(lists.find(lists.context, "competitors")->set.count, 2);
    assert_non_null(lists.find(lists.context, "accounts"));
    assert_null(lists.find(lists.context, "nothing"));
    lf_profiles_destroy(profiles);
}

/* What was published was valid then: whatever is not now is damage, and says which one it is. */
static void
test_load_damaged(void **state)
{
    struct fixture *f = *state;
    static const char *const DAMAGE[] = {
        "UPDATE icp_version SET document = 'nonsense'",
        "UPDATE icp_version SET document = ''",
        "UPDATE icp_version SET document = '{}'",
        "UPDATE icp_version SET document = replace(document, '\"weight\":20', '\"weight\":21')",
        "UPDATE icp_version SET hash = zeroblob(32)",
    };

    publish_icp(f, "fine", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "hurt", "core", PLAIN_ATTRIBUTES, 1);
    run_sql(f->path, "CREATE TABLE kept AS SELECT id, document, hash FROM icp_version");
    for (size_t i = 0; i < sizeof DAMAGE / sizeof *DAMAGE; i++) {
        struct lf_profiles *profiles = NULL;

        run_sql(f->path, lf_arena_printf(f->arena, "%s WHERE id = 2", DAMAGE[i]));
        FAILS(lf_live_load(f->reader, &profiles, &f->error), LF_STORAGE_CORRUPT);
        assert_null(profiles);
        assert_non_null(strstr(f->error.detail, "version 1 of the ICP hurt"));
        run_sql(f->path, "UPDATE icp_version SET (document, hash) ="
                         " (SELECT document, hash FROM kept WHERE kept.id = icp_version.id)");
        lf_profiles_destroy(load_profiles(f));
    }
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_replaced_under_a_reader),
        cmocka_unit_test(test_finish_before_its_readers),
        cmocka_unit_test(test_most_readers),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_first_set_comes_late),
        STORE_TEST(test_load_nothing),
        STORE_TEST(test_load),
        STORE_TEST(test_load_damaged),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
