/*
 * cursor.h - the place at which a list goes on, as a text that means nothing to others: base64url of what stands there.
 *
 * A cursor says of which list and order it is, and carries a check sum, so that one that was given for something else,
 * cut, or made up is refused and not taken for some place or other. It keeps no secret and protects nothing. Each place
 * has exactly one text. Pure; thread-safe.
 */
#ifndef LF_API_CURSOR_H
#define LF_API_CURSOR_H

#include "base/ulid.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>

/* Which list, in which order. Part of the text: numbers stay what they are. */
enum lf_cursor_kind {
    LF_CURSOR_LEADS_BY_SCORE = 1,
    LF_CURSOR_LEADS_BY_TIME = 2,
    LF_CURSOR_LEAD_SCORES = 3,
    LF_CURSOR_LEAD_EXPORT = 4,
    LF_CURSOR_DELIVERIES = 5, /* the id's last 8 bytes are the delivery's, big-endian */
};

enum { LF_CURSOR_TEXT_MAX = 160 /* with the NUL */ };

struct lf_cursor {
    enum lf_cursor_kind kind;
    int score; /* hundredths, of LEADS_BY_SCORE; 0 of others */
    struct lf_ulid id;
    char icp[LF_KEY_MAX + 1]; /* key, of leads and scores of a lead; "" for none */
};

/* of: what the list is of beside its kind, such as a lead's id; a cursor is good for that alone. */
void lf_cursor_write(const struct lf_cursor *cursor, const char *of, size_t of_len, char ret_text[LF_CURSOR_TEXT_MAX]);

/* false: it is no cursor of that kind, and of that. */
bool lf_cursor_read(const char *text, enum lf_cursor_kind kind, const char *of, size_t of_len,
                    struct lf_cursor *ret_cursor) LF_MUST_CHECK;

#endif
