/*
 * config.h - the settings of the service: one list, from which file, environment, command line and help are derived.
 *
 * A setting is given, from the strongest to the weakest, as an option (`--max-body 2MiB`), in the environment
 * (`LEADFIT_MAX_BODY`), in the configuration file (`max_body = 2 MiB`), or it has its default. The order in which these
 * are read does not matter. config/leadfit.ini is the manual; a test holds it against this list.
 *
 * Nothing here opens a socket or a database: what a setting means is its user's business. A struct lf_config is not
 * changed once it has been read, and may then be shared by threads; a reload makes another one.
 */
#ifndef LF_BASE_CONFIG_H
#define LF_BASE_CONFIG_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lf_setting_type {
    LF_SETTING_TEXT,     /* least and most: bytes */
    LF_SETTING_INTEGER,  /* least and most: the value */
    LF_SETTING_SIZE,     /* in bytes; written `64 KiB`, B being understood */
    LF_SETTING_DURATION, /* in milliseconds; written `15 s`, with ms, s, min or h */
    LF_SETTING_BOOLEAN,  /* 0 or 1; written yes or no, true or false, on or off, 1 or 0 */
    LF_SETTING_WORD,     /* the index of one of the words */
};

/* Bytes and milliseconds in the bounds below. */
#define LF_KIB INT64_C(1024)
#define LF_MIB (INT64_C(1024) * LF_KIB)
#define LF_SECOND_MS INT64_C(1000)
#define LF_MINUTE_MS (INT64_C(60) * LF_SECOND_MS)

/* What names a person or reaches one, in the words of common CRMs (core/privacy.h says how they are read). */
#define LF_NEVER_STORE_DEFAULT                                                                                \
    "*.email, *.mail, *.email_address, *.first_name, *.last_name, *.full_name, *.given_name, *.family_name, " \
    "*.phone, *.mobile, *.mobile_phone, name, person.name, people.name, contact.name, contacts.name"

/* X(id, key, type, default, least, most, words, reloadable, help)
 * key: as in the file, `section.key` for one that stands in a section. words: of a WORD, parted by `|`.
 * reloadable: SIGHUP takes a new value over; the others wait for a restart. */
#define LF_CONFIG_LIST(X)                                                                                            \
    X(DB, "db", TEXT, "leadfit.db", 1, 4096, "", false, "the database file")                                         \
    X(LISTEN, "listen", TEXT, "127.0.0.1:8080", 1, 256, "", false, "address and port to serve on; port 0: any free") \
    X(THREADS, "threads", INTEGER, "0", 0, 256, "", false, "threads that serve requests; 0: as many as cores")       \
    X(MAX_CONNECTIONS, "max_connections", INTEGER, "2048", 1, 1000000, "", false, "connections at once, in all")     \
    X(MAX_CONNECTIONS_PER_ADDRESS, "max_connections_per_address", INTEGER, "0", 0, 1000000, "", false,               \
      "connections at once from one address; 0: no limit of their own")                                              \
    X(MAX_BODY, "max_body", SIZE, "1 MiB", LF_KIB, 64 * LF_MIB, "", false, "the largest request body")               \
    X(REQUEST_TIMEOUT, "request_timeout", DURATION, "15 s", 100, 60 * LF_MINUTE_MS, "", false,                       \
      "a request must be whole this long after its first byte")                                                      \
    X(IDLE_TIMEOUT, "idle_timeout", DURATION, "30 s", 100, 60 * LF_MINUTE_MS, "", false,                             \
      "a connection without a request is closed after this long")                                                    \
    X(SHUTDOWN_TIMEOUT, "shutdown_timeout", DURATION, "5 s", 100, 5 * LF_MINUTE_MS, "", false,                       \
      "requests in flight have this long when the service stops")                                                    \
    X(QUEUE, "queue", INTEGER, "8192", 1, 1000000, "", false, "events that may wait to be recorded")                 \
    X(BATCH_MAX, "batch_max", INTEGER, "1024", 1, 100000, "", false, "events that share one commit at most")         \
    X(STORE_LEAD, "store_lead", WORD, "whole", 0, 0, "fields|whole|hashes|nothing", false,                           \
      "what of a lead is recorded")                                                                                  \
    X(NEVER_STORE, "never_store", TEXT, LF_NEVER_STORE_DEFAULT, 0, 4096, "", false,                                  \
      "fields of a lead that are never recorded")                                                                    \
    X(RETENTION_DAYS, "retention_days", INTEGER, "0", 0, 36500, "", false, "scores are kept this long; 0: for ever") \
    X(METRICS_OPEN, "metrics_open", BOOLEAN, "no", 0, 1, "", false, "/metrics answers without an API key")           \
    X(PUBLIC_URL, "public_url", TEXT, "", 0, 1000, "", false,                                                        \
      "what callers write before /v1, such as https://scores.example.com; for signatures")                           \
    X(IDEMPOTENCY, "idempotency", DURATION, "24 h", 15 * LF_MINUTE_MS, 720 * 60 * LF_MINUTE_MS, "", false,           \
      "a repeated request gets its first answer again for this long")                                                \
    X(ALLOW_PRIVATE_TARGETS, "allow_private_targets", BOOLEAN, "no", 0, 1, "", false,                                \
      "events may go to private addresses, and by plain http")                                                       \
    X(OUTBOX_MAX, "outbox_max", INTEGER, "100000", 1, 10000000, "", false,                                           \
      "events that may wait for one subscription")                                                                   \
    X(CA_FILE, "ca_file", TEXT, "", 0, 4096, "", false,                                                              \
      "certificates that targets of events are checked against; empty: the system's")                                \
    X(RATE_LIMIT, "rate_limit", INTEGER, "0", 0, 1000000, "", false, "requests a second and key; 0: no limit")       \
    X(LOG_FORMAT, "log_format", WORD, "auto", 0, 0, "auto|json|text", false, "how log lines are written")            \
    X(LOG_LEVEL, "log_level", WORD, "info", 0, 0, "error|warn|info|debug", true,                                     \
      "the least weighty line that is logged")                                                                       \
    X(LOG_REQUESTS, "log_requests", WORD, "failed", 0, 0, "failed|all|none", false, "which requests are logged")

enum lf_setting_id {
#define LF_X(id, key, type, fallback, least, most, words, reloadable, help) LF_SETTING_##id,
    LF_CONFIG_LIST(LF_X)
#undef LF_X
        LF_SETTING_COUNT
};

/* The words' indices. Those of log_level are enum lf_log_level (base/log.h). */
enum lf_store_lead { LF_STORE_LEAD_FIELDS, LF_STORE_LEAD_WHOLE, LF_STORE_LEAD_HASHES, LF_STORE_LEAD_NOTHING };
enum lf_log_format_word { LF_LOG_FORMAT_AUTO, LF_LOG_FORMAT_JSON, LF_LOG_FORMAT_TEXT };
enum lf_log_requests { LF_LOG_REQUESTS_FAILED, LF_LOG_REQUESTS_ALL, LF_LOG_REQUESTS_NONE };

/* One entry of the list. */
struct lf_setting {
    const char *key;
    enum lf_setting_type type;
    const char *fallback; /* as it would stand in the file */
    int64_t least, most;
    const char *words;
    bool reloadable;
    const char *help; /* one line */
};

struct lf_config;

/* The entry of a setting. Static. */
const struct lf_setting *lf_config_setting(enum lf_setting_id id);

/* All settings at their defaults; NULL when memory is out. */
struct lf_config *lf_config_create(void);

/* NULL is fine. */
void lf_config_destroy(struct lf_config *config);

/* Reads a configuration file's text; name stands in messages. CONFIG, with name and line, for an unknown key, one that
 * is set twice in it, a bad value or a line that is none of INI's. Settings read until then keep their new values. */
enum lf_status lf_config_read_text(struct lf_config *config, const char *name, const char *text, size_t len,
                                   struct lf_error *error) LF_MUST_CHECK;

/* The same from a file of at most 1 MiB; FILE when it cannot be read. */
enum lf_status lf_config_read_file(struct lf_config *config, const char *path, struct lf_error *error) LF_MUST_CHECK;

/* Reads `LEADFIT_<KEY>` of each setting (dots and dashes as _). environment is in the form of environ. Other variables
 * that begin so are left alone: Kubernetes sets LEADFIT_PORT and the like for a service of that name. */
enum lf_status
lf_config_read_environment(struct lf_config *config, char *const *environment, struct lf_error *error) LF_MUST_CHECK;

/* Looks whether argv[*at] is the option of a setting (`--max-body=2MiB`, or `--max-body` and the value in the next one)
 * and takes it: *at then stands behind it, and *ret_taken is true. An option given twice has its last value. USAGE for
 * a bad or missing value. */
enum lf_status lf_config_take_option(struct lf_config *config, int argc, char *const *argv, int *at, bool *ret_taken,
                                     struct lf_error *error) LF_MUST_CHECK;

/* The value of a TEXT, borrowed from config. */
const char *lf_config_text(const struct lf_config *config, enum lf_setting_id id);

/* The value of any other type: number, bytes, milliseconds, 0 or 1, or the index of the word. */
int64_t lf_config_number(const struct lf_config *config, enum lf_setting_id id);

/* Whether a setting's values differ, to tell what a reload would change. */
bool lf_config_differs(const struct lf_config *a, const struct lf_config *b, enum lf_setting_id id);

/* Appends the setting's line of --help: option, what it takes, what it is, its default. */
void lf_config_put_help(struct lf_buf *buf, enum lf_setting_id id);

/* Reads one value of any type but TEXT as the setting wants it. CONFIG, with what is allowed. */
enum lf_status lf_setting_parse(const struct lf_setting *setting, const char *text, int64_t *ret_number,
                                struct lf_error *error) LF_MUST_CHECK;

#endif
