/*
 * counts.c - see counts.h.
 *
 * row    = section…
 * section = token… | number
 * token  = varint: an even one is twice a count from 1 on, an odd one twice the number of zeros in a row, less 1
 * number = zigzag varint
 * A varint has seven bits a byte, the lowest first, and no more bytes than it needs; runs of zeros do not follow each
 * other within a section.
 */
#include "core/counts.h"

#include <assert.h>

enum { VARINT_MAX = 10, BITS = 7, LAST_SHIFT = 63, MORE = 0x80 };

/* ---- writing ---- */

static void
put_varint(struct lf_buf *buf, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    size_t len = 0;

    while (value >= MORE) {
        bytes[len++] = (uint8_t)(value | MORE);
        value >>= BITS;
    }
    bytes[len++] = (uint8_t)value;
    lf_buf_add(buf, bytes, len);
}

void
lf_counts_writer_init(struct lf_counts_writer *writer, struct lf_buf *buf)
{
    *writer = (struct lf_counts_writer){.buf = buf};
}

void
lf_counts_end(struct lf_counts_writer *writer)
{
    if (writer->zeros > 0)
        put_varint(writer->buf, 2 * writer->zeros - 1);
    writer->zeros = 0;
}

void
lf_counts_put(struct lf_counts_writer *writer, int64_t count)
{
    assert(count >= 0);
    if (count == 0) {
        writer->zeros++;
        return;
    }
    lf_counts_end(writer);
    put_varint(writer->buf, 2 * (uint64_t)count);
}

void
lf_counts_put_number(struct lf_counts_writer *writer, int64_t number)
{
    lf_counts_end(writer);
    put_varint(writer->buf, (uint64_t)number << 1 ^ (uint64_t)(number < 0 ? -1 : 0));
}

/* ---- reading ---- */

void
lf_counts_reader_init(struct lf_counts_reader *reader, const void *bytes, size_t len)
{
    *reader = (struct lf_counts_reader){.at = bytes};
    reader->end = len > 0 ? reader->at + len : reader->at; /* nothing is added to a NULL */
}

void
lf_counts_require(struct lf_counts_reader *reader, bool holds)
{
    reader->failed |= !holds;
}

static uint64_t
take_varint(struct lf_counts_reader *reader)
{
    uint64_t value = 0;
    uint8_t byte = MORE;

    for (unsigned shift = 0; (byte & MORE) != 0; shift += BITS) {
        if (reader->failed || reader->at == reader->end) {
            reader->failed = true;
            return 0;
        }
        byte = *reader->at++;
        if (shift == LAST_SHIFT && byte > 1) /* the 64th bit, and no more bytes */
            reader->failed = true;
        if (shift > 0 && byte == 0) /* one byte less would have done */
            reader->failed = true;
        value |= (uint64_t)(byte & ~MORE) << shift;
    }
    return reader->failed ? 0 : value;
}

int64_t
lf_counts_take(struct lf_counts_reader *reader)
{
    uint64_t token = 0;

    if (reader->zeros > 0) {
        reader->zeros--;
        return 0;
    }
    token = take_varint(reader);
    if (reader->failed)
        return 0;
    if (token % 2 == 0) {
        reader->ran = false;
        lf_counts_require(reader, token > 0);
        return (int64_t)(token / 2);
    }
    lf_counts_require(reader, !reader->ran);
    reader->ran = true;
    reader->zeros = token / 2;
    return 0;
}

void
lf_counts_end_section(struct lf_counts_reader *reader)
{
    lf_counts_require(reader, reader->zeros == 0);
    reader->zeros = 0;
    reader->ran = false;
}

int64_t
lf_counts_take_number(struct lf_counts_reader *reader)
{
    uint64_t bits = 0;

    lf_counts_end_section(reader);
    bits = take_varint(reader);
    return (int64_t)(bits >> 1 ^ (bits % 2 == 0 ? 0 : UINT64_MAX));
}

static void
add(struct lf_counts_reader *reader, int64_t *sum, int64_t part)
{
    int64_t whole = 0;

    if (reader->failed || __builtin_add_overflow(*sum, part, &whole) || whole > LF_COUNT_MAX || whole < -LF_COUNT_MAX)
        reader->failed = true;
    else
        *sum = whole;
}

int64_t
lf_counts_add(struct lf_counts_reader *reader, int64_t *sum)
{
    int64_t count = lf_counts_take(reader);

    add(reader, sum, count);
    return reader->failed ? 0 : count;
}

int64_t
lf_counts_add_number(struct lf_counts_reader *reader, int64_t *sum)
{
    int64_t number = lf_counts_take_number(reader);

    add(reader, sum, number);
    return reader->failed ? 0 : number;
}

void
lf_counts_expect(struct lf_counts_reader *reader, int64_t count)
{
    lf_counts_require(reader, lf_counts_take(reader) == count);
}

bool
lf_counts_done(const struct lf_counts_reader *reader)
{
    return !reader->failed && reader->zeros == 0 && reader->at == reader->end;
}
