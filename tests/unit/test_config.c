/* test_config.c - settings: their values, where they come from, and that config/leadfit.ini tells of all of them. */
#include "base/config.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
    struct lf_setting setting;
    const char *text;
    int64_t expected; /* -1: refused */
    const char *detail;
} VALUES[] = {
#define INTEGER                                             \
    {                                                       \
        "n", LF_SETTING_INTEGER, "1", 1, 100, "", false, "" \
    }
    {INTEGER, "1", 1, ""},
    {INTEGER, "100", 100, ""},
    {INTEGER, "007", 7, ""},
    {INTEGER, "0", -1, "'0': a whole number from 1 to 100 belongs here"},
    {INTEGER, "101", -1, "'101': a whole number from 1 to 100 belongs here"},
    {INTEGER, "", -1, "'': a whole number from 1 to 100 belongs here"},
    {INTEGER, "-1", -1, "'-1': a whole number from 1 to 100 belongs here"},
    {INTEGER, "+1", -1, NULL},
    {INTEGER, "1.5", -1, NULL},
    {INTEGER, "1 s", -1, NULL},
    {INTEGER, "99999999999999999999", -1, NULL},
#define SIZE                                                    \
    {                                                           \
        "s", LF_SETTING_SIZE, "1", 0, 2 * LF_MIB, "", false, "" \
    }
    {SIZE, "0", 0, ""},
    {SIZE, "1000", 1000, ""},
    {SIZE, "1000 B", 1000, ""},
    {SIZE, "64KiB", 65536, ""},
    {SIZE, "64  kib", 65536, ""},
    {SIZE, "2 MiB", 2097152, ""},
    {SIZE, "3 MiB", -1, "'3 MiB': a size (B, KiB, MiB or GiB) from 0 to 2 MiB belongs here"},
    {SIZE, "999999999999999 GiB", -1, NULL},
    {SIZE, "1 MB", -1, NULL},
    {SIZE, "1 MiB x", -1, NULL},
    {SIZE, "MiB", -1, NULL},
#define DURATION                                                             \
    {                                                                        \
        "d", LF_SETTING_DURATION, "1 s", 0, 60 * LF_MINUTE_MS, "", false, "" \
    }
    {DURATION, "0", 0, ""},
    {DURATION, "250 ms", 250, ""},
    {DURATION, "15 s", 15000, ""},
    {DURATION, "15s", 15000, ""},
    {DURATION, "2 min", 120000, ""},
    {DURATION, "1 h", 3600000, ""},
    {DURATION, "15", -1, "'15': a duration (with ms, s, min or h) from 0 to 1 h belongs here"},
    {DURATION, "2 h", -1, NULL},
    {DURATION, "1 m", -1, NULL},
#define BOOLEAN                                            \
    {                                                      \
        "b", LF_SETTING_BOOLEAN, "no", 0, 0, "", false, "" \
    }
    {BOOLEAN, "yes", 1, ""},
    {BOOLEAN, "true", 1, ""},
    {BOOLEAN, "on", 1, ""},
    {BOOLEAN, "1", 1, ""},
    {BOOLEAN, "no", 0, ""},
    {BOOLEAN, "false", 0, ""},
    {BOOLEAN, "off", 0, ""},
    {BOOLEAN, "0", 0, ""},
    {BOOLEAN, "maybe", -1, "'maybe': yes or no belongs here"},
    {BOOLEAN, "", -1, NULL},
    {BOOLEAN, "no|yes", -1, NULL},
#define WORD                                                          \
    {                                                                 \
        "w", LF_SETTING_WORD, "a", 0, 0, "failed|all|none", false, "" \
    }
    {WORD, "failed", 0, ""},
    {WORD, "all", 1, ""},
    {WORD, "none", 2, ""},
    {WORD, "al", -1, "'al': one of failed|all|none belongs here"},
    {WORD, "All", -1, NULL},
    {WORD, "", -1, NULL},
    {WORD, "failed|all", -1, NULL},
};

static void
test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        int64_t number = -7;
        struct lf_error error = {.detail = ""};
        enum lf_status status = lf_setting_parse(&VALUES[i].setting, VALUES[i].text, &number, &error);

        if ((status == LF_OK) != (VALUES[i].expected >= 0))
            print_error("'%s' as %s\n", VALUES[i].text, VALUES[i].setting.key);
        assert_int_equal(status, VALUES[i].expected >= 0 ? LF_OK : LF_CONFIG);
        assert_int_equal(number, VALUES[i].expected >= 0 ? VALUES[i].expected : -7); /* written on success only */
        if (VALUES[i].detail != NULL)
            assert_string_equal(error.detail, VALUES[i].detail);
    }
}

static void
test_defaults(void **state)
{
    struct lf_config *config = lf_config_create();

    (void)state;
    assert_non_null(config);
    assert_string_equal(lf_config_text(config, LF_SETTING_DB), "leadfit.db");
    assert_string_equal(lf_config_text(config, LF_SETTING_LISTEN), "127.0.0.1:8080");
    assert_int_equal(lf_config_number(config, LF_SETTING_THREADS), 0);
    assert_int_equal(lf_config_number(config, LF_SETTING_MAX_CONNECTIONS), 2048);
    assert_int_equal(lf_config_number(config, LF_SETTING_MAX_CONNECTIONS_PER_ADDRESS), 0);
    assert_int_equal(lf_config_number(config, LF_SETTING_MAX_BODY), 1048576);
    assert_int_equal(lf_config_number(config, LF_SETTING_REQUEST_TIMEOUT), 15000);
    assert_int_equal(lf_config_number(config, LF_SETTING_IDLE_TIMEOUT), 30000);
    assert_int_equal(lf_config_number(config, LF_SETTING_SHUTDOWN_TIMEOUT), 5000);
    assert_int_equal(lf_config_number(config, LF_SETTING_QUEUE), 8192);
    assert_int_equal(lf_config_number(config, LF_SETTING_BATCH_MAX), 1024);
    assert_int_equal(lf_config_number(config, LF_SETTING_STORE_LEAD), LF_STORE_LEAD_WHOLE);
    assert_string_equal(lf_config_text(config, LF_SETTING_NEVER_STORE), LF_NEVER_STORE_DEFAULT);
    assert_int_equal(lf_config_number(config, LF_SETTING_RETENTION_DAYS), 0);
    assert_int_equal(lf_config_number(config, LF_SETTING_METRICS_OPEN), 0);
    assert_int_equal(lf_config_number(config, LF_SETTING_RATE_LIMIT), 0);
    assert_int_equal(lf_config_number(config, LF_SETTING_LOG_FORMAT), LF_LOG_FORMAT_AUTO);
    assert_int_equal(lf_config_number(config, LF_SETTING_LOG_LEVEL), LF_LOG_INFO);
    assert_int_equal(lf_config_number(config, LF_SETTING_LOG_REQUESTS), LF_LOG_REQUESTS_FAILED);
    lf_config_destroy(config);
    lf_config_destroy(NULL);
}

/* The words of the list stand in the order of the enums that code reads them as. */
static void
test_words_match_enums(void **state)
{
    static const struct {
        enum lf_setting_id id;
        const char *word;
        int expected;
    } WORDS[] = {
        {LF_SETTING_LOG_LEVEL, "error", LF_LOG_ERROR},
        {LF_SETTING_LOG_LEVEL, "warn", LF_LOG_WARN},
        {LF_SETTING_LOG_LEVEL, "info", LF_LOG_INFO},
        {LF_SETTING_LOG_LEVEL, "debug", LF_LOG_DEBUG},
        {LF_SETTING_LOG_FORMAT, "auto", LF_LOG_FORMAT_AUTO},
        {LF_SETTING_LOG_FORMAT, "json", LF_LOG_FORMAT_JSON},
        {LF_SETTING_LOG_FORMAT, "text", LF_LOG_FORMAT_TEXT},
        {LF_SETTING_LOG_REQUESTS, "failed", LF_LOG_REQUESTS_FAILED},
        {LF_SETTING_LOG_REQUESTS, "all", LF_LOG_REQUESTS_ALL},
        {LF_SETTING_LOG_REQUESTS, "none", LF_LOG_REQUESTS_NONE},
        {LF_SETTING_STORE_LEAD, "fields", LF_STORE_LEAD_FIELDS},
        {LF_SETTING_STORE_LEAD, "whole", LF_STORE_LEAD_WHOLE},
        {LF_SETTING_STORE_LEAD, "hashes", LF_STORE_LEAD_HASHES},
        {LF_SETTING_STORE_LEAD, "nothing", LF_STORE_LEAD_NOTHING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        int64_t number = -1;

        assert_int_equal(lf_setting_parse(lf_config_setting(WORDS[i].id), WORDS[i].word, &number, NULL), LF_OK);
        assert_int_equal(number, WORDS[i].expected);
    }
}

#define LONG_LINE                                                                                               \
    "db = 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n"

static const struct {
    const char *what, *text, *detail; /* detail "": read; NULL: refused in any words */
} FILES[] = {
    {"nothing", "", ""},
    {"comments", "# one\n; two\n\n  # three\n", ""},
    {"a setting", "queue = 7\n", ""},
    {"no line end", "queue=7", ""},
    {"CR LF", "queue = 7\r\nlog_level = warn\r\n", ""},
    {"a byte order mark", "\xEF\xBB\xBFqueue = 7\n", ""},
    {"a comment behind a value", "queue = 7 ; a few\n", ""},
    {"a colon", "queue: 7\n", ""},
    {"an indented line is a setting as well", "queue = 7\n  log_level = warn\n", ""},
    {"so it is behind a comment that ends with a comma", "queue = 7\n# a,\n  log_level = warn\n", ""},
    {"and behind a list and a blank line", "never_store = a,\n\n  log_level = warn\nqueue = 7\n", ""},
    {"a comma has nothing to do with a line that is not indented", "never_store = a,\nqueue = 7\n", ""},
    {"an indented comment does not go on with a list", "never_store = a,\n  # b\n  queue = 7\n", ""},
    {"a number has no more lines", "queue = 7\nthreads = 1,\n 2\n",
     "x.ini:2: threads: '1,': a whole number from 0 to 256 belongs here"},
    {"a list that goes on is set twice, too", "never_store = a,\n b\nnever_store = c\n",
     "x.ini:3: 'never_store' is already set on line 1"},
    {"an unknown setting", "queue = 7\nthread = 2\n", "x.ini:2: there is no setting 'thread'; is 'threads' meant?"},
    {"a setting like none", "colour = red\n", "x.ini:1: there is no setting 'colour'"},
    {"an unknown section", "[log]\nlevel = info\n", "x.ini:2: there is no setting 'log.level'; is 'log_level' meant?"},
    {"a setting twice", "queue = 7\n\nqueue = 7\n", "x.ini:3: 'queue' is already set on line 1"},
    {"a bad value", "# one\nqueue = many\n", "x.ini:2: queue: 'many': a whole number from 1 to 1000000 belongs here"},
    {"an empty value", "db =\n", "x.ini:1: db: a text of 1 to 4096 bytes belongs here"},
    {"no setting at all", "queue = 7\nhello\n",
     "x.ini:2: a line is `key = value`, `[section]`, or a comment after # or ;"},
    {"a section that does not end", "[log\n", NULL},
    {"a value that is not UTF-8", "db = \xFF\n", "x.ini:1: db: the value is not UTF-8"},
    {"a line too long is not cut in two", "queue = 7\n" LONG_LINE, NULL},
};

static void
test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        struct lf_config *config = lf_config_create();
        struct lf_error error = {.detail = ""};
        enum lf_status status = LF_OK;

        assert_non_null(config);
        status = lf_config_read_text(config, "x.ini", FILES[i].text, strlen(FILES[i].text), &error);
        if (FILES[i].detail == NULL || strcmp(error.detail, FILES[i].detail) != 0)
            print_message("%s: %s\n", FILES[i].what, error.detail);
        if (FILES[i].detail != NULL)
            assert_string_equal(error.detail, FILES[i].detail);
        assert_int_equal(status, FILES[i].detail != NULL && FILES[i].detail[0] == '\0' ? LF_OK : LF_CONFIG);
        if (strstr(FILES[i].text, "queue = 7") != NULL || strstr(FILES[i].text, "queue=7") != NULL)
            assert_int_equal(lf_config_number(config, LF_SETTING_QUEUE), 7);
        if (status == LF_OK && strstr(FILES[i].text, "warn") != NULL)
            assert_int_equal(lf_config_number(config, LF_SETTING_LOG_LEVEL), 1);
        lf_config_destroy(config);
    }
}

/* A value of several lines: a comma, and the next one is indented. */
static void
test_long_values(void **state)
{
    static const struct {
        const char *text, *value;
    } ROWS[] = {
        {"never_store = a, b,\n    c,\n\td\nqueue = 7\n", "a, b, c, d"},
        {"never_store = a,   \r\n  b\r\n", "a, b"},
        {"never_store = a, ; one\n  queue = 7\n", "a,"}, /* the line ends with a comment */
        {"never_store = a,\n  b ; two\n", "a, b"},
        {"never_store = a,\n  b;c,\n  d\n", "a, b;c, d"},
        {"never_store = a,", "a,"},
    };
    char text[6000] = "never_store = a,\n", *end = text + strlen(text);
    struct lf_config *config = NULL;
    struct lf_error error = {.detail = ""};

    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        config = lf_config_create();
        if (lf_config_read_text(config, "x.ini", ROWS[i].text, strlen(ROWS[i].text), &error) != LF_OK)
            fail_msg("%s: %s", ROWS[i].text, error.detail);
        assert_string_equal(lf_config_text(config, LF_SETTING_NEVER_STORE), ROWS[i].value);
        if (strstr(ROWS[i].text, "queue = 7") != NULL)
            assert_int_equal(lf_config_number(config, LF_SETTING_QUEUE), 7);
        lf_config_destroy(config);
    }

    /* As long as a text may be, and not cut where it is longer: 3 bytes, then lines of 100 with the space in front. */
    for (int lines = 40; lines <= 50; lines++) {
        char *at = end;

        for (int i = 0; i < lines; i++)
            at += snprintf(at, sizeof text - (size_t)(at - text), " %098d,\n", i);
        config = lf_config_create();
        if (2 + lines * 100 <= 4096) {
            assert_int_equal(lf_config_read_text(config, "x.ini", text, strlen(text), &error), LF_OK);
            assert_int_equal(strlen(lf_config_text(config, LF_SETTING_NEVER_STORE)), 2 + lines * 100);
        } else {
            assert_int_equal(lf_config_read_text(config, "x.ini", text, strlen(text), &error), LF_CONFIG);
            assert_non_null(strstr(error.detail, "never_store: a text of 0 to 4096 bytes belongs here"));
        }
        lf_config_destroy(config);
    }
}

static void
test_file_with_nul(void **state)
{
    struct lf_config *config = lf_config_create();
    struct lf_error error;

    (void)state;
    assert_int_equal(lf_config_read_text(config, "x.ini", "queue = 7\nab\0c\n", 15, &error), LF_CONFIG);
    assert_string_equal(error.detail, "x.ini:2: a NUL byte");
    lf_config_destroy(config);
}

static void
test_read_file(void **state)
{
    char path[] = "/tmp/leadfit-test-config-XXXXXX";
    int fd = mkstemp(path);
    struct lf_config *config = lf_config_create();
    struct lf_error error;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "queue = 9\n", 10), 10);
    assert_int_equal(close(fd), 0);
    assert_int_equal(lf_config_read_file(config, path, &error), LF_OK);
    assert_int_equal(lf_config_number(config, LF_SETTING_QUEUE), 9);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lf_config_read_file(config, path, &error), LF_FILE);
    assert_non_null(strstr(error.detail, path));
    assert_non_null(strstr(error.detail, "No such file"));
    assert_int_equal(lf_config_read_file(config, "/", &error), LF_FILE);
    lf_config_destroy(config);
}

/* Option over environment over file over default, in whatever order they are read. */
static void
test_precedence(void **state)
{
    char home[] = "HOME=/", queue[] = "LEADFIT_QUEUE=2", db[] = "LEADFIT_DB=env.db", port[] = "LEADFIT_PORT=tcp://x";
    char option_queue[] = "--queue=1", option_db[] = "--db", option_value[] = "option.db";
    char *const environment[] = {home, queue, db, port, NULL};
    char *const arguments[] = {option_queue, option_db, option_value};
    static const char FILE_TEXT[] = "queue = 3\ndb = file.db\nbatch_max = 3\nlog_level = error\n";
    static const char *const ORDERS[] = {"feo", "foe", "efo", "eof", "ofe", "oef"};

    (void)state;
    for (size_t i = 0; i < sizeof ORDERS / sizeof ORDERS[0]; i++) {
        struct lf_config *config = lf_config_create();
        struct lf_error error;

        for (const char *step = ORDERS[i]; *step != '\0'; step++) {
            if (*step == 'f')
                assert_int_equal(lf_config_read_text(config, "x", FILE_TEXT, strlen(FILE_TEXT), &error), LF_OK);
            if (*step == 'e')
                assert_int_equal(lf_config_read_environment(config, environment, &error), LF_OK);
            for (int at = 0; *step == 'o' && at < 3;) {
                bool taken = false;
                assert_int_equal(lf_config_take_option(config, 3, arguments, &at, &taken, &error), LF_OK);
                assert_true(taken);
            }
        }
        assert_int_equal(lf_config_number(config, LF_SETTING_QUEUE), 1);
        assert_string_equal(lf_config_text(config, LF_SETTING_DB), "option.db");
        assert_int_equal(lf_config_number(config, LF_SETTING_BATCH_MAX), 3);
        assert_int_equal(lf_config_number(config, LF_SETTING_LOG_LEVEL), 0);
        assert_string_equal(lf_config_text(config, LF_SETTING_LISTEN), "127.0.0.1:8080");
        lf_config_destroy(config);
    }
}

static void
test_environment_is_checked(void **state)
{
    char entry[] = "LEADFIT_MAX_BODY=lots", *const environment[] = {entry, NULL};
    struct lf_config *config = lf_config_create();
    struct lf_error error;

    (void)state;
    assert_int_equal(lf_config_read_environment(config, environment, &error), LF_CONFIG);
    assert_string_equal(error.detail, "LEADFIT_MAX_BODY: 'lots': a size (B, KiB, MiB or GiB) from 1 KiB to 64 MiB "
                                      "belongs here");
    lf_config_destroy(config);
}

static const struct {
    const char *what, *first, *second; /* arguments */
    enum lf_status status;
    int at; /* afterwards */
    const char *detail;
} OPTIONS[] = {
    {"with =", "--max-body=2MiB", "x", LF_OK, 1, ""},
    {"apart", "--max-body", "2 MiB", LF_OK, 2, ""},
    {"another's option", "--icp", "x", LF_OK, 0, ""},
    {"no option", "max-body", "x", LF_OK, 0, ""},
    {"underscores are the file's", "--max_body=2MiB", "x", LF_OK, 0, ""},
    {"a longer name", "--max-bodyguard=2", "x", LF_OK, 0, ""},
    {"a shorter name", "--max", "2", LF_OK, 0, ""},
    {"no value", "--max-body", NULL, LF_USAGE, 0, "--max-body: a value is missing (the largest request body)"},
    {"a bad value", "--log-level=loud", NULL, LF_USAGE, 0,
     "--log-level: 'loud': one of error|warn|info|debug belongs here"},
};

static void
test_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof OPTIONS[0]; i++) {
        struct lf_config *config = lf_config_create();
        struct lf_error error = {.detail = ""};
        char first[64], second[64];
        char *arguments[] = {first, second};
        int at = 0, argc = OPTIONS[i].second != NULL ? 2 : 1;
        bool taken = true;

        (void)snprintf(first, sizeof first, "%s", OPTIONS[i].first);
        (void)snprintf(second, sizeof second, "%s", OPTIONS[i].second != NULL ? OPTIONS[i].second : "");
        print_message("%s\n", OPTIONS[i].what);
        assert_int_equal(lf_config_take_option(config, argc, arguments, &at, &taken, &error), OPTIONS[i].status);
        assert_int_equal(at, OPTIONS[i].at);
        assert_int_equal(taken, OPTIONS[i].at > 0);
        assert_string_equal(error.detail, OPTIONS[i].detail);
        if (OPTIONS[i].at > 0 && strstr(first, "max-body") != NULL)
            assert_int_equal(lf_config_number(config, LF_SETTING_MAX_BODY), 2 * LF_MIB);
        lf_config_destroy(config);
    }
}

static void
test_differs(void **state)
{
    struct lf_config *a = lf_config_create(), *b = lf_config_create();

    (void)state;
    assert_int_equal(lf_config_read_text(b, "x", "db = b.db\nqueue = 1\nbatch_max = 1024\n", 37, NULL), LF_OK);
    assert_true(lf_config_differs(a, b, LF_SETTING_DB));
    assert_true(lf_config_differs(a, b, LF_SETTING_QUEUE));
    assert_false(lf_config_differs(a, b, LF_SETTING_BATCH_MAX));
    assert_false(lf_config_differs(a, b, LF_SETTING_LISTEN));
    lf_config_destroy(a);
    lf_config_destroy(b);
}

static void
test_help(void **state)
{
    struct lf_buf buf;

    (void)state;
    lf_buf_init(&buf, NULL, 10000);
    lf_config_put_help(&buf, LF_SETTING_MAX_BODY);
    lf_config_put_help(&buf, LF_SETTING_LOG_REQUESTS);
    lf_config_put_help(&buf, LF_SETTING_DB);
    assert_string_equal(lf_buf_terminate(&buf),
                        "  --max-body SIZE                        the largest request body (default 1 MiB)\n"
                        "  --log-requests failed|all|none         which requests are logged (default failed)\n"
                        "  --db TEXT                              the database file (default leadfit.db)\n");
    lf_buf_finish(&buf);
}

/* ---- the sample is the manual ---- */

/* Reads config/leadfit.ini, found from where this file stands. */
static void
read_sample(struct lf_buf *buf)
{
    char path[512];
    const char *slash = strrchr(__FILE__, '/');
    FILE *file = NULL;
    int c = 0;

    (void)snprintf(path, sizeof path, "%.*s/../../config/leadfit.ini", slash != NULL ? (int)(slash - __FILE__) : 1,
                   slash != NULL ? __FILE__ : ".");
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    while ((c = getc(file)) != EOF)
        lf_buf_char(buf, (char)c);
    assert_int_equal(fclose(file), 0);
}

/* Takes the # off each line `#key = …` (prose has a space behind it), and off those that go on with its value; how many
 * settings there were. */
static int
uncomment(char *text)
{
    int count = 0;
    bool goes_on = false;

    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        const char *end = NULL;
        bool setting = false;

        line += line != text;
        if (*line == '\0')
            break;
        setting = line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
        end = strchr(line, '\n');
        if (setting || goes_on)
            line[0] = ' ';
        goes_on = (setting || goes_on) && end != NULL && end[-1] == ',';
        count += setting;
    }
    return count;
}

/* Joins values of several lines. */
static void
join_lines(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0'; at++) {
        *to++ = *at;
        if (at[0] == ',' && at[1] == '\n' && at[2] == ' ') {
            *to++ = ' ';
            for (at++; at[1] == ' '; at++)
                continue;
        }
    }
    *to = '\0';
}

static void
test_sample_parses_and_changes_nothing(void **state)
{
    struct lf_config *defaults = lf_config_create(), *config = lf_config_create();
    struct lf_error error = {.detail = ""};
    struct lf_buf sample;

    (void)state;
    lf_buf_init(&sample, NULL, 1000000);
    read_sample(&sample);
    assert_int_equal(lf_config_read_text(config, "leadfit.ini", sample.data, sample.len, &error), LF_OK);
    for (int id = 0; id < LF_SETTING_COUNT; id++)
        assert_false(lf_config_differs(defaults, config, (enum lf_setting_id)id));
    lf_buf_finish(&sample);
    lf_config_destroy(defaults);
    lf_config_destroy(config);
}

static void
test_sample_names_every_setting_with_its_default(void **state)
{
    struct lf_config *defaults = lf_config_create(), *config = lf_config_create();
    struct lf_error error = {.detail = ""};
    struct lf_buf sample;

    (void)state;
    lf_buf_init(&sample, NULL, 1000000);
    read_sample(&sample);
    (void)lf_buf_terminate(&sample);
    assert_int_equal(uncomment(sample.data), LF_SETTING_COUNT);
    /* An unknown or doubled key is refused; with as many as there are settings, each is there. */
    if (lf_config_read_text(config, "leadfit.ini", sample.data, sample.len, &error) != LF_OK)
        fail_msg("%s", error.detail);
    join_lines(sample.data);
    for (int id = 0; id < LF_SETTING_COUNT; id++) {
        const struct lf_setting *setting = lf_config_setting((enum lf_setting_id)id);
        char line[512];

        if (lf_config_differs(defaults, config, (enum lf_setting_id)id))
            fail_msg("%s has another default in the sample", setting->key);
        (void)snprintf(line, sizeof line, "\n %s = %s", setting->key, setting->fallback);
        line[strlen(line) - (setting->fallback[0] == '\0')] = '\0';
        if (strstr(sample.data, line) == NULL)
            fail_msg("%s is not in the sample as `#%s = %s`", setting->key, setting->key, setting->fallback);
    }
    lf_buf_finish(&sample);
    lf_config_destroy(defaults);
    lf_config_destroy(config);
}

/* What can be reloaded is told in the list and in the manual: `(reload)` stands in the comment above the setting. */
static void
test_sample_tells_what_reloads(void **state)
{
    struct lf_buf sample;

    (void)state;
    lf_buf_init(&sample, NULL, 1000000);
    read_sample(&sample);
    (void)lf_buf_terminate(&sample);
    for (int id = 0; id < LF_SETTING_COUNT; id++) {
        const struct lf_setting *setting = lf_config_setting((enum lf_setting_id)id);
        char name[128], *at = NULL, *comment = NULL;

        (void)snprintf(name, sizeof name, "\n#%s =", setting->key);
        at = strstr(sample.data, name);
        assert_non_null(at);
        *at = '\0';
        for (char *gap = strstr(sample.data, "\n\n"); gap != NULL; gap = strstr(gap + 1, "\n\n"))
            comment = gap;
        assert_non_null(comment);
        if ((strstr(comment, "(reload)") != NULL) != setting->reloadable)
            fail_msg("%s: list and sample differ about (reload)", setting->key);
        *at = '\n';
    }
    lf_buf_finish(&sample);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_words_match_enums),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_file_with_nul),
        cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_environment_is_checked),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_differs),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_sample_parses_and_changes_nothing),
        cmocka_unit_test(test_sample_names_every_setting_with_its_default),
        cmocka_unit_test(test_sample_tells_what_reloads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
