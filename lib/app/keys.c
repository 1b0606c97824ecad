/* keys.c - see keys.h. What a key looks like and may do; who is let in is in keyring.c. */
#include "app/keys.h"

#include "base/hash.h"

#include <string.h>

enum {
    PREFIX_LEN = 3,
    ID_LEN = 8,
    SECRET_LEN = 36,
    CRC_LEN = 7,
    TEXT_LEN = PREFIX_LEN + ID_LEN + SECRET_LEN + CRC_LEN,
};

#define PREFIX "lf_"

static const char ALPHABET[] = "0123456789abcdefghjkmnpqrstvwxyz";

static const struct {
    const char *word;
    uint32_t bit, implied;
} SCOPES[] = {
#define LF_X(name, word, bit, implied) {word, bit, implied},
    LF_SCOPE_LIST(LF_X)
#undef LF_X
};

enum { SCOPE_COUNT = sizeof SCOPES / sizeof *SCOPES };

enum lf_status
lf_scopes_parse(const char *text, uint32_t *ret_scopes, struct lf_error *error)
{
    uint32_t scopes = 0;

    for (const char *word = text; word != NULL;) {
        const char *comma = strchr(word, ',');
        size_t len = comma != NULL ? (size_t)(comma - word) : strlen(word), at = 0;

        while (len > 0 && word[0] == ' ')
            word++, len--;
        while (len > 0 && word[len - 1] == ' ')
            len--;
        while (at < SCOPE_COUNT && !(strlen(SCOPES[at].word) == len && memcmp(SCOPES[at].word, word, len) == 0))
            at++;
        if (at == SCOPE_COUNT)
            return lf_fail(error, LF_USAGE,
                           "there is no scope \"%.*s\": there are score, icp:read, icp:write, stats:read, leads:read, "
                           "leads:write and admin, joined by commas",
                           (int)len, word);
        scopes |= SCOPES[at].bit;
        word = comma != NULL ? comma + 1 : NULL;
    }
    *ret_scopes = scopes;
    return LF_OK;
}

void
lf_scopes_put(struct lf_buf *buf, uint32_t scopes)
{
    bool first = true;

    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if ((scopes & SCOPES[i].bit) == 0)
            continue;
        if (!first)
            lf_buf_lit(buf, ",");
        lf_buf_text(buf, SCOPES[i].word);
        first = false;
    }
}

uint32_t
lf_scopes_implied(uint32_t scopes)
{
    uint32_t all = scopes;

    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if ((scopes & SCOPES[i].bit) != 0)
            all |= SCOPES[i].implied;
    return all;
}

/* Seven characters for the 32 bits, the highest first. */
static void
write_crc(const char *text, char ret_crc[CRC_LEN])
{
    uint32_t crc = lf_crc32(0, text, PREFIX_LEN + ID_LEN + SECRET_LEN);

    for (int i = CRC_LEN - 1; i >= 0; i--, crc >>= 5)
        ret_crc[i] = ALPHABET[crc & 31];
}

enum lf_status
lf_api_key_create(const char *name, uint32_t scopes, int64_t now_ms, int64_t expires_at_ms,
                  struct lf_stored_key *ret_key, char ret_text[LF_API_KEY_TEXT_MAX], struct lf_error *error)
{
    uint8_t chance[ID_LEN + SECRET_LEN];
    struct lf_stored_key key = {
        .name = name, .scopes = scopes, .created_at_ms = now_ms, .expires_at_ms = expires_at_ms};

    if (!lf_random_bytes(chance, sizeof chance))
        return lf_fail(error, LF_INTERNAL, "the system gives no random bytes: no key can be made");
    memcpy(ret_text, PREFIX, PREFIX_LEN);
    for (size_t i = 0; i < sizeof chance; i++)
        ret_text[PREFIX_LEN + i] = ALPHABET[chance[i] & 31]; /* 5 bits of each byte: 180 of the secret */
    write_crc(ret_text, ret_text + PREFIX_LEN + ID_LEN + SECRET_LEN);
    ret_text[TEXT_LEN] = '\0';
    memcpy(key.id, ret_text + PREFIX_LEN, ID_LEN);
    if (!lf_sha256(ret_text + PREFIX_LEN + ID_LEN, SECRET_LEN, key.secret_hash))
        return lf_fail(error, LF_OUT_OF_MEMORY, "out of memory while making a key");
    *ret_key = key;
    return LF_OK;
}

enum lf_status
lf_api_key_read(const char *text, char ret_id[LF_API_KEY_ID_MAX + 1], uint8_t ret_secret_hash[LF_SHA256_SIZE])
{
    char crc[CRC_LEN];

    if (strnlen(text, TEXT_LEN + 1) != TEXT_LEN || memcmp(text, PREFIX, PREFIX_LEN) != 0)
        return LF_UNAUTHORIZED;
    write_crc(text, crc);
    if (memcmp(crc, text + PREFIX_LEN + ID_LEN + SECRET_LEN, CRC_LEN) != 0)
        return LF_UNAUTHORIZED;
    if (!lf_sha256(text + PREFIX_LEN + ID_LEN, SECRET_LEN, ret_secret_hash))
        return LF_OUT_OF_MEMORY;
    memcpy(ret_id, text + PREFIX_LEN, ID_LEN);
    ret_id[ID_LEN] = '\0';
    return LF_OK;
}
