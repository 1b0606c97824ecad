/* stats_notes.c - see stats_notes.h. */
#include "app/stats_notes.h"

#include "app/ledger.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORD = 32, PERCENT = 100 /* hundredths */, WHOLE = 10000, BIN_POINTS = 100 / LF_STATS_BUCKETS };

__extension__ typedef __int128 wide;

struct notes {
    struct lf_stats_run *run;
    struct lf_drift *drift;
    const char **items;
    size_t count;
    bool failed;
};

static void
add(struct notes *notes, const char *text)
{
    notes->failed = notes->failed || text == NULL;
    notes->items[notes->count++] = text;
}

/* ---- words ---- */

/* "61 %"; with decimals only where a whole number would say none or all. hundredths of a percent. */
static const char *
percent_word(int hundredths, char word[WORD])
{
    int whole = (hundredths + PERCENT / 2) / PERCENT;

    if ((whole == 0 && hundredths > 0) || (whole == PERCENT && hundredths < WHOLE))
        (void)snprintf(word, WORD, hundredths % 10 == 0 ? "%d.%d %%" : "%d.%02d %%", hundredths / PERCENT,
                       hundredths % 10 == 0 ? hundredths % PERCENT / 10 : hundredths % PERCENT);
    else
        (void)snprintf(word, WORD, "%d %%", whole);
    return word;
}

/* "1,000". */
static const char *
count_word(int64_t count, char word[WORD])
{
    char digits[WORD];
    int len = snprintf(digits, sizeof digits, "%" PRId64, count), at = 0;

    for (int i = 0; i < len && at < WORD - 2; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            word[at++] = ',';
        word[at++] = digits[i];
    }
    word[at] = '\0';
    return word;
}

/* The local date of a moment, as "YYYY-MM-DD". */
static void
local_date(const struct lf_zone *zone, int64_t ms, char date[LF_TIME_TEXT_MAX])
{
    int64_t s = ms / 1000 - (ms % 1000 < 0), offset = zone != NULL ? lf_zone_offset_s(zone, s) : 0;

    (void)lf_time_format_date((s + offset) * 1000000, date);
}

/* "3 Nov", with the year where it is not that of now. */
static const char *
day_word(const struct lf_stats_query *query, int64_t ms, char word[WORD])
{
    static const char MONTHS[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char date[LF_TIME_TEXT_MAX], today[LF_TIME_TEXT_MAX];
    int year = 0, this_year = 0, month = 0, day = 0;

    local_date(query->zone, ms, date);
    local_date(query->zone, query->now_ms, today);
    year = atoi(date);
    this_year = atoi(today);
    month = atoi(date + 5);
    day = atoi(date + 8);
    if (year == this_year)
        (void)snprintf(word, WORD, "%d %s", day, MONTHS[month - 1]);
    else
        (void)snprintf(word, WORD, "%d %s %d", day, MONTHS[month - 1], year);
    return word;
}

/* ---- too few scores ---- */

static void
note_few(struct notes *notes, int64_t scored, const char *where)
{
    char word[WORD];

    if (scored == 0)
        add(notes, lf_arena_printf(notes->run->arena, "no scores in the %s", where));
    else if (scored < LF_STATS_SCORES_LEAST)
        add(notes, lf_arena_printf(notes->run->arena, "only %s score%s in the %s: too few to say much",
                                   count_word(scored, word), scored == 1 ? "" : "s", where));
}

static void
note_counts(struct notes *notes)
{
    char word[WORD], full[WORD];

    note_few(notes, notes->drift->window.scored, "window");
    if (notes->run->query->has_baseline)
        note_few(notes, notes->drift->baseline.scored, "baseline");
    else if (notes->drift->baseline.scored < LF_BASELINE_SCORES)
        add(notes,
            lf_arena_printf(notes->run->arena, "the baseline is not complete yet: %s of %s scores",
                            count_word(notes->drift->baseline.scored, word), count_word(LF_BASELINE_SCORES, full)));
}

/* ---- fields ---- */

static void
note_field(struct notes *notes, const struct lf_field_drift *field)
{
    char now[WORD], then[WORD], day[WORD];
    bool dated = field->since_ms != INT64_MIN;

    add(notes, lf_arena_printf(notes->run->arena, "%s is missing in %s of leads %s%s (was %s)", field->path,
                               percent_word(field->missing_pct, now), dated ? "since " : "in this window",
                               dated ? day_word(notes->run->query, field->since_ms, day) : "",
                               percent_word(field->baseline_pct, then)));
}

/* ---- what moved ---- */

static int64_t
sum_of(const int64_t *counts, size_t count)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += counts[i];
    return sum;
}

/* Cells that lie beside each other, and how far their share has moved. */
struct run {
    size_t first, end;
    wide moved; /* share of the window less that of the baseline, times both totals */
};

/* The run whose share has grown most (sign 1), or shrunk most (-1), without cells that do not move at its ends
 * (Kadane). single: of one cell. */
static struct run
most_moved(const struct lf_stats_cells *cells, int sign, bool single)
{
    int64_t baseline = sum_of(cells->baseline, cells->count), window = sum_of(cells->window, cells->count);
    struct run best = {.moved = 0}, at = {.moved = 0};

    for (size_t i = 0; i < cells->count; i++) {
        wide step = sign * ((wide)cells->window[i] * baseline - (wide)cells->baseline[i] * window);

        if (single || at.moved <= 0)
            at = (struct run){.first = i, .moved = 0};
        at.end = i + 1;
        at.moved += step;
        if (at.moved > best.moved)
            best = at;
    }
    return best;
}

/* What is said of a run: more or fewer leads, and the shares. */
struct said {
    struct run run;
    const char *more;
    char now[WORD], then[WORD];
};

static struct said
say(const struct lf_stats_cells *cells, bool single)
{
    struct run grown = most_moved(cells, 1, single), shrunk = most_moved(cells, -1, single);
    struct said said = {.run = grown, .more = "more"};

    /* What some cells have more others have less, often just as much: then the closer range tells more. */
    if (shrunk.moved > grown.moved ||
        (shrunk.moved == grown.moved && shrunk.end - shrunk.first < grown.end - grown.first))
        said = (struct said){.run = shrunk, .more = "fewer"};
    (void)percent_word(lf_percent(sum_of(cells->window + said.run.first, said.run.end - said.run.first),
                                  sum_of(cells->window, cells->count)),
                       said.now);
    (void)percent_word(lf_percent(sum_of(cells->baseline + said.run.first, said.run.end - said.run.first),
                                  sum_of(cells->baseline, cells->count)),
                       said.then);
    return said;
}

static const char *
verb_of(double psi)
{
    return lf_drift_level(psi) == LF_DRIFT_SHIFTED ? "has shifted" : "is shifting";
}

static void
note_score(struct notes *notes, const struct lf_stats_cells *cells)
{
    struct said said = say(cells, false);

    add(notes, lf_arena_printf(notes->run->arena, "score %s (PSI %.2f): %s leads score %zu-%zu (%s, was %s)",
                               verb_of(notes->drift->psi), notes->drift->psi, said.more, said.run.first * BIN_POINTS,
                               said.run.end * BIN_POINTS, said.now, said.then));
}

static void
note_attribute(struct notes *notes, const struct lf_attribute *attribute, double psi,
               const struct lf_stats_cells *cells)
{
    struct lf_arena *arena = notes->run->arena;
    struct said said = say(cells, true);
    const char *what = said.run.first == attribute->rule_count ? "match no rule" : "leave it unknown";

    if (said.run.first < attribute->rule_count)
        what = lf_arena_printf(arena, "match \"%s\"", attribute->rules[said.run.first].label);
    add(notes, what == NULL ? NULL
                            : lf_arena_printf(arena, "%s %s (PSI %.2f): %s leads %s (%s, was %s)", attribute->label,
                                              verb_of(psi), psi, said.more, what, said.now, said.then));
}

/* Whether it is worth a sentence: beyond the first band, and more than chance makes of so few scores. */
static bool
has_moved(double psi, const struct lf_stats_cells *cells)
{
    return lf_drift_level(psi) != LF_DRIFT_STABLE &&
           psi > lf_psi_by_chance(cells->baseline, cells->window, cells->count);
}

bool
lf_stats_notes(struct lf_stats_run *run, const struct lf_stats_moves *moves, struct lf_drift *drift)
{
    const struct lf_icp *icp = run->versions[run->reference].entry->icp;
    struct notes notes = {.run = run, .drift = drift};
    bool enough = drift->window.scored >= LF_STATS_SCORES_LEAST && drift->baseline.scored >= LF_STATS_SCORES_LEAST;

    notes.items = lf_arena_calloc(run->arena, 3 + drift->field_count + drift->attribute_count, sizeof *notes.items);
    if (notes.items == NULL)
        return false;
    note_counts(&notes);
    for (size_t f = 0; f < drift->field_count; f++)
        note_field(&notes, &drift->fields[f]);
    if (enough && has_moved(drift->psi, &moves->score))
        note_score(&notes, &moves->score);
    for (size_t a = 0; a < drift->attribute_count && enough; a++)
        if (has_moved(drift->attributes[a].psi, &moves->attributes[a]))
            note_attribute(&notes, &icp->attributes[a], drift->attributes[a].psi, &moves->attributes[a]);
    drift->notes = notes.items;
    drift->note_count = notes.count;
    return !notes.failed;
}
