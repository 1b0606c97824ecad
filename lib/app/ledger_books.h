/*
 * ledger_books.h - the counts that are open: of each version that is scored under, this hour's, day's, month's and the
 * baseline's.
 *
 * A book is opened with the first score under its version, and its rows are read from the store then. Scores come in
 * the order of time; with the first one of a new hour the row of the old hour is as it stays. What the next commit is
 * to put gathers in a list of rows; after that commit the books are told so, and after one that failed they are thrown
 * away, to be read again.
 *
 * For lib/app/ledger*.c alone. Belongs to one thread, but for lf_books_each_recorded.
 */
#ifndef LF_APP_LEDGER_BOOKS_H
#define LF_APP_LEDGER_BOOKS_H

#include "app/catalog.h"
#include "base/arena.h"
#include "base/status.h"
#include "core/tally.h"
#include "store/store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_SPAN_COUNT = 4 };

/* The hour (since 1970) in which the span begins that this hour belongs to, and in which the next one does. Of the
 * baseline 0 and 1. */
int64_t lf_span_begin(enum lf_rollup_span span, int64_t hour);
int64_t lf_span_end(enum lf_rollup_span span, int64_t begin);

/* Hours since 1970 of a moment. */
int64_t lf_hour_of(int64_t ms);

/* Rows that are to be put, in an arena. */
struct lf_rollup_list {
    struct lf_arena *arena;
    struct lf_stored_rollup *items;
    size_t count, cap;
};

/* Adds a row; body is taken as it is. false: out of memory. */
bool lf_rollup_list_add(struct lf_rollup_list *list, const struct lf_stored_rollup *rollup) LF_MUST_CHECK;

/* How many scores of a version were recorded since the start, by grade, then DQ. */
struct lf_recorded_count {
    struct lf_recorded_count *next;
    int64_t version_id;
    char *icp; /* all texts are its own */
    int version;
    size_t grade_count; /* DQ included */
    char **grades;
    int64_t *recorded; /* guarded by the books' lock */
    int64_t *fresh;    /* counted since the last commit; the writer's */
};

struct lf_open_tally {
    struct lf_arena *arena; /* NULL: never opened */
    struct lf_tally tally;
    int64_t start_hour, end_hour;
    bool open, changed;
};

struct lf_book {
    struct lf_book *next; /* in its bucket */
    const struct lf_cataloged *version;
    struct lf_open_tally tallies[LF_SPAN_COUNT]; /* by enum lf_rollup_span */
    bool baseline_full;
    struct lf_recorded_count *recorded;
    uint64_t turn; /* when it was used last */
};

enum { LF_BOOK_BUCKETS = 256, LF_BOOKS_KEPT = 256 /* beyond those that one commit needs */ };

struct lf_books {
    struct lf_catalog *catalog;
    struct lf_store_reader *reader;
    struct lf_book *buckets[LF_BOOK_BUCKETS], *last; /* last: used last */
    size_t count;
    uint64_t turn;        /* grows with every commit */
    pthread_mutex_t lock; /* over `recorded` */
    struct lf_recorded_count *recorded;
};

void lf_books_init(struct lf_books *books, struct lf_catalog *catalog, struct lf_store_reader *reader);
void lf_books_finish(struct lf_books *books);

/* Another commit begins. */
void lf_books_begin(struct lf_books *books);

/* The book of a version; it stays until the next commit begins, or the drop. Statuses as of lf_catalog_hold. */
enum lf_status lf_books_find(struct lf_books *books, int64_t version_id, struct lf_book **ret_book,
                             struct lf_error *error) LF_MUST_CHECK;

/* Counts a score; rows that are full by that go into the list. first: its lead's first under the ICP. After a failure
 * the books are to be dropped. */
enum lf_status lf_books_count(struct lf_books *books, struct lf_book *book, const struct lf_outcome *outcome,
                              const struct lf_brief *brief, int64_t scored_at_ms, bool first,
                              struct lf_rollup_list *list, struct lf_error *error) LF_MUST_CHECK;

/* Puts all rows that have changed into the list. */
enum lf_status
lf_books_collect(struct lf_books *books, struct lf_rollup_list *list, struct lf_error *error) LF_MUST_CHECK;

/* What was collected is on the disk. announce: counts as recorded since the start. */
void lf_books_committed(struct lf_books *books, bool announce);

/* Forgets all that is open. */
void lf_books_drop(struct lf_books *books);

/* For lf_ledger_each_count; thread-safe. */
void lf_books_each_recorded(struct lf_books *books,
                            void (*each)(void *context, const char *icp, int version, const char *grade, int64_t count),
                            void *context);

#endif
