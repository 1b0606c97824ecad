/*
 * program_types.h - the inside of a program, shared by compile.c, lookup.c, leaf.c, evaluate.c, record.c,
 * record_restore.c, rule_values.c and nobody else.
 */
#ifndef LF_CORE_PROGRAM_TYPES_H
#define LF_CORE_PROGRAM_TYPES_H

#include "core/program.h"

/* A name in the tree of fields: `employees` below `company`. */
struct lookup_child {
    const char *name; /* NULL: free slot */
    size_t len;
    uint32_t node;
};

struct lookup_node {
    struct lookup_child *children; /* open addressing */
    uint32_t mask, count;          /* slots - 1, and how many are taken; with children NULL there are none */
    uint32_t field;                /* of the program's fields, or LF_NO_FIELD */
};

/* One test of one field, shared by all conditions that ask the same. */
struct leaf {
    const struct lf_condition *source;
    uint32_t field;                   /* of the program's fields */
    struct lf_text_set texts;         /* is, in, has_all: where there are many */
    double *numbers;                  /* is, in: ascending */
    size_t number_count, text_count;  /* entries of each kind */
    unsigned booleans;                /* is, in: bit 0 false, bit 1 true */
    uint32_t asked;                   /* in_list: which of the program's lists */
    const struct lf_named_list *list; /* that list; NULL: there is none of its key */
};

/* A condition: a leaf, or a span of nodes below it. */
struct node {
    enum lf_condition_kind kind;
    uint32_t leaf;         /* of a leaf */
    uint32_t first, count; /* children, which stand side by side in program->nodes */
};

/* A leaf as it stands in one definition: once for each time that it stands there. */
struct leaf_use {
    uint32_t leaf;  /* of the program's leaves */
    uint32_t field; /* of the definition's fields */
};

struct compiled_icp {
    struct lf_program_source source;
    const uint32_t *fields;        /* of the definition's fields -> of the program's */
    const uint32_t **rules;        /* by attribute: the rules' conditions, as nodes */
    const uint32_t *disqualifiers; /* conditions, as nodes */
    struct leaf_use *leaves;       /* in reading order: attributes' rules first, then disqualifiers */
    size_t leaf_count, leaf_cap;
    uint32_t *lists; /* those of them that ask a named list */
    size_t list_count;
    uint32_t *asked;           /* of the definition's lists -> of the program's */
    uint8_t *withheld;         /* a bit for each of the definition's fields: its value is not kept */
    bool withholds;            /* one of them is */
    uint32_t *withheld_leaves; /* the leaves about these, but for those that ask a list */
    size_t withheld_leaf_count;
};

struct lf_program {
    struct lf_arena *arena;
    struct compiled_icp *icps;
    size_t icp_count;
    struct lookup_node *lookup; /* the root is 0 */
    size_t lookup_count, lookup_cap;
    size_t field_count;
    struct leaf *leaves;
    size_t leaf_count, leaf_cap;
    struct node *nodes;
    size_t node_count, node_cap;
    const struct lf_named_list **lists; /* that are asked, each once; NULL: there is none of that key */
    size_t list_count, list_cap;
};

/* One element that a path through an array found. */
struct element {
    struct element *next;
    const struct lf_json *value;
};

/* What was found in one field of the lead. */
struct slot {
    const struct lf_json *value;  /* without an array on the way: the value, or NULL */
    struct element *first, *last; /* through arrays: the elements, joined */
    struct lf_text folded;        /* of a single value, once it was needed */
    bool joined;                  /* an array was met on the way and something was found */
    bool has_folded;
    bool present; /* something stands in the field: it is not absent, null, "" or [] */
};

/* A leaf's answer: the verdict in the two low bits, then the causes of an unknown. */
enum {
    STATE_FALSE = 0,
    STATE_TRUE = 1,
    STATE_UNKNOWN = 2,
    STATE_VERDICT = 3,
    STATE_MISSING = 4,
    STATE_INVALID = 8,
    STATE_UNTESTED = 0xFF
};

/* What a record has told of an ICP whose fields were not all kept. */
struct restored {
    const struct lf_attribute_outcome *attributes; /* NULL: nothing */
    const uint8_t *withheld;                       /* a bit for each of the definition's fields */
};

struct lf_evaluation {
    const struct lf_program *program;
    struct lf_arena *arena;
    int64_t as_of_us;
    struct slot *slots;        /* by field of the program */
    uint8_t *states;           /* by leaf */
    int64_t *revisions;        /* by list of the program, once they were restored from a record; else NULL */
    struct restored *restored; /* by ICP, once one was restored that had fields withheld; else NULL */
    bool out_of_memory;
};

/* Fills the slots from the lead; false when memory is out. (lookup.c) */
bool lookup_fields(struct lf_evaluation *evaluation, const struct lf_json *lead);

/* The child of that name, or UINT32_MAX. (lookup.c) */
uint32_t lookup_find(const struct lookup_node *node, const char *name, size_t len);

/* Adds the path to the tree; returns the program's field, UINT32_MAX when memory is out. (lookup.c) */
uint32_t lookup_add(struct lf_program *program, const char *path);

/* Whether nothing stands in the field. */
static inline bool
slot_missing(const struct slot *slot)
{
    return !slot->present;
}

/* A bit of a bitmap, the lowest of the first byte first; and how many bytes so many bits take. */
static inline bool
bit_of(const uint8_t *bits, size_t at)
{
    return (bits[at / 8] >> at % 8 & 1) != 0;
}

static inline size_t
bits_size(size_t count)
{
    return (count + 7) / 8;
}

/* Walks over the elements of a field; a single value is one element. begin with an empty cursor. (lookup.c) */
struct cursor {
    const struct slot *slot;
    const struct lf_json *at;
    const struct element *element;
    bool begun;
};
const struct lf_json *cursor_next(struct cursor *cursor);

/* Whether the field holds a list: an array itself, or found through one. (lookup.c) */
bool slot_is_list(const struct slot *slot);

/* Tests a leaf, or gives the answer it has already. (leaf.c) */
uint8_t leaf_state(struct lf_evaluation *evaluation, uint32_t leaf);

/* Whether the leaf can read this value, which is a scalar: it is not of a wrong kind. (leaf.c) */
bool leaf_reads(struct lf_evaluation *evaluation, uint32_t leaf, const struct lf_json *value);

/* The revision that a list of the program has in this evaluation; 0: it was not there. (evaluate.c) */
int64_t list_revision(const struct lf_evaluation *evaluation, uint32_t list);

/* Reads a value as a date. false: of the wrong kind. (leaf.c) */
bool coerce_date(const struct lf_json *value, int64_t *ret_us);

#endif
