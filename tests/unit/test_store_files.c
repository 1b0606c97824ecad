/* test_store_files.c - the ways in which files, disks, other programs and time fail the store. */
#include "store_fixture.h"

/* ---- opening ---- */

static void
test_files_are_private(void **state)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".lock"};
    struct fixture *f = *state;
    struct stat is;
    char path[PATH_SIZE];

    OK(append(f, 1, 1, NULL));
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s%s", f->path, SUFFIXES[i]);
        print_message("%s\n", path);
        assert_int_equal(stat(path, &is), 0);
        assert_int_equal(is.st_mode & 0777, 0600);
    }
}

static void
test_one_writer(void **state)
{
    struct fixture *f = *state;
    struct lf_store_options writer = {.path = f->path}, reader = {.path = f->path, .read_only = true};
    struct lf_store *second = NULL;
    struct lf_store_reader *second_reader = NULL;
    struct lf_stored_score score;
    struct lf_ulid id;
    struct lf_change change = by_ops(1);
    char link_path[PATH_SIZE];

    FAILS(lf_store_open(&writer, &second, &f->error), LF_STORAGE_IN_USE);
    assert_non_null(strstr(f->error.detail, "API"));
    (void)snprintf(link_path, sizeof link_path, "%s/other", f->folder); /* nor by another name */
    assert_int_equal(symlink(f->path, link_path), 0);
    writer.path = link_path;
    FAILS(lf_store_open(&writer, &second, &f->error), LF_STORAGE_IN_USE);

    OK(append(f, 1, 4, &id)); /* the refused ones took nothing away, and readers come and go */
    OK(lf_store_open(&reader, &second, &f->error));
    OK(lf_store_reader_open(second, &second_reader, &f->error));
    OK(lf_store_score(second_reader, f->arena, id, &score, &f->error));
    FAILS(lf_store_append_scores(second, NULL, 0, NULL, 0, NULL, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_probe(second, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_store_revoke_key(second, "x", &change, &f->error), LF_STORAGE_FAILED);
    OK(append(f, 1, 4, &id));
    OK(lf_store_score(second_reader, f->arena, id, &score, &f->error));
    lf_store_reader_close(second_reader);
    lf_store_close(second);
    OK(append(f, 1, 4, &id));

    close_store(f);
    writer.path = f->path;
    OK(lf_store_open(&writer, &second, &f->error)); /* the lock goes with the store */
    lf_store_close(second);
    open_store(f);
}

static void
test_refused_files(void **state)
{
    static const char SQL_NEWER[] = "PRAGMA user_version = 99";
    struct fixture *f = *state;
    struct lf_store *store = NULL;
    char path[PATH_SIZE], other[PATH_SIZE + 16];
    FILE *file = NULL;
    static const struct {
        const char *what, *name;
        bool read_only;
        enum lf_status status;
    } ROWS[] = {
        {"no name", "", false, LF_FILE},
        {"nothing there to read", "absent.db", true, LF_FILE},
        {"a folder that is not there", "no/where.db", false, LF_FILE},
        {"a folder", "folder", false, LF_FILE},
        {"text", "text.db", false, LF_STORAGE_CORRUPT},
        {"text, to read", "text.db", true, LF_STORAGE_CORRUPT},
        {"another program's database", "foreign.db", false, LF_FILE},
        {"another program's database, to read", "foreign.db", true, LF_FILE},
        {"an empty file, to read", "empty.db", true, LF_FILE},
        {"a newer schema", "leadfit.db", false, LF_STORAGE_NEWER},
        {"a newer schema, to read", "leadfit.db", true, LF_STORAGE_NEWER},
    };

    close_store(f);
    run_sql(f->path, SQL_NEWER);
    (void)snprintf(path, sizeof path, "%s/folder", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/foreign.db", f->folder);
    run_sql(path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    (void)snprintf(path, sizeof path, "%s/empty.db", f->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fclose(file);
    (void)snprintf(path, sizeof path, "%s/text.db", f->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        (void)fputs("This is not a database. ", file);
    (void)fclose(file);

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        struct lf_store_options options = {.path = path, .read_only = ROWS[row].read_only};

        print_message("%s\n", ROWS[row].what);
        (void)snprintf(path, sizeof path, "%s/%s", f->folder, ROWS[row].name);
        if (ROWS[row].name[0] == '\0')
            path[0] = '\0';
        FAILS(lf_store_open(&options, &store, &f->error), ROWS[row].status);
    }
    /* What is not ours is left as it was: no write-ahead log, its journal as before. */
    (void)snprintf(path, sizeof path, "%s/foreign.db", f->folder);
    (void)snprintf(other, sizeof other, "%s-wal", path);
    assert_int_equal(access(other, F_OK), -1);
    run_sql(f->path, "PRAGMA user_version = 4");
    open_store(f);
}

/* ---- migrations ---- */

static const struct lf_embedded STEPS[] = {
    {"1",
     (const unsigned char *)"CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT) STRICT;"
                            "CREATE TABLE b (a INTEGER NOT NULL REFERENCES a (id)) STRICT;"
                            "INSERT INTO a VALUES (1, 'kept'); INSERT INTO b VALUES (1)",
     0},
    {"2",
     (const unsigned char *)"CREATE TABLE a2 (id INTEGER PRIMARY KEY, x TEXT, y INTEGER) STRICT;"
                            "INSERT INTO a2 SELECT id, x, 7 FROM a; DROP TABLE a; ALTER TABLE a2 RENAME TO a",
     0},
};
static const struct lf_embedded BROKEN_STEPS[] = {
    {"1", (const unsigned char *)"", 0},
    {"2", (const unsigned char *)"", 0},
    {"3", (const unsigned char *)"CREATE TABLE c (x) ; INSERT INTO nowhere VALUES (1)", 0},
};
static const struct lf_embedded ORPHANING_STEPS[] = {
    {"1", (const unsigned char *)"", 0},
    {"2", (const unsigned char *)"", 0},
    {"3", (const unsigned char *)"DELETE FROM a", 0},
};

static void
test_migrations(void **state)
{
    struct fixture *f = *state;
    struct lf_connection connection;
    char path[PATH_SIZE], copy[PATH_SIZE + 16];
    int64_t value = 0;
    int fd = -1;

    (void)snprintf(path, sizeof path, "%s/steps.db", f->folder);
    (void)snprintf(copy, sizeof copy, "%s.before-2", path);
    fd = open(path, O_CREAT | O_RDWR, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    OK(lf_connection_open(&connection, path, LF_CONNECTION_WRITER, &f->error));
    OK(lf_sqlite_migrate_to(&connection, STEPS, 1, &f->error));
    fd = open(copy, O_CREAT | O_RDWR, 0600); /* left by an attempt that was cut short */
    assert_true(fd >= 0);
    (void)close(fd);
    OK(lf_sqlite_migrate_to(&connection, STEPS, 2, &f->error));
    assert_int_equal(access(copy, F_OK), -1); /* deleted: it holds people's data */
    OK(lf_sqlite_int(&connection, "SELECT y FROM a WHERE x = 'kept'", &value, &f->error));
    assert_int_equal(value, 7);
    OK(lf_sqlite_int(&connection, "PRAGMA user_version", &value, &f->error));
    assert_int_equal(value, 2);
    OK(lf_sqlite_int(&connection, "PRAGMA foreign_keys", &value, &f->error));
    assert_int_equal(value, 1);
    OK(lf_sqlite_migrate_to(&connection, STEPS, 2, &f->error)); /* nothing to do */
    FAILS(lf_sqlite_migrate_to(&connection, STEPS, 1, &f->error), LF_STORAGE_NEWER);

    /* A step that fails leaves all as it was, and the copy beside it. */
    FAILS(lf_sqlite_migrate_to(&connection, BROKEN_STEPS, 3, &f->error), LF_STORAGE_FAILED);
    FAILS(lf_sqlite_migrate_to(&connection, ORPHANING_STEPS, 3, &f->error), LF_STORAGE_CORRUPT);
    OK(lf_sqlite_int(&connection, "PRAGMA user_version", &value, &f->error));
    assert_int_equal(value, 2);
    OK(lf_sqlite_int(&connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'c'", &value, &f->error));
    assert_int_equal(value, 0);
    OK(lf_sqlite_int(&connection, "SELECT count(*) FROM a", &value, &f->error));
    assert_int_equal(value, 1);
    OK(lf_sqlite_int(&connection, "PRAGMA foreign_keys", &value, &f->error));
    assert_int_equal(value, 1);
    (void)snprintf(copy, sizeof copy, "%s.before-3", path);
    assert_int_equal(access(copy, F_OK), 0);
    lf_connection_close(&connection);
}

static void
test_settings(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql;
        int64_t writer, reader;
    } ROWS[] = {
        {"PRAGMA synchronous", 2, 2},
        {"PRAGMA foreign_keys", 1, 1},
        {"PRAGMA trusted_schema", 0, 0},
        {"PRAGMA mmap_size", 0, 0},
        {"PRAGMA cache_spill", 0, 1},
        {"PRAGMA secure_delete", 1, 0},
        {"PRAGMA query_only", 0, 1},
        {"PRAGMA cell_size_check", 1, 1},
        {"PRAGMA page_size", 8192, 8192},
        {"PRAGMA busy_timeout", 5000, 5000},
        {"PRAGMA application_id", LF_SQLITE_APPLICATION_ID, LF_SQLITE_APPLICATION_ID},
    };

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        int64_t value = -1;

        print_message("%s\n", ROWS[row].sql);
        OK(lf_sqlite_int(&((struct lf_sqlite_store *)f->store)->writer, ROWS[row].sql, &value, &f->error));
        assert_int_equal(value, ROWS[row].writer);
        OK(lf_sqlite_int(&((struct lf_sqlite_reader *)f->reader)->connection, ROWS[row].sql, &value, &f->error));
        /* How a reader would write is as SQLite was built. */
        if (strstr(ROWS[row].sql, "cache_spill") == NULL && strstr(ROWS[row].sql, "secure_delete") == NULL)
            assert_int_equal(value, ROWS[row].reader);
    }
}

/* ---- the log, backups, checks ---- */

static int64_t
file_size(const char *path, const char *suffix)
{
    char name[PATH_SIZE + 8];
    struct stat is = {.st_size = 0};

    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &is) == 0 ? (int64_t)is.st_size : -1;
}

static void
test_checkpoints(void **state)
{
    struct fixture *f = *state;
    struct lf_store_reader *old = NULL;
    int64_t after = 0;

    for (int i = 0; i < 200; i++) { /* 20 MB pass through a log that stays small */
        OK(append(f, 100, 1000, NULL));
        OK(lf_store_checkpoint(f->store, false, &f->error));
    }
    assert_in_range(file_size(f->path, "-wal"), 0, 6 * 1024 * 1024);
    assert_in_range(file_size(f->path, ""), 15 * 1000 * 1000, 30 * 1000 * 1000);

    /* A long reader keeps it from starting anew; the writer neither waits nor fails. */
    OK(lf_store_reader_open(f->store, &old, &f->error));
    OK(lf_sqlite_exec(&((struct lf_sqlite_reader *)old)->connection, "BEGIN; SELECT count(*) FROM meta", &f->error));
    for (int i = 0; i < 700; i++) {
        OK(append(f, 100, 1000, NULL));
        OK(lf_store_checkpoint(f->store, false, &f->error));
    }
    assert_true(file_size(f->path, "-wal") > 64 * 1024 * 1024);
    after = file_size(f->path, "-wal");
    lf_store_reader_close(old);
    for (int i = 0; i < 50; i++) {
        OK(append(f, 100, 1000, NULL));
        OK(lf_store_checkpoint(f->store, false, &f->error));
    }
    assert_true(file_size(f->path, "-wal") < after / 4); /* past 64 MiB it is cut */
    OK(lf_store_checkpoint(f->store, true, &f->error));
    assert_int_equal(file_size(f->path, "-wal"), 0);
    assert_int_equal(count_scores(f), 95000);
}

static void
test_probe(void **state)
{
    struct fixture *f = *state;

    OK(lf_store_probe(f->store, &f->error));
    OK(lf_store_probe(f->store, &f->error));
}

static void
test_backup(void **state)
{
    struct fixture *f = *state;
    char target[PATH_SIZE];
    struct lf_store_options options = {.path = target, .read_only = true};
    struct lf_store *copy = NULL;
    struct lf_store_reader *reader = NULL;
    struct lf_findings findings;
    struct lf_ulid last;
    struct stat is;
    int64_t count = 0;

    publish(f, "maker", "{}", 1, 1, 1);
    for (int i = 0; i < 20; i++)
        OK(append(f, 50, 500, NULL));
    (void)snprintf(target, sizeof target, "%s/copy.db", f->folder);
    OK(lf_store_backup(f->reader, target, &f->error));
    assert_int_equal(stat(target, &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
    assert_int_equal(is.st_nlink, 1);
    OK(append(f, 1, 1, NULL)); /* not in the copy */
    FAILS(lf_store_backup(f->reader, target, &f->error), LF_FILE);
    OK(lf_store_open(&options, &copy, &f->error));
    OK(lf_store_reader_open(copy, &reader, &f->error));
    OK(lf_store_last_score(reader, &last, &count, &f->error));
    assert_int_equal(count, 1000);
    lf_findings_init(&findings, f->arena);
    OK(lf_store_check(reader, false, NULL, &findings, &f->error));
    assert_int_equal(findings.count, 0);
    lf_store_reader_close(reader);
    lf_store_close(copy);
    options.read_only = false; /* a restored copy can be written */
    OK(lf_store_open(&options, &copy, &f->error));
    lf_store_close(copy);
    (void)snprintf(target, sizeof target, "%s/no/where.db", f->folder);
    FAILS(lf_store_backup(f->reader, target, &f->error), LF_FILE);
    (void)snprintf(target, sizeof target, "ls -A '%s' | grep -c 'copy.db.[A-Za-z0-9]\\{6\\}$' | grep -qx 0", f->folder);
    assert_int_equal(system(target), 0); /* nothing half done stays */
}

/* Overwrites bytes of the closed database file at the first place where `needle` stands. */
static void
damage(const char *path, const char *needle, size_t skip)
{
    size_t len = (size_t)file_size(path, "");
    char *bytes = malloc(len), *at = NULL;
    FILE *file = fopen(path, "r+");

    assert_non_null(bytes);
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, len, file), len);
    at = memmem(bytes, len, needle, strlen(needle));
    assert_non_null(at);
    assert_int_equal(fseek(file, (long)(at - bytes) + (long)skip, SEEK_SET), 0);
    assert_int_equal(fputc('!', file), '!');
    assert_int_equal(fclose(file), 0);
    free(bytes);
}

static void
test_damaged_block(void **state)
{
    struct fixture *f = *state;
    struct lf_ulid ids[20];
    struct lf_stored_score score;
    struct walk walk = {.count = 0};
    const char *code = NULL;

    OK(append(f, 20, 50, ids));
    OK(append(f, 20, 0, NULL));
    close_store(f);
    damage(f->path, "bbbbbbbbbb", 5);
    open_store(f);
    FAILS(lf_store_score(f->reader, f->arena, ids[3], &score, &f->error), LF_STORAGE_CORRUPT);
    assert_non_null(strstr(f->error.detail, "block 1 "));
    assert_int_equal(lf_store_each_score(f->reader, f->arena, 0, INT64_MAX, 100, walk_score, &walk, &f->error),
                     LF_STORAGE_CORRUPT);
    assert_int_equal(walk.count, 20);          /* those of the sound block came first */
    assert_int_equal(check(f, true, NULL), 0); /* a quick check does not look into blocks */
    assert_int_equal(check(f, false, &code), 1);
    assert_string_equal(code, "damaged_block");
}

static void
test_check_finds(void **state)
{
    static const struct {
        const char *what, *sql, *code;
        size_t findings;
    } ROWS[] = {
        {"a block that is gone", "DELETE FROM score_block WHERE id = 2", "damaged_block", 1},
        {"a wrong count", "UPDATE score_block SET count = count + 1 WHERE id = 4", "damaged_block", 1},
        {"a wrong first id", "UPDATE score_block SET first_id = zeroblob(16) WHERE id = 1", "damaged_block", 1},
        {"a wrong last id", "UPDATE score_block SET last_id = zeroblob(16) WHERE id = 4", "damaged_block", 1},
        {"blocks out of order", "UPDATE score_block SET id = 9 WHERE id = 2", "damaged_block", 2},
        {"an empty body", "UPDATE score_block SET body = x'' WHERE id = 4", "damaged_block", 1},
        {"a version without an ICP", "PRAGMA foreign_keys = OFF; UPDATE icp_version SET icp_id = 77",
         "broken_reference", 2},
    };
    struct fixture *f = *state;

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        const char *code = NULL;
        char command[2 * PATH_SIZE];

        print_message("%s\n", ROWS[row].what);
        for (int i = 0; i < 4; i++)
            OK(append(f, 3, 10, NULL));
        publish(f, "maker", "{}", 1, 1, 1);
        assert_int_equal(check(f, false, NULL), 0);
        run_sql(f->path, ROWS[row].sql);
        assert_int_equal(check(f, false, &code), ROWS[row].findings);
        assert_string_equal(code, ROWS[row].code);
        close_store(f);
        (void)snprintf(command, sizeof command, "rm -f '%s'*", f->path);
        assert_int_equal(system(command), 0);
        open_store(f);
    }
}

static void
test_damaged_pages(void **state)
{
    struct fixture *f = *state;
    const char *code = NULL;
    struct lf_store_options options = {.path = f->path};
    int64_t size = 0;

    for (int i = 0; i < 50; i++)
        OK(append(f, 50, 500, NULL));
    close_store(f);
    size = file_size(f->path, "");
    assert_int_equal(truncate(f->path, size / 2 / 8192 * 8192), 0); /* half the file is gone */
    if (lf_store_open(&options, &f->store, &f->error) == LF_OK) {
        OK(lf_store_reader_open(f->store, &f->reader, &f->error));
        assert_true(check(f, true, &code) > 0);
        assert_string_equal(code, "damaged_page");
    } else {
        assert_int_equal(f->error.status, LF_STORAGE_CORRUPT);
    }
}

static void
test_check_can_be_stopped(void **state)
{
    struct fixture *f = *state;
    struct lf_findings findings;
    atomic_bool stop = true;

    OK(append(f, 1, 1, NULL));
    lf_findings_init(&findings, f->arena);
    FAILS(lf_store_check(f->reader, false, &stop, &findings, &f->error), LF_NOT_READY);
    FAILS(lf_store_check(f->reader, true, &stop, &findings, &f->error), LF_NOT_READY);
    stop = false;
    OK(lf_store_check(f->reader, false, &stop, &findings, &f->error));
    OK(append(f, 1, 1, NULL));
}

/* ---- full disks and other failures ---- */

static void
test_full(void **state)
{
    struct fixture *f = *state;
    struct lf_connection *writer = &((struct lf_sqlite_store *)f->store)->writer;
    struct lf_ulid kept, id;
    struct lf_stored_score score;

    OK(append(f, 10, 100, NULL));
    OK(append(f, 1, 100, &kept));
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1", &f->error)); /* as many as there are */
    FAILS(append(f, 100, 1000, NULL), LF_STORAGE_FULL);
    FAILS(append(f, 100, 1000, NULL), LF_STORAGE_FULL);
    assert_int_equal(count_scores(f), 11); /* what was acknowledged stays, and can be read */
    OK(lf_store_score(f->reader, f->arena, kept, &score, &f->error));
    OK(lf_sqlite_exec(writer, "PRAGMA max_page_count = 1000000", &f->error));
    OK(append(f, 100, 1000, NULL)); /* it goes on by itself */
    OK(append(f, 1, 1, &id));
    OK(lf_store_score(f->reader, f->arena, id, &score, &f->error));
    assert_int_equal(count_scores(f), 112);
    assert_int_equal(check(f, false, NULL), 0);
}

/* The same on a file system that is really full; needs the right to mount one. */
static void
test_full_file_system(void **state)
{
    struct fixture *f = *state;
    char mounted[PATH_SIZE], filler[PATH_SIZE];
    struct lf_store_options options = {.path = f->path};
    int64_t before = 0;
    bool failed = false;

    close_store(f);
    (void)snprintf(mounted, sizeof mounted, "%s/small", f->folder);
    assert_int_equal(mkdir(mounted, 0700), 0);
    if (mount("tmpfs", mounted, "tmpfs", 0, "size=4m") != 0) {
        open_store(f);
        skip();
    }
    (void)snprintf(f->path, sizeof f->path, "%s/small/leadfit.db", f->folder);
    (void)snprintf(filler, sizeof filler, "%s/small/filler", f->folder);
    OK(lf_store_open(&options, &f->store, &f->error));
    OK(lf_store_reader_open(f->store, &f->reader, &f->error));
    OK(append(f, 10, 1000, NULL));
    {
        FILE *file = fopen(filler, "w");
        char block[4096] = {1};

        assert_non_null(file);
        while (fwrite(block, 1, sizeof block, file) == sizeof block)
            continue;
        (void)fclose(file); /* cannot flush: that is the point */
    }
    for (int i = 0; i < 100 && !failed; i++) {
        before = count_scores(f);
        failed = append(f, 100, 1000, NULL) != LF_OK;
    }
    assert_true(failed);
    assert_int_equal(f->error.status, LF_STORAGE_FULL);
    FAILS(append(f, 100, 1000, NULL), LF_STORAGE_FULL);
    assert_int_equal(count_scores(f), before);
    assert_int_equal(unlink(filler), 0);
    OK(append(f, 100, 1000, NULL));
    assert_int_equal(count_scores(f), before + 100);
    assert_int_equal(check(f, false, NULL), 0);
    close_store(f);
    assert_int_equal(umount(mounted), 0);
    (void)snprintf(f->path, sizeof f->path, "%s/leadfit.db", f->folder);
    open_store(f);
}

static void
test_locked_by_another_program(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(((struct lf_sqlite_store *)f->store)->writer.db, 10); /* not five seconds */
    FAILS(append(f, 1, 1, NULL), LF_STORAGE_IN_USE);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    OK(append(f, 1, 1, NULL));
}

static void
test_error_words(void **state)
{
    static const struct {
        int rc;
        enum lf_status status;
    } ROWS[] = {
        {SQLITE_NOMEM, LF_OUT_OF_MEMORY},
        {SQLITE_IOERR_NOMEM, LF_OUT_OF_MEMORY},
        {SQLITE_FULL, LF_STORAGE_FULL},
        {SQLITE_CORRUPT, LF_STORAGE_CORRUPT},
        {SQLITE_CORRUPT_INDEX, LF_STORAGE_CORRUPT},
        {SQLITE_NOTADB, LF_STORAGE_CORRUPT},
        {SQLITE_IOERR_CORRUPTFS, LF_STORAGE_CORRUPT},
        {SQLITE_IOERR_FSYNC, LF_STORAGE_FAILED},
        {SQLITE_IOERR_WRITE, LF_STORAGE_FAILED},
        {SQLITE_CANTOPEN, LF_STORAGE_FAILED},
        {SQLITE_READONLY, LF_STORAGE_FAILED},
        {SQLITE_BUSY, LF_STORAGE_IN_USE},
        {SQLITE_BUSY_RECOVERY, LF_STORAGE_IN_USE},
        {SQLITE_INTERRUPT, LF_NOT_READY},
        {SQLITE_CONSTRAINT_UNIQUE, LF_INTERNAL},
    };
    struct fixture *f = *state;
    struct lf_connection connection = {.path = "/var/lib/leadfit/leadfit.db", .doing = "recording scores"};

    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        FAILS(lf_sqlite_fail(&connection, ROWS[row].rc, &f->error), ROWS[row].status);
        assert_non_null(strstr(f->error.detail, "recording scores"));
    }
}

static void
test_backend_must_be_whole(void **state)
{
    struct fixture *f = *state;
    struct lf_store_backend lacking = *f->store->backend;
    struct lf_store_options options = {.path = "never.db"};
    struct lf_store *store = NULL;

    /* It is nothing but pointers: each in turn is not there. */
    for (size_t at = 0; at < sizeof lacking; at += sizeof(lacking.name)) {
        lacking = *f->store->backend;
        memset((char *)&lacking + at, 0, sizeof lacking.name);
        FAILS(lf_store_open_with(&lacking, &options, &store, &f->error), LF_INTERNAL);
    }
    assert_int_equal(access("never.db", F_OK), -1);
    lf_store_close(NULL);
    lf_store_reader_close(NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_files_are_private),
        TEST(test_one_writer),
        TEST(test_refused_files),
        TEST(test_migrations),
        TEST(test_settings),
        TEST(test_checkpoints),
        TEST(test_probe),
        TEST(test_backup),
        TEST(test_damaged_block),
        TEST(test_check_finds),
        TEST(test_damaged_pages),
        TEST(test_check_can_be_stopped),
        TEST(test_full),
        TEST(test_full_file_system),
        TEST(test_locked_by_another_program),
        TEST(test_error_words),
        TEST(test_backend_must_be_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
