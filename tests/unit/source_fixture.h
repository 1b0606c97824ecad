/* source_fixture.h - for the tests of app/sources.h: sources put in short, in a running service. */
#ifndef LF_TESTS_SOURCE_FIXTURE_H
#define LF_TESTS_SOURCE_FIXTURE_H

#include "app/sources.h"
#include "editing_fixture.h"

#define HUBSPOT "{'kind':'hubspot','secrets':['first secret','second secret']}"
#define GENERIC "{'kind':'generic'}"

static inline enum lf_status
try_put(struct editing *e, const char *key, const char *body, const struct lf_source **ret_source, bool *ret_created)
{
    struct lf_change change = by_key(NOW_MS);

    lf_findings_init(&e->findings, e->arena);
    e->error = (struct lf_error){.status = LF_OK};
    return lf_edit_put_source(e->service, e->arena, key, support_json(e->arena, body), &change, &e->findings,
                              ret_source, ret_created, &e->error);
}

/* Puts it; held until it is released. */
static inline const struct lf_source *
put_held(struct editing *e, const char *key, const char *body, bool expect_created)
{
    const struct lf_source *source = NULL;
    bool created = !expect_created;

    OK(try_put(e, key, body, &source, &created));
    assert_int_equal(created, expect_created);
    return source;
}

static inline const struct lf_source *
hold(struct editing *e, const char *key)
{
    return lf_sources_hold(lf_service_sources(e->service), key);
}

static inline void
let_go(struct editing *e, const struct lf_source *source)
{
    lf_sources_release(lf_service_sources(e->service), source);
}

static inline void
put_source(struct editing *e, const char *key, const char *body, bool expect_created)
{
    let_go(e, put_held(e, key, body, expect_created));
}

static inline enum lf_status
try_delete(struct editing *e, const char *key)
{
    struct lf_change change = by_key(NOW_MS + 1);

    e->error = (struct lf_error){.status = LF_OK};
    return lf_edit_delete_source(e->service, key, &change, &e->error);
}

/* Has the source of that key refuse a delivery; what it was can be told from its number. */
static inline void
refuse(struct editing *e, const char *key, int number)
{
    const struct lf_source *source = hold(e, key);
    const struct lf_stored_refusal refusal = {.at_ms = NOW_MS + number,
                                              .request_id = "request",
                                              .code = "unmapped",
                                              .pointer = "/3",
                                              .detail = "a sentence of ours",
                                              .status = 422,
                                              .bytes = (size_t)number};

    assert_non_null(source);
    lf_sources_refuse(lf_service_sources(e->service), source, &refusal);
    let_go(e, source);
}

/* That the source of that key has refused just `count`, the newest being that of the number. */
static inline void
assert_refused(struct editing *e, const char *key, size_t count, int newest)
{
    const struct lf_source *source = hold(e, key);
    struct lf_stored_refusal *refusals = NULL;
    size_t found = 99;

    assert_non_null(source);
    assert_true(lf_sources_refused(lf_service_sources(e->service), source, e->arena, &refusals, &found));
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(refusals[i].at_ms, NOW_MS + newest - (int)i);
        assert_int_equal(refusals[i].bytes, newest - (int)i);
        assert_string_equal(refusals[i].request_id, "request");
        assert_string_equal(refusals[i].code, "unmapped");
        assert_string_equal(refusals[i].pointer, "/3");
        assert_string_equal(refusals[i].detail, "a sentence of ours");
        assert_int_equal(refusals[i].status, 422);
    }
    let_go(e, source);
}

static inline void
note(struct editing *e)
{
    OK(lf_sources_note(lf_service_sources(e->service), lf_service_recorder(e->service), &e->error));
}

static inline void
restart(struct editing *e)
{
    lf_service_stop(e->service);
    e->service = NULL;
    start_service(e);
}

/* ---- storage that refuses ---- */

GATED(put_source,
      (struct lf_store * store, const struct lf_stored_source *source, const struct lf_change *change, int64_t *ret_id,
       bool *ret_created, struct lf_error *error),
      (store, source, change, ret_id, ret_created, error))
GATED(delete_source, (struct lf_store * store, const char *key, const struct lf_change *change, struct lf_error *error),
      (store, key, change, error))
/* Called while refusals are being written; NULL: nothing is. */
static void (*_Atomic while_noting)(void);

static inline enum lf_status
gated_put_refusals(struct lf_store *store, int64_t source_id, const struct lf_stored_refusal *refusals, size_t count,
                   struct lf_error *error)
{
    void (*call)(void) = atomic_load(&while_noting);

    if (gate_refuses("put_refusals"))
        return lf_fail(error, LF_STORAGE_FULL, "the gate refuses put_refusals");
    if (call != NULL)
        call();
    return gate.real->put_refusals(store, source_id, refusals, count, error);
}

/* On the recorder's thread. */
static inline enum lf_status
gate_sources(struct lf_store *store, void *argument, struct lf_error *error)
{
    (void)store;
    (void)argument;
    (void)error;
    gate.backend.put_source = gated_put_source;
    gate.backend.delete_source = gated_delete_source;
    gate.backend.put_refusals = gated_put_refusals;
    return LF_OK;
}

static inline void
begin_sources(struct editing *e)
{
    begin_editing(e);
    OK(lf_recorder_run(lf_service_recorder(e->service), gate_sources, NULL, &e->error));
}

#endif
