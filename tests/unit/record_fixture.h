/* record_fixture.h - for the tests of records: a definition with all that a record holds, its lists, and ways of
 * keeping a lead. */
#ifndef LF_TESTS_RECORD_FIXTURE_H
#define LF_TESTS_RECORD_FIXTURE_H

#include "core/record.h"

#include "support.h"

#define AS_OF "2026-06-15T12:00:00Z"

/* A definition with everything that a record holds: fading, lists, disqualifiers, skipping, unknowns. */
#define RICH                                                                                             \
    "'attributes':["                                                                                     \
    "{'key':'a','label':'A','category':'need','weight':10,'rules':["                                     \
    "{'when':{'field':'a','in_list':'one'},'fit':0.7},{'when':{'field':'n','gt':5},'fit':-0.3}]},"       \
    "{'key':'b','label':'B','category':'need','weight':20,'missing':'skip','otherwise':-0.25,'rules':["  \
    "{'when':{'field':'d','within_days':90},'fade':{'field':'d','days':90}},"                            \
    "{'when':{'field':'d','within_days':200},'fit':-1,'fade':{'field':'e','days':300}}]},"               \
    "{'key':'c','label':'C','category':'legal','axis':'engagement','weight':5,'missing':0.125,'rules':[" \
    "{'when':{'all':[{'field':'p.t','has_word':'boss'},{'field':'a','in_list':'two'}]}}]}],"             \
    "'disqualifiers':[{'key':'x','reason':'X','when':{'field':'x','is':true}},"                          \
    "{'key':'y','reason':'Y','when':{'field':'a','in_list':'none'}}]"

static struct lf_named_list *lists[2];

static inline const struct lf_named_list *
find_list(void *context, const char *key)
{
    (void)context;
    for (size_t i = 0; i < 2; i++)
        if (strcmp(lists[i]->key, key) == 0)
            return lists[i];
    return NULL;
}

static const struct lf_list_source SOURCE = {find_list, NULL};

static inline void
make_lists(bool turned)
{
    const char *const one[] = {"something", "Acme"}, *const two[] = {"12", "something"};
    struct lf_error error;

    assert_int_equal(lf_named_list_create("one", turned ? 8 : 7, turned ? two : one, turned ? 1 : 2, &lists[0], &error),
                     LF_OK);
    assert_int_equal(
        lf_named_list_create("two", turned ? 1 : 70000, turned ? one : two, turned ? 1 : 2, &lists[1], &error), LF_OK);
}

static inline void
drop_lists(void)
{
    lf_named_list_destroy(lists[0]);
    lf_named_list_destroy(lists[1]);
}

/* "one 7, two 300", as the evaluation has them. */
static inline const char *
told_lists(struct lf_arena *arena, const struct lf_evaluation *evaluation, size_t index)
{
    struct lf_list_use uses[8];
    size_t count = lf_evaluation_lists(evaluation, index, NULL);
    struct lf_buf buf;

    assert_true(count <= 8);
    assert_int_equal(lf_evaluation_lists(evaluation, index, uses), count);
    lf_buf_init(&buf, arena, 4096);
    for (size_t i = 0; i < count; i++)
        lf_buf_printf(&buf, "%s%s %lld", i > 0 ? ", " : "", uses[i].key, (long long)uses[i].revision);
    return lf_buf_terminate(&buf);
}

static inline const struct lf_privacy *
keeping(struct lf_arena *arena, enum lf_kept kept, const char *never)
{
    static const uint8_t KEY[LF_SHA256_SIZE] = {3, 1, 4, 1, 5};
    const struct lf_privacy *privacy = NULL;

    assert_int_equal(lf_privacy_create(arena, kept, never, KEY, &privacy, NULL), LF_OK);
    return privacy;
}

/* A record of every ICP of the program, each second one in shadow. */
static inline struct lf_buf
record_all(struct lf_arena *arena, struct lf_evaluation *evaluation, struct lf_program *program,
           const struct lf_json *lead, const struct lf_privacy *privacy, const struct lf_outcome **ret_outcomes)
{
    bool wanted[64] = {false};
    struct lf_error error;
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 8 << 20);
    lf_program_withhold(program, privacy);
    lf_record_begin(&buf, lf_program_count(program), lf_privacy_kept(privacy));
    for (size_t i = 0; i < lf_program_count(program); i++) {
        wanted[i] = true;
        ret_outcomes[i] = lf_evaluate(evaluation, i);
        assert_non_null(ret_outcomes[i]);
        lf_record_put_result(&buf, evaluation, i, ret_outcomes[i], i % 2 == 1);
    }
    assert_int_equal(lf_record_put_input(&buf, evaluation, lead, wanted, privacy, &error), LF_OK);
    return buf;
}

#define RICH_LISTS "one 7, two 70000, none 0"

/* Ways of keeping a lead: the fields of RICH and of config. */
static const struct {
    enum lf_kept kept;
    const char *never;
} WAYS[] = {
    {LF_KEPT_FIELDS, ""},    {LF_KEPT_WHOLE, ""},      {LF_KEPT_WHOLE, "*.d, p.t, company, *.title"},
    {LF_KEPT_FIELDS, "a,e"}, {LF_KEPT_HASHES, "*.n"},  {LF_KEPT_NOTHING, ""},
    {LF_KEPT_FIELDS, "d"},   {LF_KEPT_WHOLE, "p,*.X"},
};

enum { WAY_COUNT = sizeof WAYS / sizeof *WAYS };

#endif
