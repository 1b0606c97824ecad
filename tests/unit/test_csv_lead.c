/* test_csv_lead.c - rows as leads. The first record of each input is the header, the last one the row. */
#include "base/csv_lead.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lf_arena *arena;

static int
setup(void **state)
{
    (void)state;
    lf_json_setup();
    arena = lf_arena_create(1 << 16, 1 << 22);
    return arena != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    lf_arena_destroy(arena);
    return 0;
}

/* Reads the header, and the row if there is one. */
static enum lf_status
read_lead(const char *text, struct lf_arena *where, struct lf_csv_plan **ret_plan, const struct lf_json **ret_lead,
          struct lf_error *error)
{
    struct lf_csv *csv = lf_csv_create(NULL);
    struct lf_csv_record record;
    enum lf_status status = LF_OK;

    assert_non_null(csv);
    lf_csv_feed(csv, text, strlen(text));
    lf_csv_finish(csv);
    assert_int_equal(lf_csv_next(csv, &record, error), LF_CSV_RECORD);
    status = lf_csv_plan_create(&record, ret_plan, error);
    if (status == LF_OK && lf_csv_next(csv, &record, error) == LF_CSV_RECORD)
        status = lf_csv_plan_lead(*ret_plan, &record, where, ret_lead, error);
    lf_csv_destroy(csv);
    return status;
}

static const struct {
    const char *what, *text, *lead;
} LEADS[] = {
    {"flat", "id,name\n7,Acme", "{\"id\":\"7\",\"name\":\"Acme\"}"},
    {"nested", "id,company.name,company.hq.city\n7,Acme,Ulm",
     "{\"id\":\"7\",\"company\":{\"name\":\"Acme\",\"hq\":{\"city\":\"Ulm\"}}}"},
    {"an empty cell is no field", "a,b,c\n1,,3", "{\"a\":\"1\",\"c\":\"3\"}"},
    {"an object without fields is none", "a.b,a.c,d.e\n,,5", "{\"d\":{\"e\":\"5\"}}"},
    {"all empty", "a,b.c\n,", "{}"},
    {"columns of an object apart", "x.a,y,x.b\n1,2,3", "{\"x\":{\"a\":\"1\",\"b\":\"3\"},\"y\":\"2\"}"},
    {"members stand as the columns do", "b,a,d.z,d.y\n1,2,3,4",
     "{\"b\":\"1\",\"a\":\"2\",\"d\":{\"z\":\"3\",\"y\":\"4\"}}"},
    {"… also where the first is empty", "d.z,a,d.y\n,2,4", "{\"a\":\"2\",\"d\":{\"y\":\"4\"}}"},
    {"names are trimmed, values are not", " a ,\xC2\xA0 b\n 1 , 2", "{\"a\":\" 1 \",\"b\":\" 2\"}"},
    {"a space within a name", "Lead Source,No of visits\nweb,3", "{\"Lead Source\":\"web\",\"No of visits\":\"3\"}"},
    {"values are texts", "n,t,z\n12,true,null", "{\"n\":\"12\",\"t\":\"true\",\"z\":\"null\"}"},
    {"case tells names apart", "a,A\n1,2", "{\"a\":\"1\",\"A\":\"2\"}"},
    {"a name is a beginning of another", "comp,company.name,comp-x\n1,2,3",
     "{\"comp\":\"1\",\"company\":{\"name\":\"2\"},\"comp-x\":\"3\"}"},
    {"quotes and line ends", "a\n\"say \"\"hi\"\"\n!\"", "{\"a\":\"say \\\"hi\\\"\\n!\"}"},
    {"one name below objects of several depths", "a.b.c,a.d,b.c\n1,2,3",
     "{\"a\":{\"b\":{\"c\":\"1\"},\"d\":\"2\"},\"b\":{\"c\":\"3\"}}"},
};

static void
test_leads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LEADS / sizeof LEADS[0]; i++) {
        struct lf_csv_plan *plan = NULL;
        const struct lf_json *lead = NULL;
        struct lf_error error;
        struct lf_buf buf;

        if (read_lead(LEADS[i].text, arena, &plan, &lead, &error) != LF_OK)
            fail_msg("%s: %s", LEADS[i].what, error.detail);
        lf_csv_plan_destroy(plan); /* the lead does not need it */
        lf_buf_init(&buf, NULL, 10000);
        lf_json_put_tree(&buf, lead);
        assert_string_equal(lf_buf_terminate(&buf), LEADS[i].lead);
        lf_buf_finish(&buf);
        lf_arena_reset(arena);
    }
}

#define DEEP16 "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p."

static const struct {
    const char *what, *text;
    const char *detail;
} REFUSED[] = {
    {"a name twice", "a,b,a\n1,2,3", "the header has the column 'a' twice"},
    {"a name twice, once trimmed", "a,b, a\n1,2,3", "the header has the column 'a' twice"},
    {"a nested name twice", "a.b,c,a.b", "the header has the column 'a.b' twice"},
    {"no name", "a,,b", "column 2 has no name in the header"},
    {"no name at the end", "a,b,", "column 3 has no name in the header"},
    {"a name of spaces", "a, ,b", "column 2 has no name in the header"},
    {"a value and an object", "company,company.name",
     "the header has 'company' beside 'company.name': a field is either a value or has fields below it"},
    {"an object and a value", "x.y.z,company,x.y",
     "the header has 'x.y' beside 'x.y.z': a field is either a value or has fields below it"},
    {"… with others between them in the alphabet", "a,a-b,a b,a!,a.b",
     "the header has 'a' beside 'a.b': a field is either a value or has fields below it"},
    {"a dot at the end", "Nr.,b",
     "column 1, 'Nr.': a dot separates names, and one beside it is empty; rename the column"},
    {"a dot at the beginning", ".a",
     "column 1, '.a': a dot separates names, and one beside it is empty; rename the column"},
    {"two dots", "x,a..b", "column 2, 'a..b': a dot separates names, and one beside it is empty; rename the column"},
    {"too deep", DEEP16 DEEP16 DEEP16 DEEP16 "x",
     "column 1, '" DEEP16 DEEP16 DEEP16 "a.b.…', is nested more than 64 deep"},
    {"too few cells", "a,b,c\n1,2", "the row has 2 cells, the header 3"},
    {"one cell", "a,b,c\n1", "the row has 1 cell, the header 3"},
    {"too many cells", "a,b\n1,2,", "the row has 3 cells, the header 2"},
};

static void
test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        struct lf_csv_plan *plan = NULL;
        const struct lf_json *lead = NULL;
        struct lf_error error = {.detail = ""};

        if (read_lead(REFUSED[i].text, arena, &plan, &lead, &error) != LF_INVALID_CSV)
            fail_msg("%s: read", REFUSED[i].what);
        assert_string_equal(error.detail, REFUSED[i].detail);
        assert_null(lead);
        lf_csv_plan_destroy(plan);
        lf_arena_reset(arena);
    }
}

static void
test_deepest(void **state)
{
    struct lf_csv_plan *plan = NULL;
    const struct lf_json *lead = NULL;
    struct lf_error error;
    size_t depth = 0;

    (void)state;
    assert_int_equal(read_lead(DEEP16 DEEP16 DEEP16 "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p\n1", arena, &plan, &lead, &error),
                     LF_OK);
    for (; lf_json_kind(lead) == LF_JSON_OBJECT; lead = lf_json_first(lead))
        depth++;
    assert_int_equal(depth, LF_JSON_LEAD_LIMITS.depth);
    lf_csv_plan_destroy(plan);
    lf_arena_reset(arena);
}

/* 500 fields are a lead, 501 are too many; columns that are empty do not count, objects do. */
static void
test_too_many_members(void **state)
{
    static const struct {
        int columns, filled;
        const char *prefix;
        enum lf_status status;
    } CASES[] = {
        {500, 500, "", LF_OK},   {501, 501, "", LF_TOO_MANY_MEMBERS},   {501, 500, "", LF_OK},
        {499, 499, "o.", LF_OK}, {500, 500, "o.", LF_TOO_MANY_MEMBERS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct lf_csv_plan *plan = NULL;
        const struct lf_json *lead = NULL;
        struct lf_error error;
        struct lf_buf buf;

        lf_buf_init(&buf, NULL, 100000);
        for (int j = 0; j < CASES[i].columns; j++)
            lf_buf_printf(&buf, "%s%sn%d", j > 0 ? "," : "", CASES[i].prefix, j);
        lf_buf_char(&buf, '\n');
        for (int j = 0; j < CASES[i].columns; j++)
            lf_buf_printf(&buf, "%s%s", j > 0 ? "," : "", j < CASES[i].filled ? "1" : "");
        assert_int_equal(read_lead(lf_buf_terminate(&buf), arena, &plan, &lead, &error), CASES[i].status);
        if (CASES[i].status == LF_OK)
            assert_int_equal(lf_json_check_lead_size(lead, "", &error), LF_OK); /* judged as the JSON door does */
        lf_csv_plan_destroy(plan);
        lf_arena_reset(arena);
        lf_buf_finish(&buf);
    }
}

static void
test_plan(void **state)
{
    struct lf_csv_plan *plan = NULL;
    const struct lf_json *lead = NULL;
    struct lf_error error;

    (void)state;
    assert_int_equal(read_lead(" id ,company.name", arena, &plan, &lead, &error), LF_OK);
    assert_int_equal(lf_csv_plan_columns(plan), 2);
    assert_string_equal(lf_csv_plan_name(plan, 0), "id");
    assert_string_equal(lf_csv_plan_name(plan, 1), "company.name");
    lf_csv_plan_destroy(plan);
    lf_csv_plan_destroy(NULL);
}

/* Wherever memory runs out, it is told. */
static void
test_out_of_memory(void **state)
{
    bool done = false;

    (void)state;
    for (size_t max = 16; !done; max += 16) {
        struct lf_arena *small = lf_arena_create(16, max);
        struct lf_csv_plan *plan = NULL;
        const struct lf_json *lead = NULL;
        struct lf_error error;
        enum lf_status status = read_lead("a,b.c,b.d\n1,2,3", small, &plan, &lead, &error);

        done = status == LF_OK;
        assert_true(done || status == LF_OUT_OF_MEMORY);
        assert_true(done == (lead != NULL));
        lf_csv_plan_destroy(plan);
        lf_arena_destroy(small);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leads),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_deepest), cmocka_unit_test(test_too_many_members),
        cmocka_unit_test(test_plan),    cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
