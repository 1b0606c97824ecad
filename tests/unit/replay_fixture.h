/* replay_fixture.h - for the tests of what looks back at recorded leads: leads scored and recorded in short. */
#ifndef LF_TESTS_REPLAY_FIXTURE_H
#define LF_TESTS_REPLAY_FIXTURE_H

#include "app_fixture.h"

#define NOW_MS INT64_C(1780000000000)

/* Scores the lead (an object as text) under these ICPs ("'a','b'"; "" for all that are active) at a time, and records
 * it as the privacy lets. The profiles are those of then, and withhold by the same privacy. */
static inline struct lf_ulid
record_lead_keeping(struct fixture *f, const struct lf_profiles *profiles, const char *lead, const char *icps,
                    int64_t at_ms, const struct lf_privacy *privacy)
{
    const char *named = icps[0] != '\0' ? lf_arena_printf(f->arena, ",'icps':[%s]", icps) : "";
    struct lf_score_request request = request_of(f, lf_arena_printf(f->arena, "{'lead':%s%s}", lead, named));
    struct lf_scoring scoring;
    struct lf_stored_score score;
    const struct lf_stored_score *scores[] = {&score};

    OK(lf_scoring_run(f->arena, profiles, &request, at_ms, &scoring, &f->error));
    OK(lf_scoring_record(f->arena, &scoring, privacy, &score, &f->error));
    assert_true(lf_ulid_next(&f->mint, at_ms, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));
    return score.id;
}

/* The same, whole or only what was read of it. */
static inline struct lf_ulid
record_lead(struct fixture *f, const struct lf_profiles *profiles, const char *lead, const char *icps, int64_t at_ms,
            bool whole)
{
    return record_lead_keeping(f, profiles, lead, icps, at_ms, keeping(f, whole ? LF_KEPT_WHOLE : LF_KEPT_FIELDS, ""));
}

/* Records bytes as a score, as they are. */
static inline void
record_bytes(struct fixture *f, const char *lead_id, const void *body, size_t len, int64_t at_ms)
{
    struct lf_stored_score score = {
        .as_of_ms = at_ms, .lead_id = lead_id, .lead_id_len = strlen(lead_id), .body = body, .body_len = len};
    const struct lf_stored_score *scores[] = {&score};

    assert_true(lf_ulid_next(&f->mint, at_ms, &score.id));
    OK(lf_store_append_scores(f->store, scores, 1, NULL, 0, NULL, &f->error));
}

static inline bool
same_id(struct lf_ulid a, struct lf_ulid b)
{
    return memcmp(a.bytes, b.bytes, LF_ULID_SIZE) == 0;
}

#endif
