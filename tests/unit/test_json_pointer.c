/*
 * test_json_pointer.c - reading JSON pointers, and finding many at once.
 *
 * The first document and its pointers are RFC 6901's own (section 5).
 */
#include "base/json_pointer.h"
#include "support.h"

static struct lf_json_pointer
read_pointer(struct lf_arena *arena, const char *text)
{
    struct lf_json_pointer pointer;
    struct lf_error error;

    if (lf_json_pointer_read(arena, text, strlen(text), &pointer, &error) != LF_OK)
        fail_msg("%s: %s", text, error.detail);
    assert_string_equal(pointer.text, text);
    return pointer;
}

/* What a single pointer finds, as JSON; "" for nothing. */
static const char *
find_one(struct lf_arena *arena, const struct lf_json *document, const char *text)
{
    struct lf_json_pointer pointer = read_pointer(arena, text);
    const struct lf_json *found = NULL;
    struct lf_json_pointers set;
    struct lf_buf buf;

    assert_true(lf_json_pointers_init(&set, arena, &pointer, NULL, 1));
    lf_json_pointers_find(&set, document, &found);
    lf_buf_init(&buf, arena, 1 << 20);
    if (found != NULL)
        lf_json_put_tree(&buf, found);
    return lf_buf_terminate(&buf);
}

static void
test_standard(void **state)
{
    static const struct {
        const char *pointer, *found;
    } ROWS[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
    };
    struct lf_arena *arena = *state;
    const struct lf_json *document = NULL;
    static const char TEXT[] = "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4, "
                               "\"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8}";
    struct lf_error error;

    assert_int_equal(lf_json_parse(arena, TEXT, sizeof TEXT - 1, &LF_JSON_DOCUMENT_LIMITS, &document, &error), LF_OK);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_string_equal(find_one(arena, document, ROWS[i].pointer), ROWS[i].found);
    assert_string_equal(find_one(arena, document, "")[0] == '{' ? "whole" : "", "whole");
}

static void
test_steps(void **state)
{
    static const struct {
        const char *pointer, *found;
    } ROWS[] = {
        {"/list/2/name", "\"c\""},
        {"/list/1", "7"},
        {"/list/3", ""},   /* behind the end */
        {"/list/-", ""},   /* RFC 6901: behind the end, too */
        {"/list/00", ""},  /* a leading zero */
        {"/list/+1", ""},  /* no number */
        {"/list/1.0", ""}, /* nor this */
        {"/list/", ""},    /* an empty name is no index */
        {"/list/9999999999", ""},
        {"/list/4294967297", ""},   /* does not come around to 1 */
        {"/list/1/x", ""},          /* nothing is below a number */
        {"/numbers/0", "\"zero\""}, /* of an object an index is a name */
        {"/numbers/01", "\"one\""},
        {"/numbers/-", "\"dash\""},
        {"/~01", "\"tilde one\""}, /* ~0 is taken back last */
        {"/a/b", ""},
        {"/a~1b", "null"},
        {"//", "2"},
        {"/nothing", ""},
    };
    struct lf_arena *arena = *state;
    const struct lf_json *document =
        support_json(arena, "{'list':[[],7,{'name':'c'}],'numbers':{'0':'zero','01':'one','-':'dash'},'~1':'tilde one',"
                            "'a/b':null,'':{'':2}}");

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        assert_string_equal(find_one(arena, document, ROWS[i].pointer), ROWS[i].found);
}

static void
test_not_pointers(void **state)
{
    static const char *const ROWS[] = {"foo", " /foo", "/~", "/a~", "/~2", "/a/~/b", "#/foo", "0"};
    struct lf_arena *arena = *state;
    struct lf_json_pointer pointer;
    struct lf_error error;
    char text[LF_JSON_POINTER_CHARS_MAX * 2 + 3];

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        assert_int_equal(lf_json_pointer_read(arena, ROWS[i], strlen(ROWS[i]), &pointer, &error), LF_INVALID_PARAMETER);
        assert_true(strlen(error.detail) > 20);
    }
    assert_int_equal(lf_json_pointer_read(arena, "/a\0b", 4, &pointer, &error), LF_INVALID_PARAMETER);
    /* Characters count, not bytes; and steps. */
    text[0] = '/';
    for (size_t i = 0; i < LF_JSON_POINTER_CHARS_MAX - 1; i++)
        memcpy(text + 1 + 2 * i, "\xc3\xa4", 2);
    assert_int_equal(lf_json_pointer_read(arena, text, 1 + 2 * (LF_JSON_POINTER_CHARS_MAX - 1), &pointer, &error),
                     LF_OK);
    memcpy(text + 1 + 2 * (LF_JSON_POINTER_CHARS_MAX - 1), "x", 1);
    assert_int_equal(lf_json_pointer_read(arena, text, 2 + 2 * (LF_JSON_POINTER_CHARS_MAX - 1), &pointer, &error),
                     LF_INVALID_PARAMETER);
    memset(text, '/', sizeof text);
    assert_int_equal(lf_json_pointer_read(arena, text, LF_JSON_POINTER_STEPS_MAX, &pointer, &error), LF_OK);
    assert_int_equal(pointer.step_count, LF_JSON_POINTER_STEPS_MAX);
    assert_int_equal(lf_json_pointer_read(arena, text, LF_JSON_POINTER_STEPS_MAX + 1, &pointer, &error),
                     LF_INVALID_PARAMETER);
}

/* Pointers that share beginnings, stand twice, or are left out, all at once. */
static void
test_sets(void **state)
{
    static const char *const TEXTS[] = {"/b/1", "", "/a", "/b", "/b/1/c", "/a", "/b/x", "/b/10", "/z", "/b/2", "/a/b"};
    static const bool WHICH[] = {true, true, true, true, true, true, true, true, true, true, false};
    static const char *const FOUND[] = {"{\"c\":3}", "{", "{\"b\":1}", "[", "3", "{\"b\":1}", "", "10", "", "2", ""};
    enum { COUNT = sizeof TEXTS / sizeof *TEXTS };
    struct lf_arena *arena = *state;
    struct lf_json_pointer pointers[COUNT];
    const struct lf_json *found[COUNT] = {NULL};
    const struct lf_json *document = support_json(arena, "{'b':[0,{'c':3},2,3,4,5,6,7,8,9,10],'a':{'b':1},'y':1}");
    struct lf_json_pointers set;

    for (size_t i = 0; i < COUNT; i++)
        pointers[i] = read_pointer(arena, TEXTS[i]);
    assert_true(lf_json_pointers_init(&set, arena, pointers, WHICH, COUNT));
    assert_int_equal(set.count, COUNT - 1);
    lf_json_pointers_find(&set, document, found);
    for (size_t i = 0; i < COUNT; i++) {
        struct lf_buf buf;

        lf_buf_init(&buf, arena, 1 << 20);
        if (found[i] != NULL)
            lf_json_put_tree(&buf, found[i]);
        assert_int_equal(found[i] == NULL, FOUND[i][0] == '\0');
        assert_memory_equal(lf_buf_terminate(&buf), FOUND[i], strlen(FOUND[i]));
    }
    lf_json_pointers_find(&set, NULL, found); /* nothing to look in: nothing is written */
    assert_non_null(found[1]);
    assert_true(lf_json_pointers_init(&set, arena, NULL, NULL, 0));
    lf_json_pointers_find(&set, document, NULL);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        SUPPORT_TEST(test_standard),
        SUPPORT_TEST(test_steps),
        SUPPORT_TEST(test_not_pointers),
        SUPPORT_TEST(test_sets),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
