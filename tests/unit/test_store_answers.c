/*
 * test_store_answers.c - answers that are given again: kept in the commit of their scores or not at all, found by name,
 * gone with their scores, emptied with a lead that they tell of. What fails: test_store_answers_faults.c. That nothing
 * of them is left in the bytes of the files: test_store_traces.c.
 */
#include "answer_fixture.h"

/* ---- putting and finding ---- */

static void
test_put_and_find(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_answer answers[4], found = {.at_ms = 77};
    char *large = malloc(300000);

    assert_non_null(large);
    memset(large, 'z', 300000);
    assert_false(find(f, 0, &found));
    assert_int_equal(found.at_ms, 77); /* written when there is one */
    for (size_t i = 0; i < 4; i++)
        answers[i] = make_answer(f, i, 1700000000000 + (int64_t)i);
    answers[1].sealed_len = 0; /* is not what is erased */
    answers[1].sealed = NULL;
    answers[2].sealed = large;
    answers[2].sealed_len = 300000;
    answers[3].at_ms = -5;
    answers[3].http_status = 0;
    OK(put(f, answers, 4)); /* without any scores */
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < 4; i++) {
            assert_true(find(f, i, &found));
            answers[1].sealed = "";
            assert_same(&found, &answers[i]);
        }
        assert_false(find(f, 4, &found));
        close_store(f);
        open_store(f);
    }
    assert_int_equal(count_scores(f), 0);
    assert_int_equal(check(f, false, NULL), 0);
    free(large);
}

static void
test_with_scores(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 1);
    struct lf_stored_answer answers[3], found;
    int leads[] = {4, 5, 6, 7, 4, -1, 9};
    size_t spans[][2] = {{0, 0}, {2, 5}, {6, 6}}; /* the score at 1 was no request's that is to happen once */

    for (size_t i = 0; i < 3; i++)
        answers[i] = make_answer(f, i, 5);
    model_record_for(m, leads, 7, 100, &(struct model_answers){answers, spans, 3});
    for (size_t i = 0; i < 3; i++) {
        assert_true(find(f, i, &found));
        assert_same(&found, &answers[i]);
        assert_memory_equal(found.first_score.bytes, m->scores[spans[i][0]].id.bytes, LF_ULID_SIZE);
        assert_memory_equal(found.last_score.bytes, m->scores[spans[i][1]].id.bytes, LF_ULID_SIZE);
    }
    assert_model(m);
    free(m);
}

static void
test_replaced(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 2);
    struct lf_stored_answer old = make_answer(f, 1, 5), other = make_answer(f, 2, 5), new, twice[2], found;
    int lead = 4;
    size_t spans[][2] = {{0, 0}};

    model_record_for(m, &lead, 1, 10, &(struct model_answers){&old, spans, 1});
    OK(put(f, &other, 1));
    new = make_answer(f, 33, 900);
    memcpy(new.name, old.name, sizeof new.name);
    model_record_for(m, &lead, 1, 10, &(struct model_answers){&new, spans, 1});
    assert_int_equal(count_answers(f), 2);
    assert_true(find(f, 1, &found));
    assert_same(&found, &new);
    assert_true(find(f, 2, &found));
    assert_same(&found, &other);
    for (size_t i = 0; i < 2; i++) { /* of two in one commit the later one stays */
        twice[i] = make_answer(f, 50 + i, 950);
        memcpy(twice[i].name, old.name, sizeof old.name);
    }
    OK(put(f, twice, 2));
    assert_int_equal(count_answers(f), 2);
    assert_true(find(f, 1, &found));
    assert_same(&found, &twice[1]);
    assert_model(m);
    free(m);
}

/* What cannot be kept fails the commit, and nothing of it is there. */
static void
test_scores_in_no_order(void **state)
{
    static const struct lf_ulid LOW = {{1}}, HIGH = {{2}}, NONE = {{0}};
    const struct {
        struct lf_ulid first, last;
    } ROWS[] = {{HIGH, LOW}, {NONE, LOW}, {LOW, NONE}};
    struct fixture *f = *state;
    struct lf_stored_answer answers[2], found;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_stored_score score = {.lead_id = "", .body = "b", .body_len = 1};
        const struct lf_stored_score *scores[] = {&score};
        const struct lf_stored_answer *pointers[] = {&answers[0], &answers[1]};
        const struct lf_recording recording = {.scores = scores, .count = 1, .answers = pointers, .answer_count = 2};

        assert_true(lf_ulid_next(&f->mint, 1700000000000, &score.id));
        answers[0] = make_answer(f, 0, 5);
        answers[1] = make_answer(f, 1, 5);
        answers[1].first_score = ROWS[row].first;
        answers[1].last_score = ROWS[row].last;
        FAILS(lf_store_record(f->store, &recording, &f->error), LF_INTERNAL);
        assert_false(find(f, 0, &found));
        assert_int_equal(count_scores(f), 0);
    }
    OK(append(f, 1, 1, NULL));
}

static void
test_reading_only(void **state)
{
    struct fixture *f = *state;
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_store *second = NULL, *own = f->store;
    struct lf_stored_answer answer = make_answer(f, 1, 5);
    bool more = false;

    OK(put(f, &answer, 1));
    OK(lf_store_open(&options, &second, &f->error));
    f->store = second;
    FAILS(put(f, &answer, 1), LF_STORAGE_FAILED);
    FAILS(lf_store_prune_answers(second, INT64_MAX, 9, &more, &f->error), LF_STORAGE_FAILED);
    f->store = own;
    lf_store_close(second);
    assert_int_equal(count_answers(f), 1);
}

/* ---- expiry ---- */

/* The oldest go first, whenever they were put: a clock that was wrong for a while holds up nothing. */
static void
test_prune(void **state)
{
    static const int64_t AT_MS[] = {50, 10, 9000, 20, 40, 30, 60, 60, 70, 65};
    enum { COUNT = sizeof AT_MS / sizeof *AT_MS };
    static const struct {
        int64_t before_ms;
        size_t limit;
        bool more;
        int64_t left_from; /* older ones are gone */
        int64_t left;
    } ROWS[] = {
        {10, 5, false, 10, 10},  {31, 2, true, 30, 8},      {31, 2, false, 40, 7},       {31, 2, false, 40, 7},
        {60, 9, false, 60, 5},   {1000, 2, true, 61, 3},    {1000, 2, true, 71, 1},      {1000, 2, false, 71, 1},
        {9000, 2, false, 71, 1}, {9001, 2, false, 9001, 0}, {INT64_MAX, 5, false, 0, 0},
    };
    struct fixture *f = *state;
    struct lf_stored_answer found;

    for (size_t i = 0; i < COUNT; i++) {
        struct lf_stored_answer answer = make_answer(f, i, AT_MS[i]);

        OK(put(f, &answer, 1));
    }
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        bool more = !ROWS[row].more;

        OK(lf_store_prune_answers(f->store, ROWS[row].before_ms, ROWS[row].limit, &more, &f->error));
        assert_int_equal(more, ROWS[row].more);
        assert_int_equal(count_answers(f), ROWS[row].left);
        for (size_t i = 0; i < COUNT && ROWS[row].left > 0; i++)
            assert_int_equal(find(f, i, &found), AT_MS[i] >= ROWS[row].left_from);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* Neither a look-up, nor a sweep, nor an erasure goes through all answers, or sorts them. */
static void
test_indexes_serve(void **state)
{
    static const enum lf_sql ROWS[] = {LF_SQL_ANSWER,       LF_SQL_DELETE_ANSWER,    LF_SQL_ERASE_ANSWER,
                                       LF_SQL_DROP_ANSWERS, LF_SQL_DROP_OLD_ANSWERS, LF_SQL_ERASE_OLD_DELIVERIES};
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        sqlite3_stmt *statement = NULL, *plan = NULL;
        const char *sql = NULL;
        int steps = 0;

        OK(lf_sqlite_get(writer_of(f), ROWS[row], &statement, &f->error));
        sql = lf_arena_printf(f->arena, "EXPLAIN QUERY PLAN %s", sqlite3_sql(statement));
        assert_non_null(sql);
        assert_int_equal(sqlite3_prepare_v2(writer_of(f)->db, sql, -1, &plan, NULL), SQLITE_OK);
        for (; sqlite3_step(plan) == SQLITE_ROW; steps++) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);

            assert_non_null(step);
            assert_null(strstr(step, "SCAN"));
            assert_null(strstr(step, "TEMP B-TREE"));
        }
        assert_true(steps > 0);
        (void)sqlite3_finalize(plan);
    }
}

/* ---- leads that are erased, scores that are taken away ---- */

/* Records a few requests in one commit, each of a few scores; some of them are to happen once. */
static size_t
record_requests(struct model *m, struct kept *kept, size_t count)
{
    struct lf_stored_answer answers[8];
    size_t spans[8][2], scores = 0, requests = 1 + chance(m, 6), answered = 0;
    int leads[64];

    for (size_t i = 0; i < requests; i++) {
        size_t brings = chance(m, 3) == 0 ? 1 + chance(m, 8) : 1;

        if (chance(m, 3) > 0) {
            answers[answered] = make_answer(m->f, count + answered, (int64_t)(count + answered));
            spans[answered][0] = scores;
            spans[answered][1] = scores + brings - 1;
            kept[count + answered] = (struct kept){m->count + scores, m->count + scores + brings - 1};
            answered++;
        }
        for (; brings > 0; brings--)
            leads[scores++] = -2;
    }
    model_record_for(m, leads, scores, 0, &(struct model_answers){answers, spans, answered});
    return count + answered;
}

static void
test_erased_and_taken_away(void **state)
{
    enum { ROUNDS = 240, MOST = ROUNDS * 8 };
    struct fixture *f = *state;
    struct model *m = model_create(f, 3);
    struct kept *kept = calloc(MOST, sizeof *kept);
    size_t count = 0, spread = 0;

    assert_non_null(kept);
    for (int i = 0; i < ROUNDS; i++) {
        m->now_ms += 10;
        count = record_requests(m, kept, count);
        if (i % 3 == 0)
            model_settle(m, 1 + chance(m, 9));
        if (i % 8 == 7) {
            int lead = (int)chance(m, MODEL_LEADS);

            model_settle(m, 1000);
            if (model_knows(m, lead))
                (void)model_erase(m, lead, 1 + chance(m, 5));
        }
        if (i % 40 == 39)
            model_prune(m, lf_ulid_ms(m->scores[m->count / 3].id), 1 + chance(m, 9));
        if (i % 60 == 59)
            assert_true(assert_answers(m, kept, count) > 5);
    }
    for (size_t i = 0; i < count; i++)
        spread += m->scores[kept[i].first].block != m->scores[kept[i].last].block ? 1 : 0;
    assert_true(spread > 3); /* scores of one request in several blocks */
    close_store(f);
    open_store(f);
    assert_true(assert_answers(m, kept, count) > 5);
    assert_in_range(count_answers(f), 100, count - 100); /* some were taken away, some not */
    assert_model(m);
    free(kept);
    free(m);
}

/* One request whose scores lie in three blocks, between two others. */
static void
test_several_blocks(void **state)
{
    struct fixture *f = *state;

    for (int which = 0; which < 4; which++) { /* of whom the erased one is: first, middle, last, the neighbours */
        static const int LEADS[] = {20, 4, 5, 6, 20};
        struct model *m = NULL;
        struct kept kept[] = {{0, 0}, {1, 3}, {4, 4}};
        struct lf_stored_answer answers[3];
        size_t spans[][2] = {{0, 0}, {1, 3}, {4, 4}};

        if (which > 0) {
            (void)teardown(state);
            (void)setup(state);
            f = *state;
        }
        m = model_create(f, 4);
        for (size_t i = 0; i < 3; i++)
            answers[i] = make_answer(f, i, (int64_t)i);
        model_record_for(m, LEADS, 5, 200000, &(struct model_answers){answers, spans, 3});
        assert_true(m->scores[1].block < m->scores[2].block && m->scores[2].block < m->scores[3].block);
        model_settle(m, 100);
        (void)model_erase(m, which < 3 ? 4 + which : 20, 1);
        assert_int_equal(assert_answers(m, kept, 3), which < 3 ? 1 : 2);
        assert_model(m);
        model_prune(m, lf_ulid_ms(m->scores[4].id) + 1, 2); /* a part of its scores is gone first */
        assert_int_equal(assert_answers(m, kept, 3), 0);
        assert_int_equal(count_answers(f), 0);
        assert_model(m);
        free(m);
    }
}

/* Answers that tell of no lead's score stay what they are; deliveries go with the scores they are about. */
static void
test_what_is_about_no_score_stays(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 5);
    struct lf_stored_answer answer = make_answer(f, 1, 5), found;
    int64_t count = -1;

    OK(put(f, &answer, 1));
    model_record(m, 1, 4, 10);
    m->now_ms += 1000;
    model_record(m, 1, 4, 10);
    model_settle(m, 100);
    OK(lf_sqlite_exec(
        writer_of(f),
        "INSERT INTO delivery (subscription_id, type, at_ms, score_id, lane, state, due_ms, attempts, data)"
        " SELECT 1, 0, 1, first_id, 1, 0, 0, '[]', '{}' FROM score_block;"
        "INSERT INTO delivery (subscription_id, type, at_ms, score_id, lane, state, due_ms, attempts, data)"
        " VALUES (1, 2, 1, NULL, 0, 0, 0, '[]', '{}')",
        &f->error));
    model_prune(m, m->now_ms - 1, 9);
    OK(lf_sqlite_int(writer_of(f), "SELECT count(*) FROM delivery WHERE state = 4 AND data = ''", &count, &f->error));
    assert_int_equal(count, 1);
    OK(lf_sqlite_int(writer_of(f), "SELECT count(*) FROM delivery WHERE state = 0 AND data = '{}'", &count, &f->error));
    assert_int_equal(count, 2);
    model_prune(m, INT64_MAX, 9);
    OK(lf_sqlite_int(writer_of(f), "SELECT count(*) FROM delivery WHERE state = 4 AND data = ''", &count, &f->error));
    assert_int_equal(count, 2);
    assert_true(find(f, 1, &found));
    assert_same(&found, &answer);
    free(m);
}

/* ---- the check ---- */

static void
test_check_finds(void **state)
{
    static const struct {
        const char *what, *sql;
        size_t findings;
    } ROWS[] = {
        {"scores that nobody recorded",
         "UPDATE answer SET last_score = x'FF000000000000000000000000000000' WHERE id = 3", 1},
        {"none at all", "DELETE FROM score_block", 3},
        {"the same score",
         "UPDATE answer SET first_score = (SELECT first_score FROM answer WHERE id = 1),"
         " last_score = (SELECT last_score FROM answer WHERE id = 1) WHERE id = 2",
         1},
        {"one within the other",
         "UPDATE answer SET last_score = (SELECT last_score FROM answer WHERE id = 2)"
         " WHERE id = 1",
         1},
    };
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct model *m = NULL;
        struct lf_stored_answer answers[3];
        size_t spans[][2] = {{0, 1}, {2, 2}, {3, 4}};
        const char *code = NULL;

        print_message("%s\n", ROWS[row].what);
        if (row > 0) {
            (void)teardown(state);
            (void)setup(state);
            f = *state;
        }
        m = model_create(f, 6);
        for (size_t i = 0; i < 3; i++)
            answers[i] = make_answer(f, i, 5);
        model_record_for(m, (const int[]){-1, -1, -1, -1, -1}, 5, 100000, &(struct model_answers){answers, spans, 3});
        assert_int_equal(check(f, false, NULL), 0);
        OK(lf_sqlite_exec(writer_of(f), ROWS[row].sql, &f->error));
        assert_int_equal(check(f, false, &code), ROWS[row].findings);
        assert_string_equal(code, "damaged_answer");
        assert_int_equal(check(f, true, NULL), 0); /* a quick one does not look */
        free(m);
    }
}

/* What the table itself refuses. */
static void
test_constraints(void **state)
{
    static const char *const ROWS[] = {
        "UPDATE answer SET first_score = NULL",
        "UPDATE answer SET last_score = NULL",
        "UPDATE answer SET last_score = x'00000000000000000000000000000000'",
        "UPDATE answer SET first_score = x'00'",
        "UPDATE answer SET name = x'00'",
        "UPDATE answer SET request = x'00'",
        "INSERT INTO answer (name, request, at_ms, http_status) SELECT name, request, 0, 200 FROM answer",
    };
    struct fixture *f = *state;
    struct model *m = model_create(f, 7);
    struct lf_stored_answer answer = make_answer(f, 1, 5);
    int lead = 4;
    size_t spans[][2] = {{0, 0}};

    model_record_for(m, &lead, 1, 10, &(struct model_answers){&answer, spans, 1});
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++)
        FAILS(lf_sqlite_exec(writer_of(f), ROWS[row], &f->error), LF_INTERNAL);
    free(m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_put_and_find),   TEST(test_with_scores),
        TEST(test_replaced),       TEST(test_scores_in_no_order),
        TEST(test_reading_only),   TEST(test_prune),
        TEST(test_indexes_serve),  TEST(test_erased_and_taken_away),
        TEST(test_several_blocks), TEST(test_what_is_about_no_score_stays),
        TEST(test_check_finds),    TEST(test_constraints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
