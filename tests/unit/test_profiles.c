/* test_profiles.c - sets of ICPs made ready to score: filling, faults, lists, ending half-way. */
#include "app/profiles.h"
#include "core/text_set.h"
#include "support.h"

#define ONE_RULE(condition)                                                                         \
    "'framework':'pain_points','attributes':[{'key':'a','label':'A','category':'need','weight':10," \
    "'rules':[{'when':" condition "}]}]}"

static struct lf_profiles *
create(size_t capacity)
{
    struct lf_profiles *profiles = NULL;
    struct lf_error error;

    if (lf_profiles_create(capacity, &profiles, &error) != LF_OK)
        fail_msg("%s", error.detail);
    return profiles;
}

static void
add(struct lf_profiles *profiles, struct lf_arena *arena, const char *text, int64_t version_id, int version)
{
    const char *quoted = support_quoted(arena, text);
    struct lf_error error;

    if (lf_profiles_add(profiles, quoted, strlen(quoted), version_id, version, NULL, &error) != LF_OK)
        fail_msg("%s", error.detail);
}

static void
compile(struct lf_profiles *profiles, const struct lf_list_source *more)
{
    struct lf_error error;

    if (lf_profiles_compile(profiles, more, &error) != LF_OK)
        fail_msg("%s", error.detail);
}

/* The verdict of the only attribute of ICP `index`. */
static enum lf_attribute_status
status_of(struct lf_arena *arena, const struct lf_profiles *profiles, size_t index, const char *lead)
{
    return support_score(arena, profiles->program, index, support_json(arena, lead), "2026-06-01")
        .outcome->attributes[0]
        .status;
}

static void
test_empty(void **state)
{
    struct lf_profiles *profiles = create(0);

    (void)state;
    assert_int_equal(profiles->count, 0);
    compile(profiles, NULL);
    assert_int_equal(lf_program_count(profiles->program), 0);
    assert_true(lf_program_find(profiles->program, "a") == SIZE_MAX);
    lf_profiles_destroy(profiles);
    lf_profiles_destroy(NULL);
}

static void
test_ended_half_way(void **state)
{
    struct lf_profiles *profiles = create(3);

    lf_profiles_destroy(profiles); /* nothing added */
    profiles = create(3);
    add(profiles, *state, "{'key':'a','name':'A'," ONE_RULE("{'field':'f','gt':1}"), 1, 1);
    lf_profiles_destroy(profiles); /* not compiled */
}

/* The text goes away at once; the set keeps what it needs. */
static void
test_text_may_go_away(void **state)
{
    struct lf_arena *arena = *state;
    const char *text =
        support_quoted(arena, "{'key':'fine','name':'A','summary':'kept'," ONE_RULE("{'field':'f','is':'word'}"));
    size_t len = strlen(text);
    char *gone = malloc(len); /* of just that length, without a NUL */
    struct lf_profiles *profiles = create(1);
    struct lf_error error;

    assert_non_null(gone);
    memcpy(gone, text, len);
    assert_int_equal(lf_profiles_add(profiles, gone, len, 41, 7, NULL, &error), LF_OK);
    memset(gone, 'x', len);
    free(gone);
    compile(profiles, NULL);
    assert_int_equal(profiles->count, 1);
    assert_string_equal(profiles->items[0].icp->key, "fine");
    assert_string_equal(profiles->items[0].icp->summary, "kept");
    assert_int_equal(profiles->items[0].version_id, 41);
    assert_int_equal(profiles->items[0].version, 7);
    assert_int_equal(lf_program_member(profiles->program, 0)->version_id, 41);
    assert_int_equal(lf_program_member(profiles->program, 0)->version, 7);
    assert_ptr_equal(profiles->items[0].scorer->icp, profiles->items[0].icp);
    assert_memory_equal(lf_teller_hash(profiles->items[0].teller), "sha256:", 7);
    assert_int_equal(status_of(arena, profiles, 0, "{'f':'Word'}"), LF_ATTRIBUTE_MATCHED);
    assert_int_equal(status_of(arena, profiles, 0, "{'f':'xxxx'}"), LF_ATTRIBUTE_UNMATCHED);
    lf_profiles_destroy(profiles);
}

/* A refused definition leaves the set as it was; its findings live on in the caller's arena. */
static void
test_refused(void **state)
{
    static const struct {
        const char *text;
        enum lf_status status;
        const char *pointers[3]; /* of the findings */
    } ROWS[] = {
        {"", LF_INVALID_JSON, {NULL}},
        {"{'key':'a',}", LF_INVALID_JSON, {NULL}},
        {"{'key':'a','key':'b'}", LF_INVALID_JSON, {NULL}},
        {"[]", LF_INVALID_DEFINITION, {"", NULL}},
        {"{'key':'A b','name':'A'," ONE_RULE("{'field':'f','gt':1}"), LF_INVALID_DEFINITION, {"/key", NULL}},
        {"{'key':'a','name':'A','x':1," ONE_RULE("{'field':'f','gt':'1x'}"),
         LF_INVALID_DEFINITION,
         {"/x", "/attributes/0/rules/0/when/gt", NULL}},
    };
    struct lf_arena *arena = *state;

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const char *text = support_quoted(arena, ROWS[i].text);
        struct lf_profiles *profiles = create(2);
        struct lf_findings findings;
        struct lf_error error;
        size_t count = 0;

        lf_findings_init(&findings, arena);
        add(profiles, arena, "{'key':'first','name':'A'," ONE_RULE("{'field':'f','gt':1}"), 1, 1);
        assert_string_equal(lf_status_word(lf_profiles_add(profiles, text, strlen(text), 2, 1, &findings, &error)),
                            lf_status_word(ROWS[i].status));
        assert_int_equal(profiles->count, 1);
        /* The same without a list of findings. */
        assert_int_equal(lf_profiles_add(profiles, text, strlen(text), 2, 1, NULL, NULL), ROWS[i].status);
        add(profiles, arena, "{'key':'second','name':'A'," ONE_RULE("{'field':'f','gt':1}"), 3, 1);
        compile(profiles, NULL);
        assert_int_equal(profiles->count, 2);
        assert_string_equal(profiles->items[1].icp->key, "second");
        lf_profiles_destroy(profiles);

        while (ROWS[i].pointers[count] != NULL)
            count++;
        assert_int_equal(findings.count, count);
        for (size_t p = 0; p < count; p++) {
            assert_string_equal(findings.items[p].pointer, ROWS[i].pointers[p]);
            assert_true(strlen(findings.items[p].detail) > 0);
        }
    }
}

/* What was dropped beyond the maximum is told on. */
static void
test_many_findings(void **state)
{
    struct lf_arena *arena = *state;
    struct lf_profiles *profiles = create(1);
    struct lf_findings findings;
    struct lf_error error;
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 20);
    lf_buf_lit(&buf, "{");
    for (int i = 0; i < 300; i++)
        lf_buf_printf(&buf, "%s'unknown-%d':1", i > 0 ? "," : "", i);
    lf_buf_lit(&buf, "}");
    assert_non_null(lf_buf_terminate(&buf));
    lf_findings_init(&findings, arena);
    assert_int_equal(lf_profiles_add(profiles, support_quoted(arena, buf.data), buf.len, 1, 1, &findings, &error),
                     LF_INVALID_DEFINITION);
    assert_int_equal(findings.count, LF_FINDINGS_MAX);
    assert_int_equal(findings.count + findings.dropped, 304); /* key, name, framework, attributes are missing */
    lf_profiles_destroy(profiles);
}

static void
test_parsed_already(void **state)
{
    struct lf_arena *arena = *state;
    const struct lf_icp *icp = support_icp_when(arena, "{'field':'f','lt':5}");
    struct lf_profiles *profiles = create(1);
    struct lf_error error;

    assert_int_equal(lf_profiles_add_icp(profiles, icp, 0, 0, &error), LF_OK);
    compile(profiles, NULL);
    assert_ptr_equal(profiles->items[0].icp, icp);
    assert_int_equal(profiles->items[0].version, 0);
    assert_int_equal(status_of(arena, profiles, 0, "{'f':4}"), LF_ATTRIBUTE_MATCHED);
    lf_profiles_destroy(profiles);
}

/* ---- lists ---- */

static struct lf_named_list *
list_of(const char *key, const char *entry)
{
    struct lf_named_list *list = NULL;
    struct lf_error error;

    assert_int_equal(lf_named_list_create(key, 1, &entry, 1, &list, &error), LF_OK);
    return list;
}

static const struct lf_named_list *
find_other(void *context, const char *key)
{
    struct lf_named_list **others = context;

    for (size_t i = 0; i < 2; i++)
        if (strcmp(others[i]->key, key) == 0)
            return others[i];
    return NULL;
}

/* The set's own list goes before one of the same name elsewhere; a list that is nowhere counts as an empty one. */
static void
test_lists(void **state)
{
    struct lf_arena *arena = *state;
    struct lf_named_list *others[] = {list_of("both", "theirs"), list_of("more", "more")};
    struct lf_list_source more = {find_other, others};

    for (int with_more = 0; with_more < 2; with_more++) {
        struct lf_profiles *profiles = create(4);
        struct lf_list_source own;

        profiles->lists = lf_arena_calloc(profiles->arena, 2, sizeof(struct lf_named_list *));
        assert_non_null(profiles->lists);
        profiles->lists[profiles->list_count++] = list_of("both", "ours");
        profiles->lists[profiles->list_count++] = list_of("own", "own");
        add(profiles, arena, "{'key':'a','name':'A'," ONE_RULE("{'field':'f','in_list':'own'}"), 1, 1);
        add(profiles, arena, "{'key':'b','name':'A'," ONE_RULE("{'field':'f','in_list':'both'}"), 2, 1);
        add(profiles, arena, "{'key':'c','name':'A'," ONE_RULE("{'field':'f','in_list':'more'}"), 3, 1);
        add(profiles, arena, "{'key':'d','name':'A'," ONE_RULE("{'field':'f','in_list':'nowhere'}"), 4, 1);
        compile(profiles, with_more ? &more : NULL);
        assert_int_equal(status_of(arena, profiles, 0, "{'f':'OWN'}"), LF_ATTRIBUTE_MATCHED);
        assert_int_equal(status_of(arena, profiles, 1, "{'f':'ours'}"), LF_ATTRIBUTE_MATCHED);
        assert_int_equal(status_of(arena, profiles, 1, "{'f':'theirs'}"), LF_ATTRIBUTE_UNMATCHED);
        assert_int_equal(status_of(arena, profiles, 2, "{'f':'more'}"),
                         with_more ? LF_ATTRIBUTE_MATCHED : LF_ATTRIBUTE_UNMATCHED);
        assert_int_equal(status_of(arena, profiles, 3, "{'f':'x'}"), LF_ATTRIBUTE_UNMATCHED);
        own = lf_profiles_lists(profiles);
        assert_ptr_equal(own.find(own.context, "both"), profiles->lists[0]);
        assert_null(own.find(own.context, "more"));
        lf_profiles_destroy(profiles);
    }
    lf_named_list_destroy(others[0]);
    lf_named_list_destroy(others[1]);
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        SUPPORT_TEST(test_empty),   SUPPORT_TEST(test_ended_half_way), SUPPORT_TEST(test_text_may_go_away),
        SUPPORT_TEST(test_refused), SUPPORT_TEST(test_many_findings),  SUPPORT_TEST(test_parsed_already),
        SUPPORT_TEST(test_lists),
    };

    return cmocka_run_group_tests(TESTS, support_group_setup, NULL);
}
