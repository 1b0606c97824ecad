/*
 * driver.c - the scoring core behind a pipe, for tests written in other languages.
 *
 * Reads NDJSON, one {"definition", "lead", "as_of", "lists", "revisions"} a line, and answers each with one line:
 * {"result": {the one element of results, in full}, "reason_1".."reason_3", "definition_hash"}, or {"refused":
 * [{"pointer", "code"}]}. A list has revision 1 where none is given for its key.
 * It has no logic of its own: what it prints is what lib/core gives.
 */
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "core/answer.h"
#include "core/icp.h"
#include "core/named_list.h"
#include "core/program.h"
#include "core/program_types.h"
#include "core/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTS_MAX = 16 };

struct lists {
    struct lf_named_list *items[LISTS_MAX];
    size_t count;
};

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    const struct lists *lists = context;

    for (size_t i = 0; i < lists->count; i++)
        if (strcmp(lists->items[i]->key, key) == 0)
            return lists->items[i];
    return NULL;
}

static void
die(const char *what, const struct lf_error *error)
{
    (void)fprintf(stderr, "driver: %s: %s\n", what, error != NULL ? error->detail : "");
    exit(1);
}

static void
read_lists(struct lf_arena *arena, const struct lf_json *line, struct lists *lists)
{
    const struct lf_json *node = lf_json_member(line, "lists"), *revisions = lf_json_member(line, "revisions");
    struct lf_error error;

    for (const struct lf_json *list = lf_json_first(node); list != NULL; list = lf_json_next(list)) {
        const struct lf_json *revision = lf_json_member(revisions, lf_json_name(list));
        size_t count = 0, len = 0;
        const char **entries = lf_arena_calloc(arena, lf_json_count(list) + 1, sizeof *entries);

        for (const struct lf_json *entry = lf_json_first(list); entry != NULL; entry = lf_json_next(entry))
            entries[count++] = lf_json_text(entry, &len);
        if (lists->count == LISTS_MAX ||
            lf_named_list_create(lf_json_name(list), revision != NULL ? (int64_t)lf_json_number(revision) : 1, entries,
                                 count, &lists->items[lists->count], &error) != LF_OK)
            die("lists", NULL);
        lists->count++;
    }
}

static void
put_refusal(struct lf_buf *out, const struct lf_findings *findings)
{
    lf_buf_lit(out, "{\"refused\":[");
    for (size_t i = 0; i < findings->count; i++) {
        lf_buf_text(out, i > 0 ? ",{\"pointer\":" : "{\"pointer\":");
        lf_json_put_text(out, findings->items[i].pointer, strlen(findings->items[i].pointer));
        lf_buf_printf(out, ",\"code\":\"%s\"}", findings->items[i].code);
    }
    lf_buf_lit(out, "]}");
}

/* Every result goes through a record and back, to a program that knows no lists, so that what is kept is proved to tell
 * the same. */
static void
through_record(struct lf_arena *arena, struct lf_evaluation *evaluation, const struct lf_program *later,
               const struct lf_icp *icp, const struct lf_json *lead, struct lf_result *result)
{
    struct lf_buf buf;
    struct lf_record record;
    struct lf_error error;
    const struct lf_outcome *again = NULL;
    const bool wanted[] = {true};

    lf_buf_init(&buf, arena, 64 << 20);
    lf_record_begin(&buf, 1, false);
    lf_record_put_result(&buf, evaluation, 0, result->outcome, false);
    lf_record_put_input(&buf, evaluation, lead, wanted, false);
    if (lf_buf_failed(&buf) || lf_record_read(arena, buf.data, buf.len, &record, &error) != LF_OK ||
        lf_record_outcome(arena, icp, &record.results[0], &again, &error) != LF_OK)
        die("record", &error);
    if (!lf_outcome_equal(icp, result->outcome, again))
        die("the outcome changed on its way through a record", NULL);

    const struct lf_json *input = NULL;
    if (lf_json_parse(arena, record.input, record.input_len, &LF_JSON_DOCUMENT_LIMITS, &input, &error) != LF_OK)
        die("the input does not parse", &error);
    struct lf_evaluation *repeat = lf_evaluation_create(later, arena, input, evaluation->as_of_us / 1000);
    if (repeat == NULL || lf_record_restore_lists(repeat, 0, &record.results[0], &error) != LF_OK ||
        (again = lf_evaluate(repeat, 0)) == NULL || !lf_outcome_equal(icp, result->outcome, again))
        die("the recorded input does not repeat the outcome", NULL);
    result->outcome = again;
    result->evaluation = repeat;
}

static void
put_scored(struct lf_buf *out, struct lf_arena *arena, const struct lf_json *line, const struct lf_icp *icp)
{
    struct lists lists = {.count = 0};
    struct lf_list_source source = {find_list, &lists};
    struct lf_program_source member = {.icp = icp};
    struct lf_program *program = NULL, *later = NULL;
    struct lf_error error;
    struct lf_buf answer;
    struct lf_result result = {.index = 0};
    struct lf_answer told = {.lead_id = "", .results = &result, .result_count = 1, .explain = LF_EXPLAIN_FULL};
    int64_t as_of_us = 0;
    size_t len = 0;
    const char *as_of = lf_json_text(lf_json_member(line, "as_of"), &len);

    if (as_of == NULL || !lf_time_parse(as_of, len, &as_of_us))
        die("as_of is missing or not a date", NULL);
    read_lists(arena, line, &lists);
    if (lf_program_create(&member, 1, &source, &program, &error) != LF_OK ||
        lf_program_create(&member, 1, NULL, &later, &error) != LF_OK)
        die("compile", &error);
    result.teller = lf_teller_create(arena, icp, 0);
    result.scorer = lf_scorer_create(arena, icp);
    struct lf_evaluation *evaluation =
        lf_evaluation_create(program, arena, lf_json_member(line, "lead"), lf_time_us_to_ms(as_of_us));
    result.evaluation = evaluation;
    if (result.teller == NULL || result.scorer == NULL || evaluation == NULL ||
        (result.outcome = lf_evaluate(evaluation, 0)) == NULL)
        die("out of memory", NULL);
    through_record(arena, evaluation, later, icp, lf_json_member(line, "lead"), &result);
    if (!lf_score_outcome(result.scorer, result.outcome, arena, &result.score))
        die("out of memory", NULL);
    lf_buf_init(&answer, arena, 64 << 20);
    lf_answer_put(&answer, arena, &told);

    const struct lf_json *whole = NULL;
    if (lf_buf_failed(&answer) ||
        lf_json_parse(arena, answer.data, answer.len, &LF_JSON_DOCUMENT_LIMITS, &whole, &error) != LF_OK)
        die("the answer is not JSON", &error);
    lf_buf_lit(out, "{\"result\":");
    lf_json_put_tree(out, lf_json_first(lf_json_member(whole, "results")));
    for (int i = 1; i <= 3; i++) {
        char name[] = "reason_0";
        name[7] = (char)('0' + i);
        lf_buf_printf(out, ",\"%s\":", name);
        lf_json_put_tree(out, lf_json_member(whole, name));
    }
    lf_buf_printf(out, ",\"definition_hash\":\"%s\"}", lf_teller_hash(result.teller));
    lf_program_destroy(program);
    lf_program_destroy(later);
    for (size_t i = 0; i < lists.count; i++)
        lf_named_list_destroy(lists.items[i]);
}

int
main(void)
{
    struct lf_error error;
    char *text = NULL;
    size_t cap = 0;
    ssize_t len = 0;

    lf_json_setup();
    if (lf_hash_setup(&error) != LF_OK)
        die("setup", &error);
    struct lf_arena *arena = lf_arena_create(1 << 20, 512u << 20);
    if (arena == NULL)
        die("out of memory", NULL);
    while ((len = getline(&text, &cap, stdin)) > 0) {
        const struct lf_json *line = NULL;
        const struct lf_icp *icp = NULL;
        struct lf_findings findings;
        struct lf_buf out;

        lf_arena_reset(arena);
        lf_buf_init(&out, NULL, 256 << 20);
        lf_findings_init(&findings, arena);
        if (lf_json_parse(arena, text, (size_t)len - (text[len - 1] == '\n'), &LF_JSON_DOCUMENT_LIMITS, &line,
                          &error) != LF_OK)
            die("a line is not JSON", &error);
        enum lf_status status = lf_icp_parse(arena, lf_json_member(line, "definition"), &findings, &icp, &error);
        if (status == LF_INVALID_DEFINITION)
            put_refusal(&out, &findings);
        else if (status != LF_OK)
            die("definition", &error);
        else
            put_scored(&out, arena, line, icp);
        lf_buf_lit(&out, "\n");
        if (lf_buf_failed(&out) || fwrite(out.data, 1, out.len, stdout) != out.len)
            die("cannot write", NULL);
        (void)fflush(stdout);
        lf_buf_finish(&out);
    }
    free(text);
    lf_arena_destroy(arena);
    return 0;
}
