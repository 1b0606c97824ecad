/* ledger_books.c - see ledger_books.h. */
#include "app/ledger_books.h"

#include "app/ledger.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum {
    HOUR_MS = 3600000,
    TALLY_CHUNK = 1 << 12,
    TALLY_MAX = 64 << 20, /* of the largest definition some hundred KB */
    BODY_MAX = 16 << 20,
    ROWS_LEAST = 64,
};

/* ---- spans ---- */

/* Days since 1970 of the first of the month that lies `months` behind January of the year 0: the civil calendar counted
 * from March on, so that a leap day is a year's last one. */
static int64_t
month_days(int64_t months)
{
    int64_t from_march = months - 2, year = from_march >= 0 ? from_march / 12 : (from_march - 11) / 12;
    int64_t day_of_year = ((from_march - year * 12) * 153 + 2) / 5;

    return year * 365 + (year >= 0 ? year / 4 : (year - 3) / 4) - (year >= 0 ? year / 100 : (year - 99) / 100) +
           (year >= 0 ? year / 400 : (year - 399) / 400) + day_of_year - 719468;
}

/* The month (since January of the year 0) that a day lies in; days are not before 1970. The mean lengths of years and
 * months are at most one month off. */
static int64_t
month_of(int64_t days)
{
    int64_t months = 1970 * 12 + days * 4800 / 146097 - 1;

    while (month_days(months + 1) <= days)
        months++;
    return months;
}

int64_t
lf_span_begin(enum lf_rollup_span span, int64_t hour)
{
    switch (span) {
    case LF_SPAN_BASELINE:
        return 0;
    case LF_SPAN_HOUR:
        return hour;
    case LF_SPAN_DAY:
        return hour / 24 * 24;
    case LF_SPAN_MONTH:
        return month_days(month_of(hour / 24)) * 24;
    }
    return hour;
}

int64_t
lf_span_end(enum lf_rollup_span span, int64_t begin)
{
    switch (span) {
    case LF_SPAN_BASELINE:
    case LF_SPAN_HOUR:
        return begin + 1;
    case LF_SPAN_DAY:
        return begin + 24;
    case LF_SPAN_MONTH:
        return month_days(month_of(begin / 24) + 1) * 24;
    }
    return begin;
}

int64_t
lf_hour_of(int64_t ms)
{
    return ms / HOUR_MS;
}

/* ---- rows ---- */

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while counting scores");
}

bool
lf_rollup_list_add(struct lf_rollup_list *list, const struct lf_stored_rollup *rollup)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? ROWS_LEAST : list->cap * 2;
        struct lf_stored_rollup *items = lf_arena_calloc(list->arena, cap, sizeof *items);

        if (items == NULL)
            return false;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->count++] = *rollup;
    return true;
}

/* Puts a version's tally of a span, as it is now. */
static enum lf_status
put_tally(const struct lf_book *book, enum lf_rollup_span span, struct lf_rollup_list *list, struct lf_error *error)
{
    const struct lf_open_tally *open = &book->tallies[span];
    struct lf_stored_rollup rollup = {
        .version_id = book->version->version_id, .kind = LF_ROLLUP_TALLY, .span = span, .start_hour = open->start_hour};
    struct lf_buf body;

    lf_buf_init(&body, list->arena, BODY_MAX);
    lf_tally_put(&body, &open->tally);
    rollup.body = body.data;
    rollup.body_len = body.len;
    return lf_buf_failed(&body) || !lf_rollup_list_add(list, &rollup) ? out_of_memory(error) : LF_OK;
}

/* ---- recorded since the start ---- */

static void
destroy_recorded(struct lf_recorded_count *recorded)
{
    for (size_t i = 0; recorded->grades != NULL && i < recorded->grade_count; i++)
        free(recorded->grades[i]);
    free(recorded->icp);
    free(recorded->grades);
    free(recorded->recorded);
    free(recorded->fresh);
    free(recorded);
}

static struct lf_recorded_count *
create_recorded(const struct lf_cataloged *version)
{
    const struct lf_icp *icp = version->icp;
    struct lf_recorded_count *recorded = calloc(1, sizeof *recorded);
    bool fine = true;

    if (recorded == NULL)
        return NULL;
    recorded->version_id = version->version_id;
    recorded->version = version->version;
    recorded->grade_count = icp->grade_count + 1;
    recorded->icp = strdup(icp->key);
    recorded->grades = calloc(recorded->grade_count, sizeof *recorded->grades);
    recorded->recorded = calloc(recorded->grade_count, sizeof *recorded->recorded);
    recorded->fresh = calloc(recorded->grade_count, sizeof *recorded->fresh);
    fine = recorded->icp != NULL && recorded->grades != NULL && recorded->recorded != NULL && recorded->fresh != NULL;
    for (size_t i = 0; fine && i < recorded->grade_count; i++) {
        recorded->grades[i] = strdup(i < icp->grade_count ? icp->grades[i].name : "DQ");
        fine = recorded->grades[i] != NULL;
    }
    if (fine)
        return recorded;
    destroy_recorded(recorded);
    return NULL;
}

/* A version's counts, which are there for ever once there are any. */
static struct lf_recorded_count *
find_recorded(struct lf_books *books, const struct lf_cataloged *version)
{
    struct lf_recorded_count *recorded = books->recorded; /* only this thread changes the list */

    while (recorded != NULL && recorded->version_id != version->version_id)
        recorded = recorded->next;
    if (recorded != NULL || (recorded = create_recorded(version)) == NULL)
        return recorded;
    (void)pthread_mutex_lock(&books->lock);
    recorded->next = books->recorded;
    books->recorded = recorded;
    (void)pthread_mutex_unlock(&books->lock);
    return recorded;
}

void
lf_books_each_recorded(struct lf_books *books,
                       void (*each)(void *context, const char *icp, int version, const char *grade, int64_t count),
                       void *context)
{
    (void)pthread_mutex_lock(&books->lock);
    for (const struct lf_recorded_count *recorded = books->recorded; recorded != NULL; recorded = recorded->next)
        for (size_t i = 0; i < recorded->grade_count; i++)
            each(context, recorded->icp, recorded->version, recorded->grades[i], recorded->recorded[i]);
    (void)pthread_mutex_unlock(&books->lock);
}

/* ---- life ---- */

void
lf_books_init(struct lf_books *books, struct lf_catalog *catalog, struct lf_store_reader *reader)
{
    *books = (struct lf_books){.catalog = catalog, .reader = reader, .turn = 1};
    (void)pthread_mutex_init(&books->lock, NULL); /* cannot fail with default attributes */
}

static void
close_book(struct lf_books *books, struct lf_book *book)
{
    for (size_t span = 0; span < LF_SPAN_COUNT; span++)
        lf_arena_destroy(book->tallies[span].arena);
    if (book->recorded != NULL)
        memset(book->recorded->fresh, 0, book->recorded->grade_count * sizeof *book->recorded->fresh);
    lf_catalog_release(books->catalog, book->version);
    free(book);
}

void
lf_books_drop(struct lf_books *books)
{
    for (size_t i = 0; i < LF_BOOK_BUCKETS; i++) {
        while (books->buckets[i] != NULL) {
            struct lf_book *book = books->buckets[i];

            books->buckets[i] = book->next;
            close_book(books, book);
        }
    }
    books->last = NULL;
    books->count = 0;
}

void
lf_books_finish(struct lf_books *books)
{
    lf_books_drop(books);
    while (books->recorded != NULL) {
        struct lf_recorded_count *recorded = books->recorded;

        books->recorded = recorded->next;
        destroy_recorded(recorded);
    }
    (void)pthread_mutex_destroy(&books->lock);
}

void
lf_books_begin(struct lf_books *books)
{
    books->turn++;
}

/* ---- opening ---- */

static struct lf_book **
bucket_of(struct lf_books *books, int64_t version_id)
{
    return &books->buckets[(size_t)version_id % LF_BOOK_BUCKETS];
}

/* Makes room where there are many: the one that was used longest ago goes, unless this commit needs it. */
static void
make_room(struct lf_books *books)
{
    struct lf_book **oldest = NULL, *book = NULL;

    if (books->count < LF_BOOKS_KEPT)
        return;
    for (size_t i = 0; i < LF_BOOK_BUCKETS; i++)
        for (struct lf_book **place = &books->buckets[i]; *place != NULL; place = &(*place)->next)
            if ((*place)->turn < books->turn && (oldest == NULL || (*place)->turn < (*oldest)->turn))
                oldest = place;
    if (oldest == NULL)
        return;
    book = *oldest;
    *oldest = book->next;
    books->last = books->last == book ? NULL : books->last;
    books->count--;
    close_book(books, book);
}

/* Notes that it is used now. */
static struct lf_book *
use(struct lf_books *books, struct lf_book *book)
{
    book->turn = books->turn;
    books->last = book;
    return book;
}

static enum lf_status
open_book(struct lf_books *books, int64_t version_id, struct lf_book **ret_book, struct lf_error *error)
{
    struct lf_book *book = calloc(1, sizeof *book), **bucket = bucket_of(books, version_id);
    enum lf_status status = LF_OK;

    if (book == NULL)
        return out_of_memory(error);
    status = lf_catalog_hold(books->catalog, books->reader, version_id, &book->version, error);
    if (status == LF_OK && (book->recorded = find_recorded(books, book->version)) == NULL)
        status = out_of_memory(error);
    if (status != LF_OK) {
        close_book(books, book);
        return status;
    }
    book->next = *bucket;
    *bucket = book;
    books->count++;
    *ret_book = use(books, book);
    return LF_OK;
}

static struct lf_book *
find_open(struct lf_books *books, int64_t version_id)
{
    struct lf_book *book = books->last;

    if (book != NULL && book->version->version_id == version_id)
        return book;
    book = *bucket_of(books, version_id);
    while (book != NULL && book->version->version_id != version_id)
        book = book->next;
    return book;
}

enum lf_status
lf_books_find(struct lf_books *books, int64_t version_id, struct lf_book **ret_book, struct lf_error *error)
{
    struct lf_book *book = find_open(books, version_id);

    if (book == NULL) {
        make_room(books);
        return open_book(books, version_id, ret_book, error);
    }
    *ret_book = use(books, book);
    return LF_OK;
}

/* ---- counting ---- */

struct adding {
    struct lf_tally *tally;
    struct lf_error *error;
};

static enum lf_status
add_row(void *context, const struct lf_stored_rollup *rollup)
{
    struct adding *adding = context;

    return lf_tally_add(adding->tally, rollup->body, rollup->body_len, adding->error);
}

/* Reads a span's row, or begins with nothing. */
static enum lf_status
open_tally(struct lf_books *books, struct lf_book *book, enum lf_rollup_span span, int64_t start_hour,
           struct lf_error *error)
{
    struct lf_open_tally *open = &book->tallies[span];
    struct adding adding = {.tally = &open->tally, .error = error};
    enum lf_status status = LF_OK;

    open->open = open->changed = false;
    if (open->arena == NULL)
        open->arena = lf_arena_create(TALLY_CHUNK, TALLY_MAX);
    else
        lf_arena_reset(open->arena);
    if (open->arena == NULL || !lf_tally_init(&open->tally, open->arena, book->version->icp))
        return out_of_memory(error);
    status = lf_store_each_rollup(books->reader, book->version->version_id, LF_ROLLUP_TALLY, span, start_hour,
                                  start_hour + 1, add_row, &adding, error);
    if (status != LF_OK)
        return status;
    open->start_hour = start_hour;
    open->end_hour = lf_span_end(span, start_hour);
    open->open = true;
    return LF_OK;
}

/* The open tally of the span that the score belongs to; the one before goes into the list. */
static enum lf_status
turn_to(struct lf_books *books, struct lf_book *book, enum lf_rollup_span span, int64_t hour,
        struct lf_rollup_list *list, struct lf_error *error)
{
    struct lf_open_tally *open = &book->tallies[span];
    enum lf_status status = LF_OK;

    if (open->open && (span == LF_SPAN_BASELINE || (hour >= open->start_hour && hour < open->end_hour)))
        return LF_OK;
    if (open->open && open->changed)
        status = put_tally(book, span, list, error);
    return status == LF_OK ? open_tally(books, book, span, lf_span_begin(span, hour), error) : status;
}

enum lf_status
lf_books_count(struct lf_books *books, struct lf_book *book, const struct lf_outcome *outcome,
               const struct lf_brief *brief, int64_t scored_at_ms, bool first, struct lf_rollup_list *list,
               struct lf_error *error)
{
    int64_t hour = lf_hour_of(scored_at_ms);

    for (size_t span = 0; span < LF_SPAN_COUNT; span++) {
        struct lf_open_tally *open = &book->tallies[span];
        enum lf_status status = LF_OK;

        if (span == LF_SPAN_BASELINE && book->baseline_full)
            continue;
        status = turn_to(books, book, (enum lf_rollup_span)span, hour, list, error);
        if (status != LF_OK)
            return status;
        if (span == LF_SPAN_BASELINE && open->tally.scored >= LF_BASELINE_SCORES) {
            book->baseline_full = true; /* and stays so; the last change of it may still wait to be collected */
            continue;
        }
        lf_tally_count(&open->tally, outcome, brief, scored_at_ms, first);
        open->changed = true;
    }
    book->recorded->fresh[brief->qualified ? brief->grade : book->recorded->grade_count - 1]++;
    return LF_OK;
}

enum lf_status
lf_books_collect(struct lf_books *books, struct lf_rollup_list *list, struct lf_error *error)
{
    enum lf_status status = LF_OK;

    for (size_t i = 0; i < LF_BOOK_BUCKETS; i++)
        for (struct lf_book *book = books->buckets[i]; book != NULL; book = book->next)
            for (size_t span = 0; book->turn == books->turn && status == LF_OK && span < LF_SPAN_COUNT; span++)
                if (book->tallies[span].changed)
                    status = put_tally(book, (enum lf_rollup_span)span, list, error);
    return status;
}

/* Adds what was counted of a version to what is told, under the lock. */
static void
announce_book(struct lf_book *book)
{
    struct lf_recorded_count *recorded = book->recorded;

    for (size_t i = 0; i < recorded->grade_count; i++)
        recorded->recorded[i] += recorded->fresh[i];
}

void
lf_books_committed(struct lf_books *books, bool announce)
{
    (void)pthread_mutex_lock(&books->lock);
    for (size_t i = 0; i < LF_BOOK_BUCKETS; i++) {
        for (struct lf_book *book = books->buckets[i]; book != NULL; book = book->next) {
            if (book->turn != books->turn)
                continue;
            if (announce)
                announce_book(book);
            memset(book->recorded->fresh, 0, book->recorded->grade_count * sizeof *book->recorded->fresh);
            for (size_t span = 0; span < LF_SPAN_COUNT; span++)
                book->tallies[span].changed = false;
        }
    }
    (void)pthread_mutex_unlock(&books->lock);
}
