/*
 * deliveries.c - the outbox: deliveries are put in by the commit that records what they tell of, read by whoever sends
 * them, noted, given up, and swept away.
 *
 * Those that wait (pending, retrying) and those that have ended each have an index of their own, so that neither is
 * looked for among the others however many there are.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/time.h"
#include "store/sqlite/internal.h"

#include <limits.h>
#include <string.h>

enum {
    ATTEMPTS_MAX = 1 << 16,        /* bytes of one delivery's attempts: twenty of a few hundred */
    ENDED = LF_DELIVERY_DELIVERED, /* this state and those behind it (statements.h says 2) */
};

/* ---- written with what they tell of ---- */

static bool
is_no_id(struct lf_ulid id)
{
    static const struct lf_ulid NONE = {{0}};

    return memcmp(id.bytes, NONE.bytes, LF_ULID_SIZE) == 0;
}

static enum lf_status
put_delivery(struct lf_connection *connection, sqlite3_stmt *statement, const struct lf_new_delivery *delivery,
             struct lf_error *error)
{
    int rc = is_no_id(delivery->score_id)
                 ? sqlite3_bind_null(statement, 4)
                 : sqlite3_bind_blob(statement, 4, delivery->score_id.bytes, LF_ULID_SIZE, SQLITE_STATIC);

    if (rc != SQLITE_OK || sqlite3_bind_int64(statement, 1, delivery->subscription_id) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, (int)delivery->type) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, delivery->at_ms) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 5, delivery->lane) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 6, delivery->data, delivery->data_len, SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

enum lf_status
lf_sqlite_put_deliveries(struct lf_connection *connection, const struct lf_new_delivery *deliveries, size_t count,
                         struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = count > 0 ? lf_sqlite_get(connection, LF_SQL_ADD_DELIVERY, &statement, error) : LF_OK;

    for (size_t i = 0; status == LF_OK && i < count; i++)
        status = put_delivery(connection, statement, &deliveries[i], error);
    return status;
}

enum lf_status
lf_sqlite_erase_deliveries(struct lf_connection *connection, struct lf_ulid score_id, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_ERASE_DELIVERIES, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_blob(statement, 1, score_id.bytes, LF_ULID_SIZE, SQLITE_STATIC) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

/* ---- reading ---- */

/* The present row, which has LF_SQL_DELIVERY_COLUMNS. */
static enum lf_status
read_delivery(const struct lf_connection *connection, struct lf_arena *arena, sqlite3_stmt *statement,
              struct lf_stored_delivery *ret_delivery, struct lf_error *error)
{
    struct lf_stored_delivery delivery = {
        .id = sqlite3_column_int64(statement, 0),
        .subscription_id = sqlite3_column_int64(statement, 1),
        .type = (enum lf_event_type)sqlite3_column_int(statement, 2),
        .at_ms = sqlite3_column_int64(statement, 3),
        .lane = sqlite3_column_int64(statement, 5),
        .state = (enum lf_delivery_state)sqlite3_column_int(statement, 6),
        .due_ms = sqlite3_column_int64(statement, 7),
        .attempts = lf_sqlite_text(arena, statement, 8),
        .data = lf_sqlite_text(arena, statement, 9),
    };
    enum lf_status status = LF_OK;

    if (delivery.attempts == NULL || delivery.data == NULL)
        return lf_sqlite_no_memory(connection, error);
    delivery.attempts_len = (size_t)sqlite3_column_bytes(statement, 8);
    delivery.data_len = (size_t)sqlite3_column_bytes(statement, 9);
    if (sqlite3_column_type(statement, 4) != SQLITE_NULL)
        status = lf_sqlite_blob(connection, statement, 4, delivery.score_id.bytes, LF_ULID_SIZE, error);
    if (status == LF_OK)
        *ret_delivery = delivery;
    return status;
}

enum lf_status
lf_sqlite_deliveries(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id,
                     enum lf_delivery_order order, int64_t from, size_t limit,
                     struct lf_stored_delivery **ret_deliveries, size_t *ret_count, struct lf_error *error)
{
    static const enum lf_sql STATEMENTS[] = {[LF_DELIVERIES_NEWEST] = LF_SQL_DELIVERIES_NEWEST,
                                             [LF_DELIVERIES_PENDING] = LF_SQL_DELIVERIES_PENDING,
                                             [LF_DELIVERIES_DUE] = LF_SQL_DELIVERIES_DUE};
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading the outbox");
    struct lf_stored_delivery *deliveries = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, STATEMENTS[order], &statement, error);

    if (status != LF_OK)
        return status;
    if (order == LF_DELIVERIES_NEWEST && from == 0)
        from = INT64_MAX;
    if (sqlite3_bind_int64(statement, 1, subscription_id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, from) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, limit < INT64_MAX ? (sqlite3_int64)limit : INT64_MAX) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    while (status == LF_OK) {
        status = lf_sqlite_step(connection, statement, &row, error);
        if (status != LF_OK || !row)
            break;
        deliveries = lf_sqlite_grow(arena, deliveries, count, &capacity, sizeof *deliveries);
        status = deliveries == NULL ? lf_sqlite_no_memory(connection, error)
                                    : read_delivery(connection, arena, statement, &deliveries[count++], error);
    }
    (void)sqlite3_reset(statement);
    if (status != LF_OK)
        return status;
    *ret_deliveries = deliveries;
    *ret_count = count;
    return LF_OK;
}

static enum lf_status
no_delivery(struct lf_error *error)
{
    return lf_fail(error, LF_DELIVERY_NOT_FOUND,
                   "the subscription has no delivery of this id: they are swept away some"
                   " time after they have ended");
}

enum lf_status
lf_sqlite_delivery(struct lf_store_reader *reader, struct lf_arena *arena, int64_t subscription_id, int64_t id,
                   struct lf_stored_delivery *ret_delivery, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "reading a delivery");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DELIVERY, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, subscription_id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK)
        status = row ? read_delivery(connection, arena, statement, ret_delivery, error) : no_delivery(error);
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_outbox(struct lf_store_reader *reader, int64_t subscription_id, int64_t *ret_waiting, int64_t *ret_oldest_ms,
                 struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_reader(reader, "counting what waits in the outbox");
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_OUTBOX, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, subscription_id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_waiting = row ? sqlite3_column_int64(statement, 0) : 0;
    *ret_oldest_ms = row ? sqlite3_column_int64(statement, 1) : 0; /* null, of none, reads as 0 */
    (void)sqlite3_reset(statement);
    return LF_OK;
}

/* ---- attempts ---- */

/* The bounds of the n-th and further elements in an array of flat objects, as text: *at goes behind the one found. */
static bool
next_object(const char *text, size_t len, size_t *at, size_t *ret_begin)
{
    bool quoted = false;
    size_t i = *at;

    while (i < len && text[i] != '{')
        i++;
    *ret_begin = i;
    for (; i < len; i++) {
        if (quoted && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[i] == '}') {
            *at = i + 1;
            return true;
        }
    }
    return false;
}

/* Writes the array with one more attempt: of those before, the first and the latest stay. What is no such array counts
 * as none, so that somebody's hand in the database stops no delivery. */
static void
append_attempt(struct lf_buf *buf, const char *attempts, size_t len, int64_t at_ms, int http_status, const char *words)
{
    char time[LF_TIME_TEXT_MAX];
    size_t begin = 0, at = 0, count = 0, skip = 0, index = 0;

    while (next_object(attempts, len, &at, &begin))
        count++;
    skip = count >= LF_ATTEMPTS_KEPT ? count - LF_ATTEMPTS_KEPT + 1 : 0;
    lf_buf_lit(buf, "[");
    for (at = 0; next_object(attempts, len, &at, &begin); index++) {
        if (index > 0 && index <= skip)
            continue;
        lf_buf_add(buf, attempts + begin, at - begin);
        lf_buf_lit(buf, ",");
    }
    lf_buf_lit(buf, "{\"at\":\"");
    lf_buf_add(buf, time, lf_time_format_ms(at_ms, time));
    lf_buf_printf(buf, "\",\"status\":%d,\"error\":", http_status);
    lf_json_put_text(buf, words, strlen(words));
    lf_buf_lit(buf, "}]");
}

/* How a delivery is from now on. */
struct noting {
    int64_t id;
    enum lf_delivery_state state;
    int64_t due_ms;
    int64_t at_ms; /* of the attempt */
    int http_status;
    const char *words;
};

/* Changes a delivery whose attempts so far are these. */
static enum lf_status
note(struct lf_connection *connection, const struct noting *noting, const void *attempts, size_t len,
     struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    struct lf_buf buf;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_NOTE_ATTEMPT, &statement, error);

    if (status != LF_OK)
        return status;
    lf_buf_init(&buf, NULL, ATTEMPTS_MAX);
    append_attempt(&buf, attempts, len, noting->at_ms, noting->http_status, noting->words);
    if (lf_buf_failed(&buf) || sqlite3_bind_int64(statement, 1, noting->id) != SQLITE_OK ||
        sqlite3_bind_int(statement, 2, (int)noting->state) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, noting->state == LF_DELIVERY_RETRYING ? noting->due_ms : 0) != SQLITE_OK ||
        sqlite3_bind_text64(statement, 4, buf.data, buf.len, SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
        status = lf_sqlite_no_memory(connection, error);
    if (status == LF_OK)
        status = lf_sqlite_run(connection, statement, error);
    lf_buf_finish(&buf);
    return status;
}

/* *ret_waited: the delivery waited until now. Within the transaction. */
static enum lf_status
note_delivery(struct lf_connection *connection, const struct lf_attempt *attempt, bool *ret_waited,
              struct lf_error *error)
{
    struct noting noting = {.id = attempt->delivery_id,
                            .state = attempt->state,
                            .due_ms = attempt->due_ms,
                            .at_ms = attempt->at_ms,
                            .http_status = attempt->http_status,
                            .words = attempt->error};
    sqlite3_stmt *statement = NULL;
    const void *attempts = NULL;
    size_t len = 0;
    bool row = false;
    int before = LF_DELIVERY_ERASED;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DELIVERY_TO_NOTE, &statement, error);

    *ret_waited = false;
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, attempt->subscription_id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, attempt->delivery_id) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status == LF_OK && row) {
        before = sqlite3_column_int(statement, 0);
        status = lf_sqlite_bytes(connection, statement, 1, &attempts, &len, error);
    }
    *ret_waited = before < ENDED;
    if (before >= ENDED && noting.state != LF_DELIVERY_DELIVERED) /* it was given up meanwhile, and stays so */
        noting.state = (enum lf_delivery_state)before;
    if (status == LF_OK && before != LF_DELIVERY_ERASED)
        status = note(connection, &noting, attempts, len, error);
    (void)sqlite3_reset(statement);
    return status;
}

/* Within the transaction. */
static enum lf_status
note_subscription(struct lf_connection *connection, const struct lf_attempt *attempt, struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    enum lf_status status =
        lf_sqlite_get(connection, attempt->state == LF_DELIVERY_DELIVERED ? LF_SQL_NOTE_SUCCESS : LF_SQL_NOTE_FAILURE,
                      &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, attempt->subscription_id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, attempt->at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    return lf_sqlite_run(connection, statement, error);
}

enum lf_status
lf_sqlite_note_attempts(struct lf_store *store, const struct lf_attempt *attempts, size_t count, bool *ret_waited,
                        struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "noting what was delivered", error);
    enum lf_status status = LF_OK;
    bool waited = false;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    for (size_t i = 0; status == LF_OK && i < count; i++) {
        status = note_delivery(connection, &attempts[i], ret_waited != NULL ? &ret_waited[i] : &waited, error);
        if (status == LF_OK)
            status = note_subscription(connection, &attempts[i], error);
    }
    return lf_sqlite_end(connection, status, error);
}

/* ---- by hand, and all at once ---- */

/* Within the transaction. */
static enum lf_status
retry_delivery(struct lf_connection *connection, int64_t subscription_id, int64_t id, int64_t at_ms, bool *ret_waited,
               struct lf_error *error)
{
    sqlite3_stmt *find = NULL, *retry = NULL;
    bool row = false;
    int state = 0;
    enum lf_status status = lf_sqlite_get(connection, LF_SQL_DELIVERY_TO_NOTE, &find, error);

    if (status == LF_OK)
        status = lf_sqlite_get(connection, LF_SQL_RETRY_DELIVERY, &retry, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(find, 1, subscription_id) != SQLITE_OK || sqlite3_bind_int64(find, 2, id) != SQLITE_OK ||
        sqlite3_bind_int64(retry, 1, id) != SQLITE_OK || sqlite3_bind_int64(retry, 2, at_ms) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, find, &row, error);
    if (status != LF_OK)
        return status;
    state = row ? sqlite3_column_int(find, 0) : 0;
    (void)sqlite3_reset(find);
    if (!row)
        return no_delivery(error);
    if (state == LF_DELIVERY_ERASED)
        return lf_fail(error, LF_ERASED, "the lead that this delivery told of was erased: nothing is left to send");
    *ret_waited = state < ENDED;
    return state == LF_DELIVERY_PENDING ? LF_OK : lf_sqlite_run(connection, retry, error);
}

enum lf_status
lf_sqlite_retry_delivery(struct lf_store *store, int64_t subscription_id, int64_t id, int64_t at_ms, bool *ret_waited,
                         struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "having a delivery tried again", error);
    enum lf_status status = LF_OK;
    bool waited = false;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    status = retry_delivery(connection, subscription_id, id, at_ms, &waited, error);
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *ret_waited = waited;
    return status;
}

/* Finds the first delivery that waits by that statement, and has it fail; *ret_there false: there is none. */
static enum lf_status
fail_first(struct lf_connection *connection, enum lf_sql which, int64_t subscription_id, int64_t at_ms,
           const char *reason, bool *ret_there, struct lf_error *error)
{
    struct noting noting = {.state = LF_DELIVERY_FAILED, .at_ms = at_ms, .words = reason};
    sqlite3_stmt *statement = NULL;
    const void *attempts = NULL;
    size_t len = 0;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, subscription_id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, which == LF_SQL_DELIVERIES_DUE ? INT64_MAX : 0) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 3, 1) != SQLITE_OK)
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, ret_there, error);
    if (status != LF_OK || !*ret_there) {
        (void)sqlite3_reset(statement);
        return status;
    }
    noting.id = sqlite3_column_int64(statement, 0);
    status = lf_sqlite_bytes(connection, statement, 8, &attempts, &len, error);
    if (status == LF_OK)
        status = note(connection, &noting, attempts, len, error);
    (void)sqlite3_reset(statement);
    return status;
}

enum lf_status
lf_sqlite_fail_deliveries(struct lf_store *store, int64_t subscription_id, int64_t at_ms, const char *reason,
                          size_t limit, bool *ret_more, struct lf_error *error)
{
    struct lf_connection *connection = lf_sqlite_writer(store, "giving up what waits for a subscription", error);
    enum lf_status status = LF_OK;
    size_t failed = 0;
    bool there = true;

    if (connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(connection, error);
    if (status != LF_OK)
        return status;
    while (status == LF_OK && there && failed < limit) {
        status = fail_first(connection, LF_SQL_DELIVERIES_PENDING, subscription_id, at_ms, reason, &there, error);
        if (status == LF_OK && !there)
            status = fail_first(connection, LF_SQL_DELIVERIES_DUE, subscription_id, at_ms, reason, &there, error);
        failed += there;
    }
    status = lf_sqlite_end(connection, status, error);
    if (status == LF_OK)
        *ret_more = there;
    return status;
}

/* ---- sweeping ---- */

/* A statement of two numbers that gives one, 0 where it gives no row. */
static enum lf_status
look_up(struct lf_connection *connection, enum lf_sql which, int64_t first, int64_t second, int64_t *ret_value,
        struct lf_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    enum lf_status status = lf_sqlite_get(connection, which, &statement, error);

    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, first) != SQLITE_OK ||
        (sqlite3_bind_parameter_count(statement) > 1 && sqlite3_bind_int64(statement, 2, second) != SQLITE_OK))
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_step(connection, statement, &row, error);
    if (status != LF_OK)
        return status;
    *ret_value = row ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    return LF_OK;
}

/* What may go. */
struct pruning {
    struct lf_connection *connection;
    int64_t before_ms, keep;
    int64_t left; /* of the limit */
};

/* Takes away what may go of one subscription's. */
static enum lf_status
prune_subscription(struct pruning *pruning, int64_t id, struct lf_error *error)
{
    struct lf_connection *connection = pruning->connection;
    sqlite3_stmt *statement = NULL;
    int64_t there = 0, last = 0;
    enum lf_status status = look_up(connection, LF_SQL_SUBSCRIPTION_THERE, id, 0, &there, error);

    if (status == LF_OK && there != 0)
        status = look_up(connection, LF_SQL_DELIVERY_BEHIND, id, pruning->keep, &last, error);
    if (status == LF_OK)
        status =
            lf_sqlite_get(connection, there != 0 ? LF_SQL_PRUNE_DELIVERIES : LF_SQL_DROP_DELIVERIES, &statement, error);
    if (status != LF_OK)
        return status;
    if (sqlite3_bind_int64(statement, 1, id) != SQLITE_OK ||
        sqlite3_bind_int64(statement, 2, pruning->left) != SQLITE_OK ||
        (there != 0 && (sqlite3_bind_int64(statement, 3, last) != SQLITE_OK ||
                        sqlite3_bind_int64(statement, 4, pruning->before_ms) != SQLITE_OK)))
        return lf_sqlite_no_memory(connection, error);
    status = lf_sqlite_run(connection, statement, error);
    if (status == LF_OK)
        pruning->left -= sqlite3_changes(connection->db);
    return status;
}

enum lf_status
lf_sqlite_prune_deliveries(struct lf_store *store, int64_t before_ms, size_t keep, size_t limit, bool *ret_more,
                           struct lf_error *error)
{
    struct pruning pruning = {.connection = lf_sqlite_writer(store, "sweeping the outbox", error),
                              .before_ms = before_ms,
                              .keep = keep < INT64_MAX ? (int64_t)keep : INT64_MAX,
                              .left = limit < INT64_MAX ? (int64_t)limit : INT64_MAX};
    int64_t id = 0;
    enum lf_status status = LF_OK;

    if (pruning.connection == NULL)
        return LF_STORAGE_FAILED;
    status = lf_sqlite_begin(pruning.connection, error);
    if (status != LF_OK)
        return status;
    while (status == LF_OK && pruning.left > 0) {
        status = look_up(pruning.connection, LF_SQL_DELIVERIES_OF_NEXT, id, 0, &id, error);
        if (status != LF_OK || id == 0)
            break;
        status = prune_subscription(&pruning, id, error);
    }
    status = lf_sqlite_end(pruning.connection, status, error);
    if (status == LF_OK)
        *ret_more = pruning.left == 0;
    return status;
}
