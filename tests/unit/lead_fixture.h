/*
 * lead_fixture.h - for the tests of what the store knows of leads: scores of a few leads under three versions of two
 * ICPs, recorded, settled, erased and taken away, beside a model that keeps all of it in plain arrays.
 */
#ifndef LF_TESTS_LEAD_FIXTURE_H
#define LF_TESTS_LEAD_FIXTURE_H

#include "store_fixture.h"

enum { MODEL_LEADS = 24, MODEL_SCORES = 6000, MODEL_VERSIONS = 3, MODEL_GHOSTS = 400 };

static const char *const MODEL_ICPS[MODEL_VERSIONS] = {"maker", "maker", "bank"};

/* A recorded score. */
struct model_score {
    struct lf_ulid id;
    int64_t block;
    int lead;    /* -1: it named none */
    int version; /* from 0 */
    size_t size; /* of its body, as it was recorded */
    bool erased, pruned;
};

/* Who was erased and still counts. */
struct model_ghost {
    struct lf_ulid latest[MODEL_VERSIONS]; /* all zeros: none */
    bool has_outcome;
};

struct model {
    struct fixture *f;
    uint64_t random;
    struct model_score scores[MODEL_SCORES];
    size_t count;
    int64_t now_ms, settled, last_block;
    bool has_outcome[MODEL_LEADS];
    int64_t outcome_ms[MODEL_LEADS];
    struct model_ghost ghosts[MODEL_GHOSTS];
    size_t ghost_count;
    int64_t version_ids[MODEL_VERSIONS], icp_ids[MODEL_VERSIONS];
};

static inline uint32_t
chance(struct model *m, uint32_t below)
{
    m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(m->random >> 33) % below;
}

/* Ids of very different lengths, among them one with a NUL. */
static inline const char *
model_id(int lead, size_t *ret_len)
{
    static char ids[MODEL_LEADS][LF_SCORE_LEAD_ID_MAX + 1];
    static size_t lens[MODEL_LEADS];

    if (lens[lead] == 0) {
        size_t len = lead == 1 ? 1 : lead == 2 ? LF_SCORE_LEAD_ID_MAX : 6 + (size_t)lead * 8;

        memset(ids[lead], 'a' + lead, len);
        if (lead == 3)
            ids[lead][2] = '\0';
        lens[lead] = len;
    }
    *ret_len = lens[lead];
    return ids[lead];
}

static inline struct model *
model_create(struct fixture *f, uint64_t seed)
{
    static const char *const DOCUMENTS[MODEL_VERSIONS] = {"{\"v\":1}", "{\"v\":2}", "{}"};
    struct model *m = calloc(1, sizeof *m);

    assert_non_null(m);
    /* Nobody pulls a plug here, and there are thousands of commits. */
    OK(lf_sqlite_exec(&((struct lf_sqlite_store *)f->store)->writer, "PRAGMA synchronous = OFF", &f->error));
    m->f = f;
    m->random = seed;
    m->now_ms = 1700000000000;
    for (int i = 0; i < MODEL_VERSIONS; i++) {
        struct lf_stored_version stored;

        publish(f, MODEL_ICPS[i], DOCUMENTS[i], (uint8_t)(i + 1), 100 + i, i == 1 ? 2 : 1);
        OK(lf_store_version(f->reader, f->arena, MODEL_ICPS[i], i == 1 ? 2 : 1, &stored, &f->error));
        m->version_ids[i] = stored.id;
        m->icp_ids[i] = stored.icp_id;
    }
    return m;
}

/* What the body of a score is: its number, told again and again. */
static inline void
model_body(size_t number, char *body, size_t size)
{
    char text[32];
    int len = snprintf(text, sizeof text, "score %zu.", number);

    for (size_t i = 0; i < size; i++)
        body[i] = text[i % (size_t)len];
}

/* What a commit of the model keeps with its scores. */
struct model_answers {
    struct lf_stored_answer *items; /* first_score and last_score are written */
    size_t (*spans)[2];             /* of each: its first and last score, counted from the commit's first */
    size_t count;
};

/* Records a score for each of these leads in one commit; -2: of any, -1: of none. size 0: of any size. */
static inline void
model_record_for(struct model *m, const int *leads, size_t count, size_t size, const struct model_answers *answers)
{
    struct fixture *f = m->f;
    struct lf_stored_score *scores = calloc(count, sizeof *scores);
    const struct lf_stored_score **pointers = calloc(count, sizeof(struct lf_stored_score *));
    const struct lf_stored_answer **told = calloc(answers->count + 1, sizeof(struct lf_stored_answer *));
    int64_t *blocks = calloc(count, sizeof *blocks);
    const struct lf_recording recording = {
        .scores = pointers, .count = count, .answers = told, .answer_count = answers->count, .ret_blocks = blocks};

    assert_true(scores != NULL && pointers != NULL && told != NULL && blocks != NULL);
    assert_true(m->count + count <= MODEL_SCORES);
    for (size_t i = 0; i < count; i++) {
        struct model_score *score = &m->scores[m->count + i];
        char *body = NULL;

        score->lead = leads[i] != -2 ? leads[i] : (int)chance(m, MODEL_LEADS + 1) - 1;
        score->version = (int)chance(m, MODEL_VERSIONS);
        score->size = size != 0 ? size : chance(m, 20) == 0 ? 30000 + chance(m, 300000) : 1 + chance(m, 300);
        m->now_ms += chance(m, 3);
        assert_true(lf_ulid_next(&f->mint, m->now_ms, &score->id));
        body = malloc(score->size);
        assert_non_null(body);
        model_body(m->count + i, body, score->size);
        scores[i] = (struct lf_stored_score){
            .id = score->id, .as_of_ms = m->now_ms - 5, .lead_id = "", .body = body, .body_len = score->size};
        if (score->lead >= 0)
            scores[i].lead_id = model_id(score->lead, &scores[i].lead_id_len);
        pointers[i] = &scores[i];
    }
    for (size_t i = 0; i < answers->count; i++) {
        answers->items[i].first_score = scores[answers->spans[i][0]].id;
        answers->items[i].last_score = scores[answers->spans[i][1]].id;
        told[i] = &answers->items[i];
    }
    OK(lf_store_record(f->store, &recording, &f->error));
    for (size_t i = 0; i < count; i++) {
        union {
            const void *body;
            void *memory;
        } made = {.body = scores[i].body};

        m->scores[m->count + i].block = m->last_block = blocks[i];
        free(made.memory);
    }
    m->count += count;
    free(scores);
    free(pointers);
    free(told);
    free(blocks);
}

/* Records so many scores in one commit, all of one lead as above. */
static inline void
model_record(struct model *m, size_t count, int lead, size_t size)
{
    int *leads = calloc(count, sizeof *leads);

    assert_non_null(leads);
    for (size_t i = 0; i < count; i++)
        leads[i] = lead;
    model_record_for(m, leads, count, size, &(struct model_answers){.count = 0});
    free(leads);
}

/* The newest score of the lead under a version, of those in blocks up to `block`; NULL for none. */
static inline const struct model_score *
model_latest(const struct model *m, int lead, int version, int64_t block)
{
    for (size_t i = m->count; i > 0; i--) {
        const struct model_score *score = &m->scores[i - 1];

        if (score->lead == lead && score->version == version && !score->erased && !score->pruned &&
            score->block <= block)
            return score;
    }
    return NULL;
}

/* All versions' latest scores; returns how many there are. */
static inline size_t
model_lead_scores(const struct model *m, int lead, int64_t block, struct lf_stored_lead_score scores[MODEL_VERSIONS])
{
    static const int ORDER[MODEL_VERSIONS] = {2, 0, 1}; /* by ICP's key, then version */
    const struct model_score *latest[MODEL_VERSIONS];
    size_t count = 0;

    for (int i = 0; i < MODEL_VERSIONS; i++)
        latest[i] = model_latest(m, lead, i, block);
    for (int i = 0; i < MODEL_VERSIONS; i++) {
        int version = ORDER[i], other = version == 0 ? 1 : version == 1 ? 0 : -1;
        const struct model_score *score = latest[version], *rival = other < 0 ? NULL : latest[other];

        if (score == NULL)
            continue;
        scores[count++] = (struct lf_stored_lead_score){
            .icp_id = m->icp_ids[version],
            .version_id = m->version_ids[version],
            .score_id = score->id,
            .latest = rival == NULL || memcmp(rival->id.bytes, score->id.bytes, LF_ULID_SIZE) < 0,
            .score = (int)(score->size % 10000),
            .grade = "A",
            .label = "A1",
            .result = "result",
            .result_len = 6,
        };
    }
    return count;
}

/* Settles what is recorded, at most so many blocks. */
static inline void
model_settle(struct model *m, int64_t most)
{
    struct fixture *f = m->f;
    struct lf_settled_lead leads[MODEL_LEADS];
    struct lf_stored_lead_score scores[MODEL_LEADS][MODEL_VERSIONS];
    int64_t to = m->last_block - m->settled > most ? m->settled + most : m->last_block, *blocks = NULL;
    size_t count = 0, used = 0;

    blocks = calloc(m->count + 1, sizeof *blocks);
    assert_non_null(blocks);
    for (int lead = 0; lead < MODEL_LEADS; lead++) {
        size_t begin = used;

        for (size_t i = 0; i < m->count; i++) {
            const struct model_score *score = &m->scores[i];

            if (score->lead == lead && !score->erased && score->block > m->settled && score->block <= to &&
                (used == begin || blocks[used - 1] != score->block))
                blocks[used++] = score->block;
        }
        if (used == begin)
            continue;
        leads[count] =
            (struct lf_settled_lead){.scores = scores[count], .blocks = blocks + begin, .block_count = used - begin};
        leads[count].lead_id = model_id(lead, &leads[count].lead_id_len);
        leads[count].score_count = model_lead_scores(m, lead, to, scores[count]);
        count++;
    }
    OK(lf_store_settle(f->store, leads, count, NULL, 0, to, 0, &f->error));
    m->settled = to;
    free(blocks);
}

static inline void
model_put_outcome(struct model *m, int lead)
{
    struct fixture *f = m->f;
    struct lf_stored_outcome outcome = {.outcome = LF_OUTCOME_WON, .value = 1000000, .at_ms = m->now_ms};

    outcome.lead_id = model_id(lead, &outcome.lead_id_len);
    OK(lf_store_put_outcomes(f->store, &outcome, 1, NULL, 0, &f->error));
    m->has_outcome[lead] = true;
    m->outcome_ms[lead] = m->now_ms;
}

/* Whether the store knows the lead. */
static inline bool
model_knows(const struct model *m, int lead)
{
    struct lf_stored_lead_score scores[MODEL_VERSIONS];

    return m->has_outcome[lead] || model_lead_scores(m, lead, m->settled, scores) > 0;
}

static const char NAMELESS[] = "what is left";

static inline enum lf_status
anonymise(void *context, const struct lf_stored_score *score, struct lf_buf *body, struct lf_error *error)
{
    struct model *m = context;

    (void)error;
    if (m != NULL) {
        size_t i = 0;

        while (memcmp(m->scores[i].id.bytes, score->id.bytes, LF_ULID_SIZE) != 0)
            i++;
        assert_int_equal(score->body_len, m->scores[i].size);
    }
    lf_buf_text(body, NAMELESS);
    return LF_OK;
}

/* What the model makes of an erasure that has come to its end. */
static inline void
model_forget(struct model *m, int lead)
{
    struct model_ghost ghost = {.has_outcome = m->has_outcome[lead]};
    bool counts = false;

    for (int i = 0; i < MODEL_VERSIONS; i++) {
        const struct model_score *latest = model_latest(m, lead, i, m->settled);

        if (latest != NULL) {
            ghost.latest[i] = latest->id;
            counts = true;
        }
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->scores[i].lead == lead && m->scores[i].block <= m->settled) {
            m->scores[i].erased = true;
            m->scores[i].lead = -1;
        }
    m->has_outcome[lead] = false;
    if (counts) {
        assert_true(m->ghost_count < MODEL_GHOSTS);
        m->ghosts[m->ghost_count++] = ghost;
    }
}

/* Erases the lead, in slices of so many blocks; returns how many slices it took. */
static inline size_t
model_erase(struct model *m, int lead, size_t blocks)
{
    struct fixture *f = m->f;
    struct lf_change change = by_ops(m->now_ms);
    size_t len = 0, slices = 0;
    const char *id = model_id(lead, &len);
    bool more = true;

    for (; more; slices++)
        OK(lf_store_erase_lead(f->store, id, len, blocks, anonymise, m, &change, &more, &f->error));
    model_forget(m, lead);
    return slices;
}

static inline bool
is_zero(struct lf_ulid id)
{
    static const struct lf_ulid ZERO;

    return memcmp(id.bytes, ZERO.bytes, LF_ULID_SIZE) == 0;
}

/* What the model makes of blocks taken away, as far as that was done; returns the last one's id. */
static inline int64_t
model_forget_before(struct model *m, int64_t before_ms)
{
    bool touched[MODEL_LEADS] = {false};
    struct lf_ulid last = {{0}};
    int64_t gone = 0;
    size_t end = 0, ghosts = 0;

    while (end < m->count) { /* a block after the other: all of it or nothing */
        size_t next = end;

        while (next < m->count && m->scores[next].block == m->scores[end].block)
            next++;
        if (m->scores[end].block > m->settled || lf_ulid_ms(m->scores[next - 1].id) >= before_ms)
            break;
        gone = m->scores[end].block;
        end = next;
    }
    for (size_t i = 0; i < end; i++) {
        if (!m->scores[i].pruned && m->scores[i].lead >= 0)
            touched[m->scores[i].lead] = true;
        m->scores[i].pruned = true;
        last = m->scores[i].id;
    }
    for (int lead = 0; lead < MODEL_LEADS; lead++) {
        struct lf_stored_lead_score scores[MODEL_VERSIONS];

        if (touched[lead] && model_lead_scores(m, lead, m->settled, scores) == 0)
            m->has_outcome[lead] = false;
    }
    for (size_t i = 0; i < m->ghost_count; i++) {
        bool counts = false;

        for (int v = 0; v < MODEL_VERSIONS; v++) {
            if (memcmp(m->ghosts[i].latest[v].bytes, last.bytes, LF_ULID_SIZE) <= 0)
                m->ghosts[i].latest[v] = (struct lf_ulid){{0}};
            counts = counts || !is_zero(m->ghosts[i].latest[v]);
        }
        if (counts)
            m->ghosts[ghosts++] = m->ghosts[i];
    }
    m->ghost_count = ghosts;
    return gone;
}

/* Takes away what was recorded before, in slices of so many blocks. */
static inline void
model_prune(struct model *m, int64_t before_ms, size_t blocks)
{
    struct lf_stored_lead_score scores[MODEL_VERSIONS];
    struct fixture *f = m->f;
    bool more = true;

    while (more)
        OK(lf_store_prune(f->store, before_ms, blocks, &more, &f->error));
    (void)model_forget_before(m, before_ms);
    for (int lead = 0; lead < MODEL_LEADS; lead++) /* old outcomes of whoever has no score */
        if (m->outcome_ms[lead] < before_ms && model_lead_scores(m, lead, m->settled, scores) == 0)
            m->has_outcome[lead] = false;
}

/* ---- holding the store against the model ---- */

static inline void
assert_score(const struct model *m, size_t number, const struct lf_stored_score *score)
{
    const struct model_score *expected = &m->scores[number];
    size_t len = 0;
    const char *id = expected->lead >= 0 ? model_id(expected->lead, &len) : "";
    char *body = malloc(expected->size);

    assert_non_null(body);
    assert_memory_equal(score->id.bytes, expected->id.bytes, LF_ULID_SIZE);
    assert_int_equal(score->lead_id_len, len);
    assert_memory_equal(score->lead_id, id, len);
    model_body(number, body, expected->size);
    if (expected->erased) {
        assert_int_equal(score->body_len, strlen(NAMELESS));
        assert_memory_equal(score->body, NAMELESS, strlen(NAMELESS));
    } else {
        assert_int_equal(score->body_len, expected->size);
        assert_memory_equal(score->body, body, expected->size);
    }
    free(body);
}

/* A walk over the store's scores beside one over the model's. */
struct beside {
    const struct model *m;
    size_t at;          /* number of the score that came last (forward: that comes next) */
    int lead;           /* only hers; -2: all */
    int64_t behind, to; /* only these blocks */
    size_t stop_at;     /* ends it after so many, 0: never */
    size_t count;
};

static inline bool
beside_wants(const struct beside *b, size_t number)
{
    const struct model_score *score = &b->m->scores[number];

    return !score->pruned && score->block > b->behind && score->block <= b->to &&
           (b->lead == -2 || score->lead == b->lead);
}

static inline enum lf_status
beside_back(void *context, const struct lf_stored_score *score)
{
    struct beside *b = context;

    do {
        assert_true(b->at > 0);
        b->at--;
    } while (!beside_wants(b, b->at));
    assert_score(b->m, b->at, score);
    return ++b->count == b->stop_at ? LF_CONFLICT : LF_OK;
}

static inline enum lf_status
beside_forward(void *context, int64_t block, const struct lf_stored_score *score)
{
    struct beside *b = context;

    while (b->at < b->m->count && !beside_wants(b, b->at))
        b->at++;
    assert_true(b->at < b->m->count);
    assert_int_equal(block, b->m->scores[b->at].block);
    assert_score(b->m, b->at++, score);
    return ++b->count == b->stop_at ? LF_CONFLICT : LF_OK;
}

/* That the walk left nothing out. */
static inline void
assert_none_left(struct beside *b, bool forward)
{
    if (forward)
        for (; b->at < b->m->count; b->at++)
            assert_false(beside_wants(b, b->at));
    else
        while (b->at > 0)
            assert_false(beside_wants(b, --b->at));
}

static inline void
assert_lead_scores(struct model *m, int lead, struct lf_ulid before)
{
    struct fixture *f = m->f;
    struct beside b = {.m = m, .lead = lead, .to = m->settled};
    struct lf_arena *arena = lf_arena_create(4096, (size_t)1 << 26);
    size_t len = 0;
    const char *id = model_id(lead, &len);

    while (b.at < m->count && memcmp(m->scores[b.at].id.bytes, before.bytes, LF_ULID_SIZE) < 0)
        b.at++;
    OK(lf_store_each_lead_score(f->reader, arena, id, len, before, beside_back, &b, &f->error));
    assert_none_left(&b, false);
    lf_arena_destroy(arena);
}

static inline void
assert_scores_behind(struct model *m, int64_t block, int64_t last)
{
    struct fixture *f = m->f;
    struct beside b = {.m = m, .lead = -2, .behind = block, .to = last};
    struct lf_arena *arena = lf_arena_create(4096, (size_t)1 << 26);

    OK(lf_store_each_score_behind(f->reader, arena, block, last, beside_forward, &b, &f->error));
    assert_none_left(&b, true);
    lf_arena_destroy(arena);
}

static inline void
assert_lead(struct model *m, int lead)
{
    struct fixture *f = m->f;
    struct lf_stored_lead_score expected[MODEL_VERSIONS];
    struct lf_stored_lead stored;
    size_t len = 0, count = model_lead_scores(m, lead, m->settled, expected);
    const char *id = model_id(lead, &len);

    if (!model_knows(m, lead)) {
        FAILS(lf_store_lead(f->reader, f->arena, id, len, &stored, &f->error), LF_LEAD_NOT_FOUND);
        return;
    }
    OK(lf_store_lead(f->reader, f->arena, id, len, &stored, &f->error));
    assert_int_equal(stored.has_outcome, m->has_outcome[lead]);
    assert_int_equal(stored.score_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(stored.scores[i].version_id, expected[i].version_id);
        assert_memory_equal(stored.scores[i].score_id.bytes, expected[i].score_id.bytes, LF_ULID_SIZE);
        assert_int_equal(stored.scores[i].latest, expected[i].latest);
        assert_int_equal(stored.scores[i].score, expected[i].score);
    }
}

/* Leads as lf_store_each_lead tells them. */
struct told {
    struct model *m;
    size_t named, nameless;
};

static inline enum lf_status
tell_lead(void *context, const struct lf_stored_lead *lead)
{
    struct told *told = context;
    const struct model_ghost *ghost = NULL;

    if (lead->lead_id_len > 0) {
        told->named++;
        return LF_OK;
    }
    /* Which of them it is: the one with these latest scores. */
    for (size_t i = 0; i < told->m->ghost_count; i++)
        for (int v = 0; v < MODEL_VERSIONS; v++)
            if (lead->score_count > 0 && lead->scores[0].version_id == told->m->version_ids[v] &&
                memcmp(lead->scores[0].score_id.bytes, told->m->ghosts[i].latest[v].bytes, LF_ULID_SIZE) == 0)
                ghost = &told->m->ghosts[i];
    if (ghost == NULL) {
        fail_msg("a lead without a name that nobody erased");
        return LF_INTERNAL; /* for compilers that do not know that failing does not return */
    }
    assert_int_equal(lead->has_outcome, ghost->has_outcome);
    for (int v = 0; v < MODEL_VERSIONS; v++) {
        size_t i = 0;

        while (i < lead->score_count && lead->scores[i].version_id != told->m->version_ids[v])
            i++;
        assert_int_equal(i < lead->score_count, !is_zero(ghost->latest[v]));
        if (i < lead->score_count)
            assert_memory_equal(lead->scores[i].score_id.bytes, ghost->latest[v].bytes, LF_ULID_SIZE);
    }
    told->nameless++;
    return LF_OK;
}

static inline void
assert_leads(struct model *m)
{
    struct fixture *f = m->f;
    struct told told = {.m = m};
    struct lf_arena *arena = lf_arena_create(4096, (size_t)1 << 24);
    size_t named = 0;

    for (int lead = 0; lead < MODEL_LEADS; lead++)
        named += model_knows(m, lead) ? 1 : 0;
    OK(lf_store_each_lead(f->reader, arena, tell_lead, &told, &f->error));
    assert_int_equal(told.named, named);
    assert_int_equal(told.nameless, m->ghost_count);
    lf_arena_destroy(arena);
}

/* Holds everything against the model. */
static inline void
assert_model(struct model *m)
{
    static const struct lf_ulid ALL = {
        {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}};
    struct fixture *f = m->f;
    struct lf_store_progress progress;
    struct lf_stored_score score;
    int64_t there = 0;

    for (int lead = 0; lead < MODEL_LEADS; lead++) {
        assert_lead(m, lead);
        assert_lead_scores(m, lead, ALL);
        if (m->count > 0)
            assert_lead_scores(m, lead, m->scores[chance(m, (uint32_t)m->count)].id);
    }
    assert_leads(m);
    assert_scores_behind(m, 0, INT64_MAX);
    assert_scores_behind(m, chance(m, (uint32_t)m->last_block + 2), chance(m, (uint32_t)m->last_block + 2));
    for (size_t i = 0; i < m->count; i++) {
        there += m->scores[i].pruned ? 0 : 1;
        if (chance(m, 16) != 0)
            continue;
        lf_arena_reset(f->arena);
        if (m->scores[i].pruned) {
            FAILS(lf_store_score(f->reader, f->arena, m->scores[i].id, &score, &f->error), LF_SCORE_NOT_FOUND);
        } else {
            OK(lf_store_score(f->reader, f->arena, m->scores[i].id, &score, &f->error));
            assert_score(m, i, &score);
        }
    }
    assert_int_equal(count_scores(f), there);
    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.settled_block, m->settled);
    lf_arena_reset(f->arena);
    assert_int_equal(check(f, false, NULL), 0);
}

#endif
