/* document.c - see document.h. */
#include "core/document.h"

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 64, POINTER_BYTES_MAX = 4096 };

/* Writes the pointer of the place behind that of its parents. Depth is bounded by the language. */
static void
write_pointer(struct lf_buf *buf, const struct lf_place *place)
{
    if (place->parent == NULL)
        return;
    write_pointer(buf, place->parent);
    lf_buf_char(buf, '/');
    if (place->name == NULL) {
        lf_buf_int(buf, (int64_t)place->index);
        return;
    }
    for (const char *c = place->name; *c != '\0'; c++) {
        if (*c == '~')
            lf_buf_lit(buf, "~0");
        else if (*c == '/')
            lf_buf_lit(buf, "~1");
        else
            lf_buf_char(buf, *c);
    }
}

const char *
lf_place_pointer(struct lf_arena *arena, const struct lf_place *place)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, POINTER_BYTES_MAX);
    write_pointer(&buf, place);
    return lf_buf_terminate(&buf);
}

void
lf_document_out_of_memory(struct lf_document *document)
{
    document->findings->out_of_memory = true;
}

void
lf_document_fault(struct lf_document *document, const struct lf_place *place, const char *code, const char *format, ...)
{
    char detail[LF_DETAIL_MAX];
    va_list args;
    const char *pointer = NULL;

    if (document->findings->count == LF_FINDINGS_MAX) {
        document->findings->dropped++; /* counted only: a document full of faults is not to fill the memory */
        return;
    }
    pointer = lf_place_pointer(document->arena, place);
    if (pointer == NULL) {
        /* A name of thousands of bytes has no pointer worth reading: its parent's stands for it. */
        pointer = place->parent != NULL ? lf_place_pointer(document->arena, place->parent) : NULL;
        if (pointer == NULL) {
            lf_document_out_of_memory(document);
            return;
        }
    }
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    lf_findings_add(document->findings, pointer, code, "%s", detail);
}

static const char *
kind_name(const struct lf_json *node)
{
    switch (lf_json_kind(node)) {
    case LF_JSON_ABSENT:
        return "nothing";
    case LF_JSON_NULL:
        return "null";
    case LF_JSON_BOOLEAN:
        return "a boolean";
    case LF_JSON_NUMBER:
        return "a number";
    case LF_JSON_TEXT:
        return "a text";
    case LF_JSON_ARRAY:
        return "a list";
    case LF_JSON_OBJECT:
        return "an object";
    }
    return "something";
}

/* Whether the node is there; adds `required` where it is not and should be. */
static bool
present(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, bool required)
{
    if (node != NULL)
        return true;
    if (required)
        lf_document_fault(document, place, "required", "%s is missing: it is required here",
                          place->name != NULL ? place->name : "this element");
    return false;
}

static bool
of_kind(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, enum lf_json_kind kind,
        const char *wanted)
{
    if (lf_json_kind(node) == kind)
        return true;
    lf_document_fault(document, place, "wrong_type", "%s belongs here, not %s", wanted, kind_name(node));
    return false;
}

const char *
lf_words_joined(struct lf_arena *arena, const char *const *words)
{
    struct lf_buf buf;
    const char *text = NULL;

    lf_buf_init(&buf, arena, 2048);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0)
            lf_buf_text(&buf, words[i + 1] == NULL ? " or " : ", ");
        lf_buf_text(&buf, words[i]);
    }
    text = lf_buf_terminate(&buf);
    return text != NULL ? text : "";
}

/* The word nearest to the name, when it is near enough to have been meant; else NULL. */
static const char *
near_miss(const char *name, const char *const *words)
{
    const char *best = NULL;
    unsigned best_distance = 3;

    for (size_t i = 0; words[i] != NULL; i++) {
        struct lf_text a = {name, strlen(name)}, b = {words[i], strlen(words[i])};
        unsigned distance = lf_text_distance(a, b, 2);
        if (distance < best_distance && distance < b.len) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

static bool
is_among(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool
lf_document_object(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                   const char *const *names)
{
    if (!present(document, node, place, true) || !of_kind(document, node, place, LF_JSON_OBJECT, "an object"))
        return false;
    for (const struct lf_json *member = lf_json_first(node); member != NULL; member = lf_json_next(member)) {
        const char *name = lf_json_name(member), *meant = NULL;
        struct lf_place at = LF_PLACE_MEMBER(place, name);

        if (is_among(name, names))
            continue;
        meant = near_miss(name, names);
        if (meant != NULL)
            lf_document_fault(document, &at, "unknown_member", "no such member here: did you mean %s?", meant);
        else if (names[0] == NULL)
            lf_document_fault(document, &at, "unknown_member", "no member belongs here: leave it out");
        else
            lf_document_fault(document, &at, "unknown_member", "no such member here: there are %s",
                              lf_words_joined(document->arena, names));
    }
    return true;
}

bool
lf_document_array(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, size_t low,
                  size_t high)
{
    size_t count = 0;

    if (!of_kind(document, node, place, LF_JSON_ARRAY, "a list"))
        return false;
    count = lf_json_count(node);
    if (count < low) {
        lf_document_fault(document, place, "too_few", "at least %zu must stand here, not %zu", low, count);
        return false;
    }
    if (count > high) {
        lf_document_fault(document, place, "too_many", "at most %zu may stand here, not %zu", high, count);
        return false;
    }
    return true;
}

const char *
lf_document_text(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, bool required,
                 size_t max)
{
    size_t len = 0;
    const char *text = NULL;

    if (!present(document, node, place, required) || !of_kind(document, node, place, LF_JSON_TEXT, "a text"))
        return "";
    text = lf_json_text(node, &len);
    if (len == 0) {
        lf_document_fault(document, place, "too_few", "an empty text says nothing: write something or leave it out");
        return "";
    }
    if (lf_text_length(text, len) > max) {
        lf_document_fault(document, place, "too_many", "at most %zu characters may stand here", max);
        return "";
    }
    if (memchr(text, '\0', len) != NULL) {
        lf_document_fault(document, place, "invalid_value", "the character U+0000 cannot stand here");
        return "";
    }
    return text;
}

bool
lf_is_key(const char *text, size_t len)
{
    if (len == 0 || len > KEY_MAX || text[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') || text[i] == '-'))
            return false;
    return true;
}

const char *
lf_document_key(struct lf_document *document, const struct lf_json *node, const struct lf_place *place)
{
    size_t len = 0;
    const char *text = NULL;

    if (!present(document, node, place, true) || !of_kind(document, node, place, LF_JSON_TEXT, "a text"))
        return "";
    text = lf_json_text(node, &len);
    if (!lf_is_key(text, len)) {
        lf_document_fault(document, place, "invalid_key",
                          "a key has 1 to 64 of a-z, 0-9 and -, and does not begin with -");
        return "";
    }
    return text;
}

size_t
lf_document_word(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, bool required,
                 const char *const *words, size_t fallback)
{
    size_t len = 0;
    const char *text = NULL, *meant = NULL;

    if (!present(document, node, place, required) || !of_kind(document, node, place, LF_JSON_TEXT, "a text"))
        return fallback;
    text = lf_json_text(node, &len);
    for (size_t i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
            return i;
    meant = near_miss(text, words);
    if (meant != NULL)
        lf_document_fault(document, place, "invalid_value", "no such word here: did you mean %s?", meant);
    else
        lf_document_fault(document, place, "invalid_value", "one of %s belongs here",
                          lf_words_joined(document->arena, words));
    return fallback;
}

int64_t
lf_document_integer(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, int64_t low,
                    int64_t high)
{
    int64_t value = 0;

    if (!present(document, node, place, true) || !of_kind(document, node, place, LF_JSON_NUMBER, "a whole number"))
        return low;
    if (!lf_number_to_scaled(lf_json_number(node), 0, &value) || value < low || value > high) {
        lf_document_fault(document, place, "out_of_range", "a whole number from %lld to %lld belongs here",
                          (long long)low, (long long)high);
        return low;
    }
    return value;
}

int64_t
lf_document_decimal(struct lf_document *document, const struct lf_json *node, const struct lf_place *place, int places,
                    int64_t low, int64_t high, int64_t fallback)
{
    int64_t value = 0, unit = 1;
    double number = 0;

    if (node == NULL)
        return fallback;
    if (!of_kind(document, node, place, LF_JSON_NUMBER, "a number"))
        return fallback;
    for (int i = 0; i < places; i++)
        unit *= 10;
    number = lf_json_number(node);
    if (number < (double)low / (double)unit || number > (double)high / (double)unit) {
        lf_document_fault(document, place, "out_of_range", "a number from %lld to %lld belongs here",
                          (long long)(low / unit), (long long)(high / unit));
        return fallback;
    }
    if (!lf_number_to_scaled(number, places, &value)) {
        lf_document_fault(document, place, "too_many_places", "at most %d decimal places may stand here", places);
        return fallback;
    }
    return value;
}
