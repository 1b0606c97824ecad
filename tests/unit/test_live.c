/* test_live.c - the live set: shared without a lock, replaced under its readers; and what is loaded into it. */
#include "app_fixture.h"
#include "core/record.h"

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
    lf_live_replace(live, numbered(number));
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
    archive_icp(f, "gone");
    archive_icp(f, "left");
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
    assert_int_equal(lists.find(lists.context, "competitors")->count, 2);
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
        FAILS(lf_live_load(f->reader, NULL, &profiles, &f->error), LF_STORAGE_CORRUPT);
        assert_null(profiles);
        assert_non_null(strstr(f->error.detail, "version 1 of the ICP hurt"));
        run_sql(f->path, "UPDATE icp_version SET (document, hash) ="
                         " (SELECT document, hash FROM kept WHERE kept.id = icp_version.id)");
        lf_profiles_destroy(load_profiles(f));
    }
}

/* Of a list as many entries are there as its row says, and no more: else some of them are lost. */
static void
test_load_damaged_list(void **state)
{
    struct fixture *f = *state;
    static const char *const DAMAGE[] = {
        "UPDATE list SET entries = entries + 1 WHERE key = 'hurt'",
        "UPDATE list SET entries = entries - 2 WHERE key = 'hurt'",
        "DELETE FROM list_item WHERE folded = x'78'",
    };

    put_list(f, "fine", "x");
    put_list(f, "hurt", "x");
    for (size_t i = 0; i < sizeof DAMAGE / sizeof *DAMAGE; i++) {
        struct lf_profiles *profiles = NULL;

        run_sql(f->path, DAMAGE[i]);
        FAILS(lf_live_load(f->reader, NULL, &profiles, &f->error), LF_STORAGE_CORRUPT);
        assert_null(profiles);
        assert_non_null(strstr(f->error.detail, i < 2 ? "hurt" : "fine"));
        run_sql(f->path, "UPDATE list SET entries = 2");
    }
}

/* ---- the set after a change ---- */

/* Keys joined by commas: of the ICPs with their versions, the archived ones, the lists with revisions and counts. */
static const char *
told(struct fixture *f, const struct lf_profiles *profiles)
{
    struct lf_buf buf;
    const char *text = NULL;

    lf_buf_init(&buf, f->arena, 4096);
    for (size_t i = 0; i < profiles->count; i++)
        lf_buf_printf(&buf, "%s %d,", profiles->items[i].icp->key, profiles->items[i].version);
    lf_buf_lit(&buf, "|");
    for (size_t i = 0; i < profiles->archived_count; i++)
        lf_buf_printf(&buf, "%s,", profiles->archived[i]);
    lf_buf_lit(&buf, "|");
    for (size_t i = 0; i < profiles->list_count; i++) {
        const struct lf_named_list *list = profiles->lists[i];

        lf_buf_printf(&buf, "%s %d:%zu,", list->key, (int)list->revision, list->count);
        assert_ptr_equal(lf_profiles_find_list(profiles, list->key), list);
    }
    assert_null(lf_profiles_find_list(profiles, ""));
    assert_null(lf_profiles_find_list(profiles, "k"));
    assert_null(lf_profiles_find_list(profiles, "zz"));
    for (size_t i = 0; i < profiles->count; i++)
        assert_int_equal(lf_program_find(profiles->program, profiles->items[i].icp->key), i);
    text = lf_buf_terminate(&buf);
    assert_non_null(text);
    return text;
}

/* A version that is not in the store yet. */
static struct lf_stored_version
foretold(struct fixture *f, const char *key, int number)
{
    const char *text = definition(f, key, "core", "'summary':'new'," PLAIN_ATTRIBUTES);
    struct lf_stored_version stored = {
        .id = 900 + number, .icp = key, .version = number, .document = text, .document_len = strlen(text)};

    memcpy(stored.hash, support_icp(f->arena, text)->hash, sizeof stored.hash);
    return stored;
}

static void
test_prepare_icps(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *icp;
        int version; /* 0: out of service */
        bool archived;
        const char *told;
    } ROWS[] = {
        {NULL, 0, false, "d 1,m 1,|gone,left,|"},     /* nothing */
        {"d", 2, false, "d 2,m 1,|gone,left,|"},      /* published again */
        {"m", 7, false, "d 1,m 7,|gone,left,|"},      /* another version */
        {"a", 1, false, "a 1,d 1,m 1,|gone,left,|"},  /* new, in its place by key */
        {"f", 1, false, "d 1,f 1,m 1,|gone,left,|"},  /* between two */
        {"z", 1, false, "d 1,m 1,z 1,|gone,left,|"},  /* at the end */
        {"d", 0, true, "m 1,|d,gone,left,|"},         /* archived */
        {"gone", 1, false, "d 1,gone 1,m 1,|left,|"}, /* restored */
        {"gone", 0, false, "d 1,m 1,|left,|"},        /* gone for good, having never been published */
        {"none", 0, false, "d 1,m 1,|gone,left,|"},   /* whatever it is, it is not there */
    };
    struct lf_profiles *base = NULL;

    publish_icp(f, "m", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "d", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "gone", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "left", "core", PLAIN_ATTRIBUTES, 1);
    archive_icp(f, "gone");
    archive_icp(f, "left");
    base = load_profiles(f);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_live_change change = {.icp = ROWS[i].icp, .archived = ROWS[i].archived};
        struct lf_stored_version version;
        struct lf_profiles *next = NULL;

        if (ROWS[i].version > 0) {
            version = foretold(f, ROWS[i].icp, ROWS[i].version);
            change.version = &version;
        }
        OK(lf_live_prepare(f->reader, NULL, base, &change, &next, &f->error));
        assert_string_equal(told(f, next), ROWS[i].told);
        for (size_t p = 0; p < next->count; p++) {
            bool changed = ROWS[i].version > 0 && strcmp(next->items[p].icp->key, ROWS[i].icp) == 0;

            assert_true(changed == (next->items[p].version_id > 900));
            assert_true(changed == (strcmp(next->items[p].icp->summary, "new") == 0));
        }
        lf_profiles_destroy(next);
    }
    lf_profiles_destroy(base);
}

/* Lists that have not changed are the very same; the changed one stands in its place by key. */
static void
test_prepare_lists(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *key;
        bool stays;
        const char *told;
    } ROWS[] = {
        {"d", true, "||d 9:1,m 1:2,"},
        {"m", true, "||d 1:2,m 9:1,"},
        {"a", true, "||a 9:1,d 1:2,m 1:2,"},
        {"h", true, "||d 1:2,h 9:1,m 1:2,"},
        {"z", true, "||d 1:2,m 1:2,z 9:1,"},
        {"d", false, "||m 1:2,"},
        {"m", false, "||d 1:2,"},
        {"none", false, "||d 1:2,m 1:2,"},
    };
    struct lf_profiles *base = NULL, *later = NULL;

    put_list(f, "m", "x");
    put_list(f, "d", "x");
    base = load_profiles(f);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_live_change change = {.list_key = ROWS[i].key};
        struct lf_named_list *list = NULL;
        struct lf_profiles *next = NULL;

        OK(lf_named_list_create(ROWS[i].key, 9, (const char *const[]){"x"}, 1, &list, &f->error));
        change.list = ROWS[i].stays ? list : NULL;
        OK(lf_live_prepare(f->reader, NULL, base, &change, &next, &f->error));
        assert_string_equal(told(f, next), ROWS[i].told);
        for (size_t l = 0; l < next->list_count; l++) {
            const char *key = next->lists[l]->key;

            assert_ptr_equal(next->lists[l], strcmp(key, ROWS[i].key) == 0 ? list : lf_profiles_find_list(base, key));
        }
        lf_named_list_destroy(list); /* the set has its own reference */
        if (ROWS[i].stays)
            assert_true(lf_named_list_has(lf_profiles_find_list(next, ROWS[i].key), (struct lf_text){"x", 1}));
        lf_profiles_destroy(next);
    }
    /* Shared lists outlive the set they came from. */
    OK(lf_live_prepare(f->reader, NULL, base, &(struct lf_live_change){.icp = NULL}, &later, &f->error));
    lf_profiles_destroy(base);
    assert_true(lf_named_list_has(lf_profiles_find_list(later, "d"), (struct lf_text){"x", 1}));
    lf_profiles_destroy(later);
}

/* What is loaded and what is prepared withholds what the privacy does: records tell. */
static void
test_withholding(void **state)
{
    static const struct {
        enum lf_kept kept;
        const char *never;
        bool withheld;
    } ROWS[] = {{LF_KEPT_WHOLE, "", false},
                {LF_KEPT_WHOLE, "*.email", false},
                {LF_KEPT_WHOLE, "*.employees", true},
                {LF_KEPT_NOTHING, "", true}};
    struct fixture *f = *state;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (int prepared = 0; prepared < 2; prepared++) {
            const struct lf_privacy *privacy = keeping(f, ROWS[i].kept, ROWS[i].never);
            const struct lf_live_change none = {.icp = NULL};
            struct lf_profiles *profiles = load_profiles_keeping(f, privacy), *base = NULL;
            struct lf_score_request request = request_of(f, "{'lead':{}}");
            struct lf_scoring scoring;
            struct lf_stored_score score;
            struct lf_record record;

            if (prepared == 1) {
                base = profiles;
                OK(lf_live_prepare(f->reader, privacy, base, &none, &profiles, &f->error));
            }
            OK(lf_scoring_run(f->arena, profiles, &request, 0, &scoring, &f->error));
            OK(lf_scoring_record(f->arena, &scoring, privacy, &score, &f->error));
            OK(lf_record_read(f->arena, score.body, score.body_len, &record, &f->error));
            assert_true(record.results[0].withheld == ROWS[i].withheld);
            lf_profiles_destroy(profiles);
            lf_profiles_destroy(base);
        }
}

/* A list that changed in the store beside the present set is read again. */
static void
test_prepare_reads_what_changed(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *base = NULL, *next = NULL;

    put_list(f, "same", "x");
    put_list(f, "other", "x");
    base = load_profiles(f);
    put_list(f, "other", "y");
    OK(lf_live_prepare(f->reader, NULL, base, &(struct lf_live_change){.icp = NULL}, &next, &f->error));
    assert_ptr_equal(lf_profiles_find_list(next, "same"), lf_profiles_find_list(base, "same"));
    assert_ptr_not_equal(lf_profiles_find_list(next, "other"), lf_profiles_find_list(base, "other"));
    assert_int_equal(lf_profiles_find_list(next, "other")->revision, 2);
    assert_true(lf_named_list_has(lf_profiles_find_list(next, "other"), (struct lf_text){"y", 1}));
    assert_false(lf_named_list_has(lf_profiles_find_list(base, "other"), (struct lf_text){"y", 1}));
    lf_profiles_destroy(next);
    lf_profiles_destroy(base);
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
        STORE_TEST(test_load_damaged_list),
        STORE_TEST(test_prepare_icps),
        STORE_TEST(test_prepare_lists),
        STORE_TEST(test_prepare_reads_what_changed),
        STORE_TEST(test_withholding),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
