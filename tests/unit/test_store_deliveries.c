/* test_store_deliveries.c - the outbox: deliveries are read in each order, noted, retried, given up, erased and swept;
 * many random steps are held against a model that is a plain list. */
#include "outbox_fixture.h"

#include "base/json.h"

#define NOW_MS INT64_C(1780000000000)

/* ---- put and read ---- */

static void
test_put_and_read(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");
    struct lf_new_delivery deliveries[] = {delivery_of(a, NOW_MS, 9), delivery_of(b, NOW_MS + 1, 0),
                                           delivery_of(a, NOW_MS + 2, 0)};
    struct lf_stored_delivery one;

    deliveries[1].type = LF_EVENT_ICP_PUBLISHED;
    deliveries[1].lane = 0;
    OK(put_deliveries(f, NULL, 0));
    OK(put_deliveries(f, deliveries, 3));
    one = get_delivery(f, a, 1);
    assert_int_equal(one.id, 1);
    assert_int_equal(one.subscription_id, a);
    assert_int_equal(one.type, LF_EVENT_SCORE_RECORDED);
    assert_int_equal(one.at_ms, NOW_MS);
    assert_memory_equal(one.score_id.bytes, deliveries[0].score_id.bytes, LF_ULID_SIZE);
    assert_int_equal(one.lane, 7);
    assert_int_equal(one.state, LF_DELIVERY_PENDING);
    assert_int_equal(one.due_ms, 0);
    assert_string_equal(one.attempts, "[]");
    assert_int_equal(one.attempts_len, 2);
    assert_string_equal(one.data, deliveries[0].data);
    assert_int_equal(one.data_len, deliveries[0].data_len);
    one = get_delivery(f, b, 2);
    assert_int_equal(one.type, LF_EVENT_ICP_PUBLISHED);
    assert_memory_equal(one.score_id.bytes, deliveries[1].score_id.bytes, LF_ULID_SIZE);
    assert_int_equal(one.lane, 0);
    FAILS(lf_store_delivery(f->reader, f->arena, b, 1, &one, &f->error), LF_DELIVERY_NOT_FOUND);
    FAILS(lf_store_delivery(f->reader, f->arena, a, 4, &one, &f->error), LF_DELIVERY_NOT_FOUND);
    FAILS(lf_store_delivery(f->reader, f->arena, a, 0, &one, &f->error), LF_DELIVERY_NOT_FOUND);
}

static void
test_orders(void **state)
{
    static const int64_t DUE_MS[] = {NOW_MS + 30, NOW_MS + 10, NOW_MS + 10, NOW_MS + 20};
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");

    put_many(f, a, 10, NOW_MS);
    put_many(f, b, 2, NOW_MS);
    for (int i = 0; i < 4; i++) {
        struct lf_attempt attempt = attempt_of(a, 3 + i, LF_DELIVERY_RETRYING);

        attempt.due_ms = DUE_MS[i];
        OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
    }
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 3), "10 9 8");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 8, 3), "7 6 5");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 2, 3), "1");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 1, 3), "");
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_NEWEST, 0, SIZE_MAX), "12 11");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_PENDING, 0, 4), "1 2 7 8");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_PENDING, 7, 4), "8 9 10");
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_PENDING, 0, 4), "11 12");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_DUE, NOW_MS + 9, 4), "");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_DUE, NOW_MS + 10, 4), "4 5");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_DUE, INT64_MAX, 3), "4 5 6");
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_DUE, INT64_MAX, 0), "");
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_DUE, INT64_MAX, 4), "");
    assert_outbox(f, a, 10, NOW_MS);
    assert_outbox(f, b, 2, NOW_MS);
    assert_outbox(f, 99, 0, 0);
}

/* What is asked for again and again does not go through all there is: each step into the outbox is by that index, and
 * none sorts. */
static void
test_plans(void **state)
{
#define LF_X(name, sql) [LF_SQL_##name] = sql,
    static const char *const SQL[LF_SQL_COUNT] = {LF_SQL_LIST(LF_X)};
#undef LF_X
    static const struct {
        enum lf_sql which;
        const char *steps[3]; /* what comes behind SEARCH delivery USING, in the order of the plan; more is none */
    } ROWS[] = {
        {LF_SQL_DELIVERIES_NEWEST, {"INDEX delivery_by_subscription (subscription_id=? AND id<?)"}},
        {LF_SQL_DELIVERIES_PENDING, {"INDEX delivery_pending (subscription_id=? AND id>?)"}},
        {LF_SQL_DELIVERIES_DUE, {"INDEX delivery_due (subscription_id=? AND due_ms<?)"}},
        {LF_SQL_DELIVERY, {"INTEGER PRIMARY KEY (rowid=?)"}},
        {LF_SQL_DELIVERY_TO_NOTE, {"INTEGER PRIMARY KEY (rowid=?)"}},
        {LF_SQL_NOTE_ATTEMPT, {"INTEGER PRIMARY KEY (rowid=?)"}},
        {LF_SQL_ERASE_DELIVERIES, {"INDEX delivery_by_score (score_id=?)"}},
        {LF_SQL_OUTBOX,
         {"INDEX delivery_pending (subscription_id=?)", "INDEX delivery_due (subscription_id=?)",
          "INTEGER PRIMARY KEY (rowid=?)"}},
        {LF_SQL_DELIVERIES_OF_NEXT, {"INDEX delivery_by_subscription (subscription_id>?)"}},
        {LF_SQL_DELIVERY_BEHIND, {"INDEX delivery_by_subscription (subscription_id=?)"}},
        {LF_SQL_DROP_DELIVERIES,
         {"INTEGER PRIMARY KEY (rowid=?)", "INDEX delivery_by_subscription (subscription_id=?)"}},
        {LF_SQL_PRUNE_DELIVERIES, {"INTEGER PRIMARY KEY (rowid=?)", "INDEX delivery_ended (subscription_id=?)"}},
    };
    static const char SEARCH[] = "SEARCH delivery USING ";
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const char *sql = lf_arena_printf(f->arena, "EXPLAIN QUERY PLAN %s", SQL[ROWS[row].which]);
        sqlite3_stmt *statement = NULL;
        bool met[3] = {false};

        if (sqlite3_prepare_v2(writer_of(f)->db, sql, -1, &statement, NULL) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(writer_of(f)->db));
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(statement, 3);
            size_t at = 0;

            if (strstr(step, "TEMP B-TREE") != NULL || strncmp(step, "SCAN delivery", 13) == 0)
                fail_msg("%s: %s", sql, step);
            if (strncmp(step, SEARCH, sizeof SEARCH - 1) != 0)
                continue;
            step += sizeof SEARCH - 1;
            step += strncmp(step, "COVERING ", 9) == 0 ? 9 : 0; /* the better, which SQLite sees or not */
            while (at < 3 && ROWS[row].steps[at] != NULL && strcmp(ROWS[row].steps[at], step) != 0)
                at++;
            if (at == 3 || ROWS[row].steps[at] == NULL)
                fail_msg("%s: %s", sql, step);
            met[at] = true;
        }
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
        for (int i = 0; i < 3 && ROWS[row].steps[i] != NULL; i++)
            if (!met[i])
                fail_msg("%s: nothing by %s", sql, ROWS[row].steps[i]);
    }
}

/* ---- attempts ---- */

static void
test_note(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a");
    struct lf_attempt attempts[] = {attempt_of(a, 1, LF_DELIVERY_RETRYING), attempt_of(a, 2, LF_DELIVERY_DELIVERED),
                                    attempt_of(a, 3, LF_DELIVERY_FAILED), attempt_of(a, 99, LF_DELIVERY_DELIVERED)};
    struct lf_stored_delivery one;
    bool waited[4] = {false, false, false, true};

    put_many(f, a, 4, NOW_MS);
    attempts[0].error = "\"quoted\" \\ {not JSON}\n";
    attempts[0].http_status = 0;
    OK(lf_store_note_attempts(f->store, attempts, 4, waited, &f->error));
    assert_true(waited[0] && waited[1] && waited[2]);
    assert_false(waited[3]);
    one = get_delivery(f, a, 1);
    assert_int_equal(one.state, LF_DELIVERY_RETRYING);
    assert_int_equal(one.due_ms, attempts[0].due_ms);
    assert_string_equal(one.attempts, "[{\"at\":\"2026-05-28T20:26:40.000Z\",\"status\":0,"
                                      "\"error\":\"\\\"quoted\\\" \\\\ {not JSON}\\n\"}]");
    one = get_delivery(f, a, 2);
    assert_int_equal(one.state, LF_DELIVERY_DELIVERED);
    assert_int_equal(one.due_ms, 0);
    assert_string_equal(one.attempts, "[{\"at\":\"2026-05-28T20:26:40.000Z\",\"status\":200,\"error\":\"\"}]");
    assert_int_equal(get_delivery(f, a, 3).state, LF_DELIVERY_FAILED);
    assert_outbox(f, a, 2, NOW_MS);

    /* Again: what waits is told so, what has ended is not, and stays ended but for a success. */
    attempts[0].state = LF_DELIVERY_DELIVERED;
    attempts[1].state = LF_DELIVERY_RETRYING;
    attempts[2].state = LF_DELIVERY_RETRYING;
    OK(lf_store_note_attempts(f->store, attempts, 3, waited, &f->error));
    assert_true(waited[0]);
    assert_false(waited[1] || waited[2]);
    assert_int_equal(get_delivery(f, a, 1).state, LF_DELIVERY_DELIVERED);
    assert_int_equal(get_delivery(f, a, 1).due_ms, 0);
    assert_int_equal(get_delivery(f, a, 2).state, LF_DELIVERY_DELIVERED);
    assert_int_equal(get_delivery(f, a, 3).state, LF_DELIVERY_FAILED);
    assert_int_equal(get_delivery(f, a, 3).due_ms, 0);
    attempts[2].state = LF_DELIVERY_DELIVERED;
    OK(lf_store_note_attempts(f->store, &attempts[2], 1, waited, &f->error));
    assert_false(waited[0]);
    assert_int_equal(get_delivery(f, a, 3).state, LF_DELIVERY_DELIVERED);
    assert_outbox(f, a, 1, NOW_MS + 3);
    OK(lf_store_note_attempts(f->store, NULL, 0, NULL, &f->error));
}

static void
test_note_subscription(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");
    struct lf_attempt attempts[] = {attempt_of(a, 1, LF_DELIVERY_RETRYING), attempt_of(a, 2, LF_DELIVERY_RETRYING),
                                    attempt_of(b, 3, LF_DELIVERY_DELIVERED)};

    put_many(f, a, 2, NOW_MS);
    put_many(f, b, 1, NOW_MS);
    attempts[0].at_ms = NOW_MS + 5;
    attempts[1].at_ms = NOW_MS + 6;
    attempts[2].at_ms = NOW_MS + 7;
    OK(lf_store_note_attempts(f->store, attempts, 3, NULL, &f->error));
    assert_int_equal(get_subscription(f, "a").failing_since_ms, NOW_MS + 5);
    assert_int_equal(get_subscription(f, "a").delivered_at_ms, 0);
    assert_int_equal(get_subscription(f, "b").failing_since_ms, 0);
    assert_int_equal(get_subscription(f, "b").delivered_at_ms, NOW_MS + 7);
    attempts[0].state = LF_DELIVERY_DELIVERED;
    attempts[0].at_ms = NOW_MS + 8;
    OK(lf_store_note_attempts(f->store, attempts, 1, NULL, &f->error));
    assert_int_equal(get_subscription(f, "a").failing_since_ms, 0);
    assert_int_equal(get_subscription(f, "a").delivered_at_ms, NOW_MS + 8);
    attempts[2].at_ms = NOW_MS + 1; /* a success that was noted late does not set it back */
    OK(lf_store_note_attempts(f->store, &attempts[2], 1, NULL, &f->error));
    assert_int_equal(get_subscription(f, "b").delivered_at_ms, NOW_MS + 7);
    attempts[1].delivery_id = 99; /* of a delivery that is gone its subscription is noted all the same */
    attempts[1].at_ms = NOW_MS + 9;
    OK(lf_store_note_attempts(f->store, &attempts[1], 1, NULL, &f->error));
    assert_int_equal(get_subscription(f, "a").failing_since_ms, NOW_MS + 9);
}

/* The first attempt and the latest are kept. */
static void
test_attempts_kept(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a");
    struct lf_attempt attempt = attempt_of(a, 1, LF_DELIVERY_RETRYING);
    enum { MANY = 50 };

    put_many(f, a, 1, NOW_MS);
    for (int i = 1; i <= MANY; i++) {
        const struct lf_json *array = NULL;
        struct lf_stored_delivery one;
        int count = 0;

        attempt.http_status = i;
        attempt.error = "}{][,\"\\"; /* what an array is made of */
        OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
        one = get_delivery(f, a, 1);
        OK(lf_json_parse(f->arena, one.attempts, one.attempts_len, &LF_JSON_LEAD_LIMITS, &array, &f->error));
        for (const struct lf_json *at = lf_json_first(array); at != NULL; at = lf_json_next(at), count++) {
            int expected = count == 0 ? 1 : i <= LF_ATTEMPTS_KEPT ? count + 1 : i - LF_ATTEMPTS_KEPT + 1 + count;
            size_t len = 0;

            assert_int_equal((int)lf_json_number(lf_json_member(at, "status")), expected);
            assert_string_equal(lf_json_text(lf_json_member(at, "error"), &len), attempt.error);
        }
        assert_int_equal(count, i < LF_ATTEMPTS_KEPT ? i : LF_ATTEMPTS_KEPT);
    }
}

/* Somebody's hand in the database stops no delivery. */
static void
test_attempts_spoilt(void **state)
{
    static const char *const ROWS[] = {"", "x", "{", "[{\"at\":\"", "null", "[{\"at\":\"}\\"};
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a");

    put_many(f, a, 1, NOW_MS);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_attempt attempt = attempt_of(a, 1, LF_DELIVERY_RETRYING);

        run_sql(f->path, lf_arena_printf(f->arena, "UPDATE delivery SET attempts = '%s'", ROWS[row]));
        OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
        assert_string_equal(get_delivery(f, a, 1).attempts,
                            "[{\"at\":\"2026-05-28T20:26:40.000Z\",\"status\":500,\"error\":\"\"}]");
    }
}

/* ---- by hand, and all at once ---- */

static void
test_retry(void **state)
{
    static const struct {
        enum lf_delivery_state before, after;
        bool waited;
    } ROWS[] = {
        {LF_DELIVERY_PENDING, LF_DELIVERY_PENDING, true},
        {LF_DELIVERY_RETRYING, LF_DELIVERY_RETRYING, true},
        {LF_DELIVERY_DELIVERED, LF_DELIVERY_RETRYING, false},
        {LF_DELIVERY_FAILED, LF_DELIVERY_RETRYING, false},
    };
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a");
    struct lf_new_delivery erased = delivery_of(a, NOW_MS, 9);
    bool waited = false;

    put_many(f, a, 4, NOW_MS);
    OK(put_deliveries(f, &erased, 1));
    OK(erase_deliveries(f, erased.score_id));
    for (int row = 0; row < 4; row++) {
        struct lf_attempt attempt = attempt_of(a, row + 1, ROWS[row].before);

        if (ROWS[row].before != LF_DELIVERY_PENDING)
            OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
        waited = !ROWS[row].waited;
        OK(lf_store_retry_delivery(f->store, a, row + 1, NOW_MS + 77, &waited, &f->error));
        assert_int_equal(waited, ROWS[row].waited);
        assert_int_equal(get_delivery(f, a, row + 1).state, ROWS[row].after);
        assert_int_equal(get_delivery(f, a, row + 1).due_ms, row == 0 ? 0 : NOW_MS + 77);
    }
    assert_outbox(f, a, 4, NOW_MS);
    FAILS(lf_store_retry_delivery(f->store, a, 5, NOW_MS, &waited, &f->error), LF_ERASED);
    FAILS(lf_store_retry_delivery(f->store, a, 6, NOW_MS, &waited, &f->error), LF_DELIVERY_NOT_FOUND);
    FAILS(lf_store_retry_delivery(f->store, a + 1, 1, NOW_MS, &waited, &f->error), LF_DELIVERY_NOT_FOUND);
}

static void
test_give_up(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");
    struct lf_attempt attempts[] = {attempt_of(a, 2, LF_DELIVERY_RETRYING), attempt_of(a, 3, LF_DELIVERY_DELIVERED)};
    bool more = false;

    put_many(f, a, 5, NOW_MS);
    put_many(f, b, 1, NOW_MS);
    OK(lf_store_note_attempts(f->store, attempts, 2, NULL, &f->error));
    OK(lf_store_fail_deliveries(f->store, a, NOW_MS, "the target is \"gone\"", 3, &more, &f->error));
    assert_true(more);
    assert_outbox(f, a, 1, NOW_MS + 1);
    OK(lf_store_fail_deliveries(f->store, a, NOW_MS, "the target is \"gone\"", 3, &more, &f->error));
    assert_false(more);
    assert_outbox(f, a, 0, 0);
    assert_outbox(f, b, 1, NOW_MS);
    assert_int_equal(get_delivery(f, a, 3).state, LF_DELIVERY_DELIVERED);
    assert_int_equal(get_delivery(f, a, 2).state, LF_DELIVERY_FAILED);
    assert_string_equal(get_delivery(f, a, 2).attempts,
                        "[{\"at\":\"2026-05-28T20:26:40.000Z\",\"status\":500,\"error\":\"\"},"
                        "{\"at\":\"2026-05-28T20:26:40.000Z\",\"status\":0,\"error\":\"the target is \\\"gone\\\"\"}]");
    OK(lf_store_fail_deliveries(f->store, 99, NOW_MS, "", 3, &more, &f->error));
    assert_false(more);
    OK(lf_store_fail_deliveries(f->store, b, NOW_MS, "", 0, &more, &f->error));
    assert_true(more);
    assert_outbox(f, b, 1, NOW_MS);
}

/* ---- erased ---- */

static void
test_erase(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");
    struct lf_new_delivery deliveries[] = {delivery_of(a, NOW_MS, 1), delivery_of(b, NOW_MS, 1),
                                           delivery_of(a, NOW_MS, 2), delivery_of(a, NOW_MS, 0),
                                           delivery_of(a, NOW_MS, 1)};
    struct lf_attempt attempts[] = {attempt_of(a, 1, LF_DELIVERY_RETRYING), attempt_of(a, 5, LF_DELIVERY_DELIVERED)};
    static const struct {
        int64_t id;
        bool of_b, erased;
    } ROWS[] = {{1, false, true}, {2, true, true}, {3, false, false}, {4, false, false}, {5, false, true}};
    bool waited = true;

    OK(put_deliveries(f, deliveries, 5));
    OK(lf_store_note_attempts(f->store, attempts, 2, NULL, &f->error));
    OK(erase_deliveries(f, deliveries[0].score_id));
    for (size_t row = 0; row < 5; row++) {
        struct lf_stored_delivery one = get_delivery(f, ROWS[row].of_b ? b : a, ROWS[row].id);

        assert_int_equal(one.state == LF_DELIVERY_ERASED, ROWS[row].erased);
        assert_int_equal(one.data_len == 0, ROWS[row].erased);
        assert_int_equal(one.lane == 0, ROWS[row].erased); /* it is made of the lead's id */
        assert_int_equal(one.due_ms, 0);
    }
    assert_outbox(f, a, 2, NOW_MS);
    assert_outbox(f, b, 0, 0);
    /* A post that was under way ends: nothing is noted of the delivery. */
    OK(lf_store_note_attempts(f->store, attempts, 1, &waited, &f->error));
    assert_false(waited);
    assert_int_equal(get_delivery(f, a, 1).state, LF_DELIVERY_ERASED);
    assert_string_equal(get_delivery(f, a, 1).attempts,
                        "[{\"at\":\"2026-05-28T20:26:40.000Z\",\"status\":500,\"error\":\"\"}]");
    assert_int_equal(check(f, false, NULL), 0);
}

/* What was erased is in no file: neither in the table nor in an index or the log. */
static void
test_erase_leaves_no_trace(void **state)
{
    static const char DATA[] = "{\"lead_id\":\"ZEBRA-4711\"}";
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a");
    struct lf_new_delivery delivery = delivery_of(a, NOW_MS, 1);
    char command[2 * PATH_SIZE];

    delivery.data = DATA;
    delivery.data_len = sizeof DATA - 1;
    OK(put_deliveries(f, &delivery, 1));
    (void)snprintf(command, sizeof command, "cat '%s'* | grep -q ZEBRA-4711", f->path);
    assert_int_equal(system(command), 0);
    OK(erase_deliveries(f, delivery.score_id));
    close_store(f);
    assert_int_not_equal(system(command), 0);
    open_store(f);
}

/* ---- swept ---- */

/* Has so many deliveries, from `first` on, ended. */
static void
end_deliveries(struct fixture *f, int64_t subscription_id, int64_t first, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        struct lf_attempt attempt =
            attempt_of(subscription_id, first + i, i % 2 == 0 ? LF_DELIVERY_DELIVERED : LF_DELIVERY_FAILED);

        OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
    }
}

static void
test_prune_by_time(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a");
    bool more = true;

    put_many(f, a, 10, NOW_MS); /* ids 1 to 10 at NOW_MS to NOW_MS + 9 */
    end_deliveries(f, a, 1, 3);
    end_deliveries(f, a, 5, 3);
    OK(lf_store_prune_deliveries(f->store, NOW_MS, 1000, 100, &more, &f->error));
    assert_false(more);
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "10 9 8 7 6 5 4 3 2 1");
    OK(lf_store_prune_deliveries(f->store, NOW_MS + 5, 1000, 2, &more, &f->error));
    assert_true(more); /* in slices */
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "10 9 8 7 6 5 4 3");
    OK(lf_store_prune_deliveries(f->store, NOW_MS + 5, 1000, 3, &more, &f->error));
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "10 9 8 7 6 4"); /* what waits stays */
    OK(lf_store_prune_deliveries(f->store, NOW_MS + 5, 1000, 100, &more, &f->error));
    assert_false(more);
    OK(lf_store_prune_deliveries(f->store, INT64_MAX, 1000, 100, &more, &f->error));
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "10 9 8 4");
    assert_outbox(f, a, 4, NOW_MS + 3);
}

static void
test_prune_by_count(void **state)
{
    struct fixture *f = *state;
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");
    bool more = true;

    put_many(f, a, 6, NOW_MS);
    put_many(f, b, 3, NOW_MS);
    end_deliveries(f, a, 1, 1);
    end_deliveries(f, a, 3, 4);
    end_deliveries(f, b, 7, 3);
    OK(lf_store_prune_deliveries(f->store, 0, 6, 100, &more, &f->error));
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "6 5 4 3 2 1");
    OK(lf_store_prune_deliveries(f->store, 0, 3, 100, &more, &f->error));
    assert_false(more);
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "6 5 4 2"); /* 2 waits */
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_NEWEST, 0, 20), "9 8 7");
    OK(lf_store_prune_deliveries(f->store, 0, 0, 100, &more, &f->error));
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "2");
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_NEWEST, 0, 20), "");
}

/* Of a subscription that is gone everything goes, waiting or not; ids do not come back. */
static void
test_prune_deleted(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(NOW_MS);
    int64_t a = put_subscription(f, "a"), b = put_subscription(f, "b");
    bool more = false;
    int slices = 0;

    put_many(f, b, 1, NOW_MS);
    put_many(f, a, 10, NOW_MS);
    end_deliveries(f, a, 2, 3);
    OK(lf_store_delete_subscription(f->store, "a", &change, &f->error));
    do {
        OK(lf_store_prune_deliveries(f->store, 0, 1000, 4, &more, &f->error));
        slices++;
    } while (more);
    assert_int_equal(slices, 3);
    assert_string_equal(ids_of(f, a, LF_DELIVERIES_NEWEST, 0, 20), "");
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_NEWEST, 0, 20), "1");
    put_many(f, b, 1, NOW_MS);
    assert_string_equal(ids_of(f, b, LF_DELIVERIES_NEWEST, 0, 20), "12 1");
    assert_int_not_equal(put_subscription(f, "a"), a);
}

/* ---- random steps, and a plain list that should say the same ---- */

enum { MODEL_MAX = 400, SUBSCRIPTIONS = 3, SCORES = 6, STEPS = 1500 };

struct row {
    int64_t subscription_id, at_ms, due_ms;
    uint8_t score;
    enum lf_delivery_state state;
    bool gone;
};

struct model {
    struct fixture *f;
    struct row rows[MODEL_MAX + 1]; /* by id */
    int64_t count;
    int64_t ids[SUBSCRIPTIONS];
    uint64_t random;
};

static int64_t
below(struct model *m, int64_t limit)
{
    m->random = m->random * 6364136223846793005U + 1442695040888963407U;
    return (int64_t)(m->random >> 33) % limit;
}

static bool
waits(const struct row *row)
{
    return !row->gone && (row->state == LF_DELIVERY_PENDING || row->state == LF_DELIVERY_RETRYING);
}

static void
step_put(struct model *m)
{
    struct fixture *f = m->f;
    struct lf_new_delivery deliveries[3];
    size_t count = 0;

    for (; count < 3 && m->count < MODEL_MAX; count++) {
        struct row *row = &m->rows[++m->count];

        *row = (struct row){.subscription_id = m->ids[below(m, SUBSCRIPTIONS)],
                            .at_ms = NOW_MS + m->count,
                            .score = (uint8_t)below(m, SCORES)};
        deliveries[count] = delivery_of(row->subscription_id, row->at_ms, row->score);
    }
    OK(put_deliveries(f, deliveries, count));
}

static void
step_note(struct model *m)
{
    static const enum lf_delivery_state STATES[] = {LF_DELIVERY_RETRYING, LF_DELIVERY_DELIVERED, LF_DELIVERY_FAILED};
    struct fixture *f = m->f;
    struct lf_attempt attempts[4];
    bool waited[4], expected[4];

    for (int i = 0; i < 4; i++) {
        int64_t id = 1 + below(m, m->count);
        struct row *row = &m->rows[id];

        attempts[i] = attempt_of(row->subscription_id, id, STATES[below(m, 3)]);
        attempts[i].due_ms = NOW_MS + below(m, 20);
        expected[i] = waits(row);
        if (row->gone || row->state == LF_DELIVERY_ERASED)
            continue;
        if (expected[i] || attempts[i].state == LF_DELIVERY_DELIVERED)
            row->state = attempts[i].state;
        row->due_ms = row->state == LF_DELIVERY_RETRYING ? attempts[i].due_ms : 0;
    }
    OK(lf_store_note_attempts(f->store, attempts, 4, waited, &f->error));
    for (int i = 0; i < 4; i++)
        assert_int_equal(waited[i], expected[i]);
}

static void
step_retry(struct model *m)
{
    struct fixture *f = m->f;
    int64_t id = 1 + below(m, m->count);
    struct row *row = &m->rows[id];
    bool waited = false, expected = waits(row);
    enum lf_status status = lf_store_retry_delivery(f->store, row->subscription_id, id, NOW_MS + 3, &waited, &f->error);

    if (row->gone || row->state == LF_DELIVERY_ERASED) {
        assert_int_equal(status, row->gone ? LF_DELIVERY_NOT_FOUND : LF_ERASED);
        return;
    }
    assert_int_equal(status, LF_OK);
    assert_int_equal(waited, expected);
    if (row->state != LF_DELIVERY_PENDING) {
        row->state = LF_DELIVERY_RETRYING;
        row->due_ms = NOW_MS + 3;
    }
}

static void
step_give_up(struct model *m)
{
    struct fixture *f = m->f;
    int64_t id = m->ids[below(m, SUBSCRIPTIONS)];
    bool more = true;

    while (more)
        OK(lf_store_fail_deliveries(f->store, id, NOW_MS, "gone", 3, &more, &f->error));
    for (int64_t i = 1; i <= m->count; i++) {
        if (m->rows[i].subscription_id != id || !waits(&m->rows[i]))
            continue;
        m->rows[i].state = LF_DELIVERY_FAILED;
        m->rows[i].due_ms = 0;
    }
}

static void
step_erase(struct model *m)
{
    struct fixture *f = m->f;
    struct lf_ulid id = {{0}};

    id.bytes[0] = (uint8_t)(1 + below(m, SCORES - 1));
    OK(erase_deliveries(f, id));
    for (int64_t i = 1; i <= m->count; i++)
        if (m->rows[i].score == id.bytes[0] && !m->rows[i].gone) {
            m->rows[i].state = LF_DELIVERY_ERASED;
            m->rows[i].due_ms = 0;
        }
}

static void
step_prune(struct model *m)
{
    struct fixture *f = m->f;
    int64_t before_ms = NOW_MS + below(m, MODEL_MAX), keep = below(m, MODEL_MAX / SUBSCRIPTIONS);
    bool more = true;

    for (int slices = 0; more; slices++) {
        assert_true(slices <= MODEL_MAX);
        OK(lf_store_prune_deliveries(f->store, before_ms, (size_t)keep, 5, &more, &f->error));
    }
    for (int s = 0; s < SUBSCRIPTIONS; s++) {
        int64_t newer = 0;

        for (int64_t i = m->count; i > 0; i--) {
            struct row *row = &m->rows[i];

            if (row->subscription_id != m->ids[s] || row->gone)
                continue;
            if (!waits(row) && (row->at_ms < before_ms || newer >= keep))
                row->gone = true;
            newer++;
        }
    }
}

/* Of each subscription: all, those that wait, those that are due, how many wait and since when. */
static void
assert_same(struct model *m)
{
    struct fixture *f = m->f;

    for (int s = 0; s < SUBSCRIPTIONS; s++) {
        struct lf_stored_delivery *found = NULL;
        size_t count = 0, at = 0;
        int64_t waiting = 0, oldest_ms = 0, pending = 0;

        OK(lf_store_deliveries(f->reader, f->arena, m->ids[s], LF_DELIVERIES_NEWEST, 0, SIZE_MAX, &found, &count,
                               &f->error));
        for (int64_t i = m->count; i > 0; i--) {
            const struct row *row = &m->rows[i];

            if (row->subscription_id != m->ids[s] || row->gone)
                continue;
            assert_true(at < count);
            assert_int_equal(found[at].id, i);
            assert_int_equal(found[at].state, row->state);
            assert_int_equal(found[at].due_ms, row->due_ms);
            assert_int_equal(found[at].data_len == 0, row->state == LF_DELIVERY_ERASED);
            at++;
            if (!waits(row))
                continue;
            waiting++;
            oldest_ms = row->at_ms;
            pending += row->state == LF_DELIVERY_PENDING;
        }
        assert_int_equal(at, count);
        assert_outbox(f, m->ids[s], waiting, oldest_ms);
        OK(lf_store_deliveries(f->reader, f->arena, m->ids[s], LF_DELIVERIES_PENDING, 0, SIZE_MAX, &found, &count,
                               &f->error));
        assert_int_equal(count, pending);
        for (size_t i = 0; i < count; i++)
            assert_true(found[i].state == LF_DELIVERY_PENDING && (i == 0 || found[i].id > found[i - 1].id));
        OK(lf_store_deliveries(f->reader, f->arena, m->ids[s], LF_DELIVERIES_DUE, INT64_MAX, SIZE_MAX, &found, &count,
                               &f->error));
        assert_int_equal(count, waiting - pending);
        for (size_t i = 1; i < count; i++)
            assert_true(found[i].due_ms > found[i - 1].due_ms ||
                        (found[i].due_ms == found[i - 1].due_ms && found[i].id > found[i - 1].id));
    }
    lf_arena_reset(f->arena);
}

static void
test_model(void **state)
{
    static void (*const STEPS_OF[])(struct model * m) = {step_put,   step_put,     step_put,   step_note, step_note,
                                                         step_retry, step_give_up, step_erase, step_prune};
    static const char *const KEYS[SUBSCRIPTIONS] = {"a", "b", "c"};
    struct model *m = calloc(1, sizeof *m);

    assert_non_null(m);
    m->f = *state;
    m->random = 20260528;
    for (int i = 0; i < SUBSCRIPTIONS; i++)
        m->ids[i] = put_subscription(m->f, KEYS[i]);
    step_put(m);
    for (int step = 0; step < STEPS; step++) {
        /* Giving up, erasing and sweeping come seldom, so that something is there. */
        int which = (int)below(m, below(m, 10) == 0 ? 9 : 6);

        STEPS_OF[which](m);
        if (step % 10 == 0 || which > 5)
            assert_same(m);
    }
    assert_int_equal(m->count, MODEL_MAX);
    assert_int_equal(check(m->f, false, NULL), 0);
    free(m);
}

static int
group_setup(void **state)
{
    (void)state;
    lf_json_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_put_and_read),
        STORE_TEST(test_orders),
        STORE_TEST(test_plans),
        STORE_TEST(test_note),
        STORE_TEST(test_note_subscription),
        STORE_TEST(test_attempts_kept),
        STORE_TEST(test_attempts_spoilt),
        STORE_TEST(test_retry),
        STORE_TEST(test_give_up),
        STORE_TEST(test_erase),
        STORE_TEST(test_erase_leaves_no_trace),
        STORE_TEST(test_prune_by_time),
        STORE_TEST(test_prune_by_count),
        STORE_TEST(test_prune_deleted),
        STORE_TEST(test_model),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
