/* score_document.c - see score_document.h. */
#include "score_document.h"

#include "score_sniff.h"

#include <string.h>

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Behind the string that begins at `at` with its quote. */
static size_t
skip_string(const char *text, size_t len, size_t at)
{
    for (at++; at < len; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '"')
            return at + 1;
    }
    return SIZE_MAX;
}

size_t
score_document_skip(const char *text, size_t len, size_t at)
{
    size_t depth = 0;

    if (at < len && text[at] == '"')
        return skip_string(text, len, at);
    if (at < len && text[at] != '{' && text[at] != '[') {
        while (at < len && !is_space(text[at]) && strchr(",]}", text[at]) == NULL)
            at++;
        return at;
    }
    while (at < len) {
        char c = text[at];

        if (c == '"') {
            at = skip_string(text, len, at);
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return at;
    }
    return SIZE_MAX;
}

size_t
score_document_records(const char *text, size_t len)
{
    size_t at = score_skip_space(text, len, 0);

    if (at >= len || text[at] != '{')
        return 0;
    for (at++;; at++) {
        size_t name = score_skip_space(text, len, at), end = 0;

        if (name >= len || text[name] != '"')
            return 0;
        end = skip_string(text, len, name);
        if (end > len)
            return 0;
        at = score_skip_space(text, len, end);
        if (at >= len || text[at] != ':')
            return 0;
        at = score_skip_space(text, len, at + 1);
        if (at < len && text[at] == '[' && end - name == sizeof "\"records\"" - 1 &&
            memcmp(text + name, "\"records\"", end - name) == 0) {
            size_t first = score_skip_space(text, len, at + 1);

            /* A lead may have a field `records` of its own: then it holds no objects. */
            return first >= len || text[first] == '{' || text[first] == ']' ? at : 0;
        }
        at = score_document_skip(text, len, at);
        if (at > len)
            return 0;
        at = score_skip_space(text, len, at);
        if (at >= len || text[at] != ',')
            return 0;
    }
}

void
score_document_init(struct score_document *document, const char *text, size_t len)
{
    *document = (struct score_document){.text = text, .len = len, .line = 1};
}

static void
move_to(struct score_document *document, size_t at)
{
    const char *end = document->text + at;

    for (const char *p = document->text + document->at; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL;
         p++)
        document->line++;
    document->at = at;
}

static enum document_step
broken(struct score_document *document, struct lf_error *error, const char *why)
{
    document->done = true;
    (void)lf_fail_at(error, LF_INVALID_JSON, "", (int64_t)document->at, "%s", why);
    return DOCUMENT_BROKEN;
}

/* Steps over what stands between leads. true: a lead begins here. */
static bool
find_lead(struct score_document *document, enum document_step *ret_step, struct lf_error *error)
{
    for (;;) {
        char c = '\0';

        move_to(document, score_skip_space(document->text, document->len, document->at));
        if (document->at == document->len) {
            document->done = true;
            *ret_step = document->in_array ? broken(document, error, "the array that holds the leads does not end")
                                           : DOCUMENT_END;
            return false;
        }
        c = document->text[document->at];
        if (document->in_array && c == ']') {
            size_t behind = document->at + 1;

            document->in_array = document->after_lead = false;
            move_to(document, document->resume > behind ? document->resume : behind);
        } else if (document->after_lead) {
            if (c != ',') {
                *ret_step = broken(document, error, "a comma or the array's end is missing between two leads");
                return false;
            }
            document->after_lead = false;
            move_to(document, document->at + 1);
        } else if (document->in_array) {
            return true;
        } else if (c == '[') {
            document->in_array = true;
            document->resume = 0;
            move_to(document, document->at + 1);
        } else if (c == '{') {
            size_t left = document->len - document->at,
                   array = score_document_records(document->text + document->at, left);

            if (array == 0)
                return true;
            document->resume = score_document_skip(document->text, document->len, document->at);
            if (document->resume == SIZE_MAX) {
                *ret_step = broken(document, error, "the object that holds the records does not end");
                return false;
            }
            document->in_array = true;
            move_to(document, document->at + array + 1);
        } else {
            *ret_step = broken(document, error, "a lead is an object: { belongs here");
            return false;
        }
    }
}

enum document_step
score_document_next(struct score_document *document, const char **ret_text, size_t *ret_len, uint64_t *ret_line,
                    struct lf_error *error)
{
    enum document_step step = DOCUMENT_END;
    size_t begin = 0, end = 0;

    if (document->done)
        return DOCUMENT_END;
    if (!find_lead(document, &step, error)) {
        *ret_line = document->line;
        return step;
    }
    *ret_line = document->line;
    begin = document->at;
    end = score_document_skip(document->text, document->len, begin);
    if (end == begin)
        return broken(document, error, "a lead belongs here");
    if (end > document->len)
        return broken(document, error, "a bracket or quote is opened here that never closes");
    *ret_text = document->text + begin;
    *ret_len = end - begin;
    document->after_lead = document->in_array;
    move_to(document, end);
    return DOCUMENT_LEAD;
}
