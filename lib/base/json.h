/*
 * json.h - strict JSON: the door in front of cJSON, and reading what came through.
 *
 * cJSON alone accepts leading zeros, raw control characters, `2.`, invalid UTF-8, duplicate names and more. Every
 * text is therefore first checked against RFC 8259 to the letter (json_door.c), in one pass, in linear time and
 * with memory bounded by the limits; only then does cJSON build the tree, in the caller's arena (json_tree.c).
 * Beyond the grammar the door refuses: invalid UTF-8 and byte order marks, lone surrogates, U+0000 in a name,
 * repeated names in an object, numbers outside a double's range or longer than a limit, too much depth or count.
 *
 * A node is borrowed from its arena and immutable; NULL stands for "not there" and every reader accepts it.
 * Thread-safe as long as an arena stays with one thread; lf_json_setup is called once, before any thread.
 */
#ifndef LF_BASE_JSON_H
#define LF_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_json; /* one value of a parsed document */

enum lf_json_kind {
    LF_JSON_ABSENT, /* no node */
    LF_JSON_NULL,
    LF_JSON_BOOLEAN,
    LF_JSON_NUMBER,
    LF_JSON_TEXT,
    LF_JSON_ARRAY,
    LF_JSON_OBJECT,
};

/* What the door lets through. Counts are over the whole text. */
struct lf_json_limits {
    size_t bytes;        /* of the text */
    size_t depth;        /* of nesting: a scalar has 0, [] has 1; more than 128 counts as 128 */
    size_t members;      /* names over all objects */
    size_t elements;     /* elements over all arrays */
    size_t number_chars; /* of one number; more than 1,000 counts as 1,000 */
};

/* The limits of api.md for a lead: 1 MiB, 64 deep, 500 members, 10,000 elements, numbers of 1,000 characters. */
extern const struct lf_json_limits LF_JSON_LEAD_LIMITS;

/* Limits for a definition or another document of ours: as above with 200,000 members and 400,000 elements. */
extern const struct lf_json_limits LF_JSON_DOCUMENT_LIMITS;

/* Gives cJSON the arenas to live in. Once, at start, before any thread. */
void lf_json_setup(void);

/* Checks the text without building anything. On failure *error has status, byte offset and, where the fault has a
 * place in the document, its JSON pointer. Statuses: INVALID_JSON, TOO_DEEP, TOO_MANY_MEMBERS, NUMBER_OUT_OF_RANGE,
 * BODY_TOO_LARGE, OUT_OF_MEMORY. scratch is used for the duplicate check and may be reset by the caller afterwards. */
enum lf_status lf_json_check(struct lf_arena *scratch, const char *text, size_t len,
                             const struct lf_json_limits *limits, struct lf_error *error) LF_MUST_CHECK;

/* Checks, then parses into the arena. *ret_root is written on success only. */
enum lf_status lf_json_parse(struct lf_arena *arena, const char *text, size_t len, const struct lf_json_limits *limits,
                             const struct lf_json **ret_root, struct lf_error *error) LF_MUST_CHECK;

enum lf_json_kind lf_json_kind(const struct lf_json *node);

/* Whether a value is something: all but null, "" and []; false for NULL. */
bool lf_json_is_something(const struct lf_json *node);

/* true only for the boolean true. */
bool lf_json_is_true(const struct lf_json *node);

/* The double nearest to the number; 0 for anything else. */
double lf_json_number(const struct lf_json *node);

/* The text (UTF-8) and its length in bytes: it may hold U+0000 and is NUL-terminated besides. NULL and 0 for
 * anything else. */
const char *lf_json_text(const struct lf_json *node, size_t *ret_len);

/* For an integral number written with more digits than a double keeps (over 15): the digits as they stood in the
 * input, else NULL. So an id of 19 digits stays what it was. */
const char *lf_json_long_digits(const struct lf_json *node);

/* The member of that very name; NULL where there is none or node is no object. Linear in the object's size. */
const struct lf_json *lf_json_member(const struct lf_json *object, const char *name);

/* First member or element; next one; a member's name (NUL-terminated, NULL for elements). */
const struct lf_json *lf_json_first(const struct lf_json *container);
const struct lf_json *lf_json_next(const struct lf_json *node);
const char *lf_json_name(const struct lf_json *node);

/* Number of members or elements; 0 for anything else. Linear. */
size_t lf_json_count(const struct lf_json *container);

/* Counts names and elements in node and below, and compares them with the limits for a lead: TOO_MANY_MEMBERS with
 * the pointer given. TOO_DEEP for one that was built deeper than any document may be. For a lead that came inside a
 * larger document, or was made from one. */
enum lf_status
lf_json_check_lead_size(const struct lf_json *lead, const char *pointer, struct lf_error *error) LF_MUST_CHECK;

/* ---- building a tree of our own (a lead from a CSV row, or from another tree) ---- */

/* An empty object in the arena; NULL when memory is out. */
struct lf_json *lf_json_new_object(struct lf_arena *arena);

/* Adds a text member. The name must not be there yet. false when memory is out. */
bool lf_json_add_text(struct lf_arena *arena, struct lf_json *object, const char *name, const char *text, size_t len);

/* Adds an empty object as a member; NULL when memory is out. */
struct lf_json *lf_json_add_object(struct lf_arena *arena, struct lf_json *object, const char *name);

/* Adds a node of another tree as a member: what is in it is shared, and stays where it is, as the name does. false when
 * memory is out. */
bool lf_json_add_shared(struct lf_arena *arena, struct lf_json *object, const char *name, const struct lf_json *node);

/* An empty array, and a text; NULL when memory is out. */
struct lf_json *lf_json_new_array(struct lf_arena *arena);
struct lf_json *lf_json_new_text(struct lf_arena *arena, const char *text, size_t len);

/* Appends a node of another tree to an array, shared as above. false when memory is out. */
bool lf_json_append_shared(struct lf_arena *arena, struct lf_json *array, const struct lf_json *node);

/* ---- writing (json_write.c) ---- */

/* Appends the text as a JSON string: quoted, the shortest escapes of RFC 8785. */
void lf_json_put_text(struct lf_buf *buf, const char *text, size_t len);

/* Appends a number as RFC 8785 (ECMAScript Number::toString) writes it. The number is finite. */
void lf_json_put_number(struct lf_buf *buf, double number);

/* Appends the tree as it is: members in order, no white space, numbers as RFC 8785 writes them; integers longer than
 * a double keeps with the digits they came with. */
void lf_json_put_tree(struct lf_buf *buf, const struct lf_json *node);

/* Appends the canonical form (RFC 8785): members sorted by UTF-16 code units, no white space. scratch holds the
 * sorted members. false when scratch is out of memory; buf's own failure sticks in buf. */
bool lf_json_put_canonical(struct lf_buf *buf, struct lf_arena *scratch, const struct lf_json *node) LF_MUST_CHECK;

#endif
