/*
 * keys.h - API keys: what one looks like, what it may do, and who is let in.
 *
 *   lf_ | 8 characters: public id | 36: secret (180 bits) | 7: CRC-32 of what stands before
 *
 * in lower-case Crockford base 32. Only the SHA-256 of the secret is stored; a key is shown once, when it is made. The
 * check sum tells a slip of typing from a wrong key, so that scanners and people can. A keyring is the set of all
 * keys in memory, shared by all threads: letting a key in takes no lock that another key's request holds, keys are
 * added and revoked while others come in, and none ever goes away.
 */
#ifndef LF_APP_KEYS_H
#define LF_APP_KEYS_H

#include "base/buf.h"
#include "base/status.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, word, bit, bits it implies besides its own) */
#define LF_SCOPE_LIST(X)                    \
    X(SCORE, "score", 1u, 0u)               \
    X(ICP_READ, "icp:read", 2u, 0u)         \
    X(ICP_WRITE, "icp:write", 4u, 2u)       \
    X(STATS_READ, "stats:read", 8u, 0u)     \
    X(LEADS_READ, "leads:read", 16u, 0u)    \
    X(LEADS_WRITE, "leads:write", 32u, 16u) \
    X(ADMIN, "admin", 64u, 63u)

enum lf_scope {
#define LF_X(name, word, bit, implied) LF_SCOPE_##name = bit,
    LF_SCOPE_LIST(LF_X)
#undef LF_X
};

enum { LF_API_KEY_TEXT_MAX = 64, LF_API_KEY_NAME_MAX = 100, LF_API_KEYS_MAX = 100000 };

/* Reads "score,stats:read"; USAGE names the unknown one and all there are. Implied scopes are not added here. */
enum lf_status lf_scopes_parse(const char *text, uint32_t *ret_scopes, struct lf_error *error) LF_MUST_CHECK;

/* Appends "score,stats:read". */
void lf_scopes_put(struct lf_buf *buf, uint32_t scopes);

/* The scopes with all that they imply. */
uint32_t lf_scopes_implied(uint32_t scopes);

/* Makes a key: what to store, and the text to show once. name stays the caller's. INTERNAL when there is no chance to
 * be had from the system. */
enum lf_status lf_api_key_create(const char *name, uint32_t scopes, int64_t now_ms, int64_t expires_at_ms,
                                 struct lf_stored_key *ret_key, char ret_text[LF_API_KEY_TEXT_MAX],
                                 struct lf_error *error) LF_MUST_CHECK;

/* Reads the text of a key: its id, and the SHA-256 of its secret. UNAUTHORIZED when it is not the text of a key. */
enum lf_status lf_api_key_read(const char *text, char ret_id[LF_API_KEY_ID_MAX + 1],
                               uint8_t ret_secret_hash[LF_SHA256_SIZE]) LF_MUST_CHECK;

/* ---- the keyring ---- */

struct lf_keyring;

/* All keys of the store. rate: requests a second and key, 0 for no limit (a burst of two seconds' worth is let
 * through). CONFLICT for more than LF_API_KEYS_MAX. */
enum lf_status lf_keyring_load(struct lf_store_reader *reader, unsigned rate, struct lf_keyring **ret_keyring,
                               struct lf_error *error) LF_MUST_CHECK;

/* NULL is fine. */
void lf_keyring_destroy(struct lf_keyring *keyring);

/* Who the key text belongs to: its id and its scopes with what they imply. UNAUTHORIZED for an unknown, revoked or
 * expired key, told apart to nobody; RATE_LIMITED when it has used up its rate. Compares in constant time. */
enum lf_status lf_keyring_admit(struct lf_keyring *keyring, const char *text, int64_t now_ms, int64_t monotonic_ns,
                                char ret_id[LF_API_KEY_ID_MAX + 1], uint32_t *ret_scopes) LF_MUST_CHECK;

/* Adding a key: `prepare` copies it (texts too) and sees to room for it, in place of one that was prepared before;
 * `publish` lets the prepared one in from now on, and cannot fail. CONFLICT at LF_API_KEYS_MAX, OUT_OF_MEMORY. To be
 * called by one thread at a time, as lf_keyring_revoke. */
enum lf_status
lf_keyring_prepare(struct lf_keyring *keyring, const struct lf_stored_key *key, struct lf_error *error) LF_MUST_CHECK;
void lf_keyring_publish(struct lf_keyring *keyring);

/* Both at once. */
enum lf_status
lf_keyring_add(struct lf_keyring *keyring, const struct lf_stored_key *key, struct lf_error *error) LF_MUST_CHECK;

/* From now on the key is refused. An unknown one changes nothing, nor does one that is revoked already. */
void lf_keyring_revoke(struct lf_keyring *keyring, const char *id, int64_t at_ms);

/* The key of that id as it is now, with its last use; false where there is none. name is borrowed from the keyring. */
bool lf_keyring_find(const struct lf_keyring *keyring, const char *id, struct lf_stored_key *ret_key);

/* The uses that have not been taken yet, at most `max` and of each key the last one, for the store to note. Returns how
 * many; fewer than max: there are no more. By one thread at a time. */
size_t lf_keyring_take_uses(struct lf_keyring *keyring, struct lf_key_use *uses, size_t max);

/* How many live keys there are. */
size_t lf_keyring_live(const struct lf_keyring *keyring, int64_t now_ms);

#endif
