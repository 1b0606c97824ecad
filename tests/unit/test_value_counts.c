/*
 * test_value_counts.c - texts counted under groups, against a plain table; and what is let go where room ends.
 */
#include "app/value_counts.h"
#include "base/hash.h"
#include "support.h"

enum { GROUPS = 3, TAGS = 2, WORDS = 40 };

static struct lf_error error;

static struct lf_value_counts
counts_of(size_t group_max, size_t max, size_t bytes)
{
    struct lf_value_counts counts;

    assert_int_equal(lf_value_counts_init(&counts, GROUPS, group_max, max, bytes, &error), LF_OK);
    return counts;
}

static void
add(struct lf_value_counts *counts, uint32_t group, const char *text, size_t turn)
{
    assert_true(lf_value_counts_add(counts, group, 0, text, strlen(text), false, turn));
}

static int64_t
count_of(const struct lf_value_counts *counts, uint32_t group, uint32_t tag, const char *text)
{
    for (size_t i = 0; i < counts->count; i++)
        if (counts->items[i].group == group && counts->items[i].tag == tag && counts->items[i].len == strlen(text) &&
            memcmp(lf_value_counts_text(counts, &counts->items[i]), text, strlen(text)) == 0)
            return counts->items[i].count;
    return 0;
}

static void
test_against_a_table(void **state)
{
    struct support_random random = {1};
    struct lf_value_counts counts = counts_of(1000, 5000, 1 << 20);
    int64_t table[GROUPS][TAGS][WORDS] = {{{0}}};
    size_t last[GROUPS][TAGS][WORDS] = {{{0}}};
    bool flags[GROUPS][TAGS][WORDS] = {{{false}}};

    (void)state;
    for (size_t turn = 1; turn < 20000; turn++)
        for (uint32_t i = support_random(&random, 4); i > 0; i--) {
            uint32_t g = support_random(&random, GROUPS), t = support_random(&random, TAGS);
            uint32_t w = support_random(&random, WORDS);
            bool flag = support_random(&random, 3000) == 0;
            char text[16];

            (void)snprintf(text, sizeof text, "%.*s%u", (int)(w % 5), "aaaa", w);
            assert_true(lf_value_counts_add(&counts, g, t, text, strlen(text), flag, turn));
            table[g][t][w] += last[g][t][w] != turn;
            last[g][t][w] = turn;
            flags[g][t][w] = flags[g][t][w] || flag;
        }
    assert_int_equal(counts.dropped, 0);
    for (size_t i = 0; i < counts.count; i++) {
        const struct lf_counted_value *item = &counts.items[i];
        const char *text = lf_value_counts_text(&counts, item);
        int w = 0;

        for (size_t at = 0; at < item->len; at++)
            w = text[at] >= '0' && text[at] <= '9' ? 10 * w + text[at] - '0' : w;
        assert_int_equal(item->count, table[item->group][item->tag][w]);
        assert_int_equal(item->flag, flags[item->group][item->tag][w]);
        table[item->group][item->tag][w] = 0;
    }
    for (int g = 0; g < GROUPS; g++)
        for (int t = 0; t < TAGS; t++)
            for (int w = 0; w < WORDS; w++)
                assert_int_equal(table[g][t][w], 0);
    lf_value_counts_finish(&counts);
}

static void
test_a_full_group(void **state)
{
    struct lf_value_counts counts = counts_of(4, 100, 1 << 20);

    (void)state;
    for (size_t turn = 1; turn <= 3; turn++)
        add(&counts, 0, "often", turn);
    add(&counts, 0, "early", 4);
    add(&counts, 0, "twice", 5);
    add(&counts, 1, "other group", 5);
    add(&counts, 0, "twice", 6);
    add(&counts, 0, "late", 7);
    assert_int_equal(counts.dropped, 0);
    add(&counts, 0, "one more", 8); /* the rarer half goes: early and late */
    assert_int_equal(counts.dropped, 2);
    assert_int_equal(count_of(&counts, 0, 0, "often"), 3);
    assert_int_equal(count_of(&counts, 0, 0, "twice"), 2);
    assert_int_equal(count_of(&counts, 0, 0, "early"), 0);
    assert_int_equal(count_of(&counts, 0, 0, "late"), 0);
    assert_int_equal(count_of(&counts, 0, 0, "one more"), 1);
    assert_int_equal(count_of(&counts, 1, 0, "other group"), 1);
    add(&counts, 0, "often", 9);
    assert_int_equal(count_of(&counts, 0, 0, "often"), 4);
    lf_value_counts_finish(&counts);
}

static void
test_too_many_in_all_and_too_long(void **state)
{
    struct lf_value_counts counts = counts_of(100, 6, 1 << 20);
    char text[64];

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        (void)snprintf(text, sizeof text, "%zu", i);
        add(&counts, (uint32_t)(i % GROUPS), text, i + 1);
    }
    assert_int_equal(counts.count, 4); /* the three that came first, and the seventh */
    assert_int_equal(counts.dropped, 3);
    assert_int_equal(count_of(&counts, 2, 0, "2"), 1);
    assert_int_equal(count_of(&counts, 0, 0, "3"), 0);
    assert_int_equal(count_of(&counts, 0, 0, "6"), 1);
    lf_value_counts_finish(&counts);

    counts = counts_of(100, 100, 300);
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < 40; i++) {
        (void)snprintf(text + 48, 16, "%05zu", i);
        text[53] = '\0';
        add(&counts, 0, text, i + 1);
        assert_true(counts.texts.len <= 300);
    }
    assert_true(counts.dropped > 20);
    lf_value_counts_finish(&counts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_table),
        cmocka_unit_test(test_a_full_group),
        cmocka_unit_test(test_too_many_in_all_and_too_long),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
