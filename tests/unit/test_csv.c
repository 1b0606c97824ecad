/* test_csv.c - the CSV reader: each row of the table is a file and what is read from it, for pieces of every size. */
#include "base/buf.h"
#include "base/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Appends what one answer of the reader says: `LINE:cell|cell;` for a record, `LINE!detail@OFFSET;` for a broken one.
 */
static void
render(struct lf_buf *out, enum lf_csv_result result, const struct lf_csv_record *record, const struct lf_error *error)
{
    if (result == LF_CSV_RECORD) {
        lf_buf_int(out, (int64_t)record->line);
        for (size_t i = 0; i < record->count; i++) {
            lf_buf_char(out, i == 0 ? ':' : '|');
            lf_buf_add(out, record->cells[i].bytes, record->cells[i].len);
        }
        lf_buf_char(out, ';');
    } else if (result == LF_CSV_BROKEN) {
        lf_buf_printf(out, "%d!%s@%d;", (int)record->line, error->detail, (int)error->offset);
        assert_int_equal(error->status, LF_INVALID_CSV);
        assert_int_equal(record->count, 0);
    } else if (result == LF_CSV_REFUSED) {
        lf_buf_printf(out, "REFUSED %s", error->detail);
        assert_int_equal(error->status, LF_INVALID_CSV);
    }
}

/* Reads the whole input, fed in pieces of `piece` bytes. */
static void
read_all(struct lf_buf *out, const struct lf_csv_options *options, const char *input, size_t len, size_t piece)
{
    struct lf_csv *csv = lf_csv_create(options);
    struct lf_csv_record record;
    struct lf_error error;
    enum lf_csv_result result = LF_CSV_MORE;
    size_t at = 0;

    assert_non_null(csv);
    for (;;) {
        result = lf_csv_next(csv, &record, &error);
        if (result == LF_CSV_END || result == LF_CSV_REFUSED)
            break;
        if (result != LF_CSV_MORE) {
            render(out, result, &record, &error);
        } else if (at < len) {
            /* The piece stands in memory of its own size, so that a sanitizer sees a reader that looks beyond it. */
            size_t count = len - at < piece ? len - at : piece;
            char *copy = malloc(count);

            assert_non_null(copy);
            memcpy(copy, input + at, count);
            lf_csv_feed(csv, copy, count);
            at += count;
            while ((result = lf_csv_next(csv, &record, &error)) == LF_CSV_RECORD || result == LF_CSV_BROKEN)
                render(out, result, &record, &error);
            free(copy);
            if (result == LF_CSV_REFUSED)
                break;
        } else {
            lf_csv_finish(csv);
        }
    }
    assert_int_equal(lf_csv_next(csv, &record, &error), result); /* the end and a refusal stay */
    render(out, result, &record, &error);
    lf_csv_destroy(csv);
}

#define UNCLOSED "a quote is opened and never closed"
#define BEHIND "text behind a closing quote; a quote within a quoted cell is written twice"
#define NUL_BYTE "a NUL byte in the record"

static const struct {
    const char *what, *input;
    size_t len; /* 0: strlen */
    const char *expected;
} CASES[] = {
    {"nothing", "", 0, ""},
    {"a byte order mark alone", "\xEF\xBB\xBF", 0, ""},
    {"blank lines alone", "\n\r\n \n\n", 0, ""},
    {"one cell", "a", 0, "1:a;"},
    {"LF", "a,b\n1,2\n3,4\n", 0, "1:a|b;2:1|2;3:3|4;"},
    {"CR LF", "a,b\r\n1,2\r\n3,4\r\n", 0, "1:a|b;2:1|2;3:3|4;"},
    {"CR alone, as an old Macintosh writes", "a,b\r1,2\r3,4", 0, "1:a|b;2:1|2;3:3|4;"},
    {"no line end at the end", "a,b\n1,2", 0, "1:a|b;2:1|2;"},
    {"blank lines count but are passed over", "\n\na,b\n\n  \n1,2\n\n", 0, "3:a|b;6:1|2;"},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "a,b\n1,2\n",
     0, "1:a|b;2:1|2;"},
    {"a byte order mark before a quote", "\xEF\xBB\xBF\"a\",b\n", 0, "1:a|b;"},
    {"empty cells", "a,b,c\n,,\n1,,\n,,3\n", 0, "1:a|b|c;2:||;3:1||;4:||3;"},
    {"an empty quoted cell is no blank line", "a\n\"\"\n", 0, "1:a;2:;"},
    {"cells are not trimmed", "a,b\n 1 , 2\n", 0, "1:a|b;2: 1 | 2;"},
    {"quotes", "a,b\n\"1\",\"2,3\"\n", 0, "1:a|b;2:1|2,3;"},
    {"doubled quotes", "a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n", 0, "1:a|b;2:say \"hi\"|\";"},
    {"line ends within quotes", "a,b\n\"1\n2\",3\n4,5\n", 0, "1:a|b;2:1\n2|3;4:4|5;"},
    {"CR LF within quotes is one line", "a,b\r\n\"1\r\n2\",3\r\n4,5\r\n", 0, "1:a|b;2:1\r\n2|3;4:4|5;"},
    {"CR within quotes", "a,b\r\"1\r2\",3\r4,5\r", 0, "1:a|b;2:1\r2|3;4:4|5;"},
    {"quotes in the middle are text", "a,b\n5\" pipe,x \"y\" z\n", 0, "1:a|b;2:5\" pipe|x \"y\" z;"},
    {"a space before a quote makes it text", "a,b\n \"1\",2\n", 0, "1:a|b;2: \"1\"|2;"},
    {"spaces behind a closing quote", "a,b\n\"1\" ,\"2\"  \n", 0, "1:a|b;2:1|2;"},
    {"a quoted header", "\"a,x\",\"b\"\n1,2\n", 0, "1:a,x|b;2:1|2;"},
    {"semicolons", "a;b;c,d\n1;2;3,5\n", 0, "1:a|b|c,d;2:1|2|3,5;"},
    {"tabs", "a\tb\n1,5\t2\n", 0, "1:a|b;2:1,5|2;"},
    {"separators within quotes do not count", "\"a,b,c\";d\n1;2\n", 0, "1:a,b,c|d;2:1|2;"},
    {"a tie goes to the comma", "a,b;c\n1,2\n", 0, "1:a|b;c;2:1|2;"},
    {"one column: commas", "a\n1,2\n", 0, "1:a;2:1|2;"},
    {"Excel names the separator", "sep=;\na;b\n1,5;2\n", 0, "2:a|b;3:1,5|2;"},
    {"Excel names the separator, CR LF and a mark", "\xEF\xBB\xBFsep=\t\r\na\tb\r\n", 0, "2:a|b;"},
    {"Excel names the bar", "sep=|\na|b,c\n", 0, "2:a|b,c;"},
    {"only Excel's line", "sep=;", 0, ""},
    {"sep= with more is a header", "sep=;x\n", 0, "1:sep=|x;"},
    {"UTF-8", "n\xC3\xA4me,b\n\xE2\x82\xAC,\xF0\x9F\x98\x80\n", 0, "1:n\xC3\xA4me|b;2:\xE2\x82\xAC|\xF0\x9F\x98\x80;"},

    {"a quote never closed costs its own line alone", "a,b\n\"1,2\n3,4\n5,6\n", 0,
     "1:a|b;2!" UNCLOSED "@4;3:3|4;4:5|6;"},
    {"… with CR LF", "a,b\r\n\"1,2\r\n3,4\r\n5,6", 0, "1:a|b;2!" UNCLOSED "@5;3:3|4;4:5|6;"},
    {"… with CR", "a,b\r\"1,2\r3,4\r", 0, "1:a|b;2!" UNCLOSED "@4;3:3|4;"},
    {"… on the last line", "a,b\n1,\"2", 0, "1:a|b;2!" UNCLOSED "@6;"},
    {"… closed by a later cell's opening one", "a,b\n1,\"2\n3,4\n\"5\",6\n7,8\n", 0,
     "1:a|b;2!" BEHIND "@14;3:3|4;4:5|6;5:7|8;"},
    {"text behind a closing quote", "a,b\n\"1\"x,2\n3,4\n", 0, "1:a|b;2!" BEHIND "@7;3:3|4;"},
    {"a quote behind a closing quote and a space", "a\n\"1\" \"2\"\n3\n", 0, "1:a;2!" BEHIND "@6;3:3;"},
    {"a broken header is a broken record", "\"a\"x,b\n1,2\n", 0, "1!" BEHIND "@3;2:1|2;"},
    {"invalid UTF-8", "a,b\n1,\xFF\n3,4\n", 0,
     "1:a|b;2!byte 3 of the record (0xFF) is not UTF-8: save the file as UTF-8@6;3:3|4;"},
    {"ISO 8859-1 in quotes over two lines", "a,b\n\"M\xFC\nx\",2\n3,4\n", 0,
     "1:a|b;2!byte 3 of the record (0xFC) is not UTF-8: save the file as UTF-8@6;4:3|4;"},
    {"a NUL byte", "a,b\n1,\0\n3,4\n", 12, "1:a|b;2!" NUL_BYTE "@6;3:3|4;"},

    {"xlsx", "PK\3\4\24\0\6\0", 8, "REFUSED this is an xlsx or zip file: save it as CSV (UTF-8)"},
    {"xls", "\xD0\xCF\x11\xE0\xA1\xB1", 6, "REFUSED this is an xls file of an old Excel: save it as CSV (UTF-8)"},
    {"UTF-16, little-endian",
     "\xFF\xFE"
     "a\0,\0",
     6, "REFUSED this is UTF-16 text: save it as CSV in UTF-8"},
    {"UTF-16, big-endian", "\xFE\xFF\0a\0,", 6, "REFUSED this is UTF-16 text: save it as CSV in UTF-8"},
    {"UTF-16 without a mark", "a\0,\0b\0", 6, "REFUSED this seems to be UTF-16 text: save it as CSV in UTF-8"},
    {"UTF-16, two bytes", "\xFF\xFE", 2, "REFUSED this is UTF-16 text: save it as CSV in UTF-8"},
    {"gzip", "\x1F\x8B\x08\0", 4, "REFUSED this is a gzip file: unpack it first"},
    {"PDF", "%PDF-1.7\n", 0, "REFUSED this is a PDF file, not CSV"},
    {"RTF", "{\\rtf1\n", 0, "REFUSED this is an RTF file: save it as CSV (UTF-8)"},
    {"PK without the rest is a name", "PK,name\n", 0, "1:PK|name;"},
};

static void
test_cases(void **state)
{
    static const size_t PIECES[] = {1, 2, 3, 5, 7, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        size_t len = CASES[i].len != 0 ? CASES[i].len : strlen(CASES[i].input);

        for (size_t j = 0; j < sizeof PIECES / sizeof PIECES[0]; j++) {
            struct lf_buf out;
            const char *text = NULL;

            lf_buf_init(&out, NULL, 100000);
            read_all(&out, NULL, CASES[i].input, len, PIECES[j]);
            text = lf_buf_terminate(&out);
            assert_non_null(text);
            if (strcmp(text, CASES[i].expected) != 0)
                print_error("%s, in pieces of %zu\n", CASES[i].what, PIECES[j]);
            assert_string_equal(text, CASES[i].expected);
            lf_buf_finish(&out);
        }
    }
}

/* With records of 16 bytes at most. */
static const struct {
    const char *what, *input, *expected;
} SHORT_CASES[] = {
    {"just fits", "a,b\n1234567,9abcdefg\n3,4", "1:a|b;2:1234567|9abcdefg;3:3|4;"},
    {"one too long", "a,b\n1234567,9abcdefgh\n3,4", "1:a|b;2!the record is longer than 16 bytes@20;3:3|4;"},
    {"a line end just behind", "a,b\n1234567,9abcdefg", "1:a|b;2:1234567|9abcdefg;"},
    {"much too long", "a,b\n12345678901234567890123456789012345678901234567890123456789012345678901234567890\n3,4\n",
     "1:a|b;2!the record is longer than 16 bytes@20;3:3|4;"},
    {"quotes in what is passed over", "a,b\n1,\"2345678901234567890\",\"6789\"\"0\n3,4\n",
     "1:a|b;2!a quote is opened and not closed within 16 bytes@6;3:3|4;"},
    {"a quote swallows lines", "a,b\n1,\"2\n3,4\n5,6\n7,8\n9,0\n",
     "1:a|b;2!a quote is opened and not closed within 16 bytes@6;3:3|4;4:5|6;5:7|8;6:9|0;"},
    {"a long header", "abcdefgh;ijklmnopqrst\n1;2\n", "1!the record is longer than 16 bytes@16;2:1|2;"},
    {"many records", "a,b\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n",
     "1:a|b;2:1|2;3:1|2;4:1|2;5:1|2;6:1|2;7:1|2;8:1|2;9:1|2;10:1|2;"},
};

static void
test_record_max(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SHORT_CASES / sizeof SHORT_CASES[0]; i++)
        for (size_t piece = 1; piece < 60; piece++) {
            struct lf_csv_options options = {.record_max = 16};
            struct lf_buf out;
            const char *text = NULL;

            lf_buf_init(&out, NULL, 100000);
            read_all(&out, &options, SHORT_CASES[i].input, strlen(SHORT_CASES[i].input), piece);
            text = lf_buf_terminate(&out);
            if (strcmp(text, SHORT_CASES[i].expected) != 0)
                print_error("%s, in pieces of %zu\n", SHORT_CASES[i].what, piece);
            assert_string_equal(text, SHORT_CASES[i].expected);
            lf_buf_finish(&out);
        }
}

static void
test_named_separator(void **state)
{
    struct lf_csv_options options = {.separator = ';'};
    struct lf_buf out;

    (void)state;
    lf_buf_init(&out, NULL, 1000);
    read_all(&out, &options, "a,b,c;d\n1;2\n", 12, 5);
    assert_string_equal(lf_buf_terminate(&out), "1:a,b,c|d;2:1|2;");
    lf_buf_finish(&out);
}

static void
test_separator_is_told(void **state)
{
    struct lf_csv *csv = lf_csv_create(NULL);
    struct lf_csv_record record;

    (void)state;
    assert_int_equal(lf_csv_separator(csv), 0);
    lf_csv_feed(csv, "a;b", 3);
    assert_int_equal(lf_csv_next(csv, &record, NULL), LF_CSV_MORE);
    assert_int_equal(lf_csv_separator(csv), 0);
    lf_csv_feed(csv, ";c\n", 3);
    assert_int_equal(lf_csv_next(csv, &record, NULL), LF_CSV_RECORD);
    assert_int_equal(record.count, 3);
    assert_int_equal(lf_csv_separator(csv), ';');
    lf_csv_destroy(csv);
    lf_csv_destroy(NULL);
}

static void
test_too_many_cells(void **state)
{
    char line[LF_CSV_CELLS_MAX + 8];
    struct lf_buf out;
    const char *text = NULL;

    (void)state;
    memset(line, ',', sizeof line);
    memcpy(line, "a,b\n", 4);
    line[4 + LF_CSV_CELLS_MAX - 1] = '\n'; /* just as many as there may be */
    lf_buf_init(&out, NULL, 100000);
    read_all(&out, NULL, line, 4 + LF_CSV_CELLS_MAX, 1000);
    assert_int_equal(out.len, strlen("1:a|b;2:;") + LF_CSV_CELLS_MAX - 1);
    out.len = 0;
    line[4 + LF_CSV_CELLS_MAX - 1] = ',';
    memcpy(line + 4 + LF_CSV_CELLS_MAX, "\n1,2", 4);
    read_all(&out, NULL, line, sizeof line, 1000);
    text = lf_buf_terminate(&out);
    assert_string_equal(text, "1:a|b;2!the record has more than 4096 cells@4;3:1|2;");
    lf_buf_finish(&out);
}

/* Files of random dirt: pieces of one byte must give what the whole gives. */
static void
test_pieces_make_no_difference(void **state)
{
    static const char ALPHABET[] = "aab,,\"\"\"\n\n\r; \xC3\xA4";
    uint32_t seed = 20261122;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char input[120];
        size_t len = (size_t)(round % (int)sizeof input);
        struct lf_csv_options options = {.record_max = 24};
        struct lf_buf whole, pieces;

        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525 + 1013904223;
            input[i] = ALPHABET[(seed >> 16) % (sizeof ALPHABET - 1)];
        }
        lf_buf_init(&whole, NULL, 100000);
        lf_buf_init(&pieces, NULL, 100000);
        read_all(&whole, &options, input, len, sizeof input);
        read_all(&pieces, &options, input, len, 1 + (size_t)(round % 3));
        assert_int_equal(whole.len, pieces.len);
        if (whole.len > 0)
            assert_memory_equal(whole.data, pieces.data, whole.len);
        lf_buf_finish(&whole);
        lf_buf_finish(&pieces);
    }
}

/* A quote on the first line swallows all that fits: only that line is lost, and time stays linear (2 MiB of it). */
static void
test_going_back_is_linear(void **state)
{
    enum { LINES = 200000 };
    struct lf_csv *csv = lf_csv_create(NULL);
    struct lf_csv_record record;
    uint64_t records = 0, broken = 0;

    (void)state;
    lf_csv_feed(csv, "a,b\n1,\"x\n", 9);
    for (int i = 0; i < LINES;) {
        switch (lf_csv_next(csv, &record, NULL)) {
        case LF_CSV_RECORD:
            records++;
            break;
        case LF_CSV_BROKEN:
            broken++;
            break;
        case LF_CSV_MORE:
            lf_csv_feed(csv, "1234,67890\n", 11);
            i++;
            break;
        case LF_CSV_END:
        case LF_CSV_REFUSED:
        default:
            fail();
        }
    }
    lf_csv_finish(csv);
    while (lf_csv_next(csv, &record, NULL) == LF_CSV_RECORD)
        records++;
    assert_int_equal(broken, 1);
    assert_int_equal(records, LINES + 1);
    assert_int_equal(record.line, LINES + 3);
    lf_csv_destroy(csv);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_record_max),
        cmocka_unit_test(test_named_separator),
        cmocka_unit_test(test_separator_is_told),
        cmocka_unit_test(test_too_many_cells),
        cmocka_unit_test(test_pieces_make_no_difference),
        cmocka_unit_test(test_going_back_is_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
