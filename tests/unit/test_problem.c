/* test_problem.c - problem documents (RFC 9457). */
#include "base/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
expect(const struct lf_error *error, const char *id, const struct lf_findings *findings, const char *wanted)
{
    struct lf_buf buf;

    lf_buf_init(&buf, NULL, 1 << 20);
    lf_problem_put(&buf, error, id, findings);
    assert_string_equal(lf_buf_terminate(&buf), wanted);
    lf_buf_finish(&buf);
}

static void
test_without_a_place(void **state)
{
    struct lf_error error;

    (void)state;
    (void)lf_fail(&error, LF_NOT_FOUND, "there is no \"%s\"", "x");
    expect(&error, "", NULL,
           "{\"type\":\"/problems/not_found\",\"title\":\"Not found\",\"status\":404,"
           "\"detail\":\"there is no "
           "\\\"x\\\"\",\"instance\":\"\",\"code\":\"not_found\",\"request_id\":\"\",\"errors\":[]}");
    expect(&error, "r1", NULL,
           "{\"type\":\"/problems/not_found\",\"title\":\"Not found\",\"status\":404,"
           "\"detail\":\"there is no "
           "\\\"x\\\"\",\"instance\":\"/requests/r1\",\"code\":\"not_found\",\"request_id\":\"r1\","
           "\"errors\":[]}");
}

static void
test_with_a_place(void **state)
{
    struct lf_error error;

    (void)state;
    (void)lf_fail_at(&error, LF_INVALID_JSON, "/a", 7, "no");
    expect(&error, "", NULL,
           "{\"type\":\"/problems/invalid_json\",\"title\":\"Not valid JSON\",\"status\":400,\"detail\":\"no\","
           "\"instance\":\"\",\"code\":\"invalid_json\",\"request_id\":\"\",\"errors\":[{\"pointer\":\"/a\","
           "\"code\":\"invalid_json\",\"detail\":\"no\",\"offset\":7}]}");
}

static void
test_with_findings(void **state)
{
    struct lf_arena *arena = lf_arena_create(1024, 1 << 20);
    struct lf_findings findings;
    struct lf_error error;

    (void)state;
    assert_non_null(arena);
    lf_findings_init(&findings, arena);
    lf_findings_add(&findings, "/lead/id", "wrong_type", "text");
    lf_findings_add(&findings, "/lead", "required", "all");
    (void)lf_fail_at(&error, LF_INVALID_REQUEST, "/elsewhere", 3, "two");
    expect(
        &error, "", &findings,
        "{\"type\":\"/problems/invalid_request\",\"title\":\"The request does not say what it should\",\"status\":422,"
        "\"detail\":\"two\",\"instance\":\"\",\"code\":\"invalid_request\",\"request_id\":\"\",\"errors\":["
        "{\"pointer\":\"/lead/id\",\"code\":\"wrong_type\",\"detail\":\"text\"},"
        "{\"pointer\":\"/lead\",\"code\":\"required\",\"detail\":\"all\"}]}");
    lf_arena_destroy(arena);
}

static void
test_control_characters_cannot_break_it(void **state)
{
    struct lf_error error;

    (void)state;
    (void)lf_fail(&error, LF_BAD_REQUEST, "a\nb\x01");
    expect(&error, "", NULL,
           "{\"type\":\"/problems/bad_request\",\"title\":\"Malformed HTTP request\",\"status\":400,"
           "\"detail\":\"a\\nb\\u0001\",\"instance\":\"\",\"code\":\"bad_request\",\"request_id\":\"\",\"errors\":[]}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_place),
        cmocka_unit_test(test_with_a_place),
        cmocka_unit_test(test_with_findings),
        cmocka_unit_test(test_control_characters_cannot_break_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
