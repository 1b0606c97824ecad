/*
 * test_answer.c - a score told: valid JSON whatever the texts, points that add up, the three levels of explanation.
 */
#include "core/answer.h"

#include "support.h"

#include "base/number.h"
#include "base/text.h"

#define AS_OF "2026-06-15T12:00:00Z"

/* An answer told before it has an id, and stamped with it, is the one told with the id, byte for byte. */
static void
check_stamp(struct lf_arena *arena, struct lf_answer answer)
{
    struct lf_answer_stamp stamp;
    struct lf_ulid id = {{0}};
    struct lf_buf whole, stamped;

    for (int i = 0; i < LF_ULID_SIZE; i++)
        id.bytes[i] = (uint8_t)(i < 6 ? answer.scored_at_ms >> (8 * (5 - i)) : 0x5A + i);
    answer.id = id;
    lf_buf_init(&whole, arena, 64 << 20);
    lf_answer_put(&whole, arena, &answer);
    lf_buf_init(&stamped, arena, 64 << 20);
    lf_buf_lit(&stamped, "before it");
    lf_answer_put_pending(&stamped, arena, &answer, &stamp);
    assert_false(lf_buf_failed(&whole) || lf_buf_failed(&stamped));
    lf_answer_stamp(stamped.data + 9, &stamp, id);
    assert_int_equal(stamped.len, whole.len + 9);
    assert_memory_equal(stamped.data + 9, whole.data, whole.len);
}

/* The answer for one lead under all ICPs of a program, as text. */
static struct lf_buf
tell(struct lf_arena *arena, const struct lf_program *program, const struct lf_json *lead, enum lf_explain explain,
     int64_t line)
{
    size_t count = lf_program_count(program);
    struct lf_result *results = lf_arena_calloc(arena, count, sizeof *results);
    struct lf_evaluation *evaluation = lf_evaluation_create(program, arena, lead, support_ms(AS_OF));
    struct lf_answer answer = {
        .recorded = line == 0,
        .lead_id = "a\"b\n\0c",
        .lead_id_len = 6,
        .scored_at_ms = support_ms("2026-06-15T12:00:01.5Z"),
        .as_of_ms = support_ms(AS_OF),
        .results = results,
        .result_count = count,
        .explain = explain,
        .line = line,
    };
    struct lf_buf buf;

    assert_non_null(results);
    assert_non_null(evaluation);
    for (size_t i = 0; i < count; i++) {
        const struct lf_icp *icp = lf_program_member(program, i)->icp;

        results[i] = (struct lf_result){.teller = lf_teller_create(arena, icp, (int)i + 1),
                                        .scorer = lf_scorer_create(arena, icp),
                                        .evaluation = evaluation,
                                        .index = i,
                                        .outcome = lf_evaluate(evaluation, i)};
        assert_non_null(results[i].teller);
        assert_non_null(results[i].scorer);
        assert_non_null(results[i].outcome);
        assert_true(lf_score_outcome(results[i].scorer, results[i].outcome, arena, &results[i].score));
    }
    lf_buf_init(&buf, arena, 64 << 20);
    lf_answer_put(&buf, arena, &answer);
    assert_false(lf_buf_failed(&buf));
    if (answer.recorded)
        check_stamp(arena, answer);
    return buf;
}

static const struct lf_json *
parse(struct lf_arena *arena, const struct lf_buf *buf)
{
    const struct lf_json *root = NULL;
    struct lf_error error;

    if (lf_json_parse(arena, buf->data, buf->len, &LF_JSON_DOCUMENT_LIMITS, &root, &error) != LF_OK)
        fail_msg("not JSON: %s: %.*s", error.detail, (int)buf->len, buf->data);
    return root;
}

static const struct lf_json *
member(const struct lf_json *object, const char *path)
{
    while (object != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        char name[64];

        assert_true(len < sizeof name);
        memcpy(name, path, len);
        name[len] = '\0';
        path += len + (path[len] == '.');
        if (name[0] >= '0' && name[0] <= '9') {
            object = lf_json_first(object);
            for (int i = atoi(name); i > 0; i--)
                object = lf_json_next(object);
        } else {
            object = lf_json_member(object, name);
        }
    }
    return object;
}

static const char *
text_at(const struct lf_json *root, const char *path)
{
    size_t len = 0;
    const char *text = lf_json_text(member(root, path), &len);

    if (text == NULL)
        fail_msg("no text at %s", path);
    return text;
}

static double
number_at(const struct lf_json *root, const char *path)
{
    if (lf_json_kind(member(root, path)) != LF_JSON_NUMBER)
        fail_msg("no number at %s", path);
    return lf_json_number(member(root, path));
}

/* ---- shape ---- */

/* Nothing is null, and each member has one type. */
static void
check_types(const struct lf_json *node)
{
    assert_int_not_equal(lf_json_kind(node), LF_JSON_NULL);
    for (const struct lf_json *child = lf_json_first(node); child != NULL; child = lf_json_next(child))
        check_types(child);
}

static void
check_members(const struct lf_json *object, const char *expected)
{
    char names[1024] = "";

    for (const struct lf_json *child = lf_json_first(object); child != NULL; child = lf_json_next(child)) {
        strcat(names, names[0] != '\0' ? " " : "");
        strcat(names, lf_json_name(child));
    }
    assert_string_equal(names, expected);
}

#define FLAT                                                                                                      \
    "id lead_id scored_at as_of recorded icp version score grade qualified coverage engagement engagement_level " \
    "label "                                                                                                      \
    "reason_1 reason_2 reason_3"
#define RESULT                                                                                             \
    "icp version definition_hash score grade qualified coverage points max_points engagement label range " \
    "next_best_field disqualifiers unverified"

static void
test_levels_of_explanation(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS];
    const struct lf_program *program = NULL;
    const struct lf_json *lead = support_json(*state, "{'company':{'industry':'Machinery','employees':900}}");
    struct lf_buf full, summary, none, flat;
    const struct lf_json *root = NULL;
    enum lf_explain explain = LF_EXPLAIN_NONE;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    program = support_program(icps, SUPPORT_CONFIG_ICPS, NULL);
    full = tell(*state, program, lead, LF_EXPLAIN_FULL, 0);
    summary = tell(*state, program, lead, LF_EXPLAIN_SUMMARY, 0);
    none = tell(*state, program, lead, LF_EXPLAIN_NONE, 0);
    flat = tell(*state, program, lead, LF_EXPLAIN_FLAT, 0);
    root = parse(*state, &full);
    check_types(root);
    check_members(root, FLAT " results");
    check_members(member(root, "results.0"), RESULT " attributes caps lists to_next_grade");
    assert_int_equal(lf_json_count(member(root, "results")), SUPPORT_CONFIG_ICPS);
    root = parse(*state, &summary);
    check_members(root, FLAT " results");
    check_members(member(root, "results.5"), RESULT);
    root = parse(*state, &none);
    check_members(root, FLAT " results");
    assert_int_equal(lf_json_count(member(root, "results")), 0);
    root = parse(*state, &flat);
    check_types(root);
    check_members(root, FLAT);
    /* Without explanations the flat part is the same. */
    assert_memory_equal(full.data, none.data, none.len - 2);
    assert_memory_equal(full.data, summary.data, none.len - 2);
    assert_memory_equal(full.data, flat.data, flat.len - 1);
    assert_memory_equal(full.data + flat.len - 1, ",\"results\":[{", 13);
    assert_true(lf_explain_parse("summary", 7, &explain) && explain == LF_EXPLAIN_SUMMARY);
    assert_true(lf_explain_parse("full", 4, &explain) && explain == LF_EXPLAIN_FULL);
    assert_true(lf_explain_parse("none", 4, &explain) && explain == LF_EXPLAIN_NONE);
    assert_false(lf_explain_parse("ful", 3, &explain) || lf_explain_parse("fully", 5, &explain) ||
                 lf_explain_parse("", 0, &explain));
}

static void
test_line_and_id(void **state)
{
    const struct lf_icp *icp = support_icp_when(*state, "{'field':'f','is':1}");
    struct lf_buf buf = tell(*state, support_program(&icp, 1, NULL), support_json(*state, "{}"), LF_EXPLAIN_NONE, 17);
    const struct lf_json *root = parse(*state, &buf);
    size_t len = 0;

    check_members(root, "line " FLAT " results");
    assert_true(number_at(root, "line") == 17);
    assert_string_equal(text_at(root, "id"), "");
    assert_false(lf_json_is_true(member(root, "recorded")));
    assert_memory_equal(lf_json_text(member(root, "lead_id"), &len), "a\"b\n\0c", 6);
    assert_int_equal(len, 6);
    assert_string_equal(text_at(root, "scored_at"), "2026-06-15T12:00:01.500Z");
    buf = tell(*state, support_program(&icp, 1, NULL), support_json(*state, "{}"), LF_EXPLAIN_NONE, 0);
    assert_int_equal(strlen(text_at(parse(*state, &buf), "id")), 26);
}

/* ---- lists ---- */

static struct lf_named_list *lists[2];

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    (void)context;
    return strcmp(key, "targets") == 0 ? lists[0] : strcmp(key, "rivals-2") == 0 ? lists[1] : NULL;
}

/* Each result names the lists that its ICP asks, with their revisions, and nothing where it asks none; the short forms
 * do not speak of them. */
static void
test_lists(void **state)
{
    static const struct {
        const char *members, *told;
    } ROWS[] = {
        {"'attributes':[{'key':'a','label':'A','category':'need','weight':4,'rules':[{'when':{'field':'d','is':1}}]}]",
         "\"caps\":[],\"lists\":[],\"to_next_grade\":["},
        {"'attributes':[{'key':'a','label':'A','category':'need','weight':3,'rules':[{'when':{'field':'d',"
         "'in_list':'rivals-2'}}]}]",
         "\"caps\":[],\"lists\":[{\"key\":\"rivals-2\",\"revision\":9007199254740993}],\"to_next_grade\":["},
        {"'attributes':[{'key':'a','label':'A','category':'need','weight':2,'rules':[{'when':{'field':'d',"
         "'in_list':'targets'}},{'when':{'field':'d','in_list':'nowhere'}}]}],'disqualifiers':[{'key':'x','reason':"
         "'X','when':{'all':[{'field':'e','in_list':'targets'},{'field':'d','in_list':'rivals-2'}]}}]",
         "\"caps\":[],\"lists\":[{\"key\":\"targets\",\"revision\":12},{\"key\":\"nowhere\",\"revision\":0},"
         "{\"key\":\"rivals-2\",\"revision\":9007199254740993}],\"to_next_grade\":["},
    };
    enum { COUNT = sizeof ROWS / sizeof *ROWS };
    const struct lf_list_source source = {find_list, NULL};
    const struct lf_icp *icps[COUNT];
    const struct lf_json *lead = support_json(*state, "{'d':'x','e':'x'}");
    const struct lf_program *program = NULL;
    struct lf_error error;
    struct lf_buf buf;

    assert_int_equal(lf_named_list_create("targets", 12, NULL, 0, &lists[0], &error), LF_OK);
    assert_int_equal(lf_named_list_create("rivals-2", 9007199254740993, NULL, 0, &lists[1], &error), LF_OK);
    for (size_t i = 0; i < COUNT; i++) {
        icps[i] = support_icp_with(*state, ROWS[i].members);
        buf = tell(*state, support_program(&icps[i], 1, &source), lead, LF_EXPLAIN_FULL, 0);
        (void)parse(*state, &buf);
        if (strstr(lf_buf_terminate(&buf), ROWS[i].told) == NULL)
            fail_msg("row %zu: %s", i, buf.data);
    }
    program = support_program(icps, COUNT, &source);
    buf = tell(*state, program, lead, LF_EXPLAIN_FULL, 0);
    assert_non_null(lf_buf_terminate(&buf));
    for (size_t i = 0; i < COUNT; i++)
        assert_non_null(strstr(buf.data, ROWS[i].told));
    buf = tell(*state, program, lead, LF_EXPLAIN_SUMMARY, 0);
    assert_null(strstr(lf_buf_terminate(&buf), "\"lists\""));
    lf_named_list_destroy(lists[0]);
    lf_named_list_destroy(lists[1]);
}

/* ---- numbers ---- */

/* Points and maxima of the attributes of an axis, less what caps took, are those of the axis: exactly, in millionths.
 */
static void
check_sums(const struct lf_json *result, const char *axis, double points, double max, bool capped)
{
    int64_t sum = 0, sum_max = 0;

    for (const struct lf_json *a = lf_json_first(member(result, "attributes")); a != NULL; a = lf_json_next(a)) {
        int64_t scaled = 0;

        if (strcmp(text_at(a, "axis"), axis) != 0)
            continue;
        assert_true(lf_number_to_scaled(number_at(a, "points"), 6, &scaled));
        sum += scaled;
        sum_max += (int64_t)number_at(a, "max_points") * 1000000;
    }
    for (const struct lf_json *c = lf_json_first(member(result, "caps")); c != NULL; c = lf_json_next(c)) {
        int64_t before = 0, after = 0;

        if (strcmp(text_at(c, "axis"), axis) != 0)
            continue;
        assert_true(lf_number_to_scaled(number_at(c, "before"), 6, &before));
        assert_true(lf_number_to_scaled(number_at(c, "after"), 6, &after));
        sum -= before - after;
    }
    int64_t told = 0;
    assert_true(lf_number_to_scaled(points, 6, &told));
    assert_int_equal(sum, told);
    if (!capped) {
        assert_true(lf_number_to_scaled(max, 6, &told));
        assert_int_equal(sum_max, told);
    }
}

static void
test_points_add_up(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS + 1];
    const struct lf_program *program = NULL;
    struct support_random random = {5};
    size_t capped = 0;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    /* And one whose caps take something from most leads. */
    icps[SUPPORT_CONFIG_ICPS] = support_icp_with(
        *state, "'caps':[{'category':'need','max':3},{'category':'legal','axis':'engagement','max':1}],'attributes':["
                "{'key':'a','label':'A','category':'need','weight':5,'rules':[{'when':{'field':'title','exists':true},"
                "'fit':0.123457}]},{'key':'b','label':'B','category':'need','weight':7,'rules':["
                "{'when':{'field':'email','exists':true}}]},{'key':'c','label':'C','category':'legal','weight':9,"
                "'axis':'engagement','rules':[{'when':{'field':'title','exists':true},'fit':0.333333}]}]");
    program = support_program(icps, SUPPORT_CONFIG_ICPS + 1, NULL);
    for (int turn = 0; turn < 150; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 256 << 20);
        struct lf_buf buf = tell(arena, program, support_random_lead(arena, &random, icps, SUPPORT_CONFIG_ICPS + 1),
                                 LF_EXPLAIN_FULL, 0);
        const struct lf_json *root = parse(arena, &buf), *previous = NULL;

        check_types(root);
        for (const struct lf_json *result = lf_json_first(member(root, "results")); result != NULL;
             result = lf_json_next(result)) {
            const struct lf_icp *icp =
                lf_program_member(program, lf_program_find(program, text_at(result, "icp")))->icp;

            check_sums(result, "fit", number_at(result, "points"), number_at(result, "max_points"), icp->cap_count > 0);
            check_sums(result, "engagement", number_at(result, "engagement.points"),
                       number_at(result, "engagement.max_points"), icp->cap_count > 0);
            capped += lf_json_count(member(result, "caps"));
            assert_true(number_at(result, "range.min") <= number_at(result, "range.max"));
            /* Best first. */
            if (previous != NULL &&
                lf_json_is_true(member(previous, "qualified")) == lf_json_is_true(member(result, "qualified")))
                assert_true(number_at(previous, "score") >= number_at(result, "score"));
            previous = result;
        }
        assert_string_equal(text_at(root, "icp"), text_at(root, "results.0.icp"));
        assert_true(number_at(root, "score") == number_at(root, "results.0.score"));
        lf_arena_destroy(arena);
    }
    assert_true(capped > 50);
}

/* ---- texts ---- */

/* Labels and values with everything that must be escaped. */
#define ODD "q\\\"b\\\\c\\u0001\\t\\u2028é😀"
#define RAW "q\"b\\c\001\t\u2028é😀"

static void
test_escaping(void **state)
{
    const struct lf_icp *icp =
        support_icp_with(*state, "'attributes':[{'key':'a','label':'" ODD "','category':'need','weight':10,'rules':["
                                 "{'when':{'field':'f" ODD "','exists':true},'label':'R" ODD "'}]},"
                                 "{'key':'b','label':'B','category':'need','weight':10,'rules':["
                                 "{'when':{'field':'g" ODD "','is':1}}]}],"
                                 "'disqualifiers':[{'key':'x','reason':'X" ODD "','when':{'field':'x','is':1}}],"
                                 "'grades':[{'grade':'" ODD "','min':0}]");
    struct lf_buf buf = tell(*state, support_program(&icp, 1, NULL),
                             support_json(*state, "{'f" ODD "':'V" ODD "\\u0000W','x':1}"), LF_EXPLAIN_FULL, 0);
    const struct lf_json *root = parse(*state, &buf);
    size_t len = 0;

    assert_string_equal(text_at(root, "results.0.attributes.0.label"), RAW);
    assert_string_equal(text_at(root, "results.0.attributes.0.rule"), "R" RAW);
    assert_string_equal(text_at(root, "results.0.attributes.0.field"), "f" RAW);
    assert_memory_equal(lf_json_text(member(root, "results.0.attributes.0.value"), &len), "V" RAW "\0W",
                        sizeof("V" RAW "\0W") - 1);
    assert_int_equal(len, sizeof("V" RAW "\0W") - 1);
    assert_string_equal(text_at(root, "results.0.disqualifiers.0.reason"), "X" RAW);
    assert_string_equal(text_at(root, "results.0.next_best_field"), "g" RAW);
    assert_string_equal(text_at(root, "results.0.range.grade_max"), RAW);
    assert_string_equal(text_at(root, "reason_1"), "X" RAW);
    assert_memory_equal(lf_json_text(member(root, "reason_2"), &len), RAW " V" RAW "\0W: R" RAW " (+10 of 10)",
                        sizeof(RAW " V" RAW "\0W: R" RAW " (+10 of 10)") - 1);
    assert_string_equal(text_at(root, "reason_3"), "B: g" RAW " is missing (0 of 10)");
}

static const struct {
    const char *lead, *reason;
} REASONS[] = {
    {"{'n':7}", "Size 7: over five (+10 of 10)"},
    {"{'n':' 7 '}", "Size  7 : over five (+10 of 10)"},
    {"{'n':3}", "Size 3: under (-2.5 of 10)"},
    {"{'n':5}", "Size 5: no rule matches (0 of 10)"},
    {"{}", "Size: n is missing (left out)"},
    {"{'n':'many'}", "Size many: not readable as the rules need it (left out)"},
    {"{'n':[5,null]}", "Size 5: n is missing in part (left out)"},
};

static void
test_reasons(void **state)
{
    const struct lf_icp *icp = support_icp_with(
        *state, "'attributes':[{'key':'a','label':'Size','category':'need','weight':10,'missing':'skip','rules':["
                "{'when':{'field':'n','gt':5},'label':'over five'},"
                "{'when':{'field':'n','lt':5},'fit':-0.25,'label':'under'}]}]");
    const struct lf_program *program = support_program(&icp, 1, NULL);

    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        struct lf_buf buf = tell(*state, program, support_json(*state, REASONS[i].lead), LF_EXPLAIN_FULL, 0);
        const struct lf_json *root = parse(*state, &buf);

        assert_string_equal(text_at(root, "reason_1"), REASONS[i].reason);
        assert_string_equal(text_at(root, "results.0.attributes.0.reason"), REASONS[i].reason);
        assert_string_equal(text_at(root, "reason_2"), "");
    }
}

/* For a table the same sentences come without escapes, as many as are asked for. */
static void
test_reasons_for_people(void **state)
{
    const struct lf_icp *icp = support_icp_with(
        *state, "'attributes':[{'key':'a','label':'Size \\\"x\\\"','category':'need','weight':10,'rules':["
                "{'when':{'field':'n','gt':5},'label':'over'}]},"
                "{'key':'b','label':'B','category':'need','weight':20,'rules':[{'when':{'field':'g','is':1}}]}],"
                "'disqualifiers':[{'key':'x','reason':'No','when':{'field':'x','is':1}}]");
    const struct lf_program *program = support_program(&icp, 1, NULL);
    struct support_scored scored = support_score(*state, program, 0, support_json(*state, "{'n':'7\\t','x':1}"), AS_OF);
    struct lf_result result = {.teller = lf_teller_create(*state, icp, 1),
                               .scorer = scored.scorer,
                               .evaluation = scored.evaluation,
                               .outcome = scored.outcome,
                               .score = scored.score};
    const char *reasons[5];

    assert_int_equal(lf_result_reasons(*state, &result, reasons, 5), 3);
    assert_string_equal(reasons[0], "No");
    assert_string_equal(reasons[1], "B: g is missing (0 of 20)");
    assert_string_equal(reasons[2], "Size \"x\" 7\t: over (+10 of 10)");
    assert_int_equal(lf_result_reasons(*state, &result, reasons, 2), 2);
    assert_int_equal(lf_result_reasons(*state, &result, reasons, 0), 0);
}

/* A value of 1,000 characters stands whole, a longer one ends in dots; a reason repeats 80 of them. */
static void
test_long_values(void **state)
{
    const struct lf_icp *icp = support_icp_when(*state, "{'field':'f','exists':true}");
    const struct lf_program *program = support_program(&icp, 1, NULL);

    for (size_t length = 999; length <= 1001; length++) {
        struct lf_buf lead, buf;
        const struct lf_json *root = NULL;
        const char *value = NULL, *reason = NULL;

        lf_buf_init(&lead, *state, 1 << 20);
        lf_buf_lit(&lead, "{'f':'");
        for (size_t i = 0; i < length; i++)
            lf_buf_lit(&lead, "€");
        lf_buf_lit(&lead, "'}");
        buf = tell(*state, program, support_json(*state, lf_buf_terminate(&lead)), LF_EXPLAIN_FULL, 0);
        root = parse(*state, &buf);
        value = text_at(root, "results.0.attributes.0.value");
        reason = text_at(root, "reason_1");
        assert_int_equal(lf_text_length(value, strlen(value)), length);
        assert_true((strstr(value, "…") != NULL) == (length > 1000));
        assert_int_equal(lf_text_length(reason, strlen(reason)), strlen("A ") + 80 + strlen(".: rule (+10 of 10)"));
        assert_non_null(strstr(reason, "€…: rule (+10 of 10)"));
    }
}

static void
test_hash(void **state)
{
    const struct lf_icp *icp = support_icp_when(*state, "{'field':'f','is':1}");
    const struct lf_teller *teller = lf_teller_create(*state, icp, 1);
    char expected[LF_HASH_TEXT_MAX];

    lf_hash_text(icp->hash, expected);
    assert_string_equal(lf_teller_hash(teller), expected);
}

/* Wherever memory runs out while telling, the buffer fails; nothing else happens. */
static void
test_out_of_memory(void **state)
{
    const struct lf_icp *icp = support_config_icp(*state, 0);
    const struct lf_program *program = support_program(&icp, 1, NULL);
    struct support_random random = {11};
    struct support_scored scored =
        support_score(*state, program, 0, support_random_lead(*state, &random, &icp, 1), AS_OF);
    struct lf_result result = {.teller = lf_teller_create(*state, icp, 1),
                               .scorer = scored.scorer,
                               .evaluation = scored.evaluation,
                               .outcome = scored.outcome,
                               .score = scored.score};
    bool worked = false;

    for (size_t max = 64; !worked; max += max / 8) {
        struct lf_arena *arena = lf_arena_create(64, max);
        struct lf_answer answer = {.lead_id = "", .results = &result, .result_count = 1, .explain = LF_EXPLAIN_FULL};
        struct lf_buf buf;

        assert_true(max < (size_t)64 << 20);
        if (arena == NULL)
            continue;
        lf_buf_init(&buf, arena, 64 << 20);
        lf_answer_put(&buf, arena, &answer);
        worked = !lf_buf_failed(&buf);
        lf_arena_destroy(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_levels_of_explanation), SUPPORT_TEST(test_line_and_id), SUPPORT_TEST(test_lists),
        SUPPORT_TEST(test_points_add_up),         SUPPORT_TEST(test_escaping),    SUPPORT_TEST(test_reasons),
        SUPPORT_TEST(test_reasons_for_people),    SUPPORT_TEST(test_long_values), SUPPORT_TEST(test_hash),
        SUPPORT_TEST(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
