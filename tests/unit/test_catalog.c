/* test_catalog.c - published versions, parsed once: shared, held, and the ones used last kept. */
#include "app/catalog.h"
#include "app_fixture.h"

#include <pthread.h>

#define SMALL_ATTRIBUTES                                                              \
    "'attributes':[{'key':'size','label':'S','category':'need','weight':%d,'rules':[" \
    "{'when':{'field':'company.employees','gte':1}}]}]"

/* Publishes `count` versions of an ICP; ids go from the first one's on. */
static int64_t
publish_versions(struct fixture *f, const char *key, int count)
{
    struct lf_stored_version version;

    for (int i = 1; i <= count; i++)
        publish_icp(f, key, "core", lf_arena_printf(f->arena, SMALL_ATTRIBUTES, i), i);
    OK(lf_store_version(f->reader, f->arena, key, 1, &version, &f->error));
    return version.id;
}

static void
test_entry(void **state)
{
    struct fixture *f = *state;
    struct lf_catalog *catalog = lf_catalog_create();
    const struct lf_cataloged *first = NULL, *again = NULL, *second = NULL;
    int64_t id = publish_versions(f, "small", 2);
    struct lf_stored_version version;

    assert_non_null(catalog);
    OK(lf_catalog_hold(catalog, f->reader, id, &first, &f->error));
    OK(lf_catalog_hold(catalog, f->reader, id, &again, &f->error));
    OK(lf_catalog_hold(catalog, f->reader, id + 1, &second, &f->error));
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, second);
    OK(lf_store_version_by_id(f->reader, f->arena, id + 1, &version, &f->error));
    assert_int_equal(second->version_id, id + 1);
    assert_int_equal(second->icp_id, version.icp_id);
    assert_int_equal(second->version, 2);
    assert_int_equal(second->published_at_ms, version.published_at_ms);
    assert_string_equal(second->icp->key, "small");
    assert_int_equal(second->icp->attributes[0].weight, 2);
    assert_ptr_equal(second->scorer->icp, second->icp);
    lf_catalog_release(catalog, first);
    assert_int_equal(again->icp->attributes[0].weight, 1); /* somebody holds it still */
    lf_catalog_release(catalog, again);
    lf_catalog_release(catalog, second);
    lf_catalog_release(catalog, NULL);
    lf_catalog_destroy(catalog);
    lf_catalog_destroy(NULL);
}

static void
test_unknown_and_altered(void **state)
{
    struct fixture *f = *state;
    struct lf_catalog *catalog = lf_catalog_create();
    const struct lf_cataloged *entry = NULL;
    int64_t id = publish_versions(f, "small", 1);

    FAILS(lf_catalog_hold(catalog, f->reader, id + 1, &entry, &f->error), LF_STORAGE_CORRUPT);
    FAILS(lf_catalog_hold(catalog, f->reader, 0, &entry, &f->error), LF_STORAGE_CORRUPT);
    run_sql(f->path, "UPDATE icp_version SET document = replace(document, '\"weight\":1', '\"weight\":9')");
    FAILS(lf_catalog_hold(catalog, f->reader, id, &entry, &f->error), LF_STORAGE_CORRUPT);
    lf_catalog_destroy(catalog);
}

/* Of those that nobody holds as many stay as are to be kept, those used last; held ones stay whatever their number. */
static void
test_kept(void **state)
{
    enum { ALL = LF_CATALOG_KEPT + 44 };
    struct fixture *f = *state;
    struct lf_catalog *catalog = lf_catalog_create();
    const struct lf_cataloged *entries[ALL], *entry = NULL;
    int64_t id = publish_versions(f, "small", ALL);

    for (int i = 0; i < ALL; i++)
        OK(lf_catalog_hold(catalog, f->reader, id + i, &entries[i], &f->error));
    for (int i = 0; i < ALL; i++)
        assert_int_equal(entries[i]->icp->attributes[0].weight, i + 1);
    for (int i = 0; i < ALL; i++)
        lf_catalog_release(catalog, entries[i]);
    /* Where the database does not tell any more, only what was kept is there. */
    run_sql(f->path, "UPDATE icp_version SET document = replace(document, '\"weight\"', '\"wait\"')");
    for (int i = ALL - 1; i >= 0; i--) {
        enum lf_status status = lf_catalog_hold(catalog, f->reader, id + i, &entry, &f->error);

        assert_int_equal(status, i >= ALL - LF_CATALOG_KEPT ? LF_OK : LF_STORAGE_CORRUPT);
        if (status == LF_OK)
            lf_catalog_release(catalog, entry);
    }
    lf_catalog_destroy(catalog);
}

/* ---- many threads ---- */

enum { THREADS = 4, ROUNDS = 300, VERSIONS = 40 };

struct holder {
    struct lf_catalog *catalog;
    struct lf_store_reader *reader;
    int64_t first_id;
    unsigned seed;
    bool wrong;
};

static void *
hold_many(void *argument)
{
    struct holder *holder = argument;
    struct support_random random = {holder->seed};

    for (int i = 0; i < ROUNDS; i++) {
        int64_t id = holder->first_id + support_random(&random, VERSIONS);
        const struct lf_cataloged *a = NULL, *b = NULL;
        struct lf_error error;

        holder->wrong |= lf_catalog_hold(holder->catalog, holder->reader, id, &a, &error) != LF_OK ||
                         lf_catalog_hold(holder->catalog, holder->reader, id, &b, &error) != LF_OK;
        if (holder->wrong)
            break;
        holder->wrong |= a != b || a->version_id != id;
        lf_catalog_release(holder->catalog, a);
        lf_catalog_release(holder->catalog, b);
    }
    return NULL;
}

static void
test_many_threads(void **state)
{
    struct fixture *f = *state;
    struct lf_catalog *catalog = lf_catalog_create();
    struct holder holders[THREADS];
    pthread_t threads[THREADS];
    int64_t id = publish_versions(f, "small", VERSIONS);

    for (unsigned i = 0; i < THREADS; i++) {
        holders[i] = (struct holder){.catalog = catalog, .first_id = id, .seed = i + 1};
        OK(lf_store_reader_open(f->store, &holders[i].reader, &f->error));
        assert_int_equal(pthread_create(&threads[i], NULL, hold_many, &holders[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(holders[i].wrong);
        lf_store_reader_close(holders[i].reader);
    }
    lf_catalog_destroy(catalog);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_entry),
        STORE_TEST(test_unknown_and_altered),
        STORE_TEST(test_kept),
        STORE_TEST(test_many_threads),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
