/* config_value.c - how the value of a setting is written; see config.h. */
#include "base/config.h"

#include <string.h>
#include <strings.h>

/* A unit and how many of the smallest it holds, the largest first. */
struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit SIZES[] = {{"GiB", 1024 * LF_MIB}, {"MiB", LF_MIB}, {"KiB", LF_KIB}, {"B", 1}, {NULL, 0}};
static const struct unit DURATIONS[] = {
    {"h", 60 * LF_MINUTE_MS}, {"min", LF_MINUTE_MS}, {"s", LF_SECOND_MS}, {"ms", 1}, {NULL, 0}};
static const struct unit NONE[] = {{NULL, 0}};

/* Whole digits, spaces, then a unit or nothing (*ret_unit is then empty). false when it is no such thing, or has more
 * digits than any setting needs. */
static bool
read_number(const char *text, int64_t *ret_number, const char **ret_unit)
{
    enum { DIGITS_MAX = 15 };
    int64_t number = 0;
    size_t digits = 0;

    for (; text[digits] >= '0' && text[digits] <= '9'; digits++) {
        if (digits == DIGITS_MAX)
            return false;
        number = number * 10 + (text[digits] - '0');
    }
    if (digits == 0)
        return false;
    text += digits;
    *ret_number = number;
    *ret_unit = text + strspn(text, " ");
    return true;
}

static const struct unit *
units_of(enum lf_setting_type type)
{
    return type == LF_SETTING_SIZE ? SIZES : type == LF_SETTING_DURATION ? DURATIONS : NONE;
}

/* A quantity in its largest whole unit, as messages have it. */
static void
put_quantity(struct lf_buf *buf, enum lf_setting_type type, int64_t number)
{
    for (const struct unit *unit = units_of(type); unit->name != NULL; unit++)
        if (number != 0 && number % unit->factor == 0) {
            lf_buf_int(buf, number / unit->factor);
            lf_buf_char(buf, ' ');
            lf_buf_text(buf, unit->name);
            return;
        }
    lf_buf_int(buf, number);
}

static enum lf_status
refuse_quantity(const struct lf_setting *setting, const char *text, struct lf_error *error)
{
    static const char *const KINDS[] = {
        [LF_SETTING_TEXT] = "",
        [LF_SETTING_INTEGER] = "whole number",
        [LF_SETTING_SIZE] = "size (B, KiB, MiB or GiB)",
        [LF_SETTING_DURATION] = "duration (with ms, s, min or h)",
        [LF_SETTING_BOOLEAN] = "",
        [LF_SETTING_WORD] = "",
    };
    char range[96];
    struct lf_buf buf = {.data = range, .cap = sizeof range, .max = sizeof range}; /* in place: it never grows */
    const char *told = NULL;

    put_quantity(&buf, setting->type, setting->least);
    lf_buf_text(&buf, " to ");
    put_quantity(&buf, setting->type, setting->most);
    told = lf_buf_terminate(&buf);
    return lf_fail(error, LF_CONFIG, "'%.60s': a %s from %s belongs here", text, KINDS[setting->type],
                   told != NULL ? told : "");
}

static enum lf_status
parse_quantity(const struct lf_setting *setting, const char *text, int64_t *ret_number, struct lf_error *error)
{
    int64_t number = 0, factor = 0;
    const char *name = NULL;

    if (!read_number(text, &number, &name))
        return refuse_quantity(setting, text, error);
    /* A bare number of bytes is clear; 15 could be seconds or milliseconds, 0 is 0 in either. */
    if (name[0] == '\0')
        factor = setting->type != LF_SETTING_DURATION || number == 0;
    for (const struct unit *unit = units_of(setting->type); unit->name != NULL; unit++)
        if (strcasecmp(unit->name, name) == 0)
            factor = unit->factor;
    if (factor == 0 || number > INT64_MAX / factor)
        return refuse_quantity(setting, text, error);
    number *= factor;
    if (number < setting->least || number > setting->most)
        return refuse_quantity(setting, text, error);
    *ret_number = number;
    return LF_OK;
}

/* The index of the text among words parted by `|`; -1 where it is none of them. */
static int
word_index(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (int index = 0;; index++) {
        size_t size = strcspn(words, "|");

        if (size == len && strncmp(words, text, len) == 0)
            return index;
        if (words[size] == '\0')
            return -1;
        words += size + 1;
    }
}

enum lf_status
lf_setting_parse(const struct lf_setting *setting, const char *text, int64_t *ret_number, struct lf_error *error)
{
    int index = -1;

    switch (setting->type) {
    case LF_SETTING_INTEGER:
    case LF_SETTING_SIZE:
    case LF_SETTING_DURATION:
        return parse_quantity(setting, text, ret_number, error);
    case LF_SETTING_BOOLEAN:
        index = word_index("no|yes|false|true|off|on|0|1", text);
        if (index < 0)
            return lf_fail(error, LF_CONFIG, "'%.60s': yes or no belongs here", text);
        *ret_number = index % 2;
        return LF_OK;
    case LF_SETTING_WORD:
        index = word_index(setting->words, text);
        if (index < 0)
            return lf_fail(error, LF_CONFIG, "'%.60s': one of %s belongs here", text, setting->words);
        *ret_number = index;
        return LF_OK;
    case LF_SETTING_TEXT:
    default:
        return lf_fail(error, LF_INTERNAL, "a text is not read as a number");
    }
}
