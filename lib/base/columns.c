/* columns.c - see columns.h. */
#include "base/columns.h"

#include "base/text.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

static const char REPLACEMENT[] = "\xEF\xBF\xBD", ELLIPSIS[] = "\xE2\x80\xA6";

/* Embeddings, overrides and isolates of Unicode's bidirectional algorithm, and its marks: they reorder what follows. */
static bool
turns_direction(int32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x061C;
}

/* What is shown in place of the character, and its columns; NULL: the character itself. */
static const char *
shown(int32_t c, size_t *ret_columns)
{
    int width = 0;

    *ret_columns = 1;
    if (c >= 0x20 && c < 0x7F)
        return NULL;
    if ((c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029)
        return " ";
    if (c < 0x20 || (c >= 0x7F && c < 0xA0) || turns_direction(c))
        return REPLACEMENT;
    width = utf8proc_charwidth(c);
    *ret_columns = width < 0 ? 0 : (size_t)width;
    return NULL;
}

size_t
lf_columns(const char *bytes, size_t len)
{
    size_t columns = 0;

    for (size_t at = 0, next = 0, width = 0; at < len; at = next) {
        (void)shown(lf_text_char(bytes, len, at, &next), &width);
        columns += width;
    }
    return columns;
}

size_t
lf_columns_put(struct lf_buf *buf, const char *bytes, size_t len, size_t most)
{
    size_t columns = 0, cut_len = buf->len, cut_columns = 0;

    for (size_t at = 0, next = 0, width = 0; at < len; at = next) {
        const char *instead = shown(lf_text_char(bytes, len, at, &next), &width);

        if (columns + width > most) {
            /* Back to where the ellipsis still fits. */
            if (most == 0 || lf_buf_failed(buf))
                return columns;
            buf->len = cut_len;
            lf_buf_add(buf, ELLIPSIS, sizeof ELLIPSIS - 1);
            return cut_columns + 1;
        }
        if (instead != NULL)
            lf_buf_text(buf, instead);
        else
            lf_buf_add(buf, bytes + at, next - at);
        columns += width;
        if (columns < most) {
            cut_len = buf->len;
            cut_columns = columns;
        }
    }
    return columns;
}

void
lf_columns_pad(struct lf_buf *buf, size_t count)
{
    char *place = lf_buf_reserve(buf, count);

    if (place == NULL)
        return;
    memset(place, ' ', count);
    buf->len += count;
}
