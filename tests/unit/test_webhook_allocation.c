/*
 * test_webhook_allocation.c - each allocation of a webhook's scoring and answer fails in turn: it says so, and nothing
 * is answered in part. How: faults.h.
 */
#include "api/webhooks.h"
#include "faults.h"
#include "scoring_fixture.h"

static const char *const ICPS[] = {"core-a", "bet-b"};

/* Scores two leads and tells them; OUT_OF_MEMORY when it does not come to an answer. */
static enum lf_status
score_and_tell(struct lf_arena *arena, const struct lf_source *source, const struct lf_profiles *profiles,
               const struct lf_mapped_lead *leads, struct lf_buf *ret_answer, struct lf_error *error)
{
    struct lf_scoring scorings[2];
    struct lf_answer_stamp stamps[2];
    enum lf_status status = LF_OK;

    for (int i = 0; i < 2 && status == LF_OK; i++)
        status = lf_webhook_score(arena, source, profiles, &leads[i], true, NOW_MS, &scorings[i], error);
    if (status != LF_OK)
        return status;
    lf_buf_init(ret_answer, arena, 1 << 20);
    lf_webhook_put_scores(ret_answer, arena, source->reply, scorings, 2, true, NOW_MS, stamps);
    return lf_buf_failed(ret_answer) ? lf_fail(error, LF_OUT_OF_MEMORY, "the answer") : LF_OK;
}

static void
test_scores(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    const struct lf_mapped_lead leads[] = {
        {.lead = support_json(f->arena, "{'id':'L-1','company':{'employees':860}}"), .pointer = "/0"},
        {.lead = support_json(f->arena, "{'id':7,'company':{'domain':'rival.example'}}"), .pointer = "/1"},
    };

    for (int reply = LF_REPLY_FLAT; reply <= LF_REPLY_FULL; reply++)
        for (size_t icps = 0; icps <= 2; icps += 2) {
            struct lf_source source = {.reply = (enum lf_reply)reply, .icps = ICPS, .icp_count = icps};
            enum lf_status status = LF_OUT_OF_MEMORY;

            for (long n = 0; status != LF_OK; n++) {
                struct lf_arena *arena = lf_arena_create(64, 1 << 24);
                struct lf_error error = {.status = LF_OK};
                struct lf_buf answer;
                bool failed = false;

                assert_non_null(arena);
                arm(n);
                status = score_and_tell(arena, &source, profiles, leads, &answer, &error);
                failed = disarm();
                assert_int_equal(status, failed ? LF_OUT_OF_MEMORY : LF_OK);
                if (failed) {
                    assert_int_equal(error.status, LF_OUT_OF_MEMORY);
                    assert_true(strlen(error.detail) > 0);
                } else {
                    assert_true(n > 10 && answer.data[0] == '{' && answer.data[answer.len - 1] == '}');
                }
                lf_arena_destroy(arena);
            }
        }
    lf_profiles_destroy(profiles);
}

/* What is wrong with a record is told with its place, also when there is no memory for more. */
static void
test_a_bad_id(void **state)
{
    struct fixture *f = *state;
    struct lf_profiles *profiles = five(f);
    struct lf_source source = {.reply = LF_REPLY_FLAT};
    const struct lf_mapped_lead lead = {.lead = support_json(f->arena, "{'id':['SECRET-VALUE']}"),
                                        .pointer = "/records/3"};
    bool failed = true;

    for (long n = 0; failed; n++) {
        struct lf_arena *arena = lf_arena_create(64, 1 << 24);
        struct lf_error error = {.status = LF_OK};
        struct lf_scoring scoring;
        enum lf_status status = LF_OK;

        assert_non_null(arena);
        arm(n);
        status = lf_webhook_score(arena, &source, profiles, &lead, false, NOW_MS, &scoring, &error);
        failed = disarm();
        /* Not every allocation is needed: the place within the lead is not told. */
        assert_true(status == LF_INVALID_REQUEST || (failed && status == LF_OUT_OF_MEMORY));
        if (!failed) {
            assert_string_equal(error.pointer, "/records/3");
            assert_non_null(strstr(error.detail, "the record's id: an id is a text or a whole number"));
            assert_null(strstr(error.detail, "SECRET"));
        }
        lf_arena_destroy(arena);
    }
    lf_profiles_destroy(profiles);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {STORE_TEST(test_scores), STORE_TEST(test_a_bad_id)};

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
