/* scoring_fixture.h - for the tests of scores that are recorded: five ICPs in a store, and the way of a lead through
 * them and back. */
#ifndef LF_TESTS_SCORING_FIXTURE_H
#define LF_TESTS_SCORING_FIXTURE_H

#include "app_fixture.h"
#include "base/hash.h"
#include "base/json.h"
#include "core/record.h"

#define NOW_MS INT64_C(1780000000000)

static inline struct lf_scoring
run(struct fixture *f, const struct lf_profiles *profiles, const struct lf_score_request *request)
{
    struct lf_scoring scoring;

    OK(lf_scoring_run(f->arena, profiles, request, NOW_MS, &scoring, &f->error));
    return scoring;
}

static inline const char *
tell(struct fixture *f, struct lf_scoring *scoring, const struct lf_ulid *id)
{
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 1 << 24);
    lf_scoring_tell(&buf, f->arena, scoring, id, id != NULL ? lf_ulid_ms(*id) : NOW_MS, 0);
    assert_non_null(lf_buf_terminate(&buf));
    return buf.data;
}

/* Records the scoring, with as much of the lead as the privacy lets; the answer that was given. */
static inline const char *
record_keeping(struct fixture *f, struct lf_scoring *scoring, const struct lf_privacy *privacy, struct lf_ulid *ret_id)
{
    struct lf_stored_score score;
    const struct lf_stored_score *scores[] = {&score};

    lf_program_withhold(scoring->profiles->program, privacy);
    OK(lf_scoring_record(f->arena, scoring, privacy, &score, &f->error));
    assert_true(lf_ulid_next(&f->mint, NOW_MS + 42, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));
    *ret_id = score.id;
    return tell(f, scoring, &score.id);
}

/* The same, whole or only what was read of it. */
static inline const char *
record(struct fixture *f, struct lf_scoring *scoring, bool whole, struct lf_ulid *ret_id)
{
    return record_keeping(f, scoring, keeping(f, whole ? LF_KEPT_WHOLE : LF_KEPT_FIELDS, ""), ret_id);
}

static inline struct lf_stored_score
fetch(struct fixture *f, struct lf_ulid id)
{
    struct lf_stored_score score;

    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error));
    return score;
}

static inline const char *
retell(struct fixture *f, struct lf_ulid id)
{
    struct lf_stored_score score = fetch(f, id);
    struct lf_buf buf;

    lf_buf_init(&buf, f->arena, 1 << 24);
    OK(lf_scoring_retell(f->reader, f->arena, &score, &buf, &f->error));
    assert_non_null(lf_buf_terminate(&buf));
    return buf.data;
}

/* Computed again from what was stored, it is the same, to the byte. */
static inline bool
repeats(struct fixture *f, struct lf_ulid id)
{
    struct lf_stored_score score = fetch(f, id);
    struct lf_repetition repetition = {.agrees = false};

    OK(lf_scoring_repeat(f->reader, f->arena, &score, NULL, NULL, true, &repetition, &f->error));
    assert_string_equal(repetition.recorded, retell(f, id));
    assert_true((strcmp(repetition.recorded, repetition.computed) == 0) == repetition.agrees);
    assert_true((repetition.what[0] == '\0') == repetition.agrees);
    assert_true((repetition.icp[0] == '\0') == repetition.agrees);
    return repetition.agrees;
}

/* The input that the recorded score keeps. */
static inline const char *
kept_input(struct fixture *f, struct lf_ulid id)
{
    struct lf_stored_score score = fetch(f, id);
    struct lf_record kept;

    OK(lf_record_read(f->arena, score.body, score.body_len, &kept, &f->error));
    return lf_arena_copy(f->arena, kept.input, kept.input_len);
}

/* The keys of the results, joined, in the order of `results` in the answer: read from the answer itself. */
static inline const char *
told_icps(struct fixture *f, const char *answer)
{
    const struct lf_json *root = NULL;
    struct lf_buf buf;

    OK(lf_json_parse(f->arena, answer, strlen(answer), &LF_JSON_DOCUMENT_LIMITS, &root, &f->error));
    lf_buf_init(&buf, f->arena, 4096);
    for (const struct lf_json *r = lf_json_first(lf_json_member(root, "results")); r != NULL; r = lf_json_next(r)) {
        size_t len = 0;
        const char *key = lf_json_text(lf_json_member(r, "icp"), &len);
        lf_buf_text(&buf, buf.len > 0 ? "," : "");
        lf_buf_add(&buf, key, len);
    }
    return lf_buf_terminate(&buf);
}

/* Two core ones, two experimental ones, one out of service. */
static inline struct lf_profiles *
five(struct fixture *f)
{
    publish_icp(f, "core-a", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "core-b", "core", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "bet-a", "experimental", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "bet-b", "experimental", PLAIN_ATTRIBUTES, 1);
    publish_icp(f, "old", "core", PLAIN_ATTRIBUTES, 1);
    archive_icp(f, "old");
    put_list(f, "competitors", "rival.example");
    return load_profiles(f);
}

#define LEAD                                                                                \
    "'lead':{'id':'L-1','company':{'name':'Mill','employees':860,'domain':'mill.example'}," \
    "'people':[{'name':'Ann','title':'VP Operations'},{'name':'Bo'}]}"

#endif
