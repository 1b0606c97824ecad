/*
 * ledger_fixture.h - for the tests of the ledger: leads scored under several versions at chosen times, and a model that
 * remembers every one of them and counts them the long way.
 */
#ifndef LF_TESTS_LEDGER_FIXTURE_H
#define LF_TESTS_LEDGER_FIXTURE_H

#include "app/ledger.h"
#include "app_fixture.h"
#include "core/tally.h"
#include "core/wins.h"
#include "store/sqlite/sqlite.h"

#include <inttypes.h>
#include <time.h>

#define BEGIN_MS INT64_C(1767224700000) /* 2025-12-31T23:45:00Z: a new hour, day, month and year are near */
#define HOUR_MS INT64_C(3600000)

/* What a test wants to do before and after each call of the ledger that may fail. */
#ifndef AROUND
#define AROUND(call) (call)
#endif

enum { SETS = 3, LEADS = 40, BATCH = 64 };

/* One result of a recorded score. */
struct told {
    int64_t ms, version_id, icp_id;
    struct lf_ulid id;
    int lead; /* -1: none */
    int score, coverage, engagement;
    size_t grade; /* DQ: the number of grades */
    bool qualified, first;
};

/* What has been said of a lead. */
struct said {
    bool any;
    enum lf_outcome_word outcome;
    int64_t value, at_ms;
};

struct world {
    struct fixture *f;
    struct lf_catalog *catalog;
    struct lf_ledger *ledger;
    const struct lf_privacy *privacy;
    struct lf_profiles *sets[SETS]; /* what was live, one after the other */
    int64_t versions[SETS];         /* ids of all there are: plain 1, plain 2, other 1 */
    int64_t now_ms;
    struct told *told;
    size_t told_count, told_cap;
    struct said said[LEADS];
    struct support_random random;
    struct lf_arena *arena; /* of one call */
    struct lf_store_backend backend;
};

/* A storage that fails when it is told to. */
static struct {
    enum lf_status record, settle, outcomes; /* of the next call of each; LF_OK: the real one's */
    long settles_left;                       /* so many work before `settle` counts; below 0: not so */
} trouble = {.settles_left = -1};

static enum lf_status
fail_once(enum lf_status *answer, struct lf_error *error)
{
    enum lf_status status = *answer;

    *answer = LF_OK;
    return lf_fail(error, status, "the test says so");
}

static enum lf_status
troubled_record(struct lf_store *store, const struct lf_recording *recording, struct lf_error *error)
{
    return trouble.record != LF_OK ? fail_once(&trouble.record, error)
                                   : LF_SQLITE_BACKEND.record(store, recording, error);
}

static enum lf_status
troubled_settle(struct lf_store *store, const struct lf_settled_lead *leads, size_t count,
                const struct lf_stored_rollup *rollups, size_t rollup_count, int64_t settled_block,
                int64_t rolled_block, struct lf_error *error)
{
    if (trouble.settle != LF_OK && trouble.settles_left-- <= 0)
        return fail_once(&trouble.settle, error);
    return LF_SQLITE_BACKEND.settle(store, leads, count, rollups, rollup_count, settled_block, rolled_block, error);
}

static enum lf_status
troubled_outcomes(struct lf_store *store, const struct lf_stored_outcome *outcomes, size_t count,
                  const struct lf_stored_rollup *rollups, size_t rollup_count, struct lf_error *error)
{
    return trouble.outcomes != LF_OK
               ? fail_once(&trouble.outcomes, error)
               : LF_SQLITE_BACKEND.put_outcomes(store, outcomes, count, rollups, rollup_count, error);
}

/* ---- life ---- */

static inline void
open_ledger(struct world *w)
{
    struct fixture *f = w->f;

    w->backend = LF_SQLITE_BACKEND;
    w->backend.record = troubled_record;
    w->backend.settle = troubled_settle;
    w->backend.put_outcomes = troubled_outcomes;
    f->store->backend = &w->backend;
    w->catalog = lf_catalog_create();
    assert_non_null(w->catalog);
    OK(lf_ledger_create(f->store, w->catalog, &w->ledger, &f->error));
    OK(lf_ledger_catch_up(w->ledger, NULL, &f->error));
}

/* As a crash does: nothing that waits is settled. */
static inline void
close_ledger(struct world *w)
{
    lf_ledger_destroy(w->ledger);
    lf_catalog_destroy(w->catalog);
    w->ledger = NULL;
    w->catalog = NULL;
}

static inline void
reopen(struct world *w)
{
    close_ledger(w);
    close_store(w->f);
    open_store(w->f);
    open_ledger(w);
}

/* Another definition than PLAIN_ATTRIBUTES, with grades of its own and a level. */
#define LATER_ATTRIBUTES                                                                                 \
    "'attributes':[{'key':'size','label':'Company size','category':'firmographic','weight':30,'rules':[" \
    "{'when':{'field':'company.employees','gte':700},'label':'700 and more'}],'otherwise':0.25},"        \
    "{'key':'visits','label':'Visits','category':'behavioral','axis':'engagement','weight':10,'rules':[" \
    "{'when':{'field':'visits','gte':3}},{'when':{'field':'visits','gte':1},'fit':0.5}]}],"              \
    "'grades':[{'grade':'Gold','min':80},{'grade':'Silver','min':40},{'grade':'Lead','min':0}]"

#define OTHER_ATTRIBUTES                                                                           \
    "'attributes':[{'key':'visits','label':'Visits','category':'behavioral','weight':10,'rules':[" \
    "{'when':{'field':'visits','gte':2}}],'missing':0.1}]"

static inline void
note_set(struct world *w, size_t set)
{
    w->sets[set] = load_profiles_keeping(w->f, w->privacy);
    for (size_t i = 0; i < w->sets[set]->count; i++) {
        const struct lf_profile *profile = &w->sets[set]->items[i];

        w->versions[strcmp(profile->icp->key, "other") == 0 ? 2 : (size_t)profile->version - 1] = profile->version_id;
    }
}

static int
world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    void *fixture = NULL;

    assert_non_null(w);
    trouble.record = trouble.settle = trouble.outcomes = LF_OK;
    trouble.settles_left = -1;
    assert_int_equal(setup(&fixture), 0);
    w->f = fixture;
    w->arena = lf_arena_create(1 << 16, 1 << 28);
    w->now_ms = BEGIN_MS;
    w->random.state = 7;
    w->privacy = keeping(w->f, LF_KEPT_FIELDS, "");
    put_list(w->f, "competitors", "rival.example");
    publish_icp(w->f, "plain", "core", PLAIN_ATTRIBUTES, 1);
    note_set(w, 0);
    publish_icp(w->f, "other", "experimental", OTHER_ATTRIBUTES, 1);
    note_set(w, 1);
    publish_icp(w->f, "plain", "core", LATER_ATTRIBUTES, 2);
    note_set(w, 2);
    open_ledger(w);
    *state = w;
    return 0;
}

static int
world_teardown(void **state)
{
    struct world *w = *state;
    void *fixture = w->f;

    close_ledger(w);
    for (size_t i = 0; i < SETS; i++)
        lf_profiles_destroy(w->sets[i]);
    lf_arena_destroy(w->arena);
    assert_int_equal(teardown(&fixture), 0); /* the store's backend is the world's */
    free(w->told);
    free(w);
    return 0;
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

/* ---- scores ---- */

/* Remembers a result. */
static inline void
tell(struct world *w, const struct lf_profile *profile, const struct lf_score *score, struct lf_ulid id, int lead)
{
    struct told *told = NULL;

    if (w->told_count == w->told_cap) {
        w->told_cap = w->told_cap == 0 ? 1024 : w->told_cap * 2;
        w->told = realloc(w->told, w->told_cap * sizeof *w->told);
        assert_non_null(w->told);
    }
    told = &w->told[w->told_count];
    *told = (struct told){
        .ms = lf_ulid_ms(id),
        .version_id = profile->version_id,
        .icp_id = strcmp(profile->icp->key, "other") == 0 ? 2 : 1,
        .id = id,
        .lead = lead,
        .score = score->axes[LF_AXIS_FIT].score,
        .coverage = score->axes[LF_AXIS_FIT].coverage,
        .qualified = score->qualified,
        .grade = score->qualified ? score->grade : profile->icp->grade_count,
        .engagement = score->has_engagement ? score->axes[LF_AXIS_ENGAGEMENT].score : 0,
        .first = lead >= 0,
    };
    for (size_t i = 0; i < w->told_count; i++)
        if (w->told[i].lead == lead && w->told[i].icp_id == told->icp_id)
            told->first = false;
    w->told_count++;
}

/* A score on its way. */
struct prepared {
    struct lf_stored_score score;
    struct lf_scoring scoring;
    int lead;
};

/* Scores a lead (-1: one without an id) with what some random fields say. */
static inline void
prepare_score(struct world *w, size_t set, int lead, struct prepared *ret_prepared)
{
    static const int EMPLOYEES[] = {100, 250, 600, 900, 7000};
    struct fixture *f = w->f;
    struct lf_buf text;
    struct lf_score_request request;

    lf_buf_init(&text, f->arena, 4096);
    lf_buf_printf(&text, "{'lead':{");
    if (lead >= 0)
        lf_buf_printf(&text, "'id':'L%d',", lead);
    if (support_random(&w->random, 6) > 0)
        lf_buf_printf(&text, "'company':{'employees':%d,'domain':'%s'},", EMPLOYEES[support_random(&w->random, 5)],
                      support_random(&w->random, 8) == 0 ? "rival.example" : "fine.example");
    if (support_random(&w->random, 2) == 0)
        lf_buf_printf(&text, "'people':[{'title':'%s'}],", support_random(&w->random, 2) == 0 ? "VP Sales" : "Clerk");
    if (support_random(&w->random, 3) > 0)
        lf_buf_printf(&text, "'visits':%d,", (int)support_random(&w->random, 5));
    lf_buf_printf(&text, "'x':1}}");
    request = request_of(f, lf_buf_terminate(&text));
    OK(lf_scoring_run(f->arena, w->sets[set], &request, w->now_ms, &ret_prepared->scoring, &f->error));
    OK(lf_scoring_record(f->arena, &ret_prepared->scoring, w->privacy, &ret_prepared->score, &f->error));
    ret_prepared->lead = lead;
}

/* The profile that a result is of. */
static inline const struct lf_profile *
profile_of(const struct prepared *prepared, const struct lf_result *result)
{
    return &prepared->scoring.profiles->items[result->index];
}

static inline void
tell_all(struct world *w, const struct prepared *prepared)
{
    const struct lf_scoring *scoring = &prepared->scoring;

    for (size_t i = 0; i < scoring->result_count; i++)
        tell(w, profile_of(prepared, &scoring->results[i]), &scoring->results[i].score, prepared->score.id,
             prepared->lead);
    for (size_t i = 0; i < scoring->shadow_count; i++)
        tell(w, profile_of(prepared, &scoring->shadow[i]), &scoring->shadow[i].score, prepared->score.id,
             prepared->lead);
}

/* Records leads in one commit under the profiles of then, `step_ms` apart. */
static inline enum lf_status
record_leads(struct world *w, size_t set, const int *leads, size_t count, int64_t step_ms)
{
    struct prepared *prepared = calloc(count, sizeof *prepared);
    const struct lf_stored_score *scores[BATCH];
    const struct lf_recording recording = {.scores = scores, .count = count};
    struct lf_arena *lasting = w->f->arena;
    enum lf_status status = LF_OK;

    assert_non_null(prepared);
    assert_true(count <= BATCH);
    lf_arena_reset(w->arena);
    w->f->arena = w->arena;
    for (size_t i = 0; i < count; i++) {
        prepare_score(w, set, leads[i], &prepared[i]);
        w->now_ms += step_ms;
        assert_true(lf_ulid_next(&w->f->mint, w->now_ms, &prepared[i].score.id));
        scores[i] = &prepared[i].score;
    }
    status = AROUND(lf_ledger_record(w->ledger, w->f->store, &recording, &w->f->error));
    for (size_t i = 0; status == LF_OK && i < count; i++)
        tell_all(w, &prepared[i]);
    free(prepared);
    w->f->arena = lasting;
    return status;
}

/* Records some leads by chance. */
static inline enum lf_status
record_some(struct world *w, size_t count, int64_t step_ms)
{
    int leads[BATCH];

    for (size_t i = 0; i < count; i++)
        leads[i] = (int)support_random(&w->random, LEADS + 4) - 4;
    for (size_t i = 0; i < count; i++)
        leads[i] = leads[i] < 0 ? -1 : leads[i];
    return record_leads(w, support_random(&w->random, SETS), leads, count, step_ms);
}

/* Says what became of leads. */
static inline enum lf_status
say_outcomes(struct world *w, const int *leads, const struct said *said, size_t count)
{
    struct lf_stored_outcome outcomes[BATCH] = {{.lead_id = ""}};
    char ids[BATCH][16];
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "L%d", leads[i]);
        outcomes[i] = (struct lf_stored_outcome){.lead_id = ids[i],
                                                 .lead_id_len = strlen(ids[i]),
                                                 .outcome = said[i].outcome,
                                                 .value = said[i].value,
                                                 .at_ms = said[i].at_ms};
    }
    status = AROUND(lf_ledger_put_outcomes(w->ledger, w->f->store, outcomes, count, &w->f->error));
    for (size_t i = 0; status == LF_OK && i < count; i++)
        if (!w->said[leads[i]].any || said[i].at_ms >= w->said[leads[i]].at_ms)
            w->said[leads[i]] = said[i];
    return status;
}

static inline enum lf_status
say_some(struct world *w, size_t count)
{
    struct said said[BATCH];
    int leads[BATCH];

    for (size_t i = 0; i < count; i++) {
        leads[i] = (int)support_random(&w->random, LEADS);
        said[i] = (struct said){.any = true,
                                .outcome = (enum lf_outcome_word)support_random(&w->random, 3),
                                .value = (int64_t)support_random(&w->random, 5) * 1500000,
                                .at_ms = w->now_ms - (int64_t)support_random(&w->random, 4) * 1000};
    }
    return say_outcomes(w, leads, said, count);
}

/* Settles all there is, as an idle recorder does. */
static inline void
settle_now(struct world *w)
{
    struct fixture *f = w->f;
    bool more = false;

    do
        OK(lf_ledger_tend(w->ledger, f->store, true, &more, &f->error));
    while (more || lf_ledger_depth(w->ledger) > 0);
}

/* ---- the model ---- */

static inline bool
in_span(enum lf_rollup_span span, int64_t start_hour, int64_t ms)
{
    time_t start = (time_t)(start_hour * 3600), end = start;
    struct tm parts;

    if (span == LF_SPAN_MONTH) { /* by another calendar than the ledger's */
        (void)gmtime_r(&start, &parts);
        parts.tm_mon++;
        end = timegm(&parts);
    } else {
        end = start + (span == LF_SPAN_DAY ? 86400 : 3600);
    }
    return ms >= (int64_t)start * 1000 && ms < (int64_t)end * 1000;
}

struct agreement {
    struct world *w;
    const struct lf_icp *icp;
    int64_t scored, rows; /* in all rows of a span */
};

/* One row of counted scores against the model. */
static enum lf_status
tally_agrees(void *context, const struct lf_stored_rollup *rollup)
{
    struct agreement *agreement = context;
    struct world *w = agreement->w;
    int64_t scored = 0, leads = 0, qualified = 0, sum = 0, coverage = 0, engagement = 0, grades[32] = {0};
    struct lf_tally tally;
    struct lf_error error;

    lf_arena_reset(w->arena);
    assert_true(lf_tally_init(&tally, w->arena, agreement->icp));
    assert_int_equal(lf_tally_add(&tally, rollup->body, rollup->body_len, &error), LF_OK);
    for (size_t i = 0; i < w->told_count; i++) {
        const struct told *told = &w->told[i];

        if (told->version_id != rollup->version_id)
            continue;
        if (rollup->span == LF_SPAN_BASELINE ? scored == LF_BASELINE_SCORES
                                             : !in_span(rollup->span, rollup->start_hour, told->ms))
            continue;
        if (scored++ == 0)
            assert_int_equal(tally.first_ms, told->ms);
        leads += told->first;
        qualified += told->qualified;
        sum += told->score;
        coverage += told->coverage;
        engagement += told->engagement;
        grades[told->grade]++;
    }
    assert_int_equal(tally.scored, scored);
    assert_int_equal(tally.leads, leads);
    assert_int_equal(tally.qualified, qualified);
    assert_int_equal(tally.score_sum, sum);
    assert_int_equal(tally.coverage_sum, coverage);
    assert_int_equal(tally.engagement_sum, engagement);
    for (size_t i = 0; i <= agreement->icp->grade_count; i++)
        assert_int_equal(tally.grades[i], grades[i]);
    agreement->scored += scored;
    agreement->rows++;
    return LF_OK;
}

/* Whether a result is its lead's latest under the version, or under the ICP. */
static inline bool
is_latest(const struct world *w, const struct told *told, bool of_icp)
{
    if (told->lead < 0)
        return false;
    for (const struct told *other = told + 1; other < w->told + w->told_count; other++)
        if (other->lead == told->lead &&
            (of_icp ? other->icp_id == told->icp_id : other->version_id == told->version_id))
            return false;
    return true;
}

static enum lf_status
wins_agree(void *context, const struct lf_stored_rollup *rollup)
{
    struct agreement *agreement = context;
    struct world *w = agreement->w;
    struct lf_win_grade grades[32] = {{0}};
    struct lf_wins wins;
    struct lf_error error;

    lf_arena_reset(w->arena);
    assert_true(lf_wins_init(&wins, w->arena, agreement->icp));
    assert_int_equal(lf_wins_add(&wins, rollup->body, rollup->body_len, &error), LF_OK);
    for (size_t i = 0; i < w->told_count; i++) {
        const struct told *told = &w->told[i];
        struct lf_win_grade *grade = &grades[told->grade];

        if (told->version_id != rollup->version_id || !in_span(rollup->span, rollup->start_hour, told->ms) ||
            !is_latest(w, told, rollup->kind == LF_ROLLUP_ICP_WINS))
            continue;
        grade->leads++;
        agreement->scored++;
        if (!w->said[told->lead].any)
            continue;
        switch (w->said[told->lead].outcome) {
        case LF_OUTCOME_OPEN:
            grade->open++;
            break;
        case LF_OUTCOME_WON:
            grade->won++;
            grade->value_millionths += w->said[told->lead].value;
            break;
        case LF_OUTCOME_LOST:
            grade->lost++;
            break;
        }
    }
    for (size_t i = 0; i <= agreement->icp->grade_count; i++) {
        assert_int_equal(wins.grades[i].leads, grades[i].leads);
        assert_int_equal(wins.grades[i].open, grades[i].open);
        assert_int_equal(wins.grades[i].won, grades[i].won);
        assert_int_equal(wins.grades[i].lost, grades[i].lost);
        assert_int_equal(wins.grades[i].value * 1000000 + wins.grades[i].value_millionths, grades[i].value_millionths);
    }
    agreement->rows++;
    return LF_OK;
}

/* How many results there are of a version that count in rows of that kind. */
static inline int64_t
told_of(const struct world *w, int64_t version_id, enum lf_rollup_kind kind)
{
    int64_t count = 0;

    for (size_t i = 0; i < w->told_count; i++)
        count += w->told[i].version_id == version_id &&
                 (kind == LF_ROLLUP_TALLY || is_latest(w, &w->told[i], kind == LF_ROLLUP_ICP_WINS));
    return count;
}

static inline const struct lf_icp *
icp_of(const struct world *w, int64_t version_id)
{
    for (size_t set = 0; set < SETS; set++)
        for (size_t i = 0; i < w->sets[set]->count; i++)
            if (w->sets[set]->items[i].version_id == version_id)
                return w->sets[set]->items[i].icp;
    fail_msg("no such version");
    return w->sets[0]->items[0].icp; /* never */
}

static inline const char *
grade_of(const struct world *w, const struct told *told)
{
    const struct lf_icp *icp = icp_of(w, told->version_id);

    return told->grade < icp->grade_count ? icp->grades[told->grade].name : "DQ";
}

/* All rows of counted scores are right, and none is missing. */
static inline void
tallies_agree(struct world *w)
{
    struct fixture *f = w->f;

    for (size_t v = 0; v < SETS; v++) {
        int64_t all = told_of(w, w->versions[v], LF_ROLLUP_TALLY);

        for (int span = LF_SPAN_BASELINE; span <= LF_SPAN_MONTH; span++) {
            struct agreement agreement = {.w = w, .icp = icp_of(w, w->versions[v])};

            OK(lf_store_each_rollup(f->reader, w->versions[v], LF_ROLLUP_TALLY, (enum lf_rollup_span)span, 0, INT64_MAX,
                                    tally_agrees, &agreement, &f->error));
            assert_int_equal(agreement.scored,
                             span == LF_SPAN_BASELINE && all > LF_BASELINE_SCORES ? LF_BASELINE_SCORES : all);
        }
    }
}

/* The same of counted leads; all of them are settled. */
static inline void
all_wins_agree(struct world *w)
{
    struct fixture *f = w->f;

    for (size_t v = 0; v < SETS; v++) {
        for (int kind = LF_ROLLUP_WINS; kind <= LF_ROLLUP_ICP_WINS; kind++) {
            for (int span = LF_SPAN_HOUR; span <= LF_SPAN_MONTH; span++) {
                struct agreement agreement = {.w = w, .icp = icp_of(w, w->versions[v])};

                OK(lf_store_each_rollup(f->reader, w->versions[v], (enum lf_rollup_kind)kind, (enum lf_rollup_span)span,
                                        0, INT64_MAX, wins_agree, &agreement, &f->error));
                assert_int_equal(agreement.scored, told_of(w, w->versions[v], (enum lf_rollup_kind)kind));
            }
        }
    }
}

/* What the store knows of a lead is what the model does. */
static inline void
lead_agrees(struct world *w, int lead)
{
    struct fixture *f = w->f;
    struct lf_stored_lead stored;
    size_t count = 0;
    char id[16];

    (void)snprintf(id, sizeof id, "L%d", lead);
    for (size_t i = 0; i < w->told_count; i++)
        count += w->told[i].lead == lead && is_latest(w, &w->told[i], false);
    lf_arena_reset(w->arena);
    if (count == 0 && !w->said[lead].any) {
        FAILS(lf_store_lead(f->reader, w->arena, id, strlen(id), &stored, &f->error), LF_LEAD_NOT_FOUND);
        return;
    }
    OK(lf_store_lead(f->reader, w->arena, id, strlen(id), &stored, &f->error));
    assert_int_equal(stored.score_count, count);
    assert_int_equal(stored.has_outcome, w->said[lead].any);
    for (size_t i = 0; i < w->told_count; i++) {
        const struct told *told = &w->told[i];
        const struct lf_stored_lead_score *score = stored.scores;

        if (told->lead != lead || !is_latest(w, told, false))
            continue;
        while (score->version_id != told->version_id)
            score++;
        assert_memory_equal(score->score_id.bytes, told->id.bytes, LF_ULID_SIZE);
        assert_int_equal(score->latest, is_latest(w, told, true));
        assert_int_equal(score->score, told->score);
        assert_int_equal(score->coverage, told->coverage);
        assert_int_equal(score->qualified, told->qualified);
        assert_string_equal(score->grade, grade_of(w, told));
    }
}

struct lead_walk {
    const struct world *w;
    int lead;
    size_t at; /* in told, behind the one that comes next */
};

/* A lead's scores come one after the other, newest first; told knows one for each result. */
static enum lf_status
lead_score_agrees(void *context, const struct lf_stored_score *score)
{
    struct lead_walk *walk = context;

    do
        assert_true(walk->at-- > 0);
    while (walk->w->told[walk->at].lead != walk->lead);
    assert_memory_equal(walk->w->told[walk->at].id.bytes, score->id.bytes, LF_ULID_SIZE);
    while (walk->at > 0 && memcmp(walk->w->told[walk->at - 1].id.bytes, score->id.bytes, LF_ULID_SIZE) == 0)
        walk->at--;
    return LF_OK;
}

static inline void
lead_blocks_agree(struct world *w, int lead)
{
    struct fixture *f = w->f;
    struct lead_walk walk = {.w = w, .lead = lead, .at = w->told_count};
    struct lf_ulid all;
    char id[16];

    memset(all.bytes, 0xFF, sizeof all.bytes);
    (void)snprintf(id, sizeof id, "L%d", lead);
    OK(lf_store_each_lead_score(f->reader, w->arena, id, strlen(id), all, lead_score_agrees, &walk, &f->error));
    while (walk.at > 0)
        assert_int_not_equal(w->told[--walk.at].lead, lead);
}

/* What lf_ledger_check finds; the text of the first. */
static inline size_t
check_ledger(struct world *w, const char **ret_first, int64_t *ret_rollups)
{
    struct fixture *f = w->f;
    struct lf_findings findings;
    int64_t rollups = -1;

    lf_arena_reset(w->arena);
    lf_findings_init(&findings, w->arena);
    OK(lf_ledger_check(f->reader, w->catalog, &findings, &rollups, &f->error));
    if (ret_first != NULL)
        *ret_first = findings.count > 0 ? findings.items[0].detail : "";
    if (ret_rollups != NULL)
        *ret_rollups = rollups;
    return findings.count;
}

/* Nothing is wrong. */
static inline void
check_fine(struct world *w)
{
    const char *first = NULL;

    if (check_ledger(w, &first, NULL) > 0)
        fail_msg("the check found: %s", first);
}

/* Everything agrees with the model, once all is settled. */
static inline void
agree(struct world *w)
{
    settle_now(w);
    tallies_agree(w);
    all_wins_agree(w);
    for (int lead = 0; lead < LEADS; lead++) {
        lead_agrees(w, lead);
        lead_blocks_agree(w, lead);
    }
    check_fine(w);
}

#endif
