/*
 * fuzz_csv.c - libFuzzer on the CSV reader and on rows as leads.
 *
 * The input is read twice: as a whole, and in pieces whose sizes its own bytes decide. Both must give the same records,
 * and what is promised of each record must hold. Build: clang -fsanitize=fuzzer,address,undefined.
 */
#include "base/csv_lead.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { RECORD_MAX = 256 }; /* small, so that short inputs reach the limit */

static void
require(bool held)
{
    if (!held)
        abort();
}

static void
check_record(const struct lf_csv_record *record, uint64_t *line)
{
    size_t len = 0;

    require(record->line > *line && record->count >= 1 && record->count <= LF_CSV_CELLS_MAX);
    *line = record->line;
    for (size_t i = 0; i < record->count; i++) {
        require(lf_text_is_utf8(record->cells[i].bytes, record->cells[i].len, NULL));
        require(record->cells[i].len == 0 || memchr(record->cells[i].bytes, '\0', record->cells[i].len) == NULL);
        len += record->cells[i].len;
    }
    require(len <= RECORD_MAX);
}

/* A hash of all that is read; with make_leads, rows also become leads in the arena. */
static uint64_t
read_all(const uint8_t *bytes, size_t size, bool whole, struct lf_arena *make_leads)
{
    static const uint64_t SEED[2] = {1, 2};
    struct lf_csv_options options = {.record_max = RECORD_MAX};
    struct lf_csv *csv = lf_csv_create(&options);
    struct lf_csv_plan *plan = NULL;
    struct lf_csv_record record;
    struct lf_error error;
    uint64_t hash = 0, line = 0, broken_line = 0;
    size_t at = 0;

    require(csv != NULL);
    for (;;) {
        enum lf_csv_result result = lf_csv_next(csv, &record, &error);

        if (result != LF_CSV_MORE) /* asking for more is no part of what is read */
            hash = hash * 31 + (uint64_t)result * 7 + record.line;
        if (result == LF_CSV_END || result == LF_CSV_REFUSED)
            break;
        if (result == LF_CSV_MORE) {
            size_t piece = whole || at == size ? size - at : 1 + bytes[at] % 5u;

            if (at == size) {
                lf_csv_finish(csv);
                continue;
            }
            piece = piece > size - at ? size - at : piece;
            lf_csv_feed(csv, (const char *)bytes + at, piece);
            at += piece;
            continue;
        }
        if (result == LF_CSV_BROKEN) {
            require(record.line > broken_line && error.status == LF_INVALID_CSV && error.offset >= 0);
            require((size_t)error.offset <= size);
            broken_line = record.line;
            continue;
        }
        check_record(&record, &line);
        for (size_t i = 0; i < record.count; i++)
            hash = hash * 31 + lf_text_hash(record.cells[i].bytes, record.cells[i].len, SEED);
        if (make_leads != NULL && plan == NULL) {
            if (lf_csv_plan_create(&record, &plan, &error) != LF_OK)
                plan = NULL; /* any status will do */
        } else if (make_leads != NULL) {
            const struct lf_json *lead = NULL;
            enum lf_status status = lf_csv_plan_lead(plan, &record, make_leads, &lead, &error);

            require((status == LF_OK) == (lead != NULL) && status != LF_OUT_OF_MEMORY);
            require(lead == NULL || lf_json_check_lead_size(lead, "", &error) == LF_OK);
            lf_arena_reset(make_leads);
        }
    }
    lf_csv_plan_destroy(plan);
    lf_csv_destroy(csv);
    return hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lf_arena *arena = lf_arena_create(1 << 12, 1 << 22);

    require(arena != NULL);
    require(read_all(bytes, size, true, arena) == read_all(bytes, size, false, NULL));
    lf_arena_destroy(arena);
    return 0;
}
