/* test_editing_subscriptions.c - subscriptions as they are put: every fault with its place, secrets made, kept and
 * replaced, never told; in place at once when it returns; each allocation fails in turn. */
#include "app/subscriptions.h"

#include "base/base64.h"
#include "editing_fixture.h"
#include "faults.h"

/* 24 and 64 bytes, one less and one more. */
#define S23 "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
#define S24 "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
#define S64 "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjYw=="
#define S65 "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M="

/* What became of a put. */
struct result {
    struct lf_stored_subscription subscription;
    bool created;
    char secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX];
};

static enum lf_status
try_put(struct editing *e, const char *key, const char *body, struct result *ret_result)
{
    struct lf_change change = by_key(NOW_MS);

    lf_findings_init(&e->findings, e->arena);
    *ret_result = (struct result){.created = false};
    return lf_edit_put_subscription(e->service, e->arena, key, support_json(e->arena, body), &change, &e->findings,
                                    &ret_result->subscription, &ret_result->created, ret_result->secret, &e->error);
}

static struct result
put(struct editing *e, const char *key, const char *body)
{
    struct result result;

    OK(try_put(e, key, body, &result));
    assert_int_equal(e->findings.count, 0);
    return result;
}

/* The subscription of that key as it is held; released, for nobody else is there. */
static struct lf_subscription *
live(struct editing *e, const char *key)
{
    struct lf_subscriptions *subscriptions = lf_service_subscriptions(e->service);
    struct lf_subscription **items = NULL, *found = NULL;
    size_t count = 0;

    assert_true(lf_subscriptions_hold(subscriptions, e->arena, &items, &count));
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i]->key, key) == 0)
            found = items[i];
    lf_subscriptions_release(subscriptions, items, count);
    return found;
}

/* ---- faults ---- */

static void
test_faults(void **state)
{
#define REST ",'url':'https://crm.example/hook','events':['score.recorded']}"
    static const struct {
        const char *why, *body;
        const char *faults; /* "pointer code" each, with semicolons between */
    } ROWS[] = {
        {"no object", "[]", " wrong_type"},
        {"nothing", "{}", "/url required;/events required"},
        {"an unknown member", "{'uri':'x'" REST, "/uri unknown_member"},
        {"what a GET shows is none", "{'state':'active','waiting':0" REST,
         "/state unknown_member;/waiting unknown_member"},
        {"url: null", "{'url':null,'events':['score.recorded']}", "/url wrong_type"},
        {"url: empty", "{'url':'','events':['score.recorded']}", "/url too_few"},
        {"url: no URL", "{'url':'crm.example','events':['score.recorded']}", "/url invalid_url"},
        {"url: plain", "{'url':'http://crm.example/','events':['score.recorded']}", "/url invalid_url"},
        {"url: a user", "{'url':'https://a:b@crm.example/','events':['score.recorded']}", "/url invalid_url"},
        {"url: a fragment", "{'url':'https://crm.example/#a','events':['score.recorded']}", "/url invalid_url"},
        {"url: a number", "{'url':1,'events':['score.recorded']}", "/url wrong_type"},
        {"url: loopback", "{'url':'https://127.0.0.1/','events':['score.recorded']}", "/url private_target"},
        {"url: localhost", "{'url':'https://localhost:1/','events':['score.recorded']}", "/url private_target"},
        {"url: loopback, new", "{'url':'https://[::1]/','events':['score.recorded']}", "/url private_target"},
        {"url: a private network", "{'url':'https://10.1.2.3/','events':['score.recorded']}", "/url private_target"},
        {"url: the metadata of clouds", "{'url':'https://169.254.169.254/','events':['score.recorded']}",
         "/url private_target"},
        {"url: U+0000", "{'url':'https://crm.example/\\u0000','events':['score.recorded']}", "/url invalid_value"},
        {"events: none", "{'url':'https://crm.example/','events':[]}", "/events too_few"},
        {"events: null", "{'url':'https://crm.example/','events':null}", "/events wrong_type"},
        {"events: a text", "{'url':'https://crm.example/','events':'score.recorded'}", "/events wrong_type"},
        {"events: unknown", "{'url':'https://crm.example/','events':['score.recorded','score.record']}",
         "/events/1 invalid_value"},
        {"events: a number", "{'url':'https://crm.example/','events':[1]}", "/events/0 wrong_type"},
        {"events: twice", "{'url':'https://crm.example/','events':['icp.published','drift.shifted','icp.published']}",
         "/events/2 duplicate"},
        {"events: too many",
         "{'url':'https://crm.example/','events':['score.recorded','score.grade_changed','icp.published',"
         "'drift.shifted','score.recorded']}",
         "/events too_many"},
        {"icp: no key", "{'icp':'B2B SaaS'" REST, "/icp invalid_key"},
        {"icp: a number", "{'icp':1" REST, "/icp wrong_type"},
        {"icp: a list", "{'icp':['a']" REST, "/icp wrong_type"},
        {"grades: a text", "{'grades':'A'" REST, "/grades wrong_type"},
        {"grades: empty", "{'grades':['A','']" REST, "/grades/1 too_few"},
        {"grades: a number", "{'grades':[1]" REST, "/grades/0 wrong_type"},
        {"grades: null", "{'grades':[null]" REST, "/grades/0 wrong_type"},
        {"grades: twice", "{'grades':['A','B','A']" REST, "/grades/2 duplicate"},
        {"grades: long", "{'grades':['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']" REST,
         "/grades/0 too_many"},
        {"grades: many",
         "{'grades':['1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21',"
         "'22','23','24','25','26','27','28']" REST,
         "/grades too_many"},
        {"grades: of no score", "{'grades':['A'],'url':'https://crm.example/','events':['icp.published']}",
         "/grades conflict"},
        {"grades: of nothing known", "{'grades':['A'],'url':'https://crm.example/','events':['x']}",
         "/events/0 invalid_value"},
        {"secret: a number", "{'secret':1" REST, "/secret wrong_type"},
        {"secret: no prefix", "{'secret':'" S24 "'" REST, "/secret invalid_value"},
        {"secret: the prefix alone", "{'secret':'whsec_'" REST, "/secret invalid_value"},
        {"secret: another prefix", "{'secret':'WHSEC_" S24 "'" REST, "/secret invalid_value"},
        {"secret: short", "{'secret':'whsec_" S23 "'" REST, "/secret invalid_value"},
        {"secret: long", "{'secret':'whsec_" S65 "'" REST, "/secret invalid_value"},
        {"secret: no base 64", "{'secret':'whsec_" S24 "!'" REST, "/secret invalid_value"},
        {"secret: a space", "{'secret':'whsec_" S24 " '" REST, "/secret invalid_value"},
        {"secret: half a prefix", "{'secret':'whs'" REST, "/secret invalid_value"},
        {"all at once", "{'url':'x','secret':'y','events':['z'],'icp':'-','grades':['','']}",
         "/url invalid_url;/secret invalid_value;/events/0 invalid_value;/icp invalid_key;/grades/0 too_few;"
         "/grades/1 too_few;/grades/1 duplicate"},
    };
    struct editing *e = *state;
    const char *before = NULL;

    begin_editing(e);
    before = stored(e);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct result result;
        struct lf_buf found;

        assert_string_equal(lf_status_word(try_put(e, "crm", ROWS[row].body, &result)), "invalid_request");
        lf_buf_init(&found, e->arena, 4096);
        for (size_t i = 0; i < e->findings.count; i++) {
            const struct lf_finding *finding = &e->findings.items[i];

            lf_buf_printf(&found, "%s%s %s", i > 0 ? ";" : "", finding->pointer, finding->code);
            assert_null(strstr(finding->detail, "YWFh"));
            assert_null(strstr(finding->detail, "Y2Nj"));
            assert_true(strlen(finding->detail) > 10);
        }
        if (strcmp(lf_buf_terminate(&found), ROWS[row].faults) != 0)
            fail_msg("%s: found %s", ROWS[row].why, lf_buf_terminate(&found));
    }
    assert_null(live(e, "crm"));
    assert_string_equal(stored(e), before);
}

static void
test_faults_of_the_key(void **state)
{
    static const char *const ROWS[] = {
        "", "-a", "A", "a b", "a.b", "ä", "a/b", "a123456789-123456789-123456789-123456789-123456789-123456789-1234"};
    struct editing *e = *state;
    struct result result;

    begin_editing(e);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        FAILS(try_put(e, ROWS[row], "{'url':'https://crm.example/','events':['score.recorded']}", &result),
              LF_INVALID_REQUEST);
        assert_int_equal(e->findings.count, 1);
        assert_string_equal(e->findings.items[0].pointer, "");
        assert_string_equal(e->findings.items[0].code, "invalid_key");
    }
    (void)put(e, "a123456789-123456789-123456789-123456789-123456789-123456789-123",
              "{'url':'https://crm.example/','events':['score.recorded']}");
}

/* ---- what is put ---- */

static void
test_put(void **state)
{
    struct editing *e = *state;
    struct lf_subscriptions *subscriptions = NULL;
    struct lf_subscription *item = NULL;
    struct result result;

    begin_editing(e);
    subscriptions = lf_service_subscriptions(e->service);
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 0);
    result = put(e, "crm",
                 "{'url':'https://crm.example/hook?a=b','events':['score.grade_changed','icp.published'],"
                 "'icp':'b2b-saas','grades':['A','DQ','\\\"x\\\"'],'secret':'whsec_" S24 "'}");
    assert_true(result.created);
    assert_string_equal(result.secret, ""); /* who put it knows it */
    assert_string_equal(result.subscription.key, "crm");
    assert_string_equal(result.subscription.url, "https://crm.example/hook?a=b");
    assert_int_equal(result.subscription.events, 1 << LF_EVENT_GRADE_CHANGED | 1 << LF_EVENT_ICP_PUBLISHED);
    assert_string_equal(result.subscription.icp, "b2b-saas");
    assert_string_equal(result.subscription.grades, "[\"A\",\"DQ\",\"\\\"x\\\"\"]");
    assert_int_equal(result.subscription.state, LF_SUBSCRIPTION_ACTIVE);
    assert_string_equal(result.subscription.reason, "");
    assert_int_equal(result.subscription.created_at_ms, NOW_MS);
    assert_int_equal(result.subscription.updated_at_ms, NOW_MS);
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 6);
    item = live(e, "crm");
    assert_int_equal(item->id, result.subscription.id);
    assert_int_equal(item->secret_len, 24);
    assert_memory_equal(item->secret, "aaaaaaaaaaaaaaaaaaaaaaaa", 24);
    assert_int_equal(item->grade_count, 3);
    assert_string_equal(item->grades[2], "\"x\"");

    /* What is absent, null or empty is what it is without. */
    result = put(e, "crm",
                 "{'url':'https://crm.example/2','events':['score.recorded'],'icp':null,'grades':null,"
                 "'secret':null}");
    assert_false(result.created);
    assert_string_equal(result.secret, "");
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 1);
    item = live(e, "crm");
    assert_string_equal(item->url, "https://crm.example/2");
    assert_string_equal(item->icp, "");
    assert_int_equal(item->grade_count, 0);
    assert_memory_equal(item->secret, "aaaaaaaaaaaaaaaaaaaaaaaa", 24); /* as it was */
    (void)put(e, "crm", "{'url':'https://crm.example/2','events':['score.recorded'],'icp':'','grades':[],'secret':''}");
    assert_memory_equal(live(e, "crm")->secret, "aaaaaaaaaaaaaaaaaaaaaaaa", 24);
    (void)put(e, "crm",
              "{'url':'https://crm.example/2','events':['score.recorded'],'secret':'whsec_" S64 "'}"); /* rotated */
    assert_int_equal(live(e, "crm")->secret_len, 64);

    /* A start finds the same. */
    lf_service_stop(e->service);
    e->service = NULL;
    start_service(e);
    item = live(e, "crm");
    assert_string_equal(item->url, "https://crm.example/2");
    assert_int_equal(item->secret_len, 64);
    assert_int_equal(lf_subscriptions_wanted(lf_service_subscriptions(e->service)), 1);
}

static void
test_secrets_made(void **state)
{
    struct editing *e = *state;
    struct result first, second;
    uint8_t bytes[64];
    size_t len = 0;

    begin_editing(e);
    first = put(e, "one", "{'url':'https://crm.example/','events':['score.recorded']}");
    second = put(e, "two", "{'url':'https://crm.example/','events':['score.recorded'],'secret':''}");
    assert_memory_equal(first.secret, "whsec_", 6);
    assert_true(lf_base64_decode(first.secret + 6, strlen(first.secret + 6), bytes, sizeof bytes, &len));
    assert_int_equal(len, 32);
    assert_memory_equal(bytes, live(e, "one")->secret, 32);
    assert_string_not_equal(first.secret, second.secret);
    first = put(e, "one", "{'url':'https://crm.example/','events':['score.recorded']}");
    assert_string_equal(first.secret, "");
    assert_memory_equal(bytes, live(e, "one")->secret, 32);
}

/* A put makes it active again, whatever it was. */
static void
test_put_starts_again(void **state)
{
    struct editing *e = *state;
    struct lf_subscriptions *subscriptions = NULL;
    struct result result;

    begin_editing(e);
    subscriptions = lf_service_subscriptions(e->service);
    (void)put(e, "crm", "{'url':'https://crm.example/','events':['score.recorded']}");
    OK(lf_subscriptions_stop(subscriptions, lf_service_recorder(e->service), live(e, "crm"), LF_SUBSCRIPTION_DISABLED,
                             "the target says that it is gone", &e->error));
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 0);
    result = put(e, "crm", "{'url':'https://crm.example/','events':['score.recorded']}");
    assert_false(result.created);
    assert_int_equal(atomic_load(&live(e, "crm")->state), LF_SUBSCRIPTION_ACTIVE);
    assert_int_equal(lf_subscriptions_wanted(subscriptions), 1);
    assert_int_equal(int_of(e, "SELECT state FROM subscription"), 0);
}

static void
test_delete(void **state)
{
    struct editing *e = *state;
    struct lf_change change = by_key(NOW_MS);

    begin_editing(e);
    FAILS(lf_edit_delete_subscription(e->service, "crm", &change, &e->error), LF_SUBSCRIPTION_NOT_FOUND);
    (void)put(e, "crm", "{'url':'https://crm.example/','events':['score.recorded']}");
    OK(lf_edit_delete_subscription(e->service, "crm", &change, &e->error));
    assert_null(live(e, "crm"));
    assert_int_equal(lf_subscriptions_wanted(lf_service_subscriptions(e->service)), 0);
    FAILS(lf_edit_delete_subscription(e->service, "crm", &change, &e->error), LF_SUBSCRIPTION_NOT_FOUND);
}

static void
test_retry(void **state)
{
    struct editing *e = *state;
    struct result result;

    begin_editing(e);
    FAILS(lf_edit_retry_delivery(e->service, "crm", 1, &e->error), LF_SUBSCRIPTION_NOT_FOUND);
    result = put(e, "crm", "{'url':'https://crm.invalid/','events':['score.recorded']}");
    FAILS(lf_edit_retry_delivery(e->service, "crm", 1, &e->error), LF_DELIVERY_NOT_FOUND);
    OK(lf_subscriptions_stop(lf_service_subscriptions(e->service), lf_service_recorder(e->service), live(e, "crm"),
                             LF_SUBSCRIPTION_PAUSED, "so that nothing is sent", &e->error));
    run_sql(e->f->path, lf_arena_printf(e->arena,
                                        "INSERT INTO delivery VALUES (5, %lld, 0, 1, NULL, 0, 3, 0, '[]', '{}'),"
                                        " (6, %lld, 0, 1, NULL, 0, 4, 0, '[]', '')",
                                        (long long)result.subscription.id, (long long)result.subscription.id));
    OK(lf_edit_retry_delivery(e->service, "crm", 5, &e->error));
    assert_int_equal(atomic_load(&live(e, "crm")->waiting), 1);
    assert_int_equal(int_of(e, "SELECT state FROM delivery WHERE id = 5"), LF_DELIVERY_RETRYING);
    assert_true(int_of(e, "SELECT due_ms FROM delivery WHERE id = 5") > NOW_MS - 1000000000000);
    FAILS(lf_edit_retry_delivery(e->service, "crm", 6, &e->error), LF_ERASED);
}

/* A change is logged by who and what; nothing of a secret or a URL is. */
static void
test_log(void **state)
{
    struct editing *e = *state;
    struct lf_change change = by_key(NOW_MS);
    struct result made, result;
    const char *log = NULL;

    begin_editing(e);
    made = put(e, "crm", "{'url':'https://crm.example/zebra','events':['score.recorded']}");
    (void)put(e, "crm", "{'url':'https://crm.example/zebra','events':['score.recorded'],'secret':'whsec_" S24 "'}");
    (void)try_put(e, "crm", "{'url':'zebra','events':['zebra'],'secret':'whsec_" S65 "'}", &result);
    OK(lf_subscriptions_stop(lf_service_subscriptions(e->service), lf_service_recorder(e->service), live(e, "crm"),
                             LF_SUBSCRIPTION_PAUSED, "it fails", &e->error));
    OK(lf_edit_delete_subscription(e->service, "crm", &change, &e->error));
    log = logged();
    assert_non_null(strstr(log, "changed action=subscription.put subject=crm by=k1234567"));
    assert_non_null(strstr(log, "subscription_paused subscription=crm reason=\"it fails\""));
    assert_non_null(strstr(log, "changed action=subscription.delete subject=crm by=k1234567"));
    assert_null(strstr(log, "zebra"));
    assert_null(strstr(log, "whsec"));
    assert_null(strstr(log, made.secret + 6));
    assert_null(strstr(log, "YWFh"));
    assert_null(strstr(log, "Y2Nj"));
}

/* ---- at once, and without memory ---- */

enum { EDITORS = 6, EDITS = 10 };

struct editor {
    struct editing *e;
    int number;
};

static void *
edit_main(void *argument)
{
    const struct editor *editor = argument;
    struct lf_arena *arena = lf_arena_create(1 << 16, 1 << 24);
    struct lf_error error;
    char key[16];

    assert_non_null(arena);
    (void)snprintf(key, sizeof key, "s%d", editor->number % 3); /* two each want the same */
    for (int i = 0; i < EDITS; i++) {
        struct lf_change change = by_key(NOW_MS + i);
        struct lf_stored_subscription subscription;
        struct lf_findings findings;
        char secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX];
        const struct lf_json *body = NULL;
        bool created = false;
        static const char TEXT[] = "{\"url\":\"https://crm.example/\",\"events\":[\"drift.shifted\"]}";

        lf_findings_init(&findings, arena);
        assert_int_equal(lf_json_parse(arena, TEXT, sizeof TEXT - 1, &LF_JSON_LEAD_LIMITS, &body, &error), LF_OK);
        assert_int_equal(lf_edit_put_subscription(editor->e->service, arena, key, body, &change, &findings,
                                                  &subscription, &created, secret, &error),
                         LF_OK);
        assert_int_equal(created, secret[0] != '\0');
        if (i % 3 == 2) {
            enum lf_status status = lf_edit_delete_subscription(editor->e->service, key, &change, &error);

            assert_true(status == LF_OK || status == LF_SUBSCRIPTION_NOT_FOUND);
        }
    }
    lf_arena_destroy(arena);
    return NULL;
}

/* In the end what is held is what is stored. */
static void
test_crowd(void **state)
{
    struct editing *e = *state;
    struct editor editors[EDITORS];
    pthread_t threads[EDITORS];
    struct lf_stored_subscription *kept = NULL;
    struct lf_subscription **items = NULL;
    struct lf_store_reader *reader = NULL;
    size_t kept_count = 0, count = 0;

    begin_editing(e);
    for (int i = 0; i < EDITORS; i++) {
        editors[i] = (struct editor){e, i};
        assert_int_equal(pthread_create(&threads[i], NULL, edit_main, &editors[i]), 0);
    }
    for (int i = 0; i < EDITORS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    OK(lf_store_subscriptions(reader, e->arena, &kept, &kept_count, &e->error));
    lf_service_return_reader(e->service, reader);
    assert_true(lf_subscriptions_hold(lf_service_subscriptions(e->service), e->arena, &items, &count));
    assert_int_equal(count, kept_count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(items[i]->id, kept[i].id);
        assert_string_equal(items[i]->key, kept[i].key);
        assert_memory_equal(items[i]->secret, kept[i].secret, 32);
    }
    lf_subscriptions_release(lf_service_subscriptions(e->service), items, count);
}

/* Nothing is committed and then not in place. */
static void
test_allocations(void **state)
{
    static const char TEXT[] = "{'url':'https://crm.example/','events':['score.recorded'],'grades':['A','B']}";
    struct editing *e = *state;
    const struct lf_json *body = NULL;
    bool failed = true;

    begin_editing(e);
    body = support_json(e->arena, TEXT);
    for (long n = 0; failed; n++) {
        struct lf_change change = by_key(NOW_MS);
        struct lf_arena *arena = lf_arena_create(64, 1 << 20);
        struct lf_stored_subscription subscription;
        struct lf_findings findings;
        char secret[LF_SUBSCRIPTION_SECRET_TEXT_MAX];
        bool created = false;
        enum lf_status status = LF_OK;

        assert_non_null(arena);
        lf_findings_init(&findings, arena);
        arm(n);
        status = lf_edit_put_subscription(e->service, arena, "crm", body, &change, &findings, &subscription, &created,
                                          secret, &e->error);
        failed = disarm();
        lf_arena_destroy(arena);
        if (status != LF_OK)
            assert_int_equal(status, LF_OUT_OF_MEMORY);
        assert_int_equal(live(e, "crm") != NULL, status == LF_OK);
        assert_int_equal(int_of(e, "SELECT count(*) FROM subscription"), status == LF_OK);
        if (status == LF_OK) {
            OK(lf_edit_delete_subscription(e->service, "crm", &change, &e->error));
            assert_null(live(e, "crm"));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        EDITING_TEST(test_faults),
        EDITING_TEST(test_faults_of_the_key),
        EDITING_TEST(test_put),
        EDITING_TEST(test_secrets_made),
        EDITING_TEST(test_put_starts_again),
        EDITING_TEST(test_delete),
        EDITING_TEST(test_retry),
        EDITING_TEST(test_log),
        EDITING_TEST(test_crowd),
        EDITING_TEST(test_allocations),
    };

    return cmocka_run_group_tests(tests, editing_group_setup, NULL);
}
