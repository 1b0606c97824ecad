/* source_store_fixture.h - for the tests of sources in the store: a model of what it should hold, and what it does
 * hold.
 */
#ifndef LF_TESTS_SOURCE_STORE_FIXTURE_H
#define LF_TESTS_SOURCE_STORE_FIXTURE_H

#include "store_fixture.h"
#include "support.h"

enum { MODEL_KEYS = 5, MODEL_REFUSALS = LF_REFUSALS_KEPT };

/* A source as it should be: what it says can be told from its numbers. */
struct modelled {
    bool there;
    int64_t id;
    unsigned document, secrets; /* numbers */
    size_t secret_count;
    int64_t created_at_ms, updated_at_ms;
    unsigned refused; /* a number */
    size_t refusal_count;
};

struct source_model {
    struct modelled sources[MODEL_KEYS];
    int64_t last_id, audit;
};

static inline const char *
key_of(size_t number)
{
    static const char *const KEYS[MODEL_KEYS] = {"a", "crm", "crm-2", "hubspot", "z"};

    return KEYS[number];
}

/* Longer than pages now and then. */
static inline char *
document_of(struct fixture *f, unsigned number, size_t *ret_len)
{
    size_t len = number % 7 == 0 ? 60000 : 20 + number % 50;
    char *text = lf_arena_alloc(f->arena, len + 1);

    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + (number * 7 + i) % 26);
    text[len] = '\0';
    *ret_len = len;
    return text;
}

static inline struct lf_stored_secret
secret_of(struct fixture *f, unsigned number, size_t at)
{
    size_t len = 1 + (number * 31 + at) % 200;
    uint8_t *bytes = lf_arena_alloc(f->arena, len);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(number + at * 17 + i * 3);
    return (struct lf_stored_secret){bytes, len};
}

static inline struct lf_stored_refusal
refusal_of(struct fixture *f, unsigned number, size_t at)
{
    return (struct lf_stored_refusal){
        .at_ms = 1700000000000 + number * 100 - (int64_t)at,
        .request_id = lf_arena_printf(f->arena, "r%u-%zu", number, at),
        .code = at % 2 == 0 ? "bad_signature" : "unmapped",
        .pointer = at % 3 == 0 ? "" : "/3",
        .detail = lf_arena_printf(f->arena, "sentence %-300u.", number),
        .status = at % 2 == 0 ? 401 : 200,
        .bytes = number * 1000 + at,
    };
}

/* ---- what is done, in the store and in the model ---- */

/* Around each call of a verb that changes something, for tests that have it fail; NULL: nothing. */
static void (*before_verb)(void), (*after_verb)(void);

static inline void
notify(void (*hook)(void))
{
    if (hook != NULL)
        hook();
}

static inline enum lf_status
put_source(struct fixture *f, struct source_model *model, size_t key, unsigned number, size_t secret_count)
{
    struct modelled *was = &model->sources[key];
    struct lf_stored_source source = {.id = 77, .key = key_of(key), .secret_count = secret_count};
    struct lf_change change = by_ops(1700000000000 + number);
    int64_t id = -1;
    bool created = false;
    enum lf_status status = LF_OK;

    source.document = document_of(f, number, &source.document_len);
    for (size_t i = 0; i < secret_count; i++)
        source.secrets[i] = secret_of(f, number, i);
    created = was->there; /* the wrong way round, to be put right */
    notify(before_verb);
    status = lf_store_put_source(f->store, &source, &change, &id, &created, &f->error);
    notify(after_verb);
    if (status != LF_OK) {
        assert_int_equal(id, -1);
        assert_int_equal(created, was->there);
        return status;
    }
    assert_int_equal(created, !was->there);
    if (was->there)
        assert_int_equal(id, was->id);
    else
        assert_true(id > model->last_id); /* never one that was another's */
    if (created)
        *was = (struct modelled){.there = true, .id = id, .created_at_ms = change.at_ms};
    model->last_id = id > model->last_id ? id : model->last_id;
    was->document = number;
    was->secrets = number;
    was->secret_count = secret_count;
    was->updated_at_ms = change.at_ms;
    model->audit++;
    return LF_OK;
}

static inline enum lf_status
delete_source(struct fixture *f, struct source_model *model, size_t key)
{
    struct lf_change change = by_ops(1700000000000);
    enum lf_status status = LF_OK;

    notify(before_verb);
    status = lf_store_delete_source(f->store, key_of(key), &change, &f->error);
    notify(after_verb);
    if (status != LF_OK)
        return status;
    assert_true(model->sources[key].there);
    model->sources[key] = (struct modelled){.there = false};
    model->audit++;
    return LF_OK;
}

static inline enum lf_status
put_refusals(struct fixture *f, struct source_model *model, size_t key, unsigned number, size_t count)
{
    struct modelled *source = &model->sources[key];
    struct lf_stored_refusal refusals[MODEL_REFUSALS];
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count; i++)
        refusals[i] = refusal_of(f, number, i);
    notify(before_verb);
    status =
        lf_store_put_refusals(f->store, source->there ? source->id : model->last_id + 1, refusals, count, &f->error);
    notify(after_verb);
    if (status == LF_OK && source->there) {
        source->refused = number;
        source->refusal_count = count;
    }
    return status;
}

/* ---- that the store holds just what the model says ---- */

static inline void
assert_refusals(struct fixture *f, const struct modelled *source)
{
    struct lf_stored_refusal *refusals = NULL;
    size_t count = 99;

    OK(lf_store_refusals(f->reader, f->arena, source->id, &refusals, &count, &f->error));
    assert_int_equal(count, source->refusal_count);
    for (size_t i = 0; i < count; i++) {
        const struct lf_stored_refusal expected = refusal_of(f, source->refused, i);

        assert_int_equal(refusals[i].at_ms, expected.at_ms);
        assert_string_equal(refusals[i].request_id, expected.request_id);
        assert_string_equal(refusals[i].code, expected.code);
        assert_string_equal(refusals[i].pointer, expected.pointer);
        assert_string_equal(refusals[i].detail, expected.detail);
        assert_int_equal(refusals[i].status, expected.status);
        assert_int_equal(refusals[i].bytes, expected.bytes);
    }
}

static inline void
assert_is(struct fixture *f, const struct lf_stored_source *found, size_t key, const struct modelled *expected)
{
    size_t len = 0;
    const char *document = document_of(f, expected->document, &len);

    assert_int_equal(found->id, expected->id);
    assert_string_equal(found->key, key_of(key));
    assert_int_equal(found->document_len, len);
    assert_string_equal(found->document, document);
    assert_int_equal(found->created_at_ms, expected->created_at_ms);
    assert_int_equal(found->updated_at_ms, expected->updated_at_ms);
    assert_int_equal(found->secret_count, expected->secret_count);
    for (size_t i = 0; i < expected->secret_count; i++) {
        const struct lf_stored_secret secret = secret_of(f, expected->secrets, i);

        assert_int_equal(found->secrets[i].len, secret.len);
        assert_memory_equal(found->secrets[i].value, secret.value, secret.len);
    }
}

static inline void
assert_model(struct fixture *f, const struct source_model *model)
{
    struct lf_stored_source *sources = NULL;
    size_t count = 0, at = 0;
    int64_t audit = 0;

    OK(lf_store_sources(f->reader, f->arena, &sources, &count, &f->error));
    for (size_t key = 0; key < MODEL_KEYS; key++) { /* they come by key */
        if (!model->sources[key].there)
            continue;
        assert_true(at < count);
        assert_is(f, &sources[at++], key, &model->sources[key]);
        assert_refusals(f, &model->sources[key]);
    }
    assert_int_equal(at, count);
    OK(lf_store_last_audit(f->reader, &audit, &f->error));
    assert_int_equal(audit, model->audit);
}

#endif
