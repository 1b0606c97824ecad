/* test_replay.c - recorded leads once more: each once, the newest first, as many as were asked for. */
#include "app/replay.h"
#include "base/hash.h"
#include "replay_fixture.h"

/* ---- what is seen ---- */

enum { SEEN_MAX = 8000 };

struct sight {
    char id[32];
    struct lf_ulid score;
    int64_t as_of_ms;
    double employees; /* -1: no input */
    bool whole;
};

struct seeing {
    struct sight sights[SEEN_MAX];
    size_t count, fail_at; /* the lead at which to end, from 1; 0: none */
    const void *arena;
    int64_t only_version; /* what counts; 0: all */
    bool refuse;          /* `counts` fails */
};

static enum lf_status
see(void *context, const struct lf_replayed *lead, struct lf_arena *arena, struct lf_error *error)
{
    struct seeing *seeing = context;
    struct sight *sight = &seeing->sights[seeing->count++];

    assert_true(seeing->count <= SEEN_MAX && lead->score->lead_id_len < sizeof sight->id);
    (void)snprintf(sight->id, sizeof sight->id, "%.*s", (int)lead->score->lead_id_len, lead->score->lead_id);
    sight->score = lead->score->id;
    sight->as_of_ms = lead->score->as_of_ms;
    sight->whole = lead->record->kept == LF_KEPT_WHOLE;
    sight->employees = -1;
    if (lead->input != NULL)
        sight->employees = lf_json_number(lf_json_member(lf_json_member(lead->input, "company"), "employees"));
    /* It was reset before the call, but for what this lead takes itself. */
    assert_true(seeing->arena == NULL || seeing->arena == arena);
    assert_true(lf_arena_used(arena) < 20000);
    assert_non_null(lf_arena_alloc(arena, 100000));
    seeing->arena = arena;
    return seeing->count == seeing->fail_at ? lf_fail(error, LF_BUSY, "enough") : LF_OK;
}

static enum lf_status
counts(void *context, const struct lf_record *record, bool *ret_counts, struct lf_error *error)
{
    struct seeing *seeing = context;

    if (seeing->refuse)
        return lf_fail(error, LF_BUSY, "not now");
    *ret_counts = seeing->only_version == 0 || record->results[0].version_id == seeing->only_version;
    return LF_OK;
}

static struct lf_replay_options
options_of(size_t leads)
{
    return (struct lf_replay_options){.from_ms = INT64_MIN, .to_ms = INT64_MAX, .leads = leads, .inputs = true};
}

static size_t
replay(struct fixture *f, const struct lf_replay_options *options, struct seeing *seeing)
{
    size_t leads = SIZE_MAX;

    OK(lf_replay(f->reader, f->arena, options, see, seeing, &leads, &f->error));
    assert_int_equal(leads, seeing->count);
    return leads;
}

/* The ids that were seen, joined. */
static const char *
ids(struct fixture *f, const struct seeing *seeing)
{
    const char *text = "";

    for (size_t i = 0; i < seeing->count; i++)
        text = lf_arena_printf(f->arena, "%s%s%s", text, i > 0 ? " " : "", seeing->sights[i].id);
    return text;
}

static const char *
lead(struct fixture *f, const char *id, int employees)
{
    return id[0] == '\0' ? lf_arena_printf(f->arena, "{'company':{'employees':%d,'x':1}}", employees)
                         : lf_arena_printf(f->arena, "{'id':'%s','company':{'employees':%d,'x':1}}", id, employees);
}

/* Leads a, b, a again, one without an id, b again, another without an id; 1 to 6 people, a second apart. */
static struct lf_profiles *
six(struct fixture *f, struct lf_ulid scores[6])
{
    static const char *const IDS[] = {"a", "b", "a", "", "b", ""};
    struct lf_profiles *profiles = NULL;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    for (int i = 0; i < 6; i++)
        scores[i] = record_lead(f, profiles, lead(f, IDS[i], i + 1), "", NOW_MS + i * 1000, i % 2 == 0);
    return profiles;
}

/* ---- tests ---- */

/* Leads without values come without an input; erased ones do not come at all, and what is older does not stand for
 * them. */
static void
test_without_values(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(100);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    static const enum lf_kept KEPT[] = {LF_KEPT_FIELDS, LF_KEPT_WHOLE, LF_KEPT_HASHES, LF_KEPT_NOTHING};
    static const char *const IDS[] = {"fields", "whole", "hashes", "nothing"};
    struct lf_profiles *profiles = NULL;
    struct lf_stored_score score;
    struct lf_buf erased;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    for (int i = 0; i < 4; i++) {
        const struct lf_privacy *privacy = keeping(f, KEPT[i], "");

        lf_program_withhold(profiles->program, privacy);
        (void)record_lead_keeping(f, profiles, lead(f, IDS[i], i + 1), "", NOW_MS + i, privacy);
    }
    OK(lf_store_score(f->reader, f->arena, record_lead(f, profiles, lead(f, "", 9), "", NOW_MS + 5, true), &score,
                      &f->error));
    lf_buf_init(&erased, f->arena, 1 << 16);
    OK(lf_record_anonymise(&erased, score.body, score.body_len, &f->error));
    record_bytes(f, "", erased.data, erased.len, NOW_MS + 6);
    assert_int_equal(replay(f, &options, seeing), 5);
    assert_string_equal(ids(f, seeing), " nothing hashes whole fields");
    for (int i = 0; i < 5; i++) {
        static const double EMPLOYEES[] = {9, -1, -1, 2, 1};

        assert_true(seeing->sights[i].employees == EMPLOYEES[i]);
    }
    lf_profiles_destroy(profiles);
    free(seeing);
}

static void
test_each_once(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(100);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_ulid scores[6];
    static const int ORDER[] = {5, 4, 3, 2}; /* the latest score of each lead, newest first */

    lf_profiles_destroy(six(f, scores));
    assert_int_equal(replay(f, &options, seeing), 4);
    assert_string_equal(ids(f, seeing), " b  a");
    for (size_t i = 0; i < 4; i++) {
        assert_true(same_id(seeing->sights[i].score, scores[ORDER[i]]));
        assert_int_equal(seeing->sights[i].as_of_ms, NOW_MS + ORDER[i] * 1000);
        assert_int_equal(seeing->sights[i].whole, ORDER[i] % 2 == 0);
        assert_true(seeing->sights[i].employees == ORDER[i] + 1);
    }
    free(seeing);
}

static void
test_as_many_as_asked(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid scores[6];

    lf_profiles_destroy(six(f, scores));
    for (size_t leads = 1; leads <= 5; leads++) {
        struct lf_replay_options options = options_of(leads);
        struct seeing *seeing = calloc(1, sizeof *seeing);

        assert_int_equal(replay(f, &options, seeing), leads < 4 ? leads : 4);
        free(seeing);
    }
}

static void
test_window(void **state)
{
    static const struct {
        int64_t from, to; /* seconds after the first score */
        const char *ids, *why;
    } ROWS[] = {
        {0, 6, " b  a", "all of it"},
        {0, 4, " a b", "what came later does not stand for its lead"},
        {2, 4, " a", "from is in it, to is not"},
        {3, 3, "", "nothing at all"},
        {4, 2, "", "the wrong way round"},
        {7, 9, "", "behind the last"},
        {-9, 0, "", "before the first"},
    };
    struct fixture *f = *state;
    struct lf_ulid scores[6];

    lf_profiles_destroy(six(f, scores));
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_replay_options options = options_of(100);
        struct seeing *seeing = calloc(1, sizeof *seeing);

        options.from_ms = NOW_MS + ROWS[i].from * 1000;
        options.to_ms = NOW_MS + ROWS[i].to * 1000;
        (void)replay(f, &options, seeing);
        if (strcmp(ids(f, seeing), ROWS[i].ids) != 0)
            fail_msg("%s: %s", ROWS[i].why, ids(f, seeing));
        free(seeing);
    }
}

static void
test_inputs_only_when_asked(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(100);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_ulid scores[6];

    lf_profiles_destroy(six(f, scores));
    options.inputs = false;
    assert_int_equal(replay(f, &options, seeing), 4);
    assert_true(seeing->sights[0].employees < 0);
    free(seeing);
}

/* The latest score that counts stands for its lead, though a later one does not count. */
static void
test_what_counts(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(2);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_profiles *profiles = NULL;
    struct lf_stored_version version;
    size_t leads = 0;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "two", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    OK(lf_store_version(f->reader, f->arena, "one", 1, &version, &f->error));
    (void)record_lead(f, profiles, lead(f, "d", 9), "'one'", NOW_MS, true);
    (void)record_lead(f, profiles, lead(f, "a", 1), "'one'", NOW_MS + 1, true);
    (void)record_lead(f, profiles, lead(f, "b", 2), "'one'", NOW_MS + 2, true);
    (void)record_lead(f, profiles, lead(f, "a", 3), "'two'", NOW_MS + 3, true);
    (void)record_lead(f, profiles, lead(f, "c", 4), "'two'", NOW_MS + 4, true);
    options.counts = counts;
    seeing->only_version = version.id;
    assert_int_equal(replay(f, &options, seeing), 2);
    assert_string_equal(ids(f, seeing), "b a");
    assert_true(seeing->sights[1].employees == 1);
    seeing->refuse = true;
    FAILS(lf_replay(f->reader, f->arena, &options, see, seeing, &leads, &f->error), LF_BUSY);
    assert_int_equal(leads, 0);
    lf_profiles_destroy(profiles);
    free(seeing);
}

/* The store is to be read until a moment that is over, or far away. */
static void
test_out_of_time(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(2);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_ulid scores[6];
    size_t leads = 77;

    lf_profiles_destroy(six(f, scores));
    lf_store_read_until(f->store, 1);
    FAILS(lf_replay(f->reader, f->arena, &options, see, seeing, &leads, &f->error), LF_NOT_READY);
    assert_non_null(strstr(f->error.detail, "stopping"));
    assert_int_equal(seeing->count, 0);
    assert_int_equal(leads, 77);
    lf_store_read_until(f->store, INT64_MAX);
    assert_int_equal(replay(f, &options, seeing), 2);
    free(seeing);
}

static void
test_ended_by_each(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(2);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_ulid scores[6];
    size_t leads = 77;

    lf_profiles_destroy(six(f, scores));
    seeing->fail_at = 2; /* also at the last one that was asked for */
    FAILS(lf_replay(f->reader, f->arena, &options, see, seeing, &leads, &f->error), LF_BUSY);
    assert_string_equal(f->error.detail, "enough");
    assert_int_equal(seeing->count, 2);
    assert_int_equal(leads, 77);
    free(seeing);
}

/* More leads than the first table has room for, each twice; ids that differ in a byte, or in length alone. */
static void
test_many(void **state)
{
    enum { LEADS = 3000 };
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(LF_REPLAY_LEADS_MAX);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_stored_score *scores = calloc(2 * LEADS, sizeof *scores);
    const struct lf_stored_score **pointers = calloc(2 * LEADS, sizeof(struct lf_stored_score *));
    struct lf_profiles *profiles = NULL;
    struct lf_stored_score template;
    struct lf_ulid id;

    publish_icp(f, "one", "core", PLAIN_ATTRIBUTES, 1);
    profiles = load_profiles(f);
    id = record_lead(f, profiles, lead(f, "", 5), "", NOW_MS, true);
    OK(lf_store_score(f->reader, f->arena, id, &template, &f->error));
    for (int i = 0; i < 2 * LEADS; i++) {
        scores[i] = template;
        scores[i].lead_id = lf_arena_printf(f->arena, "%0*d", 1 + i % LEADS % 7, i % LEADS);
        scores[i].lead_id_len = strlen(scores[i].lead_id);
        assert_true(lf_ulid_next(&f->mint, NOW_MS + 1 + i, &scores[i].id));
        pointers[i] = &scores[i];
    }
    OK(lf_store_append_scores(f->store, pointers, 2 * LEADS, NULL, 0, NULL, &f->error));
    /* Numbers of one to four digits with zeros before them: some texts are the same. */
    size_t distinct = 0;
    for (int i = 0; i < LEADS; i++) {
        bool first = true;

        for (int j = 0; j < i && first; j++)
            first = strcmp(scores[i].lead_id, scores[j].lead_id) != 0;
        distinct += first;
    }
    assert_int_equal(replay(f, &options, seeing), distinct + 1);
    assert_string_equal(seeing->sights[0].id, scores[2 * LEADS - 1].lead_id);
    lf_profiles_destroy(profiles);
    free(pointers);
    free(scores);
    free(seeing);
}

static void
test_nothing_recorded(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(10);
    struct seeing *seeing = calloc(1, sizeof *seeing);

    assert_int_equal(replay(f, &options, seeing), 0);
    free(seeing);
}

static void
test_damaged(void **state)
{
    struct fixture *f = *state;
    struct lf_replay_options options = options_of(10);
    struct seeing *seeing = calloc(1, sizeof *seeing);
    struct lf_ulid scores[6];
    struct lf_stored_score score;
    char *body = NULL;
    size_t leads = 0;

    lf_profiles_destroy(six(f, scores));
    OK(lf_store_score(f->reader, f->arena, scores[0], &score, &f->error));
    body = lf_arena_copy(f->arena, score.body, score.body_len);
    body[score.body_len - 1] = ']';
    record_bytes(f, "broken", body, score.body_len, NOW_MS + 9000);
    FAILS(lf_replay(f->reader, f->arena, &options, see, seeing, &leads, &f->error), LF_STORAGE_CORRUPT);
    assert_int_equal(seeing->count, 0);
    options.inputs = false; /* then nobody looks */
    assert_int_equal(replay(f, &options, seeing), 5);
    record_bytes(f, "broken", "?", 1, NOW_MS + 9001);
    FAILS(lf_replay(f->reader, f->arena, &options, see, seeing, &leads, &f->error), LF_STORAGE_CORRUPT);
    free(seeing);
}

static void
test_copied_ids(void **state)
{
    struct fixture *f = *state;
    static const char *const IDS[] = {"", "a", "much longer than the one before it was", "b"};
    char *text = NULL;
    size_t room = 0, before = 0;

    for (size_t i = 0; i < 4; i++) {
        struct lf_stored_score score = {.lead_id = IDS[i], .lead_id_len = strlen(IDS[i])};

        before = lf_arena_used(f->arena);
        assert_true(lf_replay_copy_id(f->arena, &score, &text, &room));
        assert_string_equal(text, IDS[i]);
    }
    assert_int_equal(lf_arena_used(f->arena), before); /* the last one found room */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_each_once),
        STORE_TEST(test_without_values),
        STORE_TEST(test_as_many_as_asked),
        STORE_TEST(test_window),
        STORE_TEST(test_inputs_only_when_asked),
        STORE_TEST(test_what_counts),
        STORE_TEST(test_out_of_time),
        STORE_TEST(test_ended_by_each),
        STORE_TEST(test_many),
        STORE_TEST(test_nothing_recorded),
        STORE_TEST(test_damaged),
        STORE_TEST(test_copied_ids),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
