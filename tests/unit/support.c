/* support.c - see support.h. */
#include "support.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"

enum { PROGRAMS_MAX = 256, FILE_MAX = 1 << 20 };

/* Tests run one after the other in one process: what a test has made is kept here until it ends. */
static struct lf_program *programs[PROGRAMS_MAX];
static size_t program_count;

const char *const SUPPORT_CONFIG_PATHS[SUPPORT_CONFIG_ICPS] = {
    "config/icps/b2b-saas.json",         "config/icps/fitness-membership.json",
    "config/icps/healthcare-it.json",    "config/icps/mid-market-manufacturer.json",
    "config/icps/online-education.json", "config/icps/renewable-installer.json",
};

int
support_group_setup(void **state)
{
    struct lf_error error;

    (void)state;
    lf_json_setup();
    return lf_hash_setup(&error) == LF_OK ? 0 : -1;
}

int
support_setup(void **state)
{
    *state = lf_arena_create(65536, (size_t)1 << 31);
    return *state != NULL ? 0 : -1;
}

void
support_drop_programs(void)
{
    while (program_count > 0)
        lf_program_destroy(programs[--program_count]);
}

int
support_teardown(void **state)
{
    support_drop_programs();
    lf_arena_destroy(*state);
    return 0;
}

char *
support_quoted(struct lf_arena *arena, const char *text)
{
    char *copy = lf_arena_copy(arena, text, strlen(text));

    assert_non_null(copy);
    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

const struct lf_json *
support_json(struct lf_arena *arena, const char *text)
{
    const char *quoted = support_quoted(arena, text);
    const struct lf_json *root = NULL;
    struct lf_error error;

    if (lf_json_parse(arena, quoted, strlen(quoted), &LF_JSON_DOCUMENT_LIMITS, &root, &error) != LF_OK)
        fail_msg("not JSON: %s: %s", error.detail, text);
    return root;
}

static const struct lf_icp *
parse(struct lf_arena *arena, const char *text, size_t len)
{
    struct lf_findings findings;
    const struct lf_icp *icp = NULL;
    struct lf_error error;

    lf_findings_init(&findings, arena);
    if (lf_icp_parse_text(arena, text, len, &findings, &icp, &error) != LF_OK)
        fail_msg("not a definition: %s: %s", error.detail, text);
    return icp;
}

const struct lf_icp *
support_icp(struct lf_arena *arena, const char *text)
{
    const char *quoted = support_quoted(arena, text);

    return parse(arena, quoted, strlen(quoted));
}

const struct lf_icp *
support_icp_with(struct lf_arena *arena, const char *members)
{
    return support_icp(arena,
                       lf_arena_printf(arena, "{'key':'test','name':'Test','framework':'pain_points',%s}", members));
}

const struct lf_icp *
support_icp_when(struct lf_arena *arena, const char *condition)
{
    return support_icp_with(arena, lf_arena_printf(arena,
                                                   "'attributes':[{'key':'a','label':'A','category':'need','weight':10,"
                                                   "'rules':[{'when':%s,'label':'rule'}]}]",
                                                   condition));
}

/* ---- files ---- */

static FILE *
open_source(const char *path)
{
    static const char *const ROOTS[] = {".", "..", "../..", "../../.."};
    const char *root = getenv("LEADFIT_SOURCE_ROOT");
    char full[4096];
    FILE *file = NULL;

    if (path[0] == '/') /* none of the sources, but what a test has written */
        return fopen(path, "rb");
    if (root != NULL) {
        (void)snprintf(full, sizeof full, "%s/%s", root, path);
        file = fopen(full, "rb");
    }
    /* Beside the place this file was compiled from, then upwards from where the test runs. */
    if (file == NULL && strrchr(__FILE__, '/') != NULL) {
        (void)snprintf(full, sizeof full, "%.*s/../../%s", (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, path);
        file = fopen(full, "rb");
    }
    for (size_t i = 0; file == NULL && i < sizeof ROOTS / sizeof *ROOTS; i++) {
        (void)snprintf(full, sizeof full, "%s/%s", ROOTS[i], path);
        file = fopen(full, "rb");
    }
    return file;
}

char *
support_file(struct lf_arena *arena, const char *path, size_t *ret_len)
{
    FILE *file = open_source(path);
    char *text = lf_arena_alloc(arena, FILE_MAX);

    if (file == NULL)
        fail_msg("%s is not there; set LEADFIT_SOURCE_ROOT", path);
    assert_non_null(text);
    *ret_len = fread(text, 1, FILE_MAX - 1, file);
    text[*ret_len] = '\0';
    (void)fclose(file);
    return text;
}

const struct lf_icp *
support_config_icp(struct lf_arena *arena, size_t index)
{
    size_t len = 0;
    const char *text = support_file(arena, SUPPORT_CONFIG_PATHS[index], &len);

    return parse(arena, text, len);
}

/* ---- scoring ---- */

int64_t
support_ms(const char *time)
{
    int64_t us = 0;

    assert_true(lf_time_parse(time, strlen(time), &us));
    return lf_time_us_to_ms(us);
}

struct lf_program *
support_program(const struct lf_icp *const *icps, size_t count, const struct lf_list_source *lists)
{
    struct lf_program_source sources[64];
    struct lf_program *program = NULL;
    struct lf_error error;

    assert_true(count <= 64 && program_count < PROGRAMS_MAX);
    for (size_t i = 0; i < count; i++)
        sources[i] = (struct lf_program_source){icps[i], (int64_t)i + 1, 1};
    assert_int_equal(lf_program_create(sources, count, lists, &program, &error), LF_OK);
    programs[program_count++] = program;
    return program;
}

struct support_scored
support_score(struct lf_arena *arena, const struct lf_program *program, size_t index, const struct lf_json *lead,
              const char *as_of)
{
    struct support_scored scored = {.evaluation = lf_evaluation_create(program, arena, lead, support_ms(as_of))};

    assert_non_null(scored.evaluation);
    scored.outcome = lf_evaluate(scored.evaluation, index);
    scored.scorer = lf_scorer_create(arena, lf_program_member(program, index)->icp);
    assert_non_null(scored.outcome);
    assert_non_null(scored.scorer);
    assert_true(lf_score_outcome(scored.scorer, scored.outcome, arena, &scored.score));
    return scored;
}

/* ---- chance ---- */

uint32_t
support_random(struct support_random *random, uint32_t below)
{
    random->state = random->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return below == 0 ? 0 : (uint32_t)(random->state >> 33) % below;
}

enum { ASKED_MAX = 4096, PATHS_MAX = 512 };

/* What definitions ask, and of which field. */
struct asked {
    struct {
        const struct lf_condition *leaf;
        const char *path;
    } leaves[ASKED_MAX];
    const char *paths[PATHS_MAX];
    size_t leaf_count, path_count;
    struct support_random *random;
};

static void
note_leaves(struct asked *asked, const struct lf_icp *icp, const struct lf_condition *condition)
{
    for (size_t i = 0; i < condition->child_count; i++)
        note_leaves(asked, icp, condition->children[i]);
    if (condition->kind == LF_CONDITION_LEAF && asked->leaf_count < ASKED_MAX) {
        asked->leaves[asked->leaf_count].leaf = condition;
        asked->leaves[asked->leaf_count++].path = icp->fields.paths[condition->field];
    }
}

static void
note_icp(struct asked *asked, const struct lf_icp *icp)
{
    for (size_t a = 0; a < icp->attribute_count; a++)
        for (size_t r = 0; r < icp->attributes[a].rule_count; r++)
            note_leaves(asked, icp, icp->attributes[a].rules[r].when);
    for (size_t d = 0; d < icp->disqualifier_count; d++)
        note_leaves(asked, icp, icp->disqualifiers[d].when);
    for (size_t f = 0; f < icp->fields.count && asked->path_count < PATHS_MAX; f++)
        asked->paths[asked->path_count++] = icp->fields.paths[f];
}

/* A leaf, mostly one that asks this very field. */
static const struct lf_condition *
draw_leaf(const struct asked *asked, const char *path)
{
    size_t at = support_random(asked->random, (uint32_t)asked->leaf_count);

    if (support_random(asked->random, 4) == 0)
        return asked->leaves[at].leaf;
    for (size_t i = 0; i < asked->leaf_count; i++, at = (at + 1) % asked->leaf_count)
        if (strcmp(asked->leaves[at].path, path) == 0)
            return asked->leaves[at].leaf;
    return asked->leaves[at].leaf;
}

static void
put_entry(struct lf_buf *buf, const struct lf_scalar *entry)
{
    if (entry->kind == LF_JSON_TEXT)
        lf_json_put_text(buf, entry->raw.bytes, entry->raw.len);
    else if (entry->kind == LF_JSON_NUMBER)
        lf_json_put_number(buf, entry->number);
    else
        lf_buf_text(buf, entry->yes ? "true" : "false");
}

/* A value that the leaf may well hold for. */
static void
put_wanted(struct lf_buf *buf, struct support_random *random, const struct lf_condition *leaf)
{
    static const char *const DATES[] = {"2026-05-20", "2026-06-10T08:00:00+02:00", "2019-02-03", "2027-01-01 10:00:00"};

    if (leaf->entry_count > 0) {
        put_entry(buf, &leaf->entries[support_random(random, (uint32_t)leaf->entry_count)]);
        return;
    }
    switch (lf_operator_operand(leaf->op)) {
    case LF_OPERAND_NUMBER:
    case LF_OPERAND_RANGE:
        lf_json_put_number(buf, leaf->low + (double)support_random(random, 5) - 2);
        break;
    case LF_OPERAND_DATE:
    case LF_OPERAND_DAYS:
        lf_buf_printf(buf, "\"%s\"", DATES[support_random(random, 4)]);
        break;
    case LF_OPERAND_SCALAR:
    case LF_OPERAND_SCALARS:
    case LF_OPERAND_TEXTS:
    case LF_OPERAND_ALL_TEXTS:
    case LF_OPERAND_LIST_KEY:
    case LF_OPERAND_BOOLEAN:
        lf_buf_lit(buf, "\"something\"");
        break;
    }
}

static void
put_any(struct lf_buf *buf, const struct asked *asked, const char *path, int depth)
{
    static const char *const ODD[] = {"null",
                                      "\"\"",
                                      "[]",
                                      "{}",
                                      "true",
                                      "false",
                                      "-1.5",
                                      "\" 12 \"",
                                      "\"x\\u0000\\\"\\n\"",
                                      "[[1],{},null]",
                                      "1e300",
                                      "\"2026-06-01\"",
                                      "1780000000",
                                      "\"Ä ß ﬁ\""};

    switch (support_random(asked->random, depth > 0 ? 4 : 5)) {
    case 0:
        lf_buf_text(buf, ODD[support_random(asked->random, sizeof ODD / sizeof *ODD)]);
        break;
    case 4:
        lf_buf_lit(buf, "[");
        for (uint32_t i = support_random(asked->random, 4); i > 0; i--) {
            put_any(buf, asked, path, depth + 1);
            lf_buf_text(buf, i > 1 ? "," : "");
        }
        lf_buf_lit(buf, "]");
        break;
    default:
        put_wanted(buf, asked->random, draw_leaf(asked, path));
    }
}

/* Writes an object of all paths that begin with the prefix (which ends in a dot, or is empty). */
static void
put_object(struct lf_buf *buf, const struct asked *asked, const char *prefix, size_t prefix_len)
{
    bool first = true;

    lf_buf_lit(buf, "{");
    for (size_t i = 0; i < asked->path_count; i++) {
        const char *path = asked->paths[i], *name = path + prefix_len, *dot = NULL;
        size_t len = 0;
        bool seen = false;

        if (strncmp(path, prefix, prefix_len) != 0)
            continue;
        dot = strchr(name, '.');
        len = dot != NULL ? (size_t)(dot - name) : strlen(name);
        for (size_t j = 0; j < i && !seen; j++)
            seen = strncmp(asked->paths[j], path, prefix_len + len) == 0 &&
                   (asked->paths[j][prefix_len + len] == '.' || asked->paths[j][prefix_len + len] == '\0');
        if (seen || support_random(asked->random, 5) == 0)
            continue;
        lf_buf_text(buf, first ? "" : ",");
        first = false;
        lf_json_put_text(buf, name, len);
        lf_buf_lit(buf, ":");
        if (dot == NULL || support_random(asked->random, 8) == 0) {
            put_any(buf, asked, path, 0);
        } else if (support_random(asked->random, 4) == 0) {
            lf_buf_lit(buf, "[");
            for (uint32_t n = support_random(asked->random, 3); n > 0; n--) {
                put_object(buf, asked, path, prefix_len + len + 1);
                lf_buf_text(buf, n > 1 ? "," : "");
            }
            lf_buf_lit(buf, "]");
        } else {
            put_object(buf, asked, path, prefix_len + len + 1);
        }
    }
    lf_buf_lit(buf, "}");
}

const struct lf_json *
support_random_lead(struct lf_arena *arena, struct support_random *random, const struct lf_icp *const *icps,
                    size_t count)
{
    struct asked *asked = lf_arena_calloc(arena, 1, sizeof *asked);
    struct lf_buf buf;
    const struct lf_json *lead = NULL;
    struct lf_error error;

    assert_non_null(asked);
    asked->random = random;
    for (size_t i = 0; i < count; i++)
        note_icp(asked, icps[i]);
    assert_true(asked->leaf_count > 0);
    lf_buf_init(&buf, arena, 1 << 20);
    put_object(&buf, asked, "", 0);
    assert_false(lf_buf_failed(&buf));
    if (lf_json_parse(arena, buf.data, buf.len, &LF_JSON_DOCUMENT_LIMITS, &lead, &error) != LF_OK)
        fail_msg("the random lead is not JSON: %s: %.*s", error.detail, (int)buf.len, buf.data);
    return lead;
}
