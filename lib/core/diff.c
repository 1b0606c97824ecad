/*
 * diff.c - see diff.h: walks two definitions side by side. Values are compared as canonical JSON, with the defaults
 * where a member is left out; elements of a list are paired first (diff_pairs.h). Writing down is diff_note.h's, what
 * changed in a condition diff_words.h's.
 */
#include "core/diff.h"

#include "core/diff_note.h"
#include "core/diff_pairs.h"

#include <string.h>

static const struct lf_about ICP_ITSELF = {"", ""};

static struct lf_diff_condition
condition_of(const struct lf_json *node, const struct lf_condition *condition, const struct lf_icp *icp)
{
    return (struct lf_diff_condition){lf_json_member(node, "when"), condition, &icp->fields};
}

/* ---- lists ---- */

/* The elements of two lists, paired. */
struct lists {
    struct lf_pairing pairing;
    const struct lf_json **old_nodes, **new_nodes;
    const char **old_labels, **new_labels; /* what each is called */
    const char **old_names, **new_names;   /* and in a path */
};

static const struct lf_json **
nodes_of(struct lf_differ *differ, const struct lf_json *list, size_t count)
{
    const struct lf_json **nodes = lf_differ_allot(differ, count, sizeof *nodes), *node = lf_json_first(list);

    for (size_t i = 0; nodes != NULL && i < count; i++, node = lf_json_next(node))
        nodes[i] = node;
    return nodes;
}

/* Makes room; the caller fills in the labels. false when memory is out. */
static bool
lists_init(struct lf_differ *differ, struct lists *lists, const struct lf_json *old, size_t old_count,
           const struct lf_json *new, size_t new_count)
{
    lists->old_nodes = nodes_of(differ, old, old_count);
    lists->new_nodes = nodes_of(differ, new, new_count);
    lists->old_labels = lf_differ_allot(differ, old_count, sizeof *lists->old_labels);
    lists->new_labels = lf_differ_allot(differ, new_count, sizeof *lists->new_labels);
    lists->old_names = lf_differ_allot(differ, old_count, sizeof *lists->old_names);
    lists->new_names = lf_differ_allot(differ, new_count, sizeof *lists->new_names);
    if (!lf_pairing_init(differ->arena, &lists->pairing, old_count, new_count))
        differ->failed = true;
    return !differ->failed;
}

/* When the labels are there, and what is the same beyond its label has been paired: the rest is paired by label, and
 * named. ordered: the order tells something, so that moves are looked for. false when memory is out. */
static bool
lists_settle(struct lf_differ *differ, struct lists *lists, bool ordered)
{
    lf_pairing_pair(&lists->pairing, lists->old_labels, lists->new_labels, NULL, NULL);
    if (ordered && !lf_pairing_find_moves(differ->arena, &lists->pairing))
        differ->failed = true;
    if (!lf_pairing_name(differ->arena, &lists->pairing, lists->old_labels, lists->new_labels, lists->old_names,
                         lists->new_names))
        differ->failed = true;
    return !differ->failed;
}

/* ---- rules ---- */

static const char *
fade_words(struct lf_differ *differ, const struct lf_rule *rule, const struct lf_icp *icp)
{
    return LF_SAY(differ, "by %s over %d day%s", icp->fields.paths[rule->fade_field], rule->fade_days,
                  rule->fade_days == 1 ? "" : "s");
}

static void
diff_fade(struct lf_differ *differ, struct lf_about about, const char *path, const char *before, const char *after,
          const struct lf_rule *old, const struct lf_rule *new)
{
    const char *words = NULL;

    if (strcmp(before, after) == 0)
        return;
    if (before[0] == '\0')
        words =
            LF_SAY(differ, "%s: %s now fades %s", about.attribute, new->label, fade_words(differ, new, differ->new));
    else if (after[0] == '\0')
        words = LF_SAY(differ, "%s: %s no longer fades", about.attribute, new->label);
    else
        words = LF_SAY(differ, "%s: %s fades %s, before %s", about.attribute, new->label,
                       fade_words(differ, new, differ->new), fade_words(differ, old, differ->old));
    lf_differ_value(differ, about, path, before, after, words);
}

/* A rule that was there and still is. */
static void
diff_rule(struct lf_differ *differ, const char *key, const char *name, const struct lf_rule *old,
          const struct lf_json *old_node, const struct lf_rule *new, const struct lf_json *new_node)
{
    struct lf_about about = {key, new->label};

    if (strcmp(old->label, new->label) != 0)
        lf_differ_value(differ, about, lf_differ_path(differ, "attributes", key, "rules", name, "label", NULL),
                        lf_differ_json_text(differ, old->label), lf_differ_json_text(differ, new->label),
                        LF_SAY(differ, "%s: rule \"%s\" is now called \"%s\"", key, old->label, new->label));
    lf_differ_condition(differ, about, lf_differ_path(differ, "attributes", key, "rules", name, "when", NULL),
                        LF_SAY(differ, "%s, %s", key, new->label), condition_of(old_node, old->when, differ->old),
                        condition_of(new_node, new->when, differ->new));
    lf_differ_number(differ, about, lf_differ_path(differ, "attributes", key, "rules", name, "fit", NULL),
                     LF_SAY(differ, "%s: %s", key, new->label), lf_differ_json_decimal(differ, old->fit, 6),
                     lf_differ_json_decimal(differ, new->fit, 6));
    diff_fade(differ, about, lf_differ_path(differ, "attributes", key, "rules", name, "fade", NULL),
              lf_differ_json(differ, lf_json_member(old_node, "fade")),
              lf_differ_json(differ, lf_json_member(new_node, "fade")), old, new);
}

/* A new rule, and before which one it is tried: the first that holds decides. */
static const char *
new_rule_words(struct lf_differ *differ, const struct lf_attribute *attribute, size_t index)
{
    const struct lf_rule *rule = &attribute->rules[index];
    const char *fit = lf_differ_json_decimal(differ, rule->fit, 6);

    if (index + 1 == attribute->rule_count)
        return LF_SAY(differ, "%s: new rule \"%s\" (%s)", attribute->key, rule->label, fit);
    return LF_SAY(differ, "%s: new rule \"%s\" (%s), tried before \"%s\"", attribute->key, rule->label, fit,
                  rule[1].label);
}

/* Rules are the same by label and condition; then by label; then by condition alone, under a new label. */
static bool
pair_rules(struct lf_differ *differ, struct lists *lists, const struct lf_attribute *old,
           const struct lf_attribute *new)
{
    const char **old_when = lf_differ_allot(differ, old->rule_count, sizeof *old_when);
    const char **new_when = lf_differ_allot(differ, new->rule_count, sizeof *new_when);

    if (old_when == NULL || new_when == NULL)
        return false;
    for (size_t i = 0; i < old->rule_count; i++) {
        lists->old_labels[i] = old->rules[i].label;
        old_when[i] = lf_differ_json(differ, lf_json_member(lists->old_nodes[i], "when"));
    }
    for (size_t j = 0; j < new->rule_count; j++) {
        lists->new_labels[j] = new->rules[j].label;
        new_when[j] = lf_differ_json(differ, lf_json_member(lists->new_nodes[j], "when"));
    }
    lf_pairing_pair(&lists->pairing, lists->old_labels, lists->new_labels, old_when, new_when);
    lf_pairing_pair(&lists->pairing, lists->old_labels, lists->new_labels, NULL, NULL);
    lf_pairing_pair(&lists->pairing, old_when, new_when, NULL, NULL);
    return lists_settle(differ, lists, true);
}

static void
diff_rules(struct lf_differ *differ, const struct lf_attribute *old, const struct lf_json *old_node,
           const struct lf_attribute *new, const struct lf_json *new_node)
{
    const char *key = new->key;
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, lf_json_member(old_node, "rules"), old->rule_count,
                    lf_json_member(new_node, "rules"), new->rule_count) ||
        !pair_rules(differ, &lists, old, new))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        const struct lf_rule *before = step.old != LF_UNPAIRED ? &old->rules[step.old] : NULL;
        const struct lf_rule *after = step.new != LF_UNPAIRED ? &new->rules[step.new] : NULL;
        const char *name = after != NULL ? lists.new_names[step.new] : lists.old_names[step.old];
        const char *path = lf_differ_path(differ, "attributes", key, "rules", name, NULL);
        struct lf_about about = {key, after != NULL ? after->label : before->label};

        if (after == NULL) {
            lf_differ_value(differ, about, path, lf_differ_json(differ, lists.old_nodes[step.old]), "",
                            LF_SAY(differ, "%s: rule \"%s\" is gone", key, before->label));
        } else if (before == NULL) {
            lf_differ_added(differ, about, path, lf_differ_json(differ, lists.new_nodes[step.new]), step.new,
                            new_rule_words(differ, new, step.new));
        } else {
            if (step.moved)
                lf_differ_moved(differ, about, path, LF_SAY(differ, "%s: rule \"%s\"", key, after->label), step.old,
                                step.new);
            diff_rule(differ, key, name, before, lists.old_nodes[step.old], after, lists.new_nodes[step.new]);
        }
    }
}

/* ---- attributes ---- */

static void
diff_missing(struct lf_differ *differ, const struct lf_attribute *old, const struct lf_attribute *new)
{
    const char *before = old->skip_missing ? "\"skip\"" : lf_differ_json_decimal(differ, old->missing, 6);
    const char *after = new->skip_missing ? "\"skip\"" : lf_differ_json_decimal(differ, new->missing, 6);

    if (strcmp(before, after) != 0)
        lf_differ_value(differ, (struct lf_about){new->key, ""},
                        lf_differ_path(differ, "attributes", new->key, "missing", NULL), before, after,
                        LF_SAY(differ, "%s: when unknown from %s to %s", new->key,
                               old->skip_missing ? "left out of the sum" : before,
                               new->skip_missing ? "left out of the sum" : after));
}

/* An attribute that was there and still is. */
static void
diff_attribute(struct lf_differ *differ, const struct lf_attribute *old, const struct lf_json *old_node,
               const struct lf_attribute *new, const struct lf_json *new_node)
{
    const char *key = new->key;
    struct lf_about about = {key, ""};

    lf_differ_name(differ, about, lf_differ_path(differ, "attributes", key, "label", NULL),
                   LF_SAY(differ, "label of %s", key), old->label, new->label);
    lf_differ_word(differ, about, lf_differ_path(differ, "attributes", key, "category", NULL),
                   LF_SAY(differ, "category of %s", key), lf_category_word(old->category),
                   lf_category_word(new->category));
    lf_differ_word(differ, about, lf_differ_path(differ, "attributes", key, "axis", NULL),
                   LF_SAY(differ, "axis of %s", key), lf_axis_word(old->axis), lf_axis_word(new->axis));
    lf_differ_number(differ, about, lf_differ_path(differ, "attributes", key, "weight", NULL),
                     LF_SAY(differ, "weight of %s", key), LF_SAY(differ, "%d", old->weight),
                     LF_SAY(differ, "%d", new->weight));
    lf_differ_prose(differ, about, lf_differ_path(differ, "attributes", key, "rationale", NULL), "",
                    LF_SAY(differ, "rationale of %s", key), old->rationale, new->rationale);
    diff_rules(differ, old, old_node, new, new_node);
    lf_differ_number(differ, about, lf_differ_path(differ, "attributes", key, "otherwise", NULL),
                     LF_SAY(differ, "%s: otherwise", key), lf_differ_json_decimal(differ, old->otherwise, 6),
                     lf_differ_json_decimal(differ, new->otherwise, 6));
    diff_missing(differ, old, new);
}

static void
diff_attributes(struct lf_differ *differ, const struct lf_json *old_list, const struct lf_json *new_list)
{
    const struct lf_icp *old = differ->old, *new = differ->new;
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, old_list, old->attribute_count, new_list, new->attribute_count))
        return;
    for (size_t i = 0; i < old->attribute_count; i++)
        lists.old_labels[i] = old->attributes[i].key;
    for (size_t j = 0; j < new->attribute_count; j++)
        lists.new_labels[j] = new->attributes[j].key;
    if (!lists_settle(differ, &lists, true))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        const struct lf_attribute *before = step.old != LF_UNPAIRED ? &old->attributes[step.old] : NULL;
        const struct lf_attribute *after = step.new != LF_UNPAIRED ? &new->attributes[step.new] : NULL;
        const struct lf_attribute *one = after != NULL ? after : before;
        const char *path = lf_differ_path(differ, "attributes", one->key, NULL);
        struct lf_about about = {one->key, ""};

        if (after == NULL) {
            lf_differ_value(differ, about, path, lf_differ_json(differ, lists.old_nodes[step.old]), "",
                            LF_SAY(differ, "attribute %s is gone (weight %d)", before->key, before->weight));
        } else if (before == NULL) {
            lf_differ_added(differ, about, path, lf_differ_json(differ, lists.new_nodes[step.new]), step.new,
                            LF_SAY(differ, "new attribute %s (weight %d)", after->key, after->weight));
        } else {
            if (step.moved)
                lf_differ_moved(differ, about, path, LF_SAY(differ, "attribute %s", after->key), step.old, step.new);
            diff_attribute(differ, before, lists.old_nodes[step.old], after, lists.new_nodes[step.new]);
        }
    }
}

/* ---- caps, disqualifiers, grades ---- */

/* "firmographic", "behavioral on engagement". */
static const char *
cap_name(struct lf_differ *differ, const struct lf_cap *cap)
{
    return LF_SAY(differ, "%s%s", lf_differ_spaced(differ, lf_category_word(cap->category)),
                  cap->axis == LF_AXIS_ENGAGEMENT ? " on engagement" : "");
}

static void
diff_caps(struct lf_differ *differ, const struct lf_json *old_list, const struct lf_json *new_list)
{
    const struct lf_icp *old = differ->old, *new = differ->new;
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, old_list, old->cap_count, new_list, new->cap_count))
        return;
    for (size_t i = 0; i < old->cap_count; i++)
        lists.old_labels[i] = cap_name(differ, &old->caps[i]);
    for (size_t j = 0; j < new->cap_count; j++)
        lists.new_labels[j] = cap_name(differ, &new->caps[j]);
    if (!lists_settle(differ, &lists, true))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        const struct lf_cap *before = step.old != LF_UNPAIRED ? &old->caps[step.old] : NULL;
        const struct lf_cap *after = step.new != LF_UNPAIRED ? &new->caps[step.new] : NULL, *one = after;
        const char *name = after != NULL ? lists.new_labels[step.new] : lists.old_labels[step.old], *path = NULL;

        one = after != NULL ? after : before;
        path = lf_differ_path(differ, "caps", lf_category_word(one->category), lf_axis_word(one->axis), NULL);
        if (after == NULL) {
            lf_differ_value(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.old_nodes[step.old]), "",
                            LF_SAY(differ, "the cap of %s is gone (%lld points)", name, (long long)before->max));
        } else if (before == NULL) {
            lf_differ_added(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.new_nodes[step.new]), step.new,
                            LF_SAY(differ, "new cap of %s (%lld points)", name, (long long)after->max));
        } else {
            if (step.moved)
                lf_differ_moved(differ, ICP_ITSELF, path, LF_SAY(differ, "cap of %s", name), step.old, step.new);
            lf_differ_number(differ, ICP_ITSELF, LF_SAY(differ, "%s/max", path), LF_SAY(differ, "cap of %s", name),
                             LF_SAY(differ, "%lld", (long long)before->max),
                             LF_SAY(differ, "%lld", (long long)after->max));
        }
    }
}

static void
diff_disqualifiers(struct lf_differ *differ, const struct lf_json *old_list, const struct lf_json *new_list)
{
    const struct lf_icp *old = differ->old, *new = differ->new;
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, old_list, old->disqualifier_count, new_list, new->disqualifier_count))
        return;
    for (size_t i = 0; i < old->disqualifier_count; i++)
        lists.old_labels[i] = old->disqualifiers[i].key;
    for (size_t j = 0; j < new->disqualifier_count; j++)
        lists.new_labels[j] = new->disqualifiers[j].key;
    if (!lists_settle(differ, &lists, true))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        const struct lf_disqualifier *before = step.old != LF_UNPAIRED ? &old->disqualifiers[step.old] : NULL;
        const struct lf_disqualifier *after = step.new != LF_UNPAIRED ? &new->disqualifiers[step.new] : NULL;
        const char *key = after != NULL ? after->key : before->key, *what = LF_SAY(differ, "disqualifier %s", key);
        const char *path = lf_differ_path(differ, "disqualifiers", key, NULL);

        if (after == NULL) {
            lf_differ_value(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.old_nodes[step.old]), "",
                            LF_SAY(differ, "%s is gone", what));
        } else if (before == NULL) {
            lf_differ_added(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.new_nodes[step.new]), step.new,
                            LF_SAY(differ, "%s is new", what));
        } else {
            if (step.moved)
                lf_differ_moved(differ, ICP_ITSELF, path, what, step.old, step.new);
            lf_differ_name(differ, ICP_ITSELF, LF_SAY(differ, "%s/reason", path), LF_SAY(differ, "reason of %s", what),
                           before->reason, after->reason);
            lf_differ_condition(differ, ICP_ITSELF, LF_SAY(differ, "%s/when", path), what,
                                condition_of(lists.old_nodes[step.old], before->when, old),
                                condition_of(lists.new_nodes[step.new], after->when, new));
        }
    }
}

/* A grade or level as JSON: it may be one of the default ones, which stand in no document. */
static const char *
json_of_grade(struct lf_differ *differ, const char *noun, const struct lf_grade *grade)
{
    bool is_level = strcmp(noun, "level") == 0;

    return LF_SAY(differ, "{\"%s\":%s,\"min\":%s}", noun,
                  is_level ? grade->name : lf_differ_json_text(differ, grade->name),
                  lf_differ_json_decimal(differ, grade->min, 2));
}

/* Grades, or levels. Their order follows from their minima, so none is told to have moved. */
static void
diff_grades(struct lf_differ *differ, const char *member, const char *noun, const struct lf_grade *old,
            size_t old_count, const struct lf_grade *new, size_t new_count)
{
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, NULL, old_count, NULL, new_count))
        return;
    for (size_t i = 0; i < old_count; i++)
        lists.old_labels[i] = old[i].name;
    for (size_t j = 0; j < new_count; j++)
        lists.new_labels[j] = new[j].name;
    if (!lists_settle(differ, &lists, false))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        const struct lf_grade *before = step.old != LF_UNPAIRED ? &old[step.old] : NULL;
        const struct lf_grade *after = step.new != LF_UNPAIRED ? &new[step.new] : NULL;
        const char *name = after != NULL ? after->name : before->name;
        const char *path = lf_differ_path(differ, member, name, NULL), *what = LF_SAY(differ, "%s %s", noun, name);

        if (after == NULL)
            lf_differ_value(differ, ICP_ITSELF, path, json_of_grade(differ, noun, before), "",
                            LF_SAY(differ, "%s is gone", what));
        else if (before == NULL)
            lf_differ_added(differ, ICP_ITSELF, path, json_of_grade(differ, noun, after), step.new,
                            LF_SAY(differ, "new %s (from %s)", what, lf_differ_json_decimal(differ, after->min, 2)));
        else
            lf_differ_number(differ, ICP_ITSELF, LF_SAY(differ, "%s/min", path), what,
                             lf_differ_json_decimal(differ, before->min, 2),
                             lf_differ_json_decimal(differ, after->min, 2));
    }
}

/* ---- what does not score: profile, owners, review ---- */

/* A list of texts of the profile; noun: one of them. */
static void
diff_texts(struct lf_differ *differ, const char *member, const char *noun, const struct lf_json *old_list,
           const struct lf_json *new_list)
{
    size_t old_count = lf_json_count(old_list), new_count = lf_json_count(new_list);
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, old_list, old_count, new_list, new_count))
        return;
    for (size_t i = 0; i < old_count; i++)
        lists.old_labels[i] = lf_json_text(lists.old_nodes[i], &(size_t){0});
    for (size_t j = 0; j < new_count; j++)
        lists.new_labels[j] = lf_json_text(lists.new_nodes[j], &(size_t){0});
    if (!lists_settle(differ, &lists, true))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        bool gone = step.new == LF_UNPAIRED;
        const char *text = lf_differ_cut(differ, gone ? lists.old_labels[step.old] : lists.new_labels[step.new]);
        const char *name = gone ? lists.old_names[step.old] : lists.new_names[step.new];
        const char *path = lf_differ_path(differ, "profile", member, name, NULL);

        if (gone)
            lf_differ_value(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.old_nodes[step.old]), "",
                            LF_SAY(differ, "profile: %s \"%s\" is gone", noun, text));
        else if (step.old == LF_UNPAIRED)
            lf_differ_added(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.new_nodes[step.new]), step.new,
                            LF_SAY(differ, "profile: new %s \"%s\"", noun, text));
        else if (step.moved)
            lf_differ_moved(differ, ICP_ITSELF, path, LF_SAY(differ, "profile: %s \"%s\"", noun, text), step.old,
                            step.new);
    }
}

static const char *
text_of(const struct lf_json *object, const char *member)
{
    size_t len = 0;
    const char *text = lf_json_text(lf_json_member(object, member), &len);

    return text != NULL ? text : "";
}

static void
diff_profile(struct lf_differ *differ, const struct lf_json *old, const struct lf_json *new)
{
    static const struct {
        const char *member, *noun;
        bool list;
    } MEMBERS[] = {{"problem", "problem", false},
                   {"pain_points", "pain point", true},
                   {"goals", "goal", true},
                   {"challenges", "challenge", true},
                   {"priorities", "priority", true},
                   {"kpis", "KPI", true},
                   {"watering_holes", "watering hole", true},
                   {"buyer", "buyer", false},
                   {"user", "user", false},
                   {"not_for", "exclusion", true}};

    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        const char *member = MEMBERS[i].member;
        if (MEMBERS[i].list)
            diff_texts(differ, member, MEMBERS[i].noun, lf_json_member(old, member), lf_json_member(new, member));
        else
            lf_differ_prose(differ, ICP_ITSELF, lf_differ_path(differ, "profile", member, NULL),
                            "profile: ", MEMBERS[i].noun, text_of(old, member), text_of(new, member));
    }
}

/* Owners are the same by name and function, then by name. */
static void
diff_owners(struct lf_differ *differ, const struct lf_json *old_list, const struct lf_json *new_list)
{
    const struct lf_icp *old = differ->old, *new = differ->new;
    const char **old_work = lf_differ_allot(differ, old->owner_count, sizeof *old_work);
    const char **new_work = lf_differ_allot(differ, new->owner_count, sizeof *new_work);
    struct lf_pairing_step step;
    struct lists lists;

    if (!lists_init(differ, &lists, old_list, old->owner_count, new_list, new->owner_count))
        return;
    for (size_t i = 0; i < old->owner_count; i++) {
        lists.old_labels[i] = old->owners[i].name;
        old_work[i] = old->owners[i].function;
    }
    for (size_t j = 0; j < new->owner_count; j++) {
        lists.new_labels[j] = new->owners[j].name;
        new_work[j] = new->owners[j].function;
    }
    lf_pairing_pair(&lists.pairing, lists.old_labels, lists.new_labels, old_work, new_work);
    if (!lists_settle(differ, &lists, true))
        return;
    while (lf_pairing_next(&lists.pairing, &step)) {
        const struct lf_owner *before = step.old != LF_UNPAIRED ? &old->owners[step.old] : NULL;
        const struct lf_owner *after = step.new != LF_UNPAIRED ? &new->owners[step.new] : NULL;
        const char *name = after != NULL ? lists.new_names[step.new] : lists.old_names[step.old];
        const char *path = lf_differ_path(differ, "owners", name, NULL);

        if (after == NULL) {
            lf_differ_value(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.old_nodes[step.old]), "",
                            LF_SAY(differ, "owner %s (%s) is gone", before->name, before->function));
        } else if (before == NULL) {
            lf_differ_added(differ, ICP_ITSELF, path, lf_differ_json(differ, lists.new_nodes[step.new]), step.new,
                            LF_SAY(differ, "new owner %s (%s)", after->name, after->function));
        } else {
            if (step.moved)
                lf_differ_moved(differ, ICP_ITSELF, path, LF_SAY(differ, "owner %s", after->name), step.old, step.new);
            lf_differ_name(differ, ICP_ITSELF, LF_SAY(differ, "%s/function", path),
                           LF_SAY(differ, "function of %s", after->name), before->function, after->function);
        }
    }
}

/* ---- all of it ---- */

enum lf_status
lf_diff(struct lf_arena *arena, const struct lf_json *before, const struct lf_icp *before_icp,
        const struct lf_json *after, const struct lf_icp *after_icp, struct lf_diff *ret_diff, struct lf_error *error)
{
    struct lf_differ whole = {.arena = arena, .old = before_icp, .new = after_icp}, *differ = &whole;
    const struct lf_icp *old = before_icp, *new = after_icp;

    lf_differ_name(differ, ICP_ITSELF, "/key", "key", old->key, new->key);
    lf_differ_name(differ, ICP_ITSELF, "/name", "name", old->name, new->name);
    lf_differ_word(differ, ICP_ITSELF, "/framework", "framework", old->framework, new->framework);
    lf_differ_word(differ, ICP_ITSELF, "/purpose", "purpose", lf_purpose_word(old->purpose),
                   lf_purpose_word(new->purpose));
    lf_differ_prose(differ, ICP_ITSELF, "/summary", "", "summary", old->summary, new->summary);
    diff_profile(differ, lf_json_member(before, "profile"), lf_json_member(after, "profile"));
    diff_owners(differ, lf_json_member(before, "owners"), lf_json_member(after, "owners"));
    lf_differ_prose(differ, ICP_ITSELF, "/review_by", "", "review date", text_of(before, "review_by"),
                    text_of(after, "review_by"));
    diff_attributes(differ, lf_json_member(before, "attributes"), lf_json_member(after, "attributes"));
    diff_caps(differ, lf_json_member(before, "caps"), lf_json_member(after, "caps"));
    diff_disqualifiers(differ, lf_json_member(before, "disqualifiers"), lf_json_member(after, "disqualifiers"));
    diff_grades(differ, "grades", "grade", old->grades, old->grade_count, new->grades, new->grade_count);
    diff_grades(differ, "levels", "level", old->levels, old->level_count, new->levels, new->level_count);
    if (differ->failed)
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while comparing two definitions");
    *ret_diff = (struct lf_diff){.items = differ->items, .count = differ->count};
    return LF_OK;
}
