/*
 * test_webhook_reply.c - the answers that CRMs want: scores in each shape, with the places that are stamped, and every
 * way to fail under every kind.
 */
#include "api/webhooks.h"
#include "base/problem.h"
#include "scoring_fixture.h"

enum { LEADS = 3 };

/* Three leads scored under two core ICPs; with an id whose escape is longer than itself, and with none. */
static struct lf_scoring *
score_leads(struct fixture *f, const struct lf_profiles *profiles, enum lf_explain explain)
{
    static const char *const REQUESTS[LEADS] = {"{" LEAD "}", "{'lead':{'id':'a\\\"\\u0007b'}}", "{'lead':{}}"};
    struct lf_scoring *scorings = lf_arena_calloc(f->arena, LEADS, sizeof *scorings);

    assert_non_null(scorings);
    for (int i = 0; i < LEADS; i++) {
        struct lf_score_request request = request_of(f, REQUESTS[i]);

        scorings[i] = run(f, profiles, &request);
        scorings[i].explain = explain;
    }
    return scorings;
}

static struct lf_ulid
id_of(int i)
{
    struct lf_ulid id = {{0x01, 0x9f, 0, 0, 0, (uint8_t)i, 0x11, 0x22}};

    return id;
}

/* What lf_webhook_put_scores made, stamped; behind a text that was there before. */
static const char *
told(struct fixture *f, enum lf_reply reply, struct lf_scoring *scorings, size_t count, bool many)
{
    struct lf_answer_stamp stamps[LEADS];
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 1 << 20);
    lf_webhook_put_scores(&buf, f->arena, reply, scorings, count, many, NOW_MS, stamps);
    assert_non_null(lf_buf_terminate(&buf));
    for (size_t i = 0; i < count; i++)
        if (stamps[i].id_at > 0)
            lf_answer_stamp(buf.data, &stamps[i], id_of((int)i));
        else
            assert_true(i > 0 && reply == LF_REPLY_HUBSPOT_ACTION && stamps[i].scored_at_at == 0);
    return buf.data;
}

/* The answer of POST /v1/score about the same, recorded under that id. */
static const char *
scored(struct fixture *f, struct lf_scoring *scorings, int i)
{
    struct lf_ulid id = id_of(i);

    return tell(f, &scorings[i], &id);
}

static void
test_scores(void **state)
{
    static const enum lf_explain EXPLAINS[] = {LF_EXPLAIN_FLAT, LF_EXPLAIN_FULL};
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);

    for (int e = 0; e < 2; e++) {
        struct lf_scoring *scorings = score_leads(f, profiles, EXPLAINS[e]);
        enum lf_reply reply = EXPLAINS[e] == LF_EXPLAIN_FLAT ? LF_REPLY_FLAT : LF_REPLY_FULL;
        const char *one = scored(f, scorings, 0), *two = scored(f, scorings, 1), *three = scored(f, scorings, 2);

        assert_true((strstr(one, "\"results\":[{") != NULL) == (reply == LF_REPLY_FULL));
        assert_string_equal(told(f, reply, scorings, 1, false), one);
        assert_string_equal(told(f, reply, scorings, 1, true),
                            lf_arena_printf(f->arena, "{\"count\":1,\"scores\":[%s]}", one));
        assert_string_equal(told(f, reply, scorings, LEADS, true),
                            lf_arena_printf(f->arena, "{\"count\":3,\"scores\":[%s,%s,%s]}", one, two, three));
    }
    lf_profiles_destroy(profiles);
}

static void
test_hubspot_action(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_scoring *scorings = score_leads(f, profiles, LF_EXPLAIN_FLAT);
    const char *flat = scored(f, scorings, 0);
    const char *expected = lf_arena_printf(f->arena, "{\"outputFields\":%.*s,\"hs_execution_state\":\"SUCCESS\"}}",
                                           (int)strlen(flat) - 1, flat);

    assert_string_equal(told(f, LF_REPLY_HUBSPOT_ACTION, scorings, 1, false), expected);
    assert_string_equal(told(f, LF_REPLY_HUBSPOT_ACTION, scorings, LEADS, true), expected); /* the first */
    lf_profiles_destroy(profiles);
}

/* A preview has no ids and stamps nothing. */
static void
test_not_recorded(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_scoring *scorings = score_leads(f, profiles, LF_EXPLAIN_FLAT);
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 1 << 20);
    lf_webhook_put_scores(&buf, f->arena, LF_REPLY_FLAT, scorings, 2, true, NOW_MS, NULL);
    assert_non_null(lf_buf_terminate(&buf));
    assert_string_equal(buf.data, lf_arena_printf(f->arena, "{\"count\":2,\"scores\":[%s,%s]}",
                                                  tell(f, &scorings[0], NULL), tell(f, &scorings[1], NULL)));
    assert_non_null(strstr(buf.data, "{\"id\":\"\",\"lead_id\":\"L-1\""));
    assert_non_null(strstr(buf.data, "\"recorded\":false"));
    lf_profiles_destroy(profiles);
}

/* A buffer that is too small fails and is not touched behind its end. */
static void
test_no_room(void **state)
{
    static const enum lf_reply REPLIES[] = {LF_REPLY_FLAT, LF_REPLY_HUBSPOT_ACTION, LF_REPLY_FULL};
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_scoring *scorings = score_leads(f, profiles, LF_EXPLAIN_FLAT);

    for (size_t max = 0; max < 700; max += 7)
        for (size_t i = 0; i < 3; i++) {
            struct lf_answer_stamp stamps[LEADS];
            struct lf_buf buf;

            lf_buf_init(&buf, f->arena, max);
            lf_webhook_put_scores(&buf, f->arena, REPLIES[i], scorings, LEADS, true, NOW_MS, stamps);
            assert_true(lf_buf_failed(&buf) || REPLIES[i] == LF_REPLY_HUBSPOT_ACTION);
            assert_true(buf.len <= max);
        }
    lf_profiles_destroy(profiles);
}

/* ---- failures ---- */

#define NAMES(...) ((const enum lf_status[]){__VA_ARGS__, LF_OK})

static bool
is_among(enum lf_status status, const enum lf_status *statuses)
{
    while (*statuses != LF_OK && *statuses != status)
        statuses++;
    return *statuses != LF_OK;
}

/* All statuses, by hand: what is excused with 200 would not be sent again, and what is ours must be. */
static void
test_faults(void **state)
{
    const enum lf_status *no_json = NAMES(LF_INVALID_JSON),
                         *no_lead = NAMES(LF_UNMAPPED, LF_INVALID_REQUEST, LF_TOO_MANY_MEMBERS, LF_TOO_DEEP,
                                          LF_NUMBER_OUT_OF_RANGE, LF_BODY_TOO_LARGE, LF_ICP_NOT_FOUND, LF_ICP_ARCHIVED,
                                          LF_NO_ACTIVE_ICP),
                         *no_right =
                             NAMES(LF_BAD_SIGNATURE, LF_UNAUTHORIZED, LF_FORBIDDEN, LF_BAD_REQUEST, LF_KEY_REUSED);

    (void)state;
    for (int i = LF_OK + 1; i < LF_STATUS_COUNT; i++) {
        enum lf_status status = (enum lf_status)i;
        enum lf_webhook_fault fault = is_among(status, no_json)    ? LF_WEBHOOK_NO_JSON
                                      : is_among(status, no_lead)  ? LF_WEBHOOK_NO_LEAD
                                      : is_among(status, no_right) ? LF_WEBHOOK_NO_RIGHT
                                                                   : LF_WEBHOOK_OTHER;
        bool theirs = fault == LF_WEBHOOK_NO_JSON || fault == LF_WEBHOOK_NO_LEAD;

        assert_int_equal(lf_webhook_fault_of(status), fault);
        if (lf_status_http(status) >= 500 || lf_status_http(status) == 429)
            assert_int_equal(fault, LF_WEBHOOK_OTHER);
        for (int crm = 0; crm < LF_CRM_COUNT; crm++)
            for (int reply = LF_REPLY_FLAT; reply <= LF_REPLY_FULL; reply++) {
                bool action = crm == LF_CRM_HUBSPOT && reply == LF_REPLY_HUBSPOT_ACTION;

                assert_int_equal(lf_webhook_is_excused((enum lf_crm)crm, (enum lf_reply)reply, status),
                                 crm == LF_CRM_PIPEDRIVE ? theirs : action && fault == LF_WEBHOOK_NO_LEAD);
            }
    }
}

static void
test_excuses(void **state)
{
    struct fixture *f = *state;
    struct lf_error error;
    struct lf_buf buf, problem;

    (void)lf_fail_at(&error, LF_UNMAPPED, "/3/properties", -1, "no \"field\"\n was found");
    lf_buf_init(&problem, f->arena, 4096);
    lf_problem_put(&problem, &error, "r-1", NULL);
    assert_non_null(lf_buf_terminate(&problem));
    lf_buf_init(&buf, f->arena, 4096);
    lf_webhook_put_excuse(&buf, LF_CRM_PIPEDRIVE, &error, "r-1");
    assert_non_null(lf_buf_terminate(&buf));
    assert_string_equal(
        buf.data, lf_arena_printf(f->arena, "{\"recorded\":false,\"ignored\":\"\",\"problem\":%s}", problem.data));
    assert_non_null(strstr(problem.data, "\"instance\":\"/requests/r-1\",\"code\":\"unmapped\""));
    assert_non_null(strstr(problem.data, "\"pointer\":\"/3/properties\""));

    lf_buf_init(&buf, f->arena, 4096);
    lf_webhook_put_excuse(&buf, LF_CRM_HUBSPOT, &error, "r-1");
    assert_non_null(lf_buf_terminate(&buf));
    assert_non_null(strstr(buf.data, "\"hs_execution_state\":\"FAIL_CONTINUE\",\"error_code\":\"unmapped\","
                                     "\"error_detail\":\"no \\\"field\\\"\\n was found\"}}"));
}

/* An action's outputs are there whatever came out, in the same order and of the same kinds. */
static void
test_outputs_are_always_there(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_scoring *scorings = score_leads(f, profiles, LF_EXPLAIN_FLAT);
    const char *success = told(f, LF_REPLY_HUBSPOT_ACTION, scorings, 1, false);
    const struct lf_json *good = NULL, *bad = NULL;
    struct lf_error error;
    struct lf_buf buf;

    (void)lf_fail(&error, LF_NO_ACTIVE_ICP, "no core ICP is active");
    lf_buf_init(&buf, f->arena, 4096);
    lf_webhook_put_excuse(&buf, LF_CRM_HUBSPOT, &error, "r-1");
    OK(lf_json_parse(f->arena, success, strlen(success), &LF_JSON_DOCUMENT_LIMITS, &good, &f->error));
    OK(lf_json_parse(f->arena, buf.data, buf.len, &LF_JSON_DOCUMENT_LIMITS, &bad, &f->error));
    good = lf_json_first(lf_json_member(good, "outputFields"));
    bad = lf_json_first(lf_json_member(bad, "outputFields"));
    for (; good != NULL; good = lf_json_next(good), bad = lf_json_next(bad)) {
        size_t len = 0;

        assert_string_equal(lf_json_name(bad), lf_json_name(good));
        assert_int_equal(lf_json_kind(bad), lf_json_kind(good));
        if (strcmp(lf_json_name(good), "hs_execution_state") == 0)
            break;
        assert_true(lf_json_kind(bad) != LF_JSON_TEXT || lf_json_text(bad, &len)[0] == '\0');
        assert_true(lf_json_number(bad) == 0 && !lf_json_is_true(bad));
    }
    assert_non_null(good);
    assert_null(lf_json_next(good));
    lf_profiles_destroy(profiles);
}

static void
test_ignored(void **state)
{
    struct fixture *f = *state;
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 4096);
    lf_webhook_put_ignored(&buf, "it \"is\" gone");
    assert_string_equal(lf_buf_terminate(&buf),
                        "{\"recorded\":false,\"ignored\":\"it \\\"is\\\" gone\",\"problem\":{}}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_scores),
        STORE_TEST(test_hubspot_action),
        STORE_TEST(test_not_recorded),
        STORE_TEST(test_no_room),
        STORE_TEST(test_faults),
        STORE_TEST(test_excuses),
        STORE_TEST(test_outputs_are_always_there),
        STORE_TEST(test_ignored),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
