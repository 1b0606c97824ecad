/*
 * score_input.c - see score_input.h.
 *
 * The first bytes are read ahead until they tell what the input is; afterwards they are read first. NDJSON: a block is
 * the unfinished line of the last one and what one read gives. CSV: what one read gives goes through the CSV reader,
 * and the records are copied, for that reader lends them only until the next.
 */
#include "score_input.h"

#include "base/buf.h"
#include "base/csv.h"
#include "score_document.h"
#include "score_sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 128 * 1024,                       /* asked for at once */
    HEAD_MAX = 256 * 1024,                         /* a first line longer than this is no lead */
    BLOCK_BYTES = READ_BYTES + SCORE_LINE_MAX + 1, /* a read, and the unfinished line before it */
    RECORDS_FIRST = 512,
    DOCUMENT_RECORDS = 512, /* of a document in one block */
    ARENA_FIRST = 1 << 20,
    ARENA_MAX = 256 << 20
};

struct score_input {
    int fd;
    const char *name;
    enum input_kind kind;
    uint64_t total, taken; /* bytes; total 0: not known */
    bool ended;            /* the file */

    char *head; /* read ahead */
    size_t head_len, head_at;

    /* NDJSON */
    uint64_t line; /* number of the next line */
    char *tail;    /* the unfinished line */
    size_t tail_len;
    bool skipping; /* what is left of a line that is too long */

    /* CSV */
    char separator;
    struct lf_csv *csv;
    struct lf_csv_plan *plan;
    bool finished; /* the CSV reader knows that the file has ended */

    /* a document */
    char *text;
    struct score_document document;
};

static enum lf_status
out_of_memory(struct lf_error *error)
{
    return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while reading leads");
}

/* ---- blocks ---- */

enum lf_status
score_block_init(struct score_block *block, struct lf_error *error)
{
    *block = (struct score_block){.arena = lf_arena_create(ARENA_FIRST, ARENA_MAX), .cap = RECORDS_FIRST};
    block->bytes = malloc(BLOCK_BYTES);
    block->records = malloc(block->cap * sizeof *block->records);
    if (block->arena != NULL && block->bytes != NULL && block->records != NULL)
        return LF_OK;
    score_block_finish(block);
    return out_of_memory(error);
}

void
score_block_finish(struct score_block *block)
{
    lf_arena_destroy(block->arena);
    free(block->bytes);
    free(block->records);
    *block = (struct score_block){0};
}

/* A new record, or NULL. */
static struct score_record *
add_record(struct score_block *block, enum record_kind kind, uint64_t line)
{
    struct score_record *record = NULL;

    if (block->count == block->cap) {
        struct score_record *grown = realloc(block->records, 2 * block->cap * sizeof *grown);

        if (grown == NULL)
            return NULL;
        block->records = grown;
        block->cap *= 2;
    }
    record = &block->records[block->count++];
    *record = (struct score_record){.kind = kind, .line = line};
    return record;
}

static bool
add_json(struct score_block *block, uint64_t line, const char *text, size_t len)
{
    struct score_record *record = add_record(block, RECORD_JSON, line);

    if (record == NULL)
        return false;
    record->text = text;
    record->len = len;
    return true;
}

static bool
add_broken(struct score_block *block, uint64_t line, const struct lf_error *why)
{
    struct lf_error *kept = lf_arena_alloc(block->arena, sizeof *kept);
    struct score_record *record = kept != NULL ? add_record(block, RECORD_BROKEN, line) : NULL;

    if (record == NULL)
        return false;
    *kept = *why;
    record->error = kept;
    return true;
}

/* ---- bytes ---- */

/* Reads into a place, what was read ahead first. *ret_len is 0 at the end. */
static enum lf_status
read_bytes(struct score_input *input, char *place, size_t room, size_t *ret_len, struct lf_error *error)
{
    ssize_t got = 0;

    if (input->head_at < input->head_len) {
        size_t len = input->head_len - input->head_at;

        len = len < room ? len : room;
        memcpy(place, input->head + input->head_at, len);
        input->head_at += len;
        input->taken += len;
        *ret_len = len;
        return LF_OK;
    }
    while (!input->ended && (got = read(input->fd, place, room)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        return lf_fail(error, LF_FILE, "%s: %s", input->name, strerror(errno));
    input->ended = got == 0;
    input->taken += (uint64_t)got;
    *ret_len = (size_t)got;
    return LF_OK;
}

/* Reads ahead. */
static enum lf_status
read_head(struct score_input *input, struct lf_error *error)
{
    ssize_t got = 0;

    while ((got = read(input->fd, input->head + input->head_len, HEAD_MAX - input->head_len)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        return lf_fail(error, LF_FILE, "%s: %s", input->name, strerror(errno));
    input->ended = got == 0;
    input->head_len += (size_t)got;
    return LF_OK;
}

/* ---- what it is ---- */

/* Reads a document whole. */
static enum lf_status
read_document(struct score_input *input, struct lf_error *error)
{
    struct lf_buf text;
    size_t got = 1, bom = 0;
    enum lf_status status = LF_OK;

    lf_buf_init(&text, NULL, SCORE_DOCUMENT_MAX + READ_BYTES);
    while (status == LF_OK && got > 0 && text.len <= SCORE_DOCUMENT_MAX) {
        char *place = lf_buf_reserve(&text, READ_BYTES);

        if (place == NULL) {
            status = out_of_memory(error);
            break;
        }
        status = read_bytes(input, place, READ_BYTES, &got, error);
        if (status == LF_OK)
            text.len += got;
    }
    if (status == LF_OK && text.len > SCORE_DOCUMENT_MAX)
        status =
            lf_fail(error, LF_BODY_TOO_LARGE,
                    "%s: a JSON document of more than %d MiB: write one lead a line (jq -c '.[]'), which has no limit",
                    input->name, SCORE_DOCUMENT_MAX >> 20);
    if (status != LF_OK) {
        lf_buf_finish(&text);
        return status;
    }
    input->text = text.data; /* handed over: a heap buffer's data is the heap's */
    bom = text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    score_document_init(&input->document, text.data + bom, text.len - bom);
    return LF_OK;
}

static enum lf_status
settle_kind(struct score_input *input, struct lf_error *error)
{
    enum sniffed sniffed = SNIFF_MORE;
    enum lf_status status = LF_OK;

    for (;;) {
        bool all = input->ended || input->head_len == HEAD_MAX;

        sniffed = score_sniff(input->head, input->head_len, all);
        if (sniffed != SNIFF_MORE)
            break;
        status = read_head(input, error);
        if (status != LF_OK)
            return status;
    }
    input->kind = sniffed == SNIFFED_NDJSON ? INPUT_NDJSON : sniffed == SNIFFED_DOCUMENT ? INPUT_DOCUMENT : INPUT_CSV;
    if (input->kind == INPUT_DOCUMENT)
        return read_document(input, error);
    if (input->kind == INPUT_NDJSON) {
        /* A byte order mark is no part of the first line. */
        input->head_at = input->head_len >= 3 && memcmp(input->head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        input->tail = malloc(SCORE_LINE_MAX + 1);
    } else {
        struct lf_csv_options options = {.separator = input->separator};

        input->csv = lf_csv_create(&options);
    }
    return input->tail != NULL || input->csv != NULL ? LF_OK : out_of_memory(error);
}

/* ---- opening ---- */

static enum lf_status
open_file(struct score_input *input, const char *path, struct lf_error *error)
{
    struct stat about;

    if (strcmp(path, "-") == 0) {
        input->fd = STDIN_FILENO;
        input->name = "standard input";
    } else {
        input->fd = open(path, O_RDONLY | O_CLOEXEC);
        input->name = path;
    }
    if (input->fd < 0 || fstat(input->fd, &about) != 0)
        return lf_fail(error, LF_FILE, "%s: %s", input->name, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return lf_fail(error, LF_FILE, "%s: this is a directory: name a file of leads", input->name);
    if (S_ISREG(about.st_mode) && about.st_size > 0)
        input->total = (uint64_t)about.st_size;
    return LF_OK;
}

enum lf_status
score_input_open(const char *path, char separator, struct score_input **ret_input, struct lf_error *error)
{
    struct score_input *input = calloc(1, sizeof *input);
    enum lf_status status = LF_OK;

    if (input == NULL)
        return out_of_memory(error);
    input->fd = -1;
    input->line = 1;
    input->separator = separator;
    status = open_file(input, path, error);
    if (status == LF_OK && (input->head = malloc(HEAD_MAX)) == NULL)
        status = out_of_memory(error);
    if (status == LF_OK)
        status = settle_kind(input, error);
    if (status != LF_OK) {
        score_input_close(input);
        return status;
    }
    *ret_input = input;
    return LF_OK;
}

void
score_input_close(struct score_input *input)
{
    if (input == NULL)
        return;
    if (input->fd > STDIN_FILENO)
        (void)close(input->fd); /* it was only read */
    lf_csv_plan_destroy(input->plan);
    lf_csv_destroy(input->csv);
    free(input->text);
    free(input->tail);
    free(input->head);
    free(input);
}

enum input_kind
score_input_kind(const struct score_input *input)
{
    return input->kind;
}

const char *
score_input_name(const struct score_input *input)
{
    return input->name;
}

const struct lf_csv_plan *
score_input_plan(const struct score_input *input)
{
    return input->plan;
}

uint64_t
score_input_bytes(const struct score_input *input)
{
    return input->kind == INPUT_DOCUMENT ? input->document.at : input->taken;
}

uint64_t
score_input_total(const struct score_input *input)
{
    return input->total;
}

/* ---- NDJSON ---- */

static bool
add_too_long(struct score_input *input, struct score_block *block)
{
    struct lf_error error;

    (void)lf_fail(&error, LF_BODY_TOO_LARGE, "the line is longer than %d bytes", SCORE_LINE_MAX);
    return add_broken(block, input->line, &error);
}

/* Takes one line, its end taken off. */
static bool
take_line(struct score_input *input, struct score_block *block, const char *line, size_t len)
{
    bool fine = true;

    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (input->skipping)
        input->skipping = false;
    else if (len > SCORE_LINE_MAX)
        fine = add_too_long(input, block);
    else if (score_skip_space(line, len, 0) < len)
        fine = add_json(block, input->line, line, len);
    input->line++;
    return fine;
}

static enum lf_status
next_lines(struct score_input *input, struct score_block *block, struct lf_error *error)
{
    while (block->count == 0) {
        size_t len = input->tail_len, got = 0, at = 0;
        const char *end = NULL;
        enum lf_status status = LF_OK;

        memcpy(block->bytes, input->tail, len);
        status = read_bytes(input, block->bytes + len, READ_BYTES, &got, error);
        if (status != LF_OK)
            return status;
        if (got == 0) {
            input->tail_len = 0;
            return (len > 0 || input->skipping) && !take_line(input, block, block->bytes, len) ? out_of_memory(error)
                                                                                               : LF_OK;
        }
        len += got;
        while ((end = memchr(block->bytes + at, '\n', len - at)) != NULL) {
            if (!take_line(input, block, block->bytes + at, (size_t)(end - block->bytes) - at))
                return out_of_memory(error);
            at = (size_t)(end - block->bytes) + 1;
        }
        /* Of a line that is too long already nothing more is kept; its end is waited for. One byte more than the most
         * may be a carriage return. */
        if (len - at > SCORE_LINE_MAX + 1 && !input->skipping) {
            input->skipping = true;
            if (!add_too_long(input, block))
                return out_of_memory(error);
        }
        input->tail_len = input->skipping ? 0 : len - at;
        memcpy(input->tail, block->bytes + at, input->tail_len);
    }
    return LF_OK;
}

/* ---- CSV ---- */

static bool
add_row(struct score_block *block, const struct lf_csv_record *row)
{
    struct lf_text *cells = lf_arena_alloc(block->arena, row->count * sizeof *cells);
    struct score_record *record = NULL;
    size_t len = 0;
    char *bytes = NULL;

    for (size_t i = 0; i < row->count; i++)
        len += row->cells[i].len;
    bytes = lf_arena_alloc(block->arena, len);
    record = cells != NULL && bytes != NULL ? add_record(block, RECORD_CELLS, row->line) : NULL;
    if (record == NULL)
        return false;
    for (size_t i = 0; i < row->count; i++) {
        memcpy(bytes, row->cells[i].bytes, row->cells[i].len);
        cells[i] = (struct lf_text){bytes, row->cells[i].len};
        bytes += row->cells[i].len;
    }
    record->cells = cells;
    record->len = row->count;
    return true;
}

/* Takes the records that are whole. *ret_ended: there are no more. */
static enum lf_status
take_rows(struct score_input *input, struct score_block *block, bool *ret_ended, struct lf_error *error)
{
    for (;;) {
        struct lf_csv_record record;
        struct lf_error why;
        enum lf_csv_result result = lf_csv_next(input->csv, &record, &why);
        bool fine = true;

        if (result == LF_CSV_MORE)
            return LF_OK;
        if (result == LF_CSV_END) {
            *ret_ended = true;
            return LF_OK;
        }
        if (result == LF_CSV_REFUSED)
            return lf_fail(error, why.status, "%s: %s", input->name, why.detail);
        if (input->plan == NULL) { /* the header */
            if (result == LF_CSV_RECORD && lf_csv_plan_create(&record, &input->plan, &why) == LF_OK)
                continue;
            return lf_fail(error, why.status, "%s:%llu: %s", input->name, (unsigned long long)record.line, why.detail);
        }
        fine = result == LF_CSV_RECORD ? add_row(block, &record) : add_broken(block, record.line, &why);
        if (!fine)
            return out_of_memory(error);
    }
}

static enum lf_status
next_rows(struct score_input *input, struct score_block *block, struct lf_error *error)
{
    bool ended = input->finished;

    while (block->count == 0 && !ended) {
        size_t got = 0;
        enum lf_status status = read_bytes(input, block->bytes, READ_BYTES, &got, error);

        if (status != LF_OK)
            return status;
        if (got > 0) {
            lf_csv_feed(input->csv, block->bytes, got);
        } else {
            lf_csv_finish(input->csv);
            input->finished = true;
        }
        status = take_rows(input, block, &ended, error);
        if (status != LF_OK)
            return status;
    }
    return LF_OK;
}

/* ---- a document ---- */

static enum lf_status
next_leads(struct score_input *input, struct score_block *block, struct lf_error *error)
{
    while (block->count < DOCUMENT_RECORDS) {
        const char *text = NULL;
        size_t len = 0;
        uint64_t line = 0;
        struct lf_error why;
        enum document_step step = score_document_next(&input->document, &text, &len, &line, &why);

        if (step == DOCUMENT_END)
            break;
        if (!(step == DOCUMENT_LEAD ? add_json(block, line, text, len) : add_broken(block, line, &why)))
            return out_of_memory(error);
    }
    return LF_OK;
}

enum lf_status
score_input_next(struct score_input *input, struct score_block *block, struct lf_error *error)
{
    lf_arena_reset(block->arena);
    block->count = 0;
    switch (input->kind) {
    case INPUT_CSV:
        return next_rows(input, block, error);
    case INPUT_NDJSON:
        return next_lines(input, block, error);
    case INPUT_DOCUMENT:
        break;
    }
    return next_leads(input, block, error);
}
