/*
 * test_history_allocation.c - reading a lead's history while each allocation fails in turn (faults.h): nothing crashes,
 * nothing leaks, and the status says OUT_OF_MEMORY.
 */
#include "app/history.h"
#include "replay_fixture.h"

#include "faults.h"

static enum lf_status
read_history(struct fixture *f, const struct lf_profiles *profiles, const struct lf_privacy *privacy,
             struct lf_arena *arena, struct lf_error *error)
{
    struct lf_list_source lists = lf_profiles_lists(profiles);
    struct lf_catalog *catalog = lf_catalog_create();
    struct lf_history_source source = {f->reader, catalog, &lists, privacy};
    struct lf_history_query query = {.lead_id = "L", .lead_id_len = 1, .after_icp = "", .limit = 100};
    struct lf_history history;
    enum lf_status status = LF_OK;

    if (catalog == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "no catalog");
    status = lf_history_read(&source, arena, &query, &history, error);
    if (status == LF_OK) {
        assert_int_equal(history.count, 6);
        assert_true(history.entries[1].has_previous);
        assert_true(history.entries[1].change.exact);
        assert_true(history.entries[1].change.profile != 0);
        assert_true(history.entries[1].change.data != 0);
    }
    lf_catalog_destroy(catalog);
    return status;
}

/* Notes that the blocks up to the last one hold scores of the lead. */
static void
settle_all(struct fixture *f)
{
    struct lf_store_progress progress;
    int64_t blocks[16];
    struct lf_settled_lead lead = {.lead_id = "L", .lead_id_len = 1, .blocks = blocks};

    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_true(progress.last_block < 16);
    for (int64_t block = 1; block <= progress.last_block; block++)
        blocks[lead.block_count++] = block;
    OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error));
}

static void
test_each_allocation(void **state)
{
    static const char HEAVIER[] =
        "'attributes':[{'key':'size','label':'S','category':'need','weight':7,'rules':[{'when':{'field':"
        "'company.employees','gte':500}}]},{'key':'seen','label':'Seen','category':'trigger','weight':5,'rules':["
        "{'when':{'field':'seen','within_days':30},'fade':{'field':'seen','days':60}},{'when':{'field':"
        "'company.domain','in_list':'competitors'}}]}]";
    struct fixture *f = *state;
    const struct lf_privacy *privacy = keeping(f, LF_KEPT_WHOLE, "*.phone");
    struct lf_profiles *before = NULL, *after = NULL;

    publish_icp(f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "other", "core", HEAVIER, 1);
    put_list(f, "competitors", "rival.example");
    before = load_profiles_keeping(f, privacy);
    publish_icp(f, "plain", "core", HEAVIER, 2);
    after = load_profiles_keeping(f, privacy);
    (void)record_lead_keeping(f, before, "{'id':'L','company':{'employees':100,'domain':'a.example'}}", "", NOW_MS,
                              privacy);
    (void)record_lead_keeping(f, before,
                              "{'id':'L','seen':'2026-05-01','company':{'employees':100,'domain':'rival.example'}}", "",
                              NOW_MS + 1, privacy);
    (void)record_lead_keeping(f, after, "{'id':'L','seen':'2026-05-20','company':{'employees':900}}", "'plain'",
                              NOW_MS + 2, privacy);
    (void)record_lead_keeping(f, after, "{'id':'L','company':{'employees':900,'domain':'a.example'}}", "'other'",
                              NOW_MS + 3, privacy);
    settle_all(f);
    for (long n = 0;; n++) {
        struct lf_arena *arena = lf_arena_create(64, 1 << 24);
        struct lf_error error = {.status = LF_OK};
        enum lf_status status = LF_OK;
        bool failed = false;

        assert_non_null(arena);
        arm(n);
        status = read_history(f, after, privacy, arena, &error);
        failed = disarm();
        lf_arena_destroy(arena);
        if (!failed) {
            if (status != LF_OK)
                fail_msg("%s", error.detail);
            assert_true(n > 100);
            break;
        }
        if (status != LF_OUT_OF_MEMORY)
            fail_msg("allocation %ld: %s: %s", n, lf_status_word(status), error.detail);
        assert_true(strlen(error.detail) > 0);
    }
    lf_profiles_destroy(before);
    lf_profiles_destroy(after);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(test_each_allocation)};

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
