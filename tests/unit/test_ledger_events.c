/*
 * test_ledger_events.c - what is told of recorded scores: by chance, over settling, restarts and failures, against a
 * model that remembers nothing but the last grade of each lead under each ICP.
 */
#include "faults.h"

/* The allocation that fails during the next call of the ledger; below 0: none. Whether it came to it. */
static struct {
    long next;
    bool failed;
} trial = {.next = -1};

#define AROUND(call) trying(trial.next >= 0 ? (arm(trial.next), (call)) : (call))

#include "base/status.h"

static enum lf_status trying(enum lf_status status);

#include "app/ledger_types.h"
#include "event_fixture.h"
#include "ledger_fixture.h"

static enum lf_status
trying(enum lf_status status)
{
    trial.failed = trial.next >= 0 && disarm();
    return status;
}

enum { PEOPLE = 400, ICPS = 2, WATCHERS = 8, EXPECTED_MAX = 2 * ICPS * BATCH };

/* ---- who is told ---- */

struct watcher {
    const char *key;
    uint32_t events;
    const char *icp;
    const char *grades[3]; /* none: all */
    enum lf_subscription_state state;
};

static const struct watcher WATCHER_ROWS[WATCHERS] = {
    {"all", ALL_EVENTS, "", {NULL}, LF_SUBSCRIPTION_ACTIVE},
    {"changes", BIT(GRADE_CHANGED), "", {NULL}, LF_SUBSCRIPTION_ACTIVE},
    {"changes-of-plain", BIT(GRADE_CHANGED), "plain", {NULL}, LF_SUBSCRIPTION_ACTIVE},
    {"disabled", SCORE_EVENTS, "", {NULL}, LF_SUBSCRIPTION_DISABLED},
    {"grades", SCORE_EVENTS, "", {"DQ", "Gold", "A"}, LF_SUBSCRIPTION_ACTIVE},
    {"icps", BIT(ICP_PUBLISHED), "", {NULL}, LF_SUBSCRIPTION_ACTIVE},
    {"paused-other", SCORE_EVENTS, "other", {"A", "DQ", NULL}, LF_SUBSCRIPTION_PAUSED},
    {"scores", BIT(SCORE_RECORDED), "", {NULL}, LF_SUBSCRIPTION_ACTIVE},
};

/* What is to be told of a result. */
struct expected {
    enum lf_event_type type;
    struct lf_ulid score_id;
    int64_t at_ms;
    int lead;
    char icp[16], grade[32], data[512];
};

struct memory {
    char grade[32]; /* "": the ICP has not scored the lead */
};

struct scene {
    struct world *w;
    struct lf_subscriptions *subscriptions;
    int64_t ids[WATCHERS], behind[WATCHERS]; /* behind: of the deliveries that were seen last */
    size_t told[WATCHERS];
    struct memory memory[PEOPLE][ICPS];
    struct expected expected[EXPECTED_MAX];
    size_t expected_count;
    uint32_t wanted; /* what the subscriptions are that the ledger has */
    size_t places[4];
};

static const char *
grades_text(struct fixture *f, const struct watcher *watcher)
{
    const char *text = "[";

    for (size_t i = 0; i < 3 && watcher->grades[i] != NULL; i++)
        text = lf_arena_printf(f->arena, "%s%s\"%s\"", text, i > 0 ? "," : "", watcher->grades[i]);
    return lf_arena_printf(f->arena, "%s]", text);
}

static void
put_watchers(struct scene *s)
{
    struct fixture *f = s->w->f;

    for (size_t i = 0; i < WATCHERS; i++) {
        const struct watcher *watcher = &WATCHER_ROWS[i];

        s->ids[i] = put_subscription(f->store, watcher->key, watcher->events, watcher->icp, grades_text(f, watcher));
        if (watcher->state != LF_SUBSCRIPTION_ACTIVE)
            stop_subscription(f->store, s->ids[i], watcher->state);
    }
}

/* As a start does. */
static void
tell_watchers(struct scene *s)
{
    lf_subscriptions_destroy(s->subscriptions);
    s->subscriptions = load_subscriptions(s->w->f->reader);
    s->wanted = lf_subscriptions_wanted(s->subscriptions);
    lf_ledger_tell(s->w->ledger, s->subscriptions);
}

static bool
is_for(const struct watcher *watcher, const struct expected *expected)
{
    bool grade = watcher->grades[0] == NULL;

    for (size_t i = 0; i < 3 && watcher->grades[i] != NULL; i++)
        grade = grade || strcmp(watcher->grades[i], expected->grade) == 0;
    return grade && watcher->state != LF_SUBSCRIPTION_DISABLED && (watcher->events >> expected->type & 1) != 0 &&
           (watcher->icp[0] == '\0' || strcmp(watcher->icp, expected->icp) == 0);
}

/* ---- the model ---- */

static void
expect(struct scene *s, enum lf_event_type type, const struct prepared *prepared, const struct lf_profile *profile,
       const struct lf_score *score, const char *from, const char *to)
{
    struct expected *expected = &s->expected[s->expected_count++];
    int hundredths = score->axes[LF_AXIS_FIT].score;
    char id[LF_ULID_TEXT_SIZE], lead[16] = "", number[16];

    assert_true(s->expected_count <= EXPECTED_MAX);
    lf_ulid_format(prepared->score.id, id);
    if (prepared->lead >= 0)
        (void)snprintf(lead, sizeof lead, "L%d", prepared->lead);
    (void)snprintf(number, sizeof number, "%g", hundredths / 100.0);
    *expected = (struct expected){
        .type = type, .score_id = prepared->score.id, .at_ms = lf_ulid_ms(prepared->score.id), .lead = prepared->lead};
    (void)snprintf(expected->icp, sizeof expected->icp, "%s", profile->icp->key);
    (void)snprintf(expected->grade, sizeof expected->grade, "%s", to);
    (void)snprintf(expected->data, sizeof expected->data,
                   "{\"lead_id\":\"%s\",\"icp\":\"%s\",\"version\":%d,\"score_id\":\"%s\",\"score\":%s,\"from\":\"%s\","
                   "\"to\":\"%s\",\"psi\":0}",
                   lead, profile->icp->key, profile->version, id, number, from, to);
}

static void
remember(struct scene *s, const struct prepared *prepared, const struct lf_result *result, bool shadow)
{
    const struct lf_profile *profile = profile_of(prepared, result);
    const char *grade = result->score.qualified ? profile->icp->grades[result->score.grade].name : "DQ";
    struct memory *memory = NULL;

    if (prepared->lead >= 0)
        memory = &s->memory[prepared->lead][strcmp(profile->icp->key, "other") == 0];
    if (!shadow) {
        expect(s, LF_EVENT_SCORE_RECORDED, prepared, profile, &result->score, "", grade);
        if (memory != NULL && memory->grade[0] != '\0' && strcmp(memory->grade, grade) != 0)
            expect(s, LF_EVENT_GRADE_CHANGED, prepared, profile, &result->score, memory->grade, grade);
    }
    if (memory != NULL)
        (void)snprintf(memory->grade, sizeof memory->grade, "%s", grade);
}

/* What was told since the last time is what was expected, and nothing is left of it. */
static void
assert_told(struct scene *s, bool listening)
{
    struct world *w = s->w;
    struct lf_subscription **held = NULL;
    size_t held_count = 0;

    lf_arena_reset(w->arena);
    for (size_t i = 0; i < WATCHERS; i++) {
        struct lf_stored_delivery *deliveries = NULL;
        size_t count = waiting_for(w->f->reader, w->arena, s->ids[i], s->behind[i], &deliveries), at = 0;

        for (size_t e = 0; e < s->expected_count && listening; e++) {
            const struct expected *expected = &s->expected[e];
            const struct lf_stored_delivery *delivery = &deliveries[at];

            if (!is_for(&WATCHER_ROWS[i], expected))
                continue;
            assert_true(at++ < count);
            if (delivery->data_len != strlen(expected->data) ||
                memcmp(delivery->data, expected->data, delivery->data_len) != 0)
                fail_msg("%s: %.*s, expected %s", WATCHER_ROWS[i].key, (int)delivery->data_len, delivery->data,
                         expected->data);
            assert_int_equal(delivery->type, expected->type);
            assert_int_equal(delivery->at_ms, expected->at_ms);
            assert_memory_equal(delivery->score_id.bytes, expected->score_id.bytes, LF_ULID_SIZE);
            assert_int_equal(delivery->lane == 0, expected->lead < 0);
            s->behind[i] = delivery->id;
        }
        assert_int_equal(at, count);
        s->told[i] += count;
    }
    s->expected_count = 0;
    assert_true(lf_subscriptions_hold(s->subscriptions, w->arena, &held, &held_count));
    assert_int_equal(held_count, WATCHERS); /* by key, as the rows are */
    for (size_t i = 0; i < WATCHERS; i++)
        assert_int_equal(atomic_load(&held[i]->waiting), s->told[i]);
    lf_subscriptions_release(s->subscriptions, held, held_count);
}

/* ---- scores ---- */

/* Scores a lead under the ICPs named ("" for none: then the core ones, and the others in the shadow). */
static void
prepare(struct world *w, size_t set, int lead, const char *icps, const char *fields, struct prepared *ret_prepared)
{
    struct fixture *f = w->f;
    struct lf_buf text;
    struct lf_score_request request;

    lf_buf_init(&text, f->arena, 4096);
    lf_buf_printf(&text, "{'lead':{");
    if (lead >= 0)
        lf_buf_printf(&text, "'id':'L%d',", lead);
    lf_buf_printf(&text, "%s'x':1}", fields);
    if (icps[0] != '\0')
        lf_buf_printf(&text, ",'icps':[%s]", icps);
    lf_buf_printf(&text, "}");
    request = request_of(f, lf_buf_terminate(&text));
    OK(lf_scoring_run(f->arena, w->sets[set], &request, w->now_ms, &ret_prepared->scoring, &f->error));
    OK(lf_scoring_record(f->arena, &ret_prepared->scoring, w->privacy, &ret_prepared->score, &f->error));
    ret_prepared->lead = lead;
    w->now_ms += 7;
    assert_true(lf_ulid_next(&f->mint, w->now_ms, &ret_prepared->score.id));
}

static const char *
some_fields(struct world *w)
{
    static const int EMPLOYEES[] = {100, 250, 600, 900, 7000};
    struct lf_buf text;

    lf_buf_init(&text, w->f->arena, 1024);
    lf_buf_printf(&text, "'company':{'employees':%d,'domain':'%s'},", EMPLOYEES[support_random(&w->random, 5)],
                  support_random(&w->random, 5) == 0 ? "rival.example" : "fine.example");
    if (support_random(&w->random, 2) == 0)
        lf_buf_printf(&text, "'people':[{'title':'VP Sales'}],");
    lf_buf_printf(&text, "'visits':%d,", (int)support_random(&w->random, 5));
    return lf_buf_terminate(&text);
}

/* Where the ledger will find a lead's last grade under the ICP; for the coverage of this test alone. */
static void
count_places(struct scene *s, const struct prepared *prepared, size_t count)
{
    struct lf_ledger *ledger = s->w->ledger;

    for (size_t i = 0; i < count; i++) {
        const char *id = prepared[i].score.lead_id;
        size_t len = prepared[i].score.lead_id_len, before = 0;
        uint64_t hash = lf_lead_hash(ledger->seed, id, len);

        if (prepared[i].lead < 0)
            continue;
        while (before < i && prepared[before].lead != prepared[i].lead)
            before++;
        if (before < i)
            s->places[0]++;
        else if (lf_generation_find(ledger->gathering, hash, id, len) != NULL)
            s->places[1]++;
        else if (lf_generation_find(ledger->settling, hash, id, len) != NULL)
            s->places[2]++;
        else if (s->memory[prepared[i].lead][0].grade[0] != '\0' || s->memory[prepared[i].lead][1].grade[0] != '\0')
            s->places[3]++;
    }
}

static enum lf_status
record_prepared(struct scene *s, struct prepared *prepared, size_t count)
{
    struct world *w = s->w;
    const struct lf_stored_score *scores[BATCH];
    const struct lf_recording recording = {.scores = scores, .count = count};
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count; i++)
        scores[i] = &prepared[i].score;
    count_places(s, prepared, count);
    status = AROUND(lf_ledger_record(w->ledger, w->f->store, &recording, &w->f->error));
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        const struct lf_scoring *scoring = &prepared[i].scoring;

        for (size_t r = 0; r < scoring->result_count; r++)
            remember(s, &prepared[i], &scoring->results[r], false);
        for (size_t r = 0; r < scoring->shadow_count; r++)
            remember(s, &prepared[i], &scoring->shadow[r], true);
    }
    return status;
}

/* Records leads by chance, in one commit. */
static enum lf_status
record_by_chance(struct scene *s, size_t count)
{
    static const char *const NAMED[] = {"", "", "", "'plain'", "'other'", "'other','plain'"};
    struct world *w = s->w;
    struct lf_arena *lasting = w->f->arena;
    struct prepared *prepared = calloc(count, sizeof *prepared);
    uint32_t people = support_random(&w->random, 2) == 0 ? 12 : PEOPLE;
    size_t set = support_random(&w->random, SETS);
    enum lf_status status = LF_OK;

    assert_non_null(prepared);
    lf_arena_reset(w->arena);
    w->f->arena = w->arena;
    for (size_t i = 0; i < count; i++) {
        int lead = support_random(&w->random, 10) == 0 ? -1 : (int)support_random(&w->random, people);
        const char *icps = NAMED[support_random(&w->random, set == 0 ? 4 : 6)]; /* at first there is no other */

        prepare(w, set, lead, icps, some_fields(w), &prepared[i]);
    }
    status = record_prepared(s, prepared, count);
    w->f->arena = lasting;
    free(prepared);
    return status;
}

static void
begin_scene(struct scene *s, struct world *w)
{
    *s = (struct scene){.w = w};
    put_watchers(s);
    tell_watchers(s);
}

static void
end_scene(struct scene *s)
{
    lf_ledger_tell(s->w->ledger, NULL);
    lf_subscriptions_destroy(s->subscriptions);
    trial.next = -1;
}

/* As after a crash: nothing that waits was settled. */
static void
restart(struct scene *s)
{
    reopen(s->w);
    tell_watchers(s);
}

/* ---- by chance ---- */

static void
test_by_chance(void **state)
{
    static struct scene s;
    struct world *w = *state;
    struct fixture *f = w->f;
    size_t refused = 0, stale = 0, full = 0;
    bool more = false, listening = true;

    begin_scene(&s, w);
    for (int round = 0; round < 1500; round++) {
        enum lf_status status = LF_OK;

        trial.next = -1;
        if (support_random(&w->random, 3) == 0)
            trial.next = support_random(&w->random, 1U << support_random(&w->random, 11));
        if (support_random(&w->random, 20) == 0)
            trouble.record = LF_STORAGE_FULL;
        status = record_by_chance(&s, 1 + support_random(&w->random, BATCH));
        if (status != LF_OK && status != LF_OUT_OF_MEMORY)
            FAILS(status, LF_STORAGE_FULL);
        trouble.record = LF_OK;
        refused += status == LF_OUT_OF_MEMORY;
        full += status == LF_STORAGE_FULL;
        stale += w->ledger->stale;
        trial.next = -1;
        assert_told(&s, listening);
        switch (support_random(&w->random, 40)) {
        case 0:
            restart(&s);
            listening = true;
            break;
        case 1:
            settle_now(w);
            break;
        case 2:
        case 3: /* nobody listens for a while */
            listening = !listening;
            lf_ledger_tell(w->ledger, listening ? s.subscriptions : NULL);
            break;
        case 4:
        case 5:
        case 6: /* a slice: of a round the rest goes on waiting */
            OK(lf_ledger_tend(w->ledger, f->store, true, &more, &f->error));
            break;
        default:
            break;
        }
    }
    check_fine(w);
    print_message("%zu times out of memory, %zu after the commit, %zu full; last grades: batch %zu, gathering %zu,"
                  " settling %zu, store %zu\n",
                  refused, stale, full, s.places[0], s.places[1], s.places[2], s.places[3]);
    assert_true(refused > 20 && stale > 5 && full > 10);
    for (size_t i = 0; i < 4; i++)
        assert_true(s.places[i] > 100);
    for (size_t i = 0; i < WATCHERS; i++)
        assert_int_equal(s.told[i] > 100, i != 3 && i != 5); /* one is disabled, one waits for publications */
    end_scene(&s);
}

/* ---- one by one ---- */

/* Records a lead alone. */
static void
record_one(struct scene *s, size_t set, int lead, const char *icps, const char *fields)
{
    struct prepared prepared;
    struct fixture *f = s->w->f;

    prepare(s->w, set, lead, icps, fields, &prepared);
    OK(record_prepared(s, &prepared, 1));
}

#define RIVAL "'company':{'employees':600,'domain':'rival.example'},"
#define LARGE "'company':{'employees':600},"
#define SMALL "'company':{'employees':250},"
#define TINY "'company':{'employees':1},"

/* A story in which each sentence is known. What was told by then, without what changes from day to day. */
static void
test_story(void **state)
{
    static struct scene s;
    static const struct {
        const char *what;
        size_t set;
        int lead;
        const char *icps, *fields, *told;
    } ROWS[] = {
        {"a first score is no change", 0, 1, "", LARGE, "recorded plain 1 -A;"},
        {"nor is the same grade", 0, 1, "", LARGE, "recorded plain 1 -A;"},
        {"another grade", 0, 1, "", SMALL, "recorded plain 1 -C; changed plain 1 A-C;"},
        {"disqualified", 0, 1, "", RIVAL, "recorded plain 1 -DQ; changed plain 1 C-DQ;"},
        {"still", 0, 1, "", RIVAL, "recorded plain 1 -DQ;"},
        {"no longer", 0, 1, "", TINY, "recorded plain 1 -D; changed plain 1 DQ-D;"},
        {"grades go by name: another version has others", 2, 1, "'plain'", TINY,
         "recorded plain 2 -Lead; changed plain 2 D-Lead;"},
        {"and back", 0, 1, "", TINY, "recorded plain 1 -D; changed plain 1 Lead-D;"},
        {"nobody has no last grade", 0, -1, "", LARGE, "recorded plain 1 -A;"},
        {"nor then", 0, -1, "", TINY, "recorded plain 1 -D;"},
        {"in the shadow nothing is told", 1, 2, "", LARGE "'visits':0,", "recorded plain 1 -A;"},
        {"once it is no shadow its grade there was the last one", 1, 2, "'other'", "'visits':3,",
         "recorded other 1 -A; changed other 1 D-A;"},
        {"another shadow moves it", 1, 2, "", LARGE "'visits':0,", "recorded plain 1 -A;"},
        {"so that this is a change again", 1, 2, "'other'", "'visits':3,", "recorded other 1 -A; changed other 1 D-A;"},
        {"each ICP for itself", 1, 2, "'other','plain'", SMALL "'visits':3,",
         "recorded other 1 -A; recorded plain 1 -C; changed plain 1 A-C;"},
    };
    struct world *w = *state;
    struct fixture *f = w->f;

    for (int how = 0; how < 3; how++) { /* what was before waits; is settled; was read again */
        begin_scene(&s, w);
        for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
            const char *text = "";

            record_one(&s, ROWS[row].set, ROWS[row].lead < 0 ? -1 : ROWS[row].lead + 10 * how, ROWS[row].icps,
                       ROWS[row].fields);
            for (size_t i = 0; i < s.expected_count; i++) {
                const struct lf_json *data = support_json(f->arena, s.expected[i].data);

                text = lf_arena_printf(f->arena, "%s%s%s %s %d %s-%s;", text, i > 0 ? " " : "",
                                       s.expected[i].type == LF_EVENT_GRADE_CHANGED ? "changed" : "recorded",
                                       s.expected[i].icp, (int)lf_json_number(lf_json_member(data, "version")),
                                       lf_json_text(lf_json_member(data, "from"), &(size_t){0}),
                                       lf_json_text(lf_json_member(data, "to"), &(size_t){0}));
            }
            print_message("%s\n", ROWS[row].what);
            assert_string_equal(text, ROWS[row].told); /* the model is right, */
            assert_told(&s, true);                     /* and the ledger with it */
            if (how == 1)
                settle_now(w);
            else if (how == 2)
                restart(&s);
        }
        end_scene(&s);
        run_sql(f->path, "DELETE FROM delivery; DELETE FROM subscription");
    }
}

/* With nobody there, or nobody for scores, nothing is put; who comes later knows of what was before. */
static void
test_nobody(void **state)
{
    static struct scene s;
    struct world *w = *state;
    struct fixture *f = w->f;
    struct lf_subscriptions *none = load_subscriptions(f->reader);

    s = (struct scene){.w = w};
    record_one(&s, 0, 1, "", LARGE);
    lf_ledger_tell(w->ledger, none);
    record_one(&s, 0, 1, "", SMALL);
    s.expected_count = 0;
    put_watchers(&s);
    lf_ledger_tell(w->ledger, NULL);
    lf_subscriptions_destroy(none);
    tell_watchers(&s);
    assert_told(&s, true);
    record_one(&s, 0, 1, "", TINY);
    assert_int_equal(s.expected_count, 2);
    assert_non_null(strstr(s.expected[1].data, "\"from\":\"C\",\"to\":\"D\""));
    assert_told(&s, true);
    end_scene(&s);
}

/* Of an erased lead nothing is known: its next score is the first. */
static void
test_erased(void **state)
{
    static struct scene s;
    struct world *w = *state;
    struct fixture *f = w->f;
    struct lf_recorder_options options = {.queue = 10, .batch = 10};
    struct lf_change change = by_ops(1780000000002);
    struct lf_recorder *recorder = NULL;

    begin_scene(&s, w);
    record_one(&s, 0, 1, "", LARGE);
    record_one(&s, 0, 2, "", LARGE);
    settle_now(w);
    record_one(&s, 0, 1, "", SMALL);
    assert_told(&s, true);
    OK(lf_recorder_start(f->store, &options, &recorder, &f->error));
    OK(lf_ledger_erase(w->ledger, recorder, "L1", 2, &change, &f->error));
    lf_recorder_stop(recorder);
    memset(s.memory[1], 0, sizeof s.memory[1]);
    for (size_t i = 0; i < WATCHERS; i++) { /* what waited of it is not sent any more */
        struct lf_stored_delivery *deliveries = NULL;
        size_t count = waiting_for(f->reader, f->arena, s.ids[i], 0, &deliveries);

        for (size_t d = 0; d < count; d++)
            assert_null(strstr(lf_arena_copy(f->arena, deliveries[d].data, deliveries[d].data_len), "L1"));
    }
    record_one(&s, 0, 1, "", TINY);
    record_one(&s, 0, 2, "", TINY);
    assert_int_equal(s.expected_count, 3);
    memset(s.told, 0, sizeof s.told);
    tell_watchers(&s); /* counts anew */
    lf_arena_reset(w->arena);
    for (size_t i = 0; i < WATCHERS; i++) {
        struct lf_stored_delivery *deliveries = NULL;
        size_t count = waiting_for(f->reader, w->arena, s.ids[i], s.behind[i], &deliveries), at = 0;

        for (size_t e = 0; e < s.expected_count; e++)
            if (is_for(&WATCHER_ROWS[i], &s.expected[e]))
                assert_string_equal(lf_arena_copy(f->arena, deliveries[at].data, deliveries[at].data_len),
                                    s.expected[e].data),
                    at++;
        assert_int_equal(at, count);
    }
    end_scene(&s);
}

/* ---- failures ---- */

/* Each allocation fails in turn: what is not recorded is not told, and the other way round. */
static void
test_out_of_memory(void **state)
{
    static struct scene s;
    struct world *w = *state;
    struct fixture *f = w->f;
    size_t refused = 0, stale = 0;
    long next = 0;

    begin_scene(&s, w);
    for (;; next++) {
        struct lf_arena *lasting = f->arena;
        struct prepared prepared[4];
        enum lf_status status = LF_OK;
        size_t set = (size_t)next % 2 * 2; /* so that the last grade is another version's */

        lf_arena_reset(w->arena);
        f->arena = w->arena;
        prepare(w, set, 1, "'plain'", next % 2 == 0 ? LARGE : TINY, &prepared[0]);
        prepare(w, set, 2, "", some_fields(w), &prepared[1]);
        prepare(w, set, -1, "", LARGE, &prepared[2]);
        prepare(w, set, 1, "", some_fields(w), &prepared[3]);
        trial.next = next;
        status = record_prepared(&s, prepared, 4);
        trial.next = -1;
        f->arena = lasting;
        if (status != LF_OK)
            FAILS(status, LF_OUT_OF_MEMORY);
        refused += status != LF_OK;
        stale += w->ledger->stale;
        assert_told(&s, true);
        if (!trial.failed)
            break;
        if (next % 3 == 0)
            settle_now(w);
        if (next % 7 == 0)
            restart(&s);
    }
    print_message("%ld allocations: %zu refused, %zu after the commit\n", next, refused, stale);
    assert_true(refused > 20 && stale > 0);
    check_fine(w);
    end_scene(&s);
}

/* A storage that refuses: nothing was told, and the last grade is as it was. */
static void
test_refused(void **state)
{
    static struct scene s;
    struct world *w = *state;
    struct fixture *f = w->f;
    struct prepared prepared;

    begin_scene(&s, w);
    record_one(&s, 0, 1, "", LARGE);
    assert_told(&s, true);
    prepare(w, 0, 1, "", SMALL, &prepared);
    trouble.record = LF_STORAGE_FULL;
    FAILS(record_prepared(&s, &prepared, 1), LF_STORAGE_FULL);
    assert_int_equal(s.expected_count, 0);
    assert_told(&s, true);
    record_one(&s, 0, 1, "", TINY);
    assert_non_null(strstr(s.expected[1].data, "\"from\":\"A\",\"to\":\"D\""));
    assert_told(&s, true);
    end_scene(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_by_chance), WORLD_TEST(test_story),         WORLD_TEST(test_nobody),
        WORLD_TEST(test_erased),    WORLD_TEST(test_out_of_memory), WORLD_TEST(test_refused),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
