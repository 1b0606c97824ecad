/*
 * fuzz_definition.c - libFuzzer target for definitions: reading, looking over, compiling, scoring, telling, recording.
 *
 * Whatever the bytes are: they are refused with findings that have a place, or they make a definition that scores any
 * lead; what is told is JSON, and what is recorded comes back the same, also from the input that was kept.
 */
#include "core/answer.h"
#include "core/lint.h"
#include "core/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AS_OF_MS_DAYS = 20619 /* 2026-06-15 */ };

#define AS_OF_MS (INT64_C(86400000) * AS_OF_MS_DAYS)

/* Fields that the definitions of the corpus read, in many shapes; and short names, which a fuzzer comes upon. */
static const char LEAD[] =
    "{\"a\":\"x\",\"b\":5,\"c\":[1,null,\"x\",{\"d\":\"\"}],\"d\":\"2026-05-01\",\"e\":true,\"f\":1,\"g\":[],\"n\":\" "
    "12.5 \","
    "\"t\":[\"a b\",\"\xc3\x84\"],\"title\":\"VP of Operations \\u0000 \\\" "
    "\xf0\x9f\x98\x80\",\"email\":\"ann@example.edu\","
    "\"consent\":\"yes\",\"pain_points\":[\"late "
    "deliveries\",\"spreadsheets\"],\"last_visit_at\":[\"2026-06-01\",\"soon\"],"
    "\"demo_requested_at\":1780000000,\"emails_replied\":\"2\",\"people\":[{\"title\":\"CFO\"},{\"title\":[\"x\",null]}"
    ",7],"
    "\"Lead "
    "Origin\":\"API\",\"company\":{\"employees\":860,\"industry\":\"Machinery\",\"country\":\"DE\",\"domain\":\"acme."
    "com\","
    "\"technologies\":[\"SAP "
    "ECC\",\"Excel\"],\"sites\":null,\"growth_pct\":\"-3\",\"type\":{\"x\":1},\"annual_revenue\":6e7}}";

static void
require(bool truth)
{
    if (!truth)
        abort();
}

/* One list that is there, whatever it is called; names that begin with x have none. */
static struct lf_named_list *list;

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    (void)context;
    return key[0] == 'x' ? NULL : list;
}

static const struct lf_list_source LISTS = {find_list, NULL};

static const struct lf_json *
parse(struct lf_arena *arena, const char *text, size_t len)
{
    const struct lf_json *root = NULL;
    struct lf_error error;

    require(lf_json_parse(arena, text, len, &LF_JSON_DOCUMENT_LIMITS, &root, &error) == LF_OK);
    return root;
}

static void
tell(struct lf_arena *arena, const struct lf_icp *icp, struct lf_evaluation *evaluation,
     const struct lf_outcome *outcome)
{
    struct lf_result result = {.teller = lf_teller_create(arena, icp, 1),
                               .scorer = lf_scorer_create(arena, icp),
                               .evaluation = evaluation,
                               .outcome = outcome};
    struct lf_answer answer = {.lead_id = "", .results = &result, .result_count = 1, .explain = LF_EXPLAIN_FULL};
    struct lf_buf buf;
    const char *reasons[8];

    require(result.teller != NULL && result.scorer != NULL);
    require(lf_score_outcome(result.scorer, outcome, arena, &result.score));
    require(result.score.range_min <= result.score.range_max);
    lf_buf_init(&buf, arena, 64 << 20);
    lf_answer_put(&buf, arena, &answer);
    require(!lf_buf_failed(&buf));
    (void)parse(arena, buf.data, buf.len);
    require(lf_result_reasons(arena, &result, reasons, 8) >= 1);
}

/* Each list has the revision that it was asked with. */
static void
check_lists(struct lf_arena *arena, const struct lf_evaluation *evaluation)
{
    size_t count = lf_evaluation_lists(evaluation, 0, NULL);
    struct lf_list_use *uses = lf_arena_alloc(arena, count * sizeof *uses);

    require(uses != NULL && lf_evaluation_lists(evaluation, 0, uses) == count);
    for (size_t i = 0; i < count; i++)
        require(uses[i].revision == (uses[i].key[0] == 'x' ? 0 : list->revision));
}

static void
record(struct lf_arena *arena, const struct lf_icp *icp, struct lf_program *program, struct lf_evaluation *evaluation,
       const struct lf_json *lead, const struct lf_outcome *outcome, enum lf_kept how)
{
    static const uint8_t KEY[LF_SHA256_SIZE] = {7};
    const bool wanted[] = {true};
    const struct lf_outcome *again = NULL;
    const struct lf_privacy *privacy = NULL;
    const struct lf_json *input = NULL;
    struct lf_program *later = NULL; /* lists have gone meanwhile */
    struct lf_evaluation *repeat = NULL;
    struct lf_record kept;
    struct lf_error error;
    struct lf_buf buf;

    require(lf_privacy_create(arena, how, how == LF_KEPT_WHOLE ? "*.title, company" : "", KEY, &privacy, &error) ==
            LF_OK);
    lf_program_withhold(program, privacy);
    lf_buf_init(&buf, arena, 64 << 20);
    lf_record_begin(&buf, 1, how);
    lf_record_put_result(&buf, evaluation, 0, outcome, false);
    require(lf_record_put_input(&buf, evaluation, lead, wanted, privacy, &error) == LF_OK);
    require(lf_record_read(arena, buf.data, buf.len, &kept, &error) == LF_OK);
    require(lf_record_outcome(arena, icp, &kept.results[0], &again, &error) == LF_OK);
    require(lf_outcome_equal(icp, outcome, again));
    require(lf_program_create(lf_program_member(program, 0), 1, NULL, &later, &error) == LF_OK);
    require(lf_record_parse_input(arena, &kept, &input, &error) == LF_OK);
    repeat = lf_evaluation_create(later, arena, how == LF_KEPT_HASHES ? lf_json_new_object(arena) : input, AS_OF_MS);
    require(repeat != NULL && lf_record_restore(repeat, 0, &kept.results[0], &error) == LF_OK);
    again = lf_evaluate(repeat, 0);
    require(again != NULL && lf_outcome_equal(icp, outcome, again));
    check_lists(arena, evaluation);
    check_lists(arena, repeat);
    lf_program_destroy(later);
}

static void
use(struct lf_arena *arena, const struct lf_icp *icp)
{
    const struct lf_json *lead = parse(arena, LEAD, sizeof LEAD - 1);
    struct lf_program_source source = {icp, 7, 1};
    struct lf_lint_context context = {.today_us = AS_OF_MS * 1000, .lists = LISTS};
    struct lf_program *program = NULL;
    struct lf_evaluation *evaluation = NULL;
    const struct lf_outcome *outcome = NULL;
    struct lf_lint lint;
    struct lf_error error;

    require(lf_lint(arena, icp, &context, &lint, &error) == LF_OK);
    for (size_t i = 0; i < lint.count; i++)
        require(lint.items[i].detail[0] != '\0' && lint.items[i].fix[0] != '\0' && lint.items[i].pointer[0] == '/');
    require(lf_program_create(&source, 1, &LISTS, &program, &error) == LF_OK);
    evaluation = lf_evaluation_create(program, arena, lead, AS_OF_MS);
    require(evaluation != NULL);
    outcome = lf_evaluate(evaluation, 0);
    require(outcome != NULL);
    tell(arena, icp, evaluation, outcome);
    for (int how = LF_KEPT_FIELDS; how <= LF_KEPT_NOTHING; how++)
        record(arena, icp, program, evaluation, lead, outcome, (enum lf_kept)how);
    lf_program_destroy(program);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ENTRIES[] = {"acme.com", "x", "12.5"};
    struct lf_arena *arena = lf_arena_create(65536, (size_t)1 << 30);
    struct lf_findings findings;
    struct lf_error error;
    const struct lf_icp *icp = NULL;

    require(arena != NULL);
    if (list == NULL) {
        lf_json_setup();
        require(lf_hash_setup(&error) == LF_OK);
        require(lf_named_list_create("list", 5, ENTRIES, 3, &list, &error) == LF_OK);
    }
    lf_findings_init(&findings, arena);
    if (lf_icp_parse_text(arena, (const char *)data, size, &findings, &icp, &error) == LF_OK) {
        use(arena, icp);
    } else {
        require(icp == NULL && error.status != LF_OK && error.status != LF_OUT_OF_MEMORY);
        for (size_t i = 0; i < findings.count; i++)
            require(findings.items[i].pointer[0] == '/' || findings.items[i].pointer[0] == '\0');
    }
    lf_arena_destroy(arena);
    return 0;
}
