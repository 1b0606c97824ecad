/*
 * test_store_traces.c - whoever was erased is not to be found in the bytes of the database, its log, or a backup; and
 * what sees to that (store/sqlite/scrub.h) damages nothing.
 */
#include "lead_fixture.h"

#include "store/sqlite/scrub.h"

/* ---- a crowd ---- */

/* Leads whose ids, values and answers say their number again and again ("L00042.L00042.", "V00042.V00042.",
 * "S00042.S00042."): whatever is left of one, if it is a dozen bytes, tells whose it is. Real answers are sealed. */
enum { CROWD = 4000, VICTIMS = 900, TOKEN = 7, ANSWERS_MAX = 200, SEALED_MAX = 30000 };

static size_t
crowd_text(char kind, int number, char *text, size_t size)
{
    char token[16];

    (void)snprintf(token, sizeof token, "%c%05d.", kind, number);
    for (size_t i = 0; i < size; i++)
        text[i] = token[i % TOKEN];
    return size;
}

static const char *
crowd_id(int number, size_t *ret_len)
{
    static char ids[CROWD][200];
    static size_t lens[CROWD];

    if (lens[number] == 0) {
        lens[number] = number % 7 == 0 ? 200 : (size_t)(2 * TOKEN + number * 31 % 180);
        (void)crowd_text('L', number, ids[number], lens[number]);
    }
    *ret_len = lens[number];
    return ids[number];
}

/* Answers about some of the leads, each of a few of them one after the other; how many. */
static size_t
answer_crowd(struct model *m, const int *numbers, const struct lf_stored_score *scores, size_t count,
             struct lf_stored_answer *answers)
{
    size_t made = 0;

    for (size_t at = 0, leads = 0; at < count; at += leads) {
        struct lf_stored_answer *answer = &answers[made];
        size_t size = chance(m, 20) == 0 ? SEALED_MAX : 100 + chance(m, 2000);
        char *sealed = NULL;

        leads = 1 + chance(m, 4);
        leads = at + leads < count ? leads : count - at;
        if (chance(m, 3) == 0 || made == ANSWERS_MAX)
            continue;
        sealed = malloc(leads * size);
        assert_non_null(sealed);
        for (size_t i = 0; i < leads; i++)
            (void)crowd_text('S', numbers[at + i], sealed + i * size, size);
        *answer = (struct lf_stored_answer){.at_ms = m->now_ms, .sealed = sealed, .sealed_len = leads * size};
        for (size_t i = 0; i < LF_SHA256_SIZE; i++)
            answer->name[i] = (uint8_t)chance(m, 256);
        if (chance(m, 10) == 0) /* in place of one that has expired */
            memset(answer->name, (int)chance(m, 8), LF_SHA256_SIZE);
        answer->first_score = scores[at].id;
        answer->last_score = scores[at + leads - 1].id;
        made++;
    }
    return made;
}

static void
record_crowd(struct model *m, const int *numbers, size_t count, size_t size, int64_t *ret_blocks)
{
    struct fixture *f = m->f;
    struct lf_stored_answer answers[ANSWERS_MAX];
    const struct lf_stored_answer *told[ANSWERS_MAX];
    struct lf_recording recording = {.count = count, .answers = told, .ret_blocks = ret_blocks};
    struct lf_stored_score *scores = calloc(count, sizeof *scores);
    const struct lf_stored_score **pointers = calloc(count, sizeof(struct lf_stored_score *));
    char *bodies = malloc(count * size);

    assert_true(scores != NULL && pointers != NULL && bodies != NULL);
    for (size_t i = 0; i < count; i++) {
        assert_true(lf_ulid_next(&f->mint, m->now_ms++, &scores[i].id));
        scores[i].body = bodies + i * size;
        scores[i].body_len = crowd_text('V', numbers[i], bodies + i * size, size);
        scores[i].lead_id = crowd_id(numbers[i], &scores[i].lead_id_len);
        pointers[i] = &scores[i];
    }
    recording.scores = pointers;
    recording.answer_count = answer_crowd(m, numbers, scores, count, answers);
    for (size_t i = 0; i < recording.answer_count; i++)
        told[i] = &answers[i];
    OK(lf_store_record(f->store, &recording, &f->error));
    m->last_block = ret_blocks[count - 1];
    for (size_t i = 0; i < recording.answer_count; i++) {
        union {
            const void *sealed;
            void *memory;
        } made = {.sealed = answers[i].sealed};

        free(made.memory);
    }
    free(scores);
    free(pointers);
    free(bodies);
}

static void
settle_crowd(struct model *m, const int *numbers, size_t count, const int64_t *blocks)
{
    struct fixture *f = m->f;
    struct lf_settled_lead *leads = calloc(count, sizeof *leads);
    struct lf_stored_lead_score score = {.icp_id = m->icp_ids[0],
                                         .version_id = m->version_ids[0],
                                         .latest = true,
                                         .grade = "A",
                                         .label = "A1",
                                         .result = "result",
                                         .result_len = 6};

    assert_non_null(leads);
    score.score_id.bytes[0] = 1;
    for (size_t i = 0; i < count; i++) {
        leads[i] = (struct lf_settled_lead){.scores = &score, .score_count = 1, .blocks = &blocks[i], .block_count = 1};
        leads[i].lead_id = crowd_id(numbers[i], &leads[i].lead_id_len);
    }
    OK(lf_store_settle(f->store, leads, count, NULL, 0, m->last_block, 0, &f->error));
    free(leads);
}

static void
win_crowd(struct model *m, int number, int64_t value)
{
    struct fixture *f = m->f;
    struct lf_stored_outcome outcome = {.outcome = LF_OUTCOME_WON, .value = value, .at_ms = m->now_ms};

    outcome.lead_id = crowd_id(number, &outcome.lead_id_len);
    OK(lf_store_put_outcomes(f->store, &outcome, 1, NULL, 0, &f->error));
}

/* How often each lead's id, values and answers stand in files. */
struct traces {
    uint32_t ids[CROWD], values[CROWD], sealed[CROWD];
};

/* Counts those in one file; one that is not there holds nobody. */
static void
count_traces(const char *path, const char *suffix, struct traces *traces)
{
    char name[PATH_SIZE + 8];
    struct stat is;
    uint8_t *bytes = NULL;
    FILE *file = NULL;

    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    file = fopen(name, "rb");
    if (file == NULL)
        return;
    assert_int_equal(fstat(fileno(file), &is), 0);
    bytes = malloc((size_t)is.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)is.st_size, file), is.st_size);
    (void)fclose(file);
    for (size_t i = 0; i + TOKEN <= (size_t)is.st_size; i++) {
        int number = 0;
        size_t digit = 1;

        if ((bytes[i] != 'L' && bytes[i] != 'V' && bytes[i] != 'S') || bytes[i + TOKEN - 1] != '.')
            continue;
        while (digit < TOKEN - 1 && bytes[i + digit] >= '0' && bytes[i + digit] <= '9')
            number = number * 10 + bytes[i + digit++] - '0';
        if (digit == TOKEN - 1 && number < CROWD)
            (bytes[i] == 'L' ? traces->ids : bytes[i] == 'V' ? traces->values : traces->sealed)[number]++;
    }
    free(bytes);
}

static bool
has_traces(const struct traces *traces, int number)
{
    return traces->ids[number] > 0 || traces->values[number] > 0 || traces->sealed[number] > 0;
}

static struct traces *
find_traces(const char *path)
{
    struct traces *traces = calloc(1, sizeof *traces);

    assert_non_null(traces);
    count_traces(path, "", traces);
    count_traces(path, "-wal", traces);
    count_traces(path, "-shm", traces);
    return traces;
}

static void
shuffle(struct model *m, int *numbers, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = chance(m, (uint32_t)i);
        int number = numbers[i - 1];

        numbers[i - 1] = numbers[other];
        numbers[other] = number;
    }
}

/* All leads come twice, in another order each time: alone in a block, in crowds, in blocks of 300 KiB. Rows grow with
 * outcomes, and pages split; old blocks and answers go, and pages merge. */
static void
make_crowd(struct model *m, int numbers[CROWD])
{
    struct fixture *f = m->f;
    bool more = false;

    for (int i = 0; i < CROWD; i++)
        numbers[i] = i;
    for (int turn = 0; turn < 2; turn++) {
        shuffle(m, numbers, CROWD);
        for (size_t at = 0, count = 0; at < CROWD; at += count) {
            int64_t blocks[200];
            uint32_t what = chance(m, 10);

            count = what < 3 ? 1 : 1 + chance(m, 200);
            count = at + count < CROWD ? count : CROWD - at;
            record_crowd(m, numbers + at, count, what == 0 ? 300000 : what < 4 ? 1000 : 150, blocks);
            settle_crowd(m, numbers + at, count, blocks);
            for (size_t i = 0; i < 4 && turn == 1; i++)
                win_crowd(m, numbers[chance(m, CROWD)], INT64_C(1000000) << chance(m, 40));
            if (chance(m, 8) == 0)
                OK(lf_store_checkpoint(f->store, true, &f->error));
            if (turn == 1 && chance(m, 4) == 0)
                OK(lf_store_prune(f->store, m->now_ms - CROWD, 2, &more, &f->error));
            if (chance(m, 10) == 0)
                OK(lf_store_prune_answers(f->store, m->now_ms - CROWD / 2, 10, &more, &f->error));
        }
    }
}

static void
erase_crowd(struct model *m, int number)
{
    struct fixture *f = m->f;
    struct lf_change change = by_ops(7);
    size_t len = 0;
    const char *id = crowd_id(number, &len);
    bool more = true;

    while (more)
        OK(lf_store_erase_lead(f->store, id, len, 3, anonymise, NULL, &change, &more, &f->error));
}

static enum lf_status
see_lead(void *context, const struct lf_stored_lead *lead)
{
    size_t *count = context;

    *count += lead->lead_id_len > 0 ? 1 : 0;
    return LF_OK;
}

static void
test_nothing_is_left_in_the_files(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 20);
    struct traces *traces = NULL;
    struct lf_arena *arena = lf_arena_create(4096, 1 << 24);
    int *numbers = calloc(CROWD, sizeof *numbers);
    char copy[PATH_SIZE + 8];
    size_t len = 0, named = 0, left = 0, told = 0;

    assert_true(numbers != NULL && arena != NULL);
    make_crowd(m, numbers);
    shuffle(m, numbers, CROWD);
    OK(lf_store_each_lead(f->reader, arena, see_lead, &named, &f->error));
    assert_int_equal(named, CROWD);

    traces = find_traces(f->path);
    for (size_t i = 0; i < CROWD; i++)
        assert_true(traces->ids[i] > 0 && traces->values[i] > 0); /* they can be found */
    for (size_t i = 0; i < VICTIMS; i++)
        told += traces->sealed[numbers[i]] > 0 ? 1 : 0;
    assert_true(told > VICTIMS / 4);
    free(traces);

    for (size_t i = 0; i < VICTIMS; i++) {
        int64_t block = 0;

        erase_crowd(m, numbers[i]);
        if (i % 10 == 0) { /* life goes on */
            record_crowd(m, &numbers[VICTIMS + i], 1, 500, &block);
            settle_crowd(m, &numbers[VICTIMS + i], 1, &block);
            win_crowd(m, numbers[VICTIMS + i], (int64_t)i);
        }
    }
    traces = find_traces(f->path);
    for (size_t i = 0; i < VICTIMS; i++)
        left += has_traces(traces, numbers[i]) ? 1 : 0;
    assert_true(left > VICTIMS / 10); /* the log still tells of them */
    free(traces);

    /* A backup takes pages from the log, and holds nobody of whom only the log still tells. */
    (void)snprintf(copy, sizeof copy, "%s.copy", f->path);
    OK(lf_store_backup(f->reader, copy, &f->error));
    traces = find_traces(copy);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(has_traces(traces, numbers[i]), i >= VICTIMS);
    free(traces);

    OK(lf_store_checkpoint(f->store, true, &f->error));
    traces = find_traces(f->path);
    for (size_t i = 0; i < CROWD; i++) {
        if (has_traces(traces, numbers[i]) != (i >= VICTIMS))
            fail_msg("lead %d: %" PRIu32 " traces of its id, %" PRIu32 " of its values, %" PRIu32 " of answers",
                     numbers[i], traces->ids[numbers[i]], traces->values[numbers[i]], traces->sealed[numbers[i]]);
        told = i < VICTIMS ? 0 : told + (traces->sealed[numbers[i]] > 0 ? 1 : 0);
    }
    assert_true(told > (CROWD - VICTIMS) / 8); /* answers about others stay */
    free(traces);

    for (size_t i = 0; i < CROWD; i += 7) {
        struct lf_stored_lead lead;
        const char *id = crowd_id(numbers[i], &len);

        lf_arena_reset(f->arena);
        assert_int_equal(lf_store_lead(f->reader, f->arena, id, len, &lead, &f->error),
                         i < VICTIMS ? LF_LEAD_NOT_FOUND : LF_OK);
    }
    assert_int_equal(check(f, false, NULL), 0);
    lf_arena_destroy(arena);
    free(numbers);
    free(m);
}

/* The log cannot be emptied while somebody reads what is in it, and that is told. */
static void
test_the_log_is_emptied_when_it_can_be(void **state)
{
    struct fixture *f = *state;
    struct model *m = model_create(f, 21);
    struct lf_store_progress progress;
    struct traces *traces = NULL;
    const int number = 42;
    int64_t block = 0;

    record_crowd(m, &number, 1, 500, &block);
    settle_crowd(m, &number, 1, &block);
    OK(lf_store_hold(f->reader, &f->error));
    OK(lf_store_progress(f->reader, &progress, &f->error));
    erase_crowd(m, number);
    FAILS(lf_store_checkpoint(f->store, true, &f->error), LF_STORAGE_IN_USE);
    OK(lf_store_checkpoint(f->store, false, &f->error)); /* when it is not due nobody is in the way */
    traces = find_traces(f->path);
    assert_true(traces->ids[number] > 0 && traces->values[number] > 0);
    free(traces);
    model_record(m, 1, -1, 10); /* all goes on */
    lf_store_let_go(f->reader);
    OK(lf_store_checkpoint(f->store, true, &f->error));
    traces = find_traces(f->path);
    assert_true(traces->ids[number] == 0 && traces->values[number] == 0);
    free(traces);
    free(m);
}

/* ---- the unused middle of a page ---- */

static void
test_gaps(void **state)
{
    static const struct {
        const char *what;
        uint8_t kind;
        uint16_t cells, content;
        int64_t pages;
        bool mapped;
        size_t begin, end; /* 0: there is none */
    } ROWS[] = {
        {"a leaf of a table", 13, 3, 4000, 100, false, 14, 4000},
        {"a leaf of an index", 10, 3, 4000, 100, false, 14, 4000},
        {"a page within an index", 2, 3, 4000, 100, false, 18, 4000},
        {"a page within a table holds no texts", 5, 3, 4000, 100, false, 0, 0},
        {"part of a long row, the last", 0, 3, 4000, 100, false, 0, 0},
        {"no cells", 13, 0, 8192, 100, false, 8, 8192},
        {"no gap", 13, 100, 208, 100, false, 0, 0},
        {"cells overlap their places: not such a page", 13, 100, 207, 100, false, 0, 0},
        {"content past the end: not such a page", 13, 3, 8193, 100, false, 0, 0},
        {"content at 65536", 13, 3, 0, 100, false, 0, 0},
        {"so large that it may be part of a long row", 2, 3, 4000, INT64_C(2) << 24, false, 0, 0},
        {"just not", 2, 3, 4000, (INT64_C(2) << 24) - 1, false, 18, 4000},
        {"so large, but not for a leaf", 10, 3, 4000, INT64_C(2) << 24, false, 14, 4000},
        {"so large even for a leaf", 10, 3, 4000, INT64_C(10) << 24, false, 0, 0},
        {"it may map pages", 2, 3, 4000, 100, true, 0, 0},
        {"a leaf maps none", 10, 3, 4000, 100, true, 14, 4000},
    };

    (void)state;
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        uint8_t page[8192] = {ROWS[row].kind,
                              0,
                              0,
                              (uint8_t)(ROWS[row].cells >> 8),
                              (uint8_t)ROWS[row].cells,
                              (uint8_t)(ROWS[row].content >> 8),
                              (uint8_t)ROWS[row].content};
        size_t begin = 0, end = 0;

        print_message("%s\n", ROWS[row].what);
        assert_int_equal(lf_scrub_gap(page, sizeof page, ROWS[row].pages, ROWS[row].mapped, &begin, &end),
                         ROWS[row].end != 0);
        assert_int_equal(begin, ROWS[row].begin);
        assert_int_equal(end, ROWS[row].end);
    }
}

/* Somebody has turned the database into one that maps its pages: nothing is damaged. */
static void
test_a_database_that_maps_pages(void **state)
{
    struct fixture *f = *state;
    struct model *m = NULL;
    int64_t kind = 0;

    close_store(f);
    run_sql(f->path, "PRAGMA auto_vacuum = FULL; VACUUM");
    open_store(f);
    OK(lf_sqlite_int(&((struct lf_sqlite_store *)f->store)->writer, "PRAGMA auto_vacuum", &kind, &f->error));
    assert_int_equal(kind, 1);
    m = model_create(f, 22);
    for (int i = 0; i < 60; i++) {
        model_record(m, 1 + chance(m, 20), -2, i % 20 == 7 ? 300000 : 0);
        model_settle(m, 100);
        if (i % 4 == 3 && model_knows(m, i % MODEL_LEADS))
            (void)model_erase(m, i % MODEL_LEADS, 9);
        if (i % 10 == 0)
            OK(lf_store_checkpoint(f->store, true, &f->error));
        if (i % 20 == 19)
            model_prune(m, lf_ulid_ms(m->scores[m->count / 3].id), 9);
    }
    OK(lf_store_checkpoint(f->store, true, &f->error));
    close_store(f);
    open_store(f);
    assert_model(m);
    free(m);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_left_in_the_files),
        TEST(test_the_log_is_emptied_when_it_can_be),
        TEST(test_gaps),
        TEST(test_a_database_that_maps_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
