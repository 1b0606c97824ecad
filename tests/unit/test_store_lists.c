/* test_store_lists.c - lists in the store: put, patched and deleted, with preconditions, limits and failures. */
#include "list_fixture.h"

/* ---- putting ---- */

static void
test_put(void **state)
{
    static const char *const FIRST[] = {"mill.example", "Ünal GmbH", "  ACME \t Inc. ", "acme inc.", "日本"};
    static const char *const SECOND[] = {"x"};
    struct fixture *f = *state;
    struct lf_stored_list *lists = NULL, first, second;
    struct result result;
    size_t count = 9;

    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 0);
    FAILS(lf_store_list(f->reader, f->arena, "targets", &first, &f->error), LF_LIST_NOT_FOUND);

    result = put(f, "targets", FIRST, 5, 100);
    assert_true(result.created);
    assert_false(result.unchanged);
    assert_int_equal(result.list.count, 4); /* two fold alike: the first one stays, as it was put */
    assert_int_equal(result.list.updated_at_ms, 100);
    first = list(f, "targets");
    assert_same_list(&first, &result.list);
    assert_list(f, "targets", 1, "  ACME \t Inc. \nmill.example\nÜnal GmbH\n日本\n");
    assert_trace(f, 1, "list.put", "targets", NULL, first.hash);

    result = put(f, "targets", SECOND, 1, 200);
    assert_false(result.created);
    assert_false(result.unchanged);
    second = list(f, "targets");
    assert_same_list(&second, &result.list);
    assert_list(f, "targets", 2, "x\n");
    assert_int_equal(second.updated_at_ms, 200);
    assert_trace(f, 2, "list.put", "targets", first.hash, second.hash);

    result = put(f, "a-list", NULL, 0, 300); /* an empty one is one, too */
    assert_true(result.created);
    assert_list(f, "a-list", 1, "");
    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(lists[0].key, "a-list"); /* by key */
    assert_string_equal(lists[0].etag, "\"l1-0000000000000000\"");
    assert_same_list(&lists[1], &second);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_put_of_the_same(void **state)
{
    static const char *const TEXTS[] = {"one", "two", "three"}, *const TURNED[] = {"three", "two", "one", "ONE"},
                             *const OTHER[] = {"one", "two", "THREE"};
    struct fixture *f = *state;
    struct lf_stored_list before;
    struct result result = put(f, "l", TEXTS, 3, 100);

    before = result.list;
    result = put(f, "l", TURNED, 4, 200); /* the same entries, whatever the order */
    assert_true(result.unchanged);
    assert_false(result.created);
    assert_same_list(&result.list, &before);
    before = list(f, "l");
    assert_same_list(&result.list, &before);
    (void)latest_trace(f, 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item"), 6); /* the generation is left over */
    sweep_all(f);
    assert_list(f, "l", 1, "one\nthree\ntwo\n");

    result = put(f, "l", OTHER, 3, 300); /* another spelling is a change, though conditions see none */
    assert_false(result.unchanged);
    assert_list(f, "l", 2, "one\nTHREE\ntwo\n");
    assert_trace(f, 2, "list.put", "l", before.hash, result.list.hash);
}

/* A list comes back after it was deleted, and goes on from the revision that it had. */
static void
test_delete(void **state)
{
    static const char *const TEXTS[] = {"one", "two"};
    struct fixture *f = *state;
    struct lf_stored_list before, past;
    struct result result;

    FAILS(try_delete(f, "l", &NOTHING_SAID), LF_LIST_NOT_FOUND);
    before = put(f, "l", TEXTS, 2, 100).list;
    OK(try_delete(f, "l", &NOTHING_SAID));
    assert_trace(f, 2, "list.delete", "l", before.hash, NULL);
    FAILS(lf_store_list(f->reader, f->arena, "l", &past, &f->error), LF_LIST_NOT_FOUND);
    assert_null(past.key);
    assert_int_equal(past.revision, 1);
    FAILS(lf_store_list(f->reader, f->arena, "m", &past, &f->error), LF_LIST_NOT_FOUND);
    assert_int_equal(past.revision, 0);
    FAILS(try_delete(f, "l", &NOTHING_SAID), LF_LIST_NOT_FOUND);
    (void)latest_trace(f, 2);
    assert_int_equal(read_generation(f, before.generation).count, 2); /* left over */
    sweep_all(f);
    assert_int_equal(read_generation(f, before.generation).count, 0);
    result = put(f, "l", TEXTS, 2, 200);
    assert_true(result.created);
    assert_list(f, "l", 2, "one\ntwo\n");
}

/* ---- patching ---- */

static void
test_patch(void **state)
{
    static const char *const TEXTS[] = {"one", "two", "three"};
    static const struct {
        const char *why, *add[3], *remove[3];
        size_t added, removed;
        const char *after;
    } ROWS[] = {
        {"one comes", {"Four"}, {NULL}, 1, 0, "Four\none\nthree\ntwo\n"},
        {"one goes, in whatever spelling", {NULL}, {" ONE"}, 0, 1, "Four\nthree\ntwo\n"},
        {"what is there stays as it is", {"TWO", "five"}, {NULL}, 1, 0, "five\nFour\nthree\ntwo\n"},
        {"what is not there cannot go", {NULL}, {"nine", "five"}, 0, 1, "Four\nthree\ntwo\n"},
        {"twice is once", {"six", "SIX"}, {"two", "Two", "two"}, 1, 1, "Four\nsix\nthree\n"},
        {"first they go, then they come", {"SIX"}, {"six"}, 1, 1, "Four\nSIX\nthree\n"},
        {"all go", {NULL}, {"four", "six", "three"}, 0, 3, ""},
        {"into an empty one", {"z", "y"}, {"z"}, 2, 0, "y\nz\n"},
    };
    struct fixture *f = *state;
    struct lf_stored_list before = put(f, "l", TEXTS, 3, 100).list, after;
    struct result result = {.added = 9};
    int64_t generation = before.generation;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        size_t adds = 0, removes = 0;

        print_message("%s\n", ROWS[row].why);
        while (adds < 3 && ROWS[row].add[adds] != NULL)
            adds++;
        while (removes < 3 && ROWS[row].remove[removes] != NULL)
            removes++;
        OK(try_patch(f, "l", ROWS[row].add, adds, ROWS[row].remove, removes, &NOTHING_SAID, &result));
        assert_int_equal(result.added, ROWS[row].added);
        assert_int_equal(result.removed, ROWS[row].removed);
        assert_int_equal(result.list.generation, generation);
        assert_int_equal(result.list.updated_at_ms, 5000);
        assert_list(f, "l", (int64_t)row + 2, ROWS[row].after);
        after = list(f, "l");
        assert_same_list(&after, &result.list);
        assert_trace(f, row + 2, "list.patch", "l", before.hash, after.hash);
        before = after;
    }
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_patch_of_nothing(void **state)
{
    static const char *const TEXTS[] = {"one", "two"}, *const OTHERS[] = {"three"};
    struct fixture *f = *state;
    struct lf_stored_list before = put(f, "l", TEXTS, 2, 100).list, after;
    struct result result = {.added = 9};

    OK(try_patch(f, "l", TEXTS, 2, OTHERS, 1, &NOTHING_SAID, &result));
    assert_int_equal(result.added, 0);
    assert_int_equal(result.removed, 0);
    assert_same_list(&result.list, &before);
    after = list(f, "l");
    assert_same_list(&after, &before);
    (void)latest_trace(f, 1);
    FAILS(try_patch(f, "m", TEXTS, 2, NULL, 0, &NOTHING_SAID, &result), LF_LIST_NOT_FOUND);
    (void)latest_trace(f, 1);
}

/* A patch writes the entries that change, and nothing of the others. */
static void
test_patch_is_small(void **state)
{
    enum { ENTRIES = 20000, CHANGED = 50 };
    struct fixture *f = *state;
    sqlite3 *writer = ((struct lf_sqlite_store *)f->store)->writer.db;
    const char **texts = calloc(ENTRIES + CHANGED, sizeof *texts);
    struct result result;
    sqlite3_int64 before = 0;

    assert_non_null(texts);
    for (size_t i = 0; i < ENTRIES + CHANGED; i++)
        texts[i] = lf_arena_printf(f->arena, "company-%06zu.example", i);
    (void)put(f, "l", texts, ENTRIES, 100);
    before = sqlite3_total_changes64(writer);
    OK(try_patch(f, "l", texts + ENTRIES, CHANGED, texts, CHANGED, &NOTHING_SAID, &result));
    assert_int_equal(result.added, CHANGED);
    assert_int_equal(result.removed, CHANGED);
    assert_in_range(sqlite3_total_changes64(writer) - before, 2 * CHANGED, 2 * CHANGED + 5); /* list, audit, its head */
    assert_int_equal(check(f, false, NULL), 0);
    free(texts);
}

/* ---- preconditions ---- */

static void
test_preconditions(void **state)
{
    static const char *const TEXTS[] = {"one"}, *const OTHERS[] = {"two"};
    static const struct {
        const char *why, *etags[2]; /* "=" stands for the list's own */
        bool any, absent;
        enum lf_status without, with; /* a list: putting one; putting, patching, deleting it */
    } ROWS[] = {
        {"nothing is said", {NULL}, false, false, LF_OK, LF_OK},
        {"the list's own tag", {"="}, false, false, LF_PRECONDITION_FAILED, LF_OK},
        {"one of several", {"\"l7-0\"", "="}, false, false, LF_PRECONDITION_FAILED, LF_OK},
        {"another tag", {"\"l7-0\""}, false, false, LF_PRECONDITION_FAILED, LF_PRECONDITION_FAILED},
        {"any list", {NULL}, true, false, LF_PRECONDITION_FAILED, LF_OK},
        {"no list", {NULL}, false, true, LF_OK, LF_PRECONDITION_FAILED},
    };
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const char *etags[2] = {"", ""}, *key = lf_arena_printf(f->arena, "l%zu", row);
        struct lf_precondition precondition = {.etags = etags, .any = ROWS[row].any, .absent = ROWS[row].absent};
        struct lf_list_state first = fill(f, TEXTS, 1), second = fill(f, OTHERS, 1);
        struct result result = {.created = false};
        struct lf_stored_list before;

        print_message("%s\n", ROWS[row].why);
        while (precondition.etag_count < 2 && ROWS[row].etags[precondition.etag_count] != NULL) {
            etags[precondition.etag_count] = ROWS[row].etags[precondition.etag_count];
            precondition.etag_count++;
        }
        FAILS(try_patch(f, key, OTHERS, 1, NULL, 0, &precondition, &result), LF_LIST_NOT_FOUND);
        FAILS(try_delete(f, key, &precondition), LF_LIST_NOT_FOUND);
        assert_int_equal(try_put(f, key, &first, &precondition, 100, &result), ROWS[row].without);
        if (ROWS[row].without != LF_OK) {
            assert_int_equal(f->error.status, ROWS[row].without);
            OK(try_put(f, key, &first, &NOTHING_SAID, 100, &result));
        }
        for (int verb = 0; verb < 3; verb++) {
            enum lf_status status = LF_OK;

            before = list(f, key);
            for (size_t i = 0; i < precondition.etag_count; i++)
                etags[i] = strcmp(ROWS[row].etags[i], "=") == 0 ? before.etag : ROWS[row].etags[i];
            status = verb == 0   ? try_put(f, key, &second, &precondition, 200, &result)
                     : verb == 1 ? try_patch(f, key, TEXTS, 1, NULL, 0, &precondition, &result)
                                 : try_delete(f, key, &precondition);
            assert_int_equal(status, ROWS[row].with);
            if (status == LF_OK)
                continue;
            assert_non_null(strstr(f->error.detail, before.etag)); /* what it would take */
            assert_list(f, key, 1, "one\n");
        }
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- limits and misuse ---- */

static void
test_limits(void **state)
{
    static const char *const TEXTS[] = {"one", "two"}, *const OTHERS[] = {"three", "four"};
    struct fixture *f = *state;
    struct lf_list_state filled = {.generation = 0};
    struct result result;

    (void)put(f, "l", TEXTS, 2, 100);
    close_store(f);
    run_sql(f->path, "UPDATE list SET entries = 1000000"); /* as if there were so many */
    open_store(f);
    FAILS(try_patch(f, "l", OTHERS, 1, NULL, 0, &NOTHING_SAID, &result), LF_CONFLICT);
    assert_non_null(strstr(f->error.detail, "1000001"));
    FAILS(try_patch(f, "l", OTHERS, 2, TEXTS, 1, &NOTHING_SAID, &result), LF_CONFLICT);
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item"), 2); /* nothing of it happened */
    assert_int_equal(list(f, "l").revision, 1);
    OK(try_patch(f, "l", OTHERS, 2, TEXTS, 2, &NOTHING_SAID, &result)); /* room is made first */
    assert_int_equal(result.list.count, LF_NAMED_LIST_ENTRIES_MAX);

    OK(lf_store_begin_list(f->store, &filled, &f->error));
    filled.count = LF_NAMED_LIST_ENTRIES_MAX - 1;
    OK(lf_store_add_list_entries(f->store, &filled, entries(f, TEXTS, 1), 1, &f->error));
    FAILS(lf_store_add_list_entries(f->store, &filled, entries(f, OTHERS, 1), 1, &f->error), LF_CONFLICT);
    assert_int_equal(filled.count, LF_NAMED_LIST_ENTRIES_MAX);
    OK(lf_store_add_list_entries(f->store, &filled, entries(f, TEXTS, 1), 1, &f->error)); /* one of before */
}

/* What no caller should do changes nothing. */
static void
test_misuse(void **state)
{
    static const char *const TEXTS[] = {"one", "two"}, *const BLANK[] = {"three", "  "};
    struct fixture *f = *state;
    struct lf_list_state used = fill(f, TEXTS, 2), none = {.generation = 0}, before = used;
    struct result result;

    OK(try_put(f, "l", &used, &NOTHING_SAID, 100, &result));
    FAILS(lf_store_add_list_entries(f->store, &used, entries(f, BLANK, 1), 1, &f->error), LF_INTERNAL);
    FAILS(lf_store_add_list_entries(f->store, &none, entries(f, BLANK, 1), 1, &f->error), LF_INTERNAL);
    FAILS(try_put(f, "m", &used, &NOTHING_SAID, 100, &result), LF_INTERNAL); /* two lists of one generation */
    assert_memory_equal(&used, &before, sizeof used);

    OK(lf_store_begin_list(f->store, &used, &f->error));
    before = used;
    FAILS(lf_store_add_list_entries(f->store, &used, entries(f, BLANK, 2), 2, &f->error), LF_INTERNAL);
    assert_memory_equal(&used, &before, sizeof used); /* the slice is taken whole or not at all */
    assert_int_equal(read_generation(f, used.generation).count, 0);
    FAILS(try_patch(f, "l", BLANK, 2, TEXTS, 1, &NOTHING_SAID, &result), LF_INTERNAL);
    assert_list(f, "l", 1, "one\ntwo\n");
    (void)latest_trace(f, 1);
}

static void
test_no_memory(void **state)
{
    static const char *const TEXTS[] = {"one"};
    struct fixture *f = *state;
    struct lf_arena *large = f->arena, *small = lf_arena_create(64, 64);
    struct lf_list_state filled = fill(f, TEXTS, 1);
    struct lf_stored_list *lists = NULL, one;
    struct result result;
    size_t count = 0, added = 0, removed = 0;
    struct lf_change by = by_ops(1);

    assert_non_null(small);
    while (lf_arena_alloc(small, 1) != NULL)
        continue;
    f->arena = small;
    FAILS(try_put(f, "l", &filled, &NOTHING_SAID, 100, &result), LF_OUT_OF_MEMORY);
    f->arena = large;
    FAILS(lf_store_list(f->reader, large, "l", &one, &f->error), LF_LIST_NOT_FOUND);
    OK(try_put(f, "l", &filled, &NOTHING_SAID, 100, &result));
    FAILS(lf_store_patch_list(f->store, "l", entries(f, TEXTS, 1), 0, entries(f, TEXTS, 1), 1, &NOTHING_SAID, &by,
                              small, &one, &added, &removed, &f->error),
          LF_OUT_OF_MEMORY);
    assert_list(f, "l", 1, "one\n");
    FAILS(lf_store_list(f->reader, small, "l", &one, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_lists(f->reader, small, &lists, &count, &f->error), LF_OUT_OF_MEMORY);
    lf_arena_destroy(small);
}

static void
test_read_only(void **state)
{
    static const char *const TEXTS[] = {"one"};
    struct fixture *f = *state;
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_list_state filled = {.generation = 1};
    struct result result;
    bool more = false;

    (void)put(f, "l", TEXTS, 1, 100);
    close_store(f);
    OK(lf_store_open(&options, &f->store, &f->error));
    OK(lf_store_reader_open(f->store, &f->reader, &f->error));
    assert_list(f, "l", 1, "one\n");
    FAILS(lf_store_begin_list(f->store, &filled, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_add_list_entries(f->store, &filled, NULL, 0, &f->error), LF_STORAGE_FAILED);
    FAILS(try_put(f, "l", &filled, &NOTHING_SAID, 100, &result), LF_STORAGE_FAILED);
    FAILS(try_patch(f, "l", NULL, 0, TEXTS, 1, &NOTHING_SAID, &result), LF_STORAGE_FAILED);
    FAILS(try_delete(f, "l", &NOTHING_SAID), LF_STORAGE_FAILED);
    FAILS(lf_store_sweep_lists(f->store, 1, 0, &more, &f->error), LF_STORAGE_FAILED);
    close_store(f);
    open_store(f);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_put),           TEST(test_put_of_the_same),  TEST(test_delete),
        TEST(test_patch),         TEST(test_patch_of_nothing), TEST(test_patch_is_small),
        TEST(test_preconditions), TEST(test_limits),           TEST(test_misuse),
        TEST(test_no_memory),     TEST(test_read_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
