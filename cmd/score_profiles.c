/* score_profiles.c - see score_profiles.h. */
#include "score_profiles.h"

#include "base/findings.h"
#include "base/text.h"
#include "core/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFINITION_MAX = 1 << 20,
    LIST_MAX = 256 << 20, /* bytes: a million entries of a usual length fit well */
    FINDINGS_ARENA_MAX = 16 << 20
};

int
score_profiles_icp(void *context, const char *value)
{
    struct score_profiles *given = context;

    if (given->count == SCORE_ICPS_MAX)
        return wrong_usage(given->command, "at most %d ICPs are scored at once", SCORE_ICPS_MAX);
    given->paths[given->count++] = value;
    return 0;
}

int
score_profiles_list(void *context, const char *value)
{
    struct score_profiles *given = context;
    struct list_file *file = &given->lists[given->list_count];
    const char *equals = strchr(value, '=');

    if (equals == NULL || equals[1] == '\0' || !lf_is_key(value, (size_t)(equals - value)))
        return wrong_usage(given->command, "--list wants KEY=FILE, such as --list competitors=competitors.txt");
    if (given->list_count == SCORE_LISTS_MAX)
        return wrong_usage(given->command, "at most %d lists can be given", SCORE_LISTS_MAX);
    (void)snprintf(file->key, sizeof file->key, "%.*s", (int)(equals - value), value);
    file->path = equals + 1;
    for (size_t i = 0; i < given->list_count; i++)
        if (strcmp(given->lists[i].key, file->key) == 0)
            return wrong_usage(given->command, "the list %s is given twice", file->key);
    given->list_count++;
    return 0;
}

/* ---- lists ---- */

/* Cuts the text into lines, in place. NULL: memory is out. */
static const char **
cut_lines(char *text, size_t len, size_t *ret_count)
{
    const char **lines = NULL;
    size_t count = 0, most = 1;
    char *at = text;

    for (size_t i = 0; i < len; i++)
        most += text[i] == '\n';
    lines = malloc(most * sizeof *lines);
    while (lines != NULL && at < text + len) {
        char *end = memchr(at, '\n', (size_t)(text + len - at));

        if (end == NULL)
            end = text + len;
        *end = '\0';
        lines[count++] = at;
        at = end + 1;
    }
    *ret_count = count;
    return lines;
}

static enum lf_status
make_list(struct list_file *file, char *text, size_t len, struct lf_error *error)
{
    size_t bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, bad = 0, count = 0;
    const char **lines = NULL;
    enum lf_status status = LF_OK;

    if (!lf_text_is_utf8(text, len, &bad) || memchr(text, '\0', len) != NULL)
        return lf_fail(error, LF_FILE, "%s: not text in UTF-8", file->path);
    lines = cut_lines(text + bom, len - bom, &count);
    if (lines == NULL)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading %s", file->path);
    if (count > LF_NAMED_LIST_ENTRIES_MAX)
        status = lf_fail(error, LF_FILE, "%s: a list has at most %d entries", file->path, LF_NAMED_LIST_ENTRIES_MAX);
    if (status == LF_OK) /* which folds the entries, and so takes carriage returns and blank lines off */
        status = lf_named_list_create(file->key, 1, lines, count, &file->list, error);
    free(lines);
    return status;
}

static enum lf_status
load_list(struct list_file *file, struct lf_error *error)
{
    char *text = NULL;
    size_t len = 0;
    enum lf_status status = read_file(file->path, LIST_MAX, &text, &len, error);

    if (status == LF_OK)
        status = make_list(file, text, len, error);
    free(text);
    return status;
}

/* While compiling: the lists that definitions name, and those of them that were not given. */
struct looking {
    struct score_profiles *given;
    const char *missing[SCORE_LISTS_MAX]; /* each is told once, however many rules ask for it */
    size_t missing_count;
};

static const struct lf_named_list *
find_list(void *context, const char *key)
{
    struct looking *looking = context;
    struct score_profiles *given = looking->given;

    for (size_t i = 0; i < given->list_count; i++) {
        if (strcmp(given->lists[i].key, key) == 0) {
            given->lists[i].used = true;
            return given->lists[i].list;
        }
    }
    for (size_t i = 0; i < looking->missing_count; i++)
        if (strcmp(looking->missing[i], key) == 0)
            return NULL;
    if (looking->missing_count == SCORE_LISTS_MAX)
        return NULL;
    looking->missing[looking->missing_count++] = key;
    (void)fprintf(
        stderr,
        "leadfit score: an ICP asks for the list \"%s\", which is not given: add --list %s=FILE, one entry a line\n",
        key, key);
    return NULL;
}

/* ---- ICPs ---- */

/* The line on which the byte stands, the first being 1. */
static size_t
line_of(const char *text, size_t len, int64_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < len && (int64_t)i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Tells what keeps the file from being a definition, as icp lint does. */
static int
tell_faults(const char *path, const char *text, size_t len, const struct lf_findings *findings,
            const struct lf_error *error)
{
    if (findings->count == 0 && error->offset >= 0)
        (void)fprintf(stderr, "%s:%zu: %s\n", path, line_of(text, len, error->offset), error->detail);
    else if (findings->count == 0)
        (void)fprintf(stderr, "%s: %s\n", path, error->detail);
    for (size_t i = 0; i < findings->count; i++)
        (void)fprintf(stderr, "%s: error %s at %s: %s\n", path, findings->items[i].code,
                      findings->items[i].pointer[0] != '\0' ? findings->items[i].pointer : "/",
                      findings->items[i].detail);
    if (findings->dropped > 0)
        (void)fprintf(stderr, "%s: and %zu more\n", path, findings->dropped);
    return EXIT_FAULT;
}

static int
add_icp(struct score_profiles *given, size_t index, struct lf_arena *arena)
{
    const char *path = given->paths[index];
    struct lf_findings findings;
    struct lf_error error;
    char *text = NULL;
    size_t len = 0;
    enum lf_status status = LF_OK;

    lf_arena_reset(arena);
    lf_findings_init(&findings, arena);
    if (read_file(path, DEFINITION_MAX, &text, &len, &error) != LF_OK)
        return fault(&error);
    status = lf_profiles_add(given->profiles, text, len, 0, 0, &findings, &error);
    if (status != LF_OK) {
        int code = tell_faults(path, text, len, &findings, &error);

        free(text);
        return code;
    }
    free(text);
    given->keys[index] = given->profiles->items[index].icp->key;
    for (size_t i = 0; i < index; i++)
        if (strcmp(given->keys[i], given->keys[index]) == 0)
            return wrong_usage(given->command, "%s and %s both define the ICP %s", given->paths[i], path,
                               given->keys[index]);
    return 0;
}

static int
compile(struct score_profiles *given)
{
    struct looking looking = {.given = given};
    struct lf_list_source source = {find_list, &looking};
    struct lf_error error;

    if (lf_profiles_compile(given->profiles, &source, &error) != LF_OK)
        return fault(&error);
    if (looking.missing_count > 0)
        return EXIT_WRONG_USAGE;
    for (size_t i = 0; i < given->list_count; i++)
        if (!given->lists[i].used)
            (void)fprintf(stderr, "leadfit score: no ICP asks for the list %s (%s)\n", given->lists[i].key,
                          given->lists[i].path);
    return 0;
}

int
score_profiles_load(struct score_profiles *given)
{
    struct lf_error error;
    struct lf_arena *arena = NULL;
    int code = 0;

    for (size_t i = 0; i < given->list_count; i++)
        if (load_list(&given->lists[i], &error) != LF_OK)
            return fault(&error);
    if (lf_profiles_create(given->count, &given->profiles, &error) != LF_OK)
        return fault(&error);
    arena = lf_arena_create(16384, FINDINGS_ARENA_MAX);
    if (arena == NULL) {
        (void)lf_fail(&error, LF_OUT_OF_MEMORY, "out of memory while reading ICPs");
        return fault(&error);
    }
    for (size_t i = 0; code == 0 && i < given->count; i++)
        code = add_icp(given, i, arena);
    lf_arena_destroy(arena);
    return code != 0 ? code : compile(given);
}

void
score_profiles_finish(struct score_profiles *given)
{
    lf_profiles_destroy(given->profiles);
    for (size_t i = 0; i < given->list_count; i++)
        lf_named_list_destroy(given->lists[i].list);
}
