/* test_log.c - log lines: their shape, and that nothing in a field can forge one. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2]; /* of a pipe: lines come out of the first */

static int
setup(void **state)
{
    (void)state;
    return pipe(ends);
}

static int
teardown(void **state)
{
    (void)state;
    return close(ends[0]) + close(ends[1]);
}

/* What has been written since the last call. */
static const char *
written(void)
{
    static char text[2 * LF_LOG_LINE_MAX];
    ssize_t count = 0;

    assert_int_equal(write(ends[1], "", 1), 1); /* so that read does not wait */
    count = read(ends[0], text, sizeof text);
    assert_true(count > 0 && text[count - 1] == '\0');
    return text;
}

/* The same without the time, which is checked for its shape; `prefix` is what stands before it. */
static const char *
written_behind_time(const char *prefix)
{
    const char *line = written();
    static const char SHAPE[] = "dddd-dd-ddTdd:dd:dd.dddZ";

    assert_memory_equal(line, prefix, strlen(prefix));
    line += strlen(prefix);
    for (size_t i = 0; i < sizeof SHAPE - 1; i++)
        assert_true(SHAPE[i] == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == SHAPE[i]);
    return line + sizeof SHAPE - 1;
}

static const struct {
    const char *what, *text, *in_json, *in_text;
} TEXTS[] = {
    {"plain", "/v1/score", "\"/v1/score\"", "/v1/score"},
    {"empty", "", "\"\"", "\"\""},
    {"NULL", NULL, "\"\"", "\"\""},
    {"spaces", "a b", "\"a b\"", "\"a b\""},
    {"what looks like a field", "a=b", "\"a=b\"", "\"a=b\""},
    {"a quote and a backslash", "a\"b\\", "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""},
    {"a line end", "a\n2026 error x", "\"a\\u000a2026 error x\"", "\"a\\u000a2026 error x\""},
    {"CR, TAB, ESC, DEL", "\r\t\x1B[0m\x7F", "\"\\u000d\\u0009\\u001b[0m\\u007f\"",
     "\"\\u000d\\u0009\\u001b[0m\\u007f\""},
    {"the escape beyond ASCII",
     "\xC2\x9B"
     "0m",
     "\"\\u009b0m\"", "\"\\u009b0m\""},
    {"line separator, right-to-left override", "\xE2\x80\xA8\xE2\x80\xAE", "\"\\u2028\\u202e\"", "\"\\u2028\\u202e\""},
    {"UTF-8",
     "gr\xC3\xBC\xC3\x9F"
     "e",
     "\"gr\xC3\xBC\xC3\x9F"
     "e\"",
     "\"gr\xC3\xBC\xC3\x9F"
     "e\""},
    {"no UTF-8",
     "a\xFF"
     "b\xC3",
     "\"a\xEF\xBF\xBD"
     "b\xEF\xBF\xBD\"",
     "\"a\xEF\xBF\xBD"
     "b\xEF\xBF\xBD\""},
    {"no UTF-8 at all", "\x80\x81", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
};

static void
test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        char expected[200];

        lf_log_setup(ends[1], LF_LOG_JSON);
        lf_log(LF_LOG_WARN, "tried", lf_log_text("what", TEXTS[i].text));
        (void)snprintf(expected, sizeof expected, "\",\"level\":\"warn\",\"event\":\"tried\",\"what\":%s}\n",
                       TEXTS[i].in_json);
        assert_string_equal(written_behind_time("{\"at\":\""), expected);
        lf_log_setup(ends[1], LF_LOG_TEXT);
        lf_log(LF_LOG_WARN, "tried", lf_log_text("what", TEXTS[i].text));
        (void)snprintf(expected, sizeof expected, " warn tried what=%s\n", TEXTS[i].in_text);
        assert_string_equal(written_behind_time(""), expected);
    }
}

static void
test_numbers(void **state)
{
    (void)state;
    lf_log_setup(ends[1], LF_LOG_JSON);
    lf_log(LF_LOG_INFO, "n", lf_log_int("a", 0), lf_log_int("b", INT64_MIN), lf_log_ms("c_ms", 1234567),
           lf_log_ms("d_ms", 0), lf_log_ms("e_ms", -1500), lf_log_ms("f_ms", INT64_C(3600000000000)));
    assert_string_equal(written_behind_time("{\"at\":\""),
                        "\",\"level\":\"info\",\"event\":\"n\",\"a\":0,\"b\":-9223372036854775808,\"c_ms\":1.234,"
                        "\"d_ms\":0.000,\"e_ms\":-0.001,\"f_ms\":3600000.000}\n");
}

static void
test_no_fields(void **state)
{
    (void)state;
    lf_log_setup(ends[1], LF_LOG_JSON);
    lf_log_event(LF_LOG_ERROR, "stopped");
    assert_string_equal(written_behind_time("{\"at\":\""), "\",\"level\":\"error\",\"event\":\"stopped\"}\n");
    lf_log_setup(ends[1], LF_LOG_TEXT);
    lf_log_event(LF_LOG_ERROR, "stopped");
    assert_string_equal(written_behind_time(""), " error stopped\n");
}

static int
count_call(int *calls)
{
    return ++*calls;
}

static void
test_levels(void **state)
{
    int calls = 0;

    (void)state;
    lf_log_setup(ends[1], LF_LOG_TEXT);
    lf_log_set_level(LF_LOG_WARN);
    assert_true(lf_log_enabled(LF_LOG_ERROR) && lf_log_enabled(LF_LOG_WARN));
    assert_false(lf_log_enabled(LF_LOG_INFO) || lf_log_enabled(LF_LOG_DEBUG));
    lf_log(LF_LOG_INFO, "x", lf_log_int("calls", count_call(&calls)));
    lf_log_event(LF_LOG_DEBUG, "x");
    assert_int_equal(calls, 0); /* what is not written is not computed */
    assert_string_equal(written(), "");
    lf_log_set_level(LF_LOG_DEBUG);
    lf_log(LF_LOG_DEBUG, "x", lf_log_int("calls", count_call(&calls)));
    assert_string_equal(written_behind_time(""), " debug x calls=1\n");
    lf_log_set_level(LF_LOG_INFO);
}

/* A long text is cut within itself, at a character. */
static void
test_long_text(void **state)
{
    (void)state;
    for (size_t before = 0; before < 3; before++) {
        char text[2 * LF_LOG_TEXT_MAX], expected[2 * LF_LOG_TEXT_MAX];
        size_t len = before, kept = before + (LF_LOG_TEXT_MAX - before) / 3 * 3;

        memset(text, 'x', before);
        for (; len + 3 < sizeof text; len += 3)
            memcpy(text + len, "\xE2\x82\xAC", 3);
        text[len] = '\0';
        lf_log_setup(ends[1], LF_LOG_TEXT);
        lf_log(LF_LOG_INFO, "long", lf_log_text("t", text));
        (void)snprintf(expected, sizeof expected, " info long t=\"%.*s\xE2\x80\xA6\"\n", (int)kept, text);
        assert_string_equal(written_behind_time(""), expected);
    }
}

/* Fields that do not fit are left out as a whole; the line stays well-formed and bounded. */
static void
test_long_line(void **state)
{
    static const enum lf_log_format FORMATS[] = {LF_LOG_JSON, LF_LOG_TEXT};
    char text[LF_LOG_TEXT_MAX + 1];

    (void)state;
    memset(text, '\n', sizeof text - 1); /* six bytes each, once escaped */
    text[sizeof text - 1] = '\0';
    for (size_t len = 0; len <= LF_LOG_TEXT_MAX; len++)
        for (size_t i = 0; i < 2; i++) {
            const char *line = NULL, *tail = FORMATS[i] == LF_LOG_JSON ? ",\"cut\":1}\n" : " cut=1\n";
            size_t quotes = 0;

            lf_log_setup(ends[1], FORMATS[i]);
            lf_log(LF_LOG_INFO, "long", lf_log_text("a", text + sizeof text - 1 - len), lf_log_text("b", text),
                   lf_log_text("c", text), lf_log_int("last", 1));
            line = written();
            assert_true(strlen(line) <= LF_LOG_LINE_MAX);
            if (strcmp(line + strlen(line) - strlen(tail), tail) != 0)
                fail_msg("%zu: …%s", len, line + strlen(line) - 40);
            assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
            for (const char *c = line; *c != '\0'; c++)
                quotes += *c == '"';
            assert_int_equal(quotes % 2, 0); /* no text was cut open */
        }
}

/* A full pipe that does not block: lines are dropped and counted. */
static void
test_full_pipe(void **state)
{
    static char drain[1 << 20];
    long lines = 0;
    const char *rest = NULL;
    ssize_t count = 0;

    (void)state;
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    lf_log_setup(ends[1], LF_LOG_JSON);
    errno = 77;
    for (int i = 0; i < 2000; i++)
        lf_log(LF_LOG_INFO, "flood", lf_log_text("pad", "0123456789012345678901234567890123456789"));
    assert_int_equal(errno, 77);
    count = read(ends[0], drain, sizeof drain);
    assert_true(count > 0);
    assert_int_equal(drain[count - 1], '\n'); /* whole lines alone */
    for (ssize_t i = 0; i < count; i++)
        lines += drain[i] == '\n';
    assert_true(lines < 2000);
    lf_log_event(LF_LOG_INFO, "after");
    rest = strstr(written(), "\"dropped_lines\":");
    assert_non_null(rest);
    assert_int_equal(strtol(rest + strlen("\"dropped_lines\":"), NULL, 10) + lines, 2000);
    lf_log_event(LF_LOG_INFO, "later");
    assert_null(strstr(written(), "dropped")); /* told once */
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
}

static void
test_closed_descriptor(void **state)
{
    (void)state;
    lf_log_setup(-1, LF_LOG_TEXT);
    lf_log_event(LF_LOG_INFO, "nobody"); /* neither fails nor loops */
    lf_log_setup(ends[1], LF_LOG_TEXT);
}

static void *
log_many(void *ret_nothing)
{
    for (int i = 0; i < 500; i++)
        lf_log(LF_LOG_INFO, "thread", lf_log_text("pad", "0123456789012345678901234567890123456789"),
               lf_log_int("i", i));
    return ret_nothing;
}

/* Lines of several threads do not mix. */
static void
test_threads(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    char path[] = "/tmp/leadfit-test-log-XXXXXX", line[256];
    int fd = mkstemp(path), lines = 0;
    FILE *file = NULL;

    (void)state;
    assert_true(fd >= 0);
    lf_log_setup(fd, LF_LOG_TEXT);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    lf_log_setup(ends[1], LF_LOG_TEXT);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    file = fdopen(fd, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        assert_non_null(strstr(line, " info thread pad=0123456789012345678901234567890123456789 i="));
        lines++;
    }
    assert_int_equal(lines, THREADS * 500);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(unlink(path), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_numbers),           cmocka_unit_test(test_no_fields),
        cmocka_unit_test(test_levels),    cmocka_unit_test(test_long_text),         cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_full_pipe), cmocka_unit_test(test_closed_descriptor), cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
