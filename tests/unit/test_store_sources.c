/* test_store_sources.c - sources in the store, with their secrets and what was refused of theirs. */
#include "source_store_fixture.h"

#include "store/audit.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int64_t
rows(struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t value = 0;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

static void
test_nothing_there(void **state)
{
    struct fixture *f = *state;
    struct lf_stored_source *sources = NULL;
    struct lf_stored_refusal *refusals = NULL;
    struct lf_change change = by_ops(1);
    size_t count = 99;

    OK(lf_store_sources(f->reader, f->arena, &sources, &count, &f->error));
    assert_int_equal(count, 0);
    count = 99;
    OK(lf_store_refusals(f->reader, f->arena, 1, &refusals, &count, &f->error));
    assert_int_equal(count, 0);
    FAILS(lf_store_delete_source(f->store, "crm", &change, &f->error), LF_SOURCE_NOT_FOUND);
    assert_non_null(strstr(f->error.detail, "\"crm\""));
    assert_int_equal(rows(f, "SELECT count(*) FROM audit"), 0);
}

/* A random life, held against the model all along, over restarts. */
static void
test_life(void **state)
{
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    struct support_random random = {.state = 7};
    size_t puts = 0, deletions = 0;

    for (unsigned step = 1; step <= 400; step++) {
        size_t key = support_random(&random, MODEL_KEYS);

        lf_arena_reset(f->arena);
        switch (support_random(&random, 6)) {
        case 0:
            if (model.sources[key].there) {
                OK(delete_source(f, &model, key));
                deletions++;
            } else {
                FAILS(delete_source(f, &model, key), LF_SOURCE_NOT_FOUND);
            }
            break;
        case 1:
        case 2:
            OK(put_refusals(f, &model, key, step, support_random(&random, MODEL_REFUSALS + 1)));
            break;
        case 3:
            if (step % 5 == 0) {
                close_store(f);
                open_store(f);
            }
            break;
        default:
            OK(put_source(f, &model, key, step, support_random(&random, LF_SOURCE_SECRETS_MAX + 1)));
            puts++;
        }
        assert_model(f, &model);
    }
    assert_true(puts > 50 && deletions > 10);
    assert_int_equal(check(f, false, NULL), 0);
    for (size_t key = 0; key < MODEL_KEYS; key++)
        if (model.sources[key].there)
            OK(delete_source(f, &model, key));
    /* Nothing is left over, neither secrets nor refusals. */
    assert_int_equal(rows(f, "SELECT (SELECT count(*) FROM source) + (SELECT count(*) FROM source_secret)"
                             " + (SELECT count(*) FROM refusal)"),
                     0);
}

/* The audit has each change, with the hashes of the documents, and nothing of a secret. */
static void
test_audit(void **state)
{
    static const char *const ACTIONS[] = {"source.put", "source.put", "source.delete", "source.put"};
    static const unsigned BEFORE[] = {0, 1, 2, 0}, AFTER[] = {1, 2, 0, 3}; /* documents, 0 for none */
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    struct lf_audit_entry *entries = NULL;
    size_t count = 0;

    OK(put_source(f, &model, 1, 1, 2));
    OK(put_source(f, &model, 1, 2, 1));
    OK(delete_source(f, &model, 1));
    OK(put_source(f, &model, 1, 3, 0));
    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 100, &entries, &count, &f->error));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        const struct lf_audit_entry *entry = &entries[i];
        const unsigned numbers[] = {BEFORE[i], AFTER[i]};
        const char *const hashes[] = {entry->before, entry->after};

        assert_string_equal(entry->action, ACTIONS[i]);
        assert_string_equal(entry->subject, "crm");
        assert_string_equal(entry->icp, "");
        assert_string_equal(entry->by, "ops");
        assert_string_equal(entry->note, "a note");
        for (size_t side = 0; side < 2; side++) {
            uint8_t digest[LF_SHA256_SIZE];
            char text[LF_HASH_TEXT_MAX] = "";
            size_t len = 0;

            if (numbers[side] != 0) {
                const char *document = document_of(f, numbers[side], &len);

                assert_true(lf_sha256(document, len, digest));
                lf_hash_text(digest, text);
            }
            assert_string_equal(hashes[side], text);
        }
    }
    assert_int_equal(check(f, false, NULL), 0);
}

static void
test_so_many_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct lf_change change = by_ops(1);
    struct lf_stored_source source = {.document = "{}", .document_len = 2}, *sources = NULL;
    size_t count = 0;
    int64_t id = 0;
    bool created = false;

    for (int i = 0; i < LF_SOURCES_MAX; i++) {
        source.key = lf_arena_printf(f->arena, "s%d", i);
        OK(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error));
    }
    OK(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error)); /* the last one anew */
    assert_false(created);
    source.key = "one-too-many";
    FAILS(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error), LF_CONFLICT);
    OK(lf_store_sources(f->reader, f->arena, &sources, &count, &f->error));
    assert_int_equal(count, LF_SOURCES_MAX);
    assert_int_equal(rows(f, "SELECT count(*) FROM audit"), LF_SOURCES_MAX + 1);
    OK(lf_store_delete_source(f->store, "s7", &change, &f->error));
    OK(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error));
    assert_true(created);
}

/* A secret that was replaced or deleted is not to be found in the file, once the log is in it. */
static void
test_secrets_do_not_stay(void **state)
{
    static const char FIRST[] = "first-secret-first-secret", SECOND[] = "second-secret-second-secret";
    struct fixture *f = *state;
    struct lf_change change = by_ops(1);
    struct lf_stored_source source = {
        .key = "crm", .document = "{}", .document_len = 2, .secrets = {{FIRST, sizeof FIRST - 1}}, .secret_count = 1};
    int64_t id = 0;
    bool created = false;

    OK(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error));
    source.secrets[0] = (struct lf_stored_secret){SECOND, sizeof SECOND - 1};
    OK(lf_store_put_source(f->store, &source, &change, &id, &created, &f->error));
    for (int round = 0; round < 2; round++) {
        size_t len = 0;
        const char *file = NULL;

        close_store(f); /* takes the log into the file */
        file = support_file(f->arena, f->path, &len);
        assert_null(memmem(file, len, FIRST, sizeof FIRST - 1));
        assert_int_equal(memmem(file, len, SECOND, sizeof SECOND - 1) != NULL, round == 0);
        open_store(f);
        if (round == 0)
            OK(lf_store_delete_source(f->store, "crm", &change, &f->error));
    }
}

/* What somebody wrote into the file by hand. */
static void
test_damage(void **state)
{
    struct fixture *f = *state;
    struct source_model model = {.last_id = 0};
    struct lf_stored_source *sources = NULL;
    size_t count = 0;

    OK(put_source(f, &model, 1, 1, 2));
    run_sql(f->path, "UPDATE source_secret SET value = x'' WHERE position = 0");
    OK(lf_store_sources(f->reader, f->arena, &sources, &count, &f->error)); /* whoever reads it will say so */
    assert_int_equal(count, 1);
    assert_int_equal(sources[0].secret_count, 2);
    assert_int_equal(sources[0].secrets[0].len, 0);
    run_sql(f->path, "DELETE FROM source_secret WHERE position = 0");
    OK(lf_store_sources(f->reader, f->arena, &sources, &count, &f->error));
    assert_int_equal(sources[0].secret_count, 1);
    assert_int_equal(sources[0].secrets[0].len, secret_of(f, 1, 1).len);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_there),       TEST(test_life),   TEST(test_audit), TEST(test_so_many_and_no_more),
        TEST(test_secrets_do_not_stay), TEST(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
