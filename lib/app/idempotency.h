/*
 * idempotency.h - once and no more: who repeats a request gets its first answer again.
 *
 * A key is whoever asks (an API key's id, a source) with the text they chose (Idempotency-Key, webhook-id and such). It
 * stands for one request: the same operation and the same body. While the first one is under way it is claimed, in
 * memory; its answer is recorded in the commit that records its scores, so that there is never one without the other,
 * and given again for as long as is configured.
 *
 * Of the key only a hash is kept, and the answer is sealed (base/seal.h) under another one, made of whose it is, the
 * key and what was asked: the database shows it to nobody who does not know all of that. So a field that is never
 * stored is not stored here either.
 *
 * Thread-safe.
 */
#ifndef LF_APP_IDEMPOTENCY_H
#define LF_APP_IDEMPOTENCY_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/seal.h"
#include "base/status.h"
#include "store/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LF_IDEMPOTENCY_KEY_MAX = 255 /* bytes of visible ASCII, and spaces within */ };

struct lf_idempotency;

/* keep_ms: how long answers are given again. NULL: out of memory. */
struct lf_idempotency *lf_idempotency_create(int64_t keep_ms) LF_MUST_CHECK;
void lf_idempotency_destroy(struct lf_idempotency *idempotency); /* no claim is left; NULL is fine */

int64_t lf_idempotency_keep_ms(const struct lf_idempotency *idempotency);

/* One request that is to happen once. */
struct lf_once_key {
    uint8_t name[LF_SHA256_SIZE];    /* whose it is, and which */
    uint8_t seal[LF_SEAL_KEY_SIZE];  /* what its answer is sealed with; secret */
    uint8_t request[LF_SHA256_SIZE]; /* what is asked */
};

/* owner: "key:" or "source:" and who; it may hold a secret of theirs, and is the better for it. key: at least 1 byte,
 * of any kind; target: path and query, which with the body is what is asked. false when libcrypto fails (memory). */
bool lf_once_key_make(const char *owner, const void *key, size_t key_len, const char *target, const void *body,
                      size_t body_len, struct lf_once_key *ret_key) LF_MUST_CHECK;

/* Who waits for another request's claim. It is the caller's, and stays where it is until `resume` has been called,
 * which comes in any case: every claim is given up. `resume` may free it. */
struct lf_once_waiter {
    struct lf_once_waiter *next;                   /* the table's own */
    void (*resume)(struct lf_once_waiter *waiter); /* on any thread, once: the claim is free, ask again. Quick. */
    void *data;                                    /* the caller's */
};

enum lf_once_state {
    LF_ONCE_CLAIMED,   /* it is ours: to be done, and then lf_idempotency_release, whatever happens */
    LF_ONCE_ANSWERED,  /* before: the answer is there */
    LF_ONCE_IN_FLIGHT, /* another one has it; a waiter that was given will be resumed */
};

struct lf_once_answer {
    int http_status;
    const void *body; /* in the arena */
    size_t body_len;
};

/* Claims the key, or finds its answer. The claim itself is the table's memory: nothing of the caller's has to outlive
 * the call but a waiter that was taken (IN_FLIGHT). waiter: NULL when nobody will wait. KEY_REUSED when the key stands
 * for another request (also while that is in flight), ERASED when the answer told of a lead that was erased, BUSY when
 * 10,000 wait already or 100,000 are in flight. *ret_answer is written for LF_ONCE_ANSWERED alone. Reads the store: a
 * row. */
enum lf_status lf_idempotency_claim(struct lf_idempotency *idempotency, struct lf_store_reader *reader,
                                    struct lf_arena *arena, const struct lf_once_key *key, int64_t now_ms,
                                    struct lf_once_waiter *waiter, enum lf_once_state *ret_state,
                                    struct lf_once_answer *ret_answer, struct lf_error *error) LF_MUST_CHECK;

/* Gives the claim up, once, whether its answer was recorded or not: after the commit, or where there is none. From any
 * thread. Resumes all who wait; they ask again, and find the answer, or the first of them claims the key anew. */
void lf_idempotency_release(struct lf_idempotency *idempotency, const struct lf_once_key *key);

/* What is to be recorded with the scores; which scores it tells of (first_score, last_score) is the caller's to add.
 * The sealed bytes live in the arena. Quick, and the same answer is never sealed twice alike. false: out of memory. */
bool lf_once_seal(struct lf_arena *arena, const struct lf_once_key *key, int64_t now_ms,
                  const struct lf_once_answer *answer, struct lf_stored_answer *ret_stored) LF_MUST_CHECK;

/* Requests that were answered so since the start, and those in flight. */
int64_t lf_idempotency_repeats(const struct lf_idempotency *idempotency);
size_t lf_idempotency_in_flight(struct lf_idempotency *idempotency);

#endif
