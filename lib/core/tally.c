/*
 * tally.c - see tally.h.
 *
 * tally = 1 (format), head, rest; numbers as core/counts.h writes them
 * head  = shape (grades, levels, attributes, disqualifiers, fields); scored, leads, qualified; score_sum,
 *         coverage_sum, engagement_sum; grade… DQ | first_ms | last_ms - first_ms |
 * rest  = label…; bin…; (rules, rule…, unmatched, unknown, skipped)…; disqualifier…; fields_known, missing… |
 *         points… (a section each)
 * where | ends a section. Much is told twice, on purpose: each score has one grade, one bin and, of each attribute, one
 * rule or none, so that a damaged tally hardly ever adds up.
 */
#include "core/tally.h"

#include "core/counts.h"

enum { FORMAT = 1, WHOLE = 10000 /* hundredths of a percent */ };

bool
lf_tally_init(struct lf_tally *tally, struct lf_arena *arena, const struct lf_icp *icp)
{
    size_t labels = icp->grade_count * icp->level_count;
    size_t count = icp->grade_count + 1 + labels + icp->disqualifier_count + icp->fields.count;
    int64_t *counts = NULL; /* of all that the definition numbers */

    for (size_t i = 0; i < icp->attribute_count; i++)
        count += icp->attributes[i].rule_count;
    counts = lf_arena_calloc(arena, count, sizeof *counts);
    *tally = (struct lf_tally){.icp = icp};
    tally->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *tally->attributes);
    if (counts == NULL || tally->attributes == NULL)
        return false;
    tally->grades = counts;
    tally->labels = tally->grades + icp->grade_count + 1;
    tally->disqualifiers = tally->labels + labels;
    tally->missing = tally->disqualifiers + icp->disqualifier_count;
    counts = tally->missing + icp->fields.count;
    for (size_t i = 0; i < icp->attribute_count; i++) {
        tally->attributes[i].rules = counts;
        counts += icp->attributes[i].rule_count;
    }
    return true;
}

/* ---- counting ---- */

static void
count_attribute(struct lf_attribute_tally *tally, const struct lf_attribute *attribute,
                const struct lf_attribute_outcome *outcome)
{
    int64_t points = tally->points + lf_attribute_points(attribute, outcome);

    switch (outcome->status) {
    case LF_ATTRIBUTE_MATCHED:
        tally->rules[outcome->rule]++;
        break;
    case LF_ATTRIBUTE_UNMATCHED:
        tally->unmatched++;
        break;
    case LF_ATTRIBUTE_UNKNOWN:
        tally->unknown++;
        tally->skipped += attribute->skip_missing;
        break;
    }
    /* At weight 1000 it would take 4,600 million scores to come to this; then it stays, and can still be read. */
    if (points > LF_COUNT_MAX)
        points = LF_COUNT_MAX;
    if (points < -LF_COUNT_MAX)
        points = -LF_COUNT_MAX;
    tally->points = points;
}

static void
count_missing(struct lf_tally *tally, const uint8_t *missing)
{
    if (missing == NULL)
        return;
    tally->fields_known++;
    for (size_t i = 0; i < tally->icp->fields.count; i++)
        tally->missing[i] += missing[i / 8] >> i % 8 & 1;
}

void
lf_tally_count(struct lf_tally *tally, const struct lf_outcome *outcome, const struct lf_brief *brief,
               int64_t scored_at_ms, bool first)
{
    const struct lf_icp *icp = tally->icp;
    size_t bin = (size_t)brief->score * LF_TALLY_BINS / WHOLE;

    if (tally->scored == 0 || scored_at_ms < tally->first_ms)
        tally->first_ms = scored_at_ms;
    if (tally->scored == 0 || scored_at_ms > tally->last_ms)
        tally->last_ms = scored_at_ms;
    tally->scored++;
    tally->leads += first;
    tally->score_sum += brief->score;
    tally->coverage_sum += brief->coverage;
    tally->engagement_sum += brief->engagement;
    tally->bins[bin - (bin == LF_TALLY_BINS)]++;
    if (brief->qualified) {
        tally->qualified++;
        tally->grades[brief->grade]++;
        tally->labels[brief->grade * icp->level_count + brief->level]++;
    } else {
        tally->grades[icp->grade_count]++;
    }
    for (size_t i = 0; i < icp->attribute_count; i++)
        count_attribute(&tally->attributes[i], &icp->attributes[i], &outcome->attributes[i]);
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        tally->disqualifiers[i] += outcome->disqualifiers[i] == LF_VERDICT_TRUE;
    count_missing(tally, outcome->missing);
}

/* ---- writing ---- */

static void
put_all(struct lf_counts_writer *writer, const int64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lf_counts_put(writer, counts[i]);
}

static void
put_head(struct lf_counts_writer *writer, const struct lf_tally *tally)
{
    const struct lf_icp *icp = tally->icp;
    const int64_t head[] = {
        (int64_t)icp->grade_count,
        (int64_t)icp->level_count,
        (int64_t)icp->attribute_count,
        (int64_t)icp->disqualifier_count,
        (int64_t)icp->fields.count,
        tally->scored,
        tally->leads,
        tally->qualified,
        tally->score_sum,
        tally->coverage_sum,
        tally->engagement_sum,
    };

    put_all(writer, head, sizeof head / sizeof *head);
    put_all(writer, tally->grades, icp->grade_count + 1);
    lf_counts_put_number(writer, tally->first_ms);
    lf_counts_put_number(writer, tally->last_ms - tally->first_ms);
}

static void
put_attribute(struct lf_counts_writer *writer, const struct lf_attribute_tally *tally, size_t rules)
{
    lf_counts_put(writer, (int64_t)rules);
    put_all(writer, tally->rules, rules);
    lf_counts_put(writer, tally->unmatched);
    lf_counts_put(writer, tally->unknown);
    lf_counts_put(writer, tally->skipped);
}

void
lf_tally_put(struct lf_buf *buf, const struct lf_tally *tally)
{
    const struct lf_icp *icp = tally->icp;
    struct lf_counts_writer writer;

    lf_buf_char(buf, FORMAT);
    lf_counts_writer_init(&writer, buf);
    put_head(&writer, tally);
    put_all(&writer, tally->labels, icp->grade_count * icp->level_count);
    put_all(&writer, tally->bins, LF_TALLY_BINS);
    for (size_t i = 0; i < icp->attribute_count; i++)
        put_attribute(&writer, &tally->attributes[i], icp->attributes[i].rule_count);
    put_all(&writer, tally->disqualifiers, icp->disqualifier_count);
    lf_counts_put(&writer, tally->fields_known);
    put_all(&writer, tally->missing, icp->fields.count);
    lf_counts_end(&writer);
    for (size_t i = 0; i < icp->attribute_count; i++)
        lf_counts_put_number(&writer, tally->attributes[i].points);
}

/* ---- reading ---- */

/* How many scores the bytes count: what all else has to add up to. */
struct part {
    int64_t scored, qualified;
};

/* Adds counts that are `whole` together. */
static void
add_shares(struct lf_counts_reader *reader, int64_t *sums, size_t count, int64_t whole)
{
    for (size_t i = 0; i < count; i++) {
        int64_t share = lf_counts_add(reader, &sums[i]);

        lf_counts_require(reader, share <= whole);
        whole -= share;
    }
    lf_counts_require(reader, whole == 0);
}

/* Adds counts of which each is at most `most`. */
static void
add_each(struct lf_counts_reader *reader, int64_t *sums, size_t count, int64_t most)
{
    for (size_t i = 0; i < count; i++)
        lf_counts_require(reader, lf_counts_add(reader, &sums[i]) <= most);
}

/* Adds a sum of hundredths, of which each is at most WHOLE. */
static void
add_sum(struct lf_counts_reader *reader, int64_t *sum, int64_t scored)
{
    int64_t part = lf_counts_add(reader, sum);

    lf_counts_require(reader, part / WHOLE + (part % WHOLE > 0) <= scored);
}

/* before: how many scores the tally had. */
static void
add_times(struct lf_counts_reader *reader, struct lf_tally *tally, int64_t scored, int64_t before)
{
    int64_t first = lf_counts_take_number(reader), apart = lf_counts_take_number(reader), last = 0;

    lf_counts_require(reader, !__builtin_add_overflow(first, apart, &last) && last >= first);
    lf_counts_require(reader, first >= -LF_COUNT_MAX && last <= LF_COUNT_MAX); /* so that they have a difference */
    lf_counts_require(reader, scored > 0 || (first == 0 && last == 0));
    if (reader->failed || scored == 0)
        return;
    if (before == 0 || first < tally->first_ms)
        tally->first_ms = first;
    if (before == 0 || last > tally->last_ms)
        tally->last_ms = last;
}

static void
expect_shape(struct lf_counts_reader *reader, const struct lf_icp *icp)
{
    lf_counts_expect(reader, (int64_t)icp->grade_count);
    lf_counts_expect(reader, (int64_t)icp->level_count);
    lf_counts_expect(reader, (int64_t)icp->attribute_count);
    lf_counts_expect(reader, (int64_t)icp->disqualifier_count);
    lf_counts_expect(reader, (int64_t)icp->fields.count);
}

static struct part
add_head(struct lf_counts_reader *reader, struct lf_tally *tally)
{
    const struct lf_icp *icp = tally->icp;
    struct part part = {.scored = 0};
    int64_t before = tally->scored;

    expect_shape(reader, icp);
    part.scored = lf_counts_add(reader, &tally->scored);
    add_each(reader, &tally->leads, 1, part.scored);
    part.qualified = lf_counts_add(reader, &tally->qualified);
    lf_counts_require(reader, part.qualified <= part.scored);
    add_sum(reader, &tally->score_sum, part.scored);
    add_sum(reader, &tally->coverage_sum, part.scored);
    add_sum(reader, &tally->engagement_sum, part.scored);
    add_shares(reader, tally->grades, icp->grade_count, part.qualified);
    add_shares(reader, &tally->grades[icp->grade_count], 1, part.scored - part.qualified);
    add_times(reader, tally, part.scored, before);
    return part;
}

static void
add_attribute(struct lf_counts_reader *reader, struct lf_attribute_tally *tally, size_t rules, int64_t scored)
{
    int64_t unmatched = 0, unknown = 0, left = scored;

    lf_counts_expect(reader, (int64_t)rules);
    for (size_t i = 0; i < rules; i++) {
        int64_t matched = lf_counts_add(reader, &tally->rules[i]);

        lf_counts_require(reader, matched <= left);
        left -= matched;
    }
    unmatched = lf_counts_add(reader, &tally->unmatched);
    unknown = lf_counts_add(reader, &tally->unknown);
    lf_counts_require(reader, unmatched <= left && unknown == left - unmatched);
    add_each(reader, &tally->skipped, 1, unknown);
}

static void
add_rest(struct lf_counts_reader *reader, struct lf_tally *tally, struct part part)
{
    const struct lf_icp *icp = tally->icp;
    int64_t known = 0;

    add_shares(reader, tally->labels, icp->grade_count * icp->level_count, part.qualified);
    add_shares(reader, tally->bins, LF_TALLY_BINS, part.scored);
    for (size_t i = 0; i < icp->attribute_count; i++)
        add_attribute(reader, &tally->attributes[i], icp->attributes[i].rule_count, part.scored);
    add_each(reader, tally->disqualifiers, icp->disqualifier_count, part.scored);
    known = lf_counts_add(reader, &tally->fields_known);
    lf_counts_require(reader, known <= part.scored);
    add_each(reader, tally->missing, icp->fields.count, known);
    lf_counts_end_section(reader);
    for (size_t i = 0; i < icp->attribute_count; i++)
        (void)lf_counts_add_number(reader, &tally->attributes[i].points);
}

/* Begins to read; a format that is none fails. */
static void
open_bytes(struct lf_counts_reader *reader, const void *bytes, size_t len)
{
    lf_counts_reader_init(reader, bytes, len);
    lf_counts_require(reader, len > 0 && *reader->at == FORMAT);
    if (!reader->failed)
        reader->at++;
}

static enum lf_status
damaged(struct lf_error *error)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "counts of scores are damaged, or belong to another definition");
}

enum lf_status
lf_tally_add(struct lf_tally *tally, const void *bytes, size_t len, struct lf_error *error)
{
    struct lf_counts_reader reader;

    open_bytes(&reader, bytes, len);
    add_rest(&reader, tally, add_head(&reader, tally));
    return lf_counts_done(&reader) ? LF_OK : damaged(error);
}

enum lf_status
lf_tally_add_head(struct lf_tally *tally, const void *bytes, size_t len, struct lf_error *error)
{
    struct lf_counts_reader reader;

    open_bytes(&reader, bytes, len);
    (void)add_head(&reader, tally);
    return reader.failed ? damaged(error) : LF_OK;
}
