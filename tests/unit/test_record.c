/*
 * test_record.c - what is recorded comes back the same, and damage is told, never followed.
 */
#include "core/record.h"

#include "support.h"

#define AS_OF "2026-06-15T12:00:00Z"

/* A definition with everything that a record holds: fading, lists, disqualifiers, skipping, unknowns. */
#define RICH                                                                                             \
    "'attributes':["                                                                                     \
    "{'key':'a','label':'A','category':'need','weight':10,'rules':["                                     \
    "{'when':{'field':'a','in_list':'one'},'fit':0.7},{'when':{'field':'n','gt':5},'fit':-0.3}]},"       \
    "{'key':'b','label':'B','category':'need','weight':20,'missing':'skip','otherwise':-0.25,'rules':["  \
    "{'when':{'field':'d','within_days':90},'fade':{'field':'d','days':90}},"                            \
    "{'when':{'field':'d','within_days':200},'fit':-1,'fade':{'field':'e','days':300}}]},"               \
    "{'key':'c','label':'C','category':'legal','axis':'engagement','weight':5,'missing':0.125,'rules':[" \
    "{'when':{'all':[{'field':'p.t','has_word':'boss'},{'field':'a','in_list':'two'}]}}]}],"             \
    "'disqualifiers':[{'key':'x','reason':'X','when':{'field':'x','is':true}},"                          \
    "{'key':'y','reason':'Y','when':{'field':'a','in_list':'none'}}]"

static struct lf_named_list *lists[2];

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    (void)context;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(lists[i]->key, key) == 0)
            return lists[i];
    return NULL;
}

static const struct lf_list_source SOURCE = {find_list, NULL};

static void
make_lists(bool turned)
{
    const char *const one[] = {"something", "Acme"}, *const two[] = {"12", "something"};
    struct lf_error error;

    assert_int_equal(lf_named_list_create("one", turned ? 8 : 7, turned ? two : one, turned ? 1 : 2, &lists[0], &error),
                     LF_OK);
    assert_int_equal(
        lf_named_list_create("two", turned ? 1 : 70000, turned ? one : two, turned ? 1 : 2, &lists[1], &error), LF_OK);
}

static void
drop_lists(void)
{
    lf_named_list_destroy(lists[0]);
    lf_named_list_destroy(lists[1]);
}

/* "one 7, two 300", as the evaluation has them. */
static const char *
told_lists(struct lf_arena *arena, const struct lf_evaluation *evaluation, size_t index)
{
    struct lf_list_use uses[8];
    size_t count = lf_evaluation_lists(evaluation, index, NULL);
    struct lf_buf buf;

    assert_true(count <= 8);
    assert_int_equal(lf_evaluation_lists(evaluation, index, uses), count);
    lf_buf_init(&buf, arena, 4096);
    for (size_t i = 0; i < count; i++)
        lf_buf_printf(&buf, "%s%s %lld", i > 0 ? ", " : "", uses[i].key, (long long)uses[i].revision);
    return lf_buf_terminate(&buf);
}

/* A record of every ICP of the program, each second one in shadow. */
static struct lf_buf
record_all(struct lf_arena *arena, struct lf_evaluation *evaluation, const struct lf_program *program,
           const struct lf_json *lead, bool whole, const struct lf_outcome **ret_outcomes)
{
    bool wanted[64] = {false};
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 8 << 20);
    lf_record_begin(&buf, lf_program_count(program), whole);
    for (size_t i = 0; i < lf_program_count(program); i++) {
        wanted[i] = true;
        ret_outcomes[i] = lf_evaluate(evaluation, i);
        assert_non_null(ret_outcomes[i]);
        lf_record_put_result(&buf, evaluation, i, ret_outcomes[i], i % 2 == 1);
    }
    lf_record_put_input(&buf, evaluation, lead, wanted, whole);
    assert_false(lf_buf_failed(&buf));
    return buf;
}

#define RICH_LISTS "one 7, two 70000, none 0"

/* The ICPs of config and the rich one, with random leads: what comes back is the same, and so is a repeat from the
 * recorded input, although the lists have changed meanwhile. A repeat that is recorded makes the same record. */
static void
test_round_trips(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS + 1];
    struct support_random random = {1};
    const struct lf_program *program = NULL, *later = NULL;
    size_t statuses[3] = {0}, verdicts[3] = {0}, faded = 0;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    icps[SUPPORT_CONFIG_ICPS] = support_icp_with(*state, RICH);
    make_lists(false);
    program = support_program(icps, SUPPORT_CONFIG_ICPS + 1, &SOURCE);

    struct lf_named_list *first[2] = {lists[0], lists[1]};
    make_lists(true);
    later = support_program(icps, SUPPORT_CONFIG_ICPS + 1, &SOURCE);

    for (int turn = 0; turn < 400; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 64 << 20);
        const struct lf_json *lead =
            support_random_lead(arena, &random, turn % 2 == 0 ? &icps[SUPPORT_CONFIG_ICPS] : icps,
                                turn % 2 == 0 ? 1 : SUPPORT_CONFIG_ICPS + 1);
        const struct lf_outcome *outcomes[64], *again = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, arena, lead, support_ms(AS_OF)),
                             *repeat = NULL;
        struct lf_buf buf = record_all(arena, evaluation, program, lead, turn % 3 == 0, outcomes);
        const struct lf_json *input = NULL;
        struct lf_record record;
        struct lf_error error;

        assert_int_equal(lf_record_read(arena, buf.data, buf.len, &record, &error), LF_OK);
        assert_int_equal(record.result_count, SUPPORT_CONFIG_ICPS + 1);
        assert_true(record.whole == (turn % 3 == 0));
        assert_string_equal(told_lists(arena, evaluation, SUPPORT_CONFIG_ICPS), RICH_LISTS);
        assert_int_equal(lf_json_parse(arena, record.input, record.input_len, &LF_JSON_DOCUMENT_LIMITS, &input, &error),
                         LF_OK);
        repeat = lf_evaluation_create(later, arena, input, support_ms(AS_OF));
        assert_non_null(repeat);
        assert_string_equal(told_lists(arena, repeat, SUPPORT_CONFIG_ICPS), "one 8, two 1, none 0");
        for (size_t i = 0; i < record.result_count; i++)
            assert_int_equal(lf_record_restore_lists(repeat, i, &record.results[i], &error), LF_OK);
        assert_string_equal(told_lists(arena, repeat, SUPPORT_CONFIG_ICPS), RICH_LISTS);
        assert_string_equal(told_lists(arena, repeat, 0), "");
        for (size_t i = 0; i < record.result_count; i++) {
            assert_int_equal(record.results[i].version_id, i + 1);
            assert_true(record.results[i].shadow == (i % 2 == 1));
            assert_int_equal(lf_record_outcome(arena, icps[i], &record.results[i], &again, &error), LF_OK);
            assert_true(lf_outcome_equal(icps[i], outcomes[i], again));
            again = lf_evaluate(repeat, i);
            assert_non_null(again);
            assert_true(lf_outcome_equal(icps[i], outcomes[i], again));
        }
        struct lf_buf anew = record_all(arena, repeat, later, input, record.whole, outcomes);
        assert_int_equal(anew.len, buf.len);
        assert_memory_equal(anew.data, buf.data, buf.len);
        for (size_t a = 0; a < icps[SUPPORT_CONFIG_ICPS]->attribute_count; a++) {
            const struct lf_attribute_outcome *o = &outcomes[SUPPORT_CONFIG_ICPS]->attributes[a];
            statuses[o->status]++;
            faded += o->status == LF_ATTRIBUTE_MATCHED &&
                     o->fit != icps[SUPPORT_CONFIG_ICPS]->attributes[a].rules[o->rule].fit;
        }
        verdicts[outcomes[SUPPORT_CONFIG_ICPS]->disqualifiers[0]]++;
        lf_arena_destroy(arena);
    }
    drop_lists();
    lists[0] = first[0];
    lists[1] = first[1];
    drop_lists();
    /* The leads have met every case. */
    for (int i = 0; i < 3; i++)
        assert_true(statuses[i] > 5 && verdicts[i] > 5);
    assert_true(faded > 5);
}

/* ---- damage ---- */

/* Everything that reads a record, on a copy of exactly its size, so that ASan sees a byte too many. */
static enum lf_status
read_all(const struct lf_program *program, const uint8_t *bytes, size_t len, const struct lf_json *lead)
{
    struct lf_arena *arena = lf_arena_create(4096, 64 << 20);
    uint8_t *copy = malloc(len > 0 ? len : 1);
    const struct lf_outcome *outcome = NULL;
    struct lf_record record;
    struct lf_error error;
    enum lf_status status = LF_OK;

    assert_non_null(arena);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    status = lf_record_read(arena, copy, len, &record, &error);
    for (size_t i = 0; status == LF_OK && i < record.result_count; i++) {
        const struct lf_icp *icp = lf_program_member(program, i % lf_program_count(program))->icp;
        const struct lf_scorer *scorer = lf_scorer_create(arena, icp);
        struct lf_evaluation *evaluation = lf_evaluation_create(program, arena, lead, support_ms(AS_OF));
        struct lf_score score;

        assert_non_null(scorer);
        assert_non_null(evaluation);
        status = lf_record_outcome(arena, icp, &record.results[i], &outcome, &error);
        if (status != LF_OK)
            break;
        /* What is read can be used: every index and enum in it is one. */
        for (size_t a = 0; a < icp->attribute_count; a++) {
            const struct lf_attribute_outcome *o = &outcome->attributes[a];
            assert_true(o->status <= LF_ATTRIBUTE_UNKNOWN && o->field < icp->fields.count);
            assert_true(o->rule < (int)icp->attributes[a].rule_count && o->rule >= LF_NO_RULE);
            assert_true(o->missing == LF_NO_FIELD || o->missing < icp->fields.count);
        }
        assert_true(lf_score_outcome(scorer, outcome, arena, &score));
        if (i < lf_program_count(program))
            status = lf_record_restore_lists(evaluation, i, &record.results[i], &error);
        if (status == LF_OK) {
            outcome = lf_evaluate(evaluation, i % lf_program_count(program));
            assert_non_null(outcome);
            for (size_t d = 0; d < icp->disqualifier_count; d++)
                assert_true(outcome->disqualifiers[d] <= LF_VERDICT_UNKNOWN);
        }
    }
    assert_true(status == LF_OK || status == LF_STORAGE_CORRUPT);
    free(copy);
    lf_arena_destroy(arena);
    return status;
}

static void
test_damage(void **state)
{
    const struct lf_icp *icps[2] = {support_icp_with(*state, RICH), support_config_icp(*state, 1)};
    const struct lf_json *lead =
        support_json(*state, "{'a':'Acme','n':7,'d':'2026-05-01','e':'x','p':[{'t':'Boss'},{'t':null}],'x':'maybe'}");
    const struct lf_program *program = NULL;
    const struct lf_outcome *outcomes[2];
    struct lf_evaluation *evaluation = NULL;
    struct lf_buf buf;
    size_t header = 0, refused = 0, flips = 0;

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
    buf = record_all(*state, evaluation, program, lead, true, outcomes);
    assert_int_equal(read_all(program, (const uint8_t *)buf.data, buf.len, lead), LF_OK);
    header = (size_t)((const char *)memchr(buf.data, '{', buf.len) - buf.data);

    /* The input runs to the end: a record cut within it has lost only that, which its own reader will see. */
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(read_all(program, (const uint8_t *)buf.data, len, lead),
                         len < header ? LF_STORAGE_CORRUPT : LF_OK);
    for (size_t at = 0; at < header; at++)
        for (unsigned bit = 0; bit < 256; bit = bit < 8 ? bit + 1 : bit + 31) {
            uint8_t was = (uint8_t)buf.data[at];
            uint8_t now = (uint8_t)(bit < 8 ? was ^ 1u << bit : bit);

            buf.data[at] = (char)now;
            refused += read_all(program, (const uint8_t *)buf.data, buf.len, lead) != LF_OK;
            buf.data[at] = (char)was;
            flips++;
        }
    assert_true(refused > flips / 4);
    drop_lists();
}

/* Any bytes at all. */
static void
test_noise(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, RICH);
    const struct lf_json *lead = support_json(*state, "{}");
    const struct lf_program *program = NULL;
    struct support_random random = {7};

    make_lists(false);
    program = support_program(&icp, 1, &SOURCE);
    for (int turn = 0; turn < 20000; turn++) {
        static const uint8_t BEGINNINGS[4][5] = {{0}, {1, 1, 5, 0}, {2, 0, 1, 5, 0}, {2, 1, 1, 5, 1}};
        uint8_t bytes[64] = {0};
        size_t len = support_random(&random, sizeof bytes + 1);

        memcpy(bytes, BEGINNINGS[turn % 4], 5);
        for (size_t i = turn % 4 == 0 ? 0 : turn % 4 == 1 ? 4 : 5; i < len; i++)
            bytes[i] = (uint8_t)support_random(&random, turn % 3 == 0 ? 256 : 24);
        (void)read_all(program, bytes, len, lead);
    }
    drop_lists();
}

/* A recorded answer of a list is one of those there are; another byte is damage. So are revisions that are none, and
 * fewer or more answers than the definition has lists. */
static void
test_list_answers(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool first_format;
        const char *lists; /* NULL: damage */
    } TAILS[] = {
        {"\x01\x07", 2, false, "one 7"},
        {"\x01\x00", 2, false, "one 0"},
        {"\x01\xf0\xa2\x04", 4, false, "one 70000"},
        {"\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, false, "one 9223372036854775807"},
        {"\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, false, NULL}, /* one more than that */
        {"\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, false, NULL},
        {"\x01\xff", 2, false, NULL}, /* cut */
        {"\x01", 1, false, NULL},
        {"", 0, false, NULL},
        {"\x01\x07\x00", 3, false, NULL},
        {"\x01\x07\x01\x07", 4, false, NULL},
        {"\x01", 1, true, "one 0"},
        {"\x01\x07", 2, true, NULL},
        {"", 0, true, NULL},
    };
    const struct lf_icp *icp =
        support_icp_with(*state, "'attributes':[{'key':'a','label':'A','category':'need','weight':1,"
                                 "'rules':[{'when':{'field':'a','in_list':'one'}}]}]");
    const struct lf_json *lead = support_json(*state, "{'a':'Acme'}");
    const struct lf_outcome *outcomes[1];
    struct lf_evaluation *evaluation = NULL;
    struct lf_record record;
    struct lf_error error;
    struct lf_buf buf;
    const struct lf_program *program = NULL;

    make_lists(false);
    program = support_program(&icp, 1, &SOURCE);
    evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
    buf = record_all(*state, evaluation, program, lead, true, outcomes);
    assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t bytes[64];
        struct lf_recorded_result result = record.results[0];
        bool known = byte <= 1 || byte == 6 || byte == 10 || byte == 14 || byte == 255;

        assert_true(result.len <= sizeof bytes);
        memcpy(bytes, result.bytes, result.len);
        bytes[result.len - 2] = (uint8_t)byte;
        result.bytes = bytes;
        if ((lf_record_restore_lists(evaluation, 0, &result, &error) == LF_OK) != known)
            fail_msg("byte %u", byte);
    }
    for (size_t i = 0; i < sizeof TAILS / sizeof *TAILS; i++) {
        uint8_t bytes[64];
        struct lf_recorded_result result = record.results[0];
        enum lf_status status = LF_OK;

        memcpy(bytes, result.bytes, result.len - 2);
        memcpy(bytes + result.len - 2, TAILS[i].bytes, TAILS[i].len);
        result.len += TAILS[i].len - 2;
        result.bytes = bytes;
        result.revisions = !TAILS[i].first_format;
        status = lf_record_restore_lists(evaluation, 0, &result, &error);
        if (status != (TAILS[i].lists != NULL ? LF_OK : LF_STORAGE_CORRUPT))
            fail_msg("tail %zu: %s", i, lf_status_word(status));
        if (status == LF_OK)
            assert_string_equal(told_lists(*state, evaluation, 0), TAILS[i].lists);
    }
    drop_lists();
}

/* One ICP restored: the lists that only another one asks stay as they are now. */
static void
test_one_restored(void **state)
{
    const struct lf_icp *icps[2] = {support_icp_when(*state, "{'field':'a','in_list':'one'}"),
                                    support_icp_when(*state, "{'any':[{'field':'a','in_list':'two'},"
                                                             "{'field':'b','in_list':'one'}]}")};
    const struct lf_json *lead = support_json(*state, "{}");
    const struct lf_program *program = NULL, *later = NULL;
    const struct lf_outcome *outcomes[2];
    struct lf_evaluation *evaluation = NULL;
    struct lf_record record;
    struct lf_error error;
    struct lf_buf buf;

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
    assert_non_null(evaluation);
    buf = record_all(*state, evaluation, program, lead, false, outcomes);
    assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
    drop_lists();
    make_lists(true);
    later = support_program(icps, 2, &SOURCE);
    evaluation = lf_evaluation_create(later, *state, lead, support_ms(AS_OF));
    assert_non_null(evaluation);
    assert_int_equal(lf_record_restore_lists(evaluation, 0, &record.results[0], &error), LF_OK);
    assert_string_equal(told_lists(*state, evaluation, 0), "one 7");
    assert_string_equal(told_lists(*state, evaluation, 1), "two 1, one 7");
    assert_int_equal(lf_record_restore_lists(evaluation, 1, &record.results[1], &error), LF_OK);
    assert_string_equal(told_lists(*state, evaluation, 1), "two 70000, one 7");
    drop_lists();
}

/* ---- the first format ---- */

/* Records as the first format wrote them, their input left out: the definition RICH, then one that asks `two`. */
static const struct {
    const char *lead, *bytes;
} FIRST_FORMAT[] = {
    {"{'a':'Acme','n':7,'d':'2026-05-01','e':'x','p':[{'t':'Boss'},{'t':null}],'x':'maybe'}",
     "0102010011000100080102d8ad3c010004020001000002010400010000"},
    {"{'a':['x',12,null],'n':3,'d':'2026-01-01','e':'2025-12-24','p':{'t':'the boss'},'x':true}",
     "0102010011020000080202c5bc33000104010206010602010401000001"},
    {"{}", "010201001112000000120002021200040402020606060201051200000006"},
};

/* They are read for good: what they say is what the same lead gives today; what they do not say is 0. */
static void
test_first_format(void **state)
{
    const struct lf_icp *icps[2] = {support_icp_with(*state, RICH),
                                    support_icp_when(*state, "{'not':{'field':'a','in_list':'two'}}")};
    const struct lf_program *program = NULL, *later = support_program(icps, 2, NULL);

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    for (size_t f = 0; f < sizeof FIRST_FORMAT / sizeof *FIRST_FORMAT; f++) {
        const char *hex = FIRST_FORMAT[f].bytes, *text = support_quoted(*state, FIRST_FORMAT[f].lead);
        const struct lf_json *lead = support_json(*state, text), *input = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF)),
                             *repeat = NULL;
        uint8_t bytes[256];
        size_t header = strlen(hex) / 2, len = header + strlen(text);
        struct lf_record record;
        struct lf_error error;

        for (size_t i = 0; i < header; i++) {
            unsigned byte = 0;

            assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
            bytes[i] = (uint8_t)byte;
        }
        memcpy(bytes + header, text, strlen(text));
        assert_int_equal(lf_record_read(*state, bytes, len, &record, &error), LF_OK);
        assert_int_equal(record.result_count, 2);
        assert_false(record.whole);
        assert_int_equal(record.input_len, strlen(text));
        assert_memory_equal(record.input, text, record.input_len);
        assert_int_equal(lf_json_parse(*state, record.input, record.input_len, &LF_JSON_DOCUMENT_LIMITS, &input, NULL),
                         LF_OK);
        repeat = lf_evaluation_create(later, *state, input, support_ms(AS_OF));
        assert_non_null(evaluation);
        assert_non_null(repeat);
        for (size_t i = 0; i < 2; i++) {
            const struct lf_outcome *expected = lf_evaluate(evaluation, i), *again = NULL;

            assert_non_null(expected);
            assert_int_equal(record.results[i].version_id, i + 1);
            assert_true(record.results[i].shadow == (i == 1));
            assert_int_equal(lf_record_outcome(*state, icps[i], &record.results[i], &again, &error), LF_OK);
            assert_true(lf_outcome_equal(icps[i], expected, again));
            assert_int_equal(lf_record_restore_lists(repeat, i, &record.results[i], &error), LF_OK);
            assert_string_equal(told_lists(*state, repeat, i), i == 0 ? "one 0, two 0, none 0" : "two 0");
            again = lf_evaluate(repeat, i);
            assert_non_null(again);
            assert_true(lf_outcome_equal(icps[i], expected, again));
        }
        /* Damaged, they are refused as any other. */
        for (size_t cut = 0; cut < header; cut++)
            assert_int_equal(read_all(program, bytes, cut, lead), LF_STORAGE_CORRUPT);
        for (size_t at = 0; at < header; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[at] ^= (uint8_t)(1u << bit);
                (void)read_all(program, bytes, len, lead);
                bytes[at] ^= (uint8_t)(1u << bit);
            }
    }
    drop_lists();
}

static void
test_unknown_format(void **state)
{
    static const struct {
        uint8_t bytes[8];
        enum lf_status status;
    } ROWS[] = {
        {{1, 1, 5, 0, 0, '{', '}', ' '}, LF_OK},
        {{2, 0, 1, 5, 0, 0, '{', '}'}, LF_OK},
        {{2, 1, 1, 5, 0, 0, '{', '}'}, LF_OK},
        {{0, 1, 5, 0, 0, '{', '}', ' '}, LF_STORAGE_CORRUPT},
        {{3, 0, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT},
        {{2, 2, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT}, /* a flag that nobody set */
        {{2, 3, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT},
        {{2, 0, 0, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT}, /* no results */
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_record record;
        struct lf_error error;
        enum lf_status status = lf_record_read(*state, ROWS[i].bytes, sizeof ROWS[i].bytes, &record, &error);

        if (status != ROWS[i].status)
            fail_msg("row %zu: %s", i, lf_status_word(status));
        if (status == LF_OK)
            assert_true(record.whole == (ROWS[i].bytes[0] == 2 && ROWS[i].bytes[1] == 1));
    }
}

/* An outcome differs when any member of it does. */
static void
test_equal(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, RICH);
    const struct lf_json *lead = support_json(*state, "{'a':'Acme'}");
    struct support_scored scored;

    make_lists(false);
    scored = support_score(*state, support_program(&icp, 1, &SOURCE), 0, lead, AS_OF);
    for (int member = 0; member < 8; member++) {
        struct lf_attribute_outcome attributes[3];
        uint8_t disqualifiers[2];
        struct lf_outcome other = {attributes, disqualifiers};

        memcpy(attributes, scored.outcome->attributes, sizeof attributes);
        memcpy(disqualifiers, scored.outcome->disqualifiers, sizeof disqualifiers);
        assert_true(lf_outcome_equal(icp, scored.outcome, &other));
        switch (member) {
        case 0:
            attributes[2].status =
                attributes[2].status == LF_ATTRIBUTE_UNKNOWN ? LF_ATTRIBUTE_UNMATCHED : LF_ATTRIBUTE_UNKNOWN;
            break;
        case 1:
            attributes[0].invalid = !attributes[0].invalid;
            break;
        case 2:
            attributes[1].rule++;
            break;
        case 3:
            attributes[1].fit++;
            break;
        case 4:
            attributes[0].field++;
            break;
        case 5:
            attributes[2].missing--;
            break;
        default:
            disqualifiers[member - 6]++;
        }
        assert_false(lf_outcome_equal(icp, scored.outcome, &other));
    }
    drop_lists();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_round_trips),    SUPPORT_TEST(test_damage),       SUPPORT_TEST(test_noise),
        SUPPORT_TEST(test_list_answers),   SUPPORT_TEST(test_one_restored), SUPPORT_TEST(test_first_format),
        SUPPORT_TEST(test_unknown_format), SUPPORT_TEST(test_equal),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
