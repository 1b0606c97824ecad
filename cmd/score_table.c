/*
 * score_table.c - the table of `leadfit score`, for people: best lead first, then how the grades are spread.
 *
 * The best rows are kept in a heap whose root is the worst of them, so that a million leads cost no more than the
 * rows that will be shown. See score_output.h.
 */
#include "score_output.h"

#include "base/columns.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REASONS = 3,
    NAMES_MAX = 512,       /* of grades, over all ICPs; further ones count as `other` */
    LEAD_COLUMNS_MAX = 32, /* a longer id is cut */
    WHY_COLUMNS_MIN = 16,  /* less tells nothing: then the reasons are left out */
    ROWS_AT_ONCE = 256,
    BAR_COLUMNS = 30,
};

struct row {
    uint64_t line;
    int score, coverage; /* hundredths */
    bool qualified;
    size_t profile;
    size_t lead_len, label_len, why_len; /* bytes, one behind the other in text */
    char text[];
};

struct tally {
    const char *name;
    uint64_t count;
};

struct score_table {
    const struct lf_profiles *profiles;
    size_t columns, top;
    struct row **rows;
    size_t count, cap;
    uint64_t leads; /* all */
    struct tally tallies[NAMES_MAX];
    size_t tally_count;
    /* telling */
    bool begun;
    size_t told, lead_columns, label_columns, icp_columns;
};

static void
add_name(struct score_table *table, const char *name)
{
    for (size_t i = 0; i < table->tally_count; i++)
        if (strcmp(table->tallies[i].name, name) == 0)
            return;
    if (table->tally_count < NAMES_MAX - 2)
        table->tallies[table->tally_count++].name = name;
}

struct score_table *
score_table_create(const struct lf_profiles *profiles, size_t top, size_t columns)
{
    struct score_table *table = calloc(1, sizeof *table);

    if (table == NULL)
        return NULL;
    table->profiles = profiles;
    table->columns = columns;
    table->top = top;
    for (size_t i = 0; i < profiles->count; i++)
        for (size_t j = 0; j < profiles->items[i].icp->grade_count; j++)
            add_name(table, profiles->items[i].icp->grades[j].name);
    table->tallies[table->tally_count++].name = "DQ";
    table->tallies[table->tally_count++].name = "other";
    return table;
}

void
score_table_destroy(struct score_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->rows[i]);
    free(table->rows);
    free(table);
}

/* ---- gathering ---- */

/* < 0: a is the better one. */
static int
compare_rows(const struct row *a, const struct row *b)
{
    if (a->qualified != b->qualified)
        return a->qualified ? -1 : 1;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->coverage != b->coverage)
        return a->coverage > b->coverage ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static int
compare_row_pointers(const void *a, const void *b)
{
    const struct row *const *left = a, *const *right = b;

    return compare_rows(*left, *right);
}

static void
swap_rows(struct score_table *table, size_t a, size_t b)
{
    struct row *kept = table->rows[a];

    table->rows[a] = table->rows[b];
    table->rows[b] = kept;
}

/* Lets the row at `at` sink to its place in the heap. */
static void
sink(struct score_table *table, size_t at)
{
    for (;;) {
        size_t worst = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < table->count; child++)
            if (compare_rows(table->rows[child], table->rows[worst]) > 0)
                worst = child;
        if (worst == at)
            return;
        swap_rows(table, at, worst);
        at = worst;
    }
}

static bool
keep_row(struct score_table *table, struct row *row)
{
    size_t at = 0;

    if (table->count == table->top) {
        free(table->rows[0]);
        table->rows[0] = row;
        sink(table, 0);
        return true;
    }
    if (table->count == table->cap) {
        size_t cap = table->cap == 0 ? 64 : 2 * table->cap;
        struct row **grown = realloc(table->rows, cap * sizeof(struct row *));

        if (grown == NULL) {
            free(row);
            return false;
        }
        table->rows = grown;
        table->cap = cap;
    }
    at = table->count++;
    table->rows[at] = row;
    while (at > 0 && compare_rows(table->rows[at], table->rows[(at - 1) / 2]) > 0) {
        swap_rows(table, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    return true;
}

static void
count_grade(struct score_table *table, const char *grade)
{
    size_t at = 0;

    while (at < table->tally_count - 1 && strcmp(table->tallies[at].name, grade) != 0)
        at++;
    table->tallies[at].count++;
    table->leads++;
}

bool
score_table_add(struct score_table *table, struct lf_arena *arena, const struct lf_scoring *scoring, uint64_t line)
{
    const struct lf_result *best = score_best(scoring);
    struct row key = {
        .line = line,
        .score = best->score.axes[LF_AXIS_FIT].score,
        .coverage = best->score.axes[LF_AXIS_FIT].coverage,
        .qualified = best->score.qualified,
        .profile = best->index,
    };
    const char *reasons[REASONS] = {"", "", ""};
    char label[LF_LABEL_MAX];
    struct lf_buf text;
    struct row *row = NULL;

    count_grade(table, lf_score_grade(&best->score));
    if (table->count == table->top && compare_rows(&key, table->rows[0]) > 0)
        return true;
    lf_buf_init(&text, arena, 1 << 20);
    if (scoring->lead_id_len > 0)
        (void)lf_columns_put(&text, scoring->lead_id, scoring->lead_id_len, LEAD_COLUMNS_MAX);
    else
        lf_buf_printf(&text, "line %llu", (unsigned long long)line);
    key.lead_len = text.len;
    lf_score_label(&best->score, label);
    (void)lf_columns_put(&text, label, strlen(label), LEAD_COLUMNS_MAX);
    key.label_len = text.len - key.lead_len;
    for (size_t i = 0, room = table->columns, told = lf_result_reasons(arena, best, reasons, REASONS);
         i < told && room > 4; i++) {
        if (i > 0) {
            lf_buf_lit(&text, " · ");
            room -= 3;
        }
        room -= lf_columns_put(&text, reasons[i], strlen(reasons[i]), room);
    }
    key.why_len = text.len - key.lead_len - key.label_len;
    row = lf_buf_failed(&text) ? NULL : malloc(sizeof *row + text.len);
    if (row == NULL)
        return false;
    *row = key;
    memcpy(row->text, text.data, text.len);
    return keep_row(table, row);
}

/* ---- telling ---- */

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Sorts, and finds how wide the columns must be. */
static void
begin(struct score_table *table)
{
    table->begun = true;
    if (table->count > 1)
        qsort(table->rows, table->count, sizeof(struct row *), compare_row_pointers);
    table->lead_columns = sizeof "Lead" - 1;
    table->label_columns = sizeof "Label" - 1;
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = table->rows[i];

        table->lead_columns = larger(table->lead_columns, lf_columns(row->text, row->lead_len));
        table->label_columns = larger(table->label_columns, lf_columns(row->text + row->lead_len, row->label_len));
    }
    if (table->profiles->count > 1) {
        table->icp_columns = sizeof "ICP" - 1;
        for (size_t i = 0; i < table->profiles->count; i++)
            table->icp_columns = larger(table->icp_columns, strlen(table->profiles->items[i].icp->key));
    }
}

/* A cell of a left-aligned column, and the space behind it. */
static void
put_left(struct lf_buf *out, const char *text, size_t len, size_t columns)
{
    lf_columns_pad(out, columns - lf_columns_put(out, text, len, columns) + 2);
}

/* What is left of the width for the reasons; 0: not enough. */
static size_t
why_columns(const struct score_table *table)
{
    size_t taken = table->lead_columns + 2 + table->label_columns + 2 + 6 + 2 + 5 + 2;

    if (table->icp_columns > 0)
        taken += table->icp_columns + 2;
    return table->columns >= taken + WHY_COLUMNS_MIN ? table->columns - taken : 0;
}

static void
put_head(const struct score_table *table, struct lf_buf *out)
{
    put_left(out, "Lead", 4, table->lead_columns);
    put_left(out, "Label", 5, table->label_columns);
    lf_buf_lit(out, " Score  Known");
    if (table->icp_columns > 0 || why_columns(table) > 0)
        lf_buf_lit(out, "  ");
    if (table->icp_columns > 0)
        put_left(out, "ICP", 3, table->icp_columns);
    lf_buf_text(out, why_columns(table) > 0 ? "Why\n" : "\n");
}

static void
put_row(const struct score_table *table, const struct row *row, struct lf_buf *out)
{
    const char *key = table->profiles->items[row->profile].icp->key;
    size_t why = why_columns(table);

    put_left(out, row->text, row->lead_len, table->lead_columns);
    put_left(out, row->text + row->lead_len, row->label_len, table->label_columns);
    lf_buf_printf(out, "%3d.%02d  %3d %%", row->score / 100, row->score % 100, row->coverage / 100);
    if (table->icp_columns > 0) {
        lf_buf_lit(out, "  ");
        if (why > 0)
            put_left(out, key, strlen(key), table->icp_columns);
        else
            lf_buf_text(out, key);
    }
    if (why > 0 && row->why_len > 0) {
        if (table->icp_columns == 0)
            lf_buf_lit(out, "  ");
        (void)lf_columns_put(out, row->text + row->lead_len + row->label_len, row->why_len, why);
    }
    lf_buf_lit(out, "\n");
}

/* 1234567 as 1,234,567. */
static void
put_count(struct lf_buf *out, uint64_t count)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            lf_buf_lit(out, ",");
        lf_buf_char(out, digits[i]);
    }
}

static void
put_grades(const struct score_table *table, struct lf_buf *out)
{
    size_t name_columns = 0;

    for (size_t i = 0; i < table->tally_count; i++)
        name_columns = larger(name_columns, lf_columns(table->tallies[i].name, strlen(table->tallies[i].name)));
    for (size_t i = 0; i < table->tally_count; i++) {
        const struct tally *tally = &table->tallies[i];
        double share = (double)tally->count / (double)table->leads;

        if (tally->count == 0 && i == table->tally_count - 1)
            continue; /* `other`, which there hardly ever is */
        lf_buf_lit(out, "  ");
        put_left(out, tally->name, strlen(tally->name), name_columns);
        lf_buf_printf(out, "%9llu  %5.1f %%", (unsigned long long)tally->count, 100 * share);
        if (tally->count > 0) {
            lf_buf_lit(out, "  ");
            for (int cell = 0; cell == 0 || cell < (int)(share * (double)BAR_COLUMNS + 0.5); cell++)
                lf_buf_lit(out, "#");
        }
        lf_buf_lit(out, "\n");
    }
}

static void
put_summary(const struct score_table *table, struct lf_buf *out, uint64_t bad_rows, int64_t as_of_ms)
{
    char as_of[LF_TIME_TEXT_MAX];

    if (table->leads > 0)
        lf_buf_lit(out, "\n");
    put_count(out, table->leads);
    lf_buf_text(out, table->leads == 1 ? " lead scored" : " leads scored");
    if (table->count < table->leads) {
        lf_buf_lit(out, " (above: the best ");
        put_count(out, table->count);
        lf_buf_lit(out, ")");
    }
    if (bad_rows > 0) {
        lf_buf_lit(out, ", ");
        put_count(out, bad_rows);
        lf_buf_text(out, bad_rows == 1 ? " row that cannot be read" : " rows that cannot be read");
    }
    (void)lf_time_format_ms(as_of_ms, as_of);
    lf_buf_lit(out, ", as of ");
    lf_buf_text(out, as_of);
    lf_buf_lit(out, "\n");
    if (table->leads > 0)
        put_grades(table, out);
}

bool
score_table_put(struct score_table *table, struct lf_buf *out, uint64_t bad_rows, int64_t as_of_ms)
{
    if (!table->begun) {
        begin(table);
        if (table->count > 0)
            put_head(table, out);
    }
    for (size_t i = 0; i < ROWS_AT_ONCE && table->told < table->count; i++)
        put_row(table, table->rows[table->told++], out);
    if (table->told < table->count)
        return true;
    put_summary(table, out, bad_rows, as_of_ms);
    return false;
}
