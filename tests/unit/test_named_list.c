/*
 * test_named_list.c - a list is its base and what lies over it: changes against a model, what is shared, who frees.
 */
#include "core/named_list.h"

#include "support.h"

#include <pthread.h>

enum { OVERLAY_MIN = 1024 /* so many changed entries never make a new base */ };

static struct lf_text
text_of(const char *text)
{
    return (struct lf_text){text, strlen(text)};
}

static bool
has(const struct lf_named_list *list, const char *text)
{
    return lf_named_list_has(list, text_of(text));
}

static struct lf_named_list *
make(const char *key, int64_t revision, const char *const *entries, size_t count)
{
    struct lf_named_list *list = NULL;
    struct lf_error error;

    assert_int_equal(lf_named_list_create(key, revision, entries, count, &list, &error), LF_OK);
    return list;
}

static struct lf_named_list *
patch(const struct lf_named_list *list, int64_t revision, const struct lf_text *add, size_t add_count,
      const struct lf_text *remove, size_t remove_count)
{
    struct lf_named_list *changed = NULL;
    struct lf_error error;

    assert_int_equal(lf_named_list_patch(list, revision, add, add_count, remove, remove_count, &changed, &error),
                     LF_OK);
    return changed;
}

/* ---- making ---- */

static void
test_made_of_texts(void **state)
{
    char key[] = "rivals", acme[] = "  ACME \t Corp ";
    const char *const entries[] = {acme, "", "acme corp", " \u00ad ", "5", "GRÖSSE", "größe", "acme.example"};
    struct lf_named_list *list = make(key, 17, entries, 8), *empty = make("empty", 1, NULL, 0);

    (void)state;
    /* The texts and the key were the caller's, and have gone. */
    memset(key, 'x', sizeof key - 1);
    memset(acme, 'x', sizeof acme - 1);
    assert_string_equal(list->key, "rivals");
    assert_true(list->revision == 17);
    assert_int_equal(list->count, 4);
    assert_true(has(list, "acme corp") && has(list, "5") && has(list, "grösse") && has(list, "acme.example"));
    assert_false(has(list, "acme") || has(list, "ACME Corp") || has(list, "xxxxxx") || has(list, "GRÖSSE"));
    assert_false(has(list, ""));
    assert_int_equal(empty->count, 0);
    assert_false(has(empty, "5") || has(empty, ""));
    lf_named_list_destroy(list);
    lf_named_list_destroy(empty);
    lf_named_list_destroy(NULL);
}

struct counting {
    int at, to, of; /* the numbers from `at` to below `to`, modulo `of` */
    char text[32];
};

static bool
next_number(void *context, struct lf_text *ret_folded)
{
    struct counting *counting = context;

    if (counting->at == counting->to)
        return false;
    *ret_folded = (struct lf_text){
        counting->text, (size_t)snprintf(counting->text, sizeof counting->text, "n%d", counting->at++ % counting->of)};
    return true;
}

/* As many as were said, fewer, twice the same, and more than were said: that bound is for speed. */
static void
test_made_of_folded(void **state)
{
    static const struct {
        int count, of;
        size_t at_most, expected;
    } ROWS[] = {
        {0, 1, 0, 0},          {0, 1, 100, 0},           {1, 1, 1, 1},
        {100, 1000, 100, 100}, {100, 7, 100, 7},         {3000, 200, 0, 200},
        {5000, 5000, 0, 5000}, {5000, 5000, 4999, 5000}, {4, 4, 4, 4},
        {5, 5, 4, 5},          {1000, 1000, 512, 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct counting counting = {.to = ROWS[i].count, .of = ROWS[i].of};
        struct lf_named_list *list = NULL;
        struct lf_error error;

        assert_int_equal(lf_named_list_create_folded("n", 3, ROWS[i].at_most, next_number, &counting, &list, &error),
                         LF_OK);
        assert_int_equal(list->count, ROWS[i].expected);
        for (int n = 0; n < ROWS[i].count + 10; n++) {
            char text[32];

            (void)snprintf(text, sizeof text, "n%d", n);
            if (has(list, text) != (n < (int)ROWS[i].expected))
                fail_msg("row %zu: %s", i, text);
        }
        lf_named_list_destroy(list);
    }
}

static bool
next_of_nothing(void *context, struct lf_text *ret_folded)
{
    int *left = context;

    *ret_folded = *left % 2 == 0 ? (struct lf_text){"", 0} : (struct lf_text){NULL, 0};
    return (*left)-- > 0;
}

/* A text of nothing is no entry, wherever it comes from. */
static void
test_nothing(void **state)
{
    static const struct lf_text NOTHING[] = {{"", 0}, {NULL, 0}, {"a", 1}};
    struct lf_named_list *list = NULL, *changed = NULL;
    struct lf_error error;
    int left = 40;

    (void)state;
    assert_int_equal(lf_named_list_create_folded("nothing", 1, 2, next_of_nothing, &left, &list, &error), LF_OK);
    assert_int_equal(list->count, 0);
    changed = patch(list, 2, NOTHING, 3, NOTHING, 2);
    assert_int_equal(changed->count, 1);
    assert_false(lf_named_list_has(list, NOTHING[0]) || lf_named_list_has(changed, NOTHING[0]));
    assert_true(has(changed, "a"));
    lf_named_list_destroy(list);
    lf_named_list_destroy(changed);
}

/* ---- changes ---- */

/* Lists as words of one letter each; an upper-case letter is none. */
static size_t
letters(const char *word, struct lf_text *texts)
{
    size_t count = strlen(word);

    for (size_t i = 0; i < count; i++)
        texts[i] = (struct lf_text){word + i, 1};
    return count;
}

static void
test_changes(void **state)
{
    static const struct {
        const char *removed[2], *added[2]; /* in two changes, one after the other */
        const char *expected;              /* of a list of a, b and c */
    } ROWS[] = {
        {{"", ""}, {"", ""}, "abc"},       {{"", ""}, {"d", "e"}, "abcde"},
        {{"a", "b"}, {"", ""}, "c"},       {{"abc", ""}, {"", ""}, ""},
        {{"abc", ""}, {"", "abc"}, "abc"}, {{"a", ""}, {"a", ""}, "abc"},   /* first they go, then they come */
        {{"d", ""}, {"d", ""}, "abcd"},                                     /* also what was not there */
        {{"a", "a"}, {"", "a"}, "abc"},                                     /* gone already */
        {{"", "d"}, {"d", ""}, "abc"},                                      /* what lies over the base goes again */
        {{"", "d"}, {"d", "d"}, "abcd"},   {{"xyz", "x"}, {"", ""}, "abc"}, /* were never there */
        {{"", ""}, {"abc", "aab"}, "abc"}, {{"aab", ""}, {"ddd", "de"}, "cde"},
        {{"a", "d"}, {"d", "a"}, "abc"},
    };
    static const char *const BASE[] = {"a", "b", "c"};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_named_list *list = make("letters", 1, BASE, 3), *first = list;

        for (int step = 0; step < 2; step++) {
            struct lf_text add[8], remove[8];
            size_t add_count = letters(ROWS[i].added[step], add), remove_count = letters(ROWS[i].removed[step], remove);
            struct lf_named_list *changed = patch(list, step + 2, add, add_count, remove, remove_count);

            assert_string_equal(changed->key, "letters");
            assert_true(changed->revision == step + 2 && changed->base == list->base);
            if (step > 0)
                lf_named_list_destroy(list);
            list = changed;
        }
        for (char c = 'a'; c <= 'z'; c++) {
            if (lf_named_list_has(list, (struct lf_text){&c, 1}) != (strchr(ROWS[i].expected, c) != NULL))
                fail_msg("row %zu: %c", i, c);
            /* The one that was changed is as it was. */
            assert_true(lf_named_list_has(first, (struct lf_text){&c, 1}) == (c <= 'c'));
        }
        assert_int_equal(list->count, strlen(ROWS[i].expected));
        assert_true(first->revision == 1 && first->count == 3);
        lf_named_list_destroy(first);
        lf_named_list_destroy(list);
    }
}

/* ---- when a new base is made ---- */

static struct lf_named_list *
make_numbers(int count)
{
    struct counting counting = {.to = count, .of = count};
    struct lf_named_list *list = NULL;
    struct lf_error error;

    assert_int_equal(lf_named_list_create_folded("numbers", 1, (size_t)count, next_number, &counting, &list, &error),
                     LF_OK);
    return list;
}

/* The texts n<from> to below n<to>. */
static struct lf_text *
numbers(struct lf_arena *arena, int from, int to)
{
    struct lf_text *texts = lf_arena_calloc(arena, (size_t)(to - from), sizeof *texts);

    assert_non_null(texts);
    for (int n = from; n < to; n++) {
        const char *text = lf_arena_printf(arena, "n%d", n);

        assert_non_null(text);
        texts[n - from] = text_of(text);
    }
    return texts;
}

/* A quarter of the base, and 1,024 where that is more, may lie over it; one more makes a new base, with nothing over
 * it. Added and removed ones count together. */
static void
test_new_base(void **state)
{
    static const struct {
        int base, removed, added;
        bool shared;
    } ROWS[] = {
        {0, 0, OVERLAY_MIN, true},
        {0, 0, OVERLAY_MIN + 1, false},
        {2000, 1000, 24, true},
        {2000, 1000, 25, false},
        {4 * OVERLAY_MIN + 3, 0, OVERLAY_MIN, true},
        {4 * OVERLAY_MIN + 4, 0, OVERLAY_MIN + 1, true},
        {4 * OVERLAY_MIN + 4, 0, OVERLAY_MIN + 2, false},
        {20000, 2500, 2500, true},
        {20000, 2501, 2500, false},
        {20000, 20000, 0, false},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        int end = ROWS[i].base + ROWS[i].added;
        struct lf_text *remove = numbers(*state, 0, ROWS[i].removed), *add = numbers(*state, ROWS[i].base, end);
        struct lf_named_list *list = make_numbers(ROWS[i].base),
                             *changed = patch(list, 2, add, (size_t)ROWS[i].added, remove, (size_t)ROWS[i].removed);
        bool shared = changed->base == list->base;

        if (shared != ROWS[i].shared)
            fail_msg("row %zu: shared: %d", i, shared);
        assert_int_equal(changed->added.count, shared ? ROWS[i].added : 0);
        assert_int_equal(changed->removed.count, shared ? ROWS[i].removed : 0);
        lf_named_list_destroy(list); /* the base stays as long as it is used */
        assert_int_equal(changed->count, ROWS[i].base - ROWS[i].removed + ROWS[i].added);
        for (int n = 0; n < end + 10; n++) {
            char text[32];

            (void)snprintf(text, sizeof text, "n%d", n);
            if (has(changed, text) != (n >= ROWS[i].removed && n < end))
                fail_msg("row %zu: %s", i, text);
        }
        lf_named_list_destroy(changed);
    }
}

/* ---- random changes against a model ---- */

enum { UNIVERSE = 6000, KEPT = 8 };

struct model {
    bool in[UNIVERSE];
    size_t count;
};

static void
model_set(struct model *model, uint32_t at, bool in)
{
    model->count += (size_t)(in - model->in[at]);
    model->in[at] = in;
}

static void
check(const struct lf_named_list *list, const struct model *model, const struct lf_text *universe)
{
    assert_int_equal(list->count, model->count);
    for (size_t i = 0; i < UNIVERSE; i++)
        if (lf_named_list_has(list, universe[i]) != model->in[i])
            fail_msg("revision %lld: %.*s", (long long)list->revision, (int)universe[i].len, universe[i].bytes);
}

/* Hundreds of changes, small and large; lists of before stay as they were, and go in any order. */
static void
test_random_changes(void **state)
{
    struct lf_text *universe = numbers(*state, 0, UNIVERSE), *add = numbers(*state, 0, UNIVERSE),
                   *remove = numbers(*state, 0, UNIVERSE);
    struct lf_named_list *kept[KEPT] = {NULL};
    struct model *models = lf_arena_calloc(*state, KEPT, sizeof *models);
    struct support_random random = {20260701};
    size_t shared = 0, rebuilt = 0, over = 0;

    assert_non_null(models);
    kept[0] = make("random", 0, NULL, 0);
    for (int turn = 1; turn <= 400; turn++) {
        uint32_t from = support_random(&random, KEPT), to = support_random(&random, KEPT);
        uint32_t most = turn % 40 == 0 ? 3000 : turn % 7 == 0 ? 400 : 20;
        size_t add_count = support_random(&random, most), remove_count = support_random(&random, most);
        struct model model;
        struct lf_named_list *changed = NULL;

        while (kept[from] == NULL)
            from = (from + 1) % KEPT;
        model = models[from];
        for (size_t i = 0; i < remove_count; i++) {
            uint32_t at = support_random(&random, UNIVERSE);

            remove[i] = universe[at];
            model_set(&model, at, false);
        }
        for (size_t i = 0; i < add_count; i++) {
            uint32_t at = support_random(&random, UNIVERSE);

            add[i] = universe[at];
            model_set(&model, at, true);
        }
        changed = patch(kept[from], turn, add, add_count, remove, remove_count);
        check(changed, &model, universe);
        check(kept[from], &models[from], universe);
        *(changed->base == kept[from]->base ? &shared : &rebuilt) += 1;
        over += changed->added.count + changed->removed.count > 500;
        lf_named_list_destroy(kept[to]);
        kept[to] = changed;
        models[to] = model;
    }
    for (int i = 0; i < KEPT; i++)
        lf_named_list_destroy(kept[i]);
    /* The changes have met every case. */
    assert_true(shared > 200 && rebuilt > 5 && over > 20);
}

/* A change of a large list costs what the change is, not what the list is. */
static void
test_small_change_of_a_large_list(void **state)
{
    enum { LARGE = 200000 };
    struct lf_named_list *list = make_numbers(LARGE);
    struct lf_text *more = numbers(*state, LARGE, LARGE + 100);

    for (int i = 0; i < 100; i++) {
        struct lf_named_list *changed = patch(list, i + 2, &more[i], 1, NULL, 0);

        assert_ptr_equal(changed->base, list->base);
        assert_true(lf_arena_used(changed->arena) < 20000);
        lf_named_list_destroy(list);
        list = changed;
    }
    assert_int_equal(list->count, LARGE + 100);
    assert_true(has(list, "n0") && has(list, "n200099"));
    assert_false(has(list, "n200100"));
    lf_named_list_destroy(list);
}

/* ---- many threads ---- */

enum { THREADS = 4, TURNS = 300 };

struct shared {
    struct lf_named_list *list; /* one reference of it is the thread's */
    int number;
};

/* Takes, gives back, asks and changes; the last to let go frees, whoever it is. */
static void *
use(void *context)
{
    struct shared *shared = context;
    char own[16];
    struct lf_text mine = {own, (size_t)snprintf(own, sizeof own, "own%d", shared->number)}, gone = text_of("n7");
    struct lf_named_list *list = shared->list;
    struct lf_error error;

    for (int turn = 0; turn < TURNS; turn++) {
        struct lf_named_list *again = lf_named_list_share(list), *changed = NULL;
        bool fine = again == list && has(list, "n42") && !lf_named_list_has(list, mine);

        if (!fine || lf_named_list_patch(list, turn, &mine, 1, &gone, 1, &changed, &error) != LF_OK)
            abort();
        lf_named_list_destroy(again);
        if (!lf_named_list_has(changed, mine) || has(changed, "n7") || !has(list, "n7") || changed->count != 2000)
            abort();
        lf_named_list_destroy(changed);
    }
    lf_named_list_destroy(list);
    return NULL;
}

static void
test_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct lf_named_list *list = make_numbers(2000);
        struct shared shared[THREADS];
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++) {
            shared[i] = (struct shared){lf_named_list_share(list), i};
            assert_int_equal(pthread_create(&threads[i], NULL, use, &shared[i]), 0);
        }
        lf_named_list_destroy(list); /* theirs now */
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_made_of_texts),
        SUPPORT_TEST(test_made_of_folded),
        SUPPORT_TEST(test_nothing),
        SUPPORT_TEST(test_changes),
        SUPPORT_TEST(test_new_base),
        SUPPORT_TEST(test_random_changes),
        SUPPORT_TEST(test_small_change_of_a_large_list),
        SUPPORT_TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
