/* status.c - see status.h. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word;
    int http;
    const char *title;
} TABLE[LF_STATUS_COUNT] = {
#define LF_X(name, word, http, title) [LF_##name] = {word, http, title},
    LF_STATUS_LIST(LF_X)
#undef LF_X
};

const char *
lf_status_word(enum lf_status status)
{
    return TABLE[status].word;
}

int
lf_status_http(enum lf_status status)
{
    return TABLE[status].http;
}

const char *
lf_status_title(enum lf_status status)
{
    return TABLE[status].title;
}

/* Takes off the bytes of a character that vsnprintf cut in two. */
static void
trim_partial_character(char *text)
{
    size_t len = strlen(text), back = 0;

    while (back < 3 && back < len && ((unsigned char)text[len - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back >= len)
        return;
    unsigned char lead = (unsigned char)text[len - 1 - back];
    size_t want = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (want > back)
        text[len - 1 - back] = '\0';
}

static void fill(struct lf_error *error, enum lf_status status, const char *pointer, int64_t offset, const char *format,
                 va_list args) LF_PRINTF(5, 0);

static void
fill(struct lf_error *error, enum lf_status status, const char *pointer, int64_t offset, const char *format,
     va_list args)
{
    if (error == NULL)
        return;
    error->status = status;
    error->offset = offset;
    (void)snprintf(error->pointer, sizeof error->pointer, "%s", pointer != NULL ? pointer : "");
    (void)vsnprintf(error->detail, sizeof error->detail, format, args);
    trim_partial_character(error->pointer);
    trim_partial_character(error->detail);
}

enum lf_status
lf_fail(struct lf_error *error, enum lf_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(error, status, NULL, -1, format, args);
    va_end(args);
    return status;
}

enum lf_status
lf_fail_at(struct lf_error *error, enum lf_status status, const char *pointer, int64_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(error, status, pointer, offset, format, args);
    va_end(args);
    return status;
}
