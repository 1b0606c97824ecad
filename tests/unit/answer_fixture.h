/*
 * answer_fixture.h - for the tests of answers that are given again: answers that can be told from their number, beside
 * the scores of lead_fixture.h. For one test program a file.
 */
#ifndef LF_TESTS_ANSWER_FIXTURE_H
#define LF_TESTS_ANSWER_FIXTURE_H

#include "lead_fixture.h"

/* ---- answers ---- */

enum { SEALED_MAX = 200 };

static inline void
name_of(size_t number, uint8_t ret_name[LF_SHA256_SIZE])
{
    for (size_t i = 0; i < LF_SHA256_SIZE; i++) /* no two are near each other, as of hashes */
        ret_name[i] = (uint8_t)((number + 1) * 2654435761U >> i % 24);
    memcpy(ret_name + 8, &number, sizeof number);
}

/* What is sealed in an answer can be told from its number. */
static inline size_t
sealed_of(size_t number, char ret_sealed[SEALED_MAX])
{
    size_t len = 1 + number * 37 % (SEALED_MAX - 1);

    for (size_t i = 0; i < len; i++)
        ret_sealed[i] = (char)(number * 11 + i * 7);
    return len;
}

static inline struct lf_stored_answer
make_answer(struct fixture *f, size_t number, int64_t at_ms)
{
    struct lf_stored_answer answer = {.at_ms = at_ms, .http_status = 200 + (int)number % 2};
    char sealed[SEALED_MAX];

    name_of(number, answer.name);
    memset(answer.request, (int)number, sizeof answer.request);
    answer.sealed_len = sealed_of(number, sealed);
    answer.sealed = lf_arena_copy(f->arena, sealed, answer.sealed_len);
    assert_non_null(answer.sealed);
    return answer;
}

static inline enum lf_status
put(struct fixture *f, const struct lf_stored_answer *answers, size_t count)
{
    const struct lf_stored_answer *pointers[64];
    const struct lf_recording recording = {.answers = pointers, .answer_count = count};

    assert_true(count <= sizeof pointers / sizeof *pointers);
    for (size_t i = 0; i < count; i++)
        pointers[i] = &answers[i];
    return lf_store_record(f->store, &recording, &f->error);
}

static inline bool
find(struct fixture *f, size_t number, struct lf_stored_answer *ret_answer)
{
    uint8_t name[LF_SHA256_SIZE];
    bool found = true;

    name_of(number, name);
    OK(lf_store_answer(f->reader, f->arena, name, &found, ret_answer, &f->error));
    return found;
}

static inline void
assert_same(const struct lf_stored_answer *found, const struct lf_stored_answer *expected)
{
    assert_memory_equal(found->name, expected->name, LF_SHA256_SIZE);
    assert_memory_equal(found->request, expected->request, LF_SHA256_SIZE);
    assert_int_equal(found->at_ms, expected->at_ms);
    assert_int_equal(found->http_status, expected->http_status);
    assert_memory_equal(found->first_score.bytes, expected->first_score.bytes, LF_ULID_SIZE);
    assert_memory_equal(found->last_score.bytes, expected->last_score.bytes, LF_ULID_SIZE);
    assert_false(found->erased);
    assert_int_equal(found->sealed_len, expected->sealed_len);
    assert_memory_equal(found->sealed, expected->sealed, expected->sealed_len);
}

static inline struct lf_connection *
writer_of(struct fixture *f)
{
    return &((struct lf_sqlite_store *)f->store)->writer;
}

static inline int64_t
count_answers(struct fixture *f)
{
    int64_t count = -1;

    OK(lf_sqlite_int(writer_of(f), "SELECT count(*) FROM answer", &count, &f->error));
    return count;
}

/* What the model knows of an answer. */
struct kept {
    size_t first, last; /* scores of the model */
};

/* Holds all of them against the model; how many are erased. */
static inline size_t
assert_answers(struct model *m, const struct kept *kept, size_t count)
{
    struct fixture *f = m->f;
    size_t erased = 0;

    for (size_t i = 0; i < count; i++) {
        struct lf_stored_answer found, expected;
        bool gone = m->scores[kept[i].first].pruned, tells = true;

        lf_arena_reset(f->arena);
        expected = make_answer(f, i, (int64_t)i);
        for (size_t s = kept[i].first; s <= kept[i].last; s++)
            tells = tells && !m->scores[s].erased;
        if (find(f, i, &found) != !gone)
            fail_msg("answer %zu is %s", i, gone ? "still there" : "gone");
        if (gone)
            continue;
        assert_int_equal(found.erased, !tells);
        expected.first_score = m->scores[kept[i].first].id;
        expected.last_score = m->scores[kept[i].last].id;
        if (tells) {
            assert_same(&found, &expected);
        } else {
            erased++;
            assert_int_equal(found.sealed_len, 0);
            memset(expected.request, 0, sizeof expected.request); /* nobody can try what was asked */
            assert_memory_equal(found.request, expected.request, LF_SHA256_SIZE);
        }
    }
    return erased;
}

#endif
