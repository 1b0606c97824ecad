/*
 * test_tally.c - counts of scores: against a naive count over the same outcomes, as bytes, in parts, damaged.
 */
#include "core/tally.h"

#include "core/counts.h"

#include "count_fixture.h"

enum { CASES = 120, BODY_MAX = 1 << 20 };

static struct lf_tally
tally_of(struct lf_arena *arena, const struct lf_icp *icp, const struct count_case *cases, size_t count)
{
    struct lf_tally tally;

    assert_true(lf_tally_init(&tally, arena, icp));
    for (size_t i = 0; i < count; i++)
        lf_tally_count(&tally, cases[i].outcome, &cases[i].brief, cases[i].at_ms, cases[i].first);
    return tally;
}

static struct lf_buf
bytes_of(struct lf_arena *arena, const struct lf_tally *tally)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, BODY_MAX);
    lf_tally_put(&buf, tally);
    assert_false(lf_buf_failed(&buf));
    return buf;
}

/* From a copy of exactly its size, so that ASan sees a byte too many. */
static enum lf_status
add_bytes(struct lf_tally *tally, const void *bytes, size_t len, bool head)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct lf_error error = {.status = LF_OK};
    enum lf_status status = LF_OK;

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    status = head ? lf_tally_add_head(tally, copy, len, &error) : lf_tally_add(tally, copy, len, &error);
    assert_int_equal(error.status, status);
    free(copy);
    return status;
}

static void
assert_same(struct lf_arena *arena, const struct lf_tally *a, const struct lf_tally *b)
{
    struct lf_buf left = bytes_of(arena, a), right = bytes_of(arena, b);

    assert_int_equal(left.len, right.len);
    assert_memory_equal(left.data, right.data, left.len);
}

/* ---- counting ---- */

/* Counts a second time, each number by a walk of its own over all cases, by names and long scores. */
static void
assert_counts(const struct lf_tally *tally, const struct count_case *cases, size_t count)
{
    const struct lf_icp *icp = tally->icp;
    int64_t leads = 0, qualified = 0, known = 0, score = 0, coverage = 0, engagement = 0;
    int64_t first = INT64_MAX, last = INT64_MIN;

    for (size_t i = 0; i < count; i++) {
        leads += cases[i].first ? 1 : 0;
        qualified += cases[i].score.qualified ? 1 : 0;
        known += cases[i].outcome->missing != NULL ? 1 : 0;
        score += cases[i].score.axes[LF_AXIS_FIT].score;
        coverage += cases[i].score.axes[LF_AXIS_FIT].coverage;
        engagement += cases[i].score.axes[LF_AXIS_ENGAGEMENT].score;
        first = cases[i].at_ms < first ? cases[i].at_ms : first;
        last = cases[i].at_ms > last ? cases[i].at_ms : last;
    }
    assert_int_equal(tally->scored, count);
    assert_int_equal(tally->leads, leads);
    assert_int_equal(tally->qualified, qualified);
    assert_int_equal(tally->fields_known, known);
    assert_int_equal(tally->score_sum, score);
    assert_int_equal(tally->coverage_sum, coverage);
    assert_int_equal(tally->engagement_sum, engagement);
    assert_int_equal(tally->first_ms, first);
    assert_int_equal(tally->last_ms, last);
    for (size_t g = 0; g <= icp->grade_count; g++) {
        const char *name = g < icp->grade_count ? icp->grades[g].name : "DQ";
        int64_t graded = 0;

        for (size_t i = 0; i < count; i++)
            graded += strcmp(lf_score_grade(&cases[i].score), name) == 0 ? 1 : 0;
        assert_int_equal(tally->grades[g], graded);
        for (size_t l = 0; g < icp->grade_count && l < icp->level_count; l++) {
            char with[LF_LABEL_MAX], label[LF_LABEL_MAX];
            int64_t labelled = 0;

            (void)snprintf(with, sizeof with, "%s%s", name, icp->levels[l].name);
            for (size_t i = 0; i < count; i++) {
                lf_score_label(&cases[i].score, label);
                labelled += strcmp(label, with) == 0 || (l == 0 && strcmp(label, name) == 0) ? 1 : 0;
            }
            assert_int_equal(tally->labels[g * icp->level_count + l], labelled);
        }
    }
    for (int bin = 0; bin < LF_TALLY_BINS; bin++) {
        int64_t within = 0;

        for (size_t i = 0; i < count; i++) {
            int s = cases[i].score.axes[LF_AXIS_FIT].score;
            within += s >= 100 * bin && (s < 100 * (bin + 1) || (bin == 99 && s == 10000)) ? 1 : 0;
        }
        assert_int_equal(tally->bins[bin], within);
    }
}

static void
assert_attribute_counts(const struct lf_tally *tally, const struct count_case *cases, size_t count)
{
    const struct lf_icp *icp = tally->icp;

    for (size_t a = 0; a < icp->attribute_count; a++) {
        const struct lf_attribute *attribute = &icp->attributes[a];
        int64_t by_status[3] = {0}, skipped = 0, points = 0;

        for (size_t i = 0; i < count; i++) {
            const struct lf_attribute_outcome *o = &cases[i].outcome->attributes[a];
            by_status[o->status]++;
            skipped += o->status == LF_ATTRIBUTE_UNKNOWN && attribute->skip_missing ? 1 : 0;
            points += (int64_t)attribute->weight * o->fit;
        }
        assert_int_equal(tally->attributes[a].unmatched, by_status[LF_ATTRIBUTE_UNMATCHED]);
        assert_int_equal(tally->attributes[a].unknown, by_status[LF_ATTRIBUTE_UNKNOWN]);
        assert_int_equal(tally->attributes[a].skipped, skipped);
        assert_int_equal(tally->attributes[a].points, points);
        for (size_t r = 0; r < attribute->rule_count; r++) {
            int64_t matched = 0;

            for (size_t i = 0; i < count; i++)
                matched += cases[i].outcome->attributes[a].rule == (int)r ? 1 : 0;
            assert_int_equal(tally->attributes[a].rules[r], matched);
        }
    }
    for (size_t d = 0; d < icp->disqualifier_count; d++) {
        int64_t met = 0;

        for (size_t i = 0; i < count; i++)
            met += cases[i].outcome->disqualifiers[d] == LF_VERDICT_TRUE ? 1 : 0;
        assert_int_equal(tally->disqualifiers[d], met);
    }
    for (size_t f = 0; f < icp->fields.count; f++) {
        int64_t missing = 0;

        for (size_t i = 0; i < count; i++)
            missing +=
                cases[i].outcome->missing != NULL && (cases[i].outcome->missing[f / 8] & 1 << f % 8) != 0 ? 1 : 0;
        assert_int_equal(tally->missing[f], missing);
    }
}

static void
test_count(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {17};

    count_icps(*state, icps);
    for (size_t i = 0; i < COUNT_ICPS; i++) {
        const struct count_case *cases = count_cases(*state, icps[i], &random, CASES);
        struct lf_tally tally = tally_of(*state, icps[i], cases, CASES);

        assert_counts(&tally, cases, CASES);
        assert_attribute_counts(&tally, cases, CASES);
    }
}

/* The cases of the rich definition are worth counting: each number comes up. */
static void
test_cases_are_rich(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {17};
    struct lf_tally tally;

    count_icps(*state, icps);
    tally =
        tally_of(*state, icps[COUNT_RICH_AT], count_cases(*state, icps[COUNT_RICH_AT], &random, 4 * CASES), 4 * CASES);
    for (size_t a = 0; a < icps[0]->attribute_count; a++) {
        assert_true(tally.attributes[a].unmatched > 0 && tally.attributes[a].unknown > 0);
        assert_true((tally.attributes[a].skipped > 0) == icps[0]->attributes[a].skip_missing);
        for (size_t r = 0; r < icps[0]->attributes[a].rule_count; r++)
            assert_true(tally.attributes[a].rules[r] > 0);
    }
    assert_true(tally.attributes[4].points < 0);
    for (size_t g = 0; g <= icps[0]->grade_count; g++)
        assert_true(tally.grades[g] > 0);
    for (size_t d = 0; d < 2; d++)
        assert_true(tally.disqualifiers[d] > 0);
    for (size_t f = 0; f < icps[0]->fields.count; f++)
        assert_true(tally.missing[f] > 0 && tally.missing[f] < tally.fields_known);
}

/* Bins hold their lower edge, the last one both; a time before 1970 is one as well. */
static void
test_edges(void **state)
{
    static const struct {
        int score, bin;
    } ROWS[] = {{0, 0}, {99, 0}, {100, 1}, {199, 1}, {5000, 50}, {9899, 98}, {9900, 99}, {9999, 99}, {10000, 99}};
    const struct lf_icp *icp = support_icp_with(*state, COUNT_ONE);
    struct lf_attribute_outcome attribute = {.rule = 0, .fit = 1000000};
    struct lf_outcome outcome = {.attributes = &attribute};

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_brief brief = {.score = ROWS[i].score, .qualified = true};
        struct lf_tally tally, again;
        struct lf_buf buf;

        assert_true(lf_tally_init(&tally, *state, icp));
        assert_true(lf_tally_init(&again, *state, icp));
        lf_tally_count(&tally, &outcome, &brief, -5, false);
        lf_tally_count(&tally, &outcome, &brief, -7, true);
        assert_int_equal(tally.bins[ROWS[i].bin], 2);
        assert_int_equal(tally.first_ms, -7);
        assert_int_equal(tally.last_ms, -5);
        buf = bytes_of(*state, &tally);
        assert_int_equal(add_bytes(&again, buf.data, buf.len, false), LF_OK);
        assert_int_equal(again.first_ms, -7);
        assert_int_equal(again.last_ms, -5);
        assert_int_equal(again.leads, 1);
    }
}

/* ---- bytes ---- */

/* Reading adds: a whole is the sum of its parts, in any order; what was read writes the same bytes; a head is a head.
 */
static void
test_sums(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {99};

    count_icps(*state, icps);
    for (size_t i = 0; i < COUNT_ICPS; i++) {
        const struct count_case *cases = count_cases(*state, icps[i], &random, CASES);
        struct lf_tally whole = tally_of(*state, icps[i], cases, CASES), sum, backwards, heads, empty;
        struct lf_buf parts[12];
        size_t at = 0;

        assert_true(lf_tally_init(&sum, *state, icps[i]));
        assert_true(lf_tally_init(&backwards, *state, icps[i]));
        assert_true(lf_tally_init(&heads, *state, icps[i]));
        assert_true(lf_tally_init(&empty, *state, icps[i]));
        for (size_t p = 0; p < 12; p++) { /* of any size, empty ones as well */
            size_t size = p == 11      ? CASES - at
                          : p % 3 == 0 ? 0
                                       : support_random(&random, (uint32_t)(CASES - at + 1) / 2);
            struct lf_tally part = tally_of(*state, icps[i], cases + at, size);
            parts[p] = bytes_of(*state, &part);
            at += size;
        }
        for (size_t p = 0; p < 12; p++) {
            assert_int_equal(add_bytes(&sum, parts[p].data, parts[p].len, false), LF_OK);
            assert_int_equal(add_bytes(&heads, parts[p].data, parts[p].len, true), LF_OK);
            assert_int_equal(add_bytes(&backwards, parts[11 - p].data, parts[11 - p].len, false), LF_OK);
        }
        assert_counts(&sum, cases, CASES);
        assert_attribute_counts(&sum, cases, CASES);
        assert_same(*state, &sum, &whole);
        assert_same(*state, &backwards, &whole);
        assert_int_equal(heads.scored, whole.scored);
        assert_int_equal(heads.leads, whole.leads);
        assert_int_equal(heads.qualified, whole.qualified);
        assert_int_equal(heads.first_ms, whole.first_ms);
        assert_int_equal(heads.last_ms, whole.last_ms);
        assert_int_equal(heads.score_sum, whole.score_sum);
        assert_int_equal(heads.coverage_sum, whole.coverage_sum);
        assert_int_equal(heads.engagement_sum, whole.engagement_sum);
        assert_memory_equal(heads.grades, whole.grades, (icps[i]->grade_count + 1) * sizeof *heads.grades);
        assert_memory_equal(heads.bins, empty.bins, sizeof heads.bins);
        assert_int_equal(heads.fields_known, 0);
    }
}

/* A usual hour takes some hundred bytes, an empty one next to nothing. */
static void
test_size(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {3};

    count_icps(*state, icps);
    for (size_t i = 4; i < COUNT_ICPS; i++) {
        const struct count_case *cases = count_cases(*state, icps[i], &random, 300);
        struct lf_tally hour = tally_of(*state, icps[i], cases, 300), none = tally_of(*state, icps[i], cases, 0);
        size_t len = bytes_of(*state, &hour).len;

        print_message("  %s: %zu attributes, %zu bytes, empty %zu\n", icps[i]->key, icps[i]->attribute_count, len,
                      bytes_of(*state, &none).len);
        assert_true(len < 500);
        assert_true(bytes_of(*state, &none).len < 60);
    }
}

static void
test_shapes(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {5};

    count_icps(*state, icps);
    for (size_t i = 0; i < COUNT_ICPS; i++) {
        struct lf_tally tally = tally_of(*state, icps[i], count_cases(*state, icps[i], &random, 20), 20);
        struct lf_buf buf = bytes_of(*state, &tally);

        for (size_t other = 0; other < COUNT_ICPS; other++) {
            struct lf_tally sum;

            assert_true(lf_tally_init(&sum, *state, icps[other]));
            assert_int_equal(add_bytes(&sum, buf.data, buf.len, false), other == i ? LF_OK : LF_STORAGE_CORRUPT);
        }
    }
}

/* ---- damage ---- */

static void
test_damage(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_RICH);
    struct support_random random = {23};
    struct lf_tally tally = tally_of(*state, icp, count_cases(*state, icp, &random, CASES), CASES), sum;
    struct lf_buf buf = bytes_of(*state, &tally);
    size_t refused = 0, flips = 0, heads = 0;

    for (size_t len = 0; len < buf.len; len++) {
        assert_true(lf_tally_init(&sum, *state, icp));
        assert_int_equal(add_bytes(&sum, buf.data, len, false), LF_STORAGE_CORRUPT);
        assert_true(lf_tally_init(&sum, *state, icp));
        heads += add_bytes(&sum, buf.data, len, true) == LF_OK;
    }
    assert_true(heads > 0 && heads < buf.len - 10); /* a head can be read once it is whole */
    lf_buf_char(&buf, 1);
    assert_true(lf_tally_init(&sum, *state, icp));
    assert_int_equal(add_bytes(&sum, buf.data, buf.len, false), LF_STORAGE_CORRUPT);
    buf.len--;
    for (size_t at = 0; at < buf.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct lf_arena *arena = lf_arena_create(1 << 12, 1 << 20);
            struct lf_buf again;

            buf.data[at] = (char)(buf.data[at] ^ 1 << bit);
            assert_true(lf_tally_init(&sum, arena, icp));
            flips++;
            if (add_bytes(&sum, buf.data, buf.len, false) != LF_OK) {
                refused++;
            } else { /* what can be read is one way of writing some tally */
                again = bytes_of(arena, &sum);
                assert_int_equal(again.len, buf.len);
                assert_memory_equal(again.data, buf.data, buf.len);
            }
            buf.data[at] = (char)(buf.data[at] ^ 1 << bit);
            lf_arena_destroy(arena);
        }
    print_message("  %zu of %zu flipped bits are seen\n", refused, flips);
    assert_true(refused > flips / 2);
}

/* Each number is held against the others; a sum that could not be counted on is refused. */
static void
test_contradictions(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_RICH);
    struct support_random random = {31};
    const struct count_case *cases = count_cases(*state, icp, &random, CASES);
    struct lf_tally tally = tally_of(*state, icp, cases, CASES);
    struct {
        const char *why;
        int64_t *number;
        int64_t value;
    } rows[] = {
        {"scores", &tally.scored, CASES + 1},
        {"no scores", &tally.scored, 0},
        {"more leads than scores", &tally.leads, CASES + 1},
        {"more qualified than scores", &tally.qualified, CASES + 1},
        {"fewer qualified", &tally.qualified, tally.qualified - 1},
        {"times the wrong way round", &tally.last_ms, tally.first_ms - 1},
        {"a time before all", &tally.first_ms, -LF_COUNT_MAX - 1},
        {"a score sum above 100 each", &tally.score_sum, CASES * 10000 + 1},
        {"a coverage sum above 100 each", &tally.coverage_sum, CASES * 10000 + 1},
        {"an engagement sum above 100 each", &tally.engagement_sum, INT64_MAX},
        {"a grade", &tally.grades[0], tally.grades[0] + 1},
        {"DQ", &tally.grades[icp->grade_count], tally.grades[icp->grade_count] + 1},
        {"a label", &tally.labels[0], tally.labels[0] + 1},
        {"a bin", &tally.bins[0], tally.bins[0] + 1},
        {"the last bin", &tally.bins[99], tally.bins[99] + 1},
        {"a huge bin", &tally.bins[99], INT64_MAX},
        {"a rule", &tally.attributes[0].rules[2], tally.attributes[0].rules[2] + 1},
        {"unmatched", &tally.attributes[3].unmatched, tally.attributes[3].unmatched + 1},
        {"unknown", &tally.attributes[1].unknown, tally.attributes[1].unknown + 1},
        {"more skipped than unknown", &tally.attributes[0].skipped, tally.attributes[0].unknown + 1},
        {"a disqualifier", &tally.disqualifiers[1], CASES + 1},
        {"more that know than scores", &tally.fields_known, CASES + 1},
        {"more missing than known", &tally.missing[0], tally.fields_known + 1},
        {"points beyond all", &tally.attributes[2].points, LF_COUNT_MAX + 1},
        {"points below all", &tally.attributes[2].points, -LF_COUNT_MAX - 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t was = *rows[i].number;
        struct lf_tally sum;
        struct lf_buf buf;

        *rows[i].number = rows[i].value;
        buf = bytes_of(*state, &tally);
        *rows[i].number = was;
        assert_true(lf_tally_init(&sum, *state, icp));
        if (add_bytes(&sum, buf.data, buf.len, false) != LF_STORAGE_CORRUPT)
            fail_msg("not seen: %s", rows[i].why);
    }
    /* Points that can be read once, and not twice. */
    tally.attributes[2].points = LF_COUNT_MAX;
    {
        struct lf_buf buf = bytes_of(*state, &tally);
        struct lf_tally sum;

        assert_true(lf_tally_init(&sum, *state, icp));
        assert_int_equal(add_bytes(&sum, buf.data, buf.len, false), LF_OK);
        lf_tally_count(&sum, cases[0].outcome, &cases[0].brief, 0, false);
        assert_true(sum.attributes[2].points <= LF_COUNT_MAX);
        assert_int_equal(add_bytes(&sum, buf.data, buf.len, false), LF_STORAGE_CORRUPT);
    }
}

/* ---- rows of counts ---- */

static void
test_counts(void **state)
{
    static const int64_t COUNTS[] = {0, 0, 1, 63, 64, 0, 8191, 8192, 0, 0, 0, INT64_MAX, 5, 0};
    static const int64_t NUMBERS[] = {0, 1, -1, 63, -64, 64, INT64_MAX, INT64_MIN};
    struct lf_counts_writer writer;
    struct lf_counts_reader reader;
    struct lf_buf buf;

    lf_buf_init(&buf, *state, BODY_MAX);
    lf_counts_writer_init(&writer, &buf);
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++)
        lf_counts_put(&writer, COUNTS[i]);
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        lf_counts_put_number(&writer, NUMBERS[i]);
    lf_counts_end(&writer);
    assert_int_equal(buf.len, 24 + 27);
    lf_counts_reader_init(&reader, buf.data, buf.len);
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++)
        assert_int_equal(lf_counts_take(&reader), COUNTS[i]);
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        assert_int_equal(lf_counts_take_number(&reader), NUMBERS[i]);
    assert_true(lf_counts_done(&reader));
    assert_int_equal(lf_counts_take(&reader), 0);
    assert_true(reader.failed);
}

/* Every row has one way of being written. */
static void
test_strict_counts(void **state)
{
    static const struct {
        const char *why, *bytes;
        size_t len, takes;
        bool fine;
    } ROWS[] = {
        {"nothing", "", 0, 0, true},
        {"nothing where something belongs", "", 0, 1, false},
        {"three", "\x06", 1, 1, true},
        {"two zeros", "\x03", 1, 2, true},
        {"two zeros, one taken", "\x03", 1, 1, false},
        {"a byte left", "\x06\x06", 2, 1, false},
        {"a zero as a count", "\x00", 1, 1, false},
        {"zeros behind zeros", "\x01\x01", 2, 2, false},
        {"zeros behind a count", "\x01\x02\x01", 3, 3, true},
        {"a byte more than needed", "\x86\x00", 2, 1, false},
        {"cut in a number", "\x86", 1, 1, false},
        {"the greatest", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, 1, true},
        {"more than 64 bits", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x03", 10, 1, false},
        {"eleven bytes", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01", 11, 1, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_counts_reader reader;

        lf_counts_reader_init(&reader, ROWS[i].bytes, ROWS[i].len);
        for (size_t t = 0; t < ROWS[i].takes; t++)
            (void)lf_counts_take(&reader);
        if (lf_counts_done(&reader) != ROWS[i].fine)
            fail_msg("%s", ROWS[i].why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_count),         SUPPORT_TEST(test_cases_are_rich), SUPPORT_TEST(test_edges),
        SUPPORT_TEST(test_sums),          SUPPORT_TEST(test_size),           SUPPORT_TEST(test_shapes),
        SUPPORT_TEST(test_damage),        SUPPORT_TEST(test_contradictions), SUPPORT_TEST(test_counts),
        SUPPORT_TEST(test_strict_counts),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
