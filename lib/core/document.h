/*
 * document.h - reading a JSON document of ours strictly: every member known, every fault found, each with its place.
 *
 * The readers below take a node that may be absent, check it, and add a finding where it is not what belongs there;
 * they return a usable default then, so that reading goes on and all faults come out at once.
 */
#ifndef LF_CORE_DOCUMENT_H
#define LF_CORE_DOCUMENT_H

#include "base/arena.h"
#include "base/findings.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lf_document {
    struct lf_arena *arena; /* for what is kept */
    struct lf_findings *findings;
};

/* A place in the document: a member of its parent, or an element. The root has no parent. On the stack. */
struct lf_place {
    const struct lf_place *parent;
    const char *name; /* NULL for an element */
    size_t index;
};

#define LF_PLACE_ROOT ((struct lf_place){0})
#define LF_PLACE_MEMBER(up, member) ((struct lf_place){.parent = (up), .name = (member)})
#define LF_PLACE_ELEMENT(up, at) ((struct lf_place){.parent = (up), .index = (at)})

/* The place as a JSON pointer (RFC 6901), in the arena; NULL when memory is out. */
const char *lf_place_pointer(struct lf_arena *arena, const struct lf_place *place);

void lf_document_fault(struct lf_document *document, const struct lf_place *place, const char *code, const char *format,
                       ...) LF_PRINTF(4, 5);

/* Notes that memory is out. */
void lf_document_out_of_memory(struct lf_document *document);

/* Whether the node is an object; else a fault. Then every member must be among the names (NULL-terminated), or it is
 * an `unknown_member`, with a near miss named where there is one. */
bool lf_document_object(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                        const char *const *names);

/* Whether the node is an array of low..high elements; else a fault. */
bool lf_document_array(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                       size_t low, size_t high);

/* A text of 1..max characters. "" after a fault or where it is absent and not required. */
const char *lf_document_text(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                             bool required, size_t max);

/* [a-z0-9][a-z0-9-]{0,63}. */
const char *lf_document_key(struct lf_document *document, const struct lf_json *node, const struct lf_place *place);

/* One of the words (NULL-terminated); its index, or `fallback` where it is absent and not required or after a fault. */
size_t lf_document_word(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                        bool required, const char *const *words, size_t fallback);

/* A whole number low..high. */
int64_t lf_document_integer(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                            int64_t low, int64_t high);

/* A decimal low..high (scaled by 10^places) with at most that many places; `fallback` where it is absent. */
int64_t lf_document_decimal(struct lf_document *document, const struct lf_json *node, const struct lf_place *place,
                            int places, int64_t low, int64_t high, int64_t fallback);

/* Whether text is a key as above. */
bool lf_is_key(const char *text, size_t len);

/* "a", "b" or "c": the words, for a message. In the arena; "" when memory is out. */
const char *lf_words_joined(struct lf_arena *arena, const char *const *words);

#endif
