/* test_publications.c - a version that is published is told of in its commit; nothing else is, and nothing without it.
 */
#include "editing_fixture.h"
#include "event_fixture.h"

#define OTHER_ATTRIBUTES                                                                                \
    "'summary':'changed','attributes':[{'key':'size','label':'Company size','category':'firmographic'," \
    "'weight':20,'rules':[{'when':{'field':'company.employees','gte':5},'label':'five and more'}]}]"

enum { ALL, ONE, SCORES, DISABLED, WHO };

/* Subscriptions that gather, and are sent nothing: they are paused. */
static void
subscribe(struct editing *e, int64_t ids[WHO])
{
    struct lf_store *store = e->f->store;

    ids[ALL] = put_subscription(store, "all", ALL_EVENTS, "", "[\"A\"]");
    ids[ONE] = put_subscription(store, "one", BIT(ICP_PUBLISHED), "one", "[]");
    ids[SCORES] = put_subscription(store, "scores", SCORE_EVENTS, "", "[]");
    ids[DISABLED] = put_subscription(store, "disabled", ALL_EVENTS, "", "[]");
    for (size_t i = 0; i < WHO; i++)
        stop_subscription(store, ids[i], i == DISABLED ? LF_SUBSCRIPTION_DISABLED : LF_SUBSCRIPTION_PAUSED);
}

static const char *
told_to(struct editing *e, int64_t id)
{
    struct lf_store_reader *reader = NULL;
    const char *text = NULL;

    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    text = told(reader, e->arena, id);
    lf_service_return_reader(e->service, reader);
    return text;
}

#define PUBLISHED(icp, version)                                                                                    \
    "icp.published {'lead_id':'','icp':'" icp "','version':" version ",'score_id':'','score':0,'from':'','to':''," \
    "'psi':0}\n"

static void
assert_told(struct editing *e, const int64_t ids[WHO], const char *all, const char *one)
{
    struct lf_subscription **held = NULL;
    size_t count = 0;

    assert_string_equal(told_to(e, ids[ALL]), support_quoted(e->arena, all));
    assert_string_equal(told_to(e, ids[ONE]), support_quoted(e->arena, one));
    assert_string_equal(told_to(e, ids[SCORES]), "");
    assert_string_equal(told_to(e, ids[DISABLED]), "");
    assert_true(lf_subscriptions_hold(lf_service_subscriptions(e->service), e->arena, &held, &count));
    assert_int_equal(count, WHO);
    for (size_t i = 0; i < count; i++) {
        struct lf_stored_delivery *deliveries = NULL;
        struct lf_store_reader *reader = NULL;

        OK(lf_service_borrow_reader(e->service, &reader, &e->error));
        assert_int_equal(atomic_load(&held[i]->waiting), waiting_for(reader, e->arena, held[i]->id, 0, &deliveries));
        lf_service_return_reader(e->service, reader);
    }
    lf_subscriptions_release(lf_service_subscriptions(e->service), held, count);
}

static void
test_published(void **state)
{
    struct editing *e = *state;
    struct lf_stored_delivery *deliveries = NULL;
    struct lf_store_reader *reader = NULL;
    struct lf_publication publication;
    struct lf_change change = by_key(NOW_MS);
    int64_t ids[WHO];

    subscribe(e, ids);
    begin_editing(e);
    publish_new(e, "two", PLAIN_ATTRIBUTES, 1);
    assert_told(e, ids, PUBLISHED("two", "1"), "");
    publish_new(e, "one", PLAIN_ATTRIBUTES, 1);
    publish_new(e, "one", OTHER_ATTRIBUTES, 2);
#define SO_FAR PUBLISHED("two", "1") PUBLISHED("one", "1") PUBLISHED("one", "2")
#define OF_ONE PUBLISHED("one", "1") PUBLISHED("one", "2")
    assert_told(e, ids, SO_FAR, OF_ONE);
    /* When it was published is when it happened. */
    OK(lf_service_borrow_reader(e->service, &reader, &e->error));
    assert_int_equal(waiting_for(reader, e->arena, ids[ONE], 0, &deliveries), 2);
    lf_service_return_reader(e->service, reader);
    assert_int_equal(deliveries[0].at_ms, NOW_MS);
    /* Other changes tell nothing. */
    OK(lf_edit_activate(e->service, e->arena, "one", 1, &change, &publication, &e->error));
    (void)put_draft(e, "one", OTHER_ATTRIBUTES);
    OK(lf_edit_set_archived(e->service, e->arena, "two", true, &change, &e->error));
    assert_told(e, ids, SO_FAR, OF_ONE);
    /* As many as there are, a version is a version: also with the same definition. */
    OK(try_publish(e, "one", &ANY, -1, &publication));
    assert_told(e, ids, SO_FAR PUBLISHED("one", "3"), OF_ONE PUBLISHED("one", "3"));
}

static void
test_not_published(void **state)
{
    struct editing *e = *state;
    const char *etag = "\"d0-0\"";
    const struct lf_precondition stale = {.etags = &etag, .etag_count = 1};
    struct lf_publication publication;
    struct lf_change change = by_key(NOW_MS);
    int64_t ids[WHO];

    subscribe(e, ids);
    begin_editing(e);
    FAILS(try_publish(e, "none", &ANY, -1, &publication), LF_ICP_NOT_FOUND);
    (void)put_draft(e, "one", PLAIN_ATTRIBUTES);
    FAILS(try_publish(e, "one", &stale, -1, &publication), LF_PRECONDITION_FAILED);
    FAILS(try_publish(e, "one", &NOTHING_SAID, -1, &publication), LF_PRECONDITION_REQUIRED);
    gate_refuse("publish_draft", 0);
    FAILS(try_publish(e, "one", &ANY, -1, &publication), LF_STORAGE_FULL);
    gate_refuse(NULL, 0);
    OK(lf_edit_set_archived(e->service, e->arena, "one", true, &change, &e->error));
    FAILS(try_publish(e, "one", &ANY, -1, &publication), LF_ICP_ARCHIVED);
    assert_told(e, ids, "", "");
    OK(lf_edit_set_archived(e->service, e->arena, "one", false, &change, &e->error));
    OK(try_publish(e, "one", &ANY, -1, &publication));
    assert_told(e, ids, PUBLISHED("one", "1"), PUBLISHED("one", "1"));
}

/* ---- the store ---- */

/* What is told of a publication is in its commit: not without it, and not when there is nothing new. */
static void
test_in_one_commit(void **state)
{
    struct editing *e = *state;
    struct fixture *f = e->f;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    static char data[100000];
    struct lf_new_delivery delivery = {
        .subscription_id = 7, .type = LF_EVENT_ICP_PUBLISHED, .at_ms = 5, .data = "{}", .data_len = 2};
    struct lf_change change = by_ops(5);
    struct lf_new_version first = version("one", "{}", 1), second = version("one", "{ }", 2);
    bool unchanged = false;
    int number = 0;

    memset(data, '1', sizeof data);
    change.deliveries = &delivery;
    change.delivery_count = 1;
    OK(lf_store_publish(f->store, &first, &change, &number, &unchanged, &e->error));
    assert_int_equal(number, 1);
    assert_string_equal(told(f->reader, e->arena, 7), "icp.published {}\n");
    OK(lf_store_publish(f->store, &first, &change, &number, &unchanged, &e->error));
    assert_true(unchanged);
    assert_string_equal(told(f->reader, e->arena, 7), "icp.published {}\n");
    delivery.data = data;
    delivery.data_len = sizeof data;
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &e->error)); /* as many as there are */
    FAILS(lf_store_publish(f->store, &second, &change, &number, &unchanged, &e->error), LF_STORAGE_FULL);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &e->error));
    assert_string_equal(told(f->reader, e->arena, 7), "icp.published {}\n");
    assert_int_equal(int_of(e, "SELECT count(*) FROM icp_version"), 1);
    delivery.data_len = 1;
    OK(lf_store_publish(f->store, &second, &change, &number, &unchanged, &e->error));
    assert_int_equal(number, 2);
    assert_string_equal(told(f->reader, e->arena, 7), "icp.published {}\nicp.published 1\n");
}

int
main(void)
{
    static const struct CMUnitTest TESTS[] = {
        EDITING_TEST(test_published),
        EDITING_TEST(test_not_published),
        EDITING_TEST(test_in_one_commit),
    };

    return cmocka_run_group_tests(TESTS, editing_group_setup, NULL);
}
