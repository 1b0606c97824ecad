/* crc.c - see crc.h. "Slicing by eight": TABLE[k][b] is what byte b does to the sum when k bytes follow it. As a CRC is
 * linear, an entry is the exclusive or of those of its single bits, from which the preprocessor makes the tables. */
#include "store/crc.h"

/* The entry for byte b of the table whose entries for the bits 1, 2, 4 ... 128 are b0 ... b7. */
#define ENTRY(b, b0, b1, b2, b3, b4, b5, b6, b7)                                                                    \
    (((b)&1 ? (b0) : 0U) ^ ((b)&2 ? (b1) : 0U) ^ ((b)&4 ? (b2) : 0U) ^ ((b)&8 ? (b3) : 0U) ^ ((b)&16 ? (b4) : 0U) ^ \
     ((b)&32 ? (b5) : 0U) ^ ((b)&64 ? (b6) : 0U) ^ ((b)&128 ? (b7) : 0U))
#define ENTRIES_4(b, ...) \
    ENTRY(b, __VA_ARGS__), ENTRY((b) + 1, __VA_ARGS__), ENTRY((b) + 2, __VA_ARGS__), ENTRY((b) + 3, __VA_ARGS__)
#define ENTRIES_16(b, ...)                                                                       \
    ENTRIES_4(b, __VA_ARGS__), ENTRIES_4((b) + 4, __VA_ARGS__), ENTRIES_4((b) + 8, __VA_ARGS__), \
        ENTRIES_4((b) + 12, __VA_ARGS__)
#define ENTRIES_64(b, ...)                                                                            \
    ENTRIES_16(b, __VA_ARGS__), ENTRIES_16((b) + 16, __VA_ARGS__), ENTRIES_16((b) + 32, __VA_ARGS__), \
        ENTRIES_16((b) + 48, __VA_ARGS__)
#define ENTRIES_256(...)                                                                       \
    {                                                                                          \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__), \
            ENTRIES_64(192, __VA_ARGS__)                                                       \
    }

static const uint32_t TABLE[8][256] = {
    ENTRIES_256(0x77073096U, 0xee0e612cU, 0x076dc419U, 0x0edb8832U, 0x1db71064U, 0x3b6e20c8U, 0x76dc4190U, 0xedb88320U),
    ENTRIES_256(0x191b3141U, 0x32366282U, 0x646cc504U, 0xc8d98a08U, 0x4ac21251U, 0x958424a2U, 0xf0794f05U, 0x3b83984bU),
    ENTRIES_256(0x01c26a37U, 0x0384d46eU, 0x0709a8dcU, 0x0e1351b8U, 0x1c26a370U, 0x384d46e0U, 0x709a8dc0U, 0xe1351b80U),
    ENTRIES_256(0xb8bc6765U, 0xaa09c88bU, 0x8f629757U, 0xc5b428efU, 0x5019579fU, 0xa032af3eU, 0x9b14583dU, 0xed59b63bU),
    ENTRIES_256(0x3d6029b0U, 0x7ac05360U, 0xf580a6c0U, 0x30704bc1U, 0x60e09782U, 0xc1c12f04U, 0x58f35849U, 0xb1e6b092U),
    ENTRIES_256(0xcb5cd3a5U, 0x4dc8a10bU, 0x9b914216U, 0xec53826dU, 0x03d6029bU, 0x07ac0536U, 0x0f580a6cU, 0x1eb014d8U),
    ENTRIES_256(0xa6770bb4U, 0x979f1129U, 0xf44f2413U, 0x33ef4e67U, 0x67de9cceU, 0xcfbd399cU, 0x440b7579U, 0x8816eaf2U),
    ENTRIES_256(0xccaa009eU, 0x4225077dU, 0x844a0efaU, 0xd3e51bb5U, 0x7cbb312bU, 0xf9766256U, 0x299dc2edU, 0x533b85daU),
};

static uint32_t
load_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t
lf_block_crc32(const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len;
    uint32_t crc = ~UINT32_C(0);

    for (; end - at >= 8; at += 8) {
        uint32_t low = crc ^ load_le32(at), high = load_le32(at + 4);

        crc = TABLE[7][low & 0xFF] ^ TABLE[6][low >> 8 & 0xFF] ^ TABLE[5][low >> 16 & 0xFF] ^ TABLE[4][low >> 24] ^
              TABLE[3][high & 0xFF] ^ TABLE[2][high >> 8 & 0xFF] ^ TABLE[1][high >> 16 & 0xFF] ^ TABLE[0][high >> 24];
    }
    for (; at < end; at++)
        crc = crc >> 8 ^ TABLE[0][(crc ^ *at) & 0xFF];
    return ~crc;
}
