/* keys.c - leadfit keys create, list, revoke. */
#include "command.h"

#include "app/keys.h"
#include "base/text.h"
#include "base/time.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, DAYS_MAX = 36500 };

static int
read_days(const struct command *command, const char *text, int64_t *ret_ms)
{
    char *end = NULL;
    long days = strtol(text, &end, 10);

    if (*end != '\0' || days < 1 || days > DAYS_MAX)
        return wrong_usage(command, "--days wants a whole number from 1 to %d", DAYS_MAX);
    *ret_ms = (int64_t)days * DAY_MS;
    return 0;
}

/* When the key ends: --days from now, or --expires; 0 for never. */
static int
read_end(const struct command *command, const char *days, const char *expires, int64_t now_ms, int64_t *ret_ms)
{
    int64_t life_ms = 0, end_us = 0;
    int code = 0;

    if (days != NULL && expires != NULL)
        return wrong_usage(command, "--days and --expires say the same: give one of them");
    if (expires != NULL) {
        if (!lf_time_parse(expires, strlen(expires), &end_us))
            return wrong_usage(command, "--expires wants a time such as 2027-01-31T12:00:00Z");
        if (lf_time_us_to_ms(end_us) <= now_ms)
            return wrong_usage(command, "--expires wants a time that is still to come");
        *ret_ms = lf_time_us_to_ms(end_us);
    } else if (days != NULL) {
        code = read_days(command, days, &life_ms);
        *ret_ms = now_ms + life_ms;
    }
    return code;
}

/* Makes the key and stores it. */
static enum lf_status
create_key(const char *db, const char *name, uint32_t scopes, int64_t expires_at_ms, struct lf_stored_key *ret_key,
           char ret_text[LF_API_KEY_TEXT_MAX], struct lf_error *error)
{
    struct lf_change change = command_line_change("");
    struct lf_store *store = NULL;
    enum lf_status status = writing_open(db, "POST /v1/keys", &store, error);

    if (status == LF_OK)
        status = lf_api_key_create(name, scopes, change.at_ms, expires_at_ms, ret_key, ret_text, error);
    if (status == LF_OK)
        status = lf_store_create_key(store, ret_key, &change, error);
    lf_store_close(store);
    return status;
}

int
command_keys_create(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db", *name = NULL, *words = NULL, *days = NULL, *expires = NULL;
    const struct option options[] = {
        {.name = "--db", .value = &db},           {.name = "--name", .value = &name},
        {.name = "--scopes", .value = &words},    {.name = "--days", .value = &days},
        {.name = "--expires", .value = &expires}, {.name = NULL},
    };
    struct lf_stored_key key;
    struct lf_error error;
    char text[LF_API_KEY_TEXT_MAX];
    uint32_t scopes = 0;
    int64_t expires_at_ms = 0;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);

    if (code != 0 || count < 0)
        return code;
    if (count > 0)
        return wrong_usage(command, "%s is too much", argv[0]);
    if (name == NULL || words == NULL)
        return wrong_usage(command, "--name and --scopes are needed");
    if (name[0] == '\0' || !lf_text_is_utf8(name, strlen(name), NULL) ||
        lf_text_length(name, strlen(name)) > LF_API_KEY_NAME_MAX)
        return wrong_usage(command, "--name wants 1 to %d characters of UTF-8", LF_API_KEY_NAME_MAX);
    if (lf_scopes_parse(words, &scopes, &error) != LF_OK)
        return wrong_usage(command, "%s", error.detail);
    if ((code = read_end(command, days, expires, lf_time_now_ms(), &expires_at_ms)) != 0)
        return code;
    if (create_key(db, name, scopes, expires_at_ms, &key, text, &error) != LF_OK)
        return fault(&error);
    /* The key alone on standard output, for scripts; what a person should know beside it. */
    (void)fprintf(stderr, "key %s (%s): shown this once, keep it safe\n", key.id, name);
    return printf("%s\n", text) < 0 ? EXIT_FAULT : EXIT_FINE;
}

static void
print_key(const struct lf_stored_key *key, int64_t now_ms)
{
    char created[LF_TIME_TEXT_MAX], ends[LF_TIME_TEXT_MAX] = "never", used[LF_TIME_TEXT_MAX] = "never";
    char name[ON_A_LINE_MAX];
    const char *state = "live";
    struct lf_buf scopes;

    lf_buf_init(&scopes, NULL, 1024);
    lf_scopes_put(&scopes, key->scopes);
    (void)lf_time_format_ms(key->created_at_ms, created);
    if (key->expires_at_ms != 0)
        (void)lf_time_format_ms(key->expires_at_ms, ends);
    if (key->last_used_at_ms != 0)
        (void)lf_time_format_ms(key->last_used_at_ms, used);
    if (key->revoked_at_ms != 0)
        state = "revoked";
    else if (key->expires_at_ms != 0 && key->expires_at_ms <= now_ms)
        state = "expired";
    (void)printf("%-10s  %-8s  %-24s  %-24s  %-24s  %-32s  %s\n", key->id, state, created, ends, used,
                 lf_buf_terminate(&scopes) != NULL ? scopes.data : "", on_a_line(key->name, name));
    lf_buf_finish(&scopes);
}

int
command_keys_list(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db";
    const struct option options[] = {{.name = "--db", .value = &db}, {.name = NULL}};
    struct reading reading;
    struct lf_stored_key *keys = NULL;
    struct lf_error error;
    size_t found = 0;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);
    enum lf_status status = LF_OK;

    if (code != 0 || count < 0)
        return code;
    if (count > 0)
        return wrong_usage(command, "%s is too much", argv[0]);
    status = reading_open(db, &reading, &error);
    if (status == LF_OK)
        status = lf_store_keys(reading.reader, reading.arena, &keys, &found, &error);
    if (status == LF_OK && found > 0)
        (void)printf("%-10s  %-8s  %-24s  %-24s  %-24s  %-32s  %s\n", "id", "state", "created", "expires", "last used",
                     "scopes", "name");
    for (size_t i = 0; status == LF_OK && i < found; i++)
        print_key(&keys[i], lf_time_now_ms());
    if (status == LF_OK && found == 0)
        (void)fputs("there are no keys yet: leadfit keys create makes one\n", stderr);
    return reading_close(&reading, status, &error);
}

int
command_keys_revoke(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db";
    const struct option options[] = {{.name = "--db", .value = &db}, {.name = NULL}};
    struct lf_change change = command_line_change("");
    struct lf_store *store = NULL;
    struct lf_error error;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);
    enum lf_status status = LF_OK;

    if (code != 0 || count < 0)
        return code;
    if (count != 1)
        return wrong_usage(command, "one key's id is needed: leadfit keys list shows them");
    status = writing_open(db, "DELETE /v1/keys/{id}", &store, &error);
    if (status == LF_OK)
        status = lf_store_revoke_key(store, argv[0], &change, &error);
    lf_store_close(store);
    if (status != LF_OK)
        return fault(&error);
    return printf("revoked %s\n", argv[0]) < 0 ? EXIT_FAULT : EXIT_FINE;
}
