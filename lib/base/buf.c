/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
lf_buf_init(struct lf_buf *buf, struct lf_arena *arena, size_t max)
{
    *buf = (struct lf_buf){.max = max, .arena = arena};
}

void
lf_buf_finish(struct lf_buf *buf)
{
    if (buf->arena == NULL)
        free(buf->data);
    lf_buf_init(buf, buf->arena, buf->max);
}

char *
lf_buf_reserve(struct lf_buf *buf, size_t more)
{
    if (buf->failed || more > buf->max - buf->len) {
        buf->failed = true;
        return NULL;
    }
    if (buf->data == NULL || buf->cap - buf->len < more) {
        size_t cap = buf->cap < 256 ? 256 : buf->cap > buf->max / 2 ? buf->max : buf->cap * 2;
        char *data = NULL;

        if (cap > buf->max)
            cap = buf->max;
        if (cap < buf->len + more)
            cap = buf->len + more;
        if (buf->arena == NULL) {
            data = realloc(buf->data, cap);
        } else {
            data = lf_arena_alloc(buf->arena, cap);
            if (data != NULL && buf->len > 0)
                memcpy(data, buf->data, buf->len);
        }
        if (data == NULL) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void
lf_buf_text(struct lf_buf *buf, const char *text)
{
    lf_buf_add(buf, text, strlen(text));
}

void
lf_buf_char(struct lf_buf *buf, char c)
{
    lf_buf_add(buf, &c, 1);
}

void
lf_buf_printf(struct lf_buf *buf, const char *format, ...)
{
    va_list args;
    int len = 0;
    char *place = NULL;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    place = lf_buf_reserve(buf, (size_t)len + 1);
    if (place == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(place, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

/* Writes the digits of value, least first, in front of end; returns where they begin. */
static char *
digits_before(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

void
lf_buf_int(struct lf_buf *buf, int64_t value)
{
    char text[24], *end = text + sizeof text;
    char *begin = NULL;

    if (value >= 0 && value < 10) {
        lf_buf_char(buf, (char)('0' + value));
        return;
    }
    begin = digits_before(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
    if (value < 0)
        *--begin = '-';
    lf_buf_add(buf, begin, (size_t)(end - begin));
}

void
lf_buf_decimal(struct lf_buf *buf, int64_t value, int places)
{
    static const int64_t POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    char text[32], *end = text + sizeof text, *begin = end;
    uint64_t rest = 0;

    /* Most points and many scores are whole. */
    if (value % POWERS[places] == 0) {
        lf_buf_int(buf, value / POWERS[places]);
        return;
    }
    rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    while (rest % 10 == 0) {
        rest /= 10;
        places--;
    }
    for (int i = 0; i < places; i++) {
        *--begin = (char)('0' + rest % 10);
        rest /= 10;
    }
    *--begin = '.';
    begin = digits_before(begin, rest);
    if (value < 0)
        *--begin = '-';
    lf_buf_add(buf, begin, (size_t)(end - begin));
}

const char *
lf_buf_terminate(struct lf_buf *buf)
{
    char *place = lf_buf_reserve(buf, 1);

    if (place == NULL)
        return NULL;
    *place = '\0';
    return buf->data;
}
