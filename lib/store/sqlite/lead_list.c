/*
 * lead_list.c - many leads, by score or by time, a page at a time. A page is what stands behind a place, so that it is
 * found in the index however far on it is, and stays right while leads come and go.
 *
 * Each ICP has its leads in order in an index; for all ICPs these are merged. The order is that of the score or the
 * time, then of the score's id, greatest first, then of the ICP's key.
 */
#include "store/sqlite/internal.h"

#include <string.h>

/* One ICP whose leads are asked for. */
struct source {
    int64_t id;
    const char *key;
};

/* What is read into. Ordered, at most query->limit. */
struct page {
    struct lf_connection *connection;
    struct lf_arena *arena;
    const struct lf_lead_query *query;
    struct lf_listed_lead *leads;
    size_t count;
};

/* The ICPs, by key: the one that is named, or all. */
static enum lf_status
read_sources(struct page *page, struct source **ret_sources, size_t *ret_count, struct lf_error *error)
{
    const char *wanted = page->query->icp;
    struct source *sources = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status =
        lf_sqlite_get(page->connection, wanted != NULL ? LF_SQL_ICP_ID : LF_SQL_ICP_IDS, &statement, error);

    if (status == LF_OK && wanted != NULL && sqlite3_bind_text(statement, 1, wanted, -1, SQLITE_STATIC) != SQLITE_OK)
        status = lf_sqlite_no_memory(page->connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(page->connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        sources = lf_sqlite_grow(page->arena, sources, count, &capacity, sizeof *sources);
        if (sources != NULL)
            sources[count] = (struct source){.id = sqlite3_column_int64(statement, 0),
                                             .key = lf_sqlite_text(page->arena, statement, 1)};
        if (sources == NULL || sources[count++].key == NULL)
            status = lf_sqlite_no_memory(page->connection, error);
    }
    (void)sqlite3_reset(statement);
    if (status == LF_OK && wanted != NULL && count == 0)
        status = lf_sqlite_no_icp(wanted, error);
    if (status != LF_OK)
        return status;
    *ret_sources = sources;
    *ret_count = count;
    return LF_OK;
}

/* Where an ICP's leads begin, as the statement compares: what is less than (score, id) is wanted. */
struct place {
    int64_t score;
    unsigned char id[LF_ULID_SIZE + 1];
    size_t id_len;
};

/* The place behind which the page begins. Of what has the very score and id of query->after_* only ICPs with a greater
 * key are still to come: for these the id is one byte longer, so that the same one is less. */
static struct place
place_of(const struct lf_lead_query *query, const char *key)
{
    struct place place = {.score = INT64_MAX, .id_len = LF_ULID_SIZE + 1};

    memset(place.id, 0xFF, sizeof place.id);
    if (!query->has_after)
        return place;
    place.score = query->after_score;
    memcpy(place.id, query->after_id.bytes, LF_ULID_SIZE);
    place.id[LF_ULID_SIZE] = 0;
    if (strcmp(key, query->after_icp) <= 0)
        place.id_len = LF_ULID_SIZE;
    return place;
}

static bool
bind_word(sqlite3_stmt *statement, int index, const char *word)
{
    return (word == NULL ? sqlite3_bind_null(statement, index)
                         : sqlite3_bind_text(statement, index, word, -1, SQLITE_STATIC)) == SQLITE_OK;
}

static bool
bind_query(sqlite3_stmt *statement, const struct lf_lead_query *query, int64_t icp_id, const struct place *place)
{
    /* Not bound by time: the place's score. */
    return sqlite3_bind_int64(statement, 1, icp_id) == SQLITE_OK && bind_word(statement, 2, query->grade) &&
           bind_word(statement, 3, query->label) && sqlite3_bind_int(statement, 4, query->qualified) == SQLITE_OK &&
           sqlite3_bind_int(statement, 5, query->min_score) == SQLITE_OK &&
           sqlite3_bind_blob(statement, 6, place->id, (int)place->id_len, SQLITE_TRANSIENT) == SQLITE_OK &&
           sqlite3_bind_int64(statement, 7, (sqlite3_int64)(query->limit < INT64_MAX ? query->limit : INT64_MAX)) ==
               SQLITE_OK &&
           (query->by_time || sqlite3_bind_int64(statement, 8, place->score) == SQLITE_OK);
}

/* Whether a stands before b. */
static bool
is_before(const struct lf_lead_query *query, const struct lf_stored_lead_score *a, const struct lf_stored_lead_score *b)
{
    int order = 0;

    if (!query->by_time && a->score != b->score)
        return a->score > b->score;
    order = memcmp(a->score_id.bytes, b->score_id.bytes, LF_ULID_SIZE);
    return order != 0 ? order > 0 : strcmp(a->icp, b->icp) < 0;
}

/* The present row. */
static enum lf_status
read_listed(struct page *page, sqlite3_stmt *statement, struct lf_listed_lead *lead, struct lf_error *error)
{
    enum lf_status status = lf_sqlite_read_lead_score(page->connection, page->arena, statement, &lead->score, error);

    if (status != LF_OK)
        return status;
    lead->lead_id = lf_sqlite_text(page->arena, statement, 13);
    lead->lead_id_len = (size_t)sqlite3_column_bytes(statement, 13);
    lead->score.result = NULL;
    lead->score.result_len = 0;
    return lead->lead_id != NULL ? LF_OK : lf_sqlite_no_memory(page->connection, error);
}

/* Merges the leads of one ICP into the page: `old` is what it held, and `leads` (as many places) what it will. Rows are
 * read as long as they come before what the page ends with. */
static enum lf_status
merge_rows(struct page *page, sqlite3_stmt *statement, struct lf_listed_lead *leads, struct lf_error *error)
{
    const struct lf_lead_query *query = page->query;
    size_t count = 0, at = 0; /* of leads; of those the page held */
    bool row = true;

    while (count < query->limit) {
        struct lf_listed_lead next;
        enum lf_status status = LF_OK;

        if (row)
            status = lf_sqlite_step(page->connection, statement, &row, error);
        if (status == LF_OK && row)
            status = read_listed(page, statement, &next, error);
        if (status != LF_OK)
            return status;
        while (at < page->count && count < query->limit &&
               (!row || is_before(query, &page->leads[at].score, &next.score)))
            leads[count++] = page->leads[at++];
        if (!row)
            break;
        if (count < query->limit)
            leads[count++] = next;
    }
    page->leads = leads;
    page->count = count;
    return LF_OK;
}

/* Adds the leads of one ICP; `spare` is room for another page. */
static enum lf_status
read_source(struct page *page, const struct source *source, struct lf_listed_lead *spare, struct lf_error *error)
{
    struct place place = place_of(page->query, source->key);
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(
        page->connection, page->query->by_time ? LF_SQL_LEADS_BY_TIME : LF_SQL_LEADS_BY_SCORE, &statement, error);

    if (status == LF_OK && !bind_query(statement, page->query, source->id, &place))
        status = lf_sqlite_no_memory(page->connection, error);
    if (status == LF_OK)
        status = merge_rows(page, statement, spare, error);
    (void)sqlite3_reset(statement);
    return status;
}

/* Within a transaction. */
static enum lf_status
read_page(struct page *page, struct lf_error *error)
{
    struct lf_listed_lead *rooms[2] = {NULL, NULL};
    struct source *sources = NULL;
    size_t count = 0;
    enum lf_status status = read_sources(page, &sources, &count, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < 2; i++) {
        rooms[i] = lf_arena_calloc(page->arena, page->query->limit, sizeof *rooms[i]);
        if (rooms[i] == NULL)
            return lf_sqlite_no_memory(page->connection, error);
    }
    for (size_t i = 0; i < count && status == LF_OK; i++)
        status = read_source(page, &sources[i], rooms[i % 2], error);
    return status;
}

enum lf_status
lf_sqlite_leads(struct lf_store_reader *reader, struct lf_arena *arena, const struct lf_lead_query *query,
                struct lf_listed_lead **ret_leads, size_t *ret_count, struct lf_error *error)
{
    struct page page = {.connection = lf_sqlite_reader(reader, "reading the leads"), .arena = arena, .query = query};
    enum lf_status status = lf_sqlite_begin_read(page.connection, error);

    if (status != LF_OK)
        return status;
    status = read_page(&page, error);
    lf_sqlite_end_read(page.connection);
    if (status != LF_OK)
        return status;
    *ret_leads = page.leads;
    *ret_count = page.count;
    return LF_OK;
}
