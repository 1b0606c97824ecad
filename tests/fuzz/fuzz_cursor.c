/*
 * fuzz_cursor.c - libFuzzer on the reader of cursors.
 *
 * The first byte says of which list, the next one how much of the rest the list is of; the rest is the text. It is read
 * as it is, and bytes of it are made a cursor, which must come back. What is read is written again and must be the same
 * text.
 */
#include "api/cursor.h"

#include "core/document.h"

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
try_text(const char *text, enum lf_cursor_kind kind, const char *of, size_t of_len)
{
    struct lf_cursor cursor;
    char again[LF_CURSOR_TEXT_MAX];

    if (!lf_cursor_read(text, kind, of, of_len, &cursor))
        return;
    require(cursor.kind == kind && cursor.score >= 0 && cursor.score <= 10000);
    require(cursor.icp[0] == '\0' || lf_is_key(cursor.icp, strlen(cursor.icp)));
    lf_cursor_write(&cursor, of, of_len, again);
    require(strcmp(again, text) == 0);
}

static void
try_place(const uint8_t *bytes, size_t len, enum lf_cursor_kind kind, const char *of, size_t of_len)
{
    static const char CHARACTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    struct lf_cursor cursor = {.kind = kind}, read;
    char text[LF_CURSOR_TEXT_MAX];
    size_t key_len = len < 18 ? 0 : len - 18 > LF_KEY_MAX ? LF_KEY_MAX : len - 18;

    if (len < 18)
        return;
    cursor.score = (bytes[0] << 8 | bytes[1]) % 10001;
    memcpy(cursor.id.bytes, bytes + 2, LF_ULID_SIZE);
    for (size_t i = 0; i < key_len; i++)
        cursor.icp[i] = CHARACTERS[bytes[18 + i] % (sizeof CHARACTERS - 1)];
    lf_cursor_write(&cursor, of, of_len, text);
    require(lf_cursor_read(text, kind, of, of_len, &read));
    require(read.score == cursor.score && memcmp(read.id.bytes, cursor.id.bytes, LF_ULID_SIZE) == 0 &&
            strcmp(read.icp, cursor.icp) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum lf_cursor_kind kind = LF_CURSOR_LEADS_BY_SCORE;
    size_t of_len = 0;
    char *text = NULL;

    if (size < 2)
        return 0;
    kind = (enum lf_cursor_kind)(data[0] % 4 + 1);
    of_len = data[1] < size - 2 ? data[1] : size - 2;
    text = malloc(size - 1 - of_len); /* of just this size, so that a sanitizer sees a read beyond it */
    if (text == NULL)
        return 0;
    memcpy(text, data + 2 + of_len, size - 2 - of_len);
    text[size - 2 - of_len] = '\0';
    try_text(text, kind, (const char *)data + 2, of_len);
    try_place(data, size, kind, (const char *)data + 2, of_len);
    free(text);
    return 0;
}
