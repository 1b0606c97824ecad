/*
 * test_program.c - many ICPs in one program give what each gives alone; finding fields in leads of any shape; lists.
 */
#include "core/program.h"

#include "support.h"

#include "base/text.h"

#define AS_OF "2026-06-15T12:00:00Z"

/* Everything that one ICP makes of a lead, as the answer tells it. */
static const char *
told(struct lf_arena *arena, const struct lf_program *program, size_t index, const struct lf_json *lead)
{
    struct support_scored scored = support_score(arena, program, index, lead, AS_OF);
    struct lf_result result = {.teller = lf_teller_create(arena, lf_program_member(program, index)->icp, 1),
                               .scorer = scored.scorer,
                               .evaluation = scored.evaluation,
                               .index = index,
                               .outcome = scored.outcome,
                               .score = scored.score};
    struct lf_answer answer = {.lead_id = "",
                               .results = &result,
                               .result_count = 1,
                               .explain = LF_EXPLAIN_FULL,
                               .as_of_ms = support_ms(AS_OF)};
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 8 << 20);
    assert_non_null(result.teller);
    lf_answer_put(&buf, arena, &answer);
    return lf_buf_terminate(&buf);
}

/* The config ICPs ask many of the same fields, and some of the same questions: together they share leaves. */
static void
test_shared_equals_alone(void **state)
{
    const struct lf_icp *icps[2 * SUPPORT_CONFIG_ICPS];
    const struct lf_program *together = NULL, *alone[SUPPORT_CONFIG_ICPS];
    struct support_random random = {3};
    size_t matched = 0, unknown = 0, unmatched = 0;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++) {
        icps[i] = icps[2 * SUPPORT_CONFIG_ICPS - 1 - i] = support_config_icp(*state, i);
        alone[i] = support_program(&icps[i], 1, NULL);
    }
    together = support_program(icps, 2 * SUPPORT_CONFIG_ICPS, NULL);
    for (int turn = 0; turn < 300; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 64 << 20);
        const struct lf_json *lead = support_random_lead(arena, &random, icps, SUPPORT_CONFIG_ICPS);
        /* One evaluation for all, in which the answers of shared leaves are kept. */
        struct lf_evaluation *evaluation = lf_evaluation_create(together, arena, lead, support_ms(AS_OF));

        assert_non_null(evaluation);
        for (size_t i = 0; i < 2 * SUPPORT_CONFIG_ICPS; i++) {
            size_t at = i < SUPPORT_CONFIG_ICPS ? i : 2 * SUPPORT_CONFIG_ICPS - 1 - i;
            struct support_scored scored = support_score(arena, alone[at], 0, lead, AS_OF);
            const struct lf_outcome *shared = lf_evaluate(evaluation, i);

            assert_non_null(shared);
            for (size_t a = 0; a < icps[i]->attribute_count; a++) {
                const struct lf_attribute_outcome *x = &shared->attributes[a], *y = &scored.outcome->attributes[a];
                struct lf_buf left, right;

                assert_int_equal(x->status, y->status);
                assert_int_equal(x->rule, y->rule);
                assert_int_equal(x->fit, y->fit);
                assert_int_equal(x->field, y->field);
                assert_int_equal(x->missing, y->missing);
                assert_int_equal(x->invalid, y->invalid);
                lf_buf_init(&left, arena, 1 << 20);
                lf_buf_init(&right, arena, 1 << 20);
                lf_evaluation_value(evaluation, i, x->field, &left);
                lf_evaluation_value(scored.evaluation, 0, y->field, &right);
                assert_int_equal(left.len, right.len);
                if (left.len > 0)
                    assert_memory_equal(left.data, right.data, left.len);
                matched += x->status == LF_ATTRIBUTE_MATCHED;
                unmatched += x->status == LF_ATTRIBUTE_UNMATCHED;
                unknown += x->status == LF_ATTRIBUTE_UNKNOWN;
            }
            for (size_t d = 0; d < icps[i]->disqualifier_count; d++)
                assert_int_equal(shared->disqualifiers[d], scored.outcome->disqualifiers[d]);
        }
        if (turn % 10 == 0)
            assert_string_equal(told(arena, together, (size_t)turn % SUPPORT_CONFIG_ICPS, lead),
                                told(arena, alone[turn % SUPPORT_CONFIG_ICPS], 0, lead));
        lf_arena_destroy(arena);
    }
    /* The leads were not all alike. */
    assert_true(matched > 1000 && unmatched > 1000 && unknown > 1000);
}

/* What is read, but for these. */
static const struct lf_privacy *
keeping(struct lf_arena *arena, const char *never)
{
    const struct lf_privacy *privacy = NULL;

    assert_int_equal(lf_privacy_create(arena, LF_KEPT_FIELDS, never, NULL, &privacy, NULL), LF_OK);
    return privacy;
}

/* The input that is kept is enough: whatever the lead, the ICPs that wanted it make the same of it. */
static void
test_input_is_enough(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS];
    const struct lf_program *program = NULL;
    struct support_random random = {9};

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    program = support_program(icps, SUPPORT_CONFIG_ICPS, NULL);
    for (int turn = 0; turn < 200; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 64 << 20);
        const struct lf_json *lead = support_random_lead(arena, &random, icps, SUPPORT_CONFIG_ICPS), *input = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, arena, lead, support_ms(AS_OF));
        bool wanted[SUPPORT_CONFIG_ICPS];
        struct lf_error error;
        struct lf_buf buf;

        for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
            wanted[i] = support_random(&random, 3) == 0;
        lf_buf_init(&buf, arena, 8 << 20);
        lf_evaluation_put_input(evaluation, lead, wanted, keeping(arena, ""), &buf);
        assert_int_equal(lf_json_parse(arena, buf.data, buf.len, &LF_JSON_DOCUMENT_LIMITS, &input, &error), LF_OK);
        for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
            if (wanted[i])
                assert_string_equal(told(arena, program, i, lead), told(arena, program, i, input));
        lf_arena_destroy(arena);
    }
}

static void
test_input_holds_no_more(void **state)
{
    static const struct {
        const char *lead, *never, *kept;
    } ROWS[] = {
        {"{'email':'x@y','company':{'size':5,'name':'Acme'}}", "", "{'company':{'size':5}}"},
        {"{'company':7,'secret':1}", "", "{}"},
        {"{'company':[{'size':1,'x':2},'no',{'size':3},{}]}", "", "{'company':[{'size':1},{'size':3},{}]}"},
        {"{'people':[{'title':['a',{'b':1}],'name':'N'}]}", "", "{'people':[{'title':['a',{'b':1}]}]}"},
        {"{'a':{'b':{'c':1},'x':2}}", "", "{'a':{'b':{'c':1}}}"},
        {"{}", "", "{}"},
        /* What is never kept is not, neither what lies on the way nor what is in a field. */
        {"{'company':{'size':5},'people':{'title':'t'}}", "company", "{'people':{'title':'t'}}"},
        {"{'company':[{'size':1},{}],'people':{'title':'t'}}", "*.size", "{'company':[{},{}],'people':{'title':'t'}}"},
        {"{'people':[{'title':['a',{'b':1,'c':[{'B':2}]}]}]}", "people.title.b",
         "{'people':[{'title':['a',{'c':[{'B':2}]}]}]}"},
        {"{'people':[{'title':['a',{'b':1,'c':[{'B':2}]}]}]}", "*.b", "{'people':[{'title':['a',{'c':[{}]}]}]}"},
        {"{'a':{'b':{'c':1,'d':2}}}", "a.b.c", "{'a':{'b':{'d':2}}}"},
        {"{'a':{'b':{'c':1,'d':2}}}", "b,c,b.c", "{'a':{'b':{'c':1,'d':2}}}"},
    };
    const struct lf_icp *icps[2] = {
        support_icp_when(*state, "{'any':[{'field':'company.size','is':1},{'field':'people.title','is':'a'},"
                                 "{'field':'a.b','exists':true},{'field':'a.b.c','is':1}]}"),
        support_icp_when(*state, "{'field':'email','is':'x@y'}"),
    };
    const bool wanted[2] = {true, false};

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_json *lead = support_json(*state, ROWS[i].lead);
        struct lf_evaluation *evaluation =
            lf_evaluation_create(support_program(icps, 2, NULL), *state, lead, support_ms(AS_OF));
        struct lf_buf buf;

        lf_buf_init(&buf, *state, 1 << 20);
        lf_evaluation_put_input(evaluation, lead, wanted, keeping(*state, ROWS[i].never), &buf);
        assert_string_equal(lf_buf_terminate(&buf), support_quoted(*state, ROWS[i].kept));
    }
}

/* ---- leads of any shape ---- */

static const struct {
    const char *field, *lead, *value;
} VALUES[] = {
    {"a", "{'a':'x'}", "x"},
    {"a", "{'a':' As it Stands '}", " As it Stands "},
    {"a", "{'a':1.50}", "1.5"},
    {"a", "{'a':-0}", "0"},
    {"a", "{'a':true}", "true"},
    {"a", "{'a':null}", ""},
    {"a", "{'a':{'b':1}}", ""},
    {"a", "{'a':['x',null,'','y',{},[1],2,false]}", "x, y, 2, false"},
    {"a.b", "{'a':{'b':'x'}}", "x"},
    {"a.b", "{'a.b':'x'}", ""},
    {"a.b", "{'a':'x'}", ""},
    {"a.b", "{'a':[{'b':'x'},{'c':'y'},{'b':['z','w']},3,[{'b':'no'}]]}", "x, z, w"},
    {"a.b.c", "{'a':[{'b':[{'c':1},{'c':2}]},{'b':{'c':3}}]}", "1, 2, 3"},
    {"A", "{'a':'x'}", ""},
    {"total time", "{'total time':5}", "5"},
    {"ä.€", "{'ä':{'€':'x'}}", "x"},
    {"a", "{'ab':'no','':'no','a':'x'}", "x"},
    {"abcdefghij", "{'abcdefghi':'no','abcdefghijk':'no','abcdefghij':'x','abcdefghxj':'no'}", "x"},
};

static void
test_values(void **state)
{
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        const struct lf_icp *icp =
            support_icp_when(*state, lf_arena_printf(*state, "{'field':'%s','exists':true}", VALUES[i].field));
        struct support_scored scored =
            support_score(*state, support_program(&icp, 1, NULL), 0, support_json(*state, VALUES[i].lead), AS_OF);
        struct lf_buf buf;

        lf_buf_init(&buf, *state, 1 << 20);
        lf_evaluation_value(scored.evaluation, 0, 0, &buf);
        if (strcmp(lf_buf_terminate(&buf), VALUES[i].value) != 0)
            fail_msg("%s of %s: %s", VALUES[i].field, VALUES[i].lead, buf.data);
    }
}

/* At most 1,000 characters, then dots; characters, not bytes, whether in one text or joined. */
static void
test_values_are_cut(void **state)
{
    const struct lf_icp *icp = support_icp_when(*state, "{'field':'a','exists':true}");

    for (size_t joined = 0; joined < 2; joined++)
        for (size_t characters = 996; characters <= 1004; characters++) {
            struct lf_buf lead, value;
            struct support_scored scored;

            lf_buf_init(&lead, *state, 1 << 20);
            lf_buf_text(&lead, joined != 0 ? "{'a':['€€€','" : "{'a':'");
            for (size_t i = joined != 0 ? 5 : 0; i < characters; i++)
                lf_buf_lit(&lead, "Ä");
            lf_buf_text(&lead, joined != 0 ? "']}" : "'}");
            scored = support_score(*state, support_program(&icp, 1, NULL), 0,
                                   support_json(*state, lf_buf_terminate(&lead)), AS_OF);
            lf_buf_init(&value, *state, 1 << 20);
            lf_evaluation_value(scored.evaluation, 0, 0, &value);
            assert_true(lf_text_is_utf8(value.data, value.len, NULL));
            assert_int_equal(lf_text_length(value.data, value.len),
                             characters <= LF_VALUE_MAX ? characters : LF_VALUE_MAX + 1);
            assert_true((memcmp(value.data + value.len - 3, "…", 3) == 0) == (characters > LF_VALUE_MAX));
        }
}

/* A lead of nothing but members that nobody reads, or as deep as the door lets it be. */
static void
test_hostile_leads(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS];
    const struct lf_program *program = NULL;
    struct lf_buf buf;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    program = support_program(icps, SUPPORT_CONFIG_ICPS, NULL);
    for (int shape = 0; shape < 4; shape++) {
        const struct lf_json *lead = NULL;
        struct lf_error error;

        lf_buf_init(&buf, *state, 4 << 20);
        lf_buf_lit(&buf, "{\"company\":");
        if (shape == 0) {
            for (int i = 0; i < 60; i++)
                lf_buf_lit(&buf, "[{\"company\":");
            lf_buf_lit(&buf, "1");
            for (int i = 0; i < 60; i++)
                lf_buf_lit(&buf, "}]");
        } else if (shape == 1) {
            lf_buf_lit(&buf, "{");
            for (int i = 0; i < 490; i++)
                lf_buf_printf(&buf, "%s\"employees%d\":%d", i > 0 ? "," : "", i, i);
            lf_buf_lit(&buf, "}");
        } else if (shape == 2) {
            lf_buf_lit(&buf, "[");
            for (int i = 0; i < 490; i++)
                lf_buf_printf(&buf, "%s{\"employees\":[%d,\"x\",null]}", i > 0 ? "," : "", i);
            lf_buf_lit(&buf, "]");
        } else {
            lf_buf_lit(&buf, "{\"industry\":[");
            for (int i = 0; i < 9999; i++)
                lf_buf_printf(&buf, "%s\"industry %d\"", i > 0 ? "," : "", i);
            lf_buf_lit(&buf, "]}");
        }
        lf_buf_lit(&buf, "}");
        assert_false(lf_buf_failed(&buf));
        assert_int_equal(lf_json_parse(*state, buf.data, buf.len,
                                       shape == 0 ? &LF_JSON_DOCUMENT_LIMITS : &LF_JSON_LEAD_LIMITS, &lead, &error),
                         shape == 0 ? LF_TOO_DEEP : LF_OK);
        if (shape == 0)
            continue;
        for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
            assert_non_null(told(*state, program, i, lead));
    }
}

/* ---- lists and members ---- */

static struct lf_named_list *list;

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    assert_ptr_equal(context, &list);
    return strcmp(key, "rivals") == 0 ? list : NULL;
}

static void
test_named_lists(void **state)
{
    static const struct {
        const char *list, *lead;
        char verdict;
    } ROWS[] = {
        {"rivals", "{'d':' ACME.com'}", 'T'},
        {"rivals", "{'d':'acme.co'}", 'F'},
        {"rivals", "{'d':['x','5']}", 'T'},
        {"rivals", "{'d':5.0}", 'T'},
        {"rivals", "{'d':''}", 'U'},
        {"rivals", "{'d':[null,'x']}", 'U'},
        {"unheard-of", "{'d':'acme.com'}", 'F'},
    };
    static const char *const ENTRIES[] = {"Acme.com", "  ", "5", "ACME.COM", ""};
    struct lf_list_source source = {find_list, &list};
    struct lf_error error;

    assert_int_equal(lf_named_list_create("rivals", 3, ENTRIES, 5, &list, &error), LF_OK);
    assert_int_equal(list->count, 2);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_icp *icp =
            support_icp_when(*state, lf_arena_printf(*state, "{'field':'d','in_list':'%s'}", ROWS[i].list));
        struct support_scored scored =
            support_score(*state, support_program(&icp, 1, &source), 0, support_json(*state, ROWS[i].lead), AS_OF);
        enum lf_attribute_status status = scored.outcome->attributes[0].status;

        if ((status == LF_ATTRIBUTE_MATCHED ? 'T' : status == LF_ATTRIBUTE_UNMATCHED ? 'F' : 'U') != ROWS[i].verdict)
            fail_msg("%s of %s", ROWS[i].list, ROWS[i].lead);
    }
    lf_named_list_destroy(list);
}

/* Which lists each ICP of a program asks: each once, in reading order, attributes before disqualifiers, with the
 * revision; whether or not the lead comes so far as to ask. */
static void
test_list_uses(void **state)
{
    static const struct {
        const char *members, *lists;
    } ROWS[] = {
        {"'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[{'when':{'field':'d','is':1}}]}]",
         ""},
        {"'disqualifiers':[{'key':'x','reason':'X','when':{'any':[{'field':'e','in_list':'rivals'},"
         "{'field':'e','in_list':'last'},{'field':'d','in_list':'first'}]}}],'attributes':["
         "{'key':'a','label':'A','category':'need','weight':1,'rules':[{'when':{'not':{'all':[{'field':'d','in_list':"
         "'first'},{'any':[{'field':'d','in_list':'second'}]}]}}},{'when':{'field':'d','in_list':'third'}}]},"
         "{'key':'b','label':'B','category':'need','weight':1,'rules':[{'when':{'field':'e','in_list':'first'}},"
         "{'when':{'field':'d','in_list':'rivals'}}]}]",
         "first 0, second 0, third 0, rivals 3, last 0"},
        {"'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[{'when':{'field':'d','in_list':"
         "'rivals'}}]}]",
         "rivals 3"},
        {"'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':[{'when':{'any':["
         "{'field':'d','in_list':'last'},{'field':'q','in_list':'rivals'},{'field':'d','in_list':'last'}]}}]}]",
         "last 0, rivals 3"},
    };
    enum { COUNT = sizeof ROWS / sizeof *ROWS };
    struct lf_list_source source = {find_list, &list};
    const struct lf_icp *icps[COUNT];
    const struct lf_program *programs[2];
    struct lf_error error;

    assert_int_equal(lf_named_list_create("rivals", 3, NULL, 0, &list, &error), LF_OK);
    for (size_t i = 0; i < COUNT; i++)
        icps[i] = support_icp_with(*state, ROWS[i].members);
    programs[0] = support_program(icps, COUNT, &source);
    programs[1] = support_program(icps, COUNT, NULL);
    for (size_t i = 0; i < 2 * COUNT; i++) {
        const struct lf_json *lead = support_json(*state, i % 2 == 0 ? "{}" : "{'d':'x','e':'y'}");
        const struct lf_evaluation *evaluation =
            lf_evaluation_create(programs[i / COUNT], *state, lead, support_ms(AS_OF));
        struct lf_list_use uses[8];
        size_t count = 0;
        struct lf_buf buf;

        assert_non_null(evaluation);
        count = lf_evaluation_lists(evaluation, i % COUNT, NULL);
        assert_true(count <= 8);
        assert_int_equal(lf_evaluation_lists(evaluation, i % COUNT, uses), count);
        lf_buf_init(&buf, *state, 4096);
        for (size_t u = 0; u < count; u++) {
            /* Without a source no list is there. */
            int64_t revision = i < COUNT ? uses[u].revision : strcmp(uses[u].key, "rivals") == 0 ? 3 : 0;

            assert_true(i < COUNT || uses[u].revision == 0);
            lf_buf_printf(&buf, "%s%s %lld", u > 0 ? ", " : "", uses[u].key, (long long)revision);
        }
        assert_string_equal(lf_buf_terminate(&buf), ROWS[i % COUNT].lists);
    }
    lf_named_list_destroy(list);
}

/* Hundreds of lists: each condition asks its own. */
static struct lf_named_list *many[400];

static const struct lf_named_list *
find_many(void *context, const char *key)
{
    (void)context;
    return many[atoi(key + 1)];
}

static void
test_many_lists(void **state)
{
    enum { MANY = sizeof many / sizeof *many };
    struct lf_list_source source = {find_many, NULL};
    struct lf_list_use uses[MANY];
    const struct lf_icp *icp = NULL;
    struct support_scored scored;
    struct lf_error error;
    struct lf_buf buf;

    lf_buf_init(&buf, *state, 1 << 20);
    lf_buf_lit(&buf, "'attributes':[");
    for (int i = 0; i < MANY; i++) {
        char entry[16];
        const char *const entries[] = {entry};

        (void)snprintf(entry, sizeof entry, "e%d", i);
        assert_int_equal(lf_named_list_create("many", 1000 + i, entries, 1, &many[i], &error), LF_OK);
    }
    for (int i = 0; i < MANY / 2; i++)
        lf_buf_printf(&buf,
                      "%s{'key':'a%d','label':'A','category':'need','weight':1,'rules':[{'when':{'field':'f','in_list':"
                      "'l%d'}},{'when':{'field':'f','in_list':'l%d'}}]}",
                      i > 0 ? "," : "", i, i, MANY - 1 - i);
    lf_buf_lit(&buf, "]");
    icp = support_icp_with(*state, lf_buf_terminate(&buf));
    scored =
        support_score(*state, support_program(&icp, 1, &source), 0, support_json(*state, "{'f':['e6','e302']}"), AS_OF);
    assert_int_equal(lf_evaluation_lists(scored.evaluation, 0, uses), MANY);
    for (int i = 0; i < MANY; i++)
        assert_true(uses[i].revision == 1000 + (i % 2 == 0 ? i / 2 : MANY - 1 - i / 2));
    for (int i = 0; i < MANY / 2; i++)
        assert_int_equal(scored.outcome->attributes[i].rule, i == 6 ? 0 : i == MANY - 1 - 302 ? 1 : LF_NO_RULE);
    for (int i = 0; i < MANY; i++)
        lf_named_list_destroy(many[i]);
}

static void
test_members(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS];
    const struct lf_program *program = NULL;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    program = support_program(icps, SUPPORT_CONFIG_ICPS, NULL);
    assert_int_equal(lf_program_count(program), SUPPORT_CONFIG_ICPS);
    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++) {
        assert_int_equal(lf_program_find(program, icps[i]->key), i);
        assert_ptr_equal(lf_program_member(program, i)->icp, icps[i]);
        assert_int_equal(lf_program_member(program, i)->version_id, i + 1);
    }
    assert_true(lf_program_find(program, "nobody") == SIZE_MAX);
    program = support_program(NULL, 0, NULL);
    assert_int_equal(lf_program_count(program), 0);
    assert_non_null(lf_evaluation_create(program, *state, support_json(*state, "{'a':1}"), 0));
    lf_program_destroy(NULL);
}

/* More than eight texts are looked up in a set: the same answers on both sides of that bound. */
static void
test_large_sets(void **state)
{
    static const size_t COUNTS[] = {1, 8, 9, 1000, 10000};

    for (size_t c = 0; c < sizeof COUNTS / sizeof *COUNTS; c++) {
        struct lf_buf buf;
        const struct lf_icp *icp = NULL;
        const struct lf_program *program = NULL;

        lf_buf_init(&buf, *state, 4 << 20);
        lf_buf_lit(&buf, "{'field':'f','in':[");
        for (size_t i = 0; i < COUNTS[c]; i++)
            lf_buf_printf(&buf, i % 3 == 2 ? "%s%zu" : "%s'Text %zu'", i > 0 ? "," : "", i);
        lf_buf_lit(&buf, "]}");
        icp = support_icp_when(*state, lf_buf_terminate(&buf));
        program = support_program(&icp, 1, NULL);
        for (size_t i = 0; i < COUNTS[c] + 5; i += 1 + COUNTS[c] / 50) {
            const char *lead = lf_arena_printf(*state, i % 3 == 2 ? "{'f':'%zu'}" : "{'f':'tEXT  %zu'}", i);
            struct support_scored scored = support_score(*state, program, 0, support_json(*state, lead), AS_OF);

            assert_int_equal(scored.outcome->attributes[0].status,
                             i < COUNTS[c] ? LF_ATTRIBUTE_MATCHED : LF_ATTRIBUTE_UNMATCHED);
        }
    }
}

/* Leaves that are alike but for one operand are not shared: the first holds for the lead, the second does not. */
static const struct {
    const char *holds, *fails, *lead;
} ALIKE[] = {
    {"{'field':'f','between':[1,9]}", "{'field':'f','between':[1,4]}", "{'f':5}"},
    {"{'field':'f','between':[1,9]}", "{'field':'f','between':[6,9]}", "{'f':5}"},
    {"{'field':'f','gt':4}", "{'field':'f','gt':5}", "{'f':5}"},
    {"{'field':'f','gte':5}", "{'field':'f','gt':5}", "{'f':5}"},
    {"{'field':'f','is':5}", "{'field':'g','is':5}", "{'f':5,'g':6}"},
    {"{'field':'f','is':'5.0'}", "{'field':'f','is':'5'}", "{'f':'5.0'}"},
    {"{'field':'f','is':5}", "{'field':'f','is':'5'}", "{'f':'5.0'}"},
    {"{'field':'f','is':true}", "{'field':'f','is':false}", "{'f':'yes'}"},
    {"{'field':'f','in':['a','bc']}", "{'field':'f','in':['ab','c']}", "{'f':'a'}"},
    {"{'field':'f','in':['a','b']}", "{'field':'f','in':['a']}", "{'f':'b'}"},
    {"{'field':'f','contains':'a'}", "{'field':'f','starts_with':'a'}", "{'f':'ba'}"},
    {"{'field':'f','within_days':30}", "{'field':'f','within_days':3}", "{'f':'2026-06-01'}"},
    {"{'field':'f','after':'2026-05-01'}", "{'field':'f','after':'2026-06-02'}", "{'f':'2026-06-01'}"},
    {"{'field':'f','exists':true}", "{'field':'f','exists':false}", "{'f':1}"},
    {"{'field':'f','has_all':['a']}", "{'field':'f','has_all':['a','b']}", "{'f':'a'}"},
};

static void
test_alike_leaves_are_told_apart(void **state)
{
    for (size_t i = 0; i < sizeof ALIKE / sizeof *ALIKE; i++)
        for (int turned = 0; turned < 2; turned++) {
            const struct lf_icp *icps[2] = {support_icp_when(*state, turned ? ALIKE[i].fails : ALIKE[i].holds),
                                            support_icp_when(*state, turned ? ALIKE[i].holds : ALIKE[i].fails)};
            struct lf_evaluation *evaluation = lf_evaluation_create(
                support_program(icps, 2, NULL), *state, support_json(*state, ALIKE[i].lead), support_ms(AS_OF));
            enum lf_attribute_status first = lf_evaluate(evaluation, 0)->attributes[0].status;
            enum lf_attribute_status second = lf_evaluate(evaluation, 1)->attributes[0].status;

            if ((turned ? second : first) != LF_ATTRIBUTE_MATCHED ||
                (turned ? first : second) != LF_ATTRIBUTE_UNMATCHED)
                fail_msg("%s and %s of %s", ALIKE[i].holds, ALIKE[i].fails, ALIKE[i].lead);
        }
}

/* fit x max(0, 1 - age / days), rounded half away from zero to millionths; as of 2026-06-15T12:00:00Z. */
static const struct {
    const char *fit;
    int days;
    const char *date; /* JSON */
    int32_t faded;    /* millionths */
    char verdict;     /* M matched, m unknown for missing, i for invalid */
} FADES[] = {
    {"1", 10, "'2026-06-15T12:00:00Z'", 1000000, 'M'},
    {"1", 10, "'2026-06-20'", 1000000, 'M'},
    {"1", 10, "'2026-06-10T12:00:00Z'", 500000, 'M'},
    {"1", 10, "'2026-06-05T12:00:00Z'", 0, 'M'},
    {"1", 10, "'1999-01-01'", 0, 'M'},
    {"1", 3, "'2026-06-14T12:00:00Z'", 666667, 'M'},
    {"-1", 3, "'2026-06-14T12:00:00Z'", -666667, 'M'},
    {"1", 3, "'2026-06-13T12:00:00Z'", 333333, 'M'},
    {"-1", 3, "'2026-06-13T12:00:00Z'", -333333, 'M'},
    {"0.000001", 10, "'2026-06-10T12:00:00Z'", 1, 'M'},
    {"-0.000001", 10, "'2026-06-10T12:00:00Z'", -1, 'M'},
    {"0.000001", 10, "'2026-06-10T11:59:59.999999Z'", 0, 'M'},
    {"-0.000001", 10, "'2026-06-10T11:59:59.999999Z'", 0, 'M'},
    {"1", 36500, "'2026-06-15T11:59:59.999999Z'", 1000000, 'M'},
    {"1", 10, "['2026-06-05','2026-06-10T12:00:00Z',null,'soon']", 500000, 'M'},
    {"1", 10, "[null,'']", 0, 'm'},
    {"1", 10, "[null,'soon']", 0, 'i'},
    {"1", 10, "''", 0, 'm'},
    {"1", 10, "{}", 0, 'i'},
};

static void
test_fading(void **state)
{
    for (size_t i = 0; i < sizeof FADES / sizeof *FADES; i++) {
        const struct lf_icp *icp = support_icp_with(
            *state, lf_arena_printf(*state,
                                    "'attributes':[{'key':'a','label':'A','category':'need','weight':1,'rules':["
                                    "{'when':{'field':'f','is':1},'fit':%s,'fade':{'field':'d','days':%d}}]}]",
                                    FADES[i].fit, FADES[i].days));
        const char *lead = lf_arena_printf(*state, "{'f':1,'d':%s}", FADES[i].date);
        struct support_scored scored =
            support_score(*state, support_program(&icp, 1, NULL), 0, support_json(*state, lead), AS_OF);
        const struct lf_attribute_outcome *outcome = &scored.outcome->attributes[0];
        char verdict = outcome->status == LF_ATTRIBUTE_MATCHED ? 'M' : outcome->invalid ? 'i' : 'm';

        if (verdict != FADES[i].verdict || outcome->fit != FADES[i].faded)
            fail_msg("%s over %d days from %s: %c %d", FADES[i].fit, FADES[i].days, FADES[i].date, verdict,
                     outcome->fit);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_shared_equals_alone),
        SUPPORT_TEST(test_input_is_enough),
        SUPPORT_TEST(test_input_holds_no_more),
        SUPPORT_TEST(test_values),
        SUPPORT_TEST(test_values_are_cut),
        SUPPORT_TEST(test_hostile_leads),
        SUPPORT_TEST(test_named_lists),
        SUPPORT_TEST(test_list_uses),
        SUPPORT_TEST(test_many_lists),
        SUPPORT_TEST(test_members),
        SUPPORT_TEST(test_large_sets),
        SUPPORT_TEST(test_alike_leaves_are_told_apart),
        SUPPORT_TEST(test_fading),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
