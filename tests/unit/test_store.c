/* test_store.c - the store's verbs on a real database file. What fails it is tried in test_store_files.c. */
#include "store_fixture.h"

/* ---- ICPs ---- */

static void
test_publish(void **state)
{
    struct fixture *f = *state;
    struct lf_new_version again = version("maker", "{\"v\":1.0}", 1);
    struct lf_change change = by_ops(400);
    struct lf_stored_icp *icps = NULL, icp;
    struct lf_stored_version stored, *active = NULL;
    size_t count = 0;
    int number = 0;
    bool unchanged = false;

    publish(f, "maker", "{\"v\":1}", 1, 100, 1);
    OK(lf_store_publish(f->store, &again, &change, &number, &unchanged, &f->error)); /* the same canonical form */
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
    assert_int_equal(icp.state, LF_ICP_STATE_ACTIVE);
    assert_string_equal(icp.draft_etag, "");

    OK(lf_store_version(f->reader, f->arena, "maker", 2, &stored, &f->error));
    assert_string_equal(stored.icp, "maker");
    assert_int_equal(stored.version, 2);
    assert_string_equal(stored.document, "{\"v\":2}");
    assert_int_equal(stored.document_len, 7);
    assert_int_equal(stored.hash[0], 2);
    assert_int_equal(stored.hash[31], 2);
    assert_string_equal(stored.name, "Name");
    assert_string_equal(stored.purpose, "core");
    assert_string_equal(stored.note, "a note");
    assert_string_equal(stored.published_by, "ops");
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
test_versions(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_version *versions = NULL;
    size_t count = 9;

    publish(f, "maker", "{\"v\":1}", 1, 100, 1);
    publish(f, "bank", "{}", 9, 150, 1);
    publish(f, "maker", "{\"v\":2}", 2, 200, 2);
    OK(lf_store_versions(f->reader, f->arena, "maker", &versions, &count, &f->error));
    assert_int_equal(count, 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(versions[i].icp, "maker");
        assert_int_equal(versions[i].version, i + 1);
        assert_int_equal(versions[i].id, i == 0 ? 1 : 3);
        assert_int_equal(versions[i].hash[7], i + 1);
        assert_string_equal(versions[i].published_by, "ops");
        assert_int_equal(versions[i].document_len, 0); /* these are long, and not asked for */
    }
    FAILS(lf_store_versions(f->reader, f->arena, "nobody", &versions, &count, &f->error), LF_ICP_NOT_FOUND);
}

static void
set_archived(struct fixture *f, const char *icp, bool archived, int64_t at_ms)
{
    struct lf_change change = by_ops(at_ms);

    OK(lf_store_set_archived(f->store, icp, archived, &change, &f->error));
}

static void
test_archive(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(500);
    struct lf_stored_icp icp;
    struct lf_stored_version *active = NULL;
    size_t count = 9;

    publish(f, "maker", "{}", 1, 100, 1);
    set_archived(f, "maker", true, 200);
    set_archived(f, "maker", true, 300); /* twice is once */
    OK(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error));
    assert_int_equal(icp.state, LF_ICP_STATE_ARCHIVED);
    assert_int_equal(icp.active_version, 1);
    assert_int_equal(icp.updated_at_ms, 200);
    OK(lf_store_active_versions(f->reader, f->arena, &active, &count, &f->error));
    assert_int_equal(count, 0);
    set_archived(f, "maker", false, 400);
    set_archived(f, "maker", false, 450);
    OK(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error));
    assert_int_equal(icp.state, LF_ICP_STATE_ACTIVE);
    assert_int_equal(icp.updated_at_ms, 400);
    OK(lf_store_active_versions(f->reader, f->arena, &active, &count, &f->error));
    assert_int_equal(count, 1);
    FAILS(lf_store_set_archived(f->store, "nobody", true, &change, &f->error), LF_ICP_NOT_FOUND);
}

static void
test_activate(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(500);
    struct lf_stored_icp icp;
    struct lf_stored_version *active = NULL;
    size_t count = 0;
    bool unchanged = true;

    publish(f, "maker", "{\"v\":1}", 1, 100, 1);
    publish(f, "maker", "{\"v\":2}", 2, 200, 2);
    publish(f, "maker", "{\"v\":3}", 3, 300, 3);
    OK(lf_store_activate(f->store, "maker", 1, &change, &unchanged, &f->error));
    assert_false(unchanged);
    OK(lf_store_active_versions(f->reader, f->arena, &active, &count, &f->error));
    assert_int_equal(active[0].version, 1);
    assert_string_equal(active[0].document, "{\"v\":1}");
    change.at_ms = 600;
    OK(lf_store_activate(f->store, "maker", 1, &change, &unchanged, &f->error));
    assert_true(unchanged);
    OK(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error));
    assert_int_equal(icp.active_version, 1);
    assert_int_equal(icp.versions, 3);
    assert_int_equal(icp.updated_at_ms, 500);
    FAILS(lf_store_activate(f->store, "maker", 4, &change, &unchanged, &f->error), LF_VERSION_NOT_FOUND);
    assert_non_null(strstr(f->error.detail, "it has 3"));
    FAILS(lf_store_activate(f->store, "maker", 0, &change, &unchanged, &f->error), LF_VERSION_NOT_FOUND);
    FAILS(lf_store_activate(f->store, "nobody", 1, &change, &unchanged, &f->error), LF_ICP_NOT_FOUND);
    publish(f, "maker", "{\"v\":2}", 2, 700, 4); /* the next number is that behind the newest, not behind the active */
    set_archived(f, "maker", true, 800);
    FAILS(lf_store_activate(f->store, "maker", 2, &change, &unchanged, &f->error), LF_ICP_ARCHIVED);
    FAILS(lf_store_activate(f->store, "maker", 9, &change, &unchanged, &f->error), LF_VERSION_NOT_FOUND);
    assert_int_equal(check(f, false, NULL), 0);
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

/* ---- keys ---- */

static void
test_keys(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(300);
    struct lf_stored_key later = {.id = "aaaa",
                                  .name = "crm",
                                  .scopes = UINT32_MAX,
                                  .created_at_ms = 200,
                                  .expires_at_ms = 900},
                         earlier = {.id = "0123456789abcdef", .name = "ops", .scopes = 1, .created_at_ms = 100},
                         *keys = NULL;
    size_t count = 0;

    memset(later.secret_hash, 7, sizeof later.secret_hash);
    OK(lf_store_create_key(f->store, &later, &change, &f->error));
    OK(lf_store_create_key(f->store, &earlier, &change, &f->error));
    FAILS(lf_store_create_key(f->store, &later, &change, &f->error), LF_CONFLICT);
    OK(lf_store_keys(f->reader, f->arena, &keys, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(keys[0].id, "0123456789abcdef");
    assert_string_equal(keys[1].id, "aaaa");
    assert_string_equal(keys[1].name, "crm");
    assert_true(keys[1].scopes == UINT32_MAX);
    assert_memory_equal(keys[1].secret_hash, later.secret_hash, LF_SHA256_SIZE);
    assert_int_equal(keys[1].expires_at_ms, 900);
    assert_int_equal(keys[1].revoked_at_ms, 0);
    OK(lf_store_revoke_key(f->store, "aaaa", &change, &f->error));
    change.at_ms = 400;
    OK(lf_store_revoke_key(f->store, "aaaa", &change, &f->error)); /* the first time counts */
    FAILS(lf_store_revoke_key(f->store, "bbbb", &change, &f->error), LF_KEY_NOT_FOUND);
    OK(lf_store_keys(f->reader, f->arena, &keys, &count, &f->error));
    assert_int_equal(keys[1].revoked_at_ms, 300);
    assert_int_equal(keys[0].revoked_at_ms, 0);
}

static void
test_key_uses(void **state)
{
    static const struct lf_key_use USES[] = {{"aaaa", 500}, {"unknown", 900}, {"bbbb", 700}, {"aaaa", 400}};
    struct fixture *f = *state;
    struct lf_change change = by_ops(300);
    struct lf_stored_key key = {.id = "aaaa", .name = "crm", .created_at_ms = 100}, *keys = NULL;
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    OK(lf_store_create_key(f->store, &key, &change, &f->error));
    (void)snprintf(key.id, sizeof key.id, "bbbb");
    OK(lf_store_create_key(f->store, &key, &change, &f->error));
    OK(lf_store_touch_keys(f->store, NULL, 0, &f->error));
    OK(lf_store_touch_keys(f->store, USES, 4, &f->error));
    OK(lf_store_keys(f->reader, f->arena, &keys, &count, &f->error));
    assert_int_equal(count, 2);
    assert_int_equal(keys[0].last_used_at_ms, 500); /* a time never goes back */
    assert_int_equal(keys[1].last_used_at_ms, 700);
    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 100, &entries, &count, &f->error));
    assert_int_equal(count, 2); /* using a key changes nothing that wants a trace */
}

/* ---- outcomes ---- */

static void
test_outcomes(void **state)
{
    static const struct {
        const char *what;
        enum lf_outcome_word outcome;
        int64_t value, at_ms;
        enum lf_outcome_word then;
        int64_t value_then, at_then;
    } ROWS[] = {
        {"the first word", LF_OUTCOME_OPEN, 0, 100, LF_OUTCOME_OPEN, 0, 100},
        {"a later one", LF_OUTCOME_WON, 1500000, 300, LF_OUTCOME_WON, 1500000, 300},
        {"an earlier one comes late", LF_OUTCOME_OPEN, 7, 200, LF_OUTCOME_WON, 1500000, 300},
        {"one of the same time", LF_OUTCOME_LOST, 2, 300, LF_OUTCOME_LOST, 2, 300},
        {"the largest value", LF_OUTCOME_WON, INT64_C(1000000000000000000), 400, LF_OUTCOME_WON,
         INT64_C(1000000000000000000), 400},
    };
    static const char *const LEADS[] = {"1", "01", "\xC3\xA4 lead", "a\0b"};
    static const size_t LENS[] = {1, 2, 7, 3};
    struct fixture *f = *state;
    struct lf_stored_outcome outcome, several[4];
    bool found = true;

    OK(lf_store_outcome(f->reader, "1", 1, &found, &outcome, &f->error));
    assert_false(found);
    OK(lf_store_put_outcomes(f->store, NULL, 0, NULL, 0, &f->error));
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        print_message("%s\n", ROWS[row].what);
        for (size_t i = 0; i < 4; i++)
            several[i] = (struct lf_stored_outcome){.lead_id = LEADS[i],
                                                    .lead_id_len = LENS[i],
                                                    .outcome = ROWS[row].outcome,
                                                    .value = ROWS[row].value + (int64_t)i,
                                                    .at_ms = ROWS[row].at_ms};
        OK(lf_store_put_outcomes(f->store, several, 4, NULL, 0, &f->error));
        for (size_t i = 0; i < 4; i++) {
            OK(lf_store_outcome(f->reader, LEADS[i], LENS[i], &found, &outcome, &f->error));
            assert_true(found);
            assert_int_equal(outcome.outcome, ROWS[row].then);
            assert_int_equal(outcome.value, ROWS[row].value_then + (int64_t)i);
            assert_int_equal(outcome.at_ms, ROWS[row].at_then);
            assert_ptr_equal(outcome.lead_id, LEADS[i]);
            assert_int_equal(outcome.lead_id_len, LENS[i]);
        }
    }
    OK(lf_store_outcome(f->reader, "a", 1, &found, &outcome, &f->error)); /* not the one with a NUL in it */
    assert_false(found);
    /* Two of one lead in one commit: the order in which they were said, where their times are the same. */
    several[1] = several[0];
    several[1].outcome = LF_OUTCOME_OPEN;
    OK(lf_store_put_outcomes(f->store, several, 2, NULL, 0, &f->error));
    OK(lf_store_outcome(f->reader, "1", 1, &found, &outcome, &f->error));
    assert_int_equal(outcome.outcome, LF_OUTCOME_OPEN);
    assert_int_equal(check(f, false, NULL), 0);
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
    OK(lf_store_append_scores(f->store, NULL, 0, NULL, 0, NULL, &f->error)); /* nothing is recorded as nothing */

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

    FAILS(lf_store_append_scores(f->store, batch, 2, NULL, 0, NULL, &f->error), LF_INTERNAL); /* the same twice */
    OK(lf_store_append_scores(f->store, batch, 1, NULL, 0, NULL, &f->error));
    b.id.bytes[0] = 1;
    FAILS(lf_store_append_scores(f->store, batch + 1, 1, NULL, 0, NULL, &f->error),
          LF_INTERNAL); /* behind the newest */
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
        assert_int_equal(lf_store_each_score(f->reader, f->arena, INT64_MIN, INT64_MAX, ROWS[row].limit, walk_score,
                                             &walk, &f->error),
                         ROWS[row].status);
        assert_int_equal(walk.count, ROWS[row].expected);
        if (walk.count == 1)
            assert_memory_equal(walk.last.bytes, newest.bytes, LF_ULID_SIZE);
    }
}

/* Records one commit of count scores, that many milliseconds apart. */
static void
append_at(struct fixture *f, int64_t first_ms, int64_t step_ms, size_t count)
{
    struct lf_stored_score scores[16];
    const struct lf_stored_score *pointers[16];

    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++) {
        scores[i] = (struct lf_stored_score){.lead_id = "", .body = "x", .body_len = 1};
        assert_true(lf_ulid_next(&f->mint, first_ms + (int64_t)i * step_ms, &scores[i].id));
        pointers[i] = &scores[i];
    }
    OK(lf_store_append_scores(f->store, pointers, count, NULL, 0, NULL, &f->error));
}

struct window {
    int64_t newest_ms, oldest_ms;
    size_t count;
};

static enum lf_status
see_in_window(void *context, const struct lf_stored_score *score)
{
    struct window *window = context;
    int64_t ms = lf_ulid_ms(score->id);

    if (window->count++ == 0)
        window->newest_ms = ms;
    else
        assert_true(ms <= window->oldest_ms);
    window->oldest_ms = ms;
    return LF_OK;
}

static void
test_each_score_of_a_time(void **state)
{
    enum { T = 1000000, NEVER = 0 };
    /* Commits of 10, 10 ms apart, from T: T..T+90, T+100..T+190, … T+1990. */
    static const struct {
        const char *what;
        int64_t from, to;
        size_t limit, count;
        int64_t newest, oldest;
    } ROWS[] = {
        {"all of them", INT64_MIN, INT64_MAX, 1000, 200, T + 1990, T},
        {"all, just", T, T + 1991, 1000, 200, T + 1990, T},
        {"to is not in it", T, T + 1990, 1000, 199, T + 1980, T},
        {"from is in it", T + 10, INT64_MAX, 1000, 199, T + 1990, T + 10},
        {"within one block", T + 520, T + 571, 1000, 6, T + 570, T + 520},
        {"between two", T + 571, T + 580, 1000, 0, NEVER, NEVER},
        {"over blocks", T + 555, T + 1205, 1000, 65, T + 1200, T + 560},
        {"ends where a block begins", T + 500, T + 600, 1000, 10, T + 590, T + 500},
        {"ends behind a block's first", T + 500, T + 601, 1000, 11, T + 600, T + 500},
        {"the latest few of it", T + 500, T + 1000, 12, 12, T + 990, T + 880},
        {"before there were any", INT64_MIN, T, 1000, 0, NEVER, NEVER},
        {"before 1970", INT64_MIN, 0, 1000, 0, NEVER, NEVER},
        {"after the newest", T + 1991, INT64_MAX, 1000, 0, NEVER, NEVER},
        {"nothing lies in between", T + 500, T + 500, 1000, 0, NEVER, NEVER},
        {"upside down", T + 600, T + 500, 1000, 0, NEVER, NEVER},
        {"later than any id can be", T + 1990, INT64_C(0xFFFFFFFFFFFF) + 2, 1000, 1, T + 1990, T + 1990},
        {"as late as an id can be", T + 1990, INT64_C(0xFFFFFFFFFFFF), 1000, 1, T + 1990, T + 1990},
    };
    struct fixture *f = *state;
    struct window none = {.count = 0};

    OK(lf_store_each_score(f->reader, f->arena, 0, T, 10, see_in_window, &none, &f->error)); /* an empty store */
    assert_int_equal(none.count, 0);
    for (int i = 0; i < 20; i++)
        append_at(f, T + 100 * i, 10, 10);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct window window = {.count = 0};

        print_message("%s\n", ROWS[row].what);
        OK(lf_store_each_score(f->reader, f->arena, ROWS[row].from, ROWS[row].to, ROWS[row].limit, see_in_window,
                               &window, &f->error));
        assert_int_equal(window.count, ROWS[row].count);
        assert_int_equal(window.newest_ms, ROWS[row].newest);
        assert_int_equal(window.oldest_ms, ROWS[row].oldest);
    }
}

/* A window is found without looking at what lies behind it, and left without going on before it: blocks there may even
 * be damaged. */
static void
test_a_time_is_found_by_halves(void **state)
{
    struct fixture *f = *state;
    struct window window = {.count = 0};

    for (int i = 0; i < 64; i++)
        append_at(f, 1000 + 100 * i, 10, 10);
    run_sql(f->path, "UPDATE score_block SET body = x'' WHERE id < 31 OR id > 33");
    OK(lf_store_each_score(f->reader, f->arena, 4030, 4300, 1000, see_in_window, &window, &f->error));
    assert_int_equal(window.count, 27); /* blocks 31 (from 4000), 32 and 33 */
    run_sql(f->path, "DELETE FROM score_block WHERE id = 33 OR id = 10");
    window.count = 0;
    OK(lf_store_each_score(f->reader, f->arena, 4030, 4300, 1000, see_in_window, &window, &f->error));
    assert_int_equal(window.count, 17);
    window.count = 0;
    FAILS(lf_store_each_score(f->reader, f->arena, 3000, 4300, 1000, see_in_window, &window, &f->error),
          LF_STORAGE_CORRUPT);
}

static void
test_arena_too_small(void **state)
{
    struct fixture *f = *state;
    struct lf_arena *small = lf_arena_create(64, 256);
    struct lf_stored_score score;
    struct lf_stored_icp *icps = NULL;
    struct lf_stored_version *versions = NULL;
    struct lf_audit_entry *entries = NULL;
    struct lf_ulid id;
    size_t count = 0;

    assert_non_null(small);
    OK(append(f, 1, 1000, &id));
    publish(f, "maker", "{}", 1, 1, 1);
    FAILS(lf_store_score(f->reader, small, id, &score, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_icps(f->reader, small, &icps, &count, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_versions(f->reader, small, "maker", &versions, &count, &f->error), LF_OUT_OF_MEMORY);
    FAILS(lf_store_audit(f->reader, small, NULL, 0, 10, &entries, &count, &f->error), LF_OUT_OF_MEMORY);
    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error)); /* the reader is none the worse for it */
    OK(lf_store_icps(f->reader, f->arena, &icps, &count, &f->error));
    lf_arena_destroy(small);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_publish),
        TEST(test_versions),
        TEST(test_archive),
        TEST(test_activate),
        TEST(test_each_version),
        TEST(test_keys),
        TEST(test_key_uses),
        TEST(test_outcomes),
        TEST(test_scores),
        TEST(test_scores_after_gaps),
        TEST(test_large_batches_are_split),
        TEST(test_ids_must_ascend),
        TEST(test_each_score),
        TEST(test_each_score_of_a_time),
        TEST(test_a_time_is_found_by_halves),
        TEST(test_arena_too_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
