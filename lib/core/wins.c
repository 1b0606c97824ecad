/*
 * wins.c - see wins.h.
 *
 * wins = 1 (format), shape (grades, attributes); (leads, open, won, lost, value, value_millionths) of each grade
 *        and DQ; (rules; won, lost of each, of unmatched, of unknown) of each attribute; scores, (score - the one
 *        before, won, lost) of each; one section of core/counts.h.
 */
#include "core/wins.h"

#include "core/counts.h"

#include <string.h>

#define MILLION INT64_C(1000000)

enum { FORMAT = 1, SCORE_MAX = 10000, SCORES_LEAST = 64, SCORE_BYTES_LEAST = 2 };

bool
lf_wins_init(struct lf_wins *wins, struct lf_arena *arena, const struct lf_icp *icp)
{
    *wins = (struct lf_wins){.icp = icp, .arena = arena};
    wins->grades = lf_arena_calloc(arena, icp->grade_count + 1, sizeof *wins->grades);
    wins->attributes = lf_arena_calloc(arena, icp->attribute_count, sizeof *wins->attributes);
    if (wins->grades == NULL || wins->attributes == NULL)
        return false;
    for (size_t i = 0; i < icp->attribute_count; i++) {
        wins->attributes[i] = lf_arena_calloc(arena, icp->attributes[i].rule_count + 2, sizeof **wins->attributes);
        if (wins->attributes[i] == NULL)
            return false;
    }
    return true;
}

static enum lf_status
no_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting won and lost leads");
}

/* Room for so many more scores. */
static bool
make_room(struct lf_wins *wins, size_t more)
{
    size_t cap = wins->score_cap > 0 ? wins->score_cap : SCORES_LEAST;
    struct lf_win_score *scores = NULL;

    if (wins->score_cap - wins->score_count >= more)
        return true;
    while (cap - wins->score_count < more)
        cap *= 2;
    scores = lf_arena_alloc(wins->arena, cap * sizeof *scores);
    if (scores == NULL)
        return false;
    if (wins->score_count > 0)
        memcpy(scores, wins->scores, wins->score_count * sizeof *scores);
    wins->scores = scores;
    wins->score_cap = cap;
    return true;
}

/* ---- counting ---- */

static struct lf_win_cell *
attribute_cell(struct lf_wins *wins, size_t attribute, const struct lf_attribute_outcome *outcome)
{
    size_t rules = wins->icp->attributes[attribute].rule_count;

    switch (outcome->status) {
    case LF_ATTRIBUTE_MATCHED:
        return &wins->attributes[attribute][outcome->rule];
    case LF_ATTRIBUTE_UNMATCHED:
        return &wins->attributes[attribute][rules];
    case LF_ATTRIBUTE_UNKNOWN:
        break;
    }
    return &wins->attributes[attribute][rules + 1];
}

/* Where the score stands, or belongs. */
static size_t
find_score(const struct lf_wins *wins, int score)
{
    size_t low = 0, high = wins->score_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (wins->scores[middle].score < score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
has_score(const struct lf_wins *wins, size_t at, int score)
{
    return at < wins->score_count && wins->scores[at].score == score;
}

static int64_t *
side(struct lf_win_cell *cell, bool won)
{
    return won ? &cell->won : &cell->lost;
}

/* Whether a lead can be taken out that was counted so. */
static bool
was_counted(struct lf_wins *wins, const struct lf_outcome *outcome, const struct lf_brief *brief,
            const struct lf_win_grade *grade, enum lf_fate fate, int64_t value)
{
    size_t at = find_score(wins, brief->score);
    bool won = fate == LF_FATE_WON;

    if (fate == LF_FATE_UNKNOWN)
        return grade->leads > grade->open + grade->won + grade->lost;
    if (fate == LF_FATE_OPEN)
        return grade->open > 0;
    if ((won ? grade->won : grade->lost) == 0 || !has_score(wins, at, brief->score) ||
        *side(&wins->scores[at].cell, won) == 0)
        return false;
    for (size_t i = 0; i < wins->icp->attribute_count; i++)
        if (*side(attribute_cell(wins, i, &outcome->attributes[i]), won) == 0)
            return false;
    if (!won)
        return true;
    if (grade->won == 1) /* nothing may be left then */
        return grade->value == value / MILLION && grade->value_millionths == value % MILLION;
    return grade->value > value / MILLION ||
           (grade->value == value / MILLION && grade->value_millionths >= value % MILLION);
}

static void
count_value(struct lf_win_grade *grade, int64_t value, int sign)
{
    grade->value += sign * (value / MILLION);
    grade->value_millionths += sign * (value % MILLION);
    if (grade->value_millionths >= MILLION) {
        grade->value_millionths -= MILLION;
        grade->value++;
    }
    if (grade->value_millionths < 0) {
        grade->value_millionths += MILLION;
        grade->value--;
    }
}

/* Counts a won or lost lead at its score, which has room. */
static void
count_score(struct lf_wins *wins, int score, bool won, int sign)
{
    size_t at = find_score(wins, score);
    struct lf_win_score *place = &wins->scores[at];

    if (!has_score(wins, at, score)) {
        memmove(place + 1, place, (wins->score_count - at) * sizeof *place);
        *place = (struct lf_win_score){.score = score};
        wins->score_count++;
    }
    *side(&place->cell, won) += sign;
    if (place->cell.won == 0 && place->cell.lost == 0) {
        wins->score_count--;
        memmove(place, place + 1, (wins->score_count - at) * sizeof *place);
    }
}

enum lf_status
lf_wins_count(struct lf_wins *wins, const struct lf_outcome *outcome, const struct lf_brief *brief, enum lf_fate fate,
              int64_t value, int sign, struct lf_error *error)
{
    struct lf_win_grade *grade = &wins->grades[brief->qualified ? brief->grade : wins->icp->grade_count];
    bool won = fate == LF_FATE_WON;

    if (won && value < 0)
        return lf_fail(error, LF_STORAGE_CORRUPT, "a won lead has a value below 0");
    if (sign < 0 && !was_counted(wins, outcome, brief, grade, fate, value))
        return lf_fail(error, LF_STORAGE_CORRUPT, "a lead is to be taken out of counts that it is not in");
    if (sign > 0 && !make_room(wins, 1))
        return no_memory(error);
    grade->leads += sign;
    grade->open += fate == LF_FATE_OPEN ? sign : 0;
    if (fate != LF_FATE_WON && fate != LF_FATE_LOST)
        return LF_OK;
    grade->won += won ? sign : 0;
    grade->lost += won ? 0 : sign;
    if (won)
        count_value(grade, value, sign);
    for (size_t i = 0; i < wins->icp->attribute_count; i++)
        *side(attribute_cell(wins, i, &outcome->attributes[i]), won) += sign;
    count_score(wins, brief->score, won, sign);
    return LF_OK;
}

/* ---- writing ---- */

static void
put_cell(struct lf_counts_writer *writer, const struct lf_win_cell *cell)
{
    lf_counts_put(writer, cell->won);
    lf_counts_put(writer, cell->lost);
}

void
lf_wins_put(struct lf_buf *buf, const struct lf_wins *wins)
{
    const struct lf_icp *icp = wins->icp;
    struct lf_counts_writer writer;
    int before = 0;

    lf_buf_char(buf, FORMAT);
    lf_counts_writer_init(&writer, buf);
    lf_counts_put(&writer, (int64_t)icp->grade_count);
    lf_counts_put(&writer, (int64_t)icp->attribute_count);
    for (size_t i = 0; i <= icp->grade_count; i++) {
        const struct lf_win_grade *grade = &wins->grades[i];
        lf_counts_put(&writer, grade->leads);
        lf_counts_put(&writer, grade->open);
        lf_counts_put(&writer, grade->won);
        lf_counts_put(&writer, grade->lost);
        lf_counts_put(&writer, grade->value);
        lf_counts_put(&writer, grade->value_millionths);
    }
    for (size_t i = 0; i < icp->attribute_count; i++) {
        lf_counts_put(&writer, (int64_t)icp->attributes[i].rule_count);
        for (size_t c = 0; c < icp->attributes[i].rule_count + 2; c++)
            put_cell(&writer, &wins->attributes[i][c]);
    }
    lf_counts_put(&writer, (int64_t)wins->score_count);
    for (size_t i = 0; i < wins->score_count; i++) {
        lf_counts_put(&writer, wins->scores[i].score - before);
        put_cell(&writer, &wins->scores[i].cell);
        before = wins->scores[i].score;
    }
    lf_counts_end(&writer);
}

/* ---- reading ---- */

/* Adds a cell, and takes what it adds from what is left. */
static struct lf_win_cell
add_cell(struct lf_counts_reader *reader, struct lf_win_cell *sum, struct lf_win_cell *left)
{
    struct lf_win_cell part = {.won = 0};

    part.won = lf_counts_add(reader, &sum->won);
    part.lost = lf_counts_add(reader, &sum->lost);
    lf_counts_require(reader, part.won <= left->won && part.lost <= left->lost);
    left->won -= part.won;
    left->lost -= part.lost;
    return part;
}

static void
add_value(struct lf_counts_reader *reader, struct lf_win_grade *grade, int64_t won)
{
    int64_t whole = lf_counts_add(reader, &grade->value), millionths = lf_counts_take(reader);

    lf_counts_require(reader, millionths < MILLION && (won > 0 || (whole == 0 && millionths == 0)));
    if (!reader->failed)
        count_value(grade, millionths, 1);
}

/* Returns how many were won and lost in all grades. */
static struct lf_win_cell
add_grades(struct lf_counts_reader *reader, struct lf_wins *wins)
{
    struct lf_win_cell settled = {.won = 0};
    int64_t all = 0; /* with those that there were before: so every sum of leads is one that can be told */

    for (size_t i = 0; i <= wins->icp->grade_count && !reader->failed; i++) {
        struct lf_win_grade *grade = &wins->grades[i];
        int64_t leads = lf_counts_add(reader, &grade->leads), open = lf_counts_add(reader, &grade->open);
        int64_t won = lf_counts_add(reader, &grade->won), lost = lf_counts_add(reader, &grade->lost);

        lf_counts_require(reader, open <= leads && won <= leads - open && lost <= leads - open - won);
        lf_counts_require(reader, grade->leads <= LF_COUNT_MAX - all);
        if (reader->failed)
            break;
        all += grade->leads;
        settled.won += won;
        settled.lost += lost;
        add_value(reader, grade, won);
    }
    return settled;
}

static void
add_attributes(struct lf_counts_reader *reader, struct lf_wins *wins, struct lf_win_cell settled)
{
    for (size_t i = 0; i < wins->icp->attribute_count; i++) {
        size_t rules = wins->icp->attributes[i].rule_count;
        struct lf_win_cell left = settled;

        lf_counts_expect(reader, (int64_t)rules);
        for (size_t c = 0; c < rules + 2; c++)
            (void)add_cell(reader, &wins->attributes[i][c], &left);
        lf_counts_require(reader, left.won == 0 && left.lost == 0);
    }
}

/* Merges `count` scores into those there are, which have room for them: these move up, and both are written from the
 * beginning again, which never gets past what has still to be read. */
static void
merge_scores(struct lf_counts_reader *reader, struct lf_wins *wins, size_t count, struct lf_win_cell settled)
{
    struct lf_win_score *to = wins->scores, *old = wins->scores + count, *end = old + wins->score_count;
    int64_t score = 0;

    memmove(old, wins->scores, wins->score_count * sizeof *old);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        int64_t apart = lf_counts_take(reader);
        struct lf_win_cell part;

        lf_counts_require(reader, apart <= SCORE_MAX - score && (i == 0 || apart > 0));
        if (reader->failed)
            break;
        score += apart;
        while (old < end && old->score < score)
            *to++ = *old++;
        *to = old < end && old->score == score ? *old++ : (struct lf_win_score){.score = (int32_t)score};
        part = add_cell(reader, &to->cell, &settled);
        lf_counts_require(reader, part.won > 0 || part.lost > 0);
        to++;
    }
    while (old < end)
        *to++ = *old++;
    wins->score_count = (size_t)(to - wins->scores);
    lf_counts_require(reader, settled.won == 0 && settled.lost == 0);
}

enum lf_status
lf_wins_add(struct lf_wins *wins, const void *bytes, size_t len, struct lf_error *error)
{
    struct lf_counts_reader reader;
    struct lf_win_cell settled;
    int64_t scores = 0;

    lf_counts_reader_init(&reader, bytes, len);
    lf_counts_require(&reader, len > 0 && *reader.at == FORMAT);
    if (!reader.failed)
        reader.at++;
    lf_counts_expect(&reader, (int64_t)wins->icp->grade_count);
    lf_counts_expect(&reader, (int64_t)wins->icp->attribute_count);
    settled = add_grades(&reader, wins);
    add_attributes(&reader, wins, settled);
    scores = lf_counts_take(&reader);
    lf_counts_require(&reader, scores <= (reader.end - reader.at) / SCORE_BYTES_LEAST);
    if (!reader.failed && scores > 0) {
        if (!make_room(wins, (size_t)scores))
            return no_memory(error);
        merge_scores(&reader, wins, (size_t)scores, settled);
    } else {
        lf_counts_require(&reader, settled.won == 0 && settled.lost == 0);
    }
    lf_counts_end_section(&reader);
    return lf_counts_done(&reader)
               ? LF_OK
               : lf_fail(error, LF_STORAGE_CORRUPT,
                         "counts of won and lost leads are damaged, or belong to another definition");
}
