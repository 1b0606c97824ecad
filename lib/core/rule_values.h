/*
 * rule_values.h - the values that an attribute's rules looked at in a lead, one by one, and whether they could read
 * them: for what no rule took.
 *
 * Looked at are the fields of conditions (`exists` aside, which looks at no value), and of a fading rule's date what is
 * no date. A path's elements come one by one; nothing, objects and inner arrays are passed over.
 */
#ifndef LF_CORE_RULE_VALUES_H
#define LF_CORE_RULE_VALUES_H

#include "base/arena.h"
#include "base/json.h"
#include "core/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One field that an attribute's rules read. */
struct lf_rule_field {
    uint32_t field;   /* of the definition's fields */
    uint32_t place;   /* of the program's */
    uint32_t *leaves; /* that read it; none of a field that is a fading rule's date alone */
    size_t leaf_count;
    bool fades; /* it is such a date, also */
};

/* What one attribute reads. Immutable; lives in the arena. */
struct lf_rule_fields {
    struct lf_rule_field *items; /* in the order in which the rules first read them */
    size_t count;
};

/* Looks up what an attribute of the ICP `index` of the program reads. false: out of memory. */
bool lf_rule_fields_init(struct lf_rule_fields *fields, struct lf_arena *arena, const struct lf_program *program,
                         size_t index, size_t attribute) LF_MUST_CHECK;

/* A text that is not empty, a number or a boolean. invalid: of a kind that a condition on this field cannot read. */
struct lf_rule_value {
    uint32_t field; /* of the definition's fields */
    const struct lf_json *value;
    bool invalid;
};

/* Calls `each` for the values of a lead; its false ends it. false then, and when memory is out. The evaluation is of
 * the program that the fields were looked up in. */
bool lf_rule_values_each(struct lf_evaluation *evaluation, const struct lf_rule_fields *fields,
                         bool (*each)(void *context, const struct lf_rule_value *value), void *context) LF_MUST_CHECK;

#endif
