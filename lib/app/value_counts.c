/* value_counts.c - see value_counts.h. */
#include "app/value_counts.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS_LEAST = 1024 };

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting values");
}

enum lf_status
lf_value_counts_init(struct lf_value_counts *counts, size_t groups, size_t group_max, size_t max, size_t bytes,
                     struct lf_error *error)
{
    *counts = (struct lf_value_counts){.groups = groups, .group_max = group_max, .max = max};
    lf_buf_init(&counts->texts, NULL, bytes);
    if (!lf_random_bytes(counts->seed, sizeof counts->seed))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes");
    counts->group_counts = calloc(groups + 1, sizeof *counts->group_counts);
    return counts->group_counts == NULL ? out_of_memory(error) : LF_OK;
}

void
lf_value_counts_finish(struct lf_value_counts *counts)
{
    free(counts->items);
    free(counts->slots);
    free(counts->group_counts);
    lf_buf_finish(&counts->texts);
    *counts = (struct lf_value_counts){.count = 0};
}

const char *
lf_value_counts_text(const struct lf_value_counts *counts, const struct lf_counted_value *item)
{
    return counts->texts.data == NULL ? "" : counts->texts.data + item->at;
}

/* ---- the table ---- */

static uint32_t *
find_slot(const struct lf_value_counts *counts, const struct lf_counted_value *wanted, const char *text)
{
    size_t at = (size_t)wanted->hash & counts->mask;

    for (; counts->slots[at] != 0; at = (at + 1) & counts->mask) {
        const struct lf_counted_value *item = &counts->items[counts->slots[at] - 1];

        if (item->hash == wanted->hash && item->group == wanted->group && item->tag == wanted->tag &&
            item->len == wanted->len && memcmp(lf_value_counts_text(counts, item), text, item->len) == 0)
            break;
    }
    return &counts->slots[at];
}

/* Puts the items into slots anew. */
static void
fill_slots(struct lf_value_counts *counts)
{
    memset(counts->slots, 0, (counts->mask + 1) * sizeof *counts->slots);
    for (size_t i = 0; i < counts->count; i++) {
        size_t at = (size_t)counts->items[i].hash & counts->mask;

        while (counts->slots[at] != 0)
            at = (at + 1) & counts->mask;
        counts->slots[at] = (uint32_t)(i + 1);
    }
}

static bool
grow(struct lf_value_counts *counts)
{
    size_t room = counts->room == 0 ? ITEMS_LEAST : 2 * counts->room;
    struct lf_counted_value *items = realloc(counts->items, room * sizeof *items);
    uint32_t *slots = NULL;

    if (items == NULL)
        return false;
    counts->items = items;
    slots = calloc(2 * room, sizeof *slots);
    if (slots == NULL)
        return false;
    free(counts->slots);
    counts->slots = slots;
    counts->mask = 2 * room - 1;
    counts->room = room;
    fill_slots(counts);
    return true;
}

/* ---- letting go ---- */

struct ranked {
    int64_t count;
    size_t item;
};

/* The commonest first, of equal ones the earlier. */
static int
compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;

    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return left->item < right->item ? -1 : 1;
}

/* Lets go of the rarer half of a group (SIZE_MAX: of all). false: out of memory. */
static bool
let_go(struct lf_value_counts *counts, size_t group)
{
    struct ranked *ranked = calloc(counts->count + 1, sizeof *ranked);
    struct lf_buf texts;
    size_t count = 0, kept = 0;

    if (ranked == NULL)
        return false;
    for (size_t i = 0; i < counts->count; i++)
        if (group == SIZE_MAX || counts->items[i].group == group)
            ranked[count++] = (struct ranked){counts->items[i].count, i};
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    for (size_t i = count / 2; i < count; i++)
        counts->items[ranked[i].item].count = 0;
    counts->dropped += count - count / 2;
    free(ranked);
    lf_buf_init(&texts, NULL, counts->texts.max);
    for (size_t i = 0; i < counts->count; i++) {
        struct lf_counted_value *item = &counts->items[i];

        if (item->count == 0) {
            counts->group_counts[item->group]--;
            continue;
        }
        const char *text = lf_value_counts_text(counts, item);
        item->at = texts.len;
        lf_buf_add(&texts, text, item->len);
        counts->items[kept++] = *item;
    }
    if (lf_buf_failed(&texts)) {
        lf_buf_finish(&texts);
        return false;
    }
    lf_buf_finish(&counts->texts);
    counts->texts = texts;
    counts->count = kept;
    fill_slots(counts);
    return true;
}

bool
lf_value_counts_add(struct lf_value_counts *counts, uint32_t group, uint32_t tag, const char *text, size_t len,
                    bool flag, size_t turn)
{
    struct lf_counted_value value = {.group = group, .tag = tag, .len = len, .count = 1, .flag = flag};
    uint32_t *slot = NULL;

    value.hash = lf_text_hash(text, len, counts->seed) ^ ((uint64_t)group << 32 | tag) * UINT64_C(0x9E3779B97F4A7C15);
    value.last_turn = turn;
    if (counts->count == counts->room && !grow(counts))
        return false;
    slot = find_slot(counts, &value, text);
    if (*slot != 0) {
        struct lf_counted_value *item = &counts->items[*slot - 1];

        item->count += item->last_turn != turn;
        item->last_turn = turn;
        item->flag = item->flag || flag;
        return true;
    }
    if (counts->group_counts[group] == counts->group_max && !let_go(counts, group))
        return false;
    if ((counts->count == counts->max || counts->texts.max - counts->texts.len < len) && !let_go(counts, SIZE_MAX))
        return false;
    slot = find_slot(counts, &value, text);
    value.at = counts->texts.len;
    lf_buf_add(&counts->texts, text, len);
    if (lf_buf_failed(&counts->texts))
        return false;
    counts->items[counts->count++] = value;
    counts->group_counts[group]++;
    *slot = (uint32_t)counts->count;
    return true;
}
