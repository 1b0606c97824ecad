/*
 * test_diff_apply.c - a property of the diff: its differences, carried out by name on the earlier of two definitions,
 * give the later one, and every value said to have been before was there.
 *
 * The definitions are those of config/icps, varied at random. They are taken apart here into a tree of named things,
 * with the defaults filled in, by other code than the diff's.
 */
#include "core/diff.h"

#include "base/buf.h"
#include "support.h"

enum { ITEMS_MAX = 260, ROUNDS = 500 };

enum kind { VALUE, OBJECT, LIST };

struct node {
    const char *name; /* of a member; of an element what the diff calls it */
    enum kind kind;
    const char *value; /* canonical JSON */
    struct node *items[ITEMS_MAX];
    size_t count;
    size_t index; /* of an element: where it stood, from 1 */
    size_t place; /* and where it is to stand, from 1; 0: where the others leave it */
};

static struct node *
node_new(struct lf_arena *arena, const char *name, enum kind kind, const char *value)
{
    struct node *node = lf_arena_calloc(arena, 1, sizeof *node);

    assert_non_null(node);
    node->name = name;
    node->kind = kind;
    node->value = value;
    return node;
}

static struct node *
node_add(struct node *parent, struct node *child)
{
    assert_true(parent->count < ITEMS_MAX);
    parent->items[parent->count++] = child;
    child->index = parent->count;
    return child;
}

static struct node *
node_find(const struct node *parent, const char *name)
{
    for (size_t i = 0; i < parent->count; i++)
        if (strcmp(parent->items[i]->name, name) == 0)
            return parent->items[i];
    return NULL;
}

static void
node_drop(struct node *parent, size_t index)
{
    memmove(&parent->items[index], &parent->items[index + 1], (parent->count - index - 1) * sizeof *parent->items);
    parent->count--;
}

static void
node_insert(struct node *parent, size_t index, struct node *child)
{
    assert_true(parent->count < ITEMS_MAX && index <= parent->count);
    memmove(&parent->items[index + 1], &parent->items[index], (parent->count - index) * sizeof *parent->items);
    parent->items[index] = child;
    parent->count++;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp((*(struct node *const *)a)->name, (*(struct node *const *)b)->name);
}

/* Members sorted, elements without their names: what a definition is. */
static void
node_put(struct lf_buf *buf, const struct node *node)
{
    struct node *sorted[ITEMS_MAX];

    if (node->kind == VALUE) {
        lf_buf_text(buf, node->value);
        return;
    }
    memcpy(sorted, node->items, node->count * sizeof *sorted);
    if (node->kind == OBJECT)
        qsort(sorted, node->count, sizeof *sorted, by_name);
    lf_buf_text(buf, node->kind == OBJECT ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        lf_buf_text(buf, i > 0 ? "," : "");
        if (node->kind == OBJECT)
            lf_buf_printf(buf, "\"%s\":", sorted[i]->name);
        node_put(buf, sorted[i]);
    }
    lf_buf_text(buf, node->kind == OBJECT ? "}" : "]");
}

static const char *
node_text(struct lf_arena *arena, const struct node *node)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 22);
    node_put(&buf, node);
    return lf_buf_terminate(&buf);
}

/* ---- taking a definition apart ---- */

static const char *
canonical(struct lf_arena *arena, const struct lf_json *json)
{
    struct lf_buf buf;

    lf_buf_init(&buf, arena, 1 << 22);
    assert_true(lf_json_put_canonical(&buf, arena, json));
    return lf_buf_terminate(&buf);
}

static const char *
text_of(const struct lf_json *json)
{
    size_t len = 0;
    const char *text = lf_json_text(json, &len);

    assert_non_null(text);
    return text;
}

/* What an element of a list is called there; rules are called by their label, which is given. */
static const char *
called(struct lf_arena *arena, const char *list, const struct lf_json *json, const char *label)
{
    if (lf_json_kind(json) == LF_JSON_TEXT)
        return text_of(json);
    if (strcmp(list, "rules") == 0)
        return label;
    if (strcmp(list, "owners") == 0)
        return text_of(lf_json_member(json, "name"));
    if (strcmp(list, "grades") == 0)
        return text_of(lf_json_member(json, "grade"));
    if (strcmp(list, "levels") == 0)
        return canonical(arena, lf_json_member(json, "level"));
    if (strcmp(list, "caps") == 0)
        return lf_arena_printf(arena, "%s/%s", text_of(lf_json_member(json, "category")),
                               lf_json_member(json, "axis") != NULL ? text_of(lf_json_member(json, "axis")) : "fit");
    return text_of(lf_json_member(json, "key"));
}

static const char *
own_name(struct lf_arena *arena, const struct node *list, const char *name)
{
    const char *own = name;

    for (int number = 2; node_find(list, own) != NULL; number++)
        own = lf_arena_printf(arena, "%s (%d)", name, number);
    return own;
}

static void
member(struct lf_arena *arena, struct node *node, const struct lf_json *json, const char *name, const char *otherwise)
{
    const struct lf_json *value = lf_json_member(json, name);

    if (value != NULL)
        node_add(node, node_new(arena, name, VALUE, canonical(arena, value)));
    else if (otherwise != NULL)
        node_add(node, node_new(arena, name, VALUE, otherwise));
}

static struct node *list_of(struct lf_arena *arena, const char *name, const struct lf_json *json,
                            const char *const *labels, const char *otherwise);

/* labels: of an attribute the labels of its rules. */
static struct node *
element(struct lf_arena *arena, const char *list, const char *name, const struct lf_json *json,
        const char *const *labels)
{
    struct node *node = NULL;
    struct lf_buf label;

    if (lf_json_kind(json) != LF_JSON_OBJECT)
        return node_new(arena, name, VALUE, canonical(arena, json));
    node = node_new(arena, name, OBJECT, NULL);
    if (strcmp(list, "attributes") == 0) {
        member(arena, node, json, "axis", "\"fit\"");
        member(arena, node, json, "otherwise", "0");
        member(arena, node, json, "missing", "0");
        node_add(node, list_of(arena, "rules", lf_json_member(json, "rules"), labels, NULL));
    } else if (strcmp(list, "rules") == 0) {
        lf_buf_init(&label, arena, 1 << 16);
        lf_json_put_text(&label, labels[0], strlen(labels[0]));
        member(arena, node, json, "label", lf_buf_terminate(&label));
        member(arena, node, json, "fit", "1");
    } else if (strcmp(list, "caps") == 0) {
        member(arena, node, json, "axis", "\"fit\"");
    }
    for (const struct lf_json *item = lf_json_first(json); item != NULL; item = lf_json_next(item))
        if (node_find(node, lf_json_name(item)) == NULL)
            member(arena, node, json, lf_json_name(item), NULL);
    return node;
}

static struct node *
list_of(struct lf_arena *arena, const char *name, const struct lf_json *json, const char *const *labels,
        const char *otherwise)
{
    struct node *list = node_new(arena, name, LIST, NULL);
    size_t index = 0;

    if (json == NULL && otherwise != NULL)
        json = support_json(arena, otherwise);
    for (const struct lf_json *item = lf_json_first(json); item != NULL; item = lf_json_next(item), index++) {
        const char *label = labels != NULL ? labels[index] : "";
        node_add(list, element(arena, name, own_name(arena, list, called(arena, name, item, label)), item, &label));
    }
    return list;
}

static const char *const TEXT_LISTS[] = {"pain_points", "goals",          "challenges", "priorities",
                                         "kpis",        "watering_holes", "not_for"};
enum { TEXT_LIST_COUNT = sizeof TEXT_LISTS / sizeof *TEXT_LISTS };

/* The labels of an attribute's rules, as the parser knows them. */
static const char **
labels_of(struct lf_arena *arena, const struct lf_attribute *attribute)
{
    const char **labels = lf_arena_calloc(arena, attribute->rule_count + 1, sizeof *labels);

    assert_non_null(labels);
    for (size_t i = 0; i < attribute->rule_count; i++)
        labels[i] = attribute->rules[i].label;
    return labels;
}

static struct node *
take_apart(struct lf_arena *arena, const struct lf_json *json, const struct lf_icp *icp)
{
    static const char *const VALUES[] = {"key", "name", "framework", "summary", "review_by"};
    static const char *const TEXTS[] = {"problem", "buyer", "user"};
    struct node *root = node_new(arena, "", OBJECT, NULL), *profile = node_new(arena, "profile", OBJECT, NULL);
    struct node *attributes = node_new(arena, "attributes", LIST, NULL);
    size_t index = 0;

    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++)
        member(arena, root, json, VALUES[i], NULL);
    member(arena, root, json, "purpose", "\"core\"");
    node_add(root, profile);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        member(arena, profile, lf_json_member(json, "profile"), TEXTS[i], NULL);
    for (size_t i = 0; i < TEXT_LIST_COUNT; i++)
        node_add(profile, list_of(arena, TEXT_LISTS[i], lf_json_member(lf_json_member(json, "profile"), TEXT_LISTS[i]),
                                  NULL, NULL));
    node_add(root, list_of(arena, "owners", lf_json_member(json, "owners"), NULL, NULL));
    node_add(root, attributes);
    for (const struct lf_json *item = lf_json_first(lf_json_member(json, "attributes")); item != NULL;
         item = lf_json_next(item), index++)
        node_add(attributes, element(arena, "attributes", text_of(lf_json_member(item, "key")), item,
                                     labels_of(arena, &icp->attributes[index])));
    node_add(root, list_of(arena, "caps", lf_json_member(json, "caps"), NULL, NULL));
    node_add(root, list_of(arena, "disqualifiers", lf_json_member(json, "disqualifiers"), NULL, NULL));
    node_add(root, list_of(arena, "grades", lf_json_member(json, "grades"), NULL,
                           "[{'grade':'A','min':80},{'grade':'B','min':60},{'grade':'C','min':40},"
                           "{'grade':'D','min':0}]"));
    node_add(root, list_of(arena, "levels", lf_json_member(json, "levels"), NULL,
                           "[{'level':1,'min':70},{'level':2,'min':40},{'level':3,'min':0}]"));
    return root;
}

struct definition {
    const struct lf_json *json;
    const struct lf_icp *icp;
};

static bool
parse(struct lf_arena *arena, const char *text, struct definition *ret_definition)
{
    struct lf_findings findings;
    struct lf_error error;

    lf_findings_init(&findings, arena);
    if (lf_json_parse(arena, text, strlen(text), &LF_JSON_DOCUMENT_LIMITS, &ret_definition->json, &error) != LF_OK)
        fail_msg("%s: %s", error.detail, text);
    return lf_icp_parse(arena, ret_definition->json, &findings, &ret_definition->icp, &error) == LF_OK;
}

/* ---- carrying differences out ---- */

/* The next name of a path, unescaped; NULL at the end. */
static const char *
next_name(struct lf_arena *arena, const char **path)
{
    struct lf_buf buf;
    const char *c = *path;

    if (*c != '/')
        return NULL;
    lf_buf_init(&buf, arena, 1 << 16);
    for (c++; *c != '\0' && *c != '/'; c++) {
        if (*c != '~') {
            lf_buf_char(&buf, *c);
            continue;
        }
        c++;
        assert_true(*c == '0' || *c == '1');
        lf_buf_char(&buf, *c == '0' ? '~' : '/');
    }
    *path = c;
    return lf_buf_terminate(&buf);
}

/* Where the path leads: the parent of its last name, and that. */
static struct node *
parent_of(struct lf_arena *arena, struct node *root, const char *path, const char **ret_last)
{
    struct node *node = root;
    const char *name = NULL;

    for (;;) {
        name = next_name(arena, &path);
        assert_non_null(name);
        if (strcmp(node->name, "caps") == 0)
            name = lf_arena_printf(arena, "%s/%s", name, next_name(arena, &path));
        if (*path == '\0')
            break;
        node = node_find(node, name);
        assert_non_null(node);
    }
    *ret_last = name;
    return node;
}

static struct node *
made_of(struct lf_arena *arena, const struct node *list, const char *name, const struct lf_difference *item,
        const char *json)
{
    const struct lf_json *parsed = NULL;
    const char *label = item->rule, **labels = &label;
    struct lf_error error;

    assert_int_equal(lf_json_parse(arena, json, strlen(json), &LF_JSON_DOCUMENT_LIMITS, &parsed, &error), LF_OK);
    if (strcmp(list->name, "attributes") == 0) {
        /* The parser is asked for the labels of its rules. */
        struct definition whole;
        assert_true(
            parse(arena,
                  lf_arena_printf(
                      arena, "{\"key\":\"k\",\"name\":\"N\",\"framework\":\"pain_points\",\"attributes\":[%s]}", json),
                  &whole));
        labels = labels_of(arena, &whole.icp->attributes[0]);
    }
    return element(arena, list->name, name, parsed, labels);
}

static void
apply_item(struct lf_arena *arena, struct node *root, const struct lf_difference *item)
{
    const char *name = NULL;
    struct node *parent = parent_of(arena, root, item->path, &name), *node = node_find(parent, name);

    if (strcmp(item->op, "add") == 0) {
        assert_null(node);
        assert_string_equal(item->before, "");
        if (parent->kind == LIST) {
            node = node_add(parent, made_of(arena, parent, name, item, item->after));
            assert_true(item->place > 0);
            node->place = item->place;
        } else {
            node_add(parent, node_new(arena, name, VALUE, item->after));
        }
        return;
    }
    assert_non_null(node);
    if (strcmp(item->op, "move") == 0) {
        assert_string_equal(item->before, lf_arena_printf(arena, "%zu", node->index));
        node->place = (size_t)atoi(item->after);
        assert_int_equal(node->place, item->place);
    } else if (strcmp(item->op, "remove") == 0) {
        assert_string_equal(item->after, "");
        assert_string_equal(node_text(arena, node),
                            parent->kind == LIST ? node_text(arena, made_of(arena, parent, name, item, item->before))
                                                 : item->before);
        for (size_t i = 0; i < parent->count; i++)
            if (parent->items[i] == node)
                node_drop(parent, i);
    } else {
        assert_string_equal(item->op, "replace");
        assert_int_equal(node->kind, VALUE);
        assert_string_equal(node->value, item->before);
        assert_string_not_equal(item->before, item->after);
        node->value = item->after;
    }
}

static double
min_of(const struct node *grade)
{
    const struct node *min = node_find(grade, "min");

    return min != NULL ? atof(min->value) : -1;
}

static int
by_minimum(const void *a, const void *b)
{
    double x = min_of(*(struct node *const *)a), y = min_of(*(struct node *const *)b);

    return (x < y) - (x > y);
}

/* Puts what was added and moved into its place, in every list. */
static void
settle(struct node *node)
{
    struct node *placed[ITEMS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < node->count; i++)
        settle(node->items[i]);
    if (strcmp(node->name, "grades") == 0 || strcmp(node->name, "levels") == 0) {
        qsort(node->items, node->count, sizeof *node->items, by_minimum);
        return;
    }
    for (size_t i = 0; i < node->count;) {
        if (node->items[i]->place == 0) {
            i++;
            continue;
        }
        placed[count++] = node->items[i];
        node_drop(node, i);
    }
    for (size_t place = 1; count > 0 && place <= node->count + count; place++)
        for (size_t i = 0; i < count; i++)
            if (placed[i] != NULL && placed[i]->place == place) {
                node_insert(node, place - 1, placed[i]);
                placed[i] = placed[--count];
                break;
            }
    assert_int_equal(count, 0);
}

/* ---- varying ---- */

#define POOL(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Members, in which objects they stand (i the ICP, p its profile, o an owner, a an attribute, r a rule, c a cap, d a
 * disqualifier), in which of these they may be left out, and values for them. */
static const struct {
    const char *name, *in, *optional;
    const char *const *values;
} POOLS[] = {
    {"name", "io", "", POOL("\"Ann\"", "\"Bo\"")},
    {"framework", "i", "", POOL("\"life_stages\"", "\"journey_map\"")},
    {"purpose", "i", "i", POOL("\"core\"", "\"experimental\"")},
    {"summary", "i", "i", POOL("\"s\"", "\"t\"")},
    {"review_by", "i", "i", POOL("\"2027-01-01\"", "\"2027-02-01\"")},
    {"problem", "p", "p", POOL("\"p\"", "\"q\"")},
    {"user", "p", "p", POOL("\"u\"")},
    {"function", "o", "", POOL("\"sales\"", "\"product\"")},
    {"label", "ar", "r", POOL("\"x\"", "\"y\"", "\"a/b~c\"", "\"x (2)\"", "\"\\\"ä\"")},
    {"category", "ac", "", POOL("\"need\"", "\"legal\"", "\"trigger\"", "\"behavioral\"")},
    {"axis", "ac", "ac", POOL("\"fit\"", "\"engagement\"")},
    {"weight", "a", "", POOL("1", "5", "20", "99")},
    {"rationale", "a", "a", POOL("\"r\"", "\"s\"")},
    {"otherwise", "a", "a", POOL("0", "0.1", "-0.5")},
    {"missing", "a", "a", POOL("0", "0.1", "\"skip\"")},
    {"fit", "r", "r", POOL("-1", "0", "0.25", "0.333333", "1")},
    {"fade", "r", "r", POOL("{\"days\":30,\"field\":\"d\"}", "{\"days\":60,\"field\":\"d\"}")},
    {"when", "rd", "",
     POOL("{\"field\":\"n\",\"gte\":10}", "{\"field\":\"n\",\"in\":[1,\"a\",true]}",
          "{\"any\":[{\"field\":\"n\",\"in\":[1,2]},{\"exists\":true,\"field\":\"m\"}]}",
          "{\"any\":[{\"field\":\"n\",\"in\":[2,3]},{\"exists\":true,\"field\":\"m\"}]}",
          "{\"any\":[{\"field\":\"n\",\"in\":[2,3]}]}", "{\"not\":{\"field\":\"n\",\"lt\":3}}")},
    {"max", "c", "", POOL("1", "50")},
    {"reason", "d", "", POOL("\"r\"", "\"s\"")},
};

/* Which of these an object is. */
static char
letter_of(const struct node *object)
{
    static const char *const SIGNS[] = {"iframework", "ofunction", "aweight", "dreason", "cmax", "rwhen", "gmin"};

    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (node_find(object, SIGNS[i] + 1) != NULL)
            return SIGNS[i][0];
    return 'p';
}

static const char *const GRADES[] = {
    "[{'grade':'A','min':80},{'grade':'B','min':60},{'grade':'C','min':40},{'grade':'D','min':0}]",
    "[{'grade':'B','min':90.5},{'grade':'A','min':50},{'grade':'x','min':0}]", "[{'grade':'A','min':0}]"};
static const char *const LEVELS[] = {"[{'level':1,'min':70},{'level':2,'min':40},{'level':3,'min':0}]",
                                     "[{'level':1,'min':70},{'level':2,'min':0}]"};

struct mutation {
    struct lf_arena *arena;
    struct support_random random;
    unsigned keys; /* made so far */
};

static uint32_t
chance(struct mutation *mutation, uint32_t below)
{
    return support_random(&mutation->random, below);
}

static struct node *
copy_of(struct lf_arena *arena, const struct node *node)
{
    struct node *copy = node_new(arena, node->name, node->kind, node->value);

    for (size_t i = 0; i < node->count; i++)
        node_add(copy, copy_of(arena, node->items[i]));
    return copy;
}

/* A random member's value, from its pool. */
static void
vary_value(struct mutation *mutation, struct node *object)
{
    char letter = letter_of(object);
    uint32_t pool = 0;
    struct node *node = NULL;
    size_t count = 0;
    bool optional = false;

    if (letter == 'g') /* grades and levels are varied as lists */
        return;
    do
        pool = chance(mutation, sizeof POOLS / sizeof *POOLS);
    while (strchr(POOLS[pool].in, letter) == NULL);
    node = node_find(object, POOLS[pool].name);
    optional = strchr(POOLS[pool].optional, letter) != NULL;
    while (POOLS[pool].values[count] != NULL)
        count++;
    if (node == NULL)
        node = node_add(object, node_new(mutation->arena, POOLS[pool].name, VALUE, NULL));
    else if (optional && chance(mutation, 3) == 0) {
        for (size_t i = 0; i < object->count; i++)
            if (object->items[i] == node)
                node_drop(object, i);
        return;
    }
    node->value = POOLS[pool].values[chance(mutation, (uint32_t)count)];
}

/* Elements come, go and change places. */
static void
vary_list(struct mutation *mutation, struct node *list)
{
    size_t at = chance(mutation, (uint32_t)list->count), to = chance(mutation, (uint32_t)list->count);
    struct node *copy = NULL, *key = NULL;

    if (strcmp(list->name, "grades") == 0 || strcmp(list->name, "levels") == 0) {
        bool grades = list->name[0] == 'g';
        const char *text = grades ? GRADES[chance(mutation, 3)] : LEVELS[chance(mutation, 2)];
        *list = *list_of(mutation->arena, list->name, support_json(mutation->arena, text), NULL, NULL);
        return;
    }
    if (list->count == 0)
        return;
    switch (chance(mutation, 3)) {
    case 0:
        if (list->count > 1)
            node_drop(list, at);
        break;
    case 1:
        copy = list->items[at];
        node_drop(list, at);
        node_insert(list, to, copy);
        break;
    default:
        copy = copy_of(mutation->arena, list->items[at]);
        key = copy->kind == OBJECT ? node_find(copy, "key") : NULL;
        if (key != NULL)
            key->value = lf_arena_printf(mutation->arena, "\"k%u\"", ++mutation->keys);
        if (list->count < 50)
            node_insert(list, to, copy);
    }
}

static void
vary(struct mutation *mutation, struct node *node)
{
    if (node->kind == VALUE)
        return;
    if (node->count > 0 && chance(mutation, 4) > 0) {
        vary(mutation, node->items[chance(mutation, (uint32_t)node->count)]);
        return;
    }
    if (node->kind == OBJECT)
        vary_value(mutation, node);
    else
        vary_list(mutation, node);
}

/* ---- the property ---- */

static size_t
check_pair(struct lf_arena *arena, struct definition before, struct definition after)
{
    struct node *tree = take_apart(arena, before.json, before.icp);
    struct lf_diff diff;
    struct lf_error error;

    assert_int_equal(lf_diff(arena, before.json, before.icp, after.json, after.icp, &diff, &error), LF_OK);
    for (size_t i = 0; i < diff.count; i++) {
        assert_true(diff.items[i].words[0] != '\0');
        apply_item(arena, tree, &diff.items[i]);
    }
    settle(tree);
    assert_string_equal(node_text(arena, tree), node_text(arena, take_apart(arena, after.json, after.icp)));
    return diff.count;
}

static const char *
config_text(struct lf_arena *arena, size_t index)
{
    size_t len = 0;

    return support_file(arena, SUPPORT_CONFIG_PATHS[index], &len);
}

static void
test_against_each_other(void **state)
{
    for (size_t i = 0; i < SUPPORT_CONFIG_ICPS; i++) {
        for (size_t j = 0; j < SUPPORT_CONFIG_ICPS; j++) {
            struct definition before = {NULL, NULL}, after = {NULL, NULL};
            assert_true(parse(*state, config_text(*state, i), &before) &&
                        parse(*state, config_text(*state, j), &after));
            assert_true((check_pair(*state, before, after) == 0) == (i == j));
        }
    }
}

static void
test_varied(void **state)
{
    size_t refused = 0, differences = 0;

    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct lf_arena *arena = lf_arena_create(1 << 16, (size_t)1 << 30);
        struct mutation mutation = {arena, {round * 977 + 5}, 0};
        struct definition before, after;
        struct node *tree = NULL;

        assert_non_null(arena);
        assert_true(parse(arena, config_text(arena, round % SUPPORT_CONFIG_ICPS), &before));
        /* Both sides are varied, so that the earlier one has doubles and gaps, too. */
        for (int side = 0; side < 2; side++) {
            tree = take_apart(arena, before.json, before.icp);
            for (uint32_t n = chance(&mutation, 60); n > 0; n--)
                vary(&mutation, tree);
            if (!parse(arena, node_text(arena, tree), &after)) {
                refused++;
                after = before;
            }
            if (side == 0)
                before = after;
        }
        differences += check_pair(arena, before, after);
        differences += check_pair(arena, after, before);
        lf_arena_destroy(arena);
    }
    /* Most variations are definitions, and they do vary. */
    if (refused > ROUNDS / 2 || differences < 10 * ROUNDS)
        fail_msg("%zu refused, %zu differences", refused, differences);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_against_each_other),
        SUPPORT_TEST(test_varied),
    };

    return cmocka_run_group_tests(tests, support_group_setup, NULL);
}
