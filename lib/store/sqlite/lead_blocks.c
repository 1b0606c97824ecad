/*
 * lead_blocks.c - see lead_blocks.h. Usually a lead's new blocks are the newest there are and go to the end of its last
 * row; but in whatever order they become known, what is kept is the same set.
 */
#include "store/sqlite/lead_blocks.h"

#include "store/sqlite/internal.h"

/* Bytes of an id: 63 bits in groups of seven. No row is near as long as BODY_MAX. */
enum { VARINT_MAX = 9, BODY_MAX = 64 * 1024 };

void
lf_lead_blocks_reader_init(struct lf_lead_blocks_reader *reader, const void *body, size_t len)
{
    /* No bytes may have no address either. */
    *reader = (struct lf_lead_blocks_reader){.at = body, .end = len > 0 ? (const uint8_t *)body + len : body};
}

bool
lf_lead_blocks_next(struct lf_lead_blocks_reader *reader, int64_t *ret_block)
{
    uint64_t apart = 0;
    const uint8_t *at = reader->at;

    if (reader->damaged || at == reader->end)
        return false;
    reader->damaged = true;
    for (unsigned shift = 0; at < reader->end && shift < 7 * VARINT_MAX; shift += 7) {
        uint8_t byte = *at++;

        apart |= (uint64_t)(byte & 0x7F) << shift;
        if (byte >= 0x80)
            continue;
        if (apart == 0 || apart > (uint64_t)(INT64_MAX - reader->previous))
            return false;
        reader->damaged = false;
        reader->at = at;
        reader->previous += (int64_t)apart;
        *ret_block = reader->previous;
        return true;
    }
    return false;
}

void
lf_lead_blocks_add(struct lf_buf *buf, int64_t previous, int64_t block)
{
    uint8_t bytes[VARINT_MAX];
    uint64_t apart = (uint64_t)(block - previous);
    size_t len = 0;

    for (; apart >= 0x80; apart >>= 7)
        bytes[len++] = (uint8_t)(apart | 0x80);
    bytes[len++] = (uint8_t)apart;
    lf_buf_add(buf, bytes, len);
}

/* ---- adding to a lead's rows ---- */

/* The lead's row that is being filled. */
struct chunk {
    struct lf_connection *connection;
    int64_t lead;
    int64_t first, last; /* blocks; 0 where it is empty */
    int64_t next;        /* where the row behind it begins, INT64_MAX for none */
    bool there;          /* as a row of the table */
    bool changed;
    struct lf_buf body;
};

static enum lf_status
damaged(const struct chunk *chunk, struct lf_error *error)
{
    return lf_fail(error, LF_STORAGE_CORRUPT, "%s: the blocks of a lead's scores are damaged", chunk->connection->path);
}

/* Reads the row that `block` belongs to: the last one that begins at or before it; empty where there is none. */
static enum lf_status
load_chunk(struct chunk *chunk, int64_t block, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    size_t len = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(chunk->connection, LF_SQL_LEAD_BLOCKS_AT, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, chunk->lead) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, block) != SQLITE_OK)
        return lf_sqlite_no_memory(chunk->connection, error);
    status = lf_sqlite_step(chunk->connection, statement, &row, error);
    if (status == LF_OK)
        status = lf_sqlite_bytes(chunk->connection, statement, 2, &body, &len, error);
    if (status == LF_OK) {
        chunk->there = sqlite3_column_type(statement, 0) != SQLITE_NULL;
        chunk->first = sqlite3_column_int64(statement, 0); /* null counts as 0 */
        chunk->last = sqlite3_column_int64(statement, 1);
        chunk->next = sqlite3_column_type(statement, 3) == SQLITE_NULL ? INT64_MAX : sqlite3_column_int64(statement, 3);
        chunk->changed = false;
        chunk->body.len = 0;
        lf_buf_add(&chunk->body, body, len);
        if (lf_buf_failed(&chunk->body))
            status = len > chunk->body.max ? damaged(chunk, error) : lf_sqlite_no_memory(chunk->connection, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

static enum lf_status
save_chunk(struct chunk *chunk, struct lf_error *error)
{
    enum lf_sql which = chunk->there ? LF_SQL_CHANGE_LEAD_BLOCKS : LF_SQL_ADD_LEAD_BLOCKS;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = LF_OK;

    if (!chunk->changed)
        return LF_OK;
    if (lf_buf_failed(&chunk->body))
        return lf_sqlite_no_memory(chunk->connection, error);
    status = lf_sqlite_get(chunk->connection, which, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, chunk->lead) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, chunk->first) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, chunk->last) != SQLITE_OK ||
        sqlite3_bind_blob64(statement, 4, chunk->body.data, chunk->body.len, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(chunk->connection, error);
    chunk->changed = false;
    chunk->there = true;
    return lf_sqlite_run(chunk->connection, statement, error);
}

/* Adds a block behind the chunk's last one, in a new row where it is full. The last one itself is passed over. */
static enum lf_status
append(struct chunk *chunk, int64_t block, struct lf_error *error)
{
    if (block == chunk->last)
        return LF_OK;
    if (chunk->body.len + VARINT_MAX > LF_LEAD_BLOCKS_FULL) {
        enum lf_status status = save_chunk(chunk, error);

        if (status != LF_OK)
            return status;
        chunk->first = 0;
        chunk->last = 0;
        chunk->there = false;
        chunk->body.len = 0;
    }
    lf_lead_blocks_add(&chunk->body, chunk->last, block);
    if (chunk->first == 0)
        chunk->first = block;
    chunk->last = block;
    chunk->changed = true;
    return LF_OK;
}

static enum lf_status
delete_chunk(struct chunk *chunk, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(chunk->connection, LF_SQL_DELETE_LEAD_BLOCKS, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, chunk->lead) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, chunk->first) != SQLITE_OK)
        return lf_sqlite_no_memory(chunk->connection, error);
    return lf_sqlite_run(chunk->connection, statement, error);
}

/* Writes the chunk anew, with the first of these blocks among its own. */
static enum lf_status
merge(struct chunk *chunk, const int64_t *blocks, size_t count, struct lf_error *error)
{
    struct lf_lead_blocks_reader reader;
    struct lf_buf old = chunk->body;
    int64_t known = 0;
    size_t at = 0;
    enum lf_status status = delete_chunk(chunk, error);

    lf_buf_init(&chunk->body, NULL, BODY_MAX);
    chunk->first = 0;
    chunk->last = 0;
    chunk->there = false;
    lf_lead_blocks_reader_init(&reader, old.data, old.len);
    while (status == LF_OK && lf_lead_blocks_next(&reader, &known)) {
        for (; status == LF_OK && at < count && blocks[at] < known; at++)
            status = append(chunk, blocks[at], error);
        if (status == LF_OK)
            status = append(chunk, known, error);
    }
    for (; status == LF_OK && at < count; at++) /* known ones among them are the last one */
        status = append(chunk, blocks[at], error);
    if (status == LF_OK && reader.damaged)
        status = damaged(chunk, error);
    lf_buf_finish(&old);
    return status;
}

enum lf_status
lf_sqlite_add_lead_blocks(struct lf_connection *connection, int64_t lead, bool fresh, const int64_t *blocks,
                          size_t count, struct lf_error *error)
{
    struct chunk chunk = {.connection = connection, .lead = lead, .next = INT64_MAX};
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < count; i++)
        if (blocks[i] <= (i > 0 ? blocks[i - 1] : 0))
            return lf_fail(error, LF_INTERNAL, "%s: the blocks of a lead's scores do not ascend", connection->doing);
    lf_buf_init(&chunk.body, NULL, BODY_MAX);
    for (size_t at = 0, end = 0; at < count && status == LF_OK; at = end) {
        if (!fresh || at > 0)
            status = load_chunk(&chunk, blocks[at], error);
        if (status != LF_OK)
            break;
        while (end < count && blocks[end] < chunk.next)
            end++;
        if (chunk.there && blocks[at] < chunk.last)
            status = merge(&chunk, blocks + at, end - at, error);
        else
            for (size_t i = at; i < end && status == LF_OK; i++)
                status = append(&chunk, blocks[i], error);
        if (status == LF_OK)
            status = save_chunk(&chunk, error);
    }
    lf_buf_finish(&chunk.body);
    return status;
}
