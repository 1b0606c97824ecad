/*
 * listing_fixture.h - for the tests of leads in the store: leads that are scored under five versions of three ICPs and
 * settled, beside a model that keeps them in plain arrays and sorts them for every query.
 */
#ifndef LF_TESTS_LISTING_FIXTURE_H
#define LF_TESTS_LISTING_FIXTURE_H

#include "store_fixture.h"

enum { LEADS = 70, VERSIONS = 5, ICPS = 3 };

/* ICP and version in it of each version, in the order in which a lead's scores are told; ids are from 1 on. */
static const struct {
    int64_t icp_id, id;
    const char *icp;
    int version;
} VERSION[VERSIONS] = {{2, 3, "bank", 1}, {3, 4, "club", 1}, {3, 5, "club", 2}, {1, 1, "maker", 1}, {1, 2, "maker", 2}};

static const char *const GRADES[] = {"A", "B", "C", "DQ"}, *const LABELS[] = {"A1", "B2", ""};

/* ---- the model ---- */

struct model_lead {
    bool there;
    bool scored[VERSIONS];
    struct lf_stored_lead_score scores[VERSIONS];
    bool has_outcome;
    struct lf_stored_outcome outcome;
};

struct model {
    struct fixture *f;
    uint64_t random;
    struct model_lead leads[LEADS];
    int64_t last_block;
    int64_t now_ms;
};

static inline uint32_t
chance(struct model *m, uint32_t below)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(m->random >> 33) % below;
}

static inline const char *
id_of(int lead)
{
    static char ids[LEADS][32];

    (void)snprintf(ids[lead], sizeof ids[lead], "lead %d \xc3\xa9", lead);
    return ids[lead];
}

static inline struct model *
model_create(struct fixture *f, uint64_t seed)
{
    struct model *m = calloc(1, sizeof *m);

    assert_non_null(m);
    m->f = f;
    m->random = seed;
    m->now_ms = 1700000000000;
    publish(f, "maker", "{\"v\":1}", 1, 1, 1);
    publish(f, "maker", "{\"v\":2}", 2, 1, 2);
    publish(f, "bank", "{}", 3, 1, 1);
    publish(f, "club", "{\"v\":1}", 4, 1, 1);
    publish(f, "club", "{\"v\":2}", 5, 1, 2);
    return m;
}

/* Records a score that says nothing, so that there is a block for what is settled; its id. */
static inline struct lf_ulid
record(struct model *m)
{
    struct fixture *f = m->f;
    struct lf_stored_score score = {.lead_id = "", .body = ""};
    const struct lf_stored_score *scores[] = {&score};

    m->now_ms += chance(m, 3);
    assert_true(lf_ulid_next(&f->mint, m->now_ms, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, &m->last_block, &f->error));
    return score.id;
}

/* A lead is scored under some of the versions by one score; what is to be put goes to `changed`, returns how many. */
static inline size_t
score_lead(struct model *m, int which, struct lf_stored_lead_score changed[VERSIONS])
{
    struct model_lead *lead = &m->leads[which];
    struct lf_ulid id = record(m);
    bool put[VERSIONS] = {false};
    int first = (int)chance(m, VERSIONS);
    size_t count = 0;

    for (int v = 0; v < VERSIONS; v++) {
        if (v != first && chance(m, 3) != 0)
            continue;
        put[v] = true;
        lead->scored[v] = true;
        lead->scores[v] = (struct lf_stored_lead_score){
            .icp_id = VERSION[v].icp_id,
            .version_id = VERSION[v].id,
            .icp = VERSION[v].icp,
            .version = VERSION[v].version,
            .score_id = id,
            .latest = true,
            .qualified = chance(m, 3) != 0,
            .score = (int)chance(m, chance(m, 2) == 0 ? 5 : 10001), /* many are alike */
            .coverage = (int)chance(m, 10001),
            .engagement = (int)chance(m, 10001),
            .grade = GRADES[chance(m, 4)],
            .label = LABELS[chance(m, 3)],
            .result = "some result",
            .result_len = chance(m, 12),
        };
        for (int other = 0; other < VERSIONS; other++)
            if (other != v && VERSION[other].icp_id == VERSION[v].icp_id && lead->scored[other] &&
                lead->scores[other].latest) {
                lead->scores[other].latest = false;
                put[other] = true;
            }
    }
    lead->there = true;
    for (int v = 0; v < VERSIONS; v++)
        if (put[v])
            changed[count++] = lead->scores[v];
    return count;
}

/* Scores some leads and settles them in one commit. */
static inline void
settle_some(struct model *m, size_t count)
{
    struct fixture *f = m->f;
    struct lf_settled_lead leads[LEADS];
    struct lf_stored_lead_score scores[LEADS][VERSIONS];
    int64_t blocks[LEADS];
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        int which = (int)chance(m, LEADS);

        leads[used] =
            (struct lf_settled_lead){.lead_id = id_of(which), .scores = scores[used], .blocks = &blocks[used]};
        leads[used].lead_id_len = strlen(leads[used].lead_id);
        leads[used].score_count = score_lead(m, which, scores[used]);
        blocks[used] = m->last_block;
        leads[used].block_count = 1;
        used++;
    }
    OK(lf_store_settle(f->store, leads, used, NULL, 0, m->last_block, 0, &f->error));
}

static inline void
put_outcome(struct model *m)
{
    struct fixture *f = m->f;
    int which = (int)chance(m, LEADS);
    struct model_lead *lead = &m->leads[which];
    struct lf_stored_outcome outcome = {.lead_id = id_of(which),
                                        .lead_id_len = strlen(id_of(which)),
                                        .outcome = (enum lf_outcome_word)chance(m, 3),
                                        .value = chance(m, 100),
                                        .at_ms = (int64_t)chance(m, 20) - 5};

    OK(lf_store_put_outcomes(f->store, &outcome, 1, NULL, 0, &f->error));
    lead->there = true;
    if (lead->has_outcome && lead->outcome.at_ms > outcome.at_ms)
        return;
    lead->has_outcome = true;
    lead->outcome = outcome;
}

/* ---- holding the store against the model ---- */

static inline void
assert_same_score(const struct lf_stored_lead_score *found, const struct lf_stored_lead_score *expected, bool listed)
{
    assert_int_equal(found->icp_id, expected->icp_id);
    assert_int_equal(found->version_id, expected->version_id);
    assert_string_equal(found->icp, expected->icp);
    assert_int_equal(found->version, expected->version);
    assert_memory_equal(found->score_id.bytes, expected->score_id.bytes, LF_ULID_SIZE);
    assert_int_equal(found->latest, expected->latest);
    assert_int_equal(found->qualified, expected->qualified);
    assert_int_equal(found->score, expected->score);
    assert_int_equal(found->coverage, expected->coverage);
    assert_int_equal(found->engagement, expected->engagement);
    assert_string_equal(found->grade, expected->grade);
    assert_string_equal(found->label, expected->label);
    if (listed)
        return;
    assert_int_equal(found->result_len, expected->result_len);
    assert_memory_equal(found->result, expected->result, expected->result_len);
}

static inline void
assert_lead(struct model *m, int which)
{
    struct fixture *f = m->f;
    const struct model_lead *expected = &m->leads[which];
    struct lf_stored_lead lead;
    struct lf_stored_outcome outcome;
    const char *id = id_of(which);
    bool found = !expected->has_outcome;
    size_t count = 0;

    for (int64_t icp = 1; icp <= ICPS + 1; icp++) {
        bool known = false, expects = false;

        for (int v = 0; v < VERSIONS; v++)
            expects = expects || (expected->scored[v] && VERSION[v].icp_id == icp);
        OK(lf_store_knows_lead(f->reader, id, strlen(id), icp, &known, &f->error));
        assert_int_equal(known, expects);
    }
    OK(lf_store_outcome(f->reader, id, strlen(id), &found, &outcome, &f->error));
    assert_int_equal(found, expected->has_outcome);
    if (!expected->there) {
        FAILS(lf_store_lead(f->reader, f->arena, id, strlen(id), &lead, &f->error), LF_LEAD_NOT_FOUND);
        return;
    }
    OK(lf_store_lead(f->reader, f->arena, id, strlen(id), &lead, &f->error));
    assert_int_equal(lead.lead_id_len, strlen(id));
    assert_string_equal(lead.lead_id, id);
    assert_int_equal(lead.has_outcome, expected->has_outcome);
    assert_int_equal(lead.outcome.outcome, expected->outcome.outcome);
    assert_int_equal(lead.outcome.value, expected->outcome.value);
    assert_int_equal(lead.outcome.at_ms, expected->outcome.at_ms);
    for (int v = 0; v < VERSIONS; v++)
        if (expected->scored[v]) {
            assert_true(count < lead.score_count);
            assert_same_score(&lead.scores[count++], &expected->scores[v], false);
        }
    assert_int_equal(lead.score_count, count);
}

/* What the model says to a query, in order. */
struct entry {
    const struct lf_stored_lead_score *score;
    int lead;
};

static bool by_time; /* for compare alone */

static inline int
compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = 0;

    if (!by_time && a->score->score != b->score->score)
        return a->score->score > b->score->score ? -1 : 1;
    order = memcmp(b->score->score_id.bytes, a->score->score_id.bytes, LF_ULID_SIZE);
    return order != 0 ? order : strcmp(a->score->icp, b->score->icp);
}

static inline size_t
list_model(const struct model *m, const struct lf_lead_query *query, struct entry entries[LEADS * ICPS])
{
    size_t count = 0;

    for (int lead = 0; lead < LEADS; lead++)
        for (int v = 0; v < VERSIONS; v++) {
            const struct lf_stored_lead_score *score = &m->leads[lead].scores[v];

            if (!m->leads[lead].scored[v] || !score->latest ||
                (query->icp != NULL && strcmp(query->icp, score->icp) != 0) ||
                (query->grade != NULL && strcmp(query->grade, score->grade) != 0) ||
                (query->label != NULL && strcmp(query->label, score->label) != 0) ||
                (query->qualified >= 0 && (query->qualified == 1) != score->qualified) ||
                score->score < query->min_score)
                continue;
            entries[count++] = (struct entry){.score = score, .lead = lead};
        }
    by_time = query->by_time;
    qsort(entries, count, sizeof *entries, compare);
    return count;
}

static inline void
go_behind(struct lf_lead_query *query, const struct lf_listed_lead *lead)
{
    query->has_after = true;
    query->after_score = lead->score.score;
    query->after_id = lead->score.score_id;
    query->after_icp = lead->score.icp;
}

/* All pages of a query against the model. */
static inline void
assert_query(struct model *m, struct lf_lead_query query)
{
    struct fixture *f = m->f;
    struct entry expected[LEADS * ICPS];
    size_t count = list_model(m, &query, expected), at = 0;

    for (;;) {
        struct lf_listed_lead *leads = NULL;
        size_t found = 0;

        OK(lf_store_leads(f->reader, f->arena, &query, &leads, &found, &f->error));
        assert_int_equal(found, count - at < query.limit ? count - at : query.limit);
        for (size_t i = 0; i < found; i++, at++) {
            assert_same_score(&leads[i].score, expected[at].score, true);
            assert_int_equal(leads[i].score.result_len, 0);
            assert_int_equal(leads[i].lead_id_len, strlen(id_of(expected[at].lead)));
            assert_string_equal(leads[i].lead_id, id_of(expected[at].lead));
        }
        if (found < query.limit)
            break;
        go_behind(&query, &leads[found - 1]);
    }
    assert_int_equal(at, count);
}

static inline struct lf_lead_query
any_query(struct model *m)
{
    static const char *const KEYS[] = {"maker", "bank", "club", NULL, NULL};

    return (struct lf_lead_query){
        .icp = KEYS[chance(m, 5)],
        .grade = chance(m, 3) == 0 ? GRADES[chance(m, 4)] : NULL,
        .label = chance(m, 4) == 0 ? LABELS[chance(m, 3)] : NULL,
        .qualified = (int)chance(m, 3) - 1,
        .min_score = chance(m, 3) == 0 ? (int)chance(m, 10001) : 0,
        .by_time = chance(m, 2) == 0,
        .limit = 1 + chance(m, chance(m, 2) == 0 ? 3 : 100),
    };
}

static inline void
assert_model(struct model *m)
{
    for (int lead = 0; lead < LEADS; lead++)
        assert_lead(m, lead);
    for (int i = 0; i < 12; i++)
        assert_query(m, any_query(m));
    lf_arena_reset(m->f->arena);
}

#endif
