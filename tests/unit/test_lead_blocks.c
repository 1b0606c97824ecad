/* test_lead_blocks.c - which blocks hold a lead's scores: their coding, and rows of them in whatever order they come.
 */
#include "store/sqlite/lead_blocks.h"

#include "store_fixture.h"

enum { MAX_BLOCKS = 3000 };

/* ---- coding ---- */

static void
test_coding(void **state)
{
    static const int64_t SETS[][6] = {
        {1}, {127, 128}, {1, 2, 3, 4, 5}, {16383, 16384, 16385}, {INT64_MAX}, {1, INT64_MAX}, {1, INT64_C(1) << 62},
    };
    static const struct {
        const char *what, *bytes;
        size_t len, before; /* ids that are read all the same */
    } BROKEN[] = {
        {"a difference of nothing", "\x01\x00", 2, 1},
        {"nothing from the beginning", "\x00", 1, 0},
        {"cut off", "\x01\x80", 2, 1},
        {"cut off after much", "\x01\xff\xff\xff\xff\xff\xff\xff\xff", 9, 1},
        {"more than 63 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, 0},
        {"beyond the greatest", "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01", 10, 1},
        {"zeros in a long form", "\x80\x80\x00", 3, 0},
    };
    struct lf_lead_blocks_reader reader;
    struct lf_buf buf;
    int64_t id = 0;

    (void)state;
    lf_buf_init(&buf, NULL, 1000);
    for (size_t s = 0; s < sizeof SETS / sizeof *SETS; s++) {
        size_t count = 0;

        buf.len = 0;
        for (; count < 6 && SETS[s][count] != 0; count++)
            lf_lead_blocks_add(&buf, count == 0 ? 0 : SETS[s][count - 1], SETS[s][count]);
        lf_lead_blocks_reader_init(&reader, buf.data, buf.len);
        for (size_t i = 0; i < count; i++) {
            assert_true(lf_lead_blocks_next(&reader, &id));
            assert_true(id == SETS[s][i]);
        }
        assert_false(lf_lead_blocks_next(&reader, &id));
        assert_false(reader.damaged);
    }
    lf_buf_finish(&buf);
    for (size_t row = 0; row < sizeof BROKEN / sizeof *BROKEN; row++) {
        size_t count = 0;

        print_message("%s\n", BROKEN[row].what);
        lf_lead_blocks_reader_init(&reader, BROKEN[row].bytes, BROKEN[row].len);
        while (lf_lead_blocks_next(&reader, &id))
            count++;
        assert_true(reader.damaged);
        assert_int_equal(count, BROKEN[row].before);
        assert_false(lf_lead_blocks_next(&reader, &id));
    }
    lf_lead_blocks_reader_init(&reader, "", 0);
    assert_false(lf_lead_blocks_next(&reader, &id));
    assert_false(reader.damaged);
}

/* ---- rows ---- */

static uint32_t
chance(uint64_t *random, uint32_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*random >> 33) % below;
}

/* Settles blocks of the lead "x", and nothing else. */
static enum lf_status
settle_blocks(struct fixture *f, const int64_t *blocks, size_t count)
{
    struct lf_settled_lead lead = {.lead_id = "x", .lead_id_len = 1, .blocks = blocks, .block_count = count};

    return lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error);
}

/* Holds the lead's rows against a set of blocks: each in order, none twice, none overlapping, none too long; returns
 * how many rows there are. */
static size_t
assert_blocks(struct fixture *f, const bool *set, size_t size)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t rows = 0;
    int64_t last = 0;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT first_block, last_block, body FROM lead_blocks WHERE lead = 1"
                                        " ORDER BY first_block",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    for (; sqlite3_step(statement) == SQLITE_ROW; rows++) {
        struct lf_lead_blocks_reader reader;
        int64_t id = 0, first = 0;

        assert_in_range(sqlite3_column_bytes(statement, 2), 1, LF_LEAD_BLOCKS_FULL);
        lf_lead_blocks_reader_init(&reader, sqlite3_column_blob(statement, 2),
                                   (size_t)sqlite3_column_bytes(statement, 2));
        while (lf_lead_blocks_next(&reader, &id)) {
            if (first == 0) {
                first = id;
                assert_int_equal(first, sqlite3_column_int64(statement, 0));
            }
            for (int64_t missing = last + 1; missing < id; missing++)
                assert_false(set[missing]);
            assert_true(id > last && (size_t)id < size && set[id]);
            last = id;
        }
        assert_false(reader.damaged);
        assert_int_equal(last, sqlite3_column_int64(statement, 1));
    }
    for (size_t missing = (size_t)last + 1; missing < size; missing++)
        assert_false(set[missing]);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return rows;
}

/* In the order in which they were recorded, as usual: rows fill up one after the other. */
static void
test_blocks_in_order(void **state)
{
    static bool set[MAX_BLOCKS];
    struct fixture *f = *state;
    int64_t blocks[3];

    memset(set, 0, sizeof set);
    for (int64_t block = 1; block + 2 < MAX_BLOCKS; block += 2) {
        blocks[0] = block; /* known from the second time on */
        blocks[1] = block + 1;
        blocks[2] = block + 2;
        set[block] = set[block + 1] = set[block + 2] = true;
        OK(settle_blocks(f, blocks, 3));
        if (block % 500 == 1)
            (void)assert_blocks(f, set, MAX_BLOCKS);
    }
    assert_in_range(assert_blocks(f, set, MAX_BLOCKS), 3, 4); /* a byte each: some 990 to a row */
}

static void
test_blocks_in_any_order(void **state)
{
    static const struct {
        const char *what;
        int64_t blocks[8]; /* settled together, up to a 0 */
    } ROWS[] = {
        {"the first ones", {10, 20, 30}},
        {"behind", {40}},
        {"known ones", {10, 20, 30, 40}},
        {"the last one", {40}},
        {"known, then new", {30, 40, 50}},
        {"before all", {5}},
        {"between", {15}},
        {"between and behind", {25, 26, 60}},
        {"before, between, behind", {1, 2, 5, 7, 12, 70}},
        {"between known ones", {10, 11, 15}},
        {"all of them", {1, 2, 5, 7, 10, 11, 12, 15}},
        {"the last but one", {69}},
    };
    static bool set[MAX_BLOCKS];
    struct fixture *f = *state;
    uint64_t random = 77;

    memset(set, 0, sizeof set);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        size_t count = 0;

        print_message("%s\n", ROWS[row].what);
        for (; count < 8 && ROWS[row].blocks[count] != 0; count++)
            set[ROWS[row].blocks[count]] = true;
        OK(settle_blocks(f, ROWS[row].blocks, count));
        (void)assert_blocks(f, set, MAX_BLOCKS);
    }
    for (int step = 0; step < 300; step++) {
        int64_t blocks[400], at = 1 + chance(&random, MAX_BLOCKS - 1);
        size_t count = 0, most = 1 + chance(&random, chance(&random, 4) == 0 ? 400 : 5);
        uint32_t stride = 1 + chance(&random, 40);

        for (; count < most && at < MAX_BLOCKS; at += 1 + chance(&random, stride)) {
            set[at] = true;
            blocks[count++] = at;
        }
        OK(settle_blocks(f, blocks, count));
        if (step % 20 == 0)
            (void)assert_blocks(f, set, MAX_BLOCKS);
    }
    (void)assert_blocks(f, set, MAX_BLOCKS);
}

static void
test_damaged_blocks_are_not_written_over(void **state)
{
    static const int64_t FIRST[] = {10, 20}, BETWEEN[] = {15};
    struct fixture *f = *state;

    OK(settle_blocks(f, FIRST, 2));
    run_sql(f->path, "UPDATE lead_blocks SET body = x'80'");
    FAILS(settle_blocks(f, BETWEEN, 1), LF_STORAGE_CORRUPT);
    run_sql(f->path, "UPDATE lead_blocks SET body = zeroblob(100000)");
    FAILS(settle_blocks(f, BETWEEN, 1), LF_STORAGE_CORRUPT);
    run_sql(f->path, "UPDATE lead_blocks SET body = x'0A0A'");
    OK(settle_blocks(f, BETWEEN, 1));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coding),
        TEST(test_blocks_in_order),
        TEST(test_blocks_in_any_order),
        TEST(test_damaged_blocks_are_not_written_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
