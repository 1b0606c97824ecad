/*
 * test_replay_allocation.c - looking back at recorded leads while each allocation fails in turn (faults.h): nothing
 * crashes, nothing leaks, and the status says OUT_OF_MEMORY.
 */
#include "app/advice.h"
#include "app/compare.h"
#include "app/impact.h"
#include "replay_fixture.h"

#include "faults.h"

/* What is tried, each time with a fresh arena. */
struct trial {
    struct fixture *f;
    struct lf_arena *arena;
    const struct lf_icp *draft, *active;
    struct lf_list_source lists;
    const struct lf_privacy *privacy;
};

static void
try_each(struct trial *trial, const char *what, enum lf_status (*run)(struct trial *trial, struct lf_error *error))
{
    for (long n = 0;; n++) {
        struct lf_error error = {.status = LF_OK};
        enum lf_status status = LF_OK;
        bool failed = false;

        trial->arena = lf_arena_create(64, 1 << 24);
        assert_non_null(trial->arena);
        arm(n);
        status = run(trial, &error);
        failed = disarm();
        lf_arena_destroy(trial->arena);
        if (!failed) {
            if (status != LF_OK)
                fail_msg("%s: %s", what, error.detail);
            assert_true(n > 0);
            return;
        }
        if (status != LF_OUT_OF_MEMORY)
            fail_msg("%s, allocation %ld: %s: %s", what, n, lf_status_word(status), error.detail);
        assert_int_equal(error.status, LF_OUT_OF_MEMORY);
        assert_true(strlen(error.detail) > 0);
    }
}

#define TRY(trial, run) try_each(trial, #run, run)

static enum lf_status
impact(struct trial *trial, struct lf_error *error)
{
    struct lf_impact impact;
    enum lf_status status = lf_impact_compute(trial->f->reader, trial->arena,
                                              &(struct lf_impact_options){.draft = trial->draft,
                                                                          .active = trial->active,
                                                                          .active_version = 1,
                                                                          .lists = &trial->lists,
                                                                          .privacy = trial->privacy,
                                                                          .sample = 100},
                                              &impact, error);

    if (status == LF_OK) {
        assert_int_equal(impact.leads, 25);
        assert_int_equal(impact.mover_count, LF_IMPACT_MOVERS);
        assert_true(impact.movers[0].part_count > 0);
        assert_int_equal(impact.unstored_count, 0);
    }
    return status;
}

static enum lf_status
advice(struct trial *trial, struct lf_error *error)
{
    struct lf_lint lint;
    size_t leads = 0;
    enum lf_status status = lf_advise(trial->f->reader, trial->privacy, trial->arena, trial->draft, &trial->lists,
                                      NOW_MS * 1000, &lint, &leads, error);

    if (status == LF_OK) {
        assert_int_equal(leads, 25);
        assert_string_equal(lint.items[lint.count - 1].code, "unseen_field");
    }
    return status;
}

static enum lf_status
compare(struct trial *trial, struct lf_error *error)
{
    struct lf_comparison comparison;
    enum lf_status status =
        lf_compare(trial->f->reader, trial->arena, "plain", "other", INT64_MIN, INT64_MAX, &comparison, error);

    if (status == LF_OK) {
        assert_int_equal(comparison.leads, 25);
        assert_int_equal(comparison.top_count, LF_COMPARE_TOP);
    }
    return status;
}

/* Half of the leads are stored whole; the draft falls for all of them. */
static void
test_each_allocation(void **state)
{
    static const char OTHER[] = "'attributes':[{'key':'size','label':'S','category':'need','weight':1,'rules':["
                                "{'when':{'field':'company.size','gte':1}},{'when':{'field':'people.title','is':'x'},"
                                "'fit':0.5}]}],'caps':[{'category':'need','max':1}]";
    struct fixture *f = *state;
    struct trial trial = {.f = f};
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "other", "core", OTHER, 1);
    put_list(f, "competitors", "rival.example");
    profiles = load_profiles(f);
    for (int i = 0; i < 25; i++)
        (void)record_lead(f, profiles,
                          lf_arena_printf(f->arena, "{'id':'L%d','company':{'employees':%d},'people':[{'title':'VP'}]}",
                                          i, 100 + 100 * i),
                          "", NOW_MS + i, i > 2);
    trial.draft = support_icp(f->arena, definition(f, "plain", "core", OTHER));
    trial.active = support_icp(f->arena, definition(f, "plain", "core", PLAIN_ATTRIBUTES));
    trial.lists = lf_profiles_lists(profiles);
    trial.privacy = keeping(f, LF_KEPT_WHOLE, "*.phone");
    TRY(&trial, impact);
    TRY(&trial, compare);
    TRY(&trial, advice);
    lf_profiles_destroy(profiles);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(test_each_allocation)};

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
