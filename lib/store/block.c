/* block.c - see block.h. */
#include "store/block.h"

#include "store/crc.h"

#include <assert.h>

enum { VERSION = 1, HEAD_SIZE = 5, CRC_SIZE = 4, VARINT_MAX = 10 };

/* ---- writing ---- */

static uint8_t *
put_varint(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static void
put_le32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

void
lf_block_writer_init(struct lf_block_writer *writer)
{
    *writer = (struct lf_block_writer){.count = 0};
    lf_buf_init(&writer->buf, NULL, (size_t)LF_BLOCK_FULL + LF_SCORE_BODY_MAX + LF_SCORE_LEAD_ID_MAX);
}

void
lf_block_writer_finish(struct lf_block_writer *writer)
{
    lf_buf_finish(&writer->buf);
}

void
lf_block_begin(struct lf_block_writer *writer)
{
    static const char HEAD[HEAD_SIZE] = {VERSION}; /* the number of scores follows at the end */

    /* A single large score leaves a large buffer behind, and running out of memory a failed one: begin anew. */
    if (writer->buf.cap > 2 * (size_t)LF_BLOCK_FULL || writer->buf.failed)
        lf_buf_finish(&writer->buf);
    writer->buf.len = 0;
    writer->count = 0;
    lf_buf_add(&writer->buf, HEAD, sizeof HEAD);
}

bool
lf_block_has_room(const struct lf_block_writer *writer, const struct lf_stored_score *score)
{
    return writer->count == 0 ||
           writer->buf.len + score->lead_id_len + score->body_len + LF_BLOCK_OVERHEAD_MAX <= LF_BLOCK_FULL;
}

void
lf_block_add(struct lf_block_writer *writer, const struct lf_stored_score *score)
{
    uint8_t *at = NULL, *begin = NULL;
    size_t shared = 0;
    int64_t apart = (int64_t)((uint64_t)score->as_of_ms - (uint64_t)lf_ulid_ms(score->id)); /* may wrap; so it undoes */

    assert(score->lead_id_len <= LF_SCORE_LEAD_ID_MAX && score->body_len <= LF_SCORE_BODY_MAX);
    assert(writer->count == 0 || memcmp(score->id.bytes, writer->last.bytes, LF_ULID_SIZE) > 0);
    begin = (uint8_t *)lf_buf_reserve(&writer->buf, score->lead_id_len + score->body_len + LF_BLOCK_OVERHEAD_MAX);
    if (begin == NULL)
        return;
    if (writer->count == 0)
        writer->first = score->id;
    else
        while (shared < LF_ULID_SIZE - 1 && score->id.bytes[shared] == writer->last.bytes[shared])
            shared++;
    at = begin;
    *at++ = (uint8_t)shared;
    memcpy(at, score->id.bytes + shared, LF_ULID_SIZE - shared);
    at += LF_ULID_SIZE - shared;
    at = put_varint(at, (uint64_t)apart << 1 ^ (uint64_t)(apart < 0 ? -1 : 0));
    at = put_varint(at, score->lead_id_len);
    if (score->lead_id_len > 0)
        memcpy(at, score->lead_id, score->lead_id_len);
    at += score->lead_id_len;
    at = put_varint(at, score->body_len);
    if (score->body_len > 0)
        memcpy(at, score->body, score->body_len);
    at += score->body_len;
    writer->buf.len += (size_t)(at - begin);
    writer->last = score->id;
    writer->count++;
}

bool
lf_block_end(struct lf_block_writer *writer)
{
    uint8_t crc[CRC_SIZE];

    assert(writer->count > 0 || writer->buf.failed);
    if (lf_buf_failed(&writer->buf))
        return false;
    put_le32((uint8_t *)writer->buf.data + 1, writer->count);
    put_le32(crc, lf_block_crc32(writer->buf.data, writer->buf.len));
    lf_buf_add(&writer->buf, crc, sizeof crc);
    return !lf_buf_failed(&writer->buf);
}

/* ---- reading ---- */

static uint32_t
get_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool
get_varint(struct lf_block_reader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_MAX && reader->at < reader->end; i++) {
        uint8_t byte = *reader->at++;

        if (i == VARINT_MAX - 1 && byte > 1)
            return false; /* beyond 64 bits */
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* A length and as many bytes. */
static bool
get_bytes(struct lf_block_reader *reader, const void **ret_bytes, size_t *ret_len)
{
    uint64_t len = 0;

    if (!get_varint(reader, &len) || len > (uint64_t)(reader->end - reader->at))
        return false;
    *ret_bytes = reader->at;
    *ret_len = (size_t)len;
    reader->at += len;
    return true;
}

static bool
damaged(struct lf_block_reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

bool
lf_block_reader_init(struct lf_block_reader *reader, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    *reader = (struct lf_block_reader){.at = NULL};
    if (len < HEAD_SIZE + CRC_SIZE)
        return damaged(reader, "it is too short");
    if (get_le32(at + len - CRC_SIZE) != lf_block_crc32(at, len - CRC_SIZE))
        return damaged(reader, "its check sum is wrong");
    if (at[0] != VERSION)
        return damaged(reader, "its layout is unknown");
    reader->count = reader->left = get_le32(at + 1);
    if (reader->count == 0)
        return damaged(reader, "it has no scores");
    reader->at = at + HEAD_SIZE;
    reader->end = at + len - CRC_SIZE;
    return true;
}

bool
lf_block_next(struct lf_block_reader *reader, struct lf_stored_score *ret_score)
{
    struct lf_stored_score score = {.id = reader->previous};
    const void *lead_id = NULL;
    uint64_t apart = 0;
    size_t shared = 0;

    if (reader->fault != NULL)
        return false;
    if (reader->left == 0)
        return reader->at == reader->end ? false : damaged(reader, "there is more in it than its scores");
    if (reader->at == reader->end)
        return damaged(reader, "it ends too early");
    shared = *reader->at++;
    if (shared >= LF_ULID_SIZE || (reader->left == reader->count && shared != 0) ||
        (size_t)(reader->end - reader->at) < LF_ULID_SIZE - shared)
        return damaged(reader, "an id in it is broken");
    memcpy(score.id.bytes + shared, reader->at, LF_ULID_SIZE - shared);
    reader->at += LF_ULID_SIZE - shared;
    if (reader->left != reader->count && memcmp(score.id.bytes, reader->previous.bytes, LF_ULID_SIZE) <= 0)
        return damaged(reader, "its ids are out of order");
    if (!get_varint(reader, &apart) || !get_bytes(reader, &lead_id, &score.lead_id_len) ||
        !get_bytes(reader, &score.body, &score.body_len))
        return damaged(reader, "a length in it is wrong");
    score.lead_id = lead_id;
    score.as_of_ms = (int64_t)((uint64_t)lf_ulid_ms(score.id) + (apart >> 1 ^ (~(apart & 1) + 1)));
    reader->previous = score.id;
    reader->left--;
    *ret_score = score;
    return true;
}
