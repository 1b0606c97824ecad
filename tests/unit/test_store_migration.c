/* test_store_migration.c - a database that the first leadfit wrote, with everything in it, under this one. */
#include "store_fixture.h"
#include "support.h"

/* ---- what the first leadfit would have written ---- */

static const char OLD_CONTENT[] =
    "INSERT INTO icp (id, key, archived, active_version, created_at_ms, updated_at_ms) VALUES"
    " (1, 'maker', 0, NULL, 100, 300), (2, 'bank', 1, NULL, 150, 160);"
    "INSERT INTO icp_version (icp_id, version, name, purpose, document, hash, note, published_at_ms) VALUES"
    " (1, 1, 'Makers', 'core', '{\"v\":1}', x'0101010101010101010101010101010101010101010101010101010101010101',"
    " 'imported', 100),"
    " (2, 1, 'Banks', 'expansion', '{}', x'0202020202020202020202020202020202020202020202020202020202020202', '', 150),"
    " (1, 2, 'Makers', 'core', '{\"v\":2}', x'0303030303030303030303030303030303030303030303030303030303030303',"
    " 'wider', 300);"
    "UPDATE icp SET active_version = 2 WHERE id = 1;"
    "UPDATE icp SET active_version = 1 WHERE id = 2;"
    "INSERT INTO list (id, key, revision, updated_at_ms) VALUES (1, 'targets', 7, 400), (5, 'empty', 1, 410);"
    "INSERT INTO list_entry (list_id, position, entry) VALUES"
    " (1, 0, 'Acme GmbH'), (1, 1, ' '), (1, 2, 'ACME GMBH'), (1, 3, 'zebra.example');"
    "INSERT INTO api_key (id, name, scopes, secret_hash, created_at_ms, expires_at_ms, revoked_at_ms) VALUES"
    " ('an5jmw87', 'crm', 3, x'0404040404040404040404040404040404040404040404040404040404040404', 200, 900, 0),"
    " ('b0000000', 'old', 1, x'0505050505050505050505050505050505050505050505050505050505050505', 100, 0, 500);"
    "UPDATE meta SET value = 12 WHERE name = 'probes';";

enum { OLD_BLOCKS = 5, OLD_PER_BLOCK = 4 };

/* Writes recorded scores as they stood in the first schema: this one has not changed them. */
static void
write_old_scores(struct fixture *f, struct lf_connection *connection, struct lf_ulid *ret_ids)
{
    struct lf_block_writer block;
    sqlite3_stmt *statement = NULL;

    lf_block_writer_init(&block);
    OK(lf_sqlite_get(connection, LF_SQL_APPEND_BLOCK, &statement, &f->error));
    for (int b = 0; b < OLD_BLOCKS; b++) {
        lf_block_begin(&block);
        for (int i = 0; i < OLD_PER_BLOCK; i++) {
            struct lf_stored_score score = {.lead_id = "lead", .lead_id_len = 4, .body = "body", .body_len = 4};

            assert_true(lf_ulid_next(&f->mint, 1700000000000 + b, &score.id));
            *ret_ids++ = score.id;
            lf_block_add(&block, &score);
        }
        assert_true(lf_block_end(&block));
        assert_int_equal(sqlite3_bind_blob(statement, 1, block.first.bytes, LF_ULID_SIZE, SQLITE_STATIC), SQLITE_OK);
        assert_int_equal(sqlite3_bind_blob(statement, 2, block.last.bytes, LF_ULID_SIZE, SQLITE_STATIC), SQLITE_OK);
        assert_int_equal(sqlite3_bind_int(statement, 3, OLD_PER_BLOCK), SQLITE_OK);
        assert_int_equal(sqlite3_bind_int(statement, 4, b * OLD_PER_BLOCK), SQLITE_OK);
        assert_int_equal(sqlite3_bind_blob64(statement, 5, block.buf.data, block.buf.len, SQLITE_STATIC), SQLITE_OK);
        OK(lf_sqlite_run(connection, statement, &f->error));
    }
    lf_block_writer_finish(&block);
}

/* Puts an old database in the place of the fixture's, which is closed. */
static void
make_old(struct fixture *f, const char *more, struct lf_ulid *ret_ids)
{
    size_t len = 0;
    const char *schema = support_file(f->arena, "schema/migrations/sqlite/0001_initial.sql", &len);
    const struct lf_embedded first = {"0001_initial.sql", (const unsigned char *)schema, len};
    struct lf_connection connection;
    char command[2 * PATH_SIZE];
    int fd = -1;

    close_store(f);
    (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
    assert_int_equal(system(command), 0);
    fd = open(f->path, O_CREAT | O_EXCL | O_RDWR, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    OK(lf_connection_open(&connection, f->path, LF_CONNECTION_WRITER, &f->error));
    OK(lf_sqlite_exec(&connection, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL", &f->error));
    OK(lf_sqlite_migrate_to(&connection, &first, 1, &f->error));
    OK(lf_sqlite_exec(&connection, OLD_CONTENT, &f->error));
    OK(lf_sqlite_exec(&connection, more, &f->error));
    write_old_scores(f, &connection, ret_ids);
    lf_connection_close(&connection);
}

static int64_t
schema_of(struct fixture *f, const char *path)
{
    struct lf_connection connection;
    int64_t value = 0;

    OK(lf_connection_open(&connection, path, LF_CONNECTION_READER, &f->error));
    OK(lf_sqlite_int(&connection, "PRAGMA user_version", &value, &f->error));
    lf_connection_close(&connection);
    return value;
}

/* ---- what this one makes of it ---- */

static void
assert_icps(struct fixture *f)
{
    struct lf_stored_icp *icps = NULL;
    struct lf_stored_version *versions = NULL, version;
    size_t count = 0;

    OK(lf_store_icps(f->reader, f->arena, &icps, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(icps[0].key, "bank");
    assert_int_equal(icps[0].state, LF_ICP_STATE_ARCHIVED);
    assert_string_equal(icps[1].key, "maker");
    assert_string_equal(icps[1].name, "Makers");
    assert_int_equal(icps[1].state, LF_ICP_STATE_ACTIVE);
    assert_int_equal(icps[1].active_version, 2);
    assert_string_equal(icps[1].draft_etag, "");
    assert_int_equal(icps[1].created_at_ms, 100);
    assert_int_equal(icps[1].updated_at_ms, 300);
    OK(lf_store_versions(f->reader, f->arena, "maker", &versions, &count, &f->error));
    assert_int_equal(count, 2);
    assert_int_equal(versions[1].id, 3);
    assert_string_equal(versions[1].note, "wider");
    assert_string_equal(versions[1].published_by, ""); /* nobody noted it then */
    OK(lf_store_version(f->reader, f->arena, "maker", 1, &version, &f->error));
    assert_string_equal(version.document, "{\"v\":1}");
    assert_int_equal(version.hash[0], 1);
}

static enum lf_status
join_entry(void *context, const struct lf_list_entry *entry)
{
    char *text = context;

    (void)snprintf(text + strlen(text), 128 - strlen(text), "%.*s|", (int)entry->len, entry->text);
    return LF_OK;
}

static void
assert_lists_and_keys(struct fixture *f)
{
    struct lf_stored_list *lists = NULL;
    struct lf_stored_key *keys = NULL;
    char joined[128] = "";
    size_t count = 0;

    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(lists[0].key, "empty");
    assert_int_equal(lists[0].count, 0);
    assert_string_equal(lists[1].key, "targets");
    assert_int_equal(lists[1].revision, 7);
    assert_int_equal(lists[1].count, 2); /* what folds to nothing, or to one of before, is not an entry */
    assert_int_equal(lists[1].updated_at_ms, 400);
    OK(lf_store_each_list_entry(f->reader, lists[1].generation, join_entry, joined, &f->error));
    assert_string_equal(joined, "Acme GmbH|zebra.example|");

    OK(lf_store_keys(f->reader, f->arena, &keys, &count, &f->error));
    assert_int_equal(count, 2);
    assert_string_equal(keys[0].id, "b0000000");
    assert_int_equal(keys[0].revoked_at_ms, 500);
    assert_string_equal(keys[1].name, "crm");
    assert_int_equal(keys[1].scopes, 3);
    assert_int_equal(keys[1].secret_hash[31], 4);
    assert_int_equal(keys[1].last_used_at_ms, 0);
}

static void
test_everything_is_kept(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_stored_score score;
    struct lf_audit_entry *entries = NULL;
    struct walk walk = {.count = 0};
    char copy[PATH_SIZE + 16];
    size_t count = 0;

    make_old(f, "", ids);
    assert_int_equal(schema_of(f, f->path), 1);
    open_store(f);
    assert_int_equal(schema_of(f, f->path), 2);
    (void)snprintf(copy, sizeof copy, "%s.before-2", f->path);
    assert_int_equal(access(copy, F_OK), -1); /* the copy is deleted: it holds people */
    assert_icps(f);
    assert_lists_and_keys(f);
    for (size_t i = 0; i < OLD_BLOCKS * OLD_PER_BLOCK; i++) {
        OK(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error));
        assert_memory_equal(score.body, "body", 4);
    }
    OK(lf_store_each_score(f->reader, f->arena, 1700000000001, 1700000000003, 100, walk_score, &walk, &f->error));
    assert_int_equal(walk.count, 2 * OLD_PER_BLOCK);
    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 10, &entries, &count, &f->error));
    assert_int_equal(count, 0);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_work_goes_on(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_new_draft draft = {.icp = "maker", .name = "N", .purpose = "core", .document = "{}", .document_len = 2};
    struct lf_precondition nothing_said = {.any = false};
    struct lf_change change = by_ops(1000);
    struct lf_stored_draft stored;
    char etag[LF_ETAG_MAX];
    bool created = false;

    make_old(f, "", ids);
    open_store(f);
    OK(lf_store_put_draft(f->store, &draft, &nothing_said, &change, etag, &created, &f->error));
    assert_string_equal(etag, "\"d1-0000000000000000\"");
    OK(lf_store_draft(f->reader, f->arena, "maker", &stored, &f->error));
    assert_int_equal(stored.next_version, 3);
    assert_int_equal(stored.next_version_id, 4);
    OK(lf_store_publish_draft(f->store, "maker", 3, 4,
                              &(struct lf_precondition){.etags = (const char *const[]){etag}, .etag_count = 1}, &change,
                              &f->error));
    OK(lf_store_set_archived(f->store, "bank", false, &change, &f->error));
    OK(append(f, 3, 10, NULL));
    assert_int_equal(count_scores(f), OLD_BLOCKS * OLD_PER_BLOCK + 3);
    assert_int_equal(check(f, false, NULL), 0);
    close_store(f);
    open_store(f); /* it is not brought up to date twice */
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_reading_only(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_store_options options = {.path = f->path, .read_only = true};

    make_old(f, "", ids);
    FAILS(lf_store_open(&options, &f->store, &f->error), LF_FILE);
    assert_non_null(strstr(f->error.detail, "start the server on it once"));
    assert_int_equal(schema_of(f, f->path), 1);
    open_store(f);
}

/* One that cannot be brought up to date stays what it was, and so does its copy. */
static void
test_failure(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_store_options options = {.path = f->path};
    struct lf_store *store = NULL;
    char copy[PATH_SIZE + 16];

    make_old(f, "CREATE TABLE outcome (x)", ids); /* in the way of the last thing that is made */
    FAILS(lf_store_open(&options, &store, &f->error), LF_STORAGE_FAILED);
    assert_int_equal(schema_of(f, f->path), 1);
    (void)snprintf(copy, sizeof copy, "%s.before-2", f->path);
    assert_int_equal(schema_of(f, copy), 1);
    run_sql(f->path, "DROP TABLE outcome");
    open_store(f);
    assert_icps(f);
    assert_lists_and_keys(f);
    assert_int_equal(access(copy, F_OK), -1);
    assert_int_equal(check(f, false, NULL), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_everything_is_kept),
        TEST(test_work_goes_on),
        TEST(test_reading_only),
        TEST(test_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
