/* icp.c - parses and validates definitions; see icp.h. */
#include "core/icp.h"

#include "base/time.h"

#include <string.h>

enum {
    NAME_MAX_CHARS = 200,
    PROSE_MAX = 4000,
    PROFILE_LIST_MAX = 100,
    GRADE_NAME_MAX = 20,
    CAP_MAX = 1000000,
    CANONICAL_MAX = 64 << 20
};

static const char *const CATEGORIES[] = {
#define LF_X(name, word) word,
    LF_CATEGORY_LIST(LF_X)
#undef LF_X
        NULL};
static const char *const AXES[] = {"fit", "engagement", NULL};
static const char *const PURPOSES[] = {"core", "experimental", NULL};
static const char *const FRAMEWORKS[] = {"use_cases",         "pain_points", "buying_triggers", "journey_map",
                                         "value_proposition", "life_stages", "jobs_to_be_done", NULL};

const char *
lf_category_word(enum lf_category category)
{
    return CATEGORIES[category];
}

const char *
lf_axis_word(enum lf_axis axis)
{
    return AXES[axis];
}

const char *
lf_purpose_word(enum lf_purpose purpose)
{
    return PURPOSES[purpose];
}

/* What one parse carries along. */
struct reading {
    struct lf_document document;
    struct lf_icp *icp;
};

static void *
allot(struct reading *reading, size_t count, size_t size)
{
    void *piece = lf_arena_calloc(reading->document.arena, count, size);

    if (piece == NULL)
        lf_document_out_of_memory(&reading->document);
    return piece;
}

/* A text member by name. */
static const char *
text_member(struct reading *reading, const struct lf_json *object, const struct lf_place *place, const char *name,
            bool required, size_t max)
{
    struct lf_place at = LF_PLACE_MEMBER(place, name);

    return lf_document_text(&reading->document, lf_json_member(object, name), &at, required, max);
}

/* Adds a `duplicate` fault where an earlier one of the count keys is the same. */
static void
check_unique(struct reading *reading, const char *const *keys, size_t count, const char *key,
             const struct lf_place *place, const char *what)
{
    if (key[0] == '\0')
        return;
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i], key) == 0) {
            lf_document_fault(&reading->document, place, "duplicate", "%s %s stands here twice: each must be its own",
                              what, key);
            return;
        }
}

static void
read_text_list(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    size_t index = 0;

    if (node == NULL || !lf_document_array(&reading->document, node, place, 0, PROFILE_LIST_MAX))
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        (void)lf_document_text(&reading->document, entry, &at, true, PROSE_MAX);
    }
}

static void
read_profile(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    static const char *const MEMBERS[] = {"problem",        "pain_points", "goals", "challenges", "priorities", "kpis",
                                          "watering_holes", "buyer",       "user",  "not_for",    NULL};
    static const char *const TEXTS[] = {"problem", "buyer", "user"};
    static const char *const LISTS[] = {"pain_points", "goals",          "challenges", "priorities",
                                        "kpis",        "watering_holes", "not_for"};

    if (node == NULL || !lf_document_object(&reading->document, node, place, MEMBERS))
        return;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        (void)text_member(reading, node, place, TEXTS[i], false, PROSE_MAX);
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) {
        struct lf_place at = LF_PLACE_MEMBER(place, LISTS[i]);
        read_text_list(reading, lf_json_member(node, LISTS[i]), &at);
    }
    reading->icp->has_profile =
        lf_json_member(node, "problem") != NULL || lf_json_count(lf_json_member(node, "pain_points")) > 0;
}

static void
read_owners(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    static const char *const MEMBERS[] = {"name", "function", NULL};
    struct lf_icp *icp = reading->icp;
    size_t index = 0;

    if (node == NULL || !lf_document_array(&reading->document, node, place, 0, PROFILE_LIST_MAX))
        return;
    icp->owners = allot(reading, lf_json_count(node), sizeof *icp->owners);
    if (icp->owners == NULL)
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        if (!lf_document_object(&reading->document, entry, &at, MEMBERS))
            continue;
        icp->owners[icp->owner_count].name = text_member(reading, entry, &at, "name", true, NAME_MAX_CHARS);
        icp->owners[icp->owner_count].function = text_member(reading, entry, &at, "function", true, NAME_MAX_CHARS);
        icp->owner_count++;
    }
}

static void
read_review(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    if (node == NULL)
        return;
    if (text == NULL)
        lf_document_fault(&reading->document, place, "wrong_type", "a date belongs here: \"2027-03-01\"");
    else if (!lf_time_parse_date(text, len, &reading->icp->review_by_us))
        lf_document_fault(&reading->document, place, "invalid_date", "a day of the calendar belongs here: 2027-03-01");
    else
        reading->icp->has_review = true;
}

/* ---- attributes ---- */

static void
read_fade(struct reading *reading, const struct lf_json *node, const struct lf_place *place, struct lf_rule *rule)
{
    static const char *const MEMBERS[] = {"field", "days", NULL};
    struct lf_place at = LF_PLACE_MEMBER(place, "field");

    rule->fade_field = SIZE_MAX;
    if (node == NULL || !lf_document_object(&reading->document, node, place, MEMBERS))
        return;
    rule->fade_field = lf_field_parse(&reading->document, &reading->icp->fields, lf_json_member(node, "field"), &at);
    at.name = "days";
    rule->fade_days = (int)lf_document_integer(&reading->document, lf_json_member(node, "days"), &at, 1, LF_DAYS_MAX);
}

static void
read_rule(struct reading *reading, const struct lf_json *node, const struct lf_place *place, struct lf_rule *rule)
{
    static const char *const MEMBERS[] = {"when", "fit", "label", "fade", NULL};
    struct lf_document *document = &reading->document;
    struct lf_place at = LF_PLACE_MEMBER(place, "when");

    if (!lf_document_object(document, node, place, MEMBERS))
        return;
    if (lf_json_member(node, "when") == NULL)
        lf_document_fault(document, &at, "required", "when is missing: a rule needs its condition");
    else
        rule->when = lf_condition_parse(document, &reading->icp->fields, lf_json_member(node, "when"), &at);
    at.name = "fit";
    rule->fit = (int32_t)lf_document_decimal(document, lf_json_member(node, "fit"), &at, 6, -LF_FIT_ONE, LF_FIT_ONE,
                                             LF_FIT_ONE);
    at.name = "fade";
    read_fade(reading, lf_json_member(node, "fade"), &at, rule);
    rule->label = text_member(reading, node, place, "label", false, NAME_MAX_CHARS);
    if (rule->label[0] == '\0' && rule->when != NULL) {
        rule->label = lf_condition_words(document->arena, rule->when, &reading->icp->fields);
        if (rule->label == NULL) {
            lf_document_out_of_memory(document);
            rule->label = "";
        }
    }
}

static void
read_rules(struct reading *reading, const struct lf_json *node, const struct lf_place *place,
           struct lf_attribute *attribute)
{
    size_t index = 0;

    if (node == NULL) {
        lf_document_fault(&reading->document, place, "required", "rules is missing: an attribute needs at least one");
        return;
    }
    if (!lf_document_array(&reading->document, node, place, 1, LF_RULES_MAX))
        return;
    attribute->rules = allot(reading, lf_json_count(node), sizeof *attribute->rules);
    if (attribute->rules == NULL)
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index);
        read_rule(reading, entry, &at, &attribute->rules[index]);
        attribute->rule_count++;
    }
}

static void
read_missing(struct reading *reading, const struct lf_json *node, const struct lf_place *place,
             struct lf_attribute *attribute)
{
    size_t len = 0;
    const char *text = lf_json_text(node, &len);

    if (text == NULL) {
        attribute->missing =
            (int32_t)lf_document_decimal(&reading->document, node, place, 6, -LF_FIT_ONE, LF_FIT_ONE, 0);
        return;
    }
    if (len == 4 && memcmp(text, "skip", 4) == 0)
        attribute->skip_missing = true;
    else
        lf_document_fault(&reading->document, place, "invalid_value", "a number from -1 to 1 or \"skip\" belongs here");
}

static void
read_attribute(struct reading *reading, const struct lf_json *node, const struct lf_place *place,
               struct lf_attribute *attribute)
{
    static const char *const MEMBERS[] = {"key",       "label", "category",  "axis",    "weight",
                                          "rationale", "rules", "otherwise", "missing", NULL};
    struct lf_document *document = &reading->document;
    struct lf_place at = LF_PLACE_MEMBER(place, "key");

    attribute->key = "";
    if (!lf_document_object(document, node, place, MEMBERS))
        return;
    attribute->key = lf_document_key(document, lf_json_member(node, "key"), &at);
    attribute->label = text_member(reading, node, place, "label", true, NAME_MAX_CHARS);
    attribute->rationale = text_member(reading, node, place, "rationale", false, PROSE_MAX);
    at.name = "category";
    attribute->category =
        (enum lf_category)lf_document_word(document, lf_json_member(node, "category"), &at, true, CATEGORIES, 0);
    at.name = "axis";
    attribute->axis = (enum lf_axis)lf_document_word(document, lf_json_member(node, "axis"), &at, false, AXES, 0);
    at.name = "weight";
    attribute->weight = (int)lf_document_integer(document, lf_json_member(node, "weight"), &at, 1, LF_WEIGHT_MAX);
    at.name = "rules";
    read_rules(reading, lf_json_member(node, "rules"), &at, attribute);
    at.name = "otherwise";
    attribute->otherwise =
        (int32_t)lf_document_decimal(document, lf_json_member(node, "otherwise"), &at, 6, -LF_FIT_ONE, LF_FIT_ONE, 0);
    at.name = "missing";
    read_missing(reading, lf_json_member(node, "missing"), &at, attribute);
}

static void
read_attributes(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    struct lf_icp *icp = reading->icp;
    const char **keys = NULL;
    size_t index = 0;

    if (node == NULL) {
        lf_document_fault(&reading->document, place, "required", "attributes is missing: an ICP needs at least one");
        return;
    }
    if (!lf_document_array(&reading->document, node, place, 1, LF_ATTRIBUTES_MAX))
        return;
    icp->attributes = allot(reading, lf_json_count(node), sizeof *icp->attributes);
    keys = allot(reading, lf_json_count(node), sizeof *keys);
    if (icp->attributes == NULL || keys == NULL)
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index), key = LF_PLACE_MEMBER(&at, "key");
        read_attribute(reading, entry, &at, &icp->attributes[index]);
        keys[index] = icp->attributes[index].key;
        check_unique(reading, keys, index, keys[index], &key, "the attribute");
        icp->attribute_count++;
    }
}

/* ---- caps, disqualifiers, grades ---- */

static void
read_caps(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    static const char *const MEMBERS[] = {"category", "max", "axis", NULL};
    struct lf_document *document = &reading->document;
    struct lf_icp *icp = reading->icp;
    bool seen[LF_CATEGORY_COUNT][LF_AXIS_COUNT] = {{false}};
    size_t index = 0;

    if (node == NULL || !lf_document_array(document, node, place, 0, LF_CAPS_MAX))
        return;
    icp->caps = allot(reading, lf_json_count(node), sizeof *icp->caps);
    if (icp->caps == NULL)
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index), member = LF_PLACE_MEMBER(&at, "category");
        struct lf_cap *cap = &icp->caps[icp->cap_count];
        size_t before = document->findings->count;

        if (!lf_document_object(document, entry, &at, MEMBERS))
            continue;
        cap->category = (enum lf_category)lf_document_word(document, lf_json_member(entry, "category"), &member, true,
                                                           CATEGORIES, 0);
        member.name = "axis";
        cap->axis = (enum lf_axis)lf_document_word(document, lf_json_member(entry, "axis"), &member, false, AXES, 0);
        if (document->findings->count == before) {
            member.name = "category";
            if (seen[cap->category][cap->axis])
                lf_document_fault(document, &member, "duplicate", "two caps for %s on the %s axis: keep one",
                                  CATEGORIES[cap->category], AXES[cap->axis]);
            seen[cap->category][cap->axis] = true;
        }
        member.name = "max";
        cap->max = lf_document_integer(document, lf_json_member(entry, "max"), &member, 1, CAP_MAX);
        icp->cap_count++;
    }
}

static void
read_disqualifiers(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    static const char *const MEMBERS[] = {"key", "reason", "when", NULL};
    struct lf_document *document = &reading->document;
    struct lf_icp *icp = reading->icp;
    const char **keys = NULL;
    size_t index = 0;

    if (node == NULL || !lf_document_array(document, node, place, 0, LF_DISQUALIFIERS_MAX))
        return;
    icp->disqualifiers = allot(reading, lf_json_count(node), sizeof *icp->disqualifiers);
    keys = allot(reading, lf_json_count(node), sizeof *keys);
    if (icp->disqualifiers == NULL || keys == NULL)
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index), member = LF_PLACE_MEMBER(&at, "key");
        struct lf_disqualifier *disqualifier = &icp->disqualifiers[index];

        keys[index] = "";
        icp->disqualifier_count++;
        if (!lf_document_object(document, entry, &at, MEMBERS))
            continue;
        disqualifier->key = lf_document_key(document, lf_json_member(entry, "key"), &member);
        keys[index] = disqualifier->key;
        check_unique(reading, keys, index, keys[index], &member, "the disqualifier");
        disqualifier->reason = text_member(reading, entry, &at, "reason", true, NAME_MAX_CHARS);
        member.name = "when";
        if (lf_json_member(entry, "when") == NULL)
            lf_document_fault(document, &member, "required", "when is missing: a disqualifier needs its condition");
        else
            disqualifier->when = lf_condition_parse(document, &icp->fields, lf_json_member(entry, "when"), &member);
    }
}

/* The name of a grade: a text of its own, not DQ. */
static const char *
read_grade_name(struct reading *reading, const struct lf_json *entry, const struct lf_place *place)
{
    struct lf_place member = LF_PLACE_MEMBER(place, "grade");
    const char *name = text_member(reading, entry, place, "grade", true, GRADE_NAME_MAX);

    if (strcmp(name, "DQ") == 0)
        lf_document_fault(&reading->document, &member, "invalid_value",
                          "DQ is the grade of disqualified leads: choose another name");
    return name;
}

/* The number of a level: its place in the list, from 1. Its name is that number. */
static const char *
read_level_number(struct reading *reading, const struct lf_json *entry, const struct lf_place *place, size_t index)
{
    struct lf_place member = LF_PLACE_MEMBER(place, "level");
    size_t before = reading->document.findings->count;
    int64_t level = lf_document_integer(&reading->document, lf_json_member(entry, "level"), &member, 1, LF_GRADES_MAX);
    const char *name = lf_arena_printf(reading->document.arena, "%zu", index + 1);

    if (reading->document.findings->count == before && level != (int64_t)index + 1)
        lf_document_fault(&reading->document, &member, "out_of_range", "levels count up from 1: %zu belongs here",
                          index + 1);
    if (name == NULL)
        lf_document_out_of_memory(&reading->document);
    return name != NULL ? name : "";
}

/* Grades, or levels. They descend strictly and end at 0. */
static void
read_grades(struct reading *reading, const struct lf_json *node, const struct lf_place *place, bool levels,
            struct lf_grade **ret_grades, size_t *ret_count)
{
    static const char *const GRADE_MEMBERS[] = {"grade", "min", NULL}, *const LEVEL_MEMBERS[] = {"level", "min", NULL};
    struct lf_document *document = &reading->document;
    const char *names[LF_GRADES_MAX] = {NULL};
    struct lf_grade *grades = NULL;
    int previous = 10001;
    size_t index = 0, count = 0;

    if (!lf_document_array(document, node, place, 1, LF_GRADES_MAX))
        return;
    count = lf_json_count(node);
    grades = allot(reading, count, sizeof *grades);
    if (grades == NULL)
        return;
    for (const struct lf_json *entry = lf_json_first(node); entry != NULL; entry = lf_json_next(entry), index++) {
        struct lf_place at = LF_PLACE_ELEMENT(place, index), member = LF_PLACE_MEMBER(&at, "min");
        struct lf_grade *grade = &grades[index];
        size_t before = 0;

        names[index] = "";
        if (!lf_document_object(document, entry, &at, levels ? LEVEL_MEMBERS : GRADE_MEMBERS))
            continue;
        grade->name = levels ? read_level_number(reading, entry, &at, index) : read_grade_name(reading, entry, &at);
        names[index] = grade->name;
        before = document->findings->count;
        if (lf_json_member(entry, "min") == NULL)
            lf_document_fault(document, &member, "required", "min is missing: it is required here");
        grade->min = (int)lf_document_decimal(document, lf_json_member(entry, "min"), &member, 2, 0, 10000, 0);
        if (document->findings->count == before) {
            if (grade->min == previous)
                lf_document_fault(document, &member, "duplicate", "the same minimum as the one before: each its own");
            else if (grade->min > previous)
                lf_document_fault(document, &member, "out_of_range",
                                  "minima descend: this one must be below the one before");
            else if (index + 1 == count && grade->min != 0)
                lf_document_fault(document, &member, "out_of_range",
                                  "the last minimum is 0, so that every score has its place");
            previous = grade->min;
        }
        if (!levels) {
            member.name = "grade";
            check_unique(reading, names, index, names[index], &member, "the grade");
        }
    }
    *ret_grades = grades;
    *ret_count = count;
}

static void
read_all_grades(struct reading *reading, const struct lf_json *node, const struct lf_place *place)
{
    static struct lf_grade GRADES[] = {{"A", 8000}, {"B", 6000}, {"C", 4000}, {"D", 0}};
    static struct lf_grade LEVELS[] = {{"1", 7000}, {"2", 4000}, {"3", 0}};
    struct lf_icp *icp = reading->icp;
    struct lf_place at = LF_PLACE_MEMBER(place, "grades");

    icp->grades = GRADES;
    icp->grade_count = sizeof GRADES / sizeof *GRADES;
    icp->levels = LEVELS;
    icp->level_count = sizeof LEVELS / sizeof *LEVELS;
    icp->has_grades = lf_json_member(node, "grades") != NULL;
    icp->has_levels = lf_json_member(node, "levels") != NULL;
    if (icp->has_grades)
        read_grades(reading, lf_json_member(node, "grades"), &at, false, &icp->grades, &icp->grade_count);
    at.name = "levels";
    if (icp->has_levels)
        read_grades(reading, lf_json_member(node, "levels"), &at, true, &icp->levels, &icp->level_count);
}

static void
note_lists(struct reading *reading, const struct lf_condition *condition)
{
    for (size_t i = 0; i < condition->child_count; i++)
        note_lists(reading, condition->children[i]);
    if (condition->kind == LF_CONDITION_LEAF && condition->op == LF_OP_IN_LIST &&
        lf_fields_add(reading->document.arena, &reading->icp->lists, condition->list) == SIZE_MAX)
        lf_document_out_of_memory(&reading->document);
}

/* Notes the named lists of a definition without faults. */
static void
note_all_lists(struct reading *reading)
{
    const struct lf_icp *icp = reading->icp;

    for (size_t i = 0; i < icp->attribute_count; i++)
        for (size_t r = 0; r < icp->attributes[i].rule_count; r++)
            note_lists(reading, icp->attributes[i].rules[r].when);
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        note_lists(reading, icp->disqualifiers[i].when);
}

static enum lf_status
hash_canonical(struct lf_arena *arena, const struct lf_json *node, struct lf_icp *icp, struct lf_error *error)
{
    struct lf_buf buf;
    bool fine = false;

    lf_buf_init(&buf, NULL, CANONICAL_MAX);
    fine = lf_json_put_canonical(&buf, arena, node) && !lf_buf_failed(&buf) && lf_sha256(buf.data, buf.len, icp->hash);
    lf_buf_finish(&buf);
    return fine ? LF_OK : lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while hashing a definition");
}

static void
read_icp(struct reading *reading, const struct lf_json *node)
{
    static const char *const MEMBERS[] = {"key",           "name",   "framework", "purpose",    "summary",
                                          "profile",       "owners", "review_by", "attributes", "caps",
                                          "disqualifiers", "grades", "levels",    NULL};
    struct lf_document *document = &reading->document;
    struct lf_icp *icp = reading->icp;
    struct lf_place root = LF_PLACE_ROOT, at = LF_PLACE_MEMBER(&root, "key");

    if (!lf_document_object(document, node, &root, MEMBERS))
        return;
    icp->key = lf_document_key(document, lf_json_member(node, "key"), &at);
    icp->name = text_member(reading, node, &root, "name", true, NAME_MAX_CHARS);
    at.name = "framework";
    icp->framework =
        FRAMEWORKS[lf_document_word(document, lf_json_member(node, "framework"), &at, true, FRAMEWORKS, 0)];
    at.name = "purpose";
    icp->purpose =
        (enum lf_purpose)lf_document_word(document, lf_json_member(node, "purpose"), &at, false, PURPOSES, 0);
    icp->summary = text_member(reading, node, &root, "summary", false, PROSE_MAX);
    at.name = "profile";
    read_profile(reading, lf_json_member(node, "profile"), &at);
    at.name = "owners";
    read_owners(reading, lf_json_member(node, "owners"), &at);
    at.name = "review_by";
    read_review(reading, lf_json_member(node, "review_by"), &at);
    at.name = "attributes";
    read_attributes(reading, lf_json_member(node, "attributes"), &at);
    at.name = "caps";
    read_caps(reading, lf_json_member(node, "caps"), &at);
    at.name = "disqualifiers";
    read_disqualifiers(reading, lf_json_member(node, "disqualifiers"), &at);
    read_all_grades(reading, node, &root);
}

enum lf_status
lf_icp_parse(struct lf_arena *arena, const struct lf_json *node, struct lf_findings *findings,
             const struct lf_icp **ret_icp, struct lf_error *error)
{
    struct reading reading = {.document = {.arena = arena, .findings = findings}};
    enum lf_status status = LF_OK;

    reading.icp = allot(&reading, 1, sizeof *reading.icp);
    if (reading.icp != NULL)
        read_icp(&reading, node);
    if (findings->count == 0 && !findings->out_of_memory)
        note_all_lists(&reading);
    if (findings->out_of_memory)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a definition");
    if (findings->count > 0)
        return lf_fail(error, LF_INVALID_DEFINITION, "the definition has %zu fault%s, the first at %s: %s",
                       findings->count + findings->dropped, findings->count + findings->dropped == 1 ? "" : "s",
                       findings->items[0].pointer[0] != '\0' ? findings->items[0].pointer : "its root",
                       findings->items[0].detail);
    status = hash_canonical(arena, node, reading.icp, error);
    if (status == LF_OK)
        *ret_icp = reading.icp;
    return status;
}

enum lf_status
lf_icp_parse_text(struct lf_arena *arena, const char *text, size_t len, struct lf_findings *findings,
                  const struct lf_icp **ret_icp, struct lf_error *error)
{
    const struct lf_json *node = NULL;
    enum lf_status status = lf_json_parse(arena, text, len, &LF_JSON_DOCUMENT_LIMITS, &node, error);

    return status != LF_OK ? status : lf_icp_parse(arena, node, findings, ret_icp, error);
}
