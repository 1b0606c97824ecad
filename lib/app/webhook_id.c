/*
 * webhook_id.c - what a delivery is known by outside: see subscriptions.h.
 *
 *     "msg_", then as of base/ulid.h: 6 bytes of the event's time in milliseconds, 2 of zeros, 8 of the delivery's id
 *
 * Numbers are big-endian, so that ids sort by time. Whoever gets a delivery twice sees the same id, and need keep no
 * more than it; here it leads back to the row.
 */
#include "app/subscriptions.h"

#include "base/ulid.h"

#include <string.h>

enum { PREFIX_LEN = 4, TIME_BYTES = 6, ID_AT = 8 };

static const char PREFIX[] = "msg_";

void
lf_webhook_id_put(int64_t delivery_id, int64_t at_ms, char ret_text[LF_WEBHOOK_ID_MAX])
{
    struct lf_ulid id = {{0}};

    for (int i = 0; i < TIME_BYTES; i++)
        id.bytes[i] = (uint8_t)((uint64_t)at_ms >> (8 * (TIME_BYTES - 1 - i)));
    for (int i = ID_AT; i < LF_ULID_SIZE; i++)
        id.bytes[i] = (uint8_t)((uint64_t)delivery_id >> (8 * (LF_ULID_SIZE - 1 - i)));
    memcpy(ret_text, PREFIX, PREFIX_LEN);
    lf_ulid_format(id, ret_text + PREFIX_LEN);
}

int64_t
lf_webhook_id_read(const char *text, int64_t *ret_at_ms)
{
    char again[LF_WEBHOOK_ID_MAX];
    struct lf_ulid id;
    uint64_t number = 0;

    if (strncmp(text, PREFIX, PREFIX_LEN) != 0 || !lf_ulid_parse(text + PREFIX_LEN, strlen(text + PREFIX_LEN), &id))
        return 0;
    for (int i = ID_AT; i < LF_ULID_SIZE; i++)
        number = number << 8 | id.bytes[i];
    if (number == 0 || number > INT64_MAX)
        return 0;
    lf_webhook_id_put((int64_t)number, lf_ulid_ms(id), again);
    if (strcmp(text, again) != 0) /* in another spelling, or with something in between */
        return 0;
    *ret_at_ms = lf_ulid_ms(id);
    return (int64_t)number;
}
