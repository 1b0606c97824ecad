/* icp.c - leadfit icp lint, import, list, export. */
#include "command.h"

#include "app/events.h"
#include "app/live.h"
#include "app/subscriptions.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/time.h"
#include "core/icp.h"
#include "core/lint.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFINITION_MAX = 1 << 20, ARENA_MAX = 512 << 20 };

/* One definition file, read and parsed. */
struct definition {
    struct lf_arena *arena; /* NULL where even that failed */
    char *text;
    size_t len;
    const struct lf_icp *icp;
    struct lf_findings findings;
    struct lf_error error;
    enum lf_status status;
};

static void
definition_read(const char *path, struct definition *definition)
{
    *definition = (struct definition){.arena = lf_arena_create(65536, ARENA_MAX)};
    if (definition->arena == NULL) {
        definition->status = lf_fail(&definition->error, LF_OUT_OF_MEMORY, "out of memory while reading %s", path);
        return;
    }
    lf_findings_init(&definition->findings, definition->arena);
    definition->status = read_file(path, DEFINITION_MAX, &definition->text, &definition->len, &definition->error);
    if (definition->status == LF_OK)
        definition->status = lf_icp_parse_text(definition->arena, definition->text, definition->len,
                                               &definition->findings, &definition->icp, &definition->error);
}

static void
definition_finish(struct definition *definition)
{
    free(definition->text);
    lf_arena_destroy(definition->arena);
}

/* Line of a byte offset, from 1. */
static size_t
line_of(const struct definition *definition, int64_t offset)
{
    size_t line = 1;

    for (int64_t i = 0; i < offset && (size_t)i < definition->len; i++)
        line += definition->text[i] == '\n';
    return line;
}

/* Tells what keeps the file from being a definition. */
static void
tell_faults(const char *path, const struct definition *definition)
{
    if (definition->findings.count == 0) {
        if (definition->error.offset >= 0)
            (void)fprintf(stderr, "%s:%zu: %s\n", path, line_of(definition, definition->error.offset),
                          definition->error.detail);
        else if (definition->status == LF_FILE)
            (void)fprintf(stderr, "leadfit: %s\n", definition->error.detail);
        else
            (void)fprintf(stderr, "%s: %s\n", path, definition->error.detail);
        return;
    }
    for (size_t i = 0; i < definition->findings.count; i++)
        (void)fprintf(stderr, "%s: error %s at %s: %s\n", path, definition->findings.items[i].code,
                      definition->findings.items[i].pointer[0] != '\0' ? definition->findings.items[i].pointer : "/",
                      definition->findings.items[i].detail);
    if (definition->findings.dropped > 0)
        (void)fprintf(stderr, "%s: and %zu more\n", path, definition->findings.dropped);
}

/* ---- lint ---- */

/* Lints and tells; counts errors and warnings. lists may be NULL: not known here. */
static enum lf_status
lint(const char *path, const struct definition *definition, const struct lf_list_source *lists, FILE *out,
     size_t *errors, size_t *warnings, struct lf_error *error)
{
    struct lf_lint_context context = {.today_us = lf_time_now_ms() * 1000};
    struct lf_lint found;
    enum lf_status status = LF_OK;

    if (lists != NULL)
        context.lists = *lists;
    status = lf_lint(definition->arena, definition->icp, &context, &found, error);
    for (size_t i = 0; status == LF_OK && i < found.count; i++) {
        const struct lf_lint_item *item = &found.items[i];

        (void)fprintf(out, "%s: %s %s at %s: %s. %s\n", path, lf_lint_severity_word(item->severity), item->code,
                      item->pointer[0] != '\0' ? item->pointer : "/", item->detail, item->fix);
    }
    if (status != LF_OK)
        return status;
    if (found.dropped > 0)
        (void)fprintf(out, "%s: and %zu more\n", path, found.dropped);
    *errors += found.counts[LF_LINT_ERROR];
    *warnings += found.counts[LF_LINT_WARNING];
    return LF_OK;
}

int
command_icp_lint(const struct command *command, int argc, char **argv)
{
    bool strict = false;
    const struct option options[] = {{.name = "--strict", .seen = &strict}, {.name = NULL}};
    size_t errors = 0, warnings = 0;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);

    if (code != 0 || count < 0)
        return code;
    if (count == 0)
        return wrong_usage(command, "at least one file is needed");
    for (int i = 0; i < count; i++) {
        struct definition definition;
        size_t before = errors + warnings;
        struct lf_error error;

        definition_read(argv[i], &definition);
        if (definition.status != LF_OK) {
            tell_faults(argv[i], &definition);
            errors++;
        } else if (lint(argv[i], &definition, NULL, stdout, &errors, &warnings, &error) != LF_OK) {
            (void)fault(&error);
            errors++;
        } else if (errors + warnings == before) {
            (void)printf("%s: fine (%s, %zu attributes)\n", argv[i], definition.icp->name,
                         definition.icp->attribute_count);
        }
        definition_finish(&definition);
    }
    return errors > 0 || (strict && warnings > 0) ? EXIT_FAULT : EXIT_FINE;
}

/* ---- import ---- */

/* A database that definitions are imported into. */
struct importing {
    struct lf_store *store;
    struct lf_store_reader *reader;
    struct lf_profiles *lists; /* what is in the store, for its lists: a definition is linted against them */
    struct lf_subscriptions *subscriptions;
};

/* Gathers what is told of the version that the definition will be, unless it changes nothing. */
static enum lf_status
foretell(const struct importing *importing, const struct definition *definition, int64_t at_ms,
         struct lf_event_batch *ret_events, struct lf_error *error)
{
    struct lf_stored_icp icp = {.versions = 0};
    enum lf_status status = lf_store_icp(importing->reader, definition->arena, definition->icp->key, &icp, error);

    if (status != LF_OK && status != LF_ICP_NOT_FOUND)
        return status;
    return lf_events_of_publication(importing->subscriptions, definition->arena, definition->icp->key, icp.versions + 1,
                                    at_ms, ret_events, error);
}

static enum lf_status
publish(const struct importing *importing, const char *path, const struct definition *definition, const char *note,
        struct lf_error *error)
{
    struct lf_new_version version = {
        .icp = definition->icp->key,
        .name = definition->icp->name,
        .purpose = lf_purpose_word(definition->icp->purpose),
        .document = definition->text,
        .document_len = definition->len,
    };
    struct lf_change change = command_line_change(note);
    struct lf_event_batch events;
    bool unchanged = false;
    int number = 0;
    enum lf_status status = foretell(importing, definition, change.at_ms, &events, error);

    if (status != LF_OK)
        return status;
    memcpy(version.hash, definition->icp->hash, sizeof version.hash);
    change.deliveries = events.items;
    change.delivery_count = events.count;
    status = lf_store_publish(importing->store, &version, &change, &number, &unchanged, error);
    lf_event_batch_end(importing->subscriptions, &events);
    if (status == LF_OK)
        (void)printf(unchanged ? "%s: %s is unchanged, version %d stays active\n" : "%s: published %s version %d\n",
                     path, definition->icp->key, number);
    return status;
}

/* Also after a failure it is to be closed. */
static enum lf_status
importing_open(const char *db, struct importing *importing, struct lf_error *error)
{
    enum lf_status status =
        writing_open(db, "PUT /v1/icps/{key}/draft and POST /v1/icps/{key}/publish", &importing->store, error);

    if (status == LF_OK)
        status = lf_store_reader_open(importing->store, &importing->reader, error);
    if (status == LF_OK)
        status = lf_live_load(importing->reader, NULL, &importing->lists, error);
    if (status == LF_OK) /* nothing is sent from here: the server looks after what waits */
        status = lf_subscriptions_load(importing->reader, INT64_MAX, &importing->subscriptions, error);
    return status;
}

static void
importing_close(struct importing *importing)
{
    lf_subscriptions_destroy(importing->subscriptions);
    lf_profiles_destroy(importing->lists);
    lf_store_reader_close(importing->reader);
    lf_store_close(importing->store);
}

int
command_icp_import(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db", *note = "imported";
    const struct option options[] = {
        {.name = "--db", .value = &db}, {.name = "--note", .value = &note}, {.name = NULL}};
    struct importing importing = {.store = NULL};
    struct lf_error error;
    size_t errors = 0, warnings = 0;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);

    if (code != 0 || count < 0)
        return code;
    if (count == 0)
        return wrong_usage(command, "at least one file is needed");
    if (importing_open(db, &importing, &error) != LF_OK) {
        importing_close(&importing);
        return fault(&error);
    }
    for (int i = 0; i < count; i++) {
        struct lf_list_source source = lf_profiles_lists(importing.lists);
        struct definition definition;
        size_t before = errors;

        definition_read(argv[i], &definition);
        if (definition.status != LF_OK) {
            tell_faults(argv[i], &definition);
            errors++;
        } else if (lint(argv[i], &definition, &source, stderr, &errors, &warnings, &error) != LF_OK ||
                   (errors == before && publish(&importing, argv[i], &definition, note, &error) != LF_OK)) {
            (void)fault(&error);
            errors++;
        }
        if (errors > before)
            (void)fprintf(stderr, "%s: not published\n", argv[i]);
        definition_finish(&definition);
    }
    importing_close(&importing);
    return errors > 0 ? EXIT_FAULT : EXIT_FINE;
}

/* ---- list, export ---- */

static const char *
state_word(enum lf_icp_state state)
{
    switch (state) {
    case LF_ICP_STATE_DRAFT:
        return "draft";
    case LF_ICP_STATE_ACTIVE:
        return "active";
    case LF_ICP_STATE_ARCHIVED:
        break;
    }
    return "archived";
}

int
command_icp_list(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db";
    const struct option options[] = {{.name = "--db", .value = &db}, {.name = NULL}};
    struct reading reading;
    struct lf_stored_icp *icps = NULL;
    struct lf_error error;
    size_t found = 0;
    char name[ON_A_LINE_MAX];
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);
    enum lf_status status = LF_OK;

    if (code != 0 || count < 0)
        return code;
    if (count > 0)
        return wrong_usage(command, "%s is too much", argv[0]);
    status = reading_open(db, &reading, &error);
    if (status == LF_OK)
        status = lf_store_icps(reading.reader, reading.arena, &icps, &found, &error);
    if (status == LF_OK && found > 0)
        (void)printf("%-28s  %-8s  %7s  %-12s  %s\n", "key", "state", "version", "purpose", "name");
    for (size_t i = 0; status == LF_OK && i < found; i++)
        (void)printf("%-28s  %-8s  %7d  %-12s  %s\n", icps[i].key, state_word(icps[i].state), icps[i].active_version,
                     icps[i].purpose, on_a_line(icps[i].name, name));
    if (status == LF_OK && found == 0)
        (void)fputs("there are no ICPs yet: leadfit icp import publishes some\n", stderr);
    return reading_close(&reading, status, &error);
}

int
command_icp_export(const struct command *command, int argc, char **argv)
{
    const char *db = "leadfit.db", *number = NULL;
    const struct option options[] = {
        {.name = "--db", .value = &db}, {.name = "--version", .value = &number}, {.name = NULL}};
    struct reading reading;
    struct lf_stored_icp icp;
    struct lf_stored_version version;
    struct lf_error error;
    char *end = NULL;
    long wanted = 0;
    int count = 0, code = read_arguments(command, argc, argv, options, NULL, &count);
    enum lf_status status = LF_OK;

    if (code != 0 || count < 0)
        return code;
    if (count != 1)
        return wrong_usage(command, "one ICP's key is needed: leadfit icp list shows them");
    if (number != NULL && ((wanted = strtol(number, &end, 10)) < 1 || *end != '\0' || wanted > 1000000000))
        return wrong_usage(command, "--version wants a number from 1");
    status = reading_open(db, &reading, &error);
    if (status == LF_OK)
        status = lf_store_icp(reading.reader, reading.arena, argv[0], &icp, &error);
    if (status == LF_OK && wanted == 0 && icp.active_version == 0)
        status = lf_fail(&error, LF_VERSION_NOT_FOUND, "ICP \"%s\" was never published: it has a draft alone", argv[0]);
    if (status == LF_OK)
        status = lf_store_version(reading.reader, reading.arena, argv[0], wanted > 0 ? (int)wanted : icp.active_version,
                                  &version, &error);
    if (status == LF_OK) {
        (void)fwrite(version.document, 1, version.document_len, stdout);
        if (version.document_len > 0 && version.document[version.document_len - 1] != '\n')
            (void)putchar('\n');
        if (fflush(stdout) != 0)
            status = lf_fail(&error, LF_FILE, "standard output cannot be written");
    }
    return reading_close(&reading, status, &error);
}
