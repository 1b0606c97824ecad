/* test_block.c - blocks of recorded scores: what goes in comes out, and nothing damaged does. */
#include "base/hash.h"
#include "store/block.h"
#include "store/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCORES_MAX = 600 };

static struct lf_ulid
ulid(int64_t ms, uint64_t tail)
{
    struct lf_ulid id = {{0}};

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
    for (int i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)(tail >> (8 * (7 - i)));
    return id;
}

static struct lf_stored_score
score(int64_t ms, uint64_t tail, int64_t as_of_ms, const char *lead_id, const char *body)
{
    return (struct lf_stored_score){.id = ulid(ms, tail),
                                    .as_of_ms = as_of_ms,
                                    .lead_id = lead_id,
                                    .lead_id_len = strlen(lead_id),
                                    .body = body,
                                    .body_len = strlen(body)};
}

static void
assert_same(const struct lf_stored_score *a, const struct lf_stored_score *b)
{
    assert_memory_equal(a->id.bytes, b->id.bytes, LF_ULID_SIZE);
    assert_int_equal(a->as_of_ms, b->as_of_ms);
    assert_int_equal(a->lead_id_len, b->lead_id_len);
    assert_memory_equal(a->lead_id, b->lead_id, a->lead_id_len);
    assert_int_equal(a->body_len, b->body_len);
    assert_memory_equal(a->body, b->body, a->body_len);
}

static void
write_block(struct lf_block_writer *writer, const struct lf_stored_score *scores, size_t count)
{
    lf_block_begin(writer);
    for (size_t i = 0; i < count; i++)
        lf_block_add(writer, &scores[i]);
    assert_true(lf_block_end(writer));
}

/* Reads all of it; the number of scores that came before the end or the fault, which *ret_fault names. */
static size_t
read_all(const void *bytes, size_t len, struct lf_stored_score *scores, const char **ret_fault)
{
    struct lf_block_reader reader;
    struct lf_stored_score one;
    size_t count = 0;

    if (lf_block_reader_init(&reader, bytes, len))
        while (lf_block_next(&reader, &one) && count < SCORES_MAX)
            scores[count++] = one;
    *ret_fault = reader.fault;
    return count;
}

static void
test_round_trips(void **state)
{
    static const struct {
        const char *what;
        size_t count;
        struct lf_stored_score scores[4];
    } ROWS[] = {
        {"one empty score", 1, {{.lead_id = "", .body = "", .id = {{0}}}}},
        {"nothing in common",
         2,
         {{.id = {{0x01}}, .lead_id = "", .body = ""}, {.id = {{0xFF}}, .lead_id = "", .body = ""}}},
        {"only the last byte differs",
         2,
         {{.id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1}},
           .lead_id = "a",
           .lead_id_len = 1,
           .body = "x",
           .body_len = 1},
          {.id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 2}},
           .lead_id = "b",
           .lead_id_len = 1,
           .body = "y",
           .body_len = 1}}},
        {"as_of at the ends of time",
         4,
         {{.id = {{0, 1}}, .as_of_ms = INT64_MIN, .lead_id = "", .body = ""},
          {.id = {{0, 2}}, .as_of_ms = INT64_MAX, .lead_id = "", .body = ""},
          {.id = {{0, 3}}, .as_of_ms = -1, .lead_id = "", .body = ""},
          {.id = {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}, .as_of_ms = INT64_MIN, .lead_id = "", .body = ""}}},
        {"NUL bytes within", 1, {{.id = {{1}}, .lead_id = "a\0b", .lead_id_len = 3, .body = "\0\0\0", .body_len = 3}}},
    };
    struct lf_block_writer writer;

    (void)state;
    lf_block_writer_init(&writer);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_stored_score back[SCORES_MAX];
        const char *fault = NULL;

        print_message("%s\n", ROWS[row].what);
        write_block(&writer, ROWS[row].scores, ROWS[row].count);
        assert_int_equal(read_all(writer.buf.data, writer.buf.len, back, &fault), ROWS[row].count);
        assert_null(fault);
        for (size_t i = 0; i < ROWS[row].count; i++)
            assert_same(&back[i], &ROWS[row].scores[i]);
        assert_memory_equal(writer.first.bytes, ROWS[row].scores[0].id.bytes, LF_ULID_SIZE);
        assert_memory_equal(writer.last.bytes, ROWS[row].scores[ROWS[row].count - 1].id.bytes, LF_ULID_SIZE);
        assert_int_equal(writer.count, ROWS[row].count);
    }
    lf_block_writer_finish(&writer);
}

/* Scores of many sizes, so that lengths of one, two and three bytes occur. */
static void
test_many(void **state)
{
    struct lf_stored_score scores[SCORES_MAX], back[SCORES_MAX];
    struct lf_block_writer writer;
    const char *fault = NULL;
    char *text = malloc(20000);
    size_t body_bytes = 0;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 20000);
    for (size_t i = 0; i < SCORES_MAX; i++) {
        scores[i] = score(1700000000000 + (int64_t)(i / 7), i * 1000, 1700000000000, "", "");
        scores[i].body = text;
        scores[i].body_len = i == 300 ? 20000 : i;
        scores[i].lead_id = text;
        scores[i].lead_id_len = i % 200;
        body_bytes += scores[i].body_len + scores[i].lead_id_len;
    }
    lf_block_writer_init(&writer);
    write_block(&writer, scores, SCORES_MAX);
    assert_int_equal(read_all(writer.buf.data, writer.buf.len, back, &fault), SCORES_MAX);
    assert_null(fault);
    for (size_t i = 0; i < SCORES_MAX; i++)
        assert_same(&back[i], &scores[i]);
    assert_in_range(writer.buf.len, body_bytes, body_bytes + SCORES_MAX * 14); /* what a score costs beside its own */
    lf_block_writer_finish(&writer);
    free(text);
}

static void
test_layout_is_pinned(void **state)
{
    /* A block as version 1 has it: what is on people's disks must stay readable for ever. */
    static const uint8_t BLOCK[] = {
        1,    2,    0,    0,    0,                                                /* version, two scores */
        0,    0x01, 0x8B, 0xCF, 0xE5, 0x68, 0x00, 0,   0, 0, 0, 0, 0, 0, 0, 0, 1, /* whole id */
        0,    2,    'l',  '1',  3,    'a',  'b',  'c',                            /* as_of = its time */
        15,   9,                                                                  /* id: last byte alone */
        3,    0,    1,    'z',                                                    /* as_of 2 ms before */
        0xF9, 0x58, 0x71, 0x9C,
    };
    struct lf_stored_score scores[2] = {score(1700000000000, 1, 1700000000000, "l1", "abc"),
                                        score(1700000000000, 9, 1699999999998, "", "z")};
    struct lf_block_writer writer;

    (void)state;
    lf_block_writer_init(&writer);
    write_block(&writer, scores, 2);
    assert_int_equal(writer.buf.len, sizeof BLOCK);
    assert_memory_equal(writer.buf.data, BLOCK, sizeof BLOCK);
    lf_block_writer_finish(&writer);
}

static void
test_damage_is_found(void **state)
{
    struct lf_stored_score scores[3] = {score(1000, 1, 1000, "lead-1", "first body"), score(1000, 2, 900, "", "second"),
                                        score(1001, 1, 1001, "lead-3", "")};
    struct lf_stored_score back[SCORES_MAX];
    struct lf_block_writer writer;
    const char *fault = NULL;

    (void)state;
    lf_block_writer_init(&writer);
    write_block(&writer, scores, 3);
    for (size_t len = 0; len < writer.buf.len; len++) {
        assert_int_equal(read_all(writer.buf.data, len, back, &fault), 0);
        assert_non_null(fault);
    }
    for (size_t bit = 0; bit < writer.buf.len * 8; bit++) {
        writer.buf.data[bit / 8] = (char)(writer.buf.data[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(read_all(writer.buf.data, writer.buf.len, back, &fault), 0);
        assert_non_null(fault);
        writer.buf.data[bit / 8] = (char)(writer.buf.data[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(read_all(writer.buf.data, writer.buf.len, back, &fault), 3);
    lf_block_writer_finish(&writer);
}

/* Blocks that are wrong though their check sum is right: a reader must not rely on it. */
static void
test_wrong_contents(void **state)
{
    static const struct {
        const char *what, *fault;
        size_t len;
        uint8_t bytes[80];
        size_t scores; /* that come before the fault */
    } ROWS[] = {
        {"another version", "its layout is unknown", 5, {2, 1}, 0},
        {"no scores", "it has no scores", 5, {1, 0}, 0},
        {"a score that is not there", "it ends too early", 5, {1, 1}, 0},
        {"half an id", "an id in it is broken", 10, {1, 1, 0, 0, 0, 0, 1, 2, 3, 4}, 0},
        {"a first id that shares", "an id in it is broken", 24, {1, 1, 0, 0, 0, 1}, 0},
        {"an id that shares all", "an id in it is broken", 26, {1, 2, 0, 0, 0, [25] = 16}, 1},
        {"the same id twice", "its ids are out of order", 32, {1, 2, 0, 0, 0, [25] = 15, [26] = 0}, 1},
        {"no length", "a length in it is wrong", 22, {1, 1}, 0},
        {"a lead id longer than the rest", "a length in it is wrong", 25, {1, 1, [23] = 3}, 0},
        {"a body longer than the rest", "a length in it is wrong", 26, {1, 1, [24] = 2}, 0},
        {"a length beyond 64 bits",
         "a length in it is wrong",
         36,
         {1, 1, [23] = 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02},
         0},
        {"a length of 2^63",
         "a length in it is wrong",
         36,
         {1, 1, [23] = 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
         0},
        {"bytes behind the last", "there is more in it than its scores", 27, {1, 1}, 1},
    };

    (void)state;
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_stored_score back[SCORES_MAX];
        const char *fault = NULL;
        size_t len = ROWS[row].len;
        /* Of just this size, so that a sanitizer sees a read beyond it. */
        uint8_t *block = malloc(len + 4);
        uint32_t crc = 0;

        print_message("%s\n", ROWS[row].what);
        assert_non_null(block);
        memcpy(block, ROWS[row].bytes, len);
        crc = lf_block_crc32(block, len);
        for (int i = 0; i < 4; i++)
            block[len + i] = (uint8_t)(crc >> (8 * i));
        assert_int_equal(read_all(block, len + 4, back, &fault), ROWS[row].scores);
        assert_non_null(fault);
        assert_string_equal(fault, ROWS[row].fault);
        free(block);
    }
}

static void
test_room(void **state)
{
    struct lf_stored_score large = score(1, 1, 1, "", ""), small = score(1, 2, 1, "lead", "body");
    struct lf_block_writer writer;
    char *text = calloc(1, LF_SCORE_BODY_MAX);

    (void)state;
    assert_non_null(text);
    large.body = text;
    large.body_len = LF_SCORE_BODY_MAX;
    lf_block_writer_init(&writer);
    lf_block_begin(&writer);
    assert_true(lf_block_has_room(&writer, &large)); /* alone it may be of any size */
    lf_block_add(&writer, &large);
    assert_false(lf_block_has_room(&writer, &small));
    assert_true(lf_block_end(&writer));

    lf_block_begin(&writer); /* the memory of the large one is given back */
    assert_in_range(writer.buf.cap, 1, 2 * LF_BLOCK_FULL);
    lf_block_add(&writer, &small);
    large.id = ulid(2, 1);
    assert_false(lf_block_has_room(&writer, &large));
    small.id = ulid(2, 2);
    assert_true(lf_block_has_room(&writer, &small));
    assert_true(lf_block_end(&writer));
    lf_block_writer_finish(&writer);
    free(text);
}

static void
test_full_block_keeps_its_size(void **state)
{
    struct lf_stored_score one = score(1, 1, INT64_MAX, "lead", "");
    struct lf_block_writer writer;
    char body[1000] = {0};

    (void)state;
    one.body = body;
    one.body_len = sizeof body;
    lf_block_writer_init(&writer);
    lf_block_begin(&writer);
    for (uint64_t i = 1; lf_block_has_room(&writer, &one); i++) {
        one.id = ulid(1, i << 32);
        lf_block_add(&writer, &one);
        one.id = ulid(1, (i + 1) << 32);
    }
    assert_true(lf_block_end(&writer));
    assert_in_range(writer.buf.len, LF_BLOCK_FULL - 2000, LF_BLOCK_FULL);
    lf_block_writer_finish(&writer);
}

static void
test_crc_is_the_usual_one(void **state)
{
    char bytes[300];

    (void)state;
    assert_int_equal(lf_block_crc32("123456789", 9), 0xCBF43926);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 131 + 7);
    for (size_t begin = 0; begin < 9; begin++)
        for (size_t len = 0; len + begin <= sizeof bytes; len++)
            assert_int_equal(lf_block_crc32(bytes + begin, len), lf_crc32(0, bytes + begin, len));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_layout_is_pinned),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test(test_wrong_contents),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_full_block_keeps_its_size),
        cmocka_unit_test(test_crc_is_the_usual_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
