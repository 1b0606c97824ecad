/* database.c - how commands read a database: store, reader and memory, opened and closed together; see command.h. */
#include "command.h"

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
