/*
 * scores.c - recorded scores: appending blocks, and what is recorded with them; finding one, walking back from the
 * newest.
 *
 * Readers hold no transaction from one block to the next: each block is fetched by a statement of its own, so that a
 * long walk never keeps the WAL from being moved into the database.
 */
#include "store/sqlite/internal.h"

#include <inttypes.h>
#include <string.h>

#define ULID_MS_MAX INT64_C(0xFFFFFFFFFFFF) /* the greatest time an id can hold */

/* For a store without scores: an id behind all that it had and that were taken away; all zeros where it had none. */
static enum lf_status
pruned_end(struct lf_connection *connection, struct lf_ulid *ret_id, struct lf_error *error)
{
    struct lf_ulid id = {{0}};
    int64_t pruned_ms = 0;
    enum lf_status status = lf_sqlite_meta(connection, "pruned_ms", &pruned_ms, error);

    if (status != LF_OK)
        return status;
    for (size_t i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(pruned_ms >> (8 * (5 - i)));
    *ret_id = id;
    return LF_OK;
}

/* ---- writing ---- */

enum lf_status
lf_sqlite_load_end(struct lf_sqlite_store *store, struct lf_error *error)
{
    struct lf_connection *connection = &store->writer;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    /* Blocks may have been taken away, all of them even: no id is given twice, for what is settled goes by ids. */
    enum lf_status status = lf_sqlite_meta(connection, "settled_block", &store->last_block, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_LAST_BLOCK, &statement, error);
    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK || !row) {
        (void)sqlite3_reset(statement);
        return status == LF_OK ? pruned_end(connection, &store->last_id, error) : status;
    }
    status = lf_sqlite_blob(connection, statement, 0, store->last_id.bytes, LF_ULID_SIZE, error);
    store->position = sqlite3_column_int64(statement, 1) + sqlite3_column_int64(statement, 2);
    if (store->last_block < sqlite3_column_int64(statement, 4))
        store->last_block = sqlite3_column_int64(statement, 4);
    (void)sqlite3_reset(statement);
    return status;
}

/* The way of scores into blocks. */
struct appending {
    struct lf_connection *connection;
    struct lf_block_writer *block;
    int64_t last_block, position; /* as of the store, moved on with each block */
};

/* Closes the block that was built and inserts it. */
static enum lf_status
insert_block(struct appending *to, struct lf_error *error)
{
    struct lf_block_writer *block = to->block;
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(to->connection, LF_SQL_APPEND_BLOCK, &statement, error);
    int rc = SQLITE_OK;

    if (status != LF_OK)
        return status;
    if (!lf_block_end(block))
        return lf_sqlite_no_memory(to->connection, error);
    /* Nothing is copied here; the blobs outlive the step, and the next use binds anew. */
    rc = sqlite3_bind_blob(statement, 1, block->first.bytes, LF_ULID_SIZE, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob(statement, 2, block->last.bytes, LF_ULID_SIZE, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 3, block->count);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 4, to->position);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob64(statement, 5, block->buf.data, block->buf.len, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 6, to->last_block + 1);
    if (rc != SQLITE_OK)
        return lf_sqlite_fail(to->connection, rc, error);
    to->last_block++;
    to->position += block->count;
    return lf_sqlite_run(to->connection, statement, error);
}

/* All scores, as one block or as many as it takes. */
static enum lf_status
insert_scores(struct appending *to, const struct lf_stored_score *const *scores, size_t count, int64_t *ret_blocks,
              struct lf_error *error)
{
    enum lf_status status = LF_OK;

    lf_block_begin(to->block);
    for (size_t i = 0; i < count && status == LF_OK; i++) {
        if (!lf_block_has_room(to->block, scores[i])) {
            status = insert_block(to, error);
            lf_block_begin(to->block);
        }
        lf_block_add(to->block, scores[i]);
        if (ret_blocks != NULL)
            ret_blocks[i] = to->last_block + 1;
    }
    return status == LF_OK && count > 0 ? insert_block(to, error) : status;
}

/* Whether the scores can be recorded at all: known sizes, ascending ids. */
static enum lf_status
check_scores(const struct lf_sqlite_store *store, const struct lf_stored_score *const *scores, size_t count,
             struct lf_error *error)
{
    struct lf_ulid last = store->last_id;

    for (size_t i = 0; i < count; i++) {
        if (scores[i]->body_len > LF_SCORE_BODY_MAX || scores[i]->lead_id_len > LF_SCORE_LEAD_ID_MAX)
            return lf_fail(error, LF_BODY_TOO_LARGE, "a score to record is larger than %d bytes", LF_SCORE_BODY_MAX);
        if (memcmp(scores[i]->id.bytes, last.bytes, LF_ULID_SIZE) <= 0)
            return lf_fail(error, LF_INTERNAL, "the ids of scores to record do not ascend");
        last = scores[i]->id;
    }
    return LF_OK;
}

static bool
is_empty(const struct lf_recording *recording)
{
    return recording->count == 0 && recording->rollup_count == 0 && recording->answer_count == 0 &&
           recording->delivery_count == 0;
}

/* What is recorded with the scores. Within the transaction. */
static enum lf_status
insert_others(struct lf_connection *connection, const struct lf_recording *recording, struct lf_error *error)
{
    enum lf_status status = lf_sqlite_put_rollups(connection, recording->rollups, recording->rollup_count, error);

    if (status == LF_OK)
        status = lf_sqlite_put_answers(connection, recording->answers, recording->answer_count, error);
    return status == LF_OK
               ? lf_sqlite_put_deliveries(connection, recording->deliveries, recording->delivery_count, error)
               : status;
}

enum lf_status
lf_sqlite_record(struct lf_store *base, const struct lf_recording *recording, struct lf_error *error)
{
    const struct lf_stored_score *const *scores = recording->scores;
    size_t count = recording->count;
    struct lf_sqlite_store *store = (struct lf_sqlite_store *)base;
    struct lf_connection *connection = lf_sqlite_writer(base, "recording scores", error);
    struct appending to = {
        .connection = connection, .block = &store->block, .last_block = store->last_block, .position = store->position};
    enum lf_status status = LF_OK;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    if (is_empty(recording))
        return LF_OK;
    status = check_scores(store, scores, count, error);
    if (status == LF_OK)
        status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = insert_scores(&to, scores, count, recording->ret_blocks, error);
    if (status == LF_OK)
        status = insert_others(connection, recording, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK && count > 0) {
        store->last_block = to.last_block;
        store->last_id = scores[count - 1]->id;
        store->position = to.position;
    }
    return status;
}

/* ---- reading ---- */

enum lf_status
lf_sqlite_block_damaged(const struct lf_connection *connection, int64_t block, const char *fault,
                        struct lf_error *error)
{
    return lf_fail(error, LF_STORAGE_CORRUPT,
                   "block %" PRId64 " of recorded scores in %s is damaged (%s); restore it from a backup", block,
                   connection->path, fault);
}

/* Copies a score out of a block into the arena. */
static bool
copy_score(struct lf_arena *arena, const struct lf_stored_score *score, struct lf_stored_score *ret_score)
{
    *ret_score = *score;
    ret_score->lead_id = lf_arena_copy(arena, score->lead_id, score->lead_id_len);
    ret_score->body = lf_arena_copy(arena, score->body, score->body_len);
    return ret_score->lead_id != NULL && ret_score->body != NULL;
}

/* Ids of the first and last block; 0 and 0 where there is none. */
static enum lf_status
block_range(struct lf_connection *connection, int64_t *ret_first, int64_t *ret_last, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_RANGE, &statement, error);

    if (status == LF_OK)
        status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_first = sqlite3_column_int64(statement, 0); /* null counts as 0 */
    *ret_last = sqlite3_column_int64(statement, 1);
    (void)sqlite3_reset(statement);
    return LF_OK;
}

/* The block at `at` or the nearest before it, and its first score's id. There is one. */
static enum lf_status
block_at(struct lf_connection *connection, int64_t at, int64_t *ret_block, struct lf_ulid *ret_first_id,
         struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_ID, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, at) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_block = sqlite3_column_int64(statement, 0);
    status = row ? lf_sqlite_blob(connection, statement, 1, ret_first_id->bytes, LF_ULID_SIZE, error)
                 : lf_fail(error, LF_STORAGE_CORRUPT, "%s: a block of recorded scores is missing", connection->path);
    (void)sqlite3_reset(statement);
    return status;
}

/* By halving: the range from low to high (both included) shrinks to the one sought; rows that are gone leave gaps,
 * which block_at steps over downwards. */
enum lf_status
lf_sqlite_find_block(struct lf_connection *connection, struct lf_ulid id, int64_t *ret_block, struct lf_error *error)
{
    struct lf_ulid first_id;
    int64_t low = 0, high = 0, block = 0, found = 0;
    enum lf_status status = block_range(connection, &low, &high, error);

    while (status == LF_OK && low > 0 && low <= high) {
        int64_t middle = low + (high - low) / 2;

        status = block_at(connection, middle, &block, &first_id, error);
        if (status == LF_OK && memcmp(first_id.bytes, id.bytes, LF_ULID_SIZE) <= 0) {
            found = block;
            low = middle + 1;
        } else {
            high = block - 1;
        }
    }
    if (status == LF_OK)
        *ret_block = found;
    return status;
}

/* Looks for the score in a block. */
static enum lf_status
find_in_block(struct lf_connection *connection, int64_t block, const void *body, size_t len, struct lf_arena *arena,
              struct lf_ulid id, struct lf_stored_score *ret_score, struct lf_error *error)
{
    struct lf_block_reader reader;
    struct lf_stored_score score;

    if (!lf_block_reader_init(&reader, body, len))
        return lf_sqlite_block_damaged(connection, block, reader.fault, error);
    while (lf_block_next(&reader, &score)) {
        if (memcmp(score.id.bytes, id.bytes, LF_ULID_SIZE) != 0)
            continue;
        return copy_score(arena, &score, ret_score) ? LF_OK : lf_sqlite_no_memory(connection, error);
    }
    if (reader.fault != NULL)
        return lf_sqlite_block_damaged(connection, block, reader.fault, error);
    return lf_fail(error, LF_SCORE_NOT_FOUND, "no score has this id");
}

/* Within a transaction. */
static enum lf_status
read_score(struct lf_connection *connection, struct lf_arena *arena, struct lf_ulid id,
           struct lf_stored_score *ret_score, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    size_t len = 0;
    int64_t block = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_find_block(connection, id, &block, error);

    if (status == LF_OK && block == 0)
        status = lf_fail(error, LF_SCORE_NOT_FOUND, "no score has this id");
    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_BLOCK, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, block) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && !row)
        status = lf_sqlite_block_damaged(connection, block, "it is gone", error);
    if (status == LF_OK)
        status = lf_sqlite_bytes(connection, statement, 0, &body, &len, error);
    if (status == LF_OK)
        status = find_in_block(connection, block, body, len, arena, id, ret_score, error);
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_score(struct lf_store_reader *base, struct lf_arena *arena, struct lf_ulid id,
                struct lf_stored_score *ret_score, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(base, "reading a score");
    struct lf_stored_score score;
    enum lf_status status = lf_sqlite_begin_read(connection, error);

    if (status != LF_OK)
        return status;
    status = read_score(connection, arena, id, &score, error);
    lf_sqlite_end_read(connection);
    if (status == LF_OK)
        *ret_score = score;
    return status;
}

/* A walk back over scores. */
struct walk {
    struct lf_arena *arena; /* of one block */
    int64_t from_ms, to_ms; /* from_ms <= scored_at < to_ms */
    size_t left;            /* how many more are wanted */
    bool past;              /* one before from_ms has been met: so are all that are still to come */
    enum lf_status (*each)(void *context, const struct lf_stored_score *score);
    void *context;
};

/* Hands the scores of one block over, newest first; they stand in it oldest first. */
static enum lf_status
each_in_block(const struct lf_connection *connection, int64_t block, const void *body, size_t len, struct walk *walk,
              struct lf_error *error)
{
    struct lf_block_reader reader;
    struct lf_stored_score *scores = NULL;
    size_t count = 0;

    if (!lf_block_reader_init(&reader, body, len))
        return lf_sqlite_block_damaged(connection, block, reader.fault, error);
    scores = lf_arena_calloc(walk->arena, reader.count, sizeof *scores);
    if (scores == NULL)
        return lf_sqlite_no_memory(connection, error);
    while (lf_block_next(&reader, &scores[count])) {
        if (++count == reader.count)
            break;
    }
    if (reader.fault != NULL)
        return lf_sqlite_block_damaged(connection, block, reader.fault, error);
    while (count > 0 && walk->left > 0 && !walk->past) {
        const struct lf_stored_score *score = &scores[--count];
        int64_t scored_at_ms = lf_ulid_ms(score->id);
        enum lf_status status = LF_OK;

        walk->past = scored_at_ms < walk->from_ms;
        if (walk->past || scored_at_ms >= walk->to_ms)
            continue;
        walk->left--;
        status = walk->each(walk->context, score);
        if (status != LF_OK)
            return status;
    }
    return LF_OK;
}

/* Fetches the block before *block (0 once there is none) into the arena. */
static enum lf_status
fetch_block_before(struct lf_connection *connection, int64_t *block, struct lf_arena *arena, const char **ret_body,
                   size_t *ret_len, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    const void *body = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_BLOCK_BEFORE, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, *block) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    if (row && sqlite3_column_int64(statement, 0) >= *block) {
        (void)sqlite3_reset(statement);
        return lf_fail(error, LF_STORAGE_CORRUPT, "the recorded scores are damaged: block %" PRId64 " is out of order",
                       *block);
    }
    *block = row ? sqlite3_column_int64(statement, 0) : 0;
    if (row) {
        status = lf_sqlite_bytes(connection, statement, 1, &body, ret_len, error);
        *ret_body = status == LF_OK ? lf_arena_copy(arena, body, *ret_len) : NULL;
        if (status == LF_OK && *ret_body == NULL)
            status = lf_sqlite_no_memory(connection, error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

/* The block behind the last one that may hold scores of before to_ms; INT64_MAX where that is the newest. */
static enum lf_status
block_behind(struct lf_connection *connection, int64_t to_ms, int64_t *ret_block, struct lf_error *error)
{
    struct lf_ulid last;
    int64_t block = 0;
    enum lf_status status = LF_OK;

    *ret_block = INT64_MAX;
    if (to_ms > ULID_MS_MAX)
        return LF_OK;
    /* The greatest id that time allows. */
    memset(last.bytes, 0xFF, LF_ULID_SIZE);
    for (size_t i = 0; i < 6; i++)
        last.bytes[i] = (uint8_t)((to_ms - 1) >> (8 * (5 - i)));
    status = lf_sqlite_begin_read(connection, error);
    if (status != LF_OK)
        return status;
    status = lf_sqlite_find_block(connection, last, &block, error);
    lf_sqlite_end_read(connection);
    if (status == LF_OK)
        *ret_block = block + 1; /* 0 for none at all: then nothing is before it */
    return status;
}

enum lf_status
lf_sqlite_each_score(struct lf_store_reader *base, struct lf_arena *arena, int64_t from_ms, int64_t to_ms, size_t limit,
                     enum lf_status (*each)(void *context, const struct lf_stored_score *score), void *context,
                     struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(base, "reading scores");
    struct walk walk = {
        .arena = arena, .from_ms = from_ms, .to_ms = to_ms, .left = limit, .each = each, .context = context};
    int64_t block = 0;
    enum lf_status status = LF_OK;

    if (to_ms <= 0 || from_ms >= to_ms)
        return LF_OK; /* no score is so old */
    status = block_behind(connection, to_ms, &block, error);
    while (walk.left > 0 && !walk.past && status == LF_OK) {
        const char *body = NULL;
        size_t len = 0;

        lf_arena_reset(arena);
        status = fetch_block_before(connection, &block, arena, &body, &len, error);
        if (status != LF_OK || block == 0)
            break;
        status = each_in_block(connection, block, body, len, &walk, error);
    }
    return status;
}

enum lf_status
lf_sqlite_last_score(struct lf_store_reader *base, struct lf_ulid *ret_id, int64_t *ret_count, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(base, "reading the newest score");
    sqlite3_stmt *statement = NULL;
    struct lf_ulid id = {{0}};
    int64_t count = 0;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_LAST_BLOCK, &statement, error);

    if (status != LF_OK)
        return status;
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row) {
        status = lf_sqlite_blob(connection, statement, 0, id.bytes, LF_ULID_SIZE, error);
        count = sqlite3_column_int64(statement, 1) + sqlite3_column_int64(statement, 2) -
                sqlite3_column_int64(statement, 3);
    }
    (void)sqlite3_reset(statement);
    if (status == LF_OK && !row)
        status = pruned_end(connection, &id, error);
    if (status != LF_OK)
        return status;
    *ret_id = id;
    *ret_count = count;
    return LF_OK;
}
