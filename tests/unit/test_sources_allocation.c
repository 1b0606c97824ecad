/*
 * test_sources_allocation.c - each allocation fails in turn while sources are put, deleted, loaded and told: it is
 * said, and what there was is there. How: faults.h.
 */
#include "source_fixture.h"

#include "faults.h"

/* One that asks for memory of every kind, and its successor. */
#define FIRST                                                                                                 \
    "{'kind':'hubspot','secrets':['first secret','second secret'],'signatures':['v2','v3'],'icps':['a','b']," \
    "'id':['/a','/b'],'fields':{'title':['/t','/u'],'company.size':'/s'},'split':{'title':';'},'values':{"    \
    "'title':{'1':'One'}},'reply':'full'}"
#define SECOND "{'kind':'hubspot','icps':['c'],'fields':{'title':'/v'}}"

struct trial {
    struct editing *e;
    struct lf_arena *arena; /* fresh for each time */
    const struct lf_json *first, *second;
    struct lf_error error;
};

static enum lf_status
put(struct trial *trial, const struct lf_json *body)
{
    struct lf_change change = by_key(NOW_MS);
    struct lf_findings findings;
    const struct lf_source *source = NULL;
    bool created = false;
    enum lf_status status = LF_OK;

    lf_findings_init(&findings, trial->arena);
    status = lf_edit_put_source(trial->e->service, trial->arena, "crm", body, &change, &findings, &source, &created,
                                &trial->error);
    let_go(trial->e, source);
    return status;
}

static enum lf_status
put_first(struct trial *trial)
{
    return put(trial, trial->first);
}

static enum lf_status
put_second(struct trial *trial)
{
    return put(trial, trial->second);
}

static enum lf_status
delete_it(struct trial *trial)
{
    struct lf_change change = by_key(NOW_MS);

    return lf_edit_delete_source(trial->e->service, "crm", &change, &trial->error);
}

/* What the source of that key is now: its document, and how many secrets there are. */
static const char *
describe(struct trial *trial)
{
    const struct lf_source *source = hold(trial->e, "crm");
    const char *text =
        source == NULL ? "none" : lf_arena_printf(trial->arena, "%s %zu", source->document, source->secret_count);

    assert_non_null(text);
    let_go(trial->e, source);
    return text;
}

static void
try_change(struct trial *trial, enum lf_status (*prepare)(struct trial *trial),
           enum lf_status (*run)(struct trial *trial))
{
    bool failed = true;
    long n = 0;

    for (; failed; n++) {
        const char *was = NULL;
        int64_t traces = 0;
        enum lf_status status = LF_OK;

        lf_arena_destroy(trial->arena);
        trial->arena = lf_arena_create(256, 1 << 26);
        assert_non_null(trial->arena);
        assert_int_equal(prepare(trial), LF_OK);
        was = describe(trial);
        traces = int_of(trial->e, "SELECT count(*) FROM audit");
        trial->error = (struct lf_error){.status = LF_OK};
        arm(n);
        status = run(trial);
        failed = disarm();
        if (status == LF_OK) {
            assert_int_equal(int_of(trial->e, "SELECT count(*) FROM audit"), traces + 1);
            assert_string_not_equal(describe(trial), was);
            continue;
        }
        if (status != LF_OUT_OF_MEMORY)
            fail_msg("allocation %ld: %s: %s", n, lf_status_word(status), trial->error.detail);
        assert_true(failed && strlen(trial->error.detail) > 0);
        assert_int_equal(int_of(trial->e, "SELECT count(*) FROM audit"), traces);
        assert_string_equal(describe(trial), was);
    }
    assert_true(n > 2);
}

static enum lf_status
have_none(struct trial *trial)
{
    enum lf_status status = delete_it(trial);

    return status == LF_SOURCE_NOT_FOUND ? LF_OK : status;
}

static void
test_changes(void **state)
{
    struct editing *e = *state;
    struct trial trial = {.e = e};

    trial.first = support_json(e->arena, FIRST);
    trial.second = support_json(e->arena, SECOND);
    begin_editing(e);
    try_change(&trial, have_none, put_first);
    try_change(&trial, put_first, put_second);
    try_change(&trial, put_first, delete_it);
    lf_arena_destroy(trial.arena);
}

/* What is wrong with a body is told, or that there is no memory to tell it; never that it is fine. */
static void
test_faults(void **state)
{
    static const char WRONG[] = "{'kind':'pipedrive','secrets':['no-colon','same:same','same:same'],'icps':['A'],"
                                "'signatures':['v3'],'reply':'x','what':1,'fields':{'a..b':'x'}}";
    struct editing *e = *state;
    const struct lf_json *body = support_json(e->arena, WRONG);
    bool failed = true;

    begin_editing(e);
    for (long n = 0; failed; n++) {
        struct trial trial = {.e = e, .arena = lf_arena_create(256, 1 << 26)};
        enum lf_status status = LF_OK;

        assert_non_null(trial.arena);
        arm(n);
        status = put(&trial, body);
        failed = disarm();
        assert_true(status == LF_INVALID_REQUEST || (failed && status == LF_OUT_OF_MEMORY));
        assert_null(hold(e, "crm"));
        lf_arena_destroy(trial.arena);
    }
}

static void
test_telling(void **state)
{
    struct editing *e = *state;
    struct lf_sources *sources = NULL;
    const struct lf_source *source = NULL;
    bool failed = true;

    begin_editing(e);
    sources = lf_service_sources(e->service);
    source = put_held(e, "crm", FIRST, true);
    /* What there is no memory for is not noted. */
    arm(0);
    lf_sources_refuse_error(sources, source, &(struct lf_error){.status = LF_UNMAPPED}, 422, NOW_MS, "r", 1);
    assert_true(disarm());
    assert_refused(e, "crm", 0, 0);
    refuse(e, "crm", 1);
    refuse(e, "crm", 2);
    for (long n = 0; failed; n++) {
        struct lf_arena *arena = lf_arena_create(256, 1 << 26);
        const char *const *keys = NULL;
        struct lf_stored_refusal *refusals = NULL;
        size_t count = 99, refused = 99;
        bool keys_told = false, refusals_told = false;

        assert_non_null(arena);
        arm(n);
        keys_told = lf_sources_keys(sources, arena, &keys, &count);
        refusals_told = lf_sources_refused(sources, source, arena, &refusals, &refused);
        failed = disarm();
        assert_int_equal(count, keys_told ? 1 : 99);
        assert_int_equal(refused, refusals_told ? 2 : 99);
        assert_true(failed || (keys_told && refusals_told));
        lf_arena_destroy(arena);
    }
    failed = true;
    for (long n = 0; failed; n++) {
        enum lf_status status = LF_OK;

        refuse(e, "crm", (int)n + 3);
        arm(n);
        status = lf_sources_note(sources, lf_service_recorder(e->service), &e->error);
        failed = disarm();
        assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY));
        note(e);
        assert_int_equal(int_of(e, "SELECT max(bytes) FROM refusal"), n + 3);
    }
    let_go(e, source);
}

static void
test_loading(void **state)
{
    struct editing *e = *state;
    bool failed = true;

    begin_editing(e);
    put_source(e, "crm", FIRST, true);
    put_source(e, "other", GENERIC, true);
    refuse(e, "crm", 1);
    note(e);
    lf_service_stop(e->service);
    e->service = NULL;
    open_store(e->f);
    for (long n = 0; failed; n++) {
        struct lf_sources *sources = NULL;
        enum lf_status status = LF_OK;

        arm(n);
        status = lf_sources_load(e->f->reader, &sources, &e->error);
        failed = disarm();
        assert_true(status == LF_OK || (failed && status == LF_OUT_OF_MEMORY && e->error.status == status));
        assert_true((sources != NULL) == (status == LF_OK));
        lf_sources_destroy(sources);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EDITING_TEST(test_changes),
        EDITING_TEST(test_faults),
        EDITING_TEST(test_telling),
        EDITING_TEST(test_loading),
    };

    return cmocka_run_group_tests(tests, editing_group_setup, NULL);
}
