/*
 * log.h - structured log lines.
 *
 * A line says that something happened: when, how weighty, what (`event`, a stable word), and typed fields. It goes out
 * as JSON or as text, in one write(2), so that lines of several threads do not mix:
 *
 *     {"at":"2026-11-22T09:30:00.123Z","level":"info","event":"ready","address":"127.0.0.1:8080"}
 *     2026-11-22T09:30:00.123Z info ready address=127.0.0.1:8080
 *
 * Only the edges log (a command, the end of a request, a worker); lower layers return errors. A field may hold a
 * route, an id of the service's own, a length, a time, an error's text; never a body, a key, a name, a mail address or
 * a lead's id. Whatever it holds, it cannot forge a line: control characters are escaped.
 *
 * The log is the process's, as its standard error is: one for all, set up before any thread. Logging is thread-safe
 * and allocates nothing. On a blocking descriptor a line waits for whoever reads it; on a non-blocking one that is full
 * the line is dropped, and the next one that gets through says how many were (`dropped_lines`).
 */
#ifndef LF_BASE_LOG_H
#define LF_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The weightiest first; the indices of the setting log_level. */
enum lf_log_level { LF_LOG_ERROR, LF_LOG_WARN, LF_LOG_INFO, LF_LOG_DEBUG };

enum lf_log_format { LF_LOG_JSON, LF_LOG_TEXT };

/* Bytes of a line, its end counted: what a pipe takes in one piece. Of a text field: a longer one is cut, with `…`.
 * Fields that do not fit into the line any more are left out, and `cut` says so. */
enum { LF_LOG_LINE_MAX = 4096, LF_LOG_TEXT_MAX = 512 };

enum lf_log_kind { LF_LOG_KIND_TEXT, LF_LOG_KIND_INT, LF_LOG_KIND_MS };

struct lf_log_field {
    const char *name; /* a word of a-z, 0-9 and _ */
    enum lf_log_kind kind;
    const char *text;
    int64_t number;
};

static inline struct lf_log_field
lf_log_text(const char *name, const char *text)
{
    return (struct lf_log_field){name, LF_LOG_KIND_TEXT, text, 0};
}

static inline struct lf_log_field
lf_log_int(const char *name, int64_t number)
{
    return (struct lf_log_field){name, LF_LOG_KIND_INT, NULL, number};
}

/* A duration, given in nanoseconds and written in milliseconds with three decimals: name it `…_ms`. */
static inline struct lf_log_field
lf_log_ms(const char *name, int64_t duration_ns)
{
    return (struct lf_log_field){name, LF_LOG_KIND_MS, NULL, duration_ns};
}

/* Where lines go (the caller keeps the descriptor open) and how. Before it is called they go to standard error as text,
 * from LF_LOG_INFO up. */
void lf_log_setup(int fd, enum lf_log_format format);

/* Lines less weighty than this are passed over. At any time, from any thread. */
void lf_log_set_level(enum lf_log_level least);

/* Whether a line of this level would be written. */
bool lf_log_enabled(enum lf_log_level level);

/* Writes a line with fields, whatever its level. fields may be NULL when count is 0; a text that is NULL counts as "".
 * errno stays as it was. */
void lf_log_write(enum lf_log_level level, const char *event, const struct lf_log_field *fields, size_t count);

/* Logs an event with fields: lf_log(LF_LOG_INFO, "ready", lf_log_text("address", text), lf_log_int("port", 80)).
 * The fields are not computed when the level is filtered out. */
#define lf_log(level, event, ...)                                                                             \
    do {                                                                                                      \
        if (lf_log_enabled(level)) {                                                                          \
            const struct lf_log_field lf_log_fields_[] = {__VA_ARGS__};                                       \
            lf_log_write((level), (event), lf_log_fields_, sizeof lf_log_fields_ / sizeof lf_log_fields_[0]); \
        }                                                                                                     \
    } while (0)

/* Logs an event that has no fields. */
#define lf_log_event(level, event)                   \
    do {                                             \
        if (lf_log_enabled(level))                   \
            lf_log_write((level), (event), NULL, 0); \
    } while (0)

#endif
