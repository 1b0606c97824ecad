/*
 * json_door.c - the strict JSON door: RFC 8259 to the letter, and what json.h refuses beyond it.
 *
 * One pass over the bytes, without recursion; nothing is built but, where cJSON would lose something, a note for
 * json_tree.c. Repeated names are json_names.c's; reading values is json_tree.c's.
 */
#include "base/json_door.h"

#include "base/json_chars.h"
#include "base/json_names.h"
#include "base/number.h"
#include "base/number_scan.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

const struct lf_json_limits LF_JSON_LEAD_LIMITS = {
    .bytes = 1 << 20, .depth = 64, .members = 500, .elements = 10000, .number_chars = 1000};

const struct lf_json_limits LF_JSON_DOCUMENT_LIMITS = {
    .bytes = 1 << 20, .depth = 64, .members = 200000, .elements = 400000, .number_chars = 1000};

/* An array or object that is open. */
struct frame {
    const char *name; /* of the member that is being read, as it stands in the text; NULL before the first */
    size_t name_len;
    size_t index; /* of the element that is being read */
    bool is_object;
    struct lf_json_names_scope names;
};

struct door {
    const char *text, *end;
    const struct lf_json_limits *limits;
    struct lf_arena *arena;
    struct lf_json_notes *notes;
    struct lf_error *error;
    enum lf_status status; /* of the failure, for functions that return a position */
    size_t members, elements, values;
    size_t depth;
    bool on_value; /* a fault belongs to the value being read, not to the container around it */
    struct lf_json_names names;
    struct frame frames[LF_JSON_DEPTH_MAX]; /* not initialised beyond depth */
};

/* ---- telling what is wrong ---- */

/* A pointer is cut at LF_POINTER_MAX by struct lf_error; the buffer takes one step or character beyond that. */
enum { POINTER_ROOM = LF_POINTER_MAX + 32, FOUND_MAX = 24 };

static size_t
append_name(char *pointer, size_t used, const char *raw, size_t raw_len)
{
    const char *end = raw + raw_len;

    pointer[used++] = '/';
    while (raw < end && used < LF_POINTER_MAX) {
        char character[4];
        size_t len = 0;

        raw = lf_json_unescape_one(raw, character, &len);
        if (character[0] == '~' || character[0] == '/') {
            pointer[used++] = '~';
            character[0] = character[0] == '~' ? '0' : '1';
        }
        memcpy(pointer + used, character, len);
        used += len;
    }
    return used;
}

static void
make_pointer(const struct door *door, char pointer[POINTER_ROOM])
{
    size_t used = 0, steps = door->depth > 0 && !door->on_value ? door->depth - 1 : door->depth;

    for (size_t i = 0; i < steps && used < LF_POINTER_MAX; i++) {
        const struct frame *frame = &door->frames[i];

        if (frame->is_object)
            used = append_name(pointer, used, frame->name, frame->name_len);
        else
            used += (size_t)snprintf(pointer + used, POINTER_ROOM - used, "/%zu", frame->index);
    }
    pointer[used] = '\0';
}

/* Says what stands at p. */
static void
describe(const struct door *door, const char *p, char text[FOUND_MAX])
{
    size_t left = (size_t)(door->end - p), len = left > 0 ? lf_json_utf8_length(p, left) : 0;

    if (left == 0)
        (void)snprintf(text, FOUND_MAX, "the end");
    else if (*p == '\n' || *p == '\r')
        (void)snprintf(text, FOUND_MAX, "a line break");
    else if (*p == ' ')
        (void)snprintf(text, FOUND_MAX, "a space");
    else if (len > 0 && (unsigned char)*p > ' ' && *p != 0x7F)
        (void)snprintf(text, FOUND_MAX, "%.*s", (int)len, p);
    else
        (void)snprintf(text, FOUND_MAX, "the byte 0x%02X", (unsigned char)*p);
}

/* Fails at p. Returns NULL, which stands for no position. */
static const char *refuse(struct door *door, enum lf_status status, const char *p, const char *format, ...)
    LF_PRINTF(4, 5) __attribute__((cold, noinline));

static const char *
refuse(struct door *door, enum lf_status status, const char *p, const char *format, ...)
{
    char pointer[POINTER_ROOM], what[LF_DETAIL_MAX];
    size_t offset = (size_t)(p - door->text);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    make_pointer(door, pointer);
    door->status = lf_fail_at(door->error, status, pointer, (int64_t)offset, "byte %zu: %s", offset, what);
    return NULL;
}

/* Fails at p, where something else should have stood. */
static const char *refuse_found(struct door *door, const char *p, const char *wanted) __attribute__((cold, noinline));

static const char *
refuse_found(struct door *door, const char *p, const char *wanted)
{
    char found[FOUND_MAX];

    describe(door, p, found);
    return refuse(door, LF_INVALID_JSON, p, "%s was expected, found %s", wanted, found);
}

static const char *
refuse_memory(struct door *door)
{
    door->status = lf_fail(door->error, LF_OUT_OF_MEMORY, "out of memory while reading JSON");
    return NULL;
}

/* ---- notes for the tree ---- */

/* Notes the value that is being read: `len` bytes of it at `begin` in the text, which the tree should hold as
 * `kept` (NULL: memory is out). Returns the position behind it. */
static const char *
note(struct door *door, enum lf_json_note_kind kind, const char *begin, size_t len, const char *kept, size_t kept_len)
{
    struct lf_json_note *added = kept != NULL ? lf_arena_alloc(door->arena, sizeof *added) : NULL;

    if (added == NULL)
        return refuse_memory(door);
    *added = (struct lf_json_note){
        .kind = kind,
        .value = door->values - 1,
        .begin = (size_t)(begin - door->text),
        .len = len,
        .kept = kept,
        .kept_len = kept_len,
    };
    if (door->notes->last != NULL)
        door->notes->last->next = added;
    else
        door->notes->first = added;
    door->notes->last = added;
    return begin + len;
}

/* The text of a checked string in the arena, NUL-terminated; NULL when memory is out. */
static const char *
unescape(struct lf_arena *arena, const char *raw, size_t raw_len, size_t *ret_len)
{
    const char *end = raw + raw_len;
    char *text = lf_arena_alloc(arena, raw_len + 1); /* an escape is never shorter than its character */
    size_t used = 0;

    if (text == NULL)
        return NULL;
    while (raw < end) {
        char character[4];
        size_t len = 0;

        raw = lf_json_unescape_one(raw, character, &len);
        memcpy(text + used, character, len);
        used += len;
    }
    text[used] = '\0';
    lf_arena_shrink(arena, text, raw_len + 1, used + 1);
    *ret_len = used;
    return text;
}

/* ---- scalars: each function returns the position behind, or NULL when it has refused ---- */

static const char *
check_literal(struct door *door, const char *p, const char *word, size_t len)
{
    size_t left = (size_t)(door->end - p), same = 0;

    if (left >= len && memcmp(p, word, len) == 0)
        return p + len;
    while (same < left && p[same] == word[same])
        same++;
    return refuse_found(door, p + same, word);
}

/* What is not an integer of few digits: length, range, and what cJSON would lose. */
static const char *
check_unusual_number(struct door *door, const char *p, const struct lf_number_shape *shape)
{
    size_t len = (size_t)(shape->end - p), digits = shape->whole_digits;
    size_t most = door->limits->number_chars < LF_NUMBER_CHARS_MAX ? door->limits->number_chars : LF_NUMBER_CHARS_MAX;
    double value = 0;

    if (len > most)
        return refuse(door, LF_NUMBER_OUT_OF_RANGE, p, "a number of more than %zu characters", most);
    /* |x| < 10^(digits before the point + exponent), and 10^308 is in range: only beyond is a conversion needed */
    if ((int)digits + shape->exponent > 308 && !lf_number_parse(p, len, &value))
        return refuse(door, LF_NUMBER_OUT_OF_RANGE, p, "a number beyond the range of a double (1.8e308)");
    if (door->notes == NULL)
        return shape->end;
    if (shape->integral && digits > LF_JSON_DIGITS_KEPT)
        return note(door, LF_JSON_NOTE_DIGITS, p, len, lf_arena_copy(door->arena, p, len), len);
    if (len > LF_JSON_CJSON_NUMBER_MAX)
        return note(door, LF_JSON_NOTE_LONG, p, len, p, len);
    return shape->end;
}

static const char *
check_number(struct door *door, const char *p)
{
    struct lf_number_shape shape;

    if (!lf_number_scan(p, door->end, &shape))
        return refuse_found(door, shape.end, shape.wanted);
    if (shape.integral && shape.end - p <= LF_JSON_DIGITS_KEPT && (size_t)(shape.end - p) <= door->limits->number_chars)
        return shape.end;
    return check_unusual_number(door, p, &shape);
}

struct string {
    bool escaped;
    const char *zero; /* the first escaped U+0000, or NULL */
};

/* The escape at p. */
static const char *
check_escape(struct door *door, const char *p, struct string *string)
{
    size_t left = (size_t)(door->end - p);
    int code = 0;

    string->escaped = true;
    if (left < 2 || p[1] != 'u') {
        if (left >= 2 && lf_json_escaped(p[1]) != 0)
            return p + 2;
        return refuse_found(door, p + 1, "one of \"\\/bfnrtu after the backslash");
    }
    for (size_t i = 2; i < 6; i++) {
        if (i >= left || lf_json_hex(p[i]) < 0)
            return refuse_found(door, p + i, "a hexadecimal digit");
    }
    code = lf_json_hex4(p + 2);
    if (code == 0 && string->zero == NULL)
        string->zero = p;
    if (code < 0xD800 || code > 0xDFFF)
        return p + 6;
    /* the lower half must follow at once, and cannot come first */
    if (code < 0xDC00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
        int low = lf_json_hex4(p + 8);

        if (low >= 0xDC00 && low <= 0xDFFF)
            return p + 12;
    }
    return refuse(door, LF_INVALID_JSON, p, "half of a surrogate pair stands alone");
}

/* The string whose inside begins at p; returns the position of its closing quote. */
static const char *
check_string(struct door *door, const char *p, struct string *ret_string)
{
    const char *end = door->end;

    *ret_string = (struct string){0};
    for (;;) {
        size_t len = 0;

        p = lf_json_skip_ascii(p, end);
        if (p == end)
            return refuse_found(door, p, "the closing quote of a text");
        if (*p == '"')
            return p;
        if (*p == '\\') {
            p = check_escape(door, p, ret_string);
            if (p == NULL)
                return NULL;
            continue;
        }
        if ((unsigned char)*p < 0x20)
            return refuse(door, LF_INVALID_JSON, p, "the control character 0x%02X must be escaped in a text", *p);
        len = lf_json_utf8_length(p, (size_t)(end - p));
        if (len == 0)
            return refuse(door, LF_INVALID_JSON, p, "the byte 0x%02X is not valid UTF-8 here", (unsigned char)*p);
        p += len;
    }
}

static const char *
check_text_value(struct door *door, const char *p)
{
    struct string string;
    const char *close = check_string(door, p + 1, &string), *kept = NULL;
    size_t len = 0;

    if (close == NULL)
        return NULL;
    if (string.zero == NULL || door->notes == NULL)
        return close + 1;
    kept = unescape(door->arena, p + 1, (size_t)(close - p) - 1, &len);
    return note(door, LF_JSON_NOTE_TEXT, p, (size_t)(close + 1 - p), kept, len);
}

/* ---- containers ---- */

/* A name and its colon; p is where the name should begin. Returns the position behind the colon. */
static const char *
check_name(struct door *door, const char *p, const char *wanted)
{
    struct frame *frame = &door->frames[door->depth - 1];
    struct string string;
    const char *close = NULL, *bytes = p + 1;
    size_t len = 0;

    if (p == door->end || *p != '"')
        return refuse_found(door, p, wanted);
    close = check_string(door, p + 1, &string);
    if (close == NULL)
        return NULL;
    if (string.zero != NULL)
        return refuse(door, LF_INVALID_JSON, string.zero, "a name cannot hold U+0000");
    frame->name = bytes;
    frame->name_len = len = (size_t)(close - bytes);
    door->on_value = true;
    if (++door->members > door->limits->members)
        return refuse(door, LF_TOO_MANY_MEMBERS, p, "more than %zu members over all objects", door->limits->members);
    if (string.escaped)
        bytes = unescape(door->arena, bytes, len, &len);
    if (bytes == NULL)
        return refuse_memory(door);
    switch (lf_json_names_add(&door->names, &frame->names, bytes, len)) {
    case LF_JSON_NAME_NEW:
        break;
    case LF_JSON_NAME_REPEATED:
        return refuse(door, LF_INVALID_JSON, p, "this name stands twice in its object");
    case LF_JSON_NAME_NO_MEMORY:
        return refuse_memory(door);
    }
    p = lf_json_skip_space(close + 1, door->end);
    if (p == door->end || *p != ':')
        return refuse_found(door, p, "a colon after the name");
    return p + 1;
}

static const char *
count_element(struct door *door, const char *p)
{
    door->on_value = true;
    if (++door->elements > door->limits->elements)
        return refuse(door, LF_TOO_MANY_MEMBERS, p, "more than %zu elements over all arrays", door->limits->elements);
    return p;
}

/* Opens the array or object at p. Returns the position of its first value, or behind it where it is empty. */
static const char *
open_container(struct door *door, const char *p, bool *ret_empty)
{
    size_t most = door->limits->depth < LF_JSON_DEPTH_MAX ? door->limits->depth : LF_JSON_DEPTH_MAX;
    struct frame *frame = &door->frames[door->depth];

    if (door->depth >= most)
        return refuse(door, LF_TOO_DEEP, p, "nested more than %zu deep", most);
    door->depth++;
    door->on_value = false;
    *frame = (struct frame){.is_object = *p == '{', .names = lf_json_names_open(&door->names)};
    p = lf_json_skip_space(p + 1, door->end);
    *ret_empty = p < door->end && *p == (frame->is_object ? '}' : ']');
    if (*ret_empty) {
        door->depth--;
        return p + 1;
    }
    return frame->is_object ? check_name(door, p, "a name or }") : count_element(door, p);
}

/* The value at p. *ret_done: it is over, or (a container that is not empty) its first value comes next. */
static const char *
check_value(struct door *door, const char *p, bool *ret_done)
{
    door->on_value = true;
    door->values++;
    *ret_done = true;
    switch (p < door->end ? *p : '\0') {
    case '"':
        return check_text_value(door, p);
    case '{':
    case '[':
        return open_container(door, p, ret_done);
    case 't':
        return check_literal(door, p, "true", 4);
    case 'f':
        return check_literal(door, p, "false", 5);
    case 'n':
        return check_literal(door, p, "null", 4);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return check_number(door, p);
    default:
        return refuse_found(door, p, "a value");
    }
}

/* What follows a value: closing brackets, then a comma or the end. Returns the position of the next value; *ret_over:
 * there is none, the document is whole. */
static const char *
check_after_value(struct door *door, const char *p, bool *ret_over)
{
    *ret_over = false;
    for (;;) {
        struct frame *frame = NULL;

        p = lf_json_skip_space(p, door->end);
        door->on_value = false;
        if (door->depth == 0) {
            *ret_over = true;
            return p == door->end ? p : refuse_found(door, p, "the end of the text");
        }
        frame = &door->frames[door->depth - 1];
        if (p < door->end && *p == ',') {
            p = lf_json_skip_space(p + 1, door->end);
            if (frame->is_object)
                return check_name(door, p, "a name after the comma");
            frame->index++;
            return count_element(door, p);
        }
        if (p == door->end || *p != (frame->is_object ? '}' : ']'))
            return refuse_found(door, p, frame->is_object ? "a comma or }" : "a comma or ]");
        lf_json_names_close(&door->names, &frame->names);
        door->depth--;
        p++;
    }
}

void
lf_json_door_setup(void)
{
    lf_json_names_setup();
}

enum lf_status
lf_json_door(struct lf_arena *arena, const char *text, size_t len, const struct lf_json_limits *limits,
             struct lf_json_notes *notes, struct lf_error *error)
{
    struct door door;                                                /* large: only what must be is initialised */
    size_t most = limits->bytes < INT_MAX ? limits->bytes : INT_MAX; /* lengths fit cJSON's int */
    const char *p = text;
    bool over = false;

    if (len > most)
        return lf_fail(error, LF_BODY_TOO_LARGE, "the text has %zu bytes, at most %zu are taken", len, most);
    if (len == 0)
        return lf_fail_at(error, LF_INVALID_JSON, "", 0, "byte 0: a value was expected, found the end");
    door.text = text;
    door.end = text + len;
    door.limits = limits;
    door.arena = arena;
    door.notes = notes;
    door.error = error;
    door.status = LF_OK;
    door.members = door.elements = door.values = 0;
    door.depth = 0;
    door.on_value = true;
    lf_json_names_init(&door.names, arena);
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        (void)refuse(&door, LF_INVALID_JSON, text, "a byte order mark cannot stand before JSON");
        return door.status;
    }
    while (p != NULL && !over) {
        bool done = false;

        p = check_value(&door, lf_json_skip_space(p, door.end), &done);
        if (p != NULL && done)
            p = check_after_value(&door, p, &over);
    }
    return door.status;
}

enum lf_status
lf_json_check(struct lf_arena *scratch, const char *text, size_t len, const struct lf_json_limits *limits,
              struct lf_error *error)
{
    return lf_json_door(scratch, text, len, limits, NULL, error);
}
