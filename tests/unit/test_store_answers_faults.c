/*
 * test_store_answers_faults.c - each allocation and each write to the disk fails in turn while answers are kept, found
 * and taken away: scores and their answer are there together, or not at all.
 */
#include "answer_fixture.h"

#include "disk_faults.h"
#include "sqlite_faults.h"

/* Records a request of three scores, one of them long, with an answer. */
static enum lf_status
record_one(struct fixture *f, size_t number, struct lf_stored_answer *answer, struct lf_ulid ids[3])
{
    static char body[300000];
    struct lf_stored_score scores[3];
    const struct lf_stored_score *pointers[3];
    const struct lf_stored_answer *told = answer;
    const struct lf_recording recording = {.scores = pointers, .count = 3, .answers = &told, .answer_count = 1};

    memset(body, 'b', sizeof body);
    for (size_t i = 0; i < 3; i++) {
        scores[i] = (struct lf_stored_score){
            .lead_id = "lead", .lead_id_len = 4, .body = body, .body_len = i == 1 ? sizeof body : 10};
        assert_true(lf_ulid_next(&f->mint, 1700000000000, &scores[i].id));
        ids[i] = scores[i].id;
        pointers[i] = &scores[i];
    }
    *answer = make_answer(f, number, 5);
    answer->first_score = ids[0];
    answer->last_score = ids[2];
    return lf_store_record(f->store, &recording, &f->error);
}

/* Whether it is there: all of it or nothing. */
static bool
is_there(struct fixture *f, size_t number, const struct lf_stored_answer *answer, const struct lf_ulid ids[3])
{
    struct lf_stored_answer found;
    struct lf_stored_score score;
    bool there = find(f, number, &found);

    if (there)
        assert_same(&found, answer);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error),
                         there ? LF_OK : LF_SCORE_NOT_FOUND);
    return there;
}

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_answer answer;
    struct lf_ulid ids[3];

    OK(lf_sqlite_exec(writer_of(f), "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(record_one(f, 1, &answer, ids), LF_STORAGE_FULL);
    assert_false(is_there(f, 1, &answer, ids));
    OK(lf_sqlite_exec(writer_of(f), "PRAGMA max_page_count = 1000000", &f->error));
    OK(record_one(f, 1, &answer, ids)); /* it goes on by itself */
    assert_true(is_there(f, 1, &answer, ids));
    assert_int_equal(check(f, false, NULL), 0);
}

/* Each write and each flush fails in turn: scores and answer are there together after a restart, or not at all. */
static void
test_disk(void **state)
{
    static const struct {
        int reason;
        enum lf_status status;
    } ROWS[] = {{EIO, LF_STORAGE_FAILED}, {ENOSPC, LF_STORAGE_FULL}};
    struct fixture *f = *state;
    size_t number = 0;

    assert_true(let_disk_fail());
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        size_t failures = 0;
        bool failed = true;

        for (long n = 0; failed; n++, number++) {
            struct lf_stored_answer answer;
            struct lf_ulid ids[3];
            enum lf_status status = LF_OK;

            lf_arena_reset(f->arena);
            disk_arm(n, ROWS[row].reason);
            status = record_one(f, number, &answer, ids);
            failed = disk_disarm();
            failures += status != LF_OK ? 1 : 0;
            assert_true(status == LF_OK || failed);
            if (status == LF_OK)
                assert_true(is_there(f, number, &answer, ids));
            else if (status != LF_STORAGE_FAILED) /* a flush that failed for want of room is a failure, too */
                assert_int_equal(status, ROWS[row].status);
            close_store(f);
            open_store(f);
            assert_true(is_there(f, number, &answer, ids) || status != LF_OK);
            if (status == LF_STORAGE_FULL)
                assert_false(is_there(f, number, &answer, ids));
            if (failures % 16 == 0)
                assert_int_equal(check(f, false, NULL), 0);
        }
        print_message("%zu failures with reason %d\n", failures, ROWS[row].reason);
        assert_true(failures > 5);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* Each allocation fails in turn, SQLite's own as well. */
static void
test_allocations_of_recording(void **state)
{
    struct fixture *f = *state;
    size_t number = 0;

    for (int cold = 0; cold < 2; cold++) {
        size_t failures = 0;
        bool failed = true;

        for (long n = 0; failed; n++, number++) {
            struct lf_stored_answer answer;
            struct lf_ulid ids[3];
            enum lf_status status = LF_OK;

            lf_arena_reset(f->arena);
            if (cold == 1) { /* no statement is prepared */
                close_store(f);
                open_store(f);
            }
            (void)make_answer(f, number, 5); /* what that allocates is there already */
            arm(n + 1);
            status = record_one(f, number, &answer, ids);
            failed = disarm();
            failures += status != LF_OK ? 1 : 0;
            assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY));
            assert_int_equal(is_there(f, number, &answer, ids), status == LF_OK);
        }
        print_message("%zu failures\n", failures);
        assert_true(failures > 5);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_allocations_of_finding(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_answer answer = make_answer(f, 1, 5);
    bool failed = true;
    long n = 0;

    OK(put(f, &answer, 1));
    close_store(f);
    open_store(f);
    for (; failed; n++) {
        struct lf_stored_answer found;
        enum lf_status status = LF_OK;
        bool there = false;

        arm(n);
        status = lf_store_answer(f->reader, f->arena, answer.name, &there, &found, &f->error);
        failed = disarm();
        assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY));
        assert_int_equal(there, status == LF_OK);
        if (there)
            assert_same(&found, &answer);
    }
    assert_true(n > 5);
}

static void
test_allocations_of_pruning(void **state)
{
    struct fixture *f = *state;
    enum lf_status status = LF_OUT_OF_MEMORY;
    bool more = true;
    long n = 0;

    for (size_t i = 0; i < 10; i++) {
        struct lf_stored_answer answer = make_answer(f, i, (int64_t)i);

        OK(put(f, &answer, 1));
    }
    for (; status != LF_OK; n++) {
        arm(n);
        status = lf_store_prune_answers(f->store, 8, 9, &more, &f->error);
        if (status == LF_OK && disarm())
            continue; /* what failed did not matter */
        assert_true(status == LF_OK || (disarm() && status == LF_OUT_OF_MEMORY));
        assert_int_equal(count_answers(f), status == LF_OK ? 2 : 10);
    }
    (void)disarm();
    assert_true(n > 5);
    assert_false(more);
    assert_int_equal(count_answers(f), 2);
}

/* An erasure takes from the answers with the rest, or leaves all as it was. */
static void
test_allocations_of_erasing(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 8);
    struct kept kept[] = {{0, 1}, {2, 2}};
    struct lf_stored_answer answers[2];
    struct lf_change change = by_ops(5);
    size_t spans[][2] = {{0, 1}, {2, 2}}, len = 0;
    const char *id = model_id(4, &len);
    enum lf_status status = LF_OUT_OF_MEMORY;
    bool more = false;
    long n = 0;

    for (size_t i = 0; i < 2; i++)
        answers[i] = make_answer(f, i, (int64_t)i);
    model_record_for(m, (const int[]){4, 5, 6}, 3, 100, &(struct model_answers){answers, spans, 2});
    model_settle(m, 100);
    close_store(f);
    open_store(f);
    for (; status != LF_OK; n++) {
        arm(n);
        status = lf_store_erase_lead(f->store, id, len, 9, anonymise, NULL, &change, &more, &f->error);
        assert_true(disarm() || status == LF_OK);
        assert_true(status == LF_OK || status == LF_OUT_OF_MEMORY);
        if (status != LF_OK && n % 10 == 0)
            assert_int_equal(assert_answers(m, kept, 2), 0);
    }
    assert_true(n > 20);
    model_forget(m, 4);
    assert_int_equal(assert_answers(m, kept, 2), 1);
    assert_model(m);
    free(m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_full),
        TEST(test_disk),
        TEST(test_allocations_of_recording),
        TEST(test_allocations_of_finding),
        TEST(test_allocations_of_pruning),
        TEST(test_allocations_of_erasing),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
