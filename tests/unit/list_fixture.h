/* list_fixture.h - for the tests of lists in the store: short ways to put, change and look at one. */
#ifndef LF_TESTS_LIST_FIXTURE_H
#define LF_TESTS_LIST_FIXTURE_H

#include "base/text.h"
#include "core/named_list.h"
#include "store/list_hash.h"
#include "store_fixture.h"

static const struct lf_precondition NOTHING_SAID = {.any = false};

static inline struct lf_list_entry
entry(struct fixture *f, const char *text)
{
    struct lf_text folded = {.bytes = NULL};

    assert_true(lf_text_fold(f->arena, text, strlen(text), &folded));
    return (struct lf_list_entry){.text = text, .len = strlen(text), .folded = folded.bytes, .folded_len = folded.len};
}

static inline struct lf_list_entry *
entries(struct fixture *f, const char *const *texts, size_t count)
{
    struct lf_list_entry *made = lf_arena_calloc(f->arena, count, sizeof *made);

    assert_non_null(made);
    for (size_t i = 0; i < count; i++)
        made[i] = entry(f, texts[i]);
    return made;
}

/* What became of a list. */
struct result {
    struct lf_stored_list list;
    bool created, unchanged;
    size_t added, removed;
};

/* Fills a generation, in two slices. */
static inline struct lf_list_state
fill(struct fixture *f, const char *const *texts, size_t count)
{
    struct lf_list_state state;
    const struct lf_list_entry *made = entries(f, texts, count);

    OK(lf_store_begin_list(f->store, &state, &f->error));
    OK(lf_store_add_list_entries(f->store, &state, made, count / 2, &f->error));
    OK(lf_store_add_list_entries(f->store, &state, made + count / 2, count - count / 2, &f->error));
    return state;
}

static inline enum lf_status
try_put(struct fixture *f, const char *key, const struct lf_list_state *state,
        const struct lf_precondition *precondition, int64_t at_ms, struct result *result)
{
    struct lf_change by = by_ops(at_ms);

    return lf_store_put_list(f->store, key, state, precondition, &by, f->arena, &result->list, &result->created,
                             &result->unchanged, &f->error);
}

static inline struct result
put(struct fixture *f, const char *key, const char *const *texts, size_t count, int64_t at_ms)
{
    struct lf_list_state state = fill(f, texts, count);
    struct result result = {.created = false};

    OK(try_put(f, key, &state, &NOTHING_SAID, at_ms, &result));
    return result;
}

static inline enum lf_status
try_patch(struct fixture *f, const char *key, const char *const *add, size_t add_count, const char *const *removed,
          size_t remove_count, const struct lf_precondition *precondition, struct result *result)
{
    struct lf_change by = by_ops(5000);

    return lf_store_patch_list(f->store, key, entries(f, add, add_count), add_count, entries(f, removed, remove_count),
                               remove_count, precondition, &by, f->arena, &result->list, &result->added,
                               &result->removed, &f->error);
}

static inline enum lf_status
try_delete(struct fixture *f, const char *key, const struct lf_precondition *precondition)
{
    struct lf_change by = by_ops(6000);

    return lf_store_delete_list(f->store, key, precondition, &by, &f->error);
}

static inline struct lf_stored_list
list(struct fixture *f, const char *key)
{
    struct lf_stored_list found = {.key = NULL};

    OK(lf_store_list(f->reader, f->arena, key, &found, &f->error));
    return found;
}

/* The entries of a generation, each with a line feed behind it; looks whether they ascend and fold as they say. */
struct joined {
    struct fixture *f;
    char *text;
    size_t len, count, stop_at;
    uint8_t hash[LF_SHA256_SIZE];
    char *last;
    size_t last_len;
};

static inline enum lf_status
join(void *context, const struct lf_list_entry *found)
{
    struct joined *joined = context;
    struct lf_text folded = {.bytes = NULL};
    size_t common = found->folded_len < joined->last_len ? found->folded_len : joined->last_len;
    int order = common == 0 ? 0 : memcmp(joined->last, found->folded, common);

    assert_true(lf_text_fold(joined->f->arena, found->text, found->len, &folded));
    assert_int_equal(folded.len, found->folded_len);
    assert_memory_equal(folded.bytes, found->folded, folded.len);
    if (joined->count > 0)
        assert_true(order < 0 || (order == 0 && joined->last_len < found->folded_len));
    joined->last = lf_arena_copy(joined->f->arena, found->folded, found->folded_len);
    joined->last_len = found->folded_len;
    assert_true(lf_list_hash_add_entry(joined->hash, found->text, found->len));
    joined->text = lf_arena_printf(joined->f->arena, "%s%.*s\n", joined->text, (int)found->len, found->text);
    assert_non_null(joined->text);
    return ++joined->count == joined->stop_at ? LF_BUSY : LF_OK;
}

static inline struct joined
read_generation(struct fixture *f, int64_t generation)
{
    struct joined joined = {.f = f, .text = lf_arena_copy(f->arena, "", 0)};

    OK(lf_store_each_list_entry(f->reader, generation, join, &joined, &f->error));
    return joined;
}

/* The list has just these entries, and says so. */
static inline void
assert_list(struct fixture *f, const char *key, int64_t revision, const char *expected)
{
    struct lf_stored_list found = list(f, key);
    struct joined joined = read_generation(f, found.generation);

    assert_string_equal(found.key, key);
    assert_int_equal(found.revision, revision);
    assert_string_equal(joined.text, expected);
    assert_int_equal(found.count, joined.count);
    assert_memory_equal(found.hash, joined.hash, LF_SHA256_SIZE);
}

static inline void
assert_same_list(const struct lf_stored_list *a, const struct lf_stored_list *b)
{
    assert_string_equal(a->key, b->key);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->hash, b->hash, LF_SHA256_SIZE);
    assert_string_equal(a->etag, b->etag);
    assert_int_equal(a->updated_at_ms, b->updated_at_ms);
}

static inline int64_t
ask(struct fixture *f, const char *sql)
{
    int64_t value = -1;

    OK(lf_sqlite_int(&((struct lf_sqlite_reader *)f->reader)->connection, sql, &value, &f->error));
    return value;
}

static inline void
sweep_all(struct fixture *f)
{
    bool more = true;

    while (more)
        OK(lf_store_sweep_lists(f->store, 1000, 0, &more, &f->error));
    assert_int_equal(ask(f, "SELECT count(*) FROM list_item WHERE generation NOT IN (SELECT generation FROM list)"), 0);
}

/* The latest entry of the audit. */
static inline struct lf_audit_entry
latest_trace(struct fixture *f, size_t expected_count)
{
    struct lf_audit_entry *found = NULL;
    size_t count = 0;

    OK(lf_store_audit(f->reader, f->arena, NULL, 0, 1000000, &found, &count, &f->error));
    assert_int_equal(count, expected_count);
    return found[count - 1];
}

static inline void
assert_trace(struct fixture *f, size_t number, const char *action, const char *key, const uint8_t *before,
             const uint8_t *after)
{
    struct lf_audit_entry trace = latest_trace(f, number);
    char text[LF_HASH_TEXT_MAX] = "";

    assert_string_equal(trace.action, action);
    assert_string_equal(trace.subject, key);
    assert_string_equal(trace.icp, "");
    assert_int_equal(trace.version, 0);
    assert_string_equal(trace.by, "ops");
    assert_string_equal(trace.key_id, "k1");
    assert_string_equal(trace.note, "a note");
    if (before != NULL)
        lf_hash_text(before, text);
    assert_string_equal(trace.before, text);
    text[0] = '\0';
    if (after != NULL)
        lf_hash_text(after, text);
    assert_string_equal(trace.after, text);
}

#endif
