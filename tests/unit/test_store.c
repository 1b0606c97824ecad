/* test_store.c - the store's verbs on a real database file. What fails it is tried in test_store_files.c. */
#include "store_fixture.h"

/* ---- ICPs ---- */

static void
test_publish(void **state)
{
    struct fixture *f = *state;
    struct lf_new_version again = version("maker", "{\"v\":1.0}", 1, 400);
    struct lf_stored_icp *icps = NULL, icp;
    struct lf_stored_version stored, *active = NULL;
    size_t count = 0;
    int number = 0;
    bool unchanged = false;

    publish(f, "maker", "{\"v\":1}", 1, 100, 1);
    OK(lf_store_publish(f->store, &again, &number, &unchanged, &f->error)); /* the same canonical form */
    assert_int_equal(number, 1);
    assert_true(unchanged);
    publish(f, "maker", "{\"v\":2}", 2, 200, 2);
    publish(f, "maker", "{\"v\":1}", 1, 300, 3); /* back to what was, but not the active one: a version of its own */
    publish(f, "bank", "{}", 9, 500, 1);

    OK(lf_store_icps(f->reader, f->arena, &icps, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(icps[0].key, "bank");
    assert_string_equal(icps[1].key, "maker");
    OK(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error));
    assert_string_equal(icp.name, "Name");
    assert_string_equal(icp.purpose, "core");
    assert_int_equal(icp.active_version, 3);
    assert_int_equal(icp.versions, 3);
    assert_int_equal(icp.created_at_ms, 100);
    assert_int_equal(icp.updated_at_ms, 300);
    assert_false(icp.archived);

    OK(lf_store_version(f->reader, f->arena, "maker", 2, &stored, &f->error));
    assert_string_equal(stored.icp, "maker");
    assert_int_equal(stored.version, 2);
    assert_string_equal(stored.document, "{\"v\":2}");
    assert_int_equal(stored.document_len, 7);
    assert_int_equal(stored.hash[0], 2);
    assert_int_equal(stored.hash[31], 2);
    assert_string_equal(stored.note, "a note");
    assert_int_equal(stored.published_at_ms, 200);
    OK(lf_store_version_by_id(f->reader, f->arena, stored.id, &stored, &f->error));
    assert_int_equal(stored.version, 2);

    OK(lf_store_active_versions(f->reader, f->arena, &active, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(active[0].icp, "bank");
    assert_string_equal(active[1].icp, "maker");
    assert_int_equal(active[1].version, 3);

    FAILS(lf_store_icp(f->reader, f->arena, "nobody", &icp, &f->error), LF_ICP_NOT_FOUND);
    FAILS(lf_store_version(f->reader, f->arena, "nobody", 1, &stored, &f->error), LF_ICP_NOT_FOUND);
    FAILS(lf_store_version(f->reader, f->arena, "maker", 4, &stored, &f->error), LF_VERSION_NOT_FOUND);
    FAILS(lf_store_version(f->reader, f->arena, "maker", 0, &stored, &f->error), LF_VERSION_NOT_FOUND);
    FAILS(lf_store_version_by_id(f->reader, f->arena, 999, &stored, &f->error), LF_VERSION_NOT_FOUND);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_archive(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_icp icp;
    struct lf_stored_version *active = NULL;
    size_t count = 9;

    publish(f, "maker", "{}", 1, 100, 1);
    OK(lf_store_set_archived(f->store, "maker", true, 200, &f->error));
    OK(lf_store_set_archived(f->store, "maker", true, 300, &f->error)); /* twice is once */
    OK(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error));
    assert_true(icp.archived);
    assert_int_equal(icp.updated_at_ms, 200);
    OK(lf_store_active_versions(f->reader, f->arena, &active, &count, &f->error));
    assert_int_equal(count, 0);
    OK(lf_store_set_archived(f->store, "maker", false, 400, &f->error));
    OK(lf_store_active_versions(f->reader, f->arena, &active, &count, &f->error));
    assert_int_equal(count, 1);
    FAILS(lf_store_set_archived(f->store, "nobody", true, 1, &f->error), LF_ICP_NOT_FOUND);
}

struct seen {
    size_t count, stop_at;
    int64_t last_id;
    char names[128];
};

static enum lf_status
see_version(void *context, const struct lf_stored_version *v)
{
    struct seen *seen = context;
    size_t len = strlen(seen->names);

    assert_true(v->id > seen->last_id);
    seen->last_id = v->id;
    (void)snprintf(seen->names + len, sizeof seen->names - len, "%s%d ", v->icp, v->version);
    return ++seen->count == seen->stop_at ? LF_CONFLICT : LF_OK;
}

static void
test_each_version(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {.count = 0}, cut = {.stop_at = 2};

    publish(f, "b", "{}", 1, 1, 1);
    publish(f, "a", "{}", 1, 2, 1);
    publish(f, "b", "{}", 2, 3, 2);
    OK(lf_store_each_version(f->reader, f->arena, see_version, &seen, &f->error));
    assert_string_equal(seen.names, "b1 a1 b2 ");
    assert_int_equal(lf_store_each_version(f->reader, f->arena, see_version, &cut, &f->error), LF_CONFLICT);
    assert_int_equal(cut.count, 2);
}

/* ---- lists and keys ---- */

static void
test_lists(void **state)
{
    static const char *const FIRST[] = {"acme.example", "Müller GmbH", ""}, *const SECOND[] = {"one"};
    struct fixture *f = *state;
    struct lf_stored_list *lists = NULL;
    size_t count = 9;

    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 0);
    OK(lf_store_put_list(f->store, "targets", FIRST, 3, 100, &f->error));
    OK(lf_store_put_list(f->store, "empty", NULL, 0, 100, &f->error));
    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(lists[0].key, "empty");
    assert_int_equal(lists[0].count, 0);
    assert_string_equal(lists[1].key, "targets");
    assert_int_equal(lists[1].revision, 1);
    assert_int_equal(lists[1].count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(lists[1].entries[i], FIRST[i]);
    OK(lf_store_put_list(f->store, "targets", SECOND, 1, 200, &f->error));
    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(lists[1].revision, 2);
    assert_int_equal(lists[1].count, 1);
    assert_string_equal(lists[1].entries[0], "one");
}

static void
test_many_lists(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_list *lists = NULL;
    size_t count = 0;
    char key[16];
    const char *entries[1] = {key};

    for (int i = 0; i < 40; i++) { /* more than the first room for them */
        (void)snprintf(key, sizeof key, "l%02d", i);
        OK(lf_store_put_list(f->store, key, entries, 1, 1, &f->error));
    }
    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 40);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof key, "l%02d", i);
        assert_string_equal(lists[i].key, key);
        assert_string_equal(lists[i].entries[0], key);
    }
}

static void
test_keys(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_key later = {.id = "aaaa",
                                  .name = "crm",
                                  .scopes = UINT32_MAX,
                                  .created_at_ms = 200,
                                  .expires_at_ms = 900},
                         earlier = {.id = "0123456789abcdef", .name = "ops", .scopes = 1, .created_at_ms = 100},
                         *keys = NULL;
    size_t count = 0;

    memset(later.secret_hash, 7, sizeof later.secret_hash);
    OK(lf_store_create_key(f->store, &later, &f->error));
    OK(lf_store_create_key(f->store, &earlier, &f->error));
    FAILS(lf_store_create_key(f->store, &later, &f->error), LF_CONFLICT);
    OK(lf_store_keys(f->reader, f->arena, &keys, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(keys[0].id, "0123456789abcdef");
    assert_string_equal(keys[1].id, "aaaa");
    assert_string_equal(keys[1].name, "crm");
    assert_true(keys[1].scopes == UINT32_MAX);
    assert_memory_equal(keys[1].secret_hash, later.secret_hash, LF_SHA256_SIZE);
    assert_int_equal(keys[1].expires_at_ms, 900);
    assert_int_equal(keys[1].revoked_at_ms, 0);
    OK(lf_store_revoke_key(f->store, "aaaa", 300, &f->error));
    OK(lf_store_revoke_key(f->store, "aaaa", 400, &f->error)); /* the first time counts */
    FAILS(lf_store_revoke_key(f->store, "bbbb", 300, &f->error), LF_KEY_NOT_FOUND);
    OK(lf_store_keys(f->reader, f->arena, &keys, &count, &f->error));
    assert_int_equal(keys[1].revoked_at_ms, 300);
    assert_int_equal(keys[0].revoked_at_ms, 0);
}

/* ---- scores ---- */

static void
test_scores(void **state)
{
    enum { COMMITS = 40, PER_COMMIT = 37 };
    struct fixture *f = *state;
    struct lf_ulid ids[COMMITS * PER_COMMIT], last, unknown = {{0}};
    struct lf_stored_score score;
    int64_t count = 0;

    OK(lf_store_last_score(f->reader, &last, &count, &f->error));
    assert_int_equal(count, 0);
    assert_memory_equal(last.bytes, unknown.bytes, LF_ULID_SIZE);
    FAILS(lf_store_score(f->reader, f->arena, unknown, &score, &f->error), LF_SCORE_NOT_FOUND);
    OK(lf_store_append_scores(f->store, NULL, 0, &f->error)); /* nothing is recorded as nothing */

    for (size_t i = 0; i < COMMITS; i++)
        OK(append(f, PER_COMMIT, i * 10, ids + i * PER_COMMIT));
    OK(lf_store_last_score(f->reader, &last, &count, &f->error));
    assert_int_equal(count, COMMITS * PER_COMMIT);
    assert_memory_equal(last.bytes, ids[COMMITS * PER_COMMIT - 1].bytes, LF_ULID_SIZE);
    for (size_t i = 0; i < COMMITS * PER_COMMIT; i++) {
        OK(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error));
        assert_memory_equal(score.id.bytes, ids[i].bytes, LF_ULID_SIZE);
        assert_int_equal(score.body_len, i / PER_COMMIT * 10);
        assert_int_equal(score.as_of_ms, 1700000000000 + (int64_t)(i % PER_COMMIT));
        assert_string_equal(score.lead_id, i % PER_COMMIT % 3 == 0 ? "" : "lead");
    }
    /* Ids between, before and behind those there are. */
    for (size_t i = 0; i < COMMITS * PER_COMMIT; i++) {
        unknown = ids[i];
        unknown.bytes[LF_ULID_SIZE - 1]++;
        if (i + 1 < COMMITS * PER_COMMIT && memcmp(unknown.bytes, ids[i + 1].bytes, LF_ULID_SIZE) == 0)
            continue;
        FAILS(lf_store_score(f->reader, f->arena, unknown, &score, &f->error), LF_SCORE_NOT_FOUND);
    }
    memset(unknown.bytes, 0, LF_ULID_SIZE);
    FAILS(lf_store_score(f->reader, f->arena, unknown, &score, &f->error), LF_SCORE_NOT_FOUND);
    memset(unknown.bytes, 0xFF, LF_ULID_SIZE);
    FAILS(lf_store_score(f->reader, f->arena, unknown, &score, &f->error), LF_SCORE_NOT_FOUND);
    assert_int_equal(check(f, false, NULL), 0);

    close_store(f); /* all is there after a start, and recording goes on */
    open_store(f);
    assert_int_equal(count_scores(f), COMMITS * PER_COMMIT);
    OK(append(f, 1, 5, NULL));
    assert_int_equal(count_scores(f), COMMITS * PER_COMMIT + 1);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_scores_after_gaps(void **state)
{
    enum { COMMITS = 64, PER_COMMIT = 3 };
    struct fixture *f = *state;
    struct lf_ulid ids[COMMITS * PER_COMMIT];
    struct lf_stored_score score;

    for (size_t i = 0; i < COMMITS; i++)
        OK(append(f, PER_COMMIT, 10, ids + i * PER_COMMIT));
    run_sql(f->path, "DELETE FROM score_block WHERE id <= 10 OR id BETWEEN 30 AND 47 OR id = 50");
    for (size_t i = 0; i < COMMITS * PER_COMMIT; i++) {
        size_t block = i / PER_COMMIT + 1;

        if (block <= 10 || (block >= 30 && block <= 47) || block == 50)
            FAILS(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error), LF_SCORE_NOT_FOUND);
        else
            OK(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error));
    }
}

static void
test_large_batches_are_split(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[300];
    struct lf_stored_score score;
    int64_t blocks = 0, longest = 0;
    struct lf_connection *connection = NULL;

    OK(append(f, 300, 5000, ids)); /* 1.5 MB */
    connection = &((struct lf_sqlite_reader *)f->reader)->connection;
    OK(lf_sqlite_int(connection, "SELECT count(*) FROM score_block", &blocks, &f->error));
    OK(lf_sqlite_int(connection, "SELECT max(length(body)) FROM score_block", &longest, &f->error));
    assert_int_equal(blocks, 6);
    assert_in_range(longest, LF_BLOCK_FULL / 2, LF_BLOCK_FULL);
    assert_int_equal(count_scores(f), 300);
    for (size_t i = 0; i < 300; i++)
        OK(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error));
    OK(append(f, 1, LF_SCORE_BODY_MAX, ids)); /* one of the largest size */
    OK(lf_store_score(f->reader, f->arena, ids[0], &score, &f->error));
    assert_int_equal(score.body_len, LF_SCORE_BODY_MAX);
    FAILS(append(f, 1, LF_SCORE_BODY_MAX + 1, NULL), LF_BODY_TOO_LARGE);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_ids_must_ascend(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_score a = {.id = {{2}}, .lead_id = "", .body = "x", .body_len = 1}, b = a;
    const struct lf_stored_score *batch[2] = {&a, &b};

    FAILS(lf_store_append_scores(f->store, batch, 2, &f->error), LF_INTERNAL); /* the same twice */
    OK(lf_store_append_scores(f->store, batch, 1, &f->error));
    b.id.bytes[0] = 1;
    FAILS(lf_store_append_scores(f->store, batch + 1, 1, &f->error), LF_INTERNAL); /* behind the newest */
    assert_int_equal(count_scores(f), 1);
}

static void
test_each_score(void **state)
{
    static const struct {
        const char *what;
        size_t limit, stop_at, expected;
        enum lf_status status;
    } ROWS[] = {
        {"none wanted", 0, 0, 0, LF_OK},
        {"one", 1, 0, 1, LF_OK},
        {"just a block", 7, 0, 7, LF_OK},
        {"a block and a bit", 8, 0, 8, LF_OK},
        {"all there are", 35, 0, 35, LF_OK},
        {"more than there are", 1000, 0, 35, LF_OK},
        {"the callback ends it", 1000, 9, 9, LF_CONFLICT},
    };
    struct fixture *f = *state;
    struct lf_ulid ids[7], newest;

    for (int i = 0; i < 5; i++)
        OK(append(f, 7, 20, ids));
    newest = ids[6];
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct walk walk = {.stop_at = ROWS[row].stop_at};

        print_message("%s\n", ROWS[row].what);
        assert_int_equal(lf_store_each_score(f->reader, f->arena, ROWS[row].limit, walk_score, &walk, &f->error),
                         ROWS[row].status);
        assert_int_equal(walk.count, ROWS[row].expected);
        if (walk.count == 1)
            assert_memory_equal(walk.last.bytes, newest.bytes, LF_ULID_SIZE);
    }
}

static void
test_arena_too_small(void **state)
{
    struct fixture *f = *state;
    struct lf_arena *small = lf_arena_create(64, 256);
    struct lf_stored_score score;
    struct lf_stored_icp *icps = NULL;
    struct lf_stored_list *lists = NULL;
    struct lf_walk *none = NULL;
    static const char *const ENTRIES[] = {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
    struct lf_ulid id;
    size_t count = 0;

    (void)none;
    assert_non_null(small);
    OK(append(f, 1, 1000, &id));
    publish(f, "maker", "{}", 1, 1, 1);
    OK(lf_store_put_list(f->store, "l", ENTRIES, 9, 1, &f->error));
    FAILS(lf_store_score(f->reader, small, id, &score, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_icps(f->reader, small, &icps, &count, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_lists(f->reader, small, &lists, &count, &f->error), LF_OUT_OF_MEMORY);
    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error)); /* the reader is none the worse for it */
    OK(lf_store_icps(f->reader, f->arena, &icps, &count, &f->error));
    lf_arena_destroy(small);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_publish),         TEST(test_archive),           TEST(test_each_version),
        TEST(test_lists),           TEST(test_many_lists),        TEST(test_keys),
        TEST(test_scores),          TEST(test_scores_after_gaps), TEST(test_large_batches_are_split),
        TEST(test_ids_must_ascend), TEST(test_each_score),        TEST(test_arena_too_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
