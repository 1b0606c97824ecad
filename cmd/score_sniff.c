/* score_sniff.c - see score_sniff.h. */
#include "score_sniff.h"

#include "score_document.h"

#include <string.h>

size_t
score_skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
        at++;
    return at;
}

/* Whether the line is a whole JSON value, be it a good lead or not. */
static bool
is_whole(const char *line, size_t len)
{
    size_t end = score_document_skip(line, len, 0);

    return end <= len && score_skip_space(line, len, end) == len;
}

/* An object at the beginning: one lead a line, or a document? */
static enum sniffed
sniff_object(const char *text, size_t len, bool all)
{
    const char *line_end = memchr(text, '\n', len);
    size_t first = line_end != NULL ? (size_t)(line_end - text) : len, next = score_skip_space(text, len, first);
    bool holder = score_document_records(text, first) != 0;

    if (line_end == NULL && !all)
        return SNIFF_MORE;
    if (!holder && line_end != NULL && is_whole(text, first))
        return SNIFFED_NDJSON;
    if (next == len && !all)
        return SNIFF_MORE;
    /* A line that does not end its object: a broken one, or the first of a document. If the next line begins another
     * object right at its beginning, the lines are leads. */
    if (holder)
        return next == len || !is_whole(text, first) ? SNIFFED_DOCUMENT : SNIFFED_NDJSON;
    return next == len || (text[next] == '{' && text[next - 1] == '\n') ? SNIFFED_NDJSON : SNIFFED_DOCUMENT;
}

enum sniffed
score_sniff(const char *text, size_t len, bool all)
{
    size_t bom = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0, at = score_skip_space(text, len, bom),
           next = 0;

    if (at == len || (len < 3 && !all))
        return all ? SNIFFED_CSV : SNIFF_MORE;
    if (text[at] == '{' && (len - at < 5 || memcmp(text + at, "{\\rtf", 5) != 0))
        return sniff_object(text + at, len - at, all);
    if (text[at] != '[')
        return SNIFFED_CSV;
    /* `[{` and `[]` are JSON; `[Company],[Name]` is a header as Access writes it. */
    next = score_skip_space(text, len, at + 1);
    if (next == len)
        return all ? SNIFFED_CSV : SNIFF_MORE;
    return text[next] == '{' || text[next] == ']' ? SNIFFED_DOCUMENT : SNIFFED_CSV;
}
