/* test_store_migration.c - databases that earlier leadfits wrote, with everything in them, under this one. */
#include "store_fixture.h"
#include "support.h"

#include <signal.h>
#include <sys/wait.h>

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

/* ---- what the second would have added ---- */

static const char SECOND_CONTENT[] =
    "UPDATE icp_version SET published_by = 'ops' WHERE id = 3;"
    "UPDATE api_key SET last_used_at_ms = 800 WHERE id = 'an5jmw87';"
    "UPDATE meta SET value = 6 WHERE name = 'draft_revisions';"
    "INSERT INTO draft (icp_id, revision, name, purpose, document, hash, updated_by, updated_at_ms) VALUES"
    " (1, 6, 'Makers 3', 'core', '{\"v\":3}', x'0606060606060606060606060606060606060606060606060606060606060606',"
    " 'ops', 600);"
    "INSERT INTO list_past (key, revision) VALUES ('gone', 9);"
    "INSERT INTO outcome (lead_id, outcome, value, at_ms) VALUES"
    " ('lead', 'won', 1500000, 700), ('01', 'lost', 0, 500), ('1', 'open', 0, 700), ('\xC3\xA4', 'won', -1, 600);";

static void
write_traces(struct fixture *f, struct lf_connection *connection)
{
    const struct lf_sqlite_trace traces[] = {
        {.action = "publish", .icp = "maker", .subject = "maker", .version = 2},
        {.action = "list.put", .icp = "", .subject = "targets"},
        {.action = "draft.put", .icp = "maker", .subject = "maker"},
    };

    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
        struct lf_change change = by_ops(300 + (int64_t)i);

        OK(lf_sqlite_add_trace(connection, &traces[i], &change, &f->error));
    }
}

/* ---- what the third would have added ---- */

static const char THIRD_CONTENT[] =
    "UPDATE secret SET value = x'0707070707070707070707070707070707070707070707070707070707070707';"
    "UPDATE meta SET value = 3 WHERE name = 'settled_block';"
    "INSERT INTO rollup (version_id, kind, span, start_hour, body) VALUES (3, 0, 1, 472222, x'616E20686F7572');"
    "INSERT INTO lead_score (lead, icp_id, version_id, score_id, latest, qualified, score, coverage, engagement, grade,"
    " label, result) SELECT id, 1, 3, x'018BCFE5680000000000000000000001', 1, 1, 7150, 8000, 100, 'B', 'B2', x'0102'"
    " FROM lead WHERE lead_id = 'lead';"
    "INSERT INTO lead_blocks (lead, first_block, last_block, body) SELECT id, 1, 3, x'010101' FROM lead"
    " WHERE lead_id = 'lead';"
    "INSERT INTO lead (lead_id) VALUES (NULL);"; /* whoever was erased */

enum { NEWEST = 4 };

/* Where the old one is copied to. */
static const char *
copy_of(struct fixture *f)
{
    static char copy[PATH_SIZE + 16];

    (void)snprintf(copy, sizeof copy, "%s.before-%d", f->path, NEWEST);
    return copy;
}

/* The first `count` migrations. */
static void
read_migrations(struct fixture *f, struct lf_embedded *ret_migrations, size_t count)
{
    static const char *const PATHS[] = {
        "schema/migrations/sqlite/0001_initial.sql",
        "schema/migrations/sqlite/0002_editing.sql",
        "schema/migrations/sqlite/0003_statistics.sql",
        "schema/migrations/sqlite/0004_webhooks.sql",
    };

    assert_true(count <= sizeof PATHS / sizeof *PATHS);
    for (size_t i = 0; i < count; i++) {
        size_t len = 0;
        const char *sql = support_file(f->arena, PATHS[i], &len);

        ret_migrations[i] = (struct lf_embedded){PATHS[i], (const unsigned char *)sql, len};
    }
}

/* Puts a database of an old schema in the place of the fixture's, which is closed. */
static void
make_old(struct fixture *f, size_t schema, const char *more, struct lf_ulid *ret_ids)
{
    static const char *const CONTENTS[] = {OLD_CONTENT, SECOND_CONTENT, THIRD_CONTENT};
    struct lf_embedded migrations[NEWEST];
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
    read_migrations(f, migrations, schema);
    for (size_t i = 1; i <= schema; i++) {
        OK(lf_sqlite_migrate_to(&connection, migrations, i, &f->error));
        OK(lf_sqlite_exec(&connection, CONTENTS[i - 1], &f->error));
        if (i == 2)
            write_traces(f, &connection);
    }
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
assert_icps(struct fixture *f, size_t schema)
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
    assert_string_equal(icps[1].draft_etag, schema == 1 ? "" : "\"d6-0606060606060606\"");
    assert_int_equal(icps[1].created_at_ms, 100);
    assert_int_equal(icps[1].updated_at_ms, 300);
    OK(lf_store_versions(f->reader, f->arena, "maker", &versions, &count, &f->error));
    assert_int_equal(count, 2);
    assert_int_equal(versions[1].id, 3);
    assert_string_equal(versions[1].note, "wider");
    assert_string_equal(versions[1].published_by, schema == 1 ? "" : "ops"); /* nobody noted it at first */
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
assert_lists_and_keys(struct fixture *f, size_t schema)
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
    assert_int_equal(keys[1].last_used_at_ms, schema == 1 ? 0 : 800);
}

/* What there was before anything was counted, all of it due. */
static void
assert_progress(struct fixture *f)
{
    uint8_t key[LF_SHA256_SIZE], again[LF_SHA256_SIZE], none[LF_SHA256_SIZE] = {0};
    struct lf_store_progress progress;

    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.settled_block, 0);
    assert_int_equal(progress.rolled_block, 0);
    assert_int_equal(progress.due_block, OLD_BLOCKS);
    assert_int_equal(progress.last_block, OLD_BLOCKS);
    assert_int_equal(progress.pruned_ms, 0);
    OK(lf_store_hash_key(f->reader, key, &f->error));
    assert_memory_not_equal(key, none, LF_SHA256_SIZE);
    close_store(f);
    open_store(f);
    OK(lf_store_hash_key(f->reader, again, &f->error));
    assert_memory_equal(key, again, LF_SHA256_SIZE);
}

static void
assert_scores(struct fixture *f, const struct lf_ulid *ids)
{
    struct lf_stored_score score;
    struct walk walk = {.count = 0};

    for (size_t i = 0; i < OLD_BLOCKS * OLD_PER_BLOCK; i++) {
        OK(lf_store_score(f->reader, f->arena, ids[i], &score, &f->error));
        assert_memory_equal(score.body, "body", 4);
    }
    assert_int_equal(count_scores(f), OLD_BLOCKS * OLD_PER_BLOCK);
    OK(lf_store_each_score(f->reader, f->arena, 1700000000001, 1700000000003, 100, walk_score, &walk, &f->error));
    assert_int_equal(walk.count, 2 * OLD_PER_BLOCK);
}

static void
test_everything_is_kept(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    make_old(f, 1, "", ids);
    assert_int_equal(schema_of(f, f->path), 1);
    open_store(f);
    assert_int_equal(schema_of(f, f->path), NEWEST);
    assert_int_equal(access(copy_of(f), F_OK), -1); /* the copy is deleted: it holds people */
    assert_icps(f, 1);
    assert_lists_and_keys(f, 1);
    assert_scores(f, ids);
    assert_progress(f);
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

    make_old(f, 1, "", ids);
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

    make_old(f, 1, "", ids);
    FAILS(lf_store_open(&options, &f->store, &f->error), LF_FILE);
    assert_non_null(strstr(f->error.detail, "start the server on it once"));
    assert_int_equal(schema_of(f, f->path), 1);
    open_store(f);
}

/* ---- what the second one added ---- */

/* scores: of lead "lead". */
static void
assert_second(struct fixture *f, size_t scores)
{
    static const struct {
        const char *lead_id;
        enum lf_outcome_word outcome;
        int64_t value, at_ms;
    } OUTCOMES[] = {
        {"lead", LF_OUTCOME_WON, 1500000, 700},
        {"01", LF_OUTCOME_LOST, 0, 500},
        {"1", LF_OUTCOME_OPEN, 0, 700},
        {"\xC3\xA4", LF_OUTCOME_WON, -1, 600},
    };
    struct lf_audit_entry *entries = NULL;
    struct lf_stored_draft draft;
    struct lf_stored_list list;
    struct lf_stored_lead lead;
    size_t count = 0;

    for (size_t i = 0; i < sizeof OUTCOMES / sizeof *OUTCOMES; i++) {
        OK(lf_store_lead(f->reader, f->arena, OUTCOMES[i].lead_id, strlen(OUTCOMES[i].lead_id), &lead, &f->error));
        assert_true(lead.has_outcome);
        assert_int_equal(lead.outcome.outcome, OUTCOMES[i].outcome);
        assert_int_equal(lead.outcome.value, OUTCOMES[i].value);
        assert_int_equal(lead.outcome.at_ms, OUTCOMES[i].at_ms);
        assert_int_equal(lead.score_count, i == 0 ? scores : 0);
    }
    OK(lf_store_draft(f->reader, f->arena, "maker", &draft, &f->error));
    assert_string_equal(draft.document, "{\"v\":3}");
    assert_int_equal(draft.updated_at_ms, 600);
    FAILS(lf_store_list(f->reader, f->arena, "gone", &list, &f->error), LF_LIST_NOT_FOUND);
    assert_int_equal(list.revision, 9);
    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 10, &entries, &count, &f->error));
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].action, "publish");
    assert_string_equal(entries[2].action, "draft.put");
    assert_int_equal(entries[2].at_ms, 302);
}

static void
test_everything_of_the_second(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_stored_outcome later = {.lead_id = "lead", .lead_id_len = 4, .outcome = LF_OUTCOME_LOST, .at_ms = 699};
    struct lf_change change = by_ops(900);

    make_old(f, 2, "", ids);
    assert_int_equal(schema_of(f, f->path), 2);
    open_store(f);
    assert_int_equal(schema_of(f, f->path), NEWEST);
    assert_icps(f, 2);
    assert_lists_and_keys(f, 2);
    assert_scores(f, ids);
    assert_second(f, 0);
    assert_progress(f);
    assert_int_equal(check(f, false, NULL), 0);
    /* Work goes on. */
    OK(lf_store_put_outcomes(f->store, &later, 1, NULL, 0, &f->error)); /* before what is known: nothing new */
    OK(append(f, 3, 10, NULL));
    assert_second(f, 0);
    OK(lf_store_revoke_key(f->store, "an5jmw87", &change, &f->error)); /* leaves a trace behind the old ones */
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- what the third one added ---- */

static enum lf_status
see_hour(void *context, const struct lf_stored_rollup *rollup)
{
    int *count = context;

    assert_int_equal(rollup->start_hour, 472222);
    assert_int_equal(rollup->body_len, 7);
    assert_memory_equal(rollup->body, "an hour", 7);
    ++*count;
    return LF_OK;
}

static void
assert_third(struct fixture *f)
{
    struct lf_store_progress progress;
    struct lf_stored_lead lead;
    uint8_t key[LF_SHA256_SIZE], expected[LF_SHA256_SIZE];
    int hours = 0;

    OK(lf_store_lead(f->reader, f->arena, "lead", 4, &lead, &f->error));
    assert_int_equal(lead.score_count, 1);
    assert_int_equal(lead.scores[0].version_id, 3);
    assert_int_equal(lead.scores[0].score, 7150);
    assert_string_equal(lead.scores[0].grade, "B");
    assert_true(lead.scores[0].latest);
    assert_int_equal(lead.scores[0].result_len, 2);
    OK(lf_store_each_rollup(f->reader, 3, LF_ROLLUP_TALLY, LF_SPAN_HOUR, 0, INT64_MAX, see_hour, &hours, &f->error));
    assert_int_equal(hours, 1);
    OK(lf_store_progress(f->reader, &progress, &f->error));
    assert_int_equal(progress.settled_block, 3);
    assert_int_equal(progress.due_block, 0);
    assert_int_equal(progress.last_block, OLD_BLOCKS);
    OK(lf_store_hash_key(f->reader, key, &f->error));
    memset(expected, 7, sizeof expected);
    assert_memory_equal(key, expected, sizeof key);
}

/* Records a score with an answer that tells of it. */
static void
record_with_answer(struct fixture *f)
{
    struct lf_stored_score score = {.lead_id = "lead", .lead_id_len = 4, .body = "body", .body_len = 4};
    const struct lf_stored_score *scores[] = {&score};
    struct lf_stored_answer answer = {.name = {1}, .http_status = 200, .sealed = "sealed", .sealed_len = 6}, found;
    const struct lf_stored_answer *answers[] = {&answer};
    bool there = false;

    assert_true(lf_ulid_next(&f->mint, 1700000000900, &score.id));
    answer.first_score = answer.last_score = score.id;
    OK(lf_store_record(f->store,
                       &(struct lf_recording){.scores = scores, .count = 1, .answers = answers, .answer_count = 1},
                       &f->error));
    OK(lf_store_answer(f->reader, f->arena, answer.name, &there, &found, &f->error));
    assert_true(there);
    assert_memory_equal(found.sealed, "sealed", 6);
}

static void
test_everything_of_the_third(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_stored_answer answer;
    bool there = true;

    make_old(f, 3, "", ids);
    assert_int_equal(schema_of(f, f->path), 3);
    open_store(f);
    assert_int_equal(schema_of(f, f->path), NEWEST);
    assert_int_equal(access(copy_of(f), F_OK), -1);
    assert_icps(f, 3);
    assert_lists_and_keys(f, 3);
    assert_scores(f, ids);
    assert_second(f, 1);
    assert_third(f);
    assert_int_equal(check(f, false, NULL), 0);
    OK(lf_store_answer(f->reader, f->arena, (const uint8_t[LF_SHA256_SIZE]){1}, &there, &answer, &f->error));
    assert_false(there);
    record_with_answer(f); /* and work goes on */
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- what fails ---- */

/* One that cannot be brought up to date stays what it was, and so does its copy. */
static void
test_failure(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
    struct lf_store_options options = {.path = f->path};
    struct lf_store *store = NULL;

    for (size_t schema = 1; schema < NEWEST; schema++) {
        lf_ulid_mint_init(&f->mint, (struct lf_ulid){{0}});
        make_old(f, schema, "CREATE TABLE drift (x)", ids); /* in the way of the last thing that is made */
        FAILS(lf_store_open(&options, &store, &f->error), LF_STORAGE_FAILED);
        assert_int_equal(schema_of(f, f->path), schema);
        assert_int_equal(schema_of(f, copy_of(f)), schema);
        run_sql(f->path, "DROP TABLE drift");
        open_store(f);
        assert_icps(f, schema);
        assert_lists_and_keys(f, schema);
        assert_scores(f, ids);
        if (schema >= 2)
            assert_second(f, schema == 3 ? 1 : 0);
        if (schema == 3)
            assert_third(f);
        assert_int_equal(access(copy_of(f), F_OK), -1);
        assert_int_equal(check(f, false, NULL), 0);
    }
}

/* A process that ended before it could delete the copy leaves it to the next one: it holds people. */
static void
test_a_copy_left_over(void **state)
{
    struct fixture *f = *state;
    int fd = -1;

    close_store(f);
    fd = open(copy_of(f), O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    open_store(f);
    assert_int_equal(access(copy_of(f), F_OK), -1);
}

/* Steps of SQLite that the process has left to live. */
static int steps_left;

static int
die(void *unused)
{
    (void)unused;
    if (--steps_left <= 0)
        (void)raise(SIGKILL);
    return 0;
}

/* Brings the database up to date in a process of its own that is killed on the way; whether it came to the end. */
static bool
migrate_and_die(struct fixture *f, const struct lf_embedded *migrations, int steps)
{
    int how = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct lf_connection connection;

        if (lf_connection_open(&connection, f->path, LF_CONNECTION_WRITER, NULL) != LF_OK)
            _exit(2);
        steps_left = steps;
        sqlite3_progress_handler(connection.db, 20, die, NULL);
        _exit(lf_sqlite_migrate_to(&connection, migrations, NEWEST, NULL) == LF_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true((WIFEXITED(how) && WEXITSTATUS(how) == 0) || (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL));
    return WIFEXITED(how);
}

/* Killed at any moment it is the old one, or the new one, and all is in it. */
static void
test_killed(void **state)
{
    struct fixture *f = *state;
    struct lf_embedded migrations[NEWEST];
    int old = 0;

    for (size_t schema = 1; schema < NEWEST; schema++) {
        bool through = false;

        for (int steps = 1; !through; steps += 1 + steps / 3) {
            struct lf_ulid ids[OLD_BLOCKS * OLD_PER_BLOCK];
            int64_t found = 0;

            lf_arena_reset(f->arena);
            lf_ulid_mint_init(&f->mint, (struct lf_ulid){{0}});
            make_old(f, schema, "", ids);
            read_migrations(f, migrations, NEWEST);
            through = migrate_and_die(f, migrations, steps);
            found = schema_of(f, f->path);
            assert_true(found == (int64_t)schema || found == NEWEST);
            assert_true(!through || found == NEWEST);
            old += found == NEWEST ? 0 : 1;
            open_store(f);
            assert_icps(f, schema);
            assert_lists_and_keys(f, schema);
            assert_scores(f, ids);
            if (schema >= 2)
                assert_second(f, schema == 3 ? 1 : 0);
            if (schema == 3)
                assert_third(f);
            else
                assert_progress(f);
            assert_int_equal(check(f, false, NULL), 0);
            assert_int_equal(access(copy_of(f), F_OK), -1);
        }
    }
    assert_true(old > 10);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_everything_is_kept),
        TEST(test_work_goes_on),
        TEST(test_reading_only),
        TEST(test_everything_of_the_second),
        TEST(test_everything_of_the_third),
        TEST(test_failure),
        TEST(test_a_copy_left_over),
        TEST(test_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
