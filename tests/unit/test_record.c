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

    assert_int_equal(lf_named_list_create("one", 1, turned ? two : one, turned ? 1 : 2, &lists[0], &error), LF_OK);
    assert_int_equal(lf_named_list_create("two", 1, turned ? one : two, turned ? 1 : 2, &lists[1], &error), LF_OK);
}

static void
drop_lists(void)
{
    lf_named_list_destroy(lists[0]);
    lf_named_list_destroy(lists[1]);
}

/* A record of every ICP of the program, each second one in shadow. */
static struct lf_buf
record_all(struct lf_arena *arena, struct lf_evaluation *evaluation, const struct lf_program *program,
           const struct lf_json *lead, bool whole, const struct lf_outcome **ret_outcomes)
{
    bool wanted[64] = {false};
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 8 << 20);
    lf_record_begin(&buf, lf_program_count(program));
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

/* The ICPs of config and the rich one, with random leads: what comes back is the same, and so is a repeat from the
 * recorded input, although the lists have changed meanwhile. */
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
        assert_int_equal(lf_json_parse(arena, record.input, record.input_len, &LF_JSON_DOCUMENT_LIMITS, &input, &error),
                         LF_OK);
        repeat = lf_evaluation_create(later, arena, input, support_ms(AS_OF));
        assert_non_null(repeat);
        for (size_t i = 0; i < record.result_count; i++)
            assert_int_equal(lf_record_restore_lists(repeat, i, &record.results[i], &error), LF_OK);
        for (size_t i = 0; i < record.result_count; i++) {
            assert_int_equal(record.results[i].version_id, i + 1);
            assert_true(record.results[i].shadow == (i % 2 == 1));
            assert_int_equal(lf_record_outcome(arena, icps[i], &record.results[i], &again, &error), LF_OK);
            assert_true(lf_outcome_equal(icps[i], outcomes[i], again));
            again = lf_evaluate(repeat, i);
            assert_non_null(again);
            assert_true(lf_outcome_equal(icps[i], outcomes[i], again));
        }
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
        uint8_t bytes[64] = {1, 1, 5, 0};
        size_t len = support_random(&random, sizeof bytes + 1);

        for (size_t i = turn % 2 == 0 ? 0 : 4; i < len; i++)
            bytes[i] = (uint8_t)support_random(&random, turn % 3 == 0 ? 256 : 24);
        (void)read_all(program, bytes, len, lead);
    }
    drop_lists();
}

/* A recorded answer of a list is one of those there are; another byte is damage. */
static void
test_list_answers(void **state)
{
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
        bytes[result.len - 1] = (uint8_t)byte;
        result.bytes = bytes;
        if ((lf_record_restore_lists(evaluation, 0, &result, &error) == LF_OK) != known)
            fail_msg("byte %u", byte);
    }
    drop_lists();
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
        SUPPORT_TEST(test_round_trips),  SUPPORT_TEST(test_damage), SUPPORT_TEST(test_noise),
        SUPPORT_TEST(test_list_answers), SUPPORT_TEST(test_equal),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
