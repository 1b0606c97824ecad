/*
 * condition.h - conditions as they stand in a definition: a tree of all, any, not and leaves.
 *
 * A leaf asks one field one question. Operands are checked and prepared while parsing: texts are folded, numbers and
 * dates read, lists gathered; what is compared per lead is ready when the definition is. Nothing here looks at a lead
 * (core/evaluate.c does) and nothing builds hash sets (core/compile.c does).
 *
 * Everything lives in the definition's arena and is immutable after parsing.
 */
#ifndef LF_CORE_CONDITION_H
#define LF_CORE_CONDITION_H

#include "base/buf.h"
#include "base/findings.h"
#include "base/json.h"
#include "base/text.h"
#include "core/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_CONDITION_DEPTH_MAX = 16, LF_OPERAND_ENTRIES_MAX = 10000, LF_DAYS_MAX = 36500 };

/* X(NAME, word, operand, kind of value it wants) */
#define LF_OPERATOR_LIST(X)                     \
    X(IS, "is", SCALAR)                         \
    X(IN, "in", SCALARS)                        \
    X(STARTS_WITH, "starts_with", TEXTS)        \
    X(ENDS_WITH, "ends_with", TEXTS)            \
    X(CONTAINS, "contains", TEXTS)              \
    X(HAS_WORD, "has_word", TEXTS)              \
    X(LIKE, "like", TEXTS)                      \
    X(GT, "gt", NUMBER)                         \
    X(GTE, "gte", NUMBER)                       \
    X(LT, "lt", NUMBER)                         \
    X(LTE, "lte", NUMBER)                       \
    X(BETWEEN, "between", RANGE)                \
    X(BEFORE, "before", DATE)                   \
    X(AFTER, "after", DATE)                     \
    X(WITHIN_DAYS, "within_days", DAYS)         \
    X(OLDER_THAN_DAYS, "older_than_days", DAYS) \
    X(IN_NEXT_DAYS, "in_next_days", DAYS)       \
    X(HAS_ALL, "has_all", ALL_TEXTS)            \
    X(IN_LIST, "in_list", LIST_KEY)             \
    X(EXISTS, "exists", BOOLEAN)

enum lf_operator {
#define LF_X(name, word, operand) LF_OP_##name,
    LF_OPERATOR_LIST(LF_X)
#undef LF_X
        LF_OP_COUNT
};

enum lf_operand_kind {
    LF_OPERAND_SCALAR,    /* one text, number or boolean, in entries */
    LF_OPERAND_SCALARS,   /* a list of them, in entries */
    LF_OPERAND_TEXTS,     /* one text or a list of texts, in entries */
    LF_OPERAND_ALL_TEXTS, /* a list of texts, in entries */
    LF_OPERAND_NUMBER,    /* low */
    LF_OPERAND_RANGE,     /* low and high */
    LF_OPERAND_DATE,      /* date_us */
    LF_OPERAND_DAYS,      /* days */
    LF_OPERAND_LIST_KEY,  /* list */
    LF_OPERAND_BOOLEAN,   /* yes */
};

/* The operator's word in a definition, and which operand it takes. */
const char *lf_operator_word(enum lf_operator op);
enum lf_operand_kind lf_operator_operand(enum lf_operator op);

/* One operand entry. */
struct lf_scalar {
    enum lf_json_kind kind; /* LF_JSON_TEXT, LF_JSON_NUMBER or LF_JSON_BOOLEAN */
    bool yes;
    double number;
    struct lf_text raw, folded; /* of a text */
};

enum lf_condition_kind { LF_CONDITION_LEAF, LF_CONDITION_ALL, LF_CONDITION_ANY, LF_CONDITION_NOT };

struct lf_condition {
    enum lf_condition_kind kind;
    const char *pointer; /* where it stands in the definition */

    /* all, any, not */
    struct lf_condition **children;
    size_t child_count;

    /* leaf */
    size_t field; /* index into the definition's fields */
    enum lf_operator op;
    struct lf_scalar *entries;
    size_t entry_count;
    double low, high;
    int64_t date_us;
    int days;
    const char *list;
    bool yes;
};

/* Names that a definition uses, each once, in the order in which they first stand there: the dotted fields that it
 * reads, the keys of the lists that it asks. */
struct lf_fields {
    const char **paths;
    size_t count, cap;
    uint32_t *index; /* open addressing by hash: a path's number + 1, 0 for a free place; twice cap long */
};

/* Index of the path, added where it is new; SIZE_MAX when memory is out. */
size_t lf_fields_add(struct lf_arena *arena, struct lf_fields *fields, const char *path);

/* Reads a condition at `place`. Faults go into the document's findings; NULL then, or when memory is out (which the
 * findings tell). */
struct lf_condition *lf_condition_parse(struct lf_document *document, struct lf_fields *fields,
                                        const struct lf_json *node, const struct lf_place *place);

/* Reads the name of a field at `place` (also for fading); SIZE_MAX after a fault. */
size_t lf_field_parse(struct lf_document *document, struct lf_fields *fields, const struct lf_json *node,
                      const struct lf_place *place);

/* The first leaf in reading order. */
const struct lf_condition *lf_condition_first_leaf(const struct lf_condition *condition);

/* The condition in words, for a rule without a label: "company.employees from 500 to 5000". At most 200 characters. */
const char *
lf_condition_words(struct lf_arena *arena, const struct lf_condition *condition, const struct lf_fields *fields);

#endif
