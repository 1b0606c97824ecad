/* store_fixture.h - for the tests of the store: a database in a folder of its own, and short ways to use it. */
#ifndef LF_TESTS_STORE_FIXTURE_H
#define LF_TESTS_STORE_FIXTURE_H

#include "base/hash.h"
#include "base/time.h"
#include "store/backend.h"
#include "store/sqlite/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_SIZE = 256, PATH_SIZE = 512 };

/* A folder of its own for each test, with a store in it. */
struct fixture {
    char folder[FOLDER_SIZE], path[PATH_SIZE];
    struct lf_store *store;
    struct lf_store_reader *reader;
    struct lf_arena *arena;
    struct lf_ulid_mint mint;
    struct lf_error error;
};

static inline void
open_store(struct fixture *f)
{
    struct lf_store_options options = {.path = f->path};

    if (lf_store_open(&options, &f->store, &f->error) != LF_OK ||
        lf_store_reader_open(f->store, &f->reader, &f->error) != LF_OK)
        fail_msg("%s", f->error.detail);
}

static inline void
close_store(struct fixture *f)
{
    lf_store_reader_close(f->reader);
    lf_store_close(f->store);
    f->reader = NULL;
    f->store = NULL;
}

static inline int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *base = getenv("TMPDIR");

    assert_int_equal(lf_hash_setup(NULL), LF_OK);
    (void)snprintf(f->folder, sizeof f->folder, "%s/lf_store_XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/leadfit.db", f->folder);
    f->arena = lf_arena_create(4096, (size_t)1 << 28);
    assert_non_null(f->arena);
    open_store(f);
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    char command[PATH_SIZE];

    close_store(f);
    lf_arena_destroy(f->arena);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* ---- helpers ---- */

#define OK(call)                                        \
    do {                                                \
        if ((call) != LF_OK)                            \
            fail_msg("%s: %s", #call, f->error.detail); \
    } while (0)

#define FAILS(call, expected)                                                \
    do {                                                                     \
        assert_string_equal(lf_status_word(call), lf_status_word(expected)); \
        assert_int_equal(f->error.status, expected);                         \
    } while (0)

/* Runs SQL beside the store, as somebody with a shell would. */
static inline void
run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 30000); /* a service of the test's may be writing */
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Records count scores of size bytes in one commit; the last one's id. */
static inline enum lf_status
append(struct fixture *f, size_t count, size_t size, struct lf_ulid *ret_ids)
{
    struct lf_stored_score *scores = calloc(count, sizeof *scores);
    const struct lf_stored_score **pointers = calloc(count, sizeof(struct lf_stored_score *));
    char *body = malloc(size + 1);
    enum lf_status status = LF_OK;

    assert_non_null(scores);
    assert_non_null(pointers);
    assert_non_null(body);
    memset(body, 'b', size + 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(lf_ulid_next(&f->mint, 1700000000000 + (int64_t)i / 5, &scores[i].id));
        scores[i].as_of_ms = 1700000000000 + (int64_t)i;
        scores[i].lead_id = i % 3 == 0 ? "" : "lead";
        scores[i].lead_id_len = strlen(scores[i].lead_id);
        scores[i].body = body;
        scores[i].body_len = size;
        pointers[i] = &scores[i];
        if (ret_ids != NULL)
            ret_ids[i] = scores[i].id;
    }
    status = lf_store_append_scores(f->store, pointers, count, NULL, 0, NULL, &f->error);
    free(scores);
    free(pointers);
    free(body);
    return status;
}

static inline int64_t
count_scores(struct fixture *f)
{
    struct lf_ulid last;
    int64_t count = -1;

    OK(lf_store_last_score(f->reader, &last, &count, &f->error));
    return count;
}

/* Who changes things in tests. */
static inline struct lf_change
by_ops(int64_t at_ms)
{
    return (struct lf_change){.by = "ops", .key_id = "k1", .note = "a note", .at_ms = at_ms};
}

static inline struct lf_new_version
version(const char *icp, const char *document, uint8_t hash)
{
    struct lf_new_version v = {
        .icp = icp, .name = "Name", .purpose = "core", .document = document, .document_len = strlen(document)};

    memset(v.hash, hash, sizeof v.hash);
    return v;
}

static inline void
publish(struct fixture *f, const char *icp, const char *document, uint8_t hash, int64_t at_ms, int expected)
{
    struct lf_new_version v = version(icp, document, hash);
    struct lf_change change = by_ops(at_ms);
    int number = 0;
    bool unchanged = true;

    OK(lf_store_publish(f->store, &v, &change, &number, &unchanged, &f->error));
    assert_int_equal(number, expected);
    assert_false(unchanged);
}

/* What a whole check finds; how many findings, and the first one's code. */
static inline size_t
check(struct fixture *f, bool quick, const char **ret_code)
{
    struct lf_findings findings;

    lf_findings_init(&findings, f->arena);
    OK(lf_store_check(f->reader, quick, NULL, &findings, &f->error));
    if (ret_code != NULL)
        *ret_code = findings.count > 0 ? findings.items[0].code : "";
    for (size_t i = 0; i < findings.count; i++)
        print_message("found: %s: %s\n", findings.items[i].code, findings.items[i].detail);
    return findings.count;
}

struct walk {
    struct lf_ulid last;
    size_t count, stop_at;
};

static inline enum lf_status
walk_score(void *context, const struct lf_stored_score *score)
{
    struct walk *walk = context;

    if (walk->count > 0)
        assert_true(memcmp(score->id.bytes, walk->last.bytes, LF_ULID_SIZE) < 0);
    walk->last = score->id;
    return ++walk->count == walk->stop_at ? LF_CONFLICT : LF_OK;
}

#endif
