/* test_store_rollups.c - what scores add up to, in the commit that records them; how far it has come; and holding what
 * is read. */
#include "store_fixture.h"

/* ---- helpers ---- */

static struct lf_stored_rollup
rollup(int64_t version_id, enum lf_rollup_kind kind, enum lf_rollup_span span, int64_t start_hour, const char *body)
{
    return (struct lf_stored_rollup){.version_id = version_id,
                                     .kind = kind,
                                     .span = span,
                                     .start_hour = start_hour,
                                     .body = body,
                                     .body_len = strlen(body)};
}

/* Records one score of two bytes, with roll-ups. */
static enum lf_status
append_with(struct fixture *f, const struct lf_stored_rollup *rollups, size_t count, struct lf_ulid *ret_id)
{
    struct lf_stored_score score = {.lead_id = "", .body = "xy", .body_len = 2};
    const struct lf_stored_score *scores[] = {&score};

    assert_true(lf_ulid_next(&f->mint, 1700000000000, &score.id));
    if (ret_id != NULL)
        *ret_id = score.id;
    return lf_store_append_scores(f->store, scores, 1, rollups, count, NULL, &f->error);
}

struct joined {
    char text[512];
    size_t count, stop_at; /* 0: never */
    struct fixture *f;     /* records more meanwhile; NULL: not */
};

static enum lf_status
join(void *context, const struct lf_stored_rollup *found)
{
    struct joined *joined = context;
    size_t len = strlen(joined->text);

    (void)snprintf(joined->text + len, sizeof joined->text - len, "%" PRId64 ":%.*s ", found->start_hour,
                   (int)found->body_len, (const char *)found->body);
    if (joined->f != NULL && joined->count == 0) {
        struct fixture *f = joined->f;
        struct lf_stored_rollup more = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, INT64_C(1) << 40, "late");

        OK(append_with(f, &more, 1, NULL));
    }
    return ++joined->count == joined->stop_at ? LF_CONFLICT : LF_OK;
}

/* Roll-ups of version 1, told as "hour:body ". */
static const char *
tell(struct fixture *f, int64_t version_id, enum lf_rollup_kind kind, enum lf_rollup_span span, int64_t from,
     int64_t to)
{
    struct joined joined = {.count = 0};

    OK(lf_store_each_rollup(f->reader, version_id, kind, span, from, to, join, &joined, &f->error));
    return lf_arena_copy(f->arena, joined.text, strlen(joined.text));
}

static const char *
tell_hours(struct fixture *f)
{
    return tell(f, 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, INT64_MIN, INT64_MAX);
}

/* ---- roll-ups ---- */

static void
test_each_in_its_place(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_rollup rows[] = {
        rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 12, "b"),     rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 11, "a"),
        rollup(1, LF_ROLLUP_TALLY, LF_SPAN_DAY, 0, "day"),     rollup(1, LF_ROLLUP_TALLY, LF_SPAN_MONTH, 0, "month"),
        rollup(1, LF_ROLLUP_TALLY, LF_SPAN_BASELINE, 0, "bl"), rollup(2, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 11, "two"),
        rollup(1, LF_ROLLUP_WINS, LF_SPAN_HOUR, 11, "wins"),   rollup(1, LF_ROLLUP_ICP_WINS, LF_SPAN_HOUR, 11, "icp"),
        rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, -5, "old"),   rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 400000, ""),
    };
    static const struct {
        const char *what;
        int64_t version_id;
        enum lf_rollup_kind kind;
        enum lf_rollup_span span;
        int64_t from, to;
        const char *expected;
    } ROWS[] = {
        {"all hours, in their order", 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, INT64_MIN, INT64_MAX,
         "-5:old 11:a 12:b 400000: "},
        {"from is within", 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 12, 400001, "12:b 400000: "},
        {"to is not", 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 11, 12, "11:a "},
        {"nothing", 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 12, 12, ""},
        {"the wrong way round", 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 400000, 11, ""},
        {"days are not hours", 1, LF_ROLLUP_TALLY, LF_SPAN_DAY, INT64_MIN, INT64_MAX, "0:day "},
        {"nor months", 1, LF_ROLLUP_TALLY, LF_SPAN_MONTH, INT64_MIN, INT64_MAX, "0:month "},
        {"the baseline", 1, LF_ROLLUP_TALLY, LF_SPAN_BASELINE, 0, 1, "0:bl "},
        {"another version", 2, LF_ROLLUP_TALLY, LF_SPAN_HOUR, INT64_MIN, INT64_MAX, "11:two "},
        {"another kind", 1, LF_ROLLUP_WINS, LF_SPAN_HOUR, INT64_MIN, INT64_MAX, "11:wins "},
        {"the third kind", 1, LF_ROLLUP_ICP_WINS, LF_SPAN_HOUR, INT64_MIN, INT64_MAX, "11:icp "},
        {"one without any", 2, LF_ROLLUP_WINS, LF_SPAN_HOUR, INT64_MIN, INT64_MAX, ""},
        {"a version that is not there", 99, LF_ROLLUP_TALLY, LF_SPAN_HOUR, INT64_MIN, INT64_MAX, ""},
    };

    publish(f, "maker", "{}", 1, 1, 1);
    publish(f, "bank", "{}", 2, 1, 1);
    OK(append_with(f, rows, sizeof rows / sizeof *rows, NULL));
    for (int round = 0; round < 2; round++) {
        for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
            print_message("%s\n", ROWS[row].what);
            assert_string_equal(
                tell(f, ROWS[row].version_id, ROWS[row].kind, ROWS[row].span, ROWS[row].from, ROWS[row].to),
                ROWS[row].expected);
        }
        close_store(f);
        open_store(f);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* Each verb that writes puts them, in place of what there was. */
static void
test_put_in_place(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_rollup first[] = {rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "one"),
                                       rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 2, "two")};
    struct lf_stored_rollup second = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "longer than one was");
    struct lf_stored_rollup third = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 2, "");
    struct lf_stored_rollup twice[] = {rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "first"),
                                       rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "last")};
    struct lf_stored_outcome outcome = {
        .lead_id = "l", .lead_id_len = 1, .outcome = LF_OUTCOME_WON, .value = 1, .at_ms = 1};

    publish(f, "maker", "{}", 1, 1, 1);
    OK(append_with(f, first, 2, NULL));
    assert_string_equal(tell_hours(f), "1:one 2:two ");
    OK(lf_store_append_scores(f->store, NULL, 0, &second, 1, NULL, &f->error)); /* without scores */
    assert_string_equal(tell_hours(f), "1:longer than one was 2:two ");
    OK(lf_store_settle(f->store, NULL, 0, &third, 1, 0, 0, &f->error));
    assert_string_equal(tell_hours(f), "1:longer than one was 2: ");
    OK(lf_store_put_outcomes(f->store, &outcome, 1, twice, 2, &f->error));
    assert_string_equal(tell_hours(f), "1:last 2: ");
    OK(lf_store_put_outcomes(f->store, NULL, 0, first, 1, &f->error));
    assert_string_equal(tell_hours(f), "1:one 2: ");
    assert_int_equal(count_scores(f), 1);
}

static void
test_large_body(void **state)
{
    enum { SIZE = 300 * 1000 };
    struct fixture *f = *state;
    char *body = malloc(SIZE + 1);
    struct lf_stored_rollup large;

    assert_non_null(body);
    memset(body, 'x', SIZE);
    body[SIZE] = '\0';
    large = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 7, body);
    publish(f, "maker", "{}", 1, 1, 1);
    for (size_t size = SIZE; size > 1; size /= 3) { /* it shrinks, and grows again */
        struct joined joined = {.count = 0};

        large.body_len = size;
        OK(append_with(f, &large, 1, NULL));
        OK(lf_store_each_rollup(f->reader, 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 0, 9, join, &joined, &f->error));
        assert_int_equal(joined.count, 1);
    }
    large.body_len = SIZE;
    OK(append_with(f, &large, 1, NULL));
    assert_int_equal(check(f, false, NULL), 0);
    free(body);
}

/* What cannot be put takes the whole commit with it. */
static void
test_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_rollup rows[] = {rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "new"),
                                      rollup(77, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "of no version")};
    struct lf_stored_outcome outcome = {
        .lead_id = "l", .lead_id_len = 1, .outcome = LF_OUTCOME_WON, .value = 1, .at_ms = 1};
    struct lf_stored_outcome stored;
    struct lf_store_progress progress;
    struct lf_ulid id;
    struct lf_stored_score score;
    bool found = true;

    publish(f, "maker", "{}", 1, 1, 1);
    OK(append(f, 3, 10, NULL));
    FAILS(append_with(f, rows, 2, &id), LF_INTERNAL);
    FAILS(lf_store_score(f->reader, f->arena, id, &score, &f->error), LF_SCORE_NOT_FOUND);
    FAILS(lf_store_settle(f->store, NULL, 0, rows, 2, 1, 1, &f->error), LF_INTERNAL);
    FAILS(lf_store_put_outcomes(f->store, &outcome, 1, rows, 2, &f->error), LF_INTERNAL);
    assert_string_equal(tell_hours(f), "");
    OK(lf_store_outcome(f->reader, "l", 1, &found, &stored, &f->error));
    assert_false(found);
    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.settled_block, 0);
    OK(append_with(f, rows, 1, &id)); /* and it goes on where it was */
    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.last_block, 2);
    assert_int_equal(count_scores(f), 4);
    assert_string_equal(tell_hours(f), "1:new ");
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_walk(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_rollup rows[] = {rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "a"),
                                      rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 2, "b"),
                                      rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 3, "c")};
    struct joined stopped = {.stop_at = 2}, beside = {.f = f};

    publish(f, "maker", "{}", 1, 1, 1);
    OK(append_with(f, rows, 3, NULL));
    assert_int_equal(lf_store_each_rollup(f->reader, 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 0, 9, join, &stopped, &f->error),
                     LF_CONFLICT);
    assert_string_equal(stopped.text, "1:a 2:b ");
    assert_string_equal(tell_hours(f), "1:a 2:b 3:c "); /* and the next begins at the beginning */
    OK(lf_store_each_rollup(f->reader, 1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 0, INT64_MAX, join, &beside, &f->error));
    assert_string_equal(beside.text, "1:a 2:b 3:c "); /* as it was when it began */
    assert_non_null(strstr(tell_hours(f), "late"));
}

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    char *body = malloc(100001);
    struct lf_stored_rollup small, large;

    assert_non_null(body);
    memset(body, 'x', 100000);
    body[100000] = '\0';
    small = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "small");
    large = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, body);
    publish(f, "maker", "{}", 1, 1, 1);
    OK(append_with(f, &small, 1, NULL));
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(append_with(f, &large, 1, NULL), LF_STORAGE_FULL);
    FAILS(lf_store_settle(f->store, NULL, 0, &large, 1, 1, 0, &f->error), LF_STORAGE_FULL);
    FAILS(lf_store_put_outcomes(f->store, NULL, 0, &large, 1, &f->error), LF_STORAGE_FULL);
    assert_int_equal(count_scores(f), 1);
    assert_string_equal(tell_hours(f), "1:small ");
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(append_with(f, &large, 1, NULL)); /* it goes on by itself */
    assert_int_equal(count_scores(f), 2);
    assert_int_equal(check(f, false, NULL), 0);
    free(body);
}

/* ---- blocks ---- */

static void
test_blocks_are_told(void **state)
{
    enum { COUNT = 40 };
    static char body[50 * 1000]; /* five to a block */
    struct fixture *f = *state;
    struct lf_stored_score scores[COUNT], one;
    const struct lf_stored_score *pointers[COUNT];
    int64_t blocks[COUNT], last = 0;
    struct lf_store_progress progress;

    for (size_t i = 0; i < COUNT; i++) {
        scores[i] = (struct lf_stored_score){.lead_id = "", .body = body, .body_len = sizeof body};
        assert_true(lf_ulid_next(&f->mint, 1700000000000, &scores[i].id));
        pointers[i] = &scores[i];
    }
    OK(lf_store_append_scores(f->store, pointers, 1, NULL, 0, blocks, &f->error));
    assert_int_equal(blocks[0], 1);
    OK(lf_store_append_scores(f->store, pointers + 1, COUNT - 1, NULL, 0, blocks + 1, &f->error));
    for (size_t i = 0; i < COUNT; i++) {
        struct lf_block_reader reader;
        sqlite3_stmt *statement = NULL;
        struct lf_connection *connection = &((struct lf_sqlite_reader *)f->reader)->connection;
        bool row = false, found = false;

        assert_in_range(blocks[i], last, last + 1);
        last = blocks[i];
        OK(lf_sqlite_get(connection, LF_SQL_BLOCK, &statement, &f->error));
        assert_int_equal(sqlite3_bind_int64(statement, 1, blocks[i]), SQLITE_OK);
        OK(lf_sqlite_step(connection, statement, &row, &f->error));
        assert_true(row);
        assert_true(lf_block_reader_init(&reader, sqlite3_column_blob(statement, 0),
                                         (size_t)sqlite3_column_bytes(statement, 0)));
        while (lf_block_next(&reader, &one))
            found = found || memcmp(one.id.bytes, scores[i].id.bytes, LF_ULID_SIZE) == 0;
        assert_true(found);
        (void)sqlite3_reset(statement);
    }
    assert_true(last > 6);
    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.last_block, last);
}

/* Where blocks were taken away, all of them even, no id comes again: what is settled goes by ids. */
static void
test_block_ids_never_come_back(void **state)
{
    static const struct {
        const char *what, *sql;
        int64_t next;
    } ROWS[] = {
        {"the oldest are gone", "DELETE FROM score_block WHERE id < 5", 6},
        {"all that is settled is gone", "DELETE FROM score_block", 6},
    };
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_store_progress progress;
        char command[2 * PATH_SIZE];

        print_message("%s\n", ROWS[row].what);
        for (int i = 0; i < 5; i++)
            OK(append(f, 3, 10, NULL));
        OK(lf_store_settle(f->store, NULL, 0, NULL, 0, 5, 0, &f->error));
        run_sql(f->path, ROWS[row].sql);
        for (int reopened = 0; reopened < 2; reopened++) {
            close_store(f);
            open_store(f);
            OK(append(f, 1, 10, NULL));
            OK(lf_store_progress(f->reader, &progress, &f->error));
            assert_int_equal(progress.last_block, ROWS[row].next + reopened);
        }
        close_store(f);
        (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
        assert_int_equal(system(command), 0);
        open_store(f);
    }
}

/* ---- how far it has come ---- */

static void
assert_progress(struct fixture *f, int64_t settled, int64_t rolled, int64_t last)
{
    struct lf_store_progress progress;

    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.settled_block, settled);
    assert_int_equal(progress.rolled_block, rolled);
    assert_int_equal(progress.last_block, last);
    assert_int_equal(progress.due_block, 0);
    assert_int_equal(progress.pruned_ms, 0);
}

static void
test_progress(void **state)
{
    static const struct {
        const char *what;
        int64_t settled, rolled, settled_then, rolled_then;
    } ROWS[] = {
        {"nothing is said", 0, 0, 0, 0},  {"one goes on", 2, 0, 2, 0},
        {"the other", 0, 1, 2, 1},        {"both", 3, 3, 3, 3},
        {"none goes back", 1, 2, 3, 3},   {"nor ends", 0, 0, 3, 3},
        {"one back, one on", 2, 4, 3, 4}, {"far on", 1000, 1000, 1000, 1000},
    };
    struct fixture *f = *state;

    assert_progress(f, 0, 0, 0);
    OK(append(f, 3, 10, NULL));
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        print_message("%s\n", ROWS[row].what);
        OK(lf_store_settle(f->store, NULL, 0, NULL, 0, ROWS[row].settled, ROWS[row].rolled, &f->error));
        assert_progress(f, ROWS[row].settled_then, ROWS[row].rolled_then, 1);
        close_store(f);
        open_store(f);
        assert_progress(f, ROWS[row].settled_then, ROWS[row].rolled_then, 1);
    }
    run_sql(f->path, "DELETE FROM meta WHERE name = 'due_block'");
    FAILS(lf_store_progress(f->reader, &(struct lf_store_progress){.last_block = 0}, &f->error), LF_STORAGE_CORRUPT);
    assert_non_null(strstr(f->error.detail, "due_block"));
}

static void
test_hash_key(void **state)
{
    static const uint8_t ZEROS[LF_SHA256_SIZE];
    struct fixture *f = *state;
    uint8_t key[LF_SHA256_SIZE], again[LF_SHA256_SIZE];
    char command[2 * PATH_SIZE];

    OK(lf_store_hash_key(f->reader, key, &f->error));
    assert_memory_not_equal(key, ZEROS, sizeof key);
    close_store(f);
    open_store(f);
    OK(lf_store_hash_key(f->reader, again, &f->error));
    assert_memory_equal(key, again, sizeof key);
    run_sql(f->path, "UPDATE secret SET value = x'00'");
    FAILS(lf_store_hash_key(f->reader, again, &f->error), LF_STORAGE_CORRUPT);
    run_sql(f->path, "DELETE FROM secret");
    FAILS(lf_store_hash_key(f->reader, again, &f->error), LF_STORAGE_CORRUPT);
    assert_memory_equal(key, again, sizeof key);
    close_store(f);
    (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
    assert_int_equal(system(command), 0);
    open_store(f);
    OK(lf_store_hash_key(f->reader, again, &f->error));
    assert_memory_not_equal(key, again, sizeof key); /* each database has its own */
}

/* ---- holding ---- */

static void
settle_one(struct fixture *f, const char *lead_id, int64_t block, const char *body)
{
    struct lf_stored_lead_score score = {
        .icp_id = 1, .version_id = 1, .latest = true, .score = 5000, .grade = "A", .label = "A1", .result = ""};
    struct lf_settled_lead lead = {.lead_id = lead_id,
                                   .lead_id_len = strlen(lead_id),
                                   .scores = &score,
                                   .score_count = 1,
                                   .blocks = &block,
                                   .block_count = 1};
    struct lf_stored_rollup row = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, body);

    assert_true(lf_ulid_next(&f->mint, 1700000000000, &score.score_id));
    OK(lf_store_settle(f->store, &lead, 1, &row, 1, block, 0, &f->error));
}

/* What is seen through the reader, as one text. */
static const char *
see(struct fixture *f)
{
    struct lf_lead_query query = {.qualified = -1, .limit = 10};
    struct lf_listed_lead *leads = NULL;
    struct lf_stored_lead lead;
    struct lf_store_progress progress;
    struct lf_stored_outcome outcome;
    struct lf_stored_icp icp;
    struct lf_ulid id;
    int64_t scores = 0;
    size_t count = 0;
    bool known = false, said = false;
    enum lf_status status = LF_OK;

    OK(lf_store_knows_lead(f->reader, "b", 1, 1, &known, &f->error));
    OK(lf_store_leads(f->reader, f->arena, &query, &leads, &count, &f->error));
    OK(lf_store_progress(f->reader, &progress, &f->error));
    OK(lf_store_outcome(f->reader, "a", 1, &said, &outcome, &f->error));
    OK(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error));
    OK(lf_store_last_score(f->reader, &id, &scores, &f->error));
    status = lf_store_lead(f->reader, f->arena, "b", 1, &lead, &f->error);
    assert_true(status == LF_OK || status == LF_LEAD_NOT_FOUND);
    return lf_arena_printf(f->arena, "%s%zu leads, %s, %s, %s, %" PRId64 " scores, settled %" PRId64 ", version %d",
                           tell_hours(f), count, known ? "known" : "unknown", status == LF_OK ? "found" : "not found",
                           said ? "won" : "open", scores, progress.settled_block, icp.active_version);
}

static void
test_hold(void **state)
{
    static const char BEFORE[] = "1:one 1 leads, unknown, not found, open, 1 scores, settled 1, version 1",
                      AFTER[] = "1:two 2 leads, known, found, won, 2 scores, settled 2, version 2";
    struct lf_stored_outcome outcome = {
        .lead_id = "a", .lead_id_len = 1, .outcome = LF_OUTCOME_WON, .value = 1, .at_ms = 1};
    struct fixture *f = *state;
    struct lf_ulid id;
    struct lf_stored_score score;

    publish(f, "maker", "{\"v\":1}", 1, 1, 1);
    OK(append(f, 1, 10, NULL));
    settle_one(f, "a", 1, "one");
    OK(lf_store_hold(f->reader, &f->error));
    assert_string_equal(see(f), BEFORE);
    OK(append(f, 1, 10, &id));
    settle_one(f, "b", 2, "two");
    OK(lf_store_put_outcomes(f->store, &outcome, 1, NULL, 0, &f->error));
    publish(f, "maker", "{\"v\":2}", 2, 1, 2);
    for (int i = 0; i < 3; i++)
        assert_string_equal(see(f), BEFORE); /* from one call to the next */
    FAILS(lf_store_hold(f->reader, &f->error), LF_INTERNAL);
    assert_string_equal(see(f), BEFORE); /* that changed nothing */
    lf_store_let_go(f->reader);
    assert_string_equal(see(f), AFTER);
    lf_store_let_go(f->reader); /* once more does no harm */
    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error));
    OK(lf_store_hold(f->reader, &f->error)); /* and again */
    assert_string_equal(see(f), AFTER);
    lf_store_let_go(f->reader);
    assert_int_equal(check(f, false, NULL), 0);
}

/* A failure on the way leaves it held, and a reader may be closed as it is. */
static void
test_hold_through_failures(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_icp icp;
    struct lf_stored_lead lead;
    struct lf_ulid id;
    int64_t count = 0;

    publish(f, "maker", "{}", 1, 1, 1);
    OK(append(f, 1, 10, NULL));
    OK(lf_store_hold(f->reader, &f->error));
    OK(lf_store_last_score(f->reader, &id, &count, &f->error));
    FAILS(lf_store_icp(f->reader, f->arena, "nobody", &icp, &f->error), LF_ICP_NOT_FOUND);
    FAILS(lf_store_lead(f->reader, f->arena, "x", 1, &lead, &f->error), LF_LEAD_NOT_FOUND);
    OK(append(f, 1, 10, NULL));
    assert_int_equal(count_scores(f), 1);
    lf_store_reader_close(f->reader);
    OK(lf_store_reader_open(f->store, &f->reader, &f->error));
    assert_int_equal(count_scores(f), 2);
    OK(lf_store_checkpoint(f->store, true, &f->error)); /* nobody holds it any more */
}

/* ---- versions know their ICP; checks ---- */

static void
test_icp_of_a_version(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_version version, *versions = NULL;
    size_t count = 0;

    publish(f, "maker", "{\"v\":1}", 1, 1, 1);
    publish(f, "bank", "{}", 2, 1, 1);
    publish(f, "maker", "{\"v\":2}", 3, 1, 2);
    OK(lf_store_version(f->reader, f->arena, "maker", 2, &version, &f->error));
    assert_int_equal(version.icp_id, 1);
    OK(lf_store_version(f->reader, f->arena, "bank", 1, &version, &f->error));
    assert_int_equal(version.icp_id, 2);
    OK(lf_store_version_by_id(f->reader, f->arena, 3, &version, &f->error));
    assert_int_equal(version.icp_id, 1);
    OK(lf_store_versions(f->reader, f->arena, "maker", &versions, &count, &f->error));
    assert_int_equal(count, 2);
    assert_int_equal(versions[1].icp_id, 1);
    OK(lf_store_active_versions(f->reader, f->arena, &versions, &count, &f->error));
    assert_int_equal(count, 2);
    assert_int_equal(versions[0].icp_id, 2); /* bank comes first */
    assert_int_equal(versions[1].icp_id, 1);
}

static void
test_check_finds(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_rollup row = rollup(1, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 1, "one");
    const char *code = NULL;

    publish(f, "maker", "{}", 1, 1, 1);
    OK(append_with(f, &row, 1, NULL));
    assert_int_equal(check(f, false, NULL), 0);
    run_sql(f->path, "PRAGMA foreign_keys = OFF; UPDATE rollup SET version_id = 9");
    assert_int_equal(check(f, false, &code), 1);
    assert_string_equal(code, "broken_reference");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_each_in_its_place),
        TEST(test_put_in_place),
        TEST(test_large_body),
        TEST(test_all_or_nothing),
        TEST(test_walk),
        TEST(test_full),
        TEST(test_blocks_are_told),
        TEST(test_block_ids_never_come_back),
        TEST(test_progress),
        TEST(test_hash_key),
        TEST(test_hold),
        TEST(test_hold_through_failures),
        TEST(test_icp_of_a_version),
        TEST(test_check_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
