/*
 * buf.h - a buffer that grows to a maximum it was made with.
 *
 * Appending never needs checking one by one: the first failure (memory, or the maximum) sticks, and lf_buf_failed
 * tells at the end. A buffer lives in an arena or, with a NULL arena, on the heap. Not thread-safe.
 */
#ifndef LF_BASE_BUF_H
#define LF_BASE_BUF_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct lf_buf {
    char *data;             /* not NUL-terminated; see lf_buf_text */
    size_t len, cap, max;   /* bytes */
    struct lf_arena *arena; /* NULL: heap */
    bool failed;
};

/* Makes no allocation. max: the most bytes it may hold. arena: where it lives, NULL for the heap. */
void lf_buf_init(struct lf_buf *buf, struct lf_arena *arena, size_t max);

/* Frees a heap buffer; leaves it empty and usable. */
void lf_buf_finish(struct lf_buf *buf);

/* Room for `more` bytes behind len, or NULL (and failed). The caller writes there and adds to len. */
char *lf_buf_reserve(struct lf_buf *buf, size_t more);

static inline bool
lf_buf_failed(const struct lf_buf *buf)
{
    return buf->failed;
}

static inline void
lf_buf_add(struct lf_buf *buf, const void *bytes, size_t len)
{
    char *place = buf->cap - buf->len >= len && buf->data != NULL ? buf->data + buf->len : lf_buf_reserve(buf, len);

    if (place == NULL || len == 0)
        return;
    memcpy(place, bytes, len);
    buf->len += len;
}

/* A string literal. */
#define lf_buf_lit(buf, literal) lf_buf_add((buf), "" literal, sizeof(literal) - 1)

void lf_buf_text(struct lf_buf *buf, const char *text);
void lf_buf_char(struct lf_buf *buf, char c);
void lf_buf_printf(struct lf_buf *buf, const char *format, ...) LF_PRINTF(2, 3);

/* A whole number in decimal. */
void lf_buf_int(struct lf_buf *buf, int64_t value);

/* value / 10^places as a decimal without trailing zeros: (8725, 2) is 87.25, (-500000, 6) is -0.5. places 0..9. */
void lf_buf_decimal(struct lf_buf *buf, int64_t value, int places);

/* NUL-terminates and returns the text, borrowed from the buffer; NULL when it failed. */
const char *lf_buf_terminate(struct lf_buf *buf);

#endif
