/*
 * signature.h - whether a delivery really comes from its source: HubSpot v3, v2 and v1, Standard Webhooks, Mautic, HTTP
 * Basic, a shared secret.
 *
 * Over the raw bytes, compared in constant time, under each of the source's secrets. A signature that covers a time is
 * good for LF_SIGNATURE_MS to either side of it. Pure but for libcrypto; the sources of the formulas stand in the
 * vendors' documentation, and their published vectors in tests/unit/test_signature*.c. Thread-safe.
 */
#ifndef LF_APP_SIGNATURE_H
#define LF_APP_SIGNATURE_H

#include "app/sources.h"
#include "base/arena.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_SIGNATURE_MS = 300000 };

/* A delivery as it came. */
struct lf_delivery {
    const char *method;
    const char *base_url; /* scheme and host as the sender knows them, without a slash at the end */
    const char *target;   /* path and query, undecoded */
    const void *body;
    size_t body_len;
    const char *(*header)(const void *context, const char *name); /* NULL where it is absent */
    const void *context;
    int64_t now_ms;
};

/* What was found out. */
struct lf_proof {
    const void *id; /* by which a repeat of the delivery is known; NULL for none; in the arena or the delivery's */
    size_t id_len;
};

/* LF_OK when it is signed by one of the source's secrets. BAD_SIGNATURE, with a sentence that says what is wrong (no
 * such header, no number, too old, from the future, another secret or other bytes) and holds nothing of what was sent.
 * UNAUTHORIZED, when it sent no secret of ours and may yet show an API key (salesforce and generic). */
enum lf_status
lf_signature_check(struct lf_arena *arena, const struct lf_source *source, const struct lf_delivery *delivery,
                   struct lf_proof *ret_proof, struct lf_error *error) LF_MUST_CHECK;

/* Signs as Standard Webhooks wants it: "v1,<base64>", NUL-terminated. false when libcrypto fails (memory). */
enum { LF_SIGNATURE_TEXT_MAX = 48 };
bool lf_signature_make(const void *secret, size_t secret_len, const char *id, int64_t timestamp_s, const void *body,
                       size_t body_len, char ret_text[LF_SIGNATURE_TEXT_MAX]) LF_MUST_CHECK;

/* Reads "whsec_" and base 64 of 24 to 64 bytes (the prefix may be left out). false where it is none. */
enum { LF_WEBHOOK_SECRET_MAX = 64 };
bool lf_webhook_secret_read(const char *text, size_t len, uint8_t ret_secret[LF_WEBHOOK_SECRET_MAX], size_t *ret_len);

#endif
