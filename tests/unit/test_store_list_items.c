/* test_store_list_items.c - the entries of lists: walked through, swept, out of room, brought over from before,
 * checked, and all the verbs in random order against a model. */
#include "list_fixture.h"
#include "support.h"

/* ---- reading ---- */

static void
test_walk_can_be_ended(void **state)
{
    static const char *const TEXTS[] = {"one", "two", "three"};
    struct fixture *f = *state;
    int64_t generation = put(f, "l", TEXTS, 3, 100).list.generation;
    struct joined joined = {.f = f, .text = lf_arena_copy(f->arena, "", 0), .stop_at = 2};

    assert_int_equal(lf_store_each_list_entry(f->reader, generation, join, &joined, &f->error), LF_BUSY);
    assert_string_equal(joined.text, "one\nthree\n");
    assert_int_equal(read_generation(f, generation).count, 3); /* and the next one begins at the beginning */
    assert_int_equal(read_generation(f, generation + 1).count, 0);
}

/* A list changes while somebody walks through it: he sees it as it was. */
struct meddled {
    struct fixture *f;
    size_t count;
};

static enum lf_status
meddle(void *context, const struct lf_list_entry *found)
{
    static const char *const TWO[] = {"two"}, *const FOUR[] = {"four"};
    struct meddled *meddled = context;
    struct result result;
    struct fixture *f = meddled->f;

    (void)found;
    if (meddled->count++ == 0)
        OK(try_patch(f, "l", FOUR, 1, TWO, 1, &NOTHING_SAID, &result));
    return LF_OK;
}

static void
test_walk_beside_a_change(void **state)
{
    static const char *const TEXTS[] = {"one", "three", "two", "zwei"};
    struct fixture *f = *state;
    struct meddled meddled = {.f = f};
    int64_t generation = put(f, "l", TEXTS, 4, 100).list.generation;

    OK(lf_store_each_list_entry(f->reader, generation, meddle, &meddled, &f->error));
    assert_int_equal(meddled.count, 4);
    assert_list(f, "l", 2, "four\none\nthree\nzwei\n");
}

/* ---- sweeping ---- */

static void
test_sweep(void **state)
{
    enum { ENTRIES = 100 };
    static const size_t LIMITS[] = {30, 30, 30, 30, 30, 30}; /* of 60 + 0 + 100 that are left over */
    static const bool MORE[] = {true, true, true, true, true, false};
    struct fixture *f = *state;
    const char *texts[ENTRIES];
    struct lf_list_state spare;
    int64_t left = 0;
    bool more = true;

    for (size_t i = 0; i < ENTRIES; i++)
        texts[i] = lf_arena_printf(f->arena, "entry %03zu", i);
    OK(lf_store_sweep_lists(f->store, 10, 0, &more, &f->error));
    assert_false(more);
    (void)put(f, "l", texts, 60, 100);        /* left over: replaced next */
    (void)put(f, "l", texts, 90, 200);        /* stays */
    (void)put(f, "empty", texts, 0, 300);     /* stays, and has none */
    (void)put(f, "deleted", texts, 100, 400); /* left over: deleted next */
    OK(try_delete(f, "deleted", &NOTHING_SAID));
    spare = fill(f, texts, 70); /* being filled */
    left = ask(f, "SELECT count(*) FROM list_item");
    assert_int_equal(left, 60 + 90 + 100 + 70);
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        int64_t now = 0;

        OK(lf_store_sweep_lists(f->store, LIMITS[i], spare.generation, &more, &f->error));
        now = ask(f, "SELECT count(*) FROM list_item");
        assert_int_equal(left - now, i == 5 ? 10 : 30); /* never more than it may */
        assert_int_equal(more, MORE[i]);
        left = now;
    }
    assert_int_equal(left, 90 + 70);
    assert_int_equal(list(f, "l").count, 90);
    assert_int_equal(read_generation(f, list(f, "l").generation).count, 90);
    assert_int_equal(read_generation(f, spare.generation).count, 70);

    OK(lf_store_sweep_lists(f->store, 0, 0, &more, &f->error));
    assert_true(more); /* the spare one is one of them now */
    OK(lf_store_sweep_lists(f->store, 70, 0, &more, &f->error));
    assert_false(more);
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item"), 90);
    assert_int_equal(check(f, false, NULL), 0);
}

/* What was begun before the service ended is swept after it has started again, and its number is not given twice. */
static void
test_leftovers_of_before(void **state)
{
    static const char *const TEXTS[] = {"one", "two"};
    struct fixture *f = *state;
    struct lf_list_state begun, again;
    bool more = true;

    (void)put(f, "l", TEXTS, 1, 100);
    begun = fill(f, TEXTS, 2);
    close_store(f);
    open_store(f);
    assert_int_equal(read_generation(f, begun.generation).count, 2);
    OK(lf_store_begin_list(f->store, &again, &f->error));
    assert_true(again.generation > begun.generation);
    OK(lf_store_sweep_lists(f->store, 100, again.generation, &more, &f->error));
    assert_false(more);
    assert_int_equal(read_generation(f, begun.generation).count, 0);
    assert_list(f, "l", 1, "one\n");
}

/* ---- large entries, and no room ---- */

/* The longest there are: folded they are larger than a page, and differ only at their ends. */
static void
test_long_entries(void **state)
{
    enum { ENTRIES = 12, PREFIX = LF_LIST_ENTRY_MAX - 2 };
    struct fixture *f = *state;
    const char *texts[ENTRIES];
    char *prefix = lf_arena_calloc(f->arena, PREFIX + 1, strlen("ﷺ"));
    struct result result;
    bool more = false;

    assert_non_null(prefix);
    for (size_t i = 0; i < PREFIX; i++)
        memcpy(prefix + i * strlen("ﷺ"), "ﷺ", strlen("ﷺ"));
    for (size_t i = 0; i < ENTRIES; i++)
        texts[i] = lf_arena_printf(f->arena, "%s%02zu", prefix, i);
    assert_true(entry(f, texts[0]).folded_len > 2 * 8192);
    (void)put(f, "l", texts, ENTRIES - 2, 100);
    OK(try_patch(f, "l", texts + ENTRIES - 2, 2, texts, 3, &NOTHING_SAID, &result));
    assert_int_equal(result.added, 2);
    assert_int_equal(result.removed, 3);
    assert_int_equal(read_generation(f, result.list.generation).count, ENTRIES - 3);
    assert_int_equal(check(f, false, NULL), 0);
    OK(try_delete(f, "l", &NOTHING_SAID));
    OK(lf_store_sweep_lists(f->store, 4, 0, &more, &f->error));
    assert_true(more);
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item"), ENTRIES - 3 - 4);
    OK(lf_store_sweep_lists(f->store, 5, 0, &more, &f->error));
    assert_false(more);
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item"), 0);
    assert_int_equal(check(f, false, NULL), 0);
}

/* A slice for which there is no room has not happened, and can be tried again. */
static void
test_full(void **state)
{
    enum { ENTRIES = 3000 };
    struct fixture *f = *state;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    const char **texts = calloc(ENTRIES, sizeof *texts);
    struct lf_list_entry *made = NULL;
    struct lf_list_state filled, before;
    struct result result;

    assert_non_null(texts);
    for (size_t i = 0; i < ENTRIES; i++)
        texts[i] = lf_arena_printf(f->arena, "company-%06zu.example", i);
    made = entries(f, texts, ENTRIES);
    (void)put(f, "l", texts, 3, 100);
    filled = fill(f, texts, 10);
    before = filled;
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(lf_store_add_list_entries(f->store, &filled, made, ENTRIES, &f->error), LF_STORAGE_FULL);
    assert_memory_equal(&filled, &before, sizeof filled);
    FAILS(try_patch(f, "l", texts + 3, ENTRIES - 3, texts, 3, &NOTHING_SAID, &result), LF_STORAGE_FULL);
    assert_list(f, "l", 1, "company-000000.example\ncompany-000001.example\ncompany-000002.example\n");
    assert_int_equal(read_generation(f, filled.generation).count, 10);
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(lf_store_add_list_entries(f->store, &filled, made, ENTRIES, &f->error));
    assert_int_equal(filled.count, ENTRIES);
    OK(try_put(f, "l", &filled, &NOTHING_SAID, 200, &result));
    assert_int_equal(list(f, "l").count, ENTRIES);
    assert_int_equal(check(f, false, NULL), 0);
    free(texts);
}

/* ---- a database of before ---- */

static const char OLD_LISTS[] =
    "INSERT INTO list (id, key, revision, updated_at_ms) VALUES (3, 'old', 4, 77), (8, 'empty', 1, 88),"
    " (5, 'other', 2, 99);"
    "INSERT INTO list_entry (list_id, position, entry) VALUES (3, 0, 'Acme'), (3, 1, ' ACME'), (3, 2, 'ﬁnch'),"
    " (3, 3, 'FINCH'), (3, 4, '  '), (3, 5, ''), (3, 6, 'ÄRGER'), (3, 7, 'mill'), (5, 0, 'acme')";

static void
make_old(struct fixture *f, const char *sql)
{
    size_t len = 0;
    const char *schema = support_file(f->arena, "schema/migrations/sqlite/0001_initial.sql", &len);
    const struct lf_embedded first = {"0001_initial.sql", (const unsigned char *)schema, len};
    struct lf_connection connection;
    int fd = -1;

    close_store(f);
    assert_int_equal(unlink(f->path), 0);
    fd = open(f->path, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    OK(lf_connection_open(&connection, f->path, LF_CONNECTION_WRITER, &f->error));
    OK(lf_sqlite_migrate_to(&connection, &first, 1, &f->error));
    lf_connection_close(&connection);
    run_sql(f->path, sql);
}

static void
test_migration(void **state)
{
    static const char *const TEXTS[] = {"new"};
    struct fixture *f = *state;
    struct lf_stored_list *lists = NULL;
    struct result result;
    size_t count = 0;

    make_old(f, OLD_LISTS);
    open_store(f);
    assert_list(f, "old", 4, "Acme\nﬁnch\nmill\nÄRGER\n"); /* of those that fold alike, the first */
    assert_list(f, "empty", 1, "");
    assert_list(f, "other", 2, "acme\n");
    assert_int_equal(list(f, "old").updated_at_ms, 77);
    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    assert_int_equal(count, 3);
    assert_int_equal(check(f, false, NULL), 0);

    result = put(f, "old", TEXTS, 1, 100); /* and its generation is a new one */
    assert_false(result.created);
    assert_int_equal(result.list.revision, 5);
    assert_int_equal(result.list.generation, 9);
    sweep_all(f);
    assert_list(f, "old", 5, "new\n");
    assert_list(f, "other", 2, "acme\n");
    assert_int_equal(check(f, false, NULL), 0);
}

/* The functions that migrations have, and nobody else. */
static void
test_functions(void **state)
{
    static const struct lf_embedded STEPS[] = {
        {"1",
         (const unsigned char *)"CREATE TABLE t (x BLOB) STRICT;"
                                "INSERT INTO t VALUES (leadfit_fold('  ÀÉ  Ltd. ')), (leadfit_fold('')),"
                                " (leadfit_fold(NULL));"
                                "INSERT INTO t SELECT leadfit_list_hash('acme');"
                                "INSERT INTO t SELECT leadfit_list_hash(x) FROM t WHERE x = 'nothing'",
         0},
        {"2", (const unsigned char *)"INSERT INTO t VALUES (leadfit_fold(CAST(x'61FF' AS TEXT)))", 0},
    };
    struct fixture *f = *state;
    struct lf_connection connection;
    char path[PATH_SIZE];
    int64_t value = 0;
    int fd = -1;

    (void)snprintf(path, sizeof path, "%s/functions.db", f->folder);
    fd = open(path, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    OK(lf_connection_open(&connection, path, LF_CONNECTION_WRITER, &f->error));
    OK(lf_sqlite_migrate_to(&connection, STEPS, 1, &f->error));
    OK(lf_sqlite_int(&connection, "SELECT x = CAST('àé ltd.' AS BLOB) FROM t WHERE rowid = 1", &value, &f->error));
    assert_int_equal(value, 1);
    OK(lf_sqlite_int(&connection, "SELECT x = x'' AND typeof(x) = 'blob' FROM t WHERE rowid = 2", &value, &f->error));
    assert_int_equal(value, 1);
    OK(lf_sqlite_int(&connection, "SELECT x IS NULL FROM t WHERE rowid = 3", &value, &f->error));
    assert_int_equal(value, 1);
    OK(lf_sqlite_int(&connection, /* sha256sum of acme */
                     "SELECT x = x'822b33ad87c148a0a20a5ba7cd5ebcaa68d36a18e7aad165554903f52ca82757'"
                     " FROM t WHERE rowid = 4",
                     &value, &f->error));
    assert_int_equal(value, 1);
    OK(lf_sqlite_int(&connection, "SELECT x = zeroblob(32) FROM t WHERE rowid = 5", &value, &f->error));
    assert_int_equal(value, 1);
    FAILS(lf_sqlite_int(&connection, "SELECT leadfit_fold('x')", &value, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_sqlite_int(&connection, "SELECT leadfit_list_hash('x')", &value, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_sqlite_migrate_to(&connection, STEPS, 2, &f->error), LF_STORAGE_CORRUPT); /* not UTF-8 */
    FAILS(lf_sqlite_int(&connection, "SELECT leadfit_fold('x')", &value, &f->error), LF_STORAGE_FAILED);
    lf_connection_close(&connection);
}

/* ---- checking ---- */

static void
test_check_finds(void **state)
{
    static const char *const TEXTS[] = {"one", "two", "Ünal"}, *const OTHERS[] = {"x"};
    static const struct {
        const char *why, *harm, *mend, *detail; /* detail: NULL for nothing found */
    } ROWS[] = {
        {"another text", "UPDATE list_item SET entry = 'TWO' WHERE entry = 'two'",
         "UPDATE list_item SET entry = 'two' WHERE entry = 'TWO'",
         "list competitors: its entries are not what its hash says"},
        {"another hash", "UPDATE list SET hash = CAST(x'00' || substr(hash, 2) AS BLOB) WHERE key = 'alpha'",
         "UPDATE list SET hash = CAST(x'2d' || substr(hash, 2) AS BLOB) WHERE key = 'alpha'", /* sha256sum of x */
         "list alpha: its entries are not what its hash says"},
        {"a lost entry", "DELETE FROM list_item WHERE entry = 'two'",
         "INSERT INTO list_item SELECT generation, CAST('two' AS BLOB), 'two' FROM list WHERE key = 'competitors'",
         "list competitors: it has 2 entries, not the 3 that it says"},
        {"another count", "UPDATE list SET entries = 4 WHERE key = 'competitors'",
         "UPDATE list SET entries = 3 WHERE key = 'competitors'",
         "list competitors: it has 3 entries, not the 4 that it says"},
        {"another form", "UPDATE list_item SET folded = CAST('twp' AS BLOB) WHERE entry = 'two'",
         "UPDATE list_item SET folded = CAST('two' AS BLOB) WHERE entry = 'two'",
         "list competitors: entries of it lie under a form that is not theirs"},
        {"a form that another Unicode may have",
         "UPDATE list_item SET folded = CAST('ue' AS BLOB) WHERE entry = 'Ünal'",
         "UPDATE list_item SET folded = CAST('ünal' AS BLOB) WHERE entry = 'Ünal'", NULL},
        {"entries of no list", "INSERT INTO list_item VALUES (99, x'61', 'b')",
         "DELETE FROM list_item WHERE generation = 99", NULL},
    };
    struct fixture *f = *state;

    (void)put(f, "competitors", TEXTS, 3, 100);
    (void)put(f, "alpha", OTHERS, 1, 100);
    (void)put(f, "zero", NULL, 0, 100);
    assert_int_equal(check(f, false, NULL), 0);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_findings findings;

        print_message("%s\n", ROWS[row].why);
        run_sql(f->path, ROWS[row].harm);
        lf_findings_init(&findings, f->arena);
        OK(lf_store_check(f->reader, false, NULL, &findings, &f->error));
        assert_int_equal(findings.count, ROWS[row].detail != NULL ? 1 : 0);
        if (ROWS[row].detail != NULL) {
            assert_string_equal(findings.items[0].code, "damaged_list");
            assert_string_equal(findings.items[0].detail, ROWS[row].detail);
            assert_int_equal(check(f, true, NULL), 0); /* a quick one does not look */
        }
        run_sql(f->path, ROWS[row].mend);
        assert_int_equal(check(f, false, NULL), 0);
    }
}

/* A list that says less than it has cannot be emptied below nothing. */
static void
test_patch_of_a_damaged_list(void **state)
{
    static const char *const TEXTS[] = {"one", "two"};
    struct fixture *f = *state;
    struct result result;

    (void)put(f, "l", TEXTS, 2, 100);
    run_sql(f->path, "UPDATE list SET entries = 1");
    FAILS(try_patch(f, "l", NULL, 0, TEXTS, 2, &NOTHING_SAID, &result), LF_STORAGE_CORRUPT);
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item"), 2);
}

/* ---- against a model ---- */

enum { MODEL_LISTS = 4, MODEL_WORDS = 40, MODEL_SPELLINGS = 4, MODEL_STEPS = 1500 };

static const char *const MODEL_KEYS[MODEL_LISTS] = {"accounts", "competitors", "free-mail", "x"};

/* Words of which each has spellings that fold alike. */
static const char *
spelling(struct fixture *f, size_t word, size_t which)
{
    static const char *const FORMS[MODEL_SPELLINGS] = {"Größe %s Ltd", "GRÖSSE %s ltd", " größe  %s\tLtd",
                                                       "grösse %s LTD"};
    const char *hole = strstr(FORMS[which], "%s");
    const char *text =
        lf_arena_printf(f->arena, "%.*s%zu%s", (int)(hole - FORMS[which]), FORMS[which], word, hole + strlen("%s"));

    assert_non_null(text);
    return text;
}

struct model {
    struct {
        bool there;
        int64_t revision, updated_at_ms;
        int words[MODEL_WORDS]; /* which spelling, -1: not in it */
    } lists[MODEL_LISTS];
    size_t traces;
    uint64_t random;
};

static size_t
below(struct model *model, size_t bound)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (size_t)(model->random >> 11) % bound;
}

static size_t
model_count(const struct model *model, size_t at)
{
    size_t count = 0;

    for (size_t i = 0; i < MODEL_WORDS; i++)
        count += model->lists[at].words[i] >= 0 ? 1 : 0;
    return count;
}

static void
assert_model(struct fixture *f, const struct model *model)
{
    struct lf_stored_list *lists = NULL;
    size_t count = 0, next = 0;

    OK(lf_store_lists(f->reader, f->arena, &lists, &count, &f->error));
    for (size_t at = 0; at < MODEL_LISTS; at++) {
        uint8_t hash[LF_SHA256_SIZE] = {0};
        struct lf_stored_list found;

        if (!model->lists[at].there)
            continue;
        assert_true(next < count);
        found = lists[next++];
        assert_string_equal(found.key, MODEL_KEYS[at]);
        assert_int_equal(found.revision, model->lists[at].revision);
        assert_int_equal(found.updated_at_ms, model->lists[at].updated_at_ms);
        assert_int_equal(found.count, model_count(model, at));
        for (size_t i = 0; i < MODEL_WORDS; i++) {
            const char *text = NULL;

            if (model->lists[at].words[i] < 0)
                continue;
            text = spelling(f, i, (size_t)model->lists[at].words[i]);
            assert_true(lf_list_hash_add_entry(hash, text, strlen(text)));
        }
        assert_memory_equal(found.hash, hash, sizeof hash);
        assert_memory_equal(read_generation(f, found.generation).hash, hash, sizeof hash);
        assert_int_equal(read_generation(f, found.generation).count, found.count);
    }
    assert_int_equal(next, count);
}

/* Some random words in random spellings. */
static size_t
random_words(struct fixture *f, struct model *model, size_t most, size_t *words, int *which, const char **texts)
{
    size_t count = below(model, most + 1);

    for (size_t i = 0; i < count; i++) {
        words[i] = below(model, MODEL_WORDS);
        which[i] = (int)below(model, MODEL_SPELLINGS);
        texts[i] = spelling(f, words[i], (size_t)which[i]);
    }
    return count;
}

static void
model_put(struct fixture *f, struct model *model, size_t at, int64_t at_ms)
{
    size_t words[MODEL_WORDS];
    int which[MODEL_WORDS], now[MODEL_WORDS];
    const char *texts[MODEL_WORDS];
    size_t count = random_words(f, model, MODEL_WORDS, words, which, texts);
    struct lf_list_state filled;
    struct result result;
    bool same = false;

    if (model->lists[at].there && below(model, 4) == 0) { /* what it has already */
        count = 0;
        for (size_t i = MODEL_WORDS; i-- > 0;)
            if (model->lists[at].words[i] >= 0) {
                words[count] = i;
                which[count] = model->lists[at].words[i];
                texts[count] = spelling(f, i, (size_t)which[count]);
                count++;
            }
    }
    for (size_t i = 0; i < MODEL_WORDS; i++)
        now[i] = -1;
    for (size_t i = 0; i < count; i++)
        if (now[words[i]] < 0)
            now[words[i]] = which[i];
    same = model->lists[at].there && memcmp(now, model->lists[at].words, sizeof now) == 0;
    filled = fill(f, texts, count);
    if (below(model, 10) == 0)
        return; /* begun and not put */
    OK(try_put(f, MODEL_KEYS[at], &filled, &NOTHING_SAID, at_ms, &result));
    assert_int_equal(result.unchanged, same);
    assert_int_equal(result.created, !model->lists[at].there);
    if (same)
        return;
    model->lists[at].revision++; /* also of one that was deleted: it goes on */
    model->lists[at].there = true;
    model->lists[at].updated_at_ms = at_ms;
    memcpy(model->lists[at].words, now, sizeof now);
    model->traces++;
}

static void
model_patch(struct fixture *f, struct model *model, size_t at)
{
    size_t add_words[8], remove_words[8], added = 0, removed = 0;
    int add_which[8], remove_which[8];
    const char *add[8], *removes[8];
    size_t add_count = random_words(f, model, 8, add_words, add_which, add);
    size_t remove_count = random_words(f, model, 8, remove_words, remove_which, removes);
    struct result result;
    enum lf_status status = try_patch(f, MODEL_KEYS[at], add, add_count, removes, remove_count, &NOTHING_SAID, &result);

    if (!model->lists[at].there) {
        assert_int_equal(status, LF_LIST_NOT_FOUND);
        return;
    }
    assert_int_equal(status, LF_OK);
    for (size_t i = 0; i < remove_count; i++)
        if (model->lists[at].words[remove_words[i]] >= 0) {
            model->lists[at].words[remove_words[i]] = -1;
            removed++;
        }
    for (size_t i = 0; i < add_count; i++)
        if (model->lists[at].words[add_words[i]] < 0) {
            model->lists[at].words[add_words[i]] = add_which[i];
            added++;
        }
    assert_int_equal(result.added, added);
    assert_int_equal(result.removed, removed);
    if (added + removed == 0)
        return;
    model->lists[at].revision++;
    model->lists[at].updated_at_ms = 5000;
    model->traces++;
}

static void
model_delete(struct fixture *f, struct model *model, size_t at)
{
    enum lf_status status = try_delete(f, MODEL_KEYS[at], &NOTHING_SAID);

    assert_int_equal(status, model->lists[at].there ? LF_OK : LF_LIST_NOT_FOUND);
    model->traces += model->lists[at].there ? 1 : 0;
    model->lists[at].there = false;
}

static void
model_sweep(struct fixture *f, struct model *model)
{
    size_t limit = below(model, 50);
    int64_t before = ask(f, "SELECT count(*) FROM list_item"), after = 0, left = 0;
    bool more = false;

    OK(lf_store_sweep_lists(f->store, limit, 0, &more, &f->error));
    after = ask(f, "SELECT count(*) FROM list_item");
    left = ask(f, "SELECT count(*) FROM list_item WHERE generation NOT IN (SELECT generation FROM list)");
    assert_true(before - after <= (int64_t)limit);
    assert_int_equal(more, left > 0);
    if (left > 0)
        assert_int_equal(before - after, limit);
}

static void
test_against_a_model(void **state)
{
    struct fixture *f = *state;
    struct model model = {.random = UINT64_C(0x9E3779B97F4A7C15)};

    for (int step = 0; step < MODEL_STEPS; step++) {
        size_t at = below(&model, MODEL_LISTS), verb = below(&model, 20);

        if (verb < 6)
            model_put(f, &model, at, 10000 + step);
        else if (verb < 13)
            model_patch(f, &model, at);
        else if (verb < 15)
            model_delete(f, &model, at);
        else if (verb < 19)
            model_sweep(f, &model);
        else if (step % 5 == 0) {
            close_store(f);
            open_store(f);
        }
        assert_model(f, &model);
        if (step % 100 == 0) {
            assert_int_equal(check(f, false, NULL), 0);
            if (model.traces > 0)
                (void)latest_trace(f, model.traces);
        }
        lf_arena_reset(f->arena);
    }
    (void)latest_trace(f, model.traces);
    sweep_all(f);
    assert_model(f, &model);
    assert_int_equal(check(f, false, NULL), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_walk_can_be_ended),
        TEST(test_walk_beside_a_change),
        TEST(test_sweep),
        TEST(test_leftovers_of_before),
        TEST(test_long_entries),
        TEST(test_full),
        TEST(test_migration),
        TEST(test_functions),
        TEST(test_check_finds),
        TEST(test_patch_of_a_damaged_list),
        TEST(test_against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
