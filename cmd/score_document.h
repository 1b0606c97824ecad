/*
 * score_document.h - finds the leads in a JSON document: [{…}, {…}], {"records": [{…}, …]} (as Salesforce exports
 * sObjects), one {…} over many lines, or several of these one behind the other (as jq prints them).
 *
 * Only the brackets around the leads are read here; a lead is found by its matching bracket, and whoever parses it
 * tells what is wrong inside. So one bad lead costs no other, and each has a line. Not thread-safe.
 */
#ifndef LF_CMD_SCORE_DOCUMENT_H
#define LF_CMD_SCORE_DOCUMENT_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct score_document {
    const char *text;
    size_t len, at;
    uint64_t line;   /* of at */
    bool in_array;   /* between leads of an array */
    bool after_lead; /* a comma or the array's end comes next */
    size_t resume;   /* where to go on behind the array: the end of the object around it, or 0 for right behind */
    bool done;
};

/* text stays with the caller. */
void score_document_init(struct score_document *document, const char *text, size_t len);

enum document_step { DOCUMENT_LEAD, DOCUMENT_BROKEN, DOCUMENT_END };

/* The next lead: its text and line. After DOCUMENT_BROKEN (*error says why) nothing follows. */
enum document_step score_document_next(struct score_document *document, const char **ret_text, size_t *ret_len,
                                       uint64_t *ret_line, struct lf_error *error);

/* The offset of the array behind the member "records" of the object that begins the text; 0 where there is none. The
 * text may end anywhere. */
size_t score_document_records(const char *text, size_t len);

/* The offset behind the JSON value at `at`, found by brackets and quotes alone; SIZE_MAX where it does not end. */
size_t score_document_skip(const char *text, size_t len, size_t at);

#endif
