/* test_store_audit.c - the audit: a trace of every change in its own transaction, chained; and whoever meddles with it
 * is found out. */
#include "store/audit.h"

#include "store_fixture.h"

static const struct lf_precondition NOTHING_SAID = {.any = false}, ANY = {.any = true};

/* ---- every change there is ---- */

static struct lf_new_draft
draft_of(const char *icp, uint8_t hash)
{
    struct lf_new_draft draft = {.icp = icp, .name = "Draft", .purpose = "core", .document = "{}", .document_len = 2};

    memset(draft.hash, hash, sizeof draft.hash);
    return draft;
}

static enum lf_status
put_draft(struct fixture *f, uint8_t hash)
{
    struct lf_new_draft draft = draft_of("maker", hash);
    struct lf_change change = by_ops(1000);
    char etag[LF_ETAG_MAX];
    bool created = false;
    struct lf_stored_icp icp;
    bool there = lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error) == LF_OK && icp.draft_etag[0] != '\0';

    return lf_store_put_draft(f->store, &draft, there ? &ANY : &NOTHING_SAID, &change, etag, &created, &f->error);
}

static enum lf_status
put_first_draft(struct fixture *f)
{
    return put_draft(f, 1);
}

static enum lf_status
put_second_draft(struct fixture *f)
{
    return put_draft(f, 2);
}

static enum lf_status
publish_the_draft(struct fixture *f)
{
    struct lf_change change = by_ops(1100);
    struct lf_stored_draft draft = {.next_version = 0};
    enum lf_status status = lf_store_draft(f->reader, f->arena, "maker", &draft, &f->error);

    return status != LF_OK ? status
                           : lf_store_publish_draft(f->store, "maker", draft.next_version, draft.next_version_id, &ANY,
                                                    &change, &f->error);
}

static enum lf_status
delete_the_draft(struct fixture *f)
{
    struct lf_change change = by_ops(1200);

    return lf_store_delete_draft(f->store, "maker", &NOTHING_SAID, &change, &f->error);
}

static enum lf_status
import(struct fixture *f)
{
    struct lf_new_version v = version("maker", "{}", 3);
    struct lf_change change = {.by = "command line", .key_id = "", .note = "imported", .at_ms = 1300};
    int number = 0;
    bool unchanged = false;

    return lf_store_publish(f->store, &v, &change, &number, &unchanged, &f->error);
}

static enum lf_status
activate_first(struct fixture *f)
{
    struct lf_change change = by_ops(1400);
    bool unchanged = false;

    return lf_store_activate(f->store, "maker", 1, &change, &unchanged, &f->error);
}

static enum lf_status
archive(struct fixture *f)
{
    struct lf_change change = by_ops(1500);

    return lf_store_set_archived(f->store, "maker", true, &change, &f->error);
}

static enum lf_status
restore(struct fixture *f)
{
    struct lf_change change = by_ops(1600);

    return lf_store_set_archived(f->store, "maker", false, &change, &f->error);
}

static enum lf_status
create_key(struct fixture *f)
{
    struct lf_change change = {.by = "ops", .key_id = "k1", .note = "", .at_ms = 1700};
    struct lf_stored_key key = {.id = "newkey", .name = "crm"};

    return lf_store_create_key(f->store, &key, &change, &f->error);
}

static enum lf_status
revoke_key(struct fixture *f)
{
    struct lf_change change = by_ops(1800);

    return lf_store_revoke_key(f->store, "newkey", &change, &f->error);
}

/* Hashes are named by the byte they consist of, 0 for none. */
static const struct {
    enum lf_status (*make)(struct fixture *f);
    const char *action, *icp, *subject;
    int version, before, after;
    const char *by, *key_id, *note;
    int64_t at_ms;
    bool again; /* once more changes nothing */
} CHANGES[] = {
    {put_first_draft, "draft.put", "maker", "maker", 0, 0, 1, "ops", "k1", "a note", 1000, false},
    {put_second_draft, "draft.put", "maker", "maker", 0, 1, 2, "ops", "k1", "a note", 1000, false},
    {publish_the_draft, "publish", "maker", "maker", 1, 0, 2, "ops", "k1", "a note", 1100, false},
    {put_first_draft, "draft.put", "maker", "maker", 0, 0, 1, "ops", "k1", "a note", 1000, false},
    {delete_the_draft, "draft.delete", "maker", "maker", 0, 1, 0, "ops", "k1", "a note", 1200, false},
    {import, "publish", "maker", "maker", 2, 2, 3, "command line", "", "imported", 1300, true},
    {activate_first, "activate", "maker", "maker", 1, 3, 2, "ops", "k1", "a note", 1400, true},
    {archive, "archive", "maker", "maker", 0, 2, 0, "ops", "k1", "a note", 1500, true},
    {restore, "restore", "maker", "maker", 0, 0, 2, "ops", "k1", "a note", 1600, true},
    {create_key, "key.create", "", "newkey", 0, 0, 0, "ops", "k1", "", 1700, false},
    {revoke_key, "key.revoke", "", "newkey", 0, 0, 0, "ops", "k1", "a note", 1800, true},
};

enum { CHANGE_COUNT = sizeof CHANGES / sizeof *CHANGES };

static void
make_changes(struct fixture *f)
{
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        OK(CHANGES[i].make(f));
}

static struct lf_audit_entry *
read_audit(struct fixture *f, const char *icp, int64_t after, size_t limit, size_t expected)
{
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    OK(lf_store_audit(f->reader, f->arena, icp, after, limit, &entries, &count, &f->error));
    assert_int_equal(count, expected);
    return entries;
}

static void
assert_hash(const char *text, int byte)
{
    char expected[LF_HASH_TEXT_MAX] = "";
    uint8_t hash[LF_SHA256_SIZE];

    memset(hash, byte, sizeof hash);
    if (byte != 0)
        lf_hash_text(hash, expected);
    assert_string_equal(text, expected);
}

static void
test_traces(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        const struct lf_audit_entry *entry = NULL;

        print_message("%zu: %s\n", i, CHANGES[i].action);
        OK(CHANGES[i].make(f));
        if (CHANGES[i].again)
            OK(CHANGES[i].make(f)); /* a change that changes nothing leaves no trace */
        entry = &read_audit(f, NULL, 0, 100, i + 1)[i];
        assert_int_equal(entry->id, i + 1);
        assert_int_equal(entry->at_ms, CHANGES[i].at_ms);
        assert_string_equal(entry->by, CHANGES[i].by);
        assert_string_equal(entry->key_id, CHANGES[i].key_id);
        assert_string_equal(entry->action, CHANGES[i].action);
        assert_string_equal(entry->icp, CHANGES[i].icp);
        assert_string_equal(entry->subject, CHANGES[i].subject);
        assert_int_equal(entry->version, CHANGES[i].version);
        assert_string_equal(entry->note, CHANGES[i].note);
        assert_hash(entry->before, CHANGES[i].before);
        assert_hash(entry->after, CHANGES[i].after);
        assert_int_equal(check(f, false, NULL), 0);
    }
}

/* What fails leaves none. */
static void
test_refusals_leave_no_trace(void **state)
{
    struct fixture *f = *state;

    make_changes(f);
    FAILS(delete_the_draft(f), LF_DRAFT_NOT_FOUND);
    FAILS(publish_the_draft(f), LF_DRAFT_NOT_FOUND);
    FAILS(create_key(f), LF_CONFLICT);
    OK(archive(f));
    FAILS(put_first_draft(f), LF_ICP_ARCHIVED);
    (void)read_audit(f, NULL, 0, 100, CHANGE_COUNT + 1);
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- reading ---- */

static void
test_pages(void **state)
{
    static const struct {
        const char *icp;
        int64_t after;
        size_t limit, count;
        int64_t first;
    } ROWS[] = {
        {NULL, 0, 100, 13, 1},      {NULL, 0, 5, 5, 1},      {NULL, 5, 5, 5, 6},
        {NULL, 10, 5, 3, 11},       {NULL, 13, 5, 0, 0},     {NULL, 99, 5, 0, 0},
        {NULL, INT64_MAX, 5, 0, 0}, {NULL, 0, 0, 0, 0},      {NULL, 0, SIZE_MAX, 13, 1},
        {"maker", 0, 100, 9, 1},    {"maker", 8, 100, 1, 9}, {"maker", 9, 100, 0, 0},
        {"bank", 0, 100, 2, 12},    {"bank", 12, 1, 1, 13},  {"nobody", 0, 100, 0, 0},
        {"", 0, 100, 2, 10}, /* what is about no ICP */
    };
    struct fixture *f = *state;

    make_changes(f);
    publish(f, "bank", "{}", 1, 2000, 1);
    publish(f, "bank", "{}", 2, 2100, 2);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const struct lf_audit_entry *entries = NULL;

        print_message("row %zu\n", row);
        entries = read_audit(f, ROWS[row].icp, ROWS[row].after, ROWS[row].limit, ROWS[row].count);
        for (size_t i = 0; i < ROWS[row].count; i++)
            assert_int_equal(entries[i].id, ROWS[row].first + (int64_t)i);
    }
}

/* ---- the chain ---- */

/* What is hashed, byte by byte; the digest was computed with another program. */
static void
test_encoding(void **state)
{
    static const uint8_t EXPECTED[LF_SHA256_SIZE] = {0x56, 0x41, 0xb3, 0x07, 0xb5, 0x45, 0x65, 0x3d, 0x00, 0x81, 0xcf,
                                                     0xdf, 0x50, 0xf4, 0x86, 0xa1, 0xea, 0x11, 0xc9, 0x4e, 0xc6, 0x24,
                                                     0x59, 0xf7, 0x88, 0xd9, 0x6f, 0x73, 0xeb, 0xf6, 0x46, 0x14};
    const struct lf_audit_entry entry = {
        .id = 258,
        .at_ms = 1780000000123,
        .by = "M\xC3\xBCller",
        .key_id = "an5jmw87",
        .action = "publish",
        .icp = "maker",
        .subject = "maker",
        .version = 3,
        .note = "",
        .before = "",
        .after = "sha256:00",
    };
    uint8_t before[LF_SHA256_SIZE], chain[LF_SHA256_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof before; i++)
        before[i] = (uint8_t)i;
    assert_true(lf_audit_chain(before, &entry, chain));
    assert_memory_equal(chain, EXPECTED, sizeof chain);
}

/* Each column counts, and where one ends and the next begins. */
static void
test_all_is_hashed(void **state)
{
    static const struct lf_audit_entry PLAIN = {1, 2, "b", "k", "a", "i", "s", 3, "n", "x", "y", {0}};
    struct lf_audit_entry others[12];
    uint8_t zeros[LF_SHA256_SIZE] = {0}, chains[13][LF_SHA256_SIZE];

    (void)state;
    for (size_t i = 0; i < 12; i++)
        others[i] = PLAIN;
    others[0].id = 2;
    others[1].at_ms = 3;
    others[2].by = "B";
    others[3].key_id = "K";
    others[4].action = "A";
    others[5].icp = "I";
    others[6].subject = "S";
    others[7].version = 4;
    others[8].note = "N";
    others[9].before = "X";
    others[10].after = "Y";
    others[11].by = "bk"; /* the same letters, one column further */
    others[11].key_id = "";
    assert_true(lf_audit_chain(zeros, &PLAIN, chains[12]));
    for (size_t i = 0; i < 12; i++) {
        assert_true(lf_audit_chain(zeros, &others[i], chains[i]));
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(chains[i], chains[j], LF_SHA256_SIZE);
        assert_memory_not_equal(chains[i], chains[12], LF_SHA256_SIZE);
    }
    zeros[31] = 1;
    assert_true(lf_audit_chain(zeros, &PLAIN, chains[0]));
    assert_memory_not_equal(chains[0], chains[12], LF_SHA256_SIZE);
}

static void
test_chain_goes_on_after_a_start(void **state)
{
    struct fixture *f = *state;
    uint8_t before[LF_SHA256_SIZE] = {0}, chain[LF_SHA256_SIZE];
    struct lf_audit_entry *entries = NULL;

    for (int i = 0; i < 4; i++) {
        publish(f, "maker", "{}", (uint8_t)(i + 1), 100 + i, i + 1);
        close_store(f);
        open_store(f);
    }
    entries = read_audit(f, NULL, 0, 100, 4);
    for (int i = 0; i < 4; i++) {
        assert_true(lf_audit_chain(before, &entries[i], chain));
        assert_memory_equal(chain, entries[i].chain, LF_SHA256_SIZE);
        memcpy(before, chain, LF_SHA256_SIZE);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- meddling ---- */

#define UP "UPDATE audit SET id = -id - 1 WHERE id >= 5; UPDATE audit SET id = -id WHERE id < 0;"
#define DOWN(from) "UPDATE audit SET id = -id + 1 WHERE id >= " from "; UPDATE audit SET id = -id WHERE id < 0;"
#define COPY(id)                                                                                                   \
    "INSERT INTO audit SELECT " id ", at_ms, by, key_id, action, icp, subject, version, 'put in', before, after, " \
    "chain FROM audit WHERE id = 4;"

/* There are eleven entries. */
static void
test_meddling_is_found(void **state)
{
    static const struct {
        const char *what, *sql, *code, *words;
        size_t findings;
    } ROWS[] = {
        {"nothing", "SELECT 1", "", "", 0},
        {"another name", "UPDATE audit SET by = 'nobody' WHERE id = 4", "altered_audit_entry", "entry 4 ", 1},
        {"another key", "UPDATE audit SET key_id = '' WHERE id = 1", "altered_audit_entry", "entry 1 ", 1},
        {"another time", "UPDATE audit SET at_ms = at_ms + 1 WHERE id = 11", "altered_audit_entry", "entry 11 ", 1},
        {"another action", "UPDATE audit SET action = 'restore' WHERE id = 8", "altered_audit_entry", "entry 8 ", 1},
        {"another ICP", "UPDATE audit SET icp = 'bank' WHERE id = 5", "altered_audit_entry", "entry 5 ", 1},
        {"another subject", "UPDATE audit SET subject = 'x' WHERE id = 5", "altered_audit_entry", "entry 5 ", 1},
        {"another version", "UPDATE audit SET version = 7 WHERE id = 3", "altered_audit_entry", "entry 3 ", 1},
        {"a version that is too large", "UPDATE audit SET version = version + 4294967296 WHERE id = 3",
         "altered_audit_entry", "entry 3 ", 1},
        {"another note", "UPDATE audit SET note = '' WHERE id = 6", "altered_audit_entry", "entry 6 ", 1},
        {"something behind a NUL", "UPDATE audit SET note = note || char(0) || 'x' WHERE id = 6", "altered_audit_entry",
         "entry 6 ", 1},
        {"another hash before", "UPDATE audit SET before = '' WHERE id = 6", "altered_audit_entry", "entry 6 ", 1},
        {"another hash after", "UPDATE audit SET after = before WHERE id = 6", "altered_audit_entry", "entry 6 ", 1},
        {"another chain", "UPDATE audit SET chain = randomblob(32) WHERE id = 6", "altered_audit_entry", "entry 6 ", 1},
        {"the last chain", "UPDATE audit SET chain = randomblob(32) WHERE id = 11", "altered_audit_entry", "entry 11 ",
         1},
        {"two altered", "UPDATE audit SET note = '' WHERE id IN (4, 9)", "altered_audit_entry", "entry 4 ", 2},
        {"neighbours altered", "UPDATE audit SET note = 'x' WHERE id IN (4, 5)", "altered_audit_entry", "entry 4 ", 2},
        {"two exchanged",
         "UPDATE audit SET id = -1 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 5;"
         "UPDATE audit SET id = 5 WHERE id = -1",
         "foreign_audit_entry", "entry 4 ", 2},
        {"the first one is missing", "DELETE FROM audit WHERE id = 1", "missing_audit_entry", "entry 1 is", 1},
        {"one is missing", "DELETE FROM audit WHERE id = 5", "missing_audit_entry", "entry 5 is", 1},
        {"some are missing", "DELETE FROM audit WHERE id BETWEEN 5 AND 7", "missing_audit_entry", "entries 5 to 7 are",
         1},
        {"one is missing, and the ids closed up", "DELETE FROM audit WHERE id = 5;" DOWN("6"), "missing_audit_entry",
         "before audit entry 5 ", 1},
        {"some are missing, and the ids closed up",
         "DELETE FROM audit WHERE id IN (5, 6, 7);" DOWN("8") DOWN("7") DOWN("6"), "missing_audit_entry",
         "before audit entry 5 ", 1},
        {"cut off", "DELETE FROM audit WHERE id = 11", "missing_audit_entry", "entry 11 is", 1},
        {"several cut off", "DELETE FROM audit WHERE id > 7", "missing_audit_entry", "entries 8 to 11 are", 1},
        {"all are gone", "DELETE FROM audit", "missing_audit_entry", "entries 1 to 11 are", 1},
        {"one put in behind", COPY("12"), "foreign_audit_entry", "entry 12 ", 1},
        {"one put in far behind", COPY("1000"), "foreign_audit_entry", "entry 1000 ", 1},
        {"one put in before", COPY("0"), "foreign_audit_entry", "entry 0 ", 1},
        {"one put in before that", COPY("-7"), "foreign_audit_entry", "entry -7 ", 1},
        {"one put in between", UP COPY("5"), "foreign_audit_entry", "entry 5 ", 1},
        {"one replaced", "DELETE FROM audit WHERE id = 5;" COPY("5"), "altered_audit_entry", "entry 5 ", 2},
        {"one put in, another altered", UP COPY("5") "UPDATE audit SET note = 'x' WHERE id = 9", "foreign_audit_entry",
         "entry 5 ", 2},
        {"the head's number", "UPDATE audit_head SET entries = 10", "damaged_audit_head", "knows of 10 ", 1},
        {"the head's chain", "UPDATE audit_head SET chain = randomblob(32)", "damaged_audit_head", "entry, 11", 1},
        {"the head", "DELETE FROM audit_head", "damaged_audit_head", "missing", 1},
        {"the head and the last one", "DELETE FROM audit WHERE id = 11; UPDATE audit_head SET entries = 10",
         "damaged_audit_head", "entry, 10", 1},
    };
    struct fixture *f = *state;
    char undo[PATH_SIZE + 32];

    make_changes(f);
    (void)snprintf(undo, sizeof undo, "%s/kept.db", f->folder);
    OK(lf_store_backup(f->reader, undo, &f->error));
    (void)snprintf(undo, sizeof undo, "ATTACH '%s/kept.db' AS kept;", f->folder);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_findings findings;
        char restore_all[PATH_SIZE * 2];

        print_message("%s\n", ROWS[row].what);
        run_sql(f->path, ROWS[row].sql);
        assert_int_equal(check(f, true, NULL), 0); /* a quick look does not walk it */
        lf_findings_init(&findings, f->arena);
        OK(lf_store_check(f->reader, false, NULL, &findings, &f->error));
        for (size_t i = 0; i < findings.count; i++)
            print_message("    %s: %s\n", findings.items[i].code, findings.items[i].detail);
        assert_int_equal(findings.count, ROWS[row].findings);
        if (findings.count > 0) {
            assert_string_equal(findings.items[0].code, ROWS[row].code);
            assert_non_null(strstr(findings.items[0].detail, ROWS[row].words));
        }
        (void)snprintf(restore_all, sizeof restore_all,
                       "%s DELETE FROM audit; INSERT INTO audit SELECT * FROM kept.audit; DELETE FROM audit_head;"
                       "INSERT INTO audit_head SELECT * FROM kept.audit_head",
                       undo);
        run_sql(f->path, restore_all);
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* Somebody who knows how it is chained, and writes entries that are chained well. */
static void
chain_entry(struct fixture *f, int64_t id, const uint8_t before[LF_SHA256_SIZE])
{
    struct lf_audit_entry entry = {id, 1, "x", "", "publish", "maker", "maker", 9, "", "", "", {0}};
    char sql[512], hex[2 * LF_SHA256_SIZE + 1];

    assert_true(lf_audit_chain(before, &entry, entry.chain));
    for (size_t i = 0; i < LF_SHA256_SIZE; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", entry.chain[i]);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO audit VALUES (%" PRId64
                   ", 1, 'x', '', 'publish', 'maker', 'maker', 9, '', '', '', x'%s')",
                   id, hex);
    run_sql(f->path, sql);
}

static void
test_well_chained_meddling(void **state)
{
    struct fixture *f = *state;
    struct lf_audit_entry *entries = NULL;
    const char *code = NULL;

    make_changes(f);
    entries = read_audit(f, NULL, 0, 100, CHANGE_COUNT);
    chain_entry(f, CHANGE_COUNT + 1, entries[CHANGE_COUNT - 1].chain); /* at the end */
    assert_int_equal(check(f, false, &code), 1);
    assert_string_equal(code, "foreign_audit_entry");
    /* Nothing is written on top of it. */
    FAILS(archive(f), LF_INTERNAL);
    assert_non_null(strstr(f->error.detail, "leadfit check"));
    run_sql(f->path, "DELETE FROM audit WHERE id = 12");
    OK(archive(f));
    assert_int_equal(check(f, false, NULL), 0);

    run_sql(f->path, UP);
    chain_entry(f, 5, entries[3].chain); /* in between */
    assert_int_equal(check(f, false, &code), 1);
    assert_string_equal(code, "foreign_audit_entry");
}

/* When all entries are wrong, some are told and the rest is counted, soon. */
static void
test_all_is_wrong(void **state)
{
    enum { MANY = 3000 };
    struct fixture *f = *state;
    struct lf_findings findings;

    make_changes(f);
    run_sql(f->path, "WITH RECURSIVE n (i) AS (SELECT 12 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                     "INSERT INTO audit SELECT i, 1, '', '', '', '', '', 0, '', '', '', randomblob(32) FROM n;"
                     "UPDATE audit_head SET entries = 3000, chain = randomblob(32)");
    lf_findings_init(&findings, f->arena);
    OK(lf_store_check(f->reader, false, NULL, &findings, &f->error));
    assert_int_equal(findings.count, LF_FINDINGS_MAX);
    assert_int_equal(findings.count + findings.dropped, MANY - CHANGE_COUNT);
}

/* ---- a change and its trace are one ---- */

/* Hash over all rows of all tables. */
static void
fingerprint(struct fixture *f, uint8_t ret_digest[LF_SHA256_SIZE])
{
    static const char *const TABLES[] = {"meta",  "icp",        "icp_version", "draft",
                                         "audit", "audit_head", "api_key",     "list"};
    struct lf_buf buf;
    sqlite3 *db = NULL;

    lf_buf_init(&buf, NULL, 1 << 20);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (size_t t = 0; t < sizeof TABLES / sizeof *TABLES; t++) {
        sqlite3_stmt *statement = NULL;
        char sql[64];

        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", TABLES[t]);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(statement); i++) {
                const void *bytes = sqlite3_column_blob(statement, i);

                lf_buf_add(&buf, bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(statement, i));
                lf_buf_char(&buf, '\n');
            }
        }
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_false(lf_buf_failed(&buf));
    assert_true(lf_sha256(buf.data, buf.len, ret_digest));
    lf_buf_finish(&buf);
}

static void
test_no_change_without_a_trace(void **state)
{
    static const char *const FAILURES[] = {
        "CREATE TRIGGER fails BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no'); END",
        "CREATE TRIGGER fails BEFORE UPDATE ON audit_head BEGIN SELECT raise(ABORT, 'no'); END",
    };
    struct fixture *f = *state;
    uint8_t before[LF_SHA256_SIZE], after[LF_SHA256_SIZE];

    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        print_message("%zu: %s\n", i, CHANGES[i].action);
        for (size_t k = 0; k < 2; k++) {
            run_sql(f->path, FAILURES[k]);
            fingerprint(f, before);
            FAILS(CHANGES[i].make(f), LF_INTERNAL);
            fingerprint(f, after);
            assert_memory_equal(before, after, sizeof before);
            run_sql(f->path, "DROP TRIGGER fails");
        }
        run_sql(f->path, "UPDATE audit_head SET id = id"); /* the head stays what it is */
        OK(CHANGES[i].make(f));
    }
    run_sql(f->path, "DELETE FROM audit_head");
    FAILS(archive(f), LF_INTERNAL);
    assert_non_null(strstr(f->error.detail, "backup"));
}

static void
test_check_can_be_stopped_here(void **state)
{
    struct fixture *f = *state;
    struct lf_connection *connection = NULL;
    struct lf_findings findings;
    atomic_bool stop = true;

    make_changes(f);
    connection = lf_sqlite_reader(f->reader, "checking");
    lf_findings_init(&findings, f->arena);
    FAILS(lf_sqlite_check_audit(connection, &stop, &findings, &f->error), LF_NOT_READY);
    stop = false;
    OK(lf_sqlite_check_audit(connection, &stop, &findings, &f->error));
    assert_int_equal(findings.count, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_traces),
        TEST(test_refusals_leave_no_trace),
        TEST(test_pages),
        TEST(test_encoding),
        TEST(test_all_is_hashed),
        TEST(test_chain_goes_on_after_a_start),
        TEST(test_meddling_is_found),
        TEST(test_well_chained_meddling),
        TEST(test_all_is_wrong),
        TEST(test_no_change_without_a_trace),
        TEST(test_check_can_be_stopped_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
