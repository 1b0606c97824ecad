/*
 * test_record.c - what is recorded comes back the same, whatever is kept of the lead.
 */
#include "record_fixture.h"

/* Whether nothing but the results is the same: an input of hashes is not made again of nothing. */
static size_t
results_len(const struct lf_record *record, const struct lf_buf *buf)
{
    return record->kept == LF_KEPT_HASHES ? buf->len - record->input_len : buf->len;
}

/* The ICPs of config and the rich one, with random leads, kept in all ways: what comes back is the same, and so is a
 * repeat from the record, although the lists have changed meanwhile. A repeat that is recorded makes the same record.
 */
static void
test_round_trips(void **state)
{
    const struct lf_icp *icps[SUPPORT_CONFIG_ICPS + 1];
    struct support_random random = {1};
    struct lf_program *program = NULL, *later = NULL;
    size_t statuses[3] = {0}, verdicts[3] = {0}, faded = 0, fading_withheld = 0, missing = 0;

    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++)
        icps[i] = support_config_icp(*state, i);
    icps[SUPPORT_CONFIG_ICPS] = support_icp_with(*state, RICH);
    make_lists(false);
    program = support_program(icps, SUPPORT_CONFIG_ICPS + 1, &SOURCE);

    struct lf_named_list *first[2] = {lists[0], lists[1]};
    make_lists(true);
    later = support_program(icps, SUPPORT_CONFIG_ICPS + 1, &SOURCE);

    for (size_t turn = 0; turn < 1600; turn++) {
        struct lf_arena *arena = lf_arena_create(65536, 64 << 20);
        const struct lf_json *lead =
            support_random_lead(arena, &random, turn % 2 == 0 ? &icps[SUPPORT_CONFIG_ICPS] : icps,
                                turn % 2 == 0 ? 1 : SUPPORT_CONFIG_ICPS + 1);
        const struct lf_outcome *outcomes[64], *again = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, arena, lead, support_ms(AS_OF)),
                             *repeat = NULL;
        const struct lf_privacy *privacy = keeping(arena, WAYS[turn % WAY_COUNT].kept, WAYS[turn % WAY_COUNT].never);
        struct lf_buf buf = record_all(arena, evaluation, program, lead, privacy, outcomes);
        const struct lf_json *input = NULL;
        struct lf_record record;
        struct lf_error error;

        assert_int_equal(lf_record_read(arena, buf.data, buf.len, &record, &error), LF_OK);
        assert_int_equal(record.result_count, SUPPORT_CONFIG_ICPS + 1);
        assert_int_equal(record.kept, WAYS[turn % WAY_COUNT].kept);
        assert_string_equal(told_lists(arena, evaluation, SUPPORT_CONFIG_ICPS), RICH_LISTS);
        assert_int_equal(lf_record_parse_input(arena, &record, &input, &error), LF_OK);
        if (record.kept == LF_KEPT_HASHES)
            input = lf_json_new_object(arena);
        repeat = lf_evaluation_create(later, arena, input, support_ms(AS_OF));
        assert_non_null(repeat);
        assert_string_equal(told_lists(arena, repeat, SUPPORT_CONFIG_ICPS), "one 8, two 1, none 0");
        for (size_t i = 0; i < record.result_count; i++)
            assert_int_equal(lf_record_restore(repeat, i, &record.results[i], &error), LF_OK);
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
        struct lf_buf anew = record_all(arena, repeat, later, input, privacy, outcomes);
        if (record.kept != LF_KEPT_HASHES)
            assert_int_equal(anew.len, buf.len);
        assert_memory_equal(anew.data, buf.data, results_len(&record, &buf));
        for (size_t a = 0; a < icps[SUPPORT_CONFIG_ICPS]->attribute_count; a++) {
            const struct lf_attribute_outcome *o = &outcomes[SUPPORT_CONFIG_ICPS]->attributes[a];
            statuses[o->status]++;
            bool fades = o->status == LF_ATTRIBUTE_MATCHED &&
                         o->fit != icps[SUPPORT_CONFIG_ICPS]->attributes[a].rules[o->rule].fit;

            faded += fades;
            fading_withheld += fades && record.results[SUPPORT_CONFIG_ICPS].withheld;
            missing += o->missing != LF_NO_FIELD && record.results[SUPPORT_CONFIG_ICPS].withheld;
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
    assert_true(faded > 5 && fading_withheld > 5 && missing > 5);
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
    struct lf_program *program = NULL;

    make_lists(false);
    program = support_program(&icp, 1, &SOURCE);
    evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
    buf = record_all(*state, evaluation, program, lead, keeping(*state, LF_KEPT_WHOLE, ""), outcomes);
    assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t bytes[64];
        struct lf_recorded_result result = record.results[0];
        bool known = byte <= 1 || byte == 6 || byte == 10 || byte == 14 || byte == 255;

        assert_true(result.len <= sizeof bytes);
        memcpy(bytes, result.bytes, result.len);
        bytes[result.len - 2] = (uint8_t)byte;
        result.bytes = bytes;
        if ((lf_record_restore(evaluation, 0, &result, &error) == LF_OK) != known)
            fail_msg("byte %u", byte);
    }
    for (size_t i = 0; i < sizeof TAILS / sizeof *TAILS; i++) {
        uint8_t bytes[64];
        struct lf_recorded_result result = record.results[0];
        enum lf_status status = LF_OK;

        size_t missing_at = result.len - 3;

        memcpy(bytes, result.bytes, result.len - 2);
        memcpy(bytes + result.len - 2, TAILS[i].bytes, TAILS[i].len);
        result.len += TAILS[i].len - 2;
        result.bytes = bytes;
        if (TAILS[i].first_format) { /* which had no byte for its one field */
            result.format = 1;
            memmove(bytes + missing_at, bytes + missing_at + 1, result.len - missing_at - 1);
            result.len--;
        }
        status = lf_record_restore(evaluation, 0, &result, &error);
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
    struct lf_program *program = NULL, *later = NULL;
    const struct lf_outcome *outcomes[2];
    struct lf_evaluation *evaluation = NULL;
    struct lf_record record;
    struct lf_error error;
    struct lf_buf buf;

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
    assert_non_null(evaluation);
    buf = record_all(*state, evaluation, program, lead, keeping(*state, LF_KEPT_FIELDS, ""), outcomes);
    assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
    drop_lists();
    make_lists(true);
    later = support_program(icps, 2, &SOURCE);
    evaluation = lf_evaluation_create(later, *state, lead, support_ms(AS_OF));
    assert_non_null(evaluation);
    assert_int_equal(lf_record_restore(evaluation, 0, &record.results[0], &error), LF_OK);
    assert_string_equal(told_lists(*state, evaluation, 0), "one 7");
    assert_string_equal(told_lists(*state, evaluation, 1), "two 1, one 7");
    assert_int_equal(lf_record_restore_lists(evaluation, 1, &record.results[1], &error), LF_OK);
    assert_string_equal(told_lists(*state, evaluation, 1), "two 70000, one 7");
    drop_lists();
}

/* ---- parts of a record ---- */

/* Erased, a record has the same results, none of the input, and a length that depends on the results alone; a result
 * by itself reads as it does in its record. Cut or changed anywhere they are refused, or are another one. */
static void
test_erased_and_apart(void **state)
{
    const struct lf_icp *icps[2] = {support_icp_with(*state, RICH), support_config_icp(*state, 1)};
    const struct lf_json *lead = support_json(*state, "{'a':'Acme','n':7,'d':'2026-05-01','secret':'Ann'}");
    struct lf_program *program = NULL;

    make_lists(false);
    program = support_program(icps, 2, &SOURCE);
    for (size_t w = 0; w < WAY_COUNT; w++) {
        const struct lf_outcome *outcomes[2], *again = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
        struct lf_buf buf = record_all(*state, evaluation, program, lead, keeping(*state, WAYS[w].kept, WAYS[w].never),
                                       outcomes),
                      erased, twice;
        struct lf_record record, bare;
        struct lf_error error;

        assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
        lf_buf_init(&erased, *state, 1 << 16);
        lf_buf_init(&twice, *state, 1 << 16);
        assert_int_equal(lf_record_anonymise(&erased, buf.data, buf.len, &error), LF_OK);
        assert_int_equal(lf_record_anonymise(&twice, erased.data, erased.len, &error), LF_OK);
        assert_int_equal(twice.len, erased.len);
        assert_memory_equal(twice.data, erased.data, erased.len);
        assert_null(memmem(erased.data, erased.len, "Ann", 3));
        assert_null(memmem(erased.data, erased.len, "{", 1));
        assert_int_equal(lf_record_read(*state, erased.data, erased.len, &bare, &error), LF_OK);
        assert_int_equal(bare.kept, LF_KEPT_ERASED);
        assert_int_equal(bare.result_count, 2);
        assert_memory_equal(bare.input, "{}", bare.input_len);
        for (size_t i = 0; i < 2; i++) {
            struct lf_recorded_result apart;
            struct lf_buf alone;

            lf_buf_init(&alone, *state, 1 << 16);
            lf_recorded_result_put(&alone, &record.results[i]);
            assert_int_equal(lf_recorded_result_read(alone.data, alone.len, &apart, &error), LF_OK);
            assert_int_equal(apart.version_id, record.results[i].version_id);
            assert_true(apart.shadow == record.results[i].shadow && apart.withheld == record.results[i].withheld);
            assert_int_equal(apart.format, 3);
            assert_int_equal(apart.len, record.results[i].len);
            assert_memory_equal(apart.bytes, record.results[i].bytes, apart.len);
            assert_int_equal(lf_record_outcome(*state, icps[i], &bare.results[i], &again, &error), LF_OK);
            assert_true(lf_outcome_equal(icps[i], outcomes[i], again));
            assert_int_equal(lf_record_outcome(*state, icps[i], &apart, &again, &error), LF_OK);
            assert_true(lf_outcome_equal(icps[i], outcomes[i], again));
            assert_memory_equal(again->missing, outcomes[i]->missing, (icps[i]->fields.count + 7) / 8);
            assert_int_equal(lf_recorded_result_read(alone.data, 0, &apart, &error), LF_STORAGE_CORRUPT);
            assert_int_equal(lf_recorded_result_read(alone.data, 1, &apart, &error), LF_STORAGE_CORRUPT);
        }
        for (size_t len = 0; len < erased.len; len++) {
            struct lf_buf cut;

            lf_buf_init(&cut, *state, 1 << 16);
            assert_int_equal(lf_record_anonymise(&cut, erased.data, len, &error), LF_STORAGE_CORRUPT);
        }
    }
    drop_lists();
}

/* ---- what is missing, and what is withheld ---- */

/* Where nothing is withheld a record has no more than a bit for each field; where it is, half a byte for each condition
 * about it, whether it was asked or not. */
static void
test_size(void **state)
{
    static const struct {
        enum lf_kept kept;
        const char *never;
        size_t more;
        const char *why;
    } ROWS[] = {
        {LF_KEPT_WHOLE, "", 0, "nothing withheld"},
        {LF_KEPT_FIELDS, "email,other.name", 0, "nothing of what is read"},
        {LF_KEPT_FIELDS, "n", 2, "one field: a byte for the fields, a byte for its one condition"},
        {LF_KEPT_FIELDS, "e", 1, "a date that a rule fades by, and no condition asks"},
        {LF_KEPT_WHOLE, "a", 1, "lists alone ask it"},
        {LF_KEPT_WHOLE, "d", 2, "two conditions"},
        {LF_KEPT_WHOLE, "d, n", 3, "three conditions"},
        {LF_KEPT_NOTHING, "", 4, "five conditions"},
        {LF_KEPT_HASHES, "", 4, "five conditions"},
    };
    const struct lf_icp *icp = support_icp_with(*state, RICH);
    const struct lf_json *lead = support_json(*state, "{'a':'x'}");
    struct lf_program *program = NULL;
    size_t plain = 0;

    assert_int_equal(icp->fields.count, 6);
    make_lists(false);
    program = support_program(&icp, 1, &SOURCE);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_outcome *outcome = NULL;
        struct lf_evaluation *evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
        struct lf_buf buf =
            record_all(*state, evaluation, program, lead, keeping(*state, ROWS[i].kept, ROWS[i].never), &outcome);
        const uint8_t *withheld = NULL;
        struct lf_record record;
        struct lf_error error;

        assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
        plain = i == 0 ? record.results[0].len : plain;
        if (record.results[0].len != plain + ROWS[i].more)
            fail_msg("%s: %zu and %zu", ROWS[i].why, plain, record.results[0].len);
        assert_true(record.results[0].withheld == (ROWS[i].more > 0));
        assert_int_equal(lf_record_withheld(icp, &record.results[0], &withheld, &error), LF_OK);
        assert_true((withheld != NULL) == (ROWS[i].more > 0));
        if (ROWS[i].kept == LF_KEPT_NOTHING)
            assert_int_equal(withheld[0], 0x3F);
    }
    drop_lists();
}

/* A bit for each field of the definition, whether anything asked it or not. */
static void
test_missing(void **state)
{
    static const struct {
        const char *lead, *missing;
    } ROWS[] = {
        {"{}", "a n d e p.t x"},
        {"{'a':1,'n':'x','d':false,'e':{},'p':{'t':['']},'x':[[]]}", ""},
        {"{'a':null,'n':'','d':[],'e':0,'p':[],'x':'\\u0000'}", "a n d p.t"},
        {"{'a':[null],'p':[{'t':null}]}", "n d e x"},
        {"{'a':'x','p':{'t':''}}", "n d e p.t x"},
        {"{'p':[{},{'t':[]}],'x':false}", "a n d e p.t"},
    };
    const struct lf_icp *icp = support_icp_with(*state, RICH);
    struct lf_program *program = NULL;

    make_lists(false);
    program = support_program(&icp, 1, &SOURCE);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct lf_json *lead = support_json(*state, ROWS[i].lead);
        struct support_scored scored = support_score(*state, program, 0, lead, AS_OF);
        struct lf_buf buf;

        lf_buf_init(&buf, *state, 1000);
        for (size_t field = 0; field < icp->fields.count; field++)
            if ((scored.outcome->missing[field / 8] >> field % 8 & 1) != 0)
                lf_buf_printf(&buf, "%s%s", buf.len > 0 ? " " : "", icp->fields.paths[field]);
        assert_string_equal(lf_buf_terminate(&buf), ROWS[i].missing);
    }
    drop_lists();
}

/* Two ICPs that share conditions, one of which never comes to ask its own: that it was not asked there does not undo
 * the answer of the other, in whichever order they are restored. */
static void
test_shared_conditions(void **state)
{
    static const char ASKED[] = "{'field':'n','gt':5}";
    const struct lf_icp *icps[2] = {
        support_icp_when(*state, ASKED),
        support_icp_when(*state, lf_arena_printf(*state, "{'any':[{'field':'a','is':'x'},%s]}", ASKED))};
    const struct lf_json *lead = support_json(*state, "{'a':'x','n':9}"), *none = support_json(*state, "{}");
    struct lf_program *program = support_program(icps, 2, NULL);
    const struct lf_privacy *privacy = keeping(*state, LF_KEPT_NOTHING, "");
    struct lf_recorded_result results[2];

    for (size_t i = 0; i < 2; i++) { /* each recorded by itself */
        struct lf_evaluation *evaluation = lf_evaluation_create(program, *state, lead, support_ms(AS_OF));
        const struct lf_outcome *outcome = lf_evaluate(evaluation, i);
        struct lf_record record;
        struct lf_error error;
        struct lf_buf buf;

        lf_program_withhold(program, privacy);
        lf_buf_init(&buf, *state, 1 << 16);
        lf_record_begin(&buf, 1, LF_KEPT_NOTHING);
        lf_record_put_result(&buf, evaluation, i, outcome, false);
        assert_int_equal(lf_record_read(*state, buf.data, buf.len, &record, &error), LF_OK);
        results[i] = record.results[0];
    }
    for (size_t first = 0; first < 2; first++) {
        struct lf_evaluation *repeat = lf_evaluation_create(program, *state, none, support_ms(AS_OF));
        struct lf_error error;

        assert_int_equal(lf_record_restore(repeat, first, &results[first], &error), LF_OK);
        assert_int_equal(lf_record_restore(repeat, 1 - first, &results[1 - first], &error), LF_OK);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(lf_evaluate(repeat, i)->attributes[0].status, LF_ATTRIBUTE_MATCHED);
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
    for (int member = 0; member < 9; member++) {
        struct lf_attribute_outcome attributes[3];
        uint8_t disqualifiers[2], missing = scored.outcome->missing[0];
        struct lf_outcome other = {attributes, disqualifiers, &missing}, silent = {attributes, disqualifiers, NULL};

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
        case 6:
            missing ^= 0x20;
            assert_true(lf_outcome_equal(icp, scored.outcome, &silent)); /* which does not say */
            break;
        default:
            disqualifiers[member - 7]++;
        }
        assert_false(lf_outcome_equal(icp, scored.outcome, &other));
    }
    drop_lists();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_round_trips),       SUPPORT_TEST(test_list_answers), SUPPORT_TEST(test_one_restored),
        SUPPORT_TEST(test_erased_and_apart),  SUPPORT_TEST(test_size),         SUPPORT_TEST(test_missing),
        SUPPORT_TEST(test_shared_conditions), SUPPORT_TEST(test_equal),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
