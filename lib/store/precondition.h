/*
 * precondition.h - ETags of drafts and lists, and whether what is there is what somebody thinks is there (If-Match,
 * If-None-Match), in words.
 *
 * Every backend holds a change against it within its transaction; who has much to do before may ask earlier, too.
 * Thread-safe.
 */
#ifndef LF_STORE_PRECONDITION_H
#define LF_STORE_PRECONDITION_H

#include "base/status.h"
#include "store/store.h"

#include <stdint.h>

/* What somebody refers to by an ETag. */
struct lf_tagged {
    const char *kind;       /* "draft of ICP" or "list", for messages */
    const char *key;        /* the ICP's or list's */
    const char *etag;       /* with its quotes; "" where it is not there */
    const char *changed_by; /* "" where that is not known */
    int64_t changed_at_ms;
};

/* Writes a tag: the letter, the revision, the hash's first 8 bytes, all in double quotes. */
void lf_etag_write(char ret_etag[LF_ETAG_MAX], char letter, int64_t revision, const uint8_t hash[LF_SHA256_SIZE]);

/* PRECONDITION_FAILED, in words, when what is there is not what the precondition wants. */
enum lf_status lf_precondition_check(const struct lf_precondition *precondition, const struct lf_tagged *there,
                                     struct lf_error *error) LF_MUST_CHECK;

#endif
