/*
 * score.c - leadfit score: a file of leads scored without a database.
 *
 * Reading (score_input.h), scoring and telling (score_output.h) go block by block and in order, in constant memory but
 * for the rows of a table. All leads of a run are scored as of one moment.
 */
#include "score_input.h"
#include "score_output.h"
#include "score_profiles.h"

#include "base/findings.h"
#include "base/json.h"
#include "base/time.h"
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FLUSH_AT = 256 * 1024, /* bytes of output */
    OUT_MAX = 256 << 20,   /* one answer with everything explained, whatever the definitions, is far below */
    LEAD_ARENA = 256 * 1024,
    LEAD_ARENA_MAX = 512 << 20
};

/* What the arguments say. */
struct wishes {
    struct score_profiles icps;
    const char *input;
    enum score_format format;
    bool format_given;
    enum lf_explain explain;
    char separator; /* 0: not said */
    size_t top;
    int64_t now_ms, as_of_ms;
};

/* A run under way. */
struct run {
    struct wishes *wishes;
    struct score_input *input;
    struct score_block block;
    struct lf_arena *arena; /* of the lead in hand */
    struct lf_score_request request;
    struct score_table *table; /* NULL but for a table */
    struct lf_buf out, err;
    struct progress progress;
    uint64_t leads, bad; /* all rows; those that could not be scored */
    bool reader_left;    /* nobody reads the output any more */
};

/* ---- writing ---- */

/* Writes all of it and empties the buffer. A reader that has gone (EPIPE) ends the run without a word. */
static enum lf_status
flush_to(struct run *run, struct lf_buf *buf, int fd, struct lf_error *error)
{
    size_t at = 0;

    if (lf_buf_failed(buf))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while telling scores");
    while (at < buf->len) {
        ssize_t wrote = write(fd, buf->data + at, buf->len - at);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EPIPE)
            run->reader_left = true;
        if (wrote < 0)
            return lf_fail(error, LF_FILE, "cannot write the scores: %s", strerror(errno));
        at += (size_t)wrote;
    }
    buf->len = 0;
    return LF_OK;
}

static enum lf_status
flush(struct run *run, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (run->err.len > 0) /* scores never go to the terminal that has the bar */
        progress_clear(&run->progress);
    /* What is wrong with rows is told first, so that it is there even when writing scores fails. */
    status = flush_to(run, &run->err, STDERR_FILENO, error);
    return status != LF_OK ? status : flush_to(run, &run->out, STDOUT_FILENO, error);
}

/* ---- one lead ---- */

static enum lf_status
parse_record(struct run *run, const struct score_record *record, const struct lf_json **ret_lead,
             struct lf_error *error)
{
    switch (record->kind) {
    case RECORD_JSON:
        return lf_json_parse(run->arena, record->text, record->len, &LF_JSON_LEAD_LIMITS, ret_lead, error);
    case RECORD_CELLS: {
        struct lf_csv_record row = {.line = record->line, .count = record->len, .cells = record->cells};

        return lf_csv_plan_lead(score_input_plan(run->input), &row, run->arena, ret_lead, error);
    }
    case RECORD_BROKEN:
        break;
    }
    *error = *record->error;
    return error->status;
}

/* A row that could not be scored: on its own line of NDJSON, else on standard error. */
static void
tell_bad(struct run *run, uint64_t line, const struct lf_error *error, const struct lf_findings *findings)
{
    const char *name = score_input_name(run->input);

    run->bad++;
    if (run->wishes->format == SCORE_NDJSON) {
        score_put_ndjson_error(&run->out, line, error, findings);
        return;
    }
    lf_buf_printf(&run->err, "%s:%llu: ", name, (unsigned long long)line);
    for (size_t i = 0; i < findings->count; i++) {
        lf_buf_text(&run->err, i > 0 ? "; " : "");
        lf_buf_text(&run->err, findings->items[i].pointer);
        lf_buf_text(&run->err, findings->items[i].pointer[0] != '\0' ? ": " : "");
        lf_buf_text(&run->err, findings->items[i].detail);
    }
    if (findings->count == 0)
        lf_buf_text(&run->err, error->detail);
    lf_buf_lit(&run->err, "\n");
}

static enum lf_status
score_record(struct run *run, const struct score_record *record, struct lf_error *error)
{
    struct lf_findings findings;
    struct lf_score_request request = run->request;
    struct lf_scoring scoring;
    struct lf_error why;
    enum lf_status status = LF_OK;

    lf_arena_reset(run->arena);
    lf_findings_init(&findings, run->arena);
    run->leads++;
    status = parse_record(run, record, &request.lead, &why);
    if (status == LF_OK)
        status = lf_score_request_lead(run->arena, request.lead, "", &findings, &request, &why);
    if (status == LF_OK)
        status = lf_scoring_run(run->arena, run->wishes->icps.profiles, &request, run->wishes->now_ms, &scoring, &why);
    if (status != LF_OK) {
        tell_bad(run, record->line, &why, &findings);
        return LF_OK;
    }
    switch (run->wishes->format) {
    case SCORE_NDJSON:
        score_put_ndjson(&run->out, run->arena, &scoring, run->wishes->now_ms, record->line);
        break;
    case SCORE_CSV:
        score_put_csv(&run->out, run->arena, &scoring, record->line);
        break;
    case SCORE_TABLE:
        if (!score_table_add(run->table, run->arena, &scoring, record->line))
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory for the table: --top N keeps fewer rows");
        break;
    }
    return LF_OK;
}

/* ---- all of them ---- */

static enum lf_status
score_block(struct run *run, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t i = 0; status == LF_OK && i < run->block.count; i++) {
        status = score_record(run, &run->block.records[i], error);
        if (status == LF_OK && run->out.len + run->err.len >= FLUSH_AT)
            status = flush(run, error);
    }
    return status == LF_OK ? flush(run, error) : status;
}

static enum lf_status
score_all(struct run *run, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    if (run->wishes->format == SCORE_CSV)
        score_put_csv_header(&run->out);
    for (;;) {
        status = score_input_next(run->input, &run->block, error);
        if (status != LF_OK || run->block.count == 0)
            break;
        status = score_block(run, error);
        if (status != LF_OK)
            break;
        progress_step(&run->progress, score_input_bytes(run->input), run->leads);
    }
    progress_clear(&run->progress);
    for (bool more = run->table != NULL; status == LF_OK && more;) {
        more = score_table_put(run->table, &run->out, run->bad, run->wishes->as_of_ms);
        status = flush(run, error);
    }
    return status == LF_OK ? flush(run, error) : status;
}

static enum lf_status
run_init(struct run *run, struct lf_error *error)
{
    struct wishes *wishes = run->wishes;
    bool to_terminal = false;
    int columns = 0;

    to_terminal = output_is_terminal(&columns);
    run->arena = lf_arena_create(LEAD_ARENA, LEAD_ARENA_MAX);
    lf_buf_init(&run->out, NULL, OUT_MAX);
    lf_buf_init(&run->err, NULL, OUT_MAX);
    run->request = (struct lf_score_request){
        .lead_id = "",
        /* All that were given are asked for by name, so that experimental ones answer too. */
        .icps = wishes->icps.keys,
        .icp_count = wishes->icps.count,
        .has_as_of = true,
        .as_of_ms = wishes->as_of_ms,
        .explain = wishes->explain,
    };
    if (wishes->format == SCORE_TABLE)
        run->table = score_table_create(wishes->icps.profiles, wishes->top, (size_t)columns);
    if (run->arena == NULL || (wishes->format == SCORE_TABLE && run->table == NULL))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while starting to score");
    progress_init(&run->progress, run->table != NULL || !to_terminal, score_input_total(run->input));
    return score_block_init(&run->block, error);
}

static int
score(struct wishes *wishes)
{
    struct run run = {.wishes = wishes};
    struct lf_error error;
    enum lf_status status = score_input_open(wishes->input, wishes->separator, &run.input, &error);
    int columns = 0, code = EXIT_FINE;

    if (status == LF_OK) {
        if (!wishes->format_given)
            wishes->format = output_is_terminal(&columns)               ? SCORE_TABLE
                             : score_input_kind(run.input) == INPUT_CSV ? SCORE_CSV
                                                                        : SCORE_NDJSON;
        status = run_init(&run, &error);
    }
    if (status == LF_OK)
        status = score_all(&run, &error);
    if (status != LF_OK)
        code = run.reader_left ? EXIT_FAULT : fault(&error);
    else if (run.bad > 0)
        code = EXIT_FAULT;
    score_block_finish(&run.block);
    score_table_destroy(run.table);
    lf_buf_finish(&run.out);
    lf_buf_finish(&run.err);
    lf_arena_destroy(run.arena);
    score_input_close(run.input);
    return code;
}

/* ---- arguments ---- */

static int
read_separator(const struct command *command, const char *word, struct wishes *wishes)
{
    if (strcmp(word, "tab") == 0 || strcmp(word, "\\t") == 0 || strcmp(word, "\t") == 0)
        wishes->separator = '\t';
    else if (strlen(word) == 1 && strchr(",;|", word[0]) != NULL)
        wishes->separator = word[0];
    else
        return wrong_usage(command, "--separator is , or ; or | or tab, not \"%s\"", word);
    return 0;
}

static int
read_top(const struct command *command, const char *word, struct wishes *wishes)
{
    char *end = NULL;
    unsigned long top = 0;

    errno = 0;
    top = strtoul(word, &end, 10);
    if (word[0] < '0' || word[0] > '9' || *end != '\0' || errno != 0 || top < 1 || top > SCORE_TABLE_ROWS_MAX)
        return wrong_usage(command, "--top is a number from 1 to %d, not \"%s\"", SCORE_TABLE_ROWS_MAX, word);
    wishes->top = top;
    return 0;
}

static int
read_format(const struct command *command, const char *word, struct wishes *wishes)
{
    static const char *const WORDS[] = {[SCORE_TABLE] = "table", [SCORE_CSV] = "csv", [SCORE_NDJSON] = "ndjson"};

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (strcmp(word, WORDS[i]) == 0) {
            wishes->format = (enum score_format)i;
            wishes->format_given = true;
            return 0;
        }
    }
    return wrong_usage(command, "--format is table, csv or ndjson, not \"%s\"", word);
}

static int
read_as_of(const struct command *command, const char *word, struct wishes *wishes)
{
    int64_t us = 0;

    if (!lf_time_parse(word, strlen(word), &us))
        return wrong_usage(command, "--as-of is a time such as 2026-01-31 or 2026-01-31T09:30:00Z, not \"%s\"", word);
    wishes->as_of_ms = lf_time_us_to_ms(us);
    return 0;
}

static int
read_wishes(const struct command *command, int argc, char **argv, struct wishes *wishes, int *ret_count)
{
    const char *as_of = NULL, *explain = NULL, *format = NULL, *separator = NULL, *top = NULL;
    const struct option options[] = {
        {.name = "--icp", .each = score_profiles_icp, .context = &wishes->icps},
        {.name = "--list", .each = score_profiles_list, .context = &wishes->icps},
        {.name = "--as-of", .value = &as_of},
        {.name = "--explain", .value = &explain},
        {.name = "--format", .value = &format},
        {.name = "--separator", .value = &separator},
        {.name = "--top", .value = &top},
        {.name = NULL},
    };
    int code = read_arguments(command, argc, argv, options, NULL, ret_count);

    if (code != 0 || *ret_count < 0)
        return code;
    if (wishes->icps.count == 0)
        return wrong_usage(command, "name an ICP definition: --icp FILE.json");
    if (*ret_count != 1)
        return wrong_usage(command, *ret_count == 0 ? "name the file of leads, or - for standard input"
                                                    : "one file of leads at a time");
    wishes->input = argv[0];
    if (code == 0 && as_of != NULL)
        code = read_as_of(command, as_of, wishes);
    if (code == 0 && explain != NULL && !lf_explain_parse(explain, strlen(explain), &wishes->explain))
        code = wrong_usage(command, "--explain is full, summary or none, not \"%s\"", explain);
    if (code == 0 && format != NULL)
        code = read_format(command, format, wishes);
    if (code == 0 && separator != NULL)
        code = read_separator(command, separator, wishes);
    if (code == 0 && top != NULL)
        code = read_top(command, top, wishes);
    return code;
}

int
command_score(const struct command *command, int argc, char **argv)
{
    struct wishes *wishes = calloc(1, sizeof *wishes);
    int count = 0, code = 0;

    if (wishes == NULL) {
        struct lf_error error;

        (void)lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while starting to score");
        return fault(&error);
    }
    wishes->icps.command = command;
    wishes->explain = LF_EXPLAIN_SUMMARY;
    wishes->top = SCORE_TABLE_ROWS_MAX;
    wishes->now_ms = wishes->as_of_ms = lf_time_now_ms();
    code = read_wishes(command, argc, argv, wishes, &count);
    if (code == 0 && count >= 0)
        code = score_profiles_load(&wishes->icps);
    if (code == 0 && count >= 0)
        code = score(wishes);
    score_profiles_finish(&wishes->icps);
    free(wishes);
    return code;
}
