/*
 * json_write.c - writing JSON: texts, numbers, whole trees, and the canonical form of RFC 8785.
 *
 * Reading is json_tree.c's. The walks are recursive: a tree is at most as deep as the door lets in.
 */
#include "base/json.h"

#include "base/json_chars.h"
#include "base/number.h"

#include <stdlib.h>

/* What stands for a character that cannot stand for itself. */
static void
put_escape(struct lf_buf *buf, char c)
{
    static const char HEX[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', HEX[(unsigned char)c >> 4], HEX[c & 15]};
    size_t len = 2;

    switch (c) {
    case '"':
    case '\\':
        escape[1] = c;
        break;
    case '\b':
        escape[1] = 'b';
        break;
    case '\f':
        escape[1] = 'f';
        break;
    case '\n':
        escape[1] = 'n';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    case '\t':
        escape[1] = 't';
        break;
    default:
        len = 6;
        break;
    }
    lf_buf_add(buf, escape, len);
}

void
lf_json_put_text(struct lf_buf *buf, const char *text, size_t len)
{
    const char *end = len > 0 ? text + len : text, *stop = lf_json_skip_unescaped(text, end);

    if (stop == end && len < SIZE_MAX - 2) { /* nearly always: one piece */
        char *place = lf_buf_reserve(buf, len + 2);

        if (place == NULL)
            return;
        place[0] = '"';
        if (len > 0)
            memcpy(place + 1, text, len);
        place[len + 1] = '"';
        buf->len += len + 2;
        return;
    }
    lf_buf_lit(buf, "\"");
    while (text < end) {
        stop = lf_json_skip_unescaped(text, end);
        lf_buf_add(buf, text, (size_t)(stop - text));
        if (stop < end)
            put_escape(buf, *stop++);
        text = stop;
    }
    lf_buf_lit(buf, "\"");
}

void
lf_json_put_number(struct lf_buf *buf, double number)
{
    char text[LF_NUMBER_TEXT_MAX];
    size_t len = lf_number_format(number, text);

    lf_buf_add(buf, text, len);
}

/* A value without members or elements, of that kind. */
static void
put_scalar(struct lf_buf *buf, const struct lf_json *node, enum lf_json_kind kind)
{
    const char *text = NULL;
    size_t len = 0;

    switch (kind) {
    case LF_JSON_BOOLEAN:
        if (lf_json_is_true(node))
            lf_buf_lit(buf, "true");
        else
            lf_buf_lit(buf, "false");
        break;
    case LF_JSON_NUMBER:
        lf_json_put_number(buf, lf_json_number(node));
        break;
    case LF_JSON_TEXT:
        text = lf_json_text(node, &len);
        lf_json_put_text(buf, text, len);
        break;
    case LF_JSON_ABSENT:
    case LF_JSON_NULL:
    case LF_JSON_ARRAY:
    case LF_JSON_OBJECT:
        lf_buf_lit(buf, "null");
        break;
    }
}

static void
put_name(struct lf_buf *buf, const struct lf_json *member)
{
    const char *name = lf_json_name(member);

    lf_json_put_text(buf, name, strlen(name));
    lf_buf_lit(buf, ":");
}

void
lf_json_put_tree(struct lf_buf *buf, const struct lf_json *node)
{
    enum lf_json_kind kind = lf_json_kind(node);
    const char *digits = kind == LF_JSON_NUMBER ? lf_json_long_digits(node) : NULL;

    if (kind != LF_JSON_ARRAY && kind != LF_JSON_OBJECT) {
        if (digits != NULL)
            lf_buf_text(buf, digits);
        else
            put_scalar(buf, node, kind);
        return;
    }
    lf_buf_add(buf, kind == LF_JSON_OBJECT ? "{" : "[", 1);
    for (const struct lf_json *item = lf_json_first(node); item != NULL; item = lf_json_next(item)) {
        if (item != lf_json_first(node))
            lf_buf_lit(buf, ",");
        if (kind == LF_JSON_OBJECT)
            put_name(buf, item);
        lf_json_put_tree(buf, item);
    }
    lf_buf_add(buf, kind == LF_JSON_OBJECT ? "}" : "]", 1);
}

/*
 * RFC 8785 sorts names by UTF-16 code units, and UTF-8 by bytes sorts by code points. The two differ only between
 * characters beyond U+FFFF (surrogates D800..DFFF there, first byte F0..F4 here) and U+E000..U+FFFF (first byte EE
 * or EF): there the former come first.
 */
static int
compare_names(const char *a, const char *b)
{
    size_t i = 0;
    unsigned char x = 0, y = 0;

    while (a[i] == b[i] && a[i] != '\0')
        i++;
    x = (unsigned char)a[i];
    y = (unsigned char)b[i];
    if (x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0))
        return x >= 0xF0 ? -1 : 1;
    return (x > y) - (x < y);
}

static int
compare_members(const void *a, const void *b)
{
    const struct lf_json *const *x = a, *const *y = b;

    return compare_names(lf_json_name(*x), lf_json_name(*y));
}

static bool
put_canonical_object(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_json *object)
{
    size_t count = lf_json_count(object), used = 0;
    const struct lf_json **members = lf_arena_calloc(scratch, count, sizeof *members);

    if (members == NULL)
        return false;
    for (const struct lf_json *item = lf_json_first(object); item != NULL; item = lf_json_next(item))
        members[used++] = item;
    qsort(members, count, sizeof *members, compare_members);
    lf_buf_lit(buf, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            lf_buf_lit(buf, ",");
        put_name(buf, members[i]);
        if (!lf_json_put_canonical(buf, scratch, members[i]))
            return false;
    }
    lf_buf_lit(buf, "}");
    return true;
}

bool
lf_json_put_canonical(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_json *node)
{
    enum lf_json_kind kind = lf_json_kind(node);

    if (kind == LF_JSON_OBJECT)
        return put_canonical_object(buf, scratch, node);
    if (kind != LF_JSON_ARRAY) {
        put_scalar(buf, node, kind);
        return true;
    }
    lf_buf_lit(buf, "[");
    for (const struct lf_json *item = lf_json_first(node); item != NULL; item = lf_json_next(item)) {
        if (item != lf_json_first(node))
            lf_buf_lit(buf, ",");
        if (!lf_json_put_canonical(buf, scratch, item))
            return false;
    }
    lf_buf_lit(buf, "]");
    return true;
}
