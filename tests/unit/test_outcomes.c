/* test_outcomes.c - outcomes: read from JSON with every fault, and noted line by line in slices. */
#include "app/outcomes.h"
#include "app_fixture.h"

#include <inttypes.h>

enum { FAULTS = 4 };

static const int64_t NOW_MS = 1780000000000;

/* ---- reading one ---- */

static enum lf_status
read_one(struct lf_arena *arena, const char *text, struct lf_findings *findings, struct lf_stored_outcome *ret_outcome)
{
    struct lf_error error;

    lf_findings_init(findings, arena);
    return lf_outcome_read(arena, support_json(arena, text), NOW_MS, findings, ret_outcome, &error);
}

static void
test_what_is_read(void **state)
{
    static const struct {
        const char *text, *lead_id;
        enum lf_outcome_word outcome;
        int64_t value;  /* millionths */
        const char *at; /* NULL: now */
    } ROWS[] = {
        {"{'lead_id':'a','outcome':'won'}", "a", LF_OUTCOME_WON, 0, NULL},
        {"{'outcome':'lost','lead_id':7}", "7", LF_OUTCOME_LOST, 0, NULL},
        {"{'lead_id':'a','outcome':'open','value':null,'at':null}", "a", LF_OUTCOME_OPEN, 0, NULL},
        {"{'lead_id':12345678901234567890,'outcome':'won'}", "12345678901234567890", LF_OUTCOME_WON, 0, NULL},
        {"{'lead_id':'a','outcome':'won','value':12000}", "a", LF_OUTCOME_WON, INT64_C(12000000000), NULL},
        {"{'lead_id':'a','outcome':'won','value':0.000001}", "a", LF_OUTCOME_WON, 1, NULL},
        {"{'lead_id':'a','outcome':'won','value':0.1}", "a", LF_OUTCOME_WON, 100000, NULL},
        {"{'lead_id':'a','outcome':'won','value':-0.0}", "a", LF_OUTCOME_WON, 0, NULL},
        {"{'lead_id':'a','outcome':'won','value':1e12}", "a", LF_OUTCOME_WON, INT64_C(1000000000000000000), NULL},
        /* Beyond what lf_number_to_scaled can hold, and exact all the same. */
        {"{'lead_id':'a','outcome':'won','value':99999999999.123456}", "a", LF_OUTCOME_WON, INT64_C(99999999999123460),
         NULL}, /* the nearest double's shortest form: ….12346 */
        {"{'lead_id':'a','outcome':'won','value':999999999999.125}", "a", LF_OUTCOME_WON, INT64_C(999999999999125000),
         NULL},
        {"{'lead_id':'a','outcome':'won','at':'2026-01-31'}", "a", LF_OUTCOME_WON, 0, "2026-01-31"},
        {"{'lead_id':'a','outcome':'won','at':'2026-01-31T09:30:00.123999+01:00'}", "a", LF_OUTCOME_WON, 0,
         "2026-01-31T08:30:00.123Z"},
        {"{'lead_id':'a','outcome':'won','at':'2026-05-29T20:26:40Z'}", "a", LF_OUTCOME_WON,
         0, /* just not a day ahead */
         "2026-05-29T20:26:40Z"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_stored_outcome outcome;
        struct lf_findings findings;

        if (read_one(*state, ROWS[i].text, &findings, &outcome) != LF_OK)
            fail_msg("%s: %s", ROWS[i].text, findings.items[0].detail);
        assert_string_equal(outcome.lead_id, ROWS[i].lead_id);
        assert_int_equal(outcome.lead_id_len, strlen(ROWS[i].lead_id));
        assert_int_equal(outcome.outcome, ROWS[i].outcome);
        if (outcome.value != ROWS[i].value)
            fail_msg("%s: %" PRId64 " millionths, not %" PRId64, ROWS[i].text, outcome.value, ROWS[i].value);
        assert_int_equal(outcome.at_ms, ROWS[i].at != NULL ? support_ms(ROWS[i].at) : NOW_MS);
    }
}

static void
test_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        struct {
            const char *pointer, *code;
        } faults[FAULTS];
    } ROWS[] = {
        {"{}", {{"/lead_id", "required"}, {"/outcome", "required"}}},
        {"[]", {{"", "wrong_type"}}},
        {"'won'", {{"", "wrong_type"}}},
        {"{'lead_id':null,'outcome':null}", {{"/lead_id", "wrong_type"}, {"/outcome", "wrong_type"}}},
        {"{'lead_id':'','outcome':'won'}", {{"/lead_id", "too_few"}}},
        {"{'lead_id':1.5,'outcome':'Won'}", {{"/lead_id", "out_of_range"}, {"/outcome", "invalid_value"}}},
        {"{'lead_id':'a\\u0000b','outcome':'won'}", {{"/lead_id", "invalid_value"}}},
        {"{'lead_id':true,'outcome':['won']}", {{"/lead_id", "wrong_type"}, {"/outcome", "wrong_type"}}},
        {"{'lead_id':'a','outcome':'won','value':-0.01}", {{"/value", "out_of_range"}}},
        {"{'lead_id':'a','outcome':'won','value':1000000000000.5}", {{"/value", "out_of_range"}}},
        {"{'lead_id':'a','outcome':'won','value':'1'}", {{"/value", "wrong_type"}}},
        {"{'lead_id':'a','outcome':'won','value':0.1234567}", {{"/value", "too_many_places"}}},
        {"{'lead_id':'a','outcome':'won','value':1e-7}", {{"/value", "too_many_places"}}},
        {"{'lead_id':'a','outcome':'won','at':5}", {{"/at", "wrong_type"}}},
        {"{'lead_id':'a','outcome':'won','at':'2026-02-30'}", {{"/at", "invalid_date"}}},
        {"{'lead_id':'a','outcome':'won','at':'2026-05-29T20:26:40.001Z'}",
         {{"/at", "invalid_value"}}}, /* a day ahead */
        {"{'value':[],'at':'','stage':'x'}",
         {{"/stage", "unknown_member"}, {"/lead_id", "required"}, {"/outcome", "required"}, {"/value", "wrong_type"}}},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_stored_outcome outcome;
        struct lf_findings findings;

        assert_int_equal(read_one(*state, ROWS[i].text, &findings, &outcome), LF_INVALID_REQUEST);
        for (size_t at = 0; at < FAULTS && ROWS[i].faults[at].code != NULL; at++) {
            if (at >= findings.count)
                fail_msg("%s: %zu faults only", ROWS[i].text, findings.count);
            assert_string_equal(findings.items[at].pointer, ROWS[i].faults[at].pointer);
            assert_string_equal(findings.items[at].code, ROWS[i].faults[at].code);
        }
    }
}

/* ---- noting ---- */

struct noting {
    struct fixture *f;
    struct lf_catalog *catalog;
    struct lf_ledger *ledger;
    struct lf_recorder *recorder;
    struct lf_error error;
};

static void
start(struct noting *noting, void **state)
{
    struct lf_recorder_options options = {.queue = 16, .batch = 16};

    noting->f = *state;
    noting->catalog = lf_catalog_create();
    assert_non_null(noting->catalog);
    if (lf_ledger_create(noting->f->store, noting->catalog, &noting->ledger, &noting->error) != LF_OK ||
        lf_recorder_start(noting->f->store, &options, &noting->recorder, &noting->error) != LF_OK)
        fail_msg("%s", noting->error.detail);
}

static void
stop(struct noting *noting)
{
    lf_recorder_stop(noting->recorder);
    lf_ledger_destroy(noting->ledger);
    lf_catalog_destroy(noting->catalog);
}

static const char *
noted(struct noting *noting, const char *lead_id)
{
    static const char *const WORDS[] = {
        [LF_OUTCOME_OPEN] = "open", [LF_OUTCOME_WON] = "won", [LF_OUTCOME_LOST] = "lost"};
    struct lf_stored_outcome outcome;
    bool found = false;

    if (lf_store_outcome(noting->f->reader, lead_id, strlen(lead_id), &found, &outcome, &noting->error) != LF_OK)
        fail_msg("%s", noting->error.detail);
    return found ? WORDS[outcome.outcome] : "";
}

static struct lf_outcomes_report
put_lines(struct noting *noting, const char *text)
{
    struct lf_outcomes_report report;
    const char *quoted = support_quoted(noting->f->arena, text);

    if (lf_outcomes_put_lines(noting->recorder, noting->ledger, noting->f->arena, quoted, strlen(quoted), NOW_MS,
                              &report, &noting->error) != LF_OK)
        fail_msg("%s", noting->error.detail);
    return report;
}

static void
test_lines(void **state)
{
    struct noting noting;
    struct lf_outcomes_report report;

    start(&noting, state);
    report = put_lines(&noting, "\n  \t\n{'lead_id':'a','outcome':'won'}\r\n\r\n{'lead_id':'b'}\n{,\n"
                                "{'lead_id':'c','outcome':'lost','value':-1,'at':1}\n{'lead_id':'d','outcome':'open'}");
    assert_int_equal(report.accepted, 2);
    assert_int_equal(report.refused, 3);
    assert_int_equal(report.fault_count, 3);
    assert_int_equal(report.faults[0].line, 5);
    assert_string_equal(report.faults[0].code, "required");
    assert_string_equal(report.faults[0].pointer, "/outcome");
    assert_int_equal(report.faults[1].line, 6);
    assert_string_equal(report.faults[1].code, "invalid_json");
    assert_int_equal(report.faults[2].line, 7);
    assert_string_equal(report.faults[2].code, "out_of_range");
    assert_non_null(strstr(report.faults[2].detail, "1 more fault in this line"));
    assert_string_equal(noted(&noting, "a"), "won");
    assert_string_equal(noted(&noting, "b"), "");
    assert_string_equal(noted(&noting, "c"), "");
    assert_string_equal(noted(&noting, "d"), "open");
    report = put_lines(&noting, "");
    assert_int_equal(report.accepted + report.refused + report.fault_count, 0);
    stop(&noting);
}

/* More than fit one slice, with bad lines at its edges; of one lead the last line counts. */
static void
test_slices(void **state)
{
    enum { LINES = 3 * LF_OUTCOMES_SLICE + 1 };
    struct noting noting;
    struct lf_outcomes_report report;
    struct lf_buf text;

    start(&noting, state);
    lf_buf_init(&text, noting.f->arena, 1 << 20);
    for (int i = 0; i < LINES; i++) {
        if (i % LF_OUTCOMES_SLICE == 0)
            lf_buf_lit(&text, "no\n");
        lf_buf_printf(&text, "{'lead_id':'%d','outcome':'won'}\n", i);
    }
    lf_buf_lit(&text, "{'lead_id':'0','outcome':'lost'}\n");
    report = put_lines(&noting, lf_buf_terminate(&text));
    assert_int_equal(report.accepted, LINES + 1);
    assert_int_equal(report.refused, 4);
    assert_string_equal(noted(&noting, "0"), "lost");
    assert_string_equal(noted(&noting, "1"), "won");
    for (int at = LF_OUTCOMES_SLICE; at < LINES; at += LF_OUTCOMES_SLICE) { /* about the edges */
        assert_string_equal(noted(&noting, lf_arena_printf(noting.f->arena, "%d", at - 1)), "won");
        assert_string_equal(noted(&noting, lf_arena_printf(noting.f->arena, "%d", at)), "won");
    }
    stop(&noting);
}

/* What is told has an end, what is counted has none. */
static void
test_faults_are_bounded(void **state)
{
    struct noting noting;
    struct lf_outcomes_report report;
    struct lf_buf text;

    start(&noting, state);
    lf_buf_init(&text, noting.f->arena, 1 << 20);
    for (int i = 0; i < LF_OUTCOMES_ERRORS_MAX + 5; i++)
        lf_buf_lit(&text, "x\n");
    lf_buf_lit(&text, "{'lead_id':'last','outcome':'won'}");
    report = put_lines(&noting, lf_buf_terminate(&text));
    assert_int_equal(report.refused, LF_OUTCOMES_ERRORS_MAX + 5);
    assert_int_equal(report.fault_count, LF_OUTCOMES_ERRORS_MAX);
    assert_int_equal(report.accepted, 1);
    assert_string_equal(noted(&noting, "last"), "won");
    stop(&noting);
}

static void
test_a_line_that_is_too_long(void **state)
{
    struct noting noting;
    struct lf_outcomes_report report;
    struct lf_buf text;

    start(&noting, state);
    lf_buf_init(&text, noting.f->arena, 1 << 20);
    lf_buf_lit(&text, "{'lead_id':'fits','outcome':'won'");
    while (text.len < LF_OUTCOME_LINE_MAX - 1)
        lf_buf_lit(&text, " ");
    lf_buf_lit(&text, "}\n{'lead_id':'long','outcome':'won'");
    while (text.len < 2 * LF_OUTCOME_LINE_MAX + 1)
        lf_buf_lit(&text, " ");
    lf_buf_lit(&text, "}\n");
    report = put_lines(&noting, lf_buf_terminate(&text));
    assert_int_equal(report.accepted, 1);
    assert_int_equal(report.fault_count, 1);
    assert_int_equal(report.faults[0].line, 2);
    assert_string_equal(report.faults[0].code, "body_too_large");
    assert_string_equal(noted(&noting, "fits"), "won");
    assert_string_equal(noted(&noting, "long"), "");
    stop(&noting);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_what_is_read), SUPPORT_TEST(test_what_is_wrong),    STORE_TEST(test_lines),
        STORE_TEST(test_slices),         STORE_TEST(test_faults_are_bounded), STORE_TEST(test_a_line_that_is_too_long),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
