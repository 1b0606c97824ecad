/* history_fixture.h - for the tests of a lead's history: a lead and all that was true when it was scored, and what a
 * change must come to by that. */
#ifndef LF_TESTS_HISTORY_FIXTURE_H
#define LF_TESTS_HISTORY_FIXTURE_H

#include "app/history.h"
#include "replay_fixture.h"

#include "base/text.h"

#define DAY_MS INT64_C(86400000)

enum { LEAD_MAX = 400 /* scores of one test */ };

/* A recorded score, with what was true when it was made. */
struct truth {
    struct lf_ulid id;
    const struct lf_json *lead;
    int64_t as_of_ms;
    struct lf_profiles *profiles;
};

/* One lead and all that is known of it. */
struct world {
    struct fixture *f;
    const struct lf_privacy *privacy; /* as of now */
    struct lf_profiles *profiles;     /* as of now */
    struct lf_profiles *all[LEAD_MAX + 100];
    size_t all_count;
    struct truth scores[LEAD_MAX]; /* oldest first */
    size_t count;
    struct lf_catalog *catalog;
};

/* ---- helpers ---- */

/* Takes over what is published and listed now. */
static inline void
renew(struct world *world)
{
    world->profiles = load_profiles_keeping(world->f, world->privacy);
    assert_true(world->all_count < sizeof world->all / sizeof *world->all);
    world->all[world->all_count++] = world->profiles;
}

static inline struct world *
begin(struct fixture *f, enum lf_kept kept, const char *never)
{
    struct world *world = lf_arena_calloc(f->arena, 1, sizeof *world);

    assert_non_null(world);
    world->f = f;
    world->privacy = keeping(f, kept, never);
    world->catalog = lf_catalog_create();
    assert_non_null(world->catalog);
    return world;
}

static inline void
end(struct world *world)
{
    for (size_t i = 0; i < world->all_count; i++)
        lf_profiles_destroy(world->all[i]);
    lf_catalog_destroy(world->catalog);
}

static inline void
publish_next(struct world *world, const char *key, const char *purpose, const char *members, int version)
{
    publish_icp(world->f, key, purpose, members, version);
    renew(world);
}

static inline void
change_list(struct world *world, const char *key, const char *entry)
{
    put_list(world->f, key, entry);
    renew(world);
}

/* Notes that a block holds a score of the lead, as settling does. */
static inline void
settle(struct fixture *f, const char *lead_id, int64_t block)
{
    struct lf_settled_lead lead = {
        .lead_id = lead_id, .lead_id_len = strlen(lead_id), .blocks = &block, .block_count = 1};

    OK(lf_store_settle(f->store, &lead, 1, NULL, 0, 0, 0, &f->error));
}

/* Scores the lead (an object as text, whose id is L) as of that time, and records it. */
static inline struct lf_ulid
record_as_of(struct world *world, const char *lead, const char *icps, int64_t as_of_ms)
{
    struct fixture *f = world->f;
    const char *named = icps[0] != '\0' ? lf_arena_printf(f->arena, ",'icps':[%s]", icps) : "";
    struct lf_score_request request = request_of(f, lf_arena_printf(f->arena, "{'lead':%s%s}", lead, named));
    struct truth *truth = &world->scores[world->count++];
    struct lf_scoring scoring;
    struct lf_stored_score score;
    const struct lf_stored_score *scores[] = {&score};
    int64_t block = 0;

    assert_true(world->count <= LEAD_MAX);
    OK(lf_scoring_run(f->arena, world->profiles, &request, as_of_ms, &scoring, &f->error));
    OK(lf_scoring_record(f->arena, &scoring, world->privacy, &score, &f->error));
    assert_true(lf_ulid_next(&f->mint, NOW_MS + (int64_t)world->count, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, &block, &f->error));
    settle(f, "L", block);
    *truth = (struct truth){score.id, request.lead, as_of_ms, world->profiles};
    return score.id;
}

static inline struct lf_history
read_page(struct world *world, const struct lf_history_query *query)
{
    struct lf_list_source lists = lf_profiles_lists(world->profiles);
    struct lf_history_source source = {world->f->reader, world->catalog, &lists, world->privacy};
    struct fixture *f = world->f;
    struct lf_history history;

    OK(lf_history_read(&source, f->arena, query, &history, &f->error));
    return history;
}

static inline struct lf_history_query
all_of(const char *icp, size_t limit)
{
    return (struct lf_history_query){.lead_id = "L", .lead_id_len = 1, .icp = icp, .after_icp = "", .limit = limit};
}

static inline struct lf_history
read_all(struct world *world)
{
    struct lf_history_query query = all_of(NULL, 1000000);

    return read_page(world, &query);
}

static inline const struct truth *
find_truth(const struct world *world, struct lf_ulid id)
{
    for (size_t i = 0; i < world->count; i++)
        if (same_id(world->scores[i].id, id))
            return &world->scores[i];
    fail_msg("a score that nobody has made");
    return &world->scores[0]; /* not reached */
}

/* The score of a lead under the ICP of some time, computed. */
static inline int
score_of(struct fixture *f, const struct lf_profiles *profiles, const char *icp, const struct lf_json *lead,
         int64_t as_of_ms)
{
    size_t index = lf_program_find(profiles->program, icp);
    struct lf_evaluation *evaluation = lf_evaluation_create(profiles->program, f->arena, lead, as_of_ms);
    const struct lf_outcome *outcome = NULL;
    struct lf_score score;

    assert_true(index != SIZE_MAX);
    assert_non_null(evaluation);
    outcome = lf_evaluate(evaluation, index);
    assert_non_null(outcome);
    assert_true(lf_score_outcome(profiles->items[index].scorer, outcome, f->arena, &score));
    return score.axes[LF_AXIS_FIT].score;
}

/* Holds every entry against what is true. Returns how many are exact. */
static inline size_t
check_truth(struct world *world, const struct lf_history *history)
{
    size_t exact = 0;

    for (size_t i = 0; i < history->count; i++) {
        const struct lf_history_entry *entry = &history->entries[i];
        const struct truth *new = find_truth(world, entry->score_id), *old = NULL;
        const struct lf_score_change *change = &entry->change;
        int steps[4];

        assert_int_equal(entry->score, score_of(world->f, new->profiles, entry->icp, new->lead, new->as_of_ms));
        assert_true(entry->as_of_ms == new->as_of_ms);
        if (!entry->has_previous) {
            assert_true(change->exact);
            assert_int_equal(change->data, 0);
            assert_int_equal(change->profile, 0);
            assert_int_equal(change->time, 0);
            continue;
        }
        old = find_truth(world, entry->previous);
        assert_true(old < new);
        for (const struct truth *between = old + 1; between < new; between++)
            if (lf_program_find(between->profiles->program, entry->icp) != SIZE_MAX)
                fail_msg("there is a score between the two");
        steps[0] = score_of(world->f, old->profiles, entry->icp, old->lead, old->as_of_ms);
        steps[1] = score_of(world->f, old->profiles, entry->icp, new->lead, old->as_of_ms);
        steps[2] = score_of(world->f, new->profiles, entry->icp, new->lead, old->as_of_ms);
        steps[3] = entry->score;
        assert_int_equal(change->data + change->profile + change->time, steps[3] - steps[0]);
        if (!change->exact)
            continue;
        exact++;
        if (change->data != steps[1] - steps[0] || change->profile != steps[2] - steps[1] ||
            change->time != steps[3] - steps[2])
            fail_msg("entry %zu of %s: told %d %d %d, true is %d %d %d", i, entry->icp, change->data, change->profile,
                     change->time, steps[1] - steps[0], steps[2] - steps[1], steps[3] - steps[2]);
    }
    return exact;
}

static inline void
assert_change(const struct lf_history_entry *entry, int data, int profile, int time, bool exact)
{
    assert_int_equal(entry->change.data, data);
    assert_int_equal(entry->change.profile, profile);
    assert_int_equal(entry->change.time, time);
    assert_int_equal(entry->change.exact, exact);
}

#endif
