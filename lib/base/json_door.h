/*
 * json_door.h - what the door (json_door.c) tells the tree builder (json_tree.c). Internal to lib/base.
 */
#ifndef LF_BASE_JSON_DOOR_H
#define LF_BASE_JSON_DOOR_H

#include "base/json.h"

/* No document nests deeper, whatever its limits say: frames live on the stack, and cJSON gives up at 1,000. */
enum { LF_JSON_DEPTH_MAX = 128 };

/* The digits that any integer keeps in a double (DBL_DIG), and the characters of a number that every cJSON reads:
 * 1.7.15 as released has a buffer of so many and takes what lies behind them for rubbish (later releases, and
 * Debian's, do not). */
enum { LF_JSON_DIGITS_KEPT = 15, LF_JSON_CJSON_NUMBER_MAX = 63 };

enum lf_json_note_kind {
    LF_JSON_NOTE_TEXT,   /* a string with U+0000, at which cJSON's ends: its whole text */
    LF_JSON_NOTE_DIGITS, /* an integer with more digits than a double keeps: its digits */
    LF_JSON_NOTE_LONG,   /* another number that is too long for cJSON: its characters */
};

/* A value that cJSON would not keep as it is. Values are numbered from 0 in the order in which they begin. */
struct lf_json_note {
    struct lf_json_note *next;
    enum lf_json_note_kind kind;
    size_t value;     /* number of the value */
    size_t begin;     /* where it begins in the text */
    size_t len;       /* bytes of it in the text, a string's with its quotes */
    const char *kept; /* what the tree should hold; NUL-terminated but for LF_JSON_NOTE_LONG */
    size_t kept_len;
};

struct lf_json_notes {
    struct lf_json_note *first, *last;
};

/* Takes the seed for the duplicate check from the system. */
void lf_json_door_setup(void);

/* lf_json_check, and where notes is not NULL, what to mend in the tree. Notes live in the arena. */
enum lf_status lf_json_door(struct lf_arena *arena, const char *text, size_t len, const struct lf_json_limits *limits,
                            struct lf_json_notes *notes, struct lf_error *error) LF_MUST_CHECK;

#endif
