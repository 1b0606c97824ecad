/*
 * test_sources.c - sources in a running service: put, held, replaced and deleted while they are used, and what was
 * refused of theirs. The rules for what is put are tried over HTTP (tests/http/test_api_sources.py).
 */
#include "source_fixture.h"

#include "app/refusals.h"
#include "base/hash.h"

#include <sched.h>

/* ---- what becomes of a put ---- */

static void
test_put(void **state)
{
    struct editing *e = *state;
    const struct lf_source *source = NULL, *held = NULL;
    static const char DOCUMENT[] = "{\"icps\":[\"b\",\"a\"],\"kind\":\"hubspot\",\"reply\":\"hubspot_action\","
                                   "\"signatures\":[\"v3\",\"v1\"]}";

    begin_sources(e);
    assert_null(hold(e, "crm"));
    source = put_held(e, "crm",
                      "{'secrets':['first secret','second secret'],'signatures':['v3','v1'],'reply':'hubspot_action',"
                      "'icps':['b','a'],'kind':'hubspot'}",
                      true);
    held = hold(e, "crm");
    assert_ptr_equal(held, source);
    assert_string_equal(source->key, "crm");
    assert_int_equal(source->crm, LF_CRM_HUBSPOT);
    assert_int_equal(source->reply, LF_REPLY_HUBSPOT_ACTION);
    assert_int_equal(source->signatures, LF_HUBSPOT_V1 | LF_HUBSPOT_V3);
    assert_int_equal(source->icp_count, 2);
    assert_string_equal(source->icps[0], "b");
    assert_string_equal(source->icps[1], "a");
    assert_non_null(source->mapping);
    assert_int_equal(source->secret_count, 2);
    assert_int_equal(source->secrets[1].len, strlen("second secret"));
    assert_memory_equal(source->secrets[1].value, "second secret", strlen("second secret"));
    assert_int_equal(source->document_len, strlen(DOCUMENT));
    assert_string_equal(source->document, DOCUMENT);
    assert_int_equal(source->created_at_ms, NOW_MS);
    assert_int_equal(source->updated_at_ms, NOW_MS);
    assert_true(source->id > 0);
    let_go(e, held);
    let_go(e, source);
    let_go(e, NULL);
    assert_int_equal(int_of(e, "SELECT count(*) FROM audit WHERE action = 'source.put' AND subject = 'crm'"), 1);
}

/* The forms in which secrets are kept. */
static void
test_secrets(void **state)
{
    static const struct {
        const char *body;
        const void *kept; /* NULL: the SHA-256 of `text` */
        const char *text;
        size_t len;
    } ROWS[] = {
        {"{'kind':'hubspot','secrets':['  a secret  ']}", "  a secret  ", NULL, 12},
        {"{'kind':'mautic','secrets':['gr\xC3\xB6\xC3\x9F"
         "er als']}",
         "gr\xC3\xB6\xC3\x9F"
         "er als",
         NULL, 12},
        {"{'kind':'standard','secrets':['whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX']}",
         "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24\25\26\27", NULL, 24},
        {"{'kind':'pipedrive','secrets':['user:pass:word']}", NULL, "user:pass:word", LF_SHA256_SIZE},
        {"{'kind':'salesforce','secrets':['a shared one']}", NULL, "a shared one", LF_SHA256_SIZE},
        {"{'kind':'generic','secrets':['a shared one']}", NULL, "a shared one", LF_SHA256_SIZE},
    };
    struct editing *e = *state;

    begin_sources(e);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint8_t digest[LF_SHA256_SIZE];

        if (ROWS[i].text != NULL)
            assert_true(lf_sha256(ROWS[i].text, strlen(ROWS[i].text), digest));
        put_source(e, "crm", ROWS[i].body, i == 0);
        for (int round = 0; round < 2; round++) {
            const struct lf_source *source = hold(e, "crm");

            assert_int_equal(source->secret_count, 1);
            assert_int_equal(source->secrets[0].len, ROWS[i].len);
            assert_memory_equal(source->secrets[0].value, ROWS[i].kept != NULL ? ROWS[i].kept : digest, ROWS[i].len);
            let_go(e, source);
            restart(e); /* and so they are after a restart */
        }
    }
}

/* Secrets that are not named stay, where the kind does. */
static void
test_secrets_stay(void **state)
{
    struct editing *e = *state;
    const struct lf_source *source = NULL;
    bool created = false;

    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    source = put_held(e, "crm", "{'kind':'hubspot','icps':['a']}", false);
    assert_int_equal(source->secret_count, 2);
    assert_memory_equal(source->secrets[0].value, "first secret", 12);
    assert_memory_equal(source->secrets[1].value, "second secret", 13);
    let_go(e, source);
    FAILS(try_put(e, "crm", "{'kind':'mautic'}", &source, &created), LF_INVALID_REQUEST);
    assert_string_equal(e->findings.items[0].pointer, "/secrets");
    assert_string_equal(e->findings.items[0].code, "required");
    source = put_held(e, "crm", "{'kind':'generic'}", false); /* which needs none */
    assert_int_equal(source->secret_count, 0);
    let_go(e, source);
    source = put_held(e, "crm", "{'kind':'generic','secrets':['a shared one','the other one']}", false);
    assert_int_equal(source->secret_count, 2);
    let_go(e, source);
    source = put_held(e, "crm", "{'kind':'generic','secrets':[]}", false); /* none, in words */
    assert_int_equal(source->secret_count, 0);
    let_go(e, source);
    assert_int_equal(int_of(e, "SELECT count(*) FROM source_secret"), 0);
}

/* Who holds one keeps it as it was. */
static void
test_held_through_changes(void **state)
{
    struct editing *e = *state;
    const struct lf_source *first = NULL, *second = NULL;

    begin_sources(e);
    first = put_held(e, "crm", HUBSPOT, true);
    second = put_held(e, "crm", "{'kind':'hubspot','secrets':['third secret'],'icps':['x']}", false);
    assert_ptr_not_equal(first, second);
    assert_int_equal(first->secret_count, 2);
    assert_memory_equal(first->secrets[0].value, "first secret", 12);
    assert_int_equal(first->icp_count, 0);
    assert_int_equal(second->id, first->id);
    assert_int_equal(second->created_at_ms, first->created_at_ms);
    OK(try_delete(e, "crm"));
    assert_null(hold(e, "crm"));
    assert_string_equal(second->icps[0], "x");
    assert_memory_equal(second->secrets[0].value, "third secret", 12);
    FAILS(try_delete(e, "crm"), LF_SOURCE_NOT_FOUND);
    let_go(e, first);
    let_go(e, second);
    put_source(e, "crm", HUBSPOT, true);
}

static void
test_keys(void **state)
{
    static const char *const PUT[] = {"m", "a", "z", "m-2", "b"}, *const SORTED[] = {"a", "b", "m", "m-2", "z"};
    struct editing *e = *state;
    const char *const *keys = NULL;
    const struct lf_source *source = NULL;
    size_t count = 99;
    bool created = false;

    begin_sources(e);
    assert_true(lf_sources_keys(lf_service_sources(e->service), e->arena, &keys, &count));
    assert_int_equal(count, 0);
    for (size_t i = 0; i < 5; i++)
        put_source(e, PUT[i], GENERIC, true);
    for (int round = 0; round < 2; round++) {
        assert_true(lf_sources_keys(lf_service_sources(e->service), e->arena, &keys, &count));
        assert_int_equal(count, 5);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(keys[i], SORTED[i]);
            source = hold(e, keys[i]);
            assert_string_equal(source->key, keys[i]);
            let_go(e, source);
        }
        assert_null(hold(e, "m-"));
        assert_null(hold(e, ""));
        assert_null(hold(e, "zz"));
        restart(e);
    }
    FAILS(try_put(e, "No Key", GENERIC, &source, &created), LF_INVALID_REQUEST);
    assert_string_equal(e->findings.items[0].code, "invalid_key");
}

static void
test_no_more_than_so_many(void **state)
{
    struct editing *e = *state;
    const struct lf_source *source = NULL;
    bool created = false;

    begin_sources(e);
    for (int i = 0; i < LF_SOURCES_MAX; i++)
        put_source(e, lf_arena_printf(e->arena, "s%d", i), GENERIC, true);
    FAILS(try_put(e, "more", GENERIC, &source, &created), LF_CONFLICT);
    assert_null(hold(e, "more"));
    put_source(e, "s42", "{'kind':'generic','icps':['a']}", false);
    OK(try_delete(e, "s17"));
    put_source(e, "more", GENERIC, true);
    restart(e);
    source = hold(e, "more");
    assert_non_null(source);
    let_go(e, source);
}

/* What the storage refuses is not there: neither live nor after a restart. */
static void
test_storage_that_refuses(void **state)
{
    struct editing *e = *state;
    const struct lf_source *source = NULL, *before = NULL;
    bool created = false;

    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    before = hold(e, "crm");
    gate_refuse("put_source", 0);
    FAILS(try_put(e, "crm", "{'kind':'hubspot','secrets':['third secret']}", &source, &created), LF_STORAGE_FULL);
    FAILS(try_put(e, "new", GENERIC, &source, &created), LF_STORAGE_FULL);
    assert_null(source);
    gate_refuse("delete_source", 0);
    FAILS(try_delete(e, "crm"), LF_STORAGE_FULL);
    source = hold(e, "crm");
    assert_ptr_equal(source, before);
    assert_null(hold(e, "new"));
    let_go(e, source);
    let_go(e, before);
    gate_refuse("put_refusals", 0);
    refuse(e, "crm", 1);
    FAILS(lf_sources_note(lf_service_sources(e->service), lf_service_recorder(e->service), &e->error), LF_STORAGE_FULL);
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal"), 0);
    gate_refuse(NULL, 0);
    note(e); /* it was not forgotten */
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal"), 1);
    gate_refuse("put_refusals", 0);
    note(e); /* there is nothing more to write */
    gate_refuse(NULL, 0);
}

/* ---- what was refused ---- */

static void
test_refusals(void **state)
{
    struct editing *e = *state;
    const struct lf_source *old = NULL;
    int number = 0;

    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    put_source(e, "other", GENERIC, true);
    assert_refused(e, "crm", 0, 0);
    for (number = 1; number <= 130; number++) {
        refuse(e, "crm", number);
        assert_refused(e, "crm", number < LF_REFUSALS_KEPT ? (size_t)number : LF_REFUSALS_KEPT, number);
    }
    assert_refused(e, "other", 0, 0);
    /* They are noted, and stay over a restart and a put. */
    note(e);
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal"), LF_REFUSALS_KEPT);
    restart(e);
    assert_refused(e, "crm", LF_REFUSALS_KEPT, 130);
    refuse(e, "crm", 131);
    assert_refused(e, "crm", LF_REFUSALS_KEPT, 131);
    old = hold(e, "crm");
    put_source(e, "crm", "{'kind':'generic'}", false);
    assert_refused(e, "crm", LF_REFUSALS_KEPT, 131);
    note(e);
    assert_int_equal(int_of(e, "SELECT max(bytes) FROM refusal"), 131);
    /* Whoever still holds an older one speaks of the same source. */
    lf_sources_refuse(lf_service_sources(e->service), old,
                      &(struct lf_stored_refusal){.at_ms = NOW_MS + 132,
                                                  .request_id = "request",
                                                  .code = "unmapped",
                                                  .pointer = "/3",
                                                  .detail = "a sentence of ours",
                                                  .status = 422,
                                                  .bytes = 132});
    assert_refused(e, "crm", LF_REFUSALS_KEPT, 132);
    /* They go with it; of one that is gone nothing is noted, also when there is another one of its key. */
    OK(try_delete(e, "crm"));
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal"), 0);
    put_source(e, "crm", HUBSPOT, true);
    lf_sources_refuse_error(lf_service_sources(e->service), old, &(struct lf_error){.status = LF_UNMAPPED}, 422, 1, "r",
                            1);
    assert_refused(e, "crm", 0, 0);
    let_go(e, old);
    note(e);
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal"), 0);
}

/* What is refused while others are being written is written the next time. */
static struct editing *noting;
static atomic_int noted_meanwhile;

static void
refuse_meanwhile(void)
{
    if (atomic_fetch_add(&noted_meanwhile, 1) == 0)
        refuse(noting, "crm", 2);
}

static void
test_refused_while_noting(void **state)
{
    struct editing *e = *state;

    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    noting = e;
    atomic_store(&noted_meanwhile, 0);
    atomic_store(&while_noting, refuse_meanwhile);
    refuse(e, "crm", 1);
    note(e);
    note(e);
    atomic_store(&while_noting, NULL);
    assert_int_equal(int_of(e, "SELECT max(bytes) FROM refusal"), 2);
}

/* Whatever an error says, nothing is kept that may have been sent. */
static void
test_errors_as_refusals(void **state)
{
    static const struct {
        enum lf_status status;
        const char *pointer, *kept;
    } POINTERS[] = {
        {LF_INVALID_JSON, "", ""},
        {LF_INVALID_JSON, "/3", "/3"},
        {LF_INVALID_JSON, "/199/email@example.com", "/199"},
        {LF_TOO_DEEP, "/0/a/b", "/0"},
        {LF_INVALID_JSON, "/email@example.com", ""},
        {LF_INVALID_JSON, "/3a/b", ""},
        {LF_INVALID_JSON, "/4915112345678", ""}, /* a member's name, such as a telephone number */
        {LF_INVALID_JSON, "/", ""},
        {LF_INVALID_REQUEST, "/3/lead/id", "/3"},
        {LF_UNMAPPED, "/data/3/properties", "/data/3/properties"},
    };
    struct editing *e = *state;
    const struct lf_source *source = NULL;
    struct lf_stored_refusal *refusals = NULL;
    size_t count = 0;

    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    source = hold(e, "crm");
    for (int status = LF_OK + 1; status < LF_STATUS_COUNT; status++) {
        struct lf_error error;
        bool ours = status == LF_BAD_SIGNATURE || status == LF_UNMAPPED;

        (void)lf_fail_at(&error, (enum lf_status)status, "/jane@example.com", 3, "near \"Jane Doe\"");
        lf_sources_refuse_error(lf_service_sources(e->service), source, &error, 200, NOW_MS, "abc", 17);
        assert_true(lf_sources_refused(lf_service_sources(e->service), source, e->arena, &refusals, &count));
        assert_string_equal(refusals[0].code, lf_status_word((enum lf_status)status));
        assert_int_equal(refusals[0].status, 200);
        assert_int_equal(refusals[0].bytes, 17);
        assert_string_equal(refusals[0].request_id, "abc");
        assert_int_equal(strstr(refusals[0].detail, "Jane") != NULL, ours);
        assert_true(strlen(refusals[0].detail) > 0);
        assert_string_equal(refusals[0].pointer, status == LF_UNMAPPED ? "/jane@example.com" : "");
    }
    for (size_t i = 0; i < sizeof POINTERS / sizeof *POINTERS; i++) {
        char pointer[LF_POINTER_MAX];
        struct lf_error error;

        (void)lf_fail_at(&error, POINTERS[i].status, POINTERS[i].pointer, -1, "x");
        lf_refusal_pointer(&error, pointer);
        assert_string_equal(pointer, POINTERS[i].kept);
    }
    let_go(e, source);
}

/* Texts longer than ours are cut, and do no harm. */
static void
test_long_texts(void **state)
{
    struct editing *e = *state;
    const struct lf_source *source = NULL;
    struct lf_stored_refusal *refusals = NULL;
    size_t count = 0;
    char text[1000];
    const struct lf_stored_refusal refusal = {.request_id = text, .code = text, .pointer = text, .detail = text};

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    source = hold(e, "crm");
    lf_sources_refuse(lf_service_sources(e->service), source, &refusal);
    assert_true(lf_sources_refused(lf_service_sources(e->service), source, e->arena, &refusals, &count));
    assert_int_equal(count, 1);
    assert_int_equal(strlen(refusals[0].request_id), LF_REFUSAL_ID_SIZE - 1);
    assert_int_equal(strlen(refusals[0].code), LF_REFUSAL_CODE_SIZE - 1);
    assert_int_equal(strlen(refusals[0].pointer), LF_POINTER_MAX - 1);
    assert_int_equal(strlen(refusals[0].detail), LF_DETAIL_MAX - 1);
    let_go(e, source);
    for (int status = 0; status < LF_STATUS_COUNT; status++) /* the words of ours all fit */
        assert_true(strlen(lf_status_word((enum lf_status)status)) < LF_REFUSAL_CODE_SIZE);
}

/* ---- the log ---- */

static void
test_what_is_logged(void **state)
{
    struct editing *e = *state;
    const struct lf_source *source = NULL;
    const char *log = NULL;
    bool created = false;

    begin_sources(e);
    (void)logged();
    put_source(e, "crm", HUBSPOT, true);
    FAILS(try_put(e, "crm", "{'kind':'hubspot','secrets':['first secret','first secret']}", &source, &created),
          LF_INVALID_REQUEST);
    assert_null(strstr(e->error.detail, "first secret"));
    assert_null(strstr(e->findings.items[0].detail, "first secret"));
    OK(try_delete(e, "crm"));
    log = logged();
    assert_non_null(strstr(log, "source.put"));
    assert_non_null(strstr(log, "source.delete"));
    assert_non_null(strstr(log, "crm"));
    assert_null(strstr(log, "secret"));
}

/* ---- what a start finds ---- */

static void
test_damage(void **state)
{
    static const struct {
        const char *sql, *words;
    } ROWS[] = {
        {"UPDATE source SET document = '{'", "the stored source \"crm\" cannot be read"},
        {"UPDATE source SET document = '{\"kind\":\"hubspots\"}'", "the stored source \"crm\" cannot be read"},
        {"UPDATE source SET document = '{\"kind\":\"hubspot\",\"signatures\":[]}'", "cannot be read"},
        {"UPDATE source_secret SET value = x''", "the stored source \"crm\" cannot be read"},
        {"UPDATE source_secret SET value = zeroblob(801)", "the stored source \"crm\" cannot be read"},
        {"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO source"
         " (key, document, created_at_ms, updated_at_ms) SELECT 'x' || i, '{\"kind\":\"generic\"}', 1, 1 FROM n",
         "more than 100 sources"},
    };
    struct editing *e = *state;

    begin_sources(e);
    put_source(e, "crm", HUBSPOT, true);
    lf_service_stop(e->service);
    e->service = NULL;
    open_store(e->f);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct lf_sources *sources = NULL;

        run_sql(e->f->path, "CREATE TABLE kept AS SELECT * FROM source; CREATE TABLE kept_too AS SELECT * FROM"
                            " source_secret");
        run_sql(e->f->path, ROWS[i].sql);
        FAILS(lf_sources_load(e->f->reader, &sources, &e->error), LF_STORAGE_CORRUPT);
        if (strstr(e->error.detail, ROWS[i].words) == NULL)
            fail_msg("%s: %s", ROWS[i].sql, e->error.detail);
        assert_null(sources);
        run_sql(e->f->path, "DELETE FROM source_secret; DELETE FROM source; INSERT INTO source SELECT * FROM kept;"
                            " INSERT INTO source_secret SELECT * FROM kept_too; DROP TABLE kept; DROP TABLE kept_too");
        OK(lf_sources_load(e->f->reader, &sources, &e->error));
        lf_sources_destroy(sources);
    }
    lf_sources_destroy(NULL);
}

/* ---- a crowd ---- */

enum { CROWD = 6, TURNS = 300, CHANGES = 60 };

struct crowd {
    struct editing *e;
    atomic_bool over;
    atomic_int held, missed;
};

/* Uses whatever is there: it is whole, and stays so while it is held. */
static void *
user_main(void *argument)
{
    struct crowd *crowd = argument;
    struct lf_sources *sources = lf_service_sources(crowd->e->service);
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 26);

    for (int turn = 0; turn < TURNS || !atomic_load(&crowd->over); turn++) {
        const struct lf_source *source = lf_sources_hold(sources, turn % 2 == 0 ? "crm" : "other");
        const char *const *keys = NULL;
        struct lf_stored_refusal *refusals = NULL;
        size_t count = 0;

        lf_arena_reset(arena);
        if (source == NULL) {
            atomic_fetch_add(&crowd->missed, 1);
            (void)sched_yield();
            continue;
        }
        atomic_fetch_add(&crowd->held, 1);
        assert_string_equal(source->key, turn % 2 == 0 ? "crm" : "other");
        assert_int_equal(strlen(source->document), source->document_len);
        for (size_t i = 0; i < source->secret_count; i++)
            assert_memory_equal((const char *)source->secrets[i].value + source->secrets[i].len - 6, "secret", 6);
        lf_sources_refuse_error(sources, source, &(struct lf_error){.status = LF_UNMAPPED, .detail = "ours"}, 422,
                                NOW_MS, "r", 1);
        assert_true(lf_sources_refused(sources, source, arena, &refusals, &count));
        assert_true(lf_sources_keys(sources, arena, &keys, &count));
        assert_true(count <= 2);
        lf_sources_release(sources, source);
    }
    lf_arena_destroy(arena);
    return NULL;
}

static void *
noter_main(void *argument)
{
    struct crowd *crowd = argument;
    struct lf_error error;

    while (!atomic_load(&crowd->over)) {
        assert_int_equal(
            lf_sources_note(lf_service_sources(crowd->e->service), lf_service_recorder(crowd->e->service), &error),
            LF_OK);
        (void)sched_yield();
    }
    return NULL;
}

static void
test_crowd(void **state)
{
    struct editing *e = *state;
    struct crowd crowd = {.e = e};
    pthread_t users[CROWD], noter;

    begin_sources(e);
    atomic_init(&crowd.over, false);
    atomic_init(&crowd.held, 0);
    atomic_init(&crowd.missed, 0);
    put_source(e, "crm", HUBSPOT, true);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&users[i], NULL, user_main, &crowd), 0);
    assert_int_equal(pthread_create(&noter, NULL, noter_main, &crowd), 0);
    for (int i = 0; i < CHANGES; i++) {
        put_source(e, "crm", i % 2 == 0 ? "{'kind':'hubspot','secrets':['third secret']}" : HUBSPOT, false);
        put_source(e, "other", "{'kind':'mautic','secrets':['another secret']}", i % 3 == 0);
        if (i % 3 == 2)
            OK(try_delete(e, "other"));
    }
    atomic_store(&crowd.over, true);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(pthread_join(users[i], NULL), 0);
    assert_int_equal(pthread_join(noter, NULL), 0);
    assert_true(atomic_load(&crowd.held) > 0);
    note(e);
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal WHERE source_id = (SELECT id FROM source WHERE key ="
                               " 'crm')"),
                     LF_REFUSALS_KEPT);
    /* (Whoever held "other" as it was deleted had its refusals go with it.) */
    assert_int_equal(int_of(e, "SELECT count(*) FROM refusal WHERE source_id NOT IN (SELECT id FROM source)"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EDITING_TEST(test_put),
        EDITING_TEST(test_secrets),
        EDITING_TEST(test_secrets_stay),
        EDITING_TEST(test_held_through_changes),
        EDITING_TEST(test_keys),
        EDITING_TEST(test_no_more_than_so_many),
        EDITING_TEST(test_storage_that_refuses),
        EDITING_TEST(test_refusals),
        EDITING_TEST(test_refused_while_noting),
        EDITING_TEST(test_errors_as_refusals),
        EDITING_TEST(test_long_texts),
        EDITING_TEST(test_what_is_logged),
        EDITING_TEST(test_damage),
        EDITING_TEST(test_crowd),
    };

    return cmocka_run_group_tests(tests, editing_group_setup, NULL);
}
