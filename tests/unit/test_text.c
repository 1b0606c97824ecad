/* test_text.c - folding and the other views of text. What folds to what follows Unicode's NFKC_Casefold. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lf_arena *arena;

static int
setup(void **state)
{
    (void)state;
    arena = lf_arena_create(4096, 64 << 20);
    return arena != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    lf_arena_destroy(arena);
    return 0;
}

static const struct {
    const char *what, *input, *expected;
} FOLDS[] = {
    {"nothing", "", ""},
    {"ASCII case", "Vice President, SALES", "vice president, sales"},
    {"runs of white space", "  a \t\r\n b\v\fc  ", "a b c"},
    {"white space alone", " \t ", ""},
    {"what ASCII has besides letters", "@[`{~C++/Java_1", "@[`{~c++/java_1"},
    {"unit separators are no white space",
     "a\x1F"
     "b",
     "a\x1F"
     "b"},
    {"sharp s",
     "STRASSE Stra\xC3\x9F"
     "e \xE1\xBA\x9E",
     "strasse strasse ss"},
    {"ligature fi", "\xEF\xAC\x81nance", "finance"},
    {"dotted capital I", "\xC4\xB0zmir", "i\xCC\x87zmir"},
    {"dotless i stays", "\xC4\xB1", "\xC4\xB1"},
    {"title-case digraph", "\xC7\x85 \xC7\x84 \xC7\x86", "d\xC5\xBE d\xC5\xBE d\xC5\xBE"},
    {"sigma and final sigma", "\xCE\xA3\xCE\x91\xCE\xA3 \xCF\x82", "\xCF\x83\xCE\xB1\xCF\x83 \xCF\x83"},
    {"no-break space, ideographic space",
     "a\xC2\xA0\xE3\x80\x80"
     "b",
     "a b"},
    {"next line, line separator",
     "a\xC2\x85\xE2\x80\xA8"
     "b",
     "a b"},
    {"spaces at the ends, beyond ASCII", "\xE2\x80\x83x\xC2\xA0", "x"},
    {"soft hyphen",
     "co\xC2\xAD"
     "operate",
     "cooperate"},
    {"zero-width joiner, non-joiner, space",
     "a\xE2\x80\x8D"
     "b\xE2\x80\x8C"
     "c\xE2\x80\x8B"
     "d",
     "abcd"},
    {"a byte order mark within",
     "a\xEF\xBB\xBF"
     "b",
     "ab"},
    {"variation selector", "\xE2\x98\x83\xEF\xB8\x8F", "\xE2\x98\x83"},
    {"an ignorable between spaces", "a \xC2\xAD b", "a b"},
    {"an ignorable not yet assigned",
     "a\xF3\xA0\x80\x82"
     "b\xE2\x81\xA5"
     "c\xEF\xBF\xB0",
     "abc"},
    {"full width", "\xEF\xBC\xA1\xEF\xBD\x82\xEF\xBC\x91", "ab1"},
    {"half-width katakana with its mark", "\xEF\xBD\xB6\xEF\xBE\x9E", "\xE3\x82\xAC"},
    {"superscript, circled, Roman", "m\xC2\xB2 \xE2\x91\xA0 \xE2\x85\xA3", "m2 1 iv"},
    {"trade mark", "Acme\xE2\x84\xA2", "acmetm"},
    {"Hangul from its letters", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C"},
    {"Hangul stays", "\xED\x95\x9C", "\xED\x95\x9C"},
    {"Hangul syllable before U+11A7, no final consonant", "\xEA\xB0\x80\xE1\x86\xA7x", "\xEA\xB0\x80\xE1\x86\xA7x"},
    {"composed and decomposed", "\xC3\x84 A\xCC\x88", "\xC3\xA4 \xC3\xA4"},
    {"order of marks", "a\xCC\x81\xCC\xA7 a\xCC\xA7\xCC\x81", "\xC3\xA1\xCC\xA7 \xC3\xA1\xCC\xA7"},
    {"a mark alone", "\xCC\x81", "\xCC\x81"},
    {"a spacing diaeresis is a space and a mark", "x\xC2\xA8", "x \xCC\x88"},
    {"kelvin, angstrom", "\xE2\x84\xAA \xE2\x84\xAB", "k \xC3\xA5"},
    {"iota subscript", "\xE1\xBE\xB3 \xCE\xB1\xCD\x85", "\xCE\xB1\xCE\xB9 \xCE\xB1\xCE\xB9"},
    {"iota subscript before and behind an accent", "\xCE\xB1\xCC\x81\xCD\x85 \xCE\xB1\xCD\x85\xCC\x81 \xE1\xBE\xB4",
     "\xCE\xAC\xCE\xB9 \xCE\xAC\xCE\xB9 \xCE\xAC\xCE\xB9"},
    {"Cherokee folds to capitals", "\xEA\xAD\xB0", "\xE1\x8E\xA0"},
    {"beyond the first plane", "\xF0\x90\x90\x80\xF0\x9F\x98\x80", "\xF0\x90\x90\xA8\xF0\x9F\x98\x80"},
    {"the longest expansion", "\xEF\xB7\xBA",
     "\xD8\xB5\xD9\x84\xD9\x89 \xD8\xA7\xD9\x84\xD9\x84\xD9\x87 \xD8\xB9\xD9\x84\xD9\x8A\xD9\x87 "
     "\xD9\x88\xD8\xB3\xD9\x84\xD9\x85"},
};

static void
test_fold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FOLDS / sizeof FOLDS[0]; i++) {
        struct lf_text folded = {NULL, 0};
        size_t want = strlen(FOLDS[i].expected);

        assert_true(lf_text_fold(arena, FOLDS[i].input, strlen(FOLDS[i].input), &folded));
        if (folded.len != want || memcmp(folded.bytes, FOLDS[i].expected, want) != 0)
            fail_msg("%s: '%.*s'", FOLDS[i].what, (int)folded.len, folded.bytes);
        lf_arena_reset(arena);
    }
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static size_t
put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 63));
        to[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* A random text of up to 40 characters, rich in what combines, folds and vanishes. */
static size_t
random_text(char *to, uint32_t *seed)
{
    static const uint32_t RANGES[][2] = {{0, 0x7F},          {0x80, 0x24F},      {0x300, 0x36F},    {0x370, 0x3FF},
                                         {0x1100, 0x11FF},   {0x1E00, 0x1FFF},   {0x2000, 0x206F},  {0x3040, 0x30FF},
                                         {0xAC00, 0xAC80},   {0xF900, 0xFAFF},   {0xFB00, 0xFDFF},  {0xFE00, 0xFFFF},
                                         {0x10400, 0x1044F}, {0x1D400, 0x1D7FF}, {0xE0000, 0xE0100}};
    size_t len = 0;
    uint32_t count = next_random(seed) % 40;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *range = RANGES[next_random(seed) % (sizeof RANGES / sizeof RANGES[0])];
        len += put(to + len, range[0] + next_random(seed) % (range[1] - range[0] + 1));
    }
    return len;
}

static void
test_folding_twice_changes_nothing(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[200];
        size_t len = random_text(text, &seed);
        struct lf_text once = {NULL, 0}, twice = {NULL, 0};

        assert_true(lf_text_fold(arena, text, len, &once));
        assert_true(lf_text_is_utf8(once.bytes, once.len, NULL));
        assert_true(lf_text_fold(arena, once.bytes, once.len, &twice));
        assert_int_equal(once.len, twice.len);
        assert_memory_equal(once.bytes, twice.bytes, once.len);
        lf_arena_reset(arena);
    }
}

/* A soft hyphen sends the text past the fast path; the result must be the same. */
static void
test_ascii_path_agrees(void **state)
{
    uint32_t seed = 2;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char text[64];
        size_t len = next_random(&seed) % 60;
        struct lf_text fast = {NULL, 0}, slow = {NULL, 0};

        for (size_t j = 0; j < len; j++)
            text[j] = (char)(next_random(&seed) % 3 == 0 ? 9 + next_random(&seed) % 24 : next_random(&seed) % 128);
        assert_true(lf_text_fold(arena, text, len, &fast));
        memcpy(text + len, "\xC2\xAD", 2);
        assert_true(lf_text_fold(arena, text, len + 2, &slow));
        assert_int_equal(fast.len, slow.len);
        assert_memory_equal(fast.bytes, slow.bytes, fast.len);
        lf_arena_reset(arena);
    }
}

/* 200,000 marks in the worst order: quadratic sorting would take minutes. */
static void
test_long_runs_of_marks(void **state)
{
    enum { PAIRS = 100000 };
    char *text = malloc(1 + 4 * PAIRS);
    struct lf_text folded = {NULL, 0};

    (void)state;
    assert_non_null(text);
    text[0] = 'x';
    for (size_t i = 0; i < PAIRS; i++)
        memcpy(text + 1 + 4 * i, "\xCC\x81\xCC\xA7", 4); /* class 230, class 202 */
    assert_true(lf_text_fold(arena, text, 1 + 4 * PAIRS, &folded));
    assert_int_equal(folded.len, 1 + 4 * PAIRS);
    assert_memory_equal(folded.bytes + 1, "\xCC\xA7\xCC\xA7", 4);
    assert_memory_equal(folded.bytes + folded.len - 4, "\xCC\x81\xCC\x81", 4);
    free(text);
}

static void
test_fold_without_memory(void **state)
{
    struct lf_arena *small = lf_arena_create(16, 16);
    struct lf_text folded = {NULL, 0};

    (void)state;
    assert_false(lf_text_fold(small, "seventeen letters", 17, &folded));
    assert_false(lf_text_fold(small, "seventeen letter\xC3\xA4", 18, &folded));
    assert_null(folded.bytes);
    lf_arena_destroy(small);
}

static void
test_trim(void **state)
{
    static const struct {
        const char *input, *expected;
    } CASES[] = {
        {"", ""},
        {" ", ""},
        {"a", "a"},
        {" \t\r\na b\n ", "a b"},
        {"\xC2\xA0x\xE3\x80\x80", "x"},
        {"\xC3\xA4 ", "\xC3\xA4"},
        {"\xE2\x80\x8B", "\xE2\x80\x8B"},
        {"\x1Fx", "\x1Fx"},
        {"\xC2\x85\xE2\x80\xA9", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct lf_text trimmed = lf_text_trim(CASES[i].input, strlen(CASES[i].input));

        assert_int_equal(trimmed.len, strlen(CASES[i].expected));
        assert_memory_equal(trimmed.bytes, CASES[i].expected, trimmed.len);
    }
    assert_int_equal(lf_text_trim(NULL, 0).len, 0);
}

static const struct {
    const char *what, *bytes;
    size_t bad; /* offset of the first bad byte; 99: none */
} UTF8[] = {
    {"nothing", "", 99},
    {"ASCII", "0123456789abcdef", 99},
    {"all lengths", "a\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 99},
    {"just below and above the surrogates", "\xED\x9F\xBF\xEE\x80\x80", 99},
    {"a continuation byte alone", "ab\x80", 2},
    {"overlong, two bytes", "\xC0\x80", 0},
    {"overlong, two bytes, C1", "x\xC1\xBF", 1},
    {"overlong, three bytes", "\xE0\x9F\xBF", 0},
    {"overlong, four bytes", "\xF0\x8F\xBF\xBF", 0},
    {"a surrogate", "abcdefgh\xED\xA0\x80", 8},
    {"beyond U+10FFFF", "\xF4\x90\x80\x80", 0},
    {"F5", "\xF5\x80\x80\x80", 0},
    {"FF", "\xFF", 0},
    {"cut short, two", "\xC3", 0},
    {"cut short, three", "a\xE2\x82", 1},
    {"cut short, four", "a\xF0\x9F\x98", 1},
    {"a third byte that is none", "\xE2\x82x", 0},
    {"ISO 8859-1", "M\xFCnchen", 1},
};

static void
test_is_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof UTF8 / sizeof UTF8[0]; i++) {
        size_t len = strlen(UTF8[i].bytes), bad = 99;
        char *copy = malloc(len + 1); /* of its own size, so that a sanitizer sees a step beyond */

        assert_non_null(copy);
        memcpy(copy, UTF8[i].bytes, len);
        if (lf_text_is_utf8(copy, len, &bad) != (UTF8[i].bad == 99) || bad != UTF8[i].bad)
            fail_msg("%s: %zu", UTF8[i].what, bad);
        assert_int_equal(lf_text_is_utf8(copy, len, NULL), UTF8[i].bad == 99);
        free(copy);
    }
}

static void
test_characters(void **state)
{
    static const char TEXT[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    static const int32_t POINTS[] = {'a', 0xE4, 0x20AC, 0x1F600, 'z'};
    static const size_t ENDS[] = {1, 3, 6, 10, 11};
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(lf_text_char(TEXT, 11, at, &at), POINTS[i]);
        assert_int_equal(at, ENDS[i]);
        assert_int_equal(lf_text_prefix(TEXT, 11, i + 1), ENDS[i]);
    }
    assert_int_equal(lf_text_length(TEXT, 11), 5);
    assert_int_equal(lf_text_length("", 0), 0);
    assert_int_equal(lf_text_prefix(TEXT, 11, 0), 0);
    assert_int_equal(lf_text_prefix(TEXT, 11, 100), 11);
    assert_int_equal(lf_text_ascii_prefix(TEXT, 11), 1);
    assert_int_equal(lf_text_ascii_prefix("0123456789", 10), 10);
    assert_int_equal(lf_text_ascii_prefix("01234567\xC3\xA4", 10), 8);
}

static void
test_is_word(void **state)
{
    static const int32_t WORD[] = {'a', 'Z', '0', '_', 0xE4, 0x301, 0x660, 0x2160, 0xB2, 0x4E2D, 0x20000};
    static const int32_t OTHER[] = {' ', '-',  '+',  '.',    '@',    '\'',    '`',   '[',
                                    0,   0x7F, 0xA0, 0x2014, 0x20AC, 0x1F600, 0xE000};

    (void)state;
    for (size_t i = 0; i < sizeof WORD / sizeof WORD[0]; i++)
        if (!lf_text_is_word(WORD[i]))
            fail_msg("U+%04X is a word character", (unsigned)WORD[i]);
    for (size_t i = 0; i < sizeof OTHER / sizeof OTHER[0]; i++)
        if (lf_text_is_word(OTHER[i]))
            fail_msg("U+%04X is no word character", (unsigned)OTHER[i]);
}

/* Vectors made with the reference implementation of SipHash-1-3 (key 00..0f, input 00 01 02 …). */
static void
test_hash(void **state)
{
    static const uint64_t SEED[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    static const uint64_t OTHER[2] = {1, 2};
    static const uint64_t VECTORS[] = {
        UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
        UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
        UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
    };
    char bytes[9];

    (void)state;
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        assert_true(lf_text_hash(bytes, i, SEED) == VECTORS[i]);
        bytes[i] = (char)i;
    }
    assert_true(lf_text_hash("abc", 3, SEED) != lf_text_hash("abc", 3, OTHER));
    assert_true(lf_text_hash("abc", 3, SEED) != lf_text_hash("abd", 3, SEED));
    assert_true(lf_text_hash("", 0, SEED) != lf_text_hash("\0", 1, SEED));
}

static void
test_distance(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned limit, expected;
    } CASES[] = {
        {"", "", 2, 0},
        {"abc", "abc", 0, 0},
        {"abc", "abd", 2, 1},
        {"abc", "ab", 2, 1},
        {"abc", "xabc", 2, 1},
        {"abc", "acb", 2, 1}, /* neighbours that changed places: one slip */
        {"pionts", "points", 1, 1},
        {"ab", "ba", 0, 1},
        {"abcd", "badc", 1, 2}, /* two of them: limit + 1 */
        {"abcd", "badc", 2, 2},
        {"ca", "abc", 5, 3}, /* no letter comes between those that changed places */
        {"xxxxab", "ba", 5, 5},
        {"kitten", "sitting", 5, 3},
        {"kitten", "sitting", 2, 3}, /* limit + 1 */
        {"kitten", "completely else", 2, 3},
        {"abc", "abd", 0, 1},
        {"m\xC3\xBCller", "muller", 2, 1}, /* characters, not bytes */
        {"", "ab", 3, 2},
    };
    static char LONG[201];

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct lf_text a = {CASES[i].a, strlen(CASES[i].a)}, b = {CASES[i].b, strlen(CASES[i].b)};

        if (lf_text_distance(a, b, CASES[i].limit) != CASES[i].expected ||
            lf_text_distance(b, a, CASES[i].limit) != CASES[i].expected)
            fail_msg("%s, %s: %u", CASES[i].a, CASES[i].b, lf_text_distance(a, b, CASES[i].limit));
    }
    memset(LONG, 'x', sizeof LONG);
    assert_int_equal(lf_text_distance((struct lf_text){LONG, 200}, (struct lf_text){LONG, 200}, 3), 0);
    assert_int_equal(lf_text_distance((struct lf_text){LONG, 201}, (struct lf_text){LONG, 201}, 3), 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_folding_twice_changes_nothing),
        cmocka_unit_test(test_ascii_path_agrees),
        cmocka_unit_test(test_long_runs_of_marks),
        cmocka_unit_test(test_fold_without_memory),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_is_utf8),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_is_word),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_distance),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
