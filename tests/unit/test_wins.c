/*
 * test_wins.c - what became of leads: against a naive count, counted in and out, as bytes, in parts, damaged.
 */
#include "core/wins.h"

#include "core/counts.h"

#include "count_fixture.h"

enum { CASES = 120, BODY_MAX = 1 << 20 };

/* A lead as it is counted. */
struct settled {
    const struct count_case *as;
    enum lf_fate fate;
    int64_t value;
    bool in;
};

static void
settle(struct support_random *random, struct settled *lead)
{
    static const int64_t VALUES[] = {0, 1, 999999, 1000000, 12000000000, 1234567890, INT64_C(1000000000000000000)};

    lead->fate = (enum lf_fate)support_random(random, 4);
    lead->value = VALUES[support_random(random, 7)]; /* one that is not won may have one: it does not count */
}

static struct settled *
leads_of(struct lf_arena *arena, const struct count_case *cases, struct support_random *random)
{
    struct settled *leads = lf_arena_calloc(arena, CASES, sizeof *leads);

    assert_non_null(leads);
    for (size_t i = 0; i < CASES; i++) {
        leads[i].as = &cases[i];
        settle(random, &leads[i]);
    }
    return leads;
}

static enum lf_status
count(struct lf_wins *wins, const struct settled *lead, int sign)
{
    struct lf_error error = {.status = LF_OK};
    enum lf_status status =
        lf_wins_count(wins, lead->as->outcome, &lead->as->brief, lead->fate, lead->value, sign, &error);

    assert_int_equal(error.status, status);
    return status;
}

static struct lf_buf
bytes_of(struct lf_arena *arena, const struct lf_wins *wins)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, BODY_MAX);
    lf_wins_put(&buf, wins);
    assert_false(lf_buf_failed(&buf));
    return buf;
}

static enum lf_status
add_bytes(struct lf_wins *wins, const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1); /* of just this size, so that ASan sees a byte too many */
    struct lf_error error = {.status = LF_OK};
    enum lf_status status = LF_OK;

    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    status = lf_wins_add(wins, copy, len, &error);
    assert_int_equal(error.status, status);
    free(copy);
    return status;
}

static void
assert_same(struct lf_arena *arena, const struct lf_wins *a, const struct lf_wins *b)
{
    struct lf_buf left = bytes_of(arena, a), right = bytes_of(arena, b);

    assert_int_equal(left.len, right.len);
    assert_memory_equal(left.data, right.data, left.len);
}

/* ---- counting ---- */

__extension__ typedef __int128 wide;

static void
assert_grade(const struct lf_win_grade *told, const char *name, const struct settled *leads)
{
    int64_t all = 0, open = 0, won = 0, lost = 0;
    wide value = 0;

    for (size_t i = 0; i < CASES; i++) {
        if (!leads[i].in || strcmp(lf_score_grade(&leads[i].as->score), name) != 0)
            continue;
        all++;
        open += leads[i].fate == LF_FATE_OPEN ? 1 : 0;
        won += leads[i].fate == LF_FATE_WON ? 1 : 0;
        lost += leads[i].fate == LF_FATE_LOST ? 1 : 0;
        value += leads[i].fate == LF_FATE_WON ? leads[i].value : 0;
    }
    assert_int_equal(told->leads, all);
    assert_int_equal(told->open, open);
    assert_int_equal(told->won, won);
    assert_int_equal(told->lost, lost);
    assert_int_equal(told->value, (int64_t)(value / 1000000));
    assert_int_equal(told->value_millionths, (int64_t)(value % 1000000));
}

/* What the leads that are in make, each number by a walk of its own. */
static void
assert_counts(const struct lf_wins *wins, const struct settled *leads)
{
    const struct lf_icp *icp = wins->icp;
    size_t scores = 0;

    for (size_t g = 0; g <= icp->grade_count; g++)
        assert_grade(&wins->grades[g], g < icp->grade_count ? icp->grades[g].name : "DQ", leads);
    for (size_t a = 0; a < icp->attribute_count; a++) {
        size_t rules = icp->attributes[a].rule_count;

        for (size_t c = 0; c < rules + 2; c++) {
            int64_t cell[2] = {0, 0};

            for (size_t i = 0; i < CASES; i++) {
                const struct lf_attribute_outcome *o = &leads[i].as->outcome->attributes[a];
                bool here = c < rules    ? o->rule == (int)c
                            : c == rules ? o->status == LF_ATTRIBUTE_UNMATCHED
                                         : o->status == LF_ATTRIBUTE_UNKNOWN;
                if (leads[i].in && here && leads[i].fate >= LF_FATE_WON)
                    cell[leads[i].fate - LF_FATE_WON]++;
            }
            assert_int_equal(wins->attributes[a][c].won, cell[0]);
            assert_int_equal(wins->attributes[a][c].lost, cell[1]);
        }
    }
    for (int score = 0; score <= 10000; score++) {
        int64_t cell[2] = {0, 0};

        for (size_t i = 0; i < CASES; i++)
            if (leads[i].in && leads[i].as->score.axes[LF_AXIS_FIT].score == score && leads[i].fate >= LF_FATE_WON)
                cell[leads[i].fate - LF_FATE_WON]++;
        if (cell[0] + cell[1] == 0)
            continue;
        assert_true(scores < wins->score_count);
        assert_int_equal(wins->scores[scores].score, score);
        assert_int_equal(wins->scores[scores].cell.won, cell[0]);
        assert_int_equal(wins->scores[scores].cell.lost, cell[1]);
        scores++;
    }
    assert_int_equal(wins->score_count, scores);
}

/* Leads come, change and go in any order. */
static void
test_count(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {2};

    count_icps(*state, icps);
    for (size_t i = 0; i < COUNT_ICPS; i++) {
        const struct count_case *cases = count_cases(*state, icps[i], &random, CASES);
        struct settled *leads = leads_of(*state, cases, &random);
        struct lf_wins wins, fresh;

        assert_true(lf_wins_init(&wins, *state, icps[i]));
        assert_true(lf_wins_init(&fresh, *state, icps[i]));
        for (int turn = 0; turn < 1200; turn++) {
            struct settled *lead = &leads[support_random(&random, CASES)];

            if (lead->in) {
                assert_int_equal(count(&wins, lead, -1), LF_OK);
                settle(&random, lead);
                lead->as = &cases[support_random(&random, CASES)];
            }
            lead->in = !lead->in || support_random(&random, 2) == 0;
            if (lead->in)
                assert_int_equal(count(&wins, lead, 1), LF_OK);
            if (turn % 300 == 299)
                assert_counts(&wins, leads);
        }
        for (size_t l = 0; l < CASES; l++)
            if (leads[l].in)
                assert_int_equal(count(&fresh, &leads[l], 1), LF_OK);
        assert_same(*state, &wins, &fresh); /* what was taken out has left no trace */
        for (size_t l = 0; l < CASES; l++)
            if (leads[l].in)
                assert_int_equal(count(&wins, &leads[l], -1), LF_OK);
        assert_true(lf_wins_init(&fresh, *state, icps[i]));
        assert_same(*state, &wins, &fresh);
    }
}

/* A lead that is not in cannot be taken out; nothing has changed then. */
static void
test_never_counted(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_RICH);
    struct support_random random = {8};
    const struct count_case *cases = count_cases(*state, icp, &random, CASES);
    size_t refused = 0;

    for (size_t i = 0; i + 1 < CASES; i++) {
        struct settled in = {&cases[i], LF_FATE_WON, 5000000, true},
                       other = {&cases[i + 1], LF_FATE_WON, 5000000, true};
        struct settled as_lost = in, as_open = in, as_unknown = in, dearer = in, cheaper = in;
        struct lf_wins wins, again;

        as_lost.fate = LF_FATE_LOST;
        as_open.fate = LF_FATE_OPEN;
        as_unknown.fate = LF_FATE_UNKNOWN;
        dearer.value++;
        cheaper.value--;
        assert_true(lf_wins_init(&wins, *state, icp));
        assert_true(lf_wins_init(&again, *state, icp));
        assert_int_equal(count(&wins, &in, -1), LF_STORAGE_CORRUPT);
        assert_int_equal(count(&wins, &in, 1), LF_OK);
        assert_int_equal(count(&again, &in, 1), LF_OK);
        assert_int_equal(count(&wins, &as_lost, -1), LF_STORAGE_CORRUPT);
        assert_int_equal(count(&wins, &as_open, -1), LF_STORAGE_CORRUPT);
        assert_int_equal(count(&wins, &as_unknown, -1), LF_STORAGE_CORRUPT);
        assert_int_equal(count(&wins, &dearer, -1), LF_STORAGE_CORRUPT);
        assert_int_equal(count(&wins, &cheaper, -1), LF_STORAGE_CORRUPT);
        if (other.as->brief.score != in.as->brief.score || other.as->brief.grade != in.as->brief.grade) {
            assert_int_equal(count(&wins, &other, -1), LF_STORAGE_CORRUPT);
            refused++;
        }
        assert_same(*state, &wins, &again);
        assert_int_equal(count(&wins, &in, 1), LF_OK); /* of two, each at most the sum */
        dearer.value = 10000001;
        assert_int_equal(count(&wins, &dearer, -1), LF_STORAGE_CORRUPT);
        dearer.value = -1;
        assert_int_equal(count(&wins, &dearer, 1), LF_STORAGE_CORRUPT);
        assert_int_equal(count(&wins, &in, -1), LF_OK);
        assert_int_equal(count(&wins, &in, -1), LF_OK);
        assert_int_equal(wins.score_count, 0);
    }
    assert_true(refused > CASES / 2);
}

/* Far more than 2^63 millionths. */
static void
test_great_values(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_ONE);
    struct support_random random = {1};
    const struct count_case *cases = count_cases(*state, icp, &random, 1);
    struct settled lead = {&cases[0], LF_FATE_WON, INT64_C(1000000000000000000) - 1, true};
    size_t grade = cases[0].brief.qualified ? cases[0].brief.grade : icp->grade_count;
    struct lf_wins wins, sum;
    struct lf_buf buf;

    assert_true(lf_wins_init(&wins, *state, icp));
    assert_true(lf_wins_init(&sum, *state, icp));
    for (int i = 0; i < 1000; i++)
        assert_int_equal(count(&wins, &lead, 1), LF_OK);
    assert_int_equal(wins.grades[grade].value, INT64_C(999999999999999));
    assert_int_equal(wins.grades[grade].value_millionths, 999000);
    buf = bytes_of(*state, &wins);
    for (int i = 0; i < 3; i++)
        assert_int_equal(add_bytes(&sum, buf.data, buf.len), LF_OK);
    assert_int_equal(sum.grades[grade].value, INT64_C(2999999999999999));
    assert_int_equal(sum.grades[grade].value_millionths, 997000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(count(&wins, &lead, -1), LF_OK);
    assert_int_equal(wins.grades[grade].value, 0);
    assert_int_equal(wins.grades[grade].value_millionths, 0);
}

/* ---- bytes ---- */

static void
test_sums(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];
    struct support_random random = {44};

    count_icps(*state, icps);
    for (size_t i = 0; i < COUNT_ICPS; i++) {
        struct settled *leads = leads_of(*state, count_cases(*state, icps[i], &random, CASES), &random);
        struct lf_wins whole, parts[8], sum, backwards, again;
        struct lf_buf buf;

        assert_true(lf_wins_init(&whole, *state, icps[i]));
        assert_true(lf_wins_init(&sum, *state, icps[i]));
        assert_true(lf_wins_init(&backwards, *state, icps[i]));
        assert_true(lf_wins_init(&again, *state, icps[i]));
        for (size_t p = 0; p < 8; p++)
            assert_true(lf_wins_init(&parts[p], *state, icps[i]));
        for (size_t l = 0; l < CASES; l++) {
            assert_int_equal(count(&whole, &leads[l], 1), LF_OK);
            assert_int_equal(count(&parts[support_random(&random, 7)], &leads[l], 1), LF_OK); /* the last stays empty */
            leads[l].in = true;
        }
        for (size_t p = 0; p < 8; p++) {
            buf = bytes_of(*state, &parts[p]);
            assert_int_equal(add_bytes(&sum, buf.data, buf.len), LF_OK);
            buf = bytes_of(*state, &parts[7 - p]);
            assert_int_equal(add_bytes(&backwards, buf.data, buf.len), LF_OK);
        }
        assert_counts(&sum, leads);
        assert_same(*state, &sum, &whole);
        assert_same(*state, &backwards, &whole);
        buf = bytes_of(*state, &whole);
        assert_int_equal(add_bytes(&again, buf.data, buf.len), LF_OK);
        assert_same(*state, &again, &whole);
        for (size_t l = 0; l < CASES; l++) /* what was read can be taken out of */
            assert_int_equal(count(&again, &leads[l], -1), LF_OK);
        assert_int_equal(again.score_count, 0);
    }
}

/* Each of ten thousand and one scores, in two parts that interleave. */
static void
test_all_scores(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_ONE);
    struct lf_attribute_outcome attribute = {.rule = 0};
    struct lf_outcome outcome = {.attributes = &attribute};
    struct lf_wins parts[2], sum;
    struct lf_error error;

    assert_true(lf_wins_init(&sum, *state, icp));
    for (int p = 0; p < 2; p++)
        assert_true(lf_wins_init(&parts[p], *state, icp));
    for (int i = 0; i <= 10000; i++) {
        struct lf_brief brief = {.score = i * 7919 % 10001, .qualified = true};

        assert_int_equal(lf_wins_count(&parts[brief.score % 3 == 0], &outcome, &brief, LF_FATE_LOST, 0, 1, &error),
                         LF_OK);
        if (i % 10 == 0) /* some in both */
            assert_int_equal(lf_wins_count(&parts[brief.score % 3 != 0], &outcome, &brief, LF_FATE_WON, 7, 1, &error),
                             LF_OK);
    }
    for (int p = 0; p < 2; p++) {
        struct lf_buf buf = bytes_of(*state, &parts[p]);
        assert_int_equal(add_bytes(&sum, buf.data, buf.len), LF_OK);
    }
    assert_int_equal(sum.score_count, 10001);
    for (int i = 0; i <= 10000; i++) {
        assert_int_equal(sum.scores[i].score, i);
        assert_int_equal(sum.scores[i].cell.lost, 1);
    }
    for (int i = 0; i <= 10000; i += 10)
        assert_int_equal(sum.scores[i * 7919 % 10001].cell.won, 1);
    assert_int_equal(sum.grades[0].won, 1001);
    assert_int_equal(sum.grades[0].value_millionths, 7007);
}

static void
test_shapes(void **state)
{
    const struct lf_icp *icps[COUNT_ICPS];

    count_icps(*state, icps);
    for (size_t i = 0; i < COUNT_ICPS; i++) {
        struct lf_wins wins;
        struct lf_buf buf;

        assert_true(lf_wins_init(&wins, *state, icps[i]));
        buf = bytes_of(*state, &wins);
        for (size_t other = 0; other < COUNT_ICPS; other++) {
            struct lf_wins sum;

            assert_true(lf_wins_init(&sum, *state, icps[other]));
            assert_int_equal(add_bytes(&sum, buf.data, buf.len), other == i ? LF_OK : LF_STORAGE_CORRUPT);
        }
    }
}

/* ---- damage ---- */

static void
test_damage(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_RICH);
    struct support_random random = {23};
    struct settled *leads = leads_of(*state, count_cases(*state, icp, &random, CASES), &random);
    size_t refused = 0, flips = 0;
    struct lf_wins wins, sum;
    struct lf_buf buf;

    assert_true(lf_wins_init(&wins, *state, icp));
    for (size_t l = 0; l < CASES; l++)
        assert_int_equal(count(&wins, &leads[l], 1), LF_OK);
    buf = bytes_of(*state, &wins);
    for (size_t len = 0; len < buf.len; len++) {
        struct lf_arena *arena = lf_arena_create(1 << 12, 1 << 20);

        assert_true(lf_wins_init(&sum, arena, icp));
        assert_int_equal(add_bytes(&sum, buf.data, len), LF_STORAGE_CORRUPT);
        lf_arena_destroy(arena);
    }
    for (size_t at = 0; at < buf.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct lf_arena *arena = lf_arena_create(1 << 12, 1 << 20);
            struct lf_buf again;

            buf.data[at] = (char)(buf.data[at] ^ 1 << bit);
            assert_true(lf_wins_init(&sum, arena, icp));
            flips++;
            if (add_bytes(&sum, buf.data, buf.len) != LF_OK) {
                refused++;
            } else { /* what can be read is one way of writing some counts */
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

static void
test_contradictions(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_RICH);
    struct support_random random = {29};
    struct settled *leads = leads_of(*state, count_cases(*state, icp, &random, CASES), &random);
    struct lf_wins wins;

    assert_true(lf_wins_init(&wins, *state, icp));
    for (size_t l = 0; l < CASES; l++)
        assert_int_equal(count(&wins, &leads[l], 1), LF_OK);
    struct lf_win_grade *grade = &wins.grades[0], *last = &wins.grades[icp->grade_count];
    struct {
        const char *why;
        int64_t *number;
        int64_t value;
    } rows[] = {
        {"fewer leads than fates", &grade->leads, grade->open + grade->won + grade->lost - 1},
        {"more open than leads", &grade->open, grade->leads + 1},
        {"won more often than attributes say", &grade->won, grade->won - 1},
        {"lost more often than attributes say", &last->lost, last->lost - 1},
        {"leads beyond all", &last->leads, LF_COUNT_MAX - grade->leads + 1},
        {"leads beyond counting", &last->leads, INT64_MAX},
        {"a value beyond all", &grade->value, LF_COUNT_MAX + 1},
        {"a million millionths", &grade->value_millionths, 1000000},
        {"a rule", &wins.attributes[0][2].won, wins.attributes[0][2].won + 1},
        {"unmatched", &wins.attributes[1][1].lost, wins.attributes[1][1].lost + 1},
        {"unknown, hugely", &wins.attributes[3][3].lost, INT64_MAX},
        {"a score", &wins.scores[0].cell.won, wins.scores[0].cell.won + 1},
        {"the last score", &wins.scores[wins.score_count - 1].cell.lost, LF_COUNT_MAX},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t was = *rows[i].number;
        struct lf_wins sum;
        struct lf_buf buf;

        *rows[i].number = rows[i].value;
        buf = bytes_of(*state, &wins);
        *rows[i].number = was;
        assert_true(lf_wins_init(&sum, *state, icp));
        if (add_bytes(&sum, buf.data, buf.len) != LF_STORAGE_CORRUPT)
            fail_msg("not seen: %s", rows[i].why);
    }
}

/* Scores ascend, are scores, and each has somebody who won or lost. Bytes of an empty one, and what follows. */
static void
test_strict_scores(void **state)
{
    static const struct {
        const char *why;
        int64_t won, lost; /* of grade A and attribute's rule */
        int64_t scores[12];
        size_t count;
        bool fine;
    } ROWS[] = {
        {"none", 0, 0, {0}, 1, true},
        {"one at 0", 1, 0, {1, 0, 1, 0}, 4, true},
        {"one at 100", 1, 0, {1, 10000, 1, 0}, 4, true},
        {"one above 100", 1, 0, {1, 10001, 1, 0}, 4, false},
        {"two", 2, 3, {2, 5000, 1, 3, 5000, 1, 0}, 7, true},
        {"two, the second above 100", 2, 3, {2, 5000, 1, 3, 5001, 1, 0}, 7, false},
        {"the same twice", 2, 3, {2, 5000, 1, 3, 0, 1, 0}, 7, false},
        {"nobody at a score", 2, 3, {3, 5000, 1, 3, 1, 0, 0, 1, 1, 0}, 10, false},
        {"fewer than said", 2, 3, {2, 5000, 2, 3}, 4, false},
        {"one more than said", 2, 3, {1, 5000, 2, 3, 1, 1, 0}, 7, false},
        {"none said, some won", 1, 0, {0}, 1, false},
        {"hugely many", 1, 0, {INT64_MAX, 5, 1, 0}, 4, false},
        {"some said, none won", 0, 0, {1, 5, 1, 0}, 4, false},
    };
    const struct lf_icp *icp = support_icp_with(*state, COUNT_ONE);

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const int64_t won = ROWS[i].won, lost = ROWS[i].lost;
        const int64_t head[] = {(int64_t)icp->grade_count, 1};
        const int64_t grade[] = {won + lost, 0, won, lost, 0, 0}, attribute[] = {1, won, lost, 0, 0, 0, 0};
        struct lf_counts_writer writer;
        struct lf_wins wins;
        struct lf_buf buf;

        lf_buf_init(&buf, *state, BODY_MAX);
        lf_buf_char(&buf, 1);
        lf_counts_writer_init(&writer, &buf);
        for (size_t c = 0; c < 2; c++)
            lf_counts_put(&writer, head[c]);
        for (size_t g = 0; g <= icp->grade_count; g++)
            for (size_t c = 0; c < 6; c++)
                lf_counts_put(&writer, g == 0 ? grade[c] : 0);
        for (size_t c = 0; c < 7; c++)
            lf_counts_put(&writer, attribute[c]);
        for (size_t c = 0; c < ROWS[i].count; c++)
            lf_counts_put(&writer, ROWS[i].scores[c]);
        lf_counts_end(&writer);
        assert_true(lf_wins_init(&wins, *state, icp));
        if ((add_bytes(&wins, buf.data, buf.len) == LF_OK) != ROWS[i].fine)
            fail_msg("%s", ROWS[i].why);
    }
}

/* An arena that is full: said, and nothing is broken. */
static void
test_no_memory(void **state)
{
    const struct lf_icp *icp = support_icp_with(*state, COUNT_ONE);
    struct lf_arena *arena = lf_arena_create(1 << 10, 4 << 10);
    struct lf_attribute_outcome attribute = {.rule = 0};
    struct lf_outcome outcome = {.attributes = &attribute};
    enum lf_status status = LF_OK;
    struct lf_error error;
    struct lf_wins wins;
    int score = 0;

    assert_true(lf_wins_init(&wins, arena, icp));
    for (; status == LF_OK && score < 10000; score++) {
        struct lf_brief brief = {.score = score, .qualified = true};
        status = lf_wins_count(&wins, &outcome, &brief, LF_FATE_WON, 1, 1, &error);
    }
    assert_int_equal(status, LF_OUT_OF_MEMORY);
    assert_int_equal(wins.grades[0].won, score - 1);
    assert_int_equal(wins.score_count, score - 1);
    lf_arena_destroy(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_count),     SUPPORT_TEST(test_never_counted),  SUPPORT_TEST(test_great_values),
        SUPPORT_TEST(test_sums),      SUPPORT_TEST(test_all_scores),     SUPPORT_TEST(test_shapes),
        SUPPORT_TEST(test_damage),    SUPPORT_TEST(test_contradictions), SUPPORT_TEST(test_strict_scores),
        SUPPORT_TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
