/*
 * compile.c - makes a program of ICPs; see program.h.
 *
 * Equal leaves are shared: a leaf is written down as bytes (field, operator, operands as they are compared), and the
 * bytes are looked up in a table that exists only while compiling. So are named lists, by their keys.
 */
#include "core/program_types.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRAM_BYTES_MAX = 1 << 30, FEW_TEXTS = 8 /* so many are compared one by one */ };

/* The bytes of a leaf or a list, and its index. */
struct known {
    uint64_t hash;
    const char *key; /* NULL: free */
    size_t key_len;
    uint32_t index;
};

struct compiling {
    struct lf_program *program;
    const struct lf_list_source *lists;
    struct lf_arena *scratch; /* for the table; goes when compiling ends */
    struct known *known;
    size_t known_mask, known_count;
    struct compiled_icp *icp; /* the one at hand */
};

/* ---- sharing ---- */

static void
write_scalar(struct lf_buf *key, const struct lf_scalar *entry)
{
    uint64_t len = entry->folded.len;

    lf_buf_char(key, (char)entry->kind);
    if (entry->kind == LF_JSON_TEXT) {
        lf_buf_add(key, &len, sizeof len);
        lf_buf_add(key, entry->folded.bytes, entry->folded.len);
    } else if (entry->kind == LF_JSON_NUMBER) {
        lf_buf_add(key, &entry->number, sizeof entry->number);
    } else {
        lf_buf_char(key, entry->yes ? 1 : 0);
    }
}

/* Writes down everything that makes one leaf another. */
static void
write_key(struct lf_buf *key, const struct lf_condition *leaf, uint32_t field)
{
    lf_buf_add(key, &field, sizeof field);
    lf_buf_char(key, (char)leaf->op);
    switch (lf_operator_operand(leaf->op)) {
    case LF_OPERAND_SCALAR:
    case LF_OPERAND_SCALARS:
    case LF_OPERAND_TEXTS:
    case LF_OPERAND_ALL_TEXTS:
        for (size_t i = 0; i < leaf->entry_count; i++)
            write_scalar(key, &leaf->entries[i]);
        break;
    case LF_OPERAND_NUMBER:
        lf_buf_add(key, &leaf->low, sizeof leaf->low);
        break;
    case LF_OPERAND_RANGE:
        lf_buf_add(key, &leaf->low, sizeof leaf->low);
        lf_buf_add(key, &leaf->high, sizeof leaf->high);
        break;
    case LF_OPERAND_DATE:
        lf_buf_add(key, &leaf->date_us, sizeof leaf->date_us);
        break;
    case LF_OPERAND_DAYS:
        lf_buf_int(key, leaf->days);
        break;
    case LF_OPERAND_LIST_KEY:
        lf_buf_text(key, leaf->list);
        break;
    case LF_OPERAND_BOOLEAN:
        lf_buf_char(key, leaf->yes ? 1 : 0);
        break;
    }
}

static bool
grow_known(struct compiling *compiling)
{
    size_t slots = compiling->known == NULL ? 64 : (compiling->known_mask + 1) * 2;
    struct known *known = lf_arena_calloc(compiling->scratch, slots, sizeof *known);

    if (known == NULL)
        return false;
    for (size_t i = 0; compiling->known != NULL && i <= compiling->known_mask; i++) {
        size_t at = (size_t)compiling->known[i].hash & (slots - 1);
        if (compiling->known[i].key == NULL)
            continue;
        while (known[at].key != NULL)
            at = (at + 1) & (slots - 1);
        known[at] = compiling->known[i];
    }
    compiling->known = known;
    compiling->known_mask = slots - 1;
    return true;
}

/* What is known by these bytes; new ones are noted, with UINT32_MAX for an index. It stays there until the next call.
 * NULL when memory is out. */
static struct known *
find_known(struct compiling *compiling, const struct lf_buf *key)
{
    static const uint64_t SEED[2] = {0x73686172656c6561u, 0x663b9d1c7e40862au};
    uint64_t hash = 0;
    size_t at = 0;

    if (lf_buf_failed(key) || (compiling->known_count * 2 >= compiling->known_mask && !grow_known(compiling)))
        return NULL;
    hash = lf_text_hash(key->data, key->len, SEED);
    for (at = (size_t)hash & compiling->known_mask; compiling->known[at].key != NULL;
         at = (at + 1) & compiling->known_mask) {
        const struct known *known = &compiling->known[at];
        if (known->hash == hash && known->key_len == key->len && memcmp(known->key, key->data, key->len) == 0)
            return &compiling->known[at];
    }
    compiling->known[at] = (struct known){.hash = hash, .key = key->data, .key_len = key->len, .index = UINT32_MAX};
    compiling->known_count++;
    return &compiling->known[at];
}

/* ---- lists ---- */

/* A new list of the program; UINT32_MAX when memory is out. */
static uint32_t
add_list(struct compiling *compiling, const char *key)
{
    struct lf_program *program = compiling->program;

    if (program->list_count == program->list_cap) {
        size_t cap = program->list_cap == 0 ? 4 : program->list_cap * 2;
        const struct lf_named_list **lists = lf_arena_calloc(program->arena, cap, sizeof(struct lf_named_list *));
        if (lists == NULL)
            return UINT32_MAX;
        if (program->list_count > 0)
            memcpy(lists, program->lists, program->list_count * sizeof(struct lf_named_list *));
        program->lists = lists;
        program->list_cap = cap;
    }
    if (compiling->lists != NULL)
        program->lists[program->list_count] = compiling->lists->find(compiling->lists->context, key);
    return (uint32_t)program->list_count++;
}

/* The program's list of that key, added where it is new; UINT32_MAX when memory is out. */
static uint32_t
share_list(struct compiling *compiling, const char *list)
{
    const uint32_t no_field = LF_NO_FIELD; /* where the bytes of a leaf begin with its field */
    struct known *known = NULL;
    struct lf_buf key;

    lf_buf_init(&key, compiling->scratch, PROGRAM_BYTES_MAX);
    lf_buf_add(&key, &no_field, sizeof no_field);
    lf_buf_text(&key, list);
    known = find_known(compiling, &key);
    if (known == NULL)
        return UINT32_MAX;
    if (known->index == UINT32_MAX)
        known->index = add_list(compiling, list);
    return known->index;
}

/* ---- leaves ---- */

static int
compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static bool
prepare_leaf(struct compiling *compiling, const struct lf_condition *source, struct leaf *leaf)
{
    struct lf_arena *arena = compiling->program->arena;

    if (source->op == LF_OP_IN_LIST)
        leaf->list = compiling->program->lists[leaf->asked];
    if (source->op != LF_OP_IS && source->op != LF_OP_IN && source->op != LF_OP_HAS_ALL)
        return true;
    for (size_t i = 0; i < source->entry_count; i++) {
        leaf->text_count += source->entries[i].kind == LF_JSON_TEXT;
        leaf->number_count += source->entries[i].kind == LF_JSON_NUMBER;
        if (source->entries[i].kind == LF_JSON_BOOLEAN)
            leaf->booleans |= source->entries[i].yes ? 2u : 1u;
    }
    if (leaf->text_count > FEW_TEXTS) {
        if (!lf_text_set_init(&leaf->texts, arena, leaf->text_count))
            return false;
        for (size_t i = 0; i < source->entry_count; i++)
            if (source->entries[i].kind == LF_JSON_TEXT)
                lf_text_set_add(&leaf->texts, source->entries[i].folded);
    }
    if (leaf->number_count > 0) {
        size_t count = 0;

        leaf->numbers = lf_arena_calloc(arena, leaf->number_count, sizeof *leaf->numbers);
        if (leaf->numbers == NULL)
            return false;
        for (size_t i = 0; i < source->entry_count; i++)
            if (source->entries[i].kind == LF_JSON_NUMBER)
                leaf->numbers[count++] = source->entries[i].number;
        qsort(leaf->numbers, count, sizeof *leaf->numbers, compare_numbers);
    }
    return true;
}

/* A new leaf of the program; UINT32_MAX when memory is out. */
static uint32_t
add_leaf(struct compiling *compiling, const struct lf_condition *source, uint32_t field, uint32_t asked)
{
    struct lf_program *program = compiling->program;

    if (program->leaf_count == program->leaf_cap) {
        size_t cap = program->leaf_cap == 0 ? 64 : program->leaf_cap * 2;
        struct leaf *leaves = lf_arena_calloc(program->arena, cap, sizeof *leaves);
        if (leaves == NULL)
            return UINT32_MAX;
        if (program->leaf_count > 0)
            memcpy(leaves, program->leaves, program->leaf_count * sizeof *leaves);
        program->leaves = leaves;
        program->leaf_cap = cap;
    }
    program->leaves[program->leaf_count] = (struct leaf){.source = source, .field = field, .asked = asked};
    if (!prepare_leaf(compiling, source, &program->leaves[program->leaf_count]))
        return UINT32_MAX;
    return (uint32_t)program->leaf_count++;
}

/* The program's leaf for this one: an equal one that is there, or a new one. UINT32_MAX when memory is out. */
static uint32_t
share_leaf(struct compiling *compiling, const struct lf_condition *source)
{
    uint32_t field = compiling->icp->fields[source->field];
    uint32_t asked = source->op == LF_OP_IN_LIST ? share_list(compiling, source->list) : 0;
    struct known *known = NULL;
    struct lf_buf key;

    lf_buf_init(&key, compiling->scratch, PROGRAM_BYTES_MAX);
    write_key(&key, source, field);
    known = find_known(compiling, &key);
    if (known == NULL || asked == UINT32_MAX)
        return UINT32_MAX;
    if (known->index == UINT32_MAX)
        known->index = add_leaf(compiling, source, field, asked);
    return known->index;
}

/* ---- conditions ---- */

/* Room for count nodes side by side; UINT32_MAX when memory is out. */
static uint32_t
add_nodes(struct lf_program *program, size_t count)
{
    size_t first = program->node_count;

    if (first + count > program->node_cap) {
        size_t cap = program->node_cap == 0 ? 128 : program->node_cap * 2;
        struct node *nodes = NULL;

        while (cap < first + count)
            cap *= 2;
        nodes = lf_arena_calloc(program->arena, cap, sizeof *nodes);
        if (nodes == NULL)
            return UINT32_MAX;
        if (first > 0)
            memcpy(nodes, program->nodes, first * sizeof *nodes);
        program->nodes = nodes;
        program->node_cap = cap;
    }
    program->node_count += count;
    return (uint32_t)first;
}

/* Notes a leaf of the ICP at hand. */
static bool
note_leaf(struct compiling *compiling, uint32_t leaf, size_t field)
{
    struct compiled_icp *icp = compiling->icp;

    if (icp->leaf_count == icp->leaf_cap) {
        size_t cap = icp->leaf_cap == 0 ? 32 : icp->leaf_cap * 2;
        struct leaf_use *leaves = lf_arena_calloc(compiling->program->arena, cap, sizeof *leaves);
        if (leaves == NULL)
            return false;
        if (icp->leaf_count > 0)
            memcpy(leaves, icp->leaves, icp->leaf_count * sizeof *leaves);
        icp->leaves = leaves;
        icp->leaf_cap = cap;
    }
    icp->leaves[icp->leaf_count++] = (struct leaf_use){.leaf = leaf, .field = (uint32_t)field};
    return true;
}

static bool
compile_condition(struct compiling *compiling, const struct lf_condition *condition, uint32_t at)
{
    struct node node = {.kind = condition->kind};

    if (condition->kind == LF_CONDITION_LEAF) {
        node.leaf = share_leaf(compiling, condition);
        if (node.leaf == UINT32_MAX || !note_leaf(compiling, node.leaf, condition->field))
            return false;
    } else {
        node.count = (uint32_t)condition->child_count;
        node.first = add_nodes(compiling->program, condition->child_count);
        if (node.first == UINT32_MAX)
            return false;
        for (uint32_t i = 0; i < node.count; i++)
            if (!compile_condition(compiling, condition->children[i], node.first + i))
                return false;
    }
    compiling->program->nodes[at] = node;
    return true;
}

static bool
compile_root(struct compiling *compiling, const struct lf_condition *condition, uint32_t *ret_node)
{
    *ret_node = add_nodes(compiling->program, 1);
    return *ret_node != UINT32_MAX && compile_condition(compiling, condition, *ret_node);
}

/* What records go through, besides the leaves: those that ask a list, and room for those about fields not kept. */
static bool
gather_leaves(struct lf_program *program, struct compiled_icp *icp)
{
    icp->lists = lf_arena_calloc(program->arena, icp->leaf_count, sizeof *icp->lists);
    icp->withheld = lf_arena_calloc(program->arena, bits_size(icp->source.icp->fields.count), 1);
    icp->withheld_leaves = lf_arena_calloc(program->arena, icp->leaf_count, sizeof *icp->withheld_leaves);
    if (icp->lists == NULL || icp->withheld == NULL || icp->withheld_leaves == NULL)
        return false;
    for (size_t i = 0; i < icp->leaf_count; i++)
        if (program->leaves[icp->leaves[i].leaf].source->op == LF_OP_IN_LIST)
            icp->lists[icp->list_count++] = icp->leaves[i].leaf;
    return true;
}

static bool
compile_icp(struct compiling *compiling, struct compiled_icp *compiled)
{
    struct lf_arena *arena = compiling->program->arena;
    const struct lf_icp *icp = compiled->source.icp;
    uint32_t *fields = lf_arena_calloc(arena, icp->fields.count, sizeof *fields);
    const uint32_t **rules = lf_arena_calloc(arena, icp->attribute_count, sizeof(uint32_t *));
    uint32_t *disqualifiers = lf_arena_calloc(arena, icp->disqualifier_count, sizeof *disqualifiers);

    if (fields == NULL || rules == NULL || disqualifiers == NULL)
        return false;
    for (size_t i = 0; i < icp->fields.count; i++) {
        fields[i] = lookup_add(compiling->program, icp->fields.paths[i]);
        if (fields[i] == UINT32_MAX)
            return false;
    }
    compiled->fields = fields;
    compiled->asked = lf_arena_calloc(arena, icp->lists.count, sizeof *compiled->asked);
    if (compiled->asked == NULL)
        return false;
    for (size_t i = 0; i < icp->lists.count; i++) {
        compiled->asked[i] = share_list(compiling, icp->lists.paths[i]);
        if (compiled->asked[i] == UINT32_MAX)
            return false;
    }
    compiling->icp = compiled;
    for (size_t i = 0; i < icp->attribute_count; i++) {
        const struct lf_attribute *attribute = &icp->attributes[i];
        uint32_t *nodes = lf_arena_calloc(arena, attribute->rule_count, sizeof *nodes);
        if (nodes == NULL)
            return false;
        for (size_t r = 0; r < attribute->rule_count; r++)
            if (!compile_root(compiling, attribute->rules[r].when, &nodes[r]))
                return false;
        rules[i] = nodes;
    }
    for (size_t i = 0; i < icp->disqualifier_count; i++)
        if (!compile_root(compiling, icp->disqualifiers[i].when, &disqualifiers[i]))
            return false;
    compiled->rules = rules;
    compiled->disqualifiers = disqualifiers;
    return gather_leaves(compiling->program, compiled);
}

enum lf_status
lf_program_create(const struct lf_program_source *sources, size_t count, const struct lf_list_source *lists,
                  struct lf_program **ret_program, struct lf_error *error)
{
    struct lf_arena *arena = lf_arena_create(16384, PROGRAM_BYTES_MAX);
    struct compiling compiling = {.lists = lists, .scratch = lf_arena_create(16384, PROGRAM_BYTES_MAX)};
    struct lf_program *program = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *program);
    bool fine = program != NULL && compiling.scratch != NULL;

    if (fine) {
        program->arena = arena;
        program->icp_count = count;
        program->icps = lf_arena_calloc(arena, count, sizeof *program->icps);
        compiling.program = program;
        fine = program->icps != NULL && grow_known(&compiling);
    }
    for (size_t i = 0; fine && i < count; i++) {
        program->icps[i].source = sources[i];
        fine = compile_icp(&compiling, &program->icps[i]);
    }
    lf_arena_destroy(compiling.scratch);
    if (!fine) {
        lf_arena_destroy(arena);
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while compiling %zu ICPs", count);
    }
    *ret_program = program;
    return LF_OK;
}

void
lf_program_withhold(struct lf_program *program, const struct lf_privacy *privacy)
{
    for (size_t i = 0; i < program->icp_count; i++) {
        struct compiled_icp *icp = &program->icps[i];
        const struct lf_fields *fields = &icp->source.icp->fields;

        memset(icp->withheld, 0, bits_size(fields->count));
        icp->withholds = false;
        icp->withheld_leaf_count = 0;
        for (size_t f = 0; f < fields->count; f++)
            if (lf_privacy_withholds(privacy, fields->paths[f])) {
                icp->withheld[f / 8] |= (uint8_t)(1u << f % 8);
                icp->withholds = true;
            }
        for (size_t l = 0; l < icp->leaf_count; l++)
            if (bit_of(icp->withheld, icp->leaves[l].field) &&
                program->leaves[icp->leaves[l].leaf].source->op != LF_OP_IN_LIST)
                icp->withheld_leaves[icp->withheld_leaf_count++] = icp->leaves[l].leaf;
    }
}

void
lf_program_destroy(struct lf_program *program)
{
    if (program != NULL)
        lf_arena_destroy(program->arena);
}

size_t
lf_program_count(const struct lf_program *program)
{
    return program->icp_count;
}

const struct lf_program_source *
lf_program_member(const struct lf_program *program, size_t index)
{
    return &program->icps[index].source;
}

size_t
lf_program_find(const struct lf_program *program, const char *key)
{
    for (size_t i = 0; i < program->icp_count; i++)
        if (strcmp(program->icps[i].source.icp->key, key) == 0)
            return i;
    return SIZE_MAX;
}
