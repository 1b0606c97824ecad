/*
 * editing_lists.c - named lists: put, patched and deleted while ICPs ask them; see editing.h.
 *
 * A list that is put may have a million entries. They are folded and sorted here, written into a generation of their
 * own in slices, between which the recorder records scores, and the list points to them with the last, small commit.
 * What comes of it in memory is made before the first slice, so that a lack of memory is found before any work is done.
 */
#include "app/editing.h"

#include "app/edit.h"
#include "base/buf.h"
#include "store/precondition.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICE = 2000, /* entries in one commit: some milliseconds, which a score may have to wait for */
    USERS_NAMED = 3,
};

#define ENTRIES_BYTES_MAX ((size_t)4 << 30)

/* ---- entries ---- */

/* Entries by their folded forms, each once. */
struct entries {
    struct lf_list_entry *items;
    size_t count;
};

/* One of them, with its place among those that were put. */
struct placed {
    struct lf_list_entry entry;
    size_t at;
};

static int
compare_folded(const struct lf_list_entry *a, const struct lf_list_entry *b)
{
    int order = memcmp(a->folded, b->folded, a->folded_len < b->folded_len ? a->folded_len : b->folded_len);

    return order != 0 ? order : (a->folded_len > b->folded_len) - (a->folded_len < b->folded_len);
}

static int
compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = compare_folded(&x->entry, &y->entry);

    return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a list's entries; nothing was changed");
}

/* Folds the texts, which stay where they are as long as the entries. */
static enum lf_status
fold(struct lf_arena *arena, const struct lf_text *texts, size_t count, struct entries *ret_entries,
     struct lf_error *error)
{
    struct placed *placed = lf_arena_calloc(arena, count, sizeof *placed);
    struct entries entries = {.items = lf_arena_calloc(arena, count, sizeof *entries.items)};
    size_t folded_count = 0;

    if (placed == NULL || entries.items == NULL)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++) {
        struct lf_text folded = {NULL, 0};

        if (!lf_text_fold(arena, texts[i].bytes, texts[i].len, &folded))
            return out_of_memory(error);
        if (folded.len > 0)
            placed[folded_count++] = (struct placed){{texts[i].bytes, texts[i].len, folded.bytes, folded.len}, i};
    }
    if (folded_count > 0)
        qsort(placed, folded_count, sizeof *placed, compare_placed);
    for (size_t i = 0; i < folded_count; i++)
        if (entries.count == 0 || compare_folded(&entries.items[entries.count - 1], &placed[i].entry) != 0)
            entries.items[entries.count++] = placed[i].entry;
    *ret_entries = entries;
    return LF_OK;
}

/* Hands the folded forms over, for lf_named_list_create_folded. */
struct handing {
    const struct entries *entries;
    size_t at;
};

static bool
next_folded(void *context, struct lf_text *ret_folded)
{
    struct handing *handing = context;
    const struct lf_list_entry *entry = NULL;

    if (handing->at == handing->entries->count)
        return false;
    entry = &handing->entries->items[handing->at++];
    *ret_folded = (struct lf_text){entry->folded, entry->folded_len};
    return true;
}

/* The folded forms alone; NULL: out of memory. */
static struct lf_text *
folded_forms(struct lf_arena *arena, const struct entries *entries)
{
    struct lf_text *forms = lf_arena_calloc(arena, entries->count, sizeof *forms);

    for (size_t i = 0; forms != NULL && i < entries->count; i++)
        forms[i] = (struct lf_text){entries->items[i].folded, entries->items[i].folded_len};
    return forms;
}

/* ---- a change of a list ---- */

struct list_edit {
    struct lf_edit edit;
    const char *key;
    const struct lf_precondition *precondition;
    struct lf_arena *arena;     /* for what is returned */
    struct lf_arena *memory;    /* for the entries, which may be large; gone with the edit */
    struct lf_stored_list list; /* the present one; .key NULL: there is none, and it goes on from .revision */
};

/* Waits for its turn, and looks at the list as it is. */
static enum lf_status
begin(struct lf_service *service, struct list_edit *edit, const struct lf_change *change, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    edit->memory = lf_arena_create(1 << 16, ENTRIES_BYTES_MAX);
    if (edit->memory == NULL)
        return out_of_memory(error);
    status = lf_edit_begin(service, change, &edit->edit, error);
    if (status != LF_OK) {
        lf_arena_destroy(edit->memory);
        return status;
    }
    status = lf_store_list(edit->edit.reader, edit->edit.scratch, edit->key, &edit->list, error);
    if (status == LF_LIST_NOT_FOUND)
        status = LF_OK;
    if (status != LF_OK) {
        lf_edit_end(&edit->edit);
        lf_arena_destroy(edit->memory);
    }
    return status;
}

static void
end(struct list_edit *edit)
{
    lf_edit_end(&edit->edit);
    lf_arena_destroy(edit->memory);
}

/* Prepares the live set with the list as it will be; NULL: without it. */
static enum lf_status
prepare(struct list_edit *edit, struct lf_named_list *list, struct lf_error *error)
{
    const struct lf_live_change live = {.list_key = edit->key, .list = list};

    return lf_edit_prepare(&edit->edit, &live, error);
}

/* ---- putting ---- */

struct put {
    struct list_edit list;
    struct entries entries;
    struct lf_list_state state;
    size_t slice_at, slice_count; /* of the entries */
    struct lf_stored_list result;
    bool created, unchanged;
};

static enum lf_status
begin_list(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct put *put = argument;

    return lf_store_begin_list(store, &put->state, error);
}

static enum lf_status
add_slice(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct put *put = argument;

    return lf_store_add_list_entries(store, &put->state, put->entries.items + put->slice_at, put->slice_count, error);
}

static enum lf_status
put_list(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct put *put = argument;

    return lf_store_put_list(store, put->list.key, &put->state, put->list.precondition, &put->list.edit.change,
                             put->list.arena, &put->result, &put->created, &put->unchanged, error);
}

/* Refuses what the store would refuse in the end, before a million entries are written. */
static enum lf_status
check_put(const struct put *put, size_t count, struct lf_error *error)
{
    const struct lf_stored_list *list = &put->list.list;
    const struct lf_tagged there = {.kind = "list",
                                    .key = put->list.key,
                                    .etag = list->key != NULL ? list->etag : "",
                                    .changed_by = "",
                                    .changed_at_ms = list->updated_at_ms};
    enum lf_status status = lf_precondition_check(put->list.precondition, &there, error);

    if (status == LF_OK && count > LF_NAMED_LIST_ENTRIES_MAX)
        status = lf_fail(error, LF_CONFLICT, "the list \"%s\" would have %zu entries, and a list holds up to %d",
                         put->list.key, count, LF_NAMED_LIST_ENTRIES_MAX);
    return status;
}

/* Makes the list as it will be in memory, and the live set with it. */
static enum lf_status
prepare_put(struct put *put, struct lf_error *error)
{
    struct handing handing = {.entries = &put->entries};
    struct lf_named_list *list = NULL;
    enum lf_status status = lf_named_list_create_folded(put->list.key, put->list.list.revision + 1, put->entries.count,
                                                        next_folded, &handing, &list, error);

    if (status == LF_OK)
        status = prepare(&put->list, list, error);
    lf_named_list_destroy(list);
    return status;
}

/* Writes the entries into a generation of their own, and points the list to it. */
static enum lf_status
write_put(struct put *put, struct lf_error *error)
{
    struct lf_edit *edit = &put->list.edit;
    enum lf_status status = lf_edit_commit(edit, begin_list, put, error);

    if (status != LF_OK)
        return status;
    lf_service_spare_list(edit->service, put->state.generation);
    while (status == LF_OK && put->slice_at < put->entries.count) {
        size_t left = put->entries.count - put->slice_at;

        put->slice_count = left < SLICE ? left : SLICE;
        status = lf_service_check_time(edit->service, error);
        if (status == LF_OK)
            status = lf_edit_commit(edit, add_slice, put, error);
        put->slice_at += put->slice_count;
    }
    if (status == LF_OK)
        status = lf_edit_commit(edit, put_list, put, error);
    lf_service_spare_list(edit->service, 0);
    lf_service_sweep_lists(edit->service); /* the old entries, or these */
    return status;
}

enum lf_status
lf_edit_put_list(struct lf_service *service, struct lf_arena *arena, const char *key, const struct lf_text *entries,
                 size_t count, const struct lf_precondition *precondition, const struct lf_change *change,
                 struct lf_list_edit *ret_edit, struct lf_error *error)
{
    struct put put = {.list = {.key = key, .precondition = precondition, .arena = arena}};
    enum lf_status status = begin(service, &put.list, change, error);

    if (status != LF_OK)
        return status;
    status = check_put(&put, count, error);
    if (status == LF_OK)
        status = fold(put.list.memory, entries, count, &put.entries, error);
    if (status == LF_OK)
        status = lf_service_check_time(service, error);
    if (status == LF_OK)
        status = prepare_put(&put, error);
    if (status == LF_OK)
        status = write_put(&put, error);
    if (status == LF_OK && !put.unchanged) {
        assert(put.result.revision == put.list.list.revision + 1 && put.result.count == put.entries.count);
        lf_edit_put_live(&put.list.edit);
    }
    end(&put.list);
    if (status != LF_OK)
        return status;
    *ret_edit = (struct lf_list_edit){.list = put.result, .created = put.created};
    if (!put.unchanged) {
        ret_edit->added = put.result.count;
        ret_edit->removed = put.list.list.count;
        lf_edit_log(change, "list.put", key, 0);
    }
    return LF_OK;
}

/* ---- patching ---- */

struct patch {
    struct list_edit list;
    struct entries add, remove;
    struct lf_stored_list result;
    size_t added, removed;
};

static enum lf_status
patch_list(struct lf_store *store, void *argument, struct lf_error *error)
{
    struct patch *patch = argument;

    return lf_store_patch_list(store, patch->list.key, patch->add.items, patch->add.count, patch->remove.items,
                               patch->remove.count, patch->list.precondition, &patch->list.edit.change,
                               patch->list.arena, &patch->result, &patch->added, &patch->removed, error);
}

static enum lf_status
prepare_patch(struct patch *patch, struct lf_error *error)
{
    struct lf_arena *memory = patch->list.memory;
    const struct lf_named_list *present = lf_profiles_find_list(patch->list.edit.set->profiles, patch->list.key);
    struct lf_text *add = NULL, *remove = NULL;
    struct lf_named_list *list = NULL;
    enum lf_status status = LF_OK;

    /* Where there is no list the store says so. */
    if (present == NULL)
        return LF_OK;
    add = folded_forms(memory, &patch->add);
    remove = folded_forms(memory, &patch->remove);
    if (add == NULL || remove == NULL)
        return out_of_memory(error);
    status = lf_named_list_patch(present, present->revision + 1, add, patch->add.count, remove, patch->remove.count,
                                 &list, error);
    if (status == LF_OK)
        status = prepare(&patch->list, list, error);
    lf_named_list_destroy(list);
    return status;
}

enum lf_status
lf_edit_patch_list(struct lf_service *service, struct lf_arena *arena, const char *key, const struct lf_text *add,
                   size_t add_count, const struct lf_text *remove, size_t remove_count,
                   const struct lf_precondition *precondition, const struct lf_change *change,
                   struct lf_list_edit *ret_edit, struct lf_error *error)
{
    struct patch patch = {.list = {.key = key, .precondition = precondition, .arena = arena}};
    bool changed = false;
    enum lf_status status = begin(service, &patch.list, change, error);

    if (status != LF_OK)
        return status;
    status = fold(patch.list.memory, add, add_count, &patch.add, error);
    if (status == LF_OK)
        status = fold(patch.list.memory, remove, remove_count, &patch.remove, error);
    if (status == LF_OK)
        status = prepare_patch(&patch, error);
    if (status == LF_OK)
        status = lf_edit_commit(&patch.list.edit, patch_list, &patch, error);
    changed = status == LF_OK && patch.added + patch.removed > 0;
    if (changed) {
        assert(patch.result.revision == patch.list.list.revision + 1);
        lf_edit_put_live(&patch.list.edit);
    }
    end(&patch.list);
    if (status != LF_OK)
        return status;
    *ret_edit = (struct lf_list_edit){.list = patch.result, .added = patch.added, .removed = patch.removed};
    if (changed)
        lf_edit_log(change, "list.patch", key, 0);
    return LF_OK;
}

/* ---- deleting ---- */

static bool
icp_asks(const struct lf_icp *icp, const char *key)
{
    for (size_t i = 0; i < icp->lists.count; i++)
        if (strcmp(icp->lists.paths[i], key) == 0)
            return true;
    return false;
}

/* LIST_IN_USE, naming those that ask the list, when there are any. */
static enum lf_status
check_unused(const struct list_edit *edit, struct lf_error *error)
{
    const struct lf_profiles *profiles = edit->edit.set->profiles;
    struct lf_buf names;
    const char *text = NULL;
    size_t users = 0;

    lf_buf_init(&names, edit->edit.scratch, LF_DETAIL_MAX);
    for (size_t i = 0; i < profiles->count; i++) {
        if (!icp_asks(profiles->items[i].icp, edit->key))
            continue;
        if (users++ < USERS_NAMED)
            lf_buf_printf(&names, "%s\"%s\"", users == 1 ? "" : ", ", profiles->items[i].icp->key);
    }
    if (users == 0)
        return LF_OK;
    if (users > USERS_NAMED)
        lf_buf_printf(&names, " and %zu more", users - USERS_NAMED);
    text = lf_buf_terminate(&names);
    return lf_fail(error, LF_LIST_IN_USE, "the list \"%s\" is asked by %zu active %s (%s): publish without it first",
                   edit->key, users, users == 1 ? "ICP" : "ICPs", text != NULL ? text : "see their definitions");
}

static enum lf_status
delete_list(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct list_edit *edit = argument;

    return lf_store_delete_list(store, edit->key, edit->precondition, &edit->edit.change, error);
}

enum lf_status
lf_edit_delete_list(struct lf_service *service, struct lf_arena *arena, const char *key,
                    const struct lf_precondition *precondition, const struct lf_change *change, struct lf_error *error)
{
    struct list_edit edit = {.key = key, .precondition = precondition, .arena = arena};
    enum lf_status status = begin(service, &edit, change, error);

    if (status != LF_OK)
        return status;
    if (edit.list.key != NULL) /* where there is none the store says so */
        status = check_unused(&edit, error);
    if (status == LF_OK)
        status = prepare(&edit, NULL, error);
    if (status == LF_OK)
        status = lf_edit_commit(&edit.edit, delete_list, &edit, error);
    if (status == LF_OK) {
        lf_edit_put_live(&edit.edit);
        lf_service_sweep_lists(service);
    }
    end(&edit);
    if (status == LF_OK)
        lf_edit_log(change, "list.delete", key, 0);
    return status;
}
