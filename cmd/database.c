/* database.c - how commands read a database (store, reader and memory, opened and closed together) and write one; see
 * command.h. */
#include "command.h"

#include "base/time.h"

enum { ARENA_MAX = 512 << 20 };

enum lf_status
reading_open(const char *db, struct reading *ret_reading, struct lf_error *error)
{
    struct reading reading = {.arena = lf_arena_create(65536, ARENA_MAX)};
    enum lf_status status = LF_OK;

    if (reading.arena == NULL)
        status = lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while opening %s", db);
    if (status == LF_OK)
        status = lf_store_open(&(struct lf_store_options){.path = db, .read_only = true}, &reading.store, error);
    if (status == LF_OK)
        status = lf_store_reader_open(reading.store, &reading.reader, error);
    *ret_reading = reading;
    return status;
}

int
reading_close(struct reading *reading, enum lf_status status, const struct lf_error *error)
{
    lf_store_reader_close(reading->reader);
    lf_store_close(reading->store);
    lf_arena_destroy(reading->arena);
    return status != LF_OK ? fault(error) : EXIT_FINE;
}

enum lf_status
writing_open(const char *db, const char *instead, struct lf_store **ret_store, struct lf_error *error)
{
    enum lf_status status = lf_store_open(&(struct lf_store_options){.path = db}, ret_store, error);

    return status != LF_STORAGE_IN_USE
               ? status
               : lf_fail(error, status, "a server has %s open: use its %s, or stop it first", db, instead);
}

struct lf_change
command_line_change(const char *note)
{
    return (struct lf_change){.by = "command line", .key_id = "", .note = note, .at_ms = lf_time_now_ms()};
}
