/*
 * test_likeness.c - which texts are near each other, and how near.
 */
#include "core/likeness.h"
#include "support.h"

static int
like(struct lf_arena *arena, const char *a, const char *b)
{
    struct lf_text x, y;
    struct lf_likeness_text left, right;
    int forth = 0;

    assert_true(lf_text_fold(arena, a, strlen(a), &x));
    assert_true(lf_text_fold(arena, b, strlen(b), &y));
    lf_likeness_prepare(x, &left);
    lf_likeness_prepare(y, &right);
    forth = lf_likeness(&left, &right);
    assert_int_equal(lf_likeness(&right, &left), forth);
    assert_true(forth == 0 || (forth >= LF_LIKENESS_LEAST && forth <= LF_LIKENESS_SAME));
    return forth;
}

static void
test_near_and_not(void **state)
{
    static const struct {
        const char *a, *b;
        bool near;
        const char *why;
    } ROWS[] = {
        {"Comp. Software", "Computer Software", true, "a word that begins alike"},
        {"Compter Sofware", "Computer Software", true, "slips"},
        {"Software, computer", "Computer Software", true, "another order"},
        {"Health Care", "Healthcare", true, "a space"},
        {"Machinery", "Mechanical or Industrial Engineering", false, "nothing in common"},
        {"Mfg.", "Manufacturing", false, "an abbreviation that is no beginning"},
        {"Manufact.", "Manufacturing", true, "a beginning"},
        {"CEO", "CFO", false, "a short word has no slips"},
        {"Chief Exec. Officer", "Chief Executive Officer", true, "a beginning in the middle"},
        {"Germny", "Germany", true, "a letter too few"},
        {"Gemrany", "Germany", true, "two letters that changed places"},
        {"2018", "2019", false, "another number"},
        {"Windows 10", "Windows 11", true, "most of it is the same word"},
        {"Version 2018", "Version 2019", true, "most of it is the same word"},
        {"10001", "10002", false, "another number"},
        {"Retail", "Wholesale", false, "another word"},
        {"Information Technology and Services", "Information Technology", true, "most of it"},
        {"IT", "Italy", false, "two letters are no beginning"},
        {"", "Germany", false, "nothing"},
        {"...", "Germany", false, "no letter"},
        {"...", "!!!", false, "no letter on either side"},
        {"M\xc3\xbcnchen", "Munchen", true, "one slip in a letter of two bytes"},
        {"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe5\x8c\xba", "\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\xe5\xb8\x82", true,
         "one of four characters"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if ((like(*state, ROWS[i].a, ROWS[i].b) != 0) != ROWS[i].near)
            fail_msg("\"%s\" and \"%s\": %d (%s)", ROWS[i].a, ROWS[i].b, like(*state, ROWS[i].a, ROWS[i].b),
                     ROWS[i].why);
}

static void
test_order_of_nearness(void **state)
{
    static const char *const ROWS[][3] = {
        /* what, nearer, less near */
        {"Comp. Software", "Computer Software", "Computer Games"},
        {"Computer Softwar", "Computer Software", "Computer Hardware"},
        {"Germny", "Germany", "Germany and Austria"},
        {"Windows 10", "Windows 10", "Windows 11"},
        {"Software Computer", "Software, Computer", "Software, Computers"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (like(*state, ROWS[i][0], ROWS[i][1]) <= like(*state, ROWS[i][0], ROWS[i][2]))
            fail_msg("\"%s\": %s %d, %s %d", ROWS[i][0], ROWS[i][1], like(*state, ROWS[i][0], ROWS[i][1]), ROWS[i][2],
                     like(*state, ROWS[i][0], ROWS[i][2]));
}

static void
test_the_same(void **state)
{
    assert_int_equal(like(*state, "Computer  software", "COMPUTER SOFTWARE"), LF_LIKENESS_SAME);
    assert_int_equal(like(*state, "", ""), LF_LIKENESS_SAME);
    /* The same words, and yet not the same text. */
    assert_int_equal(like(*state, "computer software", "software computer"), LF_LIKENESS_SAME - 1);
    assert_int_equal(like(*state, "computer software", "computer-software"), LF_LIKENESS_SAME - 1);
}

static void
test_preparing(void **state)
{
    static const char TEXT[] = "a-bc  d\xc3\xa9\xc3\xa9, 12";
    struct lf_likeness_text text;

    (void)state;
    lf_likeness_prepare((struct lf_text){TEXT, sizeof TEXT - 1}, &text);
    assert_int_equal(text.characters, 13);
    assert_int_equal(text.letters, 8);
    assert_int_equal(text.count, 4);
    assert_int_equal(text.lengths[2], 3);
    assert_int_equal(text.words[2].len, 5);
    assert_memory_equal(text.words[3].bytes, "12", 2);
}

/* Long texts and many words: nothing is read that is not there (for the sanitizers), and it ends. */
static void
test_long_texts(void **state)
{
    struct support_random random = {3};
    char a[2000], b[2000];

    for (int round = 0; round < 300; round++) {
        size_t lens[2] = {support_random(&random, 1999), support_random(&random, 1999)};
        char *texts[2] = {a, b};

        for (int t = 0; t < 2; t++) {
            for (size_t i = 0; i < lens[t]; i++)
                texts[t][i] = "ab 1-."[support_random(&random, 6)];
            texts[t][lens[t]] = '\0';
        }
        (void)like(*state, a, b);
    }
    memset(a, 'x', 400);
    a[400] = '\0';
    memcpy(b, a, 401);
    b[200] = 'y';
    assert_int_equal(like(*state, a, b), 0); /* longer than slips are counted in */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_near_and_not), SUPPORT_TEST(test_order_of_nearness), SUPPORT_TEST(test_the_same),
        SUPPORT_TEST(test_preparing),    SUPPORT_TEST(test_long_texts),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
