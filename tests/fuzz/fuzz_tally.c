/*
 * fuzz_tally.c - libFuzzer on the readers of counts: core/tally.h (the first byte is even) and core/wins.h (odd).
 *
 * What is refused is refused as damage. What can be read writes the same bytes again, can be told as statistics, be
 * added to itself until that is refused as well, and be counted on.
 */
#include "core/statistics.h"
#include "core/tally.h"
#include "core/wins.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ADDED_MAX = 70 /* enough to double anything beyond LF_COUNT_MAX */ };

static const char DEFINITION[] =
    "{\"key\":\"k\",\"name\":\"K\",\"framework\":\"pain_points\",\"attributes\":["
    "{\"key\":\"a\",\"label\":\"A\",\"category\":\"need\",\"weight\":20,\"missing\":\"skip\",\"rules\":["
    "{\"when\":{\"field\":\"a\",\"is\":1}},{\"when\":{\"field\":\"a\",\"is\":2},\"fit\":-0.5}]},"
    "{\"key\":\"b\",\"label\":\"B\",\"category\":\"need\",\"weight\":3,\"axis\":\"engagement\",\"rules\":["
    "{\"when\":{\"field\":\"b\",\"is\":1}}]}],"
    "\"disqualifiers\":[{\"key\":\"d\",\"reason\":\"D\",\"when\":{\"field\":\"b\",\"is\":7}}],"
    "\"grades\":[{\"grade\":\"A\",\"min\":50},{\"grade\":\"B\",\"min\":0}],"
    "\"levels\":[{\"level\":1,\"min\":50},{\"level\":2,\"min\":0}]}";

static void
require(bool holds)
{
    if (!holds)
        abort();
}

/* What is counted on top: matched and skipped, qualified at A1. */
static struct lf_attribute_outcome attributes[] = {
    {.status = LF_ATTRIBUTE_MATCHED, .rule = 1, .fit = -500000},
    {.status = LF_ATTRIBUTE_UNKNOWN, .rule = LF_NO_RULE},
};
static uint8_t disqualifiers[] = {LF_VERDICT_UNKNOWN}, missing[] = {2};
static const struct lf_outcome OUTCOME = {attributes, disqualifiers, missing};
static const struct lf_brief BRIEF = {.score = 9950, .coverage = 10000, .qualified = true, .has_engagement = true};

static void
try_tally(struct lf_arena *arena, const struct lf_icp *icp, const uint8_t *bytes, size_t len)
{
    struct lf_tally tally, heads;
    struct lf_error error = {.status = LF_OK};
    enum lf_status status = LF_OK;
    struct lf_buf buf;

    require(lf_tally_init(&tally, arena, icp) && lf_tally_init(&heads, arena, icp));
    lf_buf_init(&buf, arena, 1 << 20);
    status = lf_tally_add_head(&heads, bytes, len, &error);
    require(status == LF_OK || status == LF_STORAGE_CORRUPT);
    if (lf_tally_add(&tally, bytes, len, &error) != LF_OK) {
        require(error.status == LF_STORAGE_CORRUPT);
        return;
    }
    require(status == LF_OK && heads.scored == tally.scored && heads.score_sum == tally.score_sum);
    require(memcmp(heads.grades, tally.grades, (icp->grade_count + 1) * sizeof *heads.grades) == 0);
    lf_tally_put(&buf, &tally);
    require(!lf_buf_failed(&buf) && buf.len == len && memcmp(buf.data, bytes, len) == 0);
    for (int i = 0; i < ADDED_MAX && status == LF_OK; i++) {
        for (int percent = 0; percent <= 100; percent += 10)
            require(lf_percentile(tally.bins, LF_TALLY_BINS, percent) <= 10000);
        require(lf_psi(heads.bins, tally.bins, LF_TALLY_BINS) >= 0 &&
                lf_psi(tally.bins, tally.bins, LF_TALLY_BINS) == 0);
        lf_tally_count(&tally, &OUTCOME, &BRIEF, 5, true);
        buf.len = 0;
        lf_tally_put(&buf, &tally);
        require(!lf_buf_failed(&buf));
        status = lf_tally_add(&tally, buf.data, buf.len, &error);
    }
    require(status == LF_OK || status == LF_STORAGE_CORRUPT);
}

static void
tell(const struct lf_wins *wins)
{
    double auc = lf_auc(wins->scores, wins->score_count), ks = lf_ks(wins->scores, wins->score_count);
    double woe[4];

    require(auc >= 0 && auc <= 1 && ks >= 0 && ks <= 1);
    for (size_t i = 0; i < wins->icp->attribute_count; i++)
        require(lf_weight_of_evidence(wins->attributes[i], wins->icp->attributes[i].rule_count + 2, woe) >= 0);
    for (size_t i = 0; i <= wins->icp->grade_count; i++) {
        struct lf_interval interval = lf_wilson(wins->grades[i].won, wins->grades[i].won + wins->grades[i].lost);
        require(interval.low >= 0 && interval.low <= interval.high && interval.high <= 100);
        require(wins->grades[i].value_millionths >= 0 && wins->grades[i].value_millionths < 1000000);
    }
    for (size_t i = 1; i < wins->score_count; i++)
        require(wins->scores[i].score > wins->scores[i - 1].score && wins->scores[i].score <= 10000);
}

static void
try_wins(struct lf_arena *arena, const struct lf_icp *icp, const uint8_t *bytes, size_t len)
{
    struct lf_error error = {.status = LF_OK};
    enum lf_status status = LF_OK;
    struct lf_wins wins;
    struct lf_buf buf;

    require(lf_wins_init(&wins, arena, icp));
    lf_buf_init(&buf, arena, 1 << 20);
    if (lf_wins_add(&wins, bytes, len, &error) != LF_OK) {
        require(error.status == LF_STORAGE_CORRUPT);
        return;
    }
    lf_wins_put(&buf, &wins);
    require(!lf_buf_failed(&buf) && buf.len == len && memcmp(buf.data, bytes, len) == 0);
    for (int fate = LF_FATE_UNKNOWN; fate <= LF_FATE_LOST; fate++) { /* in and out again leaves nothing behind */
        struct lf_buf after;

        require(lf_wins_count(&wins, &OUTCOME, &BRIEF, (enum lf_fate)fate, 1999999, 1, &error) == LF_OK);
        require(lf_wins_count(&wins, &OUTCOME, &BRIEF, (enum lf_fate)fate, 1999999, -1, &error) == LF_OK);
        lf_buf_init(&after, arena, 1 << 20);
        lf_wins_put(&after, &wins);
        require(after.len == len && memcmp(after.data, bytes, len) == 0);
        status = lf_wins_count(&wins, &OUTCOME, &BRIEF, (enum lf_fate)fate, 1, -1, &error); /* one that may be in it */
        require(status == LF_OK || status == LF_STORAGE_CORRUPT);
        if (status == LF_OK)
            require(lf_wins_count(&wins, &OUTCOME, &BRIEF, (enum lf_fate)fate, 1, 1, &error) == LF_OK);
    }
    status = LF_OK;
    for (int i = 0; i < ADDED_MAX && status == LF_OK; i++) {
        tell(&wins);
        buf.len = 0;
        lf_wins_put(&buf, &wins);
        require(!lf_buf_failed(&buf));
        status = lf_wins_add(&wins, buf.data, buf.len, &error);
    }
    require(status == LF_OK || status == LF_STORAGE_CORRUPT);
}

/* The definition, read once; it stays. */
static const struct lf_icp *
definition(void)
{
    static const struct lf_icp *icp;
    static struct lf_arena *arena;
    struct lf_findings findings;
    struct lf_error error;

    if (icp != NULL)
        return icp;
    arena = lf_arena_create(1 << 16, 1 << 20);
    lf_json_setup();
    require(arena != NULL && lf_hash_setup(&error) == LF_OK);
    lf_findings_init(&findings, arena);
    require(lf_icp_parse_text(arena, DEFINITION, sizeof DEFINITION - 1, &findings, &icp, &error) == LF_OK);
    return icp;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lf_arena *arena = lf_arena_create(1 << 16, 64 << 20);
    uint8_t *bytes = malloc(size > 1 ? size - 1 : 1); /* of just this size, so that a sanitizer sees a read beyond it */

    require(arena != NULL && bytes != NULL);
    if (size > 0) {
        memcpy(bytes, data + 1, size - 1);
        if (data[0] % 2 == 0)
            try_tally(arena, definition(), bytes, size - 1);
        else
            try_wins(arena, definition(), bytes, size - 1);
    }
    free(bytes);
    lf_arena_destroy(arena);
    return 0;
}
