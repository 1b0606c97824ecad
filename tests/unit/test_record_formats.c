/*
 * test_record_formats.c - records that are damaged, noise, or of a former format: told, never followed.
 */
#include "record_fixture.h"

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
            status = lf_record_restore(evaluation, i, &record.results[i], &error);
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
    static const struct {
        enum lf_kept kept;
        const char *never;
    } KEPT[] = {{LF_KEPT_WHOLE, ""}, {LF_KEPT_FIELDS, "d,p,n"}, {LF_KEPT_NOTHING, ""}};
    const struct lf_icp *icps[2] = {support_icp_with(*state, RICH), support_config_icp(*state, 1)};
    const struct lf_json *lead =
        support_json(*state, "{'a':'Acme','n':7,'d':'2026-05-01','e':'x','p':[{'t':'Boss'},{'t':null}],'x':'maybe'}");
    struct lf_program *program = NULL;
    const struct lf_outcome *outcomes[2];

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    for (size_t k = 0; k < sizeof KEPT / sizeof *KEPT; k++) {
        struct lf_evaluation *evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
        struct lf_buf buf =
            record_all(*state, evaluation, program, lead, keeping(*state, KEPT[k].kept, KEPT[k].never), outcomes);
        const char *brace = memchr(buf.data, '{', buf.len);
        size_t header = brace != NULL ? (size_t)(brace - buf.data) : buf.len, refused = 0, flips = 0;

        assert_int_equal(read_all(program, (const uint8_t *)buf.data, buf.len, lead), LF_OK);
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
    }
    drop_lists();
}

/* Any bytes at all. */
static void
test_noise(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, RICH);
    const struct lf_json *lead = support_json(*state, "{}");
    struct lf_program *program = NULL;
    struct support_random random = {7};

    make_lists(false);
    program = support_program(&icp, 1, &SOURCE);
    for (int turn = 0; turn < 20000; turn++) {
        static const uint8_t BEGINNINGS[6][5] = {{0},          {1, 1, 5, 0},    {2, 0, 1, 5, 0},
                                                 {3, 0, 1, 5}, {3, 1, 1, 5, 2}, {3, 4, 1, 5, 8}};
        uint8_t bytes[64] = {0};
        size_t len = support_random(&random, sizeof bytes + 1);

        memcpy(bytes, BEGINNINGS[turn % 6], 5);
        for (size_t i = turn % 6 == 0 ? 0 : turn % 6 == 1 || turn % 6 == 3 ? 4 : 5; i < len; i++)
            bytes[i] = (uint8_t)support_random(&random, turn % 3 == 0 ? 256 : 24);
        (void)read_all(program, bytes, len, lead);
    }
    drop_lists();
}

/* ---- former formats ---- */

/* Records as they were written once, their input left out: the definition RICH, then one that asks `two`. */
static const struct {
    int format;
    bool whole;
    const char *lead, *bytes, *lists[2];
} FORMER[] = {
    {1,
     false,
     "{'a':'Acme','n':7,'d':'2026-05-01','e':'x','p':[{'t':'Boss'},{'t':null}],'x':'maybe'}",
     "0102010011000100080102d8ad3c010004020001000002010400010000",
     {"one 0, two 0, none 0", "two 0"}},
    {1,
     false,
     "{'a':['x',12,null],'n':3,'d':'2026-01-01','e':'2025-12-24','p':{'t':'the boss'},'x':true}",
     "0102010011020000080202c5bc33000104010206010602010401000001",
     {"one 0, two 0, none 0", "two 0"}},
    {1, false, "{}", "010201001112000000120002021200040402020606060201051200000006", {"one 0, two 0, none 0", "two 0"}},
    {2,
     false,
     "{'a':'Acme','n':7,'d':'2026-05-01','e':'x','p':[{'t':'Boss'},{'t':null}],'x':'maybe'}",
     "020002010016000100080102d8ad3c0100040200010700f0a204000002010700010000f0a204",
     {RICH_LISTS, "two 70000"}},
    {2,
     true,
     "{'a':['x',12,null],'n':3,'d':'2026-01-01','e':'2025-12-24','p':{'t':'the boss'},'x':true}",
     "020102010016020000080202c5bc330001040102060701f0a204060002010701000001f0a204",
     {RICH_LISTS, "two 70000"}},
    {2,
     false,
     "{}",
     "0200020100161200000012000202120004040202060706f0a20406000201081200000006f0a204",
     {RICH_LISTS, "two 70000"}},
};

static size_t
from_hex(const char *hex, uint8_t *bytes)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return len;
}

/* They are read for good: what they say is what the same lead gives today; revisions that they do not say are 0, and
 * which fields were missing nobody knows. Erased, and kept elsewhere, their results stay what they are. */
static void
test_former_formats(void **state)
{
    const struct lf_icp *icps[2] = {support_icp_with(*state, RICH),
                                    support_icp_when(*state, "{'not':{'field':'a','in_list':'two'}}")};
    struct lf_program *program = NULL, *later = support_program(icps, 2, NULL);

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    for (size_t f = 0; f < sizeof FORMER / sizeof *FORMER; f++) {
        const char *text = support_quoted(*state, FORMER[f].lead);
        const struct lf_json *lead = support_json(*state, text), *input = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF)),
                             *repeat = NULL;
        uint8_t bytes[256];
        size_t header = from_hex(FORMER[f].bytes, bytes), len = header + strlen(text);
        struct lf_record record, erased;
        struct lf_error error;
        struct lf_buf buf;

        memcpy(bytes + header, text, strlen(text));
        assert_int_equal(lf_record_read(*state, bytes, len, &record, &error), LF_OK);
        assert_int_equal(record.result_count, 2);
        assert_int_equal(record.kept, FORMER[f].whole ? LF_KEPT_WHOLE : LF_KEPT_FIELDS);
        assert_int_equal(record.input_len, strlen(text));
        assert_memory_equal(record.input, text, record.input_len);
        assert_int_equal(lf_record_parse_input(*state, &record, &input, &error), LF_OK);
        lf_buf_init(&buf, *state, 1 << 16);
        assert_int_equal(lf_record_anonymise(&buf, bytes, len, &error), LF_OK);
        assert_int_equal(lf_record_read(*state, buf.data, buf.len, &erased, &error), LF_OK);
        assert_int_equal(erased.kept, LF_KEPT_ERASED);
        repeat = lf_evaluation_create(later, *state, input, support_ms(AS_OF));
        assert_non_null(evaluation);
        assert_non_null(repeat);
        for (size_t i = 0; i < 2; i++) {
            const struct lf_outcome *expected = lf_evaluate(evaluation, i), *again = NULL;

            assert_non_null(expected);
            assert_int_equal(record.results[i].version_id, i + 1);
            assert_true(record.results[i].shadow == (i == 1));
            assert_int_equal(record.results[i].format, FORMER[f].format);
            assert_false(record.results[i].withheld);
            assert_int_equal(lf_record_outcome(*state, icps[i], &record.results[i], &again, &error), LF_OK);
            assert_null(again->missing);
            assert_true(lf_outcome_equal(icps[i], expected, again));
            assert_int_equal(lf_record_restore(repeat, i, &record.results[i], &error), LF_OK);
            assert_string_equal(told_lists(*state, repeat, i), FORMER[f].lists[i]);
            again = lf_evaluate(repeat, i);
            assert_non_null(again);
            assert_true(lf_outcome_equal(icps[i], expected, again));

            assert_int_equal(erased.results[i].version_id, i + 1);
            assert_true(erased.results[i].shadow == (i == 1));
            assert_int_equal(erased.results[i].format, FORMER[f].format);
            assert_int_equal(lf_record_outcome(*state, icps[i], &erased.results[i], &again, &error), LF_OK);
            assert_null(again->missing);
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
        enum lf_kept kept;
    } ROWS[] = {
        {{1, 1, 5, 0, 0, '{', '}', ' '}, LF_OK, LF_KEPT_FIELDS},
        {{2, 0, 1, 5, 0, 0, '{', '}'}, LF_OK, LF_KEPT_FIELDS},
        {{2, 1, 1, 5, 0, 0, '{', '}'}, LF_OK, LF_KEPT_WHOLE},
        {{3, 0, 1, 5, 0, 0, '{', '}'}, LF_OK, LF_KEPT_FIELDS},
        {{3, 1, 1, 5, 3, 0, '{', '}'}, LF_OK, LF_KEPT_WHOLE},
        {{3, 2, 1, 5, 2, 0, '{', '}'}, LF_OK, LF_KEPT_HASHES},
        {{3, 3, 1, 5, 3, 2, 0, 0}, LF_OK, LF_KEPT_NOTHING},
        {{3, 4, 1, 5, 5, 2, 0, 0}, LF_OK, LF_KEPT_ERASED}, /* a result of the first format */
        {{3, 4, 1, 5, 9, 2, 0, 0}, LF_OK, LF_KEPT_ERASED}, /* of the second */
        {{3, 3, 1, 5, 3, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0},
        {{3, 4, 1, 5, 1, 1, 0, '{'}, LF_STORAGE_CORRUPT, 0}, /* erased, and yet with an input */
        {{3, 5, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0},
        {{3, 4, 1, 5, 12, 2, 0, 0}, LF_STORAGE_CORRUPT, 0}, /* of both */
        {{3, 4, 1, 5, 6, 2, 0, 0}, LF_STORAGE_CORRUPT, 0},  /* fields withheld before that was known */
        {{3, 0, 1, 5, 16, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0},
        {{0, 1, 5, 0, 0, '{', '}', ' '}, LF_STORAGE_CORRUPT, 0},
        {{4, 0, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0},
        {{2, 2, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0}, /* a flag that nobody set */
        {{2, 3, 1, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0},
        {{2, 0, 1, 5, 4, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0},
        {{2, 0, 0, 5, 0, 0, '{', '}'}, LF_STORAGE_CORRUPT, 0}, /* no results */
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_record record;
        struct lf_error error;
        struct lf_buf buf;
        enum lf_status status = lf_record_read(*state, ROWS[i].bytes, sizeof ROWS[i].bytes, &record, &error);

        if (status != ROWS[i].status)
            fail_msg("row %zu: %s", i, lf_status_word(status));
        if (status == LF_OK) {
            assert_int_equal(record.kept, ROWS[i].kept);
            assert_memory_equal(record.input, "{}", 2);
            assert_true(record.input_len == 2 || record.input_len == 3);
            lf_buf_init(&buf, *state, 100);
            assert_int_equal(lf_record_anonymise(&buf, ROWS[i].bytes, sizeof ROWS[i].bytes, &error), LF_OK);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_damage),
        SUPPORT_TEST(test_noise),
        SUPPORT_TEST(test_former_formats),
        SUPPORT_TEST(test_unknown_format),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
