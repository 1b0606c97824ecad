/* test_store_outbox.c - subscriptions are put, stopped and deleted with a trace in the audit; each allocation of all
 * that touches them or the outbox fails in turn, and the disk is full. */
#include "outbox_fixture.h"
#include "sqlite_faults.h"

#define NOW_MS INT64_C(1780000000000)

/* The newest entry of the audit, as "action subject by note". */
static const char *
last_audit(struct fixture *f)
{
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    OK(lf_store_audit(f->reader, f->arena, NULL, 0, SIZE_MAX, &entries, &count, &f->error));
    if (count == 0)
        return "";
    assert_string_equal(entries[count - 1].icp, "");
    assert_string_equal(entries[count - 1].before, "");
    assert_string_equal(entries[count - 1].after, "");
    return lf_arena_printf(f->arena, "%zu: %s %s by %s: %s", count, entries[count - 1].action,
                           entries[count - 1].subject, entries[count - 1].by, entries[count - 1].note);
}

static size_t
count_subscriptions(struct fixture *f)
{
    struct lf_stored_subscription *all = NULL;
    size_t count = 99;

    OK(lf_store_subscriptions(f->reader, f->arena, &all, &count, &f->error));
    return count;
}

/* ---- the life of a subscription ---- */

static void
test_put(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_subscription first = subscription_of("crm"), second = subscription_of("crm"), found;
    struct lf_change change = by_ops(NOW_MS), later = by_ops(NOW_MS + 5);
    struct lf_attempt attempt = attempt_of(1, 1, LF_DELIVERY_RETRYING);
    int64_t id = 0, again = 0;
    bool created = false;

    assert_int_equal(count_subscriptions(f), 0);
    first.state = LF_SUBSCRIPTION_DISABLED; /* none of these is read */
    first.reason = "no reason";
    first.failing_since_ms = first.delivered_at_ms = first.created_at_ms = first.updated_at_ms = 99;
    OK(lf_store_put_subscription(f->store, &first, &change, &id, &created, &f->error));
    assert_true(created);
    assert_string_equal(last_audit(f), "1: subscription.put crm by ops: a note");
    found = get_subscription(f, "crm");
    assert_int_equal(found.id, id);
    assert_string_equal(found.url, first.url);
    assert_int_equal(found.secret_len, 32);
    assert_memory_equal(found.secret, first.secret, 32);
    assert_int_equal(found.events, 15);
    assert_string_equal(found.icp, "");
    assert_string_equal(found.grades, "[]");
    assert_int_equal(found.state, LF_SUBSCRIPTION_ACTIVE);
    assert_string_equal(found.reason, "");
    assert_int_equal(found.failing_since_ms, 0);
    assert_int_equal(found.delivered_at_ms, 0);
    assert_int_equal(found.created_at_ms, NOW_MS);
    assert_int_equal(found.updated_at_ms, NOW_MS);

    /* Put again: all of it is new but its age, and what waits goes on waiting. */
    put_many(f, id, 2, NOW_MS);
    attempt.state = LF_DELIVERY_DELIVERED;
    OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
    attempt.state = LF_DELIVERY_RETRYING;
    OK(lf_store_note_attempts(f->store, &attempt, 1, NULL, &f->error));
    OK(lf_store_stop_subscription(f->store, id, LF_SUBSCRIPTION_PAUSED, "it fails", &change, &f->error));
    second.url = "http://[::1]:8000/x?y=\"z\"";
    second.secret = "ssssssssssssssssssssssss";
    second.secret_len = 24;
    second.events = 2;
    second.icp = "b2b-saas";
    second.grades = "[\"A\",\"DQ\"]";
    OK(lf_store_put_subscription(f->store, &second, &later, &again, &created, &f->error));
    assert_false(created);
    assert_int_equal(again, id);
    found = get_subscription(f, "crm");
    assert_string_equal(found.url, second.url);
    assert_int_equal(found.secret_len, 24);
    assert_memory_equal(found.secret, second.secret, 24);
    assert_int_equal(found.events, 2);
    assert_string_equal(found.icp, "b2b-saas");
    assert_string_equal(found.grades, "[\"A\",\"DQ\"]");
    assert_int_equal(found.state, LF_SUBSCRIPTION_ACTIVE);
    assert_string_equal(found.reason, "");
    assert_int_equal(found.failing_since_ms, 0);
    assert_int_equal(found.delivered_at_ms, NOW_MS);
    assert_int_equal(found.created_at_ms, NOW_MS);
    assert_int_equal(found.updated_at_ms, NOW_MS + 5);
    assert_outbox(f, id, 1, NOW_MS + 1);
    close_store(f);
    open_store(f);
    assert_string_equal(get_subscription(f, "crm").url, second.url);
}

static void
test_stop(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = {.by = "leadfit", .key_id = "", .note = "why", .at_ms = NOW_MS};
    int64_t id = put_subscription(f, "crm");

    OK(lf_store_stop_subscription(f->store, id, LF_SUBSCRIPTION_PAUSED, "it fails", &change, &f->error));
    assert_string_equal(last_audit(f), "2: subscription.pause crm by leadfit: why");
    assert_int_equal(get_subscription(f, "crm").state, LF_SUBSCRIPTION_PAUSED);
    assert_string_equal(get_subscription(f, "crm").reason, "it fails");
    OK(lf_store_stop_subscription(f->store, id, LF_SUBSCRIPTION_DISABLED, "it is gone", &change, &f->error));
    assert_string_equal(last_audit(f), "3: subscription.disable crm by leadfit: why");
    assert_int_equal(get_subscription(f, "crm").state, LF_SUBSCRIPTION_DISABLED);
    OK(lf_store_stop_subscription(f->store, id + 1, LF_SUBSCRIPTION_DISABLED, "", &change, &f->error));
    assert_string_equal(last_audit(f), "3: subscription.disable crm by leadfit: why");
}

static void
test_delete(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(NOW_MS);
    int64_t id = put_subscription(f, "crm"), other = put_subscription(f, "other");

    put_many(f, id, 3, NOW_MS);
    FAILS(lf_store_delete_subscription(f->store, "cr", &change, &f->error), LF_SUBSCRIPTION_NOT_FOUND);
    OK(lf_store_delete_subscription(f->store, "crm", &change, &f->error));
    assert_string_equal(last_audit(f), "3: subscription.delete crm by ops: a note");
    FAILS(lf_store_delete_subscription(f->store, "crm", &change, &f->error), LF_SUBSCRIPTION_NOT_FOUND);
    assert_int_equal(count_subscriptions(f), 1);
    assert_outbox(f, id, 3, NOW_MS); /* for the sweep */
    assert_true(put_subscription(f, "crm") > other);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_as_many_as_there_can_be(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(NOW_MS);
    struct lf_stored_subscription more = subscription_of("one-more"), *all = NULL;
    int64_t id = 0;
    size_t count = 0;
    bool created = false;

    for (int i = 0; i < LF_SUBSCRIPTIONS_MAX; i++)
        (void)put_subscription(f, lf_arena_printf(f->arena, "s%02d", (i * 37) % LF_SUBSCRIPTIONS_MAX));
    FAILS(lf_store_put_subscription(f->store, &more, &change, &id, &created, &f->error), LF_CONFLICT);
    assert_non_null(strstr(f->error.detail, "100 subscriptions"));
    (void)put_subscription(f, "s42"); /* one that is there can be put again */
    OK(lf_store_subscriptions(f->reader, f->arena, &all, &count, &f->error));
    assert_int_equal(count, LF_SUBSCRIPTIONS_MAX);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(all[i - 1].key, all[i].key) < 0);
    OK(lf_store_delete_subscription(f->store, "s42", &change, &f->error));
    OK(lf_store_put_subscription(f->store, &more, &change, &id, &created, &f->error));
}

/* A secret that was replaced or deleted is in no file, and bound to no statement. */
static void
test_secrets_go(void **state)
{
    static const char OLD[] = "OLD-SECRET-OLD-SECRET-OLD";
    struct fixture *f = *state;
    struct lf_stored_subscription subscription = subscription_of("crm");
    struct lf_change change = by_ops(NOW_MS);
    int64_t id = 0;
    bool created = false;
    char command[2 * PATH_SIZE];

    subscription.secret = OLD;
    subscription.secret_len = sizeof OLD - 1;
    OK(lf_store_put_subscription(f->store, &subscription, &change, &id, &created, &f->error));
    (void)snprintf(command, sizeof command, "cat '%s'* | grep -q OLD-SECRET", f->path);
    assert_int_equal(system(command), 0);
    for (int which = LF_SQL_ADD_SUBSCRIPTION; which <= LF_SQL_CHANGE_SUBSCRIPTION; which++) {
        sqlite3_stmt *statement = writer_of(f)->statements[which];
        char *sql = statement != NULL ? sqlite3_expanded_sql(statement) : NULL;

        assert_true(sql == NULL || strstr(sql, "4F4C442D") == NULL); /* "OLD-" as a blob is written */
        assert_true(sql == NULL || strstr(sql, "4f4c442d") == NULL);
        sqlite3_free(sql);
    }
    (void)put_subscription(f, "crm");
    close_store(f);
    assert_int_not_equal(system(command), 0);
    open_store(f);
}

/* ---- what fails ---- */

/* Every verb that writes, on what test_faults prepares: a subscription with deliveries that wait. */
enum verb { PUT, PUT_AGAIN, STOP, DELETE, ADD, ERASE, NOTE, RETRY, GIVE_UP, PRUNE, VERBS };

static enum lf_status
write_verb(struct fixture *f, enum verb verb, int64_t id)
{
    struct lf_stored_subscription subscription = subscription_of(verb == PUT ? "new" : "crm");
    struct lf_change change = by_ops(NOW_MS);
    struct lf_attempt attempts[] = {attempt_of(id, 1, LF_DELIVERY_RETRYING), attempt_of(id, 2, LF_DELIVERY_DELIVERED)};
    struct lf_new_delivery deliveries[] = {delivery_of(id, NOW_MS, 1), delivery_of(id, NOW_MS, 0)};
    struct lf_ulid score = {{9}};
    int64_t row = 0;
    bool flag = false, waited[2];

    switch (verb) {
    case PUT:
    case PUT_AGAIN:
        return lf_store_put_subscription(f->store, &subscription, &change, &row, &flag, &f->error);
    case STOP:
        return lf_store_stop_subscription(f->store, id, LF_SUBSCRIPTION_PAUSED, "why", &change, &f->error);
    case DELETE:
        return lf_store_delete_subscription(f->store, "crm", &change, &f->error);
    case ADD:
        return put_deliveries(f, deliveries, 2);
    case ERASE:
        return erase_deliveries(f, score);
    case NOTE:
        return lf_store_note_attempts(f->store, attempts, 2, waited, &f->error);
    case RETRY:
        return lf_store_retry_delivery(f->store, id, 4, NOW_MS, &flag, &f->error);
    case GIVE_UP:
        return lf_store_fail_deliveries(f->store, id, NOW_MS, "why", 10, &flag, &f->error);
    case PRUNE:
    case VERBS:
        break;
    }
    return lf_store_prune_deliveries(f->store, INT64_MAX, 1, 10, &flag, &f->error);
}

static enum lf_status
read_verb(struct fixture *f, int verb, int64_t id)
{
    struct lf_stored_subscription *subscriptions = NULL;
    struct lf_stored_delivery *deliveries = NULL, one;
    int64_t waiting = 0, oldest_ms = 0;
    size_t count = 0;

    switch (verb) {
    case 0:
        return lf_store_subscriptions(f->reader, f->arena, &subscriptions, &count, &f->error);
    case 1:
    case 2:
    case 3:
        return lf_store_deliveries(f->reader, f->arena, id, (enum lf_delivery_order)(verb - 1),
                                   verb == 3 ? INT64_MAX : 0, 20, &deliveries, &count, &f->error);
    case 4:
        return lf_store_delivery(f->reader, f->arena, id, 1, &one, &f->error);
    default:
        return lf_store_outbox(f->reader, id, &waiting, &oldest_ms, &f->error);
    }
}

/* All that is in the three tables, as text. */
static const char *
everything(struct fixture *f)
{
    static const char *const QUERIES[] = {
        ("SELECT group_concat(id || key || url || hex(secret) || events || state || reason || failing_since_ms ||"
         " delivered_at_ms, ';') FROM subscription"),
        "SELECT group_concat(id || ',' || state || ',' || due_ms || attempts || data, ';') FROM delivery",
        "SELECT group_concat(action || subject, ';') FROM audit",
    };
    struct lf_buf text;
    sqlite3 *db = NULL;

    lf_buf_init(&text, f->arena, 1 << 16);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (int i = 0; i < 3; i++) {
        sqlite3_stmt *statement = NULL;

        assert_int_equal(sqlite3_prepare_v2(db, QUERIES[i], -1, &statement, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        lf_buf_printf(&text, "%s\n", (const char *)sqlite3_column_text(statement, 0));
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return lf_buf_terminate(&text);
}

static int64_t
prepare_for_faults(struct fixture *f)
{
    int64_t id = put_subscription(f, "crm");
    struct lf_new_delivery delivery = delivery_of(id, NOW_MS, 9);
    struct lf_attempt attempts[] = {attempt_of(id, 3, LF_DELIVERY_RETRYING), attempt_of(id, 4, LF_DELIVERY_FAILED),
                                    attempt_of(id, 5, LF_DELIVERY_DELIVERED)};

    put_many(f, id, 5, NOW_MS);
    OK(put_deliveries(f, &delivery, 1));
    OK(lf_store_note_attempts(f->store, attempts, 3, NULL, &f->error));
    return id;
}

/* Each allocation of writing fails in turn: nothing has changed then, and all of it in the end. */
static void
test_allocations_of_writing(void **state)
{
    struct fixture *f = *state;

    for (int verb = 0; verb < VERBS; verb++) {
        int64_t id = prepare_for_faults(f);
        const char *before = everything(f);
        char command[2 * PATH_SIZE];
        bool failed = true;

        close_store(f); /* the statements are prepared anew */
        open_store(f);
        for (long n = 0; failed; n++) {
            enum lf_status status = LF_OK;

            arm(n);
            status = write_verb(f, (enum verb)verb, id);
            failed = disarm();
            if (status == LF_OK)
                break; /* nothing failed, or nothing that matters */
            assert_true(failed);
            assert_int_equal(status, LF_OUT_OF_MEMORY);
            assert_string_equal(everything(f), before);
        }
        assert_string_not_equal(everything(f), before);
        assert_int_equal(check(f, false, NULL), 0);
        close_store(f);
        (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
        assert_int_equal(system(command), 0);
        open_store(f);
    }
}

static void
test_allocations_of_reading(void **state)
{
    struct fixture *f = *state;
    int64_t id = prepare_for_faults(f);

    for (int verb = 0; verb < 6; verb++) {
        bool failed = true;

        lf_store_reader_close(f->reader);
        OK(lf_store_reader_open(f->store, &f->reader, &f->error));
        for (long n = 0; failed; n++) {
            enum lf_status status = LF_OK;

            arm(n);
            status = read_verb(f, verb, id);
            failed = disarm();
            if (status == LF_OK)
                break;
            assert_true(failed);
            assert_int_equal(status, LF_OUT_OF_MEMORY);
        }
        OK(read_verb(f, verb, id));
    }
}

static void
test_reading_only(void **state)
{
    struct fixture *f = *state;
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_store *first = f->store, *second = NULL;

    OK(lf_store_open(&options, &second, &f->error));
    f->store = second;
    for (int verb = 0; verb < VERBS; verb++)
        if (verb != ADD && verb != ERASE) /* which are part of other writes */
            FAILS(write_verb(f, (enum verb)verb, 1), LF_STORAGE_FAILED);
    f->store = first;
    lf_store_close(second);
}

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_subscription subscription = subscription_of("large");
    struct lf_change change = by_ops(NOW_MS);
    int64_t id = 0;
    bool created = false;
    char *url = malloc(200001);

    assert_non_null(url);
    memset(url, 'x', 200000);
    url[200000] = '\0';
    subscription.url = url;
    OK(lf_sqlite_exec(writer_of(f), "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(lf_store_put_subscription(f->store, &subscription, &change, &id, &created, &f->error), LF_STORAGE_FULL);
    assert_int_equal(id, 0);
    assert_int_equal(count_subscriptions(f), 0);
    assert_string_equal(last_audit(f), "");
    OK(lf_sqlite_exec(writer_of(f), "PRAGMA max_page_count = 1000000", &f->error));
    OK(lf_store_put_subscription(f->store, &subscription, &change, &id, &created, &f->error));
    assert_int_equal(count_subscriptions(f), 1);
    free(url);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_put),
        STORE_TEST(test_stop),
        STORE_TEST(test_delete),
        STORE_TEST(test_as_many_as_there_can_be),
        STORE_TEST(test_secrets_go),
        STORE_TEST(test_allocations_of_writing),
        STORE_TEST(test_allocations_of_reading),
        STORE_TEST(test_reading_only),
        STORE_TEST(test_full),
    };

    if (!let_sqlite_fail())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
