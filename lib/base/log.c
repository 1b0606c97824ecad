/* log.c - see log.h. A line is built in a buffer on the stack; a field that does not fit is taken back as a whole, so
 * that a line is always well-formed. */
#include "base/log.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/time.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Process-wide, as standard error is. Descriptor and format are written before any thread begins. */
static struct {
    int fd;
    enum lf_log_format format;
    atomic_int least;
    atomic_uint_fast64_t dropped; /* lines that did not get through and have not been told */
    atomic_bool torn;             /* the last line got through in part: the next one begins with a line end */
} sink = {.fd = STDERR_FILENO, .format = LF_LOG_TEXT, .least = LF_LOG_INFO};

static const char *const LEVELS[] = {
    [LF_LOG_ERROR] = "error", [LF_LOG_WARN] = "warn", [LF_LOG_INFO] = "info", [LF_LOG_DEBUG] = "debug"};

void
lf_log_setup(int fd, enum lf_log_format format)
{
    sink.fd = fd;
    sink.format = format;
    atomic_store(&sink.dropped, 0);
    atomic_store(&sink.torn, false);
}

void
lf_log_set_level(enum lf_log_level least)
{
    atomic_store_explicit(&sink.least, (int)least, memory_order_relaxed);
}

bool
lf_log_enabled(enum lf_log_level level)
{
    return (int)level <= atomic_load_explicit(&sink.least, memory_order_relaxed);
}

/* Characters that a terminal or a reader of lines might act upon: controls (also those beyond ASCII), the separators of
 * lines and paragraphs, and those that turn the direction of writing. */
static bool
must_escape(int32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0x200E || c == 0x200F || c == 0xFEFF;
}

/* Appends the text within quotes, escaped as in JSON; bytes that are not UTF-8 become U+FFFD. */
static void
put_quoted(struct lf_buf *line, const char *text, size_t len)
{
    size_t at = 0, good = 0;
    bool valid = true;

    lf_buf_char(line, '"');
    while (at < len) {
        size_t next = at;
        int32_t c = 0;

        if (at == good) { /* what is known to be valid is used up: how far does it go on? */
            valid = lf_text_is_utf8(text + at, len - at, &good);
            good = valid ? len : at + good;
        }
        if (at == good) {
            lf_buf_lit(line, "\xEF\xBF\xBD");
            good = ++at;
            continue;
        }
        c = lf_text_char(text, len, at, &next);
        if (c == '"' || c == '\\') {
            lf_buf_char(line, '\\');
            lf_buf_char(line, (char)c);
        } else if (must_escape(c)) {
            lf_buf_printf(line, "\\u%04x", (unsigned)c);
        } else {
            lf_buf_add(line, text + at, next - at);
        }
        at = next;
    }
    lf_buf_char(line, '"');
}

/* Whether the text format needs no quotes around it. */
static bool
is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\' || text[i] == '=')
            return false;
    return len > 0;
}

static void
put_text(struct lf_buf *line, const char *text)
{
    size_t len = strnlen(text, LF_LOG_TEXT_MAX + 1);

    if (len > LF_LOG_TEXT_MAX) {
        char cut[LF_LOG_TEXT_MAX + 3];

        len = LF_LOG_TEXT_MAX;
        while (len > LF_LOG_TEXT_MAX - 4 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--; /* not within a character */
        memcpy(cut, text, len);
        memcpy(cut + len, "\xE2\x80\xA6", 3);
        put_quoted(line, cut, len + 3);
    } else if (sink.format == LF_LOG_TEXT && is_plain(text, len)) {
        lf_buf_add(line, text, len);
    } else {
        put_quoted(line, text, len);
    }
}

/* A duration in nanoseconds, as milliseconds with three decimals. */
static void
put_ms(struct lf_buf *line, int64_t ns)
{
    int64_t us = ns / 1000;
    uint64_t size = us < 0 ? -(uint64_t)us : (uint64_t)us;

    if (us < 0)
        lf_buf_char(line, '-');
    lf_buf_int(line, (int64_t)(size / 1000));
    lf_buf_printf(line, ".%03d", (int)(size % 1000));
}

/* Appends a field, as a whole or not at all. The last `reserve` bytes of the line are left alone. */
static bool
put_field(struct lf_buf *line, const struct lf_log_field *field, size_t reserve)
{
    size_t before = line->len, max = line->max;

    line->max = line->cap = max - reserve; /* both: an addition that fits into cap does not look at max */
    if (sink.format == LF_LOG_JSON) {
        lf_buf_lit(line, ",\"");
        lf_buf_text(line, field->name);
        lf_buf_lit(line, "\":");
    } else {
        lf_buf_char(line, ' ');
        lf_buf_text(line, field->name);
        lf_buf_char(line, '=');
    }
    switch (field->kind) {
    case LF_LOG_KIND_TEXT:
        put_text(line, field->text != NULL ? field->text : "");
        break;
    case LF_LOG_KIND_INT:
        lf_buf_int(line, field->number);
        break;
    case LF_LOG_KIND_MS:
        put_ms(line, field->number);
        break;
    }
    line->max = line->cap = max;
    if (!lf_buf_failed(line))
        return true;
    line->len = before;
    line->failed = false;
    return false;
}

/* Writes the line. false when nothing or only a part of it got through. */
static bool
send_line(const char *bytes, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t count = write(sink.fd, bytes + sent, len - sent);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        sent += (size_t)count;
    }
    if (sent > 0)
        atomic_store(&sink.torn, sent < len);
    return sent == len;
}

void
lf_log_write(enum lf_log_level level, const char *event, const struct lf_log_field *fields, size_t count)
{
    enum { TAIL = 64 }; /* room for `dropped_lines`, `cut` and the line's end */
    char bytes[LF_LOG_LINE_MAX], at[LF_TIME_TEXT_MAX];
    struct lf_buf line = {.data = bytes, .cap = sizeof bytes, .max = sizeof bytes}; /* in place: it never grows */
    uint64_t dropped = atomic_exchange(&sink.dropped, 0);
    int errno_before = errno;
    bool cut = false;

    (void)lf_time_format_ms(lf_time_now_ms(), at);
    if (atomic_load(&sink.torn))
        lf_buf_char(&line, '\n');
    lf_buf_printf(&line,
                  sink.format == LF_LOG_JSON ? "{\"at\":\"%s\",\"level\":\"%s\",\"event\":\"%.64s\"" : "%s %s %.64s",
                  at, LEVELS[level], event);
    for (size_t i = 0; i < count; i++)
        cut = !put_field(&line, &fields[i], TAIL) || cut;
    if (dropped > 0) {
        struct lf_log_field field = lf_log_int("dropped_lines", (int64_t)dropped);
        (void)put_field(&line, &field, 0); /* fits into the tail */
    }
    if (cut) {
        struct lf_log_field field = lf_log_int("cut", 1);
        (void)put_field(&line, &field, 0); /* likewise */
    }
    if (sink.format == LF_LOG_JSON)
        lf_buf_char(&line, '}');
    lf_buf_char(&line, '\n');
    if (!send_line(line.data, line.len))
        atomic_fetch_add(&sink.dropped, dropped + 1);
    errno = errno_before;
}
