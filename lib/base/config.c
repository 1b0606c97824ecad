/* config.c - see config.h. The values' syntax is in config_value.c. */
#include "base/config.h"

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_MAX = 64,
    TEXT_MAX = 4096,
    FILE_MAX = 1024 * 1024,
    HELP_DEFAULT_MAX = 60 /* more would be lost in a line of help */
};

static const struct lf_setting SETTINGS[LF_SETTING_COUNT] = {
#define LF_X(id, key, type, fallback, least, most, words, reloadable, help) \
    [LF_SETTING_##id] = {key, LF_SETTING_##type, fallback, least, most, words, reloadable, help},
    LF_CONFIG_LIST(LF_X)
#undef LF_X
};

/* Where a value comes from, the weakest first. */
enum origin { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_OPTION };

struct value {
    enum origin origin;
    int64_t number;
    char *text; /* of a TEXT */
};

struct lf_config {
    struct value values[LF_SETTING_COUNT];
};

const struct lf_setting *
lf_config_setting(enum lf_setting_id id)
{
    return &SETTINGS[id];
}

/* Sets a value unless a stronger one is there. Bad ones are refused even so: they are slips. */
static enum lf_status
set(struct lf_config *config, enum lf_setting_id id, enum origin origin, const char *text, struct lf_error *error)
{
    const struct lf_setting *setting = &SETTINGS[id];
    struct value *value = &config->values[id];
    int64_t number = 0;
    size_t len = strlen(text);
    char *copy = NULL;

    if (setting->type != LF_SETTING_TEXT) {
        enum lf_status status = lf_setting_parse(setting, text, &number, error);
        if (status != LF_OK)
            return status;
    } else if (!lf_text_is_utf8(text, len, NULL)) {
        return lf_fail(error, LF_CONFIG, "the value is not UTF-8");
    } else if (len < (size_t)setting->least || len > (size_t)setting->most) {
        return lf_fail(error, LF_CONFIG, "a text of %d to %d bytes belongs here", (int)setting->least,
                       (int)setting->most);
    }
    if (origin < value->origin)
        return LF_OK;
    if (setting->type == LF_SETTING_TEXT) {
        copy = strdup(text);
        if (copy == NULL)
            return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the configuration");
        free(value->text);
        value->text = copy;
    }
    value->number = number;
    value->origin = origin;
    return LF_OK;
}

struct lf_config *
lf_config_create(void)
{
    struct lf_config *config = calloc(1, sizeof *config);

    for (int id = 0; config != NULL && id < LF_SETTING_COUNT; id++) {
        enum lf_status status = set(config, (enum lf_setting_id)id, FROM_DEFAULT, SETTINGS[id].fallback, NULL);

        assert(status == LF_OK || status == LF_OUT_OF_MEMORY); /* a default that is not allowed is a bug of the list */
        if (status != LF_OK) {
            lf_config_destroy(config);
            config = NULL;
        }
    }
    return config;
}

void
lf_config_destroy(struct lf_config *config)
{
    if (config == NULL)
        return;
    for (int id = 0; id < LF_SETTING_COUNT; id++)
        free(config->values[id].text);
    free(config);
}

/* The failure as it is, told with the place in front. */
static enum lf_status
fail_in(struct lf_error *error, enum lf_status status, const struct lf_error *cause, const char *place)
{
    return lf_fail(error, status, "%.120s: %s", place, cause->detail);
}

/* ---- the file ---- */

struct file {
    struct lf_config *config;
    const char *name, *at, *end;  /* the text that is left */
    int line;                     /* the physical line that inih was given last */
    int set_on[LF_SETTING_COUNT]; /* the line that sets it; 0: none yet */
    bool unended, goes_on;        /* the line before ended with a comma; this one goes on with it */
    char text[TEXT_MAX + 2];      /* the value, of as many lines as were read; one byte more than may be */
    enum lf_status status;
    struct lf_error *error;
};

static int LF_PRINTF(2, 3) fail_line(struct file *file, const char *format, ...)
{
    char detail[LF_DETAIL_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    if (file->status == LF_OK)
        file->status = lf_fail(file->error, LF_CONFIG, "%.120s:%d: %s", file->name, file->line, detail);
    return 0;
}

/* Whether a line says that more is to come: `key = one, two,`. */
static bool
ends_with_comma(const char *line, size_t len)
{
    if (len == 0 || line[0] == '#' || line[0] == ';')
        return false;
    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
        len--;
    return len > 0 && line[len - 1] == ',';
}

/* inih's reader: one line of the text, without its end and the white space in front, which inih takes as the sign that
 * it goes on with the value above: that is left only where the line above ends with a comma. A line that does not fit
 * is refused, where inih would cut it in two. */
static char *
read_line(char *to, int size, void *stream)
{
    struct file *file = stream;
    const char *stop = NULL;
    size_t len = 0;
    bool indented = false;

    if (file->at == file->end || file->status != LF_OK)
        return NULL;
    file->line++;
    stop = memchr(file->at, '\n', (size_t)(file->end - file->at));
    len = (size_t)((stop != NULL ? stop : file->end) - file->at);
    while (len > 0 && (*file->at == ' ' || *file->at == '\t')) {
        file->at++;
        len--;
        indented = true;
    }
    file->goes_on = file->unended && indented;
    file->unended = ends_with_comma(file->at, len);
    if (memchr(file->at, '\0', len) != NULL) {
        (void)fail_line(file, "a NUL byte");
        return NULL;
    }
    if (size < 2 || len + file->goes_on >= (size_t)size) {
        (void)fail_line(file, "the line is longer than %d bytes", size - 1);
        return NULL;
    }
    to[0] = ' ';
    memcpy(to + file->goes_on, file->at, len);
    to[file->goes_on + len] = '\0';
    file->at += len + (stop != NULL);
    return to;
}

static int
find_key(const char *key)
{
    for (int id = 0; id < LF_SETTING_COUNT; id++)
        if (strcmp(SETTINGS[id].key, key) == 0)
            return id;
    return -1;
}

/* The key that an unknown one is most like; NULL when none is close. */
static const char *
nearest_key(const char *key)
{
    unsigned least = 3; /* two slips are still a slip of the keyboard */
    const char *nearest = NULL;

    for (int id = 0; id < LF_SETTING_COUNT; id++) {
        struct lf_text known = {SETTINGS[id].key, strlen(SETTINGS[id].key)}, given = {key, strlen(key)};
        unsigned distance = lf_text_is_utf8(key, given.len, NULL) ? lf_text_distance(known, given, 2) : 3;

        if (distance < least) {
            least = distance;
            nearest = SETTINGS[id].key;
        }
    }
    return nearest;
}

/* The length of a text without a comment behind it: inih takes that off a first line, and off one that goes on with a
 * value in newer versions only. */
static size_t
without_comment(const char *text)
{
    size_t len = 0;

    while (text[len] != '\0' && (text[len] != ';' || (len > 0 && text[len - 1] != ' ' && text[len - 1] != '\t')))
        len++;
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return len;
}

static int
handle_key(void *user, const char *section, const char *name, const char *text)
{
    struct file *file = user;
    struct lf_error cause;
    enum lf_status status = LF_OK;
    char key[2 * KEY_MAX];
    int id = -1, len = snprintf(key, sizeof key, "%s%s%s", section, section[0] != '\0' ? "." : "", name);

    if (file->status != LF_OK)
        return 0;
    if (len > 0 && (size_t)len < sizeof key)
        id = find_key(key);
    if (id < 0) {
        const char *nearest = nearest_key(key);

        return nearest != NULL ? fail_line(file, "there is no setting '%.60s'; is '%s' meant?", key, nearest)
                               : fail_line(file, "there is no setting '%.60s'", key);
    }
    if (file->goes_on) {
        size_t so_far = strlen(file->text);

        (void)snprintf(file->text + so_far, sizeof file->text - so_far, " %.*s", (int)without_comment(text), text);
    } else {
        if (file->set_on[id] != 0)
            return fail_line(file, "'%s' is already set on line %d", key, file->set_on[id]);
        file->set_on[id] = file->line;
        (void)snprintf(file->text, sizeof file->text, "%s", text);
    }
    status = set(file->config, (enum lf_setting_id)id, FROM_FILE, file->text, &cause);
    if (status == LF_CONFIG)
        return fail_line(file, "%s: %s", key, cause.detail);
    if (status != LF_OK)
        file->status = lf_fail(file->error, status, "%s", cause.detail);
    return status == LF_OK;
}

enum lf_status
lf_config_read_text(struct lf_config *config, const char *name, const char *text, size_t len, struct lf_error *error)
{
    struct file file = {.config = config, .name = name, .status = LF_OK, .error = error};
    int line = 0;

    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    file.at = text;
    file.end = text + len;
    line = ini_parse_stream(read_line, &file, handle_key, &file);
    if (file.status != LF_OK)
        return file.status;
    if (line < 0)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading the configuration");
    if (line > 0)
        return lf_fail(error, LF_CONFIG, "%.120s:%d: a line is `key = value`, `[section]`, or a comment after # or ;",
                       name, line);
    return LF_OK;
}

enum lf_status
lf_config_read_file(struct lf_config *config, const char *path, struct lf_error *error)
{
    FILE *file = fopen(path, "re");
    struct lf_buf text;
    enum lf_status status = LF_OK;

    if (file == NULL)
        return lf_fail(error, LF_FILE, "%.200s: %s", path, strerror(errno));
    lf_buf_init(&text, NULL, FILE_MAX);
    for (;;) {
        char piece[4096];
        size_t count = fread(piece, 1, sizeof piece, file);

        lf_buf_add(&text, piece, count);
        if (count < sizeof piece)
            break;
    }
    if (ferror(file))
        status = lf_fail(error, LF_FILE, "%.200s: %s", path, strerror(errno));
    else if (lf_buf_failed(&text))
        status = lf_fail(error, LF_FILE, "%.200s: more than %d bytes, or memory is out", path, FILE_MAX);
    else
        status = lf_config_read_text(config, path, text.len > 0 ? text.data : "", text.len, error);
    lf_buf_finish(&text);
    (void)fclose(file); /* only read: nothing is lost */
    return status;
}

/* ---- environment and options ---- */

/* The key with another spelling: LEADFIT_MAX_BODY, --max-body. */
static void
spell(char to[2 * KEY_MAX], const char *prefix, const char *key, char joint, bool upper)
{
    size_t at = strlen(prefix);

    memcpy(to, prefix, at);
    for (; *key != '\0' && at < 2 * KEY_MAX - 1; key++, at++) {
        bool letter = *key >= 'a' && *key <= 'z';

        to[at] = *key == '.' || *key == '-' || *key == '_' ? joint
                 : upper && letter                         ? (char)(*key - ('a' - 'A'))
                                                           : *key;
    }
    to[at] = '\0';
}

/* The value in `NAME=value` when name is NAME; "" for `NAME` alone is not it. */
static const char *
value_behind(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

enum lf_status
lf_config_read_environment(struct lf_config *config, char *const *environment, struct lf_error *error)
{
    for (int id = 0; id < LF_SETTING_COUNT; id++) {
        char name[2 * KEY_MAX];
        const char *text = NULL;

        spell(name, "LEADFIT_", SETTINGS[id].key, '_', true);
        for (char *const *entry = environment; *entry != NULL && text == NULL; entry++)
            text = value_behind(*entry, name);
        if (text != NULL) {
            struct lf_error cause;
            enum lf_status status = set(config, (enum lf_setting_id)id, FROM_ENVIRONMENT, text, &cause);
            if (status != LF_OK)
                return fail_in(error, status, &cause, name);
        }
    }
    return LF_OK;
}

enum lf_status
lf_config_take_option(struct lf_config *config, int argc, char *const *argv, int *at, bool *ret_taken,
                      struct lf_error *error)
{
    *ret_taken = false;
    for (int id = 0; id < LF_SETTING_COUNT; id++) {
        char name[2 * KEY_MAX];
        const char *text = NULL;
        bool apart = false; /* the value is an argument of its own */
        struct lf_error cause;
        enum lf_status status = LF_OK;

        spell(name, "--", SETTINGS[id].key, '-', false);
        text = value_behind(argv[*at], name);
        if (text == NULL && strcmp(argv[*at], name) != 0)
            continue;
        if (text == NULL) {
            if (*at + 1 >= argc)
                return lf_fail(error, LF_USAGE, "%s: a value is missing (%s)", name, SETTINGS[id].help);
            apart = true;
            text = argv[*at + 1];
        }
        status = set(config, (enum lf_setting_id)id, FROM_OPTION, text, &cause);
        if (status != LF_OK)
            return fail_in(error, status == LF_CONFIG ? LF_USAGE : status, &cause, name);
        *at += apart ? 2 : 1;
        *ret_taken = true;
        return LF_OK;
    }
    return LF_OK;
}

/* ---- reading ---- */

const char *
lf_config_text(const struct lf_config *config, enum lf_setting_id id)
{
    assert(SETTINGS[id].type == LF_SETTING_TEXT);
    return config->values[id].text;
}

int64_t
lf_config_number(const struct lf_config *config, enum lf_setting_id id)
{
    assert(SETTINGS[id].type != LF_SETTING_TEXT);
    return config->values[id].number;
}

bool
lf_config_differs(const struct lf_config *a, const struct lf_config *b, enum lf_setting_id id)
{
    if (SETTINGS[id].type == LF_SETTING_TEXT)
        return strcmp(a->values[id].text, b->values[id].text) != 0;
    return a->values[id].number != b->values[id].number;
}

void
lf_config_put_help(struct lf_buf *buf, enum lf_setting_id id)
{
    static const char *const TAKES[] = {
        [LF_SETTING_TEXT] = "TEXT",         [LF_SETTING_INTEGER] = "NUMBER", [LF_SETTING_SIZE] = "SIZE",
        [LF_SETTING_DURATION] = "DURATION", [LF_SETTING_BOOLEAN] = "yes|no", [LF_SETTING_WORD] = NULL,
    };
    const struct lf_setting *setting = &SETTINGS[id];
    char name[2 * KEY_MAX], option[4 * KEY_MAX];

    spell(name, "--", setting->key, '-', false);
    (void)snprintf(option, sizeof option, "%s %s", name,
                   setting->type == LF_SETTING_WORD ? setting->words : TAKES[setting->type]);
    lf_buf_printf(buf, "  %-38s %s", option, setting->help);
    if (strlen(setting->fallback) > HELP_DEFAULT_MAX)
        lf_buf_lit(buf, " (default: a list, in config/leadfit.ini)");
    else if (setting->fallback[0] != '\0')
        lf_buf_printf(buf, " (default %s)", setting->fallback);
    lf_buf_char(buf, '\n');
}
