/* test_store_drafts.c - drafts of ICPs in the store: put, named by their ETag, deleted, published. */
#include "store_fixture.h"

static const struct lf_precondition NOTHING_SAID = {.any = false}, ANY = {.any = true}, ABSENT = {.absent = true};

/* ---- helpers ---- */

static struct lf_new_draft
draft_of(const char *icp, const char *document, uint8_t hash)
{
    struct lf_new_draft draft = {
        .icp = icp, .name = "Draft", .purpose = "expansion", .document = document, .document_len = strlen(document)};

    memset(draft.hash, hash, sizeof draft.hash);
    return draft;
}

static enum lf_status
try_put(struct fixture *f, const char *icp, const char *document, uint8_t hash,
        const struct lf_precondition *precondition, char etag[LF_ETAG_MAX])
{
    struct lf_new_draft draft = draft_of(icp, document, hash);
    struct lf_change change = by_ops(1000 + hash);
    bool created = false;

    return lf_store_put_draft(f->store, &draft, precondition, &change, etag, &created, &f->error);
}

static void
put(struct fixture *f, const char *icp, const char *document, uint8_t hash)
{
    char etag[LF_ETAG_MAX];

    if (try_put(f, icp, document, hash, &ANY, etag) == LF_PRECONDITION_FAILED)
        OK(try_put(f, icp, document, hash, &ABSENT, etag));
}

static struct lf_stored_draft
draft(struct fixture *f, const char *icp)
{
    struct lf_stored_draft found = {.icp = NULL};

    OK(lf_store_draft(f->reader, f->arena, icp, &found, &f->error));
    return found;
}

static struct lf_stored_icp
icp_of(struct fixture *f, const char *key)
{
    struct lf_stored_icp icp = {.key = NULL};

    OK(lf_store_icp(f->reader, f->arena, key, &icp, &f->error));
    return icp;
}

static enum lf_status
try_delete(struct fixture *f, const char *icp, const struct lf_precondition *precondition, int64_t at_ms)
{
    struct lf_change change = by_ops(at_ms);

    return lf_store_delete_draft(f->store, icp, precondition, &change, &f->error);
}

static enum lf_status
try_publish(struct fixture *f, const char *icp, int version, int64_t version_id,
            const struct lf_precondition *precondition)
{
    struct lf_change change = by_ops(7000);

    return lf_store_publish_draft(f->store, icp, version, version_id, precondition, &change, &f->error);
}

static enum lf_status
try_archive(struct fixture *f, const char *icp, bool archived, int64_t at_ms)
{
    struct lf_change change = by_ops(at_ms);

    return lf_store_set_archived(f->store, icp, archived, &change, &f->error);
}

static size_t
count_traces(struct fixture *f)
{
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 10000, &entries, &count, &f->error));
    return count;
}

/* ---- putting ---- */

static void
test_put_makes_an_icp(void **state)
{
    struct fixture *f = *state;
    struct lf_new_draft new = draft_of("maker", "{\"v\": 1}", 0xA1);
    struct lf_change change = by_ops(100);
    char etag[LF_ETAG_MAX];
    bool created = false;
    struct lf_stored_draft found;
    struct lf_stored_icp icp;
    struct lf_stored_version *versions = NULL, version;
    size_t count = 9;

    OK(lf_store_put_draft(f->store, &new, &NOTHING_SAID, &change, etag, &created, &f->error));
    assert_true(created);
    assert_string_equal(etag, "\"d1-a1a1a1a1a1a1a1a1\"");
    found = draft(f, "maker");
    assert_string_equal(found.icp, "maker");
    assert_string_equal(found.document, "{\"v\": 1}");
    assert_int_equal(found.document_len, 8);
    assert_memory_equal(found.hash, new.hash, LF_SHA256_SIZE);
    assert_string_equal(found.etag, etag);
    assert_string_equal(found.updated_by, "ops");
    assert_int_equal(found.updated_at_ms, 100);
    assert_int_equal(found.next_version, 1);
    assert_int_equal(found.next_version_id, 1);
    assert_int_equal(found.active_version, 0);

    icp = icp_of(f, "maker");
    assert_int_equal(icp.state, LF_ICP_STATE_DRAFT);
    assert_string_equal(icp.name, "Draft");
    assert_string_equal(icp.purpose, "expansion");
    assert_int_equal(icp.active_version, 0);
    assert_int_equal(icp.versions, 0);
    assert_string_equal(icp.draft_etag, etag);
    assert_int_equal(icp.created_at_ms, 100);
    assert_int_equal(icp.updated_at_ms, 100);
    OK(lf_store_versions(f->reader, f->arena, "maker", &versions, &count, &f->error));
    assert_int_equal(count, 0);
    OK(lf_store_active_versions(f->reader, f->arena, &versions, &count, &f->error));
    assert_int_equal(count, 0);
    FAILS(lf_store_version(f->reader, f->arena, "maker", 1, &version, &f->error), LF_VERSION_NOT_FOUND);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_put_beside_a_version(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_icp icp;
    struct lf_stored_draft found;

    publish(f, "bank", "{}", 1, 10, 1);
    publish(f, "maker", "{\"v\":1}", 1, 20, 1);
    put(f, "maker", "{\"v\":2}", 2);
    icp = icp_of(f, "maker");
    assert_int_equal(icp.state, LF_ICP_STATE_ACTIVE);
    assert_string_equal(icp.name, "Name"); /* that of what is active */
    assert_string_equal(icp.purpose, "core");
    assert_string_equal(icp.draft_etag, "\"d1-0202020202020202\"");
    assert_int_equal(icp.created_at_ms, 20);
    assert_int_equal(icp.updated_at_ms, 1002);
    found = draft(f, "maker");
    assert_int_equal(found.next_version, 2);
    assert_int_equal(found.next_version_id, 3);
    assert_int_equal(found.active_version, 1);
    assert_string_equal(icp_of(f, "bank").draft_etag, "");
    FAILS(lf_store_draft(f->reader, f->arena, "bank", &found, &f->error), LF_DRAFT_NOT_FOUND);
    FAILS(lf_store_draft(f->reader, f->arena, "nobody", &found, &f->error), LF_ICP_NOT_FOUND);
}

/* What may be said about a draft that is there and one that is not, and what comes of it. "=" in etags stands for the
 * present one. */
static void
test_preconditions(void **state)
{
    static const struct {
        const char *what;
        const char *etags[3];
        bool any, absent;
        enum lf_status put_new, put_again, delete, publish;
    } ROWS[] = {
        {"nothing said", {NULL}, false, false, LF_OK, LF_PRECONDITION_REQUIRED, LF_OK, LF_PRECONDITION_REQUIRED},
        {"the present one", {"="}, false, false, LF_PRECONDITION_FAILED, LF_OK, LF_OK, LF_OK},
        {"it is among several", {"\"x\"", "=", "\"y\""}, false, false, LF_PRECONDITION_FAILED, LF_OK, LF_OK, LF_OK},
        {"another one",
         {"\"d1-0000000000000000\""},
         false,
         false,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED},
        {"a weak one never matches",
         {"W/="},
         false,
         false,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED},
        {"any", {NULL}, true, false, LF_PRECONDITION_FAILED, LF_OK, LF_OK, LF_OK},
        {"none", {NULL}, false, true, LF_OK, LF_PRECONDITION_FAILED, LF_PRECONDITION_FAILED, LF_PRECONDITION_FAILED},
        {"any and none",
         {NULL},
         true,
         true,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED,
         LF_PRECONDITION_FAILED},
    };
    struct fixture *f = *state;
    char etag[LF_ETAG_MAX], weak[LF_ETAG_MAX + 2];

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        for (int step = 0; step < 4; step++) {
            const char *etags[3];
            struct lf_precondition said = {.etags = etags, .any = ROWS[row].any, .absent = ROWS[row].absent};
            struct lf_stored_draft there;
            enum lf_status status = LF_OK, expected = LF_OK;
            size_t traces = 0;

            print_message("%s: %s\n", ROWS[row].what,
                          (const char *const[]){"put a new one", "put another", "delete", "publish"}[step]);
            if (step > 0)
                put(f, "maker", "{}", 1);
            else
                (void)try_delete(f, "maker", &NOTHING_SAID, 1); /* where one is left over */
            there.etag[0] = '\0';
            if (step > 0)
                there = draft(f, "maker");
            (void)snprintf(weak, sizeof weak, "W/%s", there.etag);
            for (; said.etag_count < 3 && ROWS[row].etags[said.etag_count] != NULL; said.etag_count++) {
                const char *text = ROWS[row].etags[said.etag_count];
                etags[said.etag_count] = strcmp(text, "=") == 0 ? there.etag : strcmp(text, "W/=") == 0 ? weak : text;
            }
            traces = count_traces(f);
            if (step <= 1) {
                status = try_put(f, "maker", "{}", 9, &said, etag);
                expected = step == 0 ? ROWS[row].put_new : ROWS[row].put_again;
            } else if (step == 2) {
                status = try_delete(f, "maker", &said, 1);
                expected = ROWS[row].delete;
            } else {
                status = try_publish(f, "maker", there.next_version, there.next_version_id, &said);
                expected = ROWS[row].publish;
            }
            assert_string_equal(lf_status_word(status), lf_status_word(expected));
            assert_int_equal(count_traces(f), traces + (expected == LF_OK ? 1 : 0));
            if (expected != LF_OK && step > 0) {
                assert_string_equal(draft(f, "maker").etag, there.etag); /* and nothing has changed */
                assert_non_null(strstr(f->error.detail, there.etag));    /* a person is told what to send */
                assert_non_null(strstr(f->error.detail, "If-Match"));
            }
            if (expected == LF_PRECONDITION_FAILED && step > 0) {
                assert_non_null(strstr(f->error.detail, "1970-01-01T00:00:01.001Z"));
                assert_non_null(strstr(f->error.detail, "by ops"));
            }
        }
    }
    assert_int_equal(check(f, false, NULL), 0);
}

/* The name of who changed it stands last: however long it is, the ETag to send is not cut off. */
static void
test_words_with_long_names(void **state)
{
    struct fixture *f = *state;
    char name[401], key[LF_KEY_MAX + 1] = "", etag[LF_ETAG_MAX];
    struct lf_new_draft new = draft_of(key, "{}", 1);
    struct lf_change change = by_ops(1);
    bool created = false;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(key, 'k', LF_KEY_MAX);
    key[LF_KEY_MAX] = '\0';
    change.by = name;
    OK(lf_store_put_draft(f->store, &new, &NOTHING_SAID, &change, etag, &created, &f->error));
    FAILS(lf_store_put_draft(f->store, &new, &ABSENT, &change, etag, &created, &f->error), LF_PRECONDITION_FAILED);
    assert_non_null(strstr(f->error.detail, etag));
    assert_non_null(strstr(f->error.detail, "If-Match"));
    FAILS(lf_store_put_draft(f->store, &new, &NOTHING_SAID, &change, etag, &created, &f->error),
          LF_PRECONDITION_REQUIRED);
    assert_non_null(strstr(f->error.detail, "If-Match"));
}

static void
test_etags_never_come_back(void **state)
{
    struct fixture *f = *state;
    char first[LF_ETAG_MAX], second[LF_ETAG_MAX], third[LF_ETAG_MAX], other[LF_ETAG_MAX];
    struct lf_precondition known = {.etags = (const char *const[]){first}, .etag_count = 1};

    OK(try_put(f, "maker", "{}", 1, &NOTHING_SAID, first));
    OK(try_put(f, "maker", "{}", 1, &known, second)); /* the same document */
    assert_string_not_equal(first, second);
    OK(try_delete(f, "maker", &ANY, 1));
    OK(try_put(f, "bank", "{}", 1, &NOTHING_SAID, other));
    close_store(f);
    open_store(f);
    OK(try_put(f, "maker", "{}", 1, &NOTHING_SAID, third));
    assert_string_equal(third, "\"d4-0101010101010101\"");
    FAILS(try_put(f, "maker", "{}", 2, &known, second), LF_PRECONDITION_FAILED);
}

/* ---- deleting ---- */

static void
test_delete(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_icp icp;
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    FAILS(try_delete(f, "maker", &NOTHING_SAID, 1), LF_ICP_NOT_FOUND);
    put(f, "maker", "{}", 1);
    OK(try_delete(f, "maker", &NOTHING_SAID, 2000));
    FAILS(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error), LF_ICP_NOT_FOUND); /* it was nothing but that */
    FAILS(try_delete(f, "maker", &NOTHING_SAID, 1), LF_ICP_NOT_FOUND);
    OK(lf_store_audit(f->reader, f->arena, "maker", 0, 10, &entries, &count, &f->error));
    assert_int_equal(count, 2); /* what happened to it stays */

    publish(f, "maker", "{}", 1, 3000, 1);
    FAILS(try_delete(f, "maker", &NOTHING_SAID, 1), LF_DRAFT_NOT_FOUND);
    put(f, "maker", "{}", 2);
    OK(try_delete(f, "maker", &ANY, 4000));
    icp = icp_of(f, "maker");
    assert_int_equal(icp.state, LF_ICP_STATE_ACTIVE);
    assert_string_equal(icp.draft_etag, "");
    assert_int_equal(icp.updated_at_ms, 4000);
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- publishing ---- */

static void
test_publish_draft(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_draft there;
    struct lf_stored_version stored;
    struct lf_stored_icp icp;

    put(f, "maker", "{\"v\": 1}", 0xB2);
    there = draft(f, "maker");
    OK(try_publish(f, "maker", 1, 1,
                   &(struct lf_precondition){.etags = (const char *const[]){there.etag}, .etag_count = 1}));
    FAILS(lf_store_draft(f->reader, f->arena, "maker", &there, &f->error), LF_DRAFT_NOT_FOUND);
    icp = icp_of(f, "maker");
    assert_int_equal(icp.state, LF_ICP_STATE_ACTIVE);
    assert_int_equal(icp.active_version, 1);
    assert_string_equal(icp.name, "Draft");
    assert_string_equal(icp.draft_etag, "");
    assert_int_equal(icp.updated_at_ms, 7000);
    OK(lf_store_version(f->reader, f->arena, "maker", 1, &stored, &f->error));
    assert_int_equal(stored.id, 1);
    assert_string_equal(stored.document, "{\"v\": 1}");
    assert_int_equal(stored.hash[31], 0xB2);
    assert_string_equal(stored.name, "Draft");
    assert_string_equal(stored.purpose, "expansion");
    assert_string_equal(stored.note, "a note");
    assert_string_equal(stored.published_by, "ops");
    assert_int_equal(stored.published_at_ms, 7000);

    /* The same definition once more is a version of its own: somebody wanted to say so. */
    put(f, "maker", "{\"v\": 1}", 0xB2);
    there = draft(f, "maker");
    assert_int_equal(there.next_version, 2);
    OK(try_publish(f, "maker", 2, there.next_version_id, &ANY));
    assert_int_equal(icp_of(f, "maker").active_version, 2);
    FAILS(try_publish(f, "maker", 3, 3, &ANY), LF_DRAFT_NOT_FOUND);
    FAILS(try_publish(f, "nobody", 1, 3, &ANY), LF_ICP_NOT_FOUND);
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_what_was_foretold_is_past(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_draft there;

    publish(f, "maker", "{}", 1, 1, 1);
    put(f, "maker", "{}", 2);
    there = draft(f, "maker");
    publish(f, "bank", "{}", 1, 1, 1); /* takes the id, by import */
    FAILS(try_publish(f, "maker", there.next_version, there.next_version_id, &ANY), LF_CONFLICT);
    there = draft(f, "maker");
    publish(f, "maker", "{}", 3, 1, 2); /* takes the number as well; the draft stays */
    FAILS(try_publish(f, "maker", there.next_version, there.next_version_id, &ANY), LF_CONFLICT);
    FAILS(try_publish(f, "maker", there.next_version, there.next_version_id + 1, &ANY), LF_CONFLICT);
    assert_non_null(strstr(f->error.detail, "version 3"));
    there = draft(f, "maker");
    OK(try_publish(f, "maker", there.next_version, there.next_version_id, &ANY));
    assert_int_equal(icp_of(f, "maker").active_version, 3);
}

static void
test_import_of_what_is_a_draft(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_icp icp;

    put(f, "maker", "{}", 1);
    publish(f, "maker", "{}", 1, 5000, 1); /* published for the first time, though the draft is just that */
    icp = icp_of(f, "maker");
    assert_int_equal(icp.state, LF_ICP_STATE_ACTIVE);
    assert_int_equal(icp.created_at_ms, 1001);
    assert_string_equal(icp.draft_etag, "\"d1-0101010101010101\"");
}

/* ---- archived ---- */

static void
test_archived(void **state)
{
    struct fixture *f = *state;
    char etag[LF_ETAG_MAX];
    struct lf_stored_icp icp;
    bool unchanged = false;
    struct lf_change change = by_ops(1);

    put(f, "maker", "{}", 1);
    OK(try_archive(f, "maker", true, 2000)); /* one that was never published */
    icp = icp_of(f, "maker");
    assert_int_equal(icp.state, LF_ICP_STATE_ARCHIVED);
    assert_string_equal(icp.draft_etag, "\"d1-0101010101010101\"");
    FAILS(try_put(f, "maker", "{}", 2, &ANY, etag), LF_ICP_ARCHIVED);
    assert_non_null(strstr(f->error.detail, "restore"));
    FAILS(try_put(f, "maker", "{}", 2, &NOTHING_SAID, etag), LF_ICP_ARCHIVED); /* said before what precondition says */
    FAILS(try_publish(f, "maker", 1, 1, &NOTHING_SAID), LF_ICP_ARCHIVED);
    FAILS(lf_store_activate(f->store, "maker", 1, &change, &unchanged, &f->error), LF_VERSION_NOT_FOUND);
    assert_string_equal(draft(f, "maker").document, "{}");
    OK(try_archive(f, "maker", false, 3000));
    assert_int_equal(icp_of(f, "maker").state, LF_ICP_STATE_DRAFT);
    OK(try_archive(f, "maker", true, 4000));
    OK(try_delete(f, "maker", &NOTHING_SAID, 5000)); /* tidying up is allowed */
    FAILS(lf_store_icp(f->reader, f->arena, "maker", &icp, &f->error), LF_ICP_NOT_FOUND);
    assert_int_equal(check(f, false, NULL), 0);
}

/* ---- failures ---- */

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    char *large = malloc(1 << 20), etag[LF_ETAG_MAX];
    struct lf_stored_draft there;

    assert_non_null(large);
    memset(large, ' ', (1 << 20) - 1);
    large[(1 << 20) - 1] = '\0';
    put(f, "maker", "{}", 1);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(try_put(f, "maker", large, 2, &ANY, etag), LF_STORAGE_FULL);
    FAILS(try_put(f, "other", large, 2, &NOTHING_SAID, etag), LF_STORAGE_FULL);
    assert_string_equal(draft(f, "maker").etag, "\"d1-0101010101010101\"");
    assert_int_equal(count_traces(f), 1);
    assert_int_equal(check(f, false, NULL), 0);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(try_put(f, "maker", large, 2, &ANY, etag));
    there = draft(f, "maker");
    OK(try_publish(f, "maker", there.next_version, there.next_version_id, &ANY));
    assert_int_equal(count_traces(f), 3);
    assert_int_equal(check(f, false, NULL), 0);
    free(large);
}

static void
test_read_only(void **state)
{
    struct fixture *f = *state;
    struct lf_store_options options = {.path = f->path, .read_only = true};
    struct lf_change change = by_ops(1);
    struct lf_stored_key key = {.id = "k", .name = "n"};
    bool unchanged = false;
    char etag[LF_ETAG_MAX];

    put(f, "maker", "{}", 1);
    close_store(f);
    OK(lf_store_open(&options, &f->store, &f->error));
    OK(lf_store_reader_open(f->store, &f->reader, &f->error));
    FAILS(try_put(f, "maker", "{}", 1, &ANY, etag), LF_STORAGE_FAILED);
    FAILS(try_delete(f, "maker", &ANY, 1), LF_STORAGE_FAILED);
    FAILS(try_publish(f, "maker", 1, 1, &ANY), LF_STORAGE_FAILED);
    FAILS(try_archive(f, "maker", true, 1), LF_STORAGE_FAILED);
    FAILS(lf_store_activate(f->store, "maker", 1, &change, &unchanged, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_create_key(f->store, &key, &change, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_touch_keys(f->store, NULL, 0, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_put_outcomes(f->store, NULL, 0, NULL, 0, &f->error), LF_STORAGE_FAILED);
    assert_string_equal(draft(f, "maker").document, "{}");
}

static void
test_small_arena(void **state)
{
    struct fixture *f = *state;
    struct lf_arena *small = lf_arena_create(64, 256);
    struct lf_stored_draft found;
    char document[1000];

    assert_non_null(small);
    memset(document, 'x', sizeof document);
    document[sizeof document - 1] = '\0';
    put(f, "maker", document, 1);
    FAILS(lf_store_draft(f->reader, small, "maker", &found, &f->error), LF_OUT_OF_MEMORY);
    assert_int_equal(draft(f, "maker").document_len, sizeof document - 1);
    lf_arena_destroy(small);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_put_makes_an_icp),
        TEST(test_put_beside_a_version),
        TEST(test_preconditions),
        TEST(test_words_with_long_names),
        TEST(test_etags_never_come_back),
        TEST(test_delete),
        TEST(test_publish_draft),
        TEST(test_what_was_foretold_is_past),
        TEST(test_import_of_what_is_a_draft),
        TEST(test_archived),
        TEST(test_full),
        TEST(test_read_only),
        TEST(test_small_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
