/* condition_words.c - a condition told in words, for rules that have no label of their own. */
#include "core/condition.h"

#include "base/number.h"
#include "base/time.h"

#include <string.h>

enum { WORDS_MAX = 200 /* characters, as a label */, ENTRIES_TOLD = 5 };

static void
tell_number(struct lf_buf *buf, double number)
{
    char text[LF_NUMBER_TEXT_MAX];
    size_t len = lf_number_format(number, text);

    lf_buf_add(buf, text, len);
}

static void
tell_entry(struct lf_buf *buf, const struct lf_scalar *entry)
{
    if (entry->kind == LF_JSON_TEXT)
        lf_buf_add(buf, entry->raw.bytes, entry->raw.len);
    else if (entry->kind == LF_JSON_NUMBER)
        tell_number(buf, entry->number);
    else
        lf_buf_text(buf, entry->yes ? "true" : "false");
}

static void
tell_entries(struct lf_buf *buf, const struct lf_condition *leaf, const char *last)
{
    for (size_t i = 0; i < leaf->entry_count; i++) {
        if (i > 0)
            lf_buf_text(buf, i + 1 == leaf->entry_count ? last : ", ");
        if (i == ENTRIES_TOLD && leaf->entry_count > ENTRIES_TOLD + 1) {
            lf_buf_lit(buf, "… (");
            lf_buf_int(buf, (int64_t)leaf->entry_count);
            lf_buf_lit(buf, " in all)");
            return;
        }
        tell_entry(buf, &leaf->entries[i]);
    }
}

static void
tell_date(struct lf_buf *buf, int64_t us)
{
    char text[LF_TIME_TEXT_MAX];
    size_t len = us % 86400000000 == 0 ? lf_time_format_date(us, text) : lf_time_format_ms(lf_time_us_to_ms(us), text);

    lf_buf_add(buf, text, len);
}

static void
tell_leaf(struct lf_buf *buf, const struct lf_condition *leaf, const struct lf_fields *fields)
{
    static const char *const VERBS[LF_OP_COUNT] = {
        [LF_OP_IS] = " is ",
        [LF_OP_IN] = " is ",
        [LF_OP_STARTS_WITH] = " starts with ",
        [LF_OP_ENDS_WITH] = " ends with ",
        [LF_OP_CONTAINS] = " contains ",
        [LF_OP_HAS_WORD] = " has the word ",
        [LF_OP_LIKE] = " is like ",
        [LF_OP_GT] = " over ",
        [LF_OP_GTE] = " at least ",
        [LF_OP_LT] = " under ",
        [LF_OP_LTE] = " at most ",
        [LF_OP_BETWEEN] = " from ",
        [LF_OP_BEFORE] = " before ",
        [LF_OP_AFTER] = " after ",
        [LF_OP_WITHIN_DAYS] = " within the last ",
        [LF_OP_OLDER_THAN_DAYS] = " more than ",
        [LF_OP_IN_NEXT_DAYS] = " in the next ",
        [LF_OP_HAS_ALL] = " has ",
        [LF_OP_IN_LIST] = " in the list ",
        [LF_OP_EXISTS] = " is ",
    };

    lf_buf_text(buf, fields->paths[leaf->field]);
    lf_buf_text(buf, VERBS[leaf->op]);
    switch (lf_operator_operand(leaf->op)) {
    case LF_OPERAND_SCALAR:
    case LF_OPERAND_SCALARS:
    case LF_OPERAND_TEXTS:
        tell_entries(buf, leaf, " or ");
        break;
    case LF_OPERAND_ALL_TEXTS:
        tell_entries(buf, leaf, " and ");
        break;
    case LF_OPERAND_NUMBER:
        tell_number(buf, leaf->low);
        break;
    case LF_OPERAND_RANGE:
        tell_number(buf, leaf->low);
        lf_buf_lit(buf, " to ");
        tell_number(buf, leaf->high);
        break;
    case LF_OPERAND_DATE:
        tell_date(buf, leaf->date_us);
        break;
    case LF_OPERAND_DAYS:
        lf_buf_int(buf, leaf->days);
        lf_buf_text(buf, leaf->days == 1 ? " day" : " days");
        if (leaf->op == LF_OP_OLDER_THAN_DAYS)
            lf_buf_lit(buf, " ago");
        break;
    case LF_OPERAND_LIST_KEY:
        lf_buf_text(buf, leaf->list);
        break;
    case LF_OPERAND_BOOLEAN:
        lf_buf_text(buf, leaf->yes ? "known" : "not known");
        break;
    }
}

static void
tell(struct lf_buf *buf, const struct lf_condition *condition, const struct lf_fields *fields)
{
    switch (condition->kind) {
    case LF_CONDITION_LEAF:
        tell_leaf(buf, condition, fields);
        return;
    case LF_CONDITION_NOT:
        lf_buf_lit(buf, "not (");
        tell(buf, condition->children[0], fields);
        lf_buf_lit(buf, ")");
        return;
    case LF_CONDITION_ALL:
    case LF_CONDITION_ANY:
        for (size_t i = 0; i < condition->child_count && buf->len < 4 * WORDS_MAX; i++) {
            const struct lf_condition *child = condition->children[i];
            bool nested = child->kind == LF_CONDITION_ALL || child->kind == LF_CONDITION_ANY;

            if (i > 0)
                lf_buf_text(buf, condition->kind == LF_CONDITION_ALL ? " and " : " or ");
            if (nested)
                lf_buf_lit(buf, "(");
            tell(buf, child, fields);
            if (nested)
                lf_buf_lit(buf, ")");
        }
        return;
    }
}

const char *
lf_condition_words(struct lf_arena *arena, const struct lf_condition *condition, const struct lf_fields *fields)
{
    struct lf_buf buf;
    size_t cut = 0;

    lf_buf_init(&buf, arena, 1 << 20);
    tell(&buf, condition, fields);
    if (lf_buf_terminate(&buf) == NULL)
        return NULL;
    if (lf_text_length(buf.data, buf.len) <= WORDS_MAX)
        return buf.data;
    cut = lf_text_prefix(buf.data, buf.len, WORDS_MAX - 1);
    return lf_arena_printf(arena, "%.*s…", (int)cut, buf.data);
}
