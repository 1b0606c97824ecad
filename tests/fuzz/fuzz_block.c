/*
 * fuzz_block.c - libFuzzer on the reader of blocks of recorded scores.
 *
 * The input is read as it is, and once more with its check sum mended, for else hardly any input would get past it.
 * What can be read is written again and must come back the same.
 */
#include "store/block.h"
#include "store/crc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int holds)
{
    if (!holds)
        abort();
}

static void
read_again(const struct lf_block_writer *written, const uint8_t *block, size_t len)
{
    struct lf_block_reader first, second;
    struct lf_stored_score a, b;

    require(lf_block_reader_init(&first, block, len));
    require(lf_block_reader_init(&second, written->buf.data, written->buf.len));
    require(first.count == second.count);
    while (lf_block_next(&first, &a)) {
        require(lf_block_next(&second, &b));
        require(memcmp(a.id.bytes, b.id.bytes, LF_ULID_SIZE) == 0 && a.as_of_ms == b.as_of_ms);
        require(a.lead_id_len == b.lead_id_len && memcmp(a.lead_id, b.lead_id, a.lead_id_len) == 0);
        require(a.body_len == b.body_len && memcmp(a.body, b.body, a.body_len) == 0);
    }
    require(!lf_block_next(&second, &b) && second.fault == NULL);
}

static void
try_block(const uint8_t *block, size_t len)
{
    struct lf_block_writer writer;
    struct lf_block_reader reader;
    struct lf_stored_score score;
    size_t count = 0;

    if (!lf_block_reader_init(&reader, block, len)) {
        require(reader.fault != NULL);
        return;
    }
    lf_block_writer_init(&writer);
    lf_block_begin(&writer);
    while (lf_block_next(&reader, &score)) {
        if (score.lead_id_len > LF_SCORE_LEAD_ID_MAX || score.body_len > LF_SCORE_BODY_MAX)
            break;
        lf_block_add(&writer, &score);
        count++;
    }
    if (reader.fault == NULL && count == reader.count) {
        require(lf_block_end(&writer));
        read_again(&writer, block, len);
    }
    lf_block_writer_finish(&writer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size + 4); /* of just this size, so that a sanitizer sees a read beyond it */
    uint32_t crc = lf_block_crc32(data, size);

    try_block(data, size);
    if (mended == NULL)
        return 0;
    if (size > 0)
        memcpy(mended, data, size);
    for (int i = 0; i < 4; i++)
        mended[size + (size_t)i] = (uint8_t)(crc >> (8 * i));
    try_block(mended, size + 4);
    free(mended);
    return 0;
}
