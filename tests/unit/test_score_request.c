/* test_score_request.c - reading what is asked of a scoring: every member, every fault and its place. */
#include "app/scoring.h"
#include "support.h"

enum { FAULTS = 4 };

struct fault {
    const char *pointer, *code;
};

/* ---- what is fine ---- */

static struct lf_score_request
read_fine(struct lf_arena *arena, const char *text, bool with_definition)
{
    struct lf_score_request request;
    struct lf_findings findings;
    struct lf_error error;

    lf_findings_init(&findings, arena);
    if (lf_score_request_read(arena, support_json(arena, text), with_definition, &findings, &request, &error) != LF_OK)
        fail_msg("%s: %s", text, error.detail);
    assert_false(lf_findings_any(&findings));
    return request;
}

/* Only lead is required, and null stands for a member that is not there. */
static void
test_defaults(void **state)
{
    static const char *const TEXTS[] = {
        "{'lead':{}}",
        "{'lead':{},'icps':null,'as_of':null,'explain':null,'record':null}",
        "{'icps':[],'lead':{},'explain':'full','record':true}",
        "{'lead':{'id':null}}",
        "{'lead':{'id':''}}",
    };

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct lf_score_request request = read_fine(*state, TEXTS[i], false);

        assert_int_equal(lf_json_kind(request.lead), LF_JSON_OBJECT);
        assert_string_equal(request.lead_id, "");
        assert_int_equal(request.lead_id_len, 0);
        assert_int_equal(request.icp_count, 0);
        assert_false(request.has_as_of);
        assert_int_equal(request.explain, LF_EXPLAIN_FULL);
        assert_true(request.record);
    }
}

static void
test_everything(void **state)
{
    struct lf_score_request request =
        read_fine(*state,
                  "{'record':false,'explain':'summary','as_of':'2026-06-01T02:00:00.123456+02:00',"
                  "'icps':['b','a-1'],'lead':{'x':1,'id':'L-1'}}",
                  false);

    assert_int_equal(lf_json_number(lf_json_member(request.lead, "x")), 1);
    assert_string_equal(request.lead_id, "L-1");
    assert_int_equal(request.icp_count, 2);
    assert_string_equal(request.icps[0], "b");
    assert_string_equal(request.icps[1], "a-1");
    assert_true(request.has_as_of);
    assert_int_equal(request.as_of_ms, support_ms("2026-06-01T00:00:00.123Z"));
    assert_int_equal(request.explain, LF_EXPLAIN_SUMMARY);
    assert_false(request.record);

    request = read_fine(*state, "{'lead':{},'explain':'none','as_of':'1969-12-31','record':true}", false);
    assert_int_equal(request.explain, LF_EXPLAIN_NONE);
    assert_int_equal(request.as_of_ms, -86400000);
    assert_true(request.record);

    request = read_fine(*state, "{'lead':{},'explain':'none','as_of':'2026-06-01','definition':[1]}", true);
    assert_int_equal(request.explain, LF_EXPLAIN_NONE);
    assert_true(request.has_as_of);
    assert_int_equal(request.icp_count, 0);
}

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define TWO_HUNDRED FIFTY FIFTY FIFTY FIFTY
#define NINES "9999999999" FIFTY "9999999999" FIFTY "9999999999" FIFTY
#define TWO_HUNDRED_DIGITS \
    NINES "7777777777"     \
          "7777777777"

/* 200 characters of more than one byte. */
static char *
wide_text(struct lf_arena *arena, size_t count)
{
    char *text = lf_arena_alloc(arena, count * 4 + 1);

    for (size_t i = 0; i < count; i++)
        memcpy(text + 4 * i, "\xF0\x9F\x99\x82", 4);
    text[count * 4] = '\0';
    return text;
}

static void
test_ids(void **state)
{
    struct lf_arena *arena = *state;
    const char *wide = wide_text(arena, 200);
    const struct {
        const char *json, *text;
    } ROWS[] = {
        {"'L-1'", "L-1"},
        {"' L 1 '", " L 1 "}, /* an id is never changed */
        {"'" TWO_HUNDRED "'", TWO_HUNDRED},
        {lf_arena_printf(arena, "'%s'", wide), wide},
        {"0", "0"},
        {"-0", "0"},
        {"7", "7"},
        {"-12", "-12"},
        {"1.0", "1"}, /* whole, however it is written */
        {"1e3", "1000"},
        {"2.50e1", "25"},
        {"999999999999999", "999999999999999"},
        {"9007199254740993", "9007199254740993"}, /* more digits than a double keeps */
        {"1234567890123456789", "1234567890123456789"},
        {"-1234567890123456789", "-1234567890123456789"},
        {"1e20", "100000000000000000000"},
        {"1" FIFTY, "1" FIFTY},
        {TWO_HUNDRED_DIGITS, TWO_HUNDRED_DIGITS},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_score_request request =
            read_fine(arena, lf_arena_printf(arena, "{'lead':{'id':%s}}", ROWS[i].json), false);

        assert_string_equal(request.lead_id, ROWS[i].text);
        assert_int_equal(request.lead_id_len, strlen(ROWS[i].text));
    }
}

/* ---- what is not ---- */

static void
expect_faults(const char *text, const struct lf_findings *findings, const struct fault *faults)
{
    size_t count = 0;

    while (count < FAULTS && faults[count].code != NULL)
        count++;
    for (size_t i = 0; i < findings->count; i++) {
        if (i >= count)
            fail_msg("%s: not expected: %s at %s", text, findings->items[i].code, findings->items[i].pointer);
        assert_string_equal(findings->items[i].pointer, faults[i].pointer);
        assert_string_equal(findings->items[i].code, faults[i].code);
        assert_true(strlen(findings->items[i].detail) > 10);
    }
    assert_int_equal(findings->count, count);
}

/* The request is refused with just these faults, and nothing is given back. */
static void
refused(struct lf_arena *arena, const char *text, bool with_definition, const struct fault *faults)
{
    struct lf_score_request request = {.icp_count = 12345};
    struct lf_findings findings;
    struct lf_error error;
    char expected[64];
    size_t count = 0;

    lf_findings_init(&findings, arena);
    assert_string_equal(lf_status_word(lf_score_request_read(arena, support_json(arena, text), with_definition,
                                                             &findings, &request, &error)),
                        "invalid_request");
    expect_faults(text, &findings, faults);
    assert_int_equal(request.icp_count, 12345);
    assert_int_equal(error.status, LF_INVALID_REQUEST);
    /* The one sentence counts them and tells the first. */
    count = findings.count + findings.dropped;
    (void)snprintf(expected, sizeof expected, "the request has %zu fault%s, the first at ", count,
                   count == 1 ? "" : "s");
    assert_memory_equal(error.detail, expected, strlen(expected));
    assert_non_null(strstr(error.detail, findings.items[0].pointer));
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        struct fault faults[FAULTS];
    } ROWS[] = {
        /* the whole */
        {"[]", {{"", "wrong_type"}}},
        {"null", {{"", "wrong_type"}}},
        {"'lead'", {{"", "wrong_type"}}},
        {"{}", {{"/lead", "required"}}},
        {"{'lead':{},'extra':1}", {{"/extra", "unknown_member"}}},
        {"{'lead':{},'a/b~c':1}", {{"/a~1b~0c", "unknown_member"}}},
        {"{'lead':{},'definition':{}}", {{"/definition", "unknown_member"}}},
        {"{'lead':{},'line':1}", {{"/line", "unknown_member"}}},
        /* lead */
        {"{'lead':null}", {{"/lead", "wrong_type"}}},
        {"{'lead':[]}", {{"/lead", "wrong_type"}}},
        {"{'lead':'x'}", {{"/lead", "wrong_type"}}},
        /* lead.id */
        {"{'lead':{'id':true}}", {{"/lead/id", "wrong_type"}}},
        {"{'lead':{'id':'a\\u0000b'}}", {{"/lead/id", "invalid_value"}}}, /* no URL could hold it */
        {"{'lead':{'id':{}}}", {{"/lead/id", "wrong_type"}}},
        {"{'lead':{'id':[1]}}", {{"/lead/id", "wrong_type"}}},
        {"{'lead':{'id':1.5}}", {{"/lead/id", "out_of_range"}}},
        {"{'lead':{'id':1e-3}}", {{"/lead/id", "out_of_range"}}},
        {"{'lead':{'id':1e21}}", {{"/lead/id", "out_of_range"}}},
        {"{'lead':{'id':-1e300}}", {{"/lead/id", "out_of_range"}}},
        {"{'lead':{'id':1" TWO_HUNDRED "}}", {{"/lead/id", "out_of_range"}}},
        {"{'lead':{'id':-" TWO_HUNDRED_DIGITS "}}", {{"/lead/id", "out_of_range"}}},
        {"{'lead':{'id':'x" TWO_HUNDRED "'}}", {{"/lead/id", "too_many"}}},
        /* icps */
        {"{'lead':{},'icps':'a'}", {{"/icps", "wrong_type"}}},
        {"{'lead':{},'icps':{}}", {{"/icps", "wrong_type"}}},
        {"{'lead':{},'icps':false}", {{"/icps", "wrong_type"}}},
        {"{'lead':{},'icps':[1]}", {{"/icps/0", "wrong_type"}}},
        {"{'lead':{},'icps':['a',null]}", {{"/icps/1", "wrong_type"}}},
        {"{'lead':{},'icps':['']}", {{"/icps/0", "invalid_key"}}},
        {"{'lead':{},'icps':['a','B']}", {{"/icps/1", "invalid_key"}}},
        {"{'lead':{},'icps':['-a','a b']}", {{"/icps/0", "invalid_key"}, {"/icps/1", "invalid_key"}}},
        {"{'lead':{},'icps':['a','b','a']}", {{"/icps/2", "duplicate"}}},
        {"{'lead':{},'icps':['a','a','b','a']}", {{"/icps/1", "duplicate"}, {"/icps/3", "duplicate"}}},
        {"{'lead':{},'icps':['A','A']}", {{"/icps/0", "invalid_key"}, {"/icps/1", "invalid_key"}}},
        /* as_of */
        {"{'lead':{},'as_of':'yesterday'}", {{"/as_of", "invalid_date"}}},
        {"{'lead':{},'as_of':''}", {{"/as_of", "invalid_date"}}},
        {"{'lead':{},'as_of':'2026-02-29'}", {{"/as_of", "invalid_date"}}},
        {"{'lead':{},'as_of':1780000000}", {{"/as_of", "wrong_type"}}},
        {"{'lead':{},'as_of':[]}", {{"/as_of", "wrong_type"}}},
        {"{'lead':{},'as_of':false}", {{"/as_of", "wrong_type"}}},
        /* explain */
        {"{'lead':{},'explain':'Full'}", {{"/explain", "invalid_value"}}},
        {"{'lead':{},'explain':''}", {{"/explain", "invalid_value"}}},
        {"{'lead':{},'explain':'full\\u0000'}", {{"/explain", "invalid_value"}}},
        {"{'lead':{},'explain':true}", {{"/explain", "wrong_type"}}},
        /* record */
        {"{'lead':{},'record':'true'}", {{"/record", "wrong_type"}}},
        {"{'lead':{},'record':1}", {{"/record", "wrong_type"}}},
        {"{'lead':{},'record':[]}", {{"/record", "wrong_type"}}},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        refused(*state, ROWS[i].text, false, ROWS[i].faults);
}

static void
test_every_fault_at_once(void **state)
{
    static const struct {
        const char *pointer, *code;
    } EXPECTED[] = {
        {"/led", "unknown_member"}, {"/lead", "required"},    {"/as_of", "wrong_type"},
        {"/explain", "wrong_type"}, {"/icps/1", "duplicate"}, {"/record", "wrong_type"},
    };
    struct lf_score_request request;
    struct lf_findings findings;
    struct lf_error error;

    lf_findings_init(&findings, *state);
    assert_int_equal(lf_score_request_read(*state,
                                           support_json(*state, "{'led':{},'as_of':0,'explain':0,'icps':['x','x'],"
                                                                "'record':0}"),
                                           false, &findings, &request, &error),
                     LF_INVALID_REQUEST);
    assert_int_equal(findings.count, sizeof EXPECTED / sizeof *EXPECTED);
    for (size_t i = 0; i < findings.count; i++) {
        assert_string_equal(findings.items[i].pointer, EXPECTED[i].pointer);
        assert_string_equal(findings.items[i].code, EXPECTED[i].code);
    }
    assert_non_null(strstr(findings.items[0].detail, "did you mean lead?"));
    assert_non_null(strstr(error.detail, "has 6 faults, the first at /led: "));
}

/* For an explanation with a definition: it is a member, icps and record are not. */
static void
test_refused_with_definition(void **state)
{
    static const struct {
        const char *text;
        struct fault faults[FAULTS];
    } ROWS[] = {
        {"{'definition':{}}", {{"/lead", "required"}}},
        {"{'definition':{},'lead':{},'icps':[]}", {{"/icps", "unknown_member"}}},
        {"{'definition':{},'lead':{},'record':false}", {{"/record", "unknown_member"}}},
        {"{'definition':{},'lead':{},'icps':null}", {{"/icps", "unknown_member"}}},
        {"{'definition':{},'lead':{},'as_of':0}", {{"/as_of", "wrong_type"}}},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        refused(*state, ROWS[i].text, true, ROWS[i].faults);
}

/* ---- limits ---- */

/* {'lead':{'id':'x', …members}, 'icps':[…keys]} */
static const char *
sized(struct lf_arena *arena, size_t members, size_t elements, size_t icps)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 22);
    lf_buf_lit(&buf, "{'lead':{'id':'x','list':[");
    for (size_t i = 0; i < elements; i++)
        lf_buf_text(&buf, i > 0 ? ",0" : "0");
    lf_buf_lit(&buf, "],'more':{");
    for (size_t i = 3; i < members; i++) /* id, list and more are three */
        lf_buf_printf(&buf, "%s'm%zu':0", i > 3 ? "," : "", i);
    lf_buf_lit(&buf, "}},'icps':[");
    for (size_t i = 0; i < icps; i++)
        lf_buf_printf(&buf, "%s'k%zu'", i > 0 ? "," : "", i);
    lf_buf_lit(&buf, "]}");
    assert_non_null(lf_buf_terminate(&buf));
    return buf.data;
}

static void
test_limits(void **state)
{
    static const struct {
        size_t members, elements, icps;
        enum lf_status status;
        const char *pointer; /* of the error, or of the only finding */
    } ROWS[] = {
        {500, 10000, LF_ICPS_NAMED_MAX, LF_OK, ""},
        {501, 0, 0, LF_TOO_MANY_MEMBERS, "/lead"},
        {3, 10001, 0, LF_TOO_MANY_MEMBERS, "/lead"},
        {3, 0, LF_ICPS_NAMED_MAX + 1, LF_INVALID_REQUEST, "/icps"},
    };
    struct lf_arena *arena = *state;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_score_request request;
        struct lf_findings findings;
        struct lf_error error = {.pointer = ""};

        lf_findings_init(&findings, arena);
        assert_string_equal(
            lf_status_word(lf_score_request_read(
                arena, support_json(arena, sized(arena, ROWS[i].members, ROWS[i].elements, ROWS[i].icps)), false,
                &findings, &request, &error)),
            lf_status_word(ROWS[i].status));
        if (ROWS[i].status == LF_OK) {
            assert_int_equal(request.icp_count, LF_ICPS_NAMED_MAX);
            assert_string_equal(request.icps[LF_ICPS_NAMED_MAX - 1], "k999");
        } else if (ROWS[i].status == LF_INVALID_REQUEST) {
            assert_int_equal(findings.count, 1);
            assert_string_equal(findings.items[0].pointer, ROWS[i].pointer);
            assert_string_equal(findings.items[0].code, "too_many");
        } else {
            assert_string_equal(error.pointer, ROWS[i].pointer);
        }
    }
}

/* One key a thousand times: a fault for each repetition and not for each pair, whatever memory a request has. */
static void
test_many_duplicates(void **state)
{
    struct lf_arena *arena = lf_arena_create(65536, 4 << 20);
    struct lf_score_request request;
    struct lf_findings findings;
    struct lf_error error;
    struct lf_buf buf;

    lf_buf_init(&buf, *state, 1 << 20);
    lf_buf_lit(&buf, "{'lead':{},'icps':['same'");
    for (int i = 1; i < LF_ICPS_NAMED_MAX; i++)
        lf_buf_lit(&buf, ",'same'");
    lf_buf_lit(&buf, "]}");
    assert_non_null(lf_buf_terminate(&buf));
    lf_findings_init(&findings, arena);
    assert_string_equal(lf_status_word(lf_score_request_read(arena, support_json(*state, buf.data), false, &findings,
                                                             &request, &error)),
                        "invalid_request");
    assert_int_equal(findings.count, LF_FINDINGS_MAX);
    assert_int_equal(findings.dropped, LF_ICPS_NAMED_MAX - 1 - LF_FINDINGS_MAX);
    assert_non_null(strstr(error.detail, "has 999 faults, the first at /icps/1: "));
    lf_arena_destroy(arena);
}

/* Where memory ends, wherever that is, the request is refused for that and not for something else. */
static void
test_out_of_memory(void **state)
{
    static const char *const TEXTS[] = {
        "{'lead':{'id':12},'icps':['a','b'],'as_of':'2026-06-01'}",
        "{'lead':{'id':true},'icps':['a','a'],'as_of':'x','unknown':1}",
    };

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        const struct lf_json *body = support_json(*state, TEXTS[i]);
        bool fitted = false;

        for (size_t room = 16; !fitted; room += 16) {
            struct lf_arena *arena = lf_arena_create(16, room);
            struct lf_score_request request;
            struct lf_findings findings;
            struct lf_error error;
            enum lf_status status = LF_OK;

            lf_findings_init(&findings, arena);
            status = lf_score_request_read(arena, body, false, &findings, &request, &error);
            assert_int_equal(status != LF_OK && error.status != status, 0);
            fitted = status == (i == 0 ? LF_OK : LF_INVALID_REQUEST);
            if (!fitted)
                assert_string_equal(lf_status_word(status), "out_of_memory");
            lf_arena_destroy(arena);
        }
    }
}

/* ---- a lead by itself ---- */

static void
test_lead_alone(void **state)
{
    static const struct {
        const char *lead, *member;
        enum lf_status status;
        const char *id; /* or the pointer of the fault */
    } ROWS[] = {
        {"{'id':17,'x':1}", "", LF_OK, "17"},
        {"{'x':1}", "lead", LF_OK, ""},
        {"[]", "", LF_INVALID_REQUEST, ""},
        {"{'id':[]}", "", LF_INVALID_REQUEST, "/id"},
        {"{'id':0.5}", "lead", LF_INVALID_REQUEST, "/lead/id"},
        {"7", "lead", LF_INVALID_REQUEST, "/lead"},
    };
    struct lf_arena *arena = *state;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_json *lead = support_json(arena, ROWS[i].lead);
        struct lf_score_request request = {.explain = LF_EXPLAIN_NONE, .icp_count = 3};
        struct lf_findings findings;
        struct lf_error error;

        lf_findings_init(&findings, arena);
        assert_int_equal(lf_score_request_lead(arena, lead, ROWS[i].member, &findings, &request, &error),
                         ROWS[i].status);
        /* The rest of the request is the caller's. */
        assert_int_equal(request.explain, LF_EXPLAIN_NONE);
        assert_int_equal(request.icp_count, 3);
        if (ROWS[i].status == LF_OK) {
            assert_ptr_equal(request.lead, lead);
            assert_string_equal(request.lead_id, ROWS[i].id);
            continue;
        }
        assert_int_equal(findings.count, 1);
        assert_string_equal(findings.items[0].pointer, ROWS[i].id);
    }
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        SUPPORT_TEST(test_defaults),
        SUPPORT_TEST(test_everything),
        SUPPORT_TEST(test_ids),
        SUPPORT_TEST(test_refused),
        SUPPORT_TEST(test_every_fault_at_once),
        SUPPORT_TEST(test_refused_with_definition),
        SUPPORT_TEST(test_limits),
        SUPPORT_TEST(test_many_duplicates),
        SUPPORT_TEST(test_out_of_memory),
        SUPPORT_TEST(test_lead_alone),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
