/*
 * history.c - see history.h.
 *
 * One walk over the lead's scores, newest first. An entry waits, with the score it is of, until the next older score of
 * its ICP comes by; then the two are compared. The walk ends when the page is full and nothing waits.
 */
#include "app/history.h"

#include "core/record.h"
#include "core/score.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 1 << 16,
    BLOCK_MAX = 64 << 20,
    RECORD_CHUNK = 4096,
    RECORD_MAX = 2 * LF_SCORE_BODY_MAX, /* one recorded score, read */
    WAITING_MAX = 64 << 20,             /* bytes of the scores that wait */
};

/* A score that was met, with its record read and its versions looked up. */
struct met {
    struct lf_arena *arena; /* its own: all of it lives there */
    struct lf_ulid id;
    int64_t as_of_ms;
    size_t size; /* bytes of its body */
    struct lf_record record;
    const struct lf_cataloged **versions; /* of the record's results */
    size_t waiting;                       /* entries of it that wait */
};

/* An entry that waits for the score before it. */
struct waiting {
    struct waiting *next;
    int64_t icp_id;
    size_t entry;
    struct met *met;
    size_t result;
};

struct walking {
    const struct lf_history_source *source;
    const struct lf_history_query *query;
    struct lf_arena *arena;
    struct lf_history history;
    size_t entry_cap;
    struct waiting *waiting, *unused;
    size_t waiting_bytes;
    size_t looked;
    bool full; /* no entries more */
    bool done; /* and none of them waits */
    const struct lf_cataloged **held;
    size_t held_count, held_cap;
    struct lf_score_changes changes;
    struct lf_error *error;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading a lead's scores");
}

/* The id from which a walk begins so that this one is the next that is met. */
static struct lf_ulid
behind(struct lf_ulid id)
{
    for (size_t i = LF_ULID_SIZE; i > 0; i--)
        if (++id.bytes[i - 1] != 0)
            return id;
    memset(id.bytes, 0xFF, sizeof id.bytes);
    return id;
}

static bool
same_id(struct lf_ulid a, struct lf_ulid b)
{
    return memcmp(a.bytes, b.bytes, LF_ULID_SIZE) == 0;
}

/* ---- versions ---- */

/* The version, held to the end of the walk. There are few of them. */
static enum lf_status
hold_version(struct walking *walking, int64_t id, const struct lf_cataloged **ret_version)
{
    const struct lf_cataloged **held = walking->held;
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < walking->held_count; i++)
        if (held[i]->version_id == id) {
            *ret_version = held[i];
            return LF_OK;
        }
    if (walking->held_count == walking->held_cap) {
        size_t cap = walking->held_cap == 0 ? 16 : walking->held_cap * 2;

        held = lf_arena_calloc(walking->arena, cap, sizeof *held);
        if (held == NULL)
            return out_of_memory(walking->error);
        if (walking->held_count > 0)
            memcpy(held, walking->held, walking->held_count * sizeof *held);
        walking->held = held;
        walking->held_cap = cap;
    }
    status = lf_catalog_hold(walking->source->catalog, walking->source->reader, id, ret_version, walking->error);
    if (status == LF_OK)
        walking->held[walking->held_count++] = *ret_version;
    return status;
}

/* ---- scores ---- */

static void
destroy_met(struct met *met)
{
    if (met != NULL)
        lf_arena_destroy(met->arena);
}

/* Reads a score, which lives by itself then. */
static enum lf_status
meet(struct walking *walking, const struct lf_stored_score *score, struct met **ret_met)
{
    struct lf_arena *arena = lf_arena_create(RECORD_CHUNK, RECORD_MAX);
    struct met *met = arena == NULL ? NULL : lf_arena_calloc(arena, 1, sizeof *met);
    const char *body = met == NULL ? NULL : lf_arena_copy(arena, score->body, score->body_len);
    enum lf_status status = LF_OK;

    if (body == NULL) {
        lf_arena_destroy(arena);
        return out_of_memory(walking->error);
    }
    *met = (struct met){.arena = arena, .id = score->id, .as_of_ms = score->as_of_ms, .size = score->body_len};
    status = lf_record_read(arena, body, score->body_len, &met->record, walking->error);
    if (status == LF_OK) {
        met->versions = lf_arena_calloc(arena, met->record.result_count, sizeof *met->versions);
        if (met->versions == NULL)
            status = out_of_memory(walking->error);
    }
    for (size_t i = 0; status == LF_OK && i < met->record.result_count; i++)
        status = hold_version(walking, met->record.results[i].version_id, &met->versions[i]);
    if (status != LF_OK) {
        destroy_met(met);
        return status;
    }
    *ret_met = met;
    return LF_OK;
}

/* ---- entries ---- */

static struct lf_history_entry *
add_entry(struct walking *walking)
{
    struct lf_history *history = &walking->history;

    if (history->count == walking->entry_cap) {
        size_t cap = walking->entry_cap == 0 ? 64 : walking->entry_cap * 2;
        struct lf_history_entry *entries = lf_arena_calloc(walking->arena, cap, sizeof *entries);

        if (entries == NULL)
            return NULL;
        if (history->count > 0)
            memcpy(entries, history->entries, history->count * sizeof *entries);
        history->entries = entries;
        walking->entry_cap = cap;
    }
    return &history->entries[history->count++];
}

/* Adds the entry of one result, which waits from now on. */
static enum lf_status
tell(struct walking *walking, struct met *met, size_t at, const struct lf_brief *brief)
{
    const struct lf_cataloged *version = met->versions[at];
    struct lf_history_entry *entry = add_entry(walking);
    struct waiting *waiting = walking->unused;
    const char *icp = NULL, *grade = NULL;
    char *label = lf_arena_alloc(walking->arena, LF_LABEL_MAX);

    if (waiting != NULL)
        walking->unused = waiting->next;
    else
        waiting = lf_arena_alloc(walking->arena, sizeof *waiting);
    icp = lf_arena_copy(walking->arena, version->icp->key, strlen(version->icp->key));
    grade = lf_brief_grade(version->scorer, brief);
    grade = lf_arena_copy(walking->arena, grade, strlen(grade));
    if (entry == NULL || waiting == NULL || icp == NULL || grade == NULL || label == NULL)
        return out_of_memory(walking->error);
    lf_brief_label(version->scorer, brief, label);
    *entry = (struct lf_history_entry){
        .score_id = met->id,
        .as_of_ms = met->as_of_ms,
        .icp = icp,
        .version = version->version,
        .shadow = met->record.results[at].shadow,
        .qualified = brief->qualified,
        .score = brief->score,
        .coverage = brief->coverage,
        .engagement = brief->engagement,
        .grade = grade,
        .label = label,
        .change = {.exact = true},
    };
    *waiting = (struct waiting){.next = walking->waiting,
                                .icp_id = version->icp_id,
                                .entry = walking->history.count - 1,
                                .met = met,
                                .result = at};
    walking->waiting = waiting;
    if (met->waiting++ == 0)
        walking->waiting_bytes += met->size;
    return LF_OK;
}

/* The entry waits no more. */
static void
let_go(struct walking *walking, struct waiting **place)
{
    struct waiting *waiting = *place;

    *place = waiting->next;
    waiting->next = walking->unused;
    walking->unused = waiting;
    if (--waiting->met->waiting == 0) {
        walking->waiting_bytes -= waiting->met->size;
        destroy_met(waiting->met);
    }
}

/* Compares an entry with the score before it, which is this one. */
static enum lf_status
compare(struct walking *walking, const struct waiting *waiting, const struct met *met, size_t at, int score)
{
    struct lf_history_entry *entry = &walking->history.entries[waiting->entry];
    struct lf_scored before = {met->as_of_ms, &met->record, met->versions, at, score};
    struct lf_scored after = {waiting->met->as_of_ms, &waiting->met->record, waiting->met->versions, waiting->result,
                              entry->score};

    entry->has_previous = true;
    entry->previous = met->id;
    return lf_score_changes_tell(&walking->changes, &before, &after, &entry->change, walking->error);
}

static struct waiting **
find_waiting(struct walking *walking, int64_t icp_id)
{
    struct waiting **place = &walking->waiting;

    while (*place != NULL && (*place)->icp_id != icp_id)
        place = &(*place)->next;
    return place;
}

/* The page ends here: it goes on behind that ICP of the score ("": behind the whole score). */
static void
end_page(struct walking *walking, struct lf_ulid id, const char *icp)
{
    walking->full = true;
    walking->history.more = true;
    walking->history.next_id = id;
    walking->history.next_icp = icp;
}

/* Whether the result is on this page, or behind it; ends the page where there is no room for it. */
static bool
has_room(struct walking *walking, const struct met *met)
{
    const struct lf_history *history = &walking->history;
    const struct lf_history_entry *last = history->count > 0 ? &history->entries[history->count - 1] : NULL;

    if (walking->full)
        return false;
    if (last == NULL || (history->count < walking->query->limit && walking->waiting_bytes < WAITING_MAX))
        return true;
    end_page(walking, last->score_id, same_id(last->score_id, met->id) ? last->icp : "");
    return false;
}

/* One result of a score. */
static enum lf_status
take_result(struct walking *walking, struct met *met, size_t at)
{
    const struct lf_cataloged *version = met->versions[at];
    struct waiting **place = find_waiting(walking, version->icp_id);
    const struct lf_outcome *outcome = NULL;
    struct lf_brief brief;
    bool told = walking->query->has_after &&
                same_id(met->id, walking->query->after_id) && /* it stands before the page */
                strcmp(version->icp->key, walking->query->after_icp) <= 0;
    bool tells = !told && has_room(walking, met);
    enum lf_status status = LF_OK;

    if (*place == NULL && !tells)
        return LF_OK;
    status = lf_record_outcome(met->arena, version->icp, &met->record.results[at], &outcome, walking->error);
    if (status != LF_OK)
        return status;
    lf_score_brief(version->scorer, outcome, &brief);
    if (*place != NULL) {
        status = compare(walking, *place, met, at, brief.score);
        let_go(walking, place);
    }
    return status == LF_OK && tells ? tell(walking, met, at, &brief) : status;
}

/* The result whose ICP's key is the next one behind `last`; SIZE_MAX where there is none. */
static size_t
next_result(const struct met *met, const char *last)
{
    size_t next = SIZE_MAX;

    for (size_t i = 0; i < met->record.result_count; i++) {
        const char *key = met->versions[i]->icp->key;

        if (strcmp(key, last) > 0 && (next == SIZE_MAX || strcmp(key, met->versions[next]->icp->key) < 0))
            next = i;
    }
    return next;
}

/* The results of a score, by the keys of their ICPs. */
static enum lf_status
take_results(struct walking *walking, struct met *met)
{
    enum lf_status status = LF_OK;

    for (size_t at = next_result(met, ""); status == LF_OK && at != SIZE_MAX;
         at = next_result(met, met->versions[at]->icp->key))
        if (walking->query->icp == NULL || strcmp(met->versions[at]->icp->key, walking->query->icp) == 0)
            status = take_result(walking, met, at);
    return status;
}

static enum lf_status
take_score(void *context, const struct lf_stored_score *score)
{
    struct walking *walking = context;
    struct met *met = NULL;
    enum lf_status status = meet(walking, score, &met);

    if (met == NULL)
        return status;
    if (met->record.kept != LF_KEPT_ERASED)
        status = take_results(walking, met);
    if (met->waiting == 0)
        destroy_met(met);
    if (status != LF_OK)
        return status;
    walking->done = walking->full && walking->waiting == NULL;
    if (++walking->looked >= walking->query->limit + LF_HISTORY_LOOK) {
        if (!walking->full)
            end_page(walking, score->id, "");
        walking->done = true;
    }
    return walking->done ? LF_CONFLICT : LF_OK;
}

/* Ends the waiting of all that still wait. by_reach: for their previous score may lie farther back. */
static void
end_waiting(struct walking *walking, bool by_reach)
{
    while (walking->waiting != NULL) {
        if (by_reach)
            walking->history.entries[walking->waiting->entry].change.exact = false;
        let_go(walking, &walking->waiting);
    }
}

enum lf_status
lf_history_read(const struct lf_history_source *source, struct lf_arena *arena, const struct lf_history_query *query,
                struct lf_history *ret_history, struct lf_error *error)
{
    struct walking walking = {
        .source = source, .query = query, .arena = arena, .history = {.next_icp = ""}, .error = error};
    struct lf_arena *block_arena = lf_arena_create(CHUNK, BLOCK_MAX);
    struct lf_ulid before;
    enum lf_status status = block_arena == NULL ? out_of_memory(error) : LF_OK;

    memset(before.bytes, 0xFF, sizeof before.bytes);
    if (query->has_after)
        before = query->after_icp[0] != '\0' ? behind(query->after_id) : query->after_id;
    if (status == LF_OK)
        status = lf_score_changes_init(&walking.changes, source->lists, source->privacy, error);
    if (status == LF_OK)
        status = lf_store_each_lead_score(source->reader, block_arena, query->lead_id, query->lead_id_len, before,
                                          take_score, &walking, error);
    end_waiting(&walking, walking.done);
    lf_score_changes_finish(&walking.changes);
    for (size_t i = 0; i < walking.held_count; i++)
        lf_catalog_release(source->catalog, walking.held[i]);
    lf_arena_destroy(block_arena);
    if (status != LF_OK && !walking.done)
        return status;
    *ret_history = walking.history;
    return LF_OK;
}
