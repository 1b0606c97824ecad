/*
 * csv.c - see csv.h.
 *
 * One buffer holds the record that is being read, as it came. A scan looks for the record's end and remembers where it
 * stands, so that pieces of one byte cost no more than large ones; only a whole record is then split into cells, in
 * place. Keeping the raw bytes is what makes it possible to go back to the line behind a quote that was never closed.
 * Going back costs little: of the lines that a quote swallowed, one that opens a quote itself would have closed the
 * first, so no byte is scanned more than a few times.
 */
#include "base/csv.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum stage { STAGE_START, STAGE_SEPARATOR, STAGE_RECORDS, STAGE_REFUSED };

/* Where the scan stands within a record. */
enum state {
    AT_CELL,  /* at the beginning of a cell */
    UNQUOTED, /* in a cell without quotes */
    QUOTED,   /* between quotes */
    CLOSED,   /* behind a quote that closed, or is the first of two */
};

struct lf_csv {
    size_t record_max; /* bytes */
    char separator;    /* 0: not known yet */
    enum stage stage;
    struct lf_error refusal; /* in STAGE_REFUSED */

    /* the input */
    const char *chunk; /* lent by the caller */
    size_t chunk_len;
    bool finished;
    char *bytes;            /* the buffer */
    size_t cap, begin, end; /* its size, where the record begins, where the bytes end */
    uint64_t offset;        /* of the buffer's first byte in the input */

    /* the record */
    uint64_t line; /* on which it begins */
    size_t scan;   /* the next byte to look at */
    enum state state;
    size_t quote;       /* where the last quote was opened, from the record's beginning */
    uint64_t line_ends; /* seen between quotes */
    size_t first_line;  /* bytes of its first physical line, once line_ends > 0 */
    bool first_line_cr; /* … which ended in CR: an LF behind it belongs to it */
    bool after_cr;      /* the last byte between quotes was a CR */
    bool skip_lf;       /* the line before ended in CR: an LF here belongs to it */
    bool skip_line;     /* what is left of a broken line is passed over */

    /* the search for the separator */
    size_t counts[3];
    bool in_quotes, in_text;

    struct lf_text cells[LF_CSV_CELLS_MAX];
};

static const char SEPARATORS[3] = {',', ';', '\t'};

struct lf_csv *
lf_csv_create(const struct lf_csv_options *options)
{
    size_t record_max = options != NULL && options->record_max != 0 ? options->record_max : LF_CSV_RECORD_MAX;
    struct lf_csv *csv = malloc(sizeof *csv);

    if (csv == NULL)
        return NULL;
    /* The cells stay uninitialised: most are never touched, nor their pages. */
    memset(csv, 0, offsetof(struct lf_csv, cells));
    csv->record_max = record_max;
    csv->separator = options != NULL ? options->separator : '\0';
    csv->line = 1;
    csv->cap =
        record_max > SIZE_MAX / 2 - 8 ? 0 : 2 * record_max + 16; /* more than one record, so it always moves on */
    csv->bytes = csv->cap != 0 ? malloc(csv->cap) : NULL;
    if (csv->bytes == NULL) {
        free(csv);
        return NULL;
    }
    return csv;
}

void
lf_csv_destroy(struct lf_csv *csv)
{
    if (csv == NULL)
        return;
    free(csv->bytes);
    free(csv);
}

void
lf_csv_feed(struct lf_csv *csv, const char *bytes, size_t len)
{
    assert(csv->chunk_len == 0 && !csv->finished);
    csv->chunk = bytes;
    csv->chunk_len = len;
}

void
lf_csv_finish(struct lf_csv *csv)
{
    csv->finished = true;
}

char
lf_csv_separator(const struct lf_csv *csv)
{
    return csv->stage == STAGE_RECORDS ? csv->separator : '\0';
}

/* Takes in what the buffer has room for. false when there is nothing to take. */
static bool
fill(struct lf_csv *csv)
{
    size_t len = csv->chunk_len;

    if (len == 0)
        return false;
    if (csv->begin == csv->end || csv->end == csv->cap) {
        memmove(csv->bytes, csv->bytes + csv->begin, csv->end - csv->begin);
        csv->offset += csv->begin;
        csv->scan -= csv->begin;
        csv->end -= csv->begin;
        csv->begin = 0;
    }
    if (len > csv->cap - csv->end)
        len = csv->cap - csv->end;
    memcpy(csv->bytes + csv->end, csv->chunk, len);
    csv->end += len;
    csv->chunk += len;
    csv->chunk_len -= len;
    return true;
}

/* Begins the next record at `begin`. */
static void
begin_record(struct lf_csv *csv, size_t begin, uint64_t line)
{
    csv->begin = begin;
    csv->scan = begin;
    csv->line = line;
    csv->state = AT_CELL;
    csv->line_ends = 0;
    csv->first_line = 0;
    csv->first_line_cr = false;
    csv->after_cr = false;
}

/* ---- the beginning ---- */

static bool
starts_with(const struct lf_csv *csv, const char *magic, size_t len)
{
    return csv->end - csv->begin >= len && memcmp(csv->bytes + csv->begin, magic, len) == 0;
}

/* Says what the file is when its first bytes show that it is no CSV; NULL for a CSV. */
static const char *
foreign_format(const struct lf_csv *csv)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *told;
    } FORMATS[] = {
        {"PK\3\4", 4, "this is an xlsx or zip file: save it as CSV (UTF-8)"},
        {"\xD0\xCF\x11\xE0", 4, "this is an xls file of an old Excel: save it as CSV (UTF-8)"},
        {"\xFF\xFE", 2, "this is UTF-16 text: save it as CSV in UTF-8"},
        {"\xFE\xFF", 2, "this is UTF-16 text: save it as CSV in UTF-8"},
        {"\x1F\x8B", 2, "this is a gzip file: unpack it first"},
        {"%PDF", 4, "this is a PDF file, not CSV"},
        {"{\\rtf", 5, "this is an RTF file: save it as CSV (UTF-8)"},
    };

    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (starts_with(csv, FORMATS[i].magic, FORMATS[i].len))
            return FORMATS[i].told;
    /* UTF-16 without a mark: half of the bytes of plain text are 0. */
    if (csv->end - csv->begin >= 2 && (csv->bytes[csv->begin] == '\0') != (csv->bytes[csv->begin + 1] == '\0'))
        return "this seems to be UTF-16 text: save it as CSV in UTF-8";
    return NULL;
}

/* Passes over the byte order mark and refuses what is no CSV. false when more bytes are needed first. */
static bool
read_start(struct lf_csv *csv)
{
    enum { MAGIC_MAX = 5 };
    const char *foreign = NULL;

    while (csv->end - csv->begin < MAGIC_MAX && fill(csv))
        ;
    if (csv->end - csv->begin < MAGIC_MAX && !csv->finished)
        return false;
    foreign = foreign_format(csv);
    if (foreign != NULL) {
        (void)lf_fail_at(&csv->refusal, LF_INVALID_CSV, "", 0, "%s", foreign);
        csv->stage = STAGE_REFUSED;
        return true;
    }
    begin_record(csv, csv->begin + (starts_with(csv, "\xEF\xBB\xBF", 3) ? 3 : 0), 1);
    csv->stage = STAGE_SEPARATOR;
    return true;
}

/* Whether the line is Excel's `sep=;`, which names the separator. */
static bool
is_separator_line(const struct lf_csv *csv)
{
    const char *line = csv->bytes + csv->begin;

    return csv->scan - csv->begin == 5 && memcmp(line, "sep=", 4) == 0 &&
           (line[4] == '|' || memchr(SEPARATORS, line[4], sizeof SEPARATORS) != NULL);
}

/* Settles the separator from the first line that is not blank, which ends at scan. */
static void
settle_separator(struct lf_csv *csv)
{
    size_t best = 0;

    for (size_t i = 1; i < sizeof SEPARATORS; i++)
        if (csv->counts[i] > csv->counts[best])
            best = i;
    if (is_separator_line(csv)) {
        if (csv->separator == '\0')
            csv->separator = csv->bytes[csv->begin + 4];
        csv->skip_line = csv->scan < csv->end;
        begin_record(csv, csv->scan, csv->line);
    } else {
        if (csv->separator == '\0')
            csv->separator = SEPARATORS[best];
        begin_record(csv, csv->begin, csv->line);
    }
    csv->stage = STAGE_RECORDS;
}

/* Counts separators outside quotes up to the end of the first line. Whether a quote stands at the beginning of a cell
 * cannot be told before the separator is known, so each one counts. false when more bytes are needed first. */
static bool
find_separator(struct lf_csv *csv)
{
    for (;;) {
        for (; csv->scan < csv->end && csv->scan - csv->begin <= csv->record_max; csv->scan++) {
            char c = csv->bytes[csv->scan];

            if ((c == '\n' || c == '\r') && csv->in_text && !csv->in_quotes) {
                settle_separator(csv);
                return true;
            }
            csv->in_text = csv->in_text || (c != '\n' && c != '\r' && c != ' ');
            csv->in_quotes = csv->in_quotes != (c == '"');
            for (size_t i = 0; i < sizeof SEPARATORS; i++)
                csv->counts[i] += c == SEPARATORS[i] && !csv->in_quotes;
        }
        if (csv->scan < csv->end || (csv->chunk_len == 0 && csv->finished)) {
            settle_separator(csv);
            return true;
        }
        if (!fill(csv))
            return false;
    }
}

/* ---- a record's end ---- */

enum scanned { SCAN_MORE, SCAN_WHOLE, SCAN_TEXT_BEHIND_QUOTE, SCAN_TOO_LONG };

/* A line's end between quotes: text, but lines are counted, and the first one's end is kept for going back. */
static void
count_line_end(struct lf_csv *csv, char c)
{
    bool second = c == '\n' && csv->after_cr; /* of CR LF */

    csv->after_cr = c == '\r';
    if (second || (c != '\n' && c != '\r'))
        return;
    if (csv->line_ends++ == 0) {
        csv->first_line = csv->scan + 1 - csv->begin;
        csv->first_line_cr = c == '\r';
    }
}

/* Scans on. SCAN_WHOLE: the record is [begin, scan), and a line's end, if anything, stands at scan. */
static enum scanned
scan_record(struct lf_csv *csv)
{
    for (; csv->scan < csv->end; csv->scan++) {
        char c = csv->bytes[csv->scan];
        bool line_end = c == '\n' || c == '\r';

        if (line_end && csv->state != QUOTED)
            return SCAN_WHOLE;
        if (csv->scan - csv->begin >= csv->record_max)
            return SCAN_TOO_LONG;
        switch (csv->state) {
        case AT_CELL:
            csv->state = c == '"' ? QUOTED : c == csv->separator ? AT_CELL : UNQUOTED;
            csv->quote = csv->scan - csv->begin;
            break;
        case UNQUOTED:
            if (c == csv->separator)
                csv->state = AT_CELL;
            break;
        case QUOTED:
            if (c == '"') {
                csv->state = CLOSED;
                csv->after_cr = false;
            } else {
                count_line_end(csv, c);
            }
            break;
        case CLOSED:
            if (c == '"' && csv->bytes[csv->scan - 1] == '"')
                csv->state = QUOTED;
            else if (c == csv->separator)
                csv->state = AT_CELL;
            else if (c != ' ')
                return SCAN_TEXT_BEHIND_QUOTE;
            break;
        }
    }
    return SCAN_MORE;
}

/* Gives up the record: reading goes on with the line behind the one on which it begins. */
static void
leave_broken(struct lf_csv *csv)
{
    if (csv->line_ends > 0) {
        csv->skip_lf = csv->first_line_cr;
        begin_record(csv, csv->begin + csv->first_line, csv->line + 1);
    } else {
        csv->skip_line = true;
        begin_record(csv, csv->scan, csv->line);
    }
}

/* Goes on behind the record, which ends at scan. */
static void
leave_record(struct lf_csv *csv)
{
    bool line_end = csv->scan < csv->end;

    csv->skip_lf = line_end && csv->bytes[csv->scan] == '\r';
    begin_record(csv, csv->scan + line_end, csv->line + csv->line_ends + line_end);
}

/* What belongs to the line before: an LF behind its CR, or the rest of a broken one. false when more is needed. */
static bool
pass_over(struct lf_csv *csv)
{
    while (csv->skip_lf || csv->skip_line) {
        size_t at = csv->begin;

        if (at == csv->end) {
            if (!fill(csv))
                return false;
            continue;
        }
        if (csv->skip_lf) {
            csv->skip_lf = false;
            begin_record(csv, at + (csv->bytes[at] == '\n'), csv->line);
            continue;
        }
        while (at < csv->end && csv->bytes[at] != '\n' && csv->bytes[at] != '\r')
            at++;
        csv->scan = at;
        if (at < csv->end) {
            csv->skip_line = false;
            leave_record(csv);
        } else {
            begin_record(csv, at, csv->line);
        }
    }
    return true;
}

/* ---- a record ---- */

/* Splits [begin, scan) into cells, taking quotes off in place. 0 when there are too many. */
static size_t
split(struct lf_csv *csv)
{
    const char *end = csv->bytes + csv->scan;
    char *at = csv->bytes + csv->begin;
    size_t count = 0;

    for (;; at++) {
        char *cell = at, *to = at;

        if (count == LF_CSV_CELLS_MAX)
            return 0;
        if (at < end && *at == '"') {
            /* The scan has made sure that the quote is closed and that nothing but spaces stands behind. */
            for (at++; *at != '"' || (at + 1 < end && at[1] == '"'); *to++ = *at++)
                at += *at == '"';
            at++;
            while (at < end && *at == ' ')
                at++;
        } else {
            char *stop = memchr(at, csv->separator, (size_t)(end - at));

            at += stop != NULL ? stop - at : end - at;
            to = at;
        }
        csv->cells[count++] = (struct lf_text){cell, (size_t)(to - cell)};
        if (at >= end)
            return count;
    }
}

static bool
is_blank(const struct lf_csv *csv)
{
    size_t at = csv->begin;

    while (at < csv->scan && csv->bytes[at] == ' ')
        at++;
    return at == csv->scan;
}

/* Where a place in the buffer is in the input. */
static int64_t
input_offset(const struct lf_csv *csv, size_t at)
{
    return (int64_t)(csv->offset + at);
}

static enum lf_csv_result
broken(struct lf_csv *csv, enum scanned why, struct lf_error *error)
{
    int64_t offset = input_offset(csv, csv->state == QUOTED ? csv->begin + csv->quote : csv->scan);

    if (why == SCAN_TEXT_BEHIND_QUOTE)
        (void)lf_fail_at(error, LF_INVALID_CSV, "", offset,
                         "text behind a closing quote; a quote within a quoted cell is written twice");
    else if (why == SCAN_TOO_LONG && csv->state != QUOTED)
        (void)lf_fail_at(error, LF_INVALID_CSV, "", offset, "the record is longer than %zu bytes", csv->record_max);
    else if (why == SCAN_TOO_LONG)
        (void)lf_fail_at(error, LF_INVALID_CSV, "", offset, "a quote is opened and not closed within %zu bytes",
                         csv->record_max);
    else
        (void)lf_fail_at(error, LF_INVALID_CSV, "", offset, "a quote is opened and never closed");
    leave_broken(csv);
    return LF_CSV_BROKEN;
}

/* Checks and splits the record [begin, scan), and goes on behind it. */
static enum lf_csv_result
take_record(struct lf_csv *csv, struct lf_csv_record *ret_record, struct lf_error *error)
{
    const char *bytes = csv->bytes + csv->begin;
    size_t len = csv->scan - csv->begin, bad = 0;
    const char *nul = memchr(bytes, '\0', len);
    enum lf_csv_result result = LF_CSV_BROKEN;

    if (!lf_text_is_utf8(bytes, len, &bad)) {
        (void)lf_fail_at(error, LF_INVALID_CSV, "", input_offset(csv, csv->begin + bad),
                         "byte %zu of the record (0x%02X) is not UTF-8: save the file as UTF-8", bad + 1,
                         (unsigned)(unsigned char)bytes[bad]);
    } else if (nul != NULL) {
        (void)lf_fail_at(error, LF_INVALID_CSV, "", input_offset(csv, csv->begin + (size_t)(nul - bytes)),
                         "a NUL byte in the record");
    } else {
        ret_record->count = split(csv);
        ret_record->cells = csv->cells;
        result = LF_CSV_RECORD;
        if (ret_record->count == 0) {
            (void)lf_fail_at(error, LF_INVALID_CSV, "", input_offset(csv, csv->begin),
                             "the record has more than %d cells", LF_CSV_CELLS_MAX);
            result = LF_CSV_BROKEN;
        }
    }
    leave_record(csv);
    return result;
}

static enum lf_csv_result
refused(const struct lf_csv *csv, struct lf_error *error)
{
    if (error != NULL)
        *error = csv->refusal;
    return LF_CSV_REFUSED;
}

enum lf_csv_result
lf_csv_next(struct lf_csv *csv, struct lf_csv_record *ret_record, struct lf_error *error)
{
    enum lf_csv_result idle = LF_CSV_MORE;
    struct lf_csv_record record = {0, 0, NULL};

    *ret_record = record;
    if (csv->stage == STAGE_START && !read_start(csv))
        return LF_CSV_MORE;
    if (csv->stage == STAGE_REFUSED) {
        csv->chunk_len = 0;
        return refused(csv, error);
    }
    if (csv->stage == STAGE_SEPARATOR && !find_separator(csv))
        return LF_CSV_MORE;
    for (;;) {
        enum scanned scanned = SCAN_MORE;

        idle = csv->finished ? LF_CSV_END : LF_CSV_MORE;
        if (!pass_over(csv))
            return idle;
        ret_record->line = csv->line;
        scanned = scan_record(csv);
        if (scanned == SCAN_MORE) {
            if (fill(csv))
                continue;
            if (!csv->finished || csv->begin == csv->end)
                return idle;
            if (csv->state == QUOTED)
                return broken(csv, scanned, error);
        } else if (scanned != SCAN_WHOLE) {
            return broken(csv, scanned, error);
        }
        if (is_blank(csv))
            leave_record(csv);
        else
            return take_record(csv, ret_record, error);
    }
}
