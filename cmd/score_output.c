/* score_output.c - NDJSON and CSV; see score_output.h. */
#include "score_output.h"

#include "base/problem.h"

#include <string.h>

enum { REASONS = 3 };

struct lf_result *
score_best(const struct lf_scoring *scoring)
{
    struct lf_result *best = &scoring->results[0];

    for (size_t i = 1; i < scoring->result_count; i++)
        if (lf_score_compare(&scoring->results[i].score, &best->score) < 0)
            best = &scoring->results[i];
    return best;
}

/* ---- NDJSON ---- */

void
score_put_ndjson(struct lf_buf *out, struct lf_arena *arena, struct lf_scoring *scoring, int64_t scored_at_ms,
                 uint64_t line)
{
    lf_scoring_tell(out, arena, scoring, NULL, scored_at_ms, (int64_t)line);
    lf_buf_lit(out, "\n");
}

void
score_put_ndjson_error(struct lf_buf *out, uint64_t line, const struct lf_error *error,
                       const struct lf_findings *findings)
{
    lf_buf_lit(out, "{\"line\":");
    lf_buf_int(out, (int64_t)line);
    lf_buf_lit(out, ",\"error\":");
    lf_problem_put(out, error, "", findings);
    lf_buf_lit(out, "}\n");
}

/* ---- CSV ---- */

/* Whether the text is a number as spreadsheets read it, which may begin with a sign: -5, +49.5. */
static bool
is_signed_number(const char *text, size_t len)
{
    size_t digits = 0, points = 0;

    for (size_t i = 1; i < len; i++) {
        digits += text[i] >= '0' && text[i] <= '9';
        points += text[i] == '.';
    }
    return digits > 0 && points <= 1 && digits + points == len - 1;
}

/* Spreadsheets run what begins so as a formula (OWASP, "CSV Injection"); a lead's id comes from strangers. */
static bool
is_formula(const char *text, size_t len)
{
    if (len == 0 || memchr("=+-@\t\r", text[0], 6) == NULL)
        return false;
    return (text[0] != '+' && text[0] != '-') || !is_signed_number(text, len);
}

static void
put_cell(struct lf_buf *out, const char *text, size_t len)
{
    bool formula = is_formula(text, len), quoted = formula || (len > 0 && (text[0] == ' ' || text[len - 1] == ' '));

    for (size_t i = 0; i < len && !quoted; i++)
        quoted = text[i] == '"' || text[i] == ',' || text[i] == ';' || text[i] == '\n' || text[i] == '\r';
    if (!quoted) {
        lf_buf_add(out, text, len);
        return;
    }
    lf_buf_text(out, formula ? "\"'" : "\"");
    for (size_t at = 0; at < len;) {
        const char *quote = memchr(text + at, '"', len - at);
        size_t end = quote != NULL ? (size_t)(quote - text) + 1 : len;

        lf_buf_add(out, text + at, end - at);
        if (quote != NULL)
            lf_buf_lit(out, "\"");
        at = end;
    }
    lf_buf_lit(out, "\"");
}

void
score_put_csv_header(struct lf_buf *out)
{
    lf_buf_lit(out, "line,id,icp,version,score,grade,label,qualified,coverage,engagement,engagement_level,"
                    "reason_1,reason_2,reason_3\n");
}

void
score_put_csv(struct lf_buf *out, struct lf_arena *arena, const struct lf_scoring *scoring, uint64_t line)
{
    const struct lf_result *best = score_best(scoring);
    const struct lf_score *score = &best->score;
    const struct lf_profile *profile = &scoring->profiles->items[best->index];
    const char *reasons[REASONS] = {"", "", ""}, *grade = lf_score_grade(score);
    char label[LF_LABEL_MAX];

    lf_score_label(score, label);
    (void)lf_result_reasons(arena, best, reasons, REASONS);
    lf_buf_int(out, (int64_t)line);
    lf_buf_lit(out, ",");
    put_cell(out, scoring->lead_id, scoring->lead_id_len);
    lf_buf_lit(out, ",");
    lf_buf_text(out, profile->icp->key);
    lf_buf_lit(out, ",");
    lf_buf_int(out, profile->version);
    lf_buf_lit(out, ",");
    lf_buf_decimal(out, score->axes[LF_AXIS_FIT].score, 2);
    lf_buf_lit(out, ",");
    put_cell(out, grade, strlen(grade));
    lf_buf_lit(out, ",");
    put_cell(out, label, strlen(label));
    lf_buf_text(out, score->qualified ? ",true," : ",false,");
    lf_buf_decimal(out, score->axes[LF_AXIS_FIT].coverage, 2);
    lf_buf_lit(out, ",");
    lf_buf_decimal(out, score->axes[LF_AXIS_ENGAGEMENT].score, 2);
    lf_buf_lit(out, ",");
    lf_buf_int(out, score->has_engagement ? (int64_t)score->level + 1 : 0);
    for (size_t i = 0; i < REASONS; i++) {
        lf_buf_lit(out, ",");
        put_cell(out, reasons[i], strlen(reasons[i]));
    }
    lf_buf_lit(out, "\n");
}
