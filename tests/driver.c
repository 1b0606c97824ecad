/*
 * driver.c - the scoring core behind a pipe, for tests written in other languages.
 *
 * Reads NDJSON, one {"definition", "lead", "as_of", "lists", "revisions"} a line, and answers each with one line:
 * {"result": {the one element of results, in full}, "reason_1".."reason_3", "definition_hash"}, or {"refused":
 * [{"pointer", "code"}]}. A list has revision 1 where none is given for its key.
 * Each score goes through records of every kind on its way: whole and cut down, with hashes, with nothing, and without
 * fields that are never stored; all must tell the same. It has no logic of its own: what it prints is what lib/core
 * gives.
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

/* One of the fields that the definition reads, now and then with what is beside it, as a pattern; "" where its name
 * cannot stand in one. */
static const char *
random_pattern(struct lf_arena *arena, const struct lf_icp *icp, uint64_t random)
{
    const char *path = icp->fields.paths[random / 8 % icp->fields.count], *last = strrchr(path, '.');
    const char *dot = strchr(path, '.');

    if (strpbrk(path, ",*?[]{}\"';/\\") != NULL)
        return "";
    switch (random % 4) {
    case 0:
        return path;
    case 1:
        return lf_arena_printf(arena, "*.%s", last != NULL ? last + 1 : path);
    case 2:
        return lf_arena_copy(arena, path, dot != NULL ? (size_t)(dot - path) : strlen(path));
    default:
        return lf_arena_printf(arena, " *.%s , %s.nothing.below", path, path);
    }
}

/* Records the result with as much of the lead as the privacy lets, opens that with a program that knows no lists, and
 * computes it again: what is kept is proved to tell the same. */
static void
through_record(struct lf_arena *arena, struct lf_evaluation *evaluation, struct lf_program *program,
               const struct lf_program *later, const struct lf_json *lead, const struct lf_privacy *privacy,
               struct lf_result *result)
{
    const struct lf_icp *icp = lf_program_member(program, 0)->icp;
    struct lf_buf buf;
    struct lf_record record;
    struct lf_error error;
    const struct lf_outcome *again = NULL;
    const struct lf_json *input = NULL;
    const bool wanted[] = {true};

    lf_program_withhold(program, privacy);
    lf_buf_init(&buf, arena, 64 << 20);
    lf_record_begin(&buf, 1, lf_privacy_kept(privacy));
    lf_record_put_result(&buf, evaluation, 0, result->outcome, false);
    if (lf_record_put_input(&buf, evaluation, lead, wanted, privacy, &error) != LF_OK ||
        lf_record_read(arena, buf.data, buf.len, &record, &error) != LF_OK ||
        lf_record_outcome(arena, icp, &record.results[0], &again, &error) != LF_OK)
        die("record", &error);
    if (!lf_outcome_equal(icp, result->outcome, again))
        die("the outcome changed on its way through a record", NULL);
    if (lf_record_parse_input(arena, &record, &input, &error) != LF_OK)
        die("the input does not parse", &error);
    struct lf_evaluation *repeat = lf_evaluation_create(
        later, arena, record.kept == LF_KEPT_HASHES ? lf_json_new_object(arena) : input, evaluation->as_of_us / 1000);
    if (repeat == NULL || lf_record_restore(repeat, 0, &record.results[0], &error) != LF_OK ||
        (again = lf_evaluate(repeat, 0)) == NULL || !lf_outcome_equal(icp, result->outcome, again))
        die("the recorded input does not repeat the outcome", NULL);
    result->outcome = again;
    result->evaluation = repeat;
}

/* Whether two answers are the same but for values of the lead and the sentences that repeat them. */
static bool
same_but_values(const struct lf_json *a, const struct lf_json *b)
{
    const char *name = lf_json_name(a);
    size_t len = 0, other = 0;
    const char *text = lf_json_text(a, &len), *more = lf_json_text(b, &other);

    if (name != NULL && (strcmp(name, "value") == 0 || strncmp(name, "reason", 6) == 0))
        return lf_json_kind(a) == lf_json_kind(b);
    if (lf_json_kind(a) != lf_json_kind(b) || lf_json_number(a) != lf_json_number(b) ||
        lf_json_is_true(a) != lf_json_is_true(b) || len != other || (len > 0 && memcmp(text, more, len) != 0))
        return false;
    for (a = lf_json_first(a), b = lf_json_first(b); a != NULL && b != NULL; a = lf_json_next(a), b = lf_json_next(b))
        if (!same_but_values(a, b))
            return false;
    return a == NULL && b == NULL;
}

static const struct lf_json *
tell(struct lf_arena *arena, struct lf_result result)
{
    struct lf_answer told = {.lead_id = "", .results = &result, .result_count = 1, .explain = LF_EXPLAIN_FULL};
    const struct lf_json *answer = NULL;
    struct lf_error error;
    struct lf_buf buf;

    if (!lf_score_outcome(result.scorer, result.outcome, arena, &result.score))
        die("out of memory", NULL);
    lf_buf_init(&buf, arena, 64 << 20);
    lf_answer_put(&buf, arena, &told);
    if (lf_buf_failed(&buf) ||
        lf_json_parse(arena, buf.data, buf.len, &LF_JSON_DOCUMENT_LIMITS, &answer, &error) != LF_OK)
        die("the answer is not JSON", &error);
    return answer;
}

/* Every result goes through records of all kinds. What is told in the end comes out of one that has all that the
 * definition reads. */
static const struct lf_json *
told_from_record(struct lf_arena *arena, struct lf_evaluation *evaluation, struct lf_program *program,
                 const struct lf_program *later, const struct lf_json *lead, struct lf_result *result)
{
    static const enum lf_kept KEPT[] = {LF_KEPT_HASHES, LF_KEPT_NOTHING, LF_KEPT_WHOLE, LF_KEPT_FIELDS, LF_KEPT_FIELDS};
    static const uint8_t KEY[LF_SHA256_SIZE] = {1};
    static uint64_t random = 1; /* goes on from lead to lead, the same in every run */
    enum { KINDS = sizeof KEPT / sizeof *KEPT };
    const struct lf_json *answers[KINDS] = {NULL};

    for (size_t i = 0; i < KINDS; i++) {
        const struct lf_privacy *privacy = NULL;
        struct lf_result again = *result;
        struct lf_error error;
        const char *never = "";

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (i < KINDS - 1)
            never = random_pattern(arena, lf_program_member(program, 0)->icp, random >> 33);
        if (never == NULL || lf_privacy_create(arena, KEPT[i], never, KEY, &privacy, &error) != LF_OK)
            die("privacy", &error);
        through_record(arena, evaluation, program, later, lead, privacy, &again);
        answers[i] = tell(arena, again);
    }
    for (size_t i = 0; i < KINDS - 1; i++)
        if (!same_but_values(answers[KINDS - 1], answers[i]))
            die("an answer without some values is another one", NULL);
    return answers[KINDS - 1];
}

static void
put_scored(struct lf_buf *out, struct lf_arena *arena, const struct lf_json *line, const struct lf_icp *icp)
{
    struct lists lists = {.count = 0};
    struct lf_list_source source = {find_list, &lists};
    struct lf_program_source member = {.icp = icp};
    struct lf_program *program = NULL, *later = NULL;
    struct lf_error error;
    struct lf_result result = {.index = 0};
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
    const struct lf_json *whole =
        told_from_record(arena, evaluation, program, later, lf_json_member(line, "lead"), &result);
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
