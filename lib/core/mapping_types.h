/*
 * mapping_types.h - the inside of a mapping, shared by mapping.c, mapping_read.c, mapping_defaults.c,
 * mapping_records.c, mapping_value.c, mapping_trace.c and nobody else.
 */
#ifndef LF_CORE_MAPPING_TYPES_H
#define LF_CORE_MAPPING_TYPES_H

#include "base/json_pointer.h"
#include "core/mapping.h"

struct mapping_label {
    const char *raw; /* a value as text */
    size_t raw_len;
    const struct lf_json *label; /* a text; NULL for "", which takes the value away */
};

struct mapping_field {
    const char *path;                   /* dotted */
    const char **names;                 /* its pieces */
    size_t name_count;                  /* from 1 */
    size_t first_pointer;               /* of the mapping's pointers */
    size_t pointer_count;               /* 0: it was taken away */
    const char *separator;              /* NULL: it is not split */
    const struct mapping_label *labels; /* sorted by raw */
    size_t label_count;
    bool constants; /* of HubSpot's property industry: COMPUTER_SOFTWARE is told as words */
};

/* The fields with names that begin alike stand side by side: a range of `order` is an object of the lead. */
struct lf_mapping {
    enum lf_crm crm;
    struct mapping_field *fields; /* the id is the first; in the order in which they are told */
    size_t field_count;
    const struct mapping_field **order; /* those with pointers, sorted by their names */
    size_t order_count;
    struct mapping_field whole; /* "*" */
    struct lf_json_pointer *pointers;
    size_t pointer_count;
    struct lf_json_pointers in_record, in_envelope; /* where they are looked for */
    bool case_safe_id;                              /* a Salesforce id of 15 characters is told with 18 */
};

/* ---- mapping_defaults.c ---- */

struct mapping_default {
    const char *path;                                  /* NULL: the end */
    const char *pointers[LF_MAPPING_POINTERS_MAX + 1]; /* NULL-terminated */
    const char *separator;                             /* NULL: none */
};

/* What a kind maps by itself, the id first. */
const struct mapping_default *mapping_defaults(enum lf_crm crm);

/* The first names of pointers that go into the envelope of a record, NULL-terminated. */
const char *const *mapping_envelope_names(enum lf_crm crm);

/* ---- mapping_records.c ---- */

/* A record of a payload. */
struct mapping_record {
    const struct lf_json *node;     /* an object */
    const struct lf_json *envelope; /* what it came in; the record itself where there is nothing around it */
    const char *pointer;            /* into the payload; made of words of ours and indexes */
};

struct mapping_records {
    struct mapping_record *items;
    size_t count;
    bool many;
    const char *ignored; /* see struct lf_mapped */
};

/* Finds the records of a payload. */
enum lf_status mapping_find_records(struct lf_arena *arena, enum lf_crm crm, const struct lf_json *payload,
                                    struct mapping_records *ret_records, struct lf_error *error) LF_MUST_CHECK;

enum { MAPPING_PARTS_MAX = 8 };

/* An object whose members are taken by "*". */
struct mapping_part {
    const struct lf_json *object;
    const char *but;    /* a member that is none of them, NULL for none */
    const char *within; /* a member whose own members are unwrapped, NULL for none */
    bool unwrap;        /* its members are */
};

/* The parts of a record whose members are taken, of two members of one name the first; how many there are. object: what
 * the pointer of "*" found. */
size_t mapping_parts(enum lf_crm crm, const struct mapping_record *record, const struct lf_json *object,
                     struct mapping_part parts[MAPPING_PARTS_MAX]);

/* ---- mapping_value.c ---- */

/* Where values are made. */
struct mapping_maker {
    struct lf_arena *arena;
    size_t elements; /* of lists, that may be made yet: a bound of the memory that one lead takes */
    bool out_of_memory, too_many;
};

/* What is in a wrapper; the node itself where it is none. NULL when there is no memory or too much (the maker says). */
const struct lf_json *mapping_unwrap(struct mapping_maker *maker, const struct lf_json *node, bool *ret_unwrapped);

/* Orders struct mapping_label by raw, for qsort and bsearch. */
int mapping_compare_labels(const void *a, const void *b);

/* Makes of what a pointer found the value of the field. value is NULL where nothing comes of it. */
void mapping_value(struct mapping_maker *maker, const struct mapping_field *field, const struct lf_json *raw,
                   struct lf_mapped_field *ret_mapped);

/* Salesforce's id of 15 characters, which tells capitals from small letters, as the one of 18 that is the same
 * record's; anything else as it is. NULL when there is no memory. */
const struct lf_json *mapping_case_safe_id(struct mapping_maker *maker, const struct lf_json *id);

/* ---- mapping_trace.c ---- */

/* Nodes of a payload that went into the lead. */
struct mapping_taken {
    const struct lf_json **slots; /* open addressing */
    size_t mask, count;
};

/* false when memory is out, here and below. */
bool mapping_taken_init(struct mapping_taken *taken, struct lf_arena *arena);

/* Notes a node; NULL is fine, for either. */
bool mapping_take(struct mapping_taken *taken, struct lf_arena *arena, const struct lf_json *node);

/* Fills unused of the lead: what of the record was not taken, but for a member of that name (NULL for none). */
bool mapping_find_unused(struct mapping_taken *taken, struct lf_arena *arena, const struct mapping_record *record,
                         const char *but, struct lf_mapped_lead *lead);

#endif
